//! What a table is said to be, and what that makes of its rows in the ledger.

use counterfoil_core::{
    CatalogEntry, CatalogError, CatalogKey, Column, ColumnType, EntryDigest, RowError, Table, TxId,
    Value, ValueHash, index_digest,
};

use super::value::SqlValue;
use crate::revision::{Revision, digest, row_key};

/// A row as it was shown: one value a column, NULL is none.
pub(crate) type Row = Vec<Option<SqlValue>>;

/// A column as the server describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnHint {
    pub(crate) name: String,
    pub(crate) ty: ColumnType,
    pub(crate) max_length: u32,
    pub(crate) not_null: bool,
    pub(crate) auto_increment: bool,
}

impl ColumnHint {
    fn column(&self, id: u32) -> Column<'_> {
        let Self { ty, max_length, not_null, auto_increment, .. } = *self;
        Column { id, name: &self.name, ty, max_length, not_null, auto_increment }
    }
}

/// An index as the server describes it, its columns by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexHint {
    pub(crate) unique: bool,
    pub(crate) columns: Vec<u32>,
}

/// A table as the server describes it: nothing is believed until a
/// transaction holds the entries that its creation writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schema {
    pub(crate) name: String,
    /// Their ids count from 1, in this order.
    pub(crate) columns: Vec<ColumnHint>,
    /// The ids of the key's columns.
    pub(crate) key: Vec<u32>,
    /// The secondary indexes. Their ids count from 1, in this order.
    pub(crate) indexes: Vec<IndexHint>,
}

impl Schema {
    /// The columns for core.
    pub(crate) fn columns(&self) -> Vec<Column<'_>> {
        (1..).zip(&self.columns).map(|(id, hint)| hint.column(id)).collect()
    }

    /// The columns as rows and index entries are made of them. Who chose a value
    /// makes no difference there, and an index is a key that AUTO_INCREMENT is
    /// not for.
    pub(crate) fn encoded_columns(&self) -> Vec<Column<'_>> {
        let plain = |column| Column { auto_increment: false, ..column };
        self.columns().into_iter().map(plain).collect()
    }

    /// The table under an id, over what [`columns`](Self::columns) gave.
    pub(crate) fn table<'a>(
        &'a self,
        id: u32,
        columns: &'a [Column<'a>],
    ) -> Result<Table<'a>, CatalogError> {
        Table::new(id, &self.name, columns, &self.key)
    }

    /// Whether a value of a column may be shown otherwise than it is stored.
    pub(crate) fn has_json(&self) -> bool {
        self.columns.iter().any(|column| column.ty == ColumnType::Json)
    }

    /// The entries that creating the table writes, and then its first
    /// `indexes` indexes: their keys, and their values' hashes.
    pub(crate) fn created(
        &self,
        table: &Table<'_>,
        indexes: usize,
    ) -> Result<Vec<(Vec<u8>, ValueHash)>, CatalogError> {
        let later = (1..).zip(self.indexes.iter().take(indexes)).map(|(index_id, hint)| {
            let (table_id, unique, columns) = (table.id(), hint.unique, (&hint.columns[..]).into());
            CatalogEntry::Index { table_id, index_id, unique, columns }
        });
        table.create_entries().chain(later).map(|entry| catalog_entry(&entry)).collect()
    }

    /// The digest that creating an index writes; the first has id 1.
    pub(crate) fn index_created(
        &self,
        table: u32,
        index: usize,
    ) -> Result<Option<EntryDigest>, CatalogError> {
        let Some(hint) = self.indexes.get(index) else { return Ok(None) };
        index_digest(table, index as u32 + 1, hint.unique, &hint.columns).map(Some)
    }
}

fn catalog_entry(entry: &CatalogEntry<'_>) -> Result<(Vec<u8>, ValueHash), CatalogError> {
    let mut key = [0; CatalogKey::MAX_LEN];
    let key = entry.key().encode(&mut key)?.to_vec();
    // A value is a few numbers and names, none of them longer than a length field says.
    let mut value = vec![0; MAX_CATALOG_VALUE];
    Ok((key, ValueHash::of(entry.encode_value(&mut value)?)))
}

/// Longer names than this are no names of immudb's.
const MAX_CATALOG_VALUE: usize = 4096;

/// Makes the entries of a table's rows.
pub(crate) struct Encoder<'a> {
    table: Table<'a>,
    /// For each secondary index a table for each of its columns, whose key is
    /// that column alone: a column is encoded in an index as it is in a key.
    indexes: Vec<Vec<Table<'a>>>,
}

impl<'a> Encoder<'a> {
    /// Over what [`Schema::encoded_columns`] gave.
    pub(crate) fn new(
        schema: &'a Schema,
        id: u32,
        columns: &'a [Column<'a>],
    ) -> Result<Self, CatalogError> {
        let over = |key: &'a [u32]| Table::new(id, &schema.name, columns, key);
        let index = |hint: &'a IndexHint| {
            hint.columns.iter().map(|column| over(std::slice::from_ref(column))).collect()
        };
        let indexes = schema.indexes.iter().map(index).collect::<Result<_, _>>()?;
        Ok(Self { table: schema.table(id, columns)?, indexes })
    }

    pub(crate) fn table(&self) -> &Table<'a> {
        &self.table
    }

    /// The key of the row with these values in its key columns.
    pub(crate) fn key(&self, row: &[Option<Value<'_>>]) -> Result<Vec<u8>, RowError> {
        row_key(&self.table, row)
    }

    /// What the row leaves in the ledger.
    pub(crate) fn revision(&self, row: &Row) -> Result<Revision, RowError> {
        Revision::new(&self.table, &self.indexes, &values(row))
    }
}

/// The values for core.
pub(crate) fn values(row: &Row) -> Vec<Option<Value<'_>>> {
    row.iter().map(|value| value.as_ref().map(SqlValue::as_core)).collect()
}

/// One entry, and which row it writes or deletes; none for an entry of an
/// index or of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) digest: EntryDigest,
    pub(crate) row: Option<Touched>,
}

/// The table of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) table: u32,
    /// The transaction that created it: there are no rows before.
    pub(crate) since: TxId,
}

/// A row that an entry writes or deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) owner: Owner,
    /// The hash of the row's key.
    pub(crate) key: [u8; 32],
    pub(crate) deleted: bool,
}

impl Entry {
    /// An entry that touches no row.
    pub(crate) fn other(digest: EntryDigest) -> Self {
        Self { digest, row: None }
    }

    /// The entry that writes a row.
    pub(crate) fn written(row: &Revision, owner: Owner) -> Self {
        let touched = Touched { owner, key: key_hash(row.key()), deleted: false };
        Self { digest: row.written(), row: Some(touched) }
    }

    /// The entry that deletes a row.
    pub(crate) fn deleted(row: &Revision, owner: Owner) -> Self {
        let touched = Touched { owner, key: key_hash(row.key()), deleted: true };
        Self { digest: row.deleted(), row: Some(touched) }
    }

    /// The entries that write a row over `before`: first its entries of the
    /// indexes in which the new one stands elsewhere, marked deleted.
    pub(crate) fn over(row: &Revision, before: &Revision, owner: Owner) -> Vec<Self> {
        before.obsolete(row).map(Self::other).chain([Self::written(row, owner)]).collect()
    }
}

/// Under which a row is looked up among those accounted for.
pub(crate) fn key_hash(key: &[u8]) -> [u8; 32] {
    ValueHash::of(key).to_bytes()
}

/// The digest of an entry that writes something.
pub(crate) fn plain_digest((key, value): &(Vec<u8>, ValueHash)) -> EntryDigest {
    digest(key, value, false)
}
