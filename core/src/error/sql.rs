//! Why a row or a table's definition was refused.

use core::convert::Infallible;
use core::fmt;

use crate::wire::{Differs, TooSmall};

/// A row is not one of its table, or bytes are not the encoding of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RowError {
    /// A row has one value per column of its table.
    CellCount {
        /// How many columns the table has.
        expected: usize,
        /// How many values there are.
        found: usize,
    },
    /// The column has no value and must have one.
    Null {
        /// The column's id.
        column: u32,
    },
    /// The value is of another type than the column.
    Type {
        /// The column's id.
        column: u32,
    },
    /// The value is longer than the column, or a length field, allows.
    TooLong {
        /// The column's id.
        column: u32,
    },
    /// The time is too far from 1970 to be counted in nanoseconds, as a key does.
    TimestampRange {
        /// The column's id.
        column: u32,
    },
    /// The bytes end too early.
    Truncated,
    /// Bytes follow the last column.
    TrailingBytes,
    /// The table has no such column.
    UnknownColumn {
        /// The column's id.
        column: u32,
    },
    /// Column ids do not rise: the column is repeated or out of place.
    ColumnOrder {
        /// The column's id.
        column: u32,
    },
    /// The length is not the one of the column's type.
    Length {
        /// The column's id.
        column: u32,
    },
    /// A BOOLEAN is neither 00 nor 01.
    Boolean {
        /// The column's id.
        column: u32,
    },
    /// A text is not UTF-8.
    Utf8 {
        /// The column's id.
        column: u32,
    },
    /// The key is not the one of this row.
    KeyMismatch,
    /// The buffer is too small for the result.
    BufferTooSmall,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CellCount { expected, found } => {
                write!(f, "{found} values for a table of {expected} columns")
            }
            Self::Null { column } => write!(f, "column {column}: no value"),
            Self::Type { column } => write!(f, "column {column}: a value of another type"),
            Self::TooLong { column } => write!(f, "column {column}: the value is too long"),
            Self::TimestampRange { column } => {
                write!(f, "column {column}: the time cannot be counted in nanoseconds")
            }
            Self::Truncated => f.write_str("the row ends too early"),
            Self::TrailingBytes => f.write_str("bytes follow the row"),
            Self::UnknownColumn { column } => write!(f, "column {column}: not in the table"),
            Self::ColumnOrder { column } => write!(f, "column {column}: repeated or out of place"),
            Self::Length { column } => write!(f, "column {column}: a length of another type"),
            Self::Boolean { column } => write!(f, "column {column}: neither true nor false"),
            Self::Utf8 { column } => write!(f, "column {column}: not UTF-8"),
            Self::KeyMismatch => f.write_str("the key is another row's"),
            Self::BufferTooSmall => f.write_str("the buffer is too small"),
        }
    }
}

impl core::error::Error for RowError {}

impl From<Infallible> for RowError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<TooSmall> for RowError {
    fn from(_: TooSmall) -> Self {
        Self::BufferTooSmall
    }
}

impl From<Differs> for RowError {
    fn from(_: Differs) -> Self {
        Self::KeyMismatch
    }
}

/// A table's definition makes no sense, or bytes are not a catalog entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CatalogError {
    /// Tables are numbered from 1.
    TableId,
    /// Column ids start above 0 and rise strictly.
    ColumnId {
        /// The column's id.
        column: u32,
    },
    /// A name is empty, or longer than its length field can say.
    Name,
    /// Two columns have one name.
    RepeatedName {
        /// The second one's id.
        column: u32,
    },
    /// The column's type fixes another length.
    MaxLength {
        /// The column's id.
        column: u32,
    },
    /// A table has a primary key.
    NoPrimaryKey,
    /// The primary key names a column that the table does not have.
    NoKeyColumn {
        /// The column's id.
        column: u32,
    },
    /// The primary key names a column a second time, or one of a kind that cannot be part of a key:
    /// JSON, or VARCHAR and BLOB without a limit.
    KeyColumn {
        /// The column's id.
        column: u32,
    },
    /// Keys would have more than [`MAX_KEY_LEN`](crate::MAX_KEY_LEN) bytes.
    KeyTooLong,
    /// AUTO_INCREMENT is for the one column of a primary key, an INTEGER.
    AutoIncrement {
        /// The column's id.
        column: u32,
    },
    /// An index, the primary key among them, has more than
    /// [`MAX_INDEX_COLUMNS`](crate::MAX_INDEX_COLUMNS) columns.
    IndexTooWide,
    /// An index names column 0, which is none, or a column a second time.
    IndexColumn {
        /// The column's id.
        column: u32,
    },
    /// The key belongs to something else than the catalog.
    NotCatalog,
    /// The key is not one of a secondary index's entry.
    NotIndexEntry,
    /// The key is too short or too long for what it names.
    Key,
    /// There is no such column type.
    UnknownType,
    /// The value has not the form that its key demands.
    Value,
    /// A column has unknown flags.
    Flags,
    /// A text is not UTF-8.
    Utf8,
    /// The buffer is too small for the result.
    BufferTooSmall,
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TableId => f.write_str("tables are numbered from 1"),
            Self::ColumnId { column } => {
                write!(f, "column {column}: ids start above 0 and rise, with or without gaps")
            }
            Self::Name => f.write_str("a name is empty or too long"),
            Self::RepeatedName { column } => write!(f, "column {column}: the name is taken"),
            Self::MaxLength { column } => write!(f, "column {column}: a length of another type"),
            Self::NoPrimaryKey => f.write_str("there is no primary key"),
            Self::NoKeyColumn { column } => {
                write!(f, "column {column}: in the key and not in the table")
            }
            Self::KeyColumn { column } => {
                write!(f, "column {column}: twice in the key, or of no greatest length")
            }
            Self::KeyTooLong => f.write_str("keys would have more than 1,024 bytes"),
            Self::AutoIncrement { column } => {
                write!(f, "column {column}: AUTO_INCREMENT is for a primary key of one INTEGER")
            }
            Self::IndexTooWide => f.write_str("an index has more than 8 columns"),
            Self::IndexColumn { column } => {
                write!(f, "column {column}: twice in the index, or none at all")
            }
            Self::NotIndexEntry => f.write_str("the key is not an index entry's"),
            Self::NotCatalog => f.write_str("the key is not the catalog's"),
            Self::Key => f.write_str("the key is too short or too long"),
            Self::UnknownType => f.write_str("unknown column type"),
            Self::Value => f.write_str("the value does not have its key's form"),
            Self::Flags => f.write_str("unknown column flags"),
            Self::Utf8 => f.write_str("a text is not UTF-8"),
            Self::BufferTooSmall => f.write_str("the buffer is too small"),
        }
    }
}

impl core::error::Error for CatalogError {}

impl From<Infallible> for CatalogError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<TooSmall> for CatalogError {
    fn from(_: TooSmall) -> Self {
        Self::BufferTooSmall
    }
}
