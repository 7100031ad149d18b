//! Events that were found, and what is asked of those that are written.

use std::fmt;

use counterfoil_core::receipt::Authorship;
use counterfoil_core::{EntryDigest, TxId};
pub use counterfoil_policy::{
    Cover, Edition, Event, MAX_DOMAIN, MAX_EDITION, MAX_ROOT, Payload, PayloadCommitment,
};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::position::LedgerPosition;

/// The largest stored body, in bytes: the event and some 250 bytes beside it, or 350 if it is signed.
pub const MAX_BODY: usize = 1 << 20;

/// That a stream can have this name.
pub(crate) fn check_cover(cover: &Cover) -> Result<()> {
    if cover.domain.is_empty() || cover.domain.len() > MAX_DOMAIN {
        return Err(Error::Invalid(format!(
            "the domain has {} bytes; it must have 1 to {MAX_DOMAIN}: \"shipment\", say",
            cover.domain.len()
        )));
    }
    if cover.edition.as_str().len() > MAX_EDITION {
        return Err(Error::Invalid(format!("the edition is longer than {MAX_EDITION} bytes")));
    }
    if cover.root.len() > MAX_ROOT {
        return Err(Error::Invalid(format!("the root is longer than {MAX_ROOT} bytes")));
    }
    Ok(())
}

/// An event that was found in the ledger and verified there. Only this crate
/// makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordedEvent {
    /// What the application said.
    pub event: Event,
    /// Its place in the stream, from 0.
    pub sequence: u64,
    /// The transaction that holds it.
    pub tx: TxId,
    /// Its place among the transaction's entries, from 0.
    pub entry: u32,
    /// When the writer's clock says it was recorded: µs since 1970.
    pub recorded_at: i64,
    /// When the ledger's clock says it was committed: seconds since 1970. The
    /// ledger's claim, bound by its hash but by nobody's watch.
    pub committed_at: i64,
    /// The digest by which the ledger's trees hold it.
    pub digest: EntryDigest,
    /// Who signed it, if anybody, by the configuration's `[[trust.author]]`. It
    /// says nothing of whether the event is in the ledger: it is.
    #[serde(serialize_with = "crate::author::serialize")]
    pub authorship: Authorship,
}

impl RecordedEvent {
    /// Its place in the ledger's order.
    pub fn position(&self) -> LedgerPosition {
        LedgerPosition::new(self.tx, self.entry)
    }
}

/// Where the caller expects a stream to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Anywhere.
    #[default]
    Any,
    /// Without events.
    NoStream,
    /// With at least one event.
    StreamExists,
    /// With this sequence as its last event: `next_sequence() - 1`.
    Exact(u64),
}

impl fmt::Display for ExpectedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("anything"),
            Self::NoStream => f.write_str("no event"),
            Self::StreamExists => f.write_str("an event"),
            Self::Exact(sequence) => write!(f, "event {sequence}"),
        }
    }
}
