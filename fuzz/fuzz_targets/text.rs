//! Digests and states are written in one way.
#![no_main]

use counterfoil_core::{Alh, TrustedState, TxId};
use counterfoil_fuzz::Change;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u64, [u8; 32], Vec<Change>)| {
    let (tx, alh, changes) = input;
    let state = TrustedState { tx: TxId::new(tx), alh: Alh::new(alh) };
    for honest in [state.to_string(), state.alh.to_string()] {
        let mut text = honest.clone().into_bytes();
        changes.iter().for_each(|change| change.apply(&mut text));
        let Ok(text) = String::from_utf8(text) else { continue };
        let alh = text.parse::<Alh>().map(|alh| alh.to_string());
        let state = text.parse::<TrustedState>().map(|state| state.to_string());
        assert!(alh.is_ok() || state.is_ok() || text != honest);
        for written in [alh, state].into_iter().flatten() {
            assert_eq!(written, text);
        }
    }
});
