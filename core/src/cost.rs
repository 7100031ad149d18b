//! What a check costs, in compressions of SHA-256: exactly what its formula needs.
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // tests may panic
#![allow(clippy::as_conversions, clippy::unwrap_used, clippy::panic)]

mod ledger;
#[path = "../tests/reference/mod.rs"]
mod reference;
mod refused;

use crate::sha256::tests::compressions;
use crate::*;
use ledger::{Advance, Ledger};
use reference::{Hash, consistency_nodes};

const LEAF: usize = 1;
const NODE: usize = 2;
const STEP: usize = 2;
/// Inner hash and Alh of a header without metadata.
const HEADER: usize = 2 + STEP;

fn inclusion_cost(path: &[Hash]) -> usize {
    LEAF + NODE * path.len()
}

fn advance_cost(advance: &Advance) -> usize {
    advance.paths.iter().map(|path| inclusion_cost(path) + STEP).sum()
}

/// Asserts what `work` costs.
fn costs<T>(expected: usize, what: &str, work: impl FnOnce() -> T) {
    assert_eq!(compressions(|| _ = work()), expected, "{what}");
}

const TREES: [&[u64]; 5] = [
    &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
    &[0, 0, 0, 0, 0, 3, 3, 3, 5, 5, 8],
    &[0, 1, 1, 1, 1, 4, 4, 7, 7, 7, 9, 11],
    &[0, 0, 0, 0],
    &[0, 1, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8],
];

#[test]
fn hashes() {
    let (a, b) = ([1; 32], [2; 32]);
    costs(LEAF, "leaf", || Alh::new(a).leaf_hash());
    costs(NODE, "node", || node_hash(&a, &b));
    let ledger = Ledger::new(TREES[0]);
    let mut header = ledger.header(5);
    costs(HEADER, "Alh", || header.alh());
    for extra in [0, 19, 28, 29, 92, 93, 256] {
        header.metadata.extra = Some(&[0; 256][..extra]);
        let inner = (88 + 3 + extra + 9).div_ceil(64);
        costs(inner, "inner hash", || header.inner_hash());
    }
    let value = [0; 200];
    for len in [0, 55, 56, 119, 120, 200] {
        costs((len + 9_usize).div_ceil(64), "value", || ValueHash::of(&value[..len]));
    }
}

#[test]
fn tree_proofs() {
    let ledger = Ledger::new(TREES[0]);
    for new in 1..=17 {
        let root = Root::new(reference::root(&ledger.leaves(new)));
        for old in 1..=new {
            let leaf = ledger.alhs[old as usize - 1].leaf_hash();
            let path = ledger.inclusion(old, new);
            let (index, size) = (LeafIndex::new(old - 1), TreeSize::new(new));
            costs(NODE * path.len(), "inclusion", || {
                verify_inclusion(&leaf, index, size, &path, &root).unwrap();
            });
            let old_root = Root::new(reference::root(&ledger.leaves(old)));
            let path = ledger.consistency(old, new);
            let (nodes, old) = (consistency_nodes(old, new), TreeSize::new(old));
            costs(NODE * nodes, "consistency, immudb's form", || {
                verify_consistency_immudb(old, &old_root, size, &root, &path).unwrap();
            });
            let repeated = usize::from(old < size && old.get().is_power_of_two());
            costs(NODE * nodes, "consistency", || {
                verify_consistency(old, &old_root, size, &root, &path[repeated..]).unwrap();
            });
        }
        let leaf = ledger.alhs[new as usize - 1].leaf_hash();
        let path = ledger.inclusion(new, new);
        costs(NODE * (new - 1).count_ones() as usize, "last inclusion", || {
            verify_last_inclusion(&leaf, TreeSize::new(new), &path, &root).unwrap();
        });
    }
}

/// Every pair of transactions of ledgers whose tree lags and of one whose tree does not.
fn pairs(check: impl Fn(&Ledger, u64, u64)) {
    for trees in TREES {
        let ledger = Ledger::new(trees);
        for target in 1..=trees.len() as u64 {
            (1..=target).for_each(|source| check(&ledger, source, target));
        }
    }
}

#[test]
fn growing_trees() {
    let mut tree = Frontier::new();
    for size in 0..=200_u64 {
        costs(NODE * size.count_ones().saturating_sub(1) as usize, "root", || tree.root());
        let leaf = LeafHash::new([size as u8; 32]);
        let merged = size.trailing_ones() as usize;
        costs(NODE * merged, "push", || tree.push(leaf).unwrap());
    }
}

/// Trees of the sizes 2 to 8, in each form of which a server may send a proof.
#[test]
fn equal_trees() {
    let ledger = Ledger::new(TREES[0]);
    for size in 2..=8_u64 {
        let leaves = ledger.leaves(size);
        let root = Root::new(reference::root(&leaves));
        let (left, right) = leaves.split_at((size.next_power_of_two() / 2) as usize);
        let children = [reference::root(right), reference::root(left)];
        let size = TreeSize::new(size);
        costs(NODE, "the root's children", || {
            verify_consistency_immudb(size, &root, size, &root, &children).unwrap();
        });
        costs(0, "nothing", || verify_consistency_immudb(size, &root, size, &root, &[]).unwrap());
        costs(0, "nothing", || verify_consistency(size, &root, size, &root, &[]).unwrap());
    }
}

#[test]
fn transactions_under_a_state() {
    pairs(|ledger, id, state| {
        let (header, state_header) = (ledger.header(id), ledger.header(state));
        let tree = state_header.bl_tx_id.get();
        let path = if id <= tree { ledger.inclusion(id, tree) } else { Vec::new() };
        let (held, cost) = match () {
            () if id == state => (true, 2 * HEADER),
            () if id <= tree => (true, 2 * HEADER + inclusion_cost(&path)),
            // That the state covers less is known when its header is known to be the state's.
            () => (false, HEADER),
        };
        costs(cost, "verify_tx", || {
            let verified = ledger.state(state).verify_tx(&state_header, &header, &path);
            assert_eq!(verified.is_ok(), held);
        });
    });
    let ledger = Ledger::new(TREES[0]);
    for id in 1..=17 {
        costs(HEADER, "first_contact", || {
            TrustedState::first_contact(&ledger.state(id).into(), &ledger.header(id)).unwrap();
        });
    }
}

#[test]
fn entries_of_a_transaction() {
    for count in 1..=17_u32 {
        let entry = KvEntry::Set { key: b"key", value: b"value" };
        let none = EntryMetadata::default();
        let digest = entry.digest(HeaderVersion::V1, &none).unwrap();
        let digests = vec![digest; count as usize];
        let leaves: Vec<Hash> = digests.iter().map(|d| d.leaf_hash().to_bytes()).collect();
        let eh = Root::new(reference::root(&leaves));
        let header = Header { nentries: count, eh, ..Ledger::new(&[0]).header(1) };
        let state = TrustedState { tx: header.id, alh: header.alh().unwrap() };
        let tx = state.verify_tx(&header, &header, &[]).unwrap();
        for index in 0..count {
            let path = reference::path(index as usize, &leaves);
            let climb = inclusion_cost(&path);
            costs(climb, "verify_entry", || {
                tx.verify_entry(header.version, &digest, index, &path).unwrap()
            });
            // Two short digests: the value's, and the entry's with a key of four bytes.
            costs(2 + climb, "verify_kv", || tx.verify_kv(&entry, &none, index, &path).unwrap());
        }
        let all = LEAF * count as usize + NODE * (count as usize - 1);
        costs(all, "verify_all_entries", || {
            tx.verify_all_entries(header.version, digests.clone()).unwrap()
        });
    }
}

#[test]
fn dual_proofs() {
    pairs(|ledger, source, target| {
        let proof = ledger.dual(source, target);
        let [old, tree] = proof.headers.map(|header| header.bl_tx_id.get());
        let nodes = if old > 0 { consistency_nodes(old, tree) } else { 0 };
        let expected = 2 * HEADER
            + if source < tree { inclusion_cost(&proof.inclusion) } else { 0 }
            + NODE * nodes
            + if tree > 0 { inclusion_cost(&proof.last_inclusion) } else { 0 }
            + STEP * (proof.chain.len() - 1)
            + proof.advance.as_ref().map_or(0, advance_cost);
        // Where the consistency path begins with the source's predecessor, that is compared.
        let tied = old + 1 == source && old % 2 == 1 && old < tree;
        let untied = old < tree && tree + 1 < source;
        let legacy = ProofPolicy::STRICT.legacy_untied();
        let strict = (!untied).then_some((ProofPolicy::STRICT, if tied { LEAF } else { 0 }));
        let (from, to) = (ledger.state(source), ledger.state(target));
        for (policy, ties) in [Some((legacy, 0)), strict].into_iter().flatten() {
            proof.with(|proof| {
                costs(expected + ties, "dual, from the target", || {
                    to.verify_tx_dual(from.tx, proof, policy).unwrap();
                });
                costs(expected + ties, "dual, from the source", || {
                    from.verify_extension(&to.into(), proof, policy).unwrap();
                });
            });
        }
    });
}

#[test]
fn dual_proofs_of_version_2() {
    let ledger = Ledger::new(TREES[0]);
    for target in 1..=17 {
        for source in 1..=target {
            let (source_header, target_header) = (ledger.header(source), ledger.header(target));
            let [inclusion, consistency] = ledger.paths_of_v2(source, target);
            let climbs = if source == target {
                0
            } else {
                let nodes = consistency_nodes(source.max(2) - 1, target - 1);
                inclusion_cost(&inclusion) + NODE * nodes
            };
            // The source's predecessor, where the consistency path begins with it, and the
            // target's, where it stands in the source's path.
            let leaf = |id: u64| *ledger.leaves(id).last().unwrap();
            let shown = [
                source % 2 == 0 && consistency.first() == Some(&leaf(source - 1)),
                source + 1 < target && inclusion.contains(&leaf(target - 1)),
            ];
            let ties = LEAF * shown.into_iter().filter(|shown| *shown).count();
            let (inclusion, consistency) = (&inclusion[..], &consistency[..]);
            let proof = DualProofV2 { source_header, target_header, inclusion, consistency };
            let (from, to) = (ledger.state(source), ledger.state(target));
            let legacy = ProofPolicy::STRICT.legacy_untied();
            for (policy, ties) in [(ProofPolicy::STRICT, ties), (legacy, 0)] {
                let cost = 2 * HEADER + climbs + ties;
                costs(cost, "dual v2, from the target", || {
                    to.verify_tx_dual_v2(from.tx, &proof, policy).unwrap();
                });
                costs(cost, "dual v2, from the source", || {
                    from.verify_extension_v2(&to.into(), &proof, policy).unwrap();
                });
            }
        }
    }
}

#[test]
fn chains() {
    let ledger = Ledger::new(TREES[0]);
    let tx = |id: u64| TxAlh::from(ledger.state(id));
    let root = Root::new(reference::root(&ledger.leaves(17)));
    for target in 1..=17 {
        for source in 1..=target {
            let terms = ledger.chain(source, target);
            let (from, to) = (tx(source), tx(target));
            let linear = LinearProof { source: from.tx, target: to.tx, terms: &terms };
            costs(STEP * (target - source) as usize, "linear", || {
                verify_linear(&linear, &from, &to, ProofPolicy::STRICT).unwrap();
            });
            if let Some(advance) = ledger.advance(source, target, 17) {
                costs(advance_cost(&advance), "linear advance", || {
                    let size = TreeSize::new(17);
                    advance.with(|proof| {
                        let policy = ProofPolicy::STRICT;
                        verify_linear_advance(Some(&proof), from.tx, &to, size, &root, policy)
                            .unwrap();
                    });
                });
            }
        }
    }
}
