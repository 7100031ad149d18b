//! The table, and what its rows and its creation are in the ledger.

use counterfoil_core::{
    CatalogError, EntryDigest, ProofError, RowError, Table, Value, VerifiedEntry, VerifiedTx,
    index_digest,
};

use crate::body::GenesisBody;
#[cfg(feature = "immudb")]
use crate::revision::Revision;
use crate::row::StoredRow;

/// The table under the id that its database gave it.
pub(crate) use counterfoil_core::receipt::events_table as table;

/// The table's name.
#[cfg(feature = "immudb")]
pub(crate) const TABLE: &str = "events";

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
    // decode_value has checked types and presence against the table's columns.
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
fn catalog_digests(table: &Table<'_>) -> Result<Vec<EntryDigest>, GenesisError> {
    let mut digests = table.create_digests().collect::<Result<Vec<_>, _>>()?;
    for (index, column, unique) in INDEXES {
        digests.push(index_digest(table.id(), index, unique, &[column])?);
    }
    Ok(digests)
}

/// Whether a transaction with these entries, or more behind them, created the
/// table.
pub(crate) fn is_creation(table: &Table<'_>, digests: &[EntryDigest]) -> bool {
    catalog_digests(table).is_ok_and(|created| digests.starts_with(&created))
}

/// The entries of the catalog as a truncation of the database writes them
/// again, if there is no other table: columns, table, indexes.
pub(crate) fn catalog_copies(table: &Table<'_>) -> Option<Vec<EntryDigest>> {
    let mut digests = catalog_digests(table).ok()?;
    let own = digests.len().checked_sub(INDEXES.len())?;
    // It was created with the primary key's index in front.
    digests.get_mut(..own)?.rotate_left(1);
    Some(digests)
}

/// The secondary indexes: their ids, the column of each, and whether no two
/// rows may have the same value in it.
pub(crate) const INDEXES: [(u32, u32, bool); 2] = [(1, 5, true), (2, 6, false)];

/// What a row that others change leaves in the ledger; `None` for a row that
/// the table cannot hold.
#[cfg(feature = "immudb")]
pub(crate) fn revision(table: &Table<'_>, row: &StoredRow) -> Option<Revision> {
    let keys = INDEXES.map(|(_, column, _)| [column]);
    let over = |key| Table::new(table.id(), table.name(), table.columns(), key).map(|one| [one]);
    let indexes = keys.each_ref().map(|key| over(key));
    let indexes: Vec<_> = indexes.into_iter().collect::<Result<_, _>>().ok()?;
    Revision::new(table, &indexes, &values(row)).ok()
}

/// Why a genesis transaction cannot be encoded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GenesisError {
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Row(#[from] RowError),
}
