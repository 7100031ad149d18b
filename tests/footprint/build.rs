//! Takes the golden receipts out of `docs/receipt.md`, so that what is measured is what is documented.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

const DOCUMENT: &str = "../../docs/receipt.md";

/// What stands in the blocks marked `golden`: `name = hex`, which goes on in indented lines.
fn golden(document: &str) -> BTreeMap<&str, String> {
    let mut values = BTreeMap::new();
    for block in document.split("```golden\n").skip(1) {
        let mut name = "";
        for line in block.split("```").next().unwrap().lines() {
            match line.split_once(" = ") {
                Some((found, value)) => {
                    name = found;
                    values.insert(name, value.to_owned());
                }
                None => values.get_mut(name).unwrap().push_str(line.trim()),
            }
        }
    }
    values
}

fn main() {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    println!("cargo::rerun-if-changed=device.x");
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let golden = golden(&document);
    let mut source = String::new();
    for (constant, name) in [
        ("ONE", "receipt of one event"),
        ("IN_TWO_TREES", "receipt of an event in two trees"),
        ("FOUR", "receipt of four events"),
        ("EARLIER_PARTED", "receipt with another chain before an earlier state"),
        ("LATER_PARTED", "receipt with another chain before a later state"),
        ("ALH_2", "alh of transaction 2"),
        ("ALH_3", "alh of transaction 3"),
        ("ALH_6", "alh of transaction 6"),
        ("ALH_9", "alh of transaction 9"),
    ] {
        let hex = &golden[name];
        let bytes: Vec<u8> = (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        source += &format!("pub const {constant}: &[u8; {}] = &{bytes:?};\n", bytes.len());
    }
    let folder = env::var("OUT_DIR").unwrap();
    fs::write(Path::new(&folder).join("golden.rs"), source).unwrap();
    let here = env::var("CARGO_MANIFEST_DIR").unwrap();
    println!("cargo::rustc-link-arg-bins=-T{here}/device.x");
}
