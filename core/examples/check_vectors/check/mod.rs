//! Reads a folder of vectors and checks every case of every kind that is known.

mod case;
mod digests;
mod kv;
mod proofs;
mod refusals;
mod signature;
mod sql;
mod trees;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use case::Case;
use serde_json::Value;

/// What a check of one case gives: nothing, or why the case fails.
type Outcome = Result<(), String>;

/// Checks the cases of one file, in order. One outcome per case.
type Check = fn(&[Case<'_>]) -> Vec<Outcome>;

/// The kinds that are known.
const KINDS: &[(&str, Check)] = &[
    ("entry_tree_root", |cases| each(cases, trees::entry_root)),
    ("tx_tree_root", |cases| each(cases, trees::tx_root)),
    ("entry_tree_inclusion", |cases| each(cases, trees::entry_inclusion)),
    ("tx_tree_inclusion", |cases| each(cases, trees::tx_inclusion)),
    ("tx_tree_last_inclusion", |cases| each(cases, trees::tx_last_inclusion)),
    ("tx_tree_consistency", |cases| each(cases, trees::tx_consistency)),
    ("tx_header", |cases| each(cases, digests::tx_header)),
    ("entry_digest", |cases| each(cases, digests::entry_digest)),
    ("linear_proof", |cases| each(cases, proofs::linear)),
    ("linear_advance_proof", |cases| each(cases, proofs::linear_advance)),
    ("dual_proof", |cases| each(cases, proofs::dual)),
    ("dual_proof_v2", |cases| each(cases, proofs::dual_v2)),
    ("sql_row", |cases| each(cases, sql::row)),
    ("sql_tx", sql::transactions),
    ("sql_catalog", |cases| each(cases, sql::catalog)),
    ("sql_index_entry", |cases| each(cases, sql::index_entry)),
    ("kv_value", |cases| each(cases, kv::value)),
    ("signed_state", |cases| each(cases, signature::signed_state)),
    ("tx_metadata_bytes", |cases| each(cases, refusals::tx_metadata)),
    ("entry_metadata_bytes", |cases| each(cases, refusals::entry_metadata)),
    ("tx_header_fields", |cases| each(cases, refusals::header)),
    ("sql_value_bytes", |cases| each(cases, refusals::sql_value)),
    ("sql_key_bytes", |cases| each(cases, refusals::sql_key)),
    ("catalog_entry_bytes", |cases| each(cases, refusals::catalog_entry)),
    ("catalog_claim", |cases| each(cases, refusals::catalog_claim)),
    ("kv_entry_bytes", |cases| each(cases, refusals::kv_entry)),
    ("state_key_bytes", |cases| each(cases, refusals::state_key)),
];

fn each(cases: &[Case<'_>], check: fn(Case<'_>) -> Outcome) -> Vec<Outcome> {
    cases.iter().map(|case| check(*case)).collect()
}

/// How the cases of one kind fared.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) total: usize,
    failures: Vec<String>,
}

/// How a folder fared.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) kinds: BTreeMap<&'static str, Tally>,
    /// What could not be checked at all.
    broken: Vec<String>,
}

impl Report {
    /// Something was checked, and nothing failed.
    pub(crate) fn is_success(&self) -> bool {
        self.broken.is_empty()
            && !self.kinds.is_empty()
            && self.kinds.values().all(|tally| tally.total > 0 && tally.passed == tally.total)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, tally) in &self.kinds {
            writeln!(f, "{kind}: {}/{}", tally.passed, tally.total)?;
            tally.failures.iter().try_for_each(|failure| writeln!(f, "  FAILED {failure}"))?;
        }
        self.broken.iter().try_for_each(|broken| writeln!(f, "BROKEN {broken}"))?;
        if self.kinds.is_empty() {
            writeln!(f, "BROKEN no file of a known kind")?;
        }
        Ok(())
    }
}

/// Checks every `.json` file of a folder.
pub(crate) fn folder(dir: &Path) -> Report {
    let mut report = Report::default();
    match json_files(dir) {
        Ok(files) => {
            for path in files {
                if let Err(why) = file(&path, &mut report) {
                    report.broken.push(format!("{}: {why}", path.display()));
                }
            }
        }
        Err(error) => report.broken.push(format!("{}: {error}", dir.display())),
    }
    report
}

fn json_files(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn file(path: &Path, report: &mut Report) -> Outcome {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let json: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let kind = json.get("kind").and_then(Value::as_str).ok_or("no kind")?;
    let cases = json.get("cases").and_then(Value::as_array).ok_or("no list of cases")?;
    if cases.is_empty() {
        return Err(format!("no cases of kind {kind}"));
    }
    let Some((kind, check)) = KINDS.iter().find(|(known, _)| *known == kind) else {
        return Err(format!("the kind {kind} is not known, {} cases not checked", cases.len()));
    };

    let cases: Vec<Case<'_>> = cases.iter().map(Case::new).collect();
    let tally = report.kinds.entry(kind).or_default();
    let outcomes = check(&cases);
    tally.total += cases.len();
    for (case, outcome) in cases.iter().zip(outcomes) {
        match outcome {
            Ok(()) => tally.passed += 1,
            Err(why) => tally.failures.push(format!("{}: {why}", case.name())),
        }
    }
    Ok(())
}
