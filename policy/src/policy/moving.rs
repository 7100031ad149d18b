//! When a pin may move.

use counterfoil_core::receipt::{PinStays, Receipt};
use counterfoil_core::{Alh, TrustedState, TxId};
use serde::{Deserialize, Serialize};

use super::{PolicyProblem, TrustPolicy};

impl TrustPolicy {
    /// Where the pin may move after this receipt: to what a key of the policy has signed, or its log
    /// and its quorum, and only where that is shown to continue the newest pin. Consistency alone moves
    /// nothing: anybody who knows the pinned state can continue it.
    ///
    /// A policy without a pin is held to its ledger's id, which is the state of transaction 1.
    ///
    /// Nothing is stored: that is the caller's to do, before anything is judged by it.
    ///
    /// # Errors
    ///
    /// [`PinStays`]: why not.
    pub fn pin_move(&self, receipt: &[u8]) -> Result<PinMove, PinStays> {
        let receipt = Receipt::parse(receipt).map_err(|_| PinStays::NotIntact)?;
        let born = TrustedState { tx: TxId::new(1), alh: self.ledger };
        let from = self.pins().max_by_key(|pin| pin.tx).unwrap_or(born);
        let next = self.with_core_pinning(&[from], |core| receipt.verify(core).next_pin())?;
        let (pin, by) = (next.state(), next.by().to_string());
        Ok(PinMove(MovedPin { ledger: self.ledger, pin, from, by }))
    }

    /// The policy once its pin has moved.
    ///
    /// # Errors
    ///
    /// [`PolicyProblem`] for a move under another policy, which this one contradicts.
    pub fn after(self, step: &PinMove) -> Result<Self, PolicyProblem> {
        self.with_moved(step.0.clone())
    }
}

/// A pin that moved: where it is now, and by whose word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MovedPin {
    /// The ledger's id.
    pub ledger: Alh,
    /// The state that is pinned now.
    pub pin: TrustedState,
    /// The pinned state of which it was shown to be a continuation, one of the policy's.
    pub from: TrustedState,
    /// By whose word, for people.
    pub by: String,
}

/// A pin that may move, and where to. Only [`TrustPolicy::pin_move`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct PinMove(pub(super) MovedPin);

impl PinMove {
    /// Where the pin is then, and by whose word.
    pub const fn to(&self) -> &MovedPin {
        &self.0
    }
}
