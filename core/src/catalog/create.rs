//! What a CREATE statement writes, so that a table's definition can be proved.

use super::CatalogEntry;
use crate::digest::EntryDigest;
use crate::error::CatalogError;
use crate::table::Table;

impl<'a> Table<'a> {
    /// The digests of the entries that CREATE TABLE writes for this table, in the order in which
    /// immudb 1.11.1 writes them: the primary key's index, each column, the table. For tables
    /// without DEFAULT and CHECK, which a [`Table`] does not hold.
    ///
    /// They are those in a transaction of version 1; in one of version 0 they are other
    /// entries'. To prove the table call [`verify_table`](crate::VerifiedTx::verify_table) and not
    /// [`verify_entry`](crate::VerifiedTx::verify_entry) for one digest after the other: a table
    /// that leaves out a column gives digests that are all there, and a missing column reads as
    /// NULL.
    pub fn create_digests(
        &self,
    ) -> impl Iterator<Item = Result<EntryDigest, CatalogError>> + use<'a> {
        self.create_entries().map(|entry| entry.digest())
    }

    /// The entries themselves, in the same order.
    pub fn create_entries(&self) -> impl Iterator<Item = CatalogEntry<'a>> + use<'a> {
        let table_id = self.id();
        let index = CatalogEntry::Index {
            table_id,
            index_id: 0,
            unique: true,
            columns: self.primary_key().into(),
        };
        let columns = self.columns().iter().map(move |&column| CatalogEntry::Column {
            table_id,
            column,
            default: None,
        });
        let table = CatalogEntry::Table { table_id, name: self.name() };
        core::iter::once(index).chain(columns).chain(core::iter::once(table))
    }
}

/// The digest of the entry that `CREATE [UNIQUE] INDEX` writes. `columns` are column ids in the
/// order of the index.
///
/// # Errors
///
/// [`CatalogError::Value`] for an index without columns, and for one with number 0, the primary
/// key, that is not unique; [`CatalogError::IndexColumn`], [`CatalogError::IndexTooWide`],
/// [`CatalogError::TableId`].
pub fn index_digest(
    table_id: u32,
    index_id: u32,
    unique: bool,
    columns: &[u32],
) -> Result<EntryDigest, CatalogError> {
    CatalogEntry::Index { table_id, index_id, unique, columns: columns.into() }.digest()
}
