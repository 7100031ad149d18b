//! The header of a transaction and the hash that the ledger chains.

mod raw;

use crate::digest::{Alh, InnerHash, Root, chain_hash};
use crate::error::HeaderError;
use crate::number::TxId;
use crate::sha256::hash_in_place;
use crate::wire::{Sink, Writer};
pub(crate) use raw::RawHeader;

const TRUNCATED_TX_ID: u8 = 0;
const EXTRA: u8 = 1;
const MAX_EXTRA_LEN: usize = 256;
const MAX_METADATA_LEN: usize = 1 + 8 + 1 + 2 + MAX_EXTRA_LEN;
/// What the inner hash is over, with SHA-256's padding.
const MAX_INNER_BLOCKS: usize = (8 + 2 + 2 + MAX_METADATA_LEN + 4 + 32 + 8 + 32 + 9).div_ceil(64);

/// The two formats of a header. They hash the count of entries in different widths, and only
/// version 1 hashes metadata.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HeaderVersion {
    /// 16-bit count of entries, no metadata of transaction or entries.
    V0,
    /// 32-bit count of entries, metadata. What immudb 1.11.1 writes.
    V1,
}

impl HeaderVersion {
    /// The number that stands in a header.
    pub const fn number(self) -> u16 {
        match self {
            Self::V0 => 0,
            Self::V1 => 1,
        }
    }

    const fn max_entries(self) -> u32 {
        match self {
            Self::V0 => 0xffff,
            Self::V1 => 0x7fff_ffff,
        }
    }
}

impl TryFrom<u16> for HeaderVersion {
    type Error = HeaderError;

    fn try_from(number: u16) -> Result<Self, HeaderError> {
        match number {
            0 => Ok(Self::V0),
            1 => Ok(Self::V1),
            _ => Err(HeaderError::UnknownVersion { version: number }),
        }
    }
}

/// The metadata of a transaction (not of its entries).
///
/// Bytes: `[00 ‖ truncated_tx_id u64] [01 ‖ length u16 ‖ extra]`, each part present or not, in this
/// order. No metadata and empty metadata are the same: no bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct TxMetadata<'a> {
    /// Set by a truncation: the transaction up to which values were discarded.
    pub truncated_tx_id: Option<u64>,
    /// Free bytes, at most [`MAX_EXTRA_LEN`](Self::MAX_EXTRA_LEN).
    pub extra: Option<&'a [u8]>,
}

impl<'a> TxMetadata<'a> {
    /// The most bytes that [`extra`](Self::extra) may have.
    pub const MAX_EXTRA_LEN: usize = MAX_EXTRA_LEN;

    /// The most bytes that the whole may have: 1 + 8 and 1 + 2 + 256.
    pub const MAX_LEN: usize = MAX_METADATA_LEN;

    /// Reads the canonical bytes: [`encode`](Self::encode) gives the same bytes back.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Metadata`] for an unknown, repeated, misplaced or cut part;
    /// [`HeaderError::ExtraTooLong`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, HeaderError> {
        let (truncated_tx_id, rest) = match bytes.split_first_chunk::<9>() {
            Some(([TRUNCATED_TX_ID, tx @ ..], rest)) => (Some(u64::from_be_bytes(*tx)), rest),
            _ => (None, bytes),
        };
        let extra = match rest {
            [] => None,
            [EXTRA, a, b, extra @ ..]
                if extra.len() == usize::from(u16::from_be_bytes([*a, *b])) =>
            {
                Some(extra)
            }
            _ => return Err(HeaderError::Metadata),
        };
        Self { truncated_tx_id, extra }.check_extra()
    }

    const fn is_empty(&self) -> bool {
        self.truncated_tx_id.is_none() && self.extra.is_none()
    }

    fn check_extra(self) -> Result<Self, HeaderError> {
        match self.extra {
            Some(extra) if extra.len() > Self::MAX_EXTRA_LEN => Err(HeaderError::ExtraTooLong),
            _ => Ok(self),
        }
    }

    /// Writes the canonical bytes.
    ///
    /// # Errors
    ///
    /// [`HeaderError::ExtraTooLong`].
    pub fn encode<'o>(&self, out: &'o mut [u8; MAX_METADATA_LEN]) -> Result<&'o [u8], HeaderError> {
        let mut out = Writer::new(out);
        self.put(&mut out)?;
        Ok(out.finish())
    }

    fn put(&self, out: &mut Writer<'_>) -> Result<(), HeaderError> {
        if let Some(tx_id) = self.truncated_tx_id {
            out.put(&[TRUNCATED_TX_ID])?;
            out.put(&tx_id.to_be_bytes())?;
        }
        if let Some(extra) = self.check_extra()?.extra {
            let len = u16::try_from(extra.len()).map_err(|_| HeaderError::ExtraTooLong)?;
            out.put(&[EXTRA])?;
            out.put(&len.to_be_bytes())?;
            out.put(extra)?;
        }
        Ok(())
    }

    /// The length of the canonical bytes, saturated: [`put`](Self::put) refuses what is too long.
    fn len(&self) -> u16 {
        let truncated = if self.truncated_tx_id.is_some() { 9 } else { 0 };
        let extra = self
            .extra
            .map_or(0, |extra| u16::try_from(extra.len()).unwrap_or(u16::MAX).saturating_add(3));
        extra.saturating_add(truncated)
    }
}

/// A transaction's header, as somebody claims it.
///
/// It becomes knowledge through its [`Alh`](Self::alh): see
/// [`TrustedState::verify_tx`](crate::TrustedState::verify_tx).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Header<'a> {
    /// The number of the transaction, from 1.
    pub id: TxId,
    /// The [`Alh`] of the transaction before; [`Alh::BEFORE_FIRST`] in transaction 1.
    pub prev_alh: Alh,
    /// When the server says it committed: Unix time in *seconds*.
    pub ts: i64,
    /// The header's format.
    pub version: HeaderVersion,
    /// The transaction's metadata; none in version 0.
    pub metadata: TxMetadata<'a>,
    /// How many entries the transaction has: 1 to 65,535 in version 0, 1 to 2^31 − 1 in version 1.
    pub nentries: u32,
    /// The root of the tree over the transaction's entry digests, in the order of writing.
    pub eh: Root,
    /// How many transactions the tree under `bl_root` covers, always fewer than `id`; `id − 1` in
    /// a ledger whose tree does not lag.
    pub bl_tx_id: TxId,
    /// The root of the tree over the [`Alh`]s of transactions 1 to `bl_tx_id`; [`Root::ZERO`] when
    /// that is 0.
    pub bl_root: Root,
}

impl Header<'_> {
    /// The hash over everything but id and predecessor:
    ///
    /// ```text
    /// H(ts i64 ‖ version u16 ‖ [v1: length u16 ‖ metadata] ‖ nentries (v0 u16, v1 u32)
    ///   ‖ eh ‖ bl_tx_id u64 ‖ bl_root)
    /// ```
    ///
    /// # Errors
    ///
    /// What no header can state: [`HeaderError::IdZero`], [`HeaderError::TreeNotBehind`],
    /// [`HeaderError::EntryCount`], [`HeaderError::MetadataInV0`], [`HeaderError::ExtraTooLong`].
    pub fn inner_hash(&self) -> Result<InnerHash, HeaderError> {
        self.check_numbers()?;
        let mut buffer = [0; MAX_INNER_BLOCKS * 64];
        let mut out = Writer::new(&mut buffer);
        out.put(&self.ts.to_be_bytes())?;
        out.put(&self.version.number().to_be_bytes())?;
        match self.version {
            HeaderVersion::V0 => {
                if !self.metadata.is_empty() {
                    return Err(HeaderError::MetadataInV0);
                }
                let nentries = u16::try_from(self.nentries)
                    .map_err(|_| HeaderError::EntryCount { nentries: self.nentries })?;
                out.put(&nentries.to_be_bytes())?;
            }
            HeaderVersion::V1 => {
                out.put(&self.metadata.len().to_be_bytes())?;
                self.metadata.put(&mut out)?;
                out.put(&self.nentries.to_be_bytes())?;
            }
        }
        out.put(self.eh.as_bytes())?;
        out.put(&self.bl_tx_id.get().to_be_bytes())?;
        out.put(self.bl_root.as_bytes())?;
        let len = out.finish().len();
        hash_in_place(&mut buffer, len).map(InnerHash::new).ok_or(HeaderError::ExtraTooLong)
    }

    /// The transaction's hash: `H(id u64 ‖ prev_alh ‖ inner)`.
    ///
    /// Two headers with the same `Alh` have the same fields.
    ///
    /// # Errors
    ///
    /// Those of [`inner_hash`](Self::inner_hash).
    pub fn alh(&self) -> Result<Alh, HeaderError> {
        let inner = self.inner_hash()?;
        Ok(Alh::new(chain_hash(self.id, self.prev_alh.as_bytes(), inner.as_bytes())))
    }

    /// Checks, beyond what [`alh`](Self::alh) refuses, how a ledger begins: transaction 1 has
    /// `prev_alh` = [`Alh::BEFORE_FIRST`], and where `bl_tx_id` is 0 `bl_root` is [`Root::ZERO`].
    ///
    /// For whoever follows a ledger header by header. A proof under a state does not need it: the
    /// state binds these fields whatever they are.
    ///
    /// # Errors
    ///
    /// [`HeaderError::FirstPredecessor`], [`HeaderError::EmptyTreeRoot`], and those of
    /// [`inner_hash`](Self::inner_hash) about numbers.
    pub fn check(&self) -> Result<(), HeaderError> {
        self.check_numbers()?;
        if self.version == HeaderVersion::V0 && !self.metadata.is_empty() {
            return Err(HeaderError::MetadataInV0);
        }
        self.metadata.check_extra()?;
        check_beginning(self.id, self.prev_alh.as_bytes(), self.bl_tx_id, self.bl_root.as_bytes())
    }

    pub(crate) fn check_numbers(&self) -> Result<(), HeaderError> {
        check_numbers(self.version, self.id, self.bl_tx_id, self.nentries)
    }
}

fn check_numbers(
    version: HeaderVersion,
    id: TxId,
    bl_tx_id: TxId,
    nentries: u32,
) -> Result<(), HeaderError> {
    if id.get() == 0 {
        return Err(HeaderError::IdZero);
    }
    if bl_tx_id >= id {
        return Err(HeaderError::TreeNotBehind { id, bl_tx_id });
    }
    if nentries == 0 || nentries > version.max_entries() {
        return Err(HeaderError::EntryCount { nentries });
    }
    Ok(())
}

/// How a ledger begins.
fn check_beginning(
    id: TxId,
    prev_alh: &[u8; 32],
    bl_tx_id: TxId,
    bl_root: &[u8; 32],
) -> Result<(), HeaderError> {
    if id.get() == 1 && prev_alh != Alh::BEFORE_FIRST.as_bytes() {
        return Err(HeaderError::FirstPredecessor);
    }
    if bl_tx_id.get() == 0 && bl_root != Root::ZERO.as_bytes() {
        return Err(HeaderError::EmptyTreeRoot);
    }
    Ok(())
}
