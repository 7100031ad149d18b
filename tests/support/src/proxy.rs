//! A hostile server: the real one, with a liar in between.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::wire::PgMessage;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client: statements, the start-up message, the password.
    ToServer,
    /// From the server: row descriptions, rows, errors.
    ToClient,
}

/// What a message belongs to.
#[derive(Debug)]
pub struct Context<'a> {
    /// Which way it goes.
    pub direction: Direction,
    /// Which connection it goes over, counted from 0.
    pub connection: usize,
    /// The statement on its way, or the one being answered; empty while
    /// logging in. A prepared one has several messages, from parse or bind to
    /// sync.
    pub statement: &'a str,
    /// The columns of the rows being answered.
    pub columns: &'a [String],
}

impl Context<'_> {
    /// Whether the message is a row of an answer. What a client asks to have
    /// described is of the same kind.
    pub fn is_row(&self, message: &PgMessage) -> bool {
        self.direction == Direction::ToClient && message.kind == b'D'
    }

    /// Whether the message makes the server carry out its statement.
    pub fn executes(&self, message: &PgMessage) -> bool {
        self.direction == Direction::ToServer && matches!(message.kind, b'Q' | b'E')
    }

    /// The position of a column in the rows being answered.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c == name)
    }
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes on, as it is now.
    Forward,
    /// It goes on after a while; the connection waits, others do not.
    Delay(Duration),
    /// These bytes go on in its place: none, one message, several
    /// ([`PgMessage::to_bytes`]) or garbage.
    Instead(Vec<u8>),
    /// It goes no further and the client's connection ends.
    CutBefore,
    /// It goes on, then the client's connection ends. The server still
    /// carries out what it received.
    CutAfter,
}

/// A man in the middle of the PostgreSQL wire. It listens on a free port of
/// the loopback and hands every message of both directions to a closure. A
/// client that asks for TLS is told that there is none.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

type Rewrite = Box<dyn FnMut(&Context<'_>, &mut PgMessage) -> Action + Send>;

struct Shared {
    upstream: (String, u16),
    rewrite: Mutex<Rewrite>,
    sockets: Mutex<Vec<TcpStream>>,
    stopped: AtomicBool,
}

impl Shared {
    /// What becomes of messages. One that panicked goes on nowhere: the test
    /// has to notice.
    fn rewrite(&self) -> std::sync::MutexGuard<'_, Rewrite> {
        self.rewrite.lock().expect("what was told before did not panic")
    }
}

impl Proxy {
    /// Starts between its own [`Proxy::port`] and a server. Connections take
    /// turns in the closure, so what it keeps is theirs together.
    ///
    /// # Panics
    /// When it cannot listen.
    pub fn start(
        host: &str,
        port: u16,
        rewrite: impl FnMut(&Context<'_>, &mut PgMessage) -> Action + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let own_port = listener.local_addr().expect("a bound address").port();
        let shared = Arc::new(Shared {
            upstream: (host.to_owned(), port),
            rewrite: Mutex::new(Box::new(rewrite)),
            sockets: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let state = Arc::clone(&shared);
        thread::spawn(move || {
            for (connection, client) in listener.incoming().flatten().enumerate() {
                if state.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let state = Arc::clone(&state);
                thread::spawn(move || serve(&state, connection, client));
            }
        });
        Self { port: own_port, shared }
    }

    /// Passes everything on, until it is told otherwise.
    ///
    /// # Panics
    /// When it cannot listen.
    pub fn honest(host: &str, port: u16) -> Self {
        Self::start(host, port, |_, _| Action::Forward)
    }

    /// From now on, this.
    ///
    /// # Panics
    /// If what it did before panicked.
    pub fn tells(
        &self,
        rewrite: impl FnMut(&Context<'_>, &mut PgMessage) -> Action + Send + 'static,
    ) {
        *self.shared.rewrite() = Box::new(rewrite);
    }

    /// From now on, the truth.
    ///
    /// # Panics
    /// If what it did before panicked.
    pub fn repents(&self) {
        self.tells(|_, _| Action::Forward);
    }

    /// From now on the rows of answers to statements that contain `statement`
    /// pass through `lie`.
    ///
    /// # Panics
    /// If what it did before panicked.
    pub fn alters(
        &self,
        statement: &'static str,
        mut lie: impl FnMut(&Context<'_>, &mut PgMessage) -> Action + Send + 'static,
    ) {
        self.tells(move |context, message| {
            match context.is_row(message) && context.statement.contains(statement) {
                true => lie(context, message),
                false => Action::Forward,
            }
        });
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends all connections there are. New ones are welcome.
    pub fn cut_all(&self) {
        for socket in lock(&self.shared.sockets).drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        self.cut_all();
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection: this thread carries the client's messages, a second one
/// the server's.
fn serve(shared: &Arc<Shared>, connection: usize, client: TcpStream) -> Option<()> {
    let (host, port) = &shared.upstream;
    let server = TcpStream::connect((host.as_str(), *port)).ok()?;
    for socket in [&client, &server] {
        // Small messages both ways: waiting to fill packets would cost 40 ms each.
        socket.set_nodelay(true).ok()?;
        lock(&shared.sockets).push(socket.try_clone().ok()?);
    }
    let pending = Arc::new(Mutex::new(VecDeque::new()));
    let pump = |direction| Pump {
        shared: Arc::clone(shared),
        connection,
        direction,
        pending: Arc::clone(&pending),
        columns: HashMap::new(),
        prepared: HashMap::new(),
        open: false,
    };
    let (mut forth, mut back) = (pump(Direction::ToServer), pump(Direction::ToClient));
    let (server_in, client_out) = (server.try_clone().ok()?, client.try_clone().ok()?);
    thread::spawn(move || {
        let _ = back.run(&server_in, &client_out);
        let _ = client_out.shutdown(Shutdown::Both);
        // What the server still answers to what it got: read, so that it can finish.
        let _ = io::copy(&mut (&server_in).take(1 << 30), &mut io::sink());
    });
    let _ = forth.run(&client, &server);
    let _ = server.shutdown(Shutdown::Write);
    client.shutdown(Shutdown::Both).ok()
}

/// Carries one direction of one connection.
struct Pump {
    shared: Arc<Shared>,
    connection: usize,
    direction: Direction,
    /// The statements sent and not yet answered, oldest first.
    pending: Arc<Mutex<VecDeque<String>>>,
    /// The columns of each statement's answers: what is prepared is described once.
    columns: HashMap<String, Vec<String>>,
    /// Texts by the names under which the server parsed them.
    prepared: HashMap<String, String>,
    /// Whether messages of a prepared statement wait for their sync.
    open: bool,
}

impl Pump {
    /// Until either side ends or the closure cuts.
    fn run(&mut self, mut from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
        let mut startup = self.direction == Direction::ToServer;
        loop {
            let mut message = PgMessage::read(&mut from, startup)?;
            if message.is_tls_request() {
                from.write_all(b"N")?;
                continue;
            }
            startup = false;
            match self.decide(&mut message) {
                Action::Forward => to.write_all(&message.to_bytes())?,
                Action::Delay(time) => {
                    thread::sleep(time);
                    to.write_all(&message.to_bytes())?;
                }
                Action::Instead(bytes) => to.write_all(&bytes)?,
                Action::CutBefore => return Ok(()),
                Action::CutAfter => return to.write_all(&message.to_bytes()),
            }
        }
    }

    fn decide(&mut self, message: &mut PgMessage) -> Action {
        if self.direction == Direction::ToServer {
            self.note(message);
        }
        let statement = match self.direction {
            Direction::ToServer => lock(&self.pending).back().cloned(),
            Direction::ToClient => lock(&self.pending).front().cloned(),
        };
        let statement = statement.as_deref().unwrap_or("");
        if let Some(names) = message.column_names() {
            self.columns.insert(statement.to_owned(), names);
        }
        let context = Context {
            direction: self.direction,
            connection: self.connection,
            statement,
            columns: self.columns.get(statement).map_or(&[], Vec::as_slice),
        };
        let kind = message.kind;
        let action = (*self.shared.rewrite())(&context, message);
        if self.direction == Direction::ToClient && kind == b'Z' {
            lock(&self.pending).pop_front();
        }
        action
    }

    /// Each query and each sync has an answer that ends.
    fn note(&mut self, message: &PgMessage) {
        if let Some((name, Some(text))) = message.prepared() {
            self.prepared.insert(name, text);
        }
        let text = match message.kind {
            b'Q' => message.query_text(),
            b'P' | b'B' => {
                message.prepared().and_then(|(name, _)| self.prepared.get(&name).cloned())
            }
            b'D' | b'E' | b'C' | b'S' => Some(String::new()),
            _ => return,
        };
        if !self.open {
            lock(&self.pending).push_back(text.unwrap_or_default());
        }
        self.open = !matches!(message.kind, b'Q' | b'S');
    }
}
