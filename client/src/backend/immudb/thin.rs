//! A server as a thin reader asks it, every statement and byte counted.

use std::ops::RangeInclusive;

use counterfoil_core::{Header, TrustedState, TxId};

use super::answer;
use super::exchange::Failure;
use super::refusal::Refusal;
use super::sql;
use super::wire::{OnMissing, Wire, sql_integer};
use crate::config::ImmudbConfig;
use crate::error::{Result, Unavailable};
use crate::index::StreamKey;
use crate::log::tiles::TileId;
use crate::row::StoredRow;
use crate::thin::{ClaimedTile, HeaderSource, MOST_CANDIDATES, ThinCost, TileSource};

/// The ledger's database, and the one beside it with its tiles.
pub(crate) struct WireSource {
    ledger: Wire,
    /// There may be none: then every tile is missing.
    tiles: Option<Wire>,
    /// What was asked since this was set to nothing.
    pub(crate) cost: ThinCost,
}

impl WireSource {
    /// Connects. Nothing is created.
    pub(crate) async fn connect(config: &ImmudbConfig) -> Result<Self> {
        let ledger = Wire::connect(config, OnMissing::Refuse).await?;
        let tiles = match ledger.tiles_database(OnMissing::Refuse).await {
            Ok(tiles) => Some(tiles),
            Err(Unavailable::MissingDatabase { .. }) => None,
            Err(unavailable) => return Err(unavailable.into()),
        };
        // Connecting has asked for one header, to see what the server knows.
        let cost = ThinCost { statements: 1, headers: 1, ..ThinCost::default() };
        Ok(Self { ledger, tiles, cost })
    }

    /// The newest state that the server claims.
    pub(crate) async fn state(&mut self) -> Result<Option<TrustedState>> {
        self.cost.statements += 1;
        Ok(self.ledger.state().await?)
    }

    /// A header; `None` if the server has none.
    pub(crate) async fn header(&mut self, tx: TxId) -> Result<Option<Header<'static>>> {
        self.cost.statements += 1;
        self.cost.headers += 1;
        Ok(self.ledger.header(tx).await?)
    }

    /// The first row that the server shows as the history of a key.
    pub(crate) async fn first_revision(
        &mut self,
        key: &StreamKey,
        number: u64,
    ) -> Result<Option<StoredRow>> {
        self.cost.statements += 1;
        let number = sql_integer(number);
        let statement = sql::first_revision(&key.domain, &key.edition, &key.root, number);
        let (mut first, mut bytes) = (None, 0);
        let take = |row: StoredRow| {
            bytes += row_bytes(&row);
            if StreamKey::of_row(&row) == *key && row.event_number == number {
                first.get_or_insert(row);
            }
            Ok(())
        };
        self.ledger.rows(&statement, take).await?;
        self.cost.row_bytes += bytes;
        Ok(first)
    }

    /// Every revision of these rows of a stream, the oldest of each first.
    pub(crate) async fn history_of(
        &mut self,
        key: &StreamKey,
        numbers: RangeInclusive<u64>,
        sink: &mut (dyn FnMut(StoredRow) + Send),
    ) -> Result<()> {
        self.cost.statements += 1;
        let mut bytes = 0;
        let count = &mut |row: StoredRow| {
            bytes += row_bytes(&row);
            if StreamKey::of_row(&row) == *key {
                sink(row);
            }
        };
        let StreamKey { domain, edition, root } = key;
        let (first, last) = (*numbers.start(), *numbers.end());
        self.ledger.history_of(domain, edition, root, first, last, count).await?;
        self.cost.row_bytes += bytes;
        Ok(())
    }

    /// The rows, as they are now, whose writers had seen exactly this
    /// transaction.
    pub(crate) async fn rows_seen(
        &mut self,
        seen: u64,
        sink: &mut (dyn FnMut(StoredRow) + Send),
    ) -> Result<()> {
        self.cost.statements += 1;
        let mut bytes = 0;
        let count = &mut |row: StoredRow| {
            bytes += row_bytes(&row);
            sink(row);
        };
        self.ledger.rows_seen(seen, seen.saturating_add(1), count).await?;
        self.cost.row_bytes += bytes;
        Ok(())
    }
}

impl TileSource for WireSource {
    async fn tiles(&mut self, id: TileId, width: usize) -> Result<Vec<ClaimedTile>> {
        let Some(wire) = &self.tiles else { return Ok(Vec::new()) };
        self.cost.statements += 1;
        let (level, index) = (i64::from(id.level), sql_integer(id.index));
        let statement = sql::tiles_of(level, index, width as i64, MOST_CANDIDATES as i64);
        let (mut tiles, mut bytes) = (Vec::new(), 0);
        let take = |tile: ClaimedTile| {
            bytes += tile.hashes.len() as u64;
            if tiles.len() < MOST_CANDIDATES {
                tiles.push(tile);
            }
            Ok(())
        };
        let answer = wire.ask(&statement, answer::tile, take).await;
        self.cost.tile_bytes += bytes;
        match answer {
            Ok(()) => Ok(tiles),
            // Tiles can be anything, also not there.
            Err(Failure::Refused { refusal: Refusal::NoTable, .. }) => Ok(Vec::new()),
            Err(failure) => Err(failure.unavailable(statement.what()).into()),
        }
    }
}

impl HeaderSource for WireSource {
    async fn headers(&mut self, first: u64, last: u64) -> Result<Vec<Header<'static>>> {
        let count = last.checked_sub(first).map_or(0, |more| more + 1);
        self.cost.statements += count;
        self.cost.headers += count;
        Ok(self.ledger.headers(TxId::new(first), TxId::new(last)).await?)
    }
}

fn row_bytes(row: &StoredRow) -> u64 {
    let blobs = [&row.domain, &row.edition, &row.root, &row.ext, &row.body];
    blobs.into_iter().map(|blob| blob.len() as u64).sum::<u64>() + 16
}
