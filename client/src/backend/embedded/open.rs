//! Opening a ledger file: creating it, meeting it, or finding it as it was left.

use std::path::{Path, PathBuf};

use counterfoil_core::{Alh, TrustedState, TxId};

use super::Embedded;
use super::file::LedgerFile;
use super::trust_file::TrustFile;
use crate::config::{Config, FirstContact, TrustConfig};
use crate::environment::Environment;
use crate::error::{Error, Result, Unavailable};
use crate::local::Local;
use crate::pin_copy::pin_copy;
use crate::store::Progress;
use crate::trust::{Anchor, Trust, compare};
use crate::verdict::Verdict;

/// What whoever is refused the log can do.
const REMEDY: &str = ", which writes to it: wait until it has ended, or stop it; reading goes on \
                      beside it. Within a program share one EventStore: clones are cheap";

impl Embedded {
    /// Opens the ledger that the configuration names, for writing: nobody else
    /// extends it meanwhile.
    pub(crate) async fn open(
        config: &Config,
        environment: Environment,
        progress: &Progress,
    ) -> Result<(Self, Local)> {
        Self::open_alone(config, environment, true, progress).await
    }

    /// Opens it alone, and leaves no trace where nothing came of it.
    pub(super) async fn open_alone(
        config: &Config,
        environment: Environment,
        write: bool,
        progress: &Progress,
    ) -> Result<(Self, Local)> {
        let path = &config.storage.embedded.path;
        let found = TrustFile::of(config)?;
        let trust = &found.path;
        let exists = path.try_exists().map_err(|cause| file_error(path, cause))?;
        let known = trust.try_exists().map_err(|cause| file_error(trust, cause))?;
        let pinned = config.trust.known().next();
        // Where nothing is known of it, nothing is made for it.
        let lost = known || pin_copy(trust).exists() || pinned.is_some();
        if !exists && !write && !lost {
            return Err(Unavailable::NoLedger { path: path.clone() }.into());
        }
        let folders = make_folders(trust)?;
        let opened = async {
            let mut local = Local::open(trust, true, REMEDY).await?;
            match Self::open_file(config, environment, write, &mut local, progress).await {
                Ok(embedded) => {
                    found.keep_names()?;
                    Ok((embedded, local))
                }
                Err(error) => {
                    match known || local.is_begun() {
                        true => local.close().await?,
                        false => local.discard(trust).await?,
                    }
                    Err(error)
                }
            }
        };
        let opened = opened.await;
        if opened.is_err() {
            // Those that are empty.
            folders.iter().rev().for_each(|folder| drop(std::fs::remove_dir(folder)));
        }
        opened
    }

    async fn open_file(
        config: &Config,
        environment: Environment,
        write: bool,
        local: &mut Local,
        progress: &Progress,
    ) -> Result<Self> {
        let path = &config.storage.embedded.path;
        let exists = path.try_exists().map_err(|cause| file_error(path, cause))?;
        if !exists {
            if let Some(pinned) = local.last_seen().or(config.trust.known().next()) {
                return Err(local.refuse(Verdict::Missing { pinned }).await);
            }
            if !write {
                return Err(Unavailable::NoLedger { path: path.clone() }.into());
            }
        }
        if let Some(parent) = path.parent().filter(|_| write) {
            std::fs::create_dir_all(parent).map_err(|cause| file_error(parent, cause))?;
        }
        let file = match LedgerFile::open(path, write).await {
            Err(Error::Ledger(verdict)) => return Err(local.refuse(verdict.into_verdict()).await),
            opened => opened?,
        };
        let mut embedded = Self { file, environment };
        local.must_hold(config.trust.known());
        match embedded.meet(local, &config.trust, write, progress).await {
            Ok(()) => Ok(embedded),
            Err(error) => {
                embedded.close().await?;
                Err(error)
            }
        }
    }

    /// A ledger in memory, new each time.
    pub(crate) async fn memory(environment: Environment) -> Result<(Self, Local)> {
        let mut local = Local::memory().await?;
        let mut embedded = Self { file: LedgerFile::memory().await?, environment };
        embedded.create(&mut local).await?;
        Ok((embedded, local))
    }

    /// Holds what the file shows against what is known, and brings the log to
    /// the file's end.
    async fn meet(
        &mut self,
        local: &mut Local,
        config: &TrustConfig,
        write: bool,
        progress: &Progress,
    ) -> Result<()> {
        let end = self.file.end().await?;
        let first = self.file.alh(TxId::new(1)).await?;
        let verdict = match (local.trust(), end, first) {
            (_, None, _) => match (local.last_seen().or(config.known().next()), write) {
                (Some(pinned), _) => Some(Verdict::Missing { pinned }),
                (None, true) => return self.create(local).await,
                (None, false) => return Err(Error::Invalid("the ledger is empty".into())),
            },
            (_, Some(_), None) => Some(Verdict::MissingTx { tx: TxId::new(1) }),
            (trust, Some(end), Some(first)) => {
                let checked = self.against_trust(local, trust, config, end, first).await?;
                match checked {
                    Ok(anchor) => return self.catch_up(local, config, end, anchor, progress).await,
                    Err(verdict) => Some(verdict),
                }
            }
        };
        match verdict {
            Some(verdict) => Err(local.refuse(verdict).await),
            None => Ok(()),
        }
    }

    /// May the file's end be believed? If so, what anchors it where nothing
    /// is pinned yet.
    async fn against_trust(
        &mut self,
        local: &mut Local,
        trust: Option<Trust>,
        config: &TrustConfig,
        end: TrustedState,
        first: Alh,
    ) -> Result<Result<Option<Anchor>, Verdict>> {
        if let Some(expected) = config.ledger.filter(|expected| *expected != first) {
            return Ok(Err(Verdict::WrongLedger { expected, found: first }));
        }
        if let Some(left) = local.left() {
            let (expected, pinned) = (left.ledger, left.state);
            if expected != first {
                return Ok(Err(Verdict::Recreated { expected, found: first, pinned }));
            }
            let found = self.file.alh(pinned.tx).await?;
            if let Err(verdict) = compare(pinned, found, Some(end)) {
                return Ok(Err(verdict));
            }
        }
        // A log without a pin is an opening that was interrupted: the same
        // rules hold for what it has.
        if let Some(head) = local.log().head() {
            let expected = local.ledger_id().await?;
            if expected != first {
                let pinned = head.state;
                return Ok(Err(Verdict::Recreated { expected, found: first, pinned }));
            }
            let found = self.file.alh(head.state.tx).await?;
            if let Err(verdict) = compare(head.state, found, Some(end)) {
                return Ok(Err(verdict));
            }
        }
        if let Some(pinned) = config.pin {
            let found = self.file.alh(pinned.tx).await?;
            if let Err(verdict) = compare(pinned, found, Some(end)) {
                return Ok(Err(verdict));
            }
        }
        let left = local.left().map(|left| left.state);
        let given = config.pin == Some(end) || left == Some(end);
        let announced = trust.and_then(|trust| trust.pending) == Some(end);
        Ok(match trust.and_then(|trust| trust.pin) {
            Some(pin) if end == pin.state || announced || given => Ok(None),
            Some(pin) => Err(Verdict::ExtendsPin { pinned: left.unwrap_or(pin.state), found: end }),
            None if announced => Ok(Some(Anchor::Created)),
            None if given => Ok(Some(Anchor::Configured)),
            None => match (left.or(config.pin), config.first_contact) {
                (Some(pinned), _) => Err(Verdict::ExtendsPin { pinned, found: end }),
                (None, FirstContact::Accept) => Ok(Some(Anchor::FirstContact)),
                (None, FirstContact::Refuse) => {
                    Err(Verdict::FirstContact { ledger: first, state: end })
                }
            },
        })
    }

    async fn catch_up(
        &mut self,
        local: &mut Local,
        config: &TrustConfig,
        end: TrustedState,
        anchor: Option<Anchor>,
        progress: &Progress,
    ) -> Result<()> {
        if let Some((pos, count)) = self.file.surplus(end.tx).await? {
            let verdict = Verdict::SurplusRows { tx: pos.tx(), entry: pos.entry(), count };
            return Err(local.refuse(verdict).await);
        }
        match self.replay(local, end.tx, progress).await {
            Err(Error::Ledger(verdict)) => return Err(local.refuse(verdict.into_verdict()).await),
            other => other?,
        }
        if local.log().head().map(|head| head.state) != Some(end) {
            let what = format!("the file's end changed from {end} while it was read");
            return Err(local.refuse(Verdict::LogAltered { what }).await);
        }
        local.found_again().await?;
        if let Some(anchor) = anchor {
            local.anchor(anchor).await?;
        }
        // The log is now the truth: a configured pin must be in it, not only
        // in what the file showed.
        if let Some(pinned) = config.pin {
            let found = local.record(pinned.tx).await?.alh;
            if let Err(verdict) = compare(pinned, Some(found), None) {
                return Err(local.refuse(verdict).await);
            }
        }
        Ok(())
    }
}

/// Makes the folder of a file, and says which ones were not there.
fn make_folders(file: &Path) -> Result<Vec<PathBuf>> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(Vec::new());
    };
    let mut new: Vec<PathBuf> =
        folder.ancestors().take_while(|folder| !folder.exists()).map(Path::to_path_buf).collect();
    new.retain(|folder| !folder.as_os_str().is_empty());
    new.reverse();
    std::fs::create_dir_all(folder).map_err(|cause| file_error(folder, cause))?;
    Ok(new)
}

pub(super) fn file_error(path: &Path, cause: std::io::Error) -> Error {
    Unavailable::file(path, cause).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::EventStore;

    /// Between the log's first transaction and its pin a creation can be
    /// interrupted. If the file is gone then, it is missed: another one would
    /// be continued from the log of the first.
    #[tokio::test]
    async fn a_file_that_was_seen_is_not_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::embedded(folder.path().join("ledger"));
        config.trust.file = Some(folder.path().join("trust"));
        let created = EventStore::open(&config).await.unwrap();
        let state = created.state().await.unwrap();
        drop(created);
        let mut local = Local::open(&folder.path().join("trust"), false, "").await.unwrap();
        let unpin = "UPDATE trust SET pending_tx = tx, pending_alh = alh, tx = NULL, alh = NULL, \
                     anchor = NULL, anchor_tx = NULL, anchor_alh = NULL";
        crate::sqlite::run(local.conn(), unpin).await.unwrap();
        drop(local);
        // As it was left it goes on.
        assert_eq!(EventStore::open(&config).await.unwrap().state().await.unwrap(), state);
        let mut local = Local::open(&folder.path().join("trust"), false, "").await.unwrap();
        crate::sqlite::run(local.conn(), unpin).await.unwrap();
        drop(local);
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(folder.path().join(format!("ledger{suffix}")));
        }
        for _ in 0..2 {
            let error = EventStore::open(&config).await.unwrap_err();
            let missing = Verdict::Missing { pinned: state };
            assert_eq!(error.verdict(), Some(&missing), "{error}");
        }
    }
}
