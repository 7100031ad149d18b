//! Reading: every event that is returned has the digest that the verified log
//! holds in its place.

use std::ops::Range;

use counterfoil_core::receipt::Authorship;
use counterfoil_core::{Alh, EntryDigest, Table, TrustedState, TxId};
use futures_util::{StreamExt, stream};
use serde::Serialize;

#[cfg(feature = "immudb")]
use super::Backend;
use super::append::out_of_line;
use super::{EventStore, Shared, Streams};
use crate::author::{self, TrustedAuthor};
use crate::body::EventBody;
use crate::bookmark::Bookmark;
use crate::error::{Error, Result, Unavailable};
use crate::event::{Cover, Edition, RecordedEvent, check_cover};
use crate::found::Found;
use crate::index::classify;
use crate::index::{EventAt, Index, Position, StreamInfo, StreamKey};
use crate::local::{CheckedTx, Local, Truncation};
use crate::position::LedgerPosition;
use crate::proof::TxProof;
use crate::sqlite::{damaged, to_i64};
use crate::verdict::{Completeness, Verdict};

/// Which way a stream is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// From the first event on.
    #[default]
    Forward,
    /// From the last event back.
    Backward,
}

/// Where a read begins, which way it goes and how far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The first sequence to return; by default the stream's first or, going
    /// backward, its last.
    pub from: Option<u64>,
    /// Which way.
    pub direction: Direction,
    /// At most so many events; by default all.
    pub limit: Option<u64>,
}

impl ReadOptions {
    /// The whole stream, forward.
    pub fn forward() -> Self {
        Self::default()
    }

    /// The whole stream, backward.
    pub fn backward() -> Self {
        Self { direction: Direction::Backward, ..Self::default() }
    }

    /// Begins at `sequence`.
    pub fn from(mut self, sequence: u64) -> Self {
        self.from = Some(sequence);
        self
    }

    /// Returns at most `limit` events.
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// Verified events, and how much can be said about what is not among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StreamRead {
    /// The events, each verified.
    pub events: Vec<RecordedEvent>,
    /// The state under which they were verified.
    pub state: TrustedState,
    /// Whether anything could have been missed.
    pub completeness: Completeness,
    /// Why the stream cannot be read beyond its last event, if so.
    pub stopped: Option<Verdict>,
    /// Of [`read_all`](EventStore::read_all) and
    /// [`read_all_after`](EventStore::read_all_after): where it ended, to read on
    /// from there, or to follow.
    pub bookmark: Option<Bookmark>,
}

impl IntoIterator for StreamRead {
    type Item = RecordedEvent;
    type IntoIter = std::vec::IntoIter<RecordedEvent>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.into_iter()
    }
}

/// Events verified at once, at most: bounds memory beside the result.
pub(super) const BATCH: usize = 512;

/// Batches that are fetched at once.
const AHEAD: usize = 3;

impl EventStore {
    /// Reads a stream.
    pub async fn read(&self, cover: &Cover, options: ReadOptions) -> Result<StreamRead> {
        check_cover(cover)?;
        self.sync().await?;
        let found = async {
            let mut local = self.shared.local.lock().await;
            let key = StreamKey::of_cover(cover);
            let stream = local.stream(&key).await?;
            let backward = options.direction == Direction::Backward;
            let (first, last) = match (options.from, backward) {
                (None, _) => (0, u64::MAX),
                (Some(from), false) => (from, u64::MAX),
                (Some(from), true) => (0, from),
            };
            let limit = options.limit.unwrap_or(u64::MAX);
            let found = Index::events(local.conn(), &stream, first, last, limit, backward).await?;
            self.finish(local, cover, key, &stream, found).await
        };
        self.shared.naming_log(found).await
    }

    /// Reads a stream as it was before the ledger's clock first passed
    /// `unix_seconds`: the prefix of transactions before the first one whose
    /// time stamp is greater. Time stamps are the ledger's claim.
    pub async fn get_until(&self, cover: &Cover, unix_seconds: i64) -> Result<StreamRead> {
        check_cover(cover)?;
        self.sync().await?;
        let found = async {
            let mut local = self.shared.local.lock().await;
            let key = StreamKey::of_cover(cover);
            let stream = local.stream(&key).await?;
            let end: Option<i64> =
                sqlx::query_scalar("SELECT min(id) FROM tx WHERE ts > ? AND NOT opaque")
                    .bind(unix_seconds)
                    .fetch_one(local.conn())
                    .await?;
            let mut found =
                Index::events(local.conn(), &stream, 0, u64::MAX, u64::MAX, false).await?;
            if let Some(end) = end {
                found.retain(|(_, place)| to_i64(place.tx().get()) < end);
            }
            self.finish(local, cover, key, &stream, found).await
        };
        self.shared.naming_log(found).await
    }

    async fn finish(
        &self,
        mut local: tokio::sync::MutexGuard<'_, Local>,
        cover: &Cover,
        key: StreamKey,
        stream: &StreamInfo,
        found: Vec<(u64, Position)>,
    ) -> Result<StreamRead> {
        let state = local.state()?;
        let completeness = local.completeness(state.tx).await?;
        drop(local);
        let stopped = stream.held.as_ref().map(|held| out_of_line(cover, stream.next, held));
        let wanted: Vec<EventAt> = found
            .into_iter()
            .map(|(number, pos)| EventAt { pos, key: key.clone(), number })
            .collect();
        let events = self.shared.recorded(&wanted).await?;
        Ok(StreamRead { events, state, completeness, stopped, bookmark: None })
    }

    /// Reads the events of all streams in ledger order: at most `limit`
    /// (by default all) of those written after transaction `after`, never
    /// part of a transaction unless the limit falls into it.
    ///
    /// # Errors
    ///
    /// As [`read_all_after`](Self::read_all_after).
    pub async fn read_all(&self, after: Option<TxId>, limit: Option<u64>) -> Result<StreamRead> {
        self.read_all_after(after.map_or(LedgerPosition::START, LedgerPosition::end_of), limit)
            .await
    }

    /// Reads the events of all streams in ledger order: at most `limit`
    /// (by default all) of those behind a place. That of the page before is its
    /// [bookmark](StreamRead::bookmark): so the pages join without a seam.
    ///
    /// The events are found through this client's own index. That it leaves none
    /// out is checked against the log: every entry of an accounted transaction is
    /// an event, or something was [found](Self::findings) in its place.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read). [`Verdict::LogAltered`] for an index in which a row
    /// is missing or names another event; one that was altered so that its rows
    /// fit each other (a finding in the place of an event) only an
    /// [audit](crate::Audit) can tell. [`Error::DecidedAnew`] if the bookmark was made
    /// where other transactions before it were accounted for: what was read with it
    /// may not be what is read now. A [`LedgerPosition`] instead of a bookmark
    /// cannot tell. A place beyond the ledger's end is no error.
    pub async fn read_all_after(
        &self,
        after: impl Into<Bookmark>,
        limit: Option<u64>,
    ) -> Result<StreamRead> {
        let after = after.into();
        self.sync().await?;
        loop {
            let times = self.shared.anew.borrow().len();
            let read = self.shared.naming_log(self.read_on(after, limit)).await?;
            // Of what was decided in two ways nobody could make sense.
            if self.shared.anew.borrow().len() == times {
                return Ok(read);
            }
        }
    }

    async fn read_on(&self, after: Bookmark, limit: Option<u64>) -> Result<StreamRead> {
        let mut local = self.shared.local.lock().await;
        let state = local.state()?;
        let completeness = local.completeness(state.tx).await?;
        let mut place = after.place().in_index();
        let beyond = after.place().tx > state.tx;
        if !beyond && let Some(from) = after.decided_anew(&local.gaps_before(place).await?) {
            return Err(Error::DecidedAnew { from });
        }
        drop(local);
        let mut events = Vec::new();
        let mut left = limit.unwrap_or(u64::MAX);
        while left > 0 {
            let mut local = self.shared.local.lock().await;
            let page = left.min(BATCH as u64);
            let mut wanted =
                Index::events_after(local.conn(), &Streams::all(), place, page).await?;
            // What was synchronised meanwhile is not part of this state.
            wanted.retain(|event| event.pos.tx() <= state.tx);
            let last = wanted.last().map(|last| last.pos).filter(|_| wanted.len() as u64 == page);
            local.leaves_nothing_out(place, last.map_or(state.tx, Position::tx)).await?;
            drop(local);
            left -= wanted.len() as u64;
            events.extend(self.shared.recorded(&wanted).await?);
            let Some(last) = last else { break };
            place = last;
        }
        let end = match left {
            0 => events.last().map_or(after.place(), RecordedEvent::position),
            _ => LedgerPosition::end_of(state.tx),
        };
        let bookmark = match beyond {
            true => after,
            false => {
                let gaps = self.shared.local.lock().await.gaps_before(end.in_index()).await?;
                Bookmark::new(end, gaps)
            }
        };
        Ok(StreamRead { events, state, completeness, stopped: None, bookmark: Some(bookmark) })
    }

    /// The event `sequence` of a stream, as of the ledger's state `tx_id`.
    ///
    /// # Errors
    ///
    /// [`Error::WrittenLater`] if it exists but was written after `tx_id`,
    /// [`Error::NotFound`] if it does not exist, [`Error::BeyondState`] if
    /// `tx_id` is beyond the verified state.
    pub async fn get_event_at_tx(
        &self,
        cover: &Cover,
        sequence: u64,
        tx_id: TxId,
    ) -> Result<RecordedEvent> {
        check_cover(cover)?;
        self.sync().await?;
        let found = async {
            let mut local = self.shared.local.lock().await;
            let verified = local.state()?.tx;
            if tx_id > verified {
                return Err(Error::BeyondState { asked: tx_id, verified });
            }
            let place = locate(&mut local, cover, sequence).await?;
            drop(local);
            if place.pos.tx() > tx_id {
                return Err(Error::WrittenLater { sequence, tx: place.pos.tx(), asked: tx_id });
            }
            let mut events = self.shared.recorded(&[place]).await?;
            // One was asked for, and every one asked for is given or an error.
            Ok(events.swap_remove(0))
        };
        self.shared.naming_log(found).await
    }

    /// The proof that a transaction belongs to the pinned state, checked
    /// before it is returned. It holds under that state only: after another
    /// write, take proof and [`state`](Self::state) anew.
    pub async fn get_proof_at_tx(&self, tx_id: TxId) -> Result<TxProof> {
        self.sync().await?;
        let found = async {
            let mut local = self.shared.local.lock().await;
            let ledger = local.pin()?.ledger;
            let checked = local.checked(tx_id).await?;
            Ok(TxProof::new(ledger, &checked))
        };
        self.shared.naming_log(found).await
    }

    /// The sequence that the stream's next event will have. How far that can
    /// be relied on says [`stream_status`](Self::stream_status).
    pub async fn next_sequence(&self, cover: &Cover) -> Result<u64> {
        check_cover(cover)?;
        self.sync().await?;
        let found = async {
            let mut local = self.shared.local.lock().await;
            let stream = local.stream(&StreamKey::of_cover(cover)).await?;
            match &stream.held {
                None => Ok(stream.next),
                Some(held) => Err(out_of_line(cover, stream.next, held).into()),
            }
        };
        self.shared.naming_log(found).await
    }

    /// The domains that have events in an edition, sorted. How complete the
    /// list is, and what errors there are, says [`list_streams`](Self::list_streams).
    pub async fn list_domains(&self, edition: &Edition) -> Result<Vec<String>> {
        self.sync().await?;
        let found = async {
            let mut local = self.shared.local.lock().await;
            let which = Streams::default().in_edition(edition.clone());
            Index::streams_end(local.conn(), &which).await?;
            let domains = Index::domains(local.conn(), edition.as_str()).await?;
            // Only canonical rows make events, and their domains are text.
            Ok(domains.into_iter().filter_map(|domain| String::from_utf8(domain).ok()).collect())
        };
        self.shared.naming_log(found).await
    }

    /// The roots that have events in a domain and edition, sorted. How complete
    /// the list is, and what errors there are, says [`list_streams`](Self::list_streams).
    pub async fn list_roots(
        &self,
        domain: &str,
        edition: &Edition,
    ) -> Result<Vec<counterfoil_policy::Bytes>> {
        self.sync().await?;
        let found = async {
            let mut local = self.shared.local.lock().await;
            let which = Streams::in_domain(domain).in_edition(edition.clone());
            Index::streams_end(local.conn(), &which).await?;
            let roots = Index::roots(local.conn(), domain, edition.as_str()).await?;
            Ok(roots.into_iter().map(Into::into).collect())
        };
        self.shared.naming_log(found).await
    }
}

/// Where the log has an event.
pub(super) async fn locate(local: &mut Local, cover: &Cover, sequence: u64) -> Result<EventAt> {
    let key = StreamKey::of_cover(cover);
    let stream = local.stream(&key).await?;
    let found = Index::events(local.conn(), &stream, sequence, sequence, 1, false).await?;
    match (found.first(), &stream.held) {
        (Some(&(number, pos)), _) => Ok(EventAt { pos, key, number }),
        (None, Some(held)) if sequence == stream.next => {
            Err(out_of_line(cover, sequence, held).into())
        }
        (None, _) => {
            let verified = local.state()?.tx;
            let completeness = local.completeness(verified).await?;
            Err(Error::NotFound { sequence, next: stream.next, completeness })
        }
    }
}

impl Shared {
    /// The events at these places, in the order asked for.
    pub(super) async fn recorded(&self, wanted: &[EventAt]) -> Result<Vec<RecordedEvent>> {
        let mut events = Vec::with_capacity(wanted.len());
        let (mut ranges, mut start) = (Vec::new(), 0);
        while start < wanted.len() {
            let most = wanted.len().min(start + BATCH);
            let end = start + self.fitting(&wanted[start..most]).await?;
            ranges.push(start..end);
            start = end;
        }
        // Boxed, as is who to blame: what waits for an answer should be small.
        let verified = Box::pin(self.verified_ranges(wanted, ranges, &mut events)).await?;
        match verified {
            Ok(()) => Ok(events),
            Err(error) => Err(Box::pin(self.blamed(error)).await),
        }
    }

    /// The events of these ranges, until one is not what the log says. The next
    /// batches are under way while one is verified, and hold what they wait
    /// with: who to blame is not asked before they are gone.
    async fn verified_ranges(
        &self,
        wanted: &[EventAt],
        ranges: Vec<Range<usize>>,
        events: &mut Vec<RecordedEvent>,
    ) -> Result<Result<()>> {
        let mut batches = stream::iter(ranges)
            .map(async |range| self.fetched(&wanted[range]).await)
            .buffered(AHEAD);
        while let Some(batch) = batches.next().await {
            for verified in batch?.verified() {
                match verified {
                    Ok(verified) => events.push(verified.recorded()),
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
        Ok(Ok(()))
    }

    /// The same error, unless it is the log's own record that does not hold, or
    /// its index: nobody is accused of what happened to this client's disk.
    async fn blamed(&self, error: Error) -> Error {
        let (Some(Verdict::RowAltered { tx, entry }) | Some(Verdict::RowMissing { tx, entry })) =
            error.verdict()
        else {
            return error;
        };
        let (tx, entry) = (*tx, *entry);
        let checked = self.local.lock().await.checked(tx).await;
        match checked {
            // What cannot be asked excuses nobody.
            Ok(checked) => match Box::pin(self.is_another(&checked, entry)).await {
                Ok(true) => indexed_as_another(tx, entry),
                _ => error,
            },
            Err(own) if !own.is_verdict() => own,
            Err(own) => damaged(format!("its record of transaction {tx} does not hold: {own}")),
        }
    }

    /// Whether the server has the row of an event under another key than the
    /// index, by which it was asked for.
    #[cfg(feature = "immudb")]
    async fn is_another(&self, checked: &CheckedTx, entry: u32) -> Result<bool> {
        let Backend::Immudb(immudb) = &self.backend else { return Ok(false) };
        let digest = checked.digests.as_ref().and_then(|all| all.get(entry as usize));
        let Some(digest) = digest else { return Ok(false) };
        let place = Position::new(checked.tx.id(), entry);
        let before = Position::from_raw(place.raw() - 1);
        let mut local = self.local.lock().await;
        let table = local.table()?;
        let indexed = Index::events_after(local.conn(), &Streams::all(), before, 1).await?;
        drop(local);
        let Some(indexed) = indexed.first().filter(|event| event.pos == place) else {
            return Ok(false);
        };
        let row = immudb.row_with(&table, place.tx(), digest).await?;
        Ok(row.is_some_and(|row| !indexed.is_of(&row)))
    }

    /// An embedded ledger is asked by places.
    #[cfg(not(feature = "immudb"))]
    async fn is_another(&self, _: &CheckedTx, _: u32) -> Result<bool> {
        Ok(false)
    }

    /// The same with their bodies, for few.
    pub(super) async fn verified(&self, wanted: &[EventAt]) -> Result<Vec<Verified>> {
        match self.fetched(wanted).await?.verified().collect() {
            Ok(verified) => Ok(verified),
            Err(error) => Err(Box::pin(self.blamed(error)).await),
        }
    }

    /// What the ledger has at these places, and what the log says of it.
    async fn fetched<'a>(&'a self, wanted: &'a [EventAt]) -> Result<Fetched<'a>> {
        let mut local = self.local.lock().await;
        let table = local.table()?;
        let places: Vec<Position> = wanted.iter().map(|event| event.pos).collect();
        let (times, digests): (Vec<i64>, Vec<EntryDigest>) =
            local.digests(&places).await?.into_iter().unzip();
        let (truncation, ledger) = (local.truncation(), local.pin()?.ledger);
        drop(local);
        let found = self.candidates(&table, wanted, &digests).await?;
        let authors = &self.authors;
        Ok(Fetched { table, ledger, authors, wanted, times, digests, found, truncation })
    }
}

/// Rows on their way to be verified.
struct Fetched<'a> {
    table: Table<'static>,
    ledger: Alh,
    authors: &'a [TrustedAuthor],
    wanted: &'a [EventAt],
    times: Vec<i64>,
    digests: Vec<EntryDigest>,
    found: Vec<Option<Found>>,
    truncation: Option<Truncation>,
}

impl<'a> Fetched<'a> {
    /// Those that are what the log says.
    fn verified(self) -> impl Iterator<Item = Result<Verified>> + use<'a> {
        let Self { table, ledger, authors, wanted, times, digests, found, truncation } = self;
        found.into_iter().zip(wanted).zip(times).zip(digests).map(
            move |(((found, event), committed_at), digest)| {
                let pos = event.pos;
                let (tx, entry) = (pos.tx(), pos.entry());
                let found =
                    found.ok_or_else(|| match truncation.filter(|gone| tx <= gone.until) {
                        Some(gone) => Error::from(Unavailable::Truncated { tx, by: gone.by }),
                        None => Verdict::RowMissing { tx, entry }.into(),
                    })?;
                let no_event = |reason| Verdict::LogAltered {
                    what: format!(
                        "transaction {tx}, entry {entry} is indexed as an event, but {reason}"
                    ),
                };
                if !found.is(&table, digest) {
                    return Err(Verdict::RowAltered { tx, entry }.into());
                }
                let (stored, body) = match found {
                    #[cfg(feature = "immudb")]
                    Found::Event(event) => {
                        let (stored, body) = event.into_parts();
                        classify::seen_before(body.seen_tx, tx).map_err(no_event)?;
                        (stored, body)
                    }
                    Found::Row(row) => {
                        let body = classify::event(&row, tx).map_err(no_event)?;
                        if !event.is_of(&row) {
                            return Err(indexed_as_another(tx, entry));
                        }
                        (row.body, body)
                    }
                };
                let authorship = author::authorship(&stored, ledger, authors);
                Ok(Verified { pos, committed_at, digest, body, authorship })
            },
        )
    }
}

fn indexed_as_another(tx: TxId, entry: u32) -> Error {
    damaged(format!("transaction {tx}, entry {entry} is indexed as another event than it is"))
}

/// A row that is the event which the log has in its place.
pub(super) struct Verified {
    pos: Position,
    committed_at: i64,
    digest: EntryDigest,
    pub(super) body: EventBody,
    authorship: Authorship,
}

impl Verified {
    fn recorded(self) -> RecordedEvent {
        RecordedEvent {
            sequence: self.body.event_number,
            tx: self.pos.tx(),
            entry: self.pos.entry(),
            recorded_at: self.body.recorded_at,
            committed_at: self.committed_at,
            digest: self.digest,
            authorship: self.authorship,
            event: self.body.into_event(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Config;
    use crate::event::Event;
    use crate::sqlite::{self, FileKind};

    /// However few events that are.
    #[tokio::test]
    async fn large_events_are_read_a_few_at_once() {
        let store = EventStore::in_memory().await.unwrap();
        let cover = Cover::new("d", "r");
        let large = |n: u8| Event::new(&cover, "t", vec![n; 1_000_000]);
        for n in 0..20 {
            store.add_event(&large(n)).await.unwrap();
        }
        let mut local = store.shared.local.lock().await;
        let (all, start) = (Streams::all(), LedgerPosition::START.in_index());
        let events = Index::events_after(local.conn(), &all, start, 100).await.unwrap();
        drop(local);
        assert_eq!(events.len(), 20);
        assert_eq!(store.shared.fitting(&events).await.unwrap(), 10);
        assert_eq!(store.shared.fitting(&events[..16]).await.unwrap(), 16);
        let read = store.read(&cover, ReadOptions::forward()).await.unwrap();
        assert!(read.into_iter().map(|found| found.event).eq((0..20).map(large)));
        let mut tail = store.follow(LedgerPosition::START);
        for n in 0..20 {
            let Some(Ok(followed)) = tail.next().await else { panic!("{n}") };
            let Some(found) = followed.event() else { panic!("{n}") };
            assert_eq!(found.event, large(n));
        }
    }

    /// Whatever the next batch is waiting with.
    #[tokio::test]
    async fn an_altered_row_is_told_while_others_are_read_ahead() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger");
        let mut config = Config::embedded(&ledger);
        config.trust.file = Some(folder.path().join("trust"));
        let store = EventStore::open(&config).await.unwrap();
        let cover = Cover::new("d", "r");
        // Ten of them are a batch.
        for _ in 0..20 {
            store.add_event(&Event::new(&cover, "t", vec![1; 1_000_000])).await.unwrap();
        }
        let mut hands = sqlite::open(&ledger, FileKind::Ledger, true).await.unwrap();
        // Still a row, and an event.
        let alter = "UPDATE ledger_row SET value = \
            CAST(substr(value, 1, length(value) - 1) || x'77' AS BLOB) WHERE pos = 2 << 16";
        let alter = sqlx::query(alter);
        assert_eq!(alter.execute(&mut hands).await.unwrap().rows_affected(), 1);
        // The log is slow: the second batch waits for it when the first one fails.
        let slow = || {
            std::thread::sleep(Duration::from_millis(10));
            true
        };
        let mut local = store.shared.local.lock().await;
        local.conn().lock_handle().await.unwrap().set_progress_handler(1, slow);
        drop(local);
        let read = store.read(&cover, ReadOptions::forward());
        let read = tokio::time::timeout(Duration::from_secs(60), read).await;
        let error = read.expect("it waits for itself").unwrap_err();
        let altered = Verdict::RowAltered { tx: TxId::new(2), entry: 0 };
        assert_eq!(error.verdict(), Some(&altered));
    }

    /// A proof that was made before belongs to an older state.
    #[tokio::test]
    async fn a_transactions_proof_is_under_the_pinned_state() {
        let store = EventStore::in_memory().await.unwrap();
        let event = Event::new(&Cover::new("d", "r"), "t", "x");
        let first = store.add_event(&event).await.unwrap().id;
        for _ in 0..2 {
            store.add_event(&event).await.unwrap();
            let state = store.state().await.unwrap();
            assert!(store.get_proof_at_tx(first).await.unwrap().verify(&state).is_ok());
        }
    }

    /// A damaged index is no stream with a hole, and no event that was never
    /// written.
    #[tokio::test]
    async fn an_event_that_the_index_lacks_is_missed_by_every_read() {
        let cover = Cover::new("d", "r");
        for lacking in 0..4 {
            let store = EventStore::in_memory().await.unwrap();
            for _ in 0..4 {
                store.add_event(&Event::new(&cover, "t", "x")).await.unwrap();
            }
            let end = store.state().await.unwrap().tx;
            sqlx::query("DELETE FROM event WHERE number = ?")
                .bind(lacking)
                .execute(store.shared.local.lock().await.conn())
                .await
                .unwrap();
            let number = lacking as u64;
            let forward = ReadOptions::forward();
            for options in [forward, ReadOptions::backward(), forward.from(number).limit(1)] {
                told(store.read(&cover, options).await, number);
            }
            told(store.get_until(&cover, i64::MAX).await, number);
            told(store.get_event_at_tx(&cover, number, end).await, number);
            // What does not touch it is read.
            let before = store.read(&cover, forward.limit(number)).await.unwrap();
            assert_eq!(before.events.len() as u64, number);
        }
    }

    #[track_caller]
    fn told<T: std::fmt::Debug>(read: Result<T>, lacking: u64) {
        let error = read.unwrap_err();
        assert!(matches!(error.verdict(), Some(Verdict::LogAltered { .. })), "{error}");
        let text = error.to_string();
        assert!(text.contains("made anew") && text.contains("put the file away"), "{text}");
        assert!(text.contains(&format!("event {lacking} of a stream of 4")), "{text}");
    }
}
