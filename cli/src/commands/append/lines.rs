//! The events of a file, one behind the other, many under way.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::path::Path;
use std::pin::Pin;
use std::time::Instant;

use counterfoil::{
    Appended, Error, Event, EventStore, ExpectedVersion, LedgerPosition, Payload, Pipeline, TxId,
};
use futures_util::StreamExt as _;
use futures_util::stream::{self, FuturesOrdered, Stream};
use tokio::io::AsyncBufRead;

use super::input::Input;
use super::{Session, show};
use crate::epcis;
use crate::exit::{Exit, Failure, Place, Result, Stopped};
use crate::progress::Progress;

/// Events under way, and their bytes: while one transaction is committed, the next one fills. They
/// are those of a pipeline, so what is in the ledger of a file is a beginning of it.
const MOST: usize = 2_000;
const MOST_BYTES: usize = 14 << 20;

/// The most events that a transaction has: immudb takes no more entries.
const MOST_IN_ONE: u64 = 1024;

/// Appends all of a file, in its order, up to the first event that fails.
pub(super) async fn append(
    session: &Session,
    store: &EventStore,
    file: &Path,
    input: Input<impl AsyncBufRead + Unpin>,
) -> Result<Exit> {
    let epcis = input.is_epcis();
    let mut told = Told {
        session,
        progress: Progress::endless(session.quiet, "events"),
        appended: 0,
        repeated: 0,
        unshown: None,
    };
    let events = stream::unfold(input, async |mut input| Some((input.next().await?, input)));
    let begun = Instant::now();
    let stopped = run(store, events.boxed_local().fuse(), epcis, &mut told).await;
    let Told { progress, appended, repeated, unshown, .. } = told;
    if let Some((End { place, behind, unknown }, failure)) = stopped {
        let (file, shown) = (file.to_owned(), unshown.is_none());
        let program = session.program.clone();
        let stopped =
            Stopped { file, place, appended, behind, unknown, shown, repeatable: epcis, program };
        return Err(Failure::At(stopped, Box::new(failure)));
    }
    match unshown {
        None => {}
        Some(Failure::Output(error)) if error.kind() != ErrorKind::BrokenPipe => {
            return Err(Failure::Unshown { appended, error });
        }
        Some(_) => session
            .output
            .note(format_args!("all {appended} were appended; nobody read which, to the end")),
    }
    if progress.is_shown() {
        let seconds = begun.elapsed().as_secs_f64();
        let rate = appended as f64 / seconds.max(1e-3);
        session.output.note(format_args!("{appended} in {seconds:.1} s, {rate:.0} a second"));
    }
    if repeated > 0 {
        session.output.note(format_args!("{repeated} of {appended} had been appended before"));
    }
    Ok(Exit::Done)
}

/// Where it stopped.
struct End {
    place: Place,
    /// How many behind it were appended all the same.
    behind: u64,
    /// Through where the outcome is unknown.
    unknown: Option<Place>,
}

async fn run(
    store: &EventStore,
    mut events: impl Stream<Item = (Place, Result<Event>)> + Unpin,
    epcis: bool,
    told: &mut Told<'_>,
) -> Option<(End, Failure)> {
    let mut sent = Sent::new(store);
    let mut again: VecDeque<(Place, Event)> = VecDeque::new();
    // One that cannot be read is the last; those before it come to their end.
    let mut unread = None;
    let mut ended = false;
    loop {
        while sent.has_room()
            && let Some((place, event)) = again.pop_front()
        {
            sent.begin(place, event);
        }
        let reads = !ended && again.is_empty() && sent.has_room();
        let (place, event, outcome) = tokio::select! {
            biased;
            next = events.next(), if reads => {
                match next {
                    Some((place, Ok(event))) => sent.begin(place, event),
                    Some((place, Err(failure))) => {
                        unread = Some((End { place, behind: 0, unknown: None }, failure));
                        ended = true;
                    }
                    None => ended = true,
                }
                continue;
            }
            Some(done) = sent.next() => done,
            else => return unread,
        };
        let failure = match outcome {
            Ok(appended) => {
                sent.went_well();
                told.appended(&event, &appended);
                continue;
            }
            Err(Error::IdConflict { external_id, tx }) if epcis => {
                match sent_before(store, &event, tx).await {
                    Ok(Some(appended)) => {
                        told.appended(&event, &appended);
                        // Those behind it were not made.
                        let mut behind = sent.all_behind(told).await;
                        behind.append(&mut again);
                        again = behind;
                        continue;
                    }
                    Ok(None) => Error::IdConflict { external_id, tx },
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        let unknown = matches!(failure, Error::OutcomeUnknown { .. }).then_some(place);
        let mut end = End { place, behind: 0, unknown };
        while let Some((place, event, outcome)) = sent.next().await {
            match outcome {
                Ok(appended) => {
                    told.appended(&event, &appended);
                    end.behind += 1;
                }
                Err(Error::OutcomeUnknown { .. }) => end.unknown = Some(place),
                Err(_) => {}
            }
        }
        return Some((end, failure.into()));
    }
}

/// What is under way.
struct Sent<'a> {
    store: &'a EventStore,
    pipeline: Pipeline,
    under_way: FuturesOrdered<Pin<Box<dyn Future<Output = Done>>>>,
    bytes: usize,
    /// How many at most: one behind an event that was refused, and more again with each that was not.
    most: usize,
}

type Done = (Place, Event, Result<Appended, Error>);

impl<'a> Sent<'a> {
    fn new(store: &'a EventStore) -> Self {
        let under_way = FuturesOrdered::new();
        Self { store, pipeline: store.pipeline(), under_way, bytes: 0, most: MOST }
    }

    fn has_room(&self) -> bool {
        self.under_way.len() < self.most && self.bytes < MOST_BYTES
    }

    fn begin(&mut self, place: Place, event: Event) {
        self.bytes += size(&event);
        let events = std::slice::from_ref(&event);
        let appended = self.pipeline.append(&event.cover, ExpectedVersion::Any, events);
        self.under_way.push_back(Box::pin(async move { (place, event, appended.await) }));
    }

    async fn next(&mut self) -> Option<Done> {
        let done = self.under_way.next().await?;
        self.bytes -= size(&done.1);
        Some(done)
    }

    fn went_well(&mut self) {
        self.most = MOST.min(2 * self.most);
    }

    /// What was not made because one before it was refused; it goes on in a new pipeline.
    async fn all_behind(&mut self, told: &mut Told<'_>) -> VecDeque<(Place, Event)> {
        let mut behind = VecDeque::new();
        while let Some((place, event, outcome)) = self.next().await {
            match outcome {
                Ok(appended) => told.appended(&event, &appended),
                // Sent again it is refused again, if that was not the reason.
                Err(_) => behind.push_back((place, event)),
            }
        }
        (self.pipeline, self.most) = (self.store.pipeline(), 1);
        behind
    }
}

/// About as many bytes as it takes in memory.
fn size(event: &Event) -> usize {
    let metadata = event.metadata.iter().map(|(name, value)| name.len() + value.len());
    let payload = match &event.payload {
        Payload::Inline(content) => content.len(),
        Payload::Commitment(_) => 32,
    };
    512 + payload + metadata.sum::<usize>()
}

/// What is told while it goes on.
struct Told<'a> {
    session: &'a Session,
    progress: Progress,
    appended: u64,
    repeated: u64,
    /// Why not all of it could be printed. It goes on without printing: what is in a file is not for
    /// its reader to decide.
    unshown: Option<Failure>,
}

impl Told<'_> {
    fn appended(&mut self, event: &Event, done: &Appended) {
        self.appended += 1;
        self.repeated += u64::from(done.repeated);
        self.progress.advance();
        if self.unshown.is_none() {
            self.unshown = self.progress.suspend(|| show(self.session, &event.cover, done)).err();
        }
    }
}

/// What became of the event of a transaction that is this one and came in another document.
async fn sent_before(
    store: &EventStore,
    event: &Event,
    tx: TxId,
) -> Result<Option<Appended>, Error> {
    let before = LedgerPosition::end_of(TxId::new(tx.get().saturating_sub(1)));
    let read = store.read_all_after(before, Some(MOST_IN_ONE)).await?;
    let events = read.events.into_iter().take_while(|recorded| recorded.tx == tx);
    let Some(before) =
        events.map(|recorded| recorded.event).find(|recorded| epcis::same(recorded, event))
    else {
        return Ok(None);
    };
    let events = std::slice::from_ref(&before);
    store.append(&before.cover, ExpectedVersion::Any, events).await.map(Some)
}
