//! The audit itself: derive, compare, judge.

mod batch;
mod compare;
mod file;
mod rest;
#[cfg(feature = "immudb")]
mod server;

use std::collections::HashSet;
use std::path::Path;

use counterfoil_core::{TrustedState, TxId};

use super::fresh::Fresh;
use super::memory::Memory;
use super::noted::Noted;
use super::own::OwnLog;
use super::report::{AuditReport, AuditVerdict, Inconsistency, InconsistencyKind as Kind};
use super::{Audit, from, payloads};
use crate::backend::embedded::audit::AuditedFile;
#[cfg(feature = "immudb")]
use crate::backend::immudb::Immudb;
use crate::config::{BackendKind, Config};
use crate::error::{Error, Result, Unavailable};
use crate::payloads::PayloadStore;
use crate::pin_copy::PinCopy;
use crate::store::Progress;
use crate::verdict::Verdict;

/// Transactions derived at once, at most.
const BATCH: u64 = 256;

pub(super) struct Derivation<'a> {
    config: &'a Config,
    payloads: Option<&'a dyn PayloadStore>,
    progress: Progress,
    /// What is derived.
    fresh: Fresh,
    own: Option<OwnLog>,
    /// Where the own log ended when it was opened.
    own_end: Option<TxId>,
    /// States that the ledger must contain.
    known: Vec<TrustedState>,
    /// What did not hold on the way, where it is not kept with what is derived.
    noted: Noted,
    /// Whether the own log went another way: then it is not compared further.
    own_differs: bool,
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
        let config = audit.config;
        let fresh = match (config.storage.backend, &audit.resume) {
            (BackendKind::Embedded, None) => {
                Fresh::Memory(Box::new(Memory::new(&config.trust.author)))
            }
            (_, file) => Fresh::kept(file.as_deref()).await?,
        };
        let mut begun = Self {
            config,
            payloads: audit.payloads,
            progress: audit.progress_shown(),
            fresh,
            noted: Noted::default(),
            own_differs: false,
            own: None,
            own_end: None,
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
        if let (Fresh::Memory(memory), Some(end)) = (&mut begun.fresh, begun.own_end) {
            memory.index().sum_through(end);
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
        let taken = match &mut self.fresh {
            Fresh::Memory(memory) => from::remember(memory, own, state).await,
            Fresh::Kept(fresh) => from::take_over(fresh.get_mut(), own, state).await,
        };
        let why = match taken {
            Ok(Ok(())) => {
                self.from = Some(state);
                return Ok(());
            }
            Ok(Err(why)) => why,
            Err(error) => error.to_string(),
        };
        self.fresh = match self.fresh {
            Fresh::Memory(_) => Fresh::Memory(Box::new(Memory::new(&self.config.trust.author))),
            Fresh::Kept(_) => Fresh::kept(None).await?,
        };
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
            let held = match pin {
                Some(pin) => own.alh(pin.tx).await?,
                None => None,
            };
            Ok::<_, Error>(Some((own, pin, held)))
        };
        match opened.await {
            Ok(Some((own, pin, held))) => {
                self.own = Some(own);
                self.own_end = pin.map(|pin| pin.tx);
                self.known.extend(pin);
                // It counts all the same: whatever became of the log, this
                // state was believed, and the ledger must contain it.
                if let Some(pin) = pin.filter(|pin| held != Some(pin.alh)) {
                    let detail =
                        format!("this client's log is pinned at {pin}, and does not hold it");
                    self.note_now(Some(pin.tx), Kind::OwnLog, detail);
                }
            }
            Ok(None) => {}
            Err(error) => self.note_now(None, Kind::OwnLog, error.to_string()),
        }
    }

    fn note_now(&mut self, tx: Option<TxId>, kind: Kind, detail: impl Into<String>) {
        self.found.push(Inconsistency { tx, entry: None, kind, detail: detail.into() });
    }

    /// However it ends, the audit's file is then whole by itself, and nothing lies beside the
    /// ledger's.
    pub(super) async fn run(mut self) -> Result<AuditReport> {
        let report = self.derive().await;
        if let Some(own) = self.own {
            own.close().await;
        }
        let closed = self.fresh.close().await;
        let report = report?;
        closed?;
        Ok(report)
    }

    async fn derive(&mut self) -> Result<AuditReport> {
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
        Box::pin(self.compare_rest()).await?;
        self.report(confirmed).await
    }

    /// Nothing is there. If something was known, that is an inconsistency.
    async fn is_missing(&mut self, unavailable: Unavailable) -> Result<()> {
        let derived = self.fresh.head();
        match self.known.iter().copied().chain(derived).max_by_key(|state| state.tx) {
            None => Err(unavailable.into()),
            Some(known) => {
                let detail = format!("{known} was known, and now there is nothing");
                self.note_now(None, Kind::Missing, detail);
                Ok(())
            }
        }
    }

    async fn report(&mut self, confirmed: bool) -> Result<AuditReport> {
        let through = self.fresh.head();
        let ledger = self.fresh.alh(TxId::new(1)).await?;
        let (mut inconsistencies, kept) = self.fresh.noted().await?;
        let inconsistencies_total = kept + self.noted.total() + self.found.len() as u64;
        inconsistencies.append(&mut std::mem::take(&mut self.noted).into_listed());
        inconsistencies.append(&mut self.found);
        inconsistencies.sort_by_key(|one| (one.tx, one.entry, one.kind));
        let only_unconfirmed = inconsistencies.iter().all(|one| one.kind == Kind::UnconfirmedEnd);
        inconsistencies.truncate(AuditReport::MOST_LISTED);
        let counts = self.fresh.counts().await?;
        let (findings, findings_total) = self.fresh.findings().await?;
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
            Some(claimed) => self.fresh.alh(claimed.tx).await? == Some(claimed.alh),
            None => false,
        };
        // Whatever is hidden, opaque or cut off could hold the event of a
        // payload that seems to have none.
        let all = self.from.is_none() && reached && verdict == AuditVerdict::Intact;
        let payloads = match self.payloads {
            Some(payloads) => Some(payloads::look(&mut self.fresh, payloads, all).await?),
            None => None,
        };
        let authors = match &self.config.trust.author[..] {
            [] => None,
            trusted => Some(self.fresh.authors(self.from, trusted).await?),
        };
        Ok(AuditReport {
            verdict,
            ledger,
            through,
            from: self.from,
            claimed: self.claimed,
            pinned: self.known.iter().copied().max_by_key(|state| state.tx),
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
