//! Checks of which only hashes are missing, so that several can be hashed side by side.

use super::climb::{Climb, Shape, both};
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
    root: Root,
    error: TreeError,
}

impl<'p> Pending<'p> {
    /// What [`verify_inclusion`](super::verify_inclusion) checks.
    pub(crate) fn inclusion(
        leaf: &LeafHash,
        index: LeafIndex,
        size: TreeSize,
        path: &'p [[u8; 32]],
        root: &Root,
    ) -> Result<Self, TreeError> {
        let outside = TreeError::IndexOutOfRange { index, size };
        let shape = inclusion_shape(index, size).ok_or(outside)?;
        check_len(shape.len(), path)?;
        let climb = Climb::new(leaf.to_bytes(), shape, path);
        Ok(Self { climb, root: *root, error: TreeError::RootMismatch })
    }

    /// What [`verify_last_inclusion`](super::verify_last_inclusion) checks.
    pub(crate) fn last_inclusion(
        leaf: &LeafHash,
        size: TreeSize,
        path: &'p [[u8; 32]],
        root: &Root,
    ) -> Result<Self, TreeError> {
        let index = LeafIndex::new(size.get().saturating_sub(1));
        Self::inclusion(leaf, index, size, path, root)
    }

    /// The older and the newer root. Terms on the left are part of the older tree too, terms on
    /// the right are new.
    pub(super) fn consistency(
        shape: Shape,
        seed: [u8; 32],
        path: &'p [[u8; 32]],
        old_root: &Root,
        new_root: &Root,
    ) -> (Self, Self) {
        let climb = || Climb::new(seed, shape, path);
        (
            Self {
                climb: climb().on_the_left(),
                root: *old_root,
                error: TreeError::OldRootMismatch,
            },
            Self { climb: climb(), root: *new_root, error: TreeError::NewRootMismatch },
        )
    }

    /// What [`verify_consistency_immudb`](super::verify_consistency_immudb) checks, older and newer root. `None` between equal sizes,
    /// where all is checked already.
    pub(crate) fn consistency_immudb(
        old_size: TreeSize,
        old_root: &Root,
        new_size: TreeSize,
        new_root: &Root,
        path: &'p [[u8; 32]],
    ) -> Result<Option<(Self, Self)>, TreeError> {
        check_consistency_immudb_len(old_size, new_size, path)?;
        if let Some(shape) = consistency_shape(old_size, new_size)? {
            let (seed, path) = split_seed(shape, path)?;
            return Ok(Some(Self::consistency(shape, seed, path, old_root, new_root)));
        }
        if old_root != new_root {
            return Err(TreeError::NewRootMismatch);
        }
        match path {
            [right, left] if node_hash(left, right) != *old_root.as_bytes() => {
                Err(TreeError::OldRootMismatch)
            }
            _ => Ok(None),
        }
    }

    pub(super) fn settle(self) -> Result<(), TreeError> {
        reached(self.climb.root(), self.root, self.error)
    }
}

fn reached(computed: [u8; 32], root: Root, error: TreeError) -> Result<(), TreeError> {
    if computed == *root.as_bytes() { Ok(()) } else { Err(error) }
}

/// Settles two checks, either of which may be absent.
pub(crate) fn settle(
    a: Option<Pending<'_>>,
    b: Option<Pending<'_>>,
) -> (Result<(), TreeError>, Result<(), TreeError>) {
    match (a, b) {
        (Some(a), Some(b)) => {
            let (computed_a, computed_b) = both(a.climb, b.climb);
            (reached(computed_a, a.root, a.error), reached(computed_b, b.root, b.error))
        }
        (Some(a), None) => (a.settle(), Ok(())),
        (None, Some(b)) => (Ok(()), b.settle()),
        (None, None) => (Ok(()), Ok(())),
    }
}

pub(super) fn settle_both((older, newer): (Pending<'_>, Pending<'_>)) -> Result<(), TreeError> {
    let (older, newer) = settle(Some(older), Some(newer));
    older.and(newer)
}
