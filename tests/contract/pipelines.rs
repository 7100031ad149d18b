//! Appends one behind the other, many under way.

use counterfoil::{
    Appended, Cover, Error, Event, EventStore, ExpectedVersion, Pipeline, ReadOptions, Result,
};
use futures_util::future::join_all;

use super::{Harness, numbered, said, sequences, shipment};

/// Begins an append of one event.
fn begin(pipeline: &mut Pipeline, event: &Event) -> impl Future<Output = Result<Appended>> + use<> {
    pipeline.append(&event.cover, ExpectedVersion::Any, std::slice::from_ref(event))
}

/// Makes appends of one event each in a pipeline of their own.
async fn piped(store: &EventStore, events: &[Event]) -> Vec<Result<Appended>> {
    let mut pipeline = store.pipeline();
    let begun: Vec<_> = events.iter().map(|event| begin(&mut pipeline, event)).collect();
    join_all(begun).await
}

fn other() -> Cover {
    Cover::new("another", "SSCC-00123456")
}

pub(crate) async fn a_pipeline_shares_transactions_and_keeps_its_order(harness: impl Harness) {
    const EVENTS: u64 = 400;
    let store = harness.open().await;
    let before = store.state().await.unwrap().tx.get();
    // In the order of the keys and against it.
    let cover = |n: u64| if n.is_multiple_of(3) { shipment() } else { other() };
    let events: Vec<Event> = (0..EVENTS).map(|n| numbered(&cover(n), n)).collect();
    let appended = piped(&store, &events).await;
    let mut last = before;
    for (event, appended) in events.iter().zip(&appended) {
        let appended = appended.as_ref().unwrap();
        assert!(appended.id.get() >= last, "{} after {last}", appended.id);
        last = appended.id.get();
        assert!(store.verify_event(event, &appended.events[0].proof).await.unwrap());
    }
    assert!(last - before < EVENTS / 20, "{} transactions", last - before);
    for cover in [shipment(), other()] {
        let read = store.read(&cover, ReadOptions::forward()).await.unwrap();
        let wanted: Vec<Event> = events.iter().filter(|e| e.cover == cover).cloned().collect();
        assert_eq!(said(&read), wanted);
    }
    assert_eq!(store.findings().await.unwrap(), []);
}

pub(crate) async fn behind_an_append_that_fails_none_is_made(harness: impl Harness) {
    let store = harness.open().await;
    let used = numbered(&other(), 99).with_external_id("used");
    store.add_event(&used).await.unwrap();
    // Refused when its turn comes, by its size, its id, or its version.
    let large = Event { payload: vec![0; 2 << 20].into(), ..numbered(&other(), 0) };
    let conflict = numbered(&other(), 1).with_external_id("used");
    for (n, wrong) in (0..).zip([large, conflict]) {
        let cover = |at: u64| if at.is_multiple_of(2) { shipment() } else { other() };
        let mut events: Vec<Event> =
            (0..60).map(|at| numbered(&cover(at), 1000 * n + at)).collect();
        events[30] = wrong;
        let before: Vec<u64> = next(&store).await;
        let outcomes = piped(&store, &events).await;
        assert!(outcomes[..30].iter().all(Result::is_ok), "{:?}", &outcomes[..30]);
        assert!(
            matches!(outcomes[30], Err(Error::Invalid(_) | Error::IdConflict { .. })),
            "{:?}",
            outcomes[30]
        );
        for outcome in &outcomes[31..] {
            assert!(matches!(outcome, Err(Error::PipelineAborted)), "{outcome:?}");
        }
        let after: Vec<u64> = before.iter().map(|next| next + 15).collect();
        assert_eq!(next(&store).await, after);
    }
    // For good.
    let mut pipeline = store.pipeline();
    let absurd = ExpectedVersion::Exact(7000);
    let failed = pipeline.append(&shipment(), absurd, &[numbered(&shipment(), 0)]).await;
    assert!(matches!(failed, Err(Error::WrongExpectedVersion { .. })), "{failed:?}");
    let behind = begin(&mut pipeline, &numbered(&other(), 0)).await;
    assert!(matches!(behind, Err(Error::PipelineAborted)), "{behind:?}");
}

async fn next(store: &EventStore) -> Vec<u64> {
    let mut next = Vec::new();
    for cover in [shipment(), other()] {
        next.push(store.next_sequence(&cover).await.unwrap());
    }
    next
}

/// Its call refuses it before those before it have gone.
pub(crate) async fn what_never_was_an_append_ends_a_pipeline_too(harness: impl Harness) {
    let store = harness.open().await;
    let mut events: Vec<Event> = (0..20).map(|n| numbered(&shipment(), n)).collect();
    events[10] = numbered(&Cover::new("", "r"), 10);
    let outcomes = piped(&store, &events).await;
    assert!(outcomes[..10].iter().all(Result::is_ok), "{:?}", &outcomes[..10]);
    assert!(matches!(outcomes[10], Err(Error::Invalid(_))));
    assert!(outcomes[11..].iter().all(|o| matches!(o, Err(Error::PipelineAborted))));
    assert_eq!(store.next_sequence(&shipment()).await.unwrap(), 10);
}

pub(crate) async fn pipelines_do_not_hinder_one_another(harness: impl Harness) {
    let store = harness.open().await;
    let (mut one, mut two) = (store.pipeline(), store.pipeline());
    let mut begun = Vec::new();
    for n in 0..40 {
        let event = match n {
            7 => Event { payload: vec![0; 2 << 20].into(), ..numbered(&shipment(), n) },
            _ => numbered(&shipment(), n),
        };
        let pipeline = if n % 2 == 0 { &mut two } else { &mut one };
        begun.push(begin(pipeline, &event));
    }
    let outcomes = join_all(begun).await;
    for (n, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome.is_ok(), n % 2 == 0 || n < 7, "{n}: {outcome:?}");
    }
    let read = store.read(&shipment(), ReadOptions::forward()).await.unwrap();
    assert_eq!(sequences(&read), (0..23).collect::<Vec<_>>());
}

pub(crate) async fn a_pipeline_that_is_repeated_writes_nothing_twice(harness: impl Harness) {
    let store = harness.open().await;
    let event = |n: u64| numbered(&shipment(), n).with_external_id(format!("{n}"));
    let events: Vec<Event> = (0..50).map(event).collect();
    assert!(piped(&store, &events[..30]).await.iter().all(Result::is_ok));
    let again = piped(&store, &events).await;
    for (n, appended) in again.iter().enumerate() {
        let appended = appended.as_ref().unwrap();
        assert_eq!((appended.repeated, appended.events[0].sequence), (n < 30, n as u64));
    }
    let read = store.read(&shipment(), ReadOptions::forward()).await.unwrap();
    assert_eq!(said(&read), events);
}

/// One that waits to learn what became of another is not overtaken.
pub(crate) async fn what_is_behind_waits_for_a_version_to_be_known(harness: impl Harness) {
    let store = harness.open().await;
    let mut pipeline = store.pipeline();
    let mut begun = Vec::new();
    for n in 0..60 {
        let cover = if n % 2 == 0 { shipment() } else { other() };
        let event = numbered(&cover, n);
        let expected = match n {
            0 | 1 => ExpectedVersion::NoStream,
            // It will be there, and is not yet.
            40 => ExpectedVersion::NoStream,
            n => ExpectedVersion::Exact(n / 2 - 1),
        };
        begun.push(pipeline.append(&cover, expected, &[event]));
    }
    let outcomes = join_all(begun).await;
    assert!(outcomes[..40].iter().all(Result::is_ok), "{outcomes:?}");
    assert!(matches!(outcomes[40], Err(Error::WrongExpectedVersion { .. })));
    assert!(outcomes[41..].iter().all(|o| matches!(o, Err(Error::PipelineAborted))));
    assert_eq!(next(&store).await, [20, 20]);
}
