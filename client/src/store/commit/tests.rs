//! Commits driven as they are, over a ledger that is as it is, with everything
//! on the way between that can go wrong: nothing is acknowledged that is not
//! there, nothing is there twice, nothing acknowledged is lost, and nobody
//! pays for a neighbour that the ledger refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as Quick};

use counterfoil_core::Ed25519Key;
use counterfoil_test_support::temp_dir;
use ed25519_dalek::{Signer as _, SigningKey};
use futures_util::FutureExt;
use proptest::prelude::*;
use tokio::task::JoinSet;

use crate::backend::immudb::{Fate, POISON, Unruly, World, is_refusal};
use crate::body::EventBody;
use crate::environment::Environment;
use crate::local::Local;
use crate::payloads::PayloadStore as _;
use crate::row::StoredRow;
use crate::signing_key::{Ed25519Signer, SigningFailed};
use crate::store::{Appended, Backend, EventStore};
use crate::trust::Anchor;
use crate::verdict::{FindingKind, Verdict};
use crate::{
    Cover, Error, Event, ExpectedVersion, ReadOptions, Result, Revealed, SqlitePayloads,
    TrustConfig,
};

/// What a caller asks for.
#[derive(Debug, Clone)]
struct Wish {
    root: u8,
    rows: u8,
    expected: ExpectedVersion,
    /// None, one of its own, or one that others use too.
    id: Option<u8>,
    poison: Option<usize>,
}

impl Wish {
    fn cover(&self) -> Cover {
        Cover::new("d", format!("{}", self.root))
    }

    fn events(&self, name: usize) -> Vec<Event> {
        let poison = self.poison.map_or("", |kind| POISON[kind]);
        (0..self.rows)
            .map(|row| {
                let event = Event::new(&self.cover(), "Wished", format!("{name}/{row} {poison}"));
                match self.id {
                    None => event,
                    Some(SHARED) => event.with_external_id("shared"),
                    Some(_) => event.with_external_id(format!("{name}")),
                }
            })
            .collect()
    }
}

/// This id is not a wish's own.
const SHARED: u8 = 0;

fn wish() -> impl Strategy<Value = Wish> {
    let expected = prop_oneof![
        8 => Just(ExpectedVersion::Any),
        1 => Just(ExpectedVersion::NoStream),
        1 => (0..4_u64).prop_map(ExpectedVersion::Exact),
    ];
    let id = prop_oneof![3 => Just(None), 1 => Just(Some(SHARED)), 4 => Just(Some(1))];
    let poison = prop_oneof![7 => Just(None), 1 => (0..POISON.len()).prop_map(Some)];
    (0..3_u8, 1..4_u8, expected, id, poison).prop_map(|(root, rows, expected, id, poison)| Wish {
        root,
        rows,
        expected,
        id,
        poison,
    })
}

fn fate() -> impl Strategy<Value = Fate> {
    let outage =
        (any::<bool>(), any::<bool>()).prop_map(|(late, dark)| Fate::Outage { late, dark });
    prop_oneof![
        4 => Just(Fate::Arrives),
        1 => Just(Fate::Lost),
        1 => Just(Fate::Unanswered),
        3 => (1..9_u8).prop_map(Fate::Late),
        1 => (1..9_u8).prop_map(Fate::Twice),
        1 => Just(Fate::Denied),
        1 => (1..9_u8).prop_map(Fate::DeniedLate),
        1 => Just(Fate::Strange),
        1 => (1..90_u8).prop_map(Fate::StrangeLate),
        1 => Just(Fate::Conflict),
        1 => any::<bool>().prop_map(|denied| Fate::Split { denied }),
        1 => Just(Fate::NotSent),
        3 => Just(Fate::Rival),
        1 => outage,
        1 => any::<bool>().prop_map(|executed| Fate::FullDisk { executed }),
        1 => any::<bool>().prop_map(|executed| Fate::Illegible { executed }),
        2 => any::<bool>().prop_map(|executed| Fate::Crash { executed }),
    ]
}

/// A key that counts what it signs.
struct Counting(SigningKey, AtomicU64);

impl Counting {
    fn new() -> Arc<Self> {
        Arc::new(Self(SigningKey::from_bytes(&[0x99; 32]), AtomicU64::new(0)))
    }
}

impl Ed25519Signer for Counting {
    fn public_key(&self) -> Ed25519Key {
        Ed25519Key::from_bytes(self.0.verifying_key().as_bytes()).unwrap()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SigningFailed> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Ok(self.0.sign(message).to_bytes())
    }
}

type Answers = Arc<Quick<BTreeMap<usize, Result<Appended>>>>;

/// A client to whom nothing happens, new to the ledger.
async fn calm(world: &Arc<World>) -> EventStore {
    connect(Unruly::new(world, None), Local::memory().await.unwrap(), None).await
}

/// A client with this log, on the way to whom everything may happen. It signs.
async fn tried(world: &Arc<World>, log: &Path, key: &Arc<Counting>) -> EventStore {
    let rival = calm(world).await;
    let rival = Box::new(move |row: StoredRow| {
        let rival = rival.clone();
        async move { writes(&rival, &row).await }.boxed()
    });
    let key = Arc::clone(key) as Arc<dyn Ed25519Signer>;
    let local = Local::open(log, true, "").await.unwrap();
    connect(Unruly::new(world, Some(rival)), local, Some(key)).await
}

async fn connect(way: Unruly, local: Local, key: Option<Arc<dyn Ed25519Signer>>) -> EventStore {
    let local = tokio::sync::Mutex::new(local);
    way.sync(&local).await.unwrap();
    let mut local = local.into_inner();
    if local.pin().is_err() {
        local.anchor(Anchor::FirstContact).await.unwrap();
    }
    let trust = TrustConfig::default();
    EventStore::new(Environment::default(), true, &trust, key, None, Backend::Unruly(way), local)
}

/// The rival takes the next place in the row's stream.
async fn writes(rival: &EventStore, row: &StoredRow) {
    let root = String::from_utf8(row.root.clone()).unwrap();
    rival.add_event(&Event::new(&Cover::new("d", root), "Rival", "")).await.unwrap();
}

/// How a client makes its appends.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    AtOnce,
    /// In a pipeline.
    Piped,
    /// The same, where not everything that happens leaves it in order.
    Unordered,
}

/// One life of the client: it makes all these appends, and lives until all are
/// answered or until it dies.
fn live(
    way: Way,
    world: &Arc<World>,
    log: &Path,
    key: &Arc<Counting>,
    wishes: &[(usize, Wish)],
    answers: &Answers,
) {
    let runtime = runtime();
    runtime.block_on(async {
        let store = tried(world, log, key).await;
        let mut pipeline = store.pipeline();
        let mut tasks = JoinSet::new();
        for (name, wish) in wishes.iter().cloned() {
            let (store, answers) = (store.clone(), Arc::clone(answers));
            let events = wish.events(name);
            let piped = (way != Way::AtOnce)
                .then(|| pipeline.append(&wish.cover(), wish.expected, &events));
            tasks.spawn(async move {
                let answer = match piped {
                    Some(piped) => piped.await,
                    None => store.append(&wish.cover(), wish.expected, &events).await,
                };
                answers.lock().unwrap().insert(name, answer);
            });
        }
        tokio::select! {
            () = world.crash() => {}
            _ = tasks.join_all() => {}
        }
    });
}

/// Its clock goes on only when there is nothing else to do.
fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

/// Returns what was answered at last.
fn run(wishes: Vec<Wish>, fates: Vec<Fate>) -> BTreeMap<usize, Result<Appended>> {
    run_with(Way::AtOnce, &Counting::new(), wishes, fates)
}

fn run_with(
    way: Way,
    key: &Arc<Counting>,
    wishes: Vec<Wish>,
    fates: Vec<Fate>,
) -> BTreeMap<usize, Result<Appended>> {
    let folder = temp_dir("unruly");
    let log = folder.join("log");
    let wishes: Vec<(usize, Wish)> = wishes.into_iter().enumerate().collect();
    let world = runtime().block_on(World::new(fates.iter().copied()));
    let answers = Answers::default();
    let mut open: Vec<(usize, Wish)> = wishes.clone();
    let mut repeated = BTreeSet::new();
    loop {
        live(way, &world, &log, key, &open, &answers);
        if !world.begins_again() {
            break;
        }
        // Whoever was not answered may repeat only what has an id.
        let answered = answers.lock().unwrap();
        open.retain(|(name, wish)| wish.id.is_some() && !answered.contains_key(name));
        repeated.extend(open.iter().map(|(name, _)| *name));
    }
    // That a repetition could not be sent says nothing about the first time.
    answers.lock().unwrap().retain(|name, answer| {
        !(repeated.contains(name) && matches!(answer, Err(Error::Unavailable(_))))
    });
    check(way, &world, &wishes, &answers.lock().unwrap(), &fates);
    if way == Way::Piped {
        check_order(&world, &wishes, &answers.lock().unwrap());
    }

    // Repeated when all is over, what was in doubt is there.
    let doubtful = |(name, wish): &&(usize, Wish)| {
        let answer = &answers.lock().unwrap();
        let doubt = matches!(answer.get(name), None | Some(Err(Error::OutcomeUnknown { .. })));
        doubt && wish.id.is_some() && wish.poison.is_none()
    };
    let doubtful: Vec<(usize, Wish)> = wishes.iter().filter(doubtful).cloned().collect();
    doubtful.iter().for_each(|(name, _)| drop(answers.lock().unwrap().remove(name)));
    live(Way::AtOnce, &world, &log, key, &doubtful, &answers);
    let answers = std::mem::take(&mut *answers.lock().unwrap());
    for (name, wish) in &doubtful {
        let settled = match &answers[name] {
            Ok(_) => true,
            Err(Error::Ledger(_)) => counted(&answers[name]).is_some(),
            Err(Error::IdConflict { .. }) => wish.id == Some(SHARED),
            Err(Error::WrongExpectedVersion { .. }) => wish.expected != ExpectedVersion::Any,
            Err(_) => false,
        };
        assert!(settled, "{name}: {:?}", answers[name]);
    }
    check(way, &world, &wishes, &answers, &fates);
    answers
}

/// Holds what was answered against what a newcomer finds.
fn check(
    way: Way,
    world: &Arc<World>,
    wishes: &[(usize, Wish)],
    answers: &BTreeMap<usize, Result<Appended>>,
    fates: &[Fate],
) {
    let outage = |fate: &Fate| {
        matches!(fate, Fate::Outage { .. } | Fate::FullDisk { .. } | Fate::Illegible { .. })
    };
    let outage = fates.iter().any(outage);
    // What was answered strangely may come while nobody can be sent.
    let strange = fates.iter().any(|fate| matches!(fate, Fate::StrangeLate(_)))
        || fates.iter().any(|fate| matches!(fate, Fate::NotSent | Fate::DeniedLate(_)))
            && wishes.iter().any(|(_, wish)| wish.poison.is_some());
    // Whoever is refused alone has nothing but the ledger's word for it.
    let denied = Fate::Split { denied: true };
    let lied = fates.iter().any(|fate| matches!(fate, Fate::DeniedLate(_)) || *fate == denied);
    // What went with others who lost their place, were refused or were taken
    // apart may come without them.
    let split = fates.iter().any(|fate| matches!(fate, Fate::Split { .. }));
    let parted = split || lied || fates.contains(&Fate::Rival);
    runtime().block_on(async {
        world.calms().await;
        let newcomer = calm(world).await;
        let findings = newcomer.findings().await.unwrap();
        assert!(findings.iter().all(|f| split && f.kind == FindingKind::AppendSplit));
        let all = newcomer.read_all(None, None).await.unwrap();
        assert!(all.completeness.is_complete());
        for (name, wish) in wishes {
            let events = wish.events(*name);
            let places: Vec<Vec<_>> = events
                .iter()
                .map(|event| all.events.iter().filter(|found| found.event == *event).collect())
                .collect();
            assert!(places.iter().all(|found| found.len() <= 1), "{name} is there twice");
            let there: Vec<_> = places.concat();
            let in_part = !there.is_empty() && there.len() < events.len();
            assert!(split || !in_part, "{name} is there in part");
            let found = |found: &&crate::RecordedEvent| found.tx == there[0].tx;
            assert!(!in_part || findings.iter().any(|f| f.tx == there[0].tx));
            assert!(there.iter().all(found), "{name} is there in pieces");
            let signed = there.iter().all(|found| found.authorship.signed_by().is_some());
            assert!(signed, "{name} is not signed");
            match answers.get(name) {
                Some(Ok(appended)) => {
                    assert_eq!(there.len(), events.len(), "{name} was lost");
                    for (found, added) in there.iter().zip(&appended.events) {
                        assert_eq!((found.tx, found.sequence), (appended.id, added.sequence));
                        assert!(newcomer.verify_event(&found.event, &added.proof).await.unwrap());
                    }
                }
                None => {}
                Some(Err(error)) if lied && is_refusal(error) && !in_part => {}
                Some(answer) if let Some(counted) = counted(answer) => {
                    let sequences: Vec<u64> = there.iter().map(|found| found.sequence).collect();
                    assert!(in_part && counted == sequences, "{name}: {counted:?}");
                }
                // Without an outage only who is poison himself is in doubt, or was sent with
                // one behind whom he then was not sent again.
                Some(Err(Error::OutcomeUnknown { .. })) => {
                    let behind = way != Way::AtOnce
                        && wishes.iter().any(|(n, wish)| n < name && wish.poison.is_some());
                    let doubt = outage || strange || parted || behind || wish.poison.is_some();
                    assert!(doubt, "{name}");
                }
                Some(Err(error)) => {
                    assert!(there.is_empty(), "{name} is there, after: {error}");
                    assert!(!is_refusal(error) || wish.poison == Some(0), "{name}: {error}");
                }
            }
            assert!(wish.poison.is_none() || there.is_empty());
        }
    });
}

/// What is in the ledger of a pipeline is a beginning of it, in its order.
fn check_order(
    world: &Arc<World>,
    wishes: &[(usize, Wish)],
    answers: &BTreeMap<usize, Result<Appended>>,
) {
    let newcomer = runtime().block_on(calm(world));
    let all = runtime().block_on(newcomer.read_all(None, None)).unwrap();
    let mut ended = false;
    let mut last = None;
    for (name, wish) in wishes {
        let events = wish.events(*name);
        let there = all.events.iter().find(|found| found.event == events[0]);
        match &answers[name] {
            Ok(appended) => {
                assert!(!ended, "{name} was made behind one that was not: {answers:?}");
                if !appended.repeated {
                    let place = there.map(|found| found.tx);
                    assert!(last <= place, "{name} is before one before it: {answers:?}");
                    last = place;
                }
            }
            // Its like was written by itself, under the same id.
            Err(_) => {
                ended = true;
                assert!(there.is_none(), "{name} is there behind a failure: {answers:?}");
            }
        }
    }
}

/// What may happen without leaving anybody in doubt.
fn plain_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Arrives),
        1 => Just(Fate::Lost),
        1 => Just(Fate::Unanswered),
        2 => (1..9_u8).prop_map(Fate::Late),
        1 => (1..9_u8).prop_map(Fate::Twice),
        1 => Just(Fate::Denied),
        1 => Just(Fate::Conflict),
        3 => Just(Fate::Rival),
    ]
}

/// What counts of an append that is there in part.
fn counted(answer: &Result<Appended>) -> Option<Vec<u64>> {
    match answer.as_ref().err()?.verdict()? {
        Verdict::Superseded { counted, .. } => Some(counted.clone()),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(48),
        ..ProptestConfig::default()
    })]

    #[test]
    fn of_a_pipeline_a_beginning_is_there_in_its_order(
        wishes in prop::collection::vec(wish(), 1..16),
        fates in prop::collection::vec(plain_fate(), 0..14),
    ) {
        run_with(Way::Piped, &Counting::new(), wishes, fates);
    }

    /// Whatever happens, it is told as truly as of appends by themselves.
    #[test]
    fn a_pipeline_acknowledges_nothing_falsely(
        wishes in prop::collection::vec(wish(), 1..12),
        fates in prop::collection::vec(fate(), 0..14),
    ) {
        run_with(Way::Unordered, &Counting::new(), wishes, fates);
    }

    #[test]
    fn whatever_happens_on_the_way_nothing_is_lost_doubled_or_falsely_acknowledged(
        wishes in prop::collection::vec(wish(), 1..12),
        fates in prop::collection::vec(fate(), 0..14),
    ) {
        run(wishes, fates);
    }
}

fn plain(root: u8, id: Option<u8>, poison: Option<usize>) -> Wish {
    Wish { root, rows: 1, expected: ExpectedVersion::Any, id, poison }
}

/// It said that the statement had to be sent again, and then was gone.
#[test]
fn a_conflict_that_was_none_is_not_taken_for_a_refusal() {
    run(vec![plain(0, None, None)], vec![Fate::Conflict, Fate::NotSent]);
}

/// A disk of our own that is full, or cannot be read, says nothing of the rows that
/// were sent.
#[test]
fn trouble_of_our_own_is_no_word_about_the_rows() {
    for executed in [true, false] {
        for fate in [Fate::FullDisk { executed }, Fate::Illegible { executed }] {
            let answers = run(vec![plain(0, None, None)], vec![fate]);
            let answer = answers.values().next().unwrap();
            assert!(matches!(answer, Err(Error::OutcomeUnknown { .. })), "{fate:?}: {answer:?}");
        }
    }
}

/// The refused company comes after all, at every moment while its members go
/// their ways.
#[test]
fn a_company_that_comes_late_is_nobody_twice() {
    for after in 1..30 {
        let answers =
            run(vec![plain(0, None, None); 9], vec![Fate::Arrives, Fate::DeniedLate(after)]);
        assert!(answers.values().all(Result::is_ok), "after {after}: {answers:?}");
    }
}

/// A company that was answered in words that nobody understands, and is not
/// there, may come when its members cannot be sent one by one.
#[test]
fn who_may_come_yet_is_not_told_that_nothing_was_written() {
    // It is sent again until two seconds have passed.
    let mut fates = vec![Fate::StrangeLate(200); 41];
    fates.extend([Fate::NotSent; 9]);
    let answers = run(vec![plain(0, None, None); 9], fates);
    let doubtful = |answer: &&Result<Appended>| matches!(answer, Err(Error::OutcomeUnknown { .. }));
    assert_eq!(answers.values().filter(doubtful).count(), 9);
}

/// Of each kind of poison one, among many.
#[test]
fn who_is_refused_is_refused_alone() {
    let mut wishes: Vec<Wish> = (0..40).map(|n| plain(n % 3, None, None)).collect();
    for (place, kind) in [(3, 0), (17, 1), (30, 2)] {
        wishes[place].poison = Some(kind);
    }
    run(wishes, vec![]);
}

/// Whoever goes on in other company, and nothing else of him changed, is not
/// signed again.
#[test]
fn in_other_company_a_signature_holds() {
    for poison in [0, 1, 2] {
        let mut wishes: Vec<Wish> = (0..40).map(|n| plain(n, None, None)).collect();
        wishes[17].poison = Some(poison);
        let key = Counting::new();
        let answers = run_with(Way::AtOnce, &key, wishes, vec![]);
        assert_eq!(answers.values().filter(|answer| answer.is_ok()).count(), 39);
        assert_eq!(key.1.load(Ordering::SeqCst), 40, "{}", POISON[poison]);
    }
}

/// Who loses its place has another one to sign for.
#[test]
fn in_another_place_all_is_signed_anew() {
    let key = Counting::new();
    let answers =
        run_with(Way::AtOnce, &key, vec![plain(0, None, None)], vec![Fate::Rival, Fate::Rival]);
    assert!(answers[&0].is_ok(), "{answers:?}");
    assert_eq!(key.1.load(Ordering::SeqCst), 3);
}

/// A client with a log of its own, with whose rows this rival deals.
async fn beside(
    world: &Arc<World>,
    log: &Path,
    rival: impl Fn(Arc<World>, StoredRow) -> futures_util::future::BoxFuture<'static, ()>
    + Send
    + Sync
    + 'static,
) -> EventStore {
    let local = Local::open(log, true, "").await.unwrap();
    let there = Arc::clone(world);
    let rival = Box::new(move |row| rival(Arc::clone(&there), row));
    connect(Unruly::new(world, Some(rival)), local, None).await
}

fn nobody(_: Arc<World>, _: StoredRow) -> futures_util::future::BoxFuture<'static, ()> {
    async {}.boxed()
}

fn wished(cover: &Cover, count: usize, id: &str) -> Vec<Event> {
    let event = |n| Event::new(cover, "Wished", format!("content {n}")).with_external_id(id);
    (0..count).map(event).collect()
}

/// Somebody's row that looks like this one, but for what he alters.
async fn forged(world: &Arc<World>, like: &EventBody, alter: impl Fn(&mut EventBody)) {
    let mut body = EventBody { append_id: [9; 16], author: None, ..like.clone() };
    alter(&mut body);
    let row = crate::proof::row_of(&body, body.encode());
    world.writes(&[row]).await;
}

/// A liar stores the first row alone of what was sent as one. To everybody it
/// is an event: nobody is told that it was not written, and its content stays.
#[test]
fn of_what_is_there_in_part_it_is_not_said_that_it_is_not() {
    for (denied, id) in [(false, ""), (true, ""), (false, "x"), (true, "x")] {
        let folder = temp_dir("split");
        runtime().block_on(async {
            let world = World::new([Fate::Split { denied }]).await;
            let store = beside(&world, &folder.join("log"), nobody).await;
            let payloads = SqlitePayloads::in_memory().await.unwrap();
            let cover = Cover::new("d", "r");
            let events = wished(&cover, 3, id);
            let append = async |store: &EventStore, events: &[Event]| {
                let any = ExpectedVersion::Any;
                counted(&store.append_committed(&payloads, &cover, any, events).await)
            };
            assert_eq!(append(&store, &events).await, Some(vec![0]));
            let newcomer = calm(&world).await;
            for reader in [&store, &newcomer] {
                let read = reader.read(&cover, ReadOptions::forward()).await.unwrap();
                assert_eq!((read.events.len(), &read.stopped), (1, &None));
                let content = reader.reveal(&payloads, &read.events[0]).await.unwrap();
                assert_eq!(content, Revealed::Content("content 0".into()));
                let findings = reader.findings().await.unwrap();
                let found: Vec<_> =
                    findings.iter().map(|f| (f.tx.get(), f.entry, f.kind)).collect();
                assert_eq!(found, [(2, Some(0), FindingKind::AppendSplit)]);
                assert!(findings[0].detail.contains("only 1 to 1"), "{}", findings[0].detail);
            }
            if !id.is_empty() {
                for reader in [&store, &newcomer] {
                    assert_eq!(append(reader, &events).await, Some(vec![0]));
                }
                // Others under its id are another append.
                let other = wished(&cover, 4, id);
                let other = store.append_committed(&payloads, &cover, Default::default(), &other);
                assert!(matches!(other.await, Err(Error::IdConflict { .. })));
            }
            // The way out that the verdict names.
            let rest = wished(&cover, 3, "").split_off(1);
            let exact = ExpectedVersion::Exact(0);
            assert_eq!(store.append(&cover, exact, &rest).await.unwrap().events.len(), 2);
        });
    }
}

/// Who was sent along with what was taken apart, or refused, may come later.
#[test]
fn who_was_sent_along_is_in_doubt_until_he_is_told_alone() {
    let wishes = || vec![plain(0, None, None); 9];
    for (fate, doubtful) in [(Fate::Split { denied: false }, 8), (Fate::DeniedLate(90), 9)] {
        assert!(run(wishes(), vec![fate]).values().all(Result::is_ok));
        let mut fates = vec![fate];
        fates.extend([Fate::NotSent; 9]);
        let answers = run(wishes(), fates);
        let doubts = |answer: &&Result<_>| matches!(answer, Err(Error::OutcomeUnknown { .. }));
        assert_eq!(answers.values().filter(doubts).count(), doubtful, "{fate:?}");
    }
}

/// A row that somebody writes with the id behind an append's last one, in
/// whatever stream, is none of the append's.
#[test]
fn a_row_with_the_next_id_does_not_take_an_appends_result_away() {
    let folder = temp_dir("next");
    runtime().block_on(async {
        let world = World::new([]).await;
        let store = beside(&world, &folder.join("log"), nobody).await;
        let payloads = SqlitePayloads::in_memory().await.unwrap();
        let cover = Cover::new("d", "r");
        for (n, committed) in (0..).zip([false, true]) {
            let events = wished(&cover, 1, &format!("X{n}"));
            let append = async || match committed {
                true => store.add_committed(&payloads, &events[0]).await.unwrap(),
                false => store.add_event(&events[0]).await.unwrap(),
            };
            let first = append().await;
            forged(&world, &first.proof.decode_body().unwrap(), |body| {
                (body.root, body.event_number) = (format!("rival {n}").into(), 0);
                (body.append_index, body.append_count) = (1, 2);
                body.prev_event = [0; 32];
            })
            .await;
            let again = append().await;
            assert_eq!((again.id, again.sequence), (first.id, first.sequence));
            // An append of two is another one, which cannot be written any more.
            let two = wished(&cover, 2, &format!("X{n}"));
            let two = store.append(&cover, ExpectedVersion::Any, &two);
            assert!(matches!(two.await, Err(Error::IdConflict { .. })));
        }
    });
}

/// Somebody is faster with an id. What he has under it decides what can still
/// come of what was sent, and which contents nobody needs.
#[test]
fn an_id_that_was_taken_on_the_way_says_no_more_than_it_does() {
    let sent = |alter: fn(&mut EventBody)| {
        let folder = temp_dir("taken");
        runtime().block_on(async {
            let world = World::new([Fate::Rival]).await;
            let rival = move |world: Arc<World>, row: StoredRow| {
                async move {
                    forged(&world, &EventBody::decode(&row.body).unwrap(), alter).await;
                }
                .boxed()
            };
            let store = beside(&world, &folder.join("log"), rival).await;
            let payloads = SqlitePayloads::in_memory().await.unwrap();
            let cover = Cover::new("d", "r");
            let events = wished(&cover, 2, "X");
            let any = ExpectedVersion::Any;
            let answer = store.append_committed(&payloads, &cover, any, &events).await;
            (answer, payloads.list(None).await.unwrap().unwrap().len())
        })
    };
    // The first id: none of ours can come. One content is named by his row.
    let (answer, kept) = sent(|body| body.event_type = "Forged".into());
    assert!(matches!(answer, Err(Error::IdConflict { .. })), "{answer:?}");
    assert_eq!(kept, 1);
    let (answer, kept) = sent(|body| {
        body.payload = crate::body::StoredPayload::Inline("his".into());
    });
    assert!(matches!(answer, Err(Error::IdConflict { .. })), "{answer:?}");
    assert_eq!(kept, 0);
    // The second: a liar could store the first row yet.
    let (answer, kept) = sent(|body| (body.root, body.append_index) = ("other".into(), 1));
    assert!(matches!(answer, Err(Error::OutcomeUnknown { .. })), "{answer:?}");
    assert_eq!(kept, 2);
}
