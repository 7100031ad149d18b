//! The table, and what its rows and its creation are in the ledger.

use counterfoil_core::{
    CatalogError, Column, ColumnType, EntryDigest, ProofError, RowError, Table, Value,
    VerifiedEntry, VerifiedTx, index_digest,
};
#[cfg(feature = "immudb")]
use counterfoil_core::{EntryMetadata, HeaderVersion, ValueHash, entry_digest};

use crate::body::GenesisBody;
use crate::row::StoredRow;

/// The table's name.
pub(crate) const TABLE: &str = "events";

const fn column(id: u32, name: &'static str, ty: ColumnType, max_length: u32) -> Column<'static> {
    Column { id, name, ty, max_length, not_null: true, auto_increment: false }
}

const COLUMNS: [Column<'static>; 7] = [
    column(1, "domain", ColumnType::Blob, 64),
    column(2, "edition", ColumnType::Blob, 64),
    column(3, "root", ColumnType::Blob, 128),
    column(4, "event_number", ColumnType::Integer, 8),
    column(5, "ext", ColumnType::Blob, 32),
    column(6, "seen_tx", ColumnType::Integer, 8),
    column(7, "body", ColumnType::Blob, 0),
];

/// The columns of its primary key.
pub(crate) const PRIMARY_KEY: [u32; 4] = [1, 2, 3, 4];

/// The table under the id that its database gave it.
pub(crate) fn table(id: u32) -> Result<Table<'static>, CatalogError> {
    Table::new(id, TABLE, &COLUMNS, &PRIMARY_KEY)
}

/// The digest by which a transaction's tree holds `row`.
pub(crate) fn row_digest(table: &Table<'_>, row: &StoredRow) -> Result<EntryDigest, RowError> {
    table.entry_digest(&values(row))
}

/// Checks that `row` is an entry of `tx`. The digest is computed in the version of the transaction's
/// own header: in another one it would stand for another key.
pub(crate) fn verify_row(
    tx: &VerifiedTx,
    table: &Table<'_>,
    row: &StoredRow,
    entry: u32,
    path: &[[u8; 32]],
) -> Result<VerifiedEntry, ProofError> {
    tx.verify_row(table, &values(row), entry, path)
}

/// The stored value of `row`: what an embedded ledger keeps.
pub(crate) fn encode_value(table: &Table<'_>, row: &StoredRow) -> Result<Vec<u8>, RowError> {
    let values = values(row);
    let mut out = vec![0; table.value_len(&values)?];
    table.encode_value(&values, &mut out)?;
    Ok(out)
}

/// The row that a stored value holds.
pub(crate) fn decode_value(table: &Table<'_>, value: &[u8]) -> Result<StoredRow, RowError> {
    let mut out = [None; 7];
    table.decode_value(value, &mut out)?;
    // decode_value has checked types and presence against COLUMNS.
    let blob = |i: usize| match out[i] {
        Some(Value::Blob(bytes)) => bytes.to_vec(),
        _ => Vec::new(),
    };
    let integer = |i: usize| match out[i] {
        Some(Value::Integer(n)) => n,
        _ => 0,
    };
    Ok(StoredRow {
        domain: blob(0),
        edition: blob(1),
        root: blob(2),
        event_number: integer(3),
        ext: blob(4),
        seen_tx: integer(5),
        body: blob(6),
    })
}

fn values(row: &StoredRow) -> [Option<Value<'_>>; 7] {
    [
        Some(Value::Blob(&row.domain)),
        Some(Value::Blob(&row.edition)),
        Some(Value::Blob(&row.root)),
        Some(Value::Integer(row.event_number)),
        Some(Value::Blob(&row.ext)),
        Some(Value::Integer(row.seen_tx)),
        Some(Value::Blob(&row.body)),
    ]
}

/// The row that a ledger's genesis transaction inserts.
pub(crate) fn genesis_row(nonce: [u8; 32], created_at: i64) -> StoredRow {
    StoredRow {
        domain: Vec::new(),
        edition: Vec::new(),
        root: Vec::new(),
        event_number: 0,
        ext: nonce.to_vec(),
        seen_tx: 0,
        body: GenesisBody::new(created_at).encode(),
    }
}

/// Whether `row` has the key of the genesis row.
pub(crate) fn is_genesis_key(row: &StoredRow) -> bool {
    row.domain.is_empty() && row.edition.is_empty() && row.root.is_empty() && row.event_number == 0
}

/// How many entries the catalog has in front of the genesis row: the primary
/// index, seven columns, the table, two indexes.
pub(crate) const GENESIS_CATALOG: u32 = 11;

/// The digests of the genesis transaction's entries, in their order: what
/// CREATE TABLE, CREATE UNIQUE INDEX (ext), CREATE INDEX (seen_tx) and the
/// INSERT of `row` write.
pub(crate) fn genesis_digests(
    table: &Table<'_>,
    row: &StoredRow,
) -> Result<Vec<EntryDigest>, GenesisError> {
    let mut digests = catalog_digests(table)?;
    digests.push(row_digest(table, row)?);
    Ok(digests)
}

/// Those of them that stand in front of the row.
pub(crate) fn catalog_digests(table: &Table<'_>) -> Result<Vec<EntryDigest>, GenesisError> {
    let mut digests = table.create_digests().collect::<Result<Vec<_>, _>>()?;
    for (index, column, unique) in INDEXES {
        digests.push(index_digest(table.id(), index, unique, &[column])?);
    }
    Ok(digests)
}

/// The secondary indexes: their ids, the column of each, and whether no two
/// rows may have the same value in it.
pub(crate) const INDEXES: [(u32, u32, bool); 2] = [(1, 5, true), (2, 6, false)];

/// What stands before the columns in a row's key.
#[cfg(feature = "immudb")]
const ROW_KEY_FIXED: usize = 3 + 3 * 4;

/// What a row that others change leaves in the ledger, without its contents.
#[cfg(feature = "immudb")]
#[derive(PartialEq, Eq)]
pub(crate) struct Revision {
    key: Vec<u8>,
    value: ValueHash,
    /// The keys of its entries in the secondary indexes.
    indexed: [Vec<u8>; INDEXES.len()],
}

#[cfg(feature = "immudb")]
impl Revision {
    /// `None` for a row that the table cannot hold.
    pub(crate) fn new(table: &Table<'_>, row: &StoredRow) -> Option<Self> {
        let values = values(row);
        let key_in = |table: &Table<'_>| {
            let mut key = vec![0; table.key_len()];
            table.encode_key(&values, &mut key).ok()?;
            Some(key)
        };
        let mut indexed = [const { Vec::new() }; INDEXES.len()];
        for (entry, (index, column, _)) in indexed.iter_mut().zip(INDEXES) {
            // A column is encoded in an index as it is in a key.
            let key = [column];
            let key = key_in(&Table::new(table.id(), TABLE, &COLUMNS, &key).ok()?)?;
            let ids = [table.id().to_be_bytes(), index.to_be_bytes()].concat();
            *entry = [&b"\x02M."[..], &ids, key.get(ROW_KEY_FIXED..)?].concat();
        }
        let value = ValueHash::of(&encode_value(table, row).ok()?);
        Some(Self { key: key_in(table)?, value, indexed })
    }

    pub(crate) fn has_key_of(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// The entry that writes the row.
    pub(crate) fn written(&self) -> Option<EntryDigest> {
        let metadata = EntryMetadata::default();
        entry_digest(HeaderVersion::V1, &metadata, &self.key, &self.value).ok()
    }

    /// The entry that deletes the row.
    pub(crate) fn deleted(&self) -> Option<EntryDigest> {
        self.deleting(&self.key)
    }

    /// The entries that take the row out of the indexes in which `next` stands
    /// elsewhere.
    pub(crate) fn obsolete(&self, next: &Self) -> Option<Vec<EntryDigest>> {
        let pairs = self.indexed.iter().zip(&next.indexed);
        pairs.filter(|(old, new)| old != new).map(|(old, _)| self.deleting(old)).collect()
    }

    fn deleting(&self, key: &[u8]) -> Option<EntryDigest> {
        let metadata = EntryMetadata { deleted: true, ..EntryMetadata::default() };
        entry_digest(HeaderVersion::V1, &metadata, key, &self.value).ok()
    }
}

/// Why a genesis transaction cannot be encoded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GenesisError {
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Row(#[from] RowError),
}
