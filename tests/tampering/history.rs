//! A ledger against what is pinned about it.

use counterfoil::{Alh, Anchor, EventStore, TrustedState, Verdict};

use crate::files::Files;
use crate::{opened, tx, verdict};

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
    let trusted = older.trusted_by(&files.copy().await);
    let trust = trusted.trust.display().to_string();
    for told in [trusted.open().await, EventStore::open_read_only(&trusted.config()).await] {
        let error = told.unwrap_err();
        assert_eq!(error.verdict(), Some(&back));
        assert!(error.to_string().contains(&trust), "{error}");
    }

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
    let told = gone.open().await.unwrap_err();
    assert!(told.to_string().contains(&gone.trust.display().to_string()), "{told}");
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

/// What is appended to a ledger that lost its end would be proved, and no part
/// of the ledger that was.
#[tokio::test]
async fn nothing_is_appended_to_a_file_that_ends_elsewhere_than_it_did() {
    let files = Files::with_events(2).await;
    let pinned = files.state().await;
    let zero = TrustedState { alh: Alh::new([0; 32]), ..pinned };
    let beyond = TrustedState { tx: tx(4), ..zero };
    for (sql, verdict_is) in [
        ("DELETE FROM ledger_tx WHERE id = 3; DELETE FROM ledger_row WHERE pos = 3 << 16", None),
        ("UPDATE ledger_tx SET alh = zeroblob(32) WHERE id = 3", {
            Some(Verdict::Fork { pinned, found: zero })
        }),
        ("INSERT INTO ledger_tx VALUES (4, 0, 1, zeroblob(32))", {
            Some(Verdict::ExtendsPin { pinned, found: beyond })
        }),
    ] {
        let files = files.copy().await;
        let store = opened(&files.config()).await;
        files.tamper(sql).await;
        let found = verdict(store.add_event(&crate::files::event(2)).await);
        match verdict_is {
            Some(expected) => assert_eq!(found, expected),
            None => assert!(matches!(found, Verdict::Rollback { .. }), "{found}"),
        }
        let after = store.state().await.unwrap();
        assert_eq!(after, pinned);
    }
}
