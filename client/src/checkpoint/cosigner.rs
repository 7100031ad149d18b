//! A witness of one's own: it cosigns checkpoints of logs, each a continuation of the last.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use counterfoil_core::TreeSize;
use counterfoil_core::checkpoint::{CosignedMessage, KeyName, LogKey, LogPolicy, WitnessKey};
use sha2::{Digest, Sha256};

use super::last::Last;
use super::log::name;
use super::note::SignedCheckpoint;
use super::refusal::CheckpointRefusal;
use super::request::AddCheckpoint;
use crate::environment::{Clock, SystemClock};
use crate::error::{Result, Unavailable};
use crate::signing_key::{self, Ed25519Signer};
use crate::signing_thread::{PATIENCE, SigningThreads};
use crate::store::{EventStore, to_the_end};
use crate::verdict::Verdict;

/// A witness: its name, its key, and a folder with a file for each log, which says what was cosigned
/// last. What it says with a cosignature: at this time, this was the largest tree of the log that it
/// had seen, and it continues all those before.
///
/// There is one for a key. Of every log it needs to be told once that it begins
/// ([`begin`](Self::begin)): a file that was lost would let the log begin a second history.
#[derive(Clone)]
pub struct Cosigner {
    name: String,
    key: Arc<dyn Ed25519Signer>,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
}

/// A cosigned checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cosignature {
    /// The checkpoint with all its signatures, the new one last; of this key the one of the latest time,
    /// which is an older one where the clock went back.
    pub checkpoint: SignedCheckpoint,
    /// The new signature's line, with its newline: what a witness answers.
    pub line: String,
    /// When, in Unix seconds.
    pub time: u64,
}

const WITNESS: &str = "the witness's key";

impl Cosigner {
    /// A witness of this name and key, whose files are in this folder.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) if the name is none that a witness can have.
    pub fn new(
        witness: impl Into<String>,
        key: Arc<dyn Ed25519Signer>,
        folder: impl Into<PathBuf>,
    ) -> Result<Self> {
        let witness = witness.into();
        name(&witness)?;
        let clock = Arc::new(SystemClock);
        Ok(Self { name: witness, key, folder: folder.into(), clock })
    }

    /// With another clock.
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// The key that verifiers are given: `name+id+base64` (C2SP signed-note, type `04`).
    pub fn verifier_key(&self) -> String {
        KeyName::new(&self.name)
            .map(|name| WitnessKey::new(name, self.key.public_key()).to_string())
            .unwrap_or_default()
    }

    /// The file of a log: its name is the hash of the log's, in hex, as in a witness's URLs.
    pub fn file(&self, origin: &str) -> PathBuf {
        self.folder.join(hex::encode(Sha256::digest(origin)))
    }

    /// Takes a log up, of which this witness has never cosigned anything. Makes the folder, if it is not
    /// there. One that was taken up, and of which nothing was cosigned since, stays so.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) for the file,
    /// [`Error::Checkpoint`](crate::Error::Checkpoint): `Begun` if something was cosigned, `Damaged`.
    pub fn begin(&self, origin: &str) -> Result<()> {
        let name = name(origin)?;
        std::fs::create_dir_all(&self.folder)
            .map_err(|cause| Unavailable::file(&self.folder, cause))?;
        Last::begin(&self.file(origin), name)
    }

    /// The size that was cosigned last; 0 if none was.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`](crate::Error::Checkpoint): `NotBegun`, `Damaged`.
    pub fn last(&self, origin: &str) -> Result<TreeSize> {
        Ok(Last::take(&self.file(origin), name(origin)?)?.size())
    }

    /// Cosigns a checkpoint of `log` that continues the last one. It is written down before it is
    /// signed. Blocks: on the disk, and on the key.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`](crate::Error::Checkpoint): `Stale`, `Smaller`, `NotBegun`, `Damaged`,
    /// `OtherOrigin`, `SecondPurpose` where the log has the witness's own key. [`Verdict::OtherTree`] if the log signed two trees of one size,
    /// [`Verdict::BadProof`] if the log has not signed it or it is not shown to continue the last one.
    /// [`Error::Signing`](crate::Error::Signing), [`Error::Unavailable`](crate::Error::Unavailable).
    pub fn cosign(&self, log: &LogKey<'_>, request: &AddCheckpoint) -> Result<Cosignature> {
        let AddCheckpoint { old, proof, checkpoint: signed } = request;
        let checkpoint = signed.checkpoint();
        if self.key.public_key() == *log.key() {
            // A log that were its own witness would show nothing more.
            let (key, other) = (WITNESS, "the log's".to_owned());
            return Err(CheckpointRefusal::SecondPurpose { key, other }.into());
        }
        if checkpoint.origin() != log.name() {
            let (expected, found) = (log.name().to_string(), checkpoint.origin().to_string());
            return Err(CheckpointRefusal::OtherOrigin { expected, found }.into());
        }
        let bad = |error: &dyn fmt::Display| Verdict::BadProof { reason: error.to_string() };
        let logs = [*log];
        let policy = LogPolicy::new(&logs).map_err(|error| bad(&error))?;
        policy.open(&signed.note()).map_err(|error| bad(&error))?;
        let time = u64::try_from(self.clock.now_micros() / 1_000_000).unwrap_or(0);
        if time == 0 {
            return Err(CheckpointRefusal::Clock.into());
        }
        let origin = checkpoint.origin();
        let mut last = Last::take(&self.file(origin.as_str()), origin)?;
        if *old != last.size() {
            return Err(CheckpointRefusal::Stale { old: *old, last: last.size() }.into());
        }
        last.advance(&checkpoint, proof)?;
        let message = CosignedMessage { checkpoint, time }.to_string();
        let signature = signing_key::sign(&*self.key, message.as_bytes())?;
        let key = WitnessKey::new(name(&self.name)?, self.key.public_key());
        let line = key.cosignature(time, &signature).map_err(|_| CheckpointRefusal::Clock)?;
        let checkpoint = signed.with_cosignature(&key, &line).map_err(CheckpointRefusal::Form)?;
        Ok(Cosignature { checkpoint, line: line.to_string(), time })
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cosigner").field("name", &self.name).finish_non_exhaustive()
    }
}

impl EventStore {
    /// Cosigns a checkpoint of this ledger's log, signed by somebody else: it is held to this store's
    /// own log, which is more than a witness does who only sees proofs.
    ///
    /// # Errors
    ///
    /// As [`Cosigner::cosign`] and [`check_checkpoint`](Self::check_checkpoint). `SecondPurpose` also
    /// for a key that this store signs events with, or takes as an author's.
    pub async fn cosign_checkpoint(
        &self,
        cosigner: &Cosigner,
        log: &LogKey<'_>,
        signed: &SignedCheckpoint,
    ) -> Result<Cosignature> {
        let (store, cosigner, signed) = (self.clone(), cosigner.clone(), signed.clone());
        let log = log.to_string();
        to_the_end(async move {
            let checkpoint = signed.checkpoint();
            store.is_no_author(WITNESS, &cosigner.key.public_key())?;
            store.check_checkpoint(&checkpoint).await?;
            let old = cosigner.last(checkpoint.origin().as_str())?;
            if checkpoint.size() < old {
                let asked = checkpoint.size();
                return Err(CheckpointRefusal::Smaller { last: old, asked }.into());
            }
            let proof = store.log_consistency(old, checkpoint.size()).await?;
            let request = AddCheckpoint { old, proof, checkpoint: signed };
            let threads = SigningThreads::default();
            let cosigned = threads.run(PATIENCE, move || {
                let log = LogKey::parse(&log)
                    .map_err(|error| Verdict::BadProof { reason: error.to_string() })?;
                cosigner.cosign(&log, &request)
            });
            cosigned.await?
        })
        .await
    }
}
