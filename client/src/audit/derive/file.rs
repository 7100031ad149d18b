//! Deriving a ledger file: in memory, unless the audit goes on from a file of
//! its own.

use counterfoil_core::{TrustedState, TxId};

use super::super::fresh::Fresh;
use super::super::memory::Memory;
use super::super::own::OwnLog;
use super::super::report::InconsistencyKind as Kind;
use super::super::scratch;
use super::compare::{Compared, compare};
use super::{BATCH, Derivation};
use crate::backend::embedded::audit::{AuditedFile, InOwnLog, Linked, LinkedRow, Linker};
use crate::config::BackendKind;
use crate::error::{Result, Unavailable};
use crate::log::TxRecord;
use crate::sqlite::damaged;

impl Derivation<'_> {
    pub(super) async fn derive_file(&mut self) -> Result<()> {
        let missing = Unavailable::NoLedger { path: self.config.storage.embedded.path.clone() };
        let Some(mut file) = AuditedFile::open(self.config).await? else {
            return self.is_missing(missing).await;
        };
        let derived = self.derive_from(&mut file, missing).await;
        file.close().await;
        derived
    }

    async fn derive_from(&mut self, file: &mut AuditedFile, missing: Unavailable) -> Result<()> {
        let Some((last, alh)) = file.end().await? else {
            return self.is_missing(missing).await;
        };
        self.claimed = alh.map(|alh| TrustedState { tx: last, alh });
        self.found.extend(file.misplaced().await?);
        self.against_file(file, last).await?;
        self.progress.start(last.get().saturating_sub(self.fresh.size()));
        match self.fresh {
            Fresh::Memory(_) => self.in_memory(file, last).await?,
            Fresh::Kept(_) => self.in_tables(file, last).await?,
        }
        self.progress.finish();
        Ok(())
    }

    /// An audit that goes on from where another one ended: the file must
    /// still have that transaction.
    async fn against_file(&mut self, file: &mut AuditedFile, last: TxId) -> Result<()> {
        let Some(head) = self.fresh.head() else { return Ok(()) };
        let noted = match &mut self.fresh {
            Fresh::Kept(fresh) => scratch::is_noted(fresh.get_mut().conn(), head.tx).await?,
            Fresh::Memory(_) => false,
        };
        if last < head.tx {
            let detail = format!("{head} was audited before, but the ledger ends at {last}");
            self.note_now(Some(head.tx), Kind::Rollback, detail);
        } else if !noted && file.alh(head.tx).await? != Some(head.alh) {
            let detail = format!("{head} was audited before, and now the file shows another Alh");
            self.note_now(Some(head.tx), Kind::Fork, detail);
        }
        Ok(())
    }

    /// Into the tables that the audit goes on from later.
    pub(super) async fn in_tables(&mut self, file: &mut AuditedFile, last: TxId) -> Result<()> {
        while self.fresh.size() < last.get() {
            let first = self.fresh.size() + 1;
            let batch_last = self.batch(file, first, last.get(), BATCH).await?;
            // What is damaged in it is told when the whole is compared.
            let (own, _) = self.own_records(first, batch_last).await?;
            let fresh = self.fresh.tables()?.get_mut();
            let derived = file.derive(fresh.log().end(), TxId::new(batch_last), &own).await?;
            let done = derived.txs.len() as u64;
            scratch::note(fresh.conn(), &derived.inconsistencies).await?;
            fresh.extend(derived.txs).await?;
            self.progress.advance(done);
            if let Some(why) = derived.stopped {
                self.found.push(why);
                break;
            }
        }
        Ok(())
    }

    /// Into memory, and compared with the own log on the way.
    async fn in_memory(&mut self, file: &mut AuditedFile, last: TxId) -> Result<()> {
        let own = self.own.as_ref().map(OwnLog::file);
        let mut scan = file.scan(own, TxId::new(self.fresh.size() + 1), last);
        let mut linker = Linker::new()?;
        // Transactions that are looked at closely at once: the more, the more
        // of them in a row have to be.
        let mut few = 1;
        while self.fresh.size() < last.get() {
            let before = self.fresh.size();
            let mut chunk = scan.next().await;
            // What was read by the ledger's name may be another file then.
            if !file.is_in_place() {
                scan.end().await;
                chunk = None;
            }
            let goes_on = match chunk {
                Some(chunk) => {
                    file.is_still()?;
                    linker.begin();
                    let mut rows = Vec::new();
                    let mut goes_on = true;
                    while goes_on && self.fresh.size() < chunk.last().get() {
                        let memory = self.memory()?;
                        goes_on = match linker.link(&chunk, memory.end(), &mut rows) {
                            Some(tx) => {
                                memory.take_linked(&tx, &rows)?;
                                self.compare_linked(&tx, &rows).await?;
                                few = 1;
                                true
                            }
                            None => self.closely(file, last, &mut few).await?,
                        };
                    }
                    drop(rows);
                    scan.done(chunk);
                    goes_on
                }
                None => self.closely(file, last, &mut few).await?,
            };
            self.progress.advance(self.fresh.size() - before);
            if !goes_on {
                break;
            }
        }
        scan.end().await;
        Ok(())
    }

    fn memory(&mut self) -> Result<&mut Memory> {
        match &mut self.fresh {
            Fresh::Memory(memory) => Ok(memory),
            Fresh::Kept(_) => Err(damaged("the audit is in tables")),
        }
    }

    /// The next few transactions in such a way that everything in them is
    /// named. False if nothing behind them can be linked.
    async fn closely(&mut self, file: &mut AuditedFile, last: TxId, few: &mut u64) -> Result<bool> {
        let first = self.fresh.size() + 1;
        let batch_last = self.batch(file, first, last.get(), *few).await?;
        *few = BATCH.min(*few * 2);
        let (own, damaged) = self.own_records(first, batch_last).await?;
        let end = self.memory()?.end().clone();
        let derived = file.derive(end, TxId::new(batch_last), &own).await?;
        let mut found = derived.inconsistencies.into_iter().peekable();
        let mut damaged = damaged.into_iter().peekable();
        for tx in &derived.txs {
            let id = tx.record.id;
            self.memory()?.take(tx)?;
            let mut is_noted = false;
            while let Some(one) = found.next_if(|one| one.tx <= Some(id)) {
                is_noted |= one.tx == Some(id);
                self.noted.add(one);
            }
            if self.own_differs {
                continue;
            }
            while let Some(one) = damaged.next_if(|one| one.tx <= Some(id)) {
                self.noted.add(one);
            }
            if let Some(own) = own.get(&id.get()) {
                self.compare_one(own, &tx.record, is_noted).await?;
            }
        }
        found.for_each(|one| self.noted.add(one));
        let Some(why) = derived.stopped else { return Ok(true) };
        self.found.push(why);
        Ok(false)
    }

    /// A transaction that was linked where it lies.
    async fn compare_linked(&mut self, tx: &Linked, rows: &[LinkedRow<'_>]) -> Result<()> {
        if tx.own == InOwnLog::Same || self.own_differs {
            return Ok(());
        }
        let (records, damaged) = self.own_records(tx.id.get(), tx.id.get()).await?;
        damaged.into_iter().for_each(|one| self.noted.add(one));
        match records.get(&tx.id.get()) {
            Some(own) => self.compare_one(own, &tx.record(rows), false).await,
            None => Ok(()),
        }
    }

    async fn compare_one(
        &mut self,
        own: &TxRecord,
        derived: &TxRecord,
        is_noted: bool,
    ) -> Result<()> {
        match compare(own, derived, BackendKind::Embedded) {
            Compared::Same => {}
            Compared::Differs(_) if is_noted => {}
            Compared::Differs(found) => {
                let lost = found.kind == Kind::LostEntries;
                if !(lost && self.was_altered(own.id).await?) {
                    self.noted.add(found);
                }
            }
            // So it is with everything behind.
            Compared::Fork(found) => {
                self.noted.add(found);
                self.own_differs = true;
            }
        }
        Ok(())
    }

    /// A name that is not in use any more is not shown any more.
    async fn was_altered(&mut self, tx: TxId) -> Result<bool> {
        Ok(self.altered_in_own(tx.get(), tx.get()).await?.contains(&tx.get()))
    }
}
