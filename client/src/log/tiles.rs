//! The tree of a log as C2SP tlog-tiles of height 8.
//!
//! A tile of level L holds up to 256 hashes: at level 0 leaf hashes, above
//! that the roots of the full tiles below. Full tiles never change.

use counterfoil_core::node_hash;

use crate::prover::Hash;

/// Hashes in a full tile.
pub(crate) const WIDTH: usize = 256;
/// Levels of the tree that one tile spans.
const HEIGHT: u32 = 8;

/// A tile's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TileId {
    pub(crate) level: u32,
    pub(crate) index: u64,
}

impl TileId {
    /// The tile that holds the root of a complete subtree, with the hashes in
    /// it that make that root: first and count.
    pub(crate) fn of_node(level: u32, index: u64) -> (Self, usize, usize) {
        let count = 1_u64 << (level % HEIGHT);
        // The subtree spans 2^level leaves and lies inside a u64 of them.
        let first = index << (level % HEIGHT);
        let id = Self { level: level / HEIGHT, index: first / WIDTH as u64 };
        (id, (first % WIDTH as u64) as usize, count as usize)
    }

    /// The tile that holds this one's root once it is full.
    pub(crate) fn above(self) -> Self {
        Self { level: self.level + 1, index: self.index / WIDTH as u64 }
    }
}

/// The root of a power of two of hashes.
pub(crate) fn fold(hashes: &[Hash]) -> Hash {
    match hashes {
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(&fold(left), &fold(right))
        }
    }
}

/// The hashes of a stored tile; `None` if its length is no tile's.
pub(crate) fn parse(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    (rest.is_empty() && (1..=WIDTH).contains(&hashes.len())).then(|| hashes.to_vec())
}
