//! What reads in the order of the ledger check on the way: that the index leaves
//! nothing out. Of ledgers with everything in them that others can do, and of
//! logs from which a row was taken.

use std::path::PathBuf;

use counterfoil::{
    Audit, Config, Cover, Event, EventStore, FindingKind, FollowOptions, LedgerPosition,
    ReadOptions, Streams, TxId, Verdict,
};
use counterfoil_test_support::{Action, temp_dir, wait_until_closed};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use crate::authors::{body, insert, next};
use crate::harm::upsert;
use crate::hostile::{Liar, event, stream, tx};

/// Three events of one stream, and three of another in one transaction.
async fn begun(liar: &Liar) -> EventStore {
    let store = liar.with_events(3).await;
    append_three(&store).await;
    store
}

async fn append_three(store: &EventStore) {
    let other = Cover::new("shipment", "another");
    let three: Vec<_> = (0..3).map(|n| Event::new(&other, "Counted", format!("{n}"))).collect();
    store.append(&other, Default::default(), &three).await.unwrap();
}

/// All that a client reads in the ledger's order, in pages of each size, and what
/// it follows, chosen and not.
async fn all_of_it(store: &EventStore, events: usize) {
    let whole = store.read_all(None, None).await.unwrap();
    assert_eq!(whole.events.len(), events);
    for page in [1, 2, 5] {
        let (mut from, mut read) = (counterfoil::Bookmark::START, Vec::new());
        loop {
            let page = store.read_all_after(from, Some(page)).await.unwrap();
            from = page.bookmark.unwrap();
            if page.events.is_empty() {
                break;
            }
            read.extend(page.events);
        }
        assert_eq!(read, whole.events);
    }
    let domain = Streams::in_domain("shipment");
    for options in [FollowOptions::default(), FollowOptions::default().streams(domain)] {
        let mut tail = store.follow_with(LedgerPosition::START, options);
        let mut followed = Vec::new();
        while followed.len() < events {
            let item = tail.next().await.unwrap().unwrap();
            followed.extend(item.event().cloned());
        }
        assert_eq!(followed, whole.events);
    }
    let streams = store.list_streams(&Streams::all()).await.unwrap().streams;
    assert_eq!(streams.iter().map(|(_, next)| *next).sum::<u64>(), events as u64);
    assert_eq!(store.list_domains(&"".into()).await.unwrap(), ["shipment"]);
    assert_eq!(store.list_roots("shipment", &"".into()).await.unwrap().len(), streams.len());
}

/// The client that saw it happen, the one who audits him, and one that comes later.
async fn no_accusation(liar: &Liar, store: &EventStore, events: usize) {
    all_of_it(store, events).await;
    let report = Audit::of(&liar.config()).run().await.unwrap();
    assert_eq!((&report.inconsistencies[..], report.counts.events), (&[][..], events as u64));
    liar.honestly(async |later| all_of_it(&later, events).await).await;
}

#[tokio::test]
async fn no_honest_ledger_is_said_to_be_left_out_of_the_index() {
    let liar = Liar::new();
    let store = begun(&liar).await;
    let key = Liar::key;
    let update = |set: &str, n| format!("UPDATE events SET {set} WHERE {};", key(n));
    liar.operator(&[
        // Of one row: neither index, one, both; over what was written over; away.
        &update("body = x'00'", 0),
        &update("seen_tx = 9", 1),
        &upsert(1, "ab", 9),
        &upsert(1, "cd", 9),
        &format!("DELETE FROM events WHERE {};", key(2)),
        &upsert(2, "ef", 7),
        // Of several, and of several kinds.
        "UPDATE events SET seen_tx = 11 WHERE event_number > 0;",
        "BEGIN TRANSACTION;",
        &format!("DELETE FROM events WHERE {};", key(2)),
        &update("body = x'01', seen_tx = 12", 0),
        "COMMIT;",
        // Rows that are none: under a key far ahead, and over it.
        &upsert(9, "12", 1).replace("UPSERT", "INSERT"),
        &upsert(9, "34", 2),
        // The genesis row once more.
        "UPDATE events SET seen_tx = 1 WHERE domain = x'' AND root = x'' AND event_number = 0;",
    ])
    .await;
    no_accusation(&liar, &store, 6).await;
    // The table itself.
    liar.operator(&["CREATE INDEX ON events(event_number, seen_tx);"]).await;
    no_accusation(&liar, &store, 6).await;
    // Gaps.
    liar.operator(&[
        "CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);",
        "BEGIN TRANSACTION;",
        "INSERT INTO recipes (id) VALUES (1);",
        &update("body = x'02'", 1),
        "COMMIT;",
    ])
    .await;
    no_accusation(&liar, &store, 6).await;
    let kinds: Vec<_> = store.findings().await.unwrap().iter().map(|f| f.kind).collect();
    for kind in [
        FindingKind::Overwritten,
        FindingKind::Deleted,
        FindingKind::NotCanonical,
        FindingKind::Unaccounted,
        FindingKind::SchemaChanged,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} of {kinds:?}");
    }
}

/// A row that nobody can account for, and an event that was written over it: in
/// front of the event there are entries of which nothing is said, and nothing is
/// found.
async fn written_over_a_gap(liar: &Liar) -> EventStore {
    let store = begun(liar).await;
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    let proof = store.add_event(&event(3)).await.unwrap();
    let last = store.get_event_at_tx(&stream(), 3, proof.id).await.unwrap();
    assert_eq!(read.events.len(), 3);
    let over = next(&body(&proof), last.digest.to_bytes(), store.state().await.unwrap());
    liar.operator(&[
        "CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);",
        "BEGIN TRANSACTION;",
        "INSERT INTO recipes (id) VALUES (1);",
        &upsert(4, "ab", 9).replace("UPSERT", "INSERT"),
        "COMMIT;",
        &insert(&over).replace("INSERT", "UPSERT"),
    ])
    .await;
    assert_eq!(store.next_sequence(&stream()).await.unwrap(), 5);
    let kinds: Vec<_> = store.findings().await.unwrap().iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FindingKind::Unaccounted; 2]);
    store
}

#[tokio::test]
async fn an_event_that_was_written_over_a_gap_is_no_hole() {
    let liar = Liar::new();
    let store = written_over_a_gap(&liar).await;
    no_accusation(&liar, &store, 8).await;
}

/// The log of a client, to reach into behind its back.
fn log_of(config: &Config, ledger: &str) -> PathBuf {
    config.log.path.as_ref().unwrap().join(format!("{ledger}.log"))
}

/// From every log a row of an event is taken, each in its turn: also where others
/// wrote over rows, beside gaps, and in a transaction of several events.
#[tokio::test]
async fn no_row_of_an_event_can_be_taken_from_a_log_of_a_ledger_with_gaps() {
    let liar = Liar::new();
    let store = written_over_a_gap(&liar).await;
    let ledger = store.ledger_id().await.unwrap().to_string();
    // Behind the gap, too, there are several in one transaction.
    append_three(&store).await;
    drop(store);
    let update = "UPDATE events SET seen_tx = 11 WHERE event_number = 1;";
    liar.operator(&[update]).await;
    let log = temp_dir("short");
    let config = liar.honest(&log);
    let store = EventStore::open(&config).await.unwrap();
    let read = store.read_all(None, None).await.unwrap().events;
    assert_eq!(read.len(), 11);
    store.close().await.unwrap();
    let path = log_of(&config, &ledger);
    for event in read {
        let (tx, entry) = (event.tx.get(), event.entry);
        wait_until_closed(&path);
        let url = format!("sqlite://{}", path.display());
        let mut conn = SqliteConnection::connect(&url).await.unwrap();
        let at = tx << 16 | u64::from(entry);
        let take = format!(
            "CREATE TEMP TABLE kept AS SELECT * FROM event WHERE pos = {at}; \
             DELETE FROM event WHERE pos = {at};"
        );
        sqlx::raw_sql(AssertSqlSafe(take)).execute(&mut conn).await.unwrap();
        let store = EventStore::open(&config).await.unwrap();
        let error = store.read_all(None, None).await.unwrap_err();
        assert!(matches!(error.verdict(), Some(Verdict::LogAltered { .. })), "{error}");
        // Its place is named, or the first entry of which nothing is said; unless it
        // may have been one that others' writing left in an index.
        let place = format!("transaction {tx}, entry ");
        let text = error.to_string();
        assert!(text.contains(&place) || text.contains("events of a stream"), "{at}: {text}");
        let mut tail = store.follow(LedgerPosition::START);
        let told = loop {
            match tail.next().await.unwrap() {
                Ok(_) => {}
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!(told, text);
        drop(tail);
        store.close().await.unwrap();
        let back = "INSERT INTO event SELECT * FROM kept; DROP TABLE kept;";
        sqlx::raw_sql(back).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    }
    let store = EventStore::open(&config).await.unwrap();
    all_of_it(&store, 11).await;
}

/// A finding that was taken out could hide a gap, or a row that counts.
#[tokio::test]
async fn a_finding_that_explains_an_entry_or_a_gap_is_missed() {
    let liar = Liar::new();
    let store = begun(&liar).await;
    let ledger = store.ledger_id().await.unwrap().to_string();
    liar.operator(&[
        "UPDATE events SET seen_tx = 11 WHERE event_number = 1;",
        &format!("DELETE FROM events WHERE {};", Liar::key(2)),
        &upsert(9, "12", 1),
        "CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);",
        "CREATE INDEX ON events(event_number, seen_tx);",
    ])
    .await;
    let log = temp_dir("short");
    let config = liar.honest(&log);
    let store = EventStore::open(&config).await.unwrap();
    all_of_it(&store, 6).await;
    let findings = store.findings().await.unwrap();
    assert!(findings.len() > 4, "{findings:?}");
    let url = format!("sqlite://{}", log_of(&config, &ledger).display());
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    for finding in findings {
        let tx = finding.tx;
        let take = format!(
            "CREATE TEMP TABLE kept AS SELECT * FROM finding WHERE tx = {tx}; \
             DELETE FROM finding WHERE tx = {tx};"
        );
        sqlx::raw_sql(AssertSqlSafe(take)).execute(&mut conn).await.unwrap();
        for error in [
            store.read_all(None, None).await.unwrap_err(),
            store.read_all(Some(TxId::new(tx.get() - 1)), None).await.unwrap_err(),
        ] {
            assert!(matches!(error.verdict(), Some(Verdict::LogAltered { .. })), "{error}");
            assert!(error.to_string().contains(&format!("transaction {tx}")), "{error}");
        }
        let back = "INSERT INTO finding SELECT * FROM kept; DROP TABLE kept;";
        sqlx::raw_sql(back).execute(&mut conn).await.unwrap();
    }
    all_of_it(&store, 6).await;
}

/// A stream under another name is asked for by that: the server that has no such
/// rows is not accused, unless it does not show those of the true name either.
#[tokio::test]
async fn nobody_is_accused_of_a_stream_that_the_index_calls_otherwise() {
    let liar = Liar::new();
    let store = begun(&liar).await;
    let ledger = store.ledger_id().await.unwrap().to_string();
    let url = format!("sqlite://{}", log_of(&liar.config(), &ledger).display());
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    let rename = "UPDATE stream SET domain = x'78' WHERE root = x'616e6f74686572';";
    let done = sqlx::raw_sql(rename).execute(&mut conn).await.unwrap();
    assert_eq!(done.rows_affected(), 1);
    for error in [
        store.read_all(None, None).await.unwrap_err(),
        store.read(&Cover::new("x", "another"), ReadOptions::forward()).await.unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("transaction 5, entry 0 is indexed as another event"), "{text}");
    }
    liar.alters("FROM events SINCE TX", |_, _| Action::Instead(vec![]));
    let error = store.read_all(None, None).await.unwrap_err();
    assert_eq!(error.verdict(), Some(&Verdict::RowMissing { tx: tx(5), entry: 0 }));
}
