//! A row for which the server refuses the whole INSERT: whoever shares the
//! commit does not share its fate.

use counterfoil::{Cover, Error, Event, EventStore, ReadOptions};
use counterfoil_test_support::PgMessage;
use tokio::task::JoinSet;

use crate::hostile::Liar;

/// What makes an INSERT refused, wherever it stands in it.
const POISON: &str = "poison";

/// Makes the server refuse every INSERT that holds the poison, in its own
/// words: one value becomes longer than its column.
fn too_long(bind: &mut PgMessage) {
    bind.bind_first(&[b'a'; 65]);
}

/// In words that nobody understands: the statement has another name.
fn unheard_of(bind: &mut PgMessage) {
    bind.body.insert(1, b'?');
}

/// One of `every` is poisoned.
fn event(n: u64, every: u64) -> Event {
    let payload = if n % every == 5 { POISON.to_owned() } else { format!("number {n}") };
    Event::new(&Cover::new("shipment", format!("{}", n % 24)), "Counted", payload)
}

fn is_poisoned(event: &Event) -> bool {
    event.payload.inline() == Some(POISON.as_bytes())
}

async fn poisoned(every: u64, refuse: fn(&mut PgMessage), told: fn(&Error) -> bool) {
    let liar = Liar::new();
    let store: EventStore = liar.open().await;
    liar.tells(move |context, message| {
        let poisoned = |value: &[u8]| value.windows(POISON.len()).any(|w| w == POISON.as_bytes());
        if context.statement.starts_with("INSERT")
            && let Some(values) = message.bound()
            && values.iter().flatten().any(|value| poisoned(value))
        {
            refuse(message);
        }
        counterfoil_test_support::Action::Forward
    });
    let mut tasks = JoinSet::new();
    for n in 0..48 {
        let store = store.clone();
        let event = event(n, every);
        tasks.spawn(async move { (store.add_event(&event).await, event) });
    }
    let mut added = Vec::new();
    for (outcome, event) in tasks.join_all().await {
        match outcome {
            Ok(done) => {
                assert!(!is_poisoned(&event));
                assert!(store.verify_event(&event, &done.proof).await.unwrap());
                added.push(event);
            }
            Err(error) => assert!(is_poisoned(&event) && told(&error), "{event:?}: {error}"),
        }
    }
    assert_eq!(added.len() as u64, 48 - 48 / every);
    liar.honestly(async |newcomer| {
        assert_eq!(newcomer.findings().await.unwrap(), []);
        assert_eq!(newcomer.read_all(None, None).await.unwrap().events.len(), added.len());
        for root in 0..24 {
            let cover = Cover::new("shipment", format!("{root}"));
            let read = newcomer.read(&cover, ReadOptions::forward()).await.unwrap();
            assert!(read.events.iter().all(|read| added.contains(&read.event)));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_the_server_refuses_is_refused_alone() {
    poisoned(16, too_long, |error| {
        matches!(error, Error::Unavailable(_)) && error.to_string().contains("max length")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_refused_in_other_words_leaves_nobody_else_in_doubt() {
    poisoned(48, unheard_of, |error| matches!(error, Error::OutcomeUnknown { .. })).await;
}
