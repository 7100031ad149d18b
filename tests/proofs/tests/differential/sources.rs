//! Where cases come from.

use std::fs;
use std::path::Path;

use arbitrary::Unstructured;
use counterfoil_proof_tests::case::{
    Between, Bytes, Case, EntryMetadataJson, EntryOfDigest, EntryTreeInclusion, Hashes, Hex,
    LinearAdvance, TxHeader, TxTreeConsistency, TxTreeInclusion, TxTreeLastInclusion,
};
use counterfoil_proof_tests::ledger::{Ledger, bytes_of_seed};
use counterfoil_proof_tests::oracle::Oracle;
use counterfoil_proof_tests::prover::{self, root};
use serde_json::Value;

/// The committed vectors of all kinds that have an answer, the forged families among them.
pub(crate) fn vectors() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let mut all = Vec::new();
    for entry in fs::read_dir(&folder).expect("tests/vectors is in the repository") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let json = fs::read_to_string(&path).expect("a readable file");
        let json: Value = serde_json::from_str(&json).expect("JSON");
        let kind = json["kind"].as_str().expect("a kind");
        for case in json["cases"].as_array().expect("cases") {
            if let Some(read) = Case::read(kind, case) {
                all.push((case["name"].to_string(), read));
            }
        }
    }
    assert!(all.len() > 1000, "only {} vectors", all.len());
    all
}

/// Proofs that immudb's store itself made.
pub(crate) fn real(oracle: &mut Oracle, seed: u64) -> Vec<Case> {
    let transactions = 1 + seed * 23 % 90;
    let pairs: Vec<(u64, u64)> = (1..=transactions)
        .flat_map(|target| [1, target / 3, target / 2, target - 1, target].map(|s| (s, target)))
        .filter(|(source, target)| *source > 0 && (source + target) % 3 == seed % 3)
        .collect();
    let answer = oracle.ledger(transactions, seed, (seed % 2) as u16, &pairs);
    let mut all: Vec<Case> = ["dual_proof", "dual_proof_v2"]
        .into_iter()
        .flat_map(|kind| answer[kind].as_array().expect("a list").iter().map(move |c| (kind, c)))
        .map(|(kind, case)| Case::read(kind, case).expect("a case of its kind"))
        .collect();
    let headers: Vec<Case> = all.iter().filter_map(source_header).collect();
    all.extend(headers);
    all
}

fn source_header(case: &Case) -> Option<Case> {
    let Case::DualV2(case) = case else { return None };
    let header = case.proof.as_ref()?.source_tx_header.clone()?;
    Some(Case::TxHeader(TxHeader { header, alh: case.source_alh }))
}

/// Entries of both versions with the digests that the format gives them.
pub(crate) fn entries(seed: u64) -> Vec<Case> {
    let bytes = bytes_of_seed(seed, 1 << 12);
    let u = &mut Unstructured::new(&bytes);
    let mut all = Vec::new();
    for version in [0, 1, 1] {
        let metadata = (version > 0).then(|| EntryMetadataJson {
            deleted: u.arbitrary().unwrap_or_default(),
            expires_at: u.arbitrary().unwrap_or_default(),
            non_indexable: u.arbitrary().unwrap_or_default(),
        });
        let mut bytes = |most: usize| {
            let len = u.int_in_range(0..=most).unwrap_or_default();
            Bytes(u.bytes(len).unwrap_or_default().to_vec())
        };
        let (key, value) = (bytes(80), bytes(200));
        let mut entry = EntryOfDigest { version, metadata, key, value, digest: Hex([0; 32]) };
        entry.fit();
        all.push(Case::EntryOfDigest(entry));
    }
    all
}

/// An entry whose key is longer than its field can state.
pub(crate) fn key_too_long(version: i64) -> Case {
    let key = Bytes(vec![7; 1 << 16]);
    let (metadata, value) = (None, Bytes(Vec::new()));
    let mut entry = EntryOfDigest { version, metadata, key, value, digest: Hex([0; 32]) };
    entry.fit();
    Case::EntryOfDigest(entry)
}

/// Proofs of every kind from a modelled ledger, whose tree may lag.
pub(crate) fn modelled(seed: u64) -> Vec<Case> {
    let bytes = bytes_of_seed(seed, 1 << 12);
    let u = &mut Unstructured::new(&bytes);
    let ledger = Ledger::arbitrary(u, 14).expect("an exhausted source gives zeros");
    let mut all = Vec::new();
    for target in 1..=ledger.len() {
        let source = u.int_in_range(1..=target).expect("likewise");
        all.push(Case::from(&prover::dual(&ledger, source, target)));
        let lag = |id: u64| ledger.header(id).bl_tx_id + 1 != id;
        if !lag(source) && !lag(target) {
            all.push(Case::from(&prover::dual_v2(&ledger, source, target)));
        }
        all.push(Case::Linear(Between {
            source_tx_id: source,
            target_tx_id: target,
            source_alh: Hex(ledger.alh(source)),
            target_alh: Hex(ledger.alh(target)),
            proof: Some((&prover::linear(&ledger, source, target)).into()),
        }));
        all.push(Case::LinearAdvance(LinearAdvance {
            start_tx_id: source - 1,
            end_tx_id: target,
            end_alh: Hex(ledger.alh(target)),
            tree_root: Hex(root(&ledger, target)),
            tree_size: target,
            proof: prover::advance(&ledger, source - 1, target, target).as_ref().map(Into::into),
        }));
        all.extend(in_trees(&ledger, source, target));
    }
    all
}

fn in_trees(ledger: &Ledger, source: u64, size: u64) -> [Case; 4] {
    let leaf = |id: u64| Hex(ledger.leaves(id)[id as usize - 1]);
    let entries = ledger.entries(size);
    let index = source as usize % entries.len();
    [
        Case::TxTreeInclusion(TxTreeInclusion {
            i: source,
            j: size,
            terms: Hashes(prover::inclusion(ledger, source, size)),
            leaf_hash: leaf(source),
            root_j: Hex(root(ledger, size)),
        }),
        Case::TxTreeLastInclusion(TxTreeLastInclusion {
            i: size,
            terms: Hashes(prover::inclusion(ledger, size, size)),
            leaf_hash: leaf(size),
            root: Hex(root(ledger, size)),
        }),
        Case::TxTreeConsistency(TxTreeConsistency {
            i: source,
            j: size,
            terms: Hashes(prover::consistency(ledger, source, size)),
            root_i: Hex(root(ledger, source)),
            root_j: Hex(root(ledger, size)),
        }),
        Case::EntryTreeInclusion(EntryTreeInclusion {
            leaf_index: index as u64,
            width: entries.len() as u64,
            terms: Hashes(prover::entry(ledger, size, index)),
            entry_digest: Hex(entries[index]),
            root: Hex(ledger.header(size).eh),
        }),
    ]
}
