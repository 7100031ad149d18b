//! Checks of which only hashes are missing, so that several can be hashed side by side.

use super::climb::{Climb, Shape, Terms, both};
use super::{
    check_consistency_immudb_len, check_len, consistency_shape, inclusion_shape, split_seed,
};
use crate::digest::{LeafHash, Root, node_hash};
use crate::error::TreeError;
use crate::number::{LeafIndex, TreeSize};

/// A check of which only hashes are missing: a climb, and the root where it must end.
///
/// Several of them settled together cost less than one after the other.
pub(crate) struct Pending<'p> {
    climb: Climb<'p>,
    root: &'p [u8; 32],
}

/// What [`verify_consistency`](super::verify_consistency) checks: the older root and the newer one.
pub(crate) struct Both<'p> {
    pub(crate) older: Option<Pending<'p>>,
    pub(crate) newer: Option<Pending<'p>>,
}

impl<'p> Pending<'p> {
    /// What [`verify_inclusion`](super::verify_inclusion) checks.
    pub(crate) fn inclusion(
        leaf: &LeafHash,
        index: LeafIndex,
        size: TreeSize,
        path: Terms<'p>,
        root: &'p [u8; 32],
    ) -> Result<Self, TreeError> {
        let outside = TreeError::IndexOutOfRange { index, size };
        let shape = inclusion_shape(index, size).ok_or(outside)?;
        check_len(shape.len(), path.len())?;
        Ok(Self { climb: Climb::new(leaf.to_bytes(), shape, path), root })
    }

    /// What [`verify_last_inclusion`](super::verify_last_inclusion) checks.
    pub(crate) fn last_inclusion(
        leaf: &LeafHash,
        size: TreeSize,
        path: &'p [[u8; 32]],
        root: &'p Root,
    ) -> Result<Self, TreeError> {
        let index = LeafIndex::new(size.get().saturating_sub(1));
        Self::inclusion(leaf, index, size, path.into(), root.as_bytes())
    }

    pub(crate) fn settle(mut self) -> Result<(), TreeError> {
        if self.holds() { Ok(()) } else { Err(TreeError::RootMismatch) }
    }

    fn holds(&mut self) -> bool {
        self.climb.root() == self.root
    }
}

impl<'p> Both<'p> {
    /// Terms on the left are part of the older tree too, terms on the right are new.
    pub(super) fn new(
        shape: Shape,
        seed: [u8; 32],
        path: &'p [[u8; 32]],
        old_root: &'p Root,
        new_root: &'p Root,
    ) -> Self {
        let climb = || Climb::new(seed, shape, path.into());
        Self {
            older: Some(Pending { climb: climb().on_the_left(), root: old_root.as_bytes() }),
            newer: Some(Pending { climb: climb(), root: new_root.as_bytes() }),
        }
    }

    /// What [`verify_consistency_immudb`](super::verify_consistency_immudb) checks. Nothing is missing
    /// between equal sizes, where all is checked already.
    pub(crate) fn immudb(
        old_size: TreeSize,
        old_root: &'p Root,
        new_size: TreeSize,
        new_root: &'p Root,
        path: &'p [[u8; 32]],
    ) -> Result<Self, TreeError> {
        check_consistency_immudb_len(old_size, new_size, path)?;
        if let Some(shape) = consistency_shape(old_size, new_size)? {
            let (seed, path) = split_seed(shape, path)?;
            return Ok(Self::new(shape, seed, path, old_root, new_root));
        }
        if old_root != new_root {
            return Err(TreeError::NewRootMismatch);
        }
        match path {
            [right, left] if node_hash(left, right) != *old_root.as_bytes() => {
                Err(TreeError::OldRootMismatch)
            }
            _ => Ok(Self { older: None, newer: None }),
        }
    }

    pub(super) fn settle(mut self) -> Result<(), TreeError> {
        let (older, newer) = settle(&mut self.older, &mut self.newer);
        both_hold(older, newer)
    }
}

/// The error says which does not.
pub(crate) fn both_hold(older: bool, newer: bool) -> Result<(), TreeError> {
    match (older, newer) {
        (false, _) => Err(TreeError::OldRootMismatch),
        (_, false) => Err(TreeError::NewRootMismatch),
        _ => Ok(()),
    }
}

/// Settles two checks, either of which may be absent: whether they hold.
#[inline(never)]
pub(crate) fn settle(a: &mut Option<Pending<'_>>, b: &mut Option<Pending<'_>>) -> (bool, bool) {
    if let (Some(a), Some(b)) = (&mut *a, &mut *b) {
        both(&mut a.climb, &mut b.climb);
    }
    let holds = |check: &mut Option<Pending<'_>>| check.as_mut().is_none_or(Pending::holds);
    (holds(a), holds(b))
}
