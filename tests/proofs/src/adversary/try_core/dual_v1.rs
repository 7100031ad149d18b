//! Dual proofs of version 1.

use counterfoil_core::{Alh, TrustedState, TxAlh, TxId};

use super::{Part, Run, end, trusted};
use crate::adversary::seek::dual;
use crate::adversary::{Candidates, state};
use crate::lax::Dual;
use crate::ledger::{Hash, Variant, leaf};
use crate::proof::{OwnedAdvance, OwnedDual, OwnedLinear, Path};

/// What each part of a proof could be, `target_bl_tx_alh` being given.
struct Parts {
    inclusion: Part<Path>,
    consistency: Part<Path>,
    last_inclusion: Part<Path>,
    linear: Part<OwnedLinear>,
    advance: Part<Option<OwnedAdvance>>,
}

impl Parts {
    fn new(candidates: Candidates<'_>, statement: &Dual<'_>, last: &Hash) -> Self {
        let root = statement.t.bl_root;
        Self {
            inclusion: Part::new(
                candidates.inclusion(&leaf(&statement.source.alh), &root),
                |path| statement.inclusion(path),
            ),
            consistency: Part::new(candidates.consistency(&root), |path| {
                statement.consistency(path)
            }),
            last_inclusion: Part::new(candidates.inclusion(&leaf(last), &root), |path| {
                statement.last_inclusion(last, path)
            }),
            linear: Part::new(
                candidates.linear(statement.start_of_chain(last), statement.target),
                |proof| statement.linear(last, proof),
            ),
            advance: Part::new(candidates.advance(statement, last), |proof| {
                statement.advance(last, proof.as_ref())
            }),
        }
    }

    fn bad(&self) -> usize {
        self.inclusion.bad()
            + self.consistency.bad()
            + self.last_inclusion.bad()
            + self.linear.bad()
            + self.advance.bad()
    }

    fn sizes(&self) -> [usize; 5] {
        [
            self.inclusion.all.len(),
            self.consistency.all.len(),
            self.last_inclusion.all.len(),
            self.linear.all.len(),
            self.advance.all.len(),
        ]
    }

    /// The proof with these choices.
    fn proof(&self, statement: &Dual<'_>, last: &Hash, choice: [usize; 5]) -> OwnedDual {
        OwnedDual {
            source: statement.s.clone(),
            target: statement.t.clone(),
            inclusion: self.inclusion.all[choice[0]].clone(),
            consistency: self.consistency.all[choice[1]].clone(),
            target_bl_tx_alh: *last,
            last_inclusion: self.last_inclusion.all[choice[2]].clone(),
            linear: self.linear.all[choice[3]].clone(),
            advance: self.advance.all[choice[4]].clone(),
        }
    }

    /// The choices worth a try, the best first: all, or those that differ from the best in one
    /// part. Of these none where another part fails whatever this one is.
    fn choices(&self, failing: usize, combinations: usize) -> Vec<[usize; 5]> {
        let sizes = self.sizes();
        let good = [
            self.inclusion.good,
            self.consistency.good,
            self.last_inclusion.good,
            self.linear.good,
            self.advance.good,
        ];
        let best = good.map(Option::unwrap_or_default);
        let mut choices = vec![best];
        let all: usize = sizes.iter().product();
        if all <= combinations {
            choices.extend((0..all).map(|mut number| {
                sizes.map(|size| {
                    let choice = number % size;
                    number /= size;
                    choice
                })
            }));
            return choices;
        }
        for part in 0..sizes.len() {
            if failing <= usize::from(good[part].is_none()) {
                choices.extend((0..sizes[part]).map(|choice| {
                    let mut choices = best;
                    choices[part] = choice;
                    choices
                }));
            }
        }
        choices
    }
}

impl Run<'_> {
    pub(super) fn dual(&mut self, s: (usize, &Variant), t: (usize, &Variant)) {
        let statement = dual(self.rules, s.1.header.id, s.1, t.1);
        let headers = usize::from(!statement.headers());
        for last in self.candidates.lasts(&statement) {
            let parts = Parts::new(self.candidates, &statement, &last);
            let failing = headers + usize::from(!statement.ties(&last)) + parts.bad();
            for choice in parts.choices(failing, self.effort.combinations) {
                self.one_dual(s, t, &parts.proof(&statement, &last, choice));
            }
            if failing == 0 {
                let choice = parts.choices(failing, 0)[0];
                self.other_numbers(s.1, t.1, &parts.proof(&statement, &last, choice));
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
            self.tried.verified.insert(tx);
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
}
