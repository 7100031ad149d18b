//! prototype
use super::layout::{Entry, next_entry, open, read_count, read_state, read_table, read_tx};
use super::policy::Policy;
use super::body::Payload;
use super::parse::ReceiptEvent;
use super::encode::leaf;
use super::known::Known;
use crate::digest::leaf_hash;
use crate::number::{LeafIndex, TreeSize};
use crate::tree::{Pending, Terms};

/// a
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotPinned {
    /// a
    Format,
    /// a
    Ledger,
    /// a
    Table,
    /// a
    State,
    /// a
    Form,
    /// a
    Genesis,
    /// a
    Tx,
    /// a
    Entry,
    /// a
    SeenTx,
    /// a
    Contradicts,
}

/// a
pub fn verify_pinned<'r>(bytes: &'r [u8], policy: &Policy<'_>) -> Result<ReceiptEvent<'r>, NotPinned> {
    let mut cursor = open(bytes).map_err(|_| NotPinned::Format)?;
    let cursor = &mut cursor;
    let ledger = cursor.array();
    let (table_id, genesis) = read_table(cursor);
    let state = read_state(cursor);
    let count = read_count(cursor);
    let tx = read_tx(cursor, &state.header);
    let Entry { index, path, body, bytes } = next_entry(cursor);
    let parts = cursor.u32();
    cursor.finish().map_err(|_| NotPinned::Format)?;
    if (count, tx.events, parts) != (1, 1, 0) {
        return Err(NotPinned::Form);
    }
    if ledger != policy.ledger.as_bytes() {
        return Err(NotPinned::Ledger);
    }
    if policy.table != Some(table_id) {
        return Err(NotPinned::Table);
    }
    if let Some(genesis) = genesis {
        genesis.check(ledger, table_id).map_err(|_| NotPinned::Genesis)?;
    }
    let pin = state.meets(policy).map_err(|_| NotPinned::Contradicts)?;
    if pin.is_none() || state.header.alh() != *state.alh {
        return Err(NotPinned::State);
    }
    let header = &tx.header;
    let mut alh = *state.alh;
    if header.id != state.header.id {
        let size = state.header.bl_tx_id.tree_size();
        alh = header.alh();
        Pending::inclusion(&leaf_hash(&alh), leaf(header.id), size, path_of(tx.path), state.header.bl_root).and_then(Pending::settle).map_err(|_| NotPinned::Tx)?;
    }
    let known = Known { header: *header, alh: &alh };
    known.agrees(&state).map_err(|_| NotPinned::Contradicts)?;
    known.meets(policy).map_err(|_| NotPinned::Contradicts)?;
    let digest = body.row(&body.ext(), bytes).digest(table_id);
    let (place, size) = (LeafIndex::new(index.into()), TreeSize::new(header.nentries.into()));
    Pending::inclusion(&digest.leaf_hash(), place, size, path_of(path), header.eh).and_then(Pending::settle).map_err(|_| NotPinned::Entry)?;
    if body.seen_tx >= header.id.get() {
        return Err(NotPinned::SeenTx);
    }
    if matches!(body.payload, Payload::Commitment(_)) || policy.authors.miss(&body, policy.ledger) {
        return Err(NotPinned::Form);
    }
    Ok(ReceiptEvent { tx: header.id, ts: header.ts, entry: index, body })
}
fn path_of(p: &[[u8;32]]) -> Terms<'_> { p.into() }
