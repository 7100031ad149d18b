//! Verifies what an [immudb] ledger says about itself: that a transaction is in the ledger, that
//! an entry is in the transaction, that one state extends another, and that a SQL row is exactly
//! the row whose digest was proved.
//!
//! No allocation, no `unsafe`, no panic, no I/O, no clock. Every function is total: any number,
//! any bytes and any list of hashes are legal arguments, and what does not hold is an error that
//! says which step failed. The lengths of paths and chains are checked before anything is hashed,
//! so the work of a call is bounded by the size of its input. (`p256` and `ed25519` bring foreign
//! code, in which a panic cannot be ruled out so: `scripts/no-panic`.)
//!
//! # From a row to a trusted state
//!
//! ```
//! use counterfoil_core::*;
//!
//! # fn example(pinned: TrustedState, state_header: &Header<'_>, header: &Header<'_>,
//! #     tx_path: &[[u8; 32]], entry_path: &[[u8; 32]], table: &Table<'_>, row: &[Option<Value<'_>>])
//! # -> Result<(), Box<dyn std::error::Error>> {
//! // The transaction belongs to the ledger that the pinned state commits to.
//! let tx: VerifiedTx = pinned.verify_tx(state_header, header, tx_path)?;
//! // The row is entry 0 of that transaction. Its digest is computed, never taken on trust.
//! let entry: VerifiedEntry = tx.verify_row(table, row, 0, entry_path)?;
//! # let _ = entry; Ok(()) }
//! ```
//!
//! A [`VerifiedTx`] and a [`VerifiedEntry`] have no public constructor: holding one *is* the proof.
//!
//! # Which call
//!
//! | to show | trusted | call |
//! |---|---|---|
//! | a transaction is in the ledger | a state at or after it | [`TrustedState::verify_tx`], or by immudb's proofs [`verify_tx_dual`](TrustedState::verify_tx_dual), [`verify_tx_dual_v2`](TrustedState::verify_tx_dual_v2) |
//! | an entry is in a transaction | the [`VerifiedTx`] | [`VerifiedTx::verify_row`], [`verify_kv`](VerifiedTx::verify_kv), [`verify_catalog`](VerifiedTx::verify_catalog), [`verify_entry`](VerifiedTx::verify_entry) |
//! | a transaction has these entries and no others | the [`VerifiedTx`] | [`VerifiedTx::verify_all_entries`] |
//! | a table has this name, number and shape | the [`VerifiedTx`] that created it | [`VerifiedTx::verify_table`] |
//! | a later state extends an older one | the older state | [`TrustedState::verify_extension`], [`verify_extension_v2`](TrustedState::verify_extension_v2) |
//! | a first state is one at all | nothing | [`TrustedState::first_contact`] |
//! | a state is the server's, as one of a database | its key | `StateKey::verify` (feature `p256`) |
//! | a transaction is in a log that its operator and witnesses signed | their keys | `checkpoint::LogPolicy::verify_proof` (feature `ed25519`) |
//! | events are in a ledger, by a file that stands alone | a [`Policy`](receipt::Policy) | [`Receipt::verify`](receipt::Receipt::verify) |
//!
//! `examples/verify.rs` reads a proof of each kind from JSON and calls them; [`grpc`] says which
//! field of immudb's API goes where. [`trees`] teaches the two trees behind all of them, with
//! drawings. Below these calls lie the
//! single proofs: [`verify_inclusion`], [`verify_consistency`] (for immudb's own paths
//! [`verify_consistency_immudb`]), [`verify_linear`] and others.
//!
//! # What this crate does not do
//!
//! * It does not fetch, store or sign anything.
//! * It does not decide which [`TrustedState`] to trust. A proof under a state is worth exactly as
//!   much as the state.
//! * It does not show that a ledger is complete, or that a row is the first or the last written
//!   under its key: that takes an account of *all* entries of *all* transactions, for which
//!   [`Frontier`] and [`VerifiedTx::verify_all_entries`] are the building blocks.
//! * It does not know when something happened: [`Header::ts`] is the server's claim.
//! * It does not know whether a [`Table`] is the one in the ledger: prove its definition with
//!   [`VerifiedTx::verify_table`] first.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `ed25519` | no | `Ed25519Key`: signatures of authors, logs and witnesses; keys and policies of [`checkpoint`] |
//! | `hex` | no | `FromStr` for the digests and for [`TrustedState`] |
//! | `p256` | no | `StateKey`: the server's signature over a state (ECDSA P-256) |
//! | `serde` | no | `Serialize` and `Deserialize` for digests, numbers and [`TrustedState`] (implies `hex`) |
//!
//! # Formats
//!
//! Every integer that is hashed or stored is big-endian; `H` is SHA-256, `‖` joins bytes. The
//! formats are those of immudb 1.11.1, the trees those of [RFC 6962] and [RFC 9162].
//!
//! [immudb]: https://immudb.io
//! [RFC 6962]: https://www.rfc-editor.org/rfc/rfc6962
//! [RFC 9162]: https://www.rfc-editor.org/rfc/rfc9162
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::as_conversions
)]

mod catalog;
mod chain;
pub mod checkpoint;
#[cfg(test)]
mod cost;
mod digest;
mod dual;
#[cfg(feature = "ed25519")]
mod ed25519;
mod entry;
mod error;
mod extension;
mod frontier;
mod header;
mod index_entry;
mod key;
mod kv;
mod number;
mod policy;
pub mod receipt;
mod row;
mod sha256;
#[cfg(feature = "p256")]
mod signature;
mod state;
mod table;
mod tree;
mod verified;
mod wire;

#[doc = include_str!("../docs/trees.md")]
pub mod trees {}

#[doc = include_str!("../docs/grpc.md")]
pub mod grpc {}

pub use catalog::{CatalogEntry, CatalogKey, IndexColumns, TxEntry, VerifiedTable, index_digest};
pub use chain::{
    ChainLink, LinearAdvanceProof, LinearProof, TxAlh, verify_linear, verify_linear_advance,
};
pub use digest::{Alh, EntryDigest, InnerHash, LeafHash, Root, StateKeyId, ValueHash, node_hash};
pub use dual::{DualProof, DualProofV2};
#[cfg(feature = "ed25519")]
pub use ed25519::{Ed25519Error, Ed25519Key};
pub use entry::{EntryMetadata, KeyBeginning, entry_digest};
#[cfg(feature = "hex")]
pub use error::ParseError;
#[cfg(feature = "p256")]
pub use error::SignatureError;
pub use error::{
    CatalogError, ChainError, DualError, EntryError, HeaderError, KvError, Part, ProofError,
    RowError, TreeError,
};
pub use extension::{Extension, FirstContact};
pub use frontier::Frontier;
pub use header::{Header, HeaderVersion, TxMetadata};
pub use index_entry::IndexEntryKey;
pub use kv::{Binding, KvEntry, VerifiedKv};
pub use number::{LeafIndex, TreeSize, TxId};
pub use policy::ProofPolicy;
pub use row::Value;
#[cfg(feature = "p256")]
pub use signature::{SignedState, StateKey};
pub use state::TrustedState;
pub use table::{Column, ColumnType, MAX_INDEX_COLUMNS, MAX_KEY_LEN, Table};
pub use tree::{
    consistency_path_len, inclusion_path_len, verify_consistency, verify_consistency_immudb,
    verify_inclusion, verify_last_inclusion,
};
pub use verified::{VerifiedEntry, VerifiedTx};
