//! The log's tree: tiles in, subtrees and paths out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use counterfoil_core::{Alh, Frontier, Root, TreeSize};
use sqlx::SqliteConnection;

use super::Log;
use super::tiles::{self, TileId, WIDTH};
use crate::error::Result;
use crate::prover::{self, Hash, Nodes, Wanted};
use crate::sqlite::{damaged, to_i64};

/// Full tiles that were read lately. They never change.
#[derive(Default)]
pub(crate) struct TileCache(HashMap<TileId, Arc<Vec<Hash>>>);

impl TileCache {
    /// 8 MB.
    const MOST: usize = 1024;

    fn put(&mut self, id: TileId, tile: Arc<Vec<Hash>>) {
        if self.0.len() >= Self::MOST {
            self.0.clear();
        }
        self.0.insert(id, tile);
    }
}

/// The tiles that one computation needs.
pub(crate) struct Loaded {
    tiles: BTreeMap<TileId, Arc<Vec<Hash>>>,
    /// A hash that no tile had.
    missing: Option<TileId>,
}

impl Loaded {
    pub(crate) fn new(tiles: BTreeMap<TileId, Arc<Vec<Hash>>>) -> Self {
        Self { tiles, missing: None }
    }

    /// The result of a computation over these tiles, if they had all of it.
    pub(crate) fn checked<T>(&self, result: T) -> Result<T> {
        match self.missing {
            None => Ok(result),
            Some(id) => Err(damaged(format!("tile {}/{} is missing or short", id.level, id.index))),
        }
    }
}

impl Nodes for Loaded {
    fn node(&mut self, level: u32, index: u64) -> Hash {
        let (id, first, count) = TileId::of_node(level, index);
        match self.tiles.get(&id).and_then(|tile| tile.get(first..first + count)) {
            Some(hashes) => tiles::fold(hashes),
            None => {
                self.missing = Some(id);
                [0; 32]
            }
        }
    }
}

/// Runs a computation of [`prover`] twice: to learn its tiles and over them.
macro_rules! over_tiles {
    ($log:expr, $conn:expr, $cache:expr, |$nodes:ident| $compute:expr) => {{
        let mut wanted = Wanted::default();
        {
            let $nodes = &mut wanted;
            let _ = $compute;
        }
        let mut loaded = $log.load_tiles($conn, $cache, wanted.0).await?;
        let result = {
            let $nodes = &mut loaded;
            $compute
        };
        loaded.checked(result)
    }};
}

impl Log {
    /// The root over the first `size` transactions, as a header's bl_root.
    pub(crate) async fn root_at(
        &self,
        conn: &mut SqliteConnection,
        cache: &mut TileCache,
        size: u64,
    ) -> Result<Root> {
        match size {
            0 => Ok(Root::ZERO),
            _ if size == self.size() => Ok(self.root()),
            _ => over_tiles!(self, conn, cache, |nodes| prover::root(nodes, size)),
        }
    }

    /// The path of transaction `id` in the tree of the first `size`.
    pub(crate) async fn inclusion_path(
        &self,
        conn: &mut SqliteConnection,
        cache: &mut TileCache,
        id: u64,
        size: u64,
    ) -> Result<Vec<Hash>> {
        if id == 0 || id > size || size > self.size() {
            return Err(damaged(format!("no path from transaction {id} to size {size}")));
        }
        over_tiles!(self, conn, cache, |nodes| prover::inclusion(nodes, id - 1, size))
    }

    /// The proof that the tree of `old` transactions is the beginning of the
    /// tree of `new`.
    pub(crate) async fn consistency_path(
        &self,
        conn: &mut SqliteConnection,
        cache: &mut TileCache,
        old: u64,
        new: u64,
    ) -> Result<Vec<Hash>> {
        if old == 0 || old > new || new > self.size() {
            return Err(damaged(format!("no consistency proof from size {old} to {new}")));
        }
        over_tiles!(self, conn, cache, |nodes| prover::consistency(nodes, old, new))
    }

    /// The peaks of the tree of `size` transactions, read from the tiles.
    pub(super) async fn load_frontier(
        &self,
        conn: &mut SqliteConnection,
        size: u64,
    ) -> Result<Frontier> {
        let peaks = over_tiles!(self, conn, &mut TileCache::default(), |nodes| {
            let mut peaks = Vec::new();
            let mut start = 0;
            for level in (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1) {
                peaks.push(nodes.node(level, start >> level));
                start += 1 << level;
            }
            peaks
        })?;
        Frontier::from_peaks(TreeSize::new(size), &peaks)
            .map_err(|error| damaged(format!("the log's tree: {error}")))
    }

    async fn load_tiles(
        &self,
        conn: &mut SqliteConnection,
        cache: &mut TileCache,
        wanted: BTreeSet<TileId>,
    ) -> Result<Loaded> {
        let mut tiles = BTreeMap::new();
        let current = self.size() / WIDTH as u64;
        for id in wanted {
            if id.level == 0 && id.index >= current {
                if id.index == current {
                    tiles.insert(id, Arc::new(self.level0.clone()));
                }
                continue;
            }
            if let Some(tile) = cache.0.get(&id) {
                tiles.insert(id, Arc::clone(tile));
            } else if let Some(tile) = read_tile(conn, id).await? {
                let tile = Arc::new(tile);
                if tile.len() == WIDTH {
                    cache.put(id, Arc::clone(&tile));
                }
                tiles.insert(id, tile);
            }
        }
        Ok(Loaded::new(tiles))
    }

    /// Adds the leaf of the transaction that the end has just gone on by; a
    /// tile that it fills is written, and its root goes into
    /// the tile above.
    pub(super) async fn push_leaf(&mut self, conn: &mut SqliteConnection, alh: Alh) -> Result<()> {
        let leaf = alh.leaf_hash();
        self.level0.push(leaf.to_bytes());
        if self.level0.len() < WIDTH {
            return Ok(());
        }
        let mut id = TileId { level: 0, index: self.size() / WIDTH as u64 - 1 };
        let mut tile = std::mem::take(&mut self.level0);
        loop {
            write_tile(conn, id, &tile).await?;
            if tile.len() < WIDTH {
                return Ok(());
            }
            let root = tiles::fold(&tile);
            id = id.above();
            tile = read_tile(conn, id).await?.unwrap_or_default();
            tile.push(root);
        }
    }
}

/// A stored tile.
pub(crate) async fn read_tile(
    conn: &mut SqliteConnection,
    id: TileId,
) -> Result<Option<Vec<Hash>>> {
    let bytes: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT hashes FROM tile WHERE level = ? AND idx = ?")
            .bind(i64::from(id.level))
            .bind(to_i64(id.index))
            .fetch_optional(conn)
            .await?;
    bytes
        .map(|bytes| {
            tiles::parse(&bytes)
                .ok_or_else(|| damaged(format!("tile {}/{} is malformed", id.level, id.index)))
        })
        .transpose()
}

async fn write_tile(conn: &mut SqliteConnection, id: TileId, tile: &[Hash]) -> Result<()> {
    sqlx::query("INSERT OR REPLACE INTO tile (level, idx, hashes) VALUES (?, ?, ?)")
        .bind(i64::from(id.level))
        .bind(to_i64(id.index))
        .bind(tile.as_flattened())
        .execute(conn)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use counterfoil_core::{
        EntryDigest, HeaderVersion, LeafIndex, TxId, verify_consistency, verify_inclusion,
    };

    use super::*;
    use crate::log::{TileCheck, TxRecord, entries_root};
    use crate::sqlite;

    async fn append(log: &mut Log, conn: &mut SqliteConnection) {
        let id = log.next_id();
        let digests = vec![EntryDigest::new([id.get() as u8; 32])];
        let eh = entries_root(&digests);
        let header = log.next_header(1_700_000_000, 1, eh);
        let record = TxRecord::whole(&header, header.alh().unwrap(), digests);
        log.append(conn, &[&record]).await.unwrap();
    }

    /// Across the borders of tiles, from the log in memory and from the log
    /// read back: core accepts every proof that the log makes.
    #[tokio::test]
    async fn the_verifier_accepts_what_the_log_proves() {
        let conn = &mut sqlite::memory().await.unwrap();
        Log::create(conn).await.unwrap();
        let mut log = Log::new();
        let mut roots = vec![Root::EMPTY];
        for _ in 0..1100 {
            append(&mut log, conn).await;
            roots.push(log.root());
        }
        let sizes = [1, 2, 3, 255, 256, 257, 511, 512, 513, 700, 1023, 1024, 1025, 1100];
        for log in [log, Log::load(conn).await.unwrap()] {
            let cache = &mut TileCache::default();
            for size in sizes {
                let root = log.root_at(conn, cache, size).await.unwrap();
                assert_eq!(root, roots[size as usize]);
                for id in (1..=size).filter(|id| sizes.contains(id) || id % 97 == 0) {
                    let alh = log.alh(conn, id).await.unwrap().unwrap();
                    let path = log.inclusion_path(conn, cache, id, size).await.unwrap();
                    let (index, size) = (LeafIndex::new(id - 1), TreeSize::new(size));
                    verify_inclusion(&alh.leaf_hash(), index, size, &path, &root).unwrap();
                }
                for old in sizes.into_iter().filter(|old| *old <= size) {
                    let path = log.consistency_path(conn, cache, old, size).await.unwrap();
                    let (old_root, old) = (&roots[old as usize], TreeSize::new(old));
                    verify_consistency(old, old_root, TreeSize::new(size), &root, &path).unwrap();
                }
            }
            assert!(log.inclusion_path(conn, cache, 5, 1101).await.is_err());
            assert!(log.inclusion_path(conn, cache, 0, 5).await.is_err());
        }
    }

    /// What a server may have: headers whose tree lags, of either version, and such
    /// that do not recompute.
    fn record(log: &Log, roots: &[Root], opaque: bool, lag: u64) -> TxRecord {
        let id = log.next_id();
        let digests = vec![EntryDigest::new([id.get() as u8; 32])];
        let eh = entries_root(&digests);
        let mut header = log.next_header(1_700_000_000, 1, eh);
        let before = (id.get() - 1).saturating_sub(lag);
        header.bl_tx_id = TxId::new(before);
        header.bl_root = if before == 0 { Root::ZERO } else { roots[before as usize] };
        if lag > 2 {
            header.version = HeaderVersion::V0;
        }
        match opaque {
            true => TxRecord::opaque(&header, Alh::new([id.get() as u8; 32])),
            false => TxRecord::whole(&header, header.alh().unwrap(), digests),
        }
    }

    /// Whatever its headers are, and with whichever it ends.
    #[tokio::test]
    async fn the_tree_of_a_log_is_neither_refused_nor_found_to_be_another() {
        // Whether it is opaque, and how far its tree lags.
        let kinds: [fn(u64) -> (bool, u64); 5] = [
            |_| (true, 0),
            |id| (id < 300, 0),
            |id| (id % 256 > 3, 0),
            |id| (id % 7 == 0, id % 5),
            |id| (false, id % 301),
        ];
        for (kind, of) in kinds.into_iter().enumerate() {
            let conn = &mut sqlite::memory().await.unwrap();
            Log::create(conn).await.unwrap();
            let (mut log, mut roots, mut alhs) = (Log::new(), vec![Root::EMPTY], Vec::new());
            for id in 1..=520 {
                let (opaque, lag) = of(id);
                let record = record(&log, &roots, opaque, lag);
                log.append(conn, &[&record]).await.unwrap();
                roots.push(log.root());
                alhs.push(record.alh);
                if id % 256 > 3 && id % 256 < 253 && id % 61 != 0 {
                    continue;
                }
                let demanded = Log::load(conn).await.unwrap().demand_tree(conn).await;
                demanded.unwrap_or_else(|error| panic!("{kind}, {id}: {error}"));
            }
            for known in 1..=alhs.len() {
                let mut check = TileCheck::default();
                check.take(conn, &alhs[..known]).await.unwrap();
                let found = check.end(conn, known < alhs.len()).await.unwrap();
                assert_eq!(found, (vec![], 0), "{kind}, {known}");
            }
        }
    }
}
