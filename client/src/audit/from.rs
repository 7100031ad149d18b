//! Going on from a state that the auditor brings: what lies before it is taken
//! from this client's own log, as far as the state vouches for that.
//!
//! A state is a hash over its transaction's header, which holds the root of
//! the tree over all before it and the last one's Alh; each Alh is a hash over
//! a header, which holds the root over its entries' digests. So a log in which
//! all of these recompute up to the state is the right one, whoever wrote it.
//! Which digest is whose event follows from rows only, and those are not read:
//! the index is believed, but for what can be compared with the digests.

mod memory;

use counterfoil_core::{HeaderVersion, TrustedState, TxId};
use sqlx::SqliteConnection;

pub(super) use self::memory::remember;
use super::own::OwnLog;
use crate::error::Result;
use crate::index::Index;
use crate::local::{Local, NewTx};
use crate::log::{LogEnd, TxRecord, entries_root};
use crate::schema;

/// Transactions linked at once, at most.
const BATCH: u64 = 1024;

/// Why a log cannot be gone on from.
pub(super) type Why = String;

const WRONG_LOG: &str = "it does not hold the state, or not the table of events before it";
const WRONG_INDEX: &str = "its index names events that are not where it says";

/// Takes the own log up to `state` over into a log that is empty; if that
/// cannot be, why not. What was begun then is of no use.
pub(super) async fn take_over(
    fresh: &mut Local,
    own: &mut OwnLog,
    state: TrustedState,
) -> Result<Result<(), Why>> {
    let Some((table, genesis)) = own.table().await? else {
        return Ok(Err("it does not know the table of events".into()));
    };
    let mut first = 1;
    while first <= state.tx.get() {
        let last = state.tx.get().min(first.saturating_add(BATCH - 1));
        let last = own.fitting(first, last).await?;
        let (mut records, _) = own.records(first, last).await?;
        let mut end = fresh.log().end();
        let mut txs = Vec::new();
        for id in first..=last {
            let checked = match records.remove(&id) {
                Some(record) => check(&end, &record, (id == genesis).then_some(table))
                    .map(|()| record)
                    .map_err(|why| format!("its transaction {id} {why}")),
                None => Err(format!("it has no transaction {id} that could be read")),
            };
            let record = match checked {
                Ok(record) => record,
                Err(why) => return Ok(Err(why)),
            };
            if record.id == state.tx && (record.opaque || record.alh != state.alh) {
                let alh = record.alh;
                return Ok(Err(format!("its transaction {id} is {alh}, not that of {state}")));
            }
            end.push(&record)?;
            let table = (id == genesis).then_some(table);
            txs.push(NewTx { record, rows: Vec::new(), findings: Vec::new(), table });
        }
        fresh.extend(txs).await?;
        first = last + 1;
    }
    if fresh.log().head().map(|head| head.state) != Some(state) || !fresh.has_table() {
        return Ok(Err(WRONG_LOG.into()));
    }
    take_index(fresh.conn(), own, state.tx).await
}

/// Whether a record continues the log, and its digests are those of its
/// entries; in the table's first transaction, that it is the table's.
fn check(end: &LogEnd, record: &TxRecord, table: Option<u32>) -> Result<(), &'static str> {
    let mut header = end.next_header(record.ts, record.nentries, record.eh);
    header.metadata.truncated_tx_id = record.truncated.map(TxId::get);
    if !record.opaque {
        if record.version != HeaderVersion::V1 || record.bl_tx_id != header.bl_tx_id {
            return Err("has a header of an older kind, which is not linked again here");
        }
        if header.alh() != Ok(record.alh) {
            return Err("does not continue it");
        }
    }
    if let Some(digests) = &record.digests
        && (record.opaque || entries_root(digests) != record.eh)
    {
        return Err("has other entries than its header says");
    }
    if let Some(id) = table {
        let digests = record.digests.as_deref().unwrap_or_default();
        if !schema::table(id).is_ok_and(|table| schema::is_creation(&table, digests)) {
            return Err("does not create the table of events");
        }
    }
    Ok(())
}

/// Takes over what the own index says of the transactions up to `last`.
async fn take_index(
    conn: &mut SqliteConnection,
    own: &OwnLog,
    last: TxId,
) -> Result<Result<(), Why>> {
    own.attach(conn).await?;
    let taken = Index::take_over(conn, last).await;
    OwnLog::detach(conn).await?;
    Ok(if taken? { Ok(()) } else { Err(WRONG_INDEX.into()) })
}
