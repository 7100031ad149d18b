//! A ledger file that was made to be more than a ledger: nothing is asked of
//! it, and nothing is acknowledged that it could drop.

use std::time::Duration;

use counterfoil::{Audit, AuditVerdict, EventStore, InconsistencyKind, Verdict, back_up};

use super::files::{self, Files, event};
use super::{opened, verdict};

const THIEF: &str = "CREATE TRIGGER thief AFTER INSERT ON ledger_tx WHEN new.id > 4 \
    BEGIN DELETE FROM ledger_row WHERE pos >> 16 = new.id; END";

const ENDLESS: &str = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id";

/// What can be in a file beside the two tables, or in their place, and what is
/// said of it.
fn alterations() -> Vec<(String, &'static str)> {
    let instead = "ALTER TABLE ledger_row RENAME TO kept; \
        CREATE VIEW ledger_row AS SELECT * FROM kept; \
        CREATE TRIGGER thief INSTEAD OF INSERT ON ledger_row BEGIN SELECT 1; END";
    let unsaid = "PRAGMA writable_schema = ON; \
        UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'ledger_row'";
    let endless = format!(
        "DROP TABLE ledger_tx; \
         CREATE VIEW ledger_tx AS {ENDLESS}, 0 AS ts, 1 AS nentries, zeroblob(32) AS alh FROM n"
    );
    let huge = "DROP TABLE ledger_row; CREATE VIEW ledger_row AS \
        SELECT id << 16 AS pos, zeroblob(400000000) AS value FROM ledger_tx";
    let repeated = "ALTER TABLE ledger_tx RENAME TO kept; CREATE TABLE ledger_tx \
        (id INTEGER, ts INTEGER NOT NULL, nentries INTEGER NOT NULL, alh BLOB NOT NULL); \
        INSERT INTO ledger_tx SELECT 1, ts, nentries, zeroblob(32) FROM kept WHERE id = 1; \
        INSERT INTO ledger_tx SELECT * FROM kept; DROP TABLE kept";
    let listed: [(&str, &'static str); 11] = [
        (THIEF, "it also has \"thief\""),
        (instead, "it has \"kept\" where ledger_row should be"),
        ("CREATE INDEX more ON ledger_tx (ts)", "it also has \"more\""),
        ("CREATE TABLE more (id INTEGER)", "it also has \"more\""),
        ("ANALYZE", "it also has \"sqlite_stat1\""),
        ("DROP TABLE ledger_row", "ledger_row is missing"),
        ("ALTER TABLE ledger_row ADD COLUMN more AS (pos)", "ledger_row is not the table"),
        (unsaid, "ledger_row is not the table"),
        (&endless, "it has \"ledger_row\" where ledger_tx should be"),
        (huge, "ledger_row is not the table"),
        (repeated, "it has \"ledger_row\" where ledger_tx should be"),
    ];
    listed.map(|(sql, what)| (sql.to_owned(), what)).into()
}

#[track_caller]
fn tells<T: std::fmt::Debug>(result: counterfoil::Result<T>, files: &Files, expected: &str) {
    let verdict = verdict(result);
    let Verdict::FileSchemaAltered { what } = &verdict else { panic!("{expected}: {verdict}") };
    assert!(what.contains(expected), "{what}: not {expected}");
    assert!(what.contains(files.ledger.to_str().unwrap()), "{what}");
}

#[tokio::test]
async fn a_ledger_file_is_its_two_tables_and_nothing_else() {
    let honest = Files::with_events(2).await;
    for (sql, expected) in alterations() {
        let files = honest.copy().await;
        files.tamper(&sql).await;
        let met = async {
            tells(files.open().await, &files, expected);
            tells(EventStore::open_read_only(&files.config()).await, &files, expected);
            tells(EventStore::open(&files.unknown().accepting()).await, &files, expected);
            tells(back_up(&files.config(), files.free("backup")).await, &files, expected);
            for config in [files.config(), files.unknown().config()] {
                let report = Audit::of(&config).run().await.unwrap();
                let [found] = &report.inconsistencies[..] else { panic!("{report:?}") };
                assert_eq!(found.kind, InconsistencyKind::AlteredFileSchema);
                assert!(found.detail.contains(expected), "{}", found.detail);
                assert_eq!((report.verdict, report.through), (AuditVerdict::Broken, None));
            }
        };
        let met = tokio::time::timeout(Duration::from_secs(30), met).await;
        assert!(met.is_ok(), "{sql}: it does not end");
    }
    // What leaves the schema as it is, is nobody's harm.
    honest.tamper("VACUUM").await;
    assert_eq!(opened(&honest.config()).await.state().await.unwrap().tx, super::tx(3));
}

/// The first event behind the trap would be gone, and proved all the same.
#[tokio::test]
async fn what_is_put_into_the_file_while_it_is_open_is_met_before_the_next_event() {
    let files = Files::with_events(2).await;
    let (store, reader) = (opened(&files.config()).await, files.config());
    let reader = EventStore::open_read_only(&reader).await.unwrap();
    files.tamper(THIEF).await;
    for n in 2..4 {
        tells(store.add_event(&event(n)).await, &files, "thief");
    }
    tells(reader.state().await, &files, "thief");
    tells(reader.list_domains(&Default::default()).await, &files, "thief");
    files.tamper("DROP TRIGGER thief").await;
    for n in 2..4 {
        store.add_event(&event(n)).await.unwrap();
    }
    assert_eq!(reader.read(&files::stream(), Default::default()).await.unwrap().events.len(), 4);
    drop(store);
    assert_eq!(files.state().await.tx, super::tx(5));
}
