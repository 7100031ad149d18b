//! What the exit code says, and everything that can fail.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use counterfoil::checkpoint::CheckpointRefusal;
use counterfoil::core::checkpoint::CheckpointError;
use counterfoil::core::receipt::Verdict as ReceiptVerdict;
use counterfoil::{
    AuditVerdict, Error, FileError, PolicyError, PolicyProblem, Unavailable, Verdict,
};

use crate::typed::Quoted;

/// Shown by `--help`.
pub(crate) const EXIT_CODES: &str = "Exit codes:
  0  done, and everything shown was verified; `inspect` without a policy says nothing of trust
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
    /// What somebody claims is not so, or nobody who is trusted says it.
    Refuted {
        exit: Exit,
        why: String,
    },
    /// The output could not be written.
    Output(io::Error),
    /// An event of a file that was to be appended.
    At(Stopped, Box<Failure>),
    /// All of a file was appended, and not all of that could be shown.
    Unshown {
        appended: u64,
        error: io::Error,
    },
}

/// Where the events of a file ended to be appended.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) file: PathBuf,
    /// The first that was not.
    pub(crate) place: Place,
    /// How many were, …
    pub(crate) appended: u64,
    /// … of these behind it: somebody took it out of the transaction that holds them.
    pub(crate) behind: u64,
    /// Through where it is not known whether they are in the ledger.
    pub(crate) unknown: Option<Place>,
    /// Whether each that was appended is on standard output.
    pub(crate) shown: bool,
    /// Whether all of it can be sent again: each has an id of its own.
    pub(crate) repeatable: bool,
    /// The program with the options that it was given for all commands, as a shell takes them.
    pub(crate) program: String,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, place, appended, behind, unknown, shown, repeatable, program } = self;
        let (what, number) = place.parts();
        if *appended == 0 && unknown.is_none() {
            return write!(f, "no {what} was appended");
        }
        let were = if *appended == 1 { " was" } else { "s were" };
        let shown = if *shown { "each is" } else { "not all are" };
        write!(f, "{appended} {what}{were} appended, {shown} shown; ")?;
        match unknown.map(|place| place.parts().1) {
            None if *behind > 0 => write!(f, "{behind} of them stand behind it")?,
            None => write!(f, "nothing from {what} {number} on was")?,
            Some(last) if last == number => write!(f, "{what} {number} may be, too")?,
            Some(last) => write!(f, "{what} {number} to {last} may be, too")?,
        }
        if *repeatable {
            f.write_str(": send it again, nothing is written twice")
        } else if unknown.is_some() || *behind > 0 {
            f.write_str(
                ": send again what has an external_id; for what has none, read its stream first",
            )
        } else if file == Path::new("-") {
            write!(f, ": go on with line {number}")
        } else {
            let file = Quoted(file);
            write!(f, ": go on with `tail -n +{number} {file} | {program} append --lines -`")
        }
    }
}

/// Where something stands in a file, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Line(u64),
    Event(u64),
}

impl Place {
    fn parts(self) -> (&'static str, u64) {
        match self {
            Self::Line(number) => ("line", number),
            Self::Event(number) => ("event", number),
        }
    }
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => of_error(error),
            Self::Usage(_) => Exit::Usage,
            Self::Refuted { exit, .. } => *exit,
            Self::Output(_) | Self::Unshown { .. } => Exit::Unavailable,
            Self::At(_, failure) => failure.exit(),
        }
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// `{"error": {"exit": …, "message": …}}`, with the verdict, or the line
    /// or event of a file and how many were appended, where there is one.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let mut error = serde_json::json!({
            "exit": self.exit() as u8,
            "message": self.to_string(),
        });
        let mut inner = self;
        if let Self::Unshown { appended, .. } = self {
            error["appended"] = (*appended).into();
        }
        if let Self::At(Stopped { file, place, appended, .. }, failure) = self {
            let (what, number) = place.parts();
            error["file"] = file.display().to_string().into();
            error[what] = number.into();
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
        Error::Unavailable(why) if is_there_already(why).is_some() => Exit::Usage,
        Error::Unavailable(_) => Exit::Unavailable,
        Error::Config(_) | Error::Invalid(_) => Exit::Usage,
        Error::BeyondState { .. } => Exit::Unanchored,
        Error::OutcomeUnknown { .. } | Error::CannotDecide(_) => Exit::Undecided,
        Error::Checkpoint(why) => match **why {
            CheckpointRefusal::NotAccountedFor { .. } => Exit::Undecided,
            CheckpointRefusal::Form(_) | CheckpointRefusal::Request(_) => Exit::Broken,
            _ => Exit::Refused,
        },
        _ => Exit::Refused,
    }
}

/// A file that was to be made, and is there: what was named cannot be used.
fn is_there_already(why: &Unavailable) -> Option<&Path> {
    match why {
        Unavailable::File { path, cause } if cause.kind() == io::ErrorKind::AlreadyExists => {
            Some(path)
        }
        _ => None,
    }
}

/// The library's words, but where the remedy has a name on the command line.
fn told(error: &Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Error::Unavailable(why) = error
        && let Some(path) = is_there_already(why)
    {
        return write!(f, "{}: {THERE}", path.display());
    }
    if let Error::Unavailable(Unavailable::NoLedger { path }) = error {
        return write!(
            f,
            "{}: there is no ledger; correct the name, or create one with `counterfoil --ledger {} \
             init`",
            path.display(),
            Quoted(path)
        );
    }
    let (ledger, state, was) = match error.verdict() {
        Some(Verdict::FirstContact { ledger, state }) => {
            (ledger, state, "is unknown to this client (first contact)")
        }
        Some(Verdict::PinLost { ledger, state }) => (
            ledger,
            state,
            "was seen before, but its log is gone (put it back, or its .pin file, if you have them)",
        ),
        _ => return write!(f, "{error}"),
    };
    write!(
        f,
        "ledger {ledger} {was}, and nothing vouches for what it shows, state {state} now. Say a state \
         as --pin TX:ALH (or as `pin` under [trust] in counterfoil.toml) that you have from somebody \
         who knew the ledger before; to believe it this once, say --accept-first-contact"
    )?;
    match error {
        Error::Ledger(evidence) if let Some(log) = evidence.log() => write!(
            f,
            ". There is nothing of it in {}: of a ledger that was moved, name the trust file as \
             --trust",
            log.display()
        ),
        _ => Ok(()),
    }
}

/// What is said of it.
pub(crate) const THERE: &str = "it is there already, and is left as it is";

impl From<CheckpointError> for Exit {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::NoLogSignature | CheckpointError::Quorum { .. } => Self::Unanchored,
            _ => Self::Broken,
        }
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
            Self::Store(error) => told(error, f),
            Self::Usage(what) | Self::Refuted { why: what, .. } => f.write_str(what),
            Self::Output(error) => write!(f, "writing the output: {error}"),
            Self::At(stopped, failure) => {
                if stopped.file == Path::new("-") {
                    f.write_str("standard input")?;
                } else {
                    write!(f, "{}", stopped.file.display())?;
                }
                let (what, number) = stopped.place.parts();
                write!(f, ", {what} {number}: {failure} ({stopped})")
            }
            Self::Unshown { appended, error } => {
                write!(f, "all {appended} were appended, but not all could be shown: {error}")
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
            // A name that leads nowhere, as any other that cannot be used.
            PolicyError::File(FileError { path, cause })
                if cause.kind() == io::ErrorKind::NotFound =>
            {
                Self::Usage(format!("{}: no such file", path.display()))
            }
            PolicyError::File(why) => Unavailable::from(why).into(),
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
