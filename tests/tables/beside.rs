//! Tables in a database that holds key-value data too, and of which parts are
//! taken away.

use counterfoil::{AuditVerdict, Completeness, InconsistencyKind, TxId, Undecided, Verdict};
use counterfoil_test_support::{Server, server};

use crate::tables::{Database, complete, place, text, tx, undecided};

/// Nothing shows keys and values on the wire: their transactions are gaps, with
/// their places, and the rows around them are proved.
#[tokio::test]
async fn key_values_beside_a_table_are_gaps_and_cost_no_row() {
    let server = Server::start_private();
    let name = server.server().fresh_database_name();
    server.operate(&name, &["create"]);
    let mut db = Database::of(server.server(), name.clone()).await;
    db.execute(&[
        "CREATE TABLE t (id INTEGER, v VARCHAR[20], PRIMARY KEY id);",
        "INSERT INTO t (id, v) VALUES (1, 'a'), (2, 'b');",
    ])
    .await;
    server.operate(&name, &["set hello world", "set hello again"]);
    db.execute(&["UPSERT INTO t (id, v) VALUES (2, 'B');"]).await;
    let tables = db.open().await;
    let report = tables.audit("t").await.unwrap();
    assert_eq!((report.verdict, &report.inconsistencies[..]), (AuditVerdict::Incomplete, &[][..]));
    let gaps: Vec<_> = report.gaps.iter().map(|gap| (gap.tx.get(), gap.entries)).collect();
    assert_eq!(gaps, [(3, Some(1)), (4, Some(1))]);
    assert_eq!((report.counts.rows, report.counts.revisions, report.counts.proven), (2, 3, 3));
    let two = |through: u64, first: TxId| Completeness::Incomplete {
        through: tx(through),
        gaps: 2,
        first,
        acknowledged: 0,
    };
    let row = tables.verify_row("t", &[2.into()]).await.unwrap();
    assert_eq!((place(&row), row.latest), ((5, 0, false), complete(5)));
    assert_eq!(row.table.unchanged, two(5, tx(3)));
    // A key-value write could not have changed it, but nobody can tell that it was one.
    let row = tables.verify_row("t", &[1.into()]).await.unwrap();
    assert_eq!((place(&row), row.latest), ((2, 0, false), two(5, tx(3))));
    server.operate(&name, &["set hello world"]);
    let row = tables.verify_row("t", &[2.into()]).await.unwrap();
    assert!(!row.latest.is_complete(), "{:?}", row.latest);
}

/// TRUNCATE makes the table anew under another number, which nobody can prove:
/// rows that were proved and are shown no more are told, whoever took them away.
#[tokio::test]
async fn the_rows_of_a_table_that_is_emptied_are_missed_and_not_made_up_for() {
    let mut db = Database::with(&[
        "CREATE TABLE t (id INTEGER, v VARCHAR[20], PRIMARY KEY id);",
        "INSERT INTO t (id, v) VALUES (1, 'a'), (2, 'b');",
    ])
    .await;
    let tables = db.open().await;
    assert_eq!(tables.audit("t").await.unwrap().verdict, AuditVerdict::Intact);
    db.execute(&["TRUNCATE TABLE t;"]).await;
    // immudb makes its columns anew in any order: what is shown may be the table that was proved, or not.
    match tables.audit("t").await {
        Ok(report) => {
            let told = report.inconsistencies.iter().map(|i| (i.tx, i.entry, i.kind));
            let missing = |entry| (Some(tx(2)), Some(entry), InconsistencyKind::MissingRow);
            assert!(told.eq([missing(0), missing(1)]), "{report:?}");
            assert_eq!(report.gaps.iter().map(|gap| gap.tx).collect::<Vec<_>>(), [tx(3)]);
            assert!(!report.table.unchanged.is_complete());
            let error = tables.verify_row("t", &[1.into()]).await.unwrap_err();
            let missing = Verdict::RowMissing { tx: tx(2), entry: 0 };
            assert_eq!(error.verdict(), Some(&missing), "{error}");
        }
        unproven => {
            let why = undecided(unproven);
            assert!(matches!(why, Undecided::TableUnproven { .. }), "{why}");
        }
    }
    // A row of the new table is none of the old one's.
    db.execute(&["INSERT INTO t (id, v) VALUES (1, 'a');"]).await;
    let newcomer = Database::of(server(), db.name().into()).await;
    for reader in [tables, newcomer.open().await] {
        let why = undecided(reader.verify_row("t", &[1.into()]).await);
        let unproven =
            matches!(why, Undecided::RowUnproven { .. } | Undecided::TableUnproven { .. });
        assert!(unproven, "{why}");
    }
    // Whoever never saw the old rows is not told that all is well.
    if let Ok(report) = newcomer.open().await.audit("t").await {
        assert_eq!((report.verdict, report.counts.rows), (AuditVerdict::Incomplete, 0));
        assert_eq!(report.gaps.iter().map(|gap| gap.tx).collect::<Vec<_>>(), [tx(2), tx(3), tx(4)]);
    }
}

/// What the operator truncated is told as that; what is left is proved.
#[tokio::test]
async fn of_a_truncated_database_the_rows_that_are_left_are_proved() {
    let mut private = Server::start_private();
    let name = private.server().fresh_database_name();
    // Of small files.
    private.operate(&name, &["create"]);
    let mut db = Database::of(private.server(), name.clone()).await;
    db.execute(&["CREATE TABLE t (id INTEGER, v VARCHAR, PRIMARY KEY id);"]).await;
    let long = "x".repeat(3000);
    for n in 0..12 {
        db.execute(&[&format!("INSERT INTO t (id, v) VALUES ({n}, '{long}');")]).await;
    }
    let tables = db.open().await;
    let report = tables.audit("t").await.unwrap();
    assert_eq!((report.verdict, report.counts.proven), (AuditVerdict::Intact, 12));
    drop((tables, db));
    private.restart_tomorrow();
    private.operate(&name, &["truncate"]);
    let db = Database::of(private.server(), name).await;
    let tables = db.open().await;
    let truncated = Undecided::Truncated { table: "t".into(), by: tx(14) };
    assert_eq!(undecided(tables.verify_row("t", &[0.into()]).await), truncated);
    assert_eq!(undecided(tables.audit("t").await), truncated);
    let row = tables.verify_row("t", &[11.into()]).await.unwrap();
    assert_eq!((place(&row), row.get("v")), ((13, 0, false), text(&long).as_ref()));
}
