//! Measures receipts of an embedded ledger of many transactions: how large
//! they are, and how long it takes to make and to verify one.
//!
//! ```text
//! cargo run --release --example receipts
//! cargo run --release --example receipts -- --transactions 1000000 --folder /dev/shm/million
//! ```
//!
//! A folder that is named keeps the ledger: the next run goes on with it, so
//! that a long one is made once. Prints lines `name value`.

mod median;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use counterfoil::core::receipt::{Policy, Receipt};
use counterfoil::{Config, Cover, Event, EventStore};

use crate::median::median;

/// Measures the receipts of a long ledger.
#[derive(Parser)]
#[command(name = "receipts")]
struct Args {
    /// Transactions of one event.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(3..))]
    transactions: u64,
    /// Where the ledger is, or will be; by default for this run only.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Bytes of an event's payload.
    #[arg(long, default_value_t = 200)]
    payload: usize,
    /// How often each is made and verified; the median is shown.
    #[arg(long, default_value_t = 51, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<()> {
    let temporary;
    let folder = match &args.folder {
        Some(folder) => folder.as_path(),
        None => {
            temporary = tempfile::tempdir()?;
            temporary.path()
        }
    };
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let mut config = Config::embedded(folder.join("events.ledger"));
    config.trust.file = Some(folder.join("events.trust"));
    let store = EventStore::open(&config).await?;
    let cover = Cover::new("receipts", "SSCC-00123456");
    fill(&store, &cover, args).await?;

    let transactions = store.state().await?.tx.get();
    anstream::println!("transactions {transactions}");
    let last = args.transactions - 1;
    for (name, sequence) in [("first", 0), ("middle", last / 2), ("last", last)] {
        measure(&store, &cover, name, sequence, args).await?;
    }
    store.close().await?;
    Ok(())
}

/// Appends what is missing, each event in a transaction of its own.
async fn fill(store: &EventStore, cover: &Cover, args: &Args) -> Result<()> {
    let begin = store.next_sequence(cover).await?;
    let (start, mut told) = (Instant::now(), Instant::now());
    for n in begin..args.transactions {
        let payload = "x".repeat(args.payload);
        store.add_event(&Event::new(cover, "Measured", payload)).await?;
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            let rate = (n - begin) as f64 / start.elapsed().as_secs_f64();
            anstream::eprintln!("{n} of {} transactions, {rate:.0} a second", args.transactions);
        }
    }
    Ok(())
}

async fn measure(
    store: &EventStore,
    cover: &Cover,
    name: &str,
    sequence: u64,
    args: &Args,
) -> Result<()> {
    let (mut made, mut verified) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for _ in 0..args.rounds {
        let start = Instant::now();
        let issued = store.issue_receipt(cover, sequence, None).await?;
        made.push(start.elapsed().as_secs_f64() * 1e6);

        let pins = [issued.state];
        let policy = Policy::new(issued.ledger).with_pins(&pins)?;
        let start = Instant::now();
        let receipt = Receipt::parse(&issued.bytes)?;
        let verdict = receipt.verify(&policy).verdict();
        verified.push(start.elapsed().as_secs_f64() * 1e6);
        ensure!(verdict.trusted().is_some(), "the receipt of event {sequence}: {verdict}");
        bytes = issued.bytes.len();
    }
    anstream::println!("receipt_bytes_{name} {bytes}");
    // The budget is for what is beside the whole event; this is a little more.
    anstream::println!("receipt_beside_payload_bytes_{name} {}", bytes - args.payload);
    anstream::println!("receipt_issue_us_{name} {:.0}", median(made));
    anstream::println!("receipt_verify_us_{name} {:.1}", median(verified));
    Ok(())
}
