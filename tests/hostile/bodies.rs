//! The events as they are now are asked for first, and of them the bodies alone:
//! an answer that decides nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use counterfoil::{Cover, Event, EventStore, ExpectedVersion, ReadOptions};
use counterfoil_test_support::{Action, Context, Direction, PgMessage};

use crate::hostile::{BODIES, Liar, body, event, put_body, stream, tx};

/// What is read is what was written, whichever way it is asked for.
async fn reads_everything(store: &EventStore, count: u64) {
    let expected: Vec<Event> = (0..count).map(event).collect();
    let events = |read: counterfoil::StreamRead| -> Vec<Event> {
        read.events.into_iter().map(|recorded| recorded.event).collect()
    };
    let forward = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert_eq!(events(forward), expected);
    let mut backward = events(store.read(&stream(), ReadOptions::backward()).await.unwrap());
    backward.reverse();
    assert_eq!(backward, expected);
    assert_eq!(events(store.read_all(None, None).await.unwrap()), expected);
    for n in 0..count {
        assert_eq!(
            store.get_event_at_tx(&stream(), n, tx(count + 1)).await.unwrap().event,
            event(n)
        );
    }
}

/// Counts the statements that contain a text.
fn counted(liar: &Liar, text: &'static str) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    liar.tells(move |context, message| {
        if context.executes(message) && context.statement.contains(text) {
            counter.fetch_add(1, Ordering::SeqCst);
        }
        Action::Forward
    });
    count
}

#[tokio::test]
async fn of_an_honest_server_nothing_but_bodies_is_asked() {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    for root in 0..12 {
        let cover = Cover::new("elsewhere", format!("{root}"));
        store.add_event(&Event::new(&cover, "Counted", "")).await.unwrap();
    }
    let whole = counted(&liar, "domain, edition, root, event_number");
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert_eq!(read.events.len(), 3);
    assert_eq!(store.read_all(None, None).await.unwrap().events.len(), 15);
    assert_eq!(whole.load(Ordering::SeqCst), 0, "rows were asked for");
    let bodies = counted(&liar, BODIES);
    store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert_eq!(bodies.load(Ordering::SeqCst), 1);
    store.read_all(None, None).await.unwrap();
    assert_eq!(bodies.load(Ordering::SeqCst), 2, "one statement for many streams");
}

/// What was overwritten is not among the rows as they are now. Only it is asked
/// for again.
#[tokio::test]
async fn of_an_overwritten_event_all_revisions_are_asked_for() {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    let overwrite = format!("UPDATE events SET body = x'00' WHERE {};", Liar::key(1));
    liar.operator(&[&overwrite]).await;
    // Whose doing that was is another question.
    store.state().await.unwrap();
    let whole = counted(&liar, "event_number >= 1 AND event_number <= 1;");
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert_eq!(read.events.len(), 3);
    assert_eq!(whole.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn whatever_is_answered_in_bodies_events_are_what_they_are() {
    type Lie = fn(&mut PgMessage) -> Action;
    let lies: [(&str, Lie); 8] = [
        ("nothing", |_| Action::Instead(vec![])),
        ("twice", |message| Action::Instead(message.to_bytes().repeat(2))),
        ("no bytes", |message| {
            put_body(message, []);
            Action::Forward
        }),
        ("one byte more", |message| {
            let body = [body(message), vec![0]].concat();
            put_body(message, body);
            Action::Forward
        }),
        ("one byte less", |message| {
            let mut body = body(message);
            body.pop();
            put_body(message, body);
            Action::Forward
        }),
        ("much", |message| {
            put_body(message, vec![1; 1 << 21]);
            Action::Forward
        }),
        ("an error", |_| {
            let error = PgMessage { kind: b'E', body: b"SERROR\0C58000\0Mno\0\0".to_vec() };
            Action::Instead(error.to_bytes())
        }),
        ("an end", |_| Action::CutBefore),
    ];
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    for (name, lie) in lies {
        let told = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&told);
        liar.alters_bodies(move |_, message| {
            count.fetch_add(1, Ordering::SeqCst);
            lie(message)
        });
        reads_everything(&store, 3).await;
        assert!(told.load(Ordering::SeqCst) > 0, "{name} was not told");
    }
}

#[tokio::test]
async fn no_altered_byte_of_a_body_is_taken_for_an_event() {
    let liar = Liar::new();
    let store = liar.with_events(1).await;
    let bytes = store.add_event(&event(0)).await.unwrap().proof.body.len();
    for at in 0..bytes {
        liar.alters_bodies(move |_, message| {
            let mut body = body(message);
            body[at] ^= 1;
            put_body(message, body);
            Action::Forward
        });
        let read = store.get_event_at_tx(&stream(), 0, tx(2)).await.unwrap();
        assert_eq!(read.event, event(0), "{at}");
    }
}

/// Each body in the place of the one before it, and all of them in one place.
#[tokio::test]
async fn no_event_is_taken_for_another() {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    for follows in [true, false] {
        let last: Mutex<Option<Vec<u8>>> = Mutex::new(None);
        liar.alters_bodies(move |_: &Context<'_>, message: &mut PgMessage| {
            let own = body(message);
            let mut last = last.lock().unwrap();
            let shown = last.clone().unwrap_or_else(|| own.clone());
            if follows || last.is_none() {
                *last = Some(own);
            }
            put_body(message, shown);
            Action::Forward
        });
        reads_everything(&store, 3).await;
    }
}

/// sqlx would close a statement to make room for another one, and the server
/// knows no closing: everything that is prepared has to have its room.
#[tokio::test]
async fn what_is_prepared_stays_prepared() {
    let liar = Liar::new();
    let mut config = liar.config();
    config.storage.immudb.connections = 1;
    let store = EventStore::open(&config).await.unwrap();
    let used = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&used);
    let mut number = 0;
    for rows in 1..=66 {
        let alone = |n| event(n).with_external_id("");
        let events: Vec<Event> = (number..number + rows).map(alone).collect();
        number += rows;
        store.append(&stream(), ExpectedVersion::Any, &events).await.unwrap();
        if rows == 1 {
            let noted = Arc::clone(&noted);
            liar.tells(move |context, message| {
                if message.kind == b'P' && context.direction == Direction::ToServer {
                    let text = context.statement.to_owned();
                    noted.lock().unwrap().push((context.connection, text));
                }
                Action::Forward
            });
        }
        store.read(&stream(), ReadOptions::backward().limit(1)).await.unwrap();
        store.read_all(None, Some(1)).await.unwrap();
    }
    let used = used.lock().unwrap().clone();
    assert!(used.iter().all(|(connection, _)| *connection == used[0].0), "connections changed");
    let bodies = used.iter().filter(|(_, text)| text.contains(BODIES)).count();
    assert_eq!(bodies, 1, "prepared again: {used:?}");
}
