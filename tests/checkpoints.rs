//! Checkpoints of a ledger's log: one history is signed, whatever happens.

mod checkpoint;
#[path = "checkpoint/cosigning.rs"]
mod cosigning;
#[path = "checkpoint/crash.rs"]
mod crash;
#[path = "disk/mod.rs"]
#[cfg(target_os = "linux")]
#[expect(dead_code, reason = "only whole disks fail here, no single bytes")]
mod disk;
#[path = "checkpoint/purposes.rs"]
mod purposes;

use std::path::PathBuf;

use checkpoint::{Log, ORIGIN, grow, ledger, open};
use counterfoil::checkpoint::{CheckpointRefusal, LogSigner, SignedCheckpoint, default_origin};
use counterfoil::core::checkpoint::{LogKey, LogPolicy, TlogProof};
use counterfoil::core::{Ed25519Key, TreeSize, TxId, verify_consistency};
use counterfoil::{Ed25519Signer, Error, EventStore, SigningFailed, Verdict};
use counterfoil_test_support::go_tool;

pub(crate) fn size(size: u64) -> Option<TreeSize> {
    Some(TreeSize::new(size))
}

#[track_caller]
pub(crate) fn refusal(refused: Error) -> CheckpointRefusal {
    match refused {
        Error::Checkpoint(why) => *why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_log_grows_from_checkpoint_to_checkpoint() {
    let (store, log) = (ledger(1).await, Log::new());
    let key = log.signer.verifier_key();
    for to in [1, 2, 3, 4, 7, 8, 9, 16, 33] {
        grow(&store, to).await;
        let signed = store.sign_checkpoint(&log.signer, None).await.unwrap();
        let tree = store.log_tree(None).await.unwrap();
        assert_eq!(open(&signed, &key), (to, tree.root.to_bytes()));
        assert_eq!(log.last_text(), signed.note().text(), "what was signed last is written down");
        // Signed again, it is the same.
        assert_eq!(store.sign_checkpoint(&log.signer, size(to)).await.unwrap(), signed);
        // And Go's packages read it.
        let read = go_tool(&["open", &key], signed.as_str().as_bytes()).unwrap();
        let root = hex::encode(tree.root.as_bytes());
        assert_eq!(read, format!("{ORIGIN}\n{to}\n{root}\n{ORIGIN}\n"));
    }
    // The root is what the next header commits to.
    let tree = store.log_tree(size(32)).await.unwrap();
    let proof = store.get_proof_at_tx(TxId::new(33)).await.unwrap();
    assert_eq!(proof.header.bl_root, tree.root);
}

#[tokio::test]
async fn an_older_checkpoint_is_not_signed_any_more() {
    let (store, log) = (ledger(9).await, Log::new());
    store.sign_checkpoint(&log.signer, size(5)).await.unwrap();
    for smaller in 1..5 {
        let refused = store.sign_checkpoint(&log.signer, size(smaller)).await.unwrap_err();
        let (last, asked) = (TreeSize::new(5), TreeSize::new(smaller));
        assert_eq!(refusal(refused), CheckpointRefusal::Smaller { last, asked });
    }
    let empty = store.sign_checkpoint(&log.signer, size(0)).await.unwrap_err();
    assert_eq!(refusal(empty), CheckpointRefusal::Empty);
    let beyond = store.sign_checkpoint(&log.signer, size(10)).await.unwrap_err();
    assert!(matches!(beyond, Error::BeyondState { .. }), "{beyond}");
    assert_eq!(
        open(&store.sign_checkpoint(&log.signer, None).await.unwrap(), &log.signer.verifier_key())
            .0,
        9
    );
}

/// Whether the other history is longer, as long or shorter.
#[tokio::test]
async fn no_second_history_is_signed() {
    for (signed, other) in [(4, 9), (4, 5), (4, 4), (8, 9), (5, 64), (9, 4)] {
        let (one, two, log) = (ledger(signed).await, ledger(other).await, Log::new());
        one.sign_checkpoint(&log.signer, None).await.unwrap();
        let before = log.last_text();
        let refused = two.sign_checkpoint(&log.signer, None).await.unwrap_err();
        match refused {
            Error::Ledger(verdict) if other >= signed => {
                let Verdict::OtherTree { size, signed: theirs, found } = *verdict else {
                    panic!("{verdict}")
                };
                assert_eq!(size, signed);
                assert_eq!(theirs, one.log_tree(None).await.unwrap().root);
                assert_eq!(found, two.log_tree(Some(TreeSize::new(signed))).await.unwrap().root);
            }
            refused => {
                let why = refusal(refused);
                assert!(
                    matches!(why, CheckpointRefusal::Smaller { .. }),
                    "{signed} {other}: {why}"
                );
            }
        }
        assert_eq!(log.last_text(), before);
    }
}

/// Every byte of the file that is changed or gone: nothing is signed that contradicts what was.
#[tokio::test]
async fn a_damaged_memory_signs_nothing() {
    let (store, log) = (ledger(9).await, Log::new());
    store.sign_checkpoint(&log.signer, size(7)).await.unwrap();
    let whole = std::fs::read(log.last()).unwrap();
    let at = |content: Vec<u8>| {
        std::fs::write(log.last(), content).unwrap();
        store.sign_checkpoint(&log.signer, None)
    };
    for place in 0..whole.len() {
        at(whole[..place].to_vec()).await.unwrap_err();
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << bit;
            at(flipped).await.unwrap_err();
        }
    }
    for more in ["\n", "x\n", " "] {
        let refused = at([&whole, more.as_bytes()].concat()).await.unwrap_err();
        let refused = refusal(refused);
        assert!(matches!(refused, CheckpointRefusal::Damaged { .. }), "{refused}");
    }
    at(whole.clone()).await.unwrap();

    std::fs::remove_file(log.last()).unwrap();
    let refused = store.sign_checkpoint(&log.signer, None).await.unwrap_err();
    assert_eq!(refusal(refused), CheckpointRefusal::NotBegun { path: log.last() });
    assert!(!log.last().exists(), "it is not made on the way");
    // Another log's, and a beginning over what is there.
    LogSigner::begin(&log.last(), "example.com/other").unwrap();
    let refused = refusal(store.sign_checkpoint(&log.signer, None).await.unwrap_err());
    assert!(matches!(refused, CheckpointRefusal::OtherOrigin { .. }), "{refused}");
    let again = refusal(LogSigner::begin(&log.last(), ORIGIN).unwrap_err());
    assert!(matches!(again, CheckpointRefusal::OtherOrigin { .. }), "{again}");
    std::fs::write(log.last(), &whole).unwrap();
    let again = refusal(LogSigner::begin(&log.last(), ORIGIN).unwrap_err());
    assert!(matches!(again, CheckpointRefusal::Begun { .. }), "{again}");
    assert_eq!(std::fs::read(log.last()).unwrap(), whole);
}

/// A key that looks at the signer's memory when it is asked to sign.
struct Watching {
    key: std::sync::Arc<counterfoil::SigningKeyFile>,
    last: PathBuf,
    fails: bool,
}

impl Ed25519Signer for Watching {
    fn public_key(&self) -> Ed25519Key {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SigningFailed> {
        assert_eq!(std::fs::read(&self.last).unwrap(), message, "written down before it is signed");
        // Nobody else can sign meanwhile.
        let lock = std::fs::File::open(self.last.with_file_name("last.lock")).unwrap();
        assert!(lock.try_lock().is_err(), "it is locked");
        match self.fails {
            true => Err(SigningFailed::new("no card in the reader")),
            false => self.key.sign(message),
        }
    }
}

#[tokio::test]
async fn it_is_written_down_before_it_is_signed() {
    let (store, log) = (ledger(3).await, Log::new());
    let watching = |fails| log.with_key(Watching { key: log.key.clone(), last: log.last(), fails });
    store.sign_checkpoint(&watching(false), size(2)).await.unwrap();
    let failed = store.sign_checkpoint(&watching(true), size(3)).await.unwrap_err();
    assert!(matches!(&failed, Error::Signing(_)), "{failed}");
    assert!(failed.to_string().contains("no card in the reader"), "{failed}");
    // Nobody has that one; it counts as signed all the same.
    let refused = store.sign_checkpoint(&log.signer, size(2)).await.unwrap_err();
    assert!(matches!(refusal(refused), CheckpointRefusal::Smaller { .. }));
    store.sign_checkpoint(&watching(false), size(3)).await.unwrap();
}

#[tokio::test]
async fn two_signers_wait_for_each_other() {
    let (store, log) = (ledger(3).await, Log::new());
    let lock = std::fs::File::create(log.folder.join("last.lock")).unwrap();
    lock.lock().unwrap();
    let refused = store.sign_checkpoint(&log.signer, None).await.unwrap_err();
    assert!(refused.to_string().contains("in use"), "{refused}");
    lock.unlock().unwrap();
    // Many at once: each gets the one checkpoint, or is told to come again.
    let all = (0..32).map(|_| {
        let (store, signer) = (store.clone(), log.signer.clone());
        tokio::spawn(async move { store.sign_checkpoint(&signer, None).await })
    });
    let mut signed = Vec::new();
    for one in all.collect::<Vec<_>>() {
        match one.await.unwrap() {
            Ok(one) => signed.push(one),
            Err(error) => assert!(error.to_string().contains("in use"), "{error}"),
        }
    }
    assert!(!signed.is_empty());
    assert!(signed.iter().all(|one| *one == signed[0]));
}

#[tokio::test]
async fn every_consistency_proof_verifies() {
    let store = ledger(70).await;
    let mut roots = vec![counterfoil::Root::EMPTY];
    for at in 1..=70 {
        roots.push(store.log_tree(size(at)).await.unwrap().root);
    }
    for new in 1..=70_u64 {
        let (new_size, new_root) = (TreeSize::new(new), &roots[new as usize]);
        assert_eq!(store.log_consistency(TreeSize::new(0), new_size).await.unwrap(), [[0; 32]; 0]);
        for old in 1..=new {
            let old_size = TreeSize::new(old);
            let path = store.log_consistency(old_size, new_size).await.unwrap();
            verify_consistency(old_size, &roots[old as usize], new_size, new_root, &path).unwrap();
        }
    }
    let reversed = store.log_consistency(TreeSize::new(5), TreeSize::new(4)).await.unwrap_err();
    assert!(matches!(reversed, Error::Invalid(_)), "{reversed}");
    let beyond = store.log_consistency(TreeSize::new(5), TreeSize::new(71)).await.unwrap_err();
    assert!(matches!(beyond, Error::BeyondState { .. }), "{beyond}");
}

#[tokio::test]
async fn a_transaction_is_proved_to_be_in_the_log() {
    let (store, log) = (ledger(13).await, Log::new());
    let key = log.signer.verifier_key();
    let signed = store.sign_checkpoint(&log.signer, size(11)).await.unwrap();
    let logs = [LogKey::parse(&key).unwrap()];
    let policy = LogPolicy::new(&logs).unwrap();
    for tx in 1..=11 {
        let proof = store.tlog_proof(TxId::new(tx), &signed).await.unwrap();
        let parsed = TlogProof::parse(proof.text.as_bytes()).unwrap();
        let logged = policy.verify_proof(&parsed, &proof.alh).unwrap();
        assert_eq!((logged.tx().get(), logged.size().get()), (tx, 11));
        let entry = hex::encode(proof.alh.as_bytes());
        let go = go_tool(&["prove", &key, &entry], proof.text.as_bytes()).unwrap();
        assert_eq!(go, format!("{}\n11\n", tx - 1));
        // Of another transaction neither believes it.
        let other = store.tlog_proof(TxId::new(tx % 11 + 1), &signed).await.unwrap().alh;
        policy.verify_proof(&parsed, &other).unwrap_err();
        let entry = hex::encode(other.as_bytes());
        go_tool(&["prove", &key, &entry], proof.text.as_bytes()).unwrap_err();
    }
    for tx in [0, 12, 13, 14, u64::MAX] {
        let refused = refusal(store.tlog_proof(TxId::new(tx), &signed).await.unwrap_err());
        assert!(matches!(refused, CheckpointRefusal::NotInTree { .. }), "{tx}: {refused}");
    }
    let other = ledger(13).await;
    let refused = other.tlog_proof(TxId::new(3), &signed).await.unwrap_err();
    assert!(matches!(refused.verdict(), Some(Verdict::OtherTree { size: 11, .. })), "{refused}");
}

#[tokio::test]
async fn names_and_texts_that_are_none_are_refused() {
    let store = EventStore::in_memory().await.unwrap();
    let log = Log::new();
    for name in ["", "a b", "a+b", "a\nb", &"x".repeat(256)] {
        let key = log.key.clone();
        let refused = LogSigner::new(name, key, log.last()).unwrap_err();
        assert!(matches!(refused, Error::Invalid(_)), "{refused}");
        let refused = LogSigner::begin(&log.folder.join("new"), name).unwrap_err();
        assert!(matches!(refused, Error::Invalid(_)), "{refused}");
    }
    let ledger = store.ledger_id().await.unwrap();
    let origin = default_origin(ledger);
    assert_eq!(origin, format!("counterfoil/{ledger}"));
    LogSigner::begin(&log.folder.join("new"), &origin).unwrap();

    let signed = store.sign_checkpoint(&log.signer, None).await.unwrap();
    let whole = signed.as_str().as_bytes();
    for end in 0..whole.len() {
        SignedCheckpoint::parse(whole[..end].to_vec()).unwrap_err();
    }
    assert_eq!(SignedCheckpoint::parse(whole.to_vec()).unwrap(), signed);
}
