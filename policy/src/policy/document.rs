//! The policy as it is written down: one schema in TOML and in JSON (`docs/policy.md`).

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::str::FromStr;

use counterfoil_core::{Alh, TrustedState, TxId};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The whole of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) ledger: Alh,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) table: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pins: Vec<PinForm>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) require_author: bool,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) tlog_policy: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) quorum: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "tables")]
    pub(super) logs: Vec<LogTable>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "tables")]
    pub(super) witnesses: Vec<WitnessTable>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "tables")]
    pub(super) groups: Vec<GroupTable>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "tables")]
    pub(super) state_keys: Vec<StateKeyTable>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "tables")]
    pub(super) authors: Vec<AuthorTable>,
}

/// A value that is there: JSON's `null` is none, and TOML has no such word.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A list of tables.
fn tables<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let tables = Vec::<Table<T>>::deserialize(deserializer)?;
    Ok(tables.into_iter().map(|Table(table)| table).collect())
}

/// A table with its keys: what serde derives also takes a list of the values, in an order that nobody
/// wrote down.
pub(super) struct Table<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyMap<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMap<T> {
            type Value = Table<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Table<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Table)
            }
        }
        deserializer.deserialize_map(OnlyMap(PhantomData))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// A pin in two keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PinTable {
    tx: TxId,
    alh: Alh,
}

/// `[[logs]]`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogTable {
    pub(super) key: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) url: Option<String>,
}

/// `[[witnesses]]`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WitnessTable {
    pub(super) name: String,
    pub(super) key: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) url: Option<String>,
}

/// `[[groups]]`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupTable {
    pub(super) name: String,
    pub(super) needs: Needs,
    pub(super) members: Vec<String>,
}

/// How many members of a group it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Needs {
    Any,
    All,
    Count(u64),
}

impl FromStr for Needs {
    type Err = &'static str;

    /// Decimal, with no zero or sign in front.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "any" => Ok(Self::Any),
            "all" => Ok(Self::All),
            _ => match text.parse::<u64>() {
                Ok(count) if count.to_string() == text => Ok(Self::Count(count)),
                _ => Err("not a number, \"any\" or \"all\""),
            },
        }
    }
}

impl Serialize for Needs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_str("any"),
            Self::All => serializer.serialize_str("all"),
            Self::Count(count) => serializer.serialize_u64(*count),
        }
    }
}

impl<'de> Deserialize<'de> for Needs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NeedsVisitor;

        impl Visitor<'_> for NeedsVisitor {
            type Value = Needs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, \"any\" or \"all\"")
            }

            fn visit_u64<E: serde::de::Error>(self, count: u64) -> Result<Needs, E> {
                Ok(Needs::Count(count))
            }

            fn visit_i64<E: serde::de::Error>(self, count: i64) -> Result<Needs, E> {
                let not_negative = u64::try_from(count);
                not_negative
                    .map(Needs::Count)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(count), &self))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Needs, E> {
                match text {
                    "any" => Ok(Needs::Any),
                    "all" => Ok(Needs::All),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(NeedsVisitor)
    }
}

/// `[[state_keys]]`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateKeyTable {
    pub(super) database: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) pem: Option<String>,
}

/// `[[authors]]`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthorTable {
    pub(super) name: String,
    pub(super) key: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) domains: Option<Vec<String>>,
}

/// A pin: `"TX:ALH"`, or a table with `tx` and `alh`. It is written as the first.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct PinForm(pub(super) TrustedState);

impl<'de> Deserialize<'de> for PinForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = PinForm;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"TX:ALH\", or a table with tx and alh")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PinForm, E> {
                text.parse().map(PinForm).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PinForm, A::Error> {
                let PinTable { tx, alh } = PinTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(PinForm(TrustedState { tx, alh }))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
