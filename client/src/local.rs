//! The client's half of a ledger: its log, its index and its pin, in one
//! SQLite file that moves forward one transaction at a time.
//!
//! The end of the log *is* the pinned state: nothing enters the log that was
//! not recomputed and matched, and every extension moves the pin in the same
//! SQLite transaction.

#[cfg(feature = "immudb")]
mod anew;
mod beside;
mod cut_short;
pub(crate) mod link;
mod opening;
mod tree;
mod unmet;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use counterfoil_core::{
    Alh, EntryDigest, Header, HeaderVersion, Table, TrustedState, TxId, VerifiedTx,
};
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::watch;

use crate::bookmark::GapsBefore;
use crate::config::Acknowledged;
use crate::error::{Error, Result, Unavailable};
use crate::index::{Gaps, Index, Known, NewRow, Position, StreamInfo, StreamKey, record_finding};
#[cfg(feature = "immudb")]
use crate::log::entries_root;
#[cfg(feature = "immudb")]
use crate::log::tiles::TileId;
use crate::log::{Log, TileCache, TxRecord};
use crate::pin_copy::PinCopy;
use crate::prover::Hash;
use crate::schema;
use crate::sqlite::{self, FileKind, FileLock, Unchanging, damaged};
use crate::trust::{Anchor, Pin, Trust};
use crate::verdict::{Completeness, FindingKind, Verdict};

const TABLES: &str = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;";

/// The version of the file's tables.
const FORMAT: i64 = 2;

/// A transaction on its way into the log, checked against chain and tree.
pub(crate) struct NewTx {
    pub(crate) record: TxRecord,
    /// Its rows, if its entries are accounted for.
    pub(crate) rows: Vec<NewRow>,
    pub(crate) findings: Vec<(FindingKind, String)>,
    /// The id of our table, if this is the transaction that created it.
    pub(crate) table: Option<u32>,
}

/// A transaction that core has verified under the pinned state.
pub(crate) struct CheckedTx {
    pub(crate) tx: VerifiedTx,
    pub(crate) header: Header<'static>,
    /// Its path to `state_header`'s tree.
    pub(crate) path: Vec<Hash>,
    /// The header of the state under which it was verified.
    pub(crate) state_header: Header<'static>,
    /// All its digests, verified against `eh`; `None` if not all are known.
    pub(crate) digests: Option<Vec<EntryDigest>>,
}

pub(crate) struct Local {
    conn: SqliteConnection,
    lock: Option<FileLock>,
    /// Where it lies; nowhere in memory.
    place: Option<PathBuf>,
    log: Log,
    tiles: TileCache,
    index: Index,
    trust: Option<Trust>,
    known: Vec<TrustedState>,
    /// Where the pin is written down once more.
    copy: Option<PinCopy>,
    /// What the copy still knows where the log ends before it.
    left: Option<Pin>,
    /// Why the log has to be made anew, and what the ledger is held to then:
    /// written down when it is.
    repair: Option<(String, Option<TrustedState>)>,
    /// Extensions are written and not committed: the log is on its way to a
    /// known state.
    open_ended: bool,
    /// Whether an extension was begun and not ended: what is in memory, and
    /// what the connection shows, may not be what is on disk.
    cut_short: bool,
    /// Whether another process may extend it: nothing is written here.
    is_beside: bool,
    /// When it was looked at last, for as long as that moment is held.
    looked: Option<Instant>,
    /// Where nothing can be written beside it.
    unchanging: Option<Unchanging>,
    /// What the configuration acknowledges, for when the file is opened anew.
    acknowledged: Vec<Acknowledged>,
    table: Option<Table<'static>>,
    genesis: TxId,
    checked: HashMap<TxId, Arc<CheckedTx>>,
    /// The gaps up to where they were last counted: there may be as many as
    /// other people have transactions.
    gaps: Gaps,
    /// The same as bookmarks hold them.
    before: (TxId, GapsBefore),
    truncation: Option<Truncation>,
    /// Streams whose end was found to be what the log holds there.
    sound: HashSet<i64>,
    /// Whether it was found that no stream is missing.
    streams_are_there: bool,
    /// Whether it was found that no stream lacks an event.
    streams_are_whole: bool,
    grown: watch::Sender<TxId>,
    /// From where the index was derived anew, each time since this was opened.
    anew: watch::Sender<Vec<TxId>>,
}

/// What was stored up to a transaction may be gone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Truncation {
    pub(crate) until: TxId,
    /// The transaction that tells it.
    pub(crate) by: TxId,
}

impl Truncation {
    /// The one that reaches further, if any does.
    fn further(old: Option<Self>, record: &TxRecord) -> Option<Self> {
        let new = record.truncated.map(|until| Self { until, by: record.id });
        [old, new].into_iter().flatten().max_by_key(|truncation| truncation.until)
    }
}

impl Local {
    /// Transactions whose proof is remembered.
    const MOST_CHECKED: usize = 4096;

    /// Before anything was counted.
    const NONE_BEFORE: (TxId, GapsBefore) = (TxId::new(0), GapsBefore::NONE);

    /// The same in memory.
    pub(crate) async fn memory() -> Result<Self> {
        Self::load(sqlite::memory().await?, None).await
    }

    /// A log of an audit's own, in a file that the audit goes on from later,
    /// or in one that is gone with it.
    pub(crate) async fn for_audit(path: Option<&Path>) -> Result<Self> {
        let mut local = match path {
            None => Self::load(sqlite::temporary().await?, None).await?,
            Some(path) => {
                let lock = FileLock::take(path, false, "; give each audit a file of its own")?;
                Self::load(sqlite::open(path, FileKind::Audit, true).await?, Some(lock)).await?
            }
        };
        let begun = local.log.size() > 0;
        let noted = local.index.note_outside(&mut local.conn, begun).await;
        if !matches!(noted, Ok(true)) {
            local.close().await?;
            noted?;
            return Err(Error::Config(
                "this audit was begun by an earlier version; remove its file to begin anew".into(),
            ));
        }
        Ok(local)
    }

    async fn load(mut conn: SqliteConnection, lock: Option<FileLock>) -> Result<Self> {
        match Next::read(&mut conn).await {
            Ok(end) => Ok(Self::of(conn, lock, end)),
            Err(error) => {
                sqlite::close(conn).await;
                Err(error)
            }
        }
    }

    fn of(conn: SqliteConnection, lock: Option<FileLock>, end: Next) -> Self {
        let grown = watch::Sender::new(TxId::new(end.log.size()));
        Self {
            conn,
            lock,
            place: None,
            log: end.log,
            tiles: TileCache::default(),
            index: end.index,
            trust: end.trust,
            known: Vec::new(),
            copy: None,
            left: None,
            repair: None,
            open_ended: false,
            cut_short: false,
            is_beside: false,
            looked: None,
            unchanging: None,
            acknowledged: Vec::new(),
            table: end.table,
            genesis: end.genesis,
            checked: HashMap::new(),
            gaps: Gaps::UNCOUNTED,
            before: Self::NONE_BEFORE,
            truncation: end.truncation,
            sound: HashSet::new(),
            streams_are_there: false,
            streams_are_whole: false,
            grown,
            anew: watch::Sender::default(),
        }
    }

    /// Goes over to what the file was found to hold.
    fn take(&mut self, end: Next) {
        (self.log, self.index, self.trust) = (end.log, end.index, end.trust);
        (self.table, self.genesis, self.truncation) = (end.table, end.genesis, end.truncation);
        self.tiles = TileCache::default();
        self.gaps = Gaps::UNCOUNTED;
        self.before = Self::NONE_BEFORE;
        self.checked.clear();
        self.sound.clear();
        (self.streams_are_there, self.streams_are_whole) = (false, false);
    }

    /// Whether anything is in it that somebody may rely on.
    pub(crate) fn is_begun(&self) -> bool {
        self.trust.is_some() || self.log.size() > 0 || self.left.is_some()
    }

    /// Closes a file that was made for nothing, and removes it while nobody
    /// else can take it.
    pub(crate) async fn discard(self, path: &Path) -> Result<()> {
        self.conn.close().await?;
        for suffix in ["-wal", "-shm", ""] {
            let name = sqlite::beside(path, suffix);
            match std::fs::remove_file(&name) {
                Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Unavailable::file(name, cause).into());
                }
                _ => {}
            }
        }
        if let Some(lock) = self.lock {
            lock.undo();
        }
        Ok(())
    }

    /// Closes the file, and waits until it is.
    pub(crate) async fn close(self) -> Result<()> {
        Ok(self.conn.close().await?)
    }

    /// Where it lies; nowhere in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.place.as_deref()
    }

    pub(crate) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.conn
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Tells the log's last transaction whenever it was extended.
    pub(crate) fn grown(&self) -> watch::Receiver<TxId> {
        self.grown.subscribe()
    }

    /// Tells from where the index was derived anew, each time since this was
    /// opened.
    pub(crate) fn anew(&self) -> watch::Receiver<Vec<TxId>> {
        self.anew.subscribe()
    }

    /// What is pinned or announced, if anything.
    pub(crate) fn trust(&self) -> Option<Trust> {
        self.trust
    }

    /// Whether a commit was announced whose end is not known.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.trust.is_some_and(|trust| trust.pending.is_some())
    }

    /// Whether nothing can be new in the ledger: only this store writes it,
    /// and it knows what became of every commit.
    pub(crate) fn is_settled(&self) -> bool {
        !self.is_beside && !self.is_unsettled() && !self.cut_short
    }

    /// The pin of a ledger that is open.
    pub(crate) fn pin(&self) -> Result<Pin> {
        self.trust.and_then(|trust| trust.pin).ok_or_else(|| damaged("the ledger is not pinned"))
    }

    /// The verified state.
    pub(crate) fn state(&self) -> Result<TrustedState> {
        Ok(self.pin()?.state)
    }

    /// The table, once its creation has been proved.
    pub(crate) fn table(&self) -> Result<Table<'static>> {
        self.table.ok_or_else(|| damaged("the table is not proved"))
    }

    /// The transaction that created the table.
    pub(crate) fn genesis(&self) -> TxId {
        self.genesis
    }

    /// How far what was stored may be gone.
    pub(crate) fn truncation(&self) -> Option<Truncation> {
        self.truncation
    }

    /// How complete answers about absence are, up to `through`, which is in the
    /// log.
    pub(crate) async fn completeness(&mut self, through: TxId) -> Result<Completeness> {
        let counted = if self.gaps.through <= through { self.gaps } else { Gaps::UNCOUNTED };
        let new = Index::gaps(&mut self.conn, counted.through, through).await?;
        let gaps = counted.and(new);
        if gaps.through > self.gaps.through {
            self.gaps = gaps;
        }
        Ok(gaps.completeness())
    }

    /// The gaps before a place that the log reaches.
    pub(crate) async fn gaps_before(&mut self, place: Position) -> Result<GapsBefore> {
        let through = place.last_whole();
        let known = if self.before.0 <= through { self.before } else { Self::NONE_BEFORE };
        let gaps = Index::gaps_before(&mut self.conn, known, through).await?;
        self.before = (through, gaps);
        Ok(gaps)
    }

    /// Takes what the configuration acknowledges, for as long as this is open.
    pub(crate) async fn acknowledge(&mut self, acknowledged: &[Acknowledged]) -> Result<()> {
        self.gaps = Gaps::UNCOUNTED;
        if self.is_beside {
            self.acknowledged = acknowledged.to_vec();
            // They go into a table of this connection's own.
            sqlite::run(&mut self.conn, "PRAGMA query_only = OFF").await?;
            let noted = self.note_acknowledged(acknowledged).await;
            sqlite::run(&mut self.conn, "PRAGMA query_only = ON").await?;
            return noted;
        }
        self.note_acknowledged(acknowledged).await
    }

    async fn note_acknowledged(&mut self, acknowledged: &[Acknowledged]) -> Result<()> {
        for Acknowledged { tx, alh, table_changed, .. } in acknowledged {
            match self.log.alh(&mut self.conn, tx.get()).await? {
                Some(found) if found == *alh => {
                    Index::acknowledge(&mut self.conn, *tx, *table_changed).await?;
                }
                Some(found) => {
                    return Err(Error::Config(format!(
                        "trust.acknowledged names transaction {tx} with Alh {alh}, but its Alh is \
                         {found}: look at what it is before you acknowledge it"
                    )));
                }
                None => {
                    return Err(Error::Config(format!(
                        "trust.acknowledged names transaction {tx}, which lies beyond the verified \
                         ledger"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Whether the table's creation has been proved.
    pub(crate) fn has_table(&self) -> bool {
        self.table.is_some()
    }

    pub(crate) async fn announce_ledger(&mut self, next: TrustedState) -> Result<()> {
        Trust::announce_ledger(&mut self.conn, next.alh, next).await?;
        self.trust = Trust::load(&mut self.conn).await?;
        Ok(())
    }

    pub(crate) async fn announce(&mut self, next: TrustedState) -> Result<()> {
        Trust::announce(&mut self.conn, next).await?;
        if let Some(trust) = &mut self.trust {
            trust.pending = Some(next);
        }
        Ok(())
    }

    /// Pins the end of the log for the first time.
    pub(crate) async fn anchor(&mut self, anchor: Anchor) -> Result<Pin> {
        let ledger = self.ledger_id().await?;
        let state = self.log.head().ok_or_else(|| damaged("an empty log cannot be pinned"))?.state;
        let (anchor, anchored_at) = match self.left {
            // It was believed before, and still is for the same reason.
            Some(left) => (left.anchor, left.anchored_at),
            None => (anchor, state),
        };
        let pin = Pin { ledger, state, anchor, anchored_at };
        self.found_again().await?;
        self.keep_repair().await?;
        self.repair = None;
        Trust::anchor(&mut self.conn, &pin).await?;
        self.trust = Some(Trust { ledger, pin: Some(pin), pending: None });
        self.keep_copy();
        Ok(pin)
    }

    /// The ledger's id: Alh(1).
    pub(crate) async fn ledger_id(&mut self) -> Result<Alh> {
        let first = self.log.alh(&mut self.conn, 1).await?;
        first.ok_or_else(|| damaged("the log is empty"))
    }

    /// Keeps the evidence of a verdict and gives it back as the error. What
    /// the ledger has shown on the way to a known state does not stay.
    pub(crate) async fn refuse(&mut self, verdict: Verdict) -> Error {
        let kept = match self.is_beside {
            true => Ok(()),
            false => self.keep_evidence(&verdict).await,
        };
        kept.err().unwrap_or(verdict.into()).naming_log(self.path())
    }

    async fn keep_evidence(&mut self, verdict: &Verdict) -> Result<()> {
        self.give_up().await?;
        Trust::keep_evidence(&mut self.conn, verdict).await
    }

    /// Extends log, index and pin, all or nothing: if a known state lies ahead
    /// of a pinned log, not before that is reached.
    pub(crate) async fn extend(&mut self, txs: Vec<NewTx>) -> Result<()> {
        if let Err(verdict) = self.against_known(&txs) {
            return Err(self.refuse(verdict).await);
        }
        let truncation =
            txs.iter().fold(self.truncation, |old, tx| Truncation::further(old, &tx.record));
        let mut next = Next {
            truncation,
            log: self.log.clone(),
            index: self.index.take(),
            trust: self.trust,
            table: self.table,
            genesis: self.genesis,
        };
        self.cut_short = true;
        self.write(&mut next, txs).await?;
        if let Some(trust) = &mut next.trust
            && trust.pin.is_some()
        {
            trust.pending = None;
        }
        (self.log, self.index, self.trust) = (next.log, next.index, next.trust);
        (self.table, self.genesis, self.truncation) = (next.table, next.genesis, next.truncation);
        self.cut_short = false;
        if !self.open_ended {
            self.keep_copy();
            self.grown.send_replace(TxId::new(self.log.size()));
        }
        Ok(())
    }

    /// The header of a transaction in the log.
    pub(crate) async fn header(&mut self, record: &TxRecord) -> Result<Header<'static>> {
        self.log.header(&mut self.conn, &mut self.tiles, record).await
    }

    /// The record of a transaction, which must lie within the verified state.
    pub(crate) async fn record(&mut self, id: TxId) -> Result<TxRecord> {
        let verified = self.state()?.tx;
        match self.log.record(&mut self.conn, id).await? {
            Some(record) => Ok(record),
            None => Err(Error::BeyondState { asked: id, verified }),
        }
    }

    /// A transaction with the proof that it belongs to the pinned state: made
    /// from the log and put through the same check as anyone else's.
    pub(crate) async fn checked(&mut self, id: TxId) -> Result<Arc<CheckedTx>> {
        let state = self.state()?;
        self.checked_under(id, state).await
    }

    /// The same under a state that the ledger went through, which is not before the transaction.
    pub(crate) async fn checked_under(
        &mut self,
        id: TxId,
        state: TrustedState,
    ) -> Result<Arc<CheckedTx>> {
        // A proof is under one state: the next state needs a new one.
        if let Some(checked) = self.checked.get(&id).filter(|c| c.tx.state() == state) {
            return Ok(Arc::clone(checked));
        }
        let record = self.record(id).await?;
        if record.opaque {
            let reason = "it carries metadata that immudb's PostgreSQL wire does not show";
            return Err(Verdict::BadHeader { tx: id, reason: reason.into() }.into());
        }
        let header = self.header(&record).await?;
        let state_record = self.record(state.tx).await?;
        let state_header = self.header(&state_record).await?;
        let path = match id == state.tx {
            true => Vec::new(),
            false => {
                let size = state_record.bl_tx_id.get();
                self.log.inclusion_path(&mut self.conn, &mut self.tiles, id.get(), size).await?
            }
        };
        // All of it is the log's own.
        let tx = state.verify_tx(&state_header, &header, &path).map_err(|error| {
            damaged(format!("transaction {id} cannot be proved from it: {error}"))
        })?;
        if let Some(digests) = &record.digests {
            tx.verify_all_entries(HeaderVersion::V1, digests.iter().copied())
                .map_err(|_| Verdict::EntriesAltered { tx: id })?;
        }
        let checked =
            Arc::new(CheckedTx { tx, header, path, state_header, digests: record.digests });
        if self.checked.len() >= Self::MOST_CHECKED {
            self.checked.clear();
        }
        self.checked.insert(id, Arc::clone(&checked));
        Ok(checked)
    }

    /// A stream, as far as the index goes. The first time that it is asked for
    /// its end must be what the log holds there: the next event names it, and
    /// would be out of line for everybody else if it were damaged. The first time
    /// that one is asked for which is not there, none must be missing.
    pub(crate) async fn stream(&mut self, key: &StreamKey) -> Result<StreamInfo> {
        let stream = match self.index.remembered(key) {
            Some(stream) => stream,
            None => Index::stream_info(&mut self.conn, key).await?,
        };
        if stream.id == 0 && !self.streams_are_there {
            Index::streams_are_there(&mut self.conn).await?;
            self.streams_are_there = true;
        }
        if stream.id == 0 || self.sound.contains(&stream.id) {
            return Ok(stream);
        }
        let last = stream.next.checked_sub(1);
        let from = last.unwrap_or(0);
        let found = Index::events(&mut self.conn, &stream, from, u64::MAX, 2, false).await?;
        let head = match (last, &found[..]) {
            (None, []) => Some([0; 32]),
            (Some(last), [(number, place)]) if *number == last => {
                self.digests(&[*place]).await?.first().map(|(_, digest)| digest.to_bytes())
            }
            _ => None,
        };
        if head != Some(stream.head) {
            let root = String::from_utf8_lossy(&key.root).into_owned();
            return Err(damaged(format!("stream {root:?} does not end where its events do")));
        }
        if self.sound.len() >= Self::MOST_CHECKED {
            self.sound.clear();
        }
        self.sound.insert(stream.id);
        Ok(stream)
    }

    /// That the index leaves nothing out behind `after`, up to `through`, which
    /// is in the log. Costs as much as lies in between.
    pub(crate) async fn leaves_nothing_out(
        &mut self,
        after: Position,
        through: TxId,
    ) -> Result<()> {
        let first = TxId::new(after.last_whole().get() + 1);
        let known = Known { table: self.table, genesis: self.genesis };
        let whole = &mut self.streams_are_whole;
        Index::leaves_nothing_out(&mut self.conn, &known, first, through, whole).await
    }

    /// The digests that the log holds at these places, which the index names.
    pub(crate) async fn digests(&mut self, places: &[Position]) -> Result<Vec<(i64, EntryDigest)>> {
        let mut ids: Vec<TxId> = places.iter().map(|place| place.tx()).collect();
        ids.dedup();
        let found = Log::digests(&mut self.conn, &ids).await?;
        places
            .iter()
            .map(|place| {
                found
                    .get(&place.tx())
                    .and_then(|(ts, digests)| Some((*ts, *digests.get(place.entry() as usize)?)))
                    .ok_or_else(|| damaged(format!("transaction {} has no such entry", place.tx())))
            })
            .collect()
    }
}

/// What only a synchronisation with a server asks.
#[cfg(feature = "immudb")]
impl Local {
    /// The Alh of a transaction in the log.
    pub(crate) async fn alh(&mut self, id: TxId) -> Result<Option<Alh>> {
        self.log.alh(&mut self.conn, id.get()).await
    }

    /// Whether the log accounts for a transaction with exactly these entries.
    pub(crate) async fn has_entries(&mut self, id: TxId, digests: &[EntryDigest]) -> Result<bool> {
        let record = self.log.record(&mut self.conn, id).await?;
        Ok(record.is_some_and(|record| record.digests.as_deref() == Some(digests)))
    }

    /// A tile of the log: a full one, or above level 0 one that grows.
    pub(crate) async fn tile(&mut self, id: TileId) -> Result<Option<Vec<Hash>>> {
        crate::log::read_tile(&mut self.conn, id).await
    }

    /// Begins to derive the index anew: nothing of it is kept before
    /// [`keep`](anew::Anew::keep).
    pub(crate) async fn derive_anew(&mut self) -> Result<anew::Anew<'_>> {
        anew::Anew::begin(self).await
    }

    /// Forgets what the index has derived from rows of a transaction and of
    /// all after it.
    pub(crate) async fn forget_from(&mut self, first: TxId) -> Result<()> {
        self.index = Index::default();
        Index::forget_from(&mut self.conn, first).await
    }

    /// Notes all entries of a transaction that was a gap.
    pub(crate) async fn account_for(
        &mut self,
        id: TxId,
        eh: counterfoil_core::Root,
        digests: &[EntryDigest],
    ) -> Result<()> {
        if entries_root(digests) != eh {
            return Err(Verdict::EntriesAltered { tx: id }.into());
        }
        Log::account_for(&mut self.conn, id, digests).await?;
        Index::close_gap(&mut self.conn, id).await
    }

    /// Notes what a transaction did to the table.
    pub(crate) async fn note_alteration(&mut self, id: TxId, what: &str) -> Result<()> {
        record_finding(&mut self.conn, id, None, FindingKind::SchemaChanged, what).await
    }

    /// The transactions from `first` on that are known to have changed the
    /// table and to hold nothing else.
    pub(crate) async fn altered_from(&mut self, first: TxId) -> Result<HashSet<TxId>> {
        Index::altered_from(&mut self.conn, first).await
    }

    /// Goes on with the rows of the next transactions.
    pub(crate) async fn add_rows(&mut self, rows: &[NewRow]) -> Result<()> {
        self.index.add(&mut self.conn, rows).await
    }
}

/// What an extension changes: kept beside until it is on disk.
struct Next {
    log: Log,
    index: Index,
    trust: Option<Trust>,
    table: Option<Table<'static>>,
    genesis: TxId,
    truncation: Option<Truncation>,
}

impl Next {
    /// What is in the file.
    async fn read(conn: &mut SqliteConnection) -> Result<Self> {
        sqlite::run(conn, TABLES).await?;
        if meta(conn, "format").await?.is_none() {
            set_meta(conn, "format", FORMAT).await?;
        }
        check_format(conn).await?;
        Trust::create(conn).await?;
        Log::create(conn).await?;
        Index::create(conn).await?;
        Self::found(conn).await
    }

    /// The same of a file that has its tables; nothing is written.
    async fn found(conn: &mut SqliteConnection) -> Result<Self> {
        check_format(conn).await?;
        let table = match meta(conn, "table_id").await? {
            Some(id) => Some(table(id)?),
            None => None,
        };
        let genesis = meta(conn, "genesis_tx").await?.unwrap_or(0);
        let trust = Trust::load(conn).await?;
        let log = Log::load(conn).await?;
        let genesis = TxId::new(sqlite::to_u64(genesis, "genesis_tx")?);
        // An audit's is not pinned: it goes on behind what does not hold.
        if let Some(pin) = trust.and_then(|trust| trust.pin) {
            if log.head().map(|head| head.state) != Some(pin.state) {
                return Err(damaged("the log does not end at the pinned state"));
            }
            log.demand_tree(conn).await?;
            demand_table(conn, &log, table.as_ref(), genesis).await?;
        }
        let mut truncation = None;
        for tx in Index::truncations(conn).await? {
            if let Some(record) = log.record(conn, tx).await? {
                truncation = Truncation::further(truncation, &record);
            }
        }
        Ok(Self { log, index: Index::default(), trust, table, genesis, truncation })
    }

    async fn write(&mut self, db: &mut SqliteConnection, txs: Vec<NewTx>) -> Result<()> {
        let mut rows = Vec::new();
        let records: Vec<&TxRecord> = txs.iter().map(|tx| &tx.record).collect();
        self.log.append(db, &records).await?;
        for tx in txs {
            if let Some(id) = tx.table {
                (self.table, self.genesis) = (Some(table(i64::from(id))?), tx.record.id);
                set_meta(db, "table_id", i64::from(id)).await?;
                set_meta(db, "genesis_tx", sqlite::to_i64(self.genesis.get())).await?;
            }
            for (kind, detail) in &tx.findings {
                record_finding(db, tx.record.id, None, *kind, detail).await?;
            }
            rows.extend(tx.rows);
        }
        self.index.add(db, &rows).await?;
        let pin = self.trust.as_mut().and_then(|trust| trust.pin.as_mut());
        if let (Some(pin), Some(head)) = (pin, self.log.head()) {
            Trust::advance(db, head.state).await?;
            pin.state = head.state;
        }
        Ok(())
    }
}

/// Demands that the log has the table's creation where it names it.
async fn demand_table(
    conn: &mut SqliteConnection,
    log: &Log,
    table: Option<&Table<'static>>,
    genesis: TxId,
) -> Result<()> {
    let Some(table) = table else { return Ok(()) };
    let record = log.record(conn, genesis).await?;
    match record.and_then(|record| record.digests) {
        Some(digests) if schema::is_creation(table, &digests) => Ok(()),
        _ => Err(damaged("it does not have the table's creation where it names it")),
    }
}

/// That its tables are those that this version reads.
pub(crate) async fn check_format(conn: &mut SqliteConnection) -> Result<()> {
    match meta(conn, "format").await? {
        Some(FORMAT) => Ok(()),
        None => Err(damaged("it has no format")),
        Some(other) => Err(Error::Config(format!(
            "the log has format {other}, this version reads {FORMAT}; remove it to build it anew \
             (give its pin in [trust])"
        ))),
    }
}

fn table(id: i64) -> Result<Table<'static>> {
    let id = u32::try_from(id).map_err(|_| damaged("table_id is out of range"))?;
    schema::table(id).map_err(|error| damaged(format!("table {id}: {error}")))
}

async fn meta(conn: &mut SqliteConnection, name: &str) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar("SELECT value FROM meta WHERE name = ?")
        .bind(name)
        .fetch_optional(conn)
        .await?)
}

async fn set_meta(conn: &mut SqliteConnection, name: &str, value: i64) -> Result<()> {
    sqlx::query("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)")
        .bind(name)
        .bind(value)
        .execute(conn)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_log_of_another_format_is_left_as_it_is_and_the_remedy_told() {
        let mut conn = sqlite::memory().await.unwrap();
        sqlite::run(&mut conn, TABLES).await.unwrap();
        set_meta(&mut conn, "format", FORMAT - 1).await.unwrap();
        let Err(error) = Local::load(conn, None).await else { panic!("it was taken") };
        let text = error.to_string();
        assert!(text.contains("format 1") && text.contains("remove it to build it anew"), "{text}");
    }
}
