//! Numbers from anywhere, in whatever takes numbers.

use counterfoil_core::*;
use proptest::prelude::*;

use super::reference::Hash;
use super::{CORNERS, header, terms};

fn corner() -> impl Strategy<Value = u64> {
    prop_oneof![
        proptest::sample::select(CORNERS.to_vec()),
        any::<u64>(),
        (0..64_u32, -2..3_i64).prop_map(|(bit, off)| (1_u64 << bit).wrapping_add_signed(off)),
    ]
}

proptest! {
    /// Any numbers and few terms, for whatever takes numbers: an answer, and no panic.
    #[test]
    fn any_numbers_are_answered(
        numbers in proptest::collection::vec(corner(), 8),
        count in 0..5_usize,
        limit in proptest::sample::select(vec![0, 1, 4096, usize::MAX]),
    ) {
        let [a, b, c, d, e, f, g, h] = numbers[..] else { unreachable!() };
        let path = terms(count);
        let paths: Vec<&[Hash]> = vec![&path; count];
        let policy = ProofPolicy::STRICT.with_max_chain(limit);
        let (source_header, target_header) = (header(a, b), header(c, d));
        let proof = DualProof {
            source_header,
            target_header,
            inclusion: &path,
            consistency: &path,
            target_bl_tx_alh: Alh::new([1; 32]),
            last_inclusion: &path,
            linear: LinearProof { source: TxId::new(e), target: TxId::new(f), terms: &path },
            linear_advance: Some(LinearAdvanceProof { terms: &path, inclusion: &paths }),
        };
        let v2 = DualProofV2 { source_header, target_header, inclusion: &path, consistency: &path };
        let state = |tx| TrustedState { tx: TxId::new(tx), alh: Alh::new([2; 32]) };
        for policy in [policy, policy.legacy_untied()] {
            prop_assert!(state(c).verify_tx_dual(TxId::new(a), &proof, policy).is_err());
            prop_assert!(state(c).verify_tx_dual_v2(TxId::new(a), &v2, policy).is_err());
            prop_assert!(state(a).verify_extension(&state(c).into(), &proof, policy).is_err());
            prop_assert!(state(a).verify_extension_v2(&state(c).into(), &v2, policy).is_err());
        }
        prop_assert!(state(g).verify_tx(&source_header, &target_header, &path).is_err());
        prop_assert!(TrustedState::first_contact(&state(h).into(), &source_header).is_err());
    }
}
