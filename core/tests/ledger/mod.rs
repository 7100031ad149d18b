//! Honest ledgers, whose trees lag as they are told to, and the proofs between their transactions:
//! each made from its definition by the slow reference.
#![allow(dead_code)] // each test uses its part

pub(crate) mod proof;
pub(crate) mod stored;

use counterfoil_core::*;

use crate::reference::{self, Hash};
use proof::{OwnedAdvance, OwnedDual, OwnedDualV2};

/// Ledgers of different lag. Number k of a list is the size of the tree that transaction k states:
/// the first is today's, the last has no tree at all.
pub(crate) const TREES: [&[u64]; 6] = [
    &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    &[0, 0, 0, 0, 0, 3, 3, 3, 5, 5, 8],
    &[0, 1, 1, 1, 1, 4, 4, 7, 7, 7, 9, 11],
    &[0, 1, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8],
    &[0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    &[0, 0, 0, 0],
];

/// The headers of transactions 1, 2 and so on, and what stands in a tree for them.
pub(crate) struct Ledger {
    pub(crate) headers: Vec<Header<'static>>,
    pub(crate) leaves: Vec<Hash>,
}

impl Ledger {
    pub(crate) fn with_trees(trees: &[u64]) -> Self {
        let mut ledger = Self { headers: Vec::new(), leaves: Vec::new() };
        for tree in trees {
            let root = reference::root(&ledger.leaves[..*tree as usize]);
            ledger.append(*tree, root);
        }
        ledger
    }

    /// A ledger as immudb writes it today: its tree never lags.
    pub(crate) fn current(size: u64) -> Self {
        Self::with_trees(&(0..size).collect::<Vec<_>>())
    }

    /// Appends a transaction that states a tree, true or not, and the true predecessor.
    pub(crate) fn append(&mut self, tree: u64, root: Hash) {
        let id = self.headers.len() as u64 + 1;
        let header = Header {
            id: TxId::new(id),
            prev_alh: self.headers.last().map_or(Alh::BEFORE_FIRST, |h| h.alh().unwrap()),
            ts: 1_700_000_000 + id as i64,
            version: HeaderVersion::V1,
            metadata: TxMetadata::default(),
            nentries: 1,
            eh: Root::new(reference::leaf(&id.to_be_bytes())),
            bl_tx_id: TxId::new(tree),
            bl_root: if tree == 0 { Root::ZERO } else { Root::new(root) },
        };
        self.leaves.push(reference::leaf(header.alh().unwrap().as_bytes()));
        self.headers.push(header);
    }

    /// Appends a transaction with these entries, in a header of this version. The tree does not lag.
    pub(crate) fn append_entries(&mut self, version: HeaderVersion, digests: &[EntryDigest]) {
        self.append(self.len(), *self.root(self.len()).as_bytes());
        let header = self.headers.last_mut().unwrap();
        let leaves: Vec<Hash> = digests.iter().map(|d| reference::leaf(d.as_bytes())).collect();
        header.version = version;
        header.nentries = leaves.len() as u32;
        header.eh = Root::new(reference::root(&leaves));
        let leaf = reference::leaf(header.alh().unwrap().as_bytes());
        *self.leaves.last_mut().unwrap() = leaf;
    }

    /// Transaction `id` under the state after transaction `state`, whose tree does not lag.
    pub(crate) fn verified(&self, id: u64, state: u64) -> VerifiedTx {
        let path = if id == state { Vec::new() } else { self.inclusion(id, state - 1) };
        self.state(state).verify_tx(&self.header(state), &self.header(id), &path).unwrap()
    }

    pub(crate) fn len(&self) -> u64 {
        self.headers.len() as u64
    }

    pub(crate) fn header(&self, id: u64) -> Header<'static> {
        self.headers[id as usize - 1]
    }

    pub(crate) fn alh(&self, id: u64) -> Alh {
        self.header(id).alh().unwrap()
    }

    pub(crate) fn tree(&self, id: u64) -> u64 {
        self.header(id).bl_tx_id.get()
    }

    pub(crate) fn tx(&self, id: u64) -> TxAlh {
        TxAlh { tx: TxId::new(id), alh: self.alh(id) }
    }

    pub(crate) fn state(&self, id: u64) -> TrustedState {
        TrustedState { tx: TxId::new(id), alh: self.alh(id) }
    }

    pub(crate) fn root(&self, size: u64) -> Root {
        Root::new(reference::root(&self.leaves[..size as usize]))
    }

    pub(crate) fn inclusion(&self, id: u64, size: u64) -> Vec<Hash> {
        reference::path(id as usize - 1, &self.leaves[..size as usize])
    }

    /// In immudb's form: the first term is always there.
    pub(crate) fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
        let mut path = reference::consistency(old as usize, &self.leaves[..new as usize]);
        if old < new && old.is_power_of_two() {
            path.insert(0, *self.root(old).as_bytes());
        }
        path
    }

    /// The hash of `from` and the inner hashes after it.
    pub(crate) fn chain(&self, from: u64, to: u64) -> Vec<Hash> {
        let inner = (from + 1..=to).map(|id| *self.header(id).inner_hash().unwrap().as_bytes());
        std::iter::once(self.alh(from).to_bytes()).chain(inner).collect()
    }

    /// `None` where nothing lies between the two.
    pub(crate) fn advance(&self, start: u64, end: u64, tree: u64) -> Option<OwnedAdvance> {
        (start + 1 < end).then(|| OwnedAdvance {
            terms: self.chain(start + 1, end),
            paths: (start + 1..end).map(|id| self.inclusion(id, tree)).collect(),
        })
    }

    pub(crate) fn dual(&self, source: u64, target: u64) -> OwnedDual {
        let (old, tree) = (self.tree(source), self.tree(target));
        let start = source.max(tree);
        let when = |is: bool, path: &dyn Fn() -> Vec<Hash>| if is { path() } else { Vec::new() };
        OwnedDual {
            source_header: self.header(source),
            target_header: self.header(target),
            inclusion: when(source < tree, &|| self.inclusion(source, tree)),
            consistency: when(old > 0, &|| self.consistency(old, tree)),
            target_bl_tx_alh: if tree > 0 { self.alh(tree).to_bytes() } else { [0; 32] },
            last_inclusion: when(tree > 0, &|| self.inclusion(tree, tree)),
            chain: [start, target],
            linear: self.chain(start, target),
            advance: self.advance(old, source.min(tree), tree),
        }
    }

    /// Only for ledgers whose tree does not lag.
    pub(crate) fn dual_v2(&self, source: u64, target: u64) -> OwnedDualV2 {
        let (old, tree) = (source.max(2) - 1, target - 1);
        let itself = source == target;
        OwnedDualV2 {
            source_header: self.header(source),
            target_header: self.header(target),
            inclusion: if itself { Vec::new() } else { self.inclusion(source, tree) },
            consistency: if itself { Vec::new() } else { self.consistency(old, tree) },
        }
    }
}
