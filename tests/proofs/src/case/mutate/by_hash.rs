//! Changed cases of headers, entries and signatures.

use arbitrary::{Result, Unstructured};

use super::super::{Bytes, EntryMetadataJson, EntryOfDigest, SignedState};
use super::{change, flip};

/// Changes an entry, and in most cases its digest with it.
pub(super) fn entry(case: &mut EntryOfDigest, u: &mut Unstructured<'_>) -> Result<()> {
    match u.int_in_range(0..=6)? {
        0 => case.version = u.int_in_range(-1..=2)?,
        1 => case.metadata = None,
        2 => {
            case.metadata = Some(EntryMetadataJson {
                deleted: u.arbitrary()?,
                expires_at: u.arbitrary()?,
                non_indexable: u.arbitrary()?,
            });
        }
        3 => bytes(&mut case.key, u)?,
        4 => bytes(&mut case.value, u)?,
        // What the key loses the value gains: where neither has a length, only the hash tells.
        5 => case.value.0.splice(..0, case.key.0.pop()).for_each(drop),
        _ => return flip(&mut case.digest.0, u),
    }
    if u.ratio(2, 3)? {
        case.fit();
    }
    Ok(())
}

/// Changes what is signed, by whom, or the signature.
pub(super) fn signed(case: &mut SignedState, u: &mut Unstructured<'_>) -> Result<()> {
    match u.int_in_range(0..=6)? {
        0 => change(&mut case.tx_id, u)?,
        1 => bytes(&mut case.tx_hash, u)?,
        2 => case.db.push('0'),
        3 => drop(case.db.pop()),
        4 => bytes(&mut case.public_key_sec1, u)?,
        _ => bytes(&mut case.signature, u)?,
    }
    Ok(())
}

fn bytes(bytes: &mut Bytes, u: &mut Unstructured<'_>) -> Result<()> {
    let bytes = &mut bytes.0;
    let at = u.int_in_range(0..=bytes.len())?;
    match u.int_in_range(0..=4)? {
        0 => bytes.insert(at, u.arbitrary()?),
        1 => bytes.push(0),
        _ if bytes.is_empty() => bytes.push(u.arbitrary()?),
        2 => drop(bytes.remove(at % bytes.len())),
        3 => drop(bytes.pop()),
        _ => {
            let len = bytes.len();
            bytes[at % len] ^= 1 << u.int_in_range(0..=7)?;
        }
    }
    Ok(())
}
