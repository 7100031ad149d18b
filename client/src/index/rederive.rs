//! Taking back what was derived from a transaction on, so that it can be
//! derived again.

use std::collections::HashSet;

use counterfoil_core::TxId;
use sqlx::SqliteConnection;

use super::{Index, Position};
use crate::error::Result;
use crate::sqlite::{to_i64, to_u64};

impl Index {
    /// Leaves the tables as they were before the first row of transaction
    /// `first` came. Findings about transactions as a whole do not come from
    /// rows, and stay.
    pub(crate) async fn forget_from(conn: &mut SqliteConnection, first: TxId) -> Result<()> {
        let place = Position::new(first, 0).raw();
        sqlx::query(
            "UPDATE stream SET \
             next = (SELECT count(*) FROM event e WHERE e.stream = stream.id AND e.pos < ?1), \
             head = coalesce((SELECT substr(t.digests, 32 * (e.pos & 65535) + 1, 32) \
             FROM event e JOIN tx t ON t.id = e.pos >> 16 \
             WHERE e.stream = stream.id AND e.pos < ?1 ORDER BY e.number DESC LIMIT 1), \
             zeroblob(32)) \
             WHERE id IN (SELECT stream FROM event WHERE pos >= ?1)",
        )
        .bind(place)
        .execute(&mut *conn)
        .await?;
        for sql in [
            "DELETE FROM correlation WHERE pos >= ?",
            "DELETE FROM event WHERE pos >= ?",
            // The first row on a key holds it: what is left came before.
            "DELETE FROM held WHERE pos >= ?",
        ] {
            sqlx::query(sql).bind(place).execute(&mut *conn).await?;
        }
        sqlx::query("DELETE FROM finding WHERE tx >= ? AND entry IS NOT NULL")
            .bind(to_i64(first.get()))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// The transactions from `first` on that are known to have changed the
    /// table and to hold nothing else.
    pub(crate) async fn altered_from(
        conn: &mut SqliteConnection,
        first: TxId,
    ) -> Result<HashSet<TxId>> {
        let sql = "SELECT tx FROM finding WHERE kind = 'schema_changed' AND tx >= ?";
        sqlx::query_scalar(sql)
            .bind(to_i64(first.get()))
            .fetch_all(conn)
            .await?
            .into_iter()
            .map(|tx: i64| Ok(TxId::new(to_u64(tx, "finding.tx")?)))
            .collect()
    }

    /// A transaction's entries are known now.
    pub(crate) async fn close_gap(conn: &mut SqliteConnection, tx: TxId) -> Result<()> {
        sqlx::query("DELETE FROM finding WHERE tx = ? AND kind = 'unaccounted'")
            .bind(to_i64(tx.get()))
            .execute(conn)
            .await?;
        Ok(())
    }
}
