//! Why a checkpoint is not made, signed or cosigned, though the ledger is not found wrong.

use std::path::PathBuf;

use counterfoil_core::checkpoint::NoteError;
use counterfoil_core::{Alh, TreeSize, TxId};

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointRefusal {
    /// The file that says what was signed last is not there.
    #[error(
        "{path} is not there, which says what was signed last: nothing is signed without it. Put it \
         back, or go on with that of the log's earlier key (--last); only if nothing was ever signed \
         for this log, by any key, begin it (--first)"
    )]
    NotBegun {
        /// The file.
        path: PathBuf,
    },
    /// The log was to begin, and the file says that something was signed.
    #[error(
        "{path} says that a checkpoint of size {last} was signed: this log has begun, go on with it \
         (without --first)"
    )]
    Begun {
        /// The file.
        path: PathBuf,
        /// The last one's size.
        last: TreeSize,
    },
    /// The file that says what was signed last says nothing.
    #[error(
        "{path}, which says what was signed last, is damaged ({what}): nothing is signed; put it back"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// It is about another log.
    #[error("this is a checkpoint of {found}, not of {expected}")]
    OtherOrigin {
        /// The log that was expected.
        expected: String,
        /// The log found.
        found: String,
    },
    /// The log's name holds the id of another ledger.
    #[error(
        "{origin} is the log of another ledger: this one is {ledger}. Give the log its own name \
         (counterfoil/ and the ledger's id), or one without an id in it"
    )]
    OtherLedger {
        /// The log's name.
        origin: String,
        /// This ledger's id.
        ledger: Alh,
    },
    /// A larger tree was signed before: a log only grows.
    #[error(
        "a checkpoint of size {last} was signed already: none of size {asked} is signed any more"
    )]
    Smaller {
        /// The last one.
        last: TreeSize,
        /// The one asked for.
        asked: TreeSize,
    },
    /// Entries of the ledger are not known to this store.
    #[error(
        "{gaps} transactions are not accounted for, the first is {first}: a log is signed only by \
         who has accounted for all of it. See EventStore::findings, or try EventStore::reexamine"
    )]
    NotAccountedFor {
        /// How many transactions.
        gaps: u64,
        /// The first of them.
        first: TxId,
    },
    /// The newest header commits to a tree that lags too far behind it, as those of old ledgers may.
    #[error(
        "the header of transaction {tx} commits to the tree of the first {covered} only: nothing is signed \
         before a later one commits to more"
    )]
    TreeLags {
        /// The newest transaction.
        tx: TxId,
        /// The last one in its tree.
        covered: TxId,
    },
    /// No checkpoint is made of an empty log, and no proof is about its leaves.
    #[error("a log of size 0 has nothing to say")]
    Empty,
    /// The transaction came after the checkpoint.
    #[error("transaction {tx} is not in a log of size {size}")]
    NotInTree {
        /// The transaction.
        tx: TxId,
        /// The checkpoint's size.
        size: TreeSize,
    },
    /// A witness is told that it cosigned another tree last than it did.
    #[error("the request continues size {old}, but the last one that was cosigned is {last}")]
    Stale {
        /// What the request says.
        old: TreeSize,
        /// What is true.
        last: TreeSize,
    },
    /// The bytes are no note, no checkpoint or no request.
    #[error("it is not a checkpoint: {0}")]
    Form(#[from] NoteError),
    /// The bytes are no request to a witness.
    #[error("it is not a request to a witness: {0}")]
    Request(&'static str),
    /// The key is known for another purpose already: to sign events, or another's signatures.
    #[error(
        "{key} is {other} too, and one key is for one purpose: make another (counterfoil checkpoint keygen)"
    )]
    SecondPurpose {
        /// What it was to be.
        key: &'static str,
        /// What it is.
        other: String,
    },
    /// The machine's clock stands before 1970.
    #[error("this machine's clock is wrong: nothing is cosigned without a time")]
    Clock,
}
