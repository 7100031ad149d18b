//! `verify`: what receipts show, to somebody who has nothing but them and what he trusts.

use std::fmt;
use std::io::Read as _;
use std::path::Path;

use counterfoil::core::receipt::{Receipt, Verdict};
use counterfoil::{
    Config, EventReport, Inspection, Moved, MovedPin, PinFile, PinMove, SaltedPayload, TrustPolicy,
    Unavailable, VerdictReport,
};
use serde::Serialize;

use super::inspect::Drawing;
use crate::args::{LedgerArgs, VerifyArgs};
use crate::exit::{Exit, Failure, Result};
use crate::output::{Author, EventText, Output, Plain, bold, red};

pub(super) fn run(args: &VerifyArgs, ledger: &LedgerArgs, output: Output) -> Result<Exit> {
    let payloads = payloads(args)?;
    let run = Run { args, payloads, output };
    let Some(file) = &args.policy else {
        return Ok(run.all(&of_flags(args, ledger)?)?.exit);
    };
    if !ledger.pin.is_empty() {
        return Err(Failure::Usage(
            "with --policy, pins are in the policy: leave --pin out".into(),
        ));
    }
    if !args.move_pin {
        return Ok(run.all(&TrustPolicy::load(file)?)?.exit);
    }
    let pins = PinFile::beside(file);
    let (moved, done) = pins.advance(|policy| match run.all(policy) {
        Ok(done) => (done.next.clone(), Ok(done)),
        // What was not shown moves nothing.
        Err(failure) => (None, Err(failure)),
    })?;
    let done = done?;
    if let (Some(Moved::Forward), Some(next)) = (moved, &done.next) {
        let MovedPin { pin, from, by, .. } = next.to();
        let text = format!("pin moved from {} to {pin}: {by}", from.tx);
        output.print(&serde_json::json!({ "moved": next.to() }), text)?;
    }
    Ok(done.exit)
}

/// What the flags say that is trusted.
fn of_flags(args: &VerifyArgs, ledger: &LedgerArgs) -> Result<TrustPolicy> {
    // Only what was named: whoever gives a receipt may have put a configuration beside it.
    let trust = match &ledger.config {
        Some(file) => Config::load(file)?.trust,
        None => Config::default().trust,
    };
    let pins = match &ledger.pin[..] {
        [] => trust.pin.into_iter().collect(),
        given => given.to_vec(),
    };
    let id = args.ledger_id.or(trust.ledger).ok_or_else(|| {
        Failure::Usage(
            "whom do you trust? give a --policy, or the ledger's id as --ledger-id, or --config \
             with `ledger` in [trust]"
                .into(),
        )
    })?;
    let mut policy = TrustPolicy::new(id);
    if let Some(table) = args.table {
        policy = policy.with_table(table)?;
    }
    for pin in pins {
        policy = policy.with_pin(pin)?;
    }
    Ok(policy)
}

/// The contents that were shown.
fn payloads(args: &VerifyArgs) -> Result<Vec<SaltedPayload>> {
    if args.payload.len() != args.salt.len() {
        return Err(Failure::Usage("give one --salt for each --payload".into()));
    }
    let pairs = args.payload.iter().zip(&args.salt);
    pairs.map(|(file, salt)| Ok(SaltedPayload::new(*salt, read(file)?))).collect()
}

/// No more than a receipt may have, and one byte by which it is seen to have more.
pub(super) fn read(file: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = Receipt::MAX_LEN as u64 + 1;
    let read = std::fs::File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|cause| Unavailable::File { path: file.to_owned(), cause: cause.into() })?;
    Ok(bytes)
}

/// One file after the other.
struct Run<'a> {
    args: &'a VerifyArgs,
    payloads: Vec<SaltedPayload>,
    output: Output,
}

/// What came of it.
struct Done {
    exit: Exit,
    next: Option<PinMove>,
}

impl Run<'_> {
    fn all(&self, policy: &TrustPolicy) -> Result<Done> {
        let mut policy = policy.clone();
        let mut done = Done { exit: Exit::Done, next: None };
        for file in &self.args.files {
            // One that cannot be read does not stop the others.
            let bytes = match read(file) {
                Ok(bytes) => bytes,
                Err(failure) => {
                    self.output.fail(&failure);
                    done.exit = worse(done.exit, failure.exit());
                    continue;
                }
            };
            done.exit = worse(done.exit, self.one(file, &bytes, &policy)?);
            if self.args.move_pin
                && let Ok(next) = policy.pin_move(&bytes)
            {
                // The files behind it are judged by where the pin is then.
                policy = policy.after(&next)?;
                done.next = Some(next);
            }
        }
        Ok(done)
    }

    fn one(&self, file: &Path, bytes: &[u8], policy: &TrustPolicy) -> Result<Exit> {
        let report = policy.verify(bytes, &self.payloads);
        let receipt = if self.args.full { Inspection::of(bytes).ok() } else { None };
        let exit = report.of.into();
        let shown = Shown { file, report, receipt };
        self.output.print(&shown, &shown)?;
        Ok(exit)
    }
}

/// What a file shows.
#[derive(Serialize)]
struct Shown<'a> {
    file: &'a Path,
    #[serde(flatten)]
    report: VerdictReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Inspection>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, report, receipt } = self;
        write!(f, "{}", Head { file, report })?;
        if let Some(state) = report.state {
            write!(f, "\n  under state {state}; times as the ledger says")?;
        }
        for event in &report.events {
            write!(f, "\n  {}  {}", event.verdict, EventText::of_report(event))?;
            write!(f, "\n    author: {}", Author(&event.author))?;
        }
        if !report.events.is_empty() {
            write!(f, "\n  not proved: {}", NotProved(&report.events))?;
        }
        match receipt {
            Some(receipt) => write!(f, "\n{}", Drawing { receipt, full: true }),
            None => Ok(()),
        }
    }
}

/// The verdict of a file, in a line.
pub(super) struct Head<'a> {
    pub(super) file: &'a Path,
    pub(super) report: &'a VerdictReport,
}

impl fmt::Display for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, report } = self;
        let word = match report.of {
            Verdict::Broken(_) => red(report.verdict),
            _ => bold(report.verdict),
        };
        write!(f, "{word}  {}: {}", Plain(file.display()), Plain(&report.detail))
    }
}

/// What no receipt shows, and what this one does not.
struct NotProved<'a>(&'a [EventReport]);

impl fmt::Display for NotProved<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verified = |event: &EventReport| event.anchor.is_some();
        let signed = |event: &EventReport| event.author.authorship == "signed_by_author";
        if !self.0.iter().all(verified) {
            f.write_str("that it is in the ledger; ")?;
        }
        f.write_str("that nothing came before it in its place")?;
        if !self.0.iter().all(signed) {
            f.write_str("; who wrote it")?;
        }
        f.write_str("; when")
    }
}

/// Of several files the one is told of which the least can be said.
fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit| match exit {
        Exit::Done => 0,
        Exit::Unanchored => 1,
        Exit::Undecided => 2,
        Exit::Unavailable => 3,
        _ => 4,
    };
    if rank(other) > rank(one) { other } else { one }
}
