//! The two proofs along the chain.

use super::{End, Rule, Rules, tree};
use crate::ledger::{Hash, chain, leaf};
use crate::proof::{OwnedAdvance, OwnedLinear, Path};

pub(super) fn linear(rules: Rules, source: End, target: End, proof: &OwnedLinear) -> bool {
    let Some((first, inner)) = proof.terms.split_first() else { return false };
    let Some(steps) = target.id.checked_sub(source.id) else {
        return rules.off(Rule::InOrder);
    };
    let mut alh = *first;
    for (id, inner) in (source.id + 1..).zip(inner) {
        alh = chain(id, &alh, inner);
    }
    source.id > 0
        && (rules.off(Rule::LinearNumbers)
            || (proof.source, proof.target) == (source.id, target.id))
        && (rules.off(Rule::LinearLength) || inner.len() as u64 == steps)
        && (rules.off(Rule::LinearStart) || *first == source.alh)
        && (rules.off(Rule::LinearEnd) || alh == target.alh)
}

/// The tree in which the transactions between `start` and the end stand.
#[derive(Clone, Copy)]
pub(super) struct InTree<'a> {
    pub(super) start: u64,
    pub(super) size: u64,
    pub(super) root: &'a Hash,
}

impl InTree<'_> {
    pub(super) fn path(self, rules: Rules, id: u64, alh: &Hash, path: &Path) -> bool {
        rules.off(Rule::AdvanceInclusion)
            || tree::inclusion(rules, &leaf(alh), id - 1, self.size, path, self.root)
    }

    pub(super) fn advance(self, rules: Rules, end: End, proof: Option<&OwnedAdvance>) -> bool {
        let Some(steps) = end.id.checked_sub(self.start) else {
            return rules.off(Rule::TreesInOrder);
        };
        let Some(proof) = proof else { return steps < 2 || rules.off(Rule::AdvanceThere) };
        if steps < 2 {
            return rules.off(Rule::NothingSurplus);
        }
        let Some((first, inner)) = proof.terms.split_first() else { return false };
        let lengths = (rules.off(Rule::AdvanceLength) || proof.terms.len() as u64 == steps)
            && (rules.off(Rule::AdvancePaths) || proof.inclusion.len() as u64 == steps - 1);
        let mut alh = *first;
        for (step, (id, inner)) in (self.start + 1..).zip(inner).enumerate() {
            let holds = match proof.inclusion.get(step) {
                Some(path) => self.path(rules, id, &alh, path),
                None => rules.off(Rule::AdvancePaths),
            };
            if !holds {
                return false;
            }
            alh = chain(id + 1, &alh, inner);
        }
        lengths && (rules.off(Rule::AdvanceEnd) || alh == end.alh)
    }
}
