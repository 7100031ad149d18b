//! Sizes: up to the limit everything fits, one beyond nothing does.

use counterfoil::{
    Cover, Error, Event, EventStore, ExpectedVersion, MAX_BODY, MAX_DOMAIN, MAX_EDITION, MAX_ROOT,
    ReadOptions, TxId,
};

use super::{Harness, numbered, said, shipment};

pub(crate) async fn keys_end_where_the_table_does(harness: impl Harness) {
    let store = harness.open().await;
    let fits = |domain: usize, edition: usize, root: usize| {
        Cover::new("d".repeat(domain), vec![0xff; root]).in_edition("e".repeat(edition))
    };
    for cover in [
        fits(1, 0, 0),
        fits(MAX_DOMAIN, 0, 0),
        fits(1, MAX_EDITION, 0),
        fits(1, 0, MAX_ROOT),
        fits(MAX_DOMAIN, MAX_EDITION, MAX_ROOT),
    ] {
        store.add_event(&numbered(&cover, 0)).await.unwrap();
        let read = store.read(&cover, ReadOptions::forward()).await.unwrap();
        assert_eq!(said(&read), [numbered(&cover, 0)]);
    }
    let before = store.state().await.unwrap();
    for cover in [
        fits(0, 0, 0),
        fits(MAX_DOMAIN + 1, 0, 0),
        fits(1, MAX_EDITION + 1, 0),
        fits(1, 0, MAX_ROOT + 1),
        // Bytes count, not characters.
        Cover::new("é".repeat(MAX_DOMAIN / 2 + 1), ""),
    ] {
        invalid(store.add_event(&numbered(&cover, 0)).await);
        invalid(store.read(&cover, ReadOptions::forward()).await);
        invalid(store.get_until(&cover, 0).await);
        invalid(store.next_sequence(&cover).await);
        invalid(store.get_event_at_tx(&cover, 0, TxId::new(1)).await);
    }
    // An event says what happened.
    invalid(store.add_event(&Event::new(&shipment(), "", "x")).await);
    assert_eq!(store.state().await.unwrap(), before);
}

pub(crate) async fn a_body_may_fill_its_mebibyte_and_not_a_byte_more(harness: impl Harness) {
    let store = harness.open().await;
    // Large enough for its length to be written as long as the largest one's.
    let probe = store.add_event(&large(20_000)).await.unwrap();
    let beside = probe.proof.body.len() - 20_000;
    assert!(beside < 400, "{beside} bytes beside the payload");

    let most = large(MAX_BODY - beside);
    invalid(store.add_event(&large(MAX_BODY - beside + 1)).await);
    assert_eq!(store.next_sequence(&shipment()).await.unwrap(), 1);
    let tx = store.add_event(&most).await.unwrap();
    assert_eq!(tx.proof.body.len(), MAX_BODY);
    assert!(store.verify_event(&most, &tx.proof).await.unwrap());
    assert!(store.get_event_at_tx(&shipment(), 1, tx.id).await.unwrap().event == most);
}

pub(crate) async fn an_append_takes_seven_mebibytes_and_no_more(harness: impl Harness) {
    let store = harness.open().await;
    let events = vec![large(MAX_BODY - 500); 7];
    let too_many = [&events[..], &[large(5_000)]].concat();
    invalid(store.append(&shipment(), ExpectedVersion::Any, &too_many).await);
    assert_eq!(store.next_sequence(&shipment()).await.unwrap(), 0);
    let appended = store.append(&shipment(), ExpectedVersion::Any, &events).await.unwrap();
    let last = appended.events.last().unwrap();
    assert!(store.verify_event(&events[6], &last.proof).await.unwrap());
    let read = store.read(&shipment(), ReadOptions::forward()).await.unwrap();
    assert!(said(&read) == events, "not what was written");
}

pub(crate) async fn absurd_numbers_are_answered_not_believed(harness: impl Harness) {
    let store = harness.open().await;
    let tx = store.add_event(&numbered(&shipment(), 0)).await.unwrap();
    for far in [1 << 47, 1 << 48, (1 << 48) + 1, 1 << 62, 1 << 63, u64::MAX] {
        let after = store.read_all(Some(TxId::new(far)), None).await.unwrap();
        assert_eq!(said(&after), [], "after transaction {far}");
        let from = store.read(&shipment(), ReadOptions::forward().from(far)).await.unwrap();
        assert_eq!(said(&from), [], "from event {far}");
        let back = store.read(&shipment(), ReadOptions::backward().from(far)).await.unwrap();
        assert_eq!(back.events.len(), 1, "back from event {far}");
        let proof = store.get_proof_at_tx(TxId::new(far)).await.unwrap_err();
        assert!(matches!(proof, Error::BeyondState { .. }), "{proof}");
        let event = store.get_event_at_tx(&shipment(), far, tx.id).await.unwrap_err();
        assert!(matches!(event, Error::NotFound { .. }), "{event}");
        let version = ExpectedVersion::Exact(far);
        let append = store.append(&shipment(), version, &[numbered(&shipment(), 1)]).await;
        assert!(matches!(append, Err(Error::WrongExpectedVersion { .. })), "{append:?}");
        let forged = far_proof(&store, far).await;
        assert!(!store.verify_event(&numbered(&shipment(), 0), &forged).await.unwrap());
    }
}

/// The proof of event 0 of the shipment, moved to a transaction far away.
async fn far_proof(store: &EventStore, far: u64) -> counterfoil::EventProof {
    let event = numbered(&Cover::new("shipment", far.to_string()), 0);
    let mut proof = store.add_event(&event).await.unwrap().proof;
    proof.header.tx = TxId::new(far);
    proof.header.bl_tx_id = TxId::new(far - 1);
    proof.state_header = proof.header;
    proof.tx_path.clear();
    proof
}

fn large(len: usize) -> Event {
    Event::new(&shipment(), "Scanned", vec![0xa5; len])
}

#[track_caller]
fn invalid<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::Invalid(_))), "{result:?}");
}
