//! RFC 6962 §2.1 word by word, recursive and slow, and the ledger's chain: sharing nothing with the
//! code under test.
#![allow(dead_code)] // each test uses its part

use sha2::{Digest, Sha256};

pub(crate) type Hash = [u8; 32];

pub(crate) fn leaf(data: &[u8]) -> Hash {
    Sha256::digest([&[0], data].concat()).into()
}

pub(crate) fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::digest([&[1], &left[..], &right[..]].concat()).into()
}

/// `H(id u64 ‖ prev_alh ‖ inner)`: the hash of transaction `id`.
pub(crate) fn chain(id: u64, prev_alh: &Hash, inner: &Hash) -> Hash {
    Sha256::digest([&id.to_be_bytes()[..], prev_alh, inner].concat()).into()
}

/// The largest power of two smaller than n, for n > 1.
fn split(n: u64) -> u64 {
    let mut k = 1_u128;
    while k * 2 < u128::from(n) {
        k *= 2;
    }
    k as u64
}

/// MTH(D[n]), over leaf hashes.
pub(crate) fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
            node(&root(left), &root(right))
        }
    }
}

/// PATH(m, D[n]).
pub(crate) fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = split(leaves.len() as u64) as usize;
    let (left, right) = leaves.split_at(k);
    if m < k {
        [path(m, left), vec![root(right)]].concat()
    } else {
        [path(m - k, right), vec![root(left)]].concat()
    }
}

/// PROOF(m, D[n]).
pub(crate) fn consistency(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    subproof(m, leaves, true)
}

fn subproof(m: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
    let n = leaves.len();
    if m == n {
        return if known { Vec::new() } else { vec![root(leaves)] };
    }
    let k = split(n as u64) as usize;
    let (left, right) = leaves.split_at(k);
    if m <= k {
        [subproof(m, left, known), vec![root(right)]].concat()
    } else {
        [subproof(m - k, right, false), vec![root(left)]].concat()
    }
}

/// The root that a tree of n leaves has if `path` is PATH(m, D[n]): the definition of PATH read
/// from its end. `None` if PATH(m, D[n]) has another length, or there is no leaf m.
///
/// This *is* the truth of an inclusion statement. A root does not commit to its size, so several
/// (m, n) can be true of one path.
pub(crate) fn root_from_path(leaf: &Hash, m: u64, n: u64, path: &[Hash]) -> Option<Hash> {
    if m >= n {
        return None;
    }
    if n == 1 {
        return path.is_empty().then_some(*leaf);
    }
    let (last, rest) = path.split_last()?;
    let k = split(n);
    Some(if m < k {
        node(&root_from_path(leaf, m, k, rest)?, last)
    } else {
        node(last, &root_from_path(leaf, m - k, n - k, rest)?)
    })
}

/// The old and the new root if `proof` is PROOF(m, D[n]) and the old tree's root is `old_root`: the
/// definition of PROOF read from its end. `None` if PROOF(m, D[n]) has another length or m is not
/// from 1 to n.
pub(crate) fn roots_from_consistency(
    m: u64,
    n: u64,
    proof: &[Hash],
    old_root: &Hash,
) -> Option<(Hash, Hash)> {
    (m > 0).then(|| roots_from_subproof(m, n, proof, Some(old_root)))?
}

fn roots_from_subproof(
    m: u64,
    n: u64,
    proof: &[Hash],
    known: Option<&Hash>,
) -> Option<(Hash, Hash)> {
    if m == n {
        return match (known, proof) {
            (Some(root), []) => Some((*root, *root)),
            (None, [root]) => Some((*root, *root)),
            _ => None,
        };
    }
    if m > n {
        return None;
    }
    let (last, rest) = proof.split_last()?;
    let k = split(n);
    if m <= k {
        let (old, new) = roots_from_subproof(m, k, rest, known)?;
        Some((old, node(&new, last)))
    } else {
        let (old, new) = roots_from_subproof(m - k, n - k, rest, None)?;
        Some((node(last, &old), node(last, &new)))
    }
}

/// `count` leaf hashes, all different.
pub(crate) fn leaves(count: usize) -> Vec<Hash> {
    (0..count as u64).map(|n| leaf(&n.to_be_bytes())).collect()
}

/// Every path that differs from this one by one term: each dropped, each doubled, neighbours
/// swapped, one more at either end.
pub(crate) fn reshaped(path: &[Hash]) -> Vec<Vec<Hash>> {
    let surplus = leaf(b"surplus");
    let mut others = vec![[path, &[surplus]].concat(), [&[surplus], path].concat()];
    for i in 0..path.len() {
        let mut dropped = path.to_vec();
        dropped.remove(i);
        others.push(dropped);
        let mut doubled = path.to_vec();
        doubled.insert(i, path[i]);
        others.push(doubled);
        if i > 0 {
            let mut swapped = path.to_vec();
            swapped.swap(i - 1, i);
            others.push(swapped);
        }
    }
    others
}

/// Calls `visit` with every bit of the hash flipped, one at a time.
pub(crate) fn flip(hash: &Hash, mut visit: impl FnMut(Hash)) {
    for bit in 0..256 {
        let mut flipped = *hash;
        flipped[bit / 8] ^= 1 << (bit % 8);
        visit(flipped);
    }
}

/// How many nodes a consistency proof from `old` to `new` leaves makes one hash, by RFC 9162
/// §2.1.4.2's two shifting numbers: one for a term on the right, two for a term on the left.
pub(crate) fn consistency_nodes(old: u64, new: u64) -> usize {
    if old == new {
        return 0;
    }
    let (mut index, mut last) = (old - 1, new - 1);
    while index & 1 == 1 {
        (index, last) = (index >> 1, last >> 1);
    }
    let mut nodes = 0;
    while last > 0 {
        if index & 1 == 1 || index == last {
            nodes += 2;
            while index & 1 == 0 && index != 0 {
                (index, last) = (index >> 1, last >> 1);
            }
        } else {
            nodes += 1;
        }
        (index, last) = (index >> 1, last >> 1);
    }
    nodes
}
