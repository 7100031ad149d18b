//! Linear-advance proofs: what a tree was late to take in stands in it as it stands in the chain.

mod ledger;
mod reference;

use counterfoil_core::*;
use ledger::Ledger;
use ledger::proof::OwnedAdvance;
use reference::{flip, leaf, reshaped};

const STRICT: ProofPolicy = ProofPolicy::STRICT;
const SIZE: u64 = 9;

/// From `start` to `end` in the tree over all transactions.
fn ask(
    ledger: &Ledger,
    proof: Option<&OwnedAdvance>,
    start: u64,
    end: &TxAlh,
) -> Result<(), ChainError> {
    let (size, root) = (TreeSize::new(ledger.len()), ledger.root(ledger.len()));
    let ask = |proof: Option<&LinearAdvanceProof<'_>>| {
        verify_linear_advance(proof, TxId::new(start), end, size, &root, STRICT)
    };
    match proof {
        None => ask(None),
        Some(proof) => proof.with(|proof| ask(Some(proof))),
    }
}

/// Every start and end between which something lies.
fn gaps(mut check: impl FnMut(&Ledger, u64, u64, OwnedAdvance)) {
    let ledger = Ledger::current(SIZE);
    for end in 0..=SIZE {
        for start in 0..end {
            if let Some(proof) = ledger.advance(start, end, SIZE) {
                check(&ledger, start, end, proof);
            }
        }
    }
}

#[test]
fn whatever_lies_in_between_is_shown() {
    let mut held = 0;
    gaps(|ledger, start, end, proof| {
        assert_eq!(ask(ledger, Some(&proof), start, &ledger.tx(end)), Ok(()));
        assert_eq!(ask(ledger, None, start, &ledger.tx(end)), Err(ChainError::Missing));
        held += 1;
    });
    assert_eq!(held, 36);
}

#[test]
fn where_nothing_lies_in_between_there_is_no_proof() {
    let ledger = Ledger::current(SIZE);
    let empty = OwnedAdvance { terms: Vec::new(), paths: Vec::new() };
    let one = OwnedAdvance { terms: ledger.chain(4, 4), paths: Vec::new() };
    for start in 1..=SIZE {
        for end in [start, start + 1] {
            // Nothing is said of the end itself, so its hash may be any.
            let end = TxAlh { tx: TxId::new(end), alh: Alh::new([1; 32]) };
            assert_eq!(ask(&ledger, None, start, &end), Ok(()));
            assert_eq!(ask(&ledger, Some(&empty), start, &end), Err(ChainError::Unneeded));
            assert_eq!(ask(&ledger, Some(&one), start, &end), Err(ChainError::Unneeded));
        }
    }
}

#[test]
fn the_end_is_not_before_the_start() {
    let ledger = Ledger::current(SIZE);
    let proof = ledger.advance(2, 6, SIZE).unwrap();
    for start in 2..=SIZE {
        for end in 1..start {
            let end = ledger.tx(end);
            assert_eq!(ask(&ledger, None, start, &end), Err(ChainError::Order));
            assert_eq!(ask(&ledger, Some(&proof), start, &end), Err(ChainError::Order));
        }
    }
}

#[test]
fn no_bit_of_a_term_or_of_a_path_can_differ() {
    gaps(|ledger, start, end, proof| {
        let to = ledger.tx(end);
        for place in 0..proof.terms.len() {
            // A term's change shows in the next transaction's leaf; the last one's in the end.
            let first_wrong = start + 1 + place as u64;
            let expected = if first_wrong < end {
                let tx = TxId::new(first_wrong);
                ChainError::Inclusion { tx, error: TreeError::RootMismatch }
            } else {
                ChainError::End
            };
            flip(&proof.terms[place], |term| {
                let mut flipped = proof.clone();
                flipped.terms[place] = term;
                assert_eq!(ask(ledger, Some(&flipped), start, &to), Err(expected));
            });
        }
        for path in 0..proof.paths.len() {
            let tx = TxId::new(start + 1 + path as u64);
            let expected = ChainError::Inclusion { tx, error: TreeError::RootMismatch };
            // One bit of each byte: paths themselves are flipped bit by bit elsewhere.
            for byte in 0..proof.paths[path].len() * 32 {
                let mut flipped = proof.clone();
                flipped.paths[path][byte / 32][byte % 32] ^= 1;
                assert_eq!(ask(ledger, Some(&flipped), start, &to), Err(expected));
            }
        }
        flip(to.alh.as_bytes(), |alh| {
            let other = TxAlh { alh: Alh::new(alh), ..to };
            assert_eq!(ask(ledger, Some(&proof), start, &other), Err(ChainError::End));
        });
    });
}

#[test]
fn terms_and_paths_are_counted() {
    gaps(|ledger, start, end, proof| {
        let to = ledger.tx(end);
        for terms in reshaped(&proof.terms) {
            let (expected, found) = (proof.terms.len() as u64, terms.len());
            let other = OwnedAdvance { terms, ..proof.clone() };
            let error = ask(ledger, Some(&other), start, &to).unwrap_err();
            if found as u64 != expected {
                assert_eq!(error, ChainError::TermCount { expected, found });
            }
        }
        let expected = proof.paths.len() as u64;
        for count in [proof.paths.len() - 1, proof.paths.len() + 1] {
            let mut other = proof.clone();
            other.paths.resize(count, proof.paths[0].clone());
            let counted = ChainError::PathCount { expected, found: count };
            assert_eq!(ask(ledger, Some(&other), start, &to), Err(counted));
        }
        for place in 0..proof.paths.len() {
            let tx = TxId::new(start + 1 + place as u64);
            let expected = proof.paths[place].len();
            for path in reshaped(&proof.paths[place]) {
                let found = path.len();
                let mut other = proof.clone();
                other.paths[place] = path;
                let error = if found == expected {
                    TreeError::RootMismatch
                } else {
                    TreeError::PathLength { expected, found }
                };
                let inclusion = ChainError::Inclusion { tx, error };
                assert_eq!(ask(ledger, Some(&other), start, &to), Err(inclusion));
            }
        }
    });
}

#[test]
fn what_the_tree_does_not_hold_is_not_in_it() {
    let ledger = Ledger::current(SIZE);
    let proof = ledger.advance(4, 8, SIZE).unwrap();
    for size in 0..7 {
        let end = ledger.tx(8);
        let answer = proof.with(|proof| {
            let (size, root) = (TreeSize::new(size), ledger.root(size));
            verify_linear_advance(Some(proof), TxId::new(4), &end, size, &root, STRICT)
        });
        // Transaction 5 is the first, and a tree of 5 or 6 has another path for it.
        let Err(ChainError::Inclusion { tx, error }) = answer else { panic!("{answer:?}") };
        assert_eq!(tx.get(), 5);
        match error {
            TreeError::IndexOutOfRange { index, .. } => {
                assert_eq!((index.get(), size < 5), (4, true))
            }
            error => assert!(matches!(error, TreeError::PathLength { .. }), "{error:?}"),
        }
    }
}

/// A tree that has another transaction in one place than the chain has.
#[test]
fn a_tree_that_contradicts_the_chain_is_refused() {
    for false_tx in 2..8 {
        let mut ledger = Ledger::current(SIZE);
        ledger.leaves[false_tx as usize - 1] = leaf(b"another transaction");
        let proof = ledger.advance(1, 8, SIZE).unwrap();
        let tx = TxId::new(false_tx);
        let expected = ChainError::Inclusion { tx, error: TreeError::RootMismatch };
        assert_eq!(ask(&ledger, Some(&proof), 1, &ledger.tx(8)), Err(expected));
        // What lies after it is not affected.
        if let Some(after) = ledger.advance(false_tx, 8, SIZE) {
            assert_eq!(ask(&ledger, Some(&after), false_tx, &ledger.tx(8)), Ok(()));
        }
    }
}

/// What numbers decide is decided first: count of terms, count of paths, length of each path.
#[test]
fn counts_come_before_hashes() {
    let ledger = Ledger::current(SIZE);
    let honest = ledger.advance(2, 6, SIZE).unwrap();
    let to = TxAlh { alh: Alh::new([9; 32]), ..ledger.tx(6) };
    let junk = OwnedAdvance {
        terms: vec![[8; 32]; 4],
        paths: honest.paths.iter().map(|path| vec![[8; 32]; path.len()]).collect(),
    };
    let first = ChainError::Inclusion { tx: TxId::new(3), error: TreeError::RootMismatch };
    assert_eq!(ask(&ledger, Some(&junk), 2, &to), Err(first));
    let mut long = junk.clone();
    long.paths[2].push([8; 32]);
    let error =
        TreeError::PathLength { expected: honest.paths[2].len(), found: long.paths[2].len() };
    let last = ChainError::Inclusion { tx: TxId::new(5), error };
    assert_eq!(ask(&ledger, Some(&long), 2, &to), Err(last));
    long.paths.pop();
    let paths = ChainError::PathCount { expected: 3, found: 2 };
    assert_eq!(ask(&ledger, Some(&long), 2, &to), Err(paths));
    long.terms.pop();
    let terms = ChainError::TermCount { expected: 4, found: 3 };
    assert_eq!(ask(&ledger, Some(&long), 2, &to), Err(terms));
}
