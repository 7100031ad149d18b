//! Appends whose task is dropped at any of its waits: a runtime can end while
//! its store is used in another one.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::{EventStore, ReadOptions};
use crate::audit::{Audit, AuditVerdict};
use crate::config::Config;
use crate::event::{Cover, Event, ExpectedVersion};

/// Drops a future after so many of its waits. Whether it had ended.
async fn cut_short(future: impl Future, mut waits: u32) -> bool {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending if waits == 0 => Poll::Ready(false),
        Poll::Pending => {
            waits -= 1;
            Poll::Pending
        }
    })
    .await
}

async fn count(store: &EventStore, cover: &Cover) -> usize {
    store.read(cover, ReadOptions::forward()).await.unwrap().events.len()
}

/// What is read afterwards is there for ever, and the store goes on.
#[tokio::test]
async fn an_append_that_is_cut_short_leaves_nothing_that_is_not_in_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::embedded(folder.path().join("ledger"));
    config.trust.file = Some(folder.path().join("trust"));
    let cover = Cover::new("d", "r");
    let (mut written, mut unwritten) = (0, 0);
    for waits in 0.. {
        let store = EventStore::open(&config).await.unwrap();
        let before = count(&store, &cover).await;
        let events = [Event::new(&cover, "Counted", format!("cut short {waits}"))];
        let answered = store.enqueue(&cover, ExpectedVersion::Any, &events, None).unwrap();
        let ended = cut_short(store.shared.append(answered), waits).await;
        // What was not taken from the line yet goes with the next one.
        let waiting = store.shared.queue().len();
        let seen = count(&store, &cover).await;
        match seen - before {
            0 => unwritten += 1,
            _ => written += 1,
        }
        let next = Event::new(&cover, "Counted", format!("behind {waits}"));
        let added = store.add_event(&next).await;
        let added = added.unwrap_or_else(|error| panic!("behind {waits} waits: {error}"));
        assert_eq!(added.id, store.state().await.unwrap().tx, "{waits}");
        store.close().await.unwrap();
        let store = EventStore::open(&config).await.unwrap();
        assert_eq!(count(&store, &cover).await, seen + waiting + 1, "{waits}");
        store.close().await.unwrap();
        if ended {
            break;
        }
    }
    assert!(written > 1 && unwritten > 1, "{written}, {unwritten}");
    let report = Audit::of(&config).run().await.unwrap();
    assert_eq!(report.verdict, AuditVerdict::Intact, "{report:?}");
}
