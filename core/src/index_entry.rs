//! Entries of secondary indexes.
//!
//! An index that is true leaves no trace in the ledger. When an UPDATE makes a value of one
//! untrue, its old entry is written once more, marked `deleted`, with the row's value:
//!
//! ```text
//! 02 ‖ "M." ‖ table_id u32 ‖ index_id u32 ‖ the index's columns, encoded as in a row's key
//! ```

use crate::error::CatalogError;
use crate::wire::Reader;

const PREFIX: &[u8] = b"\x02M.";

/// The key of an entry of a secondary index.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct IndexEntryKey<'a> {
    /// The table.
    pub table_id: u32,
    /// The index; 0 is the primary key, which has no such entries.
    pub index_id: u32,
    /// The encoded columns. Not looked into.
    pub columns: &'a [u8],
}

impl<'a> IndexEntryKey<'a> {
    /// Reads the key.
    ///
    /// # Errors
    ///
    /// [`CatalogError::NotIndexEntry`] for another kind of key; [`CatalogError::Key`] for one that is
    /// cut off.
    pub fn parse(key: &'a [u8]) -> Result<Self, CatalogError> {
        let mut reader = Reader::new(key);
        if reader.take(PREFIX.len()) != Some(PREFIX) {
            return Err(CatalogError::NotIndexEntry);
        }
        let table_id = reader.u32().ok_or(CatalogError::Key)?;
        let index_id = reader.u32().ok_or(CatalogError::Key)?;
        let columns = reader.rest();
        match (table_id, index_id, columns) {
            (0, _, _) | (_, 0, _) => Err(CatalogError::NotIndexEntry),
            (_, _, []) => Err(CatalogError::Key),
            _ => Ok(Self { table_id, index_id, columns }),
        }
    }
}
