//! The ends of the numbers, and the two versions of a header: where a statement could slip from one
//! meaning into another.

use counterfoil_core::{
    Alh, DualError, EntryDigest, EntryMetadata, Extension, HeaderVersion, ProofError, ProofPolicy,
    TrustedState, TxAlh, TxId, ValueHash, VerifiedTx, entry_digest,
};
use counterfoil_proof_tests::ledger::{Hash, Ledger, OwnedHeader};
use counterfoil_proof_tests::proof::{OwnedDual, OwnedDualV2, OwnedLinear};
use counterfoil_proof_tests::prover;

const STRICT: ProofPolicy = ProofPolicy::STRICT;

fn header(id: u64, bl_tx_id: u64) -> OwnedHeader {
    let one = Ledger::current(1);
    OwnedHeader { id, bl_tx_id, ..one.header(1).clone() }
}

fn state(header: &OwnedHeader) -> TrustedState {
    TrustedState { tx: TxId::new(header.id), alh: Alh::new(header.alh()) }
}

/// From a transaction to itself, by version 1 and by version 2.
fn to_itself(header: &OwnedHeader) -> (OwnedDual, OwnedDualV2) {
    let id = header.id;
    let dual = OwnedDual {
        source: header.clone(),
        target: header.clone(),
        inclusion: Vec::new(),
        consistency: Vec::new(),
        target_bl_tx_alh: [0; 32],
        last_inclusion: Vec::new(),
        linear: OwnedLinear { source: id, target: id, terms: vec![header.alh()] },
        advance: None,
    };
    let (source, target) = (header.clone(), header.clone());
    let v2 = OwnedDualV2 { source, target, inclusion: Vec::new(), consistency: Vec::new() };
    (dual, v2)
}

#[test]
fn nothing_is_known_under_a_state_of_transaction_0() {
    let ledger = Ledger::current(3);
    for header in [header(0, 0), header(0, u64::MAX), ledger.header(1).clone()] {
        // Whatever hash stands there: that of this header, the one before the first, none.
        for alh in [header.alh(), Alh::BEFORE_FIRST.to_bytes(), [0; 32]] {
            let none = TrustedState { tx: TxId::new(0), alh: Alh::new(alh) };
            let (dual, v2) = to_itself(&header);
            for asked in [0, 1, u64::MAX].map(TxId::new) {
                assert!(dual.with(|d| none.verify_tx_dual(asked, d, STRICT)).is_err());
                assert!(none.verify_tx_dual_v2(asked, &v2.view(), STRICT).is_err());
            }
            for to in [TxAlh::from(none), ledger.tx(1), ledger.tx(3)] {
                assert!(dual.with(|d| none.verify_extension(&to, d, STRICT)).is_err());
                assert!(none.verify_extension_v2(&to, &v2.view(), STRICT).is_err());
            }
            let honest = prover::dual(&ledger, 1, 3);
            let to = ledger.tx(3);
            assert!(honest.with(|d| none.verify_extension(&to, d, STRICT)).is_err());
            for of in [&header, ledger.header(1), ledger.header(3)] {
                assert!(none.verify_tx(&header.view(), &of.view(), &[]).is_err());
            }
            assert!(
                TrustedState::first_contact(&TxAlh::from(none), &header.view()).is_err(),
                "no ledger is in a state before its first transaction"
            );
        }
    }
}

/// In the last state there is, of a ledger whose tree reaches it and of one that has none.
#[test]
fn the_last_number_is_one_like_others() {
    let root: Hash = [7; 32];
    for (bl_tx_id, bl_root) in [(0, [0; 32]), (u64::MAX - 1, root)] {
        let last = OwnedHeader { bl_root, ..header(u64::MAX, bl_tx_id) };
        let mut other = last.clone();
        other.ts += 1;
        let pinned = state(&last);
        let tx = pinned.verify_tx(&last.view(), &last.view(), &[]).unwrap();
        assert_eq!((tx.id().get(), tx.alh()), (u64::MAX, pinned.alh));
        let error = ProofError::TxAlh { tx: pinned.tx };
        assert_eq!(pinned.verify_tx(&last.view(), &other.view(), &[]), Err(error));
        let (dual, v2) = to_itself(&last);
        let by_dual = dual.with(|d| pinned.verify_tx_dual(pinned.tx, d, STRICT));
        let by_v2 = pinned.verify_tx_dual_v2(pinned.tx, &v2.view(), STRICT);
        if bl_tx_id == 0 {
            assert_eq!(by_dual, Ok(tx));
            assert!(matches!(by_v2, Err(DualError::TreeLags(_))), "{by_v2:?}");
        } else {
            // Its tree's last leaf is not shown.
            assert!(matches!(
                by_dual,
                Err(DualError::LastInclusion(_) | DualError::Consistency(_))
            ));
            assert_eq!(by_v2, Ok(tx));
        }
        for bl_tx_id in [u64::MAX, 1 << 63] {
            let lag = OwnedHeader { bl_tx_id, ..last.clone() };
            let pinned = state(&lag);
            let first = pinned.verify_tx(&lag.view(), &header(1, 0).view(), &[]);
            assert!(first.is_err(), "no path is that short");
        }
    }
}

/// A chain may be as long as the policy says, and not one step longer.
#[test]
fn a_chain_has_a_limit() {
    let ledger = Ledger::with_trees(&[0; 9]);
    let (from, to) = (ledger.state(2), ledger.state(9));
    let dual = prover::dual(&ledger, 2, 9);
    let check = |limit| {
        let policy = STRICT.with_max_chain(limit);
        dual.with(|d| to.verify_tx_dual(from.tx, d, policy)).is_ok()
    };
    assert!(check(8) && !check(7) && !check(0));
}

/// One digest can be that of two keys, one in each version: a transaction has one version, and so
/// one of the two.
#[test]
fn a_digest_that_two_versions_share_is_one_key_in_each() {
    let none = EntryMetadata::default();
    let value = ValueHash::of(b"value");
    let key = b"key";
    let longer = [&[0, 0, 0, 3], &key[..]].concat();
    let digest = entry_digest(HeaderVersion::V1, &none, key, &value).unwrap();
    assert_eq!(entry_digest(HeaderVersion::V0, &none, &longer, &value), Ok(digest));

    let verified = |version| -> VerifiedTx {
        let header =
            OwnedHeader { version, nentries: 1, eh: digest.leaf_hash().to_bytes(), ..header(1, 0) };
        state(&header).verify_tx(&header.view(), &header.view(), &[]).unwrap()
    };
    let (v0, v1) = (verified(HeaderVersion::V0), verified(HeaderVersion::V1));
    assert_ne!(v0.alh(), v1.alh(), "the header's hash tells its version");
    let holds = |tx: &VerifiedTx, key: &[u8]| {
        let digest = entry_digest(tx.version(), &none, key, &value).unwrap();
        tx.verify_entry(tx.version(), &digest, 0, &[]).is_ok()
    };
    assert!(holds(&v1, key) && !holds(&v1, &longer));
    assert!(holds(&v0, &longer) && !holds(&v0, key));
}

/// An extension says from which state and to which, and is no state: one that was checked from
/// another state is another value.
#[test]
fn an_extension_keeps_both_its_ends() {
    let ledger = Ledger::current(5);
    let extend = |source: u64, target: u64| -> Extension {
        let dual = prover::dual(&ledger, source, target);
        let to = ledger.tx(target);
        dual.with(|d| ledger.state(source).verify_extension(&to, d, STRICT)).unwrap()
    };
    assert_eq!((extend(2, 4).from(), extend(2, 4).to()), (ledger.state(2), ledger.tx(4)));
    assert_ne!(extend(2, 5), extend(3, 5));
    assert_eq!(extend(3, 3).to(), ledger.tx(3), "a state extends itself");
    // A later state is no proof of an earlier one.
    let back = prover::dual(&ledger, 2, 4);
    let to = ledger.tx(2);
    assert!(back.with(|d| ledger.state(4).verify_extension(&to, d, STRICT)).is_err());
}

/// An index that no transaction has, and a digest that is another kind of hash.
#[test]
fn entries_have_indices_below_their_count() {
    let ledger = Ledger::current(3);
    let tx = ledger.state(3);
    let header = ledger.header(3).view();
    let tx = tx.verify_tx(&header, &header, &[]).unwrap();
    let digest = EntryDigest::new(ledger.entries(3)[0]);
    for index in [1, 2, u32::MAX - 1, u32::MAX] {
        assert!(tx.verify_entry(tx.version(), &digest, index, &[]).is_err());
    }
    let root = EntryDigest::new(tx.eh().to_bytes());
    assert!(tx.verify_entry(tx.version(), &root, 0, &[]).is_err(), "a root is not its own leaf");
}
