//! A liar in between: whatever it says, nothing false is accepted.

use counterfoil::{AuditVerdict, Error, InconsistencyKind as Kind, SqlValue, Undecided, Verdict};
use counterfoil_test_support::{Action, PgMessage};

use crate::tables::{Database, int, place, tx, undecided};

async fn ledger() -> Database {
    Database::with(&[
        "CREATE TABLE t (id INTEGER, price INTEGER, stock INTEGER, v VARCHAR[20], PRIMARY KEY id);",
        "INSERT INTO t (id, price, stock, v) VALUES (1, 100, 7, 'one');",
        "INSERT INTO t (id, price, stock, v) VALUES (2, 200, 8, 'two');",
        "UPDATE t SET price = 150 WHERE id = 1;",
        "INSERT INTO t (id, price, stock, v) VALUES (3, 300, 9, 'three'), (4, 400, 10, 'four');",
    ])
    .await
}

/// The row is not proved: altered, it is no row of the ledger.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>) {
    let why = undecided(result);
    assert!(matches!(why, Undecided::RowUnproven { .. }), "{why}");
}

#[tokio::test]
async fn an_altered_value_is_not_proved() {
    let db = ledger().await;
    let tables = db.open().await;
    for (column, text, other) in
        [("price", "150", "151"), ("stock", "7", "8"), ("v", "one", "uno"), ("v", "one", "")]
    {
        db.puts("FROM", column, text, other);
        refused(tables.verify_row("t", &[1.into()]).await);
    }
    for (text, other) in [("300", "400"), ("400", "300")] {
        db.puts("FROM", "price", text, other);
        refused(tables.verify_row("t", &[3.into()]).await);
        refused(tables.verify_row("t", &[4.into()]).await);
    }
    // One row in the place of another.
    db.alters("FROM", |context, message| {
        for (column, text) in [("price", "200"), ("stock", "8"), ("v", "two")] {
            if let Some(place) = context.column(column) {
                message.set_column(place, text);
            }
        }
        Action::Forward
    });
    refused(tables.verify_row("t", &[1.into()]).await);
    // The same with its own key, which nobody asked for.
    db.alters("FROM", |context, message| {
        for (column, text) in [("id", "2"), ("price", "200"), ("stock", "8"), ("v", "two")] {
            if let Some(place) = context.column(column) {
                message.set_column(place, text);
            }
        }
        Action::Forward
    });
    let why = undecided(tables.verify_row("t", &[1.into()]).await);
    assert_eq!(why, Undecided::NoTableRow { table: "t".into() });
    db.repents();
    let row = tables.verify_row("t", &[1.into()]).await.unwrap();
    assert_eq!((place(&row), row.get("price")), ((4, 0, false), int(150).as_ref()));
}

#[tokio::test]
async fn a_value_of_another_type_or_a_missing_one_is_not_proved() {
    let db = ledger().await;
    let tables = db.open().await;
    db.puts("FROM", "price", "150", "a lot");
    assert!(matches!(tables.verify_row("t", &[1.into()]).await, Err(Error::Unavailable(_))));
    db.alters("FROM", |context, message| {
        if let Some(place) = context.column("price") {
            let mut columns = message.columns().unwrap();
            columns[place] = None;
            *message = PgMessage::data_row(&columns);
        }
        Action::Forward
    });
    refused(tables.verify_row("t", &[1.into()]).await);
}

/// An older revision is in the ledger too. It is never called the newest, and
/// once the newest is known, its absence is told.
#[tokio::test]
async fn a_withheld_revision_is_never_made_up_for_by_an_older_one() {
    let db = ledger().await;
    let tables = db.open().await;
    db.hides("FROM", "price", "150");
    // The key's rows in HISTORY: the one from transaction 2.
    match tables.verify_row("t", &[1.into()]).await {
        Ok(row) => assert!(!row.latest.is_complete(), "{row:?}"),
        Err(Error::CannotDecide(_)) => {}
        Err(error) => panic!("{error}"),
    }
    let report = tables.audit("t").await.unwrap();
    assert_eq!(report.verdict, AuditVerdict::Incomplete, "{report:?}");
    assert_eq!(report.gaps.iter().map(|gap| gap.tx).collect::<Vec<_>>(), [tx(4)]);
    db.repents();
    assert_eq!(tables.audit("t").await.unwrap().verdict, AuditVerdict::Intact);
    db.hides("FROM", "price", "150");
    let error = tables.verify_row("t", &[1.into()]).await.unwrap_err();
    assert_eq!(error.verdict(), Some(&Verdict::RowMissing { tx: tx(4), entry: 0 }));
    db.hides("FROM", "id", "2");
    let error = tables.verify_row("t", &[2.into()]).await.unwrap_err();
    assert_eq!(error.verdict(), Some(&Verdict::RowMissing { tx: tx(3), entry: 0 }));
}

#[tokio::test]
async fn what_an_audit_is_shown_otherwise_is_told_with_its_place() {
    let db = ledger().await;
    let tables = db.open().await;
    for (at, lie) in
        [(4, ["price", "150", "151"]), (3, ["v", "two", "too"]), (5, ["stock", "9", "8"])]
    {
        // Only in the table as it is now: the history tells the truth.
        let [column, text, other] = lie;
        db.puts("UNTIL TX 5;", column, text, other);
        let report = tables.audit("t").await.unwrap();
        let told: Vec<_> = report.inconsistencies.iter().map(|i| (i.tx, i.kind)).collect();
        assert_eq!(told, [(Some(tx(at)), Kind::AlteredRow)], "{report:?}");
        assert_eq!(report.verdict, AuditVerdict::Broken);
    }
    db.hides("t UNTIL TX 5;", "id", "2");
    let report = tables.audit("t").await.unwrap();
    let told: Vec<_> = report.inconsistencies.iter().map(|i| (i.tx, i.entry, i.kind)).collect();
    assert_eq!(told, [(Some(tx(3)), Some(0), Kind::MissingRow)]);
    // And in its history, by whom it was told the truth before.
    db.hides("HISTORY", "id", "2");
    let report = tables.audit("t").await.unwrap();
    assert_eq!(report.inconsistencies[0].kind, Kind::MissingRow, "{report:?}");
    db.puts("FROM", "id", "4", "44");
    let report = tables.audit("t").await.unwrap();
    let kinds: Vec<_> = report.inconsistencies.iter().map(|i| i.kind).collect();
    assert_eq!(kinds, [Kind::SurplusRow, Kind::MissingRow], "{report:?}");
    db.repents();
    assert_eq!(tables.audit("t").await.unwrap().verdict, AuditVerdict::Intact);
}

#[tokio::test]
async fn a_false_description_proves_no_table() {
    let db = ledger().await;
    let tables = db.open().await;
    let is_refused = async |lie: &str| match tables.verify_row("t", &[1.into()]).await {
        Err(Error::CannotDecide(why)) => {
            assert!(matches!(*why, Undecided::TableUnproven { .. }), "{lie}: {why}");
        }
        other => panic!("{lie}: {other:?}"),
    };
    for (column, text, other) in [
        ("name", "price", "cost"),
        ("name", "price", "stock"),
        ("type", "INTEGER", "TIMESTAMP"),
        ("type", "VARCHAR", "BLOB"),
        ("max_length", "20", "21"),
        ("max_length", "20", "0"),
        ("nullable", "true", "false"),
        ("auto_increment", "false", "true"),
    ] {
        db.puts("COLUMNS", column, text, other);
        is_refused(&format!("{column} {text} {other}")).await;
    }
    // Two columns in each other's place.
    db.alters("COLUMNS", |context, message| {
        let name = context.column("name").unwrap();
        let text = message.columns().unwrap().swap_remove(name).unwrap();
        match &text[..] {
            b"price" => message.set_column(name, "stock"),
            b"stock" => message.set_column(name, "price"),
            _ => {}
        }
        Action::Forward
    });
    is_refused("swapped").await;
    db.hides("COLUMNS", "name", "v");
    is_refused("a column less").await;
    db.puts("INDEXES", "name", "t(id)", "t(price)");
    is_refused("another key").await;
    db.puts("INDEXES", "name", "t(id)", "t(id,price)");
    is_refused("a longer key").await;
    db.puts("INDEXES", "name", "t(id)", "nonsense");
    is_refused("no key").await;
    db.repents();
    assert_eq!(tables.verify_row("t", &[1.into()]).await.unwrap().table.id, 1);
}

/// Two tables that are alike but for their names: the one is never taken for
/// the other, whatever the server answers when asked for it.
#[tokio::test]
async fn rows_of_another_table_are_not_proved() {
    let db = Database::with(&[
        "CREATE TABLE a (id INTEGER, n INTEGER, PRIMARY KEY id);",
        "CREATE TABLE b (id INTEGER, n INTEGER, PRIMARY KEY id);",
        "INSERT INTO a (id, n) VALUES (1, 10);",
        "INSERT INTO b (id, n) VALUES (1, 20);",
    ])
    .await;
    let tables = db.open().await;
    db.puts("FROM", "n", "10", "20");
    refused(tables.verify_row("a", &[1.into()]).await);
    db.repents();
    assert_eq!(tables.verify_row("b", &[1.into()]).await.unwrap().get("n"), int(20).as_ref());
}

/// A dropped table's rows are not those of the table that has its name now.
#[tokio::test]
async fn the_rows_of_a_dropped_table_are_not_those_of_its_successor() {
    let mut db = Database::with(&[
        "CREATE TABLE t (id INTEGER, n INTEGER, PRIMARY KEY id);",
        "INSERT INTO t (id, n) VALUES (1, 10);",
    ])
    .await;
    db.execute(&[
        "DROP TABLE t;",
        "CREATE TABLE t (id INTEGER, n INTEGER, PRIMARY KEY id);",
        "INSERT INTO t (id, n) VALUES (1, 20);",
    ])
    .await;
    let tables = db.open().await;
    db.puts("FROM", "n", "20", "10");
    refused(tables.verify_row("t", &[SqlValue::from(1)]).await);
}

/// What a dropped table was is no definition of the one that has its name now.
#[tokio::test]
async fn an_outdated_definition_is_refused_or_not_said_to_hold() {
    let db = Database::with(&[
        "CREATE TABLE t (id INTEGER, price INTEGER, PRIMARY KEY id);",
        "INSERT INTO t (id, price) VALUES (1, 10);",
        "DROP TABLE t;",
        "CREATE TABLE t (id INTEGER, stock INTEGER, PRIMARY KEY id);",
        "INSERT INTO t (id, stock) VALUES (1, 20);",
    ])
    .await;
    let outdated = || db.puts("COLUMNS", "name", "stock", "price");
    outdated();
    let tables = db.open().await;
    let table = tables.prove("t").await.unwrap();
    assert_eq!((table.id, table.unchanged.is_complete()), (1, false));
    db.repents();
    assert_eq!(tables.prove("t").await.unwrap().id, 2);
    outdated();
    match undecided(tables.prove("t").await) {
        Undecided::TableUnproven { reason, .. } => {
            assert!(reason.contains("transaction 4"), "{reason}")
        }
        other => panic!("{other}"),
    }
}

/// Rows, revisions and deletions that are made up.
#[tokio::test]
async fn what_no_transaction_holds_is_told() {
    let db = ledger().await;
    let tables = db.open().await;
    assert_eq!(tables.audit("t").await.unwrap().verdict, AuditVerdict::Intact);
    let told = async || {
        let report = tables.audit("t").await.unwrap();
        assert_eq!(report.verdict, AuditVerdict::Broken, "{report:?}");
        report.inconsistencies.iter().map(|i| (i.tx, i.kind)).collect::<Vec<_>>()
    };
    let twice = |columns: &'static [(&'static str, &'static str)]| {
        move |context: &counterfoil_test_support::Context<'_>, message: &mut PgMessage| {
            let mut bytes = message.to_bytes();
            if message.columns().unwrap()[context.column("id").unwrap()].as_deref() == Some(b"2") {
                for (column, text) in columns {
                    message.set_column(context.column(column).unwrap(), *text);
                }
                bytes.extend(message.to_bytes());
            }
            Action::Instead(bytes)
        }
    };
    db.alters("HISTORY OF t", twice(&[("id", "7")]));
    assert_eq!(told().await, [(None, Kind::SurplusRow)]);
    db.alters("HISTORY OF t", twice(&[("price", "7")]));
    assert_eq!(told().await, [(Some(tx(3)), Kind::AlteredRow)]);
    // As HISTORY shows a deletion: the same once more.
    db.alters("HISTORY OF t", twice(&[]));
    assert_eq!(told().await, [(Some(tx(3)), Kind::SurplusRow)]);
    db.alters("t UNTIL TX 5;", twice(&[("id", "7")]));
    assert_eq!(told().await, [(None, Kind::SurplusRow)]);
}

/// A header that is altered in the answer ends the reading before any row.
#[tokio::test]
async fn an_altered_header_is_a_verdict() {
    let db = ledger().await;
    db.puts("immudb_tx(3)", "nentries", "1", "2");
    let opened = counterfoil::Tables::open(&db.config()).await;
    match opened {
        Err(Error::Ledger(_)) => {}
        // A header that does not recompute is opaque: its rows are not proved.
        Ok(tables) => {
            let refused = tables.verify_row("t", &[2.into()]).await;
            assert!(
                matches!(refused, Err(Error::CannotDecide(_) | Error::Ledger(_))),
                "{refused:?}"
            );
        }
        Err(error) => panic!("{error}"),
    }
}
