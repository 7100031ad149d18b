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
        /// Where it is to start and to end.
        expected: (TxId, TxId),
        /// Where it starts and ends.
        found: (TxId, TxId),
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
            Self::Ids { expected, found } => write!(
                f,
                "the chain is of transactions {} to {} in place of {} to {}",
                found.0, found.1, expected.0, expected.1
            ),
            Self::TermCount { expected, found } => {
                write!(f, "the chain has {found} terms in place of {expected}")
            }
            Self::TooLong { terms, limit } => write!(
                f,
                "the chain has {terms} terms, and the policy allows {limit} \
                 (ProofPolicy::with_max_chain)"
            ),
            Self::FirstTerm => f.write_str("the chain starts with another hash"),
            Self::End => f.write_str("the chain ends in another hash"),
            Self::Missing => f.write_str("the chain is missing"),
            Self::Unneeded => f.write_str("the chain must be absent here"),
            Self::PathCount { expected, found } => {
                write!(f, "the chain has {found} paths in place of {expected}")
            }
            Self::Inclusion { tx, error } => write!(f, "transaction {tx} in the tree: {error}"),
        }
    }
}

/// No `source`: the text above has the inner error's words already, for it is often all that is
/// printed, and a reporter that walks the sources would print them twice.
impl core::error::Error for ChainError {}
