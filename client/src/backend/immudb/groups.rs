//! Puts rows together that were committed together, until they make the
//! entries' root of a transaction. Commit ids are hints; the root decides.

use std::collections::{HashMap, HashSet};

use counterfoil_core::{EntryDigest, Root, Table};

use crate::body::EventBody;
use crate::index::{NewRow, Position};
use crate::log::entries_root;
use crate::row::StoredRow;
use crate::schema;

/// All entries of a transaction; its rows are the last of them.
#[derive(Clone)]
pub(super) struct Group {
    pub(super) digests: Vec<EntryDigest>,
    pub(super) rows: Vec<NewRow>,
}

impl Group {
    /// A transaction of nothing but these rows, in this order.
    pub(super) fn of_rows(table: &Table<'_>, rows: &[StoredRow]) -> Option<Self> {
        let digests = rows
            .iter()
            .map(|row| schema::row_digest(table, row).ok())
            .collect::<Option<Vec<_>>>()?;
        let rows = rows.iter().zip(&digests).map(|(row, d)| NewRow::new(*d, row)).collect();
        Some(Self { digests, rows })
    }

    /// The transaction that created the table and inserted this row.
    pub(super) fn of_genesis(table: &Table<'_>, row: &StoredRow) -> Option<Self> {
        let digests = schema::genesis_digests(table, row).ok()?;
        let rows = vec![NewRow::new(*digests.last()?, row)];
        Some(Self { digests, rows })
    }

    pub(super) fn root(&self) -> Root {
        entries_root(&self.digests)
    }

    /// The rows in their places in transaction `tx`.
    pub(super) fn placed(self, tx: counterfoil_core::TxId) -> (Vec<EntryDigest>, Vec<NewRow>) {
        let first = self.digests.len() - self.rows.len();
        let rows = self
            .rows
            .into_iter()
            .zip(first..)
            // Transactions are bounded by Position::MAX_ENTRIES before.
            .map(|(row, entry)| row.at(Position::new(tx, entry as u32)))
            .collect();
        (self.digests, rows)
    }
}

/// Rows on their way into groups.
pub(super) struct Collector<'a> {
    table: Table<'static>,
    /// The roots that are looked for.
    wanted: &'a HashSet<Root>,
    found: HashMap<Root, Group>,
    building: HashMap<[u8; 16], Vec<(u32, NewRow)>>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(table: Table<'static>, wanted: &'a HashSet<Root>) -> Self {
        Self { table, wanted, found: HashMap::new(), building: HashMap::new() }
    }

    pub(super) fn add(&mut self, row: &StoredRow) {
        let Ok(digest) = schema::row_digest(&self.table, row) else { return };
        let new = NewRow::new(digest, row);
        let alone = Group { digests: vec![digest], rows: vec![new.clone()] };
        let root = alone.root();
        if self.wanted.contains(&root) {
            // It is a transaction by itself, whatever its commit id says.
            self.found.insert(root, alone);
        }
        if let Ok(body) = EventBody::decode(&row.body) {
            self.building.entry(body.commit_id).or_default().push((body.commit_index, new));
        }
    }

    /// The groups whose root is wanted.
    pub(super) fn finish(mut self) -> HashMap<Root, Group> {
        for mut rows in std::mem::take(&mut self.building).into_values() {
            rows.sort_by_key(|(index, row)| (*index, row.digest));
            // HISTORY shows a deleted row once more with the same content.
            rows.dedup_by_key(|(_, row)| row.digest);
            let rows: Vec<NewRow> = rows.into_iter().map(|(_, row)| row).collect();
            let group = Group { digests: rows.iter().map(|row| row.digest).collect(), rows };
            let root = group.root();
            if self.wanted.contains(&root) {
                self.found.insert(root, group);
            }
        }
        self.found
    }
}
