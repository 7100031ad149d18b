//! Verdicts as data.

use counterfoil_core::receipt::{
    Anchor, Authorship, Flaw, JudgedEvent, Judgement, Missing, Receipt, ReceiptEvent, Verdict,
};
use counterfoil_core::{Alh, StateKeyId, TreeSize, TrustedState, TxAlh, TxId};
use serde::Serialize;

use super::advice::detail;
use crate::event::Event;
use crate::policy::TrustPolicy;
use crate::salted::SaltedPayload;

/// What a receipt shows under a policy.
///
/// Words and codes are those of `docs/receipt.md` §6 and stay what they are; `detail` is for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct VerdictReport {
    /// The verdict itself.
    #[serde(skip)]
    pub of: Verdict,
    /// Its word.
    pub verdict: &'static str,
    /// Its code, two hex digits.
    pub code: String,
    /// What does not hold, or what is missing, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The verdict for people, and what leads on from there.
    pub detail: String,
    /// Where something does not hold, if it is somewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Place>,
    /// What vouches, where something does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<AnchorReport>,
    /// Who has cosigned the receipt's checkpoint, where the policy asks for a quorum and its log has
    /// signed; also where they are too few.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witnesses: Option<WitnessesReport>,
    /// The key by which the receipt says that its state is signed, if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_signature: Option<StateSignatureReport>,
    /// The ledger that the receipt says it is about. `None` if it is no receipt.
    pub ledger: Option<Alh>,
    /// The state that it says it is under.
    pub state: Option<TxAlh>,
    /// The events of which something can be said, in ledger order. None of a receipt that is broken
    /// or that the policy cannot decide: their words would stand there as if they meant something.
    pub events: Vec<EventReport>,
}

/// A place in a receipt, or in its ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Place {
    /// The transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx: Option<TxId>,
    /// The entry's place in it, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u32>,
    /// How many of the receipt's bytes lie before the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte: Option<usize>,
}

/// Why an event is taken to be in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "by")]
#[non_exhaustive]
pub enum AnchorReport {
    /// A pinned state.
    PinnedState {
        /// The state.
        state: TrustedState,
    },
    /// The server's key, which signed a state.
    StateSignature {
        /// The state.
        state: TrustedState,
    },
    /// Witnesses.
    Witnesses {
        /// How many signed.
        signed: u8,
        /// How many there are.
        of: u8,
    },
    /// A log, which signed a checkpoint; no witnesses were asked for.
    Log {
        /// How many transactions the checkpoint's tree has.
        size: TreeSize,
    },
    /// Something that this version has no word for.
    Other,
}

/// How many witnesses have cosigned, and when they say that they did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WitnessesReport {
    /// So many of those on whom the quorum depends …
    pub signed: u8,
    /// … of so many.
    pub of: u8,
    /// The earliest time, Unix seconds: each says that at its time it had seen no larger tree.
    pub oldest: u64,
    /// The latest.
    pub newest: u64,
}

/// Whose signature of its state a receipt holds. Whether it holds, the verdict says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StateSignatureReport {
    /// The name of the key, as the receipt says.
    pub key: StateKeyId,
    /// Whether the policy has a key of this name. If not, the signature was left unread and counts for
    /// nothing.
    pub in_policy: bool,
}

/// What is to be said of an event's author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuthorReport {
    /// The word of `docs/receipt.md` §6.
    pub authorship: &'static str,
    /// The key that signed, in hex. `None` where none did, or its signature does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The name that the policy has for the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An event of a receipt, and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EventReport {
    /// The verdict itself.
    #[serde(skip)]
    pub of: Verdict,
    /// Its word.
    pub verdict: &'static str,
    /// Its code, two hex digits.
    pub code: String,
    /// What vouches for it, where something does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<AnchorReport>,
    /// What is to be said of its author, beside that.
    pub author: AuthorReport,
    /// What it says.
    pub event: Event,
    /// Its place in its stream, as it says.
    pub sequence: u64,
    /// The transaction that holds it.
    pub tx: TxId,
    /// Its place among the transaction's entries, from 0.
    pub entry: u32,
    /// The writer's clock, microseconds since 1970: a claim.
    pub recorded_at: i64,
    /// The ledger's clock, seconds since 1970: a claim.
    pub committed_at: i64,
    /// The content that was shown for its commitment, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<crate::bytes::Bytes>,
}

impl TrustPolicy {
    /// Says what a receipt shows under this policy. `payloads` are contents that are kept outside the
    /// ledger: each is taken for the event that holds a commitment to it, and one that no event does
    /// makes the verdict `broken`, `payload`.
    ///
    /// # What it does not prove
    ///
    /// What no receipt does ([`counterfoil_core::receipt`]).
    pub fn verify(&self, receipt: &[u8], payloads: &[SaltedPayload]) -> VerdictReport {
        match Receipt::parse(receipt) {
            Ok(receipt) => self.with_core(|core| {
                VerdictReport::new(&receipt, &receipt.verify(core), payloads, self)
            }),
            Err(error) => VerdictReport::of(error.into(), None),
        }
    }
}

impl VerdictReport {
    fn of(verdict: Verdict, receipt: Option<&Receipt<'_>>) -> Self {
        let reason = match &verdict {
            Verdict::Broken(flaw) => Some(flaw.word()),
            Verdict::CannotDecide(missing) => Some(missing.word()),
            _ => None,
        };
        Self {
            verdict: verdict.word(),
            code: code(&verdict),
            reason,
            detail: detail(&verdict, receipt),
            at: Place::of(&verdict),
            anchor: AnchorReport::of(&verdict),
            witnesses: None,
            state_signature: None,
            ledger: receipt.map(Receipt::ledger),
            state: receipt.map(Receipt::state),
            events: Vec::new(),
            of: verdict,
        }
    }

    fn new(
        receipt: &Receipt<'_>,
        judgement: &Judgement<'_, '_>,
        payloads: &[SaltedPayload],
        policy: &TrustPolicy,
    ) -> Self {
        let mut whole: Option<Verdict> = None;
        let mut events = Vec::new();
        let mut unused: Vec<&SaltedPayload> = payloads.iter().collect();
        for judged in judgement.events() {
            let payload = &judged.event().body.payload;
            let shown = payloads
                .iter()
                .find(|shown| payload.is_commitment_to(shown.salt(), shown.content().as_slice()));
            unused.retain(|unused| Some(*unused) != shown);
            let verdict = shown.map_or(judged.verdict(), |shown| show(&judged, shown));
            whole = Some(whole.map_or(verdict, |whole| whole.and(verdict)));
            events.extend(EventReport::new(&judged, verdict, shown, policy));
        }
        // What stands above its events stays: a receipt that is broken, or undecided as a whole.
        let mut whole = match judgement.verdict() {
            of @ (Verdict::Broken(_) | Verdict::CannotDecide(_)) => of,
            of => whole.unwrap_or(of),
        };
        // Shown for an event of this receipt, and committed to by none.
        let looked_at =
            !matches!(whole, Verdict::CannotDecide(Missing::Policy { .. } | Missing::Table));
        let first = judgement.events().next().filter(|_| looked_at);
        if let (Some(shown), Some(judged)) = (unused.first(), first) {
            whole = whole.and(show(&judged, shown));
        }
        if matches!(whole, Verdict::Broken(_)) {
            events.clear();
        }
        let witnesses = judgement.witnesses().map(|seen| WitnessesReport {
            signed: seen.signed,
            of: seen.of,
            oldest: seen.oldest,
            newest: seen.newest,
        });
        let state_signature = receipt.state_signature().map(|signature| StateSignatureReport {
            key: signature.key,
            in_policy: policy.has_state_key(signature.key),
        });
        Self { events, witnesses, state_signature, ..Self::of(whole, Some(receipt)) }
    }
}

fn show(judged: &JudgedEvent<'_, '_>, payload: &SaltedPayload) -> Verdict {
    judged.with_payload(payload.salt(), payload.content().as_slice())
}

fn code(verdict: &Verdict) -> String {
    format!("{:02x}", verdict.code())
}

impl Place {
    fn of(verdict: &Verdict) -> Option<Self> {
        let (tx, entry, byte) = match verdict {
            Verdict::Broken(Flaw::Format(error)) => (None, None, Some(error.at)),
            Verdict::CannotDecide(Missing::Version(error)) => (None, None, Some(error.at)),
            Verdict::Broken(flaw) => (flaw.tx(), flaw.entry(), None),
            _ => return None,
        };
        (tx.is_some() || byte.is_some()).then_some(Self { tx, entry, byte })
    }
}

impl AnchorReport {
    fn of(verdict: &Verdict) -> Option<Self> {
        let anchor = match verdict {
            Verdict::Verified(anchor)
            | Verdict::PayloadErased(anchor)
            | Verdict::PayloadUnavailable(anchor)
            | Verdict::PresenceOnly(anchor) => *anchor,
            _ => return None,
        };
        Some(match anchor {
            Anchor::Pinned(state) => Self::PinnedState { state },
            Anchor::Signed(state) => Self::StateSignature { state },
            Anchor::Witnessed { signed, of } => Self::Witnesses { signed, of },
            Anchor::Logged { size } => Self::Log { size },
            _ => Self::Other,
        })
    }
}

impl AuthorReport {
    fn new(authorship: Authorship, policy: &TrustPolicy) -> Self {
        let key = authorship.signed_by();
        Self {
            authorship: authorship.word(),
            key: key.map(hex::encode),
            name: key.and_then(|key| policy.author_name(key)).map(Into::into),
        }
    }
}

impl EventReport {
    /// `None` where nothing can be said of it.
    fn new(
        judged: &JudgedEvent<'_, '_>,
        verdict: Verdict,
        shown: Option<&SaltedPayload>,
        policy: &TrustPolicy,
    ) -> Option<Self> {
        if matches!(verdict, Verdict::Broken(_) | Verdict::CannotDecide(_)) {
            return None;
        }
        let ReceiptEvent { tx, ts, entry, body, .. } = *judged.event();
        Some(Self {
            verdict: verdict.word(),
            code: code(&verdict),
            anchor: AnchorReport::of(&verdict),
            author: AuthorReport::new(judged.authorship(), policy),
            event: Event::from(&body),
            sequence: body.event_number,
            tx,
            entry,
            recorded_at: body.recorded_at,
            committed_at: ts,
            shown: shown.map(|shown| shown.content().clone()),
            of: verdict,
        })
    }
}
