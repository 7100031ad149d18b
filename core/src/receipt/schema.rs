//! The table of events, and the transaction that begins a ledger (`docs/format.md` §1, §2).

use super::cursor::Put;
use crate::catalog::{COLUMN, INDEX, NOT_NULL, TABLE};
use crate::digest::{Alh, EntryDigest, Root, node_hash};
use crate::error::{CatalogError, ProofError};
use crate::header::RawHeader;
use crate::key::{PART, SIGN_BIT};
use crate::number::TxId;
use crate::sha256::Sha256;
use crate::table::{Column, ColumnType, ROW_KEY_PREFIX, Table};
use crate::wire::{Sink, TooSmall, Writer};

const NAME: &str = "events";

/// `02 ‖ "R." ‖ 1 ‖ table ‖ 0`, three padded parts with their lengths, and a number.
const ROW_KEY_LEN: usize = 15 + 3 * (1 + 4) + 64 + 64 + 128 + 1 + 8;

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
    Table::new(id, NAME, COLUMNS, &[1, 2, 3, 4])
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
const ENTRIES: u32 = 12;

impl Genesis<'_> {
    /// Checks that the ledger with this id began so, with the table of this number.
    pub(super) fn check(&self, ledger: &[u8; 32], table_id: u32) -> Result<(), ProofError> {
        let eh = self.eh(table_id)?;
        let header = RawHeader {
            id: TxId::new(1),
            prev_alh: Alh::BEFORE_FIRST.as_bytes(),
            ts: self.ts,
            metadata: &[],
            nentries: ENTRIES,
            eh: eh.as_bytes(),
            bl_tx_id: TxId::new(0),
            bl_root: Root::ZERO.as_bytes(),
        };
        if header.alh() == *ledger { Ok(()) } else { Err(ProofError::StateAlh { tx: header.id }) }
    }

    /// The root over the entries of the first transaction, in the order in which immudb writes them.
    fn eh(&self, table_id: u32) -> Result<Root, ProofError> {
        let mut body = [0; 32];
        let mut out = Writer::new(&mut body);
        // Its longest form has 24 bytes.
        put_genesis(&mut out, self.created_at).map_err(|small| ProofError::Row(small.into()))?;
        let row = Row {
            domain: &[],
            edition: &[],
            root: &[],
            event_number: 0,
            ext: self.nonce,
            seen_tx: 0,
            body: out.finish(),
        };
        let id = &table_id.to_be_bytes();
        let index = |number: u8, unique: u8, columns: &[u8]| {
            entry_digest(&[INDEX, id, &[0, 0, 0, number]], &[&[unique], columns])
        };
        let mut tree = Tree::default();
        tree.push(&index(0, 1, &[0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 4, 0]));
        for Column { id: number, ty, max_length, name, .. } in COLUMNS {
            let key: [&[u8]; 4] = [COLUMN, id, &number.to_be_bytes(), ty.name().as_bytes()];
            let value: [&[u8]; 3] = [&[NOT_NULL], &max_length.to_be_bytes(), name.as_bytes()];
            tree.push(&entry_digest(&key, &value));
        }
        tree.push(&entry_digest(&[TABLE, id], &[NAME.as_bytes()]));
        tree.push(&index(1, 1, &[0, 0, 0, 5, 0]));
        tree.push(&index(2, 0, &[0, 0, 0, 6, 0]));
        tree.push(&row.digest(table_id));
        Ok(tree.root())
    }
}

/// The body of the genesis row.
fn put_genesis(out: &mut Writer<'_>, created_at: i64) -> Result<(), TooSmall> {
    out.put(&[0])?;
    out.put_bytes(b"counterfoil")?;
    out.put_u64(1)?;
    out.put_i64(created_at)
}

/// The tree over the twelve entries, in a tenth of the stack that a
/// [`Frontier`](crate::frontier::Frontier) for trees of any size takes.
#[derive(Default)]
struct Tree {
    size: u32,
    /// The last whole subtrees of 1, 2, 4 and 8 leaves.
    whole: [[u8; 32]; 4],
}

impl Tree {
    fn push(&mut self, digest: &EntryDigest) {
        let mut node = digest.leaf_hash().to_bytes();
        // As in a counter of binary digits: what is there already carries over.
        for (level, whole) in self.whole.iter_mut().enumerate() {
            if self.size.checked_shr(u32::try_from(level).unwrap_or(0)).unwrap_or(0) & 1 == 0 {
                *whole = node;
                break;
            }
            node = node_hash(whole, &node);
        }
        self.size = self.size.saturating_add(1);
    }

    /// Of twelve: eight and four.
    fn root(&self) -> Root {
        let [_, _, four, eight] = &self.whole;
        Root::new(node_hash(eight, four))
    }
}

/// A row of the table of events, of contents that its columns may have.
///
/// What [`Table::entry_digest`] computes of rows of any table, for this one and in a third of its code:
/// a device has to carry it.
pub(super) struct Row<'a> {
    pub(super) domain: &'a [u8],
    pub(super) edition: &'a [u8],
    pub(super) root: &'a [u8],
    pub(super) event_number: u64,
    pub(super) ext: &'a [u8; 32],
    pub(super) seen_tx: u64,
    pub(super) body: &'a [u8],
}

impl Row<'_> {
    /// The digest of the entry that an INSERT of this row writes, in version 1.
    pub(super) fn digest(&self, table_id: u32) -> EntryDigest {
        let value = self.value_hash();
        let mut entry = start_entry(ROW_KEY_LEN);
        entry.add(ROW_KEY_PREFIX);
        entry.add(&table_id.to_be_bytes());
        entry.add(&[0; 4]);
        for (content, max) in [(self.domain, 64_usize), (self.edition, 64), (self.root, 128)] {
            entry.add(&[PART]);
            entry.add(content);
            let Ok(()) = entry.put_zeros(max.saturating_sub(content.len()));
            entry.add(&len4(content.len()));
        }
        entry.add(&[PART]);
        entry.add(&(self.event_number ^ SIGN_BIT).to_be_bytes());
        entry.add(&value);
        EntryDigest::new(entry.finish())
    }

    /// Apart so that the two hashes are not on the stack at once.
    #[inline(never)]
    fn value_hash(&self) -> [u8; 32] {
        let (number, seen_tx) = (self.event_number.to_be_bytes(), self.seen_tx.to_be_bytes());
        let columns: [&[u8]; 7] =
            [self.domain, self.edition, self.root, &number, self.ext, &seen_tx, self.body];
        let mut value = Sha256::new();
        value.add(&[0, 0, 0, 7]);
        for (id, content) in (1_u32..=7).zip(columns) {
            value.add(&id.to_be_bytes());
            value.add(&len4(content.len()));
            value.add(content);
        }
        value.finish()
    }
}

/// The digest of an entry whose key and value come in parts, in version 1 and without metadata.
fn entry_digest(key: &[&[u8]], value: &[&[u8]]) -> EntryDigest {
    let value = Sha256::of(value);
    let mut entry = start_entry(key.iter().fold(0, |len, part| len.saturating_add(part.len())));
    key.iter().for_each(|part| entry.add(part));
    entry.add(&value);
    EntryDigest::new(entry.finish())
}

/// `00 00 ‖ length of key x2`: no metadata, and no key as long as 2^16.
fn start_entry(key_len: usize) -> Sha256 {
    let mut entry = Sha256::new();
    entry.add(&len4(key_len));
    entry
}

/// No content is as long as 2^32.
pub(super) fn len4(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)] // tests may panic
mod tests {
    use super::*;
    use crate::catalog::index_digest;
    use crate::frontier::Frontier;
    use crate::row::Value;

    /// The row as a row of any table.
    fn cells<'a>(row: &Row<'a>) -> [Option<Value<'a>>; 7] {
        [
            Some(Value::Blob(row.domain)),
            Some(Value::Blob(row.edition)),
            Some(Value::Blob(row.root)),
            Some(Value::Integer(row.event_number.cast_signed())),
            Some(Value::Blob(row.ext)),
            Some(Value::Integer(row.seen_tx.cast_signed())),
            Some(Value::Blob(row.body)),
        ]
    }

    #[test]
    fn a_row_is_what_it_is_in_any_table() {
        let content = [0x5a; 300];
        let (ends, last) = ([0, 1, 63, 64], i64::MAX.cast_unsigned());
        for id in [1, 0x0102_0304, u32::MAX] {
            let table = events_table(id).unwrap();
            assert_eq!(table.key_len(), ROW_KEY_LEN);
            for (domain, edition) in ends.into_iter().flat_map(|one| ends.map(|other| (one, other)))
            {
                for (root, body) in [(0, 0), (1, 55), (127, 56), (128, 300)] {
                    for (event_number, seen_tx) in [(0, 0), (1, last), (last, 1)] {
                        let row = Row {
                            domain: &content[..domain],
                            edition: &content[..edition],
                            root: &content[..root],
                            event_number,
                            ext: &[0xe7; 32],
                            seen_tx,
                            body: &content[..body],
                        };
                        assert_eq!(Ok(row.digest(id)), table.entry_digest(&cells(&row)));
                    }
                }
            }
        }
    }

    #[test]
    fn a_genesis_has_the_entries_that_its_statements_write() {
        for (id, created_at) in [(1, 0), (7, i64::MAX), (u32::MAX, i64::MIN)] {
            let genesis = Genesis { ts: 0, nonce: &[0xaa; 32], created_at };
            let table = events_table(id).unwrap();
            let mut body = [0; 32];
            let mut out = Writer::new(&mut body);
            assert!(put_genesis(&mut out, created_at).is_ok());
            let row = Row {
                domain: &[],
                edition: &[],
                root: &[],
                event_number: 0,
                ext: genesis.nonce,
                seen_tx: 0,
                body: out.finish(),
            };
            let mut tree = Frontier::new();
            let indexes = [(1, true, 5), (2, false, 6)];
            let indexes = indexes.map(|(index, unique, of)| index_digest(id, index, unique, &[of]));
            for digest in table.create_digests().chain(indexes) {
                tree.push(digest.unwrap().leaf_hash()).unwrap();
            }
            tree.push(table.entry_digest(&cells(&row)).unwrap().leaf_hash()).unwrap();
            assert_eq!(tree.size().get(), u64::from(ENTRIES));
            assert_eq!(genesis.eh(id), Ok(tree.root()));
        }
    }
}
