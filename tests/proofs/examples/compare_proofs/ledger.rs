//! A real ledger's proofs, made once.

use std::path::{Path, PathBuf};
use std::{env, fs};

use counterfoil_proof_tests::oracle::Oracle;
use serde_json::Value;

const SEED: u64 = 1;
const HEADER_VERSION: u16 = 1;

/// The proofs between these transactions of a ledger of so many, as immudb's store makes them. They
/// are kept beside this program: what decides them is in the file's name.
pub(crate) fn proofs(oracle: &mut Oracle, transactions: u64, pairs: &[(u64, u64)]) -> Value {
    let kept = kept(transactions, pairs);
    if let Some(known) = fs::read(&kept).ok().and_then(|json| serde_json::from_slice(&json).ok()) {
        return known;
    }
    let made = oracle.ledger(transactions, SEED, HEADER_VERSION, pairs);
    fs::write(&kept, made.to_string())
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", kept.display()));
    made
}

fn kept(transactions: u64, pairs: &[(u64, u64)]) -> PathBuf {
    let program = env::current_exe().expect("a running program has a path");
    let folder = program.parent().unwrap_or(Path::new("."));
    let pairs: String =
        pairs.iter().map(|(source, target)| format!("-{source}to{target}")).collect();
    folder.join(format!("proofs-{transactions}-{SEED}-v{HEADER_VERSION}{pairs}.json"))
}
