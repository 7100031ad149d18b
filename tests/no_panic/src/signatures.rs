//! The features `p256` and `ed25519`.

use counterfoil_core::checkpoint::{
    LogKey, LogPolicy, LoggedTx, Quorum, TrustedCheckpoint, WitnessKey,
};
use counterfoil_core::receipt::{Author, EventBody, JudgedEvent, Judgement, Policy, Receipt};
use counterfoil_core::{Ed25519Key, SignedState, StateKey};

functions! {
    StateKey__from_sec1 = StateKey::from_sec1;
    StateKey__from_spki = StateKey::from_spki;
    StateKey__id = StateKey::id;
    StateKey__verify = StateKey::verify;
    Ed25519Key__as_bytes = Ed25519Key::as_bytes;
    Ed25519Key__from_bytes = Ed25519Key::from_bytes;
    Ed25519Key__verify = Ed25519Key::verify;
    SignedState__database = SignedState::database;
    SignedState__state_of = SignedState::state_of;
    Policy__with_state_keys = Policy::with_state_keys;
    Policy__with_authors = Policy::with_authors;
    Policy__demanding_authorship = Policy::demanding_authorship;
    Author__new = Author::new;
    Author__with_domains = Author::with_domains;
    Author__key = Author::key;
    Author__may_write = Author::may_write;
    EventBody__authorship = EventBody::authorship;
    JudgedEvent__authorship_read = JudgedEvent::authorship;
    LogKey__new = LogKey::new;
    LogKey__parse = LogKey::parse;
    LogKey__name = LogKey::name;
    LogKey__id = LogKey::id;
    LogKey__key = LogKey::key;
    LogKey__is_named_by = LogKey::is_named_by;
    LogKey__signature = LogKey::signature;
    LogKey__verify = LogKey::verify;
    WitnessKey__new = WitnessKey::new;
    WitnessKey__parse = WitnessKey::parse;
    WitnessKey__cosignature = WitnessKey::cosignature;
    WitnessKey__verify = WitnessKey::verify;
    Quorum__new = Quorum::new;
    Quorum__witnesses = Quorum::witnesses;
    Quorum__size = Quorum::size;
    LogPolicy__new = LogPolicy::new;
    LogPolicy__with_quorum = LogPolicy::with_quorum;
    LogPolicy__with_latest_time = LogPolicy::with_latest_time;
    LogPolicy__logs = LogPolicy::logs;
    LogPolicy__quorum = LogPolicy::quorum;
    LogPolicy__open = LogPolicy::open;
    LogPolicy__verify_proof = LogPolicy::verify_proof;
    TrustedCheckpoint__checkpoint = TrustedCheckpoint::checkpoint;
    TrustedCheckpoint__witnesses = TrustedCheckpoint::witnesses;
    TrustedCheckpoint__verify_tx = TrustedCheckpoint::verify_tx;
    LoggedTx__tx = LoggedTx::tx;
    LoggedTx__alh = LoggedTx::alh;
    LoggedTx__size = LoggedTx::size;
    LoggedTx__witnesses = LoggedTx::witnesses;
    Policy__with_log_policy = Policy::with_log_policy;
    Judgement__witnesses = Judgement::witnesses;
    Receipt__verify_signed = Receipt::verify;
}
