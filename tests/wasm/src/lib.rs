//! `verify(receipt, policy_json) → report_json` for WebAssembly, without bindings: what `scripts/footprint`
//! measures and `run.mjs` runs.
//!
//! The host writes the two into memory that [`allocate`] gives, and reads the report where [`verify`]
//! says.

use std::slice;

use counterfoil_core::checkpoint::{LogKey, LogPolicy};
use counterfoil_core::receipt::{Flaw, Missing, Policy, Receipt, Verdict};
use counterfoil_core::{Alh, TrustedState, TxId};
use serde::{Deserialize, Serialize};

/// As much of a policy as this needs, in the keys of the client's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyForm {
    ledger: Alh,
    table: Option<u32>,
    #[serde(default)]
    pins: Vec<TrustedState>,
    #[serde(default)]
    logs: Vec<LogForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogForm {
    /// A verifier key of C2SP signed notes.
    key: String,
}

/// The words and codes of `docs/receipt.md` §6.
#[derive(Serialize)]
struct Report<'a> {
    verdict: &'static str,
    code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    detail: String,
    events: Vec<EventReport<'a>>,
}

#[derive(Serialize)]
struct EventReport<'a> {
    tx: TxId,
    entry: u32,
    verdict: &'static str,
    domain: &'a str,
    #[serde(rename = "type")]
    event_type: &'a str,
}

impl<'a> Report<'a> {
    fn new(verdict: &Verdict, events: Vec<EventReport<'a>>) -> Self {
        let reason = match verdict {
            Verdict::Broken(flaw) => Some(Flaw::word(flaw)),
            Verdict::CannotDecide(missing) => Some(Missing::word(missing)),
            _ => None,
        };
        let (word, code) = (verdict.word(), verdict.code());
        Report { verdict: word, code, reason, detail: verdict.to_string(), events }
    }

    fn json(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|error| error.to_string())
    }
}

/// Of a policy that is none.
#[derive(Serialize)]
struct Refused {
    error: String,
}

/// The report, or why the policy is none.
fn report(receipt: &[u8], policy: &[u8]) -> Result<String, String> {
    let form: PolicyForm = serde_json::from_slice(policy).map_err(|error| error.to_string())?;
    let keys = form.logs.iter().map(|log| LogKey::parse(&log.key));
    let keys = keys.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    let mut policy =
        Policy::new(form.ledger).with_pins(&form.pins).map_err(|error| error.to_string())?;
    if let Some(table) = form.table {
        policy = policy.with_table(table);
    }
    if !keys.is_empty() {
        policy = policy.with_log_policy(LogPolicy::new(&keys).map_err(|error| error.to_string())?);
    }
    let receipt = match Receipt::parse(receipt) {
        Ok(receipt) => receipt,
        Err(error) => return Report::new(&error.into(), Vec::new()).json(),
    };
    let judgement = receipt.verify(&policy);
    let verdict = judgement.verdict();
    // Of a receipt that does not hold nothing is repeated.
    let tells = !matches!(verdict, Verdict::Broken(_) | Verdict::CannotDecide(_));
    let events = judgement.events().filter(|_| tells).map(|judged| {
        let event = judged.event();
        EventReport {
            tx: event.tx,
            entry: event.entry,
            verdict: judged.verdict().word(),
            domain: event.body.domain,
            event_type: event.body.event_type,
        }
    });
    Report::new(&verdict, events.collect()).json()
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
