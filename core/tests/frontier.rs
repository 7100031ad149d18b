//! The growing tree against the definition.

mod reference;

use counterfoil_core::{Frontier, LeafHash, Root, TreeError, TreeSize};
use reference::{leaves, node, root};

#[test]
fn the_root_is_the_definitions_at_every_size() {
    let all = leaves(1_100);
    let mut tree = Frontier::new();
    assert_eq!(tree, Frontier::default());
    assert_eq!(tree.root(), Root::EMPTY);
    assert_eq!(tree.root().to_bytes(), root(&[]));
    for n in 0..all.len() {
        assert_eq!(tree.size(), TreeSize::new(n as u64));
        assert_eq!(tree.peaks().len() as u32, n.count_ones());
        tree.push(LeafHash::new(all[n])).unwrap();
        assert_eq!(tree.root().to_bytes(), root(&all[..=n]), "size {}", n + 1);
    }
}

#[test]
fn the_peaks_are_the_roots_of_the_largest_whole_subtrees() {
    let all = leaves(200);
    let mut tree = Frontier::new();
    for n in 1..=all.len() {
        tree.push(LeafHash::new(all[n - 1])).unwrap();
        let mut rest = &all[..n];
        for peak in tree.peaks() {
            let largest = 1 << rest.len().ilog2();
            assert_eq!(*peak, root(&rest[..largest]), "size {n}");
            rest = &rest[largest..];
        }
        assert!(rest.is_empty());
    }
}

#[test]
fn a_tree_goes_on_from_its_peaks() {
    let all = leaves(300);
    for start in [0, 1, 2, 3, 7, 8, 100, 127, 128, 255] {
        let mut original = Frontier::new();
        for leaf in &all[..start] {
            original.push(LeafHash::new(*leaf)).unwrap();
        }
        let mut copy = Frontier::from_peaks(original.size(), original.peaks()).unwrap();
        assert_eq!(copy, original);
        for leaf in &all[start..] {
            original.push(LeafHash::new(*leaf)).unwrap();
            copy.push(LeafHash::new(*leaf)).unwrap();
            assert_eq!(copy, original);
            assert_eq!(copy.root(), original.root());
        }
    }
}

#[test]
fn a_tree_has_as_many_peaks_as_its_size_has_one_bits() {
    let peaks = leaves(70);
    for size in [0, 1, 2, 3, 255, 256, 1 << 63, (1 << 63) + 1, u64::MAX - 1, u64::MAX] {
        for count in 0..=70 {
            let made = Frontier::from_peaks(TreeSize::new(size), &peaks[..count]);
            let expected = size.count_ones();
            if count as u32 == expected {
                assert_eq!(made.unwrap().peaks(), &peaks[..count]);
            } else {
                assert_eq!(made, Err(TreeError::PeakCount { expected, found: count }));
            }
        }
    }
}

#[test]
fn the_greatest_tree_takes_no_more() {
    let peaks = leaves(64);
    let leaf = LeafHash::new(peaks[0]);

    let mut tree = Frontier::from_peaks(TreeSize::new(u64::MAX), &peaks).unwrap();
    let full = tree.clone();
    assert_eq!(tree.push(leaf), Err(TreeError::Full));
    assert_eq!(tree, full);
    let folded = peaks.iter().rev().copied().reduce(|right, left| node(&left, &right)).unwrap();
    assert_eq!(tree.root().to_bytes(), folded);

    let mut tree = Frontier::from_peaks(TreeSize::new(u64::MAX - 1), &peaks[..63]).unwrap();
    tree.push(leaf).unwrap();
    assert_eq!(tree.peaks(), [&peaks[..63], &[*leaf.as_bytes()]].concat());
    assert_eq!(tree.push(leaf), Err(TreeError::Full));

    // 2^63 − 1 leaves become one peak of 2^63.
    let mut tree = Frontier::from_peaks(TreeSize::new((1 << 63) - 1), &peaks[..63]).unwrap();
    tree.push(leaf).unwrap();
    assert_eq!(tree.size(), TreeSize::new(1 << 63));
    assert_eq!(tree.peaks().len(), 1);
    let folded = peaks[..63].iter().rev().fold(*leaf.as_bytes(), |right, left| node(left, &right));
    assert_eq!(tree.root().to_bytes(), folded);
}

#[test]
fn equality_looks_at_size_and_peaks_only() {
    let all = leaves(4);
    let mut tree = Frontier::new();
    for leaf in &all {
        tree.push(LeafHash::new(*leaf)).unwrap();
    }
    // What the pushes left behind beyond the one peak does not count.
    assert_eq!(tree, Frontier::from_peaks(TreeSize::new(4), &[root(&all)]).unwrap());
    assert_ne!(tree, Frontier::from_peaks(TreeSize::new(8), &[root(&all)]).unwrap());
    assert!(format!("{tree:?}").contains(&tree.root().to_string()));
}
