//! Paths, folded as RFC 9162 says it: with two counters that lose their last bits.

use super::{Rule, Rules};
use crate::ledger::{Hash, node};
use crate::proof::Path;

/// Where in the tree the running hash stands, and where the last node of its level.
struct Counters {
    at: u64,
    last: u64,
}

impl Counters {
    /// Whether the next term stands on the left; then one level up.
    fn climb(&mut self) -> bool {
        let left = self.at % 2 == 1 || self.at == self.last;
        while left && self.at.is_multiple_of(2) && self.at != 0 {
            self.shift();
        }
        self.shift();
        left
    }

    fn shift(&mut self) {
        self.at >>= 1;
        self.last >>= 1;
    }
}

/// RFC 9162 §2.1.3.2.
pub(super) fn inclusion(
    rules: Rules,
    leaf: &Hash,
    index: u64,
    size: u64,
    path: &Path,
    root: &Hash,
) -> bool {
    if index >= size && !rules.off(Rule::IndexInTree) {
        return false;
    }
    let any_length = rules.off(Rule::InclusionLength);
    let mut counters = Counters { at: index, last: size.saturating_sub(1) };
    let mut hash = *leaf;
    for term in path {
        if counters.last == 0 && !any_length {
            return false;
        }
        hash = if counters.climb() { node(term, &hash) } else { node(&hash, term) };
    }
    (counters.last == 0 || any_length) && hash == *root
}

/// RFC 9162 §2.1.4.2, with the first term always there and the two terms that may stand between
/// equal sizes.
pub(super) fn consistency(rules: Rules, old: (u64, &Hash), new: (u64, &Hash), path: &Path) -> bool {
    let ((old, old_root), (new, new_root)) = (old, new);
    if old == 0 || old > new {
        return false;
    }
    let any_length = rules.off(Rule::ConsistencyLength);
    if old == new {
        return old_root == new_root
            && match path[..] {
                [] => true,
                [right, left] if old > 1 => node(&left, &right) == *old_root,
                _ => any_length,
            };
    }
    let Some((first, terms)) = path.split_first() else { return false };
    let mut counters = Counters { at: old - 1, last: new - 1 };
    while counters.at % 2 == 1 {
        counters.shift();
    }
    let (mut a, mut b) = (*first, *first);
    for term in terms {
        if counters.last == 0 && !any_length {
            return false;
        }
        if counters.climb() {
            (a, b) = (node(term, &a), node(term, &b));
        } else {
            b = node(&b, term);
        }
    }
    (counters.last == 0 || any_length) && a == *old_root && b == *new_root
}

/// Which term of the path of leaf `index` is over the last leaf of a tree of `size` leaves alone,
/// by the tree's definition (RFC 9162 §2.1.1).
pub(super) fn last_alone(index: u64, size: u64) -> Option<usize> {
    if index >= size || size < 2 {
        return None;
    }
    let left = size.next_power_of_two() / 2;
    match (index < left, size - left) {
        // Below it are as many terms as the left tree is high.
        (true, 1) => Some(left.ilog2() as usize),
        (true, _) => None,
        (false, right) => last_alone(index - left, right),
    }
}
