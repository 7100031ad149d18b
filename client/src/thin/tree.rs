//! The tree under a state, read from tiles that nobody vouches for.
//!
//! The state's header is the only thing believed: its bl_root decides about
//! everything else. The tiles at the tree's right edge, with the leaves behind
//! them that no full tile holds, must make that root; from then on each tile
//! is held to the hash that the tile above has in its place. So a tile that
//! does not belong here is found out by itself, and by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use counterfoil_core::{Alh, Header, Root, TxId};

use super::source::{ClaimedTile, HeaderSource, TileSource, name};
use crate::error::{Error, Result};
use crate::log::Loaded;
use crate::log::tiles::{self, TileId, WIDTH};
use crate::prover::{self, Hash, Wanted};
use crate::sqlite::damaged;
use crate::undecided::{TileFlaw, TileProblem, Undecided};

type Tiles = BTreeMap<TileId, Arc<Vec<Hash>>>;

const FULL: u64 = WIDTH as u64;

/// How many tiles at the end of level 0 may be replaced by headers: 1,024 of
/// them beside the tail.
const LONGER: u64 = 4;
/// Combinations of candidates that are tried at the right edge.
const MOST_COMBINATIONS: usize = 4096;
/// Full tiles that are kept: 128 KB.
const MOST_KEPT: usize = 16;
/// Flaws that are told.
const MOST_FLAWS: usize = 32;

/// The tree of a state's header.
pub(crate) struct ThinTree {
    size: u64,
    /// Tiles of the right edge, the leaves behind them included.
    edge: Tiles,
    /// Full tiles that were fetched.
    kept: Tiles,
    /// Tiles that could not be used since this was asked for.
    flaws: Vec<TileFlaw>,
}

/// The Alhs at the end of the tree, the last one first.
struct Tail {
    alhs: Vec<Alh>,
    size: u64,
    /// The last header whose successor names another Alh than it makes.
    broken: Option<TxId>,
}

impl Tail {
    /// Fetches headers until the leaves from `base` on are there. A leaf is
    /// named by the header of the next transaction.
    async fn reach(&mut self, source: &mut impl HeaderSource, base: u64) -> Result<()> {
        let have = self.size - self.alhs.len() as u64;
        if have <= base {
            return Ok(());
        }
        // Transactions base + 2 ..= have + 1 name the Alhs of base + 1 ..= have;
        // the state's own header, have + 1 = size + 1, came first.
        let last = have + 1;
        let headers = source.headers(base + 2, last).await?;
        for header in headers.iter().rev() {
            let known = self.alhs.last().copied();
            if known.is_some_and(|alh| header.alh() != Ok(alh)) {
                self.broken.get_or_insert(header.id);
            }
            self.alhs.push(header.prev_alh);
        }
        match self.size - self.alhs.len() as u64 == base {
            true => Ok(()),
            false => Err(damaged("headers are missing from an answer")),
        }
    }

    /// The leaves from `base` on.
    fn leaves(&self, base: u64) -> impl Iterator<Item = Hash> {
        let count = (self.size - base) as usize;
        self.alhs[..count].iter().rev().map(|alh| alh.leaf_hash().to_bytes())
    }
}

/// A place at the right edge with what is claimed to be there.
struct Place {
    id: TileId,
    candidates: Vec<Arc<Vec<Hash>>>,
}

impl ThinTree {
    /// Reads the right edge of the tree that `state`, a header that the caller
    /// has recomputed, commits to.
    pub(crate) async fn open(
        source: &mut (impl TileSource + HeaderSource),
        state: &Header<'static>,
    ) -> Result<Self> {
        let size = state.bl_tx_id.get();
        let mut tree = Self { size, edge: Tiles::new(), kept: Tiles::new(), flaws: Vec::new() };
        if size == 0 {
            return Ok(tree);
        }
        let mut tail = Tail { alhs: vec![state.prev_alh], size, broken: None };
        let mut failed = Vec::new();
        let whole = size - size % FULL;
        let bases = (0..=LONGER).map_while(|n| whole.checked_sub(n * FULL));
        let mut lowest = whole;
        for base in bases {
            lowest = base;
            let Some(places) = tree.places(source, base).await? else { continue };
            tail.reach(source, base).await?;
            let edge = fitting(&places, base, size, &tail, &state.bl_root)?;
            failed.extend(places);
            if let Some(edge) = edge {
                tree.edge = edge;
                tree.tell_failed(&failed);
                return Ok(tree);
            }
        }
        tree.tell_failed(&failed);
        let flaws = tree.take_flaws();
        Err(undecided(match tail.broken {
            Some(tx) => Undecided::Header { tx, flaws },
            None => Undecided::TilesEnd { size: lowest, flaws },
        }))
    }

    /// How many transactions it holds.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// What could not be used since the last time.
    pub(crate) fn take_flaws(&mut self) -> Vec<TileFlaw> {
        std::mem::take(&mut self.flaws)
    }

    /// The path of a transaction, which must lie in the tree.
    pub(crate) async fn inclusion(
        &mut self,
        source: &mut (impl TileSource + HeaderSource),
        tx: TxId,
    ) -> Result<Vec<Hash>> {
        let size = self.size;
        let index = tx.get().checked_sub(1).filter(|index| *index < size);
        let index = index.ok_or_else(|| damaged(format!("transaction {tx} is not in the tree")))?;
        let mut wanted = Wanted::default();
        prover::inclusion(&mut wanted, index, size);
        let mut nodes = self.load(source, wanted).await?;
        let path = prover::inclusion(&mut nodes, index, size);
        nodes.checked(path)
    }

    /// The proof that the tree of the first `old` transactions, at least one,
    /// is the beginning of this one.
    pub(crate) async fn consistency(
        &mut self,
        source: &mut (impl TileSource + HeaderSource),
        old: u64,
    ) -> Result<Vec<Hash>> {
        if old == 0 || old > self.size {
            return Err(damaged(format!("no consistency proof from size {old} to {}", self.size)));
        }
        let mut wanted = Wanted::default();
        prover::consistency(&mut wanted, old, self.size);
        let mut nodes = self.load(source, wanted).await?;
        let path = prover::consistency(&mut nodes, old, self.size);
        nodes.checked(path)
    }

    /// The candidates of every place at the right edge of the tree of `base`
    /// transactions, a multiple of 256; `None` if a place has none.
    async fn places(
        &mut self,
        source: &mut impl TileSource,
        base: u64,
    ) -> Result<Option<Vec<Place>>> {
        let mut places = Vec::new();
        for (id, width) in right_edge(base) {
            let mut candidates: Vec<Arc<Vec<Hash>>> = Vec::new();
            for tile in self.read_all(source, id, width).await? {
                if candidates.iter().all(|known| **known != tile) {
                    candidates.push(Arc::new(tile));
                }
            }
            if candidates.is_empty() {
                return Ok(None);
            }
            places.push(Place { id, candidates });
        }
        Ok(Some(places))
    }

    /// The well-formed tiles of a place, cut to `width`.
    async fn read_all(
        &mut self,
        source: &mut impl TileSource,
        id: TileId,
        width: usize,
    ) -> Result<Vec<Vec<Hash>>> {
        let claimed: Vec<ClaimedTile> = source.tiles(id, width).await?;
        if claimed.is_empty() {
            self.tell(TileFlaw { tile: name(id, width as u64), problem: TileProblem::Missing });
        }
        let read = claimed.iter().map(|claimed| claimed.read(id, width));
        let (good, bad): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
        bad.into_iter().filter_map(Result::err).for_each(|flaw| self.tell(flaw));
        Ok(good.into_iter().flatten().collect())
    }

    async fn load(
        &mut self,
        source: &mut (impl TileSource + HeaderSource),
        wanted: Wanted,
    ) -> Result<Loaded> {
        let mut tiles = Tiles::new();
        for id in wanted.0 {
            tiles.insert(id, self.tile(source, id).await?);
        }
        Ok(Loaded::new(tiles))
    }

    /// A tile of the tree, each on the way down to it held to the one above.
    async fn tile(
        &mut self,
        source: &mut (impl TileSource + HeaderSource),
        wanted: TileId,
    ) -> Result<Arc<Vec<Hash>>> {
        let outside =
            || damaged(format!("tile {}/{} is not in the tree", wanted.level, wanted.index));
        let mut below = Vec::new();
        let mut id = wanted;
        let mut tile = loop {
            match self.edge.get(&id).or_else(|| self.kept.get(&id)) {
                Some(tile) => break Arc::clone(tile),
                // Eight levels span more transactions than can be numbered.
                None if id.level >= 8 => return Err(outside()),
                None => {
                    below.push(id);
                    id = id.above();
                }
            }
        };
        while let Some(id) = below.pop() {
            let root = *tile.get((id.index % FULL) as usize).ok_or_else(outside)?;
            tile = Arc::new(self.full(source, id, root).await?);
            if self.kept.len() >= MOST_KEPT {
                self.kept.clear();
            }
            self.kept.insert(id, Arc::clone(&tile));
        }
        Ok(tile)
    }

    /// The full tile with this root: the first candidate that has it, else, at
    /// level 0, made from headers.
    async fn full(
        &mut self,
        source: &mut (impl TileSource + HeaderSource),
        id: TileId,
        root: Hash,
    ) -> Result<Vec<Hash>> {
        let (mut fitting, foreign): (Vec<_>, Vec<_>) = self
            .read_all(source, id, WIDTH)
            .await?
            .into_iter()
            .partition(|tile| tiles::fold(tile) == root);
        if !foreign.is_empty() {
            self.tell(TileFlaw { tile: name(id, FULL), problem: TileProblem::Foreign });
        }
        if let Some(tile) = fitting.pop() {
            return Ok(tile);
        }
        if id.level > 0 {
            return Err(undecided(Undecided::Tile { flaws: self.take_flaws() }));
        }
        let end = (id.index + 1) * FULL;
        let mut tail = Tail { alhs: Vec::new(), size: end, broken: None };
        tail.reach(source, end - FULL).await?;
        let leaves: Vec<Hash> = tail.leaves(end - FULL).collect();
        match tiles::fold(&leaves) == root {
            true => Ok(leaves),
            false => {
                let flaws = self.take_flaws();
                Err(undecided(match tail.broken {
                    Some(tx) => Undecided::Header { tx, flaws },
                    None => Undecided::Tile { flaws },
                }))
            }
        }
    }

    /// Names the candidates that do not belong to the tree: those that differ
    /// from what is known by now, or all of them while nothing is.
    fn tell_failed(&mut self, failed: &[Place]) {
        for Place { id, candidates } in failed {
            let truth = self.edge.get(id).cloned();
            for tile in candidates {
                if truth.as_ref().is_none_or(|truth| !truth.starts_with(tile)) {
                    let tile = name(*id, tile.len() as u64);
                    self.tell(TileFlaw { tile, problem: TileProblem::Foreign });
                }
            }
        }
    }

    fn tell(&mut self, flaw: TileFlaw) {
        if self.flaws.len() < MOST_FLAWS && !self.flaws.contains(&flaw) {
            self.flaws.push(flaw);
        }
    }
}

fn undecided(why: Undecided) -> Error {
    why.into()
}

/// Places and widths of the tiles above level 0 that the tree of `base`
/// transactions, a multiple of 256, ends in.
pub(crate) fn right_edge(base: u64) -> impl Iterator<Item = (TileId, usize)> {
    (1..8).filter_map(move |level| {
        let hashes = base >> (8 * level);
        let width = (hashes % FULL) as usize;
        (width > 0).then_some((TileId { level, index: hashes / FULL }, width))
    })
}

/// The edge that makes `root`, from some combination of candidates and the
/// leaves behind them.
fn fitting(
    places: &[Place],
    base: u64,
    size: u64,
    tail: &Tail,
    root: &Root,
) -> Result<Option<Tiles>> {
    let combinations: usize = places.iter().map(|place| place.candidates.len()).product();
    for number in 0..combinations.min(MOST_COMBINATIONS) {
        let mut rest = number;
        let mut edge = Tiles::new();
        for Place { id, candidates } in places {
            edge.insert(*id, Arc::clone(&candidates[rest % candidates.len()]));
            rest /= candidates.len();
        }
        for (leaf, index) in tail.leaves(base).zip(base..) {
            grow(&mut edge, index, leaf);
        }
        let mut nodes = Loaded::new(edge.clone());
        let made = prover::root(&mut nodes, size);
        if nodes.checked(made)? == *root {
            return Ok(Some(edge));
        }
    }
    Ok(None)
}

/// Adds leaf number `index`; the root of a tile that it fills goes into the
/// tile above.
fn grow(edge: &mut Tiles, index: u64, leaf: Hash) {
    let (mut id, mut hash) = (TileId { level: 0, index: index / FULL }, leaf);
    loop {
        let tile = Arc::make_mut(edge.entry(id).or_default());
        tile.push(hash);
        if tile.len() < WIDTH {
            return;
        }
        hash = tiles::fold(tile);
        id = id.above();
    }
}
