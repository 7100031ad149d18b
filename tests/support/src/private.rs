//! Servers of a test's own, to stop, kill and roll back.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, io, thread};

use crate::folder::{TempDir, copy_dir, temp_dir};
use crate::server::{PATIENCE, Server, retry};
use crate::{go, wire};

/// How a [`PrivateServer`] starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether it speaks PostgreSQL's wire, which a release does not unless
    /// told. Without it, `port` refuses connections and gRPC answers.
    pub pgsql: bool,
    /// More of immudb's own flags.
    pub flags: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { pgsql: true, flags: vec![] }
    }
}

/// A server with a data folder of its own, on ports of its own that it keeps
/// for life. It ends with this value or with the test process, however that
/// ends.
#[derive(Debug)]
pub struct PrivateServer {
    server: Server,
    grpc_port: u16,
    binary: PathBuf,
    options: Options,
    /// Its time zone, as a file.
    zone: Option<PathBuf>,
    // Before the folder: dropped first.
    child: Option<Running>,
    folder: TempDir,
}

/// A copy of a stopped server's data: [`PrivateServer::save`].
#[derive(Debug)]
pub struct Saved(TempDir);

impl Server {
    /// Starts a private server with the PostgreSQL wire on.
    ///
    /// # Panics
    /// When it cannot be built or started.
    pub fn start_private() -> PrivateServer {
        Self::start_private_with(&Options::default())
    }

    /// Starts a private server.
    ///
    /// # Panics
    /// When it cannot be built or started.
    pub fn start_private_with(options: &Options) -> PrivateServer {
        let need = |e| format!("This test stops and starts immudb itself and needs Go 1.21: {e}");
        let started = go::server_binary().map_err(need);
        started.and_then(|b| PrivateServer::start(b, options)).unwrap_or_else(|e| panic!("{e}"))
    }
}

impl PrivateServer {
    pub(crate) fn start(binary: PathBuf, options: &Options) -> Result<Self, String> {
        let mut attempts = 3;
        loop {
            let [port, grpc_port] = free_ports().map_err(|e| format!("no free port: {e}"))?;
            let mut server = Self {
                server: Server::local(port),
                grpc_port,
                binary: binary.clone(),
                options: options.clone(),
                zone: None,
                child: None,
                folder: temp_dir("immudb"),
            };
            attempts -= 1;
            match server.launch() {
                Ok(()) => return Ok(server),
                // Somebody was faster at the port.
                Err(e) if attempts > 0 && e.contains("address already in use") => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Where it answers.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The port of its gRPC interface: where a client that mistakes the ports
    /// ends up.
    pub fn grpc_port(&self) -> u16 {
        self.grpc_port
    }

    /// Its data, to be touched only while it is stopped.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Carries out commands over gRPC, as an operator with the official client:
    /// `sql …`, `set KEY VALUE`, `create`, `truncate`, `state` (see
    /// `tests/immudb/operator`). Gives what they print.
    ///
    /// # Panics
    /// When one fails.
    pub fn operate(&self, database: &str, commands: &[&str]) -> String {
        let binary = go::operator_binary().unwrap_or_else(|e| panic!("{e}"));
        let state = temp_dir("operator");
        let mut operator = Command::new(binary);
        operator.args(["--port", &self.grpc_port.to_string(), "--database", database, "--state"]);
        let out = operator.arg(state.path()).args(commands).output().expect("the operator runs");
        let errors = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{commands:?}: {errors}\n{}", self.log());
        String::from_utf8(out.stdout).expect("text")
    }

    /// Restarts it in a time zone in which a day has just begun, so that all
    /// that was written so far was written on the day before: it is old enough
    /// to be truncated.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart_tomorrow(&mut self) {
        self.stop();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
        // Transactions have whole seconds.
        let midnight = now.as_secs() + 2;
        let offset = -i32::try_from(midnight % 86_400).expect("seconds of a day");
        // One type of local time, in the first version of the format (RFC 9636).
        let mut zone = b"TZif".to_vec();
        zone.extend([0; 16]);
        zone.extend([0_u32, 0, 0, 0, 1, 4].map(u32::to_be_bytes).as_flattened());
        zone.extend(offset.to_be_bytes());
        zone.extend(b"\0\0XXX\0");
        let path = self.folder.join("zone");
        fs::write(&path, zone).expect("a time zone");
        self.zone = Some(path);
        thread::sleep(Duration::from_secs(3));
        self.restart();
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Ends it in good order.
    pub fn stop(&mut self) {
        drop(self.child.take());
    }

    /// Ends it as a power cut would (SIGKILL).
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill();
        }
    }

    /// Starts it again on the same data and ports, after ending it in good
    /// order if it runs.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.stop();
        self.launch().unwrap_or_else(|e| panic!("{e}"));
    }

    /// Stops it, copies its data and starts it again: a backup.
    ///
    /// # Panics
    /// When that fails.
    pub fn save(&mut self) -> Saved {
        self.stop();
        let saved = Saved(temp_dir("saved"));
        copy_dir(&self.data_dir(), &saved.0.join("data")).expect("copy of a data folder");
        self.restart();
        saved
    }

    /// Stops it, puts a backup in place of its data and starts it again: a
    /// rollback. Writes that follow make it a fork.
    ///
    /// # Panics
    /// When that fails.
    pub fn restore(&mut self, saved: &Saved) {
        self.stop();
        let data = self.data_dir();
        let swap = fs::remove_dir_all(&data).and_then(|()| copy_dir(&saved.0.join("data"), &data));
        swap.expect("restored data folder");
        self.restart();
    }

    fn launch(&mut self) -> Result<(), String> {
        let failed = |log: &Path, e: &dyn std::fmt::Display| {
            let text = fs::read_to_string(log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let tail = lines[lines.len().saturating_sub(30)..].join("\n");
            format!("immudb did not start: {e}\nits log ends:\n{tail}")
        };
        let log = self.folder.join("log");
        let spawned = self.spawn(&log);
        let child = self.child.insert(spawned.map_err(|e| failed(&log, &e))?);
        let alive = || match child.0.try_wait()? {
            None => Ok(()),
            Some(status) => Err(io::Error::other(format!("it ended with {status}"))),
        };
        let answers = || match self.options.pgsql {
            true => wire::log_in("127.0.0.1", self.server.port, "immudb", "immudb"),
            false => TcpStream::connect((Ipv4Addr::LOCALHOST, self.grpc_port)).map(drop),
        };
        retry(PATIENCE, answers, alive).map_err(|e| failed(&log, &e))
    }

    fn spawn(&self, log: &Path) -> io::Result<Running> {
        let log = File::options().create(true).append(true).open(log)?;
        let mut command = Command::new(&self.binary);
        // What the tests are told is not meant for their server.
        for (name, _) in env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("IMMUDB_"))
        {
            command.env_remove(name);
        }
        command
            .args(["--address", "127.0.0.1", "--auth", "--web-server=false"])
            .args(["--metrics-server=false", "--port", &self.grpc_port.to_string()])
            .arg("--dir")
            .arg(self.data_dir())
            .args(&self.options.flags);
        if let Some(zone) = &self.zone {
            command.env("TZ", zone);
        }
        if self.options.pgsql {
            command.args(["--pgsql-server", "--pgsql-server-port", &self.server.port.to_string()]);
        }
        // The server ends when its standard input closes: with this process.
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        command.spawn().map(Running)
    }
}

/// A process that ends with this value, in good order where possible.
#[derive(Debug)]
struct Running(Child);

impl Running {
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let deadline = Instant::now() + PATIENCE;
        while let Ok(None) = self.0.try_wait() {
            if Instant::now() > deadline {
                return self.kill();
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn free_ports() -> io::Result<[u16; 2]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listeners = [bind()?, bind()?];
    Ok([listeners[0].local_addr()?.port(), listeners[1].local_addr()?.port()])
}
