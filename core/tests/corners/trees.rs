//! Trees as large as they get.

use counterfoil_core::*;

use super::reference::{Hash, root_from_path, roots_from_consistency};
use super::{CORNERS, terms};

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
            // In immudb's form the path starts with the old root where that is a whole tree.
            let repeats = old < new && old.is_power_of_two();
            let immudb = if repeats { [&[seed], &path[..]].concat() } else { path };
            let answer =
                verify_consistency_immudb(old_size, &old_root, new_size, &new_root, &immudb);
            assert_eq!(answer, Ok(()), "{old} to {new}");
            immudb_refuses_one_more(&immudb, |path| {
                verify_consistency_immudb(old_size, &old_root, new_size, &new_root, path)
            });
            let surplus = terms(len + 1);
            verify_consistency(old_size, &old_root, new_size, &new_root, &surplus).unwrap_err();
        }
    }
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

/// A term more is one too many, but between equal trees two of them would be a pair to check.
fn immudb_refuses_one_more(path: &[Hash], ask: impl Fn(&[Hash]) -> Result<(), TreeError>) {
    let (expected, found) = (path.len(), path.len() + 1);
    assert_eq!(ask(&terms(found)), Err(TreeError::PathLength { expected, found }));
}
