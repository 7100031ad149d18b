//! External ids: an append can be repeated, and means the same.

use counterfoil::{AddedEvent, Cover, Error, Event, ExpectedVersion, Payload, ReadOptions};

use super::{Harness, full, numbered, said, shipment};

pub(crate) async fn a_repeated_append_gives_the_first_result_and_writes_nothing(
    harness: impl Harness,
) {
    let store = harness.open().await;
    let cover = shipment();
    let one = full(&cover);
    let first = store.add_event(&one).await.unwrap();
    let several: Vec<Event> =
        (0..3).map(|n| numbered(&cover, n).with_external_id("several")).collect();
    let appended = store.append(&cover, ExpectedVersion::Any, &several).await.unwrap();
    store.add_event(&numbered(&cover, 4)).await.unwrap();
    let state = store.state().await.unwrap();

    let again = store.add_event(&one).await.unwrap();
    same_place(&again, &first);
    assert!(store.verify_event(&one, &again.proof).await.unwrap());
    let repeated = store.append(&cover, ExpectedVersion::Any, &several).await.unwrap();
    assert!(repeated.repeated && !appended.repeated);
    assert_eq!((repeated.id, repeated.events.len()), (appended.id, 3));
    for ((event, again), first) in several.iter().zip(&repeated.events).zip(&appended.events) {
        same_place(again, first);
        assert!(store.verify_event(event, &again.proof).await.unwrap());
    }
    assert_eq!(store.state().await.unwrap(), state);
    assert_eq!(store.next_sequence(&cover).await.unwrap(), 5);
}

/// The same event in the same place; the state under which that is proved may
/// be a newer one.
fn same_place(one: &AddedEvent, other: &AddedEvent) {
    assert_eq!((one.id, one.sequence), (other.id, other.sequence));
    let (one, other) = (&one.proof, &other.proof);
    assert_eq!((&one.body, one.entry, one.header), (&other.body, other.entry, other.header));
    assert_eq!(one.entry_path, other.entry_path);
    assert!(one.state_header.tx >= other.state_header.tx);
}

pub(crate) async fn a_repeated_append_ignores_the_expected_version(harness: impl Harness) {
    let store = harness.open().await;
    let event = full(&shipment());
    let expected = ExpectedVersion::NoStream;
    let first = store.append(&shipment(), expected, std::slice::from_ref(&event)).await.unwrap();
    // Whoever repeats does not know that the stream has moved by his own event.
    let again = store.append(&shipment(), expected, &[event]).await.unwrap();
    assert_eq!((again.id, again.repeated), (first.id, true));
}

pub(crate) async fn an_external_id_with_other_events_is_a_conflict(harness: impl Harness) {
    let store = harness.open().await;
    let cover = shipment();
    let events = [full(&cover), full(&cover)];
    let first = store.append(&cover, ExpectedVersion::Any, &events).await.unwrap().id;
    let altered = |alter: fn(&mut Event)| {
        let mut events = events.clone();
        alter(&mut events[1]);
        events.to_vec()
    };
    let elsewhere = Cover::new("shipment", "SSCC-00123457");
    let moved = events.clone().map(|event| Event { cover: elsewhere.clone(), ..event });
    for other in [
        altered(|e| e.event_type = "Arrived".into()),
        altered(|e| e.payload = Payload::from("")),
        altered(|e| drop(e.metadata.remove("temperature"))),
        altered(|e| drop(e.metadata.insert("more".into(), "".into()))),
        altered(|e| e.correlation_id.push('!')),
        altered(|e| e.causation_id.clear()),
        events[..1].to_vec(),
        [&events[..], &events[..1]].concat(),
        moved.to_vec(),
    ] {
        let error = store.append(&other[0].cover, ExpectedVersion::Any, &other).await.unwrap_err();
        let Error::IdConflict { external_id, tx } = error else { panic!("{other:?}: {error}") };
        assert_eq!((external_id.as_str(), tx), ("scan 9812", first));
    }
    assert_eq!(store.state().await.unwrap().tx, first);
    assert_eq!(store.next_sequence(&elsewhere).await.unwrap(), 0);
}

pub(crate) async fn an_external_id_is_free_in_another_domain_and_edition(harness: impl Harness) {
    let store = harness.open().await;
    let covers = [
        shipment(),
        Cover::new("invoice", "SSCC-00123456"),
        shipment().in_edition("draft"),
        // Where the parts of an id end is not to be confused.
        Cover::new("shipmentdraft", "SSCC-00123456"),
    ];
    for cover in &covers {
        assert!(store.add_event(&full(cover)).await.unwrap().sequence == 0);
    }
    for cover in &covers {
        let read = store.read(cover, ReadOptions::forward()).await.unwrap();
        assert_eq!(said(&read), [full(cover)]);
        let repeated = store.append(cover, ExpectedVersion::Any, &[full(cover)]).await.unwrap();
        assert!(repeated.repeated);
        assert_eq!(repeated.id, read.events[0].tx);
    }
}

pub(crate) async fn without_an_external_id_the_same_event_is_another_one(harness: impl Harness) {
    let store = harness.open().await;
    let event = full(&shipment()).with_external_id("");
    let [first, second] = [0, 1].map(|_| store.add_event(&event));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!((first.sequence, second.sequence), (0, 1));
    assert_ne!(first.id, second.id);
}
