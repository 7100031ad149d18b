//! Payloads in a SQLite file.

use std::path::Path;

use sqlx::{Row, SqliteConnection};
use tokio::sync::Mutex;

use super::{PayloadFuture, PayloadStore, SaltedPayload};
use crate::error::{Error, Result, Unavailable};
use crate::event::PayloadCommitment;
use crate::sqlite::{self, FileKind};

/// A row a payload. Nothing in it tells which event it belongs to.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS payload (
        commitment BLOB NOT NULL UNIQUE,
        salt BLOB NOT NULL,
        content BLOB NOT NULL
    );
";

/// Commitments listed at once.
const PAGE: i64 = 512;

/// Payloads in a SQLite file of their own, beside any ledger. Several
/// processes may have it open.
///
/// What is erased is overwritten with zeros in the file, and its write-ahead
/// log is cut. That cannot be done while somebody reads the file for long (a
/// backup of it): until it is, an erasure, and any question about what is not
/// there, ends with an error that says so. What copies there are (backups, snapshots, a disk that writes
/// elsewhere than it is told) SQLite cannot reach: encrypt the medium, and let
/// backups of this file live no longer than an erasure may take. The contents
/// lie in it as they are.
#[derive(Debug)]
pub struct SqlitePayloads {
    conn: Mutex<SqliteConnection>,
}

impl SqlitePayloads {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if it cannot be used, [`Error::Config`] if it is
    /// another kind of file or lies where SQLite cannot keep its word.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|cause| Unavailable::file(folder, cause))?;
        }
        let mut conn = sqlite::open(path, FileKind::Payloads, true).await?;
        // An erasure that was interrupted may have left its bytes there. If
        // somebody reads, whoever asks for what is not there cuts it.
        cut_wal(&mut conn).await?;
        Self::load(conn).await
    }

    /// Copies what is kept now into a new file, while anybody writes. Copy the
    /// ledger first: then the contents of all its events are in this. After a
    /// restore call
    /// [`EventStore::finish_erasures`](crate::EventStore::finish_erasures): an
    /// older copy brings back what was erased since.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the file is there already, or cannot be made.
    pub async fn back_up(&self, to: impl AsRef<Path>) -> Result<()> {
        let to = to.as_ref();
        let failed = |cause| Unavailable::file(to, cause);
        if to.try_exists().map_err(failed)? {
            return Err(failed(std::io::ErrorKind::AlreadyExists.into()).into());
        }
        let mut conn = self.conn.lock().await;
        sqlite::copy_of(&mut conn, to).await?;
        drop(conn);
        let synced = std::fs::File::open(to).and_then(|file| file.sync_all());
        Ok(synced.map_err(failed)?)
    }

    /// The same in memory, for tests.
    pub async fn in_memory() -> Result<Self> {
        Self::load(sqlite::memory().await?).await
    }

    async fn load(mut conn: SqliteConnection) -> Result<Self> {
        sqlite::run(&mut conn, "PRAGMA secure_delete = ON").await?;
        sqlite::run(&mut conn, TABLES).await?;
        Ok(Self { conn: Mutex::new(conn) })
    }

    async fn keep(&self, commitment: PayloadCommitment, payload: &SaltedPayload) -> Result<()> {
        let mut conn = self.conn.lock().await;
        // What is under the commitment is the same, or was altered.
        sqlx::query("INSERT OR REPLACE INTO payload (commitment, salt, content) VALUES (?, ?, ?)")
            .bind(&commitment.as_bytes()[..])
            .bind(&payload.salt()[..])
            .bind(payload.content().as_slice())
            .execute(&mut *conn)
            .await?;
        Ok(())
    }

    async fn find(&self, commitment: PayloadCommitment) -> Result<Option<SaltedPayload>> {
        let mut conn = self.conn.lock().await;
        let row = sqlx::query("SELECT salt, content FROM payload WHERE commitment = ?")
            .bind(&commitment.as_bytes()[..])
            .fetch_optional(&mut *conn)
            .await?;
        let Some(row) = row else {
            nothing_remains(&mut conn).await?;
            return Ok(None);
        };
        let salt = row.try_get::<&[u8], _>("salt")?.try_into();
        let salt = salt.map_err(|_| Error::Invalid("a stored salt has not 32 bytes".into()))?;
        Ok(Some(SaltedPayload::new(salt, row.try_get::<&[u8], _>("content")?)))
    }

    async fn behind(&self, after: Option<PayloadCommitment>) -> Result<Vec<PayloadCommitment>> {
        let mut conn = self.conn.lock().await;
        let after = after.as_ref().map_or(&[][..], |after| after.as_bytes());
        let found = sqlx::query(
            "SELECT commitment FROM payload WHERE commitment > ? ORDER BY commitment LIMIT ?",
        )
        .bind(after)
        .bind(PAGE)
        .fetch_all(&mut *conn)
        .await?;
        // What is not listed is not there.
        nothing_remains(&mut conn).await?;
        let commitment = |row| Ok(PayloadCommitment::from_bytes(sqlite::hash(row, "commitment")?));
        found.iter().map(commitment).collect()
    }

    async fn forget(&self, commitment: PayloadCommitment) -> Result<()> {
        let mut conn = self.conn.lock().await;
        sqlx::query("DELETE FROM payload WHERE commitment = ?")
            .bind(&commitment.as_bytes()[..])
            .execute(&mut *conn)
            .await?;
        nothing_remains(&mut conn).await
    }
}

/// Before it is said that something is not there: a row that was removed is in
/// the write-ahead log until that is cut, whoever removed it, and however that
/// was interrupted. Nothing needs to be remembered for this, so nothing can be
/// forgotten.
async fn nothing_remains(conn: &mut SqliteConnection) -> Result<()> {
    match cut_wal(conn).await? {
        true => Ok(()),
        false => Err(Error::Invalid(
            "somebody reads the file: what is erased may still be in its write-ahead log; repeat \
             it later"
                .into(),
        )),
    }
}

/// Brings everything into the file itself and empties the write-ahead log;
/// false if somebody who reads is in the way.
async fn cut_wal(conn: &mut SqliteConnection) -> Result<bool> {
    let row = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(conn).await?;
    Ok(row.try_get::<i64, _>(0)? == 0)
}

impl PayloadStore for SqlitePayloads {
    fn put<'a>(
        &'a self,
        commitment: PayloadCommitment,
        payload: &'a SaltedPayload,
    ) -> PayloadFuture<'a, ()> {
        Box::pin(async move { Ok(self.keep(commitment, payload).await?) })
    }

    fn get(&self, commitment: PayloadCommitment) -> PayloadFuture<'_, Option<SaltedPayload>> {
        Box::pin(async move { Ok(self.find(commitment).await?) })
    }

    fn list(
        &self,
        after: Option<PayloadCommitment>,
    ) -> PayloadFuture<'_, Option<Vec<PayloadCommitment>>> {
        Box::pin(async move { Ok(Some(self.behind(after).await?)) })
    }

    fn erase(&self, commitment: PayloadCommitment) -> PayloadFuture<'_, ()> {
        Box::pin(async move { Ok(self.forget(commitment).await?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(n: u8, bytes: usize) -> SaltedPayload {
        SaltedPayload::new([n; 32], format!("secret {n} ").repeat(bytes / 9))
    }

    /// Everything that is in the files of a payload store.
    fn bytes_on_disk(path: &Path) -> Vec<u8> {
        let all = ["", "-wal"].map(|suffix| format!("{}{suffix}", path.display()));
        all.iter().flat_map(|path| std::fs::read(path).unwrap_or_default()).collect()
    }

    fn holds(haystack: &[u8], needle: &[u8]) -> bool {
        haystack.windows(needle.len()).any(|part| part == needle)
    }

    #[tokio::test]
    async fn what_is_erased_is_in_no_file_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("payloads");
        let payloads = SqlitePayloads::open(&path).await.unwrap();
        // Small ones share pages, large ones have pages of their own.
        let all: Vec<_> = (1..=18).map(|n| payload(n, [20, 900, 30_000][n as usize % 3])).collect();
        for each in &all {
            payloads.put(each.commitment(), each).await.unwrap();
        }
        for (n, each) in (1_u8..).zip(&all) {
            let secret = format!("secret {n} ");
            assert!(holds(&bytes_on_disk(&path), secret.as_bytes()), "{n}: it was never there");
            payloads.erase(each.commitment()).await.unwrap();
            let rest = bytes_on_disk(&path);
            assert!(!holds(&rest, secret.as_bytes()), "the content of {n} is still there");
            assert!(!holds(&rest, each.salt()), "the salt of {n} is still there");
            assert_eq!(payloads.get(each.commitment()).await.unwrap(), None);
        }
    }

    /// An erasure that a reader was in the way of, or that was dropped before
    /// the end, is finished before anybody is told that nothing is there.
    #[tokio::test]
    async fn nothing_is_said_to_be_gone_whose_bytes_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("payloads");
        let (one, other) = (payload(1, 100), payload(2, 100));
        let payloads = SqlitePayloads::open(&path).await.unwrap();
        let again = SqlitePayloads::open(&path).await.unwrap();
        // Nobody waits for a reader here.
        for store in [&payloads, &again] {
            sqlite::run(&mut *store.conn.lock().await, "PRAGMA busy_timeout = 0").await.unwrap();
        }
        payloads.put(one.commitment(), &one).await.unwrap();
        let mut reader = sqlite::open(&path, FileKind::Payloads, false).await.unwrap();
        sqlite::run(&mut reader, "BEGIN; SELECT count(*) FROM payload").await.unwrap();
        payloads.erase(one.commitment()).await.unwrap_err();
        for store in [&payloads, &again] {
            assert!(holds(&bytes_on_disk(&path), b"secret 1 "));
            store.get(one.commitment()).await.unwrap_err();
            store.list(None).await.unwrap_err();
        }
        // What is there is given all the same.
        payloads.put(other.commitment(), &other).await.unwrap();
        assert_eq!(again.get(other.commitment()).await.unwrap(), Some(other.clone()));
        sqlite::run(&mut reader, "COMMIT").await.unwrap();
        assert_eq!(again.get(one.commitment()).await.unwrap(), None);
        let rest = bytes_on_disk(&path);
        assert!(!holds(&rest, b"secret 1 ") && !holds(&rest, one.salt()));

        // Dropped between the row and the log.
        let sql = "DELETE FROM payload";
        sqlite::run(&mut *payloads.conn.lock().await, sql).await.unwrap();
        assert!(holds(&bytes_on_disk(&path), b"secret 2 "));
        assert_eq!(again.list(None).await.unwrap(), Some(vec![]));
        assert!(!holds(&bytes_on_disk(&path), b"secret 2 "));
    }

    #[tokio::test]
    async fn what_is_kept_is_there_again_and_for_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/payloads");
        let one = payload(1, 100);
        let first = SqlitePayloads::open(&path).await.unwrap();
        let second = SqlitePayloads::open(&path).await.unwrap();
        first.put(one.commitment(), &one).await.unwrap();
        assert_eq!(second.get(one.commitment()).await.unwrap(), Some(one.clone()));
        // What was altered in the file is put right by whoever has it still.
        sqlite::run(&mut *second.conn.lock().await, "UPDATE payload SET content = x'00'")
            .await
            .unwrap();
        first.put(one.commitment(), &one).await.unwrap();
        drop((first, second));
        let again = SqlitePayloads::open(&path).await.unwrap();
        assert_eq!(again.get(one.commitment()).await.unwrap(), Some(one));
        assert!(sqlite::open(&path, FileKind::Ledger, true).await.is_err());
    }
}
