//! Proofs as the vectors write them.

use counterfoil_core::{
    Alh, Header, HeaderError, HeaderVersion, LinearProof, Root, TxId, TxMetadata,
};
use serde::{Deserialize, Serialize};

use super::{Hashes, Hex};
use crate::ledger::{Hash, OwnedHeader};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MetadataJson {
    pub truncated_tx_id: Option<u64>,
    pub extra: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HeaderJson {
    pub id: u64,
    pub ts: i64,
    pub version: i64,
    pub metadata: Option<MetadataJson>,
    pub metadata_hex: String,
    pub nentries: i64,
    pub prev_alh: Hex,
    pub eh: Hex,
    pub bl_tx_id: u64,
    pub bl_root: Hex,
}

impl HeaderJson {
    /// The header for the verifier, or why no header can be like that. `metadata` are its bytes.
    pub(super) fn view<'m>(&self, metadata: &'m [u8]) -> Result<Header<'m>, HeaderError> {
        let version = u16::try_from(self.version).unwrap_or(u16::MAX);
        Ok(Header {
            id: TxId::new(self.id),
            prev_alh: Alh::new(self.prev_alh.0),
            ts: self.ts,
            version: HeaderVersion::try_from(version)?,
            metadata: TxMetadata::parse(metadata)?,
            // What is negative or too large counts as none at all.
            nentries: u32::try_from(self.nentries).unwrap_or(0),
            eh: Root::new(self.eh.0),
            bl_tx_id: TxId::new(self.bl_tx_id),
            bl_root: Root::new(self.bl_root.0),
        })
    }

    /// The hash that it has by the format alone, also where no header can be like that. `None` for
    /// a version that is none.
    pub(super) fn alh_by_format(&self) -> Option<Hash> {
        let version = HeaderVersion::try_from(u16::try_from(self.version).ok()?).ok()?;
        let metadata = self.metadata.as_ref();
        let header = OwnedHeader {
            id: self.id,
            prev_alh: self.prev_alh.0,
            ts: self.ts,
            version,
            truncated_tx_id: metadata.and_then(|metadata| metadata.truncated_tx_id),
            extra: metadata.and_then(|metadata| hex::decode(metadata.extra.as_ref()?).ok()),
            // Hashed in 32 bits, or in 16 of them.
            nentries: self.nentries as u32,
            eh: self.eh.0,
            bl_tx_id: self.bl_tx_id,
            bl_root: self.bl_root.0,
        };
        Some(header.alh())
    }

    pub(super) fn metadata(&self) -> Vec<u8> {
        hex::decode(&self.metadata_hex).unwrap_or_default()
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LinearJson {
    pub source_tx_id: u64,
    pub target_tx_id: u64,
    pub terms: Hashes,
}

impl LinearJson {
    pub(super) fn view(&self) -> LinearProof<'_> {
        LinearProof {
            source: TxId::new(self.source_tx_id),
            target: TxId::new(self.target_tx_id),
            terms: &self.terms.0,
        }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AdvanceJson {
    pub linear_proof_terms: Hashes,
    pub inclusion_proofs: Vec<Hashes>,
}

impl AdvanceJson {
    pub(super) fn paths(&self) -> Vec<&[[u8; 32]]> {
        self.inclusion_proofs.iter().map(|path| path.0.as_slice()).collect()
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DualJson {
    pub source_tx_header: Option<HeaderJson>,
    pub target_tx_header: Option<HeaderJson>,
    pub inclusion_proof: Hashes,
    pub consistency_proof: Hashes,
    pub target_bl_tx_alh: Hex,
    pub last_inclusion_proof: Hashes,
    pub linear_proof: Option<LinearJson>,
    pub linear_advance_proof: Option<AdvanceJson>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DualV2Json {
    pub source_tx_header: Option<HeaderJson>,
    pub target_tx_header: Option<HeaderJson>,
    pub inclusion_proof: Hashes,
    pub consistency_proof: Hashes,
}
