//! Inclusion and consistency in RFC 6962 trees: one strict verifier for the tree over a
//! transaction's entries and for the tree over the ledger's transactions.
//!
//! Both checks fold a path whose shape follows from two numbers alone. Let `index` be a leaf and
//! `last` the last leaf of the tree. Up to the level where the two meet, bit i of `index` says on
//! which side of the running hash term i stands (set: the term is on the left). Above that level
//! the running hash is the right edge of the tree, and each remaining set bit of `index` gives one
//! term on the left. RFC 9162 says the same with two shifting counters (`fn` and `sn`).

use crate::digest::{LeafHash, Root, node_hash, node_hashes};
use crate::error::TreeError;
use crate::number::{LeafIndex, TreeSize};

/// The shape of a path from `index` to the root of a tree whose last leaf is `last`.
#[derive(Clone, Copy)]
struct Shape {
    index: u64,
    /// Terms below the level where `index` and `last` meet.
    inner: u32,
    /// Terms above it, all on the left.
    border: u32,
}

impl Shape {
    /// The caller has checked that `index <= last`.
    fn new(index: u64, last: u64) -> Self {
        // At most 64, so neither count below can overflow.
        let inner = u64::BITS.saturating_sub((index ^ last).leading_zeros());
        let border = index.checked_shr(inner).unwrap_or(0).count_ones();
        Self { index, inner, border }
    }

    /// At most 64.
    fn len(self) -> usize {
        usize::try_from(self.inner.saturating_add(self.border)).unwrap_or(usize::MAX)
    }

    /// The terms from the leaf upwards, each with the side it stands on.
    fn sides(self) -> impl Iterator<Item = Side> {
        let index = self.index;
        (0..self.inner)
            .map(move |level| match index.checked_shr(level).unwrap_or(0) & 1 {
                0 => Side::Right,
                _ => Side::Left,
            })
            .chain((0..self.border).map(|_| Side::Left))
    }
}

/// Where a term stands, seen from the running hash.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// Checks that `leaf` is leaf number `index` of the tree of `size` leaves with root `root`.
///
/// RFC 9162 §2.1.3.2. `path` goes from the leaf upwards and has exactly
/// [`inclusion_path_len`]`(index, size)` terms, which is checked before anything is hashed.
///
/// # What success proves
///
/// Whoever computed `root` as the root of *some* tree in which a leaf stands at the end of this
/// path used this leaf. A root does not commit to its size: where `size` is wrong but gives the
/// path the same shape, the same path rightly passes. So take `size` from where `root` comes from:
/// a header binds both.
///
/// # Errors
///
/// [`TreeError::IndexOutOfRange`] if `index >= size`, [`TreeError::PathLength`],
/// [`TreeError::RootMismatch`].
pub fn verify_inclusion(
    leaf: &LeafHash,
    index: LeafIndex,
    size: TreeSize,
    path: &[[u8; 32]],
    root: &Root,
) -> Result<(), TreeError> {
    let shape = inclusion_shape(index, size).ok_or(TreeError::IndexOutOfRange { index, size })?;
    check_len(shape.len(), path)?;

    let computed = shape.sides().zip(path).fold(leaf.to_bytes(), |hash, (side, term)| match side {
        Side::Left => node_hash(term, &hash),
        Side::Right => node_hash(&hash, term),
    });
    if computed == *root.as_bytes() { Ok(()) } else { Err(TreeError::RootMismatch) }
}

/// Checks that the tree of `new_size` leaves with root `new_root` begins with the very leaves of
/// the tree of `old_size` leaves with root `old_root`.
///
/// RFC 9162 §2.1.4.2: where `old_size` is a power of two, the old root is not repeated in the
/// path. `path` has exactly [`consistency_path_len`]`(old_size, new_size)` terms, which is checked
/// before anything is hashed. Between equal sizes the path is empty and the roots are equal.
///
/// # What success proves
///
/// The old tree is a prefix of the new one. It says nothing about the leaves that were added, and
/// as with [`verify_inclusion`] the sizes must come from where the roots come from.
///
/// # Errors
///
/// [`TreeError::OldSizeZero`] (the empty tree is a prefix of every tree: there is nothing to check,
/// and a caller without an old state should know), [`TreeError::SizesReversed`],
/// [`TreeError::PathLength`], [`TreeError::OldRootMismatch`], [`TreeError::NewRootMismatch`].
pub fn verify_consistency(
    old_size: TreeSize,
    old_root: &Root,
    new_size: TreeSize,
    new_root: &Root,
    path: &[[u8; 32]],
) -> Result<(), TreeError> {
    let Some(shape) = consistency_shape(old_size, new_size)? else {
        check_len(0, path)?;
        return if old_root == new_root { Ok(()) } else { Err(TreeError::NewRootMismatch) };
    };
    if old_size.get().is_power_of_two() {
        check_len(shape.len(), path)?;
        fold_consistency(shape, *old_root.as_bytes(), path, old_root, new_root)
    } else {
        let (seed, rest) = split_seed(shape, path)?;
        fold_consistency(shape, seed, rest, old_root, new_root)
    }
}

/// The same statement as [`verify_consistency`], for paths as an immudb 1.11.1 server sends them.
///
/// Two differences in form. The first term is always present, also when `old_size` is a power of
/// two (it is then the old root). And between equal sizes above 1 the path may hold two terms, the
/// right and the left child of the root, which are checked.
///
/// # Errors
///
/// Those of [`verify_consistency`].
pub fn verify_consistency_immudb(
    old_size: TreeSize,
    old_root: &Root,
    new_size: TreeSize,
    new_root: &Root,
    path: &[[u8; 32]],
) -> Result<(), TreeError> {
    let Some(shape) = consistency_shape(old_size, new_size)? else {
        if old_root != new_root {
            return Err(TreeError::NewRootMismatch);
        }
        return match path {
            [] => Ok(()),
            [right, left] if old_size.get() > 1 => {
                if node_hash(left, right) == *old_root.as_bytes() {
                    Ok(())
                } else {
                    Err(TreeError::OldRootMismatch)
                }
            }
            _ => Err(TreeError::PathLength { expected: 0, found: path.len() }),
        };
    };
    let (seed, rest) = split_seed(shape, path)?;
    fold_consistency(shape, seed, rest, old_root, new_root)
}

/// Checks that `leaf` is the *last* leaf of the tree of `size` leaves with root `root`.
///
/// [`verify_inclusion`] at index `size − 1`: every term stands on the left, and there are as many
/// as `size − 1` has one-bits. immudb 1.11.1 calls this `LastInclusion`.
///
/// # Errors
///
/// Those of [`verify_inclusion`]; a tree of no leaves has no last one.
pub fn verify_last_inclusion(
    leaf: &LeafHash,
    size: TreeSize,
    path: &[[u8; 32]],
    root: &Root,
) -> Result<(), TreeError> {
    let index = LeafIndex::new(size.get().saturating_sub(1));
    verify_inclusion(leaf, index, size, path, root)
}

/// How many terms the path of leaf `index` in a tree of `size` leaves has: at most 64. `None` if
/// there is no such leaf.
pub fn inclusion_path_len(index: LeafIndex, size: TreeSize) -> Option<usize> {
    inclusion_shape(index, size).map(Shape::len)
}

/// How many terms [`verify_consistency`] demands between these sizes: at most 65, and 0 between
/// equal ones. `None` if `old` is 0 or greater than `new`.
pub fn consistency_path_len(old: TreeSize, new: TreeSize) -> Option<usize> {
    match consistency_shape(old, new).ok()? {
        None => Some(0),
        Some(shape) if old.get().is_power_of_two() => Some(shape.len()),
        Some(shape) => Some(shape.len().saturating_add(1)),
    }
}

/// [`verify_inclusion`]'s part that needs no hash.
pub(crate) fn check_inclusion_len(
    index: LeafIndex,
    size: TreeSize,
    path: &[[u8; 32]],
) -> Result<(), TreeError> {
    let shape = inclusion_shape(index, size).ok_or(TreeError::IndexOutOfRange { index, size })?;
    check_len(shape.len(), path)
}

/// [`verify_consistency_immudb`]'s part that needs no hash.
pub(crate) fn check_consistency_immudb_len(
    old: TreeSize,
    new: TreeSize,
    path: &[[u8; 32]],
) -> Result<(), TreeError> {
    match (consistency_shape(old, new)?, path) {
        (Some(shape), path) => split_seed(shape, path).map(|_| ()),
        (None, [_, _]) if old.get() > 1 => Ok(()),
        (None, path) => check_len(0, path),
    }
}

fn inclusion_shape(index: LeafIndex, size: TreeSize) -> Option<Shape> {
    let last = size.get().checked_sub(1)?;
    (index.get() <= last).then(|| Shape::new(index.get(), last))
}

/// The path starts at the largest whole subtree that ends the old tree: it has 2^s leaves, where s
/// is the number of zero bits that end `old`. In units of that subtree it is an inclusion path.
/// `None` between equal sizes, where there is nothing to fold.
fn consistency_shape(old: TreeSize, new: TreeSize) -> Result<Option<Shape>, TreeError> {
    let old_last = old.get().checked_sub(1).ok_or(TreeError::OldSizeZero)?;
    let new_last = match new.get().checked_sub(1) {
        Some(new_last) if old_last <= new_last => new_last,
        _ => return Err(TreeError::SizesReversed { old, new }),
    };
    if old_last == new_last {
        return Ok(None);
    }
    // `old` is not 0, so this is below 64 and both shifts are defined.
    let level = old.get().trailing_zeros();
    let index = old_last.checked_shr(level).unwrap_or(0);
    let last = new_last.checked_shr(level).unwrap_or(0);
    Ok(Some(Shape::new(index, last)))
}

fn split_seed(shape: Shape, path: &[[u8; 32]]) -> Result<([u8; 32], &[[u8; 32]]), TreeError> {
    let expected = shape.len().saturating_add(1);
    match path.split_first() {
        Some((seed, rest)) if path.len() == expected => Ok((*seed, rest)),
        _ => Err(TreeError::PathLength { expected, found: path.len() }),
    }
}

/// Folds both roots at once: terms on the left are part of the old tree too, terms on the right
/// are new.
fn fold_consistency(
    shape: Shape,
    seed: [u8; 32],
    rest: &[[u8; 32]],
    old_root: &Root,
    new_root: &Root,
) -> Result<(), TreeError> {
    let (old, new) =
        shape.sides().zip(rest).fold((seed, seed), |(old, new), (side, term)| match side {
            Side::Left => node_hashes(term, (&old, &new)),
            Side::Right => (old, node_hash(&new, term)),
        });
    if old != *old_root.as_bytes() {
        Err(TreeError::OldRootMismatch)
    } else if new != *new_root.as_bytes() {
        Err(TreeError::NewRootMismatch)
    } else {
        Ok(())
    }
}

fn check_len(expected: usize, path: &[[u8; 32]]) -> Result<(), TreeError> {
    if path.len() == expected {
        Ok(())
    } else {
        Err(TreeError::PathLength { expected, found: path.len() })
    }
}
