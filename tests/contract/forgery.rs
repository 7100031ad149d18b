//! Proofs that were altered: every leaf of their JSON, one at a time.

use counterfoil::{Event, EventProof, EventStore, TrustedState, TxProof};
use serde_json::Value;

use super::{Harness, full, numbered, shipment};

pub(crate) async fn no_leaf_of_an_event_proof_can_be_altered(harness: impl Harness) {
    let store = harness.open().await;
    let events: Vec<Event> = (0..5).map(|n| numbered(&shipment(), n)).collect();
    store.append(&shipment(), Default::default(), &events).await.unwrap();
    let events = vec![full(&shipment()); 5];
    let appended = store.append(&shipment(), Default::default(), &events).await.unwrap();
    let proof = &appended.events[2].proof;
    assert_eq!(proof.entry_path.len(), 3);
    refuses_every_alteration(&store, &events[2], proof).await;
}

pub(crate) async fn no_leaf_of_a_transaction_proof_can_be_altered(harness: impl Harness) {
    let store = harness.open().await;
    for n in 0..6 {
        store.add_event(&numbered(&shipment(), n)).await.unwrap();
    }
    let state = store.state().await.unwrap();
    for tx in [1, state.tx.get()] {
        let proof = store.get_proof_at_tx(counterfoil::TxId::new(tx)).await.unwrap();
        refuses_every_altered_tx(&state, &proof);
    }
}

/// Every altered proof is refused, and the untouched one is not.
pub(crate) async fn refuses_every_alteration(
    store: &EventStore,
    event: &Event,
    proof: &EventProof,
) {
    assert!(store.verify_event(event, proof).await.unwrap());
    let pinned = store.state().await.unwrap().tx;
    let (mut parsed, mut unconfirmed) = (0, 0);
    for (place, json) in alterations(&serde_json::to_value(proof).unwrap()) {
        let Ok(altered) = serde_json::from_value::<EventProof>(json) else { continue };
        assert_ne!(altered, *proof, "{place} does not alter anything");
        parsed += 1;
        if store.verify_event(event, &altered).await.unwrap() {
            // The state that a proof brings is never trusted. Where it lies
            // beyond this store's own, there is nothing to compare it with.
            assert!(altered.state_header.tx > pinned, "{place} was altered unnoticed");
            unconfirmed += 1;
        }
    }
    assert!(parsed > 1000 && unconfirmed <= 3, "{parsed} parsed, {unconfirmed} unconfirmed");
}

fn refuses_every_altered_tx(state: &TrustedState, proof: &TxProof) {
    proof.verify(state).unwrap();
    let mut parsed = 0;
    for (place, json) in alterations(&serde_json::to_value(proof).unwrap()) {
        let Ok(altered) = serde_json::from_value::<TxProof>(json) else { continue };
        assert_ne!(altered, *proof, "{place} does not alter anything");
        // Which ledger a state belongs to, only its first transaction tells.
        let unbound = place.starts_with("/ledger") && proof.header.tx.get() != 1;
        assert_eq!(altered.verify(state).is_ok(), unbound, "{place} was altered unnoticed");
        parsed += 1;
    }
    assert!(parsed > 300, "{parsed} parsed");
}

/// Each way to alter one place of a JSON value, with the place.
fn alterations(value: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    collect(value, "", &mut found, &|altered| altered);
    found
}

/// `whole` puts an altered part back into the whole.
fn collect(
    value: &Value,
    place: &str,
    found: &mut Vec<(String, Value)>,
    whole: &dyn Fn(Value) -> Value,
) {
    let mut add = |what: &str, altered: Value| {
        if altered != *value {
            found.push((format!("{place} {what}"), whole(altered)));
        }
    };
    match value {
        Value::Number(number) => {
            let n = number.as_u64().expect("numbers of a proof are not negative");
            for other in [n.wrapping_add(1), n.wrapping_sub(1), n ^ (1 << 16), 0, u64::MAX] {
                add(&format!("is {other}"), other.into());
            }
        }
        Value::String(text) => {
            for (at, old) in text.char_indices() {
                let new = match old.to_digit(16) {
                    Some(digit) => char::from_digit(digit ^ 1, 16).expect("a hex digit"),
                    None => '!',
                };
                let altered = format!("{}{new}{}", &text[..at], &text[at + old.len_utf8()..]);
                add(&format!("has {new} at {at}"), altered.into());
            }
            add("is longer", format!("{text}00").into());
            add("is shorter", text[..text.len().saturating_sub(2)].into());
        }
        Value::Array(items) => {
            for at in 0..items.len() {
                let (mut fewer, mut more, mut other) =
                    (items.clone(), items.clone(), items.clone());
                fewer.remove(at);
                more.insert(at, items[at].clone());
                other.swap(at, (at + 1) % items.len());
                add(&format!("lacks {at}"), fewer.into());
                add(&format!("has {at} twice"), more.into());
                add(&format!("has {at} swapped"), other.into());
            }
            let surplus = Value::from("0".repeat(64));
            add("has one more", items.iter().cloned().chain([surplus]).collect());
        }
        Value::Object(fields) => {
            for name in fields.keys() {
                let mut fewer = fields.clone();
                fewer.remove(name);
                add(&format!("lacks {name}"), fewer.into());
            }
            let mut more = fields.clone();
            more.insert("surplus".into(), 1.into());
            add("has a surplus field", more.into());
        }
        Value::Null | Value::Bool(_) => panic!("{place}: a proof has no {value}"),
    }
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let whole = |altered| {
                    let mut items = items.clone();
                    items[at] = altered;
                    whole(items.into())
                };
                collect(item, &format!("{place}/{at}"), found, &whole);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                let whole = |altered| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), altered);
                    whole(fields.into())
                };
                collect(item, &format!("{place}/{name}"), found, &whole);
            }
        }
        _ => {}
    }
}
