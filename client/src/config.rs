//! What a store needs to know, from TOML and the environment.

mod reading;

use std::fmt;
use std::path::{Path, PathBuf};

use counterfoil_core::{Alh, TrustedState, TxId};
use serde::{Deserialize, Serialize};

use self::reading::Problem;
use crate::author::TrustedAuthor;
use crate::error::{Error, Result, Unavailable};

/// The whole configuration. Unknown keys are errors; every key has a default.
///
/// ```
/// let config = counterfoil::Config::from_toml(r#"
///     [storage]
///     backend = "embedded"
///
///     [storage.embedded]
///     path = "shipments.ledger"
/// "#)?;
/// # Ok::<(), counterfoil::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where events are stored.
    pub storage: StorageConfig,
    /// What is known about the ledger beforehand.
    pub trust: TrustConfig,
    /// Where the log of an immudb ledger is kept.
    pub log: LogConfig,
    /// Who signs what is written.
    pub signing: SigningConfig,
}

/// `[storage]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageConfig {
    /// `backend`: which of the two is used.
    pub backend: BackendKind,
    /// `[storage.embedded]`.
    pub embedded: EmbeddedConfig,
    /// `[storage.immudb]`.
    pub immudb: ImmudbConfig,
}

/// The two backends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendKind {
    /// A ledger file, no server.
    #[default]
    Embedded,
    /// A real immudb.
    Immudb,
}

/// `[storage.embedded]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmbeddedConfig {
    /// The ledger file; created if absent.
    pub path: PathBuf,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self { path: PathBuf::from("counterfoil.ledger") }
    }
}

/// `[storage.immudb]`. The password never appears in `Debug`.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImmudbConfig {
    /// The host name or address.
    pub host: String,
    /// The port of the PostgreSQL wire (not 3322, which is gRPC).
    pub port: u16,
    /// The database; created at the first opening for writing.
    pub database: String,
    /// The user.
    pub username: String,
    /// The user's password.
    pub password: String,
    /// How the connection is protected; by default `verify-full` off
    /// loopback and `disable` on it.
    pub tls: Option<TlsMode>,
    /// A certificate authority (PEM) to accept beside the public ones that
    /// this program was built with. `verify-ca` accepts any certificate that
    /// one of them signed: `verify-full` is what protects.
    pub ca: Option<PathBuf>,
    /// Connections kept open, 1 to 16. The server refuses work past some 30
    /// concurrent statements over all its clients.
    pub connections: u32,
    /// Seconds to wait for one answer.
    pub timeout_seconds: u64,
    /// Whether other writers' tables may share the database.
    pub scope: Scope,
}

/// How the connection to immudb is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// Clear text, the password included.
    Disable,
    /// Encrypted, to whoever answers.
    Require,
    /// Encrypted, the certificate signed by a known authority.
    VerifyCa,
    /// Encrypted, the certificate signed by a known authority and naming the host.
    VerifyFull,
}

/// Who else may write to the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Nobody but this table's writers: what cannot be accounted for is
    /// searched for thoroughly.
    #[default]
    Exclusive,
    /// Other tables live in the database: transactions that show no row of
    /// ours are recorded as gaps and not searched for further.
    Shared,
}

impl Default for ImmudbConfig {
    fn default() -> Self {
        Self {
            host: "localhost".into(),
            port: 5432,
            database: "angzarr".into(),
            username: "immudb".into(),
            password: "immudb".into(),
            tls: None,
            ca: None,
            connections: 4,
            timeout_seconds: 30,
            scope: Scope::Exclusive,
        }
    }
}

impl ImmudbConfig {
    /// The mode that is used: the configured one, else by where the host is.
    pub fn tls_mode(&self) -> TlsMode {
        let loopback = self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        self.tls.unwrap_or(if loopback { TlsMode::Disable } else { TlsMode::VerifyFull })
    }
}

impl fmt::Debug for ImmudbConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImmudbConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("database", &self.database)
            .field("username", &self.username)
            .field("password", &"***")
            .field("tls", &self.tls)
            .field("ca", &self.ca)
            .field("connections", &self.connections)
            .field("timeout_seconds", &self.timeout_seconds)
            .field("scope", &self.scope)
            .finish()
    }
}

/// `[trust]`: what is known about the ledger beforehand.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrustConfig {
    /// A state that the ledger must contain, `"<tx>:<Alh in hex>"`.
    pub pin: Option<TrustedState>,
    /// The ledger's id, Alh(1) in hex. Prevents mix-ups, proves nothing by itself.
    pub ledger: Option<Alh>,
    /// What to do about a ledger that this client did not create and knows
    /// nothing about.
    pub first_contact: FirstContact,
    /// Where the pinned state of an embedded ledger is kept; by default in
    /// the platform's data folder, away from the ledger.
    pub file: Option<PathBuf>,
    /// Whether anything that costs completeness stops writes: a transaction
    /// that is not accounted for and not acknowledged, or an end that cannot
    /// be confirmed. Reads go on and say what they do not know.
    pub strict: bool,
    /// `[[trust.acknowledged]]`: transactions that somebody has looked into.
    pub acknowledged: Vec<Acknowledged>,
    /// `[[trust.author]]`: whose signatures count, and in which domains. Reads
    /// tell for each event; nothing is kept back.
    pub author: Vec<TrustedAuthor>,
}

/// `[[trust.acknowledged]]`: a transaction that is not accounted for, or that
/// changed the table, of which somebody takes responsibility. It changes
/// nothing of what was verified and no claim: answers stay incomplete and say
/// how many of the gaps are acknowledged. It lets writes go on, behind a change
/// of the table only where it says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledged {
    /// The transaction.
    pub tx: TxId,
    /// Its Alh: another transaction in its place is not acknowledged, and
    /// opening the ledger fails.
    pub alh: Alh,
    /// Why it is accepted, for whoever reads it later.
    pub reason: String,
    /// Whether that includes that it changed the table. By default it does
    /// not: who acknowledges a gap has not seen what may be found in it later,
    /// and writes stop when that is a change of the table.
    #[serde(default)]
    pub table_changed: bool,
}

impl TrustConfig {
    /// States that the ledger must contain: the pin, and what the ledger's id
    /// says, which is its first Alh.
    pub(crate) fn known(&self) -> impl Iterator<Item = TrustedState> {
        let first = |alh| TrustedState { tx: TxId::new(1), alh };
        self.pin.into_iter().chain(self.ledger.map(first))
    }
}

/// What to do about an unknown ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FirstContact {
    /// Refuse it, naming its id and state.
    #[default]
    Refuse,
    /// Believe what it shows this once and hold it to that from then on.
    Accept,
}

/// `[log]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// The folder for the logs of immudb ledgers; by default the platform's
    /// data folder.
    pub path: Option<PathBuf>,
}

/// `[signing]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SigningConfig {
    /// The file of the key with which a store signs all that it writes, as its
    /// author ([`SigningKeyFile`](crate::SigningKeyFile)); by default nothing is
    /// signed.
    pub key: Option<PathBuf>,
}

impl Config {
    /// An embedded ledger at `path`, everything else at its default.
    pub fn embedded(path: impl Into<PathBuf>) -> Self {
        let mut config = Self::default();
        config.storage.embedded.path = path.into();
        config
    }

    /// Reads TOML; the environment is not looked at. Names of files in it are relative to the working
    /// directory, as there is no other.
    ///
    /// # Errors
    ///
    /// [`Error::Config`], with the line and the key.
    pub fn from_toml(text: &str) -> Result<Self> {
        reading::read(text, None)
    }

    /// Reads a TOML file, then lets the environment override it. Names of files in it, and the default
    /// of `storage.embedded.path`, are relative to its folder, wherever the program is run: to the
    /// folder of the name that is given here, also if that is a link.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the file cannot be read; [`Error::Config`], with the file, the line and
    /// the key.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|cause| Unavailable::file(path, cause))?;
        let mut config = reading::read(&text, Some(path))?;
        if let Some(folder) = path.parent() {
            config.lie_in(folder);
        }
        config.with_env()
    }

    /// Takes the names of files for names in this folder.
    fn lie_in(&mut self, folder: &Path) {
        let Self { storage, trust, log, signing } = self;
        let named = [&mut storage.immudb.ca, &mut trust.file, &mut log.path, &mut signing.key];
        for file in named.into_iter().flatten().chain([&mut storage.embedded.path]) {
            *file = folder.join(&*file);
        }
    }

    /// The defaults, overridden by the environment.
    pub fn from_env() -> Result<Self> {
        Self::default().with_env()
    }

    /// Lets `STORAGE_BACKEND` and `IMMUDB_HOST`, `_PORT`, `_DATABASE`,
    /// `_USERNAME`, `_PASSWORD` override what is configured.
    pub fn with_env(self) -> Result<Self> {
        self.with_vars(|name| std::env::var(name).ok())
    }

    fn with_vars(mut self, var: impl Fn(&str) -> Option<String>) -> Result<Self> {
        if let Some(backend) = var("STORAGE_BACKEND") {
            self.storage.backend = match backend.as_str() {
                "embedded" => BackendKind::Embedded,
                "immudb" => BackendKind::Immudb,
                other => {
                    return Err(Error::Config(format!(
                        "STORAGE_BACKEND is {other:?}; it must be \"embedded\" or \"immudb\""
                    )));
                }
            };
        }
        let immudb = &mut self.storage.immudb;
        if let Some(port) = var("IMMUDB_PORT") {
            immudb.port = port.parse().map_err(|_| {
                Error::Config(format!("IMMUDB_PORT is {port:?}, not a port number"))
            })?;
        }
        for (name, field) in [
            ("IMMUDB_HOST", &mut immudb.host),
            ("IMMUDB_DATABASE", &mut immudb.database),
            ("IMMUDB_USERNAME", &mut immudb.username),
            ("IMMUDB_PASSWORD", &mut immudb.password),
        ] {
            if let Some(value) = var(name) {
                *field = value;
            }
        }
        self.check()?;
        Ok(self)
    }

    fn check(&self) -> Result<(), Problem> {
        let immudb = &self.storage.immudb;
        if !(1..=16).contains(&immudb.connections) {
            return Err(Problem::new("storage.immudb.connections", "it must be 1 to 16"));
        }
        if immudb.timeout_seconds == 0 {
            return Err(Problem::new("storage.immudb.timeout_seconds", "it must not be 0"));
        }
        let mut acknowledged: Vec<TxId> = Vec::new();
        for (at, Acknowledged { tx, reason, .. }) in self.trust.acknowledged.iter().enumerate() {
            let key = |name| format!("trust.acknowledged[{at}].{name}");
            if acknowledged.contains(tx) {
                return Err(Problem::new(key("tx"), format!("{tx} is named twice")));
            }
            if reason.trim().is_empty() {
                return Err(Problem::new(key("reason"), "it gives no reason"));
            }
            acknowledged.push(*tx);
        }
        for (at, author) in self.trust.author.iter().enumerate() {
            let key = |name| format!("trust.author[{at}].{name}");
            if author.domains == Some(Vec::new()) {
                let what = "it is empty: leave it out for all domains, or the author";
                return Err(Problem::new(key("domains"), what));
            }
            let same = |other: &&TrustedAuthor| {
                other.name.is_some() && other.name == author.name && other.key != author.key
            };
            if author.name.as_deref() == Some("") || self.trust.author.iter().any(|o| same(&o)) {
                return Err(Problem::new(key("name"), "it does not name one author"));
            }
        }
        let name_ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let name = &immudb.database;
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(name_ok) {
            return Err(Problem::new(
                "storage.immudb.database",
                format!(
                    "{name:?} is none; it must be lower-case letters, digits and _, a letter first"
                ),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_keys_are_read_and_unknown_ones_refused() {
        let config = Config::from_toml(
            r#"
            [storage]
            backend = "immudb"
            [storage.immudb]
            host = "db.example"
            port = 5433
            database = "angzarr"
            username = "u"
            password = "p"
            "#,
        )
        .unwrap();
        assert_eq!(config.storage.backend, BackendKind::Immudb);
        assert_eq!(config.storage.immudb.port, 5433);
        assert_eq!(config.storage.immudb.tls_mode(), TlsMode::VerifyFull);
        assert!(Config::from_toml("[storage]\nbackends = 1").is_err());
        assert!(Config::from_toml("[storage.immudb]\ndatabase = \"a;b\"").is_err());
    }

    #[test]
    fn a_gap_is_acknowledged_by_transaction_alh_and_reason() {
        let entry = |tx: u64, reason: &str| {
            let alh = "ab".repeat(32);
            format!("[[trust.acknowledged]]\ntx = {tx}\nalh = \"{alh}\"\nreason = \"{reason}\"\n")
        };
        let two = format!("[trust]\nstrict = true\n{}{}", entry(5, "a test"), entry(6, "too"));
        let trust = Config::from_toml(&two).unwrap().trust;
        assert!(trust.strict);
        let [first, second] = &trust.acknowledged[..] else { panic!("{trust:?}") };
        assert_eq!(
            (first.tx, first.alh, &*first.reason),
            (TxId::new(5), Alh::new([0xab; 32]), "a test")
        );
        assert_eq!(second.tx, TxId::new(6));
        assert!(!first.table_changed);
        let changed = entry(5, "undone") + "table_changed = true\n";
        assert!(Config::from_toml(&changed).unwrap().trust.acknowledged[0].table_changed);
        for wrong in [
            entry(5, " "),
            entry(5, "a") + &entry(5, "b"),
            entry(5, "a").replace("reason", "because"),
            entry(5, "a").replace("ab", ""),
            "[[trust.acknowledged]]\ntx = 5\nreason = \"a\"".to_owned(),
        ] {
            assert!(Config::from_toml(&wrong).is_err(), "{wrong}");
        }
        assert!(!Config::default().trust.strict);
    }

    #[test]
    fn an_error_names_the_line_and_never_the_password() {
        for wrong in [
            "password = 7654321",
            "password = \"7654321",
            "pasword = \"7654321\"",
            "password = '7654321' x",
            "host = 1 # password: 7654321",
        ] {
            let text = format!("[storage.immudb]\nport = 1\n{wrong}\n");
            let error = Config::from_toml(&text).unwrap_err().to_string();
            assert!(error.contains("line 3") && !error.contains("7654321"), "{wrong}: {error}");
        }
        let inline = "[storage]\nimmudb = { password = \"7654321\", port = \"x\" }";
        let error = Config::from_toml(inline).unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("7654321"), "{error}");
        let helpful = Config::from_toml("[storage]\nbackends = 1").unwrap_err().to_string();
        assert!(helpful.contains("line 2") && helpful.contains("backends"), "{helpful}");
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let config = Config::default()
            .with_vars(|name| match name {
                "STORAGE_BACKEND" => Some("immudb".into()),
                "IMMUDB_PORT" => Some("6000".into()),
                "IMMUDB_PASSWORD" => Some("secret".into()),
                _ => None,
            })
            .unwrap();
        assert_eq!(config.storage.backend, BackendKind::Immudb);
        assert_eq!(config.storage.immudb.port, 6000);
        assert!(!format!("{config:?}").contains("secret"));
        assert!(Config::default().with_vars(|n| (n == "IMMUDB_PORT").then(|| "x".into())).is_err());
    }
}
