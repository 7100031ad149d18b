//! The client's own files, files of another kind, two openings at once, and clocks.

use std::sync::Mutex;

use counterfoil::{
    Anchor, Clock, Error, EventStore, ReadOptions, StoreOptions, Unavailable, Verdict,
};

use crate::files::{self, Files, event, stream};
use crate::{tx, verdict};

#[tokio::test]
async fn a_log_that_does_not_end_at_the_pin_is_refused() {
    let files = Files::with_events(3).await;
    for sql in [
        "DELETE FROM tx WHERE id = 4",
        "UPDATE tx SET alh = zeroblob(32) WHERE id = 4",
        "UPDATE trust SET tx = 3",
        "UPDATE trust SET alh = zeroblob(32)",
        "UPDATE trust SET anchor = 'wishful'",
    ] {
        let copy = files.copy().await;
        assert!(files::run(&copy.trust, sql).await > 0);
        let verdict = verdict(copy.open().await);
        assert!(matches!(verdict, Verdict::LogAltered { .. }), "{sql}: {verdict}");
    }
}

#[tokio::test]
async fn a_file_of_another_kind_is_named_and_left_as_it_is() {
    let files = Files::with_events(1).await;
    let text = files.deleted();
    std::fs::write(&text.ledger, "Dear diary, ".repeat(1000)).unwrap();
    let swapped = files.unknown();
    let swapped = Files { ledger: files.trust.clone(), ..swapped };
    let foreign = files.deleted();
    std::fs::write(&foreign.ledger, "").unwrap();
    files::run(&foreign.ledger, "CREATE TABLE recipes (id); INSERT INTO recipes VALUES (1)").await;
    let folder = files.deleted();
    std::fs::create_dir(&folder.ledger).unwrap();
    for strange in [text, swapped, foreign, folder] {
        let strange = strange.unknown();
        let before = std::fs::read(&strange.ledger).ok();
        let names = strange.names();
        for opened in [
            EventStore::open(&strange.accepting()).await,
            EventStore::open_read_only(&strange.accepting()).await,
        ] {
            let error = opened.unwrap_err();
            let name = strange.ledger.display().to_string();
            assert!(error.to_string().contains(&name), "{error}");
            assert!(!error.is_verdict(), "{error}");
        }
        assert_eq!(std::fs::read(&strange.ledger).ok(), before, "{}", strange.ledger.display());
        assert_eq!(strange.names(), names, "nothing is left");
    }
    // The other way round: a ledger where the trust file should be.
    let mixed = Files { trust: files.copy().await.ledger, ..files.clone() };
    let error = mixed.open().await.unwrap_err();
    assert!(error.to_string().contains(&mixed.trust.display().to_string()), "{error}");
}

#[tokio::test]
async fn reading_a_ledger_that_is_not_there_creates_nothing() {
    let files = Files::new();
    let error = EventStore::open_read_only(&files.accepting()).await.unwrap_err();
    let Error::Unavailable(Unavailable::NoLedger { path }) = &error else { panic!("{error}") };
    assert_eq!(path, &files.ledger);
    assert_eq!(files.names(), Vec::<String>::new());
}

#[tokio::test]
async fn one_file_has_one_writer_whatever_trust_file_it_brings() {
    let files = Files::with_events(1).await;
    let writer = files.open().await.unwrap();
    let rival = files.unknown();
    for (second, file) in [
        (files.open().await, &files.trust),
        (EventStore::open(&rival.accepting()).await, &files.ledger),
    ] {
        let error = second.unwrap_err();
        let Error::Unavailable(Unavailable::InUse { path, .. }) = &error else { panic!("{error}") };
        assert_eq!(path, file);
    }
    // A reader with a trust file of its own may look on.
    let config = files.unknown().accepting();
    let reader = EventStore::open_read_only(&config).await.unwrap();
    writer.add_event(&event(1)).await.unwrap();
    assert_eq!(reader.get_event_at_tx(&stream(), 0, tx(2)).await.unwrap().event, event(0));
    let status = reader.status().await.unwrap();
    assert_eq!((status.pin.state.tx, status.pin.anchor), (tx(2), Anchor::FirstContact));
}

/// A clock that says what it is told, in turn, and then the last for ever.
struct Told(Mutex<Vec<i64>>);

impl Told {
    fn seconds(seconds: &[i64]) -> Self {
        Self(Mutex::new(seconds.iter().rev().copied().collect()))
    }
}

impl Clock for Told {
    fn now_micros(&self) -> i64 {
        let mut left = self.0.lock().unwrap();
        let seconds = if left.len() > 1 { left.pop().unwrap() } else { left[0] };
        seconds * 1_000_000 + 999_999
    }
}

#[tokio::test]
async fn time_stamps_never_go_back() {
    let files = Files::new();
    let clock = Told::seconds(&[1000, 1005, 1003, 1004, 1006, -5, 0, 1006, 1007]);
    let store = StoreOptions::new().ledger_clock(clock).open(&files.config()).await.unwrap();
    for n in 0..8 {
        store.add_event(&event(n)).await.unwrap();
    }
    drop(store);
    // Nor when it is opened again in an earlier year.
    let store = StoreOptions::new()
        .ledger_clock(Told::seconds(&[500, 2000, 100]))
        .open(&files.config())
        .await
        .unwrap();
    for n in 8..11 {
        store.add_event(&event(n)).await.unwrap();
    }
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    let stamps: Vec<i64> = read.events.iter().map(|recorded| recorded.committed_at).collect();
    assert_eq!(stamps, [1005, 1005, 1005, 1006, 1006, 1006, 1006, 1007, 1007, 2000, 2000]);
    assert_eq!(store.get_proof_at_tx(tx(1)).await.unwrap().header.ts, 1000);
    assert_eq!(store.findings().await.unwrap(), []);
}
