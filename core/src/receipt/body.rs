//! The body of an event, and the row that belongs to it (`docs/format.md` §1, §3, §4).

use super::cursor::Cursor;
use super::error::{BodyRule, ReceiptError, ReceiptErrorKind as Kind};
use super::schema::{Row, len4};
use crate::sha256::Sha256;

/// The first byte of an event's body.
const EVENT: u8 = 1;
const MAX_DOMAIN: usize = 64;
const MAX_EDITION: usize = 64;
const MAX_ROOT: usize = 128;
/// The main edition's other name, which is stored as the empty one.
const MAIN_ALIAS: &str = "angzarr";

const EXT_EXTERNAL: &[u8] = b"counterfoil ext external 1";
const EXT_APPEND: &[u8] = b"counterfoil ext append 1";
const COMMITMENT: &[u8] = b"counterfoil payload commitment 1";

/// The body of an event, read from its stored bytes: everything that was recorded of it.
///
/// All other columns of the event's row follow from the body, so whoever has the body has the row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct EventBody<'a> {
    /// The stream's domain, 1 to 64 bytes.
    pub domain: &'a str,
    /// The stream's edition; the main one is empty.
    pub edition: &'a str,
    /// The stream's root, at most 128 bytes.
    pub root: &'a [u8],
    /// The place in the stream, from 0.
    pub event_number: u64,
    /// The event's type.
    pub event_type: &'a str,
    /// The writer's clock, microseconds since 1970: a claim.
    pub recorded_at: i64,
    /// Correlation id, empty for none.
    pub correlation_id: &'a str,
    /// Causation id, empty for none.
    pub causation_id: &'a str,
    /// External id of the append, empty for none.
    pub external_id: &'a str,
    /// What else the application said, by names that rise.
    pub metadata: Metadata<'a>,
    /// The content, or a commitment to it.
    pub payload: Payload<'a>,
    /// The entry digest of the stream's previous event, zeros for the first: the writer's claim, not
    /// compared by a receipt.
    pub prev_event: &'a [u8; 32],
    /// The last transaction that the writer had verified …
    pub seen_tx: u64,
    /// … and its hash: the writer's claim, not compared by a receipt.
    pub seen_alh: &'a [u8; 32],
    /// Random id of the append.
    pub append_id: &'a [u8; 16],
    /// Place in the append, from 0.
    pub append_index: u32,
    /// How many events the append has.
    pub append_count: u32,
    /// Random id of the INSERT.
    pub commit_id: &'a [u8; 16],
    /// Place in the INSERT, from 0.
    pub commit_index: u32,
    /// Ed25519 key and signature (R, s) of an author: a claim until it is checked, see
    /// [`JudgedEvent::authorship`](super::JudgedEvent::authorship).
    pub author: Option<&'a [u8; 96]>,
    /// The bytes that an author signs.
    pub(super) signed: &'a [u8],
}

/// What an event says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Payload<'a> {
    /// The content itself.
    Inline(&'a [u8]),
    /// `H("counterfoil payload commitment 1" ‖ salt (32 bytes) ‖ content)`.
    Commitment(&'a [u8; 32]),
}

impl Payload<'_> {
    /// Whether this is a commitment to this content under this salt.
    pub fn is_commitment_to(&self, salt: &[u8; 32], content: &[u8]) -> bool {
        match self {
            Self::Inline(_) => false,
            Self::Commitment(commitment) => {
                Sha256::of(&[COMMITMENT, salt, content]) == **commitment
            }
        }
    }
}

/// Names and values, in the order of the names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metadata<'a> {
    count: u64,
    /// The pairs, read once already.
    pairs: &'a [u8],
}

impl<'a> Metadata<'a> {
    fn read(cursor: &mut Cursor<'a>, max: usize) -> Self {
        let count = cursor.u64();
        let from = cursor.at();
        let mut previous = None;
        let mut left = count;
        while cursor.next(&mut left) {
            let at = cursor.at();
            let name = cursor.text(max);
            cursor.bytes(max);
            cursor.expect(previous < Some(name), Kind::Body(BodyRule::Metadata), at);
            previous = Some(name);
        }
        Self { count, pairs: cursor.since(from) }
    }

    /// Each name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let mut cursor = Cursor::new(self.pairs);
        let mut left = self.count;
        core::iter::from_fn(move || {
            cursor.next(&mut left).then(|| (cursor.text(usize::MAX), cursor.bytes(usize::MAX)))
        })
    }
}

impl<'a> EventBody<'a> {
    /// The most bytes that a body may have.
    pub const MAX_LEN: usize = 1 << 20;

    /// Reads the bytes of a body. There is one form of each content, and no other passes.
    ///
    /// # Errors
    ///
    /// [`ReceiptErrorKind`](super::ReceiptErrorKind): `UnknownBody`, `Truncated`, `TrailingBytes`,
    /// `NotMinimal`, `TooLarge`, `Utf8`, `Body` with the rule that is broken.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ReceiptError> {
        let mut cursor = Cursor::new(bytes);
        let body = Self::read(&mut cursor);
        cursor.finish().map(|()| body)
    }

    #[inline(never)]
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Self {
        let len = Self::MAX_LEN;
        let start = cursor.at();
        cursor.expect(cursor.left() <= len, Kind::TooLarge, start);
        let format = cursor.u8();
        cursor.expect(format == EVENT, Kind::UnknownBody, start);
        let rule = |cursor: &mut Cursor<'a>, holds, rule| {
            cursor.expect(holds, Kind::Body(rule), start);
        };
        let domain = cursor.text(len);
        rule(cursor, !domain.is_empty() && domain.len() <= MAX_DOMAIN, BodyRule::Domain);
        let edition = cursor.text(len);
        let main = edition == MAIN_ALIAS;
        rule(cursor, edition.len() <= MAX_EDITION && !main, BodyRule::Edition);
        let root = cursor.bytes(MAX_ROOT);
        let event_number = cursor.u64();
        rule(cursor, i64::try_from(event_number).is_ok(), BodyRule::EventNumber);
        let event_type = cursor.text(len);
        let recorded_at = cursor.i64();
        let correlation_id = cursor.text(len);
        let causation_id = cursor.text(len);
        let external_id = cursor.text(len);
        let metadata = Metadata::read(cursor, len);
        let payload = match cursor.u32() {
            0 => Payload::Inline(cursor.bytes(len)),
            1 => Payload::Commitment(cursor.array()),
            _ => {
                rule(cursor, false, BodyRule::Payload);
                Payload::Inline(&[])
            }
        };
        let prev_event = cursor.array();
        rule(cursor, event_number > 0 || *prev_event == [0; 32], BodyRule::PrevEvent);
        let seen_tx = cursor.u64();
        rule(cursor, i64::try_from(seen_tx).is_ok(), BodyRule::SeenTx);
        let seen_alh = cursor.array();
        let append_id = cursor.array();
        let append_index = cursor.u32();
        let append_count = cursor.u32();
        rule(cursor, append_index < append_count, BodyRule::AppendIndex);
        let signed = cursor.since(start);
        let commit_id = cursor.array();
        let commit_index = cursor.u32();
        let author = match cursor.u8() {
            0 => None,
            1 => Some(cursor.array()),
            _ => {
                rule(cursor, false, BodyRule::Author);
                None
            }
        };
        Self {
            domain,
            edition,
            root,
            event_number,
            event_type,
            recorded_at,
            correlation_id,
            causation_id,
            external_id,
            metadata,
            payload,
            prev_event,
            seen_tx,
            seen_alh,
            append_id,
            append_index,
            append_count,
            commit_id,
            commit_index,
            author,
            signed,
        }
    }

    /// The event's id, as it stands in the column `ext`.
    pub fn ext(&self) -> [u8; 32] {
        let (tag, id) = if self.external_id.is_empty() {
            (EXT_APPEND, self.append_id.as_slice())
        } else {
            (EXT_EXTERNAL, self.external_id.as_bytes())
        };
        let mut hash = Sha256::new();
        for part in [tag, self.domain.as_bytes(), self.edition.as_bytes(), id] {
            hash.add(&len4(part.len()));
            hash.add(part);
        }
        hash.add(&self.append_index.to_be_bytes());
        hash.finish()
    }

    /// The row that the body, whose bytes these are, belongs to.
    pub(super) fn row<'r>(&self, ext: &'r [u8; 32], bytes: &'r [u8]) -> Row<'r>
    where
        'a: 'r,
    {
        Row {
            domain: self.domain.as_bytes(),
            edition: self.edition.as_bytes(),
            root: self.root,
            event_number: self.event_number,
            ext,
            seen_tx: self.seen_tx,
            body: bytes,
        }
    }
}
