//! States that a server signed, as they come from elsewhere: immudb serves them over gRPC and REST, not
//! over the wire that this crate speaks.

use base64ct::{Base64, Encoding as _};
use counterfoil_core::{Alh, SignatureError, StateKey, StateKeyId, TrustedState, TxAlh, TxId};
use serde::Deserialize;

use crate::error::{Error, Result};

/// A state of a database with its server's signature, verified under a key that the caller named.
///
/// It is to be put into receipts
/// ([`ReceiptOptions::with_state_signature`](crate::ReceiptOptions::with_state_signature)), for verifiers
/// whose policy has the key and the database's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSignedState {
    database: String,
    state: TrustedState,
    key: StateKeyId,
    der: Vec<u8>,
}

/// immudb's message of this name, in protobuf's JSON or as Go writes it. What else is in it (its public
/// key, what is precommitted) is of no use here.
#[derive(Deserialize)]
struct ImmutableState {
    db: String,
    #[serde(rename = "txId")]
    tx_id: Number,
    #[serde(rename = "txHash")]
    tx_hash: String,
    #[serde(default)]
    signature: Option<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    signature: String,
}

/// Protobuf's JSON has 64 bits as text, Go's own as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Number(u64),
}

impl ServerSignedState {
    /// The signature over a state of the database of this name: DER of an ECDSA signature (P-256,
    /// SHA-256).
    ///
    /// # Errors
    ///
    /// [`SignatureError`] if it is not this key's.
    pub fn new(
        database: &str,
        state: TrustedState,
        der: &[u8],
        key: &StateKey,
    ) -> Result<Self, SignatureError> {
        key.verify(database.as_bytes(), &TxAlh::from(state), der)?;
        Ok(Self { database: database.to_owned(), state, key: key.id(), der: der.to_vec() })
    }

    /// Reads the state as immudb gives it in JSON: what its REST interface answers at `/api/db/state`,
    /// or its Go client's `CurrentState`. The key is the caller's to know: the one that comes with the
    /// state is not looked at.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`]: it is no such JSON, has no signature (the server was started without a signing
    /// key), or one that is not this key's.
    pub fn from_json(json: &[u8], key: &StateKey) -> Result<Self> {
        let invalid = |what: &str| Error::Invalid(format!("the server's state: {what}"));
        let read = serde_json::from_slice::<ImmutableState>(json);
        let ImmutableState { db, tx_id, tx_hash, signature } =
            read.map_err(|error| invalid(&error.to_string()))?;
        let tx = match tx_id {
            Number::Number(tx) => Some(tx),
            Number::Text(text) => text.parse().ok(),
        };
        let tx = tx.ok_or_else(|| invalid("txId is no number"))?;
        let mut alh = [0; 32];
        match Base64::decode(&tx_hash, &mut alh) {
            Ok(decoded) if decoded.len() == 32 => {}
            _ => return Err(invalid("txHash is not 32 bytes in base64")),
        }
        let signature = signature.ok_or_else(|| {
            invalid("it is not signed: the server was started without a signing key")
        })?;
        let der = Base64::decode_vec(&signature.signature);
        let der = der.map_err(|_| invalid("its signature is not base64"))?;
        let state = TrustedState { tx: TxId::new(tx), alh: Alh::new(alh) };
        Self::new(&db, state, &der, key).map_err(|error| {
            invalid(&format!(
                "signed as {state} of the database {db:?}, under key {}: {error}",
                key.id()
            ))
        })
    }

    /// The name of the database, which the signature covers. A verifier's policy must have the key for
    /// this name.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The state.
    pub const fn state(&self) -> TrustedState {
        self.state
    }

    /// The name of the key that signed it.
    pub const fn key(&self) -> StateKeyId {
        self.key
    }

    /// The signature, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}
