//! Which row is which event: derived from the rows of accounted transactions,
//! in ledger order, and therefore the same for everybody who has them.

mod claims;
pub(crate) mod classify;
mod differences;
mod lookup;
mod memory;
mod names;
#[cfg(feature = "immudb")]
mod rederive;
pub(crate) mod rules;
mod said;
mod taken;
mod whole;

use std::collections::HashMap;

use counterfoil_core::{Alh, EntryDigest, TxId};
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

pub(crate) use self::claims::Gaps;
pub(crate) use self::classify::{record_finding, seen_before};
pub(crate) use self::differences::{Compared, Difference};
pub(crate) use self::lookup::{EventAt, Held, StreamInfo};
pub(crate) use self::memory::{MemoryIndex, PlacedRow, put_stream};
pub(crate) use self::names::{Names, Said, StreamName, Sum};
use self::rules::{BySomebody, Claim};
pub(crate) use self::said::sum;
pub(crate) use self::whole::Known;
use crate::author::Signed;
use crate::error::Result;
use crate::payloads::erasure::Outside;
use crate::row::StoredRow;
use crate::sqlite;

/// `event` holds what counts; `held` the rows that stand on a stream's key
/// without being its event; `stream.next` is the number of events and
/// `stream.head` the last one's digest. `correlation` has a row for each event
/// that carries a correlation id, under a short hash of it. `acknowledged` is
/// what the configuration says, and gone with the connection.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS stream (
        id INTEGER PRIMARY KEY,
        domain BLOB NOT NULL,
        edition BLOB NOT NULL,
        root BLOB NOT NULL,
        next INTEGER NOT NULL,
        head BLOB NOT NULL,
        UNIQUE (edition, domain, root)
    );
    CREATE TABLE IF NOT EXISTS event (
        pos INTEGER PRIMARY KEY,
        stream INTEGER NOT NULL,
        number INTEGER NOT NULL,
        ext BLOB NOT NULL,
        UNIQUE (stream, number),
        UNIQUE (ext)
    );
    CREATE TABLE IF NOT EXISTS correlation (
        id INTEGER NOT NULL,
        pos INTEGER NOT NULL,
        PRIMARY KEY (id, pos)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS held (
        stream INTEGER NOT NULL,
        number INTEGER NOT NULL,
        pos INTEGER NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (stream, number)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS finding (
        tx INTEGER NOT NULL,
        entry INTEGER,
        kind TEXT NOT NULL,
        detail TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS finding_tx ON finding (tx);
    CREATE INDEX IF NOT EXISTS finding_gap ON finding (tx)
        WHERE kind IN ('opaque', 'unaccounted');
    CREATE INDEX IF NOT EXISTS finding_schema ON finding (tx) WHERE kind = 'schema_changed';
    CREATE INDEX IF NOT EXISTS finding_truncated ON finding (tx) WHERE kind = 'truncated';
";

const OWN_TABLES: &str = "
    CREATE TEMP TABLE IF NOT EXISTS acknowledged (
        tx INTEGER PRIMARY KEY,
        table_changed INTEGER NOT NULL
    );
";

/// Only in an audit's index: the events that commit to contents outside the
/// ledger, and those that say that one is erased; and the events that are
/// signed, each under the key whose signature holds.
const OUTSIDE: &str = "
    CREATE TABLE IF NOT EXISTS outside (
        pos INTEGER PRIMARY KEY,
        commitment BLOB NOT NULL,
        erases INTEGER NOT NULL
    );
    CREATE INDEX IF NOT EXISTS outside_commitment ON outside (commitment);
    CREATE TABLE signed (
        pos INTEGER PRIMARY KEY,
        key BLOB NOT NULL
    );
";

/// A row's place in the ledger: transaction ‖ entry as one number, so that
/// places sort in ledger order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Position(i64);

impl Position {
    const ENTRY_BITS: u32 = 16;
    /// Transactions with more entries are not accounted for.
    pub(crate) const MAX_ENTRIES: u32 = 1 << Self::ENTRY_BITS;

    /// Beyond the last transaction or entry that can be numbered so, the last
    /// place: never that of another entry.
    pub(crate) fn new(tx: TxId, entry: u32) -> Self {
        let shifted = tx.get().checked_mul(1 << Self::ENTRY_BITS);
        let shifted = shifted.filter(|_| entry < Self::MAX_ENTRIES);
        Self(shifted.map_or(i64::MAX, |shifted| sqlite::to_i64(shifted | u64::from(entry))))
    }

    /// Behind all entries of a transaction.
    pub(crate) fn end_of(tx: TxId) -> Self {
        Self::new(tx, Self::MAX_ENTRIES - 1)
    }

    pub(crate) fn from_raw(raw: i64) -> Self {
        Self(raw)
    }

    pub(crate) fn raw(self) -> i64 {
        self.0
    }

    /// The last transaction of which no entry lies behind it.
    pub(crate) fn last_whole(self) -> TxId {
        let tx = self.tx();
        if self >= Self::end_of(tx) { tx } else { TxId::new(tx.get().saturating_sub(1)) }
    }

    pub(crate) fn tx(self) -> TxId {
        TxId::new(self.0 as u64 >> Self::ENTRY_BITS)
    }

    pub(crate) fn entry(self) -> u32 {
        (self.0 as u64 & u64::from(Self::MAX_ENTRIES - 1)) as u32
    }
}

/// A stream's key as the columns hold it: any bytes, canonical or not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StreamKey {
    pub(crate) domain: Vec<u8>,
    pub(crate) edition: Vec<u8>,
    pub(crate) root: Vec<u8>,
}

impl StreamKey {
    pub(crate) fn of_row(row: &StoredRow) -> Self {
        Self { domain: row.domain.clone(), edition: row.edition.clone(), root: row.root.clone() }
    }

    /// Domain, edition and root.
    pub(crate) fn parts(&self) -> [&[u8]; 3] {
        [&self.domain, &self.edition, &self.root]
    }

    /// Whether the row stands in this stream.
    pub(crate) fn is_of(&self, row: &StoredRow) -> bool {
        self.root == row.root && self.domain == row.domain && self.edition == row.edition
    }

    pub(crate) fn of_cover(cover: &crate::event::Cover) -> Self {
        Self {
            domain: cover.domain.as_bytes().to_vec(),
            edition: cover.edition.as_str().as_bytes().to_vec(),
            root: cover.root.as_slice().to_vec(),
        }
    }
}

/// What the index keeps of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StreamState {
    id: i64,
    next: u64,
    head: [u8; 32],
    /// Whether any key of the stream is held by a row that is not its event.
    any_held: bool,
}

/// The short hash under which the index finds a correlation id; none for the
/// empty one. Two ids may share it: whoever looks one up compares the event's.
pub(crate) fn correlation(id: &str) -> Option<i64> {
    if id.is_empty() {
        return None;
    }
    let mut hash = Sha256::new();
    hash.update(b"counterfoil correlation 1");
    hash.update(id.as_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    hash.first_chunk().map(|short| i64::from_be_bytes(*short))
}

/// A row of an accounted transaction, on its way into the index.
#[derive(Clone)]
pub(crate) struct NewRow {
    pub(crate) pos: Position,
    pub(crate) digest: EntryDigest,
    pub(crate) key: StreamKey,
    pub(crate) event_number: i64,
    /// The decoded body, or why the row is not an event.
    pub(crate) content: RowContent,
}

/// What a row's columns and body say together.
#[derive(Clone)]
pub(crate) enum RowContent {
    Event {
        ext: [u8; 32],
        prev_event: [u8; 32],
        seen_tx: u64,
        seen_alh: [u8; 32],
        correlation: Option<i64>,
        outside: Option<Outside>,
        append: InAppend,
        /// What its author's signature is checked with, if it has one.
        signed: Option<Box<Signed>>,
    },
    Genesis,
    Not(String),
    /// The entry takes the row away.
    #[cfg_attr(not(feature = "immudb"), allow(dead_code))]
    Deleted,
}

/// Where in its append a row says that it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InAppend {
    pub(crate) id: [u8; 16],
    pub(crate) index: u32,
    pub(crate) count: u32,
}

impl NewRow {
    /// A row whose place is not known yet: everything that needs nothing but
    /// the row is checked here.
    pub(crate) fn new(digest: EntryDigest, row: &StoredRow) -> Self {
        Self {
            pos: Position(0),
            digest,
            key: StreamKey::of_row(row),
            event_number: row.event_number,
            content: classify::content(row),
        }
    }

    /// An entry that deletes a row, whose place is not known yet.
    #[cfg(feature = "immudb")]
    pub(crate) fn deleted(digest: EntryDigest, row: &StoredRow) -> Self {
        Self {
            pos: Position(0),
            digest,
            key: StreamKey::of_row(row),
            event_number: row.event_number,
            content: RowContent::Deleted,
        }
    }

    /// What the rules look at.
    pub(crate) fn claim(&self) -> Claim<'_> {
        match &self.content {
            RowContent::Event { ext, prev_event, seen_tx, seen_alh, signed, append, .. } => {
                let signed = signed.as_deref().map(BySomebody::Kept);
                let (seen_tx, append) = (*seen_tx, *append);
                Claim::Event { ext, prev_event, seen_tx, seen_alh, append, signed }
            }
            RowContent::Genesis => Claim::Genesis,
            RowContent::Not(reason) => Claim::Not(reason),
            RowContent::Deleted => Claim::Deleted,
        }
    }

    fn is_signed(&self) -> bool {
        matches!(self.content, RowContent::Event { signed: Some(_), .. })
    }

    /// Puts the row in its place.
    pub(crate) fn at(mut self, pos: Position) -> Self {
        self.pos = pos;
        if let RowContent::Event { seen_tx, .. } = self.content
            && let Err(reason) = seen_before(seen_tx, pos.tx())
        {
            self.content = RowContent::Not(reason);
        }
        self
    }
}

/// The index's short memory; what is durable is in the tables.
#[derive(Default)]
pub(crate) struct Index {
    streams: HashMap<StreamKey, StreamState>,
    /// Whether commitments and signatures are noted.
    outside: bool,
    /// The ledger's id, once it was needed.
    ledger: Option<Alh>,
}

impl Index {
    /// Streams remembered between batches.
    const MOST: usize = 4096;

    /// Makes the tables beside the log.
    pub(crate) async fn create(conn: &mut SqliteConnection) -> Result<()> {
        sqlite::run(conn, TABLES).await?;
        Self::create_own(conn).await
    }

    /// Makes the tables that are this connection's own and not in the file.
    pub(crate) async fn create_own(conn: &mut SqliteConnection) -> Result<()> {
        sqlite::run(conn, OWN_TABLES).await
    }

    /// From now on notes the commitments and signatures, too: from the first row on, or where
    /// they were noted before. False if some rows have gone by unnoted.
    pub(crate) async fn note_outside(
        &mut self,
        conn: &mut SqliteConnection,
        begun: bool,
    ) -> Result<bool> {
        self.outside = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = 'signed'")
            .fetch_optional(&mut *conn)
            .await?
            .is_some();
        if !self.outside && !begun {
            sqlite::run(conn, OUTSIDE).await?;
            self.outside = true;
        }
        Ok(self.outside)
    }

    /// What it knows, to work on; what stays behind knows no stream.
    pub(crate) fn take(&mut self) -> Self {
        Self {
            streams: std::mem::take(&mut self.streams),
            outside: self.outside,
            ledger: self.ledger,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_has_two_names() {
        let last = Position::MAX_ENTRIES - 1;
        let place = Position::new(TxId::new(2), last);
        assert_eq!((place.tx().get(), place.entry()), (2, last));
        // One entry further is not the first of the next transaction.
        for tx in [2, 3] {
            assert!(Position::new(TxId::new(tx), last + 1) > Position::new(TxId::new(1 << 40), 0));
        }
    }
}
