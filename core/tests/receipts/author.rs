//! Signing as an author, by `docs/format.md` §11 word by word.

use counterfoil_core::Alh;
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

use super::Body;
use crate::reference::Hash;

/// What is signed: without commit id and commit index, which have 17 bytes or more, and the author.
pub(crate) fn message(body: &Body, ledger: Alh) -> Vec<u8> {
    let mut body = body.clone();
    (body.author, body.commit_index) = (None, 0);
    let encoded = body.encode();
    let digest = Sha256::digest(&encoded[..encoded.len() - 16 - 1 - 1]);
    [b"counterfoil author 1\0", &ledger.as_bytes()[..], &digest].concat()
}

pub(crate) fn sign(key: &SigningKey, message: &[u8]) -> (Hash, Hash, Hash) {
    let signature = key.sign(message);
    (key.verifying_key().to_bytes(), *signature.r_bytes(), *signature.s_bytes())
}
