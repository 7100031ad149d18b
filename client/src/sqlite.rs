//! SQLite as this crate uses it: one connection a file, write-ahead log,
//! every commit on disk before it is believed.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Row, SqliteConnection};

use crate::error::{Error, Result, Unavailable};

/// What a file holds: kept in SQLite's `application_id`, so that one kind of
/// file is never taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// An embedded ledger.
    Ledger = 0x4366_4c31,
    /// Log, index and pin of a ledger.
    Log = 0x4366_4731,
    /// How far an audit is.
    Audit = 0x4366_4131,
    /// Payloads that are kept outside a ledger.
    Payloads = 0x4366_5031,
}

/// Opens a file. It is created, marked and switched to a write-ahead log where
/// `write` says so; a file of another kind is left as it is. For reading alone
/// it may lie where nothing can be written.
pub(crate) async fn open(path: &Path, kind: FileKind, write: bool) -> Result<SqliteConnection> {
    Ok(open_either(path, kind, write).await?.0)
}

/// Opens a file for reading, to keep it open: where nothing can be written beside it, it is read as
/// long as it does not change.
pub(crate) async fn open_to_read(
    path: &Path,
    kind: FileKind,
) -> Result<(SqliteConnection, Option<Unchanging>)> {
    open_either(path, kind, false).await
}

async fn open_either(
    path: &Path,
    kind: FileKind,
    write: bool,
) -> Result<(SqliteConnection, Option<Unchanging>)> {
    let options = options().filename(path).create_if_missing(write);
    let opened = match open_kind(options, path, kind, write).await {
        Err(error) if !write && cannot_write(&error) => {
            open_unchanging(path, kind).await.map(|(conn, seen)| (conn, Some(seen)))
        }
        opened => opened.map(|conn| (conn, None)),
    };
    opened.map_err(|error| match error {
        // SQLite's words do not name the file.
        Error::Unavailable(Unavailable::Storage(cause)) => {
            Unavailable::file(path, std::io::Error::other(cause)).into()
        }
        other => other,
    })
}

/// Opens a file beside which SQLite cannot put what its readers share with
/// writers. There is no need to where nobody writes; whoever did would have a
/// write-ahead log there, and without it the file is an older one.
pub(crate) async fn open_unchanging(
    path: &Path,
    kind: FileKind,
) -> Result<(SqliteConnection, Unchanging)> {
    // Before it is opened: whatever changes from here on is noticed.
    let seen = Unchanging::new(path)?;
    if has_log(path) {
        let cause = "nothing can be written to its folder, and the -wal file beside it says that \
            somebody writes to it or was interrupted; whoever may write there reads it whole, and \
            opening it once settles it";
        return Err(Unavailable::file(path, std::io::Error::other(cause)).into());
    }
    let options = options().filename(path).read_only(true).immutable(true);
    Ok((open_kind(options, path, kind, false).await?, seen))
}

/// The path as a URI that says that nobody writes the file.
pub(crate) fn immutable(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                uri.push(char::from(*byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri + "?immutable=1"
}

/// A file that is read as one that nobody writes. SQLite then looks neither for a write-ahead log nor
/// for locks, and keeps what it has read: as soon as anything changed, it has to be opened anew, and
/// what was read meanwhile is nobody's.
#[derive(Debug)]
pub(crate) struct Unchanging {
    path: PathBuf,
    seen: Seen,
}

/// By what a change is noticed.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    #[cfg(unix)]
    inode: (u64, u64),
    len: u64,
    modified: SystemTime,
    log: bool,
}

impl Unchanging {
    fn new(path: &Path) -> Result<Self> {
        let seen = Seen::now(path).map_err(|cause| Unavailable::file(path, cause))?;
        Ok(Self { path: path.into(), seen })
    }

    /// Whether the file is as it was when it was opened.
    pub(crate) fn is_still(&self) -> bool {
        Seen::now(&self.path).is_ok_and(|now| now == self.seen)
    }

    /// What is said where it is not, and no more is known.
    pub(crate) fn changed(&self) -> Error {
        let cause = "somebody wrote to it while it was read; read it again";
        Unavailable::file(self.path.clone(), std::io::Error::other(cause)).into()
    }
}

impl Seen {
    fn now(path: &Path) -> std::io::Result<Self> {
        let file = std::fs::metadata(path)?;
        Ok(Self {
            #[cfg(unix)]
            inode: {
                use std::os::unix::fs::MetadataExt as _;
                (file.dev(), file.ino())
            },
            len: file.len(),
            modified: file.modified()?,
            log: has_log(path),
        })
    }
}

/// Whether commits lie in a write-ahead log and not in the file yet.
fn has_log(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// What SQLite keeps beside a file: its name goes on so.
pub(crate) fn beside(path: &Path, suffix: impl AsRef<OsStr>) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Whether SQLite was not let write: SQLITE_READONLY, and SQLITE_CANTOPEN,
/// which it also says of a file that is not there.
fn cannot_write(error: &Error) -> bool {
    let Error::Unavailable(Unavailable::Storage(error)) = error else { return false };
    let sqlx::Error::Database(refused) = &**error else { return false };
    let code = refused.code().and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 8 | 14))
}

async fn open_kind(
    options: SqliteConnectOptions,
    path: &Path,
    kind: FileKind,
    write: bool,
) -> Result<SqliteConnection> {
    let mut conn = options.connect().await?;
    match prepare(&mut conn, path, kind, write).await {
        Ok(()) => Ok(conn),
        Err(error) => {
            close(conn).await;
            Err(error)
        }
    }
}

async fn prepare(
    conn: &mut SqliteConnection,
    path: &Path,
    kind: FileKind,
    write: bool,
) -> Result<()> {
    // The first question: SQLite reads the schema for it.
    bound_steps(conn).await?;
    let fresh = is_fresh(conn, path, kind).await;
    unbound_steps(conn).await?;
    let fresh = fresh?;
    sqlx::raw_sql("PRAGMA synchronous = FULL").execute(&mut *conn).await?;
    if !write {
        return Ok(());
    }
    sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(&mut *conn).await?;
    let journal: String = pragma(conn, "journal_mode").await?;
    let synchronous: i64 = pragma(conn, "synchronous").await?;
    if journal != "wal" || synchronous < 2 {
        return Err(Error::Config(format!(
            "{}: SQLite would not keep what it commits (journal_mode {journal}, synchronous \
             {synchronous}); put the file on a local disk",
            path.display()
        )));
    }
    if fresh {
        // `kind` is a constant of ours.
        let sql = AssertSqlSafe(format!("PRAGMA application_id = {}", kind as i32));
        sqlx::raw_sql(sql).execute(conn).await?;
    }
    Ok(())
}

/// Copies what is committed in a file, beside whoever writes to it. The copy
/// must not be there yet; it is complete when this returns, and on disk when
/// whoever asked has synchronised it.
pub(crate) async fn copy(from: &Path, kind: FileKind, to: &Path) -> Result<()> {
    let (mut conn, unchanging) = open_to_read(from, kind).await?;
    copy_of(&mut conn, to).await?;
    conn.close().await?;
    match unchanging.filter(|seen| !seen.is_still()) {
        Some(seen) => Err(seen.changed()),
        None => Ok(()),
    }
}

/// The same of a file that is open.
pub(crate) async fn copy_of(conn: &mut SqliteConnection, to: &Path) -> Result<()> {
    let Some(name) = to.to_str() else {
        return Err(Error::Config(format!("{}: not a name that SQLite takes", to.display())));
    };
    sqlx::query("VACUUM INTO ?").bind(name).execute(conn).await?;
    Ok(())
}

/// A database in memory, gone with its connection.
pub(crate) async fn memory() -> Result<SqliteConnection> {
    Ok(options().in_memory(true).connect().await?)
}

/// A database in a nameless file of SQLite's own, gone with its connection:
/// what does not fit into its cache of 64 MiB goes to the disk, not into memory.
pub(crate) async fn temporary() -> Result<SqliteConnection> {
    Ok(options().filename("").pragma("cache_size", "-65536").connect().await?)
}

/// SQLite works in a thread of its own: rows that are handed over a few at a
/// time cost more in waking than in reading.
fn options() -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .row_buffer_size(1024)
        .disable_statement_logging()
        // A file that others may write calls no function that does anything.
        .pragma("trusted_schema", "OFF")
}

/// Steps that no schema of ours takes to read.
pub(crate) const MOST_STEPS: i32 = 100_000;

/// Ends any statement after so many: pages of a file can hang together so that
/// reading them never ends.
pub(crate) async fn bound_steps(conn: &mut SqliteConnection) -> Result<()> {
    conn.lock_handle().await?.set_progress_handler(MOST_STEPS, || false);
    Ok(())
}

/// Lets statements take as long as they take.
pub(crate) async fn unbound_steps(conn: &mut SqliteConnection) -> Result<()> {
    conn.lock_handle().await?.remove_progress_handler();
    Ok(())
}

/// Whether SQLite cannot read a file, or finds in it what nobody wrote: no
/// trouble with the disk or with another process.
pub(crate) fn is_damage(error: &Error) -> bool {
    match error {
        Error::Unavailable(Unavailable::Storage(error)) => is_unreadable(error),
        Error::Unavailable(Unavailable::File { cause, .. }) => {
            let inner = cause.get_ref().and_then(|inner| inner.downcast_ref::<Arc<sqlx::Error>>());
            inner.is_some_and(|error| is_unreadable(error))
        }
        Error::Ledger(verdict) => matches!(**verdict, crate::Verdict::LogAltered { .. }),
        _ => false,
    }
}

pub(crate) fn is_unreadable(error: &sqlx::Error) -> bool {
    match error {
        // SQLITE_ERROR, which only another schema than ours can cause,
        // SQLITE_INTERRUPT after more steps than ours takes, SQLITE_CORRUPT and
        // SQLITE_NOTADB, with what they carry in higher bits.
        sqlx::Error::Database(refused) => {
            let code = refused.code().and_then(|code| code.parse::<u32>().ok());
            code.is_some_and(|code| matches!(code & 0xff, 1 | 9 | 11 | 26))
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) => true,
        // Its thread ended over names that are no text.
        sqlx::Error::Decode(_) | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// Closes a file of which no more is wanted. Done with it when this returns:
/// somebody may put another one in its place. A connection whose thread has
/// ended over what it read is waited for in vain.
pub(crate) async fn close(conn: SqliteConnection) {
    let _ = tokio::time::timeout(Duration::from_secs(5), conn.close()).await;
}

/// Whether all pages of a small file hang together. That takes reading them
/// all: of a large one SQLite tells when it comes upon the damage.
pub(crate) async fn check(conn: &mut SqliteConnection, path: &Path) -> Result<()> {
    const SMALL: u64 = 8 << 20;
    if std::fs::metadata(path).is_ok_and(|file| file.len() > SMALL) {
        return Ok(());
    }
    match pragma::<String>(conn, "integrity_check(1)").await? {
        whole if whole == "ok" => Ok(()),
        found => Err(damaged(found)),
    }
}

/// What SQLite finds in a file that nobody wrote, asked by one of its checks.
pub(crate) async fn integrity(
    conn: &mut SqliteConnection,
    check: &'static str,
) -> Result<Vec<String>> {
    let found: Vec<String> = sqlx::query_scalar(check).fetch_all(conn).await?;
    Ok(found.into_iter().filter(|line| line != "ok").collect())
}

/// Puts a database away that cannot be used, with what belongs to it, under a
/// name that is free.
pub(crate) fn set_aside(path: &Path) -> Result<PathBuf> {
    let name = |suffix: String| beside(path, suffix);
    let free = |n: &u32| !name(format!(".damaged-{n}")).exists();
    let n = (1..).find(free).unwrap_or(u32::MAX);
    for part in ["-wal", "-shm", ""] {
        let from = name(part.into());
        match std::fs::rename(&from, name(format!(".damaged-{n}{part}"))) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => {
                return Err(Unavailable::file(from, cause).into());
            }
            _ => {}
        }
    }
    Ok(name(format!(".damaged-{n}")))
}

/// Whether nothing is in the file yet; what is in it must be of this kind.
async fn is_fresh(conn: &mut SqliteConnection, path: &Path, kind: FileKind) -> Result<bool> {
    let found: i64 = pragma(conn, "application_id").await?;
    if is_empty(conn).await? && found == 0 {
        return Ok(true);
    }
    if found != kind as i64 {
        return Err(Error::Config(format!(
            "{} is not a Counterfoil {kind:?} file (application id {found:#x})",
            path.display()
        )));
    }
    Ok(false)
}

/// Whether a file has no tables yet.
pub(crate) async fn is_empty(conn: &mut SqliteConnection) -> Result<bool> {
    let any: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_schema)").fetch_one(conn).await?;
    Ok(!any)
}

async fn pragma<T>(conn: &mut SqliteConnection, name: &'static str) -> Result<T>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    let sql = AssertSqlSafe(format!("PRAGMA {name}"));
    Ok(sqlx::raw_sql(sql).fetch_one(conn).await?.try_get(0)?)
}

/// Runs `DDL`, statement by statement.
pub(crate) async fn run(conn: &mut SqliteConnection, sql: &'static str) -> Result<()> {
    sqlx::raw_sql(sql).execute(conn).await?;
    Ok(())
}

/// Begins a transaction that writes. [`finish`] ends it.
///
/// By hand and not with sqlx's type: on a full disk SQLite ends a transaction
/// by itself, which that type never learns, and then refuses every other one.
pub(crate) async fn begin(conn: &mut SqliteConnection) -> Result<()> {
    const BEGIN: &str = "BEGIN IMMEDIATE";
    if run(conn, BEGIN).await.is_ok() {
        return Ok(());
    }
    // One is open already if whoever began it was dropped.
    undo(conn).await;
    run(conn, BEGIN).await
}

/// Why a transaction is not known to be on disk.
pub(crate) enum Unfinished {
    /// It was undone.
    Undone(Error),
    /// The commit failed. What SQLite cannot finish, it may find finished at
    /// the next opening.
    Unknown(Error),
}

impl From<Unfinished> for Error {
    fn from(unfinished: Unfinished) -> Self {
        match unfinished {
            Unfinished::Undone(error) | Unfinished::Unknown(error) => error,
        }
    }
}

/// Commits a transaction if all of it was written, and undoes it if not.
pub(crate) async fn finish<T>(
    conn: &mut SqliteConnection,
    written: Result<T>,
) -> Result<T, Unfinished> {
    let failed = match written {
        Err(error) => Unfinished::Undone(error),
        Ok(done) => match run(conn, "COMMIT").await {
            Ok(()) => return Ok(done),
            Err(error) => Unfinished::Unknown(error),
        },
    };
    undo(conn).await;
    Err(failed)
}

/// Undoes what is not committed. There may be nothing, which is an error to
/// SQLite, and none to us.
pub(crate) async fn undo(conn: &mut SqliteConnection) {
    let _ = run(conn, "ROLLBACK").await;
}

/// Holds `<path>.lock` for as long as it lives: one writer, or any number of
/// readers.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
    path: PathBuf,
    /// Whether the file was not there before.
    made: bool,
}

impl Drop for FileLock {
    /// Closing is not enough: a child process that is just being started has
    /// the file open too, until it becomes another program.
    fn drop(&mut self) {
        // Whoever finds it held later is not told of this process.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

impl FileLock {
    /// Others who leave no trace remove it while it is taken; hardly so often.
    const ATTEMPTS: u32 = 1000;

    pub(crate) fn take(path: &Path, shared: bool, remedy: &'static str) -> Result<Self> {
        let lock_path = path.with_added_extension("lock");
        let failed = |cause| Unavailable::file(lock_path.clone(), cause);
        for _ in 0..Self::ATTEMPTS {
            let mut options = OpenOptions::new();
            options.read(true).write(true);
            // Who may not use the file may not hold it up either.
            #[cfg(unix)]
            {
                use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
                let of_file = std::fs::metadata(path).map_or(0o666, |found| found.mode());
                options.mode((of_file | 0o600) & 0o666);
            }
            let (mut file, made) = match options.create_new(true).open(&lock_path) {
                Ok(file) => (file, true),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    match options.create_new(false).open(&lock_path) {
                        // It was removed just now.
                        Err(error) if error.kind() == ErrorKind::NotFound => continue,
                        opened => (opened.map_err(failed)?, false),
                    }
                }
                Err(cause) => return Err(failed(cause).into()),
            };
            let taken = if shared { file.try_lock_shared() } else { file.try_lock() };
            match taken {
                Ok(()) if is_still(&lock_path, &file).map_err(failed)? => {
                    // For whoever finds it held. A full disk is no reason not to hold it.
                    let _ = file.set_len(0);
                    let _ = writeln!(file, "{}", std::process::id());
                    return Ok(Self { file, path: lock_path, made });
                }
                // Whoever made it has removed it before it was locked here.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let process = holder(&mut file);
                    return Err(Unavailable::InUse { path: path.into(), process, remedy }.into());
                }
                Err(TryLockError::Error(cause)) => return Err(failed(cause).into()),
            }
        }
        let cause = "it cannot be taken: it is a link that leads nowhere, or something removes it \
            again and again; look at what it is, and remove it";
        Err(failed(std::io::Error::other(cause)).into())
    }

    /// Gives it back and leaves no trace, where there was none before.
    pub(crate) fn undo(self) {
        // While it is held: whoever waits for it finds out that it is gone.
        if self.made && cfg!(unix) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The process that wrote itself down in a lock file.
fn holder(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Which files have the names of a database that SQLite has open. By their
/// numbers only: whoever opens and closes such a file himself takes SQLite's
/// locks away.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named(Vec<(PathBuf, Inode)>);

#[cfg(unix)]
type Inode = (u64, u64);
/// Elsewhere a file that is open keeps its name.
#[cfg(not(unix))]
type Inode = ();

impl Named {
    /// The database, and its write-ahead log where this connection must have
    /// one.
    pub(crate) fn of(path: &Path, log: bool) -> std::io::Result<Self> {
        let suffixes: &[&str] = if log { &["", "-wal"] } else { &[""] };
        let named = |suffix: &&str| {
            let name = beside(path, suffix);
            inode(&name).map(|inode| (name, inode))
        };
        suffixes.iter().map(named).collect::<std::io::Result<_>>().map(Self)
    }

    /// Whether the names are still theirs.
    pub(crate) fn is_still(&self) -> bool {
        self.0.iter().all(|(name, seen)| inode(name).is_ok_and(|now| now == *seen))
    }
}

#[cfg(unix)]
fn inode(path: &Path) -> std::io::Result<Inode> {
    use std::os::unix::fs::MetadataExt as _;
    let file = std::fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn inode(_: &Path) -> std::io::Result<Inode> {
    Ok(())
}

/// Whether a file that is open is the one that has this name.
#[cfg(unix)]
fn is_still(path: &Path, file: &File) -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let open = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Elsewhere none is ever removed.
#[cfg(not(unix))]
fn is_still(_: &Path, _: &File) -> std::io::Result<bool> {
    Ok(true)
}

/// 32 bytes of a column.
pub(crate) fn hash(row: &sqlx::sqlite::SqliteRow, column: &str) -> Result<[u8; 32]> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| damaged(format!("{column} has {} bytes, not 32", bytes.len())))
}

/// A local file holds what this crate never writes.
pub(crate) fn damaged(what: impl Into<String>) -> Error {
    crate::verdict::Verdict::LogAltered { what: what.into() }.into()
}

/// SQLite's integers are signed; ours never use the upper half.
pub(crate) fn to_i64(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A number that this crate wrote as unsigned.
pub(crate) fn to_u64(n: i64, what: &str) -> Result<u64> {
    u64::try_from(n).map_err(|_| damaged(format!("{what} is negative")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A link that leads nowhere is there, and cannot be opened.
    #[cfg(unix)]
    #[test]
    fn a_lock_that_cannot_be_taken_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        std::os::unix::fs::symlink("/nowhere/at/all", folder.path().join("ledger.lock")).unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || tell.send(FileLock::take(&path, false, "").unwrap_err()));
        let error = told.recv_timeout(Duration::from_secs(20)).expect("it is tried without end");
        assert!(error.to_string().contains("ledger.lock: it cannot be taken"), "{error}");
    }

    /// Pages of its schema that hang together so that a walk over them passes
    /// one row 40¹² times: what a UNIQUE column puts there, which SQLite takes
    /// any number of times.
    #[tokio::test]
    async fn a_schema_that_does_not_end_is_damage() {
        const PAGE: usize = 512;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut conn = options.page_size(PAGE as u32).connect().await.unwrap();
        run(&mut conn, "CREATE TABLE t (a UNIQUE)").await.unwrap();
        close(conn).await;
        let mut file = std::fs::read(&path).unwrap();
        let pages = file.len() / PAGE;
        let page = |n: usize| u32::try_from(pages + n).unwrap().to_be_bytes();
        // Both rows, and the second alone: leaves as page 1 is one behind the
        // file's header.
        let mut both = file[..PAGE].to_vec();
        both.copy_within(100..112, 0);
        let mut second = both.clone();
        second[4] = 1;
        second.copy_within(10..12, 8);
        // A kind, no free block, a number of cells, where they begin, no
        // fragments, the last child: then the cells' places, and each cell with
        // a child and a number.
        let inner = |head: usize, first: [u8; 4], cells: u8, rest: [u8; 4]| {
            let mut page = vec![0; PAGE];
            let begin = PAGE - 5 * usize::from(cells);
            page[head] = 5;
            page[head + 4] = cells;
            page[head + 5..head + 7].copy_from_slice(&u16::try_from(begin).unwrap().to_be_bytes());
            page[head + 8..head + 12].copy_from_slice(&rest);
            for cell in 0..usize::from(cells) {
                let at = begin + 5 * cell;
                let place = head + 12 + 2 * cell;
                page[place..place + 2].copy_from_slice(&u16::try_from(at).unwrap().to_be_bytes());
                page[at..at + 4].copy_from_slice(&first);
                page[at + 4] = 2;
            }
            page
        };
        let root = inner(100, page(1), 1, page(3));
        file[100..PAGE].copy_from_slice(&root[100..]);
        file.extend(both);
        file.extend(second);
        for depth in 0..12 {
            let below = if depth < 11 { page(4 + depth) } else { page(2) };
            file.extend(inner(0, below, 40, below));
        }
        file[28..32].copy_from_slice(&page(14));
        std::fs::write(&path, file).unwrap();
        let opened = open(&path, FileKind::Ledger, false);
        let opened = tokio::time::timeout(Duration::from_secs(20), opened).await;
        let error = opened.expect("it does not end").unwrap_err();
        assert!(is_damage(&error) && error.to_string().contains("interrupted"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_is_for_whom_the_file_is() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o600, 0o400, 0o640] {
            let path = folder.path().join(format!("{mode:o}"));
            std::fs::write(&path, "").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let lock = FileLock::take(&path, false, "").unwrap();
            let found = std::fs::metadata(&lock.path).unwrap().permissions().mode();
            assert_eq!(found & 0o777 & !mode, 0o600 & !mode, "{mode:o}: {found:o}");
        }
    }
}
