//! Receipts, most of them good ones that were changed: writing gives the same bytes, and whatever the
//! policy takes for verified is what the ledger holds.
#![no_main]

use std::slice::from_ref;
use std::sync::LazyLock;

use counterfoil_core::checkpoint::{LogKey, LogPolicy, Member, Quorum, WitnessKey};
use counterfoil_core::receipt::{
    Anchor, EventBody, Payload, Policy, Receipt, ServerKey, Verdict, verify_pinned,
};
use counterfoil_core::{Alh, StateKey, TrustedState, TxId};
use counterfoil_fuzz::{documented, texts};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

/// The ledger of `docs/receipt.md`.
struct Honest {
    receipts: [Vec<u8>; 3],
    /// As far as the document says them; the first four are pinned.
    states: [TrustedState; 6],
    keys: [ServerKey<'static>; 1],
    log: LogKey<'static>,
    witness: WitnessKey<'static>,
}

static HONEST: LazyLock<Honest> = LazyLock::new(|| {
    let receipts = ["receipt of one event", "receipt of four events", "receipt with a checkpoint"];
    let receipts = receipts.map(documented);
    let states = [2, 3, 6, 9, 4, 5].map(|tx| {
        let alh = documented(&format!("alh of transaction {tx}"));
        TrustedState { tx: TxId::new(tx), alh: Alh::new(alh.try_into().expect("a hash")) }
    });
    let key = StateKey::from_sec1(&documented("state key")).expect("a key");
    let server_keys = [ServerKey { key, database: b"defaultdb" }];
    let [keys, _] = texts();
    let mut keys = keys.lines();
    let log = LogKey::parse(keys.next().expect("a key")).expect("a key");
    let witness = WitnessKey::parse(keys.next().expect("a key")).expect("a key");
    Honest { receipts, states, keys: server_keys, log, witness }
});

fuzz_target!(|bytes: &[u8]| {
    let honest = &*HONEST;
    if Receipt::parse(bytes).is_ok() {
        check(bytes, honest);
    }
    let Some(end) = bytes.len().checked_sub(8) else { return };
    let body = &bytes[..end];
    check(&[body, &Sha256::digest(body)[..8]].concat(), honest);
    if let Ok(body) = EventBody::parse(bytes) {
        assert!(body.metadata.iter().is_sorted_by(|a, b| a.0 < b.0));
    }
});

fn check(bytes: &[u8], honest: &Honest) {
    let Ok(receipt) = Receipt::parse(bytes) else { return };
    let mut buffer = vec![0; bytes.len()];
    let attached = receipt.attached();
    // A link's hash is written as its header makes it; that the two are one is
    // for the verifier to say.
    let links = [(receipt.earlier(), attached.earlier), (receipt.later(), attached.later)];
    let hashed = links.iter().all(|(state, link)| match (state, link) {
        (Some(state), Some(link)) => link.header.alh() == Ok(state.alh),
        _ => true,
    });
    if hashed {
        assert_eq!(receipt.encode_with(&attached, &mut buffer), Ok(bytes));
    }
    assert_eq!(receipt.events().count(), receipt.event_count() as usize);
    let placed = receipt.transactions().flat_map(|tx| tx.events().collect::<Vec<_>>());
    assert!(placed.map(|event| event.body).eq(receipt.events().map(|event| event.body)));

    let base = Policy::new(receipt.ledger()).with_table(receipt.table_id());
    assert!(receipt.verify(&base).verdict().trusted().is_none(), "nothing vouches for it");
    let pins = &honest.states[..4];
    let policies = pins.iter().map(from_ref).chain([pins]);
    let policies = policies.filter_map(|pins| base.with_pins(pins).ok());
    let log = LogPolicy::new(from_ref(&honest.log)).expect("a log");
    let quorum = Quorum::new(from_ref(&honest.witness), &[], Member::Witness(0)).expect("a quorum");
    let witnessed = base.with_log_policy(log.with_quorum(&quorum).expect("another key"));
    let witnessed = witnessed.expect("no author");
    let signed = base.with_state_keys(&honest.keys).with_log_policy(log).expect("no author");
    // The state that the checkpoint's receipt is linked to.
    let linked = witnessed.with_pins(&honest.states[4..5]).ok();
    for policy in policies.chain([signed, witnessed]).chain(linked) {
        let judgement = receipt.verify(&policy);
        // What a device verifies alone is what the whole verifier verifies so.
        if let Ok(event) = verify_pinned(bytes, &policy) {
            let by_pin = matches!(judgement.verdict(), Verdict::Verified(Anchor::Pinned(_)));
            assert!(by_pin && receipt.events().eq([event]), "{event:?}: {:?}", judgement.verdict());
        }
        if let Ok(next) = judgement.next_pin() {
            assert!(honest.states.contains(&next.state()), "{next:?}");
        }
        let known = honest.receipts.each_ref().map(|bytes| Receipt::parse(bytes).expect("honest"));
        for judged in judgement.events() {
            let event = judged.event();
            let confirmed = match judged.verdict() {
                Verdict::Verified(_) => matches!(event.body.payload, Payload::Inline(_)),
                Verdict::PayloadUnavailable(_) => true,
                _ => continue,
            };
            let held = known.iter().flat_map(Receipt::events).any(|known| known == *event);
            assert!(confirmed && held, "{event:?}: {:?}", judged.verdict());
        }
    }
}
