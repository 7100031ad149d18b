//! What our verifier says of a case.

use std::fmt::Debug;

use counterfoil_core::{
    Alh, DualError, DualProof, DualProofV2, EntryDigest, LeafHash, LeafIndex, LinearAdvanceProof,
    ProofPolicy, Root, TreeSize, TrustedState, TxAlh, TxId, VerifiedTx, verify_consistency_immudb,
    verify_inclusion, verify_last_inclusion, verify_linear, verify_linear_advance,
};

use super::{AdvanceJson, Between, Case, DualJson, DualV2Json, Hex};

/// Why we refuse a case: the variants of the error, outermost first, without what they hold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Refusal(pub String);

/// What our verifier says of a case.
pub type Answer = Result<(), Refusal>;

impl Refusal {
    fn missing() -> Self {
        Self("Missing".to_owned())
    }

    /// A refusal that is the test's own comparison.
    pub(super) fn unless(holds: bool, what: &str) -> Answer {
        if holds { Ok(()) } else { Err(Self(what.to_owned())) }
    }

    pub(super) fn of(error: impl Debug) -> Self {
        let text = format!("{error:?}");
        let words = text.split(|c: char| !c.is_alphanumeric());
        let variants = words.filter(|word| word.starts_with(|c: char| c.is_uppercase()));
        let values = ["TxId", "TreeSize", "LeafIndex"];
        let variants: Vec<_> = variants.filter(|word| !values.contains(word)).collect();
        Self(variants.join(" "))
    }
}

impl Case {
    /// Puts the case to our verifier. A proof between two transactions is asked from both ends,
    /// whose answers must agree.
    ///
    /// # Panics
    ///
    /// If they do not.
    pub fn ours(&self, policy: ProofPolicy) -> Answer {
        match self {
            Self::EntryTreeInclusion(case) => verify_inclusion(
                &EntryDigest::new(case.entry_digest.0).leaf_hash(),
                LeafIndex::new(case.leaf_index),
                TreeSize::new(case.width),
                &case.terms.0,
                &Root::new(case.root.0),
            )
            .map_err(Refusal::of),
            Self::TxTreeInclusion(case) => match TxId::new(case.i).leaf_index() {
                None => Err(Refusal::missing()),
                Some(index) => verify_inclusion(
                    &LeafHash::new(case.leaf_hash.0),
                    index,
                    TreeSize::new(case.j),
                    &case.terms.0,
                    &Root::new(case.root_j.0),
                )
                .map_err(Refusal::of),
            },
            Self::TxTreeLastInclusion(case) => verify_last_inclusion(
                &LeafHash::new(case.leaf_hash.0),
                TreeSize::new(case.i),
                &case.terms.0,
                &Root::new(case.root.0),
            )
            .map_err(Refusal::of),
            Self::TxTreeConsistency(case) => verify_consistency_immudb(
                TreeSize::new(case.i),
                &Root::new(case.root_i.0),
                TreeSize::new(case.j),
                &Root::new(case.root_j.0),
                &case.terms.0,
            )
            .map_err(Refusal::of),
            Self::Linear(case) => match &case.proof {
                None => Err(Refusal::missing()),
                Some(proof) => verify_linear(&proof.view(), &case.source(), &case.target(), policy)
                    .map(|_| ())
                    .map_err(Refusal::of),
            },
            Self::LinearAdvance(case) => {
                let paths = case.proof.as_ref().map(AdvanceJson::paths).unwrap_or_default();
                let proof = case.proof.as_ref().map(|proof| view(proof, &paths));
                verify_linear_advance(
                    proof.as_ref(),
                    TxId::new(case.start_tx_id),
                    &tx(case.end_tx_id, case.end_alh),
                    TreeSize::new(case.tree_size),
                    &Root::new(case.tree_root.0),
                    policy,
                )
                .map_err(Refusal::of)
            }
            Self::Dual(case) => dual(case, policy),
            Self::DualV2(case) => dual_v2(case, policy),
            Self::TxHeader(case) => case.ours(),
            Self::EntryOfDigest(case) => case.ours(),
            Self::SignedState(case) => case.ours(),
        }
    }
}

fn tx(id: u64, alh: Hex) -> TxAlh {
    TxAlh { tx: TxId::new(id), alh: Alh::new(alh.0) }
}

fn view<'p>(proof: &'p AdvanceJson, paths: &'p [&'p [[u8; 32]]]) -> LinearAdvanceProof<'p> {
    LinearAdvanceProof { terms: &proof.linear_proof_terms.0, inclusion: paths }
}

impl<P> Between<P> {
    fn source(&self) -> TxAlh {
        tx(self.source_tx_id, self.source_alh)
    }

    fn target(&self) -> TxAlh {
        tx(self.target_tx_id, self.target_alh)
    }

    fn ask_both_ends(
        &self,
        on: impl FnOnce(TrustedState, TxAlh) -> Result<(), DualError>,
        back: impl FnOnce(TrustedState, TxId) -> Result<VerifiedTx, DualError>,
    ) -> Answer {
        let trusted = |tx: TxAlh| TrustedState { tx: tx.tx, alh: tx.alh };
        let on = on(trusted(self.source()), self.target());
        let back = back(trusted(self.target()), self.source().tx);
        // Who looks back learns which transaction it is; here it is known.
        let back = back.is_ok_and(|tx| tx.alh() == self.source().alh);
        assert_eq!(on.is_ok(), back, "the two ends disagree");
        on.map_err(Refusal::of)
    }
}

fn dual(case: &Between<DualJson>, policy: ProofPolicy) -> Answer {
    with_dual(case, |proof| {
        case.ask_both_ends(
            |from, to| from.verify_extension(&to, proof, policy).map(|_| ()),
            |to, from| to.verify_tx_dual(from, proof, policy),
        )
    })?
}

fn with_dual<R>(
    case: &Between<DualJson>,
    use_it: impl FnOnce(&DualProof<'_>) -> R,
) -> Result<R, Refusal> {
    let Some(DualJson {
        source_tx_header: Some(source),
        target_tx_header: Some(target),
        linear_proof: Some(linear),
        inclusion_proof,
        consistency_proof,
        target_bl_tx_alh,
        last_inclusion_proof,
        linear_advance_proof,
    }) = &case.proof
    else {
        return Err(Refusal::missing());
    };
    let (source_bytes, target_bytes) = (source.metadata(), target.metadata());
    let paths = linear_advance_proof.as_ref().map(AdvanceJson::paths).unwrap_or_default();
    let proof = DualProof {
        source_header: source.view(&source_bytes).map_err(Refusal::of)?,
        target_header: target.view(&target_bytes).map_err(Refusal::of)?,
        inclusion: &inclusion_proof.0,
        consistency: &consistency_proof.0,
        target_bl_tx_alh: Alh::new(target_bl_tx_alh.0),
        last_inclusion: &last_inclusion_proof.0,
        linear: linear.view(),
        linear_advance: linear_advance_proof.as_ref().map(|proof| view(proof, &paths)),
    };
    Ok(use_it(&proof))
}

fn dual_v2(case: &Between<DualV2Json>, policy: ProofPolicy) -> Answer {
    with_dual_v2(case, |proof| {
        case.ask_both_ends(
            |from, to| from.verify_extension_v2(&to, proof, policy).map(|_| ()),
            |to, from| to.verify_tx_dual_v2(from, proof, policy),
        )
    })?
}

fn with_dual_v2<R>(
    case: &Between<DualV2Json>,
    use_it: impl FnOnce(&DualProofV2<'_>) -> R,
) -> Result<R, Refusal> {
    let Some(DualV2Json {
        source_tx_header: Some(source),
        target_tx_header: Some(target),
        inclusion_proof,
        consistency_proof,
    }) = &case.proof
    else {
        return Err(Refusal::missing());
    };
    let (source_bytes, target_bytes) = (source.metadata(), target.metadata());
    let proof = DualProofV2 {
        source_header: source.view(&source_bytes).map_err(Refusal::of)?,
        target_header: target.view(&target_bytes).map_err(Refusal::of)?,
        inclusion: &inclusion_proof.0,
        consistency: &consistency_proof.0,
    };
    Ok(use_it(&proof))
}

impl Case {
    /// Calls `use_it` with a check of a dual proof that is decoded already, as a server's answer
    /// would be: asked from the target, as for a transaction that somebody looks up.
    ///
    /// # Panics
    ///
    /// For another kind of case, and for a proof that lacks parts.
    pub fn with_ready<R>(
        &self,
        policy: ProofPolicy,
        use_it: impl FnOnce(&dyn Fn() -> bool) -> R,
    ) -> R {
        let trusted = |tx: TxAlh| TrustedState { tx: tx.tx, alh: tx.alh };
        match self {
            Self::Dual(case) => {
                let (state, tx) = (trusted(case.target()), case.source().tx);
                with_dual(case, |proof| use_it(&|| state.verify_tx_dual(tx, proof, policy).is_ok()))
                    .expect("a whole proof")
            }
            Self::DualV2(case) => {
                let (state, tx) = (trusted(case.target()), case.source().tx);
                with_dual_v2(case, |proof| {
                    use_it(&|| state.verify_tx_dual_v2(tx, proof, policy).is_ok())
                })
                .expect("a whole proof")
            }
            other => panic!("no dual proof: {}", other.kind()),
        }
    }
}
