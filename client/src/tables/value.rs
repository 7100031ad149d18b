//! The values of SQL columns, owned, and their texts on the wire.

use counterfoil_core::{ColumnType, Value};
use serde::Serialize;

use super::time;
use counterfoil_policy::Bytes;

/// The value of a column. NULL is the absence of one.
#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SqlValue {
    /// INTEGER.
    Integer(i64),
    /// VARCHAR.
    Varchar(String),
    /// BOOLEAN.
    Boolean(bool),
    /// BLOB.
    Blob(Bytes),
    /// TIMESTAMP: microseconds since 1970, UTC.
    Timestamp(i64),
    /// FLOAT.
    Float(f64),
    /// UUID.
    Uuid([u8; 16]),
    /// JSON: the text as the ledger stores it.
    Json(String),
}

impl SqlValue {
    /// The same for core, which encodes it.
    pub(crate) fn as_core(&self) -> Value<'_> {
        match self {
            Self::Integer(number) => Value::Integer(*number),
            Self::Varchar(text) => Value::Varchar(text),
            Self::Boolean(boolean) => Value::Boolean(*boolean),
            Self::Blob(bytes) => Value::Blob(bytes.as_slice()),
            Self::Timestamp(micros) => Value::Timestamp(*micros),
            Self::Float(float) => Value::Float(float.to_bits()),
            Self::Uuid(uuid) => Value::Uuid(*uuid),
            Self::Json(text) => Value::Json(text),
        }
    }

    /// Reads the text that immudb's wire shows for a column of this type.
    /// `None` for any other text.
    pub(crate) fn from_wire(ty: ColumnType, text: &str) -> Option<Self> {
        Some(match ty {
            ColumnType::Integer => Self::Integer(text.parse().ok()?),
            ColumnType::Varchar => Self::Varchar(text.into()),
            ColumnType::Boolean => Self::Boolean(match text {
                "true" => true,
                "false" => false,
                _ => return None,
            }),
            ColumnType::Blob => Self::Blob(hex::decode(text.strip_prefix(r"\x")?).ok()?.into()),
            ColumnType::Timestamp => Self::Timestamp(time::parse(text)?),
            ColumnType::Float => Self::Float(text.parse().ok()?),
            ColumnType::Uuid => {
                let digits: String = text.split('-').collect();
                let mut uuid = [0; 16];
                hex::decode_to_slice(digits, &mut uuid).ok()?;
                Self::Uuid(uuid)
            }
            ColumnType::Json => Self::Json(text.into()),
        })
    }
}

impl From<i64> for SqlValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for SqlValue {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<f64> for SqlValue {
    fn from(float: f64) -> Self {
        Self::Float(float)
    }
}

impl From<&str> for SqlValue {
    fn from(text: &str) -> Self {
        Self::Varchar(text.into())
    }
}

impl From<String> for SqlValue {
    fn from(text: String) -> Self {
        Self::Varchar(text)
    }
}

impl From<&[u8]> for SqlValue {
    fn from(bytes: &[u8]) -> Self {
        Self::Blob(bytes.into())
    }
}

impl From<Vec<u8>> for SqlValue {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_immudb_1_11_are_read() {
        for (ty, text, value) in [
            (ColumnType::Integer, "-5", SqlValue::Integer(-5)),
            (ColumnType::Varchar, "it's", SqlValue::from("it's")),
            (ColumnType::Boolean, "true", SqlValue::Boolean(true)),
            (ColumnType::Blob, r"\x00ff", SqlValue::from(vec![0, 0xff])),
            (ColumnType::Float, "0.0000001", SqlValue::Float(1e-7)),
            (ColumnType::Timestamp, "1970-01-01 00:00:01.5", SqlValue::Timestamp(1_500_000)),
            (
                ColumnType::Uuid,
                "112448ba-8b24-51ce-06a4-b2ea50c475c2",
                SqlValue::Uuid(
                    *b"\x11\x24\x48\xba\x8b\x24\x51\xce\x06\xa4\xb2\xea\x50\xc4\x75\xc2",
                ),
            ),
        ] {
            assert_eq!(SqlValue::from_wire(ty, text), Some(value), "{text}");
        }
        for (ty, text) in [
            (ColumnType::Integer, "1.0"),
            (ColumnType::Boolean, "t"),
            (ColumnType::Blob, "00ff"),
            (ColumnType::Blob, r"\x0"),
            (ColumnType::Uuid, "112448ba"),
            (ColumnType::Timestamp, "yesterday"),
            (ColumnType::Float, "one"),
        ] {
            assert_eq!(SqlValue::from_wire(ty, text), None, "{text}");
        }
    }
}
