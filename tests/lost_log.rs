//! A log that is lost, damaged, or put back from a backup: it is made anew
//! from the ledger, held to the pin that is left, and says so. Where no pin is
//! left, nothing is believed that nobody vouches for.

mod files;
#[cfg(feature = "immudb")]
#[path = "lost_log/immudb.rs"]
mod immudb;
#[cfg(feature = "immudb")]
mod on_server;

use std::fs;
use std::path::{Path, PathBuf};

use counterfoil::{
    Anchor, Audit, AuditVerdict, Config, Error, EventStore, InconsistencyKind, PinCopyState,
    ReadOptions, Status, TrustedState, Unavailable, Verdict,
};
use counterfoil_test_support::wait_until_closed;
use files::{Files, event, stream};

/// A file and what SQLite keeps beside it.
fn parts(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|part| beside(path, part))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn remove(path: &Path) {
    wait_until_closed(path);
    for part in parts(path) {
        let _ = fs::remove_file(part);
    }
}

/// Everything is there as it was, under the pin as it was, and goes on.
async fn made_anew(store: &EventStore, before: &Status, events: u64) -> Status {
    let status = store.status().await.unwrap();
    assert_eq!(status.pin, before.pin);
    assert!(status.completeness.is_complete());
    assert_eq!(store.findings().await.unwrap(), []);
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert!(read.events.iter().map(|r| r.event.clone()).eq((0..events).map(event)));
    let added = store.add_event(&event(events)).await.unwrap();
    assert!(store.verify_event(&event(events), &added.proof).await.unwrap());
    status
}

/// It says when, why, and what the ledger was held to.
fn says(status: &Status, cause: &str, held_to: Option<TrustedState>) {
    let [repair] = &status.repairs[..] else { panic!("{:?}", status.repairs) };
    assert!(repair.cause.contains(cause), "{repair:?}");
    assert_eq!((repair.held_to, repair.at.len()), (held_to, 19));
}

/// An audit says so.
async fn rolled_back(config: &Config, known: TrustedState) {
    let report = Audit::of(config).run().await.unwrap();
    assert_eq!((report.verdict, report.pinned), (AuditVerdict::Broken, Some(known)));
    let told = report.inconsistencies.iter().map(|one| (one.tx, one.kind));
    assert!(told.eq([(Some(known.tx), InconsistencyKind::Rollback)]), "{report:?}");
}

async fn closed_status(files: &Files) -> Status {
    // What is dropped is closed a moment later, by SQLite's own thread: not yet,
    // perhaps, when the test puts its hand into the file.
    let store = files.open().await.unwrap();
    let status = store.status().await.unwrap();
    store.close().await.unwrap();
    assert_eq!(status.repairs, []);
    status
}

#[tokio::test]
async fn a_trust_file_that_is_gone_is_made_anew_under_the_copy_of_its_pin() {
    let files = Files::with_events(5).await;
    let before = closed_status(&files).await;
    remove(&files.trust);
    let store = files.open().await.unwrap();
    let status = made_anew(&store, &before, 5).await;
    assert_eq!((status.pin.anchor, status.pin.anchored_at.tx.get()), (Anchor::Created, 1));
    says(&status, "it was lost", Some(before.pin.state));
    store.close().await.unwrap();
    // That is never forgotten, nor said twice.
    assert_eq!(files.open().await.unwrap().status().await.unwrap().repairs, status.repairs);
}

/// Readers write nothing: they say so. The next writer mends it by opening.
#[tokio::test]
async fn a_copy_of_the_pin_that_is_gone_or_damaged_is_told_and_written_anew() {
    let files = Files::with_events(2).await;
    let before = closed_status(&files).await;
    assert_eq!(before.pin_copy, Some(PinCopyState::There));
    let copy = beside(&files.trust, ".pin");
    for state in [PinCopyState::Missing, PinCopyState::Unreadable] {
        match state {
            PinCopyState::Missing => fs::remove_file(&copy).unwrap(),
            _ => fs::write(&copy, "no pin at all\n").unwrap(),
        }
        let reader = EventStore::open_read_only(&files.config()).await.unwrap();
        let status = reader.status().await.unwrap();
        assert_eq!((status.pin, status.pin_copy), (before.pin, Some(state)));
        reader.close().await.unwrap();
        assert_eq!(closed_status(&files).await.pin_copy, Some(PinCopyState::There));
    }
    // It serves.
    remove(&files.trust);
    let status = files.open().await.unwrap().status().await.unwrap();
    assert_eq!((status.pin, status.repairs.len()), (before.pin, 1));
}

#[tokio::test]
async fn a_trust_file_that_cannot_be_read_is_put_aside_and_made_anew() {
    type Harm = fn(Vec<u8>) -> Vec<u8>;
    let harms: [Harm; 4] = [
        |bytes| bytes[..bytes.len() / 2].to_vec(),
        |bytes| b"not a database at all, whatever it was before".repeat(bytes.len() / 40),
        |mut bytes| {
            bytes[100..4096].fill(7);
            bytes
        },
        |mut bytes| {
            bytes[3] ^= 1;
            bytes
        },
    ];
    for harm in harms {
        let files = Files::with_events(5).await;
        let before = closed_status(&files).await;
        let harmed = harm(fs::read(&files.trust).unwrap());
        fs::write(&files.trust, &harmed).unwrap();
        let store = files.open().await.unwrap();
        let status = made_anew(&store, &before, 5).await;
        says(&status, "it was damaged", Some(before.pin.state));
        let aside = beside(&files.trust, ".damaged-1");
        assert!(status.repairs[0].cause.contains(&aside.display().to_string()));
        assert_eq!(fs::read(aside).unwrap(), harmed);
    }
    // Of nothing, nothing needs to be kept.
    let files = Files::with_events(5).await;
    let before = closed_status(&files).await;
    fs::write(&files.trust, "").unwrap();
    let status = made_anew(&files.open().await.unwrap(), &before, 5).await;
    says(&status, "it was lost", Some(before.pin.state));
}

/// Wherever it is hit, it is as it was, or made anew, or an error that says
/// how it can be; and then it is.
#[tokio::test]
async fn a_trust_file_that_is_hit_anywhere_recovers() {
    let mut anew = 0;
    let honest = Files::with_events(20).await;
    let before = closed_status(&honest).await;
    let whole = fs::read(&honest.trust).unwrap();
    for hit in 0..160 {
        let mut bytes = whole.clone();
        let at = hit * 7919 % bytes.len();
        let end = bytes.len().min(at + 1 + hit % 64);
        bytes[at..end].iter_mut().for_each(|byte| *byte ^= 0xa5);
        remove(&honest.trust);
        fs::write(&honest.trust, &bytes).unwrap();
        let told = match honest.open().await {
            Ok(store) => {
                let status = store.status().await;
                let read = store.read(&stream(), ReadOptions::forward()).await;
                match (status, read) {
                    (Ok(status), Ok(read)) => {
                        assert_eq!(status.pin.state, before.pin.state, "hit {hit}");
                        assert!(read.events.iter().map(|r| r.event.clone()).eq((0..20).map(event)));
                        anew += status.repairs.len();
                        None
                    }
                    (Err(error), _) | (_, Err(error)) => Some(error),
                }
            }
            Err(error) => Some(error),
        };
        let Some(error) = told else { continue };
        let text = error.to_string();
        let named = ["put the file away", "remove it", "is not a Counterfoil", "put that one away"];
        assert!(named.iter().any(|remedy| text.contains(remedy)), "hit {hit}: {text}");
        remove(&honest.trust);
        let status = honest.open().await.unwrap().status().await.unwrap();
        assert_eq!(status.pin, before.pin, "hit {hit}");
        says(&status, "it was lost", Some(before.pin.state));
    }
    assert!(anew > 20, "{anew} made anew");
}

/// What is appended names its stream's end: from a damaged one nobody else
/// would go on.
#[tokio::test]
async fn a_stream_whose_end_is_damaged_is_not_appended_to() {
    for harm in ["head = zeroblob(32)", "next = next - 1", "next = next + 1"] {
        let files = Files::with_events(3).await;
        let before = closed_status(&files).await;
        files::run(&files.trust, &format!("UPDATE stream SET {harm} WHERE next > 0")).await;
        let store = files.open().await.unwrap();
        let read = store.read(&stream(), ReadOptions::forward()).await.unwrap_err();
        for error in [store.add_event(&event(3)).await.unwrap_err(), read] {
            assert!(matches!(error.verdict(), Some(Verdict::LogAltered { .. })), "{error}");
            assert!(error.to_string().contains("put the file away"), "{error}");
        }
        store.close().await.unwrap();
        remove(&files.trust);
        made_anew(&files.open().await.unwrap(), &before, 3).await;
    }
}

#[tokio::test]
async fn an_older_trust_file_that_is_put_back_catches_up_and_says_so() {
    let files = Files::with_events(2).await;
    let older = files.copy().await;
    files.append(2..5).await;
    let before = closed_status(&files).await;
    remove(&files.trust);
    fs::copy(&older.trust, &files.trust).unwrap();
    let store = files.open().await.unwrap();
    let status = made_anew(&store, &before, 5).await;
    says(&status, "it ended at transaction 3, and its pin is at 6", Some(before.pin.state));
}

/// Of both files at once it is a past that is whole, but for the copy.
#[tokio::test]
async fn older_files_that_are_put_back_together_are_a_rollback() {
    let files = Files::with_events(2).await;
    let older = files.copy().await;
    files.append(2..5).await;
    let state = files.state().await;
    for (file, old) in [(&files.trust, &older.trust), (&files.ledger, &older.ledger)] {
        remove(file);
        fs::copy(old, file).unwrap();
    }
    for _ in 0..2 {
        let error = files.open().await.unwrap_err();
        let Some(Verdict::Rollback { pinned, found }) = error.verdict() else { panic!("{error}") };
        assert_eq!((*pinned, found.unwrap().tx.get()), (state, 3));
        rolled_back(&files.config(), state).await;
    }
    // An audit knows that too where there is no trust file at all.
    let old = fs::read(&older.trust).unwrap();
    remove(&files.trust);
    rolled_back(&files.config(), state).await;
    fs::write(&files.trust, old).unwrap();
    // Whoever means it takes the copy away too.
    fs::remove_file(beside(&files.trust, ".pin")).unwrap();
    assert_eq!(files.state().await.tx.get(), 3);
}

/// Forged rows whose end looks like the known one, further away than is taken
/// in at once: nothing of them is pinned, and nothing of them stays.
#[tokio::test]
async fn of_a_history_that_only_ends_as_it_should_nothing_stays() {
    let files = Files::with_events(2).await;
    let older = files.copy().await;
    let forged = older.copy().await;
    files.append(2..300).await;
    forged.append(1002..1300).await;
    let honest = files.copy().await;
    let Status { pin, .. } = closed_status(&files).await;
    let TrustedState { tx, alh } = pin.state;
    let claim = format!("UPDATE ledger_tx SET alh = x'{alh}' WHERE id = {tx}");
    assert_eq!(files::run(&forged.ledger, &claim).await, 1);
    files::run(&forged.ledger, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let copy = beside(&files.trust, ".pin");
    let known = fs::read(&copy).unwrap();
    let put = |from: &Path, to: &Path| {
        remove(to);
        fs::copy(from, to).unwrap();
    };
    for (log, configured) in
        [(Some(&older.trust), false), (None, false), (Some(&older.trust), true), (None, true)]
    {
        remove(&files.trust);
        if let Some(log) = log {
            put(log, &files.trust);
        }
        fs::write(&copy, &known).unwrap();
        let mut config = files.config();
        if configured {
            fs::remove_file(&copy).unwrap();
            config.trust.pin = Some(pin.state);
        }
        put(&forged.ledger, &files.ledger);
        for _ in 0..2 {
            let error = EventStore::open(&config).await.unwrap_err();
            let Some(Verdict::RowAltered { tx: altered, .. }) = error.verdict() else {
                panic!("{error}")
            };
            assert_eq!(*altered, tx);
        }
        put(&honest.ledger, &files.ledger);
        let store = EventStore::open(&config).await.unwrap();
        let status = store.status().await.unwrap();
        assert_eq!(status.pin.state, pin.state);
        assert!(store.findings().await.unwrap().is_empty());
        let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
        assert!(read.events.iter().map(|r| r.event.clone()).eq((0..300).map(event)));
        // What failed is no repair.
        assert_eq!(status.repairs.len(), usize::from(!configured));
    }
}

#[tokio::test]
async fn what_is_made_anew_is_held_to_the_copy() {
    let files = Files::with_events(3).await;
    let state = files.state().await;
    let (longer, shorter, other) =
        (files.copy().await, Files::with_events(3).await, Files::with_events(1).await);
    longer.append(3..4).await;
    for ledger in [&longer.ledger, &shorter.ledger, &other.ledger] {
        remove(&files.trust);
        remove(&files.ledger);
        files::run(ledger, "PRAGMA wal_checkpoint(TRUNCATE)").await;
        fs::copy(ledger, &files.ledger).unwrap();
        let error = files.open().await.unwrap_err();
        match error.verdict() {
            Some(Verdict::ExtendsPin { pinned, .. }) if *ledger == longer.ledger => {
                assert_eq!(*pinned, state);
            }
            Some(Verdict::Recreated { pinned, .. }) if *ledger != longer.ledger => {
                assert_eq!(*pinned, state);
            }
            _ => panic!("{error}"),
        }
    }
    remove(&files.ledger);
    let error = files.open().await.unwrap_err();
    assert_eq!(error.verdict(), Some(&Verdict::Missing { pinned: state }), "{error}");
}

/// What a ledger would grow on: a transaction over a damaged tree, or of another
/// table, is in it for good.
#[tokio::test]
async fn nothing_is_written_over_a_damaged_tree_or_for_another_table() {
    let honest = Files::with_events(600).await;
    for (sql, what) in [
        ("UPDATE tile SET hashes = zeroblob(64) WHERE level = 1", "tree"),
        ("UPDATE tile SET hashes = zeroblob(32) WHERE level = 1", "tile"),
        ("UPDATE tx SET alh = zeroblob(32) WHERE id = 599", "tree"),
        ("UPDATE tx SET ts = ts + 1 WHERE id = 601", "tree"),
        ("UPDATE meta SET value = 77 WHERE name = 'table_id'", "table"),
        ("UPDATE meta SET value = 2 WHERE name = 'genesis_tx'", "table"),
    ] {
        let files = honest.copy().await;
        files::run(&files.trust, sql).await;
        let error = files.open().await.unwrap_err();
        assert!(matches!(error.verdict(), Some(Verdict::LogAltered { .. })), "{sql}: {error}");
        assert!(error.to_string().contains(what), "{sql}: {error}");
        // With the copy of its pin it is made anew.
        fs::copy(beside(&honest.trust, ".pin"), beside(&files.trust, ".pin")).unwrap();
        let store = files.open().await.unwrap();
        assert_eq!(store.status().await.unwrap().repairs.len(), 1);
        store.add_event(&event(600)).await.unwrap();
        store.close().await.unwrap();
        let report = Audit::of(&files.config()).run().await.unwrap();
        assert_eq!(report.verdict, AuditVerdict::Intact, "{sql}: {report:?}");
    }
}

#[tokio::test]
async fn without_a_copy_nothing_is_believed() {
    let files = Files::with_events(3).await;
    let state = files.state().await;
    let copy = beside(&files.trust, ".pin");
    // It cannot be read: the error says what can be done.
    let mut bytes = fs::read(&files.trust).unwrap();
    bytes[100..4096].fill(7);
    fs::write(&files.trust, bytes).unwrap();
    fs::remove_file(&copy).unwrap();
    let error = files.open().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(Unavailable::DamagedLog { .. })), "{error}");
    assert!(error.to_string().contains("`pin` in [trust]"), "{error}");
    // Put away, it is a first contact.
    remove(&files.trust);
    let error = files.open().await.unwrap_err();
    assert!(matches!(error.verdict(), Some(Verdict::FirstContact { .. })), "{error}");
    let mut config = files.config();
    config.trust.pin = Some(state);
    let pin = EventStore::open(&config).await.unwrap().status().await.unwrap().pin;
    assert_eq!((pin.state, pin.anchor), (state, Anchor::Configured));
    // A copy that is not whole is none.
    remove(&files.trust);
    fs::write(&copy, "0".repeat(634)).unwrap();
    let error = files.open().await.unwrap_err();
    assert!(matches!(error.verdict(), Some(Verdict::FirstContact { .. })), "{error}");
}

#[tokio::test]
async fn a_copy_of_another_ledger_is_found_out() {
    let (files, other) = (Files::with_events(3).await, Files::with_events(2).await);
    fs::copy(beside(&other.trust, ".pin"), beside(&files.trust, ".pin")).unwrap();
    let error = files.open().await.unwrap_err();
    assert!(matches!(error.verdict(), Some(Verdict::LogAltered { .. })), "{error}");
    assert!(error.to_string().contains("put that one away"), "{error}");
    fs::remove_file(beside(&files.trust, ".pin")).unwrap();
    assert_eq!(files.state().await.tx.get(), 4);
}
