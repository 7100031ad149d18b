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

use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use counterfoil::{
    BackendKind, Config, Cover, Event, EventStore, ExpectedVersion, FirstContact, ReadOptions,
};
use serde::Serialize;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

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
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// Events in one append where many go together: the most there may be.
const TOGETHER: u32 = 1_000;

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
    reads_alone: Reads,
    reads_together: Reads,
    sync_transactions_per_second: f64,
    log_bytes: u64,
    log_bytes_per_transaction: f64,
}

/// Events of a stream, verified, and the same rows as the database gives them.
#[derive(Serialize)]
struct Reads {
    verified_per_second: f64,
    plain_per_second: f64,
    /// Time of the verified read over time of the plain one.
    ratio: f64,
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
    let appends_alone_per_second = append_alone(&store, &alone, args).await?;
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
    let appends_together_per_second = append_together(&store, &together, args).await?;
    let appends_shared_per_second = append_shared(&store, args).await?;
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
        reads_alone: reads(&store, config, &alone, args.rounds).await?,
        reads_together: reads(&store, config, &together, args.rounds).await?,
        sync_transactions_per_second,
        log_bytes,
        log_bytes_per_transaction: log_bytes as f64 / transactions as f64,
    })
}

/// One event after the other; the rate is that of the rounds' parts.
async fn append_alone(store: &EventStore, cover: &Cover, args: &Args) -> Result<f64> {
    let mut rates = Vec::new();
    for part in split(args.count, args.rounds) {
        let events = events(cover, part, args.payload);
        let start = Instant::now();
        for event in &events {
            store.add_event(event).await?;
        }
        rates.push(rate(part.into(), start.elapsed()));
    }
    Ok(median(rates))
}

async fn append_together(store: &EventStore, cover: &Cover, args: &Args) -> Result<f64> {
    let mut rates = Vec::new();
    for _ in 0..args.rounds {
        let events = events(cover, TOGETHER, args.payload);
        let start = Instant::now();
        store.append(cover, ExpectedVersion::Any, &events).await?;
        rates.push(rate(TOGETHER.into(), start.elapsed()));
    }
    Ok(median(rates))
}

/// Events that many writers append at the same time, one after the other each.
async fn append_shared(store: &EventStore, args: &Args) -> Result<f64> {
    let mut rates = Vec::new();
    for _ in 0..args.rounds {
        let each = args.count.div_ceil(args.writers);
        let start = Instant::now();
        let writers = (0..args.writers).map(|writer| {
            let cover = Cover::new("figures", format!("writer {writer}"));
            let (store, events) = (store.clone(), events(&cover, each, args.payload));
            tokio::spawn(async move {
                for event in &events {
                    store.add_event(event).await?;
                }
                anyhow::Ok(())
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await??;
        }
        rates.push(rate(u64::from(each) * u64::from(args.writers), start.elapsed()));
    }
    Ok(median(rates))
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

/// Reads a stream both ways, in turns, and checks that both got all of it.
async fn reads(store: &EventStore, config: &Config, cover: &Cover, rounds: u32) -> Result<Reads> {
    let expected = store.next_sequence(cover).await?;
    let first = store.get_event_at_tx(cover, 0, store.state().await?.tx).await?;
    let last = store.read(cover, ReadOptions::backward().limit(1)).await?.events;
    let last = last.last().context("the stream is empty")?;
    let mut plain = Plain::open(config, cover, (first.tx.get(), last.tx.get())).await?;
    let (mut verified_times, mut plain_times) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let start = Instant::now();
        let events = store.read(cover, ReadOptions::forward()).await?.events;
        verified_times.push(start.elapsed().as_secs_f64());
        ensure!(u64::try_from(events.len())? == expected, "the verified read is not whole");
        drop(events);

        let start = Instant::now();
        let rows = plain.read().await?;
        plain_times.push(start.elapsed().as_secs_f64());
        ensure!(rows == expected, "the plain read gave {rows} rows, not {expected}");
    }
    let (verified, plain) = (median(verified_times), median(plain_times));
    Ok(Reads {
        verified_per_second: expected as f64 / verified,
        plain_per_second: expected as f64 / plain,
        ratio: verified / plain,
    })
}

/// The rows of a stream as the database has them, unverified.
enum Plain {
    Embedded(SqliteConnection, (i64, i64)),
    #[cfg(feature = "immudb")]
    Immudb(sqlx::PgConnection, String),
}

impl Plain {
    async fn open(config: &Config, cover: &Cover, txs: (u64, u64)) -> Result<Self> {
        match config.storage.backend {
            BackendKind::Embedded => {
                let options = SqliteConnectOptions::new()
                    .filename(&config.storage.embedded.path)
                    .read_only(true);
                // A row's place is its transaction and, in 16 bits, its entry.
                let places = (i64::try_from(txs.0 << 16)?, i64::try_from((txs.1 + 1) << 16)?);
                Ok(Self::Embedded(SqliteConnection::connect_with(&options).await?, places))
            }
            #[cfg(feature = "immudb")]
            BackendKind::Immudb => {
                let immudb = &config.storage.immudb;
                let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
                    .host(&immudb.host)
                    .port(immudb.port)
                    .username(&immudb.username)
                    .password(&immudb.password)
                    .database(&immudb.database)
                    .extra_float_digits(None)
                    .ssl_mode(sqlx::postgres::PgSslMode::Disable);
                let query = format!(
                    "SELECT domain, edition, root, event_number, ext, seen_tx, body \
                     FROM (HISTORY OF events) WHERE domain = x'{}' AND edition = x'' \
                     AND root = x'{}';",
                    hex::encode(&cover.domain),
                    hex::encode(&cover.root)
                );
                Ok(Self::Immudb(sqlx::PgConnection::connect_with(&options).await?, query))
            }
            #[cfg(not(feature = "immudb"))]
            BackendKind::Immudb => anyhow::bail!("{cover}: this program was built without immudb"),
        }
    }

    async fn read(&mut self) -> Result<u64> {
        let rows = match self {
            Self::Embedded(conn, (first, end)) => {
                let sql = "SELECT value FROM ledger_row WHERE pos >= ? AND pos < ?";
                let query = sqlx::query_scalar::<_, Vec<u8>>(sql).bind(*first).bind(*end);
                query.fetch_all(conn).await?.len()
            }
            #[cfg(feature = "immudb")]
            Self::Immudb(conn, query) => {
                use sqlx::AssertSqlSafe;
                sqlx::raw_sql(AssertSqlSafe(query.clone())).fetch_all(conn).await?.len()
            }
        };
        Ok(u64::try_from(rows)?)
    }
}

fn events(cover: &Cover, count: u32, payload: usize) -> Vec<Event> {
    let payload = |n: u32| format!("{n:0>payload$}");
    (0..count).map(|n| Event::new(cover, "Measured", payload(n))).collect()
}

/// `count` in `rounds` nearly equal parts, none of them empty.
fn split(count: u32, rounds: u32) -> impl Iterator<Item = u32> {
    let rounds = rounds.min(count);
    (0..rounds).map(move |round| {
        let upto = |round: u32| u64::from(count) * u64::from(round) / u64::from(rounds);
        // No larger than count.
        (upto(round + 1) - upto(round)) as u32
    })
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

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} transactions of one event with {} bytes, then {} of 1,000 events; medians",
            self.backend,
            grouped(self.transactions.into()),
            self.payload_bytes,
            self.rounds
        )?;
        writeln!(f)?;
        let mut line = |name: &str, value: f64, unit: &str| {
            let value = match value {
                value if value < 1_000.0 => format!("{value:.1}"),
                value => grouped(value.round() as u64),
            };
            writeln!(f, "  {name:<52}{value:>10}  {unit}")
        };
        line("verified appends, one event each", self.appends_alone_per_second, "events/s")?;
        line("verified appends, 1,000 events each", self.appends_together_per_second, "events/s")?;
        let shared = format!("verified appends, {} writers of one event each", self.writers);
        line(&shared, self.appends_shared_per_second, "events/s")?;
        for (name, reads) in
            [("one event each", &self.reads_alone), ("1,000 events each", &self.reads_together)]
        {
            let verified = format!("verified reads, transactions of {name}");
            line(&verified, reads.verified_per_second, "events/s")?;
            line("  plain sqlx read of the same rows", reads.plain_per_second, "rows/s")?;
            line("  time of verified over plain", reads.ratio, "×")?;
        }
        line(
            "first synchronisation, into an empty log",
            self.sync_transactions_per_second,
            "transactions/s",
        )?;
        line("log and index", self.log_bytes_per_transaction, "bytes a transaction")?;
        if self.transactions < 100_000 {
            writeln!(
                f,
                "\n  Short ledgers pay for the log's half-empty pages: try --count 100000."
            )?;
        }
        Ok(())
    }
}

/// 12345 as `12,345`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
