//! Ledgers as a server that plays by the rules writes them.

use arbitrary::{Result, Unstructured};
use counterfoil_core::{Alh, HeaderVersion, TrustedState, TxAlh, TxId};
use sha2::{Digest, Sha256};

use super::tree::leaf_hashes;
use super::{Hash, OwnedHeader};
use crate::reference;

/// The digests of one transaction's entries, in their order.
pub type Entries = Vec<Hash>;

/// A ledger in which chain and tree agree. Its tree may lag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ledger {
    headers: Vec<OwnedHeader>,
    entries: Vec<Entries>,
}

impl Ledger {
    /// A ledger whose tree never lags: what immudb writes today.
    pub fn current(transactions: u64) -> Self {
        Self::with_trees(&(0..transactions).collect::<Vec<_>>())
    }

    /// A ledger whose transaction k has a tree over the first `trees[k - 1]` transactions, fewer
    /// than k.
    ///
    /// # Panics
    ///
    /// For a tree that would hold its own transaction.
    pub fn with_trees(trees: &[u64]) -> Self {
        let mut ledger = Self { headers: Vec::new(), entries: Vec::new() };
        for (id, bl_tx_id) in (1_u64..).zip(trees) {
            let entries = (0..=id % 3).map(|index| digest(id, index)).collect();
            ledger.push(*bl_tx_id, id as i64, HeaderVersion::V1, entries);
        }
        ledger
    }

    /// A ledger of 1 to `max` transactions whose tree takes in what it missed now and then, with
    /// headers of both versions.
    ///
    /// # Errors
    ///
    /// Those of [`Unstructured`].
    pub fn arbitrary(u: &mut Unstructured<'_>, max: u64) -> Result<Self> {
        let mut ledger = Self { headers: Vec::new(), entries: Vec::new() };
        let lags = u.ratio(2, 3)?;
        let mut bl_tx_id = 0;
        for id in 1..=u.int_in_range(1..=max)? {
            bl_tx_id = if lags { u.int_in_range(bl_tx_id..=id - 1)? } else { id - 1 };
            let version = if u.ratio(1, 4)? { HeaderVersion::V0 } else { HeaderVersion::V1 };
            let entries = (0..u.int_in_range(1..=5)?).map(|index| digest(id, index)).collect();
            ledger.push(bl_tx_id, u.arbitrary()?, version, entries);
        }
        Ok(ledger)
    }

    fn push(&mut self, bl_tx_id: u64, ts: i64, version: HeaderVersion, entries: Entries) {
        let id = self.len() + 1;
        assert!(bl_tx_id < id, "the tree of transaction {id} is over earlier ones");
        let leaves = self.leaves(bl_tx_id);
        self.headers.push(OwnedHeader {
            id,
            prev_alh: self.headers.last().map_or(reference::root(&[]), OwnedHeader::alh),
            ts,
            version,
            truncated_tx_id: None,
            extra: None,
            nentries: entries.len() as u32,
            eh: reference::root(&leaf_hashes(&entries)),
            bl_tx_id,
            bl_root: if bl_tx_id == 0 { [0; 32] } else { reference::root(&leaves) },
        });
        self.entries.push(entries);
    }

    /// How many transactions there are.
    pub fn len(&self) -> u64 {
        self.headers.len() as u64
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    /// The header of transaction `id`, from 1 to [`len`](Self::len).
    ///
    /// # Panics
    ///
    /// If there is no such transaction; so do the others that take a number.
    pub fn header(&self, id: u64) -> &OwnedHeader {
        let index = id.checked_sub(1).expect("transactions are counted from 1");
        &self.headers[index as usize]
    }

    /// The digests of the entries of a transaction.
    pub fn entries(&self, id: u64) -> &Entries {
        let index = id.checked_sub(1).expect("transactions are counted from 1");
        &self.entries[index as usize]
    }

    /// The hash of a transaction.
    pub fn alh(&self, id: u64) -> Hash {
        self.header(id).alh()
    }

    /// A transaction as the verifier takes it.
    pub fn tx(&self, id: u64) -> TxAlh {
        TxAlh { tx: TxId::new(id), alh: Alh::new(self.alh(id)) }
    }

    /// The ledger's state after a transaction.
    pub fn state(&self, id: u64) -> TrustedState {
        TrustedState { tx: TxId::new(id), alh: Alh::new(self.alh(id)) }
    }

    /// The leaves of the first `count` transactions.
    pub fn leaves(&self, count: u64) -> Vec<Hash> {
        leaf_hashes(&(1..=count).map(|id| self.alh(id)).collect::<Vec<_>>())
    }
}

fn digest(tx: u64, index: u64) -> Hash {
    Sha256::digest([&b"entry"[..], &tx.to_be_bytes(), &index.to_be_bytes()].concat()).into()
}
