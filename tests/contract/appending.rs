//! Appends: where they go, and that they go whole.

use counterfoil::{Cover, Error, Event, ExpectedVersion, ReadOptions, StreamVersion};

use super::{Harness, full, numbered, said, sequences, shipment};

pub(crate) async fn each_expected_version_holds_exactly_where_it_should(harness: impl Harness) {
    use ExpectedVersion::{Any, Exact, NoStream, StreamExists};
    let store = harness.open().await;
    // Three streams: one that is empty, one with one event, one with three.
    for events in [0_u64, 1, 3] {
        for expected in [Any, NoStream, StreamExists, Exact(0), Exact(1), Exact(2), Exact(u64::MAX)]
        {
            let cover = Cover::new("shipment", format!("{events} {expected:?}"));
            for n in 0..events {
                store.add_event(&numbered(&cover, n)).await.unwrap();
            }
            let holds = match expected {
                Any => true,
                NoStream => events == 0,
                StreamExists => events > 0,
                Exact(last) => events > 0 && last == events - 1,
            };
            let appended = store.append(&cover, expected, &[numbered(&cover, events)]).await;
            match (holds, appended) {
                (true, Ok(appended)) => assert_eq!(appended.events[0].sequence, events),
                (false, Err(Error::WrongExpectedVersion { expected: said, actual })) => {
                    let at = events.checked_sub(1).map_or(StreamVersion::Empty, StreamVersion::At);
                    assert_eq!((said, actual), (expected, at));
                }
                (_, other) => panic!("{events} events, {expected:?}: {other:?}"),
            }
            let next = store.next_sequence(&cover).await.unwrap();
            assert_eq!(next, events + u64::from(holds), "{events} events, {expected:?}");
        }
    }
}

pub(crate) async fn events_of_one_append_share_one_transaction(harness: impl Harness) {
    let store = harness.open().await;
    let cover = shipment();
    store.add_event(&full(&cover)).await.unwrap();
    for (count, first) in [(2_u64, 1_u64), (7, 3), (1, 10)] {
        let events: Vec<Event> = (0..count).map(|n| numbered(&cover, n)).collect();
        let appended = store.append(&cover, ExpectedVersion::Any, &events).await.unwrap();
        assert!(!appended.repeated);
        assert_eq!(appended.events.len() as u64, count);
        let read = store.read(&cover, ReadOptions::forward().from(first)).await.unwrap();
        assert_eq!(said(&read), events);
        for ((added, event), (entry, recorded)) in
            appended.events.iter().zip(&events).zip((0..).zip(&read.events))
        {
            assert_eq!((added.id, recorded.tx), (appended.id, appended.id));
            assert_eq!(added.sequence, recorded.sequence);
            assert_eq!((added.proof.entry, recorded.entry), (entry, entry));
            assert!(store.verify_event(event, &added.proof).await.unwrap());
        }
    }
    let whole = store.read(&cover, ReadOptions::forward()).await.unwrap();
    assert_eq!(sequences(&whole), (0..11).collect::<Vec<_>>());
}

pub(crate) async fn an_append_that_is_refused_writes_nothing(harness: impl Harness) {
    let store = harness.open().await;
    let cover = shipment();
    store.add_event(&numbered(&cover, 0)).await.unwrap();
    let before = store.state().await.unwrap();
    let mut events = vec![numbered(&cover, 1); 3];
    events[2].payload = vec![b'x'; counterfoil::MAX_BODY].into();
    let error = store.append(&cover, ExpectedVersion::Any, &events).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
    let error = store.append(&cover, ExpectedVersion::Any, &[]).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
    events.truncate(2);
    store.append(&cover, ExpectedVersion::NoStream, &events).await.unwrap_err();
    assert_eq!(store.state().await.unwrap(), before);
    assert_eq!(store.next_sequence(&cover).await.unwrap(), 1);
    store.append(&cover, ExpectedVersion::Exact(0), &events).await.unwrap();
}

pub(crate) async fn a_thousand_events_fit_into_one_append_and_one_more_does_not(
    harness: impl Harness,
) {
    let store = harness.open().await;
    let cover = shipment();
    let events: Vec<Event> = (0..1001).map(|n| numbered(&cover, n)).collect();
    let error = store.append(&cover, ExpectedVersion::Any, &events).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
    assert_eq!(store.next_sequence(&cover).await.unwrap(), 0);
    let appended = store.append(&cover, ExpectedVersion::Any, &events[..1000]).await.unwrap();
    for n in [0, 1, 511, 512, 998, 999] {
        let added = &appended.events[n];
        assert_eq!((added.sequence, added.id), (n as u64, appended.id));
        assert!(store.verify_event(&events[n], &added.proof).await.unwrap());
    }
    let read = store.read(&cover, ReadOptions::forward()).await.unwrap();
    assert!(read.events.iter().all(|recorded| recorded.tx == appended.id));
    assert_eq!(said(&read), events[..1000]);
}

pub(crate) async fn the_events_of_an_append_must_be_of_its_stream_and_share_one_external_id(
    harness: impl Harness,
) {
    let store = harness.open().await;
    let (cover, other) = (shipment(), Cover::new("shipment", "other"));
    for events in [
        vec![numbered(&other, 0)],
        vec![numbered(&cover, 0), numbered(&other, 1)],
        vec![numbered(&cover, 0), numbered(&cover.clone().in_edition("draft"), 1)],
        vec![numbered(&cover, 0), numbered(&cover, 1).with_external_id("a")],
        vec![numbered(&cover, 0).with_external_id("a"), numbered(&cover, 1).with_external_id("b")],
    ] {
        let error = store.append(&cover, ExpectedVersion::Any, &events).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
    }
    let nothing = store.read_all(None, None).await.unwrap();
    assert_eq!(said(&nothing), []);
    let shared = [numbered(&cover, 0), numbered(&cover, 1)].map(|e| e.with_external_id("a"));
    store.append(&cover, ExpectedVersion::NoStream, &shared).await.unwrap();
}
