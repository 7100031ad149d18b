//! Files with checkpoints in them: read whole, written all or nothing, never over anything else.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use counterfoil::checkpoint::{CheckpointRefusal, SignedCheckpoint};
use counterfoil::core::checkpoint::{Note, NoteSignature};
use counterfoil::{Error, Unavailable};

use crate::exit::{Failure, Result};
use crate::new_file;

/// A proof and a note: nothing here is larger.
const MOST: u64 = 2 * Note::MAX_LEN as u64;

/// A file's content.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST + 1).read_to_end(&mut content));
    read.map_err(|cause| Unavailable::File { path: path.into(), cause: cause.into() })?;
    match content.len() as u64 > MOST {
        true => Err(unusable(path, &"it is too large to be a checkpoint")),
        false => Ok(content),
    }
}

/// The checkpoint in a file.
pub(crate) fn checkpoint(path: &Path) -> Result<SignedCheckpoint> {
    let parsed = SignedCheckpoint::parse(read(path)?);
    Ok(parsed.map_err(|error| Error::from(CheckpointRefusal::Form(error)))?)
}

/// Writes a checkpoint: to standard output, to a new file, or over a checkpoint of the same log that is
/// not larger. Of the same size it must be the same checkpoint: then the signatures of both are in the
/// file; of one key the one that is there, unless the other is new, not `from` somebody else's file.
/// Returns what is there.
pub(super) fn write_checkpoint(
    path: Option<&Path>,
    signed: &SignedCheckpoint,
    from: Option<&SignedCheckpoint>,
) -> Result<SignedCheckpoint> {
    let Some(path) = path else {
        print(signed.as_str())?;
        return Ok(signed.clone());
    };
    // What is looked at is what is replaced: nobody else's signatures come between.
    let _lock = lock(path)?;
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            create(Some(path), signed.as_str())?;
            return Ok(signed.clone());
        }
        Err(error) => return Err(unusable(path, &error)),
        Ok(_) => {}
    }
    let there = of_log(path, signed.checkpoint().origin().as_str())?;
    let (old, new) = (there.checkpoint(), signed.checkpoint());
    if old.size() > new.size() {
        return Err(unusable(path, &"it is a newer checkpoint: left as it is"));
    }
    let written = match old.size() == new.size() {
        false => signed.clone(),
        true if there.note().text() != signed.note().text() => {
            let why = "it is another checkpoint of the same size, which is evidence: left as it is";
            return Err(unusable(path, &why));
        }
        true => {
            let merged = signed.note().signatures().try_fold(there.clone(), |all, one| {
                let same_key =
                    |old: &NoteSignature<'_>| (old.name(), old.id()) == (one.name(), one.id());
                let taken = there.note().signatures().any(|old| same_key(&old));
                let new = !from.is_some_and(|from| has(from, &one)) && !has(&there, &one);
                if new || !taken { all.with(&one) } else { Ok(all) }
            });
            merged.map_err(|error| unusable(path, &error))?
        }
    };
    new_file::replace(path, written.as_str().as_bytes())?;
    Ok(written)
}

/// Whether a checkpoint of this log can be written there, as far as it can be seen before there is one.
pub(super) fn check_place(path: &Path, origin: &str) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(unusable(path, &"its folder is not there"));
    }
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unusable(path, &error)),
        Ok(_) => {}
    }
    of_log(path, origin).map(drop)
}

/// The checkpoint that is there, which has to be this log's.
fn of_log(path: &Path, origin: &str) -> Result<SignedCheckpoint> {
    let there = checkpoint(path);
    let there =
        there.map_err(|_| unusable(path, &"it is there, and no checkpoint: left as it is"))?;
    let found = there.checkpoint().origin();
    if found.as_str() != origin {
        return Err(unusable(path, &format!("it is a checkpoint of {found}: left as it is")));
    }
    Ok(there)
}

/// Whether this very line is in it.
fn has(signed: &SignedCheckpoint, line: &NoteSignature<'_>) -> bool {
    let line = line.to_string();
    signed.note().signatures().any(|one| one.to_string() == line)
}

/// Held by one at a time, until it is dropped or its process ends. In a file that stays: the other
/// one is replaced.
fn lock(path: &Path) -> Result<File> {
    let path = path.with_added_extension("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let locked = file.and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| unusable(&path, &error))
}

/// Writes to standard output, or to a file that is not there yet.
pub(super) fn create(path: Option<&Path>, text: &str) -> Result<()> {
    let Some(path) = path else { return print(text) };
    new_file::create(path, text.as_bytes())
}

fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::Usage(format!("{}: {why}", path.display()))
}
