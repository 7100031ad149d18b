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

#[cfg(test)]
mod tests {
    use counterfoil_core::{
        HeaderVersion, LeafIndex, Root, TreeSize, TxMetadata, verify_consistency, verify_inclusion,
    };

    use super::*;
    use crate::error::Error;

    /// The leaf of every transaction in these ledgers.
    const ALH: Alh = Alh::new([0x5a; 32]);

    /// A ledger of any size all of whose transactions have one hash, so that
    /// every full tile of a level is the same, with its tiles up to a size.
    struct Uniform {
        /// The hash that fills the tiles of each level.
        fill: Vec<Hash>,
        size: u64,
        /// Where the tiles end.
        published: u64,
        /// Tiles that are not there, and tiles with false rows beside them.
        missing: Vec<TileId>,
        squatted: Vec<TileId>,
        statements: u64,
        headers: u64,
        bytes: u64,
    }

    impl Uniform {
        fn new(size: u64, published: u64) -> Self {
            let mut fill = vec![ALH.leaf_hash().to_bytes()];
            for level in 0..7 {
                fill.push(tiles::fold(&[fill[level]; WIDTH]));
            }
            Self {
                fill,
                size,
                published,
                missing: Vec::new(),
                squatted: Vec::new(),
                statements: 0,
                headers: 0,
                bytes: 0,
            }
        }

        fn root(&self, size: u64) -> Root {
            let mut nodes = Filled(&self.fill);
            prover::root(&mut nodes, size)
        }

        /// The header of the transaction after `size`.
        fn state(&self) -> Header<'static> {
            self.header(self.size + 1)
        }

        fn header(&self, id: u64) -> Header<'static> {
            Header {
                id: TxId::new(id),
                prev_alh: ALH,
                ts: 0,
                version: HeaderVersion::V1,
                metadata: TxMetadata::default(),
                nentries: 1,
                eh: Root::ZERO,
                bl_tx_id: TxId::new(id - 1),
                bl_root: self.root(id - 1),
            }
        }
    }

    /// Its nodes, computed.
    struct Filled<'a>(&'a [Hash]);

    impl prover::Nodes for Filled<'_> {
        fn node(&mut self, level: u32, index: u64) -> Hash {
            let (id, _, count) = TileId::of_node(level, index);
            tiles::fold(&vec![self.0[id.level as usize]; count])
        }
    }

    impl TileSource for Uniform {
        async fn tiles(&mut self, id: TileId, width: usize) -> Result<Vec<ClaimedTile>> {
            self.statements += 1;
            let hashes = self.published >> (8 * id.level);
            let there = hashes.saturating_sub(id.index * FULL).min(FULL) as usize;
            let mut found = Vec::new();
            if self.squatted.contains(&id) {
                found.push(ClaimedTile::of(id, &vec![[7; 32]; width]));
            }
            // A row for each width that was ever published; the narrowest
            // that is wide enough comes first.
            if there >= width && !self.missing.contains(&id) {
                found.push(ClaimedTile::of(id, &vec![self.fill[id.level as usize]; width]));
            }
            self.bytes += found.iter().map(|tile| tile.hashes.len() as u64).sum::<u64>();
            Ok(found)
        }
    }

    impl HeaderSource for Uniform {
        async fn headers(&mut self, first: u64, last: u64) -> Result<Vec<Header<'static>>> {
            assert!(first >= 1 && last <= self.size + 1, "{first} to {last} of {}", self.size);
            self.headers += last + 1 - first;
            Ok((first..=last).map(|id| self.header(id)).collect())
        }
    }

    async fn proves(source: &mut Uniform, tree: &mut ThinTree, tx: u64) {
        let path = tree.inclusion(source, TxId::new(tx)).await.unwrap();
        let (size, root) = (tree.size(), source.root(tree.size()));
        let (index, size) = (LeafIndex::new(tx - 1), TreeSize::new(size));
        verify_inclusion(&ALH.leaf_hash(), index, size, &path, &root).unwrap();
    }

    fn why<T>(result: Result<T>) -> Undecided {
        match result {
            Err(Error::CannotDecide(why)) => *why,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("decided"),
        }
    }

    /// The budget: 8 statements beside headers, 255 headers in the tail, 64 KB
    /// of tiles. A read asks for two rows beside what is counted here, opening
    /// for one.
    #[tokio::test]
    async fn a_hundred_million_transactions_stay_within_the_budget() {
        // The last is the worst: every tile at the edge lacks one hash.
        for size in [100_000_000, 100_000_255, (1 << 32) - 1, (1 << 24) + 1] {
            let source = &mut Uniform::new(size, size);
            let mut tree = ThinTree::open(source, &source.state()).await.unwrap();
            proves(source, &mut tree, 1).await;
            let tiles = (source.statements, source.bytes);
            assert!(source.statements < 8 && source.headers <= 255, "{size}: {tiles:?}");
            assert!(source.bytes <= 64 * 1024, "{size}: {tiles:?}");
            for tx in [2, 255, 70_000, size / 2, size - 300, size - 1, size] {
                (source.statements, source.headers, source.bytes) = (0, 0, 0);
                proves(source, &mut tree, tx).await;
                assert!(source.statements <= 6 && source.headers == 0, "{size}: {tx}");
                assert!(source.bytes <= 64 * 1024, "{size}: {tx}");
            }
            assert_eq!(tree.take_flaws(), []);
            assert!(tree.kept.len() <= MOST_KEPT);
        }
    }

    /// Every size across the borders of tiles, whatever part of the tiles is
    /// published.
    #[tokio::test]
    async fn every_size_is_proved_from_every_end_of_the_tiles() {
        for size in [1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 66_000] {
            for behind in [0, 1, 256, 600, 1024] {
                let published = u64::saturating_sub(size, behind);
                let source = &mut Uniform::new(size, published);
                let mut tree = ThinTree::open(source, &source.state()).await.unwrap();
                for tx in [1, 2, size / 2, size - 1, size]
                    .into_iter()
                    .filter(|tx| (1..=size).contains(tx))
                {
                    proves(source, &mut tree, tx).await;
                }
                for old in
                    [1, 2, 255, 256, 257, 512, 65_536, size].into_iter().filter(|o| *o <= size)
                {
                    let path = tree.consistency(source, old).await.unwrap();
                    let (old_root, root) = (source.root(old), source.root(size));
                    let (old, new) = (TreeSize::new(old), TreeSize::new(size));
                    verify_consistency(old, &old_root, new, &root, &path).unwrap();
                }
                assert!(tree.inclusion(source, TxId::new(0)).await.is_err());
                assert!(tree.inclusion(source, TxId::new(size + 1)).await.is_err());
            }
        }
    }

    #[tokio::test]
    async fn tiles_that_end_too_early_are_named() {
        let source = &mut Uniform::new(3000, 1500);
        let Undecided::TilesEnd { size, flaws } =
            why(ThinTree::open(source, &source.state()).await)
        else {
            panic!("another reason")
        };
        assert_eq!(size, 1792);
        let missing = (7..=11).rev().map(|width| TileFlaw {
            tile: name(TileId { level: 1, index: 0 }, width),
            problem: TileProblem::Missing,
        });
        assert!(flaws.into_iter().eq(missing));
        // No header was fetched in vain.
        assert_eq!(source.headers, 0);
    }

    #[tokio::test]
    async fn a_missing_tile_is_made_from_headers_at_the_bottom_and_named_above() {
        let source = &mut Uniform::new(200_000, 200_000);
        let (bottom, above) = (TileId { level: 0, index: 5 }, TileId { level: 1, index: 1 });
        source.missing = vec![bottom, above];
        let mut tree = ThinTree::open(source, &source.state()).await.unwrap();
        source.headers = 0;
        proves(source, &mut tree, 5 * 256 + 7).await;
        assert_eq!(source.headers, 256);
        let missing = |id| TileFlaw { tile: name(id, FULL), problem: TileProblem::Missing };
        assert_eq!(tree.take_flaws(), [missing(bottom)]);
        let why = why(tree.inclusion(source, TxId::new(70_000)).await);
        assert_eq!(why, Undecided::Tile { flaws: vec![missing(above)] });
    }

    #[tokio::test]
    async fn squatters_at_every_level_are_named_and_passed_over() {
        let source = &mut Uniform::new(200_000, 200_000);
        let squatted = [(0, 3), (1, 0), (1, 3), (2, 0)];
        source.squatted = squatted.map(|(level, index)| TileId { level, index }).to_vec();
        let mut tree = ThinTree::open(source, &source.state()).await.unwrap();
        proves(source, &mut tree, 3 * 256 + 7).await;
        let mut named: Vec<_> = tree
            .take_flaws()
            .into_iter()
            .map(|flaw| {
                assert_eq!(flaw.problem, TileProblem::Foreign);
                (flaw.tile.level, flaw.tile.index)
            })
            .collect();
        named.sort_unstable();
        assert_eq!(named, squatted);
    }
}
