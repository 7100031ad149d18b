//! The search put to the verifier itself.

use counterfoil_core::{Alh, EntryDigest, ProofPolicy, TrustedState, TxAlh, TxId};

use super::seek::{all_entries, dual, entries};
use super::{Candidates, Found, state};
use crate::lax::{self, Dual, DualV2, End, Rules};
use crate::ledger::{Tangle, Variant, leaf};
use crate::proof::{OwnedAdvance, OwnedDual, OwnedDualV2};

/// What came of it.
#[derive(Clone, Default, Debug)]
pub struct Tried {
    /// What the verifier accepted.
    pub found: Found,
    /// How many proofs it was shown.
    pub proofs: u64,
    /// How many of them it accepted.
    pub accepted: u64,
    /// Each proof of which it and the second verifier say different things.
    pub differences: Vec<String>,
}

/// Shows the verifier everything that the search finds, and beside every proof that holds or all
/// but holds each one that differs from it in one part. `rules` are those of `policy`.
pub fn try_core(tangle: &Tangle, policy: ProofPolicy, rules: Rules) -> Tried {
    let candidates = Candidates { tangle, with_refused: true };
    let mut run = Run { candidates, policy, rules, tried: Tried::default() };
    for (target, t) in tangle.variants().iter().enumerate() {
        for (source, s) in tangle.variants().iter().enumerate() {
            run.dual((source, s), (target, t));
            run.dual_v2((source, s), (target, t));
            run.tx((source, s), (target, t));
        }
        run.entries(target, t);
    }
    run.tried
}

struct Run<'a> {
    candidates: Candidates<'a>,
    policy: ProofPolicy,
    rules: Rules,
    tried: Tried,
}

/// A part of a proof: what it could be, and the first of it that the second verifier takes.
struct Part<T> {
    all: Vec<T>,
    good: Option<usize>,
}

impl<T: Clone> Part<T> {
    fn new(all: Vec<T>, holds: impl Fn(&T) -> bool) -> Self {
        let good = all.iter().position(holds);
        Self { all, good }
    }

    fn best(&self) -> T {
        self.all[self.good.unwrap_or(0)].clone()
    }

    fn bad(&self) -> usize {
        usize::from(self.good.is_none())
    }

    /// The proofs that differ from `base` in this part: none where another part fails, because
    /// then they would be refused whatever this part is.
    fn vary<P: Clone>(&self, base: &P, failing: usize, set: impl Fn(&mut P, T)) -> Vec<P> {
        if failing > self.bad() {
            return Vec::new();
        }
        let proof = |part: &T| {
            let mut proof = base.clone();
            set(&mut proof, part.clone());
            proof
        };
        self.all.iter().map(proof).collect()
    }
}

impl Run<'_> {
    fn dual(&mut self, s: (usize, &Variant), t: (usize, &Variant)) {
        let statement = dual(self.rules, s.1.header.id, s.1, t.1);
        let (candidates, root) = (self.candidates, statement.t.bl_root);
        let inclusion = candidates.inclusion(&leaf(&statement.source.alh), &root);
        let inclusion = Part::new(inclusion, |path| statement.inclusion(path));
        let consistency = candidates.consistency(&root);
        let consistency = Part::new(consistency, |path| statement.consistency(path));
        let failing = usize::from(!statement.headers()) + inclusion.bad() + consistency.bad();
        for last in candidates.lasts(&statement) {
            let paths = candidates.inclusion(&leaf(&last), &root);
            let paths = Part::new(paths, |path| statement.last_inclusion(&last, path));
            let linear = candidates.linear(statement.start_of_chain(&last), statement.target);
            let linear = Part::new(linear, |proof| statement.linear(&last, proof));
            let advance = candidates.advance(&statement, &last);
            let advance = Part::new(advance, |proof: &Option<OwnedAdvance>| {
                statement.advance(&last, proof.as_ref())
            });
            let failing = failing
                + usize::from(!statement.ties(&last))
                + paths.bad()
                + linear.bad()
                + advance.bad();
            let base = OwnedDual {
                source: statement.s.clone(),
                target: statement.t.clone(),
                inclusion: inclusion.best(),
                consistency: consistency.best(),
                target_bl_tx_alh: last,
                last_inclusion: paths.best(),
                linear: linear.best(),
                advance: advance.best(),
            };
            let mut proofs = vec![base.clone()];
            proofs.extend(inclusion.vary(&base, failing, |proof, path| proof.inclusion = path));
            proofs.extend(consistency.vary(&base, failing, |proof, p| proof.consistency = p));
            proofs.extend(paths.vary(&base, failing, |proof, path| proof.last_inclusion = path));
            proofs.extend(linear.vary(&base, failing, |proof, linear| proof.linear = linear));
            proofs.extend(advance.vary(&base, failing, |proof, part| proof.advance = part));
            for proof in proofs {
                self.one_dual(s, t, &proof);
            }
            if failing == 0 {
                self.other_numbers(s.1, t.1, &base);
            }
        }
    }

    fn one_dual(&mut self, s: (usize, &Variant), t: (usize, &Variant), proof: &OwnedDual) {
        let (from, to) = (trusted(s.1), trusted(t.1));
        let tx = proof.with(|proof| to.verify_tx_dual(from.tx, proof, self.policy));
        let extension =
            proof.with(|proof| from.verify_extension(&TxAlh::from(to), proof, self.policy));
        let lax = Dual::check(self.rules, end(s.1), end(t.1), proof);
        self.count(tx.is_ok(), lax, proof);
        self.count(extension.is_ok(), lax, proof);
        if let Ok(tx) = tx {
            assert_eq!((tx.id(), tx.alh(), tx.state()), (from.tx, from.alh, to));
            self.tried.found.transactions.insert((state(self.candidates.tangle, t.0), s.0));
        }
        if let Ok(extension) = extension {
            assert_eq!((extension.from(), extension.to()), (from, TxAlh::from(to)));
            let tangle = self.candidates.tangle;
            let states = (state(tangle, s.0), state(tangle, t.0));
            self.tried.found.extensions.insert(states);
        }
    }

    /// A proof that holds, asked for other numbers and hashes than its own.
    fn other_numbers(&mut self, s: &Variant, t: &Variant, proof: &OwnedDual) {
        let (from, to) = (trusted(s), trusted(t));
        let (up, down) = (from.tx.get() + 1, from.tx.get() - 1);
        for tx in [up, down, 0, u64::MAX].map(TxId::new) {
            let source = TrustedState { tx, ..from };
            let target = TrustedState { tx, ..to };
            let as_target = |to: TrustedState, tx| {
                proof.with(|proof| to.verify_tx_dual(tx, proof, self.policy)).is_ok()
            };
            let as_source = |from: TrustedState, to| {
                proof.with(|proof| from.verify_extension(&to, proof, self.policy)).is_ok()
            };
            let wrong = as_target(to, tx)
                || (tx != to.tx && as_target(target, from.tx))
                || as_source(source, to.into())
                || (tx != to.tx && as_source(from, target.into()))
                || as_source(TrustedState { alh: Alh::ZERO, ..from }, to.into())
                || as_target(TrustedState { alh: Alh::ZERO, ..to }, from.tx);
            self.count(wrong, false, &("asked for", tx, proof));
        }
    }

    fn dual_v2(&mut self, s: (usize, &Variant), t: (usize, &Variant)) {
        let statement = DualV2(dual(self.rules, s.1.header.id, s.1, t.1));
        let root = t.1.header.bl_root;
        let inclusion = self.candidates.inclusion(&leaf(&s.1.alh), &root);
        let inclusion = Part::new(inclusion, |path| statement.inclusion(path));
        let consistency = self.candidates.consistency(&root);
        let consistency = Part::new(consistency, |path| statement.consistency(path));
        let failing = usize::from(!statement.headers()) + inclusion.bad() + consistency.bad();
        let base = OwnedDualV2 {
            source: s.1.header.clone(),
            target: t.1.header.clone(),
            inclusion: inclusion.best(),
            consistency: consistency.best(),
        };
        let mut proofs = vec![base.clone()];
        proofs.extend(inclusion.vary(&base, failing, |proof, path| proof.inclusion = path));
        proofs.extend(consistency.vary(&base, failing, |proof, path| proof.consistency = path));
        let (from, to, tangle) = (trusted(s.1), trusted(t.1), self.candidates.tangle);
        for proof in proofs {
            let view = proof.view();
            let lax = DualV2::check(self.rules, end(s.1), end(t.1), &proof);
            let tx = to.verify_tx_dual_v2(from.tx, &view, self.policy).is_ok();
            let extension = from.verify_extension_v2(&to.into(), &view, self.policy).is_ok();
            self.count(tx, lax, &proof);
            self.count(extension, lax, &proof);
            if tx {
                self.tried.found.transactions.insert((state(tangle, t.0), s.0));
            }
            if extension {
                let states = (state(tangle, s.0), state(tangle, t.0));
                self.tried.found.extensions.insert(states);
            }
        }
    }

    fn tx(&mut self, s: (usize, &Variant), t: (usize, &Variant)) {
        let tangle = self.candidates.tangle;
        let paths = self.candidates.inclusion(&leaf(&s.1.alh), &t.1.header.bl_root);
        let (to, state_header, header) = (trusted(t.1), t.1.header.view(), s.1.header.view());
        for path in &paths {
            let lax = lax::verify_tx(self.rules, end(t.1), &t.1.header, &s.1.header, path);
            let tx = to.verify_tx(&state_header, &header, path).is_ok();
            self.count(tx, lax, &("transaction", s.0, "under", t.0, path));
            if tx {
                self.tried.found.transactions.insert((state(tangle, t.0), s.0));
            }
            // The header of a state is the one that its hash commits to.
            for other in tangle.variants().iter().filter(|other| other.alh != t.1.alh) {
                let tx = trusted(other).verify_tx(&state_header, &header, path).is_ok();
                self.count(tx, false, &("another header of the state", s.0, t.0, path));
            }
        }
    }

    fn entries(&mut self, place: usize, of: &Variant) {
        let header = of.header.view();
        let Ok(tx) = trusted(of).verify_tx(&header, &header, &[]) else { return };
        for (digest, index, width) in entries(self.candidates.tangle, of) {
            // The verifier takes no width.
            if width > 1 {
                continue;
            }
            for path in self.candidates.inclusion(&leaf(&digest), &of.header.eh) {
                let lax = lax::verify_entry(self.rules, &of.header, &digest, index, width, &path);
                let entry = tx.verify_entry(&EntryDigest::new(digest), index, &path).is_ok();
                self.count(entry, lax, &("entry", index, "of", place, &path));
                if entry {
                    self.tried.found.entries.insert((place, index, digest));
                }
            }
        }
        for all in all_entries(self.candidates.tangle, of) {
            let lax = lax::verify_all_entries(self.rules, &of.header, &all);
            let digests = all.iter().copied().map(EntryDigest::new);
            let accepted = tx.verify_all_entries(digests).is_ok();
            self.count(accepted, lax, &("all entries of", place, &all));
            if accepted {
                let entries = (0..).zip(all).map(|(index, digest)| (place, index, digest));
                self.tried.found.entries.extend(entries);
            }
        }
    }

    fn count(&mut self, core: bool, lax: bool, what: &dyn std::fmt::Debug) {
        self.tried.proofs += 1;
        self.tried.accepted += u64::from(core);
        if core != lax {
            self.tried.differences.push(format!("core {core}, lax {lax}: {what:?}"));
        }
    }
}

fn end(variant: &Variant) -> End {
    End { id: variant.header.id, alh: variant.alh }
}

fn trusted(variant: &Variant) -> TrustedState {
    TrustedState { tx: TxId::new(variant.header.id), alh: Alh::new(variant.alh) }
}
