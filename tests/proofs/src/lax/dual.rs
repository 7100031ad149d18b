//! Dual proofs, part by part, so that whoever seeks a proof can seek each part by itself.

use super::chain::{self, InTree};
use super::{Rule, Rules, header, tree};
use crate::ledger::{Hash, OwnedHeader, leaf};
use crate::proof::{OwnedAdvance, OwnedDual, OwnedDualV2, OwnedLinear, Path};

/// A transaction as it is trusted or asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// Its number.
    pub id: u64,
    /// Its hash.
    pub alh: Hash,
}

impl End {
    /// A header's transaction.
    pub fn of(header: &OwnedHeader) -> Self {
        Self { id: header.id, alh: header.alh() }
    }

    /// Whether `header` is this transaction's.
    pub(super) fn is(self, rules: Rules, header: &OwnedHeader) -> bool {
        (rules.off(Rule::NumberIsAsked) || header.id == self.id)
            && (rules.off(Rule::HeaderIsEnd) || header.alh() == self.alh)
    }
}

/// What a dual proof of version 1 must show.
#[derive(Clone, Copy, Debug)]
pub struct Dual<'a> {
    /// The rules that are on.
    pub rules: Rules,
    /// The source.
    pub source: End,
    /// The target.
    pub target: End,
    /// The source's header.
    pub s: &'a OwnedHeader,
    /// The target's header.
    pub t: &'a OwnedHeader,
}

impl Dual<'_> {
    /// The headers.
    pub fn headers(&self) -> bool {
        let Self { rules, source, target, s, t } = *self;
        header(rules, s)
            && header(rules, t)
            && source.is(rules, s)
            && target.is(rules, t)
            && (source.id <= target.id || rules.off(Rule::InOrder))
    }

    /// The source in the target's tree.
    pub fn inclusion(&self, path: &Path) -> bool {
        let Self { rules, source, t, .. } = *self;
        if source.id < t.bl_tx_id {
            rules.off(Rule::Inclusion) || self.leaf(source.id, &source.alh, path)
        } else {
            path.is_empty() || rules.off(Rule::NothingSurplus)
        }
    }

    fn leaf(&self, id: u64, alh: &Hash, path: &Path) -> bool {
        let Some(index) = id.checked_sub(1) else { return false };
        tree::inclusion(self.rules, &leaf(alh), index, self.t.bl_tx_id, path, &self.t.bl_root)
    }

    /// The source's tree in the target's.
    pub fn consistency(&self, path: &Path) -> bool {
        let Self { rules, s, t, .. } = *self;
        if s.bl_tx_id == 0 {
            return path.is_empty() || rules.off(Rule::NothingSurplus);
        }
        let consistent = rules.off(Rule::Consistency)
            || (s.bl_tx_id > t.bl_tx_id && rules.off(Rule::TreesInOrder))
            || tree::consistency(rules, (s.bl_tx_id, &s.bl_root), (t.bl_tx_id, &t.bl_root), path);
        consistent && self.own_last(path)
    }

    /// The last leaf of the source's tree, where a consistency path shows it.
    fn own_last(&self, consistency: &Path) -> bool {
        let Self { rules, s, t, .. } = *self;
        let shown = s.bl_tx_id + 1 == s.id && s.bl_tx_id % 2 == 1 && s.bl_tx_id < t.bl_tx_id;
        rules.off(Rule::OwnLastIsSourcesPredecessor)
            || !shown
            || consistency.first().is_none_or(|first| *first == leaf(&s.prev_alh))
    }

    /// What ties the tree to the chain.
    pub fn ties(&self, last: &Hash) -> bool {
        let Self { rules, source, s, t, .. } = *self;
        let tree = t.bl_tx_id;
        if tree == 0 {
            return *last == [0; 32] || rules.off(Rule::NothingSurplus);
        }
        let beyond = s.bl_tx_id < tree && tree < source.id;
        let adjacent = tree + 1 == source.id;
        (rules.off(Rule::LastIsSource) || tree != source.id || *last == source.alh)
            && (rules.off(Rule::LastIsTargetsPredecessor)
                || tree + 1 != t.id
                || *last == t.prev_alh)
            && (rules.off(Rule::NothingUntied) || !beyond || adjacent)
            && (rules.off(Rule::LastIsSourcesPredecessor) || !adjacent || *last == s.prev_alh)
    }

    /// The last leaf of the target's tree.
    pub fn last_inclusion(&self, last: &Hash, path: &Path) -> bool {
        if self.t.bl_tx_id == 0 {
            return path.is_empty() || self.rules.off(Rule::NothingSurplus);
        }
        self.rules.off(Rule::LastInclusion) || self.leaf(self.t.bl_tx_id, last, path)
    }

    /// Where the chain to the target starts.
    pub fn start_of_chain(&self, last: &Hash) -> End {
        let last = End { id: self.t.bl_tx_id, alh: *last };
        if self.source.id < last.id { last } else { self.source }
    }

    /// The chain to the target.
    pub fn linear(&self, last: &Hash, proof: &OwnedLinear) -> bool {
        chain::linear(self.rules, self.start_of_chain(last), self.target, proof)
    }

    /// Where the transactions that the tree took in late end.
    pub fn end_of_advance(&self, last: &Hash) -> End {
        let last = End { id: self.t.bl_tx_id, alh: *last };
        if self.source.id < last.id { self.source } else { last }
    }

    fn in_tree(&self) -> InTree<'_> {
        InTree { start: self.s.bl_tx_id, size: self.t.bl_tx_id, root: &self.t.bl_root }
    }

    /// The path of one of them.
    pub fn advance_path(&self, id: u64, alh: &Hash, path: &Path) -> bool {
        self.in_tree().path(self.rules, id, alh, path)
    }

    /// All of them.
    pub fn advance(&self, last: &Hash, proof: Option<&OwnedAdvance>) -> bool {
        self.in_tree().advance(self.rules, self.end_of_advance(last), proof)
    }

    /// The whole proof, with its own headers.
    pub fn check(rules: Rules, source: End, target: End, proof: &OwnedDual) -> bool {
        let dual = Dual { rules, source, target, s: &proof.source, t: &proof.target };
        let last = &proof.target_bl_tx_alh;
        dual.headers()
            && dual.inclusion(&proof.inclusion)
            && dual.consistency(&proof.consistency)
            && dual.ties(last)
            && dual.last_inclusion(last, &proof.last_inclusion)
            && dual.linear(last, &proof.linear)
            && dual.advance(last, proof.advance.as_ref())
    }
}

/// What a dual proof of version 2 must show.
#[derive(Clone, Copy, Debug)]
pub struct DualV2<'a>(pub Dual<'a>);

impl DualV2<'_> {
    /// The headers and what they alone decide.
    pub fn headers(&self) -> bool {
        let Dual { rules, source, target, s, t } = self.0;
        let lags = s.bl_tx_id + 1 != s.id || t.bl_tx_id + 1 != t.id;
        let one = source.id == target.id;
        self.0.headers()
            && (!lags || rules.off(Rule::NoLag))
            && (!one || source.alh == target.alh || rules.off(Rule::EqualNumbersEqualHashes))
            && (one
                || t.bl_tx_id != source.id
                || t.prev_alh == source.alh
                || rules.off(Rule::LastIsTargetsPredecessor))
    }

    /// The source in the target's tree.
    pub fn inclusion(&self, path: &Path) -> bool {
        let Dual { rules, source, target, t, .. } = self.0;
        if source.id == target.id {
            return path.is_empty() || rules.off(Rule::NothingSurplus);
        }
        let last = source.id.checked_sub(1).and_then(|at| tree::last_alone(at, t.bl_tx_id));
        (rules.off(Rule::Inclusion) || self.0.leaf(source.id, &source.alh, path))
            && (rules.off(Rule::LastIsTargetsPredecessor)
                || t.bl_tx_id + 1 != t.id
                || last
                    .and_then(|place| path.get(place))
                    .is_none_or(|term| *term == leaf(&t.prev_alh)))
    }

    /// The source's tree in the target's.
    pub fn consistency(&self, path: &Path) -> bool {
        let Dual { rules, source, target, s, t } = self.0;
        if source.id == target.id {
            return path.is_empty() || rules.off(Rule::NothingSurplus);
        }
        let only = leaf(&source.alh);
        let old = if source.id == 1 { (1, &only) } else { (s.bl_tx_id, &s.bl_root) };
        let consistent = rules.off(Rule::Consistency)
            || (old.0 > t.bl_tx_id && rules.off(Rule::TreesInOrder))
            || tree::consistency(rules, old, (t.bl_tx_id, &t.bl_root), path);
        consistent && self.0.own_last(path)
    }

    /// The whole proof, with its own headers.
    pub fn check(rules: Rules, source: End, target: End, proof: &OwnedDualV2) -> bool {
        let dual = DualV2(Dual { rules, source, target, s: &proof.source, t: &proof.target });
        dual.headers() && dual.inclusion(&proof.inclusion) && dual.consistency(&proof.consistency)
    }
}
