//! The official Go client and ours at the same work, in turns, on one real
//! immudb. Prints a line `name value` for each figure.
//!
//! ```text
//! scripts/compare
//! scripts/compare --rounds 5 --seconds 10
//! scripts/compare --grow 10000,100000 --embedded 1000000 --page docs
//! ```
//!
//! Needs Go, which builds server and client (`scripts/test` gets it). Machines
//! are noisy: believe the ratios, not the rates.

#[path = "../median.rs"]
mod median;
mod page;
mod plot;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use counterfoil_test_support::{Options, Server, official_client_binary, temp_dir};
use serde_json::Value;

use crate::median::median;
use crate::page::Page;

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
    /// Events of the embedded ledger that is audited, in transactions of
    /// 1,000.
    #[arg(long, default_value_t = 100_000)]
    embedded: u32,
    /// Measures ours also on ledgers of so many transactions of one event.
    /// Their server does not wait for its disk, or they would take hours.
    #[arg(long, value_delimiter = ',')]
    grow: Vec<u32>,
    /// Figures of other ledgers for the page: what `figures --json` printed.
    #[arg(long)]
    figures: Vec<PathBuf>,
    /// Writes performance.md and performance.svg into this folder.
    #[arg(long)]
    page: Option<PathBuf>,
    /// What to say on the page about day and machine.
    #[arg(long, default_value = "")]
    note: String,
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
    let mut page = Page::new(args.page.as_deref(), &args.note);
    // Not the one that tests share: its load is part of the figures.
    let server = Server::start_private();
    let mut all: Vec<(String, Vec<f64>)> = Vec::new();
    for round in 1..=args.rounds {
        anstream::eprintln!("turn {round} of {}: the official client", args.rounds);
        note(&mut all, official_figures(&official, server.grpc_port(), args)?);
        anstream::eprintln!("turn {round} of {}: ours", args.rounds);
        let figures = our_figures(&ours, Some(server.server()), args.count, 1, args)?;
        note(&mut all, chosen(&figures)?);
    }
    drop(server);
    anstream::eprintln!("an embedded ledger of {} events", args.embedded);
    let embedded = our_figures(&ours, None, args.count, args.embedded.div_ceil(1_000), args)?;
    let mut lines: Vec<(String, f64)> =
        all.into_iter().map(|(name, values)| (name, median(values))).collect();
    let of = |name: &str| {
        let found = lines.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| *value).with_context(|| format!("{name} was not measured"))
    };
    let written = of("official_verified_set_1")?.max(of(&best_set(args))?);
    let (read, plain) = (of("ours_verified_reads")?, of("ours_plain_reads")?);
    let ratios = [
        ("append_ratio", of("ours_appends_shared")? / written),
        ("append_ratio_ceiling", of("ceiling_events_per_s")? / written),
        ("verified_read_ratio", read / of("official_verify_row")?),
        ("read_overhead", plain / read),
        ("audit_events_per_s", number(&embedded, "/audit_events_per_second")?),
        ("audit_events_per_cpu_s", number(&embedded, "/audit_events_per_cpu_second")?),
        ("thin_read_statements", of("thin_read_statements")?),
    ];
    lines.retain(|(name, _)| name != "thin_read_statements");
    lines.extend(ratios.map(|(name, value)| (name.to_owned(), value)));
    for (name, value) in &lines {
        anstream::println!("{name} {value:.2}");
    }
    page.compared(lines);
    page.grown(embedded);
    for path in &args.figures {
        page.grown(serde_json::from_slice(&std::fs::read(path)?)?);
    }
    page.write()?;
    for count in &args.grow {
        anstream::eprintln!("an embedded ledger of {count} transactions");
        page.grown(our_figures(&ours, None, *count, 1, args)?);
        page.write()?;
        anstream::eprintln!("an immudb ledger of {count} transactions");
        let flags = vec!["--synced=false".to_owned()];
        let server = Server::start_private_with(&Options { flags, ..Options::default() });
        let figures = our_figures(&ours, Some(server.server()), *count, 1, args)?;
        anstream::println!("{figures}");
        page.grown(figures);
        page.write()?;
    }
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

/// What the example `figures` measures on a database of its own, or on a file.
fn our_figures(
    binary: &Path,
    server: Option<&Server>,
    count: u32,
    together: u32,
    args: &Args,
) -> Result<Value> {
    let mut command = Command::new(binary);
    command
        .env("STORAGE_BACKEND", if server.is_some() { "immudb" } else { "embedded" })
        .env_remove("IMMUDB_DATABASE")
        .args(["--json", "--rounds", "1", "--count", &count.to_string()])
        .args(["--together", &together.to_string()])
        .args(["--writers", &args.writers.to_string()])
        .args(["--payload", &args.payload.to_string()]);
    if let Some(server) = server {
        command
            .env("IMMUDB_HOST", &server.host)
            .env("IMMUDB_PORT", server.port.to_string())
            .env("IMMUDB_USERNAME", &server.username)
            .env("IMMUDB_PASSWORD", &server.password);
    }
    Ok(serde_json::from_str(&output(command)?)?)
}

fn number(figures: &Value, pointer: &str) -> Result<f64> {
    let found = figures.pointer(pointer).and_then(Value::as_f64);
    found.with_context(|| format!("figures gave no {pointer}"))
}

/// What is compared.
fn chosen(figures: &Value) -> Result<Figures> {
    [
        ("ours_appends_alone", "/appends_alone_per_second"),
        ("ours_appends_shared", "/appends_shared_per_second"),
        ("ceiling_events_per_s", "/ceiling/events_per_second"),
        ("ceiling_in_two_lanes", "/ceiling/in_two_lanes_per_second"),
        ("ours_verified_reads", "/reads_alone/verified_per_second"),
        ("ours_plain_reads", "/reads_alone/plain_per_second"),
        ("thin_read_statements", "/thin/statements"),
    ]
    .into_iter()
    .map(|(name, pointer)| Ok((name.to_owned(), number(figures, pointer)?)))
    .collect()
}

/// What a program prints, if it ends well.
fn output(mut command: Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let out = command.stderr(Stdio::inherit()).output().with_context(|| program.clone())?;
    ensure!(out.status.success(), "{program} ended with {}", out.status);
    Ok(String::from_utf8(out.stdout)?)
}
