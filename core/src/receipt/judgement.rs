//! What a policy makes of a receipt and of each of its events.

use super::author::{Authors, Authorship};
use super::body::{EventBody, Payload};
use super::flaw::Flaw;
use super::parse::{Receipt, ReceiptEvent};
use super::verdict::{Anchor, Missing, Verdict};
use crate::digest::Alh;
use crate::number::TxId;
use crate::state::TrustedState;

/// What a policy makes of a receipt. Only [`Receipt::verify`] makes one.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Judgement<'r, 'p> {
    receipt: &'r Receipt<'r>,
    reach: Reach<'p>,
    whole: Verdict,
}

/// An event of a receipt, and what the policy makes of it. Only [`Judgement::events`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct JudgedEvent<'r, 'p> {
    event: ReceiptEvent<'r>,
    verdict: Verdict,
    ledger: Alh,
    authors: Authors<'p>,
}

/// How far trust reaches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach<'p> {
    /// The policy's pins. One that names a transaction of the receipt has its hash.
    pub(super) pins: &'p [TrustedState],
    /// A pinned state of this ledger, and the last transaction that it is shown to vouch for.
    pub(super) pinned: Option<(&'p TrustedState, TxId)>,
    /// What is to be said where neither pin nor checkpoint vouches.
    pub(super) otherwise: Verdict,
    /// What the checkpoint says, if a known log signed it.
    pub(super) logged: Option<Logged>,
    /// The state that the receipt's is shown to continue.
    pub(super) earlier: Option<TrustedState>,
    pub(super) ledger: Alh,
    pub(super) authors: Authors<'p>,
}

/// What a checkpoint says of the transactions in its tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Logged {
    /// The last of them.
    pub(super) up_to: TxId,
    /// Verified, or that witnesses are missing.
    pub(super) verdict: Verdict,
    /// The newest one in the receipt that may be pinned.
    pub(super) newest: Option<TrustedState>,
    #[cfg(feature = "ed25519")]
    pub(super) witnesses: Option<crate::checkpoint::Witnesses>,
}

impl Reach<'_> {
    pub(super) fn verdict(&self, tx: TxId, body: &EventBody<'_>) -> Verdict {
        let by_state = self.pinned.filter(|(_, up_to)| tx <= *up_to).map(|(pin, _)| pin);
        let pin = by_state.or_else(|| self.pins.iter().find(|pin| pin.tx == tx));
        let verdict =
            pin.map_or_else(|| self.unpinned(tx), |pin| Verdict::Verified(Anchor::Pinned(*pin)));
        match (verdict, body.payload) {
            (Verdict::Verified(anchor), _) if self.authors.miss(body, self.ledger) => {
                Verdict::PresenceOnly(anchor)
            }
            (Verdict::Verified(anchor), Payload::Commitment(_)) => {
                Verdict::PayloadUnavailable(anchor)
            }
            _ => verdict,
        }
    }

    /// What is to be said of a transaction that no pin vouches for.
    fn unpinned(&self, tx: TxId) -> Verdict {
        match self.logged.filter(|logged| tx <= logged.up_to).map(|logged| logged.verdict) {
            Some(verified @ Verdict::Verified(_)) if verified.rank() < self.otherwise.rank() => {
                verified
            }
            Some(missing @ Verdict::CannotDecide(_)) if self.otherwise == Verdict::Unanchored => {
                missing
            }
            _ => self.otherwise,
        }
    }
}

impl<'r, 'p> Judgement<'r, 'p> {
    pub(super) const fn new(receipt: &'r Receipt<'r>, reach: Reach<'p>, whole: Verdict) -> Self {
        Self { receipt, reach, whole }
    }

    pub(super) const fn reach(&self) -> &Reach<'p> {
        &self.reach
    }

    /// What is to be said of the whole: of the event of which the least can be said.
    pub const fn verdict(&self) -> Verdict {
        self.whole
    }

    /// Each event with what is to be said of it. If the receipt is broken, or the policy does not know
    /// its ledger or its table, that is said of each.
    pub fn events(&self) -> impl Iterator<Item = JudgedEvent<'r, 'p>> + use<'r, 'p> {
        let Self { receipt, reach, whole } = *self;
        receipt.events().map(move |event| {
            let verdict = match whole {
                Verdict::Broken(_)
                | Verdict::CannotDecide(Missing::Policy { .. } | Missing::Table) => whole,
                _ => reach.verdict(event.tx, &event.body),
            };
            JudgedEvent { event, verdict, ledger: reach.ledger, authors: reach.authors }
        })
    }
}

impl<'r> JudgedEvent<'r, '_> {
    /// The event. What its verdict does not confirm is a claim.
    pub const fn event(&self) -> &ReceiptEvent<'r> {
        &self.event
    }

    /// What is to be said of it.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// What is to be said of its author. It stands beside the verdict and says nothing of whether the
    /// event is in the ledger.
    ///
    /// # Cost
    ///
    /// Where the event is signed, one verification of an Ed25519 signature, each time it is asked.
    pub fn authorship(&self) -> Authorship {
        match (self.event.body.author, self.verdict) {
            (None, _) => Authorship::Unsigned,
            (_, Verdict::Broken(_) | Verdict::CannotDecide(Missing::Policy { .. })) => {
                Authorship::NotChecked
            }
            _ => self.authors.of(&self.event.body, self.ledger),
        }
    }

    /// What is to be said of it once its payload is shown: `content`, to which with `salt` the event
    /// holds a commitment. The payload that is kept elsewhere is what was committed to, or the verdict
    /// is [`Verdict::Broken`]. That is also said of an event that holds its content itself, whatever is
    /// shown for it: nothing was committed to.
    pub fn with_payload(&self, salt: &[u8; 32], content: &[u8]) -> Verdict {
        let ReceiptEvent { tx, entry, ref body, .. } = self.event;
        match self.verdict {
            Verdict::Broken(_) => self.verdict,
            _ if !body.payload.is_commitment_to(salt, content) => {
                Verdict::Broken(Flaw::Payload { tx, entry })
            }
            Verdict::PayloadUnavailable(anchor) => Verdict::Verified(anchor),
            other => other,
        }
    }
}
