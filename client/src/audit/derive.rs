//! The audit itself: derive, compare, judge.

mod compare;
#[cfg(feature = "immudb")]
mod server;

use std::collections::HashSet;
use std::path::Path;

use counterfoil_core::{TrustedState, TxId};
use tokio::sync::Mutex;

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
use crate::payloads::PayloadStore;
use crate::pin_copy::PinCopy;
use crate::store::Progress;
use crate::verdict::Verdict;

/// Transactions derived at once.
const BATCH: u64 = 256;

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
        // What several know, the pin and its copy mostly, is held against the
        // ledger once.
        let mut seen = HashSet::new();
        begun.known.retain(|state| seen.insert(*state));
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
        // Everything is read instead; whether the log is wrong is told when it
        // is compared with that.
        tracing::warn!(%state, why, "this client's log cannot be gone on from; all is read");
        Ok(())
    }

    /// The pin is read before the ledger's end, so that a writer who is at
    /// work does not make it look rolled back.
    async fn open_own(&mut self, path: &Path) {
        // The copy of the pin outlives the log, and knows more than an older
        // one that was put back.
        match PinCopy::beside(path).read() {
            Ok(copy) => self.known.extend(copy.map(|pin| pin.state)),
            Err(error) => self.note_now(None, Kind::OwnLog, error.to_string()),
        }
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
            BackendKind::Embedded => match self.derive_file().await {
                Err(Error::Ledger(verdict))
                    if matches!(*verdict, Verdict::FileSchemaAltered { .. }) =>
                {
                    self.note_now(None, Kind::AlteredFileSchema, verdict.to_string());
                }
                derived => derived?,
            },
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
            return self.is_missing(Unavailable::NoLedger { path }).await;
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
        let verdict = if !only_unconfirmed {
            AuditVerdict::Broken
        } else if !confirmed || !inconsistencies.is_empty() {
            AuditVerdict::Unconfirmed
        } else if counts.unaccounted > 0 || counts.opaque > 0 {
            AuditVerdict::Incomplete
        } else {
            AuditVerdict::Intact
        };
        let reached = match self.claimed {
            Some(claimed) => scratch::alh(fresh.conn(), claimed.tx).await? == Some(claimed.alh),
            None => false,
        };
        // Whatever is hidden, opaque or cut off could hold the event of a
        // payload that seems to have none.
        let all = self.from.is_none() && reached && verdict == AuditVerdict::Intact;
        let payloads = match self.payloads {
            Some(payloads) => Some(payloads::look(fresh.conn(), payloads, all).await?),
            None => None,
        };
        let authors = match &self.config.trust.author[..] {
            [] => None,
            trusted => Some(scratch::authors(fresh.conn(), self.from, trusted).await?),
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
            authors,
        })
    }
}
