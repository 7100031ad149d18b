//! What an append that was sent before may be told at its end: "nothing was
//! written" only if none of its attempts can have been.

use counterfoil_core::TxId;

use super::Shared;
use super::append::{Appended, Request, Waiting};
use crate::error::{Error, Result};
use crate::index::{Index, Position};

/// An append's attempts that came to nothing, as far as the ledger shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried {
    /// The end of the log before the first one: a gap behind it may hold the
    /// rows of any.
    pub(super) after: TxId,
    /// Whether one may have been executed while nothing verified has its place:
    /// it may come yet.
    pub(super) open: bool,
    /// Whether one went with others, or in one piece, and that was not found: a
    /// liar may have taken it apart, or have refused it and mean to keep it. That
    /// none can come is his word only, and good when he says it of this append
    /// alone.
    pub(super) by_word: bool,
}

impl Shared {
    /// [`repeated`](Self::repeated), where an attempt that cannot be read now
    /// is not one that was never made.
    pub(super) async fn found_again(&self, request: &Request) -> Result<Option<Appended>> {
        self.repeated(request).await.map_err(|error| match error {
            Error::IdConflict { .. } | Error::OutcomeUnknown { .. } | Error::Ledger(_) => error,
            error if request.tried.is_some() => {
                unknown(format!("an earlier attempt cannot be looked for now: {error}"))
            }
            error => error,
        })
    }

    /// Tells everybody the same error, but for those to whom it would say too
    /// much.
    pub(super) async fn refuse(&self, waiting: impl IntoIterator<Item = Waiting>, error: &Error) {
        for waiting in waiting {
            let error = self.told(waiting.request.tried, error.clone()).await;
            waiting.answer(Err(error));
        }
    }

    /// The error, if no attempt can have been written; that it is unknown,
    /// otherwise.
    async fn told(&self, tried: Option<Tried>, error: Error) -> Error {
        let Some(Tried { after, open, by_word }) = tried else { return error };
        let taken = match error {
            Error::Ledger(_) | Error::OutcomeUnknown { .. } => return error,
            // Something verified has the place that was wanted, or the id of
            // the first event.
            Error::WrongExpectedVersion { .. }
            | Error::IdConflict { .. }
            | Error::Contended { .. } => true,
            _ => false,
        };
        if (open || by_word) && !taken {
            return unknown(format!(
                "an earlier attempt may come yet; the last one ended: {error}"
            ));
        }
        let mut local = self.local.lock().await;
        match Index::gaps_after(local.conn(), Position::end_of(after), 1).await.as_deref() {
            Ok([]) => error,
            Ok([(tx, _), ..]) => unknown(format!(
                "transaction {tx} is not accounted for and may hold an earlier attempt; the last \
                 one ended: {error}"
            )),
            Err(trouble) => unknown(format!("{error}; then: {trouble}")),
        }
    }
}

/// An error after which the rows are in the ledger all the same.
pub(super) fn unproved(error: Error) -> Error {
    match error {
        Error::Ledger(_) => error,
        error => Error::OutcomeUnknown {
            reason: format!("they are in the ledger, but cannot be proved now: {error}"),
            remedy: "repair that, then repeat the append with its external id, or read the stream",
        },
    }
}

fn unknown(reason: String) -> Error {
    Error::OutcomeUnknown {
        reason,
        remedy: "append again with the same external id: it gives the first result back, or writes once",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Cover, Event, ExpectedVersion};
    use crate::index::record_finding;
    use crate::store::EventStore;
    use crate::verdict::FindingKind;

    /// Who was sent before and cannot be looked for now may be there.
    #[tokio::test]
    async fn an_attempt_that_cannot_be_looked_for_is_not_one_that_was_never_made() {
        let store = EventStore::in_memory().await.unwrap();
        let cover = Cover::new("d", "r");
        let events = [Event::new(&cover, "T", "").with_external_id("id")];
        let mut request = Request::new(&cover, ExpectedVersion::Any, &events, [1; 16]);
        let found = async |request: &Request| store.shared.found_again(request).await;
        assert_eq!(found(&request).await.unwrap(), None);
        {
            let mut local = store.shared.local.lock().await;
            crate::sqlite::run(local.conn(), "DROP TABLE event").await.unwrap();
        }
        for tried in [false, true] {
            let after = TxId::new(1);
            request.tried = tried.then_some(Tried { after, open: false, by_word: false });
            let error = found(&request).await.unwrap_err();
            assert_eq!(matches!(error, Error::OutcomeUnknown { .. }), tried, "{error}");
        }
    }

    /// A gap may hold the rows of an attempt that came before the last one; only
    /// one that is older than all attempts cannot.
    #[tokio::test]
    async fn nothing_was_written_is_said_only_if_no_attempt_can_have_been() {
        let store = EventStore::in_memory().await.unwrap();
        let shared = &store.shared;
        {
            let mut local = shared.local.lock().await;
            let (tx, kind) = (TxId::new(7), FindingKind::Unaccounted);
            record_finding(local.conn(), tx, None, kind, "").await.unwrap();
        }
        let told = async |tried: Option<(u64, bool)>, error: Error| {
            let after = |(after, open)| Tried { after: TxId::new(after), open, by_word: false };
            let tried = tried.map(after);
            !matches!(shared.told(tried, error).await, Error::OutcomeUnknown { .. })
        };
        let contended = || Error::Contended { attempts: 16 };
        let invalid = || Error::Invalid("too long".into());
        assert!(told(None, contended()).await && told(None, invalid()).await);
        for open in [true, false] {
            assert!(!told(Some((6, open)), contended()).await);
            assert!(!told(Some((6, open)), invalid()).await);
            assert!(told(Some((7, open)), contended()).await);
        }
        assert!(told(Some((7, false)), invalid()).await);
        assert!(!told(Some((7, true)), invalid()).await);
    }
}
