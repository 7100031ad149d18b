//! A header that owns its fields.

use counterfoil_core::{Alh, Header, HeaderVersion, Root, TxId, TxMetadata};
use sha2::{Digest, Sha256};

use super::Hash;

/// A transaction's header. Its fields may contradict each other: [`view`](Self::view) hands them
/// to the verifier as they are.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OwnedHeader {
    /// The number of the transaction.
    pub id: u64,
    /// The hash of the transaction before.
    pub prev_alh: Hash,
    /// Unix time in seconds.
    pub ts: i64,
    /// The header's format.
    pub version: HeaderVersion,
    /// The first part of the metadata.
    pub truncated_tx_id: Option<u64>,
    /// The second part of the metadata.
    pub extra: Option<Vec<u8>>,
    /// The count of entries.
    pub nentries: u32,
    /// The root over the entries.
    pub eh: Hash,
    /// The claimed size of the tree under `bl_root`.
    pub bl_tx_id: u64,
    /// The root over the transactions.
    pub bl_root: Hash,
}

impl OwnedHeader {
    /// The header for the verifier.
    pub fn view(&self) -> Header<'_> {
        Header {
            id: TxId::new(self.id),
            prev_alh: Alh::new(self.prev_alh),
            ts: self.ts,
            version: self.version,
            metadata: TxMetadata {
                truncated_tx_id: self.truncated_tx_id,
                extra: self.extra.as_deref(),
            },
            nentries: self.nentries,
            eh: Root::new(self.eh),
            bl_tx_id: TxId::new(self.bl_tx_id),
            bl_root: Root::new(self.bl_root),
        }
    }

    fn metadata(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(tx) = self.truncated_tx_id {
            bytes.push(0);
            bytes.extend(tx.to_be_bytes());
        }
        if let Some(extra) = &self.extra {
            bytes.push(1);
            bytes.extend((extra.len() as u16).to_be_bytes());
            bytes.extend(extra);
        }
        bytes
    }

    /// The hash over everything but number and predecessor, by the format alone: a count that is
    /// too large for its field is cut, and what version 0 does not hash is left out.
    pub fn inner(&self) -> Hash {
        let mut bytes = Vec::from(self.ts.to_be_bytes());
        bytes.extend(self.version.number().to_be_bytes());
        match self.version {
            HeaderVersion::V0 => bytes.extend((self.nentries as u16).to_be_bytes()),
            HeaderVersion::V1 => {
                let metadata = self.metadata();
                bytes.extend((metadata.len() as u16).to_be_bytes());
                bytes.extend(metadata);
                bytes.extend(self.nentries.to_be_bytes());
            }
        }
        bytes.extend(self.eh);
        bytes.extend(self.bl_tx_id.to_be_bytes());
        bytes.extend(self.bl_root);
        Sha256::digest(bytes).into()
    }

    /// The transaction's hash.
    pub fn alh(&self) -> Hash {
        chain(self.id, &self.prev_alh, &self.inner())
    }
}

/// One step of the chain.
pub(crate) fn chain(id: u64, prev: &Hash, inner: &Hash) -> Hash {
    Sha256::digest([&id.to_be_bytes(), &prev[..], &inner[..]].concat()).into()
}
