//! The server that all tests of a process share.

use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, io, thread};

use crate::folder::unique;
use crate::private::{Options, PrivateServer};
use crate::{go, wire};

/// Long enough for a busy machine with two cores.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const REMEDY: &str = "The tests need a real immudb 1.11: name a running one in IMMUDB_HOST \
    (and IMMUDB_PORT, IMMUDB_USERNAME, IMMUDB_PASSWORD), or install Go 1.21 or newer \
    (scripts/test does), or start Docker and add \
    `--features counterfoil-test-support/docker`.";

/// Where an immudb answers on PostgreSQL's wire, without TLS.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its host.
    pub host: String,
    /// The port of its PostgreSQL wire.
    pub port: u16,
    /// A user who may create databases.
    pub username: String,
    /// That user's password.
    pub password: String,
}

/// The one server of this test process. Tests share it, so each takes a
/// database of its own: [`Server::fresh_database_name`].
///
/// # Panics
/// When there is none and none can be started; the message says how to get one.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    match SERVER.get_or_init(find) {
        Ok(server) => server,
        Err(message) => panic!("{message}"),
    }
}

fn find() -> Result<Server, String> {
    // Kept for the life of the process, which is the life of the server.
    static STARTED: OnceLock<PrivateServer> = OnceLock::new();
    if let Some(server) = from_environment()? {
        return Ok(server);
    }
    let no_go = match go::server_binary() {
        Ok(binary) => {
            let started = PrivateServer::start(binary, &Options::default())?;
            return Ok(STARTED.get_or_init(|| started).server().clone());
        }
        Err(message) => message,
    };
    from_docker().map_err(|no_docker| format!("{REMEDY} Go: {no_go}. Docker: {no_docker}."))
}

fn from_environment() -> Result<Option<Server>, String> {
    let var = |name, default: &str| match env::var(name) {
        Ok(value) if !value.is_empty() => value,
        _ => default.to_owned(),
    };
    let host = var("IMMUDB_HOST", "");
    if host.is_empty() {
        return Ok(None);
    }
    let port = var("IMMUDB_PORT", "5432");
    let port = port.parse().map_err(|_| format!("IMMUDB_PORT is no port: {port}"))?;
    let (username, password) = (var("IMMUDB_USERNAME", "immudb"), var("IMMUDB_PASSWORD", "immudb"));
    let server = Server { host, port, username, password };
    server.wait(Duration::from_secs(20)).map_err(|e| {
        let Server { host, port, .. } = &server;
        format!("IMMUDB_HOST={host} is set, but no immudb answers at port {port}: {e}")
    })?;
    Ok(Some(server))
}

#[cfg(feature = "docker")]
fn from_docker() -> Result<Server, String> {
    static CONTAINER: OnceLock<Box<dyn std::any::Any + Send + Sync>> = OnceLock::new();
    let (container, host, port) = crate::docker::start()?;
    CONTAINER.get_or_init(|| Box::new(container));
    let server = Server { host, port, ..Server::local(port) };
    server.wait(PATIENCE).map_err(|e| format!("the container does not answer: {e}"))?;
    Ok(server)
}

#[cfg(not(feature = "docker"))]
fn from_docker() -> Result<Server, String> {
    Err("the feature `docker` is off".to_owned())
}

impl Server {
    pub(crate) fn local(port: u16) -> Self {
        let immudb = || "immudb".to_owned();
        Self { host: "127.0.0.1".to_owned(), port, username: immudb(), password: immudb() }
    }

    /// A name that no database has, on this server or any other: 14 lower-case
    /// letters and digits. The database is the caller's to create.
    pub fn fresh_database_name(&self) -> String {
        format!("t{}", unique())
    }

    fn wait(&self, patience: Duration) -> io::Result<()> {
        let log_in = || wire::log_in(&self.host, self.port, &self.username, &self.password);
        retry(patience, log_in, || Ok(()))
    }
}

/// Calls `f` until it succeeds, `go_on` fails or patience ends.
pub(crate) fn retry(
    patience: Duration,
    f: impl Fn() -> io::Result<()>,
    mut go_on: impl FnMut() -> io::Result<()>,
) -> io::Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        match f() {
            Err(e) if Instant::now() > deadline => return Err(e),
            Err(_) => go_on()?,
            done => return done,
        }
        thread::sleep(Duration::from_millis(50));
    }
}
