//! Auditing a table: every transaction since it was created is derived again
//! from what the server shows, and what it shows is held against them.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use counterfoil_core::{EntryDigest, TxId};

use super::Shared;
use super::accounts::{Accounts, LastEntry};
use super::answer::{TableCounts, TableGap, TableReport};
use super::prove::Proven;
use super::schema::{Encoder, Entry, Row, key_hash};
use super::seek::Known;
use crate::audit::{AuditVerdict, Inconsistency, InconsistencyKind as Kind};
use crate::backend::immudb::View;
use crate::error::Result;
use crate::revision::Revision;
use crate::trust::Pin;
use crate::undecided::Undecided;

/// Transactions that are looked at one by one, each at the cost of a scan of
/// every table.
const MOST_SINGLE: usize = 256;
/// Entries hashed in search of rows that were inserted together, in one audit.
const MOST_HASHED: usize = 8 * 1024 * 1024;
/// Revisions that are held: some hundred bytes each.
const MOST_REVISIONS: u64 = 16 * 1024 * 1024;
/// Inconsistencies and gaps that are listed.
const MOST_LISTED: usize = 1000;

/// What was seen, before it is judged.
pub(crate) struct Audited {
    table: Proven,
    /// By the rows' keys.
    shown: HashMap<[u8; 32], ShownRow>,
    revisions: u64,
    /// Revisions that the table cannot hold.
    impossible: u64,
    /// Why transactions looked at one by one are gaps.
    reasons: BTreeMap<TxId, String>,
}

/// What the server shows of a row.
#[derive(Default)]
struct ShownRow {
    /// The entries that its revisions may be.
    revisions: Vec<[EntryDigest; 2]>,
    /// The row as it is now.
    now: Option<EntryDigest>,
}

impl Shared {
    /// Accounts for what can be, and reads the table.
    pub(crate) async fn audit(&self, known: &mut Known, name: &str) -> Result<Audited> {
        let table = self.prove(known, name).await?;
        let tables = self.all_tables(known, &table).await?;
        let mut hashed = MOST_HASHED;
        let mut audited = Audited {
            shown: HashMap::new(),
            revisions: 0,
            impossible: 0,
            reasons: BTreeMap::new(),
            table: table.clone(),
        };
        self.read_history(known, &table, &mut hashed, Some(&mut audited)).await?;
        for other in tables.iter().skip(1) {
            self.read_history(known, other, &mut hashed, None).await?;
        }
        // A transaction of one entry is one row's, and those are all known.
        let left: Vec<TxId> = known
            .accounts
            .gaps_after(table.created)
            .filter(|(_, shape)| shape.is_some_and(|(_, entries)| entries > 1))
            .map(|(tx, _)| tx)
            .take(MOST_SINGLE)
            .collect();
        for tx in left {
            // Another of the same shape may have settled it.
            if known.accounts.gap(tx).is_some()
                && let Err(reason) = self.account(&mut known.accounts, tx, &tables).await?
            {
                audited.reasons.insert(tx, reason);
            }
        }
        self.read_now(known.accounts.through(), &mut audited).await?;
        if audited.revisions > MOST_REVISIONS {
            let reason = format!("more than {MOST_REVISIONS} revisions of its rows are shown");
            return Err(Undecided::RowUnproven { table: name.into(), reason }.into());
        }
        Ok(audited)
    }

    /// Reads all revisions of a table's rows, and accounts for the
    /// transactions that changed one of them, or inserted neighbours.
    async fn read_history(
        &self,
        known: &mut Known,
        table: &Proven,
        hashed: &mut usize,
        mut audited: Option<&mut Audited>,
    ) -> Result<()> {
        let columns = table.schema.encoded_columns();
        let encoder = Encoder::new(&table.schema, table.id, &columns).map_err(|error| {
            Undecided::TableUnproven { table: table.schema.name.clone(), reason: error.to_string() }
        })?;
        let owner = table.owner();
        let accounts = &mut known.accounts;
        let mut neighbours = Neighbours::new(accounts, table.created, hashed);
        let mut before: Option<Revision> = None;
        let take = &mut |row: Row| {
            let revision = encoder.revision(&row);
            if let Some(audited) = &mut audited {
                audited.revisions += 1;
                if audited.revisions > MOST_REVISIONS {
                    return;
                }
                match &revision {
                    Ok(now) => audited
                        .shown
                        .entry(key_hash(now.key()))
                        .or_default()
                        .revisions
                        .push([now.written(), now.deleted()]),
                    Err(_) => audited.impossible += 1,
                }
            }
            let Ok(now) = revision else { return };
            if let Some(before) = before.take().filter(|before| before.key() == now.key()) {
                accounts.settle(&Entry::over(&now, &before, owner));
            }
            accounts.settle(&[Entry::deleted(&now, owner)]);
            let written = Entry::written(&now, owner);
            accounts.settle(std::slice::from_ref(&written));
            neighbours.add(accounts, written);
            before = Some(now);
        };
        self.rows(&table.name, &table.schema, View::History, None, take).await
    }

    /// Reads the rows as they are.
    async fn read_now(&self, through: TxId, audited: &mut Audited) -> Result<()> {
        let Audited { table, shown, impossible, .. } = audited;
        let columns = table.schema.encoded_columns();
        let Ok(encoder) = Encoder::new(&table.schema, table.id, &columns) else { return Ok(()) };
        let take = &mut |row: Row| match encoder.revision(&row) {
            Ok(now) if (shown.len() as u64) < MOST_REVISIONS => {
                shown.entry(key_hash(now.key())).or_default().now = Some(now.written());
            }
            _ => *impossible += 1,
        };
        let view = View::AsOf(Self::number(through));
        self.rows(&table.name, &table.schema, view, None, take).await
    }
}

/// Rows that follow one another in the order of the keys and were perhaps
/// inserted together, as those of an AUTO_INCREMENT key are.
struct Neighbours<'h> {
    last: VecDeque<Entry>,
    /// The numbers of entries that transactions have which are not accounted
    /// for.
    lengths: Vec<usize>,
    hashed: &'h mut usize,
}

impl<'h> Neighbours<'h> {
    fn new(accounts: &Accounts, after: TxId, hashed: &'h mut usize) -> Self {
        let counts = accounts.gaps_after(after).filter_map(|(_, shape)| Some(shape?.1 as usize));
        let lengths: HashSet<usize> = counts.filter(|count| *count > 1).collect();
        let mut lengths: Vec<usize> = lengths.into_iter().collect();
        lengths.sort_unstable();
        Self { last: VecDeque::new(), lengths, hashed }
    }

    fn add(&mut self, accounts: &mut Accounts, entry: Entry) {
        let Some(longest) = self.lengths.last() else { return };
        if self.last.len() >= *longest {
            self.last.pop_front();
        }
        self.last.push_back(entry);
        let entries = self.last.make_contiguous();
        for length in &self.lengths {
            let Some(first) = entries.len().checked_sub(*length) else { return };
            let Some(left) = self.hashed.checked_sub(*length) else { return };
            *self.hashed = left;
            accounts.settle(&entries[first..]);
        }
    }
}

impl Audited {
    /// Judges, by accounts that know of every transaction that the ledger had
    /// when the last of it was read.
    pub(crate) fn report(mut self, accounts: &Accounts, pin: Pin) -> TableReport {
        let table = self.table.answer(accounts);
        let mut inconsistencies = Vec::new();
        let mut counts = TableCounts { revisions: self.revisions, ..TableCounts::default() };
        let rows: HashMap<&[u8; 32], &LastEntry> = accounts.rows_of(self.table.id).collect();
        let held = accounts.all_digests();
        for (key, shown) in &self.shown {
            let proven =
                shown.revisions.iter().filter(|pair| pair.iter().any(|d| held.contains(d)));
            let proven = proven.count() as u64;
            let last = rows.get(key).copied();
            counts.proven += proven.min(last.map_or(0, |last| last.entries));
            if let Some(wrong) = judge(accounts, &self.table, shown, proven, last) {
                inconsistencies.push(wrong);
            }
        }
        for (key, last) in &rows {
            match last.deleted {
                true => counts.deleted += 1,
                false => counts.rows += 1,
            }
            if !self.shown.contains_key(*key) {
                inconsistencies.push(missing(last, "no revision of it is shown"));
            }
        }
        if self.impossible > 0 && accounts.completeness(self.table.created).is_complete() {
            let detail = format!("rows that the table cannot hold are shown: {}", self.impossible);
            inconsistencies.push(Inconsistency {
                tx: None,
                entry: None,
                kind: Kind::SurplusRow,
                detail,
            });
        }
        inconsistencies.sort_by_key(|found| (found.tx, found.entry));
        counts.gaps = accounts.gaps_after(self.table.created).count() as u64;
        counts.transactions = accounts.through().get() - self.table.created.get() + 1;
        let verdict = match (inconsistencies.is_empty(), counts.gaps) {
            (false, _) => AuditVerdict::Broken,
            (true, 0) if counts.proven == counts.revisions => AuditVerdict::Intact,
            (true, _) => AuditVerdict::Incomplete,
        };
        inconsistencies.truncate(MOST_LISTED);
        let gaps = accounts.gaps_after(self.table.created).take(MOST_LISTED);
        let gaps =
            gaps.map(|(tx, shape)| self.gap(tx, shape.map(|(_, entries)| entries))).collect();
        TableReport { table, pin, verdict, counts, inconsistencies, gaps }
    }

    fn gap(&mut self, tx: TxId, entries: Option<u32>) -> TableGap {
        let reason = self.reasons.remove(&tx).unwrap_or_else(|| match entries {
            None => "its header carries metadata that the wire does not show, or is of immudb's \
                     first format"
                .into(),
            Some(1) => "no row of a proven table makes its entry: key-value data, a change of the \
                        catalog, a table that is not proved, JSON written otherwise than it is \
                        shown, or a row that is withheld or altered"
                .into(),
            Some(_) => format!(
                "not looked at: more than {MOST_SINGLE} transactions would have to be, one by one"
            ),
        });
        TableGap { tx, entries, reason }
    }
}

/// What does not hold about a row, if anything.
fn judge(
    accounts: &Accounts,
    table: &Proven,
    shown: &ShownRow,
    proven: u64,
    last: Option<&LastEntry>,
) -> Option<Inconsistency> {
    let revisions = shown.revisions.len() as u64;
    let Some(last) = last else {
        // A gap may hold it.
        let certain = accounts.completeness(table.created).is_complete();
        return certain.then(|| Inconsistency {
            tx: None,
            entry: None,
            kind: Kind::SurplusRow,
            detail: "a row is shown that no transaction holds".into(),
        });
    };
    // HISTORY shows what was changed and deleted, too.
    if revisions < last.entries {
        let detail = format!("{revisions} of its {} revisions are shown", last.entries);
        return Some(missing(last, &detail));
    }
    // What comes later may be in a gap.
    if !accounts.completeness(last.tx).is_complete() {
        return None;
    }
    let at = |kind, detail: &str| Some(Inconsistency::of_entry(last.tx, last.entry, kind, detail));
    match shown.now {
        None if !last.deleted => return Some(missing(last, "the table does not show it")),
        Some(_) if last.deleted => {
            return at(Kind::SurplusRow, "the table shows a row that was deleted there");
        }
        Some(now) if now != last.digest => {
            return at(Kind::AlteredRow, "the table shows another row than was written there");
        }
        _ => {}
    }
    let latest = shown.revisions.last().is_some_and(|pair| pair.contains(&last.digest));
    if !latest {
        return at(Kind::AlteredRow, "the last revision shown is not the one written there");
    }
    let certain = accounts.completeness(table.created).is_complete();
    if certain && (proven < revisions || last.entries < revisions) {
        return at(Kind::SurplusRow, "more revisions are shown than transactions hold");
    }
    None
}

fn missing(last: &LastEntry, detail: &str) -> Inconsistency {
    Inconsistency::of_entry(last.tx, last.entry, Kind::MissingRow, detail)
}
