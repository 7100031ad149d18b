//! The two files of an embedded ledger, and hands that reach into them behind
//! its back.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use counterfoil::{Config, Cover, Event, EventStore, Result, TrustedState};
use counterfoil_test_support::{TempDir, temp_dir};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

/// A ledger file, and the trust file that belongs to it, or does not.
#[derive(Clone)]
pub(crate) struct Files {
    pub(crate) ledger: PathBuf,
    pub(crate) trust: PathBuf,
    pub(crate) folder: Rc<TempDir>,
}

impl Files {
    /// Two files that do not exist yet.
    pub(crate) fn new() -> Self {
        let folder = Rc::new(temp_dir("files"));
        Self { ledger: folder.join("a.ledger"), trust: folder.join("b.trust"), folder }
    }

    /// A new ledger in which one stream has so many events, one a
    /// transaction: event n is in transaction n + 2.
    pub(crate) async fn with_events(count: u64) -> Self {
        let files = Self::new();
        files.append(0..count).await;
        files
    }

    /// Opens the ledger, appends event after event, and closes it.
    pub(crate) async fn append(&self, numbers: impl IntoIterator<Item = u64>) {
        let store = self.open().await.unwrap();
        for n in numbers {
            store.add_event(&event(n)).await.unwrap();
        }
        store.close().await.unwrap();
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = Config::embedded(&self.ledger);
        config.trust.file = Some(self.trust.clone());
        config
    }

    pub(crate) async fn open(&self) -> Result<EventStore> {
        EventStore::open(&self.config()).await
    }

    /// The state that the ledger is in, when it opens as it should.
    #[allow(dead_code)] // Not every test that has files asks for it.
    pub(crate) async fn state(&self) -> TrustedState {
        let store = self.open().await.unwrap();
        let state = store.state().await.unwrap();
        store.close().await.unwrap();
        state
    }

    /// Copies of both files as they are now, in the same folder.
    #[allow(dead_code)] // Not every test that has files copies them.
    pub(crate) async fn copy(&self) -> Self {
        let copied =
            Self { ledger: self.free("ledger"), trust: self.free("trust"), ..self.clone() };
        copy(&self.ledger, &copied.ledger).await;
        copy(&self.trust, &copied.trust).await;
        copied
    }

    /// This ledger file with another one's trust file.
    #[allow(dead_code)] // Not every test that has files swaps them.
    pub(crate) fn trusted_by(&self, other: &Self) -> Self {
        Self { trust: other.trust.clone(), ..self.clone() }
    }

    /// The names of all that lies in the folder, sorted.
    #[allow(dead_code)] // Not every test that has files counts them.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// A place in the same folder where nothing is yet.
    pub(crate) fn free(&self, extension: &str) -> PathBuf {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        self.folder.join(format!("{}.{extension}", COUNT.fetch_add(1, Ordering::Relaxed)))
    }
}

/// Event `n` of the one stream.
pub(crate) fn event(n: u64) -> Event {
    Event::new(&stream(), "Counted", format!("number {n}")).with_external_id(format!("{n}"))
}

/// The one stream.
pub(crate) fn stream() -> Cover {
    Cover::new("shipment", "SSCC-00123456")
}

/// A connection that knows nothing of locks, pins and announcements.
pub(crate) async fn connect(path: &Path) -> SqliteConnection {
    let url = format!("sqlite://{}?mode=rw", path.display());
    SqliteConnection::connect(&url).await.unwrap()
}

/// Runs statements on a file. Returns how many rows the last one touched.
pub(crate) async fn run(path: &Path, sql: &str) -> u64 {
    let mut connection = connect(path).await;
    let sql = AssertSqlSafe(sql.to_owned());
    let done = sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    done.rows_affected()
}

/// A copy of what is committed, wherever in file and write-ahead log it is.
#[allow(dead_code)] // As above.
async fn copy(from: &Path, to: &Path) {
    run(from, &format!("VACUUM INTO '{}'", to.display())).await;
}
