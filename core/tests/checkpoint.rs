//! A checkpoint is trusted by its log's signature and a quorum of witnesses, and by nothing less.

mod log;

use std::slice::from_ref;

use counterfoil_core::checkpoint::{
    Checkpoint, CheckpointError, Group, LogKey, LogPolicy, Member, Note, Quorum, QuorumError,
    TlogProof, TlogProofText, WitnessKey,
};
use counterfoil_core::{Alh, LeafHash, Root, TreeError, TreeSize, TxId};
use ed25519_dalek::Signer as _;
use log::*;

fn some_checkpoint() -> Checkpoint<'static> {
    checkpoint(8, Root::new([7; 32]))
}

fn open(policy: &LogPolicy<'_>, note: &str) -> Result<(u8, u8), CheckpointError> {
    let trusted = policy.open(&Note::parse(note.as_bytes()).unwrap())?;
    Ok(trusted.witnesses().map_or((0, 0), |witnesses| (witnesses.signed, witnesses.of)))
}

#[test]
fn the_logs_signature_is_enough_where_no_quorum_is_asked_for() {
    let (checkpoint, key) = (some_checkpoint(), log(1));
    let policy = LogPolicy::new(from_ref(&key)).unwrap();
    let signed = note(&checkpoint, &[sign(&checkpoint, 1)]);
    let parsed = Note::parse(signed.as_bytes()).unwrap();
    let trusted = policy.open(&parsed).unwrap();
    assert_eq!((trusted.checkpoint(), trusted.witnesses()), (checkpoint, None));

    // Another key that calls itself the same is unknown.
    let other = note(&checkpoint, &[sign(&checkpoint, 2)]);
    assert_eq!(open(&policy, &other), Err(CheckpointError::NoLogSignature));
    // And disturbs nobody.
    let both = note(&checkpoint, &[sign(&checkpoint, 2), sign(&checkpoint, 1)]);
    assert_eq!(open(&policy, &both), Ok((0, 0)));
    // A wrong line of the known one refuses the note, also behind a right one.
    let wrong = sign(&log::checkpoint(9, Root::new([7; 32])), 1);
    let both = note(&checkpoint, &[sign(&checkpoint, 1), wrong]);
    assert_eq!(open(&policy, &both), Err(CheckpointError::Signature { index: 1 }));
}

#[test]
fn with_any_bit_of_the_text_or_the_signature_flipped_nothing_is_trusted() {
    let (checkpoint, key, seen) = (some_checkpoint(), log(1), witness(0));
    let quorum = Quorum::new(from_ref(&seen), &[], Member::Witness(0)).unwrap();
    let policy = LogPolicy::new(from_ref(&key)).unwrap().with_quorum(&quorum).unwrap();
    let signed = note(&checkpoint, &[sign(&checkpoint, 1), cosign(&checkpoint, 0, 1234)]);
    assert_eq!(open(&policy, &signed), Ok((1, 1)));
    for bit in 0..signed.len() * 8 {
        let mut flipped = signed.clone().into_bytes();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let opened = Note::parse(&flipped).map_err(CheckpointError::from);
        assert!(opened.and_then(|note| policy.open(&note).map(|_| ())).is_err(), "bit {bit}");
    }
}

#[test]
fn a_log_signs_under_its_origin_only() {
    let elsewhere =
        Checkpoint::new(name("example.com/other"), TreeSize::new(8), Root::new([7; 32]));
    let elsewhere = elsewhere.unwrap();
    let keys = [log(1), LogKey::new(name("example.com/other"), public(&signer(2)))];
    let policy = LogPolicy::new(&keys).unwrap();
    // The known log's key over another known log's checkpoint: right, and says nothing.
    let line = sign(&elsewhere, 1);
    assert_eq!(
        open(&policy, &note(&elsewhere, from_ref(&line))),
        Err(CheckpointError::NoLogSignature)
    );
    let bytes = signer(2).sign(elsewhere.to_string().as_bytes()).to_bytes();
    let own = keys[1].signature(&bytes).to_string();
    assert_eq!(open(&policy, &note(&elsewhere, &[line.clone(), own])), Ok((0, 0)));
    // Wrong, it refuses that one too.
    let wrong = sign(&some_checkpoint(), 1);
    let found = open(&policy, &note(&elsewhere, &[wrong]));
    assert_eq!(found, Err(CheckpointError::Signature { index: 0 }));
    assert!(keys[0].verify(&elsewhere, &log::line(&line)).is_err());
}

#[test]
fn a_quorum_without_the_log_is_nothing() {
    let (checkpoint, key) = (some_checkpoint(), log(1));
    let witnesses = [witness(0), witness(1)];
    let members = [Member::Witness(0), Member::Witness(1)];
    let groups = [Group { threshold: 1, members: &members }];
    let quorum = Quorum::new(&witnesses, &groups, Member::Group(0)).unwrap();
    let policy = LogPolicy::new(from_ref(&key)).unwrap().with_quorum(&quorum).unwrap();
    let seen = [cosign(&checkpoint, 0, 1), cosign(&checkpoint, 1, 1)];
    assert_eq!(open(&policy, &note(&checkpoint, &seen)), Err(CheckpointError::NoLogSignature));
    let alone = note(&checkpoint, &[sign(&checkpoint, 1)]);
    assert_eq!(open(&policy, &alone), Err(CheckpointError::Quorum { signed: 0, of: 2 }));
    let one = note(&checkpoint, &[sign(&checkpoint, 1), seen[1].clone()]);
    assert_eq!(open(&policy, &one), Ok((1, 2)));
}

#[test]
fn a_witness_counts_once_and_every_line_of_it_must_be_right() {
    let (checkpoint, key) = (some_checkpoint(), log(1));
    let witnesses = [witness(0), witness(1)];
    let members = [Member::Witness(0), Member::Witness(1)];
    let groups = [Group { threshold: 2, members: &members }];
    let quorum = Quorum::new(&witnesses, &groups, Member::Group(0)).unwrap();
    let policy = LogPolicy::new(from_ref(&key)).unwrap().with_quorum(&quorum).unwrap();
    let twice = [sign(&checkpoint, 1), cosign(&checkpoint, 0, 1), cosign(&checkpoint, 0, 2)];
    let found = open(&policy, &note(&checkpoint, &twice));
    assert_eq!(found, Err(CheckpointError::Quorum { signed: 1, of: 2 }));

    let signature = cosign_bytes(&checkpoint, 0, 1);
    let wrong_time = witness(0).cosignature(2, &signature).unwrap().to_string();
    let lines =
        [sign(&checkpoint, 1), cosign(&checkpoint, 0, 1), cosign(&checkpoint, 1, 1), wrong_time];
    let found = open(&policy, &note(&checkpoint, &lines));
    assert_eq!(found, Err(CheckpointError::Signature { index: 3 }));
    assert_eq!(open(&policy, &note(&checkpoint, &lines[..3])), Ok((2, 2)));

    // A witness's key as a log's signs the text alone: no cosignature.
    let plain = signer(100).sign(checkpoint.to_string().as_bytes()).to_bytes();
    let as_witness = witness(0).cosignature(0, &plain).unwrap().to_string();
    let lines = [sign(&checkpoint, 1), as_witness];
    let found = open(&policy, &note(&checkpoint, &lines));
    assert_eq!(found, Err(CheckpointError::Signature { index: 1 }));
}

#[test]
fn times_are_given_back_and_may_be_bounded() {
    let (checkpoint, key) = (some_checkpoint(), log(1));
    let witnesses = [witness(0), witness(1), witness(2)];
    let members = [Member::Witness(0), Member::Witness(1), Member::Witness(2)];
    let groups = [Group { threshold: 2, members: &members }];
    let quorum = Quorum::new(&witnesses, &groups, Member::Group(0)).unwrap();
    let policy = LogPolicy::new(from_ref(&key)).unwrap().with_quorum(&quorum).unwrap();
    let lines: Vec<_> = [(0, 100), (1, 300), (2, 200)]
        .map(|(place, time)| cosign(&checkpoint, place, time))
        .into_iter()
        .chain([sign(&checkpoint, 1)])
        .collect();
    let text = note(&checkpoint, &lines);
    let parsed = Note::parse(text.as_bytes()).unwrap();
    let times = |policy: LogPolicy<'_>| {
        let seen = policy.open(&parsed)?.witnesses().unwrap();
        Ok((seen.signed, seen.oldest, seen.newest))
    };
    assert_eq!(times(policy), Ok((3, 100, 300)));
    assert_eq!(times(policy.with_latest_time(300)), Ok((3, 100, 300)));
    assert_eq!(times(policy.with_latest_time(299)), Ok((2, 100, 200)));
    let late = times(policy.with_latest_time(199));
    assert_eq!(late, Err(CheckpointError::Quorum { signed: 1, of: 3 }));
    // No time beyond 2^63 − 1: such a line is not of the known form.
    let beyond = witness(0).cosignature(1 << 63, &[0; 64]);
    assert!(beyond.is_err());
}

/// What `k of n` means, nested: tried for every set of witnesses.
#[test]
fn groups_count_as_their_members_do() {
    let (checkpoint, key) = (some_checkpoint(), log(1));
    let witnesses = [witness(0), witness(1), witness(2), witness(3), witness(4)];
    let inner = [Member::Witness(0), Member::Witness(1), Member::Witness(2)];
    let outer = [Member::Group(0), Member::Witness(3)];
    let groups = [Group { threshold: 2, members: &inner }, Group { threshold: 2, members: &outer }];
    // Witness 4 is known, and nothing depends on it.
    let quorum = Quorum::new(&witnesses, &groups, Member::Group(1)).unwrap();
    assert_eq!(quorum.size(), 4);
    let policy = LogPolicy::new(from_ref(&key)).unwrap().with_quorum(&quorum).unwrap();
    let lines: Vec<_> = (0..5).map(|place| cosign(&checkpoint, place, 1)).collect();
    for set in 0_u8..32 {
        let has = |place: usize| set >> place & 1 == 1;
        let mut signed = vec![sign(&checkpoint, 1)];
        signed.extend((0..5).filter(|&place| has(place)).map(|place| lines[place].clone()));
        let inner = (0..3).filter(|&place| has(place)).count();
        let counted = (0..4).filter(|&place| has(place)).count() as u8;
        let expected = if inner >= 2 && has(3) {
            Ok((counted, 4))
        } else {
            Err(CheckpointError::Quorum { signed: counted, of: 4 })
        };
        assert_eq!(open(&policy, &note(&checkpoint, &signed)), expected, "{set:05b}");
    }
}

#[test]
fn a_quorum_that_would_count_a_party_twice_is_none() {
    let [a, b] = [witness(0), witness(1)];
    let same = WitnessKey::new(name("w.example"), public(&signer(100)));
    let new = |witnesses: &[WitnessKey<'static>], groups: &[(usize, &[Member])], root| {
        let groups: Vec<_> =
            groups.iter().map(|&(threshold, members)| Group { threshold, members }).collect();
        Quorum::new(witnesses, &groups, root).map(|quorum| quorum.size())
    };
    let (w0, w1, g0, g1) =
        (Member::Witness(0), Member::Witness(1), Member::Group(0), Member::Group(1));
    assert_eq!(new(&[a, b], &[], w0), Ok(1));
    assert_eq!(new(&[a, b], &[(1, &[w0, w1])], g0), Ok(2));
    assert_eq!(new(&[a, same], &[], w0), Err(QuorumError::DuplicateKey));
    assert_eq!(new(&[], &[], w0), Err(QuorumError::Unknown));
    assert_eq!(new(&[a], &[], g0), Err(QuorumError::Unknown));
    assert_eq!(new(&[a], &[], Member::Witness(usize::MAX)), Err(QuorumError::Unknown));
    assert_eq!(new(&[a], &[(0, &[w0])], g0), Err(QuorumError::Threshold { group: 0 }));
    assert_eq!(new(&[a], &[(1, &[])], g0), Err(QuorumError::Threshold { group: 0 }));
    assert_eq!(new(&[a, b], &[(3, &[w0, w1])], g0), Err(QuorumError::Threshold { group: 0 }));
    assert_eq!(new(&[a], &[(1, &[w0, w1])], g0), Err(QuorumError::Unknown));
    assert_eq!(new(&[a], &[(1, &[g0])], g0), Err(QuorumError::Unknown));
    assert_eq!(new(&[a], &[(1, &[g1]), (1, &[w0])], g0), Err(QuorumError::Unknown));
    assert_eq!(new(&[a], &[(2, &[w0, w0])], g0), Err(QuorumError::DuplicateMember));
    // Nor by way of two groups.
    let twice: [(usize, &[Member]); 2] = [(1, &[w0]), (2, &[g0, w0])];
    assert_eq!(new(&[a], &twice, g1), Err(QuorumError::DuplicateMember));
    assert_eq!(new(&[a; 65], &[], w0), Err(QuorumError::TooMany));

    assert_eq!(LogPolicy::new(&[]).err(), Some(QuorumError::NoLog));
    assert_eq!(LogPolicy::new(&[log(1), log(1)]).err(), Some(QuorumError::DuplicateKey));
    assert!(LogPolicy::new(&[log(1), log(2)]).is_ok());
    let (key, quorum) = (log(100), Quorum::new(from_ref(&a), &[], w0).unwrap());
    let policy = LogPolicy::new(from_ref(&key)).unwrap().with_quorum(&quorum);
    assert_eq!(policy.err(), Some(QuorumError::DuplicateKey));
}

#[test]
fn a_proof_shows_one_transaction_under_one_number() {
    let alhs: Vec<_> = (0..13).map(|n| Alh::new([n; 32])).collect();
    let leaves: Vec<LeafHash> = alhs.iter().map(Alh::leaf_hash).collect();
    let key = log(1);
    let policy = LogPolicy::new(from_ref(&key)).unwrap();
    for size in 1..=leaves.len() {
        let leaves = &leaves[..size];
        let checkpoint = checkpoint(size as u64, root(leaves));
        let signed = note(&checkpoint, &[sign(&checkpoint, 1)]);
        let parsed = Note::parse(signed.as_bytes()).unwrap();
        for index in 0..size {
            let path = path(index, leaves);
            let tx = TxId::new(index as u64 + 1);
            let text = TlogProofText {
                extra: b"",
                index: tx.leaf_index().unwrap(),
                path: &path,
                note: parsed,
            }
            .to_string();
            let proof = TlogProof::parse(text.as_bytes()).unwrap();
            let logged = policy.verify_proof(&proof, &alhs[index]).unwrap();
            assert_eq!((logged.tx(), logged.alh()), (tx, alhs[index]));
            assert_eq!((logged.size(), logged.witnesses()), (checkpoint.size(), None));
            let other = &alhs[(index + 1) % 13];
            let mismatch = Err(CheckpointError::Inclusion(TreeError::RootMismatch));
            assert_eq!(policy.verify_proof(&proof, other), mismatch);
            let trusted = policy.open(&parsed).unwrap();
            for wrong in (0..=size as u64 + 1).filter(|&wrong| wrong != tx.get()) {
                assert!(trusted.verify_tx(TxId::new(wrong), &alhs[index], &path).is_err());
            }
        }
    }
}

#[test]
fn an_index_that_no_transaction_has_is_refused() {
    let checkpoint = checkpoint(1, Root::new(Alh::new([1; 32]).leaf_hash().to_bytes()));
    let signed = note(&checkpoint, &[sign(&checkpoint, 1)]);
    let key = log(1);
    let policy = LogPolicy::new(from_ref(&key)).unwrap();
    let text = format!("c2sp.org/tlog-proof@v1\nindex {}\n\n{signed}", u64::MAX);
    let proof = TlogProof::parse(text.as_bytes()).unwrap();
    let found = policy.verify_proof(&proof, &Alh::new([1; 32]));
    assert_eq!(found, Err(CheckpointError::TxZero));
}
