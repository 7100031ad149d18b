//! Honest linear and linear-advance proofs, changed: to where an honest ledger ends there is one
//! chain, and nothing else passes.
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
    let pick = |u: &mut Unstructured<'_>| -> arbitrary::Result<Case> {
        let end = u.int_in_range(1..=ledger.len())?;
        let start = u.int_in_range(1..=end)?;
        let honest = if advance {
            honest_advance(&ledger, start - 1, end, end)
        } else {
            honest_linear(&ledger, start, end)
        };
        Ok(honest.expect("numbers in order"))
    };
    let (mut changed, other) = (pick(u)?, pick(u)?);
    assert_eq!(changed.ours(ProofPolicy::STRICT), Ok(()));
    for _ in 0..changes {
        mutate(&mut changed, &other, u)?;
    }
    let honest = match &changed {
        Case::Linear(case) if ends(&ledger, case.target_tx_id, case.target_alh) => {
            honest_linear(&ledger, case.source_tx_id, case.target_tx_id)
        }
        // A root does not commit to its size: of another one there may be more to say.
        Case::LinearAdvance(case)
            if ends(&ledger, case.end_tx_id, case.end_alh)
                && case.tree_size <= ledger.len()
                && case.tree_root.0 == prover::root(&ledger, case.tree_size) =>
        {
            honest_advance(&ledger, case.start_tx_id, case.end_tx_id, case.tree_size)
        }
        _ => return Ok(()),
    };
    assert_eq!(changed.ours(ProofPolicy::STRICT).is_ok(), honest == Some(changed));
    Ok(())
}

fn ends(ledger: &Ledger, id: u64, alh: Hex) -> bool {
    (1..=ledger.len()).contains(&id) && ledger.alh(id) == alh.0
}

fn honest_linear(ledger: &Ledger, source: u64, target: u64) -> Option<Case> {
    (1..=target).contains(&source).then(|| {
        Case::Linear(Between {
            source_tx_id: source,
            target_tx_id: target,
            source_alh: Hex(ledger.alh(source)),
            target_alh: Hex(ledger.alh(target)),
            proof: Some((&prover::linear(ledger, source, target)).into()),
        })
    })
}

/// What stands between must be in the tree.
fn honest_advance(ledger: &Ledger, start: u64, end: u64, size: u64) -> Option<Case> {
    (start <= end && (start + 1 >= end || end - 1 <= size)).then(|| {
        Case::LinearAdvance(LinearAdvance {
            start_tx_id: start,
            end_tx_id: end,
            end_alh: Hex(ledger.alh(end)),
            tree_root: Hex(prover::root(ledger, size)),
            tree_size: size,
            proof: prover::advance(ledger, start, end, size).as_ref().map(Into::into),
        })
    })
}
