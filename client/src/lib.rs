//! An event store that proves every write and verifies every read.
#![forbid(unsafe_code)]
