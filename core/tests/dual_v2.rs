//! Dual proofs, version 2: for ledgers whose tree does not lag, and for no others.

mod ledger;
mod reference;

use counterfoil_core::*;
use ledger::Ledger;
use ledger::proof::OwnedDualV2;
use reference::{Hash, leaf, reshaped};

const STRICT: ProofPolicy = ProofPolicy::STRICT;
const FORMAT: ProofPolicy = STRICT.legacy_untied();
const OTHER: Hash = [0xee; 32];

/// The error, which must be the same from both ends.
fn refused(proof: &OwnedDualV2, ledger: &Ledger, source: u64, target: u64) -> DualError {
    let (back, on) = proof.check(&ledger.tx(source), &ledger.tx(target), STRICT);
    let error = back.unwrap_err();
    assert_eq!(on.unwrap_err(), error, "{source} to {target}");
    error
}

#[test]
fn honest_proofs_hold_from_both_ends() {
    let ledger = Ledger::current(33);
    for target in 1..=33 {
        for source in 1..=target {
            let (from, to) = (ledger.tx(source), ledger.tx(target));
            for policy in [STRICT, FORMAT] {
                let (back, on) = ledger.dual_v2(source, target).check(&from, &to, policy);
                let (tx, extension) = (back.unwrap(), on.unwrap());
                assert_eq!((tx.id(), tx.alh()), (from.tx, from.alh));
                assert_eq!(tx.state(), ledger.state(target));
                assert_eq!((extension.from(), extension.to()), (ledger.state(source), to));
            }
        }
    }
}

#[test]
fn a_tree_that_lags_takes_version_1() {
    let ledger = Ledger::with_trees(&[0, 1, 1, 3, 3, 5, 6]);
    let empty = |source: u64, target: u64| OwnedDualV2 {
        source_header: ledger.header(source),
        target_header: ledger.header(target),
        inclusion: Vec::new(),
        consistency: Vec::new(),
    };
    // The trees of 3 and 5 lag.
    for (source, target, part) in [
        (3, 4, Part::SourceHeader),
        (3, 5, Part::SourceHeader),
        (3, 3, Part::SourceHeader),
        (4, 5, Part::TargetHeader),
        (1, 3, Part::TargetHeader),
    ] {
        let proof = empty(source, target);
        assert_eq!(refused(&proof, &ledger, source, target), DualError::TreeLags(part));
    }
    let proof = OwnedDualV2 {
        inclusion: ledger.inclusion(4, 6),
        consistency: ledger.consistency(3, 6),
        ..empty(4, 7)
    };
    let (back, on) = proof.check(&ledger.tx(4), &ledger.tx(7), STRICT);
    assert!(back.is_ok() && on.is_ok(), "the trees of 4 and 7 do not lag");
}

#[test]
fn the_headers_are_those_asked_for_and_trusted() {
    let ledger = Ledger::current(9);
    let honest = ledger.dual_v2(4, 9);
    let (expected, found) = (TxId::new(4), TxId::new(5));
    let part = Part::SourceHeader;
    let proof = OwnedDualV2 { source_header: ledger.header(5), ..honest.clone() };
    let error = DualError::HeaderTx { part, expected, found };
    assert_eq!(refused(&proof, &ledger, 4, 9), error);
    let (expected, found) = (TxId::new(9), TxId::new(8));
    let part = Part::TargetHeader;
    let proof = OwnedDualV2 { target_header: ledger.header(8), ..honest.clone() };
    let error = DualError::HeaderTx { part, expected, found };
    assert_eq!(refused(&proof, &ledger, 4, 9), error);

    let error = HeaderError::EntryCount { nentries: 0 };
    let mut proof = honest.clone();
    proof.target_header.nentries = 0;
    assert_eq!(refused(&proof, &ledger, 4, 9), DualError::Header { part, error });

    let (from, to) = (ledger.tx(4), ledger.tx(9));
    let other = |tx: TxAlh| TxAlh { alh: Alh::new(OTHER), ..tx };
    let (back, on) = honest.check(&other(from), &to, STRICT);
    assert_eq!(back.unwrap().alh(), from.alh);
    assert_eq!(on, Err(DualError::HeaderAlh { part: Part::SourceHeader, tx: from.tx }));
    let (back, on) = honest.check(&from, &other(to), STRICT);
    assert_eq!(back, Err(DualError::HeaderAlh { part: Part::TargetHeader, tx: to.tx }));
    assert_eq!(on, Err(DualError::HeaderAlh { part: Part::TargetHeader, tx: to.tx }));
}

#[test]
fn the_source_is_not_newer_than_the_target() {
    let ledger = Ledger::current(9);
    let (source_header, target_header) = (ledger.header(9), ledger.header(4));
    let proof = OwnedDualV2 { source_header, target_header, ..ledger.dual_v2(4, 9) };
    let (source, target) = (TxId::new(9), TxId::new(4));
    let error = DualError::SourceAfterTarget { source, target };
    assert_eq!(refused(&proof, &ledger, 9, 4), error);
}

#[test]
fn from_a_transaction_to_itself_there_is_nothing_to_show() {
    let ledger = Ledger::current(9);
    for id in 1..=9 {
        let honest = ledger.dual_v2(id, id);
        let proof = OwnedDualV2 { inclusion: vec![OTHER], ..honest.clone() };
        assert_eq!(refused(&proof, &ledger, id, id), DualError::Unneeded(Part::Inclusion));
        let proof = OwnedDualV2 { consistency: vec![OTHER], ..honest.clone() };
        assert_eq!(refused(&proof, &ledger, id, id), DualError::Unneeded(Part::Consistency));

        // Another header of the same transaction: the state decides which one there is.
        let mut other = honest.clone();
        other.source_header.ts += 1;
        let (back, on) = other.check(&ledger.tx(id), &ledger.tx(id), FORMAT);
        assert_eq!(back, Err(DualError::TwoHashes));
        let tx = TxId::new(id);
        assert_eq!(on, Err(DualError::HeaderAlh { part: Part::SourceHeader, tx }));
        // Nor does one follow from the other when each is believed.
        let alh = other.source_header.alh().unwrap();
        let (_, on) = other.check(&TxAlh { alh, ..ledger.tx(id) }, &ledger.tx(id), FORMAT);
        assert_eq!(on, Err(DualError::TwoHashes));
    }
}

#[test]
fn each_path_has_its_length_and_its_root() {
    let ledger = Ledger::current(17);
    for target in 2..=17 {
        for source in 1..target {
            let honest = ledger.dual_v2(source, target);
            let expected = honest.inclusion.len();
            for inclusion in reshaped(&honest.inclusion) {
                let found = inclusion.len();
                let proof = OwnedDualV2 { inclusion, ..honest.clone() };
                let error = if found == expected {
                    TreeError::RootMismatch
                } else {
                    TreeError::PathLength { expected, found }
                };
                let error = DualError::Inclusion(error);
                assert_eq!(refused(&proof, &ledger, source, target), error);
            }
            let expected = honest.consistency.len();
            for consistency in reshaped(&honest.consistency) {
                let found = consistency.len();
                let proof = OwnedDualV2 { consistency, ..honest.clone() };
                let DualError::Consistency(error) = refused(&proof, &ledger, source, target) else {
                    panic!("{source} to {target}");
                };
                if found != expected {
                    assert_eq!(error, TreeError::PathLength { expected, found });
                }
            }
        }
    }
}

/// Transaction 1 states no tree: the older one is that of transaction 1 alone.
#[test]
fn the_first_transaction_is_the_beginning_of_every_tree() {
    let ledger = Ledger::current(9);
    for target in 2..=9 {
        let honest = ledger.dual_v2(1, target);
        assert_eq!(honest.consistency.first(), (target > 2).then_some(&ledger.leaves[0]));
        let mut proof = honest.clone();
        if let Some(first) = proof.consistency.first_mut() {
            *first = OTHER;
            let error = DualError::Consistency(TreeError::OldRootMismatch);
            assert_eq!(refused(&proof, &ledger, 1, target), error);
        }
    }
}

/// A target whose tree ends with the source although its predecessor is another transaction: it is
/// no ledger's, but holds by the format's rules.
#[test]
fn a_tree_that_ends_with_another_transaction_than_the_chain_is_refused() {
    let ledger = Ledger::current(6);
    let mut proof = ledger.dual_v2(5, 6);
    proof.target_header.prev_alh = Alh::new(OTHER);
    let target = TxAlh { tx: TxId::new(6), alh: proof.target_header.alh().unwrap() };
    let (back, on) = proof.check(&ledger.tx(5), &target, STRICT);
    let error = DualError::LastLeaf { tx: TxId::new(5), legacy: true };
    assert_eq!((back, on), (Err(error), Err(error)));
    let (back, on) = proof.check(&ledger.tx(5), &target, FORMAT);
    assert!(back.is_ok() && on.is_ok());
}

/// A header with another predecessor than the tree's leaf is no ledger's. A proof from it shows
/// that leaf exactly where its own number is even.
#[test]
fn a_source_that_contradicts_its_tree_is_refused_where_the_proof_shows_it() {
    for source in 2..=17_u64 {
        let mut ledger = Ledger::current(source);
        ledger.headers[source as usize - 1].prev_alh = Alh::new(OTHER);
        ledger.leaves[source as usize - 1] = leaf(ledger.alh(source).as_bytes());
        for target in source + 1..=source + 17 {
            ledger.append(target - 1, *ledger.root(target - 1).as_bytes());
            let shown = source % 2 == 0;
            refused_if(shown, &ledger, source, target, source - 1);
        }
    }
}

/// Likewise a target, where the source's path has its tree's last leaf as a term.
#[test]
fn a_target_that_contradicts_its_tree_is_refused_where_the_proof_shows_it() {
    let mut seen = 0;
    for target in 3..=34_u64 {
        let mut ledger = Ledger::current(target);
        ledger.headers[target as usize - 1].prev_alh = Alh::new(OTHER);
        for source in 1..target {
            let last = &ledger.leaves[target as usize - 2];
            let shown = source + 1 == target || ledger.inclusion(source, target - 1).contains(last);
            seen += usize::from(shown);
            refused_if(shown, &ledger, source, target, target - 1);
        }
    }
    assert!(seen > 100, "{seen}");
}

/// The proof holds by the format's rules, and the strict policy refuses it if it shows that the
/// chain has another transaction than the tree.
fn refused_if(shown: bool, ledger: &Ledger, source: u64, target: u64, tx: u64) {
    let (from, to) = (ledger.tx(source), ledger.tx(target));
    let proof = ledger.dual_v2(source, target);
    let (back, on) = proof.check(&from, &to, FORMAT);
    assert!(back.is_ok() && on.is_ok(), "{source} to {target}");
    let error = shown.then_some(DualError::LastLeaf { tx: TxId::new(tx), legacy: true });
    let (back, on) = proof.check(&from, &to, STRICT);
    assert_eq!((back.err(), on.err()), (error, error), "{source} to {target}");
}

/// What numbers decide is decided first, even where no hash is right.
#[test]
fn counts_come_before_hashes() {
    let ledger = Ledger::current(9);
    let nothing = |tx: TxAlh| TxAlh { alh: Alh::new(OTHER), ..tx };
    let (from, to) = (nothing(ledger.tx(4)), nothing(ledger.tx(9)));
    let mut proof = ledger.dual_v2(4, 9);
    proof.consistency.push(OTHER);
    let (back, on) = proof.check(&from, &to, STRICT);
    let (expected, found) = (proof.consistency.len() - 1, proof.consistency.len());
    let error = DualError::Consistency(TreeError::PathLength { expected, found });
    assert_eq!((back, on), (Err(error), Err(error)));
    proof.inclusion.pop();
    let (expected, found) = (proof.inclusion.len() + 1, proof.inclusion.len());
    let error = DualError::Inclusion(TreeError::PathLength { expected, found });
    let (back, on) = proof.check(&from, &to, STRICT);
    assert_eq!((back, on), (Err(error), Err(error)));
}
