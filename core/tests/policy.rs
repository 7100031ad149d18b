//! How strictly proofs are taken: what the policy's limit counts, and what only the strict one
//! refuses.

mod ledger;
mod reference;

use counterfoil_core::*;
use ledger::{Ledger, TREES, stored};
use reference::{Hash, leaf};

const STRICT: ProofPolicy = ProofPolicy::STRICT;
const FORMAT: ProofPolicy = STRICT.legacy_untied();
const OTHER: Hash = [0xee; 32];

#[test]
fn the_default_is_strict_and_its_settings_do_not_touch_each_other() {
    assert_eq!(ProofPolicy::default(), STRICT);
    assert_ne!(FORMAT, STRICT);
    assert_eq!(STRICT.with_max_chain(4096), STRICT);
    assert_ne!(STRICT.with_max_chain(4095), STRICT);
    assert_eq!(FORMAT.with_max_chain(7), STRICT.with_max_chain(7).legacy_untied());
    assert_eq!(FORMAT.legacy_untied(), FORMAT);
}

/// Any hashes make some chain: the last transaction's hash is whatever comes out.
fn made_up(count: usize) -> (Vec<Hash>, TxAlh, TxAlh) {
    let terms: Vec<Hash> = (0..count as u64).map(|n| leaf(&n.to_be_bytes())).collect();
    let mut end = terms[0];
    for (tx, inner) in (2..).zip(&terms[1..]) {
        end = reference::chain(tx, &end, inner);
    }
    let at = |tx: usize, alh| TxAlh { tx: TxId::new(tx as u64), alh: Alh::new(alh) };
    (terms.clone(), at(1, terms[0]), at(count, end))
}

#[test]
fn a_chain_may_have_as_many_terms_as_the_limit_and_no_more() {
    for (terms, limit) in [(4096, None), (1, Some(1)), (7, Some(7)), (4097, Some(4097))] {
        let (chain, source, target) = made_up(terms);
        let proof = LinearProof { source: source.tx, target: target.tx, terms: &chain };
        let policy = limit.map_or(STRICT, |limit| STRICT.with_max_chain(limit));
        assert!(verify_linear(&proof, &source, &target, policy).is_ok(), "{terms}");
        let limit = terms - 1;
        let answer = verify_linear(&proof, &source, &target, policy.with_max_chain(limit));
        assert_eq!(answer, Err(ChainError::TooLong { terms, limit }));
    }
    let (chain, source, target) = made_up(4097);
    let proof = LinearProof { source: source.tx, target: target.tx, terms: &chain };
    let answer = verify_linear(&proof, &source, &target, STRICT);
    assert_eq!(answer, Err(ChainError::TooLong { terms: 4097, limit: 4096 }));
}

#[test]
fn a_linear_advance_is_limited_like_a_chain() {
    let ledger = Ledger::current(9);
    let (size, root) = (TreeSize::new(9), ledger.root(9));
    for end in 4..=9 {
        let proof = ledger.advance(2, end, 9).unwrap();
        let terms = proof.terms.len();
        let ask = |policy| {
            let end = ledger.tx(end);
            proof.with(|p| verify_linear_advance(Some(p), TxId::new(2), &end, size, &root, policy))
        };
        assert_eq!(ask(STRICT.with_max_chain(terms)), Ok(()));
        for limit in [0, terms - 1] {
            let error = ChainError::TooLong { terms, limit };
            assert_eq!(ask(STRICT.with_max_chain(limit)), Err(error));
        }
    }
}

#[test]
fn the_limit_holds_inside_dual_proofs() {
    let ledger = Ledger::with_trees(&[0, 1, 1, 1, 1, 1, 1, 5, 5, 5]);
    // A chain of 6 terms from 5 to 10, an advance of 4 from 1 to 5.
    let proof = ledger.dual(5, 10);
    assert_eq!((proof.linear.len(), proof.advance.as_ref().unwrap().terms.len()), (6, 4));
    let ask = |limit| {
        let policy = STRICT.with_max_chain(limit);
        let (back, on) = proof.check(&ledger.tx(5), &ledger.tx(10), policy);
        assert_eq!(back.err(), on.err());
        back.err()
    };
    assert_eq!(ask(6), None);
    for limit in [0, 4, 5] {
        let error = DualError::Linear(ChainError::TooLong { terms: 6, limit });
        assert_eq!(ask(limit), Some(error));
    }
    // An advance of 6 terms, and a chain of 2.
    let late = Ledger::with_trees(&[0, 1, 1, 1, 1, 1, 1, 7]);
    let proof = late.dual(7, 8);
    let (terms, limit) = (6, 5);
    assert_eq!(proof.advance.as_ref().unwrap().terms.len(), terms);
    let (back, _) = proof.check(&late.tx(7), &late.tx(8), STRICT.with_max_chain(limit));
    let error = DualError::LinearAdvance(ChainError::TooLong { terms, limit });
    assert_eq!(back, Err(error));
    assert!(proof.check(&late.tx(7), &late.tx(8), STRICT.with_max_chain(terms)).0.is_ok());
}

#[test]
fn where_no_tree_lags_being_strict_costs_nothing() {
    let ledger = Ledger::with_trees(TREES[0]);
    for target in 1..=ledger.len() {
        for source in 1..=target {
            let (from, to) = (ledger.tx(source), ledger.tx(target));
            let (back, on) = ledger.dual(source, target).check(&from, &to, STRICT);
            assert!(back.is_ok() && on.is_ok(), "{source} to {target}");
        }
    }
}

/// The tree of the target ends right before the source, and with another transaction than the one
/// to which the source's chain leads back.
#[test]
fn a_last_leaf_that_is_not_the_sources_predecessor_is_refused() {
    let mut ledger = Ledger::with_trees(&[0, 1, 1, 1]);
    let other = Header { ts: 0, ..ledger.header(3) };
    let alh = other.alh().unwrap();
    ledger.leaves[2] = leaf(alh.as_bytes());
    let root = *ledger.root(3).as_bytes();
    ledger.append(3, root);
    let mut proof = ledger.dual(4, 5);
    proof.target_bl_tx_alh = alh.to_bytes();
    proof.advance.as_mut().unwrap().terms[1] = *other.inner_hash().unwrap().as_bytes();

    let (from, to) = (ledger.tx(4), ledger.tx(5));
    let (back, on) = proof.check(&from, &to, FORMAT);
    assert!(back.is_ok() && on.is_ok(), "it holds by the rules of the format");
    let error = DualError::LastLeaf { tx: TxId::new(3), legacy: true };
    let (back, on) = proof.check(&from, &to, STRICT);
    assert_eq!((back, on), (Err(error), Err(error)));
}

/// Likewise where the source's own tree has that leaf, and only the target's lags.
#[test]
fn a_source_that_contradicts_itself_is_refused_where_the_proof_shows_it() {
    let mut ledger = Ledger::current(5);
    let other = Header { ts: 0, ..ledger.header(4) }.alh().unwrap();
    ledger.headers[4].prev_alh = other;
    ledger.leaves[4] = leaf(ledger.alh(5).as_bytes());
    for target in 5..8 {
        let proof = ledger.dual(5, target);
        let (from, to) = (ledger.tx(5), ledger.tx(target));
        let (back, on) = proof.check(&from, &to, FORMAT);
        assert!(back.is_ok() && on.is_ok(), "it holds by the rules of the format");
        let error = DualError::LastLeaf { tx: TxId::new(4), legacy: true };
        let (back, on) = proof.check(&from, &to, STRICT);
        assert_eq!((back, on), (Err(error), Err(error)), "5 to {target}");
        let root = *ledger.root(4).as_bytes();
        ledger.append(4, root);
    }
}

/// Likewise where the target's tree reaches further: the consistency path of a tree of odd size
/// begins with its last leaf.
#[test]
fn a_source_that_contradicts_its_own_tree_is_refused_where_the_proof_shows_it() {
    for source in 2..=9_u64 {
        let mut ledger = Ledger::current(source);
        ledger.headers[source as usize - 1].prev_alh = Alh::new(OTHER);
        ledger.leaves[source as usize - 1] = leaf(ledger.alh(source).as_bytes());
        // Trees that lag, and trees that do not.
        for tree in source..=source + 9 {
            let mut ledger =
                Ledger { headers: ledger.headers.clone(), leaves: ledger.leaves.clone() };
            while ledger.len() < tree {
                ledger.append(source, *ledger.root(source).as_bytes());
            }
            for _ in 0..2 {
                ledger.append(tree, *ledger.root(tree).as_bytes());
            }
            for target in [tree + 1, tree + 2] {
                let proof = ledger.dual(source, target);
                let (from, to) = (ledger.tx(source), ledger.tx(target));
                let (back, on) = proof.check(&from, &to, FORMAT);
                assert!(back.is_ok() && on.is_ok(), "{source} to {target}: {back:?}");
                let tx = TxId::new(source - 1);
                let error = (source % 2 == 0).then_some(DualError::LastLeaf { tx, legacy: true });
                let (back, on) = proof.check(&from, &to, STRICT);
                assert_eq!((back.err(), on.err()), (error, error), "{source} to {target}");
            }
        }
    }
}

/// A target whose tree ends with another transaction than its own predecessor.
#[test]
fn a_last_leaf_that_is_not_the_targets_predecessor_is_refused() {
    let mut ledger = Ledger::current(4);
    let alh = Header { ts: 0, ..ledger.header(4) }.alh().unwrap();
    ledger.leaves[3] = leaf(alh.as_bytes());
    let root = *ledger.root(4).as_bytes();
    ledger.append(4, root);
    let mut proof = ledger.dual(5, 5);
    proof.target_bl_tx_alh = alh.to_bytes();
    let tx = ledger.tx(5);
    let (back, on) = proof.check(&tx, &tx, FORMAT);
    assert!(back.is_ok() && on.is_ok(), "it holds by the rules of the format");
    let error = DualError::LastLeaf { tx: TxId::new(4), legacy: true };
    let (back, on) = proof.check(&tx, &tx, STRICT);
    assert_eq!((back, on), (Err(error), Err(error)));

    // To other sources the chain itself contradicts such a tree, whatever the policy.
    let mut proof = ledger.dual(2, 5);
    proof.target_bl_tx_alh = alh.to_bytes();
    proof.linear[0] = alh.to_bytes();
    let (back, _) = proof.check(&ledger.tx(2), &tx, FORMAT);
    assert_eq!(back, Err(DualError::Linear(ChainError::End)));
}

/// Where the target's tree ends with the source, that is so by any policy.
#[test]
fn a_last_leaf_that_is_not_the_source_is_refused_by_any_policy() {
    let ledger = Ledger::with_trees(TREES[2]);
    for (source, target) in [(4, 6), (4, 7), (7, 8), (7, 10)] {
        let mut proof = ledger.dual(source, target);
        assert_eq!(ledger.tree(target), source);
        proof.target_bl_tx_alh[0] ^= 1;
        for policy in [STRICT, FORMAT] {
            let (back, on) = proof.check(&ledger.tx(source), &ledger.tx(target), policy);
            let error = DualError::LastLeaf { tx: TxId::new(source), legacy: false };
            assert_eq!((back, on), (Err(error), Err(error)));
        }
    }
}

/// Of the proofs in the vectors that hold by the format, the strict policy refuses exactly these.
#[test]
fn the_vectors_that_only_the_strict_policy_refuses() {
    let mut refused = Vec::new();
    let mut ask = |name: String, check: &dyn Fn(ProofPolicy) -> [Option<DualError>; 2]| {
        assert_eq!(check(FORMAT), [None, None], "{name}");
        let [back, on] = check(STRICT);
        assert_eq!(back, on, "{name}");
        refused.extend(back.map(|error| (name, error)));
    };
    for case in stored::accepted("dual_proof", stored::dual) {
        ask(case.name, &|policy| {
            let (back, on) = case.proof.check(&case.source, &case.target, policy);
            [back.err(), on.err()]
        });
    }
    for case in stored::accepted("dual_proof_v2", stored::dual_v2) {
        ask(case.name, &|policy| {
            let (back, on) = case.proof.check(&case.source, &case.target, policy);
            [back.err(), on.err()]
        });
    }
    let (after, up_to) = (TxId::new(4), TxId::new(5));
    let last_leaf = |tx| DualError::LastLeaf { tx: TxId::new(tx), legacy: true };
    let expected = [
        // The source's tree ends with a false transaction, and the predecessor is the true one.
        ("false last leaf: tx 4 to the one after", last_leaf(3)),
        ("false last leaf: tx 6 to the one after", last_leaf(5)),
        ("false last leaf below the source: tx 7 to 8", DualError::Untied { after, up_to }),
        // The tree ends with transaction 2, and the predecessor is another one.
        (
            "store v1 tx 2 to 3: target header: bit flip in prev_alh, hashes made to fit",
            last_leaf(2),
        ),
    ];
    assert_eq!(refused, expected.map(|(name, error)| (name.to_owned(), error)));
}
