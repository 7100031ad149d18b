//! What stops writes, although nothing that was verified is wrong.

use super::Shared;
use super::append::Waiting;
use crate::error::{Error, Result};
use crate::index::Index;
use crate::verdict::{Completeness, Verdict};

impl Shared {
    /// Whether anything may be written to the ledger as it is verified now.
    /// `unconfirmed` is what there is to say about its end.
    pub(super) async fn may_write(&self, unconfirmed: Option<Verdict>) -> Result<()> {
        let mut local = self.local.lock().await;
        if let Some((tx, alh, what)) = Index::open_schema_change(local.conn()).await? {
            return Err(Verdict::SchemaChanged { tx, alh, what }.into());
        }
        if !self.strict {
            return Ok(());
        }
        if let Some(unconfirmed) = unconfirmed {
            return Err(unconfirmed.into());
        }
        let Some((tx, alh)) = Index::open_gap(local.conn()).await? else { return Ok(()) };
        let through = local.state()?.tx;
        match local.completeness(through).await? {
            Completeness::Incomplete { gaps, .. } => {
                Err(Verdict::NotAccountedFor { tx, alh, gaps }.into())
            }
            Completeness::Complete { .. } => Ok(()),
        }
    }

    /// Answers appends when nothing may be written: what was written before is
    /// given back all the same.
    pub(super) async fn stop(&self, waiting: Vec<Waiting>, why: &Error) {
        for waiting in waiting {
            match self.found_again(&waiting.request).await {
                Ok(Some(appended)) => waiting.answer(Ok(appended)),
                Ok(None) => self.refuse([waiting], why).await,
                Err(error) => self.refuse([waiting], &error).await,
            }
        }
    }
}
