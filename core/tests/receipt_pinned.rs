//! What a device verifies alone is what the whole verifier verifies by the same pinned state, and nothing
//! else.

mod ledger;
mod receipts;
mod reference;

use counterfoil_core::receipt::*;
use counterfoil_core::*;
use receipts::{Books, Order, author_key, judge, with_check};

/// Both verifiers, held to each other: what the small one says.
fn both(bytes: &[u8], policy: &Policy<'_>) -> Result<(), NotPinned> {
    let small = verify_pinned(bytes, policy);
    let verdict = judge(bytes, policy);
    if let Ok(event) = &small {
        let receipt = Receipt::parse(bytes).unwrap();
        let judgement = receipt.verify(policy);
        let judged: Vec<_> = judgement.events().map(|judged| *judged.event()).collect();
        let TxAlh { tx, alh } = receipt.state();
        assert_eq!(verdict, Verdict::Verified(Anchor::Pinned(TrustedState { tx, alh })));
        assert_eq!(judged, [*event]);
    }
    small.map(|_| ())
}

/// Every event of the golden ledger, with and without the beginning of the ledger.
fn orders(books: &Books) -> Vec<Order> {
    let mut orders = Vec::new();
    for tx in 2..=9_u64 {
        for entry in 0..books.bodies[tx as usize - 1].len() as u32 {
            for state in tx..=9 {
                for genesis in [false, true] {
                    orders.push(Order { genesis, ..Order::new(&[(tx, entry)], state) });
                }
            }
        }
    }
    orders
}

#[test]
fn every_event_under_its_pin() {
    let books = Books::golden();
    let base = Policy::new(books.id()).with_table(1);
    let mut accepted = 0;
    for order in orders(&books) {
        let bytes = books.receipt(&order);
        for pin in 1..=9 {
            let pins = [books.state(pin)];
            let policy = base.with_pins(&pins).unwrap();
            let expected = match (order.events[0], pin == order.state) {
                // It holds a commitment.
                ((4, 0), _) => Err(NotPinned::OtherKind),
                (_, true) => Ok(()),
                _ => Err(NotPinned::OtherPolicy),
            };
            assert_eq!(both(&bytes, &policy), expected, "{:?} {pin}", order.events);
            accepted += u32::from(expected.is_ok());
        }
        // Among several pins the one that it is under.
        let pins = [books.state(1), books.state(order.state)];
        let expected = if order.events[0].0 == 4 { Err(NotPinned::OtherKind) } else { Ok(()) };
        assert_eq!(both(&bytes, &base.with_pins(&pins).unwrap()), expected);
    }
    assert!(accepted > 80, "{accepted}");
}

#[test]
fn another_policy() {
    let books = Books::golden();
    let bytes = books.receipt(&Order::new(&[(3, 1)], 6));
    let (pins, wrong) = ([books.state(6)], [TrustedState { alh: Alh::ZERO, ..books.state(6) }]);
    let base = Policy::new(books.id());
    for policy in [
        base.with_table(1),
        base.with_pins(&pins).unwrap(),
        base.with_table(2).with_pins(&pins).unwrap(),
        base.with_table(1).with_pins(&wrong).unwrap(),
        Policy::new(Alh::ZERO).with_table(1).with_pins(&pins).unwrap(),
        base.with_table(1).with_pins(&pins).unwrap().demanding_authorship(),
    ] {
        assert_eq!(both(&bytes, &policy), Err(NotPinned::OtherPolicy), "{policy:?}");
    }
    // What else is pinned contradicts it.
    for tx in [2, 3, 5] {
        let pins = [books.state(6), TrustedState { alh: Alh::ZERO, ..books.state(tx) }];
        let policy = base.with_table(1).with_pins(&pins).unwrap();
        assert_eq!(both(&bytes, &policy), Err(NotPinned::Broken), "{tx}");
    }
}

#[test]
fn an_author_that_is_demanded() {
    let books = Books::signed();
    let bytes = books.receipt(&Order::new(&[(2, 0)], 2));
    let pins = [books.state(2)];
    let base = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
    let key = Ed25519Key::from_bytes(author_key().verifying_key().as_bytes()).unwrap();
    let (listed, elsewhere) = ([Author::new(key)], [Author::new(key).with_domains(&["invoice"])]);
    assert_eq!(both(&bytes, &base), Ok(()));
    let demanding = base.demanding_authorship();
    assert_eq!(both(&bytes, &demanding.with_authors(&listed).unwrap()), Ok(()));
    let unlisted = demanding.with_authors(&elsewhere).unwrap();
    assert_eq!(both(&bytes, &unlisted), Err(NotPinned::OtherPolicy));
}

#[test]
fn another_kind() {
    let books = Books::golden();
    let pins = [books.state(6)];
    let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
    let one = Order::new(&[(3, 1)], 6);
    for order in [
        Order { earlier: Some(4), ..one.clone() },
        Order { later: Some(8), ..one.clone() },
        Order { signature: Some(books.sign(6)), ..one.clone() },
        Order::new(&[(3, 1), (3, 2)], 6),
        Order::new(&[(3, 1), (5, 0)], 6),
        Order::new(&[(3, 1), (6, 0)], 6),
    ] {
        let bytes = books.receipt(&order);
        assert_eq!(judge(&bytes, &policy).word(), "verified_by_pinned_state");
        assert_eq!(both(&bytes, &policy), Err(NotPinned::OtherKind));
    }
}

/// Every single bit of receipts of its kind, with a check that fits and without.
#[test]
fn no_flipped_bit_passes() {
    let books = Books::golden();
    let mut flips = 0;
    for (event, state, genesis) in [
        ((2, 0), 2, true),
        ((2, 0), 9, false),
        ((3, 1), 4, false),
        ((3, 2), 7, true),
        ((9, 0), 9, false),
    ] {
        let bytes = books.receipt(&Order { genesis, ..Order::new(&[event], state) });
        let pins = [books.state(state)];
        let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
        assert_eq!(both(&bytes, &policy), Ok(()));
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(both(&changed, &policy), Err(NotPinned::NotReceipt), "bit {bit}");
            if bit / 8 < bytes.len() - 8 {
                assert!(both(&with_check(changed), &policy).is_err(), "bit {bit}");
            }
            flips += 1;
        }
        for len in 0..bytes.len() {
            assert_eq!(both(&bytes[..len], &policy), Err(NotPinned::NotReceipt));
            if len >= 8 {
                assert!(both(&with_check(bytes[..len].to_vec()), &policy).is_err());
            }
        }
    }
    assert!(flips > 20_000, "{flips}");
}

/// Bytes replaced, taken out and doubled, under every pin: whatever becomes of it, the two agree.
#[test]
fn what_passes_one_passes_the_other() {
    let books = Books::golden();
    let pins: Vec<_> = (1..=9).map(|tx| [books.state(tx)]).collect();
    let bytes = books.receipt(&Order { genesis: true, ..Order::new(&[(3, 1)], 6) });
    let policies =
        pins.iter().map(|pins| Policy::new(books.id()).with_table(1).with_pins(pins).unwrap());
    let policies: Vec<_> = policies.collect();
    for at in 0..bytes.len() - 8 {
        let mut variants: Vec<_> = [0, 1, 2, 6, 0x7f, 0x80, 0xff]
            .into_iter()
            .map(|byte| {
                let mut changed = bytes.clone();
                changed[at] = byte;
                changed
            })
            .collect();
        let (mut shorter, mut doubled) = (bytes.clone(), bytes.clone());
        shorter.remove(at);
        doubled.insert(at, bytes[at]);
        variants.extend([shorter, doubled]);
        for changed in variants {
            let same = changed == bytes;
            let changed = with_check(changed);
            for (pin, policy) in (1..).zip(&policies) {
                assert_eq!(both(&changed, policy).is_ok(), same && pin == 6, "{at}");
            }
        }
    }
}

/// A true event under a state that somebody made up: its trees, its number or its hash.
#[test]
fn a_state_that_is_not_the_pinned_one() {
    let books = Books::golden();
    let pins = [books.state(6)];
    let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
    books.with_parts(&Order::new(&[(3, 1)], 6), |good| {
        let judge_header = |state_header: Header<'_>| {
            let mut buffer = [0; 4000];
            let parts = ReceiptParts { state_header, ..*good };
            both(parts.encode(&mut buffer).unwrap(), &policy)
        };
        let header = good.state_header;
        assert_eq!(judge_header(header), Ok(()));
        for changed in [
            Header { ts: header.ts + 1, ..header },
            Header { prev_alh: Alh::ZERO, ..header },
            Header { eh: Root::ZERO, ..header },
            Header { bl_root: Root::ZERO, ..header },
            Header { nentries: header.nentries + 1, ..header },
            Header { bl_tx_id: TxId::new(4), ..header },
        ] {
            // It says its own hash, which is not the pinned one.
            assert_eq!(judge_header(changed), Err(NotPinned::OtherPolicy), "{changed:?}");
        }
    });
}

/// A pinned state whose header names another predecessor than its tree holds: two histories under one pin.
#[test]
fn two_histories_under_the_pin() {
    let books = Books::parted_at(6);
    let pins = [books.state(6)];
    let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
    let bytes = books.receipt(&Order::new(&[(5, 0)], 6));
    assert_eq!(judge(&bytes, &policy), Verdict::Broken(Flaw::Chain { tx: TxId::new(6) }));
    assert_eq!(both(&bytes, &policy), Err(NotPinned::Broken));
    // Further back the receipt shows nothing of it.
    assert_eq!(both(&books.receipt(&Order::new(&[(3, 0)], 6)), &policy), Ok(()));
}

/// A beginning that is not the ledger's, an event whose writer had seen its own transaction.
#[test]
fn what_the_policy_would_not_need() {
    let books = Books::golden();
    let pins = [books.state(6)];
    let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
    let order = Order { genesis: true, ..Order::new(&[(3, 1)], 6) };
    books.with_parts(&order, |good| {
        let genesis = good.genesis.map(|genesis| Genesis { ts: genesis.ts + 1, ..genesis });
        let mut buffer = [0; 4000];
        let parts = ReceiptParts { genesis, ..*good };
        let bytes = parts.encode(&mut buffer).unwrap();
        assert_eq!(both(bytes, &policy), Err(NotPinned::Broken));
    });

    let mut books = Books::new();
    let mut body = receipts::Body::golden(books.id());
    body.seen_tx = 2;
    books.append(&[body]);
    let pins = [books.state(2)];
    let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
    let bytes = books.receipt(&Order::new(&[(2, 0)], 2));
    assert_eq!(judge(&bytes, &policy).word(), "broken");
    assert_eq!(both(&bytes, &policy), Err(NotPinned::Broken));
}
