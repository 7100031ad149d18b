//! An event store on immudb or an embedded ledger that proves every write and
//! verifies every read.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), counterfoil::Error> {
//! use counterfoil::{Cover, Event, EventStore};
//!
//! let store = EventStore::in_memory().await?;
//! let cover = Cover::new("shipment", "SSCC-00123456");
//! let event = Event::new(&cover, "Departed", r#"{"from": "Basel"}"#);
//!
//! let tx = store.add_event(&event).await?;
//! assert!(store.verify_event(&event, &tx.proof).await?);
//! let event = store.get_event_at_tx(&cover, 0, tx.id).await?;
//! let proof = store.get_proof_at_tx(tx.id).await?;
//! # let _ = (event, proof);
//! # Ok(()) }
//! ```
//!
//! A store that lasts: [`EventStore::open`] with a [`Config`], from TOML
//! ([`Config::load`]) or the environment ([`Config::from_env`]). Feature
//! `immudb` adds the backend for a real immudb. [`Error::Ledger`] means that
//! the ledger is wrong, [`Error::Unavailable`] that it could not be asked.
//! [`StoreOptions`] gives a store its clock, randomness or progress display.
//!
//! An embedded ledger has one writer. Whoever only reads or
//! [follows](EventStore::follow) it, in this process or another, opens it with
//! [`EventStore::open_read_only`], beside the writer and under the same trust
//! file:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! use counterfoil::{Bookmark, Config, Cover, Event, EventStore, ExpectedVersion, ReadOptions};
//!
//! let mut config = Config::embedded(folder.path().join("orders.ledger"));
//! config.trust.file = Some(folder.path().join("orders.trust"));
//! let writer = EventStore::open(&config).await?;
//! let reader = EventStore::open_read_only(&config).await?;
//!
//! let cover = Cover::new("order", "1");
//! let events = [Event::new(&cover, "Placed", ""), Event::new(&cover, "Paid", "")];
//! writer.append(&cover, ExpectedVersion::NoStream, &events).await?;
//!
//! let read = reader.read(&cover, ReadOptions::forward()).await?;
//! assert_eq!(read.events.len(), 2);
//! let first = reader.follow(Bookmark::START).next().await.ok_or("no end")??;
//! assert_eq!(first.event().map(|event| event.event.event_type.as_str()), Some("Placed"));
//! # Ok(()) }
//! ```
#![forbid(unsafe_code)]

mod audit;
mod author;
mod backend;
pub mod body;
mod bookmark;
pub mod checkpoint;
mod config;
mod environment;
mod error;
mod event;
mod evidence;
mod found;
#[cfg(test)]
mod golden;
mod index;
mod local;
mod log;
#[cfg(feature = "immudb")]
mod orders;
mod paths;
mod payloads;
mod pin_copy;
mod pin_file;
mod place;
mod position;
mod proof;
mod prover;
mod receipt;
#[cfg(feature = "immudb")]
mod revision;
mod row;
mod schema;
mod server_state;
mod signing_key;
mod signing_thread;
mod sqlite;
mod store;
#[cfg(feature = "immudb")]
mod tables;
#[cfg(feature = "immudb")]
mod thin;
mod trust;
mod undecided;
mod verdict;
mod whole_file;

pub use counterfoil_core as core;
pub use counterfoil_core::{Alh, EntryDigest, Root, TrustedState, TxId};
pub use counterfoil_policy::{
    AnchorReport, AuthorBytes, AuthorReport, BodyReport, Bytes, EventReport, FileError, FlawReport,
    GenesisReport, HeaderReport, InspectedEvent, InspectedTx, Inspection, LinkReport, MovedPin,
    PathReport, PinMove, Place, PolicyError, PolicyFile, PolicyProblem, PolicySummary, Side,
    StateSignatureBytes, StateSignatureReport, Step, TlogPolicy, TrustPolicy, VerdictReport,
    WitnessesReport, load_state_key,
};

pub use crate::audit::{
    Audit, AuditCounts, AuditReport, AuditVerdict, AuditedAuthors, AuditedPayloads, Inconsistency,
    InconsistencyKind, Pace, PayloadProblem, PayloadProblemKind,
};
pub use crate::author::TrustedAuthor;
pub use crate::backend::embedded::backup::{BackedUp, back_up};
pub use crate::bookmark::Bookmark;
pub use crate::config::{
    Acknowledged, BackendKind, Config, EmbeddedConfig, FirstContact, ImmudbConfig, LogConfig,
    Scope, SigningConfig, StorageConfig, TlsMode, TrustConfig,
};
pub use crate::environment::{Clock, Entropy, SystemClock, SystemEntropy};
pub use crate::error::{Error, Result, StreamVersion, Unavailable};
pub use crate::event::{
    Cover, Edition, Event, ExpectedVersion, MAX_BODY, MAX_DOMAIN, MAX_EDITION, MAX_ROOT, Payload,
    PayloadCommitment, RecordedEvent,
};
pub use crate::evidence::Evidence;
pub use crate::payloads::{MAX_REASON, PayloadFuture, PayloadStore, SaltedPayload, SqlitePayloads};
pub use crate::pin_copy::PinCopyState;
pub use crate::pin_file::{Moved, PinFile};
pub use crate::position::LedgerPosition;
pub use crate::proof::{EventProof, ProvenHeader, TxProof};
pub use crate::server_state::ServerSignedState;
pub use crate::signing_key::{Ed25519Signer, SigningFailed, SigningKeyFile};
pub use crate::store::{
    AddedEvent, Appended, Direction, Erasure, EventStore, FinishedErasures, Follow, FollowOptions,
    Followed, IssuedReceipt, News, PayloadLack, Pipeline, ReadOptions, ReceiptOptions, Reexamined,
    Revealed, Status, StoreFiles, StoreOptions, StreamList, StreamRead, StreamStatus, Streams,
};
#[cfg(feature = "immudb")]
pub use crate::tables::{
    ProvenTable, SqlValue, TableCounts, TableGap, TableReport, Tables, VerifiedRow,
};
#[cfg(feature = "immudb")]
pub use crate::thin::{Advance, Claim, PresentEvent, PublishedTiles, ThinCost, ThinStore};
pub use crate::trust::{Anchor, LogRepair, Pin};
pub use crate::undecided::{TileFlaw, TileName, TileProblem, Undecided};
pub use crate::verdict::{Completeness, Finding, FindingKind, SchemaState, Verdict};

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
