use counterfoil_core::TrustedState;
use sqlx::AssertSqlSafe;

use super::scan::MOST;
use super::*;
use crate::audit::{Audit, AuditReport, AuditVerdict};
use crate::body::{EventBody, StoredPayload};
use crate::config::FirstContact;
use crate::error::Error;
use crate::event::{Cover, Event};
use crate::golden::example_body;
use crate::sqlite;
use crate::store::EventStore;

/// A ledger of two events.
async fn ledger(folder: &Path) -> Config {
    let mut config = Config::embedded(folder.join("ledger"));
    config.trust.file = Some(folder.join("trust"));
    let store = EventStore::open(&config).await.unwrap();
    for n in 0..2 {
        let event = Event::new(&Cover::new("d", "r"), "Counted", format!("number {n}"));
        store.add_event(&event).await.unwrap();
    }
    store.close().await.unwrap();
    config
}

async fn run(path: &Path, kind: FileKind, sql: &str) {
    let mut conn = sqlite::open(path, kind, false).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.unwrap();
    sqlite::close(conn).await;
}

fn own(log: &Path) -> FileAt {
    FileAt { path: log.into(), unchanging: false, kind: FileKind::Log }
}

/// What a file can be made to be between two openings of it: each of these
/// answers what the ledger did.
const ALTERED: [&str; 6] = [
    "ALTER TABLE ledger_row RENAME TO kept; CREATE VIEW ledger_row AS SELECT * FROM kept",
    "ALTER TABLE ledger_row ADD COLUMN more AS (pos)",
    "ALTER TABLE ledger_tx RENAME TO kept; CREATE TABLE ledger_tx (id INTEGER PRIMARY KEY, \
     ts INTEGER NOT NULL, nentries INTEGER NOT NULL, alh BLOB NOT NULL) WITHOUT ROWID; \
     INSERT INTO ledger_tx SELECT * FROM kept; DROP TABLE kept",
    "CREATE TRIGGER thief AFTER INSERT ON ledger_tx BEGIN DELETE FROM ledger_row; END",
    "PRAGMA writable_schema = ON; \
     UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'ledger_row'",
    "PRAGMA application_id = 7",
];

#[tokio::test]
async fn a_scan_brings_nothing_of_a_file_that_it_has_not_looked_at_itself() {
    let folder = tempfile::tempdir().unwrap();
    let config = ledger(folder.path()).await;
    let path = &config.storage.embedded.path;
    let honest = std::fs::read(path).unwrap();
    for sql in ALTERED {
        let file = AuditedFile::open(&config).await.unwrap().unwrap();
        let all = |file: &AuditedFile| file.scan(None, TxId::new(1), TxId::new(3));
        let mut scan = all(&file);
        let chunk = scan.next().await.unwrap();
        assert_eq!((chunk.last, chunk.rows.len(), chunk.txs.len()), (3, 3, 3));
        scan.end().await;
        run(path, FileKind::Ledger, sql).await;
        let mut scan = all(&file);
        assert!(scan.next().await.is_none(), "{sql}");
        scan.end().await;
        file.close().await;
        std::fs::write(path, &honest).unwrap();
    }
}

/// In the middle of a scan, too.
#[tokio::test]
async fn what_was_looked_at_is_looked_at_again_once_its_schema_changed() {
    let folder = tempfile::tempdir().unwrap();
    let config = ledger(folder.path()).await;
    let path = config.storage.embedded.path.clone();
    let place = FileAt { path: path.clone(), unchanging: false, kind: FileKind::Ledger };
    let mut checked = Checked::open(&place).unwrap();
    let mut count = || {
        let sql = "SELECT count(*) FROM ledger_row";
        checked.as_of_one_moment(|conn| conn.query_row(sql, (), |row| row.get::<_, i64>(0)))
    };
    assert_eq!(count().unwrap(), 3);
    run(&path, FileKind::Ledger, "VACUUM").await;
    assert_eq!(count().unwrap(), 3);
    run(&path, FileKind::Ledger, ALTERED[0]).await;
    assert!(count().unwrap_err().to_string().contains("kept"));
}

/// It is not believed to be this client's log either.
#[tokio::test]
async fn another_file_in_the_own_logs_place_is_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let config = ledger(folder.path()).await;
    let log = config.trust.file.clone().unwrap();
    for (sql, failed) in [("PRAGMA user_version = 7", false), ("PRAGMA application_id = 7", true)] {
        run(&log, FileKind::Log, sql).await;
        let file = AuditedFile::open(&config).await.unwrap().unwrap();
        let mut scan = file.scan(Some(own(&log)), TxId::new(1), TxId::new(3));
        let chunk = scan.next().await.unwrap();
        assert_eq!((chunk.own_failed, chunk.own.len()), (failed, if failed { 0 } else { 3 }));
        scan.end().await;
        file.close().await;
    }
}

/// Transactions of many bytes, of one large row each or of many, and of many
/// rows without any.
#[tokio::test]
async fn a_chunk_is_bounded_whatever_the_file_holds() {
    let folder = tempfile::tempdir().unwrap();
    let config = ledger(folder.path()).await;
    let numbers = "WITH n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n LIMIT";
    run(
        &config.storage.embedded.path,
        FileKind::Ledger,
        &format!(
            "{numbers} 20) INSERT INTO ledger_row SELECT (4 << 16) + n, zeroblob(1048576) FROM n; \
             {numbers} 9) INSERT INTO ledger_row SELECT (5 + n) << 16, zeroblob(1048576) FROM n; \
             {numbers} 60000) INSERT INTO ledger_row SELECT (14 << 16) + n, x'' FROM n; \
             {numbers} 60000) INSERT INTO ledger_row SELECT (15 << 16) + n, x'' FROM n; \
             {numbers} 17) INSERT INTO ledger_tx SELECT 4 + n, 0, 1, zeroblob(32) FROM n"
        ),
    )
    .await;
    // Digests that no row is there for.
    let log = config.trust.file.clone().unwrap();
    run(
        &log,
        FileKind::Log,
        &format!(
            "{numbers} 17) INSERT INTO tx SELECT 4 + n, 0, 1, zeroblob(32), zeroblob(32), \
             zeroblob(iif(n > 11, 400000, 32)), NULL, 0 FROM n"
        ),
    )
    .await;
    let file = AuditedFile::open(&config).await.unwrap().unwrap();
    let mut scan = file.scan(Some(own(&log)), TxId::new(1), TxId::new(20));
    let mut chunks = Vec::new();
    while let Some(chunk) = scan.next().await {
        // With the row that is too many.
        assert!(chunk.values.len() <= MOST + (1 << 20), "{}", chunk.first);
        assert!(chunk.rows.len() <= 80_000 && chunk.digests.len() <= 1 << 20, "{}", chunk.first);
        chunks.push((chunk.first, chunk.last, chunk.left));
    }
    scan.end().await;
    file.close().await;
    let alone = (5..14).map(|tx| (tx, tx, false));
    let mut expected = vec![(1, 3, false), (4, 4, true)];
    expected.extend(alone);
    expected.extend([(14, 14, false), (15, 17, false), (18, 19, false), (20, 20, false)]);
    assert_eq!(chunks, expected);
}

/// A ledger of transactions with events of so many bytes, that was met here
/// and is pinned at its end. It is written in one commit: each has to wait for the
/// disk.
async fn met(folder: &Path, txs: impl Iterator<Item = Vec<usize>>) -> Config {
    let mut config = ledger(folder).await;
    let path = &config.storage.embedded.path;
    let mut conn = sqlite::open(path, FileKind::Ledger, true).await.unwrap();
    let sql = "SELECT ts, alh FROM ledger_tx ORDER BY id";
    let begun: Vec<(i64, Vec<u8>)> = sqlx::query_as(sql).fetch_all(&mut conn).await.unwrap();
    let mut end = LogEnd::default();
    for (ts, alh) in begun {
        let state = TrustedState { tx: end.next_id(), alh: Alh::new(alh.try_into().unwrap()) };
        end.push_state(state, ts).unwrap();
    }
    let ts = end.head().unwrap().ts;
    let table = schema::table(TABLE_ID).unwrap();
    let mut event_number = 0;
    sqlite::begin(&mut conn).await.unwrap();
    for sizes in txs {
        let id = end.next_id();
        let rows: Vec<StoredRow> = sizes
            .into_iter()
            .map(|size| {
                let body = EventBody {
                    event_number,
                    external_id: format!("{event_number}"),
                    payload: StoredPayload::Inline(vec![7; size].into()),
                    ..example_body()
                };
                event_number += 1;
                stored(&body)
            })
            .collect();
        let tx = new_tx(&end, id, ts, &rows).unwrap();
        for (row, entry) in rows.iter().zip(0..) {
            sqlx::query("INSERT INTO ledger_row VALUES (?, ?)")
                .bind(Position::new(id, entry).raw())
                .bind(schema::encode_value(&table, row).unwrap())
                .execute(&mut conn)
                .await
                .unwrap();
        }
        sqlx::query("INSERT INTO ledger_tx VALUES (?, ?, ?, ?)")
            .bind(sqlite::to_i64(id.get()))
            .bind(ts)
            .bind(i64::from(tx.record.nentries))
            .bind(&tx.record.alh.as_bytes()[..])
            .execute(&mut conn)
            .await
            .unwrap();
        end.push(&tx.record).unwrap();
    }
    sqlite::finish(&mut conn, Ok(())).await.map_err(Error::from).unwrap();
    sqlite::close(conn).await;
    config.trust.file = Some(folder.join("met"));
    config.trust.first_contact = FirstContact::Accept;
    EventStore::open(&config).await.unwrap().close().await.unwrap();
    config
}

fn stored(body: &EventBody) -> StoredRow {
    crate::proof::row_of(body, body.encode())
}

fn places(report: &AuditReport) -> Vec<(Option<TxId>, Option<u32>, Kind)> {
    report.inconsistencies.iter().map(|one| (one.tx, one.entry, one.kind)).collect()
}

/// Intact; and what is altered there is named, and nothing else.
async fn is_audited(config: &Config, transactions: u64, at: Position) {
    let report = Audit::of(config).run().await.unwrap();
    assert_eq!((report.verdict, places(&report)), (AuditVerdict::Intact, vec![]));
    assert_eq!((report.counts.transactions, report.counts.accounted), (transactions, transactions));
    let sql = format!(
        "UPDATE ledger_row SET value = CAST(substr(value, 1, length(value) - 1) || x'77' AS BLOB) \
         WHERE pos = {}",
        at.raw()
    );
    run(&config.storage.embedded.path, FileKind::Ledger, &sql).await;
    let report = Audit::of(config).run().await.unwrap();
    let expected = (Some(at.tx()), Some(at.entry()), Kind::AlteredRow);
    assert_eq!((report.verdict, places(&report)), (AuditVerdict::Broken, vec![expected]));
    assert_eq!(report.through.unwrap().tx.get(), transactions);
}

#[tokio::test]
async fn a_ledger_of_more_transactions_than_a_chunk_is_audited_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let config = met(folder.path(), (4..=1_060).map(|_| vec![9])).await;
    is_audited(&config, 1_060, Position::new(TxId::new(1_030), 0)).await;
}

#[tokio::test]
async fn a_transaction_of_more_bytes_than_a_chunk_is_audited_alone() {
    let folder = tempfile::tempdir().unwrap();
    let txs = [vec![9], vec![1_000_000; 9], vec![9; 3]];
    let config = met(folder.path(), txs.into_iter()).await;
    is_audited(&config, 6, Position::new(TxId::new(5), 8)).await;
}
