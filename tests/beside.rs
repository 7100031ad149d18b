//! An embedded ledger that several processes have open: one writes, the others
//! read and follow. Each store here has files of its own open, as a process has.

mod files;

use std::time::Duration;

use counterfoil::{
    Anchor, Error, EventStore, FollowOptions, LedgerPosition, ReadOptions, Unavailable, Verdict,
};
use files::{Files, event, run, stream};

async fn count(store: &EventStore) -> usize {
    store.read(&stream(), ReadOptions::forward()).await.unwrap().events.len()
}

#[tokio::test]
async fn a_follower_sees_what_another_store_appends() {
    let files = Files::with_events(2).await;
    let readers = [
        EventStore::open_read_only(&files.config()).await.unwrap(),
        EventStore::open_read_only(&files.config()).await.unwrap(),
    ];
    let quick = FollowOptions::default().poll(Duration::ZERO, Duration::from_millis(5));
    let mut tails =
        readers.each_ref().map(|store| store.follow_with(LedgerPosition::START, quick.clone()));
    // Who follows keeps nobody from writing, nor from reading.
    let writer = files.open().await.unwrap();
    let mut late = None;
    for n in 0..300 {
        if n >= 2 {
            writer.add_event(&event(n)).await.unwrap();
        }
        for tail in &mut tails {
            let item = tail.next().await.unwrap().unwrap();
            assert_eq!(item.event().unwrap().event, event(n));
        }
        if n == 150 {
            let reader = EventStore::open_read_only(&files.config()).await.unwrap();
            assert_eq!(count(&reader).await, 151);
            late = Some(reader);
        }
    }
    assert_eq!(count(late.as_ref().unwrap()).await, 300);
    let state = writer.state().await.unwrap();
    for reader in &readers {
        assert_eq!(reader.state().await.unwrap(), state);
        let status = reader.status().await.unwrap();
        assert_eq!((status.pin.anchor, status.completeness.is_complete()), (Anchor::Created, true));
        let receipt = reader.issue_receipt(&stream(), 299, None).await.unwrap();
        assert_eq!(receipt.state, state);
        assert!(matches!(reader.add_event(&event(300)).await, Err(Error::ReadOnly)));
    }
    // The writer may come and go.
    writer.close().await.unwrap();
    files.append([300]).await;
    assert_eq!(count(late.as_ref().unwrap()).await, 301);
    drop(tails);
    for reader in readers.into_iter().chain(late) {
        reader.close().await.unwrap();
    }
    let leftover = |name: &String| name.ends_with("-wal") || name.ends_with("-shm");
    assert!(!files.names().iter().any(leftover), "{:?}", files.names());
}

/// A writer at full speed beside readers that open, read and close: each sees a whole ledger, at one
/// moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_come_and_go_beside_a_busy_writer() {
    let files = Files::with_events(1).await;
    let writer = files.open().await.unwrap();
    let config = files.config();
    let reading = tokio::spawn(async move {
        let mut last = 0;
        for _ in 0..40 {
            let reader = EventStore::open_read_only(&config).await.unwrap();
            for _ in 0..3 {
                let read = reader.read(&stream(), ReadOptions::forward()).await.unwrap();
                let numbers = read.events.iter().map(|event| event.sequence);
                assert!(numbers.eq(0..read.events.len() as u64));
                assert_eq!(read.state.tx.get(), read.events.len() as u64 + 1);
                assert!(read.completeness.is_complete() && read.events.len() >= last);
                last = read.events.len();
            }
            reader.close().await.unwrap();
        }
        last
    });
    let mut n = 1;
    while !reading.is_finished() {
        writer.add_event(&event(n)).await.unwrap();
        n += 1;
    }
    assert!(reading.await.unwrap() > 1, "the writer was kept waiting");
}

/// What is in the file and not in the trust file is nobody's word.
#[tokio::test]
async fn what_was_written_past_the_trust_file_is_not_shown() {
    let files = Files::with_events(2).await;
    let reader = EventStore::open_read_only(&files.config()).await.unwrap();
    let pinned = reader.state().await.unwrap();
    assert_eq!(reader.status().await.unwrap().uncovered, None);
    let mut tail = reader.follow(LedgerPosition::end_of(pinned.tx));
    // Somebody has the ledger alone, and a trust file of his own.
    let rival = Files { trust: files.free("trust"), ..files.clone() };
    let mut config = rival.config();
    config.trust.first_contact = counterfoil::FirstContact::Accept;
    let writer = EventStore::open(&config).await.unwrap();
    writer.add_event(&event(2)).await.unwrap();
    let found = writer.state().await.unwrap();
    assert_eq!(count(&reader).await, 2);
    assert_eq!(reader.state().await.unwrap(), pinned);
    assert_eq!(reader.status().await.unwrap().uncovered, Some(found));
    // Told at once, not waited out.
    let next = tokio::time::timeout(Duration::from_secs(60), tail.next()).await;
    let told = next.expect("it is told").unwrap().unwrap_err();
    assert_eq!(told.verdict(), Some(&Verdict::ExtendsPin { pinned, found }), "{told}");
    assert!(tail.next().await.is_none());
    let again = EventStore::open_read_only(&files.config()).await.unwrap_err();
    assert_eq!(again.verdict(), Some(&Verdict::ExtendsPin { pinned, found }), "{again}");
}

/// Each is found by a store that is open, at its next look.
#[tokio::test]
async fn an_open_reader_notices_what_becomes_of_the_file() {
    for (sql, verdict) in [
        ("DELETE FROM ledger_tx WHERE id = 3", "rollback"),
        ("UPDATE ledger_tx SET alh = zeroblob(32) WHERE id = 3", "fork"),
        ("UPDATE ledger_tx SET alh = zeroblob(32) WHERE id = 1", "recreated"),
    ] {
        let files = Files::with_events(2).await;
        let reader = EventStore::open_read_only(&files.config()).await.unwrap();
        assert_eq!(count(&reader).await, 2);
        run(&files.ledger, sql).await;
        let error = reader.state().await.unwrap_err();
        let found = match error.verdict() {
            Some(Verdict::Rollback { .. }) => "rollback",
            Some(Verdict::Fork { .. }) => "fork",
            Some(Verdict::Recreated { .. }) => "recreated",
            _ => "another",
        };
        assert_eq!(found, verdict, "{error}");
    }
}

/// A trust file that goes back under a reader is not followed back.
#[tokio::test]
async fn a_pin_never_goes_back() {
    let files = Files::with_events(2).await;
    let reader = EventStore::open_read_only(&files.config()).await.unwrap();
    run(
        &files.trust,
        "UPDATE trust SET tx = 2, alh = (SELECT alh FROM tx WHERE id = 2); \
        DELETE FROM tx WHERE id = 3",
    )
    .await;
    let error = reader.state().await.unwrap_err();
    assert!(matches!(error.verdict(), Some(Verdict::LogAltered { .. })), "{error}");
}

#[tokio::test]
async fn one_file_is_not_both() {
    let files = Files::new();
    let mut config = files.config();
    config.trust.file = Some(files.folder.join("./a.ledger"));
    for opened in [EventStore::open(&config).await, EventStore::open_read_only(&config).await] {
        let error = opened.unwrap_err();
        assert!(matches!(&error, Error::Config(what) if what.contains("are both")), "{error}");
    }
    assert_eq!(files.names(), Vec::<String>::new());
}

#[tokio::test]
async fn a_damaged_ledger_is_named_and_the_log_is_not_blamed() {
    let files = Files::with_events(20).await;
    let whole = std::fs::read(&files.ledger).unwrap();
    let trust = std::fs::read(&files.trust).unwrap();
    for (at, write) in [(0, true), (0, false), (4096, true), (4096, false), (8192, false)] {
        let mut damaged = whole.clone();
        damaged[at..at + 2048].fill(0x5a);
        std::fs::write(&files.ledger, damaged).unwrap();
        let opened = match write {
            true => files.open().await,
            false => EventStore::open_read_only(&files.config()).await,
        };
        let error = match opened {
            Err(error) => error,
            Ok(store) => store.read(&stream(), ReadOptions::forward()).await.unwrap_err(),
        };
        let Error::Unavailable(Unavailable::DamagedLedger { path, .. }) = &error else {
            panic!("{at}: {error}")
        };
        assert_eq!(path, &files.ledger);
        let text = error.to_string();
        assert!(text.contains("restore") && !text.contains("the log"), "{text}");
        assert_eq!(std::fs::read(&files.trust).unwrap(), trust);
    }
}
