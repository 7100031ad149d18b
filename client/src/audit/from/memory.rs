//! Going on from a state in memory. Everything is read as of one moment: a
//! writer may be at work.

use std::collections::HashMap;

use counterfoil_core::TrustedState;

use super::super::memory::Memory;
use super::super::own::{OwnEvent, OwnLog};
use super::{BATCH, WRONG_INDEX, WRONG_LOG, Why, check};
use crate::error::Result;
use crate::verdict::FindingKind;

/// Takes the own log up to `state` over into an empty memory; if that cannot
/// be, why not. What was begun then is of no use.
pub(crate) async fn remember(
    memory: &mut Memory,
    own: &mut OwnLog,
    state: TrustedState,
) -> Result<Result<(), Why>> {
    own.hold().await?;
    let remembered = take(memory, own, state).await;
    own.let_go().await?;
    remembered
}

async fn take(
    memory: &mut Memory,
    own: &mut OwnLog,
    state: TrustedState,
) -> Result<Result<(), Why>> {
    let Some((table, genesis)) = own.table().await? else {
        return Ok(Err("it does not know the table of events".into()));
    };
    let mut streams = HashMap::new();
    for (id, key) in own.streams().await? {
        let name = memory.index().name_stream(&key);
        // The genesis row's, which no event has.
        if key.domain.is_empty() {
            memory.index().hold_stream(name);
        }
        streams.insert(id, name);
    }
    let mut first = 1;
    while first <= state.tx.get() {
        let last = state.tx.get().min(first.saturating_add(BATCH - 1));
        let last = own.fitting(first, last).await?;
        let (mut records, _) = own.records(first, last).await?;
        let mut events = own.events(first, last).await?.into_iter().peekable();
        let mut findings = own.findings(first, last).await?.into_iter().peekable();
        for id in first..=last {
            let Some(record) = records.remove(&id) else {
                return Ok(Err(format!("it has no transaction {id} that could be read")));
            };
            let creates = id == genesis;
            if let Err(why) = check(memory.end(), &record, creates.then_some(table)) {
                return Ok(Err(format!("its transaction {id} {why}")));
            }
            if record.id == state.tx && (record.opaque || record.alh != state.alh) {
                let alh = record.alh;
                return Ok(Err(format!("its transaction {id} is {alh}, not that of {state}")));
            }
            let here = std::iter::from_fn(|| events.next_if(|event| event.pos.tx() == record.id));
            let (mut said, mut explains) = (0, creates);
            memory.push(&record, creates)?;
            for OwnEvent { pos, stream, number, ext } in here {
                let digest = record.digests.as_ref().and_then(|all| all.get(pos.entry() as usize));
                let (Some(digest), Some(stream)) = (digest, streams.get(&stream)) else {
                    return Ok(Err(WRONG_INDEX.into()));
                };
                if !memory.index().remember(*stream, number, &ext, *digest) {
                    return Ok(Err(WRONG_INDEX.into()));
                }
                said += 1;
            }
            while let Some(finding) = findings.next_if(|finding| finding.tx == record.id) {
                // Beside rows of which something was found there are entries
                // of which nothing is said, and where the table was changed or
                // the database truncated.
                explains |= finding.entry.is_some()
                    || matches!(finding.kind, FindingKind::SchemaChanged | FindingKind::Truncated);
                memory.find(finding);
            }
            if record.digests.is_some() && said < record.nentries && !explains {
                return Ok(Err(WRONG_INDEX.into()));
            }
        }
        first = last + 1;
    }
    for (stream, number) in own.held(state.tx).await? {
        let Some(stream) = streams.get(&stream) else { return Ok(Err(WRONG_INDEX.into())) };
        memory.index().hold(*stream, number);
    }
    if memory.end().head().map(|head| head.state) != Some(state) || state.tx.get() < genesis {
        return Ok(Err(WRONG_LOG.into()));
    }
    Ok(Ok(()))
}
