//! Publishes the log's tiles in the database beside the ledger's, where thin
//! readers fetch them. Nobody has to believe a tile, so anybody may publish.

use std::collections::BTreeMap;

use counterfoil_core::TrustedState;
use tokio::sync::Mutex;

use super::Immudb;
use super::answer;
use super::backoff::Backoff;
use super::exchange::{Failure, command};
use super::refusal::Refusal;
use super::sql::{self, Statement};
use super::wire::{OnMissing, Wire, sql_integer};
use crate::error::{Error, Result, Unavailable};
use crate::local::Local;
use crate::log::tiles::{TileId, WIDTH};
use crate::sqlite::damaged;
use crate::thin::{ClaimedTile, PublishedTiles, TileSource, right_edge};

/// Tiles in one statement: half a megabyte in hex.
const BATCH: u64 = 32;

impl Immudb {
    /// Publishes every tile of the log that is not there yet: full ones first,
    /// lower levels before higher ones, so that whoever finds a tile finds
    /// what lies below it.
    pub(crate) async fn publish_tiles(&self, local: &Mutex<Local>) -> Result<PublishedTiles> {
        let mut known = self.published.lock().await;
        let state: TrustedState = local.lock().await.state()?;
        let whole = state.tx.get() - state.tx.get() % WIDTH as u64;
        let mut done = PublishedTiles { size: whole, written: 0, present: 0 };
        if whole == 0 {
            return Ok(done);
        }
        let wire = self.wire.tiles_database(OnMissing::Create).await?;
        wire.write(&Statement::fixed("creating the tiles' table", sql::CREATE_TILES)).await?;
        for level in 0..7 {
            let full = |size: u64| size >> (8 * (level + 1));
            let (mut from, end) = (full(*known), full(whole));
            while from < end {
                let before = end.min(from + BATCH);
                self.publish(&wire, local, level, from..before, WIDTH, &mut done).await?;
                from = before;
            }
        }
        for (id, width) in right_edge(whole) {
            let place = id.index..id.index + 1;
            self.publish(&wire, local, id.level, place, width, &mut done).await?;
        }
        *known = whole;
        Ok(done)
    }

    /// Publishes the tiles of one level and width at these places.
    async fn publish(
        &self,
        wire: &Wire,
        local: &Mutex<Local>,
        level: u32,
        places: std::ops::Range<u64>,
        width: usize,
        done: &mut PublishedTiles,
    ) -> Result<()> {
        let mut wanted = BTreeMap::new();
        for index in places.clone() {
            let id = TileId { level, index };
            let tile = local.lock().await.tiles(id, width).await?.pop();
            let hashes = tile.map(|tile| tile.read(id, width));
            let Some(Ok(hashes)) = hashes else {
                return Err(damaged(format!("tile {level}/{index} is missing or short")));
            };
            let tile = ClaimedTile::of(id, &hashes);
            wanted.insert(tile.index, tile);
        }
        let (from, before) = (sql_integer(places.start), sql_integer(places.end));
        let (level, width) = (i64::from(level), width as i64);
        let all = wanted.len();
        let statement = sql::tile_digests(level, from, before, width);
        let take = |(index, digest): (i64, Vec<u8>)| {
            if wanted.get(&index).is_some_and(|tile| tile.digest == digest) {
                wanted.remove(&index);
            }
            Ok(())
        };
        let listed = wire.ask(&statement, answer::tile_digest, take).await;
        listed.map_err(|failure| failure.unavailable(statement.what()))?;
        done.present += (all - wanted.len()) as u64;
        if wanted.is_empty() {
            return Ok(());
        }
        let tiles: Vec<ClaimedTile> = wanted.values().cloned().collect();
        wire.write(&sql::upsert_tiles(&tiles)).await?;
        // The server's "done" says nothing.
        let statement = sql::tiles_back(level, from, before, width);
        let take = |tile: ClaimedTile| {
            if wanted.get(&tile.index) == Some(&tile) {
                wanted.remove(&tile.index);
            }
            Ok(())
        };
        let back = wire.ask(&statement, answer::tile, take).await;
        back.map_err(|failure| failure.unavailable(statement.what()))?;
        match wanted.keys().next() {
            None => {
                done.written += tiles.len() as u64;
                Ok(())
            }
            Some(index) => Err(Error::Unavailable(Unavailable::Garbled {
                what: statement.what(),
                problem: format!("tile {level}/{index} was written, but is not there"),
            })),
        }
    }
}

impl Wire {
    /// Runs a statement that does the same however often it is run.
    async fn write(&self, statement: &Statement) -> Result<(), Unavailable> {
        let wait = self.pool.wait();
        let mut backoff = Backoff::new(wait);
        loop {
            let mut lease = self.pool.lease_alive().await?;
            match command(lease.connection(), statement, wait).await {
                Ok(()) | Err(Failure::Refused { refusal: Refusal::Exists, .. }) => {
                    lease.keep();
                    return Ok(());
                }
                // Another publisher got in between.
                Err(Failure::Refused { refusal: Refusal::Busy | Refusal::Conflict, .. })
                    if backoff.pause().await => {}
                Err(failure) => return Err(failure.unavailable(statement.what())),
            }
        }
    }
}
