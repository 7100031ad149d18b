//! A checkpoint with its signatures, as it is kept in a file and sent about.

use std::fmt;

use counterfoil_core::checkpoint::{Checkpoint, Note, NoteError, NoteSignature};

/// A checkpoint with signatures, well formed. Nothing is verified: whose signatures count, a
/// [`LogPolicy`](counterfoil_core::checkpoint::LogPolicy) says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint(String);

impl SignedCheckpoint {
    /// Reads a note that holds a checkpoint: all of the bytes, and nothing else.
    ///
    /// # Errors
    ///
    /// [`NoteError`].
    pub fn parse(bytes: Vec<u8>) -> Result<Self, NoteError> {
        let text = String::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        Checkpoint::parse(Note::parse(text.as_bytes())?.text())?;
        Ok(Self(text))
    }

    /// A checkpoint with its first signature.
    pub(super) fn new(
        checkpoint: &Checkpoint<'_>,
        signature: &NoteSignature<'_>,
    ) -> Result<Self, NoteError> {
        Self::parse(format!("{checkpoint}\n{signature}").into_bytes())
    }

    /// The note.
    pub fn note(&self) -> Note<'_> {
        let Ok(note) = Note::parse(self.0.as_bytes()) else { unreachable!("it was read before") };
        note
    }

    /// What it says.
    pub fn checkpoint(&self) -> Checkpoint<'_> {
        let Ok(checkpoint) = Checkpoint::parse(self.note().text()) else {
            unreachable!("it was read before")
        };
        checkpoint
    }

    /// The note's bytes, as they stand in a file.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// With one more signature, in the place of an older one by a key of the same name and id.
    ///
    /// # Errors
    ///
    /// [`NoteError::TooManySignatures`].
    pub fn with(&self, signature: &NoteSignature<'_>) -> Result<Self, NoteError> {
        let note = self.note();
        let mut text = format!("{}\n", note.text());
        let same = |other: &NoteSignature<'_>| {
            other.name() == signature.name() && other.id() == signature.id()
        };
        for other in note.signatures().filter(|other| !same(other)) {
            text += &other.to_string();
        }
        text += &signature.to_string();
        Self::parse(text.into_bytes())
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
