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

/// These columns of all rows of a stream of the main edition; the root in hex. As
/// text: sqlx reports what immudb answers to bound values as errors.
pub(crate) fn rows(columns: &str, domain: &str, root: &str) -> String {
    format!(
        "SELECT {columns} FROM events WHERE domain = x'{}' AND edition = x'' AND root = x'{root}';",
        hex::encode(domain)
    )
}
