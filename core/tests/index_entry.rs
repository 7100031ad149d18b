//! Keys of entries of secondary indexes.

use counterfoil_core::{CatalogError, IndexEntryKey};

fn key(table_id: u32, index_id: u32, columns: &[u8]) -> Vec<u8> {
    [b"\x02M.", &table_id.to_be_bytes()[..], &index_id.to_be_bytes(), columns].concat()
}

#[test]
fn a_key_names_table_index_and_columns() {
    for table_id in [1, 5, u32::MAX] {
        for index_id in [1, 3, u32::MAX] {
            // A NULL is a single 20.
            for columns in [&b"\x20"[..], b"\x80\x80\0\0\0\0\0\x03\xd5", b"\0"] {
                let key = key(table_id, index_id, columns);
                let expected = IndexEntryKey { table_id, index_id, columns };
                assert_eq!(IndexEntryKey::parse(&key), Ok(expected));
            }
        }
    }
}

#[test]
fn another_kind_of_key_is_none() {
    let honest = key(5, 3, b"\x20");
    for place in 0..3 {
        for byte in (0..=u8::MAX).filter(|byte| *byte != honest[place]) {
            let mut other = honest.clone();
            other[place] = byte;
            assert_eq!(IndexEntryKey::parse(&other), Err(CatalogError::NotIndexEntry));
        }
    }
    for other in [&b""[..], b"\x02", b"\x02M", b"M.", b"\x02R.\0\0\0\x01"] {
        assert_eq!(IndexEntryKey::parse(other), Err(CatalogError::NotIndexEntry));
    }
}

#[test]
fn there_is_no_table_0_and_the_primary_index_has_no_entries() {
    for (table_id, index_id) in [(0, 1), (1, 0), (0, 0)] {
        for columns in [&b"\x20"[..], b""] {
            let key = key(table_id, index_id, columns);
            assert_eq!(IndexEntryKey::parse(&key), Err(CatalogError::NotIndexEntry));
        }
    }
}

#[test]
fn a_key_that_is_cut_off_is_refused() {
    let honest = key(5, 3, b"\x20");
    for len in 3..honest.len() {
        assert_eq!(IndexEntryKey::parse(&honest[..len]), Err(CatalogError::Key), "{len}");
    }
}
