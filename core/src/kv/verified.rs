//! Key-value entries of verified transactions, and the values behind references.

use super::KvEntry;
use crate::entry::EntryMetadata;
use crate::error::{EntryError, KvError, ProofError};
use crate::verified::{VerifiedEntry, VerifiedTx};

/// A key-value entry of a verified transaction. Only [`VerifiedTx::verify_kv`] makes one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VerifiedKv<'a> {
    entry: VerifiedEntry,
    kv: KvEntry<'a>,
    metadata: EntryMetadata,
}

/// How firmly a reference is tied to the value that was shown with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Binding {
    /// The reference names the transaction of this value.
    Fixed,
    /// The reference follows its key. This is a value of the key; whether it is the last one takes
    /// an account of every transaction since.
    Latest,
}

impl VerifiedTx {
    /// Checks that a key-value entry with this metadata is entry number `index`, from 0, of this
    /// transaction.
    ///
    /// The digest is computed here, in the version of the transaction's own header. `path` is as
    /// in [`verify_entry`](Self::verify_entry), and so is what success proves.
    ///
    /// # Cost
    ///
    /// That of [`verify_entry`](Self::verify_entry) and of the digest, one compression for 64 bytes
    /// of key and value.
    ///
    /// # Errors
    ///
    /// [`ProofError::Entry`] for an entry that cannot be, [`ProofError::EntryInclusion`].
    pub fn verify_kv<'a>(
        &self,
        kv: &KvEntry<'a>,
        metadata: &EntryMetadata,
        index: u32,
        path: &[[u8; 32]],
    ) -> Result<VerifiedKv<'a>, ProofError> {
        if metadata.deleted != matches!(kv, KvEntry::Delete { .. }) {
            return Err(ProofError::Entry(EntryError::Deleted));
        }
        self.check_path_len(index, path)?;
        let digest = kv.digest(self.version(), metadata).map_err(ProofError::Entry)?;
        let entry = self.find(&digest, index, path)?;
        Ok(VerifiedKv { entry, kv: *kv, metadata: *metadata })
    }
}

impl<'a> VerifiedKv<'a> {
    /// Where it stands.
    pub const fn entry(&self) -> VerifiedEntry {
        self.entry
    }

    /// What it says.
    pub const fn kv(&self) -> KvEntry<'a> {
        self.kv
    }

    /// Its metadata.
    pub const fn metadata(&self) -> EntryMetadata {
        self.metadata
    }

    /// Checks that this entry, a reference or a member of a sorted set, points at `target`, and
    /// returns how firmly.
    ///
    /// So the value behind a reference is bound: both entries were verified, under one state, and
    /// the reference names the target's key and, if it names one, its transaction.
    ///
    /// # What success does not prove
    ///
    /// That neither has been overwritten since, nor that neither has expired. Nor that the
    /// transaction sets the key only once: immudb's does, but one that lies may hold two values of
    /// it, and a reference points at both. That takes an account of the transaction's entries
    /// ([`verify_all_entries`](VerifiedTx::verify_all_entries)).
    ///
    /// # Errors
    ///
    /// [`KvError::NoReference`], [`KvError::OtherState`], [`KvError::OtherKey`],
    /// [`KvError::OtherTx`], and [`KvError::NoValue`] for a target that holds no value itself.
    pub fn points_at(&self, target: &VerifiedKv<'_>) -> Result<Binding, KvError> {
        let (key, at_tx) = self.kv.points_at().ok_or(KvError::NoReference)?;
        if self.entry.tx().state() != target.entry.tx().state() {
            return Err(KvError::OtherState);
        }
        let KvEntry::Set { key: target_key, .. } = target.kv else { return Err(KvError::NoValue) };
        if key != target_key {
            return Err(KvError::OtherKey);
        }
        match at_tx.get() {
            0 => Ok(Binding::Latest),
            _ if at_tx == target.entry.tx().id() => Ok(Binding::Fixed),
            _ => Err(KvError::OtherTx),
        }
    }
}
