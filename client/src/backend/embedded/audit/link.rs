//! The straight way through a ledger file: transactions that are what they
//! should be, linked where they lie.
//!
//! Everything is recomputed here as on the other way ([`super::AuditedFile::derive`]); only
//! that at the first thing that is not as it should be nothing is said at all,
//! and the transaction is left to that one.

use counterfoil_core::receipt::{EventBody, Payload};
use counterfoil_core::{
    Alh, EntryDigest, EntryMetadata, Frontier, HeaderVersion, KeyBeginning, Root, Table, TxId,
    Value, ValueHash,
};

use super::chunk::{Chunk, Row, Tx};
use super::{TABLE_ID, impossible};
use crate::body::EventBody as StoredBody;
use crate::error::Result;
use crate::event::PayloadCommitment;
use crate::index::rules::{BySomebody, Claim};
use crate::index::{InAppend, PlacedRow, Position, correlation, seen_before};
use crate::log::{LogEnd, TxRecord};
use crate::payloads::erasure::{self, Outside};
use crate::schema;

/// A transaction that continues the log, with all of its rows events.
pub(crate) struct Linked {
    pub(crate) id: TxId,
    pub(crate) ts: i64,
    pub(crate) eh: Root,
    pub(crate) alh: Alh,
    pub(crate) own: InOwnLog,
}

impl Linked {
    /// What a log keeps of it.
    pub(crate) fn record(&self, rows: &[LinkedRow<'_>]) -> TxRecord {
        TxRecord {
            id: self.id,
            ts: self.ts,
            version: HeaderVersion::V1,
            // A transaction has far fewer than 2^32 entries.
            nentries: rows.len() as u32,
            eh: self.eh,
            bl_tx_id: TxId::new(self.id.get() - 1),
            alh: self.alh,
            digests: Some(rows.iter().map(|row| row.row.digest).collect()),
            truncated: None,
            opaque: false,
        }
    }
}

/// What this client's own log has in a transaction's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InOwnLog {
    /// The same, or nothing.
    Same,
    /// Something else.
    Other,
}

/// A row that is an event as far as it says itself.
pub(crate) struct LinkedRow<'a> {
    pub(crate) row: PlacedRow<'a>,
    pub(crate) domain: &'a [u8],
    pub(crate) outside: Option<Outside>,
}

pub(crate) struct Linker {
    table: Table<'static>,
    /// The last stream, and what all keys of its rows begin with.
    last: (Vec<u8>, Option<KeyBeginning>),
    /// The place in the chunk.
    at: At,
}

#[derive(Default)]
struct At {
    tx: usize,
    row: usize,
    own: usize,
}

impl Linker {
    pub(crate) fn new() -> Result<Self> {
        let table = schema::table(TABLE_ID).map_err(impossible)?;
        Ok(Self { table, last: (Vec::new(), None), at: At::default() })
    }

    /// Begins with a new chunk.
    pub(crate) fn begin(&mut self) {
        self.at = At::default();
    }

    /// The chunk's transaction that comes next in the log, if nothing about
    /// it asks for a second look. Its rows are put into `rows`.
    pub(crate) fn link<'a>(
        &mut self,
        chunk: &'a Chunk,
        end: &LogEnd,
        rows: &mut Vec<LinkedRow<'a>>,
    ) -> Option<Linked> {
        let id = end.next_id();
        // The genesis is unlike all others.
        if id.get() == 1 || chunk.left {
            return None;
        }
        let tx = self.tx(chunk, id)?;
        let here = self.rows(chunk, id);
        let nentries = u32::try_from(here.len()).ok().filter(|n| *n > 0)?;
        if tx.nentries != i64::from(nentries) {
            return None;
        }
        rows.clear();
        for (row, entry) in here.iter().zip(0..) {
            let pos = Position::new(id, entry);
            if row.pos != pos.raw() {
                return None;
            }
            rows.push(self.row(pos, &chunk.values[row.value.clone()?])?);
        }
        let eh = root(rows);
        let alh = end.next_header(tx.ts, nentries, eh).alh().ok()?;
        if alh != tx.alh {
            return None;
        }
        let own = self.compare(chunk, tx, eh, rows);
        Some(Linked { id, ts: tx.ts, eh, alh, own })
    }

    fn tx<'a>(&mut self, chunk: &'a Chunk, id: TxId) -> Option<&'a Tx> {
        while chunk.txs.get(self.at.tx).is_some_and(|tx| tx.id < id.get()) {
            self.at.tx += 1;
        }
        chunk.txs.get(self.at.tx).filter(|tx| tx.id == id.get())
    }

    /// The rows that stand in a transaction's place.
    fn rows<'a>(&mut self, chunk: &'a Chunk, id: TxId) -> &'a [Row] {
        let end = Position::end_of(id).raw();
        while chunk.rows.get(self.at.row).is_some_and(|row| row.pos < Position::new(id, 0).raw()) {
            self.at.row += 1;
        }
        let first = self.at.row;
        while chunk.rows.get(self.at.row).is_some_and(|row| row.pos <= end) {
            self.at.row += 1;
        }
        &chunk.rows[first..self.at.row]
    }

    /// A stored value that is an event of the table in its one encoding. What
    /// does not decode, and what is a row and no event, is not for here.
    fn row<'a>(&mut self, pos: Position, value: &'a [u8]) -> Option<LinkedRow<'a>> {
        let mut columns = [None; 7];
        self.table.decode_value(value, &mut columns).ok()?;
        let [
            Some(Value::Blob(domain)),
            Some(Value::Blob(edition)),
            Some(Value::Blob(root)),
            Some(Value::Integer(event_number)),
            Some(Value::Blob(ext)),
            Some(Value::Integer(seen_tx)),
            Some(Value::Blob(stored)),
        ] = columns
        else {
            return None;
        };
        let body = EventBody::parse(stored).ok()?;
        let ext: &[u8; 32] = ext.try_into().ok()?;
        let agree = domain == body.domain.as_bytes()
            && edition == body.edition.as_bytes()
            && root == body.root
            && u64::try_from(event_number) == Ok(body.event_number)
            && u64::try_from(seen_tx) == Ok(body.seen_tx)
            && *ext == body.ext()
            && seen_before(body.seen_tx, pos.tx()).is_ok();
        if !agree {
            return None;
        }
        // Behind the number of columns: three of them, each with its number
        // and its length.
        let stream = value.get(4..4 + 3 * 8 + domain.len() + edition.len() + root.len())?;
        // A value that decodes is the one encoding of its row.
        let digest = self.digest(stream, &columns, event_number, &ValueHash::of(value))?;
        let outside = match body.payload {
            _ if body.domain == erasure::DOMAIN => {
                erasure::outside(&StoredBody::decode(stored).ok()?)
            }
            Payload::Commitment(hash) => {
                Some(Outside::Committed(PayloadCommitment::from_bytes(*hash)))
            }
            Payload::Inline(_) => None,
        };
        let claim = Claim::Event {
            ext,
            prev_event: body.prev_event,
            seen_tx: body.seen_tx,
            seen_alh: body.seen_alh,
            append: InAppend {
                id: *body.append_id,
                index: body.append_index,
                count: body.append_count,
            },
            signed: body.author.is_some().then_some(BySomebody::Stored(stored)),
        };
        let correlation = correlation(body.correlation_id);
        let row = PlacedRow { pos, stream, event_number, digest, claim, correlation };
        Some(LinkedRow { row, domain, outside })
    }

    /// The digest of a row's entry. All that the rows of a stream have in
    /// common is hashed once for those that follow each other.
    fn digest(
        &mut self,
        stream: &[u8],
        columns: &[Option<Value<'_>>; 7],
        event_number: i64,
        value: &ValueHash,
    ) -> Option<EntryDigest> {
        if self.last.0 != stream || self.last.1.is_none() {
            let mut key = [0; counterfoil_core::MAX_KEY_LEN];
            let key = self.table.encode_key(columns, &mut key).ok()?;
            let common = key.get(..key.len().checked_sub(size_of::<i64>())?)?;
            let metadata = EntryMetadata::default();
            let begun = KeyBeginning::new(HeaderVersion::V1, &metadata, key.len(), common).ok()?;
            self.last.0.clear();
            self.last.0.extend_from_slice(stream);
            self.last.1 = Some(begun);
        }
        // As the number ends the key: in the order of its bytes.
        let number = event_number.cast_unsigned() ^ 1 << 63;
        self.last.1.as_ref()?.entry_digest(&number.to_be_bytes(), value)
    }

    /// Whether this client's own log has the same, byte for byte.
    fn compare(&mut self, chunk: &Chunk, tx: &Tx, eh: Root, rows: &[LinkedRow<'_>]) -> InOwnLog {
        if chunk.own_failed {
            return InOwnLog::Other;
        }
        while chunk.own.get(self.at.own).is_some_and(|own| own.id < tx.id) {
            self.at.own += 1;
        }
        let Some(own) = chunk.own.get(self.at.own).filter(|own| own.id == tx.id) else {
            return InOwnLog::Same;
        };
        let Some(own) = &own.plain else { return InOwnLog::Other };
        let (digests, rest) = chunk.digests[own.digests.clone()].as_chunks::<32>();
        let same = own.ts == tx.ts
            && own.nentries == tx.nentries
            && own.alh == *tx.alh.as_bytes()
            && own.eh.map_or(rows.len() == 1, |own| own == eh.to_bytes())
            && rest.is_empty()
            && digests.iter().eq(rows.iter().map(|row| row.row.digest.as_bytes()));
        if same { InOwnLog::Same } else { InOwnLog::Other }
    }
}

fn root(rows: &[LinkedRow<'_>]) -> Root {
    if let [only] = rows {
        return Root::new(only.row.digest.leaf_hash().to_bytes());
    }
    let mut tree = Frontier::new();
    for row in rows {
        // A transaction has far fewer than 2^64 entries.
        let _ = tree.push(row.row.digest.leaf_hash());
    }
    tree.root()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{Author, StoredPayload};
    use crate::golden::example_body;
    use crate::index::{NewRow, RowContent, put_stream};
    use crate::row::StoredRow;

    fn stored(body: &StoredBody) -> StoredRow {
        crate::proof::row_of(body, body.encode())
    }

    fn bodies() -> Vec<StoredBody> {
        let example = example_body();
        let author = Author { key: [1; 32], signature_r: [2; 32], signature_s: [3; 32] };
        let erasure = erasure::event(PayloadCommitment::from_bytes([5; 32]), "request 77");
        vec![
            example.clone(),
            StoredBody { event_number: 1 << 40, prev_event: [7; 32], ..example.clone() },
            StoredBody { edition: "draft".into(), external_id: String::new(), ..example.clone() },
            StoredBody { payload: StoredPayload::Commitment([4; 32]), ..example.clone() },
            StoredBody { author: Some(author), root: vec![0xff; 128].into(), ..example.clone() },
            StoredBody {
                domain: erasure.cover.domain,
                root: erasure.cover.root,
                event_type: erasure.event_type,
                payload: StoredPayload::Inline("request 77".into()),
                correlation_id: String::new(),
                external_id: String::new(),
                metadata: Vec::new(),
                ..example
            },
        ]
    }

    /// What the two ways make of a stored value.
    fn both(linker: &mut Linker, tx: TxId, value: &[u8]) -> bool {
        let table = schema::table(TABLE_ID).unwrap();
        let closely = schema::decode_value(&table, value).ok().map(|row| {
            let digest = schema::row_digest(&table, &row).unwrap();
            NewRow::new(digest, &row).at(Position::new(tx, 0))
        });
        let closely = closely.filter(|row| matches!(row.content, RowContent::Event { .. }));
        let linked = linker.row(Position::new(tx, 0), value);
        match (&linked, &closely) {
            (None, None) => return false,
            (Some(linked), Some(closely)) => {
                let mut stream = Vec::new();
                put_stream(closely.key.parts(), &mut stream);
                assert_eq!(linked.row.stream, stream);
                assert_eq!(linked.row.digest, closely.digest);
                assert_eq!(linked.row.event_number, closely.event_number);
                assert_eq!(linked.domain, closely.key.domain);
                let RowContent::Event { outside, correlation, .. } = &closely.content else {
                    panic!()
                };
                assert_eq!((linked.outside, linked.row.correlation), (*outside, *correlation));
                assert_eq!(linked.row.pos, closely.pos);
                let fields = |claim| {
                    let Claim::Event { ext, prev_event, seen_tx, seen_alh, append, signed } = claim
                    else {
                        panic!()
                    };
                    let author = signed.map(|signed| signed.authorship(Alh::ZERO));
                    (*ext, *prev_event, seen_tx, *seen_alh, append, author)
                };
                assert_eq!(fields(linked.row.claim), fields(closely.claim()));
            }
            (linked, _) => panic!("linked: {}, {}", linked.is_some(), hex::encode(value)),
        }
        true
    }

    /// Whatever is changed in a value, both ways make the same of it.
    #[test]
    fn a_row_is_an_event_on_both_ways_or_on_none() {
        let table = schema::table(TABLE_ID).unwrap();
        let (mut linker, mut events) = (Linker::new().unwrap(), 0);
        let tx = TxId::new(2);
        for body in bodies() {
            let honest = stored(&body);
            let value = schema::encode_value(&table, &honest).unwrap();
            assert!(both(&mut linker, tx, &value), "{body:?}");
            assert!(!both(&mut linker, TxId::new(1), &value), "seen before it was written");
            for at in 0..value.len() {
                for bit in 0..8 {
                    let mut value = value.clone();
                    value[at] ^= 1 << bit;
                    events += u32::from(both(&mut linker, tx, &value));
                }
                assert!(!both(&mut linker, tx, &value[..at]));
            }
            // In a value that is a row, so that only the body is looked at.
            for at in 0..honest.body.len() {
                let mut cut = honest.clone();
                cut.body.truncate(at);
                both(&mut linker, tx, &schema::encode_value(&table, &cut).unwrap());
                let mut more = honest.clone();
                more.body.insert(at, 0x80);
                both(&mut linker, tx, &schema::encode_value(&table, &more).unwrap());
            }
        }
        assert!(events > 1000, "{events}");
    }
}
