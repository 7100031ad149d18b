//! Why a thin reader, or a reader of other people's tables, cannot tell:
//! neither that something is there nor that it is not.

use std::fmt;

use counterfoil_core::TxId;
use serde::Serialize;

/// What kept a thin reader from proving that an event is there, or a reader of
/// [`Tables`](crate::Tables) from proving a row. It never means that there is
/// none: for events that takes an [`EventStore`](crate::EventStore), which
/// accounts for every entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "undecided", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Undecided {
    /// The server shows no row under the key.
    #[error("the server shows no row for event {sequence} of {stream}, which proves no absence")]
    NoRow {
        /// The stream.
        stream: String,
        /// The sequence asked for.
        sequence: u64,
    },
    /// The first row that the server shows under the key cannot be the event.
    #[error("the row for event {sequence} of {stream} is no event: {reason}")]
    NoEvent {
        /// The stream.
        stream: String,
        /// The sequence asked for.
        sequence: u64,
        /// The rule that it breaks.
        reason: String,
    },
    /// No transaction among those searched holds the row.
    #[error(
        "no transaction from {first} to {last} holds the row that the server shows; it may have \
         been altered, or written long after its writer looked: ask a full reader"
    )]
    NoTransaction {
        /// The first one searched.
        first: TxId,
        /// The last one searched.
        last: TxId,
    },
    /// The row's writer had seen the state's last transaction, or a later
    /// one: the row is newer than the state.
    #[error(
        "the row was written after transaction {seen}, the state is at {state}: advance the state"
    )]
    NewerThanState {
        /// What its writer had seen.
        seen: TxId,
        /// The state.
        state: TxId,
    },
    /// The tiles do not lead to the state, and the tail of headers that would
    /// replace them is longer than what is fetched.
    #[error("the tiles end before size {size}{}", listed(.flaws))]
    TilesEnd {
        /// The smallest size that was tried.
        size: u64,
        /// What is wrong with the tiles that were looked at.
        flaws: Vec<TileFlaw>,
    },
    /// A tile inside the tree cannot be had, nor made from headers.
    #[error("a tile of the ledger's tree cannot be had{}", listed(.flaws))]
    Tile {
        /// What is wrong with it, once for each candidate.
        flaws: Vec<TileFlaw>,
    },
    /// A header does not recompute, and without it the tree is not the
    /// state's: it was altered, or carries metadata that the wire hides.
    #[error("the header of transaction {tx} was altered, or cannot be recomputed{}", listed(.flaws))]
    Header {
        /// The transaction.
        tx: TxId,
        /// What is wrong with the tiles that were looked at, as far as known.
        flaws: Vec<TileFlaw>,
    },
    /// The state's own header commits to a tree that lags behind it.
    #[error(
        "the tree of transaction {state} ends at transaction {covered}, before its predecessor"
    )]
    Lagging {
        /// The state.
        state: TxId,
        /// The last transaction in its tree.
        covered: TxId,
    },

    // ---- Other people's tables.
    /// The server shows no table of this name.
    #[error("the server shows no table {table:?}, which proves no absence")]
    NoTable {
        /// The table.
        table: String,
    },
    /// No transaction is known to create the table as the server describes it.
    #[error(
        "no transaction is found that creates table {table:?} as the server describes it: {reason}"
    )]
    TableUnproven {
        /// The table.
        table: String,
        /// What was tried, or what stands against it.
        reason: String,
    },
    /// The server cannot show rows of the table: their values are not stored any
    /// more.
    #[error(
        "not all rows of table {table:?} are stored any more: transaction {by} truncated the \
         database; only a copy made before has them"
    )]
    Truncated {
        /// The table.
        table: String,
        /// The transaction that tells of the truncation.
        by: TxId,
    },
    /// The server shows no row under the key, now or earlier.
    #[error("the server shows no such row of table {table:?}, which proves no absence")]
    NoTableRow {
        /// The table.
        table: String,
    },
    /// The row that the server shows could not be found in a transaction.
    #[error("the row of table {table:?} that the server shows is not proved: {reason}")]
    RowUnproven {
        /// The table.
        table: String,
        /// What was tried, or what stands against it.
        reason: String,
    },
}

fn listed(flaws: &[TileFlaw]) -> String {
    flaws
        .iter()
        .enumerate()
        .map(|(i, flaw)| format!("{} {flaw}", [";", ":"][usize::from(i == 0)]))
        .collect()
}

/// A tile's place and width, named as C2SP tlog-tiles does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TileName {
    /// 0 holds leaf hashes; above that, the roots of the full tiles below.
    pub level: u32,
    /// The place in its level, from 0.
    pub index: u64,
    /// How many hashes, 1 to 256.
    pub width: u64,
}

impl fmt::Display for TileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/", self.level)?;
        let mut groups = vec![format!("{:03}", self.index % 1000)];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1000));
            rest /= 1000;
        }
        groups.reverse();
        f.write_str(&groups.join("/"))?;
        if self.width == 256 { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// A tile that could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TileFlaw {
    /// Which.
    pub tile: TileName,
    /// Why not.
    pub problem: TileProblem,
}

impl fmt::Display for TileFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.tile, self.problem)
    }
}

/// What is wrong with a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TileProblem {
    /// There is none at least as wide.
    #[error("is not there")]
    Missing,
    /// It is not as wide as its key says, or not of the place asked for.
    #[error("has not the place or width that its key says")]
    Width,
    /// Its key is not the digest of its hashes.
    #[error("does not have the digest that its key says")]
    Digest,
    /// Its hashes are not those of the tree that the state commits to.
    #[error("holds other hashes than the state's tree")]
    Foreign,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_named_as_c2sp_does() {
        for (level, index, width, name) in [
            (0, 0, 256, "tile/0/000"),
            (1, 1_234_067, 256, "tile/1/x001/x234/067"),
            (2, 273, 112, "tile/2/273.p/112"),
            (0, 1000, 1, "tile/0/x001/000.p/1"),
        ] {
            assert_eq!(TileName { level, index, width }.to_string(), name);
        }
    }

    #[test]
    fn every_flaw_is_listed() {
        let tile = TileName { level: 1, index: 0, width: 3 };
        let flaws = vec![
            TileFlaw { tile, problem: TileProblem::Digest },
            TileFlaw { tile, problem: TileProblem::Foreign },
        ];
        assert_eq!(
            Undecided::TilesEnd { size: 512, flaws }.to_string(),
            "the tiles end before size 512: tile/1/000.p/3 does not have the digest that its key \
             says; tile/1/000.p/3 holds other hashes than the state's tree"
        );
    }
}
