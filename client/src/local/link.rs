//! What ties an older state of the ledger to the pinned one.

use counterfoil_core::{Header, TxId};

use super::Local;
use crate::error::Result;
use crate::prover::Hash;
use crate::verdict::Verdict;

/// How two states belong together.
pub(crate) struct StateLink {
    pub(crate) older: Header<'static>,
    pub(crate) newer: Header<'static>,
    pub(crate) inclusion: Vec<Hash>,
    pub(crate) consistency: Vec<Hash>,
}

impl Local {
    /// What ties a state that the ledger went through to a later one: immudb's dual proof of version 2.
    /// Nothing of it is checked here.
    pub(crate) async fn link(&mut self, older: TxId, newer: TxId) -> Result<StateLink> {
        let record = self.record(newer).await?;
        let size = record.bl_tx_id.get();
        let newer = self.header(&record).await?;
        let record = self.record(older).await?;
        let header = self.header(&record).await?;
        if header.bl_tx_id.next() != Some(older) || size < older.get() {
            let reason = format!("the ledger's tree lagged at {older}: nothing ties that state");
            return Err(Verdict::BadProof { reason }.into());
        }
        let (conn, tiles) = (&mut self.conn, &mut self.tiles);
        let inclusion = self.log.inclusion_path(conn, tiles, older.get(), size).await?;
        // Transaction 1 has no tree before it: its own is that of itself.
        let (old, root) = match older.get() {
            1 => (1, record.alh.leaf_hash().to_bytes()),
            _ => (record.bl_tx_id.get(), header.bl_root.to_bytes()),
        };
        let mut consistency = self.log.consistency_path(conn, tiles, old, size).await?;
        if old.is_power_of_two() && old < size {
            // RFC 9162 leaves the old root out where it is a node of the new tree; immudb does not.
            consistency.insert(0, root);
        }
        Ok(StateLink { older: header, newer, inclusion, consistency })
    }
}
