//! The embedded ledger writes what immudb writes: the same work on both,
//! with the same clocks and the same chance, gives the same hashes.

mod on_server;
#[path = "contract/texts.rs"]
mod texts;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use counterfoil::{
    Clock, Cover, Entropy, Event, EventStore, ExpectedVersion, Payload, PayloadCommitment,
    StoreOptions, TxId, TxProof,
};
use counterfoil_test_support::{server, temp_dir};
use texts::{HOSTILE, KEYWORDS, Random};

/// Goes on by a prime at each look.
struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now_micros(&self) -> i64 {
        self.0.fetch_add(1_000_003, Ordering::SeqCst)
    }
}

/// The same bytes in every run.
struct Seeded(Mutex<Random>);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let mut random = self.0.lock().unwrap();
        bytes.fill_with(|| random.next() as u8);
    }
}

/// The seconds that another ledger's clock showed, one at each look.
struct Replayed(Mutex<VecDeque<i64>>);

impl Clock for Replayed {
    fn now_micros(&self) -> i64 {
        self.0.lock().unwrap().pop_front().expect("one look a transaction") * 1_000_000
    }
}

fn options(seed: u64) -> StoreOptions {
    let start = AtomicI64::new(1_790_000_000_000_000);
    StoreOptions::new().clock(Ticks(start)).entropy(Seeded(Mutex::new(Random(seed))))
}

/// Appends of all sizes and kinds.
async fn work(store: &EventStore, seed: u64, appends: u64) -> Vec<Event> {
    let mut random = Random(seed);
    let mut written = Vec::new();
    for append in 0..appends {
        let cover = Cover::new(format!("domain {}", random.below(3)), random.bytes(1))
            .in_edition(["", "angzarr", "draft"][random.below(3) as usize]);
        let count = if append % 17 == 16 { 100 } else { 1 + random.below(4) };
        let external_id = match random.below(3) {
            0 => format!("append {append}"),
            _ => String::new(),
        };
        let events: Vec<Event> =
            (0..count).map(|_| any(&mut random, &cover).with_external_id(&external_id)).collect();
        store.append(&cover, ExpectedVersion::Any, &events).await.unwrap();
        if random.below(4) == 0 && !external_id.is_empty() {
            // Writes nothing, and takes its chance all the same.
            assert!(store.append(&cover, ExpectedVersion::Any, &events).await.unwrap().repeated);
        }
        written.extend(events);
    }
    written
}

fn any(random: &mut Random, cover: &Cover) -> Event {
    let keywords: Vec<&str> = KEYWORDS.split_whitespace().collect();
    let payload = match random.below(8) {
        0 => Payload::Commitment(PayloadCommitment::new(&[1; 32], &random.bytes(9))),
        1 => Payload::from(random.bytes(4000)),
        2..=4 => Payload::from(HOSTILE[random.below(HOSTILE.len() as u64) as usize]),
        _ => Payload::from(random.bytes(100)),
    };
    let mut event =
        Event::new(cover, keywords[random.below(keywords.len() as u64) as usize], payload);
    for _ in 0..random.below(4) {
        event = event.with_metadata(random.string(30), random.bytes(30));
    }
    event.with_correlation_id(random.string(40)).with_causation_id(random.string(40))
}

/// Every transaction's header, with its proof.
async fn headers(store: &EventStore) -> Vec<TxProof> {
    let mut proofs = Vec::new();
    for tx in 1..=store.state().await.unwrap().tx.get() {
        proofs.push(store.get_proof_at_tx(TxId::new(tx)).await.unwrap());
    }
    proofs
}

#[tokio::test]
async fn the_same_work_gives_every_transaction_the_same_alh_on_both_backends() {
    const APPENDS: u64 = 100;
    for seed in [1, 2] {
        let (server, log) = (server(), temp_dir("equality"));
        let config = on_server::config(server, server.fresh_database_name(), &log);
        let immudb = options(seed).open(&config).await.unwrap();
        let written = work(&immudb, seed, APPENDS).await;
        let theirs = headers(&immudb).await;
        assert_eq!(theirs.len() as u64, APPENDS + 1);

        let seconds = theirs.iter().map(|proof| proof.header.ts).collect();
        let clock = Replayed(Mutex::new(seconds));
        let embedded = options(seed).ledger_clock(clock).in_memory().await.unwrap();
        assert!(work(&embedded, seed, APPENDS).await == written);
        let ours = headers(&embedded).await;

        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours.header, theirs.header, "seed {seed}");
        }
        assert_eq!(ours.len(), theirs.len());
        // The last header's Alh is in no other header.
        assert_eq!(embedded.state().await.unwrap(), immudb.state().await.unwrap());
        assert_eq!(embedded.ledger_id().await.unwrap(), immudb.ledger_id().await.unwrap());
        let all = [&embedded, &immudb].map(|store| store.read_all(None, None));
        let [ours, theirs] = all.map(async |read| read.await.unwrap().events);
        assert_eq!(ours.await, theirs.await);

        // What one proves, the other confirms.
        let Some(id) = written.iter().find(|event| !event.external_id.is_empty()) else { panic!() };
        let events: Vec<Event> =
            written.iter().filter(|event| event.external_id == id.external_id).cloned().collect();
        let again = embedded.append(&id.cover, ExpectedVersion::Any, &events).await.unwrap();
        for (event, added) in events.iter().zip(&again.events) {
            assert!(immudb.verify_event(event, &added.proof).await.unwrap());
        }
    }
}
