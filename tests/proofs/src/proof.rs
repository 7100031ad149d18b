//! Proofs that own their parts.

use counterfoil_core::{Alh, DualProof, DualProofV2, LinearAdvanceProof, LinearProof, TxId};

use crate::ledger::{Hash, OwnedHeader};

/// A list of hashes that leads from a node upwards.
pub type Path = Vec<Hash>;

/// A linear proof.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnedLinear {
    /// Where it says that it starts.
    pub source: u64,
    /// Where it says that it ends.
    pub target: u64,
    /// The hash of the source and the inner hashes after it.
    pub terms: Vec<Hash>,
}

impl OwnedLinear {
    /// The proof for the verifier.
    pub fn view(&self) -> LinearProof<'_> {
        LinearProof {
            source: TxId::new(self.source),
            target: TxId::new(self.target),
            terms: &self.terms,
        }
    }
}

/// A linear-advance proof.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnedAdvance {
    /// The hash of the first transaction and the inner hashes after it.
    pub terms: Vec<Hash>,
    /// The paths of all but the last.
    pub inclusion: Vec<Path>,
}

impl OwnedAdvance {
    /// Calls `use_it` with the proof for the verifier.
    pub fn with<R>(&self, use_it: impl FnOnce(&LinearAdvanceProof<'_>) -> R) -> R {
        let inclusion: Vec<&[Hash]> = self.inclusion.iter().map(Vec::as_slice).collect();
        use_it(&LinearAdvanceProof { terms: &self.terms, inclusion: &inclusion })
    }
}

/// A dual proof, version 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnedDual {
    /// The header of the earlier transaction.
    pub source: OwnedHeader,
    /// The header of the later one.
    pub target: OwnedHeader,
    /// The path of the source in the target's tree.
    pub inclusion: Path,
    /// From the source's tree to the target's, in immudb's form.
    pub consistency: Path,
    /// The hash of the last transaction in the target's tree.
    pub target_bl_tx_alh: Hash,
    /// Its path.
    pub last_inclusion: Path,
    /// The chain to the target.
    pub linear: OwnedLinear,
    /// What the target's tree took in late.
    pub advance: Option<OwnedAdvance>,
}

impl OwnedDual {
    /// Calls `use_it` with the proof for the verifier.
    pub fn with<R>(&self, use_it: impl FnOnce(&DualProof<'_>) -> R) -> R {
        let advance = self.advance.as_ref();
        let inclusion: Vec<&[Hash]> =
            advance.iter().flat_map(|advance| &advance.inclusion).map(Vec::as_slice).collect();
        use_it(&DualProof {
            source_header: self.source.view(),
            target_header: self.target.view(),
            inclusion: &self.inclusion,
            consistency: &self.consistency,
            target_bl_tx_alh: Alh::new(self.target_bl_tx_alh),
            last_inclusion: &self.last_inclusion,
            linear: self.linear.view(),
            linear_advance: advance
                .map(|advance| LinearAdvanceProof { terms: &advance.terms, inclusion: &inclusion }),
        })
    }
}

/// A dual proof, version 2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnedDualV2 {
    /// The header of the earlier transaction.
    pub source: OwnedHeader,
    /// The header of the later one.
    pub target: OwnedHeader,
    /// The path of the source in the target's tree.
    pub inclusion: Path,
    /// From the source's tree to the target's, in immudb's form.
    pub consistency: Path,
}

impl OwnedDualV2 {
    /// The proof for the verifier.
    pub fn view(&self) -> DualProofV2<'_> {
        DualProofV2 {
            source_header: self.source.view(),
            target_header: self.target.view(),
            inclusion: &self.inclusion,
            consistency: &self.consistency,
        }
    }
}
