//! `append`: one event, or as many as a file has.

mod input;
mod turns;

use std::cell::Cell;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Instant;

use counterfoil::{
    AddedEvent, Appended, Cover, Error, Event, EventStore, ExpectedVersion, LedgerPosition, TxId,
};
use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncBufRead, BufReader};

use self::input::{Form, Input};
use self::turns::Turns;
use super::Session;
use crate::args::{AppendArgs, content};
use crate::epcis;
use crate::exit::{Exit, Failure, Result};
use crate::output::{Plain, bold};
use crate::progress::Progress;

/// Events under way at the same time: they share commits.
const TOGETHER: usize = 256;

/// The most events that a transaction has: immudb takes no more entries.
const MOST_IN_ONE: u64 = 1024;

pub(super) async fn run(session: &Session, args: AppendArgs) -> Result<Exit> {
    match (&args.lines, &args.epcis) {
        (Some(file), _) => many(session, file, Form::Lines).await,
        (None, Some(file)) => {
            let domain = args.in_domain.clone().unwrap_or_else(|| epcis::DOMAIN.into());
            many(session, file, Form::Epcis { domain, edition: args.edition.clone() }).await
        }
        (None, None) => one(session, args).await,
    }
}

async fn one(session: &Session, args: AppendArgs) -> Result<Exit> {
    let expect = args.expect.unwrap_or_default();
    let event = event(args)?;
    session
        .writing(async |store| {
            let events = std::slice::from_ref(&event);
            let appended = store.append(&event.cover, expect, events).await?;
            // It is in the ledger, whether or not somebody reads that.
            session.output.ended(Exit::Done, show(session, &event.cover, &appended))
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
    for (name, value) in args.metadata {
        if event.metadata.contains_key(&name) {
            return Err(Failure::Usage(format!("--metadata {name} is given twice")));
        }
        event.metadata.insert(name, value);
    }
    event.correlation_id = args.correlation_id.unwrap_or_default();
    event.causation_id = args.causation_id.unwrap_or_default();
    event.external_id = args.external_id.unwrap_or_default();
    Ok(event)
}

async fn many(session: &Session, file: &Path, form: Form) -> Result<Exit> {
    if file == Path::new("-") {
        let input = Input::new(BufReader::new(tokio::io::stdin()), form);
        return session.writing(async |store| append_all(session, store, input).await).await;
    }
    let named = |error| Failure::Usage(format!("{}: {error}", file.display()));
    let file = tokio::fs::File::open(file).await.map_err(named)?;
    let input = Input::new(BufReader::with_capacity(1 << 16, file), form);
    session.writing(async |store| append_all(session, store, input).await).await
}

/// Appends event by event, many at a time, and of a stream one at a time: what comes behind an event
/// that fails must not be in its stream before it. Ends at the first that fails.
async fn append_all(
    session: &Session,
    store: &EventStore,
    input: Input<impl AsyncBufRead + Unpin>,
) -> Result<Exit> {
    let progress = Progress::endless(session.quiet, "events");
    let epcis = input.is_epcis();
    // Behind an event that fails none is begun; what is under way ends, and is
    // shown like everything else that was appended.
    let failed_at = Cell::new(u64::MAX);
    let failed_at = &failed_at;
    let placed = stream::unfold((input, 0_u64), async |(mut input, number)| {
        if failed_at.get() < number {
            return None;
        }
        let (place, event) = input.next().await?;
        Some(((number, place, event), (input, number + 1)))
    });
    let mut turns = Turns::default();
    let mut outcomes = placed
        .map(|(number, place, event)| {
            let turn = event.as_ref().ok().map(|event| turns.take(&event.cover));
            async move {
                let appended = match (event, turn) {
                    (Ok(event), Some(turn)) => {
                        let turn = turn.come().await?;
                        if failed_at.get() < number {
                            return None;
                        }
                        let appended = append(store, event, epcis).await;
                        if appended.is_ok() {
                            turn.pass_on();
                        }
                        appended
                    }
                    (Ok(_), None) => return None,
                    (Err(failure), _) => Err(failure),
                };
                if appended.is_err() {
                    failed_at.set(failed_at.get().min(number));
                }
                Some((place, appended))
            }
        })
        .buffered(TOGETHER)
        .filter_map(std::future::ready)
        .boxed_local();
    let (mut appended, mut repeated, mut failed, mut unshown) = (0, 0, None, None);
    let begun = Instant::now();
    while let Some((place, outcome)) = outcomes.next().await {
        match outcome {
            Ok((cover, done)) => {
                appended += 1;
                repeated += u64::from(done.repeated);
                progress.advance();
                // It goes on without printing: what is in a file is not for its reader to decide.
                if unshown.is_none() {
                    unshown = progress.suspend(|| show(session, &cover, &done)).err();
                }
            }
            Err(failure) => {
                failed.get_or_insert((place, failure));
            }
        }
    }
    if let Some((place, failure)) = failed {
        let shown = unshown.is_none();
        return Err(Failure::At { place, appended, shown, failure: Box::new(failure) });
    }
    match unshown {
        None => {}
        Some(Failure::Output(error)) if error.kind() != ErrorKind::BrokenPipe => {
            return Err(Failure::Unshown { appended, error });
        }
        Some(_) => session
            .output
            .note(format_args!("all {appended} were appended; nobody read which, to the end")),
    }
    if progress.is_shown() {
        let seconds = begun.elapsed().as_secs_f64();
        let rate = appended as f64 / seconds.max(1e-3);
        session.output.note(format_args!("{appended} in {seconds:.1} s, {rate:.0} a second"));
    }
    if repeated > 0 {
        session.output.note(format_args!("{repeated} of {appended} had been appended before"));
    }
    Ok(Exit::Done)
}

async fn append(store: &EventStore, event: Event, epcis: bool) -> Result<(Cover, Appended)> {
    let once = async |event: &Event| {
        let events = std::slice::from_ref(event);
        store.append(&event.cover, ExpectedVersion::Any, events).await
    };
    let appended = match once(&event).await {
        Err(Error::IdConflict { external_id, tx }) if epcis => {
            match sent_before(store, &event, tx).await? {
                Some(before) => once(&before).await?,
                None => return Err(Error::IdConflict { external_id, tx }.into()),
            }
        }
        appended => appended?,
    };
    Ok((event.cover, appended))
}

/// The event of a transaction that is this one and came in another document, as it was appended.
async fn sent_before(store: &EventStore, event: &Event, tx: TxId) -> Result<Option<Event>> {
    let before = LedgerPosition::end_of(TxId::new(tx.get().saturating_sub(1)));
    let read = store.read_all_after(before, Some(MOST_IN_ONE)).await?;
    let events = read.events.into_iter().take_while(|recorded| recorded.tx == tx);
    Ok(events.map(|recorded| recorded.event).find(|recorded| epcis::same(recorded, event)))
}

fn show(session: &Session, cover: &Cover, appended: &Appended) -> Result<()> {
    for AddedEvent { id, sequence, .. } in &appended.events {
        let before = if appended.repeated { " (was there before)" } else { "" };
        let place = bold(format_args!("{} {sequence}", Plain(cover)));
        let text = format!("{place}  in transaction {id}, proved{before}");
        session.output.print(appended, text)?;
    }
    Ok(())
}
