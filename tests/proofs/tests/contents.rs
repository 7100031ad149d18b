//! Under one trusted state an entry says one thing: the bytes behind it, the row, the table, the value
//! behind a reference, over everything that any acceptor accepts of any transaction that any
//! acceptor accepts.
//!
//! As in `uniqueness.rs`, of which this is the level above: there digests, here what they say. An
//! adversary chooses headers, their versions, chain, tree and entries, and says of each digest what
//! it has in either version. Tried with checks taken out of the verifier by hand: `verify_row` or
//! `verify_kv` in the other version, `points_at` across states or to any transaction, `verify_table`
//! that passes over an entry are each found.

use counterfoil_proof_tests::adversary::{Contents, Effort, Strictness, try_contents, try_core};
use counterfoil_proof_tests::ledger::{Size, Tangle};

#[test]
fn an_entry_says_one_thing() {
    let times = std::env::var("COUNTERFOIL_UNIQUENESS").unwrap_or_else(|_| "1".to_owned());
    let times: u64 = times.parse().expect("COUNTERFOIL_UNIQUENESS is a number");
    let size = Size { transactions: 4, variants: 2 };
    let contents = Contents::new(size.transactions);
    let scripts = contents.scripts();
    let mut accepted = [0; 6];
    for seed in 0..400 * times {
        let tangle = Tangle::of_seed_with(seed, size, &scripts);
        let tried = try_core(&tangle, Strictness::Strict, Effort::ONE_PART);
        let found = try_contents(&tangle, &contents, &tried.verified);
        let wrong = found.contradictions();
        assert!(wrong.is_empty(), "seed {seed}: {}", wrong[0]);
        for (sum, more) in accepted.iter_mut().zip(found.accepted) {
            *sum += more;
        }
    }
    let line = format!("digests, key-value, rows, catalog, tables, references: {accepted:?}");
    assert!(accepted.iter().all(|accepted| *accepted > 100 * times), "nothing to see: {line}");
    show(&line);
}

#[allow(clippy::print_stdout)]
fn show(line: &str) {
    println!("{line}");
}
