//! Verifier keys (c2sp.org/signed-note): `name+id+base64( type ‖ public key )`.

use core::fmt;

use super::base64;
use super::error::KeyError;
use super::message::CosignedMessage;
use super::name::{KeyId, KeyName};
use super::signature::NoteSignature;
use super::text::Checkpoint;
use crate::ed25519::{Ed25519Error, Ed25519Key};

const LOG: u8 = 1;
const WITNESS: u8 = 4;

/// A key with its name, for signatures of one type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct NamedKey<'a, const TYPE: u8> {
    name: KeyName<'a>,
    id: KeyId,
    key: Ed25519Key,
}

impl<'a, const TYPE: u8> NamedKey<'a, TYPE> {
    fn new(name: KeyName<'a>, key: Ed25519Key) -> Self {
        Self { name, id: KeyId::of(name, TYPE, key.as_bytes()), key }
    }

    fn parse(text: &'a str) -> Result<Self, KeyError> {
        let split = |text: &'a str| {
            let (head, tail) =
                text.split_at_checked(text.bytes().position(|byte| byte == b'+')?)?;
            Some((head, tail.strip_prefix('+')?))
        };
        let (name, rest) = split(text).ok_or(KeyError::Form)?;
        let (id, key) = split(rest).ok_or(KeyError::Form)?;
        let name = KeyName::new(name).map_err(|_| KeyError::Name)?;
        // A key of another length is one of another type.
        let Some([kind, key @ ..]) = base64::decode::<33>(key) else {
            return Err(match (base64::len(key), base64::first_four(key)) {
                (Some(_), Some([found, ..])) if found != TYPE => KeyError::Type { found },
                _ => KeyError::Form,
            });
        };
        if kind != TYPE {
            return Err(KeyError::Type { found: kind });
        }
        let key = Self::new(name, Ed25519Key::from_bytes(&key).map_err(KeyError::Key)?);
        match hex(id) {
            Some(id) if id == key.id => Ok(key),
            Some(_) => Err(KeyError::Id { expected: key.id }),
            None => Err(KeyError::Form),
        }
    }

    fn signed(&self, signature: &NoteSignature<'_>) -> bool {
        signature.id() == self.id && signature.name() == self.name
    }
}

impl<const TYPE: u8> fmt::Display for NamedKey<'_, TYPE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [TYPE; 33];
        bytes.iter_mut().skip(1).zip(self.key.as_bytes()).for_each(|(to, from)| *to = *from);
        write!(f, "{}+{}+", self.name, self.id)?;
        base64::write(&bytes, f)
    }
}

/// Eight lower-case hex digits.
fn hex(text: &str) -> Option<KeyId> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let pairs: &[[u8; 2]; 4] = pairs.try_into().ok()?;
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    };
    let mut id = [0; 4];
    for (byte, [high, low]) in id.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(KeyId::new(id))
}

/// The key of a log, by the log's name: Ed25519, type `01`.
///
/// `Display` writes it as [`parse`](Self::parse) reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogKey<'a>(NamedKey<'a, LOG>);

/// The key of a witness: Ed25519 with a time, type `04`.
///
/// `Display` writes it as [`parse`](Self::parse) reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WitnessKey<'a>(NamedKey<'a, WITNESS>);

macro_rules! named_key {
    ($type:ident) => {
        impl<'a> $type<'a> {
            /// A key and its name, from which its id follows.
            pub fn new(name: KeyName<'a>, key: Ed25519Key) -> Self {
                Self(NamedKey::new(name, key))
            }

            /// Reads a verifier key: `name+id+base64( type ‖ key )`, the id as 8 lower-case hex
            /// digits, nothing before or after it.
            ///
            /// # Errors
            ///
            /// [`KeyError`].
            pub fn parse(text: &'a str) -> Result<Self, KeyError> {
                NamedKey::parse(text).map(Self)
            }

            /// Its name.
            pub const fn name(&self) -> KeyName<'a> {
                self.0.name
            }

            /// Its id: the first four bytes of `H(name ‖ 0A ‖ type ‖ key)`.
            pub const fn id(&self) -> KeyId {
                self.0.id
            }

            /// The key alone.
            pub const fn key(&self) -> &Ed25519Key {
                &self.0.key
            }

            /// Whether a signature bears this key's name and id. Says nothing of who made it.
            pub fn is_named_by(&self, signature: &NoteSignature<'_>) -> bool {
                self.0.signed(signature)
            }
        }

        impl fmt::Display for $type<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

named_key!(LogKey);
named_key!(WitnessKey);

impl<'a> LogKey<'a> {
    /// The line of a signature that this key made over a checkpoint's text. Not checked.
    pub const fn signature(&self, signature: &'a [u8; 64]) -> NoteSignature<'a> {
        NoteSignature::plain(self.0.name, self.0.id, signature)
    }

    /// Checks that the line is this key's over the checkpoint: one whose origin is the key's name.
    ///
    /// # What success proves
    ///
    /// Whoever holds the key signed this checkpoint. Not that the log has no other history for other
    /// verifiers: that is what witnesses are for.
    ///
    /// # Errors
    ///
    /// [`Ed25519Error::Signature`], also for a line of another name, id or form and for another log's
    /// checkpoint.
    pub fn verify(
        &self,
        checkpoint: &Checkpoint<'_>,
        signature: &NoteSignature<'_>,
    ) -> Result<(), Ed25519Error> {
        if !self.is_named_by(signature) || checkpoint.origin() != self.0.name {
            return Err(Ed25519Error::Signature);
        }
        self.verify_text(checkpoint, signature)
    }

    /// The same whatever the checkpoint's origin is: a log's key may sign another log's checkpoint, which
    /// says nothing, and must then be right.
    pub(super) fn verify_text(
        &self,
        checkpoint: &Checkpoint<'_>,
        signature: &NoteSignature<'_>,
    ) -> Result<(), Ed25519Error> {
        let bytes = signature.as_plain().ok_or(Ed25519Error::Signature)?;
        self.0.key.verify(&checkpoint.bytes().parts(), &bytes)
    }
}

impl<'a> WitnessKey<'a> {
    /// The line of a signature that this key made over a [`CosignedMessage`] of this time. Not checked.
    ///
    /// # Errors
    ///
    /// [`KeyError::Form`] for a time above [`NoteSignature::MAX_TIME`].
    pub fn cosignature(
        &self,
        time: u64,
        signature: &'a [u8; 64],
    ) -> Result<NoteSignature<'a>, KeyError> {
        let Self(NamedKey { name, id, .. }) = *self;
        NoteSignature::cosignature(name, id, time, signature).map_err(|_| KeyError::Form)
    }

    /// Checks that the line is this key's over the checkpoint, and gives the time that it says, Unix
    /// seconds.
    ///
    /// # What success proves
    ///
    /// Whoever holds the key says that at this time it was the largest tree of this origin that it had
    /// seen, and that it continues all those before.
    ///
    /// # Errors
    ///
    /// [`Ed25519Error::Signature`], also for a line of another name, id or form.
    pub fn verify(
        &self,
        checkpoint: &Checkpoint<'_>,
        signature: &NoteSignature<'_>,
    ) -> Result<u64, Ed25519Error> {
        if !self.is_named_by(signature) {
            return Err(Ed25519Error::Signature);
        }
        let (time, bytes) = signature.as_cosignature().ok_or(Ed25519Error::Signature)?;
        let message = CosignedMessage { checkpoint: *checkpoint, time };
        self.0.key.verify(&message.bytes().parts(), &bytes)?;
        Ok(time)
    }
}
