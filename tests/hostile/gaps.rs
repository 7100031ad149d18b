//! Gaps that are looked at again when the liar has repented: what was missed
//! counts from its place on, as if it had never been missed.

use std::time::Duration;

use counterfoil::core::{Header, HeaderVersion, TxMetadata};
use counterfoil::{
    Alh, Bookmark, Config, Cover, Error, Event, EventStore, FindingKind, FirstContact, Follow,
    Followed, LedgerPosition, News, ProvenHeader, ReadOptions,
};
use counterfoil_test_support::{Action, Context, PgMessage, temp_dir};
use sqlx::{Connection as _, SqliteConnection};

use crate::hostile::{Liar, event, flipped, put, stream, text, tx};

/// Everything that a client's log says, but for the numbers that it gives to
/// streams.
pub(crate) async fn noted(config: &Config, ledger: &str) -> Vec<String> {
    let log = config.log.path.as_ref().unwrap().join(format!("{ledger}.log"));
    let url = format!("sqlite://{}", log.display());
    let mut log = SqliteConnection::connect(&url).await.unwrap();
    let mut lines = Vec::new();
    for sql in [
        "SELECT concat_ws(' ', 'tx', id, ts, nentries, hex(alh), hex(eh), hex(digests), hex(odd), \
         opaque) FROM tx ORDER BY id",
        "SELECT concat_ws(' ', 'stream', hex(domain), hex(edition), hex(root), next, hex(head)) \
         FROM stream WHERE next > 0 OR id IN (SELECT stream FROM held) ORDER BY domain, root",
        "SELECT concat_ws(' ', 'event', pos, hex(root), number, hex(ext)) FROM event \
         JOIN stream ON stream.id = stream ORDER BY pos",
        "SELECT concat_ws(' ', 'held', pos, hex(root), number, reason) FROM held \
         JOIN stream ON stream.id = stream ORDER BY pos",
        "SELECT concat_ws(' ', 'correlation', pos, id) FROM correlation ORDER BY pos",
        "SELECT concat_ws(' ', 'finding', tx, entry, kind, detail) FROM finding \
         ORDER BY tx, entry, kind",
    ] {
        let found: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut log).await.unwrap();
        lines.extend(found);
    }
    lines
}

/// What the client of `liar` has noted is what a stranger finds who sees the
/// ledger for the first time, and was never deceived.
pub(crate) async fn as_if_never_deceived(liar: &Liar, store: &EventStore) {
    let ledger = store.ledger_id().await.unwrap().to_string();
    let log = temp_dir("stranger");
    let stranger = EventStore::open(&liar.honest(&log)).await.unwrap();
    assert_eq!(stranger.state().await.unwrap(), store.state().await.unwrap());
    let expected = noted(&liar.honest(&log), &ledger).await;
    assert_eq!(noted(&liar.config(), &ledger).await, expected);
}

/// Leaves the row of this number out, wherever it is shown, or alters it.
pub(crate) fn hides(
    number: &'static str,
    altered: bool,
) -> impl FnMut(&Context<'_>, &mut PgMessage) -> Action {
    move |context, message| {
        let row = context.is_row(message) && context.column("event_number").is_some();
        if row && text(message, context, "event_number") == number {
            if !altered {
                return Action::Instead(vec![]);
            }
            let body = flipped(&text(message, context, "body"));
            put(message, context, "body", &body);
        }
        Action::Forward
    }
}

fn correlated(n: u64) -> Event {
    event(n).with_correlation_id(format!("of {}", n / 2))
}

/// Three events, the second of them hidden, seen by one who has two before.
async fn with_a_gap(altered: bool) -> (Liar, EventStore) {
    let liar = Liar::new();
    let store = liar.with_events(2).await;
    liar.honestly(async |other| {
        for n in 2..5 {
            other.add_event(&correlated(n)).await.unwrap();
        }
    })
    .await;
    liar.tells(hides("3", altered));
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert_eq!((read.events.len(), read.completeness.is_complete()), (3, false));
    (liar, store)
}

#[tokio::test]
async fn what_was_withheld_or_altered_counts_once_it_is_shown() {
    for altered in [false, true] {
        let (liar, store) = with_a_gap(altered).await;
        // As long as the liar lies, it stays a gap.
        let again = store.reexamine(None).await.unwrap();
        assert_eq!((again.examined, again.closed), (1, vec![]));
        assert!(again.scans > 0);
        liar.repents();
        // Nothing is looked at behind it.
        let behind = store.reexamine(Some(tx(5))).await.unwrap();
        assert_eq!((behind.examined, behind.scans), (0, 0));
        let again = store.reexamine(None).await.unwrap();
        assert_eq!((again.closed, again.blocked, again.next), (vec![tx(5)], None, None));
        let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
        assert!(read.completeness.is_complete() && read.stopped.is_none());
        let events: Vec<Event> = read.into_iter().map(|recorded| recorded.event).collect();
        assert_eq!(events, [event(0), event(1), correlated(2), correlated(3), correlated(4)]);
        assert_eq!(store.findings().await.unwrap(), []);
        as_if_never_deceived(&liar, &store).await;
        // The proof of what is in it can be made now, and the stream goes on.
        let proof = store.add_event(&correlated(3)).await.unwrap().proof;
        assert!(store.verify_event(&correlated(3), &proof).await.unwrap());
        assert_eq!(store.add_event(&correlated(5)).await.unwrap().sequence, 5);
        drop(store);
        let store = liar.open().await;
        assert_eq!(store.next_sequence(&stream()).await.unwrap(), 6);
        as_if_never_deceived(&liar, &store).await;
    }
}

/// The one who was deceived wrote an event where there had been one: it turns
/// out to have been overwritten, and what followed it to be out of line.
#[tokio::test]
async fn what_was_taken_for_an_event_gives_way_to_what_came_first() {
    let (liar, store) = with_a_gap(false).await;
    let delete = format!("DELETE FROM events WHERE {};", Liar::key(3));
    let rest = format!("DELETE FROM events WHERE {};", Liar::key(4));
    liar.operator(&[&delete, &rest]).await;
    liar.repents();
    let mine = |n: u64| Event::new(&stream(), "Mine", format!("{n}")).with_correlation_id("mine");
    let first = store.add_event(&mine(3)).await.unwrap();
    assert_eq!((first.id, first.sequence), (tx(9), 3));
    let other = Event::new(&Cover::new("shipment", "another"), "Mine", "0");
    store.add_event(&other).await.unwrap();
    let again = store.reexamine(None).await.unwrap();
    assert_eq!(again.closed, [tx(5)]);
    as_if_never_deceived(&liar, &store).await;
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    let events: Vec<Event> = read.into_iter().map(|recorded| recorded.event).collect();
    assert_eq!(events, [event(0), event(1), correlated(2), correlated(3), correlated(4)]);
    let findings = store.findings().await.unwrap();
    let found: Vec<(u64, FindingKind)> = findings.iter().map(|f| (f.tx.get(), f.kind)).collect();
    use FindingKind::{Deleted, Overwritten};
    assert_eq!(found, [(7, Deleted), (8, Deleted), (9, Overwritten)]);
    let none = store.read_by_correlation("mine", &counterfoil::Streams::all(), None).await.unwrap();
    assert_eq!(none.events, []);
    assert!(none.completeness.is_complete());
}

/// What fails half-way, or cannot be done without what the server hides now,
/// leaves everything as it was.
#[tokio::test]
async fn all_of_it_is_decided_anew_or_nothing() {
    let (liar, store) = with_a_gap(false).await;
    let ledger = store.ledger_id().await.unwrap().to_string();
    let before = noted(&liar.config(), &ledger).await;
    // Found by the scan of the history, lost behind it.
    liar.tells(|context, _| match context.statement.contains("USE INDEX ON (seen_tx)") {
        true => Action::CutBefore,
        false => Action::Forward,
    });
    let error = store.reexamine(None).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    assert_eq!(noted(&liar.config(), &ledger).await, before);
    let read = store.read(&stream(), ReadOptions::forward()).await;
    assert_eq!(read.unwrap().events.len(), 3);
    // Event 4 was accounted for, and is hidden now.
    liar.tells(hides("4", false));
    let again = store.reexamine(None).await.unwrap();
    assert_eq!((again.closed, again.blocked), (vec![], Some(tx(6))));
    assert_eq!(noted(&liar.config(), &ledger).await, before);
    liar.repents();
    assert_eq!(store.reexamine(None).await.unwrap().closed, [tx(5)]);
    as_if_never_deceived(&liar, &store).await;
}

/// A process that ends in the middle of it has done nothing.
#[test]
fn what_is_cut_off_leaves_everything_as_it_was() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let first = runtime();
    let (liar, store) = first.block_on(with_a_gap(false));
    let ledger = first.block_on(store.ledger_id()).unwrap().to_string();
    let before = first.block_on(noted(&liar.config(), &ledger));
    // The history is shown; the first question behind it is never answered.
    let (reached, waiting) = std::sync::mpsc::channel();
    liar.tells(move |context, _| match context.statement.contains("USE INDEX ON (seen_tx)") {
        true => {
            let _ = reached.send(());
            Action::Delay(Duration::from_secs(5))
        }
        false => Action::Forward,
    });
    first.spawn(async move { store.reexamine(None).await });
    waiting.recv_timeout(Duration::from_secs(30)).unwrap();
    first.shutdown_timeout(Duration::from_secs(3));
    liar.repents();
    let second = runtime();
    assert_eq!(second.block_on(noted(&liar.config(), &ledger)), before);
    second.block_on(async {
        let store = liar.open().await;
        assert_eq!(store.reexamine(None).await.unwrap().closed, [tx(5)]);
        as_if_never_deceived(&liar, &store).await;
    });
}

async fn followed(tail: &mut Follow) -> Followed {
    let item = tokio::time::timeout(Duration::from_secs(60), tail.next()).await;
    item.expect("an item in time").expect("no end").unwrap()
}

/// Who follows on from what was kept is told what was decided anew meanwhile:
/// in another process, and whatever log that one has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bookmark_knows_what_was_accounted_for() {
    let (liar, store) = with_a_gap(false).await;
    let mut tail = store.follow(Bookmark::START);
    let mut deceived = Vec::new();
    for _ in 0..4 {
        deceived.push(followed(&mut tail).await.bookmark);
    }
    deceived.push(store.read_all(None, None).await.unwrap().bookmark.unwrap());
    drop(tail);
    // Nothing has changed.
    for bookmark in &deceived {
        store.read_all_after(*bookmark, None).await.unwrap();
    }
    liar.repents();
    assert_eq!(store.reexamine(None).await.unwrap().closed, [tx(5)]);
    let whole = store.read_all(None, None).await.unwrap().bookmark.unwrap();
    assert_eq!(whole.to_string(), "6/end+0");
    store.close().await.unwrap();
    let other = temp_dir("stranger");
    let mut known = Vec::new();
    for config in [liar.config(), liar.honest(&other)] {
        let store = EventStore::open(&config).await.unwrap();
        // Up to event 2 nothing was missing; the gap comes behind it.
        for (n, bookmark) in deceived.iter().enumerate() {
            let mut tail = store.follow(*bookmark);
            let first = match n {
                0..3 => n as u64 + 1,
                _ => {
                    let told = followed(&mut tail).await;
                    assert_eq!(told.news, News::DecidedAnew { from: tx(5) }, "{bookmark}");
                    assert_eq!(told.bookmark.to_string(), "4/end+0");
                    let refused = store.read_all_after(*bookmark, None).await.unwrap_err();
                    let from = tx(5);
                    assert!(matches!(refused, Error::DecidedAnew { from: at } if at == from));
                    3
                }
            };
            for n in first..5 {
                let item = followed(&mut tail).await;
                assert_eq!(item.event().unwrap().sequence, n, "{bookmark}");
                known.push(item.bookmark);
            }
        }
    }
    // A third one is deceived. What it is asked to go on from it has not seen so.
    liar.tells(hides("3", false));
    let third = temp_dir("third");
    let mut config = liar.config();
    config.log.path = Some(third.path().to_path_buf());
    config.trust.first_contact = FirstContact::Accept;
    let store = EventStore::open(&config).await.unwrap();
    let last = known.last().unwrap();
    assert_eq!(last.to_string(), "6/0+0");
    let mut tail = store.follow(*last);
    assert_eq!(followed(&mut tail).await.news, News::DecidedAnew { from: tx(5) });
    assert!(matches!(followed(&mut tail).await.news, News::Gap { tx: at, .. } if at == tx(5)));
}

/// A follower that has passed a gap is told that it was closed, and shown what
/// was decided anew: also what was no event before, and stood in no gap.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_goes_back_to_what_was_decided_anew() {
    let (liar, store) = with_a_gap(false).await;
    let mut tail = store.follow(LedgerPosition::START);
    let mut behind = store.follow(LedgerPosition::end_of(tx(4)));
    let mut item = async || followed(&mut tail).await;
    for n in 0..3 {
        assert_eq!(item().await.event().unwrap().sequence, n);
    }
    assert!(matches!(item().await.news, News::Gap { tx: at, .. } if at == tx(5)));
    liar.repents();
    let again = store.reexamine(None).await.unwrap();
    assert_eq!((again.from, again.closed), (Some(tx(5)), vec![tx(5)]));
    let told = item().await;
    assert_eq!(told.news, News::DecidedAnew { from: tx(5) });
    assert_eq!(told.bookmark.to_string(), "4/end+0");
    // The second of these was out of line, and is an event now.
    for n in 3..5 {
        let item = item().await;
        assert_eq!(
            (item.position().tx, item.event().unwrap().event.clone()),
            (tx(n + 2), correlated(n))
        );
    }
    store.add_event(&correlated(5)).await.unwrap();
    assert_eq!(item().await.event().unwrap().sequence, 5);
    // One who had not come so far sees only what is.
    for n in 3..6 {
        let item = behind.next().await.unwrap().unwrap();
        assert_eq!(item.event().unwrap().sequence, n);
    }
}

/// Nothing is decided anew while a commit that builds on it is on its way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_on_its_way_is_waited_for() {
    let (liar, store) = with_a_gap(false).await;
    let other = Event::new(&Cover::new("shipment", "another"), "Counted", "0");
    let (reached, waiting) = std::sync::mpsc::channel();
    liar.tells(move |context, message| {
        let insert = context.statement.contains("INSERT INTO") && context.executes(message);
        if !insert {
            return Action::Forward;
        }
        let _ = reached.send(());
        Action::Delay(Duration::from_secs(2))
    });
    let appending = {
        let store = store.clone();
        tokio::spawn(async move {
            store.add_event(&other).await.unwrap();
            std::time::Instant::now()
        })
    };
    let waited = tokio::task::spawn_blocking(move || waiting.recv_timeout(Duration::from_secs(30)));
    waited.await.unwrap().unwrap();
    assert_eq!(store.reexamine(None).await.unwrap().closed, [tx(5)]);
    let closed = std::time::Instant::now();
    assert!(appending.await.unwrap() <= closed);
}

/// The Alh of a transaction if it had truncated the database.
fn as_truncation(shown: &ProvenHeader) -> Alh {
    let metadata = TxMetadata { truncated_tx_id: Some(shown.tx.get() - 1), extra: None };
    let header = Header {
        id: shown.tx,
        prev_alh: shown.prev_alh,
        ts: shown.ts,
        version: HeaderVersion::V1,
        metadata,
        nentries: shown.nentries,
        eh: shown.eh,
        bl_tx_id: shown.bl_tx_id,
        bl_root: shown.bl_root,
    };
    header.alh().unwrap()
}

/// What a header says of itself is not what its entries are: rows in one that
/// names a truncation stay what they were.
#[tokio::test]
async fn rows_under_a_header_that_names_a_truncation_are_decided_anew_too() {
    let liar = Liar::new();
    let store = liar.with_events(2).await;
    let other = Event::new(&Cover::new("shipment", "another"), "Counted", "0");
    let header = liar
        .honestly(async |somebody| {
            for n in 2..4 {
                somebody.add_event(&correlated(n)).await.unwrap();
            }
            somebody.add_event(&other).await.unwrap();
            somebody.get_proof_at_tx(tx(6)).await.unwrap().header
        })
        .await;
    let alh = as_truncation(&header).to_string();
    let state = move |context: &Context<'_>, message: &mut PgMessage| {
        if message.kind == b'D' && context.statement.contains("immudb_state()") {
            put(message, context, "tx_hash", &alh);
        }
    };
    let (mut hide, told) = (hides("2", false), state.clone());
    liar.tells(move |context, message| {
        told(context, message);
        hide(context, message)
    });
    let seen = store.read(&other.cover, ReadOptions::forward()).await.unwrap();
    assert_eq!((seen.events.len(), seen.completeness.is_complete()), (1, false));
    let findings = store.findings().await.unwrap();
    assert!(findings.iter().any(|f| (f.tx, f.kind) == (tx(6), FindingKind::Truncated)));
    liar.tells(move |context, message| {
        state(context, message);
        Action::Forward
    });
    assert_eq!(store.reexamine(None).await.unwrap().closed, [tx(4)]);
    let again = store.read(&other.cover, ReadOptions::forward()).await.unwrap();
    assert!(again.completeness.is_complete());
    assert_eq!(again.events, seen.events);
    assert_eq!(store.next_sequence(&other.cover).await.unwrap(), 1);
    // A thin reader finds the same header for the state.
    let state = store.state().await.unwrap();
    let thin = EventStore::open_thin(&liar.config(), state).await.unwrap();
    assert_eq!(thin.get_event(&stream(), 0).await.unwrap().event.event, event(0));
    assert_eq!(store.next_sequence(&stream()).await.unwrap(), 4);
}

/// Each call is bounded, and tells where the next one goes on.
#[tokio::test]
async fn many_gaps_are_looked_at_piece_by_piece() {
    let liar = Liar::new();
    let store = liar.with_events(1).await;
    let insert = |n: u64| {
        let rows: Vec<String> = (0..1000).map(|row| format!("({})", n * 1000 + row)).collect();
        format!("INSERT INTO recipes (id) VALUES {};", rows.join(", "))
    };
    let rows: Vec<String> = (0..18).map(insert).collect();
    let mut statements = vec!["CREATE TABLE recipes (id INTEGER, PRIMARY KEY id);"];
    statements.extend(rows.iter().map(String::as_str));
    liar.operator(&statements).await;
    let mut config = liar.config();
    drop(store);
    config.storage.immudb.scope = counterfoil::Scope::Shared;
    let store = EventStore::open(&config).await.unwrap();
    let first = store.reexamine(None).await.unwrap();
    assert_eq!((first.examined, first.next), (17, Some(tx(19))), "16,384 entries at once");
    let rest = store.reexamine(first.next).await.unwrap();
    assert_eq!((rest.examined, rest.closed, rest.next), (2, vec![], None));
}
