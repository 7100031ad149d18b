//! The contract, against an embedded ledger in a file.

mod contract;
#[path = "contract/reopening.rs"]
mod reopening;
mod signing;

use counterfoil::{Config, EventStore, StoreOptions};
use counterfoil_test_support::{TempDir, temp_dir};

/// A ledger file and its trust file.
struct File(TempDir);

impl contract::Harness for File {
    fn new() -> Self {
        Self(temp_dir("embedded"))
    }

    async fn open_with(&self, options: StoreOptions) -> EventStore {
        options.open(&reopening::Reopen::config(self)).await.unwrap()
    }
}

impl reopening::Reopen for File {
    fn config(&self) -> Config {
        let mut config = Config::embedded(self.0.join("ledger"));
        config.trust.file = Some(self.0.join("trust"));
        config
    }
}

contract::contract!(crate::File);
reopening::reopening_contract!(crate::File);
