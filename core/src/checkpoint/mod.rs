//! The ledger as a transparency log of the kind that [C2SP] describes: checkpoints, the notes that
//! carry their signatures, and proofs under them.
//!
//! A ledger is an RFC 6962 log whose leaf n − 1 is `H(00 ‖ Alh(n))`. A checkpoint names the log
//! (*origin*), its size and its root. The log's key signs it, and witnesses, who keep an eye on that it
//! only ever grows, cosign it. Then no two verifiers can be shown two histories, unless a whole quorum
//! of witnesses takes part.
//!
//! ```
//! # #[cfg(feature = "ed25519")]
//! # fn example(log: &str, witness: &str, bytes: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! use counterfoil_core::checkpoint::{LogKey, LogPolicy, Member, Note, Quorum, WitnessKey};
//!
//! let logs = [LogKey::parse(log)?];
//! let witnesses = [WitnessKey::parse(witness)?];
//! let quorum = Quorum::new(&witnesses, &[], Member::Witness(0))?;
//! let policy = LogPolicy::new(&logs)?.with_quorum(&quorum)?;
//! let trusted = policy.open(&Note::parse(bytes)?)?;
//! println!("size {}, root {}", trusted.checkpoint().size(), trusted.checkpoint().root());
//! # Ok(()) }
//! ```
//!
//! | text | read by | written by `Display` of |
//! |---|---|---|
//! | checkpoint | [`Checkpoint::parse`] | [`Checkpoint`] |
//! | what a witness signs | | [`CosignedMessage`] |
//! | signed note | [`Note::parse`] | [`Checkpoint`], an empty line, [`NoteSignature`]s |
//! | verifier key | `LogKey::parse`, `WitnessKey::parse` | `LogKey`, `WitnessKey` |
//! | proof of a transaction | [`TlogProof::parse`] | [`TlogProofText`] |
//!
//! # Where it is stricter than the specifications
//!
//! * An origin is a key's name: no space and no `+`, for the log's key bears it.
//! * A name has at most 255 bytes; a note a million, and 100 signatures, as in Go's package `note`.
//! * Text holds no control character at all, not only none below U+0020.
//! * Base64 has its one form: all padding, and no bit set that is not used.
//! * The empty tree has its one root, `H("")`.
//! * A verifier key's id is the hash of its name, type and key, in lower case.
//! * Every signature by a known key must be right, also the second one by the same key.
//! * One key is not log and witness at once.
//!
//! # What it does not do
//!
//! Signatures are Ed25519: types `01` for logs and `04` for witnesses. ECDSA (`02`) and ML-DSA-44
//! (`06`) are unknown keys: their lines are read, passed over and count for nothing, and a verifier key
//! of such a type is refused.
//!
//! [C2SP]: https://c2sp.org

mod base64;
mod error;
#[cfg(feature = "ed25519")]
mod key;
mod lines;
mod message;
mod name;
mod note;
#[cfg(feature = "ed25519")]
mod policy;
mod proof;
#[cfg(feature = "ed25519")]
mod quorum;
mod signature;
mod text;

pub use error::NoteError;
#[cfg(feature = "ed25519")]
pub use error::{CheckpointError, KeyError, QuorumError};
#[cfg(feature = "ed25519")]
pub use key::{LogKey, WitnessKey};
pub use message::CosignedMessage;
pub use name::{KeyId, KeyName};
pub use note::Note;
#[cfg(feature = "ed25519")]
pub use policy::{LogPolicy, LoggedTx, TrustedCheckpoint, Witnesses};
pub use proof::{TlogProof, TlogProofText};
#[cfg(feature = "ed25519")]
pub use quorum::{Group, Member, Quorum};
pub use signature::NoteSignature;
pub use text::Checkpoint;
