//! Reading tables that others made: any table of an immudb whose creation can
//! be found in the ledger.

mod accounts;
mod answer;
mod audit;
mod created;
mod order;
mod prove;
mod schema;
mod seek;
pub(crate) mod time;
mod value;
mod verify;

use std::fmt;
use std::sync::Arc;

use counterfoil_core::TrustedState;
use tokio::sync::{Mutex, MutexGuard};

pub use self::answer::{ProvenTable, TableCounts, TableGap, TableReport, VerifiedRow};
pub(crate) use self::schema::{ColumnHint, IndexHint, Row, Schema};
use self::seek::Known;
pub use self::value::SqlValue;
use crate::backend::immudb::Immudb;
use crate::config::{BackendKind, Config};
use crate::error::{Error, Result, Unavailable};
use crate::local::Local;
use crate::store::to_the_end;
use crate::trust::Pin;
use crate::undecided::Undecided;

/// How often a question is asked anew because the ledger grew meanwhile.
const ATTEMPTS: u32 = 3;
const BUSY: &str = "the ledger grew at each attempt: ask again when less is written";

/// The tables of an immudb database, whoever made them, read and verified.
///
/// ```no_run
/// # async fn example() -> Result<(), counterfoil::Error> {
/// use counterfoil::{Config, SqlValue, Tables};
///
/// let tables = Tables::open(&Config::load("counterfoil.toml")?).await?;
/// let row = tables.verify_row("recipes", &[SqlValue::from(7)]).await?;
/// println!("{:?}, by transaction {}", row.get("name"), row.tx);
/// let report = tables.audit("recipes").await?;
/// println!("{:?}: {} rows", report.verdict, report.counts.rows);
/// # Ok(()) }
/// ```
///
/// Nothing that the server says is believed. A table is one whose creation
/// makes all entries of a transaction: its number, its columns' names, ids,
/// types and limits, its key. A row is one whose entry, made from its values,
/// is an entry of a transaction of the client's log. Where that cannot be
/// shown, the answer is [`Error::CannotDecide`] with the reason.
///
/// It reads only: nothing is created in the ledger. The client keeps log and
/// pin of the ledger in its own folder, as an
/// [`EventStore`](crate::EventStore) does, in the same files: while one has
/// them open, the other needs another `[log] path`.
///
/// Cheap to clone; all clones share what was found out. One question at a
/// time: questions asked together wait for each other.
#[derive(Clone)]
pub struct Tables {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) immudb: Immudb,
    pub(crate) local: Mutex<Local>,
    known: Mutex<Known>,
}

impl Tables {
    /// Opens the database that the configuration names. It needs no table of
    /// events, and gets none.
    ///
    /// # Errors
    ///
    /// As [`EventStore::open_read_only`](crate::EventStore::open_read_only);
    /// [`Error::Config`] if the backend is not immudb.
    pub async fn open(config: &Config) -> Result<Self> {
        if config.storage.backend != BackendKind::Immudb {
            let reason = "tables are read from immudb: set storage.backend = \"immudb\"";
            return Err(Error::Config(reason.into()));
        }
        let (immudb, local) = Immudb::open_tables(config).await?;
        let (local, known) = (Mutex::new(local), Mutex::default());
        Ok(Self { shared: Arc::new(Shared { immudb, local, known }) })
    }

    /// The names of the tables that the server shows. Nothing is proved of
    /// them, nor that there are no others.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn names(&self) -> Result<Vec<String>> {
        self.shared.immudb.table_names().await
    }

    /// Proves a table: finds the transaction that created it as the server
    /// describes it.
    ///
    /// # Errors
    ///
    /// As [`verify_row`](Self::verify_row).
    pub async fn prove(&self, table: &str) -> Result<ProvenTable> {
        let mut known = self.synced().await?;
        let proven = self.shared.prove(&mut known, table).await?;
        Ok(proven.answer(&known.accounts))
    }

    /// Verifies the newest revision that the server shows of a row, by the
    /// values of its primary key, in the key's order.
    ///
    /// # What success proves
    ///
    /// That the transaction named holds this entry of this table, under the
    /// pinned state. That it is the newest one only if
    /// [`latest`](VerifiedRow::latest) is complete: for that
    /// [`audit`](Self::audit) the table before.
    ///
    /// # Errors
    ///
    /// [`Error::CannotDecide`] if the table or the row cannot be found in the
    /// ledger as the server shows it: it was altered, or is one of the kinds
    /// that cannot be derived from what the wire shows;
    /// [`Error::Ledger`] if it was proved to be another before, or the ledger
    /// does not continue the pinned state; [`Error::Invalid`] for a key that
    /// the table does not have; [`Error::Unavailable`].
    pub async fn verify_row(&self, table: &str, key: &[SqlValue]) -> Result<VerifiedRow> {
        let mut known = self.synced().await?;
        for _ in 0..ATTEMPTS {
            let through = known.accounts.through();
            let answer = self.shared.verify_row(&mut known, table, key).await;
            let answer = self.explained(table, answer).await;
            let Err(Error::CannotDecide(_) | Error::Ledger(_)) = &answer else { return answer };
            // What was shown may be newer than what was known.
            self.catch_up(&mut known).await?;
            if known.accounts.through() == through {
                return answer;
            }
        }
        Err(Undecided::RowUnproven { table: table.into(), reason: BUSY.into() }.into())
    }

    /// Reads a whole table and accounts for every transaction since it was
    /// created, as far as rows and tables that can be proved make them.
    ///
    /// Other tables of the database are read too: what is theirs is not this
    /// one's. Key-value data, changes of the catalog other than creating
    /// tables and indexes, and rows in an order that is not found are gaps:
    /// they are named and cost completeness, and are not wrong.
    ///
    /// Memory grows with the rows and the transactions.
    ///
    /// # Errors
    ///
    /// As [`verify_row`](Self::verify_row). A table in which something does
    /// not hold is a report.
    pub async fn audit(&self, table: &str) -> Result<TableReport> {
        let mut known = self.synced().await?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let through = known.accounts.through();
            let audited = self.shared.audit(&mut known, table).await;
            let audited = self.explained(table, audited).await?;
            // What was written meanwhile, and perhaps shown, is a gap by now.
            self.catch_up(&mut known).await?;
            if known.accounts.through() == through || attempt == ATTEMPTS {
                let pin = self.shared.local.lock().await.pin()?;
                return Ok(audited.report(&known.accounts, pin));
            }
        }
    }

    /// The newest verified state, and why it is believed.
    ///
    /// # Errors
    ///
    /// As [`EventStore::status`](crate::EventStore::status).
    pub async fn pin(&self) -> Result<Pin> {
        self.sync().await?;
        self.shared.local.lock().await.pin()
    }

    /// What the server cannot read, the operator may have truncated: the log
    /// knows.
    async fn explained<T>(&self, table: &str, answer: Result<T>) -> Result<T> {
        let truncation = self.shared.local.lock().await.truncation();
        match (answer, truncation) {
            (Err(Error::Unavailable(Unavailable::Server { .. })), Some(gone)) => {
                Err(Undecided::Truncated { table: table.into(), by: gone.by }.into())
            }
            (answer, _) => answer,
        }
    }

    /// Brings the log to the ledger's end, which runs to its end even if the
    /// caller goes away, and what is known to the log's.
    async fn synced(&self) -> Result<MutexGuard<'_, Known>> {
        let mut known = self.shared.known.lock().await;
        self.catch_up(&mut known).await?;
        Ok(known)
    }

    async fn catch_up(&self, known: &mut Known) -> Result<TrustedState> {
        self.sync().await?;
        let mut local = self.shared.local.lock().await;
        let state = local.state()?;
        let gaps = crate::log::Log::unaccounted(local.conn(), known.accounts.through()).await?;
        known.accounts.extend(state.tx, gaps);
        Ok(state)
    }

    async fn sync(&self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let synced = to_the_end(async move { shared.immudb.sync(&shared.local).await });
        match synced.await? {
            None => Ok(()),
            Some(verdict) => Err(verdict.into()),
        }
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}
