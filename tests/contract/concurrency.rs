//! Many at once, on one store.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use counterfoil::{Cover, Error, Event, ExpectedVersion, ReadOptions, StreamVersion};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::task::JoinSet;

use super::{Harness, numbered, said, sequences, shipment};

pub(crate) async fn appends_anywhere_from_many_tasks_all_land_densely(harness: impl Harness) {
    let store = harness.open().await;
    let covers = [shipment(), Cover::new("shipment", "other")];
    let mut tasks = JoinSet::new();
    for task in 0..24_u64 {
        let (store, cover) = (store.clone(), covers[task as usize % 2].clone());
        tasks.spawn(async move {
            let mut added = Vec::new();
            for round in 0..3 {
                let n = task * 100 + round * 10;
                let events = [numbered(&cover, n), numbered(&cover, n + 1)];
                let events = &events[..1 + (task + round) as usize % 2];
                let appended = store.append(&cover, ExpectedVersion::Any, events).await.unwrap();
                for (event, added) in events.iter().zip(&appended.events) {
                    assert!(store.verify_event(event, &added.proof).await.unwrap());
                }
                added.extend(events.iter().cloned().zip(appended.events));
            }
            added
        });
    }
    let added: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(added.len(), 108);
    for cover in &covers {
        let read = store.read(cover, ReadOptions::forward()).await.unwrap();
        let count = added.iter().filter(|(event, _)| event.cover == *cover).count() as u64;
        assert_eq!(sequences(&read), (0..count).collect::<Vec<_>>());
        for recorded in &read.events {
            let mine = |(event, at): &&(Event, counterfoil::AddedEvent)| {
                at.sequence == recorded.sequence && event.cover == *cover
            };
            let (event, at) = added.iter().find(mine).unwrap();
            assert_eq!((event, at.id), (&recorded.event, recorded.tx));
        }
    }
    assert_eq!(store.findings().await.unwrap(), []);
}

pub(crate) async fn of_many_appends_that_expect_one_version_exactly_one_wins(
    harness: impl Harness,
) {
    let store = harness.open().await;
    let cover = shipment();
    store.add_event(&numbered(&cover, 0)).await.unwrap();
    let mut tasks = JoinSet::new();
    for n in 1..=16 {
        let (store, event) = (store.clone(), numbered(&cover, n));
        tasks.spawn(async move {
            let exact = ExpectedVersion::Exact(0);
            let appended = store.append(&event.cover, exact, std::slice::from_ref(&event)).await;
            (event, appended)
        });
    }
    let (won, lost): (Vec<_>, Vec<_>) =
        tasks.join_all().await.into_iter().partition(|(_, appended)| appended.is_ok());
    assert_eq!((won.len(), lost.len()), (1, 15));
    for (_, error) in lost {
        let at = StreamVersion::At(1);
        assert!(
            matches!(error, Err(Error::WrongExpectedVersion { actual, .. }) if actual == at),
            "{error:?}"
        );
    }
    let read = store.read(&cover, ReadOptions::forward()).await.unwrap();
    assert_eq!(said(&read), [numbered(&cover, 0), won[0].0.clone()]);
}

pub(crate) async fn of_many_appends_with_one_external_id_exactly_one_writes(harness: impl Harness) {
    let store = harness.open().await;
    let event = numbered(&shipment(), 0).with_external_id("once");
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let (store, event) = (store.clone(), event.clone());
        tasks.spawn(async move {
            store
                .append(&event.cover, ExpectedVersion::Any, std::slice::from_ref(&event))
                .await
                .unwrap()
        });
    }
    let appended = tasks.join_all().await;
    assert_eq!(appended.iter().filter(|appended| !appended.repeated).count(), 1);
    assert_eq!(appended.iter().map(|appended| appended.id).collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(store.next_sequence(&shipment()).await.unwrap(), 1);
}

pub(crate) async fn writers_at_the_same_time_share_transactions(harness: impl Harness) {
    const WRITERS: u64 = 64;
    const EACH: u64 = 4;
    let store = harness.open().await;
    let before = store.state().await.unwrap().tx.get();
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        tasks.spawn(async move {
            let cover = Cover::new("writer", format!("{writer}"));
            for n in 0..EACH {
                let event = numbered(&cover, n);
                let added = store.add_event(&event).await.unwrap();
                assert_eq!(added.sequence, n);
                assert!(store.verify_event(&event, &added.proof).await.unwrap());
            }
        });
    }
    tasks.join_all().await;
    let transactions = store.state().await.unwrap().tx.get() - before;
    assert!(transactions < WRITERS * EACH / 4, "{transactions} transactions");
    for writer in 0..WRITERS {
        let cover = Cover::new("writer", format!("{writer}"));
        let read = store.read(&cover, ReadOptions::forward()).await.unwrap();
        assert!(said(&read).into_iter().eq((0..EACH).map(|n| numbered(&cover, n))));
    }
    assert_eq!(store.findings().await.unwrap(), []);
}

pub(crate) async fn appends_stand_in_the_order_in_which_they_were_begun(harness: impl Harness) {
    let store = harness.open().await;
    let cover = shipment();
    let events: Vec<Event> = (0..300).map(|n| numbered(&cover, n)).collect();
    let appends = events.iter().map(|event| store.add_event(event));
    let added: Vec<_> = stream::iter(appends).buffered(100).try_collect().await.unwrap();
    assert!(added.iter().map(|added| added.sequence).eq(0..300));
}

pub(crate) async fn an_append_that_is_refused_does_not_hinder_its_neighbours(
    harness: impl Harness,
) {
    let store = harness.open().await;
    let used = numbered(&shipment(), 0).with_external_id("used");
    store.add_event(&used).await.unwrap();
    let mut tasks = JoinSet::new();
    for n in 0..32_u64 {
        let store = store.clone();
        tasks.spawn(async move {
            let cover = Cover::new("shipment", format!("{}", n / 4));
            let event = numbered(&cover, n);
            let (expected, event) = match n % 4 {
                0 => (ExpectedVersion::Exact(7), event),
                1 => (ExpectedVersion::Any, event.with_external_id("used")),
                2 => (ExpectedVersion::Any, Event { payload: vec![0; 2 << 20].into(), ..event }),
                _ => (ExpectedVersion::NoStream, event),
            };
            (n, store.append(&cover, expected, &[event]).await)
        });
    }
    for (n, outcome) in tasks.join_all().await {
        match (n % 4, outcome) {
            (0, Err(Error::WrongExpectedVersion { .. }))
            | (1, Err(Error::IdConflict { .. }))
            | (2, Err(Error::Invalid(_)))
            | (3, Ok(_)) => {}
            (_, outcome) => panic!("{n}: {outcome:?}"),
        }
    }
    for n in 0..8 {
        let cover = Cover::new("shipment", format!("{n}"));
        assert_eq!(store.next_sequence(&cover).await.unwrap(), 1);
    }
}

pub(crate) async fn a_reader_beside_a_writer_sees_a_growing_prefix(harness: impl Harness) {
    const EVENTS: u64 = 40;
    let store = harness.open().await;
    let writer = tokio::spawn({
        let store = store.clone();
        async move {
            for n in 0..EVENTS {
                store.add_event(&numbered(&shipment(), n)).await.unwrap();
            }
        }
    });
    let (mut seen, mut state) = (0, 0);
    while seen < EVENTS {
        assert!(!writer.is_finished() || store.next_sequence(&shipment()).await.unwrap() == EVENTS);
        let read = store.read(&shipment(), ReadOptions::forward()).await.unwrap();
        let expected: Vec<_> = (0..read.events.len() as u64).collect();
        assert_eq!(sequences(&read), expected);
        assert!(expected.len() as u64 >= seen && read.state.tx.get() >= state);
        assert!(read.events.iter().all(|recorded| recorded.tx <= read.state.tx));
        (seen, state) = (expected.len() as u64, read.state.tx.get());
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
}

pub(crate) async fn clones_are_one_store(harness: impl Harness) {
    let store = harness.open().await;
    let clone = store.clone();
    let tx = store.add_event(&numbered(&shipment(), 0)).await.unwrap();
    assert!(clone.verify_event(&numbered(&shipment(), 0), &tx.proof).await.unwrap());
    assert_eq!(clone.add_event(&numbered(&shipment(), 1)).await.unwrap().sequence, 1);
    drop(clone);
    assert_eq!(store.next_sequence(&shipment()).await.unwrap(), 2);
    assert_eq!(store.add_event(&numbered(&shipment(), 2)).await.unwrap().sequence, 2);
}

pub(crate) async fn a_dropped_append_lands_once_or_never_and_the_store_goes_on(
    harness: impl Harness,
) {
    let store = harness.open().await;
    let event = |n: u64| numbered(&shipment(), n).with_external_id(format!("{n}"));
    // Each is polled so many times and then dropped.
    for polls in 0..12 {
        let (event, cover) = (event(polls), shipment());
        let events = [event];
        let mut append = pin!(store.append(&cover, ExpectedVersion::Any, &events));
        let waker = Waker::from(Arc::new(Nobody));
        for _ in 0..polls {
            if let Poll::Ready(done) = append.as_mut().poll(&mut Context::from_waker(&waker)) {
                done.unwrap();
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    // Whoever does not know repeats: every event is there once.
    let mut sequence = BTreeSet::new();
    for n in 0..12 {
        sequence.insert(store.add_event(&event(n)).await.unwrap().sequence);
    }
    assert!(sequence.into_iter().eq(0..12));
    let read = store.read(&shipment(), ReadOptions::forward()).await.unwrap();
    assert_eq!(sequences(&read), (0..12).collect::<Vec<_>>());
    let words: BTreeSet<String> = read.events.iter().map(|r| r.event.external_id.clone()).collect();
    assert_eq!(words.len(), 12);
    assert_eq!(store.findings().await.unwrap(), []);
}

/// Wakes nobody: who polls comes by himself.
struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}
