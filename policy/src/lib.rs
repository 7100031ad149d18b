//! What somebody who verifies receipts trusts, and what receipts show under it, as data: the same words and
//! keys in the library, on the command line and in a browser (`docs/policy.md`).
//!
//! ```
//! use counterfoil_policy::TrustPolicy;
//!
//! # fn example(json: &str, receipt: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! let policy = TrustPolicy::from_json(json)?;
//! let report = policy.verify(receipt, &[]);
//! println!("{}: {}", report.verdict, report.detail);
//! let told = serde_json::to_string(&report)?;
//! # Ok(()) }
//! ```
//!
//! Nothing here asks anybody or keeps anything; only what has the feature `toml` reads files, where
//! there are any. The crate `counterfoil` has all of this under its own name.
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `p256` | no | state keys, with which immudb signs its states; without it a policy that has one is refused |
//! | `toml` | no | policies in TOML; `load`: policies and keys in files, and where a policy's pin moved |
#![forbid(unsafe_code)]

mod bytes;
mod event;
mod policy;
mod report;
mod salted;

pub use counterfoil_core as core;

pub use crate::bytes::Bytes;
pub use crate::event::{
    Cover, Edition, Event, MAX_DOMAIN, MAX_EDITION, MAX_ROOT, Payload, PayloadCommitment,
};
#[cfg(feature = "toml")]
pub use crate::policy::PolicyFile;
#[cfg(all(feature = "toml", feature = "p256"))]
pub use crate::policy::load_state_key;
pub use crate::policy::{
    FileError, MovedPin, PinMove, PolicyError, PolicyProblem, PolicySummary, TlogPolicy,
    TrustPolicy,
};
pub use crate::report::{
    AnchorReport, AuthorBytes, AuthorReport, BodyReport, EventReport, FlawReport, GenesisReport,
    HeaderReport, InspectedEvent, InspectedTx, Inspection, LinkReport, PathReport, Place, Side,
    StateSignatureBytes, StateSignatureReport, Step, VerdictReport, WitnessesReport,
};
pub use crate::salted::SaltedPayload;
