//! What others write beside our table, or together with it: a gap, that costs
//! completeness and nothing else.

use std::sync::{Arc, Mutex};

use counterfoil::{
    Completeness, Cover, Error, Event, EventStore, ExpectedVersion, FindingKind, ReadOptions,
    SchemaState, Scope, TxId,
};
use counterfoil_test_support::{Action, Direction, Server};

use crate::hostile::{Liar, event, stream, tx};

/// The statement with its values in it: numbers in eight bytes, the others as
/// they are.
fn as_text(statement: &str, values: &[Option<Vec<u8>>]) -> String {
    let integers = [3, 5];
    let mut values = values.iter().flatten().enumerate().map(|(n, value)| {
        match (integers.contains(&(n % 7)), <[u8; 8]>::try_from(&value[..])) {
            (true, Ok(number)) => i64::from_be_bytes(number).to_string(),
            _ => format!("x'{}'", value.iter().map(|b| format!("{b:02x}")).collect::<String>()),
        }
    });
    let mut text = String::new();
    for part in statement.split_inclusive('?') {
        text.push_str(part.trim_end_matches('?'));
        if part.ends_with('?') {
            text.push_str(&values.next().expect("a value for each place"));
        }
    }
    text
}

/// These transactions, and no others, are not accounted for, and looking at
/// them again does not help; the events are all there.
async fn only_gaps(store: &EventStore, gaps: &[TxId], events: u64) {
    let findings = store.findings().await.unwrap();
    let found: Vec<TxId> = findings.iter().map(|finding| finding.tx).collect();
    assert!(found == gaps && findings.iter().all(|f| f.kind == FindingKind::Unaccounted));
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert!(read.events.iter().map(|r| r.event.clone()).eq((0..events).map(event)));
    let (count, first, acknowledged) = (gaps.len() as u64, gaps[0], 0);
    let through = read.state.tx;
    let incomplete = Completeness::Incomplete { through, gaps: count, first, acknowledged };
    assert_eq!(read.completeness, incomplete);
    let again = store.reexamine(None).await.unwrap();
    assert_eq!((again.examined, again.closed, again.blocked), (count, vec![], None));
    assert_eq!(store.status().await.unwrap().schema, SchemaState::Presumed { since: first });
}

/// With the official client: the wire has no way to write keys and values.
#[tokio::test]
async fn key_values_beside_the_table_are_a_gap_and_stop_nothing() {
    let server = Server::start_private();
    for scope in [Scope::Exclusive, Scope::Shared] {
        let liar = Liar::before(server.server());
        let proof = liar.with_events(2).await.add_event(&event(0)).await.unwrap().proof;
        server.operate(&liar.database, &["set hello world", "set hello again"]);
        let mut config = liar.config();
        config.storage.immudb.scope = scope;
        let store = EventStore::open(&config).await.unwrap();
        let any = ExpectedVersion::Any;
        let appended = store.append(&stream(), any, &[event(2)]).await.unwrap();
        assert_eq!((appended.id, appended.events[0].sequence), (tx(6), 2));
        assert!(!appended.completeness.is_complete());
        only_gaps(&store, &[tx(4), tx(5)], 3).await;
        // Presence needs nothing but its own transaction.
        assert!(store.verify_event(&event(0), &proof).await.unwrap());
        assert!(store.verify_event(&event(2), &appended.events[0].proof).await.unwrap());
        store.get_proof_at_tx(tx(4)).await.unwrap();
    }
}

/// Somebody puts a true event of ours into a transaction with a row of theirs.
/// Its entries cannot be known, so it is no event, and nothing is claimed about
/// the place that it takes: its writer is never told that it was written, or
/// that it was not.
#[tokio::test]
async fn an_event_in_a_transaction_with_others_is_neither_claimed_nor_denied() {
    let liar = Liar::new();
    let store = liar.with_events(1).await;
    let caught = Arc::new(Mutex::new(String::new()));
    let catch = Arc::clone(&caught);
    let mut operator = None;
    liar.tells(move |context, message| {
        if context.statement.starts_with("BEGIN") {
            operator = Some(context.connection);
        }
        let insert = context.statement.starts_with("INSERT INTO events");
        if insert
            && context.direction == Direction::ToServer
            && operator != Some(context.connection)
            && let Some(values) = message.bound()
        {
            *catch.lock().unwrap() = as_text(context.statement, &values);
            return Action::CutBefore;
        }
        Action::Forward
    });
    let writer = store.clone();
    let write = tokio::spawn(async move { writer.add_event(&event(1)).await });
    while caught.lock().unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let insert = caught.lock().unwrap().clone();
    liar.operator(&[
        "CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);",
        "BEGIN TRANSACTION;",
        "INSERT INTO recipes (id) VALUES (1);",
        &insert,
        "COMMIT;",
    ])
    .await;
    liar.repents();
    let unknown = write.await.unwrap().unwrap_err();
    assert!(matches!(unknown, Error::OutcomeUnknown { .. }), "{unknown}");
    only_gaps(&store, &[tx(3), tx(4)], 1).await;
    let unknown = store.add_event(&event(1)).await.unwrap_err();
    let Error::OutcomeUnknown { reason, .. } = unknown else { panic!("{unknown}") };
    assert!(reason.contains("2 are not, the first is 3"), "{reason}");
    // Other streams go on.
    let other = Cover::new("shipment", "another");
    let added = store.add_event(&Event::new(&other, "Counted", "0")).await.unwrap();
    assert_eq!((added.id, added.sequence), (tx(5), 0));
    only_gaps(&store, &[tx(3), tx(4)], 1).await;
}
