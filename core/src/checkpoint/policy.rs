//! Whose signatures make a checkpoint trusted, and what follows from one.

use super::error::{CheckpointError, QuorumError};
use super::key::LogKey;
use super::note::Note;
use super::proof::TlogProof;
use super::quorum::{Quorum, bit};
use super::signature::NoteSignature;
use super::text::Checkpoint;
use crate::digest::Alh;
use crate::ed25519::Ed25519Key;
use crate::number::{TreeSize, TxId};
use crate::tree::verify_inclusion;

/// Whose signatures make a checkpoint trusted: one of these logs, and where there is a quorum, enough
/// witnesses beside it.
#[derive(Clone, Copy, Debug)]
pub struct LogPolicy<'a> {
    logs: &'a [LogKey<'a>],
    quorum: Option<&'a Quorum<'a>>,
    latest: u64,
}

impl<'a> LogPolicy<'a> {
    /// Any one of these logs' keys, each under its own name. Two keys of one name are one log that
    /// changes its key.
    ///
    /// # Errors
    ///
    /// [`QuorumError`]: `NoLog`, `DuplicateKey`, `SameId`.
    pub fn new(logs: &'a [LogKey<'a>]) -> Result<Self, QuorumError> {
        if logs.is_empty() {
            return Err(QuorumError::NoLog);
        }
        for (count, log) in logs.iter().enumerate() {
            for other in logs.iter().take(count) {
                if other.key() == log.key() {
                    return Err(QuorumError::DuplicateKey);
                }
                if other.id() == log.id() && other.name() == log.name() {
                    return Err(QuorumError::SameId);
                }
            }
        }
        Ok(Self { logs, quorum: None, latest: u64::MAX })
    }

    /// And this quorum of witnesses.
    ///
    /// # Errors
    ///
    /// [`QuorumError::DuplicateKey`] if a witness has a log's key.
    pub fn with_quorum(self, quorum: &'a Quorum<'a>) -> Result<Self, QuorumError> {
        let witnesses = quorum.witnesses();
        if self.logs.iter().any(|log| witnesses.iter().any(|other| other.key() == log.key())) {
            return Err(QuorumError::DuplicateKey);
        }
        Ok(Self { quorum: Some(quorum), ..self })
    }

    /// Cosignatures of a later time (Unix seconds) do not count, though they must be right.
    pub const fn with_latest_time(self, latest: u64) -> Self {
        Self { latest, ..self }
    }

    /// The logs.
    pub const fn logs(&self) -> &'a [LogKey<'a>] {
        self.logs
    }

    /// The quorum, if one is asked for.
    pub const fn quorum(&self) -> Option<&'a Quorum<'a>> {
        self.quorum
    }

    /// Checks every signature of the note that bears a known key's name and id, and that they are
    /// enough.
    ///
    /// # What success proves
    ///
    /// One of the policy's logs signed this checkpoint, under the name that is its origin, and so did a
    /// quorum, if the policy has one. Not that it is the latest: for that, compare the witnesses'
    /// times with a clock. That the log is a certain ledger's is the policy's claim.
    ///
    /// # Cost
    ///
    /// One verification of Ed25519 for each signature of a known key: at most 100.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`]: `Form`, `Signature`, `NoLogSignature`, `Quorum`.
    pub fn open<'n>(&self, note: &Note<'n>) -> Result<TrustedCheckpoint<'n>, CheckpointError> {
        let checkpoint = Checkpoint::parse(note.text())?;
        let standing = self.judge(&checkpoint, note.signatures())?;
        if !standing.log {
            return Err(CheckpointError::NoLogSignature);
        }
        match standing.witnesses {
            Some(Witnesses { signed, of, .. }) if !standing.met => {
                Err(CheckpointError::Quorum { signed, of })
            }
            witnesses => Ok(TrustedCheckpoint { checkpoint, witnesses }),
        }
    }

    /// Whether one of the logs or of the witnesses has this key.
    pub(crate) fn has_key(&self, key: &Ed25519Key) -> bool {
        let witnesses = self.quorum.map(Quorum::witnesses).unwrap_or_default();
        self.logs.iter().any(|log| log.key() == key)
            || witnesses.iter().any(|witness| witness.key() == key)
    }

    /// [`open`](Self::open)s the proof's note and checks that transaction `index + 1`, whose hash the
    /// caller has computed or trusts, is in the log.
    ///
    /// # Errors
    ///
    /// As `open`; [`CheckpointError::Inclusion`], `TxZero`.
    pub fn verify_proof(
        &self,
        proof: &TlogProof<'_>,
        alh: &Alh,
    ) -> Result<LoggedTx, CheckpointError> {
        let trusted = self.open(&proof.note())?;
        let mut buffer = [[0; 32]; TlogProof::MAX_PATH];
        let path = proof.path(&mut buffer);
        trusted.verify_tx(proof.tx().ok_or(CheckpointError::TxZero)?, alh, path)
    }

    /// What is to be said of the signatures: the first wrong one of a known key is an error.
    pub(crate) fn judge<'n>(
        &self,
        checkpoint: &Checkpoint<'_>,
        signatures: impl Iterator<Item = NoteSignature<'n>>,
    ) -> Result<Standing, CheckpointError> {
        let mut log = false;
        let mut signed = 0_u64;
        let (mut oldest, mut newest) = (u64::MAX, 0);
        for (index, signature) in signatures.enumerate() {
            let wrong = CheckpointError::Signature { index };
            for key in self.logs.iter().filter(|key| key.is_named_by(&signature)) {
                key.verify_text(checkpoint, &signature).map_err(|_| wrong)?;
                log |= key.name() == checkpoint.origin();
            }
            let witnesses = self.quorum.map(Quorum::witnesses).unwrap_or_default();
            for (place, key) in witnesses.iter().enumerate() {
                if key.is_named_by(&signature) {
                    let time = key.verify(checkpoint, &signature).map_err(|_| wrong)?;
                    if time <= self.latest {
                        signed |= bit(place);
                        (oldest, newest) = (time.min(oldest), time.max(newest));
                    }
                }
            }
        }
        let Some(quorum) = self.quorum else {
            return Ok(Standing { log, witnesses: None, met: true });
        };
        let (signed, met) = quorum.met(signed);
        let oldest = oldest.min(newest);
        let witnesses = Some(Witnesses { signed, of: quorum.size(), oldest, newest });
        Ok(Standing { log, witnesses, met })
    }
}

/// What is to be said of a checkpoint's signatures.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    /// One of the logs has signed.
    pub(crate) log: bool,
    /// Who has cosigned, where the policy has a quorum.
    pub(crate) witnesses: Option<Witnesses>,
    /// It is met, or there is none.
    pub(crate) met: bool,
}

/// How many witnesses of a quorum have cosigned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Witnesses {
    /// So many of those on whom the quorum depends …
    pub signed: u8,
    /// … of so many.
    pub of: u8,
    /// The earliest time that one of the policy's witnesses says, Unix seconds: each says that at its
    /// time it had seen no larger tree.
    pub oldest: u64,
    /// The latest.
    pub newest: u64,
}

/// A checkpoint that a policy's logs and witnesses signed. Only [`LogPolicy::open`] makes one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrustedCheckpoint<'n> {
    checkpoint: Checkpoint<'n>,
    witnesses: Option<Witnesses>,
}

impl<'n> TrustedCheckpoint<'n> {
    /// The checkpoint. Its extension lines are the log's alone.
    pub const fn checkpoint(&self) -> Checkpoint<'n> {
        self.checkpoint
    }

    /// Who has cosigned, if the policy asks for a quorum. Without one the log alone vouches, which can
    /// show different histories to different verifiers.
    pub const fn witnesses(&self) -> Option<Witnesses> {
        self.witnesses
    }

    /// Checks that transaction `tx` with this hash is in the log: leaf tx − 1 of its tree. `path` goes
    /// from the leaf upwards.
    ///
    /// # What success proves
    ///
    /// The checkpointed log has exactly this hash under this number. What the transaction's header says
    /// follows from the hash; that its `bl_root` and `prev_alh` agree with the log does not.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Inclusion`], `TxZero`.
    pub fn verify_tx(
        &self,
        tx: TxId,
        alh: &Alh,
        path: &[[u8; 32]],
    ) -> Result<LoggedTx, CheckpointError> {
        let index = tx.leaf_index().ok_or(CheckpointError::TxZero)?;
        let (size, root) = (self.checkpoint.size(), self.checkpoint.root());
        verify_inclusion(&alh.leaf_hash(), index, size, path, &root)
            .map_err(CheckpointError::Inclusion)?;
        Ok(LoggedTx { tx, alh: *alh, size, witnesses: self.witnesses })
    }
}

/// A transaction that is in a checkpointed log. Only a check makes one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoggedTx {
    tx: TxId,
    alh: Alh,
    size: TreeSize,
    witnesses: Option<Witnesses>,
}

impl LoggedTx {
    /// Its number.
    pub const fn tx(&self) -> TxId {
        self.tx
    }

    /// Its hash.
    pub const fn alh(&self) -> Alh {
        self.alh
    }

    /// The size of the log that it was shown in.
    pub const fn size(&self) -> TreeSize {
        self.size
    }

    /// Who has cosigned the log's checkpoint, if the policy asks for a quorum.
    pub const fn witnesses(&self) -> Option<Witnesses> {
        self.witnesses
    }
}
