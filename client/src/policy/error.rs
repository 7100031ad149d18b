//! Why a policy, or a pin that moved, cannot be used.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::Unavailable;

/// What is wrong with a trust policy: in which file, at which key, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyProblem {
    /// The file, if it came from one.
    pub file: Option<PathBuf>,
    /// The key, as in `groups[1].members`; a line of a tlog-policy file; nothing where a parser has
    /// said it in its own words.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl PolicyProblem {
    pub(super) fn new(
        key: impl Into<String>,
        what: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        Self { file: None, key: key.into(), what: what.into(), remedy }
    }

    /// The innermost file is the one that is told.
    pub(super) fn in_file(mut self, file: &Path) -> Self {
        self.file.get_or_insert_with(|| file.to_owned());
        self
    }
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}: ", file.display())?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

impl std::error::Error for PolicyProblem {}

/// Why a policy could not be had.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A file could not be read or written.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// It says something that it may not say.
    #[error(transparent)]
    Problem(#[from] Box<PolicyProblem>),
}

impl PolicyError {
    pub(super) fn in_file(self, file: &Path) -> Self {
        match self {
            Self::Problem(problem) => Self::Problem(Box::new(problem.in_file(file))),
            other @ Self::Unavailable(_) => other,
        }
    }
}

impl From<PolicyProblem> for PolicyError {
    fn from(problem: PolicyProblem) -> Self {
        Self::Problem(Box::new(problem))
    }
}
