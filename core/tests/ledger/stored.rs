//! The proofs of the committed vectors (`tests/vectors/README.md`).

use std::path::Path;

use counterfoil_core::*;
use serde_json::Value;

use super::proof::{OwnedAdvance, OwnedDual, OwnedDualV2};
use crate::reference::Hash;

/// A proof and what was asked.
pub(crate) struct Stored<P> {
    pub(crate) name: String,
    pub(crate) source: TxAlh,
    pub(crate) target: TxAlh,
    pub(crate) proof: P,
}

/// The cases of this kind that are to be accepted.
pub(crate) fn accepted<P>(kind: &str, read: fn(&Value) -> P) -> Vec<Stored<P>> {
    // From wherever these tests are built.
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let folder = above.map(|folder| folder.join("tests/vectors")).find(|folder| folder.is_dir());
    let folder = folder.expect("tests/vectors is in the repository");
    let text = std::fs::read_to_string(folder.join(format!("{kind}.json"))).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    cases
        .filter(|case| case["expect"] == true)
        .map(|case| Stored {
            name: case["name"].as_str().unwrap().to_owned(),
            source: tx(case, "source_tx_id", "source_alh"),
            target: tx(case, "target_tx_id", "target_alh"),
            proof: read(&case["proof"]),
        })
        .collect()
}

pub(crate) fn dual(proof: &Value) -> OwnedDual {
    let linear = &proof["linear_proof"];
    let advance = &proof["linear_advance_proof"];
    OwnedDual {
        source_header: header(&proof["source_tx_header"]),
        target_header: header(&proof["target_tx_header"]),
        inclusion: hashes(&proof["inclusion_proof"]),
        consistency: hashes(&proof["consistency_proof"]),
        target_bl_tx_alh: hash(&proof["target_bl_tx_alh"]),
        last_inclusion: hashes(&proof["last_inclusion_proof"]),
        chain: [number(&linear["source_tx_id"]), number(&linear["target_tx_id"])],
        linear: hashes(&linear["terms"]),
        advance: (!advance.is_null()).then(|| OwnedAdvance {
            terms: hashes(&advance["linear_proof_terms"]),
            paths: list(&advance["inclusion_proofs"]).iter().map(hashes).collect(),
        }),
    }
}

pub(crate) fn dual_v2(proof: &Value) -> OwnedDualV2 {
    OwnedDualV2 {
        source_header: header(&proof["source_tx_header"]),
        target_header: header(&proof["target_tx_header"]),
        inclusion: hashes(&proof["inclusion_proof"]),
        consistency: hashes(&proof["consistency_proof"]),
    }
}

fn header(header: &Value) -> Header<'static> {
    let metadata = hex::decode(header["metadata_hex"].as_str().unwrap()).unwrap();
    Header {
        id: TxId::new(number(&header["id"])),
        prev_alh: Alh::new(hash(&header["prev_alh"])),
        ts: header["ts"].as_i64().unwrap(),
        version: u16::try_from(number(&header["version"])).unwrap().try_into().unwrap(),
        // A test's few headers may stay for as long as it runs.
        metadata: TxMetadata::parse(metadata.leak()).unwrap(),
        nentries: u32::try_from(number(&header["nentries"])).unwrap(),
        eh: Root::new(hash(&header["eh"])),
        bl_tx_id: TxId::new(number(&header["bl_tx_id"])),
        bl_root: Root::new(hash(&header["bl_root"])),
    }
}

fn tx(case: &Value, id: &str, alh: &str) -> TxAlh {
    TxAlh { tx: TxId::new(number(&case[id])), alh: Alh::new(hash(&case[alh])) }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn hash(value: &Value) -> Hash {
    hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn hashes(value: &Value) -> Vec<Hash> {
    list(value).iter().map(hash).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}
