//! Makes RFC 6962 proofs from complete subtrees, wherever those are kept.
//!
//! Each function asks a [`Nodes`] for the roots of complete subtrees and
//! nothing else. Run once over [`Wanted`] it tells which tiles to load; run
//! again over the loaded tiles it gives the proof.

use std::collections::BTreeSet;

use counterfoil_core::{EntryDigest, Root, node_hash};

use crate::log::tiles::TileId;

/// A hash of the tree.
pub(crate) type Hash = [u8; 32];

/// Where complete subtrees come from: `node(level, index)` is the root over
/// the leaves `index << level` to `(index + 1) << level`.
pub(crate) trait Nodes {
    fn node(&mut self, level: u32, index: u64) -> Hash;
}

/// Records which tiles a proof reads.
#[derive(Default)]
pub(crate) struct Wanted(pub(crate) BTreeSet<TileId>);

impl Nodes for Wanted {
    fn node(&mut self, level: u32, index: u64) -> Hash {
        self.0.insert(TileId::of_node(level, index).0);
        [0; 32]
    }
}

/// The root over the first `size` leaves.
pub(crate) fn root(nodes: &mut impl Nodes, size: u64) -> Root {
    if size == 0 { Root::EMPTY } else { Root::new(range(nodes, 0, size)) }
}

/// RFC 9162 §2.1.3.1, PATH(index, D[size]), leaf's sibling first. `index`
/// must be below `size`.
pub(crate) fn inclusion(nodes: &mut impl Nodes, index: u64, size: u64) -> Vec<Hash> {
    let mut path = Vec::new();
    let (mut low, mut high) = (0, size);
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            path.push(range(nodes, middle, high));
            high = middle;
        } else {
            path.push(range(nodes, low, middle));
            low = middle;
        }
    }
    path.reverse();
    path
}

/// RFC 9162 §2.1.4.1, PROOF(old, D[new]). `old` must be 1 to `new`.
pub(crate) fn consistency(nodes: &mut impl Nodes, old: u64, new: u64) -> Vec<Hash> {
    let mut path = Vec::new();
    let (mut low, mut high, mut whole) = (0, new, true);
    while old != high {
        let middle = low + split(high - low);
        if old <= middle {
            path.push(range(nodes, middle, high));
            high = middle;
        } else {
            path.push(range(nodes, low, middle));
            low = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(range(nodes, low, high));
    }
    path.reverse();
    path
}

/// The root over leaves `low` to `high`. Every range that RFC 6962's
/// recursion meets begins at a multiple of its largest complete subtree.
fn range(nodes: &mut impl Nodes, low: u64, high: u64) -> Hash {
    let count = high - low;
    if count.is_power_of_two() {
        let level = count.trailing_zeros();
        return nodes.node(level, low >> level);
    }
    let middle = low + split(count);
    let left = range(nodes, low, middle);
    let right = range(nodes, middle, high);
    node_hash(&left, &right)
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (63 - (count - 1).leading_zeros())
}

/// The whole tree over a transaction's entries, which are few.
pub(crate) struct EntryTree {
    /// Complete subtrees, by level.
    levels: Vec<Vec<Hash>>,
    size: u64,
}

impl EntryTree {
    pub(crate) fn new(digests: &[EntryDigest]) -> Self {
        let mut level: Vec<Hash> = digests.iter().map(|d| d.leaf_hash().to_bytes()).collect();
        let mut levels = Vec::new();
        while !level.is_empty() {
            let (pairs, _) = level.as_chunks::<2>();
            let above = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
            levels.push(std::mem::replace(&mut level, above));
        }
        Self { levels, size: digests.len() as u64 }
    }

    /// The path of an entry, sibling first. `index` must be below the size.
    pub(crate) fn path(&mut self, index: u32) -> Vec<Hash> {
        let size = self.size;
        inclusion(self, u64::from(index), size)
    }
}

impl Nodes for EntryTree {
    fn node(&mut self, level: u32, index: u64) -> Hash {
        self.levels[level as usize][index as usize]
    }
}

#[cfg(test)]
mod tests {
    use counterfoil_core::{
        Alh, Frontier, LeafIndex, TreeSize, verify_consistency, verify_inclusion,
    };

    use super::*;

    /// Paths of every position of every size up to 300, across a tile's
    /// border, pass core's verifier; so does every consistency proof up to 70.
    #[test]
    fn what_is_proved_verifies() {
        let leaf = |i: u64| Alh::new([(i % 251) as u8; 32]);
        let mut frontier = Frontier::new();
        let mut roots = vec![Root::EMPTY];
        let digests: Vec<_> = (0..300).map(|i| EntryDigest::new(leaf(i).to_bytes())).collect();
        for digest in &digests {
            frontier.push(digest.leaf_hash()).unwrap();
            roots.push(frontier.root());
        }
        for size in 1..=300_u64 {
            let mut tree = EntryTree::new(&digests[..size as usize]);
            assert_eq!(root(&mut tree, size), roots[size as usize]);
            for index in 0..size {
                let path = tree.path(index as u32);
                let leaf = digests[index as usize].leaf_hash();
                let (index, size) = (LeafIndex::new(index), TreeSize::new(size));
                verify_inclusion(&leaf, index, size, &path, &roots[size.get() as usize]).unwrap();
            }
            for old in 1..=size.min(70) {
                let path = consistency(&mut tree, old, size);
                let (old_root, new_root) = (&roots[old as usize], &roots[size as usize]);
                let (old, new) = (TreeSize::new(old), TreeSize::new(size));
                verify_consistency(old, old_root, new, new_root, &path).unwrap();
            }
        }
    }
}
