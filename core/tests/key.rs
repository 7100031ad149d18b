//! The keys of rows.

use counterfoil_core::{
    Column, ColumnType, EntryMetadata, HeaderVersion, RowError, Table, Value, ValueHash,
    entry_digest,
};
use proptest::prelude::*;

const fn column(id: u32, name: &str, ty: ColumnType, max_length: u32) -> Column<'_> {
    Column { id, name, ty, max_length, not_null: false, auto_increment: false }
}

/// A column of every type that a key can have, and one that it has not.
const COLUMNS: [Column<'_>; 8] = [
    column(1, "i", ColumnType::Integer, 8),
    column(2, "b", ColumnType::Boolean, 1),
    column(3, "v", ColumnType::Varchar, 4),
    column(4, "bl", ColumnType::Blob, 3),
    column(5, "u", ColumnType::Uuid, 16),
    column(6, "t", ColumnType::Timestamp, 8),
    column(7, "f", ColumnType::Float, 8),
    column(8, "rest", ColumnType::Varchar, 0),
];

fn row() -> [Option<Value<'static>>; 8] {
    [
        Some(Value::Integer(1)),
        Some(Value::Boolean(true)),
        Some(Value::Varchar("ab")),
        Some(Value::Blob(&[0, 0])),
        Some(Value::Uuid([5; 16])),
        Some(Value::Timestamp(1)),
        Some(Value::Float(1.5_f64.to_bits())),
        None,
    ]
}

/// The key of a table whose only key column is this one, without the prefix.
fn part(column: u32, value: Value<'_>) -> Result<Vec<u8>, RowError> {
    let key = [column];
    let table = Table::new(1, "t", &COLUMNS, &key).unwrap();
    let mut row = [None; 8];
    row[column as usize - 1] = Some(value);
    let mut buffer = [0; 100];
    let key = table.encode_key(&row, &mut buffer)?;
    assert_eq!(key.len(), table.key_len());
    assert_eq!(table.check_key(key, &row), Ok(()));
    let prefix = b"\x02R.\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x80";
    Ok(key.strip_prefix(prefix).unwrap().to_vec())
}

#[test]
fn every_type_has_its_part() {
    for (column, value, bytes) in [
        (1, Value::Integer(0), &b"\x80\0\0\0\0\0\0\0"[..]),
        (1, Value::Integer(-1), b"\x7f\xff\xff\xff\xff\xff\xff\xff"),
        (1, Value::Integer(i64::MIN), b"\0\0\0\0\0\0\0\0"),
        (1, Value::Integer(i64::MAX), b"\xff\xff\xff\xff\xff\xff\xff\xff"),
        (2, Value::Boolean(false), b"\0"),
        (2, Value::Boolean(true), b"\x01"),
        (3, Value::Varchar(""), b"\0\0\0\0\0\0\0\0"),
        (3, Value::Varchar("ab"), b"ab\0\0\0\0\0\x02"),
        (3, Value::Varchar("ab\0"), b"ab\0\0\0\0\0\x03"),
        (3, Value::Varchar("äö"), b"\xc3\xa4\xc3\xb6\0\0\0\x04"),
        (4, Value::Blob(b""), b"\0\0\0\0\0\0\0"),
        (4, Value::Blob(b"\0"), b"\0\0\0\0\0\0\x01"),
        (4, Value::Blob(b"\xff\xff\xff"), b"\xff\xff\xff\0\0\0\x03"),
        (5, Value::Uuid([7; 16]), &[7; 16]),
        (6, Value::Timestamp(1), b"\x80\0\0\0\0\0\x03\xe8"),
        (6, Value::Timestamp(-1), b"\x7f\xff\xff\xff\xff\xff\xfc\x18"),
        (7, Value::Float(0.0_f64.to_bits()), b"\x80\0\0\0\0\0\0\0"),
        (7, Value::Float((-0.0_f64).to_bits()), b"\x7f\xff\xff\xff\xff\xff\xff\xff"),
        (7, Value::Float(1.5_f64.to_bits()), b"\xbf\xf8\0\0\0\0\0\0"),
        (7, Value::Float((-1.5_f64).to_bits()), b"\x40\x07\xff\xff\xff\xff\xff\xff"),
        (7, Value::Float(u64::MAX), b"\0\0\0\0\0\0\0\0"),
    ] {
        assert_eq!(part(column, value), Ok(bytes.to_vec()), "{value:?}");
    }
}

#[test]
fn what_a_key_cannot_hold_is_refused() {
    assert_eq!(part(3, Value::Varchar("12345")), Err(RowError::TooLong { column: 3 }));
    assert_eq!(part(3, Value::Varchar("äöü")), Err(RowError::TooLong { column: 3 }));
    assert_eq!(part(4, Value::Blob(&[0; 4])), Err(RowError::TooLong { column: 4 }));
    assert_eq!(part(3, Value::Blob(b"a")), Err(RowError::Type { column: 3 }));
    assert_eq!(part(1, Value::Timestamp(1)), Err(RowError::Type { column: 1 }));

    let last = i64::MAX / 1000;
    assert!(part(6, Value::Timestamp(last)).is_ok());
    assert!(part(6, Value::Timestamp(-last)).is_ok());
    for micros in [last + 1, -last - 1, i64::MAX, i64::MIN] {
        let refused = part(6, Value::Timestamp(micros));
        assert_eq!(refused, Err(RowError::TimestampRange { column: 6 }), "{micros}");
    }
}

/// The key has the columns in the key's order, and its table's number.
#[test]
fn a_key_is_its_parts_in_the_keys_order() {
    let key = [7, 3, 1];
    let table = Table::new(0x01020304, "t", &COLUMNS, &key).unwrap();
    let bytes = b"\x02R.\0\0\0\x01\x01\x02\x03\x04\0\0\0\0\
        \x80\xbf\xf8\0\0\0\0\0\0\x80ab\0\0\0\0\0\x02\x80\x80\0\0\0\0\0\0\x01";
    assert_eq!(table.encode_key(&row(), &mut [0; 100]).unwrap(), bytes);
    assert_eq!(table.key_len(), bytes.len());

    let other = table.with_id(5).unwrap();
    assert_eq!(other.id(), 5);
    assert_eq!(other.check_key(bytes, &row()), Err(RowError::KeyMismatch));
    let moved = [&bytes[..7], &[0, 0, 0, 5], &bytes[11..]].concat();
    assert_eq!(other.check_key(&moved, &row()), Ok(()));
}

#[test]
fn no_other_key_is_the_rows() {
    let key = [1, 2, 3, 4, 5, 6, 7];
    let table = Table::new(1, "t", &COLUMNS, &key).unwrap();
    let mut buffer = [0; 200];
    let bytes = table.encode_key(&row(), &mut buffer).unwrap().to_vec();
    assert_eq!(table.check_key(&bytes, &row()), Ok(()));
    let refused = Err(RowError::KeyMismatch);
    for len in 0..bytes.len() {
        assert_eq!(table.check_key(&bytes[..len], &row()), refused);
        assert_eq!(
            table.encode_key(&row(), &mut vec![0; len]).map(<[u8]>::len),
            Err(RowError::BufferTooSmall)
        );
    }
    assert_eq!(table.check_key(&[&bytes[..], &[0]].concat(), &row()), refused);
    assert_eq!(table.check_key(&[&[0], &bytes[..]].concat(), &row()), refused);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(table.check_key(&flipped, &row()), refused, "bit {bit}");
    }
}

#[test]
fn a_key_needs_its_columns_and_only_those() {
    let key = [1, 3];
    let table = Table::new(1, "t", &COLUMNS, &key).unwrap();
    let mut only_key = [None; 8];
    only_key[0] = row()[0];
    only_key[2] = row()[2];
    let mut buffer = [0; 100];
    let bytes = table.encode_key(&only_key, &mut buffer).unwrap();
    assert_eq!(table.check_key(bytes, &row()), Ok(()));

    for position in [0, 2] {
        let mut without = row();
        without[position] = None;
        let null = RowError::Null { column: position as u32 + 1 };
        assert_eq!(table.encode_key(&without, &mut [0; 100]), Err(null));
        assert_eq!(table.check_key(bytes, &without), Err(null));
    }
    for found in [0, 7, 9] {
        let refused = table.check_key(bytes, &vec![row()[0]; found]);
        assert_eq!(refused, Err(RowError::CellCount { expected: 8, found }));
    }
}

#[test]
fn the_digest_of_a_row_is_that_of_its_entry() {
    let key = [4, 1];
    let table = Table::new(9, "t", &COLUMNS, &key).unwrap();
    let (key, value) = (&mut [0; 100], &mut [0; 200]);
    let key = table.encode_key(&row(), key).unwrap();
    let value = ValueHash::of(table.encode_value(&row(), value).unwrap());
    assert_eq!(
        table.entry_digest(&row()).unwrap(),
        entry_digest(HeaderVersion::V1, &EntryMetadata::default(), key, &value).unwrap()
    );
}

proptest! {
    /// Bytewise order of keys is the order of the values, so different values have different keys.
    #[test]
    fn keys_are_in_the_order_of_their_values(
        (a, b) in any::<(i64, i64)>(),
        s in proptest::collection::vec(any::<u8>(), 0..=3),
        t in proptest::collection::vec(any::<u8>(), 0..=3),
        (f, g) in any::<(f64, f64)>(),
    ) {
        let key = |column, value| part(column, value).unwrap();
        prop_assert_eq!(key(1, Value::Integer(a)).cmp(&key(1, Value::Integer(b))), a.cmp(&b));
        let (x, y) = (a / 1000, b / 1000);
        prop_assert_eq!(key(6, Value::Timestamp(x)).cmp(&key(6, Value::Timestamp(y))), x.cmp(&y));
        prop_assert_eq!(key(4, Value::Blob(&s)).cmp(&key(4, Value::Blob(&t))), s.cmp(&t));
        let (x, y) = (Value::Float(f.to_bits()), Value::Float(g.to_bits()));
        prop_assert_eq!(key(7, x).cmp(&key(7, y)), f.total_cmp(&g));
    }
}
