//! The same for the log of a real immudb.

use std::fs;
use std::path::{Path, PathBuf};

use counterfoil::{Anchor, Config, Event, EventStore, ExpectedVersion, Status, Verdict};
use counterfoil_test_support::{Server, TempDir, server, temp_dir, wait_until_closed};

use super::{beside, made_anew, parts, remove, rolled_back, says};
use crate::files::{event, stream};
use crate::on_server;

/// A database with so many events, and a closed client's log of it.
struct Closed {
    config: Config,
    folder: TempDir,
    before: Status,
}

impl Closed {
    async fn with_events(server: &Server, count: u64) -> Self {
        let folder = temp_dir("lost-log");
        let config = on_server::config(server, server.fresh_database_name(), &folder);
        let store = EventStore::open(&config).await.unwrap();
        for n in 0..count {
            store.add_event(&event(n)).await.unwrap();
        }
        let before = store.status().await.unwrap();
        assert_eq!(before.repairs, []);
        Self { config, folder, before }
    }

    async fn open(&self) -> Result<EventStore, counterfoil::Error> {
        EventStore::open(&self.config).await
    }

    fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.before.pin.ledger))
    }

    fn copy(&self) -> PathBuf {
        beside(&self.log(), ".pin")
    }

    /// Somebody else writes one event more.
    async fn goes_on(&self, n: u64) {
        let folder = temp_dir("somebody");
        let mut config = self.config.clone();
        config.log.path = Some(folder.path().to_path_buf());
        config.trust.pin = Some(self.before.pin.anchored_at);
        EventStore::open(&config).await.unwrap().add_event(&event(n)).await.unwrap();
    }
}

/// The log as it is, elsewhere.
fn kept(log: &Path) -> TempDir {
    let folder = temp_dir("backup");
    for part in parts(log).iter().filter(|part| part.exists()) {
        fs::copy(part, folder.join(part.file_name().unwrap())).unwrap();
    }
    folder
}

fn put_back(log: &Path, kept: &TempDir) {
    remove(log);
    for file in fs::read_dir(kept.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), log.parent().unwrap().join(file.file_name())).unwrap();
    }
}

#[tokio::test]
async fn a_log_that_is_gone_or_unreadable_is_made_anew_under_the_copy_of_its_pin() {
    for (damaged, cause) in [(None, "it was lost"), (Some(b"garbage".repeat(1000)), "was damaged")]
    {
        let closed = Closed::with_events(server(), 5).await;
        remove(&closed.log());
        if let Some(bytes) = damaged {
            fs::write(closed.log(), bytes).unwrap();
        }
        let store = closed.open().await.unwrap();
        let status = made_anew(&store, &closed.before, 5).await;
        assert_eq!(status.pin.anchor, Anchor::Created);
        says(&status, cause, Some(closed.before.pin.state));
    }
}

/// The ledger has gone on meanwhile: what came later follows the pin.
#[tokio::test]
async fn a_log_from_a_backup_catches_up_and_says_so() {
    let closed = Closed::with_events(server(), 2).await;
    let older = kept(&closed.log());
    let store = closed.open().await.unwrap();
    store.add_event(&event(2)).await.unwrap();
    let newer = store.state().await.unwrap();
    store.close().await.unwrap();
    closed.goes_on(3).await;
    put_back(&closed.log(), &older);
    let store = closed.open().await.unwrap();
    let status = store.status().await.unwrap();
    assert_eq!((status.pin.anchor, status.pin.state.tx.get()), (Anchor::Created, 5));
    says(&status, "it ended at transaction 3, and its pin is at 4", Some(newer));
}

#[tokio::test]
async fn without_a_copy_the_pin_is_lost_and_said_to_be() {
    let closed = Closed::with_events(server(), 3).await;
    let Status { pin, .. } = closed.before;
    remove(&closed.log());
    fs::remove_file(closed.copy()).unwrap();
    let error = closed.open().await.unwrap_err();
    let lost = Verdict::PinLost { ledger: pin.ledger, state: pin.state };
    assert_eq!(error.verdict(), Some(&lost), "{error}");
    // Not even asked twice.
    let error = closed.open().await.unwrap_err();
    assert_eq!(error.verdict(), Some(&lost), "{error}");
    let mut config = closed.config.clone();
    config.trust.pin = Some(pin.anchored_at);
    let status = EventStore::open(&config).await.unwrap().status().await.unwrap();
    assert_eq!((status.pin.anchor, status.pin.state), (Anchor::Configured, pin.state));
    says(&status, "and the copy of its pin", Some(pin.anchored_at));
}

/// The server went back to a backup, and so did the log, or the log is gone:
/// the copy of the pin knows better.
#[tokio::test]
async fn a_server_that_goes_back_with_the_log_is_found_out() {
    let mut private = Server::start_private();
    let server = private.server().clone();
    let closed = Closed::with_events(&server, 2).await;
    let (older, saved) = (kept(&closed.log()), private.save());
    let store = closed.open().await.unwrap();
    store.add_event(&event(2)).await.unwrap();
    store.add_event(&event(3)).await.unwrap();
    let newest = store.state().await.unwrap();
    store.close().await.unwrap();
    private.restore(&saved);
    for log in [Some(&older), None] {
        remove(&closed.log());
        if let Some(older) = log {
            put_back(&closed.log(), older);
        }
        // It says so every time.
        for _ in 0..2 {
            let error = closed.open().await.unwrap_err();
            let Some(Verdict::Rollback { pinned, .. }) = error.verdict() else { panic!("{error}") };
            assert_eq!(*pinned, newest);
            rolled_back(&closed.config, newest).await;
        }
    }
    // Written anew to the same length and beyond, it is another history.
    for n in 7..10 {
        closed.goes_on(n).await;
    }
    for log in [Some(&older), None] {
        remove(&closed.log());
        if let Some(older) = log {
            put_back(&closed.log(), older);
        }
        let error = closed.open().await.unwrap_err();
        let Some(Verdict::Fork { pinned, .. }) = error.verdict() else { panic!("{error}") };
        assert_eq!(*pinned, newest);
    }
}

/// Servers that went another way, not as far as the copy or further: nothing
/// of what they show on the way to it is pinned or stays.
#[tokio::test]
async fn of_another_history_before_the_copy_nothing_stays() {
    /// More than is taken in at once: so many transactions, with so many
    /// events in each.
    const FAR: u64 = 18;
    const EACH: u64 = 1000;
    async fn append(store: &EventStore, first: u64) {
        for n in 0..FAR {
            let first = first + n * EACH;
            let event = |n| Event::new(&stream(), "Counted", format!("number {n}"));
            let events: Vec<Event> = (first..first + EACH).map(event).collect();
            store.append(&stream(), ExpectedVersion::Any, &events).await.unwrap();
        }
    }
    let mut private = Server::start_private();
    let server = private.server().clone();
    let closed = Closed::with_events(&server, 2).await;
    wait_until_closed(&closed.log());
    let (older, base) = (kept(&closed.log()), private.save());
    let store = closed.open().await.unwrap();
    append(&store, 2).await;
    let pin = store.status().await.unwrap().pin;
    store.close().await.unwrap();
    let honest = private.save();
    private.restore(&base);
    for n in [5000, 5001] {
        closed.goes_on(n).await;
    }
    let shorter = private.save();
    let folder = temp_dir("far");
    let mut config = closed.config.clone();
    config.log.path = Some(folder.path().to_path_buf());
    config.trust.pin = Some(closed.before.pin.anchored_at);
    let store = EventStore::open(&config).await.unwrap();
    append(&store, 900_000).await;
    store.close().await.unwrap();
    let longer = private.save();
    let known = fs::read(closed.copy()).unwrap();
    for (log, forked, configured) in [
        (Some(&older), &shorter, false),
        (None, &shorter, false),
        (Some(&older), &longer, false),
        (None, &longer, true),
    ] {
        wait_until_closed(&closed.log());
        remove(&closed.log());
        if let Some(older) = log {
            put_back(&closed.log(), older);
        }
        fs::write(closed.copy(), &known).unwrap();
        let mut config = closed.config.clone();
        if configured {
            fs::remove_file(closed.copy()).unwrap();
            config.trust.pin = Some(pin.state);
        }
        private.restore(forked);
        for _ in 0..2 {
            wait_until_closed(&closed.log());
            let error = EventStore::open(&config).await.unwrap_err();
            match error.verdict() {
                Some(Verdict::Rollback { pinned, .. } | Verdict::Fork { pinned, .. }) => {
                    assert_eq!(*pinned, pin.state);
                }
                _ => panic!("{error}"),
            }
        }
        wait_until_closed(&closed.log());
        private.restore(&honest);
        let store = EventStore::open(&config).await.unwrap();
        let status = store.status().await.unwrap();
        assert_eq!((status.pin.state, status.pin.ledger), (pin.state, pin.ledger));
        assert!(status.completeness.is_complete());
        assert_eq!(store.next_sequence(&stream()).await.unwrap(), 2 + FAR * EACH);
        // What failed is no repair.
        assert_eq!(status.repairs.len(), usize::from(!configured || log.is_none()));
    }
}
