//! The ledger file: what a server would keep, and trusted as little.

use std::path::{Path, PathBuf};

use counterfoil_core::{Alh, TrustedState, TxId};
use sqlx::{Connection as _, QueryBuilder, Row, Sqlite, SqliteConnection};

use super::audit::{Raw, RawTx};
use crate::error::{Error, Result, Unavailable};
use crate::index::Position;
use crate::place;
use crate::sqlite::{self, FileKind, FileLock, Unchanging, Unfinished, to_i64, to_u64};
use crate::verdict::Verdict;

/// `alh` is there to be compared; the rows decide. `value` is the row's value
/// exactly as immudb encodes it; `pos` is transaction ‖ entry (16 bits).
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS ledger_tx (
        id INTEGER PRIMARY KEY,
        ts INTEGER NOT NULL,
        nentries INTEGER NOT NULL,
        alh BLOB NOT NULL
    );
    CREATE TABLE IF NOT EXISTS ledger_row (
        pos INTEGER PRIMARY KEY,
        value BLOB NOT NULL
    );
";

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
            Ok((conn, unchanging)) => Ok(Self { conn, path: path.into(), _lock: lock, unchanging }),
            Err(error) => {
                if let Some(lock) = lock {
                    lock.undo();
                }
                Err(naming(path, error))
            }
        }
    }

    /// A copy that nobody else knows of: changed in place, without a
    /// write-ahead log beside it.
    pub(super) async fn of_copy(path: &Path) -> Result<Self> {
        let conn = sqlite::open(path, FileKind::Ledger, false).await?;
        Ok(Self { conn, path: path.into(), _lock: None, unchanging: None })
    }

    /// Where it lies; nowhere in memory.
    pub(super) fn place(&self) -> Option<&Path> {
        Some(&*self.path).filter(|path| !path.as_os_str().is_empty())
    }

    /// Opens it anew if it was taken for one that does not change, and changed.
    pub(super) async fn renew(&mut self) -> Result<()> {
        if self.unchanging.as_ref().is_none_or(Unchanging::is_still) {
            return Ok(());
        }
        let opened = connect(&self.path, false).await;
        let (conn, unchanging) = opened.map_err(|error| naming(&self.path, error))?;
        sqlite::close(std::mem::replace(&mut self.conn, conn)).await;
        self.unchanging = unchanging;
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
        sqlite::run(&mut conn, TABLES).await?;
        Ok(Self { conn, path: PathBuf::new(), _lock: None, unchanging: None })
    }

    /// The last transaction.
    pub(super) async fn end(&mut self) -> Result<Option<TrustedState>> {
        let found: Result<_> = async {
            let row = sqlx::query("SELECT id, alh FROM ledger_tx ORDER BY id DESC LIMIT 1")
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
            let row = sqlx::query("SELECT alh FROM ledger_tx WHERE id = ?")
                .bind(to_i64(id.get()))
                .fetch_optional(&mut self.conn)
                .await?;
            row.map(|row| Ok(Alh::new(sqlite::hash(&row, "alh")?))).transpose()
        }
        .await;
        self.named(found)
    }

    /// The rows behind the last transaction: there must be none.
    pub(super) async fn surplus(&mut self, end: TxId) -> Result<Option<(Position, u64)>> {
        let found: Result<_> = async {
            let row = sqlx::query(
                "SELECT min(pos) AS first, count(*) AS n FROM ledger_row WHERE pos >= ?",
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

    /// Transactions `first` to `last` that exist, and their rows.
    pub(super) async fn read(
        &mut self,
        first: u64,
        last: u64,
    ) -> Result<(Vec<FileTx>, Vec<FileRow>)> {
        let found: Result<_> = async {
            let txs = sqlx::query(
                "SELECT id, ts, nentries, alh FROM ledger_tx WHERE id BETWEEN ? AND ? ORDER BY id",
            )
            .bind(to_i64(first))
            .bind(to_i64(last))
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
            let rows = sqlx::query(
                "SELECT pos, value FROM ledger_row WHERE pos >= ? AND pos < ? ORDER BY pos",
            )
            .bind(Position::new(TxId::new(first), 0).raw())
            .bind(Position::new(TxId::new(last + 1), 0).raw())
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
            let row = sqlx::query(
                "SELECT id, iif(typeof(alh) = 'blob', alh, NULL) AS alh FROM ledger_tx \
             WHERE id > 0 ORDER BY id DESC LIMIT 1",
            )
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

    /// How many transactions and rows stand before the first place there is,
    /// and the rows behind the last one: counted at one moment, since a
    /// writer may be at work.
    pub(super) async fn misplaced(&mut self) -> Result<Misplaced> {
        let found: Result<_> = async {
            let row = sqlx::query(
                "SELECT (SELECT count(*) FROM ledger_tx WHERE id < 1) AS txs, \
             (SELECT count(*) FROM ledger_row WHERE pos < ?) AS before, \
             min(pos) AS first, count(*) AS behind FROM ledger_row \
             WHERE pos >= ((SELECT coalesce(max(id), 0) FROM ledger_tx) + 1) << 16",
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
    /// whatever the columns hold.
    pub(super) async fn read_raw(&mut self, first: u64, last: u64) -> Result<Raw> {
        let found: Result<_> = async {
            let mut raw = Raw::default();
            let txs = sqlx::query(
                "SELECT id, iif(typeof(ts) = 'integer', ts, NULL) AS ts, \
             iif(typeof(nentries) = 'integer', nentries, NULL) AS nentries, \
             iif(typeof(alh) = 'blob', alh, NULL) AS alh \
             FROM ledger_tx WHERE id BETWEEN ? AND ? ORDER BY id",
            )
            .bind(to_i64(first))
            .bind(to_i64(last))
            .fetch_all(&mut self.conn)
            .await?;
            for row in txs {
                let tx = RawTx {
                    ts: row.try_get("ts")?,
                    nentries: row.try_get("nentries")?,
                    alh: raw_alh(&row)?,
                };
                raw.txs.insert(to_u64(row.try_get("id")?, "ledger_tx.id")?, tx);
            }
            let rows = sqlx::query(
                "SELECT pos, iif(typeof(value) = 'blob', value, NULL) AS value \
             FROM ledger_row WHERE pos >= ? AND pos < ? ORDER BY pos",
            )
            .bind(Position::new(TxId::new(first), 0).raw())
            .bind(Position::new(TxId::new(last.saturating_add(1)), 0).raw())
            .fetch_all(&mut self.conn)
            .await?;
            for row in rows {
                let pos = Position::from_raw(row.try_get("pos")?);
                let rows = raw.rows.entry(pos.tx().get()).or_default();
                rows.push((pos.entry(), row.try_get("value")?));
            }
            Ok(raw)
        }
        .await;
        self.named(found)
    }

    /// The stored values at these places, in any order; absent ones are left out.
    pub(super) async fn values(&mut self, places: &[Position]) -> Result<Vec<FileRow>> {
        let found: Result<_> = async {
            let mut found = Vec::with_capacity(places.len());
            for chunk in places.chunks(500) {
                let mut query =
                    QueryBuilder::<Sqlite>::new("SELECT pos, value FROM ledger_row WHERE pos IN (");
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

    /// Commits a transaction: on disk when this returns.
    pub(super) async fn commit(&mut self, tx: &FileTx, rows: &[FileRow]) -> Result<()> {
        let found: Result<_> = async {
        sqlite::begin(&mut self.conn).await?;
        let written = insert(&mut self.conn, tx, rows).await;
        sqlite::finish(&mut self.conn, written).await.map_err(|unfinished| match unfinished {
            Unfinished::Undone(error) => error,
            Unfinished::Unknown(error) => Error::OutcomeUnknown {
                reason: format!("the ledger file's commit failed: {error}"),
                remedy: "repair that, then repeat the append with its external id, or read the stream",
            },
        })
        }
        .await;
        self.named(found)
    }
}

async fn connect(path: &Path, write: bool) -> Result<(SqliteConnection, Option<Unchanging>)> {
    let (mut conn, unchanging) = match write {
        true => (sqlite::open(path, FileKind::Ledger, true).await?, None),
        false => sqlite::open_to_read(path, FileKind::Ledger).await?,
    };
    let prepared = match write {
        true => sqlite::run(&mut conn, TABLES).await,
        false => sqlite::run(&mut conn, "PRAGMA query_only = ON").await,
    };
    match prepared {
        Ok(()) => Ok((conn, unchanging)),
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
        Error::Ledger(verdict) => match *verdict {
            Verdict::LogAltered { what } => {
                Verdict::LogAltered { what: format!("{}: {what}", path.display()) }.into()
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

async fn insert(conn: &mut SqliteConnection, tx: &FileTx, rows: &[FileRow]) -> Result<()> {
    for chunk in rows.chunks(500) {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO ledger_row (pos, value) ");
        query.push_values(chunk, |mut values, (pos, value)| {
            values.push_bind(pos.raw()).push_bind(value);
        });
        query.build().execute(&mut *conn).await?;
    }
    sqlx::query("INSERT INTO ledger_tx (id, ts, nentries, alh) VALUES (?, ?, ?, ?)")
        .bind(to_i64(tx.id.get()))
        .bind(tx.ts)
        .bind(tx.nentries)
        .bind(&tx.alh.as_bytes()[..])
        .execute(conn)
        .await?;
    Ok(())
}

/// An Alh in a column that may hold anything.
fn raw_alh(row: &sqlx::sqlite::SqliteRow) -> Result<Option<Alh>> {
    let bytes: Option<&[u8]> = row.try_get("alh")?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(Alh::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TX: FileTx = FileTx { id: TxId::new(1), ts: 0, nentries: 0, alh: Alh::new([7; 32]) };

    /// As where nothing can be written beside it.
    async fn taken_for_unchanging(path: &Path) -> LedgerFile {
        let (conn, seen) = sqlite::open_unchanging(path, FileKind::Ledger).await.unwrap();
        LedgerFile { conn, path: path.into(), _lock: None, unchanging: Some(seen) }
    }

    #[tokio::test]
    async fn what_was_taken_for_unchanging_is_opened_anew_once_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = &folder.path().canonicalize().unwrap().join("ledger");
        LedgerFile::open(path, true).await.unwrap().close().await.unwrap();
        let mut early = taken_for_unchanging(path).await;
        let mut late = taken_for_unchanging(path).await;
        for reader in [&mut early, &mut late] {
            assert_eq!(reader.end().await.unwrap(), None);
            reader.renew().await.unwrap();
            assert!(reader.unchanging.is_some(), "nothing changed");
        }
        // In the write-ahead log, and not in the file yet.
        let mut writer = LedgerFile::open(path, true).await.unwrap();
        writer.commit(&TX, &[]).await.unwrap();
        let end = Some(TrustedState { tx: TX.id, alh: TX.alh });
        let stale = early.end().await.unwrap_err();
        assert!(matches!(stale, Error::Unavailable(Unavailable::File { .. })), "{stale}");
        early.renew().await.unwrap();
        assert_eq!(early.end().await.unwrap(), end);
        early.close().await.unwrap();
        // In the file, and the log is gone.
        writer.close().await.unwrap();
        let stale = late.end().await.unwrap_err();
        assert!(matches!(stale, Error::Unavailable(Unavailable::File { .. })), "{stale}");
        late.renew().await.unwrap();
        assert_eq!(late.end().await.unwrap(), end);
    }
}
