//! Why a policy, or a pin that moved, cannot be used.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

    /// In this file, unless it is in one already: the innermost is the one that is told.
    pub fn in_file(mut self, file: &Path) -> Self {
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

/// A file could not be read or written.
#[derive(Debug, Clone)]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// What the operating system said.
    pub cause: Arc<std::io::Error>,
}

impl FileError {
    /// Of this file, because of this.
    pub fn new(path: impl Into<PathBuf>, cause: std::io::Error) -> Self {
        Self { path: path.into(), cause: cause.into() }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.cause)
    }
}

impl std::error::Error for FileError {}

/// Why a policy could not be had.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum PolicyError {
    /// A file could not be read or written.
    File(FileError),
    /// It says something that it may not say.
    Problem(Box<PolicyProblem>),
}

impl PolicyError {
    #[cfg(feature = "toml")]
    pub(super) fn in_file(self, file: &Path) -> Self {
        match self {
            Self::Problem(problem) => Self::Problem(Box::new(problem.in_file(file))),
            other @ Self::File(_) => other,
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Problem(problem) => problem.fmt(f),
        }
    }
}

impl std::error::Error for PolicyError {}

impl From<FileError> for PolicyError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<PolicyProblem> for PolicyError {
    fn from(problem: PolicyProblem) -> Self {
        Self::Problem(Box::new(problem))
    }
}
