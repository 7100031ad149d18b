//! A live tail of the ledger: every event once, in its order, verified; and
//! every transaction that could hold one and is not accounted for.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use counterfoil_core::TxId;
use futures_util::stream::{BoxStream, StreamExt as _};
use serde::Serialize;
use tokio::sync::watch;

use super::{EventStore, Shared, Streams};
use crate::bookmark::{Bookmark, GapsBefore};
use crate::error::{Error, Result};
use crate::event::RecordedEvent;
use crate::index::{Index, Position};
use crate::position::LedgerPosition;
use crate::verdict::{FindingKind, Verdict};

/// Events verified at once: bounds a follower's memory.
const PAGE: usize = 256;

/// What a follower is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Followed {
    /// What is new.
    #[serde(flatten)]
    pub news: News,
    /// To be kept together with what the news led to. Given to
    /// [`EventStore::follow`], it goes on exactly behind it, also in another
    /// process; and says so where what came before it was decided anew meanwhile.
    pub bookmark: Bookmark,
}

/// What there is to tell a follower.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum News {
    /// The next event.
    Event(Box<RecordedEvent>),
    /// A transaction whose entries are not all known: between its neighbours
    /// there may be events that are not shown. Never left out, whatever
    /// streams were chosen: nobody can tell which one it touches.
    Gap {
        /// The transaction.
        tx: TxId,
        /// [`FindingKind::Opaque`] or [`FindingKind::Unaccounted`].
        kind: FindingKind,
    },
    /// What was shown from a transaction on was decided anew: by
    /// [`EventStore::reexamine`], or because the bookmark was made where other
    /// transactions were accounted for. Events may have come, gone, or got other
    /// numbers. Undo what it led to; all of it follows again, as it is now.
    DecidedAnew {
        /// The first transaction of which that may be true.
        from: TxId,
    },
}

impl Followed {
    /// Where it stands: behind what it tells, or, where something was decided
    /// anew, before that.
    pub fn position(&self) -> LedgerPosition {
        self.bookmark.place()
    }

    /// The event, if it is one.
    pub fn event(&self) -> Option<&RecordedEvent> {
        match &self.news {
            News::Event(event) => Some(event),
            News::Gap { .. } | News::DecidedAnew { .. } => None,
        }
    }
}

impl News {
    fn place(&self) -> LedgerPosition {
        match self {
            Self::Event(event) => event.position(),
            Self::Gap { tx, .. } => LedgerPosition::end_of(*tx),
            Self::DecidedAnew { from } => {
                LedgerPosition::end_of(TxId::new(from.get().saturating_sub(1)))
            }
        }
    }

    /// With the gaps before it, which are then those before what follows.
    fn behind(self, gaps: &mut GapsBefore) -> Followed {
        if let Self::Gap { tx, .. } = self {
            *gaps = gaps.and(tx);
        }
        Followed { bookmark: Bookmark::new(self.place(), *gaps), news: self }
    }
}

/// How a ledger is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowOptions {
    /// Whose events are shown; by default all streams'.
    pub streams: Streams,
    /// How soon after something new the server is asked again; doubled while
    /// there is nothing new. By default 50 ms. This store's own appends are
    /// shown at once whatever this says.
    pub poll: Duration,
    /// The longest pause between two questions. By default 1 s.
    pub longest_poll: Duration,
    /// How long a ledger that cannot be asked is waited for in silence, but for
    /// the log; then the error is shown, and again whenever so much time has
    /// passed. By default 30 s.
    pub patience: Duration,
}

impl Default for FollowOptions {
    fn default() -> Self {
        Self {
            streams: Streams::all(),
            poll: Duration::from_millis(50),
            longest_poll: Duration::from_secs(1),
            patience: Duration::from_secs(30),
        }
    }
}

impl FollowOptions {
    /// Shows the events of these streams only.
    pub fn streams(mut self, streams: Streams) -> Self {
        self.streams = streams;
        self
    }

    /// Asks so soon after something new, and never later than `longest`.
    pub fn poll(mut self, soonest: Duration, longest: Duration) -> Self {
        (self.poll, self.longest_poll) = (soonest, longest);
        self
    }

    /// Shows an error only after it has lasted so long.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

/// A live tail: a stream without end, made by [`EventStore::follow`]. It is a
/// handle on its store: as long as it lives, the store's files stay in use.
#[must_use = "a follower does nothing unless it is polled"]
pub struct Follow {
    items: BoxStream<'static, Result<Followed>>,
}

impl Follow {
    /// The next item, as soon as there is one; `None` after the ledger was
    /// found wrong, and from then on. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Followed>> {
        self.items.next().await
    }
}

impl futures_util::Stream for Follow {
    type Item = Result<Followed>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.items.poll_next_unpin(cx)
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").finish_non_exhaustive()
    }
}

impl EventStore {
    /// Follows the ledger: all events of all streams behind `from`, in ledger
    /// order and each exactly once, then every new one as it is committed.
    ///
    /// Each item carries a [bookmark](Followed::bookmark). Whoever keeps that
    /// of the last item that was dealt with, and follows from there, misses
    /// nothing and sees nothing twice. [`Bookmark::START`] is the beginning;
    /// [`LedgerPosition::end_of`] the verified [state](Self::state)'s transaction
    /// means "from now on".
    ///
    /// Every event was verified as by [`read`](Self::read). That none is
    /// missing is certain but for the [gaps](News::Gap) shown: that this client's
    /// index leaves none out is checked as [`read_all_after`](Self::read_all_after)
    /// does, whatever streams were chosen. A stream that stands in the index under
    /// another name is told only where its events are shown. Where
    /// [`reexamine`](Self::reexamine) closes one that lies behind it, it
    /// [says so](News::DecidedAnew) and goes back; likewise, as its first item,
    /// where the bookmark was made while other transactions were gaps. A
    /// [`LedgerPosition`] instead of a bookmark says nothing of what was seen
    /// before it, and so is told nothing. A follower learns of new transactions by asking the server, so one that is kept in
    /// the dark sees nothing new and cannot tell.
    ///
    /// A connection that breaks is opened again inside. An item is an error
    /// - [`Error::Unavailable`], if the ledger could not be asked for longer
    ///   than [`FollowOptions::patience`]; so is a ledger whose end stays
    ///   [unconfirmed](Verdict::UnconfirmedEnd). The stream goes on;
    /// - anything else, above all [`Error::Ledger`]: the ledger is wrong, or
    ///   `from` lies beyond its end ([`Error::BeyondState`]). The stream ends.
    ///
    /// To be polled within a Tokio runtime.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), counterfoil::Error> {
    /// use counterfoil::{Bookmark, Cover, Event, EventStore, News};
    ///
    /// let store = EventStore::in_memory().await?;
    /// store.add_event(&Event::new(&Cover::new("shipment", "1"), "Departed", "")).await?;
    ///
    /// let mut tail = store.follow(Bookmark::START);
    /// while let Some(item) = tail.next().await {
    ///     let item = item?;
    ///     match &item.news {
    ///         News::Event(event) => assert_eq!(event.event.event_type, "Departed"),
    ///         News::Gap { tx, .. } => eprintln!("transaction {tx} may hold more"),
    ///         News::DecidedAnew { from } => eprintln!("undo all from transaction {from} on"),
    ///         _ => {}
    ///     }
    ///     let keep = item.bookmark.to_string(); // together with what the event led to
    ///     # let _ = keep; break;
    /// }
    /// # Ok(()) }
    /// ```
    pub fn follow(&self, from: impl Into<Bookmark>) -> Follow {
        self.follow_with(from, FollowOptions::default())
    }

    /// As [`follow`](Self::follow), as the options say.
    pub fn follow_with(&self, from: impl Into<Bookmark>, options: FollowOptions) -> Follow {
        let from = from.into();
        let tail = Tail {
            store: self.clone(),
            grown: self.shared.grown.clone(),
            anew: self.shared.anew.borrow().len(),
            from,
            begun: false,
            gaps: GapsBefore::NONE,
            reached: from.place().in_index(),
            ready: VecDeque::new(),
            idle: options.poll,
            pause: None,
            trouble: None,
            ended: false,
            options,
        };
        let items = futures_util::stream::unfold(tail, async |mut tail| {
            let item = tail.next().await?;
            Some((item, tail))
        });
        Follow { items: items.fuse().boxed() }
    }
}

/// What a follower knows.
struct Tail {
    store: EventStore,
    /// The log's size, told by whoever extends it.
    grown: watch::Receiver<TxId>,
    /// How often the index had been derived anew when it was looked at last.
    anew: usize,
    from: Bookmark,
    /// Whether it was looked what came before `from`.
    begun: bool,
    /// Those before what was reached.
    gaps: GapsBefore,
    /// All up to here is in `ready`, or was shown, or is not wanted.
    reached: Position,
    ready: VecDeque<Followed>,
    options: FollowOptions,
    /// The next pause, if there is nothing new.
    idle: Duration,
    /// To be waited before looking again.
    pause: Option<Duration>,
    /// Since when the ledger cannot be asked, or since it was told last.
    trouble: Option<Instant>,
    ended: bool,
}

impl Tail {
    async fn next(&mut self) -> Option<Result<Followed>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(Ok(item));
            }
            if self.ended {
                return None;
            }
            self.wait().await;
            // Before looking: what comes afterwards wakes the next wait.
            self.grown.borrow_and_update();
            let looked = self.look().await;
            match looked.map_err(|error| error.naming_log(self.store.shared.log.as_deref())) {
                Ok(found) => {
                    if self.trouble.take().is_some() {
                        tracing::info!(from = %self.from, "following goes on");
                    }
                    if found {
                        self.idle = self.options.poll;
                    } else {
                        self.rest();
                    }
                }
                Err(error) if may_pass(&error) => {
                    self.rest();
                    let now = Instant::now();
                    if self.trouble.is_none() {
                        tracing::warn!(%error, from = %self.from, "following waits");
                    }
                    let since = *self.trouble.get_or_insert(now);
                    if now.duration_since(since) >= self.options.patience {
                        self.trouble = Some(now);
                        return Some(Err(error));
                    }
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }

    /// Puts off the next look, longer each time.
    fn rest(&mut self) {
        self.pause = Some(self.idle);
        // A poll of zero would never grow.
        let doubled = (self.idle * 2).max(Duration::from_millis(1));
        self.idle = doubled.min(self.options.longest_poll);
    }

    /// Until it is time to look again, or this store's log has grown.
    async fn wait(&mut self) {
        let Some(pause) = self.pause.take() else { return };
        tokio::select! {
            // The sender lives as long as the store, of which this is a handle.
            _ = self.grown.changed() => self.idle = self.options.poll,
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// Whether there is anything behind what was reached.
    async fn look(&mut self) -> Result<bool> {
        // What the log has already needs no question.
        if self.take_in().await? {
            return Ok(true);
        }
        let unconfirmed = self.store.sync_as_far().await?;
        if self.take_in().await? {
            return Ok(true);
        }
        if let Some(verdict) = unconfirmed {
            return Err(verdict.into());
        }
        let (asked, verified) =
            (self.from.place().tx, self.store.shared.local.lock().await.state()?.tx);
        if asked > verified {
            return Err(Error::BeyondState { asked, verified });
        }
        Ok(false)
    }

    /// Takes the next page out of the log; `false` if there is none.
    async fn take_in(&mut self) -> Result<bool> {
        let shared: &Arc<Shared> = &self.store.shared;
        let mut local = shared.local.lock().await;
        let verified = local.state()?.tx;
        if self.from.place().tx > verified {
            return Ok(false);
        }
        // While the index is locked: what it is read from here is as decided
        // there.
        let (mut first, anew) = {
            let anew = shared.anew.borrow();
            let first = anew.get(self.anew..).unwrap_or_default().iter().min().copied();
            (first.filter(|from| Position::new(*from, 0) <= self.reached), anew.len())
        };
        let (mut gaps, mut reached) = (self.gaps, self.reached);
        if !self.begun {
            gaps = local.gaps_before(reached).await?;
            if self.from.has_gaps() {
                // It knows better how things were decided when it was made.
                first = self.from.decided_anew(&gaps);
            }
        }
        let news = first.map(|from| News::DecidedAnew { from });
        if let Some(news) = &news {
            reached = news.place().in_index();
            gaps = local.gaps_before(reached).await?;
        }
        (self.begun, self.anew, self.gaps, self.reached) = (true, anew, gaps, reached);
        if let Some(news) = news {
            self.ready.push_back(news.behind(&mut self.gaps));
            return Ok(true);
        }
        let end = Position::end_of(verified);
        if end <= self.reached {
            return Ok(false);
        }
        let (streams, after) = (&self.options.streams, self.reached);
        let mut events = Index::events_after(local.conn(), streams, after, PAGE as u64).await?;
        let mut gaps = Index::gaps_after(local.conn(), after, PAGE as u64).await?;
        // Behind the end of a full page there may be what it does not show.
        let full = |len: usize, last: Option<Position>| last.filter(|_| len >= PAGE).unwrap_or(end);
        let shown = full(events.len(), events.last().map(|event| event.pos))
            .min(full(gaps.len(), gaps.last().map(|(tx, _)| Position::end_of(*tx))));
        local.leaves_nothing_out(after, shown.tx()).await?;
        drop(local);
        // What is not read at once is the next page.
        let whole = events.len();
        events.truncate(shared.fitting(&events).await?);
        let cut = events.last().filter(|_| events.len() < whole).map(|event| event.pos);
        let to = shown.min(cut.unwrap_or(end));
        events.retain(|event| event.pos <= to);
        gaps.retain(|(tx, _)| Position::end_of(*tx) <= to);
        let events = shared.recorded(&events).await?;
        let events = events.into_iter().map(|event| News::Event(Box::new(event)));
        let gaps = gaps.into_iter().map(|(tx, kind)| News::Gap { tx, kind });
        let mut page: Vec<News> = events.chain(gaps).collect();
        page.sort_by_key(News::place);
        self.ready.extend(page.into_iter().map(|news| news.behind(&mut self.gaps)));
        self.reached = to;
        Ok(true)
    }
}

/// Whether it is worth asking again: nothing was found wrong.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::Unavailable(_) => true,
        // The next transaction settles it.
        Error::Ledger(verdict) => matches!(**verdict, Verdict::UnconfirmedEnd { .. }),
        _ => false,
    }
}
