//! Where a proof names a transaction twice, by the chain and as a leaf of a tree, the two agree.
//!
//! A header names its predecessor. Of a tree the last leaf is that predecessor where the tree does
//! not lag, and a proof shows a leaf wherever a term of it is over that leaf alone. (Further in,
//! the chain names nothing that a proof shows but what its own parts tie.)

use crate::chain::TxAlh;
use crate::digest::Alh;
use crate::error::DualError;
use crate::header::Header;
use crate::number::{LeafIndex, TxId};
use crate::policy::ProofPolicy;

/// Version 1, where T's tree has a last leaf and the proof says which: it is a transaction of the
/// chain.
pub(super) fn last_leaf(
    s: &Header<'_>,
    t: &Header<'_>,
    source: &TxAlh,
    last: Alh,
    policy: ProofPolicy,
) -> Result<(), DualError> {
    if t.bl_tx_id.get() == 0 {
        return Ok(());
    }
    if t.bl_tx_id == source.tx && last != source.alh {
        return Err(DualError::LastLeaf { tx: t.bl_tx_id, legacy: false });
    }
    if !policy.ties() {
        return Ok(());
    }
    if t.bl_tx_id.next() == Some(t.id) && last != t.prev_alh {
        return Err(another(t.bl_tx_id));
    }
    // The same of S, also where S's own tree had that leaf already.
    if t.bl_tx_id.next() == Some(source.tx) && last != s.prev_alh {
        return Err(another(t.bl_tx_id));
    }
    // S lies beyond T's tree, and the tree has leaves that S's tree had not. The linear advance
    // ties them to its last leaf, and that to the chain only if it is S's predecessor.
    if s.bl_tx_id < t.bl_tx_id && t.bl_tx_id.next() < Some(source.tx) {
        return Err(DualError::Untied { after: s.bl_tx_id, up_to: t.bl_tx_id });
    }
    Ok(())
}

/// Version 2, where T's tree ends with S: S is T's predecessor.
pub(super) fn source_before_target(
    source: &TxAlh,
    t: &Header<'_>,
    policy: ProofPolicy,
) -> Result<(), DualError> {
    if policy.ties() && t.bl_tx_id == source.tx && t.prev_alh != source.alh {
        return Err(another(source.tx));
    }
    Ok(())
}

/// Where S's tree ends right before S, its last leaf is S's predecessor. A tree of odd size ends
/// with a leaf alone, and with that a consistency path to a larger tree begins. (One of even size
/// shows no last leaf.)
pub(super) fn older_tree(
    s: &Header<'_>,
    t: &Header<'_>,
    consistency: &[[u8; 32]],
    policy: ProofPolicy,
) -> Result<(), DualError> {
    let shown =
        s.bl_tx_id.next() == Some(s.id) && s.bl_tx_id.get() & 1 == 1 && s.bl_tx_id < t.bl_tx_id;
    tie(s.bl_tx_id, &s.prev_alh, consistency.first().filter(|_| shown), policy)
}

/// T's tree ends right before T, so its last leaf is T's predecessor. The path of another leaf
/// shows it where it is the right one of two subtrees of which the left one has that other leaf:
/// then the term is as high as the left one, whose size divides the last leaf's index.
pub(super) fn newer_tree(
    index: LeafIndex,
    t: &Header<'_>,
    inclusion: &[[u8; 32]],
    policy: ProofPolicy,
) -> Result<(), DualError> {
    let last = t.bl_tx_id.leaf_index().map_or(0, LeafIndex::get);
    let height = last.trailing_zeros();
    let left = index.get().checked_shr(height).and_then(|left| left.checked_add(1));
    let term = usize::try_from(height).ok().and_then(|height| inclusion.get(height));
    let shown = left.is_some() && left == last.checked_shr(height);
    tie(t.bl_tx_id, &t.prev_alh, term.filter(|_| shown), policy)
}

/// The leaf that a proof shows for a transaction is that of the hash that the chain has for it.
fn tie(
    tx: TxId,
    in_chain: &Alh,
    in_tree: Option<&[u8; 32]>,
    policy: ProofPolicy,
) -> Result<(), DualError> {
    match in_tree {
        Some(leaf) if policy.ties() && in_chain.leaf_hash().as_bytes() != leaf => Err(another(tx)),
        _ => Ok(()),
    }
}

fn another(tx: TxId) -> DualError {
    DualError::LastLeaf { tx, legacy: true }
}
