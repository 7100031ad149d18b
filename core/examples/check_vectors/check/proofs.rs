//! Proofs between transactions.
//!
//! A case asks with two hashes, of which a user trusts one: the older to move on from it, or the
//! newer to look back from it. Both questions must have the case's answer.

use counterfoil_core::{
    Alh, ChainError, DualError, DualProof, DualProofV2, LinearAdvanceProof, LinearProof,
    ProofPolicy, Root, TreeSize, TrustedState, TxAlh, TxId, VerifiedTx, verify_linear,
    verify_linear_advance,
};

use super::Outcome;
use super::case::{Case, failed};
use super::digests::read_header;

/// The rules of the format alone: some honest proofs of lagging ledgers tie less than the strict
/// policy demands.
const POLICY: ProofPolicy = ProofPolicy::STRICT.legacy_untied();

const MISSING: &str = "a part is missing";

fn tx(case: Case<'_>, tx: &str, alh: &str) -> Result<TxAlh, String> {
    Ok(TxAlh { tx: TxId::new(case.u64(tx)?), alh: Alh::new(case.hash(alh)?) })
}

/// The terms of a linear proof with its numbers.
struct Linear {
    source: TxId,
    target: TxId,
    terms: Vec<[u8; 32]>,
}

impl Linear {
    fn read(case: Case<'_>, field: &str) -> Result<Option<Self>, String> {
        let Some(proof) = case.optional(field, Case::object)? else { return Ok(None) };
        Ok(Some(Self {
            source: TxId::new(proof.u64("source_tx_id")?),
            target: TxId::new(proof.u64("target_tx_id")?),
            terms: proof.hashes("terms")?,
        }))
    }

    fn proof(&self) -> LinearProof<'_> {
        LinearProof { source: self.source, target: self.target, terms: &self.terms }
    }
}

/// The terms and paths of a linear-advance proof.
struct Advance {
    terms: Vec<[u8; 32]>,
    inclusion: Vec<Vec<[u8; 32]>>,
}

impl Advance {
    fn read(case: Case<'_>, field: &str) -> Result<Option<Self>, String> {
        let Some(proof) = case.optional(field, Case::object)? else { return Ok(None) };
        Ok(Some(Self {
            terms: proof.hashes("linear_proof_terms")?,
            inclusion: proof.lists_of_hashes("inclusion_proofs")?,
        }))
    }

    fn paths(&self) -> Vec<&[[u8; 32]]> {
        self.inclusion.iter().map(Vec::as_slice).collect()
    }
}

pub(super) fn linear(case: Case<'_>) -> Outcome {
    let source = tx(case, "source_tx_id", "source_alh")?;
    let target = tx(case, "target_tx_id", "target_alh")?;
    let Some(proof) = Linear::read(case, "proof")? else {
        return case.expect(Err(MISSING));
    };
    case.expect(verify_linear(&proof.proof(), &source, &target, POLICY).map(|_| ()))
}

pub(super) fn linear_advance(case: Case<'_>) -> Outcome {
    let start = TxId::new(case.u64("start_tx_id")?);
    let end = tx(case, "end_tx_id", "end_alh")?;
    let tree_root = Root::new(case.hash("tree_root")?);
    let Some(tree_size) = case.position("tree_size")? else {
        return case.expect(Err(MISSING));
    };
    let proof = Advance::read(case, "proof")?;
    let paths = proof.as_ref().map(Advance::paths).unwrap_or_default();
    let proof =
        proof.as_ref().map(|proof| LinearAdvanceProof { terms: &proof.terms, inclusion: &paths });
    let tree_size = TreeSize::new(tree_size);
    let answer: Result<(), ChainError> =
        verify_linear_advance(proof.as_ref(), start, &end, tree_size, &tree_root, POLICY);
    case.expect(answer)
}

pub(super) fn dual(case: Case<'_>) -> Outcome {
    let source = tx(case, "source_tx_id", "source_alh")?;
    let target = tx(case, "target_tx_id", "target_alh")?;
    let Some(proof) = case.optional("proof", Case::object)? else {
        return case.expect(Err(MISSING));
    };
    let linear = Linear::read(proof, "linear_proof")?;
    let (source_bytes, target_bytes) = metadata(proof)?;
    let source_header = read_header(proof, "source_tx_header", &source_bytes)?;
    let target_header = read_header(proof, "target_tx_header", &target_bytes)?;
    let (Some(source_header), Some(target_header), Some(linear)) =
        (source_header, target_header, &linear)
    else {
        return case.expect(Err(MISSING));
    };
    let (inclusion, consistency) =
        (proof.hashes("inclusion_proof")?, proof.hashes("consistency_proof")?);
    let last_inclusion = proof.hashes("last_inclusion_proof")?;
    let target_bl_tx_alh = Alh::new(proof.hash("target_bl_tx_alh")?);
    let advance = Advance::read(proof, "linear_advance_proof")?;
    let paths = advance.as_ref().map(Advance::paths).unwrap_or_default();

    let (source_header, target_header) = match (source_header, target_header) {
        (Ok(source), Ok(target)) => (source, target),
        (Err(error), _) | (_, Err(error)) => return case.expect(Err(error)),
    };
    let proof = DualProof {
        source_header,
        target_header,
        inclusion: &inclusion,
        consistency: &consistency,
        target_bl_tx_alh,
        last_inclusion: &last_inclusion,
        linear: linear.proof(),
        linear_advance: advance
            .as_ref()
            .map(|advance| LinearAdvanceProof { terms: &advance.terms, inclusion: &paths }),
    };
    both(
        case,
        source,
        trusted(source).verify_extension(&target, &proof, POLICY).map(|_| ()),
        trusted(target).verify_tx_dual(source.tx, &proof, POLICY),
    )
}

pub(super) fn dual_v2(case: Case<'_>) -> Outcome {
    let source = tx(case, "source_tx_id", "source_alh")?;
    let target = tx(case, "target_tx_id", "target_alh")?;
    let Some(proof) = case.optional("proof", Case::object)? else {
        return case.expect(Err(MISSING));
    };
    let (source_bytes, target_bytes) = metadata(proof)?;
    let source_header = read_header(proof, "source_tx_header", &source_bytes)?;
    let target_header = read_header(proof, "target_tx_header", &target_bytes)?;
    let (Some(source_header), Some(target_header)) = (source_header, target_header) else {
        return case.expect(Err(MISSING));
    };
    let (inclusion, consistency) =
        (proof.hashes("inclusion_proof")?, proof.hashes("consistency_proof")?);
    let (source_header, target_header) = match (source_header, target_header) {
        (Ok(source), Ok(target)) => (source, target),
        (Err(error), _) | (_, Err(error)) => return case.expect(Err(error)),
    };
    let proof = DualProofV2 {
        source_header,
        target_header,
        inclusion: &inclusion,
        consistency: &consistency,
    };
    both(
        case,
        source,
        trusted(source).verify_extension_v2(&target, &proof, POLICY).map(|_| ()),
        trusted(target).verify_tx_dual_v2(source.tx, &proof, POLICY),
    )
}

fn metadata(proof: Case<'_>) -> Result<(Vec<u8>, Vec<u8>), String> {
    let read = |field| match proof.optional(field, Case::object)? {
        Some(header) => header.bytes("metadata_hex"),
        None => Ok(Vec::new()),
    };
    Ok((read("source_tx_header")?, read("target_tx_header")?))
}

fn trusted(state: TxAlh) -> TrustedState {
    TrustedState { tx: state.tx, alh: state.alh }
}

/// Looking back, the transaction found must be the one that was meant.
fn both(
    case: Case<'_>,
    source: TxAlh,
    on: Result<(), DualError>,
    back: Result<VerifiedTx, DualError>,
) -> Outcome {
    let back = match back {
        Ok(tx) if tx.alh() == source.alh => Ok(()),
        Ok(_) => Err("another transaction".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    case.expect(on).map_err(failed("from the source"))?;
    case.expect(back).map_err(failed("from the target"))
}
