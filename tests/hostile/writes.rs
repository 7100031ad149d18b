//! Writes that were swallowed, cut off, doubled, altered or lied about.

use std::sync::{Arc, Mutex};

use counterfoil::{Error, EventStore, ExpectedVersion, ReadOptions};
use counterfoil_test_support::{Action, Context, Direction, PgMessage};

use crate::hostile::{Liar, event, stream};

/// The message that makes the server insert.
fn is_insert(context: &Context<'_>, message: &PgMessage) -> bool {
    context.executes(message) && context.statement.starts_with("INSERT INTO events")
}

/// What the server says when it is done with an INSERT, or not.
fn is_answer(context: &Context<'_>, message: &PgMessage) -> bool {
    context.direction == Direction::ToClient
        && context.statement.starts_with("INSERT")
        && message.kind == b'C'
}

/// Nothing is executed, and in the place of the answer stands this.
fn swallow(context: &Context<'_>, message: &PgMessage, answer: &PgMessage) -> Action {
    if is_insert(context, message) {
        return Action::Instead(vec![]);
    }
    match context.direction {
        // What is left of it: that its portal is not closed.
        Direction::ToClient if context.statement.starts_with("INSERT") && message.kind == b'E' => {
            Action::Instead([answer.to_bytes(), message.to_bytes()].concat())
        }
        _ => Action::Forward,
    }
}

fn complete() -> PgMessage {
    PgMessage { kind: b'C', body: b"INSERT 0 0\0".to_vec() }
}

/// Of a canned answer.
fn row() -> PgMessage {
    PgMessage::data_row(&[Some(b"7".to_vec())])
}

fn error(words: &str) -> PgMessage {
    let body = format!("SERROR\0C00000\0M{words}\0\0").into_bytes();
    PgMessage { kind: b'E', body }
}

#[track_caller]
fn unknown<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::OutcomeUnknown { .. })), "{result:?}");
}

/// The event is in the ledger once, whoever looks.
async fn there_once(liar: &Liar, store: &EventStore, events: u64) {
    assert!(liar.truth().await.into_iter().eq((0..events).map(event)));
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert!(read.events.into_iter().map(|r| r.event).eq((0..events).map(event)));
    assert_eq!(store.findings().await.unwrap(), []);
}

#[tokio::test]
async fn a_swallowed_write_is_never_done_and_can_be_repeated() {
    for answer in [complete(), error("key already exists")] {
        let liar = Liar::new();
        let store = liar.with_events(1).await;
        liar.tells(move |context, message| swallow(context, message, &answer));
        unknown(store.add_event(&event(1)).await);
        assert_eq!(liar.truth().await, [event(0)]);
        liar.repents();
        let events = [event(1)];
        let appended = store.append(&stream(), ExpectedVersion::Any, &events).await.unwrap();
        assert!(!appended.repeated);
        assert_eq!(appended.events[0].sequence, 1);
        there_once(&liar, &store, 2).await;
    }
}

/// What immudb answers to texts that it takes for questions of its own.
#[tokio::test]
async fn an_answer_to_something_else_is_seen_through_and_the_insert_sent_again() {
    let liar = Liar::new();
    let store = liar.with_events(1).await;
    let mut left = 2;
    liar.tells(move |context, message| {
        // The INSERT, and its answer.
        let action = if left > 0 { swallow(context, message, &row()) } else { Action::Forward };
        left -= u8::from(action != Action::Forward);
        action
    });
    assert_eq!(store.add_event(&event(1)).await.unwrap().sequence, 1);
    there_once(&liar, &store, 2).await;
}

#[tokio::test]
async fn a_cut_before_or_after_the_insert_is_done_exactly_once() {
    for cut in [Action::CutBefore, Action::CutAfter] {
        let liar = Liar::new();
        let store = liar.with_events(1).await;
        for n in 1..5 {
            let cut = cut.clone();
            let mut left = 1 + n % 2;
            liar.tells(move |context, message| {
                if left > 0 && is_insert(context, message) {
                    left -= 1;
                    return cut.clone();
                }
                Action::Forward
            });
            let tx = store.add_event(&event(n)).await.unwrap();
            assert_eq!(tx.sequence, n);
            assert!(store.verify_event(&event(n), &tx.proof).await.unwrap());
        }
        there_once(&liar, &store, 5).await;
    }
}

/// What shares a transaction shares its fate: the answers of the first INSERTs
/// are lost, and everybody's event is there once all the same. Whoever reads
/// it with a log of his own finds it whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_whose_common_answer_is_lost_are_done_exactly_once() {
    const WRITERS: u64 = 16;
    let liar = Liar::new();
    let store = liar.with_events(1).await;
    let mut left = 3;
    liar.tells(move |context, message| {
        if left > 0 && is_answer(context, message) {
            left -= 1;
            return Action::CutBefore;
        }
        Action::Forward
    });
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..=WRITERS {
        let store = store.clone();
        tasks.spawn(async move {
            let added = store.add_event(&event(n)).await.unwrap();
            assert!(store.verify_event(&event(n), &added.proof).await.unwrap());
            (added.sequence, event(n))
        });
    }
    let mut added = tasks.join_all().await;
    added.sort_by_key(|(sequence, _)| *sequence);
    assert!(added.iter().map(|(sequence, _)| *sequence).eq(1..=WRITERS));
    let transactions = store.state().await.unwrap().tx.get();
    assert!(transactions < WRITERS, "{transactions} transactions");
    let truth = liar.truth().await;
    assert!(truth[1..].iter().eq(added.iter().map(|(_, event)| event)));
    assert_eq!(store.findings().await.unwrap(), []);
}

#[tokio::test]
async fn an_answer_cut_off_is_done_exactly_once() {
    let liar = Liar::new();
    let store = liar.with_events(1).await;
    for n in 1..5 {
        let mut left = 1;
        liar.tells(move |context, message| {
            if left > 0 && is_answer(context, message) {
                left -= 1;
                return if n % 2 == 0 { Action::CutBefore } else { Action::CutAfter };
            }
            Action::Forward
        });
        assert_eq!(store.add_event(&event(n)).await.unwrap().sequence, n);
    }
    there_once(&liar, &store, 5).await;
}

/// Nobody can look, or nothing helps: it is unknown, and repeating it settles
/// it.
#[tokio::test]
async fn what_cannot_be_found_out_is_unknown_and_can_be_repeated() {
    let mut pursued = tokio::task::JoinSet::new();
    for (first, later, written) in [
        (Some(Action::CutAfter), Action::CutBefore, true),
        (Some(Action::CutBefore), Action::CutBefore, false),
        (None, Action::Forward, false),
    ] {
        pursued.spawn(async move {
            let liar = Liar::new();
            let store = liar.with_events(1).await;
            let mut gone = false;
            liar.tells(move |context, message| {
                match &first {
                    Some(first) if !gone && is_insert(context, message) => {
                        gone = true;
                        return first.clone();
                    }
                    None => return swallow(context, message, &row()),
                    _ => {}
                }
                if gone { later.clone() } else { Action::Forward }
            });
            unknown(store.add_event(&event(1)).await);
            liar.repents();
            let events = [event(1)];
            let appended = store.append(&stream(), ExpectedVersion::Any, &events).await.unwrap();
            assert_eq!((appended.repeated, appended.events[0].sequence), (written, 1));
            there_once(&liar, &store, 2).await;
        });
    }
    pursued.join_all().await;
}

#[tokio::test]
async fn a_refusal_of_what_was_executed_is_found_out() {
    for words in ["key already exists", "tx read conflict", "something else"] {
        let liar = Liar::new();
        let store = liar.with_events(1).await;
        let (mut left, words) = (1, error(words));
        liar.tells(move |context, message| {
            if left > 0 && is_answer(context, message) {
                left -= 1;
                *message = words.clone();
            }
            Action::Forward
        });
        assert_eq!(store.add_event(&event(1)).await.unwrap().sequence, 1);
        there_once(&liar, &store, 2).await;
    }
}

/// Opening one takes as long as a commit. What is said after a refusal is read,
/// not taken for the next statement's answer.
#[tokio::test]
async fn inserts_go_over_one_connection_even_after_a_refusal() {
    let liar = Liar::new();
    let store = liar.with_events(1).await;
    let used = Arc::new(Mutex::new(Vec::new()));
    let (noted, mut answers, words) = (Arc::clone(&used), 0, error("key already exists"));
    liar.tells(move |context, message| {
        if is_insert(context, message) {
            noted.lock().unwrap().push(context.connection);
        }
        if is_answer(context, message) {
            answers += 1;
            if answers == 2 {
                *message = words.clone();
            }
        }
        Action::Forward
    });
    for n in 1..5 {
        assert_eq!(store.add_event(&event(n)).await.unwrap().sequence, n);
    }
    let used = used.lock().unwrap().clone();
    assert!(used.len() == 4 && used.iter().all(|one| *one == used[0]), "{used:?}");
    there_once(&liar, &store, 5).await;
}

#[tokio::test]
async fn a_doubled_insert_is_done_exactly_once() {
    let liar = Liar::new();
    let store = liar.with_events(1).await;
    liar.tells(|context, message| match is_insert(context, message) {
        true => Action::Instead(message.to_bytes().repeat(2)),
        false => Action::Forward,
    });
    for n in 1..4 {
        assert_eq!(store.add_event(&event(n)).await.unwrap().sequence, n);
    }
    liar.repents();
    there_once(&liar, &store, 4).await;
}

/// Whoever can alter statements can write what he likes, but not have it
/// acknowledged as what the client meant.
#[tokio::test]
async fn an_insert_altered_on_its_way_is_not_acknowledged_as_ours() {
    let liar = Liar::new();
    let store = liar.with_events(1).await;
    liar.tells(|context, message| {
        // Among the values that are bound.
        let insert = context.statement.starts_with("INSERT");
        if insert && context.direction == Direction::ToServer && message.kind == b'B' {
            let found = message.body.windows(8).position(|bytes| bytes == b"number 1");
            message.body[found.unwrap() + 7] = b'9';
        }
        Action::Forward
    });
    let error = store.add_event(&event(1)).await.unwrap_err();
    let tx = counterfoil::TxId::new(3);
    assert!(matches!(error, Error::IdConflict { tx: at, .. } if at == tx), "{error}");
    // Without an external id it is told apart all the same, and goes behind.
    let mine = event(1).with_external_id("");
    let added = store.add_event(&mine).await;
    liar.repents();
    let truth = liar.truth().await;
    let forged = |n: usize| truth[n].payload.inline() == Some(b"number 9");
    assert!(forged(1));
    if let Ok(added) = added {
        assert_eq!(truth[added.sequence as usize], mine);
        assert!(store.verify_event(&mine, &added.proof).await.unwrap());
    }
    assert!(!store.verify_event(&event(1), &added_proof(&store, 0).await).await.unwrap());
}

/// The proof of an event that is there.
async fn added_proof(store: &EventStore, n: u64) -> counterfoil::EventProof {
    store.add_event(&event(n)).await.unwrap().proof
}
