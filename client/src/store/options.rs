//! What a store may be given beside its configuration.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::config::Config;
use crate::environment::{Clock, Entropy, Environment};
use crate::error::Result;
use crate::signing_key::Ed25519Signer;
use crate::store::EventStore;

/// Opens stores with clocks, randomness or a progress display of one's own.
///
/// [`EventStore::open`] is all that most programs need.
#[derive(Clone, Default)]
pub struct StoreOptions {
    pub(super) environment: Environment,
    pub(super) progress: Progress,
    pub(super) signer: Option<Arc<dyn Ed25519Signer>>,
}

impl StoreOptions {
    /// The operating system's clock and randomness, progress to nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the time that is written into events from `clock`.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.environment.clock = Arc::new(clock);
        self
    }

    /// Takes the time stamps of an embedded ledger's transactions from
    /// `clock`. They never go back, whatever it says.
    pub fn ledger_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.environment.ledger_clock = Arc::new(clock);
        self
    }

    /// Takes randomness from `entropy`. Only a test may give anything
    /// predictable: ids would collide.
    pub fn entropy(mut self, entropy: impl Entropy + 'static) -> Self {
        self.environment.entropy = Arc::new(entropy);
        self
    }

    /// Calls `show` as a long opening or synchronisation goes on: with the
    /// transactions done and the transactions to do, the last time with both
    /// equal.
    pub fn progress(mut self, show: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        self.progress = Progress::to(show);
        self
    }

    /// Signs every event that is written, erasures included, by this key as its
    /// author, whatever `[signing]` says: the event itself with its place in its
    /// stream, for this ledger, as the writer had seen it (`docs/format.md` §11).
    /// A file's key is a [`SigningKeyFile`](crate::SigningKeyFile).
    ///
    /// The key is asked once for each event, before anything is sent, and again
    /// where a rival took the event's place in its stream, or where its append
    /// has more events than one and must go into another transaction than was
    /// planned. Appends that go into one transaction wait for each other's
    /// signatures, for a second and those that were begun; of different streams
    /// up to 16 are asked for at once. Reads and other stores wait for nothing.
    ///
    /// What the key does not sign within a minute, or refuses, fails with
    /// [`Error::Signing`](crate::Error::Signing) and is not written; other
    /// appends go on.
    pub fn sign_with(mut self, key: Arc<dyn Ed25519Signer>) -> Self {
        self.signer = Some(key);
        self
    }

    /// As [`EventStore::open`].
    pub async fn open(self, config: &Config) -> Result<EventStore> {
        Box::pin(EventStore::open_with(config, self, true)).await
    }

    /// As [`EventStore::open_read_only`].
    pub async fn open_read_only(self, config: &Config) -> Result<EventStore> {
        Box::pin(EventStore::open_with(config, self, false)).await
    }

    /// As [`EventStore::in_memory`].
    pub async fn in_memory(self) -> Result<EventStore> {
        EventStore::in_memory_with(self).await
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions").finish_non_exhaustive()
    }
}

type Show = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Tells how far a long synchronisation is.
#[derive(Clone, Default)]
pub(crate) struct Progress {
    show: Option<Show>,
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
}

impl Progress {
    /// Tells `show`.
    pub(crate) fn to(show: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        Self { show: Some(Arc::new(show)), ..Self::default() }
    }

    /// Shorter ones are over before anybody could read it.
    const WORTH_SHOWING: u64 = 256;

    pub(crate) fn start(&self, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        self.tell(0, total);
    }

    pub(crate) fn advance(&self, by: u64) {
        let done = self.done.fetch_add(by, Ordering::Relaxed) + by;
        let total = self.total.load(Ordering::Relaxed);
        if done < total && done % 64 < by {
            self.tell(done, total);
        }
    }

    pub(crate) fn finish(&self) {
        let total = self.total.swap(0, Ordering::Relaxed);
        self.tell(total, total);
    }

    fn tell(&self, done: u64, total: u64) {
        if let Some(show) = self.show.as_ref().filter(|_| total >= Self::WORTH_SHOWING) {
            show(done, total);
        }
    }
}
