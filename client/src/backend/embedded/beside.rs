//! Reading a ledger file beside whoever writes it.

use std::time::Duration;

use counterfoil_core::TxId;

use super::Embedded;
use super::file::LedgerFile;
use super::open::file_error;
use super::trust_file::TrustFile;
use crate::config::{Config, TrustConfig};
use crate::environment::Environment;
use crate::error::{Error, Result, Unavailable};
use crate::local::Local;
use crate::sqlite::damaged;
use crate::store::Progress;
use crate::trust::compare;
use crate::verdict::Verdict;

/// How long it is waited for somebody who has the log for himself, and how
/// often it is tried: others settle what a reader would.
const PATIENCE: Duration = Duration::from_millis(50);
const ATTEMPTS: u32 = 40;

impl Embedded {
    /// Opens the ledger that the configuration names for reading. Nobody is
    /// kept from writing, or from reading, as long as it is open.
    pub(crate) async fn open_read_only(
        config: &Config,
        environment: Environment,
        progress: &Progress,
    ) -> Result<(Self, Local)> {
        let mut attempt = 0;
        let trust = TrustFile::of(config)?.path;
        loop {
            attempt += 1;
            let beside = Self::beside(config, environment.clone()).await;
            let found = match beside.map_err(|error| error.naming_log(Some(&trust)))? {
                Ok(opened) => return Ok(opened),
                Err(verdict) => verdict,
            };
            // Something has to be written to the log first, or told: that
            // needs the log for oneself.
            let settled = Self::open_alone(config, environment.clone(), false, progress).await;
            match settled {
                Ok((embedded, local)) if attempt < ATTEMPTS => {
                    local.close().await?;
                    embedded.close().await?;
                }
                Err(Error::Unavailable(Unavailable::InUse { .. })) if attempt < ATTEMPTS => {
                    tokio::time::sleep(PATIENCE).await;
                }
                Ok(_) => {
                    return Err(damaged("what was settled in it is not there when it is read"));
                }
                // What was found is worth more than that it cannot be noted.
                Err(Error::Unavailable(in_use @ Unavailable::InUse { .. })) => {
                    return Err(match found {
                        Some(verdict) => Error::from(verdict).naming_log(Some(&trust)),
                        None => in_use.into(),
                    });
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The ledger as far as it is pinned, or why it cannot be read so.
    async fn beside(
        config: &Config,
        environment: Environment,
    ) -> Result<Result<(Self, Local), Option<Verdict>>> {
        let path = &config.storage.embedded.path;
        let trust = TrustFile::of(config)?;
        if !path.try_exists().map_err(|cause| file_error(path, cause))? {
            return Ok(Err(None));
        }
        let Some(mut local) = Local::beside(&trust.path).await? else { return Ok(Err(None)) };
        let file = match LedgerFile::open(path, false).await {
            Ok(file) => file,
            Err(error) => {
                local.close().await?;
                return Err(error);
            }
        };
        let mut embedded = Self { file, environment };
        let met = embedded.meet_beside(&mut local, &config.trust).await;
        if let Ok(Ok(())) = met {
            // A reader may not be let write there.
            if let Err(error) = trust.keep_names() {
                tracing::debug!(%error, "the ledger's names were not kept");
            }
            return Ok(Ok((embedded, local)));
        }
        local.close().await?;
        embedded.close().await?;
        match met? {
            Ok(()) => Ok(Err(None)),
            Err(verdict) => Ok(Err(verdict)),
        }
    }

    /// Holds what the file shows against what is pinned and configured.
    async fn meet_beside(
        &mut self,
        local: &mut Local,
        config: &TrustConfig,
    ) -> Result<Result<(), Option<Verdict>>> {
        for known in config.known() {
            // Whoever holds the lock may go there, or says what it is.
            if !local.holds(known).await? {
                return Ok(Err(None));
            }
        }
        match self.look_on(local).await {
            Ok(None) => {}
            Ok(Some(verdict)) => return Ok(Err(Some(verdict))),
            Err(Error::Ledger(verdict)) => return Ok(Err(Some(verdict.into_verdict()))),
            Err(error) => return Err(error),
        }
        let misplaced = self.file.misplaced().await?;
        Ok(match misplaced.first {
            Some(pos) if misplaced.behind > 0 => Err(Some(Verdict::SurplusRows {
                tx: pos.tx(),
                entry: pos.entry(),
                count: misplaced.behind.unsigned_abs(),
            })),
            _ => Ok(()),
        })
    }

    /// Goes on to what whoever writes the ledger has pinned; what the file
    /// holds beyond that, and nobody announced, is told.
    ///
    /// The writer announces a transaction, commits it to the file, and moves
    /// the pin. So what the file's end is found to be is, a moment later, in
    /// the log or announced, unless it was written past the log.
    pub(crate) async fn look_on(&mut self, local: &mut Local) -> Result<Option<Verdict>> {
        let pinned = local.state()?;
        self.file.renew().await?;
        let end = self.file.end().await?;
        let found = self.file.alh(pinned.tx).await?;
        compare(pinned, found, end)?;
        let first = self.file.alh(TxId::new(1)).await?;
        let ledger = local.pin()?.ledger;
        match (end, first) {
            (Some(end), Some(first)) if first == ledger => local.covers(end).await,
            (Some(_), Some(found)) => {
                Err(Verdict::Recreated { expected: ledger, found, pinned }.into())
            }
            _ => Err(Verdict::MissingTx { tx: TxId::new(1) }.into()),
        }
    }
}
