//! Signatures of states: no bytes make a key or a signature panic, and of a signature changed only
//! its twin with n − s still verifies.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use counterfoil_core::{Alh, StateKey, TxAlh, TxId};
use libfuzzer_sys::fuzz_target;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    secret: [u8; 31],
    database: &'a [u8],
    tx: u64,
    alh: [u8; 32],
    flips: Vec<(u8, u8)>,
    tail: Vec<u8>,
    bytes: &'a [u8],
}

fuzz_target!(|data: &[u8]| {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return };
    let _ = StateKey::from_spki(input.bytes);
    let mut secret = [1; 32];
    secret[1..].copy_from_slice(&input.secret);
    let Ok(signer) = SigningKey::from_slice(&secret) else { return };
    let point = signer.verifying_key().to_sec1_point(false);
    let key = StateKey::from_sec1(point.as_bytes()).expect("an honest key");

    let state = TxAlh { tx: TxId::new(input.tx), alh: Alh::new(input.alh) };
    let length = (input.database.len() as u32).to_be_bytes();
    let tx = input.tx.to_be_bytes();
    let message = [&length[..], input.database, &tx, &input.alh].concat();
    let signature: Signature = signer.sign(&message);
    let honest = signature.to_der().as_bytes().to_vec();
    assert!(key.verify(input.database, &state, &honest).is_ok());
    assert!(StateKey::from_sec1(input.bytes).is_err() || input.bytes.len() == 65);

    let mut changed = honest.clone();
    for (at, bit) in &input.flips {
        let at = usize::from(*at) % changed.len();
        changed[at] ^= 1 << (bit % 8);
    }
    changed.extend(&input.tail);
    if key.verify(input.database, &state, &changed).is_ok() {
        let accepted = Signature::from_der(&changed).expect("strict DER");
        assert_eq!(accepted.to_der().as_bytes(), changed, "one encoding");
        assert_eq!(accepted.normalize_s(), signature.normalize_s(), "another signature");
    }
    let _ = key.verify(input.bytes, &state, input.bytes);
});
