//! Writing: an append is a success only when it was found in the ledger.

use std::sync::Arc;

use counterfoil_core::{Alh, Table, TrustedState, TxId};
use serde::Serialize;
use tokio::sync::oneshot;

use super::draft::Drafted;
use super::pipeline::{Line, Turn};
use super::queue::Append;
use super::tried::Tried;
use super::{EventStore, Shared, encode, to_the_end};
use crate::body::{EventBody, append_ext, external_ext};
use crate::error::{Error, Result};
use crate::event::{Cover, Event, ExpectedVersion};
use crate::index::{EventAt, Index, StreamKey};
use crate::local::{CheckedTx, Local};
use crate::payloads::erasure;
use crate::proof::{EventProof, ProvenHeader, row_of};
use crate::prover::EntryTree;
use crate::schema::verify_row;
use crate::verdict::{Completeness, Verdict};

/// An event that was added, with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AddedEvent {
    /// The transaction that holds it.
    pub id: TxId,
    /// Its place in the stream, from 0.
    pub sequence: u64,
    /// The proof to keep.
    pub proof: EventProof,
}

/// Events that were appended together, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Appended {
    /// The transaction that holds them.
    pub id: TxId,
    /// Each with its proof, in the order of the append.
    pub events: Vec<AddedEvent>,
    /// Whether this append had been made before, with the same external id:
    /// nothing was written, this is the first result.
    pub repeated: bool,
    /// The state under which the proofs hold and the rest is claimed.
    pub state: TrustedState,
    /// Whether everything up to the transaction is accounted for. That the
    /// events are in the ledger is proved whatever this says. That each is the
    /// first of its key and id, and so *the* event of its sequence, is claimed
    /// wherever this is complete; where it is not, it is the first as far as
    /// is known: one of the gaps could hold an earlier one, and a
    /// [`reexamine`](EventStore::reexamine) find it.
    pub completeness: Completeness,
}

/// One append, as it goes through its attempts.
pub(super) struct Request {
    pub(super) cover: Cover,
    pub(super) key: StreamKey,
    pub(super) expected: ExpectedVersion,
    pub(super) events: Arc<[Event]>,
    pub(super) append_id: [u8; 16],
    /// More than its bodies can have.
    bytes: usize,
    /// How often somebody else took its place.
    pub(super) lost: u32,
    /// With how many others it may go at most, itself among them.
    pub(super) company: usize,
    /// What became of the attempts to write it, if it was sent before.
    pub(super) tried: Option<Tried>,
    /// What it was signed as, if it was.
    pub(super) drafted: Option<Drafted>,
}

impl Request {
    /// One that was not tried yet.
    pub(super) fn new(
        cover: &Cover,
        expected: ExpectedVersion,
        events: &[Event],
        append_id: [u8; 16],
    ) -> Self {
        Self {
            cover: cover.clone(),
            expected,
            events: events.into(),
            append_id,
            key: StreamKey::of_cover(cover),
            bytes: encode::most_bytes(events),
            lost: 0,
            company: usize::MAX,
            tried: None,
            drafted: None,
        }
    }
}

impl Append for Request {
    fn stream(&self) -> &StreamKey {
        &self.key
    }

    fn expected(&self) -> ExpectedVersion {
        self.expected
    }

    fn external_id(&self) -> &str {
        self.events.first().map_or("", |event| &event.external_id)
    }

    fn rows(&self) -> usize {
        self.events.len()
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn company(&self) -> usize {
        self.company
    }
}

/// An append whose caller waits for its outcome.
pub(super) struct Waiting {
    pub(super) request: Request,
    /// Its place in a pipeline, if it is in one.
    turn: Option<Turn>,
    answer: oneshot::Sender<Result<Appended>>,
}

impl Waiting {
    pub(super) fn answer(self, outcome: Result<Appended>) {
        if let Some(turn) = self.turn
            && outcome.is_ok()
        {
            turn.pass();
        }
        // The task that waits for it lives as long as the runtime.
        let _ = self.answer.send(outcome);
    }

    /// Whether an append before it in its pipeline has failed.
    pub(super) fn is_behind_failure(&self) -> bool {
        self.turn.as_ref().is_some_and(Turn::is_behind_failure)
    }

    /// Its pipeline, if it is in one.
    pub(super) fn line(&self) -> Option<&Line> {
        self.turn.as_ref().map(Turn::line)
    }
}

impl Append for Waiting {
    fn stream(&self) -> &StreamKey {
        self.request.stream()
    }

    fn expected(&self) -> ExpectedVersion {
        self.request.expected()
    }

    fn external_id(&self) -> &str {
        self.request.external_id()
    }

    fn rows(&self) -> usize {
        self.request.rows()
    }

    fn bytes(&self) -> usize {
        self.request.bytes()
    }

    fn company(&self) -> usize {
        self.request.company()
    }
}

impl EventStore {
    /// Adds one event at the end of its stream. Gives it back proved: found in
    /// the ledger, under the pinned state.
    ///
    /// With an `external_id` this is idempotent: repeated, it gives the first
    /// result back.
    ///
    /// # Errors
    ///
    /// [`Error::OutcomeUnknown`] if it cannot be told whether the event was
    /// written; [`Error::Ledger`] if the ledger was found wrong, perhaps after
    /// it was; after any other error it was not.
    pub async fn add_event(&self, event: &Event) -> Result<AddedEvent> {
        let events = std::slice::from_ref(event);
        let mut appended = self.append(&event.cover, ExpectedVersion::Any, events).await?;
        // An append gives back as many events as it was given.
        Ok(appended.events.swap_remove(0))
    }

    /// Appends events to a stream: all of them in one transaction, or none.
    /// At most 1,000, and 7 MiB together.
    ///
    /// Appends that are made at the same time share transactions: what waits
    /// when a commit ends makes the next one. Each has an outcome and proofs
    /// of its own, and one that is refused does not hinder the others. Those
    /// to one stream stand in it in the order in which their futures were
    /// polled first. A dropped future does not take back what was begun. Many
    /// of which none may be made behind one that failed: [`pipeline`](Self::pipeline).
    ///
    /// # Errors
    ///
    /// [`Error::WrongExpectedVersion`] if the stream is elsewhere,
    /// [`Error::IdConflict`] if their external id was used for other events,
    /// [`Error::OutcomeUnknown`] if it cannot be told whether they were
    /// written; [`Error::Ledger`] if the ledger was found wrong, perhaps after
    /// they were ([`Verdict::Superseded`] tells which count of an append that is
    /// there in part); after any other error they were not. Where the outcome of an
    /// earlier call was unknown, [`Error::Unavailable`] leaves it so: the
    /// repetition was not written, the first attempt may yet be.
    pub async fn append(
        &self,
        cover: &Cover,
        expected: ExpectedVersion,
        events: &[Event],
    ) -> Result<Appended> {
        not_for_erasures(cover)?;
        self.append_anywhere(cover, expected, events).await
    }

    /// The same, erasures included.
    pub(super) async fn append_anywhere(
        &self,
        cover: &Cover,
        expected: ExpectedVersion,
        events: &[Event],
    ) -> Result<Appended> {
        let answered = self.enqueue(cover, expected, events, None)?;
        let shared = Arc::clone(&self.shared);
        to_the_end(async move { shared.naming_log(shared.append(answered)).await }).await
    }

    /// Puts an append in line, behind those that are there. What is dropped here has failed.
    pub(super) fn enqueue(
        &self,
        cover: &Cover,
        expected: ExpectedVersion,
        events: &[Event],
        turn: Option<Turn>,
    ) -> Result<oneshot::Receiver<Result<Appended>>> {
        if !self.shared.write {
            return Err(Error::ReadOnly);
        }
        encode::check(cover, events)?;
        let append_id = self.shared.environment.random();
        let request = Request::new(cover, expected, events, append_id);
        let (answer, answered) = oneshot::channel();
        // Before anything is spawned: appends wait in the order in which their
        // futures are polled first.
        self.shared.queue().push_back(Waiting { request, turn, answer });
        Ok(answered)
    }
}

impl Shared {
    /// Waits until an append is answered, or until it is this one's turn to
    /// commit what waits: for itself and everybody else.
    pub(super) async fn append(
        &self,
        mut answered: oneshot::Receiver<Result<Appended>>,
    ) -> Result<Appended> {
        loop {
            tokio::select! {
                biased;
                outcome = &mut answered => {
                    return outcome.unwrap_or_else(|_| Err(Error::OutcomeUnknown {
                        reason: "the task that committed it was stopped".into(),
                        remedy: "read the stream, or repeat the append with its external id",
                    }));
                }
                _writing = self.writing.lock() => self.commit_waiting().await,
            }
        }
    }

    /// The first result of an append that is repeated with its external id, or
    /// of an attempt at this very one that came after all.
    ///
    /// What was sent as one a server may have stored in part. What there is of
    /// it are events to everybody, so it is never told that nothing was written.
    pub(super) async fn repeated(&self, request: &Request) -> Result<Option<Appended>> {
        let external_id = &request.events[0].external_id;
        if external_id.is_empty() && request.tried.is_none() {
            return Ok(None);
        }
        let (domain, edition) = (&request.cover.domain, request.cover.edition.as_str());
        let ext = |index| match external_id.is_empty() {
            true => append_ext(domain, edition, &request.append_id, index),
            false => external_ext(domain, edition, external_id, index),
        };
        let wanted = self.with_ids(request.events.len(), ext).await?;
        let Some(place) = wanted.first() else { return Ok(None) };
        let found: Vec<EventBody> =
            self.verified(&wanted).await?.into_iter().map(|found| found.body).collect();
        let place = place.pos;
        let ours = |body: &EventBody| body.append_id == request.append_id;
        match compared(&request.events, &found, ours) {
            Compared::Others { first } if first || request.tried.is_none() => {
                Err(Error::IdConflict { external_id: external_id.clone(), tx: place.tx() })
            }
            // Of an attempt the first event may come yet, and those behind it
            // up to the one whose id is taken.
            Compared::Others { .. } => Err(Error::OutcomeUnknown {
                reason: format!(
                    "the id of one of its events, but not of the first, was used for another in \
                     transaction {}; what was sent may come in part",
                    place.tx()
                ),
                remedy: "read the stream before anything is appended in its place",
            }),
            Compared::Same if neighbours(&wanted) => {
                let repeated = found.iter().any(|body| !ours(body));
                let mut local = self.local.lock().await;
                let rows = found.iter().map(EventBody::encode);
                let mut proofs = Proofs::of(&mut local, place.tx()).await?;
                let events = proofs.events(wanted[0].number, place.entry(), rows)?;
                Ok(Some(proofs.appended(events, repeated)))
            }
            Compared::Same => {
                let all: Vec<usize> = (0..wanted.len()).collect();
                Err(in_part(&wanted, &all).into())
            }
            Compared::Part { places } => Err(in_part(&wanted, &places).into()),
        }
    }

    /// The events with the ids of an append of so many, by their index in it.
    pub(super) async fn with_ids(
        &self,
        events: usize,
        ext: impl Fn(u32) -> [u8; 32],
    ) -> Result<Vec<EventAt>> {
        let mut local = self.local.lock().await;
        let mut found = Vec::with_capacity(events);
        for index in 0..u32::try_from(events).unwrap_or(u32::MAX) {
            found.extend(Index::by_ext(local.conn(), &ext(index)).await?);
        }
        Ok(found)
    }
}

pub(super) fn not_for_erasures(cover: &Cover) -> Result<()> {
    if cover.domain != erasure::DOMAIN {
        return Ok(());
    }
    let why = format!("domain {} is for erasures; use EventStore::erase", cover.domain);
    Err(Error::Invalid(why))
}

/// What was found under the ids of an append, held against it.
pub(super) enum Compared {
    /// All its events.
    Same,
    /// Some of them, and nothing else; or some that were sent for this very
    /// append, whatever has the other ids.
    Part {
        /// Which of those that were found.
        places: Vec<usize>,
    },
    /// Something else.
    Others {
        /// Whether it has the id of the first event: then no attempt at the
        /// append can come any more, as each row names the one before it.
        first: bool,
    },
}

/// Holds the events with an append's ids, of which there is one at least,
/// against the append. One of another length is another append, and rows
/// beyond it are none of its business: anybody can write some.
pub(super) fn compared(
    events: &[Event],
    found: &[EventBody],
    ours: impl Fn(&EventBody) -> bool,
) -> Compared {
    let same = |body: &EventBody| {
        body.append_count as usize == events.len()
            && events.get(body.append_index as usize).is_some_and(|new| body.to_event() == *new)
    };
    let places: Vec<usize> = (0..found.len()).filter(|place| same(&found[*place])).collect();
    if places.len() == events.len() {
        return Compared::Same;
    }
    if places.len() == found.len() || places.iter().any(|place| ours(&found[*place])) {
        return Compared::Part { places };
    }
    Compared::Others { first: found.iter().any(|body| body.append_index == 0) }
}

/// The verdict on an append of which the ledger has these of the events found.
pub(super) fn in_part(found: &[EventAt], places: &[usize]) -> Verdict {
    let tx = places.first().map_or(TxId::new(0), |place| found[*place].pos.tx());
    let counted = places.iter().map(|place| found[*place].number).collect();
    Verdict::Superseded { tx, counted }
}

/// Whether the events stand in one transaction, one behind the other: what
/// does not was not written as one.
fn neighbours(events: &[EventAt]) -> bool {
    events.windows(2).all(|pair| {
        let (one, next) = (pair[0].pos, pair[1].pos);
        next.tx() == one.tx() && next.entry() == one.entry() + 1
    })
}

/// Makes the proofs of a transaction's rows from the log; core checks each
/// before anybody gets it.
pub(super) struct Proofs {
    tx: TxId,
    ledger: Alh,
    table: Table<'static>,
    checked: Arc<CheckedTx>,
    tree: EntryTree,
    completeness: Completeness,
}

impl Proofs {
    pub(super) async fn of(local: &mut Local, tx: TxId) -> Result<Self> {
        let state = local.state()?;
        Self::under(local, tx, state).await
    }

    /// The same under a state that the ledger went through, which is not before the transaction.
    pub(super) async fn under(local: &mut Local, tx: TxId, state: TrustedState) -> Result<Self> {
        let (ledger, table) = (local.pin()?.ledger, local.table()?);
        let checked = local.checked_under(tx, state).await?;
        let digests = checked.digests.as_ref().ok_or(Verdict::EntriesAltered { tx })?;
        let tree = EntryTree::new(digests);
        let completeness = local.completeness(tx).await?;
        Ok(Self { tx, ledger, table, checked, tree, completeness })
    }

    /// What is told about the events of an append, which all are in the
    /// transaction.
    pub(super) fn appended(&self, events: Vec<AddedEvent>, repeated: bool) -> Appended {
        let (state, completeness) = (self.checked.tx.state(), self.completeness.clone());
        Appended { id: self.tx, events, repeated, state, completeness }
    }

    /// Those of neighbouring rows, from `sequence` and `entry` on.
    pub(super) fn events(
        &mut self,
        sequence: u64,
        entry: u32,
        bodies: impl Iterator<Item = Vec<u8>>,
    ) -> Result<Vec<AddedEvent>> {
        let checked = &self.checked;
        let mut events = Vec::new();
        for (body, (sequence, entry)) in bodies.zip((sequence..).zip(entry..)) {
            let proof = EventProof {
                ledger: self.ledger,
                table_id: self.table.id(),
                body: body.into(),
                entry,
                entry_path: self.tree.path(entry),
                header: ProvenHeader::new(&checked.header),
                tx_path: checked.path.clone(),
                state_header: ProvenHeader::new(&checked.state_header),
            };
            let row = row_of(&proof.decode_body()?, proof.body.as_slice().to_vec());
            verify_row(&checked.tx, &self.table, &row, entry, &proof.entry_path)
                .map_err(Verdict::from)?;
            events.push(AddedEvent { id: self.tx, sequence, proof });
        }
        Ok(events)
    }
}

/// The verdict on a stream whose next key is held by a row that is not its event.
pub(super) fn out_of_line(cover: &Cover, sequence: u64, held: &crate::index::Held) -> Verdict {
    Verdict::OutOfLine {
        stream: cover.to_string(),
        sequence,
        tx: held.pos.tx(),
        entry: held.pos.entry(),
        reason: held.reason.clone(),
    }
}
