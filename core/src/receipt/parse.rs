//! Reading a receipt.

use super::body::EventBody;
use super::checkpoint::ReceiptCheckpoint;
use super::cursor::Cursor;
use super::encode::{Attached, Link, StateSignature};
use super::error::{ReceiptError, ReceiptErrorKind as Kind};
use super::known::Known;
use super::layout::{
    CHECKPOINT, EARLIER, Entry, LATER, MAX_SIGNATURE, RawLink, STATE_SIGNATURE, Tx, next_entry,
    open, read_count, read_link, read_state, read_table, read_transactions, read_tx,
};
use super::schema::Genesis;
use crate::chain::TxAlh;
use crate::digest::{Alh, StateKeyId};
use crate::number::TxId;

/// A receipt, as its bytes say. Nothing of it is verified: see [`verify`](Self::verify).
///
/// It is little more than where things are, and reads them again when it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Receipt<'a> {
    pub(super) ledger: &'a [u8; 32],
    pub(super) table_id: u32,
    pub(super) genesis: Option<Genesis<'a>>,
    pub(super) state: Known<'a>,
    pub(super) tx_count: u32,
    pub(super) event_count: u32,
    /// The transactions' bytes.
    transactions: &'a [u8],
    /// Everything before the parts.
    pub(super) common: &'a [u8],
    // The bytes of each part, read once already.
    earlier: Option<&'a [u8]>,
    later: Option<&'a [u8]>,
    signature: Option<&'a [u8]>,
    checkpoint: Option<&'a [u8]>,
}

/// An event of a receipt and where it is said to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ReceiptEvent<'a> {
    /// The transaction.
    pub tx: TxId,
    /// When the server says it committed: Unix time in seconds.
    pub ts: i64,
    /// The entry's place in the transaction, from 0.
    pub entry: u32,
    /// The event.
    pub body: EventBody<'a>,
}

impl<'a> Receipt<'a> {
    /// The most bytes that a receipt may have: 16 MiB.
    pub const MAX_LEN: usize = 1 << 24;

    /// Reads the bytes of a receipt: exactly one form of each passes, and none with bytes behind.
    ///
    /// # Errors
    ///
    /// [`ReceiptError`], which says what is wrong and at which byte. Behind the version it is
    /// [`Damaged`](Kind::Damaged) for whatever became of a receipt by chance, cut ones included;
    /// anything else was written so.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ReceiptError> {
        let mut cursor = open(bytes)?;
        let ledger = cursor.array();
        let (table_id, genesis) = read_table(&mut cursor);
        let state = read_state(&mut cursor);
        let tx_count = read_count(&mut cursor);
        let from = cursor.at();
        let event_count = read_transactions(&mut cursor, tx_count, &state.header);
        let transactions = cursor.since(from);
        let common = cursor.since(0);
        let mut receipt = Self {
            ledger,
            table_id,
            genesis,
            state,
            tx_count,
            event_count,
            transactions,
            common,
            earlier: None,
            later: None,
            signature: None,
            checkpoint: None,
        };
        receipt.read_parts(&mut cursor);
        cursor.finish()?;
        Ok(receipt)
    }

    fn read_parts(&mut self, cursor: &mut Cursor<'a>) {
        let mut previous = 0;
        let mut left = cursor.u32().into();
        while cursor.next(&mut left) {
            let at = cursor.at();
            let kind = cursor.u8();
            cursor.expect(kind > previous, Kind::Order, at);
            previous = kind;
            let bytes = cursor.part(Self::MAX_LEN, |part| {
                let from = part.at();
                match kind {
                    EARLIER | LATER => {
                        let (other, state) =
                            (read_link(part).other.header.id, self.state.header.id);
                        // Of two equal ones neither is older.
                        let in_order = other != state && (other < state) == (kind == EARLIER);
                        part.expect(in_order, Kind::LinkOrder, at);
                    }
                    STATE_SIGNATURE => {
                        read_signature(part);
                    }
                    CHECKPOINT => {
                        ReceiptCheckpoint::read(part, &self.state.header);
                    }
                    _ => part.fail(Kind::UnknownPart { kind }, at),
                }
                part.since(from)
            });
            let part = match kind {
                EARLIER => &mut self.earlier,
                LATER => &mut self.later,
                STATE_SIGNATURE => &mut self.signature,
                _ => &mut self.checkpoint,
            };
            *part = Some(bytes);
        }
    }

    /// The id of the ledger that the receipt says it is about.
    pub const fn ledger(&self) -> Alh {
        Alh::new(*self.ledger)
    }

    /// The number of the table of events, as the receipt says.
    pub const fn table_id(&self) -> u32 {
        self.table_id
    }

    /// How the ledger began, if the receipt shows it.
    pub const fn genesis(&self) -> Option<Genesis<'a>> {
        self.genesis
    }

    /// The state under which the events are shown to be in the ledger. It is worth nothing by itself.
    pub const fn state(&self) -> TxAlh {
        self.state.state()
    }

    /// An older state with which the receipt's is shown to be consistent.
    pub fn earlier(&self) -> Option<TxAlh> {
        self.earlier_link().map(|link| link.other.state())
    }

    /// A newer state with which the receipt's is shown to be consistent.
    pub fn later(&self) -> Option<TxAlh> {
        self.later_link().map(|link| link.other.state())
    }

    /// What it holds beside the events. With these same parts
    /// [`encode_with`](Self::encode_with) gives the same bytes, where each link's hash is the one
    /// that its header makes.
    pub fn attached(&self) -> Attached<'a> {
        Attached {
            earlier: self.earlier_link().map(RawLink::link),
            later: self.later_link().map(RawLink::link),
            signature: self.state_signature(),
            checkpoint: self.checkpoint(),
        }
    }

    /// A server's signature over the state.
    pub fn state_signature(&self) -> Option<StateSignature<'a>> {
        self.signature.map(|part| read_signature(&mut Cursor::new(part)))
    }

    /// A checkpoint of the state's tree, with its signatures.
    pub fn checkpoint(&self) -> Option<ReceiptCheckpoint<'a>> {
        ReceiptCheckpoint::read(&mut Cursor::new(self.checkpoint?), &self.state.header)
    }

    /// How many events there are: one or more.
    pub const fn event_count(&self) -> u32 {
        self.event_count
    }

    /// The events, as the receipt says, in ledger order. For what a policy makes of them see
    /// [`Judgement::events`](super::Judgement::events).
    pub fn events(&self) -> impl Iterator<Item = ReceiptEvent<'a>> + use<'a> {
        let receipt = *self;
        let mut cursor = receipt.walk();
        let mut current: Option<Tx<'a>> = None;
        let mut left = 0;
        // Every byte was read before: nothing here can fail.
        core::iter::from_fn(move || {
            while !cursor.next(&mut left) {
                if cursor.left() == 0 {
                    return None;
                }
                let tx = receipt.next_tx(&mut cursor);
                left = tx.events.into();
                current = Some(tx);
            }
            let header = current.as_ref()?.header;
            let Entry { index: entry, body, .. } = next_entry(&mut cursor);
            Some(ReceiptEvent { tx: header.id, ts: header.ts, entry, body })
        })
    }

    pub(super) const fn walk(&self) -> Cursor<'a> {
        Cursor::new(self.transactions)
    }

    pub(super) fn next_tx(&self, cursor: &mut Cursor<'a>) -> Tx<'a> {
        read_tx(cursor, &self.state.header)
    }

    // Both were read before: nothing here can fail.

    pub(super) fn earlier_link(&self) -> Option<RawLink<'a>> {
        self.earlier.map(|bytes| read_link(&mut Cursor::new(bytes)))
    }

    pub(super) fn later_link(&self) -> Option<RawLink<'a>> {
        self.later.map(|bytes| read_link(&mut Cursor::new(bytes)))
    }
}

impl<'a> RawLink<'a> {
    fn link(self) -> Link<'a> {
        let Self { other, inclusion, consistency } = self;
        Link { header: other.header.to_header(), inclusion, consistency }
    }
}

fn read_signature<'a>(part: &mut Cursor<'a>) -> StateSignature<'a> {
    StateSignature { key: StateKeyId::new(*part.array()), der: part.rest(MAX_SIGNATURE) }
}
