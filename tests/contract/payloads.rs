//! Contents outside the ledger: committed to, revealed, erased, and proved.

use std::sync::Mutex;

use counterfoil::{
    Cover, Error, Event, EventProof, EventStore, ExpectedVersion, Payload, PayloadCommitment,
    PayloadFuture, PayloadLack, PayloadStore, ReadOptions, RecordedEvent, Revealed, SaltedPayload,
    SqlitePayloads, Streams, Verdict,
};

use super::{Harness, full, numbered, shipment};

const CONTENT: &str = "born 1970-01-01 in Basel";

fn consent(id: &str) -> Event {
    Event::new(&shipment(), "Consented", CONTENT).with_external_id(id)
}

/// Adds an event with its content outside; gives back how the ledger has it,
/// and its proof.
async fn added(
    store: &EventStore,
    payloads: &dyn PayloadStore,
    event: &Event,
) -> (RecordedEvent, EventProof) {
    let added = store.add_committed(payloads, event).await.unwrap();
    let recorded = store.get_event_at_tx(&event.cover, added.sequence, added.id).await.unwrap();
    (recorded, added.proof)
}

fn commitment(event: &RecordedEvent) -> PayloadCommitment {
    let Payload::Commitment(commitment) = event.event.payload else { panic!("{event:?}") };
    commitment
}

async fn payload(payloads: &dyn PayloadStore, event: &RecordedEvent) -> SaltedPayload {
    payloads.get(commitment(event)).await.unwrap().unwrap()
}

/// A payload store that fails or lies when told, and keeps a list of what was
/// asked of it.
struct Moody {
    inner: SqlitePayloads,
    asked: Mutex<Vec<&'static str>>,
    fails: Mutex<Option<&'static str>>,
}

impl Moody {
    async fn new() -> Self {
        let inner = SqlitePayloads::in_memory().await.unwrap();
        Self { inner, asked: Mutex::default(), fails: Mutex::default() }
    }

    fn fails_to(&self, what: Option<&'static str>) {
        *self.fails.lock().unwrap() = what;
    }

    fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn begin(&self, what: &'static str) -> bool {
        self.asked.lock().unwrap().push(what);
        *self.fails.lock().unwrap() == Some(what)
    }
}

impl PayloadStore for Moody {
    /// Fails after it has kept the payload, as a crash would.
    fn put<'a>(
        &'a self,
        commitment: PayloadCommitment,
        payload: &'a SaltedPayload,
    ) -> PayloadFuture<'a, ()> {
        let fails = self.begin("put");
        Box::pin(async move {
            self.inner.put(commitment, payload).await?;
            if fails { Err("the power is gone".into()) } else { Ok(()) }
        })
    }

    fn get(&self, commitment: PayloadCommitment) -> PayloadFuture<'_, Option<SaltedPayload>> {
        let fails = self.begin("get");
        Box::pin(async move {
            if fails { Err("the power is gone".into()) } else { self.inner.get(commitment).await }
        })
    }

    /// Fails before it has removed anything.
    fn erase(&self, commitment: PayloadCommitment) -> PayloadFuture<'_, ()> {
        let fails = self.begin("erase");
        Box::pin(async move {
            if fails { Err("the power is gone".into()) } else { self.inner.erase(commitment).await }
        })
    }
}

pub(crate) async fn a_committed_content_is_revealed_and_not_in_the_ledger(harness: impl Harness) {
    let store = harness.open().await;
    let payloads = SqlitePayloads::in_memory().await.unwrap();
    let (event, proof) = added(&store, &payloads, &full(&shipment())).await;
    let revealed = store.reveal(&payloads, &event).await.unwrap();
    let Payload::Inline(content) = full(&shipment()).payload else { panic!() };
    assert_eq!(revealed, Revealed::Content(content.clone()));
    let body = proof.body.as_slice();
    assert!(!body.windows(content.len()).any(|part| part == content.as_slice()));
    assert!(body.windows(32).any(|part| part == commitment(&event).as_bytes()));
    // Everything else is as it was said.
    let mut said = full(&shipment());
    said.payload = event.event.payload.clone();
    assert_eq!(event.event, said);
    assert!(store.verify_event(&said, &proof).await.unwrap());
    // The same content twice is behind two commitments.
    let (other, _) = added(&store, &payloads, &full(&shipment()).with_external_id("")).await;
    assert_ne!(commitment(&other), commitment(&event));
    // What is inline needs no payload store.
    let inline = store.add_event(&numbered(&shipment(), 2)).await.unwrap();
    let inline = store.get_event_at_tx(&shipment(), inline.sequence, inline.id).await.unwrap();
    let content = numbered(&shipment(), 2).payload.inline().unwrap().into();
    assert_eq!(store.reveal(&payloads, &inline).await.unwrap(), Revealed::Content(content));
}

pub(crate) async fn an_erased_content_is_told_from_one_that_is_lost(harness: impl Harness) {
    let store = harness.open().await;
    let payloads = SqlitePayloads::in_memory().await.unwrap();
    let mut events = Vec::new();
    for id in ["erased", "lost", "altered", "kept"] {
        events.push(added(&store, &payloads, &consent(id)).await.0);
    }
    let erasure = store.erase(&payloads, &events[0], "request 77").await.unwrap();
    assert_eq!((erasure.commitment, &erasure.reason[..]), (commitment(&events[0]), "request 77"));
    assert!(erasure.event.position() > events[0].position());
    payloads.erase(commitment(&events[1])).await.unwrap();
    let other = SaltedPayload::new([7; 32], CONTENT);
    payloads.put(commitment(&events[2]), &other).await.unwrap();

    let expected = [
        Revealed::Erased { erasure: Box::new(erasure.clone()), remains: false },
        Revealed::Unavailable(PayloadLack::Missing),
        Revealed::Unavailable(PayloadLack::Altered),
        Revealed::Content(CONTENT.into()),
    ];
    for (event, expected) in events.iter().zip(&expected) {
        assert_eq!(store.reveal(&payloads, event).await.unwrap(), *expected);
    }
    assert_eq!(payloads.get(commitment(&events[0])).await.unwrap(), None);
    // Repeated, it is the first erasure, and nothing is written.
    let state = store.state().await.unwrap();
    assert_eq!(store.erase(&payloads, &events[0], "again").await.unwrap(), erasure);
    assert_eq!(store.state().await.unwrap(), state);
    // The events are as they were; whoever follows sees the erasure.
    let read = store.read(&shipment(), ReadOptions::forward()).await.unwrap();
    assert_eq!(read.events, events);
    assert_eq!(store.read_all(None, None).await.unwrap().events.last(), Some(&erasure.event));
    assert!(store.status().await.unwrap().completeness.is_complete());
    assert_eq!(store.findings().await.unwrap(), []);
}

pub(crate) async fn an_interrupted_erasure_counts_and_can_be_finished(harness: impl Harness) {
    let store = harness.open().await;
    let payloads = Moody::new().await;
    let (event, _) = added(&store, &payloads, &consent("a")).await;
    let (other, _) = added(&store, &payloads, &consent("b")).await;
    let restored = payload(&payloads, &event).await;
    payloads.fails_to(Some("erase"));
    let error = store.erase(&payloads, &event, "request 77").await.unwrap_err();
    assert!(matches!(error, Error::Payloads { .. }), "{error}");
    payloads.fails_to(None);
    // It is in the ledger: the content is not given out, and is said to be there.
    let remains = async || match store.reveal(&payloads, &event).await.unwrap() {
        Revealed::Erased { remains, .. } => remains,
        other => panic!("{other:?}"),
    };
    assert!(remains().await);
    let again = store.erase(&payloads, &event, "request 77").await.unwrap();
    assert_eq!(again.event.sequence, 0);
    assert!(!remains().await);
    // An older copy of the payload store brings it back.
    payloads.put(commitment(&event), &restored).await.unwrap();
    assert!(remains().await);
    assert_eq!(store.finish_erasures(&payloads).await.unwrap().removed, 1);
    assert!(!remains().await);
    assert_eq!(store.finish_erasures(&payloads).await.unwrap().removed, 0);
    let kept = store.reveal(&payloads, &other).await.unwrap();
    assert_eq!(kept, Revealed::Content(CONTENT.into()));
    // A payload store that cannot be asked is no payload that is missing.
    payloads.fails_to(Some("get"));
    let error = store.reveal(&payloads, &other).await.unwrap_err();
    assert!(matches!(error, Error::Payloads { .. }), "{error}");
}

pub(crate) async fn whoever_holds_content_and_salt_can_prove_it_erased_or_not(
    harness: impl Harness,
) {
    let store = harness.open().await;
    let payloads = SqlitePayloads::in_memory().await.unwrap();
    let (event, proof) = added(&store, &payloads, &consent("a")).await;
    let held = payload(&payloads, &event).await;
    for erased in [false, true] {
        if erased {
            store.erase(&payloads, &event, "request 77").await.unwrap();
        }
        // With the event as it was said, or as the ledger has it.
        for said in [&consent("a"), &event.event] {
            let checked = store.check_payload(said, &held, &proof).await.unwrap();
            assert_eq!(checked.as_ref(), Ok(&event));
        }
        let mut altered = held.content().clone().into_vec();
        altered[5] ^= 1;
        let mut salt = *held.salt();
        salt[31] ^= 1;
        for false_payload in [
            SaltedPayload::new(*held.salt(), altered),
            SaltedPayload::new(*held.salt(), ""),
            SaltedPayload::new(salt, CONTENT),
        ] {
            let checked = store.check_payload(&event.event, &false_payload, &proof).await.unwrap();
            assert_eq!(checked, Err(Verdict::OtherEvent { field: "payload" }));
        }
        let mut other = consent("a");
        other.event_type = "Refused".into();
        let checked = store.check_payload(&other, &held, &proof).await.unwrap();
        assert_eq!(checked, Err(Verdict::OtherEvent { field: "type" }));
    }
}

/// The payload first, then the commitment: whatever fails leaves no event
/// without its content.
pub(crate) async fn a_payload_is_kept_before_its_commitment_is_written(harness: impl Harness) {
    let store = harness.open().await;
    let payloads = Moody::new().await;
    payloads.fails_to(Some("put"));
    let before = store.state().await.unwrap();
    let error = store.add_committed(&payloads, &consent("a")).await.unwrap_err();
    assert!(matches!(error, Error::Payloads { .. }), "{error}");
    assert_eq!(store.state().await.unwrap(), before);
    // What was kept in vain is removed, as far as that goes.
    assert_eq!(payloads.asked(), ["put", "erase"]);
    payloads.fails_to(None);
    let (event, _) = added(&store, &payloads, &consent("a")).await;
    assert_eq!(payloads.asked(), ["put"]);
    assert_eq!(payload(&payloads, &event).await.content(), &CONTENT.into());
    // An append that is refused leaves nothing behind.
    let refused = [consent("b"), consent("b")];
    let wrong = ExpectedVersion::NoStream;
    payloads.asked();
    let error = store.append_committed(&payloads, &shipment(), wrong, &refused).await.unwrap_err();
    assert!(matches!(error, Error::WrongExpectedVersion { .. }), "{error}");
    assert_eq!(payloads.asked(), ["put", "put", "erase", "erase"]);
}

pub(crate) async fn a_repeated_commitment_gives_the_first_result_back(harness: impl Harness) {
    let store = harness.open().await;
    let payloads = SqlitePayloads::in_memory().await.unwrap();
    let events = [consent("a"), numbered(&shipment(), 1).with_external_id("a")];
    let append = async |events: &[Event]| {
        store.append_committed(&payloads, &shipment(), ExpectedVersion::Any, events).await
    };
    let first = append(&events).await.unwrap();
    assert!(!first.repeated);
    let again = append(&events).await.unwrap();
    assert_eq!((again.repeated, again.id), (true, first.id));
    let mut others = vec![events[..1].to_vec(), [&events[..], &[consent("a")]].concat()];
    let mut altered = events.clone();
    altered[1].payload = "another content".into();
    others.push(altered.to_vec());
    for other in others {
        let error = append(&other).await.unwrap_err();
        assert!(matches!(error, Error::IdConflict { .. }), "{error}");
        // Nor is it written as it stands, which would put the content into the ledger.
        assert_eq!(store.next_sequence(&shipment()).await.unwrap(), 2);
    }
    let recorded = store.get_event_at_tx(&shipment(), 0, first.id).await.unwrap();
    store.erase(&payloads, &recorded, "request 77").await.unwrap();
    let error = append(&events).await.unwrap_err();
    assert!(matches!(error, Error::IdConflict { .. }), "{error}");
    // Many at the same time: one writes, all have the same result.
    let same = (0..8).map(|_| append_at_once(&store, &payloads, consent("at once")));
    let results = futures_util::future::join_all(same).await;
    assert_eq!(results.iter().filter(|(_, repeated)| !repeated).count(), 1, "{results:?}");
    assert!(results.iter().all(|(id, _)| *id == results[0].0), "{results:?}");
}

async fn append_at_once(
    store: &EventStore,
    payloads: &SqlitePayloads,
    event: Event,
) -> (counterfoil::TxId, bool) {
    let any = ExpectedVersion::Any;
    let cover = event.cover.clone();
    let appended = store.append_committed(payloads, &cover, any, &[event]).await.unwrap();
    (appended.id, appended.repeated)
}

pub(crate) async fn what_cannot_be_erased_is_refused(harness: impl Harness) {
    let store = harness.open().await;
    let payloads = SqlitePayloads::in_memory().await.unwrap();
    let (event, _) = added(&store, &payloads, &consent("a")).await;
    let inline = store.add_event(&numbered(&shipment(), 1)).await.unwrap();
    let inline = store.get_event_at_tx(&shipment(), 1, inline.id).await.unwrap();
    let state = store.state().await.unwrap();
    let invalid = async |event: &RecordedEvent, reason: &str| {
        let error = store.erase(&payloads, event, reason).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
    };
    invalid(&inline, "its content is in the ledger").await;
    invalid(&event, "").await;
    invalid(&event, &"r".repeat(1025)).await;
    // An event of another place, or of another ledger.
    for alter in [
        |e: &mut RecordedEvent| e.sequence += 1,
        |e: &mut RecordedEvent| e.entry += 1,
        |e: &mut RecordedEvent| e.tx = counterfoil::TxId::new(e.tx.get() + 1),
        |e: &mut RecordedEvent| e.digest = counterfoil::EntryDigest::new([7; 32]),
        |e: &mut RecordedEvent| e.event.cover = Cover::new("elsewhere", "1"),
    ] {
        let mut elsewhere = event.clone();
        alter(&mut elsewhere);
        invalid(&elsewhere, "request 77").await;
    }
    // Nobody writes beside the erasures.
    let root = *commitment(&event).as_bytes();
    let forged = Event::new(&Cover::new("counterfoil.erasure", root), "PayloadErased", "forged");
    for edition in ["", "draft"] {
        let mut forged = forged.clone();
        forged.cover = forged.cover.in_edition(edition);
        for error in [
            store.add_event(&forged).await.unwrap_err(),
            store.add_committed(&payloads, &forged).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::Invalid(_)), "{error}");
        }
    }
    assert_eq!(store.state().await.unwrap(), state);
    let revealed = store.reveal(&payloads, &event).await.unwrap();
    assert_eq!(revealed, Revealed::Content(CONTENT.into()));
    let which = Streams::in_domain("counterfoil.erasure");
    assert_eq!(store.list_streams(&which).await.unwrap().streams, []);
}
