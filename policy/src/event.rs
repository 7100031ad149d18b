//! Events and what they are addressed by.

use std::collections::BTreeMap;
use std::fmt;

use counterfoil_core::receipt::{EventBody, Payload as ReceiptPayload};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::bytes::Bytes;

/// The longest domain, in bytes.
pub const MAX_DOMAIN: usize = 64;
/// The longest edition, in bytes.
pub const MAX_EDITION: usize = 64;
/// The longest root, in bytes.
pub const MAX_ROOT: usize = 128;

/// Names a stream: a root (an aggregate, a shipment, a case) of a domain, in
/// an edition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cover {
    /// The domain, 1 to 64 bytes.
    pub domain: String,
    /// The timeline; the main one unless said otherwise.
    #[serde(default, skip_serializing_if = "Edition::is_main")]
    pub edition: Edition,
    /// The root within the domain, at most 128 bytes of any content. The empty one is a root as any
    /// other: for a domain that is one stream, say.
    pub root: Bytes,
}

impl Cover {
    /// The stream of `root` in `domain`, main edition.
    pub fn new(domain: impl Into<String>, root: impl Into<Bytes>) -> Self {
        Self { domain: domain.into(), edition: Edition::default(), root: root.into() }
    }

    /// The same stream in another edition.
    pub fn in_edition(mut self, edition: impl Into<Edition>) -> Self {
        self.edition = edition.into();
        self
    }
}

impl fmt::Display for Cover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.root)?;
        if !self.edition.is_main() {
            write!(f, "@{}", self.edition.0)?;
        }
        Ok(())
    }
}

/// A timeline. `""` and `"angzarr"` are both the main one, stored as `""`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Edition(String);

impl Edition {
    /// The other name of the main edition.
    pub const MAIN_ALIAS: &'static str = "angzarr";

    /// Whether this is the main edition.
    pub fn is_main(&self) -> bool {
        self.0.is_empty()
    }

    /// The canonical name, as stored: empty for the main edition.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Edition {
    fn from(name: &str) -> Self {
        if name == Self::MAIN_ALIAS { Self::default() } else { Self(name.to_owned()) }
    }
}

impl From<String> for Edition {
    fn from(name: String) -> Self {
        Self::from(name.as_str())
    }
}

impl<'de> Deserialize<'de> for Edition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// What an application says happened. The store adds the sequence, the time
/// and everything that proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The stream.
    pub cover: Cover,
    /// The event's type: what happened. None without one is written; one that somebody else's program
    /// wrote so is read all the same.
    pub event_type: String,
    /// The content.
    pub payload: Payload,
    /// Anything beside the payload, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Bytes>,
    /// Ties together everything that one request set off; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub correlation_id: String,
    /// What directly caused the event; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub causation_id: String,
    /// Makes the append idempotent: repeated with the same id and the same
    /// events it gives the first result back. Unique in a domain and edition;
    /// empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub external_id: String,
}

impl Event {
    /// An event with a payload and nothing else.
    pub fn new(cover: &Cover, event_type: impl Into<String>, payload: impl Into<Payload>) -> Self {
        Self {
            cover: cover.clone(),
            event_type: event_type.into(),
            payload: payload.into(),
            metadata: BTreeMap::new(),
            correlation_id: String::new(),
            causation_id: String::new(),
            external_id: String::new(),
        }
    }

    /// Adds a piece of metadata.
    pub fn with_metadata(mut self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Sets the correlation id.
    pub fn with_correlation_id(mut self, id: impl Into<String>) -> Self {
        self.correlation_id = id.into();
        self
    }

    /// Sets the causation id.
    pub fn with_causation_id(mut self, id: impl Into<String>) -> Self {
        self.causation_id = id.into();
        self
    }

    /// Sets the external id.
    pub fn with_external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = id.into();
        self
    }
}

/// The content of an event, or a commitment to content that is kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// The content itself. What is in a ledger can never be erased.
    Inline(Bytes),
    /// A salted commitment: the content and the salt live elsewhere and can
    /// be erased there, while every proof stays as it is.
    Commitment(PayloadCommitment),
}

impl<T: Into<Bytes>> From<T> for Payload {
    fn from(content: T) -> Self {
        Self::Inline(content.into())
    }
}

impl Payload {
    /// The content, if it is stored inline.
    pub fn inline(&self) -> Option<&[u8]> {
        match self {
            Self::Inline(bytes) => Some(bytes.as_slice()),
            Self::Commitment(_) => None,
        }
    }
}

/// `SHA-256("counterfoil payload commitment 1" ‖ salt ‖ content)`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PayloadCommitment([u8; 32]);

impl PayloadCommitment {
    /// Commits to `content`. The salt must be random and as secret as the
    /// content: without it short contents can be guessed.
    pub fn new(salt: &[u8; 32], content: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"counterfoil payload commitment 1");
        hash.update(salt);
        hash.update(content);
        Self(hash.finalize().into())
    }

    /// Whether `content` is what was committed to.
    pub fn opens(&self, salt: &[u8; 32], content: &[u8]) -> bool {
        *self == Self::new(salt, content)
    }

    /// The 32 bytes, as stored.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From the 32 bytes, as stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for PayloadCommitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PayloadCommitment({})", hex::encode(self.0))
    }
}

impl Serialize for PayloadCommitment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&hex::encode(self.0))
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for PayloadCommitment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            let mut bytes = [0; 32];
            hex::decode_to_slice(&text, &mut bytes).map_err(serde::de::Error::custom)?;
            Ok(Self(bytes))
        } else {
            <[u8; 32]>::deserialize(deserializer).map(Self)
        }
    }
}

/// What a receipt says that the application said. It is as true as the receipt's verdict.
impl From<&EventBody<'_>> for Event {
    fn from(body: &EventBody<'_>) -> Self {
        let cover = Cover::new(body.domain, body.root.to_vec()).in_edition(body.edition);
        let mut event = Self::new(&cover, body.event_type, Payload::from(&body.payload));
        // In their order already: collecting would bring a sort along.
        for (name, value) in body.metadata.iter() {
            event.metadata.insert(name.into(), value.to_vec().into());
        }
        event.correlation_id = body.correlation_id.into();
        event.causation_id = body.causation_id.into();
        event.external_id = body.external_id.into();
        event
    }
}

impl From<&ReceiptPayload<'_>> for Payload {
    fn from(payload: &ReceiptPayload<'_>) -> Self {
        match payload {
            ReceiptPayload::Inline(content) => Self::Inline(content.to_vec().into()),
            ReceiptPayload::Commitment(hash) => {
                Self::Commitment(PayloadCommitment::from_bytes(**hash))
            }
        }
    }
}
