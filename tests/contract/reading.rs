//! Reads: order, ends and limits.

use std::sync::atomic::{AtomicI64, Ordering};

use counterfoil::{
    Bookmark, Clock, Completeness, Cover, Direction, Edition, Event, ExpectedVersion,
    LedgerPosition, ReadOptions, StoreOptions, TxId,
};

use super::{Harness, numbered, said, sequences, shipment};

pub(crate) async fn a_stream_is_read_both_ways_from_anywhere_to_any_limit(harness: impl Harness) {
    const EVENTS: u64 = 10;
    let store = harness.open().await;
    let cover = shipment();
    let events: Vec<Event> = (0..EVENTS).map(|n| numbered(&cover, n)).collect();
    for part in [&events[..3], &events[3..4], &events[4..]] {
        // Another stream in between, which must not show.
        store.add_event(&numbered(&Cover::new("shipment", "other"), 0)).await.unwrap();
        store.append(&cover, ExpectedVersion::Any, part).await.unwrap();
    }
    let froms = [None, Some(0), Some(4), Some(EVENTS - 1), Some(EVENTS), Some(u64::MAX)];
    for from in froms {
        for limit in [None, Some(0), Some(1), Some(4), Some(EVENTS), Some(u64::MAX)] {
            for direction in [Direction::Forward, Direction::Backward] {
                let all = 0..EVENTS;
                let expected: Vec<u64> = match direction {
                    Direction::Forward => all.filter(|n| *n >= from.unwrap_or(0)).collect(),
                    Direction::Backward => {
                        all.rev().filter(|n| *n <= from.unwrap_or(u64::MAX)).collect()
                    }
                };
                let most = limit.map_or(usize::MAX, |limit| limit.min(EVENTS) as usize);
                let expected = &expected[..expected.len().min(most)];
                let read =
                    store.read(&cover, ReadOptions { from, direction, limit }).await.unwrap();
                assert_eq!(sequences(&read), expected, "{from:?} {direction:?} {limit:?}");
                let words: Vec<Event> = expected.iter().map(|n| numbered(&cover, *n)).collect();
                assert_eq!(said(&read), words);
                assert_eq!((read.state, read.stopped), (store.state().await.unwrap(), None));
            }
        }
    }
    let builder = ReadOptions::backward().from(6).limit(2);
    assert_eq!(sequences(&store.read(&cover, builder).await.unwrap()), [6, 5]);
    assert_eq!(store.next_sequence(&cover).await.unwrap(), EVENTS);
}

pub(crate) async fn a_stream_without_events_is_empty_and_complete(harness: impl Harness) {
    let store = harness.open().await;
    let empty = Cover::new("shipment", "nothing here");
    for options in [ReadOptions::forward(), ReadOptions::backward(), ReadOptions::forward().from(3)]
    {
        let read = store.read(&empty, options).await.unwrap();
        assert_eq!(said(&read), []);
        assert_eq!(read.completeness, Completeness::Complete { through: read.state.tx });
        assert_eq!(read.stopped, None);
    }
    assert_eq!(store.next_sequence(&empty).await.unwrap(), 0);
    assert_eq!(said(&store.get_until(&empty, i64::MAX).await.unwrap()), []);
    assert_eq!(said(&store.read_all(None, None).await.unwrap()), []);
    // Asking does not make a stream.
    assert!(store.list_domains(&Edition::default()).await.unwrap().is_empty());
    assert!(store.list_roots("shipment", &Edition::default()).await.unwrap().is_empty());
}

pub(crate) async fn all_streams_are_read_in_ledger_order_page_by_page(harness: impl Harness) {
    let store = harness.open().await;
    let covers = [shipment(), Cover::new("a", "z"), shipment().in_edition("draft")];
    let mut written = Vec::new();
    for n in 0..12 {
        let cover = &covers[n as usize % 3];
        let events: Vec<Event> = (0..=n % 4).map(|m| numbered(cover, n * 10 + m)).collect();
        let appended = store.append(cover, ExpectedVersion::Any, &events).await.unwrap();
        written.extend(events.into_iter().map(|event| (appended.id, event)));
    }
    let all = store.read_all(None, None).await.unwrap();
    let read: Vec<_> = all.events.iter().map(|r| (r.tx, r.event.clone())).collect();
    assert_eq!(read, written);
    assert!(all.events.is_sorted_by_key(|r| (r.tx, r.entry)));
    assert_eq!(all.completeness, Completeness::Complete { through: all.state.tx });

    for limit in [0, 1, 7, written.len(), written.len() + 1] {
        let some = store.read_all(None, Some(limit as u64)).await.unwrap();
        assert_eq!(some.events, all.events[..limit.min(written.len())]);
    }
    // Behind each event: pages that end within a transaction.
    for (n, event) in all.events.iter().enumerate() {
        let rest = store.read_all_after(event.position(), Some(3)).await.unwrap();
        assert!(rest.events.iter().eq(all.events[n + 1..].iter().take(3)), "after event {n}");
    }
    let first = store.read_all_after(LedgerPosition::START, None).await.unwrap();
    assert_eq!(first.events, all.events);
    for limit in 1..9 {
        let (mut pages, mut after) = (Vec::new(), Bookmark::START);
        loop {
            let page = store.read_all_after(after, Some(limit)).await.unwrap();
            after = page.bookmark.unwrap();
            if page.events.is_empty() {
                break;
            }
            pages.extend(page.events);
        }
        assert_eq!(pages, all.events, "in pages of {limit}");
    }
    // Whole transactions after each: pages that join without a seam.
    for after in 0..=all.state.tx.get() + 1 {
        let rest = store.read_all(Some(TxId::new(after)), None).await.unwrap();
        let expected: Vec<_> = all.events.iter().filter(|r| r.tx.get() > after).cloned().collect();
        assert_eq!(rest.events, expected, "after {after}");
    }
}

/// A second that goes on after every fourth look.
struct Steps(AtomicI64);

impl Clock for Steps {
    fn now_micros(&self) -> i64 {
        1_700_000_000_000_000 + self.0.fetch_add(1, Ordering::SeqCst) / 4 * 1_000_000
    }
}

pub(crate) async fn reading_until_a_time_takes_whole_seconds(harness: impl Harness) {
    let store = harness.open_with(StoreOptions::new().ledger_clock(Steps(AtomicI64::new(0)))).await;
    let cover = shipment();
    let mut times: Vec<i64> = Vec::new();
    // Until the ledger's clock has shown one second twice, then another: a
    // server's is no test's to set.
    let seen = |times: &[i64]| {
        let twice = times.windows(2).any(|pair| pair[0] == pair[1]);
        twice && times.first() != times.last()
    };
    while !seen(&times) {
        let tx = store.add_event(&numbered(&cover, times.len() as u64)).await.unwrap();
        times.push(tx.proof.header.ts);
        assert!(times.len() < 100_000, "the ledger's clock stands still");
    }
    assert!(times.is_sorted());
    let (first, last) = (times[0], *times.last().unwrap());
    for until in [i64::MIN, first - 1, first, last - 1, last, last + 1, i64::MAX] {
        let read = store.get_until(&cover, until).await.unwrap();
        let expected = times.iter().filter(|ts| **ts <= until).count() as u64;
        assert_eq!(sequences(&read), (0..expected).collect::<Vec<_>>(), "until {until}");
        assert!(read.events.iter().all(|recorded| recorded.committed_at <= until));
    }
}

pub(crate) async fn domains_and_roots_are_listed_once_and_sorted(harness: impl Harness) {
    let store = harness.open().await;
    let main = Edition::default();
    for (domain, root) in [
        ("b", "2"),
        ("a", "x"),
        ("b", "1"),
        ("é", ""),
        ("b", "10"),
        ("B", "y"),
        ("b", "2"),
        ("ab", ""),
    ] {
        store.add_event(&numbered(&Cover::new(domain, root), 0)).await.unwrap();
    }
    assert_eq!(store.list_domains(&main).await.unwrap(), ["B", "a", "ab", "b", "é"]);
    let roots = store.list_roots("b", &main).await.unwrap();
    assert_eq!(roots, ["1", "10", "2"].map(counterfoil::Bytes::from));
    assert_eq!(store.list_roots("ab", &main).await.unwrap(), [counterfoil::Bytes::from("")]);
    assert!(store.list_roots("c", &main).await.unwrap().is_empty());
    assert!(store.list_domains(&Edition::from("draft")).await.unwrap().is_empty());
}

pub(crate) async fn ten_thousand_events_in_one_stream_come_back_in_order(harness: impl Harness) {
    const EVENTS: u64 = 10_000;
    let store = harness.open().await;
    let cover = shipment();
    let events: Vec<Event> = (0..EVENTS).map(|n| numbered(&cover, n)).collect();
    let mut proofs = Vec::new();
    for thousand in events.chunks(1000) {
        proofs.extend(store.append(&cover, ExpectedVersion::Any, thousand).await.unwrap().events);
    }
    let read = store.read(&cover, ReadOptions::forward()).await.unwrap();
    assert!(said(&read) == events, "not what was written");
    assert_eq!(sequences(&read), (0..EVENTS).collect::<Vec<_>>());
    assert!(read.completeness.is_complete());
    let back = store.read(&cover, ReadOptions::backward()).await.unwrap();
    assert!(back.events.iter().eq(read.events.iter().rev()));
    assert_eq!(store.read_all(None, None).await.unwrap().events, read.events);
    for n in (0..EVENTS as usize).step_by(777) {
        assert!(store.verify_event(&events[n], &proofs[n].proof).await.unwrap());
    }
}
