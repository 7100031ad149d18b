//! A vaccine shipment from the producer to the clinic, as EPCIS 2.0 events in
//! a ledger that nobody can change unnoticed.
//!
//! ```text
//! cargo run --release --example supply_chain
//! cargo run --release --example supply_chain -- FILE…
//! STORAGE_BACKEND=immudb cargo run --release --example supply_chain --features immudb
//! ```
//!
//! Without files it takes the four documents of `examples/data`: producer,
//! carrier, warehouse and clinic each hand over theirs. It appends their
//! events, checks every proof, reads everything back verified, draws one proof
//! hash by hash, travels in time and, on the embedded ledger, tampers with
//! copies of the stored bytes to show what is noticed.

mod epcis;
mod merkle;
mod report;
mod steps;
mod tamper;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use counterfoil::{BackendKind, Config, EventStore, ExpectedVersion, StoreOptions};
use indicatif::{ProgressBar, ProgressStyle};

use crate::epcis::Document;
use crate::report::Report;
use crate::steps::Written;

/// A vaccine shipment, event by event, proved and verified.
///
/// The backend and its address come from the environment: STORAGE_BACKEND
/// ("embedded" or "immudb"), IMMUDB_HOST, IMMUDB_PORT, IMMUDB_DATABASE,
/// IMMUDB_USERNAME, IMMUDB_PASSWORD.
#[derive(Parser)]
#[command(name = "supply_chain")]
struct Args {
    /// EPCIS 2.0 documents (JSON-LD); by default those in examples/data.
    files: Vec<PathBuf>,
    /// Configuration in TOML; the environment goes over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Embedded ledger: the file to keep; by default a temporary one.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Embedded ledger: where its pinned state is kept. Whoever can write the
    /// ledger should not be able to write this; by default beside the ledger.
    #[arg(long, value_name = "FILE", requires = "ledger")]
    trust: Option<PathBuf>,
    /// Writes event and proof to proof.json in this folder, and checks them from there.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// Prints each step as a line of JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough.
        Err(error) if broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

async fn run(args: Args) -> Result<()> {
    let mut report = Report::new(args.json);
    let documents = documents(&args.files)?;
    let folder = tempfile::tempdir()?;
    let config = configure(&args, folder.path())?;
    // What can be tampered with: the ledger file, if we know where its pin is.
    let tampering = (config.storage.backend == BackendKind::Embedded)
        .then(|| config.trust.file.clone())
        .flatten();

    let store = open(&config).await?;
    report.step("open", "Open the ledger", &steps::Opened::new(&store, &config).await?)?;

    let mut written: Vec<Written> = Vec::new();
    for (n, document) in documents.iter().enumerate() {
        // The ledger's clock counts seconds: let one pass before the last
        // document, so that there is a before and an after.
        if n > 0 && n + 1 == documents.len() && written.iter().any(|event| !event.repeated) {
            tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        }
        for append in &document.appends {
            let appended =
                store.append(&append.cover, ExpectedVersion::Any, &append.events).await?;
            for (event, added) in append.events.iter().zip(appended.events) {
                ensure!(
                    store.verify_event(event, &added.proof).await?,
                    "the proof of {} {} does not hold",
                    append.cover,
                    added.sequence
                );
                written.push(Written {
                    document: document.name.clone(),
                    event: event.clone(),
                    alh: merkle::alh(&added.proof.header)?,
                    added,
                    repeated: appended.repeated,
                });
            }
        }
    }
    let heading = "Append the documents' events and check each proof as it comes";
    report.step("append", heading, &steps::Appends::new(&written)?)?;

    // Somebody else reads, later.
    drop(store);
    let store = EventStore::open_read_only(&config).await?;
    let read = steps::ReadBack::new(&store, &written).await?;
    report.step("read", "Read everything back, verified", &read)?;

    let (subject, proof) = read.subject(&written)?;
    let drawing = merkle::Drawing::new(&store, &subject, proof).await?;
    report.step("proof", "One proof, drawn from its own hashes", &drawing)?;

    let travel = steps::TimeTravel::new(&store, &read).await?;
    report.step("time", "Travel in time", &travel)?;

    let history = store.read_all(None, None).await?.events;
    if let Some(folder) = &args.keep {
        let kept = steps::Kept::new(&store, &subject, proof, folder).await?;
        report.step("keep", "Keep a proof", &kept)?;
    }
    let end = steps::Summary::new(&store, tampering.is_some(), args.keep.is_none()).await?;
    drop(store);

    if let Some(trust) = &tampering {
        let (ledger, scratch) = (&config.storage.embedded.path, folder.path());
        let closed = tamper::Closed { ledger, trust, scratch };
        let attempts = tamper::tamper(&closed, &history, &subject).await?;
        report.step("tamper", "Tamper with the stored bytes", &attempts)?;
    }
    report.step("summary", "What this proves", &end)?;
    Ok(())
}

fn documents(files: &[PathBuf]) -> Result<Vec<Document>> {
    if !files.is_empty() {
        return files.iter().map(|file| Document::read(file)).collect();
    }
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data");
    ["1-producer", "2-carrier", "3-warehouse", "4-clinic"]
        .iter()
        .map(|name| Document::read(&data.join(name).with_extension("jsonld")))
        .collect()
}

fn configure(args: &Args, folder: &Path) -> Result<Config> {
    let mut config = match &args.config {
        Some(file) => Config::load(file)?,
        None => Config::from_env()?,
    };
    let embedded = &mut config.storage.embedded;
    match (&args.ledger, &args.config) {
        (Some(ledger), _) => {
            let beside = || ledger.with_extension("trust");
            config.trust.file = Some(args.trust.clone().unwrap_or_else(beside));
            embedded.path = ledger.clone();
        }
        (None, Some(_)) => {}
        (None, None) => {
            config.trust.file = Some(folder.join("kept-elsewhere/shipments.trust"));
            embedded.path = folder.join("shipments.ledger");
        }
    }
    Ok(config)
}

/// Opens the store; a long first synchronisation shows how far it is.
async fn open(config: &Config) -> Result<EventStore> {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}")?;
    let bar = ProgressBar::no_length().with_style(style).with_message("verifying the ledger");
    let show = move |done, total| {
        bar.set_length(total);
        bar.set_position(done);
        if done == total {
            bar.finish_and_clear();
        }
    };
    let opened = StoreOptions::new().progress(show).open(config).await;
    opened.context("the ledger cannot be opened")
}
