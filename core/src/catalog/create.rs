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
    /// Prove them by [`verify_all_entries`](crate::VerifiedTx::verify_all_entries), together with
    /// what else stands in the transaction: then the table had this name, number and shape when
    /// that transaction was committed; a later one may have changed it. To show them one by one by
    /// [`verify_entry`](crate::VerifiedTx::verify_entry) is not enough: a table that leaves out a
    /// column gives digests that are all there, and a missing column reads as NULL.
    ///
    /// ```
    /// use counterfoil_core::*;
    ///
    /// # fn example(tx: &VerifiedTx, entries: &[(&[u8], &[u8])])
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// // The keys and values of all entries of the transaction that created the table, as read
    /// // from the server. The index with number 0 is the primary key.
    /// let (mut id, mut name, mut columns, mut primary_key) = (0, "", vec![], vec![]);
    /// for (key, value) in entries {
    ///     match CatalogEntry::parse(key, value)? {
    ///         CatalogEntry::Table { table_id, name: text } => (id, name) = (table_id, text),
    ///         CatalogEntry::Column { column, .. } => columns.push(column),
    ///         CatalogEntry::Index { index_id: 0, columns, .. } => {
    ///             primary_key = columns.iter().collect();
    ///         }
    ///         _ => {}
    ///     }
    /// }
    /// let table = Table::new(id, name, &columns, &primary_key)?;
    /// let digests = table.create_digests().collect::<Result<Vec<_>, _>>()?;
    /// tx.verify_all_entries(digests)?;
    /// # Ok(()) }
    /// ```
    pub fn create_digests(
        &self,
    ) -> impl Iterator<Item = Result<EntryDigest, CatalogError>> + use<'a> {
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
        core::iter::once(index)
            .chain(columns)
            .chain(core::iter::once(table))
            .map(|entry| entry.digest())
    }
}

/// The digest of the entry that `CREATE [UNIQUE] INDEX` writes. `columns` are column ids in the
/// order of the index.
///
/// # Errors
///
/// [`CatalogError::Value`] for an index without columns.
pub fn index_digest(
    table_id: u32,
    index_id: u32,
    unique: bool,
    columns: &[u32],
) -> Result<EntryDigest, CatalogError> {
    CatalogEntry::Index { table_id, index_id, unique, columns: columns.into() }.digest()
}
