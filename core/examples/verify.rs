//! Verifies a proof of each kind, read from the conformance vectors as it would be from a server:
//!
//! ```text
//! cargo run -p counterfoil-core --example verify
//! ```
#![allow(clippy::print_stdout)]

use std::error::Error;

use counterfoil_core::*;
use serde_json::Value;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    first_contact()?;
    dual_proof()?;
    reference()?;
    signed_state()
}

/// Nothing is trusted yet: the state of the beginning is checked for what it can be.
fn first_contact() -> Outcome {
    let case = case("sql_tx", "catalog tx 1")?;
    let metadata = bytes(&case["header"]["metadata_hex"])?;
    let header = header(&case["header"], &metadata)?;
    let claimed = TxAlh { tx: header.id, alh: Alh::new(hash(&case["alh"])?) };
    let contact = TrustedState::first_contact(&claimed, &header)?;
    println!("first contact   {}", contact.state());
    Ok(())
}

/// A state is pinned, and a later one extends it; then backwards, from the later one.
fn dual_proof() -> Outcome {
    let case = case("dual_proof", "store v1 tx 1 to 4: target header: ts+1, hashes made to fit")?;
    let parts = &case["proof"];
    let source_metadata = bytes(&parts["source_tx_header"]["metadata_hex"])?;
    let target_metadata = bytes(&parts["target_tx_header"]["metadata_hex"])?;
    let inclusion = hashes(&parts["inclusion_proof"])?;
    let consistency = hashes(&parts["consistency_proof"])?;
    let last_inclusion = hashes(&parts["last_inclusion_proof"])?;
    let linear = hashes(&parts["linear_proof"]["terms"])?;
    let advance = match &parts["linear_advance_proof"] {
        Value::Null => None,
        part => Some((
            hashes(&part["linear_proof_terms"])?,
            list(&part["inclusion_proofs"])?.iter().map(hashes).collect::<Result<Vec<_>, _>>()?,
        )),
    };
    let advance = advance.as_ref().map(|(terms, paths)| {
        (terms.as_slice(), paths.iter().map(Vec::as_slice).collect::<Vec<_>>())
    });
    let proof = DualProof {
        source_header: header(&parts["source_tx_header"], &source_metadata)?,
        target_header: header(&parts["target_tx_header"], &target_metadata)?,
        inclusion: &inclusion,
        consistency: &consistency,
        target_bl_tx_alh: Alh::new(hash(&parts["target_bl_tx_alh"])?),
        last_inclusion: &last_inclusion,
        linear: LinearProof {
            source: TxId::new(number(&parts["linear_proof"]["source_tx_id"])?),
            target: TxId::new(number(&parts["linear_proof"]["target_tx_id"])?),
            terms: &linear,
        },
        linear_advance: advance
            .as_ref()
            .map(|(terms, inclusion)| LinearAdvanceProof { terms, inclusion }),
    };
    let state = |tx: &str, alh: &str| -> Result<TrustedState, Box<dyn Error>> {
        Ok(TrustedState { tx: TxId::new(number(&case[tx])?), alh: Alh::new(hash(&case[alh])?) })
    };
    let pinned = state("source_tx_id", "source_alh")?;
    let later = state("target_tx_id", "target_alh")?;

    let extension = pinned.verify_extension(&later.into(), &proof, ProofPolicy::STRICT)?;
    println!("extension       {} to {}", extension.from().tx, extension.to().tx);
    let tx = later.verify_tx_dual(pinned.tx, &proof, ProofPolicy::STRICT)?;
    println!("transaction     {} under state {}", tx.id(), tx.state().tx);

    let mut changed = proof;
    changed.source_header.nentries += 1;
    let refusal = pinned.verify_extension(&later.into(), &changed, ProofPolicy::STRICT);
    println!("refused         {}", refusal.err().ok_or("a changed proof was accepted")?);
    Ok(())
}

/// A key that refers to another, and the value that is meant.
fn reference() -> Outcome {
    let value = case("kv_value", "call 11 ExecAll tx 12 entry 0")?;
    let reference = case("kv_value", "call 11 ExecAll tx 12 entry 1")?;
    let read = |case: &Value| -> Result<_, Box<dyn Error>> {
        let metadata = EntryMetadata::parse(&bytes(&case["metadata_hex"])?)?;
        Ok((bytes(&case["key_hex"])?, bytes(&case["value_hex"])?, metadata))
    };
    let (value_key, value_bytes, value_metadata) = read(&value)?;
    let (reference_key, reference_bytes, reference_metadata) = read(&reference)?;
    let value = KvEntry::parse(&value_key, &value_bytes, value_metadata.deleted)?;
    let reference = KvEntry::parse(&reference_key, &reference_bytes, reference_metadata.deleted)?;

    // The vectors state entries alone, so this header is made around the two; a server sends it.
    let leaf = |kv: &KvEntry<'_>, metadata| -> Result<LeafHash, EntryError> {
        Ok(kv.digest(HeaderVersion::V1, metadata)?.leaf_hash())
    };
    let leaves = [leaf(&value, &value_metadata)?, leaf(&reference, &reference_metadata)?];
    let header = Header {
        id: TxId::new(12),
        prev_alh: Alh::ZERO,
        ts: 1_700_000_000,
        version: HeaderVersion::V1,
        metadata: TxMetadata::default(),
        nentries: 2,
        eh: Root::new(node_hash(leaves[0].as_bytes(), leaves[1].as_bytes())),
        bl_tx_id: TxId::new(11),
        bl_root: Root::ZERO,
    };
    let pinned = TrustedState { tx: header.id, alh: header.alh()? };

    let tx = pinned.verify_tx(&header, &header, &[])?;
    let value = tx.verify_kv(&value, &value_metadata, 0, &[leaves[1].to_bytes()])?;
    let reference = tx.verify_kv(&reference, &reference_metadata, 1, &[leaves[0].to_bytes()])?;
    println!("reference       {:?}", reference.points_at(&value)?);
    Ok(())
}

/// A state that a server signed. Database and key are the caller's, never the answer's.
fn signed_state() -> Outcome {
    let case = case("signed_state", "#0 as the server signs")?;
    let key = StateKey::from_spki(&bytes(&case["public_key_spki"])?)?;
    let claimed =
        TxAlh { tx: TxId::new(number(&case["tx_id"])?), alh: Alh::new(hash(&case["tx_hash"])?) };
    let signature = bytes(&case["signature"])?;
    let signed = key.verify(b"defaultdb", &claimed, &signature)?;
    println!("signed state    {}", signed.state_of(b"defaultdb")?);
    let refusal = key.verify(b"otherdb", &claimed, &signature);
    println!("refused         {}", refusal.err().ok_or("another database's state was accepted")?);
    Ok(())
}

/// The case of that name in the vectors of that kind.
fn case(kind: &str, name: &str) -> Result<Value, Box<dyn Error>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors");
    let text = std::fs::read_to_string(format!("{folder}/{kind}.json"))?;
    let file: Value = serde_json::from_str(&text)?;
    let case = list(&file["cases"])?.iter().find(|case| case["name"] == name);
    Ok(case.ok_or_else(|| format!("{kind} has no case {name}"))?.clone())
}

fn header<'m>(json: &Value, metadata: &'m [u8]) -> Result<Header<'m>, Box<dyn Error>> {
    Ok(Header {
        id: TxId::new(number(&json["id"])?),
        prev_alh: Alh::new(hash(&json["prev_alh"])?),
        ts: json["ts"].as_i64().ok_or("not a time")?,
        version: HeaderVersion::try_from(u16::try_from(number(&json["version"])?)?)?,
        metadata: TxMetadata::parse(metadata)?,
        nentries: u32::try_from(number(&json["nentries"])?)?,
        eh: Root::new(hash(&json["eh"])?),
        bl_tx_id: TxId::new(number(&json["bl_tx_id"])?),
        bl_root: Root::new(hash(&json["bl_root"])?),
    })
}

fn number(json: &Value) -> Result<u64, Box<dyn Error>> {
    Ok(json.as_u64().ok_or("not a number")?)
}

fn bytes(json: &Value) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(hex::decode(json.as_str().ok_or("not a string")?)?)
}

fn hash(json: &Value) -> Result<[u8; 32], Box<dyn Error>> {
    Ok(bytes(json)?.try_into().map_err(|_| "a hash has 32 bytes")?)
}

fn list(json: &Value) -> Result<&Vec<Value>, Box<dyn Error>> {
    Ok(json.as_array().ok_or("not a list")?)
}

fn hashes(json: &Value) -> Result<Vec<[u8; 32]>, Box<dyn Error>> {
    list(json)?.iter().map(hash).collect()
}
