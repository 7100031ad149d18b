//! Whether the tiles of a log are those that its transactions make.

use counterfoil_core::Alh;
use sqlx::SqliteConnection;

use super::read_tile;
use super::tiles::{self, TileId, WIDTH};
use crate::error::Result;
use crate::prover::Hash;
use crate::sqlite::{self, to_u64};

/// Goes through a log and compares its tiles.
#[derive(Default)]
pub(crate) struct TileCheck {
    /// Of each level, how many tiles are full, and the hashes of the one that
    /// is not.
    levels: Vec<(u64, Vec<Hash>)>,
    wrong: Vec<TileId>,
    /// Tiles that are there, right or not.
    there: u64,
}

impl TileCheck {
    /// Goes on by these transactions.
    pub(crate) async fn take(&mut self, conn: &mut SqliteConnection, alhs: &[Alh]) -> Result<()> {
        for alh in alhs {
            let mut hash = alh.leaf_hash().to_bytes();
            // A tile that is full puts its root into the one above.
            for level in 0.. {
                if self.levels.len() == level {
                    self.levels.push(Default::default());
                }
                let (index, tile) = &mut self.levels[level];
                tile.push(hash);
                if tile.len() < WIDTH {
                    break;
                }
                let (index, tile) = (*index, std::mem::take(tile));
                self.levels[level].0 += 1;
                self.compare(conn, level, index, |stored| stored == tile).await?;
                hash = tiles::fold(&tile);
            }
        }
        Ok(())
    }

    /// The tiles that are not what the transactions make, and how many there
    /// are that none makes. Where the log may have gone on, one that was not
    /// full may hold more.
    pub(crate) async fn end(
        mut self,
        conn: &mut SqliteConnection,
        has_gone_on: bool,
    ) -> Result<(Vec<TileId>, u64)> {
        // The lowest one is made of the transactions when it is read.
        for (level, (index, tile)) in std::mem::take(&mut self.levels).into_iter().enumerate() {
            if level > 0 && !tile.is_empty() {
                let same =
                    |stored: &[Hash]| stored == tile || (has_gone_on && stored.starts_with(&tile));
                self.compare(conn, level, index, same).await?;
            }
        }
        let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM tile").fetch_one(conn).await?;
        let surplus = to_u64(stored, "count")?.saturating_sub(self.there);
        Ok((self.wrong, if has_gone_on { 0 } else { surplus }))
    }

    async fn compare(
        &mut self,
        conn: &mut SqliteConnection,
        level: usize,
        index: u64,
        is_same: impl Fn(&[Hash]) -> bool,
    ) -> Result<()> {
        let id = TileId { level: u32::try_from(level).unwrap_or(u32::MAX), index };
        let stored = read_tile(conn, id).await;
        self.there += u64::from(!matches!(stored, Ok(None)));
        match stored {
            Ok(Some(stored)) if is_same(&stored) => {}
            Err(error) if !sqlite::is_damage(&error) => return Err(error),
            _ => self.wrong.push(id),
        }
        Ok(())
    }
}
