//! Audits of whole tables.

use counterfoil::{Audit, AuditVerdict, Cover, Event, EventStore, SqlValue};

use crate::tables::{Database, complete, place, tx, undecided};

#[tokio::test]
async fn a_table_beside_others_is_accounted_for_whole() {
    let mut db = Database::with(&[
        "CREATE TABLE t (id INTEGER, v VARCHAR[20], PRIMARY KEY id);",
        "CREATE TABLE other (id INTEGER AUTO_INCREMENT, PRIMARY KEY id);",
        "INSERT INTO t (id, v) VALUES (5, 'e'), (3, 'c'), (4, 'd');",
        "INSERT INTO other (id) VALUES (1);",
        "UPSERT INTO t (id, v) VALUES (4, 'D'), (3, 'c');",
        "DELETE FROM t WHERE id = 5;",
        "INSERT INTO t (id) VALUES (9);",
    ])
    .await;
    let tables = db.open().await;
    let report = tables.audit("t").await.unwrap();
    assert_eq!(report.verdict, AuditVerdict::Intact, "{report:?}");
    assert_eq!((&report.gaps[..], &report.inconsistencies[..]), (&[][..], &[][..]));
    assert_eq!((report.counts.rows, report.counts.deleted), (3, 1));
    assert_eq!((report.counts.revisions, report.counts.proven), (7, 7));
    assert_eq!((report.counts.transactions, report.pin.state.tx), (7, tx(7)));
    assert_eq!(report.table.unchanged, complete(7));
    // From then on what is read is known to be the newest.
    for (id, at) in [(3, (5, 1, false)), (4, (5, 0, false)), (5, (6, 0, true)), (9, (7, 0, false))]
    {
        let row = tables.verify_row("t", &[SqlValue::from(id)]).await.unwrap();
        assert_eq!((place(&row), row.latest), (at, complete(7)), "{id}");
    }
    // What is of no proven table is a gap, named, and not wrong.
    db.execute(&[
        "CREATE TABLE strange (id INTEGER, n INTEGER DEFAULT 1, PRIMARY KEY id);",
        "INSERT INTO strange (id) VALUES (1);",
        "INSERT INTO strange (id) VALUES (2), (3);",
        "INSERT INTO t (id) VALUES (10);",
    ])
    .await;
    let report = tables.audit("t").await.unwrap();
    assert_eq!((report.verdict, &report.inconsistencies[..]), (AuditVerdict::Incomplete, &[][..]));
    let gaps: Vec<_> = report.gaps.iter().map(|gap| (gap.tx.get(), gap.entries)).collect();
    assert_eq!(gaps, [(8, Some(4)), (9, Some(1)), (10, Some(2))]);
    assert_eq!((report.counts.rows, report.counts.proven), (4, 8));
    let row = tables.verify_row("t", &[9.into()]).await.unwrap();
    assert!(!row.latest.is_complete() && !row.table.unchanged.is_complete());
    let row = tables.verify_row("t", &[10.into()]).await.unwrap();
    assert!(row.latest.is_complete() && !row.table.unchanged.is_complete());
}

/// Rows of the event store lie in the same ledger, and are its own.
#[tokio::test]
async fn events_beside_a_table_are_no_gaps() {
    let mut db = Database::with(&["CREATE TABLE t (id INTEGER, PRIMARY KEY id);"]).await;
    let store = EventStore::open(&db.config()).await.unwrap();
    let cover = Cover::new("shipment", "1");
    store.add_event(&Event::new(&cover, "Counted", "1")).await.unwrap();
    db.execute(&["INSERT INTO t (id) VALUES (1);"]).await;
    store.add_event(&Event::new(&cover, "Counted", "2")).await.unwrap();
    drop(store);
    let tables = db.open().await;
    let report = tables.audit("t").await.unwrap();
    assert_eq!((report.verdict, report.counts.rows), (AuditVerdict::Intact, 1), "{report:?}");
    assert_eq!(report.counts.transactions, 5);
}

/// Somebody writes while the table is read, each time: what is newer than the
/// state is not held against it, nor called intact.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_may_be_written_to_meanwhile() {
    let db = Database::with(&[
        "CREATE TABLE t (id INTEGER, n INTEGER, PRIMARY KEY id);",
        "INSERT INTO t (id, n) VALUES (1, 0);",
    ])
    .await;
    let tables = db.open().await;
    assert_eq!(tables.audit("t").await.unwrap().verdict, AuditVerdict::Intact);
    db.before("HISTORY OF t", |n| {
        format!("UPSERT INTO t (id, n) VALUES (1, {n}), ({}, {n});", n + 1)
    });
    let report = tables.audit("t").await.unwrap();
    assert_eq!((report.verdict, &report.inconsistencies[..]), (AuditVerdict::Incomplete, &[][..]));
    let busy = undecided(tables.verify_row("t", &[1.into()]).await);
    assert!(busy.to_string().contains("the ledger grew"), "{busy}");
    db.repents();
    let report = tables.audit("t").await.unwrap();
    assert_eq!(report.verdict, AuditVerdict::Intact, "{report:?}");
    // Once only: then it is asked anew and answered.
    db.before("HISTORY OF t", |n| match n {
        1 => "UPSERT INTO t (id, n) VALUES (1, 77);".into(),
        _ => "CREATE TABLE IF NOT EXISTS t (id INTEGER, PRIMARY KEY id);".into(),
    });
    let row = tables.verify_row("t", &[1.into()]).await.unwrap();
    assert_eq!((row.get("n"), row.latest.is_complete()), (Some(&SqlValue::from(77)), true));
}

/// A log that ends before the table of events was created is a log like any other.
#[tokio::test]
async fn an_audit_accuses_no_log_that_ends_before_the_table_of_events() {
    let mut db = Database::with(&["CREATE TABLE t (id INTEGER, PRIMARY KEY id);"]).await;
    let config = db.config();
    assert_eq!(db.open().await.pin().await.unwrap().state.tx, tx(1));
    let folder = counterfoil_test_support::temp_dir("another");
    let mut another = config.clone();
    another.log.path = Some(folder.path().to_path_buf());
    let store = EventStore::open(&another).await.unwrap();
    let event = Event::new(&Cover::new("shipment", "1"), "Counted", "1");
    store.add_event(&event).await.unwrap();
    db.execute(&["INSERT INTO t (id) VALUES (1);"]).await;
    let report = Audit::of(&config).run().await.unwrap();
    assert_eq!((report.verdict, &report.inconsistencies[..]), (AuditVerdict::Incomplete, &[][..]));
    assert_eq!((report.counts.events, report.counts.unaccounted), (1, 2));
    assert_eq!(report.pinned.map(|state| state.tx), Some(tx(1)));
}
