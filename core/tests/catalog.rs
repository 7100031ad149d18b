//! Tables' definitions and the catalog entries that prove them.

use counterfoil_core::{
    CatalogEntry, CatalogError, CatalogKey, Column, ColumnType, EntryMetadata, HeaderVersion,
    MAX_KEY_LEN, Table, ValueHash, entry_digest, index_digest,
};

const fn column(id: u32, name: &str, ty: ColumnType, max_length: u32) -> Column<'_> {
    Column { id, name, ty, max_length, not_null: false, auto_increment: false }
}

const ID: Column<'_> = column(1, "id", ColumnType::Integer, 8);

fn table_error(columns: &[Column<'_>], primary_key: &[u32]) -> CatalogError {
    Table::new(1, "t", columns, primary_key).unwrap_err()
}

#[test]
fn a_table_that_makes_no_sense_is_refused() {
    let name = column(2, "name", ColumnType::Varchar, 0);
    let json = column(3, "json", ColumnType::Json, 0);
    let bytes = column(4, "bytes", ColumnType::Blob, 0);
    assert!(Table::new(1, "t", &[ID, name, json, bytes], &[1]).is_ok());
    assert_eq!(Table::new(1, "", &[ID], &[1]), Err(CatalogError::Name));

    let id = |column| CatalogError::ColumnId { column };
    assert_eq!(table_error(&[Column { id: 0, ..ID }], &[0]), id(0));
    assert_eq!(table_error(&[ID, Column { name: "x", ..ID }], &[1]), id(1));
    assert_eq!(table_error(&[name, ID], &[1]), id(1));
    assert_eq!(table_error(&[Column { name: "", ..ID }], &[1]), CatalogError::Name);
    assert_eq!(
        table_error(&[ID, Column { name: "id", ..name }], &[1]),
        CatalogError::RepeatedName { column: 2 }
    );
    // Also where another column stands in between.
    assert_eq!(
        table_error(&[ID, name, Column { name: "id", ..json }], &[1]),
        CatalogError::RepeatedName { column: 3 }
    );
    for (ty, len) in [
        (ColumnType::Integer, 0),
        (ColumnType::Integer, 4),
        (ColumnType::Boolean, 0),
        (ColumnType::Boolean, 8),
        (ColumnType::Uuid, 8),
        (ColumnType::Timestamp, 0),
        (ColumnType::Float, 16),
    ] {
        assert_eq!(
            table_error(&[ID, column(2, "x", ty, len)], &[1]),
            CatalogError::MaxLength { column: 2 }
        );
    }

    let key = |column| CatalogError::KeyColumn { column };
    assert_eq!(table_error(&[ID], &[]), CatalogError::NoPrimaryKey);
    assert_eq!(table_error(&[], &[]), CatalogError::NoPrimaryKey);
    let none = |column| CatalogError::NoKeyColumn { column };
    assert_eq!(table_error(&[], &[1]), none(1));
    assert_eq!(table_error(&[ID], &[2]), none(2));
    assert_eq!(table_error(&[ID], &[0]), none(0));
    assert_eq!(table_error(&[ID], &[1, 1]), key(1));
    let other = column(2, "other", ColumnType::Integer, 8);
    assert_eq!(table_error(&[ID, other], &[1, 2, 1]), key(1));
    assert_eq!(table_error(&[ID, name], &[2]), key(2));
    assert_eq!(table_error(&[ID, name, json], &[3]), key(3));
    assert_eq!(table_error(&[ID, name, json, bytes], &[4]), key(4));
}

#[test]
fn tables_are_numbered_from_1() {
    assert_eq!(Table::new(0, "t", &[ID], &[1]), Err(CatalogError::TableId));
    let table = Table::new(u32::MAX, "t", &[ID], &[1]).unwrap();
    assert_eq!(table.with_id(0), Err(CatalogError::TableId));
    assert_eq!(table.with_id(1).unwrap().id(), 1);
    let ids = |table_id| {
        [
            CatalogKey::Table { table_id },
            CatalogKey::Column { table_id, column_id: 1, ty: ColumnType::Uuid },
            CatalogKey::Index { table_id, index_id: 0 },
            CatalogKey::Check { table_id, check_id: 0 },
        ]
    };
    for (none, one) in ids(0).into_iter().zip(ids(1)) {
        let mut buffer = [0; CatalogKey::MAX_LEN];
        let mut key = one.encode(&mut buffer).unwrap().to_vec();
        assert_eq!(CatalogKey::parse(&key), Ok(one));
        let prefix = key.iter().rposition(|byte| *byte == b'.').unwrap();
        key[prefix + 8] = 0;
        assert_eq!(CatalogKey::parse(&key), Err(CatalogError::TableId), "{none:?}");
        assert_eq!(none.encode(&mut buffer), Err(CatalogError::TableId), "{none:?}");
    }
    let nowhere = CatalogEntry::Table { table_id: 0, name: "t" };
    assert_eq!(nowhere.digest(), Err(CatalogError::TableId));
    let columnless = CatalogKey::Column { table_id: 1, column_id: 0, ty: ColumnType::Uuid };
    let error = CatalogError::ColumnId { column: 0 };
    assert_eq!(columnless.encode(&mut [0; CatalogKey::MAX_LEN]), Err(error));
}

/// immudb 1.11.1 allows it for the one column of the primary key, an INTEGER, and never later.
#[test]
fn auto_increment_is_for_a_key_of_one_integer() {
    let auto = Column { auto_increment: true, ..ID };
    let other = column(2, "other", ColumnType::Integer, 8);
    assert!(Table::new(1, "t", &[auto, other], &[1]).is_ok());
    let error = |column| CatalogError::AutoIncrement { column };
    assert_eq!(table_error(&[auto, other], &[1, 2]), error(1));
    assert_eq!(table_error(&[auto, other], &[2, 1]), error(1));
    assert_eq!(table_error(&[auto, other], &[2]), error(1));
    let both = Column { auto_increment: true, ..other };
    assert_eq!(table_error(&[auto, both], &[1]), error(2));
    assert_eq!(table_error(&[auto, both], &[2]), error(1));
    for ty in ColumnType::ALL.into_iter().filter(|ty| *ty != ColumnType::Integer) {
        let column = column(1, "id", ty, ty.fixed_len().unwrap_or(8));
        let auto = Column { auto_increment: true, ..column };
        assert_eq!(table_error(&[auto], &[1]), error(1));
        let entry = |column| CatalogEntry::Column { table_id: 1, column, default: None };
        let (key, mut value) = entry_bytes(&entry(column));
        value[0] = 2;
        assert_eq!(CatalogEntry::parse(&key, &value), Err(error(1)));
        assert_eq!(entry(auto).encode_value(&mut [0; 64]), Err(error(1)));
        assert_eq!(entry(auto).digest(), Err(error(1)));
    }
}

#[test]
fn an_index_is_over_different_columns_and_at_most_eight() {
    let key = |index: u8| [&b"\x02CTL.INDEX.\0\0\0\x01\0\0\0\x01\0\0\0"[..], &[index]].concat();
    let value = |unique: u8, ids: &[u32]| {
        let mut value = vec![unique];
        for id in ids {
            value.extend([&id.to_be_bytes()[..], &[0]].concat());
        }
        value
    };
    let check = |index: u8, unique: bool, ids: &[u32], error: Option<CatalogError>| {
        let (key, value) = (key(index), value(unique.into(), ids));
        assert_eq!(CatalogEntry::parse(&key, &value).err(), error, "{ids:?}");
        assert_eq!(index_digest(1, index.into(), unique, ids).err(), error, "{ids:?}");
    };
    let nine = [9, 8, 7, 6, 5, 4, 3, 2, 1];
    check(1, false, &nine[1..], None);
    check(1, true, &nine[..1], None);
    check(0, true, &nine[..2], None);
    check(1, false, &nine, Some(CatalogError::IndexTooWide));
    // Work is bounded, however many there are.
    check(1, false, &(1..100_000).collect::<Vec<_>>(), Some(CatalogError::IndexTooWide));
    let column = |column| Some(CatalogError::IndexColumn { column });
    check(1, false, &[0], column(0));
    check(1, false, &[1, 0], column(0));
    check(1, false, &[2, 2], column(2));
    check(1, true, &[3, 1, 2, 3], column(3));
    check(0, true, &[1, 1], column(1));
    // The primary key is unique.
    check(0, false, &[1], Some(CatalogError::Value));
    check(0, false, &[0], column(0));

    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let columns: Vec<_> = (1..).zip(names).map(|(id, name)| Column { id, name, ..ID }).collect();
    assert!(Table::new(1, "t", &columns, &nine[1..]).is_ok());
    assert_eq!(table_error(&columns, &nine), CatalogError::IndexTooWide);
}

#[test]
fn a_key_has_at_most_1024_bytes() {
    // 15 bytes before the parts, 5 beside the column's own.
    let longest = (MAX_KEY_LEN - 20) as u32;
    for (len, fits) in [(longest, true), (longest + 1, false), (u32::MAX, false)] {
        let columns = [column(1, "k", ColumnType::Varchar, len)];
        match Table::new(1, "t", &columns, &[1]) {
            Ok(table) => assert!(fits && table.key_len() == MAX_KEY_LEN),
            Err(error) => assert!(!fits && error == CatalogError::KeyTooLong),
        }
    }
    let columns =
        [column(1, "a", ColumnType::Blob, u32::MAX), column(2, "b", ColumnType::Blob, u32::MAX)];
    assert_eq!(table_error(&columns, &[1, 2]), CatalogError::KeyTooLong);
}

fn entry_bytes(entry: &CatalogEntry<'_>) -> (Vec<u8>, Vec<u8>) {
    let (key, value) = (&mut [0; CatalogKey::MAX_LEN], &mut [0; 600]);
    let key = entry.key().encode(key).unwrap().to_vec();
    (key, entry.encode_value(value).unwrap().to_vec())
}

fn entries() -> Vec<(CatalogEntry<'static>, &'static [u8], &'static [u8])> {
    vec![
        (
            CatalogEntry::Table { table_id: 1, name: "t_all" },
            b"\x02CTL.TABLE.\0\0\0\x01\0\0\0\x01",
            b"t_all",
        ),
        (
            CatalogEntry::Column { table_id: 1, column: ID, default: None },
            b"\x02CTL.COLUMN.\0\0\0\x01\0\0\0\x01\0\0\0\x01INTEGER",
            b"\0\0\0\0\x08id",
        ),
        (
            CatalogEntry::Column {
                table_id: 258,
                column: Column {
                    not_null: true,
                    auto_increment: true,
                    ..column(u32::MAX, "v", ColumnType::Integer, 8)
                },
                default: None,
            },
            b"\x02CTL.COLUMN.\0\0\0\x01\0\0\x01\x02\xff\xff\xff\xffINTEGER",
            b"\x03\0\0\0\x08v",
        ),
        (
            CatalogEntry::Column {
                table_id: 12,
                column: column(3, "kind", ColumnType::Varchar, 12),
                default: Some("'plain'"),
            },
            b"\x02CTL.COLUMN.\0\0\0\x01\0\0\0\x0c\0\0\0\x03VARCHAR",
            b"\x04\0\0\0\x0c\0\x04kind'plain'",
        ),
        // DEFAULT x'', as immudb 1.11.1 writes it.
        (
            CatalogEntry::Column {
                table_id: 1,
                column: column(2, "b", ColumnType::Blob, 0),
                default: Some(""),
            },
            b"\x02CTL.COLUMN.\0\0\0\x01\0\0\0\x01\0\0\0\x02BLOB",
            b"\x04\0\0\0\0\0\x01b",
        ),
        (
            CatalogEntry::Index {
                table_id: 3,
                index_id: 0,
                unique: true,
                columns: [1, 2, 258][..].into(),
            },
            b"\x02CTL.INDEX.\0\0\0\x01\0\0\0\x03\0\0\0\0",
            b"\x01\0\0\0\x01\0\0\0\0\x02\0\0\0\x01\x02\0",
        ),
        (
            CatalogEntry::Index {
                table_id: 3,
                index_id: 1,
                unique: false,
                columns: [7][..].into(),
            },
            b"\x02CTL.INDEX.\0\0\0\x01\0\0\0\x03\0\0\0\x01",
            b"\0\0\0\0\x07\0",
        ),
        (
            CatalogEntry::Check { table_id: 13, check_id: 0, name: "named", expression: "(q < 9)" },
            b"\x02CTL.CHECK.\0\0\0\x01\0\0\0\x0d\0\0\0\0",
            b"\x04named(q < 9)\0",
        ),
        // CHECK EXISTS (SELECT …), likewise.
        (
            CatalogEntry::Check { table_id: 4, check_id: 0, name: "h_check1", expression: "" },
            b"\x02CTL.CHECK.\0\0\0\x01\0\0\0\x04\0\0\0\0",
            b"\x07h_check1\0",
        ),
    ]
}

#[test]
fn an_entry_has_one_encoding() {
    for (entry, key, value) in entries() {
        assert_eq!(entry_bytes(&entry), (key.to_vec(), value.to_vec()), "{entry:?}");
        assert_eq!(CatalogEntry::parse(key, value), Ok(entry));
        assert_eq!(CatalogKey::parse(key), Ok(entry.key()));
        let digest =
            entry_digest(HeaderVersion::V1, &EntryMetadata::default(), key, &ValueHash::of(value));
        assert_eq!(entry.digest().unwrap(), digest.unwrap());
        for len in 0..value.len() {
            assert_eq!(entry.encode_value(&mut vec![0; len]), Err(CatalogError::BufferTooSmall));
        }
        for len in 0..key.len() {
            let refused = entry.key().encode(&mut vec![0; len]).map(<[u8]>::len);
            assert_eq!(refused, Err(CatalogError::BufferTooSmall));
        }
    }
}

/// Every entry with every bit flipped, every byte dropped and every cut, in key and value: whatever
/// is read is written again byte for byte.
#[test]
fn what_is_read_is_written_again() {
    let check = |key: &[u8], value: &[u8]| {
        if let Ok(entry) = CatalogEntry::parse(key, value) {
            assert_eq!(entry_bytes(&entry), (key.to_vec(), value.to_vec()), "{entry:?}");
            1
        } else {
            0
        }
    };
    let changes = |bytes: &[u8]| {
        let mut changed = vec![[bytes, &[0]].concat(), [&[0], bytes].concat()];
        for i in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.to_vec();
                flipped[i] ^= 1 << bit;
                changed.push(flipped);
            }
            changed.push([&bytes[..i], &bytes[i + 1..]].concat());
            changed.push(bytes[..i].to_vec());
        }
        changed
    };
    let mut read = 0;
    for (_, key, value) in entries() {
        read += changes(key).iter().map(|key| check(key, value)).sum::<u32>();
        read += changes(value).iter().map(|value| check(key, value)).sum::<u32>();
    }
    assert!(read > 500, "{read}");
}

#[test]
fn other_keys_are_refused() {
    let key = |name: &[u8], ids: &[u32], rest: &[u8]| {
        let ids: Vec<u8> = ids.iter().flat_map(|id| id.to_be_bytes()).collect();
        [b"\x02", name, &ids, rest].concat()
    };
    let cases = [
        (vec![], CatalogError::NotCatalog),
        (key(b"R.", &[1, 1, 0], b""), CatalogError::NotCatalog),
        (key(b"CTL.VIEW.", &[1, 1], b""), CatalogError::NotCatalog),
        (key(b"CTL.TABLE", &[1, 1], b""), CatalogError::NotCatalog),
        (key(b"ctl.table.", &[1, 1], b""), CatalogError::NotCatalog),
        (key(b"CTL.TABLE.", &[2, 1], b""), CatalogError::NotCatalog),
        (key(b"CTL.TABLE.", &[1], b""), CatalogError::Key),
        (key(b"CTL.TABLE.", &[1], b"\0\0\0"), CatalogError::Key),
        (key(b"CTL.TABLE.", &[1, 1], b"\0"), CatalogError::Key),
        (key(b"CTL.TABLE.", &[1, 1, 1], b""), CatalogError::Key),
        (key(b"CTL.INDEX.", &[1, 1], b""), CatalogError::Key),
        (key(b"CTL.INDEX.", &[1, 1, 0], b"\0"), CatalogError::Key),
        (key(b"CTL.CHECK.", &[1, 1], b"\0\0\0"), CatalogError::Key),
        (key(b"CTL.CHECK.", &[1, 1, 0, 0], b""), CatalogError::Key),
        (key(b"CTL.COLUMN.", &[1, 1], b""), CatalogError::Key),
        (key(b"CTL.COLUMN.", &[1, 1, 1], b""), CatalogError::UnknownType),
        (key(b"CTL.COLUMN.", &[1, 1, 1], b"integer"), CatalogError::UnknownType),
        (key(b"CTL.COLUMN.", &[1, 1, 1], b"INTEGER "), CatalogError::UnknownType),
        (key(b"CTL.COLUMN.", &[1, 1, 1], b"INTEGERS"), CatalogError::UnknownType),
        (key(b"CTL.COLUMN.", &[1, 1, 1], b"DECIMAL"), CatalogError::UnknownType),
        (key(b"CTL.COLUMN.", &[1, 1, 0], b"INTEGER"), CatalogError::ColumnId { column: 0 }),
        (key(b"CTL.COLUMN.", &[1, 0, 0], b"INTEGER"), CatalogError::TableId),
        (key(b"CTL.TABLE.", &[1, 0], b""), CatalogError::TableId),
    ];
    for (key, error) in cases {
        assert_eq!(CatalogKey::parse(&key), Err(error), "{key:?}");
        assert_eq!(CatalogEntry::parse(&key, b"\0\0\0\0\x08id"), Err(error), "{key:?}");
    }
}

#[test]
fn other_values_are_refused() {
    let table = &b"\x02CTL.TABLE.\0\0\0\x01\0\0\0\x01"[..];
    let column = &b"\x02CTL.COLUMN.\0\0\0\x01\0\0\0\x01\0\0\0\x01INTEGER"[..];
    let index = &b"\x02CTL.INDEX.\0\0\0\x01\0\0\0\x01\0\0\0\0"[..];
    let check = &b"\x02CTL.CHECK.\0\0\0\x01\0\0\0\x01\0\0\0\0"[..];
    let cases: [(&[u8], &[u8], CatalogError); 26] = [
        (table, b"", CatalogError::Name),
        (table, b"\xff", CatalogError::Utf8),
        (column, b"", CatalogError::Value),
        (column, b"\0\0\0\0", CatalogError::Value),
        (column, b"\0\0\0\0\x08", CatalogError::Name),
        (column, b"\0\0\0\0\x08\xff", CatalogError::Utf8),
        (column, b"\0\0\0\0\x04id", CatalogError::MaxLength { column: 1 }),
        (column, b"\0\0\0\0\0id", CatalogError::MaxLength { column: 1 }),
        (column, b"\x08\0\0\0\x08id", CatalogError::Flags),
        (column, b"\x80\0\0\0\x08id", CatalogError::Flags),
        (column, b"\x04\0\0\0\x08", CatalogError::Value),
        (column, b"\x04\0\0\0\x08\0", CatalogError::Value),
        (column, b"\x04\0\0\0\x08\0\x03id", CatalogError::Value),
        (column, b"\x04\0\0\0\x08\0\0id", CatalogError::Name),
        (column, b"\x04\0\0\0\x08\0\x02id\xff", CatalogError::Utf8),
        (index, b"", CatalogError::Value),
        (index, b"\x01", CatalogError::Value),
        (index, b"\x02\0\0\0\x01\0", CatalogError::Value),
        (index, b"\x01\0\0\0\x01", CatalogError::Value),
        (index, b"\x01\0\0\0\x01\x01", CatalogError::Value),
        (index, b"\x01\0\0\0\x01\0\0", CatalogError::Value),
        (check, b"", CatalogError::Value),
        (check, b"\x04name", CatalogError::Value),
        (check, b"\x03name", CatalogError::Value),
        (check, b"\x03name(a)", CatalogError::Value),
        (check, b"\0\xff(a)\0", CatalogError::Utf8),
    ];
    for (key, value, error) in cases {
        assert_eq!(CatalogEntry::parse(key, value), Err(error), "{key:?} {value:?}");
    }
}

#[test]
fn names_have_the_length_that_their_field_can_say() {
    let name = "n".repeat(65_536);
    let check = |len: usize| {
        CatalogEntry::Check { table_id: 1, check_id: 0, name: &name[..len], expression: "" }
            .digest()
    };
    assert!(check(1).is_ok() && check(256).is_ok());
    assert_eq!(check(0), Err(CatalogError::Name));
    assert_eq!(check(257), Err(CatalogError::Name));

    let column = |len: usize, default| {
        let column = Column { name: &name[..len], ..ID };
        CatalogEntry::Column { table_id: 1, column, default }.digest()
    };
    assert!(column(65_535, Some("1")).is_ok() && column(65_536, None).is_ok());
    assert_eq!(column(65_536, Some("1")), Err(CatalogError::Name));
    assert_eq!(column(0, None), Err(CatalogError::Name));
}

#[test]
fn creating_a_table_writes_its_key_its_columns_and_its_name() {
    let columns = [ID, Column { not_null: true, ..column(2, "v", ColumnType::Varchar, 40) }];
    let table = Table::new(5, "things", &columns, &[2, 1]).unwrap();
    let digest = |key: &[u8], value: &[u8]| {
        let value = ValueHash::of(value);
        entry_digest(HeaderVersion::V1, &EntryMetadata::default(), key, &value).unwrap()
    };
    let index =
        digest(b"\x02CTL.INDEX.\0\0\0\x01\0\0\0\x05\0\0\0\0", b"\x01\0\0\0\x02\0\0\0\0\x01\0");
    let created: Vec<_> = table.create_digests().collect();
    assert_eq!(
        created,
        [
            Ok(index),
            Ok(digest(b"\x02CTL.COLUMN.\0\0\0\x01\0\0\0\x05\0\0\0\x01INTEGER", b"\0\0\0\0\x08id")),
            Ok(digest(b"\x02CTL.COLUMN.\0\0\0\x01\0\0\0\x05\0\0\0\x02VARCHAR", b"\x01\0\0\0\x28v")),
            Ok(digest(b"\x02CTL.TABLE.\0\0\0\x01\0\0\0\x05", b"things")),
        ]
    );
    assert_eq!(index_digest(5, 0, true, &[2, 1]), Ok(index));
    assert_ne!(index_digest(5, 0, false, &[2, 1]), Ok(index));
    assert_ne!(index_digest(5, 0, true, &[1, 2]), Ok(index));
    assert_eq!(index_digest(5, 0, true, &[]), Err(CatalogError::Value));
}
