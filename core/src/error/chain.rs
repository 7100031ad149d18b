//! Why a chain does not lead where it should.

use core::fmt;

use super::TreeError;
use crate::number::TxId;

/// A linear or a linear-advance proof does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ChainError {
    /// The transactions are in the wrong order, or the first is 0, which is none.
    Order,
    /// The proof is of other transactions.
    Ids {
        /// Where it starts.
        source: TxId,
        /// Where it ends.
        target: TxId,
    },
    /// The proof has not one term for each transaction.
    TermCount {
        /// How many terms there must be.
        expected: u64,
        /// How many there are.
        found: usize,
    },
    /// The proof is longer than the policy allows.
    TooLong {
        /// How many terms it has.
        terms: usize,
        /// How many are allowed: see
        /// [`ProofPolicy::with_max_chain`](crate::ProofPolicy::with_max_chain).
        limit: usize,
    },
    /// The first term is not the hash where the chain must start.
    FirstTerm,
    /// The chain ends in another hash.
    End,
    /// There is something to prove, and no proof.
    Missing,
    /// There is nothing to prove, and a proof.
    Unneeded,
    /// There is not one path for each transaction in between.
    PathCount {
        /// How many paths there must be.
        expected: u64,
        /// How many there are.
        found: usize,
    },
    /// A transaction of the chain is not shown to be in the tree.
    Inclusion {
        /// The transaction.
        tx: TxId,
        /// The step that failed.
        error: TreeError,
    },
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order => f.write_str("the transactions are not in order"),
            Self::Ids { source, target } => {
                write!(f, "it is of transactions {source} to {target}")
            }
            Self::TermCount { expected, found } => {
                write!(f, "it has {found} terms in place of {expected}")
            }
            Self::TooLong { terms, limit } => {
                write!(f, "it has {terms} terms, and the policy allows {limit}")
            }
            Self::FirstTerm => f.write_str("it starts with another hash"),
            Self::End => f.write_str("it ends in another hash"),
            Self::Missing => f.write_str("it is missing"),
            Self::Unneeded => f.write_str("it is there, and there is nothing to prove"),
            Self::PathCount { expected, found } => {
                write!(f, "it has {found} paths in place of {expected}")
            }
            Self::Inclusion { tx, error } => write!(f, "transaction {tx} in the tree: {error}"),
        }
    }
}

impl core::error::Error for ChainError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Inclusion { error, .. } => Some(error),
            _ => None,
        }
    }
}
