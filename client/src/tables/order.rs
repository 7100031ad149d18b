//! The order of a transaction's entries, found by trying. Which rows there
//! are, and how each was changed, the server says; only an order that makes
//! the root in the header is believed.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use super::accounts::Shape;
use super::schema::{Entry, Row};
use crate::log::entries_root;
use crate::orders::{advance, permuted};

/// Ways to put the entries of one transaction together that are tried.
const MOST_TRIES: usize = 64 * 1024;
/// Entries hashed for one transaction in all those tries.
const MOST_HASHED: usize = 1024 * 1024;
/// Rows in a transaction of which every order is tried.
const MOST_PERMUTED: usize = 8;
/// Tables in a transaction of which every order is tried.
const MOST_TABLES: usize = 4;

/// A row that the transaction changed.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) row: Row,
    /// The entries that it may have written, in each of the ways in which it
    /// may have been changed.
    pub(crate) ways: Vec<Vec<Entry>>,
}

/// The rows of one table, in the order of their keys.
pub(crate) type Block = Vec<Item>;

/// An order and a way for each row, so that they make the `shape`, `before`
/// coming first.
pub(crate) fn find(shape: Shape, before: &[Entry], blocks: &[Block]) -> Option<Vec<Entry>> {
    let mut search = Search { shape, before, tries: MOST_TRIES, hashed: MOST_HASHED };
    let blocks: Vec<&Block> = blocks.iter().filter(|block| !block.is_empty()).collect();
    if !search.can_be(&blocks) {
        return None;
    }
    let rows: usize = blocks.iter().map(|block| block.len()).sum();
    // A statement's rows follow one another; its order may be that of any
    // column. Statements over several tables come in any order.
    let orders: Vec<Vec<Vec<&Item>>> = blocks.iter().map(|block| orders(block)).collect();
    for sequence in sequences(blocks.len()) {
        let mut chosen = vec![0; sequence.len()];
        loop {
            let parts = sequence.iter().zip(&chosen).map(|(block, order)| &orders[*block][*order]);
            let items: Vec<&Item> = parts.flatten().copied().collect();
            if let Some(found) = search.in_order(&items) {
                return Some(found);
            }
            if !advance(&mut chosen, |place| orders[sequence[place]].len()) || search.is_over() {
                break;
            }
        }
    }
    if blocks.len() > 1 {
        // Row by row in turns: the first of each table, the second of each.
        let most = blocks.iter().map(|block| block.len()).max().unwrap_or(0);
        let items: Vec<&Item> =
            (0..most).flat_map(|i| blocks.iter().filter_map(move |block| block.get(i))).collect();
        if let Some(found) = search.in_order(&items) {
            return Some(found);
        }
    }
    if rows > MOST_PERMUTED {
        return None;
    }
    let mut items: Vec<&Item> = blocks.into_iter().flatten().collect();
    search.in_any_order(&mut items)
}

/// The orders in which a statement may have named a table's rows.
fn orders(block: &Block) -> Vec<Vec<&Item>> {
    let rows: Vec<&Item> = block.iter().collect();
    let columns = block.first().map_or(0, |item| item.row.len());
    let mut orders = vec![rows.clone()];
    for column in 0..columns {
        let mut sorted = rows.clone();
        sorted.sort_by(|a, b| {
            let pair = (a.row.get(column), b.row.get(column));
            pair.0.partial_cmp(&pair.1).unwrap_or(Ordering::Equal)
        });
        orders.push(sorted);
    }
    let falling: Vec<_> =
        orders.iter().map(|order| order.iter().rev().copied().collect()).collect();
    orders.extend(falling);
    orders.dedup_by(|a, b| a.iter().zip(b.iter()).all(|(a, b)| std::ptr::eq(*a, *b)));
    orders
}

/// The orders in which tables are tried.
fn sequences(tables: usize) -> Vec<Vec<usize>> {
    let given: Vec<usize> = (0..tables).collect();
    if tables > MOST_TABLES {
        return vec![given.iter().rev().copied().collect(), given];
    }
    let mut sequences = vec![vec![]];
    for _ in 0..tables {
        sequences = sequences
            .iter()
            .flat_map(|sequence: &Vec<usize>| {
                let free = given.iter().filter(|table| !sequence.contains(table));
                free.map(|table| [&sequence[..], &[*table]].concat()).collect::<Vec<_>>()
            })
            .collect();
    }
    sequences
}

/// A search for the entries that make a root, with a bound on its work.
struct Search<'a> {
    shape: Shape,
    before: &'a [Entry],
    tries: usize,
    hashed: usize,
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        self.tries == 0 || self.hashed == 0
    }

    /// Whether any choice of ways has as many entries as the transaction.
    fn can_be(&self, blocks: &[&Block]) -> bool {
        let (mut least, mut most) = (self.before.len(), self.before.len());
        for item in blocks.iter().flat_map(|block| block.iter()) {
            let lengths = item.ways.iter().map(Vec::len);
            let (Some(short), Some(long)) = (lengths.clone().min(), lengths.max()) else {
                return false;
            };
            (least, most) = (least + short, most + long);
        }
        (least..=most).contains(&(self.shape.1 as usize))
    }

    /// One way for each row, in this order. The last row's way changes first.
    fn in_order(&mut self, items: &[&Item]) -> Option<Vec<Entry>> {
        let mut chosen = vec![0; items.len()];
        while !self.is_over() {
            self.tries -= 1;
            let ways = || items.iter().zip(&chosen).map(|(item, way)| &item.ways[*way]);
            let entries = self.before.len() + ways().map(Vec::len).sum::<usize>();
            if entries == self.shape.1 as usize {
                self.hashed = self.hashed.saturating_sub(entries);
                let entries: Vec<Entry> =
                    self.before.iter().chain(ways().flatten()).cloned().collect();
                let digests: Vec<_> = entries.iter().map(|entry| entry.digest).collect();
                if entries_root(&digests) == self.shape.0 {
                    return Some(entries);
                }
            }
            if !advance(&mut chosen, |place| items[place].ways.len()) {
                return None;
            }
        }
        None
    }

    /// One way for each row, in every order.
    fn in_any_order(&mut self, items: &mut [&Item]) -> Option<Vec<Entry>> {
        let mut fits = |items: &[&Item]| match self.in_order(items) {
            None if !self.is_over() => ControlFlow::Continue(()),
            found => ControlFlow::Break(found),
        };
        permuted(items, 0, &mut fits).break_value().flatten()
    }
}

#[cfg(test)]
mod tests {
    use counterfoil_core::EntryDigest;

    use super::*;
    use crate::tables::SqlValue;

    fn entry(byte: u8) -> Entry {
        Entry::other(EntryDigest::new([byte; 32]))
    }

    /// A row whose second column is `other`.
    fn item(byte: u8, other: i64) -> Item {
        let row = vec![Some(SqlValue::Integer(byte.into())), Some(SqlValue::Integer(other))];
        Item { row, ways: vec![vec![entry(byte)]] }
    }

    fn shape(bytes: &[u8]) -> Shape {
        let digests: Vec<_> = bytes.iter().map(|byte| EntryDigest::new([*byte; 32])).collect();
        (entries_root(&digests), bytes.len() as u32)
    }

    fn found(bytes: &[u8], blocks: &[Block]) -> bool {
        let entries = find(shape(bytes), &[], blocks);
        let expected: Vec<Entry> = bytes.iter().map(|byte| entry(*byte)).collect();
        entries.is_some_and(|entries| entries == expected)
    }

    #[test]
    fn few_rows_are_found_in_any_order() {
        let blocks = [vec![item(1, 0), item(2, 0), item(3, 0)], vec![item(4, 0), item(5, 0)]];
        for order in [[1, 2, 3, 4, 5], [4, 5, 1, 2, 3], [1, 4, 2, 5, 3], [5, 3, 1, 4, 2]] {
            assert!(found(&order, &blocks), "{order:?}");
        }
        assert!(!found(&[1, 2, 3, 4, 4], &blocks));
        assert!(!found(&[1, 2, 3, 4], &blocks));
    }

    #[test]
    fn many_rows_are_found_in_the_order_of_a_column() {
        let order = |byte: u8| i64::from(byte) * 7 % 20;
        let blocks = [(0..20).map(|byte| item(byte, order(byte))).collect()];
        let mut bytes: Vec<u8> = (0..20).collect();
        assert!(found(&bytes, &blocks));
        bytes.sort_by_key(|byte| order(*byte));
        assert!(found(&bytes, &blocks));
        bytes.reverse();
        assert!(found(&bytes, &blocks));
        bytes.swap(3, 9);
        assert!(!found(&bytes, &blocks));
    }

    #[test]
    fn a_way_is_found_for_each_row() {
        let ways = |byte| vec![vec![entry(byte)], vec![entry(byte + 100), entry(byte)]];
        let blocks = [(1..4).map(|byte| Item { ways: ways(byte), ..item(byte, 0) }).collect()];
        assert!(found(&[1, 102, 2, 3], &blocks));
        assert!(found(&[103, 3, 101, 1, 102, 2], &blocks));
        assert!(!found(&[1, 2, 3, 103], &blocks));
    }

    #[test]
    fn the_work_is_bounded() {
        let ways = |byte: u8| (0..4).map(|way| vec![entry(byte * 4 + way)]).collect();
        let blocks = [(0..40).map(|byte| Item { row: vec![], ways: ways(byte) }).collect()];
        assert!(!found(&[200; 40], &blocks));
    }
}
