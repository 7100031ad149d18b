//! Audits that go on from a state that the auditor brings.

use counterfoil::InconsistencyKind::{AlteredRow, Fork, OwnIndex, OwnLog};
use counterfoil::{Alh, Audit, AuditReport, AuditVerdict, Cover, Event, TrustedState, TxId};

use crate::files::{self, Files};
use crate::{alter, places};

impl Files {
    async fn audit_from(&self, state: TrustedState) -> AuditReport {
        Audit::of(&self.config()).from(state).run().await.unwrap()
    }
}

/// Several streams, then a state, then more of the same streams.
async fn grown() -> (Files, TrustedState) {
    let files = Files::varied().await;
    let store = files.open().await.unwrap();
    for n in 0..400 {
        let cover = Cover::new("invoice", format!("{}", n % 7)).in_edition("draft");
        let event = Event::new(&cover, "Counted", format!("{n}")).with_correlation_id("all");
        store.add_event(&event).await.unwrap();
    }
    let state = store.state().await.unwrap();
    for n in 0..20 {
        let cover = Cover::new("invoice", format!("{}", n % 9)).in_edition("draft");
        store.add_event(&Event::new(&cover, "Counted", format!("later {n}"))).await.unwrap();
    }
    store.close().await.unwrap();
    files.append(10..15).await;
    (files, state)
}

#[tokio::test]
async fn it_comes_to_the_same_as_an_audit_of_everything() {
    let (files, state) = grown().await;
    let whole = files.audit().await;
    assert_eq!((whole.verdict, whole.counts.events), (AuditVerdict::Intact, 10 + 420 + 5));
    assert_eq!((whole.counts.ours, whole.counts.catalog), (whole.counts.transactions - 1, 1));
    let mut ends = vec![state, whole.through.unwrap()];
    for tx in [1, 2, 9] {
        let store = files.open().await.unwrap();
        let alh = store.get_proof_at_tx(TxId::new(tx + 1)).await.unwrap().header.prev_alh;
        ends.push(TrustedState { tx: TxId::new(tx), alh });
    }
    for state in ends {
        let mut report = files.audit_from(state).await;
        assert_eq!(report.from.take(), Some(state));
        assert_eq!(report, whole, "{state}");
    }
}

/// The price that the report names: rows before the state are not read.
#[tokio::test]
async fn what_was_altered_before_the_state_is_not_noticed_and_what_came_after_is() {
    let (files, state) = grown().await;
    files.tamper(&(alter("3 << 16") + &alter(&format!("{} << 16", state.tx.get() + 3)))).await;
    let after = (state.tx.get() + 3, Some(0), AlteredRow);
    assert_eq!(places(&files.audit_from(state).await), [after]);
    assert_eq!(places(&files.audit().await), [(3, Some(0), AlteredRow), after]);
}

/// What the state vouches for is checked, and what is not so is read.
#[tokio::test]
async fn a_log_that_does_not_link_up_to_the_state_is_not_gone_on_from() {
    let (files, state) = grown().await;
    let whole = files.audit().await;
    for sql in [
        "UPDATE tx SET ts = ts + 1 WHERE id = 3",
        "UPDATE tx SET alh = zeroblob(32) WHERE id = 3",
        "UPDATE tx SET digests = zeroblob(32) WHERE id = 3",
        "UPDATE tx SET digests = zeroblob(4 * 32) WHERE id = 7",
        "UPDATE tx SET nentries = 2 WHERE id = 3",
        "UPDATE tx SET opaque = 1 WHERE id = 3",
        "DELETE FROM tx WHERE id = 3",
        // The index, where it can be compared.
        "UPDATE event SET pos = pos + 1 WHERE pos = 3 << 16",
        "UPDATE event SET pos = 12345 << 16 WHERE pos = 408 << 16",
        "DELETE FROM event WHERE pos = 4 << 16",
        "DELETE FROM event WHERE pos = 8 << 16",
        "DELETE FROM stream WHERE domain = CAST('shipment' AS BLOB)",
        "UPDATE meta SET value = 2 WHERE name = 'table_id'",
        "UPDATE meta SET value = 2 WHERE name = 'genesis_tx'",
        "DELETE FROM meta WHERE name = 'table_id'",
    ] {
        let copy = files.copy().await;
        assert!(files::run(&copy.trust, sql).await > 0, "{sql}");
        let report = copy.audit_from(state).await;
        // What of the log is not what the ledger makes, is told.
        let told = report.inconsistencies.iter().map(|one| one.kind);
        assert!(told.clone().count() > 0, "{sql}");
        assert!(told.clone().all(|kind| matches!(kind, Fork | OwnLog | OwnIndex)), "{report:?}");
        assert_eq!(report.from, None, "{sql}");
        assert_eq!((report.counts, report.through), (whole.counts, whole.through), "{sql}");
    }
}

#[tokio::test]
async fn without_a_log_that_reaches_the_state_everything_is_read() {
    let (files, state) = grown().await;
    let whole = files.audit().await;
    // A stranger, whom the state vouches for the ledger.
    let stranger = Files { trust: files.free("trust"), ..files.clone() };
    let report = stranger.audit_from(whole.through.unwrap()).await;
    assert_eq!((report.from, report.verdict), (None, AuditVerdict::Intact));
    assert_eq!(report.counts, whole.counts);
    // A log that ends before it.
    let old = Files::with_events(2).await;
    let before = old.copy().await;
    old.append(2..4).await;
    let end = old.state().await;
    let report = old.trusted_by(&before).audit_from(end).await;
    assert_eq!((report.from, places(&report)), (None, vec![]));
    assert_eq!(report.verdict, AuditVerdict::Intact);
    // Another ledger's state.
    let wrong = TrustedState { alh: Alh::new([7; 32]), ..state };
    let report = files.audit_from(wrong).await;
    assert_eq!(report.from, None);
    assert_eq!(places(&report), [(state.tx.get(), None, Fork)]);
    let config = files.config();
    let both = Audit::of(&config).from(state).resume(files.free("audit"));
    assert!(both.run().await.is_err());
}
