//! Witnesses, asked over HTTP: transparency-dev's, and such as lie.

#[expect(dead_code, reason = "what looks at a signer's memory is used elsewhere")]
mod checkpoint;
#[path = "checkpoint/liar.rs"]
mod liar;

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding as _};
use checkpoint::{Log, ORIGIN, grow, ledger};
use counterfoil::checkpoint::{
    AddCheckpoint, Answer, Cosigner, LogSigner, SignedCheckpoint, Witness, WitnessProblem,
};
use counterfoil::core::TreeSize;
use counterfoil::core::checkpoint::{LogKey, LogPolicy, Member, Quorum, WitnessKey};
use counterfoil::{Clock, Error, SigningKeyFile, Verdict};
use counterfoil_test_support::{GoWitness, go_tool};
use liar::{Liar, Say};

const LIMIT: Duration = Duration::from_secs(20);

fn of_go(witness: &GoWitness) -> Witness {
    Witness::new(&witness.key, &witness.url).unwrap()
}

/// Whether the note is cosigned by all of these, as a verifier finds it.
#[track_caller]
fn cosigned(signed: &SignedCheckpoint, log: &str, witnesses: &[Witness]) {
    let logs = [LogKey::parse(log).unwrap()];
    for witness in witnesses {
        let keys = [WitnessKey::parse(witness.key()).unwrap()];
        let quorum = Quorum::new(&keys, &[], Member::Witness(0)).unwrap();
        let policy = LogPolicy::new(&logs).unwrap().with_quorum(&quorum).unwrap();
        policy.open(&signed.note()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn real_witnesses_follow_a_log_as_it_grows() {
    let (store, log) = (ledger(1).await, Log::new());
    let key = log.signer.verifier_key();
    let go = ["one.example/w", "two.example/w", "three.example/w"]
        .map(|name| GoWitness::start(name, &key));
    let witnesses = go.each_ref().map(of_go);
    for (round, size) in [1, 2, 4, 5, 8, 13, 64, 70].into_iter().enumerate() {
        grow(&store, size).await;
        let signed = store.sign_checkpoint(&log.signer, None).await.unwrap();
        // Each has seen others of the checkpoints before.
        let asked = &witnesses[round % 3..];
        let witnessed = store.ask_witnesses(&signed, asked, LIMIT).await.unwrap();
        for one in &witnessed.asked {
            assert!(matches!(one.answer, Answer::Cosigned { .. }), "{size}: {one:?}");
        }
        cosigned(&witnessed.checkpoint, &key, asked);
        let keys: Vec<&str> = asked.iter().map(Witness::key).collect();
        let arguments = [&["open", key.as_str()], &keys[..]].concat();
        let read = go_tool(&arguments, witnessed.checkpoint.as_str().as_bytes()).unwrap();
        let names: Vec<&str> = asked.iter().map(Witness::name).collect();
        assert!(read.ends_with(&format!("{ORIGIN} {}\n", names.join(" "))), "{read}");
        // Asked again, each replaces its signature.
        let again = store.ask_witnesses(&witnessed.checkpoint, asked, LIMIT).await.unwrap();
        assert_eq!(again.checkpoint.note().signatures().count(), 1 + asked.len());
        cosigned(&again.checkpoint, &key, asked);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_witness_refuses_what_it_should() {
    let (store, log) = (ledger(9).await, Log::new());
    let key = log.signer.verifier_key();
    let go = GoWitness::start("one.example/w", &key);
    let witness = [of_go(&go)];
    let five = store.sign_checkpoint(&log.signer, Some(TreeSize::new(5))).await.unwrap();
    let nine = store.sign_checkpoint(&log.signer, None).await.unwrap();
    let ask = async |signed: &SignedCheckpoint| {
        let witnessed = store.ask_witnesses(signed, &witness, LIMIT).await.unwrap();
        match &witnessed.asked[0].answer {
            Answer::Refused(problem) => {
                assert_eq!(witnessed.checkpoint, *signed, "nothing was added");
                problem.clone()
            }
            other => panic!("{other:?}"),
        }
    };

    // Signed by a key that it does not know, and a log that it does not know.
    let stranger = Log::new();
    let strange = store.sign_checkpoint(&stranger.signer, None).await.unwrap();
    let refused = ask(&strange).await;
    assert!(
        matches!(refused, WitnessProblem::NotSigned | WitnessProblem::Status { status: 500 }),
        "{refused}"
    );
    let last = log.folder.join("elsewhere");
    LogSigner::begin(&last, "example.com/elsewhere").unwrap();
    let elsewhere = LogSigner::new("example.com/elsewhere", log.key.clone(), last).unwrap();
    let elsewhere = store.sign_checkpoint(&elsewhere, None).await.unwrap();
    assert_eq!(ask(&elsewhere).await, WitnessProblem::UnknownLog);

    // It has cosigned more already.
    let first = store.ask_witnesses(&nine, &witness, LIMIT).await.unwrap();
    assert!(matches!(first.asked[0].answer, Answer::Cosigned { .. }));
    assert_eq!(ask(&five).await, WitnessProblem::Ahead { size: TreeSize::new(9) });

    // Another history, signed by the log's key: the witness does not take it.
    let (other, forked) = (ledger(12).await, Log::new());
    let fork = LogSigner::new(ORIGIN, log.key.clone(), forked.last()).unwrap();
    let fork = other.sign_checkpoint(&fork, None).await.unwrap();
    let refused = other.ask_witnesses(&fork, &witness, LIMIT).await.unwrap();
    assert_eq!(refused.asked[0].answer, Answer::Refused(WitnessProblem::ProofRefused));
    // And is not asked about a history that is not this store's.
    let refused = store.ask_witnesses(&fork, &witness, LIMIT).await.unwrap_err();
    assert!(matches!(refused, Error::BeyondState { .. }), "{refused}");
    grow(&store, 12).await;
    let refused = store.ask_witnesses(&fork, &witness, LIMIT).await.unwrap_err();
    assert!(matches!(refused.verdict(), Some(Verdict::OtherTree { size: 12, .. })), "{refused}");
}

struct In(i64);

impl Clock for In {
    fn now_micros(&self) -> i64 {
        counterfoil::SystemClock.now_micros() + self.0 * 1_000_000
    }
}

/// A cosignature over a checkpoint, by a witness whose clock is ahead by so many seconds.
async fn line(
    store: &counterfoil::EventStore,
    log: &Log,
    signed: &SignedCheckpoint,
    ahead: i64,
) -> (String, String) {
    let folder = counterfoil_test_support::temp_dir("witness");
    let secret = log.folder.join("witness");
    if !secret.exists() {
        SigningKeyFile::generate(&secret, "liar.example").unwrap();
    }
    let key = Arc::new(SigningKeyFile::load(&secret).unwrap());
    let cosigner = Cosigner::new("liar.example", key, folder.path()).unwrap().with_clock(In(ahead));
    cosigner.begin(ORIGIN).unwrap();
    let log_key = log.signer.verifier_key();
    let log_key = LogKey::parse(&log_key).unwrap();
    let cosigned = store.cosign_checkpoint(&cosigner, &log_key, signed).await.unwrap();
    (cosigned.line, cosigner.verifier_key())
}

/// What an answer must be taken for.
type Is = Box<dyn Fn(&WitnessProblem) -> bool>;

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_lies_gets_nothing_in_and_holds_nobody_up() {
    let (store, log) = (ledger(9).await, Log::new());
    let log_key = log.signer.verifier_key();
    let five = store.sign_checkpoint(&log.signer, Some(TreeSize::new(5))).await.unwrap();
    let nine = store.sign_checkpoint(&log.signer, None).await.unwrap();
    let (right, key) = line(&store, &log, &nine, 0).await;
    let (of_five, _) = line(&store, &log, &five, 0).await;
    let (future, _) = line(&store, &log, &nine, 3600).await;
    // One bit of the signature: the last but a few characters of base64.
    let flipped = {
        let (head, text) = right.trim_end().rsplit_once(' ').unwrap();
        let mut bytes = Base64::decode_vec(text).unwrap();
        bytes[40] ^= 1;
        format!("{head} {}\n", Base64::encode_string(&bytes))
    };
    let go = GoWitness::start("honest.example/w", &log_key);
    let others = {
        let witnessed = store.ask_witnesses(&nine, &[of_go(&go)], LIMIT).await.unwrap();
        let last = witnessed.checkpoint.as_str().lines().last().unwrap().to_owned();
        format!("{last}\n")
    };
    let is = |wanted: WitnessProblem| -> Is { Box::new(move |answer| *answer == wanted) };
    let wrong = || is(WitnessProblem::WrongCosignature);
    let none = || is(WitnessProblem::NoCosignature);
    let large = || is(WitnessProblem::TooLarge);
    let malformed =
        || -> Is { Box::new(|answer| matches!(answer, WitnessProblem::Malformed { .. })) };
    let redirected =
        || -> Is { Box::new(|answer| matches!(answer, WitnessProblem::Redirect { .. })) };
    let late = || -> Is {
        Box::new(|answer| {
            matches!(answer, WitnessProblem::Unreachable { .. } | WitnessProblem::Late { .. })
        })
    };
    type Case = (&'static str, Say, Is);
    let elsewhere = Liar::start(Say::Text(200, "", right.clone()));
    let redirect = |status| Say::Redirect(status, format!("{}/add-checkpoint", elsewhere.url()));
    let size = "text/x.tlog.size";
    let cases: Vec<Case> = vec![
        ("a flipped bit", Say::Text(200, "", flipped.clone()), wrong()),
        ("a right one and a wrong one", Say::Text(200, "", format!("{right}{flipped}")), wrong()),
        ("of an older checkpoint", Say::Text(200, "", of_five), wrong()),
        (
            "from the future",
            Say::Text(200, "", future),
            Box::new(|answer| matches!(answer, WitnessProblem::Future { .. })),
        ),
        ("somebody else's alone", Say::Text(200, "", others.clone()), none()),
        ("nothing", Say::Text(200, "", String::new()), malformed()),
        ("an empty line", Say::Text(200, "", "\n".into()), malformed()),
        ("no end of line", Say::Text(200, "", right.trim_end().into()), malformed()),
        ("two ends of line", Say::Text(200, "", format!("{right}\n")), malformed()),
        ("a whole note", Say::Text(200, "", nine.as_str().into()), malformed()),
        ("more lines than a note has", Say::Text(200, "", others.repeat(101)), large()),
        ("a page", Say::Text(200, "text/html", "<html>".into()), malformed()),
        ("no UTF-8", Say::Bytes(vec![0xff, 0xfe, b'\n']), malformed()),
        ("without end", Say::Endless, large()),
        ("a byte at a time", Say::Drip, late()),
        ("silence", Say::Silence, late()),
        ("a closed connection", Say::Close, late()),
        ("no HTTP", Say::Raw("hello\n\n".into()), late()),
        ("a header without end", Say::EndlessHeader, late()),
        ("redirect 301", redirect(301), redirected()),
        ("redirect 307", redirect(307), redirected()),
        ("redirect 308", redirect(308), redirected()),
        (
            "409 and a larger size",
            Say::Text(409, size, "10\n".into()),
            is(WitnessProblem::Ahead { size: TreeSize::new(10) }),
        ),
        (
            "409 and the largest",
            Say::Text(409, size, format!("{}\n", u64::MAX)),
            Box::new(|answer| matches!(answer, WitnessProblem::Ahead { .. })),
        ),
        ("409 and what it was told", Say::Text(409, size, "0\n".into()), malformed()),
        ("409 and the same size each time", Say::Text(409, size, "5\n".into()), malformed()),
        (
            "409 and another size each time",
            Say::Sizes(vec![1, 2, 3, 4, 5, 6]),
            is(WitnessProblem::Moving),
        ),
        ("409 and no number", Say::Text(409, size, "05\n".into()), malformed()),
        (
            "409 and a longer number",
            Say::Text(409, size, "18446744073709551616\n".into()),
            malformed(),
        ),
        (
            "409 without a size",
            Say::Text(409, "text/plain", "5\n".into()),
            is(WitnessProblem::Conflict),
        ),
        ("400", Say::Text(400, "", String::new()), is(WitnessProblem::BadRequest)),
        ("403", Say::Text(403, "", String::new()), is(WitnessProblem::NotSigned)),
        ("404", Say::Text(404, "", String::new()), is(WitnessProblem::UnknownLog)),
        ("422", Say::Text(422, "", String::new()), is(WitnessProblem::ProofRefused)),
        ("429", Say::Text(429, "", String::new()), is(WitnessProblem::Busy)),
        ("503", Say::Text(503, "", String::new()), is(WitnessProblem::Busy)),
        ("500", Say::Text(500, "", right.clone()), is(WitnessProblem::Status { status: 500 })),
        ("204", Say::Text(204, "", String::new()), is(WitnessProblem::Status { status: 204 })),
    ];
    let liars: Vec<Liar> = cases.iter().map(|(_, say, _)| Liar::start(say.clone())).collect();
    for ((what, _, is), liar) in cases.iter().zip(&liars) {
        let witness = Witness::new(&key, liar.url()).unwrap();
        let began = Instant::now();
        let both = [witness, of_go(&go)];
        // Long enough for the honest one on a busy machine.
        let witnessed = store.ask_witnesses(&nine, &both, Duration::from_secs(5)).await.unwrap();
        assert!(began.elapsed() < LIMIT, "{what}: {:?}", began.elapsed());
        match &witnessed.asked[0].answer {
            Answer::Refused(problem) => assert!(is(problem), "{what}: {problem:?}"),
            other => panic!("{what}: {other:?}"),
        }
        match *what {
            // Nothing that it says leads to a second question.
            "409 and no number" => assert_eq!(liar.asked(), 1, "{what}"),
            _ => assert!(liar.asked() >= 1, "{what}: it was asked"),
        }
        // The honest one's is there, and nothing of the other.
        let last = &witnessed.asked[1].answer;
        assert!(matches!(last, Answer::Cosigned { .. }), "{what}: {last:?}");
        assert_eq!(witnessed.checkpoint.note().signatures().count(), 2, "{what}");
        cosigned(&witnessed.checkpoint, &log_key, &both[1..]);
    }
    assert_eq!(elsewhere.asked(), 0, "no redirect was followed");

    // The same server telling the truth, with lines of other keys around it.
    let honest = Liar::start(Say::Text(200, "", format!("{others}{right}{others}")));
    let witness = [Witness::new(&key, honest.url()).unwrap()];
    let witnessed = store.ask_witnesses(&nine, &witness, LIMIT).await.unwrap();
    assert!(matches!(witnessed.asked[0].answer, Answer::Cosigned { .. }), "{witnessed:?}");
    assert_eq!(witnessed.checkpoint.note().signatures().count(), 2);
    cosigned(&witnessed.checkpoint, &log_key, &witness);
    // What it was sent is a request.
    let request = AddCheckpoint::parse(&honest.last_body()).unwrap();
    assert_eq!((request.old.get(), request.checkpoint), (0, nine));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_limit_is_for_all_together() {
    let (store, log) = (ledger(3).await, Log::new());
    let signed = store.sign_checkpoint(&log.signer, None).await.unwrap();
    let mut liars = Vec::new();
    let mut witnesses = Vec::new();
    for n in 0..16 {
        let name = format!("silent.example/{n}");
        let key = SigningKeyFile::generate(&log.folder.join(n.to_string()), &name).unwrap();
        let cosigner = Cosigner::new(name, Arc::new(key), log.folder.path()).unwrap();
        liars.push(Liar::start(Say::Silence));
        witnesses.push(Witness::new(cosigner.verifier_key(), liars[n].url()).unwrap());
    }
    let began = Instant::now();
    let limit = Duration::from_secs(1);
    let witnessed = store.ask_witnesses(&signed, &witnesses, limit).await.unwrap();
    // One after the other they would take 16 times as long.
    assert!(began.elapsed() < 10 * limit, "{:?}", began.elapsed());
    assert!(witnessed.asked.iter().all(|one| matches!(one.answer, Answer::Refused(_))));
    assert_eq!(witnessed.checkpoint, signed);

    let twice = [witnesses[0].clone(), witnesses[0].clone()];
    let refused = store.ask_witnesses(&signed, &twice, limit).await.unwrap_err();
    assert!(refused.to_string().contains("named twice"), "{refused}");
}

/// Whoever answers at an https address without TLS, or with a certificate that nobody vouches for, is
/// told nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_witness_behind_tls_must_have_a_certificate() {
    let (store, log) = (ledger(3).await, Log::new());
    let signed = store.sign_checkpoint(&log.signer, None).await.unwrap();
    let (right, key) = line(&store, &log, &signed, 0).await;
    let go = GoWitness::start_with_tls("one.example/w", &log.signer.verifier_key());
    assert!(go.url.starts_with("https://"));
    let witnessed = store.ask_witnesses(&signed, &[of_go(&go)], LIMIT).await.unwrap();
    let Answer::Refused(WitnessProblem::Unreachable { cause }) = &witnessed.asked[0].answer else {
        panic!("{witnessed:?}")
    };
    assert!(cause.to_lowercase().contains("certificate"), "{cause}");
    assert_eq!(witnessed.checkpoint, signed);

    // It waits for the end of a request that it cannot read.
    let plain = Liar::start(Say::Text(200, "", right));
    let url = plain.url().replace("http://", "https://");
    let witness = [Witness::new(&key, url).unwrap()];
    let limit = Duration::from_secs(1);
    let witnessed = store.ask_witnesses(&signed, &witness, limit).await.unwrap();
    assert!(matches!(witnessed.asked[0].answer, Answer::Refused(_)), "{witnessed:?}");
    assert_eq!((plain.asked(), witnessed.checkpoint), (0, signed));
}

/// A witness that says again what it said earlier takes nothing away.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_cosignature_replaces_no_newer_one() {
    let (store, log) = (ledger(3).await, Log::new());
    let signed = store.sign_checkpoint(&log.signer, None).await.unwrap();
    let mut held = signed.clone();
    for (ahead, kept) in [(-500, -500), (-100, -100), (-900, -100), (0, 0)] {
        let (said, key) = line(&store, &log, &signed, ahead).await;
        let liar = Liar::start(Say::Text(200, "", said.clone()));
        let witness = [Witness::new(&key, liar.url()).unwrap()];
        let witnessed = store.ask_witnesses(&held, &witness, LIMIT).await.unwrap();
        assert!(matches!(witnessed.asked[0].answer, Answer::Cosigned { .. }), "{witnessed:?}");
        assert_eq!(witnessed.checkpoint.note().signatures().count(), 2);
        assert_eq!(witnessed.checkpoint.as_str().ends_with(&said), ahead == kept, "{ahead}");
        held = witnessed.checkpoint;
    }
}

#[test]
fn addresses_and_keys_that_are_none_are_refused() {
    let log = Log::new();
    let witness = Cosigner::new("w.example", log.key.clone(), log.folder.path()).unwrap();
    let key = witness.verifier_key();
    for url in [
        "",
        "example.com",
        "ftp://example.com",
        "http://",
        "http://a/b?c=d",
        "http://a/b#c",
        "file:///etc/passwd",
        "http://a b",
    ] {
        let refused = Witness::new(&key, url).unwrap_err();
        assert!(matches!(refused, Error::Invalid(_)), "{url:?}: {refused}");
    }
    for url in ["http://127.0.0.1:1/", "https://example.com/witness/1", "http://[::1]:80"] {
        assert_eq!(Witness::new(&key, url).unwrap().name(), "w.example");
    }
    // A log's key is no witness's.
    let refused = Witness::new(log.signer.verifier_key(), "http://a").unwrap_err();
    assert!(refused.to_string().contains("no witness's key"), "{refused}");
}
