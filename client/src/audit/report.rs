//! What an audit found.

use counterfoil_core::{Alh, TrustedState, TxId};
use serde::Serialize;

use super::payloads::AuditedPayloads;
use crate::verdict::Finding;

/// The result of an [`Audit`](super::Audit).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditReport {
    /// All of it in one word.
    pub verdict: AuditVerdict,
    /// The ledger's id, Alh(1); `None` if not even that could be derived.
    pub ledger: Option<Alh>,
    /// The state through which the ledger was derived.
    pub through: Option<TrustedState>,
    /// The state behind which rows were read, if
    /// [`Audit::from`](super::Audit::from) could go on from it; `None` if all
    /// of them were.
    pub from: Option<TrustedState>,
    /// The state in which the ledger claimed to be when the audit began.
    pub claimed: Option<TrustedState>,
    /// The newest state that this client knew beforehand: its own pin, or
    /// what the configuration or the auditor gave.
    pub pinned: Option<TrustedState>,
    /// Whether [`through`](Self::through) is vouched for by what was known
    /// beforehand.
    pub confirmed: bool,
    /// What does not hold, in ledger order, at most
    /// [`MOST_LISTED`](Self::MOST_LISTED).
    pub inconsistencies: Vec<Inconsistency>,
    /// How many there are, listed or not.
    pub inconsistencies_total: u64,
    /// What is noteworthy, but not wrong, in ledger order, at most
    /// [`MOST_LISTED`](Self::MOST_LISTED).
    pub findings: Vec<Finding>,
    /// How many there are, listed or not.
    pub findings_total: u64,
    /// What the ledger consists of.
    pub counts: AuditCounts,
    /// What the payload store has that [`Audit::payloads`](super::Audit::payloads)
    /// named.
    pub payloads: Option<AuditedPayloads>,
    /// Who signed the events that were read, where the configuration lists
    /// authors (`[[trust.author]]`).
    pub authors: Option<AuditedAuthors>,
}

impl AuditReport {
    /// How many inconsistencies and how many findings a report lists: its
    /// size must not be an operator's choice.
    pub const MOST_LISTED: usize = 10_000;
}

/// An audit's result in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuditVerdict {
    /// Every entry of every transaction is accounted for, chain and tree
    /// hold, and what was known beforehand is in it. Findings may be there:
    /// what others wrote beside or over events does not change these.
    Intact,
    /// As [`Intact`](Self::Intact), but some transactions hold entries that
    /// are not known (the findings name them): absence, order and first write
    /// are claimed only for the rest.
    Incomplete,
    /// It fits together, but nothing vouches for its end: a first contact, or
    /// a ledger file that goes on beyond the pin.
    Unconfirmed,
    /// Something does not hold: see the inconsistencies.
    Broken,
}

impl AuditVerdict {
    /// The name that it has in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Incomplete => "incomplete",
            Self::Unconfirmed => "unconfirmed",
            Self::Broken => "broken",
        }
    }
}

/// Something that does not hold, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Inconsistency {
    /// The transaction, where one can be named.
    pub tx: Option<TxId>,
    /// The entry, from 0, where one can be named.
    pub entry: Option<u32>,
    /// What it is.
    pub kind: InconsistencyKind,
    /// Details for people.
    pub detail: String,
}

impl Inconsistency {
    pub(crate) fn of_tx(tx: TxId, kind: InconsistencyKind, detail: impl Into<String>) -> Self {
        Self { tx: Some(tx), entry: None, kind, detail: detail.into() }
    }

    pub(crate) fn of_entry(
        tx: TxId,
        entry: u32,
        kind: InconsistencyKind,
        detail: impl Into<String>,
    ) -> Self {
        Self { entry: Some(entry), ..Self::of_tx(tx, kind, detail) }
    }
}

/// The kinds of [`Inconsistency`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InconsistencyKind {
    /// The ledger is gone or empty although it was seen before.
    Missing,
    /// The ledger is another one.
    WrongLedger,
    /// The ledger ends before a state that it must contain.
    Rollback,
    /// The ledger has another transaction where a known one was.
    Fork,
    /// The ledger's last transactions cannot be confirmed yet.
    UnconfirmedEnd,
    /// A transaction is not there although a later one is.
    MissingTx,
    /// A header does not continue chain or tree.
    BrokenHeader,
    /// A stored time stamp or number of entries is not what the transaction's
    /// Alh holds.
    AlteredHeader,
    /// A stored Alh is not what the transaction's contents make.
    AlteredHash,
    /// A row is not the one that the transaction holds.
    AlteredRow,
    /// A row that the transaction holds is not there.
    MissingRow,
    /// Stored rows that no transaction holds.
    SurplusRow,
    /// A transaction's contents do not make its Alh, and it cannot be told
    /// which of them was altered: rows, time stamp or number of entries.
    AlteredTx,
    /// Entries that this client's own log accounts for could not be found
    /// again.
    LostEntries,
    /// This client's own log is not what the ledger makes.
    OwnLog,
    /// This client's own index of events is not what the ledger makes: reads
    /// may leave events out. The ledger is whole; the index is made anew with
    /// the log if that is put away.
    OwnIndex,
    /// The table of events is not provably the one that this version writes.
    TableDiffers,
    /// An embedded ledger's file has another SQLite schema than the one that is
    /// written into it; nothing was asked of it.
    AlteredFileSchema,
}

impl InconsistencyKind {
    const ALL: [Self; 18] = [
        Self::Missing,
        Self::WrongLedger,
        Self::Rollback,
        Self::Fork,
        Self::UnconfirmedEnd,
        Self::MissingTx,
        Self::BrokenHeader,
        Self::AlteredHeader,
        Self::AlteredHash,
        Self::AlteredRow,
        Self::MissingRow,
        Self::SurplusRow,
        Self::AlteredTx,
        Self::LostEntries,
        Self::OwnLog,
        Self::OwnIndex,
        Self::TableDiffers,
        Self::AlteredFileSchema,
    ];

    /// The name that it has in JSON and in an audit's file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::WrongLedger => "wrong_ledger",
            Self::Rollback => "rollback",
            Self::Fork => "fork",
            Self::UnconfirmedEnd => "unconfirmed_end",
            Self::MissingTx => "missing_tx",
            Self::BrokenHeader => "broken_header",
            Self::AlteredHeader => "altered_header",
            Self::AlteredHash => "altered_hash",
            Self::AlteredRow => "altered_row",
            Self::MissingRow => "missing_row",
            Self::SurplusRow => "surplus_row",
            Self::AlteredTx => "altered_tx",
            Self::LostEntries => "lost_entries",
            Self::OwnLog => "own_log",
            Self::OwnIndex => "own_index",
            Self::TableDiffers => "table_differs",
            Self::AlteredFileSchema => "altered_file_schema",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How many events were signed by whom. It decides nothing: that an event is
/// unsigned, or signed by nobody who may write to its domain, does not make the
/// ledger wrong. Reading it names the events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditedAuthors {
    /// By an author who may write to the event's domain.
    pub signed_by_author: u64,
    /// By an author who may not write there.
    pub author_not_allowed: u64,
    /// By a key that is not listed.
    pub unknown_author: u64,
    /// By nobody.
    pub unsigned: u64,
    /// With a signature that does not hold; each is a finding, too.
    pub author_signature_broken: u64,
}

/// What a ledger consists of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditCounts {
    /// Transactions derived.
    pub transactions: u64,
    /// Those of which every entry is known: `ours` and `catalog`.
    pub accounted: u64,
    /// Those that hold nothing but rows of the table of events, deleted and
    /// overwritten ones included.
    pub ours: u64,
    /// Those that hold entries of the catalog, too: the table's creation.
    pub catalog: u64,
    /// Those of which not every entry is known: foreign, or altered.
    pub unaccounted: u64,
    /// Those whose headers carry metadata that the wire does not show.
    pub opaque: u64,
    /// Entries of accounted transactions.
    pub entries_accounted: u64,
    /// Entries of the others, as their headers say.
    pub entries_unaccounted: u64,
    /// Events: rows that count, each the first of its key and id and in line.
    pub events: u64,
    /// Streams that have events.
    pub streams: u64,
    /// Events, of those that were read, whose contents lie outside the ledger.
    pub commitments: u64,
    /// Those of them of which the ledger holds an erasure.
    pub erased: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in InconsistencyKind::ALL {
            assert_eq!(InconsistencyKind::from_name(kind.as_str()), Some(kind));
        }
    }
}
