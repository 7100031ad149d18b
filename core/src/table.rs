//! Tables: what a row may hold and what its key is made of.

use crate::error::CatalogError;

/// The most bytes that a row's key may have: immudb's default limit for keys.
pub const MAX_KEY_LEN: usize = 1024;

/// The most columns that an index may have, the primary key among them: immudb 1.11.1's limit.
pub const MAX_INDEX_COLUMNS: usize = 8;

/// Every row's key: `02 ‖ "R." ‖ 1 u32 ‖ table u32 ‖ 0 u32`, then the parts.
pub(crate) const ROW_KEY_PREFIX: &[u8] = b"\x02R.\x00\x00\x00\x01";
const ROW_KEY_FIXED_LEN: usize = 15;

/// The types of a column.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ColumnType {
    /// 64-bit signed integer.
    Integer,
    /// One byte, 00 or 01.
    Boolean,
    /// UTF-8 text; `max_length` counts bytes.
    Varchar,
    /// Bytes.
    Blob,
    /// 16 bytes.
    Uuid,
    /// Microseconds since 1970 (nanoseconds in a key).
    Timestamp,
    /// IEEE 754 double precision.
    Float,
    /// UTF-8 text, kept as it was sent.
    Json,
}

impl ColumnType {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Integer,
        Self::Boolean,
        Self::Varchar,
        Self::Blob,
        Self::Uuid,
        Self::Timestamp,
        Self::Float,
        Self::Json,
    ];

    /// The name in SQL and in the catalog, in capitals.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "INTEGER",
            Self::Boolean => "BOOLEAN",
            Self::Varchar => "VARCHAR",
            Self::Blob => "BLOB",
            Self::Uuid => "UUID",
            Self::Timestamp => "TIMESTAMP",
            Self::Float => "FLOAT",
            Self::Json => "JSON",
        }
    }

    /// The type of that [`name`](Self::name), exactly as written there.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.name().as_bytes() == name)
    }

    /// The length of every value of the type, where it has one. A column's `max_length` is then
    /// this number.
    pub const fn fixed_len(self) -> Option<u32> {
        match self {
            Self::Integer | Self::Timestamp | Self::Float => Some(8),
            Self::Boolean => Some(1),
            Self::Uuid => Some(16),
            Self::Varchar | Self::Blob | Self::Json => None,
        }
    }
}

/// A column of a table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Column<'a> {
    /// Its number in the table, from 1.
    pub id: u32,
    /// Its name.
    pub name: &'a str,
    /// Its type.
    pub ty: ColumnType,
    /// [`ColumnType::fixed_len`] where there is one. For VARCHAR and BLOB the most bytes, 0 for no
    /// limit. For JSON a number that limits nothing, 0 in every catalog seen.
    pub max_length: u32,
    /// Every row has a value. (A key column always has one, marked or not.)
    pub not_null: bool,
    /// The server may choose the value. Only of the one column of a primary key, an INTEGER.
    pub auto_increment: bool,
}

impl Column<'_> {
    pub(crate) fn check(&self) -> Result<(), CatalogError> {
        if self.id == 0 {
            return Err(CatalogError::ColumnId { column: self.id });
        }
        if self.name.is_empty() {
            return Err(CatalogError::Name);
        }
        if self.auto_increment && self.ty != ColumnType::Integer {
            return Err(CatalogError::AutoIncrement { column: self.id });
        }
        match self.ty.fixed_len() {
            Some(len) if len != self.max_length => Err(CatalogError::MaxLength { column: self.id }),
            _ => Ok(()),
        }
    }

    /// How many bytes the column takes in a key. `None` if it cannot be part of one.
    fn key_part_len(&self) -> Option<usize> {
        let bytes = usize::try_from(self.max_length).ok()?;
        match self.ty {
            ColumnType::Json => None,
            ColumnType::Varchar | ColumnType::Blob if bytes == 0 => None,
            // Its length follows the padded value.
            ColumnType::Varchar | ColumnType::Blob => bytes.checked_add(5),
            _ => bytes.checked_add(1),
        }
    }
}

/// A table whose definition makes sense: it can say what a row's key and value are.
///
/// That it is also the table in the ledger is another matter:
/// [`VerifiedTx::verify_table`](crate::VerifiedTx::verify_table) proves it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Table<'a> {
    id: u32,
    name: &'a str,
    columns: &'a [Column<'a>],
    primary_key: &'a [u32],
    key_len: usize,
}

impl<'a> Table<'a> {
    /// Checks a definition. `columns` stand in the order of their ids; `primary_key` holds column
    /// ids in the order of the key. The time is quadratic in the number of columns.
    ///
    /// # Errors
    ///
    /// [`CatalogError::TableId`] for table 0;
    /// [`CatalogError::ColumnId`] unless ids start above 0 and rise strictly;
    /// [`CatalogError::Name`] for an empty name; [`CatalogError::RepeatedName`];
    /// [`CatalogError::MaxLength`] where the type fixes another length;
    /// [`CatalogError::NoPrimaryKey`]; [`CatalogError::NoKeyColumn`] for a key column that does not
    /// exist; [`CatalogError::KeyColumn`] for one that is repeated or has no greatest length
    /// (VARCHAR and BLOB without a limit, JSON); [`CatalogError::KeyTooLong`] beyond [`MAX_KEY_LEN`]
    /// bytes, [`CatalogError::IndexTooWide`] beyond [`MAX_INDEX_COLUMNS`] key columns;
    /// [`CatalogError::AutoIncrement`] for such a column that is not an INTEGER and the whole key.
    pub fn new(
        id: u32,
        name: &'a str,
        columns: &'a [Column<'a>],
        primary_key: &'a [u32],
    ) -> Result<Self, CatalogError> {
        if id == 0 {
            return Err(CatalogError::TableId);
        }
        if name.is_empty() {
            return Err(CatalogError::Name);
        }
        let mut earlier: &[Column<'_>] = &[];
        for (count, column) in columns.iter().enumerate() {
            column.check()?;
            earlier = columns.get(..count).unwrap_or(earlier);
            if earlier.last().is_some_and(|last| last.id >= column.id) {
                return Err(CatalogError::ColumnId { column: column.id });
            }
            if earlier.iter().any(|other| other.name == column.name) {
                return Err(CatalogError::RepeatedName { column: column.id });
            }
        }
        let key_len = key_len(columns, primary_key)?;
        for Column { id, .. } in columns.iter().filter(|column| column.auto_increment) {
            if primary_key != [*id] {
                return Err(CatalogError::AutoIncrement { column: *id });
            }
        }
        Ok(Self { id, name, columns, primary_key, key_len })
    }

    /// The table's number in its database.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Its name.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// Its columns, in the order of their ids.
    pub const fn columns(&self) -> &'a [Column<'a>] {
        self.columns
    }

    /// The ids of the key columns, in the order of the key.
    pub const fn primary_key(&self) -> &'a [u32] {
        self.primary_key
    }

    /// The same definition under another number: what it would be in another ledger.
    ///
    /// # Errors
    ///
    /// [`CatalogError::TableId`] for 0.
    pub const fn with_id(self, id: u32) -> Result<Self, CatalogError> {
        if id == 0 { Err(CatalogError::TableId) } else { Ok(Self { id, ..self }) }
    }

    /// The length in bytes of every row's key: at most [`MAX_KEY_LEN`].
    pub const fn key_len(&self) -> usize {
        self.key_len
    }

    /// The position of a column among [`columns`](Self::columns).
    pub(crate) fn position(&self, column: u32) -> Option<usize> {
        self.columns.binary_search_by_key(&column, |column| column.id).ok()
    }

    pub(crate) fn is_key_column(&self, column: u32) -> bool {
        self.primary_key.contains(&column)
    }
}

fn key_len(columns: &[Column<'_>], primary_key: &[u32]) -> Result<usize, CatalogError> {
    if primary_key.is_empty() {
        return Err(CatalogError::NoPrimaryKey);
    }
    if primary_key.len() > MAX_INDEX_COLUMNS {
        return Err(CatalogError::IndexTooWide);
    }
    let mut len = ROW_KEY_FIXED_LEN;
    for (count, &id) in primary_key.iter().enumerate() {
        let unusable = CatalogError::KeyColumn { column: id };
        let earlier = primary_key.get(..count).unwrap_or_default();
        let column = columns
            .iter()
            .find(|column| column.id == id)
            .ok_or(CatalogError::NoKeyColumn { column: id })?;
        if earlier.contains(&id) {
            return Err(unusable);
        }
        let part = column.key_part_len().ok_or(unusable)?;
        len = len.checked_add(part).ok_or(CatalogError::KeyTooLong)?;
        if len > MAX_KEY_LEN {
            return Err(CatalogError::KeyTooLong);
        }
    }
    Ok(len)
}
