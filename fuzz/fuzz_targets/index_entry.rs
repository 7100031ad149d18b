//! Keys of secondary indexes: exactly those parse that have a table, an index and columns, and what
//! is read says which bytes it came from.
#![no_main]

use counterfoil_core::IndexEntryKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|key: &[u8]| {
    let is_one =
        key.len() > 11 && key.starts_with(b"\x02M.") && key[3..7] != [0; 4] && key[7..11] != [0; 4];
    let parsed = IndexEntryKey::parse(key);
    assert_eq!(parsed.is_ok(), is_one, "{parsed:?}");
    if let Ok(parsed) = parsed {
        let table = parsed.table_id.to_be_bytes();
        let index = parsed.index_id.to_be_bytes();
        assert_eq!([b"\x02M.", &table[..], &index, parsed.columns].concat(), key);
    }
});
