//! Measures what proving and verifying cost, on the backend that the
//! environment names.
//!
//! ```text
//! cargo run --release --example figures
//! cargo run --release --example figures -- --count 100000
//! STORAGE_BACKEND=immudb cargo run --release --example figures --features immudb
//! ```
//!
//! Each run makes a ledger of its own: a file in a temporary folder, or a new
//! database on the server (which immudb keeps). Rates are medians of several
//! rounds; reads and the plain reads they are compared with take turns.

#[cfg(feature = "immudb")]
mod ceiling;
#[path = "../median.rs"]
mod median;
#[cfg(feature = "immudb")]
mod plain;
mod reads;
mod show;
#[cfg(feature = "immudb")]
mod thin;
mod writes;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use counterfoil::{Audit, AuditVerdict, BackendKind, Config, Cover, EventStore, FirstContact};
use cpu_time::ProcessTime;
use serde::Serialize;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

use crate::median::median;
use crate::reads::{Reads, reads};

/// Measures appends, reads, synchronisation and the size of the log.
#[derive(Parser)]
#[command(name = "figures")]
struct Args {
    /// Transactions of one event, all in one stream.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// Rounds; of each figure the median is shown.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Bytes of an event's payload.
    #[arg(long, default_value_t = 200)]
    payload: usize,
    /// Writers at the same time, each with a stream of its own.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    writers: u32,
    /// Appends of 1,000 events each; by default one a round.
    #[arg(long)]
    together: Option<u32>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Figures {
    backend: &'static str,
    transactions: u32,
    rounds: u32,
    payload_bytes: usize,
    appends_alone_per_second: f64,
    appends_together_per_second: f64,
    writers: u32,
    appends_shared_per_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ceiling: Option<Ceiling>,
    reads_alone: Reads,
    reads_together: Reads,
    sync_transactions_per_second: f64,
    log_bytes: u64,
    log_bytes_per_transaction: f64,
    audited_events: u64,
    audit_events_per_second: f64,
    /// The same for a second of processor time, of all threads together.
    audit_events_per_cpu_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    thin: Option<Thin>,
}

/// The rows of the writers at the same time, inserted without verifying
/// anything: what the server itself takes a second.
#[derive(Serialize)]
struct Ceiling {
    /// As many rows in an INSERT as there are writers, one after the other.
    events_per_second: f64,
    /// Two INSERTs at a time, of half as many rows.
    in_two_lanes_per_second: f64,
}

/// A first read by somebody who has nothing but a state.
#[derive(Serialize)]
struct Thin {
    transactions: u64,
    statements: u64,
    headers: u64,
    bytes: u64,
    milliseconds: f64,
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
    let folder = tempfile::tempdir()?;
    let config = configure(folder.path())?;
    let figures = measure(args, &config, folder.path()).await?;
    match args.json {
        true => anstream::println!("{}", serde_json::to_string(&figures)?),
        false => anstream::print!("{figures}"),
    }
    Ok(())
}

async fn measure(args: &Args, config: &Config, folder: &Path) -> Result<Figures> {
    let (alone, together) = (Cover::new("figures", "alone"), Cover::new("figures", "together"));
    let store = EventStore::open(config).await?;
    let appends_alone_per_second = writes::append_alone(&store, &alone, args).await?;
    let log = match config.storage.backend {
        BackendKind::Embedded => config.trust.file.clone().context("no trust file")?,
        BackendKind::Immudb => folder.join("log").join(format!("{}.log", store.ledger_id().await?)),
    };
    drop(store);
    let log_bytes = checkpointed_size(&log).await?;
    // The genesis is one, too.
    let transactions = u64::from(args.count) + 1;
    let sync_transactions_per_second = sync(config, folder, transactions, args.rounds).await?;

    let store = EventStore::open(config).await?;
    let appends_together_per_second = writes::append_together(&store, &together, args).await?;
    let appends_shared_per_second = writes::append_shared(&store, args).await?;
    #[cfg(feature = "immudb")]
    let ceiling = match config.storage.backend {
        BackendKind::Immudb => Some(ceiling::ceiling(config, args).await?),
        BackendKind::Embedded => None,
    };
    #[cfg(not(feature = "immudb"))]
    let ceiling = None;
    let reads_alone = reads(&store, config, &alone, args.rounds).await?;
    let reads_together = reads(&store, config, &together, args.rounds).await?;
    #[cfg(feature = "immudb")]
    let thin = thin::read(&store, config, &alone, args).await?;
    #[cfg(not(feature = "immudb"))]
    let thin = None;
    drop(store);
    let audited = audit(config, args.rounds).await?;
    Ok(Figures {
        backend: match config.storage.backend {
            BackendKind::Embedded => "embedded",
            BackendKind::Immudb => "immudb",
        },
        transactions: args.count,
        rounds: args.rounds,
        payload_bytes: args.payload,
        appends_alone_per_second,
        appends_together_per_second,
        writers: args.writers,
        appends_shared_per_second,
        ceiling,
        reads_alone,
        reads_together,
        sync_transactions_per_second,
        log_bytes,
        log_bytes_per_transaction: log_bytes as f64 / transactions as f64,
        audited_events: audited.events,
        audit_events_per_second: audited.per_second,
        audit_events_per_cpu_second: audited.per_cpu_second,
        thin,
    })
}

struct Audited {
    events: u64,
    per_second: f64,
    per_cpu_second: f64,
}

/// The whole ledger, derived again from what it shows.
async fn audit(config: &Config, rounds: u32) -> Result<Audited> {
    let (mut events, mut rates, mut cpu_rates) = (0, Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (start, cpu) = (Instant::now(), ProcessTime::try_now()?);
        let report = Audit::of(config).run().await?;
        ensure!(report.verdict == AuditVerdict::Intact, "the audit says: {:?}", report.verdict);
        events = report.counts.events;
        rates.push(rate(events, start.elapsed()));
        cpu_rates.push(rate(events, cpu.try_elapsed()?));
    }
    Ok(Audited { events, per_second: median(rates), per_cpu_second: median(cpu_rates) })
}

/// As somebody opens the ledger who meets it for the first time.
async fn sync(config: &Config, folder: &Path, transactions: u64, rounds: u32) -> Result<f64> {
    let mut rates = Vec::new();
    for round in 0..rounds {
        let stranger = stranger(config, &folder.join(format!("stranger-{round}")));
        let start = Instant::now();
        let store = EventStore::open_read_only(&stranger).await?;
        let state = store.state().await?;
        rates.push(rate(transactions, start.elapsed()));
        ensure!(state.tx.get() == transactions, "the ledger moved while it was measured");
    }
    Ok(median(rates))
}

/// A ledger of this run's own.
fn configure(folder: &Path) -> Result<Config> {
    let mut config = Config::from_env()?;
    config.storage.embedded.path = folder.join("figures.ledger");
    config.trust.file = Some(folder.join("figures.trust"));
    config.log.path = Some(folder.join("log"));
    if config.storage.backend == BackendKind::Immudb {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        config.storage.immudb.database = format!("figures{}", now.as_millis());
    }
    Ok(config)
}

/// The same ledger, for somebody who has not seen it before.
fn stranger(config: &Config, folder: &Path) -> Config {
    let mut config = config.clone();
    config.trust.first_contact = FirstContact::Accept;
    config.trust.file = Some(folder.join("figures.trust"));
    config.log.path = Some(folder.join("log"));
    config
}

/// The file's size with everything in it that lies in the write-ahead log.
async fn checkpointed_size(file: &Path) -> Result<u64> {
    let options = SqliteConnectOptions::new().filename(file);
    let mut conn = SqliteConnection::connect_with(&options).await?;
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut conn).await?;
    conn.close().await?;
    Ok(std::fs::metadata(file)?.len())
}

fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}
