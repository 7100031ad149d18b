//! The ledger file: what a server would keep, and trusted as little.

use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use counterfoil_core::{Alh, TrustedState, TxId};
use sqlx::{Connection as _, QueryBuilder, Row, Sqlite, SqliteConnection};

use super::audit::{Raw, RawTx};
use super::file_schema::Schema;
use crate::error::{Error, Result, Unavailable};
use crate::index::Position;
use crate::place;
use crate::sqlite::{self, FileKind, FileLock, Named, Unchanging, to_i64, to_u64};
use crate::verdict::Verdict;

/// A value, if it is one and no longer than a row of ours can be: a body of
/// `MAX_BODY` and what is fixed. SQLite knows that before it reads it.
macro_rules! value {
    ($else:literal) => {
        concat!(
            "iif(typeof(value) = 'blob' AND length(value) <= 1049600, value, ",
            $else,
            ") AS value"
        )
    };
}
pub(super) use value;

const _: () = assert!(crate::event::MAX_BODY + 1024 == 1_049_600);

/// The same of a transaction's Alh and its numbers.
macro_rules! alh {
    () => {
        "iif(typeof(alh) = 'blob' AND length(alh) = 32, alh, x'') AS alh"
    };
}

macro_rules! header {
    () => {
        "iif(typeof(ts) = 'integer', ts, NULL) AS ts, \
         iif(typeof(nentries) = 'integer', nentries, NULL) AS nentries"
    };
}

// Behind what it is written in.
mod commit;

/// Rows that are read at once make at most so many bytes, unless they are one
/// transaction's.
pub(super) const BATCH_BYTES: u64 = 16 << 20;

/// One process writes a ledger file.
const REMEDY: &str = ", which writes to it: wait until it has ended, or stop it; reading goes on beside it (open_read_only)";

/// A transaction as the file shows it.
#[derive(Debug, Clone)]
pub(super) struct FileTx {
    pub(super) id: TxId,
    pub(super) ts: i64,
    pub(super) nentries: i64,
    pub(super) alh: Alh,
}

/// A stored row value, undecoded.
pub(super) type FileRow = (Position, Vec<u8>);

/// What stands where no transaction can be.
pub(super) struct Misplaced {
    pub(super) txs: i64,
    pub(super) before: i64,
    pub(super) first: Option<Position>,
    pub(super) behind: i64,
}

pub(super) struct LedgerFile {
    conn: SqliteConnection,
    schema: Schema,
    /// The file that is open; none in memory.
    names: Option<Named>,
    /// Empty in memory.
    path: PathBuf,
    _lock: Option<FileLock>,
    /// Where nothing can be written beside it.
    unchanging: Option<Unchanging>,
}

impl LedgerFile {
    /// Closes the file, and waits until it is.
    pub(super) async fn close(self) -> Result<()> {
        Ok(self.conn.close().await?)
    }

    /// By its one name, which is also that of the lock: whoever spells it otherwise writes the same file.
    pub(super) async fn open(path: &Path, write: bool) -> Result<Self> {
        let path = &*place::of(path).map_err(|cause| Unavailable::file(path, cause))?;
        let lock = match write {
            true => Some(FileLock::take(path, false, REMEDY)?),
            false => None,
        };
        match connect(path, write).await {
            Ok(opened) => Ok(Self::of(opened, path, lock)),
            Err(error) => {
                if let Some(lock) = lock {
                    lock.undo();
                }
                Err(naming(path, error))
            }
        }
    }

    fn of(opened: Opened, path: &Path, lock: Option<FileLock>) -> Self {
        let Opened { conn, schema, named, unchanging } = opened;
        Self { conn, schema, names: Some(named), path: path.into(), _lock: lock, unchanging }
    }

    /// A copy that nobody else knows of: changed in place, without a
    /// write-ahead log beside it.
    pub(super) async fn of_copy(path: &Path) -> Result<Self> {
        let mut conn = sqlite::open(path, FileKind::Ledger, false).await?;
        let schema = Schema::of(&mut conn, false).await?;
        Ok(Self { conn, schema, names: None, path: path.into(), _lock: None, unchanging: None })
    }

    /// Copies what is committed in a file, beside whoever writes to it. The
    /// copy must not be there yet.
    pub(super) async fn copy(path: &Path, to: &Path) -> Result<()> {
        let mut file = Self::open(path, false).await?;
        let copied = async {
            sqlite::run(&mut file.conn, "PRAGMA query_only = OFF").await?;
            sqlite::copy_of(&mut file.conn, to).await
        }
        .await;
        let copied = file.named(copied);
        sqlite::close(file.conn).await;
        copied
    }

    /// Where it lies; nowhere in memory.
    pub(super) fn place(&self) -> Option<&Path> {
        Some(&*self.path).filter(|path| !path.as_os_str().is_empty())
    }

    /// Looks whether it still is what was opened. Opens it anew if it was taken
    /// for one that does not change, and changed, or if another one has its name.
    pub(super) async fn renew(&mut self) -> Result<()> {
        let is_still = self.unchanging.as_ref().is_none_or(Unchanging::is_still);
        if is_still && self.is_in_place().is_ok() {
            let looked = self.schema.look(&mut self.conn).await;
            return self.named(looked);
        }
        let opened = connect(&self.path, false).await;
        let opened = opened.map_err(|error| naming(&self.path, error))?;
        let old = std::mem::replace(self, Self::of(opened, &self.path, None));
        sqlite::close(old.conn).await;
        Ok(())
    }

    /// Its path, and whether it is read as one that nobody writes.
    pub(super) fn read_as(&self) -> (&Path, bool) {
        (&self.path, self.unchanging.is_some())
    }

    /// That what was read while it was taken for one that does not change was
    /// there.
    pub(super) fn is_still(&self) -> Result<()> {
        self.named(Ok(()))
    }

    /// Whether the file that is open has its name yet.
    pub(super) fn is_in_place(&self) -> Result<()> {
        match &self.names {
            Some(named) if !named.is_still() => {
                Err(Unavailable::LedgerMoved { path: self.path.clone() }.into())
            }
            _ => Ok(()),
        }
    }

    /// Says of what was found in the file that it was there. What was read while it changed is not.
    fn named<T>(&self, found: Result<T>) -> Result<T> {
        if let Some(changed) = self.unchanging.as_ref().filter(|seen| !seen.is_still()) {
            return Err(changed.changed());
        }
        found.map_err(|error| naming(&self.path, error))
    }

    /// Takes everything behind a transaction out of a copy, and closes it.
    pub(super) async fn cut(mut self, last: TxId) -> Result<()> {
        sqlite::begin(&mut self.conn).await?;
        let cut = delete_behind(&mut self.conn, last).await;
        sqlite::finish(&mut self.conn, cut).await?;
        Ok(self.conn.close().await?)
    }

    pub(super) async fn memory() -> Result<Self> {
        let mut conn = sqlite::memory().await?;
        let schema = Schema::of(&mut conn, true).await?;
        Ok(Self { conn, schema, names: None, path: PathBuf::new(), _lock: None, unchanging: None })
    }

    /// The last transaction.
    pub(super) async fn end(&mut self) -> Result<Option<TrustedState>> {
        let found: Result<_> = async {
            let row = sqlx::query(concat!(
                "SELECT id, ",
                alh!(),
                " FROM ledger_tx ORDER BY id DESC LIMIT 1"
            ))
            .fetch_optional(&mut self.conn)
            .await?;
            row.map(|row| {
                Ok(TrustedState {
                    tx: TxId::new(to_u64(row.try_get("id")?, "ledger_tx.id")?),
                    alh: Alh::new(sqlite::hash(&row, "alh")?),
                })
            })
            .transpose()
        }
        .await;
        self.named(found)
    }

    /// The Alh that the file shows for a transaction.
    pub(super) async fn alh(&mut self, id: TxId) -> Result<Option<Alh>> {
        let found: Result<_> = async {
            let row = sqlx::query(concat!("SELECT ", alh!(), " FROM ledger_tx WHERE id = ?"))
                .bind(to_i64(id.get()))
                .fetch_optional(&mut self.conn)
                .await?;
            row.map(|row| Ok(Alh::new(sqlite::hash(&row, "alh")?))).transpose()
        }
        .await;
        self.named(found)
    }

    /// The rows behind the last transaction: there must be none. A million is
    /// as bad as more.
    pub(super) async fn surplus(&mut self, end: TxId) -> Result<Option<(Position, u64)>> {
        let found: Result<_> = async {
            let row = sqlx::query(
                "SELECT min(pos) AS first, count(*) AS n FROM \
                 (SELECT pos FROM ledger_row WHERE pos >= ? ORDER BY pos LIMIT 1048576)",
            )
            .bind(Position::new(TxId::new(end.get() + 1), 0).raw())
            .fetch_one(&mut self.conn)
            .await?;
            let Some(first) = row.try_get::<Option<i64>, _>("first")? else { return Ok(None) };
            Ok(Some((Position::from_raw(first), to_u64(row.try_get("n")?, "count")?)))
        }
        .await;
        self.named(found)
    }

    /// How far a batch of transactions goes that begins with `first`: to `last`,
    /// or as far as their rows are few enough bytes, but not nowhere.
    pub(super) async fn fitting(&mut self, first: u64, last: u64) -> Result<u64> {
        const MOST_ROWS: i64 = 131_072;
        let found: Result<_> = async {
            self.schema.look(&mut self.conn).await?;
            let sums = sqlx::query(
                "SELECT tx, count(*) AS n, sum(len) AS len FROM (SELECT pos >> 16 AS tx, \
                 iif(typeof(value) = 'blob', length(value), 0) AS len FROM ledger_row \
                 WHERE pos >= ? AND pos < ? ORDER BY pos LIMIT 131072) GROUP BY tx ORDER BY tx",
            )
            .bind(Position::new(TxId::new(first), 0).raw())
            .bind(Position::new(TxId::new(last.saturating_add(1)), 0).raw())
            .fetch_all(&mut self.conn)
            .await?;
            let (mut rows, mut bytes) = (0, 0);
            for sum in &sums {
                let tx = to_u64(sum.try_get("tx")?, "ledger_row.pos")?;
                rows += sum.try_get::<i64, _>("n")?;
                bytes += to_u64(sum.try_get("len")?, "a length")?;
                // Behind the last row that was counted there may be more of it.
                if bytes > BATCH_BYTES || rows >= MOST_ROWS {
                    return Ok(first.max(tx.saturating_sub(1)));
                }
            }
            Ok(last)
        }
        .await;
        self.named(found)
    }

    /// Transactions `first` to `last` that exist, and their rows.
    pub(super) async fn read(
        &mut self,
        first: u64,
        last: u64,
    ) -> Result<(Vec<FileTx>, Vec<FileRow>)> {
        let found: Result<_> = async {
            self.schema.look(&mut self.conn).await?;
            let txs = sqlx::query(concat!(
                "SELECT id, ",
                header!(),
                ", ",
                alh!(),
                " FROM ledger_tx WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
            ))
            .bind(to_i64(first))
            .bind(to_i64(last))
            .bind(most_txs(first, last))
            .fetch_all(&mut self.conn)
            .await?
            .iter()
            .map(|row| {
                Ok(FileTx {
                    id: TxId::new(to_u64(row.try_get("id")?, "ledger_tx.id")?),
                    ts: row.try_get("ts")?,
                    nentries: row.try_get("nentries")?,
                    alh: Alh::new(sqlite::hash(row, "alh")?),
                })
            })
            .collect::<Result<Vec<_>>>()?;
            let rows = sqlx::query(concat!(
                "SELECT pos, ",
                value!("x''"),
                " FROM ledger_row WHERE pos >= ? AND pos < ? ORDER BY pos LIMIT ?"
            ))
            .bind(Position::new(TxId::new(first), 0).raw())
            .bind(Position::new(TxId::new(last + 1), 0).raw())
            .bind(most_rows(first, last))
            .fetch_all(&mut self.conn)
            .await?
            .iter()
            .map(|row| Ok((Position::from_raw(row.try_get("pos")?), row.try_get("value")?)))
            .collect::<Result<Vec<_>>>()?;
            Ok((txs, rows))
        }
        .await;
        self.named(found)
    }

    /// The last transaction's number and the Alh that the file shows for it,
    /// whatever else is in its row.
    pub(super) async fn raw_end(&mut self) -> Result<Option<(TxId, Option<Alh>)>> {
        let found: Result<_> = async {
            let row = sqlx::query(concat!(
                "SELECT id, ",
                alh!(),
                " FROM ledger_tx WHERE id > 0 ORDER BY id DESC LIMIT 1"
            ))
            .fetch_optional(&mut self.conn)
            .await?;
            row.map(|row| {
                Ok((TxId::new(to_u64(row.try_get("id")?, "ledger_tx.id")?), raw_alh(&row)?))
            })
            .transpose()
        }
        .await;
        self.named(found)
    }

    /// The Alh that the file shows for a transaction, if it is one.
    pub(super) async fn raw_alh(&mut self, id: TxId) -> Result<Option<Alh>> {
        let found: Result<_> = async {
            self.schema.look(&mut self.conn).await?;
            let row = sqlx::query(concat!("SELECT ", alh!(), " FROM ledger_tx WHERE id = ?"))
                .bind(to_i64(id.get()))
                .fetch_optional(&mut self.conn)
                .await?;
            Ok(row.as_ref().map(raw_alh).transpose()?.flatten())
        }
        .await;
        self.named(found)
    }

    /// How many transactions and rows stand before the first place there is,
    /// and the rows behind the last one: counted at one moment, since a
    /// writer may be at work, and to a million.
    pub(super) async fn misplaced(&mut self) -> Result<Misplaced> {
        let found: Result<_> = async {
            let row = sqlx::query(
                "SELECT \
                 (SELECT count(*) FROM (SELECT id FROM ledger_tx WHERE id < 1 LIMIT 1048576)) \
                 AS txs, \
                 (SELECT count(*) FROM (SELECT pos FROM ledger_row WHERE pos < ? LIMIT 1048576)) \
                 AS before, \
                 min(pos) AS first, count(*) AS behind FROM (SELECT pos FROM ledger_row \
                 WHERE pos >= ((SELECT coalesce(max(id), 0) FROM ledger_tx) + 1) << 16 \
                 ORDER BY pos LIMIT 1048576)",
            )
            .bind(Position::new(TxId::new(1), 0).raw())
            .fetch_one(&mut self.conn)
            .await?;
            Ok(Misplaced {
                txs: row.try_get("txs")?,
                before: row.try_get("before")?,
                first: row.try_get::<Option<i64>, _>("first")?.map(Position::from_raw),
                behind: row.try_get("behind")?,
            })
        }
        .await;
        self.named(found)
    }

    /// Transactions `first` to `last` that exist, and their rows, with
    /// whatever the columns hold. What has a number or a place a second time is
    /// told, and the first one is taken.
    pub(super) async fn read_raw(&mut self, first: u64, last: u64) -> Result<Raw> {
        let found: Result<_> = async {
            self.schema.look(&mut self.conn).await?;
            let mut raw = Raw::default();
            let txs = sqlx::query(concat!(
                "SELECT id, ",
                header!(),
                ", ",
                alh!(),
                " FROM ledger_tx WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
            ))
            .bind(to_i64(first))
            .bind(to_i64(last))
            .bind(most_txs(first, last))
            .fetch_all(&mut self.conn)
            .await?;
            for row in txs {
                let tx = RawTx {
                    ts: row.try_get("ts")?,
                    nentries: row.try_get("nentries")?,
                    alh: raw_alh(&row)?,
                };
                let id = to_u64(row.try_get("id")?, "ledger_tx.id")?;
                match raw.txs.entry(id) {
                    Entry::Vacant(place) => drop(place.insert(tx)),
                    Entry::Occupied(_) => raw.repeated.push((TxId::new(id), None)),
                }
            }
            let rows = sqlx::query(concat!(
                "SELECT pos, ",
                value!("NULL"),
                " FROM ledger_row WHERE pos >= ? AND pos < ? ORDER BY pos LIMIT ?"
            ))
            .bind(Position::new(TxId::new(first), 0).raw())
            .bind(Position::new(TxId::new(last.saturating_add(1)), 0).raw())
            .bind(most_rows(first, last))
            .fetch_all(&mut self.conn)
            .await?;
            for row in rows {
                let pos = Position::from_raw(row.try_get("pos")?);
                let rows = raw.rows.entry(pos.tx().get()).or_default();
                // The one before is the next smaller one, in a file that is whole.
                match rows.last() {
                    Some((before, _)) if *before >= pos.entry() => {
                        raw.repeated.push((pos.tx(), Some(pos.entry())));
                    }
                    _ => rows.push((pos.entry(), row.try_get("value")?)),
                }
            }
            Ok(raw)
        }
        .await;
        self.named(found)
    }

    /// How many bytes the values at these places are.
    pub(super) async fn bytes(&mut self, places: &[Position]) -> Result<u64> {
        let found: Result<_> = async {
            let mut bytes = 0;
            for chunk in places.chunks(500) {
                let mut query = QueryBuilder::<Sqlite>::new(
                    "SELECT coalesce(sum(iif(typeof(value) = 'blob', length(value), 0)), 0) \
                     FROM ledger_row WHERE pos IN (",
                );
                let mut list = query.separated(", ");
                for place in chunk {
                    list.push_bind(place.raw());
                }
                query.push(")");
                let sum = query.build_query_scalar().fetch_one(&mut self.conn).await?;
                bytes += to_u64(sum, "a length")?;
            }
            Ok(bytes)
        }
        .await;
        self.named(found)
    }

    /// The stored values at these places, in any order; absent ones are left out.
    pub(super) async fn values(&mut self, places: &[Position]) -> Result<Vec<FileRow>> {
        let found: Result<_> = async {
            let mut found = Vec::with_capacity(places.len());
            for chunk in places.chunks(500) {
                let mut query = QueryBuilder::<Sqlite>::new(concat!(
                    "SELECT pos, ",
                    value!("x''"),
                    " FROM ledger_row WHERE pos IN ("
                ));
                let mut list = query.separated(", ");
                for place in chunk {
                    list.push_bind(place.raw());
                }
                query.push(")");
                for row in query.build().fetch_all(&mut self.conn).await? {
                    found.push((Position::from_raw(row.try_get("pos")?), row.try_get("value")?));
                }
            }
            Ok(found)
        }
        .await;
        self.named(found)
    }
}

struct Opened {
    conn: SqliteConnection,
    schema: Schema,
    named: Named,
    unchanging: Option<Unchanging>,
}

async fn connect(path: &Path, write: bool) -> Result<Opened> {
    // Whatever takes the name from here on is noticed, but for a file that is
    // only made now.
    let before = Named::of(path, false).ok();
    let (mut conn, unchanging) = match write {
        true => (sqlite::open(path, FileKind::Ledger, true).await?, None),
        false => sqlite::open_to_read(path, FileKind::Ledger).await?,
    };
    let prepared: Result<_> = async {
        let schema = Schema::of(&mut conn, write).await?;
        if !write {
            sqlite::run(&mut conn, "PRAGMA query_only = ON").await?;
        }
        let named = Named::of(path, write).map_err(|cause| Unavailable::file(path, cause))?;
        if before.is_some_and(|before| !before.is_still()) {
            return Err(Unavailable::LedgerMoved { path: path.into() }.into());
        }
        Ok((schema, named))
    }
    .await;
    match prepared {
        Ok((schema, named)) => Ok(Opened { conn, schema, named, unchanging }),
        Err(error) => {
            sqlite::close(conn).await;
            Err(error)
        }
    }
}

/// What SQLite says names no file, and what is said of a log is not meant.
fn naming(path: &Path, error: Error) -> Error {
    let damage = sqlite::is_damage(&error);
    match error {
        Error::Unavailable(_) if damage => {
            let what = match &error {
                // Which names the file, too.
                Error::Unavailable(Unavailable::File { cause, .. }) => cause.to_string(),
                Error::Unavailable(Unavailable::Storage(cause)) => cause.to_string(),
                other => other.to_string(),
            };
            Unavailable::DamagedLedger { path: path.into(), what }.into()
        }
        Error::Unavailable(Unavailable::Storage(cause)) => {
            Unavailable::file(path, std::io::Error::other(cause)).into()
        }
        Error::Ledger(verdict) => match verdict.into_verdict() {
            Verdict::LogAltered { what } => {
                Verdict::LogAltered { what: format!("{}: {what}", path.display()) }.into()
            }
            Verdict::FileSchemaAltered { what } => {
                Verdict::FileSchemaAltered { what: format!("{}: {what}", path.display()) }.into()
            }
            other => other.into(),
        },
        other => other,
    }
}

async fn delete_behind(conn: &mut SqliteConnection, last: TxId) -> Result<()> {
    sqlx::query("DELETE FROM ledger_tx WHERE id > ?")
        .bind(to_i64(last.get()))
        .execute(&mut *conn)
        .await?;
    sqlx::query("DELETE FROM ledger_row WHERE pos > ?")
        .bind(Position::end_of(last).raw())
        .execute(conn)
        .await?;
    Ok(())
}

/// One more than there can be: it tells.
fn most_txs(first: u64, last: u64) -> i64 {
    to_i64(last.saturating_sub(first).saturating_add(2))
}

fn most_rows(first: u64, last: u64) -> i64 {
    most_txs(first, last).saturating_mul(i64::from(Position::MAX_ENTRIES))
}

/// An Alh in a column that may hold anything.
fn raw_alh(row: &sqlx::sqlite::SqliteRow) -> Result<Option<Alh>> {
    let bytes: Option<&[u8]> = row.try_get("alh")?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(Alh::new))
}

#[cfg(test)]
mod tests;
