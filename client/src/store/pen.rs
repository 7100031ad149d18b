//! Signing the events of an append (`docs/format.md` §11).

use std::collections::HashMap;
use std::sync::Arc;

use counterfoil_core::receipt::EventBody as Parsed;
use counterfoil_core::{Alh, Ed25519Key};

use crate::body::{Author, EventBody};
use crate::error::{Error, Result};
use crate::signing_key::{Ed25519Signer, SigningFailed};
use crate::signing_thread::SigningThreads;

/// The key with which a store signs all that it writes.
pub(super) struct AuthorKey {
    signer: Arc<dyn Ed25519Signer>,
    public: Ed25519Key,
    threads: SigningThreads,
}

impl AuthorKey {
    pub(super) fn new(signer: Arc<dyn Ed25519Signer>) -> Self {
        let public = signer.public_key();
        Self { signer, public, threads: SigningThreads::default() }
    }

    pub(super) fn public(&self) -> &Ed25519Key {
        &self.public
    }

    /// Where it is asked to sign.
    pub(super) fn threads(&self) -> &SigningThreads {
        &self.threads
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SigningFailed> {
        let signature = self.signer.sign(message)?;
        // Under the key that stands in the event, whatever the signer says its key is now.
        match self.public.verify(&[message], &signature) {
            Ok(()) => Ok(signature),
            Err(_) => Err(SigningFailed::new("it gave a signature that does not verify")),
        }
    }
}

/// Signatures by what they are over.
pub(super) type Signed = HashMap<[u8; 85], [u8; 64]>;

/// Signs the events of one append for one ledger.
pub(super) struct Pen {
    key: Arc<AuthorKey>,
    ledger: Alh,
    known: Signed,
    signed: Signed,
}

impl Pen {
    /// With the signatures of an earlier attempt: what is signed already is not signed again.
    pub(super) fn new(key: Arc<AuthorKey>, ledger: Alh, known: Signed) -> Self {
        Self { key, ledger, known, signed: Signed::new() }
    }

    /// The author, with room for a signature.
    pub(super) fn author(&self) -> Author {
        let key = *self.key.public.as_bytes();
        Author { key, signature_r: [0; 32], signature_s: [0; 32] }
    }

    /// Signs a body, whose bytes these are.
    pub(super) fn sign(&mut self, body: &mut EventBody, stored: &mut Vec<u8>) -> Result<()> {
        let parsed = Parsed::parse(stored).map_err(|error| Error::Invalid(error.to_string()))?;
        let message = parsed.author_message(self.ledger);
        let signature = match self.known.get(&message) {
            Some(signature) => *signature,
            None => self.key.sign(&message)?,
        };
        self.signed.insert(message, signature);
        if let (Some(author), Some((r, s))) =
            (&mut body.author, signature.split_first_chunk::<32>())
        {
            author.signature_r = *r;
            author.signature_s.copy_from_slice(s);
        }
        *stored = body.encode();
        Ok(())
    }

    /// The signatures that were used.
    pub(super) fn into_signed(self) -> Signed {
        self.signed
    }
}
