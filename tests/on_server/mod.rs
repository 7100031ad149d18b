//! The configuration of a store on the tests' immudb.

use std::path::Path;

use counterfoil::{BackendKind, Config};
use counterfoil_test_support::Server;

/// A database of `server`, its log in `log`.
pub(crate) fn config(server: &Server, database: String, log: impl AsRef<Path>) -> Config {
    let mut config = Config::default();
    config.storage.backend = BackendKind::Immudb;
    config.storage.immudb.host = server.host.clone();
    config.storage.immudb.port = server.port;
    config.storage.immudb.username = server.username.clone();
    config.storage.immudb.password = server.password.clone();
    config.storage.immudb.database = database;
    config.log.path = Some(log.as_ref().to_path_buf());
    config
}
