//! That no feature is on here: else the tests beside this one would say nothing new.

use counterfoil_core::Alh;

/// What there is where no feature adds anything. With `hex`, which `serde` implies, `from_str` is
/// ambiguous, and with `p256` `StateKey` is the verifier's: then this fails.
trait Otherwise {
    fn from_str(_: &str) -> &'static str {
        "no feature"
    }
}

impl Otherwise for Alh {}

mod otherwise {
    pub(crate) struct StateKey;
}

#[test]
fn no_feature_is_on() {
    #[allow(unused_imports)]
    use std::str::FromStr;

    #[allow(unused_imports)]
    use counterfoil_core::*;
    use otherwise::*;

    assert_eq!(Alh::from_str(""), "no feature");
    assert_eq!(size_of::<StateKey>(), 0);
}
