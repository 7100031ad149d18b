//! A checkpoint with its signatures, as it is kept in a file and sent about.

use std::fmt;

use counterfoil_core::checkpoint::{Checkpoint, Note, NoteError, NoteSignature, WitnessKey};

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

    /// With a cosignature that this key was found to have made, unless a later one of it is there
    /// already, which is verified: a line that nobody signed, of a time to come, keeps none out.
    ///
    /// # Errors
    ///
    /// [`NoteError::TooManySignatures`].
    pub(super) fn with_cosignature(
        &self,
        key: &WitnessKey<'_>,
        line: &NoteSignature<'_>,
    ) -> Result<Self, NoteError> {
        let (checkpoint, note) = (self.checkpoint(), self.note());
        let time = |line: &NoteSignature<'_>| key.verify(&checkpoint, line).ok();
        match note.signatures().filter_map(|line| time(&line)).max() {
            Some(held) if time(line) < Some(held) => Ok(self.clone()),
            _ => self.with(line),
        }
    }

    /// With one more signature, in the place of those by a key of the same name and id, whatever times
    /// they say: nothing is verified.
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

#[cfg(test)]
mod tests {
    use counterfoil_core::checkpoint::{CosignedMessage, KeyName};
    use counterfoil_core::{Ed25519Key, Root, TreeSize};
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    /// Whatever comes first, and whatever somebody wrote who has no key.
    #[test]
    fn the_later_cosignature_stays() {
        let secret = SigningKey::from_bytes(&[7; 32]);
        let public = Ed25519Key::from_bytes(secret.verifying_key().as_bytes()).unwrap();
        let key = WitnessKey::new(KeyName::new("w.example").unwrap(), public);
        let origin = KeyName::new("example.com/goods").unwrap();
        let checkpoint = Checkpoint::new(origin, TreeSize::new(4), Root::new([3; 32])).unwrap();
        let signed = |time| {
            let message = CosignedMessage { checkpoint, time };
            secret.sign(message.to_string().as_bytes()).to_bytes()
        };
        let (older, later, forged) = (signed(100), signed(200), [9; 64]);
        let older = key.cosignature(100, &older).unwrap();
        let later = key.cosignature(200, &later).unwrap();
        let forged = key.cosignature(300, &forged).unwrap();

        let with_later = SignedCheckpoint::new(&checkpoint, &later).unwrap();
        assert_eq!(with_later.with_cosignature(&key, &older).unwrap(), with_later);
        let with_older = SignedCheckpoint::new(&checkpoint, &older).unwrap();
        assert_eq!(with_older.with_cosignature(&key, &later).unwrap(), with_later);
        let with_forged = SignedCheckpoint::new(&checkpoint, &forged).unwrap();
        assert_eq!(with_forged.with_cosignature(&key, &older).unwrap(), with_older);
    }
}
