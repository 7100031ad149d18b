//! Reads a ledger file from one end to the other, and this client's own log
//! beside it, ahead of whoever looks at it, in a thread of its own.
//!
//! Nothing hangs on it but time: what it does not bring, or brings otherwise
//! than it should be, is looked up again.

use std::ops::Range;
use std::sync::mpsc as blocking;
use std::thread;

use counterfoil_core::{Alh, TxId};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tokio::sync::mpsc;

use super::super::file::value;
use super::checked::{Checked, Place, Why};
use super::chunk::{Chunk, OwnTx, PlainTx, Row, Tx};
use crate::index::Position;
use crate::sqlite::to_i64;

/// Transactions read at once, and bytes of rows or of the own log's digests,
/// and rows, at which it is enough. The last transaction comes on top of that.
const MOST_TXS: u64 = 1024;
const ENOUGH: usize = 512 << 10;
const ENOUGH_ROWS: usize = 16_384;

/// One with more bytes than this is not read ahead, but alone, as it is looked
/// at closely: none that this crate writes (7 MiB). So no chunk is much more,
/// and few are held at a time: one that is read, those ahead, and one that is
/// looked at.
pub(super) const MOST: usize = 8 << 20;

/// Chunks that are read ahead.
const AHEAD: usize = 4;

pub(crate) struct Scan {
    chunks: mpsc::Receiver<Result<Chunk, Why>>,
    used: blocking::Sender<Chunk>,
}

impl Scan {
    /// Begins to read transactions `first` to `last`.
    pub(super) fn begin(ledger: Place, own: Option<Place>, first: u64, last: u64) -> Self {
        let (send, chunks) = mpsc::channel(AHEAD);
        let (used, free) = blocking::channel();
        let reader = move || {
            let sent = read(&ledger, own.as_ref(), first, last, &mut |chunk| {
                let sent = send.blocking_send(Ok(chunk)).is_ok();
                sent.then(|| free.try_recv().unwrap_or_default())
            });
            if let Err(error) = sent {
                let _ = send.blocking_send(Err(error));
            }
        };
        if let Err(error) = thread::Builder::new().name("audit".into()).spawn(reader) {
            tracing::warn!(%error, "no thread reads ahead");
        }
        Self { chunks, used }
    }

    /// The next part; `None` behind the last one, or where no more can be
    /// read.
    pub(crate) async fn next(&mut self) -> Option<Chunk> {
        match self.chunks.recv().await? {
            Ok(chunk) => Some(chunk),
            Err(error) => {
                tracing::warn!(%error, "the ledger is read on transaction by transaction");
                None
            }
        }
    }

    /// Reads no more, and brings no more. The files are closed when this
    /// returns.
    pub(crate) async fn end(&mut self) {
        self.chunks.close();
        while self.chunks.recv().await.is_some() {}
    }

    /// Gives back a part that was looked at.
    pub(crate) fn done(&self, chunk: Chunk) {
        let _ = self.used.send(chunk);
    }
}

/// Reads part after part until `take` gives no more room for one.
fn read(
    ledger: &Place,
    own: Option<&Place>,
    mut first: u64,
    last: u64,
    take: &mut dyn FnMut(Chunk) -> Option<Chunk>,
) -> Result<(), Why> {
    let mut ledger = Checked::open(ledger)?;
    let has_own = own.is_some();
    let mut own = own.and_then(|own| Checked::open(own).ok());
    let mut chunk = Chunk::default();
    while first <= last {
        chunk.begin(first, last.min(first.saturating_add(MOST_TXS - 1)));
        ledger.as_of_one_moment(|conn| {
            read_rows(conn, &mut chunk)?;
            read_txs(conn, &mut chunk)
        })?;
        if let Some(log) = &mut own
            && let Err(error) = log.as_of_one_moment(|conn| read_own(conn, &mut chunk))
        {
            tracing::warn!(%error, "this client's log is compared transaction by transaction");
            own = None;
        }
        chunk.own_failed = has_own && own.is_none();
        first = chunk.last + 1;
        match take(chunk) {
            Some(free) => chunk = free,
            None => break,
        }
    }
    Ok(())
}

/// The rows of the chunk's transactions, until there are enough: then the
/// chunk ends before the transaction whose row comes next.
fn read_rows(conn: &Connection, chunk: &mut Chunk) -> rusqlite::Result<()> {
    let mut statement = conn.prepare(concat!(
        "SELECT pos, ",
        value!("NULL"),
        " FROM ledger_row WHERE pos BETWEEN ? AND ? ORDER BY pos"
    ))?;
    let from = Position::new(TxId::new(chunk.first), 0).raw();
    let mut rows = statement.query((from, Position::end_of(TxId::new(chunk.last)).raw()))?;
    let mut tx = chunk.first;
    let mut before = from.checked_sub(1);
    while let Some(row) = rows.next()? {
        let pos: i64 = row.get(0)?;
        if before >= Some(pos) {
            // Pages can hang together so that this never ends.
            chunk.left = true;
            break;
        }
        before = Some(pos);
        let here = Position::from_raw(pos).tx().get();
        let is_enough = chunk.values.len() >= ENOUGH || chunk.rows.len() >= ENOUGH_ROWS;
        if here != tx && is_enough {
            chunk.last = here - 1;
            break;
        }
        tx = here;
        if chunk.values.len() > MOST {
            // Of what comes before it there is less than enough.
            (chunk.last, chunk.left) = (tx.max(chunk.first + 1) - 1, tx == chunk.first);
            break;
        }
        let value = match row.get_ref(1)? {
            ValueRef::Blob(value) => Some(put(&mut chunk.values, value)),
            _ => None,
        };
        chunk.rows.push(Row { pos, value });
    }
    Ok(())
}

fn read_txs(conn: &Connection, chunk: &mut Chunk) -> rusqlite::Result<()> {
    let mut statement = conn.prepare(
        "SELECT id, ts, nentries, alh FROM ledger_tx WHERE id BETWEEN ? AND ? ORDER BY id",
    )?;
    let mut rows = statement.query((to_i64(chunk.first), to_i64(chunk.last)))?;
    let mut before = None;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if before >= Some(id) {
            chunk.left = true;
            break;
        }
        before = Some(id);
        if let (ValueRef::Integer(ts), ValueRef::Integer(nentries), Some(alh)) =
            (row.get_ref(1)?, row.get_ref(2)?, hash(row.get_ref(3)?))
        {
            chunk.txs.push(Tx { id: id.cast_unsigned(), ts, nentries, alh: Alh::new(alh) });
        }
    }
    Ok(())
}

/// What the own log has of them, until there are digests enough: then the
/// chunk ends with that transaction.
fn read_own(conn: &Connection, chunk: &mut Chunk) -> rusqlite::Result<()> {
    let mut statement = conn.prepare(
        "SELECT id, ts, nentries, alh, eh, digests, odd, opaque FROM tx \
         WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?",
    )?;
    let (first, last) = (to_i64(chunk.first), to_i64(chunk.last));
    let mut rows = statement.query((first, last, to_i64(MOST_TXS)))?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let plain = match (
            (row.get_ref(1)?, row.get_ref(2)?, hash(row.get_ref(3)?)),
            row.get_ref(4)?,
            (row.get_ref(5)?, row.get_ref(6)?, row.get_ref(7)?),
        ) {
            (
                (ValueRef::Integer(ts), ValueRef::Integer(nentries), Some(alh)),
                eh,
                (ValueRef::Blob(digests), ValueRef::Null, ValueRef::Integer(0)),
            ) if eh == ValueRef::Null || hash(eh).is_some() => {
                let digests = put(&mut chunk.digests, digests);
                Some(PlainTx { ts, nentries, alh, eh: hash(eh), digests })
            }
            _ => None,
        };
        let id = id.cast_unsigned();
        chunk.own.push(OwnTx { id, plain });
        if chunk.digests.len() >= ENOUGH {
            chunk.last = id.clamp(chunk.first, chunk.last);
            break;
        }
    }
    Ok(())
}

/// Puts bytes behind those that are there, and says where.
fn put(all: &mut Vec<u8>, bytes: &[u8]) -> Range<usize> {
    let begin = all.len();
    all.extend_from_slice(bytes);
    begin..all.len()
}

fn hash(value: ValueRef<'_>) -> Option<[u8; 32]> {
    match value {
        ValueRef::Blob(bytes) => bytes.try_into().ok(),
        _ => None,
    }
}
