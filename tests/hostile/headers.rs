//! Headers and states that were altered between server and client.

use counterfoil::{
    Alh, Completeness, Error, FindingKind, ReadOptions, TrustedState, TxId, Unavailable, Verdict,
};
use counterfoil_test_support::Action;

use crate::hostile::{Liar, event, flipped, put, stream, text, tx, verdict};

const STATE: &str = "immudb_state()";
const FIELDS: [&str; 7] =
    ["timestamp", "nentries", "prev_alh", "eh", "bl_tx_id", "bl_root", "version"];

/// Alters one field of one header from now on.
fn alter(liar: &Liar, of: TxId, field: &'static str) {
    liar.alters("immudb_tx(", move |context, message| {
        if context.statement == format!("SELECT immudb_tx({of});") {
            let other = flipped(&text(message, context, field));
            put(message, context, field, &other);
        }
        Action::Forward
    });
}

#[tokio::test]
async fn an_altered_field_of_the_newest_header_is_refused() {
    let liar = Liar::new();
    let store = liar.with_events(2).await;
    for (n, field) in (2..).zip(FIELDS) {
        let have = store.state().await.unwrap();
        let newest = tx(n + 2);
        liar.somebody_appends([n]).await;
        alter(&liar, newest, field);
        let verdict = verdict(store.read(&stream(), ReadOptions::forward()).await);
        match field {
            "prev_alh" => {
                let alh = flipped(&have.alh.to_string()).parse().unwrap();
                let found = TrustedState { tx: have.tx, alh };
                assert_eq!(verdict, Verdict::Fork { pinned: have, found });
            }
            _ => {
                let Verdict::UnconfirmedEnd { claimed, verified } = verdict else {
                    panic!("{field}: {verdict}")
                };
                assert_eq!((claimed.tx, verified), (newest, Some(have)), "{field}");
            }
        }
        // Nothing of the lie stays.
        liar.repents();
        let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
        assert_eq!(read.events.len() as u64, n + 1, "{field}");
        assert!(read.completeness.is_complete(), "{field}");
        assert_eq!(store.findings().await.unwrap(), []);
    }
}

/// A header in the middle that was altered looks like one with metadata that
/// the wire does not show: its Alh is bound by what follows, its fields are
/// not believed.
#[tokio::test]
async fn an_altered_field_of_an_older_header_is_never_believed() {
    for field in FIELDS {
        let liar = Liar::new();
        let store = liar.with_events(1).await;
        let have = store.state().await.unwrap();
        liar.somebody_appends(1..5).await;
        alter(&liar, tx(4), field);
        let read = store.read(&stream(), ReadOptions::forward()).await;
        if field == "prev_alh" {
            // Transaction 3 gets another Alh by it, and the tree tells.
            let verdict = verdict(read);
            assert!(
                matches!(verdict, Verdict::OtherHistory { tx: at, .. } if at == tx(5)),
                "{verdict}"
            );
            assert_eq!(liar_free_state(&liar, &store).await.tx, tx(6));
            continue;
        }
        let read = read.unwrap();
        assert_eq!(read.events.len(), 2, "{field}: events 0 and 1, then the gap");
        let gap =
            Completeness::Incomplete { through: tx(6), gaps: 1, first: tx(4), acknowledged: 0 };
        assert_eq!(read.completeness, gap, "{field}");
        let findings = store.findings().await.unwrap();
        assert!(
            findings.iter().any(|f| (f.tx, f.kind) == (tx(4), FindingKind::Opaque)),
            "{field}: {findings:?}"
        );
        let error = verdict(store.get_proof_at_tx(tx(4)).await);
        assert!(matches!(error, Verdict::BadHeader { .. }), "{field}: {error}");
        // The chain through it holds all the same.
        let state = store.state().await.unwrap();
        assert_eq!(state, liar.honestly(async |honest| honest.state().await.unwrap()).await);
        assert!(state.tx > have.tx);
    }
}

/// The state once the liar has repented.
async fn liar_free_state(liar: &Liar, store: &counterfoil::EventStore) -> TrustedState {
    liar.repents();
    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert!(read.completeness.is_complete());
    store.state().await.unwrap()
}

#[tokio::test]
async fn a_header_that_no_immudb_would_send_is_called_garbled() {
    let liar = Liar::new();
    let store = liar.with_events(1).await;
    liar.somebody_appends(1..3).await;
    for (field, value) in [
        ("tx_id", "5"),
        ("tx_id", "-1"),
        ("version", "2"),
        ("nentries", "-1"),
        ("nentries", "4294967296"),
        ("eh", "xyz"),
        ("eh", ""),
        ("bl_root", "00"),
        ("bl_tx_id", "-3"),
    ] {
        liar.alters("immudb_tx(3)", move |context, message| {
            put(message, context, field, value);
            Action::Forward
        });
        let error = store.read(&stream(), ReadOptions::forward()).await.unwrap_err();
        assert!(
            matches!(error, Error::Unavailable(Unavailable::Garbled { what: "immudb_tx()", .. })),
            "{field} {value}: {error}"
        );
    }
    liar.alters("immudb_tx(3)", |_, _| Action::Instead(vec![]));
    let error = store.next_sequence(&stream()).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(Unavailable::Garbled { .. })), "{error}");
    liar.repents();
    assert_eq!(store.next_sequence(&stream()).await.unwrap(), 3);
}

#[tokio::test]
async fn a_state_at_the_pin_with_another_alh_is_a_fork() {
    let liar = Liar::new();
    let store = liar.with_events(2).await;
    let pinned = store.state().await.unwrap();
    liar.alters(STATE, |context, message| {
        put(message, context, "tx_hash", &"ab".repeat(32));
        Action::Forward
    });
    let found = TrustedState { alh: Alh::new([0xab; 32]), ..pinned };
    let fork = Verdict::Fork { pinned, found };
    assert_eq!(verdict(store.state().await), fork);
    assert_eq!(verdict(store.add_event(&event(2)).await), fork);
    assert_eq!(verdict(store.read(&stream(), ReadOptions::forward()).await), fork);
    drop(store);
    assert_eq!(verdict(counterfoil::EventStore::open(&liar.config()).await), fork);
    liar.repents();
    assert_eq!(liar.open().await.state().await.unwrap(), pinned);
}

#[tokio::test]
async fn a_state_before_the_pin_is_a_rollback() {
    let liar = Liar::new();
    let store = liar.with_events(2).await;
    let pinned = store.state().await.unwrap();
    for (id, verdict_of) in [
        (
            "2",
            Verdict::Rollback {
                pinned,
                found: Some(TrustedState { tx: tx(2), alh: Alh::new([7; 32]) }),
            },
        ),
        ("0", Verdict::Missing { pinned }),
    ] {
        liar.alters(STATE, move |context, message| {
            put(message, context, "tx_id", id);
            put(message, context, "tx_hash", &"07".repeat(32));
            Action::Forward
        });
        assert_eq!(verdict(store.state().await), verdict_of);
        assert_eq!(verdict(store.add_event(&event(2)).await), verdict_of);
    }
    liar.repents();
    assert_eq!(store.state().await.unwrap(), pinned);
}

#[tokio::test]
async fn a_state_of_transactions_that_are_not_there_is_not_believed() {
    let liar = Liar::new();
    let store = liar.with_events(2).await;
    let pinned = store.state().await.unwrap();
    for (id, hash) in [("4", "07"), ("1000", "07"), ("9223372036854775807", "ff")] {
        liar.alters(STATE, move |context, message| {
            put(message, context, "tx_id", id);
            put(message, context, "tx_hash", &hash.repeat(32));
            Action::Forward
        });
        let error = store.read(&stream(), ReadOptions::forward()).await.unwrap_err();
        let Error::Unavailable(Unavailable::Garbled { problem, .. }) = &error else {
            panic!("{id}: {error}")
        };
        assert_eq!(problem, "transaction 4 is missing");
    }
    // A transaction that is there, under a hash that it does not have.
    liar.somebody_appends([2]).await;
    liar.alters(STATE, |context, message| {
        let other = flipped(&text(message, context, "tx_hash"));
        put(message, context, "tx_hash", &other);
        Action::Forward
    });
    let verdict = verdict(store.read(&stream(), ReadOptions::forward()).await);
    let Verdict::UnconfirmedEnd { claimed, verified } = verdict else { panic!("{verdict}") };
    assert_eq!((claimed.tx, verified), (tx(4), Some(pinned)));
    liar.repents();
    assert_eq!(store.next_sequence(&stream()).await.unwrap(), 3);
}
