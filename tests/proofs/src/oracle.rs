//! immudb's own verifiers, in a process of their own (`tests/immudb/oracle`).

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// The running oracle. It ends when this is dropped.
pub struct Oracle {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

/// What immudb's verifier says of a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It holds.
    Accepts,
    /// It does not, or the verifier gave up on it.
    Rejects,
    /// The case cannot be brought into the verifier's own types.
    CannotBeAsked,
}

impl Oracle {
    /// Builds it if need be, and starts it.
    ///
    /// # Panics
    ///
    /// With a sentence that says what is missing; so do the others when it answers nonsense.
    pub fn start() -> Self {
        let binary =
            counterfoil_test_support::oracle_binary().unwrap_or_else(|why| panic!("{why}"));
        let mut child = Command::new(&binary)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", binary.display()));
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().expect("it was piped"));
        Self { child, to, from }
    }

    fn ask(&mut self, request: &Value) -> Value {
        let to = self.to.as_mut().expect("open until it is dropped");
        writeln!(to, "{request}").expect("the oracle reads");
        let mut line = String::new();
        self.from.read_line(&mut line).expect("the oracle answers");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
    }

    /// Asks about a case of the vectors' format.
    pub fn verify(&mut self, kind: &str, case: &Value) -> Verdict {
        let answer = self.ask(&json!({ "verify": kind, "case": case }));
        match answer.get("accepts").and_then(Value::as_bool) {
            Some(true) => Verdict::Accepts,
            Some(false) => Verdict::Rejects,
            None => Verdict::CannotBeAsked,
        }
    }

    /// A real ledger of so many transactions, with headers of this version, and its proofs between
    /// these pairs: cases of the kinds `dual_proof` and `dual_proof_v2`.
    pub fn ledger(
        &mut self,
        transactions: u64,
        seed: u64,
        version: u16,
        proofs: &[(u64, u64)],
    ) -> Value {
        let answer = self.ask(&json!({ "ledger": {
            "transactions": transactions, "seed": seed, "version": version, "proofs": proofs,
        }}));
        assert!(answer.get("dual_proof").is_some(), "{answer}");
        answer
    }

    /// How long so many verifications of one proof take, which must hold.
    pub fn bench(&mut self, kind: &str, case: &Value, rounds: u64) -> Duration {
        let answer =
            self.ask(&json!({ "bench": { "kind": kind, "case": case, "rounds": rounds } }));
        let nanoseconds = answer.get("nanoseconds").and_then(Value::as_u64);
        Duration::from_nanos(nanoseconds.unwrap_or_else(|| panic!("{answer}")))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.child.wait();
    }
}
