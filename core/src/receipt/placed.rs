//! A receipt's transactions and events with what leads from them to its state, for whoever shows a
//! receipt. Nothing here is verified.

use super::body::EventBody;
use super::cursor::Cursor;
use super::encode::leaf;
use super::layout::{Entry, next_entry};
use super::parse::Receipt;
use super::path::shared_terms;
use crate::digest::EntryDigest;
use crate::header::Header;
use crate::number::{LeafIndex, TreeSize};

/// A transaction of a receipt, as the receipt says.
#[derive(Clone, Copy, Debug)]
pub struct PlacedTx<'a> {
    /// Its header.
    pub header: Header<'a>,
    /// From its hash to the root in the state's header; empty for the state's own transaction.
    pub path: PlacedPath<'a>,
    count: u32,
    events: &'a [u8],
}

/// An event of a receipt, as the receipt says.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PlacedEvent<'a> {
    /// Its place among the transaction's entries, from 0.
    pub entry: u32,
    /// From its digest to the transaction's `eh`.
    pub path: PlacedPath<'a>,
    /// What it says.
    pub body: EventBody<'a>,
    /// The body as stored.
    pub bytes: &'a [u8],
}

/// A path, the leaf's sibling first, without the terms that it shares with the path before it in the
/// same tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlacedPath<'a> {
    /// The terms that are in the receipt at this place.
    pub own: &'a [[u8; 32]],
    /// How many terms follow, the last ones of the path before: of the transaction before, of the event
    /// before in the same transaction.
    pub shared: usize,
}

impl<'a> Receipt<'a> {
    /// The header of the state's transaction, as the receipt says.
    pub fn state_header(&self) -> Header<'a> {
        self.state.header.to_header()
    }

    /// The transactions with their events, in ledger order.
    pub fn transactions(&self) -> impl Iterator<Item = PlacedTx<'a>> + use<'a> {
        let receipt = *self;
        let size = receipt.state.header.bl_tx_id.tree_size();
        let mut cursor = receipt.walk();
        let mut before = None;
        // Every byte was read before: nothing here can fail.
        let mut left = receipt.tx_count.into();
        core::iter::from_fn(move || {
            if !cursor.next(&mut left) {
                return None;
            }
            let tx = receipt.next_tx(&mut cursor);
            let from = cursor.at();
            let mut left = tx.events.into();
            while cursor.next(&mut left) {
                next_entry(&mut cursor);
            }
            let path = placed(tx.path, &mut before, leaf(tx.header.id), size);
            let events = cursor.since(from);
            Some(PlacedTx { header: tx.header.to_header(), path, count: tx.events, events })
        })
    }
}

impl<'a> PlacedTx<'a> {
    /// Its events, by rising place.
    pub fn events(&self) -> impl Iterator<Item = PlacedEvent<'a>> + use<'a> {
        let size = TreeSize::new(self.header.nentries.into());
        let mut cursor = Cursor::new(self.events);
        let mut before = None;
        let mut left = self.count.into();
        core::iter::from_fn(move || {
            cursor.next(&mut left).then(|| {
                let Entry { index: entry, path, body, bytes } = next_entry(&mut cursor);
                let path = placed(path, &mut before, LeafIndex::new(entry.into()), size);
                PlacedEvent { entry, path, body, bytes }
            })
        })
    }
}

impl PlacedEvent<'_> {
    /// The digest that an entry with this event has in the table of events of this number.
    pub fn digest(&self, table_id: u32) -> EntryDigest {
        self.body.row(&self.body.ext(), self.bytes).digest(table_id)
    }
}

fn placed<'a>(
    own: &'a [[u8; 32]],
    before: &mut Option<LeafIndex>,
    index: LeafIndex,
    size: TreeSize,
) -> PlacedPath<'a> {
    let shared = before.map_or(0, |before| shared_terms(before, index, size));
    *before = Some(index);
    PlacedPath { own, shared }
}
