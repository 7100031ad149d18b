//! `state`: what this client holds the ledger to.

use std::fmt;

use counterfoil::{EventStore, Finding, LogRepair, Status, StoreFiles, TrustedState};
use serde::Serialize;

use super::Session;
use crate::args::{StateAction, StateArgs};
use crate::exit::{Exit, Failure, Result};
use crate::output::{Counted, Name, Plain, bold};

/// A state that nothing is done with is an argument too many.
pub(super) fn check(args: &StateArgs) -> Result<()> {
    match (args.action, args.other) {
        (StateAction::Show | StateAction::Pin, Some(other)) => {
            Err(Failure::Usage(format!("{other}: only `state compare` takes a state")))
        }
        _ => Ok(()),
    }
}

pub(super) async fn run(session: &Session, store: &EventStore, args: &StateArgs) -> Result<Exit> {
    let status = store.status().await?;
    let state = status.pin.state;
    match (args.action, args.other) {
        (StateAction::Pin, _) => {
            let pin = PinLines { ledger: status.pin.ledger.to_string(), pin: state.to_string() };
            session.output.print(&pin, &pin)?;
        }
        (StateAction::Compare, Some(other)) => {
            store.check_state(other).await?;
            let same = Compared { state, contains: other };
            session.output.print(&same, format_args!("{state} contains {other}"))?;
        }
        _ => {
            let findings = store.findings().await?;
            let files = store.files().await;
            let StoreFiles { ledger, log, .. } = &files;
            let files =
                Files { ledger: ledger.as_deref().map(Name), log: log.as_deref().map(Name) };
            let shown = Shown { status: &status, findings: &findings, files };
            session.output.print(&shown, &shown)?;
        }
    }
    Ok(Exit::Done)
}

/// What goes into another client's configuration.
#[derive(Serialize)]
struct PinLines {
    ledger: String,
    pin: String,
}

impl fmt::Display for PinLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[trust]\nledger = \"{}\"\npin = \"{}\"", self.ledger, self.pin)
    }
}

#[derive(Serialize)]
struct Compared {
    state: TrustedState,
    contains: TrustedState,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    status: &'a Status,
    findings: &'a [Finding],
    files: Files<'a>,
}

#[derive(Serialize)]
struct Files<'a> {
    ledger: Option<Name<'a>>,
    log: Option<Name<'a>>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", StatusText(self.status))?;
        let log = if self.files.ledger.is_some() { "trust" } else { "log" };
        for (what, file) in [("file", &self.files.ledger), (log, &self.files.log)] {
            if let Some(file) = file {
                write!(f, "\n{}{:width$} {}", bold(what), "", file, width = 8 - what.len())?;
            }
        }
        for finding in self.findings {
            write!(f, "\n{} {}", bold("finding"), Plain(finding))?;
        }
        Ok(())
    }
}

/// A status for people.
pub(super) struct StatusText<'a>(pub(super) &'a Status);

impl fmt::Display for StatusText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Status { pin, completeness, uncovered, repairs, .. } = self.0;
        writeln!(f, "{}   {}", bold("ledger"), pin.ledger)?;
        writeln!(f, "{}    {}", bold("state"), pin.state)?;
        writeln!(f, "{}  {}, at {}", bold("believed"), pin.anchor, pin.anchored_at)?;
        if let Some(end) = uncovered {
            writeln!(f, "{}   {end}: written under another trust file, not shown", bold("beyond"))?;
        }
        for LogRepair { at, cause, held_to, .. } in repairs {
            write!(f, "{} {at} UTC: this client's own log was made anew, ", bold("repaired"))?;
            match held_to {
                Some(pin) => write!(f, "held to the pin {pin}")?,
                None => write!(f, "with no pin left to hold it to")?,
            }
            writeln!(f, ": {}", Plain(cause))?;
        }
        write!(f, "{} ", bold("complete"))?;
        match completeness {
            counterfoil::Completeness::Complete { .. } => {
                write!(
                    f,
                    " yes, as of the log: every entry is accounted for; stored rows are checked by \
                     `read` and `audit`"
                )
            }
            counterfoil::Completeness::Incomplete { gaps, first, .. } => {
                let gaps = Counted(*gaps, "transaction");
                write!(f, " no: {gaps} not accounted for, the first is {first}")
            }
            other => write!(f, " {other:?}"),
        }
    }
}
