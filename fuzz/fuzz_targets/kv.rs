//! Key-value entries: what parses has one encoding, and two different entries never share one.
#![no_main]

use counterfoil_core::{EntryMetadata, HeaderVersion, KvEntry, ValueHash, entry_digest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8], bool, bool)| {
    let (key, value, deleted, v0) = input;
    let Ok(entry) = KvEntry::parse(key, value, deleted) else { return };
    assert!(entry.is_encoded_as(key, value));
    assert!(!entry.is_encoded_as(value, key) || key == value);

    let metadata = EntryMetadata { deleted, ..EntryMetadata::default() };
    let version = if v0 { HeaderVersion::V0 } else { HeaderVersion::V1 };
    // By the bytes, or by the fields: the same digest.
    let by_bytes = entry_digest(version, &metadata, key, &ValueHash::of(value));
    assert_eq!(entry.digest(version, &metadata), by_bytes);
});
