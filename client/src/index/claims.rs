//! How far the index's answers can be relied on.

use counterfoil_core::{Alh, TxId};
use futures_util::TryStreamExt as _;
use sqlx::{Row, SqliteConnection};

use super::Index;
use crate::bookmark::GapsBefore;
use crate::error::Result;
use crate::sqlite::{self, to_i64, to_u64};
use crate::verdict::{Completeness, SchemaState};

/// The gaps of the ledger from its beginning to a transaction, or from one to
/// another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gaps {
    pub(crate) through: TxId,
    count: u64,
    first: Option<TxId>,
    acknowledged: u64,
}

impl Gaps {
    /// Before anything was counted.
    pub(crate) const UNCOUNTED: Self =
        Self { through: TxId::new(0), count: 0, first: None, acknowledged: 0 };

    /// Goes on by those that follow.
    pub(crate) fn and(self, next: Self) -> Self {
        Self {
            through: next.through,
            count: self.count + next.count,
            first: self.first.or(next.first),
            acknowledged: self.acknowledged + next.acknowledged,
        }
    }

    /// What can be claimed where there are these.
    pub(crate) fn completeness(self) -> Completeness {
        let Self { through, count: gaps, first, acknowledged } = self;
        match first {
            None => Completeness::Complete { through },
            Some(first) => Completeness::Incomplete { through, gaps, first, acknowledged },
        }
    }
}

impl Index {
    /// Takes a gap as acknowledged, for as long as the file is open, and, if
    /// that is said, a change of the table.
    pub(crate) async fn acknowledge(
        conn: &mut SqliteConnection,
        tx: TxId,
        table_changed: bool,
    ) -> Result<()> {
        sqlx::query("INSERT OR IGNORE INTO acknowledged (tx, table_changed) VALUES (?, ?)")
            .bind(to_i64(tx.get()))
            .bind(table_changed)
            .execute(conn)
            .await?;
        Ok(())
    }

    /// The gaps behind `after`, up to `through`.
    pub(crate) async fn gaps(
        conn: &mut SqliteConnection,
        after: TxId,
        through: TxId,
    ) -> Result<Gaps> {
        let row = sqlx::query(
            "SELECT count(DISTINCT f.tx) AS count, min(f.tx) AS first, \
             count(DISTINCT a.tx) AS acknowledged \
             FROM finding f LEFT JOIN acknowledged a ON a.tx = f.tx \
             WHERE f.kind IN ('opaque', 'unaccounted') AND f.tx > ? AND f.tx <= ?",
        )
        .bind(to_i64(after.get()))
        .bind(to_i64(through.get()))
        .fetch_one(conn)
        .await?;
        let first = row.try_get::<Option<i64>, _>("first")?;
        let first = first.map(|first| to_u64(first, "finding.tx")).transpose()?;
        Ok(Gaps {
            through,
            count: to_u64(row.try_get("count")?, "count")?,
            first: first.map(TxId::new),
            acknowledged: to_u64(row.try_get("acknowledged")?, "acknowledged")?,
        })
    }

    /// The gaps up to `through`, if those up to `known.0` are `known.1`.
    pub(crate) async fn gaps_before(
        conn: &mut SqliteConnection,
        known: (TxId, GapsBefore),
        through: TxId,
    ) -> Result<GapsBefore> {
        let (after, gaps) = known;
        sqlx::query_scalar(
            "SELECT DISTINCT tx FROM finding WHERE kind IN ('opaque', 'unaccounted') \
             AND tx > ? AND tx <= ? ORDER BY tx",
        )
        .bind(to_i64(after.get()))
        .bind(to_i64(through.get()))
        .fetch(conn)
        .err_into()
        .try_fold(gaps, async |gaps, tx: i64| Ok(gaps.and(TxId::new(to_u64(tx, "finding.tx")?))))
        .await
    }

    /// The first gap that nobody acknowledges, with its Alh.
    pub(crate) async fn open_gap(conn: &mut SqliteConnection) -> Result<Option<(TxId, Alh)>> {
        let row = sqlx::query(
            "SELECT t.id, t.alh FROM finding f JOIN tx t ON t.id = f.tx \
             WHERE f.kind IN ('opaque', 'unaccounted') \
             AND f.tx NOT IN (SELECT tx FROM acknowledged) ORDER BY f.tx LIMIT 1",
        )
        .fetch_optional(conn)
        .await?;
        row.map(|row| {
            let tx = TxId::new(to_u64(row.try_get("id")?, "tx.id")?);
            Ok((tx, Alh::new(sqlite::hash(&row, "alh")?)))
        })
        .transpose()
    }

    /// The first change of the table that nobody acknowledges: its
    /// transaction, that one's Alh, and what it did.
    pub(crate) async fn open_schema_change(
        conn: &mut SqliteConnection,
    ) -> Result<Option<(TxId, Alh, String)>> {
        let row = sqlx::query(
            "SELECT t.id, t.alh, f.detail FROM finding f JOIN tx t ON t.id = f.tx \
             WHERE f.kind = 'schema_changed' AND f.tx NOT IN \
             (SELECT tx FROM acknowledged WHERE table_changed) ORDER BY f.tx LIMIT 1",
        )
        .fetch_optional(conn)
        .await?;
        row.map(|row| {
            let tx = TxId::new(to_u64(row.try_get("id")?, "tx.id")?);
            Ok((tx, Alh::new(sqlite::hash(&row, "alh")?), row.try_get("detail")?))
        })
        .transpose()
    }

    /// The transactions that truncated the database.
    pub(crate) async fn truncations(conn: &mut SqliteConnection) -> Result<Vec<TxId>> {
        sqlx::query_scalar("SELECT tx FROM finding WHERE kind = 'truncated' ORDER BY tx")
            .fetch_all(conn)
            .await?
            .into_iter()
            .map(|tx: i64| Ok(TxId::new(to_u64(tx, "finding.tx")?)))
            .collect()
    }

    /// What is known about the table that transaction `genesis` created.
    pub(crate) async fn schema_state(
        conn: &mut SqliteConnection,
        genesis: TxId,
    ) -> Result<SchemaState> {
        let row = sqlx::query(
            "SELECT tx, kind = 'schema_changed' AS changed, detail FROM finding \
             WHERE kind IN ('opaque', 'unaccounted', 'schema_changed') AND tx > ? \
             ORDER BY changed DESC, tx LIMIT 1",
        )
        .bind(to_i64(genesis.get()))
        .fetch_optional(conn)
        .await?;
        let Some(row) = row else { return Ok(SchemaState::Proven) };
        let tx = TxId::new(to_u64(row.try_get("tx")?, "finding.tx")?);
        Ok(match row.try_get::<i64, _>("changed")? {
            0 => SchemaState::Presumed { since: tx },
            _ => SchemaState::Changed { tx, what: row.try_get("detail")? },
        })
    }
}
