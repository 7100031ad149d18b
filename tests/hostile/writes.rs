//! Writes that were swallowed, cut off, doubled, altered or lied about.

use counterfoil::{Error, EventStore, ExpectedVersion, ReadOptions};
use counterfoil_test_support::{Action, Context, Direction, PgMessage};

use crate::hostile::{Liar, event, stream};

fn is_insert(context: &Context<'_>) -> bool {
    context.statement.starts_with("INSERT")
}

/// Answers what is not executed: the INSERT becomes a question, and the
/// question's answer becomes the INSERT's.
fn swallow(context: &Context<'_>, message: &mut PgMessage, answer: &PgMessage) -> Action {
    if !is_insert(context) {
        return Action::Forward;
    }
    match (context.direction, message.kind) {
        (Direction::ToServer, _) => *message = PgMessage::query("SELECT immudb_state();"),
        (_, b'T' | b'D') => return Action::Instead(vec![]),
        (_, b'C') => *message = answer.clone(),
        _ => {}
    }
    Action::Forward
}

fn complete() -> PgMessage {
    PgMessage { kind: b'C', body: b"INSERT 0 0\0".to_vec() }
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
    let mut left = 1;
    liar.tells(move |context, message| {
        if left > 0 && context.direction == Direction::ToServer && is_insert(context) {
            left -= 1;
            *message = PgMessage::query("SELECT immudb_state();");
        }
        Action::Forward
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
            liar.tells(move |context, _| {
                if left > 0 && context.direction == Direction::ToServer && is_insert(context) {
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
    liar.tells(move |context, _| {
        if left > 0 && context.direction == Direction::ToClient && is_insert(context) {
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
        liar.tells(move |context, _| {
            if left > 0 && context.direction == Direction::ToClient && is_insert(context) {
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
                let insert = context.direction == Direction::ToServer && is_insert(context);
                match &first {
                    Some(first) if insert && !gone => {
                        gone = true;
                        return first.clone();
                    }
                    None if insert => *message = PgMessage::query("SELECT immudb_state();"),
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
            if left > 0 && message.kind == b'C' && is_insert(context) {
                left -= 1;
                *message = words.clone();
            }
            Action::Forward
        });
        assert_eq!(store.add_event(&event(1)).await.unwrap().sequence, 1);
        there_once(&liar, &store, 2).await;
    }
}

#[tokio::test]
async fn a_doubled_insert_is_done_exactly_once() {
    let liar = Liar::new();
    let store = liar.with_events(1).await;
    liar.tells(|context, message| match context.direction {
        Direction::ToServer if is_insert(context) => Action::Instead(message.to_bytes().repeat(2)),
        _ => Action::Forward,
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
        if context.direction == Direction::ToServer && is_insert(context) {
            // "number 1" becomes "number 9".
            let text = context.statement.replace("6e756d6265722031", "6e756d6265722039");
            *message = PgMessage::query(&text);
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
