//! Ledgers, true and false, and every kind of proof made from them: what the verifier is tested
//! against beyond the conformance vectors.
