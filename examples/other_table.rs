//! Verifies a table that somebody else made in an immudb: one row of it, or
//! all of it. Nothing is written but the client's own log.
//!
//! ```sh
//! cargo run --release --features immudb --example other_table -- recipes
//! cargo run --release --features immudb --example other_table -- recipes 7
//! ```
//!
//! Where immudb is, `IMMUDB_HOST`, `_PORT`, `_DATABASE`, `_USERNAME` and
//! `_PASSWORD` say; `IMMUDB_PIN` is a state that its ledger must contain.

use std::fmt::Display;

use anyhow::Context as _;
use counterfoil::{BackendKind, Completeness, Config, FirstContact, SqlValue, Tables};

fn main() -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let table = arguments.next().context("name a table, and perhaps the key of a row")?;
    let key: Vec<SqlValue> = arguments.map(|text| value(&text)).collect();

    let mut config = Config::from_env()?;
    config.storage.backend = BackendKind::Immudb;
    match std::env::var("IMMUDB_PIN") {
        Ok(pin) => config.trust.pin = Some(pin.parse().context("IMMUDB_PIN is no state")?),
        // Nothing vouches for what is seen the first time.
        Err(_) => config.trust.first_contact = FirstContact::Accept,
    }
    let tables = Tables::open(&config).await?;
    if key.is_empty() {
        let report = tables.audit(&table).await?;
        let counts = report.counts;
        say(format!(
            "{table}: {:?} at {} ({})\n{} rows, {} deleted; {} of {} revisions proved; \
             {} transactions, {} not accounted for",
            report.verdict,
            report.pin.state,
            report.pin.anchor,
            counts.rows,
            counts.deleted,
            counts.proven,
            counts.revisions,
            counts.transactions,
            counts.gaps
        ));
        report.inconsistencies.iter().for_each(say);
        for gap in report.gaps {
            say(format!("transaction {}: {}", gap.tx, gap.reason));
        }
        return Ok(());
    }
    let row = tables.verify_row(&table, &key).await?;
    for (column, value) in row.table.columns.iter().zip(&row.values) {
        say(format!("{column}: {value:?}"));
    }
    let what = if row.deleted { "deleted" } else { "written" };
    say(format!("{what} by transaction {}, entry {}, under {}", row.tx, row.entry, row.state));
    say(match row.latest {
        Completeness::Complete { .. } => "the newest revision".to_owned(),
        _ => "present; whether it is the newest takes an audit before".to_owned(),
    });
    Ok(())
}

/// An INTEGER where it is one, else a VARCHAR.
fn value(text: &str) -> SqlValue {
    text.parse().map_or_else(|_| SqlValue::from(text), SqlValue::Integer)
}

fn say(line: impl Display) {
    anstream::println!("{line}");
}
