//! The contract, against an embedded ledger in memory.

mod contract;
mod signing;

use counterfoil::{EventStore, StoreOptions};

/// A ledger in memory, new at each opening.
struct Memory;

impl contract::Harness for Memory {
    fn new() -> Self {
        Self
    }

    async fn open_with(&self, options: StoreOptions) -> EventStore {
        options.in_memory().await.unwrap()
    }
}

contract::contract!(crate::Memory);
