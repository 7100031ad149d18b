//! The genesis row's body has one encoding.
#![no_main]

use counterfoil::body::GenesisBody;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(body) = GenesisBody::decode(bytes) {
        assert_eq!(body.encode(), bytes);
    }
});
