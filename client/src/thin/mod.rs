//! Thin reads: a reader that holds nothing but a state proves that an event
//! is there, from a few rows and O(log n) hashes, however large the ledger.

mod answer;
mod read;
mod source;
mod tree;

pub use self::answer::{Advance, Claim, PresentEvent, PublishedTiles, ThinCost};
pub use self::read::ThinStore;
pub(crate) use self::source::{ClaimedTile, HeaderSource, MOST_CANDIDATES, TileSource};
pub(crate) use self::tree::right_edge;
