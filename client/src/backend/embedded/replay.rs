//! Takes transactions from the ledger file into the log, each recomputed from
//! its rows.

use counterfoil_core::TxId;

use super::file::{FileRow, FileTx};
use super::{Embedded, TABLE_ID, first_entry, impossible, new_tx};
use crate::error::Result;
use crate::local::{Local, NewTx};
use crate::log::LogEnd;
use crate::schema;
use crate::sqlite::damaged;
use crate::store::Progress;
use crate::verdict::Verdict;

/// Transactions read at once, at most.
const BATCH: u64 = 256;

impl Embedded {
    /// Replays everything from the log's end through `last`.
    pub(super) async fn replay(
        &mut self,
        local: &mut Local,
        last: TxId,
        progress: &Progress,
    ) -> Result<()> {
        let whole = last.get().saturating_sub(local.log().size());
        progress.start(whole);
        while local.log().size() < last.get() {
            let first = local.log().size() + 1;
            let batch_last = last.get().min(first.saturating_add(BATCH - 1));
            let batch_last = self.file.fitting(first, batch_last).await?;
            let (txs, rows) = self.file.read(first, batch_last).await?;
            let mut rows = rows.into_iter().peekable();
            let mut expected = first;
            let mut end = local.log().end();
            let mut batch = Vec::new();
            for tx in txs {
                if tx.id.get() != expected {
                    return Err(Verdict::MissingTx { tx: TxId::new(expected) }.into());
                }
                let mut own = Vec::new();
                while let Some(row) = rows.next_if(|row| row.0.tx() == tx.id) {
                    own.push(row);
                }
                let new = recompute(&end, &tx, own)?;
                end.push(&new.record)?;
                batch.push(new);
                expected += 1;
            }
            if expected != batch_last + 1 {
                return Err(Verdict::MissingTx { tx: TxId::new(expected) }.into());
            }
            if let Some((pos, _)) = rows.next() {
                let (tx, entry) = (pos.tx(), pos.entry());
                return Err(Verdict::SurplusRows { tx, entry, count: 1 }.into());
            }
            let done = batch.len() as u64;
            local.extend(batch).await?;
            progress.advance(done);
        }
        progress.finish();
        Ok(())
    }
}

/// The transaction that the file's rows make; its Alh must be the one that
/// the file shows.
fn recompute(end: &LogEnd, tx: &FileTx, rows: Vec<FileRow>) -> Result<NewTx> {
    let id = tx.id;
    let table = schema::table(TABLE_ID).map_err(impossible)?;
    let mut decoded = Vec::with_capacity(rows.len());
    for ((pos, value), entry) in rows.iter().zip(first_entry(id)..) {
        if pos.entry() != entry {
            return Err(Verdict::RowMissing { tx: id, entry }.into());
        }
        let row = schema::decode_value(&table, value)
            .map_err(|_| Verdict::RowAltered { tx: id, entry })?;
        decoded.push(row);
    }
    let first = i64::from(first_entry(id));
    let have = first + i64::try_from(decoded.len()).map_err(|_| damaged("too many rows"))?;
    if have < tx.nentries || decoded.is_empty() {
        let entry = u32::try_from(have).map_err(|_| damaged("too many rows"))?;
        return Err(Verdict::RowMissing { tx: id, entry }.into());
    }
    if have > tx.nentries || (id.get() == 1 && decoded.len() != 1) {
        return Err(Verdict::EntriesAltered { tx: id }.into());
    }
    let new = new_tx(end, id, tx.ts, &decoded)?;
    if new.record.alh != tx.alh {
        return Err(match decoded.len() {
            1 => Verdict::RowAltered { tx: id, entry: first_entry(id) },
            _ => Verdict::EntriesAltered { tx: id },
        }
        .into());
    }
    Ok(new)
}
