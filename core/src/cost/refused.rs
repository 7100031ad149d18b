//! Where the counts are wrong, nothing is hashed: lengths are judged first.

use super::ledger::{Advance, Dual, Ledger};
use super::reference::{self, Hash};
use super::{TREES, costs, pairs};
use crate::*;

const STRICT: ProofPolicy = ProofPolicy::STRICT;
const FORMAT: ProofPolicy = STRICT.legacy_untied();

/// Asserts that `work` is refused without a single compression.
fn free<T, E>(what: &str, work: impl FnOnce() -> Result<T, E>) {
    costs(0, what, || assert!(work().is_err(), "{what}"));
}

/// The path with one term more, and where it has any with one less.
fn miscounted(path: &[Hash]) -> Vec<Vec<Hash>> {
    let longer = [path, &[[0; 32]]].concat();
    let shorter = path.split_last().map(|(_, rest)| rest.to_vec());
    [longer].into_iter().chain(shorter).collect()
}

#[test]
fn tree_proofs() {
    let ledger = Ledger::new(TREES[0]);
    for new in 1..=17 {
        let (size, root) = (TreeSize::new(new), Root::new([1; 32]));
        for old in 1..=new {
            let leaf = ledger.alhs[old as usize - 1].leaf_hash();
            let index = LeafIndex::new(old - 1);
            for path in miscounted(&ledger.inclusion(old, new)) {
                free("inclusion", || verify_inclusion(&leaf, index, size, &path, &root));
                if old == new {
                    let last = || verify_last_inclusion(&leaf, size, &path, &root);
                    free("last inclusion", last);
                }
            }
            let honest = ledger.consistency(old, new);
            let old_size = TreeSize::new(old);
            for path in miscounted(&honest) {
                let check = || verify_consistency_immudb(old_size, &root, size, &root, &path);
                free("consistency, immudb's form", check);
            }
            let repeated = usize::from(old < new && old.is_power_of_two());
            for path in miscounted(&honest[repeated..]) {
                let check = || verify_consistency(old_size, &root, size, &root, &path);
                free("consistency", check);
            }
        }
        let leaf = ledger.alhs[0].leaf_hash();
        free("no such leaf", || {
            verify_inclusion(&leaf, LeafIndex::new(new), size, &[[0; 32]; 5], &root)
        });
        let older = TreeSize::new(new + 1);
        free("reversed sizes", || verify_consistency(older, &root, size, &root, &[]));
    }
}

#[test]
fn transactions_under_a_state() {
    pairs(|ledger, id, state| {
        let (header, state_header) = (ledger.header(id), ledger.header(state));
        let trusted = ledger.state(state);
        let tree = state_header.bl_tx_id.get();
        if id == state || id <= tree {
            let honest = if id == state { Vec::new() } else { ledger.inclusion(id, tree) };
            for path in miscounted(&honest) {
                free("verify_tx", || trusted.verify_tx(&state_header, &header, &path));
            }
        }
        let none = Header { nentries: 0, ..header };
        free("no entries", || trusted.verify_tx(&state_header, &none, &[]));
        free("no entries", || TrustedState::first_contact(&trusted.into(), &none));
        let later = Header { id: TxId::new(state + 1), ..state_header };
        free("another state", || trusted.verify_tx(&later, &header, &[]));
    });
}

#[test]
fn entries_of_a_transaction() {
    let columns = [Column {
        id: 1,
        name: "k",
        ty: ColumnType::Integer,
        max_length: 8,
        not_null: true,
        auto_increment: false,
    }];
    let table = Table::new(1, "t", &columns, &[1]).unwrap();
    let kv = KvEntry::Set { key: b"k", value: b"v" };
    for nentries in 1..=17 {
        let header = Header { nentries, ..Ledger::new(&[0]).header(1) };
        let state = TrustedState { tx: header.id, alh: header.alh().unwrap() };
        let tx = state.verify_tx(&header, &header, &[]).unwrap();
        for index in 0..nentries + 2 {
            let size = TreeSize::new(nentries.into());
            let honest = inclusion_path_len(LeafIndex::new(index.into()), size);
            let paths = match honest {
                Some(len) => miscounted(&vec![[0; 32]; len]),
                None => vec![Vec::new(), vec![[0; 32]; 4]],
            };
            for path in paths {
                let digest = EntryDigest::new([3; 32]);
                free("verify_entry", || tx.verify_entry(tx.version(), &digest, index, &path));
                let row = [Some(Value::Integer(7))];
                free("verify_row", || tx.verify_row(&table, &row, index, &path));
                let none = EntryMetadata::default();
                free("verify_kv", || tx.verify_kv(&kv, &none, index, &path));
                let named = CatalogEntry::Table { table_id: 1, name: "t" };
                free("verify_catalog", || tx.verify_catalog(&named, index, &path));
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
            let (from, to) = (tx(source), tx(target));
            let honest = ledger.chain(source, target);
            let linear = LinearProof { source: from.tx, target: to.tx, terms: &honest };
            for terms in miscounted(&honest) {
                let linear = LinearProof { terms: &terms, ..linear };
                free("linear", || verify_linear(&linear, &from, &to, STRICT));
            }
            let few = STRICT.with_max_chain(honest.len() - 1);
            free("too long", || verify_linear(&linear, &from, &to, few));
            let other = LinearProof { source: TxId::new(source + 1), ..linear };
            free("another chain", || verify_linear(&other, &from, &to, STRICT));

            let honest = ledger.advance(source, target, 17);
            for advance in miscounted_advances(honest.as_ref()) {
                let ask = |proof: Option<&LinearAdvanceProof<'_>>| {
                    let size = TreeSize::new(17);
                    verify_linear_advance(proof, from.tx, &to, size, &root, STRICT)
                };
                free("linear advance", || match advance {
                    None => ask(None),
                    Some(advance) => advance.with(|proof| ask(Some(&proof))),
                });
            }
        }
    }
}

/// Everything beside the honest one that its numbers forbid.
fn miscounted_advances(honest: Option<&Advance>) -> Vec<Option<Advance>> {
    let Some(honest) = honest else {
        return vec![Some(Advance { terms: Vec::new(), paths: Vec::new() })];
    };
    let mut all = vec![None];
    for terms in miscounted(&honest.terms) {
        all.push(Some(Advance { terms, ..honest.clone() }));
    }
    for count in [honest.paths.len() - 1, honest.paths.len() + 1] {
        let mut other = honest.clone();
        other.paths.resize(count, Vec::new());
        all.push(Some(other));
    }
    for place in 0..honest.paths.len() {
        for path in miscounted(&honest.paths[place]) {
            let mut other = honest.clone();
            other.paths[place] = path;
            all.push(Some(other));
        }
    }
    all
}

#[test]
fn dual_proofs() {
    pairs(|ledger, source, target| {
        let honest = ledger.dual(source, target);
        let mut wrong: Vec<Dual> = Vec::new();
        for inclusion in miscounted(&honest.inclusion) {
            wrong.push(Dual { inclusion, ..honest.clone() });
        }
        // Between equal sizes a consistency path may have two terms; one is never right.
        for consistency in miscounted(&honest.consistency) {
            wrong.push(Dual { consistency, ..honest.clone() });
        }
        for last_inclusion in miscounted(&honest.last_inclusion) {
            wrong.push(Dual { last_inclusion, ..honest.clone() });
        }
        for chain in miscounted(&honest.chain) {
            wrong.push(Dual { chain, ..honest.clone() });
        }
        for advance in miscounted_advances(honest.advance.as_ref()) {
            wrong.push(Dual { advance, ..honest.clone() });
        }
        wrong.push(Dual { start: honest.start + 1, ..honest.clone() });
        for header in 0..2 {
            let mut other = honest.clone();
            other.headers[header].nentries = 0;
            wrong.push(other);
            let mut other = honest.clone();
            other.headers[header].id = TxId::new(99);
            wrong.push(other);
        }
        if honest.last == Alh::ZERO {
            wrong.push(Dual { last: Alh::BEFORE_FIRST, ..honest.clone() });
        }
        let (from, to) = (ledger.state(source), ledger.state(target));
        for wrong in wrong {
            wrong.with(|proof| {
                free("dual, from the target", || to.verify_tx_dual(from.tx, proof, FORMAT));
                free("dual, from the source", || from.verify_extension(&to.into(), proof, FORMAT));
            });
        }
        honest.with(|proof| {
            let none = FORMAT.with_max_chain(0);
            free("too long", || to.verify_tx_dual(from.tx, proof, none));
        });
    });
}

#[test]
fn dual_proofs_of_version_2() {
    let ledger = Ledger::new(TREES[0]);
    for target in 1..=17 {
        for source in 1..=target {
            let (source_header, target_header) = (ledger.header(source), ledger.header(target));
            let [inclusion, consistency] = ledger.paths_of_v2(source, target);
            let honest = DualProofV2 {
                source_header,
                target_header,
                inclusion: &inclusion,
                consistency: &consistency,
            };
            let (from, to) = (ledger.state(source), ledger.state(target));
            let refused = |proof: DualProofV2<'_>| {
                free("dual v2, from the target", || to.verify_tx_dual_v2(from.tx, &proof, STRICT));
                free("dual v2, from the source", || {
                    from.verify_extension_v2(&to.into(), &proof, STRICT)
                });
            };
            for path in miscounted(&inclusion) {
                refused(DualProofV2 { inclusion: &path, ..honest });
            }
            for path in miscounted(&consistency) {
                refused(DualProofV2 { consistency: &path, ..honest });
            }
            let lagging = Header { bl_tx_id: TxId::new(target.saturating_sub(2)), ..target_header };
            if target > 1 {
                refused(DualProofV2 { target_header: lagging, ..honest });
            }
        }
    }
}
