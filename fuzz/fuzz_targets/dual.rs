//! Honest dual proofs, changed: between two transactions of an honest ledger there is one proof, and
//! nothing else passes, asked from either end (`Case::ours` asks both and compares).
#![no_main]

use arbitrary::Unstructured;
use counterfoil_core::ProofPolicy;
use counterfoil_proof_tests::case::{Case, HeaderJson, mutate};
use counterfoil_proof_tests::ledger::Ledger;
use counterfoil_proof_tests::prover;
use libfuzzer_sys::fuzz_target;

#[path = "../../core/tests/reference/mod.rs"]
mod reference;

const FORMAT: ProofPolicy = ProofPolicy::STRICT.legacy_untied();

fuzz_target!(|data: &[u8]| {
    let _ = check(&mut Unstructured::new(data));
});

fn check(u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let changes = u.int_in_range(0..=4)?;
    let v2 = u.arbitrary()?;
    let ledger = Ledger::arbitrary(u, 10)?;
    let pick = |u: &mut Unstructured<'_>| {
        let target = u.int_in_range(1..=ledger.len())?;
        let source = u.int_in_range(1..=target)?;
        Ok(honest(v2, &ledger, source, target))
    };
    let (Some(mut changed), Some(other)) = (pick(u)?, pick(u)?) else { return Ok(()) };
    assert_eq!(changed.ours(FORMAT), Ok(()));
    assert_eq!(changed.ours(ProofPolicy::STRICT).is_ok(), tied(&changed));

    for _ in 0..changes {
        mutate(&mut changed, &other, u)?;
    }
    let accepted = changed.ours(FORMAT).is_ok();
    let strictly = changed.ours(ProofPolicy::STRICT).is_ok();
    assert!(accepted || !strictly, "strict is never laxer");
    let [source, target] = match &changed {
        Case::Dual(case) => {
            [(case.source_tx_id, case.source_alh), (case.target_tx_id, case.target_alh)]
        }
        Case::DualV2(case) => {
            [(case.source_tx_id, case.source_alh), (case.target_tx_id, case.target_alh)]
        }
        _ => unreachable!("a case keeps its kind"),
    };
    if (1..=ledger.len()).contains(&target.0) && target.1.0 == ledger.alh(target.0) {
        let in_order = (1..=target.0).contains(&source.0);
        let honest = in_order.then(|| honest(v2, &ledger, source.0, target.0)).flatten();
        let same = honest.is_some_and(|honest| honest == without_spare_terms(changed.clone()));
        assert_eq!(accepted, same, "another proof of {} in {}", source.0, target.0);
        assert_eq!(strictly, same && tied(&changed), "under the strict policy");
    }
    Ok(())
}

/// The proof, if there is one: version 2 knows no tree that lags.
fn honest(v2: bool, ledger: &Ledger, source: u64, target: u64) -> Option<Case> {
    let lags = |id: u64| ledger.header(id).bl_tx_id + 1 != id;
    if !v2 {
        Some(Case::from(&prover::dual(ledger, source, target)))
    } else if lags(source) || lags(target) {
        None
    } else {
        Some(Case::from(&prover::dual_v2(ledger, source, target)))
    }
}

/// Whether an honest proof can show that what the target's tree took in late is the chain's.
fn tied(case: &Case) -> bool {
    let Case::Dual(case) = case else { return true };
    let proof = case.proof.as_ref().expect("an honest proof");
    let tree = |header: &Option<HeaderJson>| header.as_ref().map_or(0, |header| header.bl_tx_id);
    let (old, new) = (tree(&proof.source_tx_header), tree(&proof.target_tx_header));
    !(old < new && new < case.source_tx_id) || new + 1 == case.source_tx_id
}

/// Between equal trees two more terms may stand: the root's children.
fn without_spare_terms(mut case: Case) -> Case {
    if let Case::Dual(case) = &mut case
        && let Some(proof) = &mut case.proof
        && let (Some(source), Some(target)) = (&proof.source_tx_header, &proof.target_tx_header)
        && source.bl_tx_id == target.bl_tx_id
        && source.bl_tx_id > 1
        && let [right, left] = &proof.consistency_proof.0[..]
        && reference::node(left, right) == source.bl_root.0
    {
        proof.consistency_proof.0.clear();
    }
    case
}
