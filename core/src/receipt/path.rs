//! Paths in one tree share their upper terms, which a receipt holds once.

use crate::digest::LeafHash;
use crate::error::TreeError;
use crate::number::{LeafIndex, TreeSize};
use crate::tree::{Pending, Terms, inclusion_path_len};

/// How many terms the paths of two leaves of a tree of `size` leaves have in common: those above the
/// node under which the leaves part. 0 where there are no two such leaves.
///
/// RFC 9162 §2.1.3.1: a step down adds a term to a path, the sibling of where it goes. As long as
/// both go the same way the term is the same.
pub(super) fn shared_terms(one: LeafIndex, other: LeafIndex, size: TreeSize) -> usize {
    let (mut one, mut other, mut size) = (one.get(), other.get(), size.get());
    let mut shared = 0_usize;
    if one == other || one >= size || other >= size {
        return 0;
    }
    while let Some(last) = size.checked_sub(1).filter(|last| *last > 0) {
        // The largest power of two below `size`.
        let left = 1_u64.checked_shl(last.ilog2()).unwrap_or(0);
        match (one < left, other < left) {
            (true, true) => size = left,
            (false, false) => {
                one = one.saturating_sub(left);
                other = other.saturating_sub(left);
                size = size.saturating_sub(left);
            }
            _ => break,
        }
        shared = shared.saturating_add(1);
    }
    shared
}

/// A path, or how many terms it would have: more than any.
pub(super) type Path<'p> = Result<Terms<'p>, usize>;

/// What [`verify_inclusion`](crate::verify_inclusion) checks.
#[inline(never)]
pub(super) fn check_inclusion(
    leaf: &LeafHash,
    index: LeafIndex,
    size: TreeSize,
    path: Path<'_>,
    root: &[u8; 32],
) -> Result<(), TreeError> {
    let path = path.map_err(|found| {
        let expected = inclusion_path_len(index, size).unwrap_or(0);
        TreeError::PathLength { expected, found }
    })?;
    Pending::inclusion(leaf, index, size, path, root)?.settle()
}

/// No path in a tree has more terms.
pub(super) const MAX_PATH: usize = 64;

/// The paths of leaves of one tree, one after the other.
pub(super) struct Paths<'a> {
    size: TreeSize,
    /// The leaf that was looked at last.
    last: Option<LeafIndex>,
    /// Its path, the end at the end. Only where its terms are: they stay in the receipt.
    terms: [&'a [u8; 32]; MAX_PATH],
}

impl<'a> Paths<'a> {
    /// In a tree of `size` leaves.
    pub(super) const fn new(size: TreeSize) -> Self {
        Self { size, last: None, terms: [&[0; 32]; MAX_PATH] }
    }

    /// The path of the next leaf: its own terms, then those that it shares with the path before.
    #[inline(never)]
    pub(super) fn next(&mut self, index: LeafIndex, own: &'a [[u8; 32]]) -> Path<'_> {
        let shared = self.last.map_or(0, |last| shared_terms(last, index, self.size));
        self.last = Some(index);
        let found = own.len().saturating_add(shared);
        let (start, end) = (MAX_PATH.checked_sub(found), MAX_PATH.saturating_sub(shared));
        let start = start.ok_or(found)?;
        let slots = self.terms.get_mut(start..end).unwrap_or_default();
        slots.iter_mut().zip(own).for_each(|(to, term)| *to = term);
        Ok(Terms::Found(self.terms.get(start..).unwrap_or_default().iter()))
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// The terms of a path as the ranges of leaves that they are over, from the root down, by RFC
    /// 9162 §2.1.3.1 word by word.
    fn path(leaf: u64, low: u64, high: u64) -> Vec<(u64, u64)> {
        if high - low < 2 {
            return Vec::new();
        }
        let mut left = 1;
        while left * 2 < high - low {
            left *= 2;
        }
        let middle = low + left;
        if leaf < middle {
            [vec![(middle, high)], path(leaf, low, middle)].concat()
        } else {
            [vec![(low, middle)], path(leaf, middle, high)].concat()
        }
    }

    #[test]
    fn exactly_the_common_terms_are_shared() {
        let shared = |one, other, size| {
            shared_terms(LeafIndex::new(one), LeafIndex::new(other), TreeSize::new(size))
        };
        for size in 0..70 {
            for one in 0..size {
                for other in (0..size).filter(|other| *other != one) {
                    let (a, b) = (path(one, 0, size), path(other, 0, size));
                    let common = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
                    assert_eq!(shared(one, other, size), common, "{one} and {other} of {size}");
                    // Below, nothing is common.
                    assert!(a[common..].iter().all(|term| !b[common..].contains(term)));
                }
            }
            assert_eq!((shared(0, 0, size), shared(0, size, size)), (0, 0));
        }
        assert_eq!(shared(u64::MAX - 1, u64::MAX - 2, u64::MAX), 62);
        assert_eq!(shared(0, u64::MAX - 1, u64::MAX), 0);
        assert_eq!(shared(u64::MAX, 0, u64::MAX), 0);
    }
}
