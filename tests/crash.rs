//! Writers that die: nothing acknowledged is lost, and whatever state the two
//! files were left in, the ledger opens again. Readers that die go on where
//! they were.

mod files;
mod killing;

use std::path::{Path, PathBuf};

use counterfoil::{
    Anchor, Audit, AuditReport, Config, Error, ExpectedVersion, ReadOptions, TxId, Verdict,
};
use files::{Files, event, run, stream};
use killing::readers;

/// Fails the ledger file's commit of transaction 4: its place is taken.
const LEDGER_FAILS: &str = "INSERT INTO ledger_row VALUES (4 << 16, x'00')";
const LEDGER_MENDED: &str = "DELETE FROM ledger_row WHERE pos = 4 << 16";
/// Fails the log's extension by a transaction, and so the move of the pin.
const LOG_FAILS: &str = "CREATE TRIGGER fails BEFORE INSERT ON tx \
    BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
const MENDED: &str = "DROP TRIGGER fails";

/// The ledger opens, has exactly these events, and takes another.
async fn whole(files: &Files, events: u64) {
    for more in [0, 1] {
        let store = files.open().await.unwrap();
        let status = store.status().await.unwrap();
        assert_eq!(status.pin.state.tx, TxId::new(events + more + 1));
        assert_eq!(status.pin.anchor, Anchor::Created);
        assert_eq!(
            (status.pin.anchored_at.tx, status.pin.ledger),
            (TxId::new(1), status.pin.anchored_at.alh)
        );
        assert!(status.completeness.is_complete());
        let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
        assert!(read.events.iter().map(|r| r.event.clone()).eq((0..events + more).map(event)));
        assert_eq!(store.findings().await.unwrap(), []);
        if more == 0 {
            let tx = store.add_event(&event(events)).await.unwrap();
            assert!(store.verify_event(&event(events), &tx.proof).await.unwrap());
        }
    }
}

// ---- The states that a crash can leave behind, made one by one.

#[tokio::test]
async fn announced_and_not_written_the_event_is_not_there() {
    let files = Files::with_events(2).await;
    let store = files.open().await.unwrap();
    run(&files.ledger, LEDGER_FAILS).await;
    store.add_event(&event(2)).await.unwrap_err();
    store.close().await.unwrap();
    assert_eq!(announced(&files).await, Some(4));
    run(&files.ledger, LEDGER_MENDED).await;
    whole(&files, 2).await;
}

#[tokio::test]
async fn written_and_not_pinned_the_event_is_there() {
    let files = Files::with_events(2).await;
    run(&files.trust, LOG_FAILS).await;
    let store = files.open().await.unwrap();
    store.add_event(&event(2)).await.unwrap_err();
    store.close().await.unwrap();
    assert_eq!(announced(&files).await, Some(4));
    run(&files.trust, MENDED).await;
    whole(&files, 3).await;
}

#[tokio::test]
async fn an_announcement_vouches_for_nothing_but_itself() {
    let files = Files::with_events(2).await;
    let other = files.copy().await;
    let store = files.open().await.unwrap();
    run(&files.ledger, LEDGER_FAILS).await;
    store.add_event(&event(2)).await.unwrap_err();
    store.close().await.unwrap();
    // Somebody else's transaction stands in the place that was announced.
    other.append([77]).await;
    let lie = other.trusted_by(&files);
    let found = other.state().await;
    let Err(Error::Ledger(verdict)) = lie.open().await else { panic!() };
    let Verdict::ExtendsPin { pinned, found: said } = *verdict else { panic!("{verdict}") };
    assert_eq!((pinned.tx, said), (TxId::new(3), found));
}

/// Every point at which the birth of a ledger can be interrupted, composed of
/// the files of one that was born.
#[tokio::test]
async fn a_birth_that_was_interrupted_is_finished() {
    const NOT_PINNED: &str = "UPDATE trust SET tx = NULL, alh = NULL, anchor = NULL, \
        anchor_tx = NULL, anchor_alh = NULL, pending_tx = 1, \
        pending_alh = (SELECT alh FROM tx WHERE id = 1)";
    const NO_LOG: &str = "DELETE FROM tx; DELETE FROM tile; DELETE FROM stream; DELETE FROM event";
    const NO_TABLE: &str = "DELETE FROM meta WHERE name != 'format'";
    const NO_LEDGER: &str = "DELETE FROM ledger_row; DELETE FROM ledger_tx";
    const NO_ANNOUNCEMENT: &str = "DELETE FROM trust";
    let born = Files::with_events(0).await;
    for (trust, ledger) in [
        // Everything but the anchor.
        (vec![NOT_PINNED], None),
        // The table is proved, the log is not written.
        (vec![NOT_PINNED, NO_LOG], None),
        // Nothing but the announcement and the ledger.
        (vec![NOT_PINNED, NO_LOG, NO_TABLE], None),
        // Nothing but the announcement.
        (vec![NOT_PINNED, NO_LOG, NO_TABLE], Some(NO_LEDGER)),
        // Not even that.
        (vec![NO_ANNOUNCEMENT, NO_LOG, NO_TABLE], Some(NO_LEDGER)),
        (vec![NO_ANNOUNCEMENT, NO_LOG, NO_TABLE, "DELETE FROM meta"], Some(NO_LEDGER)),
    ] {
        let files = born.copy().await;
        for sql in &trust {
            run(&files.trust, sql).await;
        }
        if let Some(sql) = ledger {
            run(&files.ledger, sql).await;
        }
        whole(&files, 0).await;
    }
    // A file that was only just made.
    for empty in [&born.ledger, &born.trust] {
        let files = Files::new();
        let path = if *empty == born.ledger { &files.ledger } else { &files.trust };
        std::fs::write(path, "").unwrap();
        whole(&files, 0).await;
    }
}

// ---- Failures that the writer survives.

#[tokio::test]
async fn a_store_goes_on_after_its_ledger_file_refused_a_write() {
    let files = Files::with_events(2).await;
    let store = files.open().await.unwrap();
    run(&files.ledger, LEDGER_FAILS).await;
    for _ in 0..2 {
        store.add_event(&event(2)).await.unwrap_err();
        assert_eq!(store.next_sequence(&stream()).await.unwrap(), 2);
        assert_eq!(store.state().await.unwrap().tx, TxId::new(3));
    }
    run(&files.ledger, LEDGER_MENDED).await;
    assert_eq!(store.add_event(&event(2)).await.unwrap().sequence, 2);
    store.close().await.unwrap();
    whole(&files, 3).await;
}

#[tokio::test]
async fn an_event_that_is_in_the_ledger_is_never_said_not_to_be() {
    let files = Files::with_events(2).await;
    let mut store = files.open().await.unwrap();
    run(&files.trust, LOG_FAILS).await;
    // The ledger has it, the log cannot take it in: nobody may say that it
    // was not written.
    let error = store.add_event(&event(2)).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error}");
    // And what is tried now must not make the ledger unopenable.
    for n in [2, 3] {
        store.add_event(&event(n)).await.unwrap_err();
    }
    run(&files.trust, MENDED).await;
    // Repeated with its external id it is found, in this store and the next.
    for _ in 0..2 {
        let appended = store.append(&stream(), ExpectedVersion::Any, &[event(2)]).await.unwrap();
        assert_eq!((appended.id, appended.repeated), (TxId::new(4), true));
        store.close().await.unwrap();
        store = files.open().await.unwrap();
    }
    store.close().await.unwrap();
    whole(&files, 3).await;
}

/// The transaction that the trust file announces.
async fn announced(files: &Files) -> Option<i64> {
    let mut hands = files::connect(&files.trust).await;
    sqlx::query_scalar("SELECT pending_tx FROM trust").fetch_one(&mut hands).await.unwrap()
}

// ---- Processes that are killed.

/// Up to so many milliseconds, evenly spread and in no order.
fn moments(count: u64, most: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |n| n * 61 % 97 * most / 97)
}

#[test]
fn nothing_acknowledged_is_lost_when_the_writer_of_a_file_is_killed() {
    let name = "nothing_acknowledged_is_lost_when_the_writer_of_a_file_is_killed";
    killing::writers(name, moments(24, 60), moments(16, 60), |folder| {
        format!(
            "[storage.embedded]\npath = '{0}/ledger'\n[trust]\nfile = '{0}/trust'\n",
            folder.display()
        )
    });
}

#[cfg(feature = "immudb")]
#[test]
fn nothing_acknowledged_is_lost_when_a_writer_to_immudb_is_killed() {
    let name = "nothing_acknowledged_is_lost_when_a_writer_to_immudb_is_killed";
    killing::writers(name, moments(10, 150), moments(6, 120), |folder| {
        let server = counterfoil_test_support::server();
        format!(
            "[storage]\nbackend = 'immudb'\n[storage.immudb]\nhost = '{}'\nport = {}\n\
             username = '{}'\npassword = '{}'\ndatabase = '{}'\n[log]\npath = '{}'\n",
            server.host,
            server.port,
            server.username,
            server.password,
            server.fresh_database_name(),
            folder.display()
        )
    });
}

// ---- Readers that are killed.

/// How far a log is: its last transaction and that one's Alh, and the pin.
#[derive(Debug, Clone, Default, PartialEq)]
struct Reached {
    end: i64,
    alh: Vec<u8>,
    pin: Option<i64>,
}

/// Looks into a log or into an audit's file. It must hold what was reached
/// before, and not end before it.
async fn look(file: &Path, before: &mut Reached) {
    if !file.exists() {
        assert_eq!(*before, Reached::default());
        return;
    }
    let mut hands = files::connect(file).await;
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('tx', 'trust')";
    let tables: i64 = sqlx::query_scalar(tables).fetch_one(&mut hands).await.unwrap();
    if tables < 2 {
        assert_eq!(*before, Reached::default());
        return;
    }
    let alh = "SELECT alh FROM tx WHERE id = ?";
    let held: Option<Vec<u8>> =
        sqlx::query_scalar(alh).bind(before.end).fetch_optional(&mut hands).await.unwrap();
    assert_eq!(held.unwrap_or_default(), before.alh, "transaction {}", before.end);
    let last = "SELECT id, alh FROM tx ORDER BY id DESC LIMIT 1";
    let last: Option<(i64, Vec<u8>)> =
        sqlx::query_as(last).fetch_optional(&mut hands).await.unwrap();
    let pin: Option<Option<i64>> =
        sqlx::query_scalar("SELECT tx FROM trust").fetch_optional(&mut hands).await.unwrap();
    let (end, alh) = last.unwrap_or_default();
    let now = Reached { end, alh, pin: pin.flatten() };
    assert!(now.end >= before.end && now.pin >= before.pin, "{before:?}, then {now:?}");
    *before = now;
}

/// Where an audit of this ledger, in a reader's process, keeps how far it is.
fn audit_file(config: &Config) -> PathBuf {
    let beside = config.log.path.clone().map(|folder| folder.join("audit"));
    beside.or(config.trust.file.clone()).unwrap().with_extension("audit")
}

async fn audits(config: Config) {
    Audit::of(&config).resume(audit_file(&config)).run().await.unwrap();
}

/// Kills auditors of this ledger until one comes to its end. What it reports
/// is what was reported without an interruption.
fn killed_auditors(name: &str, toml: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config::from_toml(toml).unwrap();
    let file = audit_file(&config);
    let time = readers::to_the_end(name, toml);
    for part in ["audit", "audit-wal", "audit-shm"] {
        let _ = std::fs::remove_file(file.with_extension(part));
    }
    let report: AuditReport = runtime.block_on(Audit::of(&config).run()).unwrap();
    let mut reached = Reached::default();
    let killed = readers::killed(name, toml, time, || runtime.block_on(look(&file, &mut reached)));
    assert!(killed > 1, "only {killed} auditors were killed");
    assert_eq!(reached.end as u64, report.counts.transactions);
    let resumed = runtime.block_on(Audit::of(&config).resume(&file).run()).unwrap();
    assert_eq!(resumed, report);
}

#[test]
fn an_audit_of_a_file_that_is_killed_goes_on_to_the_same_report() {
    if readers::reads(audits) {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let files = runtime.block_on(Files::with_events(900));
    runtime
        .block_on(run(&files.ledger, "UPDATE ledger_row SET value = x'00' WHERE pos = 700 << 16"));
    let toml = format!(
        "[storage.embedded]\npath = '{}'\n[trust]\nfile = '{}'\n",
        files.ledger.display(),
        files.trust.display()
    );
    killed_auditors("an_audit_of_a_file_that_is_killed_goes_on_to_the_same_report", &toml);
}

#[cfg(feature = "immudb")]
#[test]
fn readers_of_an_immudb_that_are_killed_go_on_where_they_were() {
    use counterfoil::EventStore;
    use counterfoil_test_support::{Options, Server, temp_dir};

    const EVENTS: u64 = 2_300;
    let name = "readers_of_an_immudb_that_are_killed_go_on_where_they_were";
    let synchronises = async |config: Config| match config.log.path.as_ref().unwrap() {
        path if path.ends_with("audited") => audits(config).await,
        _ => drop(EventStore::open(&config).await.unwrap()),
    };
    if readers::reads(synchronises) {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // Nobody cuts its power: it need not wait for its disk.
    let fast = Options { flags: vec!["--synced=false".into()], ..Options::default() };
    let private = Server::start_private_with(&fast);
    let server = private.server();
    let (database, folder) = (server.fresh_database_name(), temp_dir("readers"));
    let toml = |log: &str| {
        let log = folder.join(log);
        std::fs::create_dir_all(&log).unwrap();
        format!(
            "[storage]\nbackend = 'immudb'\n[storage.immudb]\nhost = '{}'\nport = {}\n\
             username = '{}'\npassword = '{}'\ndatabase = '{database}'\n[log]\npath = '{}'\n\
             [trust]\nfirst_contact = 'accept'\n",
            server.host,
            server.port,
            server.username,
            server.password,
            log.display()
        )
    };
    let (whole, state) = runtime.block_on(async {
        let writer = EventStore::open(&Config::from_toml(&toml("writer")).unwrap()).await.unwrap();
        for n in 0..EVENTS {
            writer.add_event(&event(n)).await.unwrap();
        }
        (writer.status().await.unwrap(), writer.state().await.unwrap())
    });

    // The first synchronisation of a long ledger.
    let time = readers::to_the_end(name, &toml("uninterrupted"));
    let log = folder.join(format!("interrupted/{}.log", whole.pin.ledger));
    let mut reached = Reached::default();
    let killed = readers::killed(name, &toml("interrupted"), time, || {
        runtime.block_on(look(&log, &mut reached));
    });
    assert!(killed > 1, "only {killed} readers were killed");
    assert_eq!((reached.end as u64, reached.pin), (state.tx.get(), Some(reached.end)));
    runtime.block_on(async {
        let config = Config::from_toml(&toml("interrupted")).unwrap();
        let store = EventStore::open(&config).await.unwrap();
        let status = store.status().await.unwrap();
        assert_eq!((status.pin.state, &status.completeness), (state, &whole.completeness));
        assert_eq!((status.pin.anchor, status.repairs), (Anchor::FirstContact, vec![]));
        assert_eq!(store.findings().await.unwrap(), []);
        let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
        assert!(read.events.iter().map(|r| r.event.clone()).eq((0..EVENTS).map(event)));
    });

    killed_auditors(name, &toml("audited"));
}
