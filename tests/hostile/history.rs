//! Servers whose past is another one than it was: rolled back, forked,
//! recreated, unknown.

use counterfoil::{
    Alh, Anchor, Config, Error, EventStore, FirstContact, ReadOptions, TrustedState, Unavailable,
    Verdict,
};
use counterfoil_test_support::{Action, Server, temp_dir};

use crate::hostile::{Liar, event, put, stream, tx, verdict};

#[tokio::test]
async fn a_restored_backup_is_a_rollback_and_what_is_written_on_it_a_fork() {
    let mut server = Server::start_private();
    let liar = Liar::before(server.server());
    let store = liar.with_events(2).await;
    let before = store.state().await.unwrap();
    let backup = server.save();
    for n in 2..4 {
        store.add_event(&event(n)).await.unwrap();
    }
    let pinned = store.state().await.unwrap();

    server.restore(&backup);
    let back = Verdict::Rollback { pinned, found: Some(before) };
    assert_eq!(verdict(store.read(&stream(), ReadOptions::forward()).await), back);
    assert_eq!(verdict(store.add_event(&event(9)).await), back);
    store.close().await.unwrap();
    assert_eq!(verdict(EventStore::open(&liar.config()).await), back);

    // Somebody writes on: as far as the pin, and beyond it.
    liar.somebody_appends([12]).await;
    let Verdict::Rollback { found: Some(found), .. } =
        verdict(EventStore::open(&liar.config()).await)
    else {
        panic!()
    };
    assert_eq!(found.tx, tx(4));
    liar.somebody_appends([13]).await;
    let other = liar.honestly(async |store| store.state().await.unwrap()).await;
    assert_eq!(other.tx, pinned.tx);
    let fork = Verdict::Fork { pinned, found: other };
    assert_eq!(verdict(EventStore::open(&liar.config()).await), fork.clone());
    liar.somebody_appends([14]).await;
    assert_eq!(verdict(EventStore::open(&liar.config()).await), fork);
}

#[tokio::test]
async fn a_database_that_is_gone_is_missing_and_one_in_its_place_recreated() {
    let mut server = Server::start_private();
    let empty = server.save();
    let liar = Liar::before(server.server());
    let store = liar.with_events(2).await;
    let (pinned, expected) = (store.state().await.unwrap(), store.ledger_id().await.unwrap());
    store.close().await.unwrap();

    server.restore(&empty);
    let missing = Verdict::Missing { pinned };
    assert_eq!(verdict(EventStore::open(&liar.config()).await), missing);
    assert_eq!(verdict(EventStore::open_read_only(&liar.config()).await), missing);

    // Nobody has made it anew; now somebody does.
    let log = temp_dir("successor");
    let successor = EventStore::open(&liar.honest(&log)).await.unwrap();
    assert_eq!(successor.status().await.unwrap().pin.anchor, Anchor::Created);
    for n in 0..3 {
        successor.add_event(&event(n)).await.unwrap();
    }
    let found = successor.ledger_id().await.unwrap();
    let recreated = Verdict::Recreated { expected, found, pinned };
    assert_eq!(verdict(EventStore::open(&liar.config()).await), recreated);
    let accepting = accepting(&liar);
    assert_eq!(verdict(EventStore::open(&accepting).await), recreated);
}

fn accepting(liar: &Liar) -> Config {
    let mut config = liar.config();
    config.trust.first_contact = FirstContact::Accept;
    config
}

#[tokio::test]
async fn a_ledger_that_somebody_else_created_is_a_first_contact() {
    let liar = Liar::new();
    let log = temp_dir("creator");
    let creator = EventStore::open(&liar.honest(&log)).await.unwrap();
    for n in 0..3 {
        creator.add_event(&event(n)).await.unwrap();
    }
    let (ledger, state) = (creator.ledger_id().await.unwrap(), creator.state().await.unwrap());
    let first = Verdict::FirstContact { ledger, state };
    assert_eq!(verdict(EventStore::open(&liar.config()).await), first);
    assert_eq!(verdict(EventStore::open_read_only(&liar.config()).await), first);
    assert_eq!(verdict(EventStore::open(&liar.config()).await), first, "asking is not accepting");
    // Nothing stays of what was refused, whatever the ledger calls itself.
    for n in 0..4 {
        let id = format!("{n:064x}");
        liar.alters("immudb_tx(2)", move |context, message| {
            put(message, context, "prev_alh", &id);
            Action::Forward
        });
        let first = verdict(EventStore::open(&liar.config()).await);
        assert!(matches!(first, Verdict::FirstContact { .. }), "{first}");
        verdict(EventStore::open(&accepting(&liar)).await);
    }
    liar.repents();
    let folder = liar.config().log.path.unwrap();
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");

    let with = |alter: &dyn Fn(&mut Config)| {
        let mut config = accepting(&liar);
        alter(&mut config);
        config
    };
    // Wrong expectations are told, whatever else is accepted.
    let wrong = Alh::new([9; 32]);
    let named = with(&|config| config.trust.ledger = Some(wrong));
    let other = Verdict::WrongLedger { expected: wrong, found: ledger };
    assert_eq!(verdict(EventStore::open(&named).await), other);
    let pinned = TrustedState { alh: wrong, ..state };
    let forked = with(&|config| config.trust.pin = Some(pinned));
    assert_eq!(verdict(EventStore::open(&forked).await), Verdict::Fork { pinned, found: state });
    let pinned = TrustedState { tx: tx(77), alh: wrong };
    let beyond = with(&|config| config.trust.pin = Some(pinned));
    assert_eq!(
        verdict(EventStore::open(&beyond).await),
        Verdict::Rollback { pinned, found: Some(state) }
    );

    // An older state that the creator vouches for is in it.
    let proof = creator.get_proof_at_tx(tx(3)).await.unwrap();
    let older = TrustedState { tx: tx(2), alh: proof.header.prev_alh };
    let mut config = liar.config();
    config.trust.pin = Some(older);
    let status = EventStore::open(&config).await.unwrap().status().await.unwrap();
    assert_eq!((status.pin.state, status.pin.anchor), (state, Anchor::Configured));
    // From then on it is held to that without being told again.
    let store = liar.open().await;
    assert_eq!(store.status().await.unwrap().pin.anchored_at, state);
    creator.add_event(&event(3)).await.unwrap();
    assert_eq!(store.add_event(&event(4)).await.unwrap().sequence, 4);
}

#[tokio::test]
async fn a_named_ledger_that_is_not_there_is_not_made_anew() {
    let liar = Liar::new();
    for trust in ["ledger", "pin"] {
        let mut config = liar.config();
        let alh = Alh::new([9; 32]);
        match trust {
            "ledger" => config.trust.ledger = Some(alh),
            _ => config.trust.pin = Some(TrustedState { tx: tx(5), alh }),
        }
        let error = EventStore::open(&config).await.unwrap_err();
        let missing = match &error {
            Error::Ledger(verdict) => matches!(**verdict, Verdict::Missing { .. }),
            Error::Unavailable(why) => matches!(why, Unavailable::MissingDatabase { .. }),
            _ => false,
        };
        assert!(missing, "{trust}: {error}");
        let looking = EventStore::open_read_only(&liar.config()).await.unwrap_err();
        assert!(
            matches!(looking, Error::Unavailable(Unavailable::MissingDatabase { .. })),
            "{trust}: {looking}"
        );
    }
}

/// Two clients with logs of their own write at once: what each was told is in
/// the ledger, and both see the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clients_at_once_share_one_history() {
    let liar = Liar::new();
    let log = temp_dir("second");
    let first = liar.open().await;
    let second = EventStore::open(&liar.honest(&log)).await.unwrap();
    let writer = |store: EventStore, own: u64| async move {
        let mut proofs = Vec::new();
        for n in 0..15 {
            let event = event(own * 100 + n);
            let added = store.add_event(&event).await.unwrap();
            proofs.push((event, added));
        }
        proofs
    };
    let (ours, theirs) = tokio::join!(
        tokio::spawn(writer(first.clone(), 1)),
        tokio::spawn(writer(second.clone(), 2))
    );
    let added = [ours.unwrap(), theirs.unwrap()].concat();
    for store in [&first, &second] {
        for (event, added) in &added {
            assert!(store.verify_event(event, &added.proof).await.unwrap());
        }
        assert_eq!(store.next_sequence(&stream()).await.unwrap(), 30);
        assert_eq!(store.findings().await.unwrap(), []);
        assert!(store.status().await.unwrap().completeness.is_complete());
    }
    assert_eq!(first.state().await.unwrap(), second.state().await.unwrap());
    let all = first.read_all(None, None).await.unwrap().events;
    assert_eq!(all, second.read_all(None, None).await.unwrap().events);
    // And a third, who comes later and accounts for everything at once.
    let third = liar.honestly(async |store| store.read_all(None, None).await.unwrap()).await;
    assert_eq!(third.events, all);
    assert!(third.completeness.is_complete());
}

/// A log is the client's own: an older copy of it goes on to the server's end,
/// a lost one is made anew, and both hold the ledger to what they knew.
#[tokio::test]
async fn an_older_log_goes_on_and_a_lost_one_is_made_anew() {
    let liar = Liar::new();
    let store = liar.with_events(2).await;
    let old = store.state().await.unwrap();
    store.close().await.unwrap();
    let folder = liar.config().log.path.unwrap();
    let copy = temp_dir("older-log");
    let files = || {
        let paths = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let paths: Vec<_> = paths.collect();
        assert!(!paths.iter().any(|path| path.to_string_lossy().ends_with("-wal")), "{paths:?}");
        paths
    };
    for path in files() {
        std::fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    liar.somebody_appends(2..4).await;
    let store = liar.open().await;
    let newest = store.state().await.unwrap();
    assert_eq!(newest.tx, tx(5));
    store.close().await.unwrap();
    for path in files() {
        std::fs::copy(copy.join(path.file_name().unwrap()), &path).unwrap();
    }
    let store = liar.open().await;
    assert_eq!(store.read(&stream(), ReadOptions::forward()).await.unwrap().events.len(), 4);
    let pin = store.status().await.unwrap().pin;
    assert_eq!((pin.state, pin.anchor), (newest, Anchor::Created));
    store.close().await.unwrap();
    // Without any, what the client knows is in its configuration.
    let lost = temp_dir("lost-log");
    let mut config = liar.config();
    config.log.path = Some(lost.path().to_path_buf());
    let first = verdict(EventStore::open(&config).await);
    assert!(matches!(first, Verdict::FirstContact { state, .. } if state == newest), "{first}");
    config.trust.pin = Some(old);
    let store = EventStore::open(&config).await.unwrap();
    assert_eq!(store.read(&stream(), ReadOptions::forward()).await.unwrap().events.len(), 4);
    let pin = store.status().await.unwrap().pin;
    assert_eq!((pin.state, pin.anchor), (newest, Anchor::Configured));
}
