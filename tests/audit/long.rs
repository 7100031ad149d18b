//! A ledger that an audit in memory does not read at once, but in parts of
//! 512 KiB.

use counterfoil::InconsistencyKind::{AlteredRow, MissingRow};
use counterfoil::{AuditVerdict, Event, TxId};

use super::files::{Files, stream};
use super::{alter, places};

#[tokio::test]
async fn what_is_behind_the_first_part_of_a_long_ledger_is_named() {
    let files = Files::new();
    let store = files.open().await.unwrap();
    for n in 0..8 {
        // With transaction 4 the first part has enough.
        let large = Event::new(&stream(), "Counted", vec![7; 200 << 10]);
        store.add_event(&large.with_external_id(format!("{n}"))).await.unwrap();
    }
    store.close().await.unwrap();
    let report = files.audit().await;
    assert_eq!((report.verdict, places(&report)), (AuditVerdict::Intact, vec![]));
    assert_eq!(report.through.unwrap().tx, TxId::new(9));
    assert_eq!((report.counts.accounted, report.counts.events), (9, 8));
    files.tamper(&(alter("5 << 16") + "DELETE FROM ledger_row WHERE pos = 7 << 16")).await;
    let report = files.audit().await;
    assert_eq!(places(&report), [(5, Some(0), AlteredRow), (7, Some(0), MissingRow)]);
    assert_eq!(report.through.unwrap().tx, TxId::new(9));
}
