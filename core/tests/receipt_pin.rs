//! A pin moves to what is signed and continues it. Consistency alone moves nothing, however often it is
//! shown.

mod ledger;
mod log;
mod receipts;
mod reference;

use std::slice::from_ref;

use counterfoil_core::checkpoint::{LogPolicy, Member, Quorum};
use counterfoil_core::receipt::*;
use counterfoil_core::*;
use log::{cosign, log as log_key, note, sign as sign_log, witness};
use receipts::{Body, Books, Order, server_keys};

/// A verifier that keeps its pins, as a device would.
struct Verifier<'a> {
    policy: Policy<'a>,
    pin: TrustedState,
}

impl Verifier<'_> {
    fn receives(&mut self, bytes: &[u8]) -> Result<Anchor, PinStays> {
        let pins = [self.pin];
        let policy = self.policy.with_pins(&pins).unwrap();
        let next = Receipt::parse(bytes).unwrap().verify(&policy).next_pin()?;
        assert!(next.state().tx > self.pin.tx);
        self.pin = next.state();
        Ok(next.by())
    }
}

fn noted(books: &Books, state: u64, witnesses: &[u8]) -> Option<String> {
    let checkpoint = log::checkpoint(state - 1, books.ledger.root(state - 1));
    let mut lines = vec![sign_log(&checkpoint, 1)];
    lines.extend(witnesses.iter().map(|&place| cosign(&checkpoint, place, 1)));
    Some(note(&checkpoint, &lines))
}

#[test]
fn a_forged_but_consistent_extension_is_never_pinned() {
    let honest = Books::golden();
    let mut forged = Books::golden();
    for number in 10..=12 {
        let mut body = Body::golden(forged.id());
        body.event_type = format!("Forged {number}");
        forged.append(&[body]);
    }
    let (key, seen, state_keys) = (log_key(1), witness(0), server_keys());
    let quorum = Quorum::new(from_ref(&seen), &[], Member::Witness(0)).unwrap();
    let alone = LogPolicy::new(from_ref(&key)).unwrap();
    let base = Policy::new(honest.id()).with_table(1);
    let policies = [
        base,
        base.with_state_keys(&state_keys),
        base.with_log_policy(alone).unwrap(),
        base.with_log_policy(alone.with_quorum(&quorum).unwrap()).unwrap(),
    ];
    let pin = honest.state(9);
    for policy in policies {
        let mut verifier = Verifier { policy, pin };
        let link = |order| Order { earlier: Some(9), ..order };
        for _ in 0..2 {
            let nothing = forged.receipt(&link(Order::new(&[(9, 0), (10, 0), (11, 0)], 12)));
            assert_eq!(verifier.receives(&nothing), Err(PinStays::NothingSigned));
            // With the signatures that there are: of the honest tree that the pin's successor has.
            let mut order = link(Order::new(&[(8, 0), (9, 0), (10, 0)], 10));
            order.checkpoint = noted(&honest, 10, &[0]);
            let stays = verifier.receives(&forged.receipt(&order)).unwrap_err();
            assert!(matches!(stays, PinStays::NothingSigned | PinStays::NotNewer { .. }));
            // And of a state that the honest ledger signed before.
            let mut order = link(Order::new(&[(10, 0)], 12));
            order.signature = Some(honest.sign(9));
            let stays = verifier.receives(&forged.receipt(&order)).unwrap_err();
            assert!(matches!(stays, PinStays::NothingSigned | PinStays::NotIntact), "{stays:?}");
            assert_eq!(verifier.pin, pin);
        }
    }
}

#[test]
fn the_state_keys_signature_moves_the_pin_to_the_state() {
    let books = Books::golden();
    let keys = server_keys();
    let policy = Policy::new(books.id()).with_table(1).with_state_keys(&keys);
    for pin in [1, 4, 8_u64] {
        for state in [2, 5, 9_u64] {
            for earlier in (1..state).map(Some).chain([None]) {
                let mut order = Order::new(&[(state.min(3), 0)], state);
                (order.earlier, order.signature) = (earlier, Some(books.sign(state)));
                let mut verifier = Verifier { policy, pin: books.state(pin) };
                let found = verifier.receives(&books.receipt(&order));
                let pin_state = books.state(pin);
                let expected = if state <= pin {
                    Err(PinStays::NotNewer { pin: pin_state })
                } else if earlier != Some(pin) {
                    Err(PinStays::NotLinked { pin: pin_state })
                } else {
                    Ok(Anchor::Signed(books.state(state)))
                };
                assert_eq!(found, expected, "{pin} {state} {earlier:?}");
                let moved = books.state(if expected.is_ok() { state } else { pin });
                assert_eq!(verifier.pin, moved);
            }
        }
    }
    // Without a pin, what is signed is the first.
    let order = Order { signature: Some(books.sign(6)), ..Order::new(&[(3, 0)], 6) };
    let bytes = books.receipt(&order);
    let receipt = Receipt::parse(&bytes).unwrap();
    assert_eq!(receipt.verify(&policy).next_pin().unwrap().state(), books.state(6));
    // Whatever table the events are in.
    let anywhere = Policy::new(books.id()).with_state_keys(&keys);
    let judgement = receipt.verify(&anywhere);
    assert_eq!(judgement.verdict(), Verdict::CannotDecide(Missing::Table));
    assert_eq!(judgement.next_pin().unwrap().state(), books.state(6));
    // But not of another ledger.
    let other = Policy::new(Alh::ZERO).with_state_keys(&keys);
    assert_eq!(receipt.verify(&other).next_pin(), Err(PinStays::NotIntact));
}

#[test]
fn a_checkpoint_moves_the_pin_to_its_newest_transaction_that_is_shown() {
    let books = Books::golden();
    let (key, seen) = (log_key(1), [witness(0), witness(1)]);
    let quorum = Quorum::new(&seen, &[], Member::Witness(0)).unwrap();
    let alone = LogPolicy::new(from_ref(&key)).unwrap();
    let log = alone.with_quorum(&quorum).unwrap();
    let base = Policy::new(books.id()).with_table(1);
    let order = |events: &[(u64, u32)], earlier, witnesses: &[u8]| Order {
        earlier,
        checkpoint: noted(&books, 9, witnesses),
        ..Order::new(events, 9)
    };
    let moved = |policy: Policy<'_>, pin: u64, order: &Order| {
        let mut verifier = Verifier { policy, pin: books.state(pin) };
        verifier.receives(&books.receipt(order)).map(|by| (verifier.pin, by))
    };
    let witnessed = Anchor::Witnessed { signed: 1, of: 1 };
    let logged = Anchor::Logged { size: TreeSize::new(8) };
    let policy = base.with_log_policy(log).unwrap();
    let events = [(2, 0), (5, 0), (6, 0), (7, 0), (9, 0)];
    // 9 is the state: no leaf of the tree that is signed.
    let to_seven = Ok((books.state(7), witnessed));
    assert_eq!(moved(policy, 3, &order(&events, Some(3), &[0])), to_seven);
    // Where the policy asks for a quorum, the log alone moves nothing.
    let nothing = Err(PinStays::NothingSigned);
    assert_eq!(moved(policy, 3, &order(&events, Some(3), &[1])), nothing);
    assert_eq!(moved(policy, 3, &order(&events, Some(3), &[])), nothing);
    let by_log = base.with_log_policy(alone).unwrap();
    assert_eq!(moved(by_log, 3, &order(&events, Some(3), &[])), Ok((books.state(7), logged)));
    // The pin must be the link's other state.
    let pin = books.state(3);
    let unlinked = Err(PinStays::NotLinked { pin });
    assert_eq!(moved(policy, 3, &order(&events, None, &[0])), unlinked);
    assert_eq!(moved(policy, 3, &order(&events, Some(2), &[0])), unlinked);
    assert_eq!(moved(policy, 3, &order(&events, Some(5), &[0])), unlinked);
    // Never back, never to where it is.
    for pin in [7, 8] {
        let stays = Err(PinStays::NotNewer { pin: books.state(pin) });
        assert_eq!(moved(policy, pin, &order(&events, Some(pin), &[0])), stays);
    }
    let own = Err(PinStays::NoTransaction);
    assert_eq!(moved(policy, 3, &order(&[(9, 0)], Some(3), &[0])), own);
    // Of several pins the newest is asked for.
    let pins = [books.state(4), books.state(6), books.state(3)];
    for (earlier, holds) in [(3, false), (4, false), (6, true)] {
        let bytes = books.receipt(&order(&events, Some(earlier), &[0]));
        let receipt = Receipt::parse(&bytes).unwrap();
        let next = receipt.verify(&policy.with_pins(&pins).unwrap()).next_pin();
        let pin = books.state(6);
        let expected = Err(PinStays::NotLinked { pin });
        assert_eq!(
            next.map(|next| next.state()),
            if holds { Ok(books.state(7)) } else { expected }
        );
    }
    // The state's own signature, in a policy that has both, moves it to the state.
    let state_keys = server_keys();
    let both = policy.with_state_keys(&state_keys);
    let signed = Order { signature: Some(books.sign(9)), ..order(&events, Some(3), &[0]) };
    let by = Anchor::Signed(books.state(9));
    assert_eq!(moved(both, 3, &signed), Ok((books.state(9), by)));
}

/// Every transaction, as the only one and with others: an odd one's path does not show its predecessor,
/// so the receipt must.
#[test]
fn a_transaction_is_pinned_where_its_predecessor_is_shown() {
    let books = Books::golden();
    let key = log_key(1);
    let log = LogPolicy::new(from_ref(&key)).unwrap();
    let policy = Policy::new(books.id()).with_table(1).with_log_policy(log).unwrap();
    let next = |pins: &[TrustedState], events: &[(u64, u32)], earlier| {
        let checkpoint = noted(&books, 9, &[]);
        let bytes = books.receipt(&Order { earlier, checkpoint, ..Order::new(events, 9) });
        let receipt = Receipt::parse(&bytes).unwrap();
        receipt.verify(&policy.with_pins(pins).unwrap()).next_pin().map(|next| next.state())
    };
    for tx in 2..=8 {
        let state = Ok(books.state(tx));
        let alone = if tx % 2 == 0 { state } else { Err(PinStays::NoTransaction) };
        assert_eq!(next(&[], &[(tx, 0)], None), alone, "{tx}");
        let linked = [books.state(tx - 1)];
        assert_eq!(next(&linked, &[(tx, 0)], Some(tx - 1)), state, "{tx}");
        if tx > 2 {
            assert_eq!(next(&[], &[(tx - 1, 0), (tx, 0)], None), state, "{tx}");
        }
        if tx > 3 {
            // Others than the predecessor do not show it, nor does a pin alone.
            let events = [(2, 0), (tx, 0)];
            let unlinked = if tx % 2 == 0 { state } else { Ok(books.state(2)) };
            assert_eq!(next(&[], &events, None), unlinked, "{tx}");
            assert_eq!(next(&[], &events, Some(tx - 2)), unlinked, "{tx}");
            let pins = [books.state(1), linked[0]];
            let alone = if tx % 2 == 0 {
                Err(PinStays::NotLinked { pin: linked[0] })
            } else {
                Err(PinStays::NoTransaction)
            };
            assert_eq!(next(&pins, &[(tx, 0)], None), alone, "{tx}");
        }
    }
}

/// A leaf of a signed log whose header names another history than the log has: the log signed its hash,
/// and pinning it would pin that history.
#[test]
fn a_transaction_whose_header_leaves_the_log_is_not_pinned() {
    let key = log_key(1);
    let log = LogPolicy::new(from_ref(&key)).unwrap();
    let honest = Books::golden();
    for tx in 4..=8_u64 {
        for what in 0..4 {
            let mut books = Books::golden();
            let header = &mut books.ledger.headers[tx as usize - 1];
            match what {
                0 => header.bl_root = Root::new([7; 32]),
                1 => {
                    (header.bl_tx_id, header.bl_root) =
                        (TxId::new(tx - 2), honest.ledger.root(tx - 2))
                }
                2 => header.prev_alh = Alh::new([7; 32]),
                // The right root under a wrong size: a root does not commit to one.
                _ => header.bl_tx_id = TxId::new(tx - 2),
            }
            books.rehash_after(tx);
            let policy = Policy::new(books.id()).with_table(1).with_log_policy(log).unwrap();
            let order =
                Order { checkpoint: noted(&books, 9, &[]), ..Order::new(&[(2, 0), (tx, 0)], 9) };
            let bytes = books.receipt(&order);
            let receipt = Receipt::parse(&bytes).unwrap();
            let next = receipt.verify(&policy).next_pin();
            let state = next.map(|next| next.state());
            assert_eq!(state, Ok(books.state(2)), "{tx} {what}");
            if what == 2 {
                // Where the receipt holds the predecessor, what names another one is broken.
                let checkpoint = noted(&books, 9, &[]);
                let order = Order { checkpoint, ..Order::new(&[(tx - 1, 0), (tx, 0)], 9) };
                let bytes = books.receipt(&order);
                let receipt = Receipt::parse(&bytes).unwrap();
                let judgement = receipt.verify(&policy);
                let flaw = Flaw::Chain { tx: TxId::new(tx) };
                assert_eq!(judgement.verdict(), Verdict::Broken(flaw));
                assert_eq!(judgement.next_pin(), Err(PinStays::NotIntact));
            }
        }
    }
}
