//! Every single change of real receipts: bits, ends, bytes behind, parts. No changed receipt is ever
//! taken for a good one.

mod ledger;
mod receipts;
mod reference;

use std::ops::Range;

use counterfoil_core::receipt::*;
use receipts::{Books, Order, judge, server_keys, with_check};

/// Receipts with everything that there can be, and the smallest.
fn orders(books: &Books) -> Vec<Order> {
    let full = Order {
        events: vec![(2, 0), (3, 0), (3, 2), (4, 0), (7, 0)],
        state: 7,
        genesis: true,
        earlier: Some(5),
        later: Some(9),
        signature: Some(books.sign(7)),
        checkpoint: None,
    };
    let single = Order { events: vec![(3, 1)], earlier: Some(4), ..full.clone() };
    let own = Order { genesis: true, ..Order::new(&[(9, 0)], 9) };
    vec![full, single, own, Order::new(&[(2, 0)], 9), Order::new(&[(2, 0)], 2)]
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

/// Where the signature lies: the name of its key, and behind it the signature.
fn signature_bits(receipt: &Receipt<'_>, bytes: &[u8]) -> [Range<usize>; 2] {
    let Some(StateSignature { key, der }) = receipt.state_signature() else { return [0..0, 0..0] };
    let whole = [key.as_bytes(), der].concat();
    let at = bytes.windows(whole.len()).position(|window| window == whole).unwrap();
    [at * 8..(at + 32) * 8, (at + 32) * 8..(at + whole.len()) * 8]
}

fn is_refused(verdict: &Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Broken(_) | Verdict::CannotDecide(Missing::Policy { .. } | Missing::Version(_))
    )
}

/// Every flip is refused, but for two places of which nobody who does not know the key has read
/// anything: a flip in the signature says nothing to whoever has not its key, and one in the key's name
/// makes the signature one of a key that nobody has, which is as much as none.
#[test]
fn no_flipped_bit_passes() {
    let books = Books::golden();
    let keys = server_keys();
    let mut flips = 0;
    for order in orders(&books) {
        let bytes = books.receipt(&order);
        let receipt = Receipt::parse(&bytes).unwrap();
        let [name, signature] = signature_bits(&receipt, &bytes);
        let unread = name.start..signature.end;
        let base = Policy::new(books.id()).with_table(1);
        let states = [Some(order.state), order.later, order.earlier];
        let pins: Vec<_> = states.into_iter().flatten().map(|tx| [books.state(tx)]).collect();
        let pinned: Vec<_> = pins.iter().map(|pin| base.with_pins(pin).unwrap()).collect();
        let nobody = [base, Policy::new(books.id())];
        let signed = base.with_state_keys(&keys);
        for bit in 0..bytes.len() * 8 {
            flips += 1;
            let changed = flipped(&bytes, bit);
            // As it is, no flipped receipt is one at all.
            let error = Receipt::parse(&changed).unwrap_err();
            assert!(error.at <= bytes.len(), "bit {bit}: {error}");
            // Whoever flips a bit on purpose makes the check fit.
            if bit / 8 >= bytes.len() - 8 {
                continue;
            }
            let changed = with_check(changed);
            for policy in pinned.iter().chain(&nobody) {
                let verdict = judge(&changed, policy);
                if unread.contains(&bit) {
                    // Nobody has read the signature: nothing else is said of the receipt.
                    assert_eq!(verdict, receipt.verify(policy).verdict());
                    continue;
                }
                assert!(is_refused(&verdict), "bit {bit} of byte {}: {verdict:?}", bit / 8);
            }
            // Signatures take long: all of their own bits, and some of what they are over.
            if !unread.is_empty() && !unread.contains(&bit) && bit % 61 != 0 {
                continue;
            }
            let verdict = judge(&changed, &signed);
            if name.contains(&bit) {
                assert_eq!(verdict, Verdict::Unanchored, "bit {bit} of the key's name");
                continue;
            }
            assert!(is_refused(&verdict), "bit {bit} of byte {}: {verdict:?}", bit / 8);
        }
    }
    assert!(flips > 30_000, "{flips}");
}

#[test]
fn no_cut_and_no_longer_receipt_passes() {
    let books = Books::golden();
    for order in orders(&books) {
        let bytes = books.receipt(&order);
        for len in 0..bytes.len() {
            let error = Receipt::parse(&bytes[..len]).unwrap_err();
            let damaged = ReceiptError { kind: ReceiptErrorKind::Damaged, at: len.max(8) - 8 };
            let short = ReceiptError { kind: ReceiptErrorKind::Truncated, at: len };
            assert_eq!(error, if len < 8 { short } else { damaged });
            // With a check of its own, too.
            if len >= 8 {
                let cut = with_check(bytes[..len].to_vec());
                assert!(Receipt::parse(&cut).is_err(), "{len}");
            }
        }
        for byte in 0..=255 {
            let longer = [&bytes[..], &[byte]].concat();
            let error = ReceiptError { kind: ReceiptErrorKind::Damaged, at: bytes.len() - 7 };
            assert_eq!(Receipt::parse(&longer).unwrap_err(), error);
            assert!(Receipt::parse(&with_check(longer)).is_err());
            let end = bytes.len() - 8;
            let longer = [&bytes[..end], &[byte], &[0; 8]].concat();
            let error = ReceiptError { kind: ReceiptErrorKind::TrailingBytes, at: end };
            assert_eq!(Receipt::parse(&with_check(longer)).unwrap_err(), error);
        }
    }
}

/// Each byte taken out, doubled, and a zero put in before it.
#[test]
fn no_shifted_receipt_passes() {
    let books = Books::golden();
    let pins = [books.state(7)];
    let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
    let order = &orders(&books)[0];
    let bytes = books.receipt(order);
    let receipt = Receipt::parse(&bytes).unwrap();
    let [name, signature] = signature_bits(&receipt, &bytes);
    let unread = name.start..signature.end;
    for at in 0..bytes.len() - 8 {
        let mut shorter = bytes.clone();
        shorter.remove(at);
        let mut doubled = bytes.clone();
        doubled.insert(at, bytes[at]);
        let mut zero = bytes.clone();
        zero.insert(at, 0);
        for changed in [shorter, doubled, zero] {
            if changed == bytes || unread.contains(&(at * 8)) {
                continue;
            }
            let verdict = judge(&with_check(changed), &policy);
            assert!(matches!(verdict, Verdict::Broken(_) | Verdict::CannotDecide(_)), "{at}");
        }
    }
}

/// Parts of two good receipts, put together.
#[test]
fn parts_of_other_receipts_do_not_fit() {
    let books = Books::golden();
    let order = Order::new(&[(3, 1)], 6);
    let pins = [books.state(6)];
    let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
    books.with_parts(&order, |good| {
        let judge_parts = |parts: &ReceiptParts<'_>| {
            let mut buffer = [0; 4000];
            judge(parts.encode(&mut buffer).unwrap(), &policy)
        };
        assert_eq!(judge_parts(good).word(), "verified_by_pinned_state");
        for other in [(3, 0), (3, 2), (5, 0)] {
            books.with_parts(&Order::new(&[other], 6), |parts| {
                let (tx, event) = (parts.transactions[0], parts.transactions[0].events[0]);
                let mine = good.transactions[0];
                let swap = |tx: ReceiptTx<'_>, event: ReceiptEntry<'_>| {
                    let events = [event];
                    let transactions = [ReceiptTx { events: &events, ..tx }];
                    judge_parts(&ReceiptParts { transactions: &transactions, ..*good })
                };
                let my_event = mine.events[0];
                // An event of the same transaction fits as it is.
                assert_eq!(swap(mine, event).trusted().is_some(), other.0 == 3);
                let cases = [
                    swap(mine, ReceiptEntry { entry: 1, ..event }),
                    swap(mine, ReceiptEntry { path: my_event.path, entry: 1, ..event }),
                    swap(mine, ReceiptEntry { body: my_event.body, ..event }),
                ];
                for verdict in cases {
                    assert_eq!(verdict.word(), "broken", "{other:?}");
                }
                if other.0 != 3 {
                    for verdict in [
                        swap(tx, my_event),
                        swap(ReceiptTx { header: mine.header, ..tx }, my_event),
                        swap(ReceiptTx { path: tx.path, ..mine }, my_event),
                    ] {
                        assert_eq!(verdict.word(), "broken", "{other:?}");
                    }
                }
            });
        }
        for (mine, theirs) in [(5, 4), (5, 9)] {
            let mut order = order.clone();
            (order.earlier, order.later) = (Some(mine), Some(8));
            let mut others = order.clone();
            match theirs < mine {
                true => others.earlier = Some(theirs),
                false => others.later = Some(theirs),
            }
            books.with_parts(&order, |parts| {
                books.with_parts(&others, |other| {
                    let (a, b) = (parts.attached, other.attached);
                    let links = match theirs < mine {
                        true => [(a.earlier.unwrap(), b.earlier.unwrap()); 3],
                        false => [(a.later.unwrap(), b.later.unwrap()); 3],
                    };
                    let mixed = [
                        Link { header: links[0].1.header, ..links[0].0 },
                        Link { inclusion: links[1].1.inclusion, ..links[1].0 },
                        Link { consistency: links[2].1.consistency, ..links[2].0 },
                    ];
                    for link in mixed {
                        let attached = match theirs < mine {
                            true => Attached { earlier: Some(link), ..a },
                            false => Attached { later: Some(link), ..a },
                        };
                        let verdict = judge_parts(&ReceiptParts { attached, ..*parts });
                        let same = [a.earlier, a.later].contains(&Some(link));
                        assert_eq!(verdict.word() == "broken", !same, "{theirs}: {verdict:?}");
                    }
                });
            });
        }
    });
}
