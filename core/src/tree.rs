//! Inclusion and consistency in RFC 6962 trees: one strict verifier for the tree over a
//! transaction's entries and for the tree over the ledger's transactions.

mod climb;
mod pending;

use crate::digest::{LeafHash, Root};
use crate::error::TreeError;
use crate::number::{LeafIndex, TreeSize};
#[cfg(feature = "ed25519")]
use climb::Climb;
use climb::Shape;
pub(crate) use climb::Terms;
pub(crate) use pending::{Both, Pending, both_hold, settle};

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
/// # Cost
///
/// Two compressions of SHA-256 for each term.
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
    Pending::inclusion(leaf, index, size, path.into(), root.as_bytes())?.settle()
}

/// By a path of RFC 9162 (a server of immudb sends another form:
/// [`verify_consistency_immudb`]): checks that the tree of `new_size` leaves with root `new_root`
/// begins with the very leaves of the tree of `old_size` leaves with root `old_root`.
///
/// §2.1.4.2: where `old_size` is a power of two, the old root is not repeated in the path. `path`
/// has exactly [`consistency_path_len`]`(old_size, new_size)` terms, which is checked
/// before anything is hashed. Between equal sizes the path is empty and the roots are equal.
///
/// # What success proves
///
/// The old tree is a prefix of the new one. It says nothing about the leaves that were added, and
/// as with [`verify_inclusion`] the sizes must come from where the roots come from.
///
/// # Cost
///
/// Two compressions of SHA-256 for each term on the right of its node, four for each on the left,
/// which is part of both trees. None for where the path starts.
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
        check_len(0, path.len())?;
        return if old_root == new_root { Ok(()) } else { Err(TreeError::NewRootMismatch) };
    };
    if old_size.get().is_power_of_two() {
        check_len(shape.len(), path.len())?;
        let seed = *old_root.as_bytes();
        Both::new(shape, seed, path, old_root, new_root).settle()
    } else {
        let (seed, rest) = split_seed(shape, path)?;
        Both::new(shape, seed, rest, old_root, new_root).settle()
    }
}

/// By a path as an immudb 1.11.1 server sends it (of RFC 9162's form: [`verify_consistency`]):
/// checks that the tree of `new_size` leaves with root `new_root` begins with the very leaves of
/// the tree of `old_size` leaves with root `old_root`.
///
/// Two differences in form. The first term is always present, also when `old_size` is a power of
/// two (it is then the old root). And between equal sizes above 1 the path may hold two terms, the
/// right and the left child of the root, which are checked.
///
/// # Cost
///
/// That of [`verify_consistency`]; two compressions of SHA-256 for such a pair.
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
    Both::immudb(old_size, old_root, new_size, new_root, path)?.settle()
}

/// Checks that `leaf` is the *last* leaf of the tree of `size` leaves with root `root`.
///
/// [`verify_inclusion`] at index `size − 1`: every term stands on the left, and there are as many
/// as `size − 1` has one-bits. immudb 1.11.1 calls this `LastInclusion`.
///
/// # Cost
///
/// Two compressions of SHA-256 for each term.
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
    Pending::last_inclusion(leaf, size, path, root)?.settle()
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
    check_len(shape.len(), path.len())
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
        (None, path) => check_len(0, path.len()),
    }
}

/// The root over the leaves before `index`, by that leaf's path in a tree of `size` leaves: its terms on
/// the left, folded. `None` for the first leaf, and for a path of another length.
#[cfg(feature = "ed25519")]
pub(crate) fn root_before(index: LeafIndex, size: TreeSize, path: Terms<'_>) -> Option<Root> {
    let shape = inclusion_shape(index, size).filter(|shape| shape.len() == path.len())?;
    Climb::new([0; 32], shape, path).root_of_the_left().map(Root::new)
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

fn check_len(expected: usize, found: usize) -> Result<(), TreeError> {
    if found == expected { Ok(()) } else { Err(TreeError::PathLength { expected, found }) }
}
