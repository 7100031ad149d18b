//! Audits of an embedded ledger: everything that was changed underneath is
//! told, with its place, and nothing else is.

mod files;
#[path = "audit/from_state.rs"]
mod from_state;
#[path = "audit/long.rs"]
mod long;
#[path = "audit/own.rs"]
mod own;
#[path = "audit/payloads.rs"]
mod payloads;
#[path = "audit/resuming.rs"]
mod resuming;
#[path = "audit/states.rs"]
mod states;

use counterfoil::InconsistencyKind::{
    AlteredHash, AlteredHeader, AlteredRow, AlteredTx, MissingRow, MissingTx, SurplusRow,
};
use counterfoil::{
    Audit, AuditReport, AuditVerdict, Event, ExpectedVersion, InconsistencyKind, TxId,
};
use files::{Files, event, stream};
use sqlx::{AssertSqlSafe, Row as _};

impl Files {
    /// An audit, both ways: in memory, and in the tables of a file from which
    /// it could go on.
    async fn audit(&self) -> AuditReport {
        let report = Audit::of(&self.config()).run().await.unwrap();
        let kept = Audit::of(&self.config()).resume(self.free("kept")).run().await;
        assert_eq!(kept.unwrap(), report);
        report
    }

    /// The same, by somebody who has no log of the ledger.
    async fn audit_by_a_stranger(&self) -> AuditReport {
        Self { trust: self.free("trust"), ..self.clone() }.audit().await
    }

    /// A ledger of several streams and appends, the last one with many rows:
    /// transactions 2 to 6 hold one event each, 7 holds four, 8 holds one.
    async fn varied() -> Self {
        let files = Self::with_events(5).await;
        let store = files.open().await.unwrap();
        let many: Vec<Event> = (5..9).map(|n| event(n).with_external_id("")).collect();
        store.append(&stream(), ExpectedVersion::Any, &many).await.unwrap();
        store.add_event(&event(9)).await.unwrap();
        store.close().await.unwrap();
        files
    }

    async fn tamper(&self, sql: &str) {
        assert!(files::run(&self.ledger, sql).await > 0, "{sql}");
    }
}

/// What a report says, in short.
fn places(report: &AuditReport) -> Vec<(u64, Option<u32>, InconsistencyKind)> {
    assert_eq!(report.inconsistencies.len() as u64, report.inconsistencies_total);
    let place = |tx: Option<TxId>| tx.map_or(0, TxId::get);
    report.inconsistencies.iter().map(|one| (place(one.tx), one.entry, one.kind)).collect()
}

/// The last byte of a value: part of the body's bookkeeping.
fn alter(pos: &str) -> String {
    format!(
        "UPDATE ledger_row SET value = CAST(substr(value, 1, length(value) - 1) || \
         x'77' AS BLOB) WHERE pos = {pos};"
    )
}

#[tokio::test]
async fn an_honest_ledger_is_intact_and_counted() {
    let files = Files::varied().await;
    let report = files.audit().await;
    assert_eq!(report.verdict, AuditVerdict::Intact);
    assert_eq!((places(&report), &report.findings[..]), (vec![], &[][..]));
    let state = files.state().await;
    assert_eq!(
        (report.through, report.claimed, report.pinned),
        (Some(state), Some(state), Some(state))
    );
    let counts = report.counts;
    assert_eq!((counts.transactions, counts.accounted, counts.unaccounted), (8, 8, 0));
    assert_eq!((counts.events, counts.streams), (10, 1));
    // The genesis has eleven catalog entries and a row.
    assert_eq!((counts.entries_accounted, counts.entries_unaccounted), (12 + 10, 0));
    assert!(serde_json::to_string(&report).unwrap().contains(r#""verdict":"intact""#));
}

#[tokio::test]
async fn everything_that_was_changed_is_told_at_once_and_with_its_place() {
    let files = Files::varied().await;
    files
        .tamper(&[
            alter("3 << 16"),
            "UPDATE ledger_tx SET ts = ts - 1 WHERE id = 4;".to_owned(),
            "UPDATE ledger_tx SET alh = zeroblob(32) WHERE id = 5;".to_owned(),
            "UPDATE ledger_tx SET nentries = 3 WHERE id = 6;".to_owned(),
            "INSERT INTO ledger_row SELECT (6 << 16) + 1, value FROM ledger_row WHERE pos = 6 << 16;".to_owned(),
            alter("(7 << 16) + 1"),
            "INSERT INTO ledger_row SELECT 99 << 16, value FROM ledger_row WHERE pos = 2 << 16;".to_owned(),
            "DELETE FROM ledger_row WHERE pos = (7 << 16) + 2;".to_owned(),
        ].concat())
        .await;
    let report = files.audit().await;
    assert_eq!(report.verdict, AuditVerdict::Broken);
    assert_eq!(
        places(&report),
        [
            (3, Some(0), AlteredRow),
            (4, None, AlteredHeader),
            (5, None, AlteredHash),
            (6, None, AlteredHeader),
            (6, Some(1), SurplusRow),
            (7, Some(1), AlteredRow),
            (7, Some(2), MissingRow),
            (99, Some(0), SurplusRow),
        ]
    );
    // Everything is linked all the same, and what is whole is accounted for.
    assert_eq!(report.through.unwrap().tx, TxId::new(8));
    assert_eq!((report.counts.accounted, report.counts.unaccounted), (6, 2));
}

/// Without a log of his own the auditor still sees every place that gives
/// itself away, and goes on behind it.
#[tokio::test]
async fn a_stranger_sees_it_too() {
    let files = Files::varied().await;
    let honest = files.audit_by_a_stranger().await;
    assert_eq!((honest.verdict, places(&honest)), (AuditVerdict::Unconfirmed, vec![]));
    files
        .tamper(
            &[
                alter("3 << 16"),
                "UPDATE ledger_tx SET alh = zeroblob(32) WHERE id = 4;".to_owned(),
                "UPDATE ledger_tx SET ts = ts - 1 WHERE id = 6;".to_owned(),
                "DELETE FROM ledger_row WHERE pos = (7 << 16) + 2;".to_owned(),
            ]
            .concat(),
        )
        .await;
    let report = files.audit_by_a_stranger().await;
    assert_eq!(report.verdict, AuditVerdict::Broken);
    let [(3, Some(0), AlteredRow | AlteredTx), rest @ ..] = &places(&report)[..] else {
        panic!("{report:?}")
    };
    assert_eq!(rest, [(4, None, AlteredHash), (6, Some(0), AlteredTx), (7, Some(2), MissingRow)]);
    assert_eq!(report.through.unwrap().tx, TxId::new(8));
}

/// Every single byte of every row.
#[tokio::test]
async fn every_changed_byte_of_a_row_is_told_at_its_row() {
    let files = Files::varied().await;
    let mut hands = files::connect(&files.ledger).await;
    let rows = sqlx::query("SELECT pos, value FROM ledger_row ORDER BY pos");
    let rows = rows.fetch_all(&mut hands).await.unwrap();
    // The genesis row, an event alone, and one in the middle of an append.
    for row in [&rows[0], &rows[2], &rows[7]] {
        let (pos, honest): (i64, Vec<u8>) = (row.get(0), row.get(1));
        let expected = ((pos >> 16) as u64, Some((pos & 0xffff) as u32), AlteredRow);
        for at in 0..honest.len() {
            let mut value = honest.clone();
            value[at] ^= 1 << (at % 8);
            put(&mut hands, pos, &value).await;
            let report = files.audit().await;
            assert_eq!(report.verdict, AuditVerdict::Broken);
            assert_eq!(places(&report), [expected], "row {pos}, byte {at}");
        }
        put(&mut hands, pos, &honest).await;
    }
    assert_eq!(files.audit().await.verdict, AuditVerdict::Intact);
}

async fn put(hands: &mut sqlx::SqliteConnection, pos: i64, value: &[u8]) {
    let update = sqlx::query("UPDATE ledger_row SET value = ? WHERE pos = ?");
    update.bind(value).bind(pos).execute(hands).await.unwrap();
}

#[tokio::test]
async fn columns_of_a_wrong_kind_are_told_and_not_stumbled_over() {
    for (column, kind) in [("ts", AlteredHeader), ("nentries", AlteredHeader), ("alh", AlteredHash)]
    {
        for value in ["'text'", "x'00'", "1.5"] {
            let files = Files::with_events(3).await;
            let sql = format!("UPDATE ledger_tx SET {column} = {value} WHERE id = 3");
            files.tamper(&sql).await;
            assert_eq!(places(&files.audit().await), [(3, None, kind)], "{sql}");
            assert_eq!(files.audit_by_a_stranger().await.verdict, AuditVerdict::Broken);
        }
    }
    let files = Files::with_events(3).await;
    files.tamper("UPDATE ledger_row SET value = 'text' WHERE pos = 3 << 16").await;
    assert_eq!(places(&files.audit().await), [(3, Some(0), AlteredRow)]);
    assert_eq!(places(&files.audit_by_a_stranger().await), [(3, Some(0), AlteredRow)]);
}

#[tokio::test]
async fn a_transaction_that_is_gone_is_missed_and_what_follows_is_still_linked() {
    let files = Files::with_events(4).await;
    files.tamper("DELETE FROM ledger_tx WHERE id = 3").await;
    let report = files.audit().await;
    assert_eq!(places(&report), [(3, None, MissingTx)]);
    assert_eq!(report.through.unwrap().tx, TxId::new(5));
    // A stranger cannot know what stood there: he says how far he came.
    let report = files.audit_by_a_stranger().await;
    assert_eq!(places(&report), [(3, None, MissingTx)]);
    assert_eq!(report.through.unwrap().tx, TxId::new(2));
    assert_eq!(report.claimed.unwrap().tx, TxId::new(5));
}

/// Whatever is in the file, an audit leaves it as it is, and creates none.
#[tokio::test]
async fn an_audit_writes_nothing_to_the_ledger() {
    let files = Files::with_events(2).await;
    let mut hands = files::connect(&files.ledger).await;
    let mut content = async || {
        let mut all = Vec::new();
        for table in ["ledger_tx", "ledger_row"] {
            let sql = AssertSqlSafe(format!("SELECT count(*), total(rowid) FROM {table}"));
            let row = sqlx::query(sql).fetch_one(&mut hands).await.unwrap();
            all.push((row.get::<i64, _>(0), row.get::<f64, _>(1)));
        }
        all
    };
    let before = content().await;
    // Beside a writer, too.
    let store = files.open().await.unwrap();
    assert_eq!(files.audit().await.verdict, AuditVerdict::Intact);
    assert_eq!(content().await, before);
    store.add_event(&event(2)).await.unwrap();
    assert_eq!(files.audit().await.verdict, AuditVerdict::Intact);
    let nowhere = Files::new();
    assert!(Audit::of(&nowhere.config()).run().await.is_err());
    assert!(!nowhere.ledger.exists() && !nowhere.trust.exists());
}

/// In a table with a primary key no number is there twice, unless a page of
/// the file was written by hand.
#[tokio::test]
async fn a_transaction_or_a_row_that_is_there_twice_is_told() {
    let number = |bytes: &[u8], from: &[u8], to: &[u8]| {
        let at: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
        let [at] = at[..] else { panic!("{at:?}") };
        let mut altered = bytes.to_vec();
        altered[at..at + to.len()].copy_from_slice(to);
        altered
    };
    let honest = Files::with_events(3).await;
    files::run(&honest.ledger, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").await;
    let bytes = std::fs::read(&honest.ledger).unwrap();
    // A cell is its length, its number, and the types of four columns.
    let tx = |id| [41, id, 5, 0, 4, 9, 76];
    let second_tx = number(&bytes, &tx(3), &tx(2));
    // The number is 3 << 16, in groups of seven bits, and then the types' length.
    let second_row =
        number(&bytes, &[0x8c, 0x80, 0x00, 0x04, 0x00], &[0x88, 0x80, 0x00, 0x04, 0x00]);
    // What is twice behind something else that does not hold, and is found first.
    let other = honest.copy().await;
    other.tamper("UPDATE ledger_row SET value = x'00' WHERE pos = 2 << 16").await;
    files::run(&other.ledger, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").await;
    let behind = number(&std::fs::read(&other.ledger).unwrap(), &tx(4), &tx(3));
    for (altered, place, missing) in [
        (second_tx, (2, None, SurplusRow), (3, None, MissingTx)),
        (second_row, (2, Some(0), SurplusRow), (3, Some(0), MissingRow)),
        (behind, (3, None, SurplusRow), (2, Some(0), AlteredRow)),
    ] {
        let files = honest.copy().await;
        std::fs::write(&files.ledger, altered).unwrap();
        let found = places(&files.audit().await);
        assert!(found.contains(&place) && found.contains(&missing), "{found:?}");
        assert_eq!(files.audit_by_a_stranger().await.verdict, AuditVerdict::Broken);
    }
}
