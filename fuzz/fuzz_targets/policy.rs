//! Policies: what reads as one, in either form or as a tlog-policy, means the same when it is written in
//! both forms and read again, core takes it, and it verifies nothing but by what it trusts.
#![no_main]

use counterfoil::core::receipt::Anchor;
use counterfoil::{Alh, TlogPolicy, TrustPolicy};
use counterfoil_fuzz::{documented, texts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (json, toml) = (TrustPolicy::from_json(text).ok(), TrustPolicy::from_toml(text).ok());
    assert!(json.is_none() || toml.is_none());
    let ledger = Alh::new([7; 32]);
    let tlog = TlogPolicy::parse(text).ok();
    let tlog = tlog.and_then(|tlog| TrustPolicy::new(ledger).with_tlog_policy(tlog).ok());
    [json, toml, tlog].iter().flatten().for_each(check);
});

fn check(policy: &TrustPolicy) {
    let (json, toml) = (policy.to_json(), policy.to_toml());
    assert_eq!(TrustPolicy::from_json(&json).as_ref().ok(), Some(policy), "{json}");
    assert_eq!(TrustPolicy::from_toml(&toml).as_ref().ok(), Some(policy), "{toml}");
    for name in ["receipt of one event", "receipt of four events", "receipt with a checkpoint"] {
        let report = policy.verify(&documented(name), &[]);
        for event in &report.events {
            let named = match event.of.trusted() {
                Some(Anchor::Pinned(pin)) => policy.pins().any(|known| known == pin),
                Some(Anchor::Signed(_)) => {
                    report.state_signature.is_some_and(|by| policy.has_state_key(by.key))
                }
                Some(Anchor::Logged { .. } | Anchor::Witnessed { .. }) => {
                    let [keys, _] = texts();
                    json.contains(keys.lines().next().expect("the log's key"))
                }
                _ => true,
            };
            assert!(named, "{json}: {report:?}");
        }
    }
}
