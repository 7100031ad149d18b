//! Key-value entries: what immudb's key-value API writes.
//!
//! ```text
//!             key                        value
//! set         00 ‖ key                   00 ‖ value
//! delete      00 ‖ key                   none; the metadata says `deleted`
//! reference   00 ‖ key                   01 ‖ at_tx u64 ‖ 00 ‖ referenced key
//! sorted set  01 ‖ length u64 ‖ set ‖ score u64 ‖ length u64 ‖ 00 ‖ key ‖ at_tx u64
//!                                        none
//! ```

mod verified;

use crate::digest::{EntryDigest, ValueHash};
use crate::entry::{self, EntryMetadata};
use crate::error::{EntryError, KvError};
use crate::header::HeaderVersion;
use crate::number::TxId;
use crate::sha256::Sha256;
use crate::wire::{Compare, Differs, Reader, Sink};

pub use verified::{Binding, VerifiedKv};

const PLAIN: u8 = 0;
const REFERENCE: u8 = 1;
const SORTED_SET: u8 = 1;

/// An entry of the key-value API. Keys are the users' own: the byte that immudb puts before them
/// is not part of them, and none is empty.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KvEntry<'a> {
    /// A key gets a value.
    Set {
        /// The key.
        key: &'a [u8],
        /// The value.
        value: &'a [u8],
    },
    /// A key is deleted. The entry's metadata says so too.
    Delete {
        /// The key.
        key: &'a [u8],
    },
    /// A key becomes a reference to another.
    Reference {
        /// The key.
        key: &'a [u8],
        /// The key that it refers to.
        referenced: &'a [u8],
        /// The transaction whose value of that key is meant, for ever; 0 for whatever value the key
        /// has when somebody looks.
        at_tx: TxId,
    },
    /// A key becomes a member of a sorted set.
    SortedSet {
        /// The set's name.
        set: &'a [u8],
        /// The score: its IEEE 754 bits, as [`f64::to_bits`] gives them.
        score_bits: u64,
        /// The key.
        key: &'a [u8],
        /// The transaction whose value of that key is meant, for ever; 0 for whatever value the key
        /// has when somebody looks.
        at_tx: TxId,
    },
}

impl<'a> KvEntry<'a> {
    /// Reads an entry from its key and value, and whether its metadata says `deleted`.
    ///
    /// Only the one encoding is accepted: [`is_encoded_as`](Self::is_encoded_as) holds for the
    /// same bytes.
    ///
    /// # Errors
    ///
    /// [`KvError::Key`] for a key that the key-value API does not write, SQL's among them;
    /// [`KvError::Value`]; [`KvError::Deleted`] where value and metadata contradict each other.
    pub fn parse(key: &'a [u8], value: &'a [u8], deleted: bool) -> Result<Self, KvError> {
        let mut reader = Reader::new(key);
        let entry = match reader.u8() {
            Some(PLAIN) => {
                let key = reader.rest();
                if key.is_empty() {
                    return Err(KvError::Key);
                }
                Self::read_value(key, value)?
            }
            Some(SORTED_SET) => {
                let entry = Self::read_sorted_set(&mut reader).ok_or(KvError::Key)?;
                if !value.is_empty() {
                    return Err(KvError::Value);
                }
                entry
            }
            _ => return Err(KvError::Key),
        };
        if deleted == matches!(entry, Self::Delete { .. }) {
            Ok(entry)
        } else {
            Err(KvError::Deleted)
        }
    }

    fn read_value(key: &'a [u8], value: &'a [u8]) -> Result<Self, KvError> {
        let mut reader = Reader::new(value);
        match reader.u8() {
            None => Ok(Self::Delete { key }),
            Some(PLAIN) => Ok(Self::Set { key, value: reader.rest() }),
            Some(REFERENCE) => {
                let at_tx = TxId::new(reader.u64().ok_or(KvError::Value)?);
                match (reader.u8(), reader.rest()) {
                    (Some(PLAIN), referenced) if !referenced.is_empty() => {
                        Ok(Self::Reference { key, referenced, at_tx })
                    }
                    _ => Err(KvError::Value),
                }
            }
            Some(_) => Err(KvError::Value),
        }
    }

    fn read_sorted_set(reader: &mut Reader<'a>) -> Option<Self> {
        let set_len = usize::try_from(reader.u64()?).ok()?;
        let set = reader.take(set_len)?;
        let score_bits = reader.u64()?;
        let key_len = usize::try_from(reader.u64()?).ok()?;
        let mut key = Reader::new(reader.take(key_len)?);
        let (PLAIN, key) = (key.u8()?, key.rest()) else { return None };
        let at_tx = TxId::new(reader.u64()?);
        let entry = Self::SortedSet { set, score_bits, key, at_tx };
        (!set.is_empty() && !key.is_empty() && reader.is_empty()).then_some(entry)
    }

    /// Whether these are the bytes of this entry. An entry with an empty key or name has none.
    pub fn is_encoded_as(&self, key: &[u8], value: &[u8]) -> bool {
        fn compare(
            expected: &[u8],
            put: impl FnOnce(&mut Compare<'_>) -> Result<(), Differs>,
        ) -> bool {
            let mut compare = Compare::new(expected);
            put(&mut compare).and_then(|()| compare.finish()).is_ok()
        }
        !self.names_nothing()
            && compare(key, |out| self.put_key(out))
            && compare(value, |out| self.put_value(out))
    }

    /// The digest of the entry in a transaction whose header has this version. Needs no buffer.
    ///
    /// # Errors
    ///
    /// [`EntryError::EmptyKey`], [`EntryError::KeyTooLong`], [`EntryError::MetadataInV0`].
    pub fn digest(
        &self,
        version: HeaderVersion,
        metadata: &EntryMetadata,
    ) -> Result<EntryDigest, EntryError> {
        if self.names_nothing() {
            return Err(EntryError::EmptyKey);
        }
        let mut value = Sha256::new();
        let Ok(()) = self.put_value(&mut value);
        let value_hash = ValueHash::new(value.finish());
        let key_len = self.key_len().ok_or(EntryError::KeyTooLong)?;
        let mut entry = entry::start(version, metadata, key_len)?;
        let Ok(()) = self.put_key(&mut entry);
        Ok(entry::finish(entry, &value_hash))
    }

    /// A key, a referenced key or a set's name is empty, which immudb writes none of.
    const fn names_nothing(&self) -> bool {
        match self {
            Self::Set { key, .. } | Self::Delete { key } => key.is_empty(),
            Self::Reference { key, referenced, .. } => key.is_empty() || referenced.is_empty(),
            Self::SortedSet { set, key, .. } => set.is_empty() || key.is_empty(),
        }
    }

    fn key_len(&self) -> Option<usize> {
        match self {
            Self::Set { key, .. } | Self::Delete { key } | Self::Reference { key, .. } => {
                key.len().checked_add(1)
            }
            Self::SortedSet { set, key, .. } => {
                set.len().checked_add(key.len())?.checked_add(1 + 8 + 8 + 8 + 1 + 8)
            }
        }
    }

    fn put_key<S: Sink>(&self, out: &mut S) -> Result<(), S::Error> {
        match self {
            Self::Set { key, .. } | Self::Delete { key } | Self::Reference { key, .. } => {
                out.put(&[PLAIN])?;
                out.put(key)
            }
            Self::SortedSet { set, score_bits, key, at_tx } => {
                out.put(&[SORTED_SET])?;
                out.put(&len(set).to_be_bytes())?;
                out.put(set)?;
                out.put(&score_bits.to_be_bytes())?;
                out.put(&len(key).saturating_add(1).to_be_bytes())?;
                out.put(&[PLAIN])?;
                out.put(key)?;
                out.put(&at_tx.get().to_be_bytes())
            }
        }
    }

    fn put_value<S: Sink>(&self, out: &mut S) -> Result<(), S::Error> {
        match self {
            Self::Set { value, .. } => {
                out.put(&[PLAIN])?;
                out.put(value)
            }
            Self::Delete { .. } | Self::SortedSet { .. } => Ok(()),
            Self::Reference { referenced, at_tx, .. } => {
                out.put(&[REFERENCE])?;
                out.put(&at_tx.get().to_be_bytes())?;
                out.put(&[PLAIN])?;
                out.put(referenced)
            }
        }
    }

    /// What the entry points at: the key, and in which transaction.
    const fn points_at(&self) -> Option<(&'a [u8], TxId)> {
        match *self {
            Self::Reference { referenced, at_tx, .. } => Some((referenced, at_tx)),
            Self::SortedSet { key, at_tx, .. } => Some((key, at_tx)),
            Self::Set { .. } | Self::Delete { .. } => None,
        }
    }
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
