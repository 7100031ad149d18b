//! Proofs as JSON: what is read is written and read again the same, and its
//! methods meet nothing they cannot refuse.
#![no_main]

use counterfoil::{EventProof, TrustedState, TxProof};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = serde_json::from_slice::<EventProof>(bytes) {
        let written = serde_json::to_vec(&proof).expect("a proof is plain data");
        assert_eq!(serde_json::from_slice::<EventProof>(&written).ok().as_ref(), Some(&proof));
        let _ = proof.sequence();
    }
    if let Ok(proof) = serde_json::from_slice::<TxProof>(bytes) {
        let alh = proof.ledger;
        let state = TrustedState { tx: proof.state_header.tx, alh };
        assert!(proof.verify(&state).is_err(), "nobody guesses a state's Alh");
    }
});
