//! What a thin reader says, and what it does not.

use std::fmt;

use counterfoil_core::TrustedState;
use serde::Serialize;

use crate::event::RecordedEvent;
use crate::proof::EventProof;
use crate::undecided::TileFlaw;

/// An event that is in the ledger, as proved under a thin reader's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PresentEvent {
    /// What was proved, and all that was.
    pub claim: Claim,
    /// The event.
    pub event: RecordedEvent,
    /// The proof, which anybody can check who trusts the state or a later one.
    pub proof: EventProof,
    /// The state under which it was proved.
    pub state: TrustedState,
    /// Tiles that could not be used: somebody should publish them anew, or
    /// ask who altered them. They had no influence on the answer.
    pub flaws: Vec<TileFlaw>,
    /// What the answer cost.
    pub cost: ThinCost,
}

/// How much an answer claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Claim {
    /// The ledger holds this row under this key. Not that it is the first one
    /// written there: that takes an account of every entry.
    PresenceOnly,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("presence only")
    }
}

/// What an answer cost. Statements that were sent again because the server was
/// busy or the connection lost count once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ThinCost {
    /// Statements sent.
    pub statements: u64,
    /// Those of them that asked for one header.
    pub headers: u64,
    /// Bytes of tiles received, those that could not be used included.
    pub tile_bytes: u64,
    /// Bytes of rows received.
    pub row_bytes: u64,
}

/// Where the ledger has gone from a thin reader's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Advance {
    /// The server shows the very state that is held.
    Unchanged,
    /// The server shows a later state that is consistent with the one held.
    ///
    /// Unconfirmed: anybody who knows a state can extend it, in ways that
    /// contradict each other. Trust the later state for a reason beside this
    /// (a signature, a witness, somebody who follows the ledger), then open a
    /// thin store under it.
    Unconfirmed {
        /// The state held.
        from: TrustedState,
        /// The later one.
        to: TrustedState,
        /// Tiles that could not be used.
        flaws: Vec<TileFlaw>,
        /// What the answer cost.
        cost: ThinCost,
    },
}

/// What [`EventStore::publish_tiles`](crate::EventStore::publish_tiles) did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PublishedTiles {
    /// The tiles make the tree of this many transactions, a multiple of 256;
    /// those after them have no full tile yet, and readers fetch their
    /// headers.
    pub size: u64,
    /// Tiles written, each read back.
    pub written: u64,
    /// Tiles that were there already, by their digests.
    pub present: u64,
}
