//! Cases that state a hash, or a signature, for what it is computed from.

use counterfoil_core::{
    Alh, EntryDigest, EntryMetadata, HeaderVersion, StateKey, TxAlh, TxId, ValueHash, entry_digest,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Answer, Bytes, HeaderJson, Hex, Refusal};

/// Whether a header has this hash.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TxHeader {
    #[serde(flatten)]
    pub header: HeaderJson,
    pub alh: Hex,
}

impl TxHeader {
    pub(super) fn ours(&self) -> Answer {
        let bytes = self.header.metadata();
        let header = self.header.view(&bytes).map_err(Refusal::of)?;
        let alh = header.alh().map_err(Refusal::of)?;
        Refusal::unless(alh.to_bytes() == self.alh.0, "Alh")
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EntryMetadataJson {
    pub deleted: bool,
    pub expires_at: Option<i64>,
    pub non_indexable: bool,
}

impl EntryMetadataJson {
    fn bytes(&self) -> Vec<u8> {
        let deleted = self.deleted.then_some(0);
        let expires_at = self.expires_at.map(|at| [&[1][..], &at.to_be_bytes()].concat());
        let non_indexable = self.non_indexable.then_some(2);
        deleted.into_iter().chain(expires_at.into_iter().flatten()).chain(non_indexable).collect()
    }
}

/// Whether an entry has this digest.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EntryOfDigest {
    pub version: i64,
    pub metadata: Option<EntryMetadataJson>,
    pub key: Bytes,
    pub value: Bytes,
    pub digest: Hex,
}

impl EntryOfDigest {
    pub(super) fn ours(&self) -> Answer {
        let version = u16::try_from(self.version).unwrap_or(u16::MAX);
        let version = HeaderVersion::try_from(version).map_err(Refusal::of)?;
        let metadata = match &self.metadata {
            None => EntryMetadata::default(),
            Some(stated) => EntryMetadata::parse(&stated.bytes()).map_err(Refusal::of)?,
        };
        let value_hash = ValueHash::of(&self.value.0);
        let digest =
            entry_digest(version, &metadata, &self.key.0, &value_hash).map_err(Refusal::of)?;
        Refusal::unless(digest == EntryDigest::new(self.digest.0), "Digest")
    }

    /// States the digest that the entry has by the format alone: what does not fit its field is
    /// cut, and what version 0 does not hash is left out.
    pub fn fit(&mut self) {
        let mut bytes = Vec::new();
        if self.version != 0 {
            let metadata = self.metadata.as_ref().map(EntryMetadataJson::bytes).unwrap_or_default();
            bytes.extend((metadata.len() as u16).to_be_bytes());
            bytes.extend(metadata);
            bytes.extend((self.key.0.len() as u16).to_be_bytes());
        }
        bytes.extend(&self.key.0);
        bytes.extend(Sha256::digest(&self.value.0));
        self.digest = Hex(Sha256::digest(bytes).into());
    }
}

/// Whether a key signed a state of a database.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SignedState {
    pub db: String,
    pub tx_id: u64,
    pub tx_hash: Bytes,
    pub signature: Bytes,
    pub public_key_sec1: Bytes,
}

impl SignedState {
    pub(super) fn ours(&self) -> Answer {
        let key = StateKey::from_sec1(&self.public_key_sec1.0).map_err(Refusal::of)?;
        let hash = <[u8; 32]>::try_from(&self.tx_hash.0[..]);
        let alh = Alh::new(hash.map_err(|_| Refusal("HashLength".to_owned()))?);
        let state = TxAlh { tx: TxId::new(self.tx_id), alh };
        key.verify(self.db.as_bytes(), &state, &self.signature.0).map(|_| ()).map_err(Refusal::of)
    }
}
