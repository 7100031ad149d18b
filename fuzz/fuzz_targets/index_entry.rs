//! Keys of secondary indexes: what parses says which bytes it came from.
#![no_main]

use counterfoil_core::IndexEntryKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|key: &[u8]| {
    let Ok(parsed) = IndexEntryKey::parse(key) else { return };
    let table = parsed.table_id.to_be_bytes();
    let index = parsed.index_id.to_be_bytes();
    assert_eq!([b"\x02M.", &table[..], &index, parsed.columns].concat(), key);
});
