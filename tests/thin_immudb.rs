//! Thin reads on a real immudb: honest ones at the borders of tiles, and with
//! tiles, rows and headers that lie. Nothing false is ever proved; what is
//! wrong is named.

mod on_server;
mod thin;

use counterfoil::core::ValueHash;
use counterfoil::{
    Advance, Claim, Error, PresentEvent, ThinStore, TileFlaw, TileName, TileProblem, Undecided,
    Verdict,
};
use counterfoil_test_support::Action;

use crate::thin::{Ledger, event, flipped, put, stream, text};

/// Transactions with an event, in a ledger of 530.
const EVENTS: [u64; 9] = [3, 4, 255, 256, 257, 258, 512, 513, 530];

async fn ledger(size: u64) -> Ledger {
    let mut ledger = Ledger::new().await;
    ledger.grow(size, &EVENTS).await;
    ledger
}

fn tile(level: u32, index: u64, width: u64) -> TileName {
    TileName { level, index, width }
}

fn flaw(tile: TileName, problem: TileProblem) -> TileFlaw {
    TileFlaw { tile, problem }
}

#[track_caller]
fn undecided<T: std::fmt::Debug>(result: Result<T, Error>) -> Undecided {
    match result {
        Err(Error::CannotDecide(why)) => *why,
        other => panic!("decided: {other:?}"),
    }
}

/// The event is the true one and proved as a full reader proves it.
async fn is_true(ledger: &Ledger, found: &PresentEvent, number: u64) {
    assert_eq!(found.claim, Claim::PresenceOnly);
    assert_eq!((&found.event.event, found.event.sequence), (&event(number), number));
    assert_eq!(ledger.events[&found.event.tx.get()], number);
    assert!(ledger.store.verify_event(&event(number), &found.proof).await.unwrap());
}

/// Every event is read truly; gives back the flaws that were told then.
async fn reads_all(ledger: &Ledger, store: &ThinStore) -> Vec<TileFlaw> {
    let mut flaws = Vec::new();
    for number in ledger.events.values() {
        let found = store.get_event(&stream(), *number).await.unwrap();
        is_true(ledger, &found, *number).await;
        flaws.extend(found.flaws);
    }
    flaws
}

#[tokio::test]
async fn what_is_present_is_proved_under_every_state_within_the_budget() {
    let mut ledger = ledger(300).await;
    let done = ledger.store.publish_tiles().await.unwrap();
    assert_eq!((done.size, done.written, done.present), (256, 2, 0));
    ledger.grow(530, &EVENTS).await;
    // The tiles end at 256: headers go on from there.
    let stale = ledger.thin(530).await.unwrap();
    assert_eq!(stale.opening_flaws(), [flaw(tile(1, 0, 2), TileProblem::Missing)]);
    assert!(stale.opening_cost().headers > 256, "{:?}", stale.opening_cost());
    assert_eq!(reads_all(&ledger, &stale).await, []);

    let done = ledger.store.publish_tiles().await.unwrap();
    assert_eq!((done.size, done.written, done.present), (512, 2, 0));
    let again = ledger.another().await.0.publish_tiles().await.unwrap();
    assert_eq!((again.size, again.written, again.present), (512, 0, 3));
    let last = ledger.state(530).await;
    for state in [1, 2, 3, 4, 255, 256, 257, 258, 513, 514, 530] {
        let store = ledger.thin(state).await.unwrap();
        assert_eq!(store.ledger_id().await, ledger.store.ledger_id().await.unwrap());
        assert_eq!(store.opening_flaws(), []);
        let opened = store.opening_cost();
        assert!(opened.statements - opened.headers <= 8, "{opened:?}");
        assert!(opened.headers <= 255 + 3 && opened.tile_bytes <= 64 * 1024, "{opened:?}");
        for (tx, number) in &ledger.events {
            let found = store.get_event(&stream(), *number).await;
            if *tx > state {
                let why = undecided(found);
                assert!(matches!(why, Undecided::NewerThanState { .. }), "{why:?}");
                continue;
            }
            let found = found.unwrap();
            is_true(&ledger, &found, *number).await;
            assert_eq!(found.flaws, []);
            let cost = found.cost;
            assert!(cost.statements - cost.headers <= 8, "{cost:?}");
            assert!(cost.headers <= 1 && cost.tile_bytes <= 64 * 1024, "{cost:?}");
        }
        let why = undecided(store.get_event(&stream(), 77).await);
        assert!(matches!(why, Undecided::NoRow { sequence: 77, .. }), "{why:?}");
        match store.advance().await.unwrap() {
            Advance::Unchanged => assert_eq!(state, 530),
            Advance::Unconfirmed { from, to, .. } => {
                assert_eq!((from.tx.get(), to), (state, last));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(store.state().await.tx.get(), state);
    }
}

#[tokio::test]
async fn a_false_tile_is_named_and_changes_no_answer() {
    let ledger = ledger(270).await;
    ledger.store.publish_tiles().await.unwrap();
    let (full, edge) = (tile(0, 0, 256), tile(1, 0, 1));
    // Altered on the way.
    for (at, column, problem) in [
        (full, "hashes", TileProblem::Digest),
        (edge, "hashes", TileProblem::Digest),
        (full, "digest", TileProblem::Digest),
        (edge, "digest", TileProblem::Digest),
        (full, "width", TileProblem::Width),
        (edge, "width", TileProblem::Width),
        (full, "idx", TileProblem::Width),
        (edge, "level", TileProblem::Width),
        (full, "short", TileProblem::Width),
        (edge, "short", TileProblem::Width),
        (full, "none", TileProblem::Missing),
        (edge, "none", TileProblem::Missing),
    ] {
        ledger.alters("FROM tiles", move |context, message| {
            if text(message, context, "level") != at.level.to_string() {
                return Action::Forward;
            }
            let hashes = text(message, context, "hashes");
            match column {
                "none" => return Action::Instead(vec![]),
                "short" => put(message, context, "hashes", &hashes[..hashes.len() - 64]),
                "width" | "idx" | "level" => put(message, context, column, "7"),
                _ => {
                    let other = flipped(&text(message, context, column));
                    put(message, context, column, &other);
                }
            }
            Action::Forward
        });
        let store = ledger.thin(270).await.unwrap();
        let width = if column == "width" { 7 } else { at.width };
        let named = flaw(TileName { width, ..at }, problem);
        assert_eq!(store.opening_flaws(), [named], "{column}");
        assert_eq!(reads_all(&ledger, &store).await, []);
    }
    ledger.repents();
    let store = ledger.thin(270).await.unwrap();
    assert_eq!(store.opening_flaws(), []);
    assert_eq!(reads_all(&ledger, &store).await, []);
}

/// The tile's row with forged hashes under the digest that belongs to them.
fn forged(level: u32, index: u64, width: usize, seed: u8) -> String {
    let hashes = vec![seed; 32 * width];
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let digest = ValueHash::of(&hashes);
    format!(
        "UPSERT INTO tiles (level, idx, width, digest, hashes) \
         VALUES ({level}, {index}, {width}, x'{}', x'{}');",
        hex(digest.as_bytes()),
        hex(&hashes)
    )
}

#[tokio::test]
async fn squatters_are_named_and_crowding_the_true_tile_out_costs_only_headers() {
    let ledger = ledger(270).await;
    // Two publishers at once, each with a log of its own.
    let (other, _log) = ledger.another().await;
    let (one, two) = tokio::join!(ledger.store.publish_tiles(), other.publish_tiles());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((one.size, two.size), (256, 256));
    assert!((2..=4).contains(&(one.written + two.written)), "{one:?} {two:?}");
    assert_eq!(ledger.thin(270).await.unwrap().opening_flaws(), []);
    let places = [(0, 256), (1, 1)];
    let squat = async |seeds: std::ops::Range<u8>| {
        for (level, width) in places {
            let rows: Vec<String> =
                seeds.clone().map(|seed| forged(level, 0, width, seed)).collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            ledger.operate("_tiles", &rows).await;
        }
    };
    // A few at each place: the true one is among the candidates.
    squat(0..3).await;
    let store = ledger.thin(270).await.unwrap();
    let foreign =
        places.map(|(level, width)| flaw(tile(level, 0, width as u64), TileProblem::Foreign));
    assert!(store.opening_cost().headers < 256, "{:?}", store.opening_cost());
    assert!(foreign.iter().all(|flaw| store.opening_flaws().contains(flaw)));
    assert_eq!(reads_all(&ledger, &store).await, []);
    // Many: it is hardly found, and its place is named.
    squat(3..60).await;
    let store = ledger.thin(270).await.unwrap();
    assert!(store.opening_flaws().contains(&foreign[1]), "{:?}", store.opening_flaws());
    // No more candidates were fetched than are tried.
    let cost = store.opening_cost();
    assert!(cost.tile_bytes <= 8 * (8192 + 32), "{cost:?}");
    assert_eq!(reads_all(&ledger, &store).await, []);
}

#[tokio::test]
async fn no_lie_about_a_header_is_believed() {
    let ledger = ledger(270).await;
    ledger.store.publish_tiles().await.unwrap();
    let state = ledger.state(270).await;
    // 256 holds an event and no tile's tail, 258 one in the tail, 265 is in
    // the tail, 270 the state.
    for (tx, number) in [(256, 3), (258, 5), (265, 5), (270, 5)] {
        for column in ["prev_alh", "timestamp", "nentries", "eh", "bl_tx_id", "bl_root", "version"]
        {
            ledger.alters("immudb_tx(", move |context, message| {
                if context.column("error").is_none()
                    && text(message, context, "tx_id") == tx.to_string()
                {
                    let value = text(message, context, column);
                    let other = match column {
                        "version" => "0".to_owned(),
                        "timestamp" | "nentries" | "bl_tx_id" => {
                            format!("{}", value.parse::<i64>().unwrap() + 1)
                        }
                        _ => flipped(&value),
                    };
                    put(message, context, column, &other);
                }
                Action::Forward
            });
            let lied = async {
                let store = ledger.thin_under(state).await?;
                store.get_event(&stream(), number).await
            };
            match lied.await {
                // A tail header needs to be true only in what is taken from it.
                Ok(found) => {
                    assert!(tx == 265 || tx == 258 && column != "eh", "{tx} {column}");
                    is_true(&ledger, &found, number).await;
                }
                Err(Error::Ledger(verdict)) => {
                    let names = |named| matches!(*verdict, Verdict::BadHeader { tx, .. } if tx.get() == named);
                    assert!(names(tx), "{tx} {column}: {verdict:?}");
                }
                Err(Error::CannotDecide(why)) => {
                    let named =
                        matches!(*why, Undecided::Header { tx: found, .. } if found.get() == tx);
                    let skipped = column == "eh" && matches!(*why, Undecided::NoTransaction { .. });
                    assert!(named || skipped, "{tx} {column}: {why:?}");
                }
                other => panic!("{tx} {column}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn no_other_row_is_taken_for_the_event() {
    let ledger = ledger(5).await;
    // Three events in one transaction: the sixth.
    let batch: Vec<_> = (2..5).map(event).collect();
    let appended =
        ledger.store.append(&stream(), counterfoil::ExpectedVersion::Any, &batch).await.unwrap();
    assert_eq!(appended.id.get(), 6);
    for (column, other) in [
        ("domain", r"\x00"),
        ("edition", r"\x64"),
        ("root", r"\x"),
        ("event_number", "7"),
        ("ext", r"\x00"),
        ("seen_tx", "0"),
        ("body", r"\x"),
    ] {
        ledger.alters("(HISTORY OF events)", move |context, message| {
            if text(message, context, "event_number") == "1" {
                put(message, context, column, other);
            }
            Action::Forward
        });
        let store = ledger.thin(6).await.unwrap();
        undecided(store.get_event(&stream(), 1).await);
        is_present(&store, 0, 3).await;
    }
    // Every fourth digit of the body.
    let length = 2 * appended.events[0].proof.body.len();
    let store = ledger.thin(6).await.unwrap();
    for at in (0..length).step_by(4) {
        ledger.alters("(HISTORY OF events)", move |context, message| {
            let body = text(message, context, "body");
            let (head, tail) = body.split_at(2 + (at + 1).min(body.len() - 2));
            put(message, context, "body", &(flipped(head) + tail));
            Action::Forward
        });
        undecided(store.get_event(&stream(), 0).await);
    }
    // Another event's row in the place of this one.
    let mut first = None;
    ledger.alters("(HISTORY OF events)", move |context, message| {
        let columns = message.columns().unwrap();
        let first = first.get_or_insert(columns);
        *message = counterfoil_test_support::PgMessage::data_row(first);
        let _ = context;
        Action::Forward
    });
    is_present(&store, 0, 3).await;
    let why = undecided(store.get_event(&stream(), 1).await);
    assert!(matches!(why, Undecided::NoRow { .. }), "{why:?}");

    // All three are found in their transaction, until one is missing from it.
    ledger.repents();
    for (number, entry) in [(2, 0), (3, 1), (4, 2)] {
        let found = store.get_event(&stream(), number).await.unwrap();
        assert_eq!((found.event.event, found.event.entry), (event(number), entry));
        assert!(ledger.store.verify_event(&event(number), &found.proof).await.unwrap());
    }
    // One that the index does not show is found in the stream's history.
    for (statement, found) in [("USE INDEX ON (seen_tx)", true), ("FROM", false)] {
        ledger.alters(statement, |context, message| {
            match context.column("event_number").map(|_| text(message, context, "event_number")) {
                Some(number) if number == "3" => Action::Instead(vec![]),
                _ => Action::Forward,
            }
        });
        if found {
            is_present(&store, 4, 6).await;
        } else {
            let why = undecided(store.get_event(&stream(), 4).await);
            assert!(matches!(why, Undecided::NoTransaction { .. }), "{why:?}");
        }
    }
    ledger.repents();

    // Overwritten by the operator: what was written first is still proved.
    let key = "domain = x'736869706d656e74' AND edition = x'' AND event_number";
    for number in [1, 3] {
        let update = format!("UPDATE events SET body = x'00' WHERE {key} = {number};");
        ledger.operate("", &[&update]).await;
    }
    let store = ledger.thin(8).await.unwrap();
    for (number, tx) in [(0, 3), (1, 4), (2, 6), (3, 6), (4, 6)] {
        is_present(&store, number, tx).await;
    }
}

async fn is_present(store: &ThinStore, number: u64, tx: u64) {
    let found = store.get_event(&stream(), number).await.unwrap();
    assert_eq!((found.event.event, found.event.tx.get()), (event(number), tx));
}

#[tokio::test]
async fn a_rewritten_or_rolled_back_ledger_is_no_advance() {
    let ledger = ledger(6).await;
    let store = ledger.thin(5).await.unwrap();
    assert!(matches!(store.advance().await.unwrap(), Advance::Unconfirmed { .. }));
    let own = ledger.state(5).await;
    let older = ledger.state(4).await;
    ledger.alters("immudb_state()", move |context, message| {
        put(message, context, "tx_id", "4");
        put(message, context, "tx_hash", &older.alh.to_string());
        Action::Forward
    });
    match store.advance().await {
        Err(Error::Ledger(verdict)) => {
            assert_eq!(*verdict, Verdict::Rollback { pinned: own, found: Some(older) });
        }
        other => panic!("{other:?}"),
    }
    ledger.alters("immudb_state()", move |context, message| {
        put(message, context, "tx_id", "5");
        Action::Forward
    });
    let forked = store.advance().await;
    assert!(
        matches!(&forked, Err(Error::Ledger(v)) if matches!(**v, Verdict::Fork { .. })),
        "{forked:?}"
    );
    // A later ledger that does not hold the state.
    ledger.repents();
    let other = Ledger::new().await;
    let mut state = ledger.state(3).await;
    assert!(other.thin_under(state).await.is_err());
    state.alh = counterfoil::Alh::new([7; 32]);
    let lied = ledger.thin_under(state).await.map(|_| ());
    assert!(matches!(lied, Err(Error::Ledger(v)) if matches!(*v, Verdict::BadHeader { .. })));
}
