//! A ledger about which nothing is known, or only what the configuration says.

use counterfoil::{
    Alh, Anchor, Event, EventStore, ExpectedVersion, FirstContact, TrustedState, Verdict,
};

use sqlx::Row as _;

use crate::files::{self, Files, event, stream};
use crate::{opened, tx, verdict};

#[tokio::test]
async fn a_ledger_without_its_trust_file_is_a_first_contact() {
    let files = Files::with_events(2).await;
    let state = files.state().await;
    let ledger = files.open().await.unwrap().ledger_id().await.unwrap();
    let first_contact = Verdict::FirstContact { ledger, state };
    let unknown = files.unknown();
    assert_eq!(verdict(unknown.open().await), first_contact);
    assert_eq!(verdict(unknown.open().await), first_contact, "asking is not accepting");
    let text = unknown.open().await.unwrap_err().to_string();
    for word in [&ledger.to_string(), &state.to_string(), &unknown.trust.display().to_string()] {
        assert!(text.contains(word), "{word}: {text}");
    }
    // Its own word is shown, and not as what to believe it by.
    assert!(!text.contains(&format!("pin = \"{state}")) && text.contains("TX:ALH"), "{text}");
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
