//! `append`: one event, or as many as a file has.

mod input;
mod lines;

use std::path::Path;

use counterfoil::{AddedEvent, Appended, Cover, Event};
use tokio::io::BufReader;

use self::input::{Form, Input};
use super::Session;
use crate::args::{AppendArgs, content};
use crate::epcis;
use crate::exit::{Exit, Failure, Result};
use crate::output::{Plain, bold};

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
    let payload = content(&args.payload.ok_or_else(missing)?)
        .map_err(|why| Failure::Usage(format!("PAYLOAD: {why}")))?;
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
        return session
            .writing(async |store| lines::append(session, store, file, input).await)
            .await;
    }
    let named = |error| Failure::Usage(format!("{}: {error}", file.display()));
    let opened = tokio::fs::File::open(file).await.map_err(named)?;
    let input = Input::new(BufReader::with_capacity(1 << 16, opened), form);
    session.writing(async |store| lines::append(session, store, file, input).await).await
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
