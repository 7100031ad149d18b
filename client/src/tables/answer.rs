//! What a reader of other people's tables gets.

use counterfoil_core::{TrustedState, TxId};
use serde::Serialize;

use super::value::SqlValue;
use crate::audit::{AuditVerdict, Inconsistency};
use crate::trust::Pin;
use crate::verdict::Completeness;

/// A table whose creation was found in the ledger, every entry of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProvenTable {
    /// Its name.
    pub name: String,
    /// Its number in the database.
    pub id: u32,
    /// The names of its columns, in the order of their ids.
    pub columns: Vec<String>,
    /// The transaction that created it.
    pub created: TxId,
    /// Whether everything since then is accounted for. If it is, the table is
    /// still as it was created. If not, one of the gaps may have renamed,
    /// altered or dropped it: then rows are read by the definition that was
    /// proved, which is what their bytes are compared with.
    pub unchanged: Completeness,
}

/// A row that is in the ledger.
///
/// Proved: that this transaction wrote (or deleted) a row of this table with
/// exactly these values, under this state. Whether it is the newest under its
/// key, [`latest`](Self::latest) says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct VerifiedRow {
    /// The table.
    pub table: ProvenTable,
    /// One value a column of the table, in its order; NULL is none.
    pub values: Vec<Option<SqlValue>>,
    /// The entry deletes the row; the values are those that it had.
    pub deleted: bool,
    /// The transaction that holds the entry.
    pub tx: TxId,
    /// The entry's place in it, from 0.
    pub entry: u32,
    /// When the server says that it committed: Unix time in seconds.
    pub ts: i64,
    /// The state under which it was verified.
    pub state: TrustedState,
    /// Whether everything after the transaction is accounted for. If it is,
    /// this is the row as it stands under the state. If not, this is presence
    /// only: one of the gaps may have changed the row.
    pub latest: Completeness,
}

impl VerifiedRow {
    /// The value of a column; `None` where it is NULL, or not there.
    pub fn get(&self, column: &str) -> Option<&SqlValue> {
        let place = self.table.columns.iter().position(|name| name == column)?;
        self.values.get(place)?.as_ref()
    }
}

/// What an audit of a table found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TableReport {
    /// The table.
    pub table: ProvenTable,
    /// The state under which all of it holds, and why that is believed.
    pub pin: Pin,
    /// The judgement on the table.
    pub verdict: AuditVerdict,
    /// How much there is.
    pub counts: TableCounts,
    /// Everything that does not hold, in the order of the transactions; at
    /// most 1,000.
    pub inconsistencies: Vec<Inconsistency>,
    /// The transactions since the table's creation that are not accounted
    /// for, in the ledger's order; at most 1,000.
    pub gaps: Vec<TableGap>,
}

/// What a table consists of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TableCounts {
    /// Rows that are there, as far as is accounted for.
    pub rows: u64,
    /// Rows that were deleted, as far as is accounted for.
    pub deleted: u64,
    /// Revisions of rows that the server shows, deletions among them.
    pub revisions: u64,
    /// Those of them that were found in transactions.
    pub proven: u64,
    /// Transactions since the table's creation, that one included.
    pub transactions: u64,
    /// Those of them that are not accounted for.
    pub gaps: u64,
}

/// A transaction that is not accounted for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TableGap {
    /// The transaction.
    pub tx: TxId,
    /// How many entries its header says that it has.
    pub entries: Option<u32>,
    /// Why they are not known.
    pub reason: String,
}
