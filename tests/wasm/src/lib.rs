//! `verify(receipt, policy_json) → report_json` for WebAssembly, without bindings: what `scripts/footprint`
//! measures and `run.mjs` runs. Policy and report are those of the library and the command line.
//!
//! The host writes the two into memory that [`allocate`] gives, and reads the report where [`verify`]
//! says.

use std::slice;

use counterfoil_policy::TrustPolicy;
use serde::Serialize;

/// Of a policy that is none.
#[derive(Serialize)]
struct Refused {
    error: String,
}

/// The report, or why the policy is none.
fn report(receipt: &[u8], policy: &[u8]) -> Result<String, String> {
    let policy = str::from_utf8(policy).map_err(|error| error.to_string())?;
    let policy = TrustPolicy::from_json(policy).map_err(|error| error.to_string())?;
    serde_json::to_string(&policy.verify(receipt, &[])).map_err(|error| error.to_string())
}

/// Memory of `len` bytes, for the host to write to. It is never given back: a page verifies a few
/// receipts.
#[unsafe(no_mangle)]
pub extern "C" fn allocate(len: usize) -> *mut u8 {
    Box::leak(vec![0; len].into_boxed_slice()).as_mut_ptr()
}

/// Verifies: where the report is, as its address in the upper and its length in the lower half.
///
/// # Safety
///
/// Both are memory of these lengths from [`allocate`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verify(
    receipt: *const u8,
    receipt_len: usize,
    policy: *const u8,
    policy_len: usize,
) -> u64 {
    // SAFETY: the caller's promise.
    let (receipt, policy) = unsafe {
        (slice::from_raw_parts(receipt, receipt_len), slice::from_raw_parts(policy, policy_len))
    };
    let report = report(receipt, policy)
        .unwrap_or_else(|error| serde_json::to_string(&Refused { error }).unwrap_or_default());
    let report: &[u8] = Box::leak(report.into_boxed_str()).as_bytes();
    ((report.as_ptr() as u64) << 32) | report.len() as u64
}
