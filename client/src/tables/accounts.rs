//! Which transactions are accounted for, and what they did to which row.
//!
//! What stands here was derived: the entries of each transaction made the root
//! in its header, which the log holds.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use counterfoil_core::{EntryDigest, Root, TxId};

use super::schema::Entry;
use crate::log::entries_root;
use crate::verdict::Completeness;

/// All entries of a transaction: the root over them, and their number.
pub(crate) type Shape = (Root, u32);

/// The last entry of a row that is accounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastEntry {
    pub(crate) table: u32,
    pub(crate) tx: TxId,
    pub(crate) entry: u32,
    pub(crate) digest: EntryDigest,
    pub(crate) deleted: bool,
    /// How many of the row's entries are accounted for.
    pub(crate) entries: u64,
}

/// What is known of a ledger beside its log.
#[derive(Default)]
pub(crate) struct Accounts {
    /// The last transaction of the log that was looked at.
    through: u64,
    /// Those that are not accounted for; no shape where there is nothing to
    /// compare with.
    gaps: BTreeMap<u64, Option<Shape>>,
    /// All that were ever a gap.
    shapes: HashMap<Shape, Vec<TxId>>,
    /// Their numbers of entries.
    counts: BTreeSet<u32>,
    digests: HashMap<TxId, Vec<EntryDigest>>,
    rows: HashMap<[u8; 32], LastEntry>,
}

impl Accounts {
    pub(crate) fn through(&self) -> TxId {
        TxId::new(self.through)
    }

    /// Takes what is new in the log.
    pub(crate) fn extend(&mut self, through: TxId, gaps: Vec<(TxId, Option<Shape>)>) {
        for (tx, shape) in gaps {
            self.gaps.insert(tx.get(), shape);
            if let Some(shape) = shape {
                self.shapes.entry(shape).or_default().push(tx);
                self.counts.insert(shape.1);
            }
        }
        self.through = through.get();
    }

    /// The transactions with exactly such entries, in the ledger's order.
    pub(crate) fn of_shape(&self, shape: &Shape) -> &[TxId] {
        self.shapes.get(shape).map_or(&[], Vec::as_slice)
    }

    /// Whether any transaction has this number of entries.
    pub(crate) fn has_count(&self, counts: std::ops::RangeInclusive<u32>) -> bool {
        self.counts.range(counts).next().is_some()
    }

    /// The shape of a transaction that is not accounted for.
    pub(crate) fn gap(&self, tx: TxId) -> Option<Option<Shape>> {
        self.gaps.get(&tx.get()).copied()
    }

    /// Those after `after`, in the ledger's order.
    pub(crate) fn gaps_after(&self, after: TxId) -> impl Iterator<Item = (TxId, Option<Shape>)> {
        self.gaps.range(after.get() + 1..).map(|(tx, shape)| (TxId::new(*tx), *shape))
    }

    /// Whether everything after `after` is accounted for.
    pub(crate) fn completeness(&self, after: TxId) -> Completeness {
        let through = self.through();
        let mut gaps = self.gaps_after(after);
        match gaps.next() {
            None => Completeness::Complete { through },
            Some((first, _)) => {
                let gaps = gaps.count() as u64 + 1;
                Completeness::Incomplete { through, gaps, first, acknowledged: 0 }
            }
        }
    }

    /// All digests of a transaction that is accounted for here.
    pub(crate) fn digests(&self, tx: TxId) -> Option<&[EntryDigest]> {
        self.digests.get(&tx).map(Vec::as_slice)
    }

    /// Whether a transaction up to `tx` holds this entry.
    pub(crate) fn holds_before(&self, digest: &EntryDigest, tx: TxId) -> bool {
        self.digests.iter().any(|(id, digests)| *id <= tx && digests.contains(digest))
    }

    /// Whether any transaction that is accounted for here holds this entry.
    pub(crate) fn all_digests(&self) -> HashSet<EntryDigest> {
        self.digests.values().flatten().copied().collect()
    }

    /// The last entry of a row that is accounted for.
    pub(crate) fn last(&self, key: &[u8; 32]) -> Option<&LastEntry> {
        self.rows.get(key)
    }

    /// All rows of a table that are accounted for.
    pub(crate) fn rows_of(&self, table: u32) -> impl Iterator<Item = (&[u8; 32], &LastEntry)> {
        self.rows.iter().filter(move |(_, last)| last.table == table)
    }

    /// Accounts for every transaction that has exactly these entries, but
    /// none before the tables whose rows they are were created.
    pub(crate) fn settle(&mut self, entries: &[Entry]) {
        let digests: Vec<EntryDigest> = entries.iter().map(|entry| entry.digest).collect();
        let Ok(count) = u32::try_from(digests.len()) else { return };
        if !self.counts.contains(&count) {
            return;
        }
        let Some(txs) = self.shapes.get(&(entries_root(&digests), count)) else { return };
        let since = entries.iter().filter_map(|entry| Some(entry.row?.owner.since)).max();
        for tx in txs.clone() {
            if since.is_some_and(|since| tx < since) || self.gaps.remove(&tx.get()).is_none() {
                continue;
            }
            for (place, entry) in (0..).zip(entries) {
                if let Some(row) = entry.row {
                    let now = LastEntry {
                        table: row.owner.table,
                        tx,
                        entry: place,
                        digest: entry.digest,
                        deleted: row.deleted,
                        entries: 1,
                    };
                    self.rows.entry(row.key).and_modify(|last| last.take(now)).or_insert(now);
                }
            }
            self.digests.insert(tx, digests.clone());
        }
    }
}

impl LastEntry {
    /// Transactions are accounted for in any order.
    fn take(&mut self, other: Self) {
        let entries = self.entries + 1;
        if (other.tx, other.entry) > (self.tx, self.entry) {
            *self = other;
        }
        self.entries = entries;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::schema::{Owner, Touched};

    const KEY: [u8; 32] = [7; 32];

    fn tx(id: u64) -> TxId {
        TxId::new(id)
    }

    /// An entry of the row KEY of a table that transaction `since` created.
    fn entry(byte: u8, since: u64) -> Entry {
        let owner = Owner { table: 1, since: tx(since) };
        let row = Some(Touched { owner, key: KEY, deleted: false });
        Entry { digest: EntryDigest::new([byte; 32]), row }
    }

    fn shape(entries: &[Entry]) -> Option<Shape> {
        let digests: Vec<_> = entries.iter().map(|entry| entry.digest).collect();
        Some((entries_root(&digests), digests.len() as u32))
    }

    #[test]
    fn entries_account_for_every_transaction_that_has_exactly_them() {
        let (a, b) = (entry(1, 1), entry(2, 1));
        let both = [a.clone(), b.clone()];
        let mut accounts = Accounts::default();
        let one = shape(std::slice::from_ref(&a));
        let gaps = [(2, one), (3, shape(&both)), (5, one), (6, None)];
        accounts.extend(tx(6), gaps.map(|(id, shape)| (tx(id), shape)).to_vec());
        accounts.settle(&[b.clone(), a.clone()]);
        accounts.settle(std::slice::from_ref(&b));
        assert_eq!(accounts.gaps_after(tx(0)).count(), 4);
        // In any order: what is last in the ledger is last.
        accounts.settle(std::slice::from_ref(&a));
        accounts.settle(&both);
        let last = accounts.last(&KEY).unwrap();
        assert_eq!((last.tx, last.entry, last.entries), (tx(5), 0, 4));
        assert_eq!(accounts.gaps_after(tx(0)).map(|(tx, _)| tx).collect::<Vec<_>>(), [tx(6)]);
        assert_eq!(
            accounts.completeness(tx(2)),
            Completeness::Incomplete { through: tx(6), gaps: 1, first: tx(6), acknowledged: 0 }
        );
        assert_eq!(accounts.completeness(tx(6)), Completeness::Complete { through: tx(6) });
    }

    /// The root alone does not say how many entries there are.
    #[test]
    fn a_header_that_counts_otherwise_is_not_accounted_for() {
        let a = entry(1, 1);
        let (root, _) = shape(std::slice::from_ref(&a)).unwrap();
        let mut accounts = Accounts::default();
        accounts.extend(tx(1), vec![(tx(1), Some((root, 2)))]);
        accounts.settle(&[a]);
        assert!(!accounts.completeness(tx(0)).is_complete());
    }

    #[test]
    fn a_table_has_no_rows_before_it_was_created() {
        let (a, b) = (entry(1, 4), entry(1, 1));
        let mut accounts = Accounts::default();
        let one = shape(std::slice::from_ref(&a));
        accounts.extend(tx(5), vec![(tx(3), one), (tx(5), one)]);
        accounts.settle(std::slice::from_ref(&a));
        assert_eq!((accounts.digests(tx(3)), accounts.gap(tx(5))), (None, None));
        accounts.settle(&[b]);
        assert!(accounts.digests(tx(3)).is_some());
    }
}
