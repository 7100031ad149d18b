//! Following over a connection that breaks, and past what is not shown.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use counterfoil::{
    Bookmark, Error, EventStore, FindingKind, Follow, FollowOptions, Followed, LedgerPosition, News,
};
use counterfoil_test_support::{Action, Direction, Server, temp_dir};

use crate::hostile::{Liar, event, tx};

async fn item(tail: &mut Follow) -> Result<Followed, Error> {
    let item = tokio::time::timeout(Duration::from_secs(60), tail.next()).await;
    item.expect("an item in time").expect("no end")
}

/// Sees events 0 to `count`, each once and in order.
async fn sees(tail: &mut Follow, count: u64) {
    for n in 0..count {
        let item = item(tail).await.unwrap();
        assert_eq!((item.event().unwrap().sequence, item.position().tx), (n, tx(n + 2)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_anywhere_cost_a_follower_nothing() {
    const EVENTS: u64 = 60;
    let liar = Liar::new();
    let store = liar.with_events(0).await;
    // The connection ends again and again, at longer and longer distances so
    // that something gets through: instead of answers and within them.
    let (mut messages, mut next) = (0_u64, 25_u64);
    let cuts = Arc::new(Mutex::new(0_u64));
    let counted = Arc::clone(&cuts);
    liar.tells(move |context, _| {
        messages += u64::from(context.direction == Direction::ToClient);
        if messages < next {
            return Action::Forward;
        }
        let mut cuts = counted.lock().unwrap();
        *cuts += 1;
        next += 25 * (*cuts + 1);
        if cuts.is_multiple_of(2) { Action::CutBefore } else { Action::CutAfter }
    });
    let options =
        FollowOptions::default().poll(Duration::from_millis(5), Duration::from_millis(50));
    let mut tail = store.follow_with(Bookmark::START, options);
    tokio::join!(liar.somebody_appends(0..EVENTS), sees(&mut tail, EVENTS));
    let cuts = *cuts.lock().unwrap();
    assert!(cuts > 3, "the connection was cut {cuts} times only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_and_comes_back_is_told_and_followed_on() {
    let mut private = Server::start_private();
    let liar = Liar::before(private.server());
    let store = liar.with_events(3).await;
    let patience = Duration::from_millis(300);
    let options = FollowOptions::default()
        .poll(Duration::from_millis(5), Duration::from_millis(50))
        .patience(patience);
    let mut tail = store.follow_with(Bookmark::START, options);
    sees(&mut tail, 3).await;
    private.kill();
    for _ in 0..2 {
        // Told, and told again: it is not the end.
        let error = item(&mut tail).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error}");
    }
    private.restart();
    liar.somebody_appends(3..5).await;
    let mut seen = Vec::new();
    while seen.len() < 2 {
        match item(&mut tail).await {
            Ok(item) => seen.push(item.event().unwrap().sequence),
            Err(error) => assert!(matches!(error, Error::Unavailable(_)), "{error}"),
        }
    }
    assert_eq!(seen, [3, 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_may_hold_events_is_shown_in_its_place() {
    let liar = Liar::new();
    let store = liar.with_events(1).await;
    liar.operator(&[
        "CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);",
        "INSERT INTO recipes (id) VALUES (1), (2), (3);",
    ])
    .await;
    store.add_event(&event(1)).await.unwrap();
    let mut seen = Vec::new();
    let mut tail = store.follow(Bookmark::START);
    for _ in 0..4 {
        seen.push(item(&mut tail).await.unwrap());
    }
    assert_eq!(seen.iter().map(|item| item.position().tx.get()).collect::<Vec<_>>(), [2, 3, 4, 5]);
    let gap = |id| News::Gap { tx: tx(id), kind: FindingKind::Unaccounted };
    assert_eq!(seen[1..3].iter().map(|item| &item.news).collect::<Vec<_>>(), [&gap(3), &gap(4)]);
    let before = |n: usize| seen[n].bookmark.to_string().split(':').next().unwrap().to_owned();
    assert_eq!((0..4).map(before).collect::<Vec<_>>(), ["2/0+0", "3/end+1", "4/end+2", "5/0+2"]);
    // From within and behind each of them.
    for (n, from) in seen.iter().enumerate() {
        for from in [from.bookmark, from.position().into()] {
            let mut tail = store.follow(from);
            for expected in &seen[n + 1..] {
                assert_eq!(item(&mut tail).await.unwrap(), *expected);
            }
        }
    }
    let page = store.read_all_after(seen[2].bookmark, Some(1)).await.unwrap();
    assert_eq!(page.bookmark, Some(seen[3].bookmark));
    // Within a gap, which is shown still, from its second row on.
    let within = LedgerPosition::new(tx(4), 1);
    let read = store.read_all_after(within, Some(0)).await.unwrap().bookmark.unwrap();
    assert_eq!(read.to_string(), seen[1].bookmark.to_string().replace("3/end", "4/1"));
    assert_eq!(item(&mut store.follow(read)).await.unwrap(), seen[2]);
}

/// What each new transaction costs does not grow with the table: its rows are
/// sought by what their writers had seen, and read by their keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn following_never_scans_the_table() {
    const NEW: u64 = 5;
    let liar = Liar::new();
    let store = liar.with_events(40).await;
    let now = LedgerPosition::end_of(store.state().await.unwrap().tx);
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&asked);
    liar.tells(move |context, message| {
        if context.executes(message) {
            kept.lock().unwrap().push(context.statement.to_owned());
        }
        Action::Forward
    });
    let options =
        FollowOptions::default().poll(Duration::from_millis(5), Duration::from_millis(200));
    let mut tail = store.follow_with(now, options);
    let log = temp_dir("honest");
    let somebody = EventStore::open(&liar.honest(&log)).await.unwrap();
    for n in 40..40 + NEW {
        somebody.add_event(&event(n)).await.unwrap();
        assert_eq!(item(&mut tail).await.unwrap().event().unwrap().sequence, n);
    }
    drop(tail);
    let asked = std::mem::take(&mut *asked.lock().unwrap());
    let of_rows: Vec<&String> = asked.iter().filter(|text| text.contains("events")).collect();
    assert!(of_rows.len() >= 2 * NEW as usize, "{asked:#?}");
    for text in of_rows {
        let by_index = text.contains("USE INDEX ON (seen_tx)") && text.contains("seen_tx >=");
        let by_key = ["x'", "?"].iter().any(|value| {
            text.contains(&format!("domain = {value}")) && text.contains(&format!("root = {value}"))
        });
        assert!(by_index || by_key, "{text}");
    }
}
