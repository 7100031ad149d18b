//! A growing tree of which only the peaks are kept.

use core::fmt;

use crate::digest::{LeafHash, Root, node_hash};
use crate::error::TreeError;
use crate::number::TreeSize;

/// An RFC 6962 tree that grows leaf by leaf and knows its root.
///
/// It keeps the roots of its largest whole subtrees, the peaks: one for each one-bit of its size,
/// at most 64 hashes, no allocation. A push makes at most 63 nodes and one on average, a root at
/// most 63, at two compressions of SHA-256 each.
#[derive(Clone)]
pub struct Frontier {
    size: u64,
    /// Largest subtree first. Only the first `len` count; `len` is the number of one-bits of
    /// `size`.
    peaks: [[u8; 32]; 64],
    len: usize,
}

impl Frontier {
    /// The empty tree.
    pub const fn new() -> Self {
        Self { size: 0, peaks: [[0; 32]; 64], len: 0 }
    }

    /// The tree of `size` leaves with these peaks, largest subtree first.
    ///
    /// The peaks are the caller's: nothing ties them to any leaves. Compare
    /// [`root`](Self::root) with a root that is trusted for this very size.
    ///
    /// # Errors
    ///
    /// [`TreeError::PeakCount`] unless there is exactly one peak for each one-bit of `size`.
    pub fn from_peaks(size: TreeSize, peaks: &[[u8; 32]]) -> Result<Self, TreeError> {
        let mut frontier = Self::new();
        let expected = size.get().count_ones();
        match frontier.peaks.get_mut(..peaks.len()) {
            Some(slots) if u32::try_from(peaks.len()) == Ok(expected) => {
                slots.copy_from_slice(peaks)
            }
            _ => return Err(TreeError::PeakCount { expected, found: peaks.len() }),
        }
        frontier.size = size.get();
        frontier.len = peaks.len();
        Ok(frontier)
    }

    /// Appends a leaf.
    ///
    /// # Errors
    ///
    /// [`TreeError::Full`] at 2^64 − 1 leaves; the tree stays as it was.
    pub fn push(&mut self, leaf: LeafHash) -> Result<(), TreeError> {
        let size = self.size.checked_add(1).ok_or(TreeError::Full)?;
        // Each one-bit that ends the old size is a subtree as large as the one that has just been
        // completed: the two become one.
        let mut peak = leaf.to_bytes();
        let mut len = self.len;
        for left in self.peaks().iter().rev().take(trailing_ones(self.size)) {
            peak = node_hash(left, &peak);
            len = len.saturating_sub(1);
        }
        *self.peaks.get_mut(len).ok_or(TreeError::Full)? = peak;
        self.size = size;
        self.len = len.saturating_add(1);
        Ok(())
    }

    /// How many leaves there are.
    pub const fn size(&self) -> TreeSize {
        TreeSize::new(self.size)
    }

    /// The root over all leaves; [`Root::EMPTY`] when there are none.
    pub fn root(&self) -> Root {
        self.peaks()
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right))
            .map_or(Root::EMPTY, Root::new)
    }

    /// The roots of the largest whole subtrees, largest first: one for each one-bit of the size.
    pub fn peaks(&self) -> &[[u8; 32]] {
        self.peaks.get(..self.len).unwrap_or_default()
    }
}

fn trailing_ones(number: u64) -> usize {
    usize::try_from(number.trailing_ones()).unwrap_or(usize::MAX)
}

impl Default for Frontier {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Frontier {
    fn eq(&self, other: &Self) -> bool {
        self.size == other.size && self.peaks() == other.peaks()
    }
}

impl Eq for Frontier {}

impl fmt::Debug for Frontier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frontier").field("size", &self.size).field("root", &self.root()).finish()
    }
}
