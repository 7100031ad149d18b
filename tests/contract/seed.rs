//! The five calls of the users' documentation.

use counterfoil::{
    Alh, Completeness, Cover, Error, Event, Payload, PayloadCommitment, TrustedState, TxId, Verdict,
};

use super::{Harness, full, numbered, shipment};

pub(crate) async fn an_added_event_comes_back_verified_and_its_proof_holds(harness: impl Harness) {
    let store = harness.open().await;
    for sequence in 0..3 {
        let event = full(&shipment()).with_external_id(format!("scan {sequence}"));
        let tx = store.add_event(&event).await.unwrap();
        assert_eq!(tx.sequence, sequence);
        assert_eq!(tx.proof.tx(), tx.id);
        assert_eq!(tx.proof.sequence(), Ok(sequence));
        assert_eq!(tx.proof.ledger, store.ledger_id().await.unwrap());
        assert!(store.verify_event(&event, &tx.proof).await.unwrap());

        let checked = store.check_event(&event, &tx.proof).await.unwrap().unwrap();
        let found = store.get_event_at_tx(&shipment(), sequence, tx.id).await.unwrap();
        assert_eq!(found, checked);
        assert_eq!(found.event, event);
        assert_eq!((found.sequence, found.tx), (sequence, tx.id));
        assert_eq!(found.committed_at, tx.proof.header.ts);
        assert!(store.state().await.unwrap().tx >= tx.id);
    }
}

pub(crate) async fn an_altered_event_does_not_verify_and_the_verdict_names_the_field(
    harness: impl Harness,
) {
    let store = harness.open().await;
    let event = full(&shipment());
    let tx = store.add_event(&event).await.unwrap();
    let altered = |alter: fn(&mut Event)| {
        let mut event = event.clone();
        alter(&mut event);
        event
    };
    for (field, other) in [
        ("stream", altered(|e| e.cover = Cover::new("shipments", "SSCC-00123456"))),
        ("stream", altered(|e| e.cover = Cover::new("shipment", "SSCC-00123457"))),
        ("stream", altered(|e| e.cover = e.cover.clone().in_edition("draft"))),
        ("type", altered(|e| e.event_type.push(' '))),
        ("type", altered(|e| e.event_type.clear())),
        ("payload", altered(|e| e.payload = Payload::from(r#"{"from": "Bern"}"#))),
        ("payload", altered(|e| e.payload = Payload::from(""))),
        ("payload", altered(|e| e.payload = commitment(&[0; 32], br#"{"from": "Basel"}"#))),
        ("metadata", altered(|e| e.metadata.clear())),
        ("metadata", altered(|e| drop(e.metadata.insert("signature".into(), "".into())))),
        ("metadata", altered(|e| drop(e.metadata.insert("more".into(), "".into())))),
        ("correlation id", altered(|e| e.correlation_id = "order 78".into())),
        ("causation id", altered(|e| e.causation_id = "order 77".into())),
        ("external id", altered(|e| e.external_id.clear())),
    ] {
        assert!(!store.verify_event(&other, &tx.proof).await.unwrap(), "{field}: {other:?}");
        let verdict = store.check_event(&other, &tx.proof).await.unwrap();
        assert_eq!(verdict, Err(Verdict::OtherEvent { field }), "{other:?}");
    }
    assert!(store.verify_event(&event, &tx.proof).await.unwrap());
}

pub(crate) async fn a_proof_of_another_event_does_not_verify(harness: impl Harness) {
    let store = harness.open().await;
    let cover = shipment();
    let events = [numbered(&cover, 0), numbered(&cover, 1), numbered(&cover, 0)];
    let mut proofs = Vec::new();
    for event in &events {
        proofs.push(store.add_event(event).await.unwrap().proof);
    }
    assert!(!store.verify_event(&events[1], &proofs[0]).await.unwrap());
    assert!(!store.verify_event(&events[0], &proofs[1]).await.unwrap());
    // The same words twice: both proofs hold, each for its own place.
    assert!(store.verify_event(&events[0], &proofs[2]).await.unwrap());
    let twice = [&proofs[0], &proofs[2]].map(|proof| proof.sequence().unwrap());
    assert_eq!(twice, [0, 2]);

    // A row's body under another row's path.
    let mut crossed = proofs[2].clone();
    crossed.body = proofs[0].body.clone();
    assert!(!store.verify_event(&events[0], &crossed).await.unwrap());
}

pub(crate) async fn a_proof_from_another_ledger_does_not_verify<H: Harness>(harness: H) {
    let (store, elsewhere) = (harness.open().await, H::new());
    let other = elsewhere.open().await;
    let event = full(&shipment());
    let [mine, foreign] = [&store, &other].map(async |s| s.add_event(&event).await.unwrap().proof);
    let (mine, mut foreign) = (mine.await, foreign.await);
    let (id, other_id) = (store.ledger_id().await.unwrap(), other.ledger_id().await.unwrap());
    assert_ne!(id, other_id);
    assert!(store.verify_event(&event, &mine).await.unwrap());
    let verdict = store.check_event(&event, &foreign).await.unwrap();
    assert_eq!(verdict, Err(Verdict::OtherLedger { expected: id, found: other_id }));

    // Renamed, it is about a transaction that this ledger does not have.
    foreign.ledger = id;
    let verdict = store.check_event(&event, &foreign).await.unwrap().unwrap_err();
    let Verdict::Fork { pinned, found } = verdict else { panic!("{verdict:?}") };
    assert_eq!((pinned.tx, found.tx), (mine.tx(), foreign.tx()));
    assert_eq!(pinned.alh, alh_of(&store, mine.tx()).await);
    assert_eq!(found.alh, alh_of(&other, foreign.tx()).await);
}

pub(crate) async fn an_event_is_found_at_its_transaction_and_at_every_later_one(
    harness: impl Harness,
) {
    let store = harness.open().await;
    let cover = shipment();
    let mut added = Vec::new();
    for n in 0..4 {
        added.push(store.add_event(&numbered(&cover, n)).await.unwrap());
    }
    for (n, written) in (0..).zip(&added) {
        for state in added.iter().filter(|state| state.id >= written.id) {
            let found = store.get_event_at_tx(&cover, n, state.id).await.unwrap();
            assert_eq!((found.event, found.tx), (numbered(&cover, n), written.id));
        }
    }
}

pub(crate) async fn what_is_not_there_is_told_apart_from_what_was_written_later(
    harness: impl Harness,
) {
    let store = harness.open().await;
    let cover = shipment();
    let first = store.add_event(&numbered(&cover, 0)).await.unwrap().id;
    let second = store.add_event(&numbered(&cover, 1)).await.unwrap().id;
    let head = store.state().await.unwrap().tx;

    for asked in [TxId::new(0), TxId::new(1), first] {
        let error = store.get_event_at_tx(&cover, 1, asked).await.unwrap_err();
        let Error::WrittenLater { sequence: 1, tx, asked: said } = error else { panic!("{error}") };
        assert_eq!((tx, said), (second, asked));
    }
    for sequence in [2, 3, u64::MAX] {
        let error = store.get_event_at_tx(&cover, sequence, head).await.unwrap_err();
        let Error::NotFound { sequence: said, next: 2, completeness } = error else {
            panic!("{error}")
        };
        assert_eq!((said, completeness), (sequence, Completeness::Complete { through: head }));
    }
    let nowhere = Cover::new("shipment", "nowhere");
    let error = store.get_event_at_tx(&nowhere, 0, head).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { sequence: 0, next: 0, .. }), "{error}");
    for asked in [head.get() + 1, u64::MAX].map(TxId::new) {
        let error = store.get_event_at_tx(&cover, 0, asked).await.unwrap_err();
        assert!(
            matches!(error, Error::BeyondState { asked: a, verified } if a == asked && verified == head),
            "{error}"
        );
    }
}

pub(crate) async fn every_transaction_is_proved_under_the_state_and_under_no_other(
    harness: impl Harness,
) {
    let store = harness.open().await;
    for n in 0..5 {
        store.add_event(&numbered(&shipment(), n)).await.unwrap();
    }
    let state = store.state().await.unwrap();
    let ledger = store.ledger_id().await.unwrap();
    let mut made_for = Vec::new();
    for tx in (1..=state.tx.get()).map(TxId::new) {
        let proof = store.get_proof_at_tx(tx).await.unwrap();
        assert_eq!((proof.ledger, proof.header.tx), (ledger, tx));
        let own = TrustedState {
            tx: proof.state_header.tx,
            alh: alh_of(&store, proof.state_header.tx).await,
        };
        let verified = proof.verify(&own).unwrap();
        assert_eq!((verified.id(), verified.ts()), (tx, proof.header.ts));
        made_for.push((proof, own));
    }
    // Transaction 1 was not asked for before: its proof is for the newest state.
    assert_eq!(made_for[0].1, state);
    assert_eq!(made_for[0].0.verify(&state).unwrap().alh(), ledger);

    for (proof, own) in &made_for {
        for other in [
            TrustedState { tx: TxId::new(own.tx.get() + 1), ..*own },
            TrustedState { tx: TxId::new(own.tx.get() - 1), ..*own },
            TrustedState { alh: Alh::new([0; 32]), ..*own },
            TrustedState { alh: proof.header.prev_alh, ..*own },
        ] {
            let verdict = proof.verify(&other).unwrap_err();
            assert!(matches!(verdict, Verdict::BadProof { .. }), "{verdict:?}");
        }
    }

    // The state moves on: what was proved under the old one says nothing
    // about the new one.
    store.add_event(&numbered(&shipment(), 5)).await.unwrap();
    let later = store.state().await.unwrap();
    assert!(made_for.iter().all(|(proof, _)| proof.verify(&later).is_err()));
    for asked in [later.tx.get() + 1, u64::MAX].map(TxId::new) {
        let error = store.get_proof_at_tx(asked).await.unwrap_err();
        assert!(matches!(error, Error::BeyondState { .. }), "{error}");
    }
    store.get_proof_at_tx(TxId::new(0)).await.unwrap_err();
}

pub(crate) async fn an_untouched_ledger_is_complete_and_has_no_findings(harness: impl Harness) {
    let store = harness.open().await;
    let born = store.status().await.unwrap().pin;
    assert_eq!(born.anchor, counterfoil::Anchor::Created);
    assert_eq!(born.state, born.anchored_at);
    for n in 0..3 {
        store.add_event(&numbered(&shipment(), n)).await.unwrap();
    }
    let status = store.status().await.unwrap();
    assert_eq!(status.pin.state, store.state().await.unwrap());
    assert_eq!(status.pin.state.tx.get(), born.state.tx.get() + 3);
    assert_eq!((status.pin.ledger, status.pin.anchored_at), (born.ledger, born.state));
    assert!(status.completeness.is_complete());
    assert_eq!(store.findings().await.unwrap(), []);
}

pub(crate) async fn a_commitment_is_stored_in_place_of_the_payload(harness: impl Harness) {
    let store = harness.open().await;
    let (salt, content) = ([7; 32], b"born 1970-01-01");
    let event = Event::new(&shipment(), "Consented", commitment(&salt, content));
    let tx = store.add_event(&event).await.unwrap();
    assert!(store.verify_event(&event, &tx.proof).await.unwrap());
    let found = store.get_event_at_tx(&shipment(), 0, tx.id).await.unwrap();
    let Payload::Commitment(kept) = found.event.payload else { panic!("{found:?}") };
    assert!(kept.opens(&salt, content));
    assert!(!kept.opens(&[8; 32], content));
    assert!(!kept.opens(&salt, b"born 1970-01-02"));
    assert_eq!(found.event.payload.inline(), None);
    // The commitment's bytes as content are another event.
    let inline = Event::new(&shipment(), "Consented", kept.as_bytes());
    assert!(!store.verify_event(&inline, &tx.proof).await.unwrap());
}

fn commitment(salt: &[u8; 32], content: &[u8]) -> Payload {
    Payload::Commitment(PayloadCommitment::new(salt, content))
}

/// The Alh that a store holds for a transaction: as its neighbour names it,
/// or as its state says.
async fn alh_of(store: &counterfoil::EventStore, tx: TxId) -> Alh {
    let state = store.state().await.unwrap();
    match state.tx == tx {
        true => state.alh,
        false => {
            let next = TxId::new(tx.get() + 1);
            store.get_proof_at_tx(next).await.unwrap().header.prev_alh
        }
    }
}
