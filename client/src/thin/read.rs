//! The thin store.

use std::collections::BTreeMap;

use counterfoil_core::{
    Alh, EntryDigest, Header, HeaderVersion, Root, Table, TreeSize, TrustedState, TxId, VerifiedTx,
    verify_consistency,
};
use tokio::sync::Mutex;

use super::answer::{Advance, Claim, PresentEvent, ThinCost};
use super::source::HeaderSource;
use super::tree::ThinTree;
use crate::author::{self, TrustedAuthor};
use crate::backend::immudb::{WireSource, of_truncation};
use crate::body::EventBody;
use crate::config::{BackendKind, Config};
use crate::error::{Error, Result};
use crate::event::{Cover, RecordedEvent, check_cover};
use crate::index::StreamKey;
use crate::index::classify;
use crate::log::entries_root;
use crate::proof::{EventProof, ProvenHeader};
use crate::prover::{EntryTree, Hash};
use crate::row::StoredRow;
use crate::schema;
use crate::undecided::{TileFlaw, Undecided};
use crate::verdict::Verdict;

/// How many transactions after the one that its writer had seen a row is
/// sought in: writers that lag further behind are left to full readers.
const SEEK: u64 = 64;
/// Rows of one commit that are looked at: as many entries as immudb allows.
const MOST_ROWS: usize = 1024;
/// Table ids that are tried for the table's proof.
const TABLE_IDS: u32 = 1024;

/// Reads events of a ledger on immudb under a state that is held, without a
/// log: some kilobytes of memory, nothing on disk, and for each event a few
/// statements, however large the ledger.
///
/// It proves *presence* and nothing else: that a row is in the ledger under
/// its key. Whether it is the first one there, what is absent, where a stream
/// ends: these take an account of every entry, which is what
/// [`EventStore`](crate::EventStore) keeps.
///
/// The hashes come from tiles that [`EventStore::publish_tiles`](crate::EventStore::publish_tiles)
/// leaves in the database `<database>_tiles`. They are not believed: a false
/// tile is named, and replaced by another candidate or by headers; where that
/// cannot be done, the answer is [`Error::CannotDecide`].
///
/// One question at a time: questions asked together wait for each other.
pub struct ThinStore {
    reader: Mutex<Reader>,
    opened: (ThinCost, Vec<TileFlaw>),
}

/// What is held in memory.
struct Reader {
    source: WireSource,
    state: TrustedState,
    /// The header whose Alh is the state's.
    header: Header<'static>,
    tree: ThinTree,
    ledger: Alh,
    table: Table<'static>,
    /// Whose signatures count.
    authors: Vec<TrustedAuthor>,
}

impl ThinStore {
    /// Opens a ledger under `state`, which the caller trusts for a reason of
    /// its own: everything that is proved is proved under it.
    ///
    /// The table is expected in transaction 1, where a ledger made by this
    /// crate has it; see [`open_with_genesis`](Self::open_with_genesis).
    ///
    /// # Errors
    ///
    /// [`Error::Ledger`] if the server's ledger is not the state's, or its
    /// table is not ours; [`Error::CannotDecide`] if tiles and headers do not
    /// lead to the state; [`Error::Unavailable`]; [`Error::Config`] if the
    /// backend is not immudb.
    pub async fn open(config: &Config, state: TrustedState) -> Result<Self> {
        Self::open_with_genesis(config, state, TxId::new(1)).await
    }

    /// As [`open`](Self::open), for a table that was created in transaction
    /// `genesis` of a database that existed before.
    ///
    /// That transaction is proved under the state like any other, and so are
    /// the table's id and columns: the server's catalog is not asked.
    pub async fn open_with_genesis(
        config: &Config,
        state: TrustedState,
        genesis: TxId,
    ) -> Result<Self> {
        if config.storage.backend != BackendKind::Immudb {
            let reason =
                "thin reads need storage.backend = \"immudb\"; a ledger file is read whole";
            return Err(Error::Config(reason.into()));
        }
        let mut source = WireSource::connect(&config.storage.immudb).await?;
        let header = state_header(&mut source, state).await?;
        let mut tree = ThinTree::open(&mut source, &header).await?;
        let first = verified(&mut source, &mut tree, state, &header, TxId::new(1)).await?.tx;
        let ledger = first.alh();
        if let Some(expected) = config.trust.ledger.filter(|expected| *expected != ledger) {
            return Err(Verdict::WrongLedger { expected, found: ledger }.into());
        }
        let created = match genesis == first.id() {
            true => first,
            false => verified(&mut source, &mut tree, state, &header, genesis).await?.tx,
        };
        let table = proven_table(&mut source, &created).await?;
        let opened = (std::mem::take(&mut source.cost), tree.take_flaws());
        let authors = config.trust.author.clone();
        let reader = Reader { source, state, header, tree, ledger, table, authors };
        Ok(Self { reader: Mutex::new(reader), opened })
    }

    /// What opening cost: the state's header, the tree's right edge, the proof
    /// of the table.
    pub fn opening_cost(&self) -> ThinCost {
        self.opened.0
    }

    /// Tiles that could not be used at opening, as far as they were found out
    /// and could be replaced.
    pub fn opening_flaws(&self) -> &[TileFlaw] {
        &self.opened.1
    }

    /// The state under which everything is proved.
    pub async fn state(&self) -> TrustedState {
        self.reader.lock().await.state
    }

    /// The ledger's id, Alh(1), proved under the state.
    pub async fn ledger_id(&self) -> Alh {
        self.reader.lock().await.ledger
    }

    /// Proves that event `sequence` of a stream is in the ledger.
    ///
    /// # What success proves
    ///
    /// Under the state, one transaction of the ledger holds exactly this row
    /// under this key, in the table that was proved at opening; the row is a
    /// canonical event and its writer had seen nothing later than what came
    /// before it. It does not prove that no other row was written under the
    /// key before, nor that the events before it exist.
    ///
    /// # Errors
    ///
    /// [`Error::CannotDecide`] if presence cannot be shown, which never means
    /// absence; [`Error::Ledger`] if a header or the row's place contradicts
    /// the state; [`Error::Unavailable`]; [`Error::Invalid`] for a cover that
    /// no stream, or a sequence that no event can have.
    pub async fn get_event(&self, cover: &Cover, sequence: u64) -> Result<PresentEvent> {
        check_cover(cover)?;
        if i64::try_from(sequence).is_err() {
            let why = format!("no event has sequence {sequence}: they are below 2^63");
            return Err(Error::Invalid(why));
        }
        let mut reader = self.reader.lock().await;
        reader.begin();
        reader.event(cover, sequence).await
    }

    /// Asks where the ledger has gone, and checks that the newer state is
    /// consistent with the one held: the older tree is the beginning of the
    /// newer one, and the older state is its next leaf.
    ///
    /// Trust does not move: this store goes on under its state.
    ///
    /// # Errors
    ///
    /// [`Error::Ledger`] with both states if the ledger was rolled back or
    /// rewritten; [`Error::CannotDecide`]; [`Error::Unavailable`].
    pub async fn advance(&self) -> Result<Advance> {
        let mut reader = self.reader.lock().await;
        reader.begin();
        reader.advance().await
    }
}

impl std::fmt::Debug for ThinStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ThinStore").finish_non_exhaustive()
    }
}

/// The header that makes a state, which must not lag behind its own tree.
async fn state_header(source: &mut WireSource, state: TrustedState) -> Result<Header<'static>> {
    let Some(header) = source.header(state.tx).await? else {
        let found = source.state().await?;
        return Err(Verdict::Rollback { pinned: state, found }.into());
    };
    let header = match header.alh() == Ok(state.alh) {
        true => header,
        // The wire does not show what a truncation of the database names.
        false => of_truncation(&header, state.alh).ok_or_else(|| {
            let reason = format!("it does not make the state {state}");
            Verdict::BadHeader { tx: state.tx, reason }
        })?,
    };
    let covered = header.bl_tx_id;
    if covered.next() != Some(state.tx) {
        return Err(Undecided::Lagging { state: state.tx, covered }.into());
    }
    Ok(header)
}

/// A transaction that core has verified under a state.
struct Proved {
    tx: VerifiedTx,
    header: Header<'static>,
    path: Vec<Hash>,
}

/// Fetches a header and proves it under the state.
async fn verified(
    source: &mut WireSource,
    tree: &mut ThinTree,
    state: TrustedState,
    state_header: &Header<'static>,
    tx: TxId,
) -> Result<Proved> {
    let header = match tx == state.tx {
        true => *state_header,
        false => source.header(tx).await?.ok_or(Verdict::MissingTx { tx })?,
    };
    prove(source, tree, state, state_header, header).await
}

/// Proves a header under the state.
async fn prove(
    source: &mut WireSource,
    tree: &mut ThinTree,
    state: TrustedState,
    state_header: &Header<'static>,
    header: Header<'static>,
) -> Result<Proved> {
    let path = match header.id == state.tx {
        true => Vec::new(),
        false if header.id.get() > tree.size() => {
            return Err(Error::BeyondState { asked: header.id, verified: state.tx });
        }
        false => tree.inclusion(source, header.id).await?,
    };
    // The path fits the root: what does not fit is the header.
    let tx = state.verify_tx(state_header, &header, &path).map_err(|error| {
        let reason = format!("it is not the one in the state's tree ({error})");
        Verdict::BadHeader { tx: header.id, reason }
    })?;
    // Digests are compared below, and in version 0 the same ones are other
    // entries': what anybody may have written would pass for a row of ours.
    if tx.version() != HeaderVersion::V1 {
        let reason = "its header is of version 0, which holds no rows of ours".into();
        return Err(Verdict::BadHeader { tx: header.id, reason }.into());
    }
    Ok(Proved { tx, header, path })
}

/// The table, from the transaction that created it.
async fn proven_table(source: &mut WireSource, created: &VerifiedTx) -> Result<Table<'static>> {
    let differs = |reason: String| Verdict::TableDiffers { reason };
    let key = StreamKey { domain: Vec::new(), edition: Vec::new(), root: Vec::new() };
    let Some(row) = source.first_revision(&key, 0).await? else {
        return Err(differs("it has no genesis row".into()).into());
    };
    for id in 1..=TABLE_IDS {
        let Ok(table) = schema::table(id) else { break };
        let Ok(digests) = schema::genesis_digests(&table, &row) else { break };
        if entries_root(&digests) == created.eh()
            && created.verify_all_entries(HeaderVersion::V1, digests.iter().copied()).is_ok()
        {
            return Ok(table);
        }
    }
    Err(differs(format!("transaction {} did not create it", created.id())).into())
}

/// The rows that say that they were committed together with one, in the order
/// in which they say they were. All of it is a hint: `eh` decides.
struct Commit {
    table: Table<'static>,
    id: [u8; 16],
    own: (StreamKey, i64),
    rows: BTreeMap<u32, EntryDigest>,
}

impl Commit {
    fn new(table: Table<'static>, row: &StoredRow, body: &EventBody, digest: EntryDigest) -> Self {
        let own = (StreamKey::of_row(row), row.event_number);
        let rows = BTreeMap::from([(body.commit_index, digest)]);
        Self { table, id: body.commit_id, own, rows }
    }

    /// Takes a row whose place is free.
    fn add(&mut self, row: &StoredRow) {
        if let Some((index, digest)) = self.place(row)
            && self.rows.len() < MOST_ROWS
        {
            self.rows.entry(index).or_insert(digest);
        }
    }

    /// Takes a row, also in the place of another.
    fn put(&mut self, row: &StoredRow) {
        if let Some((index, digest)) = self.place(row)
            && (self.rows.len() < MOST_ROWS || self.rows.contains_key(&index))
        {
            self.rows.insert(index, digest);
        }
    }

    /// Where the row says it stood; `None` for a row of another commit, and
    /// for the one that is looked for, which is known.
    fn place(&self, row: &StoredRow) -> Option<(u32, EntryDigest)> {
        if row.event_number == self.own.1 && StreamKey::of_row(row) == self.own.0 {
            return None;
        }
        let body = EventBody::decode(&row.body).ok().filter(|body| body.commit_id == self.id)?;
        Some((body.commit_index, schema::row_digest(&self.table, row).ok()?))
    }

    fn digests(&self) -> Vec<EntryDigest> {
        self.rows.values().copied().collect()
    }
}

impl Reader {
    /// The next answer counts from here.
    fn begin(&mut self) {
        self.source.cost = ThinCost::default();
        self.tree.take_flaws();
    }

    fn ended(&mut self) -> (ThinCost, Vec<TileFlaw>) {
        (std::mem::take(&mut self.source.cost), self.tree.take_flaws())
    }

    async fn event(&mut self, cover: &Cover, sequence: u64) -> Result<PresentEvent> {
        let stream = || cover.to_string();
        let no_event = |reason| Undecided::NoEvent { stream: stream(), sequence, reason };
        let key = StreamKey::of_cover(cover);
        let row = self.source.first_revision(&key, sequence).await?;
        let row = row.ok_or_else(|| Undecided::NoRow { stream: stream(), sequence })?;
        let body = EventBody::decode(&row.body).map_err(|error| no_event(error.to_string()))?;
        if body.event_number != sequence {
            return Err(no_event(format!("it is event {}", body.event_number)).into());
        }
        let digest = schema::row_digest(&self.table, &row);
        let digest = digest.map_err(|error| no_event(error.to_string()))?;
        let (header, digests) = self.transaction(&row, &body, digest).await?;
        let Self { source, tree, .. } = self;
        let proved = prove(source, tree, self.state, &self.header, header).await?;
        let altered = || Verdict::EntriesAltered { tx: header.id };
        proved
            .tx
            .verify_all_entries(HeaderVersion::V1, digests.iter().copied())
            .map_err(|_| altered())?;
        let entry = digests.iter().position(|other| *other == digest).ok_or_else(altered)?;
        let entry = u32::try_from(entry).map_err(|_| altered())?;
        let entry_path = EntryTree::new(&digests).path(entry);
        let held = schema::verify_row(&proved.tx, &self.table, &row, entry, &entry_path)
            .map_err(Verdict::from)?;
        let body = classify::event(&row, header.id).map_err(no_event)?;
        let (cost, flaws) = self.ended();
        Ok(PresentEvent {
            claim: Claim::PresenceOnly,
            event: RecordedEvent {
                event: body.to_event(),
                sequence: body.event_number,
                tx: header.id,
                entry,
                recorded_at: body.recorded_at,
                committed_at: proved.tx.ts(),
                digest: held.digest(),
                authorship: author::authorship(&row.body, self.ledger, &self.authors),
            },
            proof: EventProof {
                ledger: self.ledger,
                table_id: self.table.id(),
                body: row.body.into(),
                entry,
                entry_path,
                header: ProvenHeader::new(&proved.header),
                tx_path: proved.path,
                state_header: ProvenHeader::new(&self.header),
            },
            state: self.state,
            flaws,
            cost,
        })
    }

    /// The first transaction after the one that the writer had seen whose
    /// entries are the row, by itself or with those of its commit.
    async fn transaction(
        &mut self,
        row: &StoredRow,
        body: &EventBody,
        digest: EntryDigest,
    ) -> Result<(Header<'static>, Vec<EntryDigest>)> {
        let state = self.state.tx;
        if body.seen_tx >= state.get() {
            let seen = TxId::new(body.seen_tx);
            return Err(Undecided::NewerThanState { seen, state }.into());
        }
        let mut commit = Commit::new(self.table, row, body, digest);
        self.source.rows_seen(body.seen_tx, &mut |other| commit.add(&other)).await?;
        let groups = [vec![digest], commit.digests()];
        let roots: [Root; 2] = [entries_root(&groups[0]), entries_root(&groups[1])];
        let first = body.seen_tx + 1;
        let last = state.get().min(body.seen_tx.saturating_add(SEEK));
        let mut passed = Vec::new();
        let (mut from, mut step) = (first, 1);
        while from <= last {
            let to = last.min(from + step - 1);
            for header in self.source.headers(from, to).await? {
                if let Some(found) = roots.iter().position(|root| *root == header.eh) {
                    return Ok((header, groups[found].clone()));
                }
                passed.push(header);
            }
            (from, step) = (to + 1, step * 4);
        }
        // Rows of the same append may have been overwritten since: as they
        // were first written.
        if body.append_count > 1 {
            let before = u64::from(body.append_index);
            let behind = u64::from(body.append_count - 1 - body.append_index);
            let numbers = body.event_number.saturating_sub(before)
                ..=body.event_number.saturating_add(behind.min(MOST_ROWS as u64));
            let key = StreamKey::of_row(row);
            let mut number = None;
            let take = &mut |other: StoredRow| {
                // The oldest revision of each comes first.
                if number.replace(other.event_number) != Some(other.event_number) {
                    commit.put(&other);
                }
            };
            self.source.history_of(&key, numbers, take).await?;
            let digests = commit.digests();
            let root = entries_root(&digests);
            if let Some(header) = passed.into_iter().find(|header| header.eh == root) {
                return Ok((header, digests));
            }
        }
        Err(Undecided::NoTransaction { first: TxId::new(first), last: TxId::new(last) }.into())
    }

    async fn advance(&mut self) -> Result<Advance> {
        let held = self.state;
        let Some(found) = self.source.state().await? else {
            return Err(Verdict::Missing { pinned: held }.into());
        };
        if found == held {
            return Ok(Advance::Unchanged);
        }
        if found.tx < held.tx {
            return Err(Verdict::Rollback { pinned: held, found: Some(found) }.into());
        }
        if found.tx == held.tx {
            return Err(Verdict::Fork { pinned: held, found }.into());
        }
        let header = state_header(&mut self.source, found).await?;
        let mut tree = ThinTree::open(&mut self.source, &header).await?;
        // The state held, as a leaf of the newer tree.
        let path = tree.inclusion(&mut self.source, held.tx).await?;
        found.verify_tx(&header, &self.header, &path).map_err(|_| fork(held, &header))?;
        let old = self.tree.size();
        if old > 0 {
            let path = tree.consistency(&mut self.source, old).await?;
            let (old, new) = (TreeSize::new(old), TreeSize::new(tree.size()));
            verify_consistency(old, &self.header.bl_root, new, &header.bl_root, &path)
                .map_err(|_| fork(held, &header))?;
        }
        let (cost, _) = self.ended();
        Ok(Advance::Unconfirmed { from: held, to: found, flaws: tree.take_flaws(), cost })
    }
}

/// The newer state's tree holds another history than the one held.
fn fork(held: TrustedState, newer: &Header<'_>) -> Verdict {
    let reason = format!("its tree does not go on from the state {held}");
    Verdict::BadHeader { tx: newer.id, reason }
}
