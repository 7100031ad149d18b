//! The contract, against a real immudb.

mod contract;
#[path = "contract/reopening.rs"]
mod reopening;

use counterfoil::{BackendKind, Config, EventStore, StoreOptions};
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
        let server = server();
        let mut config = Config::default();
        config.storage.backend = BackendKind::Immudb;
        config.storage.immudb.host = server.host.clone();
        config.storage.immudb.port = server.port;
        config.storage.immudb.username = server.username.clone();
        config.storage.immudb.password = server.password.clone();
        config.storage.immudb.database = self.database.clone();
        config.log.path = Some(self.log.path().to_path_buf());
        config
    }
}

contract::contract!(crate::Immudb);
reopening::reopening_contract!(crate::Immudb);
