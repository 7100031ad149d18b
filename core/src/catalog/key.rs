//! The keys of catalog entries.

use crate::error::CatalogError;
use crate::table::ColumnType;
use crate::wire::{Reader, Sink, Writer};

pub(crate) const TABLE: &[u8] = b"\x02CTL.TABLE.\x00\x00\x00\x01";
pub(crate) const COLUMN: &[u8] = b"\x02CTL.COLUMN.\x00\x00\x00\x01";
pub(crate) const INDEX: &[u8] = b"\x02CTL.INDEX.\x00\x00\x00\x01";
const CHECK: &[u8] = b"\x02CTL.CHECK.\x00\x00\x00\x01";

/// What a catalog entry is about: its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CatalogKey {
    /// A table.
    Table {
        /// The table's number.
        table_id: u32,
    },
    /// A column of a table.
    Column {
        /// The table's number.
        table_id: u32,
        /// The column's number in the table, from 1.
        column_id: u32,
        /// The column's type, which is part of the key.
        ty: ColumnType,
    },
    /// An index of a table.
    Index {
        /// The table's number.
        table_id: u32,
        /// The index's number in the table; 0 is the primary key.
        index_id: u32,
    },
    /// A CHECK constraint of a table.
    Check {
        /// The table's number.
        table_id: u32,
        /// The constraint's number in the table.
        check_id: u32,
    },
}

impl CatalogKey {
    /// The most bytes that a catalog key has.
    pub const MAX_LEN: usize = 33;

    /// Reads a key. [`encode`](Self::encode) gives the same bytes back.
    ///
    /// # Errors
    ///
    /// [`CatalogError::NotCatalog`], [`CatalogError::Key`], [`CatalogError::UnknownType`],
    /// [`CatalogError::TableId`] for a table 0, [`CatalogError::ColumnId`] for a column 0.
    pub fn parse(key: &[u8]) -> Result<Self, CatalogError> {
        let cut = CatalogError::Key;
        let (parsed, reader) = if let Some(ids) = key.strip_prefix(TABLE) {
            let mut ids = Reader::new(ids);
            (Self::Table { table_id: ids.u32().ok_or(cut)? }, ids)
        } else if let Some(ids) = key.strip_prefix(COLUMN) {
            let mut ids = Reader::new(ids);
            let table_id = ids.u32().ok_or(cut)?;
            let column_id = ids.u32().ok_or(cut)?;
            let ty = ColumnType::from_name(ids.rest()).ok_or(CatalogError::UnknownType)?;
            (Self::Column { table_id, column_id, ty }, ids)
        } else if let Some(ids) = key.strip_prefix(INDEX) {
            let mut ids = Reader::new(ids);
            let table_id = ids.u32().ok_or(cut)?;
            (Self::Index { table_id, index_id: ids.u32().ok_or(cut)? }, ids)
        } else if let Some(ids) = key.strip_prefix(CHECK) {
            let mut ids = Reader::new(ids);
            let table_id = ids.u32().ok_or(cut)?;
            (Self::Check { table_id, check_id: ids.u32().ok_or(cut)? }, ids)
        } else {
            return Err(CatalogError::NotCatalog);
        };
        if reader.is_empty() { parsed.check().map(|()| parsed) } else { Err(cut) }
    }

    fn check(&self) -> Result<(), CatalogError> {
        match *self {
            Self::Table { table_id: 0 }
            | Self::Column { table_id: 0, .. }
            | Self::Index { table_id: 0, .. }
            | Self::Check { table_id: 0, .. } => Err(CatalogError::TableId),
            Self::Column { column_id: 0, .. } => Err(CatalogError::ColumnId { column: 0 }),
            _ => Ok(()),
        }
    }

    /// Writes the key.
    ///
    /// # Errors
    ///
    /// [`CatalogError::BufferTooSmall`], never with [`MAX_LEN`](Self::MAX_LEN) bytes;
    /// [`CatalogError::TableId`], [`CatalogError::ColumnId`].
    pub fn encode<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], CatalogError> {
        self.check()?;
        let mut out = Writer::new(out);
        match *self {
            Self::Table { table_id } => {
                out.put(TABLE)?;
                out.put(&table_id.to_be_bytes())?;
            }
            Self::Column { table_id, column_id, ty } => {
                out.put(COLUMN)?;
                out.put(&table_id.to_be_bytes())?;
                out.put(&column_id.to_be_bytes())?;
                out.put(ty.name().as_bytes())?;
            }
            Self::Index { table_id, index_id } => {
                out.put(INDEX)?;
                out.put(&table_id.to_be_bytes())?;
                out.put(&index_id.to_be_bytes())?;
            }
            Self::Check { table_id, check_id } => {
                out.put(CHECK)?;
                out.put(&table_id.to_be_bytes())?;
                out.put(&check_id.to_be_bytes())?;
            }
        }
        Ok(out.finish())
    }
}
