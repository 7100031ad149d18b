//! A witness of one's own.

use std::sync::Arc;

use counterfoil::checkpoint::{AddCheckpoint, CheckpointRefusal, Cosigner, SignedCheckpoint};
use counterfoil::core::TreeSize;
use counterfoil::core::checkpoint::{LogKey, LogPolicy, Member, Quorum, WitnessKey};
use counterfoil::{Clock, Error, EventStore, SigningKeyFile, Verdict};
use counterfoil_test_support::{TempDir, go_tool, temp_dir};

use crate::checkpoint::{Log, ORIGIN, ledger, open};
use crate::{refusal, size};

#[derive(Clone, Copy)]
struct At(i64);

impl Clock for At {
    fn now_micros(&self) -> i64 {
        self.0 * 1_000_000
    }
}

fn witness() -> (TempDir, Cosigner) {
    let folder = temp_dir("cosigner");
    let key = Arc::new(SigningKeyFile::generate(&folder.join("key"), "witness.example").unwrap());
    let cosigner = Cosigner::new("witness.example", key, folder.path()).unwrap();
    (folder, cosigner.with_clock(At(1_700_000_000)))
}

async fn request(store: &EventStore, signed: &SignedCheckpoint, old: u64) -> AddCheckpoint {
    let old = TreeSize::new(old);
    let proof = store.log_consistency(old, signed.checkpoint().size()).await.unwrap();
    AddCheckpoint { old, proof, checkpoint: signed.clone() }
}

#[tokio::test]
async fn a_log_that_only_grows_is_cosigned() {
    let (store, log) = (ledger(40).await, Log::new());
    let log_key = log.signer.verifier_key();
    let (_folder, cosigner) = witness();
    cosigner.begin(ORIGIN).unwrap();
    let mut old = 0;
    for to in [1, 2, 4, 4, 5, 8, 21, 32, 40] {
        let signed = store.sign_checkpoint(&log.signer, size(to)).await.unwrap();
        let logs = [LogKey::parse(&log_key).unwrap()];
        let request = request(&store, &signed, old).await;
        // As it is sent, it is read.
        assert_eq!(AddCheckpoint::parse(request.to_string().as_bytes()).unwrap(), request);
        let cosigned = cosigner.cosign(&logs[0], &request).unwrap();
        assert_eq!(cosigner.last(ORIGIN).unwrap(), TreeSize::new(to));
        assert_eq!(cosigned.time, 1_700_000_000);
        let key = cosigner.verifier_key();
        let witnesses = [WitnessKey::parse(&key).unwrap()];
        let quorum = Quorum::new(&witnesses, &[], Member::Witness(0)).unwrap();
        let policy = LogPolicy::new(&logs).unwrap().with_quorum(&quorum).unwrap();
        policy.open(&signed.note()).unwrap_err();
        let note = cosigned.checkpoint.note();
        let trusted = policy.open(&note).unwrap();
        assert_eq!(trusted.witnesses().unwrap().newest, 1_700_000_000);
        let go = go_tool(&["open", &log_key, &key], cosigned.checkpoint.as_str().as_bytes());
        assert!(go.unwrap().ends_with(&format!("{ORIGIN} witness.example\n")));
        // Once more, by the store that has the log itself: there is one signature of this witness.
        let again =
            store.cosign_checkpoint(&cosigner, &logs[0], &cosigned.checkpoint).await.unwrap();
        assert_eq!(again.checkpoint, cosigned.checkpoint);
        old = to;
    }
}

#[tokio::test]
async fn nothing_else_is_cosigned() {
    let (store, log) = (ledger(20).await, Log::new());
    let log_key = log.signer.verifier_key();
    let key = LogKey::parse(&log_key).unwrap();
    let at = async |to| store.sign_checkpoint(&log.signer, size(to)).await.unwrap();
    let (six, eight, twenty) = (at(6).await, at(8).await, at(20).await);
    let (folder, cosigner) = witness();
    let refused = |request: &AddCheckpoint| cosigner.cosign(&key, request).unwrap_err();

    let first = request(&store, &eight, 0).await;
    let not_begun = refusal(refused(&first));
    assert!(matches!(not_begun, CheckpointRefusal::NotBegun { .. }), "{not_begun}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the key alone");
    cosigner.begin(ORIGIN).unwrap();
    cosigner.begin(ORIGIN).unwrap();
    let surplus = AddCheckpoint { proof: vec![[7; 32]], ..first.clone() };
    assert!(matches!(refused(&surplus).verdict(), Some(Verdict::BadProof { .. })));
    cosigner.cosign(&key, &first).unwrap();
    let kept = std::fs::read(cosigner.file(ORIGIN)).unwrap();
    let begun = refusal(cosigner.begin(ORIGIN).unwrap_err());
    assert!(matches!(begun, CheckpointRefusal::Begun { .. }), "{begun}");

    // Another old size than the last, a smaller tree, and no proof, too short, too long or wrong ones.
    let (old, last) = (TreeSize::new(6), TreeSize::new(8));
    let stale = request(&store, &twenty, 6).await;
    assert_eq!(refusal(refused(&stale)), CheckpointRefusal::Stale { old, last });
    let smaller = AddCheckpoint { old: last, proof: vec![], checkpoint: six };
    assert!(matches!(refusal(refused(&smaller)), CheckpointRefusal::Smaller { .. }));
    let right = request(&store, &twenty, 8).await;
    for end in 0..right.proof.len() {
        let proof = right.proof[..end].to_vec();
        let short = AddCheckpoint { proof, ..right.clone() };
        assert!(matches!(refused(&short).verdict(), Some(Verdict::BadProof { .. })));
        for byte in 0..32 {
            let mut wrong = right.clone();
            wrong.proof[end][byte] ^= 1;
            assert!(matches!(refused(&wrong).verdict(), Some(Verdict::BadProof { .. })));
        }
    }
    let mut long = right.clone();
    long.proof.push([0; 32]);
    assert!(matches!(refused(&long).verdict(), Some(Verdict::BadProof { .. })));

    // Another history by the same key, as large and larger.
    let other = ledger(20).await;
    let forked = Log::new();
    let forked_signer =
        counterfoil::checkpoint::LogSigner::new(ORIGIN, log.key.clone(), forked.last());
    let forked_signer = forked_signer.unwrap();
    let fork = other.sign_checkpoint(&forked_signer, size(8)).await.unwrap();
    assert_eq!(open(&fork, &log_key).0, 8, "its key signed it");
    let same_size = AddCheckpoint { old: last, proof: vec![], checkpoint: fork };
    let Error::Ledger(verdict) = refused(&same_size) else { panic!() };
    assert!(matches!(*verdict, Verdict::OtherTree { size: 8, .. }), "{verdict}");
    let fork = other.sign_checkpoint(&forked_signer, None).await.unwrap();
    let larger = request(&other, &fork, 8).await;
    assert!(matches!(refused(&larger).verdict(), Some(Verdict::BadProof { .. })));

    // Not signed by the log, or another log.
    let stranger = Log::new();
    let strange_key = stranger.signer.verifier_key();
    let strange = LogKey::parse(&strange_key).unwrap();
    let unsigned = cosigner.cosign(&strange, &right).unwrap_err();
    assert!(unsigned.to_string().contains("no known log has signed"), "{unsigned}");
    let elsewhere = LogKey::new(
        counterfoil::core::checkpoint::KeyName::new("example.com/other").unwrap(),
        *key.key(),
    );
    let other_log = refusal(cosigner.cosign(&elsewhere, &right).unwrap_err());
    assert!(matches!(other_log, CheckpointRefusal::OtherOrigin { .. }), "{other_log}");

    // A clock that cannot be right.
    let broken = cosigner.clone().with_clock(At(-5));
    assert_eq!(refusal(broken.cosign(&key, &right).unwrap_err()), CheckpointRefusal::Clock);

    assert_eq!(std::fs::read(cosigner.file(ORIGIN)).unwrap(), kept, "none of them left a trace");
    cosigner.cosign(&key, &right).unwrap();
    drop(folder);
}

/// A witness that has the ledger itself holds a checkpoint to it.
#[tokio::test]
async fn who_has_the_ledger_needs_no_proof() {
    let (store, log) = (ledger(9).await, Log::new());
    let signed = store.sign_checkpoint(&log.signer, None).await.unwrap();
    let log_key = log.signer.verifier_key();
    let key = LogKey::parse(&log_key).unwrap();
    let (_folder, cosigner) = witness();
    cosigner.begin(ORIGIN).unwrap();
    let other = ledger(9).await;
    let refused = other.cosign_checkpoint(&cosigner, &key, &signed).await.unwrap_err();
    assert!(matches!(refused.verdict(), Some(Verdict::OtherTree { size: 9, .. })), "{refused}");
    let shorter = ledger(3).await;
    let refused = shorter.cosign_checkpoint(&cosigner, &key, &signed).await.unwrap_err();
    assert!(matches!(refused, Error::BeyondState { .. }), "{refused}");
    assert_eq!(cosigner.last(ORIGIN).unwrap(), TreeSize::new(0));
    store.cosign_checkpoint(&cosigner, &key, &signed).await.unwrap();
    assert_eq!(cosigner.last(ORIGIN).unwrap(), TreeSize::new(9));
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let (store, log) = (ledger(20).await, Log::new());
    let signed = store.sign_checkpoint(&log.signer, None).await.unwrap();
    let text = request(&store, &signed, 7).await.to_string();
    for end in 0..text.len() {
        AddCheckpoint::parse(&text.as_bytes()[..end]).unwrap_err();
    }
    let (first, rest) = text.split_once('\n').unwrap();
    assert_eq!(first, "old 7");
    for wrong in ["old 07", "old +7", "old  7", "old 7 ", "Old 7", "old -1", "old", "old 7\r", ""] {
        let refused = AddCheckpoint::parse(format!("{wrong}\n{rest}").as_bytes()).unwrap_err();
        assert!(matches!(refused, CheckpointRefusal::Request(_)), "{wrong:?}: {refused}");
    }
    let hash = format!("{}\n", rest.lines().next().unwrap());
    let many = |count| format!("old 7\n{}\n{signed}", hash.repeat(count));
    AddCheckpoint::parse(many(63).as_bytes()).unwrap();
    AddCheckpoint::parse(many(64).as_bytes()).unwrap_err();
    let short = text.replacen(&hash, &format!("{}\n", &hash[4..hash.len() - 1]), 1);
    AddCheckpoint::parse(short.as_bytes()).unwrap_err();
}
