//! What is there when a ledger is opened again: the contract of every backend
//! that outlives its store.

use counterfoil::{
    Anchor, Config, Cover, Ed25519Signer, Edition, Error, Event, EventStore, ExpectedVersion,
    ReadOptions, SigningKeyFile, StoreOptions, TrustedAuthor, TxId, Unavailable,
};

use super::contract::{Harness, forgery, full, numbered, said, shipment};
use super::signing::{everything, key, signing};

/// A backend whose ledgers outlive their stores.
pub(crate) trait Reopen: Harness {
    /// How to open it again.
    fn config(&self) -> Config;
}

/// All of these, for one harness.
macro_rules! reopening_contract {
    ($harness:ty) => {
        mod reopened {
            use crate::contract::Harness as _;
            crate::reopening::tests_of! { $harness:
                everything_is_there_again
                a_proof_from_before_still_holds
                an_append_can_be_repeated_after_reopening
                no_leaf_of_a_proof_under_a_later_state_can_be_altered
                a_read_only_store_reads_and_refuses_to_write
                a_ledger_that_is_open_cannot_be_opened_twice
                what_was_open_can_be_opened_again_at_once
                a_closed_store_leaves_whole_files
                a_trusted_author_is_told_from_all_others
                a_configured_key_signs
            }
        }
    };
}
pub(crate) use reopening_contract;

macro_rules! tests_of {
    ($harness:ty: $($test:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            crate::reopening::$test(<$harness>::new()).await;
        })*
    };
}
pub(crate) use tests_of;

pub(crate) async fn everything_is_there_again(harness: impl Reopen) {
    let cover = shipment();
    let other = Cover::new("other", [0, 255]).in_edition("draft");
    let store = harness.open().await;
    let events: Vec<Event> = (0..5).map(|n| numbered(&cover, n)).collect();
    store.append(&cover, ExpectedVersion::Any, &events).await.unwrap();
    store.add_event(&full(&other)).await.unwrap();
    let (status, all) = (store.status().await.unwrap(), store.read_all(None, None).await.unwrap());
    store.close().await.unwrap();

    for round in 0..3 {
        let store = harness.open().await;
        let again = store.status().await.unwrap();
        assert_eq!((again.pin.ledger, again.pin.anchor), (status.pin.ledger, Anchor::Created));
        assert_eq!(again.pin.anchored_at, status.pin.anchored_at);
        assert_eq!(again.pin.state.tx.get(), status.pin.state.tx.get() + round);
        assert!(again.completeness.is_complete());
        let read = store.read_all(None, None).await.unwrap();
        assert_eq!(read.events[..all.events.len()], all.events);
        assert_eq!(read.events.len() as u64, all.events.len() as u64 + round);
        let read = store.read(&cover, ReadOptions::forward().limit(5)).await.unwrap();
        assert_eq!(said(&read), events);
        assert_eq!(store.list_domains(&Edition::from("draft")).await.unwrap(), ["other"]);
        assert_eq!(store.next_sequence(&cover).await.unwrap(), 5 + round);
        store
            .append(&cover, ExpectedVersion::Exact(4 + round), &[numbered(&cover, 5)])
            .await
            .unwrap();
        assert_eq!(store.findings().await.unwrap(), []);
    }
}

pub(crate) async fn a_proof_from_before_still_holds(harness: impl Reopen) {
    let store = harness.open().await;
    let event = full(&shipment());
    let tx = store.add_event(&event).await.unwrap();
    let at_tx = store.get_proof_at_tx(tx.id).await.unwrap();
    let state = store.state().await.unwrap();
    store.add_event(&numbered(&shipment(), 1)).await.unwrap();
    store.close().await.unwrap();
    let store = harness.open().await;
    assert!(store.verify_event(&event, &tx.proof).await.unwrap());
    at_tx.verify(&state).unwrap();
    // A new proof is for the state as it is now.
    let newer = store.get_proof_at_tx(tx.id).await.unwrap();
    newer.verify(&store.state().await.unwrap()).unwrap();
    assert_eq!(newer.header, at_tx.header);
}

pub(crate) async fn an_append_can_be_repeated_after_reopening(harness: impl Reopen) {
    let store = harness.open().await;
    let event = full(&shipment());
    let first = store.add_event(&event).await.unwrap();
    store.add_event(&numbered(&shipment(), 1)).await.unwrap();
    store.close().await.unwrap();
    let store = harness.open().await;
    let again = store
        .append(&shipment(), ExpectedVersion::Any, std::slice::from_ref(&event))
        .await
        .unwrap();
    assert!(again.repeated);
    let proof = &again.events[0].proof;
    assert_eq!(
        (again.id, proof.header, &proof.body),
        (first.id, first.proof.header, &first.proof.body)
    );
    assert!(store.verify_event(&event, proof).await.unwrap());
    let other = event.with_causation_id("something else");
    let error = store.add_event(&other).await.unwrap_err();
    assert!(matches!(error, Error::IdConflict { tx, .. } if tx == first.id), "{error}");
}

pub(crate) async fn no_leaf_of_a_proof_under_a_later_state_can_be_altered(harness: impl Reopen) {
    let store = harness.open().await;
    let events = vec![full(&shipment()); 5];
    store.append(&shipment(), ExpectedVersion::Any, &events).await.unwrap();
    for n in 0..6 {
        store.add_event(&numbered(&shipment(), n)).await.unwrap();
    }
    store.close().await.unwrap();
    // Nothing is remembered: the proof is made anew, to the end of the ledger.
    let store = harness.open().await;
    let appended = store.append(&shipment(), ExpectedVersion::Any, &events).await.unwrap();
    let proof = &appended.events[3].proof;
    assert_eq!(proof.state_header.tx, store.state().await.unwrap().tx);
    assert!(proof.tx_path.len() >= 3, "{proof:?}");
    forgery::refuses_every_alteration(&store, &events[3], proof).await;
}

pub(crate) async fn a_read_only_store_reads_and_refuses_to_write(harness: impl Reopen) {
    let store = harness.open().await;
    let tx = store.add_event(&full(&shipment())).await.unwrap();
    let state = store.state().await.unwrap();
    store.close().await.unwrap();
    let reader = EventStore::open_read_only(&harness.config()).await.unwrap();
    assert_eq!(reader.state().await.unwrap(), state);
    let read = reader.read(&shipment(), ReadOptions::forward()).await.unwrap();
    assert_eq!(said(&read), [full(&shipment())]);
    assert!(reader.verify_event(&full(&shipment()), &tx.proof).await.unwrap());
    reader.get_proof_at_tx(TxId::new(1)).await.unwrap().verify(&state).unwrap();
    // Not even an append that would write nothing.
    for event in [numbered(&shipment(), 1), full(&shipment())] {
        let error = reader.add_event(&event).await.unwrap_err();
        assert!(matches!(error, Error::ReadOnly), "{error}");
    }
    assert_eq!(reader.state().await.unwrap(), state);
    drop(reader);
    assert_eq!(harness.open().await.state().await.unwrap(), state);
}

pub(crate) async fn a_ledger_that_is_open_cannot_be_opened_twice(harness: impl Reopen) {
    let store = harness.open().await;
    store.add_event(&numbered(&shipment(), 0)).await.unwrap();
    let mut refused = vec![EventStore::open(&harness.config()).await];
    // An embedded ledger is read beside its writer; a log of immudb's is moved by its readers.
    if harness.config().storage.backend == counterfoil::BackendKind::Immudb {
        refused.push(EventStore::open_read_only(&harness.config()).await);
    }
    for second in refused {
        let error = second.unwrap_err();
        let Error::Unavailable(Unavailable::InUse { path, .. }) = &error else { panic!("{error}") };
        assert!(error.to_string().starts_with(&format!("{} is in use", path.display())), "{error}");
    }
    // The first is none the worse for it.
    assert_eq!(store.add_event(&numbered(&shipment(), 1)).await.unwrap().sequence, 1);
}

pub(crate) async fn what_was_open_can_be_opened_again_at_once(harness: impl Reopen) {
    for n in 0..10 {
        let store = harness.open().await;
        assert_eq!(store.add_event(&numbered(&shipment(), n)).await.unwrap().sequence, n);
    }
}

pub(crate) async fn a_closed_store_leaves_whole_files(harness: impl Reopen) {
    let store = harness.open().await;
    let clone = store.clone();
    let added = clone.add_event(&numbered(&shipment(), 0)).await.unwrap();
    store.close().await.unwrap();
    // The other handle is still good.
    assert!(clone.verify_event(&numbered(&shipment(), 0), &added.proof).await.unwrap());
    clone.close().await.unwrap();
    let config = harness.config();
    for folder in [config.storage.embedded.path.parent(), config.log.path.as_deref()] {
        for entry in folder.into_iter().flat_map(|folder| folder.read_dir().into_iter().flatten()) {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            assert!(!name.ends_with("-wal") && !name.ends_with("-shm"), "{name}");
        }
    }
    let store = harness.open().await;
    assert_eq!(store.next_sequence(&shipment()).await.unwrap(), 1);
}

/// Written by an author, in a domain that he may not write to, by nobody, by a stranger.
pub(crate) async fn a_trusted_author_is_told_from_all_others(harness: impl Reopen) {
    let (author, stranger) = (key(), key());
    let (here, elsewhere) = (shipment(), Cover::new("elsewhere", "r"));
    for (options, cover) in [
        (signing(&author), &here),
        (signing(&author), &elsewhere),
        (StoreOptions::new(), &here),
        (signing(&stranger), &here),
    ] {
        let store = harness.open_with(options).await;
        store.add_event(&numbered(cover, 0)).await.unwrap();
        store.close().await.unwrap();
    }
    let mut config = harness.config();
    let words = async |config: &Config| {
        let store = EventStore::open_read_only(config).await.unwrap();
        assert_eq!(store.findings().await.unwrap(), []);
        let read = everything(&store).await;
        store.close().await.unwrap();
        read.iter().map(|event| event.authorship.word()).collect::<Vec<_>>()
    };
    let unknown = "unknown_author";
    assert_eq!(words(&config).await, [unknown, unknown, "unsigned", unknown]);
    let domains = Some(vec![here.domain.clone()]);
    config.trust.author = vec![TrustedAuthor { name: None, key: author.public_key(), domains }];
    let signed = "signed_by_author";
    assert_eq!(words(&config).await, [signed, "author_not_allowed", "unsigned", unknown]);
    config.trust.author[0].domains = None;
    assert_eq!(words(&config).await, [signed, signed, "unsigned", unknown]);
}

pub(crate) async fn a_configured_key_signs(harness: impl Reopen) {
    let folder = counterfoil_test_support::temp_dir("key");
    let path = folder.join("key");
    let configured = SigningKeyFile::generate(&path, "author").unwrap();
    let given = key();
    let mut config = harness.config();
    config.signing.key = Some(path.clone());
    for options in [StoreOptions::new(), signing(&given)] {
        let store = options.open(&config).await.unwrap();
        store.add_event(&numbered(&shipment(), 0)).await.unwrap();
        store.close().await.unwrap();
    }
    // Whoever only reads needs no key.
    std::fs::remove_file(&path).unwrap();
    let store = EventStore::open_read_only(&config).await.unwrap();
    let read = everything(&store).await;
    store.close().await.unwrap();
    let signers: Vec<_> = read.iter().map(|event| event.authorship.signed_by().copied()).collect();
    let keys = [configured.public_key(), given.public_key()];
    assert_eq!(signers, keys.map(|key| Some(*key.as_bytes())));
    let none = EventStore::open(&config).await.unwrap_err();
    assert!(none.to_string().contains("key"), "{none}");
}
