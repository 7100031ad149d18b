//! Checking an author's signature, and the authors whom a policy lists.

use super::Authorship;
use crate::checkpoint::LogPolicy;
use crate::digest::Alh;
use crate::ed25519::Ed25519Key;
use crate::receipt::body::EventBody;
use crate::receipt::policy::{Policy, PolicyError};

/// A key that may sign events, and in which domains.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Author<'a> {
    key: Ed25519Key,
    domains: &'a [&'a str],
}

impl<'a> Author<'a> {
    /// An author of events in any domain, erasures included.
    pub const fn new(key: Ed25519Key) -> Self {
        Self { key, domains: &[] }
    }

    /// An author of events in these domains only. Without any it is one of all.
    pub const fn with_domains(self, domains: &'a [&'a str]) -> Self {
        Self { domains, ..self }
    }

    /// The key.
    pub const fn key(&self) -> &Ed25519Key {
        &self.key
    }

    /// Whether it may write to this domain.
    pub fn may_write(&self, domain: &str) -> bool {
        self.domains.is_empty() || self.domains.contains(&domain)
    }
}

impl<'a> Policy<'a> {
    /// The authors of the ledger, in any order: what [`JudgedEvent::authorship`] tells apart. A key
    /// that is listed more than once may write wherever one of its entries lets it.
    ///
    /// Nothing says since when or until when: time stamps are claims. A key that is taken out no
    /// longer counts for what it signed before.
    ///
    /// One key is for one purpose, so none of them is the key of one of the policy's logs or witnesses.
    ///
    /// [`JudgedEvent::authorship`]: crate::receipt::JudgedEvent::authorship
    ///
    /// # Cost
    ///
    /// A comparison of 32 bytes for each author and each log and witness.
    ///
    /// # Errors
    ///
    /// [`PolicyError::SharedKey`].
    pub fn with_authors(self, authors: &'a [Author<'a>]) -> Result<Self, PolicyError> {
        let authors = Authors { listed: authors, ..self.authors };
        Self { authors, ..self }.with_keys_apart()
    }

    /// Verifies only what an author signed whom the policy lists for the event's domain. Whatever
    /// else is in the ledger is [`Verdict::PresenceOnly`](crate::receipt::Verdict::PresenceOnly).
    pub const fn demanding_authorship(self) -> Self {
        let authors = Authors { demanded: true, ..self.authors };
        Self { authors, ..self }
    }
}

impl EventBody<'_> {
    /// What is to be said of the author of this event, if it is one of the ledger with this id, to
    /// whoever takes these as authors.
    ///
    /// # What success proves
    ///
    /// That whoever holds the key signed this very event for this place in its stream, having seen
    /// the ledger with the hash that [`seen_alh`](Self::seen_alh) says. Not that the event is in the
    /// ledger, and not when it was signed. Who signed it cannot take it back: whoever got the event
    /// may write it as long as its stream has room at its place.
    pub fn authorship(&self, ledger: Alh, authors: &[Author<'_>]) -> Authorship {
        Authors { listed: authors, demanded: false }.of(self, ledger)
    }
}

impl Authorship {
    /// What is to be said of a key whose signature holds, by the entries that a list of authors has for
    /// it: of each, whether it may write to the event's domain. One that may is enough.
    pub fn of_key(key: [u8; 32], mut may_write: impl Iterator<Item = bool>) -> Self {
        match may_write.next() {
            None => Self::Unknown { key },
            Some(first) if first || may_write.any(|may| may) => Self::Allowed { key },
            Some(_) => Self::NotAllowed { key },
        }
    }
}

/// The authors of a policy.
#[derive(Clone, Copy, Debug)]
pub(in crate::receipt) struct Authors<'a> {
    listed: &'a [Author<'a>],
    demanded: bool,
}

impl Authors<'_> {
    /// The first whose key a log or a witness has too.
    pub(in crate::receipt) fn shared_with(&self, log: &LogPolicy<'_>) -> Option<usize> {
        self.listed.iter().position(|author| log.has_key(&author.key))
    }

    pub(in crate::receipt) const NONE: Self = Self { listed: &[], demanded: false };

    pub(in crate::receipt) fn of(&self, body: &EventBody<'_>, ledger: Alh) -> Authorship {
        let Some(author) = body.author else { return Authorship::Unsigned };
        let (&key, signature) = author.split_first_chunk().unwrap_or((&[0; 32], &[]));
        let broken = Authorship::Broken { key };
        let Ok(signature) = signature.try_into() else { return broken };
        let Ok(public) = Ed25519Key::from_bytes(&key) else { return broken };
        if public.verify(&[&body.author_message(ledger)], signature).is_err() {
            return broken;
        }
        let entries = self.listed.iter().filter(|author| author.key == public);
        Authorship::of_key(key, entries.map(|author| author.may_write(body.domain)))
    }

    /// Whether the policy demands an author and the event has none whom it allows.
    pub(in crate::receipt) fn miss(&self, body: &EventBody<'_>, ledger: Alh) -> bool {
        self.demanded && !matches!(self.of(body, ledger), Authorship::Allowed { .. })
    }
}
