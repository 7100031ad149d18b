//! What the key-value API writes.

use counterfoil_core::{EntryDigest, HeaderVersion, KvEntry, TxId, ValueHash};

use super::Outcome;
use super::case::{Case, equal, failed};
use super::digests::stated_metadata;

pub(super) fn value(case: Case<'_>) -> Outcome {
    let (key, value) = (case.bytes("key_hex")?, case.bytes("value_hex")?);
    equal("value hash", ValueHash::of(&value), ValueHash::new(case.hash("value_hash")?))?;
    let metadata = stated_metadata(case)?;
    let entry = KvEntry::parse(&key, &value, metadata.deleted).map_err(failed("entry"))?;
    equal("the entry has these bytes", entry.is_encoded_as(&key, &value), true)?;

    let version = u16::try_from(case.u64("tx_version")?).map_err(failed("version"))?;
    let version = HeaderVersion::try_from(version).map_err(failed("version"))?;
    let digest = entry.digest(version, &metadata).map_err(failed("digest"))?;
    equal("digest", digest, EntryDigest::new(case.hash("digest")?))?;

    let stated = Stated::read(case)?;
    equal("entry", entry, stated.entry())
}

/// What was asked of the server.
enum Stated {
    Set { key: Vec<u8>, value: Vec<u8> },
    Delete { key: Vec<u8> },
    Reference { key: Vec<u8>, referenced: Vec<u8>, at_tx: TxId },
    SortedSet { set: Vec<u8>, score_bits: u64, key: Vec<u8>, at_tx: TxId },
}

impl Stated {
    fn read(case: Case<'_>) -> Result<Self, String> {
        let inputs = case.object("inputs")?;
        let index = usize::try_from(case.u64("entry_index")?).map_err(failed("index"))?;
        let nth = |list: &str| {
            inputs.objects(list)?.get(index).copied().ok_or_else(|| format!("no {list} at {index}"))
        };
        match case.str("api")? {
            "Set" => Self::set(nth("kvs")?),
            "Delete" => {
                let keys = inputs.byte_strings("keys")?;
                let key = keys.into_iter().nth(index).ok_or("no key of that index")?;
                Ok(Self::Delete { key })
            }
            "SetReference" => Self::reference(inputs, inputs.u64("at_tx")?),
            "ZAdd" => Self::sorted_set(inputs, inputs.u64("at_tx")?),
            "ExecAll" => Self::operation(nth("operations")?, case.u64("tx_id")?),
            api => Err(format!("unknown call {api}")),
        }
    }

    /// In one call with what it refers to, a bound reference to 0 means the call's own
    /// transaction.
    fn operation(operation: Case<'_>, own_tx: u64) -> Result<Self, String> {
        let at = |inner: Case<'_>| {
            Ok::<_, String>(match inner.u64("at_tx")? {
                0 => own_tx,
                at => at,
            })
        };
        match operation.field_names().collect::<Vec<_>>().as_slice() {
            ["kv"] => Self::set(operation.object("kv")?),
            ["ref"] => {
                let inner = operation.object("ref")?;
                Self::reference(inner, at(inner)?)
            }
            ["zadd"] => {
                let inner = operation.object("zadd")?;
                Self::sorted_set(inner, at(inner)?)
            }
            names => Err(format!("unknown operation {names:?}")),
        }
    }

    fn set(inner: Case<'_>) -> Result<Self, String> {
        Ok(Self::Set { key: inner.bytes("key")?, value: inner.bytes("value")? })
    }

    fn reference(inner: Case<'_>, at: u64) -> Result<Self, String> {
        Ok(Self::Reference {
            key: inner.bytes("key")?,
            referenced: inner.bytes("referenced_key")?,
            at_tx: at_tx(inner, at)?,
        })
    }

    fn sorted_set(inner: Case<'_>, at: u64) -> Result<Self, String> {
        let score_bits = inner.bytes("score_bits")?;
        let score_bits = score_bits.try_into().map_err(|_| "score_bits is not 8 bytes")?;
        Ok(Self::SortedSet {
            set: inner.bytes("set")?,
            score_bits: u64::from_be_bytes(score_bits),
            key: inner.bytes("key")?,
            at_tx: at_tx(inner, at)?,
        })
    }

    fn entry(&self) -> KvEntry<'_> {
        match self {
            Self::Set { key, value } => KvEntry::Set { key, value },
            Self::Delete { key } => KvEntry::Delete { key },
            Self::Reference { key, referenced, at_tx } => {
                KvEntry::Reference { key, referenced, at_tx: *at_tx }
            }
            Self::SortedSet { set, score_bits, key, at_tx } => {
                KvEntry::SortedSet { set, score_bits: *score_bits, key, at_tx: *at_tx }
            }
        }
    }
}

fn at_tx(inner: Case<'_>, at: u64) -> Result<TxId, String> {
    Ok(TxId::new(if inner.bool("bound_ref")? { at } else { 0 }))
}
