//! Proofs that a transaction is in a checkpointed log, for tools that know logs and not ledgers.

use counterfoil_core::checkpoint::TlogProofText;
use counterfoil_core::{Alh, TreeSize, TxId, verify_inclusion};
use serde::Serialize;

use super::note::SignedCheckpoint;
use super::refusal::CheckpointRefusal;
use crate::error::Result;
use crate::store::EventStore;
use crate::verdict::Verdict;

/// A C2SP tlog-proof, and what its verifier needs beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct IssuedTlogProof {
    /// The proof, as it stands in a `.tlog-proof` file.
    #[serde(skip)]
    pub text: String,
    /// The transaction.
    pub tx: TxId,
    /// Its hash, whose 32 bytes are the log's entry: the leaf is `H(00 ‖ alh)`. The proof does not
    /// carry it; a receipt does, with all from which it is computed.
    pub alh: Alh,
    /// The log's size.
    pub size: TreeSize,
}

impl EventStore {
    /// The proof that a transaction is in the log that a checkpoint is about. The checkpoint goes into
    /// it with all its signatures; that its tree is this ledger's is checked, the signatures are not.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`](crate::Error::Checkpoint) if the transaction came after the checkpoint; as
    /// [`check_checkpoint`](Self::check_checkpoint).
    pub async fn tlog_proof(&self, tx: TxId, signed: &SignedCheckpoint) -> Result<IssuedTlogProof> {
        self.sync().await?;
        let checkpoint = signed.checkpoint();
        let (size, root) = (checkpoint.size(), checkpoint.root());
        let mut local = self.local().await;
        local.has_tree_of(&checkpoint).await?;
        let index = match tx.leaf_index() {
            Some(index) if index.get() < size.get() => index,
            _ => return Err(CheckpointRefusal::NotInTree { tx, size }.into()),
        };
        let alh = local.record(tx).await?.alh;
        let path = local.inclusion_path(tx, size.get()).await?;
        drop(local);
        verify_inclusion(&alh.leaf_hash(), index, size, &path, &root)
            .map_err(|error| Verdict::LogAltered { what: format!("its tree: {error}") })?;
        let text = TlogProofText { extra: &[], index, path: &path, note: signed.note() };
        Ok(IssuedTlogProof { text: text.to_string(), tx, alh, size })
    }
}
