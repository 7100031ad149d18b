//! Dual proofs, version 1: each rule refuses what breaks it, and names itself.

mod ledger;
mod reference;

use counterfoil_core::*;
use ledger::proof::OwnedDual;
use ledger::{Ledger, TREES};
use reference::Hash;

const STRICT: ProofPolicy = ProofPolicy::STRICT;
const FORMAT: ProofPolicy = STRICT.legacy_untied();

/// A hash that stands nowhere.
const OTHER: Hash = [0xee; 32];

/// Whose tree lags by up to four, so that every part is there in some proof.
fn lagging() -> Ledger {
    Ledger::with_trees(&[0, 1, 1, 1, 1, 4, 4, 7, 7, 7, 9, 11])
}

/// The error, which must be the same from both ends.
fn refused(proof: &OwnedDual, ledger: &Ledger, source: u64, target: u64) -> DualError {
    let (back, on) = proof.check(&ledger.tx(source), &ledger.tx(target), FORMAT);
    let error = back.unwrap_err();
    assert_eq!(on.unwrap_err(), error, "{source} to {target}");
    error
}

#[test]
fn honest_proofs_hold_from_both_ends_however_the_tree_lags() {
    let mut untied = 0;
    for trees in TREES {
        let ledger = Ledger::with_trees(trees);
        for target in 1..=ledger.len() {
            for source in 1..=target {
                let (from, to) = (ledger.tx(source), ledger.tx(target));
                let proof = ledger.dual(source, target);
                let (back, on) = proof.check(&from, &to, FORMAT);
                let header = ledger.header(source);
                let tx = back.unwrap_or_else(|e| panic!("{trees:?} {source} to {target}: {e}"));
                assert_eq!((tx.id(), tx.alh(), tx.eh()), (from.tx, from.alh, header.eh));
                assert_eq!((tx.ts(), tx.nentries()), (header.ts, header.nentries));
                assert_eq!((tx.version(), tx.state()), (header.version, ledger.state(target)));
                let extension = on.unwrap();
                assert_eq!((extension.from(), extension.to()), (ledger.state(source), to));

                // Strictly too, unless the source's tree ends before new leaves of the target's,
                // and these end before the source's predecessor.
                let (after, up_to) = (ledger.tree(source), ledger.tree(target));
                let (back, on) = proof.check(&from, &to, STRICT);
                if after < up_to && up_to + 1 < source {
                    let (after, up_to) = (TxId::new(after), TxId::new(up_to));
                    assert_eq!(back, Err(DualError::Untied { after, up_to }));
                    assert_eq!(on, Err(DualError::Untied { after, up_to }));
                    untied += 1;
                } else {
                    assert_eq!((back, on.unwrap().to()), (Ok(tx), to));
                }
            }
        }
    }
    assert_eq!(untied, 8);
}

#[test]
fn the_headers_are_those_of_the_transactions_asked_for() {
    let ledger = lagging();
    let honest = ledger.dual(3, 9);
    for id in [2, 4, 9, 12] {
        let (expected, found) = (TxId::new(3), TxId::new(id));
        let proof = OwnedDual { source_header: ledger.header(id), ..honest.clone() };
        let error = DualError::HeaderTx { part: Part::SourceHeader, expected, found };
        assert_eq!(refused(&proof, &ledger, 3, 9), error);
    }
    for id in [3, 8, 10] {
        let (expected, found) = (TxId::new(9), TxId::new(id));
        let proof = OwnedDual { target_header: ledger.header(id), ..honest.clone() };
        let error = DualError::HeaderTx { part: Part::TargetHeader, expected, found };
        assert_eq!(refused(&proof, &ledger, 3, 9), error);
    }
}

#[test]
fn the_headers_state_what_headers_can() {
    let ledger = lagging();
    let honest = ledger.dual(3, 9);
    let metadata = TxMetadata { truncated_tx_id: Some(1), extra: None };
    let long = TxMetadata { truncated_tx_id: None, extra: Some(&[0; 257]) };
    type Change<'c> = &'c dyn Fn(&mut Header<'static>);
    let changes: [(Change<'_>, HeaderError); 4] = [
        (&|h| h.nentries = 0, HeaderError::EntryCount { nentries: 0 }),
        (&|h| h.nentries = 1 << 31, HeaderError::EntryCount { nentries: 1 << 31 }),
        (&|h| (h.version, h.metadata) = (HeaderVersion::V0, metadata), HeaderError::MetadataInV0),
        (&|h| h.metadata = long, HeaderError::ExtraTooLong),
    ];
    for (change, error) in changes {
        let mut proof = honest.clone();
        change(&mut proof.source_header);
        let part = Part::SourceHeader;
        assert_eq!(refused(&proof, &ledger, 3, 9), DualError::Header { part, error });
        let mut proof = honest.clone();
        change(&mut proof.target_header);
        let part = Part::TargetHeader;
        assert_eq!(refused(&proof, &ledger, 3, 9), DualError::Header { part, error });
    }
    let mut proof = honest.clone();
    proof.target_header.bl_tx_id = TxId::new(9);
    let error = HeaderError::TreeNotBehind { id: TxId::new(9), bl_tx_id: TxId::new(9) };
    let part = Part::TargetHeader;
    assert_eq!(refused(&proof, &ledger, 3, 9), DualError::Header { part, error });
}

#[test]
fn the_headers_have_the_hashes_that_are_trusted_or_claimed() {
    let ledger = lagging();
    let proof = ledger.dual(3, 9);
    let (from, to) = (ledger.tx(3), ledger.tx(9));
    let other = |tx: TxAlh| TxAlh { alh: Alh::new(OTHER), ..tx };
    let of_source = DualError::HeaderAlh { part: Part::SourceHeader, tx: from.tx };
    let of_target = DualError::HeaderAlh { part: Part::TargetHeader, tx: to.tx };
    // Looking back, the source's hash is not asked for: it comes out.
    let (back, on) = proof.check(&other(from), &to, FORMAT);
    assert_eq!((back.unwrap().alh(), on), (from.alh, Err(of_source)));
    let (back, on) = proof.check(&from, &other(to), FORMAT);
    assert_eq!((back, on), (Err(of_target), Err(of_target)));
}

#[test]
fn the_source_is_not_newer_than_the_target() {
    let ledger = lagging();
    for proof in [ledger.dual(3, 9), ledger.dual(9, 9)] {
        let (source_header, target_header) = (ledger.header(9), ledger.header(3));
        let proof = OwnedDual { source_header, target_header, ..proof };
        let (source, target) = (TxId::new(9), TxId::new(3));
        let error = DualError::SourceAfterTarget { source, target };
        assert_eq!(refused(&proof, &ledger, 9, 3), error);
    }
}

#[test]
fn what_proves_nothing_is_not_there() {
    let ledger = lagging();
    // 8 lies beyond 9's tree, 2 beyond 3's.
    for (source, target) in [(8, 9), (7, 9), (2, 3), (9, 9)] {
        let proof = OwnedDual { inclusion: vec![OTHER], ..ledger.dual(source, target) };
        let error = DualError::Unneeded(Part::Inclusion);
        assert_eq!(refused(&proof, &ledger, source, target), error);
    }
    for target in [1, 2, 9] {
        let proof = OwnedDual { consistency: vec![OTHER], ..ledger.dual(1, target) };
        let error = DualError::Unneeded(Part::Consistency);
        assert_eq!(refused(&proof, &ledger, 1, target), error);
    }
    let no_trees = Ledger::with_trees(&[0, 0, 0]);
    for source in 1..=3 {
        let honest = no_trees.dual(source, 3);
        let proof = OwnedDual { last_inclusion: vec![OTHER], ..honest.clone() };
        let error = DualError::Unneeded(Part::LastInclusion);
        assert_eq!(refused(&proof, &no_trees, source, 3), error);
        let alhs = [OTHER, no_trees.alh(source).to_bytes(), *Alh::BEFORE_FIRST.as_bytes()];
        for target_bl_tx_alh in alhs {
            let proof = OwnedDual { target_bl_tx_alh, ..honest.clone() };
            let error = DualError::Unneeded(Part::TargetBlTxAlh);
            assert_eq!(refused(&proof, &no_trees, source, 3), error);
        }
    }
    let advance = lagging().advance(1, 5, 7);
    assert!(advance.is_some());
    let proof = OwnedDual { advance, ..ledger.dual(8, 9) };
    let error = DualError::LinearAdvance(ChainError::Unneeded);
    assert_eq!(refused(&proof, &ledger, 8, 9), error);
}

/// For each path of a proof: its length first, then where it leads.
#[test]
fn every_path_has_its_length_and_its_root() {
    let ledger = lagging();
    let honest = ledger.dual(5, 11);
    type Part = fn(&mut OwnedDual) -> &mut Vec<Hash>;
    type Wrap = fn(TreeError) -> DualError;
    let parts: [(Part, Wrap, TreeError); 3] = [
        (|p| &mut p.inclusion, DualError::Inclusion, TreeError::RootMismatch),
        (|p| &mut p.consistency, DualError::Consistency, TreeError::NewRootMismatch),
        (|p| &mut p.last_inclusion, DualError::LastInclusion, TreeError::RootMismatch),
    ];
    for (part, wrap, leads_elsewhere) in parts {
        let mut proof = honest.clone();
        let expected = part(&mut proof).len();
        assert!(expected > 0);
        for found in [0, expected - 1, expected + 1, 70] {
            part(&mut proof).resize(found, OTHER);
            let error = wrap(TreeError::PathLength { expected, found });
            if found != expected {
                assert_eq!(refused(&proof, &ledger, 5, 11), error);
            }
        }
        let mut proof = honest.clone();
        *part(&mut proof).last_mut().unwrap() = OTHER;
        assert_eq!(refused(&proof, &ledger, 5, 11), wrap(leads_elsewhere));
    }
}

#[test]
fn the_older_tree_begins_the_newer_one() {
    let ledger = lagging();
    // Trees of 7 and 9: the first term is the eldest tree's last whole subtree.
    let mut proof = ledger.dual(8, 11);
    proof.consistency[0] = OTHER;
    let error = DualError::Consistency(TreeError::OldRootMismatch);
    assert_eq!(refused(&proof, &ledger, 8, 11), error);

    let shrinking = Ledger::with_trees(&[0, 1, 2, 3, 2]);
    let last_inclusion = shrinking.inclusion(2, 2);
    let target_bl_tx_alh = shrinking.alh(2).to_bytes();
    let proof = OwnedDual {
        target_header: shrinking.header(5),
        target_bl_tx_alh,
        last_inclusion,
        ..shrinking.dual(4, 4)
    };
    let (old, new) = (TreeSize::new(3), TreeSize::new(2));
    let error = DualError::Consistency(TreeError::SizesReversed { old, new });
    assert_eq!(refused(&proof, &shrinking, 4, 5), error);
}

/// immudb may send the two children of the root where the trees are one and the same.
#[test]
fn between_equal_trees_the_roots_children_may_be_shown() {
    let ledger = lagging();
    let (left, right) = (ledger.root(4), reference::root(&ledger.leaves[4..7]));
    let consistency = vec![right, *left.as_bytes()];
    let proof = OwnedDual { consistency: consistency.clone(), ..ledger.dual(8, 9) };
    let (back, on) = proof.check(&ledger.tx(8), &ledger.tx(9), STRICT);
    assert!(back.is_ok() && on.is_ok());
    let swapped = vec![consistency[1], consistency[0]];
    let wrong = DualError::Consistency(TreeError::OldRootMismatch);
    let length = |found| DualError::Consistency(TreeError::PathLength { expected: 0, found });
    for (consistency, error) in [
        (swapped, wrong),
        (vec![right, OTHER], wrong),
        (vec![right], length(1)),
        (vec![right, *left.as_bytes(), OTHER], length(3)),
    ] {
        let proof = OwnedDual { consistency, ..ledger.dual(8, 9) };
        assert_eq!(refused(&proof, &ledger, 8, 9), error);
    }
}

/// The chain to the target starts at the source or at the tree's last leaf, whichever is later.
#[test]
fn the_chain_leads_from_the_later_of_source_and_tree() {
    let ledger = lagging();
    for (source, start) in [(3, 7), (7, 7), (8, 8), (10, 10)] {
        let honest = ledger.dual(source, 10);
        assert_eq!(honest.chain, [start, 10]);
        for chain in [[start - 1, 10], [start, 9], [10, start - 1], [0, 0]] {
            let proof = OwnedDual { chain, ..honest.clone() };
            let ids = |[from, to]: [u64; 2]| (TxId::new(from), TxId::new(to));
            let ids = ChainError::Ids { expected: ids([start, 10]), found: ids(chain) };
            assert_eq!(refused(&proof, &ledger, source, 10), DualError::Linear(ids));
        }
        let mut proof = honest.clone();
        proof.linear.pop();
        let (expected, found) = (honest.linear.len() as u64, proof.linear.len());
        let count = DualError::Linear(ChainError::TermCount { expected, found });
        assert_eq!(refused(&proof, &ledger, source, 10), count);
        proof.linear.push(OTHER);
        let end = if found == 0 { ChainError::FirstTerm } else { ChainError::End };
        assert_eq!(refused(&proof, &ledger, source, 10), DualError::Linear(end));
        let mut proof = honest.clone();
        proof.linear[0] = OTHER;
        let first = DualError::Linear(ChainError::FirstTerm);
        assert_eq!(refused(&proof, &ledger, source, 10), first);
    }
}

#[test]
fn late_leaves_are_those_of_the_chain() {
    let ledger = lagging();
    let honest = ledger.dual(5, 11);
    let advance = honest.advance.clone().unwrap();
    let refused = |advance| {
        let proof = OwnedDual { advance, ..honest.clone() };
        let DualError::LinearAdvance(error) = refused(&proof, &ledger, 5, 11) else { panic!() };
        error
    };
    assert_eq!(refused(None), ChainError::Missing);
    let mut other = advance.clone();
    other.terms.push(OTHER);
    assert_eq!(refused(Some(other)), ChainError::TermCount { expected: 4, found: 5 });
    let mut other = advance.clone();
    other.paths.pop();
    assert_eq!(refused(Some(other)), ChainError::PathCount { expected: 3, found: 2 });
    let mut other = advance.clone();
    other.paths[1].pop();
    let error = TreeError::PathLength { expected: 4, found: 3 };
    assert_eq!(refused(Some(other)), ChainError::Inclusion { tx: TxId::new(3), error });
    let mut other = advance.clone();
    other.terms[1] = OTHER;
    let error = TreeError::RootMismatch;
    assert_eq!(refused(Some(other)), ChainError::Inclusion { tx: TxId::new(3), error });
    let mut other = advance;
    other.terms[3] = OTHER;
    assert_eq!(refused(Some(other)), ChainError::End);
}

/// What numbers decide is decided first, even where no hash is right.
#[test]
fn counts_come_before_hashes() {
    let ledger = lagging();
    let nothing = |tx: TxAlh| TxAlh { alh: Alh::new(OTHER), ..tx };
    let (from, to) = (nothing(ledger.tx(5)), nothing(ledger.tx(11)));
    let honest = ledger.dual(5, 11);
    assert!(honest.advance.is_some());
    let changes: [fn(&mut OwnedDual); 7] = [
        |p| p.source_header.nentries = 0,
        |p| p.inclusion.push(OTHER),
        |p| p.consistency.push(OTHER),
        |p| p.last_inclusion.push(OTHER),
        |p| p.linear.push(OTHER),
        |p| p.advance.as_mut().unwrap().terms.push(OTHER),
        |p| p.advance.as_mut().unwrap().paths[0].push(OTHER),
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let mut proof = honest.clone();
        change(&mut proof);
        let (back, on) = proof.check(&from, &to, STRICT);
        let error = back.unwrap_err();
        assert!(!matches!(error, DualError::HeaderAlh { .. }), "change {place}: {error}");
        assert_eq!(on.unwrap_err(), error);
    }
    let (back, on) = honest.check(&from, &to, STRICT);
    assert_eq!(back, Err(DualError::HeaderAlh { part: Part::TargetHeader, tx: to.tx }));
    assert_eq!(on, Err(DualError::HeaderAlh { part: Part::SourceHeader, tx: from.tx }));
}
