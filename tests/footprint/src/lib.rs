//! What a device calls, and nothing else: the images that `scripts/footprint` measures are these
//! functions and what they reach.
#![no_std]

use core::slice;

use counterfoil_core::receipt::{NotPinned, Policy, Receipt, Verdict, verify_pinned};
use counterfoil_core::{Alh, TrustedState, TxId};

#[cfg(target_os = "none")]
mod memory;
#[cfg(feature = "signed")]
mod signed;
#[cfg(feature = "signed")]
pub use signed::verify_signed_receipt;

/// Verifies a receipt under one pinned state and gives the verdict's code (`docs/receipt.md` §6), 0
/// for a policy that contradicts itself.
///
/// # Safety
///
/// `receipt` points at `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verify_receipt(
    receipt: *const u8,
    len: usize,
    ledger: &[u8; 32],
    pin_tx: u64,
    pin_alh: &[u8; 32],
) -> u8 {
    // SAFETY: the caller's promise.
    let receipt = unsafe { slice::from_raw_parts(receipt, len) };
    under_pin(ledger, pin_tx, pin_alh, |policy| judge(receipt, policy))
}

/// Verifies a receipt of one event under exactly this pinned state: what a device calls that has no room for
/// the whole verifier. Gives the code of `verified_by_pinned_state`, `cannot_decide` or `broken`.
///
/// # Safety
///
/// `receipt` points at `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verify_pinned_receipt(
    receipt: *const u8,
    len: usize,
    ledger: &[u8; 32],
    pin_tx: u64,
    pin_alh: &[u8; 32],
) -> u8 {
    // SAFETY: the caller's promise.
    let receipt = unsafe { slice::from_raw_parts(receipt, len) };
    under_pin(ledger, pin_tx, pin_alh, |policy| match verify_pinned(receipt, policy) {
        Ok(_) => 0x5a,
        Err(NotPinned::OtherKind | NotPinned::OtherPolicy) => 0xcc,
        Err(_) => 0xf0,
    })
}

fn under_pin(
    ledger: &[u8; 32],
    pin_tx: u64,
    pin_alh: &[u8; 32],
    judge: impl FnOnce(&Policy<'_>) -> u8,
) -> u8 {
    let pins = [TrustedState { tx: TxId::new(pin_tx), alh: Alh::new(*pin_alh) }];
    match Policy::new(Alh::new(*ledger)).with_table(1).with_pins(&pins) {
        Ok(policy) => judge(&policy),
        Err(_) => 0,
    }
}

fn judge(receipt: &[u8], policy: &Policy<'_>) -> u8 {
    match Receipt::parse(receipt) {
        Ok(receipt) => receipt.verify(policy).verdict().code(),
        Err(error) => Verdict::from(error).code(),
    }
}

/// A function that can panic, which the count must find.
#[cfg(feature = "self-test")]
#[unsafe(no_mangle)]
pub extern "C" fn element(list: &[u8; 4], index: usize) -> u8 {
    list[index]
}

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
