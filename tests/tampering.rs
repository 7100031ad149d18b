//! An embedded ledger whose files were changed underneath: every change has
//! its own verdict, with the place or the two states that show it.

mod files;

use std::sync::Mutex;

use counterfoil::{
    Alh, Anchor, Clock, Config, Error, Event, EventStore, ExpectedVersion, FirstContact,
    ReadOptions, StoreOptions, TrustedState, TxId, Unavailable, Verdict,
};
use files::{Files, event, stream};
use sqlx::Row as _;

impl Files {
    /// As [`config`](Self::config), with `alter` done to it.
    fn config_with(&self, alter: impl FnOnce(&mut Config)) -> Config {
        let mut config = self.config();
        alter(&mut config);
        config
    }

    /// A configuration that believes whatever the ledger shows.
    fn accepting(&self) -> Config {
        self.config_with(|config| config.trust.first_contact = FirstContact::Accept)
    }

    /// This ledger file with no trust file yet.
    fn unknown(&self) -> Self {
        Self { trust: self.free("trust"), ..self.clone() }
    }

    /// No ledger file any more, but the trust file.
    fn deleted(&self) -> Self {
        Self { ledger: self.free("ledger"), ..self.clone() }
    }

    /// Changes the ledger file. Returns how many rows were touched.
    async fn tamper(&self, sql: &str) -> u64 {
        files::run(&self.ledger, sql).await
    }
}

/// The verdict that a call ends with.
#[track_caller]
fn verdict<T: std::fmt::Debug>(result: Result<T, Error>) -> Verdict {
    match result {
        Err(Error::Ledger(verdict)) => *verdict,
        other => panic!("no verdict: {other:?}"),
    }
}

async fn opened(config: &Config) -> EventStore {
    EventStore::open(config).await.unwrap()
}

fn tx(id: u64) -> TxId {
    TxId::new(id)
}

// ---- Rows.

#[tokio::test]
async fn every_altered_byte_of_a_row_is_found_when_it_is_read() {
    let files = Files::with_events(3).await;
    let store = files.open().await.unwrap();
    let mut hands = files::connect(&files.ledger).await;
    // Event 1: transaction 3, entry 0.
    let place = 3_i64 << 16;
    let select = sqlx::query("SELECT value FROM ledger_row WHERE pos = ?").bind(place);
    let honest: Vec<u8> = select.fetch_one(&mut hands).await.unwrap().get(0);
    let mut put = async |value: &[u8]| {
        let update = sqlx::query("UPDATE ledger_row SET value = ? WHERE pos = ?");
        let done = update.bind(value).bind(place).execute(&mut hands).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    };
    let altered = Verdict::RowAltered { tx: tx(3), entry: 0 };
    for at in 0..honest.len() {
        let mut value = honest.clone();
        value[at] ^= 1 << (at % 8);
        put(&value).await;
        let event = store.get_event_at_tx(&stream(), 1, tx(4)).await;
        assert_eq!(verdict(event), altered, "byte {at}");
    }
    for value in [&honest[..honest.len() - 1], &[&honest[..], &[0]].concat(), &[]] {
        put(value).await;
        assert_eq!(verdict(store.read(&stream(), ReadOptions::forward()).await), altered);
        assert_eq!(verdict(store.read(&stream(), ReadOptions::backward()).await), altered);
        assert_eq!(verdict(store.read_all(None, None).await), altered);
        assert_eq!(verdict(store.get_until(&stream(), i64::MAX).await), altered);
        assert_eq!(verdict(store.add_event(&event(1)).await), altered);
        // What does not touch it is as good as before.
        assert_eq!(store.get_event_at_tx(&stream(), 0, tx(4)).await.unwrap().event, event(0));
        assert_eq!(store.next_sequence(&stream()).await.unwrap(), 3);
    }
    put(&honest).await;
    assert_eq!(store.get_event_at_tx(&stream(), 1, tx(4)).await.unwrap().event, event(1));
}

#[tokio::test]
async fn an_altered_payload_is_found_at_its_place() {
    let files = Files::new();
    let store = files.open().await.unwrap();
    let events: Vec<Event> = (0..4).map(|n| event(n).with_external_id("")).collect();
    store.append(&stream(), ExpectedVersion::Any, &events).await.unwrap();
    drop(store);
    let payload = |n| hex(format!("number {n}").as_bytes());
    let swap = format!(
        "UPDATE ledger_row SET value = unhex(replace(hex(value), '{}', '{}'))",
        payload(2),
        payload(9)
    );
    assert!(files.tamper(&swap).await > 0);
    let store = files.open().await.unwrap();
    let read = store.read(&stream(), ReadOptions::forward()).await;
    assert_eq!(verdict(read), Verdict::RowAltered { tx: tx(2), entry: 2 });
    assert_eq!(store.get_event_at_tx(&stream(), 1, tx(2)).await.unwrap().event, events[1]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[tokio::test]
async fn a_row_in_anothers_place_is_found() {
    let files = Files::with_events(3).await;
    files
        .tamper(
            "UPDATE ledger_row SET value = (SELECT value FROM ledger_row WHERE pos = 2 << 16) \
             WHERE pos = 3 << 16",
        )
        .await;
    let store = files.open().await.unwrap();
    let read = store.read(&stream(), ReadOptions::forward()).await;
    assert_eq!(verdict(read), Verdict::RowAltered { tx: tx(3), entry: 0 });
}

#[tokio::test]
async fn a_deleted_row_is_missed_at_its_place() {
    let files = Files::with_events(3).await;
    assert_eq!(files.tamper("DELETE FROM ledger_row WHERE pos = 3 << 16").await, 1);
    let store = files.open().await.unwrap();
    let missing = Verdict::RowMissing { tx: tx(3), entry: 0 };
    assert_eq!(verdict(store.read(&stream(), ReadOptions::forward()).await), missing);
    assert_eq!(verdict(store.read_all(None, None).await), missing);
    assert_eq!(verdict(store.get_event_at_tx(&stream(), 1, tx(4)).await), missing);
    assert_eq!(store.get_event_at_tx(&stream(), 2, tx(4)).await.unwrap().event, event(2));
}

#[tokio::test]
async fn rows_that_no_transaction_holds_are_refused() {
    let files = Files::with_events(2).await;
    files
        .tamper(
            "INSERT INTO ledger_row SELECT (7 << 16) + 5, value FROM ledger_row WHERE pos = 2 << 16; \
             INSERT INTO ledger_row SELECT (9 << 16), value FROM ledger_row WHERE pos = 2 << 16",
        )
        .await;
    let surplus = Verdict::SurplusRows { tx: tx(7), entry: 5, count: 2 };
    assert_eq!(verdict(files.open().await), surplus);
    assert_eq!(verdict(EventStore::open(&files.unknown().accepting()).await), surplus);
}

// ---- History, against what is pinned.

#[tokio::test]
async fn history_rewritten_as_a_whole_is_a_fork() {
    let files = Files::with_events(2).await;
    let other = files.copy().await;
    files.append(2..6).await;
    // As long, and longer.
    for last in [6, 9] {
        let rewritten = other.copy().await;
        rewritten.append((2..last).map(|n| n + 100)).await;
        let lie = rewritten.trusted_by(&files.copy().await);
        let Verdict::Fork { pinned, found } = verdict(lie.open().await) else { panic!() };
        assert_eq!(pinned, files.state().await);
        let store = rewritten.open().await.unwrap();
        let rewritten_alh = match store.state().await.unwrap() {
            state if state.tx == pinned.tx => state.alh,
            _ => store.get_proof_at_tx(tx(pinned.tx.get() + 1)).await.unwrap().header.prev_alh,
        };
        assert_eq!(found, TrustedState { tx: pinned.tx, alh: rewritten_alh });
        assert_ne!(found.alh, pinned.alh);
    }
}

#[tokio::test]
async fn a_ledger_that_ends_earlier_was_rolled_back() {
    let files = Files::with_events(2).await;
    let older = files.copy().await;
    files.append(2..5).await;
    let (before, now) = (older.state().await, files.state().await);
    let back = Verdict::Rollback { pinned: now, found: Some(before) };
    assert_eq!(verdict(older.trusted_by(&files.copy().await).open().await), back);

    // Cut short instead of replaced, with and without the rows.
    let cut = files.copy().await;
    cut.tamper("DELETE FROM ledger_tx WHERE id > 3").await;
    assert_eq!(verdict(cut.open().await), back);
    cut.tamper("DELETE FROM ledger_row WHERE pos >= 4 << 16").await;
    assert_eq!(verdict(cut.open().await), back);

    // Written to after that, but not as far, with other events.
    older.append([77]).await;
    let shorter = older.trusted_by(&files.copy().await).open().await;
    assert_eq!(
        verdict(shorter),
        Verdict::Rollback { pinned: now, found: Some(older.state().await) }
    );
}

#[tokio::test]
async fn a_deleted_ledger_is_missing_and_not_made_anew() {
    let files = Files::with_events(2).await;
    let pinned = files.state().await;
    let gone = files.deleted();
    let missing = Verdict::Missing { pinned };
    assert_eq!(verdict(gone.open().await), missing);
    assert_eq!(verdict(EventStore::open_read_only(&gone.config()).await), missing);
    assert_eq!(verdict(EventStore::open(&gone.accepting()).await), missing);
    assert!(!gone.ledger.exists());

    let emptied = files.copy().await;
    emptied.tamper("DELETE FROM ledger_tx; DELETE FROM ledger_row").await;
    assert_eq!(verdict(emptied.open().await), missing);

    // Known only from the configuration, it is missed all the same.
    let nowhere = Files::new();
    let pinned_by_hand = nowhere.config_with(|config| config.trust.pin = Some(pinned));
    assert_eq!(verdict(EventStore::open(&pinned_by_hand).await), missing);
}

#[tokio::test]
async fn a_named_ledger_that_is_not_there_is_not_made_anew() {
    let files = Files::new();
    let ledger = Alh::new([7; 32]);
    let config = files.config_with(|config| config.trust.ledger = Some(ledger));
    let pinned = TrustedState { tx: tx(1), alh: ledger };
    assert_eq!(verdict(EventStore::open(&config).await), Verdict::Missing { pinned });
    assert_eq!(verdict(EventStore::open(&config).await), Verdict::Missing { pinned });
}

#[tokio::test]
async fn another_ledger_in_its_place_was_recreated() {
    let (files, other) = (Files::with_events(2).await, Files::with_events(5).await);
    let pinned = files.state().await;
    let expected = files.open().await.unwrap().ledger_id().await.unwrap();
    let found = other.open().await.unwrap().ledger_id().await.unwrap();
    let recreated = Verdict::Recreated { expected, found, pinned };
    let swapped = other.trusted_by(&files);
    assert_eq!(verdict(swapped.open().await), recreated);
    assert_eq!(verdict(EventStore::open(&swapped.accepting()).await), recreated);
    assert_eq!(verdict(EventStore::open_read_only(&swapped.config()).await), recreated);
    // Nothing was learnt from it: the true one opens as before.
    assert_eq!(files.state().await, pinned);
}

#[tokio::test]
async fn a_first_transaction_that_is_gone_is_missed() {
    let files = Files::with_events(2).await;
    files.tamper("DELETE FROM ledger_tx WHERE id = 1").await;
    assert_eq!(verdict(files.open().await), Verdict::MissingTx { tx: tx(1) });
}

#[tokio::test]
async fn what_somebody_else_wrote_extends_the_pin_unconfirmed() {
    let files = Files::with_events(2).await;
    let pinned = files.state().await;
    for more in 1..=2 {
        let elsewhere = files.copy().await;
        elsewhere.append((2..).take(more)).await;
        let found = elsewhere.state().await;
        let extended = elsewhere.trusted_by(&files.copy().await);
        let unconfirmed = Verdict::ExtendsPin { pinned, found };
        assert_eq!(verdict(extended.open().await), unconfirmed);
        assert_eq!(verdict(EventStore::open(&extended.accepting()).await), unconfirmed);
        // A pin that stops before the end confirms no more than itself.
        let old_pin = extended.config_with(|config| config.trust.pin = Some(pinned));
        assert_eq!(verdict(EventStore::open(&old_pin).await), unconfirmed);
        // Whoever knows the new state says so, and it is taken over.
        let known = extended.config_with(|config| config.trust.pin = Some(found));
        let status = opened(&known).await.status().await.unwrap();
        assert_eq!((status.pin.state, status.pin.anchor), (found, Anchor::Created));
        assert_eq!(extended.state().await, found);
    }
}

#[tokio::test]
async fn an_older_trust_file_does_not_vouch_for_what_came_after_it() {
    let files = Files::with_events(2).await;
    let older = files.copy().await;
    files.append([2]).await;
    let (pinned, found) = (older.state().await, files.state().await);
    let restored = files.trusted_by(&older);
    assert_eq!(verdict(restored.open().await), Verdict::ExtendsPin { pinned, found });
}

// ---- First contact.

#[tokio::test]
async fn a_ledger_without_its_trust_file_is_a_first_contact() {
    let files = Files::with_events(2).await;
    let state = files.state().await;
    let ledger = files.open().await.unwrap().ledger_id().await.unwrap();
    let first_contact = Verdict::FirstContact { ledger, state };
    let unknown = files.unknown();
    assert_eq!(verdict(unknown.open().await), first_contact);
    assert_eq!(verdict(unknown.open().await), first_contact, "asking is not accepting");
    let text = first_contact.to_string();
    assert!(text.contains(&ledger.to_string()) && text.contains(&format!("pin = \"{state}\"")));
    // The id alone prevents mix-ups; it vouches for nothing.
    let named = unknown.config_with(|config| config.trust.ledger = Some(ledger));
    assert_eq!(verdict(EventStore::open(&named).await), first_contact);

    let status = opened(&unknown.accepting()).await.status().await.unwrap();
    assert_eq!((status.pin.state, status.pin.anchor), (state, Anchor::FirstContact));
    // From then on it is held to that, without being told again.
    let status = unknown.open().await.unwrap().status().await.unwrap();
    assert_eq!((status.pin.anchored_at, status.pin.anchor), (state, Anchor::FirstContact));
}

#[tokio::test]
async fn a_configured_pin_anchors_a_ledger_that_contains_it() {
    let files = Files::with_events(3).await;
    let state = files.state().await;
    let with_pin = |files: &Files, pin| files.config_with(|config| config.trust.pin = Some(pin));
    let unknown = files.unknown();
    let status = opened(&with_pin(&unknown, state)).await.status().await.unwrap();
    assert_eq!((status.pin.state, status.pin.anchor), (state, Anchor::Configured));
    let status = unknown.open().await.unwrap().status().await.unwrap();
    assert_eq!((status.pin.state, status.pin.anchor), (state, Anchor::Configured));

    // A pin that the ledger has outgrown is in it, but vouches only for itself.
    let store = files.open().await.unwrap();
    let alh = store.get_proof_at_tx(state.tx).await.unwrap().header.prev_alh;
    drop(store);
    let earlier = TrustedState { tx: tx(state.tx.get() - 1), alh };
    let config = with_pin(&files.unknown(), earlier);
    let extends = Verdict::ExtendsPin { pinned: earlier, found: state };
    assert_eq!(verdict(EventStore::open(&config).await), extends);
    opened(&with_pin(&files, earlier)).await;
}

#[tokio::test]
async fn a_wrong_pin_is_a_fork_and_one_beyond_the_end_a_rollback() {
    let files = Files::with_events(3).await;
    let state = files.state().await;
    for (known, files) in [(false, files.unknown()), (true, files.clone())] {
        for at in 1..=state.tx.get() {
            let wrong = TrustedState { tx: tx(at), alh: Alh::new([9; 32]) };
            let config = files.config_with(|config| {
                config.trust.pin = Some(wrong);
                config.trust.first_contact = FirstContact::Accept;
            });
            let Verdict::Fork { pinned, found } = verdict(EventStore::open(&config).await) else {
                panic!("transaction {at}, known: {known}")
            };
            assert_eq!((pinned, found.tx), (wrong, tx(at)));
            assert!(at < state.tx.get() || found == state);
        }
        for beyond in [state.tx.get() + 1, 1 << 48, u64::MAX] {
            let pinned = TrustedState { tx: tx(beyond), ..state };
            let config = files.config_with(|config| config.trust.pin = Some(pinned));
            let back = Verdict::Rollback { pinned, found: Some(state) };
            assert_eq!(verdict(EventStore::open(&config).await), back, "known: {known}");
        }
    }
    assert_eq!(files.state().await, state);
}

#[tokio::test]
async fn a_ledger_with_another_id_than_the_configured_one_is_refused() {
    let files = Files::with_events(1).await;
    let found = files.open().await.unwrap().ledger_id().await.unwrap();
    let expected = Alh::new([1; 32]);
    for files in [files.clone(), files.unknown()] {
        let config = files.config_with(|config| {
            config.trust.ledger = Some(expected);
            config.trust.first_contact = FirstContact::Accept;
        });
        let wrong = Verdict::WrongLedger { expected, found };
        assert_eq!(verdict(EventStore::open(&config).await), wrong);
        assert_eq!(verdict(EventStore::open_read_only(&config).await), wrong);
    }
    let right = files.config_with(|config| config.trust.ledger = Some(found));
    opened(&right).await;
}

#[tokio::test]
async fn first_contact_recomputes_everything_and_names_what_does_not_fit() {
    let files = Files::with_events(3).await;
    let events: Vec<Event> = (0..3).map(|n| event(n).with_external_id("three")).collect();
    let store = files.open().await.unwrap();
    store.append(&stream(), ExpectedVersion::Any, &events).await.unwrap();
    drop(store);
    let flip =
        "UPDATE ledger_row SET value = unhex(replace(hex(value), '6E756D626572', '4E756D626572'))";
    let row = |tx_id| Verdict::RowAltered { tx: tx(tx_id), entry: 0 };
    let missing = |tx_id, entry| Verdict::RowMissing { tx: tx(tx_id), entry };
    for (sql, expected) in [
        (format!("{flip} WHERE pos = 3 << 16"), row(3)),
        (format!("{flip} WHERE pos = (5 << 16) + 1"), Verdict::EntriesAltered { tx: tx(5) }),
        ("UPDATE ledger_row SET value = x'00' WHERE pos = (5 << 16) + 2".into(), {
            Verdict::RowAltered { tx: tx(5), entry: 2 }
        }),
        ("DELETE FROM ledger_row WHERE pos = 3 << 16".into(), missing(3, 0)),
        ("DELETE FROM ledger_row WHERE pos = (5 << 16) + 1".into(), missing(5, 1)),
        ("DELETE FROM ledger_row WHERE pos = (5 << 16) + 2".into(), missing(5, 2)),
        ("DELETE FROM ledger_row WHERE pos = (1 << 16) + 11".into(), missing(1, 11)),
        ("DELETE FROM ledger_tx WHERE id = 3".into(), Verdict::MissingTx { tx: tx(3) }),
        ("UPDATE ledger_tx SET nentries = 2 WHERE id = 3".into(), missing(3, 1)),
        ("UPDATE ledger_tx SET nentries = 2 WHERE id = 5".into(), {
            Verdict::EntriesAltered { tx: tx(5) }
        }),
        ("UPDATE ledger_tx SET ts = ts + 1 WHERE id = 3".into(), row(3)),
        ("UPDATE ledger_tx SET alh = zeroblob(32) WHERE id = 3".into(), row(3)),
        (
            "INSERT INTO ledger_row SELECT pos + 1, value FROM ledger_row WHERE pos = 3 << 16"
                .into(),
            Verdict::EntriesAltered { tx: tx(3) },
        ),
    ] {
        let copy = files.copy().await.unknown();
        assert!(copy.tamper(&sql).await > 0, "{sql}");
        assert_eq!(verdict(EventStore::open(&copy.accepting()).await), expected, "{sql}");
        // It is no better the second time.
        assert_eq!(verdict(EventStore::open(&copy.accepting()).await), expected, "{sql}");
    }
    opened(&files.copy().await.unknown().accepting()).await;
}

#[tokio::test]
async fn the_evidence_is_kept_with_both_states() {
    let files = Files::with_events(2).await;
    let older = files.copy().await;
    files.append([2]).await;
    let now = files.state().await;
    let back = verdict(older.trusted_by(&files).open().await);
    let mut hands = files::connect(&files.trust).await;
    let kept = sqlx::query("SELECT verdict FROM evidence").fetch_all(&mut hands).await.unwrap();
    let texts: Vec<String> = kept.iter().map(|row| row.get(0)).collect();
    assert_eq!(texts, [back.to_string()]);
    assert!(texts[0].contains(&now.to_string()));
    assert!(texts[0].contains(&older.state().await.to_string()));
}

// ---- The client's own half.

#[tokio::test]
async fn a_log_that_does_not_end_at_the_pin_is_refused() {
    let files = Files::with_events(3).await;
    for sql in [
        "DELETE FROM tx WHERE id = 4",
        "UPDATE tx SET alh = zeroblob(32) WHERE id = 4",
        "UPDATE trust SET tx = 3",
        "UPDATE trust SET alh = zeroblob(32)",
        "UPDATE trust SET anchor = 'wishful'",
    ] {
        let copy = files.copy().await;
        assert!(files::run(&copy.trust, sql).await > 0);
        let verdict = verdict(copy.open().await);
        assert!(matches!(verdict, Verdict::LogAltered { .. }), "{sql}: {verdict}");
    }
}

// ---- What is no ledger at all.

#[tokio::test]
async fn a_file_of_another_kind_is_named_and_left_as_it_is() {
    let files = Files::with_events(1).await;
    let text = files.deleted();
    std::fs::write(&text.ledger, "Dear diary, ".repeat(1000)).unwrap();
    let swapped = files.unknown();
    let swapped = Files { ledger: files.trust.clone(), ..swapped };
    let foreign = files.deleted();
    std::fs::write(&foreign.ledger, "").unwrap();
    files::run(&foreign.ledger, "CREATE TABLE recipes (id); INSERT INTO recipes VALUES (1)").await;
    let folder = files.deleted();
    std::fs::create_dir(&folder.ledger).unwrap();
    for strange in [text, swapped, foreign, folder] {
        let strange = strange.unknown();
        let before = std::fs::read(&strange.ledger).ok();
        for opened in [
            EventStore::open(&strange.accepting()).await,
            EventStore::open_read_only(&strange.accepting()).await,
        ] {
            let error = opened.unwrap_err();
            let name = strange.ledger.display().to_string();
            assert!(error.to_string().contains(&name), "{error}");
            assert!(!error.is_verdict(), "{error}");
        }
        assert_eq!(std::fs::read(&strange.ledger).ok(), before, "{}", strange.ledger.display());
    }
    // The other way round: a ledger where the trust file should be.
    let mixed = Files { trust: files.copy().await.ledger, ..files.clone() };
    let error = mixed.open().await.unwrap_err();
    assert!(error.to_string().contains(&mixed.trust.display().to_string()), "{error}");
}

#[tokio::test]
async fn reading_a_ledger_that_is_not_there_creates_nothing() {
    let files = Files::new();
    let error = EventStore::open_read_only(&files.accepting()).await.unwrap_err();
    let Error::Unavailable(Unavailable::File { path, cause }) = &error else { panic!("{error}") };
    assert_eq!((path, cause.kind()), (&files.ledger, std::io::ErrorKind::NotFound));
    assert!(!files.ledger.exists());
}

// ---- Two at once.

#[tokio::test]
async fn one_file_has_one_writer_whatever_trust_file_it_brings() {
    let files = Files::with_events(1).await;
    let writer = files.open().await.unwrap();
    let rival = files.unknown();
    for (second, file) in [
        (files.open().await, &files.trust),
        (EventStore::open_read_only(&files.config()).await, &files.trust),
        (EventStore::open(&rival.accepting()).await, &files.ledger),
    ] {
        let error = second.unwrap_err();
        let Error::Unavailable(Unavailable::InUse { path, .. }) = &error else { panic!("{error}") };
        assert_eq!(path, file);
    }
    // A reader with a trust file of its own may look on.
    let config = files.unknown().accepting();
    let reader = EventStore::open_read_only(&config).await.unwrap();
    writer.add_event(&event(1)).await.unwrap();
    assert_eq!(reader.get_event_at_tx(&stream(), 0, tx(2)).await.unwrap().event, event(0));
    let status = reader.status().await.unwrap();
    assert_eq!((status.pin.state.tx, status.pin.anchor), (tx(2), Anchor::FirstContact));
}

// ---- Time.

/// A clock that says what it is told, in turn, and then the last for ever.
struct Told(Mutex<Vec<i64>>);

impl Told {
    fn seconds(seconds: &[i64]) -> Self {
        Self(Mutex::new(seconds.iter().rev().copied().collect()))
    }
}

impl Clock for Told {
    fn now_micros(&self) -> i64 {
        let mut left = self.0.lock().unwrap();
        let seconds = if left.len() > 1 { left.pop().unwrap() } else { left[0] };
        seconds * 1_000_000 + 999_999
    }
}

#[tokio::test]
async fn time_stamps_never_go_back() {
    let files = Files::new();
    let clock = Told::seconds(&[1000, 1005, 1003, 1004, 1006, -5, 0, 1006, 1007]);
    let store = StoreOptions::new().ledger_clock(clock).open(&files.config()).await.unwrap();
    for n in 0..8 {
        store.add_event(&event(n)).await.unwrap();
    }
    drop(store);
    // Nor when it is opened again in an earlier year.
    let store = StoreOptions::new()
        .ledger_clock(Told::seconds(&[500, 2000, 100]))
        .open(&files.config())
        .await
        .unwrap();
    for n in 8..11 {
        store.add_event(&event(n)).await.unwrap();
    }
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    let stamps: Vec<i64> = read.events.iter().map(|recorded| recorded.committed_at).collect();
    assert_eq!(stamps, [1005, 1005, 1005, 1006, 1006, 1006, 1006, 1007, 1007, 2000, 2000]);
    assert_eq!(store.get_proof_at_tx(tx(1)).await.unwrap().header.ts, 1000);
    assert_eq!(store.findings().await.unwrap(), []);
}
