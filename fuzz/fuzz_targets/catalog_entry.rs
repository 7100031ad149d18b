//! A catalog entry has one key and one value.
#![no_main]

use counterfoil_core::{CatalogEntry, CatalogKey, ColumnType};
use counterfoil_fuzz::Change;
use libfuzzer_sys::fuzz_target;

const TYPES: [ColumnType; 4] =
    [ColumnType::Integer, ColumnType::Varchar, ColumnType::Json, ColumnType::Boolean];

fuzz_target!(|input: ([u8; 2], u32, u32, Vec<Change>, &[u8])| {
    let ([kind, ty], table_id, id, changes, value) = input;
    let key = match kind % 4 {
        0 => CatalogKey::Table { table_id },
        1 => {
            let ty = TYPES[usize::from(ty) % TYPES.len()];
            CatalogKey::Column { table_id, column_id: id, ty }
        }
        2 => CatalogKey::Index { table_id, index_id: id },
        _ => CatalogKey::Check { table_id, check_id: id },
    };
    let written = &mut [0; CatalogKey::MAX_LEN];
    let Ok(key) = key.encode(written) else {
        assert!(table_id == 0 || id == 0, "only what is numbered from 1 has a key");
        return;
    };
    let mut key = key.to_vec();
    changes.iter().for_each(|change| change.apply(&mut key));

    if let Ok(parsed) = CatalogKey::parse(&key) {
        assert_eq!(parsed.encode(written), Ok(&key[..]));
    }
    if let Ok(entry) = CatalogEntry::parse(&key, value) {
        assert_eq!(entry.key().encode(written), Ok(&key[..]));
        let mut written = vec![0; value.len()];
        assert_eq!(entry.encode_value(&mut written), Ok(value));
        entry.digest().expect("an entry that was read has a digest");
    }
});
