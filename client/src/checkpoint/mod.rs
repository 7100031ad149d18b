//! The ledger as a C2SP transparency log: checkpoints, who signs them, who has seen them.
//!
//! | | |
//! |---|---|
//! | [`LogSigner`] with [`EventStore::sign_checkpoint`] | makes the log's checkpoints, each a continuation of the last |
//! | `EventStore::ask_witnesses` (feature `witness`) | has others cosign one |
//! | [`Cosigner`] | cosigns for a log of somebody else's |
//! | [`EventStore::tlog_proof`] | shows that a transaction is in a checkpointed log |
//! | [`EventStore::log_tree`], [`EventStore::log_consistency`] | the log's tree, and proofs over it |
//!
//! The formats themselves are in [`core::checkpoint`](counterfoil_core::checkpoint): what is read
//! here is read by that, and what is written here that reads back.
//!
//! [`EventStore::sign_checkpoint`]: crate::EventStore::sign_checkpoint
//! [`EventStore::tlog_proof`]: crate::EventStore::tlog_proof
//! [`EventStore::log_tree`]: crate::EventStore::log_tree
//! [`EventStore::log_consistency`]: crate::EventStore::log_consistency

mod answer;
mod cosigner;
mod last;
mod log;
mod note;
mod proof;
mod refusal;
mod request;
mod tree;
#[cfg(feature = "witness")]
mod witness;

use counterfoil_core::Alh;

pub use self::answer::{WitnessProblem, WitnessReply, WitnessSays};
pub use self::cosigner::{Cosignature, Cosigner};
pub use self::log::LogSigner;
pub use self::note::SignedCheckpoint;
pub use self::proof::IssuedTlogProof;
pub use self::refusal::CheckpointRefusal;
pub use self::request::AddCheckpoint;
pub use self::tree::LogTree;
#[cfg(feature = "witness")]
pub use self::witness::{Answer, Asked, Witness, Witnessed};

/// The origin of a ledger's log unless somebody names another: `counterfoil/` and the ledger's id in
/// 64 hex digits. All of them: of a shorter name two ledgers can be made.
pub fn default_origin(ledger: Alh) -> String {
    format!("counterfoil/{ledger}")
}
