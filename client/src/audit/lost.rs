//! Naming what a server shows no more, or otherwise: each row and each header
//! that this client once verified is asked for by itself.

use counterfoil_core::{Header, TxId};

use super::own::OwnLog;
use super::report::{Inconsistency, InconsistencyKind as Kind};
use crate::backend::immudb::Immudb;
use crate::error::Result;
use crate::index::{EventAt, Index, Position};
use crate::log::TxRecord;
use crate::schema;
use crate::store::Streams;

/// As many rows as a transaction of ours has at most.
const MOST_ROWS: u64 = 1024;

/// The rows of a transaction that are altered or missing: those that this
/// client's index knows as events. None if all of them are as they were.
pub(super) async fn rows(
    own: &mut OwnLog,
    record: &TxRecord,
    server: &Immudb,
) -> Result<Vec<Inconsistency>> {
    let (Some(digests), Some((table, _))) = (&record.digests, own.table().await?) else {
        return Ok(Vec::new());
    };
    let Ok(table) = schema::table(table) else { return Ok(Vec::new()) };
    let before = Position::end_of(TxId::new(record.id.get() - 1));
    let events = Index::events_after(own.conn(), &Streams::all(), before, MOST_ROWS).await?;
    let here = |event: &EventAt| Some(*digests.get(event.pos.entry() as usize)?);
    let (wanted, digests): (Vec<EventAt>, Vec<_>) = events
        .into_iter()
        .filter(|event| event.pos.tx() == record.id)
        .filter_map(|event| here(&event).map(|digest| (event, digest)))
        .unzip();
    let shown = server.events(&table, &wanted, &digests).await?;
    let mut found = Vec::new();
    for ((event, digest), shown) in wanted.iter().zip(&digests).zip(shown) {
        let (kind, detail) = match shown {
            None => (Kind::MissingRow, "it was verified before, and is not shown any more"),
            Some(shown) if shown.is(&table, *digest) => continue,
            Some(_) => (Kind::AlteredRow, "its bytes are not those that were verified before"),
        };
        found.push(Inconsistency::of_entry(record.id, event.pos.entry(), kind, detail));
    }
    Ok(found)
}

/// Where more of them differ, it is another history.
const MOST_HEADERS: usize = 1024;

/// Headers fetched at once.
const WINDOW: u64 = 1024;

/// Headers that the server shows otherwise than this client verified them.
#[derive(Default)]
pub(super) struct Headers {
    pub(super) found: Vec<Inconsistency>,
    /// What they were. Empty if nothing behind them is as it was: then it is
    /// another history, or nobody can tell.
    pub(super) were: Vec<Header<'static>>,
}

/// Compares the headers `first` to `last` with the own log's.
pub(super) async fn headers(
    own: &mut OwnLog,
    server: &Immudb,
    mut first: u64,
    last: u64,
) -> Result<Headers> {
    let (mut headers, mut honest) = (Headers::default(), TxId::new(0));
    while first <= last && headers.found.len() < MOST_HEADERS {
        let to = last.min(first.saturating_add(WINDOW - 1));
        let to = own.fitting(first, to).await?;
        let shown = server.headers(TxId::new(first), TxId::new(to)).await?;
        let (records, _) = own.records(first - 1, to).await?;
        for (id, header) in shown {
            let record = records.get(&id.get()).filter(|record| !record.opaque);
            let Some(record) = record else { continue };
            match header {
                Some(header) if makes(header, record) => honest = id,
                shown => {
                    let before = records.get(&(id.get() - 1));
                    headers.found.push(differs(record, before, shown));
                    headers.were.extend(own.header(record).await?);
                }
            }
        }
        first = to + 1;
    }
    if headers.were.last().is_some_and(|last| last.id > honest) {
        headers.were.clear();
    }
    Ok(headers)
}

/// Whether a header is the record's. That it truncates the database is not
/// shown; the log knows.
fn makes(mut header: Header<'_>, record: &TxRecord) -> bool {
    if record.truncated.is_some() {
        header.metadata.truncated_tx_id = record.truncated.map(TxId::get);
    }
    header.alh() == Ok(record.alh)
}

/// In what a header differs from the one that was verified.
fn differs(
    record: &TxRecord,
    before: Option<&TxRecord>,
    shown: Option<Header<'_>>,
) -> Inconsistency {
    let Some(header) = shown else {
        let detail = "it was verified before, and no header of it is shown any more";
        return Inconsistency::of_tx(record.id, Kind::MissingTx, detail);
    };
    let differs = [
        (before.is_some_and(|before| before.alh != header.prev_alh), "predecessor"),
        (header.ts != record.ts, "time stamp"),
        (header.version != record.version, "version"),
        (header.nentries != record.nentries, "number of entries"),
        (header.eh != record.eh, "root over its entries"),
        (header.bl_tx_id != record.bl_tx_id, "tree's size"),
    ];
    let differs = differs.iter().find_map(|(differs, what)| differs.then_some(*what));
    let what = differs.unwrap_or("tree's root");
    let detail = format!("its header was verified before, and now its {what} differs");
    Inconsistency::of_tx(record.id, Kind::BrokenHeader, detail)
}
