//! The value of a row, and its digest.
//!
//! ```text
//! value = number of columns present u32
//!         ‖ for each of them, in id order: column id u32 ‖ length u32 ‖ bytes
//! bytes = INTEGER i64 | TIMESTAMP microseconds i64 | BOOLEAN 00 or 01 | FLOAT its 64 bits
//!         | UUID 16 bytes | VARCHAR, JSON UTF-8 | BLOB as it is
//! ```
//!
//! A NULL column is absent.

use crate::digest::{EntryDigest, ValueHash};
use crate::entry::{self, EntryMetadata};
use crate::error::RowError;
use crate::header::HeaderVersion;
use crate::sha256::Sha256;
use crate::table::{Column, ColumnType, Table};
use crate::wire::{Reader, Sink, Writer};

/// The value of a column. NULL is the absence of one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Value<'a> {
    /// INTEGER
    Integer(i64),
    /// BOOLEAN
    Boolean(bool),
    /// VARCHAR
    Varchar(&'a str),
    /// BLOB
    Blob(&'a [u8]),
    /// UUID
    Uuid([u8; 16]),
    /// TIMESTAMP: *microseconds* since 1970.
    Timestamp(i64),
    /// FLOAT: its IEEE 754 bits, as [`f64::to_bits`] gives them.
    Float(u64),
    /// JSON: the text as it is stored. Whether it is JSON is not looked at.
    Json(&'a str),
}

impl<'a> Value<'a> {
    /// The type of column that this is a value for.
    pub const fn ty(&self) -> ColumnType {
        match self {
            Self::Integer(_) => ColumnType::Integer,
            Self::Boolean(_) => ColumnType::Boolean,
            Self::Varchar(_) => ColumnType::Varchar,
            Self::Blob(_) => ColumnType::Blob,
            Self::Uuid(_) => ColumnType::Uuid,
            Self::Timestamp(_) => ColumnType::Timestamp,
            Self::Float(_) => ColumnType::Float,
            Self::Json(_) => ColumnType::Json,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Integer(_) | Self::Timestamp(_) | Self::Float(_) => 8,
            Self::Boolean(_) => 1,
            Self::Uuid(_) => 16,
            Self::Varchar(text) | Self::Json(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
        }
    }

    /// The type is the column's, and the length one that the column may have.
    pub(crate) fn check(&self, column: &Column<'_>) -> Result<(), RowError> {
        if self.ty() != column.ty {
            return Err(RowError::Type { column: column.id });
        }
        let too_long = RowError::TooLong { column: column.id };
        let len = u32::try_from(self.len()).map_err(|_| too_long)?;
        match column.ty {
            ColumnType::Varchar | ColumnType::Blob
                if column.max_length != 0 && len > column.max_length =>
            {
                Err(too_long)
            }
            _ => Ok(()),
        }
    }

    fn put<S: Sink>(&self, out: &mut S) -> Result<(), S::Error> {
        match self {
            Self::Integer(number) | Self::Timestamp(number) => out.put(&number.to_be_bytes()),
            Self::Boolean(boolean) => out.put(&[u8::from(*boolean)]),
            Self::Varchar(text) | Self::Json(text) => out.put(text.as_bytes()),
            Self::Blob(bytes) => out.put(bytes),
            Self::Uuid(uuid) => out.put(uuid),
            Self::Float(bits) => out.put(&bits.to_be_bytes()),
        }
    }

    fn parse(column: &Column<'_>, bytes: &'a [u8]) -> Result<Self, RowError> {
        let id = column.id;
        let length = |_| RowError::Length { column: id };
        let text = |bytes| core::str::from_utf8(bytes).map_err(|_| RowError::Utf8 { column: id });
        let value = match column.ty {
            ColumnType::Integer => {
                Self::Integer(i64::from_be_bytes(bytes.try_into().map_err(length)?))
            }
            ColumnType::Timestamp => {
                Self::Timestamp(i64::from_be_bytes(bytes.try_into().map_err(length)?))
            }
            ColumnType::Float => Self::Float(u64::from_be_bytes(bytes.try_into().map_err(length)?)),
            ColumnType::Uuid => Self::Uuid(bytes.try_into().map_err(length)?),
            ColumnType::Boolean => match bytes {
                [0] => Self::Boolean(false),
                [1] => Self::Boolean(true),
                [_] => return Err(RowError::Boolean { column: id }),
                _ => return Err(RowError::Length { column: id }),
            },
            ColumnType::Varchar => Self::Varchar(text(bytes)?),
            ColumnType::Json => Self::Json(text(bytes)?),
            ColumnType::Blob => Self::Blob(bytes),
        };
        value.check(column)?;
        Ok(value)
    }
}

impl Table<'_> {
    /// The length in bytes of a row's value.
    ///
    /// # Errors
    ///
    /// Those of [`encode_value`](Self::encode_value), but for the buffer.
    pub fn value_len(&self, row: &[Option<Value<'_>>]) -> Result<usize, RowError> {
        let mut len = 4_usize;
        self.check_row(row)?;
        for (column, value) in present(self.columns(), row) {
            len = value
                .len()
                .checked_add(8)
                .and_then(|part| part.checked_add(len))
                .ok_or(RowError::TooLong { column: column.id })?;
        }
        Ok(len)
    }

    /// Writes the value of a row: [`value_len`](Self::value_len) bytes.
    ///
    /// `row` has one value per column of the table, in the order of the columns.
    ///
    /// # Errors
    ///
    /// [`RowError::CellCount`], [`RowError::Null`] for a key column or one that is NOT NULL,
    /// [`RowError::Type`], [`RowError::TooLong`], [`RowError::BufferTooSmall`].
    pub fn encode_value<'o>(
        &self,
        row: &[Option<Value<'_>>],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], RowError> {
        let mut out = Writer::new(out);
        self.put_value(row, &mut out)?;
        Ok(out.finish())
    }

    /// The digest of the entry that an INSERT of this row writes: version 1, no metadata. Needs no
    /// buffer.
    ///
    /// It binds table id, key and every column, and two different rows of a table never share one.
    /// In a transaction of version 0 it is some other entry's:
    /// [`VerifiedTx::verify_row`](crate::VerifiedTx::verify_row) minds the version.
    ///
    /// # Errors
    ///
    /// Those of [`encode_key`](Self::encode_key) and [`encode_value`](Self::encode_value).
    pub fn entry_digest(&self, row: &[Option<Value<'_>>]) -> Result<EntryDigest, RowError> {
        self.entry_digest_in(HeaderVersion::V1, row)
    }

    /// The same digest in a transaction whose header has this version.
    pub(crate) fn entry_digest_in(
        &self,
        version: HeaderVersion,
        row: &[Option<Value<'_>>],
    ) -> Result<EntryDigest, RowError> {
        let mut value = Sha256::new();
        self.put_value(row, &mut value)?;
        let value_hash = ValueHash::new(value.finish());

        let mut entry = entry::start(version, &EntryMetadata::default(), self.key_len())
            .map_err(|_| RowError::BufferTooSmall)?;
        self.put_key(row, &mut entry)?;
        Ok(entry::finish(entry, &value_hash))
    }

    /// Reads the value of a row: one value per column into `out`, which is as long as the table
    /// has columns. On an error `out` is all `None`.
    ///
    /// Only the one encoding is accepted: the count is exact, ids rise and are the table's, lengths
    /// fit type and `max_length`, text is UTF-8, what must be there is there and nothing follows.
    /// [`encode_value`](Self::encode_value) gives the same bytes back.
    ///
    /// # Errors
    ///
    /// [`RowError::CellCount`], [`RowError::Truncated`], [`RowError::TrailingBytes`],
    /// [`RowError::UnknownColumn`], [`RowError::ColumnOrder`] (also for a repeated one),
    /// [`RowError::Null`], [`RowError::Length`], [`RowError::TooLong`], [`RowError::Boolean`],
    /// [`RowError::Utf8`].
    pub fn decode_value<'v>(
        &self,
        value: &'v [u8],
        out: &mut [Option<Value<'v>>],
    ) -> Result<(), RowError> {
        out.fill(None);
        let decoded = self.read_value(&mut Reader::new(value), out);
        if decoded.is_err() {
            out.fill(None);
        }
        decoded
    }

    fn read_value<'v>(
        &self,
        reader: &mut Reader<'v>,
        out: &mut [Option<Value<'v>>],
    ) -> Result<(), RowError> {
        self.check_cell_count(out)?;
        let mut previous = 0;
        for _ in 0..reader.u32().ok_or(RowError::Truncated)? {
            let id = reader.u32().ok_or(RowError::Truncated)?;
            let len = reader.u32().ok_or(RowError::Truncated)?;
            let len = usize::try_from(len).map_err(|_| RowError::Truncated)?;
            let bytes = reader.take(len).ok_or(RowError::Truncated)?;
            if id <= previous {
                return Err(RowError::ColumnOrder { column: id });
            }
            previous = id;

            let unknown = RowError::UnknownColumn { column: id };
            let position = self.position(id).ok_or(unknown)?;
            let column = self.columns().get(position).ok_or(unknown)?;
            *out.get_mut(position).ok_or(unknown)? = Some(Value::parse(column, bytes)?);
        }
        if !reader.is_empty() {
            return Err(RowError::TrailingBytes);
        }
        self.check_row(out)
    }

    fn put_value<S: Sink>(&self, row: &[Option<Value<'_>>], out: &mut S) -> Result<(), RowError>
    where
        RowError: From<S::Error>,
    {
        self.check_row(row)?;
        let count = present(self.columns(), row)
            .try_fold(0_u32, |count, _| count.checked_add(1))
            .ok_or_else(|| self.cell_count(row))?;
        out.put(&count.to_be_bytes())?;
        for (column, value) in present(self.columns(), row) {
            let len =
                u32::try_from(value.len()).map_err(|_| RowError::TooLong { column: column.id })?;
            out.put(&column.id.to_be_bytes())?;
            out.put(&len.to_be_bytes())?;
            value.put(out)?;
        }
        Ok(())
    }

    /// Every column has a value that it may have, and what must not be NULL is not.
    fn check_row(&self, row: &[Option<Value<'_>>]) -> Result<(), RowError> {
        self.check_cell_count(row)?;
        self.columns().iter().zip(row).try_for_each(|(column, value)| match value {
            Some(value) => value.check(column),
            None if column.not_null || self.is_key_column(column.id) => {
                Err(RowError::Null { column: column.id })
            }
            None => Ok(()),
        })
    }

    pub(crate) fn check_cell_count(&self, row: &[Option<Value<'_>>]) -> Result<(), RowError> {
        if row.len() == self.columns().len() { Ok(()) } else { Err(self.cell_count(row)) }
    }

    fn cell_count(&self, row: &[Option<Value<'_>>]) -> RowError {
        RowError::CellCount { expected: self.columns().len(), found: row.len() }
    }
}

/// The columns that are not NULL.
fn present<'r, 'a, 'v>(
    columns: &'r [Column<'a>],
    row: &'r [Option<Value<'v>>],
) -> impl Iterator<Item = (&'r Column<'a>, &'r Value<'v>)> {
    columns.iter().zip(row).filter_map(|(column, value)| Some((column, value.as_ref()?)))
}
