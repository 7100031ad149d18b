//! Events whose contents lie outside the ledger: committed to, revealed,
//! erased, and proved to have been what they were.

use counterfoil_core::EntryDigest;
use serde::Serialize;

use super::append::{AddedEvent, Appended, Compared, compared, in_part};
use super::read::BATCH;
use super::{EventStore, Shared, Streams, encode};
use crate::body::{EventBody, StoredPayload, external_ext};
use crate::error::{Error, Result, Unavailable};
use crate::event::{
    Cover, Edition, Event, ExpectedVersion, Payload, PayloadCommitment, RecordedEvent,
};
use crate::index::{EventAt, Index, Position, StreamKey};
use crate::payloads::{Kept, MAX_REASON, PayloadStore, SaltedPayload, erasure, failed, kept};
use crate::position::LedgerPosition;
use crate::proof::EventProof;
use crate::verdict::Verdict;
use counterfoil_policy::Bytes;

/// An event's content, as far as it can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revealed {
    /// The content: from the ledger itself, or from the payload store and
    /// exactly what the ledger's commitment stands for.
    Content(Bytes),
    /// The ledger holds an erasure of it. Whatever the payload store still
    /// has is not given out.
    Erased {
        /// The erasure, verified.
        erasure: Box<Erasure>,
        /// The payload store still has something: the erasure was interrupted,
        /// or an older copy of the store restored. Call
        /// [`EventStore::finish_erasures`].
        remains: bool,
    },
    /// The payload is not there, and no erasure of it is known. Where
    /// transactions are not accounted for, one may hide.
    Unavailable(PayloadLack),
}

/// Why a payload cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PayloadLack {
    /// The payload store has none.
    Missing,
    /// What the payload store has is not what was committed to.
    Altered,
}

/// That a payload was erased, as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Erasure {
    /// What stands for the payload, now as before.
    pub commitment: PayloadCommitment,
    /// Why, in the words of whoever did it.
    pub reason: String,
    /// The event that says so, verified.
    pub event: RecordedEvent,
}

/// What [`EventStore::finish_erasures`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FinishedErasures {
    /// Payloads that were there still, and were removed.
    pub removed: u64,
    /// Erasures whose rows are not stored any more, because the database was
    /// truncated: their payloads, if they came back, are there still. Erase
    /// these again: that writes a new erasure.
    pub truncated: u64,
}

/// Attempts to write an erasure while others write to its stream.
const ATTEMPTS: u32 = 16;

impl EventStore {
    /// As [`append_committed`](Self::append_committed), for one event.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn add_committed(
        &self,
        payloads: &dyn PayloadStore,
        event: &Event,
    ) -> Result<AddedEvent> {
        let events = std::slice::from_ref(event);
        let appended = self.append_committed(payloads, &event.cover, ExpectedVersion::Any, events);
        // An append gives back as many events as it was given.
        Ok(appended.await?.events.swap_remove(0))
    }

    /// Appends events whose contents stay outside the ledger: each inline
    /// payload goes into `payloads`, with a salt of its own, and its
    /// commitment into the ledger in its place. Everything else, type and
    /// metadata among it, is in the ledger and stays there.
    ///
    /// The payloads are kept before the commitments are written. A crash can
    /// leave payloads that belong to nothing; an acknowledged event never
    /// lacks its own. Repeated with the same external id and the same
    /// contents, it gives the first result back. If a first payload is erased
    /// or not available, nobody can tell whether the contents are the same:
    /// that is an [`Error::IdConflict`].
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append); [`Error::Payloads`] if a payload could not
    /// be kept: then nothing was written.
    pub async fn append_committed(
        &self,
        payloads: &dyn PayloadStore,
        cover: &Cover,
        expected: ExpectedVersion,
        events: &[Event],
    ) -> Result<Appended> {
        if !self.shared.write {
            return Err(Error::ReadOnly);
        }
        encode::check(cover, events)?;
        if let Some(first) = self.shared.committed_before(payloads, cover, events).await? {
            return self.append(cover, expected, &first).await;
        }
        // What stops writes stops them before anything is left in vain.
        let unconfirmed = self.shared.sync().await?;
        self.shared.may_write(unconfirmed).await?;
        let (committed, put) = self.shared.commit_payloads(payloads, events).await?;
        let appended = self.append(cover, expected, &committed).await;
        let Err(error) = appended else { return appended };
        let unused = self.shared.unused(cover, events, &error, put).await;
        remove_unused(payloads, unused).await;
        // Somebody was faster with this id: perhaps with these very contents.
        if let Error::IdConflict { .. } = error
            && let Some(first) = self.shared.committed_before(payloads, cover, events).await?
        {
            return self.append(cover, expected, &first).await;
        }
        Err(error)
    }

    /// The content of an event: its own, or what `payloads` keeps of it.
    ///
    /// # Errors
    ///
    /// As for any read; [`Error::Payloads`] if the payload store cannot tell.
    pub async fn reveal(
        &self,
        payloads: &dyn PayloadStore,
        event: &RecordedEvent,
    ) -> Result<Revealed> {
        let commitment = match &event.event.payload {
            Payload::Inline(content) => return Ok(Revealed::Content(content.clone())),
            Payload::Commitment(commitment) => *commitment,
        };
        self.sync().await?;
        let erasure = self.shared.erasure(commitment).await?;
        let kept = kept(payloads, commitment).await?;
        Ok(match (erasure, kept) {
            (Some(erasure), kept) => {
                let remains = !matches!(kept, Kept::Nothing);
                Revealed::Erased { erasure: Box::new(erasure), remains }
            }
            (None, Kept::Payload(payload)) => Revealed::Content(payload.into_content()),
            (None, Kept::Other) => Revealed::Unavailable(PayloadLack::Altered),
            (None, Kept::Nothing) => Revealed::Unavailable(PayloadLack::Missing),
        })
    }

    /// Erases the payload behind an event's commitment. First the erasure is
    /// written into the ledger and found there, then content and salt are
    /// removed from `payloads`. Interrupted in between, the payload counts as
    /// erased and is there still: repeat the call, or
    /// [`finish_erasures`](Self::finish_erasures). Repeated, it gives the
    /// first erasure back, whatever the reason.
    ///
    /// Every proof stays as it is, and whoever kept content and salt can
    /// still show what they were ([`check_payload`](Self::check_payload)).
    /// Nothing in the ledger is erased: neither the commitment nor the event's
    /// other fields, nor the reason, at most 1,024 bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the content is in the ledger itself, or the event
    /// is not of this ledger; as [`append`](Self::append);
    /// [`Error::Payloads`] if the erasure is in the ledger but the payload
    /// could not be removed.
    pub async fn erase(
        &self,
        payloads: &dyn PayloadStore,
        event: &RecordedEvent,
        reason: &str,
    ) -> Result<Erasure> {
        let Payload::Commitment(commitment) = event.event.payload else {
            return Err(Error::Invalid(
                "the event's content is in the ledger, which cannot forget; only a committed \
                 payload can be erased"
                    .into(),
            ));
        };
        if !erasure::is_reason(reason) {
            let why = format!("the reason of an erasure must have 1 to {MAX_REASON} bytes");
            return Err(Error::Invalid(why));
        }
        self.sync().await?;
        if !self.shared.holds(event).await? {
            return Err(Error::Invalid("the event is not one of this ledger's".into()));
        }
        let erasure = self.record_erasure(commitment, reason).await?;
        let what = "remove an erased payload (the erasure is in the ledger; repeat the call)";
        payloads.erase(commitment).await.map_err(failed(what))?;
        Ok(erasure)
    }

    /// Writes an erasure, unless there is one, and reads it back.
    async fn record_erasure(&self, commitment: PayloadCommitment, reason: &str) -> Result<Erasure> {
        let (cover, erasure) = (erasure::cover(commitment), erasure::event(commitment, reason));
        for _ in 0..ATTEMPTS {
            match self.shared.erasure(commitment).await {
                Ok(Some(found)) => return Ok(found),
                // One that nobody can read any more is written once more.
                Ok(None) | Err(Error::Unavailable(Unavailable::Truncated { .. })) => {}
                Err(error) => return Err(error),
            }
            let next = self.next_sequence(&cover).await?;
            let expected = match next.checked_sub(1) {
                None => ExpectedVersion::NoStream,
                Some(last) => ExpectedVersion::Exact(last),
            };
            let events = std::slice::from_ref(&erasure);
            match self.append_anywhere(&cover, expected, events).await {
                // Whoever was faster has perhaps written the same.
                Ok(_) | Err(Error::WrongExpectedVersion { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended { attempts: ATTEMPTS })
    }

    /// Removes from `payloads` everything that the ledger says is erased:
    /// after an erasure that was interrupted, or when an older copy of the
    /// payload store was restored.
    ///
    /// An erasure whose row was truncated does not hinder the others, and is
    /// counted: what it erased is not known here.
    ///
    /// # Errors
    ///
    /// As for any read; [`Error::Payloads`]. Repeat it then.
    pub async fn finish_erasures(&self, payloads: &dyn PayloadStore) -> Result<FinishedErasures> {
        self.sync().await?;
        let which = Streams::in_domain(erasure::DOMAIN).in_edition(Edition::default());
        let (mut place, mut finished) =
            (LedgerPosition::START.in_index(), FinishedErasures::default());
        loop {
            let mut local = self.shared.local.lock().await;
            let page = Index::events_after(local.conn(), &which, place, BATCH as u64).await?;
            let last = page.last().map(|last| last.pos).filter(|_| page.len() == BATCH);
            let through = last.map_or(local.state()?.tx, Position::tx);
            local.leaves_nothing_out(place, through).await?;
            drop(local);
            let (readable, truncated) = self.shared.readable(&page).await?;
            finished.truncated += truncated.len() as u64;
            for recorded in readable {
                let Some((commitment, _)) = erasure::read(&recorded.event) else { continue };
                let there = payloads.get(commitment).await.map_err(failed("read a payload"))?;
                if there.is_some() {
                    let what = "remove an erased payload";
                    payloads.erase(commitment).await.map_err(failed(what))?;
                    finished.removed += 1;
                }
            }
            let Some(last) = last else { return Ok(finished) };
            place = last;
        }
    }

    /// Whether the proof shows that this event is in the ledger and that
    /// `payload` is the content that it stands for, and if not, why not. The
    /// event's own payload is not looked at: `payload` stands in its place.
    ///
    /// This holds as long as content, salt and proof are kept by anybody,
    /// erased or not.
    ///
    /// # Errors
    ///
    /// As [`check_event`](Self::check_event).
    pub async fn check_payload(
        &self,
        event: &Event,
        payload: &SaltedPayload,
        proof: &EventProof,
    ) -> Result<Result<RecordedEvent, Verdict>> {
        let mut event = event.clone();
        event.payload = Payload::Commitment(payload.commitment());
        self.check_event(&event, proof).await
    }
}

/// Removes payloads whose commitments are nowhere. Where that fails they are
/// left over, which harms nobody but whom they are about.
async fn remove_unused(payloads: &dyn PayloadStore, put: Vec<PayloadCommitment>) {
    for commitment in put {
        if let Err(error) = payloads.erase(commitment).await {
            tracing::warn!(?commitment, %error, "an unused payload is left in the payload store");
        }
    }
}

impl Shared {
    /// Which of these payloads no event of an append that ended so stands for,
    /// now or ever. Where that is not certain, the payloads stay.
    async fn unused(
        &self,
        cover: &Cover,
        events: &[Event],
        error: &Error,
        mut put: Vec<PayloadCommitment>,
    ) -> Vec<PayloadCommitment> {
        match error {
            Error::WrongExpectedVersion { .. } | Error::Contended { .. } | Error::Invalid(_) => put,
            // Something else has the id, and so none of these rows can come.
            // Whatever has it may name their contents: that is looked at once
            // more, and not taken from the error.
            Error::IdConflict { .. } => {
                let Ok(found) = self.with_external_id(cover, events).await else { return vec![] };
                for (_, body) in &found {
                    if let StoredPayload::Commitment(named) = &body.payload {
                        put.retain(|commitment| commitment.as_bytes() != named);
                    }
                }
                if found.is_empty() { vec![] } else { put }
            }
            _ => vec![],
        }
    }

    /// Keeps the contents of events, and gives back the events with
    /// commitments in their place, and which were put.
    async fn commit_payloads(
        &self,
        payloads: &dyn PayloadStore,
        events: &[Event],
    ) -> Result<(Vec<Event>, Vec<PayloadCommitment>)> {
        let (mut committed, mut put) = (events.to_vec(), Vec::new());
        for event in &mut committed {
            let Payload::Inline(content) = &event.payload else { continue };
            let payload = SaltedPayload::new(self.environment.random(), content.clone());
            let commitment = payload.commitment();
            // What failed may have been kept all the same.
            put.push(commitment);
            if let Err(error) = payloads.put(commitment, &payload).await {
                remove_unused(payloads, put).await;
                return Err(failed("keep a payload")(error));
            }
            event.payload = Payload::Commitment(commitment);
        }
        Ok((committed, put))
    }

    /// The events that have the ids of an append with an external id.
    async fn with_external_id(
        &self,
        cover: &Cover,
        events: &[Event],
    ) -> Result<Vec<(EventAt, EventBody)>> {
        let external_id = &events[0].external_id;
        if external_id.is_empty() {
            return Ok(Vec::new());
        }
        let (domain, edition) = (&cover.domain, cover.edition.as_str());
        let ext = |index| external_ext(domain, edition, external_id, index);
        let wanted = self.with_ids(events.len(), ext).await?;
        let bodies: Vec<EventBody> =
            self.verified(&wanted).await?.into_iter().map(|found| found.body).collect();
        Ok(wanted.into_iter().zip(bodies).collect())
    }

    /// The events with the commitments of an earlier append that has their
    /// external id and their contents; `None` if none has the id.
    async fn committed_before(
        &self,
        payloads: &dyn PayloadStore,
        cover: &Cover,
        events: &[Event],
    ) -> Result<Option<Vec<Event>>> {
        let (wanted, found): (Vec<EventAt>, Vec<EventBody>) =
            self.with_external_id(cover, events).await?.into_iter().unzip();
        let Some(first) = wanted.first() else { return Ok(None) };
        let (external_id, tx) = (events[0].external_id.clone(), first.pos.tx());
        let conflict = || Error::IdConflict { external_id: external_id.clone(), tx };
        let mut same = events.to_vec();
        for old in &found {
            let Some(new) = same.get_mut(old.append_index as usize) else { continue };
            let Payload::Inline(content) = &new.payload else { continue };
            let StoredPayload::Commitment(commitment) = old.payload else {
                return Err(conflict());
            };
            let commitment = PayloadCommitment::from_bytes(commitment);
            match kept(payloads, commitment).await? {
                Kept::Payload(payload) if payload.content() == content => {}
                _ => return Err(conflict()),
            }
            new.payload = Payload::Commitment(commitment);
        }
        match compared(&same, &found, |_| false) {
            Compared::Same => Ok(Some(same)),
            // Never the rest of it with its contents in the ledger.
            Compared::Part { places } => Err(in_part(&wanted, &places).into()),
            Compared::Others { .. } => Err(conflict()),
        }
    }

    /// The events at these places that are stored still, and why the others are
    /// not: truncated, nothing else.
    async fn readable(&self, wanted: &[EventAt]) -> Result<(Vec<RecordedEvent>, Vec<Unavailable>)> {
        match self.recorded(wanted).await {
            Ok(events) => return Ok((events, Vec::new())),
            Err(Error::Unavailable(Unavailable::Truncated { .. })) => {}
            Err(error) => return Err(error),
        }
        let (mut events, mut truncated) = (Vec::new(), Vec::new());
        for one in wanted {
            match self.recorded(std::slice::from_ref(one)).await {
                Ok(found) => events.extend(found),
                Err(Error::Unavailable(why @ Unavailable::Truncated { .. })) => truncated.push(why),
                Err(error) => return Err(error),
            }
        }
        Ok((events, truncated))
    }

    /// The first erasure of what is behind a commitment that can be read. Where
    /// there is none but some were truncated, that is the error.
    async fn erasure(&self, commitment: PayloadCommitment) -> Result<Option<Erasure>> {
        let key = StreamKey::of_cover(&erasure::cover(commitment));
        let (mut from, mut gone) = (0, None);
        loop {
            let mut local = self.local.lock().await;
            let stream = Index::stream_info(local.conn(), &key).await?;
            let page =
                Index::events(local.conn(), &stream, from, u64::MAX, BATCH as u64, false).await?;
            drop(local);
            let Some(&(last, _)) = page.last() else {
                return gone.map_or(Ok(None), |why: Unavailable| Err(why.into()));
            };
            from = last + 1;
            let at = |(number, pos)| EventAt { pos, key: key.clone(), number };
            let wanted: Vec<EventAt> = page.into_iter().map(at).collect();
            let (readable, truncated) = self.readable(&wanted).await?;
            gone = gone.or_else(|| truncated.into_iter().next());
            for event in readable {
                if let Some((commitment, reason)) = erasure::read(&event.event) {
                    return Ok(Some(Erasure { commitment, reason: reason.to_owned(), event }));
                }
            }
        }
    }

    /// Whether this ledger has the event in its place.
    async fn holds(&self, event: &RecordedEvent) -> Result<bool> {
        let key = StreamKey::of_cover(&event.event.cover);
        let mut local = self.local.lock().await;
        let stream = Index::stream_info(local.conn(), &key).await?;
        let number = event.sequence;
        let found = Index::events(local.conn(), &stream, number, number, 1, false).await?;
        let place = Position::new(event.tx, event.entry);
        if found != [(number, place)] {
            return Ok(false);
        }
        let digests: Vec<EntryDigest> =
            local.digests(&[place]).await?.into_iter().map(|(_, digest)| digest).collect();
        Ok(digests == [event.digest])
    }
}
