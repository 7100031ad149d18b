//! Brings the log to the server's end: headers first, each recomputed and
//! linked, then the rows that account for their entries.

use std::collections::{HashMap, HashSet};

use counterfoil_core::{Alh, Header, Root, TrustedState, TxId};
use tokio::sync::Mutex;

use super::Immudb;
use super::groups::{Collector, Group};
use super::headers::{Linked, Run, Tail, link};
use crate::config::Scope;
use crate::error::Result;
use crate::index::Position;
use crate::local::{Local, NewTx};
use crate::log::TxRecord;
use crate::row::StoredRow;
use crate::schema;
use crate::trust::compare;
use crate::verdict::{FindingKind, Verdict};

/// Headers fetched at once, at most.
const WINDOW: u64 = 1024;
/// Entries accounted for at once, unless one transaction has more.
const WINDOW_ENTRIES: u64 = 16 * 1024;
/// How many transactions a writer may lag behind before its rows are sought
/// the expensive way.
const LAG: u64 = 64;
/// How many transactions of a window are looked at one by one, each at the
/// cost of a scan of the whole table.
const SINGLE_SCANS: usize = 8;
/// Table ids that are tried for the table's proof.
const TABLE_IDS: u32 = 1024;

/// What a synchronisation may find accounted for without asking.
#[derive(Default)]
pub(super) struct Hints {
    /// The group that this client has just sent.
    pub(super) sent: Option<Group>,
}

impl Immudb {
    /// Brings the log to the server's end.
    ///
    /// `Ok(Some(verdict))` if the last transactions cannot be confirmed yet:
    /// the log then ends before them.
    pub(super) async fn sync_with(
        &self,
        local: &Mutex<Local>,
        hints: &Hints,
    ) -> Result<Option<Verdict>> {
        let _one_at_a_time = self.syncing.lock().await;
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
            } else if size.saturating_add(window) < end.tx.get() {
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
        hints: &Hints,
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
        let (headers, last_alh) = cut(&headers, end);
        let run = match link(tail, headers, last_alh) {
            Ok(run) => run,
            Err(verdict) => return Err(local.lock().await.refuse(verdict).await),
        };
        self.check_older(local, &run).await?;
        let linked = run.linked;
        let (Some(begin), Some(stop)) = (linked.first(), linked.last()) else { return Ok(0) };
        let (begin, stop) = (begin.header.id, stop.header.id);
        let mut wanted: HashSet<Root> = linked
            .iter()
            .filter(|l| !l.opaque && l.header.nentries <= Position::MAX_ENTRIES)
            .map(|l| l.header.eh)
            .collect();
        let found = self.account(local, hints, &linked, &mut wanted, begin, stop).await?;
        let mut before = last_ts;
        let txs: Vec<NewTx> = linked
            .into_iter()
            .map(|linked| {
                let ts = linked.header.ts;
                let backward = before.replace(ts).filter(|before| ts < *before);
                new_tx(linked, &found, backward)
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
        hints: &Hints,
        linked: &[Linked],
        wanted: &mut HashSet<Root>,
        begin: TxId,
        stop: TxId,
    ) -> Result<HashMap<Root, Group>> {
        let mut found = HashMap::new();
        let mut take = |groups: HashMap<Root, Group>, wanted: &mut HashSet<Root>| {
            for (root, group) in groups {
                wanted.remove(&root);
                found.insert(root, group);
            }
        };
        if let Some(group) = &hints.sent {
            let root = group.root();
            if wanted.contains(&root) {
                take(HashMap::from([(root, group.clone())]), wanted);
            }
        }
        if !local.lock().await.has_table() {
            let Some(group) = self.find_genesis(local, linked, wanted).await? else {
                // Without the table there is nothing to look for.
                return Ok(found);
            };
            take(HashMap::from([(group.root(), group)]), wanted);
        }
        let table = local.lock().await.table()?;
        let before = stop.get();
        for from in [begin.get() - 1, (begin.get() - 1).saturating_sub(LAG)] {
            if wanted.is_empty() {
                return Ok(found);
            }
            let mut rows = Collector::new(table, wanted);
            self.wire.rows_seen(from, before, &mut |row| rows.add(&row)).await?;
            let groups = rows.finish();
            take(groups, wanted);
        }
        if wanted.is_empty() || self.scope == Scope::Shared {
            return Ok(found);
        }
        let mut rows = Collector::new(table, wanted);
        self.wire.history_all(&mut |row| rows.add(&row)).await?;
        let groups = rows.finish();
        take(groups, wanted);
        // What is left may be one of ours whose commit id somebody reused.
        let gaps: Vec<&Linked> =
            linked.iter().filter(|l| !l.opaque && wanted.contains(&l.header.eh)).collect();
        for linked in gaps.into_iter().take(SINGLE_SCANS) {
            let rows = self.wire.rows_of_tx(linked.header.id).await?;
            if let Some(group) = Group::of_rows(&table, &rows)
                && group.root() == linked.header.eh
            {
                take(HashMap::from([(group.root(), group)]), wanted);
            }
        }
        Ok(found)
    }

    /// Looks for the transaction that created the table: the catalog entries
    /// that this version's statements write, with the genesis row behind
    /// them, under whatever id the table got.
    async fn find_genesis(
        &self,
        local: &Mutex<Local>,
        linked: &[Linked],
        wanted: &HashSet<Root>,
    ) -> Result<Option<Group>> {
        for row in self.genesis_rows().await? {
            for id in 1..=TABLE_IDS {
                let Ok(table) = schema::table(id) else { break };
                let Some(group) = Group::of_genesis(&table, &row) else { break };
                let root = group.root();
                if !wanted.contains(&root) {
                    continue;
                }
                let Some(first) = linked.iter().find(|l| !l.opaque && l.header.eh == root) else {
                    continue;
                };
                local.lock().await.prove_table(id, first.header.id).await?;
                return Ok(Some(group));
            }
        }
        Ok(None)
    }

    /// Every revision of the genesis row.
    pub(super) async fn genesis_rows(&self) -> Result<Vec<StoredRow>> {
        let mut rows = self.wire.history_of(b"", b"", b"", 0, 0).await?;
        rows.retain(schema::is_genesis_key);
        Ok(rows)
    }
}

/// As many headers as may be accounted for at once, and the Alh that the last
/// of them must have: the one that its successor or the server's end names.
fn cut<'h>(headers: &'h [Header<'static>], end: TrustedState) -> (&'h [Header<'static>], Alh) {
    let mut entries = 0_u64;
    let fitting = headers
        .iter()
        .take_while(|header| {
            let before = entries;
            entries += u64::from(header.nentries);
            before == 0 || entries <= WINDOW_ENTRIES
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
fn new_tx(linked: Linked, found: &HashMap<Root, Group>, after: Option<i64>) -> NewTx {
    let Linked { header, alh, opaque } = linked;
    let mut findings = Vec::new();
    if let Some(after) = after {
        findings.push((FindingKind::TimeWentBack, format!("{} after {after}", header.ts)));
    }
    let group = found
        .get(&header.eh)
        .filter(|group| !opaque && group.digests.len() == header.nentries as usize)
        .cloned();
    let (digests, rows) = match group {
        Some(group) => {
            let (digests, rows) = group.placed(header.id);
            (Some(digests), rows)
        }
        None => {
            let kind = if opaque { FindingKind::Opaque } else { FindingKind::Unaccounted };
            findings.push((kind, format!("{} entries", header.nentries)));
            (None, Vec::new())
        }
    };
    let record = TxRecord {
        id: header.id,
        ts: header.ts,
        version: header.version,
        nentries: header.nentries,
        eh: header.eh,
        bl_tx_id: header.bl_tx_id,
        alh,
        digests,
        opaque,
    };
    NewTx { record, rows, findings }
}
