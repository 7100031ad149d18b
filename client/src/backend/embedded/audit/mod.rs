//! Derives a ledger file's transactions again, and goes on where something
//! does not hold.
//!
//! There are two ways. [`Linker`] goes straight ahead and says nothing of a
//! transaction but that it holds; [`AuditedFile::derive`] takes those of which
//! that cannot be said and names everything.

mod checked;
mod chunk;
mod link;
mod scan;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use counterfoil_core::{Alh, Root, TxId};

pub(crate) use self::checked::{Checked, Place as FileAt, Why};
pub(crate) use self::link::{InOwnLog, Linked, LinkedRow, Linker};
use self::scan::Scan;
use super::file::LedgerFile;
use super::{TABLE_ID, first_entry, impossible, new_tx, open};
use crate::audit::{Inconsistency, InconsistencyKind as Kind};
use crate::config::Config;
use crate::error::Result;
use crate::index::{NewRow, Position, RowContent};
use crate::local::NewTx;
use crate::log::{LogEnd, TxRecord};
use crate::row::StoredRow;
use crate::schema;
use crate::sqlite::FileKind;
use crate::verdict::FindingKind;

/// A transaction as the file shows it: any column may hold anything.
#[derive(Default)]
pub(super) struct RawTx {
    pub(super) ts: Option<i64>,
    pub(super) nentries: Option<i64>,
    pub(super) alh: Option<Alh>,
}

/// A row's entry, and its value if it is one.
pub(super) type RawRow = (u32, Option<Vec<u8>>);

/// A range of transactions and the rows that stand at their places.
#[derive(Default)]
pub(super) struct Raw {
    pub(super) txs: BTreeMap<u64, RawTx>,
    pub(super) rows: BTreeMap<u64, Vec<RawRow>>,
    /// Numbers and places that something has already: left out above.
    pub(super) repeated: Vec<(TxId, Option<u32>)>,
}

impl Raw {
    fn rows(&self, id: u64) -> &[RawRow] {
        self.rows.get(&id).map_or(&[], Vec::as_slice)
    }
}

/// Missing rows that are named one by one in a transaction: as many entries
/// as one of ours has at most.
const MOST_NAMED: usize = 1024;

/// A ledger file under audit: read, never written to nor locked.
pub(crate) struct AuditedFile {
    file: LedgerFile,
}

/// Transactions derived again.
#[derive(Default)]
pub(crate) struct Derived {
    pub(crate) txs: Vec<NewTx>,
    /// In the order of their transactions.
    pub(crate) inconsistencies: Vec<Inconsistency>,
    /// Why nothing behind them can be linked, if so.
    pub(crate) stopped: Option<Inconsistency>,
}

impl AuditedFile {
    /// `None` if there is no file.
    pub(crate) async fn open(config: &Config) -> Result<Option<Self>> {
        let path: &Path = &config.storage.embedded.path;
        if !path.try_exists().map_err(|cause| open::file_error(path, cause))? {
            return Ok(None);
        }
        Ok(Some(Self { file: LedgerFile::open(path, false).await? }))
    }

    /// Leaves nothing beside the file that was not there.
    pub(crate) async fn close(self) {
        // It was read to its end; that it cannot be closed says nothing of the ledger.
        let _ = self.file.close().await;
    }

    /// Where this client keeps the log of the file.
    pub(crate) fn own_log(config: &Config) -> Result<PathBuf> {
        Ok(super::trust_file::TrustFile::of(config)?.path)
    }

    /// The file's last transaction, with the Alh that it shows.
    pub(crate) async fn end(&mut self) -> Result<Option<(TxId, Option<Alh>)>> {
        self.file.raw_end().await
    }

    /// The Alh that the file shows for a transaction, if it is one.
    pub(crate) async fn alh(&mut self, id: TxId) -> Result<Option<Alh>> {
        self.file.raw_alh(id).await
    }

    /// Begins to read transactions `first` to `last`, and what the own log has
    /// of them.
    pub(crate) fn scan(&self, own: Option<FileAt>, first: TxId, last: TxId) -> Scan {
        let (path, unchanging) = self.file.read_as();
        let ledger = FileAt { path: path.into(), unchanging, kind: FileKind::Ledger };
        Scan::begin(ledger, own, first.get(), last.get())
    }

    /// Whether what was read of it still is what is there, where that could
    /// have changed unnoticed.
    pub(crate) fn is_still(&self) -> Result<()> {
        self.file.is_still()
    }

    /// Whether the file that is open has its name yet. What a scan has read by
    /// then, by that name, is of no other.
    pub(crate) fn is_in_place(&self) -> bool {
        self.file.is_in_place().is_ok()
    }

    /// How far a batch goes that begins with `first`: to `last`, or as far as
    /// its rows are few enough to be held at once. A single transaction is held
    /// however large it is, and where its Alh does not follow from its rows,
    /// the next one beside it: 65,536 rows of 1 MiB each are the most that a
    /// file can make of one.
    pub(crate) async fn fitting(&mut self, first: u64, last: u64) -> Result<u64> {
        self.file.fitting(first, last).await
    }

    /// What stands where no transaction of the ledger can be.
    pub(crate) async fn misplaced(&mut self) -> Result<Vec<Inconsistency>> {
        let there = self.file.misplaced().await?;
        let mut found = Vec::new();
        let mut note = |detail: String| {
            found.push(Inconsistency { tx: None, entry: None, kind: Kind::SurplusRow, detail });
        };
        if there.txs > 0 {
            note(format!("transactions with a number below 1: {}", there.txs));
        }
        if there.before > 0 {
            note(format!("rows before the first transaction: {}", there.before));
        }
        if let Some(pos) = there.first {
            let detail =
                format!("rows behind the last transaction, from here on: {}", there.behind);
            found.push(Inconsistency::of_entry(pos.tx(), pos.entry(), Kind::SurplusRow, detail));
        }
        Ok(found)
    }

    /// Derives the transactions from the end of the log through `last`. What
    /// this client's own log says of them helps to tell what was altered.
    pub(crate) async fn derive(
        &mut self,
        mut end: LogEnd,
        last: TxId,
        own: &BTreeMap<u64, TxRecord>,
    ) -> Result<Derived> {
        let first = end.size() + 1;
        let mut raw = self.file.read_raw(first, last.get()).await?;
        let mut derived = Derived::default();
        for (tx, entry) in std::mem::take(&mut raw.repeated) {
            let repeated = Inconsistency::of_tx(tx, Kind::SurplusRow, "it is stored once more");
            derived.inconsistencies.push(Inconsistency { entry, ..repeated });
        }
        for id in first..=last.get() {
            let place = Place { end: &end, id: TxId::new(id), raw: &raw, own: own.get(&id) };
            match place.judge(&mut self.file).await? {
                Judged::Linked(tx, found) => {
                    end.push(&tx.record)?;
                    derived.txs.push(*tx);
                    derived.inconsistencies.extend(found);
                }
                Judged::Lost(why) => {
                    derived.stopped = Some(why);
                    break;
                }
            }
            // Its rows are as much as what was made of them.
            raw.rows.remove(&id);
        }
        derived.inconsistencies.sort_by_key(|one| one.tx);
        Ok(derived)
    }
}

enum Judged {
    Linked(Box<NewTx>, Vec<Inconsistency>),
    Lost(Inconsistency),
}

/// A transaction's place in the file, seen from what was derived before it.
struct Place<'a> {
    end: &'a LogEnd,
    id: TxId,
    raw: &'a Raw,
    own: Option<&'a TxRecord>,
}

impl Place<'_> {
    async fn judge(&self, file: &mut LedgerFile) -> Result<Judged> {
        let none = RawTx::default();
        let shown = self.raw.txs.get(&self.id.get());
        let tx = shown.unwrap_or(&none);
        let made = make(self.end, self.id, tx, self.raw.rows(self.id.get()))?;
        let made = match made {
            Some(made) if Some(made.record.alh) == tx.alh => {
                let mut found = Vec::new();
                if tx.nentries != Some(i64::from(made.record.nentries)) {
                    found.push(self.altered_header("number of entries"));
                }
                return Ok(Judged::Linked(Box::new(made), found));
            }
            made => made,
        };
        // What this client verified once, if it continues this very chain.
        if let Some(own) = self.own
            && own.digests.is_some()
            && self.end.next_header(own.ts, own.nentries, own.eh).alh() == Ok(own.alh)
        {
            return self.against(own, shown).map(|(tx, found)| Judged::Linked(Box::new(tx), found));
        }
        // Rows that the next transaction hangs on are right, whatever hash is
        // stored beside them.
        if let Some(made) = made
            && self.is_followed(&made.record, file).await?
        {
            let found = vec![self.altered_hash()];
            return Ok(Judged::Linked(Box::new(made), found));
        }
        let Some(alh) = tx.alh else {
            let kind = if shown.is_some() { Kind::AlteredHash } else { Kind::MissingTx };
            let detail = "nothing tells its Alh: what comes behind it cannot be linked";
            return Ok(Judged::Lost(Inconsistency::of_tx(self.id, kind, detail)));
        };
        self.claimed(tx, alh)
    }

    /// The transaction as this client's own log holds it, and every way in
    /// which the file differs from that.
    fn against(
        &self,
        own: &TxRecord,
        shown: Option<&RawTx>,
    ) -> Result<(NewTx, Vec<Inconsistency>)> {
        let mut found = Vec::new();
        match shown {
            None => found.push(Inconsistency::of_tx(self.id, Kind::MissingTx, "it is missing")),
            Some(shown) => {
                if shown.ts != Some(own.ts) {
                    found.push(self.altered_header("time stamp"));
                }
                if shown.nentries != Some(i64::from(own.nentries)) {
                    found.push(self.altered_header("number of entries"));
                }
                if shown.alh != Some(own.alh) {
                    found.push(self.altered_hash());
                }
            }
        }
        let table = schema::table(TABLE_ID).map_err(impossible)?;
        let rows = self.raw.rows(self.id.get());
        let digests = own.digests.as_deref().unwrap_or_default();
        let (mut good, mut whole) = (Vec::new(), true);
        for (digest, entry) in digests.iter().zip(0..).skip(first_entry(self.id) as usize) {
            let Ok(at) = rows.binary_search_by_key(&entry, |row| row.0) else {
                found.push(self.entry(entry, Kind::MissingRow, "the row is missing"));
                whole = false;
                continue;
            };
            let row = decode(&rows[at])?;
            match row.filter(|row| schema::row_digest(&table, row).as_ref() == Ok(digest)) {
                Some(row) => {
                    good.push(NewRow::new(*digest, &row).at(Position::new(self.id, entry)));
                }
                None => {
                    let detail = "its bytes are not those that the ledger committed to";
                    found.push(self.entry(entry, Kind::AlteredRow, detail));
                    whole = false;
                }
            }
        }
        let within = first_entry(self.id)..own.nentries;
        for (entry, _) in rows.iter().filter(|row| !within.contains(&row.0)) {
            found.push(self.entry(*entry, Kind::SurplusRow, "no such entry is in the transaction"));
        }
        let mut record = own.clone();
        if !whole {
            record.digests = None;
        }
        let mut tx = NewTx { record, rows: good, findings: Vec::new(), table: None };
        self.finish(&mut tx);
        Ok((tx, found))
    }

    /// Nothing tells what the transaction held: its Alh is taken from the
    /// file, and whatever can be named is named.
    fn claimed(&self, tx: &RawTx, alh: Alh) -> Result<Judged> {
        let rows = self.raw.rows(self.id.get());
        let mut found = Vec::new();
        for row in rows {
            let reason = match decode(row)? {
                None => "it is no row of this table".to_owned(),
                Some(stored) => {
                    match NewRow::new(counterfoil_core::EntryDigest::new([0; 32]), &stored)
                        .at(Position::new(self.id, row.0))
                        .content
                    {
                        RowContent::Not(reason) => reason,
                        _ => continue,
                    }
                }
            };
            found.push(self.entry(row.0, Kind::AlteredRow, reason));
        }
        let nentries = tx.nentries.and_then(|n| u32::try_from(n).ok());
        let nentries = nentries.filter(|n| *n <= Position::MAX_ENTRIES);
        if let Some(nentries) = nentries {
            let absent = |entry: &u32| rows.binary_search_by_key(entry, |row| row.0).is_err();
            for entry in (first_entry(self.id)..nentries).filter(absent).take(MOST_NAMED) {
                found.push(self.entry(entry, Kind::MissingRow, "the row is missing"));
            }
            for (entry, _) in rows.iter().filter(|row| row.0 >= nentries) {
                found.push(self.entry(
                    *entry,
                    Kind::SurplusRow,
                    "the transaction has fewer entries",
                ));
            }
        }
        if found.is_empty() {
            let detail = "its rows, its time stamp and its number of entries do not make its Alh, \
                          and nothing tells which of them was altered";
            let only = if rows.len() == 1 { Some(rows[0].0) } else { None };
            let entry = Inconsistency::of_tx(self.id, Kind::AlteredTx, detail);
            found.push(Inconsistency { entry: only, ..entry });
        }
        let record = TxRecord {
            id: self.id,
            ts: tx.ts.unwrap_or_else(|| self.end.head().map_or(0, |head| head.ts)),
            version: counterfoil_core::HeaderVersion::V1,
            nentries: nentries.unwrap_or(0),
            eh: Root::ZERO,
            bl_tx_id: TxId::new(self.end.size()),
            alh,
            digests: None,
            truncated: None,
            opaque: false,
        };
        let mut tx = NewTx { record, rows: Vec::new(), findings: Vec::new(), table: None };
        self.finish(&mut tx);
        Ok(Judged::Linked(Box::new(tx), found))
    }

    fn finish(&self, tx: &mut NewTx) {
        if tx.record.digests.is_none() {
            let detail = format!("entries: {}", tx.record.nentries);
            tx.findings.push((FindingKind::Unaccounted, detail));
        }
        // The embedded ledger's table has one id only, proved or not.
        tx.table = (self.id.get() == 1).then_some(TABLE_ID);
    }

    /// Whether the next transaction fits behind this record.
    async fn is_followed(&self, record: &TxRecord, file: &mut LedgerFile) -> Result<bool> {
        let next = TxId::new(record.id.get() + 1);
        let behind;
        let raw = match self.raw.txs.contains_key(&next.get()) {
            true => self.raw,
            // It may be the first one of the next batch.
            false => {
                behind = file.read_raw(next.get(), next.get()).await?;
                &behind
            }
        };
        let Some(tx) = raw.txs.get(&next.get()) else { return Ok(false) };
        let mut end = self.end.clone();
        end.push(record)?;
        let made = make(&end, next, tx, raw.rows(next.get()))?;
        Ok(made.is_some_and(|made| Some(made.record.alh) == tx.alh))
    }

    fn entry(&self, entry: u32, kind: Kind, detail: impl Into<String>) -> Inconsistency {
        Inconsistency::of_entry(self.id, entry, kind, detail)
    }

    fn altered_header(&self, what: &str) -> Inconsistency {
        let detail = format!("its {what} is not the one that its Alh holds");
        Inconsistency::of_tx(self.id, Kind::AlteredHeader, detail)
    }

    fn altered_hash(&self) -> Inconsistency {
        let detail = "the Alh stored beside it is not the one that its contents make";
        Inconsistency::of_tx(self.id, Kind::AlteredHash, detail)
    }
}

/// The transaction that the file's rows make, if they can be one.
fn make(end: &LogEnd, id: TxId, tx: &RawTx, rows: &[RawRow]) -> Result<Option<NewTx>> {
    let Some(ts) = tx.ts else { return Ok(None) };
    if rows.is_empty() || (id.get() == 1 && rows.len() != 1) {
        return Ok(None);
    }
    let mut decoded = Vec::with_capacity(rows.len());
    for (row, entry) in rows.iter().zip(first_entry(id)..) {
        match decode(row)? {
            Some(stored) if row.0 == entry => decoded.push(stored),
            _ => return Ok(None),
        }
    }
    // A row that decodes encodes again to the same bytes: core's decoding is
    // strict.
    Ok(Some(new_tx(end, id, ts, &decoded)?))
}

fn decode(row: &RawRow) -> Result<Option<StoredRow>> {
    let table = schema::table(TABLE_ID).map_err(impossible)?;
    Ok(row.1.as_deref().and_then(|value| schema::decode_value(&table, value).ok()))
}

#[cfg(test)]
mod tests;
