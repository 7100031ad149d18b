//! Editions: timelines beside each other.

use counterfoil::{Edition, Event, ReadOptions};

use super::{Harness, numbered, said, sequences, shipment};

pub(crate) async fn the_main_edition_has_three_names(harness: impl Harness) {
    let store = harness.open().await;
    let names = [shipment(), shipment().in_edition(""), shipment().in_edition("angzarr")];
    for (n, cover) in (0..).zip(&names) {
        let tx = store.add_event(&numbered(cover, n)).await.unwrap();
        assert_eq!(tx.sequence, n);
    }
    let all: Vec<Event> = (0..3).map(|n| numbered(&shipment(), n)).collect();
    for cover in &names {
        let read = store.read(cover, ReadOptions::forward()).await.unwrap();
        assert_eq!(said(&read), all);
        assert_eq!(store.next_sequence(cover).await.unwrap(), 3);
    }
    for edition in ["", "angzarr"].map(Edition::from) {
        assert!(edition.is_main());
        assert_eq!(store.list_domains(&edition).await.unwrap(), ["shipment"]);
    }
    assert_eq!(store.read_all(None, None).await.unwrap().events.len(), 3);
}

pub(crate) async fn another_edition_is_another_timeline(harness: impl Harness) {
    let store = harness.open().await;
    // None of these is a name of the main one.
    let others = ["draft", "Angzarr", "angzarr ", " ", "main", "\0"];
    let covers = others.map(|name| shipment().in_edition(name));
    for round in 0..2 {
        for cover in &covers {
            let tx = store.add_event(&numbered(cover, round)).await.unwrap();
            assert_eq!(tx.sequence, round);
        }
    }
    for cover in &covers {
        let read = store.read(cover, ReadOptions::forward()).await.unwrap();
        assert_eq!(sequences(&read), [0, 1]);
        assert_eq!(said(&read), [numbered(cover, 0), numbered(cover, 1)]);
        assert_eq!(store.list_domains(&cover.edition).await.unwrap(), ["shipment"]);
        let roots = store.list_roots("shipment", &cover.edition).await.unwrap();
        assert_eq!(roots, std::slice::from_ref(&cover.root));
    }
    assert_eq!(store.next_sequence(&shipment()).await.unwrap(), 0);
    assert!(store.list_domains(&Edition::default()).await.unwrap().is_empty());
}
