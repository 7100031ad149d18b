//! Rows that were inserted one by one.

use counterfoil::{Completeness, Error, EventStore, SqlValue, Undecided, Verdict};
use counterfoil_test_support::{Action, PgMessage};

use crate::tables::{Database, complete, int, place, text, tx, undecided};

const ALL_TYPES: &str = "CREATE TABLE kinds (id INTEGER, v VARCHAR[40], b BOOLEAN, f FLOAT, \
    bl BLOB[64], u UUID, ts TIMESTAMP, j JSON, n INTEGER NOT NULL, longv VARCHAR, longb BLOB, \
    PRIMARY KEY id);";

const UUID: [u8; 16] = *b"\x11\x24\x48\xba\x8b\x24\x51\xce\x06\xa4\xb2\xea\x50\xc4\x75\xc2";

#[tokio::test]
async fn a_row_of_every_type_is_proved_with_its_place() {
    let db = Database::with(&[
        ALL_TYPES,
        "INSERT INTO kinds (id, v, b, f, bl, u, ts, j, n, longv, longb) VALUES (1, 'it''s', true, \
         -0.1, x'00ff', CAST('112448ba-8b24-51ce-06a4-b2ea50c475c2' AS UUID), \
         CAST('2021-12-08 13:46:23.12345' AS TIMESTAMP), '{\"a\":[1,2],\"b\":1.5}', 7, 'ü', x'');",
        "INSERT INTO kinds (id, n) VALUES (-2, -5);",
        "INSERT INTO kinds (id, n, b, f) VALUES (3, 0, false, 100000000000000000000000000.0);",
    ])
    .await;
    let tables = db.open().await;
    let row = tables.verify_row("kinds", &[SqlValue::from(1)]).await.unwrap();
    assert_eq!(
        row.values,
        [
            int(1),
            text("it's"),
            Some(SqlValue::Boolean(true)),
            Some(SqlValue::Float(-0.1)),
            Some(SqlValue::from(vec![0, 0xff])),
            Some(SqlValue::Uuid(UUID)),
            Some(SqlValue::Timestamp(1_638_971_183_123_450)),
            Some(SqlValue::Json("{\"a\":[1,2],\"b\":1.5}".into())),
            int(7),
            text("ü"),
            Some(SqlValue::from(vec![])),
        ]
    );
    assert_eq!(place(&row), (2, 0, false));
    assert_eq!((row.table.created, row.table.id, row.get("n")), (tx(1), 1, int(7).as_ref()));
    // Two later transactions are not accounted for: presence only.
    let gaps = Completeness::Incomplete { through: tx(4), gaps: 2, first: tx(3), acknowledged: 0 };
    assert_eq!((&row.latest, row.state.tx), (&gaps, tx(4)));
    let row = tables.verify_row("kinds", &[SqlValue::from(-2)]).await.unwrap();
    assert_eq!((place(&row), row.values.iter().flatten().count()), ((3, 0, false), 2));
    let row = tables.verify_row("kinds", &[SqlValue::from(3)]).await.unwrap();
    assert_eq!(row.get("f"), Some(&SqlValue::Float(1e26)));
    // By now every transaction is accounted for.
    assert_eq!((row.latest, row.table.unchanged), (complete(4), complete(4)));
}

#[tokio::test]
async fn nothing_is_created_and_an_event_store_may_come_later() {
    let mut db = Database::with(&["CREATE TABLE t (id INTEGER, PRIMARY KEY id);"]).await;
    let tables = db.open().await;
    assert_eq!(tables.names().await.unwrap(), ["t"]);
    assert_eq!(
        undecided(tables.verify_row("t", &[1.into()]).await),
        Undecided::NoTableRow { table: "t".into() }
    );
    assert_eq!(tables.pin().await.unwrap().state.tx, tx(1));
    drop(tables);
    // The pin holds for whoever comes next.
    db.execute(&["INSERT INTO t (id) VALUES (1);"]).await;
    let store = EventStore::open(&db.config()).await.unwrap();
    assert_eq!(store.state().await.unwrap().tx, tx(3));
    drop(store);
    let tables = db.open().await;
    let row = tables.verify_row("t", &[1.into()]).await.unwrap();
    // The creation of the events' table is the store's and accounted for.
    assert_eq!((place(&row), row.latest), ((2, 0, false), complete(3)));
    assert!(matches!(tables.verify_row("events", &[]).await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn keys_of_every_type_are_found() {
    let db = Database::with(&[
        "CREATE TABLE named (k VARCHAR[64], x INTEGER, PRIMARY KEY k);",
        "CREATE TABLE many (f FLOAT, b BOOLEAN, ts TIMESTAMP, u UUID, bl BLOB[8], x INTEGER, \
         PRIMARY KEY (bl, f, b, ts, u));",
        "INSERT INTO named (k, x) VALUES ('plain key_1', 1);",
        // What may not stand in a statement is found all the same.
        "INSERT INTO named (k, x) VALUES ('o''r; DROP (', 2);",
        "INSERT INTO many (f, b, ts, u, bl, x) VALUES (-0.0000001, true, \
         CAST('1960-12-08 13:46:23.000001' AS TIMESTAMP), \
         CAST('112448ba-8b24-51ce-06a4-b2ea50c475c2' AS UUID), x'00', 3);",
        "INSERT INTO named (k, x) VALUES ('', 4);",
    ])
    .await;
    let tables = db.open().await;
    for (key, x, at) in [("plain key_1", 1, 3), ("o'r; DROP (", 2, 4), ("", 4, 6)] {
        let row = tables.verify_row("named", &[key.into()]).await.unwrap();
        assert_eq!((row.get("x"), place(&row)), (int(x).as_ref(), (at, 0, false)), "{key:?}");
    }
    let key = [
        SqlValue::from(vec![0]),
        SqlValue::Float(-1e-7),
        SqlValue::Boolean(true),
        SqlValue::Timestamp(-286_020_816_999_999),
        SqlValue::Uuid(UUID),
    ];
    let row = tables.verify_row("many", &key).await.unwrap();
    assert_eq!((row.get("x"), place(&row)), (int(3).as_ref(), (5, 0, false)));
    // A key that the table does not have is told as one.
    for key in [&key[..4], &[SqlValue::from(1)][..], &[]] {
        assert!(matches!(tables.verify_row("many", key).await, Err(Error::Invalid(_))), "{key:?}");
    }
    let injected = tables.verify_row("named; DROP TABLE named", &["".into()]).await;
    assert!(matches!(injected, Err(Error::Invalid(_))), "{injected:?}");
}

/// The wire answers some texts, wherever they stand in a statement, with
/// something of its own: then the row is sought without them.
#[tokio::test]
async fn a_text_that_the_server_does_not_understand_is_done_without() {
    let db = Database::with(&[
        "CREATE TABLE named (k VARCHAR[64], x INTEGER, PRIMARY KEY k);",
        "INSERT INTO named (k, x) VALUES ('a', 1), ('b', 2);",
    ])
    .await;
    let tables = db.open().await;
    db.alters("WHERE k = ", |_, _| Action::Instead(vec![]));
    let row = tables.verify_row("named", &["b".into()]).await.unwrap();
    assert_eq!((place(&row), row.get("x")), ((2, 1, false), int(2).as_ref()));
    let canned = PgMessage::data_row(&[Some(b"".to_vec())]);
    db.alters("WHERE k = ", move |_, message| {
        *message = canned.clone();
        Action::Forward
    });
    let row = tables.verify_row("named", &["a".into()]).await.unwrap();
    assert_eq!(place(&row), (2, 0, false));
}

#[tokio::test]
async fn json_that_the_wire_shows_otherwise_cannot_be_decided() {
    let db = Database::with(&[
        "CREATE TABLE docs (id INTEGER, doc JSON, PRIMARY KEY id);",
        "INSERT INTO docs (id, doc) VALUES (1, '{\"b\": 1.50}');",
        "INSERT INTO docs (id, doc) VALUES (2, '{\"b\":1.5}');",
    ])
    .await;
    let tables = db.open().await;
    match undecided(tables.verify_row("docs", &[1.into()]).await) {
        Undecided::RowUnproven { table, reason } => {
            assert!(table == "docs" && reason.contains("JSON"), "{reason}");
        }
        other => panic!("{other}"),
    }
    let row = tables.verify_row("docs", &[2.into()]).await.unwrap();
    assert_eq!(place(&row), (3, 0, false));
}

#[tokio::test]
async fn a_table_that_cannot_be_derived_is_told_as_one() {
    let db = Database::with(&[
        "CREATE TABLE checked (id INTEGER, n INTEGER DEFAULT 5, PRIMARY KEY id);",
        "CREATE TABLE renamed (id INTEGER, a INTEGER, PRIMARY KEY id);",
        "ALTER TABLE renamed RENAME COLUMN a TO b;",
        "INSERT INTO renamed (id, b) VALUES (1, 2);",
    ])
    .await;
    let tables = db.open().await;
    for name in ["checked", "renamed"] {
        let why = undecided(tables.verify_row(name, &[1.into()]).await);
        assert!(matches!(&why, Undecided::TableUnproven { table, .. } if table == name), "{why}");
    }
    let why = undecided(tables.prove("none").await);
    assert_eq!(why, Undecided::NoTable { table: "none".into() });
}

#[tokio::test]
async fn another_ledger_than_the_pinned_one_is_refused() {
    let db = Database::with(&["CREATE TABLE t (id INTEGER, PRIMARY KEY id);"]).await;
    let mut config = db.config();
    config.trust.first_contact = counterfoil::FirstContact::Refuse;
    let refused = counterfoil::Tables::open(&config).await.unwrap_err();
    assert!(matches!(refused.verdict(), Some(Verdict::FirstContact { .. })), "{refused}");
}
