//! Verifies the same dual proofs with ours and with immudb's own verifier, turn by turn, in a
//! ledger of 100,000 transactions.
//!
//! ```text
//! scripts/compare-proofs
//! ```
//!
//! The ledger is a real one, made by immudb's store; the proofs lead from its first, a middle and
//! its last source to its last transaction. Prints a table, and lines `name value`: for the three
//! sources together nanoseconds of ours and of immudb's, and the one by the other; then the share of
//! ours that is SHA-256.
#![allow(clippy::print_stdout)]

mod ledger;

use std::hint::black_box;
use std::time::{Duration, Instant};

use counterfoil_core::ProofPolicy;
use counterfoil_proof_tests::case::Case;
use counterfoil_proof_tests::cost::compressions;
use counterfoil_proof_tests::oracle::Oracle;
use serde_json::Value;

const TRANSACTIONS: u64 = 100_000;
const SOURCES: [u64; 3] = [1, TRANSACTIONS / 2, TRANSACTIONS - 1];
/// A turn is far shorter than the time that a busy machine gives a process at once: so most turns
/// are not interrupted, and the median is one that was not.
const TURNS: usize = 801;
const ROUNDS: u64 = 50;

fn main() {
    let mut oracle = Oracle::start();
    let pairs = SOURCES.map(|source| (source, TRANSACTIONS));
    let answer = ledger::proofs(&mut oracle, TRANSACTIONS, &pairs);
    println!("ratio: ours / immudb's; SHA-256: the share of ours that is hashing");
    println!(
        "{:<14}{:>10}{:>12}{:>12}{:>9}{:>9}",
        "kind", "source", "ours", "immudb's", "ratio", "SHA-256"
    );

    let mut lines = String::new();
    let (mut hashing, mut all) = (Duration::ZERO, Duration::ZERO);
    for (kind, name) in [("dual_proof", "dual_v1"), ("dual_proof_v2", "dual_v2")] {
        let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
        for json in answer[kind].as_array().expect("a list") {
            let measured = measure(&mut oracle, kind, json);
            println!(
                "{kind:<14}{:>10}{:>9.0} ns{:>9.0} ns{:>9.2}{:>9.2}",
                json["source_tx_id"].to_string(),
                each(measured.ours),
                each(measured.theirs),
                measured.ours.as_secs_f64() / measured.theirs.as_secs_f64(),
                measured.hashing.as_secs_f64() / measured.ours.as_secs_f64(),
            );
            ours += measured.ours;
            theirs += measured.theirs;
            hashing += measured.hashing;
            all += measured.ours;
        }
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        lines += &format!("{name}_ratio {ratio:.3}\n");
        lines += &format!("{name}_ours_ns {:.0}\n", each(ours));
        lines += &format!("{name}_reference_ns {:.0}\n", each(theirs));
    }
    print!("{lines}");
    println!("sha256_share {:.3}", hashing.as_secs_f64() / all.as_secs_f64());
}

fn each(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9 / ROUNDS as f64
}

/// The medians over all turns, each of so many rounds.
struct Measured {
    ours: Duration,
    theirs: Duration,
    /// As many compressions as the proof's formula has, one after the other, and nothing else.
    hashing: Duration,
}

fn measure(oracle: &mut Oracle, kind: &str, json: &Value) -> Measured {
    let case = Case::read(kind, json).expect("a case of its kind");
    let blocks = compressions(&case);
    let (mut ours, mut theirs, mut hashing) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        ours.push(time_ours(&case));
        theirs.push(oracle.bench(kind, json, ROUNDS));
        hashing.push(time_compressions(blocks));
    }
    Measured { ours: median(ours), theirs: median(theirs), hashing: median(hashing) }
}

fn time_ours(case: &Case) -> Duration {
    case.with_ready(ProofPolicy::STRICT, |verify| {
        let started = Instant::now();
        for _ in 0..ROUNDS {
            assert!(black_box(verify()), "the proof is refused");
        }
        started.elapsed()
    })
}

fn time_compressions(blocks: usize) -> Duration {
    let (mut state, block) = ([1_u32; 8], [[0x5a_u8; 64]]);
    let started = Instant::now();
    for _ in 0..ROUNDS {
        for _ in 0..blocks {
            sha2::block_api::compress256(black_box(&mut state), black_box(&block));
        }
    }
    started.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
