//! Whether the index leaves anything out. What it must speak of the log tells:
//! how many entries each transaction has, and which transactions are not
//! accounted for.
//!
//! Every entry of an accounted transaction is an event, or something was found
//! in its place. Of none of its entries anything is said where the transaction
//! created the table, changed it, or wrote the catalog again. A write over a row
//! puts up to two entries in front of the new row that take the old one out of
//! the secondary indexes: of those nothing is said either.

use counterfoil_core::{EntryDigest, Table, TxId};
use sqlx::{Row, SqliteConnection};

use super::lookup::{chosen, of_no_stream};
use super::{Index, Position};
use crate::error::{Error, Result};
use crate::log::Log;
use crate::schema;
use crate::sqlite::{damaged, to_i64, to_u64};
use crate::store::Streams;

/// What is found in the place of an event: of each row that is none exactly one
/// of these.
macro_rules! instead {
    () => {
        "('overwritten', 'deleted', 'repeated_id', 'not_canonical', 'out_of_line')"
    };
}

/// Transactions of which the index does not say as much as they have entries, or
/// does not say that it cannot.
const SUSPECTS: &str = concat!(
    "SELECT t.id FROM tx t WHERE t.id BETWEEN ? AND ? AND ( \
     (t.digests IS NULL) != EXISTS (SELECT 1 FROM finding f \
     WHERE f.tx = t.id AND f.kind IN ('opaque', 'unaccounted')) \
     OR t.digests IS NOT NULL AND t.nentries != \
     (SELECT count(*) FROM event WHERE pos BETWEEN t.id << 16 AND (t.id << 16) + t.nentries - 1) \
     + (SELECT count(*) FROM finding f WHERE f.tx = t.id AND f.kind IN ",
    instead!(),
    ")) ORDER BY t.id LIMIT ?"
);

/// Of which entries of a transaction anything is said, and whether by an event
/// or by a deletion.
const SAID: &str = concat!(
    "SELECT pos & 65535 AS entry, 'event' AS what FROM event WHERE pos BETWEEN ?1 AND ?2 \
     UNION ALL SELECT entry, kind FROM finding WHERE tx = ?3 AND kind IN ",
    instead!(),
    " ORDER BY entry"
);

/// Suspects looked at with one question.
const PAGE: usize = 256;

/// What one entry is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Event,
    /// A row that takes away one that was written before.
    Deletion,
    /// A row that is no event.
    Row,
}

/// What explains entries of which nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Explained {
    /// There are none.
    Whole,
    /// Rows that were written over others.
    Over,
    /// The same, and the new row is an event: the old one is not known.
    OverUnknown,
}

/// Looks at what is said of a transaction's entries, in their order; the first
/// entry of which something should be said and is not, if any.
fn explained(said: &[(u32, Entry)], nentries: u32) -> Result<Explained, u32> {
    let most = schema::INDEXES.len() as u32;
    let (mut next, mut explained) = (0, Explained::Whole);
    for (entry, said) in said {
        let silent = entry.checked_sub(next).ok_or(*entry)?;
        explained = match (silent, said) {
            (0, _) => explained,
            (_, Entry::Deletion) => return Err(next),
            _ if silent > most => return Err(next),
            (_, Entry::Event) => Explained::OverUnknown,
            (_, Entry::Row) if explained == Explained::Whole => Explained::Over,
            (_, Entry::Row) => explained,
        };
        next = entry + 1;
    }
    if next == nentries { Ok(explained) } else { Err(next.min(nentries)) }
}

/// What is known of the table of events.
pub(crate) struct Known {
    pub(crate) table: Option<Table<'static>>,
    /// The transaction that created it.
    pub(crate) genesis: TxId,
}

impl Index {
    /// That transactions `first` to `last` are in the log, and nothing is left
    /// out of any. `whole` says whether the streams were found whole before, and
    /// is set once they are: they are counted only where rows were written over
    /// others.
    ///
    /// That a finding is true, and that it is not there in the place of an
    /// event, nothing but an audit can tell.
    pub(crate) async fn leaves_nothing_out(
        conn: &mut SqliteConnection,
        known: &Known,
        first: TxId,
        last: TxId,
        whole: &mut bool,
    ) -> Result<()> {
        let (mut from, last) = (to_i64(first.get()), to_i64(last.get()));
        if from > last {
            return Ok(());
        }
        let there: i64 = sqlx::query_scalar("SELECT count(*) FROM tx WHERE id BETWEEN ? AND ?")
            .bind(from)
            .bind(last)
            .fetch_one(&mut *conn)
            .await?;
        if there != last - from + 1 {
            return Err(damaged(format!("transactions {first} to {last} are not all in the log")));
        }
        loop {
            let suspects: Vec<i64> = sqlx::query_scalar(SUSPECTS)
                .bind(from)
                .bind(last)
                .bind(PAGE as i64)
                .fetch_all(&mut *conn)
                .await?;
            for id in &suspects {
                let tx = TxId::new(to_u64(*id, "tx.id")?);
                if Self::is_explained(conn, known, tx).await? == Explained::Whole || *whole {
                    continue;
                }
                Self::streams_are_whole(conn).await?;
                *whole = true;
            }
            match suspects.last() {
                Some(last) if suspects.len() == PAGE => from = last + 1,
                _ => return Ok(()),
            }
        }
    }

    async fn is_explained(
        conn: &mut SqliteConnection,
        known: &Known,
        tx: TxId,
    ) -> Result<Explained> {
        let record = Log::records(conn, tx.get(), tx.get()).await?.pop();
        let Some((_, record)) = record else {
            return Err(damaged(format!("transaction {tx} is not in the log")));
        };
        let record = record?;
        let Some(digests) = &record.digests else {
            let what =
                format!("transaction {tx} is not accounted for, and the index does not say so");
            return Err(damaged(what));
        };
        if tx == known.genesis || is_of_catalog(conn, known, tx, digests).await? {
            return Ok(Explained::Whole);
        }
        let said: Vec<(u32, Entry)> = sqlx::query(SAID)
            .bind(Position::new(tx, 0).raw())
            .bind(Position::end_of(tx).raw())
            .bind(to_i64(tx.get()))
            .fetch_all(&mut *conn)
            .await?
            .iter()
            .map(|row| {
                let said = match row.try_get("what")? {
                    "event" => Entry::Event,
                    "deleted" => Entry::Deletion,
                    _ => Entry::Row,
                };
                Ok((row.try_get::<Option<u32>, _>("entry")?.unwrap_or(0), said))
            })
            .collect::<Result<_>>()?;
        let explained = explained(&said, record.nentries);
        match explained {
            Ok(Explained::OverUnknown) if !Self::has_gap(conn, known.genesis, tx).await? => {
                let first = (0..).zip(&said).find(|(at, (entry, _))| at != entry);
                Err(lacking(tx, first.map_or(0, |(at, _)| at)))
            }
            Ok(explained) => Ok(explained),
            Err(entry) => Err(lacking(tx, entry)),
        }
    }

    /// Whether a transaction between two is not accounted for.
    async fn has_gap(conn: &mut SqliteConnection, after: TxId, before: TxId) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM finding \
                   WHERE kind IN ('opaque', 'unaccounted') AND tx > ? AND tx < ?)";
        let found: i64 = sqlx::query_scalar(sql)
            .bind(to_i64(after.get()))
            .bind(to_i64(before.get()))
            .fetch_one(conn)
            .await?;
        Ok(found != 0)
    }

    /// That of no stream an event is missing. Costs as much as there are events.
    async fn streams_are_whole(conn: &mut SqliteConnection) -> Result<()> {
        Self::streams_are_there(conn).await?;
        let short: Option<i64> = sqlx::query_scalar(
            "SELECT s.next FROM stream s WHERE s.next != (SELECT count(*) FROM event \
             WHERE stream = s.id AND number BETWEEN 0 AND s.next - 1) LIMIT 1",
        )
        .fetch_optional(conn)
        .await?;
        match short {
            Some(next) => {
                Err(damaged(format!("of the {next} events of a stream not all are in the index")))
            }
            None => Ok(()),
        }
    }

    /// That no stream is missing. They are numbered as they come, from 1, and
    /// none is ever taken away.
    pub(crate) async fn streams_are_there(conn: &mut SqliteConnection) -> Result<()> {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM stream) AS there, \
             max(coalesce((SELECT max(id) FROM stream), 0), \
             coalesce((SELECT max(stream) FROM event), 0)) AS last",
        )
        .fetch_one(&mut *conn)
        .await?;
        let (there, last): (i64, i64) = (row.try_get("there")?, row.try_get("last")?);
        if there == last {
            return Ok(());
        }
        let event: Option<i64> = sqlx::query_scalar(
            "SELECT min(pos) FROM event WHERE stream NOT IN (SELECT id FROM stream)",
        )
        .fetch_one(conn)
        .await?;
        Err(match event {
            Some(pos) => of_no_stream(Position::from_raw(pos)),
            None => damaged(format!("the index has {there} streams, and numbered {last}")),
        })
    }

    /// That no stream is missing, and those chosen end where their events do.
    pub(crate) async fn streams_end(conn: &mut SqliteConnection, which: &Streams) -> Result<()> {
        Self::streams_are_there(conn).await?;
        let mut query = sqlx::QueryBuilder::<sqlx::Sqlite>::new(
            "SELECT s.root FROM stream s WHERE s.next != \
             coalesce((SELECT max(number) + 1 FROM event WHERE stream = s.id), 0)",
        );
        chosen(&mut query, which);
        query.push(" LIMIT 1");
        match query.build_query_scalar::<Vec<u8>>().fetch_optional(conn).await? {
            Some(root) => {
                let root = String::from_utf8_lossy(&root).into_owned();
                Err(damaged(format!("stream {root:?} does not end where its events do")))
            }
            None => Ok(()),
        }
    }
}

/// Whether all entries of a transaction are of the catalog.
async fn is_of_catalog(
    conn: &mut SqliteConnection,
    known: &Known,
    tx: TxId,
    digests: &[EntryDigest],
) -> Result<bool> {
    let changed: i64 = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM finding WHERE tx = ? AND kind = 'schema_changed')",
    )
    .bind(to_i64(tx.get()))
    .fetch_one(conn)
    .await?;
    let copies = || known.table.as_ref().and_then(schema::catalog_copies);
    Ok(changed != 0 || copies().is_some_and(|copies| copies == digests))
}

fn lacking(tx: TxId, entry: u32) -> Error {
    damaged(format!(
        "the index has neither an event nor a finding for transaction {tx}, entry {entry}"
    ))
}

#[cfg(test)]
mod tests {
    use super::Entry::{Deletion, Event, Row};
    use super::Explained::{Over, OverUnknown, Whole};
    use super::*;

    #[test]
    fn silent_entries_stand_in_front_of_a_row_that_was_written_over_another() {
        assert_eq!(explained(&[(0, Event), (1, Event)], 2), Ok(Whole));
        assert_eq!(explained(&[(0, Deletion), (1, Row)], 2), Ok(Whole));
        for silent in 1..=2 {
            assert_eq!(explained(&[(silent, Row)], silent + 1), Ok(Over));
            assert_eq!(explained(&[(silent, Event)], silent + 1), Ok(OverUnknown));
            assert_eq!(explained(&[(silent, Deletion)], silent + 1), Err(0));
        }
        assert_eq!(explained(&[(2, Row), (5, Event), (6, Row)], 7), Ok(OverUnknown));
        assert_eq!(explained(&[(2, Event), (5, Row)], 6), Ok(OverUnknown));
        // Too many, at the end, or of all.
        assert_eq!(explained(&[(0, Event), (4, Row)], 5), Err(1));
        assert_eq!(explained(&[(0, Event), (1, Row)], 3), Err(2));
        assert_eq!(explained(&[], 1), Err(0));
        // Said twice, or of what is not there.
        assert_eq!(explained(&[(0, Event), (0, Row)], 2), Err(0));
        assert_eq!(explained(&[(0, Event), (1, Row)], 1), Err(1));
    }
}
