//! Receipts: what shows alone, years later, that events are in a ledger.
//!
//! A receipt holds the events, their paths to their transactions, those transactions' paths to a
//! state of the ledger, and what ties that state to others. It holds nothing that is trusted: that
//! is the verifier's [`Policy`]. Its bytes are described in `docs/receipt.md`, so that any language
//! can read them.
//!
//! ```
//! use counterfoil_core::receipt::{Policy, Receipt, Verdict};
//! use counterfoil_core::{Alh, TrustedState};
//!
//! # fn example(bytes: &[u8], ledger: Alh, pinned: TrustedState) -> Result<(), Box<dyn std::error::Error>> {
//! let pins = [pinned];
//! let policy = Policy::new(ledger).with_pins(&pins)?;
//! let receipt = Receipt::parse(bytes)?;
//! let judgement = receipt.verify(&policy);
//! match judgement.verdict() {
//!     Verdict::Verified(anchor) => {
//!         for judged in judgement.events() {
//!             println!("{anchor}: {}", judged.event().body.event_type);
//!         }
//!     }
//!     other => println!("{}: {other}", other.word()),
//! }
//! # Ok(()) }
//! ```
//!
//! A device without room for that verifies the simplest kind of receipt alone: [`verify_pinned`].
//!
//! # What a verified receipt does not prove
//!
//! * That the event is the first or the only one of its key: that takes an account of all entries
//!   of all transactions before it. A receipt says `written at transaction N, entry i`.
//! * That its place in the stream follows, or that its id is new: [`EventBody::prev_event`] and
//!   [`EventBody::seen_alh`] are the writer's claims and are compared with nothing.
//! * Who wrote it: whoever may write to the database may write anything. Where an author signed the
//!   event, that is told beside ([`JudgedEvent::authorship`]).
//! * When: [`ReceiptEvent::ts`] is the server's claim, [`EventBody::recorded_at`] the writer's.

mod author;
mod body;
mod checkpoint;
mod cursor;
mod encode;
mod error;
mod flaw;
mod judgement;
mod known;
mod layout;
#[cfg(feature = "ed25519")]
mod log;
mod parse;
mod path;
mod pin;
mod pinned;
mod placed;
mod policy;
mod schema;
#[cfg(feature = "p256")]
mod signature;
#[cfg(not(feature = "ed25519"))]
mod unlogged;
mod verdict;
mod verify;

#[cfg(feature = "ed25519")]
pub use author::Author;
pub use author::Authorship;
pub use body::{EventBody, Metadata, Payload};
pub use checkpoint::ReceiptCheckpoint;
pub use encode::{Attached, Link, ReceiptEntry, ReceiptParts, ReceiptTx, StateSignature};
pub use error::{BodyRule, ReceiptError, ReceiptErrorKind};
pub use flaw::Flaw;
pub use judgement::{JudgedEvent, Judgement};
pub use parse::{Receipt, ReceiptEvent};
pub use pin::{NextPin, PinStays};
pub use pinned::{NotPinned, verify_pinned};
pub use placed::{PlacedEvent, PlacedPath, PlacedTx};
pub use policy::{Policy, PolicyError};
pub use schema::{Genesis, events_table};
#[cfg(feature = "p256")]
pub use signature::ServerKey;
pub use verdict::{Anchor, Missing, Verdict};
