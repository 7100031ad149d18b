//! The feature `p256`.

use counterfoil_core::receipt::{Policy, Receipt};
use counterfoil_core::{SignedState, StateKey};

functions! {
    StateKey__from_sec1 = StateKey::from_sec1;
    StateKey__from_spki = StateKey::from_spki;
    StateKey__verify = StateKey::verify;
    SignedState__database = SignedState::database;
    SignedState__state_of = SignedState::state_of;
    Policy__with_state_key = Policy::with_state_key;
    Receipt__verify_signed = Receipt::verify;
}
