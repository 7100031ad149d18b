//! Reads a ledger file from one end to the other, and this client's own log
//! beside it, ahead of whoever looks at it, in a thread of its own.
//!
//! Nothing hangs on it but time: what it does not bring, or brings otherwise
//! than it should be, is looked up again.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::mpsc as blocking;
use std::thread;

use counterfoil_core::{Alh, TxId};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Statement};
use tokio::sync::mpsc;

use super::super::file::value;
use super::chunk::{Chunk, OwnTx, PlainTx, Row, Tx};
use crate::index::Position;
use crate::sqlite::{self, to_i64};

/// Transactions read at once, and bytes of rows at which it is enough.
const MOST_TXS: u64 = 1024;
const ENOUGH: usize = 512 << 10;

/// Chunks that are read ahead.
const AHEAD: usize = 4;

/// A file to read: one that does not change, or one that somebody may write.
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) unchanging: bool,
}

pub(crate) struct Scan {
    chunks: mpsc::Receiver<rusqlite::Result<Chunk>>,
    used: blocking::Sender<Chunk>,
}

impl Scan {
    /// Begins to read transactions `first` to `last`.
    pub(super) fn begin(ledger: Place, own: Option<PathBuf>, first: u64, last: u64) -> Self {
        let (send, chunks) = mpsc::channel(AHEAD);
        let (used, free) = blocking::channel();
        let reader = move || {
            let sent = read(&ledger, own.as_deref(), first, last, &mut |chunk| {
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

    /// Reads no more. The files are closed when this returns.
    pub(crate) async fn end(mut self) {
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
    own: Option<&Path>,
    mut first: u64,
    last: u64,
    take: &mut dyn FnMut(Chunk) -> Option<Chunk>,
) -> rusqlite::Result<()> {
    let conn = open(&ledger.path, ledger.unchanging)?;
    let mut txs = conn.prepare(
        "SELECT id, ts, nentries, alh FROM ledger_tx WHERE id BETWEEN ? AND ? ORDER BY id",
    )?;
    let mut rows = conn.prepare(concat!(
        "SELECT pos, ",
        value!("NULL"),
        " FROM ledger_row WHERE pos BETWEEN ? AND ? ORDER BY pos"
    ))?;
    let own = own.map(|own| open(own, false));
    let mut own = own.as_ref().map(|own| {
        own.as_ref()
            .ok()?
            .prepare(
                "SELECT id, ts, nentries, alh, eh, digests, odd, opaque FROM tx \
             WHERE id BETWEEN ? AND ? ORDER BY id",
            )
            .ok()
    });
    let mut chunk = Chunk::default();
    while first <= last {
        chunk.begin(first, last.min(first.saturating_add(MOST_TXS - 1)));
        read_rows(&mut rows, &mut chunk)?;
        read_txs(&mut txs, &mut chunk)?;
        if let Some(own) = &mut own {
            let read = own.as_mut().is_some_and(|own| read_own(own, &mut chunk).is_ok());
            chunk.own_failed = !read;
        }
        first = chunk.last + 1;
        match take(chunk) {
            Some(free) => chunk = free,
            None => break,
        }
    }
    Ok(())
}

/// For reading alone.
pub(crate) fn open(path: &Path, unchanging: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = match unchanging {
        false => Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_WRITE)?,
        true => {
            let flags = flags | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(sqlite::immutable(path), flags)?
        }
    };
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

/// The rows of the chunk's transactions, until there are enough: then the
/// chunk ends before the transaction whose row comes next.
fn read_rows(statement: &mut Statement<'_>, chunk: &mut Chunk) -> rusqlite::Result<()> {
    let from = Position::new(TxId::new(chunk.first), 0).raw();
    let mut rows = statement.query((from, Position::end_of(TxId::new(chunk.last)).raw()))?;
    let mut tx = chunk.first;
    let mut before = from.checked_sub(1);
    while let Some(row) = rows.next()? {
        let pos: i64 = row.get(0)?;
        if before >= Some(pos) {
            chunk.disordered = true;
            continue;
        }
        before = Some(pos);
        let here = Position::from_raw(pos).tx().get();
        if here != tx && chunk.values.len() >= ENOUGH {
            chunk.last = here - 1;
            break;
        }
        tx = here;
        let value = match row.get_ref(1)? {
            ValueRef::Blob(value) => Some(put(&mut chunk.values, value)),
            _ => None,
        };
        chunk.rows.push(Row { pos, value });
    }
    Ok(())
}

fn read_txs(statement: &mut Statement<'_>, chunk: &mut Chunk) -> rusqlite::Result<()> {
    let mut rows = statement.query((to_i64(chunk.first), to_i64(chunk.last)))?;
    let mut before = None;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        chunk.disordered |= before >= Some(id);
        before = Some(id);
        if let (ValueRef::Integer(ts), ValueRef::Integer(nentries), Some(alh)) =
            (row.get_ref(1)?, row.get_ref(2)?, hash(row.get_ref(3)?))
        {
            chunk.txs.push(Tx { id: id.cast_unsigned(), ts, nentries, alh: Alh::new(alh) });
        }
    }
    Ok(())
}

fn read_own(statement: &mut Statement<'_>, chunk: &mut Chunk) -> rusqlite::Result<()> {
    let mut rows = statement.query((to_i64(chunk.first), to_i64(chunk.last)))?;
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
        chunk.own.push(OwnTx { id: id.cast_unsigned(), plain });
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
