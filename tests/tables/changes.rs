//! Rows that were changed: UPDATE, UPSERT and DELETE.

use counterfoil::{AuditVerdict, SqlValue, Undecided};

use crate::tables::{Database, complete, int, place, undecided};

const TABLE: [&str; 5] = [
    "CREATE TABLE t (id INTEGER, n INTEGER, v VARCHAR[10], x INTEGER, PRIMARY KEY id);",
    "CREATE INDEX ON t(n);",
    "CREATE INDEX ON t(v, n);",
    "INSERT INTO t (id, n, v) VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c');",
    "INSERT INTO t (id, n) VALUES (4, 40);",
];

async fn changed(statements: &[&str]) -> Database {
    Database::with(&[&TABLE, statements].concat()).await
}

#[tokio::test]
async fn the_newest_revision_is_proved_whatever_indexes_it_leaves() {
    // Transactions 6 to 9: no index, both, one (NULL to a value), both again.
    let db = changed(&[
        "UPDATE t SET x = 5 WHERE id = 1;",
        "UPDATE t SET n = 11 WHERE id = 1;",
        "UPDATE t SET v = 'z' WHERE id = 4;",
        "UPSERT INTO t (id, n, v) VALUES (2, 21, 'y');",
    ])
    .await;
    let tables = db.open().await;
    for (id, at, n) in [(1, (7, 2), 11), (4, (8, 1), 40), (2, (9, 2), 21)] {
        let row = tables.verify_row("t", &[SqlValue::from(id)]).await.unwrap();
        assert_eq!((place(&row), row.get("n")), ((at.0, at.1, false), int(n).as_ref()), "{id}");
    }
    let row = tables.verify_row("t", &[3.into()]).await.unwrap();
    assert_eq!((place(&row), row.get("v")), ((4, 2, false), Some(&"c".into())));
}

#[tokio::test]
async fn a_deleted_row_is_proved_to_be_deleted() {
    let db = changed(&[
        "DELETE FROM t WHERE id = 4;",
        "DELETE FROM t WHERE id > 1;",
        "INSERT INTO t (id, n) VALUES (4, 40);",
    ])
    .await;
    let tables = db.open().await;
    let row = tables.verify_row("t", &[2.into()]).await.unwrap();
    assert_eq!((place(&row), row.get("v")), ((7, 0, true), Some(&"b".into())));
    let row = tables.verify_row("t", &[3.into()]).await.unwrap();
    assert_eq!(place(&row), (7, 1, true));
    let row = tables.verify_row("t", &[4.into()]).await.unwrap();
    assert_eq!((place(&row), row.latest), ((8, 0, false), complete(8)));
}

#[tokio::test]
async fn several_rows_changed_at_once_are_accounted_for() {
    let db = changed(&[
        "UPDATE t SET n = 99 WHERE id < 4;",
        "BEGIN TRANSACTION;",
        "DELETE FROM t WHERE id = 3;",
        "UPDATE t SET v = 'q', n = 1 WHERE id = 1;",
        "INSERT INTO t (id, n) VALUES (5, 50);",
        "COMMIT;",
        "UPDATE t SET n = 50 WHERE id = 5;",
    ])
    .await;
    let tables = db.open().await;
    let report = tables.audit("t").await.unwrap();
    assert_eq!(report.gaps, [], "{report:?}");
    for (id, at) in [(2, (6, 5, false)), (3, (7, 0, true)), (1, (7, 3, false)), (5, (8, 0, false))]
    {
        let row = tables.verify_row("t", &[SqlValue::from(id)]).await.unwrap();
        assert_eq!((place(&row), row.latest), (at, complete(8)), "{id}");
    }
}

/// A content that comes back in a transaction that cannot be put together:
/// neither is the first one taken for the last, nor is the server called wrong.
#[tokio::test]
async fn a_content_that_comes_back_is_not_mistaken_for_the_first() {
    let mut db = Database::with(&[
        "CREATE TABLE t (id INTEGER, n INTEGER, PRIMARY KEY id);",
        "INSERT INTO t (id, n) VALUES (1, 10);",
        "UPDATE t SET n = 20 WHERE id = 1;",
        "UPSERT INTO t (id, n) VALUES (49, 1), (45, 0), (1, 10), (41, 3), (48, 4), (42, 2), \
         (46, 7), (44, 6), (40, 9), (43, 8), (50, 11);",
    ])
    .await;
    let tables = db.open().await;
    // Where nothing is known of the second, the first is proved to be present.
    let row = tables.verify_row("t", &[1.into()]).await.unwrap();
    assert_eq!((place(&row), row.latest.is_complete()), ((2, 0, false), false));
    let report = tables.audit("t").await.unwrap();
    assert_eq!((report.verdict, report.counts.gaps), (AuditVerdict::Incomplete, 1), "{report:?}");
    assert_eq!(report.inconsistencies, []);
    let why = undecided(tables.verify_row("t", &[1.into()]).await);
    assert!(matches!(why, Undecided::RowUnproven { .. }), "{why}");
    // Once more, alone: that is the last.
    db.execute(&["UPSERT INTO t (id, n) VALUES (1, 10);"]).await;
    let row = tables.verify_row("t", &[1.into()]).await.unwrap();
    assert_eq!((place(&row), row.latest), ((5, 0, false), complete(5)));
}

/// The same where the last one can be put together, and what came between is
/// known already.
#[tokio::test]
async fn the_last_writing_of_a_content_that_comes_back_is_found() {
    let mut db = Database::with(&[
        "CREATE TABLE t (id INTEGER, n INTEGER, PRIMARY KEY id);",
        "INSERT INTO t (id, n) VALUES (1, 10);",
        "UPDATE t SET n = 20 WHERE id = 1;",
    ])
    .await;
    let tables = db.open().await;
    let row = tables.verify_row("t", &[1.into()]).await.unwrap();
    assert_eq!(place(&row), (3, 0, false));
    db.execute(&["UPSERT INTO t (id, n) VALUES (2, 7), (1, 10);"]).await;
    let row = tables.verify_row("t", &[1.into()]).await.unwrap();
    assert_eq!((place(&row), row.get("n")), ((4, 1, false), int(10).as_ref()));
}
