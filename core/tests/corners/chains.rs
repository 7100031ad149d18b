//! Chains that begin and end anywhere.

use counterfoil_core::*;

use super::{CORNERS, header};

/// The last step that there is.
#[test]
fn a_chain_reaches_the_last_number() {
    let last = header(u64::MAX, u64::MAX - 1);
    let source = TxAlh { tx: TxId::new(u64::MAX - 1), alh: last.prev_alh };
    let target = TxAlh { tx: last.id, alh: last.alh().unwrap() };
    let terms = [source.alh.to_bytes(), *last.inner_hash().unwrap().as_bytes()];
    let proof = LinearProof { source: source.tx, target: target.tx, terms: &terms };
    let link = verify_linear(&proof, &source, &target, ProofPolicy::STRICT).unwrap();
    assert_eq!((link.source(), link.target()), (source, target));
    assert_eq!(TxId::new(u64::MAX).next(), None);
    assert_eq!(TxId::new(0).leaf_index(), None);
    assert_eq!(TxId::new(u64::MAX).leaf_index(), Some(LeafIndex::new(u64::MAX - 1)));

    for from in CORNERS {
        for to in CORNERS {
            let (source, target) =
                (TxAlh { tx: TxId::new(from), ..source }, TxAlh { tx: TxId::new(to), ..target });
            let proof = LinearProof { source: source.tx, target: target.tx, terms: &terms };
            let answer = verify_linear(&proof, &source, &target, ProofPolicy::STRICT);
            let expected = match to.checked_sub(from) {
                None => ChainError::Order,
                Some(_) if from == 0 => ChainError::Order,
                Some(1) if to == u64::MAX => continue,
                Some(1) => ChainError::End,
                Some(steps) => ChainError::TermCount { expected: steps + 1, found: 2 },
            };
            assert_eq!(answer, Err(expected), "{from} to {to}");
        }
    }
}

#[test]
fn a_linear_advance_counts_without_overflow() {
    let root = Root::new([6; 32]);
    let empty = LinearAdvanceProof { terms: &[], inclusion: &[] };
    for start in CORNERS {
        for end in CORNERS {
            for size in CORNERS {
                let target = TxAlh { tx: TxId::new(end), alh: Alh::new([7; 32]) };
                let ask = |proof| {
                    let (start, size) = (TxId::new(start), TreeSize::new(size));
                    verify_linear_advance(proof, start, &target, size, &root, ProofPolicy::STRICT)
                };
                let (without, with) = match end.checked_sub(start) {
                    None => (Err(ChainError::Order), Err(ChainError::Order)),
                    Some(0 | 1) => (Ok(()), Err(ChainError::Unneeded)),
                    Some(steps) => (
                        Err(ChainError::Missing),
                        Err(ChainError::TermCount { expected: steps, found: 0 }),
                    ),
                };
                assert_eq!(ask(None), without, "{start} to {end} in {size}");
                assert_eq!(ask(Some(&empty)), with, "{start} to {end} in {size}");
            }
        }
    }
}
