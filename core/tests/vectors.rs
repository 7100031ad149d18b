//! The committed conformance vectors, checked with the very code of the `check_vectors` example.

#[path = "../examples/check_vectors/check/mod.rs"]
mod check;

use std::path::{Path, PathBuf};

const KNOWN: [&str; 18] = [
    "dual_proof",
    "dual_proof_v2",
    "entry_digest",
    "entry_tree_inclusion",
    "entry_tree_root",
    "kv_value",
    "linear_advance_proof",
    "linear_proof",
    "signed_state",
    "sql_catalog",
    "sql_index_entry",
    "sql_row",
    "sql_tx",
    "tx_header",
    "tx_tree_consistency",
    "tx_tree_inclusion",
    "tx_tree_last_inclusion",
    "tx_tree_root",
];

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors")
}

#[test]
fn every_known_kind_is_there_and_passes() {
    let report = check::folder(&committed());
    assert!(report.is_success(), "{report}");
    for kind in KNOWN {
        let tally = report.kinds.get(kind).unwrap_or_else(|| panic!("no {kind} in\n{report}"));
        assert!(tally.total > 0 && tally.passed == tally.total, "{kind} in\n{report}");
    }
    assert_eq!(report.kinds.len(), KNOWN.len(), "{report}");
}

/// What the vectors, honest where they show encodings, cannot show.
#[test]
fn every_refusal_is_refused_and_its_neighbour_is_not() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/refusals");
    let report = check::folder(&folder);
    assert!(report.is_success(), "{report}");
    assert_eq!(report.kinds.len(), 9, "{report}");
}

/// Writes one file into a folder of its own and checks that.
fn check_text(name: &str, text: &str) -> check::Report {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("vectors.json"), text).unwrap();
    check::folder(&dir)
}

const HONEST: &str = r#"{"name":"n","leaf_index":0,"width":1,"terms":[],
    "entry_digest":"9f95fb2a833802b87ac0551d463442325dfba478d2b749c85dda09cde384c7f8",
    "root":"8eb7ebd647def3eb26fbc0a9efda67332ffba3e970f67599ce67f51ee23051aa","expect":true}"#;

fn one_case(name: &str, from: &str, to: &str) -> check::Report {
    assert!(HONEST.contains(from));
    let case = HONEST.replace(from, to);
    check_text(name, &format!(r#"{{"kind":"entry_tree_inclusion","cases":[{case}]}}"#))
}

#[test]
fn a_wrong_expectation_fails() {
    assert!(one_case("honest", "{", "{").is_success());
    assert!(one_case("unknown-field", "{", r#"{"more":[{}],"#).is_success());
    assert!(!one_case("accepted", r#""expect":true"#, r#""expect":false"#).is_success());
    assert!(!one_case("refused", "9f95", "9f96").is_success());
}

#[test]
fn numbers_that_no_tree_has_are_refused_and_not_malformed() {
    for number in
        ["-1", "1", "-9223372036854775808", "18446744073709551615", "18446744073709551616"]
    {
        let case = HONEST
            .replace(r#""leaf_index":0"#, &format!(r#""leaf_index":{number}"#))
            .replace(r#""expect":true"#, r#""expect":false"#);
        let text = format!(r#"{{"kind":"entry_tree_inclusion","cases":[{case}]}}"#);
        let report = check_text("numbers", &text);
        assert!(report.is_success(), "{number}: {report}");
    }
}

#[test]
fn a_malformed_case_fails_whatever_it_expects() {
    for (from, to) in [
        (r#""width":1"#, r#""width":1.5"#),
        (r#""width":1"#, r#""width":"1""#),
        (r#""width":1,"#, ""),
        (r#""terms":[]"#, r#""terms":["00"]"#),
        (r#""terms":[]"#, r#""terms":null"#),
        ("9f95", "9F95"),
        ("9f95", "95"),
        (r#""expect":true"#, r#""expect":null"#),
    ] {
        assert!(HONEST.contains(from));
        for expect in ["true", "false"] {
            let case = HONEST.replace(from, to);
            let case = case.replace(r#""expect":true"#, &format!(r#""expect":{expect}"#));
            let text = format!(r#"{{"kind":"entry_tree_inclusion","cases":[{case}]}}"#);
            assert!(!check_text("malformed", &text).is_success(), "{from} -> {to}");
        }
    }
}

#[test]
fn nothing_to_check_is_a_failure() {
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty");
    std::fs::create_dir_all(&empty).unwrap();
    assert!(!check::folder(&empty).is_success());
    assert!(!check::folder(&empty.join("missing")).is_success());
    for (name, text) in [
        ("no-json", "{"),
        ("no-kind", r#"{"cases":[{}]}"#),
        ("no-list", r#"{"kind":"tx_header"}"#),
        ("no-cases", r#"{"kind":"tx_header","cases":[]}"#),
        ("only-unknown", r#"{"kind":"something else","cases":[{}]}"#),
    ] {
        assert!(!check_text(name, text).is_success(), "{name}");
    }
}
