//! What was known beforehand must be in the ledger.

use counterfoil::InconsistencyKind::{Fork, Missing, OwnLog, Rollback, WrongLedger};
use counterfoil::{Alh, Audit, AuditVerdict, TxId};

use crate::files::{self, Files};
use crate::places;

/// Two ledgers of one birth that went different ways: every hash of the second
/// is right, only the pin tells.
#[tokio::test]
async fn an_overwritten_history_with_right_hashes_is_a_fork() {
    let files = Files::with_events(2).await;
    let forked = files.copy().await;
    files.append(2..5).await;
    forked.append([7, 8, 9]).await;
    let rewritten = forked.trusted_by(&files);
    let report = rewritten.audit().await;
    assert_eq!(report.verdict, AuditVerdict::Broken);
    // The first transaction that differs, and the pin.
    assert_eq!(places(&report), [(4, None, Fork), (6, None, Fork)]);
    // For somebody who knows nothing it fits, and nothing vouches for it.
    let report = forked.audit_by_a_stranger().await;
    assert_eq!((report.verdict, report.confirmed), (AuditVerdict::Unconfirmed, false));
}

#[tokio::test]
async fn a_shorter_ledger_is_a_rollback_and_none_is_missing() {
    let files = Files::with_events(2).await;
    let old = files.copy().await;
    files.append(2..4).await;
    assert_eq!(places(&old.trusted_by(&files).audit().await), [(5, None, Rollback)]);
    let gone = Files { ledger: files.free("ledger"), ..files.clone() };
    assert_eq!(places(&gone.audit().await), [(0, None, Missing)]);
    assert!(!gone.ledger.exists());
}

#[tokio::test]
async fn a_ledger_beyond_its_pin_is_unconfirmed() {
    let files = Files::with_events(2).await;
    let before = files.copy().await;
    files.append(2..4).await;
    let report = files.trusted_by(&before).audit().await;
    assert_eq!((report.verdict, places(&report)), (AuditVerdict::Unconfirmed, vec![]));
    // A state that the auditor brings vouches for it, or contradicts it.
    let (config, state) = (files.trusted_by(&before).config(), report.through.unwrap());
    let report = Audit::of(&config).containing(state).run().await.unwrap();
    assert_eq!(report.verdict, AuditVerdict::Intact);
    let mut other = state;
    other.alh = Alh::new([7; 32]);
    let report = Audit::of(&config).containing(other).run().await.unwrap();
    assert_eq!(places(&report), [(5, None, Fork)]);
}

#[tokio::test]
async fn another_ledger_is_named() {
    let files = Files::with_events(1).await;
    let mut config = files.config();
    config.trust.ledger = Some(Alh::new([1; 32]));
    let report = Audit::of(&config).run().await.unwrap();
    assert_eq!(places(&report), [(1, None, WrongLedger)]);
}

/// The client's log is not believed: what was changed in it is told, and the
/// ledger is derived from itself.
#[tokio::test]
async fn a_changed_log_does_not_change_what_is_derived() {
    let files = Files::with_events(3).await;
    let honest = files.audit().await;
    for sql in [
        "UPDATE tx SET ts = ts + 1 WHERE id = 3",
        "UPDATE tx SET digests = zeroblob(32) WHERE id = 3",
        "UPDATE tx SET digests = zeroblob(31) WHERE id = 3",
    ] {
        let copy = files.copy().await;
        files::run(&copy.trust, sql).await;
        let report = copy.audit().await;
        assert_eq!(places(&report), [(3, None, OwnLog)], "{sql}");
        assert_eq!((report.counts, report.through), (honest.counts, honest.through));
    }
    files::run(&files.trust, "DELETE FROM event").await;
    assert_eq!(files.audit().await.counts, honest.counts);
    assert_eq!(honest.through.unwrap().tx, TxId::new(4));
}

/// What was believed once the ledger must contain, whatever became of the log
/// that says so; that the log contradicts itself is told beside it.
#[tokio::test]
async fn a_pin_counts_though_its_log_is_damaged() {
    let files = Files::with_events(3).await;
    let honest = files.audit().await;
    for (sql, told) in [
        ("UPDATE trust SET alh = zeroblob(32)", vec![(4, None, Fork), (4, None, OwnLog)]),
        ("UPDATE trust SET tx = 9", vec![(9, None, Rollback), (9, None, OwnLog)]),
        ("DELETE FROM tx WHERE id = 4", vec![(4, None, OwnLog)]),
        ("ALTER TABLE tx RENAME COLUMN digests TO others", vec![(0, None, OwnLog)]),
        ("DROP TABLE tx", vec![(0, None, OwnLog)]),
    ] {
        let copy = files.copy().await;
        files::run(&copy.trust, sql).await;
        let report = copy.audit().await;
        assert_eq!(places(&report), told, "{sql}");
        assert_eq!((report.counts, report.through), (honest.counts, honest.through), "{sql}");
        // Where not even the pin can be read nothing is known beforehand.
        let pinned = honest.pinned.filter(|_| !sql.starts_with("DROP"));
        assert_eq!(report.confirmed, pinned.is_some() && !sql.starts_with("UPDATE"), "{sql}");
    }
}
