//! What a receipt shows under a policy, in words that programs and people can tell apart.

use core::fmt;

use super::error::{ReceiptError, ReceiptErrorKind as Kind};
use super::flaw::Flaw;
use crate::chain::TxAlh;
use crate::digest::Alh;
use crate::number::TreeSize;
use crate::state::TrustedState;

/// What a receipt, or an event of one, shows under a policy.
///
/// It has a [`code`](Self::code) and a [`word`](Self::word) that stay what they are
/// (`docs/receipt.md` §6). Only [`trusted`](Self::trusted) says that something was verified; not to
/// be broken is not enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
#[non_exhaustive]
pub enum Verdict {
    /// The event is in the ledger, for this reason. What a reason is worth: [`Anchor`].
    Verified(Anchor),
    /// The receipt's state is consistent with a pinned one, and the event came after the pin.
    /// Anybody who knows the pinned state can make such a receipt.
    ExtendsPin {
        /// The pinned state.
        pin: TrustedState,
        /// The receipt's state, unconfirmed.
        state: TxAlh,
    },
    /// Everything in the receipt fits together, and nothing ties it to what the policy trusts.
    /// Anybody can make such a receipt.
    Unanchored,
    /// The event is in the ledger with a commitment to its payload, and an erasure of the payload is
    /// there too. Reserved: no receipt shows an erasure yet.
    PayloadErased(Anchor),
    /// The event is in the ledger with a commitment to its payload, and the payload was not shown.
    PayloadUnavailable(Anchor),
    /// The event is in the ledger, and the policy demands an author whom it lists for the event's
    /// domain: none is shown to have written it. What is said of its author instead:
    /// [`JudgedEvent::authorship`](super::JudgedEvent::authorship).
    PresenceOnly(Anchor),
    /// Something does not hold.
    Broken(Flaw),
    /// Nothing is wrong as far as can be seen, and something is missing.
    CannotDecide(Missing),
}

/// Why an event is taken to be in the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Anchor {
    /// A pinned state at or after the event.
    Pinned(TrustedState),
    /// A key of the policy signed this state, at or after the event, as one of a database of the key's
    /// name. That this database is the policy's ledger is the policy's claim; a link to transaction 1
    /// shows it. A pin that says nothing of this state does not limit the key.
    Signed(TrustedState),
    /// So many of the policy's witnesses, a quorum, cosigned a checkpoint whose tree holds the event, and
    /// one of the policy's logs signed it.
    Witnessed {
        /// How many signed.
        signed: u8,
        /// How many there are.
        of: u8,
    },
    /// One of the policy's logs signed a checkpoint whose tree holds the event; the policy asks for no
    /// witnesses. A log can show different verifiers different histories.
    Logged {
        /// How many transactions the tree has.
        size: TreeSize,
    },
}

/// What is missing for a decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Missing {
    /// A policy for the receipt's ledger.
    Policy {
        /// The ledger that the policy is about.
        expected: Alh,
        /// The receipt's ledger, as it says.
        found: Alh,
    },
    /// Code that knows this version of a receipt, this kind of part or of table proof, or this format
    /// of a body. Newer code may; damage behind the version is never told so.
    Version(ReceiptError),
    /// Which table holds the events: neither does the policy say it nor the receipt show it.
    Table,
    /// How the receipt's state and a pinned one belong together.
    Link {
        /// The pinned state.
        pin: TrustedState,
        /// The receipt's.
        state: TxAlh,
    },
    /// More witnesses: the log has signed, and too few of those that the policy asks for.
    Witnesses {
        /// How many have cosigned.
        signed: u8,
        /// How many there are.
        of: u8,
    },
}

impl Verdict {
    /// Why the event is taken to be in the ledger. `None` for every verdict that is not one of the
    /// three that verify, also where only the payload is missing.
    pub const fn trusted(&self) -> Option<Anchor> {
        match self {
            Self::Verified(anchor) => Some(*anchor),
            _ => None,
        }
    }

    /// The verdict's number, for ever the same. Any two differ in four bits or more, and neither 00
    /// nor FF is one.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Verified(Anchor::Pinned(_)) => 0x5a,
            Self::Verified(Anchor::Signed(_) | Anchor::Logged { .. }) => 0x66,
            Self::Verified(Anchor::Witnessed { .. }) => 0x69,
            Self::ExtendsPin { .. } => 0x96,
            Self::Unanchored => 0x99,
            Self::PayloadErased(_) => 0xa5,
            Self::PayloadUnavailable(_) => 0xaa,
            Self::PresenceOnly(_) => 0x3c,
            Self::Broken(_) => 0xf0,
            Self::CannotDecide(_) => 0xcc,
        }
    }

    /// The verdict in one word, for ever the same.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Verified(Anchor::Pinned(_)) => "verified_by_pinned_state",
            Self::Verified(Anchor::Signed(_) | Anchor::Logged { .. }) => "verified_by_signature",
            Self::Verified(Anchor::Witnessed { .. }) => "witnessed",
            Self::ExtendsPin { .. } => "extends_pin_unconfirmed",
            Self::Unanchored => "intact_unanchored",
            Self::PayloadErased(_) => "payload_erased",
            Self::PayloadUnavailable(_) => "payload_unavailable",
            Self::PresenceOnly(_) => "presence_only",
            Self::Broken(_) => "broken",
            Self::CannotDecide(_) => "cannot_decide",
        }
    }

    /// The one that says less: what is to be said of both together.
    pub fn and(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Verified(Anchor::Pinned(_)) => 0,
            Self::Verified(Anchor::Witnessed { .. }) => 1,
            Self::Verified(Anchor::Signed(_)) => 2,
            Self::Verified(Anchor::Logged { .. }) => 3,
            Self::PayloadErased(_) => 4,
            Self::PayloadUnavailable(_) => 5,
            Self::PresenceOnly(_) => 6,
            Self::ExtendsPin { .. } => 7,
            Self::Unanchored => 8,
            Self::CannotDecide(_) => 9,
            Self::Broken(_) => 10,
        }
    }
}

impl Missing {
    /// What is missing, in one word that stays the same.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Policy { .. } => "policy",
            Self::Version(_) => "version",
            Self::Table => "table",
            Self::Link { .. } => "link",
            Self::Witnesses { .. } => "witnesses",
        }
    }
}

/// Bytes that are no receipt are a broken one. What this code does not know it cannot decide.
impl From<ReceiptError> for Verdict {
    fn from(error: ReceiptError) -> Self {
        match error.kind {
            Kind::UnknownVersion { .. }
            | Kind::UnknownTableProof { .. }
            | Kind::UnknownPart { .. }
            | Kind::UnknownBody => Self::CannotDecide(Missing::Version(error)),
            _ => Self::Broken(Flaw::Format(error)),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified(anchor) => anchor.fmt(f),
            Self::ExtendsPin { pin, state } => {
                write!(f, "extends the pinned state {}, unconfirmed (state {})", pin.tx, state.tx)
            }
            Self::Unanchored => f.write_str("intact, and nothing trusted vouches for it"),
            Self::PayloadErased(anchor) => write!(f, "{anchor}; its payload was erased"),
            Self::PayloadUnavailable(anchor) => write!(f, "{anchor}; its payload was not shown"),
            Self::PresenceOnly(anchor) => write!(f, "{anchor}, and by no author of the policy"),
            Self::Broken(flaw) => write!(f, "broken: {flaw}"),
            Self::CannotDecide(missing) => write!(f, "cannot decide: {missing}"),
        }
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pinned(state) => write!(f, "verified by the pinned state {}", state.tx),
            Self::Signed(state) => write!(f, "verified by the signature of state {}", state.tx),
            Self::Witnessed { signed, of } => write!(f, "witnessed by {signed} of {of}"),
            Self::Logged { size } => {
                write!(f, "verified by the log's signature over its first {size} transactions")
            }
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy { expected, found } => {
                write!(f, "the policy is about ledger {expected}, the receipt about {found}")
            }
            Self::Version(error) => write!(f, "{error}; newer code may know it"),
            Self::Table => f.write_str(
                "which table holds the events; let the policy name it (`table`, on the command line \
                 --table), or the receipt show how the ledger began (EventStore::issue_receipt)",
            ),
            Self::Link { pin, state } => write!(
                f,
                "a link between the pinned state {} and the receipt's state {}",
                pin.tx, state.tx
            ),
            Self::Witnesses { signed, of } => {
                write!(f, "witnesses: the log has signed, and only {signed} of {of} witnesses")
            }
        }
    }
}
