//! The one who signs a log's checkpoints.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use counterfoil_core::TreeSize;
use counterfoil_core::checkpoint::{Checkpoint, KeyName, LogKey};

use super::last::Last;
use super::note::SignedCheckpoint;
use super::refusal::CheckpointRefusal;
use crate::error::{Error, Result};
use crate::signing_key::{self, Ed25519Signer};
use crate::signing_thread::{PATIENCE, SigningThreads};
use crate::store::{EventStore, to_the_end};
use crate::verdict::{Completeness, Verdict};

/// The signer of a log: its name, its key, and the file that says what was signed last.
///
/// There is one for an origin. Two that do not share the file could sign two histories, each believing
/// that it continues its own; on one machine the file's lock keeps them apart.
#[derive(Clone)]
pub struct LogSigner {
    origin: String,
    key: Arc<dyn Ed25519Signer>,
    last: PathBuf,
}

impl LogSigner {
    /// A log of this name and key. `last` says what was signed last: see [`begin`](Self::begin).
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the name is none that a log can have.
    pub fn new(
        origin: impl Into<String>,
        key: Arc<dyn Ed25519Signer>,
        last: impl Into<PathBuf>,
    ) -> Result<Self> {
        let origin = origin.into();
        name(&origin)?;
        Ok(Self { origin, key, last: last.into() })
    }

    /// Makes the file for a log of which nothing was ever signed, by this key or another. It belongs
    /// to the log, not to the key: a new key goes on with it. One that is there and says that nothing
    /// was signed is left as it is: what failed after it was made can be done again.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for the name, [`Error::Unavailable`] for the file, [`Error::Checkpoint`]:
    /// `Begun` if something was signed, `Damaged`, `OtherOrigin`.
    pub fn begin(last: &Path, origin: &str) -> Result<()> {
        Last::begin(last, name(origin)?)
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The key that verifiers and witnesses are given: `name+id+base64` (C2SP signed-note).
    pub fn verifier_key(&self) -> String {
        // It was made of this name before.
        KeyName::new(&self.origin)
            .map(|name| LogKey::new(name, self.key.public_key()).to_string())
            .unwrap_or_default()
    }

    fn sign(&self, checkpoint: &Checkpoint<'_>) -> Result<SignedCheckpoint> {
        let signature = signing_key::sign(&*self.key, checkpoint.to_string().as_bytes())?;
        let key = LogKey::new(checkpoint.origin(), self.key.public_key());
        let line = key.signature(&signature);
        Ok(SignedCheckpoint::new(checkpoint, &line).map_err(CheckpointRefusal::Form)?)
    }
}

impl fmt::Debug for LogSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSigner").field("origin", &self.origin).finish_non_exhaustive()
    }
}

pub(super) fn name(name: &str) -> Result<KeyName<'_>> {
    KeyName::new(name).map_err(|_| {
        Error::Invalid(format!(
            "{name:?} is no name of a log or witness: 1 to 255 bytes without spaces, control \
             characters and `+`"
        ))
    })
}

impl EventStore {
    /// Signs a checkpoint over the first `size` transactions; of `None` over all that are verified.
    ///
    /// It is one that continues the last one that was signed, which is verified; it is written down as
    /// the last one before it is signed. Signing the last one again is allowed.
    ///
    /// # What it proves, and what not
    ///
    /// Whoever has the key says that the ledger began so. It does not prove that nobody was shown
    /// another checkpoint: for that, witnesses cosign it.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`]: `NotAccountedFor` if an entry up to the pinned state is not known,
    /// `NotBegun`, `Damaged`, `OtherOrigin`, `OtherLedger`, `Smaller`, `Empty`, and `SecondPurpose` for a key
    /// that this store signs events with, or takes as an author's. [`Verdict::OtherTree`] if
    /// this ledger does not hold what was signed last: evidence that somebody was shown another history.
    /// [`Verdict::LogAltered`] if what is kept of its tree is not what the pinned state's hash holds.
    /// [`Error::BeyondState`], [`Error::Signing`], [`Error::Unavailable`]. As every read.
    pub async fn sign_checkpoint(
        &self,
        signer: &LogSigner,
        size: Option<TreeSize>,
    ) -> Result<SignedCheckpoint> {
        let (store, signer) = (self.clone(), signer.clone());
        to_the_end(async move { store.sign_now(signer, size).await }).await
    }

    async fn sign_now(
        &self,
        signer: LogSigner,
        size: Option<TreeSize>,
    ) -> Result<SignedCheckpoint> {
        self.is_no_author("the log's key", &signer.key.public_key())?;
        let mut last = Last::take(&signer.last, name(&signer.origin)?)?;
        self.sync().await?;
        let mut local = self.local().await;
        local.may_be_named(name(&signer.origin)?)?;
        let pinned = local.state()?.tx;
        if let Completeness::Incomplete { gaps, first, .. } = local.completeness(pinned).await? {
            return Err(CheckpointRefusal::NotAccountedFor { gaps, first }.into());
        }
        let tree = local.proven_tree(size).await?;
        if tree.size < last.size() {
            let refused = CheckpointRefusal::Smaller { last: last.size(), asked: tree.size };
            return Err(refused.into());
        }
        if last.size().get() > 0 {
            let found = local.tree(Some(last.size())).await?.root;
            if found != last.root() {
                let (size, signed) = (last.size().get(), last.root());
                return Err(Verdict::OtherTree { size, signed, found }.into());
            }
        }
        let path = local.consistency(last.size(), tree.size).await?;
        drop(local);
        // A key may be in a device that takes its time.
        let threads = SigningThreads::default();
        let signed = threads.run(PATIENCE, move || {
            let checkpoint = Checkpoint::new(name(&signer.origin)?, tree.size, tree.root)
                .map_err(CheckpointRefusal::Form)?;
            last.advance(&checkpoint, &path)?;
            signer.sign(&checkpoint)
        });
        signed.await?
    }
}
