//! Where a log ends, and what the next transaction would be.

use counterfoil_core::{
    Alh, Frontier, Header, HeaderVersion, Root, TrustedState, TxId, TxMetadata,
};

use super::TxRecord;
use crate::error::Result;
use crate::sqlite::damaged;

/// The last transaction of a log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) state: TrustedState,
    pub(crate) ts: i64,
}

/// The end of a log: all that the next transaction depends on.
#[derive(Clone)]
pub(crate) struct LogEnd {
    head: Option<Head>,
    frontier: Frontier,
}

impl Default for LogEnd {
    fn default() -> Self {
        Self { head: None, frontier: Frontier::new() }
    }
}

impl LogEnd {
    pub(super) fn new(head: Head, frontier: Frontier) -> Self {
        Self { head: Some(head), frontier }
    }

    /// Goes on by the next transaction.
    pub(crate) fn push(&mut self, record: &TxRecord) -> Result<()> {
        self.push_state(TrustedState { tx: record.id, alh: record.alh }, record.ts)
    }

    /// The same by what it takes.
    pub(crate) fn push_state(&mut self, state: TrustedState, ts: i64) -> Result<()> {
        self.frontier.push(state.alh.leaf_hash()).map_err(|error| damaged(error.to_string()))?;
        self.head = Some(Head { state, ts });
        Ok(())
    }

    /// The last transaction.
    pub(crate) fn head(&self) -> Option<Head> {
        self.head
    }

    /// How many transactions there are.
    pub(crate) fn size(&self) -> u64 {
        self.head.map_or(0, |head| head.state.tx.get())
    }

    /// The root over all of them: the next header's bl_root.
    pub(crate) fn root(&self) -> Root {
        if self.size() == 0 { Root::ZERO } else { self.frontier.root() }
    }

    /// The tree's peaks, to continue from.
    #[cfg(feature = "immudb")]
    pub(crate) fn frontier(&self) -> Frontier {
        self.frontier.clone()
    }

    /// The Alh that the next header names as its predecessor's.
    pub(crate) fn last_alh(&self) -> Alh {
        self.head.map_or(Alh::BEFORE_FIRST, |head| head.state.alh)
    }

    /// The id of the next transaction.
    pub(crate) fn next_id(&self) -> TxId {
        TxId::new(self.size() + 1)
    }

    /// The header that immudb would give the next transaction.
    pub(crate) fn next_header(&self, ts: i64, nentries: u32, eh: Root) -> Header<'static> {
        Header {
            id: self.next_id(),
            prev_alh: self.last_alh(),
            ts,
            version: HeaderVersion::V1,
            metadata: TxMetadata::default(),
            nentries,
            eh,
            bl_tx_id: TxId::new(self.size()),
            bl_root: self.root(),
        }
    }
}
