//! `follow`: events as they come.

use counterfoil::{EventStore, FollowOptions, Followed, LedgerPosition, Streams};

use super::Session;
use crate::args::FollowArgs;
use crate::exit::{Exit, Result};
use crate::output::EventText;

pub(super) async fn run(session: &Session, store: &EventStore, args: &FollowArgs) -> Result<Exit> {
    let from = match args.after {
        Some(position) => position,
        None => LedgerPosition::end_of(store.state().await?.tx),
    };
    let mut options = FollowOptions::default();
    if let Some(domain) = &args.domain {
        options = options.streams(Streams::in_domain(domain.as_str()));
    }
    let mut follow = store.follow_with(from, options);
    let mut left = args.limit.unwrap_or(u64::MAX);
    while left > 0 {
        let next = tokio::select! {
            next = follow.next() => next,
            // Ctrl-C is how this is ended.
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Done),
        };
        match next {
            None => break,
            Some(Ok(followed)) => {
                show(session, &followed)?;
                left -= 1;
            }
            Some(Err(error)) if error.is_verdict() => return Err(error.into()),
            // It goes on by itself when the ledger can be asked again.
            Some(Err(error)) => session.output.note(format_args!("waiting: {error}")),
        }
    }
    Ok(Exit::Done)
}

fn show(session: &Session, followed: &Followed) -> Result<()> {
    match followed {
        Followed::Event(event) => session.output.print(followed, EventText::of(event)),
        Followed::Gap { tx, kind } => {
            let text = format!(
                "transaction {tx} is not accounted for ({}): events may be missing here",
                kind.as_str()
            );
            session.output.print(followed, text)
        }
        Followed::DecidedAnew { from } => {
            let text = format!(
                "gaps were closed: what was shown from transaction {from} on was decided anew and \
                 follows again"
            );
            session.output.print(followed, text)
        }
        other => session.output.print(other, format_args!("at {}", other.position())),
    }
}
