//! `checkpoint verify`.

use std::fmt;
use std::path::Path;

use counterfoil::core::TreeSize;
use counterfoil::core::checkpoint::{
    Group, LogKey, LogPolicy, Member, Note, Quorum, TrustedCheckpoint, WitnessKey, Witnesses,
};
use counterfoil::{Root, TlogPolicy};
use serde::Serialize;

use super::Session;
use super::args::VerifyArgs;
use super::file;
use crate::exit::{Exit, Failure, Result};
use crate::output::{Name, Output, Plain, Time, bold};

pub(super) async fn run(
    session: impl Fn() -> Result<Session>,
    args: &VerifyArgs,
    output: Output,
) -> Result<Exit> {
    let signed = file::checkpoint(&args.checkpoint)?;
    let note = signed.note();
    let trusted = match &args.tlog_policy {
        Some(file) => TlogPolicy::load(file)?.with_core(|policy| match policy {
            Some(policy) => open(policy, &note),
            None => Err(Failure::Usage(format!("{}: it names no log", file.display()))),
        })?,
        None => by_arguments(args, &note)?,
    };
    let verified = Verified::of(&args.checkpoint, &trusted, args.in_ledger);
    if args.in_ledger {
        let session = session()?;
        let held = session.reading(async |store| {
            store.check_checkpoint(&trusted.checkpoint()).await?;
            Ok(Exit::Done)
        });
        held.await?;
    }
    output.print(&verified, &verified)?;
    Ok(Exit::Done)
}

/// Under the keys that are named.
fn by_arguments<'n>(args: &VerifyArgs, note: &Note<'n>) -> Result<TrustedCheckpoint<'n>> {
    let logs = keys(&args.log, |text| LogKey::parse(text).map_err(|error| error.to_string()))?;
    let witnesses =
        keys(&args.witness, |text| WitnessKey::parse(text).map_err(|error| error.to_string()))?;
    let members: Vec<Member> = (0..witnesses.len()).map(Member::Witness).collect();
    let threshold = args.quorum.unwrap_or(witnesses.len());
    let groups = [Group { threshold, members: &members }];
    let usage = |error: &dyn fmt::Display| Failure::Usage(error.to_string());
    let policy = LogPolicy::new(&logs).map_err(|error| usage(&error))?;
    if witnesses.is_empty() {
        return open(&policy, note);
    }
    let quorum =
        Quorum::new(&witnesses, &groups, Member::Group(0)).map_err(|error| usage(&error))?;
    open(&policy.with_quorum(&quorum).map_err(|error| usage(&error))?, note)
}

fn open<'n>(policy: &LogPolicy<'_>, note: &Note<'n>) -> Result<TrustedCheckpoint<'n>> {
    policy.open(note).map_err(|error| {
        let exit = Exit::from(error);
        Failure::Refuted { exit, why: error.to_string() }
    })
}

fn keys<'a, K>(
    texts: &'a [String],
    parse: impl Fn(&'a str) -> Result<K, String>,
) -> Result<Vec<K>> {
    let key = |text: &'a String| {
        parse(text).map_err(|error| Failure::Usage(format!("the key {text}: {error}")))
    };
    texts.iter().map(key).collect()
}

#[derive(Serialize)]
struct Verified<'a> {
    file: Name<'a>,
    origin: &'a str,
    size: TreeSize,
    root: Root,
    #[serde(skip_serializing_if = "Option::is_none")]
    witnesses: Option<Seen>,
    in_ledger: bool,
}

#[derive(Serialize)]
struct Seen {
    signed: u8,
    of: u8,
    oldest: u64,
    newest: u64,
}

impl<'a> Verified<'a> {
    fn of(file: &'a Path, trusted: &TrustedCheckpoint<'a>, in_ledger: bool) -> Self {
        let checkpoint = trusted.checkpoint();
        let (origin, size, root) =
            (checkpoint.origin().as_str(), checkpoint.size(), checkpoint.root());
        let seen =
            |Witnesses { signed, of, oldest, newest, .. }| Seen { signed, of, oldest, newest };
        Self {
            file: Name(file),
            origin,
            size,
            root,
            witnesses: trusted.witnesses().map(seen),
            in_ledger,
        }
    }
}

impl fmt::Display for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}     {}", bold("log"), Plain(self.origin))?;
        writeln!(f, "{}    {}", bold("size"), self.size)?;
        writeln!(f, "{}    {}", bold("root"), self.root)?;
        write!(f, "{}  by the log", bold("signed"))?;
        if let Some(Seen { signed, of, oldest, newest }) = self.witnesses {
            let time = |seconds| Time(i64::try_from(seconds).unwrap_or(i64::MAX));
            write!(f, " and {signed} of {of} witnesses, {}", time(oldest))?;
            if newest != oldest {
                write!(f, " to {}", time(newest))?;
            }
        }
        if self.in_ledger {
            write!(f, "\n{}  this ledger's", bold("tree"))?;
        }
        Ok(())
    }
}
