//! Copies of an embedded ledger, made beside a writer, and what becomes of
//! them when they are restored: docs/backup.md, step by step.

mod files;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use counterfoil::{
    Audit, AuditVerdict, BackedUp, Error, EventStore, PayloadLack, PayloadStore as _, ReadOptions,
    Result, Revealed, SqlitePayloads, TrustedState, TxId, Unavailable, Verdict, back_up,
};
use counterfoil_test_support::wait_until_closed;
use files::{Files, event, stream};

/// The copies, to be opened where they are.
fn pair(files: &Files, backed_up: &BackedUp) -> Files {
    let (ledger, trust) = (backed_up.ledger.clone(), backed_up.trust.clone());
    Files { ledger, trust, ..files.clone() }
}

/// `cp` of a file to where it was, as the page says: what SQLite left beside
/// the old one belongs to the old one.
async fn restore(copy: &Path, to: &Path) {
    let beside = ["-wal", "-shm"].map(|suffix| format!("{}{suffix}", to.display()));
    wait_until_closed(to);
    for path in beside {
        let _ = std::fs::remove_file(path);
    }
    std::fs::copy(copy, to).unwrap();
}

#[track_caller]
fn verdict<T>(result: Result<T>) -> Verdict {
    match result {
        Err(Error::Ledger(verdict)) => verdict.into_verdict(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it opened"),
    }
}

async fn events(files: &Files) -> u64 {
    let store = files.open().await.unwrap();
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert!(
        read.events.iter().map(|r| r.event.clone()).eq((0..).map(event).take(read.events.len()))
    );
    assert!(read.completeness.is_complete());
    read.events.len() as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pair_of_one_moment_is_copied_beside_a_writer() {
    let files = Files::with_events(3).await;
    let acknowledged = AtomicU64::new(3);
    let done = std::sync::atomic::AtomicBool::new(false);
    let store = files.open().await.unwrap();
    let writing = async {
        let mut n = 3;
        while !done.load(Ordering::Relaxed) {
            store.add_event(&event(n)).await.unwrap();
            n += 1;
            acknowledged.store(n, Ordering::Relaxed);
        }
        n
    };
    let copying = async {
        let mut copies = Vec::new();
        for _ in 0..12 {
            let before = acknowledged.load(Ordering::Relaxed);
            let copy = back_up(&files.config(), files.free("backup")).await.unwrap();
            copies.push((before, copy));
        }
        done.store(true, Ordering::Relaxed);
        copies
    };
    let (written, copies) = tokio::join!(writing, copying);
    assert!(written > 12, "nobody wrote meanwhile");
    for (before, copy) in copies {
        let copied = pair(&files, &copy);
        let report = Audit::of(&copied.config()).run().await.unwrap();
        assert_eq!((report.verdict, report.through), (AuditVerdict::Intact, Some(copy.state)));
        let there = events(&copied).await;
        assert!((before..=written).contains(&there), "{before} {there} {written}");
        assert_eq!(copied.state().await, copy.state);
        // It is a ledger like any other.
        copied.append([there]).await;
        assert_eq!(events(&copied).await, there + 1);
    }
    store.close().await.unwrap();
    assert_eq!(events(&files).await, written);
}

/// What a writer was about to write, and perhaps wrote, is not in the copy,
/// and does not keep it from opening.
#[tokio::test]
async fn what_was_committed_and_not_pinned_is_left_out() {
    const LOG_FAILS: &str = "CREATE TRIGGER fails BEFORE INSERT ON tx \
        BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    let files = Files::with_events(2).await;
    let state = files.state().await;
    files::run(&files.trust, LOG_FAILS).await;
    files.open().await.unwrap().add_event(&event(2)).await.unwrap_err();
    let copy = back_up(&files.config(), files.free("backup")).await.unwrap();
    assert_eq!(copy.state, state);
    let copied = pair(&files, &copy);
    files::run(&copied.trust, "DROP TRIGGER fails").await;
    assert_eq!(events(&copied).await, 2);
    copied.append([2]).await;
    files::run(&files.trust, "DROP TRIGGER fails").await;
    assert_eq!(events(&files).await, 3);
}

/// Copies made at 2 events; then there are 4, and something is restored.
async fn aged() -> (Files, BackedUp, TrustedState) {
    let files = Files::with_events(2).await;
    let copy = back_up(&files.config(), files.free("backup")).await.unwrap();
    files.append(2..4).await;
    let newest = files.state().await;
    (files, copy, newest)
}

/// Takes the copy of the pin away, as whoever goes back on purpose does.
fn forget_the_newer_pin(files: &Files) {
    std::fs::remove_file(format!("{}.pin", files.trust.display())).unwrap();
}

#[tokio::test]
async fn both_restored_are_a_rollback_until_the_newer_pin_is_taken_away() {
    let (files, copy, newest) = aged().await;
    restore(&copy.ledger, &files.ledger).await;
    restore(&copy.trust, &files.trust).await;
    let rollback = Verdict::Rollback { pinned: newest, found: Some(copy.state) };
    // Pinning the copy's state does not help.
    let mut config = files.config();
    for pin in [None, Some(copy.state), None] {
        config.trust.pin = pin;
        assert_eq!(verdict(EventStore::open(&config).await), rollback);
    }
    // Without it they are the past, and only a state kept elsewhere tells.
    forget_the_newer_pin(&files);
    assert_eq!(files.state().await, copy.state);
    assert_eq!(events(&files).await, 2);
    config.trust.pin = Some(newest);
    assert_eq!(verdict(EventStore::open(&config).await), rollback);
    config.trust.pin = Some(copy.state);
    EventStore::open(&config).await.unwrap();
}

#[tokio::test]
async fn the_ledger_alone_restored_is_a_rollback() {
    let (files, copy, newest) = aged().await;
    let whole = files.copy().await;
    restore(&copy.ledger, &files.ledger).await;
    let rollback = Verdict::Rollback { pinned: newest, found: Some(copy.state) };
    for _ in 0..2 {
        assert_eq!(verdict(files.open().await), rollback);
    }
    // Once a newer copy is found, it is as if nothing had been.
    restore(&whole.ledger, &files.ledger).await;
    assert_eq!(events(&files).await, 4);
    // Or the loss is accepted: the trust file of that time, and no newer pin.
    restore(&copy.ledger, &files.ledger).await;
    restore(&copy.trust, &files.trust).await;
    assert_eq!(verdict(files.open().await), rollback);
    forget_the_newer_pin(&files);
    assert_eq!(events(&files).await, 2);
}

#[tokio::test]
async fn the_trust_file_alone_restored_catches_up_to_the_copy_of_its_pin() {
    let (files, copy, newest) = aged().await;
    restore(&copy.trust, &files.trust).await;
    let status = files.open().await.unwrap().status().await.unwrap();
    assert_eq!(status.pin.state, newest);
    assert_eq!(status.repairs[0].held_to, Some(newest));
    assert_eq!(events(&files).await, 4);
    // With no newer pin it is told that the ledger goes on.
    restore(&copy.trust, &files.trust).await;
    forget_the_newer_pin(&files);
    let extends = Verdict::ExtendsPin { pinned: copy.state, found: newest };
    for _ in 0..2 {
        assert_eq!(verdict(files.open().await), extends);
    }
    // Whoever knows the newest state from elsewhere says so, once.
    let mut config = files.config();
    config.trust.pin = Some(newest);
    EventStore::open(&config).await.unwrap();
    assert_eq!(events(&files).await, 4);
}

#[tokio::test]
async fn what_is_lost_is_told() {
    let (files, copy, newest) = aged().await;
    // A trust file is made anew under the copy of its pin.
    std::fs::remove_file(&files.trust).unwrap();
    let status = files.open().await.unwrap().status().await.unwrap();
    assert_eq!((status.pin.state, status.repairs[0].held_to), (newest, Some(newest)));
    // Without either, nothing is known.
    std::fs::remove_file(&files.trust).unwrap();
    forget_the_newer_pin(&files);
    let Verdict::FirstContact { state, .. } = verdict(files.open().await) else { panic!() };
    assert_eq!(state, newest);
    restore(&copy.trust, &files.trust).await;
    // Without a ledger nothing is begun.
    std::fs::remove_file(&files.ledger).unwrap();
    assert_eq!(verdict(files.open().await), Verdict::Missing { pinned: copy.state });
    restore(&copy.ledger, &files.ledger).await;
    assert_eq!(events(&files).await, 2);
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_is_there_as_a_whole() {
    let files = Files::with_events(2).await;
    let folder = files.free("backup");
    let first = back_up(&files.config(), &folder).await.unwrap();
    let kept = std::fs::read(&first.ledger).unwrap();
    files.append(2..4).await;
    let error = back_up(&files.config(), &folder).await.unwrap_err();
    let Error::Unavailable(Unavailable::File { path, .. }) = &error else { panic!("{error}") };
    assert_eq!((path, std::fs::read(&first.ledger).unwrap()), (&folder, kept));
    // What an interrupted one left is in nobody's way.
    let next = files.free("backup");
    let begun = Path::new(&format!("{}.part", next.display())).to_owned();
    std::fs::create_dir(&begun).unwrap();
    for name in ["ledger", "trust", "ledger-journal"] {
        std::fs::write(begun.join(name), "half").unwrap();
    }
    let copy = back_up(&files.config(), &next).await.unwrap();
    assert_eq!((copy.state.tx, begun.exists()), (TxId::new(5), false));
    assert_eq!(events(&pair(&files, &copy)).await, 4);
    // A ledger that is not the pinned one is no backup.
    let nowhere = Files::new();
    let error = back_up(&nowhere.config(), nowhere.folder.join("none")).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(Unavailable::NoLedger { .. })), "{error}");
    assert_eq!(std::fs::read_dir(nowhere.folder.path()).unwrap().count(), 0);
    let old = pair(&files, &first).trusted_by(&files);
    let refused = files.free("backup");
    let rollback = verdict(back_up(&old.config(), &refused).await);
    assert!(matches!(rollback, Verdict::Rollback { .. }), "{rollback}");
    assert!(!refused.exists());
}

#[tokio::test]
async fn an_older_payload_store_lacks_the_new_and_has_what_was_erased() {
    let files = Files::new();
    let path = files.free("payloads");
    let payloads = SqlitePayloads::open(&path).await.unwrap();
    let store = files.open().await.unwrap();
    let mut added = Vec::new();
    for n in 0..2 {
        let tx = store.add_committed(&payloads, &event(n)).await.unwrap().id;
        added.push(store.get_event_at_tx(&stream(), n, tx).await.unwrap());
    }
    let copy = files.free("payloads");
    payloads.back_up(&copy).await.unwrap();
    assert!(payloads.back_up(&copy).await.is_err());
    let tx = store.add_committed(&payloads, &event(2)).await.unwrap().id;
    added.push(store.get_event_at_tx(&stream(), 2, tx).await.unwrap());
    store.erase(&payloads, &added[0], "request 77").await.unwrap();
    drop(payloads);
    restore(&copy, &path).await;
    let payloads = SqlitePayloads::open(&path).await.unwrap();
    assert_eq!(store.finish_erasures(&payloads).await.unwrap().removed, 1);
    let revealed = async |n: usize| store.reveal(&payloads, &added[n]).await.unwrap();
    assert!(matches!(revealed(0).await, Revealed::Erased { remains: false, .. }));
    assert!(matches!(revealed(1).await, Revealed::Content(_)));
    assert_eq!(revealed(2).await, Revealed::Unavailable(PayloadLack::Missing));
    let counterfoil::Payload::Commitment(erased) = added[0].event.payload else { panic!() };
    assert_eq!(payloads.get(erased).await.unwrap(), None);
}
