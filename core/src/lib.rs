//! Verifies immudb's proofs.
#![no_std]
#![forbid(unsafe_code)]
