//! Why something was refused. Every error is small, `Copy`, and names the step that failed.

mod chain;
mod dual;
mod kv;
mod proof;
#[cfg(feature = "p256")]
mod signature;
mod sql;
#[cfg(feature = "hex")]
mod text;

use core::convert::Infallible;
use core::fmt;

use crate::number::{LeafIndex, TreeSize, TxId};
use crate::wire::TooSmall;

pub use chain::ChainError;
pub use dual::{DualError, Part};
pub use kv::KvError;
pub use proof::ProofError;
#[cfg(feature = "p256")]
pub use signature::SignatureError;
pub use sql::{CatalogError, RowError};
#[cfg(feature = "serde")]
pub(crate) use text::FromStrVisitor;
#[cfg(feature = "hex")]
pub use text::ParseError;

/// A tree proof does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TreeError {
    /// The tree has no leaf of that number.
    IndexOutOfRange {
        /// The leaf asked for, from 0.
        index: LeafIndex,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The path has not the number of terms that its numbers demand.
    PathLength {
        /// How many terms there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The leaf and the path do not give the root.
    RootMismatch,
    /// The older tree is empty: there is nothing to be consistent with.
    OldSizeZero,
    /// The older tree is larger than the newer one.
    SizesReversed {
        /// The older size.
        old: TreeSize,
        /// The newer size.
        new: TreeSize,
    },
    /// The path does not give the older root.
    OldRootMismatch,
    /// The path does not give the newer root, or sizes are equal and roots are not.
    NewRootMismatch,
    /// A tree has as many peaks as its size has one-bits.
    PeakCount {
        /// How many peaks there must be.
        expected: u32,
        /// How many there are.
        found: usize,
    },
    /// The tree has 2^64 − 1 leaves and takes no more.
    Full,
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IndexOutOfRange { index, size } => {
                write!(f, "leaf {index} is not in a tree of {size}")
            }
            Self::PathLength { expected, found } => {
                write!(f, "the path has {found} terms in place of {expected}")
            }
            Self::RootMismatch => f.write_str("the path leads to another root"),
            Self::OldSizeZero => f.write_str("the older tree is empty"),
            Self::SizesReversed { old, new } => {
                write!(f, "the older tree has {old} leaves, the newer only {new}")
            }
            Self::OldRootMismatch => f.write_str("the path leads to another older root"),
            Self::NewRootMismatch => f.write_str("the path leads to another newer root"),
            Self::PeakCount { expected, found } => {
                write!(f, "there are {found} peaks in place of {expected}")
            }
            Self::Full => f.write_str("the tree is full"),
        }
    }
}

impl core::error::Error for TreeError {}

/// A header states something that no header can.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HeaderError {
    /// Transactions count from 1.
    IdZero,
    /// The header's tree must end before the transaction itself.
    TreeNotBehind {
        /// The transaction.
        id: TxId,
        /// The last transaction in the tree that it states.
        bl_tx_id: TxId,
    },
    /// The count of entries is 0 or more than the header's version can state.
    EntryCount {
        /// The count.
        nentries: u32,
    },
    /// There are versions 0 and 1.
    UnknownVersion {
        /// The version.
        version: u16,
    },
    /// Version 0 has no metadata.
    MetadataInV0,
    /// The metadata's bytes are not canonical.
    Metadata,
    /// The metadata's `extra` has more than 256 bytes.
    ExtraTooLong,
    /// Transaction 1 has a predecessor.
    FirstPredecessor,
    /// The tree is empty and its root is not zero.
    EmptyTreeRoot,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdZero => f.write_str("the transaction's number is 0"),
            Self::TreeNotBehind { id, bl_tx_id } => {
                write!(f, "transaction {id} states a tree up to transaction {bl_tx_id}")
            }
            Self::EntryCount { nentries } => {
                write!(f, "a header of its version cannot state {nentries} entries")
            }
            Self::UnknownVersion { version } => write!(f, "unknown header version {version}"),
            Self::MetadataInV0 => f.write_str("a version 0 header has no metadata"),
            Self::Metadata => f.write_str("the transaction's metadata is not canonical"),
            Self::ExtraTooLong => f.write_str("the extra metadata has more than 256 bytes"),
            Self::FirstPredecessor => f.write_str("transaction 1 states a predecessor"),
            Self::EmptyTreeRoot => f.write_str("an empty tree is stated with a root"),
        }
    }
}

impl core::error::Error for HeaderError {}

impl From<Infallible> for HeaderError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Only `extra` can make metadata longer than its buffer.
impl From<TooSmall> for HeaderError {
    fn from(_: TooSmall) -> Self {
        Self::ExtraTooLong
    }
}

/// An entry cannot be what it is said to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum EntryError {
    /// The metadata's bytes are not canonical.
    Metadata,
    /// Entries of a version 0 transaction have no metadata.
    MetadataInV0,
    /// A key has at most 65,535 bytes.
    KeyTooLong,
    /// A key-value entry deletes its key exactly if its metadata says `deleted`.
    Deleted,
    /// A key, a referenced key or a set's name has at least one byte.
    EmptyKey,
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Metadata => "the entry's metadata is not canonical",
            Self::MetadataInV0 => "entries of a version 0 transaction have no metadata",
            Self::KeyTooLong => "the key has more than 65,535 bytes",
            Self::Deleted => "entry and metadata disagree whether the entry deletes its key",
            Self::EmptyKey => "a key, a referenced key or a set's name is empty",
        })
    }
}

impl core::error::Error for EntryError {}
