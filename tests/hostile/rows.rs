//! Rows that were altered, dropped or exchanged between server and client.

use counterfoil::{Cover, Event, FindingKind, ReadOptions, Verdict};
use counterfoil_test_support::{Action, PgMessage};

use crate::hostile::{Liar, event, flipped, put, stream, text, tx, verdict};

const ONE_STREAM: &str = "(HISTORY OF events) WHERE";
const ALL_STREAMS: &str = "USE INDEX ON (seen_tx)";

/// Each column of the row of event 1 is altered on its way, wherever the row
/// is read.
#[tokio::test]
async fn an_altered_column_of_a_row_is_refused_at_its_place() {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    for (column, other, missing) in [
        ("domain", r"\x00", true),
        ("edition", r"\x64", true),
        ("root", r"\x", true),
        ("event_number", "7", true),
        ("ext", r"\x00", false),
        ("seen_tx", "0", false),
        ("body", r"\x", false),
    ] {
        liar.alters(ONE_STREAM, move |context, message| {
            if text(message, context, "event_number") == "1" {
                put(message, context, column, other);
            }
            Action::Forward
        });
        // A row under another key is not there.
        let place = (tx(3), 0);
        let expected = match missing {
            true => Verdict::RowMissing { tx: place.0, entry: place.1 },
            false => Verdict::RowAltered { tx: place.0, entry: place.1 },
        };
        assert_eq!(verdict(store.get_event_at_tx(&stream(), 1, tx(4)).await), expected, "{column}");
        let whole = store.read(&stream(), ReadOptions::forward()).await;
        assert_eq!(verdict(whole), expected, "{column}");
        assert_eq!(verdict(store.read_all(None, None).await), expected, "{column}");
        assert_eq!(store.get_event_at_tx(&stream(), 2, tx(4)).await.unwrap().event, event(2));
    }
    liar.repents();
    assert_eq!(store.read(&stream(), ReadOptions::forward()).await.unwrap().events.len(), 3);
}

#[tokio::test]
async fn every_altered_digit_of_a_body_is_refused() {
    let liar = Liar::new();
    let store = liar.with_events(1).await;
    let digits = 2 * store.add_event(&event(0)).await.unwrap().proof.body.len();
    for at in 0..digits {
        liar.alters(ONE_STREAM, move |context, message| {
            let body = text(message, context, "body");
            let (head, tail) = body.split_at(2 + at + 1);
            put(message, context, "body", &(flipped(head) + tail));
            Action::Forward
        });
        let altered = Verdict::RowAltered { tx: tx(2), entry: 0 };
        assert_eq!(verdict(store.get_event_at_tx(&stream(), 0, tx(2)).await), altered, "{at}");
    }
}

#[tokio::test]
async fn a_dropped_row_is_missed_at_its_place() {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    liar.alters(ONE_STREAM, |context, message| match &*text(message, context, "event_number") {
        "1" => Action::Instead(vec![]),
        _ => Action::Forward,
    });
    let missing = Verdict::RowMissing { tx: tx(3), entry: 0 };
    assert_eq!(verdict(store.read(&stream(), ReadOptions::forward()).await), missing);
    assert_eq!(verdict(store.read(&stream(), ReadOptions::backward()).await), missing);
    assert_eq!(verdict(store.get_event_at_tx(&stream(), 1, tx(4)).await), missing);
    // How many there are, the server has no say in.
    assert_eq!(store.next_sequence(&stream()).await.unwrap(), 3);
}

#[tokio::test]
async fn a_row_with_anothers_content_is_refused() {
    let liar = Liar::new();
    let store = liar.with_events(2).await;
    let mut first = None;
    liar.alters(ONE_STREAM, move |context, message| {
        let mut columns = message.columns().unwrap();
        let number = context.column("event_number").unwrap();
        match &first {
            None => first = Some(columns),
            Some(first) => {
                // All but the key is that of event 0.
                let own = columns[number].take();
                columns.clone_from(first);
                columns[number] = own;
                *message = PgMessage::data_row(&columns);
            }
        }
        Action::Forward
    });
    let altered = Verdict::RowAltered { tx: tx(3), entry: 0 };
    assert_eq!(verdict(store.read(&stream(), ReadOptions::forward()).await), altered);
}

#[tokio::test]
async fn rows_that_nobody_asked_for_change_nothing() {
    let liar = Liar::new();
    let store = liar.with_events(3).await;
    liar.alters("FROM", |context, message| {
        let mut forged = message.clone();
        put(&mut forged, context, "body", r"\x01");
        let mut elsewhere = message.clone();
        put(&mut elsewhere, context, "event_number", "77");
        let bytes = [&forged, &*message, &elsewhere, &*message].map(PgMessage::to_bytes).concat();
        Action::Instead(bytes)
    });
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    let events: Vec<Event> = read.events.into_iter().map(|recorded| recorded.event).collect();
    assert_eq!(events, [event(0), event(1), event(2)]);
    assert_eq!(store.read_all(None, None).await.unwrap().events.len(), 3);
}

/// Reading many streams at once goes another way, which is as little trusted.
#[tokio::test]
async fn an_altered_row_among_many_streams_is_refused() {
    let liar = Liar::new();
    let store = liar.open().await;
    for n in 0..12 {
        let cover = Cover::new("shipment", format!("{n}"));
        store.add_event(&Event::new(&cover, "Counted", format!("{n}"))).await.unwrap();
    }
    // Root "7" is that of transaction 9.
    let (tx, entry) = (tx(9), 0);
    for dropped in [false, true] {
        for (statement, everywhere) in [(ALL_STREAMS, false), ("FROM", true)] {
            liar.alters(statement, move |context, message| {
                if text(message, context, "root") == r"\x37" {
                    if dropped {
                        return Action::Instead(vec![]);
                    }
                    let body = flipped(&text(message, context, "body"));
                    put(message, context, "body", &body);
                }
                Action::Forward
            });
            let read = store.read_all(None, None).await;
            match (everywhere, dropped) {
                // What is wrong there is asked for the other way.
                (false, _) => assert_eq!(read.unwrap().events.len(), 12),
                (true, false) => assert_eq!(verdict(read), Verdict::RowAltered { tx, entry }),
                (true, true) => assert_eq!(verdict(read), Verdict::RowMissing { tx, entry }),
            }
        }
    }
}

/// Rows that never arrived, or arrived altered, when a transaction was first
/// seen: their place is a gap that costs completeness, and no event is
/// invented or skipped over.
#[tokio::test]
async fn what_was_altered_when_first_seen_is_a_gap_and_never_an_event() {
    for dropped in [true, false] {
        let liar = Liar::new();
        let store = liar.with_events(2).await;
        liar.somebody_appends(2..5).await;
        liar.tells(move |context, message| {
            let row = context.is_row(message) && context.column("event_number").is_some();
            if row && text(message, context, "event_number") == "3" {
                if dropped {
                    return Action::Instead(vec![]);
                }
                let body = flipped(&text(message, context, "body"));
                put(message, context, "body", &body);
            }
            Action::Forward
        });
        let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
        let events: Vec<Event> = read.events.into_iter().map(|recorded| recorded.event).collect();
        assert_eq!(events, [event(0), event(1), event(2)]);
        let counterfoil::Completeness::Incomplete { gaps, first, .. } = read.completeness else {
            panic!("{:?}", read.completeness)
        };
        assert_eq!((gaps, first), (1, tx(5)));
        let findings = store.findings().await.unwrap();
        assert!(
            findings.iter().any(|f| f.tx == tx(5) && f.kind == FindingKind::Unaccounted),
            "{findings:?}"
        );
        // The event behind the gap is not taken for the third.
        assert!(read.stopped.is_none_or(|why| matches!(why, Verdict::OutOfLine { .. })));
    }
}
