//! An honest dual proof says one thing in one way: whatever single bit of it is flipped, whatever
//! term is taken out, doubled or put in, it no longer holds, from either end, under any policy.

use counterfoil_core::{HeaderVersion, ProofPolicy, TxId};
use counterfoil_proof_tests::ledger::{Hash, Ledger, OwnedHeader, tree_sequences};
use counterfoil_proof_tests::proof::{OwnedAdvance, OwnedDual, OwnedDualV2, Path};
use counterfoil_proof_tests::prover;

const FORMAT: ProofPolicy = ProofPolicy::STRICT.legacy_untied();

/// A proof of either version.
trait Proof: Clone {
    fn holds(&self, ledger: &Ledger, source: u64, target: u64) -> bool;
    fn headers(&mut self) -> [&mut OwnedHeader; 2];
    fn lists(&mut self) -> Vec<&mut Path>;
    fn hashes(&mut self) -> Vec<&mut Hash>;
    fn numbers(&mut self) -> Vec<&mut u64>;
}

fn agree(back: bool, on: bool) -> bool {
    assert_eq!(back, on, "the two ends disagree");
    on
}

impl Proof for OwnedDual {
    fn holds(&self, ledger: &Ledger, source: u64, target: u64) -> bool {
        let (from, to) = (ledger.state(source), ledger.state(target));
        self.with(|proof| {
            let back = to.verify_tx_dual(TxId::new(source), proof, FORMAT);
            let back = back.is_ok_and(|tx| tx.alh() == from.alh);
            agree(back, from.verify_extension(&to.into(), proof, FORMAT).is_ok())
        })
    }

    fn headers(&mut self) -> [&mut OwnedHeader; 2] {
        [&mut self.source, &mut self.target]
    }

    fn lists(&mut self) -> Vec<&mut Path> {
        let advance = self.advance.iter_mut();
        let advance = advance
            .flat_map(|advance| std::iter::once(&mut advance.terms).chain(&mut advance.inclusion));
        [
            &mut self.inclusion,
            &mut self.consistency,
            &mut self.last_inclusion,
            &mut self.linear.terms,
        ]
        .into_iter()
        .chain(advance)
        .collect()
    }

    fn hashes(&mut self) -> Vec<&mut Hash> {
        vec![&mut self.target_bl_tx_alh]
    }

    fn numbers(&mut self) -> Vec<&mut u64> {
        vec![&mut self.linear.source, &mut self.linear.target]
    }
}

impl Proof for OwnedDualV2 {
    fn holds(&self, ledger: &Ledger, source: u64, target: u64) -> bool {
        let (from, to) = (ledger.state(source), ledger.state(target));
        let proof = self.view();
        let back = to.verify_tx_dual_v2(TxId::new(source), &proof, FORMAT);
        let back = back.is_ok_and(|tx| tx.alh() == from.alh);
        agree(back, from.verify_extension_v2(&to.into(), &proof, FORMAT).is_ok())
    }

    fn headers(&mut self) -> [&mut OwnedHeader; 2] {
        [&mut self.source, &mut self.target]
    }

    fn lists(&mut self) -> Vec<&mut Path> {
        vec![&mut self.inclusion, &mut self.consistency]
    }

    fn hashes(&mut self) -> Vec<&mut Hash> {
        Vec::new()
    }

    fn numbers(&mut self) -> Vec<&mut u64> {
        Vec::new()
    }
}

/// Makes every change there is and counts them. Each must be refused.
fn refuse_all<P: Proof>(honest: &P, ledger: &Ledger, source: u64, target: u64) -> usize {
    assert!(honest.holds(ledger, source, target), "{source} to {target} is honest");
    let mut count = 0;
    let mut refused = |what: &str, change: &dyn Fn(&mut P)| {
        let mut changed = honest.clone();
        change(&mut changed);
        assert!(!changed.holds(ledger, source, target), "{source} to {target}: {what}");
        count += 1;
    };
    let mut shape = honest.clone();
    let lengths: Vec<usize> = shape.lists().iter().map(|list| list.len()).collect();
    for (list, len) in lengths.into_iter().enumerate() {
        for bit in 0..len * 256 {
            let (term, byte, bit) = (bit / 256, bit % 256 / 8, bit % 8);
            refused("a term's bit", &|p| p.lists()[list][term][byte] ^= 1 << bit);
        }
        for term in 0..len {
            refused("a term is taken out", &|p| {
                p.lists()[list].remove(term);
            });
            refused("a term is doubled", &|p| {
                let twice = p.lists()[list][term];
                p.lists()[list].insert(term, twice);
            });
        }
        refused("a term is put in front", &|p| p.lists()[list].insert(0, [0; 32]));
        refused("a term is appended", &|p| p.lists()[list].push([0; 32]));
    }
    for hash in 0..shape.hashes().len() {
        for bit in 0..256 {
            refused("a hash's bit", &|p| p.hashes()[hash][bit / 8] ^= 1 << (bit % 8));
        }
    }
    for number in 0..shape.numbers().len() {
        for bit in 0..64 {
            refused("a number's bit", &|p| *p.numbers()[number] ^= 1 << bit);
        }
    }
    for header in 0..2 {
        for bit in 0..64 {
            refused("a header's number", &|p| p.headers()[header].id ^= 1 << bit);
            refused("a header's tree", &|p| p.headers()[header].bl_tx_id ^= 1 << bit);
            refused("a header's time", &|p| p.headers()[header].ts ^= 1 << bit);
        }
        for bit in 0..32 {
            refused("a header's count", &|p| p.headers()[header].nentries ^= 1 << bit);
        }
        for bit in 0..256 {
            let (byte, bit) = (bit / 8, 1 << (bit % 8));
            refused("a header's predecessor", &|p| p.headers()[header].prev_alh[byte] ^= bit);
            refused("a header's entries", &|p| p.headers()[header].eh[byte] ^= bit);
            refused("a header's root", &|p| p.headers()[header].bl_root[byte] ^= bit);
        }
        refused("a header's version", &|p| {
            let header = &mut p.headers()[header];
            header.version = match header.version {
                HeaderVersion::V0 => HeaderVersion::V1,
                HeaderVersion::V1 => HeaderVersion::V0,
            };
        });
        refused("metadata", &|p| p.headers()[header].truncated_tx_id = Some(0));
        refused("metadata", &|p| p.headers()[header].extra = Some(Vec::new()));
    }
    count
}

#[test]
fn every_change_of_version_1_is_refused_however_the_tree_lags() {
    let mut count = 0;
    for trees in tree_sequences(5) {
        let ledger = Ledger::with_trees(&trees);
        for source in 1..=5 {
            let proof = prover::dual(&ledger, source, 5);
            count += refuse_all(&proof, &ledger, source, 5);

            let mut other = proof.clone();
            other.advance = match proof.advance {
                Some(_) => None,
                None => Some(OwnedAdvance { terms: Vec::new(), inclusion: Vec::new() }),
            };
            assert!(!other.holds(&ledger, source, 5), "a part that is needed, or is not");
        }
    }
    assert!(count > 500_000, "{count}");
}

#[test]
fn every_change_of_version_2_is_refused() {
    let mut count = 0;
    let ledger = Ledger::current(17);
    for target in [1, 2, 3, 4, 7, 8, 9, 16, 17] {
        for source in 1..=target {
            let proof = prover::dual_v2(&ledger, source, target);
            count += refuse_all(&proof, &ledger, source, target);
        }
    }
    assert!(count > 100_000, "{count}");
}
