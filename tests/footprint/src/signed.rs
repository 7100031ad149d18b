//! The same where a log's checkpoint may vouch: what a device needs whose pin is to move.

use core::slice;

use counterfoil_core::checkpoint::{KeyName, LogKey, LogPolicy};
use counterfoil_core::receipt::Policy;
use counterfoil_core::{Alh, Ed25519Key, TrustedState, TxId};

use crate::judge;

/// Verifies a receipt under one pinned state and one log, whose name is UTF-8 of `name_len` bytes.
/// Gives the verdict's code, 0 for a policy that is none.
///
/// # Safety
///
/// `receipt` points at `len` bytes, `name` at `name_len`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verify_signed_receipt(
    receipt: *const u8,
    len: usize,
    ledger: &[u8; 32],
    pin_tx: u64,
    pin_alh: &[u8; 32],
    name: *const u8,
    name_len: usize,
    key: &[u8; 32],
) -> u8 {
    // SAFETY: the caller's promise.
    let (receipt, name) =
        unsafe { (slice::from_raw_parts(receipt, len), slice::from_raw_parts(name, name_len)) };
    let Some(log) = log_key(name, key) else { return 0 };
    let (logs, pins) = ([log], [TrustedState { tx: TxId::new(pin_tx), alh: Alh::new(*pin_alh) }]);
    let Ok(log) = LogPolicy::new(&logs) else { return 0 };
    let policy = Policy::new(Alh::new(*ledger)).with_table(1).with_log_policy(log);
    match policy.and_then(|policy| policy.with_pins(&pins)) {
        Ok(policy) => judge(receipt, &policy),
        Err(_) => 0,
    }
}

fn log_key<'a>(name: &'a [u8], key: &[u8; 32]) -> Option<LogKey<'a>> {
    let name = KeyName::new(core::str::from_utf8(name).ok()?).ok()?;
    Some(LogKey::new(name, Ed25519Key::from_bytes(key).ok()?))
}
