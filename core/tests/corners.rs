//! The ends of the numbers: every function that takes one, at 0, around 2^63 and at 2^64 − 1. A
//! true statement out there holds, and nothing overflows, in debug and in release builds
//! (`scripts/test` runs both).

use counterfoil_core::*;
use proptest::prelude::*;

mod reference;

use reference::{Hash, root_from_path, roots_from_consistency};

const CORNERS: [u64; 11] = [
    0,
    1,
    2,
    3,
    (1 << 32) - 1,
    (1 << 63) - 1,
    1 << 63,
    (1 << 63) + 1,
    u64::MAX - 2,
    u64::MAX - 1,
    u64::MAX,
];

fn terms(count: usize) -> Vec<Hash> {
    (0..count).map(|term| [term as u8 ^ 0xa5; 32]).collect()
}

/// The root to which made-up terms lead is the root of some tree: whoever asks for exactly that is
/// told so.
#[test]
fn inclusion_holds_where_the_tree_is_as_large_as_it_gets() {
    let mut held = 0;
    for size in CORNERS {
        for index in CORNERS {
            let (at, of) = (LeafIndex::new(index), TreeSize::new(size));
            let leaf = LeafHash::new([9; 32]);
            let Some(len) = inclusion_path_len(at, of) else {
                assert!(index >= size);
                let outside = TreeError::IndexOutOfRange { index: at, size: of };
                let anything = terms(64);
                let answer = verify_inclusion(&leaf, at, of, &anything, &Root::new([0; 32]));
                assert_eq!(answer, Err(outside));
                continue;
            };
            assert!(index < size && len <= 64);
            let path = terms(len);
            let root = root_from_path(leaf.as_bytes(), index, size, &path).expect("a path");
            let root = Root::new(root);
            verify_inclusion(&leaf, at, of, &path, &root).unwrap();
            if index + 1 == size {
                verify_last_inclusion(&leaf, of, &path, &root).unwrap();
                held += 1;
            }
            for wrong in [len.checked_sub(1), Some(len + 1)].into_iter().flatten() {
                let error = TreeError::PathLength { expected: len, found: wrong };
                assert_eq!(verify_inclusion(&leaf, at, of, &terms(wrong), &root), Err(error));
            }
        }
    }
    assert!(held >= 6, "{held}");
}

#[test]
fn consistency_holds_between_trees_as_large_as_they_get() {
    for new in CORNERS {
        for old in CORNERS {
            let (old_size, new_size) = (TreeSize::new(old), TreeSize::new(new));
            let Some(len) = consistency_path_len(old_size, new_size) else {
                let root = Root::new([1; 32]);
                let answer = verify_consistency(old_size, &root, new_size, &root, &[]);
                let expected = if old == 0 {
                    TreeError::OldSizeZero
                } else {
                    TreeError::SizesReversed { old: old_size, new: new_size }
                };
                assert_eq!(answer, Err(expected));
                assert_eq!(
                    verify_consistency_immudb(old_size, &root, new_size, &root, &[]),
                    Err(expected)
                );
                continue;
            };
            assert!(0 < old && old <= new && len <= 65);
            let seed = [0x77; 32];
            let path = terms(len);
            let (old_root, new_root) = if old == new {
                (seed, seed)
            } else {
                roots_from_consistency(old, new, &path, &seed).expect("a path")
            };
            let (old_root, new_root) = (Root::new(old_root), Root::new(new_root));
            let answer = verify_consistency(old_size, &old_root, new_size, &new_root, &path);
            assert_eq!(answer, Ok(()), "{old} to {new}");
            let surplus = terms(len + 1);
            verify_consistency(old_size, &old_root, new_size, &new_root, &surplus).unwrap_err();
        }
    }
}

fn header(id: u64, bl_tx_id: u64) -> Header<'static> {
    Header {
        id: TxId::new(id),
        prev_alh: Alh::new([3; 32]),
        ts: if id.is_multiple_of(2) { i64::MIN } else { i64::MAX },
        version: HeaderVersion::V1,
        metadata: TxMetadata { truncated_tx_id: Some(u64::MAX), extra: None },
        nentries: 0x7fff_ffff,
        eh: Root::new([4; 32]),
        bl_tx_id: TxId::new(bl_tx_id),
        bl_root: Root::new([5; 32]),
    }
}

#[test]
fn headers_are_judged_by_their_numbers_alone() {
    for id in CORNERS {
        for bl_tx_id in CORNERS {
            let header = header(id, bl_tx_id);
            let expected = match id {
                0 => Err(HeaderError::IdZero),
                _ if bl_tx_id >= id => {
                    Err(HeaderError::TreeNotBehind { id: header.id, bl_tx_id: header.bl_tx_id })
                }
                _ => Ok(()),
            };
            assert_eq!(header.alh().map(|_| ()), expected);
            assert_eq!(header.inner_hash().map(|_| ()), expected);
        }
    }
    for nentries in [0, 1, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        for (version, most) in [(HeaderVersion::V0, 0xffff), (HeaderVersion::V1, 0x7fff_ffff)] {
            let metadata = TxMetadata::default();
            let header = Header { nentries, version, metadata, ..header(7, 6) };
            let holds = (1..=most).contains(&nentries);
            assert_eq!(header.alh().is_ok(), holds, "{nentries} in {version:?}");
        }
    }
}

/// The last step that there is.
#[test]
fn a_chain_reaches_the_last_number() {
    let last = header(u64::MAX, u64::MAX - 1);
    let source = TxAlh { tx: TxId::new(u64::MAX - 1), alh: last.prev_alh };
    let target = TxAlh { tx: last.id, alh: last.alh().unwrap() };
    let terms = [source.alh.to_bytes(), *last.inner_hash().unwrap().as_bytes()];
    let proof = LinearProof { source: source.tx, target: target.tx, terms: &terms };
    let link = verify_linear(&proof, &source, &target, ProofPolicy::STRICT).unwrap();
    assert_eq!((link.source(), link.target()), (source, target));
    assert_eq!(TxId::new(u64::MAX).next(), None);
    assert_eq!(TxId::new(0).leaf_index(), None);
    assert_eq!(TxId::new(u64::MAX).leaf_index(), Some(LeafIndex::new(u64::MAX - 1)));

    for from in CORNERS {
        for to in CORNERS {
            let (source, target) =
                (TxAlh { tx: TxId::new(from), ..source }, TxAlh { tx: TxId::new(to), ..target });
            let proof = LinearProof { source: source.tx, target: target.tx, terms: &terms };
            let answer = verify_linear(&proof, &source, &target, ProofPolicy::STRICT);
            let expected = match to.checked_sub(from) {
                None => ChainError::Order,
                Some(_) if from == 0 => ChainError::Order,
                Some(1) if to == u64::MAX => continue,
                Some(1) => ChainError::End,
                Some(steps) => ChainError::TermCount { expected: steps + 1, found: 2 },
            };
            assert_eq!(answer, Err(expected), "{from} to {to}");
        }
    }
}

#[test]
fn a_linear_advance_counts_without_overflow() {
    let root = Root::new([6; 32]);
    let empty = LinearAdvanceProof { terms: &[], inclusion: &[] };
    for start in CORNERS {
        for end in CORNERS {
            for size in CORNERS {
                let target = TxAlh { tx: TxId::new(end), alh: Alh::new([7; 32]) };
                let ask = |proof| {
                    let (start, size) = (TxId::new(start), TreeSize::new(size));
                    verify_linear_advance(proof, start, &target, size, &root, ProofPolicy::STRICT)
                };
                let (without, with) = match end.checked_sub(start) {
                    None => (Err(ChainError::Order), Err(ChainError::Order)),
                    Some(0 | 1) => (Ok(()), Err(ChainError::Unneeded)),
                    Some(steps) => (
                        Err(ChainError::Missing),
                        Err(ChainError::TermCount { expected: steps, found: 0 }),
                    ),
                };
                assert_eq!(ask(None), without, "{start} to {end} in {size}");
                assert_eq!(ask(Some(&empty)), with, "{start} to {end} in {size}");
            }
        }
    }
}

/// One transaction at the end of the numbers, under the next and last: by path and by both dual
/// proofs.
#[test]
fn the_last_but_one_transaction_is_verified_under_the_last() {
    let (index, size) = (LeafIndex::new(u64::MAX - 2), TreeSize::new(u64::MAX - 1));
    let source = Header { nentries: 1, ..header(u64::MAX - 1, u64::MAX - 2) };
    let alh = source.alh().unwrap();
    let path = terms(inclusion_path_len(index, size).unwrap());
    let root = root_from_path(alh.leaf_hash().as_bytes(), index.get(), size.get(), &path).unwrap();
    let target = Header {
        prev_alh: alh,
        bl_root: Root::new(root),
        nentries: 1,
        ..header(u64::MAX, u64::MAX - 1)
    };
    let state = TrustedState { tx: target.id, alh: target.alh().unwrap() };
    let tx = state.verify_tx(&target, &source, &path).unwrap();
    assert_eq!((tx.id(), tx.alh()), (source.id, alh));

    // The older tree is everything to the left of that last leaf.
    let (old, new) = (TreeSize::new(u64::MAX - 2), size);
    let len = consistency_path_len(old, new).unwrap();
    assert!(len > 0);
    let empty: [Hash; 0] = [];
    let chain = [alh.to_bytes(), *target.inner_hash().unwrap().as_bytes()];
    let dual = DualProof {
        source_header: source,
        target_header: target,
        inclusion: &empty,
        consistency: &terms(len + 1),
        target_bl_tx_alh: alh,
        last_inclusion: &path,
        linear: LinearProof { source: source.id, target: target.id, terms: &chain },
        linear_advance: None,
    };
    let answer = state.verify_tx_dual(source.id, &dual, ProofPolicy::STRICT);
    assert!(matches!(answer, Err(DualError::Consistency(_))), "{answer:?}");
    let v2 = DualProofV2 {
        source_header: source,
        target_header: target,
        inclusion: &path,
        consistency: &empty,
    };
    let answer = state.verify_tx_dual_v2(source.id, &v2, ProofPolicy::STRICT);
    assert!(matches!(answer, Err(DualError::Consistency(TreeError::PathLength { .. }))));
}

#[test]
fn a_tree_that_is_full_takes_no_more() {
    for size in CORNERS {
        let peaks = terms(size.count_ones() as usize);
        let mut tree = Frontier::from_peaks(TreeSize::new(size), &peaks).unwrap();
        let before = tree.clone();
        let pushed = tree.push(LeafHash::new([8; 32]));
        if size == u64::MAX {
            assert_eq!(pushed, Err(TreeError::Full));
            assert_eq!(tree, before);
        } else {
            assert_eq!(pushed, Ok(()));
            assert_eq!(tree.size().get(), size + 1);
            assert_eq!(tree.peaks().len(), (size + 1).count_ones() as usize);
        }
    }
}

fn corner() -> impl Strategy<Value = u64> {
    prop_oneof![
        proptest::sample::select(CORNERS.to_vec()),
        any::<u64>(),
        (0..64_u32, -2..3_i64).prop_map(|(bit, off)| (1_u64 << bit).wrapping_add_signed(off)),
    ]
}

proptest! {
    /// Any numbers and few terms, for whatever takes numbers: an answer, and no panic.
    #[test]
    fn any_numbers_are_answered(
        numbers in proptest::collection::vec(corner(), 8),
        count in 0..5_usize,
        limit in proptest::sample::select(vec![0, 1, 4096, usize::MAX]),
    ) {
        let [a, b, c, d, e, f, g, h] = numbers[..] else { unreachable!() };
        let path = terms(count);
        let paths: Vec<&[Hash]> = vec![&path; count];
        let policy = ProofPolicy::STRICT.with_max_chain(limit);
        let (source_header, target_header) = (header(a, b), header(c, d));
        let proof = DualProof {
            source_header,
            target_header,
            inclusion: &path,
            consistency: &path,
            target_bl_tx_alh: Alh::new([1; 32]),
            last_inclusion: &path,
            linear: LinearProof { source: TxId::new(e), target: TxId::new(f), terms: &path },
            linear_advance: Some(LinearAdvanceProof { terms: &path, inclusion: &paths }),
        };
        let v2 = DualProofV2 { source_header, target_header, inclusion: &path, consistency: &path };
        let state = |tx| TrustedState { tx: TxId::new(tx), alh: Alh::new([2; 32]) };
        for policy in [policy, policy.legacy_untied()] {
            prop_assert!(state(c).verify_tx_dual(TxId::new(a), &proof, policy).is_err());
            prop_assert!(state(c).verify_tx_dual_v2(TxId::new(a), &v2, policy).is_err());
            prop_assert!(state(a).verify_extension(&state(c).into(), &proof, policy).is_err());
            prop_assert!(state(a).verify_extension_v2(&state(c).into(), &v2, policy).is_err());
        }
        prop_assert!(state(g).verify_tx(&source_header, &target_header, &path).is_err());
        prop_assert!(TrustedState::first_contact(&state(h).into(), &source_header).is_err());
    }
}
