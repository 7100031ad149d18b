//! The table of events, and the transaction that begins a ledger (`docs/format.md` §1, §2).

use super::cursor::Put;
use crate::catalog::index_digest;
use crate::digest::{Alh, LeafHash, Root, node_hash};
use crate::error::{CatalogError, ProofError};
use crate::header::{Header, HeaderVersion, TxMetadata};
use crate::number::TxId;
use crate::row::Value;
use crate::state::TrustedState;
use crate::table::{Column, ColumnType, Table};
use crate::wire::{Sink, TooSmall, Writer};

const fn column(id: u32, name: &'static str, ty: ColumnType, max_length: u32) -> Column<'static> {
    Column { id, name, ty, max_length, not_null: true, auto_increment: false }
}

const COLUMNS: &[Column<'static>] = &[
    column(1, "domain", ColumnType::Blob, 64),
    column(2, "edition", ColumnType::Blob, 64),
    column(3, "root", ColumnType::Blob, 128),
    column(4, "event_number", ColumnType::Integer, 8),
    column(5, "ext", ColumnType::Blob, 32),
    column(6, "seen_tx", ColumnType::Integer, 8),
    column(7, "body", ColumnType::Blob, 0),
];

/// The table `events` under the number that its database gave it.
///
/// # Errors
///
/// None for this definition.
pub fn events_table(id: u32) -> Result<Table<'static>, CatalogError> {
    Table::new(id, "events", COLUMNS, &[1, 2, 3, 4])
}

/// What a ledger that Counterfoil created began with, as far as it is not the same everywhere.
///
/// It opens the ledger's id: the id is the hash of the first transaction, which from these values is
/// computed entry by entry. So it shows that the ledger *of this id* began with the table of this
/// number, with exactly the columns of `docs/format.md`, and with nothing else. It does not show that
/// any state belongs to a ledger of this id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Genesis<'a> {
    /// When the server says it committed: Unix time in seconds.
    pub ts: i64,
    /// The random bytes in the genesis row.
    pub nonce: &'a [u8; 32],
    /// The creator's clock, microseconds since 1970.
    pub created_at: i64,
}

/// Catalog entries and the genesis row.
const ENTRIES: usize = 12;

impl Genesis<'_> {
    /// Checks that the ledger with this id began so, with the table of this number.
    pub(super) fn check(&self, ledger: Alh, table: &Table<'_>) -> Result<(), ProofError> {
        let header = Header {
            id: TxId::new(1),
            prev_alh: Alh::BEFORE_FIRST,
            ts: self.ts,
            version: HeaderVersion::V1,
            metadata: TxMetadata::default(),
            nentries: 12,
            eh: self.eh(table)?,
            bl_tx_id: TxId::new(0),
            bl_root: Root::ZERO,
        };
        let first = TrustedState { tx: header.id, alh: ledger };
        first.verify_tx(&header, &header, &[]).map(|_| ())
    }

    /// The root over the entries of the first transaction.
    fn eh(&self, table: &Table<'_>) -> Result<Root, ProofError> {
        let mut body = [0; 32];
        let mut out = Writer::new(&mut body);
        // Its longest form has 24 bytes.
        put_genesis(&mut out, self.created_at).map_err(|small| ProofError::Row(small.into()))?;
        let row = [
            Some(Value::Blob(&[])),
            Some(Value::Blob(&[])),
            Some(Value::Blob(&[])),
            Some(Value::Integer(0)),
            Some(Value::Blob(self.nonce)),
            Some(Value::Integer(0)),
            Some(Value::Blob(out.finish())),
        ];
        let indexes = [(1, true, 5_u32), (2, false, 6)];
        let indexes = indexes.map(|(id, unique, of)| index_digest(table.id(), id, unique, &[of]));
        let row = table.entry_digest(&row).map_err(ProofError::Row);
        let digests = table
            .create_digests()
            .chain(indexes)
            .map(|digest| digest.map_err(ProofError::Catalog))
            .chain(core::iter::once(row));

        let mut leaves = [[0; 32]; ENTRIES];
        for (leaf, digest) in leaves.iter_mut().zip(digests) {
            *leaf = LeafHash::to_bytes(digest?.leaf_hash());
        }
        Ok(Root::new(fold(leaves)))
    }
}

/// The root over leaf hashes, in less than a fifth of the stack that a
/// [`Frontier`](crate::frontier::Frontier) for trees of any size takes: neighbours become a node, one that is left over goes up as it is
/// (RFC 6962 §2.1 says the same from above).
fn fold(mut nodes: [[u8; 32]; ENTRIES]) -> [u8; 32] {
    let mut count = ENTRIES;
    while count > 1 {
        let above = count.div_ceil(2);
        for place in 0..above {
            let left = place.saturating_mul(2);
            let pair = nodes.get(left..count).unwrap_or_default();
            let node = match pair {
                [left, right, ..] => node_hash(left, right),
                [single] => *single,
                [] => [0; 32],
            };
            if let Some(slot) = nodes.get_mut(place) {
                *slot = node;
            }
        }
        count = above;
    }
    let [root, ..] = nodes;
    root
}

/// The body of the genesis row.
fn put_genesis(out: &mut Writer<'_>, created_at: i64) -> Result<(), TooSmall> {
    out.put(&[0])?;
    out.put_bytes(b"counterfoil")?;
    out.put_u64(1)?;
    out.put_i64(created_at)
}
