//! Changes the bytes of an embedded ledger underneath, as whoever has the file
//! could, and opens it again under the pin that was kept elsewhere.
//!
//! Every attempt works on copies. What is not detected is an error.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use counterfoil::{
    Config, Error, Event, EventStore, ExpectedVersion, FirstContact, Payload, RecordedEvent,
    Verdict,
};
use serde::Serialize;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

use crate::report::counted;

/// What was done to the file and what the store said.
#[derive(Serialize)]
pub(crate) struct Attempt {
    what: &'static str,
    how: String,
    verdict: Verdict,
}

/// All attempts.
#[derive(Serialize)]
pub(crate) struct Attempts {
    attempts: Vec<Attempt>,
}

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Each on a copy of the closed ledger file, under a copy of its trust file.")?;
        for Attempt { what, how, verdict } in &self.attempts {
            writeln!(f, "\n{what}: {how}")?;
            let (name, states) = match verdict {
                Verdict::RowAltered { .. } => ("RowAltered", None),
                Verdict::RowMissing { .. } => ("RowMissing", None),
                Verdict::Rollback { pinned, found } => ("Rollback", Some((*pinned, *found))),
                Verdict::Fork { pinned, found } => ("Fork", Some((*pinned, Some(*found)))),
                _ => ("?", None),
            };
            match states {
                None => writeln!(f, "detected  {name}: {verdict}")?,
                Some((pinned, found)) => {
                    writeln!(f, "detected  {name}: the state that is pinned no longer fits")?;
                    writeln!(f, "pinned    {pinned}")?;
                    let found = found.map_or("nothing".to_owned(), |state| state.to_string());
                    writeln!(f, "found     {found}")?;
                }
            }
        }
        Ok(())
    }
}

/// The files of a closed ledger.
pub(crate) struct Closed<'a> {
    pub(crate) ledger: &'a Path,
    pub(crate) trust: &'a Path,
    /// Where copies may be made.
    pub(crate) scratch: &'a Path,
}

/// Tries everything. `history` is the whole ledger, `victim` the event whose
/// content is changed.
pub(crate) async fn tamper(
    closed: &Closed<'_>,
    history: &[RecordedEvent],
    victim: &RecordedEvent,
) -> Result<Attempts> {
    let mut attempts = Vec::new();
    let place = victim.tx.get() << 16 | u64::from(victim.entry);
    let place = i64::try_from(place)?;
    let at = format!("transaction {}, entry {}", victim.tx, victim.entry);
    let (lie, lied) = other_payload(victim)?;

    let copy = closed.copy("payload").await?;
    let mut file = edit(&copy.storage.embedded.path).await?;
    let value: Vec<u8> = sqlx::query_scalar("SELECT value FROM ledger_row WHERE pos = ?")
        .bind(place)
        .fetch_one(&mut file)
        .await?;
    let value = replace(&value, payload(victim)?, &lie)?;
    run(sqlx::query("UPDATE ledger_row SET value = ? WHERE pos = ?").bind(value).bind(place), file)
        .await?;
    attempts.push(Attempt {
        what: "A payload changed",
        how: format!("{at}: {lied}"),
        verdict: must_refuse(&copy, "a changed payload", |verdict| {
            matches!(verdict, Verdict::RowAltered { tx, entry }
                if (*tx, *entry) == (victim.tx, victim.entry))
        })
        .await?,
    });

    let copy = closed.copy("row").await?;
    let file = edit(&copy.storage.embedded.path).await?;
    run(sqlx::query("DELETE FROM ledger_row WHERE pos = ?").bind(place), file).await?;
    attempts.push(Attempt {
        what: "A row deleted",
        how: at,
        verdict: must_refuse(&copy, "a deleted row", |verdict| {
            matches!(verdict, Verdict::RowMissing { tx, entry }
                if (*tx, *entry) == (victim.tx, victim.entry))
        })
        .await?,
    });

    let copy = closed.copy("end").await?;
    let last = history.last().context("the ledger is empty")?.tx;
    cut(&copy.storage.embedded.path, last.get() - 1).await?;
    attempts.push(Attempt {
        what: "The end cut off",
        how: format!("transaction {last} and its rows"),
        verdict: must_refuse(&copy, "a shortened ledger", |verdict| {
            matches!(verdict, Verdict::Rollback { found: Some(_), .. })
        })
        .await?,
    });

    let copy = closed.copy("history").await?;
    let transactions = rewrite(&copy, closed.scratch, history, victim, lie).await?;
    attempts.push(Attempt {
        what: "History rewritten",
        how: format!(
            "the same genesis, then {} anew with that payload",
            counted(transactions, "transaction")
        ),
        verdict: must_refuse(&copy, "a rewritten history", |verdict| {
            matches!(verdict, Verdict::Fork { .. })
        })
        .await?,
    });
    Ok(Attempts { attempts })
}

impl Closed<'_> {
    /// Copies ledger and trust file, and says how to open the copies.
    async fn copy(&self, name: &str) -> Result<Config> {
        let folder = self.scratch.join(name);
        std::fs::create_dir(&folder)?;
        let (ledger, trust) = (folder.join("copy.ledger"), folder.join("copy.trust"));
        for (from, to) in [(self.ledger, &ledger), (self.trust, &trust)] {
            let mut file = edit(from).await?;
            // Takes what still lies in the write-ahead log along.
            sqlx::query("VACUUM INTO ?").bind(text(to)?).execute(&mut file).await?;
            file.close().await?;
        }
        let mut config = Config::embedded(ledger);
        config.trust.file = Some(trust);
        Ok(config)
    }
}

/// Opens the ledger and reads all of it: one of the two must be refused, with
/// the right verdict.
async fn must_refuse(
    config: &Config,
    what: &str,
    expected: impl Fn(&Verdict) -> bool,
) -> Result<Verdict> {
    let outcome = match EventStore::open_read_only(config).await {
        Ok(store) => store.read_all(None, None).await.map(|read| read.events.len()),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(events) => bail!("NOT DETECTED: {what}; {events} events were read as verified"),
        Err(Error::Ledger(verdict)) if expected(&verdict) => Ok(verdict.into_verdict()),
        Err(error) => Err(error).with_context(|| format!("{what} was not recognised as such")),
    }
}

/// Writes the whole history again, with another payload for `victim`, into
/// `target`'s ledger file: everything in it fits together. Gives back how many
/// transactions there are.
async fn rewrite(
    target: &Config,
    scratch: &Path,
    history: &[RecordedEvent],
    victim: &RecordedEvent,
    lie: Vec<u8>,
) -> Result<usize> {
    let ledger = &target.storage.embedded.path;
    cut(ledger, 1).await?;
    // A trust file of the forger's own, which believes anything.
    let mut config = Config::embedded(ledger);
    config.trust.file = Some(scratch.join("forger.trust"));
    config.trust.first_contact = FirstContact::Accept;
    let forger = EventStore::open(&config).await?;
    let transactions: Vec<_> = history.chunk_by(|a, b| a.tx == b.tx).collect();
    for transaction in &transactions {
        let events: Vec<Event> = transaction
            .iter()
            .map(|recorded| match recorded == victim {
                true => Event { payload: lie.clone().into(), ..recorded.event.clone() },
                false => recorded.event.clone(),
            })
            .collect();
        forger.append(&events[0].cover, ExpectedVersion::Any, &events).await?;
    }
    // It convinces everybody who has no pin.
    let read = forger.read_all(None, None).await?;
    ensure!(read.events.len() == history.len(), "the forged history is not whole");
    Ok(transactions.len())
}

/// Removes everything after transaction `last`.
async fn cut(ledger: &Path, last: u64) -> Result<()> {
    let last = i64::try_from(last)?;
    let delete = sqlx::query("DELETE FROM ledger_row WHERE pos >= ?").bind((last + 1) << 16);
    run(delete, edit(ledger).await?).await?;
    run(sqlx::query("DELETE FROM ledger_tx WHERE id > ?").bind(last), edit(ledger).await?).await
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

async fn run(query: Query<'_>, mut file: SqliteConnection) -> Result<()> {
    let done = query.execute(&mut file).await?;
    ensure!(done.rows_affected() > 0, "there was nothing to tamper with");
    Ok(file.close().await?)
}

async fn edit(path: &Path) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(path);
    Ok(SqliteConnection::connect_with(&options).await?)
}

fn payload(event: &RecordedEvent) -> Result<&[u8]> {
    match &event.event.payload {
        Payload::Inline(bytes) => Ok(bytes.as_slice()),
        _ => bail!("the payload is not in the ledger"),
    }
}

/// The payload with one digit changed: of the highest temperature, if there is one.
fn other_payload(event: &RecordedEvent) -> Result<(Vec<u8>, String)> {
    let mut lie = payload(event)?.to_vec();
    let text = String::from_utf8_lossy(&lie).into_owned();
    let from = text.find("\"maxValue\"").or_else(|| text.find("\"eventTime\"")).unwrap_or(0);
    let digit =
        text[from..].find(|c: char| c.is_ascii_digit()).context("no digit in the payload")?;
    let at = from + digit;
    let before = text[from..].split(['\n', ',', '}']).next().unwrap_or_default().to_owned();
    lie[at] = if lie[at] == b'4' { b'3' } else { b'4' };
    let after = String::from_utf8_lossy(&lie[from..from + before.len()]).into_owned();
    Ok((lie, format!("{before} became {after}")))
}

/// `bytes` with `new` in the place of `old`.
fn replace(bytes: &[u8], old: &[u8], new: &[u8]) -> Result<Vec<u8>> {
    let at = bytes.windows(old.len()).position(|window| window == old);
    let at = at.context("the row does not hold the payload")?;
    Ok([&bytes[..at], new, &bytes[at + old.len()..]].concat())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}
