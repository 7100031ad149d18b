//! A client's index from which rows were taken, or in which they were altered,
//! behind the back of its store: what it then hides, every read tells that it
//! would have to show it.

use counterfoil::{
    Cover, Edition, Error, Event, EventStore, FollowOptions, LedgerPosition, ReadOptions, Streams,
    Verdict,
};

use crate::files::{Files, run};

/// Four events, one a transaction: 2 to 5.
fn first() -> Cover {
    Cover::new("shipment", "first")
}

/// Three events in transaction 6.
fn second() -> Cover {
    Cover::new("shipment", "second")
}

/// Two events, one a transaction: 7 and 8.
fn other() -> Cover {
    Cover::new("payment", "other").in_edition("draft")
}

const ID: &str = "one request";

async fn ledger() -> Files {
    let files = Files::new();
    let store = files.open().await.unwrap();
    let event = |cover: &Cover, n: u32| {
        Event::new(cover, "Counted", format!("number {n}")).with_correlation_id(ID)
    };
    for n in 0..4 {
        store.add_event(&event(&first(), n)).await.unwrap();
    }
    let three: Vec<Event> = (0..3).map(|n| event(&second(), n)).collect();
    store.append(&second(), Default::default(), &three).await.unwrap();
    for n in 0..2 {
        store.add_event(&event(&other(), n)).await.unwrap();
    }
    store.close().await.unwrap();
    files
}

/// The ways to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    All,
    Pages,
    Follow,
    /// Of the domain of the first two streams.
    FollowShipments,
    /// Of the third one's.
    FollowPayments,
    Correlation,
    Read,
    Domains,
    Roots,
    Streams,
}

const WAYS: [By; 10] = [
    By::All,
    By::Pages,
    By::Follow,
    By::FollowShipments,
    By::FollowPayments,
    By::Correlation,
    By::Read,
    By::Domains,
    By::Roots,
    By::Streams,
];

/// Reads to the end; how many there are.
async fn read(store: &EventStore, by: By) -> Result<usize, Error> {
    let main = Edition::default();
    Ok(match by {
        By::All => store.read_all(None, None).await?.events.len(),
        By::Pages => {
            let (mut from, mut events) = (counterfoil::Bookmark::START, 0);
            loop {
                let page = store.read_all_after(from, Some(2)).await?;
                from = page.bookmark.unwrap();
                match page.events.len() {
                    0 => return Ok(events),
                    some => events += some,
                }
            }
        }
        By::Follow => follow(store, Streams::all(), 9).await?,
        By::FollowShipments => follow(store, Streams::in_domain("shipment"), 7).await?,
        By::FollowPayments => follow(store, Streams::in_domain("payment"), 2).await?,
        By::Correlation => store.read_by_correlation(ID, &Streams::all(), None).await?.events.len(),
        By::Read => {
            let mut events = 0;
            for cover in [first(), second(), other()] {
                events += store.read(&cover, ReadOptions::forward()).await?.events.len();
            }
            events
        }
        By::Domains => store.list_domains(&main).await?.len(),
        By::Roots => store.list_roots("shipment", &main).await?.len(),
        By::Streams => store.list_streams(&Streams::all()).await?.streams.len(),
    })
}

async fn follow(store: &EventStore, which: Streams, most: usize) -> Result<usize, Error> {
    let mut tail =
        store.follow_with(LedgerPosition::START, FollowOptions::default().streams(which));
    let mut events = 0;
    while events < most {
        let item = tokio::time::timeout(std::time::Duration::from_secs(5), tail.next()).await;
        // It waits for what is hidden from it.
        let Ok(item) = item else { return Ok(events) };
        events += usize::from(item.unwrap()?.event().is_some());
    }
    Ok(events)
}

/// What is read of a whole index.
fn whole(by: By) -> usize {
    match by {
        By::FollowShipments => 7,
        By::FollowPayments | By::Roots => 2,
        By::Domains => 1,
        By::Streams => 3,
        _ => 9,
    }
}

/// After this damage these ways to read, in this order, tell it, each as soon as
/// the ledger is opened; the others hide nothing. Gives what the first of them says.
async fn told(damage: &str, by: &[By]) -> String {
    let files = ledger().await;
    run(&files.trust, damage).await;
    let (mut telling, mut text) = (Vec::new(), String::new());
    for way in WAYS {
        let store = files.open().await.unwrap();
        match read(&store, way).await {
            Ok(there) => assert_eq!(there, whole(way), "{damage}: {way:?} hides some"),
            Err(error) => {
                assert!(matches!(error.verdict(), Some(Verdict::LogAltered { .. })), "{error}");
                let said = error.to_string();
                assert!(said.contains("put the file away"), "{said}");
                let trust = files.trust.display().to_string();
                assert!(said.contains(&trust), "{way:?}: {said}");
                if telling.is_empty() {
                    text = said;
                }
                telling.push(way);
            }
        }
        store.close().await.unwrap();
    }
    assert_eq!(telling, by, "{damage}");
    text
}

const IN_ORDER: [By; 6] =
    [By::All, By::Pages, By::Follow, By::FollowShipments, By::FollowPayments, By::Correlation];

/// Those in the ledger's order, up to where this many shipments are found, and these.
fn and(more: &[By]) -> Vec<By> {
    IN_ORDER.iter().chain(more).copied().collect()
}

fn place(tx: u64, entry: u64) -> u64 {
    tx << 16 | entry
}

fn root(cover: &Cover) -> String {
    let hex: String = cover.root.as_slice().iter().map(|b| format!("{b:02x}")).collect();
    format!("root = x'{hex}'")
}

fn of(cover: &Cover) -> String {
    format!("stream = (SELECT id FROM stream WHERE {})", root(cover))
}

#[tokio::test]
async fn of_a_whole_index_nothing_is_told() {
    told("SELECT 1;", &[]).await;
}

#[tokio::test]
async fn an_event_without_its_row_is_missed() {
    for (tx, entry) in [(2, 0), (4, 0), (6, 0), (6, 1), (7, 0)] {
        let damage = format!("DELETE FROM event WHERE pos = {};", place(tx, entry));
        let text = told(&damage, &and(&[By::Read])).await;
        assert!(text.contains(&format!("transaction {tx}, entry {entry}")), "{text}");
    }
    // The last of its stream, by what lists that stream, too.
    let last = format!("DELETE FROM event WHERE pos = {};", place(6, 2));
    told(&last, &and(&[By::Read, By::Domains, By::Roots, By::Streams])).await;
    // With what else there is of it.
    let damage = format!(
        "DELETE FROM event WHERE pos = {0}; DELETE FROM correlation WHERE pos = {0};",
        place(4, 0)
    );
    let in_order = &IN_ORDER[..5];
    let files = ledger().await;
    run(&files.trust, &damage).await;
    let store = files.open().await.unwrap();
    for way in in_order {
        assert!(read(&store, *way).await.is_err(), "{way:?}");
    }
}

#[tokio::test]
async fn events_of_no_stream_are_missed() {
    let lists = [By::Read, By::Domains, By::Roots, By::Streams];
    for cover in [first(), second(), other()] {
        told(&format!("DELETE FROM stream WHERE {};", root(&cover)), &and(&lists)).await;
    }
    let text = told("UPDATE event SET stream = 99 WHERE number = 3;", &and(&lists)).await;
    assert!(text.contains("the stream of the event of transaction 5, entry 0"), "{text}");
    // A stream with all its events.
    let all = format!(
        "DELETE FROM event WHERE {}; DELETE FROM stream WHERE {};",
        of(&second()),
        root(&second())
    );
    told(&all, &and(&lists)).await;
}

/// A read of its old name finds nothing, and no list has it: a name is in the rows
/// alone. Whoever reads those tells it.
#[tokio::test]
async fn an_event_that_is_indexed_as_another_is_told() {
    let renamed = format!("UPDATE stream SET domain = x'78' WHERE {};", root(&first()));
    let first = of(&first());
    let swapped = format!(
        "UPDATE event SET number = number + 100 WHERE {first}; \
         UPDATE event SET number = 103 - number WHERE {first};"
    );
    for damage in [renamed, swapped] {
        let files = ledger().await;
        run(&files.trust, &damage).await;
        let store = files.open().await.unwrap();
        for way in [By::All, By::Pages, By::Follow, By::Correlation] {
            let text = read(&store, way).await.unwrap_err().to_string();
            assert!(text.contains("transaction 2, entry 0 is indexed as another"), "{text}");
        }
    }
}

#[tokio::test]
async fn what_was_moved_is_missed_where_it_was() {
    let (from, to) = (place(3, 0), place(3, 1));
    let moved = format!("UPDATE event SET pos = {to} WHERE pos = {from};");
    told(&moved, &and(&[By::Read])).await;
}

#[tokio::test]
async fn a_stream_that_ends_elsewhere_is_told() {
    let lists = [By::Read, By::Domains, By::Roots, By::Streams];
    for next in [0, 3, 5] {
        let damage = format!("UPDATE stream SET next = {next} WHERE {};", root(&first()));
        told(&damage, &lists).await;
    }
}

/// Nor does a transaction that the log lacks with all that the index had of it.
#[tokio::test]
async fn a_transaction_that_the_log_lacks_is_missed() {
    let files = ledger().await;
    let damage =
        format!("DELETE FROM tx WHERE id = 4; DELETE FROM event WHERE pos = {};", place(4, 0));
    // One whose end is damaged is made anew when it is opened.
    let store = files.open().await.unwrap();
    run(&files.trust, &damage).await;
    for way in &IN_ORDER[..5] {
        let text = read(&store, *way).await.unwrap_err().to_string();
        assert!(text.contains("not all in the log"), "{text}");
    }
}

/// What is damaged while a follower waits is told when something new comes, and a
/// read of what lies before it is not asked about what lies behind.
#[tokio::test]
async fn a_read_looks_at_what_it_covers() {
    let files = ledger().await;
    let store = files.open().await.unwrap();
    let mut tail = store.follow(LedgerPosition::end_of(store.state().await.unwrap().tx));
    run(&files.trust, &format!("DELETE FROM event WHERE pos = {};", place(7, 0))).await;
    // Up to where the limit falls.
    assert_eq!(store.read_all(None, Some(7)).await.unwrap().events.len(), 7);
    store.read_all(None, Some(8)).await.unwrap_err();
    let behind = store.read_all(Some(counterfoil::TxId::new(7)), None).await.unwrap();
    assert_eq!(behind.events.len(), 1);
    let new = store.add_event(&Event::new(&first(), "Counted", "")).await.unwrap();
    assert_eq!(tail.next().await.unwrap().unwrap().event().unwrap().tx, new.id);
}
