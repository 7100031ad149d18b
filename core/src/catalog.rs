//! The catalog: entries of the ledger that define tables, so that a schema can be proved like a
//! row.
//!
//! All keys start with `02`, then a name, then `1 u32`:
//!
//! ```text
//! CTL.TABLE.  ‖ 1 ‖ table u32                          → name
//! CTL.COLUMN. ‖ 1 ‖ table u32 ‖ column u32 ‖ TYPE      → flags ‖ max_length u32 ‖ name
//!                     with a default: flags ‖ max_length u32 ‖ length u16 ‖ name ‖ its SQL
//! CTL.INDEX.  ‖ 1 ‖ table u32 ‖ index u32              → 01 if unique, else 00
//!                                                        ‖ for each column: id u32 ‖ 00
//! CTL.CHECK.  ‖ 1 ‖ table u32 ‖ check u32              → length − 1 u8 ‖ name ‖ its SQL ‖ 00
//! ```
//!
//! The flags are 1 for NOT NULL, 2 for AUTO_INCREMENT and 4 for DEFAULT; index 0 is the primary
//! key. What is dropped is written again under the same key, with an empty value and metadata
//! `deleted`.

mod columns;
mod create;
mod key;
mod verified;

pub use columns::IndexColumns;
pub use create::index_digest;
pub use key::CatalogKey;
pub(crate) use key::{COLUMN, INDEX, TABLE};
pub use verified::{TxEntry, VerifiedTable};

use crate::digest::{EntryDigest, ValueHash};
use crate::entry::{EntryMetadata, entry_digest};
use crate::error::CatalogError;
use crate::header::HeaderVersion;
use crate::sha256::Sha256;
use crate::table::{Column, ColumnType};
use crate::wire::{Reader, Sink, Writer};

pub(crate) const NOT_NULL: u8 = 1;
const AUTO_INCREMENT: u8 = 2;
const DEFAULT: u8 = 4;

/// A catalog entry that defines something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CatalogEntry<'a> {
    /// A table and its name.
    Table {
        /// The table's number in the database, from 1.
        table_id: u32,
        /// Its name.
        name: &'a str,
    },
    /// A column of a table.
    Column {
        /// The table's number.
        table_id: u32,
        /// The column.
        column: Column<'a>,
        /// The SQL of its default, if it has one. It may be empty: so immudb writes an empty BLOB.
        default: Option<&'a str>,
    },
    /// An index of a table.
    Index {
        /// The table's number.
        table_id: u32,
        /// The index's number in the table; 0 is the primary key.
        index_id: u32,
        /// No two rows have the same values in these columns.
        unique: bool,
        /// The columns, in the order of the index.
        columns: IndexColumns<'a>,
    },
    /// A CHECK constraint of a table.
    Check {
        /// The table's number.
        table_id: u32,
        /// The constraint's number in the table, from 0.
        check_id: u32,
        /// Its name, 1 to 256 bytes.
        name: &'a str,
        /// Its SQL. It may be empty: so immudb writes an EXISTS.
        expression: &'a str,
    },
}

impl<'a> CatalogEntry<'a> {
    /// Reads an entry from its key and value. [`key`](Self::key) and
    /// [`encode_value`](Self::encode_value) give the same bytes back.
    ///
    /// An entry that drops something has no value: read its key with [`CatalogKey::parse`].
    ///
    /// # Errors
    ///
    /// Those of [`CatalogKey::parse`], and [`CatalogError::Value`], [`CatalogError::Flags`],
    /// [`CatalogError::Name`], [`CatalogError::Utf8`], [`CatalogError::MaxLength`],
    /// [`CatalogError::AutoIncrement`] for a column that is not an INTEGER,
    /// [`CatalogError::IndexColumn`], [`CatalogError::IndexTooWide`].
    pub fn parse(key: &[u8], value: &'a [u8]) -> Result<Self, CatalogError> {
        let mut value = Reader::new(value);
        match CatalogKey::parse(key)? {
            CatalogKey::Table { table_id } => {
                Ok(Self::Table { table_id, name: name(value.rest())? })
            }
            CatalogKey::Column { table_id, column_id, ty } => {
                Self::parse_column(table_id, column_id, ty, &mut value)
            }
            CatalogKey::Index { table_id, index_id } => {
                let unique = match value.u8() {
                    Some(0) => false,
                    Some(1) => true,
                    _ => return Err(CatalogError::Value),
                };
                let columns = IndexColumns::parse(value.rest())?;
                unique_if_primary(index_id, unique)?;
                Ok(Self::Index { table_id, index_id, unique, columns })
            }
            CatalogKey::Check { table_id, check_id } => {
                let len = usize::from(value.u8().ok_or(CatalogError::Value)?).saturating_add(1);
                let name = name(value.take(len).ok_or(CatalogError::Value)?)?;
                let Some((0, sql)) = value.rest().split_last() else {
                    return Err(CatalogError::Value);
                };
                Ok(Self::Check { table_id, check_id, name, expression: text(sql)? })
            }
        }
    }

    fn parse_column(
        table_id: u32,
        id: u32,
        ty: ColumnType,
        value: &mut Reader<'a>,
    ) -> Result<Self, CatalogError> {
        let flags = value.u8().ok_or(CatalogError::Value)?;
        if flags & !(NOT_NULL | AUTO_INCREMENT | DEFAULT) != 0 {
            return Err(CatalogError::Flags);
        }
        let max_length = value.u32().ok_or(CatalogError::Value)?;
        let (name, default) = if flags & DEFAULT == 0 {
            (value.rest(), None)
        } else {
            let len = usize::from(value.u16().ok_or(CatalogError::Value)?);
            let name = value.take(len).ok_or(CatalogError::Value)?;
            (name, Some(text(value.rest())?))
        };
        let column = Column {
            id,
            name: text(name)?,
            ty,
            max_length,
            not_null: flags & NOT_NULL != 0,
            auto_increment: flags & AUTO_INCREMENT != 0,
        };
        column.check()?;
        Ok(Self::Column { table_id, column, default })
    }

    /// The key under which the entry stands.
    pub const fn key(&self) -> CatalogKey {
        match *self {
            Self::Table { table_id, .. } => CatalogKey::Table { table_id },
            Self::Column { table_id, column, .. } => {
                CatalogKey::Column { table_id, column_id: column.id, ty: column.ty }
            }
            Self::Index { table_id, index_id, .. } => CatalogKey::Index { table_id, index_id },
            Self::Check { table_id, check_id, .. } => CatalogKey::Check { table_id, check_id },
        }
    }

    /// Writes the entry's value.
    ///
    /// # Errors
    ///
    /// [`CatalogError::Name`] for a name that is empty or longer than its length field can say;
    /// [`CatalogError::ColumnId`], [`CatalogError::MaxLength`], [`CatalogError::AutoIncrement`];
    /// [`CatalogError::Value`] for an index without columns, or a primary key that is not unique;
    /// [`CatalogError::IndexColumn`], [`CatalogError::IndexTooWide`];
    /// [`CatalogError::BufferTooSmall`].
    pub fn encode_value<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], CatalogError> {
        let mut out = Writer::new(out);
        self.put_value(&mut out)?;
        Ok(out.finish())
    }

    /// The digest of the entry: version 1, no metadata. Needs no buffer.
    ///
    /// In a transaction of version 0 it is some other entry's:
    /// [`VerifiedTx::verify_catalog`](crate::VerifiedTx::verify_catalog) minds the version.
    ///
    /// # Errors
    ///
    /// Those of [`encode_value`](Self::encode_value), but for the buffer, and
    /// [`CatalogError::TableId`].
    pub fn digest(&self) -> Result<EntryDigest, CatalogError> {
        self.digest_in(HeaderVersion::V1)
    }

    /// The same digest in a transaction whose header has this version.
    pub(crate) fn digest_in(&self, version: HeaderVersion) -> Result<EntryDigest, CatalogError> {
        let mut value = Sha256::new();
        self.put_value(&mut value)?;
        let value_hash = ValueHash::new(value.finish());
        let mut buffer = [0; CatalogKey::MAX_LEN];
        let key = self.key().encode(&mut buffer)?;
        entry_digest(version, &EntryMetadata::default(), key, &value_hash)
            .map_err(|_| CatalogError::BufferTooSmall)
    }

    fn put_value<S: Sink>(&self, out: &mut S) -> Result<(), CatalogError>
    where
        CatalogError: From<S::Error>,
    {
        match *self {
            Self::Table { name, .. } => out.put(non_empty(name)?.as_bytes())?,
            Self::Column { column, default, .. } => {
                column.check()?;
                let flag = |set: bool, flag: u8| if set { flag } else { 0 };
                let flags = flag(column.not_null, NOT_NULL)
                    | flag(column.auto_increment, AUTO_INCREMENT)
                    | flag(default.is_some(), DEFAULT);
                out.put(&[flags])?;
                out.put(&column.max_length.to_be_bytes())?;
                let name = column.name.as_bytes();
                if let Some(default) = default {
                    let len = u16::try_from(name.len()).map_err(|_| CatalogError::Name)?;
                    out.put(&len.to_be_bytes())?;
                    out.put(name)?;
                    out.put(default.as_bytes())?;
                } else {
                    out.put(name)?;
                }
            }
            Self::Index { index_id, unique, columns, .. } => {
                columns.check()?;
                unique_if_primary(index_id, unique)?;
                out.put(&[u8::from(unique)])?;
                for id in columns.iter() {
                    out.put(&id.to_be_bytes())?;
                    out.put(&[0])?;
                }
            }
            Self::Check { name, expression, .. } => {
                let len = non_empty(name)?.len().saturating_sub(1);
                out.put(&[u8::try_from(len).map_err(|_| CatalogError::Name)?])?;
                out.put(name.as_bytes())?;
                out.put(expression.as_bytes())?;
                out.put(&[0])?;
            }
        }
        Ok(())
    }
}

/// The primary key is unique.
fn unique_if_primary(index_id: u32, unique: bool) -> Result<(), CatalogError> {
    if index_id == 0 && !unique { Err(CatalogError::Value) } else { Ok(()) }
}

fn text(bytes: &[u8]) -> Result<&str, CatalogError> {
    core::str::from_utf8(bytes).map_err(|_| CatalogError::Utf8)
}

fn name(bytes: &[u8]) -> Result<&str, CatalogError> {
    non_empty(text(bytes)?)
}

fn non_empty(name: &str) -> Result<&str, CatalogError> {
    if name.is_empty() { Err(CatalogError::Name) } else { Ok(name) }
}
