//! Headers whose hashes stay where they were read: a third of the size of a [`Header`].

use super::{Header, HeaderVersion, TxMetadata, check_beginning, check_numbers};
use crate::digest::{Alh, Root, chain_hash};
use crate::error::HeaderError;
use crate::number::TxId;
use crate::sha256::Sha256;

/// A header of version 1, as somebody claims it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawHeader<'a> {
    pub(crate) id: TxId,
    pub(crate) prev_alh: &'a [u8; 32],
    pub(crate) ts: i64,
    /// Canonical bytes.
    pub(crate) metadata: &'a [u8],
    pub(crate) nentries: u32,
    pub(crate) eh: &'a [u8; 32],
    pub(crate) bl_tx_id: TxId,
    pub(crate) bl_root: &'a [u8; 32],
}

impl<'a> RawHeader<'a> {
    /// As [`Header::check`], and the metadata is canonical.
    pub(crate) fn check(&self) -> Result<(), HeaderError> {
        TxMetadata::parse(self.metadata)?;
        check_numbers(HeaderVersion::V1, self.id, self.bl_tx_id, self.nentries)?;
        check_beginning(self.id, self.prev_alh, self.bl_tx_id, self.bl_root)
    }

    /// The hash over everything but id and predecessor. It asks for no [`check`](Self::check).
    pub(crate) fn inner_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.add(&self.ts.to_be_bytes());
        hash.add(&HeaderVersion::V1.number().to_be_bytes());
        // Canonical metadata has at most 268 bytes.
        let len = u16::try_from(self.metadata.len()).unwrap_or(u16::MAX);
        hash.add(&len.to_be_bytes());
        hash.add(self.metadata);
        hash.add(&self.nentries.to_be_bytes());
        hash.add(self.eh);
        hash.add(&self.bl_tx_id.get().to_be_bytes());
        hash.add(self.bl_root);
        hash.finish()
    }

    /// As [`Header::alh`], likewise.
    pub(crate) fn alh(&self) -> [u8; 32] {
        chain_hash(self.id, self.prev_alh, &self.inner_hash())
    }

    /// The same with everything in it. Metadata that is not canonical is left out.
    pub(crate) fn to_header(self) -> Header<'a> {
        Header {
            id: self.id,
            prev_alh: Alh::new(*self.prev_alh),
            ts: self.ts,
            version: HeaderVersion::V1,
            metadata: TxMetadata::parse(self.metadata).unwrap_or_default(),
            nentries: self.nentries,
            eh: Root::new(*self.eh),
            bl_tx_id: self.bl_tx_id,
            bl_root: Root::new(*self.bl_root),
        }
    }
}
