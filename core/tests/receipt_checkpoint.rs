//! What a checkpoint in a receipt shows: every transaction of its tree, by its log and a quorum of
//! witnesses, and nothing else.

mod ledger;
mod log;
mod receipts;
mod reference;

use std::slice::from_ref;

use counterfoil_core::checkpoint::{
    Checkpoint, CheckpointError, Group, LogKey, LogPolicy, Member, Note, NoteError, Quorum,
    WitnessKey,
};
use counterfoil_core::receipt::{ReceiptErrorKind as Kind, *};
use counterfoil_core::*;
use ed25519_dalek::Signer as _;
use log::{cosign, cosign_bytes, log as log_key, note, sign as sign_log, witness};
use receipts::{Books, Order, judge, server_keys, with_check};

/// Two of three, as in every test here.
const TWO_OF_THREE: [Member; 3] = [Member::Witness(0), Member::Witness(1), Member::Witness(2)];
const GROUPS: [Group<'_>; 1] = [Group { threshold: 2, members: &TWO_OF_THREE }];

fn witnesses() -> [WitnessKey<'static>; 3] {
    [witness(0), witness(1), witness(2)]
}

fn of_state(books: &Books, state: u64) -> Checkpoint<'static> {
    log::checkpoint(state - 1, books.ledger.root(state - 1))
}

/// The note of a state's tree, by these logs and witnesses.
fn noted(books: &Books, state: u64, logs: &[u8], witnesses: &[u8]) -> String {
    let checkpoint = of_state(books, state);
    let cosigned = witnesses.iter().map(|&place| cosign(&checkpoint, place, 1_800_000_000));
    let signed = logs.iter().map(|&seed| sign_log(&checkpoint, seed));
    note(&checkpoint, &cosigned.chain(signed).collect::<Vec<_>>())
}

fn with_note(order: Order, note: String) -> Order {
    Order { checkpoint: Some(note), ..order }
}

/// Every event under every state that is newer, by the log alone and by a quorum.
#[test]
fn a_checkpoint_vouches_for_its_tree_and_not_for_the_state() {
    let books = Books::golden();
    let (key, witnesses) = (log_key(1), witnesses());
    let quorum = Quorum::new(&witnesses, &GROUPS, Member::Group(0)).unwrap();
    let alone = LogPolicy::new(from_ref(&key)).unwrap();
    let with_quorum = alone.with_quorum(&quorum).unwrap();
    let base = Policy::new(books.id()).with_table(1);
    for state in 3..=books.ledger.len() {
        let size = TreeSize::new(state - 1);
        let order = Order::new(&[(2, 0), (state, 0)], state);
        let bytes = books.receipt(&with_note(order, noted(&books, state, &[1], &[0, 2])));
        let receipt = Receipt::parse(&bytes).unwrap();
        let each = |policy: Policy<'_>| {
            let judgement = receipt.verify(&policy);
            let [old, own] =
                judgement.events().map(|event| event.verdict()).collect::<Vec<_>>()[..]
            else {
                panic!()
            };
            assert_eq!(judgement.verdict(), own);
            (old, own)
        };
        let (logged, unanchored) =
            (Verdict::Verified(Anchor::Logged { size }), Verdict::Unanchored);
        assert_eq!(each(base), (unanchored, unanchored));
        assert_eq!(each(base.with_log_policy(alone).unwrap()), (logged, unanchored));
        let witnessed = Verdict::Verified(Anchor::Witnessed { signed: 2, of: 3 });
        assert_eq!(each(base.with_log_policy(with_quorum).unwrap()), (witnessed, unanchored));
        assert_eq!((logged.word(), logged.code()), ("verified_by_signature", 0x66));
        assert_eq!((witnessed.word(), witnessed.code()), ("witnessed", 0x69));
        let by = receipt.verify(&base.with_log_policy(with_quorum).unwrap()).witnesses().unwrap();
        assert_eq!((by.signed, by.of), (2, 3));
        assert_eq!((by.oldest, by.newest), (1_800_000_000, 1_800_000_000));
        // A bound before the cosignatures' time: as if they were not there.
        let bounded = with_quorum.with_latest_time(1_799_999_999);
        let missing = Verdict::CannotDecide(Missing::Witnesses { signed: 0, of: 3 });
        assert_eq!(
            receipt
                .verify(&base.with_log_policy(bounded).unwrap())
                .events()
                .next()
                .unwrap()
                .verdict(),
            missing
        );
    }
}

#[test]
fn a_quorum_is_met_with_the_log_or_not_at_all() {
    let books = Books::golden();
    let (key, witnesses) = (log_key(1), witnesses());
    let quorum = Quorum::new(&witnesses, &GROUPS, Member::Group(0)).unwrap();
    let log = LogPolicy::new(from_ref(&key)).unwrap().with_quorum(&quorum).unwrap();
    let policy = Policy::new(books.id()).with_table(1).with_log_policy(log).unwrap();
    let judged = |logs: &[u8], signed: &[u8]| {
        let order = with_note(Order::new(&[(3, 1)], 6), noted(&books, 6, logs, signed));
        judge(&books.receipt(&order), &policy)
    };
    let witnessed = |signed| Verdict::Verified(Anchor::Witnessed { signed, of: 3 });
    let missing = |signed| Verdict::CannotDecide(Missing::Witnesses { signed, of: 3 });
    assert_eq!(judged(&[1], &[0, 1, 2]), witnessed(3));
    assert_eq!(judged(&[1], &[2, 1]), witnessed(2));
    assert_eq!(judged(&[1], &[1]), missing(1));
    assert_eq!(judged(&[1], &[]), missing(0));
    // Witnesses that the policy does not know.
    assert_eq!(judged(&[1], &[1, 3, 4]), missing(1));
    // All of the witnesses, and another log's key under the same name.
    assert_eq!(judged(&[2], &[0, 1, 2]), Verdict::Unanchored);
    assert_eq!(judged(&[1, 2], &[0, 1]), witnessed(2));
    assert_eq!(missing(1).word(), "cannot_decide");
    assert_eq!(Missing::Witnesses { signed: 1, of: 3 }.word(), "witnesses");
}

/// Signatures of the tree of another state, of another ledger, of another time.
#[test]
fn a_wrong_signature_of_a_known_key_breaks_the_receipt() {
    let books = Books::golden();
    let other = Books::parted_at(4);
    let (key, witnesses) = (log_key(1), witnesses());
    let quorum = Quorum::new(&witnesses, &GROUPS, Member::Group(0)).unwrap();
    let log = LogPolicy::new(from_ref(&key)).unwrap().with_quorum(&quorum).unwrap();
    let policy = Policy::new(books.id()).with_table(1).with_log_policy(log).unwrap();
    let pins = [books.state(6)];
    let pinned = policy.with_pins(&pins).unwrap();
    let right = of_state(&books, 6);
    let lines = [sign_log(&right, 1), cosign(&right, 0, 5), cosign(&right, 1, 5)];
    let judged = |lines: &[String], policy: &Policy<'_>| {
        let order = with_note(Order::new(&[(3, 1)], 6), note(&right, lines));
        judge(&books.receipt(&order), policy)
    };
    let broken = |index| Verdict::Broken(Flaw::Checkpoint(CheckpointError::Signature { index }));
    assert_eq!(judged(&lines, &policy), Verdict::Verified(Anchor::Witnessed { signed: 2, of: 3 }));
    let stale = witness(0).cosignature(6, &cosign_bytes(&right, 0, 5)).unwrap().to_string();
    let [log, first, second] = lines;
    for (place, wrong) in [
        (0, [sign_log(&of_state(&books, 7), 1), first.clone(), second.clone()]),
        (0, [sign_log(&of_state(&other, 6), 1), first.clone(), second.clone()]),
        (1, [log.clone(), cosign(&of_state(&books, 5), 0, 5), second.clone()]),
        (1, [log.clone(), stale, second.clone()]),
        // Also where enough others are right, and where a pin would do.
        (3, [format!("{log}{first}"), second.clone(), cosign(&of_state(&other, 6), 2, 5)]),
    ] {
        assert_eq!(judged(&wrong, &policy), broken(place));
        assert_eq!(judged(&wrong, &pinned), broken(place));
        // Whoever knows none of the keys has not read them.
        let nobody = Policy::new(books.id()).with_table(1);
        assert_eq!(judged(&wrong, &nobody), Verdict::Unanchored);
    }
    assert_eq!(broken(0).word(), "broken");
    let Verdict::Broken(flaw) = broken(0) else { panic!() };
    assert_eq!((flaw.word(), flaw.tx(), flaw.entry()), ("checkpoint", None, None));
}

/// A signed tree, and a state that anybody could have put upon it.
#[test]
fn a_forged_state_over_a_witnessed_tree_shows_what_is_in_the_tree_only() {
    let honest = Books::golden();
    let mut forged = Books::golden();
    let mut body = receipts::Body::golden(forged.id());
    body.event_type = "Forged".into();
    forged.append(&[body]);
    let key = log_key(1);
    let log = LogPolicy::new(from_ref(&key)).unwrap();
    let policy = Policy::new(honest.id()).with_table(1).with_log_policy(log).unwrap();
    let tree = noted(&honest, 10, &[1], &[]);
    assert_eq!(of_state(&honest, 10), of_state(&forged, 10));
    let bytes = forged.receipt(&with_note(Order::new(&[(9, 0), (10, 0)], 10), tree));
    let receipt = Receipt::parse(&bytes).unwrap();
    let judgement = receipt.verify(&policy);
    let each: Vec<_> = judgement.events().map(|event| event.verdict().word()).collect();
    assert_eq!(each, ["verified_by_signature", "intact_unanchored"]);
    assert_eq!(judgement.verdict(), Verdict::Unanchored);
}

#[test]
fn of_two_anchors_the_pin_is_named_then_witnesses_then_signatures() {
    let books = Books::golden();
    let (key, witnesses, state_keys) = (log_key(1), witnesses(), server_keys());
    let quorum = Quorum::new(&witnesses, &GROUPS, Member::Group(0)).unwrap();
    let alone = LogPolicy::new(from_ref(&key)).unwrap();
    let log = alone.with_quorum(&quorum).unwrap();
    let base = Policy::new(books.id()).with_table(1);
    let mut order = Order::new(&[(2, 0), (5, 0), (6, 0)], 6);
    (order.earlier, order.signature) = (Some(3), Some(books.sign(6)));
    let each = |policy: Policy<'_>, signed: &[u8]| {
        let bytes = books.receipt(&with_note(order.clone(), noted(&books, 6, &[1], signed)));
        let receipt = Receipt::parse(&bytes).unwrap();
        receipt.verify(&policy).events().map(|event| event.verdict()).collect::<Vec<_>>()
    };
    let pins = [books.state(3)];
    let pinned = Verdict::Verified(Anchor::Pinned(pins[0]));
    let witnessed = Verdict::Verified(Anchor::Witnessed { signed: 2, of: 3 });
    let signed = Verdict::Verified(Anchor::Signed(books.state(6)));
    let logged = Verdict::Verified(Anchor::Logged { size: TreeSize::new(5) });
    let all = base.with_pins(&pins).unwrap().with_log_policy(log).unwrap();
    let keyed = all.with_state_keys(&state_keys);
    assert_eq!(each(keyed, &[0, 1]), [pinned, witnessed, signed]);
    // Without enough witnesses the state's signature still stands.
    assert_eq!(each(keyed, &[0]), [pinned, signed, signed]);
    let extends = Verdict::ExtendsPin { pin: pins[0], state: books.state(6).into() };
    assert_eq!(each(all, &[0, 1]), [pinned, witnessed, extends]);
    assert_eq!(each(all, &[0]), [pinned, extends, extends]);
    let by_log = base.with_pins(&pins).unwrap().with_log_policy(alone).unwrap();
    assert_eq!(each(by_log, &[]), [pinned, logged, extends]);
    // Both signatures: the state's covers more.
    let both = base.with_log_policy(alone).unwrap().with_state_keys(&state_keys);
    assert_eq!(each(both, &[]), [signed, signed, signed]);
}

/// Every bit, with the check made to fit.
#[test]
fn no_flipped_bit_of_a_checkpoint_vouches() {
    let books = Books::golden();
    let (key, witnesses) = (log_key(1), [witness(0), witness(1)]);
    let members = [Member::Witness(0), Member::Witness(1)];
    let groups = [Group { threshold: 2, members: &members }];
    let quorum = Quorum::new(&witnesses, &groups, Member::Group(0)).unwrap();
    let log = LogPolicy::new(from_ref(&key)).unwrap().with_quorum(&quorum).unwrap();
    let policy = Policy::new(books.id()).with_table(1).with_log_policy(log).unwrap();
    let order = with_note(Order::new(&[(3, 1)], 6), noted(&books, 6, &[1], &[0, 1]));
    let bytes = books.receipt(&order);
    assert_eq!(judge(&bytes, &policy).word(), "witnessed");
    let whole = books.receipt(&Order { checkpoint: None, ..order });
    // Behind the number of parts.
    for at in whole.len() - 8..bytes.len() - 8 {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let verdict = judge(&with_check(changed), &policy);
            assert_eq!(verdict.trusted(), None, "bit {bit} of byte {at}: {verdict:?}");
        }
    }
}

#[test]
fn a_checkpoint_is_read_as_it_is_written_and_no_other_way() {
    let books = Books::golden();
    let order = Order::new(&[(3, 1)], 6);
    let text = noted(&books, 6, &[2, 1], &[4, 0, 2, 0]);
    let bytes = books.receipt(&with_note(order.clone(), text));
    let receipt = Receipt::parse(&bytes).unwrap();
    let checkpoint = receipt.checkpoint().unwrap();
    assert_eq!(checkpoint.checkpoint(), of_state(&books, 6));
    let signed: Vec<_> = checkpoint.signatures().collect();
    assert_eq!(signed.len(), 5);
    let names: Vec<_> = signed[2..].iter().map(|signature| signature.name().as_str()).collect();
    assert_eq!(names, ["w0.example", "w2.example", "w4.example"]);
    assert!(signed[0].id() < signed[1].id());
    // What it writes is a note, and gives the same.
    let written = checkpoint.to_string();
    let read = Note::parse(written.as_bytes()).unwrap();
    let mut buffer = [0; 2000];
    let again = ReceiptCheckpoint::from_note(&read, &books.ledger.header(6), &mut buffer).unwrap();
    assert_eq!(again, checkpoint);
    assert_eq!(receipt.attached().checkpoint, Some(checkpoint));
    let mut buffer = vec![0; bytes.len()];
    assert_eq!(receipt.encode_with(&receipt.attached(), &mut buffer).unwrap(), bytes);

    // What is no checkpoint of this state's tree is not put in.
    let from_note = |text: &str, len: usize| {
        let note = Note::parse(text.as_bytes()).unwrap();
        let mut buffer = vec![0; len];
        let header = books.ledger.header(6);
        ReceiptCheckpoint::from_note(&note, &header, &mut buffer).map(|_| ()).map_err(|e| e.kind)
    };
    let good = noted(&books, 6, &[1], &[0]);
    assert_eq!(from_note(&good, 2000), Ok(()));
    assert_eq!(from_note(&good, 100), Err(Kind::BufferTooSmall));
    assert_eq!(from_note(&noted(&books, 7, &[1], &[0]), 2000), Err(Kind::OtherCheckpoint));
    let extended = good.replacen("=\n\n", "=\nextension\n\n", 1);
    assert_eq!(from_note(&extended, 2000), Err(Kind::OtherCheckpoint));
    let unsigned = Err(Kind::Checkpoint(NoteError::Unsigned));
    assert_eq!(from_note(&noted(&books, 6, &[], &[0, 1]), 2000), unsigned);
}

#[test]
fn a_checkpoint_has_one_form() {
    let books = Books::golden();
    let plain = books.receipt(&Order::new(&[(3, 1)], 6));
    // In place of the number of parts, which is 0.
    let read = |state_bytes: &[u8], content: &[u8]| {
        let len = content.len() as u64;
        let len = postcard::to_stdvec(&len).unwrap();
        let head = &state_bytes[..state_bytes.len() - 9];
        let bytes = [head, &[1, 4], &len, content, &[0; 8]].concat();
        Receipt::parse(&with_check(bytes)).map(|_| ()).map_err(|error| error.kind)
    };
    let name = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    let log = |id: u8| [&[id; 4][..], &[7; 64]].concat();
    let seen = |text: &str, id: u8| [name(text), vec![id; 4], vec![0], vec![7; 64]].concat();
    let whole = |logs: &[Vec<u8>], seen: &[Vec<u8>]| {
        [name("o"), vec![logs.len() as u8], logs.concat(), vec![seen.len() as u8], seen.concat()]
            .concat()
    };
    let good = whole(&[log(1), log(2)], &[seen("a", 2), seen("b", 1), seen("b", 2)]);
    assert_eq!(read(&plain, &good), Ok(()));
    let note = |error| Err(Kind::Checkpoint(error));
    for (content, error) in [
        (whole(&[], &[seen("a", 1)]), note(NoteError::Unsigned)),
        (whole(&[log(2), log(1)], &[]), Err(Kind::Order)),
        (whole(&[log(1), log(1)], &[]), Err(Kind::Order)),
        (whole(&[log(1)], &[seen("b", 1), seen("a", 2)]), Err(Kind::Order)),
        (whole(&[log(1)], &[seen("a", 2), seen("a", 1)]), Err(Kind::Order)),
        (whole(&[log(1)], &[seen("a", 1), seen("a", 1)]), Err(Kind::Order)),
        (whole(&[log(1)], &[seen("", 1)]), note(NoteError::Name)),
        (whole(&[log(1)], &[seen("a b", 1)]), note(NoteError::Name)),
        ([&name("o+")[..], &good[2..]].concat(), note(NoteError::Name)),
        ([&good[..], &[0]].concat(), Err(Kind::TrailingBytes)),
        ([&name("o")[..], &[0x81, 0], &good[3..]].concat(), Err(Kind::NotMinimal)),
        (vec![], Err(Kind::Truncated)),
    ] {
        assert_eq!(read(&plain, &content), error, "{content:02x?}");
    }
    for len in 0..good.len() {
        assert!(read(&plain, &good[..len]).is_err(), "{len}");
    }
    let late = [name("a"), vec![1; 4], postcard::to_stdvec(&(1_u64 << 63)).unwrap(), vec![7; 64]];
    assert_eq!(read(&plain, &whole(&[log(1)], &[late.concat()])), note(NoteError::Time));
    let many: Vec<_> = (0..100).map(|id| seen("a", id)).collect();
    assert_eq!(read(&plain, &whole(&[log(1)], &many[..99])), Ok(()));
    let too_many = note(NoteError::TooManySignatures);
    assert_eq!(read(&plain, &whole(&[log(1)], &many)), too_many);
}

/// A policy that takes another ledger's log for this one's.
#[test]
fn a_log_that_names_another_ledger_vouches_for_nothing() {
    let books = Books::golden();
    let id = books.id().to_string();
    let other = Alh::new([7; 32]).to_string();
    let upper = id.to_uppercase();
    assert_ne!(id, upper);
    for (ledger, vouches) in [
        (id.as_str(), true),
        (other.as_str(), false),
        (upper.as_str(), false),
        (&other[1..], true),
        ("goods", true),
    ] {
        let origin = format!("counterfoil/{ledger}");
        let origin = log::name(&origin);
        assert_eq!(origin.names_other_ledger(&books.id()), !vouches, "{origin}");
        let key = LogKey::new(origin, log::public(&log::signer(1)));
        let checkpoint = Checkpoint::new(origin, TreeSize::new(5), books.ledger.root(5)).unwrap();
        let signature = log::signer(1).sign(checkpoint.to_string().as_bytes()).to_bytes();
        let note = note(&checkpoint, &[key.signature(&signature).to_string()]);
        let policy = LogPolicy::new(from_ref(&key)).unwrap();
        let policy = Policy::new(books.id()).with_table(1).with_log_policy(policy).unwrap();
        let verdict = judge(&books.receipt(&with_note(Order::new(&[(3, 1)], 6), note)), &policy);
        let logged = Verdict::Verified(Anchor::Logged { size: TreeSize::new(5) });
        assert_eq!(verdict, if vouches { logged } else { Verdict::Unanchored }, "{origin}");
    }
}
