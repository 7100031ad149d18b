//! `follow`: events as they come.

use counterfoil::{
    Error, EventStore, FollowOptions, Followed, LedgerPosition, News, Streams, Verdict,
};

use super::Session;
use crate::args::FollowArgs;
use crate::exit::{Exit, Result};
use crate::output::EventText;

pub(super) async fn run(session: &Session, store: &EventStore, args: &FollowArgs) -> Result<Exit> {
    let mut asked_to_end = std::pin::pin!(asked_to_end()?);
    let from = match args.after {
        Some(bookmark) => bookmark,
        None => LedgerPosition::end_of(store.state().await?.tx).into(),
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
            () = &mut asked_to_end => return Ok(Exit::Done),
        };
        match next {
            None => break,
            Some(Ok(followed)) => {
                show(session, &followed)?;
                left -= 1;
            }
            // It goes on by itself when the ledger can be asked again.
            Some(Err(error)) if may_pass(&error) => {
                session.output.note(format_args!("waiting: {error}"));
            }
            // Also a place beyond the ledger's end: whoever was there has seen
            // another ledger than this one.
            Some(Err(error)) => return Err(error.into()),
        }
    }
    Ok(Exit::Done)
}

/// Ctrl-C, and what stops a service: that is how this is ended. They are
/// listened to from the moment of the call, not of the first wait.
#[cfg(unix)]
fn asked_to_end() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(windows)]
fn asked_to_end() -> Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move { drop(interrupt.recv().await) })
}

/// As the library has it: it goes on asking.
fn may_pass(error: &Error) -> bool {
    matches!(error, Error::Unavailable(_))
        || matches!(error.verdict(), Some(Verdict::UnconfirmedEnd { .. }))
}

fn show(session: &Session, followed: &Followed) -> Result<()> {
    match &followed.news {
        News::Event(event) => {
            session.output.print(followed, EventText::of(event, &session.config.trust.author))
        }
        News::Gap { tx, kind } => {
            let text = format!(
                "transaction {tx} is not accounted for ({}): events may be missing here",
                kind.as_str()
            );
            session.output.print(followed, text)
        }
        News::DecidedAnew { from } => {
            let text = format!(
                "other transactions are accounted for: what was shown from transaction {from} on \
                 was decided anew and follows again"
            );
            session.output.print(followed, text)
        }
        _ => session.output.print(followed, format_args!("at {}", followed.position())),
    }
}
