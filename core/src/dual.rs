//! Proofs between two transactions of a ledger: that the later one's state extends the earlier
//! one's.
//!
//! Source S and target T each state a tree in their headers. Version 1 of the proof is for any
//! ledger, also one whose tree lags behind its chain; version 2 is for trees that do not lag and
//! needs no part of the chain.
//!
//! ```text
//!    tree of S                                             tree of T
//!    ├──────────────┤                                      ├─────────────────────────┤
//!    1 …  S.bl_tx_id … S                                   1 …  S  …  T.bl_tx_id … T
//!         consistency: the old tree is a prefix of the new one
//!         linear advance: what lies between S.bl_tx_id and S is in the new tree as in the chain
//!         inclusion: S is in the new tree
//!         last inclusion: target_bl_tx_alh is the new tree's last leaf
//!         linear: the chain leads from that last leaf to T
//! ```
//!
//! Where S lies beyond T's tree, the chain leads from S itself to T, and the linear advance ends
//! in the tree's last leaf.

mod ties;

use crate::chain::{
    LinearAdvanceProof, LinearProof, TxAlh, check_advance_counts, verify_linear,
    verify_linear_advance,
};
use crate::digest::{Alh, LeafHash, Root};
use crate::error::{DualError, Part, TreeError};
use crate::header::Header;
use crate::number::{LeafIndex, TreeSize, TxId};
use crate::policy::ProofPolicy;
use crate::tree::{
    Both, Pending, both_hold, check_consistency_immudb_len, check_inclusion_len, settle,
};

/// A dual proof, version 1 (immudb 1.11.1: `DualProof`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DualProof<'a> {
    /// The header of S.
    pub source_header: Header<'a>,
    /// The header of T.
    pub target_header: Header<'a>,
    /// The path of S in T's tree; empty unless S is before `T.bl_tx_id`.
    pub inclusion: &'a [[u8; 32]],
    /// From S's tree to T's in immudb's form; empty where S has no tree.
    pub consistency: &'a [[u8; 32]],
    /// The hash of transaction `T.bl_tx_id`; zero where T has no tree.
    pub target_bl_tx_alh: Alh,
    /// The path of that last leaf in T's tree; empty where T has no tree.
    pub last_inclusion: &'a [[u8; 32]],
    /// The chain to T: from `T.bl_tx_id`, or from S if that is not before it.
    pub linear: LinearProof<'a>,
    /// The chain from `S.bl_tx_id` to S, or to `T.bl_tx_id` if S is not before it; `None` where
    /// nothing lies in between.
    pub linear_advance: Option<LinearAdvanceProof<'a>>,
}

/// A dual proof, version 2 (immudb 1.11.1: `DualProofV2`): for ledgers whose tree does not lag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DualProofV2<'a> {
    /// The header of S.
    pub source_header: Header<'a>,
    /// The header of T.
    pub target_header: Header<'a>,
    /// The path of S in T's tree; empty where S is T.
    pub inclusion: &'a [[u8; 32]],
    /// From S's tree to T's in immudb's form, for S = 1 from the tree of S alone; empty where S
    /// is T.
    pub consistency: &'a [[u8; 32]],
}

/// The hashes of source and target, computed from their headers and equal to what was asked.
pub(crate) struct Ends {
    pub(crate) source: TxAlh,
    pub(crate) target: TxAlh,
}

impl DualProof<'_> {
    /// Checks the whole proof, for the transaction numbers asked for. The caller has
    /// checked the counts, and compared the hashes in `ends` with what it trusts.
    pub(crate) fn check(&self, ends: &Ends, policy: ProofPolicy) -> Result<(), DualError> {
        let Ends { source, target } = ends;
        let (s, t) = (&self.source_header, &self.target_header);
        let tree = t.bl_tx_id.tree_size();
        let last = TxAlh { tx: t.bl_tx_id, alh: self.target_bl_tx_alh };
        ties::last_leaf(s, t, source, last.alh, policy)?;

        let mut checks = Checks::default();
        if source.tx < t.bl_tx_id {
            checks.inclusion(source.tx, &source.alh.leaf_hash(), t, self.inclusion)?;
        }
        if s.bl_tx_id.get() > 0 {
            checks.consistency(s.bl_tx_id.tree_size(), &s.bl_root, t, self.consistency)?;
        }
        if t.bl_tx_id.get() > 0 {
            let leaf = last.alh.leaf_hash();
            let last = Pending::last_inclusion(&leaf, tree, self.last_inclusion, &t.bl_root);
            checks.last_inclusion = Some(last.map_err(DualError::LastInclusion)?);
        }
        checks.settle()?;

        let (start_of_chain, end_of_advance) =
            if source.tx < t.bl_tx_id { (&last, source) } else { (source, &last) };
        verify_linear(&self.linear, start_of_chain, target, policy).map_err(DualError::Linear)?;
        verify_linear_advance(
            self.linear_advance.as_ref(),
            s.bl_tx_id,
            end_of_advance,
            tree,
            &t.bl_root,
            policy,
        )
        .map_err(DualError::LinearAdvance)?;
        ties::older_tree(s, t, self.consistency, policy)
    }

    /// What numbers decide, before anything is hashed.
    pub(crate) fn check_counts(
        &self,
        source: TxId,
        target: TxId,
        policy: ProofPolicy,
    ) -> Result<(), DualError> {
        let (s, t) = (&self.source_header, &self.target_header);
        check_headers(s, t, source, target)?;
        let tree = t.bl_tx_id.tree_size();
        if source < t.bl_tx_id {
            check_inclusion_len(leaf_index(source), tree, self.inclusion)
                .map_err(DualError::Inclusion)?;
        } else {
            none(self.inclusion, Part::Inclusion)?;
        }
        if s.bl_tx_id.get() > 0 {
            check_consistency_immudb_len(s.bl_tx_id.tree_size(), tree, self.consistency)
                .map_err(DualError::Consistency)?;
        } else {
            none(self.consistency, Part::Consistency)?;
        }
        if t.bl_tx_id.get() > 0 {
            check_inclusion_len(leaf_index(t.bl_tx_id), tree, self.last_inclusion)
                .map_err(DualError::LastInclusion)?;
        } else {
            none(self.last_inclusion, Part::LastInclusion)?;
            if self.target_bl_tx_alh != Alh::ZERO {
                return Err(DualError::Unneeded(Part::TargetBlTxAlh));
            }
        }
        let start_of_chain = source.max(t.bl_tx_id);
        self.linear.check_counts(start_of_chain, target, policy).map_err(DualError::Linear)?;
        let end_of_advance = source.min(t.bl_tx_id);
        check_advance_counts(self.linear_advance.as_ref(), s.bl_tx_id, end_of_advance, tree, policy)
            .map_err(DualError::LinearAdvance)
    }
}

/// A [`DualProofV2`], wherever its headers are.
#[derive(Clone, Copy)]
pub(crate) struct ProofV2<'a> {
    pub(crate) source_header: &'a Header<'a>,
    pub(crate) target_header: &'a Header<'a>,
    pub(crate) inclusion: &'a [[u8; 32]],
    pub(crate) consistency: &'a [[u8; 32]],
}

impl DualProofV2<'_> {
    pub(crate) const fn borrowed(&self) -> ProofV2<'_> {
        let Self { source_header, target_header, inclusion, consistency } = self;
        ProofV2 { source_header, target_header, inclusion, consistency }
    }
}

impl ProofV2<'_> {
    /// The checks that need a hash.
    pub(crate) fn check(&self, ends: &Ends, policy: ProofPolicy) -> Result<(), DualError> {
        let Ends { source, target } = ends;
        let (s, t) = (self.source_header, self.target_header);
        if source.tx == target.tx {
            return if source.alh == target.alh { Ok(()) } else { Err(DualError::TwoHashes) };
        }
        ties::source_before_target(source, t, policy)?;
        let leaf = source.alh.leaf_hash();
        let first = leaf.to_root();
        let old_root = if source.tx.get() == 1 { &first } else { &s.bl_root };
        let mut checks = Checks::default();
        checks.inclusion(source.tx, &leaf, t, self.inclusion)?;
        checks.consistency(self.old_tree(source.tx), old_root, t, self.consistency)?;
        checks.settle()?;
        ties::older_tree(s, t, self.consistency, policy)?;
        ties::newer_tree(leaf_index(source.tx), t, self.inclusion, policy)
    }

    /// Everything that can be refused without a hash.
    pub(crate) fn check_counts(&self, source: TxId, target: TxId) -> Result<(), DualError> {
        let (s, t) = (self.source_header, self.target_header);
        check_headers(s, t, source, target)?;
        for (header, part) in [(s, Part::SourceHeader), (t, Part::TargetHeader)] {
            if header.bl_tx_id.next() != Some(header.id) {
                return Err(DualError::TreeLags(part));
            }
        }
        if source == target {
            none(self.inclusion, Part::Inclusion)?;
            return none(self.consistency, Part::Consistency);
        }
        let tree = t.bl_tx_id.tree_size();
        check_inclusion_len(leaf_index(source), tree, self.inclusion)
            .map_err(DualError::Inclusion)?;
        check_consistency_immudb_len(self.old_tree(source), tree, self.consistency)
            .map_err(DualError::Consistency)
    }

    /// The older tree: S's own, or where S is transaction 1 and has none, that of S alone.
    fn old_tree(&self, source: TxId) -> TreeSize {
        match source.get() {
            1 => TreeSize::new(1),
            _ => self.source_header.bl_tx_id.tree_size(),
        }
    }
}

/// What a proof shows in T's tree, as far as there is something to show.
#[derive(Default)]
struct Checks<'p> {
    inclusion: Option<Pending<'p>>,
    older: Option<Pending<'p>>,
    newer: Option<Pending<'p>>,
    last_inclusion: Option<Pending<'p>>,
}

impl<'p> Checks<'p> {
    fn inclusion(
        &mut self,
        source: TxId,
        leaf: &LeafHash,
        t: &'p Header<'_>,
        path: &'p [[u8; 32]],
    ) -> Result<(), DualError> {
        let (index, size) = (leaf_index(source), t.bl_tx_id.tree_size());
        let inclusion = Pending::inclusion(leaf, index, size, path.into(), t.bl_root.as_bytes());
        self.inclusion = Some(inclusion.map_err(DualError::Inclusion)?);
        Ok(())
    }

    fn consistency(
        &mut self,
        old: TreeSize,
        old_root: &'p Root,
        t: &'p Header<'_>,
        path: &'p [[u8; 32]],
    ) -> Result<(), DualError> {
        let both = Both::immudb(old, old_root, t.bl_tx_id.tree_size(), &t.bl_root, path);
        let Both { older, newer } = both.map_err(DualError::Consistency)?;
        (self.older, self.newer) = (older, newer);
        Ok(())
    }

    fn settle(&mut self) -> Result<(), DualError> {
        let Self { inclusion, older, newer, last_inclusion } = self;
        let (included, older, newer, last) = if newer.is_some() {
            // The two long climbs together, then the two short ones.
            let (included, newer) = settle(inclusion, newer);
            let (last, older) = settle(last_inclusion, older);
            (included, older, newer, last)
        } else {
            let (included, last) = settle(inclusion, last_inclusion);
            (included, true, true, last)
        };
        if !included {
            return Err(DualError::Inclusion(TreeError::RootMismatch));
        }
        both_hold(older, newer).map_err(DualError::Consistency)?;
        if last { Ok(()) } else { Err(DualError::LastInclusion(TreeError::RootMismatch)) }
    }
}

/// The headers are those of the transactions asked for, in order, and state what headers can.
fn check_headers(
    source_header: &Header<'_>,
    target_header: &Header<'_>,
    source: TxId,
    target: TxId,
) -> Result<(), DualError> {
    for (header, id, part) in
        [(source_header, source, Part::SourceHeader), (target_header, target, Part::TargetHeader)]
    {
        if header.id != id {
            return Err(DualError::HeaderTx { part, expected: id, found: header.id });
        }
        header.check_numbers().map_err(|error| DualError::Header { part, error })?;
    }
    if source > target {
        return Err(DualError::SourceAfterTarget { source, target });
    }
    Ok(())
}

/// The hash of a header of the proof.
pub(crate) fn hash(header: &Header<'_>, part: Part) -> Result<TxAlh, DualError> {
    let alh = header.alh().map_err(|error| DualError::Header { part, error })?;
    Ok(TxAlh { tx: header.id, alh })
}

/// A part that proves nothing here must not be there.
fn none(terms: &[[u8; 32]], part: Part) -> Result<(), DualError> {
    if terms.is_empty() { Ok(()) } else { Err(DualError::Unneeded(part)) }
}

/// Transaction 0 is none: its place is outside every tree.
fn leaf_index(tx: TxId) -> LeafIndex {
    tx.leaf_index().unwrap_or(LeafIndex::new(u64::MAX))
}
