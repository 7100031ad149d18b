//! Ours against immudb's own verifiers, on real ledgers, lagging ones, changed proofs, and the
//! committed vectors.
//!
//! Ours accepts nothing that immudb's rejects. Where ours rejects what immudb's accepts, or the
//! strict policy what the format's rules accept, the case falls into a class of `differences.json`;
//! one that is not listed fails, and so does a listed one that is never met. With
//! `COUNTERFOIL_DIFFERENTIAL=n` there are n times as many cases.

mod differences;
mod sources;

use arbitrary::Unstructured;
use counterfoil_core::ProofPolicy;
use counterfoil_proof_tests::case::{Case, mutate};
use counterfoil_proof_tests::ledger::bytes_of_seed;
use counterfoil_proof_tests::oracle::{Oracle, Verdict};
use differences::{Differences, Stricter};

const FORMAT: ProofPolicy = ProofPolicy::STRICT.legacy_untied();

struct Comparison {
    oracle: Oracle,
    differences: Differences,
    asked: usize,
    accepted: usize,
}

impl Comparison {
    fn new() -> Self {
        let (oracle, differences) = (Oracle::start(), Differences::load());
        Self { oracle, differences, asked: 0, accepted: 0 }
    }

    fn compare(&mut self, what: &str, case: &Case) {
        let kind = case.kind();
        let theirs = self.oracle.verify(kind, &case.json());
        let ours = case.ours(FORMAT);
        let strict = case.ours(ProofPolicy::STRICT);
        self.asked += 1;
        self.accepted += usize::from(ours.is_ok());
        let show = || format!("{what}: {kind} {}", case.json());
        match (&ours, theirs) {
            (Ok(()), Verdict::Accepts) | (Err(_), Verdict::Rejects | Verdict::CannotBeAsked) => {}
            (Ok(()), Verdict::Rejects | Verdict::CannotBeAsked) => {
                panic!("ours accepts what immudb's rejects: {}", show())
            }
            (Err(refusal), Verdict::Accepts) => {
                self.differences.meet(kind, refusal, Stricter::ThanTheReference, show);
            }
        }
        match (&strict, &ours) {
            (Ok(()), Err(_)) => panic!("strict accepts what the format does not: {}", show()),
            (Err(refusal), Ok(())) => {
                self.differences.meet(kind, refusal, Stricter::ThanTheFormat, show);
            }
            _ => {}
        }
    }

    /// The honest cases, which both accept, the strict policy too but for what lags, and each of
    /// them changed some times.
    fn compare_all(&mut self, what: &str, seed: u64, honest: &[Case], changes: u64) {
        let bytes = bytes_of_seed(seed, honest.len() * changes as usize * 128);
        let u = &mut Unstructured::new(&bytes);
        for case in honest {
            assert_eq!(case.ours(FORMAT), Ok(()), "{what}, seed {seed}: {}", case.json());
            if let Err(refusal) = case.ours(ProofPolicy::STRICT) {
                assert_eq!(refusal.0, "Untied", "{what}, seed {seed}: {}", case.json());
            }
            self.compare(what, case);
            for _ in 0..changes {
                let mut changed = case.clone();
                let other = u.choose(honest).expect("there are some");
                mutate(&mut changed, other, u).expect("an exhausted source gives zeros");
                self.compare(&format!("{what}, seed {seed}"), &changed);
            }
        }
    }
}

#[test]
fn ours_is_never_laxer_and_every_difference_is_listed() {
    let times: u64 = std::env::var("COUNTERFOIL_DIFFERENTIAL")
        .map_or(1, |times| times.parse().expect("COUNTERFOIL_DIFFERENTIAL is a number"));
    let mut all = Comparison::new();
    let vectors = sources::vectors();
    for (name, case) in &vectors {
        all.compare(name, case);
    }
    let signed = |(_, case): &(String, Case)| {
        matches!(case, Case::SignedState(_)) && case.ours(FORMAT).is_ok()
    };
    let signed: Vec<Case> =
        vectors.iter().filter(|case| signed(case)).map(|v| v.1.clone()).collect();
    assert!(!signed.is_empty(), "no honest signature");
    all.compare_all("signed states", 0, &signed, 40 * times);
    for version in [0, 1] {
        all.compare("a key too long", &sources::key_too_long(version));
    }
    for seed in 0..40 * times {
        all.compare_all("entries", seed, &sources::entries(seed), 12);
    }
    for seed in 0..6 * times {
        let honest = sources::real(&mut all.oracle, seed);
        all.compare_all("a real ledger", seed, &honest, 8);
    }
    for seed in 0..70 * times {
        all.compare_all("a ledger of either kind", seed, &sources::modelled(seed), 12);
    }
    show(&format!("{} cases, {} accepted by both", all.asked, all.accepted));
    assert!(all.accepted * 10 > all.asked, "too few of {} are accepted to tell", all.asked);
    all.differences.all_met();
}

#[allow(clippy::print_stdout)]
fn show(line: &str) {
    println!("{line}");
}
