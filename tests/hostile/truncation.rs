//! The operator truncates the database: the values of old transactions are
//! removed from the server's disk, their hashes stay.

use counterfoil::{
    Audit, AuditVerdict, Completeness, Cover, Error, Event, EventStore, FindingKind, Payload,
    PayloadStore as _, ReadOptions, SchemaState, SqlitePayloads, Unavailable, Verdict,
};
use counterfoil_test_support::{Action, PrivateServer, Server, temp_dir};

use crate::hostile::{Liar, event, stream, text, tx, verdict};

/// Ten events in a database of small files, from before the day began; in
/// transaction 12 the operator has truncated what is older.
async fn truncated() -> (PrivateServer, Liar, EventStore) {
    let mut server = Server::start_private();
    let liar = Liar::before(server.server());
    server.operate(&liar.database, &["create"]);
    let store = liar.with_events(10).await;
    server.restart_tomorrow();
    server.operate(&liar.database, &["truncate"]);
    (server, liar, store)
}

/// The row of event `n` is told to be gone, and by which transaction.
async fn is_gone(store: &EventStore, n: u64) {
    let error = store.get_event_at_tx(&stream(), n, tx(12)).await.unwrap_err();
    let Error::Unavailable(Unavailable::Truncated { tx: at, by }) = error else {
        panic!("{error}")
    };
    assert_eq!((at, by), (tx(n + 2), tx(12)));
}

#[tokio::test]
async fn what_was_truncated_is_unavailable_and_stays_proved() {
    let (_server, liar, store) = truncated().await;
    // It is the ledger's end, and confirmed at once.
    let status = store.status().await.unwrap();
    assert_eq!(status.pin.state.tx, tx(12));
    assert_eq!(status.completeness, Completeness::Complete { through: tx(12) });
    assert_eq!(status.schema, SchemaState::Proven);
    let findings = store.findings().await.unwrap();
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((finding.tx, finding.kind), (tx(12), FindingKind::Truncated));
    assert_eq!(finding.detail, "what was stored up to transaction 11 may be gone");
    for at in [2, 12] {
        let proof = store.get_proof_at_tx(tx(at)).await.unwrap();
        proof.verify(&store.state().await.unwrap()).unwrap();
        let json = serde_json::to_string(&proof).unwrap();
        assert_eq!(serde_json::from_str::<counterfoil::TxProof>(&json).unwrap(), proof);
    }
    is_gone(&store, 0).await;
    // Where it begins is the server's files' choice; the newest are there.
    let kept = store.get_event_at_tx(&stream(), 9, tx(12)).await.unwrap();
    assert_eq!(kept.event, event(9));
    for read in [
        store.read(&stream(), ReadOptions::forward()).await,
        store.read(&stream(), ReadOptions::backward()).await,
        store.read_all(None, None).await,
    ] {
        let error = read.unwrap_err();
        assert!(matches!(error, Error::Unavailable(Unavailable::Truncated { .. })), "{error}");
    }
    // Nothing is absent that was there, and nothing there that was not.
    assert_eq!(store.next_sequence(&stream()).await.unwrap(), 10);
    let absent = store.get_event_at_tx(&stream(), 10, tx(12)).await.unwrap_err();
    let Error::NotFound { next: 10, completeness, .. } = absent else { panic!("{absent}") };
    assert!(completeness.is_complete());

    // Writes go on, in this stream and in others.
    let added = store.add_event(&event(10)).await.unwrap();
    assert_eq!((added.id, added.sequence), (tx(13), 10));
    assert!(store.verify_event(&event(10), &added.proof).await.unwrap());
    let other = Event::new(&Cover::new("shipment", "another"), "Counted", "0");
    assert_eq!(store.add_event(&other).await.unwrap().id, tx(14));
    let from = store.read(&stream(), ReadOptions::forward().from(9)).await.unwrap();
    assert!(from.events.iter().map(|r| r.event.clone()).eq((9..11).map(event)));
    drop(store);
    let store = liar.open().await;
    assert!(store.status().await.unwrap().completeness.is_complete());
    is_gone(&store, 0).await;

    // Nor can anybody derive the whole again.
    let audited = Audit::of(&liar.config()).run().await.unwrap_err();
    let gone = |error: &Error| matches!(error, Error::Unavailable(Unavailable::Truncated { .. }));
    assert!(gone(&audited), "{audited}");
    // Whoever comes only now cannot be shown what the table is.
    let log = temp_dir("stranger");
    let refused = verdict(EventStore::open(&liar.honest(&log)).await);
    assert!(matches!(refused, Verdict::TableDiffers { .. }), "{refused}");
}

/// With another table in the database the entries of the truncation are not
/// known: a gap, and no more than that.
#[tokio::test]
async fn a_truncation_of_several_tables_is_a_gap() {
    let mut server = Server::start_private();
    let liar = Liar::before(server.server());
    server.operate(&liar.database, &["create"]);
    let store = liar.with_events(8).await;
    server.operate(&liar.database, &["sql CREATE TABLE recipes (id INTEGER, PRIMARY KEY id)"]);
    server.restart_tomorrow();
    server.operate(&liar.database, &["truncate"]);
    // Scans of the table end at what is gone.
    let added = store.add_event(&event(8)).await.unwrap();
    assert_eq!((added.id, added.sequence), (tx(12), 8));
    let findings = store.findings().await.unwrap();
    let found: Vec<_> = findings.iter().map(|f| (f.tx.get(), f.kind)).collect();
    use FindingKind::{Truncated, Unaccounted};
    assert_eq!(found, [(10, Unaccounted), (11, Truncated), (11, Unaccounted)]);
    is_gone_by(&store, 11).await;
}

/// Whoever audited before it, goes on after it.
#[tokio::test]
async fn an_audit_goes_on_behind_a_truncation_and_beside_gaps() {
    let mut server = Server::start_private();
    let liar = Liar::before(server.server());
    server.operate(&liar.database, &["create"]);
    let store = liar.with_events(10).await;
    let folder = temp_dir("audit");
    let file = folder.join("audit");
    let config = liar.config();
    let resumed = async || Audit::of(&config).resume(&file).run().await.unwrap();
    assert_eq!(resumed().await.verdict, AuditVerdict::Intact);
    server.restart_tomorrow();
    server.operate(&liar.database, &["truncate"]);
    let state = store.state().await.unwrap();
    assert_eq!(state.tx, tx(12));
    let report = resumed().await;
    assert_eq!((report.verdict, report.inconsistencies), (AuditVerdict::Intact, vec![]));
    // Rows before the state are not asked for: nothing is lost for that.
    let from = async || Audit::of(&config).from(state).run().await.unwrap();
    let report = from().await;
    assert_eq!((report.from, report.inconsistencies), (Some(state), vec![]));
    assert_eq!(report.verdict, AuditVerdict::Intact);
    server.operate(&liar.database, &["sql CREATE TABLE recipes (id INTEGER, PRIMARY KEY id)"]);
    store.add_event(&event(10)).await.unwrap();
    for report in [resumed().await, from().await] {
        assert_eq!((report.verdict, report.inconsistencies), (AuditVerdict::Incomplete, vec![]));
        assert_eq!(report.through.unwrap().tx, tx(14));
    }
}

/// What an unreadable erasure erased is not known; all others are finished.
#[tokio::test]
async fn erasures_are_finished_beside_those_that_were_truncated() {
    let mut server = Server::start_private();
    let liar = Liar::before(server.server());
    server.operate(&liar.database, &["create"]);
    let store = liar.open().await;
    let payloads = SqlitePayloads::in_memory().await.unwrap();
    let mut kept = Vec::new();
    for n in 0..10 {
        let added = store.add_committed(&payloads, &event(n)).await.unwrap();
        let event = store.get_event_at_tx(&stream(), n, added.id).await.unwrap();
        let Payload::Commitment(commitment) = event.event.payload else { panic!("{event:?}") };
        kept.push((commitment, payloads.get(commitment).await.unwrap().unwrap()));
        store.erase(&payloads, &event, "request 77").await.unwrap();
    }
    server.restart_tomorrow();
    server.operate(&liar.database, &["truncate"]);
    // An older copy of the payload store comes back.
    for (commitment, payload) in &kept {
        payloads.put(*commitment, payload).await.unwrap();
    }
    let finished = store.finish_erasures(&payloads).await.unwrap();
    assert!(finished.removed > 0 && finished.truncated > 0, "{finished:?}");
    assert_eq!(finished.removed + finished.truncated, 10);
    assert!(payloads.get(kept[0].0).await.unwrap().is_some());
    assert!(payloads.get(kept[9].0).await.unwrap().is_none());
}

async fn is_gone_by(store: &EventStore, expected: u64) {
    let error = store.get_event_at_tx(&stream(), 0, tx(12)).await.unwrap_err();
    let Error::Unavailable(Unavailable::Truncated { by, .. }) = error else { panic!("{error}") };
    assert_eq!(by, tx(expected));
}

/// A gap before a truncation is closed over it: its entries are the table's,
/// and no rows.
#[tokio::test]
async fn what_was_missed_before_a_truncation_is_decided_anew_over_it() {
    let mut server = Server::start_private();
    let liar = Liar::before(server.server());
    server.operate(&liar.database, &["create"]);
    let store = liar.with_events(9).await;
    server.restart_tomorrow();
    liar.alters("FROM", |context, message| {
        match context.column("seen_tx").is_some() && text(message, context, "seen_tx") == "10" {
            true => Action::Instead(vec![]),
            false => Action::Forward,
        }
    });
    liar.somebody_appends(9..10).await;
    let gap = Completeness::Incomplete { through: tx(11), gaps: 1, first: tx(11), acknowledged: 0 };
    assert_eq!(store.status().await.unwrap().completeness, gap);
    server.operate(&liar.database, &["truncate"]);
    liar.repents();
    store.status().await.unwrap();
    let again = store.reexamine(None).await.unwrap();
    assert_eq!((again.closed, again.blocked), (vec![tx(11)], None));
    assert_eq!(store.next_sequence(&stream()).await.unwrap(), 10);
    assert!(store.status().await.unwrap().completeness.is_complete());
}
