//! `read`, `log`, `streams`.

use counterfoil::{Bookmark, Direction, Error, EventStore, ReadOptions, StreamRead, Streams};

use super::Session;
use crate::args::{LogArgs, ReadArgs, StreamsArgs};
use crate::exit::{Exit, Result};
use crate::output::{Counted, EventText, Plain, bold};

/// Events shown at once: bounds memory however long the ledger.
const PAGE: u64 = 1000;

pub(super) async fn stream(session: &Session, store: &EventStore, args: &ReadArgs) -> Result<Exit> {
    let cover = args.stream.cover();
    let read = match args.until {
        Some(time) => store.get_until(&cover, time.as_second()).await?,
        None => {
            let direction = if args.backward { Direction::Backward } else { Direction::Forward };
            let options = ReadOptions { from: args.from, direction, limit: args.limit };
            store.read(&cover, options).await?
        }
    };
    if read.events.is_empty() {
        session.output.note(format_args!(
            "{} has no such events under state {}",
            Plain(&cover),
            read.state
        ));
    }
    finish(session, read)
}

pub(super) async fn log(session: &Session, store: &EventStore, args: &LogArgs) -> Result<Exit> {
    if let Some(id) = &args.correlation_id {
        let read = store.read_by_correlation(id, &Streams::all(), None).await?;
        if read.events.is_empty() {
            session.output.note(format_args!(
                "no event carries the correlation id {} under state {}",
                Plain(id),
                read.state
            ));
        }
        return finish(session, read);
    }
    if let Some(after) = args.after {
        is_within(session, store, after).await?;
    }
    let mut after = args.after.unwrap_or(Bookmark::START);
    let mut any = args.after.is_some() || args.limit == Some(0);
    let mut left = args.limit.unwrap_or(u64::MAX);
    loop {
        let page = left.min(PAGE);
        let read = store.read_all_after(after, Some(page)).await?;
        let shown = read.events.len() as u64;
        any |= shown > 0;
        left -= shown;
        after = read.bookmark.unwrap_or(after);
        let end = shown < page || left == 0;
        if !end {
            show(session, &read)?;
            continue;
        }
        if !any {
            session
                .output
                .note(format_args!("the ledger has no events under state {}", read.state));
        }
        return finish(session, read);
    }
}

/// Whoever was beyond the end has seen another ledger, or a newer state, as with `follow`.
async fn is_within(session: &Session, store: &EventStore, after: Bookmark) -> Result<()> {
    let (end, asked) = (store.state().await?.tx, after.place().tx);
    if asked > end {
        return Err(Error::BeyondState { asked, verified: end }.into());
    }
    if store.read_all_after(after, Some(1)).await?.events.is_empty() {
        session.output.note(format_args!(
            "no event comes after {}: the ledger ends with transaction {end}",
            after.place()
        ));
    }
    Ok(())
}

pub(super) async fn streams(
    session: &Session,
    store: &EventStore,
    args: &StreamsArgs,
) -> Result<Exit> {
    let mut which = match &args.domain {
        Some(domain) => Streams::in_domain(domain.as_str()),
        None => Streams::all(),
    };
    if let Some(edition) = &args.edition {
        which = which.in_edition(edition.as_str());
    }
    let list = store.list_streams(&which).await?;
    if list.streams.is_empty() {
        session.output.note(format_args!("there are no such streams under state {}", list.state));
    }
    for (cover, next) in &list.streams {
        let line = serde_json::json!({ "cover": cover, "next_sequence": next });
        let text = format!("{}  {}", bold(Plain(cover)), Counted(*next, "event"));
        session.output.print(&line, text)?;
    }
    session.output.completeness(&list.completeness);
    Ok(Exit::Done)
}

fn show(session: &Session, read: &StreamRead) -> Result<()> {
    for event in &read.events {
        session.output.print(event, EventText::of(event, &session.config.trust.author))?;
    }
    Ok(())
}

/// The events, and what has to be said after them.
fn finish(session: &Session, read: StreamRead) -> Result<Exit> {
    show(session, &read)?;
    session.output.completeness(&read.completeness);
    match read.stopped {
        // What is shown was verified; what the stream goes on with was not.
        Some(verdict) => Err(verdict.into()),
        None => Ok(Exit::Done),
    }
}
