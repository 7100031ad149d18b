//! Writing: an append is a success only when it was found in the ledger.

use std::sync::Arc;

use counterfoil_core::TxId;
use serde::Serialize;

use super::encode::{self, Assigned, Encoded};
use super::{Backend, EventStore, Shared, to_the_end};
use crate::body::{EventBody, external_ext};
use crate::error::{Error, Result, StreamVersion};
use crate::event::{Cover, Event, ExpectedVersion};
use crate::index::{EventAt, Index, Position, StreamInfo, StreamKey};
use crate::local::Local;
use crate::proof::{EventProof, ProvenHeader, row_of};
use crate::prover::EntryTree;
use crate::schema::verify_row;
use crate::verdict::Verdict;

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
}

/// One append, as it goes through its attempts.
struct Request {
    cover: Cover,
    expected: ExpectedVersion,
    events: Vec<Event>,
    append_id: [u8; 16],
}

/// How an attempt to commit ended.
pub(crate) enum Outcome {
    /// The rows are events of the ledger, in this transaction.
    Done(TxId),
    /// They are not, and cannot become it: something else verified has their
    /// key or id. Decide anew.
    #[cfg_attr(not(feature = "immudb"), allow(dead_code, reason = "a file has no rivals"))]
    Lost,
}

/// Attempts to find a free place while others write to the same stream.
const ATTEMPTS: u32 = 16;

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
    /// # Errors
    ///
    /// [`Error::WrongExpectedVersion`] if the stream is elsewhere,
    /// [`Error::IdConflict`] if their external id was used for other events,
    /// [`Error::OutcomeUnknown`] if it cannot be told whether they were
    /// written; [`Error::Ledger`] if the ledger was found wrong, perhaps after
    /// they were; after any other error they were not.
    pub async fn append(
        &self,
        cover: &Cover,
        expected: ExpectedVersion,
        events: &[Event],
    ) -> Result<Appended> {
        if !self.shared.write {
            return Err(Error::ReadOnly);
        }
        encode::check(cover, events)?;
        let request = Request {
            cover: cover.clone(),
            expected,
            events: events.to_vec(),
            append_id: self.shared.environment.random(),
        };
        let shared = Arc::clone(&self.shared);
        to_the_end(async move { shared.append(request).await }).await
    }
}

impl Shared {
    async fn append(&self, request: Request) -> Result<Appended> {
        let _writing = self.writing.lock().await;
        for _ in 0..ATTEMPTS {
            self.sync().await?;
            if let Some(repeated) = self.repeated(&request).await? {
                return Ok(repeated);
            }
            let (encoded, first) = self.encode(&request).await?;
            match self.commit(&encoded).await? {
                Outcome::Done(tx) => return self.prove(tx, first, &encoded).await,
                Outcome::Lost => {}
            }
        }
        Err(Error::Contended { attempts: ATTEMPTS })
    }

    /// The rows of the next attempt, for the stream as it is now.
    async fn encode(&self, request: &Request) -> Result<(Encoded, u64)> {
        let mut local = self.local.lock().await;
        let key = StreamKey::of_cover(&request.cover);
        let stream = Index::stream_info(local.conn(), &key).await?;
        if let Some(held) = &stream.held {
            return Err(out_of_line(&request.cover, stream.next, held).into());
        }
        check_version(request.expected, &stream)?;
        let assigned = Assigned {
            first_number: stream.next,
            prev_event: stream.head,
            recorded_at: self.environment.clock.now_micros(),
            seen: local.state()?,
            append_id: request.append_id,
            commit_id: self.environment.random(),
        };
        Ok((encode::encode(&local.table()?, &request.events, &assigned)?, stream.next))
    }

    async fn commit(&self, encoded: &Encoded) -> Result<Outcome> {
        match &self.backend {
            Backend::Embedded(embedded) => {
                let mut local = self.local.lock().await;
                let tx = embedded.lock().await.commit(&mut local, &encoded.rows).await?;
                Ok(Outcome::Done(tx))
            }
            #[cfg(feature = "immudb")]
            Backend::Immudb(immudb) => {
                immudb.commit(&self.local, &encoded.rows, &encoded.digests).await
            }
        }
    }

    /// The proofs of rows that were found in transaction `tx`.
    async fn prove(&self, tx: TxId, first: u64, encoded: &Encoded) -> Result<Appended> {
        let mut local = self.local.lock().await;
        let rows = encoded.rows.iter().map(|row| row.body.clone());
        let events = prove(&mut local, tx, first, 0, rows).await?;
        Ok(Appended { id: tx, events, repeated: false })
    }

    /// The first result of an append that is repeated with its external id.
    async fn repeated(&self, request: &Request) -> Result<Option<Appended>> {
        let external_id = &request.events[0].external_id;
        if external_id.is_empty() {
            return Ok(None);
        }
        let (domain, edition) = (&request.cover.domain, request.cover.edition.as_str());
        let mut local = self.local.lock().await;
        let mut wanted = Vec::with_capacity(request.events.len());
        for index in 0..=u32::try_from(request.events.len()).unwrap_or(u32::MAX) {
            let ext = external_ext(domain, edition, external_id, index);
            wanted.extend(Index::by_ext(local.conn(), &ext).await?);
        }
        drop(local);
        let Some(first) = wanted.first() else { return Ok(None) };
        let (tx, number) = (first.pos.tx(), first.number);
        let conflict = || Error::IdConflict { external_id: external_id.clone(), tx };
        // One more was looked for than was asked for: a longer append is
        // another one.
        let key = StreamKey::of_cover(&request.cover);
        if wanted.len() != request.events.len() || wanted.iter().any(|event| event.key != key) {
            return Err(conflict());
        }
        let found = self.recorded_with_bodies(&wanted).await?;
        let same = found.iter().zip(&request.events).all(|((event, _), new)| event.event == *new);
        // An append's rows are neighbours; what is not was not written as one.
        let places = wanted.iter().zip(first.pos.entry()..);
        let together = |(event, entry): (&EventAt, u32)| event.pos == Position::new(tx, entry);
        if !same || !places.into_iter().all(together) {
            return Err(conflict());
        }
        let mut local = self.local.lock().await;
        let rows = found.iter().map(|(_, body)| body.encode());
        let events = prove(&mut local, tx, number, wanted[0].pos.entry(), rows).await?;
        Ok(Some(Appended { id: tx, events, repeated: true }))
    }
}

/// The proofs of neighbouring rows of a transaction, from `sequence` and
/// `entry` on: made from the log and checked by core before anybody gets them.
async fn prove(
    local: &mut Local,
    tx: TxId,
    sequence: u64,
    entry: u32,
    bodies: impl Iterator<Item = Vec<u8>>,
) -> Result<Vec<AddedEvent>> {
    let (ledger, table) = (local.pin()?.ledger, local.table()?);
    let checked = local.checked(tx).await?;
    let digests = checked.digests.as_ref().ok_or(Verdict::EntriesAltered { tx })?;
    let mut tree = EntryTree::new(digests);
    let mut events = Vec::new();
    for (body, (sequence, entry)) in bodies.zip((sequence..).zip(entry..)) {
        let proof = EventProof {
            ledger,
            table_id: table.id(),
            body: body.into(),
            entry,
            entry_path: tree.path(entry),
            header: ProvenHeader::new(&checked.header),
            tx_path: checked.path.clone(),
            state_header: ProvenHeader::new(&checked.state_header),
        };
        let row = row_of(&proof.decode_body()?, proof.body.as_slice());
        verify_row(&checked.tx, &table, &row, entry, &proof.entry_path).map_err(Verdict::from)?;
        events.push(AddedEvent { id: tx, sequence, proof });
    }
    Ok(events)
}

fn check_version(expected: ExpectedVersion, stream: &StreamInfo) -> Result<()> {
    let actual = stream.version();
    let holds = match expected {
        ExpectedVersion::Any => true,
        ExpectedVersion::NoStream => actual == StreamVersion::Empty,
        ExpectedVersion::StreamExists => actual != StreamVersion::Empty,
        ExpectedVersion::Exact(sequence) => actual == StreamVersion::At(sequence),
    };
    if holds { Ok(()) } else { Err(Error::WrongExpectedVersion { expected, actual }) }
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

/// A recorded event with its stored body.
pub(super) type WithBody = (crate::event::RecordedEvent, EventBody);
