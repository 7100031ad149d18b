//! An entry's metadata has one encoding.
#![no_main]

use counterfoil_core::EntryMetadata;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(metadata) = EntryMetadata::parse(bytes) {
        assert_eq!(metadata.encode(&mut [0; EntryMetadata::MAX_LEN]), bytes);
    }
});
