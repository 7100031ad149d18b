//! Keys as people keep them: secret ones of logs, witnesses and authors, the verifier keys that they hand
//! out, and a server's in PEM. Each is read in its one form, and is no other kind of key.
#![no_main]

use counterfoil::core::checkpoint::{KeyName, LogKey, WitnessKey};
use counterfoil::{Ed25519Signer as _, SigningKeyFile, TrustPolicy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let secret = SigningKeyFile::from_text(text).ok();
    let log = LogKey::parse(text).ok();
    let witness = WitnessKey::parse(text).ok();
    let state = state_key(text);
    let kinds = [secret.is_some(), log.is_some(), witness.is_some(), state.is_some()];
    assert!(kinds.iter().filter(|is| **is).count() < 2, "{kinds:?}");

    for written in [log.map(|key| key.to_string()), witness.map(|key| key.to_string())] {
        assert!(written.is_none_or(|written| written == text));
    }
    if let Some(key) = secret {
        let name = KeyName::new(key.name()).expect("a name that was read");
        let public = LogKey::new(name, key.public_key());
        let begin = format!("PRIVATE+KEY+{name}+{}+", public.id());
        assert!(text.starts_with(&begin) && !format!("{key:?}").contains(&text[begin.len()..]));
        let signature = key.sign(bytes).expect("a key in memory signs");
        assert_eq!(key.public_key().verify(&[bytes], &signature), Ok(()));
    }
    if let Some(policy) = state {
        let again = TrustPolicy::from_json(&policy.to_json());
        assert_eq!(again.ok().as_ref(), Some(&policy));
    }
});

/// A policy with this as the server's key.
fn state_key(pem: &str) -> Option<TrustPolicy> {
    let keys = serde_json::json!([{ "database": "defaultdb", "pem": pem }]);
    let policy = serde_json::json!({ "ledger": "07".repeat(32), "state_keys": keys });
    TrustPolicy::from_json(&policy.to_string()).ok()
}
