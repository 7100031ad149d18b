//! Checks a folder of conformance vectors (`tests/vectors/README.md` describes the format):
//!
//! ```text
//! cargo run --release -p counterfoil-core --example check_vectors -- DIR
//! ```
//!
//! Prints `kind: passed/total` for every kind, and each failing case with the reason. Exits with 1
//! if anything failed, could not be read, is of a kind that it does not know, or was not there to
//! be checked.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod check;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let (Some(dir), None) = (args.next(), args.next()) else {
        eprintln!("usage: check_vectors DIR");
        return ExitCode::FAILURE;
    };
    let report = check::folder(Path::new(&dir));
    print!("{report}");
    if report.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
