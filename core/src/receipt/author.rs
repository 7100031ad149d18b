//! Who signed an event: what an author's signature covers, and what a policy makes of it
//! (`docs/format.md` §4, `docs/receipt.md` §6).

#[cfg(feature = "ed25519")]
mod ed25519;
#[cfg(not(feature = "ed25519"))]
mod unread;

use core::fmt;

#[cfg(feature = "ed25519")]
pub use self::ed25519::Author;
#[cfg(feature = "ed25519")]
pub(super) use self::ed25519::Authors;
#[cfg(not(feature = "ed25519"))]
pub(super) use self::unread::Authors;
use super::body::EventBody;
use crate::digest::Alh;
use crate::sha256::Sha256;

/// No other message that is signed begins so. The 0 cannot stand in a note, which is what logs and
/// witnesses sign.
const PREFIX: &[u8; 21] = b"counterfoil author 1\0";

/// What is to be said of an event's author, beside what is said of the event.
///
/// It has a [`code`](Self::code) and a [`word`](Self::word) that stay what they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
#[non_exhaustive]
pub enum Authorship {
    /// Signed by a key that the policy lists as an author of the event's domain.
    Allowed {
        /// The key.
        key: [u8; 32],
    },
    /// Signed by a key that the policy lists, and not for the event's domain.
    NotAllowed {
        /// The key.
        key: [u8; 32],
    },
    /// Signed by a key that the policy does not list. Anybody can have made it.
    Unknown {
        /// The key.
        key: [u8; 32],
    },
    /// Not signed: whoever may write to the database may have written it.
    Unsigned,
    /// It carries a key and a signature that is not this key's over this event in this ledger. No
    /// more than unsigned, and no accident.
    Broken {
        /// What stands there as the key.
        key: [u8; 32],
    },
    /// It carries a signature, and nobody looked: this code was built without the feature `ed25519`,
    /// or the receipt is broken or about another ledger than the policy.
    NotChecked,
}

impl Authorship {
    /// The key that signed the event, if one did, allowed or not.
    pub const fn signed_by(&self) -> Option<&[u8; 32]> {
        match self {
            Self::Allowed { key } | Self::NotAllowed { key } | Self::Unknown { key } => Some(key),
            Self::Unsigned | Self::Broken { .. } | Self::NotChecked => None,
        }
    }

    /// Its number, for ever the same. Any two differ in four bits or more, and neither 00 nor FF is
    /// one.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Allowed { .. } => 0x5a,
            Self::NotAllowed { .. } => 0x69,
            Self::Unknown { .. } => 0x66,
            Self::Unsigned => 0x99,
            Self::Broken { .. } => 0xf0,
            Self::NotChecked => 0xcc,
        }
    }

    /// The same in one word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Allowed { .. } => "signed_by_author",
            Self::NotAllowed { .. } => "author_not_allowed",
            Self::Unknown { .. } => "unknown_author",
            Self::Unsigned => "unsigned",
            Self::Broken { .. } => "author_signature_broken",
            Self::NotChecked => "author_not_checked",
        }
    }
}

impl fmt::Display for Authorship {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, key) = match self {
            Self::Allowed { key } => ("signed by the author ", key),
            Self::NotAllowed { key } => ("signed by an author not allowed for this domain, ", key),
            Self::Unknown { key } => ("signed by an unknown key, ", key),
            Self::Broken { key } => ("its signature does not hold for the key ", key),
            Self::Unsigned => return f.write_str("not signed"),
            Self::NotChecked => return f.write_str("signed, and the signature was not checked"),
        };
        f.write_str(text)?;
        key.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl EventBody<'_> {
    /// What an author signs, where this is to be an event of the ledger with this id:
    ///
    /// `"counterfoil author 1" ‖ 00 ‖ ledger ‖ SHA-256(the body up to and with append_count)`
    ///
    /// That is everything but what regrouping changes (commit_id, commit_index) and the author's key
    /// and signature themselves. It has one length for all events, so that any token can sign it.
    pub fn author_message(&self, ledger: Alh) -> [u8; 85] {
        let digest = Sha256::new().chain(self.signed).finish();
        let mut message = [0; 85];
        let content = PREFIX.iter().chain(ledger.as_bytes()).chain(&digest);
        for (to, from) in message.iter_mut().zip(content) {
            *to = *from;
        }
        message
    }
}
