//! Why a proof between two transactions does not hold.

use core::fmt;

use super::{ChainError, HeaderError, TreeError};
use crate::number::TxId;

/// A part of a dual proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Part {
    /// The source's header.
    SourceHeader,
    /// The target's header.
    TargetHeader,
    /// The path of the source in the target's tree.
    Inclusion,
    /// The consistency of the two trees.
    Consistency,
    /// The hash of the last leaf of the target's tree.
    TargetBlTxAlh,
    /// The path of that leaf.
    LastInclusion,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SourceHeader => "source header",
            Self::TargetHeader => "target header",
            Self::Inclusion => "inclusion",
            Self::Consistency => "consistency",
            Self::TargetBlTxAlh => "target_bl_tx_alh",
            Self::LastInclusion => "last inclusion",
        })
    }
}

/// A dual proof does not hold. The variants are the steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DualError {
    /// A header states something that no header can.
    Header {
        /// Which one.
        part: Part,
        /// What it states.
        error: HeaderError,
    },
    /// A header is another transaction's.
    HeaderTx {
        /// Which one.
        part: Part,
        /// The transaction asked for.
        expected: TxId,
        /// The header's.
        found: TxId,
    },
    /// A header has another hash than the one that is trusted or claimed.
    HeaderAlh {
        /// Which one.
        part: Part,
        /// Its transaction.
        tx: TxId,
    },
    /// The source is newer than the target.
    SourceAfterTarget {
        /// The source.
        source: TxId,
        /// The target.
        target: TxId,
    },
    /// Version 2 of the proof is for ledgers whose tree ends right before the transaction, and
    /// this header's does not.
    TreeLags(Part),
    /// Source and target are one transaction and have two hashes.
    TwoHashes,
    /// A part is there although there is nothing for it to prove.
    Unneeded(Part),
    /// The source is not shown to be in the target's tree.
    Inclusion(TreeError),
    /// The source's tree is not shown to be the beginning of the target's.
    Consistency(TreeError),
    /// `target_bl_tx_alh` is not shown to be the last leaf of the target's tree.
    LastInclusion(TreeError),
    /// The chain to the target does not hold.
    Linear(ChainError),
    /// The transactions that the tree was late to take in are not shown to be the chain's.
    LinearAdvance(ChainError),
    /// The last leaf of the target's tree, or of the source's, is not the transaction that the
    /// chain has there.
    LastLeaf {
        /// The transaction.
        tx: TxId,
        /// Whether [`ProofPolicy::legacy_untied`](crate::ProofPolicy::legacy_untied) would accept
        /// it.
        legacy: bool,
    },
    /// The proof cannot tie new leaves of a lagging tree to the chain: see
    /// [`ProofPolicy::legacy_untied`](crate::ProofPolicy::legacy_untied).
    Untied {
        /// The leaves of the transactions after this one …
        after: TxId,
        /// … up to this one.
        up_to: TxId,
    },
}

impl fmt::Display for DualError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { part, error } => write!(f, "{part}: {error}"),
            Self::HeaderTx { part, expected, found } => {
                write!(f, "{part}: of transaction {found} in place of {expected}")
            }
            Self::HeaderAlh { part, tx } => {
                write!(f, "{part}: its hash is not the one trusted or claimed for transaction {tx}")
            }
            Self::SourceAfterTarget { source, target } => {
                write!(f, "the source {source} is newer than the target {target}")
            }
            Self::TreeLags(part) => {
                write!(f, "{part}: its tree lags, which takes version 1 of the proof")
            }
            Self::TwoHashes => f.write_str("source and target are one transaction with two hashes"),
            Self::Unneeded(part) => write!(f, "{part}: must be empty here"),
            Self::Inclusion(error) => write!(f, "inclusion: {error}"),
            Self::Consistency(error) => write!(f, "consistency: {error}"),
            Self::LastInclusion(error) => write!(f, "last inclusion: {error}"),
            Self::Linear(error) => write!(f, "linear proof: {error}"),
            Self::LinearAdvance(error) => write!(f, "linear-advance proof: {error}"),
            Self::LastLeaf { tx, legacy } => {
                write!(f, "last leaf of the tree: transaction {tx} is another one in the chain")?;
                if *legacy {
                    f.write_str(", which only ProofPolicy::legacy_untied accepts")?;
                }
                Ok(())
            }
            Self::Untied { after, up_to } => write!(
                f,
                "the tree lags, and nothing ties its leaves after transaction {after} up to \
                 {up_to} to the chain, which only ProofPolicy::legacy_untied accepts"
            ),
        }
    }
}

/// No `source`: the text above has the inner error's words already, for it is often all that is
/// printed, and a reporter that walks the sources would print them twice.
impl core::error::Error for DualError {}
