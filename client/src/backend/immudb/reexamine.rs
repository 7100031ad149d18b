//! Looking again at transactions that could not be accounted for when they
//! were first seen. Where their entries are known now, the index is derived
//! anew from the first of them on: as if nothing had ever been missing.

use std::collections::{HashMap, HashSet};

use counterfoil_core::{EntryDigest, Root, TxId};
use tokio::sync::Mutex;

use super::Immudb;
use super::headers::Linked;
use super::sync::{Accounts, ENTRIES, WINDOW, may_hold_rows};
use crate::error::{Error, Result};
use crate::index::{Index, NewRow, Position};
use crate::local::Local;
use crate::log::{Log, TxRecord};
use crate::schema::catalog_copies;
use crate::store::Reexamined;
use crate::verdict::FindingKind;

/// Entries of transactions that are held at once, unless one has more.
const MOST_ENTRIES: u64 = WINDOW * ENTRIES;

/// What is known now of a transaction that was a gap.
struct Closed {
    digests: Vec<EntryDigest>,
    rows: Vec<NewRow>,
    /// What it did to the table.
    altered: Option<String>,
}

impl Immudb {
    /// Looks again at the gaps behind `after`, as many as fit.
    pub(crate) async fn reexamine(&self, local: &Mutex<Local>, after: TxId) -> Result<Reexamined> {
        // Nothing extends the log meanwhile.
        let _one_at_a_time = self.syncing.lock().await;
        let (table, genesis, gaps, next) = {
            let mut local = local.lock().await;
            // What came before the table cannot hold its rows.
            let (table, genesis) = (local.table()?, local.genesis());
            let (gaps, next) = gaps(&mut local, after.max(genesis)).await?;
            (table, genesis, gaps, next)
        };
        let mut report = Reexamined { examined: gaps.len() as u64, next, ..Reexamined::default() };
        let mut wanted = roots(&gaps);
        if wanted.is_empty() {
            return Ok(report);
        }
        let mut accounts = Accounts::of(&table, genesis);
        self.seek_alterations(table, &gaps, &mut wanted, &mut accounts).await?;
        report.scans = self.search(table, &gaps, &mut wanted, &mut accounts).await?;
        let known = gaps.iter().filter_map(|gap| {
            let (digests, rows) = accounts.entries(gap)?;
            let altered = accounts.altered(&gap.header.eh).map(str::to_owned);
            Some((gap.header.id, Closed { digests, rows, altered }))
        });
        let closed: HashMap<TxId, Closed> = known.collect();
        let mut ids: Vec<TxId> = closed.keys().copied().collect();
        ids.sort();
        let Some(first) = ids.first() else { return Ok(report) };
        let mut local = local.lock().await;
        let mut anew = local.derive_anew().await?;
        match self.derive_from(&mut anew, *first, closed, &mut report.scans).await {
            Ok(()) => {
                anew.keep(*first).await?;
                (report.from, report.closed) = (Some(*first), ids);
            }
            Err(Halt::Lost(tx)) => report.blocked = Some(tx),
            Err(Halt::Error(error)) => return Err(error),
        }
        Ok(report)
    }

    /// Derives the index anew from a transaction on, over all that the log
    /// accounts for and what was found now.
    async fn derive_from(
        &self,
        local: &mut Local,
        first: TxId,
        mut closed: HashMap<TxId, Closed>,
        scans: &mut u64,
    ) -> Result<(), Halt> {
        let (table, genesis) = (local.table()?, local.genesis());
        let altered = local.altered_from(first).await?;
        let copies = catalog_copies(&table);
        // What was derived from the table alone has no rows. Which those are
        // only their entries say: a header may name a truncation and hold rows.
        let rowless = |id: &TxId, digests: &Vec<EntryDigest>| {
            altered.contains(id) || copies.as_ref() == Some(digests)
        };
        local.forget_from(first).await?;
        let (mut from, end) = (first.get(), local.log().size());
        self.progress.start(end - from + 1);
        while let window = window(local, from).await?
            && let Some(last) = window.last()
        {
            let stop = last.linked.header.id;
            let lacking = |Noted { linked, digests }: &&Noted| {
                let id = &linked.header.id;
                digests.as_ref().is_some_and(|digests| !rowless(id, digests))
                    && !closed.contains_key(id)
            };
            let accounted: Vec<Linked> =
                window.iter().filter(lacking).map(|noted| noted.linked.clone()).collect();
            let mut wanted = roots(&accounted);
            let mut accounts = Accounts::of(&table, genesis);
            self.seek(table, TxId::new(from), stop, &mut wanted, &mut accounts).await?;
            if !wanted.is_empty() {
                *scans += self.search(table, &accounted, &mut wanted, &mut accounts).await?;
            }
            let mut rows = Vec::new();
            for Noted { linked, digests } in &window {
                let id = linked.header.id;
                if let Some(closed) = closed.remove(&id) {
                    local.account_for(id, linked.header.eh, &closed.digests).await?;
                    if let Some(what) = closed.altered {
                        local.note_alteration(id, &what).await?;
                    }
                    rows.extend(closed.rows);
                } else if let Some(digests) = digests.as_ref().filter(|d| !rowless(&id, d)) {
                    let again = accounts.entries(linked).filter(|(again, _)| again == digests);
                    // Without its rows nothing behind it can be derived.
                    let (_, found) = again.ok_or(Halt::Lost(id))?;
                    rows.extend(found);
                }
            }
            local.add_rows(&rows).await?;
            self.progress.advance(window.len() as u64);
            from = stop.get() + 1;
        }
        self.progress.finish();
        Ok(())
    }
}

/// Why the index stays as it was.
enum Halt {
    /// The server does not show any more what the log accounts for here.
    Lost(TxId),
    Error(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// A transaction of the log.
struct Noted {
    linked: Linked,
    digests: Option<Vec<EntryDigest>>,
}

impl Noted {
    async fn of(local: &mut Local, record: TxRecord) -> Result<Self> {
        let header = local.header(&record).await?;
        let TxRecord { alh, opaque, digests, .. } = record;
        Ok(Self { linked: Linked { header, alh, opaque }, digests })
    }
}

/// Transactions from `first` on, as many as may be accounted for at once.
async fn window(local: &mut Local, first: u64) -> Result<Vec<Noted>> {
    let mut window = Vec::new();
    let mut entries = 0;
    let last = first.saturating_add(WINDOW - 1);
    for (_, record) in Log::records(local.conn(), first, last).await? {
        let record = record?;
        entries += u64::from(record.nentries);
        if !window.is_empty() && entries > MOST_ENTRIES {
            break;
        }
        window.push(Noted::of(local, record).await?);
    }
    Ok(window)
}

/// The gaps behind a transaction, as many as may be accounted for at once, and
/// the last that was looked at if there are more. An opaque one stays one:
/// nothing binds what it shows.
async fn gaps(local: &mut Local, after: TxId) -> Result<(Vec<Linked>, Option<TxId>)> {
    let mut found = Index::gaps_after(local.conn(), Position::end_of(after), WINDOW + 1).await?;
    let more = found.len() as u64 > WINDOW;
    found.truncate(WINDOW as usize);
    let (mut gaps, mut entries, mut last) = (Vec::new(), 0, after);
    for (tx, kind) in found {
        if kind == FindingKind::Unaccounted {
            let record = local.record(tx).await?;
            entries += u64::from(record.nentries);
            if !gaps.is_empty() && entries > MOST_ENTRIES {
                return Ok((gaps, Some(last)));
            }
            gaps.push(Noted::of(local, record).await?.linked);
        }
        last = tx;
    }
    Ok((gaps, more.then_some(last)))
}

fn roots(linked: &[Linked]) -> HashSet<Root> {
    linked.iter().filter(|linked| may_hold_rows(linked)).map(|linked| linked.header.eh).collect()
}
