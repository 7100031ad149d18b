//! The server's signature over a receipt's state.

use super::flaw::Flaw;
use super::parse::Receipt;
use super::policy::Policy;
use super::verdict::{Anchor, Verdict};
use crate::signature::StateKey;

/// A key with which a server signs the states of a database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServerKey<'a> {
    /// The key.
    pub key: StateKey,
    /// The name of the database, as the verifier expects it.
    pub database: &'a [u8],
}

impl<'a> Policy<'a> {
    /// The keys with which the server signs the ledger's states. Each counts like any other, so a new
    /// one is put beside the one that it is to replace.
    ///
    /// A signature binds the database's name and not the ledger's id: a server that creates the
    /// database anew signs the new one's states alike. A receipt's link to transaction 1 shows which
    /// ledger a state is of.
    pub const fn with_state_keys(self, keys: &'a [ServerKey<'a>]) -> Self {
        Self { state_keys: keys, ..self }
    }
}

impl Receipt<'_> {
    /// What the signature makes of the state, if the policy has the key that the receipt names: then it
    /// is that key's, for one of the databases for which the policy has the key. A signature by any
    /// other key is left unread, as if it were not there: who takes it away, or names another key,
    /// gains the same.
    pub(super) fn signed(&self, policy: &Policy<'_>) -> Result<Option<Verdict>, Flaw> {
        let Some(signature) = self.state_signature() else { return Ok(None) };
        let mut refused = None;
        let named = policy.state_keys.iter().filter(|known| known.key.id() == signature.key);
        for ServerKey { key, database } in named {
            let signed = key.verify(database, &self.state(), signature.der);
            match signed.and_then(|signed| signed.state_of(database)) {
                Ok(state) => return Ok(Some(Verdict::Verified(Anchor::Signed(state)))),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        refused.map_or(Ok(None), |error| Err(Flaw::Signature(error)))
    }
}
