//! Why a transaction or an entry is not shown to be in the ledger.

use core::fmt;

use super::{CatalogError, EntryError, HeaderError, RowError, TreeError};
use crate::header::HeaderVersion;
use crate::number::TxId;

/// A proof under a trusted state does not hold. The variants are the steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ProofError {
    /// The header given for the state is none.
    StateHeader(HeaderError),
    /// The header given for the state is another transaction's.
    StateTx {
        /// The state's transaction.
        expected: TxId,
        /// The header's.
        found: TxId,
    },
    /// The header given for the state has another hash than the state.
    StateAlh {
        /// The state's transaction.
        tx: TxId,
    },
    /// The transaction's header is none.
    TxHeader(HeaderError),
    /// The state's tree does not hold the transaction: it is newer, or the tree lags.
    NotCovered {
        /// The transaction.
        tx: TxId,
        /// The last transaction in the state's tree.
        covered: TxId,
    },
    /// The transaction is the state's own, and its header has another hash.
    TxAlh {
        /// The transaction.
        tx: TxId,
    },
    /// The transaction is not shown to be in the state's tree.
    TxInclusion(TreeError),
    /// The entry cannot be.
    Entry(EntryError),
    /// The row is none of the table's.
    Row(RowError),
    /// The entry is not shown to be in the transaction's tree.
    EntryInclusion(TreeError),
    /// The digests were computed in another version than that of the transaction's header.
    DigestVersion {
        /// The header's.
        expected: HeaderVersion,
        /// The digests'.
        found: HeaderVersion,
    },
    /// There are fewer or more entries than the transaction has.
    EntryCount {
        /// How many it has.
        expected: u32,
        /// How many there are, or one more than it has where counting ended.
        found: u64,
    },
    /// The entries do not give the root of the transaction's tree.
    EntriesRoot,
    /// A catalog entry that cannot be, or an entry whose key is a catalog's and makes no sense.
    Catalog(CatalogError),
    /// An entry of the transaction defines the table otherwise.
    OtherTable {
        /// The entry's number in the transaction, from 0.
        index: u32,
    },
    /// The transaction does not create the whole table.
    TableIncomplete {
        /// How many of the entries that create it are missing.
        missing: usize,
    },
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StateHeader(error) => write!(f, "header of the state: {error}"),
            Self::StateTx { expected, found } => {
                write!(f, "header of the state: of transaction {found} in place of {expected}")
            }
            Self::StateAlh { tx } => {
                write!(f, "header of the state: its hash is not that of the state at {tx}")
            }
            Self::TxHeader(error) => write!(f, "header of the transaction: {error}"),
            Self::NotCovered { tx, covered } => {
                write!(f, "transaction {tx}: the state's tree ends at transaction {covered}")
            }
            Self::TxAlh { tx } => {
                write!(f, "header of the transaction: its hash is not that of the state at {tx}")
            }
            Self::TxInclusion(error) => write!(f, "transaction in the ledger: {error}"),
            Self::Entry(error) => write!(f, "entry of the transaction: {error}"),
            Self::Row(error) => write!(f, "row of the transaction: {error}"),
            Self::Catalog(error) => write!(f, "catalog entry of the transaction: {error}"),
            Self::EntryInclusion(error) => write!(f, "entry in the transaction: {error}"),
            Self::DigestVersion { expected, found } => write!(
                f,
                "entries of the transaction: digests of version {} in place of {}",
                found.number(),
                expected.number()
            ),
            Self::EntryCount { expected, found } => {
                write!(f, "entries of the transaction: {found} in place of {expected}")
            }
            Self::EntriesRoot => f.write_str("entries of the transaction: another root"),
            Self::OtherTable { index } => {
                write!(f, "table in the catalog: entry {index} defines it otherwise")
            }
            Self::TableIncomplete { missing } => {
                write!(f, "table in the catalog: {missing} entries that create it are missing")
            }
        }
    }
}

/// No `source`: the text above has the inner error's words already, for it is often all that is
/// printed, and a reporter that walks the sources would print them twice.
impl core::error::Error for ProofError {}
