//! `verify`: what receipts show, to somebody who has nothing but them and what he trusts.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read as _;
use std::path::Path;

use counterfoil::core::receipt::{Payload, PinStays, Receipt, Verdict};
use counterfoil::{
    Config, EventReport, Inspection, Moved, MovedPin, PinFile, SaltedPayload, StateSignatureReport,
    TrustPolicy, Unavailable, VerdictReport,
};
use serde::Serialize;

use super::inspect::Drawing;
use crate::args::{LedgerArgs, VerifyArgs};
use crate::configure::load;
use crate::exit::{Exit, Failure, Result};
use crate::output::{Author, EventText, Name, Output, Plain, bold, red};

pub(super) fn run(args: &VerifyArgs, ledger: &LedgerArgs, output: Output) -> Result<Exit> {
    if args.files.iter().filter(|file| *file == Path::new(STDIN)).count() > 1 {
        return Err(Failure::Usage("standard input (-) can be read once".into()));
    }
    let payloads = payloads(args)?;
    let run = Run { args, payloads, output };
    let Some(file) = &args.policy else {
        return run.all(&of_flags(args, ledger)?);
    };
    // The environment's may be there for other commands: the policy goes over it.
    if ledger.config_by_flag {
        return Err(Failure::Usage(
            "--policy and --config both say what is trusted, and nothing is put together from two: \
             give one of them"
                .into(),
        ));
    }
    if !ledger.pin.is_empty() {
        return Err(Failure::Usage(
            "with --policy, pins are in the policy: leave --pin out".into(),
        ));
    }
    let policy = TrustPolicy::load(file)?;
    if args.move_pin { run.moving(&PinFile::beside(file)) } else { run.all(&policy) }
}

/// What the flags say that is trusted.
fn of_flags(args: &VerifyArgs, ledger: &LedgerArgs) -> Result<TrustPolicy> {
    // Only what was named: whoever gives a receipt may have put a configuration beside it.
    let trust = match &ledger.config {
        Some(file) => load(file)?.trust,
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
    for author in &trust.author {
        policy = policy.with_author(author.name.clone(), &author.key, author.domains.clone())?;
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

/// What standard input is called.
const STDIN: &str = "-";

/// No more than a receipt may have, and one byte by which it is seen to have more.
pub(super) fn read(file: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = Receipt::MAX_LEN as u64 + 1;
    let read = match file == Path::new(STDIN) {
        true => std::io::stdin().lock().take(most).read_to_end(&mut bytes),
        false => std::fs::File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes)),
    };
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
    /// The first that could not be printed ends the printing, not the judging.
    printed: Result<()>,
    /// Which of the contents were shown for an event, by their order.
    shown: BTreeSet<usize>,
}

impl Done {
    fn nothing() -> Self {
        Self { exit: Exit::Done, printed: Ok(()), shown: BTreeSet::new() }
    }
}

impl Run<'_> {
    fn all(&self, policy: &TrustPolicy) -> Result<Exit> {
        let mut done = Done::nothing();
        for file in &self.args.files {
            let Some(bytes) = self.read(file, &mut done) else { continue };
            let payloads = self.payloads_of(&bytes, &mut done);
            self.tell(file, &bytes, policy.verify(&bytes, &payloads), &mut done);
        }
        self.ended(done)
    }

    /// Each file is judged by where the files before it, or others meanwhile, have moved the pin.
    /// Nothing is read or printed while the pin is held: whoever gives or takes may be slow.
    fn moving(&self, pins: &PinFile) -> Result<Exit> {
        let mut done = Done::nothing();
        let mut last = None;
        let mut stays: Vec<(&Path, PinStays)> = Vec::new();
        for file in &self.args.files {
            let Some(bytes) = self.read(file, &mut done) else { continue };
            let payloads = self.payloads_of(&bytes, &mut done);
            let advanced = pins.advance(|policy| {
                let next = policy.pin_move(&bytes);
                (next.clone().ok(), (next, policy.verify(&bytes, &payloads)))
            });
            match advanced {
                Ok((moved, (next, report))) => {
                    match next {
                        Ok(next) if moved == Some(Moved::Forward) => last = Some(next),
                        Ok(_) => {}
                        Err(why) => stays.push((file, why)),
                    }
                    self.tell(file, &bytes, report, &mut done);
                }
                // What was judged before it stays judged.
                Err(error) => self.failed(&error.into(), &mut done),
            }
        }
        if let Some(next) = &last {
            let MovedPin { pin, from, by, .. } = next.to();
            let text = format!("pin moved from {} to {pin}: {}", from.tx, Plain(by));
            self.print(&serde_json::json!({ "moved": next.to() }), text, &mut done);
        } else {
            for (file, why) in stays {
                self.output.note(format_args!("{}: the pin did not move: {why}", Name(file)));
            }
        }
        self.ended(done)
    }

    fn ended(&self, done: Done) -> Result<Exit> {
        for (at, file) in self.args.payload.iter().enumerate() {
            if done.shown.contains(&at) {
                continue;
            }
            self.output.note(format_args!(
                "{}: no event of these receipts commits to it under its salt: it shows nothing",
                Name(file)
            ));
        }
        self.output.ended(done.exit, done.printed)
    }

    /// The contents that are shown for this receipt: those to which an event of it commits. What is
    /// another receipt's says nothing against this one. Only where one content is shown for the one
    /// event that can be meant is it held to it in any case.
    fn payloads_of(&self, bytes: &[u8], done: &mut Done) -> Vec<SaltedPayload> {
        let Ok(receipt) = Receipt::parse(bytes) else { return Vec::new() };
        let is_commitment = |payload: &Payload<'_>| matches!(payload, Payload::Commitment(_));
        let committed: Vec<_> =
            receipt.events().map(|event| event.body.payload).filter(is_commitment).collect();
        let only = self.args.files.len() == 1 && self.payloads.len() == 1 && committed.len() == 1;
        let mut shown = Vec::new();
        for (at, payload) in self.payloads.iter().enumerate() {
            let (salt, content) = (payload.salt(), payload.content().as_slice());
            if only || committed.iter().any(|event| event.is_commitment_to(salt, content)) {
                done.shown.insert(at);
                shown.push(payload.clone());
            }
        }
        shown
    }

    /// One that cannot be read does not stop the others.
    fn read(&self, file: &Path, done: &mut Done) -> Option<Vec<u8>> {
        read(file).map_err(|failure| self.failed(&failure, done)).ok()
    }

    fn failed(&self, failure: &Failure, done: &mut Done) {
        self.output.fail(failure);
        done.exit = worse(done.exit, failure.exit());
    }

    fn tell(&self, file: &Path, bytes: &[u8], report: VerdictReport, done: &mut Done) {
        done.exit = worse(done.exit, report.of.into());
        let receipt = if self.args.full { Inspection::of(bytes).ok() } else { None };
        let shown = Shown { file: Name(file), report, receipt };
        self.print(&shown, &shown, done);
    }

    fn print(&self, value: &impl Serialize, text: impl fmt::Display, done: &mut Done) {
        if done.printed.is_ok() {
            done.printed = self.output.print(value, text);
        }
    }
}

/// What a file shows.
#[derive(Serialize)]
struct Shown<'a> {
    file: Name<'a>,
    #[serde(flatten)]
    report: VerdictReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Inspection>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, report, receipt } = self;
        write!(f, "{}", Head { file: file.0, report })?;
        if let Some(state) = report.state {
            write!(f, "\n  under state {state}; times as the ledger says")?;
        }
        if let Some(StateSignatureReport { key, in_policy: false, .. }) = report.state_signature {
            write!(
                f,
                "\n  not counted: its state is signed under key {key}, which the policy has not"
            )?;
        }
        for event in &report.events {
            // First what is said of it, then what it says.
            write!(f, "\n  {}", event.verdict)?;
            write!(f, "\n    author: {}", Author::of_report(&event.author))?;
            write!(f, "\n    | {}", EventText::of_report(event))?;
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
        // Its word is not said twice.
        let detail = report.detail.as_str();
        let said =
            ["broken: ", "cannot decide: "].iter().find_map(|word| detail.strip_prefix(word));
        write!(f, "{word}  {}: {}", Name(file), Plain(said.unwrap_or(detail)))
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
