//! The layout of a receipt, part by part.
//!
//! ```text
//! receipt     = "CfR" ‖ 01 ‖ ledger [32] ‖ table ‖ state ‖ count ‖ transaction… ‖ count ‖ part…
//!               ‖ the first 8 bytes of H(everything before)
//! table       = number ‖ 00, or number ‖ 01 ‖ ts ‖ nonce [32] ‖ created_at
//! state       = tx ‖ alh [32] ‖ header
//! header      = prev_alh [32] ‖ ts ‖ length ‖ metadata ‖ nentries ‖ eh [32] ‖ lag ‖ bl_root [32]
//! transaction = tx ‖ [header ‖ path, unless it is the state's] ‖ count ‖ event…
//! event       = entry ‖ path ‖ length ‖ body
//! path        = count ‖ hash [32]…
//! part        = kind [1] ‖ length ‖ bytes
//! ```

use super::body::EventBody;
use super::cursor::Cursor;
use super::error::{ReceiptError, ReceiptErrorKind as Kind};
use super::known::Known;
use super::parse::Receipt;
use super::path::MAX_PATH;
use super::schema::Genesis;
use crate::header::{RawHeader, TxMetadata};
use crate::number::TxId;
use crate::sha256::Sha256;

pub(super) const MAGIC: &[u8; 3] = b"CfR";
pub(super) const VERSION: u8 = 1;
/// The table's number is the policy's to know.
pub(super) const TABLE_OF_POLICY: u8 = 0;
/// The receipt shows how the ledger began.
pub(super) const TABLE_OF_GENESIS: u8 = 1;
pub(super) const EARLIER: u8 = 1;
pub(super) const LATER: u8 = 2;
pub(super) const STATE_SIGNATURE: u8 = 3;
pub(super) const CHECKPOINT: u8 = 4;
pub(super) const CHECK_LEN: usize = 8;
/// Nor has one between two trees, in immudb's form.
const MAX_CONSISTENCY: usize = 65;
/// What names the key stands before the signature.
pub(super) const KEY_ID_LEN: usize = 32;
/// DER of two numbers of up to 33 bytes.
pub(super) const MAX_SIGNATURE: usize = 72;

/// A transaction as it stands in the bytes.
pub(super) struct Tx<'a> {
    pub(super) header: RawHeader<'a>,
    /// Its own terms: those that it shares with the transaction before are not there.
    pub(super) path: &'a [[u8; 32]],
    pub(super) events: u32,
}

/// An event as it stands in the bytes.
pub(super) struct Entry<'a> {
    pub(super) index: u32,
    /// As in [`Tx`].
    pub(super) path: &'a [[u8; 32]],
    pub(super) body: EventBody<'a>,
    pub(super) bytes: &'a [u8],
}

/// A link as it stands in the bytes.
pub(super) struct RawLink<'a> {
    pub(super) other: Known<'a>,
    pub(super) inclusion: &'a [[u8; 32]],
    pub(super) consistency: &'a [[u8; 32]],
}

/// What ends a receipt, so that damage is not taken for an attack: no secret is in it.
pub(super) fn check_of(bytes: &[u8]) -> [u8; CHECK_LEN] {
    let [a, b, c, d, e, f, g, h, ..] = Sha256::digest(bytes);
    [a, b, c, d, e, f, g, h]
}

/// What is behind magic and version, once those, the size and the check are right.
pub(super) fn open(bytes: &[u8]) -> Result<Cursor<'_>, ReceiptError> {
    let mut cursor = Cursor::new(bytes);
    let magic = cursor.array() == MAGIC;
    cursor.expect(magic, Kind::NotReceipt, 0);
    let version = cursor.u8();
    cursor.expect(version == VERSION, Kind::UnknownVersion { version }, 3);
    cursor.expect(bytes.len() <= Receipt::MAX_LEN, Kind::TooLarge, cursor.at());
    cursor.check()?;
    // Not by `split_last_chunk`, which has a panic that an optimiser for size does not see through.
    let content = bytes.len().checked_sub(CHECK_LEN);
    let Some((content, check)) = content.and_then(|len| bytes.split_at_checked(len)) else {
        return Err(ReceiptError { kind: Kind::Truncated, at: bytes.len() });
    };
    if check_of(content) != *check {
        return Err(ReceiptError { kind: Kind::Damaged, at: content.len() });
    }
    let begun = cursor.at();
    let mut cursor = Cursor::new(content);
    cursor.take(begun);
    Ok(cursor)
}

pub(super) fn read_table<'a>(cursor: &mut Cursor<'a>) -> (u32, Option<Genesis<'a>>) {
    let at = cursor.at();
    let table_id = cursor.u32();
    cursor.expect(table_id != 0, Kind::TableZero, at);
    let at = cursor.at();
    let genesis = match cursor.u8() {
        TABLE_OF_POLICY => None,
        TABLE_OF_GENESIS => {
            let (ts, nonce, created_at) = (cursor.i64(), cursor.array(), cursor.i64());
            Some(Genesis { ts, nonce, created_at })
        }
        form => {
            cursor.fail(Kind::UnknownTableProof { form }, at);
            None
        }
    };
    (table_id, genesis)
}

pub(super) fn read_state<'a>(cursor: &mut Cursor<'a>) -> Known<'a> {
    let tx = TxId::new(cursor.u64());
    let alh = cursor.array();
    Known { header: read_header(cursor, tx), alh }
}

#[inline(never)]
fn read_header<'a>(cursor: &mut Cursor<'a>, id: TxId) -> RawHeader<'a> {
    let at = cursor.at();
    let prev_alh = cursor.array();
    let ts = cursor.i64();
    let metadata = cursor.bytes(TxMetadata::MAX_LEN);
    let nentries = cursor.u32();
    let eh = cursor.array();
    let lag = cursor.u64();
    let bl_root = cursor.array();
    // A tree cannot lag by more than there is: it would not be behind.
    let bl_tx_id = id.get().checked_sub(1).and_then(|before| before.checked_sub(lag));
    let bl_tx_id = bl_tx_id.map_or(id, TxId::new);
    let header = RawHeader { id, prev_alh, ts, metadata, nentries, eh, bl_tx_id, bl_root };
    if let Err(error) = header.check() {
        cursor.fail(Kind::Header(error), at);
    }
    header
}

pub(super) fn read_count(cursor: &mut Cursor<'_>) -> u32 {
    let at = cursor.at();
    let count = cursor.u32();
    cursor.expect(count != 0, Kind::Empty, at);
    count
}

/// Reads them all and says how many events they have.
pub(super) fn read_transactions<'a>(
    cursor: &mut Cursor<'a>,
    count: u32,
    state: &RawHeader<'a>,
) -> u32 {
    let mut events = 0_u32;
    let mut previous = TxId::new(0);
    let mut left = count.into();
    while cursor.next(&mut left) {
        let at = cursor.at();
        let tx = read_tx(cursor, state);
        cursor.expect(tx.header.id > previous, Kind::Order, at);
        cursor.expect(tx.header.id <= state.id, Kind::NewerThanState, at);
        previous = tx.header.id;
        let mut last = None;
        let mut left = tx.events.into();
        while cursor.next(&mut left) {
            let at = cursor.at();
            let entry = next_entry(cursor);
            cursor.expect(last < Some(entry.index), Kind::Order, at);
            last = Some(entry.index);
            events = events.saturating_add(1);
        }
    }
    events
}

#[inline(never)]
pub(super) fn read_tx<'a>(cursor: &mut Cursor<'a>, state: &RawHeader<'a>) -> Tx<'a> {
    let id = TxId::new(cursor.u64());
    let (header, path): (_, &[_]) = if id == state.id {
        (*state, &[])
    } else {
        (read_header(cursor, id), cursor.hashes(MAX_PATH))
    };
    Tx { header, path, events: read_count(cursor) }
}

#[inline(never)]
pub(super) fn next_entry<'a>(cursor: &mut Cursor<'a>) -> Entry<'a> {
    let index = cursor.u32();
    let path = cursor.hashes(MAX_PATH);
    cursor.part(EventBody::MAX_LEN, |part| {
        let from = part.at();
        let body = EventBody::read(part);
        Entry { index, path, body, bytes: part.since(from) }
    })
}

#[inline(never)]
pub(super) fn read_link<'a>(part: &mut Cursor<'a>) -> RawLink<'a> {
    let other = read_state(part);
    let inclusion = part.hashes(MAX_PATH);
    let consistency = part.hashes(MAX_CONSISTENCY);
    RawLink { other, inclusion, consistency }
}
