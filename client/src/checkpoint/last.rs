//! What was signed last of a log: a file that holds the checkpoint's text, without a signature.
//!
//! It is written before anything is signed, so whatever was given out, it is the file's checkpoint or
//! an earlier one. A crash between the two leaves a checkpoint that nobody has; signing it again, or a
//! later one, is right.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use counterfoil_core::checkpoint::{Checkpoint, KeyName, NoteError};
use counterfoil_core::{Root, TreeSize, verify_consistency};
use counterfoil_policy::FileError;

use super::refusal::CheckpointRefusal;
use crate::error::{Result, Unavailable};
use crate::sqlite::FileLock;
use crate::verdict::Verdict;
use crate::whole_file;

/// The longest file: a name of 255 bytes, a number, a hash.
const MOST: u64 = 512;

/// The file, which nobody else can use meanwhile.
pub(super) struct Last {
    path: PathBuf,
    _lock: FileLock,
    origin: String,
    size: TreeSize,
    root: Root,
}

impl Last {
    /// Makes the file of a log of which nothing was signed. One that is there must say the same: it is
    /// left as it is.
    pub(super) fn begin(path: &Path, origin: KeyName<'_>) -> Result<()> {
        let text = text(origin, TreeSize::new(0), Root::EMPTY).map_err(CheckpointRefusal::Form)?;
        match whole_file::create(path, text.as_bytes()) {
            Err(FileError { cause, .. }) if cause.kind() == ErrorKind::AlreadyExists => {}
            made => return Ok(made?),
        }
        // Begun by one who then failed before he signed.
        let there = Self::take(path, origin)?;
        if there.size().get() == 0 && there.root() == Root::EMPTY {
            return Ok(());
        }
        Err(CheckpointRefusal::Begun { path: path.into(), last: there.size() }.into())
    }

    /// Reads the file and keeps others from it.
    pub(super) fn take(path: &Path, origin: KeyName<'_>) -> Result<Self> {
        // By its one name: whoever comes by another one has to wait too, and a link to it stays one.
        // No lock is made beside a file that nobody made.
        let path = &*match std::fs::canonicalize(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(CheckpointRefusal::NotBegun { path: path.into() }.into());
            }
            found => found.map_err(|cause| Unavailable::file(path, cause))?,
        };
        let lock = FileLock::take(path, false, ": a signature is being made; try again")?;
        let Some(bytes) = whole_file::read(path, MOST)? else {
            return Err(CheckpointRefusal::NotBegun { path: path.into() }.into());
        };
        let damaged = |what: String| CheckpointRefusal::Damaged { path: path.into(), what };
        let found = std::str::from_utf8(&bytes).map_err(|error| damaged(error.to_string()))?;
        let checkpoint = Checkpoint::parse(found).map_err(|error| damaged(error.to_string()))?;
        if !checkpoint.extensions().is_empty() {
            return Err(damaged("it has more than three lines".into()).into());
        }
        if checkpoint.origin() != origin {
            let (expected, found) = (origin.to_string(), checkpoint.origin().to_string());
            return Err(CheckpointRefusal::OtherOrigin { expected, found }.into());
        }
        let (size, root) = (checkpoint.size(), checkpoint.root());
        Ok(Self { path: path.into(), _lock: lock, origin: origin.to_string(), size, root })
    }

    pub(super) fn size(&self) -> TreeSize {
        self.size
    }

    /// Goes on to this checkpoint, of which `path` shows that it continues the last one. It is on disk
    /// when this returns.
    pub(super) fn advance(&mut self, next: &Checkpoint<'_>, path: &[[u8; 32]]) -> Result<()> {
        let (size, root) = (next.size(), next.root());
        if next.origin().as_str() != self.origin {
            let (expected, found) = (self.origin.clone(), next.origin().to_string());
            return Err(CheckpointRefusal::OtherOrigin { expected, found }.into());
        }
        if size < self.size {
            return Err(CheckpointRefusal::Smaller { last: self.size, asked: size }.into());
        }
        if size == self.size && root != self.root {
            return Err(
                Verdict::OtherTree { size: size.get(), signed: self.root, found: root }.into()
            );
        }
        // Every tree continues the empty one: there is nothing to show, and nothing may be shown.
        if self.size.get() == 0 {
            if !path.is_empty() {
                let reason = "nothing was signed before, and there is a consistency proof".into();
                return Err(Verdict::BadProof { reason }.into());
            }
        } else {
            verify_consistency(self.size, &self.root, size, &root, path).map_err(|error| {
                let reason = format!("size {size} does not continue size {}: {error}", self.size);
                Verdict::BadProof { reason }
            })?;
        }
        // Also where nothing changes: what is there may not be on disk yet.
        let text = text(next.origin(), size, root).map_err(CheckpointRefusal::Form)?;
        whole_file::replace(&self.path, text.as_bytes())?;
        (self.size, self.root) = (size, root);
        Ok(())
    }

    /// What was signed last.
    pub(super) fn root(&self) -> Root {
        self.root
    }
}

/// Without extensions: nothing depends on them.
fn text(origin: KeyName<'_>, size: TreeSize, root: Root) -> Result<String, NoteError> {
    Ok(Checkpoint::new(origin, size, root)?.to_string())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::error::Error;

    /// Two signers that spell the file differently would sign two histories.
    #[test]
    fn a_link_to_the_file_is_locked_and_written_as_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("last"), folder.path().join("link"));
        let origin = KeyName::new("example.com/log").unwrap();
        std::os::unix::fs::symlink("last", &link).unwrap();
        let lost = Last::take(&link, origin).err().unwrap().to_string();
        assert!(lost.contains("link"), "{lost}");
        Last::begin(&path, origin).unwrap();
        let mut last = Last::take(&link, origin).unwrap();
        for name in [&path, &link] {
            let second = Last::take(name, origin).err().unwrap();
            assert!(matches!(second, Error::Unavailable(Unavailable::InUse { .. })), "{second}");
        }
        let next = Checkpoint::new(origin, TreeSize::new(1), Root::new([7; 32])).unwrap();
        last.advance(&next, &[]).unwrap();
        drop(last);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        for name in [&path, &link] {
            assert_eq!(Last::take(name, origin).unwrap().size(), TreeSize::new(1));
        }
    }
}
