//! The part of a ledger file that is looked at at once, as it lies there.

use std::ops::Range;

use counterfoil_core::{Alh, TxId};

/// Transactions `first` to `last`, their rows, and what this client's own log
/// has of them. What is of no use is left out: whoever misses something looks
/// it up.
#[derive(Default)]
pub(crate) struct Chunk {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) txs: Vec<Tx>,
    pub(super) rows: Vec<Row>,
    /// Whether all of it is left to the other way: anything stands out of its
    /// order, or twice, or is too much.
    pub(super) left: bool,
    /// The values, one behind the other.
    pub(super) values: Vec<u8>,
    pub(super) own: Vec<OwnTx>,
    /// Whether the own log could not be read here.
    pub(super) own_failed: bool,
    /// The own log's digests, likewise.
    pub(super) digests: Vec<u8>,
}

/// A transaction whose columns are what they should be.
pub(super) struct Tx {
    pub(super) id: u64,
    pub(super) ts: i64,
    pub(super) nentries: i64,
    pub(super) alh: Alh,
}

pub(super) struct Row {
    pub(super) pos: i64,
    /// Where its value lies, if it is one.
    pub(super) value: Option<Range<usize>>,
}

/// A transaction in this client's own log.
pub(super) struct OwnTx {
    pub(super) id: u64,
    /// `None` if it is not one that an embedded ledger has.
    pub(super) plain: Option<PlainTx>,
}

/// One of version 1 that is whole.
pub(super) struct PlainTx {
    pub(super) ts: i64,
    pub(super) nentries: i64,
    pub(super) alh: [u8; 32],
    /// Left out where it follows from a single digest.
    pub(super) eh: Option<[u8; 32]>,
    /// Where its digests lie.
    pub(super) digests: Range<usize>,
}

impl Chunk {
    /// Empties it for other transactions.
    pub(super) fn begin(&mut self, first: u64, last: u64) {
        (self.first, self.last) = (first, last);
        self.left = false;
        self.txs.clear();
        self.rows.clear();
        self.values.clear();
        self.own.clear();
        self.digests.clear();
    }

    /// The last transaction in it.
    pub(crate) fn last(&self) -> TxId {
        TxId::new(self.last)
    }
}
