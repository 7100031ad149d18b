//! The event that says that a payload was erased (`docs/format.md` §5).

use crate::body::{EventBody, StoredPayload};
use crate::event::{Cover, Event, PayloadCommitment};

/// The domain of erasures. Nothing else may be written there.
pub(crate) const DOMAIN: &str = "counterfoil.erasure";
const TYPE: &str = "PayloadErased";

/// The longest reason of an erasure, in bytes.
pub const MAX_REASON: usize = 1024;

/// The stream in which the erasure of what is behind a commitment is found.
pub(crate) fn cover(commitment: PayloadCommitment) -> Cover {
    Cover::new(DOMAIN, commitment.as_bytes())
}

/// The erasure.
pub(crate) fn event(commitment: PayloadCommitment, reason: &str) -> Event {
    Event::new(&cover(commitment), TYPE, reason)
}

/// Whether this may be a reason.
pub(crate) fn is_reason(reason: &str) -> bool {
    !reason.is_empty() && reason.len() <= MAX_REASON
}

/// What an event erases and why, if it is an erasure: exactly as
/// [`event`] makes it.
pub(crate) fn read(found: &Event) -> Option<(PayloadCommitment, &str)> {
    let root = found.cover.root.as_slice().try_into().ok()?;
    let commitment = PayloadCommitment::from_bytes(root);
    let reason = std::str::from_utf8(found.payload.inline()?).ok()?;
    (is_reason(reason) && *found == event(commitment, reason)).then_some((commitment, reason))
}

/// What a stored body has to do with payloads outside the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outside {
    /// Its content is there, behind this.
    Committed(PayloadCommitment),
    /// It says that what was behind this is erased.
    Erases(PayloadCommitment),
}

/// What this body has to do with payloads outside the ledger, if anything.
pub(crate) fn outside(body: &EventBody) -> Option<Outside> {
    let event = (body.domain == DOMAIN).then(|| body.to_event());
    if let Some((commitment, _)) = event.as_ref().and_then(read) {
        return Some(Outside::Erases(commitment));
    }
    match &body.payload {
        StoredPayload::Commitment(hash) => {
            Some(Outside::Committed(PayloadCommitment::from_bytes(*hash)))
        }
        StoredPayload::Inline(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Payload;

    #[test]
    fn only_what_is_written_exactly_so_is_an_erasure() {
        let commitment = PayloadCommitment::new(&[1; 32], b"x");
        let honest = event(commitment, "request 77");
        assert_eq!(read(&honest), Some((commitment, "request 77")));
        let longest = "r".repeat(MAX_REASON);
        assert_eq!(read(&event(commitment, &longest)), Some((commitment, &longest[..])));
        let other = |alter: fn(&mut Event)| {
            let mut event = honest.clone();
            alter(&mut event);
            event
        };
        for no_erasure in [
            other(|e| e.cover.domain.push('s')),
            other(|e| e.cover.edition = "draft".into()),
            other(|e| e.cover.root = [1; 31].into()),
            other(|e| e.cover.root = [1; 33].into()),
            other(|e| e.event_type.clear()),
            other(|e| e.payload = "".into()),
            other(|e| e.payload = [0xff].into()),
            other(|e| e.payload = "r".repeat(MAX_REASON + 1).into()),
            other(|e| e.payload = Payload::Commitment(PayloadCommitment::from_bytes([1; 32]))),
            other(|e| drop(e.metadata.insert("a".into(), "b".into()))),
            other(|e| e.correlation_id = "c".into()),
            other(|e| e.causation_id = "c".into()),
            other(|e| e.external_id = "e".into()),
        ] {
            assert_eq!(read(&no_erasure), None, "{no_erasure:?}");
        }
    }
}
