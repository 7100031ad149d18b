//! Deriving a server's ledger again: a synchronisation into a log of the
//! audit's own, with nothing created and nothing believed beforehand.

use std::path::PathBuf;

use counterfoil_core::{Header, TrustedState, TxId};
use tokio::sync::Mutex;

use super::Immudb;
use super::known::Known;
use super::wire::{OnMissing, Wire};
use crate::config::{Config, Scope};
use crate::error::{Result, Unavailable};
use crate::store::Progress;

impl Immudb {
    /// Connects; `None` if the database is not there.
    pub(crate) async fn for_audit(config: &Config, progress: Progress) -> Result<Option<Self>> {
        let wire = match Wire::connect(&config.storage.immudb, OnMissing::Refuse).await {
            Err(Unavailable::MissingDatabase { .. }) => return Ok(None),
            other => other?,
        };
        // An audit searches thoroughly, whoever else has tables there.
        let scope = Scope::Exclusive;
        let (syncing, published) = (Mutex::new(()), Mutex::new(0));
        Ok(Some(Self { wire, scope, progress, syncing, published }))
    }

    /// The state that the server claims.
    pub(crate) async fn claimed(&self) -> Result<Option<TrustedState>> {
        Ok(self.wire.state().await?)
    }

    /// Headers as the server shows them; `None` for one that it does not.
    pub(crate) async fn headers(
        &self,
        first: TxId,
        last: TxId,
    ) -> Result<Vec<(TxId, Option<Header<'static>>)>> {
        if let Ok(headers) = self.wire.headers(first, last).await {
            return Ok(headers.into_iter().map(|header| (header.id, Some(header))).collect());
        }
        let mut headers = Vec::new();
        for id in (first.get()..=last.get()).map(TxId::new) {
            let header = match self.wire.header(id).await {
                // What no immudb would send is none.
                Err(Unavailable::Garbled { .. }) => None,
                other => other?,
            };
            headers.push((id, header));
        }
        Ok(headers)
    }

    /// The database was truncated, as is known from before.
    pub(crate) fn expect_losses(&self) {
        self.wire.expect_losses();
    }

    /// From now on takes these headers in place of what the server shows.
    pub(crate) fn take_instead(&self, headers: Vec<Header<'static>>) {
        self.wire.instead().extend(headers.into_iter().map(|header| (header.id, header)));
    }

    /// Where this client keeps the log of the ledger that lay at the endpoint
    /// the last time.
    pub(crate) fn own_log(config: &Config) -> Result<Option<PathBuf>> {
        let folder = match &config.log.path {
            Some(folder) => folder.clone(),
            None => crate::paths::data_folder()?.join("immudb"),
        };
        let known = Known::new(folder, &config.storage.immudb)?;
        Ok(known.ledger()?.map(|ledger| known.log(ledger)))
    }
}
