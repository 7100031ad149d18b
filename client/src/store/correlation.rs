//! Everything that one request set off.

use super::read::{BATCH, StreamRead};
use super::{EventStore, Streams};
use crate::error::{Error, Result};
use crate::index::{Index, Position};

impl EventStore {
    /// Reads the events that carry a correlation id, of the streams chosen, in
    /// ledger order: at most `limit`, by default all.
    ///
    /// They are found through this client's own index, and each is verified as
    /// by [`read`](Self::read). That there are no others is as certain as
    /// [`StreamRead::completeness`] says, and as the index: which events carry an id
    /// nothing but their contents tells, so one that its list of ids leaves out is not
    /// missed here. An [audit](crate::Audit) reads all contents, and compares. An id
    /// in the list without its event, or without the event's stream, is an error.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for an empty id, which ties nothing together; else
    /// as [`read`](Self::read).
    pub async fn read_by_correlation(
        &self,
        correlation_id: &str,
        which: &Streams,
        limit: Option<u64>,
    ) -> Result<StreamRead> {
        if correlation_id.is_empty() {
            let why = "an empty correlation id means that an event has none; name one";
            return Err(Error::Invalid(why.into()));
        }
        self.sync().await?;
        let found = async {
            let mut local = self.shared.local.lock().await;
            let state = local.state()?;
            let completeness = local.completeness(state.tx).await?;
            drop(local);
            let limit = limit.unwrap_or(u64::MAX);
            let (mut events, mut place) = (Vec::new(), Position::from_raw(-1));
            loop {
                let left = limit - events.len() as u64;
                let page = left.min(BATCH as u64);
                let mut local = self.shared.local.lock().await;
                let mut wanted =
                    Index::correlated(local.conn(), correlation_id, which, place, page).await?;
                drop(local);
                // What was synchronised meanwhile is not part of this state.
                wanted.retain(|event| event.pos.tx() <= state.tx);
                let Some(last) = wanted.last() else { break };
                place = last.pos;
                let found = self.shared.recorded(&wanted).await?;
                // The index keeps a short hash of the id only.
                events
                    .extend(found.into_iter().filter(|e| e.event.correlation_id == correlation_id));
            }
            Ok(StreamRead { events, state, completeness, stopped: None, bookmark: None })
        };
        self.shared.naming_log(found).await
    }
}
