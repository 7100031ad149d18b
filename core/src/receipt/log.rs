//! What a policy's logs and witnesses make of a receipt's checkpoint.

use super::flaw::Flaw;
use super::judgement::{Judgement, Logged};
use super::parse::Receipt;
use super::policy::Policy;
use super::verdict::{Anchor, Missing, Verdict};
use crate::checkpoint::{LogPolicy, Witnesses};

impl<'a> Policy<'a> {
    /// The ledger's logs, and where the log policy has one, a quorum of witnesses: without the log's
    /// own signature a quorum is nothing.
    ///
    /// A checkpoint binds the log's name and not the ledger's id: that the log is this ledger's is the
    /// policy's claim. A log whose name holds another ledger's id (`counterfoil/` and 64 hex digits)
    /// vouches for nothing here, as one that the policy does not know.
    pub const fn with_log_policy(self, log: LogPolicy<'a>) -> Self {
        Self { log: Some(log), ..self }
    }
}

impl Receipt<'_> {
    /// What the checkpoint makes of the transactions that it covers, if the policy knows one of its
    /// logs.
    pub(super) fn logged(&self, policy: &Policy<'_>) -> Result<Option<Logged>, Flaw> {
        let (Some(log), Some(signed)) = (policy.log, self.checkpoint) else { return Ok(None) };
        let checkpoint = signed.checkpoint();
        if checkpoint.origin().names_other_ledger(&policy.ledger) {
            return Ok(None);
        }
        let standing = log.judge(&checkpoint, signed.signatures()).map_err(Flaw::Checkpoint)?;
        if !standing.log {
            return Ok(None);
        }
        let verdict = match standing.witnesses {
            None => Verdict::Verified(Anchor::Logged { size: checkpoint.size() }),
            Some(Witnesses { signed, of, .. }) if standing.met => {
                Verdict::Verified(Anchor::Witnessed { signed, of })
            }
            Some(Witnesses { signed, of, .. }) => {
                Verdict::CannotDecide(Missing::Witnesses { signed, of })
            }
        };
        let (up_to, witnesses) = (self.state_header.bl_tx_id, standing.witnesses);
        Ok(Some(Logged { up_to, verdict, newest: None, witnesses }))
    }
}

impl Judgement<'_, '_> {
    /// Who has cosigned the receipt's checkpoint, where the policy asks for a quorum and its log has
    /// signed; also where they are too few. The times say how fresh the receipt's tree was.
    pub fn witnesses(&self) -> Option<Witnesses> {
        self.reach().logged?.witnesses
    }
}
