//! This client's own log as an audit sees it: read beside whoever writes it,
//! and compared with what the ledger makes, never believed instead of it.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

#[cfg(feature = "immudb")]
use counterfoil_core::Header;
use counterfoil_core::{Alh, TrustedState, TxId};
use futures_util::TryStreamExt as _;
use sqlx::{Row, SqliteConnection};

use super::report::{AuditReport, Inconsistency, InconsistencyKind as Kind};
use super::scratch;
use crate::backend::embedded::audit::FileAt;
use crate::error::Result;
use crate::index::{Compared, Index, Position, StreamKey};
#[cfg(feature = "immudb")]
use crate::log::TileCache;
use crate::log::{Log, TxRecord};
use crate::sqlite::{self, FileKind, to_i64, to_u64};
use crate::trust::{Pin, Trust};
use crate::verdict::Finding;

/// An event as its index has it.
pub(super) struct OwnEvent {
    pub(super) pos: Position,
    pub(super) stream: i64,
    pub(super) number: u64,
    pub(super) ext: [u8; 32],
}

pub(super) struct OwnLog {
    path: PathBuf,
    conn: SqliteConnection,
    /// Nothing can be written beside it: it is read as one that nobody writes.
    is_unchanging: bool,
}

impl OwnLog {
    /// `None` if there is none.
    pub(super) async fn open(path: &Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let (mut conn, unchanging) = sqlite::open_to_read(path, FileKind::Log).await?;
        sqlite::run(&mut conn, "PRAGMA query_only = ON").await?;
        Ok(Some(Self { path: path.into(), conn, is_unchanging: unchanging.is_some() }))
    }

    pub(super) async fn close(self) {
        sqlite::close(self.conn).await;
    }

    /// To read it over another connection.
    pub(super) fn file(&self) -> FileAt {
        let (path, unchanging) = (self.path.clone(), self.is_unchanging);
        FileAt { path, unchanging, kind: FileKind::Log }
    }

    pub(super) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.conn
    }

    /// The header of a record, if it makes the record's Alh.
    #[cfg(feature = "immudb")]
    pub(super) async fn header(&mut self, record: &TxRecord) -> Result<Option<Header<'static>>> {
        let log = Log::load(&mut self.conn).await?;
        let header = log.header(&mut self.conn, &mut TileCache::default(), record).await?;
        Ok(Some(header).filter(|header| header.alh() == Ok(record.alh)))
    }

    /// What SQLite finds in it that nobody wrote: pages that do not hang
    /// together, rows that are not in their order or lack in an index. Those of
    /// events are many, and SQLite looks each of them up.
    pub(super) async fn integrity(&mut self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for check in [
            "PRAGMA quick_check(100)",
            "PRAGMA integrity_check(stream)",
            "PRAGMA integrity_check(finding)",
        ] {
            found.extend(sqlite::integrity(&mut self.conn, check).await?);
        }
        Ok(found)
    }

    /// The same of the events.
    pub(super) async fn integrity_of_events(&mut self) -> Result<Vec<String>> {
        sqlite::integrity(&mut self.conn, "PRAGMA integrity_check(event)").await
    }

    /// How many transactions it has up to this one.
    pub(super) async fn size_up_to(&mut self, last: TxId) -> Result<u64> {
        let sql = "SELECT count(*) FROM tx WHERE id BETWEEN 1 AND ?";
        let there = sqlx::query_scalar(sql).bind(to_i64(last.get()));
        to_u64(there.fetch_one(&mut self.conn).await?, "count")
    }

    /// What is in it that is of no transaction up to this one, with which it
    /// ends: records, and rows of its index.
    pub(super) async fn strays(&mut self, end: TxId) -> Result<(u64, u64)> {
        let sql = "SELECT count(*) FROM tx WHERE id NOT BETWEEN 1 AND ?";
        let records = sqlx::query_scalar(sql).bind(to_i64(end.get()));
        let records = to_u64(records.fetch_one(&mut self.conn).await?, "count")?;
        Ok((records, Index::strays(&mut self.conn, end).await?))
    }

    /// What SQLite would do by itself whenever it is written to or read: nobody
    /// ever made any of it.
    pub(super) async fn programs(&mut self) -> Result<u64> {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view')";
        to_u64(sqlx::query_scalar(sql).fetch_one(&mut self.conn).await?, "count")
    }

    /// In what its trust does not go with it.
    pub(super) async fn mistrust(&mut self) -> Result<Vec<&'static str>> {
        let Some(trust) = Trust::load(&mut self.conn).await? else { return Ok(Vec::new()) };
        let mut wrong = Vec::new();
        if self.alh(TxId::new(1)).await? != Some(trust.ledger) {
            wrong.push("this client's log is trusted as another ledger's");
        }
        if let Some(Pin { anchored_at, .. }) = trust.pin
            && self.alh(anchored_at.tx).await? != Some(anchored_at.alh)
        {
            wrong.push("this client's log does not hold the state at which it was anchored");
        }
        Ok(wrong)
    }

    /// The streams whose ends its index has wrong.
    pub(super) async fn wrong_ends(&mut self) -> Result<Vec<(Option<Position>, Vec<u8>)>> {
        Index::wrong_ends(&mut self.conn, AuditReport::MOST_LISTED).await
    }

    /// Holds its index against the one beside a derived log.
    pub(super) async fn compare_index(
        &self,
        derived: &mut SqliteConnection,
        after: TxId,
        last: TxId,
    ) -> Result<Compared> {
        self.attach(derived).await?;
        // All of it as of one moment.
        sqlite::run(derived, "BEGIN").await?;
        let compared = Index::compare(derived, after, last, AuditReport::MOST_LISTED).await;
        sqlite::run(derived, "COMMIT").await?;
        Self::detach(derived).await?;
        compared
    }

    /// Lets a derived log's connection read it, as `own`.
    pub(super) async fn attach(&self, derived: &mut SqliteConnection) -> Result<()> {
        let name = match self.is_unchanging {
            true => sqlite::immutable(&self.path),
            false => self.path.to_string_lossy().into_owned(),
        };
        sqlx::query("ATTACH DATABASE ? AS own").bind(name).execute(derived).await?;
        Ok(())
    }

    pub(super) async fn detach(derived: &mut SqliteConnection) -> Result<()> {
        sqlite::run(derived, "DETACH DATABASE own").await
    }

    /// The id of the table of events and the transaction that created it, as
    /// it says.
    pub(super) async fn table(&mut self) -> Result<Option<(u32, u64)>> {
        scratch::table(&mut self.conn).await
    }

    /// How far a batch of its records goes that begins with `first`: to `last`,
    /// or as far as they are few enough bytes, but not nowhere. The events that
    /// its index has of them are no more than their digests.
    pub(super) async fn fitting(&mut self, first: u64, last: u64) -> Result<u64> {
        Log::fitting(&mut self.conn, first, last).await
    }

    /// Reads on as of one moment, until it is [let go](Self::let_go).
    pub(super) async fn hold(&mut self) -> Result<()> {
        sqlite::run(&mut self.conn, "BEGIN").await
    }

    pub(super) async fn let_go(&mut self) -> Result<()> {
        sqlite::run(&mut self.conn, "COMMIT").await
    }

    /// The streams of its index.
    pub(super) async fn streams(&mut self) -> Result<Vec<(i64, StreamKey)>> {
        let mut streams = Vec::new();
        let mut rows =
            sqlx::query("SELECT id, domain, edition, root FROM stream").fetch(&mut self.conn);
        while let Some(row) = rows.try_next().await? {
            let (domain, edition) = (row.try_get("domain")?, row.try_get("edition")?);
            let key = StreamKey { domain, edition, root: row.try_get("root")? };
            streams.push((row.try_get("id")?, key));
        }
        Ok(streams)
    }

    /// The events of its index that are in transactions `first` to `last`.
    pub(super) async fn events(&mut self, first: u64, last: u64) -> Result<Vec<OwnEvent>> {
        sqlx::query(
            "SELECT pos, stream, number, ext FROM event WHERE pos BETWEEN ? AND ? ORDER BY pos",
        )
        .bind(Position::new(TxId::new(first), 0).raw())
        .bind(Position::end_of(TxId::new(last)).raw())
        .fetch_all(&mut self.conn)
        .await?
        .iter()
        .map(|row| {
            Ok(OwnEvent {
                pos: Position::from_raw(row.try_get("pos")?),
                stream: row.try_get("stream")?,
                number: to_u64(row.try_get("number")?, "event.number")?,
                ext: sqlite::hash(row, "ext")?,
            })
        })
        .collect()
    }

    /// Stream and number of the keys that are held by rows up to transaction
    /// `last`.
    pub(super) async fn held(&mut self, last: TxId) -> Result<Vec<(i64, i64)>> {
        let sql = "SELECT stream, number FROM held WHERE pos <= ?";
        let held = sqlx::query_as(sql).bind(Position::end_of(last).raw());
        Ok(held.fetch_all(&mut self.conn).await?)
    }

    /// What its index has found about transactions `first` to `last`.
    pub(super) async fn findings(&mut self, first: u64, last: u64) -> Result<Vec<Finding>> {
        Index::findings_within(&mut self.conn, first, last).await
    }

    /// The Alh that it has of a transaction.
    pub(super) async fn alh(&mut self, tx: TxId) -> Result<Option<Alh>> {
        scratch::alh(&mut self.conn, tx).await
    }

    /// The pinned state, and the one that is announced.
    pub(super) async fn pinned(&mut self) -> Result<(Option<TrustedState>, Option<TrustedState>)> {
        let trust = Trust::load(&mut self.conn).await?;
        let pin = trust.and_then(|trust| trust.pin).map(|pin| pin.state);
        Ok((pin, trust.and_then(|trust| trust.pending)))
    }

    /// Which of transactions `first` to `last` changed the table, as this log
    /// derived when the names in them were still shown.
    pub(super) async fn altered(&mut self, first: u64, last: u64) -> Result<HashSet<u64>> {
        sqlx::query_scalar(
            "SELECT tx FROM finding WHERE kind = 'schema_changed' AND tx BETWEEN ? AND ?",
        )
        .bind(to_i64(first))
        .bind(to_i64(last))
        .fetch_all(&mut self.conn)
        .await?
        .into_iter()
        .map(|tx: i64| to_u64(tx, "finding.tx"))
        .collect()
    }

    /// The first transaction that truncated the database.
    #[cfg(feature = "immudb")]
    pub(super) async fn truncation(&mut self) -> Result<Option<TxId>> {
        Ok(Index::truncations(&mut self.conn).await?.first().copied())
    }

    /// The records of transactions `first` to `last`; what is damaged is left
    /// out and told.
    pub(super) async fn records(
        &mut self,
        first: u64,
        last: u64,
    ) -> Result<(BTreeMap<u64, TxRecord>, Vec<Inconsistency>)> {
        let (mut records, mut found) = (BTreeMap::new(), Vec::new());
        for (id, record) in Log::records(&mut self.conn, first, last).await? {
            match record {
                Ok(record) => {
                    records.insert(id, record);
                }
                Err(error) => {
                    let tx = TxId::new(id);
                    found.push(Inconsistency::of_tx(tx, Kind::OwnLog, error.to_string()));
                }
            }
        }
        Ok((records, found))
    }
}
