//! Ledgers with events, and the signer of their log.

use std::path::PathBuf;
use std::sync::Arc;

use counterfoil::checkpoint::{LogSigner, SignedCheckpoint};
use counterfoil::core::checkpoint::{LogKey, LogPolicy};
use counterfoil::{Cover, Ed25519Signer, Event, EventStore, SigningKeyFile};
use counterfoil_test_support::{TempDir, temp_dir};

pub(crate) const ORIGIN: &str = "example.com/ledger";

/// A log's key and what it signed last.
pub(crate) struct Log {
    pub(crate) folder: TempDir,
    pub(crate) key: Arc<SigningKeyFile>,
    pub(crate) signer: LogSigner,
}

impl Log {
    /// One that has signed nothing.
    pub(crate) fn new() -> Self {
        let folder = temp_dir("checkpoint");
        let key = Arc::new(SigningKeyFile::generate(&folder.join("key"), ORIGIN).unwrap());
        LogSigner::begin(&folder.join("last"), ORIGIN).unwrap();
        let signer = LogSigner::new(ORIGIN, Arc::clone(&key) as _, folder.join("last")).unwrap();
        Self { folder, key, signer }
    }

    /// The same log with another key.
    pub(crate) fn with_key(&self, key: impl Ed25519Signer + 'static) -> LogSigner {
        LogSigner::new(ORIGIN, Arc::new(key), self.last()).unwrap()
    }

    /// What says what was signed last.
    pub(crate) fn last(&self) -> PathBuf {
        self.folder.join("last")
    }

    /// The text of it.
    pub(crate) fn last_text(&self) -> String {
        std::fs::read_to_string(self.last()).unwrap()
    }
}

/// A ledger in memory of so many transactions.
pub(crate) async fn ledger(size: u64) -> EventStore {
    let store = EventStore::in_memory().await.unwrap();
    grow(&store, size).await;
    store
}

/// Appends until there are so many transactions.
pub(crate) async fn grow(store: &EventStore, size: u64) {
    let mut at = store.state().await.unwrap().tx.get();
    while at < size {
        let event = Event::new(&Cover::new("d", "r"), "T", at.to_string());
        store.add_event(&event).await.unwrap();
        at += 1;
    }
}

/// Opens a checkpoint as whoever knows the log's key does.
pub(crate) fn open(signed: &SignedCheckpoint, key: &str) -> (u64, [u8; 32]) {
    let logs = [LogKey::parse(key).unwrap()];
    let policy = LogPolicy::new(&logs).unwrap();
    let note = signed.note();
    let checkpoint = policy.open(&note).unwrap().checkpoint();
    assert_eq!(checkpoint.origin(), logs[0].name());
    (checkpoint.size().get(), checkpoint.root().to_bytes())
}
