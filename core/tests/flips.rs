//! Every dual proof of the vectors that is to be accepted, with each single change there is: a bit
//! flipped, a term taken out, doubled or put in, a part there that is not needed or the other way
//! round. None holds, from either end, under any policy.

mod ledger;
mod reference;

use counterfoil_core::*;
use ledger::proof::{OwnedAdvance, OwnedDual, OwnedDualV2};
use ledger::stored::{self, Stored};
use reference::Hash;

const FORMAT: ProofPolicy = ProofPolicy::STRICT.legacy_untied();

/// A proof of either version.
trait Proof: Clone {
    fn holds(&self, source: &TxAlh, target: &TxAlh) -> [bool; 2];
    fn headers(&mut self) -> [&mut Header<'static>; 2];
    fn lists(&mut self) -> Vec<&mut Vec<Hash>>;
}

impl Proof for OwnedDual {
    fn holds(&self, source: &TxAlh, target: &TxAlh) -> [bool; 2] {
        let (back, on) = self.check(source, target, FORMAT);
        [back.is_ok(), on.is_ok()]
    }

    fn headers(&mut self) -> [&mut Header<'static>; 2] {
        [&mut self.source_header, &mut self.target_header]
    }

    fn lists(&mut self) -> Vec<&mut Vec<Hash>> {
        let paths = [&mut self.inclusion, &mut self.consistency, &mut self.last_inclusion];
        let advance = self.advance.iter_mut();
        let advance = advance.flat_map(|a| std::iter::once(&mut a.terms).chain(&mut a.paths));
        paths.into_iter().chain([&mut self.linear]).chain(advance).collect()
    }
}

impl Proof for OwnedDualV2 {
    fn holds(&self, source: &TxAlh, target: &TxAlh) -> [bool; 2] {
        let (back, on) = self.check(source, target, FORMAT);
        [back.is_ok(), on.is_ok()]
    }

    fn headers(&mut self) -> [&mut Header<'static>; 2] {
        [&mut self.source_header, &mut self.target_header]
    }

    fn lists(&mut self) -> Vec<&mut Vec<Hash>> {
        vec![&mut self.inclusion, &mut self.consistency]
    }
}

/// Makes changes and counts them. Each must be refused.
struct Changes<'c, P> {
    case: &'c Stored<P>,
    count: usize,
}

impl<P: Proof> Changes<'_, P> {
    fn refused(&mut self, what: &str, change: impl FnOnce(&mut P)) {
        let mut changed = self.case.proof.clone();
        change(&mut changed);
        let holds = changed.holds(&self.case.source, &self.case.target);
        assert_eq!(holds, [false; 2], "{}: {what}", self.case.name);
        self.count += 1;
    }

    fn bits(&mut self, what: &str, hash: impl Fn(&mut P) -> &mut Hash) {
        for bit in 0..256 {
            self.refused(what, |p| hash(p)[bit / 8] ^= 1 << (bit % 8));
        }
    }

    fn lists(&mut self) {
        let lengths: Vec<_> = self.case.proof.clone().lists().iter().map(|l| l.len()).collect();
        for (list, len) in lengths.into_iter().enumerate() {
            for term in 0..len {
                self.bits("a term", |p| &mut p.lists().swap_remove(list)[term]);
                self.refused("a term is taken out", |p| _ = p.lists()[list].remove(term));
                self.refused("a term is doubled", |p| {
                    let twice = p.lists()[list][term];
                    p.lists()[list].insert(term, twice);
                });
            }
            self.refused("a term is put in front", |p| p.lists()[list].insert(0, [0; 32]));
            self.refused("a term is appended", |p| p.lists()[list].push([0; 32]));
        }
    }

    fn headers(&mut self) {
        for header in 0..2 {
            for bit in 0..256 {
                let flip = |hash: &[u8; 32]| {
                    let mut flipped = *hash;
                    flipped[bit / 8] ^= 1 << (bit % 8);
                    flipped
                };
                let mut change = |what: &str, set: &dyn Fn(&mut Header<'static>)| {
                    self.refused(what, |p| set(p.headers()[header]));
                };
                change("prev_alh", &|h| h.prev_alh = Alh::new(flip(h.prev_alh.as_bytes())));
                change("eh", &|h| h.eh = Root::new(flip(h.eh.as_bytes())));
                change("bl_root", &|h| h.bl_root = Root::new(flip(h.bl_root.as_bytes())));
                if bit < 64 {
                    change("id", &|h| h.id = TxId::new(h.id.get() ^ 1 << bit));
                    change("bl_tx_id", &|h| h.bl_tx_id = TxId::new(h.bl_tx_id.get() ^ 1 << bit));
                    change("ts", &|h| h.ts ^= 1 << bit);
                }
                if bit < 32 {
                    change("nentries", &|h| h.nentries ^= 1 << bit);
                }
            }
            self.refused("version", |p| {
                let header = &mut p.headers()[header];
                header.version = match header.version {
                    HeaderVersion::V0 => HeaderVersion::V1,
                    HeaderVersion::V1 => HeaderVersion::V0,
                };
            });
            for metadata in [
                TxMetadata { truncated_tx_id: Some(0), extra: None },
                TxMetadata { truncated_tx_id: None, extra: Some(b"") },
            ] {
                self.refused("metadata", |p| p.headers()[header].metadata = metadata);
            }
        }
    }
}

/// Checks a case as it is, and starts to change it.
fn changes<P: Proof>(case: &Stored<P>) -> Changes<'_, P> {
    assert_eq!(case.proof.holds(&case.source, &case.target), [true; 2], "{}", case.name);
    Changes { case, count: 0 }
}

#[test]
fn every_change_to_a_proof_of_version_1_is_refused() {
    let mut count = 0;
    for case in stored::accepted("dual_proof", stored::dual) {
        let mut changes = changes(&case);
        changes.lists();
        changes.headers();
        changes.bits("target_bl_tx_alh", |p| &mut p.target_bl_tx_alh);
        for bit in 0..64 {
            changes.refused("the chain's source", |p| p.chain[0] ^= 1 << bit);
            changes.refused("the chain's target", |p| p.chain[1] ^= 1 << bit);
        }
        changes.refused("an advance that is needed, or is not", |p| {
            let unneeded = OwnedAdvance { terms: Vec::new(), paths: Vec::new() };
            p.advance = if p.advance.is_some() { None } else { Some(unneeded) };
        });
        changes.refused("one more path, or one that is not needed", |p| match &mut p.advance {
            Some(advance) => advance.paths.push(Vec::new()),
            None => {
                let terms = vec![case.source.alh.to_bytes()];
                p.advance = Some(OwnedAdvance { terms, paths: Vec::new() });
            }
        });
        count += changes.count;
    }
    assert!(count > 100_000, "{count}");
}

#[test]
fn every_change_to_a_proof_of_version_2_is_refused() {
    let mut count = 0;
    for case in stored::accepted("dual_proof_v2", stored::dual_v2) {
        let mut changes = changes(&case);
        changes.lists();
        changes.headers();
        count += changes.count;
    }
    assert!(count > 20_000, "{count}");
}
