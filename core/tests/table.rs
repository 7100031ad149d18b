//! A table is proved by the keys of all entries of the transaction that created it.

mod ledger;
mod reference;

use counterfoil_core::*;
use ledger::Ledger;

const fn column(id: u32, name: &str, ty: ColumnType, max_length: u32) -> Column<'_> {
    Column { id, name, ty, max_length, not_null: false, auto_increment: false }
}

const COLUMNS: [Column<'_>; 3] = [
    column(1, "id", ColumnType::Integer, 8),
    column(2, "amount", ColumnType::Integer, 8),
    column(3, "cancelled", ColumnType::Boolean, 1),
];

fn table(columns: &'static [Column<'static>]) -> Table<'static> {
    Table::new(7, "payments", columns, &[1]).unwrap()
}

#[derive(Clone, PartialEq)]
struct Entry {
    key: Vec<u8>,
    metadata: EntryMetadata,
    value: Vec<u8>,
}

impl Entry {
    fn view(&self) -> TxEntry<'_> {
        let value_hash = ValueHash::of(&self.value);
        TxEntry { key: &self.key, metadata: self.metadata, value_hash }
    }

    fn dropped(&self) -> Self {
        let metadata = EntryMetadata { deleted: true, ..self.metadata };
        Self { metadata, value: Vec::new(), ..self.clone() }
    }
}

fn raw(key: &[u8], value: &[u8]) -> Entry {
    let (key, value) = (key.to_vec(), value.to_vec());
    Entry { key, metadata: EntryMetadata::default(), value }
}

fn entry(entry: CatalogEntry<'_>) -> Entry {
    let (key, value) = (&mut [0; CatalogKey::MAX_LEN], &mut [0; 100]);
    raw(entry.key().encode(key).unwrap(), entry.encode_value(value).unwrap())
}

fn column_of(table_id: u32, column: Column<'_>) -> Entry {
    entry(CatalogEntry::Column { table_id, column, default: None })
}

fn index(table_id: u32, index_id: u32) -> Entry {
    entry(CatalogEntry::Index { table_id, index_id, unique: true, columns: [1][..].into() })
}

/// What CREATE TABLE writes for the table of all columns.
fn creation(table_id: u32) -> Vec<Entry> {
    let mut entries = vec![index(table_id, 0)];
    entries.extend(COLUMNS.map(|column| column_of(table_id, column)));
    entries.push(entry(CatalogEntry::Table { table_id, name: "payments" }));
    entries
}

/// The transaction with these entries.
fn tx(version: HeaderVersion, entries: &[Entry]) -> VerifiedTx {
    let digest = |entry: &Entry| {
        let TxEntry { key, metadata, value_hash } = entry.view();
        entry_digest(version, &metadata, key, &value_hash).unwrap()
    };
    let mut ledger = Ledger::with_trees(&[]);
    ledger.append_entries(version, &entries.iter().map(digest).collect::<Vec<_>>());
    ledger.verified(1, 1)
}

fn verify(table: &Table<'static>, entries: &[Entry]) -> Result<VerifiedTable<'static>, ProofError> {
    tx(HeaderVersion::V1, entries).verify_table(table, entries.iter().map(Entry::view))
}

#[test]
fn a_created_table_is_proved_whatever_stands_beside_it() {
    let whole = table(&COLUMNS);
    let check = CatalogEntry::Check { table_id: 7, check_id: 0, name: "c", expression: "(id > 0)" };
    let beside = [
        raw(b"\x02R.\0\0\0\x01\0\0\0\x07\0\0\0\0", b"a row"),
        raw(b"\0CTL.COLUMN.\0\0\0\x01\0\0\0\x07", b"\0a key of the user's"),
        index(7, 1),
        index(7, 1).dropped(),
        entry(check),
        column_of(8, COLUMNS[0]),
        index(8, 0),
    ];
    for version in [HeaderVersion::V0, HeaderVersion::V1] {
        let entries = creation(7);
        let tx = tx(version, &entries);
        let proved = tx.verify_table(&whole, entries.iter().map(Entry::view)).unwrap();
        assert_eq!((proved.tx(), proved.table()), (tx, whole));
    }
    for place in 0..=creation(7).len() {
        for other in &beside {
            let mut entries = creation(7);
            entries.insert(place, other.clone());
            assert_eq!(verify(&whole, &entries).unwrap().table(), whole);
        }
        let mut entries = creation(7);
        entries.splice(place..place, beside.clone());
        assert_eq!(verify(&whole, &entries).unwrap().table(), whole);
    }
    let both = [creation(8), creation(7)].concat();
    assert_eq!(verify(&whole, &both).unwrap().table(), whole);
    assert_eq!(verify(&whole.with_id(8).unwrap(), &both).unwrap().table().id(), 8);
}

/// Its digests are all entries of the transaction, each of which can be shown.
#[test]
fn a_table_without_one_of_the_columns_is_refused() {
    const LAST: &[Column<'_>] = &[COLUMNS[0], COLUMNS[1]];
    const MIDDLE: &[Column<'_>] = &[COLUMNS[0], COLUMNS[2]];
    let entries = creation(7);
    let all: Vec<_> = table(&COLUMNS).create_digests().collect();
    for (columns, index) in [(LAST, 3), (MIDDLE, 2), (&COLUMNS[..1], 2)] {
        let table = table(columns);
        assert!(table.create_digests().all(|digest| all.contains(&digest)));
        assert_eq!(verify(&table, &entries), Err(ProofError::OtherTable { index }));
    }
}

#[test]
fn whatever_else_defines_the_table_is_refused() {
    let whole = table(&COLUMNS);
    let more = [
        column_of(7, column(4, "hidden", ColumnType::Integer, 8)),
        // The same column of another type has another key.
        column_of(7, column(2, "amount", ColumnType::Varchar, 0)),
        entry(CatalogEntry::Table { table_id: 7, name: "others" }),
    ];
    let again = creation(7).into_iter().flat_map(|entry| [entry.dropped(), entry]);
    for other in more.into_iter().chain(again) {
        for place in 0..=creation(7).len() {
            let mut entries = creation(7);
            entries.insert(place, other.clone());
            let error = verify(&whole, &entries).unwrap_err();
            assert!(matches!(error, ProofError::OtherTable { .. }), "{error} at {place}");
        }
    }
    // Each in place of what belongs there.
    for place in 0..creation(7).len() {
        let mut entries = creation(7);
        entries[place] = entries[place].dropped();
        let error = Err(ProofError::OtherTable { index: place as u32 });
        assert_eq!(verify(&whole, &entries), error);
        let mut entries = creation(7);
        entries[place].value.push(b' ');
        assert_eq!(verify(&whole, &entries), error);
        let mut entries = creation(7);
        entries[place].metadata.non_indexable = true;
        assert_eq!(verify(&whole, &entries), error);
        let mut entries = creation(7);
        entries.remove(place);
        assert!(verify(&whole, &entries).is_err());
        entries.truncate(place);
        if place > 0 {
            let missing = 5 - place;
            assert_eq!(verify(&whole, &entries), Err(ProofError::TableIncomplete { missing }));
        }
    }
    let mut swapped = creation(7);
    swapped.swap(1, 2);
    assert_eq!(verify(&whole, &swapped), Err(ProofError::OtherTable { index: 1 }));
    let beside = creation(8);
    assert_eq!(verify(&whole, &beside), Err(ProofError::TableIncomplete { missing: 5 }));
}

/// A server may read more there than [`CatalogKey::parse`] does.
#[test]
fn a_key_that_only_begins_as_the_catalogs_is_refused() {
    let whole = table(&COLUMNS);
    let keys: [(&[u8], CatalogError); 7] = [
        (b"\x02CTL.COLUMN.\0\0\0\x01\0\0\0\x07", CatalogError::Key),
        (b"\x02CTL.COLUMN.\0\0\0\x01\0\0\0\x07\0\0\0\x04integer", CatalogError::UnknownType),
        (
            b"\x02CTL.COLUMN.\0\0\0\x01\0\0\0\x07\0\0\0\0INTEGER",
            CatalogError::ColumnId { column: 0 },
        ),
        (b"\x02CTL.INDEX.\0\0\0\x01\0\0\0\x07\0\0\0\0\0", CatalogError::Key),
        (b"\x02CTL.TABLE.\0\0\0\x01\0\0\0\x07\0", CatalogError::Key),
        (b"\x02CTL.TABLE.\0\0\0\x01\0\0\0\0", CatalogError::TableId),
        (b"\x02CTL.COLUMN.\0\0\0\x01\0\0\0\0\0\0\0\x01INTEGER", CatalogError::TableId),
    ];
    for (key, error) in keys {
        let entries = [creation(7), vec![raw(key, b"\0\0\0\0\x08x")]].concat();
        assert_eq!(verify(&whole, &entries), Err(ProofError::Catalog(error)), "{key:?}");
    }
}

#[test]
fn entries_that_are_not_the_transactions_are_refused_first() {
    let whole = table(&COLUMNS);
    let hidden = column_of(7, column(4, "hidden", ColumnType::Integer, 8));
    let entries = [creation(7), vec![hidden]].concat();
    let tx = tx(HeaderVersion::V1, &entries);
    let ask = |entries: &[Entry]| tx.verify_table(&whole, entries.iter().map(Entry::view));
    assert_eq!(ask(&entries), Err(ProofError::OtherTable { index: 5 }));
    let count = |found| Err(ProofError::EntryCount { expected: 6, found });
    assert_eq!(ask(&creation(7)), count(5));
    assert_eq!(ask(&[]), count(0));
    assert_eq!(ask(&[&entries[..], &entries].concat()), count(12));
    let endless = std::iter::from_fn(|| Some(entries[0].view()));
    assert_eq!(tx.verify_table(&whole, endless), count(7));
    // The hidden column under another name, as a row, without its metadata, not at all.
    for (place, other) in [
        (5, raw(b"\x02R.", &entries[5].value)),
        (5, entries[5].dropped()),
        (5, index(7, 1)),
        (0, entries[1].clone()),
    ] {
        let mut others = entries.clone();
        others[place] = other;
        assert_eq!(ask(&others), Err(ProofError::EntriesRoot));
    }
}
