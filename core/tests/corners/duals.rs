//! Transactions at the end of the numbers, under the last one.

use counterfoil_core::*;

use super::reference::{Hash, root_from_path, roots_from_consistency};
use super::{header, terms};

const STRICT: ProofPolicy = ProofPolicy::STRICT;

/// The last transaction and the one before it, in a ledger whose tree does not lag.
struct Last {
    source: Header<'static>,
    target: Header<'static>,
    inclusion: Vec<Hash>,
    consistency: Vec<Hash>,
}

/// Made-up terms lead from the source to some root, and the tree to the left of the source has
/// the root to which the same terms lead without it.
fn last() -> Last {
    let (index, size) = (u64::MAX - 2, u64::MAX - 1);
    let len = inclusion_path_len(LeafIndex::new(index), TreeSize::new(size)).unwrap();
    let mut inclusion = terms(len);
    // Every term stands on the left, and the first is the leaf before the source.
    let (before, left) = inclusion.split_first_mut().unwrap();
    *before = header(u64::MAX - 1, u64::MAX - 2).prev_alh.leaf_hash().to_bytes();
    let left = &*left;
    let made_up = [&[*before, [0; 32]], left].concat();
    let (old_root, _) = roots_from_consistency(index, size, &made_up, &[0; 32]).unwrap();
    let bl_root = Root::new(old_root);
    let source = Header { bl_root, nentries: 1, ..header(u64::MAX - 1, u64::MAX - 2) };

    let alh = source.alh().unwrap();
    let leaf = alh.leaf_hash().to_bytes();
    let consistency = [&[*before, leaf], left].concat();
    let root = root_from_path(&leaf, index, size, &inclusion).unwrap();
    assert_eq!(roots_from_consistency(index, size, &consistency, &[0; 32]), Some((old_root, root)));
    let bl_root = Root::new(root);
    let target = Header { prev_alh: alh, bl_root, nentries: 1, ..header(u64::MAX, u64::MAX - 1) };
    Last { source, target, inclusion, consistency }
}

fn state(header: &Header<'_>) -> TrustedState {
    TrustedState { tx: header.id, alh: header.alh().unwrap() }
}

#[test]
fn the_last_but_one_transaction_is_verified_under_the_last() {
    let Last { source, target, inclusion, consistency } = last();
    let (from, to) = (state(&source), state(&target));
    let tx = to.verify_tx(&target, &source, &inclusion).unwrap();
    assert_eq!((tx.id(), tx.alh()), (from.tx, from.alh));

    let chain = [from.alh.to_bytes(), *target.inner_hash().unwrap().as_bytes()];
    // The source is the last leaf, not one before it.
    let dual = DualProof {
        source_header: source,
        target_header: target,
        inclusion: &[],
        consistency: &consistency,
        target_bl_tx_alh: from.alh,
        last_inclusion: &inclusion,
        linear: LinearProof { source: from.tx, target: to.tx, terms: &chain },
        linear_advance: None,
    };
    assert_eq!(to.verify_tx_dual(from.tx, &dual, STRICT), Ok(tx));
    let extension = from.verify_extension(&to.into(), &dual, STRICT).unwrap();
    assert_eq!((extension.from(), extension.to()), (from, to.into()));

    let v2 = DualProofV2 {
        source_header: source,
        target_header: target,
        inclusion: &inclusion,
        consistency: &consistency,
    };
    assert_eq!(to.verify_tx_dual_v2(from.tx, &v2, STRICT), Ok(tx));
    assert_eq!(from.verify_extension_v2(&to.into(), &v2, STRICT), Ok(extension));
}

#[test]
fn the_last_transaction_is_verified_under_itself() {
    let target = last().target;
    let to = state(&target);
    let first = TrustedState::first_contact(&to.into(), &target).unwrap();
    assert_eq!(first.state(), to.into());
    let tx = to.verify_tx(&target, &target, &[]).unwrap();
    assert_eq!(tx.id().get(), u64::MAX);
    let v2 = DualProofV2 {
        source_header: target,
        target_header: target,
        inclusion: &[],
        consistency: &[],
    };
    assert_eq!(to.verify_tx_dual_v2(to.tx, &v2, STRICT), Ok(tx));
}

#[test]
fn one_count_off_is_refused_there_too() {
    let Last { source, target, inclusion, consistency } = last();
    let (from, to) = (state(&source), state(&target));
    let honest = DualProofV2 {
        source_header: source,
        target_header: target,
        inclusion: &inclusion,
        consistency: &consistency,
    };
    let short = DualProofV2 { inclusion: &inclusion[1..], ..honest };
    let (expected, found) = (inclusion.len(), inclusion.len() - 1);
    let error = DualError::Inclusion(TreeError::PathLength { expected, found });
    assert_eq!(to.verify_tx_dual_v2(from.tx, &short, STRICT), Err(error));
    let short = DualProofV2 { consistency: &consistency[1..], ..honest };
    let (expected, found) = (consistency.len(), consistency.len() - 1);
    let error = DualError::Consistency(TreeError::PathLength { expected, found });
    assert_eq!(to.verify_tx_dual_v2(from.tx, &short, STRICT), Err(error));
    for tx in [0, 1, u64::MAX - 2, u64::MAX] {
        let (expected, part) = (TxId::new(tx), Part::SourceHeader);
        let error = DualError::HeaderTx { part, expected, found: from.tx };
        assert_eq!(to.verify_tx_dual_v2(expected, &honest, STRICT), Err(error));
    }
}
