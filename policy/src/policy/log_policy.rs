//! A tlog-policy that stands by itself: whose checkpoints are believed, of whatever ledger.

use counterfoil_core::checkpoint::LogPolicy;

use super::error::PolicyProblem;
use super::tlog_policy;
use super::witnessing::Witnessing;

/// Logs, witnesses and a quorum, as a file of C2SP's tlog-policy has them. It says nothing of a ledger:
/// that the logs are a certain ledger's, whoever wrote it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogPolicy(pub(super) Witnessing);

impl TlogPolicy {
    /// Reads the text of such a file.
    ///
    /// # Errors
    ///
    /// [`PolicyProblem`], with its line.
    pub fn parse(text: &str) -> Result<Self, PolicyProblem> {
        tlog_policy::read(text).map(Self)
    }

    /// The policy as core has it, which opens checkpoints. `None` where the file names no log.
    pub fn with_core<R>(&self, use_it: impl FnOnce(Option<&LogPolicy<'_>>) -> R) -> R {
        self.0.with_core(use_it)
    }

    /// The witnesses' verifier keys, and where each answers, if the file says so.
    pub fn witnesses(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.witnesses.iter().map(|witness| (witness.vkey.as_str(), witness.url.as_deref()))
    }
}
