//! What callers keep and send on as JSON.

use counterfoil::{Cover, Event, EventProof, Payload, PayloadCommitment, TxId, TxProof};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Harness, full, numbered, shipment};

pub(crate) async fn what_a_caller_keeps_survives_json(harness: impl Harness) {
    let store = harness.open().await;
    let draft = Cover::new("ship\"ment", [0, 255, 10]).in_edition("draft");
    let commitment = Payload::Commitment(PayloadCommitment::new(&[1; 32], b"x"));
    for event in [
        numbered(&shipment(), 0),
        full(&draft),
        Event::new(&shipment(), "T", ""),
        Event::new(&shipment(), "\0", "hex:no"),
        Event::new(&draft, "Consented", commitment),
    ] {
        let tx = store.add_event(&event).await.unwrap();
        let (event, proof): (Event, EventProof) = (same(&event), same(&tx.proof));
        assert!(store.verify_event(&event, &proof).await.unwrap());
        same::<Cover>(&event.cover);
    }
    let state = store.state().await.unwrap();
    let proof: TxProof = same(&store.get_proof_at_tx(TxId::new(1)).await.unwrap());
    proof.verify(&same(&state)).unwrap();

    let plain = json!({
        "cover": {"domain": "shipment", "edition": "angzarr", "root": "SSCC-00123456"},
        "event_type": "Counted",
        "payload": {"inline": "{\"n\": 0}"},
    });
    let event: Event = serde_json::from_value(plain.clone()).unwrap();
    assert_eq!(event, numbered(&shipment(), 0));
    // The main edition is written as nothing at all.
    let mut shorter = plain;
    shorter["cover"].as_object_mut().unwrap().remove("edition");
    assert_eq!(serde_json::to_value(&event).unwrap(), shorter);
}

pub(crate) async fn json_with_a_field_too_many_is_refused(harness: impl Harness) {
    let store = harness.open().await;
    let event = full(&shipment());
    let tx = store.add_event(&event).await.unwrap();
    let proof = store.get_proof_at_tx(tx.id).await.unwrap();
    refused::<Event>(&event, "");
    refused::<Event>(&event, "/payload");
    refused::<EventProof>(&tx.proof, "");
    refused::<EventProof>(&tx.proof, "/header");
    refused::<TxProof>(&proof, "");
    refused::<TxProof>(&proof, "/state_header");
}

fn same<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) -> T {
    let text = serde_json::to_string(value).unwrap();
    let back = serde_json::from_str(&text).unwrap();
    assert_eq!(*value, back, "{text}");
    back
}

fn refused<T: DeserializeOwned>(value: &impl Serialize, place: &str) {
    let mut json = serde_json::to_value(value).unwrap();
    let object: &mut Value = json.pointer_mut(place).unwrap();
    object.as_object_mut().unwrap().insert("surplus".into(), 1.into());
    assert!(serde_json::from_value::<T>(json).is_err(), "{place}");
}
