//! The stored body of a row, byte for byte as `docs/format.md` fixes it.
//!
//! One encoding for each content: a body decodes only if encoding the result
//! gives back the very same bytes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::{Edition, Event, MAX_BODY, MAX_DOMAIN, MAX_EDITION, MAX_ROOT, Payload};
use counterfoil_policy::Bytes;

/// First byte of an event's body.
pub const EVENT_FORMAT: u8 = 1;
/// First byte of the genesis row's body.
pub const GENESIS_FORMAT: u8 = 0;

/// Everything that a row says about one event. The order of the fields is the
/// format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventBody {
    /// The key, again: must equal the columns.
    pub domain: String,
    /// Canonical edition.
    pub edition: String,
    /// Root.
    pub root: Bytes,
    /// Sequence in the stream.
    pub event_number: u64,
    /// The event's type.
    pub event_type: String,
    /// The writer's clock, µs since 1970.
    pub recorded_at: i64,
    /// Correlation id, empty for none.
    pub correlation_id: String,
    /// Causation id, empty for none.
    pub causation_id: String,
    /// The append's external id, empty for none.
    pub external_id: String,
    /// Names strictly rising bytewise.
    pub metadata: Vec<(String, Bytes)>,
    /// Content or commitment.
    pub payload: StoredPayload,
    /// Entry digest of the stream's previous event; zeros for the first.
    pub prev_event: [u8; 32],
    /// The writer's verified state when it encoded the row: transaction …
    pub seen_tx: u64,
    /// … and Alh.
    pub seen_alh: [u8; 32],
    /// Random id of the append, kept through every retry.
    pub append_id: [u8; 16],
    /// Place in the append.
    pub append_index: u32,
    /// Number of events in the append.
    pub append_count: u32,
    /// Random id of the transaction's INSERT: a hint for grouping rows.
    pub commit_id: [u8; 16],
    /// Place in the INSERT.
    pub commit_index: u32,
    /// The author's key and signature: a claim until it is checked
    /// ([`RecordedEvent::authorship`](crate::RecordedEvent::authorship)).
    pub author: Option<Author>,
}

/// [`Payload`] as stored: variant 0 inline, variant 1 commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoredPayload {
    /// Length-prefixed content.
    Inline(Bytes),
    /// 32 bytes.
    Commitment([u8; 32]),
}

/// Ed25519 key and signature (R, s).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// Public key.
    pub key: [u8; 32],
    /// First half of the signature.
    pub signature_r: [u8; 32],
    /// Second half of the signature.
    pub signature_s: [u8; 32],
}

/// The body of the genesis row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenesisBody {
    /// `"counterfoil"`.
    pub magic: String,
    /// Version of the table: 1.
    pub table_version: u32,
    /// The creator's clock, µs since 1970.
    pub created_at: i64,
}

/// The magic of [`GenesisBody`].
pub const GENESIS_MAGIC: &str = "counterfoil";
/// The version of the table that this crate creates and reads.
pub const TABLE_VERSION: u32 = 1;

/// Why bytes are not a canonical body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The first byte names no known format.
    #[error("unknown body format")]
    UnknownFormat,
    /// The bytes do not decode.
    #[error("the body does not decode")]
    Malformed,
    /// Encoding the content again gives other bytes.
    #[error("the body is not in its canonical encoding")]
    NotCanonical,
    /// A field breaks its rule.
    #[error("the body's {0} is not allowed")]
    Field(&'static str),
}

fn encode<T: Serialize>(format: u8, content: &T) -> Vec<u8> {
    // Serialising plain data into memory has no way to fail.
    match postcard::to_extend(content, vec![format]) {
        Ok(bytes) => bytes,
        Err(error) => unreachable!("encoding into memory: {error}"),
    }
}

fn decode<'a, T: Serialize + Deserialize<'a>>(format: u8, bytes: &'a [u8]) -> Result<T, BodyError> {
    let (&first, rest) = bytes.split_first().ok_or(BodyError::UnknownFormat)?;
    if first != format {
        return Err(BodyError::UnknownFormat);
    }
    let (content, unused) =
        postcard::take_from_bytes::<T>(rest).map_err(|_| BodyError::Malformed)?;
    if !unused.is_empty() || encode(format, &content) != bytes {
        return Err(BodyError::NotCanonical);
    }
    Ok(content)
}

impl EventBody {
    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(EVENT_FORMAT, self)
    }

    /// Reads canonical bytes and checks every rule that needs nothing but
    /// the body.
    pub fn decode(bytes: &[u8]) -> Result<Self, BodyError> {
        let rule = |holds: bool, field| if holds { Ok(()) } else { Err(BodyError::Field(field)) };
        rule(bytes.len() <= MAX_BODY, "length")?;
        let body: Self = decode(EVENT_FORMAT, bytes)?;
        rule(!body.domain.is_empty() && body.domain.len() <= MAX_DOMAIN, "domain")?;
        let canonical = Edition::from(body.edition.as_str()).as_str() == body.edition;
        rule(canonical && body.edition.len() <= MAX_EDITION, "edition")?;
        rule(body.root.len() <= MAX_ROOT, "root")?;
        rule(i64::try_from(body.event_number).is_ok(), "event_number")?;
        rule(i64::try_from(body.seen_tx).is_ok(), "seen_tx")?;
        rule(body.metadata.is_sorted_by(|a, b| a.0 < b.0), "metadata")?;
        rule(body.append_index < body.append_count, "append_index")?;
        rule(body.event_number > 0 || body.prev_event == [0; 32], "prev_event")?;
        Ok(body)
    }

    /// The value of the `ext` column that belongs to this body.
    pub fn ext(&self) -> [u8; 32] {
        if self.external_id.is_empty() {
            append_ext(&self.domain, &self.edition, &self.append_id, self.append_index)
        } else {
            external_ext(&self.domain, &self.edition, &self.external_id, self.append_index)
        }
    }

    /// What the application said, without what the store added.
    pub fn to_event(&self) -> Event {
        self.clone().into_event()
    }

    /// The same, without copying it.
    pub fn into_event(self) -> Event {
        Event {
            cover: crate::event::Cover {
                domain: self.domain,
                edition: Edition::from(self.edition.as_str()),
                root: self.root,
            },
            event_type: self.event_type,
            payload: match self.payload {
                StoredPayload::Inline(bytes) => Payload::Inline(bytes),
                StoredPayload::Commitment(hash) => {
                    Payload::Commitment(crate::event::PayloadCommitment::from_bytes(hash))
                }
            },
            metadata: self.metadata.into_iter().collect(),
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            external_id: self.external_id,
        }
    }
}

impl GenesisBody {
    /// A new table's.
    pub fn new(created_at: i64) -> Self {
        Self { magic: GENESIS_MAGIC.to_owned(), table_version: TABLE_VERSION, created_at }
    }

    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(GENESIS_FORMAT, self)
    }

    /// Reads canonical bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, BodyError> {
        let body: Self = decode(GENESIS_FORMAT, bytes)?;
        if body.magic != GENESIS_MAGIC {
            return Err(BodyError::Field("magic"));
        }
        if body.table_version != TABLE_VERSION {
            return Err(BodyError::Field("table_version"));
        }
        Ok(body)
    }
}

const EXT_EXTERNAL: &str = "counterfoil ext external 1";
const EXT_APPEND: &str = "counterfoil ext append 1";

/// The `ext` of event `index` of the append with this external id.
pub fn external_ext(domain: &str, edition: &str, external_id: &str, index: u32) -> [u8; 32] {
    ext(EXT_EXTERNAL, domain, edition, external_id.as_bytes(), index)
}

/// The `ext` of row `index` of an append without an external id.
pub(crate) fn append_ext(
    domain: &str,
    edition: &str,
    append_id: &[u8; 16],
    index: u32,
) -> [u8; 32] {
    ext(EXT_APPEND, domain, edition, append_id, index)
}

fn ext(tag: &str, domain: &str, edition: &str, id: &[u8], index: u32) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [tag.as_bytes(), domain.as_bytes(), edition.as_bytes(), id] {
        // Parts are bounded far below 4 GiB by the body's size.
        hash.update((part.len() as u32).to_be_bytes());
        hash.update(part);
    }
    hash.update(index.to_be_bytes());
    hash.finalize().into()
}
