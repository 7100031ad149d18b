//! Proofs that a transaction is in a checkpointed log (c2sp.org/tlog-proof).
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra base64        (or no such line)
//! index n             (from 0)
//! base64 of a hash    (the leaf's sibling first; or none)
//!
//! the checkpoint's note, verbatim
//! ```

use core::fmt;

use super::base64;
use super::error::NoteError;
use super::lines::{self, Decimal};
use super::note::Note;
use super::text::Checkpoint;
use crate::number::{LeafIndex, TxId};

const HEADER: &str = "c2sp.org/tlog-proof@v1";
const MAX_PATH: usize = 64;

/// A proof that a transaction is in a checkpointed log, as the bytes say. Nothing is verified: see
/// `LogPolicy::verify_proof`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TlogProof<'a> {
    /// Base64 in the one form.
    extra: Option<&'a str>,
    index: LeafIndex,
    /// Lines with their newlines, each read once already.
    path: &'a str,
    note: Note<'a>,
    checkpoint: Checkpoint<'a>,
}

impl<'a> TlogProof<'a> {
    /// The most bytes of a proof: two million.
    pub const MAX_LEN: usize = 2_000_000;
    /// The most terms of a path.
    pub const MAX_PATH: usize = MAX_PATH;

    /// Reads a proof: all of the bytes, and nothing else.
    ///
    /// # Errors
    ///
    /// [`NoteError`]: `Proof` where it is not laid out as one, `Index`, `Path`, and those of
    /// [`Note::parse`] and [`Checkpoint::parse`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NoteError> {
        if bytes.len() > Self::MAX_LEN {
            return Err(NoteError::TooLarge);
        }
        let mut rest = core::str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        if lines::next(&mut rest) != Some(HEADER) {
            return Err(NoteError::Proof);
        }
        let mut line = lines::next(&mut rest).ok_or(NoteError::Proof)?;
        let extra = line.strip_prefix("extra ");
        if let Some(extra) = extra {
            base64::len(extra).filter(|&len| len > 0).ok_or(NoteError::Proof)?;
            line = lines::next(&mut rest).ok_or(NoteError::Proof)?;
        }
        let index = line.strip_prefix("index ").ok_or(NoteError::Proof)?;
        let index = LeafIndex::new(lines::decimal(index).ok_or(NoteError::Index)?);

        let from = rest;
        let mut terms = 0_usize;
        let path = loop {
            let before = rest.len();
            let line = lines::next(&mut rest).ok_or(NoteError::Proof)?;
            if line.is_empty() {
                let len = from.len().saturating_sub(before);
                break from.get(..len).ok_or(NoteError::Proof)?;
            }
            base64::decode::<32>(line).ok_or(NoteError::Path)?;
            terms = terms.saturating_add(1);
            if terms > Self::MAX_PATH {
                return Err(NoteError::Path);
            }
        };
        let note = Note::parse(rest.as_bytes())?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Self { extra, index, path, note, checkpoint })
    }

    /// Where the leaf is, as the proof says.
    pub const fn index(&self) -> LeafIndex {
        self.index
    }

    /// The transaction, as the proof says: the one after `index`. `None` for an index that no leaf of a
    /// ledger has.
    pub fn tx(&self) -> Option<TxId> {
        TxId::new(self.index.get()).next()
    }

    /// Extra data in base64, if there is any. **Nothing vouches for it**: whoever carried the proof may
    /// have written it.
    pub const fn extra(&self) -> Option<&'a str> {
        self.extra
    }

    /// The checkpoint's note.
    pub const fn note(&self) -> Note<'a> {
        self.note
    }

    /// The checkpoint, as the note says.
    pub const fn checkpoint(&self) -> Checkpoint<'a> {
        self.checkpoint
    }

    /// The path, the leaf's sibling first, in `buffer`.
    pub fn path<'b>(&self, buffer: &'b mut [[u8; 32]; MAX_PATH]) -> &'b [[u8; 32]] {
        let mut rest = self.path;
        let mut count = 0_usize;
        for term in buffer.iter_mut() {
            // Every line was read before.
            let Some(hash) = lines::next(&mut rest).and_then(base64::decode) else { break };
            *term = hash;
            count = count.saturating_add(1);
        }
        buffer.get(..count).unwrap_or_default()
    }
}

/// What a proof is made of. `Display` writes it, and verifies nothing.
#[derive(Clone, Copy, Debug)]
pub struct TlogProofText<'a> {
    /// Data that nothing vouches for. Empty for none.
    pub extra: &'a [u8],
    /// Where the leaf is: the transaction's number less 1.
    pub index: LeafIndex,
    /// From the leaf upwards, its sibling first; at most 64.
    pub path: &'a [[u8; 32]],
    /// The checkpoint with its signatures.
    pub note: Note<'a>,
}

impl fmt::Display for TlogProofText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        if !self.extra.is_empty() {
            f.write_str("\nextra ")?;
            base64::write(self.extra, f)?;
        }
        f.write_str("\nindex ")?;
        fmt::Display::fmt(&Decimal::new(self.index.get()), f)?;
        for hash in self.path {
            f.write_str("\n")?;
            base64::write(hash, f)?;
        }
        f.write_str("\n\n")?;
        fmt::Display::fmt(&self.note, f)
    }
}
