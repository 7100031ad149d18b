//! Small files that are written all or nothing, and on disk when that is done.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use counterfoil_policy::FileError;
use tempfile::NamedTempFile;

/// Makes a file that only its owner may read. One that is there is left as it is, and an error.
pub(crate) fn create(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let file = beside(path, content)?;
    file.persist_noclobber(path).map_err(|failed| FileError::new(path, failed.error))?;
    settle(path)
}

/// Puts a file in the place of the one that is there, if one is. Only its owner may read it.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let file = beside(path, content)?;
    file.persist(path).map_err(|failed| FileError::new(path, failed.error))?;
    settle(path)
}

/// As [`replace`]; whoever may read `like` may read it too.
pub(crate) fn replace_as(path: &Path, content: &[u8], like: &Path) -> Result<(), FileError> {
    let file = beside(path, content)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let shared = std::fs::metadata(like).and_then(|like| {
            let mode = 0o600 | (like.permissions().mode() & 0o444);
            file.as_file().set_permissions(std::fs::Permissions::from_mode(mode))
        });
        shared.map_err(|cause| FileError::new(path, cause))?;
    }
    #[cfg(not(unix))]
    let _ = like;
    file.persist(path).map_err(|failed| FileError::new(path, failed.error))?;
    settle(path)
}

/// A file's content, which may have `most` bytes; `None` if there is no file.
pub(crate) fn read(path: &Path, most: u64) -> Result<Option<Vec<u8>>, FileError> {
    match File::open(path) {
        Ok(file) => read_open(path, file, most).map(Some),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(FileError::new(path, cause)),
    }
}

/// The content of a file that is open.
pub(crate) fn read_open(path: &Path, file: File, most: u64) -> Result<Vec<u8>, FileError> {
    let mut content = Vec::new();
    let read = file.take(most.saturating_add(1)).read_to_end(&mut content);
    read.map_err(|cause| FileError::new(path, cause))?;
    if content.len() as u64 > most {
        let cause =
            std::io::Error::new(ErrorKind::FileTooLarge, "it is too large to be such a file");
        return Err(FileError::new(path, cause));
    }
    Ok(content)
}

/// The content, on disk under a name that nobody knows.
fn beside(path: &Path, content: &[u8]) -> Result<NamedTempFile, FileError> {
    let written = NamedTempFile::new_in(folder(path)).and_then(|mut file| {
        file.write_all(content)?;
        file.as_file().sync_all()?;
        Ok(file)
    });
    written.map_err(|cause| FileError::new(path, cause))
}

/// The name itself, on disk.
fn settle(path: &Path) -> Result<(), FileError> {
    if cfg!(unix) {
        let synced = File::open(folder(path)).and_then(|folder| folder.sync_all());
        synced.map_err(|cause| FileError::new(path, cause))?;
    }
    Ok(())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_once_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert_eq!(read(&path, 9).unwrap(), None);
        create(&path, b"first").unwrap();
        let refused = create(&path, b"second").unwrap_err();
        assert!(refused.to_string().contains("exists"), "{refused}");
        assert_eq!(read(&path, 5).unwrap().unwrap(), b"first");
        replace(&path, b"second").unwrap();
        assert_eq!(read(&path, 6).unwrap().unwrap(), b"second");
        assert!(read(&path, 5).unwrap_err().to_string().contains("too large"));
        // Nothing is left of the attempts.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
