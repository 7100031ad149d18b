//! What a verifier brings along. A receipt brings nothing that is trusted.

use core::fmt;

use super::author::Authors;
#[cfg(feature = "p256")]
use super::signature::ServerKey;
#[cfg(feature = "ed25519")]
use crate::checkpoint::LogPolicy;
use crate::digest::Alh;
use crate::number::TxId;
use crate::state::TrustedState;

/// What a verifier trusts, about one ledger.
///
/// That ledger, pins, table and key belong together is the policy's own claim. Without pin and key
/// nothing is trusted, and a receipt is at best `intact, unanchored`.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    pub(super) ledger: Alh,
    pub(super) table: Option<u32>,
    pub(super) pins: &'a [TrustedState],
    pub(super) authors: Authors<'a>,
    #[cfg(feature = "p256")]
    pub(super) state_keys: &'a [ServerKey<'a>],
    /// The ledger's logs, and their witnesses.
    #[cfg(feature = "ed25519")]
    pub(super) log: Option<LogPolicy<'a>>,
}

impl<'a> Policy<'a> {
    /// About the ledger with this id, the hash of its first transaction. Receipts of another one
    /// cannot be decided by it.
    pub const fn new(ledger: Alh) -> Self {
        Self {
            ledger,
            table: None,
            pins: &[],
            authors: Authors::NONE,
            #[cfg(feature = "p256")]
            state_keys: &[],
            #[cfg(feature = "ed25519")]
            log: None,
        }
    }

    /// The number of the table of events. Without it a receipt must show how the ledger began
    /// ([`Genesis`](super::Genesis)), which it can where Counterfoil created the database.
    pub const fn with_table(self, id: u32) -> Self {
        Self { table: Some(id), ..self }
    }

    /// States of the ledger that are trusted, in any order.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] where they contradict each other or the ledger's id.
    pub fn with_pins(self, pins: &'a [TrustedState]) -> Result<Self, PolicyError> {
        for (count, pin) in pins.iter().enumerate() {
            if pin.tx.get() == 0 {
                return Err(PolicyError::PinZero);
            }
            if pin.tx.get() == 1 && pin.alh != self.ledger {
                return Err(PolicyError::PinNotLedger);
            }
            let earlier = pins.get(..count).unwrap_or_default();
            if earlier.iter().any(|other| other.tx == pin.tx && other.alh != pin.alh) {
                return Err(PolicyError::PinsDiffer { tx: pin.tx });
            }
        }
        Ok(Self { pins, ..self })
    }

    /// One key is for one purpose, whichever was said first.
    #[cfg(feature = "ed25519")]
    pub(super) fn with_keys_apart(self) -> Result<Self, PolicyError> {
        match self.log.and_then(|log| self.authors.shared_with(&log)) {
            Some(author) => Err(PolicyError::SharedKey { author }),
            None => Ok(self),
        }
    }

    /// The pinned state of this transaction.
    pub(super) fn pin(&self, tx: TxId) -> Option<&'a TrustedState> {
        self.pins.iter().find(|pin| pin.tx == tx)
    }

    /// The hash that this transaction has, as far as the policy knows: the ledger's id is that of the
    /// first one.
    pub(super) fn known(&self, tx: TxId) -> Option<&Alh> {
        if tx.get() == 1 { Some(&self.ledger) } else { self.pin(tx).map(|pin| &pin.alh) }
    }
}

/// A policy contradicts itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PolicyError {
    /// Two pins of one transaction have two hashes.
    PinsDiffer {
        /// The transaction.
        tx: TxId,
    },
    /// A pin of transaction 1 has another hash than the ledger's id.
    PinNotLedger,
    /// Transactions count from 1.
    PinZero,
    /// An author's key is a log's or a witness's. What the three sign cannot pass for each other, but
    /// whoever gets hold of the key has all that it is trusted for.
    SharedKey {
        /// The author's place in the list, from 0.
        author: usize,
    },
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PinsDiffer { tx } => write!(f, "two pins of transaction {tx} have two hashes"),
            Self::PinNotLedger => f.write_str("a pin of transaction 1 is not the ledger's id"),
            Self::PinZero => f.write_str("a pin of transaction 0, which there is not"),
            Self::SharedKey { author } => {
                write!(f, "author {author} has the key of a log or a witness: one key, one purpose")
            }
        }
    }
}

impl core::error::Error for PolicyError {}
