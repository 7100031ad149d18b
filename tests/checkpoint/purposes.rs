//! One key is for one purpose: who signs events signs no checkpoints by the same key, and no log is its own
//! witness.

use std::sync::Arc;

use counterfoil::checkpoint::{AddCheckpoint, CheckpointRefusal, Cosigner};
use counterfoil::core::TreeSize;
use counterfoil::core::checkpoint::LogKey;
use counterfoil::{
    Config, Ed25519Signer as _, EventStore, SigningKeyFile, StoreOptions, TrustedAuthor,
};
use counterfoil_test_support::temp_dir;

use crate::checkpoint::{Log, ORIGIN, grow};
use crate::{refusal, size};

/// What is refused, and what the key is already.
async fn refused(store: &EventStore, log: &Log) -> String {
    let before = log.last_text();
    let refused = store.sign_checkpoint(&log.signer, None).await.unwrap_err();
    assert_eq!(log.last_text(), before, "nothing is written down as signed");
    match refusal(refused) {
        CheckpointRefusal::SecondPurpose { key: "the log's key", other } => other,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_logs_key_signs_no_events() {
    let (log, other) = (Log::new(), Log::new());
    let store = StoreOptions::new().sign_with(Arc::clone(&log.key) as _).in_memory().await.unwrap();
    grow(&store, 3).await;
    assert!(refused(&store, &log).await.contains("[signing]"));
    store.sign_checkpoint(&other.signer, None).await.unwrap();

    // As the configuration says, also in a store that writes nothing.
    let folder = temp_dir("purposes");
    let mut config = Config::embedded(folder.join("ledger"));
    config.trust.file = Some(folder.join("trust"));
    config.signing.key = Some(log.folder.join("key"));
    let store = EventStore::open(&config).await.unwrap();
    grow(&store, 2).await;
    assert!(refused(&store, &log).await.contains("[signing]"));
    store.close().await.unwrap();
    let reader = EventStore::open_read_only(&config).await.unwrap();
    assert!(refused(&reader, &log).await.contains("[signing]"));
    reader.sign_checkpoint(&Log::new().signer, size(1)).await.unwrap();
    reader.close().await.unwrap();
    config.signing.key = None;
    let author =
        |key: &SigningKeyFile| TrustedAuthor { name: None, key: key.public_key(), domains: None };
    config.trust.author = vec![author(&other.key), author(&log.key)];
    let reader = EventStore::open_read_only(&config).await.unwrap();
    assert!(refused(&reader, &log).await.contains("trust.author[1]"));
}

#[tokio::test]
async fn a_witness_is_neither_the_log_nor_an_author() {
    let (log, folder) = (Log::new(), temp_dir("purposes"));
    let own = Arc::new(SigningKeyFile::generate(&folder.join("key"), "w.example").unwrap());
    let store = StoreOptions::new().sign_with(Arc::clone(&own) as _).in_memory().await.unwrap();
    grow(&store, 4).await;
    let signed = store.sign_checkpoint(&log.signer, None).await.unwrap();
    let log_key = log.signer.verifier_key();
    let log_key = LogKey::parse(&log_key).unwrap();
    for (name, key, words) in [("log", &log.key, "the log's"), ("author", &own, "[signing]")] {
        let cosigner = Cosigner::new("w.example", Arc::clone(key) as _, folder.join(name)).unwrap();
        cosigner.begin(ORIGIN).unwrap();
        let refused = store.cosign_checkpoint(&cosigner, &log_key, &signed).await.unwrap_err();
        match refusal(refused) {
            CheckpointRefusal::SecondPurpose { key: "the witness's key", other } => {
                assert!(other.contains(words), "{other}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(cosigner.last(ORIGIN).unwrap().get(), 0);
    }
    // Elsewhere, where nobody writes events by it, the same key cosigns.
    let cosigner = Cosigner::new("w.example", own, folder.join("other")).unwrap();
    cosigner.begin(ORIGIN).unwrap();
    let proof = Vec::new();
    let request = AddCheckpoint { old: TreeSize::new(0), proof, checkpoint: signed };
    cosigner.cosign(&log_key, &request).unwrap();
}
