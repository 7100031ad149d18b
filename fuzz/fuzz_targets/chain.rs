//! Honest linear and linear-advance proofs, changed: a chain that ends where the ledger's does is
//! the ledger's.
#![no_main]

use arbitrary::Unstructured;
use counterfoil_core::ProofPolicy;
use counterfoil_proof_tests::case::{Between, Case, Hex, LinearAdvance, mutate};
use counterfoil_proof_tests::ledger::Ledger;
use counterfoil_proof_tests::prover;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = check(&mut Unstructured::new(data));
});

fn check(u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let (changes, advance) = (u.int_in_range(0..=3)?, u.arbitrary()?);
    let ledger = Ledger::arbitrary(u, 10)?;
    let case = |u: &mut Unstructured<'_>| -> arbitrary::Result<Case> {
        let end = u.int_in_range(1..=ledger.len())?;
        let start = u.int_in_range(1..=end)?;
        Ok(if advance {
            Case::LinearAdvance(LinearAdvance {
                start_tx_id: start - 1,
                end_tx_id: end,
                end_alh: Hex(ledger.alh(end)),
                tree_root: Hex(prover::root(&ledger, end)),
                tree_size: end,
                proof: prover::advance(&ledger, start - 1, end, end).as_ref().map(Into::into),
            })
        } else {
            Case::Linear(Between {
                source_tx_id: start,
                target_tx_id: end,
                source_alh: Hex(ledger.alh(start)),
                target_alh: Hex(ledger.alh(end)),
                proof: Some((&prover::linear(&ledger, start, end)).into()),
            })
        })
    };
    let (mut changed, other) = (case(u)?, case(u)?);
    assert_eq!(changed.ours(ProofPolicy::STRICT), Ok(()));
    for _ in 0..changes {
        mutate(&mut changed, &other, u)?;
    }
    if changed.ours(ProofPolicy::STRICT).is_err() {
        return Ok(());
    }
    match &changed {
        Case::Linear(case) if is(&ledger, case.target_tx_id, case.target_alh) => {
            assert!(is(&ledger, case.source_tx_id, case.source_alh), "another source");
        }
        Case::LinearAdvance(case) if is(&ledger, case.end_tx_id, case.end_alh) => {
            let first = case.proof.as_ref().map(|proof| Hex(proof.linear_proof_terms.0[0]));
            assert!(first.is_none_or(|first| is(&ledger, case.start_tx_id + 1, first)));
        }
        _ => {}
    }
    Ok(())
}

fn is(ledger: &Ledger, id: u64, alh: Hex) -> bool {
    (1..=ledger.len()).contains(&id) && ledger.alh(id) == alh.0
}
