//! Headers and entry digests.

use counterfoil_core::{
    Alh, EntryDigest, EntryMetadata, Header, HeaderError, HeaderVersion, InnerHash, Root, TxId,
    TxMetadata, ValueHash,
};

use super::Outcome;
use super::case::{Case, equal, equal_bytes, failed};

/// Reads a header, gives it to `check`, and checks its metadata on the way.
pub(super) fn with_header(case: Case<'_>, check: impl FnOnce(&Header<'_>) -> Outcome) -> Outcome {
    let bytes = case.bytes("metadata_hex")?;
    let metadata = TxMetadata::parse(&bytes).map_err(failed("metadata"))?;
    let encoded = &mut [0; TxMetadata::MAX_LEN];
    let encoded = metadata.encode(encoded).map_err(failed("metadata"))?;
    equal_bytes("metadata", encoded, &bytes)?;

    let stated = case.optional("metadata", Case::object)?;
    let truncated_tx_id = match stated {
        Some(stated) => stated.optional("truncated_tx_id", Case::u64)?,
        None => None,
    };
    let extra = match stated {
        Some(stated) => stated.optional("extra", Case::bytes)?,
        None => None,
    };
    let stated = TxMetadata { truncated_tx_id, extra: extra.as_deref() };
    equal("metadata", metadata, stated)?;

    let version = u16::try_from(case.u64("version")?).map_err(failed("version"))?;
    check(&Header {
        id: TxId::new(case.u64("id")?),
        prev_alh: Alh::new(case.hash("prev_alh")?),
        ts: case.i64("ts")?,
        version: HeaderVersion::try_from(version).map_err(failed("version"))?,
        metadata,
        nentries: case.u32("nentries")?,
        eh: Root::new(case.hash("eh")?),
        bl_tx_id: TxId::new(case.u64("bl_tx_id")?),
        bl_root: Root::new(case.hash("bl_root")?),
    })
}

/// Reads a header of a proof. `None` where it is missing; an error inside for one that no header
/// can be, which a verifier must refuse. `metadata` are its bytes, which outlive the header.
pub(super) fn read_header<'m>(
    proof: Case<'_>,
    field: &str,
    metadata: &'m [u8],
) -> Result<Option<Result<Header<'m>, HeaderError>>, String> {
    let Some(case) = proof.optional(field, Case::object)? else { return Ok(None) };
    let (prev_alh, eh) = (Alh::new(case.hash("prev_alh")?), Root::new(case.hash("eh")?));
    let bl_root = Root::new(case.hash("bl_root")?);
    let (id, bl_tx_id) = (TxId::new(case.u64("id")?), TxId::new(case.u64("bl_tx_id")?));
    let (ts, version, nentries) = (case.i64("ts")?, case.i64("version")?, case.i64("nentries")?);
    let header = || {
        let version = u16::try_from(version).unwrap_or(u16::MAX);
        Ok(Header {
            id,
            prev_alh,
            ts,
            version: HeaderVersion::try_from(version)?,
            metadata: TxMetadata::parse(metadata)?,
            // What is negative or too large counts as none at all.
            nentries: u32::try_from(nentries).unwrap_or(0),
            eh,
            bl_tx_id,
            bl_root,
        })
    };
    Ok(Some(header()))
}

pub(super) fn tx_header(case: Case<'_>) -> Outcome {
    with_header(case, |header| {
        let inner_hash = header.inner_hash().map_err(failed("inner hash"))?;
        equal("inner hash", inner_hash, InnerHash::new(case.hash("inner_hash")?))?;
        let alh = header.alh().map_err(failed("alh"))?;
        equal("alh", alh, Alh::new(case.hash("alh")?))
    })
}

/// Reads an entry's metadata from its bytes, which must be canonical.
pub(super) fn metadata(case: Case<'_>) -> Result<EntryMetadata, String> {
    let bytes = case.bytes("metadata_hex")?;
    let metadata = EntryMetadata::parse(&bytes).map_err(failed("metadata"))?;
    equal_bytes("metadata", metadata.encode(&mut [0; EntryMetadata::MAX_LEN]), &bytes)?;
    Ok(metadata)
}

/// As [`metadata`], and the case also states its fields.
pub(super) fn stated_metadata(case: Case<'_>) -> Result<EntryMetadata, String> {
    let stated = case.optional("metadata", Case::object)?;
    let stated = match stated {
        None => EntryMetadata::default(),
        Some(stated) => EntryMetadata {
            deleted: stated.bool("deleted")?,
            expires_at: stated.optional("expires_at", Case::i64)?,
            non_indexable: stated.bool("non_indexable")?,
        },
    };
    let metadata = metadata(case)?;
    equal("metadata", metadata, stated)?;
    Ok(metadata)
}

pub(super) fn entry_digest(case: Case<'_>) -> Outcome {
    let version = u16::try_from(case.u64("version")?).map_err(failed("version"))?;
    let version = HeaderVersion::try_from(version).map_err(failed("version"))?;
    let metadata = stated_metadata(case)?;
    let key = case.bytes("key")?;
    let value_hash = ValueHash::of(&case.bytes("value")?);
    equal("value hash", value_hash, ValueHash::new(case.hash("value_hash")?))?;

    let digest = counterfoil_core::entry_digest(version, &metadata, &key, &value_hash);
    match (digest, case.optional("digest", Case::hash)?) {
        (Ok(digest), Some(stated)) => equal("digest", digest, EntryDigest::new(stated)),
        (Err(_), None) => Ok(()),
        (Ok(_), None) => Err("a digest where there is none".to_owned()),
        (Err(error), Some(_)) => Err(format!("digest: {error}")),
    }
}
