//! The official Go client and ours at the same work, in turns, on one real
//! immudb. Prints a line `name value` for each figure.
//!
//! ```text
//! scripts/compare
//! scripts/compare --rounds 5 --seconds 10
//! ```
//!
//! Needs Go, which builds server and client (`scripts/test` gets it). Machines
//! are noisy: believe the ratios, not the rates.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use counterfoil_test_support::{Server, official_client_binary, temp_dir};
use serde_json::Value;

/// Compares verified writes and reads with the official client's.
#[derive(Parser)]
#[command(name = "compare")]
struct Args {
    /// Turns; of each figure the median is shown.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Writers at the same time, on either side.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    writers: u32,
    /// Seconds for each of the official client's figures.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Transactions of one event that ours writes and reads in each turn.
    #[arg(long, default_value_t = 1_000)]
    count: u32,
    /// Bytes of a value, or of an event's payload.
    #[arg(long, default_value_t = 200)]
    payload: u32,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let official = official_client_binary().map_err(anyhow::Error::msg)?;
    let ours = std::env::current_exe()?.with_file_name("figures");
    ensure!(ours.exists(), "build the example `figures` too: scripts/compare does");
    // Not the one that tests share: its load is part of the figures.
    let server = Server::start_private();
    let mut all: Vec<(String, Vec<f64>)> = Vec::new();
    for round in 1..=args.rounds {
        anstream::eprintln!("turn {round} of {}: the official client", args.rounds);
        note(&mut all, official_figures(&official, server.grpc_port(), args)?);
        anstream::eprintln!("turn {round} of {}: ours", args.rounds);
        note(&mut all, our_figures(&ours, server.server(), args)?);
    }
    let medians: Vec<(String, f64)> =
        all.into_iter().map(|(name, values)| (name, median(values))).collect();
    for (name, value) in &medians {
        anstream::println!("{name} {value:.1}");
    }
    let of = |name: &str| {
        let found = medians.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| *value).with_context(|| format!("{name} was not measured"))
    };
    let written = of("official_verified_set_1")?.max(of(&best_set(args))?);
    anstream::println!("append_ratio {:.1}", of("ours_appends_shared")? / written);
    let read = of("ours_verified_reads")?;
    anstream::println!("verified_read_ratio {:.1}", read / of("official_verify_row")?);
    anstream::println!("read_overhead {:.2}", of("ours_plain_reads")? / read);
    Ok(())
}

fn best_set(args: &Args) -> String {
    format!("official_verified_set_{}", args.writers)
}

type Figures = Vec<(String, f64)>;

fn note(all: &mut Vec<(String, Vec<f64>)>, figures: Figures) {
    for (name, value) in figures {
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => all.push((name, vec![value])),
        }
    }
}

fn official_figures(binary: &Path, port: u16, args: &Args) -> Result<Figures> {
    let state = temp_dir("official");
    let mut command = Command::new(binary);
    command.arg("-state").arg(state.path()).args(["-port", &port.to_string()]);
    command.args(["-writers", &args.writers.to_string()]);
    command.args(["-seconds", &args.seconds.to_string()]);
    command.args(["-payload", &args.payload.to_string()]);
    output(command)?
        .lines()
        .map(|line| {
            let (name, value) = line.split_once(' ').context("a line without a value")?;
            Ok((format!("official_{name}"), value.parse()?))
        })
        .collect()
}

/// What the example `figures` measures on a database of its own.
fn our_figures(binary: &Path, server: &Server, args: &Args) -> Result<Figures> {
    let mut command = Command::new(binary);
    command
        .env("STORAGE_BACKEND", "immudb")
        .env("IMMUDB_HOST", &server.host)
        .env("IMMUDB_PORT", server.port.to_string())
        .env("IMMUDB_USERNAME", &server.username)
        .env("IMMUDB_PASSWORD", &server.password)
        .env_remove("IMMUDB_DATABASE")
        .args(["--json", "--rounds", "1", "--count", &args.count.to_string()])
        .args(["--writers", &args.writers.to_string()])
        .args(["--payload", &args.payload.to_string()]);
    let figures: Value = serde_json::from_str(&output(command)?)?;
    let number = |pointer: &str| {
        let found = figures.pointer(pointer).and_then(Value::as_f64);
        found.with_context(|| format!("figures gave no {pointer}"))
    };
    Ok(vec![
        ("ours_appends_alone".into(), number("/appends_alone_per_second")?),
        ("ours_appends_shared".into(), number("/appends_shared_per_second")?),
        ("ours_verified_reads".into(), number("/reads_alone/verified_per_second")?),
        ("ours_plain_reads".into(), number("/reads_alone/plain_per_second")?),
    ])
}

/// What a program prints, if it ends well.
fn output(mut command: Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let out = command.stderr(Stdio::inherit()).output().with_context(|| program.clone())?;
    ensure!(out.status.success(), "{program} ended with {}", out.status);
    Ok(String::from_utf8(out.stdout)?)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}
