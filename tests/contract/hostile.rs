//! Texts and bytes that look like something else: all arrive byte for byte.

use counterfoil::{
    Bytes, Cover, Edition, Event, EventStore, ExpectedVersion, MAX_DOMAIN, MAX_ROOT, ReadOptions,
};

use super::texts::{HOSTILE, KEYWORDS, Random};
use super::{Harness, said, shipment};

pub(crate) async fn every_field_takes_every_hostile_text(harness: impl Harness) {
    let store = harness.open().await;
    let long: Vec<String> =
        ["'", "\\", "select ", "漢"].iter().map(|text| text.repeat(2000)).collect();
    let texts = HOSTILE.iter().copied().chain(long.iter().map(String::as_str));
    arrive(&store, texts).await;
}

pub(crate) async fn every_field_takes_every_keyword(harness: impl Harness) {
    let store = harness.open().await;
    arrive(&store, KEYWORDS.split_whitespace()).await;
}

/// Writes an event with the text in every field for each text, and reads
/// each back in every way there is.
async fn arrive(store: &EventStore, texts: impl Iterator<Item = &str> + Clone) {
    for text in texts.clone() {
        let event = all_of(text);
        let tx = store.add_event(&event).await.unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert!(store.verify_event(&event, &tx.proof).await.unwrap(), "{text:?}");
        let found = store.get_event_at_tx(&event.cover, 0, tx.id).await.unwrap();
        assert_eq!(found.event, event, "{text:?}");
        if !text.is_empty() {
            assert_eq!(store.add_event(&event).await.unwrap(), tx, "{text:?}");
        }
        let read = store.read(&event.cover, ReadOptions::backward()).await.unwrap();
        assert_eq!(said(&read), [event], "{text:?}");
    }
    let events: Vec<Event> = texts.map(all_of).collect();
    assert_eq!(said(&store.read_all(None, None).await.unwrap()), events);
    for Event { cover, .. } in &events {
        let domains = store.list_domains(&cover.edition).await.unwrap();
        assert!(domains.contains(&cover.domain), "{cover:?}");
        let roots = store.list_roots(&cover.domain, &cover.edition).await.unwrap();
        assert!(roots.contains(&cover.root), "{cover:?}");
    }
}

/// An event with this text in every field, cut where a field has a limit.
fn all_of(text: &str) -> Event {
    let cut = |most| &text[..text.floor_char_boundary(most)];
    // The fields that may not be empty.
    let (domain, kind) = if text.is_empty() { ("empty", "empty") } else { (cut(MAX_DOMAIN), text) };
    let cover = Cover::new(domain, cut(MAX_ROOT)).in_edition(Edition::from(cut(MAX_DOMAIN)));
    Event::new(&cover, kind, text)
        .with_metadata(text, text)
        .with_metadata("plain", text)
        .with_correlation_id(text)
        .with_causation_id(text)
        .with_external_id(text)
}

pub(crate) async fn roots_payloads_and_metadata_take_any_bytes(harness: impl Harness) {
    let store = harness.open().await;
    let every: Vec<u8> = (0..=255).collect();
    let mut random = Random(1);
    let mut samples = vec![
        vec![],
        vec![0],
        vec![0, 0],
        vec![0xff; MAX_ROOT],
        vec![0xc3, 0x28],
        every[..MAX_ROOT].to_vec(),
        every[MAX_ROOT..].to_vec(),
    ];
    samples.extend((0..30).map(|_| random.bytes(MAX_ROOT as u64)));
    samples.sort();
    samples.dedup();
    for bytes in &samples {
        let cover = Cover::new("bytes", bytes.as_slice());
        let event = Event::new(&cover, "Seen", [bytes.as_slice(), &every].concat())
            .with_metadata("same", bytes.as_slice());
        let tx = store.add_event(&event).await.unwrap();
        // Padded keys are still told apart: each is a stream of its own.
        assert_eq!(tx.sequence, 0, "{cover}");
        let found = store.get_event_at_tx(&cover, 0, tx.id).await.unwrap();
        assert_eq!(found.event, event);
    }
    let roots = store.list_roots("bytes", &Edition::default()).await.unwrap();
    assert_eq!(roots, samples.into_iter().map(Bytes::from).collect::<Vec<_>>());
}

pub(crate) async fn ten_thousand_random_strings_arrive_byte_for_byte(harness: impl Harness) {
    let store = harness.open().await;
    let mut random = Random(2026);
    let mut written = Vec::new();
    // Ten fields with a string each, in a thousand events.
    for _ in 0..4 {
        let domain = format!("r{}", random.string(MAX_DOMAIN - 1));
        let cover = Cover::new(domain, random.string(MAX_ROOT));
        let external_id = random.string(200);
        let events: Vec<Event> = (0..250)
            .map(|_| {
                // Nor may a type be empty.
                let kind = format!("t{}", random.string(199));
                Event::new(&cover, kind, random.string(200))
                    .with_metadata(random.string(200), random.string(200))
                    .with_metadata(random.string(200), random.string(200))
                    .with_metadata(random.string(200), random.string(200))
                    .with_correlation_id(random.string(200))
                    .with_causation_id(random.string(200))
                    .with_external_id(&external_id)
            })
            .collect();
        store.append(&cover, ExpectedVersion::NoStream, &events).await.unwrap();
        let read = store.read(&cover, ReadOptions::forward()).await.unwrap();
        assert_eq!(said(&read), events);
        written.extend(events);
    }
    assert_eq!(said(&store.read_all(None, None).await.unwrap()), written);
    assert_eq!(store.next_sequence(&shipment()).await.unwrap(), 0);
}
