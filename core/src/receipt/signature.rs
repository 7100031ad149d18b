//! The server's signature over a receipt's state.

use super::flaw::Flaw;
use super::parse::Receipt;
use super::policy::Policy;
use super::verdict::{Anchor, Verdict};
use crate::signature::StateKey;

impl<'a> Policy<'a> {
    /// The key with which the server signs the states of the database of this name.
    ///
    /// A signature binds the database's name and not the ledger's id: a server that creates the
    /// database anew signs the new one's states alike. A receipt's link to transaction 1 shows which
    /// ledger a state is of.
    pub const fn with_state_key(self, key: &'a StateKey, database: &'a [u8]) -> Self {
        Self { state_key: Some((key, database)), ..self }
    }
}

impl Receipt<'_> {
    /// What the signature makes of the state, if the policy has a key and the receipt a signature.
    pub(super) fn signed(&self, policy: &Policy<'_>) -> Result<Option<Verdict>, Flaw> {
        let (Some((key, database)), Some(signature)) = (policy.state_key, self.signature) else {
            return Ok(None);
        };
        let signed = key.verify(database, &self.state, signature);
        let state = signed.and_then(|signed| signed.state_of(database)).map_err(Flaw::Signature)?;
        Ok(Some(Verdict::Verified(Anchor::Signed(state))))
    }
}
