//! Committing a transaction to the ledger file.

use counterfoil_core::{TrustedState, TxId};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::{FileRow, FileTx, LedgerFile};
use crate::error::{Error, Result, Unavailable};
use crate::index::Position;
use crate::sqlite::{self, Unfinished, to_i64};
use crate::trust::compare;
use crate::verdict::Verdict;

impl LedgerFile {
    /// Commits a transaction behind the one with which the file must end: on
    /// disk when this returns, in the file that has the ledger's name, as it was
    /// read back.
    pub(in crate::backend::embedded) async fn commit(
        &mut self,
        after: Option<TrustedState>,
        tx: &FileTx,
        rows: &[FileRow],
    ) -> Result<()> {
        const REMEDY: &str =
            "repair that, then repeat the append with its external id, or read the stream";
        let found: Result<_> = async {
            self.is_in_place()?;
            sqlite::begin(&mut self.conn).await?;
            let written = write(self, after, tx, rows).await;
            sqlite::finish(&mut self.conn, written).await.map_err(
                |unfinished| match unfinished {
                    Unfinished::Undone(error) => error,
                    Unfinished::Unknown(error) => Error::OutcomeUnknown {
                        reason: format!("the ledger file's commit failed: {error}"),
                        remedy: REMEDY,
                    },
                },
            )?;
            self.is_in_place().map_err(|moved| Error::OutcomeUnknown {
                reason: format!("they were committed, but {moved}"),
                remedy: REMEDY,
            })
        }
        .await;
        self.named(found)
    }

    /// Undoes what a commit that was cut short has left: this connection would
    /// show it.
    pub(in crate::backend::embedded) async fn undo(&mut self) {
        sqlite::undo(&mut self.conn).await;
    }
}

/// Writes a transaction into a file whose schema is ours and that ends where
/// it ended, and reads it back.
///
/// Before the commit, so that what is not there is undone; nobody else can
/// write in between.
async fn write(
    file: &mut LedgerFile,
    after: Option<TrustedState>,
    tx: &FileTx,
    rows: &[FileRow],
) -> Result<()> {
    file.schema.still(&mut file.conn).await?;
    if let Some(after) = after {
        ends_with(file, after).await?;
    }
    let LedgerFile { conn, path, .. } = file;
    insert(conn, tx, rows).await?;
    match reads_back(conn, tx, rows).await? {
        true => Ok(()),
        false => Err(Unavailable::DamagedLedger {
            path: path.clone(),
            what: format!("it does not hold what was just written to it as transaction {}", tx.id),
        }
        .into()),
    }
}

async fn ends_with(file: &mut LedgerFile, pinned: TrustedState) -> Result<()> {
    match file.end().await? {
        Some(end) if end == pinned => Ok(()),
        end => {
            compare(pinned, file.alh(pinned.tx).await?, end)?;
            let found = end.ok_or(Verdict::Missing { pinned })?;
            Err(Verdict::ExtendsPin { pinned, found }.into())
        }
    }
}

async fn reads_back(conn: &mut SqliteConnection, tx: &FileTx, rows: &[FileRow]) -> Result<bool> {
    let found = sqlx::query(concat!(
        "SELECT pos, ",
        value!("x''"),
        " FROM ledger_row WHERE pos >= ? AND pos < ? ORDER BY pos LIMIT ?"
    ))
    .bind(Position::new(tx.id, 0).raw())
    .bind(Position::new(TxId::new(tx.id.get() + 1), 0).raw())
    .bind(rows.len() as i64 + 1)
    .fetch_all(&mut *conn)
    .await?;
    if found.len() != rows.len() {
        return Ok(false);
    }
    for (found, (pos, value)) in found.iter().zip(rows) {
        if found.try_get::<i64, _>("pos")? != pos.raw()
            || found.try_get::<&[u8], _>("value")? != value
        {
            return Ok(false);
        }
    }
    let found = sqlx::query("SELECT ts, nentries, alh FROM ledger_tx WHERE id = ?")
        .bind(to_i64(tx.id.get()))
        .fetch_optional(conn)
        .await?;
    let Some(found) = found else { return Ok(false) };
    Ok(found.try_get::<i64, _>("ts")? == tx.ts
        && found.try_get::<i64, _>("nentries")? == tx.nentries
        && sqlite::hash(&found, "alh")? == *tx.alh.as_bytes())
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
