//! Files that are written whole or not at all, for everybody to read: there is no secret in them.

use std::io::{Error, ErrorKind, Write as _};
use std::path::Path;

use counterfoil::Unavailable;
use tempfile::NamedTempFile;

use crate::exit::{Failure, Result, THERE};

/// The content, on disk beside where it is to be, under a name that nobody knows. Persisting it puts it
/// in its place.
fn beside(path: &Path, content: &[u8]) -> Result<NamedTempFile, Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    // As any new file; what the system masks is masked.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Writes a file that is not there yet.
pub(crate) fn create(path: &Path, content: &[u8]) -> Result<()> {
    let written = beside(path, content).and_then(|file| Ok(file.persist_noclobber(path)?));
    written.map(drop).map_err(|cause| failed(path, cause))
}

/// Writes a file in the place of the one that is there, if one is.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let written = beside(path, content).and_then(|file| Ok(file.persist(path)?));
    written.map(drop).map_err(|cause| failed(path, cause))
}

/// Either the name cannot be used, or there cannot be written to it: what an exit code tells apart,
/// whichever command it was.
pub(crate) fn failed(path: &Path, cause: Error) -> Failure {
    let why = match cause.kind() {
        ErrorKind::AlreadyExists => THERE.to_owned(),
        ErrorKind::NotFound => "its folder is not there".to_owned(),
        ErrorKind::IsADirectory
        | ErrorKind::NotADirectory
        | ErrorKind::PermissionDenied
        | ErrorKind::InvalidFilename
        | ErrorKind::InvalidInput => cause.to_string(),
        _ => return Unavailable::File { path: path.to_owned(), cause: cause.into() }.into(),
    };
    Failure::Usage(format!("{}: {why}", path.display()))
}
