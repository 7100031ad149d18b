//! What the exit code says, and everything that can fail.

use std::fmt;
use std::io;
use std::process::ExitCode;

use counterfoil::core::receipt::Verdict as ReceiptVerdict;
use counterfoil::{AuditVerdict, Error, PolicyError, PolicyProblem, Unavailable, Verdict};

/// Shown by `--help`.
pub(crate) const EXIT_CODES: &str = "Exit codes:
  0  done, and everything shown was verified
  1  broken: the ledger, a row or a proof is not what it should be
  2  usage: the arguments or the configuration cannot be used
  3  unanchored: it fits together, but nothing that is trusted vouches for it
  4  the ledger could not be asked, or a file not be read
  5  cannot decide: an outcome is unknown, or a ledger is not accounted for whole
  6  refused: the request could not be granted, nothing was written";

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// How a command ended. The numbers are promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Broken = 1,
    Usage = 2,
    Unanchored = 3,
    Unavailable = 4,
    Undecided = 5,
    Refused = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<AuditVerdict> for Exit {
    fn from(verdict: AuditVerdict) -> Self {
        match verdict {
            AuditVerdict::Intact => Self::Done,
            AuditVerdict::Unconfirmed => Self::Unanchored,
            AuditVerdict::Broken => Self::Broken,
            _ => Self::Undecided,
        }
    }
}

impl From<ReceiptVerdict> for Exit {
    fn from(verdict: ReceiptVerdict) -> Self {
        match verdict {
            verified if verified.trusted().is_some() => Self::Done,
            ReceiptVerdict::ExtendsPin { .. } | ReceiptVerdict::Unanchored => Self::Unanchored,
            ReceiptVerdict::Broken(_) => Self::Broken,
            // Also where only an event's content or its author is missing.
            _ => Self::Undecided,
        }
    }
}

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    Store(Error),
    /// An argument, or a file that it names.
    Usage(String),
    /// The output could not be written.
    Output(io::Error),
    /// A line of a file that was to be appended.
    Line {
        number: u64,
        appended: u64,
        failure: Box<Failure>,
    },
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => of_error(error),
            Self::Usage(_) => Exit::Usage,
            Self::Output(_) => Exit::Unavailable,
            Self::Line { failure, .. } => failure.exit(),
        }
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// `{"error": {"exit": …, "message": …}}`, with the verdict or the line
    /// where there is one.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let mut error = serde_json::json!({
            "exit": self.exit() as u8,
            "message": self.to_string(),
        });
        let mut inner = self;
        if let Self::Line { number, appended, failure } = self {
            error["line"] = (*number).into();
            error["appended"] = (*appended).into();
            inner = failure;
        }
        if let Self::Store(Error::Ledger(verdict)) = inner {
            error["verdict"] = serde_json::to_value(verdict).unwrap_or_default();
        }
        serde_json::json!({ "error": error })
    }
}

fn of_error(error: &Error) -> Exit {
    match error {
        Error::Ledger(verdict) => of_verdict(verdict),
        Error::Unavailable(_) => Exit::Unavailable,
        Error::Config(_) | Error::Invalid(_) => Exit::Usage,
        Error::BeyondState { .. } => Exit::Unanchored,
        Error::OutcomeUnknown { .. } | Error::CannotDecide(_) => Exit::Undecided,
        _ => Exit::Refused,
    }
}

pub(crate) fn of_verdict(verdict: &Verdict) -> Exit {
    match verdict {
        Verdict::FirstContact { .. }
        | Verdict::ExtendsPin { .. }
        | Verdict::UnconfirmedEnd { .. }
        | Verdict::BeyondPin { .. } => Exit::Unanchored,
        Verdict::Superseded { .. } => Exit::Refused,
        _ => Exit::Broken,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Usage(what) => f.write_str(what),
            Self::Output(error) => write!(f, "writing the output: {error}"),
            Self::Line { number, appended, failure } => {
                let were = if *appended == 1 { "line was" } else { "lines were" };
                write!(f, "line {number}: {failure} ({appended} {were} appended, each is shown)")
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<Verdict> for Failure {
    fn from(verdict: Verdict) -> Self {
        Self::Store(verdict.into())
    }
}

/// What a policy says is an argument like any other.
impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Unavailable(why) => why.into(),
            other => Self::Usage(other.to_string()),
        }
    }
}

impl From<PolicyProblem> for Failure {
    fn from(problem: PolicyProblem) -> Self {
        Self::Usage(problem.to_string())
    }
}

impl From<Unavailable> for Failure {
    fn from(why: Unavailable) -> Self {
        Self::Store(why.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
