//! Checking an event and a proof that somebody brings.

use counterfoil_core::TrustedState;

use super::EventStore;
use crate::author::{self, TrustedAuthor};
use crate::body::EventBody;
use crate::error::{Error, Result};
use crate::event::{Event, RecordedEvent};
use crate::index::{Index, Position};
use crate::local::Local;
use crate::proof::EventProof;
use crate::schema;
use crate::verdict::Verdict;

impl EventStore {
    /// Whether the proof shows that exactly this event is in the ledger.
    ///
    /// `false` means that it does not hold; [`check_event`](Self::check_event)
    /// says why.
    ///
    /// # Errors
    ///
    /// Only if it could not be decided: the ledger could not be asked, or is
    /// itself found wrong.
    pub async fn verify_event(&self, event: &Event, proof: &EventProof) -> Result<bool> {
        Ok(self.check_event(event, proof).await?.is_ok())
    }

    /// Whether the proof shows that exactly this event is in the ledger, and
    /// if not, why not.
    ///
    /// Everything is recomputed from the caller's event; only what the store
    /// assigned (sequence, times, ids) comes from the proof. The transaction
    /// must lie within this store's own pinned state and be the one that its
    /// own log holds; the state that the proof brings is checked for
    /// consistency and never trusted.
    ///
    /// # Errors
    ///
    /// As [`verify_event`](Self::verify_event).
    pub async fn check_event(
        &self,
        event: &Event,
        proof: &EventProof,
    ) -> Result<Result<RecordedEvent, Verdict>> {
        self.sync().await?;
        let found = async {
            let mut local = self.shared.local.lock().await;
            match check(&mut local, event, proof, &self.shared.authors).await {
                Ok(recorded) => Ok(Ok(recorded)),
                Err(Failed::Proof(verdict)) => Ok(Err(verdict)),
                Err(Failed::Store(error)) => Err(error),
            }
        };
        self.shared.naming_log(found).await
    }
}

/// The proof does not hold, or nobody can tell.
enum Failed {
    Proof(Verdict),
    Store(Error),
}

impl From<Verdict> for Failed {
    fn from(verdict: Verdict) -> Self {
        Self::Proof(verdict)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

async fn check(
    local: &mut Local,
    event: &Event,
    proof: &EventProof,
    authors: &[TrustedAuthor],
) -> Result<RecordedEvent, Failed> {
    let pin = local.pin()?;
    if proof.ledger != pin.ledger {
        return Err(Verdict::OtherLedger { expected: pin.ledger, found: proof.ledger }.into());
    }
    let table = local.table()?;
    if proof.table_id != table.id() {
        return Err(bad("it is about another table").into());
    }
    let body = proof.decode_body()?;
    same_event(event, &body)?;
    let row = crate::proof::row_of(&body, proof.body.as_slice().to_vec());

    // The proof under the state that it brings: must hold, proves nothing.
    let header = proof.header.to_header()?;
    let state_header = proof.state_header.to_header()?;
    let alh = state_header.alh().map_err(|error| bad(&error.to_string()))?;
    let brought = TrustedState { tx: state_header.id, alh };
    let tx = brought.verify_tx(&state_header, &header, &proof.tx_path).map_err(Verdict::from)?;
    schema::verify_row(&tx, &table, &row, proof.entry, &proof.entry_path).map_err(Verdict::from)?;

    // The proof under this store's own state.
    if tx.id() > pin.state.tx {
        return Err(Verdict::BeyondPin { tx: tx.id(), pinned: pin.state }.into());
    }
    if body.seen_tx >= tx.id().get() {
        return Err(bad("its writer claims to have seen a later transaction").into());
    }
    let own = local.checked(tx.id()).await?;
    if own.tx.alh() != tx.alh() {
        let pinned = TrustedState { tx: tx.id(), alh: own.tx.alh() };
        let found = TrustedState { tx: tx.id(), alh: tx.alh() };
        return Err(Verdict::Fork { pinned, found }.into());
    }
    let entry = schema::verify_row(&own.tx, &table, &row, proof.entry, &proof.entry_path)
        .map_err(Verdict::from)?;
    if brought.tx <= pin.state.tx {
        let held = local.record(brought.tx).await?.alh;
        if held != brought.alh {
            let pinned = TrustedState { tx: brought.tx, alh: held };
            return Err(Verdict::Fork { pinned, found: brought }.into());
        }
    }

    let authorship = author::authorship(proof.body.as_slice(), pin.ledger, authors);

    // It is in the ledger; is it the event of its stream, or a later row
    // under its key?
    let place = Position::new(tx.id(), proof.entry);
    let indexed = Index::by_ext(local.conn(), &body.ext()).await?;
    if indexed.is_none_or(|event| event.pos != place) {
        return Err(Verdict::Superseded { tx: tx.id(), counted: Vec::new() }.into());
    }
    Ok(RecordedEvent {
        event: event.clone(),
        sequence: body.event_number,
        tx: tx.id(),
        entry: proof.entry,
        recorded_at: body.recorded_at,
        committed_at: tx.ts(),
        digest: entry.digest(),
        authorship,
    })
}

fn same_event(event: &Event, body: &EventBody) -> Result<(), Verdict> {
    let stored = body.to_event();
    for (same, field) in [
        (stored.cover == event.cover, "stream"),
        (stored.event_type == event.event_type, "type"),
        (stored.payload == event.payload, "payload"),
        (stored.metadata == event.metadata, "metadata"),
        (stored.correlation_id == event.correlation_id, "correlation id"),
        (stored.causation_id == event.causation_id, "causation id"),
        (stored.external_id == event.external_id, "external id"),
    ] {
        if !same {
            return Err(Verdict::OtherEvent { field });
        }
    }
    Ok(())
}

fn bad(reason: &str) -> Verdict {
    Verdict::BadProof { reason: reason.to_owned() }
}
