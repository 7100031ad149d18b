//! Files that are written whole or not at all, for everybody to read: there is no secret in them.

use std::io::{Result, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// The content, on disk beside where it is to be, under a name that nobody knows. Persisting it puts it
/// in its place.
pub(crate) fn beside(path: &Path, content: &[u8]) -> Result<NamedTempFile> {
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
