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

use sha2::{Digest, Sha256};

use crate::digest::{EntryDigest, ValueHash};
use crate::entry::{EntryMetadata, entry_digest};
use crate::error::CatalogError;
use crate::header::HeaderVersion;
use crate::table::{Column, ColumnType, Table};
use crate::wire::{Reader, Sink, Writer};

const TABLE: &[u8] = b"\x02CTL.TABLE.\x00\x00\x00\x01";
const COLUMN: &[u8] = b"\x02CTL.COLUMN.\x00\x00\x00\x01";
const INDEX: &[u8] = b"\x02CTL.INDEX.\x00\x00\x00\x01";
const CHECK: &[u8] = b"\x02CTL.CHECK.\x00\x00\x00\x01";

const NOT_NULL: u8 = 1;
const AUTO_INCREMENT: u8 = 2;
const DEFAULT: u8 = 4;

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
        /// The column's number in the table.
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
    /// [`CatalogError::ColumnId`] for a column 0.
    pub fn parse(key: &[u8]) -> Result<Self, CatalogError> {
        let cut = CatalogError::Key;
        let (parsed, reader) = if let Some(ids) = key.strip_prefix(TABLE) {
            let mut ids = Reader::new(ids);
            (Self::Table { table_id: ids.u32().ok_or(cut)? }, ids)
        } else if let Some(ids) = key.strip_prefix(COLUMN) {
            let mut ids = Reader::new(ids);
            let table_id = ids.u32().ok_or(cut)?;
            let column_id = ids.u32().ok_or(cut)?;
            if column_id == 0 {
                return Err(CatalogError::ColumnId { column: 0 });
            }
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
        if reader.is_empty() { Ok(parsed) } else { Err(cut) }
    }

    /// Writes the key.
    ///
    /// # Errors
    ///
    /// [`CatalogError::BufferTooSmall`], never with [`MAX_LEN`](Self::MAX_LEN) bytes.
    pub fn encode<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], CatalogError> {
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
        /// The SQL of its default, if it has one.
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
        /// Its SQL.
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
    /// [`CatalogError::Name`], [`CatalogError::Utf8`], [`CatalogError::MaxLength`].
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
    /// [`CatalogError::BufferTooSmall`].
    pub fn encode_value<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], CatalogError> {
        let mut out = Writer::new(out);
        self.put_value(&mut out)?;
        Ok(out.finish())
    }

    /// The digest of the entry: version 1, no metadata. Needs no buffer.
    ///
    /// # Errors
    ///
    /// [`CatalogError::Name`], as for [`encode_value`](Self::encode_value).
    pub fn digest(&self) -> Result<EntryDigest, CatalogError> {
        let mut value = Sha256::new();
        self.put_value(&mut value)?;
        let value_hash = ValueHash::new(value.finalize().into());
        let mut buffer = [0; CatalogKey::MAX_LEN];
        let key = self.key().encode(&mut buffer)?;
        entry_digest(HeaderVersion::V1, &EntryMetadata::default(), key, &value_hash)
            .map_err(|_| CatalogError::BufferTooSmall)
    }

    fn put_value<S: Sink>(&self, out: &mut S) -> Result<(), CatalogError>
    where
        CatalogError: From<S::Error>,
    {
        match *self {
            Self::Table { name, .. } => out.put(non_empty(name)?.as_bytes())?,
            Self::Column { column, default, .. } => {
                let flag = |set: bool, flag: u8| if set { flag } else { 0 };
                let flags = flag(column.not_null, NOT_NULL)
                    | flag(column.auto_increment, AUTO_INCREMENT)
                    | flag(default.is_some(), DEFAULT);
                out.put(&[flags])?;
                out.put(&column.max_length.to_be_bytes())?;
                let name = non_empty(column.name)?.as_bytes();
                if let Some(default) = default {
                    let len = u16::try_from(name.len()).map_err(|_| CatalogError::Name)?;
                    out.put(&len.to_be_bytes())?;
                    out.put(name)?;
                    out.put(default.as_bytes())?;
                } else {
                    out.put(name)?;
                }
            }
            Self::Index { unique, columns, .. } => {
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

fn text(bytes: &[u8]) -> Result<&str, CatalogError> {
    core::str::from_utf8(bytes).map_err(|_| CatalogError::Utf8)
}

fn name(bytes: &[u8]) -> Result<&str, CatalogError> {
    non_empty(text(bytes)?)
}

fn non_empty(name: &str) -> Result<&str, CatalogError> {
    if name.is_empty() { Err(CatalogError::Name) } else { Ok(name) }
}

/// The columns of an index, read from its value or given as ids.
#[derive(Clone, Copy)]
pub struct IndexColumns<'a>(Columns<'a>);

#[derive(Clone, Copy)]
enum Columns<'a> {
    Encoded(&'a [[u8; 5]]),
    Ids(&'a [u32]),
}

impl<'a> IndexColumns<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, CatalogError> {
        match bytes.as_chunks::<5>() {
            (columns, []) if !columns.is_empty() && columns.iter().all(|[.., last]| *last == 0) => {
                Ok(Self(Columns::Encoded(columns)))
            }
            _ => Err(CatalogError::Value),
        }
    }

    /// The ids of the columns, in the order of the index.
    pub fn iter(&self) -> impl Iterator<Item = u32> + use<'a> {
        let (encoded, ids): (&[[u8; 5]], &[u32]) = match self.0 {
            Columns::Encoded(columns) => (columns, &[]),
            Columns::Ids(ids) => (&[], ids),
        };
        let encoded = encoded.iter().map(|&[a, b, c, d, _]| u32::from_be_bytes([a, b, c, d]));
        encoded.chain(ids.iter().copied())
    }
}

impl<'a> From<&'a [u32]> for IndexColumns<'a> {
    fn from(ids: &'a [u32]) -> Self {
        Self(Columns::Ids(ids))
    }
}

impl PartialEq for IndexColumns<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for IndexColumns<'_> {}

impl core::fmt::Debug for IndexColumns<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> Table<'a> {
    /// The digests of the entries that CREATE TABLE writes for this table, in the order in which
    /// immudb 1.11.1 writes them: the primary key's index, each column, the table. For tables
    /// without DEFAULT and CHECK, which a [`Table`] does not hold.
    ///
    /// Whoever has proved that these are entries of a transaction knows that the table had this
    /// name, number and shape when that transaction was committed; a later one may have changed
    /// it.
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
    if columns.is_empty() {
        return Err(CatalogError::Value);
    }
    CatalogEntry::Index { table_id, index_id, unique, columns: columns.into() }.digest()
}
