//! A live tail: no gap, no repeat, from anywhere.

use std::time::Duration;

use counterfoil::{
    Bookmark, Cover, Error, Event, EventStore, ExpectedVersion, Follow, FollowOptions, Followed,
    LedgerPosition, News, Streams, TxId,
};

use super::{Harness, numbered, shipment};

/// Longer than anything here takes, unless it never comes.
const LONG: Duration = Duration::from_secs(60);

/// The next so many items.
pub(crate) async fn next(tail: &mut Follow, count: usize) -> Vec<Followed> {
    let mut items = Vec::new();
    while items.len() < count {
        let item = tokio::time::timeout(LONG, tail.next()).await.expect("an item in time");
        items.push(item.expect("no end").unwrap());
    }
    items
}

/// Nothing comes.
async fn is_idle(tail: &mut Follow) {
    let item = tokio::time::timeout(Duration::from_millis(150), tail.next()).await;
    assert!(item.is_err(), "{item:?}");
}

/// Appends of one to four events each to three streams.
async fn some_events(store: &EventStore) -> usize {
    let covers = [shipment(), Cover::new("a", "z"), shipment().in_edition("draft")];
    let mut count = 0;
    for n in 0..9 {
        let cover = &covers[n as usize % 3];
        let events: Vec<Event> = (0..=n % 4).map(|m| numbered(cover, n * 10 + m)).collect();
        store.append(cover, ExpectedVersion::Any, &events).await.unwrap();
        count += events.len();
    }
    count
}

pub(crate) async fn from_every_position_comes_exactly_the_rest(harness: impl Harness) {
    let store = harness.open().await;
    let count = some_events(&store).await;
    let all = store.read_all(None, None).await.unwrap();
    let followed = next(&mut store.follow(Bookmark::START), count).await;
    assert!(followed.iter().map(|item| item.event().unwrap()).eq(&all.events));
    assert!(followed.is_sorted_by(|a, b| a.position() < b.position()));
    for (n, item) in followed.iter().enumerate() {
        // As somebody keeps it.
        let kept = serde_json::to_string(&item.bookmark).unwrap();
        let mut tail = store.follow(serde_json::from_str::<Bookmark>(&kept).unwrap());
        assert_eq!(next(&mut tail, count - n - 1).await, followed[n + 1..], "behind {kept}");
    }
    for tx in 0..=all.state.tx.get() {
        let from = LedgerPosition::end_of(TxId::new(tx));
        let rest: Vec<Followed> =
            followed.iter().filter(|item| item.position() > from).cloned().collect();
        let mut tail = store.follow(from);
        assert_eq!(next(&mut tail, rest.len()).await, rest, "behind transaction {tx}");
    }
    let mut tail = store.follow(LedgerPosition::end_of(all.state.tx));
    is_idle(&mut tail).await;
    let added = store.add_event(&numbered(&shipment(), 0)).await.unwrap();
    assert_eq!(next(&mut tail, 1).await[0].position(), LedgerPosition::new(added.id, 0));
    is_idle(&mut tail).await;
}

pub(crate) async fn beside_many_writers_each_follower_sees_all_once(harness: impl Harness) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 12;
    let store = harness.open().await;
    let count = (WRITERS * EACH) as usize;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                let cover = Cover::new("shipment", format!("{}", writer % 3));
                for n in 0..EACH {
                    store.add_event(&numbered(&cover, writer * EACH + n)).await.unwrap();
                }
            })
        })
        .collect();
    let steady = async { next(&mut store.follow(Bookmark::START), count).await };
    // Another one gives up after every seventh event and resumes.
    let fickle = async {
        let mut seen: Vec<Followed> = Vec::new();
        while seen.len() < count {
            let from = seen.last().map_or(Bookmark::START, |item| item.bookmark);
            let some = 7.min(count - seen.len());
            seen.extend(next(&mut store.follow(from), some).await);
        }
        seen
    };
    let (steady, fickle) = tokio::join!(steady, fickle);
    for writer in writers {
        writer.await.unwrap();
    }
    let all = store.read_all(None, None).await.unwrap();
    assert_eq!(all.events.len(), count);
    for seen in [steady, fickle] {
        assert!(seen.iter().map(|item| item.event().unwrap()).eq(&all.events));
    }
}

pub(crate) async fn a_choice_of_streams_is_followed_past_all_others(harness: impl Harness) {
    let store = harness.open().await;
    some_events(&store).await;
    let all = store.read_all(None, None).await.unwrap().events;
    type IsOne = fn(&Cover) -> bool;
    let choices: [(Streams, IsOne); 6] = [
        (Streams::in_domain("a"), |cover| cover.domain == "a"),
        (Streams::all().in_edition(""), |cover| cover.edition.is_main()),
        (Streams::all().in_edition("angzarr"), |cover| cover.edition.is_main()),
        (Streams::of(&shipment().in_edition("angzarr")), |cover| *cover == shipment()),
        (Streams::in_domain("shipment").in_edition("draft"), |cover| !cover.edition.is_main()),
        (Streams::in_domain("none"), |_| false),
    ];
    let now = LedgerPosition::end_of(store.state().await.unwrap().tx);
    let tails = choices.map(|(streams, is_one)| {
        let options = FollowOptions::default().streams(streams);
        let live = store.follow_with(now, options.clone());
        (store.follow_with(Bookmark::START, options), live, is_one)
    });
    some_events(&store).await;
    let both = store.read_all(None, None).await.unwrap().events;
    for (mut tail, mut live, is_one) in tails {
        let chosen: Vec<_> = both.iter().filter(|event| is_one(&event.event.cover)).collect();
        let seen = next(&mut tail, chosen.len()).await;
        assert!(seen.iter().map(|item| item.event().unwrap()).eq(chosen.iter().copied()));
        let new = chosen.iter().filter(|event| event.position() > now);
        let seen = next(&mut live, new.clone().count()).await;
        assert!(seen.iter().map(|item| item.event().unwrap()).eq(new.copied()));
        is_idle(&mut tail).await;
    }
    assert!(both.starts_with(&all));
}

pub(crate) async fn an_append_of_the_same_store_wakes_its_followers(harness: impl Harness) {
    let store = harness.open().await;
    // Nobody looks for an hour unless woken.
    let options = FollowOptions::default().poll(60 * LONG, 60 * LONG);
    let mut tail = store.follow_with(Bookmark::START, options);
    is_idle(&mut tail).await;
    for n in 0..5 {
        store.clone().add_event(&numbered(&shipment(), n)).await.unwrap();
        assert_eq!(next(&mut tail, 1).await[0].event().unwrap().sequence, n);
    }
}

pub(crate) async fn more_than_a_page_is_followed_without_a_seam(harness: impl Harness) {
    const EVENTS: u64 = 1_100;
    let store = harness.open().await;
    let events: Vec<Event> = (0..EVENTS).map(|n| numbered(&shipment(), n)).collect();
    for part in events.chunks(550) {
        store.append(&shipment(), ExpectedVersion::Any, part).await.unwrap();
    }
    let seen = next(&mut store.follow(Bookmark::START), EVENTS as usize).await;
    assert!(seen.iter().map(|item| item.event().unwrap().sequence).eq(0..EVENTS));
}

/// Whoever follows from where a client had come to who did not see all that this
/// one sees is told from where on, and shown that again; a page is not joined.
pub(crate) async fn what_was_decided_otherwise_is_told(harness: impl Harness) {
    let store = harness.open().await;
    let count = some_events(&store).await;
    let followed = next(&mut store.follow(Bookmark::START), count).await;
    let end = store.read_all(None, None).await.unwrap().bookmark.unwrap();
    let now = LedgerPosition::end_of(store.state().await.unwrap().tx);
    assert_eq!((end.place(), end.to_string()), (now, format!("{now}+0")));
    for item in &followed {
        assert_eq!(item.bookmark.to_string(), format!("{}+0", item.position()));
        // As from a client to whom this one's transaction was a gap.
        let tx = item.position().tx;
        let made = format!("{}+1:{tx}:{}", end.place(), "ab".repeat(32));
        let made: Bookmark = made.parse().unwrap();
        let mut tail = store.follow(made);
        let told = next(&mut tail, 1).await.remove(0);
        assert_eq!(told.news, News::DecidedAnew { from: tx });
        let before = LedgerPosition::end_of(TxId::new(tx.get() - 1));
        assert_eq!(told.bookmark.to_string(), format!("{before}+0"));
        let again: Vec<_> = followed.iter().filter(|i| i.position() > before).cloned().collect();
        assert_eq!(next(&mut tail, again.len()).await, again);
        is_idle(&mut tail).await;
        let refused = store.read_all_after(made, None).await.unwrap_err();
        assert!(matches!(refused, Error::DecidedAnew { from } if from == tx), "{refused}");
        // A place alone says nothing of what was seen.
        let read = store.read_all_after(made.place(), None).await.unwrap();
        assert_eq!((read.events.len(), read.bookmark), (0, Some(end)));
    }
}

pub(crate) async fn a_position_beyond_the_ledger_is_refused(harness: impl Harness) {
    let store = harness.open().await;
    let end = store.state().await.unwrap().tx;
    for beyond in [end.get() + 1, u64::MAX].map(TxId::new) {
        let mut tail = store.follow(LedgerPosition::new(beyond, 0));
        let error = tail.next().await.unwrap().unwrap_err();
        let Error::BeyondState { asked, verified } = error else { panic!("{error}") };
        assert_eq!((asked, verified), (beyond, end));
        for _ in 0..2 {
            assert!(tail.next().await.is_none());
        }
    }
}
