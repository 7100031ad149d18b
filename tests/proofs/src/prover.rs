//! The proofs that an honest server sends, straight from their definitions: recursive, slow, and
//! sharing nothing with the verifier.

use crate::ledger::{Hash, Ledger, leaf};
use crate::proof::{OwnedAdvance, OwnedDual, OwnedDualV2, OwnedLinear, Path};
use crate::reference;

/// The root of the tree over the first `size` transactions.
pub fn root(ledger: &Ledger, size: u64) -> Hash {
    reference::root(&ledger.leaves(size))
}

/// The path of transaction `tx` in the tree over the first `size` transactions.
pub fn inclusion(ledger: &Ledger, tx: u64, size: u64) -> Path {
    reference::path(tx as usize - 1, &ledger.leaves(size))
}

/// The path with which [`verify_tx`](counterfoil_core::TrustedState::verify_tx) shows `tx` under
/// the state of `state`; none where the tree of `state` does not hold `tx`.
pub fn tx(ledger: &Ledger, tx: u64, state: u64) -> Option<Path> {
    let size = ledger.header(state).bl_tx_id;
    if tx == state { Some(Path::new()) } else { (tx <= size).then(|| inclusion(ledger, tx, size)) }
}

/// The path of an entry in its transaction.
pub fn entry(ledger: &Ledger, tx: u64, index: usize) -> Path {
    entries(ledger.entries(tx)).1[index].clone()
}

/// The root over the entries with these digests, and the path of each.
pub fn entries(digests: &[Hash]) -> (Hash, Vec<Path>) {
    let leaves: Vec<Hash> = digests.iter().map(|digest| leaf(digest)).collect();
    let paths = (0..leaves.len()).map(|index| reference::path(index, &leaves)).collect();
    (reference::root(&leaves), paths)
}

/// From the tree over `old` transactions to that over `new`, in immudb's form: it begins with the
/// old root also where RFC 9162 leaves it out. Empty between equal sizes.
pub fn consistency(ledger: &Ledger, old: u64, new: u64) -> Path {
    let path = reference::consistency(old as usize, &ledger.leaves(new));
    if old < new && old.is_power_of_two() {
        [vec![reference::root(&ledger.leaves(old))], path].concat()
    } else {
        path
    }
}

/// The chain from one transaction to a later one.
pub fn linear(ledger: &Ledger, source: u64, target: u64) -> OwnedLinear {
    OwnedLinear { source, target, terms: chain(ledger, source, target) }
}

fn chain(ledger: &Ledger, source: u64, target: u64) -> Vec<Hash> {
    let inner = (source + 1..=target).map(|id| ledger.header(id).inner());
    std::iter::once(ledger.alh(source)).chain(inner).collect()
}

/// That the transactions after `start` and before `end` stand in the tree over `size` as they stand
/// in the chain.
pub fn advance(ledger: &Ledger, start: u64, end: u64, size: u64) -> Option<OwnedAdvance> {
    (start + 1 < end).then(|| OwnedAdvance {
        terms: chain(ledger, start + 1, end),
        inclusion: (start + 1..end).map(|id| inclusion(ledger, id, size)).collect(),
    })
}

/// Version 1 of the dual proof.
pub fn dual(ledger: &Ledger, source: u64, target: u64) -> OwnedDual {
    let (s, t) = (ledger.header(source), ledger.header(target));
    let tree = t.bl_tx_id;
    let when = |needed: bool, path: &dyn Fn() -> Path| if needed { path() } else { Path::new() };
    OwnedDual {
        source: s.clone(),
        target: t.clone(),
        inclusion: when(source < tree, &|| inclusion(ledger, source, tree)),
        consistency: when(s.bl_tx_id > 0, &|| consistency(ledger, s.bl_tx_id, tree)),
        target_bl_tx_alh: if tree > 0 { ledger.alh(tree) } else { [0; 32] },
        last_inclusion: when(tree > 0, &|| inclusion(ledger, tree, tree)),
        linear: linear(ledger, source.max(tree), target),
        advance: advance(ledger, s.bl_tx_id, source.min(tree), tree),
    }
}

/// Version 2 of the dual proof.
pub fn dual_v2(ledger: &Ledger, source: u64, target: u64) -> OwnedDualV2 {
    let (s, t) = (ledger.header(source).clone(), ledger.header(target).clone());
    let tree = t.bl_tx_id;
    let (inclusion, consistency) = if source == target {
        Default::default()
    } else {
        (inclusion(ledger, source, tree), consistency(ledger, s.bl_tx_id.max(1), tree))
    };
    OwnedDualV2 { source: s, target: t, inclusion, consistency }
}
