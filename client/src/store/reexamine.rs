//! Looking again at what was not accounted for.

use std::sync::Arc;

use counterfoil_core::TxId;
use serde::Serialize;

use super::{Backend, EventStore, to_the_end};
use crate::error::Result;

/// What [`EventStore::reexamine`] did, and what it cost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reexamined {
    /// How many gaps were looked at.
    pub examined: u64,
    /// Those whose entries are known now, in ledger order: they are gaps no
    /// more.
    pub closed: Vec<TxId>,
    /// The first of these: from this transaction on everything was decided
    /// anew, in transactions that were no gap, too. None if nothing was.
    pub from: Option<TxId>,
    /// Entries were found, but nothing could be decided anew: this transaction
    /// lies behind them, it was accounted for, and the server does not show
    /// its rows any more. Everything stays as it was.
    pub blocked: Option<TxId>,
    /// There are more gaps: look at those behind this transaction next.
    pub next: Option<TxId>,
    /// How often the server scanned the whole table for it.
    pub scans: u64,
}

impl EventStore {
    /// Looks again at gaps: transactions of which not every entry was known
    /// when they were first seen, because a row was withheld or altered on its
    /// way, its writer lagged far behind, or other tables share the database.
    /// Where the entries that the server shows now make the transaction's root,
    /// it is accounted for, and order, first write and everything else behind
    /// it is decided anew, as if it had been known at once: what was taken for
    /// an event may turn out to have been written before, and what seemed out
    /// of line may be one. All of it is kept, or nothing.
    ///
    /// Looks at most at 1,024 gaps behind `after` (by default from the first
    /// on), at the cost of one scan of the table and, for the first eight of
    /// those that it does not show, up to three more each; where any is
    /// closed, at that of a synchronisation from there to the ledger's end.
    /// Other calls wait meanwhile. Nothing does this by itself, because
    /// nothing tells when it would help: call it when
    /// [`status`](Self::status) is incomplete and the reason is gone.
    ///
    /// What was read before from [`Reexamined::from`] on no longer holds: read
    /// everything from there again. A [`follow`](Self::follow) that has come
    /// so far is told with [`News::DecidedAnew`](crate::News::DecidedAnew)
    /// and goes back by itself, as does who follows later from a
    /// [`Bookmark`](crate::Bookmark) beyond.
    ///
    /// # Errors
    ///
    /// As every read. What the server does not show is no error.
    pub async fn reexamine(&self, after: Option<TxId>) -> Result<Reexamined> {
        // An end that cannot be confirmed yet is in nobody's way.
        self.sync_as_far().await?;
        let shared = Arc::clone(&self.shared);
        to_the_end(async move {
            // No commit is on its way meanwhile: it builds on what is decided,
            // and is told apart from rivals by it.
            let _no_commit = shared.writing.lock().await;
            match &shared.backend {
                // Every row of a file is accounted for, or a verdict.
                Backend::Embedded(_) => {
                    let _ = after;
                    Ok(Reexamined::default())
                }
                #[cfg(feature = "immudb")]
                Backend::Immudb(immudb) => {
                    let after = after.unwrap_or(TxId::new(0));
                    immudb.reexamine(&shared.local, after).await
                }
                #[cfg(all(test, feature = "immudb"))]
                Backend::Unruly(_) => Ok(Reexamined::default()),
            }
        })
        .await
    }
}

#[cfg(all(test, feature = "immudb"))]
mod tests {
    use std::sync::Arc;

    use counterfoil_test_support::temp_dir;

    use crate::index::StreamKey;
    use crate::{Config, Cover, Event, EventStore, ReadOptions, TxId};

    /// Not even a panic in the middle leaves what was forgotten forgotten.
    #[tokio::test]
    async fn what_was_begun_and_not_ended_was_never_begun() {
        let folder = temp_dir("anew");
        let mut config = Config::default();
        config.storage.embedded.path = folder.join("ledger");
        let store = EventStore::open(&config).await.unwrap();
        let cover = Cover::new("d", "r");
        let event = Event::new(&cover, "t", "x");
        for _ in 0..3 {
            store.add_event(&event).await.unwrap();
        }
        let shared = Arc::clone(&store.shared);
        let torn = tokio::spawn(async move {
            let mut local = shared.local.lock().await;
            let mut anew = local.derive_anew().await.unwrap();
            anew.forget_from(TxId::new(2)).await.unwrap();
            let stream = StreamKey::of_cover(&Cover::new("d", "r"));
            assert_eq!(anew.stream(&stream).await.unwrap().next, 0);
            panic!("in the middle");
        });
        assert!(torn.await.unwrap_err().is_panic());
        let read = store.read(&cover, ReadOptions::forward()).await.unwrap();
        assert_eq!(read.events.len(), 3);
        assert_eq!(store.add_event(&event).await.unwrap().sequence, 3);
        drop(store);
        let store = EventStore::open(&config).await.unwrap();
        assert_eq!(store.next_sequence(&cover).await.unwrap(), 4);
        assert_eq!(store.findings().await.unwrap(), []);
    }
}
