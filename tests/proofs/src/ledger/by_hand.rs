//! Tangles made to measure.

use counterfoil_core::HeaderVersion;

use super::{Hash, OwnedHeader, Tangle};
use crate::reference;

impl Tangle {
    /// Adds a transaction that says of its tree that it is over `bl_tx_id` transactions; `in_tree`
    /// is over which it really is. Gives its hash. `mark` tells it from others like it.
    pub fn add(
        &mut self,
        (id, mark): (u64, i64),
        prev_alh: Hash,
        bl_tx_id: u64,
        in_tree: &[Hash],
    ) -> Hash {
        let mut digest = [0xe0; 32];
        digest[..8].copy_from_slice(&id.to_be_bytes());
        digest[8..16].copy_from_slice(&mark.to_be_bytes());
        let eh = self.leaf(digest);
        let header = OwnedHeader {
            id,
            prev_alh,
            ts: mark,
            version: HeaderVersion::V1,
            truncated_tx_id: None,
            extra: None,
            nentries: 1,
            eh,
            bl_tx_id,
            bl_root: if in_tree.is_empty() { [0; 32] } else { self.tree(in_tree) },
        };
        let alh = header.alh();
        self.push(header);
        alh
    }

    /// Four ledgers that part at number `at`, where there are two transactions: the chain goes
    /// through the one or the other, and the tree holds the one or the other. In two of them chain
    /// and tree disagree. Transaction k has a tree over the first `trees[k - 1]`.
    pub fn parted(trees: &[u64], at: u64) -> Self {
        let mut tangle = Self::default();
        for chain in [0, 1] {
            for tree in [0, 1] {
                tangle.add_parted(trees, at, chain, tree);
            }
        }
        tangle
    }

    fn add_parted(&mut self, trees: &[u64], at: u64, chain: i64, tree: i64) {
        let mut prev_alh = reference::root(&[]);
        let mut leaves: Vec<Hash> = Vec::new();
        for (id, bl_tx_id) in (1..).zip(trees) {
            let in_tree = leaves[..*bl_tx_id as usize].to_vec();
            let mut add = |mark| self.add((id, mark), prev_alh, *bl_tx_id, &in_tree);
            if id == at {
                let both = [add(0), add(1)];
                prev_alh = both[chain as usize];
                leaves.push(both[tree as usize]);
            } else {
                prev_alh = add(0);
                leaves.push(prev_alh);
            }
        }
    }
}

/// Every sequence of trees that a ledger of this length can have: each over fewer transactions than
/// its own number, none over fewer than the one before.
pub fn tree_sequences(transactions: u64) -> Vec<Vec<u64>> {
    (1..=transactions).fold(vec![Vec::new()], |sequences, id| {
        let longer = |sequence: Vec<u64>| {
            (sequence.last().copied().unwrap_or(0)..id)
                .map(move |tree| [&sequence[..], &[tree]].concat())
        };
        sequences.into_iter().flat_map(longer).collect()
    })
}
