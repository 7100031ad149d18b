//! Honest proofs, changed: exactly the statements pass that RFC 6962's definitions make true.
#![no_main]

use arbitrary::Arbitrary;
use counterfoil_core::{
    LeafHash, LeafIndex, Root, TreeSize, verify_consistency, verify_consistency_immudb,
    verify_inclusion,
};
use libfuzzer_sys::fuzz_target;

#[path = "../../core/tests/reference/mod.rs"]
mod reference;

use reference::{Hash, leaves, root_from_path, roots_from_consistency};

#[derive(Arbitrary, Debug)]
enum Change {
    Flip(u8, u8),
    Remove(u8),
    Insert(u8, Hash),
    Swap(u8, u8),
}

impl Change {
    fn apply(&self, path: &mut Vec<Hash>) {
        let len = path.len();
        match *self {
            Self::Insert(at, term) => path.insert(usize::from(at) % (len + 1), term),
            _ if len == 0 => {}
            Self::Flip(at, bit) => {
                path[usize::from(at) % len][usize::from(bit / 8)] ^= 1 << (bit % 8);
            }
            Self::Remove(at) => drop(path.remove(usize::from(at) % len)),
            Self::Swap(a, b) => path.swap(usize::from(a) % len, usize::from(b) % len),
        }
    }
}

#[derive(Arbitrary, Debug)]
struct Input {
    size: u8,
    at: u8,
    /// Numbers to claim in place of the true ones.
    claim_at: Option<u64>,
    claim_size: Option<u64>,
    changes: Vec<Change>,
}

fuzz_target!(|input: Input| {
    let all = leaves(usize::from(input.size % 70) + 1);
    let size = all.len();
    let at = usize::from(input.at) % size;
    let claim_size = input.claim_size.unwrap_or(size as u64);
    let root = reference::root(&all);

    let mut path = reference::path(at, &all);
    input.changes.iter().for_each(|change| change.apply(&mut path));
    let claim = input.claim_at.unwrap_or(at as u64);
    let truth = root_from_path(&all[at], claim, claim_size, &path) == Some(root);
    let (index, new_size) = (LeafIndex::new(claim), TreeSize::new(claim_size));
    let (leaf, new_root) = (LeafHash::new(all[at]), Root::new(root));
    let verdict = verify_inclusion(&leaf, index, new_size, &path, &new_root);
    assert_eq!(verdict.is_ok(), truth, "inclusion: {verdict:?}");

    let old = at + 1;
    let old_root = reference::root(&all[..old]);
    let mut proof = reference::consistency(old, &all);
    input.changes.iter().for_each(|change| change.apply(&mut proof));
    let claim = input.claim_at.unwrap_or(old as u64);
    let truth =
        roots_from_consistency(claim, claim_size, &proof, &old_root) == Some((old_root, root));
    let (old_size, old_root) = (TreeSize::new(claim), Root::new(old_root));
    let verdict = verify_consistency(old_size, &old_root, new_size, &new_root, &proof);
    assert_eq!(verdict.is_ok(), truth, "consistency: {verdict:?}");

    // immudb's form only adds the old root where the RFC leaves it out.
    if old_size < new_size {
        if old_size.get().is_power_of_two() {
            proof.insert(0, old_root.to_bytes());
        }
        let verdict = verify_consistency_immudb(old_size, &old_root, new_size, &new_root, &proof);
        assert_eq!(verdict.is_ok(), truth, "immudb's form: {verdict:?}");
    }
});
