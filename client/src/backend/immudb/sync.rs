//! Brings the log to the server's end: headers first, each recomputed and
//! linked, then the rows that account for their entries.

use std::collections::{HashMap, HashSet};

use counterfoil_core::{Alh, EntryDigest, Header, HeaderVersion, Root, Table, TrustedState, TxId};
use tokio::sync::Mutex;

use super::Immudb;
use super::alter::{Alteration, elsewhere};
use super::groups::{Collector, Group};
use super::harm::{Changes, SingleChanges};
use super::headers::{Linked, Run, Tail, link};
use crate::config::Scope;
use crate::error::{Error, Result};
use crate::index::{NewRow, Position};
use crate::local::{Local, NewTx};
use crate::log::TxRecord;
use crate::row::StoredRow;
use crate::schema;
use crate::trust::compare;
use crate::verdict::{FindingKind, Verdict};

/// Headers fetched at once, unless none of them recomputes.
pub(super) const WINDOW: u64 = 1024;
/// Headers fetched at once in search of one that recomputes, at most: a
/// server may show any number that do not.
const MOST_HEADERS: u64 = 128 * WINDOW;
/// Entries accounted for at once, for each header fetched, unless one
/// transaction has more.
pub(super) const ENTRIES: u64 = 16;
/// How many transactions a writer may lag behind before its rows are sought
/// the expensive way.
const LAG: u64 = 64;
/// How many transactions of a window are looked at one by one, each at the
/// cost of a scan of the whole table.
const SINGLE_SCANS: usize = 8;
/// How many of them are then searched for changes of several rows, each at the
/// cost of two more scans.
const CHANGE_SCANS: usize = 4;
/// Revisions of the genesis row that are tried for the table's proof. Others
/// may have written many, each as large as they liked.
const GENESIS_REVISIONS: usize = 4;
/// Table ids that are tried for the table's proof.
const TABLE_IDS: u32 = 1024;

/// The rows that account for transactions.
#[derive(Default)]
pub(super) struct Accounts {
    groups: HashMap<Root, Group>,
    /// What others changed.
    changes: HashMap<Root, Changes>,
    /// What they did to the table itself.
    alterations: HashMap<Root, Alteration>,
    /// Under which id and in which transaction the table was created: from
    /// then on there are rows.
    table: Option<(u32, TxId)>,
}

impl Accounts {
    /// Nothing yet, of a table that is proved.
    pub(super) fn of(table: &Table<'_>, genesis: TxId) -> Self {
        Self { table: Some((table.id(), genesis)), ..Self::default() }
    }

    /// All entries of a transaction and its rows, if they are known.
    pub(super) fn entries(&self, linked: &Linked) -> Option<(Vec<EntryDigest>, Vec<NewRow>)> {
        let header = &linked.header;
        if !may_hold_rows(linked) || self.table.is_none_or(|(_, genesis)| header.id < genesis) {
            return None;
        }
        let (digests, rows) = if let Some(group) = self.groups.get(&header.eh) {
            group.clone().placed(header.id)
        } else if let Some(changes) = self.changes.get(&header.eh) {
            changes.placed(header.id)
        } else {
            (self.alterations.get(&header.eh)?.digests.clone(), Vec::new())
        };
        (digests.len() == header.nentries as usize).then_some((digests, rows))
    }

    /// What a transaction whose entries are known did to the table.
    pub(super) fn altered(&self, eh: &Root) -> Option<&str> {
        self.alterations.get(eh)?.what.as_deref()
    }
}

/// What a synchronisation may find accounted for without asking.
#[derive(Default)]
pub(crate) struct Hints<'a> {
    /// The group that this client has just sent, and its rows.
    pub(super) sent: Option<(Group, &'a [StoredRow])>,
}

impl Immudb {
    /// Brings the log to the server's end.
    ///
    /// `Ok(Some(verdict))` if the last transactions cannot be confirmed yet:
    /// the log then ends before them.
    pub(super) async fn sync_with(
        &self,
        local: &Mutex<Local>,
        hints: &Hints<'_>,
    ) -> Result<Option<Verdict>> {
        let _one_at_a_time = self.syncing.lock().await;
        local.lock().await.recover().await?;
        let end = self.wire.state().await?;
        let have = local.lock().await.log().head().map(|head| head.state);
        let end = match self.against_log(local, have, end).await? {
            Some(end) => end,
            None => return Ok(None),
        };
        let from = have.map_or(0, |have| have.tx.get());
        self.progress.start(end.tx.get() - from);
        let mut window = WINDOW;
        loop {
            let size = local.lock().await.log().size();
            if size >= end.tx.get() {
                break;
            }
            let done = self.sync_window(local, hints, end, window).await?;
            self.progress.advance(done);
            if done > 0 {
                window = WINDOW;
            } else if size.saturating_add(window) < end.tx.get() && window < MOST_HEADERS {
                // Nothing in it recomputes: look further for what covers it.
                window *= 2;
            } else {
                self.progress.finish();
                let claimed = end;
                return Ok(Some(Verdict::UnconfirmedEnd { claimed, verified: have }));
            }
        }
        self.progress.finish();
        Ok(None)
    }

    /// Compares the server's end with the log's; `None` if there is nothing new.
    async fn against_log(
        &self,
        local: &Mutex<Local>,
        have: Option<TrustedState>,
        end: Option<TrustedState>,
    ) -> Result<Option<TrustedState>> {
        let verdict = match (have, end) {
            (None, None) => return Ok(None),
            (None, Some(end)) => return Ok(Some(end)),
            (Some(pinned), None) => Verdict::Missing { pinned },
            (Some(have), Some(end)) if end.tx > have.tx => return Ok(Some(end)),
            (Some(have), Some(end)) => {
                let found = (end.tx == have.tx).then_some(end.alh);
                match compare(have, found, Some(end)) {
                    Ok(()) => return Ok(None),
                    Err(verdict) => verdict,
                }
            }
        };
        Err(local.lock().await.refuse(verdict).await)
    }

    /// Takes the next transactions into the log; gives back how many.
    async fn sync_window(
        &self,
        local: &Mutex<Local>,
        hints: &Hints<'_>,
        end: TrustedState,
        window: u64,
    ) -> Result<u64> {
        let (tail, first, last_ts) = {
            let local = local.lock().await;
            let log = local.log();
            let tail = Tail { last_alh: log.last_alh(), frontier: log.frontier() };
            (tail, log.next_id(), log.head().map(|head| head.ts))
        };
        let last = end.tx.get().min(first.get().saturating_add(window));
        let headers = self.wire.headers(first, TxId::new(last)).await?;
        let (headers, last_alh) = cut(&headers, end, window.saturating_mul(ENTRIES));
        let run = match link(tail, headers, last_alh) {
            Ok(run) => run,
            Err(verdict) => {
                let mut local = local.lock().await;
                let verdict = fork_at(local.log().head().map(|head| head.state), verdict);
                return Err(local.refuse(verdict).await);
            }
        };
        self.check_older(local, &run).await?;
        let linked = run.linked;
        if linked.iter().any(|linked| linked.header.metadata.truncated_tx_id.is_some()) {
            self.wire.expect_losses();
        }
        let (Some(begin), Some(stop)) = (linked.first(), linked.last()) else { return Ok(0) };
        let (begin, stop) = (begin.header.id, stop.header.id);
        let mut wanted: HashSet<Root> =
            linked.iter().filter(|l| may_hold_rows(l)).map(|l| l.header.eh).collect();
        let accounts = self.account(local, hints, &linked, &mut wanted, begin, stop).await?;
        let mut before = last_ts;
        let txs: Vec<NewTx> = linked
            .into_iter()
            .map(|linked| {
                // Nothing binds the time of an opaque header.
                let ts = (!linked.opaque).then_some(linked.header.ts);
                let backward = ts.and_then(|ts| before.replace(ts).filter(|before| ts < *before));
                new_tx(linked, &accounts, backward)
            })
            .collect();
        let done = txs.len() as u64;
        local.lock().await.extend(txs).await?;
        Ok(done)
    }

    /// Roots of sizes that the log had before this run.
    async fn check_older(&self, local: &Mutex<Local>, run: &Run) -> Result<()> {
        for (header, size) in &run.older {
            let mut local = local.lock().await;
            let expected = local.root_at(*size).await?;
            if expected != header.bl_root {
                let (tx, found) = (header.id, header.bl_root);
                return Err(local.refuse(Verdict::OtherHistory { tx, expected, found }).await);
            }
        }
        Ok(())
    }

    /// Finds the rows of transactions `begin` to `stop`. What is found leaves
    /// `wanted`.
    async fn account(
        &self,
        local: &Mutex<Local>,
        hints: &Hints<'_>,
        linked: &[Linked],
        wanted: &mut HashSet<Root>,
        begin: TxId,
        stop: TxId,
    ) -> Result<Accounts> {
        let mut accounts = Accounts::default();
        let found = &mut accounts.groups;
        let mut take = |groups: HashMap<Root, Group>, wanted: &mut HashSet<Root>| {
            for (root, group) in groups {
                wanted.remove(&root);
                found.insert(root, group);
            }
        };
        if let Some((group, _)) = &hints.sent {
            let root = group.root();
            if wanted.contains(&root) {
                take(HashMap::from([(root, group.clone())]), wanted);
            }
        }
        let known = {
            let local = local.lock().await;
            local.has_table().then(|| Ok::<_, Error>((local.table()?, local.genesis())))
        };
        let (table, genesis) = match known.transpose()? {
            Some(known) => known,
            None => {
                let Some((table, tx, group)) = self.find_genesis(linked, wanted).await? else {
                    // Without the table there is nothing to look for.
                    return Ok(accounts);
                };
                take(HashMap::from([(group.root(), group)]), wanted);
                (table, tx)
            }
        };
        accounts.table = Some((table.id(), genesis));
        // Nothing written before it was created is a row of it.
        let since = linked.iter().filter(|l| l.header.id >= genesis);
        let since: HashSet<Root> = since.map(|l| l.header.eh).collect();
        wanted.retain(|root| since.contains(root));
        self.seek(table, begin, stop, wanted, &mut accounts).await?;
        self.seek_alterations(table, linked, wanted, &mut accounts).await?;
        if let Some((group, rows)) = &hints.sent
            && !accounts.groups.contains_key(&group.root())
        {
            let found = elsewhere(&table, rows, &gaps(linked, wanted));
            wanted.retain(|root| !found.contains_key(root));
            accounts.alterations.extend(found);
        }
        if !wanted.is_empty() && self.scope == Scope::Exclusive {
            self.search(table, linked, wanted, &mut accounts).await?;
        }
        Ok(accounts)
    }

    /// Seeks changes of the table itself.
    pub(super) async fn seek_alterations(
        &self,
        table: Table<'static>,
        linked: &[Linked],
        wanted: &mut HashSet<Root>,
        accounts: &mut Accounts,
    ) -> Result<()> {
        let found = self.alterations(&table, &gaps(linked, wanted)).await?;
        wanted.retain(|root| !found.contains_key(root));
        accounts.alterations.extend(found);
        Ok(())
    }

    /// Seeks rows of transactions `begin` to `stop` among those whose writers
    /// had seen what came shortly before: at the cost of the rows found.
    pub(super) async fn seek(
        &self,
        table: Table<'static>,
        begin: TxId,
        stop: TxId,
        wanted: &mut HashSet<Root>,
        accounts: &mut Accounts,
    ) -> Result<()> {
        let first = begin.get() - 1;
        for from in [first, first.saturating_sub(LAG)] {
            if wanted.is_empty() {
                break;
            }
            let mut rows = Collector::new(table, wanted);
            self.wire.rows_seen(from, stop.get(), &mut |row| rows.add(&row)).await?;
            let groups = rows.finish();
            wanted.retain(|root| !groups.contains_key(root));
            accounts.groups.extend(groups);
        }
        Ok(())
    }

    /// Seeks what the narrow questions did not find: one scan of the history,
    /// then for a few transactions one scan each. Gives back how many scans of
    /// the table it took.
    pub(super) async fn search(
        &self,
        table: Table<'static>,
        linked: &[Linked],
        wanted: &mut HashSet<Root>,
        accounts: &mut Accounts,
    ) -> Result<u64> {
        let mut rows = Collector::new(table, wanted);
        let mut single = SingleChanges::new(table, wanted);
        let sink = &mut |row| {
            rows.add(&row);
            single.add(&row);
        };
        self.wire.history_all(sink).await?;
        let (groups, changes) = (rows.finish(), single.finish());
        wanted.retain(|root| !groups.contains_key(root) && !changes.contains_key(root));
        accounts.groups.extend(groups);
        accounts.changes.extend(changes);
        let mut scans = 1;
        // What is left may be one of ours whose commit id somebody reused.
        let gaps: Vec<&Linked> =
            linked.iter().filter(|l| !l.opaque && wanted.contains(&l.header.eh)).collect();
        let mut change_scans = CHANGE_SCANS;
        for linked in gaps.into_iter().take(SINGLE_SCANS) {
            let mut rows = Group::empty();
            self.wire.rows_of_tx(linked.header.id, &mut |row| rows.push(&table, &row)).await?;
            scans += 1;
            if rows.root() == linked.header.eh {
                wanted.remove(&linked.header.eh);
                accounts.groups.insert(linked.header.eh, rows);
                continue;
            }
            // One entry is one row's, and those are all known by now.
            let Header { id, eh, nentries, .. } = linked.header;
            if nentries > 1 && change_scans > 0 {
                change_scans -= 1;
                scans += 2;
                if let Some(changes) = self.changes_of(&table, id, eh, nentries).await? {
                    wanted.remove(&eh);
                    accounts.changes.insert(eh, changes);
                }
            }
        }
        Ok(scans)
    }

    /// Looks for the transaction that created the table: the catalog entries
    /// that this version's statements write, with the genesis row behind
    /// them, under whatever id the table got.
    async fn find_genesis(
        &self,
        linked: &[Linked],
        wanted: &HashSet<Root>,
    ) -> Result<Option<(Table<'static>, TxId, Group)>> {
        for row in self.genesis_rows().await? {
            for id in 1..=TABLE_IDS {
                let Ok(table) = schema::table(id) else { break };
                let Some(group) = Group::of_genesis(&table, &row) else { break };
                let root = group.root();
                if !wanted.contains(&root) {
                    continue;
                }
                let Some(first) = linked.iter().find(|l| may_hold_rows(l) && l.header.eh == root)
                else {
                    continue;
                };
                return Ok(Some((table, first.header.id, group)));
            }
        }
        Ok(None)
    }

    /// The first revisions of the genesis row: the very first came with the
    /// table, if the table is ours.
    pub(super) async fn genesis_rows(&self) -> Result<Vec<StoredRow>> {
        let mut rows = Vec::new();
        let take = &mut |row: StoredRow| {
            if schema::is_genesis_key(&row) && rows.len() < GENESIS_REVISIONS {
                rows.push(row);
            }
        };
        self.wire.history_of(b"", b"", b"", 0, 0, take).await?;
        Ok(rows)
    }
}

/// How many entries each of the roots has that are still wanted.
fn gaps(linked: &[Linked], wanted: &HashSet<Root>) -> HashMap<Root, u32> {
    let gaps = linked.iter().filter(|linked| wanted.contains(&linked.header.eh));
    gaps.map(|linked| (linked.header.eh, linked.header.nentries)).collect()
}

/// A successor of the pinned state that names another one in its place shows
/// another history, not a slip in the chain.
fn fork_at(pinned: Option<TrustedState>, verdict: Verdict) -> Verdict {
    match (pinned, verdict) {
        (Some(pinned), Verdict::BrokenChain { found, .. }) => {
            Verdict::Fork { pinned, found: TrustedState { tx: pinned.tx, alh: found } }
        }
        (_, verdict) => verdict,
    }
}

/// Whether the transaction may consist of rows as we write them, with nothing
/// or only the table's creation before them.
pub(super) fn may_hold_rows(linked: &Linked) -> bool {
    !linked.opaque
        && linked.header.version == HeaderVersion::V1
        && linked.header.nentries <= Position::MAX_ENTRIES
}

/// As many headers as may be accounted for at once, and the Alh that the last
/// of them must have: the one that its successor or the server's end names.
fn cut<'h>(
    headers: &'h [Header<'static>],
    end: TrustedState,
    most_entries: u64,
) -> (&'h [Header<'static>], Alh) {
    let mut entries = 0_u64;
    let fitting = headers
        .iter()
        .enumerate()
        .take_while(|(i, header)| {
            let before = entries;
            // An opaque header has no entries to be looked for, whatever it
            // says: it must not keep those that cover it out of the window.
            let alh = headers.get(i + 1).map_or(end.alh, |next| next.prev_alh);
            if header.alh() == Ok(alh) {
                entries += u64::from(header.nentries);
            }
            before == 0 || entries <= most_entries
        })
        .count();
    match headers.get(fitting) {
        Some(next) => (&headers[..fitting], next.prev_alh),
        None => match headers.split_last() {
            Some((last, rest)) if last.id != end.tx => (rest, last.prev_alh),
            _ => (headers, end.alh),
        },
    }
}

/// The log's record of a linked header, and what there is to say about it.
fn new_tx(linked: Linked, accounts: &Accounts, after: Option<i64>) -> NewTx {
    let known = accounts.entries(&linked);
    let Linked { header, alh, opaque } = linked;
    let mut findings = Vec::new();
    let truncated = header.metadata.truncated_tx_id.filter(|_| !opaque).map(TxId::new);
    if let Some(until) = truncated {
        let detail = format!("what was stored up to transaction {until} may be gone");
        findings.push((FindingKind::Truncated, detail));
    }
    if let Some(what) = known.as_ref().and_then(|_| accounts.altered(&header.eh)) {
        findings.push((FindingKind::SchemaChanged, what.to_owned()));
    }
    if let Some(after) = after {
        findings.push((FindingKind::TimeWentBack, format!("{} after {after}", header.ts)));
    }
    let (digests, rows) = match known {
        Some((digests, rows)) => (Some(digests), rows),
        None => {
            let kind = if opaque { FindingKind::Opaque } else { FindingKind::Unaccounted };
            findings.push((kind, format!("entries: {}", header.nentries)));
            (None, Vec::new())
        }
    };
    let of = if opaque { TxRecord::opaque } else { TxRecord::of };
    let record = TxRecord { digests, truncated, ..of(&header, alh) };
    let table = accounts.table.filter(|(_, genesis)| *genesis == header.id).map(|(id, _)| id);
    NewTx { record, rows, findings, table }
}
