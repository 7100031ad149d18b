//! Stores that sign: what is written is signed, what cannot be signed is not written.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use counterfoil::core::Ed25519Key;
use counterfoil::core::receipt::{Author, Authorship};
use counterfoil::{
    Cover, Ed25519Signer, Error, Event, ExpectedVersion, Payload, PayloadCommitment, SigningFailed,
    SigningKeyFile, SqlitePayloads,
};
use futures_util::future::{join, join_all};

use super::{Harness, full, numbered, shipment};
use crate::signing::{everything, judged, key, signing};

/// What is said of an event that this key signed, by whoever lists nobody.
pub(crate) fn unknown(key: &impl Ed25519Signer) -> Authorship {
    Authorship::Unknown { key: *key.public_key().as_bytes() }
}

pub(crate) async fn whatever_is_written_is_signed(harness: impl Harness) {
    let key = key();
    let store = harness.open_with(signing(&key)).await;
    let commitment = PayloadCommitment::new(&[1; 32], b"content");
    let draft = Cover::new("draft", [0, 255]).in_edition("new");
    let three: Vec<Event> = (0..3).map(|n| numbered(&shipment(), n)).collect();
    store.append(&shipment(), ExpectedVersion::Any, &three).await.unwrap();
    store.add_event(&full(&draft)).await.unwrap();
    store.add_event(&Event::new(&draft, "Kept", Payload::Commitment(commitment))).await.unwrap();
    let payloads = SqlitePayloads::in_memory().await.unwrap();
    let kept = everything(&store).await.pop().unwrap();
    store.erase(&payloads, &kept, "asked for").await.unwrap();
    let read = everything(&store).await;
    assert_eq!(read.len(), 6);
    assert!(read.iter().all(|event| event.authorship == unknown(&*key)), "{read:?}");
    assert_eq!(store.findings().await.unwrap(), []);
    let json = serde_json::to_value(&read[0]).unwrap();
    let public = hex::encode(key.public_key().as_bytes());
    let expected = serde_json::json!({"word": "unknown_author", "key": public});
    assert_eq!(json["authorship"], expected);
}

pub(crate) async fn what_nobody_signed_is_unsigned(harness: impl Harness) {
    let store = harness.open().await;
    store.add_event(&full(&shipment())).await.unwrap();
    let read = everything(&store).await;
    assert_eq!(read[0].authorship, Authorship::Unsigned);
    let json = serde_json::to_value(&read[0]).unwrap();
    assert_eq!(json["authorship"], serde_json::json!({"word": "unsigned"}));
}

/// Under policies that demand an author: his own, another's, none of this domain.
pub(crate) async fn a_receipt_proves_its_author(harness: impl Harness) {
    let (mine, other) = (key(), key());
    let store = harness.open_with(signing(&mine)).await;
    for n in 0..3 {
        store.add_event(&numbered(&shipment(), n)).await.unwrap();
    }
    for sequence in 0..3 {
        let issued = store.issue_receipt(&shipment(), sequence, None).await.unwrap();
        let me = Author::new(mine.public_key());
        let domain = [shipment().domain];
        let here = domain.each_ref().map(String::as_str);
        assert_eq!(judged(&issued, &[me]), ("verified_by_pinned_state", "signed_by_author"));
        assert_eq!(judged(&issued, &[me.with_domains(&here)]).1, "signed_by_author");
        let elsewhere = judged(&issued, &[me.with_domains(&["elsewhere"])]);
        assert_eq!(elsewhere, ("presence_only", "author_not_allowed"));
        let others = [Author::new(other.public_key())];
        assert_eq!(judged(&issued, &others), ("presence_only", "unknown_author"));
    }
}

/// A key that can be told what to do.
struct Moody {
    key: Arc<SigningKeyFile>,
    asked: AtomicU64,
    /// What it does with the signature of the n-th that it is asked for.
    does: fn(u64, &mut [u8; 64]) -> Result<(), SigningFailed>,
}

impl Moody {
    fn new(does: fn(u64, &mut [u8; 64]) -> Result<(), SigningFailed>) -> Arc<Self> {
        Arc::new(Self { key: key(), asked: AtomicU64::new(0), does })
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Ed25519Signer for Moody {
    fn public_key(&self) -> Ed25519Key {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SigningFailed> {
        let mut signature = self.key.sign(message)?;
        (self.does)(self.asked.fetch_add(1, Ordering::SeqCst), &mut signature)?;
        Ok(signature)
    }
}

/// A third of all signatures are refused, are wrong, or end in a panic. Each costs its own append and
/// nobody else's, also in the same stream.
pub(crate) async fn what_is_not_signed_is_not_written_and_nobody_else_pays(harness: impl Harness) {
    let moody = Moody::new(|n, signature| match n % 9 {
        2 => Err(SigningFailed::new("not now")),
        5 => {
            signature[5] ^= 1;
            Ok(())
        }
        8 => panic!("the token was pulled out"),
        _ => Ok(()),
    });
    let store = harness.open_with(signing(&moody)).await;
    let covers = [0, 1, 2].map(|n| Cover::new("d", format!("{n}")));
    let tasks: Vec<_> = (0..36)
        .map(|n| {
            let (store, cover) = (store.clone(), covers[n % 3].clone());
            tokio::spawn(async move { (n, store.add_event(&numbered(&cover, n as u64)).await) })
        })
        .collect();
    let (mut written, mut refused) = (Vec::new(), 0);
    for task in tasks {
        match task.await.unwrap() {
            (n, Ok(added)) => written.push((n as u64, added.id)),
            (_, Err(Error::Signing(_))) => refused += 1,
            (n, Err(other)) => panic!("{n}: {other}"),
        }
    }
    assert!(refused >= 12 && written.len() + refused == 36, "{refused} refused");
    let read = everything(&store).await;
    assert!(read.iter().all(|event| event.authorship == unknown(&*moody)));
    let there: Vec<_> = read.iter().map(|event| (event.event.clone(), event.tx)).collect();
    assert_eq!(there.len(), written.len());
    for (n, tx) in written {
        let event = numbered(&covers[n as usize % 3], n);
        assert!(there.contains(&(event, tx)), "{n}");
    }
    assert_eq!(store.findings().await.unwrap(), []);
}

pub(crate) async fn a_key_that_never_signs_writes_nothing(harness: impl Harness) {
    let moody = Moody::new(|_, _| Err(SigningFailed::new("no token")));
    let store = harness.open_with(signing(&moody)).await;
    let before = store.state().await.unwrap();
    let events: Vec<Event> = (0..3).map(|n| numbered(&shipment(), n)).collect();
    let error = store.append(&shipment(), ExpectedVersion::Any, &events).await.unwrap_err();
    assert!(matches!(error, Error::Signing(_)), "{error}");
    assert!(error.to_string().contains("no token"), "{error}");
    assert_eq!((moody.asked(), store.state().await.unwrap()), (1, before));
}

pub(crate) async fn what_is_repeated_is_not_signed_again(harness: impl Harness) {
    let moody = Moody::new(|_, _| Ok(()));
    let store = harness.open_with(signing(&moody)).await;
    let first = store.add_event(&full(&shipment())).await.unwrap();
    for _ in 0..3 {
        assert_eq!(store.add_event(&full(&shipment())).await.unwrap(), first);
    }
    assert_eq!(moody.asked(), 1);
    // Each event of an append is signed, and that once.
    let events: Vec<Event> = (0..5).map(|n| numbered(&shipment(), n)).collect();
    store.append(&shipment(), ExpectedVersion::Any, &events).await.unwrap();
    assert_eq!(moody.asked(), 6);
}

/// A key whose first signature waits to be let go, and whose others wait until this many of them
/// have been asked for.
struct Slow {
    key: Arc<SigningKeyFile>,
    asked: Mutex<u64>,
    more: Condvar,
    others: u64,
}

impl Slow {
    fn asked(&self, more: u64) -> u64 {
        let mut asked = self.asked.lock().unwrap();
        *asked += more;
        self.more.notify_all();
        *asked
    }

    fn wait_for(&self, asked: u64) {
        drop(self.more.wait_while(self.asked.lock().unwrap(), |found| *found < asked).unwrap());
    }
}

/// What lets the first one go counts as one.
const LET_GO: u64 = 1;

impl Ed25519Signer for Slow {
    fn public_key(&self) -> Ed25519Key {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SigningFailed> {
        match self.asked(1) {
            1 => self.wait_for(1 + LET_GO),
            _ => self.wait_for(1 + LET_GO + self.others),
        }
        self.key.sign(message)
    }
}

/// While one append waits for its signature, reads wait for nobody; what came meanwhile goes together
/// and is asked for at once.
pub(crate) async fn a_slow_key_is_asked_by_many_and_stops_no_reader(harness: impl Harness) {
    let (asked, more) = Default::default();
    let slow = Arc::new(Slow { key: key(), asked, more, others: 8 });
    let store = harness.open_with(signing(&slow)).await;
    let append = async |n: u64| {
        let cover = Cover::new("d", format!("{n}"));
        store.add_event(&numbered(&cover, n)).await.unwrap().id
    };
    let meanwhile = async {
        while slow.asked(0) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(everything(&store).await.is_empty());
        // Each waits in line from its first poll on, before the one behind them lets go.
        let go = async { slow.asked(LET_GO) };
        join(join_all((1..=slow.others).map(&append)), go).await.0
    };
    let (first, others) = join(append(0), meanwhile).await;
    assert!(others.iter().all(|tx| *tx == others[0] && *tx > first), "{first} {others:?}");
    let read = everything(&store).await;
    assert_eq!(read.len(), 9);
    assert!(read.iter().all(|event| event.authorship == unknown(&*slow)));
}
