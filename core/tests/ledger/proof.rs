//! Proofs that own what they hold, so that a test can change any part.

use counterfoil_core::*;

use crate::reference::Hash;

#[derive(Clone)]
pub(crate) struct OwnedAdvance {
    pub(crate) terms: Vec<Hash>,
    pub(crate) paths: Vec<Vec<Hash>>,
}

impl OwnedAdvance {
    pub(crate) fn with<T>(&self, ask: impl FnOnce(&LinearAdvanceProof<'_>) -> T) -> T {
        let paths: Vec<&[Hash]> = self.paths.iter().map(Vec::as_slice).collect();
        ask(&LinearAdvanceProof { terms: &self.terms, inclusion: &paths })
    }
}

#[derive(Clone)]
pub(crate) struct OwnedDual {
    pub(crate) source_header: Header<'static>,
    pub(crate) target_header: Header<'static>,
    pub(crate) inclusion: Vec<Hash>,
    pub(crate) consistency: Vec<Hash>,
    pub(crate) target_bl_tx_alh: Hash,
    pub(crate) last_inclusion: Vec<Hash>,
    /// Of which transactions the linear proof says that it is.
    pub(crate) chain: [u64; 2],
    pub(crate) linear: Vec<Hash>,
    pub(crate) advance: Option<OwnedAdvance>,
}

impl OwnedDual {
    pub(crate) fn with<T>(&self, ask: impl FnOnce(&DualProof<'_>) -> T) -> T {
        let [source, target] = self.chain.map(TxId::new);
        let proof = DualProof {
            source_header: self.source_header,
            target_header: self.target_header,
            inclusion: &self.inclusion,
            consistency: &self.consistency,
            target_bl_tx_alh: Alh::new(self.target_bl_tx_alh),
            last_inclusion: &self.last_inclusion,
            linear: LinearProof { source, target, terms: &self.linear },
            linear_advance: None,
        };
        match &self.advance {
            None => ask(&proof),
            Some(advance) => {
                advance.with(|advance| ask(&DualProof { linear_advance: Some(*advance), ..proof }))
            }
        }
    }

    /// Asks from both ends, of which either may be the trusted one.
    pub(crate) fn check(
        &self,
        source: &TxAlh,
        target: &TxAlh,
        policy: ProofPolicy,
    ) -> (Result<VerifiedTx, DualError>, Result<Extension, DualError>) {
        let older = TrustedState { tx: source.tx, alh: source.alh };
        let newer = TrustedState { tx: target.tx, alh: target.alh };
        self.with(|proof| {
            let back = newer.verify_tx_dual(source.tx, proof, policy);
            (back, older.verify_extension(target, proof, policy))
        })
    }
}

#[derive(Clone)]
pub(crate) struct OwnedDualV2 {
    pub(crate) source_header: Header<'static>,
    pub(crate) target_header: Header<'static>,
    pub(crate) inclusion: Vec<Hash>,
    pub(crate) consistency: Vec<Hash>,
}

impl OwnedDualV2 {
    pub(crate) fn proof(&self) -> DualProofV2<'_> {
        DualProofV2 {
            source_header: self.source_header,
            target_header: self.target_header,
            inclusion: &self.inclusion,
            consistency: &self.consistency,
        }
    }

    /// As [`OwnedDual::check`].
    pub(crate) fn check(
        &self,
        source: &TxAlh,
        target: &TxAlh,
        policy: ProofPolicy,
    ) -> (Result<VerifiedTx, DualError>, Result<Extension, DualError>) {
        let older = TrustedState { tx: source.tx, alh: source.alh };
        let newer = TrustedState { tx: target.tx, alh: target.alh };
        let proof = self.proof();
        let back = newer.verify_tx_dual_v2(source.tx, &proof, policy);
        (back, older.verify_extension_v2(target, &proof, policy))
    }
}
