//! A commit that arrives after it was looked for: statements that are held up
//! on the way, while their client gives up, connects anew, looks, and sends
//! the same again.

use std::time::{Duration, Instant};

use counterfoil::{Appended, Config, Error, Event, EventStore, ExpectedVersion, TxId};
use counterfoil_test_support::{Action, Context, temp_dir};

use crate::hostile::{Liar, event, stream};

const SECOND: Duration = Duration::from_secs(1);

/// The deceived client, with little patience for one answer. A busy machine may
/// need more for a connection: then it is asked again.
async fn impatient(liar: &Liar) -> EventStore {
    drop(liar.open().await);
    let mut config: Config = liar.config();
    config.storage.immudb.timeout_seconds = 2;
    again(async || EventStore::open(&config).await).await.unwrap()
}

/// Repeats what could not be asked; nothing came of it.
async fn again<T>(work: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 0..30 {
        match work().await {
            Err(Error::Unavailable(_)) => {}
            outcome => return outcome,
        }
    }
    work().await
}

/// Holds up the INSERTs, each for as long as `time` says, and lets everything
/// else pass.
fn holds_up(liar: &Liar, mut time: impl FnMut() -> Option<Duration> + Send + 'static) {
    liar.tells(move |context: &Context<'_>, message| {
        let insert = context.executes(message) && context.statement.starts_with("INSERT");
        match insert.then(&mut time).flatten() {
            Some(time) => Action::Delay(time),
            None => Action::Forward,
        }
    });
}

/// These events and no others are in the stream, in this order, whoever looks;
/// and every acknowledgement is proved to a newcomer.
async fn there(liar: &Liar, events: &[Event], acknowledged: &[counterfoil::AddedEvent]) {
    assert_eq!(liar.truth().await, events);
    liar.honestly(async |newcomer| {
        for added in acknowledged {
            let event = &events[added.sequence as usize];
            assert!(newcomer.verify_event(event, &added.proof).await.unwrap());
        }
    })
    .await;
}

/// The ledger as it is once everything that was under way has arrived.
async fn settled(liar: &Liar, arrived: Instant) -> TxId {
    tokio::time::sleep_until(arrived.into()).await;
    liar.honestly(async |store| store.state().await.unwrap().tx).await
}

/// Held up for longer than an answer is waited for, it arrives while the same
/// is sent again, or after: in whatever order, it is there once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_insert_that_overtakes_its_own_repetition_is_done_once() {
    let liar = Liar::new();
    let store = impatient(&liar).await;
    let mut acknowledged = Vec::new();
    // The first two or three of each are held up; the moment at which it
    // arrives differs from that of the next attempt by little.
    for (n, millis) in (0..).zip([2_000, 2_030, 2_100, 4_060, 5_000]) {
        let mut left: u64 = 2 + n % 2;
        holds_up(&liar, move || {
            left = left.checked_sub(1)?;
            Some(Duration::from_millis(millis))
        });
        let added = again(async || store.add_event(&event(n)).await).await.unwrap();
        assert_eq!(added.sequence, n);
        acknowledged.push(added);
    }
    liar.repents();
    let events: Vec<Event> = (0..5).map(event).collect();
    there(&liar, &events, &acknowledged).await;
    // What was sent again has arrived by now, and has changed nothing.
    let end = settled(&liar, Instant::now() + 6 * SECOND).await;
    assert_eq!(end, TxId::new(6));
    there(&liar, &events, &acknowledged).await;
    let added = again(async || store.add_event(&event(5)).await).await.unwrap();
    assert_eq!(added.sequence, 5);
}

/// Nobody waits as long as it takes: it is told that nobody knows, the ledger
/// does not have it, and then it comes.
/// When everything will have arrived, is told too.
async fn in_doubt() -> (Liar, EventStore, Instant) {
    let liar = Liar::new();
    let store = impatient(&liar).await;
    again(async || store.add_event(&event(0)).await).await.unwrap();
    // Every attempt, until some time after the last one was given up.
    let until = Instant::now() + 45 * SECOND;
    holds_up(&liar, move || Some(until.saturating_duration_since(Instant::now())));
    let error = again(async || store.add_event(&event(1)).await).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error}");
    assert!(error.to_string().contains("same external id"), "{error}");
    assert!(Instant::now() < until, "it was given up too late for this test");
    assert_eq!(liar.truth().await, [event(0)]);
    (liar, store, until + 5 * SECOND)
}

/// What an append that is repeated gives.
async fn repeated(store: &EventStore) -> Appended {
    let events = [event(1)];
    again(async || store.append(&stream(), ExpectedVersion::Any, &events).await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_after_it_was_given_up_is_found_by_its_id() {
    let (liar, store, arrived) = in_doubt().await;
    // The client is gone, and another one comes.
    drop(store);
    assert_eq!(settled(&liar, arrived).await, TxId::new(3));
    let store = impatient(&liar).await;
    let again = repeated(&store).await;
    assert_eq!((again.repeated, again.id), (true, TxId::new(3)));
    there(&liar, &[event(0), event(1)], &again.events).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_when_its_place_is_taken_never_counts() {
    let (liar, store, arrived) = in_doubt().await;
    let folder = temp_dir("rival");
    // Before it arrives somebody else writes to the stream, and it is
    // repeated behind that.
    let rival = EventStore::open(&liar.honest(&folder)).await.unwrap();
    let rivals = rival.add_event(&event(7)).await.unwrap();
    assert_eq!(rivals.sequence, 1);
    liar.repents();
    let again = repeated(&store).await;
    assert_eq!((again.repeated, again.events[0].sequence), (false, 2));
    let acknowledged = [rivals, again.events[0].clone()];
    there(&liar, &[event(0), event(7), event(1)], &acknowledged).await;
    assert_eq!(settled(&liar, arrived).await, TxId::new(4));
    there(&liar, &[event(0), event(7), event(1)], &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_repeated_before_it_arrives_is_written_once() {
    let (liar, store, arrived) = in_doubt().await;
    liar.repents();
    let again = repeated(&store).await;
    // Repeated at its own place, in other bytes: one of the two is refused.
    assert_eq!(again.events[0].sequence, 1);
    assert_eq!(settled(&liar, arrived).await, TxId::new(3));
    there(&liar, &[event(0), event(1)], &again.events).await;
    let once_more = repeated(&store).await;
    assert_eq!((once_more.repeated, once_more.id), (true, again.id));
}
