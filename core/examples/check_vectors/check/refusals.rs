//! Encodings that are refused, and their neighbours that are not (`tests/refusals/README.md`).

use counterfoil_core::{
    Alh, CatalogEntry, EntryMetadata, Frontier, Header, HeaderVersion, KvEntry, Root, StateKey,
    TxId, TxMetadata,
};

use super::Outcome;
use super::case::{Case, equal};
use super::sql::{with_row, with_table};

pub(super) fn tx_metadata(case: Case<'_>) -> Outcome {
    case.expect(TxMetadata::parse(&case.bytes("bytes")?).map(|_| ()))
}

pub(super) fn entry_metadata(case: Case<'_>) -> Outcome {
    case.expect(EntryMetadata::parse(&case.bytes("bytes")?).map(|_| ()))
}

pub(super) fn header(case: Case<'_>) -> Outcome {
    let metadata = case.bytes("metadata_hex")?;
    let version = u16::try_from(case.u64("version")?).unwrap_or(u16::MAX);
    let (id, bl_tx_id) = (TxId::new(case.u64("id")?), TxId::new(case.u64("bl_tx_id")?));
    let (prev_alh, eh) = (Alh::new(case.hash("prev_alh")?), Root::new(case.hash("eh")?));
    let (ts, nentries) = (case.i64("ts")?, case.u32("nentries")?);
    let bl_root = Root::new(case.hash("bl_root")?);
    let alh = || {
        let version = HeaderVersion::try_from(version)?;
        let metadata = TxMetadata::parse(&metadata)?;
        Header { id, prev_alh, ts, version, metadata, nentries, eh, bl_tx_id, bl_root }.alh()
    };
    case.expect(alh().map(|_| ()))
}

pub(super) fn sql_value(case: Case<'_>) -> Outcome {
    let value = case.bytes("value_hex")?;
    with_table(case, |table| {
        let table = table.map_err(|error| error.to_string())?;
        let mut row = vec![None; table.columns().len()];
        let read = table.decode_value(&value, &mut row);
        if read.is_ok() {
            // What is read is written back as it was.
            let mut buffer = vec![0; value.len()];
            let written = table.encode_value(&row, &mut buffer).map_err(|e| e.to_string())?;
            equal("written back", written, &value[..])?;
        } else {
            equal("nothing is left of what is refused", row.iter().all(Option::is_none), true)?;
        }
        case.expect(read)
    })
}

pub(super) fn sql_key(case: Case<'_>) -> Outcome {
    let key = case.bytes("key_hex")?;
    with_row(case, |table, row| case.expect(table.check_key(&key, row)))
}

pub(super) fn catalog_entry(case: Case<'_>) -> Outcome {
    let (key, value) = (case.bytes("key_hex")?, case.bytes("value_hex")?);
    case.expect(CatalogEntry::parse(&key, &value).map(|_| ()))
}

pub(super) fn catalog_claim(case: Case<'_>) -> Outcome {
    let eh = Root::new(case.hash("eh")?);
    with_table(case, |table| {
        let created = table.map_err(|error| error.to_string()).and_then(|table| {
            let mut tree = Frontier::new();
            for digest in table.create_digests() {
                let digest = digest.map_err(|error| error.to_string())?;
                tree.push(digest.leaf_hash()).map_err(|error| error.to_string())?;
            }
            if tree.root() == eh { Ok(()) } else { Err("another root".to_owned()) }
        });
        case.expect(created)
    })
}

pub(super) fn kv_entry(case: Case<'_>) -> Outcome {
    let (key, value) = (case.bytes("key_hex")?, case.bytes("value_hex")?);
    let entry = KvEntry::parse(&key, &value, case.bool("deleted")?);
    if let Ok(entry) = &entry {
        equal("the entry has these bytes", entry.is_encoded_as(&key, &value), true)?;
    }
    case.expect(entry.map(|_| ()))
}

pub(super) fn state_key(case: Case<'_>) -> Outcome {
    let bytes = case.bytes("bytes")?;
    let key = match case.str("form")? {
        "sec1" => StateKey::from_sec1(&bytes),
        "spki" => StateKey::from_spki(&bytes),
        form => return Err(format!("unknown form {form}")),
    };
    case.expect(key.map(|_| ()))
}
