//! `checkpoint witness`.

use std::fmt;
use std::time::Duration;

use counterfoil::checkpoint::{Answer, Asked, Witness};
use counterfoil::{EventStore, TlogPolicy};
use serde::Serialize;

use super::Session;
use super::args::WitnessArgs;
use super::file::{self, write_checkpoint};
use crate::exit::{Exit, Failure, Result};
use crate::output::{Name, Plain, Time, bold, red};

pub(super) async fn run(session: &Session, store: &EventStore, args: &WitnessArgs) -> Result<Exit> {
    let signed = file::checkpoint(&args.checkpoint)?;
    let policy = args.tlog_policy.as_ref().map(TlogPolicy::load).transpose()?;
    let (pairs, _) = args.witness.as_chunks::<2>();
    let named = pairs.iter().map(|[key, url]| (key.as_str(), Some(url.as_str())));
    let listed = policy.iter().flat_map(TlogPolicy::witnesses);
    let witnesses = named
        .chain(listed)
        .filter_map(|(key, url)| Some((key, url?)))
        .map(|(key, url)| Ok(Witness::new(key, url)?))
        .collect::<Result<Vec<_>>>()?;
    if witnesses.is_empty() {
        return Err(Failure::Usage("--tlog-policy names no witness with an address".into()));
    }
    let needed = args.quorum.unwrap_or(witnesses.len());
    if needed == 0 || needed > witnesses.len() {
        let why = format!("--quorum must be 1 to {}, the number of witnesses", witnesses.len());
        return Err(Failure::Usage(why));
    }
    let limit = Duration::from_secs(args.time_limit);
    let witnessed = store.ask_witnesses(&signed, &witnesses, limit).await?;
    let output = args.output.as_deref().unwrap_or(&args.checkpoint);
    if witnessed.checkpoint != signed || args.output.is_some() {
        write_checkpoint(Some(output), &witnessed.checkpoint, Some(&signed))?;
    }
    let is_cosigned = |one: &&Asked| matches!(one.answer, Answer::Cosigned { .. });
    let cosigned = witnessed.asked.iter().filter(is_cosigned).count();
    let enough = match &policy {
        // Also cosignatures that were there before, and the log's own signature.
        Some(policy) => policy.with_core(|policy| {
            policy.is_some_and(|policy| policy.open(&witnessed.checkpoint.note()).is_ok())
        }),
        None => cosigned >= needed,
    };
    let told = Told {
        file: Name(output),
        size: witnessed.checkpoint.checkpoint().size().get(),
        cosigned,
        enough,
        asked: &witnessed.asked,
    };
    let exit = if enough { Exit::Done } else { Exit::Unanchored };
    session.output.judged(exit, &told, &told)
}

#[derive(Serialize)]
struct Told<'a> {
    file: Name<'a>,
    size: u64,
    cosigned: usize,
    enough: bool,
    asked: &'a [Asked],
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, size, cosigned, asked, .. } = self;
        let of = asked.len();
        write!(f, "{}: size {size}, cosigned by {cosigned} of {of} asked", file)?;
        for Asked { name, url, answer, .. } in *asked {
            write!(f, "\n{} ({}): ", bold(Plain(name)), Plain(url))?;
            match answer {
                Answer::Cosigned { time } => {
                    let time = Time(i64::try_from(*time).unwrap_or(i64::MAX));
                    write!(f, "cosigned {time}")?;
                }
                Answer::Refused(problem) => write!(f, "{}", red(&Plain(problem).to_string()))?,
                other => write!(f, "{other:?}")?,
            }
        }
        Ok(())
    }
}
