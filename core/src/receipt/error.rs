//! Why bytes are not a receipt.

use core::fmt;

use crate::checkpoint::NoteError;
use crate::error::HeaderError;
use crate::wire::TooSmall;

/// Bytes are not a receipt: what is wrong, and at which byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReceiptError {
    /// What is wrong.
    pub kind: ReceiptErrorKind,
    /// How many bytes lie before the place, from the receipt's (or the body's) beginning.
    pub at: usize,
}

/// What is wrong with the bytes of a receipt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ReceiptErrorKind {
    /// They do not begin as a receipt does.
    NotReceipt,
    /// A receipt of a version that this code does not know.
    UnknownVersion {
        /// The version.
        version: u8,
    },
    /// They end too early.
    Truncated,
    /// Bytes follow where nothing follows.
    TrailingBytes,
    /// A number is written with more bytes than it takes.
    NotMinimal,
    /// A number, a length or the whole is greater than the format allows.
    TooLarge,
    /// A text is not UTF-8.
    Utf8,
    /// The table's number is 0.
    TableZero,
    /// The table is proved in a way that this version does not know.
    UnknownTableProof {
        /// The number of that way.
        form: u8,
    },
    /// A header is none.
    Header(HeaderError),
    /// A list of transactions or events is empty.
    Empty,
    /// Transactions, entries or parts do not rise.
    Order,
    /// A transaction is newer than the state.
    NewerThanState,
    /// The state is not newer than the one that it is to extend, or not older than the one that is to
    /// extend it.
    LinkOrder,
    /// A part of a kind that this version does not know.
    UnknownPart {
        /// The kind.
        kind: u8,
    },
    /// The checkpoint is none.
    Checkpoint(NoteError),
    /// The checkpoint is not one of the state's tree. Only when one is put in.
    OtherCheckpoint,
    /// The body of an event has a format that this version does not know.
    UnknownBody,
    /// The body of an event breaks a rule.
    Body(BodyRule),
    /// The bytes were damaged, or some of them lost, since the receipt was written. Compared right
    /// after magic, version and size.
    Damaged,
    /// Paths in one tree that contradict each other cannot be written.
    PathsDiffer,
    /// The buffer is too small for the receipt.
    BufferTooSmall,
}

/// A rule of `docs/format.md` §3 for the body of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BodyRule {
    /// The domain has 1 to 64 bytes.
    Domain,
    /// The edition has at most 64 bytes, and the main one is empty.
    Edition,
    /// The number of the event is below 2^63.
    EventNumber,
    /// Names of metadata rise.
    Metadata,
    /// The payload is content or a commitment.
    Payload,
    /// The first event of a stream has no previous one.
    PrevEvent,
    /// What the writer had seen is below 2^63.
    SeenTx,
    /// The place in the append is below the number of its events.
    AppendIndex,
    /// There is an author or none.
    Author,
}

impl fmt::Display for ReceiptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}", self.at, self.kind)
    }
}

impl core::error::Error for ReceiptError {}

impl fmt::Display for ReceiptErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotReceipt => "not a receipt",
            Self::UnknownVersion { version } => {
                return write!(f, "a receipt of the unknown version {version}");
            }
            Self::Truncated => "the receipt ends too early",
            Self::TrailingBytes => "bytes follow where nothing may follow",
            Self::NotMinimal => "a number takes more bytes than it needs",
            Self::TooLarge => "a number or a length is too large",
            Self::Utf8 => "a text is not UTF-8",
            Self::TableZero => "the table's number is 0",
            Self::UnknownTableProof { form } => {
                return write!(f, "the table is proved in the unknown way {form}");
            }
            Self::Header(error) => return write!(f, "header: {error}"),
            Self::Empty => "an empty list",
            Self::Order => "a list does not rise",
            Self::NewerThanState => "a transaction is newer than the state",
            Self::LinkOrder => "the other state is on the wrong side of the receipt's",
            Self::UnknownPart { kind } => return write!(f, "a part of the unknown kind {kind}"),
            Self::Checkpoint(error) => return write!(f, "checkpoint: {error}"),
            Self::OtherCheckpoint => "the checkpoint is not one of the state's tree",
            Self::UnknownBody => "the event's body has an unknown format",
            Self::Body(rule) => return write!(f, "the event's body: {rule}"),
            Self::Damaged => "the receipt was damaged since it was written",
            Self::PathsDiffer => "two paths in one tree contradict each other",
            Self::BufferTooSmall => "the buffer is too small",
        })
    }
}

impl fmt::Display for BodyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Domain => "the domain is empty or too long",
            Self::Edition => "the edition is too long or not canonical",
            Self::EventNumber => "the event's number is too large",
            Self::Metadata => "the names of metadata do not rise",
            Self::Payload => "the payload is neither content nor commitment",
            Self::PrevEvent => "the first event of a stream names a previous one",
            Self::SeenTx => "the seen transaction's number is too large",
            Self::AppendIndex => "the place in the append is not below the number of its events",
            Self::Author => "the author is neither there nor not",
        })
    }
}

/// Where in the buffer does not matter.
impl From<TooSmall> for ReceiptError {
    fn from(_: TooSmall) -> Self {
        Self { kind: ReceiptErrorKind::BufferTooSmall, at: 0 }
    }
}
