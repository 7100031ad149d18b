//! What can be wrong with a ledger, a row or a proof, said so that a person
//! can act on it and a program can match on it.

use counterfoil_core::{Alh, ProofError, Root, TrustedState, TxId};
use serde::Serialize;

/// A ledger, a row or a proof that does not hold. Every variant names what
/// failed and where; where two states contradict each other, both are there
/// as evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "verdict", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    // ---- The ledger as a whole, against what is pinned.
    /// Nothing is known about this ledger yet.
    #[error(
        "first contact with ledger {ledger}: it shows state {state} now, and nothing vouches for \
         that. Put a state into [trust] as `pin = \"TX:ALH\"`, from somebody who knew the ledger \
         before; to believe what it shows this once, set `first_contact = \"accept\"`"
    )]
    FirstContact {
        /// The ledger's id.
        ledger: Alh,
        /// The state it shows.
        state: TrustedState,
    },
    /// The ledger was seen before, but what it was held to is gone.
    #[error(
        "ledger {ledger} was seen before, but its log is gone and the pin with it; now it \
         shows state {state}, for which nothing vouches. Put the log back, or its .pin file; or put \
         a state into [trust] as `pin = \"TX:ALH\"`, from somebody who knew the ledger before; to \
         believe what it shows this once, set `first_contact = \"accept\"`"
    )]
    PinLost {
        /// The ledger's id.
        ledger: Alh,
        /// The state it shows.
        state: TrustedState,
    },
    /// The ledger is another one than the configuration names.
    #[error("this is ledger {found}, but the configuration names ledger {expected}")]
    WrongLedger {
        /// The configured id.
        expected: Alh,
        /// The id found.
        found: Alh,
    },
    /// The ledger that was pinned is gone.
    #[error(
        "the ledger is missing: {pinned} was pinned, and now there is nothing. Restore it; or, to \
         begin a new ledger, remove its trust file and the .pin file beside it (embedded), or its \
         log, that one's .pin file and the .ledger file that names it (immudb)"
    )]
    Missing {
        /// The pinned state.
        pinned: TrustedState,
    },
    /// Another ledger stands where the pinned one was.
    #[error(
        "the ledger was recreated: ledger {expected} (pinned at {pinned}) is gone, ledger {found} \
         is in its place"
    )]
    Recreated {
        /// The pinned ledger.
        expected: Alh,
        /// The ledger found.
        found: Alh,
        /// The pinned state.
        pinned: TrustedState,
    },
    /// The ledger ends before the pinned state.
    #[error("the ledger was rolled back: {pinned} was pinned, but it ends at {}", found.map_or("nothing".to_owned(), |s| s.to_string()))]
    Rollback {
        /// The pinned state.
        pinned: TrustedState,
        /// The state found.
        found: Option<TrustedState>,
    },
    /// The ledger holds another transaction where the pinned one was.
    #[error("history was rewritten: {pinned} was pinned, but now that transaction is {found}")]
    Fork {
        /// The pinned state.
        pinned: TrustedState,
        /// What stands at the same transaction now.
        found: TrustedState,
    },
    /// The ledger never was in a state that somebody else has seen.
    #[error(
        "the ledger never was at {asked}: there it is at {found}. Whoever saw the other was shown \
         another history; keep both states, they are the evidence"
    )]
    OtherState {
        /// The state that was asked about.
        asked: TrustedState,
        /// What this client verified there.
        found: TrustedState,
    },
    /// A checkpoint of the ledger's log is of another history.
    #[error(
        "a checkpoint of size {size} was signed with root {signed}, but the first {size} transactions \
         have root {found}. Whoever believed it was shown another history; keep both, they are the \
         evidence"
    )]
    OtherTree {
        /// How many transactions.
        size: u64,
        /// The root that was signed.
        signed: Root,
        /// The other one: what this client verified, or what is to be signed now.
        found: Root,
    },
    /// The ledger goes on beyond what was pinned, and nobody vouches for that.
    #[error(
        "the ledger extends the pin, unconfirmed: {pinned} is pinned, it ends at {found}. If you \
         know that state, put `pin = \"{found}\"` into [trust]"
    )]
    ExtendsPin {
        /// The pinned state.
        pinned: TrustedState,
        /// The state found.
        found: TrustedState,
    },

    /// The newest transactions cannot be confirmed yet.
    #[error(
        "the ledger claims to end at {claimed}, but its last header does not make that state: it \
         carries metadata that the wire does not show, and the next transaction will settle it, \
         or the server is lying"
    )]
    UnconfirmedEnd {
        /// The state that the server claims.
        claimed: TrustedState,
        /// The state that was verified before.
        verified: Option<TrustedState>,
    },

    // ---- Headers.
    /// A header does not continue the chain.
    #[error(
        "transaction {tx} does not continue the chain: it names {found} as its predecessor, which is {expected}"
    )]
    BrokenChain {
        /// The transaction.
        tx: TxId,
        /// The predecessor's Alh.
        expected: Alh,
        /// What the header names.
        found: Alh,
    },
    /// A header commits to another history than the chain.
    #[error(
        "transaction {tx} commits to another history: its tree root is {found}, the log's is {expected}"
    )]
    OtherHistory {
        /// The transaction.
        tx: TxId,
        /// The log's root at that size.
        expected: Root,
        /// What the header holds.
        found: Root,
    },
    /// A header breaks a rule of its format.
    #[error("transaction {tx} has an impossible header: {reason}")]
    BadHeader {
        /// The transaction.
        tx: TxId,
        /// The rule.
        reason: String,
    },
    /// A transaction is not there although a later one is.
    #[error("transaction {tx} is missing")]
    MissingTx {
        /// The transaction.
        tx: TxId,
    },

    // ---- Rows.
    /// A row's bytes are not those that the transaction holds.
    #[error(
        "the row at transaction {tx}, entry {entry} was altered: its bytes are not those the ledger committed to"
    )]
    RowAltered {
        /// The transaction.
        tx: TxId,
        /// The entry, from 0.
        entry: u32,
    },
    /// A row is gone.
    #[error("the row at transaction {tx}, entry {entry} is missing")]
    RowMissing {
        /// The transaction.
        tx: TxId,
        /// The entry, from 0.
        entry: u32,
    },
    /// There are rows that no transaction holds.
    #[error(
        "{count} stored rows belong to no transaction; the first claims transaction {tx}, entry {entry}"
    )]
    SurplusRows {
        /// The transaction the first claims.
        tx: TxId,
        /// The entry the first claims.
        entry: u32,
        /// How many there are.
        count: u64,
    },
    /// A transaction's entries do not make the root in its header.
    #[error("the entries of transaction {tx} do not make the root that its header holds")]
    EntriesAltered {
        /// The transaction.
        tx: TxId,
    },
    /// An embedded ledger's file has another SQLite schema than the one that is
    /// written into it: a trigger, a view, another table. It could answer with
    /// what it does not hold and drop what is written to it, so nothing is
    /// asked of it.
    #[error(
        "the ledger file was changed to be more than a ledger: {what}. It could drop what is \
         written to it, so nothing is read or written. See its schema (sqlite3 -readonly FILE \
         .schema), then restore it together with its trust file from a backup (docs/backup.md)"
    )]
    FileSchemaAltered {
        /// What differs.
        what: String,
    },
    /// A stored hash is not what the ledger's contents make.
    #[error(
        "the stored log was altered: {what}. What is altered in the log (or trust file) alone is \
         made anew from the ledger: put the file away, leave the .pin file beside it, open again"
    )]
    LogAltered {
        /// What does not fit.
        what: String,
    },
    /// A stream cannot be read beyond this row.
    #[error(
        "stream {stream} stops at sequence {sequence}: the row at transaction {tx}, entry {entry} holds its key but {reason}"
    )]
    OutOfLine {
        /// The stream.
        stream: String,
        /// The sequence whose key is held.
        sequence: u64,
        /// The transaction.
        tx: TxId,
        /// The entry, from 0.
        entry: u32,
        /// Why it is not the event.
        reason: String,
    },
    /// Our rows were committed, but not each of them is the first of its key
    /// or id; or the server did not store as one what was sent as one.
    #[error(
        "the append in transaction {tx} does not count as a whole: a rival's row came first for a \
         key or id of it, or the server stored only a part: {}",
        but_counted(counted)
    )]
    Superseded {
        /// The transaction that holds our rows, the first if there are several.
        tx: TxId,
        /// The sequences of those that are events all the same, of an append
        /// of several. Repeated as it was, the append would have these twice.
        /// Of one that the server took apart the others may come yet, until
        /// their place in the stream is taken.
        counted: Vec<u64>,
    },

    // ---- The table.
    /// The database has a table of our name that is not provably ours.
    #[error("table \"events\" is not the one this version writes: {reason}; use another database")]
    TableDiffers {
        /// What differs.
        reason: String,
    },

    /// Somebody changed the table. Nothing is written any more: a row would not
    /// be what this version proves, or would lie in another table. What was
    /// proved before stays proved.
    #[error(
        "transaction {tx} changed the table: {what}. Nothing is written to it any more; what was \
         proved before stays proved. If the change was undone, acknowledge it: \
         [[trust.acknowledged]] tx = {tx}, alh = \"{alh}\", table_changed = true and a reason"
    )]
    SchemaChanged {
        /// The transaction.
        tx: TxId,
        /// Its Alh.
        alh: Alh,
        /// What it did, derived from its entries.
        what: String,
    },
    /// The server refused a write and does not show the table as it was proved.
    /// What it shows is not proved; a transaction that is not accounted for
    /// could have changed the table.
    #[error(
        "nothing was written: the server shows {what} where the table of events was proved. That is \
         its word only; transaction {since} or a later one that is not accounted for could have \
         changed the table. See EventStore::findings"
    )]
    TableNotShown {
        /// The first transaction that could have done it.
        since: TxId,
        /// What is shown in its place.
        what: String,
    },
    /// Something costs completeness, and the configuration says that this
    /// stops writes.
    #[error(
        "[trust] strict: transaction {tx} is not accounted for ({gaps} such transactions, this is \
         the first that is not acknowledged), so nothing is written. See EventStore::findings, try \
         EventStore::reexamine, or acknowledge it: [[trust.acknowledged]] tx = {tx}, \
         alh = \"{alh}\" and a reason"
    )]
    NotAccountedFor {
        /// The first transaction that is neither accounted for nor
        /// acknowledged.
        tx: TxId,
        /// Its Alh.
        alh: Alh,
        /// How many are not accounted for, acknowledged or not.
        gaps: u64,
    },

    // ---- Proofs.
    /// The event is not the one the proof is about.
    #[error("the proof is about another event: its {field} differs")]
    OtherEvent {
        /// What differs.
        field: &'static str,
    },
    /// A proof does not hold.
    #[error("the proof does not hold: {reason}")]
    BadProof {
        /// The failing step.
        reason: String,
    },
    /// The proof is about another ledger.
    #[error("the proof is about ledger {found}, this is ledger {expected}")]
    OtherLedger {
        /// This ledger.
        expected: Alh,
        /// The proof's.
        found: Alh,
    },
    /// The proof is about a transaction beyond what is verified.
    #[error("the proof is about transaction {tx}, beyond the verified state {pinned}: unconfirmed")]
    BeyondPin {
        /// The proof's transaction.
        tx: TxId,
        /// The verified state.
        pinned: TrustedState,
    },
}

/// What counts of an append that does not count as a whole.
fn but_counted(counted: &[u64]) -> String {
    if counted.is_empty() {
        return "it does not count".into();
    }
    format!(
        "only its events with sequences {counted:?} count, and stay; append no more than what is \
         missing"
    )
}

impl From<ProofError> for Verdict {
    fn from(error: ProofError) -> Self {
        Self::BadProof { reason: error.to_string() }
    }
}

/// Something noteworthy in a ledger that does not make it wrong: recorded
/// with its place, never skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The transaction.
    pub tx: TxId,
    /// The entry, where one can be named.
    pub entry: Option<u32>,
    /// What it is.
    pub kind: FindingKind,
    /// Details for people.
    pub detail: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "transaction {}", self.tx)?;
        if let Some(entry) = self.entry {
            write!(f, ", entry {entry}")?;
        }
        write!(f, ": {} ({})", self.detail, self.kind.as_str())
    }
}

/// The kinds of [`Finding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// The header carries metadata that the wire does not show: its Alh is
    /// bound, its contents are not.
    Opaque,
    /// Not all entries of the transaction are known.
    Unaccounted,
    /// A later content under the key of an event. The first one counts.
    Overwritten,
    /// A row was deleted. An event stays the event, and readable as long as
    /// the server shows its history.
    Deleted,
    /// A row whose id was used before. The first one counts.
    RepeatedId,
    /// A row that breaks a rule of the format.
    NotCanonical,
    /// A row that does not follow the stream's previous event.
    OutOfLine,
    /// A row whose append is not whole in its transaction. An append is sent as
    /// one and immudb stores it as one: whoever stored it so took it apart, or
    /// wrote no append. The row is judged by itself all the same.
    AppendSplit,
    /// The writer had seen another history than this log holds.
    SawOtherHistory,
    /// An author's key and signature stand in an event, and the signature is not
    /// that key's over this event in this ledger. The event is in the ledger all
    /// the same; it proves no author.
    AuthorSignatureBroken,
    /// The transaction's time stamp is before its predecessor's.
    TimeWentBack,
    /// The table's definition was changed: its own entries in the catalog say
    /// how.
    SchemaChanged,
    /// The database was truncated: rows before the transaction that the detail
    /// names may not be stored any more. What was verified stays proved; what
    /// cannot be read is unavailable, not absent.
    Truncated,
}

impl FindingKind {
    pub(crate) const ALL: [Self; 13] = [
        Self::Opaque,
        Self::Unaccounted,
        Self::Overwritten,
        Self::Deleted,
        Self::RepeatedId,
        Self::NotCanonical,
        Self::OutOfLine,
        Self::AppendSplit,
        Self::SawOtherHistory,
        Self::AuthorSignatureBroken,
        Self::TimeWentBack,
        Self::SchemaChanged,
        Self::Truncated,
    ];

    /// The name under which the log keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opaque => "opaque",
            Self::Unaccounted => "unaccounted",
            Self::Overwritten => "overwritten",
            Self::Deleted => "deleted",
            Self::RepeatedId => "repeated_id",
            Self::NotCanonical => "not_canonical",
            Self::OutOfLine => "out_of_line",
            Self::AppendSplit => "append_split",
            Self::SawOtherHistory => "saw_other_history",
            Self::AuthorSignatureBroken => "author_signature_broken",
            Self::TimeWentBack => "time_went_back",
            Self::SchemaChanged => "schema_changed",
            Self::Truncated => "truncated",
        }
    }
}

/// How far an answer that something is *not* there can be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Completeness {
    /// Every entry of every transaction up to this one is accounted for.
    Complete {
        /// The last transaction accounted for.
        through: TxId,
    },
    /// These transactions hold entries that are not known; absence, order and
    /// first write are claimed only for the rest.
    Incomplete {
        /// The last transaction looked at.
        through: TxId,
        /// How many are not accounted for.
        gaps: u64,
        /// The first of them.
        first: TxId,
        /// How many of them the configuration acknowledges
        /// (`[[trust.acknowledged]]`): somebody looked into those. It changes
        /// nothing of what is claimed.
        acknowledged: u64,
    },
}

impl Completeness {
    /// Whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete { .. })
    }
}

/// What is known about the table of events since its creation was proved.
/// Rows are verified under the ids and columns that were proved then, whatever
/// this says; it is about what the table's *name* stands for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SchemaState {
    /// Every transaction since is accounted for, and none changed it.
    Proven,
    /// Transactions since are not accounted for: any of them could have
    /// changed it. That none did is presumed.
    Presumed {
        /// The first of them.
        since: TxId,
    },
    /// It was changed, and the entries that did it are proved.
    Changed {
        /// The transaction, the first if there are several.
        tx: TxId,
        /// What it did.
        what: String,
    },
}
