//! Receipts of `docs/receipt.md` and of ledgers, with whatever signatures a test wants on them.

use std::collections::BTreeMap;

use counterfoil::core::checkpoint::{
    Checkpoint, CosignedMessage, KeyName, LogKey, Note, WitnessKey,
};
use counterfoil::core::receipt::{Attached, Receipt, ReceiptCheckpoint, StateSignature};
use counterfoil::core::{Ed25519Key, StateKey, StateKeyId, TxAlh};
use ed25519_dalek::Signer as _;
use sha2::{Digest as _, Sha256};

const DOCUMENT: &str = include_str!("../../../docs/receipt.md");

pub(crate) const LEDGER: &str = "12dc849900379fe3dd4b4d00e99cdba2cc5050d0ea9b3309493a201fce96c406";
pub(crate) const DATABASE: &str = "defaultdb";
pub(crate) const ORIGIN: &str = "example.com/goods";

/// Lines `name = hex` of the document's `golden` blocks.
pub(crate) fn documented() -> BTreeMap<&'static str, String> {
    let mut found: BTreeMap<&str, String> = BTreeMap::new();
    let (mut inside, mut last) = (false, "");
    for line in DOCUMENT.lines() {
        if line.starts_with("```") {
            inside = line == "```golden";
        } else if inside {
            match line.split_once(" = ") {
                Some((name, hex)) => {
                    last = name;
                    found.insert(name, hex.to_owned());
                }
                None => found.get_mut(last).unwrap().push_str(line.trim()),
            }
        }
    }
    found
}

pub(crate) fn golden(name: &str) -> Vec<u8> {
    hex::decode(&documented()[name]).unwrap()
}

pub(crate) fn one() -> Vec<u8> {
    golden("receipt of one event")
}

pub(crate) fn four() -> Vec<u8> {
    golden("receipt of four events")
}

/// A pin of the document's ledger.
pub(crate) fn pin(tx: u64) -> String {
    format!("{tx}:{}", documented()[format!("alh of transaction {tx}").as_str()])
}

/// With another check, as whoever changes a receipt on purpose gives it.
pub(crate) fn mended(bytes: &[u8]) -> Vec<u8> {
    let content = &bytes[..bytes.len() - 8];
    [content, &Sha256::digest(content)[..8]].concat()
}

/// With other bytes in place of these, which are there once or more.
pub(crate) fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut changed = bytes.to_vec();
    let places: Vec<usize> =
        (0..=bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty(), "it is not there");
    for at in places {
        changed[at..at + from.len()].copy_from_slice(to);
    }
    mended(&changed)
}

/// The same receipt with other parts.
pub(crate) fn attach(bytes: &[u8], attach: impl FnOnce(Attached<'_>) -> Vec<u8>) -> Vec<u8> {
    attach(Receipt::parse(bytes).unwrap().attached())
}

fn encode(bytes: &[u8], attached: &Attached<'_>) -> Vec<u8> {
    let mut buffer = vec![0; bytes.len() + 4096];
    Receipt::parse(bytes).unwrap().encode_with(attached, &mut buffer).unwrap().to_vec()
}

/// Without signature and checkpoint.
pub(crate) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    attach(bytes, |attached| {
        encode(bytes, &Attached { signature: None, checkpoint: None, ..attached })
    })
}

/// The state, signed by the key of this seed for a database.
pub(crate) fn signed(bytes: &[u8], seed: u8, database: &str) -> Vec<u8> {
    signed_as(bytes, key_id(seed), seed, database)
}

/// The same, said to be by the key of this name.
pub(crate) fn signed_as(bytes: &[u8], key: StateKeyId, seed: u8, database: &str) -> Vec<u8> {
    let state = Receipt::parse(bytes).unwrap().state();
    let der = &state_signature(&state, seed, database);
    attach(bytes, |attached| {
        encode(bytes, &Attached { signature: Some(StateSignature { key, der }), ..attached })
    })
}

/// What a server signs, DER.
pub(crate) fn state_signature(state: &TxAlh, seed: u8, database: &str) -> Vec<u8> {
    let mut message = (database.len() as u32).to_be_bytes().to_vec();
    message.extend(database.as_bytes());
    message.extend(state.tx.get().to_be_bytes());
    message.extend(state.alh.as_bytes());
    let signature: p256::ecdsa::Signature = state_key(seed).sign(&message);
    signature.to_der().as_bytes().to_vec()
}

/// The name of the key of this seed.
pub(crate) fn key_id(seed: u8) -> StateKeyId {
    let point = state_key(seed).verifying_key().to_sec1_point(false);
    StateKey::from_sec1(point.as_bytes()).unwrap().id()
}

fn state_key(seed: u8) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap()
}

/// The public key in PEM. That of seed 7 is the document's.
pub(crate) fn pem(seed: u8) -> String {
    let point = state_key(seed).verifying_key().to_sec1_point(false);
    let prefix = hex::decode("3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
    let text = base64(&[&prefix[..], point.as_bytes()].concat());
    let lines: Vec<_> =
        text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// The secret key in PEM, as a server reads it (RFC 5915).
pub(crate) fn secret_pem(seed: u8) -> String {
    let curve = [0xa0, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    let der = [&[0x30, 0x31, 2, 1, 1, 4, 32][..], &[seed; 32], &curve].concat();
    format!("-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----\n", base64(&der))
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |bytes: &[u8]| {
        let mut padded = [0; 4];
        padded[1..=bytes.len()].copy_from_slice(bytes);
        let bits = u32::from_be_bytes(padded);
        let digit = |place: u32| DIGITS[(bits >> (18 - 6 * place)) as usize & 63] as char;
        (0..4).map(|at| if at as usize > bytes.len() { '=' } else { digit(at) }).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

fn ed25519(seed: u8) -> (ed25519_dalek::SigningKey, Ed25519Key) {
    let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
    let public = Ed25519Key::from_bytes(key.verifying_key().as_bytes()).unwrap();
    (key, public)
}

pub(crate) fn log_vkey(seed: u8) -> String {
    LogKey::new(KeyName::new(ORIGIN).unwrap(), ed25519(seed).1).to_string()
}

pub(crate) fn witness_vkey(seed: u8) -> String {
    let name = format!("w{seed}.example");
    WitnessKey::new(KeyName::new(&name).unwrap(), ed25519(seed).1).to_string()
}

/// A checkpoint of the state's tree, signed by the log's key of this seed and by these witnesses.
pub(crate) fn logged(bytes: &[u8], log: u8, witnesses: &[u8]) -> Vec<u8> {
    let receipt = Receipt::parse(bytes).unwrap();
    let state = receipt.state_header();
    let origin = KeyName::new(ORIGIN).unwrap();
    let size = counterfoil::core::TreeSize::new(state.bl_tx_id.get());
    let checkpoint = Checkpoint::new(origin, size, state.bl_root).unwrap();
    let (key, public) = ed25519(log);
    let signature = key.sign(checkpoint.to_string().as_bytes()).to_bytes();
    let line = LogKey::new(origin, public).signature(&signature).to_string();
    let mut note = format!("{checkpoint}\n{line}");
    for seed in witnesses {
        let (key, public) = ed25519(*seed);
        let name = format!("w{seed}.example");
        let time = 1_700_000_000;
        let message = CosignedMessage { checkpoint, time }.to_string();
        let signature = key.sign(message.as_bytes()).to_bytes();
        let witness = WitnessKey::new(KeyName::new(&name).unwrap(), public);
        note += &witness.cosignature(time, &signature).unwrap().to_string();
    }
    let mut buffer = [0; 4096];
    let note = Note::parse(note.as_bytes()).unwrap();
    let checkpoint = Some(ReceiptCheckpoint::from_note(&note, &state, &mut buffer).unwrap());
    attach(bytes, |attached| encode(bytes, &Attached { checkpoint, ..attached }))
}
