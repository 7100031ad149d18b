//! What entries can say: few contents, chosen so that as much as possible can be mistaken for
//! something else.
//!
//! A key of version 1 with the lengths before it is a key of version 0 with the same digest. Tables
//! differ in one column, one type, one name, one key. One key has several values.

use counterfoil_core::{
    CatalogEntry, CatalogKey, Column, ColumnType, EntryMetadata, HeaderVersion, KvEntry, Table,
    TxId, Value,
};
use sha2::{Digest, Sha256};

use crate::ledger::Hash;

/// The bytes of an entry.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Raw {
    /// Its whole key.
    pub key: Vec<u8>,
    /// Its metadata's bytes.
    pub metadata: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
}

impl Raw {
    /// The digest, by the format's words and with another SHA-256 than the verifier's.
    pub fn digest(&self, version: HeaderVersion) -> Option<Hash> {
        let len = |bytes: &[u8]| (bytes.len() as u16).to_be_bytes();
        let mut hash = Sha256::new();
        match version {
            HeaderVersion::V0 if !self.metadata.is_empty() => return None,
            HeaderVersion::V0 => {}
            HeaderVersion::V1 => {
                hash.update(len(&self.metadata));
                hash.update(&self.metadata);
                hash.update(len(&self.key));
            }
        }
        hash.update(&self.key);
        hash.update(Sha256::digest(&self.value));
        Some(hash.finalize().into())
    }

    /// What has in version 0 the digest that this has in version 1.
    fn disguised(&self) -> Self {
        let len = |bytes: &[u8]| (bytes.len() as u16).to_be_bytes().to_vec();
        let key = [len(&self.metadata), self.metadata.clone(), len(&self.key), self.key.clone()];
        Self { key: key.concat(), metadata: Vec::new(), value: self.value.clone() }
    }
}

/// How the verifier is asked about a content.
#[derive(Clone, PartialEq, Debug)]
pub enum Says {
    /// A key-value entry.
    Kv(KvEntry<'static>),
    /// A row of the table of this number among [`Contents::tables`].
    Row(usize, Vec<Option<Value<'static>>>),
    /// An entry of the catalog.
    Catalog(CatalogEntry<'static>),
    /// It can only be shown by its digest.
    Nothing,
}

/// A content and its bytes.
#[derive(Clone, Debug)]
pub struct Content {
    /// The bytes.
    pub raw: Raw,
    /// The metadata that the bytes say.
    pub metadata: EntryMetadata,
    /// The question.
    pub says: Says,
}

/// All of them.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Each content once for each way of asking.
    pub all: Vec<Content>,
    /// The tables.
    pub tables: Vec<Table<'static>>,
    /// What a transaction may hold: contents by their places in `all`.
    scripts: Vec<Vec<usize>>,
}

/// For the rest of the test's life.
fn kept<T>(value: Vec<T>) -> &'static [T] {
    Box::leak(value.into_boxed_slice())
}

const fn column(id: u32, name: &str, ty: ColumnType, max_length: u32) -> Column<'_> {
    Column { id, name, ty, max_length, not_null: false, auto_increment: false }
}

const ID: Column<'_> = column(1, "id", ColumnType::Integer, 8);
const AMOUNT: Column<'_> = column(2, "amount", ColumnType::Integer, 8);
const TIME: Column<'_> = column(2, "amount", ColumnType::Timestamp, 8);
const FLAG: Column<'_> = column(3, "flag", ColumnType::Boolean, 1);
const MORE: Column<'_> = column(4, "more", ColumnType::Integer, 8);

impl Contents {
    /// Those of ledgers with so many transactions.
    ///
    /// # Panics
    ///
    /// If one of the tables makes no sense.
    pub fn new(transactions: u64) -> Self {
        let table = |name, columns, key| Table::new(7, name, columns, key).expect("a table");
        let tables = vec![
            table("t", kept(vec![ID, AMOUNT, FLAG]), &[1]),
            table("t", kept(vec![ID, AMOUNT]), &[1]),
            table("t", kept(vec![ID, TIME, FLAG]), &[1]),
            table("u", kept(vec![ID, AMOUNT, FLAG]), &[1]),
            table("t", kept(vec![ID, AMOUNT, FLAG]), &[2]),
        ];
        let mut contents = Self { all: Vec::new(), tables, scripts: Vec::new() };
        contents.add_tables();
        contents.add_kv(transactions);
        for place in 0..contents.all.len() {
            contents.add_disguised(place);
        }
        contents
    }

    /// For each script the digests in version 0 and in version 1. What has metadata has none in
    /// version 0.
    pub fn scripts(&self) -> Vec<[Vec<Hash>; 2]> {
        let digests = |script: &[usize], version| {
            let raw = script.iter().map(|place| &self.all[*place].raw);
            raw.filter_map(|raw| raw.digest(version)).collect()
        };
        let both = |script: &Vec<usize>| {
            [HeaderVersion::V0, HeaderVersion::V1].map(|version| digests(script, version))
        };
        self.scripts.iter().map(both).collect()
    }

    fn add(&mut self, raw: (Vec<u8>, Vec<u8>), metadata: EntryMetadata, says: Says) -> usize {
        let bytes = metadata.encode(&mut [0; EntryMetadata::MAX_LEN]).to_vec();
        let raw = Raw { key: raw.0, metadata: bytes, value: raw.1 };
        self.all.push(Content { raw, metadata, says });
        self.all.len() - 1
    }

    fn add_disguised(&mut self, place: usize) {
        let raw = self.all[place].raw.disguised();
        let says = match (&raw.key[..], &raw.value[..]) {
            ([0, key @ ..], [0, value @ ..]) => {
                Says::Kv(KvEntry::Set { key: kept(key.to_vec()), value: kept(value.to_vec()) })
            }
            _ => Says::Nothing,
        };
        // No script: it has the digest that the undisguised has in the other version.
        self.add((raw.key, raw.value), EntryMetadata::default(), says);
    }

    fn add_catalog(&mut self, entry: CatalogEntry<'static>) -> usize {
        let (key, value) = (&mut [0; CatalogKey::MAX_LEN], &mut [0; 64]);
        let key = entry.key().encode(key).expect("long enough").to_vec();
        let value = entry.encode_value(value).expect("long enough").to_vec();
        self.add((key, value), EntryMetadata::default(), Says::Catalog(entry))
    }

    fn add_row(&mut self, table: usize, row: &[Option<Value<'static>>]) -> usize {
        let (key, value) = (&mut [0; 64], &mut [0; 128]);
        let key = self.tables[table].encode_key(row, key).expect("long enough").to_vec();
        let value = self.tables[table].encode_value(row, value).expect("long enough").to_vec();
        let says = Says::Row(table, row.to_vec());
        self.add((key, value), EntryMetadata::default(), says)
    }

    fn add_tables(&mut self) {
        let (one, five, six) = (Value::Integer(1), Value::Integer(5), Value::Integer(6));
        let (time, yes) = (Some(Value::Timestamp(5)), Some(Value::Boolean(true)));
        let rows = [
            self.add_row(0, &[Some(one), Some(five), yes]),
            self.add_row(0, &[Some(one), Some(five), None]),
            self.add_row(0, &[Some(one), Some(six), yes]),
            self.add_row(1, &[Some(one), Some(five)]),
            self.add_row(2, &[Some(one), time, yes]),
            self.add_row(4, &[Some(one), Some(five), yes]),
        ];
        self.scripts.extend(rows.map(|row| vec![row]));
        self.scripts.extend([rows[..3].to_vec(), vec![rows[0], rows[4]]]);
        let deleted = EntryMetadata { deleted: true, ..EntryMetadata::default() };
        let raw = self.all[rows[0]].raw.clone();
        let gone = self.add((raw.key, raw.value), deleted, Says::Nothing);
        self.scripts.push(vec![gone]);

        let more = CatalogEntry::Column { table_id: 7, column: MORE, default: None };
        let more = self.add_catalog(more);
        let time = CatalogEntry::Column { table_id: 7, column: TIME, default: None };
        let time = self.add_catalog(time);
        for table in self.tables.clone() {
            let created: Vec<usize> =
                table.create_entries().map(|entry| self.add_catalog(entry)).collect();
            let with = |others: &[usize]| [&created[..], others].concat();
            self.scripts.extend([
                created.clone(),
                with(&[rows[0]]),
                with(&[more]),
                with(&[time]),
                [&[time], &created[..]].concat(),
                created[..created.len() - 1].to_vec(),
            ]);
        }
    }

    fn add_kv(&mut self, transactions: u64) {
        let none = EntryMetadata::default();
        let plain = |key: &[u8]| [&[0], key].concat();
        let mut sets = Vec::new();
        for key in [&b"k"[..], b"kk"] {
            for value in [&b"v"[..], b"w", b""] {
                let raw = (plain(key), plain(value));
                sets.push(self.add(raw, none, Says::Kv(KvEntry::Set { key, value })));
            }
        }
        let expiring = EntryMetadata { expires_at: Some(9), ..none };
        let set = Says::Kv(KvEntry::Set { key: b"k", value: b"v" });
        sets.push(self.add((plain(b"k"), plain(b"v")), expiring, set));
        self.scripts.extend(sets.iter().map(|set| vec![*set]));
        self.scripts.extend([vec![sets[0], sets[3]], vec![sets[0], sets[1]], sets[..4].to_vec()]);
        let deleted = EntryMetadata { deleted: true, ..none };
        let delete = Says::Kv(KvEntry::Delete { key: b"k" });
        let delete = self.add((plain(b"k"), Vec::new()), deleted, delete);
        self.scripts.push(vec![delete]);
        for at_tx in 0..=transactions {
            let at = at_tx.to_be_bytes();
            let value = [&[1], &at[..], b"\0k"].concat();
            let at_tx = TxId::new(at_tx);
            let reference = KvEntry::Reference { key: b"r", referenced: b"k", at_tx };
            let reference = self.add((plain(b"r"), value), none, Says::Kv(reference));
            let length = |bytes: &[u8]| (bytes.len() as u64).to_be_bytes();
            let key =
                [&[1], &length(b"s")[..], b"s", &[0; 8], &length(b"\0k"), b"\0k", &at].concat();
            let member = KvEntry::SortedSet { set: b"s", score_bits: 0, key: b"k", at_tx };
            let member = self.add((key, Vec::new()), none, Says::Kv(member));
            for shown in [reference, member] {
                let with = |set: usize| vec![shown, sets[set]];
                self.scripts.extend([vec![shown], with(0), with(1), with(3)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_content_is_what_the_verifier_reads() {
        let contents = Contents::new(3);
        for Content { raw, metadata, says } in &contents.all {
            if let Says::Kv(kv) = says {
                assert!(kv.is_encoded_as(&raw.key, &raw.value), "{kv:?}");
                assert_eq!(KvEntry::parse(&raw.key, &raw.value, metadata.deleted), Ok(*kv));
            }
        }
        let asked = contents.all.iter().filter(|content| content.says != Says::Nothing).count();
        assert!(asked > 60, "{asked} of {}", contents.all.len());
    }
}
