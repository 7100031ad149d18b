//! A reader that nobody asks holds nothing up.
//!
//! What is read of a log beside its writer is as of one moment. As long as that is held, the writer's
//! write-ahead log cannot be begun anew, and grows. Every question begins with a new look, so between
//! questions the moment may be let go.

use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::Shared;

/// How long after the last look. A question that takes longer reads on in what only grows, the log.
const REST: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(10) };

impl Shared {
    /// Lets go of the moment whenever nothing was asked for a while, until the store is gone.
    pub(super) fn rest_when_idle(self: &Arc<Self>) {
        let resting = tokio::spawn(rest(Arc::downgrade(self)));
        *self.resting.lock().unwrap_or_else(PoisonError::into_inner) = Some(resting);
    }

    /// Ends that, so that nothing but the callers' handles is left. Whether it went on.
    pub(super) async fn rest_no_more(&self) -> bool {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(resting) = resting else { return false };
        resting.abort();
        // It was aborted, or had ended.
        let _ = resting.await;
        true
    }
}

pub(super) type Resting = std::sync::Mutex<Option<JoinHandle<()>>>;

async fn rest(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(REST / 2).await;
        let Some(shared) = shared.upgrade() else { return };
        // Who has it is asking.
        if let Ok(mut local) = shared.local.try_lock() {
            local.rest(REST).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, Row as _};

    use crate::store::EventStore;
    use crate::{Config, Cover, Event, ReadOptions};

    #[tokio::test]
    async fn a_reader_that_nobody_asks_lets_the_writers_log_begin_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::embedded(folder.path().join("ledger"));
        let trust = folder.path().join("trust");
        config.trust.file = Some(trust.clone());
        let cover = Cover::new("d", "r");
        let writer = EventStore::open(&config).await.unwrap();
        writer.add_event(&Event::new(&cover, "T", "a")).await.unwrap();
        let reader = EventStore::open_read_only(&config).await.unwrap();
        let count =
            async || reader.read(&cover, ReadOptions::forward()).await.unwrap().events.len();
        assert_eq!(count().await, 1);
        writer.add_event(&Event::new(&cover, "T", "b")).await.unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&trust);
        let mut other =
            sqlx::SqliteConnection::connect_with(&options.busy_timeout(std::time::Duration::ZERO))
                .await
                .unwrap();
        let begun = std::time::Instant::now();
        loop {
            let row = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut other).await;
            if row.unwrap().get::<i64, _>(0) == 0 {
                break;
            }
            assert!(begun.elapsed().as_secs() < 60, "it is still held");
            tokio::time::sleep(super::REST / 4).await;
        }
        assert_eq!(count().await, 2);
        writer.add_event(&Event::new(&cover, "T", "c")).await.unwrap();
        assert_eq!(count().await, 3);
        // Another handle is left, and then none: its files are closed with the last one.
        let last = reader.clone();
        reader.close().await.unwrap();
        last.state().await.unwrap();
        last.close().await.unwrap();
        other.close().await.unwrap();
        writer.close().await.unwrap();
        assert!(!folder.path().join("trust-wal").exists(), "it was not closed");
    }
}
