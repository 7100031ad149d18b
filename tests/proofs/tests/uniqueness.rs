//! Under one trusted state a number stands for one transaction, and an index of it for one entry:
//! over everything that any acceptor accepts, whoever wrote the headers, the chain and the trees.
//!
//! A ledger is chosen by a seed, and the same seeds are used in every run. With
//! `COUNTERFOIL_UNIQUENESS=n` there are n times as many.

use arbitrary::Unstructured;
use counterfoil_core::EntryDigest;
use counterfoil_proof_tests::adversary::{
    Contradiction, Effort, Found, Strictness, Tried, contradictions, seek, try_core,
};
use counterfoil_proof_tests::lax::{Dual, End};
use counterfoil_proof_tests::ledger::{Hash, Ledger, Size, Tangle, bytes_of_seed, tree_sequences};
use counterfoil_proof_tests::prover;

fn times() -> u64 {
    let times = std::env::var("COUNTERFOIL_UNIQUENESS").unwrap_or_else(|_| "1".to_owned());
    times.parse().expect("COUNTERFOIL_UNIQUENESS is a number")
}

/// The numbers behind a passed test, for `--nocapture`.
#[allow(clippy::print_stdout)]
fn show(line: &str) {
    println!("{line}");
}

/// What went wrong, with the transactions that it is about in full.
fn report(what: &str, tangle: &Tangle, wrong: &Contradiction) -> String {
    let variants = tangle.variants();
    let both = match wrong {
        Contradiction::Transactions { contents, .. } | Contradiction::Extended { contents, .. } => {
            contents.to_vec()
        }
        Contradiction::Newer { content, .. } => vec![*content],
        Contradiction::Entries { of, .. } => vec![*of],
    };
    let both: Vec<_> = both.iter().map(|place| &variants[*place]).collect();
    format!("{what}: {wrong:?}\n{both:#?}")
}

/// The verifier contradicts neither itself nor the second verifier, and nothing that holds under
/// the second's rules has been missed.
fn check(what: &str, tangle: &Tangle, effort: Effort) -> Tried {
    let tried = try_core(tangle, Strictness::Strict, effort);
    let wrong = contradictions(tangle, &tried.found);
    assert!(wrong.is_empty(), "{}", report(what, tangle, wrong.first().unwrap()));
    let differences = &tried.differences;
    assert!(
        differences.is_empty(),
        "{what}: {} differences, {}",
        differences.len(),
        differences[0]
    );
    if effort.every == 1 {
        assert_eq!(tried.found, seek(tangle, Strictness::Strict.rules()), "{what}");
    }
    tried
}

fn check_seeds(seeds: u64, size: Size, effort: Effort) {
    let (mut proofs, mut accepted, mut extensions) = (0, 0, 0);
    for seed in 0..seeds * times() {
        let tangle = Tangle::of_seed(seed, size);
        let tried = check(&format!("seed {seed} of {size:?}"), &tangle, effort);
        proofs += tried.proofs;
        accepted += tried.accepted;
        let variants = tangle.variants();
        let later =
            |(from, to): &&(usize, usize)| variants[*from].header.id < variants[*to].header.id;
        extensions += tried.found.extensions.iter().filter(later).count();
    }
    let line = format!("{proofs} proofs, {accepted} accepted, {extensions} extensions");
    assert!(accepted > seeds && extensions as u64 > seeds / 4, "nothing to see: {line}");
    show(&format!("{} ledgers of {size:?}: {line}", seeds * times()));
}

#[test]
fn tiny_ledgers_and_every_combination_of_parts() {
    let effort = Effort { combinations: 1000, every: 1 };
    check_seeds(100, Size { transactions: 3, variants: 2 }, effort);
}

#[test]
fn small_ledgers() {
    check_seeds(400, Size { transactions: 5, variants: 2 }, Effort::ONE_PART);
    check_seeds(60, Size { transactions: 4, variants: 4 }, Effort::ONE_PART);
}

#[test]
fn larger_ledgers() {
    check_seeds(15, Size { transactions: 10, variants: 2 }, Effort::ONE_PART);
}

#[test]
fn large_ledgers_in_some_of_their_states() {
    let effort = Effort { every: 7, ..Effort::ONE_PART };
    check_seeds(5, Size { transactions: 24, variants: 2 }, effort);
}

/// The chain goes through the one transaction and the tree holds the other, for every short ledger
/// with every lag, and all four ways.
#[test]
fn where_chain_and_tree_part_the_tree_decides_what_it_holds() {
    let (mut by_tree, mut by_chain, mut refused) = (0, 0, 0);
    for trees in tree_sequences(3 + times().min(2)) {
        for at in 1..trees.len() as u64 {
            let tangle = Tangle::parted(&trees, at);
            let variants = tangle.variants();
            let what = format!("parted at {at} of {trees:?}");
            let strict = check(&what, &tangle, Effort::ONE_PART).found;
            let legacy = try_core(&tangle, Strictness::Legacy, Effort::ONE_PART).found;
            for (place, known) in variants.iter().enumerate() {
                if known.header.id <= at {
                    continue;
                }
                let accepted = |found: &Found| -> Vec<Hash> {
                    let under = found.transactions.iter().filter(|(state, _)| *state == place);
                    let contents = under.map(|(_, content)| &variants[*content]);
                    contents.filter(|one| one.header.id == at).map(|one| one.alh).collect()
                };
                let in_chain = tangle.back(known.alh, (known.header.id - at) as usize + 1);
                let in_tree = known.in_tree.get(at as usize - 1);
                by_tree += usize::from(in_tree.is_some());
                by_chain += usize::from(in_tree.is_none());
                let expected = *in_tree.or(in_chain.last()).unwrap();
                assert_eq!(accepted(&legacy), [expected], "{what}, under {place}");
                // The strict policy refuses a proof that leaves something untied, also one that
                // shows no more than a transaction.
                let accepted = accepted(&strict);
                assert!(accepted.iter().all(|one| *one == expected), "{what}, under {place}");
                refused += usize::from(accepted.is_empty());
            }
        }
    }
    let line = format!("{by_tree} by the tree, {by_chain} by the chain, {refused} refused");
    assert!(by_tree > 100 && by_chain > 50 && refused > 0 && refused < by_chain / 4, "{line}");
    show(&line);
}

/// With `legacy_untied` a transaction is still unique under a state. An extension loses what the
/// policy's documentation says and nothing else.
#[test]
fn the_legacy_policy_loses_what_it_says_and_nothing_else() {
    let size = Size { transactions: 5, variants: 2 };
    let seeds = (0..80 * times()).map(|seed| Tangle::of_seed(seed, size));
    let lagging = tree_sequences(5).into_iter().filter(|trees| trees[4] < 4);
    let parted = lagging.map(|trees| Tangle::parted(&trees, 2));
    let mut lost = 0;
    for (number, tangle) in seeds.chain(parted).enumerate() {
        let tried = try_core(&tangle, Strictness::Legacy, Effort::ONE_PART);
        let differences = &tried.differences;
        assert!(differences.is_empty(), "ledger {number}: {}", differences[0]);
        for wrong in contradictions(&tangle, &tried.found) {
            let Contradiction::Extended { states: [from, to], contents } = &wrong else {
                panic!("{}", report(&format!("ledger {number}"), &tangle, &wrong));
            };
            // Several steps lose what one of them loses.
            if !tried.found.extensions.contains(&(*from, *to)) {
                continue;
            }
            let header = |place: usize| &tangle.variants()[place].header;
            let (s, t, id) = (header(*from), header(*to), header(contents[0]).id);
            let documented = s.bl_tx_id < id && id < s.id && t.bl_tx_id < s.id;
            assert!(documented, "{}", report(&format!("ledger {number}"), &tangle, &wrong));
            // What is after the later tree is the chain's in both.
            assert!(id <= t.bl_tx_id, "{}", report(&format!("ledger {number}"), &tangle, &wrong));
            lost += 1;
        }
    }
    assert!(lost > 10, "the loss must be seen to be tested: {lost}");
    show(&format!("lost {lost} times"));
}

/// The other side: what an honest server sends is accepted, by both policies where the tree does
/// not lag, and the second verifier says the same.
#[test]
fn honest_proofs_hold() {
    for transactions in 1..=9 {
        let ledger = Ledger::current(transactions);
        for target in 1..=transactions {
            let header = ledger.header(target).view();
            for source in 1..=target {
                let (from, to) = (ledger.state(source), ledger.state(target));
                let policy = Strictness::Strict.policy();
                let v2 = prover::dual_v2(&ledger, source, target);
                let path = prover::tx(&ledger, source, target).unwrap();
                let source_header = ledger.header(source).view();
                let tx = to.verify_tx(&header, &source_header, &path).unwrap();
                let dual = prover::dual(&ledger, source, target);
                dual.with(|dual| {
                    assert_eq!(to.verify_tx_dual(from.tx, dual, policy), Ok(tx));
                    from.verify_extension(&to.into(), dual, policy).unwrap();
                });
                assert_eq!(to.verify_tx_dual_v2(from.tx, &v2.view(), policy), Ok(tx));
                from.verify_extension_v2(&to.into(), &v2.view(), policy).unwrap();
                for (index, digest) in ledger.entries(source).iter().enumerate() {
                    let path = prover::entry(&ledger, source, index);
                    let digest = EntryDigest::new(*digest);
                    tx.verify_entry(tx.version(), &digest, index as u32, &path).unwrap();
                }
                let digests = ledger.entries(source).iter().copied().map(EntryDigest::new);
                tx.verify_all_entries(tx.version(), digests).unwrap();
            }
        }
    }
}

/// Likewise where it lags, and the strict policy refuses exactly what the proof cannot tie.
#[test]
fn honest_lagging_proofs_hold_and_the_strict_policy_refuses_the_untied() {
    let (mut tied, mut untied) = (0, 0);
    for seed in 0..200 * times() {
        let bytes = bytes_of_seed(seed, 1 << 12);
        let ledger = Ledger::arbitrary(&mut Unstructured::new(&bytes), 9).unwrap();
        for target in 1..=ledger.len() {
            for source in 1..=target {
                let (s, t) = (ledger.header(source), ledger.header(target));
                let (from, to) = (ledger.state(source), ledger.state(target));
                let between = s.bl_tx_id < t.bl_tx_id && t.bl_tx_id + 1 < source;
                let dual = prover::dual(&ledger, source, target);
                for (strictness, holds) in
                    [(Strictness::Strict, !between), (Strictness::Legacy, true)]
                {
                    let policy = strictness.policy();
                    dual.with(|dual| {
                        let tx = to.verify_tx_dual(from.tx, dual, policy);
                        let extension = from.verify_extension(&to.into(), dual, policy);
                        assert_eq!(tx.is_ok(), holds, "seed {seed}, {source} to {target}: {tx:?}");
                        assert_eq!(extension.is_ok(), holds);
                    });
                    let ends = (End::of(s), End::of(t));
                    assert_eq!(Dual::check(strictness.rules(), ends.0, ends.1, &dual), holds);
                }
                tied += usize::from(!between);
                untied += usize::from(between);
            }
        }
    }
    assert!(tied > 1000 && untied > 30, "{tied} tied, {untied} untied");
}
