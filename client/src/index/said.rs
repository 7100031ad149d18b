//! What the tables of an index say, summed up.

use counterfoil_core::TxId;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::{Names, Position, Said, StreamName, Sum, put_stream};
use crate::sqlite::to_i64;
use crate::verdict::FindingKind;

const EVENTS: &str = "
    SELECT e.pos, e.number, e.ext, s.domain, s.edition, s.root
    FROM event e LEFT JOIN stream s ON s.id = e.stream WHERE e.pos > ? AND e.pos <= ?
";

/// The same by what events are looked up in, in its order.
const BY_NUMBER: &str = "
    SELECT e.stream, e.number, e.pos, s.domain, s.edition, s.root
    FROM event e INDEXED BY sqlite_autoindex_event_1 LEFT JOIN stream s ON s.id = e.stream
    ORDER BY e.stream, e.number
";
const BY_EXT: &str = "
    SELECT ext, pos FROM event INDEXED BY sqlite_autoindex_event_2 ORDER BY ext
";

const CORRELATED: &str = "SELECT pos, id FROM correlation WHERE pos > ? AND pos <= ?";

const HELD: &str = "
    SELECT h.pos, h.number, s.domain, s.edition, s.root
    FROM held h LEFT JOIN stream s ON s.id = h.stream WHERE h.pos > ? AND h.pos <= ?
";

const FINDINGS: &str = "SELECT tx, entry, kind FROM finding WHERE tx > ? AND tx <= ?";

/// The sum of the events, if they are in the table and in its indexes alike, and
/// these in their order.
fn events(
    conn: &Connection,
    names: &mut Names,
    (after, last): (i64, i64),
) -> rusqlite::Result<Option<Sum>> {
    let (mut numbered, mut identified) = (Sum::default(), Sum::default());
    let mut key = Key::default();
    let mut statement = conn.prepare(EVENTS)?;
    let mut rows = statement.query((after, last))?;
    while let Some(row) = rows.next()? {
        let (pos, number) = (Position::from_raw(row.get(0)?), row.get::<_, i64>(1));
        let (Ok(number), ValueRef::Blob(ext)) = (number, row.get_ref(2)?) else { return Ok(None) };
        let (Ok(ext), Some(stream)) = (ext.try_into(), key.name(names, row, 3)?) else {
            return Ok(None);
        };
        let number = number.cast_unsigned();
        names.add(&mut numbered, &Said::Numbered { pos, stream, number });
        names.add(&mut identified, &Said::Identified { pos, ext });
    }
    let mut by_number = Sum::default();
    let mut statement = conn.prepare(BY_NUMBER)?;
    let mut rows = statement.query(())?;
    let mut before = None;
    while let Some(row) = rows.next()? {
        let (Ok(id), Ok(number), Ok(pos), Some(stream)) =
            (row.get::<_, i64>(0), row.get::<_, i64>(1), row.get(2), key.name(names, row, 3)?)
        else {
            return Ok(None);
        };
        if before.replace((id, number)) >= Some((id, number)) {
            return Ok(None);
        }
        if after < pos && pos <= last {
            let (pos, number) = (Position::from_raw(pos), number.cast_unsigned());
            names.add(&mut by_number, &Said::Numbered { pos, stream, number });
        }
    }
    let mut by_ext = Sum::default();
    let mut statement = conn.prepare(BY_EXT)?;
    let mut rows = statement.query(())?;
    let mut before = None;
    while let Some(row) = rows.next()? {
        let (ValueRef::Blob(ext), Ok(pos)) = (row.get_ref(0)?, row.get(1)) else { return Ok(None) };
        let Ok(ext) = <&[u8; 32]>::try_from(ext) else { return Ok(None) };
        if before.replace(*ext) >= Some(*ext) {
            return Ok(None);
        }
        if after < pos && pos <= last {
            names.add(&mut by_ext, &Said::Identified { pos: Position::from_raw(pos), ext });
        }
    }
    let alike = by_number == numbered && by_ext == identified;
    Ok(alike.then(|| numbered.and(identified)))
}

/// The sum of what is said about transactions behind `after`, up to `last`.
/// `None` if a row says nothing that any index says, or SQLite looks events up
/// in what is not the table.
pub(crate) fn sum(
    conn: &Connection,
    names: &mut Names,
    after: TxId,
    last: TxId,
) -> rusqlite::Result<Option<Sum>> {
    let places = (Position::end_of(after).raw(), Position::end_of(last).raw());
    let Some(mut sum) = events(conn, names, places)? else { return Ok(None) };
    let mut key = Key::default();
    let mut statement = conn.prepare(CORRELATED)?;
    let mut rows = statement.query(places)?;
    while let Some(row) = rows.next()? {
        let (Ok(pos), Ok(id)) = (row.get(0), row.get(1)) else { return Ok(None) };
        names.add(&mut sum, &Said::Correlated { pos: Position::from_raw(pos), id });
    }
    let mut statement = conn.prepare(HELD)?;
    let mut rows = statement.query(places)?;
    while let Some(row) = rows.next()? {
        let (Ok(pos), Ok(number), Some(stream)) =
            (row.get(0), row.get(1), key.name(names, row, 2)?)
        else {
            return Ok(None);
        };
        names.add(&mut sum, &Said::Held { pos: Position::from_raw(pos), stream, number });
    }
    let mut statement = conn.prepare(FINDINGS)?;
    let mut rows = statement.query((to_i64(after.get()), to_i64(last.get())))?;
    while let Some(row) = rows.next()? {
        let (Ok(tx), Ok(entry), ValueRef::Text(kind)) =
            (row.get::<_, i64>(0), row.get(1), row.get_ref(2)?)
        else {
            return Ok(None);
        };
        let known = FindingKind::ALL.into_iter().find(|known| known.as_str().as_bytes() == kind);
        let Some(kind) = known else { return Ok(None) };
        names.add(&mut sum, &Said::Found { tx: tx.cast_unsigned(), entry, kind });
    }
    Ok(Some(sum))
}

/// Room for a stream's key.
#[derive(Default)]
struct Key(Vec<u8>);

impl Key {
    /// The name of the stream whose key begins in this column.
    fn name(
        &mut self,
        names: &mut Names,
        row: &rusqlite::Row<'_>,
        column: usize,
    ) -> rusqlite::Result<Option<StreamName>> {
        let mut parts = [&[][..]; 3];
        for (part, column) in parts.iter_mut().zip(column..) {
            let ValueRef::Blob(bytes) = row.get_ref(column)? else { return Ok(None) };
            *part = bytes;
        }
        put_stream(parts, &mut self.0);
        Ok(Some(names.stream(&self.0)))
    }
}
