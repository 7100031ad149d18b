//! The fields of a case, read exactly: a missing or malformed one fails the case.

use std::fmt::{Debug, Display};

use serde_json::Value;

use super::Outcome;

/// A JSON object of the vectors: a case, or one inside it.
#[derive(Clone, Copy)]
pub(super) struct Case<'a>(&'a Value);

impl<'a> Case<'a> {
    pub(super) fn new(json: &'a Value) -> Self {
        Self(json)
    }

    pub(super) fn name(self) -> &'a str {
        self.str("name").unwrap_or("a case without a name")
    }

    fn field(self, field: &str) -> Result<&'a Value, String> {
        self.0.get(field).ok_or_else(|| format!("no field {field}"))
    }

    fn typed<T>(
        self,
        field: &str,
        what: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<T, String> {
        read(self.field(field)?).ok_or_else(|| format!("field {field} is not {what}"))
    }

    pub(super) fn is_null(self, field: &str) -> Result<bool, String> {
        self.field(field).map(Value::is_null)
    }

    pub(super) fn str(self, field: &str) -> Result<&'a str, String> {
        self.typed(field, "a string", Value::as_str)
    }

    pub(super) fn bool(self, field: &str) -> Result<bool, String> {
        self.typed(field, "true or false", Value::as_bool)
    }

    pub(super) fn u64(self, field: &str) -> Result<u64, String> {
        self.typed(field, "an unsigned 64-bit integer", Value::as_u64)
    }

    pub(super) fn i64(self, field: &str) -> Result<i64, String> {
        self.typed(field, "a signed 64-bit integer", Value::as_i64)
    }

    pub(super) fn u32(self, field: &str) -> Result<u32, String> {
        self.typed(field, "an unsigned 32-bit integer", as_u32)
    }

    /// A number that a tree's positions and sizes may or may not have: `None` for an integer that
    /// is negative or too large, which no verifier can be asked about.
    pub(super) fn position(self, field: &str) -> Result<Option<u64>, String> {
        self.typed(field, "an integer", |value| match value.as_u64() {
            Some(number) => Some(Some(number)),
            // serde_json reads integers beyond 64 bits as floating-point numbers.
            None => (value.is_i64() || value.as_f64().is_some_and(|float| float.fract() == 0.0))
                .then_some(None),
        })
    }

    pub(super) fn bytes(self, field: &str) -> Result<Vec<u8>, String> {
        self.typed(field, "lower-case hex", as_bytes)
    }

    pub(super) fn hash(self, field: &str) -> Result<[u8; 32], String> {
        self.typed(field, "a hash", as_hash)
    }

    pub(super) fn hashes(self, field: &str) -> Result<Vec<[u8; 32]>, String> {
        self.typed(field, "a list of hashes", |value| {
            value.as_array()?.iter().map(as_hash).collect()
        })
    }

    pub(super) fn lists_of_hashes(self, field: &str) -> Result<Vec<Vec<[u8; 32]>>, String> {
        self.typed(field, "a list of lists of hashes", |value| {
            let lists = value.as_array()?.iter();
            lists.map(|list| list.as_array()?.iter().map(as_hash).collect()).collect()
        })
    }

    pub(super) fn byte_strings(self, field: &str) -> Result<Vec<Vec<u8>>, String> {
        self.typed(field, "a list of lower-case hex", |value| {
            value.as_array()?.iter().map(as_bytes).collect()
        })
    }

    pub(super) fn u32s(self, field: &str) -> Result<Vec<u32>, String> {
        self.typed(field, "a list of ids", |value| value.as_array()?.iter().map(as_u32).collect())
    }

    pub(super) fn objects(self, field: &str) -> Result<Vec<Case<'a>>, String> {
        self.typed(field, "a list of objects", |value| {
            let objects = value.as_array()?;
            objects.iter().map(|object| object.is_object().then_some(Case(object))).collect()
        })
    }

    pub(super) fn object(self, field: &str) -> Result<Case<'a>, String> {
        self.typed(field, "an object", |value| value.is_object().then_some(Case(value)))
    }

    /// `None` where the field is null.
    pub(super) fn optional<T>(
        self,
        field: &str,
        read: impl FnOnce(Self, &str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        if self.is_null(field)? { Ok(None) } else { read(self, field).map(Some) }
    }

    /// The names of the object's fields.
    pub(super) fn field_names(self) -> impl Iterator<Item = &'a str> {
        self.0.as_object().into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// The check's answer must be the one that the case expects.
    pub(super) fn expect<E: Display>(self, answer: Result<(), E>) -> Outcome {
        match (self.bool("expect")?, answer) {
            (true, Ok(())) | (false, Err(_)) => Ok(()),
            (true, Err(error)) => Err(format!("refused: {error}")),
            (false, Ok(())) => {
                Err(format!("accepted, but: {}", self.str("why").unwrap_or("no reason given")))
            }
        }
    }
}

fn as_u32(value: &Value) -> Option<u32> {
    value.as_u64()?.try_into().ok()
}

fn as_bytes(value: &Value) -> Option<Vec<u8>> {
    let text = value.as_str()?;
    if text.bytes().any(|digit| digit.is_ascii_uppercase()) {
        return None;
    }
    hex::decode(text).ok()
}

fn as_hash(value: &Value) -> Option<[u8; 32]> {
    as_bytes(value)?.try_into().ok()
}

/// What was computed must be what the case states.
pub(super) fn equal<T: PartialEq + Debug>(what: &str, computed: T, stated: T) -> Outcome {
    if computed == stated {
        Ok(())
    } else {
        Err(format!("{what}: computed {computed:?}, stated {stated:?}"))
    }
}

/// As [`equal`], for bytes.
pub(super) fn equal_bytes(what: &str, computed: &[u8], stated: &[u8]) -> Outcome {
    equal(what, hex::encode(computed), hex::encode(stated))
}

/// Says which step failed.
pub(super) fn failed<E: Display>(what: &'static str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}
