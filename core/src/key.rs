//! The key of a row.
//!
//! ```text
//! key  = 02 ‖ "R." ‖ 1 u32 ‖ table u32 ‖ 0 u32 ‖ part of every key column
//! part = 80 ‖ INTEGER         i64 with the sign bit inverted
//!           | TIMESTAMP       nanoseconds, as INTEGER
//!           | BOOLEAN         00 or 01
//!           | UUID            16 bytes
//!           | FLOAT           the bits; positive: sign bit inverted, negative: all bits inverted
//!           | VARCHAR, BLOB   the bytes, zero-padded to max_length ‖ length u32
//! ```
//!
//! So bytewise order is the order of the values, and no two keys of a table are the same bytes.

use crate::error::RowError;
use crate::row::Value;
use crate::table::{Column, ROW_KEY_PREFIX, Table};
use crate::wire::{Compare, Sink, Writer};

pub(crate) const SIGN_BIT: u64 = 1 << 63;
pub(crate) const PART: u8 = 0x80;

impl Table<'_> {
    /// Writes the key of a row: [`key_len`](Self::key_len) bytes.
    ///
    /// `row` has one value per column of the table, in the order of the columns. Only the key
    /// columns are looked at.
    ///
    /// # Errors
    ///
    /// [`RowError::CellCount`]; for a key column [`RowError::Null`], [`RowError::Type`],
    /// [`RowError::TooLong`] or [`RowError::TimestampRange`] (a key counts nanoseconds, which end
    /// in the years 1677 and 2262); [`RowError::BufferTooSmall`].
    pub fn encode_key<'o>(
        &self,
        row: &[Option<Value<'_>>],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], RowError> {
        let mut out = Writer::new(out);
        self.put_key(row, &mut out)?;
        Ok(out.finish())
    }

    /// Checks that `key` is exactly the key of this row: table, columns, every byte.
    ///
    /// # Errors
    ///
    /// [`RowError::KeyMismatch`], and those of [`encode_key`](Self::encode_key) about the row.
    pub fn check_key(&self, key: &[u8], row: &[Option<Value<'_>>]) -> Result<(), RowError> {
        let mut key = Compare::new(key);
        self.put_key(row, &mut key)?;
        Ok(key.finish()?)
    }

    pub(crate) fn put_key<S: Sink>(
        &self,
        row: &[Option<Value<'_>>],
        out: &mut S,
    ) -> Result<(), RowError>
    where
        RowError: From<S::Error>,
    {
        self.check_cell_count(row)?;
        out.put(ROW_KEY_PREFIX)?;
        out.put(&self.id().to_be_bytes())?;
        out.put(&[0; 4])?;
        for &id in self.primary_key() {
            let position = self.position(id).ok_or(RowError::Null { column: id })?;
            match (self.columns().get(position), row.get(position)) {
                (Some(column), Some(Some(value))) => put_part(column, value, out)?,
                _ => return Err(RowError::Null { column: id }),
            }
        }
        Ok(())
    }
}

fn put_part<S: Sink>(column: &Column<'_>, value: &Value<'_>, out: &mut S) -> Result<(), RowError>
where
    RowError: From<S::Error>,
{
    value.check(column)?;
    out.put(&[PART])?;
    match *value {
        Value::Integer(number) => put_signed(number, out)?,
        Value::Timestamp(micros) => {
            let column = column.id;
            let nanos = micros.checked_mul(1000).ok_or(RowError::TimestampRange { column })?;
            put_signed(nanos, out)?;
        }
        Value::Boolean(boolean) => out.put(&[u8::from(boolean)])?,
        Value::Uuid(uuid) => out.put(&uuid)?,
        Value::Float(bits) => {
            let ordered = if bits & SIGN_BIT == 0 { bits ^ SIGN_BIT } else { !bits };
            out.put(&ordered.to_be_bytes())?;
        }
        // No table has a JSON column in its key.
        Value::Varchar(text) | Value::Json(text) => put_padded(column, text.as_bytes(), out)?,
        Value::Blob(bytes) => put_padded(column, bytes, out)?,
    }
    Ok(())
}

fn put_signed<S: Sink>(number: i64, out: &mut S) -> Result<(), S::Error> {
    out.put(&(number.cast_unsigned() ^ SIGN_BIT).to_be_bytes())
}

fn put_padded<S: Sink>(column: &Column<'_>, bytes: &[u8], out: &mut S) -> Result<(), RowError>
where
    RowError: From<S::Error>,
{
    let too_long = RowError::TooLong { column: column.id };
    let len = u32::try_from(bytes.len()).map_err(|_| too_long)?;
    let padding = column.max_length.checked_sub(len).ok_or(too_long)?;
    out.put(bytes)?;
    out.put_zeros(usize::try_from(padding).map_err(|_| too_long)?)?;
    Ok(out.put(&len.to_be_bytes())?)
}
