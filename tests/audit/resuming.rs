//! Audits that were interrupted, and audits that go on from finished ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use counterfoil::InconsistencyKind::{AlteredRow, Rollback};
use counterfoil::{Audit, AuditVerdict};
use counterfoil_test_support::wait_until_closed;

use crate::files::Files;
use crate::{alter, places};

#[tokio::test]
async fn an_interrupted_audit_goes_on_and_finds_the_same() {
    let files = Files::with_events(600).await;
    files.tamper(&(alter("3 << 16") + &alter("300 << 16") + &alter("601 << 16"))).await;
    let (config, file) = (files.config(), files.free("audit"));
    let whole = Audit::of(&config).run().await.unwrap();
    assert_eq!(
        places(&whole),
        [(3, Some(0), AlteredRow), (300, Some(0), AlteredRow), (601, Some(0), AlteredRow)]
    );
    // A batch after the other, each the first of its own run.
    let mut runs = 0;
    let resumed = loop {
        let left = Arc::new(AtomicU64::new(u64::MAX));
        let (told, stop) = (Arc::clone(&left), Arc::new(tokio::sync::Notify::new()));
        let halt = Arc::clone(&stop);
        let audit = Audit::of(&config).resume(&file).progress(move |pace| {
            told.store(pace.total - pace.done, Ordering::Relaxed);
            if pace.done > 0 {
                halt.notify_one();
            }
        });
        tokio::select! {
            biased;
            () = stop.notified() => runs += 1,
            report = audit.run() => break report.unwrap(),
        }
        assert!(runs < 100, "{left:?} left");
        wait_until_closed(&file);
    };
    assert!(runs > 1, "nothing was interrupted");
    assert_eq!(resumed, whole);
}

#[tokio::test]
async fn a_finished_audit_is_continued_where_it_ended() {
    let files = Files::with_events(300).await;
    let (config, file) = (files.config(), files.free("audit"));
    let first = Audit::of(&config).resume(&file).run().await.unwrap();
    assert_eq!(first.verdict, AuditVerdict::Intact);
    let short = files.copy().await;
    files.append(300..310).await;
    let again = Audit::of(&config).resume(&file).run().await.unwrap();
    assert_eq!(again, files.audit().await);
    assert_eq!(again.counts.events, 310);
    // The same file on what the ledger was before.
    let config = short.config();
    let report = Audit::of(&config).resume(&file).run().await.unwrap();
    assert_eq!(places(&report), [(311, None, Rollback)]);
}

/// Another kind of file is never taken for an audit's.
#[tokio::test]
async fn an_audit_does_not_go_on_from_a_log() {
    let files = Files::with_events(1).await;
    let config = files.config();
    for other in [&files.trust, &files.ledger] {
        assert!(Audit::of(&config).resume(other).run().await.is_err());
    }
    assert_eq!(files.audit().await.verdict, AuditVerdict::Intact);
}
