//! The log's tree as this store has verified it.

use counterfoil_core::checkpoint::Checkpoint;
use counterfoil_core::{Root, TreeSize, TxId, verify_consistency};
use serde::Serialize;

use super::refusal::CheckpointRefusal;
use crate::error::{Error, Result};
use crate::local::Local;
use crate::store::EventStore;
use crate::verdict::Verdict;

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
    /// [`Verdict::OtherTree`] if the ledger has another tree of this size; as
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
        verify_consistency(old, &before.root, new, &after.root, &path)
            .map_err(|error| Verdict::LogAltered { what: format!("its tree: {error}") })?;
        Ok(path)
    }

    pub(super) async fn has_tree_of(&mut self, checkpoint: &Checkpoint<'_>) -> Result<()> {
        let tree = self.tree(Some(checkpoint.size())).await?;
        let (size, signed, found) = (tree.size.get(), checkpoint.root(), tree.root);
        match signed == found {
            true => Ok(()),
            false => Err(Verdict::OtherTree { size, signed, found }.into()),
        }
    }
}
