//! `verify`: what receipts show, to somebody who has nothing but them and what he trusts.

use std::fmt;
use std::io::Read as _;
use std::path::Path;

use counterfoil::core::TxAlh;
use counterfoil::core::receipt::{JudgedEvent, Policy, Receipt, ReceiptEvent, Verdict};
use counterfoil::{Alh, Config, Event, TxId};
use serde::Serialize;

use crate::args::{LedgerArgs, VerifyArgs};
use crate::exit::{Exit, Failure, Result};
use crate::output::{EventText, Output, Plain, bold, red};

pub(super) fn run(args: &VerifyArgs, ledger: &LedgerArgs, output: Output) -> Result<Exit> {
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
            "which ledger? give its id as --ledger-id, or --config with `ledger` in [trust]".into(),
        )
    })?;
    let policy = Policy::new(id).with_pins(&pins).map_err(|error| {
        Failure::Usage(format!("what is to be trusted contradicts itself: {error}"))
    })?;
    let policy = args.table.map_or(policy, |table| policy.with_table(table));

    // A file that cannot be read is told before anything is said of the others.
    let files = args.files.iter().map(|file| Ok((file.as_path(), read(file)?)));
    let files = files.collect::<Result<Vec<_>>>()?;
    let mut worst = Exit::Done;
    for (file, bytes) in &files {
        worst = worse(worst, one(file, bytes, &policy, output)?);
    }
    Ok(worst)
}

/// No more than a receipt may have, and one byte by which it is seen to have more.
fn read(file: &Path) -> Result<Vec<u8>> {
    let unread = |error| Failure::Usage(format!("{}: {error}", file.display()));
    let mut bytes = Vec::new();
    let most = Receipt::MAX_LEN as u64 + 1;
    std::fs::File::open(file)
        .map_err(unread)?
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(unread)?;
    Ok(bytes)
}

fn one(file: &Path, bytes: &[u8], policy: &Policy<'_>, output: Output) -> Result<Exit> {
    let parsed = Receipt::parse(bytes);
    let shown = match &parsed {
        Ok(receipt) => {
            let judgement = receipt.verify(policy);
            Shown {
                ledger: Some(receipt.ledger()),
                state: Some(receipt.state()),
                events: judgement.events().filter_map(ShownEvent::new).collect(),
                ..Shown::new(file, judgement.verdict())
            }
        }
        Err(error) => Shown::new(file, Verdict::from(*error)),
    };
    output.print(&shown, &shown)?;
    Ok(shown.of.into())
}

/// What a file shows.
#[derive(Serialize)]
struct Shown<'a> {
    file: &'a Path,
    /// The verdict's word, which stays the same.
    verdict: &'static str,
    /// What does not hold, or what is missing, in a word that stays the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    detail: String,
    /// The ledger that it says it is about.
    ledger: Option<Alh>,
    /// The state that it says it is under.
    state: Option<TxAlh>,
    events: Vec<ShownEvent<'a>>,
    #[serde(skip)]
    of: Verdict,
}

#[derive(Serialize)]
struct ShownEvent<'a> {
    verdict: &'static str,
    event: Event,
    sequence: u64,
    tx: TxId,
    entry: u32,
    recorded_at: i64,
    committed_at: i64,
    #[serde(skip)]
    shown: ReceiptEvent<'a>,
}

impl<'a> Shown<'a> {
    fn new(file: &'a Path, of: Verdict) -> Self {
        let reason = match &of {
            Verdict::Broken(flaw) => Some(flaw.word()),
            Verdict::CannotDecide(missing) => Some(missing.word()),
            _ => None,
        };
        let (ledger, state, events) = (None, None, Vec::new());
        Self { file, verdict: of.word(), reason, detail: of.to_string(), ledger, state, events, of }
    }
}

impl<'a> ShownEvent<'a> {
    /// `None` where nothing can be said of it: its words would stand there as if they meant something.
    fn new(judged: JudgedEvent<'a>) -> Option<Self> {
        let verdict = judged.verdict();
        if matches!(verdict, Verdict::Broken(_) | Verdict::CannotDecide(_)) {
            return None;
        }
        let shown = *judged.event();
        let ReceiptEvent { tx, ts, entry, body, .. } = shown;
        Some(Self {
            verdict: verdict.word(),
            event: Event::from(&body),
            sequence: body.event_number,
            tx,
            entry,
            recorded_at: body.recorded_at,
            committed_at: ts,
            shown,
        })
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.of {
            Verdict::Broken(_) => red(self.verdict),
            _ => bold(self.verdict),
        };
        write!(f, "{word}  {}: {}", Plain(self.file.display()), self.detail)?;
        if let Some(state) = self.state {
            write!(f, "\n  under state {state}; times as the ledger says")?;
        }
        for event in &self.events {
            let text = EventText::of_receipt(&event.event, &event.shown);
            write!(f, "\n  {}  {text}", event.verdict)?;
        }
        Ok(())
    }
}

/// Of several files the one is told of which the least can be said.
fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit| match exit {
        Exit::Done => 0,
        Exit::Unanchored => 1,
        Exit::Undecided => 2,
        _ => 3,
    };
    if rank(other) > rank(one) { other } else { one }
}
