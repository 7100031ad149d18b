//! One event under a pinned state: what a device carries that has no room for the whole verifier.

use core::fmt;

use super::body::Payload;
use super::error::ReceiptError;
use super::flaw::Flaw;
use super::known::{Contradicts, Known, Parted};
use super::layout::{next_entry, open, read_count, read_state, read_table, read_tx};
use super::parse::ReceiptEvent;
use super::policy::Policy;

/// Reads a receipt of the simplest kind and verifies it, in half of the code and the stack that
/// [`Receipt::parse`](super::Receipt::parse) and [`verify`](super::Receipt::verify) take: one event, under
/// exactly a state that the policy pins, in the table that the policy names, with nothing attached.
///
/// Whoever issues receipts for such a device makes each under the state that the device has pinned.
///
/// # What success proves
///
/// What [`Verdict::Verified`](super::Verdict::Verified) with [`Anchor::Pinned`](super::Anchor::Pinned)
/// says, which the whole verifier then says too, under this policy: the event with its payload is in the
/// ledger that the pinned state commits to. It accepts nothing that the whole verifier does not verify so.
///
/// # What it does not prove
///
/// What [no receipt](super#what-a-verified-receipt-does-not-prove) does. It does not follow links, signatures
/// or checkpoints, so it verifies nothing newer than the pin and moves no pin.
///
/// # Cost
///
/// Every byte is hashed once for the check and the body once more, two compressions of SHA-256 for each
/// term of a path, and the twelve entries of a genesis where the receipt shows one.
///
/// # Errors
///
/// [`NotPinned`], which says only what a device can do about it.
pub fn verify_pinned<'r>(
    receipt: &'r [u8],
    policy: &Policy<'_>,
) -> Result<ReceiptEvent<'r>, NotPinned> {
    let mut cursor = open(receipt)?;
    let ledger = cursor.array();
    let (table_id, genesis) = read_table(&mut cursor);
    let state = read_state(&mut cursor);
    let transactions = read_count(&mut cursor);
    let tx = read_tx(&mut cursor, &state.header);
    if cursor.holds() && (transactions, tx.events) != (1, 1) {
        return Err(NotPinned::OtherKind);
    }
    let event = next_entry(&mut cursor);
    let parts = cursor.u32();
    if parts != 0 {
        return Err(NotPinned::OtherKind);
    }
    cursor.finish()?;

    let body = &event.body;
    if matches!(body.payload, Payload::Commitment(_)) {
        return Err(NotPinned::OtherKind);
    }
    let pinned = policy.pin(state.header.id).is_some_and(|pin| pin.alh.as_bytes() == state.alh);
    if policy.ledger.as_bytes() != ledger
        || policy.table != Some(table_id)
        || policy.authors.miss(body, policy.ledger)
        || !pinned
    {
        return Err(NotPinned::OtherPolicy);
    }

    if let Some(genesis) = genesis {
        genesis.check(ledger, table_id).map_err(Flaw::Genesis)?;
    }
    state.check()?;
    state.meets(policy)?;
    let alh = &state.hash_of(&tx.header, Ok(tx.path.into()))?;
    let tx = Known { header: tx.header, alh };
    tx.agrees(&state)?;
    tx.meets(policy)?;
    event.check(&tx.header, table_id, Ok(event.path.into()))?;
    Ok(ReceiptEvent { tx: tx.header.id, ts: tx.header.ts, entry: event.index, body: event.body })
}

/// Why [`verify_pinned`] does not verify a receipt. For what exactly is wrong ask
/// [`Receipt::parse`](super::Receipt::parse) and [`verify`](super::Receipt::verify), elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NotPinned {
    /// The bytes are no receipt, or one that only newer code may know.
    NotReceipt,
    /// A receipt of several events, or of one whose payload is kept elsewhere, or with links, signatures or a
    /// checkpoint attached. The whole verifier can say what it shows.
    OtherKind,
    /// It is about another ledger, another table, a state that is not pinned, or by no author that the
    /// policy demands.
    OtherPolicy,
    /// Something does not hold.
    Broken,
}

impl From<ReceiptError> for NotPinned {
    fn from(_: ReceiptError) -> Self {
        Self::NotReceipt
    }
}

impl From<Flaw> for NotPinned {
    fn from(_: Flaw) -> Self {
        Self::Broken
    }
}

impl From<Parted> for NotPinned {
    fn from(_: Parted) -> Self {
        Self::Broken
    }
}

impl From<Contradicts> for NotPinned {
    fn from(_: Contradicts) -> Self {
        Self::Broken
    }
}

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotReceipt => "not a receipt",
            Self::OtherKind => "not one event with its payload and nothing attached",
            Self::OtherPolicy => "not of the policy's ledger, table, pinned state and authors",
            Self::Broken => "something in the receipt does not hold",
        })
    }
}

impl core::error::Error for NotPinned {}
