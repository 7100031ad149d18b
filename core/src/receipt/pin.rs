//! Which state a verifier may pin after a receipt.
//!
//! Whoever knows a state can continue it as he likes, so consistency moves no pin. A pin moves to
//! what the policy's key signed, or its log and, where it has a quorum, its witnesses; and only where
//! the pin that it had is shown to be part of that.

use core::fmt;

use super::judgement::Judgement;
#[cfg(feature = "p256")]
use super::judgement::Otherwise;
use super::verdict::{Anchor, Missing, Verdict};
use crate::state::TrustedState;

/// A state that a verifier may pin in place of the newest that he has. Only
/// [`Judgement::next_pin`] makes one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct NextPin {
    state: TrustedState,
    by: Anchor,
}

impl NextPin {
    /// The state: newer than every pin of the policy.
    pub const fn state(&self) -> TrustedState {
        self.state
    }

    /// Who vouches for it: to be kept beside the pin, for a pin is worth what moved it.
    pub const fn by(&self) -> Anchor {
        self.by
    }
}

/// Why a pin stays where it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PinStays {
    /// The receipt is broken, or about another ledger.
    NotIntact,
    /// Neither has the policy's key signed the receipt's state nor its log, and its witnesses if it
    /// has a quorum, the checkpoint.
    NothingSigned,
    /// A checkpoint is signed, and the receipt shows no event of a transaction of its log that is seen to
    /// have the log's own tree and its own predecessor in its header.
    NoTransaction,
    /// What is signed is not newer than this pin.
    NotNewer {
        /// The policy's newest.
        pin: TrustedState,
    },
    /// No link of the receipt shows that what is signed continues this pin.
    NotLinked {
        /// The policy's newest.
        pin: TrustedState,
    },
}

impl Judgement<'_, '_> {
    /// The state that the verifier may pin next.
    ///
    /// 1. The receipt is intact and about the policy's ledger.
    /// 2. Something in it is signed. If the policy's state key signed state M, that is (M, Alh(M)). Else,
    ///    if a log of the policy, and a quorum if the policy has one, signed the checkpoint: (N, Alh(N))
    ///    of the newest transaction N with an event in the receipt that is a leaf of the checkpointed
    ///    tree (N ≤ `bl_tx_id` of M) and whose own header commits to exactly the leaves before it. For an
    ///    odd N above 1 that takes transaction N − 1 too, in the receipt or as its earlier state: no path
    ///    shows that it is the predecessor. M itself is no leaf of that tree, and never pinned by a
    ///    checkpoint.
    /// 3. It is newer than every pin that the policy has.
    /// 4. The newest of those is the receipt's earlier state, which a link shows to be part of M's tree.
    ///    A policy without a pin has nothing to be linked to: then that what is signed is of this ledger
    ///    is the word of whoever signed.
    ///
    /// Never by consistency alone, and never backwards. The events' table plays no part.
    ///
    /// # What it does not prove
    ///
    /// That the new pin is the latest state.
    ///
    /// # Errors
    ///
    /// [`PinStays`], the first of these that fails.
    pub fn next_pin(&self) -> Result<NextPin, PinStays> {
        if matches!(
            self.verdict(),
            Verdict::Broken(_) | Verdict::CannotDecide(Missing::Policy { .. })
        ) {
            return Err(PinStays::NotIntact);
        }
        let next = self.signed_state()?;
        let Some(pin) = self.reach().pins.iter().max_by_key(|pin| pin.tx).copied() else {
            return Ok(next);
        };
        if next.state.tx <= pin.tx {
            return Err(PinStays::NotNewer { pin });
        }
        match self.receipt().earlier() {
            Some(earlier) if earlier == pin.into() => Ok(next),
            _ => Err(PinStays::NotLinked { pin }),
        }
    }

    /// The newest state for which a signature vouches.
    fn signed_state(&self) -> Result<NextPin, PinStays> {
        #[cfg(feature = "p256")]
        if let Otherwise::Signed(Verdict::Verified(by @ Anchor::Signed(state))) =
            self.reach().otherwise
        {
            return Ok(NextPin { state, by });
        }
        let Some(logged) = &self.reach().logged else { return Err(PinStays::NothingSigned) };
        match (logged.verdict(), logged.newest()) {
            (Verdict::Verified(by), Some(state)) => Ok(NextPin { state, by }),
            (Verdict::Verified(_), None) => Err(PinStays::NoTransaction),
            _ => Err(PinStays::NothingSigned),
        }
    }
}

impl fmt::Display for PinStays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotIntact => f.write_str("the receipt is broken or about another ledger"),
            Self::NothingSigned => {
                f.write_str("nothing in the receipt is signed as the policy asks for it")
            }
            Self::NoTransaction => f.write_str(
                "no transaction of the receipt is shown to be in the signed log as its header says",
            ),
            Self::NotNewer { pin } => {
                write!(f, "what is signed is not newer than the pinned state {}", pin.tx)
            }
            Self::NotLinked { pin } => {
                write!(f, "no link shows that what is signed continues the pinned state {}", pin.tx)
            }
        }
    }
}

impl core::error::Error for PinStays {}
