//! Later states: what an extension says, and what it leaves open; and first contact, where nothing
//! was trusted before.

mod ledger;
mod reference;

use counterfoil_core::*;
use ledger::{Ledger, TREES};

const STRICT: ProofPolicy = ProofPolicy::STRICT;

#[test]
fn an_extension_names_both_ends_and_the_policy() {
    let ledger = Ledger::current(9);
    let (from, to) = (ledger.state(4), ledger.tx(9));
    for policy in [STRICT, STRICT.legacy_untied(), STRICT.with_max_chain(1)] {
        let v1 = ledger.dual(4, 9);
        // A chain from the tree's last leaf takes two terms.
        let answer = v1.with(|proof| from.verify_extension(&to, proof, policy));
        let v2 = from.verify_extension_v2(&to, &ledger.dual_v2(4, 9).proof(), policy).unwrap();
        assert_eq!((v2.from(), v2.to(), v2.policy()), (from, to, policy));
        if policy == STRICT.with_max_chain(1) {
            let error = ChainError::TooLong { terms: 2, limit: 1 };
            assert_eq!(answer, Err(DualError::Linear(error)));
        } else {
            assert_eq!(answer, Ok(v2));
        }
    }
}

/// Whoever knows a state can extend it. So an extension is no reason to trust.
#[test]
fn one_state_has_many_extensions() {
    let mut extensions = Vec::new();
    for ts in [1, 2] {
        let mut ledger = Ledger::current(7);
        ledger.append(7, *ledger.root(7).as_bytes());
        let header = ledger.headers.last_mut().unwrap();
        header.ts = ts;
        let (from, to) = (ledger.state(5), ledger.tx(8));
        extensions.push(ledger.dual(5, 8).with(|p| from.verify_extension(&to, p, STRICT)).unwrap());
        let v2 = ledger.dual_v2(5, 8);
        extensions.push(from.verify_extension_v2(&to, &v2.proof(), STRICT).unwrap());
    }
    let [a, a2, b, b2] = extensions[..] else { panic!() };
    assert_eq!((a, b), (a2, b2));
    assert_eq!((a.from(), a.to().tx), (b.from(), b.to().tx));
    assert_ne!(a.to().alh, b.to().alh);
}

#[test]
fn a_state_that_contradicts_the_trusted_one_is_no_extension() {
    let honest = Ledger::current(9);
    // Another ledger, different from transaction 3 on.
    let mut other = Ledger::current(2);
    other.append(2, *other.root(2).as_bytes());
    other.headers[2].ts = 0;
    other.leaves[2] = *other.alh(3).leaf_hash().as_bytes();
    for id in 3..9 {
        other.append(id, *other.root(id).as_bytes());
    }
    for source in 1..=9 {
        for target in source..=9 {
            let (from, to) = (honest.state(source), other.tx(target));
            let before = source < 3 && honest.alh(source) == other.alh(source);
            let mut proof = other.dual(source, target);
            let answer = proof.with(|p| from.verify_extension(&to, p, STRICT));
            assert_eq!(answer.is_ok(), before, "{source} to {target}");
            // With the trusted header in place of the other ledger's, the rest does not fit.
            proof.source_header = honest.header(source);
            let answer = proof.with(|p| from.verify_extension(&to, p, STRICT));
            assert_eq!(answer.is_ok(), before, "{source} to {target}");
            let mut proof = other.dual_v2(source, target);
            proof.source_header = honest.header(source);
            let answer = from.verify_extension_v2(&to, &proof.proof(), STRICT);
            assert_eq!(answer.is_ok(), before, "{source} to {target}");
        }
    }
}

#[test]
fn every_state_can_be_the_first() {
    for trees in TREES {
        let ledger = Ledger::with_trees(trees);
        for id in 1..=ledger.len() {
            let claimed = ledger.tx(id);
            let first = TrustedState::first_contact(&claimed, &ledger.header(id)).unwrap();
            assert_eq!(first.state(), claimed);
        }
    }
}

#[test]
fn a_first_state_is_the_hash_of_its_header() {
    let ledger = Ledger::current(9);
    for id in 1..=9 {
        let (claimed, header) = (ledger.tx(id), ledger.header(id));
        for found in (1..=9).filter(|found| *found != id) {
            let answer = TrustedState::first_contact(&claimed, &ledger.header(found));
            let (expected, found) = (TxId::new(id), TxId::new(found));
            assert_eq!(answer, Err(ProofError::StateTx { expected, found }));
        }
        reference::flip(claimed.alh.as_bytes(), |alh| {
            let claimed = TxAlh { alh: Alh::new(alh), ..claimed };
            let answer = TrustedState::first_contact(&claimed, &header);
            assert_eq!(answer, Err(ProofError::StateAlh { tx: claimed.tx }));
        });
        let later = Header { ts: header.ts + 1, ..header };
        let answer = TrustedState::first_contact(&claimed, &later);
        assert_eq!(answer, Err(ProofError::StateAlh { tx: claimed.tx }));
    }
}

/// Even where the hash is right: a header that no ledger can have makes no state.
#[test]
fn a_first_state_is_one_that_a_ledger_can_be_in() {
    let ledger = Ledger::current(9);
    let refuse = |header: Header<'_>, error| {
        // Where the header has a hash at all, that is claimed.
        let alh = header.alh().unwrap_or(Alh::ZERO);
        let claimed = TxAlh { tx: header.id, alh };
        let answer = TrustedState::first_contact(&claimed, &header);
        assert_eq!(answer, Err(ProofError::StateHeader(error)));
    };
    let (first, header) = (ledger.header(1), ledger.header(7));
    refuse(Header { prev_alh: Alh::ZERO, ..first }, HeaderError::FirstPredecessor);
    refuse(Header { prev_alh: ledger.alh(2), ..first }, HeaderError::FirstPredecessor);
    refuse(Header { bl_root: Root::EMPTY, ..first }, HeaderError::EmptyTreeRoot);
    refuse(Header { bl_tx_id: TxId::new(0), ..header }, HeaderError::EmptyTreeRoot);
    refuse(Header { id: TxId::new(0), ..first }, HeaderError::IdZero);
    let ids = (TxId::new(7), TxId::new(7));
    let error = HeaderError::TreeNotBehind { id: ids.0, bl_tx_id: ids.1 };
    refuse(Header { bl_tx_id: ids.1, ..header }, error);
    for nentries in [0, 1 << 31] {
        refuse(Header { nentries, ..header }, HeaderError::EntryCount { nentries });
    }
    let extra = [0; 257];
    let metadata = TxMetadata { truncated_tx_id: None, extra: Some(&extra) };
    refuse(Header { metadata, ..header }, HeaderError::ExtraTooLong);
    let metadata = TxMetadata { truncated_tx_id: Some(1), extra: None };
    let v0 = Header { version: HeaderVersion::V0, ..header };
    refuse(Header { metadata, ..v0 }, HeaderError::MetadataInV0);
    let nentries = 0x1_0000;
    refuse(Header { nentries, ..v0 }, HeaderError::EntryCount { nentries });
}
