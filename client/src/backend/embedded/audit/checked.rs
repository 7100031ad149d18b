//! A file that is read in a thread of its own, over a connection of its own:
//! nothing that was found out over another one is believed of it.
//!
//! Whoever can write the folder can put another file there between two
//! openings, and whoever can write the file can alter its schema. So each part
//! is read in one SQLite transaction with the look at what the file is.

use std::error::Error;
use std::path::PathBuf;

use rusqlite::{Connection, OpenFlags};

use super::super::file_schema::{self, FORGET, KEPT, Kept, VERSION};
use crate::sqlite::{self, FileKind, MOST_STEPS};

/// Why no more is read. It says nothing of the ledger: what is wrong with it
/// is told where it is read over [`super::super::file::LedgerFile`].
pub(crate) type Why = Box<dyn Error + Send + Sync>;

/// A file to read: one that does not change, or one that somebody may write.
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) unchanging: bool,
    pub(crate) kind: FileKind,
}

pub(crate) struct Checked {
    conn: Connection,
    kind: FileKind,
    /// The schema as it was looked at.
    version: Option<i64>,
}

impl Checked {
    /// For reading alone. Nothing is asked of it yet.
    pub(crate) fn open(place: &Place) -> Result<Self, Why> {
        let Place { path, unchanging, kind } = place;
        let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = match unchanging {
            false => Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_WRITE)?,
            true => {
                let flags = flags | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
                Connection::open_with_flags(sqlite::immutable(path), flags)?
            }
        };
        conn.pragma_update(None, "trusted_schema", false)?;
        conn.pragma_update(None, "query_only", true)?;
        Ok(Self { conn, kind: *kind, version: None })
    }

    /// Reads as of one moment, in which the file is what it should be. After
    /// an error nothing more may be read.
    ///
    /// A part is a moment, not the whole: a snapshot that is held until a long
    /// file is read would hold up its writer's log as long. Nothing is lost by
    /// that. What is committed to a ledger does not change, and each of its
    /// transactions is linked to the one before by hashes, whenever that was
    /// read.
    pub(crate) fn as_of_one_moment<T>(
        &mut self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Why> {
        self.conn.progress_handler(MOST_STEPS, Some(|| true))?;
        self.conn.execute_batch("BEGIN")?;
        let version = self.conn.query_row(VERSION, (), |row| row.get(0))?;
        // By the same number SQLite knows that what it has read of the schema
        // holds yet.
        if self.version != Some(version) {
            self.look()?;
            self.version = Some(version);
        }
        self.conn.progress_handler(0, None::<fn() -> bool>)?;
        let found = read(&self.conn)?;
        self.conn.execute_batch("COMMIT")?;
        Ok(found)
    }

    /// Whether the file is of its kind, and a ledger nothing but one.
    fn look(&self) -> Result<(), Why> {
        let found: i64 = self.conn.query_row("PRAGMA application_id", (), |row| row.get(0))?;
        if found != self.kind as i64 {
            return Err(format!("it is no {:?} (application id {found:#x})", self.kind).into());
        }
        self.conn.execute_batch(FORGET)?;
        if self.kind != FileKind::Ledger {
            return Ok(());
        }
        let mut kept = self.conn.prepare(KEPT)?;
        let kept = kept.query_map((), |row| {
            let bytes = |column| row.get_ref(column).map(|value| value.as_bytes_or_null().ok());
            Ok(Kept::of(bytes(0)?.flatten(), bytes(1)?.flatten()))
        })?;
        match file_schema::altered(&kept.collect::<rusqlite::Result<Vec<_>>>()?) {
            Some(what) => Err(what.into()),
            None => Ok(()),
        }
    }
}
