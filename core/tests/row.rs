//! The values of rows: one encoding, and what is none.

use std::slice::from_ref;

use counterfoil_core::{Column, ColumnType, RowError, Table, Value};
use proptest::prelude::*;

const fn column(id: u32, name: &str, ty: ColumnType, max_length: u32) -> Column<'_> {
    Column { id, name, ty, max_length, not_null: false, auto_increment: false }
}

/// A column of every type, ids with gaps.
const COLUMNS: [Column<'_>; 9] = [
    column(1, "id", ColumnType::Integer, 8),
    column(2, "flag", ColumnType::Boolean, 1),
    column(4, "text", ColumnType::Varchar, 6),
    column(5, "bytes", ColumnType::Blob, 4),
    column(6, "uuid", ColumnType::Uuid, 16),
    column(9, "time", ColumnType::Timestamp, 8),
    column(10, "float", ColumnType::Float, 8),
    column(11, "json", ColumnType::Json, 0),
    Column { not_null: true, ..column(300, "free", ColumnType::Varchar, 0) },
];

type Row<'a> = [Option<Value<'a>>; 9];

fn table() -> Table<'static> {
    Table::new(7, "all", &COLUMNS, &[1]).unwrap()
}

fn full() -> Row<'static> {
    [
        Some(Value::Integer(-2)),
        Some(Value::Boolean(true)),
        Some(Value::Varchar("Grüß")),
        Some(Value::Blob(&[0, 1, 2, 3])),
        Some(Value::Uuid([9; 16])),
        Some(Value::Timestamp(-1)),
        Some(Value::Float((-1.5_f64).to_bits())),
        Some(Value::Json("{\"a\": 12.50}")),
        Some(Value::Varchar("")),
    ]
}

/// The smallest row: the key and what must not be NULL.
fn small() -> Row<'static> {
    let full = full();
    [full[0], None, None, None, None, None, None, None, full[8]]
}

fn cell(id: u32, bytes: &[u8]) -> Vec<u8> {
    [&id.to_be_bytes()[..], &(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

/// A value of these cells, under whatever count.
fn value(count: u32, cells: &[Vec<u8>]) -> Vec<u8> {
    [&count.to_be_bytes()[..], &cells.concat()].concat()
}

/// The value of the smallest row with one more cell in its place.
fn with_cell(id: u32, bytes: &[u8]) -> Vec<u8> {
    value(3, &[cell(1, &[0; 8]), cell(id, bytes), cell(300, b"x")])
}

fn encode(row: &Row<'_>) -> Vec<u8> {
    let mut buffer = vec![0; table().value_len(row).unwrap()];
    let len = buffer.len();
    let encoded = table().encode_value(row, &mut buffer).unwrap();
    assert_eq!(encoded.len(), len);
    encoded.to_vec()
}

fn decode(bytes: &[u8]) -> Result<Row<'_>, RowError> {
    // Whatever the caller's row held before does not matter.
    let mut row = [Some(Value::Integer(99)); 9];
    let decoded = table().decode_value(bytes, &mut row);
    if decoded.is_err() {
        assert_eq!(row, [None; 9], "a refused value leaves no cells behind");
    }
    decoded.map(|()| row)
}

#[test]
fn a_row_is_written_cell_by_cell() {
    let bytes = value(
        9,
        &[
            cell(1, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]),
            cell(2, &[1]),
            cell(4, "Grüß".as_bytes()),
            cell(5, &[0, 1, 2, 3]),
            cell(6, &[9; 16]),
            cell(9, &[0xff; 8]),
            cell(10, &[0xbf, 0xf8, 0, 0, 0, 0, 0, 0]),
            cell(11, b"{\"a\": 12.50}"),
            cell(300, b""),
        ],
    );
    assert_eq!(encode(&full()), bytes);
    assert_eq!(decode(&bytes), Ok(full()));
    assert_eq!(decode(&encode(&small())), Ok(small()));
    assert_eq!(encode(&small()).len(), 4 + 16 + 8);
}

#[test]
fn every_other_encoding_is_refused() {
    let (a, z) = (cell(1, &[0; 8]), cell(300, b"x"));
    let extra = cell(12, b"");
    let cases: Vec<(&str, Vec<u8>, RowError)> = vec![
        ("nothing", vec![], RowError::Truncated),
        ("half a count", vec![0, 0], RowError::Truncated),
        ("no cells", value(0, &[]), RowError::Null { column: 1 }),
        ("count too small", value(1, &[a.clone(), z.clone()]), RowError::TrailingBytes),
        ("count too large", value(3, &[a.clone(), z.clone()]), RowError::Truncated),
        ("greatest count", value(u32::MAX, &[a.clone(), z.clone()]), RowError::Truncated),
        ("trailing byte", [encode(&full()), vec![0]].concat(), RowError::TrailingBytes),
        ("no key", value(1, from_ref(&z)), RowError::Null { column: 1 }),
        ("NOT NULL absent", value(1, from_ref(&a)), RowError::Null { column: 300 }),
        (
            "repeated",
            value(3, &[a.clone(), a.clone(), z.clone()]),
            RowError::ColumnOrder { column: 1 },
        ),
        ("out of order", value(2, &[z.clone(), a.clone()]), RowError::ColumnOrder { column: 1 }),
        (
            "column 0",
            value(3, &[cell(0, b""), a.clone(), z.clone()]),
            RowError::ColumnOrder { column: 0 },
        ),
        (
            "unknown between",
            value(3, &[a.clone(), extra, z.clone()]),
            RowError::UnknownColumn { column: 12 },
        ),
        (
            "unknown at the end",
            value(3, &[a.clone(), z.clone(), cell(301, b"")]),
            RowError::UnknownColumn { column: 301 },
        ),
        (
            "unknown, greatest",
            value(3, &[a.clone(), z.clone(), cell(u32::MAX, b"")]),
            RowError::UnknownColumn { column: u32::MAX },
        ),
        ("short integer", value(2, &[cell(1, &[0; 7]), z.clone()]), RowError::Length { column: 1 }),
        ("long integer", value(2, &[cell(1, &[0; 9]), z.clone()]), RowError::Length { column: 1 }),
        ("empty integer", value(2, &[cell(1, &[]), z]), RowError::Length { column: 1 }),
        ("boolean 2", with_cell(2, &[2]), RowError::Boolean { column: 2 }),
        ("boolean 255", with_cell(2, &[255]), RowError::Boolean { column: 2 }),
        ("empty boolean", with_cell(2, &[]), RowError::Length { column: 2 }),
        ("long boolean", with_cell(2, &[0, 0]), RowError::Length { column: 2 }),
        ("text too long", with_cell(4, b"1234567"), RowError::TooLong { column: 4 }),
        (
            "text too long in bytes",
            with_cell(4, "äöüß".as_bytes()),
            RowError::TooLong { column: 4 },
        ),
        ("no UTF-8", with_cell(4, &[0xff]), RowError::Utf8 { column: 4 }),
        ("a surrogate", with_cell(4, &[0xed, 0xa0, 0x80]), RowError::Utf8 { column: 4 }),
        ("overlong UTF-8", with_cell(4, &[0xc0, 0x80]), RowError::Utf8 { column: 4 }),
        ("half a character", with_cell(4, &[0xc3]), RowError::Utf8 { column: 4 }),
        ("bytes too long", with_cell(5, &[0; 5]), RowError::TooLong { column: 5 }),
        ("short UUID", with_cell(6, &[0; 15]), RowError::Length { column: 6 }),
        ("long UUID", with_cell(6, &[0; 17]), RowError::Length { column: 6 }),
        ("short time", with_cell(9, &[0; 7]), RowError::Length { column: 9 }),
        ("long time", with_cell(9, &[0; 9]), RowError::Length { column: 9 }),
        ("short float", with_cell(10, &[0; 4]), RowError::Length { column: 10 }),
        ("long float", with_cell(10, &[0; 9]), RowError::Length { column: 10 }),
        ("JSON that is no UTF-8", with_cell(11, &[0x80]), RowError::Utf8 { column: 11 }),
    ];
    for (what, bytes, error) in cases {
        assert_eq!(decode(&bytes), Err(error), "{what}");
    }
    let full = encode(&full());
    for len in 0..full.len() {
        assert_eq!(decode(&full[..len]), Err(RowError::Truncated), "cut to {len}");
    }
}

/// A cell's length may say that it goes on beyond the value, also so far that sums overflow.
#[test]
fn a_length_beyond_the_value_is_refused() {
    for len in [3, 255, 1 << 31, u32::MAX - 8, u32::MAX] {
        let mut bytes = value(2, &[cell(1, &[0; 8]), cell(300, b"xx")]);
        let at = bytes.len() - 6;
        bytes[at..at + 4].copy_from_slice(&len.to_be_bytes());
        assert_eq!(decode(&bytes), Err(RowError::Truncated), "{len}");
    }
}

#[test]
fn a_row_that_its_table_cannot_have_is_not_written() {
    let long = "1234567";
    let changes: [(usize, Option<Value<'_>>, RowError); 12] = [
        (0, None, RowError::Null { column: 1 }),
        (8, None, RowError::Null { column: 300 }),
        (0, Some(Value::Timestamp(1)), RowError::Type { column: 1 }),
        (1, Some(Value::Integer(1)), RowError::Type { column: 2 }),
        (2, Some(Value::Json("")), RowError::Type { column: 4 }),
        (2, Some(Value::Blob(b"")), RowError::Type { column: 4 }),
        (3, Some(Value::Varchar("")), RowError::Type { column: 5 }),
        (5, Some(Value::Integer(1)), RowError::Type { column: 9 }),
        (7, Some(Value::Varchar("")), RowError::Type { column: 11 }),
        (2, Some(Value::Varchar(long)), RowError::TooLong { column: 4 }),
        (2, Some(Value::Varchar("äöüß")), RowError::TooLong { column: 4 }),
        (3, Some(Value::Blob(&[0; 5])), RowError::TooLong { column: 5 }),
    ];
    for (position, cell, error) in changes {
        let mut row = full();
        row[position] = cell;
        assert_eq!(table().encode_value(&row, &mut [0; 200]), Err(error));
        assert_eq!(table().value_len(&row), Err(error));
        assert_eq!(table().entry_digest(&row), Err(error));
    }
    for found in [0, 8, 10] {
        let row = vec![Some(Value::Integer(1)); found];
        let error = RowError::CellCount { expected: 9, found };
        assert_eq!(table().encode_value(&row, &mut [0; 200]), Err(error));
        assert_eq!(table().value_len(&row), Err(error));
        assert_eq!(table().entry_digest(&row), Err(error));
        assert_eq!(table().decode_value(&encode(&full()), &mut vec![None; found]), Err(error));
    }
}

#[test]
fn a_buffer_that_is_too_small_is_refused() {
    let len = encode(&full()).len();
    for small in 0..len {
        let refused = table().encode_value(&full(), &mut vec![0; small]).map(<[u8]>::len);
        assert_eq!(refused, Err(RowError::BufferTooSmall));
    }
    let larger = &mut vec![0xaa; len + 10];
    assert_eq!(table().encode_value(&full(), larger).unwrap(), encode(&full()));
    assert_eq!(larger[len..], [0xaa; 10]);
}

#[test]
fn unlimited_columns_take_long_values() {
    let long = "x".repeat(100_000);
    let mut row = full();
    row[7] = Some(Value::Json(&long));
    row[8] = Some(Value::Varchar(&long));
    assert_eq!(decode(&encode(&row)), Ok(row));

    // A number limits no JSON.
    let columns = [COLUMNS[0], Column { max_length: 4, ..COLUMNS[7] }];
    let table = Table::new(7, "t", &columns, &[1]).unwrap();
    assert!(table.value_len(&[Some(Value::Integer(1)), Some(Value::Json(&long))]).is_ok());
}

prop_compose! {
    fn text(max: usize)(text in ".{0,40}") -> String {
        let mut text = text;
        while text.len() > max {
            text.pop();
        }
        text
    }
}

proptest! {
    #[test]
    fn rows_round_trip(
        (id, flag, uuid) in any::<(i64, Option<bool>, Option<[u8; 16]>)>(),
        (time, float) in any::<(Option<i64>, Option<u64>)>(),
        bytes in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..=4)),
        (text, json) in (proptest::option::of(text(6)), proptest::option::of(text(200))),
        free in text(200),
    ) {
        let row = [
            Some(Value::Integer(id)),
            flag.map(Value::Boolean),
            text.as_deref().map(Value::Varchar),
            bytes.as_deref().map(Value::Blob),
            uuid.map(Value::Uuid),
            time.map(Value::Timestamp),
            float.map(Value::Float),
            json.as_deref().map(Value::Json),
            Some(Value::Varchar(&free)),
        ];
        let bytes = encode(&row);
        prop_assert_eq!(decode(&bytes), Ok(row));
    }

    /// Bytes near an encoding: whatever is read is written again byte for byte.
    #[test]
    fn what_is_read_is_written_again(at in 0..110_usize, byte: u8, cut in 0..3_usize) {
        let mut bytes = encode(&full());
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut);
        if let Ok(row) = decode(&bytes) {
            prop_assert_eq!(encode(&row), bytes);
        }
    }

    #[test]
    fn different_rows_have_different_digests(a in -2..2_i64, b in -2..2_i64, x in text(3), y in text(3)) {
        let with = |id, text| {
            let mut row = small();
            row[0] = Some(Value::Integer(id));
            row[8] = Some(Value::Varchar(text));
            table().entry_digest(&row).unwrap()
        };
        prop_assert_eq!(with(a, &x) == with(b, &y), (a, &x) == (b, &y));
    }
}
