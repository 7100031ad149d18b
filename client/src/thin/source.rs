//! Where a thin reader's tree comes from.

use counterfoil_core::Header;
use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::local::Local;
use crate::log::tiles::{self, TileId};
use crate::prover::Hash;
use crate::undecided::{TileFlaw, TileName, TileProblem};

/// Candidates of one place that are tried: anybody who may write to the
/// tiles may have put others beside the true one.
pub(crate) const MOST_CANDIDATES: usize = 8;

/// A tile as somebody claims it: the columns of its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClaimedTile {
    pub(crate) level: i64,
    pub(crate) index: i64,
    pub(crate) width: i64,
    pub(crate) digest: Vec<u8>,
    pub(crate) hashes: Vec<u8>,
}

/// Where tiles are kept.
pub(crate) trait TileSource {
    /// At most [`MOST_CANDIDATES`] tiles of this place that are at least so
    /// wide. None of them is believed.
    async fn tiles(&mut self, id: TileId, width: usize) -> Result<Vec<ClaimedTile>>;
}

/// Where headers are kept.
pub(crate) trait HeaderSource {
    /// The headers of `first..=last`, in order, all of them. None of them is
    /// believed.
    async fn headers(&mut self, first: u64, last: u64) -> Result<Vec<Header<'static>>>;
}

impl ClaimedTile {
    /// What the row of a tile holds.
    pub(crate) fn of(id: TileId, hashes: &[Hash]) -> Self {
        let bytes = hashes.as_flattened();
        Self {
            level: i64::from(id.level),
            index: crate::sqlite::to_i64(id.index),
            width: hashes.len() as i64,
            digest: Sha256::digest(bytes).to_vec(),
            hashes: bytes.to_vec(),
        }
    }

    /// The first `width` hashes, if the row is one of a tile of this place: a
    /// wider tile begins with a narrower one's hashes.
    pub(crate) fn read(&self, id: TileId, width: usize) -> Result<Vec<Hash>, TileFlaw> {
        let flaw = |problem| TileFlaw { tile: self.name(id), problem };
        let place = (i64::from(id.level), crate::sqlite::to_i64(id.index));
        let mut hashes = tiles::parse(&self.hashes).ok_or(flaw(TileProblem::Width))?;
        if (self.level, self.index) != place
            || i64::try_from(hashes.len()) != Ok(self.width)
            || hashes.len() < width
        {
            return Err(flaw(TileProblem::Width));
        }
        if Sha256::digest(&self.hashes)[..] != self.digest {
            return Err(flaw(TileProblem::Digest));
        }
        hashes.truncate(width);
        Ok(hashes)
    }

    /// The name by which it was asked for, with the width that it claims.
    fn name(&self, id: TileId) -> TileName {
        name(id, u64::try_from(self.width).unwrap_or(0))
    }
}

/// A tile's name.
pub(crate) fn name(id: TileId, width: u64) -> TileName {
    TileName { level: id.level, index: id.index, width }
}

/// The client's own log: its tiles are true, and go through the same check.
impl TileSource for Local {
    async fn tiles(&mut self, id: TileId, width: usize) -> Result<Vec<ClaimedTile>> {
        let tile = self.tile(id).await?.filter(|tile| tile.len() >= width);
        Ok(tile.iter().map(|tile| ClaimedTile::of(id, tile)).collect())
    }
}
