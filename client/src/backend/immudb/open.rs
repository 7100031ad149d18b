//! Opening a ledger on a server: creating it, meeting it, or finding it as it
//! was left.

use counterfoil_core::{Alh, TrustedState, TxId};
use tokio::sync::Mutex;

use super::Immudb;
use super::known::Known;
use super::sync::Hints;
use super::wire::{OnMissing, Wire};
use super::write::Sent;
use crate::config::{Config, FirstContact, TrustConfig};
use crate::environment::Environment;
use crate::error::{Error, Result, Unavailable};
use crate::local::Local;
use crate::row::StoredRow;
use crate::schema;
use crate::store::Progress;
use crate::trust::{Anchor, compare};
use crate::verdict::Verdict;

/// What a ledger is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Events, written too.
    Write,
    /// Events, read only.
    Read,
    /// Whatever tables there are, ours or not, read only.
    AnyTable,
}

/// What is shown of a ledger, and which one was here before.
struct Meeting {
    expected: Option<Alh>,
    found: Alh,
    end: TrustedState,
}

impl Immudb {
    /// Opens the ledger that the configuration names.
    pub(crate) async fn open(
        config: &Config,
        environment: Environment,
        write: bool,
        progress: Progress,
    ) -> Result<(Self, Local)> {
        let access = if write { Access::Write } else { Access::Read };
        Self::open_for(config, environment, access, progress).await
    }

    /// The same for reading tables of others: ours need not be there, and
    /// nothing is created in the ledger.
    pub(crate) async fn open_tables(config: &Config) -> Result<(Self, Local)> {
        let (environment, progress) = (Environment::default(), Progress::default());
        Self::open_for(config, environment, Access::AnyTable, progress).await
    }

    async fn open_for(
        config: &Config,
        environment: Environment,
        access: Access,
        progress: Progress,
    ) -> Result<(Self, Local)> {
        let folder = match &config.log.path {
            Some(folder) => folder.clone(),
            None => crate::paths::data_folder()?.join("immudb"),
        };
        let known = Known::new(folder, &config.storage.immudb)?;
        let expected = known.ledger()?;
        // A database that was there and is not must not be created anew.
        let awaited = expected.is_some() || config.trust.known().next().is_some();
        let missing = match access == Access::Write && !awaited {
            true => OnMissing::Create,
            false => OnMissing::Refuse,
        };
        let wire = match Wire::connect(&config.storage.immudb, missing).await {
            Err(Unavailable::MissingDatabase { .. }) if awaited => {
                return Err(gone(&known, expected, config).await);
            }
            other => other?,
        };
        let scope = config.storage.immudb.scope;
        let (syncing, published) = (Mutex::new(()), Mutex::new(0));
        let immudb = Self { wire, scope, progress, syncing, published };
        let local = immudb.meet(&known, expected, config, &environment, access).await?;
        Ok((immudb, local))
    }

    async fn meet(
        &self,
        known: &Known,
        expected: Option<Alh>,
        config: &Config,
        environment: &Environment,
        access: Access,
    ) -> Result<Local> {
        let mut end = self.wire.state().await?;
        if end.is_none() {
            if expected.is_some() || config.trust.known().next().is_some() {
                return Err(gone(known, expected, config).await);
            }
            if access != Access::Write {
                let database = config.storage.immudb.database.clone();
                return Err(Unavailable::MissingDatabase { database }.into());
            }
            self.create(known, environment).await?;
            end = self.wire.state().await?;
        }
        let end = end.ok_or_else(|| Unavailable::Garbled {
            what: "immudb_state()",
            problem: "the database is empty after its table was created".into(),
        })?;
        let found = self.first_alh(end).await?;
        if let Some(expected) = config.trust.ledger.filter(|expected| *expected != found) {
            return Err(Verdict::WrongLedger { expected, found }.into());
        }
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            let mut old = open_log(known, expected).await?;
            let pinned = last_seen(&old, expected);
            return Err(old.refuse(Verdict::Recreated { expected, found, pinned }).await);
        }
        let path = known.log(found);
        let there = path.try_exists().map_err(|cause| Unavailable::file(path.clone(), cause))?;
        let local = Mutex::new(open_log(known, found).await?);
        let meeting = Meeting { expected, found, end };
        let entered = self.enter(&local, known, &meeting, config, environment, access).await;
        let local = local.into_inner();
        match entered {
            Ok(()) => Ok(local),
            Err(error) => {
                // The id is the server's choice: it does not choose how many
                // files there are.
                if !there && !local.is_begun() {
                    local.discard(&path).await?;
                }
                Err(error)
            }
        }
    }

    /// Brings the log that the server's word has chosen to the server's end, if
    /// what is known lets it.
    async fn enter(
        &self,
        local: &Mutex<Local>,
        known: &Known,
        meeting: &Meeting,
        config: &Config,
        environment: &Environment,
        access: Access,
    ) -> Result<()> {
        let Meeting { expected, found, end } = *meeting;
        {
            let mut local = local.lock().await;
            if local.truncation().is_some() {
                self.wire.expect_losses();
            }
            // What the server calls itself decided so far: its headers must agree.
            local.must_hold(config.trust.known().chain([first_state(found)]));
            if let Some(pinned) = local.known_behind(end.tx) {
                return Err(local.refuse(Verdict::Rollback { pinned, found: Some(end) }).await);
            }
            if local.trust().is_none_or(|trust| trust.pin.is_none()) && local.left().is_none() {
                // What was seen before left a log, if no more.
                let lost = expected.is_some() && local.log().size() == 0;
                self.believe(known, &config.trust, found, end, lost).await?;
                if lost {
                    let cause = "it was lost, and the copy of its pin";
                    local.is_made_anew(cause.into(), config.trust.pin);
                }
            }
        }
        self.settle(local, known, config, environment, access).await?;
        if access != Access::AnyTable {
            known.forget_genesis()?;
        }
        Ok(())
    }

    /// May a ledger be looked at about which nothing is known, or nothing any
    /// more (`lost`)? What may be pinned is decided when it has been recomputed.
    async fn believe(
        &self,
        known: &Known,
        config: &TrustConfig,
        ledger: Alh,
        end: TrustedState,
        lost: bool,
    ) -> Result<()> {
        let ours = known.genesis()?.is_some();
        if ours || config.pin.is_some() || config.first_contact == FirstContact::Accept {
            return Ok(());
        }
        let verdict = match lost {
            true => Verdict::PinLost { ledger, state: end },
            false => Verdict::FirstContact { ledger, state: end },
        };
        Err(Error::from(verdict).naming_log(Some(&known.log(ledger))))
    }

    /// Brings the log to the server's end, the table into being and the pin
    /// to its first place.
    async fn settle(
        &self,
        local: &Mutex<Local>,
        known: &Known,
        config: &Config,
        environment: &Environment,
        access: Access,
    ) -> Result<()> {
        let unconfirmed = self.reach(local).await?;
        local.lock().await.found_again().await?;
        if let Some(pinned) = config.trust.pin {
            let mut local = local.lock().await;
            let end = local.log().head().map(|head| head.state);
            let found = local.alh(pinned.tx).await?;
            if let Err(verdict) = compare(pinned, found, end) {
                return Err(local.refuse(verdict).await);
            }
        }
        if !local.lock().await.has_table() && access != Access::AnyTable {
            if self.wire.has_table().await? {
                let reason = "no transaction holds the entries that its creation writes";
                return Err(Verdict::TableDiffers { reason: reason.into() }.into());
            }
            if access != Access::Write {
                let reason = "there is none; open the database once for writing to create it";
                return Err(Verdict::TableDiffers { reason: reason.into() }.into());
            }
            self.create(known, environment).await?;
            self.sync_with(local, &Hints::default()).await?;
            if !local.lock().await.has_table() {
                let reason = "immudb did not create it as it was told to";
                return Err(Verdict::TableDiffers { reason: reason.into() }.into());
            }
        }
        let mut local = local.lock().await;
        if local.trust().is_none_or(|trust| trust.pin.is_none()) {
            let anchor = match config.trust.pin {
                _ if let Some(left) = local.left() => left.anchor,
                Some(_) => Anchor::Configured,
                None if self.born_here(known, &mut local).await? => Anchor::Created,
                None if config.trust.first_contact == FirstContact::Accept => Anchor::FirstContact,
                None => {
                    // Ours was announced, but another's genesis came first.
                    let ledger = local.ledger_id().await?;
                    let state = local.log().head().map(|head| head.state);
                    let state = state.ok_or_else(|| Error::Invalid("the log is empty".into()))?;
                    return Err(Error::from(Verdict::FirstContact { ledger, state })
                        .naming_log(local.path()));
                }
            };
            // Before the pin: should this be its end, no other ledger takes
            // this one's place unnoticed.
            known.set_ledger(local.ledger_id().await?)?;
            local.anchor(anchor).await?;
        } else {
            known.set_ledger(local.ledger_id().await?)?;
        }
        match unconfirmed {
            Some(verdict) if access != Access::Write => Err(verdict.into()),
            _ => Ok(()),
        }
    }

    /// Brings the log to the server's end, over all that is known of the
    /// ledger.
    async fn reach(&self, local: &Mutex<Local>) -> Result<Option<Verdict>> {
        loop {
            let begun = local.lock().await.log().size() > 0;
            let synced = self.sync_with(local, &Hints::default()).await;
            let mut local = local.lock().await;
            match synced {
                Err(Error::Ledger(verdict)) => {
                    local.give_up().await?;
                    if !begun || local.log().size() > 0 {
                        return Err(Error::Ledger(verdict));
                    }
                    // What contradicts this server was left by an opening that
                    // was interrupted on the way: perhaps that was wrong.
                }
                Err(error) => return Err(error),
                Ok(unconfirmed) => {
                    let Some(pinned) = local.unmet() else { return Ok(unconfirmed) };
                    if let Some(verdict) = unconfirmed {
                        return Err(verdict.into());
                    }
                    let found = local.log().head().map(|head| head.state);
                    return Err(local.refuse(Verdict::Rollback { pinned, found }).await);
                }
            }
        }
    }

    /// Whether the ledger's first transaction is the genesis that this client
    /// sent.
    async fn born_here(&self, known: &Known, local: &mut Local) -> Result<bool> {
        let Some(row) = known.genesis()? else { return Ok(false) };
        if !local.has_table() {
            return Ok(false);
        }
        let table = local.table()?;
        let digests = schema::genesis_digests(&table, &row)
            .map_err(|error| Error::Invalid(error.to_string()))?;
        Ok(local.genesis() == TxId::new(1) && local.has_entries(TxId::new(1), &digests).await?)
    }

    /// Creates the table and the genesis row. Who came first, and whether
    /// anything was written, the ledger tells.
    async fn create(&self, known: &Known, environment: &Environment) -> Result<()> {
        let (nonce, created_at) = (environment.random(), environment.clock.now_micros());
        let row: StoredRow = match known.genesis()? {
            // Sent before, and perhaps still on its way: the same again.
            Some(row) => row,
            None => {
                known.keep_genesis(&nonce, created_at)?;
                schema::genesis_row(nonce, created_at)
            }
        };
        match self.wire.genesis(&row).await {
            Sent::Answered | Sent::KeyExists | Sent::Conflict => Ok(()),
            Sent::NotSent(why) | Sent::Refused { why, .. } | Sent::Unknown { why, .. } => {
                Err(why.into())
            }
        }
    }

    /// Alh(1), as the server tells it: the synchronisation proves it.
    async fn first_alh(&self, end: TrustedState) -> Result<Alh> {
        if end.tx == TxId::new(1) {
            return Ok(end.alh);
        }
        let second = self.wire.header(TxId::new(2)).await?;
        Ok(second.map(|header| header.prev_alh).ok_or_else(|| Unavailable::Garbled {
            what: "immudb_tx()",
            problem: "transaction 2 is missing".into(),
        })?)
    }
}

async fn open_log(known: &Known, ledger: Alh) -> Result<Local> {
    Local::open(&known.log(ledger), true, "; give each process its own [log] path").await
}

/// The state up to which this client has seen a ledger: at the least that it
/// was there, even if its log was lost.
fn last_seen(log: &Local, ledger: Alh) -> TrustedState {
    log.last_seen().unwrap_or(first_state(ledger))
}

/// A ledger's id is its first Alh.
fn first_state(ledger: Alh) -> TrustedState {
    TrustedState { tx: TxId::new(1), alh: ledger }
}

/// The database that was seen, or that the configuration names, is not there.
async fn gone(known: &Known, expected: Option<Alh>, config: &Config) -> Error {
    if let Some(ledger) = expected {
        return match open_log(known, ledger).await {
            Ok(mut log) => {
                let pinned = last_seen(&log, ledger);
                log.refuse(Verdict::Missing { pinned }).await
            }
            Err(error) => error,
        };
    }
    match config.trust.known().next() {
        Some(pinned) => Verdict::Missing { pinned }.into(),
        None => {
            let database = config.storage.immudb.database.clone();
            Unavailable::MissingDatabase { database }.into()
        }
    }
}
