//! What UPSERT, UPDATE and DELETE write, derived from the revisions of the
//! rows they touched. The revisions are hints; the entries' root decides.
//!
//! As seen on the server: a DELETE writes the row's entry once more, marked
//! deleted. A write over a row first marks the row's entries of the secondary
//! indexes deleted whose values change, in the order of the indexes, each with
//! the old row as its value; then comes the new row. Rows of one statement
//! follow one another.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use counterfoil_core::{EntryDigest, Root, Table, TxId};

use super::Immudb;
use crate::error::Result;
use crate::index::{NewRow, Position};
use crate::log::entries_root;
use crate::orders::{advance, permuted};
use crate::revision::Revision;
use crate::row::StoredRow;
use crate::schema;

/// Rows of one transaction whose histories are asked for, each with a
/// statement of its own.
const MOST_HISTORIES: usize = 128;
/// Ways to put the changes of one transaction together that are tried.
const MOST_TRIES: usize = 1024;
/// Entries hashed for one transaction in all those tries.
const MOST_HASHED: usize = 64 * 1024;
/// Ways in which one row may have been changed that are tried.
const MOST_WAYS: usize = 4;
/// Rows in a transaction of which every order is tried.
const MOST_PERMUTED: usize = 5;

/// What one row's change wrote: the row's entry is the last of them.
#[derive(Clone)]
struct Change {
    digests: Vec<EntryDigest>,
    row: NewRow,
}

impl Change {
    fn deletion(of: &Revision, row: &StoredRow) -> Self {
        let digest = of.deleted();
        Self { digests: vec![digest], row: NewRow::deleted(digest, row) }
    }

    /// `before` is what the key held, if anything.
    fn write(before: Option<&Revision>, of: &Revision, row: &StoredRow) -> Self {
        let digest = of.written();
        let obsolete = before.into_iter().flat_map(|before| before.obsolete(of));
        Self { digests: obsolete.chain([digest]).collect(), row: NewRow::new(digest, row) }
    }
}

/// All entries of a transaction that changed rows.
#[derive(Clone)]
pub(super) struct Changes(Vec<Change>);

impl Changes {
    fn digests(&self) -> Vec<EntryDigest> {
        self.0.iter().flat_map(|change| &change.digests).copied().collect()
    }

    /// All digests, and the rows in their places in transaction `tx`.
    pub(super) fn placed(&self, tx: TxId) -> (Vec<EntryDigest>, Vec<NewRow>) {
        let mut entries = 0;
        let rows = self
            .0
            .iter()
            .map(|change| {
                entries += change.digests.len();
                // Transactions are bounded by Position::MAX_ENTRIES before.
                change.row.clone().at(Position::new(tx, entries as u32 - 1))
            })
            .collect();
        (self.digests(), rows)
    }
}

/// Finds the transactions that changed one row each among all revisions,
/// which come in the order of the keys and the oldest first. Holds one
/// revision at a time.
pub(super) struct SingleChanges<'a> {
    table: Table<'static>,
    wanted: &'a HashSet<Root>,
    before: Option<Revision>,
    found: HashMap<Root, Changes>,
}

impl<'a> SingleChanges<'a> {
    pub(super) fn new(table: Table<'static>, wanted: &'a HashSet<Root>) -> Self {
        Self { table, wanted, before: None, found: HashMap::new() }
    }

    pub(super) fn add(&mut self, row: &StoredRow) {
        let Some(revision) = schema::revision(&self.table, row) else { return };
        let before = self.before.take().filter(|before| before.key() == revision.key());
        let write = before.as_ref().map(|before| Change::write(Some(before), &revision, row));
        for change in write.into_iter().chain([Change::deletion(&revision, row)]) {
            let root = entries_root(&change.digests);
            if self.wanted.contains(&root) {
                self.found.insert(root, Changes(vec![change]));
            }
        }
        self.before = Some(revision);
    }

    pub(super) fn finish(self) -> HashMap<Root, Changes> {
        self.found
    }
}

impl Immudb {
    /// Looks for the changes that make `eh`, the root of the `nentries`
    /// entries of a transaction.
    pub(super) async fn changes_of(
        &self,
        table: &Table<'static>,
        tx: TxId,
        eh: Root,
        nentries: u32,
    ) -> Result<Option<Changes>> {
        let mut touched: Vec<(Revision, StoredKey, Vec<Change>)> = Vec::new();
        // Every row has an entry: with more of them these are not its rows.
        let most = nentries as usize;
        let mut surplus = false;
        let take = &mut |row: StoredRow| match schema::revision(table, &row) {
            Some(revision) if touched.len() < most => {
                let ways = vec![Change::deletion(&revision, &row)];
                touched.push((revision, StoredKey::of(&row), ways));
            }
            _ => surplus = true,
        };
        self.wire.changed_in_tx(tx, take).await?;
        if surplus || touched.is_empty() {
            return Ok(None);
        }
        let deleted: Vec<_> = touched.iter().map(|(.., ways)| ways.clone()).collect();
        let found = Search::new(eh, most).in_order(&deleted);
        if found.is_some() || touched.len() > MOST_HISTORIES {
            return Ok(found);
        }
        for (revision, key, ways) in &mut touched {
            let Ok(number) = u64::try_from(key.event_number) else { return Ok(None) };
            let mut before: Option<Revision> = None;
            let take = &mut |row: StoredRow| {
                let Some(now) = schema::revision(table, &row) else { return };
                if now == *revision {
                    let over = before.as_ref().filter(|before| before.key() == now.key());
                    for over in [over, None] {
                        ways.push(Change::write(over, &now, &row));
                    }
                    ways.dedup_by(|a, b| a.digests == b.digests);
                    ways.truncate(MOST_WAYS);
                }
                before = Some(now);
            };
            self.wire
                .history_of(&key.domain, &key.edition, &key.root, number, number, take)
                .await?;
        }
        let ways: Vec<_> = touched.into_iter().map(|(.., ways)| ways).collect();
        Ok(Search::new(eh, most).anyhow(ways))
    }
}

struct StoredKey {
    domain: Vec<u8>,
    edition: Vec<u8>,
    root: Vec<u8>,
    event_number: i64,
}

impl StoredKey {
    fn of(row: &StoredRow) -> Self {
        let StoredRow { domain, edition, root, event_number, .. } = row;
        Self {
            domain: domain.clone(),
            edition: edition.clone(),
            root: root.clone(),
            event_number: *event_number,
        }
    }
}

/// A search for the changes that make a root, with a bound on its work.
struct Search {
    eh: Root,
    nentries: usize,
    tries: usize,
    hashed: usize,
}

impl Search {
    fn new(eh: Root, nentries: usize) -> Self {
        Self { eh, nentries, tries: MOST_TRIES, hashed: MOST_HASHED }
    }

    /// Every order, if there are few rows, else the one given.
    fn anyhow(&mut self, mut rows: Vec<Vec<Change>>) -> Option<Changes> {
        let found = self.in_order(&rows);
        if found.is_some() || rows.len() > MOST_PERMUTED {
            return found;
        }
        let mut fits = |rows: &[Vec<Change>]| match self.in_order(rows) {
            None if self.tries > 0 => ControlFlow::Continue(()),
            found => ControlFlow::Break(found),
        };
        permuted(&mut rows, 0, &mut fits).break_value().flatten()
    }

    /// One way for each row, in this order. The last row's way changes first.
    fn in_order(&mut self, rows: &[Vec<Change>]) -> Option<Changes> {
        if rows.iter().any(Vec::is_empty) {
            return None;
        }
        let mut chosen = vec![0; rows.len()];
        while self.tries > 0 {
            self.tries -= 1;
            let changes = || rows.iter().zip(&chosen).map(|(ways, way)| &ways[*way]);
            let entries: usize = changes().map(|change| change.digests.len()).sum();
            if entries == self.nentries {
                self.hashed = self.hashed.checked_sub(entries)?;
                let changes = Changes(changes().cloned().collect());
                if entries_root(&changes.digests()) == self.eh {
                    return Some(changes);
                }
            }
            if !advance(&mut chosen, |place| rows[place].len()) {
                return None;
            }
        }
        None
    }
}
