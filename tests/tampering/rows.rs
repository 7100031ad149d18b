//! Rows that were altered, moved, deleted or added.

use counterfoil::{Event, EventStore, ExpectedVersion, ReadOptions, Verdict};
use sqlx::Row as _;

use crate::files::{self, Files, event, stream};
use crate::{tx, verdict};

#[tokio::test]
async fn every_altered_byte_of_a_row_is_found_when_it_is_read() {
    let files = Files::with_events(3).await;
    let store = files.open().await.unwrap();
    let mut hands = files::connect(&files.ledger).await;
    // Event 1: transaction 3, entry 0.
    let place = 3_i64 << 16;
    let select = sqlx::query("SELECT value FROM ledger_row WHERE pos = ?").bind(place);
    let honest: Vec<u8> = select.fetch_one(&mut hands).await.unwrap().get(0);
    let mut put = async |value: &[u8]| {
        let update = sqlx::query("UPDATE ledger_row SET value = ? WHERE pos = ?");
        let done = update.bind(value).bind(place).execute(&mut hands).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    };
    let altered = Verdict::RowAltered { tx: tx(3), entry: 0 };
    for at in 0..honest.len() {
        let mut value = honest.clone();
        value[at] ^= 1 << (at % 8);
        put(&value).await;
        let event = store.get_event_at_tx(&stream(), 1, tx(4)).await;
        assert_eq!(verdict(event), altered, "byte {at}");
    }
    for value in [&honest[..honest.len() - 1], &[&honest[..], &[0]].concat(), &[]] {
        put(value).await;
        assert_eq!(verdict(store.read(&stream(), ReadOptions::forward()).await), altered);
        assert_eq!(verdict(store.read(&stream(), ReadOptions::backward()).await), altered);
        assert_eq!(verdict(store.read_all(None, None).await), altered);
        assert_eq!(verdict(store.get_until(&stream(), i64::MAX).await), altered);
        assert_eq!(verdict(store.add_event(&event(1)).await), altered);
        // What does not touch it is as good as before.
        assert_eq!(store.get_event_at_tx(&stream(), 0, tx(4)).await.unwrap().event, event(0));
        assert_eq!(store.next_sequence(&stream()).await.unwrap(), 3);
    }
    put(&honest).await;
    assert_eq!(store.get_event_at_tx(&stream(), 1, tx(4)).await.unwrap().event, event(1));
}

#[tokio::test]
async fn an_altered_payload_is_found_at_its_place() {
    let files = Files::new();
    let store = files.open().await.unwrap();
    let events: Vec<Event> = (0..4).map(|n| event(n).with_external_id("")).collect();
    store.append(&stream(), ExpectedVersion::Any, &events).await.unwrap();
    drop(store);
    let payload = |n| hex(format!("number {n}").as_bytes());
    let swap = format!(
        "UPDATE ledger_row SET value = unhex(replace(hex(value), '{}', '{}'))",
        payload(2),
        payload(9)
    );
    assert!(files.tamper(&swap).await > 0);
    let store = files.open().await.unwrap();
    let read = store.read(&stream(), ReadOptions::forward()).await;
    assert_eq!(verdict(read), Verdict::RowAltered { tx: tx(2), entry: 2 });
    assert_eq!(store.get_event_at_tx(&stream(), 1, tx(2)).await.unwrap().event, events[1]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[tokio::test]
async fn a_row_in_anothers_place_is_found() {
    let files = Files::with_events(3).await;
    files
        .tamper(
            "UPDATE ledger_row SET value = (SELECT value FROM ledger_row WHERE pos = 2 << 16) \
             WHERE pos = 3 << 16",
        )
        .await;
    let store = files.open().await.unwrap();
    let read = store.read(&stream(), ReadOptions::forward()).await;
    assert_eq!(verdict(read), Verdict::RowAltered { tx: tx(3), entry: 0 });
}

#[tokio::test]
async fn a_deleted_row_is_missed_at_its_place() {
    let files = Files::with_events(3).await;
    assert_eq!(files.tamper("DELETE FROM ledger_row WHERE pos = 3 << 16").await, 1);
    let store = files.open().await.unwrap();
    let missing = Verdict::RowMissing { tx: tx(3), entry: 0 };
    assert_eq!(verdict(store.read(&stream(), ReadOptions::forward()).await), missing);
    assert_eq!(verdict(store.read_all(None, None).await), missing);
    assert_eq!(verdict(store.get_event_at_tx(&stream(), 1, tx(4)).await), missing);
    assert_eq!(store.get_event_at_tx(&stream(), 2, tx(4)).await.unwrap().event, event(2));
}

#[tokio::test]
async fn rows_that_no_transaction_holds_are_refused() {
    let files = Files::with_events(2).await;
    files
        .tamper(
            "INSERT INTO ledger_row SELECT (7 << 16) + 5, value FROM ledger_row WHERE pos = 2 << 16; \
             INSERT INTO ledger_row SELECT (9 << 16), value FROM ledger_row WHERE pos = 2 << 16",
        )
        .await;
    let surplus = Verdict::SurplusRows { tx: tx(7), entry: 5, count: 2 };
    assert_eq!(verdict(files.open().await), surplus);
    assert_eq!(verdict(EventStore::open(&files.unknown().accepting()).await), surplus);
}
