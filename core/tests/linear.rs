//! Chains: exactly one list of terms leads from one transaction to another.

mod ledger;
mod reference;

use counterfoil_core::*;
use ledger::Ledger;
use reference::{Hash, flip, leaf, reshaped};

const STRICT: ProofPolicy = ProofPolicy::STRICT;

/// Asks with the numbers in the proof that are asked for.
fn ask(terms: &[Hash], source: &TxAlh, target: &TxAlh) -> Result<ChainLink, ChainError> {
    let proof = LinearProof { source: source.tx, target: target.tx, terms };
    verify_linear(&proof, source, target, STRICT)
}

#[test]
fn every_two_transactions_of_a_chain_are_linked() {
    let ledger = Ledger::current(12);
    for target in 1..=12 {
        for source in 1..=target {
            let (from, to) = (ledger.tx(source), ledger.tx(target));
            let link = ask(&ledger.chain(source, target), &from, &to).unwrap();
            assert_eq!((link.source(), link.target()), (from, to));
        }
    }
}

#[test]
fn no_bit_of_a_chain_or_of_its_ends_can_differ() {
    let ledger = Ledger::current(6);
    for (source, target) in [(1, 1), (6, 6), (1, 2), (1, 6), (3, 5)] {
        let (from, to) = (ledger.tx(source), ledger.tx(target));
        let terms = ledger.chain(source, target);
        for place in 0..terms.len() {
            let expected = if place == 0 { ChainError::FirstTerm } else { ChainError::End };
            flip(&terms[place], |term| {
                let mut flipped = terms.clone();
                flipped[place] = term;
                assert_eq!(ask(&flipped, &from, &to), Err(expected));
            });
        }
        flip(from.alh.as_bytes(), |alh| {
            let other = TxAlh { alh: Alh::new(alh), ..from };
            assert_eq!(ask(&terms, &other, &to), Err(ChainError::FirstTerm));
            // Nor is another chain from there one to the same end.
            let mut flipped = terms.clone();
            flipped[0] = alh;
            assert_eq!(ask(&flipped, &other, &to), Err(ChainError::End));
        });
        flip(to.alh.as_bytes(), |alh| {
            let other = TxAlh { alh: Alh::new(alh), ..to };
            assert_eq!(ask(&terms, &from, &other), Err(ChainError::End));
        });
    }
}

#[test]
fn a_chain_has_one_term_for_each_transaction() {
    let ledger = Ledger::current(8);
    for target in 1..=8 {
        for source in 1..=target {
            let terms = ledger.chain(source, target);
            let (from, to) = (ledger.tx(source), ledger.tx(target));
            for other in reshaped(&terms).into_iter().chain([Vec::new()]) {
                let (expected, found) = (terms.len() as u64, other.len());
                match ask(&other, &from, &to).unwrap_err() {
                    error if terms.len() != other.len() => {
                        assert_eq!(error, ChainError::TermCount { expected, found });
                    }
                    error => assert!(matches!(error, ChainError::FirstTerm | ChainError::End)),
                }
            }
        }
    }
}

/// The number of every transaction is hashed.
#[test]
fn the_same_hashes_are_no_chain_under_other_numbers() {
    let ledger = Ledger::current(6);
    let terms = ledger.chain(2, 5);
    for off in 1..40 {
        let at = |id: u64| TxId::new(id + off);
        let (from, to) = (TxAlh { tx: at(2), ..ledger.tx(2) }, TxAlh { tx: at(5), ..ledger.tx(5) });
        assert_eq!(ask(&terms, &from, &to), Err(ChainError::End));
    }
}

#[test]
fn a_chain_runs_forwards_from_a_transaction() {
    let ledger = Ledger::current(5);
    let terms = ledger.chain(2, 4);
    let [two, four] = [2, 4].map(|id| ledger.tx(id));
    assert_eq!(ask(&terms, &four, &two), Err(ChainError::Order));
    // Transaction 0 is none, not even the one before the first.
    let none = TxAlh { tx: TxId::new(0), alh: Alh::BEFORE_FIRST };
    assert_eq!(ask(&[none.alh.to_bytes()], &none, &none), Err(ChainError::Order));
    let one = ledger.tx(1);
    let first = *ledger.header(1).inner_hash().unwrap().as_bytes();
    assert_eq!(ask(&[none.alh.to_bytes(), first], &none, &one), Err(ChainError::Order));
}

#[test]
fn a_proof_of_other_transactions_is_none_of_these() {
    let ledger = Ledger::current(6);
    let (from, to) = (ledger.tx(2), ledger.tx(5));
    let terms = ledger.chain(2, 5);
    for (source, target) in [(1, 5), (2, 4), (2, 6), (3, 6), (5, 2), (0, 0), (0, u64::MAX)] {
        let (source, target) = (TxId::new(source), TxId::new(target));
        let proof = LinearProof { source, target, terms: &terms };
        let answer = verify_linear(&proof, &from, &to, STRICT);
        assert_eq!(
            answer,
            Err(ChainError::Ids { expected: (from.tx, to.tx), found: (source, target) })
        );
    }
}

/// What numbers decide is decided first, whatever the hashes are.
#[test]
fn counts_come_before_hashes() {
    let junk = [leaf(b"junk"); 3];
    let at = |id| TxAlh { tx: TxId::new(id), alh: Alh::new([7; 32]) };
    let count = ChainError::TermCount { expected: 4, found: 3 };
    assert_eq!(ask(&junk, &at(5), &at(8)), Err(count));
    let proof = LinearProof { source: TxId::new(5), target: TxId::new(7), terms: &junk };
    let answer = verify_linear(&proof, &at(5), &at(7), STRICT.with_max_chain(2));
    assert_eq!(answer, Err(ChainError::TooLong { terms: 3, limit: 2 }));
    assert_eq!(ask(&junk, &at(5), &at(7)), Err(ChainError::FirstTerm));
}
