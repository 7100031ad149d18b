//! What can go wrong, sorted by what it means: the ledger is wrong
//! ([`Verdict`]), it could not be asked ([`Unavailable`]), a reader cannot tell
//! ([`Undecided`]), or the request could not be granted (the others).

use std::path::Path;
use std::sync::Arc;

use counterfoil_core::TxId;
use counterfoil_policy::FileError;

use crate::checkpoint::CheckpointRefusal;
use crate::event::ExpectedVersion;
use crate::evidence::Evidence;
use crate::undecided::Undecided;
use crate::verdict::{Completeness, Verdict};

/// The result of everything that may fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call did not give what was asked. It can be cloned: callers who waited
/// for the same commit are told the same.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ledger does not hold what it should: evidence, not an accident.
    #[error(transparent)]
    Ledger(#[from] Evidence),
    /// The ledger could not be asked; nothing is known about it.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// A thin reader, or one of other people's tables, cannot tell. It is no
    /// evidence against the ledger, and no claim that anything is absent.
    #[error("cannot decide: {0}")]
    CannotDecide(#[from] Box<Undecided>),
    /// The configuration cannot be used.
    #[error("configuration: {0}")]
    Config(String),
    /// The request can never succeed as it is.
    #[error("invalid request: {0}")]
    Invalid(String),
    /// The stream is not where the caller expected it to be. Nothing was
    /// written.
    #[error(
        "the stream is at {actual}, but {expected} was expected; read it again and decide anew"
    )]
    WrongExpectedVersion {
        /// What the caller said.
        expected: ExpectedVersion,
        /// Where the stream is.
        actual: StreamVersion,
    },
    /// The external id was used before, for other events. Nothing was written.
    #[error(
        "external id {external_id:?} was used in transaction {tx} for other events; \
         the same id must carry the same events, byte for byte"
    )]
    IdConflict {
        /// The id that was given twice.
        external_id: String,
        /// The transaction that holds its first use.
        tx: TxId,
    },
    /// Nobody can say yet whether the events were written. Repeating the
    /// append with the same external id is safe: it gives the first result
    /// back, or writes once.
    #[error("it is unknown whether the events were written: {reason}; {remedy}")]
    OutcomeUnknown {
        /// What was seen.
        reason: String,
        /// What the caller can do.
        remedy: &'static str,
    },
    /// Other writers took the stream's next place each time. Nothing was
    /// written.
    #[error(
        "other writers took the stream's place {attempts} times in a row; nothing was written; try again"
    )]
    Contended {
        /// How often it was tried.
        attempts: u32,
    },
    /// An append before this one in its [`Pipeline`](crate::Pipeline) failed, so this one was not made.
    /// Nothing was written.
    #[error("an append before it in its pipeline failed; nothing was written")]
    PipelineAborted,
    /// There is no such event.
    #[error(
        "no event {sequence} in this stream; it has {next} event{}{}",
        if *next == 1 { "" } else { "s" },
        but_gaps(completeness)
    )]
    NotFound {
        /// The event that was asked for.
        sequence: u64,
        /// The stream's next sequence.
        next: u64,
        /// Whether it could have been missed.
        completeness: Completeness,
    },
    /// The event exists, but was written after the state that was asked for.
    #[error("event {sequence} was written in transaction {tx}, after transaction {asked}")]
    WrittenLater {
        /// The event that was asked for.
        sequence: u64,
        /// The transaction that wrote it.
        tx: TxId,
        /// The state that was asked for.
        asked: TxId,
    },
    /// The transaction lies beyond the verified state.
    #[error("transaction {asked} lies beyond the verified state, which is at {verified}")]
    BeyondState {
        /// The transaction that was asked for.
        asked: TxId,
        /// The newest verified transaction.
        verified: TxId,
    },
    /// What lies before the [bookmark](crate::Bookmark) was decided anew since it
    /// was made: other transactions before it are accounted for now.
    #[error(
        "what was read from transaction {from} on was decided anew: undo what it led to, and read \
         on from there"
    )]
    DecidedAnew {
        /// The first transaction of which that may be true.
        from: TxId,
    },
    /// The payload store failed. That says nothing about the ledger.
    #[error("the payload store could not {what}: {cause}")]
    Payloads {
        /// What it was asked for.
        what: &'static str,
        /// What it said.
        cause: String,
    },
    /// No checkpoint was made, signed or cosigned.
    #[error(transparent)]
    Checkpoint(#[from] Box<CheckpointRefusal>),
    /// A key did not sign. That says nothing about the ledger.
    #[error(transparent)]
    Signing(#[from] crate::signing_key::SigningFailed),
    /// The store was opened with [`EventStore::open_read_only`](crate::EventStore::open_read_only).
    #[error("this store was opened read-only")]
    ReadOnly,
}

/// What an absence leaves open.
fn but_gaps(completeness: &Completeness) -> String {
    match completeness {
        Completeness::Complete { .. } => String::new(),
        Completeness::Incomplete { gaps, first, .. } => {
            format!(
                ", as far as is known: {gaps} transactions, the first {first}, hold entries \
                that are not accounted for (see EventStore::findings)"
            )
        }
    }
}

impl From<Verdict> for Error {
    fn from(verdict: Verdict) -> Self {
        Self::Ledger(verdict.into())
    }
}

impl From<Undecided> for Error {
    fn from(why: Undecided) -> Self {
        Self::CannotDecide(Box::new(why))
    }
}

impl From<CheckpointRefusal> for Error {
    fn from(why: CheckpointRefusal) -> Self {
        Self::Checkpoint(Box::new(why))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(Unavailable::Storage(error.into()))
    }
}

impl Error {
    /// Whether the ledger itself was found wrong.
    pub fn is_verdict(&self) -> bool {
        matches!(self, Self::Ledger(_))
    }

    /// The verdict, if the ledger itself was found wrong.
    pub fn verdict(&self) -> Option<&Verdict> {
        match self {
            Self::Ledger(verdict) => Some(verdict),
            _ => None,
        }
    }

    /// Says which log the ledger was held against, where a verdict is about that.
    pub(crate) fn naming_log(self, log: Option<&Path>) -> Self {
        match (self, log) {
            (Self::Ledger(evidence), Some(log)) => Self::Ledger(evidence.naming_log(log)),
            (error, _) => error,
        }
    }
}

impl From<FileError> for Unavailable {
    fn from(FileError { path, cause }: FileError) -> Self {
        Self::File { path, cause }
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl Unavailable {
    pub(crate) fn file(path: impl Into<std::path::PathBuf>, cause: std::io::Error) -> Self {
        Self::File { path: path.into(), cause: cause.into() }
    }
}

/// Who holds a file.
fn holder(process: Option<u32>) -> String {
    match process {
        Some(process) if process == std::process::id() => "this process".into(),
        Some(process) => format!("process {process}"),
        None => "this process or another".into(),
    }
}

/// What can be done about a file that SQLite cannot read.
fn remedy(error: &sqlx::Error) -> &'static str {
    if !crate::sqlite::is_unreadable(error) {
        return "";
    }
    "; a log (or trust file) that is damaged is made anew from the ledger: close the store, put \
     the file away, leave the .pin file beside it, and open again"
}

/// Where a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamVersion {
    /// It has no event.
    Empty,
    /// The sequence of its last event.
    At(u64),
}

impl std::fmt::Display for StreamVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("no event"),
            Self::At(sequence) => write!(f, "event {sequence}"),
        }
    }
}

/// Why the ledger could not be asked. Each says the cause and the remedy.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// The address answers in immudb's gRPC, not in PostgreSQL's protocol.
    #[error(
        "{host}:{port} does not speak PostgreSQL's protocol; 3322 is immudb's gRPC port: \
         set port = 5432 (and start immudb with --pgsql-server)"
    )]
    WrongPort {
        /// The host that was called.
        host: String,
        /// The port that was called.
        port: u16,
    },
    /// Nothing listens there.
    #[error(
        "nothing answers at {host}:{port} ({cause}); is immudb running there, with its PostgreSQL \
         wire on (--pgsql-server or IMMUDB_PGSQL_SERVER=true)?"
    )]
    Refused {
        /// The host that was called.
        host: String,
        /// The port that was called.
        port: u16,
        /// What the operating system said.
        cause: String,
    },
    /// The server does not accept the user or the password.
    #[error(
        "immudb refused user {username:?} or its password; check username and password in [storage.immudb], or IMMUDB_USERNAME and IMMUDB_PASSWORD"
    )]
    Password {
        /// The user that was refused.
        username: String,
    },
    /// The database is not there and was not to be created.
    #[error(
        "immudb has no database {database:?}; open it once for writing to create it, or correct its name"
    )]
    MissingDatabase {
        /// The database that was asked for.
        database: String,
    },
    /// The server has no `immudb_tx`.
    #[error(
        "the server does not know immudb_tx(): Counterfoil needs immudb 1.11 or later \
         (a plain PostgreSQL cannot be used)"
    )]
    OldServer,
    /// TLS could not be set up as configured.
    #[error("TLS to {host}:{port}: {cause}; see tls and ca in [storage.immudb]")]
    Tls {
        /// The host that was called.
        host: String,
        /// The port that was called.
        port: u16,
        /// What failed.
        cause: String,
    },
    /// No answer in time.
    #[error("no answer within {seconds} s to: {what}")]
    Timeout {
        /// What was asked.
        what: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The connection broke.
    #[error("the connection to immudb was lost during: {what} ({cause})")]
    Connection {
        /// What was asked.
        what: &'static str,
        /// What broke it.
        cause: String,
    },
    /// The server answered with an error.
    #[error("immudb answered to {what}: {message}")]
    Server {
        /// What was asked.
        what: &'static str,
        /// The server's words.
        message: String,
    },
    /// The answer has not the form that immudb 1.11 gives.
    #[error("immudb's answer to {what} is malformed: {problem}")]
    Garbled {
        /// What was asked.
        what: &'static str,
        /// What is wrong with the answer.
        problem: String,
    },
    /// The row is not stored any more: the operator truncated the database. It
    /// was verified before, and what was proved of it stays proved.
    #[error(
        "the row of transaction {tx} is not stored any more: transaction {by} truncated the \
         database. It is not absent, and its proofs hold; only a copy made before has its contents"
    )]
    Truncated {
        /// The transaction that holds the row.
        tx: TxId,
        /// The transaction that tells of the truncation.
        by: TxId,
    },
    /// A local file could not be used.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What the operating system said.
        cause: Arc<std::io::Error>,
    },
    /// There is no ledger where the configuration says.
    #[error(
        "{path}: there is no ledger; correct the name, or create one (open it for writing, \
         `counterfoil init`)"
    )]
    NoLedger {
        /// The file that is not there.
        path: std::path::PathBuf,
    },
    /// An embedded ledger's file lost its name while it was open.
    #[error(
        "the ledger file {path} (or its -wal file) was moved, removed or replaced while it was \
         open: nothing is written any more. Put it back; or close, and open what is there now"
    )]
    LedgerMoved {
        /// The name that is not its own any more.
        path: std::path::PathBuf,
    },
    /// An embedded ledger's file cannot be read.
    #[error(
        "the ledger file {path} is damaged ({what}). Nothing can make it anew: keep it, and \
         restore it together with its trust file from a backup (docs/backup.md)"
    )]
    DamagedLedger {
        /// The file.
        path: std::path::PathBuf,
        /// What SQLite found.
        what: String,
    },
    /// Another process has the ledger or its log open.
    #[error("{path} is in use by {}{remedy}", holder(*process))]
    InUse {
        /// The file that is locked.
        path: std::path::PathBuf,
        /// The number of the process that holds it, as it wrote it down itself in the file whose name
        /// goes on with `.lock`; in a container it is the container's. `None` if it says nothing there.
        process: Option<u32>,
        /// What the caller can do.
        remedy: &'static str,
    },
    /// This client's log cannot be read.
    #[error("the log {path} is damaged ({what}), and {remedy}")]
    DamagedLog {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        what: String,
        /// What the caller can do.
        remedy: &'static str,
    },
    /// SQLite failed.
    #[error("local storage: {0}{remedy}", remedy = remedy(_0))]
    Storage(Arc<sqlx::Error>),
}
