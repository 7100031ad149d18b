//! Notes, checkpoints, keys and proofs: writing gives the same text, and what a policy opens is what its
//! keys signed.
#![no_main]

use std::slice::from_ref;
use std::sync::LazyLock;

use counterfoil_core::Alh;
use counterfoil_core::checkpoint::{
    Checkpoint, Group, LogKey, LogPolicy, Member, Note, Quorum, TlogProof, TlogProofText,
    WitnessKey,
};
use counterfoil_fuzz::texts;
use libfuzzer_sys::fuzz_target;

/// The checkpoint of `docs/receipt.md`, and the keys that it names.
struct Honest {
    log: LogKey<'static>,
    witnesses: Vec<WitnessKey<'static>>,
    checkpoint: Checkpoint<'static>,
}

static HONEST: LazyLock<Honest> = LazyLock::new(|| {
    let [keys, note] = texts();
    let (log, witnesses) = keys.split_once('\n').expect("keys");
    let note = Note::parse(note.as_bytes()).expect("a note");
    Honest {
        log: LogKey::parse(log).expect("a key"),
        witnesses: witnesses.lines().map(|key| WitnessKey::parse(key).expect("a key")).collect(),
        checkpoint: Checkpoint::parse(note.text()).expect("a checkpoint"),
    }
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        keys(text);
        if let Ok(checkpoint) = Checkpoint::parse(text) {
            assert_eq!(checkpoint.to_string(), text);
        }
    }
    if let Ok(note) = Note::parse(bytes) {
        check(&note, bytes);
    }
    if let Ok(proof) = TlogProof::parse(bytes) {
        check_proof(&proof, bytes);
    }
});

fn keys(text: &str) {
    let log = LogKey::parse(text).map(|key| key.to_string());
    let witness = WitnessKey::parse(text).map(|key| key.to_string());
    assert!(log.is_err() || witness.is_err());
    assert!(log.or(witness).is_ok_and(|key| key == text) || LogKey::parse(text).is_err());
}

fn check(note: &Note<'_>, bytes: &[u8]) {
    assert_eq!(note.to_string().as_bytes(), bytes);
    let lines: String = note.signatures().map(|signature| signature.to_string()).collect();
    assert_eq!(format!("{}\n{lines}", note.text()).as_bytes(), bytes);
    for signature in note.signatures() {
        assert!(signature.as_plain().is_none() || signature.as_cosignature().is_none());
    }
    let honest = &*HONEST;
    let members = [Member::Witness(0), Member::Witness(1), Member::Witness(2)];
    let groups = [Group { threshold: 2, members: &members }];
    let quorum = Quorum::new(&honest.witnesses, &groups, Member::Group(0)).expect("a quorum");
    let alone = LogPolicy::new(from_ref(&honest.log)).expect("a log");
    let policy = alone.with_quorum(&quorum).expect("other keys");
    if let Ok(trusted) = alone.open(note) {
        assert_eq!(trusted.checkpoint(), honest.checkpoint);
    }
    if let Ok(trusted) = policy.open(note) {
        let seen = trusted.witnesses().expect("a quorum");
        assert_eq!(trusted.checkpoint(), honest.checkpoint);
        assert_eq!(
            (seen.signed, seen.of, seen.oldest, seen.newest),
            (2, 3, 1_700_000_100, 1_700_000_200)
        );
    }
}

fn check_proof(proof: &TlogProof<'_>, bytes: &[u8]) {
    let mut buffer = [[0; 32]; TlogProof::MAX_PATH];
    let path = proof.path(&mut buffer);
    let text = TlogProofText { extra: b"", index: proof.index(), path, note: proof.note() };
    let (head, rest) =
        std::str::from_utf8(bytes).expect("a proof").split_once('\n').expect("lines");
    let rest = match proof.extra() {
        Some(extra) => rest.strip_prefix(&format!("extra {extra}\n")).expect("its line"),
        None => rest,
    };
    assert_eq!(text.to_string(), format!("{head}\n{rest}"));
    assert_eq!(Checkpoint::parse(proof.note().text()), Ok(proof.checkpoint()));
    // Of no leaf that these bytes could name is the hash known.
    let alone = LogPolicy::new(from_ref(&HONEST.log)).expect("a log");
    assert!(alone.verify_proof(proof, &Alh::ZERO).is_err());
}
