//! A signature line of a note.
//!
//! ```text
//! — name base64( key id [4] ‖ signature )
//! ```

use core::fmt;

use super::base64;
use super::error::NoteError;
use super::name::{KeyId, KeyName};

/// What begins a signature line: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// A signature of a note, as its line says. `Display` writes the line, its newline included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoteSignature<'a> {
    name: KeyName<'a>,
    id: KeyId,
    bytes: Bytes<'a>,
}

/// The bytes behind the key's id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bytes<'a> {
    /// As they stand in a note, id and all: in the one form, and there is at least one.
    Line(&'a str),
    Plain(&'a [u8; 64]),
    Cosignature {
        time: u64,
        signature: &'a [u8; 64],
    },
}

impl<'a> NoteSignature<'a> {
    /// The latest time that a cosignature can have: 2^63 − 1.
    pub const MAX_TIME: u64 = u64::MAX >> 1;

    /// A log's signature over a checkpoint's text.
    pub const fn plain(name: KeyName<'a>, id: KeyId, signature: &'a [u8; 64]) -> Self {
        Self { name, id, bytes: Bytes::Plain(signature) }
    }

    /// A witness's signature over a [`CosignedMessage`](super::CosignedMessage) of this time.
    ///
    /// # Errors
    ///
    /// [`NoteError::Time`] above [`MAX_TIME`](Self::MAX_TIME).
    pub const fn cosignature(
        name: KeyName<'a>,
        id: KeyId,
        time: u64,
        signature: &'a [u8; 64],
    ) -> Result<Self, NoteError> {
        if time > Self::MAX_TIME {
            return Err(NoteError::Time);
        }
        Ok(Self { name, id, bytes: Bytes::Cosignature { time, signature } })
    }

    /// Reads a line, without its newline.
    ///
    /// # Errors
    ///
    /// [`NoteError::SignatureLine`], [`NoteError::Name`].
    pub fn parse(line: &'a str) -> Result<Self, NoteError> {
        let malformed = NoteError::SignatureLine;
        let rest = line.strip_prefix(DASH).ok_or(malformed)?;
        let end = rest.bytes().position(|byte| byte == b' ').ok_or(malformed)?;
        let (name, rest) = rest.split_at_checked(end).ok_or(malformed)?;
        let text = rest.strip_prefix(' ').ok_or(malformed)?;
        let name = KeyName::new(name)?;
        if base64::len(text).ok_or(malformed)? <= 4 {
            return Err(malformed);
        }
        let id = KeyId::new(base64::first_four(text).ok_or(malformed)?);
        Ok(Self { name, id, bytes: Bytes::Line(text) })
    }

    /// The name of the key that is said to have signed.
    pub const fn name(&self) -> KeyName<'a> {
        self.name
    }

    /// Its id.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The 64 bytes, if it has the form of a log's.
    pub fn as_plain(&self) -> Option<[u8; 64]> {
        match self.bytes {
            Bytes::Line(text) => {
                let bytes: [u8; 68] = base64::decode(text)?;
                bytes.last_chunk().copied()
            }
            Bytes::Plain(signature) => Some(*signature),
            Bytes::Cosignature { .. } => None,
        }
    }

    /// The time, Unix seconds, and the 64 bytes, if it has the form of a witness's.
    pub fn as_cosignature(&self) -> Option<(u64, [u8; 64])> {
        match self.bytes {
            Bytes::Line(text) => {
                let bytes: [u8; 76] = base64::decode(text)?;
                let (_, rest) = bytes.split_first_chunk::<4>()?;
                let (time, signature) = rest.split_first_chunk()?;
                let time = u64::from_be_bytes(*time);
                (time <= Self::MAX_TIME).then_some((time, *signature.first_chunk()?))
            }
            Bytes::Plain(_) => None,
            Bytes::Cosignature { time, signature } => Some((time, *signature)),
        }
    }
}

impl fmt::Display for NoteSignature<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DASH)?;
        f.write_str(self.name.as_str())?;
        f.write_str(" ")?;
        match self.bytes {
            Bytes::Line(text) => f.write_str(text)?,
            Bytes::Plain(signature) => {
                let mut bytes = [0; 68];
                join([&self.id.to_bytes(), signature], &mut bytes);
                base64::write(&bytes, f)?;
            }
            Bytes::Cosignature { time, signature } => {
                let mut bytes = [0; 76];
                join([&self.id.to_bytes(), &time.to_be_bytes(), signature], &mut bytes);
                base64::write(&bytes, f)?;
            }
        }
        f.write_str("\n")
    }
}

fn join<const N: usize>(parts: [&[u8]; N], out: &mut [u8]) {
    let bytes = parts.into_iter().flatten();
    out.iter_mut().zip(bytes).for_each(|(out, byte)| *out = *byte);
}
