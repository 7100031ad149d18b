//! Receipts of events that are in the ledger already.

use counterfoil_core::receipt::{
    Anchor, Attached, Genesis, Link, Policy, Receipt, ReceiptCheckpoint, StateSignature,
    Verdict as Shown,
};
use counterfoil_core::{Alh, Header, TrustedState, TxId};
use counterfoil_policy::TrustPolicy;
use serde::Serialize;

use super::EventStore;
use super::append::Proofs;
use super::read::locate;
use crate::body::GenesisBody;
use crate::checkpoint::SignedCheckpoint;
use crate::error::{Error, Result};
use crate::event::{Cover, check_cover};
use crate::index::{EventAt, Position, StreamKey};
use crate::local::Local;
use crate::local::link::StateLink;
use crate::position::LedgerPosition;
use crate::proof::EventProof;
use crate::receipt::{self, bad_proof};
use crate::schema::GENESIS_CATALOG;
use crate::server_state::ServerSignedState;
use crate::verdict::Verdict;

/// A receipt that a store made, of one event or of several, and what its holder needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct IssuedReceipt {
    /// The receipt (`docs/receipt.md`): what the events have in common is in it once.
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
    /// The later state to which it is tied, if one was asked for.
    pub until: Option<TrustedState>,
    /// The events' places, in the ledger's order: one or more.
    pub places: Vec<LedgerPosition>,
    /// How many bytes receipts of the single events take together.
    pub size_of_singles: u64,
}

/// For whom a receipt is made: by what its verifiers have pinned, and whose signatures they trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReceiptOptions<'a> {
    under: Option<TrustedState>,
    earlier: Option<TrustedState>,
    later: Option<TrustedState>,
    signed: Option<&'a ServerSignedState>,
    checkpoint: Option<&'a SignedCheckpoint>,
}

impl<'a> ReceiptOptions<'a> {
    /// Under the newest verified state, tied to no other.
    pub fn new() -> Self {
        Self::default()
    }

    /// Under this state, which the ledger went through, instead of the newest: one that somebody signed,
    /// witnessed or pinned. It must not be before any of the events.
    pub fn under(mut self, state: TrustedState) -> Self {
        self.under = Some(state);
        self
    }

    /// Tied to an older state, for verifiers who have pinned that one.
    pub fn linked_from(mut self, state: TrustedState) -> Self {
        self.earlier = Some(state);
        self
    }

    /// Tied to a later state, for verifiers who have pinned that one.
    pub fn linked_to(mut self, state: TrustedState) -> Self {
        self.later = Some(state);
        self
    }

    /// Under the state that the server signed, with its signature, for verifiers whose policy has the
    /// server's key and the database's name.
    pub fn with_state_signature(mut self, signed: &'a ServerSignedState) -> Self {
        self.signed = Some(signed);
        self
    }

    /// With a checkpoint of the ledger and its signatures, for verifiers whose policy names a log and
    /// witnesses. A checkpoint of size n puts the receipt under the state of transaction n + 1, the one
    /// whose header commits to that tree, and vouches for events up to transaction n.
    ///
    /// The signatures are copied and not verified: whose they are, the verifier's policy knows. One that
    /// is not right makes the receipt broken under a policy that names its key; take the checkpoint from
    /// whoever verified it, as [`ask_witnesses`](EventStore::ask_witnesses) does.
    pub fn with_checkpoint(mut self, checkpoint: &'a SignedCheckpoint) -> Self {
        self.checkpoint = Some(checkpoint);
        self
    }
}

/// Events whose rows are fetched at once.
const AT_ONCE: usize = 256;

impl StateLink {
    /// As a receipt of the one state has it to the other.
    fn to(&self, other: Header<'static>) -> Link<'_> {
        Link { header: other, inclusion: &self.inclusion, consistency: &self.consistency }
    }
}

/// The proofs of events at rising places, with their bodies.
async fn prove(
    local: &mut Local,
    wanted: &[EventAt],
    bodies: Vec<Vec<u8>>,
    under: TrustedState,
) -> Result<Vec<EventProof>> {
    let mut proofs = Vec::with_capacity(wanted.len());
    let mut of_tx: Option<(TxId, Proofs)> = None;
    for (event, body) in wanted.iter().zip(bodies) {
        let (tx, entry) = (event.pos.tx(), event.pos.entry());
        let mut made = match of_tx.take() {
            Some((last, made)) if last == tx => made,
            _ => Proofs::under(local, tx, under).await?,
        };
        let added = made.events(event.number, entry, std::iter::once(body))?;
        proofs.extend(added.into_iter().map(|added| added.proof));
        of_tx = Some((tx, made));
    }
    Ok(proofs)
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
        let options = ReceiptOptions { earlier: since, ..ReceiptOptions::new() };
        self.issue_batch(&[(cover.clone(), sequence)], options).await
    }

    /// One receipt of several events, of any streams, each named by its stream and sequence; one that is
    /// named twice is in it once. As [`issue_receipt`](Self::issue_receipt) otherwise, but smaller than
    /// a receipt of each: state, table, headers and the paths that they share are in it once.
    ///
    /// A receipt is under one state. So a server's signature and a checkpoint are in one receipt where the
    /// server signed transaction n + 1 and the checkpoint has size n; then either of the two is enough for
    /// a verifier who trusts it, and each is held to what a policy says of its key.
    ///
    /// # Errors
    ///
    /// As [`issue_receipt`](Self::issue_receipt) for each event and each state: nothing is given out if
    /// one of them is not there. [`Error::WrittenLater`] for an event behind the state that was asked
    /// for. [`Error::Invalid`] for states that are not in their order, or of which the receipt cannot be
    /// under all; for a checkpoint that is not this ledger's, or behind which there is no transaction
    /// yet; for no event at all, and for so many that the receipt would be larger than
    /// [`Receipt::MAX_LEN`].
    pub async fn issue_batch(
        &self,
        of: &[(Cover, u64)],
        options: ReceiptOptions<'_>,
    ) -> Result<IssuedReceipt> {
        of.iter().try_for_each(|(cover, _)| check_cover(cover))?;
        self.sync().await?;
        self.shared.naming_log(self.batch(of, options)).await
    }

    async fn batch(
        &self,
        of: &[(Cover, u64)],
        options: ReceiptOptions<'_>,
    ) -> Result<IssuedReceipt> {
        let under = self.state_for(&options).await?;
        let ReceiptOptions { earlier: since, later: until, signed, checkpoint, .. } = options;
        let mut local = self.shared.local.lock().await;
        let mut wanted = Vec::with_capacity(of.len());
        for (cover, sequence) in of {
            wanted.push(locate(&mut local, cover, *sequence).await?);
        }
        drop(local);
        wanted.sort_by_key(|event| event.pos);
        wanted.dedup_by_key(|event| event.pos);
        let bodies = self.bodies(&wanted).await?;
        let beginning = self.beginning().await?;

        // All of it under one state: nothing moves while the log is locked.
        let mut local = self.shared.local.lock().await;
        let state = match under {
            Some(state) => state,
            None => local.state()?,
        };
        if let Some(event) = wanted.iter().find(|event| event.pos.tx() > state.tx) {
            let (sequence, tx, asked) = (event.number, event.pos.tx(), state.tx);
            return Err(Error::WrittenLater { sequence, tx, asked });
        }
        let out_of_order = |what, of: TrustedState| {
            Error::Invalid(format!("{of} is not {what} {state}, the state of the receipt"))
        };
        if let Some(since) = since.filter(|since| since.tx > state.tx) {
            return Err(out_of_order("before", since));
        }
        if let Some(until) = until.filter(|until| until.tx < state.tx) {
            return Err(out_of_order("behind", until));
        }
        let proofs = prove(&mut local, &wanted, bodies, state).await?;
        // The receipt's own state needs no link.
        let earlier = match since.filter(|since| since.tx < state.tx) {
            Some(since) => Some(local.link(since.tx, state.tx).await?),
            None => None,
        };
        let later = match until.filter(|until| until.tx > state.tx) {
            Some(until) => Some(local.link(state.tx, until.tx).await?),
            None => None,
        };
        drop(local);
        let genesis = beginning.as_ref().map(|begun| Genesis {
            ts: begun.ts,
            nonce: &begun.nonce,
            created_at: begun.created_at,
        });
        let Some(first) = proofs.first() else {
            return Err(Error::Invalid("a receipt of no event shows nothing".into()));
        };
        // A note says the same in more bytes.
        let mut part = vec![0; checkpoint.map_or(0, |checkpoint| checkpoint.as_str().len())];
        let checkpoint = match checkpoint {
            Some(checkpoint) => {
                let header = first.state_header.to_header()?;
                let part = ReceiptCheckpoint::from_note(&checkpoint.note(), &header, &mut part);
                Some(part.map_err(|error| {
                    Error::Invalid(format!("the checkpoint does not fit the receipt: {error}"))
                })?)
            }
            None => None,
        };
        let attached = Attached {
            earlier: earlier.as_ref().map(|link| link.to(link.older)),
            later: later.as_ref().map(|link| link.to(link.newer)),
            signature: signed.map(|signed| StateSignature { key: signed.key(), der: signed.der() }),
            checkpoint,
        };
        let size = receipt::size(&proofs, genesis, attached)?;
        if size > Receipt::MAX_LEN {
            return Err(Error::Invalid(format!(
                "the receipt would have {size} bytes, and may have {}: make several",
                Receipt::MAX_LEN
            )));
        }
        let mut size_of_singles = 0;
        for proof in &proofs {
            size_of_singles +=
                receipt::size(std::slice::from_ref(proof), genesis, attached)? as u64;
        }
        let issued = IssuedReceipt {
            bytes: receipt::encode(&proofs, genesis, attached)?,
            ledger: first.ledger,
            table_id: first.table_id,
            shows_table: genesis.is_some(),
            state,
            since,
            until,
            places: wanted
                .iter()
                .map(|event| LedgerPosition::new(event.pos.tx(), event.pos.entry()))
                .collect(),
            size_of_singles,
        };
        issued.check()?;
        Ok(issued)
    }

    /// The one state that the receipt must be under, if there is one. All states that are named are the
    /// ledger's.
    async fn state_for(&self, options: &ReceiptOptions<'_>) -> Result<Option<TrustedState>> {
        let ReceiptOptions { under, earlier, later, signed, checkpoint } = *options;
        let signed = signed.map(ServerSignedState::state);
        for state in [under, signed, earlier, later].into_iter().flatten() {
            self.check_synced(state).await?;
        }
        if let (Some(under), Some(signed)) = (under, signed)
            && under != signed
        {
            return Err(Error::Invalid(format!(
                "a receipt is under one state: {under} is asked for, and the server signed {signed}"
            )));
        }
        let named = under.or(signed);
        let Some(checkpoint) = checkpoint else { return Ok(named) };
        let size = checkpoint.checkpoint().size().get();
        let behind = TxId::new(size.saturating_add(1));
        if let Some(named) = named.filter(|named| named.tx != behind) {
            return Err(Error::Invalid(format!(
                "a receipt is under one state: with a checkpoint of size {size} it is that of \
                 transaction {behind}, and {named} is asked for or signed; a checkpoint of size {} \
                 goes with that",
                named.tx.get().saturating_sub(1)
            )));
        }
        let mut local = self.shared.local.lock().await;
        if behind > local.state()?.tx {
            return Err(Error::Invalid(format!(
                "a receipt with a checkpoint of size {size} is under transaction {behind}, which there \
                 is not yet: append something first, or sign a smaller size"
            )));
        }
        Ok(Some(TrustedState { tx: behind, alh: local.checked(behind).await?.tx.alh() }))
    }

    /// The bodies of events, verified.
    async fn bodies(&self, wanted: &[EventAt]) -> Result<Vec<Vec<u8>>> {
        let mut bodies = Vec::with_capacity(wanted.len());
        let mut len = 0;
        for chunk in wanted.chunks(AT_ONCE) {
            for event in self.shared.verified(chunk).await? {
                let body = event.body.encode();
                len += body.len();
                // The receipt holds them as they are, and more: no proof is made in vain.
                if len > Receipt::MAX_LEN {
                    return Err(Error::Invalid(format!(
                        "the events alone have more than the {} bytes that a receipt may have: \
                         make several",
                        Receipt::MAX_LEN
                    )));
                }
                bodies.push(body);
            }
        }
        Ok(bodies)
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
        let mut found = self.shared.candidates(&table, &wanted, &[digest]).await?;
        let found = found.pop().flatten().filter(|found| found.is(&table, digest));
        Ok(found.and_then(|found| {
            let row = found.into_row()?;
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
                let tx = issued.places[0].tx;
                assert_eq!(tx.get(), sequence + 2);
                let pins = [*since];
                let policy = Policy::new(issued.ledger).with_pins(&pins).unwrap();
                let verdict =
                    |bytes: &[u8]| Receipt::parse(bytes).unwrap().verify(&policy).verdict();
                let linked = match since.tx >= tx {
                    true => "verified_by_pinned_state",
                    false => "extends_pin_unconfirmed",
                };
                assert_eq!(verdict(&issued.bytes).word(), linked, "{sequence} since {since}");
                let itself = *since == newest || since.tx == tx;
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

    /// Whatever is put together, each event of it is verified as if it stood alone.
    #[tokio::test]
    async fn a_batch_is_what_its_events_are_and_smaller() {
        let store = EventStore::in_memory().await.unwrap();
        let plain = ReceiptOptions::new();
        let covers = ["r", "s", "t"].map(|root| Cover::new("d", root));
        let mut pin = store.state().await.unwrap();
        for n in 0..12_usize {
            let cover = &covers[n % 3];
            let events: Vec<Event> =
                (0..=n % 4).map(|m| Event::new(cover, "T", format!("{n}/{m}"))).collect();
            store.append(cover, crate::ExpectedVersion::Any, &events).await.unwrap();
            if n == 5 {
                pin = store.state().await.unwrap();
            }
        }
        let next = store.next_sequence(&covers[0]).await.unwrap();
        let one: Vec<_> = (0..next).map(|n| (covers[0].clone(), n)).collect();
        let mut all = one.clone();
        for cover in &covers[1..] {
            let next = store.next_sequence(cover).await.unwrap();
            all.extend((0..next).map(|n| (cover.clone(), n)));
        }
        // Twice, and not in their order.
        let mut mixed: Vec<_> = all.iter().rev().cloned().collect();
        mixed.extend(one.clone());
        let wanted = store.issue_batch(&all, plain).await.unwrap();
        assert_eq!(store.issue_batch(&mixed, plain).await.unwrap(), wanted);
        for (of, since) in [(&one, None), (&all, None), (&all, Some(pin)), (&one, Some(pin))] {
            let options = ReceiptOptions { earlier: since, ..plain };
            let batch = store.issue_batch(of, options).await.unwrap();
            let receipt = Receipt::parse(&batch.bytes).unwrap();
            let places: Vec<LedgerPosition> =
                receipt.events().map(|event| LedgerPosition::new(event.tx, event.entry)).collect();
            assert_eq!((places.len(), &places), (of.len(), &batch.places));
            let mut singles = 0;
            for (cover, sequence) in of {
                let single = store.issue_receipt(cover, *sequence, since).await.unwrap();
                let alone = Receipt::parse(&single.bytes).unwrap();
                let shown = alone.events().next().unwrap();
                assert!(receipt.events().any(|event| event == shown), "{cover} {sequence}");
                singles += single.bytes.len() as u64;
            }
            assert_eq!(batch.size_of_singles, singles);
            assert!(batch.bytes.len() as u64 * 2 < singles, "{} {singles}", batch.bytes.len());
        }
        let lost = [(covers[0].clone(), 0), (covers[0].clone(), next)];
        let error = store.issue_batch(&lost, plain).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
        assert!(matches!(store.issue_batch(&[], plain).await, Err(Error::Invalid(_))));
        let large = "x".repeat(1 << 19);
        for _ in 0..33 {
            store.add_event(&Event::new(&covers[0], "T", large.as_str())).await.unwrap();
        }
        let many: Vec<_> = (next..next + 33).map(|n| (covers[0].clone(), n)).collect();
        let error = store.issue_batch(&many, plain).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("events alone") && text.contains("make several"), "{text}");
        assert!(store.issue_batch(&many[..31], plain).await.is_ok());
    }

    /// Under each state, tied to each older and each later one: whoever has pinned any of the three
    /// verifies what was there by then.
    #[tokio::test]
    async fn a_receipt_is_under_the_state_that_was_asked_for() {
        let store = EventStore::in_memory().await.unwrap();
        let cover = Cover::new("d", "r");
        let mut states = vec![store.state().await.unwrap()];
        for n in 0..10 {
            store.add_event(&Event::new(&cover, "T", n.to_string())).await.unwrap();
            states.push(store.state().await.unwrap());
        }
        let of = [(cover.clone(), 3)];
        for (earlier, since) in states.iter().enumerate() {
            for (own, under) in states.iter().enumerate() {
                for until in &states[4..] {
                    let options =
                        ReceiptOptions::new().under(*under).linked_from(*since).linked_to(*until);
                    let issued = store.issue_batch(&of, options).await;
                    if own < 4 {
                        let error = issued.unwrap_err();
                        assert!(matches!(error, Error::WrittenLater { .. }), "{error}");
                        continue;
                    }
                    if earlier > own || until.tx < under.tx {
                        assert!(matches!(issued.unwrap_err(), Error::Invalid(_)));
                        continue;
                    }
                    let issued = issued.unwrap();
                    assert_eq!(issued.state, *under);
                    for pin in [since, under, until] {
                        let pins = [*pin];
                        let policy = Policy::new(issued.ledger).with_pins(&pins).unwrap();
                        let receipt = Receipt::parse(&issued.bytes).unwrap();
                        let word = match pin.tx >= issued.places[0].tx {
                            true => "verified_by_pinned_state",
                            false => "extends_pin_unconfirmed",
                        };
                        assert_eq!(receipt.verify(&policy).verdict().word(), word);
                    }
                }
            }
        }
        let other = TrustedState { alh: states[5].alh, ..states[6] };
        for options in [
            ReceiptOptions::new().under(other),
            ReceiptOptions::new().linked_from(other),
            ReceiptOptions::new().linked_to(other),
        ] {
            let error = store.issue_batch(&of, options).await.unwrap_err();
            assert!(matches!(error.verdict(), Some(Verdict::OtherState { .. })), "{error}");
        }
    }
}
