//! The tree of the log. Nothing that is given out here has been checked.

use counterfoil_core::{Root, TxId};

use super::Local;
use crate::error::Result;
use crate::prover::Hash;

impl Local {
    /// The log's root when it had `size` transactions.
    pub(crate) async fn root_at(&mut self, size: u64) -> Result<Root> {
        self.log.root_at(&mut self.conn, &mut self.tiles, size).await
    }

    /// The path of a transaction in the tree of the first `size`, both in the log.
    pub(crate) async fn inclusion_path(&mut self, id: TxId, size: u64) -> Result<Vec<Hash>> {
        self.log.inclusion_path(&mut self.conn, &mut self.tiles, id.get(), size).await
    }

    /// The RFC 9162 path from the tree of the first `old` to that of the first `new`, both in the log.
    pub(crate) async fn consistency_path(&mut self, old: u64, new: u64) -> Result<Vec<Hash>> {
        self.log.consistency_path(&mut self.conn, &mut self.tiles, old, new).await
    }
}
