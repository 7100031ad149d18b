//! The log's tree as this store has verified it.

use counterfoil_core::checkpoint::{Checkpoint, KeyName};
use counterfoil_core::{
    Root, TreeError, TreeSize, TrustedState, TxId, verify_consistency, verify_inclusion,
};
use serde::Serialize;

use super::refusal::CheckpointRefusal;
use crate::error::{Error, Result};
use crate::local::Local;
use crate::sqlite::damaged;
use crate::store::EventStore;
use crate::verdict::Verdict;

#[cfg(test)]
mod lagging;

/// Transactions that hang on the chain alone and are looked at one by one: as many steps as core takes
/// of a chain by default. Today's immudb never has any.
const MOST_BEHIND: u64 = 4096;

/// A tree over the beginning of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LogTree {
    /// How many transactions: 1 to this one.
    pub size: TreeSize,
    /// The RFC 6962 root over the leaves `H(00 ‖ Alh)` of all of them. The next header's `bl_root`.
    pub root: Root,
}

impl EventStore {
    /// The tree over the first `size` transactions; of `None` over all that are verified.
    ///
    /// # Errors
    ///
    /// [`Error::BeyondState`] if fewer are; [`Error::Checkpoint`] for size 0. As every read.
    pub async fn log_tree(&self, size: Option<TreeSize>) -> Result<LogTree> {
        self.sync().await?;
        self.local().await.tree(size).await
    }

    /// The RFC 6962 proof that the tree of `new` transactions begins with that of `old`, as other logs
    /// and witnesses use it. (immudb's own, of which core's `verify_consistency_immudb` knows, has one
    /// term more where `old` is a power of two.) From size 0, and between equal sizes, it is empty.
    ///
    /// # Errors
    ///
    /// As [`log_tree`](Self::log_tree), and [`Error::Invalid`] if `old` is larger than `new`.
    pub async fn log_consistency(&self, old: TreeSize, new: TreeSize) -> Result<Vec<[u8; 32]>> {
        self.sync().await?;
        self.local().await.consistency(old, new).await
    }

    /// Holds a checkpoint to this store's own log.
    ///
    /// What success does not prove: that anybody has signed it.
    ///
    /// # Errors
    ///
    /// [`Verdict::OtherTree`] if the ledger has another tree of this size;
    /// [`Error::Checkpoint`]: `OtherLedger` if the log's name holds another ledger's id; as
    /// [`log_tree`](Self::log_tree).
    pub async fn check_checkpoint(&self, checkpoint: &Checkpoint<'_>) -> Result<()> {
        self.sync().await?;
        self.local().await.has_tree_of(checkpoint).await
    }
}

impl Local {
    pub(super) async fn tree(&mut self, size: Option<TreeSize>) -> Result<LogTree> {
        let verified = self.state()?.tx;
        let size = size.unwrap_or(TreeSize::new(verified.get()));
        match size.get() {
            0 => Err(CheckpointRefusal::Empty.into()),
            asked if asked > verified.get() => {
                Err(Error::BeyondState { asked: TxId::new(asked), verified })
            }
            _ => Ok(LogTree { size, root: self.root_at(size.get()).await? }),
        }
    }

    /// The same, held to the hash of the pinned state: what was kept of the tree is not believed. All
    /// transactions up to that state must be accounted for, or no header recomputes.
    pub(super) async fn proven_tree(&mut self, size: Option<TreeSize>) -> Result<LogTree> {
        let tree = self.tree(size).await?;
        let TrustedState { tx: mut at, mut alh } = self.state()?;
        let whole = self.tree(None).await?;
        let mut covered = None;
        // The pinned header holds the root over those before it. Where the ledger's tree lagged, those
        // in between hang on the chain alone.
        let (covered, root) = loop {
            let record = self.record(at).await?;
            let header = self.header(&record).await?;
            if header.alh() != Ok(alh) {
                let what = format!("the header of transaction {at} is not that of its hash {alh}");
                return Err(Verdict::LogAltered { what }.into());
            }
            let index = at.leaf_index().ok_or_else(|| damaged("transaction 0"))?;
            let path = self.inclusion_path(at, whole.size.get()).await?;
            verify_inclusion(&alh.leaf_hash(), index, whole.size, &path, &whole.root)
                .map_err(altered)?;
            let covered = *covered.get_or_insert((header.bl_tx_id, header.bl_root));
            let before = TxId::new(index.get());
            if before.get().saturating_sub(covered.0.get()) > MOST_BEHIND {
                return Err(CheckpointRefusal::TreeLags { tx: at, covered: covered.0 }.into());
            }
            if before <= covered.0 {
                break covered;
            }
            (at, alh) = (before, header.prev_alh);
        };
        if covered.get() > 0 {
            let path = self.consistency_path(covered.get(), whole.size.get()).await?;
            verify_consistency(covered.tree_size(), &root, whole.size, &whole.root, &path)
                .map_err(altered)?;
        }
        let path = self.consistency_path(tree.size.get(), whole.size.get()).await?;
        verify_consistency(tree.size, &tree.root, whole.size, &whole.root, &path)
            .map_err(altered)?;
        Ok(tree)
    }

    /// That a log of this name may be this ledger's.
    pub(super) fn may_be_named(&self, origin: KeyName<'_>) -> Result<()> {
        let ledger = self.pin()?.ledger;
        match origin.names_other_ledger(&ledger) {
            false => Ok(()),
            true => {
                let origin = origin.to_string();
                Err(CheckpointRefusal::OtherLedger { origin, ledger }.into())
            }
        }
    }

    /// Put through the same verifier as anybody's.
    pub(super) async fn consistency(
        &mut self,
        old: TreeSize,
        new: TreeSize,
    ) -> Result<Vec<[u8; 32]>> {
        if old > new {
            return Err(Error::Invalid(format!(
                "a log of size {new} does not continue size {old}"
            )));
        }
        let after = self.tree(Some(new)).await?;
        if old.get() == 0 {
            return Ok(Vec::new());
        }
        let before = self.tree(Some(old)).await?;
        let path = self.consistency_path(old.get(), new.get()).await?;
        verify_consistency(old, &before.root, new, &after.root, &path).map_err(altered)?;
        Ok(path)
    }

    pub(super) async fn has_tree_of(&mut self, checkpoint: &Checkpoint<'_>) -> Result<()> {
        self.may_be_named(checkpoint.origin())?;
        let tree = self.tree(Some(checkpoint.size())).await?;
        let (size, signed, found) = (tree.size.get(), checkpoint.root(), tree.root);
        match signed == found {
            true => Ok(()),
            false => Err(Verdict::OtherTree { size, signed, found }.into()),
        }
    }
}

fn altered(error: TreeError) -> Verdict {
    Verdict::LogAltered { what: format!("its tree: {error}") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use counterfoil_core::Alh;

    use super::*;
    use crate::checkpoint::{LogSigner, default_origin};
    use crate::event::{Cover, Event};
    use crate::log::tiles::TileId;
    use crate::signing_key::SigningKeyFile;

    async fn ledger(size: u64) -> EventStore {
        let store = EventStore::in_memory().await.unwrap();
        for n in store.state().await.unwrap().tx.get()..size {
            store.add_event(&Event::new(&Cover::new("d", "r"), "T", n.to_string())).await.unwrap();
        }
        store
    }

    /// A signer in a folder, of a log that has signed nothing.
    fn signer(folder: &tempfile::TempDir, origin: &str) -> LogSigner {
        let at = |name: &str| folder.path().join(name);
        let key = SigningKeyFile::generate(&at("key"), origin).unwrap();
        LogSigner::begin(&at("last"), origin).unwrap();
        LogSigner::new(origin, Arc::new(key), at("last")).unwrap()
    }

    async fn flip(store: &EventStore, byte: usize) {
        let mut local = store.local().await;
        let id = TileId { level: 1, index: 0 };
        let tile = crate::log::read_tile(local.conn(), id).await.unwrap().unwrap();
        let mut bytes = tile.as_flattened().to_vec();
        bytes[byte] ^= 1;
        let done = sqlx::query("UPDATE tile SET hashes = ? WHERE level = 1 AND idx = 0")
            .bind(bytes)
            .execute(local.conn())
            .await
            .unwrap();
        assert_eq!(done.rows_affected(), 1);
    }

    /// Each byte of the hash that a stored tile has, by itself.
    #[tokio::test]
    async fn a_tile_that_rotted_is_not_signed() {
        let store = ledger(259).await;
        let folder = tempfile::tempdir().unwrap();
        let signer = signer(&folder, "example.com/goods");
        let begun = std::fs::read(folder.path().join("last")).unwrap();
        for byte in 0..32 {
            flip(&store, byte).await;
            for size in [257, 258, 259] {
                let signed = store.sign_checkpoint(&signer, Some(TreeSize::new(size))).await;
                let refused = signed.unwrap_err();
                let altered = matches!(refused.verdict(), Some(Verdict::LogAltered { .. }));
                assert!(altered, "{byte} {size}: {refused}");
            }
            flip(&store, byte).await;
        }
        assert_eq!(std::fs::read(folder.path().join("last")).unwrap(), begun);
        for size in [1, 2, 200, 256, 257, 258, 259] {
            store.sign_checkpoint(&signer, Some(TreeSize::new(size))).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_log_that_names_another_ledger_is_not_signed() {
        let store = ledger(3).await;
        let folder = tempfile::tempdir().unwrap();
        let other = default_origin(Alh::new([7; 32]));
        let refused =
            store.sign_checkpoint(&signer(&folder, &other), None).await.unwrap_err().to_string();
        assert!(refused.contains("the log of another ledger"), "{refused}");
        // Nor is its checkpoint of this very tree taken for this ledger's.
        let tree = store.log_tree(None).await.unwrap();
        let named = |name| Checkpoint::new(KeyName::new(name).unwrap(), tree.size, tree.root);
        let refused = store.check_checkpoint(&named(&other).unwrap()).await.unwrap_err();
        assert!(refused.to_string().contains("the log of another ledger"), "{refused}");

        let own = default_origin(store.ledger_id().await.unwrap());
        store.check_checkpoint(&named(&own).unwrap()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        store.sign_checkpoint(&signer(&folder, &own), None).await.unwrap();
    }
}
