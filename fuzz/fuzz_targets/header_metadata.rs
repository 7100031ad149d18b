//! A transaction's metadata has one encoding.
#![no_main]

use counterfoil_core::TxMetadata;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(metadata) = TxMetadata::parse(bytes) {
        let written = &mut [0; TxMetadata::MAX_LEN];
        assert_eq!(metadata.encode(written), Ok(bytes));
    }
});
