//! Which streams: a choice of them, and what there is to say about each.

use counterfoil_core::TrustedState;
use serde::Serialize;

use super::EventStore;
use super::append::out_of_line;
use crate::error::Result;
use crate::event::{Cover, Edition, check_cover};
use crate::index::{Index, StreamKey};
use crate::verdict::{Completeness, Verdict};
use counterfoil_policy::Bytes;

/// A choice of streams.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Streams {
    pub(crate) domain: Option<String>,
    pub(crate) edition: Option<Edition>,
    pub(crate) root: Option<Bytes>,
}

impl Streams {
    /// All streams, of every domain and edition.
    pub fn all() -> Self {
        Self::default()
    }

    /// Those of a domain, in every edition.
    pub fn in_domain(domain: impl Into<String>) -> Self {
        Self { domain: Some(domain.into()), ..Self::default() }
    }

    /// The one stream of a cover.
    pub fn of(cover: &Cover) -> Self {
        Self {
            domain: Some(cover.domain.clone()),
            edition: Some(cover.edition.clone()),
            root: Some(cover.root.clone()),
        }
    }

    /// Of these, only those in an edition. `""` and `"angzarr"` are both the
    /// main one.
    pub fn in_edition(mut self, edition: impl Into<Edition>) -> Self {
        self.edition = Some(edition.into());
        self
    }
}

/// What there is to say about a stream beside its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StreamStatus {
    /// The sequence that its next event will have: the number of its events.
    pub next_sequence: u64,
    /// Why nothing can be appended to it, if so: what holds the next key.
    pub stopped: Option<Verdict>,
    /// The state of the ledger under which this was true.
    pub state: TrustedState,
    /// Whether an event of it could have been missed: unless this is complete,
    /// there may be more events than `next_sequence` counts.
    pub completeness: Completeness,
}

/// The streams of a ledger, and how complete the list is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StreamList {
    /// Every stream that has an event, sorted by edition, domain and root,
    /// each with the sequence that its next event will have.
    pub streams: Vec<(Cover, u64)>,
    /// The state of the ledger under which this was true.
    pub state: TrustedState,
    /// Whether a stream could have been missed.
    pub completeness: Completeness,
}

impl EventStore {
    /// Where a stream is, and how far that can be relied on:
    /// [`next_sequence`](Self::next_sequence) with everything it leaves out.
    ///
    /// # Errors
    ///
    /// As every read: [`Error::Ledger`](crate::Error::Ledger) if the ledger is
    /// wrong, [`Error::Unavailable`](crate::Error::Unavailable) if it could not
    /// be asked. A stream without events is none.
    pub async fn stream_status(&self, cover: &Cover) -> Result<StreamStatus> {
        check_cover(cover)?;
        self.sync().await?;
        let found = async {
            let mut local = self.shared.local.lock().await;
            let stream = local.stream(&StreamKey::of_cover(cover)).await?;
            let state = local.state()?;
            let completeness = local.completeness(state.tx).await?;
            let stopped = stream.held.as_ref().map(|held| out_of_line(cover, stream.next, held));
            Ok(StreamStatus { next_sequence: stream.next, stopped, state, completeness })
        };
        self.shared.naming_log(found).await
    }

    /// The streams that have events, and how far the list can be relied on:
    /// [`list_domains`](Self::list_domains) and
    /// [`list_roots`](Self::list_roots) with everything they leave out.
    ///
    /// # Errors
    ///
    /// As every read; an empty list is none. [`Verdict::LogAltered`] if this
    /// client's index, from which the list comes, lacks a stream, or a stream in it
    /// does not end where its events do. A stream that stands there under another
    /// name is listed under that: its rows are not read here. Whoever reads them, as
    /// [`read_all`](Self::read_all) does, is told; so is an [audit](crate::Audit).
    pub async fn list_streams(&self, which: &Streams) -> Result<StreamList> {
        self.sync().await?;
        let found = async {
            let mut local = self.shared.local.lock().await;
            let state = local.state()?;
            let completeness = local.completeness(state.tx).await?;
            Index::streams_end(local.conn(), which).await?;
            let streams = Index::streams(local.conn(), which).await?;
            // Only canonical rows make events, and their domains and editions are text.
            let cover = |(key, next): (StreamKey, u64)| {
                let domain = String::from_utf8(key.domain).ok()?;
                let edition = Edition::from(String::from_utf8(key.edition).ok()?);
                Some((Cover { domain, edition, root: key.root.into() }, next))
            };
            let streams = streams.into_iter().filter_map(cover).collect();
            Ok(StreamList { streams, state, completeness })
        };
        self.shared.naming_log(found).await
    }
}
