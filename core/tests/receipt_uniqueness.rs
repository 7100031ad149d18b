//! An adversary writes every header, chain and tree as he likes, and receipts from them. Under one pin
//! no receipt ever shows another transaction than the one that the pin commits to.

mod ledger;
mod receipts;
mod reference;

use counterfoil_core::receipt::*;
use counterfoil_core::*;
use receipts::{Body, judge};
use reference::Hash;

/// A transaction as the adversary wrote it, and the leaves of the tree that it states.
struct Variant {
    header: Header<'static>,
    tree: Vec<Hash>,
    alh: Alh,
    leaf: Hash,
    body: Vec<u8>,
}

/// Numbers that a seed decides.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        // Constants of Knuth's MMIX generator.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1 << 32 | 3);
        (self.0 >> 33) as usize % sides
    }
}

const TRANSACTIONS: u64 = 5;
const VARIANTS: usize = 2;

/// Transactions 1 to 5, two of each number. Chain and tree of each go through whichever of those
/// before it.
fn tangle(seed: u64) -> Vec<Vec<Variant>> {
    let mut dice = Dice(seed);
    let mut all: Vec<Vec<Variant>> = Vec::new();
    for id in 1..=TRANSACTIONS {
        let mut variants = Vec::new();
        for number in 0..VARIANTS {
            let tree: Vec<Hash> =
                all.iter().map(|before| before[dice.below(VARIANTS)].leaf).collect();
            let mut prev_alh =
                all.last().map_or(Alh::BEFORE_FIRST, |before| before[dice.below(VARIANTS)].alh);
            // Often chain and tree agree.
            if dice.below(3) > 0 && id > 1 {
                let last = all.last().unwrap();
                prev_alh = last.iter().find(|one| Some(&one.leaf) == tree.last()).unwrap().alh;
            }
            let mut body = Body::golden(Alh::ZERO);
            (body.seen_tx, body.event_type) = (id - 1, format!("{id}.{number}"));
            let header = Header {
                id: TxId::new(id),
                prev_alh,
                ts: 1_700_000_000,
                version: HeaderVersion::V1,
                metadata: TxMetadata::default(),
                nentries: 1,
                eh: Root::new(reference::leaf(body.digest(1).as_bytes())),
                bl_tx_id: TxId::new(id - 1),
                bl_root: if id == 1 { Root::ZERO } else { Root::new(reference::root(&tree)) },
            };
            let alh = header.alh().unwrap();
            let leaf = reference::leaf(alh.as_bytes());
            variants.push(Variant { header, tree, alh, leaf, body: body.encode() });
        }
        all.push(variants);
    }
    all
}

/// The best link that the adversary can make between two.
struct OwnedLink {
    inclusion: Vec<Hash>,
    consistency: Vec<Hash>,
}

impl OwnedLink {
    fn new(older: &Variant, newer: &Variant) -> Self {
        let id = older.header.id.get() as usize;
        let old = (id - 1).max(1);
        let mut consistency = reference::consistency(old, &newer.tree);
        if old < newer.tree.len() && old.is_power_of_two() {
            consistency.insert(0, reference::root(&newer.tree[..old]));
        }
        Self { inclusion: reference::path(id - 1, &newer.tree), consistency }
    }

    fn view(&self, other: &Variant) -> Link<'_> {
        let Self { inclusion, consistency } = self;
        Link { header: other.header, inclusion, consistency }
    }
}

#[test]
fn under_one_pin_a_number_is_one_transaction() {
    let (mut receipts, mut trusted, mut by_links) = (0_u32, 0_u32, 0_u32);
    for seed in 0..40 {
        let all = tangle(seed);
        // The ledger's id is one of the two first transactions.
        let ledger = all[0][0].alh;
        let variants: Vec<&Variant> = all.iter().flatten().collect();
        for state in &variants {
            let before = variants.iter().filter(|one| one.header.id < state.header.id);
            let after = variants.iter().filter(|one| one.header.id > state.header.id);
            let earlier: Vec<_> =
                before.map(|one| Some((OwnedLink::new(one, state), *one))).chain([None]).collect();
            let later: Vec<_> =
                after.map(|one| Some((OwnedLink::new(state, one), *one))).chain([None]).collect();
            for tx in variants.iter().filter(|tx| tx.header.id <= state.header.id) {
                for (earlier, later) in
                    earlier.iter().flat_map(|one| later.iter().map(move |other| (one, other)))
                {
                    let own = tx.alh == state.alh;
                    if tx.header.id == state.header.id && !own {
                        continue;
                    }
                    let index = tx.header.id.get() as usize - 1;
                    let path = if own { vec![] } else { reference::path(index, &state.tree) };
                    let events = [ReceiptEntry { entry: 0, path: &[], body: &tx.body }];
                    let transactions =
                        [ReceiptTx { header: tx.header, path: &path, events: &events }];
                    let parts = ReceiptParts {
                        ledger,
                        table_id: 1,
                        genesis: None,
                        state_header: state.header,
                        transactions: &transactions,
                        attached: Attached {
                            earlier: earlier.as_ref().map(|(link, other)| link.view(other)),
                            later: later.as_ref().map(|(link, other)| link.view(other)),
                            ..Attached::default()
                        },
                    };
                    let mut buffer = [0; 3000];
                    let bytes = parts.encode(&mut buffer).unwrap();
                    for pin in &variants {
                        let pins = [TrustedState { tx: pin.header.id, alh: pin.alh }];
                        let policy = Policy::new(ledger).with_table(1);
                        let Ok(policy) = policy.with_pins(&pins) else { continue };
                        receipts += 1;
                        if judge(bytes, &policy).trusted().is_none() {
                            continue;
                        }
                        trusted += 1;
                        by_links += u32::from(pin.alh != state.alh && pin.alh != tx.alh);
                        // The one definition of the ledger: a leaf of the pin's tree, or the pin.
                        let committed =
                            pin.tree.get(index).map_or(pin.alh == tx.alh, |leaf| *leaf == tx.leaf);
                        assert!(committed, "seed {seed}: {} by {}", tx.header.id, pin.header.id);
                    }
                }
            }
        }
    }
    assert!(
        receipts > 200_000 && trusted > 2000 && by_links > 300,
        "{receipts} {trusted} {by_links}"
    );
}
