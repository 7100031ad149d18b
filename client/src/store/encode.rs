//! From events to rows.

use counterfoil_core::{EntryDigest, Table, TrustedState};

use super::pen::Pen;
use crate::body::{EventBody, StoredPayload};
use crate::error::{Error, Result};
use crate::event::{Event, MAX_BODY, Payload, check_cover};
use crate::row::StoredRow;
use crate::{proof, schema};

/// Most events in one INSERT: immudb takes 1,024 entries in a transaction.
pub(super) const MAX_EVENTS: usize = 1000;
/// Most bytes of bodies in one INSERT: well below what a message may have.
pub(super) const MAX_BYTES: usize = 7 << 20;

/// What the store adds to the events of one append.
pub(super) struct Assigned {
    pub(super) first_number: u64,
    /// Digest of the stream's last event, zeros if there is none.
    pub(super) prev_event: [u8; 32],
    pub(super) recorded_at: i64,
    /// The state that the writer had verified.
    pub(super) seen: TrustedState,
    pub(super) append_id: [u8; 16],
    pub(super) commit_id: [u8; 16],
    /// Rows before these in the same INSERT.
    pub(super) commit_index: u32,
}

/// An append as it goes into the ledger: rows in key order, and their digests.
#[derive(Clone)]
pub(super) struct Encoded {
    pub(super) rows: Vec<StoredRow>,
    pub(super) digests: Vec<EntryDigest>,
}

/// Signed, if there is a pen.
pub(super) fn encode(
    table: &Table<'_>,
    events: &[Event],
    assigned: &Assigned,
    mut pen: Option<&mut Pen>,
) -> Result<Encoded> {
    let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
    let mut encoded = Encoded { rows: Vec::new(), digests: Vec::new() };
    let mut prev_event = assigned.prev_event;
    let mut bytes = 0;
    for ((event, index), event_number) in events.iter().zip(0..count).zip(assigned.first_number..) {
        if i64::try_from(event_number).is_err() {
            return Err(Error::Invalid("the stream is full".into()));
        }
        let mut body = EventBody {
            domain: event.cover.domain.clone(),
            edition: event.cover.edition.as_str().to_owned(),
            root: event.cover.root.clone(),
            event_number,
            event_type: event.event_type.clone(),
            recorded_at: assigned.recorded_at,
            correlation_id: event.correlation_id.clone(),
            causation_id: event.causation_id.clone(),
            external_id: event.external_id.clone(),
            metadata: event.metadata.clone().into_iter().collect(),
            payload: match &event.payload {
                Payload::Inline(content) => StoredPayload::Inline(content.clone()),
                Payload::Commitment(hash) => StoredPayload::Commitment(*hash.as_bytes()),
            },
            prev_event,
            seen_tx: assigned.seen.tx.get(),
            seen_alh: assigned.seen.alh.to_bytes(),
            append_id: assigned.append_id,
            append_index: index,
            append_count: count,
            commit_id: assigned.commit_id,
            commit_index: assigned.commit_index.saturating_add(index),
            author: pen.as_ref().map(|pen| pen.author()),
        };
        let mut stored = body.encode();
        bytes += stored.len();
        if stored.len() > MAX_BODY {
            return Err(Error::Invalid(format!(
                "event {index} has {} bytes encoded; at most {MAX_BODY} fit. Keep large content \
                 elsewhere and store a commitment to it",
                stored.len()
            )));
        }
        if bytes > MAX_BYTES {
            return Err(Error::Invalid(format!(
                "the append has more than {MAX_BYTES} bytes; split it"
            )));
        }
        if let Some(pen) = &mut pen {
            pen.sign(&mut body, &mut stored)?;
        }
        let row = proof::row_of(&body, stored);
        let digest = schema::row_digest(table, &row)
            .map_err(|error| Error::Invalid(format!("event {index}: {error}")))?;
        prev_event = digest.to_bytes();
        encoded.rows.push(row);
        encoded.digests.push(digest);
    }
    Ok(encoded)
}

/// More bytes than the bodies of these events can have, whatever is assigned.
pub(super) fn most_bytes(events: &[Event]) -> usize {
    // Hashes, ids and numbers: 128 bytes and eleven varints; a length each; an author.
    const REST: usize = 512;
    let of = |event: &Event| {
        let metadata: usize = event
            .metadata
            .iter()
            .map(|(name, value)| name.len() + value.as_slice().len() + 20)
            .sum();
        let payload = match &event.payload {
            Payload::Inline(content) => content.as_slice().len(),
            Payload::Commitment(_) => 32,
        };
        REST + metadata
            + payload
            + event.cover.domain.len()
            + event.cover.edition.as_str().len()
            + event.cover.root.as_slice().len()
            + event.event_type.len()
            + event.correlation_id.len()
            + event.causation_id.len()
            + event.external_id.len()
    };
    events.iter().map(of).sum()
}

/// Whether the caller's events can be appended at all.
pub(super) fn check(cover: &crate::event::Cover, events: &[Event]) -> Result<()> {
    check_cover(cover)?;
    if events.is_empty() {
        return Err(Error::Invalid("an append needs at least one event".into()));
    }
    if events.len() > MAX_EVENTS {
        return Err(Error::Invalid(format!(
            "{} events in one append; at most {MAX_EVENTS} fit into one transaction",
            events.len()
        )));
    }
    if events.iter().any(|event| event.event_type.is_empty()) {
        let why = "an event needs a type, which says what happened: \"Departed\", say";
        return Err(Error::Invalid(why.into()));
    }
    if events.iter().any(|event| event.cover != *cover) {
        return Err(Error::Invalid("the events of an append must all be of its stream".into()));
    }
    if events.iter().any(|event| event.external_id != events[0].external_id) {
        return Err(Error::Invalid(
            "the external id belongs to the whole append: all its events must carry the same"
                .into(),
        ));
    }
    Ok(())
}
