//! A log and witnesses whose keys the tests hold.
#![allow(dead_code)] // no test needs all of it

use counterfoil_core::checkpoint::{
    Checkpoint, CosignedMessage, KeyName, LogKey, NoteSignature, WitnessKey,
};
use counterfoil_core::{Ed25519Key, LeafHash, Root, TreeSize, node_hash};
use ed25519_dalek::{Signer as _, SigningKey};

pub(crate) const ORIGIN: &str = "example.com/ledger";

pub(crate) fn name(text: &str) -> KeyName<'_> {
    KeyName::new(text).unwrap()
}

pub(crate) fn signer(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn public(signer: &SigningKey) -> Ed25519Key {
    Ed25519Key::from_bytes(signer.verifying_key().as_bytes()).unwrap()
}

/// The key of the log, or of another that is called the same.
pub(crate) fn log(seed: u8) -> LogKey<'static> {
    LogKey::new(name(ORIGIN), public(&signer(seed)))
}

pub(crate) const WITNESSES: [&str; 5] =
    ["w0.example", "w1.example", "w2.example", "w3.example", "w4.example"];

pub(crate) fn witness(place: u8) -> WitnessKey<'static> {
    WitnessKey::new(name(WITNESSES[usize::from(place)]), public(&signer(100 + place)))
}

/// The line of the log's signature.
pub(crate) fn sign(checkpoint: &Checkpoint<'_>, seed: u8) -> String {
    let signature = signer(seed).sign(checkpoint.to_string().as_bytes()).to_bytes();
    log(seed).signature(&signature).to_string()
}

/// The line of a witness's signature.
pub(crate) fn cosign(checkpoint: &Checkpoint<'_>, place: u8, time: u64) -> String {
    let signature = cosign_bytes(checkpoint, place, time);
    witness(place).cosignature(time, &signature).unwrap().to_string()
}

pub(crate) fn cosign_bytes(checkpoint: &Checkpoint<'_>, place: u8, time: u64) -> [u8; 64] {
    let message = CosignedMessage { checkpoint: *checkpoint, time };
    signer(100 + place).sign(message.to_string().as_bytes()).to_bytes()
}

pub(crate) fn note(checkpoint: &Checkpoint<'_>, lines: &[String]) -> String {
    format!("{checkpoint}\n{}", lines.concat())
}

/// The root over these leaves, as RFC 6962 §2.1 says it.
pub(crate) fn root(leaves: &[LeafHash]) -> Root {
    match leaves {
        [] => Root::EMPTY,
        [leaf] => Root::new(leaf.to_bytes()),
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            Root::new(node_hash(root(left).as_bytes(), root(right).as_bytes()))
        }
    }
}

/// The path of a leaf, as RFC 6962 §2.1.1 says it.
pub(crate) fn path(index: usize, leaves: &[LeafHash]) -> Vec<[u8; 32]> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, sibling) = if index < left.len() {
        (path(index, left), right)
    } else {
        (path(index - left.len(), right), left)
    };
    path.push(root(sibling).to_bytes());
    path
}

pub(crate) fn checkpoint(size: u64, root: Root) -> Checkpoint<'static> {
    Checkpoint::new(name(ORIGIN), TreeSize::new(size), root).unwrap()
}

/// A line as a reader of notes has it.
pub(crate) fn line(text: &str) -> NoteSignature<'_> {
    NoteSignature::parse(text.strip_suffix('\n').unwrap()).unwrap()
}
