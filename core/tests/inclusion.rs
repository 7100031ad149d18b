//! Inclusion in all small trees, against the definition.

mod reference;

use counterfoil_core::{
    LeafHash, LeafIndex, Root, TreeError, TreeSize, inclusion_path_len, verify_inclusion,
};
use reference::{Hash, flip, leaves, path, reshaped, root, root_from_path};

const SIZES: usize = 130;

fn verify(leaf: &Hash, m: u64, n: u64, path: &[Hash], root: &Hash) -> Result<(), TreeError> {
    let (leaf, root) = (LeafHash::new(*leaf), Root::new(*root));
    verify_inclusion(&leaf, LeafIndex::new(m), TreeSize::new(n), path, &root)
}

/// Calls `visit` with every leaf of every tree: index, size, leaf, path, root.
fn every_leaf(sizes: usize, mut visit: impl FnMut(u64, u64, &Hash, &[Hash], &Hash)) {
    let all = leaves(sizes);
    for n in 1..=sizes {
        let tree = &all[..n];
        let root = root(tree);
        for m in 0..n {
            visit(m as u64, n as u64, &tree[m], &path(m, tree), &root);
        }
    }
}

#[test]
fn every_honest_path_is_accepted_and_has_the_stated_length() {
    every_leaf(SIZES, |m, n, leaf, path, root| {
        assert_eq!(verify(leaf, m, n, path, root), Ok(()), "{m} of {n}");
        let len = inclusion_path_len(LeafIndex::new(m), TreeSize::new(n));
        assert_eq!(len, Some(path.len()), "{m} of {n}");
    });
}

#[test]
fn every_flipped_bit_is_refused() {
    every_leaf(SIZES, |m, n, leaf, path, root| {
        let refused = Err(TreeError::RootMismatch);
        flip(leaf, |leaf| assert_eq!(verify(&leaf, m, n, path, root), refused));
        flip(root, |root| assert_eq!(verify(leaf, m, n, path, &root), refused));
        let mut flipped = path.to_vec();
        for i in 0..path.len() {
            flip(&path[i], |term| {
                flipped[i] = term;
                assert_eq!(verify(leaf, m, n, &flipped, root), refused, "{m} of {n}, term {i}");
            });
            flipped[i] = path[i];
        }
    });
}

#[test]
fn every_other_list_of_terms_is_refused() {
    every_leaf(SIZES, |m, n, leaf, path, root| {
        for other in reshaped(path) {
            let refused = verify(leaf, m, n, &other, root);
            if other.len() == path.len() {
                assert_eq!(refused, Err(TreeError::RootMismatch), "{m} of {n}");
            } else {
                let length = TreeError::PathLength { expected: path.len(), found: other.len() };
                assert_eq!(refused, Err(length), "{m} of {n}");
            }
        }
    });
}

/// A path of one leaf is offered for every other leaf of every other size. A root does not commit
/// to its size, so some such claims are true (leaf 4 of 5 has the path of leaf 2 of 3 in a tree
/// whose left part is one hash): exactly those pass that the definition of a path makes true.
#[test]
fn of_all_claims_about_a_path_exactly_the_true_ones_pass() {
    let (mut true_claims, mut false_claims) = (0, 0);
    every_leaf(40, |m, n, leaf, path, root| {
        for other_n in 0..48 {
            for other_m in 0..other_n + 2 {
                let truth = root_from_path(leaf, other_m, other_n, path) == Some(*root);
                let verdict = verify(leaf, other_m, other_n, path, root).is_ok();
                assert_eq!(verdict, truth, "{m} of {n} claimed as {other_m} of {other_n}");
                if (m, n) != (other_m, other_n) {
                    if truth { true_claims += 1 } else { false_claims += 1 }
                }
            }
        }
    });
    assert!(true_claims > 1_000 && false_claims > 500_000, "{true_claims} {false_claims}");
}

#[test]
fn another_leaf_never_passes_for_an_index() {
    let all = leaves(SIZES);
    every_leaf(SIZES, |m, n, _, path, root| {
        for other in (0..n).filter(|other| *other != m) {
            assert!(verify(&all[other as usize], m, n, path, root).is_err(), "{other} for {m}");
        }
    });
}

/// The last leaf, and leaves on either side of the greatest power of two, at sizes that no ledger
/// has: a path of made-up terms holds for the root that the definition gives for it, and for no
/// neighbouring one.
#[test]
fn enormous_trees_follow_the_definition() {
    let terms = leaves(66);
    let leaf = reference::leaf(b"leaf");
    let top = 1 << 63;
    for n in [top - 1, top, top + 1, top + 2, u64::MAX - 1, u64::MAX, 1 << 32, (1 << 32) + 1] {
        for m in [0, 1, 2, n / 3, n / 2 - 1, n / 2, n / 2 + 1, n - 3, n - 2, n - 1, top - 1, top] {
            let index = LeafIndex::new(m);
            let Some(len) = inclusion_path_len(index, TreeSize::new(n)) else {
                assert!(m >= n, "{m} of {n}");
                continue;
            };
            let path = &terms[..len];
            let root = root_from_path(&leaf, m, n, path).expect("a path of that length");
            assert_eq!(verify(&leaf, m, n, path, &root), Ok(()), "{m} of {n}");
            for other in reshaped(path) {
                assert!(verify(&leaf, m, n, &other, &root).is_err(), "{m} of {n}");
            }
            for (m, n) in [(m ^ 1, n), (m, n - 1), (m, n.saturating_add(1)), (m / 2, n / 2)] {
                let truth = root_from_path(&leaf, m, n, path) == Some(root);
                assert_eq!(verify(&leaf, m, n, path, &root).is_ok(), truth, "{m} of {n}");
            }
        }
    }
}

#[test]
fn a_leaf_outside_the_tree_has_no_path() {
    let leaf = reference::leaf(b"leaf");
    let top = 1 << 63;
    for (m, n) in [
        (0, 0),
        (1, 1),
        (2, 1),
        (u64::MAX, 0),
        (u64::MAX, 1),
        (u64::MAX, u64::MAX),
        (top, top),
        (u64::MAX, top),
    ] {
        let (index, size) = (LeafIndex::new(m), TreeSize::new(n));
        assert_eq!(inclusion_path_len(index, size), None, "{m} of {n}");
        let refused = Err(TreeError::IndexOutOfRange { index, size });
        for path in [&[][..], &[leaf], &[leaf; 64]] {
            assert_eq!(verify(&leaf, m, n, path, &leaf), refused, "{m} of {n}");
        }
    }
}

#[test]
fn the_greatest_paths() {
    let len = |m, n| inclusion_path_len(LeafIndex::new(m), TreeSize::new(n));
    assert_eq!(len(0, 1), Some(0));
    assert_eq!(len(0, u64::MAX), Some(64));
    assert_eq!(len(u64::MAX - 1, u64::MAX), Some(63));
    assert_eq!(len((1 << 63) - 1, 1 << 63), Some(63));
    assert_eq!(len(1 << 63, (1 << 63) + 1), Some(1));
}
