//! Why a note is refused, and why it is not trusted.

use core::fmt;

#[cfg(feature = "ed25519")]
use super::name::KeyId;
#[cfg(feature = "ed25519")]
use crate::ed25519::Ed25519Error;
#[cfg(feature = "ed25519")]
use crate::error::TreeError;

/// Bytes are not a note, a checkpoint or a proof, in their one form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NoteError {
    /// More bytes than the limit.
    TooLarge,
    /// Not UTF-8, or a control character other than newline.
    Text,
    /// No empty line with signatures behind it.
    Unsigned,
    /// A line behind the last empty one is no signature line.
    SignatureLine,
    /// More signatures than the limit.
    TooManySignatures,
    /// Not the name of a key.
    Name,
    /// A cosignature's time is above 2^63 − 1.
    Time,
    /// The second line of a checkpoint is no number in its one form.
    Size,
    /// The third line of a checkpoint is not 32 bytes in their one form.
    Root,
    /// A log of no leaves has another root than `H("")`.
    EmptyTree,
    /// A line behind the third one is empty, or does not end.
    Extension,
    /// Not laid out as a proof of a transaction.
    Proof,
    /// The index is no number in its one form.
    Index,
    /// A term of the path is not 32 bytes in their one form, or there are too many.
    Path,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "more bytes than a note may have",
            Self::Text => "not UTF-8 without control characters",
            Self::Unsigned => "no signatures behind an empty line",
            Self::SignatureLine => "a line behind the last empty one is no signature",
            Self::TooManySignatures => "more signatures than a note may have",
            Self::Name => "not the name of a key",
            Self::Time => "the time of a cosignature is too late",
            Self::Size => "the second line is not the size of a log",
            Self::Root => "the third line is not the root of a log",
            Self::EmptyTree => "a log of no leaves with another root than the empty tree's",
            Self::Extension => "a further line is empty or does not end",
            Self::Proof => "not a proof of c2sp.org/tlog-proof@v1",
            Self::Index => "the index is not a number in its one form",
            Self::Path => "the path is not one of up to 64 hashes",
        })
    }
}

impl core::error::Error for NoteError {}

/// Text is not a verifier key of the type that is asked for.
#[cfg(feature = "ed25519")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// Not `name+id+base64`.
    Form,
    /// The name is none.
    Name,
    /// A key of another type: a log's is `01`, a witness's `04`, Ed25519 both. Other types are not
    /// known here.
    Type {
        /// The type's byte.
        found: u8,
    },
    /// The bytes behind the type are no key.
    Key(Ed25519Error),
    /// The id is not that of name, type and key.
    Id {
        /// Theirs.
        expected: KeyId,
    },
}

#[cfg(feature = "ed25519")]
impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("not a verifier key, name+id+base64"),
            Self::Name => f.write_str("the name of the key is none"),
            Self::Type { found } => write!(f, "a key of type {found:02x} has no use here"),
            Self::Key(error) => error.fmt(f),
            Self::Id { expected } => write!(f, "the id of this name and key is {expected}"),
        }
    }
}

#[cfg(feature = "ed25519")]
impl core::error::Error for KeyError {}

/// Logs, witnesses and groups do not make a policy.
#[cfg(feature = "ed25519")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum QuorumError {
    /// No log: nothing could ever be signed.
    NoLog,
    /// The same key twice, of logs, of witnesses, or of one of each: one party would count for two.
    DuplicateKey,
    /// Two keys of the same name and id: a signature could not tell which of them it is by.
    SameId,
    /// More than 64 witnesses or 64 groups.
    TooMany,
    /// A group asks for none of its members, or for more than it has.
    Threshold {
        /// Which group, from 0.
        group: usize,
    },
    /// A group, or the quorum, names what is not there, or a group names itself or one behind it.
    Unknown,
    /// A witness or a group is a member twice: it would count twice.
    DuplicateMember,
}

#[cfg(feature = "ed25519")]
impl fmt::Display for QuorumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLog => "no log is named",
            Self::DuplicateKey => "the same key is there twice",
            Self::SameId => "two keys have the same name and id",
            Self::TooMany => "more than 64 witnesses or groups",
            Self::Threshold { group } => {
                return write!(f, "group {group} asks for no member, or for more than it has");
            }
            Self::Unknown => "a member that is not defined before its group",
            Self::DuplicateMember => "a witness or group is a member twice",
        })
    }
}

#[cfg(feature = "ed25519")]
impl core::error::Error for QuorumError {}

/// A checkpoint, or what is said under it, is not shown.
#[cfg(feature = "ed25519")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The note's text is no checkpoint.
    Form(NoteError),
    /// A signature bears the name and id of a known key and is not that key's over this checkpoint.
    Signature {
        /// Which signature, from 0.
        index: usize,
    },
    /// None of the policy's logs of this origin has signed.
    NoLogSignature,
    /// A log has signed, and fewer witnesses than the quorum asks for.
    Quorum {
        /// How many of the quorum's witnesses have cosigned.
        signed: u8,
        /// How many it has.
        of: u8,
    },
    /// The transaction is not shown to be in the checkpointed log.
    Inclusion(TreeError),
    /// The number is no transaction's.
    TxZero,
}

#[cfg(feature = "ed25519")]
impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(error) => error.fmt(f),
            Self::Signature { index } => {
                write!(f, "signature {index} is not that of the key whose name and id it bears")
            }
            Self::NoLogSignature => f.write_str("no known log has signed the checkpoint"),
            Self::Quorum { signed, of } => {
                write!(f, "only {signed} of {of} witnesses have cosigned the checkpoint")
            }
            Self::Inclusion(error) => write!(f, "transaction in the log: {error}"),
            Self::TxZero => f.write_str("there is no transaction 0"),
        }
    }
}

#[cfg(feature = "ed25519")]
impl core::error::Error for CheckpointError {}

#[cfg(feature = "ed25519")]
impl From<NoteError> for CheckpointError {
    fn from(error: NoteError) -> Self {
        Self::Form(error)
    }
}
