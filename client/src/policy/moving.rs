//! When a pin may move.

use counterfoil_core::receipt::{PinStays, Receipt};
use counterfoil_core::{TrustedState, TxId};

use super::{MovedPin, PolicyProblem, TrustPolicy};

impl TrustPolicy {
    /// Where the pin may move after this receipt: to what a key of the policy has signed, or its log
    /// and its quorum, and only where that is shown to continue the newest pin. Consistency alone moves
    /// nothing: anybody who knows the pinned state can continue it.
    ///
    /// A policy without a pin is held to its ledger's id, which is the state of transaction 1.
    ///
    /// Nothing is stored: [`PinFile::advance`](super::PinFile::advance) does that.
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
