//! Ledgers, true and false, and every kind of proof made from them: what the verifier is tested
//! against beyond the conformance vectors.

pub mod adversary;
pub mod case;
pub mod cost;
pub mod lax;
pub mod ledger;
pub mod oracle;
pub mod proof;
pub mod prover;

#[path = "../../../core/tests/reference/mod.rs"]
mod reference;
