//! The header of a transaction and the hash that the ledger chains.

mod raw;

use crate::digest::{Alh, InnerHash, Root, chain_hash};
use crate::error::HeaderError;
use crate::number::TxId;
use crate::sha256::{Sha256, hash_in_two_blocks};
use crate::wire::{Sink, Writer, lay};
pub(crate) use raw::RawHeader;

const TRUNCATED_TX_ID: u8 = 0;
const EXTRA: u8 = 1;
const MAX_EXTRA_LEN: usize = 256;
const MAX_METADATA_LEN: usize = 1 + 8 + 1 + 2 + MAX_EXTRA_LEN;

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
        let hash = match self.version {
            HeaderVersion::V0 if self.metadata == TxMetadata::default() => self.inner_hash_v0()?,
            HeaderVersion::V0 => return Err(HeaderError::MetadataInV0),
            HeaderVersion::V1 if self.metadata == TxMetadata::default() => self.inner_hash_bare(),
            HeaderVersion::V1 => {
                let mut buffer = [0; MAX_METADATA_LEN];
                self.raw(self.metadata.encode(&mut buffer)?).inner_hash()
            }
        };
        Ok(InnerHash::new(hash))
    }

    /// Of version 1 and without metadata, as nearly every header is: laid out in its two blocks it takes
    /// a third of the time around them.
    fn inner_hash_bare(&self) -> [u8; 32] {
        let mut blocks = [0; 128];
        let rest = lay(&mut blocks, &self.ts.to_be_bytes());
        let rest = lay(rest, &self.version.number().to_be_bytes());
        let rest = lay(rest, &[0, 0]);
        let rest = lay(rest, &self.nentries.to_be_bytes());
        let rest = lay(rest, self.eh.as_bytes());
        let rest = lay(rest, &self.bl_tx_id.get().to_be_bytes());
        lay(rest, self.bl_root.as_bytes());
        hash_in_two_blocks::<88>(&mut blocks)
    }

    fn inner_hash_v0(&self) -> Result<[u8; 32], HeaderError> {
        let nentries = u16::try_from(self.nentries)
            .map_err(|_| HeaderError::EntryCount { nentries: self.nentries })?;
        Ok(Sha256::of(&[
            &self.ts.to_be_bytes(),
            &self.version.number().to_be_bytes(),
            &nentries.to_be_bytes(),
            self.eh.as_bytes(),
            &self.bl_tx_id.get().to_be_bytes(),
            self.bl_root.as_bytes(),
        ]))
    }

    /// With this metadata.
    const fn raw<'r>(&'r self, metadata: &'r [u8]) -> RawHeader<'r> {
        RawHeader {
            id: self.id,
            prev_alh: self.prev_alh.as_bytes(),
            ts: self.ts,
            metadata,
            nentries: self.nentries,
            eh: self.eh.as_bytes(),
            bl_tx_id: self.bl_tx_id,
            bl_root: self.bl_root.as_bytes(),
        }
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
        if self.version == HeaderVersion::V0 && self.metadata != TxMetadata::default() {
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
