//! What this client keeps beside its log's records is compared, too: without
//! an index's row an event is not read, with another tile nothing is proved.

use counterfoil::InconsistencyKind::{OwnIndex, OwnLog};
use counterfoil::{Audit, AuditVerdict};

use crate::files::{self, Files, event};
use crate::places;

/// A ledger whose index has something to say of every kind: transaction 9 has
/// an event with a correlation id, 10 a row that holds a key of its stream and
/// is no event.
async fn indexed() -> Files {
    let files = Files::varied().await;
    let store = files.open().await.unwrap();
    store.add_event(&event(10).with_correlation_id("order 7")).await.unwrap();
    store.close().await.unwrap();
    files
}

#[tokio::test]
async fn whatever_the_index_lacks_or_says_otherwise_is_told_at_its_place() {
    let honest = indexed().await;
    assert_eq!(honest.audit().await.verdict, AuditVerdict::Intact);
    let at = |tx: u64, entry| Some((tx, entry));
    for (sql, expected) in [
        ("DELETE FROM event WHERE pos = 3 << 16", at(3, 0)),
        ("DELETE FROM event WHERE pos = (7 << 16) + 2", at(7, 2)),
        ("UPDATE event SET pos = (7 << 16) + 9 WHERE pos = (7 << 16) + 2", at(7, 2)),
        ("UPDATE event SET ext = zeroblob(32) WHERE pos = 4 << 16", at(4, 0)),
        ("UPDATE event SET number = 99 WHERE pos = 8 << 16", at(8, 0)),
        ("UPDATE event SET stream = 99 WHERE pos = 4 << 16", at(4, 0)),
        ("DELETE FROM correlation WHERE pos = 9 << 16", at(9, 0)),
        ("UPDATE correlation SET id = id + 1 WHERE pos = 9 << 16", at(9, 0)),
        ("INSERT INTO correlation VALUES (1, 5 << 16)", at(5, 0)),
        ("INSERT INTO held VALUES (1, 77, 6 << 16, 'because')", at(6, 0)),
        ("INSERT INTO finding VALUES (6, NULL, 'unaccounted', '')", None),
        ("INSERT INTO finding VALUES (6, 0, 'overwritten', '')", at(6, 0)),
        ("INSERT INTO finding VALUES (6, 0, 'nonsense', '')", at(6, 0)),
    ] {
        let files = honest.copy().await;
        assert_eq!(files::run(&files.trust, sql).await, 1, "{sql}");
        let report = files.audit().await;
        assert_eq!(report.verdict, AuditVerdict::Broken, "{sql}");
        let found = places(&report);
        let place = expected.map_or((6, None, OwnIndex), |(tx, entry)| (tx, Some(entry), OwnIndex));
        assert!(found.contains(&place), "{sql}: {found:?}");
        assert!(found.iter().all(|one| one.2 == OwnIndex), "{sql}: {found:?}");
        // The ledger is what it was.
        assert_eq!(report.counts.events, 11);
    }
}

/// What follows from the rest of the own log is looked at in it alone.
#[tokio::test]
async fn ends_of_streams_and_the_table_are_compared() {
    let honest = indexed().await;
    for (sql, expected) in [
        ("UPDATE stream SET next = next - 1 WHERE next > 0", (9, Some(0), OwnIndex)),
        ("UPDATE stream SET head = zeroblob(32) WHERE next > 0", (9, Some(0), OwnIndex)),
        ("UPDATE meta SET value = 77 WHERE name = 'table_id'", (0, None, OwnLog)),
        ("UPDATE meta SET value = 2 WHERE name = 'genesis_tx'", (0, None, OwnLog)),
        ("UPDATE tx SET digests = NULL WHERE id = 3", (3, None, OwnLog)),
        ("UPDATE tx SET opaque = 1 WHERE id = 3", (3, None, OwnLog)),
        ("DELETE FROM tx WHERE id = 3", (0, None, OwnLog)),
        ("INSERT INTO tile VALUES (0, 0, zeroblob(8192))", (0, None, OwnLog)),
        ("INSERT INTO tile VALUES (1, 0, zeroblob(32))", (0, None, OwnLog)),
        ("UPDATE meta SET value = value + 1 WHERE name = 'format'", (0, None, OwnLog)),
        ("DELETE FROM meta WHERE name = 'format'", (0, None, OwnLog)),
        ("UPDATE trust SET ledger = zeroblob(32)", (0, None, OwnLog)),
        ("UPDATE trust SET anchor_alh = zeroblob(32)", (0, None, OwnLog)),
    ] {
        let files = honest.copy().await;
        assert_eq!(files::run(&files.trust, sql).await, 1, "{sql}");
        assert_eq!(places(&files.audit().await), [expected], "{sql}");
    }
}

/// A header is more than what most headers differ in.
#[tokio::test]
async fn a_record_of_another_version_or_with_metadata_is_told() {
    let honest = indexed().await;
    for odd in
        ["00000000000000000002", "000100000000000000020000000000000001", "00010000000000000001"]
    {
        let files = honest.copy().await;
        files::run(&files.trust, &format!("UPDATE tx SET odd = x'{odd}' WHERE id = 3")).await;
        assert_eq!(places(&files.audit().await), [(3, None, OwnLog)], "{odd}");
    }
}

/// What is of no transaction is of none that could be compared.
#[tokio::test]
async fn what_the_own_log_has_of_no_transaction_is_told() {
    let honest = indexed().await;
    let record = |id: &str| {
        format!("INSERT INTO tx SELECT {id}, 0, 0, alh, alh, NULL, NULL, 0 FROM tx LIMIT 1")
    };
    for id in ["99", "10", "0", "-5"] {
        let files = honest.copy().await;
        files::run(&files.trust, &record(id)).await;
        assert_eq!(places(&files.audit().await), [(0, None, OwnLog)], "{id}");
    }
    let stream = "INSERT INTO stream VALUES (3, x'78', x'', x'79', 1, zeroblob(32)); ";
    let places_beyond = ["10 << 16", "5", "-5", "'x'"];
    for (place, tx) in places_beyond.into_iter().zip(["10", "0", "-5", "'x'"]) {
        let event = format!("{stream} INSERT INTO event VALUES ({place}, 3, 0, zeroblob(32))");
        for sql in [
            format!("INSERT INTO correlation VALUES (1, {place})"),
            format!("INSERT INTO held VALUES (1, 77, {place}, 'because')"),
            format!("INSERT INTO finding VALUES ({tx}, NULL, 'unaccounted', '')"),
            event,
        ] {
            // Only a number is the place of an event.
            if place == "'x'" && sql.contains("INTO event") {
                continue;
            }
            let files = honest.copy().await;
            files::run(&files.trust, &sql).await;
            assert_eq!(places(&files.audit().await), [(0, None, OwnIndex)], "{sql}");
        }
    }
}

/// Nor are streams without events.
#[tokio::test]
async fn streams_that_are_missing_or_have_nothing_in_them_are_told() {
    let honest = indexed().await;
    for (sql, most) in [
        ("DELETE FROM stream WHERE domain = x''", 2),
        ("UPDATE stream SET domain = x'78' WHERE domain = x''", 2),
        ("UPDATE stream SET id = 77 WHERE domain = x''", 1),
        ("INSERT INTO stream VALUES (3, x'78', x'', x'79', 0, zeroblob(32))", 1),
    ] {
        let files = honest.copy().await;
        assert_eq!(files::run(&files.trust, sql).await, 1, "{sql}");
        assert_eq!(places(&files.audit().await), vec![(0, None, OwnIndex); most], "{sql}");
    }
}

/// What would act by itself when the log is written to, or show another table.
#[tokio::test]
async fn what_nobody_made_in_the_own_log_is_told() {
    let honest = indexed().await;
    for sql in [
        "CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM event; END",
        "ALTER TABLE held RENAME TO h; CREATE VIEW held AS SELECT * FROM h",
    ] {
        let files = honest.copy().await;
        files::run(&files.trust, sql).await;
        assert_eq!(places(&files.audit().await), [(0, None, OwnLog)], "{sql}");
    }
}

/// It ends no audit.
#[tokio::test]
async fn a_table_that_is_not_there_or_not_to_be_read_is_told() {
    let honest = indexed().await;
    let tables =
        ["tx", "tile", "stream", "event", "correlation", "held", "finding", "meta", "trust"];
    let dropped = tables.map(|table| format!("DROP TABLE {table}"));
    let unread = "INSERT INTO finding VALUES (3.5, NULL, 'schema_changed', '')".to_owned();
    for sql in dropped.into_iter().chain([unread]) {
        let files = honest.copy().await;
        files::run(&files.trust, &sql).await;
        // SQLite's words depend on who reads it.
        let config = files.config();
        for audit in [Audit::of(&config), Audit::of(&config).resume(files.free("kept"))] {
            let report = audit.run().await.unwrap();
            assert_eq!(report.verdict, AuditVerdict::Broken, "{sql}");
            assert!(places(&report).iter().all(|one| one.2 == OwnLog), "{sql}: {report:?}");
            assert_eq!(report.counts.events, 11);
        }
    }
}

/// What SQLite looks up in is not the table. Here a gap that the table names
/// is not in the index by which gaps are found.
#[tokio::test]
async fn an_index_of_sqlites_own_that_lacks_a_row_is_told() {
    let files = indexed().await;
    let unhook = "PRAGMA writable_schema = ON; \
        CREATE TABLE kept AS SELECT * FROM sqlite_schema WHERE name = 'finding_gap'; \
        DELETE FROM sqlite_schema WHERE name = 'finding_gap'";
    assert_eq!(files::run(&files.trust, unhook).await, 1);
    let sql = "INSERT INTO finding VALUES (6, NULL, 'unaccounted', '')";
    assert_eq!(files::run(&files.trust, sql).await, 1);
    let hook = "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM kept; \
        DROP TABLE kept";
    files::run(&files.trust, hook).await;
    let report = files.audit().await;
    assert_eq!(places(&report), [(0, None, OwnLog), (6, None, OwnIndex)]);
    assert!(report.inconsistencies[0].detail.contains("finding_gap"), "{report:?}");
}

/// The same of what an event's id is looked up in: the table is right.
#[tokio::test]
async fn an_index_of_events_that_is_not_the_table_is_told() {
    let files = indexed().await;
    let run = async |sql: &str| files::run(&files.trust, sql).await;
    run("CREATE TABLE kept AS SELECT * FROM sqlite_schema WHERE tbl_name = 'event'; \
        CREATE TABLE ext AS SELECT ext FROM event WHERE pos = 4 << 16")
    .await;
    assert_eq!(run("UPDATE event SET ext = zeroblob(32) WHERE pos = 4 << 16").await, 1);
    run("PRAGMA writable_schema = ON; \
        UPDATE sqlite_schema SET sql = replace(sql, 'UNIQUE (ext)', 'CHECK (1)') \
        WHERE name = 'event'; DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_event_2'")
    .await;
    let back = "UPDATE event SET ext = (SELECT ext FROM ext) WHERE pos = 4 << 16";
    assert_eq!(run(back).await, 1);
    run("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE tbl_name = 'event'; \
        INSERT INTO sqlite_schema SELECT * FROM kept; DROP TABLE kept; DROP TABLE ext")
    .await;
    let report = files.audit().await;
    assert!(!report.inconsistencies.is_empty());
    for one in &report.inconsistencies {
        assert_eq!(one.kind, OwnLog, "{report:?}");
        assert!(one.detail.contains("sqlite_autoindex_event_2"), "{report:?}");
    }
}

#[tokio::test]
async fn tiles_are_compared() {
    let honest = Files::with_events(600).await;
    assert_eq!(honest.audit().await.verdict, AuditVerdict::Intact);
    for sql in [
        "UPDATE tile SET hashes = zeroblob(8192) WHERE level = 0 AND idx = 1",
        "UPDATE tile SET hashes = substr(hashes, 1, 32) WHERE level = 1",
        "UPDATE tile SET hashes = x'00' WHERE level = 0 AND idx = 0",
        "DELETE FROM tile WHERE level = 0 AND idx = 0",
        "INSERT INTO tile VALUES (0, 2, zeroblob(8192))",
    ] {
        let files = honest.copy().await;
        assert_eq!(files::run(&files.trust, sql).await, 1, "{sql}");
        assert_eq!(places(&files.audit().await), [(0, None, OwnLog)], "{sql}");
    }
}

/// Whoever writes meanwhile makes no difference, however the audit is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_own_log_that_grows_meanwhile_is_not_accused() {
    let files = Files::with_events(250).await;
    let store = files.open().await.unwrap();
    let (config, kept) = (files.config(), files.free("kept"));
    let from = store.state().await.unwrap();
    let writer = tokio::spawn(async move {
        for n in 250..400 {
            let event = event(n).with_correlation_id(format!("{}", n % 7));
            store.add_event(&event).await.unwrap();
        }
        store.close().await.unwrap();
    });
    let mut audits = 0;
    while !writer.is_finished() || audits % 3 != 0 {
        let audit = match audits % 3 {
            0 => Audit::of(&config),
            1 => Audit::of(&config).resume(&kept),
            _ => Audit::of(&config).from(from),
        };
        let report = audit.run().await.unwrap();
        assert_eq!((places(&report), report.verdict), (vec![], AuditVerdict::Intact), "{audits}");
        audits += 1;
    }
    writer.await.unwrap();
    assert!(audits > 3, "{audits}");
}
