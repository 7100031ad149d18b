//! Rows, tables and indexes that share a transaction.

use counterfoil::{SqlValue, Undecided};

use crate::tables::{Database, complete, int, place, tx, undecided};

#[tokio::test]
async fn rows_of_one_insert_are_found_in_its_order() {
    let db = Database::with(&[
        "CREATE TABLE t (id INTEGER, n INTEGER, PRIMARY KEY id);",
        "CREATE INDEX ON t(n);",
        "INSERT INTO t (id, n) VALUES (1, 10), (2, 20), (3, 30);",
        // In no order at all, but few.
        "INSERT INTO t (id, n) VALUES (15, 1), (12, 7), (14, 2), (11, 5), (13, 9);",
        // Many, in the order of another column.
        "INSERT INTO t (id, n) VALUES (29, 0), (25, 1), (27, 2), (21, 3), (28, 4), (22, 5), \
         (26, 6), (24, 7), (20, 8), (23, 9), (30, 10);",
        // Many, in none.
        "INSERT INTO t (id, n) VALUES (49, 1), (45, 0), (47, 5), (41, 3), (48, 4), (42, 2), \
         (46, 7), (44, 6), (40, 9), (43, 8), (50, 11);",
    ])
    .await;
    let tables = db.open().await;
    for (id, at) in
        [(1, (3, 0)), (3, (3, 2)), (15, (4, 0)), (13, (4, 4)), (29, (5, 0)), (30, (5, 10))]
    {
        let row = tables.verify_row("t", &[SqlValue::from(id)]).await.unwrap();
        assert_eq!(place(&row), (at.0, at.1, false), "{id}");
    }
    match undecided(tables.verify_row("t", &[SqlValue::from(45)]).await) {
        Undecided::RowUnproven { reason, .. } => {
            assert!(reason.contains("transaction 6") && reason.contains("order"), "{reason}");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_auto_increment_table_with_indexes_is_accounted_for() {
    let mut statements = vec![
        "CREATE TABLE a (id INTEGER AUTO_INCREMENT, name VARCHAR[20], PRIMARY KEY id);".to_owned(),
        "CREATE UNIQUE INDEX ON a(name);".to_owned(),
        "INSERT INTO a (name) VALUES ('x'), ('c'), ('m');".to_owned(),
        "INSERT INTO a (name) VALUES ('y');".to_owned(),
    ];
    let many: Vec<String> = (0..40).map(|n| format!("('{}')", n * 7 % 40)).collect();
    statements.push(format!("INSERT INTO a (name) VALUES {};", many.join(", ")));
    let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
    let db = Database::with(&statements).await;
    let tables = db.open().await;
    let row = tables.verify_row("a", &[SqlValue::from(2)]).await.unwrap();
    assert_eq!((place(&row), row.get("name")), ((3, 1, false), Some(&"c".into())));
    let row = tables.verify_row("a", &[SqlValue::from(30)]).await.unwrap();
    assert_eq!(place(&row), (5, 25, false));
    let report = tables.audit("a").await.unwrap();
    assert_eq!((report.counts.rows, report.counts.gaps), (44, 0), "{report:?}");
}

#[tokio::test]
async fn several_tables_in_one_transaction_are_told_apart() {
    let db = Database::with(&[
        "CREATE TABLE orders (id INTEGER, total INTEGER, PRIMARY KEY id);",
        "CREATE TABLE lines (order_id INTEGER, line INTEGER, item VARCHAR[20], \
         PRIMARY KEY (order_id, line));",
        "BEGIN TRANSACTION;",
        "INSERT INTO orders (id, total) VALUES (1, 30);",
        "INSERT INTO lines (order_id, line, item) VALUES (1, 1, 'a'), (1, 2, 'b');",
        "COMMIT;",
        "BEGIN TRANSACTION;",
        "INSERT INTO lines (order_id, line, item) VALUES (2, 2, 'd');",
        "INSERT INTO orders (id, total) VALUES (2, 40);",
        "INSERT INTO lines (order_id, line, item) VALUES (2, 1, 'c');",
        "COMMIT;",
    ])
    .await;
    let tables = db.open().await;
    for (key, at) in [([1, 1], (3, 1)), ([1, 2], (3, 2)), ([2, 1], (4, 2)), ([2, 2], (4, 0))] {
        let row = tables.verify_row("lines", &key.map(SqlValue::from)).await.unwrap();
        assert_eq!((place(&row), row.table.id), ((at.0, at.1, false), 2), "{key:?}");
    }
    let row = tables.verify_row("orders", &[2.into()]).await.unwrap();
    assert_eq!((place(&row), row.get("total")), ((4, 1, false), int(40).as_ref()));
    assert_eq!((row.latest, row.table.unchanged), (complete(4), complete(4)));
}

#[tokio::test]
async fn a_table_is_proved_whatever_it_was_created_with() {
    let db = Database::with(&[
        // With an index; with its first rows; with others.
        "BEGIN TRANSACTION;",
        "CREATE TABLE a (id INTEGER, n INTEGER, PRIMARY KEY id);",
        "CREATE INDEX ON a(n);",
        "COMMIT;",
        "BEGIN TRANSACTION;",
        "CREATE TABLE b (id INTEGER, n INTEGER, PRIMARY KEY id);",
        "CREATE UNIQUE INDEX ON b(n);",
        "INSERT INTO b (id, n) VALUES (2, 1), (1, 2);",
        "COMMIT;",
        "BEGIN TRANSACTION;",
        "CREATE TABLE c (id INTEGER, PRIMARY KEY id);",
        "CREATE TABLE d (id INTEGER, n INTEGER, PRIMARY KEY id);",
        "CREATE INDEX ON d(n);",
        "CREATE TABLE e (k VARCHAR[8], PRIMARY KEY k);",
        "COMMIT;",
        "CREATE INDEX ON a(id, n);",
        "INSERT INTO d (id, n) VALUES (1, 1);",
    ])
    .await;
    let tables = db.open().await;
    for (name, id, created) in [("a", 1, 1), ("b", 2, 2), ("c", 3, 3), ("d", 4, 3), ("e", 5, 3)] {
        let table = tables.prove(name).await.unwrap();
        assert_eq!((table.id, table.created), (id, tx(created)), "{name}");
    }
    let row = tables.verify_row("b", &[1.into()]).await.unwrap();
    assert_eq!(place(&row), (2, 6, false));
    let row = tables.verify_row("d", &[1.into()]).await.unwrap();
    assert_eq!((place(&row), row.table.unchanged), ((5, 0, false), complete(5)));
}

#[tokio::test]
async fn a_table_dropped_and_made_again_is_the_later_one() {
    let db = Database::with(&[
        "CREATE TABLE t (id INTEGER, PRIMARY KEY id);",
        "INSERT INTO t (id) VALUES (1);",
        "DROP TABLE t;",
        "CREATE TABLE t (id INTEGER, PRIMARY KEY id);",
        "INSERT INTO t (id) VALUES (1);",
    ])
    .await;
    let tables = db.open().await;
    let row = tables.verify_row("t", &[1.into()]).await.unwrap();
    assert_eq!((place(&row), row.table.id, row.table.created), ((5, 0, false), 2, tx(4)));
    assert_eq!((row.latest, row.table.unchanged), (complete(5), complete(5)));
}
