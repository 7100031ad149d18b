//! The entries of a transaction: their metadata and their digest.

use core::fmt;

use crate::digest::{EntryDigest, ValueHash};
use crate::error::EntryError;
use crate::header::HeaderVersion;
use crate::sha256::Sha256;
use crate::wire::{Reader, Sink, TooSmall, Writer};

const DELETED: u8 = 0;
const EXPIRES_AT: u8 = 1;
const NON_INDEXABLE: u8 = 2;

/// The metadata of an entry.
///
/// Bytes: `[00 if deleted] [01 ‖ expires_at i64] [02 if non-indexable]`, each part present or not,
/// in this order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct EntryMetadata {
    /// The entry deletes its key.
    pub deleted: bool,
    /// When the entry ceases to count: Unix time in seconds.
    pub expires_at: Option<i64>,
    /// The entry does not appear in the index of keys.
    pub non_indexable: bool,
}

impl EntryMetadata {
    /// The most bytes that metadata may have.
    pub const MAX_LEN: usize = 11;

    /// Reads the canonical bytes: [`encode`](Self::encode) gives the same bytes back.
    ///
    /// # Errors
    ///
    /// [`EntryError::Metadata`] for an unknown, repeated, misplaced or cut part.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        Self::read(&mut Reader::new(bytes)).ok_or(EntryError::Metadata)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut metadata = Self::default();
        while let Some(part) = reader.u8() {
            match part {
                DELETED if metadata == Self::default() => metadata.deleted = true,
                EXPIRES_AT if metadata.expires_at.is_none() && !metadata.non_indexable => {
                    metadata.expires_at = Some(i64::from_be_bytes(reader.array()?));
                }
                NON_INDEXABLE if !metadata.non_indexable => metadata.non_indexable = true,
                _ => return None,
            }
        }
        Some(metadata)
    }

    /// Writes the canonical bytes.
    pub fn encode<'o>(&self, out: &'o mut [u8; Self::MAX_LEN]) -> &'o [u8] {
        let mut out = Writer::new(out);
        match self.put(&mut out) {
            // The buffer holds the longest metadata, so it is never too small.
            Ok(()) | Err(TooSmall) => out.finish(),
        }
    }

    fn put<S: Sink>(&self, out: &mut S) -> Result<(), S::Error> {
        if self.deleted {
            out.put(&[DELETED])?;
        }
        if let Some(expires_at) = self.expires_at {
            out.put(&[EXPIRES_AT])?;
            out.put(&expires_at.to_be_bytes())?;
        }
        if self.non_indexable {
            out.put(&[NON_INDEXABLE])?;
        }
        Ok(())
    }

    /// The length of the canonical bytes: at most [`MAX_LEN`](Self::MAX_LEN).
    fn len(&self) -> u16 {
        let expires_at = if self.expires_at.is_some() { 9_u16 } else { 0 };
        expires_at.saturating_add(self.deleted.into()).saturating_add(self.non_indexable.into())
    }
}

/// The digest of an entry, as it stands in the transaction's tree.
///
/// ```text
/// version 1: H(length u16 ‖ metadata ‖ length u16 ‖ key ‖ H(value))
/// version 0: H(key ‖ H(value))
/// ```
///
/// `version` is that of the transaction's header. In version 1 a digest binds metadata, key and
/// value each for itself. In version 0 nothing marks where the key ends, but as the value's hash
/// has 32 bytes, it binds both all the same.
///
/// # Errors
///
/// [`EntryError::KeyTooLong`] beyond 65,535 bytes; [`EntryError::MetadataInV0`].
pub fn entry_digest(
    version: HeaderVersion,
    metadata: &EntryMetadata,
    key: &[u8],
    value_hash: &ValueHash,
) -> Result<EntryDigest, EntryError> {
    Ok(finish(start(version, metadata, key.len())?.chain(key), value_hash))
}

/// The digests of entries whose keys begin alike, such as the rows of one stream: the beginning is
/// hashed once for all of them.
///
/// ```
/// use counterfoil_core::{EntryMetadata, HeaderVersion, KeyBeginning, ValueHash, entry_digest};
///
/// let (version, metadata) = (HeaderVersion::V1, EntryMetadata::default());
/// let value = ValueHash::of(b"value");
/// let rows = KeyBeginning::new(version, &metadata, 5, b"row ").ok().unwrap();
/// assert_eq!(rows.entry_digest(b"7", &value), entry_digest(version, &metadata, b"row 7", &value).ok());
/// ```
#[derive(Clone)]
pub struct KeyBeginning {
    hash: Sha256,
    /// How many bytes of the key are still to come.
    left: usize,
}

impl KeyBeginning {
    /// For keys of `key_len` bytes that begin so, in entries with this metadata.
    ///
    /// # Errors
    ///
    /// Those of [`entry_digest`], and [`EntryError::KeyTooLong`] for a beginning that is longer than
    /// the keys.
    pub fn new(
        version: HeaderVersion,
        metadata: &EntryMetadata,
        key_len: usize,
        beginning: &[u8],
    ) -> Result<Self, EntryError> {
        let left = key_len.checked_sub(beginning.len()).ok_or(EntryError::KeyTooLong)?;
        Ok(Self { hash: start(version, metadata, key_len)?.chain(beginning), left })
    }

    /// The digest of the entry whose key ends in `rest`; `None` unless that gives a key of the length
    /// that was said.
    pub fn entry_digest(&self, rest: &[u8], value_hash: &ValueHash) -> Option<EntryDigest> {
        (rest.len() == self.left).then(|| finish(self.hash.clone().chain(rest), value_hash))
    }
}

impl fmt::Debug for KeyBeginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBeginning").field("left", &self.left).finish_non_exhaustive()
    }
}

/// A digest up to the key, whose bytes come next.
pub(crate) fn start(
    version: HeaderVersion,
    metadata: &EntryMetadata,
    key_len: usize,
) -> Result<Sha256, EntryError> {
    let key_len = u16::try_from(key_len).map_err(|_| EntryError::KeyTooLong)?;
    match version {
        HeaderVersion::V0 if *metadata == EntryMetadata::default() => Ok(Sha256::new()),
        HeaderVersion::V0 => Err(EntryError::MetadataInV0),
        HeaderVersion::V1 => {
            let mut hash = Sha256::new().chain(&metadata.len().to_be_bytes());
            let Ok(()) = metadata.put(&mut hash);
            Ok(hash.chain(&key_len.to_be_bytes()))
        }
    }
}

/// The digest, once the key's bytes are in.
pub(crate) fn finish(hash: Sha256, value_hash: &ValueHash) -> EntryDigest {
    EntryDigest::new(hash.chain(value_hash.as_bytes()).finish())
}
