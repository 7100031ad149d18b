//! What a policy makes of a receipt and of each of its events.

use super::author::{Authors, Authorship};
use super::body::{EventBody, Payload};
use super::flaw::Flaw;
#[cfg(feature = "ed25519")]
use super::log::Logged;
use super::parse::{Receipt, ReceiptEvent};
#[cfg(not(feature = "ed25519"))]
use super::unlogged::Logged;
use super::verdict::{Anchor, Missing, Verdict};
use crate::chain::TxAlh;
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
    /// Where neither pin nor checkpoint vouches.
    pub(super) otherwise: Otherwise<'p>,
    /// What the checkpoint says, if a known log signed it.
    pub(super) logged: Option<Logged>,
    pub(super) authors: Authors<'p>,
}

/// What there is to say of events for which neither pin nor checkpoint vouches.
#[derive(Clone, Copy, Debug)]
pub(super) enum Otherwise<'p> {
    /// As the signature of the receipt's state says.
    #[cfg(feature = "p256")]
    Signed(Verdict),
    /// They came after this pin, which is part of the state.
    Extends(&'p TrustedState),
    /// Nothing shows how this pin and the state belong together.
    Apart(&'p TrustedState),
    Unanchored,
}

impl Otherwise<'_> {
    pub(super) const fn verdict(&self, state: TxAlh) -> Verdict {
        match *self {
            #[cfg(feature = "p256")]
            Self::Signed(verdict) => verdict,
            Self::Extends(&pin) => Verdict::ExtendsPin { pin, state },
            Self::Apart(&pin) => Verdict::CannotDecide(Missing::Link { pin, state }),
            Self::Unanchored => Verdict::Unanchored,
        }
    }
}

impl Reach<'_> {
    pub(super) fn verdict(&self, receipt: &Receipt<'_>, tx: TxId, body: &EventBody<'_>) -> Verdict {
        let by_state = self.pinned.filter(|(_, up_to)| tx <= *up_to).map(|(pin, _)| pin);
        let pin = by_state.or_else(|| self.pins.iter().find(|pin| pin.tx == tx));
        let verdict = match pin {
            Some(&pin) => Verdict::Verified(Anchor::Pinned(pin)),
            None => self.unpinned(receipt, tx),
        };
        match (verdict, body.payload) {
            (Verdict::Verified(anchor), _) if self.authors.miss(body, receipt.ledger()) => {
                Verdict::PresenceOnly(anchor)
            }
            (Verdict::Verified(anchor), Payload::Commitment(_)) => {
                Verdict::PayloadUnavailable(anchor)
            }
            _ => verdict,
        }
    }

    /// What is to be said of a transaction that no pin vouches for.
    fn unpinned(&self, receipt: &Receipt<'_>, tx: TxId) -> Verdict {
        let otherwise = self.otherwise.verdict(receipt.state());
        match self.logged.as_ref().filter(|logged| tx <= logged.up_to()).map(Logged::verdict) {
            Some(verified @ Verdict::Verified(_)) if verified.rank() < otherwise.rank() => verified,
            Some(missing @ Verdict::CannotDecide(_)) if otherwise == Verdict::Unanchored => missing,
            _ => otherwise,
        }
    }
}

impl<'r, 'p> Judgement<'r, 'p> {
    pub(super) const fn new(receipt: &'r Receipt<'r>, reach: Reach<'p>, whole: Verdict) -> Self {
        Self { receipt, reach, whole }
    }

    pub(super) const fn receipt(&self) -> &'r Receipt<'r> {
        self.receipt
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
                _ => reach.verdict(receipt, event.tx, &event.body),
            };
            JudgedEvent { event, verdict, ledger: receipt.ledger(), authors: reach.authors }
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
