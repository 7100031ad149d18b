//! The server as anybody talks to it who verifies nothing.

use anyhow::Result;
use counterfoil::Config;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Connection as _, PgConnection};

/// Connects to one of the server's databases.
pub(crate) async fn connect(config: &Config, database: &str) -> Result<PgConnection> {
    let immudb = &config.storage.immudb;
    let options = PgConnectOptions::new_without_pgpass()
        .host(&immudb.host)
        .port(immudb.port)
        .username(&immudb.username)
        .password(&immudb.password)
        .database(database)
        .extra_float_digits(None)
        .ssl_mode(PgSslMode::Disable);
    Ok(PgConnection::connect_with(&options).await?)
}

/// All rows of a stream of the main edition; the root in hex.
pub(crate) fn history(domain: &str, root: &str) -> String {
    format!(
        "SELECT domain, edition, root, event_number, ext, seen_tx, body FROM (HISTORY OF events) \
         WHERE domain = x'{}' AND edition = x'' AND root = x'{root}';",
        hex::encode(domain)
    )
}
