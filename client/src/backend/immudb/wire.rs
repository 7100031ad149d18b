//! immudb over its PostgreSQL wire: what is asked, and what came back.
//! Nothing that comes back is believed here; only its form is checked.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use counterfoil_core::{Header, TrustedState, TxId};
use futures_util::{StreamExt, TryStreamExt, stream};
use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;

use super::answer::{self, HeaderAnswer, Problem, ShownColumn};
use super::backoff::Backoff;
use super::connect::{DEFAULT_DATABASE, Target};
use super::exchange::{Failure, command, exchange, select};
use super::pool::Pool;
use super::refusal::Refusal;
use super::sql::{self, Statement};
use crate::config::ImmudbConfig;
use crate::error::Unavailable;
use crate::index::StreamKey;
use crate::row::StoredRow;

/// A database of an immudb server.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(super) pool: Pool,
    connections: usize,
    /// The database was truncated: what is not stored any more, the server
    /// cannot read either, and answers with an error.
    lossy: AtomicBool,
    /// Headers that are taken in place of what the server shows.
    instead: Mutex<BTreeMap<TxId, Header<'static>>>,
}

/// What to do if the database is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnMissing {
    /// Create it.
    Create,
    /// Say so.
    Refuse,
}

impl Wire {
    /// Connects, and makes sure that the server knows `immudb_tx`.
    pub(crate) async fn connect(
        config: &ImmudbConfig,
        missing: OnMissing,
    ) -> Result<Self, Unavailable> {
        let target = Target::new(config)?;
        let connection = match target.open().await {
            Err(Unavailable::MissingDatabase { .. }) if missing == OnMissing::Create => {
                create_database(&target, &config.database).await?;
                target.open().await?
            }
            other => other?,
        };
        let pool = Pool::new(target, config.connections, connection);
        let connections = config.connections as usize;
        let wire =
            Self { pool, connections, lossy: AtomicBool::new(false), instead: Mutex::default() };
        wire.probe().await?;
        Ok(wire)
    }

    /// The database beside this one that holds its published tiles.
    pub(super) async fn tiles_database(&self, missing: OnMissing) -> Result<Self, Unavailable> {
        let name = format!("{}_tiles", self.pool.target().database());
        let target = self.pool.target().with_database(&name);
        let connection = match target.open().await {
            Err(Unavailable::MissingDatabase { .. }) if missing == OnMissing::Create => {
                create_database(&target, &name).await?;
                target.open().await?
            }
            other => other?,
        };
        let connections = self.connections;
        let pool = Pool::new(target, connections as u32, connection);
        Ok(Self { pool, connections, lossy: AtomicBool::new(false), instead: Mutex::default() })
    }

    /// The version that a server reports is one of PostgreSQL's; only trying
    /// tells.
    async fn probe(&self) -> Result<(), Unavailable> {
        match self.header(TxId::new(1)).await {
            // "unknown function", or whatever it makes of the text.
            Err(Unavailable::Server { message, .. })
                if Refusal::of(&message, "") != Refusal::Busy =>
            {
                tracing::debug!(message, "immudb_tx() was refused");
                Err(Unavailable::OldServer)
            }
            Err(Unavailable::Garbled { .. }) => Err(Unavailable::OldServer),
            Err(unavailable) => Err(unavailable),
            Ok(_) => Ok(()),
        }
    }

    /// The newest state that the server claims; `None` if the database is
    /// empty.
    pub(crate) async fn state(&self) -> Result<Option<TrustedState>, Unavailable> {
        self.one(&sql::state(), answer::state).await
    }

    /// The header of a transaction; `None` if the server has none.
    pub(crate) async fn header(&self, tx: TxId) -> Result<Option<Header<'static>>, Unavailable> {
        // Transactions count from 1, and the wire's integers end at 2⁶³ − 1.
        let Some(number) = i64::try_from(tx.get()).ok().filter(|number| *number > 0) else {
            return Ok(None);
        };
        let statement = sql::header(number);
        match self.one(&statement, |row| answer::header(row, tx)).await? {
            HeaderAnswer::Header(header) => Ok(Some(*header)),
            HeaderAnswer::NotFound => Ok(None),
            HeaderAnswer::Failed(message) => {
                Err(Unavailable::Server { what: statement.what(), message })
            }
        }
    }

    /// The headers of `first..=last`, in order, all of them. They are asked
    /// for one by one, over all connections: the server answers one to a
    /// statement.
    pub(crate) async fn headers(
        &self,
        first: TxId,
        last: TxId,
    ) -> Result<Vec<Header<'static>>, Unavailable> {
        stream::iter(first.get()..=last.get())
            .map(async |id| {
                if let Some(header) = self.instead().get(&TxId::new(id)) {
                    return Ok(*header);
                }
                let header = self.header(TxId::new(id)).await?;
                header.ok_or_else(|| Unavailable::Garbled {
                    what: "immudb_tx()",
                    problem: format!("transaction {id} is missing"),
                })
            })
            // More than there are connections: an answer must not wait with
            // its connection for the ones before it.
            .buffered(4 * self.connections)
            .try_collect()
            .await
    }

    /// Headers that [`headers`](Self::headers) takes from here and does not ask
    /// for. Like all others they have to be linked.
    pub(super) fn instead(&self) -> MutexGuard<'_, BTreeMap<TxId, Header<'static>>> {
        self.instead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // Rows go into a sink, one by one: anybody who may write can have written
    // more of them than fit into memory, and a server may send them without end.

    /// The rows whose `seen_tx` lies in `from..before`, as they are now, in
    /// its order.
    pub(crate) async fn rows_seen(
        &self,
        from: u64,
        before: u64,
        sink: &mut (dyn FnMut(StoredRow) + Send),
    ) -> Result<(), Unavailable> {
        let statement = sql::rows_seen(sql_integer(from), sql_integer(before));
        self.rows(&statement, into(sink)).await
    }

    /// The bodies of the rows `first..=last` of a stream as they are now, in the
    /// order of the keys: one column, in binary, which costs the server least.
    /// Of no consequence: if the server refuses or the connection is lost, bodies
    /// are missing, and whoever misses one asks in another way.
    pub(crate) async fn bodies_of(
        &self,
        key: &StreamKey,
        first: u64,
        last: u64,
        sink: &mut (dyn FnMut(Vec<u8>) + Send),
    ) -> Result<(), Unavailable> {
        let statement = sql::bodies_of();
        let query = sqlx::query(statement.sql())
            .bind(&key.domain)
            .bind(&key.edition)
            .bind(&key.root)
            .bind(sql_integer(first))
            .bind(sql_integer(last));
        self.bodies(statement.what(), query, sink).await
    }

    /// The same of the rows whose `seen_tx` lies in `from..before`, in its order.
    pub(crate) async fn bodies_seen(
        &self,
        from: u64,
        before: u64,
        sink: &mut (dyn FnMut(Vec<u8>) + Send),
    ) -> Result<(), Unavailable> {
        let statement = sql::bodies_seen();
        let query = sqlx::query(statement.sql()).bind(sql_integer(from)).bind(sql_integer(before));
        self.bodies(statement.what(), query, sink).await
    }

    async fn bodies(
        &self,
        what: &'static str,
        query: Query<'_, Postgres, PgArguments>,
        sink: &mut (dyn FnMut(Vec<u8>) + Send),
    ) -> Result<(), Unavailable> {
        let mut lease = self.pool.lease().await?;
        let take = |body| {
            sink(body);
            Ok(())
        };
        let wait = self.pool.wait();
        match select(lease.connection(), what, query, wait, answer::body, take).await {
            Ok(()) => {
                lease.keep();
                Ok(())
            }
            Err(Failure::Refused { message, .. }) => {
                tracing::debug!(what, message, "refused: asking for whole rows");
                Ok(())
            }
            Err(Failure::Broken(Unavailable::Connection { .. })) => Ok(()),
            Err(Failure::Broken(unavailable)) => Err(unavailable),
        }
    }

    /// Every revision of every row, in the order of the keys and the oldest
    /// first.
    pub(crate) async fn history_all(
        &self,
        sink: &mut (dyn FnMut(StoredRow) + Send),
    ) -> Result<(), Unavailable> {
        self.rows(&sql::history_all(), into(sink)).await
    }

    /// Every revision of the rows `first..=last` of a stream, in the order of
    /// the keys and the oldest first.
    pub(crate) async fn history_of(
        &self,
        domain: &[u8],
        edition: &[u8],
        root: &[u8],
        first: u64,
        last: u64,
        sink: &mut (dyn FnMut(StoredRow) + Send),
    ) -> Result<(), Unavailable> {
        let (first, last) = (sql_integer(first), sql_integer(last));
        let statement = sql::history_of(domain, edition, root, first, last);
        self.rows(&statement, into(sink)).await
    }

    /// The rows that a transaction wrote, in key order. A scan of the whole
    /// table.
    pub(crate) async fn rows_of_tx(
        &self,
        tx: TxId,
        sink: &mut (dyn FnMut(StoredRow) + Send),
    ) -> Result<(), Unavailable> {
        let statement = sql::rows_of_tx(sql_integer(tx.get()));
        self.rows(&statement, into(sink)).await
    }

    /// The rows that a transaction changed, those that it deleted among them,
    /// in key order. Two scans of the whole table.
    pub(crate) async fn changed_in_tx(
        &self,
        tx: TxId,
        sink: &mut (dyn FnMut(StoredRow) + Send),
    ) -> Result<(), Unavailable> {
        let statement = sql::changed_in_tx(sql_integer(tx.get()));
        self.rows(&statement, into(sink)).await
    }

    /// Whether the server shows a table of our name. A hint: it need not be
    /// ours, and the server may lie.
    pub(crate) async fn has_table(&self) -> Result<bool, Unavailable> {
        let mut found = false;
        let take = |name| {
            found |= name == "events";
            Ok(())
        };
        let statement = sql::tables();
        let answer = self.ask(&statement, answer::table_name, take).await;
        answer.map_err(|failure| failure.unavailable(statement.what()))?;
        Ok(found)
    }

    /// The names of the tables that the server shows, at most so many.
    pub(super) async fn tables(&self, most: usize) -> Result<Vec<String>, Unavailable> {
        self.few(&sql::tables(), answer::table_name, most).await
    }

    /// The columns that the server shows of the table with our name, at most
    /// so many; none if there is no such table.
    pub(super) async fn columns(&self, most: usize) -> Result<Vec<ShownColumn>, Unavailable> {
        self.few(&sql::own_columns(), answer::shown_column, most).await
    }

    /// What of an answer fits. A table that is not there has nothing to show.
    async fn few<T>(
        &self,
        statement: &Statement,
        decode: impl Fn(&PgRow) -> Result<T, Problem>,
        most: usize,
    ) -> Result<Vec<T>, Unavailable> {
        let mut found = Vec::new();
        let take = |value| {
            if found.len() < most {
                found.push(value);
            }
            Ok(())
        };
        match self.ask(statement, decode, take).await {
            Ok(()) | Err(Failure::Refused { refusal: Refusal::NoTable, .. }) => Ok(found),
            Err(failure) => Err(failure.unavailable(statement.what())),
        }
    }

    /// A statement whose answer has exactly one row.
    async fn one<T>(
        &self,
        statement: &Statement,
        decode: impl Fn(&PgRow) -> Result<T, Problem>,
    ) -> Result<T, Unavailable> {
        let what = statement.what();
        let mut answer = None;
        let take = |value| match answer.replace(value) {
            None => Ok(()),
            Some(_) => Err("it has more than one row".into()),
        };
        self.ask(statement, decode, take).await.map_err(|failure| failure.unavailable(what))?;
        answer.ok_or_else(|| Unavailable::Garbled { what, problem: "it has no row".into() })
    }

    /// The database was truncated: rows may be gone, and questions that touch
    /// them end with an error.
    pub(super) fn expect_losses(&self) {
        self.lossy.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_lossy(&self) -> bool {
        self.lossy.load(Ordering::Relaxed)
    }

    /// A statement whose answer has rows of the table. A table that is not
    /// there has none, and one that was truncated those before the first that
    /// is gone: whether some are missing, their digests tell.
    pub(super) async fn rows(
        &self,
        statement: &Statement,
        take: impl FnMut(StoredRow) -> Result<(), Problem>,
    ) -> Result<(), Unavailable> {
        match self.ask(statement, answer::stored_row, take).await {
            Ok(()) | Err(Failure::Refused { refusal: Refusal::NoTable, .. }) => Ok(()),
            Err(Failure::Refused { refusal: Refusal::Other, .. }) if self.is_lossy() => Ok(()),
            Err(failure) => Err(failure.unavailable(statement.what())),
        }
    }

    /// Runs a statement that changes nothing. It is sent again if the server
    /// had too much to do, and once, over a new connection, if the old one was
    /// lost before the first row.
    pub(super) async fn ask<T>(
        &self,
        statement: &Statement,
        decode: impl Fn(&PgRow) -> Result<T, Problem>,
        mut take: impl FnMut(T) -> Result<(), Problem>,
    ) -> Result<(), Failure> {
        let wait = self.pool.wait();
        let mut backoff = Backoff::new(wait);
        let mut lease = self.pool.lease().await.map_err(Failure::Broken)?;
        let mut lost = false;
        loop {
            let mut taken = false;
            let take = |value| {
                taken = true;
                take(value)
            };
            match exchange(lease.connection(), statement, wait, &decode, take).await {
                Ok(()) => {
                    lease.keep();
                    return Ok(());
                }
                Err(Failure::Refused { refusal: Refusal::Busy, .. })
                    if !taken && backoff.pause().await => {}
                Err(Failure::Broken(Unavailable::Connection { .. })) if !taken && !lost => {
                    lost = true;
                    drop(lease);
                    self.pool.close_idle();
                    lease = self.pool.lease_new().await.map_err(Failure::Broken)?;
                }
                Err(failure) => {
                    if matches!(&failure, Failure::Refused { refusal, .. } if refusal.leaves_usable())
                    {
                        lease.keep();
                    }
                    return Err(failure);
                }
            }
        }
    }
}

/// A sink that takes everything.
fn into(
    sink: &mut (dyn FnMut(StoredRow) + Send),
) -> impl FnMut(StoredRow) -> Result<(), Problem> + Send {
    |row| {
        sink(row);
        Ok(())
    }
}

/// SQL's integers end at 2⁶³ − 1, and so does what can be stored.
pub(super) fn sql_integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Creates the database; somebody else may be faster.
async fn create_database(target: &Target, name: &str) -> Result<(), Unavailable> {
    let missing = || Unavailable::MissingDatabase { database: name.into() };
    let statement = sql::create_database(name).ok_or_else(missing)?;
    let mut connection = target.with_database(DEFAULT_DATABASE).open().await?;
    match command(&mut connection, &statement, target.wait()).await {
        Ok(()) | Err(Failure::Refused { refusal: Refusal::Exists, .. }) => Ok(()),
        Err(failure) => Err(failure.unavailable(statement.what())),
    }
}
