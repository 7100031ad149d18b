//! Questions to the index.

#[cfg(feature = "immudb")]
use std::collections::HashSet;

use counterfoil_core::TxId;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::{Index, Position, StreamKey, StreamState};
use crate::error::{Error, Result};
use crate::row::StoredRow;
use crate::sqlite::{self, damaged, to_i64, to_u64};
use crate::store::Streams;
use crate::verdict::{Finding, FindingKind};

/// A stream, as far as the index goes.
#[derive(Debug, Clone)]
pub(crate) struct StreamInfo {
    pub(crate) id: i64,
    /// The next event's number.
    pub(crate) next: u64,
    /// The last event's digest, zeros if there is none.
    pub(crate) head: [u8; 32],
    /// Who holds the next event's key, if anybody does.
    pub(crate) held: Option<Held>,
    /// Whether any key of the stream is held.
    any_held: bool,
}

/// A row that stands on a key without being its event.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) pos: Position,
    pub(crate) reason: String,
}

/// Where an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventAt {
    pub(crate) pos: Position,
    pub(crate) key: StreamKey,
    pub(crate) number: u64,
}

impl EventAt {
    /// Whether the row stands on this event's key.
    pub(crate) fn is_of(&self, row: &StoredRow) -> bool {
        self.key.is_of(row) && u64::try_from(row.event_number) == Ok(self.number)
    }
}

impl Index {
    /// A stream that is remembered and needs no look into the tables.
    pub(crate) fn remembered(&self, key: &StreamKey) -> Option<StreamInfo> {
        let stream = self.streams.get(key).filter(|stream| !stream.any_held)?;
        let StreamState { id, next, head, .. } = *stream;
        Some(StreamInfo { id, next, head, held: None, any_held: false })
    }

    /// A stream; one without events is all zeros.
    pub(crate) async fn stream_info(
        conn: &mut SqliteConnection,
        key: &StreamKey,
    ) -> Result<StreamInfo> {
        let row = sqlx::query(
            "SELECT s.id, s.next, s.head, h.pos, h.reason, \
             EXISTS (SELECT 1 FROM held WHERE stream = s.id) AS any_held FROM stream s \
             LEFT JOIN held h ON h.stream = s.id AND h.number = s.next \
             WHERE s.edition = ? AND s.domain = ? AND s.root = ?",
        )
        .bind(&key.edition)
        .bind(&key.domain)
        .bind(&key.root)
        .fetch_optional(conn)
        .await?;
        let Some(row) = row else {
            return Ok(StreamInfo { id: 0, next: 0, head: [0; 32], held: None, any_held: false });
        };
        let held = match row.try_get::<Option<i64>, _>("pos")? {
            Some(pos) => {
                Some(Held { pos: Position::from_raw(pos), reason: row.try_get("reason")? })
            }
            None => None,
        };
        Ok(StreamInfo {
            id: row.try_get("id")?,
            next: to_u64(row.try_get("next")?, "stream.next")?,
            head: sqlite::hash(&row, "head")?,
            held,
            any_held: row.try_get::<i64, _>("any_held")? != 0,
        })
    }

    /// Who holds the first of the keys `first` to `first + count - 1` of a
    /// stream that anybody holds, and its number.
    pub(crate) async fn held_within(
        conn: &mut SqliteConnection,
        stream: &StreamInfo,
        first: u64,
        count: u64,
    ) -> Result<Option<(u64, Held)>> {
        if !stream.any_held {
            return Ok(None);
        }
        let row = sqlx::query(
            "SELECT number, pos, reason FROM held WHERE stream = ? AND number >= ? AND number < ? \
             ORDER BY number LIMIT 1",
        )
        .bind(stream.id)
        .bind(to_i64(first))
        .bind(to_i64(first.saturating_add(count)))
        .fetch_optional(conn)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let pos = Position::from_raw(row.try_get("pos")?);
        let number = to_u64(row.try_get("number")?, "held.number")?;
        Ok(Some((number, Held { pos, reason: row.try_get("reason")? })))
    }

    /// Positions of events `first` to `last` of a stream, at most `limit`, in
    /// the order asked for: all that the stream has of them. Its events are
    /// dense from 0, whatever else stands on its keys, so an index that lacks
    /// one is damaged, and not the answer that there is none.
    pub(crate) async fn events(
        conn: &mut SqliteConnection,
        stream: &StreamInfo,
        first: u64,
        last: u64,
        limit: u64,
        backward: bool,
    ) -> Result<Vec<(u64, Position)>> {
        let sql = if backward {
            "SELECT number, pos FROM event WHERE stream = ? AND number BETWEEN ? AND ? \
             ORDER BY number DESC LIMIT ?"
        } else {
            "SELECT number, pos FROM event WHERE stream = ? AND number BETWEEN ? AND ? \
             ORDER BY number LIMIT ?"
        };
        let found = sqlx::query(sql)
            .bind(stream.id)
            .bind(to_i64(first))
            .bind(to_i64(last))
            .bind(to_i64(limit))
            .fetch_all(conn)
            .await?
            .iter()
            .map(|row| {
                let number = to_u64(row.try_get("number")?, "event.number")?;
                Ok((number, Position::from_raw(row.try_get("pos")?)))
            })
            .collect::<Result<Vec<_>>>()?;
        let end = stream.next.min(last.saturating_add(1));
        let there = end.saturating_sub(first).min(limit);
        let number = |place: u64| if backward { end - 1 - place } else { first + place };
        let mut numbers = found.iter().map(|(number, _)| *number);
        match (0..there).map(number).find(|number| numbers.next() != Some(*number)) {
            Some(lacking) => Err(damaged(format!(
                "event {lacking} of a stream of {} is not in the index",
                stream.next
            ))),
            None if numbers.next().is_some() => Err(damaged(format!(
                "the index has more than the {} events of a stream",
                stream.next
            ))),
            None => Ok(found),
        }
    }

    /// Events of the streams chosen after `after`, in ledger order, which is
    /// that of the table that is joined to.
    ///
    /// An event of no stream could be of any: it is an error and not left out.
    pub(crate) async fn events_after(
        conn: &mut SqliteConnection,
        which: &Streams,
        after: Position,
        limit: u64,
    ) -> Result<Vec<EventAt>> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT e.pos, e.number, s.domain, s.edition, s.root \
             FROM event e LEFT JOIN stream s ON s.id = e.stream WHERE e.pos > ",
        );
        query.push_bind(after.raw());
        chosen_or_lost(&mut query, which);
        query.push(" ORDER BY e.pos LIMIT ").push_bind(to_i64(limit));
        query.build().fetch_all(conn).await?.iter().map(event_at).collect()
    }

    /// Transactions not accounted for that do not end at or before `after`, in
    /// ledger order.
    pub(crate) async fn gaps_after(
        conn: &mut SqliteConnection,
        after: Position,
        limit: u64,
    ) -> Result<Vec<(TxId, FindingKind)>> {
        let passed = after >= Position::end_of(after.tx());
        sqlx::query(
            "SELECT tx, max(kind = 'opaque') AS opaque FROM finding \
             WHERE kind IN ('opaque', 'unaccounted') AND tx >= ? GROUP BY tx ORDER BY tx LIMIT ?",
        )
        .bind(to_i64(after.tx().get()).saturating_add(i64::from(passed)))
        .bind(to_i64(limit))
        .fetch_all(conn)
        .await?
        .iter()
        .map(|row| {
            let opaque = row.try_get::<i64, _>("opaque")? != 0;
            let kind = if opaque { FindingKind::Opaque } else { FindingKind::Unaccounted };
            Ok((TxId::new(to_u64(row.try_get("tx")?, "finding.tx")?), kind))
        })
        .collect()
    }

    /// Events of the streams chosen after `after`, in ledger order, that may
    /// carry this correlation id. An id without its event, or of no stream, is an error.
    pub(crate) async fn correlated(
        conn: &mut SqliteConnection,
        correlation_id: &str,
        which: &Streams,
        after: Position,
        limit: u64,
    ) -> Result<Vec<EventAt>> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT c.pos, e.number, s.domain, s.edition, s.root FROM correlation c \
             LEFT JOIN event e ON e.pos = c.pos LEFT JOIN stream s ON s.id = e.stream \
             WHERE c.id = ",
        );
        query.push_bind(super::correlation(correlation_id));
        query.push(" AND c.pos > ").push_bind(after.raw());
        chosen_or_lost(&mut query, which);
        query.push(" ORDER BY c.pos LIMIT ").push_bind(to_i64(limit));
        query.build().fetch_all(conn).await?.iter().map(event_at).collect()
    }

    /// The streams chosen that have events, sorted, each with its next number.
    pub(crate) async fn streams(
        conn: &mut SqliteConnection,
        which: &Streams,
    ) -> Result<Vec<(StreamKey, u64)>> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT s.domain, s.edition, s.root, s.next FROM stream s WHERE s.next > 0",
        );
        chosen(&mut query, which);
        query.push(" ORDER BY s.edition, s.domain, s.root");
        let rows = query.build().fetch_all(conn).await?;
        rows.iter()
            .map(|row| Ok((key(row)?, to_u64(row.try_get("next")?, "stream.next")?)))
            .collect()
    }

    /// The event with this id.
    pub(crate) async fn by_ext(
        conn: &mut SqliteConnection,
        ext: &[u8; 32],
    ) -> Result<Option<EventAt>> {
        let row = sqlx::query(
            "SELECT e.pos, e.number, s.domain, s.edition, s.root \
             FROM event e LEFT JOIN stream s ON s.id = e.stream WHERE e.ext = ?",
        )
        .bind(&ext[..])
        .fetch_optional(conn)
        .await?;
        row.as_ref().map(event_at).transpose()
    }

    /// The places of the events that a transaction holds.
    #[cfg(feature = "immudb")]
    pub(crate) async fn events_of(
        conn: &mut SqliteConnection,
        tx: TxId,
    ) -> Result<HashSet<Position>> {
        let places: Vec<i64> =
            sqlx::query_scalar("SELECT pos FROM event WHERE pos BETWEEN ? AND ?")
                .bind(Position::new(tx, 0).raw())
                .bind(Position::end_of(tx).raw())
                .fetch_all(conn)
                .await?;
        Ok(places.into_iter().map(Position::from_raw).collect())
    }

    /// Domains that have events in an edition, sorted.
    pub(crate) async fn domains(
        conn: &mut SqliteConnection,
        edition: &str,
    ) -> Result<Vec<Vec<u8>>> {
        Ok(sqlx::query_scalar(
            "SELECT DISTINCT domain FROM stream WHERE edition = ? AND next > 0 ORDER BY domain",
        )
        .bind(edition.as_bytes())
        .fetch_all(conn)
        .await?)
    }

    /// Roots that have events in a domain and edition, sorted.
    pub(crate) async fn roots(
        conn: &mut SqliteConnection,
        domain: &str,
        edition: &str,
    ) -> Result<Vec<Vec<u8>>> {
        Ok(sqlx::query_scalar(
            "SELECT root FROM stream WHERE edition = ? AND domain = ? AND next > 0 ORDER BY root",
        )
        .bind(edition.as_bytes())
        .bind(domain.as_bytes())
        .fetch_all(conn)
        .await?)
    }

    /// Everything noteworthy, in ledger order.
    pub(crate) async fn findings(conn: &mut SqliteConnection) -> Result<Vec<Finding>> {
        Self::first_findings(conn, i64::MAX).await
    }

    /// The first of them.
    pub(crate) async fn first_findings(
        conn: &mut SqliteConnection,
        most: i64,
    ) -> Result<Vec<Finding>> {
        sqlx::query("SELECT tx, entry, kind, detail FROM finding ORDER BY tx, entry LIMIT ?")
            .bind(most)
            .fetch_all(conn)
            .await?
            .iter()
            .map(finding)
            .collect()
    }

    /// Those about transactions `first` to `last`.
    pub(crate) async fn findings_within(
        conn: &mut SqliteConnection,
        first: u64,
        last: u64,
    ) -> Result<Vec<Finding>> {
        sqlx::query(
            "SELECT tx, entry, kind, detail FROM finding WHERE tx BETWEEN ? AND ? \
             ORDER BY tx, entry",
        )
        .bind(to_i64(first))
        .bind(to_i64(last))
        .fetch_all(conn)
        .await?
        .iter()
        .map(finding)
        .collect()
    }
}

fn finding(row: &SqliteRow) -> Result<Finding> {
    let name: String = row.try_get("kind")?;
    let kind = FindingKind::ALL.into_iter().find(|kind| kind.as_str() == name);
    Ok(Finding {
        tx: TxId::new(to_u64(row.try_get("tx")?, "finding.tx")?),
        entry: row.try_get::<Option<u32>, _>("entry")?,
        kind: kind.ok_or_else(|| damaged("unknown kind of finding"))?,
        detail: row.try_get("detail")?,
    })
}

/// A row of an event and its stream, joined so that either may be lacking.
fn event_at(row: &SqliteRow) -> Result<EventAt> {
    let pos = Position::from_raw(row.try_get("pos")?);
    let (tx, entry) = (pos.tx(), pos.entry());
    let Some(number) = row.try_get::<Option<i64>, _>("number")? else {
        return Err(damaged(format!(
            "the index lacks the event of transaction {tx}, entry {entry}"
        )));
    };
    if row.try_get::<Option<Vec<u8>>, _>("domain")?.is_none() {
        return Err(of_no_stream(pos));
    }
    Ok(EventAt { pos, number: to_u64(number, "event.number")?, key: key(row)? })
}

pub(super) fn of_no_stream(pos: Position) -> Error {
    let (tx, entry) = (pos.tx(), pos.entry());
    damaged(format!("the index lacks the stream of the event of transaction {tx}, entry {entry}"))
}

fn key(row: &SqliteRow) -> Result<StreamKey> {
    Ok(StreamKey {
        domain: row.try_get("domain")?,
        edition: row.try_get("edition")?,
        root: row.try_get("root")?,
    })
}

/// Leaves of what is joined to the streams `s` only what is of those chosen, or
/// of none.
fn chosen_or_lost(query: &mut QueryBuilder<Sqlite>, which: &Streams) {
    query.push(" AND (s.id IS NULL OR (TRUE");
    chosen(query, which);
    query.push("))");
}

/// Leaves of the streams `s` only those chosen.
pub(super) fn chosen(query: &mut QueryBuilder<Sqlite>, which: &Streams) {
    if let Some(domain) = &which.domain {
        query.push(" AND s.domain = ").push_bind(domain.as_bytes().to_vec());
    }
    if let Some(edition) = &which.edition {
        query.push(" AND s.edition = ").push_bind(edition.as_str().as_bytes().to_vec());
    }
    if let Some(root) = &which.root {
        query.push(" AND s.root = ").push_bind(root.as_slice().to_vec());
    }
}
