//! Transactions of which header and hash are known, what is shown to be in them, and what two of them have
//! to say of each other.

use super::encode::leaf;
use super::flaw::Flaw;
use super::layout::Entry;
use super::path::{Path, check_inclusion};
use super::policy::Policy;
use crate::chain::TxAlh;
use crate::digest::{Alh, EntryDigest, leaf_hash};
use crate::error::ProofError;
use crate::header::RawHeader;
use crate::number::{LeafIndex, TreeSize, TxId};
use crate::state::TrustedState;

/// A transaction of which header and hash are known, wherever they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'k> {
    pub(super) header: RawHeader<'k>,
    pub(super) alh: &'k [u8; 32],
}

impl Known<'_> {
    pub(super) const fn state(&self) -> TxAlh {
        TxAlh { tx: self.header.id, alh: Alh::new(*self.alh) }
    }

    /// The header has the hash that is said.
    pub(super) fn check(&self) -> Result<(), Flaw> {
        let tx = self.header.id;
        let holds = self.header.alh() == *self.alh;
        if holds { Ok(()) } else { Err(Flaw::State(ProofError::StateAlh { tx })) }
    }

    /// The hash of a transaction that is in the ledger of this state.
    #[inline(never)]
    pub(super) fn hash_of(&self, tx: &RawHeader<'_>, path: Path<'_>) -> Result<[u8; 32], Flaw> {
        // The state's own has the header that was read as the state's, and no path.
        if tx.id == self.header.id {
            return Ok(*self.alh);
        }
        let bad = |error| Flaw::Tx { tx: tx.id, error };
        let covered = self.header.bl_tx_id;
        if tx.id > covered {
            return Err(bad(ProofError::NotCovered { tx: tx.id, covered }));
        }
        let alh = tx.alh();
        let (leaf_hash, size) = (leaf_hash(&alh), covered.tree_size());
        check_inclusion(&leaf_hash, leaf(tx.id), size, path, self.header.bl_root)
            .map_err(|error| bad(ProofError::TxInclusion(error)))?;
        Ok(alh)
    }

    /// Where two are neighbours, the chain leads from one to the other.
    pub(super) fn agrees(&self, other: &Self) -> Result<(), Parted> {
        self.follows(other.header.id, other.alh)?;
        other.follows(self.header.id, self.alh)
    }

    /// If this is the transaction after that one, it names it; if it is the same, it is the same.
    pub(super) fn follows(&self, older: TxId, alh: &[u8; 32]) -> Result<(), Parted> {
        let tx = self.header.id;
        let parted = older.next() == Some(tx) && self.header.prev_alh != alh
            || older == tx && self.alh != alh;
        if parted { Err(Parted(tx)) } else { Ok(()) }
    }

    /// What the policy knows of the transaction or of its predecessor is what the header says. If a
    /// state is pinned for the transaction, this is it.
    pub(super) fn meets<'p>(
        &self,
        policy: &Policy<'p>,
    ) -> Result<Option<&'p TrustedState>, Contradicts> {
        // Before transaction 1 there is none: what its header names was compared when it was read.
        let id = self.header.id;
        let before = TxId::new(id.get().saturating_sub(1));
        for (tx, found) in [(before, self.header.prev_alh), (id, self.alh)] {
            if policy.known(tx).is_some_and(|known| known.as_bytes() != found) {
                return Err(Contradicts(tx));
            }
        }
        Ok(policy.pin(id))
    }
}

impl Entry<'_> {
    /// The event's row is an entry of this transaction, and its writer had seen only what came before.
    #[inline(never)]
    pub(super) fn check(
        &self,
        tx: &RawHeader<'_>,
        table_id: u32,
        path: Path<'_>,
    ) -> Result<(), Flaw> {
        let (tx, entry, nentries, eh) = (tx.id, self.index, tx.nentries, tx.eh);
        let leaf_hash = self.digest(table_id).leaf_hash();
        let (index, size) = (LeafIndex::new(entry.into()), TreeSize::new(nentries.into()));
        check_inclusion(&leaf_hash, index, size, path, eh).map_err(|error| Flaw::Entry {
            tx,
            entry,
            error: ProofError::EntryInclusion(error),
        })?;
        let seen_before = self.body.seen_tx < tx.get();
        if seen_before { Ok(()) } else { Err(Flaw::SeenTx { tx, entry }) }
    }

    /// The digest of the entry that its row is in this table.
    #[inline(never)]
    fn digest(&self, table_id: u32) -> EntryDigest {
        self.body.row(&self.body.ext(), self.bytes).digest(table_id)
    }
}

/// The chain leads to another transaction of this number.
pub(super) struct Parted(TxId);

impl From<Parted> for Flaw {
    fn from(Parted(tx): Parted) -> Self {
        Self::Chain { tx }
    }
}

/// The policy has another hash of this transaction.
pub(super) struct Contradicts(TxId);

impl From<Contradicts> for Flaw {
    fn from(Contradicts(tx): Contradicts) -> Self {
        Self::Contradicts { tx }
    }
}
