//! The event store: what applications use.

mod append;
mod commit;
mod correlation;
mod draft;
mod encode;
mod follow;
mod idle;
mod options;
mod payloads;
mod pen;
mod pipeline;
mod purpose;
mod queue;
mod read;
mod receipt;
mod reexamine;
mod stops;
mod streams;
mod tried;
mod verify;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use counterfoil_core::{Alh, EntryDigest, Table, TrustedState, TxId};
use serde::Serialize;
use tokio::sync::{Mutex, watch};

use self::append::Waiting;
pub use self::append::{AddedEvent, Appended};
#[cfg(feature = "immudb")]
pub(crate) use self::commit::Outcome;
pub use self::follow::{Follow, FollowOptions, Followed, News};
use self::idle::Resting;
pub(crate) use self::options::Progress;
pub use self::options::StoreOptions;
pub use self::payloads::{Erasure, FinishedErasures, PayloadLack, Revealed};
use self::pen::AuthorKey;
pub use self::pipeline::Pipeline;
pub use self::read::{Direction, ReadOptions, StreamRead};
pub use self::receipt::{IssuedReceipt, ReceiptOptions};
pub use self::reexamine::Reexamined;
pub use self::streams::{StreamList, StreamStatus, Streams};
use crate::author::TrustedAuthor;
use crate::backend::embedded::Embedded;
#[cfg(feature = "immudb")]
use crate::backend::immudb::Immudb;
use crate::config::{Acknowledged, BackendKind, Config, TrustConfig};
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::found::Found;
use crate::index::{EventAt, Index, Position};
use crate::local::Local;
use crate::pin_copy::PinCopyState;
use crate::signing_key::{Ed25519Signer, SigningKeyFile};
use crate::trust::{LogRepair, Pin};
use crate::verdict::{Completeness, Finding, SchemaState, Verdict};

/// An event store over a ledger that nobody can change unnoticed.
///
/// Every write is proved to be in the ledger before it is acknowledged, and
/// every event that is returned was verified against the ledger's pinned
/// state. Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct EventStore {
    shared: Arc<Shared>,
}

struct Shared {
    environment: Environment,
    write: bool,
    /// Whether anything that costs completeness stops writes.
    strict: bool,
    acknowledged: Vec<Acknowledged>,
    /// Whose signatures count.
    authors: Vec<TrustedAuthor>,
    /// The key with which everything is signed that is written.
    key: Option<Arc<AuthorKey>>,
    /// Where the configuration says that such a key lies.
    key_file: Option<PathBuf>,
    /// Appends that wait for a commit, in the order in which they came.
    queue: std::sync::Mutex<VecDeque<Waiting>>,
    /// One commit at a time: each builds on the streams that it has seen.
    writing: Mutex<()>,
    local: Mutex<Local>,
    /// Where that lies; nowhere in memory.
    log: Option<PathBuf>,
    /// The log's last transaction, told whenever it is extended.
    grown: watch::Receiver<TxId>,
    /// From where the index was derived anew, each time.
    anew: watch::Receiver<Vec<TxId>>,
    backend: Backend,
    /// Whether the ledger was found to be written past the trust file.
    uncovered: AtomicBool,
    /// What lets a reader rest.
    resting: Resting,
}

enum Backend {
    Embedded(Box<Mutex<Embedded>>),
    #[cfg(feature = "immudb")]
    Immudb(Box<Immudb>),
    #[cfg(all(test, feature = "immudb"))]
    Unruly(crate::backend::immudb::Unruly),
}

/// What a store knows about its ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Pinned state, ledger id and why it is believed.
    pub pin: Pin,
    /// Whether every entry is accounted for.
    pub completeness: Completeness,
    /// Whether the table is still the one whose creation was proved.
    pub schema: SchemaState,
    /// What the configuration acknowledges.
    pub acknowledged: Vec<Acknowledged>,
    /// When this client's own log was found lost, damaged or older than it had
    /// been, and was made anew from the ledger. None, mostly.
    pub repairs: Vec<LogRepair>,
    /// Whether the copy of the pin is beside this client's log, now. `None` in
    /// memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin_copy: Option<PinCopyState>,
    /// Where the ledger file ends, if that is a state that is neither in this client's log nor announced
    /// there: somebody writes the ledger under a trust file of their own, and nothing behind the pin is
    /// shown here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncovered: Option<TrustedState>,
}

/// Where a store's files lie, by their absolute names without links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoreFiles {
    /// An embedded ledger.
    pub ledger: Option<PathBuf>,
    /// This client's log, index and pin; for an embedded ledger that is the
    /// trust file. The copy of the pin lies beside it, its name goes on with
    /// `.pin`.
    pub log: Option<PathBuf>,
}

impl EventStore {
    /// Opens the store that the configuration names, creating an embedded
    /// ledger file, or immudb's database and table, where there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Ledger`] if the ledger is not the one that is pinned, or not
    /// where it was left, or unknown and not accepted; [`Error::Unavailable`]
    /// if it cannot be asked; [`Error::Config`].
    pub async fn open(config: &Config) -> Result<Self> {
        StoreOptions::new().open(config).await
    }

    /// Opens the store for reading. The ledger itself is never created nor
    /// written to; this client's own log and pin are, where something is new
    /// in them.
    ///
    /// An embedded ledger is read beside whoever writes it, with the same trust
    /// file: any number of readers and followers, of any processes, and one
    /// writer do not keep each other waiting. A reader takes no lock and moves
    /// no pin. It reads the trust file as one commit of the writer left it, and
    /// shows what is pinned there; a transaction in the ledger file that is not
    /// in the trust file, nor announced there by the writer, is never shown.
    /// Only what has to be written (a first contact, a repair, a commit that
    /// was interrupted) takes the trust file for as long as that lasts. Both
    /// files may lie where nothing can be written.
    ///
    /// Of a ledger on immudb each process has a log of its own: two with one
    /// `[log] path` are refused.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and if there is no ledger.
    pub async fn open_read_only(config: &Config) -> Result<Self> {
        StoreOptions::new().open_read_only(config).await
    }

    /// Opens a ledger on immudb for thin reads, under a state that the caller
    /// trusts: see [`ThinStore::open`](crate::ThinStore::open).
    ///
    /// # Errors
    ///
    /// As there.
    #[cfg(feature = "immudb")]
    pub async fn open_thin(config: &Config, state: TrustedState) -> Result<crate::ThinStore> {
        crate::ThinStore::open(config, state).await
    }

    /// Publishes the tiles of the ledger's tree for thin readers, in the
    /// database `<database>_tiles` on the same server, which is created where
    /// it is not there. Call it now and then: the further the tiles end
    /// behind the ledger, the more headers a thin reader fetches, and past
    /// 1,024 it cannot decide.
    ///
    /// What is there already is left, so it may be repeated, and several may
    /// publish at once. A tile counts as written when it was read back.
    ///
    /// # Errors
    ///
    /// As for any read; [`Error::Config`] on an embedded ledger;
    /// [`Error::Unavailable`] if the server did not take a tile.
    #[cfg(feature = "immudb")]
    pub async fn publish_tiles(&self) -> Result<crate::PublishedTiles> {
        self.sync().await?;
        match &self.shared.backend {
            Backend::Immudb(immudb) => immudb.publish_tiles(&self.shared.local).await,
            _ => Err(Error::Config("an embedded ledger is read whole; it has no tiles".into())),
        }
    }

    /// A new embedded ledger in memory, for tests: everything works as on a
    /// file, and is gone at the end.
    pub async fn in_memory() -> Result<Self> {
        StoreOptions::new().in_memory().await
    }

    /// Ends the store: what was begun is waited for, and its files are closed,
    /// each whole in itself and free for the next process. Nothing is lost
    /// without it; SQLite then finds its write-ahead log at the next opening,
    /// and a copy of the file alone would lack what is in that.
    ///
    /// Where other handles on this store are alive, followers among them, the
    /// files stay open until the last of them is gone.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if a file could not be closed properly.
    pub async fn close(self) -> Result<()> {
        drop(self.shared.writing.lock().await);
        if self.shared.rest_no_more().await && Arc::strong_count(&self.shared) > 1 {
            // For the others.
            self.shared.rest_when_idle();
        }
        let Some(shared) = Arc::into_inner(self.shared) else { return Ok(()) };
        shared.local.into_inner().close().await?;
        match shared.backend {
            Backend::Embedded(embedded) => embedded.into_inner().close().await,
            #[cfg(feature = "immudb")]
            Backend::Immudb(_) => Ok(()),
            #[cfg(all(test, feature = "immudb"))]
            Backend::Unruly(_) => Ok(()),
        }
    }

    async fn open_with(config: &Config, options: StoreOptions, write: bool) -> Result<Self> {
        let StoreOptions { environment, progress, signer } = options;
        let signer = match (signer, &config.signing.key) {
            (None, Some(path)) if write => {
                Some(Arc::new(SigningKeyFile::load(path)?) as Arc<dyn Ed25519Signer>)
            }
            (signer, _) => signer,
        };
        let (backend, mut local) = match config.storage.backend {
            BackendKind::Embedded => {
                let environment = environment.clone();
                let (embedded, local) = match write {
                    true => Embedded::open(config, environment, &progress).await?,
                    false => Embedded::open_read_only(config, environment, &progress).await?,
                };
                (Backend::Embedded(Box::new(Mutex::new(embedded))), local)
            }
            #[cfg(feature = "immudb")]
            BackendKind::Immudb => {
                let (immudb, local) =
                    Immudb::open(config, environment.clone(), write, progress).await?;
                (Backend::Immudb(Box::new(immudb)), local)
            }
            #[cfg(not(feature = "immudb"))]
            BackendKind::Immudb => {
                return Err(Error::Config(
                    "this program was built without immudb; build it with --features immudb".into(),
                ));
            }
        };
        if let Err(error) = local.acknowledge(&config.trust.acknowledged).await {
            local.close().await?;
            return Err(error);
        }
        let key_file = config.signing.key.clone();
        Ok(Self::new(environment, write, &config.trust, signer, key_file, backend, local))
    }

    async fn in_memory_with(options: StoreOptions) -> Result<Self> {
        let StoreOptions { environment, signer, .. } = options;
        let (embedded, local) = Embedded::memory(environment.clone()).await?;
        let backend = Backend::Embedded(Box::new(Mutex::new(embedded)));
        let trust = TrustConfig::default();
        Ok(Self::new(environment, true, &trust, signer, None, backend, local))
    }

    fn new(
        environment: Environment,
        write: bool,
        trust: &TrustConfig,
        signer: Option<Arc<dyn Ed25519Signer>>,
        key_file: Option<PathBuf>,
        backend: Backend,
        local: Local,
    ) -> Self {
        let (grown, anew, is_beside) = (local.grown(), local.anew(), local.is_beside());
        let log = local.path().map(Path::to_path_buf);
        let (writing, local) = (Mutex::new(()), Mutex::new(local));
        let queue = std::sync::Mutex::default();
        let (strict, acknowledged) = (trust.strict, trust.acknowledged.clone());
        let authors = trust.author.clone();
        let key = signer.map(|signer| Arc::new(AuthorKey::new(signer)));
        let shared = Shared {
            environment,
            write,
            strict,
            acknowledged,
            authors,
            key,
            key_file,
            queue,
            writing,
            local,
            log,
            grown,
            anew,
            backend,
            uncovered: AtomicBool::new(false),
            resting: Resting::default(),
        };
        let shared = Arc::new(shared);
        if is_beside {
            shared.rest_when_idle();
        }
        Self { shared }
    }

    /// The pinned state, why it is believed, and whether any transaction is
    /// not accounted for. Stored rows are not read again: a read does that,
    /// [`read_all`](Self::read_all) for all of them.
    pub async fn status(&self) -> Result<Status> {
        let uncovered = self.sync_covered().await?;
        let found = async {
            let mut local = self.shared.local.lock().await;
            let pin = local.pin()?;
            let completeness = local.completeness(pin.state.tx).await?;
            let genesis = local.genesis();
            let schema = Index::schema_state(local.conn(), genesis).await?;
            let acknowledged = self.shared.acknowledged.clone();
            let repairs = local.repairs().await?;
            let pin_copy = self.shared.log.as_deref().map(PinCopyState::beside);
            Ok(Status { pin, completeness, schema, acknowledged, repairs, pin_copy, uncovered })
        };
        self.shared.naming_log(found).await
    }

    /// Where this store's files lie; nothing of a store in memory.
    pub async fn files(&self) -> StoreFiles {
        let log = self.shared.log.clone();
        let ledger = match &self.shared.backend {
            Backend::Embedded(embedded) => embedded.lock().await.path().map(Path::to_path_buf),
            #[cfg(feature = "immudb")]
            _ => None,
        };
        StoreFiles { ledger, log }
    }

    /// The ledger's id: Alh(1).
    pub async fn ledger_id(&self) -> Result<Alh> {
        Ok(self.shared.local.lock().await.pin()?.ledger)
    }

    /// The newest verified state.
    pub async fn state(&self) -> Result<TrustedState> {
        self.sync().await?;
        self.shared.local.lock().await.state()
    }

    /// Holds the ledger to a state that somebody else has seen: it must be
    /// one that the ledger went through.
    ///
    /// What success does not prove: that nobody is shown anything else. It
    /// says that up to this state the two of you were shown the same.
    ///
    /// # Errors
    ///
    /// [`Verdict::OtherState`] if the ledger has another transaction there.
    /// [`Error::BeyondState`] if it does not reach so far. As every read.
    pub async fn check_state(&self, state: TrustedState) -> Result<()> {
        self.sync().await?;
        self.check_synced(state).await
    }

    /// The same, as far as the log is.
    async fn check_synced(&self, state: TrustedState) -> Result<()> {
        let mut local = self.shared.local.lock().await;
        let verified = local.state()?.tx;
        if state.tx > verified {
            return Err(Error::BeyondState { asked: state.tx, verified });
        }
        let alh = local.checked(state.tx).await?.tx.alh();
        if alh == state.alh {
            return Ok(());
        }
        Err(Verdict::OtherState { asked: state, found: TrustedState { tx: state.tx, alh } }.into())
    }

    /// Everything noteworthy in the ledger, in its order.
    pub async fn findings(&self) -> Result<Vec<Finding>> {
        self.sync().await?;
        Index::findings(self.shared.local.lock().await.conn()).await
    }

    /// The client's half of the ledger, nobody else's meanwhile.
    pub(crate) async fn local(&self) -> tokio::sync::MutexGuard<'_, Local> {
        self.shared.local.lock().await
    }

    /// Brings the log to the ledger's end. Runs to its end even if the caller
    /// goes away, so that file and memory never part.
    pub(crate) async fn sync(&self) -> Result<()> {
        self.sync_covered().await.map(drop)
    }

    /// As [`sync`](Self::sync). Tells where the ledger ends if nobody here vouches for that: beside a
    /// writer with a trust file of its own, what is pinned here stays what is read.
    async fn sync_covered(&self) -> Result<Option<TrustedState>> {
        let uncovered = match self.sync_as_far().await? {
            None => None,
            Some(Verdict::ExtendsPin { found, .. }) => Some(found),
            Some(verdict) => return Err(verdict.into()),
        };
        let before = self.shared.uncovered.swap(uncovered.is_some(), Ordering::Relaxed);
        if let Some(end) = uncovered.filter(|_| !before) {
            tracing::warn!(
                %end,
                "the ledger was written past this trust file: what is behind its pin is not shown"
            );
        }
        Ok(uncovered)
    }

    /// As [`sync`](Self::sync); what cannot be confirmed yet is told, not an
    /// error.
    async fn sync_as_far(&self) -> Result<Option<Verdict>> {
        if let Backend::Embedded(_) = &self.shared.backend
            && self.shared.local.lock().await.is_settled()
        {
            return Ok(None);
        }
        let shared = Arc::clone(&self.shared);
        to_the_end(async move { shared.naming_log(shared.sync()).await }).await
    }
}

impl Shared {
    /// Does it; a verdict about this client's log then names that.
    async fn naming_log<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        work.await.map_err(|error| error.naming_log(self.log.as_deref()))
    }

    /// Brings the log to the ledger's end; what cannot be confirmed yet is
    /// told, not an error: a write on top of it may settle it.
    async fn sync(&self) -> Result<Option<Verdict>> {
        match &self.backend {
            Backend::Embedded(embedded) => {
                let mut local = self.local.lock().await;
                if local.is_beside() {
                    return embedded.lock().await.look_on(&mut local).await;
                }
                if !local.is_settled() {
                    embedded.lock().await.settle(&mut local).await?;
                }
                Ok(None)
            }
            #[cfg(feature = "immudb")]
            Backend::Immudb(immudb) => immudb.sync(&self.local).await,
            #[cfg(all(test, feature = "immudb"))]
            Backend::Unruly(unruly) => unruly.sync(&self.local).await.map(|()| None),
        }
    }

    /// How many of these events, from the first on, are few enough bytes to be
    /// read at once; at least one. A server's rows are not measured before.
    pub(super) async fn fitting(&self, wanted: &[EventAt]) -> Result<usize> {
        match &self.backend {
            Backend::Embedded(embedded) => {
                let places: Vec<Position> = wanted.iter().map(|event| event.pos).collect();
                embedded.lock().await.fitting(&places).await
            }
            #[cfg(feature = "immudb")]
            Backend::Immudb(_) => Ok(wanted.len()),
            #[cfg(all(test, feature = "immudb"))]
            Backend::Unruly(_) => Ok(wanted.len()),
        }
    }

    /// What the backend has at these places: for each the event, or a row that may
    /// be another one in its stead.
    async fn candidates(
        &self,
        table: &Table<'_>,
        wanted: &[EventAt],
        digests: &[EntryDigest],
    ) -> Result<Vec<Option<Found>>> {
        let rows = match &self.backend {
            Backend::Embedded(embedded) => {
                let places: Vec<Position> = wanted.iter().map(|event| event.pos).collect();
                let _ = (table, digests);
                embedded.lock().await.rows(&places).await?
            }
            #[cfg(feature = "immudb")]
            Backend::Immudb(immudb) => return immudb.events(table, wanted, digests).await,
            #[cfg(all(test, feature = "immudb"))]
            Backend::Unruly(unruly) => unruly.rows(wanted).await?,
        };
        Ok(rows.into_iter().map(|row| row.map(Found::Row)).collect())
    }
}

/// Runs a task that must not be dropped half-way.
pub(crate) async fn to_the_end<T: Send + 'static>(
    task: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    joined(tokio::spawn(task)).await
}

/// The result of a task that runs to its end by itself.
async fn joined<T>(task: tokio::task::JoinHandle<Result<T>>) -> Result<T> {
    match task.await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::OutcomeUnknown {
                reason: "the runtime is shutting down".into(),
                remedy: "open the store again and read the stream",
            }),
        },
    }
}

impl std::fmt::Debug for EventStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStore").finish_non_exhaustive()
    }
}
