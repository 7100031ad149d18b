//! The contract, against a real immudb.

mod contract;
mod on_server;
#[path = "contract/reopening.rs"]
mod reopening;
mod signing;

use counterfoil::{Config, EventStore, StoreOptions};
use counterfoil_test_support::{TempDir, server, temp_dir};

/// A database of the shared server, and this client's log of it.
struct Immudb {
    database: String,
    log: TempDir,
}

impl contract::Harness for Immudb {
    fn new() -> Self {
        Self { database: server().fresh_database_name(), log: temp_dir("immudb-log") }
    }

    async fn open_with(&self, options: StoreOptions) -> EventStore {
        options.open(&reopening::Reopen::config(self)).await.unwrap()
    }
}

impl reopening::Reopen for Immudb {
    fn config(&self) -> Config {
        on_server::config(server(), self.database.clone(), &self.log)
    }
}

contract::contract!(crate::Immudb);
reopening::reopening_contract!(crate::Immudb);
