//! A tlog-policy file that stands by itself: whose checkpoints are believed, of whatever ledger.

use std::path::Path;

use counterfoil_core::checkpoint::LogPolicy;

use super::error::PolicyError;
use super::witnessing::Witnessing;
use super::{read, tlog_policy};

/// Logs, witnesses and a quorum, as a file of C2SP's tlog-policy has them. It says nothing of a ledger:
/// that the logs are a certain ledger's, whoever wrote it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogPolicy(Witnessing);

impl TlogPolicy {
    /// Reads such a file.
    ///
    /// # Errors
    ///
    /// [`PolicyError`]: it cannot be read, or is no tlog-policy.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        let path = path.as_ref();
        let read = tlog_policy::read(&read(path)?);
        Ok(Self(read.map_err(|problem| problem.in_file(path))?))
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
