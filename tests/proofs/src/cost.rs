//! What a dual proof costs by its formula.
//!
//! In compressions of SHA-256: a leaf takes 1, a node or a step of the chain 2, a header's inner
//! hash one for every 64 bytes of its 84 or more and its padding, and its Alh 2 more.

use crate::case::{Case, Hashes, HeaderJson};
use crate::reference::consistency_nodes;

/// How many compressions it takes to verify an honest dual proof of a ledger whose tree does not
/// lag.
///
/// # Panics
///
/// For another kind of case.
pub fn compressions(case: &Case) -> usize {
    match case {
        Case::Dual(case) => {
            let proof = case.proof.as_ref().expect("an honest proof");
            let (source, target) = (&proof.source_tx_header, &proof.target_tx_header);
            let tree = target.as_ref().map_or(0, |header| header.bl_tx_id);
            let old = source.as_ref().map_or(0, |header| header.bl_tx_id);
            headers(source, target)
                + inclusion(&proof.inclusion_proof)
                + consistency(old, tree)
                + inclusion(&proof.last_inclusion_proof)
                + 2 * (proof.linear_proof.as_ref().map_or(0, |linear| linear.terms.0.len()) - 1)
        }
        Case::DualV2(case) => {
            let proof = case.proof.as_ref().expect("an honest proof");
            let (source, target) = (&proof.source_tx_header, &proof.target_tx_header);
            let tree = target.as_ref().map_or(0, |header| header.bl_tx_id);
            let old = source.as_ref().map_or(0, |header| header.bl_tx_id.max(1));
            headers(source, target) + inclusion(&proof.inclusion_proof) + consistency(old, tree)
        }
        other => panic!("no dual proof: {}", other.kind()),
    }
}

fn headers(source: &Option<HeaderJson>, target: &Option<HeaderJson>) -> usize {
    [source, target].into_iter().flatten().map(header).sum()
}

fn header(header: &HeaderJson) -> usize {
    let inner = if header.version == 0 { 84 } else { 88 + header.metadata_hex.len() / 2 };
    (inner + 9).div_ceil(64) + 2
}

/// A leaf, and a node for each term.
fn inclusion(path: &Hashes) -> usize {
    if path.0.is_empty() { 0 } else { 1 + 2 * path.0.len() }
}

/// Two compressions for each node that the path makes one hash.
fn consistency(old: u64, new: u64) -> usize {
    if old == 0 { 0 } else { 2 * consistency_nodes(old, new) }
}
