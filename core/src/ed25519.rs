//! Signatures by Ed25519 keys: of authors, logs and witnesses.

use core::fmt;

use ed25519_dalek::{Signature, VerifyingKey};

/// A public Ed25519 key (RFC 8032 §5.1.5), 32 bytes.
///
/// It is one that a signer can have: the one spelling of a point on the curve, and none of the points
/// of small order, under which one signature holds for many messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ed25519Key(VerifyingKey);

/// An Ed25519 key or signature is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Ed25519Error {
    /// The 32 bytes are not the one spelling of a point, or it is a point of small order.
    Key,
    /// The signature is not the key's over this message.
    Signature,
}

impl Ed25519Key {
    /// Reads a key's 32 bytes.
    ///
    /// # Errors
    ///
    /// [`Ed25519Error::Key`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, Ed25519Error> {
        match VerifyingKey::from_bytes(bytes) {
            Ok(key) if !key.is_weak() && key.to_edwards().compress().0 == *bytes => Ok(Self(key)),
            _ => Err(Ed25519Error::Key),
        }
    }

    /// The key's 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Checks a signature over a message, which is given in parts: they are signed as if they were one.
    ///
    /// As strict as the strictest of the verifiers in use: s is below the group's order, R is the one
    /// spelling of its point and not of small order, and the equation holds without the cofactor. No
    /// signer that follows RFC 8032 makes other signatures.
    ///
    /// # What success proves
    ///
    /// Whoever holds the key signed these bytes. Not what they mean: a key that signs more than one
    /// kind of message needs a prefix that tells the kinds apart.
    ///
    /// # Errors
    ///
    /// [`Ed25519Error::Signature`].
    pub fn verify(&self, message: &[&[u8]], signature: &[u8; 64]) -> Result<(), Ed25519Error> {
        let signature = Signature::from_bytes(signature);
        match VerifyingKey::from_bytes(signature.r_bytes()) {
            Ok(r) if !r.is_weak() => {}
            _ => return Err(Ed25519Error::Signature),
        }
        let mut verifier = self.0.verify_stream(&signature).map_err(|_| Ed25519Error::Signature)?;
        for part in message {
            verifier.update(part);
        }
        verifier.finalize_and_verify().map_err(|_| Ed25519Error::Signature)
    }
}

impl fmt::Debug for Ed25519Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ed25519Key(")?;
        for byte in self.as_bytes() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Ed25519Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "the key is not an Ed25519 key in its one spelling, or of small order",
            Self::Signature => "the signature is not the key's over this message",
        })
    }
}

impl core::error::Error for Ed25519Error {}
