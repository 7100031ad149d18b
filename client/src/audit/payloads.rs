//! What the auditor's payload store has of the contents that the ledger
//! commits to.

use counterfoil_core::TxId;
use serde::Serialize;

use super::fresh::Fresh;
use super::report::AuditReport;
use crate::error::Result;
use crate::event::PayloadCommitment;
use crate::index::Position;
use crate::payloads::{Kept, PayloadStore, failed, kept};

/// What a payload store has of the contents that a ledger commits to. It
/// belongs to no verdict: the ledger is what it is, whatever became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditedPayloads {
    /// Events whose payload is there, and is what was committed to.
    pub available: u64,
    /// Events whose payload is erased: the ledger says so, and it is gone.
    pub erased: u64,
    /// Events whose payload is not there, or not what was committed to, and
    /// not erased as far as the ledger tells.
    pub unavailable: u64,
    /// Events whose payload is erased, but there is something still
    /// ([`EventStore::finish_erasures`](crate::EventStore::finish_erasures)).
    pub remaining: u64,
    /// Payloads that belong to no event up to [`AuditReport::through`], if the
    /// store can list what it has, every event was read and the report is
    /// [`Intact`](super::AuditVerdict::Intact): where anything is hidden, does
    /// not hold or is vouched for by nobody, a payload that seems to belong to
    /// no event may be that of an event which cannot be seen. Then this is
    /// `None`.
    ///
    /// A writer that crashed left them. Those of appends made since the audit
    /// began, or still on their way, or of an unknown outcome, are among them:
    /// remove only what an audit names during which nobody wrote.
    pub unused: Option<u64>,
    /// Those, from the lowest commitment up, at most
    /// [`AuditReport::MOST_LISTED`].
    pub unused_listed: Vec<PayloadCommitment>,
    /// Those unavailable or remaining, in ledger order, at most
    /// [`AuditReport::MOST_LISTED`].
    pub problems: Vec<PayloadProblem>,
}

/// A payload that is not as it should be, and whose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PayloadProblem {
    /// The event's transaction.
    pub tx: TxId,
    /// Its entry, from 0.
    pub entry: u32,
    /// What the event carries.
    pub commitment: PayloadCommitment,
    /// What is the matter.
    pub kind: PayloadProblemKind,
}

/// The kinds of [`PayloadProblem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PayloadProblemKind {
    /// The payload store has none.
    Missing,
    /// What it has is not what was committed to.
    Altered,
    /// It is erased, and there is something still.
    Remains,
    /// The payload store could not tell.
    Unanswered,
}

/// Commitments looked at between two questions to the audit's index.
const PAGE: usize = 512;

/// Asks for the payload behind every commitment that was derived, and, where
/// these are `all` that there are, for a commitment to each payload.
pub(super) async fn look(
    fresh: &mut Fresh,
    payloads: &dyn PayloadStore,
    all: bool,
) -> Result<AuditedPayloads> {
    let mut audited = AuditedPayloads::default();
    if all {
        find_unused(fresh, payloads, &mut audited).await?;
    }
    let mut after = Position::from_raw(-1);
    loop {
        let page = fresh.commitments(after, PAGE).await?;
        let Some((last, ..)) = page.last() else { return Ok(audited) };
        after = *last;
        for (pos, commitment, erased) in page {
            let kind = match (kept(payloads, commitment).await, erased) {
                (Ok(Kept::Nothing), true) => {
                    audited.erased += 1;
                    continue;
                }
                (Ok(Kept::Payload(_)), false) => {
                    audited.available += 1;
                    continue;
                }
                (Ok(_), true) => PayloadProblemKind::Remains,
                (Ok(Kept::Other), false) => PayloadProblemKind::Altered,
                (Ok(Kept::Nothing), false) => PayloadProblemKind::Missing,
                (Err(_), _) => PayloadProblemKind::Unanswered,
            };
            match kind {
                PayloadProblemKind::Remains => audited.remaining += 1,
                _ => audited.unavailable += 1,
            }
            if audited.problems.len() < AuditReport::MOST_LISTED {
                let (tx, entry) = (pos.tx(), pos.entry());
                audited.problems.push(PayloadProblem { tx, entry, commitment, kind });
            }
        }
    }
}

async fn find_unused(
    fresh: &mut Fresh,
    payloads: &dyn PayloadStore,
    audited: &mut AuditedPayloads,
) -> Result<()> {
    let mut after = None;
    loop {
        let page = payloads.list(after).await.map_err(failed("list its payloads"))?;
        let Some(page) = page else { return Ok(()) };
        let unused = audited.unused.get_or_insert_default();
        let Some(last) = page.last() else { return Ok(()) };
        // One that goes in circles would never end.
        if after.as_ref().is_some_and(|after| last.as_bytes() <= after.as_bytes()) {
            return Err(failed("list its payloads in order")("it went back".into()));
        }
        after = Some(*last);
        for commitment in page {
            if fresh.is_committed(commitment).await? {
                continue;
            }
            *unused += 1;
            if audited.unused_listed.len() < AuditReport::MOST_LISTED {
                audited.unused_listed.push(commitment);
            }
        }
    }
}
