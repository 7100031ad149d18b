//! Verified reads beside plain ones.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use counterfoil::{BackendKind, Config, Cover, EventStore, ReadOptions};
use serde::Serialize;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

use crate::median::median;
#[cfg(feature = "immudb")]
use crate::plain;

/// Events of a stream, verified, and the same rows as the database gives them.
#[derive(Serialize)]
pub(crate) struct Reads {
    pub(crate) verified_per_second: f64,
    pub(crate) plain_per_second: f64,
    /// Time of the verified read over time of the plain one.
    pub(crate) ratio: f64,
}

/// Reads a stream both ways, in turns, and checks that both got all of it.
pub(crate) async fn reads(
    store: &EventStore,
    config: &Config,
    cover: &Cover,
    rounds: u32,
) -> Result<Reads> {
    let expected = store.next_sequence(cover).await?;
    let first = store.get_event_at_tx(cover, 0, store.state().await?.tx).await?;
    let last = store.read(cover, ReadOptions::backward().limit(1)).await?.events;
    let last = last.last().context("the stream is empty")?;
    let mut plain = Plain::open(config, cover, (first.tx.get(), last.tx.get())).await?;
    let (mut verified_times, mut plain_times) = (Vec::new(), Vec::new());
    // The first opens connections; and where both processors are at work, one round
    // can take twice as long as the next.
    for _ in 0..rounds.max(15) {
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
                // No more than ours asks for.
                let query = plain::rows("body", &cover.domain, &hex::encode(&cover.root));
                let database = &config.storage.immudb.database;
                Ok(Self::Immudb(plain::connect(config, database).await?, query))
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
