//! The audit itself: derive, compare, judge.

use std::path::Path;

use counterfoil_core::{TrustedState, TxId};
use tokio::sync::Mutex;

#[cfg(feature = "immudb")]
use super::lost;
use super::own::OwnLog;
use super::report::{AuditReport, AuditVerdict, Inconsistency, InconsistencyKind as Kind};
use super::{Audit, from, payloads, scratch};
use crate::backend::embedded::audit::AuditedFile;
#[cfg(feature = "immudb")]
use crate::backend::immudb::Immudb;
use crate::config::{BackendKind, Config};
use crate::error::{Error, Result, Unavailable};
use crate::index::Index;
use crate::local::Local;
use crate::log::TxRecord;
use crate::payloads::PayloadStore;
use crate::store::Progress;
#[cfg(feature = "immudb")]
use crate::verdict::Verdict;

/// Transactions derived at once.
const BATCH: u64 = 256;

/// Transactions of a server whose rows are asked for one by one, because they
/// were not found as they were.
#[cfg(feature = "immudb")]
const MOST_NAMED: u64 = 1024;

pub(super) struct Derivation<'a> {
    config: &'a Config,
    payloads: Option<&'a dyn PayloadStore>,
    progress: Progress,
    /// What is derived.
    fresh: Mutex<Local>,
    own: Option<OwnLog>,
    /// States that the ledger must contain.
    known: Vec<TrustedState>,
    /// What is said about the ledger as it is now, and is not kept.
    found: Vec<Inconsistency>,
    claimed: Option<TrustedState>,
    /// What lies up to here was taken over.
    from: Option<TrustedState>,
    #[cfg(feature = "immudb")]
    server: Option<Immudb>,
}

impl<'a> Derivation<'a> {
    pub(super) async fn begin(audit: &Audit<'a>) -> Result<Self> {
        if audit.from.is_some() && audit.resume.is_some() {
            return Err(Error::Config(
                "an audit goes on from a state or from its file, not from both".into(),
            ));
        }
        let mut fresh = Local::for_audit(audit.resume.as_deref()).await?;
        scratch::create(fresh.conn()).await?;
        let config = audit.config;
        let mut begun = Self {
            config,
            payloads: audit.payloads,
            progress: audit.progress_shown(),
            fresh: Mutex::new(fresh),
            own: None,
            known: config.trust.pin.into_iter().chain(audit.contains.iter().copied()).collect(),
            found: Vec::new(),
            claimed: None,
            from: None,
            #[cfg(feature = "immudb")]
            server: None,
        };
        let path = match config.storage.backend {
            BackendKind::Embedded => Some(AuditedFile::own_log(config)?),
            #[cfg(feature = "immudb")]
            BackendKind::Immudb => Immudb::own_log(config)?,
            #[cfg(not(feature = "immudb"))]
            BackendKind::Immudb => None,
        };
        if let Some(path) = path {
            begun.open_own(&path).await;
        }
        if let Some(state) = audit.from {
            begun.known.push(state);
            begun.take_over(state).await?;
        }
        Ok(begun)
    }

    /// Begins behind a state, if the own log holds all that comes before.
    async fn take_over(&mut self, state: TrustedState) -> Result<()> {
        let Some(own) = &mut self.own else { return Ok(()) };
        // One that ends before is not wrong.
        let (pin, _) = own.pinned().await?;
        if state.tx.get() == 0 || pin.is_none_or(|pin| pin.tx < state.tx) {
            return Ok(());
        }
        let fresh = self.fresh.get_mut();
        let why = match from::take_over(fresh, own, state).await {
            Ok(Ok(())) => {
                self.from = Some(state);
                return Ok(());
            }
            Ok(Err(why)) => why,
            Err(error) => error.to_string(),
        };
        *fresh = Local::for_audit(None).await?;
        scratch::create(fresh.conn()).await?;
        let detail = format!("this client's log cannot be gone on from at {state}: {why}");
        self.note_now(None, Kind::OwnLog, detail);
        Ok(())
    }

    /// The pin is read before the ledger's end, so that a writer who is at
    /// work does not make it look rolled back.
    async fn open_own(&mut self, path: &Path) {
        let opened = async {
            let Some(mut own) = OwnLog::open(path).await? else { return Ok(None) };
            let (pin, _) = own.pinned().await?;
            Ok::<_, Error>(Some((own, pin)))
        };
        match opened.await {
            Ok(Some((own, pin))) => {
                self.own = Some(own);
                self.known.extend(pin);
            }
            Ok(None) => {}
            Err(error) => self.note_now(None, Kind::OwnLog, error.to_string()),
        }
    }

    fn note_now(&mut self, tx: Option<TxId>, kind: Kind, detail: impl Into<String>) {
        self.found.push(Inconsistency { tx, entry: None, kind, detail: detail.into() });
    }

    pub(super) async fn run(mut self) -> Result<AuditReport> {
        match self.config.storage.backend {
            BackendKind::Embedded => self.derive_file().await?,
            #[cfg(feature = "immudb")]
            BackendKind::Immudb => self.derive_server().await?,
            #[cfg(not(feature = "immudb"))]
            BackendKind::Immudb => {
                return Err(Error::Config(
                    "this program was built without immudb; build it with --features immudb".into(),
                ));
            }
        }
        self.compare_own().await?;
        #[cfg(feature = "immudb")]
        self.name_lost().await?;
        let confirmed = self.compare_known().await?;
        self.report(confirmed).await
    }

    async fn derive_file(&mut self) -> Result<()> {
        let mut file = AuditedFile::open(self.config).await?;
        let end = match &mut file {
            Some(file) => file.end().await?,
            None => None,
        };
        let (Some(mut file), Some((last, alh))) = (file, end) else {
            let path = self.config.storage.embedded.path.clone();
            let cause = std::io::ErrorKind::NotFound.into();
            return self.is_missing(Unavailable::File { path, cause }).await;
        };
        self.claimed = alh.map(|alh| TrustedState { tx: last, alh });
        self.found.extend(file.misplaced().await?);
        let begin = self.fresh.get_mut().log().size();
        self.against_file(&mut file, last).await?;
        self.progress.start(last.get().saturating_sub(begin));
        loop {
            let fresh = self.fresh.get_mut();
            let first = fresh.log().size() + 1;
            if first > last.get() {
                break;
            }
            let batch_last = last.get().min(first.saturating_add(BATCH - 1));
            let own = match &mut self.own {
                // What is damaged in it is told when the whole is compared.
                Some(own) => own.records(first, batch_last).await?.0,
                None => Default::default(),
            };
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
        self.progress.finish();
        Ok(())
    }

    /// An audit that goes on from where another one ended: the file must
    /// still have that transaction.
    async fn against_file(&mut self, file: &mut AuditedFile, last: TxId) -> Result<()> {
        let fresh = self.fresh.get_mut();
        let Some(head) = fresh.log().head().map(|head| head.state) else { return Ok(()) };
        if last < head.tx {
            let detail = format!("{head} was audited before, but the ledger ends at {last}");
            self.note_now(Some(head.tx), Kind::Rollback, detail);
        } else if !scratch::is_noted(fresh.conn(), head.tx).await?
            && file.alh(head.tx).await? != Some(head.alh)
        {
            let detail = format!("{head} was audited before, and now the file shows another Alh");
            self.note_now(Some(head.tx), Kind::Fork, detail);
        }
        Ok(())
    }

    #[cfg(feature = "immudb")]
    async fn derive_server(&mut self) -> Result<()> {
        let immudb = Immudb::for_audit(self.config, self.progress.clone()).await?;
        if let Some(immudb) = &immudb {
            self.claimed = immudb.claimed().await?;
        }
        let (Some(immudb), Some(_)) = (immudb, self.claimed) else {
            let database = self.config.storage.immudb.database.clone();
            return self.is_missing(Unavailable::MissingDatabase { database }).await;
        };
        let mut synced = immudb.sync(&self.fresh).await;
        if self.may_go_on(&synced, &immudb).await? {
            synced = immudb.sync(&self.fresh).await;
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
                        let tx = TxId::new(self.fresh.get_mut().log().size() + 1);
                        Unavailable::Truncated { tx, by }.into()
                    }
                    (error, _) => error,
                });
            }
        }
        if self.found.is_empty() && !self.fresh.get_mut().has_table() {
            if let Some(gone) = self.fresh.get_mut().truncation() {
                let (tx, by) = (TxId::new(1), gone.by);
                return Err(Unavailable::Truncated { tx, by }.into());
            }
            let detail = "no transaction holds the entries that the table's creation writes";
            self.note_now(None, Kind::TableDiffers, detail);
        }
        Ok(())
    }

    /// Where a synchronisation had to stop.
    #[cfg(feature = "immudb")]
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
    #[cfg(feature = "immudb")]
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
        let derived = self.fresh.get_mut().log().size();
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
    #[cfg(feature = "immudb")]
    async fn name_lost(&mut self) -> Result<()> {
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

    /// Nothing is there. If something was known, that is an inconsistency.
    async fn is_missing(&mut self, unavailable: Unavailable) -> Result<()> {
        let derived = self.fresh.get_mut().log().head().map(|head| head.state);
        match self.known.iter().copied().chain(derived).max_by_key(|state| state.tx) {
            None => Err(unavailable.into()),
            Some(known) => {
                let detail = format!("{known} was known, and now there is nothing");
                self.note_now(None, Kind::Missing, detail);
                Ok(())
            }
        }
    }

    /// Holds this client's own log against what the ledger made.
    async fn compare_own(&mut self) -> Result<()> {
        let Some(own) = &mut self.own else { return Ok(()) };
        let fresh = self.fresh.get_mut();
        let size = fresh.log().size();
        let gone = fresh.truncation();
        let mut first = self.from.map_or(1, |from| from.tx.get() + 1);
        while first <= size {
            let last = size.min(first + BATCH - 1);
            let (records, damaged) = own.records(first, last).await?;
            self.found.extend(damaged);
            let altered = own.altered(first, last).await?;
            let derived = crate::log::Log::records(fresh.conn(), first, last).await?;
            for (id, derived) in derived {
                let derived = derived?;
                let Some(own) = records.get(&id) else { continue };
                if own.alh != derived.alh {
                    let detail = format!(
                        "this client's log holds {}:{} in its place, the ledger {}",
                        own.id, own.alh, derived.alh
                    );
                    self.found.push(Inconsistency::of_tx(own.id, Kind::Fork, detail));
                    // So it is with everything behind.
                    return Ok(());
                }
                if let Some(found) = differs(own, &derived)
                    // A name that is not in use any more is not shown any more.
                    && !(found.kind == Kind::LostEntries
                        && (altered.contains(&id) || gone.is_some_and(|gone| own.id <= gone.until)))
                    && !scratch::is_noted(fresh.conn(), own.id).await?
                {
                    self.found.push(found);
                }
            }
            first = last + 1;
        }
        Ok(())
    }

    /// Holds what was known beforehand against what the ledger made; tells
    /// whether that vouches for its end.
    async fn compare_known(&mut self) -> Result<bool> {
        // A writer may have moved it meanwhile.
        let (pin, pending) = match &mut self.own {
            Some(own) => own.pinned().await?,
            None => (None, None),
        };
        let fresh = self.fresh.get_mut();
        let through = fresh.log().head().map(|head| head.state);
        let mut held = Vec::new();
        let mut found = Vec::new();
        for known in &self.known {
            match scratch::alh(fresh.conn(), known.tx).await? {
                Some(alh) if alh == known.alh => held.push(*known),
                Some(alh) => {
                    let detail = format!("{known} was known, but now that transaction is {alh}");
                    found.push(Inconsistency::of_tx(known.tx, Kind::Fork, detail));
                }
                None => {
                    if let Some(claimed) = self.claimed.filter(|claimed| claimed.tx < known.tx) {
                        let detail = format!("{known} was known, but the ledger ends at {claimed}");
                        found.push(Inconsistency::of_tx(known.tx, Kind::Rollback, detail));
                    }
                }
            }
        }
        if let Some(expected) = self.config.trust.ledger
            && let Some(first) = scratch::alh(fresh.conn(), TxId::new(1)).await?
            && first != expected
        {
            let detail = format!("this is ledger {first}, the configuration names {expected}");
            found.push(Inconsistency::of_tx(TxId::new(1), Kind::WrongLedger, detail));
        }
        self.found.extend(found);
        let Some(through) = through else { return Ok(false) };
        Ok(match self.config.storage.backend {
            // A file may be continued by whoever can write to it.
            BackendKind::Embedded => {
                held.contains(&through)
                    || pending == Some(through)
                    || (pin.is_some_and(|pin| pin.tx >= through.tx)
                        && self.own_has(through).await?)
            }
            // A server's ledger moves on, and the pin with it.
            BackendKind::Immudb => !held.is_empty(),
        })
    }

    async fn own_has(&mut self, state: TrustedState) -> Result<bool> {
        let Some(own) = &mut self.own else { return Ok(false) };
        let (records, _) = own.records(state.tx.get(), state.tx.get()).await?;
        Ok(records.get(&state.tx.get()).is_some_and(|record| record.alh == state.alh))
    }

    async fn report(mut self, confirmed: bool) -> Result<AuditReport> {
        let fresh = self.fresh.get_mut();
        let through = fresh.log().head().map(|head| head.state);
        let ledger = scratch::alh(fresh.conn(), TxId::new(1)).await?;
        let (mut inconsistencies, noted) = scratch::noted(fresh.conn()).await?;
        let inconsistencies_total = noted + self.found.len() as u64;
        inconsistencies.append(&mut self.found);
        inconsistencies.sort_by_key(|one| (one.tx, one.entry, one.kind));
        let only_unconfirmed = inconsistencies.iter().all(|one| one.kind == Kind::UnconfirmedEnd);
        inconsistencies.truncate(AuditReport::MOST_LISTED);
        let counts = scratch::counts(fresh.conn()).await?;
        let most = i64::try_from(AuditReport::MOST_LISTED).unwrap_or(i64::MAX);
        let findings = Index::first_findings(fresh.conn(), most).await?;
        let findings_total = scratch::findings(fresh.conn()).await?;
        let payloads = match self.payloads {
            Some(payloads) => {
                Some(payloads::look(fresh.conn(), payloads, self.from.is_none()).await?)
            }
            None => None,
        };
        let verdict = if !only_unconfirmed {
            AuditVerdict::Broken
        } else if !confirmed || !inconsistencies.is_empty() {
            AuditVerdict::Unconfirmed
        } else if counts.unaccounted > 0 || counts.opaque > 0 {
            AuditVerdict::Incomplete
        } else {
            AuditVerdict::Intact
        };
        Ok(AuditReport {
            verdict,
            ledger,
            through,
            from: self.from,
            claimed: self.claimed,
            pinned: self.known.into_iter().max_by_key(|state| state.tx),
            confirmed,
            inconsistencies,
            inconsistencies_total,
            findings,
            findings_total,
            counts,
            payloads,
        })
    }
}

/// In what this client's record of a transaction differs from the one that
/// the ledger made, both with the same Alh.
fn differs(own: &TxRecord, derived: &TxRecord) -> Option<Inconsistency> {
    if !own.opaque && derived.opaque {
        let detail = "its header was verified before, and now it does not recompute";
        return Some(Inconsistency::of_tx(own.id, Kind::BrokenHeader, detail));
    }
    let bound = !own.opaque && !derived.opaque && derived.digests.is_some();
    if bound
        && (own.ts, own.nentries, own.eh, own.bl_tx_id)
            != (derived.ts, derived.nentries, derived.eh, derived.bl_tx_id)
    {
        let detail = "this client's log has another header under the same Alh";
        return Some(Inconsistency::of_tx(own.id, Kind::OwnLog, detail));
    }
    match (&own.digests, &derived.digests) {
        (Some(own_digests), Some(digests)) if own_digests != digests => {
            let detail = "this client's log has other entries under the same Alh";
            Some(Inconsistency::of_tx(own.id, Kind::OwnLog, detail))
        }
        (Some(_), None) => {
            let detail = "its entries were verified before, and are not shown any more";
            Some(Inconsistency::of_tx(own.id, Kind::LostEntries, detail))
        }
        _ => None,
    }
}
