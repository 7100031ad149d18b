//! Notes, checkpoints, cosignatures and proofs against the Go packages that logs and witnesses use
//! (`golang.org/x/mod/sumdb`, `github.com/transparency-dev/formats`): what the one makes the other
//! opens, and ours opens nothing that Go's refuses.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::slice::from_ref;

use counterfoil_core::checkpoint::{
    Checkpoint, CheckpointError, CosignedMessage, Group, KeyName, LogKey, LogPolicy, Member, Note,
    Quorum, TlogProof, TlogProofText, WitnessKey,
};
use counterfoil_core::{Alh, Ed25519Key, Frontier, Root, TreeSize};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

const ORIGIN: &str = "example.com/ledger";
const WITNESSES: [&str; 3] = ["w0.example", "w1.example/key", "wü.example"];

/// The Go side. It ends when its input does.
struct Go {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Go {
    fn start() -> Self {
        let binary = counterfoil_test_support::notes_binary().unwrap_or_else(|why| panic!("{why}"));
        let mut child = Command::new(&binary)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", binary.display()));
        let (to, from) = (child.stdin.take(), child.stdout.take().unwrap());
        Self { child, to, from: BufReader::new(from) }
    }

    /// The answer, or what Go has against it.
    fn ask(&mut self, request: &Value) -> Result<Value, String> {
        writeln!(self.to.as_mut().unwrap(), "{request}").unwrap();
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer),
        }
    }

    fn open(
        &mut self,
        note: &str,
        log: &str,
        witnesses: &[String],
        policy: &str,
    ) -> Result<Value, String> {
        self.ask(&json!({ "open": {
            "note": note, "log": log, "witnesses": witnesses, "policy": policy,
        }}))
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        self.to = None;
        let _ = self.child.wait();
    }
}

fn base64(bytes: &[u8]) -> String {
    // By the code under test: what Go makes of it is compared.
    let root: [u8; 32] = bytes.try_into().unwrap();
    let name = KeyName::new("x").unwrap();
    let text = Checkpoint::new(name, TreeSize::new(1), Root::new(root)).unwrap().to_string();
    text.lines().nth(2).unwrap().to_owned()
}

fn alhs(count: u8) -> Vec<Alh> {
    (0..count).map(|n| Alh::new([n.wrapping_mul(37); 32])).collect()
}

fn root(alhs: &[Alh]) -> Root {
    let mut frontier = Frontier::new();
    alhs.iter().for_each(|alh| frontier.push(alh.leaf_hash()).unwrap());
    frontier.root()
}

#[test]
fn what_go_signs_is_opened_here() {
    let mut go = Go::start();
    for size in [1_u8, 2, 3, 7, 8, 20] {
        let alhs = alhs(size);
        let leaves: Vec<_> = alhs.iter().map(|alh| base64(alh.as_bytes())).collect();
        let made = go
            .ask(&json!({ "make": { "origin": ORIGIN, "leaves": leaves, "witnesses": WITNESSES } }))
            .unwrap();
        let key = LogKey::parse(made["log"].as_str().unwrap()).unwrap();
        assert_eq!(key.to_string(), made["log"].as_str().unwrap());
        let texts: Vec<_> =
            made["witnesses"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        let witnesses: Vec<_> = texts.iter().map(|text| WitnessKey::parse(text).unwrap()).collect();
        for (witness, text) in witnesses.iter().zip(&texts) {
            assert_eq!(witness.to_string(), *text);
        }
        let members = [Member::Witness(0), Member::Witness(1), Member::Witness(2)];
        let groups = [Group { threshold: 3, members: &members }];
        let quorum = Quorum::new(&witnesses, &groups, Member::Group(0)).unwrap();
        let policy = LogPolicy::new(from_ref(&key)).unwrap().with_quorum(&quorum).unwrap();

        let note = made["note"].as_str().unwrap();
        let parsed = Note::parse(note.as_bytes()).unwrap();
        // The log, three witnesses, and one by ML-DSA-44, which is nobody's here.
        assert_eq!((parsed.signatures().count(), parsed.to_string()), (5, note.to_owned()));
        let trusted = policy.open(&parsed).unwrap();
        assert_eq!(trusted.checkpoint().size(), TreeSize::new(size.into()));
        assert_eq!(trusted.checkpoint().root(), root(&alhs));
        let seen = trusted.witnesses().unwrap();
        assert_eq!((seen.signed, seen.of), (3, 3));
        assert!(seen.oldest > 1_700_000_000 && seen.newest - seen.oldest < 60);

        let proofs = made["proofs"].as_array().unwrap();
        assert_eq!(proofs.len(), alhs.len());
        for (place, (proof, alh)) in proofs.iter().zip(&alhs).enumerate() {
            let text = proof.as_str().unwrap();
            let proof = TlogProof::parse(text.as_bytes()).unwrap();
            assert_eq!(proof.extra().is_some(), place % 2 == 1);
            let logged = policy.verify_proof(&proof, alh).unwrap();
            assert_eq!((logged.tx().get(), logged.alh()), (place as u64 + 1, *alh));
            let other = Alh::new([0xee; 32]);
            let refused = policy.verify_proof(&proof, &other);
            assert!(matches!(refused, Err(CheckpointError::Inclusion(_))));
            // What is read is written so.
            let mut buffer = [[0; 32]; TlogProof::MAX_PATH];
            let extra: &[u8] = if place % 2 == 1 { b"extra" } else { b"" };
            let path = proof.path(&mut buffer);
            let again = TlogProofText { extra, index: proof.index(), path, note: proof.note() };
            assert_eq!(again.to_string(), text);
        }
    }
}

/// A log and witnesses of this side.
struct Ours {
    log: SigningKey,
    witnesses: [SigningKey; 3],
}

impl Ours {
    fn new() -> Self {
        let key = |seed| SigningKey::from_bytes(&[seed; 32]);
        Self { log: key(1), witnesses: [key(2), key(3), key(4)] }
    }

    fn public(key: &SigningKey) -> Ed25519Key {
        Ed25519Key::from_bytes(key.verifying_key().as_bytes()).unwrap()
    }

    fn log_key(&self) -> LogKey<'static> {
        LogKey::new(KeyName::new(ORIGIN).unwrap(), Self::public(&self.log))
    }

    fn witness_keys(&self) -> [WitnessKey<'static>; 3] {
        [0, 1, 2].map(|place| {
            let name = KeyName::new(WITNESSES[place]).unwrap();
            WitnessKey::new(name, Self::public(&self.witnesses[place]))
        })
    }

    /// The note, signed by the log and these witnesses, each a second later than the one before.
    fn note(&self, checkpoint: &Checkpoint<'_>, witnesses: &[usize]) -> String {
        let signature = self.log.sign(checkpoint.to_string().as_bytes()).to_bytes();
        let mut note = format!("{checkpoint}\n{}", self.log_key().signature(&signature));
        for &place in witnesses {
            let time = 1_800_000_000 + place as u64;
            let message = CosignedMessage { checkpoint: *checkpoint, time }.to_string();
            let signature = self.witnesses[place].sign(message.as_bytes()).to_bytes();
            let line = self.witness_keys()[place].cosignature(time, &signature).unwrap();
            note.push_str(&line.to_string());
        }
        note
    }
}

#[test]
fn what_is_signed_here_go_opens() {
    let (mut go, ours) = (Go::start(), Ours::new());
    let (log, keys) = (ours.log_key().to_string(), ours.witness_keys());
    let vkeys = keys.map(|key| key.to_string());
    let urls = vkeys.each_ref().map(|key| format!("{key} https://w.example"));
    let policy = format!(
        "log {log}\nwitness a {}\nwitness b {}\nwitness c {}\ngroup ab 1 a b\ngroup whole 2 ab c\nquorum whole\n",
        urls[0], urls[1], urls[2]
    );
    let (ab, all) =
        ([Member::Witness(0), Member::Witness(1)], [Member::Group(0), Member::Witness(2)]);
    let groups = [Group { threshold: 1, members: &ab }, Group { threshold: 2, members: &all }];
    let quorum = Quorum::new(&keys, &groups, Member::Group(1)).unwrap();
    let key = ours.log_key();
    let here = LogPolicy::new(from_ref(&key)).unwrap().with_quorum(&quorum).unwrap();

    let alhs = alhs(13);
    let name = KeyName::new(ORIGIN).unwrap();
    let checkpoint = Checkpoint::new(name, TreeSize::new(13), root(&alhs)).unwrap();
    for set in 0..8_usize {
        let signed: Vec<_> = (0..3).filter(|place| set >> place & 1 == 1).collect();
        let note = ours.note(&checkpoint, &signed);
        let opened = go.open(&note, &log, &vkeys, &policy).unwrap();
        assert_eq!(opened["origin"], ORIGIN);
        assert_eq!(opened["size"], 13);
        assert_eq!(opened["hash"], base64(checkpoint.root().as_bytes()));
        let names: Vec<_> = opened["names"].as_array().unwrap().iter().collect();
        assert_eq!(names.len(), signed.len() + 1);
        let times: Vec<_> = signed.iter().map(|&place| json!(1_800_000_000 + place)).collect();
        let found = opened["times"].as_array().cloned().unwrap_or_default();
        assert_eq!(found, times);
        // Both say the same of the quorum.
        let trusted = here.open(&Note::parse(note.as_bytes()).unwrap());
        assert_eq!(opened["satisfied"].as_bool().unwrap(), trusted.is_ok(), "{set:03b}");
        if let Err(error) = trusted {
            let signed = signed.len() as u8;
            assert_eq!(error, CheckpointError::Quorum { signed, of: 3 });
        }
    }

    // The path of each transaction by Go's own tree, from a log that it made of the same leaves.
    let leaves: Vec<_> = alhs.iter().map(|alh| base64(alh.as_bytes())).collect();
    let made = go
        .ask(&json!({ "make": { "origin": ORIGIN, "leaves": leaves, "witnesses": [] } }))
        .unwrap();
    let note = ours.note(&checkpoint, &[0, 2]);
    for (place, alh) in alhs.iter().enumerate() {
        let theirs = made["proofs"][place].as_str().unwrap();
        let theirs = TlogProof::parse(theirs.as_bytes()).unwrap();
        let mut buffer = [[0; 32]; TlogProof::MAX_PATH];
        let text = TlogProofText {
            extra: b"",
            index: theirs.index(),
            path: theirs.path(&mut buffer),
            note: Note::parse(note.as_bytes()).unwrap(),
        }
        .to_string();
        assert!(here.verify_proof(&TlogProof::parse(text.as_bytes()).unwrap(), alh).is_ok());
        let leaf = base64(alh.as_bytes());
        let request = json!({ "proof": { "text": text, "log": log, "leaf": leaf } });
        let held = go.ask(&request).unwrap();
        assert_eq!(
            (held["index"].as_u64(), held["text"].as_str()),
            (Some(place as u64), Some(&*text))
        );
        let other = base64(&[0xee; 32]);
        let request = json!({ "proof": { "text": text, "log": log, "leaf": other } });
        assert!(go.ask(&request).is_err());
    }
}

/// Every byte of a note changed in three ways: ours opens none of them that Go's does not.
#[test]
fn nothing_is_opened_here_that_go_refuses() {
    let (mut go, ours) = (Go::start(), Ours::new());
    let name = KeyName::new(ORIGIN).unwrap();
    let checkpoint = Checkpoint::new(name, TreeSize::new(13), Root::new([7; 32])).unwrap();
    let (log, keys) = (ours.log_key(), ours.witness_keys());
    let vkeys = keys.map(|key| key.to_string());
    let quorum = Quorum::new(&keys, &[], Member::Witness(0)).unwrap();
    let here = LogPolicy::new(from_ref(&log)).unwrap();
    let with_quorum = here.with_quorum(&quorum).unwrap();
    let note = ours.note(&checkpoint, &[0, 1]);
    let (mut opened, mut stricter) = (0, 0);
    let texts = (0..note.len()).flat_map(|at| {
        let with = |new: &[u8]| {
            String::from_utf8([&note.as_bytes()[..at], new, &note.as_bytes()[at + 1..]].concat())
        };
        let byte = note.as_bytes()[at];
        [with(&[]), with(&[byte, byte]), with(&[byte ^ 1]), with(&[byte ^ 0x20]), with(b"\n")]
    });
    for text in texts.flatten().chain([note.clone()]) {
        let ours = |policy: &LogPolicy<'_>| {
            let parsed = Note::parse(text.as_bytes()).map_err(CheckpointError::from)?;
            policy.open(&parsed).map(|trusted| trusted.checkpoint().size())
        };
        // With all the keys known to both. Our quorum asks for one of them.
        let theirs = go.open(&text, &log.to_string(), &vkeys, "");
        let theirs_alone = go.open(&text, &log.to_string(), &[], "");
        assert!(ours(&with_quorum).is_err() || theirs.is_ok(), "{text}");
        assert!(ours(&here).is_err() || theirs_alone.is_ok(), "{text}");
        opened += u32::from(ours(&here).is_ok());
        if let (Err(error), Ok(_)) = (ours(&here), theirs_alone) {
            // What Go reads and ours does not has another form than the one.
            assert!(matches!(error, CheckpointError::Form(_)), "{error}: {text}");
            stricter += 1;
        }
    }
    // Lines of unknown keys may say anything, for both.
    assert!(opened > 100 && stricter > 0, "{opened} {stricter}");
}
