//! Why a signature does not count.

use core::fmt;

/// A state's signature is refused, or is not for what it is taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SignatureError {
    /// The key is not an uncompressed point on P-256, or not in the form asked for.
    Key,
    /// The database's name is longer than its field can state.
    Database,
    /// The signature is not strict DER of two numbers between 1 and the group's order.
    Encoding,
    /// The signature is not the key's over this state.
    Signature,
    /// The state was signed as another database's.
    OtherDatabase,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "the key is not an uncompressed P-256 point",
            Self::Database => "the database's name is too long",
            Self::Encoding => "the signature is not strict DER",
            Self::Signature => "the signature is not the key's over this state",
            Self::OtherDatabase => "the state was signed as another database's",
        })
    }
}

impl core::error::Error for SignatureError {}
