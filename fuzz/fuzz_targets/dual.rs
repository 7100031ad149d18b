//! Honest dual proofs, changed: under an honest state nothing passes but the honest transaction,
//! asked from either end (`Case::ours` asks both and compares).
#![no_main]

use arbitrary::Unstructured;
use counterfoil_core::ProofPolicy;
use counterfoil_proof_tests::case::{Case, mutate};
use counterfoil_proof_tests::ledger::Ledger;
use counterfoil_proof_tests::prover;
use libfuzzer_sys::fuzz_target;

const FORMAT: ProofPolicy = ProofPolicy::STRICT.legacy_untied();

fuzz_target!(|data: &[u8]| {
    let _ = check(&mut Unstructured::new(data));
});

fn check(u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let changes = u.int_in_range(0..=4)?;
    let v2 = u.arbitrary()?;
    let ledger = Ledger::arbitrary(u, 10)?;
    let proof = |u: &mut Unstructured<'_>| {
        let target = u.int_in_range(1..=ledger.len())?;
        let source = u.int_in_range(1..=target)?;
        let lags = |id: u64| ledger.header(id).bl_tx_id + 1 != id;
        Ok(if v2 {
            (!lags(source) && !lags(target))
                .then(|| Case::from(&prover::dual_v2(&ledger, source, target)))
        } else {
            Some(Case::from(&prover::dual(&ledger, source, target)))
        })
    };
    let (Some(honest), Some(other)) = (proof(u)?, proof(u)?) else { return Ok(()) };
    assert_eq!(honest.ours(FORMAT), Ok(()));

    let mut changed = honest;
    for _ in 0..changes {
        mutate(&mut changed, &other, u)?;
    }
    let accepted = changed.ours(FORMAT).is_ok();
    assert!(accepted || changed.ours(ProofPolicy::STRICT).is_err(), "strict is never laxer");
    let [source, target] = match &changed {
        Case::Dual(case) => {
            [(case.source_tx_id, case.source_alh), (case.target_tx_id, case.target_alh)]
        }
        Case::DualV2(case) => {
            [(case.source_tx_id, case.source_alh), (case.target_tx_id, case.target_alh)]
        }
        _ => unreachable!("a case keeps its kind"),
    };
    if accepted && target.0 <= ledger.len() && target.1.0 == ledger.alh(target.0) {
        assert_eq!(source.1.0, ledger.alh(source.0), "another transaction {}", source.0);
    }
    Ok(())
}
