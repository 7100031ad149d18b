//! One key is for one purpose: whoever signs for the log, or as its witness, writes no events by the same
//! key.

use counterfoil_core::Ed25519Key;

use super::EventStore;
use crate::checkpoint::CheckpointRefusal;
use crate::signing_key::{Ed25519Signer as _, SigningKeyFile};

impl EventStore {
    /// That this store knows the key as no author's. `what` is what it is to be.
    pub(crate) fn is_no_author(
        &self,
        what: &'static str,
        key: &Ed25519Key,
    ) -> Result<(), CheckpointRefusal> {
        let shared = &self.shared;
        // A store that only reads has not loaded the key with which others of this configuration write.
        let configured =
            || SigningKeyFile::load(shared.key_file.as_ref()?).ok().map(|file| file.public_key());
        let own = match &shared.key {
            Some(own) => Some(*own.public()),
            None => configured(),
        };
        let other = match own.as_ref() == Some(key) {
            true => Some("the one that signs this store's events ([signing])".to_owned()),
            false => {
                let at = shared.authors.iter().position(|author| author.key == *key);
                at.map(|at| format!("an author's (trust.author[{at}])"))
            }
        };
        other.map_or(Ok(()), |other| Err(CheckpointRefusal::SecondPurpose { key: what, other }))
    }
}
