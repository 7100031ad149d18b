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

    /// What [`Header::inner_hash`] lays out in a buffer, for speed, without one. It asks for no
    /// [`check`](Self::check).
    fn inner_hash(&self) -> [u8; 32] {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)] // tests may panic
mod tests {
    use super::*;

    #[test]
    fn it_is_the_header_that_it_makes() {
        let (one, other, third) = ([1; 32], [2; 32], [3; 32]);
        let truncated = [&[0][..], &7_u64.to_be_bytes()].concat();
        let extra = [&[1, 1, 0][..], &[9; 256]].concat();
        let both = [&truncated[..], &extra].concat();
        for metadata in [&[][..], &truncated, &[1, 0, 0], &extra, &both] {
            for (id, bl_tx_id, nentries, ts) in [(9, 8, 1, 0), (u64::MAX, 3, 0x7fff_ffff, i64::MIN)]
            {
                let (id, bl_tx_id) = (TxId::new(id), TxId::new(bl_tx_id));
                let (prev_alh, eh, bl_root) = (&one, &other, &third);
                let raw = RawHeader { id, prev_alh, ts, metadata, nentries, eh, bl_tx_id, bl_root };
                let header = raw.to_header();
                assert_eq!((raw.check(), header.check()), (Ok(()), Ok(())));
                assert_eq!(header.alh(), Ok(Alh::new(raw.alh())));
                let mut buffer = [0; TxMetadata::MAX_LEN];
                assert_eq!(header.metadata.encode(&mut buffer), Ok(metadata));
            }
        }
    }
}
