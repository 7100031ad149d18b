//! Roots, inclusion and consistency.

use counterfoil_core::{
    Alh, EntryDigest, Frontier, LeafHash, LeafIndex, Root, TreeSize, verify_consistency_immudb,
    verify_inclusion,
};

use super::Outcome;
use super::case::{Case, equal, failed};

/// No such number can be asked about, so the answer is no.
const OUTSIDE: &str = "a number outside the tree's range";

pub(super) fn entry_root(case: Case<'_>) -> Outcome {
    root(case, |digest| EntryDigest::new(digest).leaf_hash())
}

pub(super) fn tx_root(case: Case<'_>) -> Outcome {
    root(case, |alh| Alh::new(alh).leaf_hash())
}

fn root(case: Case<'_>, leaf_hash: fn([u8; 32]) -> LeafHash) -> Outcome {
    let mut tree = Frontier::new();
    for leaf in case.hashes("leaves")? {
        tree.push(leaf_hash(leaf)).map_err(failed("push"))?;
    }
    let copy = Frontier::from_peaks(tree.size(), tree.peaks()).map_err(failed("peaks"))?;
    equal("root from peaks", copy.root(), tree.root())?;
    equal("root", tree.root(), Root::new(case.hash("digest")?))
}

pub(super) fn entry_inclusion(case: Case<'_>) -> Outcome {
    let leaf = EntryDigest::new(case.hash("entry_digest")?).leaf_hash();
    let root = Root::new(case.hash("root")?);
    inclusion(case, leaf, case.position("leaf_index")?, case.position("width")?, root)
}

pub(super) fn tx_inclusion(case: Case<'_>) -> Outcome {
    let (i, j) = (case.position("i")?, case.position("j")?);
    inclusion(case, tx_leaf(case)?, before(i), j, Root::new(case.hash("root_j")?))
}

pub(super) fn tx_last_inclusion(case: Case<'_>) -> Outcome {
    let i = case.position("i")?;
    inclusion(case, tx_leaf(case)?, before(i), i, Root::new(case.hash("root")?))
}

/// Transaction k is leaf k − 1.
fn before(tx: Option<u64>) -> Option<u64> {
    tx?.checked_sub(1)
}

fn tx_leaf(case: Case<'_>) -> Result<LeafHash, String> {
    let leaf = Alh::new(case.hash("leaf_data")?).leaf_hash();
    equal("leaf hash", leaf, LeafHash::new(case.hash("leaf_hash")?))?;
    Ok(leaf)
}

fn inclusion(
    case: Case<'_>,
    leaf: LeafHash,
    index: Option<u64>,
    size: Option<u64>,
    root: Root,
) -> Outcome {
    let path = case.hashes("terms")?;
    let (Some(index), Some(size)) = (index, size) else {
        return case.expect(Err(OUTSIDE));
    };
    let (index, size) = (LeafIndex::new(index), TreeSize::new(size));
    case.expect(verify_inclusion(&leaf, index, size, &path, &root))
}

pub(super) fn tx_consistency(case: Case<'_>) -> Outcome {
    let path = case.hashes("terms")?;
    let (old_root, new_root) = (Root::new(case.hash("root_i")?), Root::new(case.hash("root_j")?));
    let (Some(old), Some(new)) = (case.position("i")?, case.position("j")?) else {
        return case.expect(Err(OUTSIDE));
    };
    let (old, new) = (TreeSize::new(old), TreeSize::new(new));
    case.expect(verify_consistency_immudb(old, &old_root, new, &new_root, &path))
}
