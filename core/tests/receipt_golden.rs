//! The bytes in `docs/receipt.md` are the bytes that this crate writes, and the ledger that they are
//! about begins as in `docs/format.md`.

mod ledger;
mod log;
mod receipts;
mod reference;

use std::collections::BTreeMap;
use std::slice::from_ref;

use counterfoil_core::checkpoint::{Group, LogPolicy, Member, Quorum};
use counterfoil_core::receipt::*;
use counterfoil_core::*;
use receipts::{Books, Order, SALT, judge, server_keys};

const FORMAT: &str = include_str!("../../docs/format.md");
const RECEIPT: &str = include_str!("../../docs/receipt.md");

const IN_TWO_TREES: &str = "receipt of an event in two trees";
const EARLIER_PARTED: &str = "receipt with another chain before an earlier state";
const LATER_PARTED: &str = "receipt with another chain before a later state";

/// Lines `name = hex` inside a document's `golden` blocks; long values go on in the next line.
fn documented(document: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let (mut inside, mut last) = (false, String::new());
    for line in document.lines() {
        if line.starts_with("```") {
            inside = line == "```golden";
        } else if inside {
            if let Some((name, hex)) = line.split_once(" = ") {
                name.clone_into(&mut last);
                assert!(found.insert(name.to_owned(), hex.to_owned()).is_none(), "{name} twice");
            } else {
                found.get_mut(&last).unwrap().push_str(line.trim());
            }
        }
    }
    found
}

fn single() -> Order {
    Order { genesis: true, ..Order::new(&[(2, 0)], 2) }
}

fn in_two_trees() -> Order {
    Order { genesis: true, ..Order::new(&[(3, 1)], 9) }
}

fn several(books: &Books) -> Order {
    Order {
        events: vec![(2, 0), (3, 0), (3, 2), (4, 0)],
        state: 6,
        genesis: false,
        earlier: Some(3),
        later: Some(9),
        signature: Some(books.sign(6)),
        checkpoint: None,
    }
}

/// The note of state 6, by the log and two witnesses.
fn note(books: &Books) -> String {
    let checkpoint = log::checkpoint(5, books.ledger.root(5));
    let lines = [
        log::sign(&checkpoint, 1),
        log::cosign(&checkpoint, 0, 1_700_000_100),
        log::cosign(&checkpoint, 1, 1_700_000_200),
    ];
    log::note(&checkpoint, &lines)
}

fn logged(books: &Books) -> Order {
    let events = [(2, 0), (5, 0), (6, 0)];
    Order {
        earlier: Some(4),
        genesis: true,
        checkpoint: Some(note(books)),
        ..Order::new(&events, 6)
    }
}

#[test]
fn the_documented_bytes_are_the_written_ones() {
    let books = Books::golden();
    let mut computed = BTreeMap::new();
    let mut put = |name: &str, bytes: &[u8]| computed.insert(name.to_owned(), hex::encode(bytes));
    put("receipt of one event", &books.receipt(&single()));
    put(IN_TWO_TREES, &books.receipt(&in_two_trees()));
    put("receipt of four events", &books.receipt(&several(&books)));
    let signed = Books::signed();
    put("receipt of a signed event", &signed.receipt(&single()));
    put("alh of the signed event's transaction", signed.ledger.alh(2).as_bytes());
    put("receipt with a checkpoint", &books.receipt(&logged(&books)));
    let parted = Books::parted_at(6);
    put(EARLIER_PARTED, &parted.receipt(&Order { earlier: Some(6), ..Order::new(&[(2, 0)], 9) }));
    put(LATER_PARTED, &parted.receipt(&Order { later: Some(6), ..Order::new(&[(2, 0)], 4) }));
    for tx in [2, 3, 4, 5, 6, 8, 9] {
        put(&format!("alh of transaction {tx}"), books.ledger.alh(tx).as_bytes());
    }
    put("state key", &receipts::state_key_sec1());
    put("name of the state key", server_keys()[0].key.id().as_bytes());
    let documented = documented(RECEIPT);
    let other = computed.iter().filter(|(name, hex)| documented.get(*name) != Some(hex));
    let other: Vec<_> = other.map(|(name, hex)| block(name, hex)).collect();
    assert!(other.is_empty(), "the document should have\n{}", other.join("\n"));
    assert_eq!(documented.len(), computed.len(), "the document has others");
    let keys = [0, 1, 2].map(|place| log::witness(place).to_string());
    let keys = format!("{}\n{}\n", log::log(1), keys.join("\n"));
    for text in [keys, note(&books)] {
        assert!(
            RECEIPT.contains(&format!("```text\n{text}```\n")),
            "the document should have\n{text}"
        );
    }
}

/// What is shown of a receipt is what is verified: the paths, put together again, lead to the roots.
#[test]
fn what_is_placed_leads_to_the_state() {
    let books = Books::golden();
    for order in [single(), in_two_trees(), several(&books)] {
        let bytes = books.receipt(&order);
        let receipt = Receipt::parse(&bytes).unwrap();
        let state = receipt.state_header();
        let (mut shown, mut path) = (Vec::new(), Vec::new());
        for tx in receipt.transactions() {
            extend(&mut path, tx.path);
            if tx.header.id < state.id {
                let (leaf, size) = (tx.header.alh().unwrap().leaf_hash(), state.bl_tx_id.get());
                let index = LeafIndex::new(tx.header.id.get() - 1);
                verify_inclusion(&leaf, index, TreeSize::new(size), &path, &state.bl_root).unwrap();
            }
            let mut path = Vec::new();
            for event in tx.events() {
                extend(&mut path, event.path);
                let leaf = event.digest(receipt.table_id()).leaf_hash();
                let (index, size) = (event.entry.into(), tx.header.nentries.into());
                let (index, size) = (LeafIndex::new(index), TreeSize::new(size));
                verify_inclusion(&leaf, index, size, &path, &tx.header.eh).unwrap();
                assert_eq!(EventBody::parse(event.bytes), Ok(event.body));
                shown.push((tx.header.id.get(), event.entry));
            }
        }
        assert_eq!(shown, order.events);
    }
}

fn extend(path: &mut Vec<[u8; 32]>, placed: PlacedPath<'_>) {
    path.drain(..path.len() - placed.shared);
    path.splice(..0, placed.own.iter().copied());
}

/// As it stands in a document.
fn block(name: &str, hex: &str) -> String {
    let (first, rest) = hex.split_at(hex.len().min(92 - name.len()));
    let rest = rest.as_bytes().chunks(88).map(|line| String::from_utf8_lossy(line));
    rest.fold(format!("{name} = {first}"), |text, line| format!("{text}\n    {line}"))
}

#[test]
fn the_ledger_is_the_one_of_the_stored_format() {
    let documented = documented(FORMAT);
    let books = Books::golden();
    assert_eq!(documented["genesis alh"], books.id().to_string());
    assert_eq!(documented["event alh"], books.ledger.alh(2).to_string());
    assert_eq!(documented["event body"], hex::encode(books.bodies[1][0].encode()));
    assert_eq!(documented["event entry digest"], books.bodies[1][0].digest(1).to_string());
    let body = hex::decode(&documented["event body with commitment and author"]).unwrap();
    let body = EventBody::parse(&body).unwrap();
    assert_eq!(body.payload, Payload::Commitment(&[0x55; 32]));
    assert!(body.author.is_some());
    assert_eq!(body.authorship(books.id(), &[]), Authorship::Broken { key: [0x66; 32] });
    let key = documented["author key"].clone();
    let signed = Books::signed();
    assert_eq!(documented["event body, signed"], hex::encode(signed.bodies[1][0].encode()));
    for (message, body) in [
        ("author message", "event body, signed"),
        ("author message of the commitment", "event body with commitment, signed"),
    ] {
        let body = hex::decode(&documented[body]).unwrap();
        let body = EventBody::parse(&body).unwrap();
        assert_eq!(documented[message], hex::encode(body.author_message(books.id())));
        let told = body.authorship(books.id(), &[]);
        assert_eq!(told.signed_by().map(hex::encode), Some(key.clone()));
    }
    let without = hex::encode(body.ext());
    assert_eq!(documented["ext without external id"], without);
    let commitment = receipts::commitment(b"content");
    assert_eq!(documented["payload commitment"], hex::encode(commitment));
    assert!(Payload::Commitment(&commitment).is_commitment_to(&SALT, b"content"));
}

/// Both receipts, read from the document, under the policies that it names.
#[test]
fn the_documented_receipts_are_verified() {
    let documented = documented(RECEIPT);
    let bytes = |name: &str| hex::decode(&documented[name]).unwrap();
    let (one, four) = (bytes("receipt of one event"), bytes("receipt of four events"));
    let books = Books::golden();
    let keys = server_keys();
    let policy = Policy::new(books.id());
    let words = |bytes: &[u8], policy: &Policy<'_>| {
        let receipt = Receipt::parse(bytes).unwrap();
        let judgement = receipt.verify(policy);
        let events = judgement.events().map(|event| event.verdict().word()).collect::<Vec<_>>();
        (judgement.verdict().word(), events)
    };
    let (pinned, extends) = ("verified_by_pinned_state", "extends_pin_unconfirmed");
    let unavailable = "payload_unavailable";

    assert_eq!(words(&one, &policy), ("intact_unanchored", vec!["intact_unanchored"]));
    let pins = [books.state(2)];
    assert_eq!(words(&one, &policy.with_pins(&pins).unwrap()), (pinned, vec![pinned]));

    assert_eq!(judge(&four, &policy), Verdict::CannotDecide(Missing::Table));
    let policy = policy.with_table(1);
    let all = vec![pinned, pinned, pinned, unavailable];
    for pin in [6, 9] {
        let pins = [books.state(pin)];
        let policy = policy.with_pins(&pins).unwrap();
        assert_eq!(words(&four, &policy), (unavailable, all.clone()));
    }
    let pins = [books.state(3)];
    let mixed = vec![pinned, pinned, pinned, extends];
    let before = policy.with_pins(&pins).unwrap();
    assert_eq!(words(&four, &before), (extends, mixed));
    let signed = "verified_by_signature";
    let all = vec![signed, signed, signed, unavailable];
    let signed = policy.with_state_keys(&keys);
    assert_eq!(words(&four, &signed), (unavailable, all));
    let pins = [books.state(8)];
    let elsewhere = policy.with_pins(&pins).unwrap();
    assert_eq!(judge(&four, &elsewhere).word(), "cannot_decide");

    // Nothing but the link's paths shows what is wrong with these.
    let error = DualError::LastLeaf { tx: TxId::new(5), legacy: true };
    let flaws = [(EARLIER_PARTED, Flaw::Earlier(error)), (LATER_PARTED, Flaw::Later(error))];
    for (name, flaw) in flaws {
        assert_eq!(judge(&bytes(name), &policy), Verdict::Broken(flaw), "{name}");
    }
}

/// The receipt with a checkpoint, read from the document, under the policies that it names.
#[test]
fn the_documented_checkpoint_vouches_for_its_tree() {
    let bytes = hex::decode(&documented(RECEIPT)["receipt with a checkpoint"]).unwrap();
    let receipt = Receipt::parse(&bytes).unwrap();
    let books = Books::golden();
    assert_eq!(receipt.checkpoint().unwrap().to_string(), note(&books));
    let (key, pins) = (log::log(1), [books.state(4)]);
    let witnesses = [log::witness(0), log::witness(1), log::witness(2)];
    let members = [Member::Witness(0), Member::Witness(1), Member::Witness(2)];
    let words = |policy: &Policy<'_>| {
        let judgement = receipt.verify(policy);
        judgement.events().map(|event| event.verdict().word()).collect::<Vec<_>>()
    };
    let base = Policy::new(books.id());
    let alone = LogPolicy::new(from_ref(&key)).unwrap();
    let signed = "verified_by_signature";
    assert_eq!(words(&base.with_log_policy(alone).unwrap()), [signed, signed, "intact_unanchored"]);
    for threshold in [2, 3] {
        let groups = [Group { threshold, members: &members }];
        let quorum = Quorum::new(&witnesses, &groups, Member::Group(0)).unwrap();
        let policy = base.with_log_policy(alone.with_quorum(&quorum).unwrap()).unwrap();
        if threshold == 2 {
            let policy = policy.with_pins(&pins).unwrap();
            let (pinned, extends) = ("verified_by_pinned_state", "extends_pin_unconfirmed");
            assert_eq!(words(&policy), [pinned, "witnessed", extends]);
            assert_eq!(receipt.verify(&policy).next_pin().unwrap().state(), books.state(5));
        } else {
            let undecided = "cannot_decide";
            assert_eq!(words(&policy), [undecided, undecided, "intact_unanchored"]);
            let missing = receipt.verify(&policy).events().next().unwrap().verdict();
            let witnesses = Missing::Witnesses { signed: 2, of: 3 };
            assert_eq!(missing, Verdict::CannotDecide(witnesses));
        }
    }
}

/// The documented receipts of the kind that a device reads, and the others.
#[test]
fn the_documented_receipts_for_a_device() {
    let documented = documented(RECEIPT);
    let bytes = |name: &str| hex::decode(&documented[name]).unwrap();
    let (books, signed) = (Books::golden(), Books::signed());
    for (name, books, pin, expected) in [
        ("receipt of one event", &books, 2, None),
        (IN_TWO_TREES, &books, 9, None),
        ("receipt of a signed event", &signed, 2, None),
        ("receipt of four events", &books, 6, Some(NotPinned::OtherKind)),
        ("receipt with a checkpoint", &books, 6, Some(NotPinned::OtherKind)),
        (EARLIER_PARTED, &books, 9, Some(NotPinned::OtherKind)),
    ] {
        let pins = [books.state(pin)];
        let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
        let bytes = bytes(name);
        assert_eq!(verify_pinned(&bytes, &policy).err(), expected, "{name}");
        if expected.is_none() {
            assert_eq!(judge(&bytes, &policy).word(), "verified_by_pinned_state", "{name}");
        }
    }
}
