//! Proofs as receipts: what somebody without the store can keep and verify.

use counterfoil_core::receipt::{
    Attached, Genesis, ReceiptEntry, ReceiptError, ReceiptParts, ReceiptTx,
};

use crate::proof::EventProof;
use crate::verdict::Verdict;

impl EventProof {
    /// The proof as a receipt (`docs/receipt.md`): a file that stands alone, for a policy that names
    /// the table.
    ///
    /// It is under the proof's own state and names the table by its number alone, so whoever verifies
    /// it ([`Receipt::verify`](counterfoil_core::receipt::Receipt::verify)) brings a policy with the
    /// ledger's id, the table's number and a pin: that very state, or another one and a link between
    /// the two. Under a policy without the table's number it cannot be decided. One that shows by
    /// itself which table it is, from how the ledger began, is made by
    /// [`EventStore::issue_receipt`](crate::EventStore::issue_receipt).
    ///
    /// Nothing is verified here. A proof that came from elsewhere is a receipt that does not hold.
    ///
    /// # Errors
    ///
    /// [`Verdict::BadProof`] for what is no proof at all: a header that cannot be, a body that is
    /// none.
    pub fn to_receipt(&self) -> Result<Vec<u8>, Verdict> {
        encode(std::slice::from_ref(self), None, Attached::default())
    }
}

/// How many bytes [`encode`] writes.
pub(crate) fn size(
    proofs: &[EventProof],
    genesis: Option<Genesis<'_>>,
    attached: Attached<'_>,
) -> Result<usize, Verdict> {
    with_parts(proofs, genesis, attached, |parts| parts.encoded_len().map_err(bad_proof))
}

/// The receipt of events at rising places of one ledger, under one state, with what else is known of
/// the ledger.
pub(crate) fn encode(
    proofs: &[EventProof],
    genesis: Option<Genesis<'_>>,
    attached: Attached<'_>,
) -> Result<Vec<u8>, Verdict> {
    with_parts(proofs, genesis, attached, |parts| {
        let mut bytes = vec![0; parts.encoded_len().map_err(bad_proof)?];
        parts.encode(&mut bytes).map_err(bad_proof)?;
        Ok(bytes)
    })
}

fn with_parts<T>(
    proofs: &[EventProof],
    genesis: Option<Genesis<'_>>,
    attached: Attached<'_>,
    work: impl FnOnce(&ReceiptParts<'_>) -> Result<T, Verdict>,
) -> Result<T, Verdict> {
    let Some(first) = proofs.first() else {
        return Err(Verdict::BadProof { reason: "there is none".into() });
    };
    let entries: Vec<ReceiptEntry<'_>> = proofs
        .iter()
        .map(|proof| ReceiptEntry {
            entry: proof.entry,
            path: &proof.entry_path,
            body: proof.body.as_slice(),
        })
        .collect();
    let mut transactions = Vec::new();
    let mut left = &entries[..];
    for of_tx in proofs.chunk_by(|one, next| one.header.tx == next.header.tx) {
        let (events, behind) = left.split_at(of_tx.len());
        left = behind;
        let EventProof { header, tx_path, .. } = &of_tx[0];
        transactions.push(ReceiptTx { header: header.to_header()?, path: tx_path, events });
    }
    work(&ReceiptParts {
        ledger: first.ledger,
        table_id: first.table_id,
        genesis,
        state_header: first.state_header.to_header()?,
        transactions: &transactions,
        attached,
    })
}

pub(crate) fn bad_proof(error: ReceiptError) -> Verdict {
    Verdict::BadProof { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use counterfoil_core::receipt::{
        Anchor, EventBody as CoreBody, Policy, Receipt, Verdict, events_table,
    };

    use crate::body::EventBody;
    use crate::golden::example_body;
    use crate::{Cover, Event, EventStore, Payload, PayloadCommitment, schema};

    /// What a store gives out is verified by somebody who has nothing but the receipt, the ledger's id
    /// and a state.
    #[tokio::test]
    async fn a_proof_of_the_store_is_a_receipt() {
        let store = EventStore::in_memory().await.unwrap();
        let cover = Cover::new("shipment", "SSCC-1");
        let committed = Payload::Commitment(PayloadCommitment::new(&[1; 32], b"content"));
        let events = [
            Event::new(&cover, "Departed", r#"{"from": "Basel"}"#).with_external_id("dep-1"),
            Event::new(&cover, "Arrived", "").with_metadata("unit", "°C"),
            Event::new(&cover, "Consented", committed),
        ];
        let ledger = store.ledger_id().await.unwrap();
        for event in &events {
            let added = store.add_event(event).await.unwrap();
            let bytes = added.proof.to_receipt().unwrap();
            let receipt = Receipt::parse(&bytes).unwrap();
            let pins = [store.state().await.unwrap()];
            let policy = Policy::new(ledger).with_table(1).with_pins(&pins).unwrap();
            let judgement = receipt.verify(&policy);
            let anchor = Anchor::Pinned(pins[0]);
            let expected = match event.payload {
                Payload::Inline(_) => Verdict::Verified(anchor),
                Payload::Commitment(_) => Verdict::PayloadUnavailable(anchor),
            };
            assert_eq!(judgement.verdict(), expected);
            let judged = judgement.events().next().unwrap();
            assert_eq!(judged.event().tx, added.id);
            assert_eq!(Event::from(&judged.event().body), *event);
            if let Payload::Commitment(_) = event.payload {
                let opened = judged.with_payload(&[1; 32], b"content");
                assert_eq!(opened, Verdict::Verified(anchor));
            }

            let mut altered = added.proof.clone();
            altered.header.ts += 1;
            // The state is that of the event's own transaction, whose header it has once.
            assert!(altered.to_receipt().is_err());
            altered.state_header = altered.header;
            let bytes = altered.to_receipt().unwrap();
            let receipt = Receipt::parse(&bytes).unwrap();
            assert_eq!(receipt.verify(&policy).verdict().word(), "broken");
            altered.header.version = 7;
            assert!(altered.to_receipt().is_err());
            let mut altered = added.proof;
            altered.body = "no body".into();
            assert!(altered.to_receipt().is_err());
        }
    }

    /// The store's bodies and those of core are the same bytes, to the last bit.
    #[test]
    fn core_reads_the_bodies_that_the_store_writes() {
        let mut inline = example_body();
        inline.author = None;
        let mut other = example_body();
        other.external_id = String::new();
        other.payload = crate::body::StoredPayload::Commitment([5; 32]);
        other.author =
            Some(crate::body::Author { key: [6; 32], signature_r: [7; 32], signature_s: [8; 32] });
        let mut accepted = 0;
        for body in [inline, other] {
            let bytes = body.encode();
            for bit in 0..=bytes.len() * 8 {
                let mut changed = bytes.clone();
                if let Some(byte) = changed.get_mut(bit / 8) {
                    *byte ^= 1 << (bit % 8);
                }
                let ours = EventBody::decode(&changed).ok();
                let core = CoreBody::parse(&changed).ok();
                let fields = ours.as_ref().map(|body| {
                    (body.ext(), body.event_number, body.seen_tx, body.event_type.as_str())
                });
                let core =
                    core.map(|body| (body.ext(), body.event_number, body.seen_tx, body.event_type));
                assert_eq!(fields, core, "bit {bit}");
                accepted += usize::from(core.is_some());
            }
        }
        assert!(accepted > 1000, "{accepted}");
    }

    #[test]
    fn core_has_the_same_table() {
        assert_eq!(events_table(7), schema::table(7));
    }
}
