//! Transactions of which several stand under one number, each with a predecessor, a tree and
//! entries of its own choice.

use std::collections::HashMap;

use super::{Hash, Nodes, OwnedHeader, Position, leaf};

mod arbitrary_tangle;

pub use arbitrary_tangle::Size;

/// One of the transactions of a tangle.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its header.
    pub header: OwnedHeader,
    /// The header's hash.
    pub alh: Hash,
    /// The header's inner hash.
    pub inner: Hash,
    /// The transactions that stand in its tree, in the tree's order, wherever they stand there.
    pub in_tree: Vec<Hash>,
}

/// Everything that the makers of any number of ledgers know together: all headers and all nodes of
/// all trees.
#[derive(Clone, Default, Debug)]
pub struct Tangle {
    variants: Vec<Variant>,
    nodes: Nodes,
    by_alh: HashMap<Hash, usize>,
    leaf_data: HashMap<Hash, Hash>,
    positions: HashMap<Hash, Vec<Position>>,
    /// What its transactions hold, in version 0 and in version 1; none for digests of nothing.
    scripts: Vec<[Vec<Hash>; 2]>,
}

impl Tangle {
    /// The transactions, each header once. Two headers may have the same hash: where one states
    /// what no header can.
    pub fn variants(&self) -> &[Variant] {
        &self.variants
    }

    /// The nodes of all trees.
    pub fn nodes(&mut self) -> &mut Nodes {
        &mut self.nodes
    }

    /// Makes a hash known as the data of a leaf, and gives the leaf.
    pub fn leaf(&mut self, data: Hash) -> Hash {
        let hash = leaf(&data);
        self.leaf_data.insert(hash, data);
        hash
    }

    /// The tree over these transactions.
    pub fn tree(&mut self, alhs: &[Hash]) -> Hash {
        let leaves: Vec<Hash> = alhs.iter().map(|alh| self.leaf(*alh)).collect();
        self.nodes.tree(&leaves)
    }

    /// Adds a transaction, whose trees have been made with [`tree`](Self::tree) or
    /// [`nodes`](Self::nodes), and gives its place among the variants.
    pub fn push(&mut self, header: OwnedHeader) -> usize {
        if let Some(known) = self.variants.iter().position(|known| known.header == header) {
            return known;
        }
        let alh = header.alh();
        self.leaf(alh);
        for root in [header.bl_root, header.eh] {
            let positions = self.nodes.positions(&root);
            self.positions.entry(root).or_insert(positions);
        }
        let inner = header.inner();
        let in_tree = self.nodes.leaves(&header.bl_root, &self.leaf_data);
        self.by_alh.entry(alh).or_insert(self.variants.len());
        self.variants.push(Variant { header, alh, inner, in_tree });
        self.variants.len() - 1
    }

    /// Every place under a root that some header states.
    pub fn positions(&self, root: &Hash) -> &[Position] {
        self.positions.get(root).map_or(&[], Vec::as_slice)
    }

    /// The children of a node, if it is one that is known.
    pub fn children(&self, node: &Hash) -> Option<(Hash, Hash)> {
        self.nodes.children(node)
    }

    /// What a leaf is the hash of: a transaction's hash or an entry's digest.
    pub fn data(&self, leaf: &Hash) -> Option<Hash> {
        self.leaf_data.get(leaf).copied()
    }

    /// The transaction with this hash.
    pub fn by_alh(&self, alh: &Hash) -> Option<&Variant> {
        self.by_alh.get(alh).map(|index| &self.variants[*index])
    }

    /// The place among the variants of the first that has this hash.
    pub fn index_of(&self, alh: &Hash) -> Option<usize> {
        self.by_alh.get(alh).copied()
    }

    /// The hashes of a transaction and of those before it along its chain, as far as they are
    /// known and at most `count`, the latest first.
    pub fn back(&self, alh: Hash, count: usize) -> Vec<Hash> {
        std::iter::successors(Some(alh), |alh| Some(self.by_alh(alh)?.header.prev_alh))
            .take(count)
            .collect()
    }
}
