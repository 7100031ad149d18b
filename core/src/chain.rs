//! Proofs along the chain of transaction hashes.
//!
//! From one transaction to the next, `Alh(k) = H(k u64 ‖ Alh(k − 1) ‖ inner(k))`: whoever knows
//! the inner hashes in between can walk from an [`Alh`] to a later one, a step a transaction.

use core::fmt;

use crate::digest::{Alh, Root, chain_hash};
use crate::error::{ChainError, TreeError};
use crate::number::{LeafIndex, TreeSize, TxId};
use crate::policy::ProofPolicy;
use crate::state::TrustedState;
use crate::tree::{check_inclusion_len, verify_inclusion};

/// The number and the hash of a transaction, as somebody claims them.
///
/// Written as `tx:alh`, in decimal and 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TxAlh {
    /// The transaction.
    pub tx: TxId,
    /// Its hash.
    pub alh: Alh,
}

impl fmt::Display for TxAlh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.tx, self.alh)
    }
}

/// Exactly what `Display` writes, as for a [`TrustedState`]: a claim that is read is still a claim.
#[cfg(feature = "hex")]
impl core::str::FromStr for TxAlh {
    type Err = crate::error::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<TrustedState>().map(Self::from)
    }
}

/// As a [`TrustedState`]: the text in human-readable formats, else the pair of number and hash.
#[cfg(feature = "serde")]
impl serde::Serialize for TxAlh {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        TrustedState { tx: self.tx, alh: self.alh }.serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for TxAlh {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TrustedState::deserialize(deserializer).map(Self::from)
    }
}

/// What is trusted can be claimed. There is no way back but to build a [`TrustedState`], which is
/// to say: to decide.
impl From<TrustedState> for TxAlh {
    fn from(state: TrustedState) -> Self {
        Self { tx: state.tx, alh: state.alh }
    }
}

/// A linear proof: the hash of `source` and the inner hashes after it up to `target`'s.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinearProof<'a> {
    /// Where it starts.
    pub source: TxId,
    /// Where it ends.
    pub target: TxId,
    /// First the [`Alh`] of `source`, then the inner hash of each transaction after it: exactly
    /// `target − source + 1` hashes.
    pub terms: &'a [[u8; 32]],
}

/// A linear-advance proof: that transactions which the tree was late to take in stand in it as
/// they stand in the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinearAdvanceProof<'a> {
    /// First the [`Alh`] of the transaction after `start`, then the inner hash of each one after
    /// it: exactly `end − start` hashes.
    pub terms: &'a [[u8; 32]],
    /// For each transaction after `start` and before `end` the path from its leaf to the root.
    pub inclusion: &'a [&'a [[u8; 32]]],
}

/// Two transactions of one chain. Only [`verify_linear`] makes one.
///
/// It is *not* a proof that either transaction is in the ledger of some state, and nothing
/// converts it into a [`VerifiedTx`](crate::VerifiedTx): a ledger's transactions are the leaves of
/// its tree, and a chain may disagree with the tree.
///
/// ```compile_fail
/// fn convert(link: counterfoil_core::ChainLink) -> counterfoil_core::VerifiedTx {
///     link.into()
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ChainLink {
    source: TxAlh,
    target: TxAlh,
}

impl ChainLink {
    /// The earlier transaction.
    pub const fn source(&self) -> TxAlh {
        self.source
    }

    /// The later transaction, or the same.
    pub const fn target(&self) -> TxAlh {
        self.target
    }
}

/// Checks that the chain leads from `source` to `target`.
///
/// ```text
/// a = terms[0] = Alh(source);  a = H(k u64 ‖ a ‖ terms[k − source])  for k = source + 1 … target
/// a = Alh(target)
/// ```
///
/// immudb 1.11.1 calls this `LinearProof`.
///
/// # What success proves
///
/// `target` commits to `source` through its predecessors. See [`ChainLink`] for what that is not.
///
/// # Cost
///
/// Two compressions of SHA-256 for each step, `target − source` of them.
///
/// # Errors
///
/// [`ChainError::Order`] unless 0 < source ≤ target; [`ChainError::Ids`] for a proof of other
/// transactions; [`ChainError::TermCount`], [`ChainError::TooLong`]: all before anything is hashed.
/// [`ChainError::FirstTerm`], [`ChainError::End`].
pub fn verify_linear(
    proof: &LinearProof<'_>,
    source: &TxAlh,
    target: &TxAlh,
    policy: ProofPolicy,
) -> Result<ChainLink, ChainError> {
    proof.check_counts(source.tx, target.tx, policy)?;
    let (first, inner) = proof.terms.split_first().ok_or(ChainError::FirstTerm)?;
    if first != source.alh.as_bytes() {
        return Err(ChainError::FirstTerm);
    }
    let mut tx = source.tx;
    let mut alh = *first;
    for inner in inner {
        tx = tx.next().ok_or(ChainError::Order)?;
        alh = chain_hash(tx, &alh, inner);
    }
    if alh != *target.alh.as_bytes() {
        return Err(ChainError::End);
    }
    Ok(ChainLink { source: *source, target: *target })
}

impl LinearProof<'_> {
    /// Everything that numbers decide.
    pub(crate) fn check_counts(
        &self,
        source: TxId,
        target: TxId,
        policy: ProofPolicy,
    ) -> Result<(), ChainError> {
        if source.get() == 0 {
            return Err(ChainError::Order);
        }
        let steps = target.get().checked_sub(source.get()).ok_or(ChainError::Order)?;
        if (self.source, self.target) != (source, target) {
            return Err(ChainError::Ids {
                expected: (source, target),
                found: (self.source, self.target),
            });
        }
        // source > 0, so there are fewer than 2^64 steps.
        check_term_count(self.terms.len(), steps.saturating_add(1), policy)
    }
}

/// Checks that the transactions after `start` and before `end` stand in the tree as they stand in
/// the chain that ends in `end`.
///
/// Where `end` is at most `start + 1` there is none, and `proof` must be `None`.
///
/// ```text
/// a = terms[0] = Alh(start + 1)
/// for k = start + 1 … end − 1:  a is leaf k − 1 of the tree, by inclusion[k − start − 1];
///                               a = H(k + 1 u64 ‖ a ‖ terms[k − start])
/// a = Alh(end)
/// ```
///
/// immudb 1.11.1 calls this `LinearAdvanceProof`.
///
/// # What success proves
///
/// The leaves between the two belong to the chain that ends in `end`. Not that `end` itself does:
/// that is for another part of the proof to show.
///
/// # Cost
///
/// For each transaction in between three compressions of SHA-256, leaf and step, and two for each
/// term of its path.
///
/// # Errors
///
/// [`ChainError::Order`] if `end` is before `start`; [`ChainError::Missing`],
/// [`ChainError::Unneeded`], [`ChainError::TermCount`], [`ChainError::PathCount`],
/// [`ChainError::TooLong`], and [`ChainError::Inclusion`] for a path of the wrong length: all
/// before anything is hashed. [`ChainError::Inclusion`], [`ChainError::End`].
pub fn verify_linear_advance(
    proof: Option<&LinearAdvanceProof<'_>>,
    start: TxId,
    end: &TxAlh,
    tree_size: TreeSize,
    tree_root: &Root,
    policy: ProofPolicy,
) -> Result<(), ChainError> {
    check_advance_counts(proof, start, end.tx, tree_size, policy)?;
    let Some(proof) = proof else { return Ok(()) };
    let (first, inner) = proof.terms.split_first().ok_or(ChainError::Missing)?;
    let mut alh = *first;
    let mut tx = start;
    for (path, inner) in proof.inclusion.iter().zip(inner) {
        tx = tx.next().ok_or(ChainError::Order)?;
        let index = leaf_index(tx, tree_size)?;
        verify_inclusion(&Alh::new(alh).leaf_hash(), index, tree_size, path, tree_root)
            .map_err(|error| ChainError::Inclusion { tx, error })?;
        alh = chain_hash(tx.next().ok_or(ChainError::Order)?, &alh, inner);
    }
    if alh == *end.alh.as_bytes() { Ok(()) } else { Err(ChainError::End) }
}

/// Everything that numbers decide, of a linear-advance proof.
pub(crate) fn check_advance_counts(
    proof: Option<&LinearAdvanceProof<'_>>,
    start: TxId,
    end: TxId,
    tree_size: TreeSize,
    policy: ProofPolicy,
) -> Result<(), ChainError> {
    let steps = end.get().checked_sub(start.get()).ok_or(ChainError::Order)?;
    let proof = match (steps, proof) {
        (0 | 1, None) => return Ok(()),
        (0 | 1, Some(_)) => return Err(ChainError::Unneeded),
        (_, None) => return Err(ChainError::Missing),
        (_, Some(proof)) => proof,
    };
    check_term_count(proof.terms.len(), steps, policy)?;
    let paths = steps.saturating_sub(1);
    if u64::try_from(proof.inclusion.len()) != Ok(paths) {
        return Err(ChainError::PathCount { expected: paths, found: proof.inclusion.len() });
    }
    let mut tx = start;
    for path in proof.inclusion {
        tx = tx.next().ok_or(ChainError::Order)?;
        check_inclusion_len(leaf_index(tx, tree_size)?, tree_size, path)
            .map_err(|error| ChainError::Inclusion { tx, error })?;
    }
    Ok(())
}

fn check_term_count(found: usize, expected: u64, policy: ProofPolicy) -> Result<(), ChainError> {
    if u64::try_from(found) != Ok(expected) {
        return Err(ChainError::TermCount { expected, found });
    }
    if found > policy.max_chain() {
        return Err(ChainError::TooLong { terms: found, limit: policy.max_chain() });
    }
    Ok(())
}

/// Transaction 0, which is none, has no leaf.
fn leaf_index(tx: TxId, size: TreeSize) -> Result<LeafIndex, ChainError> {
    let outside = TreeError::IndexOutOfRange { index: LeafIndex::new(u64::MAX), size };
    tx.leaf_index().ok_or(ChainError::Inclusion { tx, error: outside })
}
