//! `append`: one event, or as many as a file has lines.

use std::cell::Cell;
use std::path::Path;

use counterfoil::{AddedEvent, Appended, Cover, Event, EventStore, ExpectedVersion};
use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, BufReader};

use super::Session;
use crate::args::{AppendArgs, content};
use crate::exit::{Exit, Failure, Result};
use crate::output::bold;
use crate::progress::Progress;

/// Lines under way at the same time: they share commits.
const TOGETHER: usize = 256;
/// The longest line that is read: an event's largest body, in hex, and the
/// JSON around it.
const LONGEST_LINE: u64 = 4 << 20;

pub(super) async fn run(session: &Session, args: AppendArgs) -> Result<Exit> {
    match &args.lines {
        Some(file) => lines(session, file).await,
        None => one(session, args).await,
    }
}

async fn one(session: &Session, args: AppendArgs) -> Result<Exit> {
    let expect = args.expect.unwrap_or_default();
    let event = event(args)?;
    session
        .writing(async |store| {
            let events = std::slice::from_ref(&event);
            let appended = store.append(&event.cover, expect, events).await?;
            show(session, &event.cover, &appended)?;
            Ok(Exit::Done)
        })
        .await
}

fn event(args: AppendArgs) -> Result<Event> {
    let missing = || Failure::Usage("DOMAIN, ROOT, TYPE and PAYLOAD are needed".into());
    let mut cover = Cover::new(args.domain.ok_or_else(missing)?, args.root.ok_or_else(missing)?);
    if let Some(edition) = args.edition {
        cover = cover.in_edition(edition);
    }
    let payload = content(&args.payload.ok_or_else(missing)?).map_err(Failure::Usage)?;
    let mut event = Event::new(&cover, args.event_type.ok_or_else(missing)?, payload);
    event.metadata.extend(args.metadata);
    event.correlation_id = args.correlation_id.unwrap_or_default();
    event.causation_id = args.causation_id.unwrap_or_default();
    event.external_id = args.external_id.unwrap_or_default();
    Ok(event)
}

async fn lines(session: &Session, file: &Path) -> Result<Exit> {
    if file == Path::new("-") {
        let input = BufReader::new(tokio::io::stdin());
        return session.writing(async |store| append_lines(session, store, input).await).await;
    }
    let named = |error| Failure::Usage(format!("{}: {error}", file.display()));
    let input = BufReader::new(tokio::fs::File::open(file).await.map_err(named)?);
    session.writing(async |store| append_lines(session, store, input).await).await
}

/// Appends line by line, many at a time; ends at the first that fails.
async fn append_lines(
    session: &Session,
    store: &EventStore,
    input: impl AsyncBufRead + Unpin,
) -> Result<Exit> {
    let progress = Progress::endless(session.quiet, "events");
    // Behind a line that fails none is begun; what is under way ends, and is
    // shown like everything else that was appended.
    let stopped = Cell::new(false);
    let numbered = stream::unfold((input, 0_u64), |(mut input, number)| {
        let stopped = &stopped;
        async move {
            if stopped.get() {
                return None;
            }
            let line = next_line(&mut input).await.transpose()?;
            let event = line.and_then(|line| parse(&line));
            if event.is_err() {
                stopped.set(true);
            }
            Some(((number + 1, event), (input, number + 1)))
        }
    });
    let mut outcomes = numbered
        .map(|(number, event)| async move {
            let appended = match event {
                Ok(Some(event)) => append(store, event).await.map(Some),
                Ok(None) => Ok(None),
                Err(failure) => Err(failure),
            };
            (number, appended)
        })
        .buffered(TOGETHER)
        .boxed_local();
    let (mut appended, mut repeated, mut failed) = (0, 0, None);
    while let Some((number, outcome)) = outcomes.next().await {
        match outcome {
            Ok(None) => {}
            Ok(Some((cover, done))) => {
                appended += 1;
                repeated += u64::from(done.repeated);
                progress.advance();
                progress.suspend(|| show(session, &cover, &done))?;
            }
            Err(failure) => {
                stopped.set(true);
                failed.get_or_insert((number, failure));
            }
        }
    }
    if let Some((number, failure)) = failed {
        return Err(Failure::Line { number, appended, failure: Box::new(failure) });
    }
    if repeated > 0 {
        session.output.note(format_args!("{repeated} of {appended} had been appended before"));
    }
    Ok(Exit::Done)
}

/// The event in a line, if it is not empty.
fn parse(line: &str) -> Result<Option<Event>> {
    if line.trim().is_empty() {
        return Ok(None);
    }
    serde_json::from_str(line).map(Some).map_err(|error| Failure::Usage(error.to_string()))
}

async fn append(store: &EventStore, event: Event) -> Result<(Cover, Appended)> {
    let events = std::slice::from_ref(&event);
    let appended = store.append(&event.cover, ExpectedVersion::Any, events).await?;
    Ok((event.cover, appended))
}

/// The next line without its end, however the input's lines end.
async fn next_line(input: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<String>> {
    use tokio::io::AsyncReadExt as _;
    let mut line = Vec::new();
    let unreadable = |error| Failure::Usage(format!("it cannot be read: {error}"));
    input.take(LONGEST_LINE).read_until(b'\n', &mut line).await.map_err(unreadable)?;
    if line.len() as u64 == LONGEST_LINE {
        return Err(Failure::Usage(format!("it is longer than {LONGEST_LINE} bytes")));
    }
    if line.is_empty() {
        return Ok(None);
    }
    let line = String::from_utf8(line).map_err(|_| Failure::Usage("it is not UTF-8".into()))?;
    Ok(Some(line))
}

fn show(session: &Session, cover: &Cover, appended: &Appended) -> Result<()> {
    for AddedEvent { id, sequence, .. } in &appended.events {
        let before = if appended.repeated { " (was there before)" } else { "" };
        let place = bold(format_args!("{cover} {sequence}"));
        let text = format!("{place}  in transaction {id}, proved{before}");
        session.output.print(appended, text)?;
    }
    Ok(())
}
