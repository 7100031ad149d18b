//! Payloads that are kept outside the ledger, behind commitments, and can be
//! erased there.

pub(crate) mod erasure;
mod file;

use std::error::Error as StdError;
use std::pin::Pin;

pub use self::erasure::MAX_REASON;
pub use self::file::SqlitePayloads;
use crate::error::{Error, Result};
use crate::event::PayloadCommitment;
pub use counterfoil_policy::SaltedPayload;

/// Where an application keeps the contents behind its commitments, each with
/// its salt. [`SqlitePayloads`] is one in a file.
///
/// It is not trusted: what it gives is compared with the commitment. It is
/// relied on to keep what it took, and to forget what it is told to, backups
/// included, which nobody can check from outside.
pub trait PayloadStore: Send + Sync {
    /// Keeps a payload under its commitment: on disk when this returns, since
    /// the commitment goes into the ledger next. Repeated, it changes nothing.
    fn put<'a>(
        &'a self,
        commitment: PayloadCommitment,
        payload: &'a SaltedPayload,
    ) -> PayloadFuture<'a, ()>;

    /// The payload kept under a commitment; `None` if there is none, and
    /// nothing of it is left where the store writes. As long as an erasure that
    /// was interrupted may have left something, that is an error.
    fn get(&self, commitment: PayloadCommitment) -> PayloadFuture<'_, Option<SaltedPayload>>;

    /// Some of the commitments under which something is kept: those behind
    /// `after`, from the lowest up; an empty answer ends the list. What is not
    /// listed is gone as in [`get`](Self::get). `None` from
    /// a store that cannot list: an [`Audit`](crate::Audit) then does not tell
    /// which payloads belong to no event.
    fn list(
        &self,
        after: Option<PayloadCommitment>,
    ) -> PayloadFuture<'_, Option<Vec<PayloadCommitment>>> {
        let _ = after;
        Box::pin(async { Ok(None) })
    }

    /// Removes content and salt for good. Where there is nothing, that is no
    /// error: an erasure that was interrupted is repeated.
    fn erase(&self, commitment: PayloadCommitment) -> PayloadFuture<'_, ()>;
}

/// What a [`PayloadStore`] answers with: `Box::pin(async move { … })`. An error
/// is for people, and never means that there is no payload.
pub type PayloadFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, Box<dyn StdError + Send + Sync>>> + Send + 'a>>;

/// What a store has under a commitment.
pub(crate) enum Kept {
    Payload(SaltedPayload),
    /// Something that the commitment does not stand for.
    Other,
    Nothing,
}

/// Asks for a payload, and holds the answer against the commitment.
pub(crate) async fn kept(
    payloads: &dyn PayloadStore,
    commitment: PayloadCommitment,
) -> Result<Kept> {
    let found = payloads.get(commitment).await.map_err(failed("read a payload"))?;
    Ok(match found {
        Some(payload) if payload.commitment() == commitment => Kept::Payload(payload),
        Some(_) => Kept::Other,
        None => Kept::Nothing,
    })
}

/// Names what a payload store was asked for.
pub(crate) fn failed(what: &'static str) -> impl Fn(Box<dyn StdError + Send + Sync>) -> Error {
    move |cause| Error::Payloads { what, cause: cause.to_string() }
}
