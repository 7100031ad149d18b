//! What a check costs, in compressions of SHA-256: exactly what its formula needs, and nothing at
//! all where the counts are wrong.
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // tests may panic
#![allow(clippy::as_conversions, clippy::unwrap_used)]

use crate::sha256::tests::compressions;
use crate::*;

#[path = "../tests/reference/mod.rs"]
mod reference;

use reference::{Hash, consistency_nodes};

const LEAF: usize = 1;
const NODE: usize = 2;
const STEP: usize = 2;
/// Inner hash and Alh of a header without metadata.
const HEADER: usize = 2 + STEP;

/// A ledger of which transaction k has a tree over the first `trees[k - 1]`.
struct Ledger {
    headers: Vec<Header<'static>>,
    alhs: Vec<Alh>,
}

impl Ledger {
    fn new(trees: &[u64]) -> Self {
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

    fn leaves(&self, count: u64) -> Vec<Hash> {
        self.alhs[..count as usize].iter().map(|alh| alh.leaf_hash().to_bytes()).collect()
    }

    fn state(&self, id: u64) -> TrustedState {
        TrustedState { tx: TxId::new(id), alh: self.alhs[id as usize - 1] }
    }

    fn header(&self, id: u64) -> Header<'static> {
        self.headers[id as usize - 1]
    }

    fn inclusion(&self, id: u64, size: u64) -> Vec<Hash> {
        reference::path(id as usize - 1, &self.leaves(size))
    }

    fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
        let mut path = reference::consistency(old as usize, &self.leaves(new));
        if old < new && old.is_power_of_two() {
            path.insert(0, reference::root(&self.leaves(old)));
        }
        path
    }

    fn chain(&self, from: u64, to: u64) -> Vec<Hash> {
        let inner = (from + 1..=to).map(|id| self.header(id).inner_hash().unwrap());
        let first = self.alhs[from as usize - 1].to_bytes();
        std::iter::once(first).chain(inner.map(|inner| *inner.as_bytes())).collect()
    }
}

fn inclusion_cost(path: &[Hash]) -> usize {
    LEAF + NODE * path.len()
}

/// Asserts what `work` costs.
fn costs<T>(expected: usize, what: &str, work: impl FnOnce() -> T) {
    assert_eq!(compressions(|| _ = work()), expected, "{what}");
}

const TREES: [&[u64]; 5] = [
    &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
    &[0, 0, 0, 0, 0, 3, 3, 3, 5, 5, 8],
    &[0, 1, 1, 1, 1, 4, 4, 7, 7, 7, 9, 11],
    &[0, 0, 0, 0],
    &[0, 1, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8],
];

#[test]
fn hashes() {
    let (a, b) = ([1; 32], [2; 32]);
    costs(LEAF, "leaf", || Alh::new(a).leaf_hash());
    costs(NODE, "node", || node_hash(&a, &b));
    let ledger = Ledger::new(TREES[0]);
    let mut header = ledger.header(5);
    costs(HEADER, "Alh", || header.alh());
    for extra in [0, 19, 28, 29, 92, 93, 256] {
        header.metadata.extra = Some(&[0; 256][..extra]);
        let inner = (88 + 3 + extra + 9).div_ceil(64);
        costs(inner, "inner hash", || header.inner_hash());
    }
    let value = [0; 200];
    for len in [0, 55, 56, 119, 120, 200] {
        costs((len + 9_usize).div_ceil(64), "value", || ValueHash::of(&value[..len]));
    }
}

#[test]
fn tree_proofs() {
    let ledger = Ledger::new(TREES[0]);
    for new in 1..=17 {
        let root = Root::new(reference::root(&ledger.leaves(new)));
        for old in 1..=new {
            let leaf = ledger.alhs[old as usize - 1].leaf_hash();
            let path = ledger.inclusion(old, new);
            let (index, size) = (LeafIndex::new(old - 1), TreeSize::new(new));
            costs(NODE * path.len(), "inclusion", || {
                verify_inclusion(&leaf, index, size, &path, &root).unwrap();
            });
            let old_root = Root::new(reference::root(&ledger.leaves(old)));
            let path = ledger.consistency(old, new);
            costs(NODE * consistency_nodes(old, new), "consistency", || {
                let old = TreeSize::new(old);
                verify_consistency_immudb(old, &old_root, size, &root, &path).unwrap();
            });
        }
        let leaf = ledger.alhs[new as usize - 1].leaf_hash();
        let path = ledger.inclusion(new, new);
        costs(NODE * (new - 1).count_ones() as usize, "last inclusion", || {
            verify_last_inclusion(&leaf, TreeSize::new(new), &path, &root).unwrap();
        });
    }
}

/// Every pair of transactions of ledgers whose tree lags and of one whose tree does not.
fn pairs(check: impl Fn(&Ledger, u64, u64)) {
    for trees in TREES {
        let ledger = Ledger::new(trees);
        for target in 1..=trees.len() as u64 {
            (1..=target).for_each(|source| check(&ledger, source, target));
        }
    }
}

#[test]
fn transactions_and_entries_under_a_state() {
    pairs(|ledger, id, state| {
        let (header, state_header) = (ledger.header(id), ledger.header(state));
        let tree = state_header.bl_tx_id.get();
        let path = if id <= tree { ledger.inclusion(id, tree) } else { Vec::new() };
        let climb = if id <= tree { inclusion_cost(&path) } else { 0 };
        costs(2 * HEADER + climb, "verify_tx", || {
            let verified = ledger.state(state).verify_tx(&state_header, &header, &path);
            assert_eq!(verified.is_ok(), id <= tree || id == state);
        });
    });
    let digest = EntryDigest::new([3; 32]);
    let other =
        Header { eh: Root::new(digest.leaf_hash().to_bytes()), ..Ledger::new(&[0]).header(1) };
    let state = TrustedState { tx: other.id, alh: other.alh().unwrap() };
    let tx = state.verify_tx(&other, &other, &[]).unwrap();
    costs(LEAF, "verify_entry", || tx.verify_entry(&digest, 0, &[]).unwrap());
    costs(LEAF, "verify_all_entries", || tx.verify_all_entries([digest]).unwrap());
}

#[test]
fn dual_proofs() {
    pairs(|ledger, source, target| {
        let (s, t) = (ledger.header(source), ledger.header(target));
        let (old, tree) = (s.bl_tx_id.get(), t.bl_tx_id.get());
        let when = |is: bool, path: &dyn Fn() -> Vec<Hash>| if is { path() } else { Vec::new() };
        let inclusion = when(source < tree, &|| ledger.inclusion(source, tree));
        let consistency = when(old > 0, &|| ledger.consistency(old, tree));
        let last_inclusion = when(tree > 0, &|| ledger.inclusion(tree, tree));
        let start = source.max(tree);
        let chain = ledger.chain(start, target);
        let end = source.min(tree);
        let late = old + 1 < end;
        let terms = when(late, &|| ledger.chain(old + 1, end));
        let paths: Vec<Vec<Hash>> =
            (old + 1..end.max(old + 1)).map(|id| ledger.inclusion(id, tree)).collect();
        let paths: Vec<&[Hash]> = paths.iter().map(Vec::as_slice).collect();
        let proof = DualProof {
            source_header: s,
            target_header: t,
            inclusion: &inclusion,
            consistency: &consistency,
            target_bl_tx_alh: if tree > 0 { ledger.alhs[tree as usize - 1] } else { Alh::ZERO },
            last_inclusion: &last_inclusion,
            linear: LinearProof {
                source: TxId::new(start),
                target: TxId::new(target),
                terms: &chain,
            },
            linear_advance: late.then_some(LinearAdvanceProof { terms: &terms, inclusion: &paths }),
        };
        let nodes = if old > 0 { consistency_nodes(old, tree) } else { 0 };
        let expected = 2 * HEADER
            + if source < tree { inclusion_cost(&inclusion) } else { 0 }
            + NODE * nodes
            + if tree > 0 { inclusion_cost(&last_inclusion) } else { 0 }
            + STEP * (chain.len() - 1)
            + paths.iter().map(|path| inclusion_cost(path) + STEP).sum::<usize>();
        let policy = ProofPolicy::STRICT.legacy_untied();
        let (from, to) = (ledger.state(source), ledger.state(target));
        costs(expected, "dual, from the target", || {
            to.verify_tx_dual(from.tx, &proof, policy).unwrap();
        });
        costs(expected, "dual, from the source", || {
            from.verify_extension(&to.into(), &proof, policy).unwrap();
        });

        // One term too many anywhere, and nothing is hashed.
        let long = |path: &[Hash]| -> Vec<Hash> { path.iter().copied().chain([[0; 32]]).collect() };
        let (i, c, l, k) =
            (long(&inclusion), long(&consistency), long(&last_inclusion), long(&chain));
        let linear = LinearProof { terms: &k, ..proof.linear };
        // Between equal sizes a consistency path may have two terms; one is never right.
        for wrong in [
            DualProof { inclusion: &i, ..proof },
            DualProof { consistency: &c, ..proof },
            DualProof { last_inclusion: &l, ..proof },
            DualProof { linear, ..proof },
            DualProof { source_header: Header { nentries: 0, ..s }, ..proof },
        ] {
            costs(0, "wrong counts", || {
                to.verify_tx_dual(from.tx, &wrong, policy).unwrap_err();
                from.verify_extension(&to.into(), &wrong, policy).unwrap_err();
            });
        }
    });
}

#[test]
fn dual_proofs_of_version_2() {
    let ledger = Ledger::new(TREES[0]);
    for target in 1..=17 {
        for source in 1..=target {
            let (s, t) = (ledger.header(source), ledger.header(target));
            let (old, tree) = (source.max(2) - 1, target - 1);
            let itself = source == target;
            let inclusion = if itself { Vec::new() } else { ledger.inclusion(source, tree) };
            let consistency = if itself { Vec::new() } else { ledger.consistency(old, tree) };
            let proof = DualProofV2 {
                source_header: s,
                target_header: t,
                inclusion: &inclusion,
                consistency: &consistency,
            };
            let climbs = inclusion_cost(&inclusion) + NODE * consistency_nodes(old, tree.max(1));
            let expected = 2 * HEADER + if itself { 0 } else { climbs };
            let (from, to) = (ledger.state(source), ledger.state(target));
            costs(expected, "dual v2", || {
                to.verify_tx_dual_v2(from.tx, &proof, ProofPolicy::STRICT).unwrap();
            });
            let long: Vec<Hash> = inclusion.iter().copied().chain([[0; 32]]).collect();
            costs(0, "wrong counts", || {
                let wrong = DualProofV2 { inclusion: &long, ..proof };
                to.verify_tx_dual_v2(from.tx, &wrong, ProofPolicy::STRICT).unwrap_err();
            });
        }
    }
}

#[test]
fn chains() {
    let ledger = Ledger::new(TREES[0]);
    let tx = |id: u64| TxAlh::from(ledger.state(id));
    let chain = ledger.chain(3, 11);
    let linear = LinearProof { source: TxId::new(3), target: TxId::new(11), terms: &chain };
    costs(8 * STEP, "linear", || {
        verify_linear(&linear, &tx(3), &tx(11), ProofPolicy::STRICT).unwrap();
    });
    let short = LinearProof { terms: &chain[1..], ..linear };
    costs(0, "a term is missing", || {
        verify_linear(&short, &tx(3), &tx(11), ProofPolicy::STRICT).unwrap_err();
    });
    let few = ProofPolicy::STRICT.with_max_chain(8);
    costs(0, "beyond the limit", || {
        let error = verify_linear(&linear, &tx(3), &tx(11), few).unwrap_err();
        assert_eq!(error, ChainError::TooLong { terms: 9, limit: 8 });
    });
}
