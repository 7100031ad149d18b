//! An event's body has one encoding, and decides its row's id alone.
#![no_main]

use counterfoil::body::EventBody;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(body) = EventBody::decode(bytes) {
        assert_eq!(body.encode(), bytes);
        assert_eq!(EventBody::decode(&body.encode()).map(|again| again.ext()), Ok(body.ext()));
    }
});
