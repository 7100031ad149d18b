//! From the model's proofs to cases.

use super::{
    AdvanceJson, Between, Case, DualJson, DualV2Json, Hashes, HeaderJson, Hex, LinearJson,
    MetadataJson,
};
use crate::ledger::OwnedHeader;
use crate::proof::{OwnedAdvance, OwnedDual, OwnedDualV2, OwnedLinear};

impl From<&OwnedHeader> for HeaderJson {
    fn from(header: &OwnedHeader) -> Self {
        let metadata = header.view().metadata;
        let mut bytes = [0; counterfoil_core::TxMetadata::MAX_LEN];
        let bytes = metadata.encode(&mut bytes).map(hex::encode).unwrap_or_default();
        let given = metadata.truncated_tx_id.is_some() || metadata.extra.is_some();
        Self {
            id: header.id,
            ts: header.ts,
            version: header.version.number().into(),
            metadata: given.then(|| MetadataJson {
                truncated_tx_id: metadata.truncated_tx_id,
                extra: metadata.extra.map(hex::encode),
            }),
            metadata_hex: bytes,
            nentries: header.nentries.into(),
            prev_alh: Hex(header.prev_alh),
            eh: Hex(header.eh),
            bl_tx_id: header.bl_tx_id,
            bl_root: Hex(header.bl_root),
        }
    }
}

impl From<&OwnedLinear> for LinearJson {
    fn from(proof: &OwnedLinear) -> Self {
        Self {
            source_tx_id: proof.source,
            target_tx_id: proof.target,
            terms: Hashes(proof.terms.clone()),
        }
    }
}

impl From<&OwnedAdvance> for AdvanceJson {
    fn from(proof: &OwnedAdvance) -> Self {
        Self {
            linear_proof_terms: Hashes(proof.terms.clone()),
            inclusion_proofs: proof.inclusion.iter().cloned().map(Hashes).collect(),
        }
    }
}

fn between<P>(source: &OwnedHeader, target: &OwnedHeader, proof: P) -> Between<P> {
    Between {
        source_tx_id: source.id,
        target_tx_id: target.id,
        source_alh: Hex(source.alh()),
        target_alh: Hex(target.alh()),
        proof: Some(proof),
    }
}

impl From<&OwnedDual> for Case {
    fn from(proof: &OwnedDual) -> Self {
        Self::Dual(between(
            &proof.source,
            &proof.target,
            DualJson {
                source_tx_header: Some((&proof.source).into()),
                target_tx_header: Some((&proof.target).into()),
                inclusion_proof: Hashes(proof.inclusion.clone()),
                consistency_proof: Hashes(proof.consistency.clone()),
                target_bl_tx_alh: Hex(proof.target_bl_tx_alh),
                last_inclusion_proof: Hashes(proof.last_inclusion.clone()),
                linear_proof: Some((&proof.linear).into()),
                linear_advance_proof: proof.advance.as_ref().map(Into::into),
            },
        ))
    }
}

impl From<&OwnedDualV2> for Case {
    fn from(proof: &OwnedDualV2) -> Self {
        Self::DualV2(between(
            &proof.source,
            &proof.target,
            DualV2Json {
                source_tx_header: Some((&proof.source).into()),
                target_tx_header: Some((&proof.target).into()),
                inclusion_proof: Hashes(proof.inclusion.clone()),
                consistency_proof: Hashes(proof.consistency.clone()),
            },
        ))
    }
}
