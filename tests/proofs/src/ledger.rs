//! Ledgers that own their parts: honest ones, and tangles of transactions of which several stand
//! under one number.
//!
//! Everything is hashed here with code that shares nothing with the verifier's. What a ledger looks
//! like is chosen from an [`Unstructured`](arbitrary::Unstructured): by a fuzzer, by a property
//! test or, through [`bytes_of_seed`], by a plain number.

mod by_hand;
mod choose;
mod header;
mod honest;
mod tangle;
mod tree;

pub use by_hand::tree_sequences;
pub use choose::bytes_of_seed;
pub use header::OwnedHeader;
pub use honest::{Entries, Ledger};
pub use tangle::{Size, Tangle, Variant};
pub use tree::{Nodes, Position};

pub(crate) use crate::reference::{leaf, node};
pub(crate) use header::chain;

/// 32 bytes, whatever they stand for.
pub type Hash = [u8; 32];
