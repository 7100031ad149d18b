//! Who signed an event: what holds, what does not, and what a policy makes of it.

mod ledger;
mod receipts;
mod reference;

use std::slice::from_ref;

use counterfoil_core::checkpoint::{KeyName, LogKey, LogPolicy, Member, Quorum, WitnessKey};
use counterfoil_core::receipt::*;
use counterfoil_core::*;
use ed25519_dalek::SigningKey;
use receipts::{
    Blob, Body, Books, Content, Order, SALT, author, author_key, commitment, with_check,
};

fn public(key: &SigningKey) -> Ed25519Key {
    Ed25519Key::from_bytes(key.verifying_key().as_bytes()).unwrap()
}

fn other_key() -> SigningKey {
    SigningKey::from_bytes(&[0x98; 32])
}

/// A ledger with this one event.
fn books(change: impl FnOnce(&mut Body, Alh)) -> Books {
    let mut books = Books::new();
    let ledger = books.id();
    let mut body = Body::golden(ledger);
    change(&mut body, ledger);
    books.append(&[body]);
    books
}

fn policy<'a>(books: &Books, pins: &'a [TrustedState]) -> Policy<'a> {
    Policy::new(books.id()).with_table(1).with_pins(pins).unwrap()
}

/// Verdict and authorship of its only event.
fn told(bytes: &[u8], policy: &Policy<'_>) -> (&'static str, Authorship) {
    let receipt = Receipt::parse(bytes).unwrap();
    let judgement = receipt.verify(policy);
    let event = judgement.events().next().unwrap();
    assert_eq!(event.verdict(), judgement.verdict());
    (event.verdict().word(), event.authorship())
}

const PINNED: &str = "verified_by_pinned_state";
const PRESENT: &str = "presence_only";

#[test]
fn a_policy_tells_authors_apart() {
    let books = Books::signed();
    let bytes = books.receipt(&Order::new(&[(2, 0)], 2));
    let pins = [books.state(2)];
    let nobody = policy(&books, &pins);
    let key = *public(&author_key()).as_bytes();
    let mine = Author::new(public(&author_key()));
    let another = Author::new(public(&other_key()));
    let (here, elsewhere, both) = (["shipment"], ["shipments"], ["payment", "shipment"]);
    let (allowed, not_allowed) = (Authorship::Allowed { key }, Authorship::NotAllowed { key });
    for (authors, expected) in [
        (vec![], Authorship::Unknown { key }),
        (vec![another], Authorship::Unknown { key }),
        (vec![another.with_domains(&here)], Authorship::Unknown { key }),
        (vec![mine], allowed),
        (vec![another, mine], allowed),
        (vec![mine.with_domains(&here)], allowed),
        (vec![mine.with_domains(&both)], allowed),
        (vec![mine.with_domains(&elsewhere)], not_allowed),
        (vec![mine.with_domains(&elsewhere), another], not_allowed),
        (vec![mine.with_domains(&elsewhere), mine.with_domains(&here)], allowed),
    ] {
        let policy = nobody.with_authors(&authors).unwrap();
        assert_eq!(told(&bytes, &policy), (PINNED, expected));
        let word = if expected == allowed { PINNED } else { PRESENT };
        assert_eq!(told(&bytes, &policy.demanding_authorship()), (word, expected));
        assert_eq!(
            told(&bytes, &nobody.demanding_authorship().with_authors(&authors).unwrap()).0,
            word
        );
    }
    assert_eq!(told(&bytes, &nobody.demanding_authorship()).0, PRESENT);
}

#[test]
fn an_event_without_a_signature_is_unsigned_and_present() {
    let books = books(|_, _| {});
    let bytes = books.receipt(&Order::new(&[(2, 0)], 2));
    let pins = [books.state(2)];
    let authors = [Author::new(public(&author_key()))];
    let policy = policy(&books, &pins).with_authors(&authors).unwrap();
    assert_eq!(told(&bytes, &policy), (PINNED, Authorship::Unsigned));
    let demanding = policy.demanding_authorship();
    assert_eq!(told(&bytes, &demanding), (PRESENT, Authorship::Unsigned));
    let receipt = Receipt::parse(&bytes).unwrap();
    let verdict = receipt.verify(&demanding).verdict();
    assert_eq!(
        (verdict.trusted(), verdict),
        (None, Verdict::PresenceOnly(Anchor::Pinned(pins[0])))
    );
    // Whatever is said of the anchor comes first where it says less.
    let nobody = Policy::new(books.id()).with_table(1).demanding_authorship();
    assert_eq!(told(&bytes, &nobody).0, "intact_unanchored");
}

/// A receipt of several is worth as much as its least event.
#[test]
fn one_unsigned_event_makes_the_whole_present_only() {
    let mut books = Books::signed();
    let mut second = books.bodies[1][0].clone();
    (second.event_number, second.external_id) = (1, String::new());
    second.prev_event = second.prev_event.map(|_| 7);
    second.author = None;
    books.append(&[second]);
    let bytes = books.receipt(&Order::new(&[(2, 0), (3, 0)], 3));
    let pins = [books.state(3)];
    let authors = [Author::new(public(&author_key()))];
    let demanding = policy(&books, &pins).with_authors(&authors).unwrap().demanding_authorship();
    let receipt = Receipt::parse(&bytes).unwrap();
    let judgement = receipt.verify(&demanding);
    assert_eq!(judgement.verdict().word(), PRESENT);
    let words: Vec<_> = judgement.events().map(|event| event.verdict().word()).collect();
    assert_eq!(words, [PINNED, PRESENT]);
}

/// Each field that is signed, changed in a ledger that holds the changed event honestly; and those
/// that are not.
#[test]
fn a_signature_is_over_the_event_and_its_place() {
    type Change = fn(&mut Body);
    let covered: [(&str, Change); 18] = [
        ("domain", |body| body.domain.push('s')),
        ("edition", |body| body.edition = "draft".into()),
        ("root", |body| body.root.0.push(0)),
        ("event_number", |body| body.event_number = 1),
        ("event_type", |body| body.event_type.push(' ')),
        ("recorded_at", |body| body.recorded_at += 1),
        ("correlation_id", |body| body.correlation_id.push('1')),
        ("causation_id", |body| body.causation_id.push('1')),
        ("external_id", |body| body.external_id.push('1')),
        ("metadata", |body| body.metadata[0].1.0.push(0)),
        ("no metadata", |body| body.metadata.clear()),
        ("content", |body| body.payload = Content::Inline(Blob(vec![]))),
        ("commitment", |body| body.payload = Content::Commitment([0; 32])),
        ("prev_event", |body| (body.event_number, body.prev_event) = (1, [1; 32])),
        ("seen_tx", |body| body.seen_tx = 0),
        ("seen_alh", |body| body.seen_alh[31] ^= 1),
        ("append_id", |body| body.append_id[0] ^= 1),
        ("append_count", |body| body.append_count = 2),
    ];
    let key = *public(&author_key()).as_bytes();
    let authors = [Author::new(public(&author_key()))];
    let check = |change: Change, expected: Authorship| {
        let books = books(|body, ledger| {
            body.sign(&author_key(), ledger);
            change(body);
        });
        let bytes = books.receipt(&Order::new(&[(2, 0)], 2));
        let pins = [books.state(2)];
        let policy = policy(&books, &pins).with_authors(&authors).unwrap();
        assert_eq!(told(&bytes, &policy).1, expected);
        told(&bytes, &policy.demanding_authorship()).0
    };
    for (field, change) in covered {
        let word = check(change, Authorship::Broken { key });
        assert!(word == PRESENT || field == "commitment", "{field}: {word}");
    }
    let free: [Change; 3] =
        [|body| body.commit_id = [9; 16], |body| body.commit_index = 300, |_| {}];
    for change in free {
        assert_eq!(check(change, Authorship::Allowed { key }), PINNED);
    }
}

/// The very same event and signature in a ledger with another id.
#[test]
fn a_signature_is_for_one_ledger() {
    let signed = Books::signed();
    let body =
        EventBody::parse(&signed.bodies[1][0].encode()).unwrap().authorship(signed.id(), &[]);
    assert!(matches!(body, Authorship::Unknown { .. }));
    let encoded = signed.bodies[1][0].encode();
    let body = EventBody::parse(&encoded).unwrap();
    for bit in 0..256 {
        let mut ledger = signed.id().to_bytes();
        ledger[bit / 8] ^= 1 << (bit % 8);
        let told = body.authorship(Alh::new(ledger), &[]);
        assert!(matches!(told, Authorship::Broken { .. }), "bit {bit}");
    }
}

/// Every bit of the body, the key and the signature. Whatever still is a body is not signed by the
/// author, but where the bit is of commit_id or commit_index.
#[test]
fn no_flipped_bit_of_a_body_is_signed() {
    let books = Books::signed();
    let bytes = books.bodies[1][0].encode();
    let free = bytes.len() - 96 - 1 - 1 - 16..bytes.len() - 96 - 1;
    let authors = [Author::new(public(&author_key()))];
    let (mut parsed, mut broken) = (0, 0);
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let Ok(body) = EventBody::parse(&changed) else { continue };
        parsed += 1;
        let told = body.authorship(books.id(), &authors);
        if free.contains(&(bit / 8)) {
            assert!(matches!(told, Authorship::Allowed { .. }), "bit {bit}: {told}");
        } else {
            assert!(matches!(told, Authorship::Broken { .. }), "bit {bit}: {told}");
            broken += 1;
        }
    }
    assert!(broken > 1500 && parsed > broken, "{parsed} {broken}");
}

/// Signatures over what is almost the message, keys of small order and junk.
#[test]
fn what_is_almost_signed_is_broken() {
    let books = Books::new();
    let (ledger, key) = (books.id(), author_key());
    let body = Body::golden(ledger);
    let message = author::message(&body, ledger);
    let prefix = b"counterfoil author 1\0".len();
    let mut cosigned = message.clone();
    cosigned[prefix - 1] = b'\n';
    for wrong in [
        message[prefix..].to_vec(),
        message[..prefix + 32].to_vec(),
        [&message[..], b"\0"].concat(),
        cosigned,
        body.encode(),
        [&message[..prefix + 32], &body.encode()].concat(),
    ] {
        let mut body = body.clone();
        body.author = Some(author::sign(&key, &wrong));
        let told = EventBody::parse(&body.encode()).unwrap().authorship(ledger, &[]);
        let expected = Authorship::Broken { key: *public(&key).as_bytes() };
        assert_eq!(told, expected);
    }
    let mut small = [0; 32];
    small[0] = 1;
    for (key, r, s) in
        [(small, small, [0; 32]), ([0; 32], [0; 32], [0; 32]), ([2; 32], small, [0; 32])]
    {
        let mut body = body.clone();
        body.author = Some((key, r, s));
        let told = EventBody::parse(&body.encode()).unwrap().authorship(ledger, &[]);
        assert_eq!(told, Authorship::Broken { key });
    }
}

/// Of a commitment the commitment is signed; the content is held against it as ever.
#[test]
fn a_commitment_is_signed_and_its_content_shown() {
    let books = books(|body, ledger| {
        body.payload = Content::Commitment(commitment(b"content"));
        body.sign(&author_key(), ledger);
    });
    let bytes = books.receipt(&Order::new(&[(2, 0)], 2));
    let receipt = Receipt::parse(&bytes).unwrap();
    let pins = [books.state(2)];
    let (mine, others) =
        ([Author::new(public(&author_key()))], [Author::new(public(&other_key()))]);
    for (authors, without, shown) in
        [(&mine, "payload_unavailable", PINNED), (&others, PRESENT, PRESENT)]
    {
        let policy = policy(&books, &pins).with_authors(authors).unwrap().demanding_authorship();
        let judgement = receipt.verify(&policy);
        let event = judgement.events().next().unwrap();
        assert_eq!(event.verdict().word(), without);
        assert_eq!(event.with_payload(&SALT, b"content").word(), shown);
        assert_eq!(event.with_payload(&SALT, b"contenT").word(), "broken");
    }
}

/// Where something does not hold, or another ledger is asked about, nobody is called an author.
#[test]
fn of_a_broken_receipt_no_author_is_told() {
    let books = Books::signed();
    let bytes = books.receipt(&Order::new(&[(2, 0)], 2));
    let authors = [Author::new(public(&author_key()))];
    let at = bytes.windows(8).position(|window| window == b"Departed").unwrap();
    let mut changed = bytes.clone();
    changed[at] ^= 1;
    let base = Policy::new(books.id()).with_table(1).with_authors(&authors).unwrap();
    assert_eq!(told(&with_check(changed), &base), ("broken", Authorship::NotChecked));
    let elsewhere = Policy::new(Alh::ZERO).with_authors(&authors).unwrap();
    assert_eq!(told(&bytes, &elsewhere), ("cannot_decide", Authorship::NotChecked));
    // Not which table it is: the author signed the event all the same.
    let key = *public(&author_key()).as_bytes();
    let tables = Policy::new(books.id()).with_authors(&authors).unwrap();
    assert_eq!(told(&bytes, &tables), ("cannot_decide", Authorship::Allowed { key }));
}

#[test]
fn words_and_codes_are_apart() {
    let key = [1; 32];
    let all = [
        Authorship::Allowed { key },
        Authorship::NotAllowed { key },
        Authorship::Unknown { key },
        Authorship::Unsigned,
        Authorship::Broken { key },
        Authorship::NotChecked,
    ];
    for (i, one) in all.iter().enumerate() {
        assert!((4..=4).contains(&one.code().count_ones()));
        for other in &all[i + 1..] {
            assert!((one.code() ^ other.code()).count_ones() >= 4, "{one} {other}");
            assert_ne!(one.word(), other.word());
        }
        let may = matches!(
            one,
            Authorship::Allowed { .. } | Authorship::NotAllowed { .. } | Authorship::Unknown { .. }
        );
        assert_eq!(one.signed_by().is_some(), may);
    }
}

/// Whichever is said first, and wherever in its list the key stands.
#[test]
fn one_key_is_for_one_purpose() {
    let key = |seed| public(&SigningKey::from_bytes(&[seed; 32]));
    let base = Policy::new(Alh::ZERO);
    for shared in 1..=6 {
        // Two authors have the keys 1 and 2, two logs 3 and 4, two witnesses 5 and 6.
        for author in [1, 2] {
            let key = |seed| key(if seed == author { shared } else { seed });
            let authors = [1, 2].map(|seed| Author::new(key(seed)).with_domains(&["shipment"]));
            let log = |seed| LogKey::new(KeyName::new("log.example").unwrap(), key(seed));
            let logs = [3, 4].map(log);
            let witness = |seed| WitnessKey::new(KeyName::new("w.example").unwrap(), key(seed));
            let witnesses = [5, 6].map(witness);
            let quorum = Quorum::new(&witnesses, &[], Member::Witness(0)).unwrap();
            let alone = LogPolicy::new(&logs).unwrap();
            let witnessed = alone.with_quorum(&quorum).unwrap();
            let error = PolicyError::SharedKey { author: author as usize - 1 };
            for (log, refused) in [(alone, 3..=4), (witnessed, 3..=6)] {
                let expected = if refused.contains(&shared) { Some(error) } else { None };
                let authors_first = base.with_authors(&authors).unwrap().with_log_policy(log);
                assert_eq!(authors_first.err(), expected, "{author} {shared}");
                let log_first = base.with_log_policy(log).unwrap().with_authors(&authors);
                assert_eq!(log_first.err(), expected, "{author} {shared}");
            }
        }
    }
    // What takes the place of a list is compared, and not what it was.
    let (log, author) = (LogKey::new(KeyName::new("l").unwrap(), key(1)), Author::new(key(1)));
    let policy = base.with_log_policy(LogPolicy::new(from_ref(&log)).unwrap()).unwrap();
    assert!(policy.with_authors(&[]).unwrap().with_authors(from_ref(&author)).is_err());
}
