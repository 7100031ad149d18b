//! What a backend has in the place of an event.

use counterfoil_core::{EntryDigest, Table};

#[cfg(feature = "immudb")]
use crate::body::EventBody;
#[cfg(feature = "immudb")]
use crate::index::EventAt;
use crate::row::StoredRow;
use crate::schema;

/// What was found where an event was looked for.
pub(crate) enum Found {
    /// The event.
    #[cfg(feature = "immudb")]
    Event(Box<FittingEvent>),
    /// A row of which nothing is known yet.
    Row(StoredRow),
}

impl Found {
    /// Whether it is the row that `digest` stands for.
    pub(crate) fn is(&self, table: &Table<'_>, digest: EntryDigest) -> bool {
        match self {
            #[cfg(feature = "immudb")]
            Self::Event(event) => event.digest == digest,
            Self::Row(row) => schema::row_digest(table, row) == Ok(digest),
        }
    }

    /// The row, where it was not judged by its body alone.
    pub(crate) fn into_row(self) -> Option<StoredRow> {
        match self {
            #[cfg(feature = "immudb")]
            Self::Event(_) => None,
            Self::Row(row) => Some(row),
        }
    }
}

/// The body of an event, whose row has the digest that was asked for. An event's
/// other columns follow from its body, so that the body is all that has to be
/// asked for: there is such a value only if the row that follows is the one.
#[cfg(feature = "immudb")]
pub(crate) struct FittingEvent {
    row: StoredRow,
    body: EventBody,
    digest: EntryDigest,
}

#[cfg(feature = "immudb")]
impl FittingEvent {
    /// `None` if `row`, which follows from `body`, is another than `digest` stands
    /// for, or another event's than `event`.
    pub(crate) fn new(
        table: &Table<'_>,
        event: &EventAt,
        digest: EntryDigest,
        row: StoredRow,
        body: EventBody,
    ) -> Option<Self> {
        let same = event.is_of(&row) && schema::row_digest(table, &row) == Ok(digest);
        same.then_some(Self { row, body, digest })
    }

    /// The stored bytes, and what they say.
    pub(crate) fn into_parts(self) -> (Vec<u8>, EventBody) {
        (self.row.body, self.body)
    }
}
