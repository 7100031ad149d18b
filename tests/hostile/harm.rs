//! What a second connection does to our rows: every entry is accounted for,
//! the first content stays the event, and the harm is named.

use counterfoil::{EventStore, FindingKind, ReadOptions};

use crate::hostile::{Liar, event, stream, tx};

/// Events 0 to 2 are read as first written, each from its own transaction.
async fn first_written(store: &EventStore) {
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert!(read.completeness.is_complete(), "{:?}", read.completeness);
    assert!(read.stopped.is_none(), "{:?}", read.stopped);
    assert!(read.events.iter().map(|r| r.event.clone()).eq((0..3).map(event)));
    for n in 0..3 {
        let found = store.get_event_at_tx(&stream(), n, tx(n + 2)).await.unwrap();
        assert_eq!(found.event, event(n));
    }
}

/// The operator runs these statements after three events. Whoever looked
/// before, whoever comes later: both name exactly this, and lose nothing.
async fn harmed(statements: &[&str], expected: &[(u64, Option<u32>, FindingKind)]) {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    liar.operator(statements).await;
    let seen = async |store: &EventStore| {
        first_written(store).await;
        let findings = store.findings().await.unwrap();
        let found: Vec<_> = findings.iter().map(|f| (f.tx.get(), f.entry, f.kind)).collect();
        assert_eq!(found, expected, "{statements:?}: {findings:?}");
    };
    seen(&store).await;
    liar.honestly(async |store| seen(&store).await).await;
    // The stream goes on behind its last event.
    assert_eq!(store.add_event(&event(3)).await.unwrap().sequence, 3);
}

fn sql(statement: &str, n: u64) -> String {
    format!("{statement} WHERE {};", Liar::key(n))
}

/// An UPSERT of event `n`'s key with other contents.
pub(crate) fn upsert(n: u64, ext: &str, seen_tx: u64) -> String {
    format!(
        "UPSERT INTO events (domain, edition, root, event_number, ext, seen_tx, body) VALUES \
         (x'736869706d656e74',x'',x'535343432d3030313233343536',{n},x'{}',{seen_tx},x'00');",
        ext.repeat(32)
    )
}

#[tokio::test]
async fn an_event_that_is_overwritten_stays_the_event() {
    use FindingKind::Overwritten;
    // Neither index, one of them, both: each leaves one entry more.
    let body = sql("UPDATE events SET body = x'00'", 1);
    harmed(&[&body], &[(5, Some(0), Overwritten)]).await;
    let seen_tx = sql("UPDATE events SET seen_tx = 9", 1);
    harmed(&[&seen_tx], &[(5, Some(1), Overwritten)]).await;
    harmed(&[&upsert(1, "ab", 9)], &[(5, Some(2), Overwritten)]).await;
    // Over what was written over.
    let twice = [(5, Some(2), Overwritten), (6, Some(1), Overwritten)];
    harmed(&[&upsert(1, "ab", 9), &upsert(1, "cd", 9)], &twice).await;
}

#[tokio::test]
async fn an_event_that_is_deleted_stays_the_event() {
    use FindingKind::{Deleted, Overwritten};
    let delete = sql("DELETE FROM events", 1);
    harmed(&[&delete], &[(5, Some(0), Deleted)]).await;
    let insert = upsert(1, "ab", 9).replace("UPSERT", "INSERT");
    let again = [(5, Some(0), Deleted), (6, Some(0), Overwritten), (7, Some(0), Deleted)];
    harmed(&[&delete, &insert, &delete], &again).await;
}

#[tokio::test]
async fn several_rows_that_one_transaction_harms_are_all_named() {
    use FindingKind::{Deleted, Overwritten};
    let deleted = [(5, Some(0), Deleted), (5, Some(1), Deleted)];
    harmed(&["DELETE FROM events WHERE event_number > 0;"], &deleted).await;
    let update = "UPDATE events SET seen_tx = 9 WHERE event_number > 0;";
    let updated = [(5, Some(1), Overwritten), (5, Some(3), Overwritten)];
    harmed(&[update], &updated).await;
    // In one transaction, and against the order of the keys.
    let mixed = [
        "BEGIN TRANSACTION;",
        &sql("DELETE FROM events", 2),
        &sql("UPDATE events SET body = x'00', seen_tx = 9", 0),
        "COMMIT;",
    ];
    harmed(&mixed, &[(5, Some(0), Deleted), (5, Some(2), Overwritten)]).await;
}

/// With somebody else's table in the transaction its entries are not known:
/// then nothing is claimed about what it did, and everything before it holds.
#[tokio::test]
async fn harm_mixed_with_another_table_is_a_gap_and_hides_no_first_content() {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    liar.operator(&[
        "CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);",
        "BEGIN TRANSACTION;",
        "INSERT INTO recipes (id) VALUES (1);",
        &sql("UPDATE events SET body = x'00'", 1),
        "COMMIT;",
    ])
    .await;
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert!(!read.completeness.is_complete());
    assert!(read.events.iter().map(|r| r.event.clone()).eq((0..3).map(event)));
    let findings = store.findings().await.unwrap();
    let found: Vec<_> = findings.iter().map(|f| (f.tx.get(), f.kind)).collect();
    assert_eq!(found, [(5, FindingKind::Unaccounted), (6, FindingKind::Unaccounted)]);
}
