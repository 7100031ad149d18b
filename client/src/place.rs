//! Where a file lies, however its name is spelled.

use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

/// Names that lead to others, at most: as many as systems follow.
const MOST_LINKS: u32 = 40;

/// The one absolute name of a file without links in it. It need not be there,
/// nor its folder; a link to what is not there is followed, as creating does.
pub(crate) fn of(path: &Path) -> Result<PathBuf> {
    let mut left = MOST_LINKS;
    follow(&std::path::absolute(path)?, &mut left)
}

/// The absolute names by which this one may be known: with its folder's links followed and its own
/// not, as it is spelled, and last the one without links.
pub(crate) fn names(path: &Path) -> Result<Vec<PathBuf>> {
    let spelled = std::path::absolute(path)?;
    let mut names = Vec::new();
    if let (Some(folder), Some(name)) = (spelled.parent(), spelled.file_name()) {
        names.push(of(folder)?.join(name));
    }
    let place = of(path)?;
    names.push(spelled);
    names.retain(|name| *name != place);
    names.dedup();
    names.push(place);
    Ok(names)
}

fn follow(path: &Path, left: &mut u32) -> Result<PathBuf> {
    match std::fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        found => return found,
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::new(ErrorKind::InvalidInput, "it names no file"));
    };
    let folder = follow(folder, left)?;
    match std::fs::read_link(folder.join(name)) {
        Ok(target) => {
            *left = left.checked_sub(1).ok_or_else(|| Error::other("too many links"))?;
            follow(&folder.join(target), left)
        }
        Err(_) => Ok(folder.join(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_leads_to_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let file = root.join("a");
        for there in [false, true] {
            if there {
                std::fs::write(&file, "").unwrap();
            }
            assert_eq!(of(&file).unwrap(), file);
            assert_eq!(of(&root.join("./a")).unwrap(), file);
            assert_eq!(of(&root.join("b/../c/d")).unwrap_or_default(), PathBuf::new());
            std::fs::create_dir_all(root.join("b")).unwrap();
            assert_eq!(of(&root.join("b/../a")).unwrap(), file);
            std::fs::remove_dir(root.join("b")).unwrap();
        }
        assert_eq!(of(&root.join("no/such/file")).unwrap(), root.join("no/such/file"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_to_what_is_not_there_too() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        symlink("target", root.join("link")).unwrap();
        symlink(&root, root.join("folder")).unwrap();
        for there in [false, true] {
            if there {
                std::fs::write(root.join("target"), "").unwrap();
            }
            for name in ["link", "folder/link", "folder/folder/target"] {
                assert_eq!(of(&root.join(name)).unwrap(), root.join("target"), "{name}");
            }
        }
        symlink("round", root.join("round")).unwrap();
        assert!(of(&root.join("round")).is_err());
    }
}
