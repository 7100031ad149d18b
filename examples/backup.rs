//! Backs up the embedded ledger that a configuration names, and audits the copy:
//!
//!     cargo run --release --example backup -- counterfoil.toml backups/monday
//!
//! What it prints as `state` belongs in another place than the copies: it tells
//! later whether they are the newest. What to do with them: docs/backup.md.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use counterfoil::{Audit, AuditVerdict, Config, back_up};

#[derive(Parser)]
struct Arguments {
    /// The configuration of the ledger.
    config: PathBuf,
    /// The folder to make.
    folder: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { config, folder } = Arguments::parse();
    let config = Config::load(config)?;
    let copy = back_up(&config, &folder).await.context("nothing was backed up")?;

    let mut copied = Config::embedded(&copy.ledger);
    copied.trust.file = Some(copy.trust.clone());
    let report = Audit::of(&copied).containing(copy.state).run().await?;
    for inconsistency in &report.inconsistencies {
        anstream::println!("{inconsistency}");
    }
    anstream::println!("state  {}", copy.state);
    anstream::println!("events {}", report.counts.events);
    anyhow::ensure!(report.verdict == AuditVerdict::Intact, "the copy is {:?}", report.verdict);
    anstream::println!("the copy in {} is intact", folder.display());
    Ok(())
}
