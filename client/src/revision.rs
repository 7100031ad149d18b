//! What a row leaves in the ledger, whosever table it is in: its own entry, and
//! what takes its entries out of the secondary indexes again.

use counterfoil_core::{
    EntryDigest, EntryMetadata, HeaderVersion, RowError, Table, Value, ValueHash, entry_digest,
};

/// What a row leaves in the ledger, without its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revision {
    key: Vec<u8>,
    value: ValueHash,
    /// The keys of its entries in the secondary indexes.
    indexed: Vec<Vec<u8>>,
}

impl Revision {
    /// Of the row with these values. `indexes` are the secondary indexes in the
    /// order of their ids, which count from 1: for each of its columns a table
    /// whose key is that column alone, because a column is encoded in an index
    /// as it is in a key.
    pub(crate) fn new<'t>(
        table: &Table<'_>,
        indexes: &[impl AsRef<[Table<'t>]>],
        values: &[Option<Value<'_>>],
    ) -> Result<Self, RowError> {
        let mut value = vec![0; table.value_len(values)?];
        table.encode_value(values, &mut value)?;
        let mut indexed = Vec::with_capacity(indexes.len());
        for (id, columns) in (1_u32..).zip(indexes) {
            let mut key = [b"\x02M.", &table.id().to_be_bytes()[..], &id.to_be_bytes()].concat();
            for column in columns.as_ref() {
                key.extend(index_part(column, values)?);
            }
            indexed.push(key);
        }
        Ok(Self { key: row_key(table, values)?, value: ValueHash::of(&value), indexed })
    }

    /// The row's key, as the ledger has it.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The hash of the row's value.
    pub(crate) fn value(&self) -> ValueHash {
        self.value
    }

    /// The entry that writes the row.
    pub(crate) fn written(&self) -> EntryDigest {
        digest(&self.key, &self.value, false)
    }

    /// The entry that deletes the row.
    pub(crate) fn deleted(&self) -> EntryDigest {
        digest(&self.key, &self.value, true)
    }

    /// The entries that take the row out of the indexes in which `next` stands
    /// elsewhere.
    pub(crate) fn obsolete(&self, next: &Self) -> impl Iterator<Item = EntryDigest> {
        let pairs = self.indexed.iter().zip(&next.indexed);
        pairs.filter(|(old, new)| old != new).map(|(old, _)| digest(old, &self.value, true))
    }
}

/// The key of the row with these values in its key columns.
pub(crate) fn row_key(
    table: &Table<'_>,
    values: &[Option<Value<'_>>],
) -> Result<Vec<u8>, RowError> {
    let mut key = vec![0; table.key_len()];
    table.encode_key(values, &mut key)?;
    Ok(key)
}

/// The digest of an entry whose metadata says nothing, or that it deletes.
pub(crate) fn digest(key: &[u8], value: &ValueHash, deleted: bool) -> EntryDigest {
    let metadata = EntryMetadata { deleted, ..EntryMetadata::default() };
    // Only a key of more than 64 KiB has none, and core makes none of 1 KiB.
    entry_digest(HeaderVersion::V1, &metadata, key, value)
        .expect("a row's key is shorter than 64 KiB")
}

/// What stands before the columns in a row's key.
const ROW_KEY_FIXED: usize = 3 + 3 * 4;

/// A column's part of an index entry's key.
fn index_part(column: &Table<'_>, values: &[Option<Value<'_>>]) -> Result<Vec<u8>, RowError> {
    /// Stands for NULL, which no key of a row has.
    const NULL: u8 = 0x20;
    match row_key(column, values) {
        Ok(key) => Ok(key.get(ROW_KEY_FIXED..).unwrap_or_default().to_vec()),
        Err(RowError::Null { .. }) => Ok(vec![NULL]),
        Err(error) => Err(error),
    }
}
