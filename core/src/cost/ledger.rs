//! Honest ledgers and their proofs, made with the slow reference.

use super::reference::{self, Hash};
use crate::*;

/// A ledger of which transaction k has a tree over the first `trees[k - 1]`.
pub(super) struct Ledger {
    headers: Vec<Header<'static>>,
    pub(super) alhs: Vec<Alh>,
}

impl Ledger {
    pub(super) fn new(trees: &[u64]) -> Self {
        let mut ledger = Self { headers: Vec::new(), alhs: Vec::new() };
        for (id, tree) in (1..).zip(trees) {
            let root = reference::root(&ledger.leaves(*tree));
            let header = Header {
                id: TxId::new(id),
                prev_alh: ledger.alhs.last().copied().unwrap_or(Alh::BEFORE_FIRST),
                ts: 7,
                version: HeaderVersion::V1,
                metadata: TxMetadata::default(),
                nentries: 1,
                eh: Root::new([id as u8; 32]),
                bl_tx_id: TxId::new(*tree),
                bl_root: if *tree == 0 { Root::ZERO } else { Root::new(root) },
            };
            ledger.alhs.push(header.alh().unwrap());
            ledger.headers.push(header);
        }
        ledger
    }

    pub(super) fn leaves(&self, count: u64) -> Vec<Hash> {
        self.alhs[..count as usize].iter().map(|alh| alh.leaf_hash().to_bytes()).collect()
    }

    pub(super) fn state(&self, id: u64) -> TrustedState {
        TrustedState { tx: TxId::new(id), alh: self.alhs[id as usize - 1] }
    }

    pub(super) fn header(&self, id: u64) -> Header<'static> {
        self.headers[id as usize - 1]
    }

    pub(super) fn inclusion(&self, id: u64, size: u64) -> Vec<Hash> {
        reference::path(id as usize - 1, &self.leaves(size))
    }

    pub(super) fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
        let mut path = reference::consistency(old as usize, &self.leaves(new));
        if old < new && old.is_power_of_two() {
            path.insert(0, reference::root(&self.leaves(old)));
        }
        path
    }

    pub(super) fn chain(&self, from: u64, to: u64) -> Vec<Hash> {
        let inner = (from + 1..=to).map(|id| self.header(id).inner_hash().unwrap());
        let first = self.alhs[from as usize - 1].to_bytes();
        std::iter::once(first).chain(inner.map(|inner| *inner.as_bytes())).collect()
    }

    /// The chain after `start` up to `end` and the paths of what lies in between.
    pub(super) fn advance(&self, start: u64, end: u64, tree: u64) -> Option<Advance> {
        (start + 1 < end).then(|| Advance {
            terms: self.chain(start + 1, end),
            paths: (start + 1..end).map(|id| self.inclusion(id, tree)).collect(),
        })
    }

    pub(super) fn dual(&self, source: u64, target: u64) -> Dual {
        let (s, t) = (self.header(source), self.header(target));
        let (old, tree) = (s.bl_tx_id.get(), t.bl_tx_id.get());
        let when = |is: bool, path: &dyn Fn() -> Vec<Hash>| if is { path() } else { Vec::new() };
        let start = source.max(tree);
        Dual {
            headers: [s, t],
            inclusion: when(source < tree, &|| self.inclusion(source, tree)),
            consistency: when(old > 0, &|| self.consistency(old, tree)),
            last: if tree > 0 { self.alhs[tree as usize - 1] } else { Alh::ZERO },
            last_inclusion: when(tree > 0, &|| self.inclusion(tree, tree)),
            start,
            chain: self.chain(start, target),
            advance: self.advance(old, source.min(tree), tree),
        }
    }

    /// The paths of version 2 of the proof, for a ledger whose tree does not lag.
    pub(super) fn paths_of_v2(&self, source: u64, target: u64) -> [Vec<Hash>; 2] {
        if source == target {
            return [Vec::new(), Vec::new()];
        }
        let tree = target - 1;
        [self.inclusion(source, tree), self.consistency(source.max(2) - 1, tree)]
    }
}

/// What a [`LinearAdvanceProof`] borrows.
#[derive(Clone)]
pub(super) struct Advance {
    pub(super) terms: Vec<Hash>,
    pub(super) paths: Vec<Vec<Hash>>,
}

impl Advance {
    pub(super) fn with<T>(&self, ask: impl FnOnce(LinearAdvanceProof<'_>) -> T) -> T {
        let paths: Vec<&[Hash]> = self.paths.iter().map(Vec::as_slice).collect();
        ask(LinearAdvanceProof { terms: &self.terms, inclusion: &paths })
    }
}

/// What a [`DualProof`] borrows.
#[derive(Clone)]
pub(super) struct Dual {
    pub(super) headers: [Header<'static>; 2],
    pub(super) inclusion: Vec<Hash>,
    pub(super) consistency: Vec<Hash>,
    pub(super) last: Alh,
    pub(super) last_inclusion: Vec<Hash>,
    pub(super) start: u64,
    pub(super) chain: Vec<Hash>,
    pub(super) advance: Option<Advance>,
}

impl Dual {
    pub(super) fn with<T>(&self, ask: impl FnOnce(&DualProof<'_>) -> T) -> T {
        let [source_header, target_header] = self.headers;
        let (source, target) = (TxId::new(self.start), target_header.id);
        let proof = DualProof {
            source_header,
            target_header,
            inclusion: &self.inclusion,
            consistency: &self.consistency,
            target_bl_tx_alh: self.last,
            last_inclusion: &self.last_inclusion,
            linear: LinearProof { source, target, terms: &self.chain },
            linear_advance: None,
        };
        match &self.advance {
            None => ask(&proof),
            Some(advance) => {
                advance.with(|advance| ask(&DualProof { linear_advance: Some(advance), ..proof }))
            }
        }
    }
}
