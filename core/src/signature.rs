//! The server's signature over a state: ECDSA on P-256 with SHA-256.
//!
//! ```text
//! signed    = length u32 ‖ database ‖ tx u64 ‖ Alh
//! signature = DER: SEQUENCE { INTEGER r, INTEGER s }
//! ```

use p256::ecdsa::signature::DigestVerifier;
use p256::ecdsa::{Signature, VerifyingKey};

use crate::chain::TxAlh;
use crate::digest::StateKeyId;
use crate::error::SignatureError;
use crate::sha256::Sha256;
use crate::state::TrustedState;

/// A server's public key, for the signatures of its states.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateKey {
    key: VerifyingKey,
    id: StateKeyId,
}

/// What precedes the point in the DER of a P-256 public key (RFC 5480 §2): SEQUENCE { SEQUENCE
/// { id-ecPublicKey, secp256r1 }, BIT STRING of 66 bytes, none of its bits unused }.
const SPKI_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The byte that begins an uncompressed point (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

impl StateKey {
    /// Reads an uncompressed point: `04 ‖ x ‖ y`, 65 bytes (SEC 1 §2.3.3).
    ///
    /// No other form: a key that is compared and configured has one spelling.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Key`], also for a point that is not on the curve.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, SignatureError> {
        match bytes.split_first() {
            Some((&UNCOMPRESSED, xy)) if xy.len() == 64 => {
                let key = VerifyingKey::from_sec1_bytes(bytes).map_err(|_| SignatureError::Key)?;
                // The bytes are the one spelling of the point, so the name is the key's one name.
                let id = Sha256::new().chain(SPKI_PREFIX).chain(bytes).finish();
                Ok(Self { key, id: StateKeyId::new(id) })
            }
            _ => Err(SignatureError::Key),
        }
    }

    /// Reads the DER of a SubjectPublicKeyInfo, exactly 91 bytes, as in a PEM file `PUBLIC KEY`.
    ///
    /// # Errors
    ///
    /// As [`from_sec1`](Self::from_sec1).
    pub fn from_spki(der: &[u8]) -> Result<Self, SignatureError> {
        Self::from_sec1(der.strip_prefix(SPKI_PREFIX).ok_or(SignatureError::Key)?)
    }

    /// The key's name, by which a receipt says whose signature it holds.
    pub const fn id(&self) -> StateKeyId {
        self.id
    }

    /// Checks the server's signature over a state of a database.
    ///
    /// `database` is the name that the *caller* expects, never one that came with the signature:
    /// one key signs the states of all databases of a server, and the name is all that tells them
    /// apart. It is among the bytes that are signed, so the state of another database is refused.
    ///
    /// `signature` is strict DER with nothing after it.
    ///
    /// Both s and n − s are accepted, because the server does not choose between them. So a
    /// signature is not an identity: whoever has one has two.
    ///
    /// # What success proves
    ///
    /// Whoever holds the key signed this state as one of this database. Not that the state is the
    /// latest, nor that the same key never signed one that contradicts it: a signature binds the
    /// name, the number and the hash, and nothing else. Which server holds the key, and since when
    /// its database has that name, is not among them.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Database`] for a name whose length does not fit its field;
    /// [`SignatureError::Encoding`], [`SignatureError::Signature`].
    pub fn verify<'d>(
        &self,
        database: &'d [u8],
        state: &TxAlh,
        signature: &[u8],
    ) -> Result<SignedState<'d>, SignatureError> {
        let database_len = u32::try_from(database.len()).map_err(|_| SignatureError::Database)?;
        let signature = Signature::from_der(signature).map_err(|_| SignatureError::Encoding)?;
        self.key
            .verify_digest(
                |digest: &mut sha2::Sha256| {
                    use sha2::Digest as _;
                    digest.update(database_len.to_be_bytes());
                    digest.update(database);
                    digest.update(state.tx.get().to_be_bytes());
                    digest.update(state.alh.as_bytes());
                    Ok(())
                },
                &signature,
            )
            .map_err(|_| SignatureError::Signature)?;
        Ok(SignedState { database, state: TrustedState { tx: state.tx, alh: state.alh } })
    }
}

/// A state that a server's key signed, as one of a database. Only [`StateKey::verify`] makes one.
///
/// It keeps the name, and gives the state to nobody but who says the same name: the state of one
/// database, trusted as another's, would make every honest answer of that one a fork.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SignedState<'d> {
    database: &'d [u8],
    state: TrustedState,
}

impl<'d> SignedState<'d> {
    /// The name of the database, which the signature covers.
    pub const fn database(&self) -> &'d [u8] {
        self.database
    }

    /// The state, if it is this database's. It is worth as much as the key that signed it.
    ///
    /// # Errors
    ///
    /// [`SignatureError::OtherDatabase`] for any name but the one that was signed.
    pub fn state_of(&self, database: &[u8]) -> Result<TrustedState, SignatureError> {
        if database == self.database { Ok(self.state) } else { Err(SignatureError::OtherDatabase) }
    }
}
