//! What does not hold in a receipt, and where.

use core::fmt;

use super::error::ReceiptError;
#[cfg(feature = "ed25519")]
use crate::checkpoint::CheckpointError;
#[cfg(feature = "p256")]
use crate::error::SignatureError;
use crate::error::{DualError, ProofError};
use crate::number::TxId;

/// What does not hold in a receipt, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Flaw {
    /// The bytes are no receipt.
    Format(ReceiptError),
    /// The events are in another table than the policy's.
    Table {
        /// The policy's.
        expected: u32,
        /// The receipt's.
        found: u32,
    },
    /// The ledger did not begin as the receipt says: the first transaction's hash is not the
    /// ledger's id.
    Genesis(ProofError),
    /// The state's header is not the state's.
    State(ProofError),
    /// A transaction is not shown to be in the state's ledger.
    Tx {
        /// The transaction.
        tx: TxId,
        /// Why.
        error: ProofError,
    },
    /// An event is not shown to be an entry of its transaction.
    Entry {
        /// The transaction.
        tx: TxId,
        /// The entry's place.
        entry: u32,
        /// Why.
        error: ProofError,
    },
    /// The event's writer claims to have seen its own transaction, or a later one.
    SeenTx {
        /// The transaction.
        tx: TxId,
        /// The entry's place.
        entry: u32,
    },
    /// The chain of transactions leads from this one to another one than the tree holds.
    Chain {
        /// The transaction.
        tx: TxId,
    },
    /// The earlier state is not shown to be one of the same ledger.
    Earlier(DualError),
    /// The later state is not shown to be one of the same ledger.
    Later(DualError),
    /// The receipt has another hash of this transaction than the policy: another history, or another
    /// ledger.
    Contradicts {
        /// The transaction.
        tx: TxId,
    },
    /// The signature names a key of the policy, and is not that key's over the state.
    #[cfg(feature = "p256")]
    Signature(SignatureError),
    /// A signature of the checkpoint bears the name and id of a key of the policy and is not that
    /// key's.
    #[cfg(feature = "ed25519")]
    Checkpoint(CheckpointError),
    /// What was shown as the event's payload is not what its commitment is to.
    Payload {
        /// The transaction.
        tx: TxId,
        /// The entry's place.
        entry: u32,
    },
}

impl Flaw {
    /// What does not hold, in one word that stays the same.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Format(_) => "format",
            Self::Table { .. } => "table",
            Self::Genesis(_) => "genesis",
            Self::State(_) => "state",
            Self::Tx { .. } => "transaction",
            Self::Entry { .. } => "entry",
            Self::SeenTx { .. } => "seen_tx",
            Self::Chain { .. } => "chain",
            Self::Earlier(_) => "earlier_state",
            Self::Later(_) => "later_state",
            Self::Contradicts { .. } => "contradicts_policy",
            #[cfg(feature = "p256")]
            Self::Signature(_) => "signature",
            #[cfg(feature = "ed25519")]
            Self::Checkpoint(_) => "checkpoint",
            Self::Payload { .. } => "payload",
        }
    }

    /// The transaction where it does not hold, if it is one's.
    pub const fn tx(&self) -> Option<TxId> {
        match self {
            Self::Tx { tx, .. }
            | Self::Entry { tx, .. }
            | Self::SeenTx { tx, .. }
            | Self::Chain { tx }
            | Self::Contradicts { tx }
            | Self::Payload { tx, .. } => Some(*tx),
            _ => None,
        }
    }

    /// The place of the entry in that transaction, if it is one's.
    pub const fn entry(&self) -> Option<u32> {
        match self {
            Self::Entry { entry, .. }
            | Self::SeenTx { entry, .. }
            | Self::Payload { entry, .. } => Some(*entry),
            _ => None,
        }
    }
}

impl From<ReceiptError> for Flaw {
    fn from(error: ReceiptError) -> Self {
        Self::Format(error)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(error) => error.fmt(f),
            Self::Table { expected, found } => {
                write!(f, "the events are in table {found}, not in table {expected}")
            }
            Self::Genesis(error) => write!(f, "the ledger did not begin so: {error}"),
            Self::State(error) => error.fmt(f),
            Self::Tx { tx, error } => write!(f, "transaction {tx}: {error}"),
            Self::Entry { tx, entry, error } => {
                write!(f, "transaction {tx}, entry {entry}: {error}")
            }
            Self::SeenTx { tx, entry } => write!(
                f,
                "transaction {tx}, entry {entry}: its writer claims to have seen this transaction"
            ),
            Self::Chain { tx } => {
                write!(f, "transaction {tx}: chain and tree have two histories before it")
            }
            Self::Earlier(error) => write!(f, "earlier state: {error}"),
            Self::Later(error) => write!(f, "later state: {error}"),
            Self::Contradicts { tx } => {
                write!(f, "transaction {tx}: the policy has another hash of it")
            }
            #[cfg(feature = "p256")]
            Self::Signature(error) => write!(f, "signature of the state: {error}"),
            #[cfg(feature = "ed25519")]
            Self::Checkpoint(error) => write!(f, "checkpoint: {error}"),
            Self::Payload { tx, entry } => {
                write!(f, "transaction {tx}, entry {entry}: another payload was committed to")
            }
        }
    }
}
