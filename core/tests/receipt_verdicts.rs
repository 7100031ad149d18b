//! What a receipt shows under a policy: by which pin, how far, and what it never shows.

mod ledger;
mod receipts;
mod reference;

use std::collections::HashSet;

use counterfoil_core::receipt::*;
use counterfoil_core::*;
use receipts::{Body, Books, Order, SALT, judge, other_key, server_keys, sign, sign_with};

fn pinned(state: TrustedState) -> Verdict {
    Verdict::Verified(Anchor::Pinned(state))
}

fn all_events(books: &Books) -> Vec<(u64, u32)> {
    let txs = (1_u64..).zip(&books.bodies);
    txs.flat_map(|(tx, bodies)| (0..bodies.len() as u32).map(move |entry| (tx, entry))).collect()
}

/// Every event under every state, with every link that there is, for every pin.
#[test]
fn a_pin_vouches_exactly_for_what_is_not_after_it() {
    let books = Books::golden();
    let last = books.ledger.len();
    let mut verdicts = HashSet::new();
    for (tx, entry) in all_events(&books).into_iter().filter(|(tx, _)| *tx != 4) {
        for state in tx..=last {
            let links = (0..state).map(|earlier| (earlier, 0));
            let links = links.chain((state + 1..=last).map(|later| (0, later)));
            for (earlier, later) in links {
                let mut order = Order::new(&[(tx, entry)], state);
                (order.earlier, order.genesis) = ((earlier > 0).then_some(earlier), tx % 2 == 0);
                order.later = (later > 0).then_some(later);
                let bytes = books.receipt(&order);
                for pin in 1..=last {
                    let pins = [books.state(pin)];
                    let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
                    let pin = pins[0];
                    let claimed = TxAlh::from(books.state(state));
                    let known = [state, earlier, later, tx].map(TxId::new).contains(&pin.tx);
                    let expected = match known {
                        true if pin.tx.get() >= tx => pinned(pin),
                        true => Verdict::ExtendsPin { pin, state: claimed },
                        false => Verdict::CannotDecide(Missing::Link { pin, state: claimed }),
                    };
                    let what = format!("{tx}.{entry} under {state}, {earlier}, {later}, by {pin}");
                    assert_eq!(judge(&bytes, &policy), expected, "{what}");
                    assert_eq!(expected.trusted().is_some(), known && pin.tx.get() >= tx);
                    verdicts.insert(expected.word());
                }
                let policy = Policy::new(books.id()).with_table(1);
                assert_eq!(judge(&bytes, &policy), Verdict::Unanchored);
            }
        }
    }
    assert_eq!(verdicts.len(), 3);
}

/// Whoever knows a state can extend it. That proves nothing, however often it is sent.
#[test]
fn a_forged_extension_is_never_trusted() {
    let honest = Books::golden();
    let mut forged = Books::golden();
    let mut body = Body::golden(forged.id());
    body.event_type = "Forged".into();
    forged.append(&[body]);
    let mut order = Order::new(&[(10, 0)], 10);
    order.earlier = Some(9);
    let bytes = forged.receipt(&order);
    let pins = [honest.state(9)];
    let policy = Policy::new(honest.id()).with_table(1).with_pins(&pins).unwrap();
    for _ in 0..2 {
        let verdict = judge(&bytes, &policy);
        let state = forged.state(10).into();
        assert_eq!(verdict, Verdict::ExtendsPin { pin: pins[0], state });
        assert_eq!(verdict.trusted(), None);
    }
    // What the forger shows of the time before the pin is true all the same.
    order.events = vec![(2, 0)];
    assert_eq!(judge(&forged.receipt(&order), &policy), pinned(pins[0]));
    // Together it is worth as much as its weakest event, and each for itself what it is.
    order.events = vec![(2, 0), (3, 1), (10, 0)];
    let bytes = forged.receipt(&order);
    let receipt = Receipt::parse(&bytes).unwrap();
    let judgement = receipt.verify(&policy);
    assert_eq!(judgement.verdict().word(), "extends_pin_unconfirmed");
    let each: Vec<_> = judgement.events().map(|event| event.verdict().word()).collect();
    let pinned = "verified_by_pinned_state";
    assert_eq!(each, [pinned, pinned, "extends_pin_unconfirmed"]);
}

/// A pinned transaction vouches for its own events under whatever state they are shown, and for no
/// others.
#[test]
fn a_pinned_transaction_vouches_for_its_own_events() {
    let books = Books::golden();
    let bytes = books.receipt(&Order::new(&[(2, 0), (5, 0), (6, 0)], 9));
    let receipt = Receipt::parse(&bytes).unwrap();
    let pins = [books.state(5)];
    let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
    let judgement = receipt.verify(&policy);
    let missing = Missing::Link { pin: pins[0], state: books.state(9).into() };
    let undecided = Verdict::CannotDecide(missing);
    assert_eq!(judgement.verdict(), undecided);
    let each: Vec<_> = judgement.events().map(|event| event.verdict()).collect();
    assert_eq!(each, [undecided, pinned(pins[0]), undecided]);

    // Whose table is not known, nothing is known of it.
    let policy = Policy::new(books.id()).with_pins(&pins).unwrap();
    let judgement = receipt.verify(&policy);
    let undecided = Verdict::CannotDecide(Missing::Table);
    assert!(judgement.events().all(|event| event.verdict() == undecided));
}

/// Paths that are longer than those of any tree, in a receipt that somebody wrote by hand.
#[test]
fn a_path_that_is_too_long_is_refused() {
    let books = Books::golden();
    let pins = [books.state(9)];
    let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
    books.with_parts(&Order::new(&[(2, 0), (3, 0), (3, 1)], 9), |parts| {
        let mut buffer = vec![0; 10_000];
        let [two, three] = [parts.transactions[0], parts.transactions[1]];
        let mut verdict = |transactions: &[ReceiptTx<'_>]| {
            let parts = ReceiptParts { transactions, ..*parts };
            judge(parts.encode(&mut buffer).unwrap(), &policy)
        };
        assert!(verdict(&[two, three]).trusted().is_some());
        // Transactions 2 and 3 share one term, their last.
        let last = *two.path.last().unwrap();
        let long = [&[[1; 32]; 64][..], &[last]].concat();
        let length = TreeError::PathLength { expected: 3, found: 65 };
        let error = ProofError::TxInclusion(length);
        let broken = Verdict::Broken(Flaw::Tx { tx: TxId::new(3), error });
        assert_eq!(verdict(&[two, ReceiptTx { path: &long, ..three }]), broken);
        // Entries 0 and 1 of three likewise.
        let [first, second] = [three.events[0], three.events[1]];
        let last = *first.path.last().unwrap();
        let long = [&[[1; 32]; 32][..], &[last]].concat();
        let length = TreeError::PathLength { expected: 2, found: 33 };
        let error = ProofError::EntryInclusion(length);
        let broken = Verdict::Broken(Flaw::Entry { tx: TxId::new(3), entry: 1, error });
        let events = [first, ReceiptEntry { path: &long, ..second }];
        assert_eq!(verdict(&[ReceiptTx { events: &events, ..three }]), broken);
        // One too many, one too few, of either.
        for (path, tx) in [(&two.path[1..], two), (&[two.path, &[last]].concat(), two)] {
            let verdict = verdict(&[ReceiptTx { path, ..tx }]);
            assert!(matches!(verdict, Verdict::Broken(Flaw::Tx { .. })), "{verdict:?}");
        }
        for path in [&first.path[1..], &[first.path, &[last]].concat()] {
            let events = [ReceiptEntry { path, ..first }];
            let verdict = verdict(&[ReceiptTx { events: &events, ..three }]);
            assert!(matches!(verdict, Verdict::Broken(Flaw::Entry { .. })), "{verdict:?}");
        }
    });
}

/// Two ledgers that differ in one event.
#[test]
fn a_fork_is_refused_wherever_it_shows() {
    let honest = Books::golden();
    let mut forked = Books::new();
    for tx in 2..=9_u64 {
        let mut bodies = honest.bodies[tx as usize - 1].clone();
        for body in &mut bodies {
            if tx == 5 {
                body.event_type = "Diverted".into();
            }
            body.seen_alh = forked.ledger.alh(body.seen_tx).to_bytes();
        }
        forked.append(&bodies);
    }
    assert_eq!(forked.state(4), honest.state(4));
    assert_ne!(forked.state(5), honest.state(5));

    let policy = Policy::new(honest.id()).with_table(1);
    for (tx, pin) in [(5, 5), (5, 7), (5, 9), (6, 9), (2, 7)] {
        let pins = [honest.state(pin)];
        let policy = policy.with_pins(&pins).unwrap();
        for state in tx.max(pin)..=9 {
            for link in [false, true] {
                let mut order = Order::new(&[(tx, 0)], state);
                order.earlier = (link && pin < state).then_some(pin);
                let verdict = judge(&forked.receipt(&order), &policy);
                assert_eq!(verdict.trusted(), None, "{tx} by {pin} under {state}: {verdict:?}");
                // The transaction after the pin names it, too.
                let meets = state == pin || state == pin + 1 || link || tx == pin;
                let broken = Verdict::Broken(Flaw::Contradicts { tx: TxId::new(pin) });
                assert_eq!(verdict == broken, meets, "{tx} by {pin} under {state}: {verdict:?}");
            }
        }
    }
    // The same event of the forked ledger is verified by its own pins.
    let pins = [forked.state(9)];
    let own = policy.with_pins(&pins).unwrap();
    assert_eq!(judge(&forked.receipt(&Order::new(&[(5, 0)], 9)), &own), pinned(pins[0]));
    // And of what both have in common, the pin before the fork vouches for both.
    let pins = [honest.state(4)];
    let before = policy.with_pins(&pins).unwrap();
    let mut order = Order::new(&[(3, 2)], 9);
    order.earlier = Some(4);
    assert_eq!(judge(&forked.receipt(&order), &before), pinned(pins[0]));
}

/// Links made of two ledgers: a pinned state of the one, tied to the other by whatever paths there
/// are.
#[test]
fn a_link_between_two_ledgers_is_refused() {
    let honest = Books::golden();
    let mut forked = Books::new();
    forked.append(&[Body { event_type: "Diverted".into(), ..Body::golden(honest.id()) }]);
    for tx in 3..=9_u64 {
        forked.append(&honest.bodies[tx as usize - 1]);
    }
    let policy = Policy::new(honest.id()).with_table(1);
    for other in [1, 3, 4, 5, 7, 8, 9] {
        let pins = [honest.state(other)];
        let policy = policy.with_pins(&pins).unwrap();
        let mut order = Order::new(&[(2, 0)], 6);
        match other < 6 {
            true => order.earlier = Some(other),
            false => order.later = Some(other),
        }
        for paths in [&forked, &honest] {
            let bytes = forked.receipt(&order);
            let verdict = paths.with_parts(&order, |parts| {
                let header = honest.ledger.header(other);
                let Attached { mut earlier, mut later, .. } = parts.attached;
                for link in earlier.iter_mut().chain(&mut later) {
                    link.header = header;
                }
                let attached = Attached { earlier, later, ..Attached::default() };
                let mut buffer = [0; 4000];
                let receipt = Receipt::parse(&bytes).unwrap();
                judge(receipt.encode_with(&attached, &mut buffer).unwrap(), &policy)
            });
            match (other, verdict) {
                // Both begin alike.
                (1, Verdict::ExtendsPin { .. }) => {}
                (..=5, Verdict::Broken(Flaw::Earlier(_))) => {}
                (7.., Verdict::Broken(Flaw::Later(_))) => {}
                _ => panic!("{other}: {verdict:?}"),
            }
        }
    }
}

/// A receipt that says to be of the policy's ledger and shows another one's first transaction.
#[test]
fn a_first_transaction_is_the_ledgers_id() {
    let books = Books::golden();
    let pins = [books.state(6)];
    let policy = Policy::new(Alh::ZERO).with_table(1).with_pins(&pins).unwrap();
    let labelled = |order: &Order| {
        books.with_parts(order, |parts| {
            let mut buffer = [0; 4000];
            let parts = ReceiptParts { ledger: Alh::ZERO, ..*parts };
            judge(parts.encode(&mut buffer).unwrap(), &policy)
        })
    };
    let mut order = Order::new(&[(3, 0)], 6);
    // That pin and ledger belong together is the policy's own claim.
    assert_eq!(labelled(&order), pinned(pins[0]));
    let broken = Verdict::Broken(Flaw::Contradicts { tx: TxId::new(1) });
    for earlier in [1, 2] {
        order.earlier = Some(earlier);
        assert_eq!(labelled(&order), broken, "{earlier}");
    }
    // Transaction 2 names it as its predecessor, as an event's and as the state.
    assert_eq!(labelled(&Order::new(&[(2, 0)], 6)), broken);
    assert_eq!(labelled(&Order::new(&[(2, 0)], 2)), broken);
}

/// A database that was made anew has the old one's name, and its key.
#[test]
fn a_state_of_another_ledger_is_refused_where_it_names_the_first_transaction() {
    let books = Books::golden();
    let keys = server_keys();
    let policy = Policy::new(Alh::ZERO).with_table(1).with_state_keys(&keys);
    let labelled = |order: &Order| {
        books.with_parts(order, |parts| {
            let mut buffer = [0; 4000];
            let parts = ReceiptParts { ledger: Alh::ZERO, ..*parts };
            judge(parts.encode(&mut buffer).unwrap(), &policy)
        })
    };
    let signed = |order| Order { signature: Some(books.sign(6)), ..order };
    let broken = Verdict::Broken(Flaw::Contradicts { tx: TxId::new(1) });
    for earlier in [1, 2] {
        let order = Order { earlier: Some(earlier), ..Order::new(&[(3, 0)], 6) };
        assert_eq!(labelled(&signed(order)), broken);
    }
    assert_eq!(labelled(&signed(Order::new(&[(2, 0), (3, 0)], 6))), broken);
    // Where it names none that the policy knows, it is as good as the policy's claim.
    let claimed = Verdict::Verified(Anchor::Signed(books.state(6)));
    assert_eq!(labelled(&signed(Order::new(&[(3, 0)], 6))), claimed);
}

/// A ledger that goes on from another transaction than the pinned one, wherever that shows: in the
/// state, in an event's transaction, in a link's state.
#[test]
fn a_fork_behind_a_pin_is_refused() {
    let honest = Books::golden();
    let keys = server_keys();
    let base = Policy::new(honest.id()).with_table(1).with_state_keys(&keys);
    let links = |order: Order, earlier, later| Order { earlier, later, ..order };
    let cases = [
        (9, Order::new(&[(9, 0)], 9)),
        (9, Order::new(&[(2, 0)], 9)),
        (7, Order::new(&[(7, 0)], 9)),
        (7, Order::new(&[(2, 0), (5, 0), (7, 0)], 9)),
        (7, links(Order::new(&[(2, 0)], 9), Some(7), None)),
        (9, links(Order::new(&[(2, 0)], 6), None, Some(9))),
    ];
    for (parted, mut order) in cases {
        let forked = Books::parted_at(parted);
        order.signature = Some(forked.sign(order.state));
        let bytes = forked.receipt(&order);
        let pins = [honest.state(parted - 1)];
        let by_pin = base.with_pins(&pins).unwrap();
        let broken = Verdict::Broken(Flaw::Contradicts { tx: pins[0].tx });
        assert_eq!(judge(&bytes, &by_pin), broken, "{parted}");
        // Without the pin there is nothing to compare with.
        let signed = Verdict::Verified(Anchor::Signed(forked.state(order.state)));
        assert_eq!(judge(&bytes, &base), signed, "{parted}");
        // The honest one passes under the same policy.
        order.signature = Some(honest.sign(order.state));
        assert!(judge(&honest.receipt(&order), &by_pin).trusted().is_some(), "{parted}");
    }
}

/// A later state in the receipt that is another one than the pinned: refused, though the pin is not
/// needed for more than that.
#[test]
fn every_state_in_a_receipt_is_compared_with_every_pin() {
    let honest = Books::golden();
    let mut forked = Books::golden();
    let mut body = Body::golden(forked.id());
    body.event_number = 99;
    forked.append(&[body]);
    let mut more = Books::golden();
    more.append(&[Body::golden(more.id())]);

    let mut order = Order::new(&[(2, 0)], 9);
    order.later = Some(10);
    let bytes = forked.receipt(&order);
    let pins = [more.state(10), honest.state(9)];
    let policy = Policy::new(honest.id()).with_table(1).with_pins(&pins).unwrap();
    let broken = Verdict::Broken(Flaw::Contradicts { tx: TxId::new(10) });
    assert_eq!(judge(&bytes, &policy), broken);
    assert_eq!(judge(&more.receipt(&order), &policy), pinned(honest.state(9)));
}

#[test]
fn policies_that_contradict_themselves_are_none() {
    let books = Books::golden();
    let policy = Policy::new(books.id());
    let other = TrustedState { tx: TxId::new(3), alh: Alh::ZERO };
    let pins = |pins: &[TrustedState]| policy.with_pins(pins).map(|_| ());
    assert_eq!(pins(&[books.state(3), books.state(1), books.state(3)]), Ok(()));
    let differ = Err(PolicyError::PinsDiffer { tx: TxId::new(3) });
    assert_eq!(pins(&[books.state(3), books.state(2), other]), differ);
    let first = TrustedState { tx: TxId::new(1), alh: Alh::ZERO };
    assert_eq!(pins(&[first]), Err(PolicyError::PinNotLedger));
    let zero = TrustedState { tx: TxId::new(0), alh: Alh::ZERO };
    assert_eq!(pins(&[zero]), Err(PolicyError::PinZero));
}

#[test]
fn the_ledger_and_the_table_are_the_policys() {
    let books = Books::golden();
    let pins = [books.state(9)];
    let mut order = Order::new(&[(2, 0)], 9);
    let bare = books.receipt(&order);
    order.genesis = true;
    let proved = books.receipt(&order);
    let policy = Policy::new(books.id()).with_pins(&pins).unwrap();

    assert_eq!(judge(&bare, &policy), Verdict::CannotDecide(Missing::Table));
    assert_eq!(judge(&bare, &policy.with_table(1)), pinned(pins[0]));
    assert_eq!(judge(&proved, &policy), pinned(pins[0]));
    assert_eq!(judge(&proved, &policy.with_table(1)), pinned(pins[0]));
    let table = Verdict::Broken(Flaw::Table { expected: 2, found: 1 });
    assert_eq!(judge(&bare, &policy.with_table(2)), table);
    assert_eq!(judge(&proved, &policy.with_table(2)), table);

    let other = Policy::new(Alh::ZERO).with_table(1).with_pins(&pins).unwrap();
    let missing = Missing::Policy { expected: Alh::ZERO, found: books.id() };
    assert_eq!(judge(&bare, &other), Verdict::CannotDecide(missing));

    // A receipt that only says to be of the policy's ledger, with another one's beginning.
    let wrong = books.with_parts(&order, |parts| {
        let mut buffer = [0; 2000];
        ReceiptParts { ledger: Alh::ZERO, ..*parts }.encode(&mut buffer).unwrap().to_vec()
    });
    let genesis = Verdict::Broken(Flaw::Genesis(ProofError::StateAlh { tx: TxId::new(1) }));
    assert_eq!(judge(&wrong, &other), genesis);
    assert_eq!(judge(&wrong, &Policy::new(Alh::ZERO)), genesis);
    // An undecided table does not hide that something is broken.
    let mut order = Order::new(&[(5, 0)], 9);
    order.state = 9;
    let pins = [TrustedState { alh: Alh::ZERO, ..books.state(9) }];
    let policy = Policy::new(books.id()).with_pins(&pins).unwrap();
    let broken = Verdict::Broken(Flaw::Contradicts { tx: TxId::new(9) });
    assert_eq!(judge(&books.receipt(&order), &policy), broken);
}

#[test]
fn a_signature_counts_for_the_policys_key_and_database() {
    let books = Books::golden();
    let keys = server_keys();
    let mut order = Order::new(&[(5, 0)], 9);
    order.signature = Some(books.sign(9));
    let bytes = books.receipt(&order);
    let policy = Policy::new(books.id()).with_table(1);
    let signed = Verdict::Verified(Anchor::Signed(books.state(9)));
    let key_policy = policy.with_state_keys(&keys);
    assert_eq!(judge(&bytes, &key_policy), signed);
    assert_eq!(judge(&bytes, &policy), Verdict::Unanchored);
    // Of another database's state this key says nothing, and the receipt names it.
    let error = Verdict::Broken(Flaw::Signature(SignatureError::Signature));
    let other = keys.map(|key| ServerKey { database: b"otherdb", ..key });
    assert_eq!(judge(&bytes, &policy.with_state_keys(&other)), error);
    // Keys stand side by side: the one that signed counts, wherever it stands.
    for keys in [[other[0], keys[0]], [keys[0], other[0]]] {
        assert_eq!(judge(&bytes, &policy.with_state_keys(&keys)), signed);
    }

    // A pin says more than a signature, and one that came before says less.
    let (after, before) = ([books.state(9)], [books.state(3)]);
    assert_eq!(judge(&bytes, &key_policy.with_pins(&after).unwrap()), pinned(after[0]));
    order.earlier = Some(3);
    let linked = books.receipt(&order);
    assert_eq!(judge(&linked, &key_policy.with_pins(&before).unwrap()), signed);
    // A signed state that contradicts a pin is broken, whoever signed it.
    let pins = [TrustedState { alh: Alh::ZERO, ..books.state(3) }];
    let broken = Verdict::Broken(Flaw::Contradicts { tx: TxId::new(3) });
    assert_eq!(judge(&linked, &key_policy.with_pins(&pins).unwrap()), broken);

    // Another state's signature, and one that is none, are refused even where a pin would do.
    let name = keys[0].key.id();
    for signature in [sign(&books.state(8)), (name, vec![0x30, 0]), (name, vec![])] {
        order.signature = Some(signature);
        let verdict = judge(&books.receipt(&order), &key_policy.with_pins(&after).unwrap());
        assert!(matches!(verdict, Verdict::Broken(Flaw::Signature(_))), "{verdict:?}");
    }
    order.signature = None;
    assert_eq!(judge(&books.receipt(&order), &key_policy), Verdict::Unanchored);
}

/// A key that was taken out of a policy, or was never in it, vouches for nothing and breaks nothing,
/// whatever its signature is; a key that is in it answers for what names it.
#[test]
fn a_key_that_a_policy_has_not_is_no_anchor_and_no_flaw() {
    let books = Books::golden();
    let known = server_keys();
    let (other, other_known) = other_key();
    let state = books.state(9);
    let policy = Policy::new(books.id()).with_table(1);
    let [by_known, by_other] = [sign(&state), sign_with(&other, &state)];
    let both = [known[0], other_known];
    let receipt = |signature| {
        books.receipt(&Order { signature: Some(signature), ..Order::new(&[(5, 0)], 9) })
    };
    let signed = Verdict::Verified(Anchor::Signed(state));
    let pins = [state];
    for (signature, in_policy) in [(&by_known, &known[0]), (&by_other, &other_known)] {
        let bytes = receipt(signature.clone());
        let rotated_out = both.iter().filter(|key| *key != in_policy).copied().collect::<Vec<_>>();
        let rotated_out = policy.with_state_keys(&rotated_out);
        assert_eq!(judge(&bytes, &rotated_out), Verdict::Unanchored);
        assert_eq!(judge(&bytes, &rotated_out.with_pins(&pins).unwrap()), pinned(state));
        for keys in [&[*in_policy][..], &both] {
            assert_eq!(judge(&bytes, &policy.with_state_keys(keys)), signed);
        }
        let next = Receipt::parse(&bytes).unwrap();
        assert_eq!(next.verify(&rotated_out).next_pin(), Err(PinStays::NothingSigned));
    }
    // Under the name of another key: that one answers for it, and it did not sign.
    let error = Verdict::Broken(Flaw::Signature(SignatureError::Signature));
    for (name, der) in [(by_known.0, by_other.1), (by_other.0, by_known.1)] {
        let bytes = receipt((name, der));
        assert_eq!(judge(&bytes, &policy.with_state_keys(&both)), error);
        assert_eq!(judge(&bytes, &policy), Verdict::Unanchored);
    }
    // No name of a key, whatever the bytes behind it.
    for der in [vec![], vec![0; 72], sign(&state).1] {
        let bytes = receipt((StateKeyId::new([0; 32]), der));
        assert_eq!(judge(&bytes, &policy.with_state_keys(&both)), Verdict::Unanchored);
    }
}

#[test]
fn a_commitment_is_verified_by_its_payload() {
    let books = Books::golden();
    let pins = [books.state(9)];
    let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
    let anchor = Anchor::Pinned(pins[0]);
    let bytes = books.receipt(&Order::new(&[(3, 0), (4, 0)], 9));
    let receipt = Receipt::parse(&bytes).unwrap();
    let judgement = receipt.verify(&policy);
    assert_eq!(judgement.verdict(), Verdict::PayloadUnavailable(anchor));
    assert_eq!(judgement.verdict().trusted(), None);
    let events: Vec<_> = judgement.events().collect();
    assert_eq!(events[0].verdict(), Verdict::Verified(anchor));
    assert_eq!(events[1].verdict(), Verdict::PayloadUnavailable(anchor));
    assert_eq!(events[1].with_payload(&SALT, b"content"), Verdict::Verified(anchor));
    let broken = Verdict::Broken(Flaw::Payload { tx: TxId::new(4), entry: 0 });
    assert_eq!(events[1].with_payload(&SALT, b"contents"), broken);
    assert_eq!(events[1].with_payload(&[0; 32], b"content"), broken);
    // A content that is there needs none.
    let inline = br#"{"from":"Basel"}"#;
    let broken = Verdict::Broken(Flaw::Payload { tx: TxId::new(3), entry: 0 });
    assert_eq!(events[0].with_payload(&SALT, inline), broken);

    // What nothing vouches for is not vouched for by its payload.
    let nobody = Policy::new(books.id()).with_table(1);
    let judgement = receipt.verify(&nobody);
    assert_eq!(judgement.verdict(), Verdict::Unanchored);
    let committed = judgement.events().nth(1).unwrap();
    assert_eq!(committed.with_payload(&SALT, b"content"), Verdict::Unanchored);
}

/// A row that breaks the rule is no event, though it is in the ledger.
#[test]
fn an_event_whose_writer_saw_its_own_transaction_is_refused() {
    let mut books = Books::golden();
    let pin = |books: &Books| [books.state(books.ledger.len())];
    for (seen_tx, holds) in [(9, true), (11, false), (12, false), (u64::MAX >> 1, false)] {
        let mut body = Body::golden(books.id());
        body.seen_tx = seen_tx;
        books.append(&[body]);
        let tx = books.ledger.len();
        let pins = pin(&books);
        let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
        let expected = match holds {
            true => pinned(pins[0]),
            false => Verdict::Broken(Flaw::SeenTx { tx: TxId::new(tx), entry: 0 }),
        };
        assert_eq!(judge(&books.receipt(&Order::new(&[(tx, 0)], tx)), &policy), expected);
    }
}

/// The chain through one transaction and the tree over another one: what neighbours show is
/// compared.
#[test]
fn a_chain_that_leads_elsewhere_than_the_tree_is_refused() {
    let honest = Books::golden();
    let cases = [
        (6, vec![(5, 0)], None),
        (9, vec![(5, 0), (6, 0)], None),
        (9, vec![(6, 0)], Some(5)),
        (9, vec![(5, 0)], Some(6)),
    ];
    for (state, events, earlier) in cases {
        let books = Books::parted_at(6);
        let pins = [books.state(state)];
        let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
        // A link from 6 shows its predecessor by itself.
        let broken = Verdict::Broken(match earlier {
            Some(6) => Flaw::Earlier(DualError::LastLeaf { tx: TxId::new(5), legacy: true }),
            _ => Flaw::Chain { tx: TxId::new(6) },
        });
        let order = Order { earlier, ..Order::new(&events, state) };
        assert_eq!(judge(&books.receipt(&order), &policy), broken);
        let pins = [honest.state(state)];
        let policy = policy.with_pins(&pins).unwrap();
        assert_eq!(judge(&honest.receipt(&order), &policy), pinned(pins[0]));
    }
}

/// Codes and words are for ever: any two codes differ in four bits, and so does none of them from
/// nothing.
#[test]
fn codes_and_words_stay() {
    let state = Books::golden().state(3);
    let all = [
        (0x5a, "verified_by_pinned_state", Verdict::Verified(Anchor::Pinned(state))),
        (0x66, "verified_by_signature", Verdict::Verified(Anchor::Signed(state))),
        (0x69, "witnessed", Verdict::Verified(Anchor::Witnessed { signed: 2, of: 3 })),
        (
            0x96,
            "extends_pin_unconfirmed",
            Verdict::ExtendsPin { pin: state, state: TxAlh::from(state) },
        ),
        (0x99, "intact_unanchored", Verdict::Unanchored),
        (0xa5, "payload_erased", Verdict::PayloadErased(Anchor::Pinned(state))),
        (0xaa, "payload_unavailable", Verdict::PayloadUnavailable(Anchor::Pinned(state))),
        (0xf0, "broken", Verdict::Broken(Flaw::Chain { tx: state.tx })),
        (0xcc, "cannot_decide", Verdict::CannotDecide(Missing::Table)),
    ];
    for (code, word, verdict) in all {
        assert_eq!((verdict.code(), verdict.word()), (code, word));
        assert_eq!(verdict.trusted().is_some(), matches!(code, 0x5a | 0x66 | 0x69));
        let others = all.iter().map(|(code, ..)| *code).chain([0, 0xff]);
        for other in others.filter(|other| *other != code) {
            assert!((code ^ other).count_ones() >= 4, "{code:02x} and {other:02x}");
        }
        let document = include_str!("../../docs/receipt.md");
        assert!(document.contains(&format!("| `{code:02x}` | `{word}` |")), "{word}");
        assert!(!verdict.to_string().is_empty());
    }
}
