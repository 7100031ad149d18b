//! Receipts of events that are in the ledger already.

use counterfoil_core::receipt::{
    Anchor, Attached, Genesis, Link, Policy, Receipt, Verdict as Shown,
};
use counterfoil_core::{Alh, TrustedState, TxId};
use serde::Serialize;

use super::EventStore;
use super::append::Proofs;
use super::read::locate;
use crate::body::GenesisBody;
use crate::error::{Error, Result};
use crate::event::Cover;
use crate::index::{EventAt, Position, StreamKey};
use crate::local::link::StateLink;
use crate::policy::TrustPolicy;
use crate::receipt::bad_proof;
use crate::schema::{GENESIS_CATALOG, row_digest};
use crate::verdict::Verdict;

/// A receipt that a store made, and what its holder needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct IssuedReceipt {
    /// The receipt (`docs/receipt.md`).
    #[serde(skip)]
    pub bytes: Vec<u8>,
    /// The ledger's id, which a verifier must have from elsewhere.
    pub ledger: Alh,
    /// The number of the table of events.
    pub table_id: u32,
    /// Whether the receipt shows that the ledger began with this table. Where it does not, a verifier
    /// has to be told the number.
    pub shows_table: bool,
    /// The state that the receipt is under: whoever has pinned it can verify.
    pub state: TrustedState,
    /// The older state to which it is tied, if one was asked for.
    pub since: Option<TrustedState>,
    /// The transaction that holds the event.
    pub tx: TxId,
    /// The event's place among the transaction's entries, from 0.
    pub entry: u32,
}

/// What the first transaction holds, where it created the table.
struct Beginning {
    ts: i64,
    nonce: [u8; 32],
    created_at: i64,
}

impl EventStore {
    /// A receipt of an event, under the verified state: what somebody without the store can keep and
    /// verify. It was verified before it is given out.
    ///
    /// `since` is a state that the receipt's verifier has pinned: the receipt then shows that its own
    /// state came from that one. If the event was there by then, that verifies it; if it came later,
    /// nothing but a newer pin can.
    ///
    /// # What the receipt does not prove
    ///
    /// That the event is the first or the only one of its key, who wrote it, and when: it shows that the
    /// ledger holds the event there.
    ///
    /// # Errors
    ///
    /// As [`get_event_at_tx`](Self::get_event_at_tx); for `since` as
    /// [`check_state`](Self::check_state). [`Verdict::BadProof`] if what was made does not hold, also
    /// for a `since` in whose place the ledger's tree lagged: nothing ties such a state.
    pub async fn issue_receipt(
        &self,
        cover: &Cover,
        sequence: u64,
        since: Option<TrustedState>,
    ) -> Result<IssuedReceipt> {
        cover.check()?;
        match since {
            Some(state) => self.check_state(state).await?,
            None => self.sync().await?,
        }
        let mut local = self.shared.local.lock().await;
        let place = locate(&mut local, cover, sequence).await?;
        drop(local);
        let (tx, entry) = (place.pos.tx(), place.pos.entry());
        let found = self.shared.verified(&[place]).await?;
        let beginning = self.beginning().await?;

        let mut local = self.shared.local.lock().await;
        let state = local.state()?;
        let bodies = found.iter().map(|event| event.body.encode());
        let mut events = Proofs::of(&mut local, tx).await?.events(sequence, entry, bodies)?;
        // The receipt's own state needs no link.
        let link = match since.filter(|since| since.tx < state.tx) {
            Some(since) => Some(local.link(since.tx).await?),
            None => None,
        };
        drop(local);
        // One was asked for, and each has its proof.
        let proof = events.swap_remove(0).proof;
        let genesis = beginning.as_ref().map(|begun| Genesis {
            ts: begun.ts,
            nonce: &begun.nonce,
            created_at: begun.created_at,
        });
        let earlier = link.as_ref().map(|StateLink { header, inclusion, consistency }| Link {
            header: *header,
            inclusion,
            consistency,
        });
        let bytes = proof.receipt_with(genesis, Attached { earlier, ..Attached::default() })?;
        let issued = IssuedReceipt {
            bytes,
            ledger: proof.ledger,
            table_id: proof.table_id,
            shows_table: genesis.is_some(),
            state,
            since,
            tx,
            entry,
        };
        issued.check()?;
        Ok(issued)
    }

    /// A policy for whoever is to verify receipts of this ledger: its id, the number of its table, and
    /// its verified state as the pin. It is to be handed on as what it is: this client's word.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status).
    pub async fn trust_policy(&self) -> Result<TrustPolicy> {
        let pin = self.status().await?.pin;
        let table = self.shared.local.lock().await.table()?.id();
        let policy = TrustPolicy::new(pin.ledger).with_table(table);
        let policy = policy.and_then(|policy| policy.with_pin(pin.state));
        policy.map_err(|problem| Error::Config(problem.to_string()))
    }

    /// How the ledger began, as its first transaction holds it. `None` where the table came later, as in
    /// a database that was there before, and where the row is not shown any more.
    async fn beginning(&self) -> Result<Option<Beginning>> {
        let first = TxId::new(1);
        let mut local = self.shared.local.lock().await;
        if local.genesis() != first {
            return Ok(None);
        }
        let pos = Position::new(first, GENESIS_CATALOG);
        let table = local.table()?;
        let mut held = local.digests(&[pos]).await?;
        drop(local);
        let Some((ts, digest)) = held.pop() else { return Ok(None) };
        let key = StreamKey { domain: Vec::new(), edition: Vec::new(), root: Vec::new() };
        let wanted = [EventAt { pos, key, number: 0 }];
        let mut rows = self.shared.candidates(&table, &wanted, &[digest]).await?;
        let row = rows.pop().flatten().filter(|row| row_digest(&table, row) == Ok(digest));
        Ok(row.and_then(|row| {
            let nonce = row.ext.try_into().ok()?;
            let GenesisBody { created_at, .. } = GenesisBody::decode(&row.body).ok()?;
            Some(Beginning { ts, nonce, created_at })
        }))
    }
}

impl IssuedReceipt {
    /// Nothing is given out that would not verify.
    fn check(&self) -> Result<(), Verdict> {
        let receipt = Receipt::parse(&self.bytes).map_err(bad_proof)?;
        let pins = [self.state];
        let bad = |reason: &dyn std::fmt::Display| Verdict::BadProof { reason: reason.to_string() };
        let policy = Policy::new(self.ledger).with_pins(&pins).map_err(|error| bad(&error))?;
        let policy = if self.shows_table { policy } else { policy.with_table(self.table_id) };
        let anchor = Anchor::Pinned(self.state);
        match receipt.verify(&policy).verdict() {
            Shown::Verified(by) | Shown::PayloadUnavailable(by) if by == anchor => Ok(()),
            other => Err(bad(&other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    /// Every event under every older state: a pin at or after the event verifies it, one before it does
    /// not, and without the link nothing can be said.
    #[tokio::test]
    async fn a_receipt_is_tied_to_the_state_that_was_asked_for() {
        let store = EventStore::in_memory().await.unwrap();
        let cover = Cover::new("d", "r");
        let mut states = vec![store.state().await.unwrap()];
        for content in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
            store.add_event(&Event::new(&cover, "T", content)).await.unwrap();
            states.push(store.state().await.unwrap());
        }
        let newest = states[9];
        for sequence in 0..9 {
            let plain = store.issue_receipt(&cover, sequence, None).await.unwrap();
            assert_eq!((plain.state, plain.shows_table, plain.since), (newest, true, None));
            for since in &states {
                let issued = store.issue_receipt(&cover, sequence, Some(*since)).await.unwrap();
                assert_eq!(issued.tx.get(), sequence + 2);
                let pins = [*since];
                let policy = Policy::new(issued.ledger).with_pins(&pins).unwrap();
                let verdict =
                    |bytes: &[u8]| Receipt::parse(bytes).unwrap().verify(&policy).verdict();
                let linked = match since.tx >= issued.tx {
                    true => "verified_by_pinned_state",
                    false => "extends_pin_unconfirmed",
                };
                assert_eq!(verdict(&issued.bytes).word(), linked, "{sequence} since {since}");
                let itself = *since == newest || since.tx == issued.tx;
                let unlinked = if itself { "verified_by_pinned_state" } else { "cannot_decide" };
                assert_eq!(verdict(&plain.bytes).word(), unlinked, "{sequence} under {since}");
            }
        }
        let other = TrustedState { alh: states[3].alh, ..states[4] };
        let refused = store.issue_receipt(&cover, 0, Some(other)).await.unwrap_err();
        assert!(
            matches!(&refused, Error::Ledger(verdict)
            if matches!(**verdict, Verdict::OtherState { .. })),
            "{refused}"
        );
        let none = store.issue_receipt(&cover, 9, None).await.unwrap_err();
        assert!(matches!(none, Error::NotFound { sequence: 9, next: 9, .. }), "{none}");
    }
}
