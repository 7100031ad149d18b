//! Writing a receipt.

use super::checkpoint::ReceiptCheckpoint;
use super::cursor::{Count, Put};
use super::error::{ReceiptError, ReceiptErrorKind as Kind};
use super::layout::{
    CHECK_LEN, CHECKPOINT, EARLIER, KEY_ID_LEN, LATER, MAGIC, STATE_SIGNATURE, TABLE_OF_GENESIS,
    TABLE_OF_POLICY, VERSION, check_of,
};
use super::parse::Receipt;
use super::path::shared_terms;
use super::schema::Genesis;
use crate::digest::{Alh, StateKeyId};
use crate::header::{Header, HeaderVersion, TxMetadata};
use crate::number::{LeafIndex, TreeSize, TxId};
use crate::wire::{TooSmall, Writer};

/// What a receipt is made of. Writing checks its form and verifies nothing.
#[derive(Clone, Copy, Debug)]
pub struct ReceiptParts<'a> {
    /// The ledger's id: the hash of its first transaction.
    pub ledger: Alh,
    /// The number of the table of events.
    pub table_id: u32,
    /// How the ledger began, where Counterfoil created it.
    pub genesis: Option<Genesis<'a>>,
    /// The header of the transaction whose state the receipt is under.
    pub state_header: Header<'a>,
    /// The transactions with the events, in rising order.
    pub transactions: &'a [ReceiptTx<'a>],
    /// What ties the state to others.
    pub attached: Attached<'a>,
}

/// A transaction of a receipt.
#[derive(Clone, Copy, Debug)]
pub struct ReceiptTx<'a> {
    /// Its header.
    pub header: Header<'a>,
    /// From its `Alh` to the `bl_root` of the state's header, the leaf's sibling first; empty for the
    /// state's own transaction.
    pub path: &'a [[u8; 32]],
    /// Its events, by rising place.
    pub events: &'a [ReceiptEntry<'a>],
}

/// An event of a receipt.
#[derive(Clone, Copy, Debug)]
pub struct ReceiptEntry<'a> {
    /// Its place among the transaction's entries, from 0.
    pub entry: u32,
    /// From its digest to the transaction's `eh`, the leaf's sibling first.
    pub path: &'a [[u8; 32]],
    /// The body as stored.
    pub body: &'a [u8],
}

/// What a receipt may hold beside the events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Attached<'a> {
    /// To a state before the receipt's: for verifiers who have pinned that one.
    pub earlier: Option<Link<'a>>,
    /// To a state after the receipt's.
    pub later: Option<Link<'a>>,
    /// The server's signature over the receipt's state.
    pub signature: Option<StateSignature<'a>>,
    /// A checkpoint of the tree of the receipt's state. It vouches for every transaction but the state's
    /// own. Verifiers who know none of its logs leave its signatures unread.
    pub checkpoint: Option<ReceiptCheckpoint<'a>>,
}

/// A server's signature over a receipt's state, and whose it is said to be. Nothing of it is verified.
///
/// Verifiers whose policy has no key of this name leave the signature unread; under one that has it, it
/// must be that key's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateSignature<'a> {
    /// The key's name: a claim, which chooses among the verifier's keys and adds none.
    pub key: StateKeyId,
    /// ECDSA on P-256 with SHA-256, in DER.
    pub der: &'a [u8],
}

/// Shows that two states, the receipt's and another one, are of one ledger: immudb's dual proof of
/// version 2, from the older to the newer, without the header that the receipt has already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link<'a> {
    /// The header of the other state.
    pub header: Header<'a>,
    /// The path of the older state's transaction in the newer one's tree.
    pub inclusion: &'a [[u8; 32]],
    /// From the older one's tree to the newer one's, in immudb's form; for the state of transaction 1
    /// from the tree of that transaction alone.
    pub consistency: &'a [[u8; 32]],
}

impl ReceiptParts<'_> {
    /// How many bytes the receipt takes.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode), as far as they are found without reading the result.
    pub fn encoded_len(&self) -> Result<usize, ReceiptError> {
        let mut count = Count::default();
        self.put(&mut count)?;
        self.attached.put(&mut count)?;
        Ok(count.0.saturating_add(CHECK_LEN))
    }

    /// Writes the receipt: [`encoded_len`](Self::encoded_len) bytes. They are read again, so what is
    /// written is one.
    ///
    /// # Errors
    ///
    /// [`ReceiptErrorKind`](super::ReceiptErrorKind): `BufferTooSmall`; `PathsDiffer` for paths that
    /// are not of one tree, and for a state's transaction with another header or a path; `Header`;
    /// and everything for which [`Receipt::parse`] refuses the bytes.
    pub fn encode<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], ReceiptError> {
        let mut writer = Writer::new(out);
        self.put(&mut writer)?;
        self.attached.put(&mut writer)?;
        let len = writer.finish().len();
        finish(out, len)
    }

    fn put<S: Put<Error = TooSmall>>(&self, out: &mut S) -> Result<(), ReceiptError> {
        out.put(MAGIC)?;
        out.put(&[VERSION])?;
        out.put(self.ledger.as_bytes())?;
        out.put_u64(self.table_id.into())?;
        match self.genesis {
            None => out.put(&[TABLE_OF_POLICY])?,
            Some(Genesis { ts, nonce, created_at }) => {
                out.put(&[TABLE_OF_GENESIS])?;
                out.put_i64(ts)?;
                out.put(nonce)?;
                out.put_i64(created_at)?;
            }
        }
        put_state(out, &self.state_header)?;
        out.put_len(self.transactions.len())?;
        let size = self.state_header.bl_tx_id.tree_size();
        let mut previous: Option<&ReceiptTx<'_>> = None;
        for tx in self.transactions {
            out.put_u64(tx.header.id.get())?;
            if tx.header.id == self.state_header.id {
                if tx.header != self.state_header || !tx.path.is_empty() {
                    return Err(paths_differ());
                }
            } else {
                put_header(out, &tx.header)?;
                let before = previous.map(|before| (leaf(before.header.id), before.path));
                out.put_hashes(own(leaf(tx.header.id), tx.path, before, size)?)?;
            }
            tx.put_events(out)?;
            previous = Some(tx);
        }
        Ok(())
    }
}

impl ReceiptTx<'_> {
    fn put_events<S: Put<Error = TooSmall>>(&self, out: &mut S) -> Result<(), ReceiptError> {
        out.put_len(self.events.len())?;
        let size = TreeSize::new(self.header.nentries.into());
        let place = |event: &ReceiptEntry<'_>| LeafIndex::new(event.entry.into());
        let mut previous: Option<&ReceiptEntry<'_>> = None;
        for event in self.events {
            out.put_u64(event.entry.into())?;
            let before = previous.map(|before| (place(before), before.path));
            out.put_hashes(own(place(event), event.path, before, size)?)?;
            out.put_bytes(event.body)?;
            previous = Some(event);
        }
        Ok(())
    }
}

impl Attached<'_> {
    fn put<S: Put<Error = TooSmall>>(&self, out: &mut S) -> Result<(), ReceiptError> {
        let links = [(EARLIER, self.earlier), (LATER, self.later)];
        let count = links.iter().filter(|(_, link)| link.is_some()).count();
        let others = [self.signature.is_some(), self.checkpoint.is_some()];
        out.put_len(others.into_iter().map(usize::from).fold(count, usize::saturating_add))?;
        for (kind, link) in links {
            if let Some(link) = link {
                let mut len = Count::default();
                link.put(&mut len)?;
                out.put(&[kind])?;
                out.put_len(len.0)?;
                link.put(out)?;
            }
        }
        if let Some(signature) = self.signature {
            out.put(&[STATE_SIGNATURE])?;
            out.put_len(signature.der.len().saturating_add(KEY_ID_LEN))?;
            out.put(signature.key.as_bytes())?;
            out.put(signature.der)?;
        }
        if let Some(checkpoint) = self.checkpoint {
            out.put(&[CHECKPOINT])?;
            out.put_bytes(checkpoint.bytes)?;
        }
        Ok(())
    }
}

impl Link<'_> {
    fn put<S: Put<Error = TooSmall>>(&self, out: &mut S) -> Result<(), ReceiptError> {
        put_state(out, &self.header)?;
        out.put_hashes(self.inclusion)?;
        out.put_hashes(self.consistency)?;
        Ok(())
    }
}

impl Receipt<'_> {
    /// Writes the same receipt with these parts in place of those that it has: for whoever gives a
    /// receipt to verifiers with another pin.
    ///
    /// # Errors
    ///
    /// As [`ReceiptParts::encode`].
    pub fn encode_with<'o>(
        &self,
        attached: &Attached<'_>,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], ReceiptError> {
        use crate::wire::Sink;

        let mut writer = Writer::new(out);
        writer.put(self.common)?;
        attached.put(&mut writer)?;
        let len = writer.finish().len();
        finish(out, len)
    }
}

/// Puts the check behind the first `len` bytes, and reads the whole.
fn finish(out: &mut [u8], len: usize) -> Result<&[u8], ReceiptError> {
    let end = len.checked_add(CHECK_LEN).ok_or(TooSmall)?;
    let out = out.get_mut(..end).ok_or(TooSmall)?;
    let (written, check) = out.split_at_mut_checked(len).ok_or(TooSmall)?;
    check.copy_from_slice(&check_of(written));
    Receipt::parse(out)?;
    Ok(out)
}

fn put_state<S: Put<Error = TooSmall>>(
    out: &mut S,
    header: &Header<'_>,
) -> Result<(), ReceiptError> {
    let alh = header.alh().map_err(|error| ReceiptError { kind: Kind::Header(error), at: 0 })?;
    out.put_u64(header.id.get())?;
    out.put(alh.as_bytes())?;
    put_header(out, header)
}

fn put_header<S: Put<Error = TooSmall>>(
    out: &mut S,
    header: &Header<'_>,
) -> Result<(), ReceiptError> {
    let bad = |error| ReceiptError { kind: Kind::Header(error), at: 0 };
    let number = header.version.number();
    if header.version != HeaderVersion::V1 {
        return Err(bad(crate::error::HeaderError::UnknownVersion { version: number }));
    }
    header.check().map_err(bad)?;
    out.put(header.prev_alh.as_bytes())?;
    out.put_i64(header.ts)?;
    let mut metadata = [0; TxMetadata::MAX_LEN];
    out.put_bytes(header.metadata.encode(&mut metadata).map_err(bad)?)?;
    out.put_u64(header.nentries.into())?;
    out.put(header.eh.as_bytes())?;
    let before = header.id.get().saturating_sub(1);
    out.put_u64(before.saturating_sub(header.bl_tx_id.get()))?;
    out.put(header.bl_root.as_bytes())?;
    Ok(())
}

/// The terms of a path that the path before, in the same tree, has not.
fn own<'a>(
    index: LeafIndex,
    path: &'a [[u8; 32]],
    before: Option<(LeafIndex, &[[u8; 32]])>,
    size: TreeSize,
) -> Result<&'a [[u8; 32]], ReceiptError> {
    let Some((earlier, earlier_path)) = before else { return Ok(path) };
    let shared = shared_terms(earlier, index, size);
    let split = |path: &'a [[u8; 32]]| path.split_at_checked(path.len().checked_sub(shared)?);
    let (own, rest) = split(path).ok_or(paths_differ())?;
    if earlier_path.ends_with(rest) { Ok(own) } else { Err(paths_differ()) }
}

/// Transaction 0 is none: its place is outside every tree.
pub(super) fn leaf(tx: TxId) -> LeafIndex {
    tx.leaf_index().unwrap_or(LeafIndex::new(u64::MAX))
}

const fn paths_differ() -> ReceiptError {
    ReceiptError { kind: Kind::PathsDiffer, at: 0 }
}
