//! Why a key-value entry is none, or does not point where it should.

use core::fmt;

/// A key-value entry is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum KvError {
    /// The key is none of the key-value API's.
    Key,
    /// The value is none that belongs to such a key.
    Value,
    /// The entry's metadata says `deleted` and there is a value, or the other way round.
    Deleted,
    /// The entry points at nothing.
    NoReference,
    /// The two entries were verified under different states.
    OtherState,
    /// The reference names another key.
    OtherKey,
    /// The reference names another transaction.
    OtherTx,
    /// What is pointed at holds no value.
    NoValue,
}

impl fmt::Display for KvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "the key is not one of a key-value entry",
            Self::Value => "the value is not one of a key-value entry",
            Self::Deleted => "value and metadata disagree whether the entry deletes its key",
            Self::NoReference => "the entry refers to nothing",
            Self::OtherState => "the entries were verified under different states",
            Self::OtherKey => "the entry refers to another key",
            Self::OtherTx => "the entry refers to another transaction",
            Self::NoValue => "what the entry refers to holds no value",
        })
    }
}

impl core::error::Error for KvError {}
