//! A ledger without a server: transactions exactly as immudb would write
//! them, in a SQLite file that is trusted no more than a server would be.

pub(crate) mod audit;
pub(crate) mod backup;
mod beside;
mod file;
mod file_schema;
mod open;
mod replay;
mod trust_file;

use std::collections::HashMap;
use std::path::Path;

use counterfoil_core::{Alh, TrustedState, TxId};

use self::file::{FileTx, LedgerFile};
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::index::{NewRow, Position};
use crate::local::{Local, NewTx};
use crate::log::{LogEnd, TxRecord, entries_root};
use crate::row::StoredRow;
use crate::schema::{self, GENESIS_CATALOG};
use crate::store::Progress;
use crate::verdict::{FindingKind, Verdict};

pub(crate) struct Embedded {
    file: LedgerFile,
    environment: Environment,
}

/// The table's id in a database whose first table it is.
pub(crate) const TABLE_ID: u32 = 1;

impl Embedded {
    /// Closes the file, and waits until it is.
    pub(crate) async fn close(self) -> Result<()> {
        self.file.close().await
    }

    /// Where the file lies; nowhere in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.place()
    }

    /// Commits one INSERT of rows that stand in key order.
    pub(crate) async fn commit(&mut self, local: &mut Local, rows: &[StoredRow]) -> Result<TxId> {
        let (tx, stored) = self.next_tx(local, rows)?;
        let next = TrustedState { tx: tx.record.id, alh: tx.record.alh };
        let after = local.log().head().map(|head| head.state);
        local.announce(next).await?;
        self.file.commit(after, &file_tx(&tx.record), &stored).await?;
        // It is in the ledger: nothing that fails now makes it undone.
        local.extend(vec![tx]).await.map_err(|error| Error::OutcomeUnknown {
            reason: format!(
                "they are in the ledger file, but the log cannot take them in: {error}"
            ),
            remedy: "repair that, then repeat the append with its external id, or read the stream",
        })?;
        Ok(next.tx)
    }

    /// Finds out what became of a commit that failed after it was announced, or
    /// was cut short: what is in the file after all is taken into the log.
    pub(crate) async fn settle(&mut self, local: &mut Local) -> Result<()> {
        // What was written and never committed is not in it.
        self.file.undo().await;
        local.recover().await?;
        match local.trust().and_then(|trust| trust.pending) {
            Some(pending) if self.file.alh(pending.tx).await? == Some(pending.alh) => {
                // What is held by nothing but a file without a name is not there.
                self.file.is_in_place()?;
                self.replay(local, pending.tx, &Progress::default()).await
            }
            _ => Ok(()),
        }
    }

    /// Takes the whole file into a log, as a server's reader would.
    #[cfg(all(test, feature = "immudb"))]
    pub(crate) async fn show(&mut self, local: &mut Local) -> Result<()> {
        match self.file.end().await? {
            Some(end) => self.replay(local, end.tx, &Progress::default()).await,
            None => Ok(()),
        }
    }

    /// Creates the ledger: the genesis transaction.
    async fn create(&mut self, local: &mut Local) -> Result<()> {
        let nonce = self.environment.random();
        let row = schema::genesis_row(nonce, self.environment.clock.now_micros());
        let (tx, stored) = self.next_tx(local, std::slice::from_ref(&row))?;
        let first = TrustedState { tx: tx.record.id, alh: tx.record.alh };
        local.announce_ledger(first).await?;
        self.file.commit(None, &file_tx(&tx.record), &stored).await?;
        local.extend(vec![tx]).await?;
        local.anchor(crate::trust::Anchor::Created).await?;
        Ok(())
    }

    /// The next transaction and its stored rows.
    fn next_tx(&self, local: &Local, rows: &[StoredRow]) -> Result<(NewTx, Vec<file::FileRow>)> {
        let table = schema::table(TABLE_ID).map_err(impossible)?;
        let id = local.log().next_id();
        let now = self.environment.ledger_clock.now_micros().div_euclid(1_000_000);
        // Time stamps never go back, whatever the clock does.
        let ts = local.log().head().map_or(now, |head| now.max(head.ts));
        let first = first_entry(id);
        let stored = rows
            .iter()
            .zip(first..)
            .map(|(row, entry)| {
                let value = schema::encode_value(&table, row).map_err(impossible)?;
                Ok((Position::new(id, entry), value))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok((new_tx(&local.log().end(), id, ts, rows)?, stored))
    }

    /// How many of these places, from the first on, hold rows that are few
    /// enough bytes to be read at once; at least one.
    pub(crate) async fn fitting(&mut self, places: &[Position]) -> Result<usize> {
        let mut fitting = places.len();
        while fitting > 1 && self.file.bytes(&places[..fitting]).await? > file::BATCH_BYTES {
            fitting /= 2;
        }
        Ok(fitting)
    }

    /// The rows at these places, as the file has them now.
    pub(crate) async fn rows(&mut self, places: &[Position]) -> Result<Vec<Option<StoredRow>>> {
        let table = schema::table(TABLE_ID).map_err(impossible)?;
        let mut values: HashMap<Position, Vec<u8>> =
            self.file.values(places).await?.into_iter().collect();
        places
            .iter()
            .map(|place| match values.remove(place) {
                None => Ok(None),
                Some(value) => match schema::decode_value(&table, &value) {
                    Ok(row) => Ok(Some(row)),
                    Err(_) => {
                        Err(Verdict::RowAltered { tx: place.tx(), entry: place.entry() }.into())
                    }
                },
            })
            .collect()
    }
}

/// The first transaction's rows stand behind its catalog entries.
fn first_entry(id: TxId) -> u32 {
    if id.get() == 1 { GENESIS_CATALOG } else { 0 }
}

/// The transaction that these rows make behind this end of the log.
fn new_tx(end: &LogEnd, id: TxId, ts: i64, rows: &[StoredRow]) -> Result<NewTx> {
    let table = schema::table(TABLE_ID).map_err(impossible)?;
    let digests = match (id.get(), rows) {
        (1, [row]) => schema::genesis_digests(&table, row).map_err(impossible)?,
        _ => rows
            .iter()
            .map(|row| schema::row_digest(&table, row).map_err(impossible))
            .collect::<Result<Vec<_>>>()?,
    };
    let new_rows = rows
        .iter()
        .zip(first_entry(id)..)
        .zip(&digests[first_entry(id) as usize..])
        .map(|((row, entry), digest)| NewRow::new(*digest, row).at(Position::new(id, entry)))
        .collect();
    let nentries = u32::try_from(digests.len()).map_err(impossible)?;
    let eh = entries_root(&digests);
    let header = end.next_header(ts, nentries, eh);
    let alh: Alh = header.alh().map_err(impossible)?;
    let mut findings = Vec::new();
    if let Some(head) = end.head().filter(|head| ts < head.ts) {
        findings.push((FindingKind::TimeWentBack, format!("{ts} after {}", head.ts)));
    }
    let record = TxRecord::whole(&header, alh, digests);
    let table = (id.get() == 1).then_some(TABLE_ID);
    Ok(NewTx { record, rows: new_rows, findings, table })
}

fn file_tx(record: &TxRecord) -> FileTx {
    FileTx { id: record.id, ts: record.ts, nentries: i64::from(record.nentries), alh: record.alh }
}

/// What this crate has built itself cannot fail to encode.
fn impossible(error: impl std::fmt::Display) -> Error {
    Error::Invalid(format!("the rows cannot be encoded: {error}"))
}
