//! Every inner node that anybody ever hashed, and what stands under it.

use std::collections::HashMap;

use super::{Hash, leaf, node};
use crate::reference;

/// How far below a root nodes are sought: deeper than any tree that is made here, bent or not,
/// needs.
const MAX_DEPTH: usize = 12;
/// How many places under one root are sought.
const MAX_POSITIONS: usize = 256;

/// Known inner nodes. Roots, whatever size somebody claims for them, are nodes like others.
#[derive(Default, Clone, Debug)]
pub struct Nodes {
    children: HashMap<Hash, (Hash, Hash)>,
    order: Vec<Hash>,
}

/// A place in a tree as it really is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Position {
    /// What stands there: a leaf or a node.
    pub node: Hash,
    /// The other children on the way to the root, from here upwards.
    pub path: Vec<Hash>,
}

impl Nodes {
    /// The node over two others.
    pub fn node(&mut self, left: Hash, right: Hash) -> Hash {
        let hash = node(&left, &right);
        if self.children.insert(hash, (left, right)).is_none() {
            self.order.push(hash);
        }
        hash
    }

    /// The RFC 6962 tree over leaf hashes.
    pub fn tree(&mut self, leaves: &[Hash]) -> Hash {
        self.tree_with(leaves, &mut |_, hash| hash)
    }

    /// An RFC 6962 tree in which each subtree, leaves too, is replaced by what `bend` makes of it.
    pub fn tree_with(
        &mut self,
        leaves: &[Hash],
        bend: &mut dyn FnMut(&mut Self, Hash) -> Hash,
    ) -> Hash {
        let hash = match leaves {
            [] => reference::root(&[]),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                let (left, right) = (self.tree_with(left, bend), self.tree_with(right, bend));
                self.node(left, right)
            }
        };
        bend(self, hash)
    }

    /// The children of a node, if it is one that is known.
    pub fn children(&self, node: &Hash) -> Option<(Hash, Hash)> {
        self.children.get(node).copied()
    }

    /// The known nodes in the order in which they were made.
    pub fn all(&self) -> &[Hash] {
        &self.order
    }

    /// Every place under a root, the root itself first.
    pub fn positions(&self, root: &Hash) -> Vec<Position> {
        let mut found = vec![Position { node: *root, path: Vec::new() }];
        let mut next = 0;
        while next < found.len() && found.len() < MAX_POSITIONS {
            let Position { node, path } = found[next].clone();
            next += 1;
            let Some((left, right)) = self.children(&node) else { continue };
            if path.len() < MAX_DEPTH {
                for (child, other) in [(left, right), (right, left)] {
                    let path = std::iter::once(other).chain(path.iter().copied()).collect();
                    found.push(Position { node: child, path });
                }
            }
        }
        found
    }

    /// The leaves of a tree that are known, with what they are the hashes of, from left to right.
    pub fn leaves(&self, root: &Hash, data_of: &HashMap<Hash, Hash>) -> Vec<Hash> {
        match self.children(root) {
            Some((left, right)) => {
                [self.leaves(&left, data_of), self.leaves(&right, data_of)].concat()
            }
            None => data_of.get(root).copied().into_iter().collect(),
        }
    }
}

/// Leaf hashes of data.
pub(crate) fn leaf_hashes(data: &[Hash]) -> Vec<Hash> {
    data.iter().map(|data| leaf(data)).collect()
}
