//! What the configuration makes of gaps: whether they stop writes, and which
//! of them somebody takes responsibility for.

use counterfoil::{
    Acknowledged, Alh, Audit, AuditVerdict, Completeness, Error, EventStore, ExpectedVersion,
    PayloadStore as _, ReadOptions, SchemaState, SqlitePayloads, Verdict,
};

use crate::hostile::{Liar, event, stream, tx, verdict};

/// One event in transaction 2, other people's in 3 and 4.
async fn with_gaps() -> Liar {
    let liar = Liar::new();
    drop(liar.with_events(1).await);
    liar.operator(&[
        "CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);",
        "INSERT INTO recipes (id) VALUES (1);",
    ])
    .await;
    liar
}

async fn open_strict(liar: &Liar, acknowledged: &[Acknowledged]) -> Result<EventStore, Error> {
    let mut config = liar.config();
    config.trust.strict = true;
    config.trust.acknowledged = acknowledged.to_vec();
    EventStore::open(&config).await
}

/// The first gap, as the refusal of a write tells it.
async fn stopped_at(store: &EventStore) -> Acknowledged {
    let stopped = verdict(store.add_event(&event(1)).await);
    let Verdict::NotAccountedFor { tx, alh, gaps: 2 } = stopped else { panic!("{stopped}") };
    let proof = store.get_proof_at_tx(tx).await.unwrap();
    assert_eq!(proof.verify(&store.state().await.unwrap()).unwrap().alh(), alh);
    Acknowledged { tx, alh, reason: "the kitchen's".into(), table_changed: false }
}

#[tokio::test]
async fn strict_stops_writes_at_a_gap_that_is_not_acknowledged() {
    let liar = with_gaps().await;
    let mut acknowledged = Vec::new();
    for at in [3, 4] {
        let store = open_strict(&liar, &acknowledged).await.unwrap();
        let gap = stopped_at(&store).await;
        assert_eq!(gap.tx, tx(at));
        acknowledged.push(gap);
        // Nothing was written, and what was written before is given back.
        let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
        assert_eq!((read.events.len(), read.state.tx), (1, tx(4)));
        let any = ExpectedVersion::Any;
        let repeated = store.append(&stream(), any, &[event(0)]).await.unwrap();
        assert!(repeated.repeated && repeated.id == tx(2));
    }
    let store = open_strict(&liar, &acknowledged).await.unwrap();
    assert_eq!(store.add_event(&event(1)).await.unwrap().id, tx(5));
    // The facts are what they were.
    let status = store.status().await.unwrap();
    let gaps = Completeness::Incomplete { through: tx(5), gaps: 2, first: tx(3), acknowledged: 2 };
    assert_eq!((&status.completeness, status.completeness.is_complete()), (&gaps, false));
    assert_eq!(status.acknowledged, acknowledged);
    assert_eq!(status.schema, SchemaState::Presumed { since: tx(3) });
    assert_eq!(store.findings().await.unwrap().len(), 2);
    // What comes later is another matter.
    liar.operator(&["INSERT INTO recipes (id) VALUES (2);"]).await;
    let stopped = verdict(store.add_event(&event(2)).await);
    assert!(matches!(stopped, Verdict::NotAccountedFor { tx: at, gaps: 3, .. } if at == tx(6)));
    drop(store);
    // Without `strict` the same is no obstacle.
    let store = liar.open().await;
    assert_eq!(store.add_event(&event(2)).await.unwrap().sequence, 2);
}

#[tokio::test]
async fn what_is_acknowledged_must_be_the_transaction_that_is_there() {
    let liar = with_gaps().await;
    let right = stopped_at(&open_strict(&liar, &[]).await.unwrap()).await;
    let other = Acknowledged { alh: Alh::new([7; 32]), ..right.clone() };
    let beyond = Acknowledged { tx: tx(5), ..right.clone() };
    for wrong in [other, beyond] {
        let refused = open_strict(&liar, &[right.clone(), wrong]).await;
        let Err(Error::Config(text)) = refused else { panic!("{refused:?}") };
        assert!(text.contains("trust.acknowledged names transaction"), "{text}");
    }
    // One that needs no acknowledgement does no harm.
    let store = liar.open().await;
    let proof = store.get_proof_at_tx(tx(2)).await.unwrap();
    let alh = proof.verify(&store.state().await.unwrap()).unwrap().alh();
    drop(store);
    let own = Acknowledged { tx: tx(2), alh, reason: "ours".into(), table_changed: false };
    let store = open_strict(&liar, &[right, own]).await.unwrap();
    let status = store.status().await.unwrap();
    let Completeness::Incomplete { acknowledged, .. } = status.completeness else { panic!() };
    assert_eq!(acknowledged, 1);
}

/// An append tells how far its claim to be the first goes.
#[tokio::test]
async fn an_append_says_what_it_claims() {
    let liar = with_gaps().await;
    let store = liar.open().await;
    let appended = async |n| {
        let appended = store.append(&stream(), ExpectedVersion::Any, &[event(n)]).await.unwrap();
        assert_eq!(appended.state.tx, appended.events[0].proof.state_header.tx);
        appended
    };
    let gaps =
        |at| Completeness::Incomplete { through: at, gaps: 2, first: tx(3), acknowledged: 0 };
    let second = appended(1).await;
    assert_eq!((second.repeated, second.completeness), (false, gaps(tx(5))));
    // What came before the gaps does not depend on them.
    let first = appended(0).await;
    assert_eq!((first.repeated, first.state.tx), (true, tx(5)));
    assert_eq!(first.completeness, Completeness::Complete { through: tx(2) });
    let again = appended(1).await;
    assert_eq!((again.repeated, again.completeness), (true, gaps(tx(5))));
}

/// Nor are contents left behind for what was never going to be written, and
/// none is said to belong to nobody while a gap could hold its event.
#[tokio::test]
async fn a_stopped_write_leaves_no_payload_and_a_gap_makes_none_unused() {
    let liar = with_gaps().await;
    let store = open_strict(&liar, &[]).await.unwrap();
    let payloads = SqlitePayloads::in_memory().await.unwrap();
    let stopped = verdict(store.add_committed(&payloads, &event(1)).await);
    assert!(matches!(stopped, Verdict::NotAccountedFor { .. }), "{stopped}");
    assert_eq!(payloads.list(None).await.unwrap(), Some(vec![]));
    drop(store);
    let report = Audit::of(&liar.config()).payloads(&payloads).run().await.unwrap();
    assert_eq!(report.verdict, AuditVerdict::Incomplete);
    assert_eq!(report.payloads.unwrap().unused, None);
}
