//! Tables and rows: ids, lengths and values.

use counterfoil_core::*;

use super::CORNERS;

const NUMBERS: [u32; 7] = [0, 1, 2, 1018, 0x7fff_ffff, 0x8000_0000, u32::MAX];

const fn column(id: u32, name: &str, ty: ColumnType, max_length: u32) -> Column<'_> {
    Column { id, name, ty, max_length, not_null: true, auto_increment: false }
}

/// `02 ‖ "R." ‖ 1 u32 ‖ table u32 ‖ 0 u32`, and for a VARCHAR or BLOB five bytes more than its
/// longest.
const MOST: u32 = 1024 - 15 - 5;

#[test]
fn a_key_is_as_long_as_immudb_allows_and_no_longer() {
    for ty in [ColumnType::Varchar, ColumnType::Blob] {
        for max_length in NUMBERS.into_iter().chain([MOST - 1, MOST, MOST + 1]) {
            let columns = [column(1, "k", ty, max_length)];
            let table = Table::new(1, "t", &columns, &[1]);
            match max_length {
                0 => assert_eq!(table, Err(CatalogError::KeyColumn { column: 1 })),
                1..=MOST => assert_eq!(table.unwrap().key_len(), 20 + max_length as usize),
                _ => assert_eq!(table, Err(CatalogError::KeyTooLong)),
            }
        }
    }
    // Many columns that are too long together.
    let columns = [1, 2, 3]
        .map(|id| column(id, ["a", "b", "c"][id as usize - 1], ColumnType::Blob, u32::MAX));
    assert_eq!(Table::new(1, "t", &columns, &[1, 2, 3]), Err(CatalogError::KeyTooLong));
}

#[test]
fn ids_are_any_but_0() {
    for id in NUMBERS {
        let columns = [column(id, "k", ColumnType::Integer, 8)];
        let primary_key = [id];
        let table = Table::new(id, "t", &columns, &primary_key);
        if id == 0 {
            assert_eq!(table, Err(CatalogError::TableId));
            let table = Table::new(1, "t", &columns, &primary_key);
            assert_eq!(table, Err(CatalogError::ColumnId { column: 0 }));
            assert_eq!(
                index_digest(1, 1, true, &[id]),
                Err(CatalogError::IndexColumn { column: 0 })
            );
            continue;
        }
        let table = table.unwrap();
        let row = [Some(Value::Integer(1))];
        let mut buffer = [0; 64];
        let value = table.encode_value(&row, &mut buffer).unwrap();
        assert_eq!(value[4..8], id.to_be_bytes());
        let mut read = [None];
        table.decode_value(value, &mut read).unwrap();
        assert_eq!(read, row);
        assert_eq!(table.with_id(u32::MAX).unwrap().id(), u32::MAX);
        assert!(table.create_digests().all(|digest| digest.is_ok()));
        for index in NUMBERS {
            assert!(index_digest(id, index, true, &[id]).is_ok());
        }
    }
}

#[test]
fn integers_are_read_as_written_and_their_keys_are_in_order() {
    let columns = [column(1, "k", ColumnType::Integer, 8)];
    let table = Table::new(1, "t", &columns, &[1]).unwrap();
    let mut numbers: Vec<i64> = CORNERS.iter().map(|number| number.cast_signed()).collect();
    numbers.sort_unstable();
    let mut last = Vec::new();
    for number in numbers {
        let row = [Some(Value::Integer(number))];
        let (mut key, mut value) = ([0; 64], [0; 64]);
        let key = table.encode_key(&row, &mut key).unwrap();
        assert!(last < key.to_vec(), "{number}");
        assert_eq!(table.check_key(key, &row), Ok(()));
        last = key.to_vec();
        let mut read = [None];
        table.decode_value(table.encode_value(&row, &mut value).unwrap(), &mut read).unwrap();
        assert_eq!(read, row);
    }
}

/// A key counts nanoseconds, a value microseconds: what does not fit is refused.
#[test]
fn times_that_do_not_fit_a_key_are_refused() {
    let columns = [column(1, "k", ColumnType::Timestamp, 8)];
    let table = Table::new(1, "t", &columns, &[1]).unwrap();
    let (least, most) = (i64::MIN / 1000, i64::MAX / 1000);
    for time in [i64::MIN, least - 1, least, -1, 0, 1, most, most + 1, i64::MAX] {
        let row = [Some(Value::Timestamp(time))];
        let mut buffer = [0; 64];
        let key = table.encode_key(&row, &mut buffer);
        if (least..=most).contains(&time) {
            assert!(key.is_ok(), "{time}");
            assert!(table.entry_digest(&row).is_ok());
        } else {
            let error = RowError::TimestampRange { column: 1 };
            assert_eq!(key, Err(error), "{time}");
            assert_eq!(table.entry_digest(&row), Err(error));
        }
        assert!(table.value_len(&row).is_ok());
    }
}

/// Whatever a value says of itself: counts, ids and lengths.
#[test]
fn a_value_that_claims_any_count_or_length_is_judged() {
    let columns = [column(1, "k", ColumnType::Varchar, 9), column(2, "b", ColumnType::Blob, 0)];
    let table = Table::new(1, "t", &columns, &[1]).unwrap();
    let bytes = |count: u32, id: u32, len: u32| {
        let parts = [&count.to_be_bytes()[..], &[0, 0, 0, 1, 0, 0, 0, 1, b'k']].concat();
        [&parts[..], &id.to_be_bytes(), &len.to_be_bytes(), b"bb"].concat()
    };
    for count in NUMBERS {
        for id in NUMBERS {
            for len in NUMBERS {
                let mut row = [None; 2];
                let answer = table.decode_value(&bytes(count, id, len), &mut row);
                assert_eq!(answer.is_ok(), (count, id, len) == (2, 2, 2), "{count} {id} {len}");
            }
        }
    }
}
