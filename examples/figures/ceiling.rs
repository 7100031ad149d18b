//! What the server takes of the same rows when nobody verifies anything.

use std::time::Instant;

use anyhow::{Context as _, Result};
use counterfoil::Config;
use futures_util::StreamExt as _;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Row as _};

use crate::{Args, Ceiling, plain, rate};

/// The table as the store makes it.
const CREATE: [&str; 3] = [
    "CREATE TABLE events (domain BLOB[64] NOT NULL, edition BLOB[64] NOT NULL, \
     root BLOB[128] NOT NULL, event_number INTEGER NOT NULL, ext BLOB[32] NOT NULL, \
     seen_tx INTEGER NOT NULL, body BLOB NOT NULL, \
     PRIMARY KEY (domain, edition, root, event_number));",
    "CREATE UNIQUE INDEX ON events(ext);",
    "CREATE INDEX ON events(seen_tx);",
];

/// Seconds for each way of sending them.
const SECONDS: f64 = 3.0;

/// Appends the rows of the writers' streams to a table of a new database, with
/// bare INSERTs: as many rows in each as there are writers, one INSERT after
/// the other. Then the same with two at a time, of half as many rows. Gives
/// the events a second of both.
pub(crate) async fn ceiling(config: &Config, args: &Args) -> Result<Ceiling> {
    let streams = streams(config, args).await?;
    let (a, b) = streams.split_at(streams.len() / 2);
    Ok(Ceiling {
        events_per_second: insert(config, "one", &[&streams]).await?,
        in_two_lanes_per_second: insert(config, "two", &[a, b]).await?,
    })
}

type Stream = Vec<PgRow>;

/// The rows that each writer appended.
async fn streams(config: &Config, args: &Args) -> Result<Vec<Stream>> {
    let mut conn = plain::connect(config, &config.storage.immudb.database).await?;
    let mut streams = Vec::new();
    for writer in 0..args.writers {
        let root = hex::encode(format!("writer {writer}"));
        let query = plain::rows("*", "figures", &root);
        streams.push(sqlx::raw_sql(AssertSqlSafe(query)).fetch_all(&mut conn).await?);
    }
    Ok(streams)
}

/// Events a second where each lane inserts the next row of all of its streams,
/// again and again, until the time is over or there are no more.
async fn insert(config: &Config, name: &str, lanes: &[&[Stream]]) -> Result<f64> {
    let database = format!("{}_{name}", config.storage.immudb.database);
    let mut conn = plain::connect(config, "defaultdb").await?;
    let create = format!("CREATE DATABASE {database};");
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut conn).await?;
    let mut conn = plain::connect(config, &database).await?;
    for statement in CREATE {
        sqlx::raw_sql(statement).execute(&mut conn).await?;
    }
    let start = Instant::now();
    let lane = async |streams: &[Stream]| -> Result<u64> {
        let mut conn = plain::connect(config, &database).await?;
        let mut done = 0;
        for n in 0.. {
            let rows: Vec<&PgRow> = streams.iter().filter_map(|stream| stream.get(n)).collect();
            if rows.is_empty() || start.elapsed().as_secs_f64() > SECONDS {
                break;
            }
            insert_rows(&mut conn, &rows).await?;
            done += u64::try_from(rows.len())?;
        }
        Ok(done)
    };
    let done = futures_util::future::try_join_all(lanes.iter().map(|streams| lane(streams)));
    let done: u64 = done.await?.iter().sum();
    Ok(rate(done, start.elapsed()))
}

/// One INSERT with bound values, as the store sends it.
async fn insert_rows(conn: &mut PgConnection, rows: &[&PgRow]) -> Result<()> {
    let values = vec!["(?,?,?,?,?,?,?)"; rows.len()].join(",");
    let sql = format!(
        "INSERT INTO events(domain,edition,root,event_number,ext,seen_tx,body)VALUES{values}"
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for row in rows {
        for (column, name) in
            ["domain", "edition", "root", "", "ext", "", "body"].iter().enumerate()
        {
            query = match name.is_empty() {
                true => query.bind(row.try_get::<i64, _>(column)?),
                false => query.bind(row.try_get::<Vec<u8>, _>(column)?),
            };
        }
    }
    let mut answer = conn.fetch_many(query);
    answer.next().await.context("no answer")??;
    // What sqlx says next, the server does not know; by then it has done it.
    while answer.next().await.is_some() {}
    Ok(())
}
