//! The ledger's log as this client keeps it: one record a transaction and the
//! tree over all of them. Appended to, never changed.

mod check;
mod end;
pub(crate) mod tiles;
mod tree;

use std::collections::HashMap;

use counterfoil_core::{
    Alh, EntryDigest, Frontier, Header, HeaderVersion, Root, TrustedState, TxId, TxMetadata,
};
use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

pub(crate) use self::check::TileCheck;
pub(crate) use self::end::{Head, LogEnd};
#[cfg(feature = "immudb")]
pub(crate) use self::tree::Loaded;
pub(crate) use self::tree::TileCache;
pub(crate) use self::tree::read_tile;
use crate::error::Result;
use crate::prover::Hash;
use crate::sqlite::{self, damaged, to_i64, to_u64};

/// `eh` is absent where it follows from a single digest, `digests` where the
/// entries are not all known; `odd` is present only for a header that is not
/// version 1 with bl_tx_id = id − 1 and no metadata: version u16 ‖ bl_tx_id u64,
/// and behind that the number that a truncation names.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS tx (
        id INTEGER PRIMARY KEY,
        ts INTEGER NOT NULL,
        nentries INTEGER NOT NULL,
        alh BLOB NOT NULL,
        eh BLOB,
        digests BLOB,
        odd BLOB,
        opaque INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS tile (
        level INTEGER NOT NULL,
        idx INTEGER NOT NULL,
        hashes BLOB NOT NULL,
        PRIMARY KEY (level, idx)
    );
";

/// The columns of a record, by name: of a damaged schema SQLite then says so.
macro_rules! record_where {
    ($condition:literal) => {
        concat!("SELECT id, ts, nentries, alh, eh, digests, odd, opaque FROM tx WHERE ", $condition)
    };
}

/// Digests that are read at once make at most so many bytes, unless they are
/// one transaction's.
const BATCH_BYTES: u64 = 16 << 20;

/// Rows written by one statement: each statement is a hop to SQLite's thread.
const CHUNK: usize = 500;

/// What the log keeps of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TxRecord {
    pub(crate) id: TxId,
    pub(crate) ts: i64,
    pub(crate) version: HeaderVersion,
    pub(crate) nentries: u32,
    pub(crate) eh: Root,
    pub(crate) bl_tx_id: TxId,
    pub(crate) alh: Alh,
    /// All of them, in order; `None` if they are not all known.
    pub(crate) digests: Option<Vec<EntryDigest>>,
    /// The transaction up to which what was stored may be gone, if this one
    /// truncated the database.
    pub(crate) truncated: Option<TxId>,
    /// The header does not recompute: it has metadata that was not shown.
    pub(crate) opaque: bool,
}

impl TxRecord {
    /// Of a header that recomputes to this Alh, all of whose entries are known.
    pub(crate) fn whole(header: &Header<'_>, alh: Alh, digests: Vec<EntryDigest>) -> Self {
        Self { digests: Some(digests), ..Self::of(header, alh) }
    }

    /// Of a header that recomputes to this Alh; nothing is known of its entries.
    pub(crate) fn of(header: &Header<'_>, alh: Alh) -> Self {
        Self {
            id: header.id,
            ts: header.ts,
            version: header.version,
            nentries: header.nentries,
            eh: header.eh,
            bl_tx_id: header.bl_tx_id,
            alh,
            digests: None,
            truncated: None,
            opaque: false,
        }
    }

    /// Of a header that does not recompute to its Alh. What it says of its tree is bound by nothing,
    /// and may be impossible.
    #[cfg(feature = "immudb")]
    pub(crate) fn opaque(header: &Header<'_>, alh: Alh) -> Self {
        let bl_tx_id = TxId::new(header.id.get() - 1);
        Self { bl_tx_id, opaque: true, ..Self::of(header, alh) }
    }
}

/// The log's end in memory. What is durable is in the tables; a clone is
/// worked on while a batch is written and takes the old one's place at its
/// commit.
#[derive(Clone)]
pub(crate) struct Log {
    end: LogEnd,
    /// Leaf hashes of the level 0 tile that is not full yet.
    level0: Vec<Hash>,
}

impl std::ops::Deref for Log {
    type Target = LogEnd;

    fn deref(&self) -> &LogEnd {
        &self.end
    }
}

impl Log {
    /// The empty log.
    pub(crate) fn new() -> Self {
        Self { end: LogEnd::default(), level0: Vec::new() }
    }

    /// Makes the tables.
    pub(crate) async fn create(conn: &mut SqliteConnection) -> Result<()> {
        sqlite::run(conn, TABLES).await
    }

    /// Reads the log's end back.
    pub(crate) async fn load(conn: &mut SqliteConnection) -> Result<Self> {
        let Some(row) = sqlx::query("SELECT id, ts, alh FROM tx ORDER BY id DESC LIMIT 1")
            .fetch_optional(&mut *conn)
            .await?
        else {
            return Ok(Self::new());
        };
        let size = to_u64(row.try_get("id")?, "tx.id")?;
        let state = TrustedState { tx: TxId::new(size), alh: Alh::new(sqlite::hash(&row, "alh")?) };
        let head = Head { state, ts: row.try_get("ts")? };
        let full = size - size % tiles::WIDTH as u64;
        let level0 = sqlx::query("SELECT alh FROM tx WHERE id > ? ORDER BY id")
            .bind(to_i64(full))
            .fetch_all(&mut *conn)
            .await?
            .iter()
            .map(|row| Ok(Alh::new(sqlite::hash(row, "alh")?).leaf_hash().to_bytes()))
            .collect::<Result<Vec<_>>>()?;
        if full + level0.len() as u64 != size {
            return Err(damaged("transactions are missing from the log"));
        }
        let mut log = Self { end: LogEnd::new(head, Frontier::new()), level0 };
        log.end = LogEnd::new(head, log.load_frontier(conn, size).await?);
        Ok(log)
    }

    /// Demands that the tree is the one that the last transaction's header
    /// was made over, and has its leaf. A ledger that grows on a damaged one is
    /// damaged for good: what follows would be made, or believed, over that.
    pub(crate) async fn demand_tree(&self, conn: &mut SqliteConnection) -> Result<()> {
        // Before an opaque header, whose root nobody knows, there is another one.
        let last = sqlx::query(record_where!("NOT opaque ORDER BY id DESC LIMIT 1"));
        let Some(row) = last.fetch_optional(&mut *conn).await? else { return Ok(()) };
        let record = parse_record(&row)?;
        let before = record.bl_tx_id.get();
        let mut grown = self.load_frontier(conn, before).await?;
        let root = if before == 0 { Root::ZERO } else { grown.root() };
        let header = self.header_over(conn, &record, root).await?;
        let mut rows = sqlx::query("SELECT alh FROM tx WHERE id > ? ORDER BY id")
            .bind(to_i64(before))
            .fetch(&mut *conn);
        while let Some(row) = rows.try_next().await? {
            let leaf = Alh::new(sqlite::hash(&row, "alh")?).leaf_hash();
            grown.push(leaf).map_err(|error| damaged(error.to_string()))?;
        }
        if header.alh() != Ok(record.alh) || grown.root() != self.root() {
            let what = format!("its tree is not the one of transaction {}", record.id);
            return Err(damaged(what));
        }
        Ok(())
    }

    /// The log's end, to compute ahead from.
    pub(crate) fn end(&self) -> LogEnd {
        self.end.clone()
    }

    /// Appends the next transactions. The caller has checked them against
    /// [`last_alh`](Self::last_alh) and the tree, and holds an open SQLite
    /// transaction.
    pub(crate) async fn append(
        &mut self,
        conn: &mut SqliteConnection,
        records: &[&TxRecord],
    ) -> Result<()> {
        for chunk in records.chunks(CHUNK) {
            for record in chunk {
                if record.id != self.next_id() {
                    return Err(damaged(format!(
                        "transaction {} appended out of order",
                        record.id
                    )));
                }
                self.end.push(record)?;
                self.push_leaf(conn, record.alh).await?;
            }
            insert(conn, chunk).await?;
        }
        Ok(())
    }

    /// The record of a transaction; `None` beyond the log's end.
    pub(crate) async fn record(
        &self,
        conn: &mut SqliteConnection,
        id: TxId,
    ) -> Result<Option<TxRecord>> {
        let row = sqlx::query(record_where!("id = ?"))
            .bind(to_i64(id.get()))
            .fetch_optional(conn)
            .await?;
        row.map(|row| parse_record(&row)).transpose()
    }

    /// The records of transactions `first` to `last` that are there; for one
    /// that is damaged, what is wrong.
    pub(crate) async fn records(
        conn: &mut SqliteConnection,
        first: u64,
        last: u64,
    ) -> Result<Vec<(u64, Result<TxRecord>)>> {
        sqlx::query(record_where!("id BETWEEN ? AND ? ORDER BY id"))
            .bind(to_i64(first))
            .bind(to_i64(last))
            .fetch_all(conn)
            .await?
            .iter()
            .map(|row| Ok((to_u64(row.try_get("id")?, "tx.id")?, parse_record(row))))
            .collect()
    }

    /// How far a batch of records goes that begins with `first`: to `last`, or
    /// as far as their digests are few enough bytes to be held at once, but not
    /// nowhere. Somebody else's transaction may have 2 MiB of them.
    pub(crate) async fn fitting(conn: &mut SqliteConnection, first: u64, last: u64) -> Result<u64> {
        let mut sizes = sqlx::query(
            "SELECT id, octet_length(digests) AS len FROM tx WHERE id BETWEEN ? AND ? ORDER BY id",
        )
        .bind(to_i64(first))
        .bind(to_i64(last))
        .fetch(conn);
        let mut bytes = 0;
        while let Some(size) = sizes.try_next().await? {
            bytes += to_u64(size.try_get::<Option<i64>, _>("len")?.unwrap_or(0), "a length")?;
            if bytes > BATCH_BYTES {
                let id = to_u64(size.try_get("id")?, "tx.id")?;
                return Ok(first.max(id.saturating_sub(1)));
            }
        }
        Ok(last)
    }

    /// Time stamp and digests of transactions, by id. Those that are not
    /// there, or not accounted for, are left out.
    pub(crate) async fn digests(
        conn: &mut SqliteConnection,
        ids: &[TxId],
    ) -> Result<HashMap<TxId, (i64, Vec<EntryDigest>)>> {
        let mut found = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(500) {
            // No more than is needed: every value of a row costs as much as the hashing
            // of a block.
            let mut query = QueryBuilder::<Sqlite>::new(
                "SELECT id, ts, nentries, digests FROM tx WHERE digests IS NOT NULL AND id IN (",
            );
            let mut list = query.separated(", ");
            for id in chunk {
                list.push_bind(to_i64(id.get()));
            }
            query.push(")");
            for row in query.build().fetch_all(&mut *conn).await? {
                let id = to_u64(row.try_get("id")?, "tx.id")?;
                let digests = parse_digests(id, row.try_get("nentries")?, row.try_get("digests")?)?;
                found.insert(TxId::new(id), (row.try_get("ts")?, digests));
            }
        }
        Ok(found)
    }

    /// Notes all digests of a transaction of which none were known. The caller
    /// has checked that they make its `eh`.
    #[cfg(feature = "immudb")]
    pub(crate) async fn account_for(
        conn: &mut SqliteConnection,
        id: TxId,
        digests: &[EntryDigest],
    ) -> Result<()> {
        let bytes: Vec<u8> = digests.iter().flat_map(|d| *d.as_bytes()).collect();
        let done = sqlx::query(
            "UPDATE tx SET digests = ?1, eh = CASE WHEN nentries = 1 THEN NULL ELSE eh END \
             WHERE id = ?2 AND digests IS NULL AND NOT opaque AND nentries = ?3",
        )
        .bind(bytes)
        .bind(to_i64(id.get()))
        .bind(to_i64(digests.len() as u64))
        .execute(conn)
        .await?;
        match done.rows_affected() {
            1 => Ok(()),
            _ => Err(damaged(format!("transaction {id} is no gap"))),
        }
    }

    /// The transactions after `after` whose entries are not all known to be of
    /// our table alone: what is not known, and what changed it, which may be
    /// another table's creation or rows. Their numbers of entries and the roots over them, none where the header
    /// is opaque or of version 0.
    #[cfg(feature = "immudb")]
    pub(crate) async fn unaccounted(
        conn: &mut SqliteConnection,
        after: TxId,
    ) -> Result<Vec<(TxId, Option<(Root, u32)>)>> {
        let mut found = Vec::new();
        let mut rows = sqlx::query(
            "SELECT * FROM tx WHERE id > ? AND (digests IS NULL OR id IN \
             (SELECT tx FROM finding WHERE kind = 'schema_changed')) ORDER BY id",
        )
        .bind(to_i64(after.get()))
        .fetch(conn);
        while let Some(row) = rows.try_next().await? {
            let TxRecord { id, version, nentries, eh, opaque, .. } = parse_record(&row)?;
            let shown = !opaque && version == HeaderVersion::V1;
            found.push((id, shown.then_some((eh, nentries))));
        }
        Ok(found)
    }

    /// The first transaction after `after` whose entries are exactly these.
    #[cfg(feature = "immudb")]
    pub(crate) async fn find(
        conn: &mut SqliteConnection,
        after: TxId,
        digests: &[EntryDigest],
    ) -> Result<Option<TxId>> {
        let digests: Vec<u8> = digests.iter().flat_map(|d| *d.as_bytes()).collect();
        let id: Option<i64> = sqlx::query_scalar(
            "SELECT id FROM tx WHERE id > ? AND digests = ? ORDER BY id LIMIT 1",
        )
        .bind(to_i64(after.get()))
        .bind(digests)
        .fetch_optional(conn)
        .await?;
        id.map(|id| Ok(TxId::new(to_u64(id, "tx.id")?))).transpose()
    }

    /// The Alh of a transaction; `None` beyond the log's end.
    pub(crate) async fn alh(&self, conn: &mut SqliteConnection, id: u64) -> Result<Option<Alh>> {
        let row = sqlx::query("SELECT alh FROM tx WHERE id = ?")
            .bind(to_i64(id))
            .fetch_optional(conn)
            .await?;
        row.map(|row| Ok(Alh::new(sqlite::hash(&row, "alh")?))).transpose()
    }

    /// The whole header of a record, its derived fields filled in.
    pub(crate) async fn header(
        &self,
        conn: &mut SqliteConnection,
        cache: &mut TileCache,
        record: &TxRecord,
    ) -> Result<Header<'static>> {
        let root = self.root_at(conn, cache, record.bl_tx_id.get()).await?;
        self.header_over(conn, record, root).await
    }

    /// The same over a root that is known.
    async fn header_over(
        &self,
        conn: &mut SqliteConnection,
        record: &TxRecord,
        bl_root: Root,
    ) -> Result<Header<'static>> {
        let before = record.id.get() - 1;
        let prev_alh = match before {
            0 => Alh::BEFORE_FIRST,
            _ => self
                .alh(&mut *conn, before)
                .await?
                .ok_or_else(|| damaged(format!("transaction {before} is missing")))?,
        };
        Ok(Header {
            id: record.id,
            prev_alh,
            ts: record.ts,
            version: record.version,
            metadata: TxMetadata { truncated_tx_id: record.truncated.map(TxId::get), extra: None },
            nentries: record.nentries,
            eh: record.eh,
            bl_tx_id: record.bl_tx_id,
            bl_root,
        })
    }
}

async fn insert(conn: &mut SqliteConnection, records: &[&TxRecord]) -> Result<()> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO tx (id, ts, nentries, alh, eh, digests, odd, opaque) ",
    );
    query.push_values(records, |mut values, record| {
        let odd = record.version != HeaderVersion::V1
            || record.bl_tx_id.get().checked_add(1) != Some(record.id.get())
            || record.truncated.is_some();
        let odd = odd.then(|| {
            let version: u16 = if record.version == HeaderVersion::V1 { 1 } else { 0 };
            let truncated = record.truncated.map(|until| until.get().to_be_bytes());
            let truncated = truncated.as_ref().map_or(&[][..], |bytes| &bytes[..]);
            [&version.to_be_bytes()[..], &record.bl_tx_id.get().to_be_bytes(), truncated].concat()
        });
        let derived = record.digests.as_ref().is_some_and(|digests| digests.len() == 1);
        let digests: Option<Vec<u8>> =
            record.digests.as_ref().map(|d| d.iter().flat_map(|d| *d.as_bytes()).collect());
        values
            .push_bind(to_i64(record.id.get()))
            .push_bind(record.ts)
            .push_bind(i64::from(record.nentries))
            .push_bind(&record.alh.as_bytes()[..])
            .push_bind((!derived).then_some(&record.eh.as_bytes()[..]))
            .push_bind(digests)
            .push_bind(odd)
            .push_bind(i64::from(record.opaque));
    });
    query.build().execute(conn).await?;
    Ok(())
}

fn parse_record(row: &SqliteRow) -> Result<TxRecord> {
    let id = to_u64(row.try_get("id")?, "tx.id")?;
    let nentries: i64 = row.try_get("nentries")?;
    let digests = row
        .try_get::<Option<&[u8]>, _>("digests")?
        .map(|bytes| parse_digests(id, nentries, bytes))
        .transpose()?;
    let nentries = u32::try_from(nentries).map_err(|_| damaged("tx.nentries is out of range"))?;
    let eh = match (row.try_get::<Option<&[u8]>, _>("eh")?, &digests) {
        (Some(_), _) => Root::new(sqlite::hash(row, "eh")?),
        (None, Some(digests)) if digests.len() == 1 => Root::new(digests[0].leaf_hash().to_bytes()),
        _ => return Err(damaged(format!("tx.eh of transaction {id} is missing"))),
    };
    let (version, bl_tx_id, truncated) = match row.try_get::<Option<&[u8]>, _>("odd")? {
        None => (HeaderVersion::V1, id.wrapping_sub(1), None),
        Some(&[0, v @ 0..=1, a, b, c, d, e, f, g, h, ref truncated @ ..])
            if matches!(truncated.len(), 0 | 8) =>
        {
            let truncated = truncated.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
            (
                if v == 1 { HeaderVersion::V1 } else { HeaderVersion::V0 },
                u64::from_be_bytes([a, b, c, d, e, f, g, h]),
                truncated.map(TxId::new),
            )
        }
        Some(_) => return Err(damaged(format!("tx.odd of transaction {id} is malformed"))),
    };
    if id == 0 || bl_tx_id >= id {
        return Err(damaged(format!("transaction {id} is out of range")));
    }
    Ok(TxRecord {
        id: TxId::new(id),
        ts: row.try_get("ts")?,
        version,
        nentries,
        eh,
        bl_tx_id: TxId::new(bl_tx_id),
        alh: Alh::new(sqlite::hash(row, "alh")?),
        digests,
        truncated,
        opaque: row.try_get::<i64, _>("opaque")? != 0,
    })
}

fn parse_digests(id: u64, nentries: i64, bytes: &[u8]) -> Result<Vec<EntryDigest>> {
    let (digests, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || u64::try_from(nentries) != Ok(digests.len() as u64) {
        return Err(damaged(format!("tx.digests of transaction {id} has a wrong length")));
    }
    Ok(digests.iter().map(|digest| EntryDigest::new(*digest)).collect())
}

/// The root over all of a transaction's digests.
pub(crate) fn entries_root(digests: &[EntryDigest]) -> Root {
    let mut tree = Frontier::new();
    for digest in digests {
        // A transaction has far fewer than 2^64 entries.
        let _ = tree.push(digest.leaf_hash());
    }
    tree.root()
}
