//! Opening a connection, and saying clearly why it did not open.

use std::fmt;
use std::io;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, PgConnection};
use tokio::time::timeout;

use super::exchange::{KEPT, panicked};
use super::refusal::{Refusal, quoted};
use crate::config::{ImmudbConfig, TlsMode};
use crate::error::Unavailable;

const CONNECTING: &str = "connecting";

/// The database that every immudb has.
pub(super) const DEFAULT_DATABASE: &str = "defaultdb";

/// Where and how to connect.
#[derive(Clone)]
pub(super) struct Target {
    host: String,
    port: u16,
    username: String,
    database: String,
    tls: TlsMode,
    wait: Duration,
    options: PgConnectOptions,
}

/// sqlx's own options would print the password.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({}:{}/{})", self.host, self.port, self.database)
    }
}

impl Target {
    /// Reads the certificate authority, so that a missing file is told as one.
    pub(super) fn new(config: &ImmudbConfig) -> Result<Self, Unavailable> {
        let tls = config.tls_mode();
        let target = Self {
            host: config.host.clone(),
            port: config.port,
            username: config.username.clone(),
            database: config.database.clone(),
            tls,
            wait: Duration::from_secs(config.timeout_seconds),
            options: options(config, tls),
        };
        if tls == TlsMode::Disable {
            return Ok(target);
        }
        // sqlx takes a client certificate from the environment, and offers no
        // way to refuse it.
        if ["PGSSLCERT", "PGSSLKEY"].iter().any(|name| std::env::var_os(name).is_some()) {
            return Err(target.tls("unset PGSSLCERT and PGSSLKEY, which are not used here"));
        }
        let Some(path) = &config.ca else { return Ok(target) };
        let pem = std::fs::read(path).map_err(|cause| Unavailable::file(path.clone(), cause))?;
        // sqlx would quietly use none.
        if !pem.windows(27).any(|w| w == b"-----BEGIN CERTIFICATE-----") {
            return Err(target.tls(&format!("{} holds no PEM certificate", path.display())));
        }
        let options = target.options.clone().ssl_root_cert_from_pem(pem);
        Ok(Self { options, ..target })
    }

    /// The same server, another database.
    pub(super) fn with_database(&self, database: &str) -> Self {
        Self {
            database: database.into(),
            options: self.options.clone().database(database),
            ..self.clone()
        }
    }

    /// The database's name.
    pub(super) fn database(&self) -> &str {
        &self.database
    }

    /// How long to wait for an answer.
    pub(super) fn wait(&self) -> Duration {
        self.wait
    }

    /// Opens a connection. sqlx sends nothing but the startup message and the
    /// password.
    pub(super) async fn open(&self) -> Result<PgConnection, Unavailable> {
        let connecting = AssertUnwindSafe(self.options.connect()).catch_unwind();
        match timeout(self.wait, connecting).await {
            Err(_) => Err(Unavailable::Timeout { what: CONNECTING, seconds: self.wait.as_secs() }),
            Ok(Err(panic)) => {
                let problem = panicked(&*panic);
                Err(Unavailable::Garbled { what: CONNECTING, problem })
            }
            Ok(Ok(Err(error))) => Err(self.explain(error)),
            Ok(Ok(Ok(connection))) => Ok(connection),
        }
    }

    /// Why there is no connection.
    fn explain(&self, error: sqlx::Error) -> Unavailable {
        let (host, port) = (self.host.clone(), self.port);
        match error {
            sqlx::Error::Database(refused) => {
                let code = refused.code().unwrap_or_default();
                self.refused(refused.message(), &code)
            }
            // gRPC's first byte is no message of PostgreSQL's protocol, and
            // no answer to its request for TLS.
            sqlx::Error::Protocol(_) => Unavailable::WrongPort { host, port },
            sqlx::Error::Tls(cause) if cause.to_string().contains("does not support TLS") => self
                .tls(
                    "the server does not offer it; start immudb with a certificate, or set \
                     tls = \"disable\" if the network between is trusted",
                ),
            sqlx::Error::Tls(cause) => self.tls(&quoted(&cause.to_string())),
            // rustls reports what it does not accept so.
            sqlx::Error::Io(cause)
                if self.tls != TlsMode::Disable && cause.kind() == io::ErrorKind::InvalidData =>
            {
                self.tls(&quoted(&cause.to_string()))
            }
            sqlx::Error::Io(cause) => match cause.kind() {
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe => {
                    Unavailable::Connection { what: CONNECTING, cause: cause.to_string() }
                }
                _ => Unavailable::Refused { host, port, cause: cause.to_string() },
            },
            other => {
                Unavailable::Connection { what: CONNECTING, cause: quoted(&other.to_string()) }
            }
        }
    }

    /// What the server said instead of letting us in.
    fn refused(&self, message: &str, code: &str) -> Unavailable {
        match Refusal::of(message, code) {
            Refusal::Login => Unavailable::Password { username: self.username.clone() },
            Refusal::NoDatabase => Unavailable::MissingDatabase { database: self.database.clone() },
            // The code of a plain PostgreSQL for a missing database.
            _ if code == "3D000" => Unavailable::OldServer,
            // To log a user in, immudb's wire calls its own gRPC port; with
            // TLS on it does so in clear text unless told otherwise.
            _ if message.starts_with("connection error: desc =") => self.tls(
                "immudb's wire cannot reach its own gRPC port; start it with --auto-cert beside \
                 --certificate (naming the address it listens on, its authority's certificate \
                 in the same file) and --pkey",
            ),
            _ => Unavailable::Server { what: CONNECTING, message: quoted(message) },
        }
    }

    fn tls(&self, cause: &str) -> Unavailable {
        Unavailable::Tls { host: self.host.clone(), port: self.port, cause: cause.into() }
    }
}

/// sqlx fills what is not set from `PG*` variables: everything is set. What
/// cannot be set back is `PGOPTIONS`, which immudb ignores, and a client
/// certificate.
fn options(config: &ImmudbConfig, tls: TlsMode) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host(&config.host)
        .port(config.port)
        .username(&config.username)
        .password(&config.password)
        .database(&config.database)
        .application_name("counterfoil")
        .extra_float_digits(None)
        .statement_cache_capacity(KEPT)
        .ssl_mode(match tls {
            TlsMode::Disable => PgSslMode::Disable,
            TlsMode::Require => PgSslMode::Require,
            TlsMode::VerifyCa => PgSslMode::VerifyCa,
            TlsMode::VerifyFull => PgSslMode::VerifyFull,
        })
        // No authority beside those that sqlx has built in.
        .ssl_root_cert_from_pem(Vec::new())
        // A logged statement would hold every event.
        .disable_statement_logging()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(tls: TlsMode) -> Target {
        let config =
            ImmudbConfig { host: "db.example".into(), tls: Some(tls), ..Default::default() };
        Target::new(&config).unwrap()
    }

    fn said(tls: TlsMode, error: sqlx::Error) -> String {
        target(tls).explain(error).to_string()
    }

    #[test]
    fn the_password_is_not_shown() {
        let config = ImmudbConfig { password: "7654321".into(), ..Default::default() };
        assert!(!format!("{:?}", Target::new(&config).unwrap()).contains("7654321"));
    }

    #[test]
    fn what_the_operating_system_says_about_an_absent_server_is_told() {
        let refused = sqlx::Error::Io(io::ErrorKind::ConnectionRefused.into());
        let said = said(TlsMode::Disable, refused);
        assert!(said.contains("connection refused") && said.contains("--pgsql-server"), "{said}");
    }

    #[test]
    fn grpc_is_recognised_with_and_without_tls() {
        for (tls, words) in [
            (TlsMode::Disable, "unknown message type: '\\0'"),
            (TlsMode::VerifyFull, "unexpected response from SSLRequest: 0x00"),
        ] {
            let error = sqlx::Error::Protocol(words.into());
            assert!(matches!(target(tls).explain(error), Unavailable::WrongPort { .. }), "{words}");
        }
    }

    #[test]
    fn a_server_without_tls_and_a_bad_certificate_are_told_apart() {
        let none = said(TlsMode::Require, sqlx::Error::Tls("server does not support TLS".into()));
        assert!(none.contains("does not offer it"), "{none}");
        let bad = io::Error::new(io::ErrorKind::InvalidData, "invalid peer certificate: Expired");
        let bad = said(TlsMode::VerifyFull, sqlx::Error::Io(bad));
        assert!(bad.contains("TLS to db.example:5432") && bad.contains("Expired"), "{bad}");
    }

    #[test]
    fn the_servers_words_at_login_are_understood() {
        let target = target(TlsMode::Disable);
        assert!(matches!(
            target.refused("invalid user name or password", ""),
            Unavailable::Password { username } if username == "immudb"
        ));
        assert!(matches!(
            target.refused("selected db doesn't exists", "08004"),
            Unavailable::MissingDatabase { database } if database == "angzarr"
        ));
        let plain = target.refused("database \"angzarr\" does not exist", "3D000");
        assert!(matches!(plain, Unavailable::OldServer));
        let preface = "connection error: desc = \"error reading server preface: EOF\"";
        let tls = target.refused(preface, "").to_string();
        assert!(tls.contains("--auto-cert"), "{tls}");
        let permission = "Logged in user does not have permission on this database";
        assert!(matches!(target.refused(permission, ""), Unavailable::Server { .. }));
    }

    #[test]
    fn an_authority_without_a_certificate_is_refused() {
        let config = |ca: &str| ImmudbConfig {
            tls: Some(TlsMode::VerifyFull),
            ca: Some(ca.into()),
            ..Default::default()
        };
        assert!(matches!(
            Target::new(&config("no/such/file")).unwrap_err(),
            Unavailable::File { .. }
        ));
        let this_source = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert!(matches!(Target::new(&config(this_source)).unwrap_err(), Unavailable::Tls { .. }));
    }
}
