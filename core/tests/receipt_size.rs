//! How large receipts are where ledgers are.

mod ledger;
mod receipts;
mod reference;

use counterfoil_core::receipt::*;
use counterfoil_core::*;
use ledger::Ledger;
use receipts::{Body, NONCE, judge};
use reference::Hash;

/// The tree over a million transactions, of which all but ours are made up: a tree does not care.
struct Million {
    levels: Vec<Vec<Hash>>,
    /// Ours: number, header and the bodies of its entries.
    txs: Vec<(u64, Header<'static>, Vec<Body>)>,
    state: Header<'static>,
}

const SIZE: u64 = 1_000_000;
const LEDGER: Alh = Alh::new([9; 32]);

/// The whole tree: neighbours make a node, what is left over goes up as it is.
fn levels(leaves: Vec<Hash>) -> Vec<Vec<Hash>> {
    let mut levels = vec![leaves];
    while levels.last().unwrap().len() > 1 {
        let pairs = levels.last().unwrap().chunks(2).map(|pair| match pair {
            [left, right] => reference::node(left, right),
            single => single[0],
        });
        let above = pairs.collect();
        levels.push(above);
    }
    levels
}

impl Million {
    fn new(numbers: &[u64], entries: u32) -> Self {
        let mut leaves = reference::leaves(SIZE as usize);
        let mut txs: Vec<(u64, Header<'static>, Vec<Body>)> = Vec::new();
        // The chain leads from a transaction to its neighbour.
        let prev_alh = |txs: &[(u64, Header<'static>, Vec<Body>)], number: u64| match txs.last() {
            Some((before, header, _)) if before + 1 == number => header.alh().unwrap(),
            _ if number == 2 => LEDGER,
            _ => Alh::new([3; 32]),
        };
        for &number in numbers {
            let bodies: Vec<Body> = (0..entries)
                .map(|index| {
                    let mut body = Body::golden(Alh::ZERO);
                    (body.commit_index, body.event_number) = (index, u64::from(index));
                    body.append_id = [index as u8; 16];
                    body
                })
                .collect();
            let digests: Vec<_> =
                bodies.iter().map(|body| reference::leaf(body.digest(1).as_bytes())).collect();
            let header = Header {
                id: TxId::new(number),
                prev_alh: prev_alh(&txs, number),
                nentries: entries,
                eh: Root::new(reference::root(&digests)),
                bl_tx_id: TxId::new(number - 1),
                bl_root: Root::new([4; 32]),
                ..Ledger::current(1).header(1)
            };
            leaves[number as usize - 1] = reference::leaf(header.alh().unwrap().as_bytes());
            txs.push((number, header, bodies));
        }
        let levels = levels(leaves);
        let state = Header {
            id: TxId::new(SIZE + 1),
            bl_tx_id: TxId::new(SIZE),
            bl_root: Root::new(levels.last().unwrap()[0]),
            prev_alh: prev_alh(&txs, SIZE + 1),
            ..txs[0].1
        };
        Self { levels, txs, state }
    }

    fn path(&self, mut leaf: usize) -> Vec<Hash> {
        let mut path = Vec::new();
        for level in &self.levels {
            path.extend(level.get(leaf ^ 1));
            leaf /= 2;
        }
        path
    }

    /// Of entry 0 of these transactions. Gives the receipt's length and that of the bodies.
    fn receipt(&self, which: &[usize]) -> (usize, usize) {
        let mut bodies_len = 0;
        let txs: Vec<_> = which.iter().map(|which| &self.txs[*which]).collect();
        let parts: Vec<_> = txs
            .iter()
            .map(|(number, _, bodies)| {
                let leaves: Vec<_> =
                    bodies.iter().map(|body| reference::leaf(body.digest(1).as_bytes())).collect();
                let body = bodies[0].encode();
                bodies_len += body.len();
                let path = self.path(*number as usize - 1);
                (path, reference::path(0, &leaves), body)
            })
            .collect();
        let events: Vec<_> =
            parts.iter().map(|(_, path, body)| [ReceiptEntry { entry: 0, path, body }]).collect();
        let transactions: Vec<_> = txs
            .iter()
            .zip(&parts)
            .zip(&events)
            .map(|(((_, header, _), (path, ..)), events)| ReceiptTx {
                header: *header,
                path,
                events,
            })
            .collect();
        let receipt = ReceiptParts {
            ledger: LEDGER,
            table_id: 1,
            genesis: None,
            state_header: self.state,
            transactions: &transactions,
            attached: Attached::default(),
        };
        let mut buffer = vec![0; receipt.encoded_len().unwrap()];
        let bytes = receipt.encode(&mut buffer).unwrap();
        let pins = [TrustedState { tx: self.state.id, alh: self.state.alh().unwrap() }];
        let policy = Policy::new(LEDGER).with_table(1).with_pins(&pins).unwrap();
        assert_eq!(judge(bytes, &policy), Verdict::Verified(Anchor::Pinned(pins[0])));

        // With the beginning of the ledger it is as much longer as that is.
        let genesis =
            Genesis { ts: 1_700_000_000, nonce: &NONCE, created_at: 1_700_000_000_000_000 };
        let longer = ReceiptParts { genesis: Some(genesis), ..receipt }.encoded_len().unwrap();
        assert_eq!(longer - bytes.len(), 5 + 32 + 8);
        (bytes.len(), bodies_len)
    }
}

/// Beside the event itself at most 1.2 KB, in a transaction of one event as in one of a hundred.
#[test]
#[allow(clippy::print_stdout)] // the numbers behind a passed test
fn a_receipt_in_a_ledger_of_a_million_transactions_is_small() {
    for (entries, most) in [(1, 950), (16, 1080), (100, 1180)] {
        let million = Million::new(&[2, 345_678, SIZE], entries);
        for which in 0..3 {
            let (len, body) = million.receipt(&[which]);
            println!(
                "{entries} entries, transaction {which}: {} bytes beside the event",
                len - body
            );
            assert!(len - body <= most, "{entries}, {which}: {}", len - body);
        }
    }
}

/// Together events take less than each for itself, the more the closer they are.
#[test]
#[allow(clippy::print_stdout)] // the numbers behind a passed test
fn a_receipt_of_several_events_shares_what_they_have_in_common() {
    let scattered: Vec<u64> = (0..50).map(|n| 2 + n * 19_997 % SIZE).collect();
    let neighbours: Vec<u64> = (0..50).map(|n| 500_000 + n).collect();
    for (what, mut numbers, most) in [("scattered", scattered, 70), ("neighbours", neighbours, 25)]
    {
        numbers.sort_unstable();
        let million = Million::new(&numbers, 1);
        let all: Vec<usize> = (0..50).collect();
        let (together, bodies) = million.receipt(&all);
        let singles: usize = all.iter().map(|one| million.receipt(&[*one]).0).sum();
        let percent = (together - bodies) * 100 / (singles - bodies);
        println!(
            "50 {what} events: {together} bytes, {singles} one by one; beside the events {percent} %"
        );
        assert!(percent <= most, "{what}: {percent} %");
    }
}
