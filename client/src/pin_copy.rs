//! A copy of the pin beside the log, for the day on which the log is lost.
//!
//! A file of two lines, written over in turns each time the log has moved, so
//! that one of them is whole whatever is interrupted. It is not forced to the
//! disk: after a power cut it may be behind the log, by as much as the system
//! had not written yet, which harms nothing while the log is there. It
//! outlives a log that is removed or damaged, and is ahead of one that was
//! put back from a backup.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use counterfoil_core::{Alh, TrustedState, TxId};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Result, Unavailable};
use crate::trust::{Anchor, Pin};

/// Of a line, the line feed among it.
const LENGTH: usize = 317;

/// How the copy of the pin is that lies beside a log or trust file. It is all that
/// is left to hold the ledger to when that file is lost. Whoever opens the log for
/// writing writes it anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PinCopyState {
    /// A pin can be read in it. Which one is not said: it may be an older one.
    There,
    /// There is no such file.
    Missing,
    /// There is one, and it cannot be read, or no pin in it.
    Unreadable,
}

impl PinCopyState {
    /// That of the copy beside this log.
    pub(crate) fn beside(log: &Path) -> Self {
        match PinCopy::beside(log).read() {
            Ok(Some(_)) => Self::There,
            Ok(None) if !pin_copy(log).exists() => Self::Missing,
            Ok(None) | Err(_) => Self::Unreadable,
        }
    }

    /// Says so to whoever listens, if it is not there.
    pub(crate) fn warn(self, log: &Path) {
        if self != Self::There {
            tracing::warn!(
                path = %pin_copy(log).display(),
                state = ?self,
                "the copy of the pin cannot be used: should the log be lost, nothing is left to \
                 hold the ledger to; opening it for writing writes the copy anew"
            );
        }
    }
}

pub(crate) struct PinCopy {
    path: PathBuf,
    file: Option<File>,
    /// Where the next line goes: in the place of the older one.
    slot: u64,
}

impl PinCopy {
    /// The copy beside this log.
    pub(crate) fn beside(log: &Path) -> Self {
        Self { path: pin_copy(log), file: None, slot: 0 }
    }

    /// The newest pin that it holds whole, if any.
    pub(crate) fn read(&mut self) -> Result<Option<Pin>> {
        let mut bytes = Vec::new();
        let read = File::open(&self.path)
            .and_then(|file| file.take(2 * LENGTH as u64).read_to_end(&mut bytes));
        match read {
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            Err(cause) => {
                return Err(Unavailable::file(self.path.clone(), cause).into());
            }
            Ok(_) => {}
        }
        let pins = bytes.chunks(LENGTH).map(parse);
        let newest = pins.zip(0..).filter_map(|(pin, slot)| Some((pin?, slot)));
        let newest = newest.max_by_key(|(pin, _)| pin.state.tx);
        self.slot = newest.map_or(0, |(_, slot)| 1 - slot);
        Ok(newest.map(|(pin, _)| pin))
    }

    /// Writes the pin down. What fails here leaves an older copy, and says so
    /// to whoever listens: the log itself has the pin.
    pub(crate) fn keep(&mut self, pin: &Pin) {
        if let Err(cause) = self.write(pin) {
            self.file = None;
            tracing::warn!(path = %self.path.display(), %cause, "the pin's copy was not written");
        }
    }

    fn write(&mut self, pin: &Pin) -> std::io::Result<()> {
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            let file = options.create(true).truncate(false).write(true).open(&self.path)?;
            self.file = Some(file);
        }
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(self.slot * LENGTH as u64))?;
            file.write_all(line(pin).as_bytes())?;
        }
        self.slot = 1 - self.slot;
        Ok(())
    }
}

/// Where the copy beside this log is.
pub(crate) fn pin_copy(log: &Path) -> PathBuf {
    log.with_added_extension("pin")
}

/// What the file holds of a pin.
pub(crate) fn line(pin: &Pin) -> String {
    let Pin { ledger, state, anchor, anchored_at } = pin;
    let text = format!(
        "{ledger} {:020} {} {:<14} {:020} {} ",
        state.tx.get(),
        state.alh,
        anchor.as_str(),
        anchored_at.tx.get(),
        anchored_at.alh,
    );
    let check = check(&text);
    format!("{text}{check}\n")
}

fn check(text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"counterfoil pin copy 1");
    hash.update(text.as_bytes());
    hex::encode(hash.finalize())
}

/// A line that is exactly what would be written.
fn parse(bytes: &[u8]) -> Option<Pin> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut words = text.split_ascii_whitespace();
    let ledger: Alh = words.next()?.parse().ok()?;
    let mut state = TrustedState { tx: TxId::new(words.next()?.parse().ok()?), alh: ledger };
    state.alh = words.next()?.parse().ok()?;
    let anchor = Anchor::of_name(words.next()?)?;
    let mut anchored_at = TrustedState { tx: TxId::new(words.next()?.parse().ok()?), alh: ledger };
    anchored_at.alh = words.next()?.parse().ok()?;
    let pin = Pin { ledger, state, anchor, anchored_at };
    (line(&pin) == text).then_some(pin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(tx: u64) -> Pin {
        let state = TrustedState { tx: TxId::new(tx), alh: Alh::new([tx as u8; 32]) };
        let anchored_at = TrustedState { tx: TxId::new(1), ..state };
        Pin { ledger: Alh::new([9; 32]), state, anchor: Anchor::FirstContact, anchored_at }
    }

    #[test]
    fn whatever_happens_to_one_line_the_other_one_holds() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let path = folder.path().join("log.pin");
        let mut copy = PinCopy::beside(&log);
        assert_eq!(copy.read().unwrap(), None);
        for tx in [1, 2, 3, u64::MAX / 2] {
            copy.keep(&pin(tx));
            // A reader who comes later goes on where this one was.
            copy = PinCopy::beside(&log);
            assert_eq!(copy.read().unwrap(), Some(pin(tx)));
        }
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(whole.len(), 2 * LENGTH);
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            std::fs::write(&path, &flipped).unwrap();
            // The newer line is the second one.
            let left = if at < LENGTH { u64::MAX / 2 } else { 3 };
            assert_eq!(PinCopy::beside(&log).read().unwrap(), Some(pin(left)), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            let left = (at >= LENGTH).then(|| pin(3));
            assert_eq!(PinCopy::beside(&log).read().unwrap(), left, "{at} bytes");
        }
    }
}
