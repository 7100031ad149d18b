//! Writers that fight for the same streams, over clients with logs of their
//! own: no event is lost, none is there twice, none is acknowledged that is
//! not there. For some seconds, or for as many as COUNTERFOIL_FIGHT_SECONDS
//! says.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use counterfoil::{
    AddedEvent, Cover, Error, Event, EventStore, ExpectedVersion, ReadOptions, RecordedEvent,
};
use counterfoil_test_support::{Action, Context, temp_dir};
use tokio::task::JoinSet;

use crate::hostile::Liar;

fn length() -> Duration {
    let seconds = std::env::var("COUNTERFOIL_FIGHT_SECONDS").ok();
    Duration::from_secs(seconds.map_or(6, |n| n.parse().expect("a number of seconds")))
}

fn streams() -> [Cover; 2] {
    ["one", "two"].map(|root| Cover::new("fight", root))
}

/// How an append ended, as its caller was told.
enum Told {
    Done(Vec<AddedEvent>),
    Unknown,
    NotDone(Error),
}

/// One writer: appends one to three events at a time to some of the streams,
/// until the time is over.
async fn fights(
    store: EventStore,
    name: String,
    streams: Vec<Cover>,
    until: Instant,
) -> Vec<(Vec<Event>, Told)> {
    let mut told = Vec::new();
    for n in 0_usize.. {
        if Instant::now() >= until {
            break;
        }
        let cover = &streams[n % streams.len()];
        let id = format!("{name} {n}");
        let events: Vec<Event> = (0..=n % 3)
            .map(|k| Event::new(cover, "Fought", format!("{id}/{k}")))
            // Some have an id, some none.
            .map(|event| if n % 2 == 0 { event.with_external_id(&id) } else { event })
            .collect();
        let expected = match n % 5 {
            0 => match store.next_sequence(cover).await.unwrap_or(0).checked_sub(1) {
                Some(last) => ExpectedVersion::Exact(last),
                None => ExpectedVersion::NoStream,
            },
            _ => ExpectedVersion::Any,
        };
        let outcome = match store.append(cover, expected, &events).await {
            Ok(appended) => {
                assert!(!appended.repeated, "{id} was written by nobody else");
                Told::Done(appended.events)
            }
            Err(Error::OutcomeUnknown { .. }) => Told::Unknown,
            Err(error @ Error::Ledger(_)) => panic!("{id}: {error}"),
            Err(error) => Told::NotDone(error),
        };
        told.push((events, outcome));
    }
    told
}

/// A client and the number of its writers.
async fn fight(liar: &Liar, clients: Vec<(EventStore, usize)>, streams: &[Cover]) {
    let until = Instant::now() + length();
    let mut writers = JoinSet::new();
    for (c, (store, count)) in clients.into_iter().enumerate() {
        for w in 0..count {
            let name = format!("client {c} writer {w}");
            writers.spawn(fights(store.clone(), name, streams.to_vec(), until));
        }
    }
    let told: Vec<_> = writers.join_all().await.into_iter().flatten().collect();
    liar.repents();
    // What was still on its way has arrived.
    tokio::time::sleep(Duration::from_secs(4)).await;
    liar.honestly(async |newcomer| judged(&newcomer, &told, streams).await).await;
}

/// Holds what everybody was told against what a newcomer finds.
async fn judged(newcomer: &EventStore, told: &[(Vec<Event>, Told)], streams: &[Cover]) {
    assert_eq!(newcomer.findings().await.unwrap(), []);
    let mut found: BTreeMap<Vec<u8>, Vec<RecordedEvent>> = BTreeMap::new();
    for cover in streams {
        let read = newcomer.read(cover, ReadOptions::forward()).await.unwrap();
        assert!(read.completeness.is_complete() && read.stopped.is_none());
        let sequences = read.events.iter().map(|recorded| recorded.sequence);
        assert!(sequences.eq(0..read.events.len() as u64));
        for recorded in read.events {
            let payload = recorded.event.payload.inline().unwrap().to_vec();
            found.entry(payload).or_default().push(recorded);
        }
    }
    let (mut done, mut unknown, mut not_done) = (0, 0, BTreeMap::<String, u32>::new());
    for (events, told) in told {
        let places: Vec<Vec<RecordedEvent>> = events
            .iter()
            .filter_map(|event| found.remove(event.payload.inline().unwrap()))
            .collect();
        assert!(places.iter().all(|found| found.len() == 1), "an event is there twice");
        let there = places.concat();
        assert!(there.iter().zip(events).all(|(found, event)| found.event == *event));
        assert!(there.is_empty() || there.len() == events.len(), "an append was split");
        match told {
            Told::Done(added) => {
                assert_eq!(there.len(), events.len(), "an acknowledged append was lost");
                for (found, added) in there.iter().zip(added) {
                    assert_eq!((found.tx, found.sequence), (added.id, added.sequence));
                    assert!(newcomer.verify_event(&found.event, &added.proof).await.unwrap());
                }
                done += 1;
            }
            Told::Unknown => unknown += 1,
            Told::NotDone(error) => {
                assert!(there.is_empty(), "it is there, after: {error}");
                let kind = error.to_string().split([';', ',']).next().unwrap().to_owned();
                *not_done.entry(kind.replace(|c: char| c.is_ascii_digit(), "#")).or_default() += 1;
            }
        }
    }
    assert!(found.is_empty(), "{} payloads are nobody's", found.len());
    let rest = format!("{unknown} are in doubt, not done are {not_done:?}");
    assert!(done > 20, "only {done} appends were done, {rest}");
}

/// Another client, whom nobody deceives.
async fn other(liar: &Liar) -> EventStore {
    let folder = temp_dir("rival");
    EventStore::open(&liar.honest(&folder)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clients_fight_for_one_stream() {
    let liar = Liar::new();
    let clients = vec![(liar.open().await, 1), (other(&liar).await, 1)];
    fight(&liar, clients, &streams()[..1]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_writers_and_another_client_fight_for_two_streams() {
    let liar = Liar::new();
    let clients = vec![(liar.open().await, 16), (other(&liar).await, 4)];
    fight(&liar, clients, &streams()).await;
}

/// The way of the sixteen is bad: what they send and what they are answered is
/// cut off, held up or doubled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_bad_way_sixteen_writers_fight_another_client() {
    let liar = Liar::new();
    let mut config = liar.config();
    config.storage.immudb.timeout_seconds = 2;
    let store = EventStore::open(&config).await.unwrap();
    // The same every time, as far as the threads are.
    let mut chance = 7_u64;
    liar.tells(move |context: &Context<'_>, message| {
        let insert = context.statement.starts_with("INSERT");
        let asked = context.executes(message);
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        match (insert, asked, chance >> 59) {
            (true, true, 0..3) => Action::CutBefore,
            (true, true, 3..6) => Action::CutAfter,
            (true, true, 6) => Action::Delay(Duration::from_millis(2_100)),
            (true, true, 7) => Action::Delay(Duration::from_millis(100)),
            (true, true, 8..11) => Action::Instead(message.to_bytes().repeat(2)),
            (true, false, 0..3) => Action::CutBefore,
            (false, true, 0) if chance >> 56 == 0 => Action::CutBefore,
            _ => Action::Forward,
        }
    });
    let clients = vec![(store, 16), (other(&liar).await, 2)];
    fight(&liar, clients, &streams()).await;
}
