//! The search put to the verifier itself.

mod dual_v1;
mod parts;

use std::collections::HashSet;

use counterfoil_core::{Alh, EntryDigest, ProofPolicy, TrustedState, TxId, VerifiedTx};

use self::parts::Part;
use super::seek::{all_entries, dual, entries};
use super::{Candidates, Found, state};
use crate::lax::{self, DualV2, End, Rules};
use crate::ledger::{Tangle, Variant, leaf};
use crate::proof::OwnedDualV2;

/// What came of it.
#[derive(Clone, Default, Debug)]
pub struct Tried {
    /// What the verifier accepted.
    pub found: Found,
    /// The transactions among it, under all states, as the verifier gave them.
    pub verified: HashSet<VerifiedTx>,
    /// How many proofs it was shown.
    pub proofs: u64,
    /// How many of them it accepted.
    pub accepted: u64,
    /// Each proof of which it and the second verifier say different things.
    pub differences: Vec<String>,
}

/// How the verifier is set, and the second one accordingly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strictness {
    /// [`ProofPolicy::STRICT`].
    Strict,
    /// [`ProofPolicy::legacy_untied`].
    Legacy,
}

impl Strictness {
    /// The verifier's policy.
    pub const fn policy(self) -> ProofPolicy {
        match self {
            Self::Strict => ProofPolicy::STRICT,
            Self::Legacy => ProofPolicy::STRICT.legacy_untied(),
        }
    }

    /// The second verifier's rules.
    pub const fn rules(self) -> Rules {
        match self {
            Self::Strict => Rules::STRICT,
            Self::Legacy => Rules::LEGACY,
        }
    }
}

/// How much is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effort {
    /// Up to how many combinations of what the parts of a dual proof could be all are tried. Where
    /// there are more, the parts are varied one at a time.
    pub combinations: usize,
    /// Every how many-th transaction is a state: 1 for all.
    pub every: usize,
}

impl Effort {
    /// All states, and the parts one at a time.
    pub const ONE_PART: Self = Self { combinations: 0, every: 1 };
}

/// Shows the verifier everything that the search finds, and beside every proof that holds or all
/// but holds others that should not.
pub fn try_core(tangle: &Tangle, strictness: Strictness, effort: Effort) -> Tried {
    let candidates = Candidates { tangle, with_refused: true };
    let (policy, rules) = (strictness.policy(), strictness.rules());
    let mut run = Run { candidates, policy, rules, effort, tried: Tried::default() };
    for (target, t) in tangle.variants().iter().enumerate().step_by(effort.every) {
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
    effort: Effort,
    tried: Tried,
}

impl Run<'_> {
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
            let tx = to.verify_tx_dual_v2(from.tx, &view, self.policy);
            self.tried.verified.extend(tx);
            let tx = tx.is_ok();
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
            let tx = to.verify_tx(&state_header, &header, path);
            self.tried.verified.extend(tx);
            let tx = tx.is_ok();
            self.count(tx, lax, &("transaction", s.0, "under", t.0, path));
            if tx {
                self.tried.found.transactions.insert((state(tangle, t.0), s.0));
            }
            // A state's number is that of the transaction that its hash commits to.
            for tx in [to.tx.get() + 1, to.tx.get() - 1, 0, u64::MAX].map(TxId::new) {
                let other = TrustedState { tx, ..to };
                let accepted = tx != to.tx && other.verify_tx(&state_header, &header, path).is_ok();
                self.count(accepted, false, &("another number of the state", s.0, t.0, path));
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
                let entry =
                    tx.verify_entry(tx.version(), &EntryDigest::new(digest), index, &path).is_ok();
                self.count(entry, lax, &("entry", index, "of", place, &path));
                if entry {
                    self.tried.found.entries.insert((place, index, digest));
                }
            }
        }
        for all in all_entries(self.candidates.tangle, of) {
            let lax = lax::verify_all_entries(self.rules, &of.header, &all);
            let digests = all.iter().copied().map(EntryDigest::new);
            let accepted = tx.verify_all_entries(tx.version(), digests).is_ok();
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
