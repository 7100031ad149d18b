//! In what two indexes over the same log differ.

use counterfoil_core::TxId;
use sqlx::{Row, SqliteConnection};

use super::{Index, Position};
use crate::error::Result;
use crate::sqlite::{to_i64, to_u64};

/// The rows of an index that say something about transactions behind ?1, up to
/// ?2: where, of what kind, and everything but what follows from the others
/// and is only words.
macro_rules! said_in {
    ($schema:literal) => {
        concat!(
            "SELECT tx, entry, what, a, b, c, d, e, count(*) AS times FROM (
                SELECT e.pos >> 16 AS tx, e.pos & 65535 AS entry, 'event' AS what,
                    s.domain AS a, s.edition AS b, s.root AS c, e.number AS d, e.ext AS e
                FROM ",
            $schema,
            ".event e LEFT JOIN ",
            $schema,
            ".stream s ON s.id = e.stream
                UNION ALL SELECT pos >> 16, pos & 65535, 'correlation id', id, 0, 0, 0, 0
                FROM ",
            $schema,
            ".correlation
                UNION ALL SELECT h.pos >> 16, h.pos & 65535, 'held key',
                    s.domain, s.edition, s.root, h.number, 0
                FROM ",
            $schema,
            ".held h LEFT JOIN ",
            $schema,
            ".stream s ON s.id = h.stream
                UNION ALL SELECT tx, entry, 'finding', kind, 0, 0, 0, 0
                FROM ",
            $schema,
            ".finding
            ) WHERE tx > ?1 AND tx <= ?2 GROUP BY tx, entry, what, a, b, c, d, e"
        )
    };
}

const DIFFERENCES: &str = concat!(
    "WITH made AS (",
    said_in!("main"),
    "), own AS (",
    said_in!("own"),
    ") SELECT tx, entry, what, max(lacks) AS lacks, max(has) AS has, count(*) OVER () AS total
    FROM (
        SELECT *, 1 AS lacks, 0 AS has FROM (SELECT * FROM made EXCEPT SELECT * FROM own)
        UNION ALL
        SELECT *, 0 AS lacks, 1 AS has FROM (SELECT * FROM own EXCEPT SELECT * FROM made)
    ) GROUP BY tx, entry, what ORDER BY tx, entry, what LIMIT ?3"
);

/// The first transaction whose entries only one of two logs has.
const ACCOUNTED: &str = "
    SELECT min(m.id) FROM main.tx m JOIN own.tx o ON o.id = m.id
    WHERE m.id > ?1 AND m.id <= ?2 AND (m.digests IS NULL) != (o.digests IS NULL)
";

/// What another index says otherwise, or does not say.
pub(crate) struct Difference {
    pub(crate) tx: TxId,
    pub(crate) entry: Option<u32>,
    pub(crate) detail: String,
}

/// What the index of an attached database is beside this one.
pub(crate) enum Compared {
    /// The first differences, and how many there are.
    Differs(Vec<Difference>, u64),
    /// Only one of the two logs has all entries of this transaction, so that
    /// the indexes need not say the same.
    OtherEntries(TxId),
}

impl Index {
    /// Holds what the index of the attached database `own` says about
    /// transactions behind `after`, up to `last`, against this one.
    pub(crate) async fn compare(
        conn: &mut SqliteConnection,
        after: TxId,
        last: TxId,
        most: usize,
    ) -> Result<Compared> {
        let (after, last) = (to_i64(after.get()), to_i64(last.get()));
        let other: Option<i64> =
            sqlx::query_scalar(ACCOUNTED).bind(after).bind(last).fetch_one(&mut *conn).await?;
        if let Some(other) = other {
            return Ok(Compared::OtherEntries(TxId::new(to_u64(other, "tx.id")?)));
        }
        let rows = sqlx::query(DIFFERENCES)
            .bind(after)
            .bind(last)
            .bind(to_i64(most as u64))
            .fetch_all(conn)
            .await?;
        let total = match rows.first() {
            Some(row) => to_u64(row.try_get("total")?, "total")?,
            None => 0,
        };
        let differences = rows.iter().map(|row| {
            let what: &str = row.try_get("what")?;
            let how = match (row.try_get("lacks")?, row.try_get("has")?) {
                (true, false) => "lacks the",
                (false, true) => "has a surplus",
                _ => "has another",
            };
            Ok(Difference {
                tx: TxId::new(to_u64(row.try_get("tx")?, "tx")?),
                entry: row
                    .try_get::<Option<i64>, _>("entry")?
                    .and_then(|at| u32::try_from(at).ok()),
                detail: format!("this client's index {how} {what} here"),
            })
        });
        Ok(Compared::Differs(differences.collect::<Result<_>>()?, total))
    }

    /// How many rows speak of no transaction up to `last`: the log ends there, so
    /// that they speak of nothing.
    pub(crate) async fn strays(conn: &mut SqliteConnection, last: TxId) -> Result<u64> {
        let strays: i64 = sqlx::query_scalar(STRAYS)
            .bind(Position::new(TxId::new(1), 0).raw())
            .bind(Position::end_of(last).raw())
            .bind(to_i64(last.get()))
            .fetch_one(conn)
            .await?;
        to_u64(strays, "count")
    }

    /// How many streams are there of which there is nothing else, but for the one
    /// of the genesis row; and whether that one is there.
    pub(crate) async fn lone_streams(conn: &mut SqliteConnection) -> Result<(u64, bool)> {
        let row = sqlx::query(LONE_STREAMS).fetch_one(conn).await?;
        let lone = to_u64(row.try_get("lone")?, "count")?;
        Ok((lone, row.try_get::<i64, _>("genesis")? != 0))
    }

    /// Streams whose end is not where their events end, and the place of their
    /// last event: it follows from the events and the log.
    pub(crate) async fn wrong_ends(
        conn: &mut SqliteConnection,
        most: usize,
    ) -> Result<Vec<(Option<Position>, Vec<u8>)>> {
        sqlx::query(WRONG_ENDS)
            .bind(to_i64(most as u64))
            .fetch_all(conn)
            .await?
            .iter()
            .map(|row| {
                let pos: Option<i64> = row.try_get("pos")?;
                Ok((pos.map(Position::from_raw), row.try_get("root")?))
            })
            .collect()
    }
}

/// What is no number is behind all numbers.
const STRAYS: &str = "
    SELECT (SELECT count(*) FROM event WHERE pos NOT BETWEEN ?1 AND ?2)
        + (SELECT count(*) FROM correlation WHERE pos NOT BETWEEN ?1 AND ?2)
        + (SELECT count(*) FROM held WHERE pos NOT BETWEEN ?1 AND ?2)
        + (SELECT count(*) FROM finding WHERE tx NOT BETWEEN 1 AND ?3)
";

const LONE_STREAMS: &str = "
    SELECT count(*) FILTER (WHERE (domain, edition, root) != (x'', x'', x'')
        AND NOT EXISTS (SELECT 1 FROM event WHERE stream = s.id)
        AND NOT EXISTS (SELECT 1 FROM held WHERE stream = s.id)) AS lone,
        count(*) FILTER (WHERE (domain, edition, root) = (x'', x'', x'')) AS genesis
    FROM stream s
";

/// Beside a `max`, SQLite takes the other columns from the row that has it.
const WRONG_ENDS: &str = "
    SELECT l.pos, s.root FROM stream s
    LEFT JOIN (
        SELECT stream, max(number) AS number, count(*) AS events, pos FROM event GROUP BY stream
    ) l ON l.stream = s.id
    LEFT JOIN tx t ON t.id = l.pos >> 16
    WHERE s.next IS NOT coalesce(l.number + 1, 0) OR s.next IS NOT coalesce(l.events, 0)
    OR s.head IS NOT coalesce(substr(t.digests, (l.pos & 65535) * 32 + 1, 32), zeroblob(32))
    LIMIT ?
";
