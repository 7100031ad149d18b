//! Everything that one request set off.

use counterfoil::{Completeness, Cover, Error, Event, ExpectedVersion, Streams};

use super::{Harness, full, numbered, said, shipment};

pub(crate) async fn what_carries_one_id_comes_from_all_streams_in_ledger_order(
    harness: impl Harness,
) {
    let store = harness.open().await;
    let covers = [shipment(), Cover::new("invoice", "1"), shipment().in_edition("draft")];
    let ids = ["order 77", "order 78", ""];
    let mut written = Vec::new();
    for n in 0..12_usize {
        let (cover, id) = (&covers[n % 3], ids[n / 3 % 3]);
        let of = |m| numbered(cover, m).with_correlation_id(id);
        let events: Vec<Event> = (0..=n as u64 % 2).map(of).collect();
        store.append(cover, ExpectedVersion::Any, &events).await.unwrap();
        written.extend(events);
    }
    for id in ["order 77", "order 78"] {
        let expected: Vec<Event> =
            written.iter().filter(|event| event.correlation_id == id).cloned().collect();
        assert!(expected.len() > 3);
        let read = store.read_by_correlation(id, &Streams::all(), None).await.unwrap();
        assert_eq!(said(&read), expected);
        assert!(read.events.is_sorted_by_key(|recorded| recorded.position()));
        assert_eq!(read.completeness, Completeness::Complete { through: read.state.tx });
        for limit in 0..=expected.len() + 1 {
            let some = store.read_by_correlation(id, &Streams::all(), Some(limit as u64)).await;
            assert_eq!(said(&some.unwrap()), expected[..limit.min(expected.len())]);
        }
    }
}

pub(crate) async fn an_id_that_nothing_carries_is_an_empty_and_complete_answer(
    harness: impl Harness,
) {
    let store = harness.open().await;
    store.add_event(&full(&shipment())).await.unwrap();
    // The causation and external ids are not it, nor is part of it.
    for id in ["dispatch 3", "scan 9812", "order 7", "order 77 ", "Order 77", "\0"] {
        let read = store.read_by_correlation(id, &Streams::all(), None).await.unwrap();
        assert_eq!(said(&read), [], "{id:?}");
        assert_eq!(read.completeness, Completeness::Complete { through: read.state.tx });
    }
    let none = store.read_by_correlation("", &Streams::all(), None).await.unwrap_err();
    assert!(matches!(none, Error::Invalid(_)), "{none}");
}

pub(crate) async fn a_choice_of_streams_knows_the_main_edition_by_all_its_names(
    harness: impl Harness,
) {
    let store = harness.open().await;
    let main = [shipment(), shipment().in_edition(""), shipment().in_edition("angzarr")];
    let other = shipment().in_edition("draft");
    let elsewhere = Cover::new("invoice", "SSCC-00123456");
    for (n, cover) in (0..).zip(main.iter().chain([&other, &elsewhere])) {
        store.add_event(&numbered(cover, n).with_correlation_id("one")).await.unwrap();
    }
    let numbers = async |which: Streams| {
        let read = store.read_by_correlation("one", &which, None).await.unwrap();
        let covers = main.iter().chain([&other, &elsewhere]);
        let all: Vec<Event> = (0..)
            .zip(covers)
            .map(|(n, cover)| numbered(cover, n).with_correlation_id("one"))
            .collect();
        said(&read)
            .iter()
            .map(|event| all.iter().position(|each| each == event).expect("one of them"))
            .collect::<Vec<_>>()
    };
    for edition in ["", "angzarr"] {
        assert_eq!(numbers(Streams::all().in_edition(edition)).await, [0, 1, 2, 4]);
        assert_eq!(numbers(Streams::in_domain("shipment").in_edition(edition)).await, [0, 1, 2]);
    }
    for cover in &main {
        assert_eq!(numbers(Streams::of(cover)).await, [0, 1, 2]);
    }
    assert_eq!(numbers(Streams::all()).await, [0, 1, 2, 3, 4]);
    assert_eq!(numbers(Streams::in_domain("shipment")).await, [0, 1, 2, 3]);
    assert_eq!(numbers(Streams::of(&other)).await, [3]);
    assert_eq!(numbers(Streams::all().in_edition("Angzarr")).await, [0; 0]);
    assert_eq!(numbers(Streams::in_domain("ship")).await, [0; 0]);
}

pub(crate) async fn thousands_of_events_share_one_id(harness: impl Harness) {
    const EVENTS: u64 = 2_500;
    let store = harness.open().await;
    let events: Vec<Event> =
        (0..EVENTS).map(|n| numbered(&shipment(), n).with_correlation_id("a batch")).collect();
    for part in events.chunks(1000) {
        store.append(&shipment(), ExpectedVersion::Any, part).await.unwrap();
    }
    let read = store.read_by_correlation("a batch", &Streams::all(), None).await.unwrap();
    assert!(said(&read) == events, "not what was written");
}
