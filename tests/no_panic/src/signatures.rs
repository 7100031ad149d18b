//! The features `p256` and `ed25519`.

use counterfoil_core::receipt::{Policy, Receipt};
use counterfoil_core::{Ed25519Key, SignedState, StateKey};

functions! {
    StateKey__from_sec1 = StateKey::from_sec1;
    StateKey__from_spki = StateKey::from_spki;
    StateKey__verify = StateKey::verify;
    Ed25519Key__as_bytes = Ed25519Key::as_bytes;
    Ed25519Key__from_bytes = Ed25519Key::from_bytes;
    Ed25519Key__verify = Ed25519Key::verify;
    SignedState__database = SignedState::database;
    SignedState__state_of = SignedState::state_of;
    Policy__with_state_keys = Policy::with_state_keys;
    Receipt__verify_signed = Receipt::verify;
}
