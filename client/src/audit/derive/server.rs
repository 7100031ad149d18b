//! Deriving a server's ledger: headers first, then what accounts for them.

use counterfoil_core::TxId;

use super::super::lost;
use super::super::report::InconsistencyKind as Kind;
use super::Derivation;
use crate::backend::immudb::Immudb;
use crate::error::{Error, Result, Unavailable};
use crate::verdict::Verdict;

/// Transactions of a server whose rows are asked for one by one, because they
/// were not found as they were.
const MOST_NAMED: u64 = 1024;

impl Derivation<'_> {
    pub(super) async fn derive_server(&mut self) -> Result<()> {
        let immudb = Immudb::for_audit(self.config, self.progress.clone()).await?;
        if let Some(immudb) = &immudb {
            self.claimed = immudb.claimed().await?;
        }
        let (Some(immudb), Some(_)) = (immudb, self.claimed) else {
            let database = self.config.storage.immudb.database.clone();
            return self.is_missing(Unavailable::MissingDatabase { database }).await;
        };
        if self.fresh.tables()?.get_mut().truncation().is_some() {
            immudb.expect_losses();
        }
        let mut synced = immudb.sync(self.fresh.tables()?).await;
        if self.may_go_on(&synced, &immudb).await? {
            synced = immudb.sync(self.fresh.tables()?).await;
        }
        self.server = Some(immudb);
        match synced {
            Ok(None) => {}
            Ok(Some(verdict)) => self.note_now(None, Kind::UnconfirmedEnd, verdict.to_string()),
            Err(Error::Ledger(verdict)) => self.broken(&verdict),
            Err(error) => {
                let truncation = match &mut self.own {
                    Some(own) => own.truncation().await?,
                    None => None,
                };
                return Err(match (error, truncation) {
                    (Error::Unavailable(Unavailable::Server { .. }), Some(by)) => {
                        // What it could not read is somewhere behind here.
                        let tx = TxId::new(self.fresh.tables()?.get_mut().log().size() + 1);
                        Unavailable::Truncated { tx, by }.into()
                    }
                    (error, _) => error,
                });
            }
        }
        if self.found.is_empty() && !self.fresh.tables()?.get_mut().has_table() {
            if let Some(gone) = self.fresh.tables()?.get_mut().truncation() {
                let (tx, by) = (TxId::new(1), gone.by);
                return Err(Unavailable::Truncated { tx, by }.into());
            }
            let detail = "no transaction holds the entries that the table's creation writes";
            self.note_now(None, Kind::TableDiffers, detail);
        }
        Ok(())
    }

    /// Where a synchronisation had to stop.
    fn broken(&mut self, verdict: &Verdict) {
        let (tx, kind) = match verdict {
            Verdict::BrokenChain { tx, .. }
            | Verdict::OtherHistory { tx, .. }
            | Verdict::BadHeader { tx, .. } => (Some(*tx), Kind::BrokenHeader),
            Verdict::MissingTx { tx } => (Some(*tx), Kind::MissingTx),
            Verdict::Fork { pinned, .. } => (Some(pinned.tx), Kind::Fork),
            Verdict::Rollback { pinned, .. } => (Some(pinned.tx), Kind::Rollback),
            Verdict::Missing { .. } => (None, Kind::Missing),
            _ => (None, Kind::BrokenHeader),
        };
        self.note_now(tx, kind, verdict.to_string());
    }

    /// Where headers do not make a ledger: names those that are not what they
    /// were verified to be, and lets these stand for them, if the ledger goes
    /// on behind them as it did. They are linked as all others are.
    async fn may_go_on(
        &mut self,
        synced: &Result<Option<Verdict>>,
        server: &Immudb,
    ) -> Result<bool> {
        let stopped = matches!(
            synced,
            Err(Error::Ledger(_) | Error::Unavailable(Unavailable::Garbled { .. }))
        );
        let Some(own) = self.own.as_mut().filter(|_| stopped) else { return Ok(false) };
        let Some(known) = own.pinned().await?.0 else { return Ok(false) };
        let derived = self.fresh.tables()?.get_mut().log().size();
        let last = known.tx.min(self.claimed.map_or(known.tx, |claimed| claimed.tx)).get();
        // A server that does not even answer is told by the error that it is.
        let Ok(headers) = lost::headers(own, server, derived + 1, last).await else {
            return Ok(false);
        };
        if headers.were.is_empty() {
            return Ok(false);
        }
        self.found.extend(headers.found);
        server.take_instead(headers.were);
        Ok(true)
    }

    /// Names the rows that the server shows otherwise than they were verified
    /// before, as far as that goes.
    pub(super) async fn name_lost(&mut self) -> Result<()> {
        let (Some(own), Some(server)) = (&mut self.own, &self.server) else { return Ok(()) };
        let mut named = Vec::new();
        let mut left = MOST_NAMED;
        for lost in std::mem::take(&mut self.found) {
            let rows = match lost.tx.filter(|_| lost.kind == Kind::LostEntries && left > 0) {
                None => Vec::new(),
                Some(tx) => {
                    left -= 1;
                    let (mut records, _) = own.records(tx.get(), tx.get()).await?;
                    match records.remove(&tx.get()) {
                        Some(record) => lost::rows(own, &record, server).await.unwrap_or_default(),
                        None => Vec::new(),
                    }
                }
            };
            match rows.is_empty() {
                true => named.push(lost),
                false => named.extend(rows),
            }
        }
        self.found = named;
        Ok(())
    }
}
