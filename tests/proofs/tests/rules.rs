//! The search for contradictions can find some: with any one rule of the verifier off it does, or
//! the table says why the other rules leave nothing to find.

use counterfoil_proof_tests::adversary::{
    Contradiction, Effort, Strictness, contradictions, seek, try_core,
};
use counterfoil_proof_tests::lax::{Rule, Rules};
use counterfoil_proof_tests::ledger::{Hash, Size, Tangle};

const SIZE: Size = Size { transactions: 6, variants: 2 };
/// In how many ledgers nothing is found with a superfluous rule off.
const SEEDS: u64 = 60;

/// What shows that a rule is needed, or that it is not.
#[derive(Clone, Copy)]
enum Shown {
    /// The ledger of this seed has a contradiction when the rule is off.
    Seed(u64),
    /// This ledger has one.
    Ledger(fn() -> Tangle),
    /// None has, and why.
    Superfluous(&'static str),
}

use Shown::{Ledger, Seed, Superfluous};

const TABLE: [(Rule, Shown); 34] = [
    (Rule::TreeBehind, Seed(132)),
    (
        Rule::EntryCountNotZero,
        Superfluous("no index is below a count of 0, and no digest gives the root of no leaves"),
    ),
    (Rule::EntryCountFits, Seed(25)),
    (Rule::MetadataIsHashed, Seed(1)),
    (Rule::NumberIsAsked, Seed(391)),
    (Rule::HeaderIsEnd, Seed(0)),
    (Rule::InOrder, Seed(0)),
    (Rule::IndexInTree, Seed(387)),
    (Rule::InclusionLength, Seed(55)),
    (Rule::ConsistencyLength, Ledger(cut_consistency)),
    (Rule::Inclusion, Seed(2)),
    (Rule::Consistency, Seed(4)),
    (Rule::TreesInOrder, Seed(33)),
    (Rule::LastInclusion, Seed(12)),
    (Rule::LastIsSource, Seed(35)),
    (
        Rule::LastIsTargetsPredecessor,
        Superfluous(
            "the chain decides nothing that the target's tree holds, so it may differ from it \
             there; whoever follows a ledger is spared a ledger with two histories",
        ),
    ),
    (Rule::NothingUntied, Seed(35)),
    (Rule::LastIsSourcesPredecessor, Seed(416)),
    (
        Rule::OwnLastIsSourcesPredecessor,
        Superfluous("likewise of the source's tree, which decides what it holds"),
    ),
    (Rule::LinearStart, Seed(0)),
    (Rule::LinearEnd, Seed(0)),
    (Rule::LinearNumbers, Superfluous("every step hashes the number that was asked for")),
    (Rule::LinearLength, Superfluous("the last step's number, which is hashed, is the target's")),
    (Rule::AdvanceThere, Seed(34)),
    (Rule::AdvanceLength, Superfluous("the last step's number, which is hashed, is the end's")),
    (Rule::AdvancePaths, Seed(34)),
    (Rule::AdvanceInclusion, Seed(34)),
    (Rule::AdvanceEnd, Seed(222)),
    (Rule::TreeDecides, Seed(5)),
    (Rule::EqualNumbersEqualHashes, Seed(0)),
    (Rule::NoLag, Seed(34)),
    (
        Rule::NothingSurplus,
        Superfluous("what is not looked at decides nothing; a proof has one form all the same"),
    ),
    (Rule::WidthIsCount, Seed(0)),
    (Rule::AllIsCount, Seed(1)),
];

/// Two of these rules are about entries. Of the others the harm to transactions is to be shown.
fn contradicts(tangle: &Tangle, rules: Rules) -> bool {
    let entries = rules.off(Rule::WidthIsCount) || rules.off(Rule::AllIsCount);
    contradictions(tangle, &seek(tangle, rules))
        .iter()
        .any(|wrong| entries || !matches!(wrong, Contradiction::Entries { .. }))
}

#[test]
fn the_table_names_every_rule_once() {
    assert_eq!(TABLE.map(|(rule, _)| rule), Rule::ALL);
}

#[test]
fn each_rule_is_needed_or_the_table_says_why_not() {
    let mut wrong = Vec::new();
    for (rule, shown) in TABLE {
        let without = Rules::STRICT.without(rule);
        let of_seed = |seed| Tangle::of_seed(seed, SIZE);
        match shown {
            Seed(seed) => {
                let tangle = of_seed(seed);
                assert!(!contradicts(&tangle, Rules::STRICT), "seed {seed} with all rules");
                if !contradicts(&tangle, without) {
                    let other = (0..20_000).find(|seed| contradicts(&of_seed(*seed), without));
                    wrong.push(format!("{rule:?}: not seed {seed} but {other:?}"));
                }
            }
            Ledger(make) => {
                assert!(!contradicts(&make(), Rules::STRICT), "{rule:?} is on");
                if !contradicts(&make(), without) {
                    wrong.push(format!("{rule:?}: not that ledger"));
                }
            }
            Superfluous(why) => {
                if let Some(seed) = (0..SEEDS).find(|seed| contradicts(&of_seed(*seed), without)) {
                    wrong.push(format!("{rule:?}: seed {seed}, although {why}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same ledgers, kept as regressions: the verifier itself finds nothing in any of them.
#[test]
fn the_verifier_has_the_rules_that_these_ledgers_need() {
    for (rule, shown) in TABLE {
        let tangle = match shown {
            Seed(seed) => Tangle::of_seed(seed, SIZE),
            Ledger(make) => make(),
            Superfluous(_) => continue,
        };
        let tried = try_core(&tangle, Strictness::Strict, Effort::ONE_PART);
        assert_eq!(tried.differences, [] as [String; 0], "{rule:?}");
        assert!(contradictions(&tangle, &tried.found).is_empty(), "{rule:?}");
    }
}

/// Paths to entries are the same paths: one seed is enough to see their rules at work.
#[test]
fn the_rules_of_paths_are_needed_for_entries_too() {
    for rule in [Rule::IndexInTree, Rule::InclusionLength] {
        let tangle = Tangle::of_seed(0, SIZE);
        let wrong = contradictions(&tangle, &seek(&tangle, Rules::STRICT.without(rule)));
        let entries = |wrong: &Contradiction| matches!(wrong, Contradiction::Entries { .. });
        assert!(wrong.iter().any(entries), "{rule:?}");
    }
}

/// Transaction 7 states a tree over six transactions that is really over four, of which the last
/// two have the numbers 5 and 6. Transaction 8's tree begins with it, so the path from tree to tree
/// is one term shorter than from six to seven, and holds others of these numbers in their places.
fn cut_consistency() -> Tangle {
    let mut tangle = Tangle::default();
    let before: Hash = [0; 32];
    let first = tangle.add((1, 0), before, 0, &[]);
    let second = tangle.add((2, 0), first, 0, &[]);
    let third = tangle.add((3, 0), second, 0, &[]);
    let fourth = tangle.add((4, 0), third, 0, &[]);
    let fifth = tangle.add((5, 0), fourth, 0, &[]);
    let sixth = tangle.add((6, 0), fifth, 0, &[]);
    let others = [tangle.add((5, 1), fourth, 0, &[]), tangle.add((6, 1), fifth, 0, &[])];
    let older = [first, second, fifth, sixth];
    let source = tangle.add((7, 0), sixth, 6, &older);
    tangle.add((8, 0), source, 7, &[&older[..], &others, &[source]].concat());
    tangle
}
