//! Cases of the conformance vectors' format, to be put to our verifier and to immudb's.
//!
//! Fields are named and written as in `tests/vectors/README.md`.
#![allow(missing_docs)] // that page documents them

mod answer;
mod by_hash;
mod from_proof;
mod hashes;
mod mutate;
mod proof;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use answer::{Answer, Refusal};
pub use by_hash::{EntryMetadataJson, EntryOfDigest, SignedState, TxHeader};
pub use hashes::{Bytes, Hashes, Hex};
pub use mutate::mutate;
pub use proof::{AdvanceJson, DualJson, DualV2Json, HeaderJson, LinearJson, MetadataJson};

/// One question about one proof.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum Case {
    EntryTreeInclusion(EntryTreeInclusion),
    TxTreeInclusion(TxTreeInclusion),
    TxTreeLastInclusion(TxTreeLastInclusion),
    TxTreeConsistency(TxTreeConsistency),
    Linear(Between<LinearJson>),
    LinearAdvance(LinearAdvance),
    Dual(Between<DualJson>),
    DualV2(Between<DualV2Json>),
    TxHeader(TxHeader),
    EntryOfDigest(EntryOfDigest),
    SignedState(SignedState),
}

impl Case {
    /// Reads a case of a kind. `None` for another kind, or for numbers beyond 64 bits.
    pub fn read(kind: &str, case: &Value) -> Option<Self> {
        fn read<T: DeserializeOwned>(case: &Value) -> Option<T> {
            T::deserialize(case).ok()
        }
        match kind {
            "entry_tree_inclusion" => read(case).map(Self::EntryTreeInclusion),
            "tx_tree_inclusion" => read(case).map(Self::TxTreeInclusion),
            "tx_tree_last_inclusion" => read(case).map(Self::TxTreeLastInclusion),
            "tx_tree_consistency" => read(case).map(Self::TxTreeConsistency),
            "linear_proof" => read(case).map(Self::Linear),
            "linear_advance_proof" => read(case).map(Self::LinearAdvance),
            "dual_proof" => read(case).map(Self::Dual),
            "dual_proof_v2" => read(case).map(Self::DualV2),
            "tx_header" => read(case).map(Self::TxHeader),
            "entry_digest" => read(case).map(Self::EntryOfDigest),
            "signed_state" => read(case).map(Self::SignedState),
            _ => None,
        }
    }

    /// The vectors' name of its kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::EntryTreeInclusion(_) => "entry_tree_inclusion",
            Self::TxTreeInclusion(_) => "tx_tree_inclusion",
            Self::TxTreeLastInclusion(_) => "tx_tree_last_inclusion",
            Self::TxTreeConsistency(_) => "tx_tree_consistency",
            Self::Linear(_) => "linear_proof",
            Self::LinearAdvance(_) => "linear_advance_proof",
            Self::Dual(_) => "dual_proof",
            Self::DualV2(_) => "dual_proof_v2",
            Self::TxHeader(_) => "tx_header",
            Self::EntryOfDigest(_) => "entry_digest",
            Self::SignedState(_) => "signed_state",
        }
    }

    /// The case as the vectors write it.
    pub fn json(&self) -> Value {
        serde_json::to_value(self).expect("strings and numbers only")
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EntryTreeInclusion {
    pub leaf_index: u64,
    pub width: u64,
    pub terms: Hashes,
    pub entry_digest: Hex,
    pub root: Hex,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TxTreeInclusion {
    pub i: u64,
    pub j: u64,
    pub terms: Hashes,
    pub leaf_hash: Hex,
    pub root_j: Hex,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TxTreeLastInclusion {
    pub i: u64,
    pub terms: Hashes,
    pub leaf_hash: Hex,
    pub root: Hex,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TxTreeConsistency {
    pub i: u64,
    pub j: u64,
    pub terms: Hashes,
    pub root_i: Hex,
    pub root_j: Hex,
}

/// A proof between two transactions.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Between<P> {
    pub source_tx_id: u64,
    pub target_tx_id: u64,
    pub source_alh: Hex,
    pub target_alh: Hex,
    pub proof: Option<P>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LinearAdvance {
    pub start_tx_id: u64,
    pub end_tx_id: u64,
    pub end_alh: Hex,
    pub tree_root: Hex,
    pub tree_size: u64,
    pub proof: Option<AdvanceJson>,
}
