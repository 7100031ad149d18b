//! An index as another one has it, up to a transaction.

use counterfoil_core::TxId;
use sqlx::SqliteConnection;

use super::{Index, Position};
use crate::error::Result;
use crate::sqlite::{self, to_i64};

/// A stream's end follows from its last event and the log.
const STREAMS: &str = "
    INSERT INTO stream (id, domain, edition, root, next, head)
        SELECT id, domain, edition, root, 0, zeroblob(32) FROM own.stream
        WHERE id IN (SELECT stream FROM main.event) OR id IN (SELECT stream FROM main.held)
            OR domain = x'';
    UPDATE stream SET (next, head) = (
        SELECT e.number + 1, substr(t.digests, (e.pos & 65535) * 32 + 1, 32)
        FROM event e JOIN tx t ON t.id = e.pos >> 16
        WHERE e.stream = stream.id ORDER BY e.number DESC LIMIT 1
    ) WHERE id IN (SELECT stream FROM event);
";

/// Events where the log has no entry, streams that are not dense from 0, and
/// transactions with an entry of which nothing is said: neither an event nor a
/// finding. Beside rows of which something was found there are such, and where
/// the table was changed or the database truncated.
const WRONG: &str = "
    SELECT (SELECT count(*) FROM event e LEFT JOIN tx t ON t.id = e.pos >> 16
            WHERE t.digests IS NULL OR (e.pos & 65535) * 32 >= length(t.digests))
         + (SELECT count(*) FROM (SELECT 1 FROM event GROUP BY stream
            HAVING min(number) != 0 OR count(*) != max(number) + 1))
         + (SELECT count(*) FROM event WHERE stream NOT IN (SELECT id FROM stream))
         + (SELECT count(*) FROM tx t LEFT JOIN (
                SELECT id, count(*) AS n FROM (
                    SELECT pos >> 16 AS id, pos & 65535 AS entry FROM event
                    UNION SELECT tx, entry FROM finding WHERE entry IS NOT NULL
                ) GROUP BY id
            ) said ON said.id = t.id
            WHERE t.digests IS NOT NULL AND coalesce(said.n, 0) < t.nentries
            AND t.id != (SELECT value FROM meta WHERE name = 'genesis_tx')
            AND NOT EXISTS (SELECT 1 FROM finding f
                WHERE f.tx = t.id AND (f.entry IS NOT NULL
                    OR f.kind IN ('schema_changed', 'truncated'))))
";

impl Index {
    /// Takes what the attached database `own` has of transactions up to
    /// `last` into the empty tables beside a log that ends there. Tells
    /// whether it fits that log; if not, the tables are left empty.
    pub(crate) async fn take_over(conn: &mut SqliteConnection, last: TxId) -> Result<bool> {
        sqlite::begin(conn).await?;
        let taken = take(conn, last).await;
        match taken {
            Ok(true) => Ok(sqlite::finish(conn, Ok(true)).await?),
            other => {
                sqlite::run(conn, "ROLLBACK").await?;
                other
            }
        }
    }
}

async fn take(conn: &mut SqliteConnection, last: TxId) -> Result<bool> {
    let end = Position::end_of(last).raw();
    for (sql, most) in [
        ("INSERT INTO event SELECT pos, stream, number, ext FROM own.event WHERE pos <= ?", end),
        ("INSERT INTO correlation SELECT id, pos FROM own.correlation WHERE pos <= ?", end),
        ("INSERT INTO held SELECT stream, number, pos, reason FROM own.held WHERE pos <= ?", end),
        (
            "INSERT INTO finding SELECT tx, entry, kind, detail FROM own.finding WHERE tx <= ?",
            to_i64(last.get()),
        ),
    ] {
        sqlx::query(sql).bind(most).execute(&mut *conn).await?;
    }
    sqlite::run(conn, STREAMS).await?;
    let wrong: i64 = sqlx::query_scalar(WRONG).fetch_one(&mut *conn).await?;
    Ok(wrong == 0)
}
