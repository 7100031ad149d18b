//! Appends one behind the other, many under way: each is made only if all before it were.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::append::{Appended, not_for_erasures};
use super::{EventStore, joined};
use crate::error::Result;
use crate::event::{Cover, Event, ExpectedVersion};

/// Appends that are made in the order of the calls, to as many streams as there are, without waiting
/// for one before the next is begun: what is under way shares transactions.
///
/// An append fails if one before it did: it is not made then
/// ([`Error::PipelineAborted`](crate::Error::PipelineAborted)), nor is any behind it, for good. So what
/// is in the ledger of a pipeline is a beginning of it, without a hole. No append is in an earlier
/// transaction than one before it; within a transaction the ledger orders rows by their streams, and
/// those of one stream as they were appended.
///
/// Two things can be behind an append that failed. What went into the same transaction, where its
/// outcome is unknown ([`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown)): then theirs is as well.
/// And what was proved to be in it, where somebody took the event that failed out of the very
/// transaction ([`Verdict::Superseded`](crate::Verdict::Superseded)). Each append says which it was.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), counterfoil::Error> {
/// use counterfoil::{Cover, Event, EventStore, ExpectedVersion};
///
/// let store = EventStore::in_memory().await?;
/// let cover = Cover::new("shipment", "SSCC-1");
/// let mut pipeline = store.pipeline();
/// let mut under_way = Vec::new();
/// for n in 0..100 {
///     let event = Event::new(&cover, "Scanned", format!("{n}"));
///     under_way.push(pipeline.append(&cover, ExpectedVersion::Any, &[event]));
/// }
/// for (n, appended) in (0..).zip(under_way) {
///     assert_eq!(appended.await?.events[0].sequence, n);
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Pipeline {
    store: EventStore,
    line: Line,
    next: u64,
}

impl EventStore {
    /// A new pipeline: appends in order, of which none is made behind one that failed.
    pub fn pipeline(&self) -> Pipeline {
        Pipeline { store: self.clone(), line: Line::default(), next: 0 }
    }
}

impl Pipeline {
    /// Begins an append, behind all that were begun here before. The call begins it, and it runs to its
    /// end; the future tells what became of it. How many are begun at a time is the caller's to limit:
    /// their events are in memory, and a transaction takes no more than 1,000 events or 7 MiB.
    ///
    /// # Errors
    ///
    /// As [`EventStore::append`], and [`Error::PipelineAborted`](crate::Error::PipelineAborted).
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn append(
        &mut self,
        cover: &Cover,
        expected: ExpectedVersion,
        events: &[Event],
    ) -> impl Future<Output = Result<Appended>> + Send + use<> {
        let turn = Turn { line: self.line.clone(), number: self.next, made: false };
        self.next += 1;
        let begun = not_for_erasures(cover)
            .and_then(|()| self.store.enqueue(cover, expected, events, Some(turn)));
        let shared = Arc::clone(&self.store.shared);
        let begun =
            begun.map(|answered| tokio::spawn(async move { shared.append(answered).await }));
        async move { joined(begun?).await }
    }
}

/// One pipeline, wherever its appends are: the number of the first of them that failed.
#[derive(Debug, Clone)]
pub(super) struct Line(Arc<AtomicU64>);

impl Default for Line {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(u64::MAX)))
    }
}

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Line {}

/// An append's place in its pipeline. Dropped, it has failed, whatever the reason: also a task that is
/// gone leaves no hole.
#[derive(Debug)]
pub(super) struct Turn {
    line: Line,
    number: u64,
    made: bool,
}

impl Turn {
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Whether an append before this one has failed.
    pub(super) fn is_behind_failure(&self) -> bool {
        self.line.0.load(Ordering::SeqCst) < self.number
    }

    /// The append was made.
    pub(super) fn pass(mut self) {
        self.made = true;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.made {
            self.line.0.fetch_min(self.number, Ordering::SeqCst);
        }
    }
}
