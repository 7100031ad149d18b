//! Places in the ledger, as applications keep them.

use std::fmt;

use counterfoil_core::TxId;
use serde::{Deserialize, Serialize};

use crate::index::Position;

/// A place in a ledger's order: behind an entry of a transaction. Positions of
/// one ledger compare in its order; those of different ledgers have nothing to do
/// with each other.
///
/// It says nothing of what came before it. Whoever goes on later from what was
/// dealt with last keeps a [`Bookmark`](crate::Bookmark).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerPosition {
    /// The transaction.
    pub tx: TxId,
    /// The entry within it, from 0.
    pub entry: u32,
}

impl LedgerPosition {
    /// Before everything.
    pub const START: Self = Self { tx: TxId::new(0), entry: 0 };

    /// Behind an entry of a transaction.
    pub const fn new(tx: TxId, entry: u32) -> Self {
        Self { tx, entry }
    }

    /// Behind all entries of a transaction.
    pub const fn end_of(tx: TxId) -> Self {
        Self { tx, entry: u32::MAX }
    }

    pub(crate) fn in_index(self) -> Position {
        Position::new(self.tx, self.entry.min(Position::MAX_ENTRIES - 1))
    }
}

/// `transaction/entry`, or `transaction/end`.
impl fmt::Display for LedgerPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry {
            u32::MAX => write!(f, "{}/end", self.tx),
            entry => write!(f, "{}/{entry}", self.tx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_stand_in_ledger_order_and_survive_json() {
        let tx = TxId::new;
        let places = [
            LedgerPosition::START,
            LedgerPosition::new(tx(1), 0),
            LedgerPosition::new(tx(1), 7),
            LedgerPosition::end_of(tx(1)),
            LedgerPosition::new(tx(2), 0),
        ];
        assert!(places.is_sorted_by(|a, b| a < b));
        assert!(places.is_sorted_by(|a, b| a.in_index() < b.in_index()));
        for place in places {
            let json = serde_json::to_string(&place).unwrap();
            assert_eq!(serde_json::from_str::<LedgerPosition>(&json).unwrap(), place);
        }
        assert_eq!(places[2].to_string(), "1/7");
        assert_eq!(places[3].to_string(), "1/end");
    }
}
