//! Proofs as values: what a caller keeps.

use counterfoil_core::{
    Alh, Header, HeaderVersion, Root, TrustedState, TxId, TxMetadata, VerifiedTx,
};
use serde::{Deserialize, Serialize};

use crate::body::EventBody;
use crate::local::CheckedTx;
use crate::row::StoredRow;
use crate::verdict::Verdict;
use counterfoil_policy::Bytes;

/// A transaction's header, in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenHeader {
    /// The transaction.
    pub tx: TxId,
    /// The previous transaction's Alh.
    pub prev_alh: Alh,
    /// The ledger's clock, seconds since 1970.
    pub ts: i64,
    /// 0 or 1.
    pub version: u16,
    /// Number of entries.
    pub nentries: u32,
    /// Root over the entries' digests.
    pub eh: Root,
    /// Size of the tree that the header commits to.
    pub bl_tx_id: TxId,
    /// Root over the Alhs of the first `bl_tx_id` transactions.
    pub bl_root: Root,
    /// What a transaction that truncated the database has as metadata: the
    /// transaction up to which it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<TxId>,
}

impl ProvenHeader {
    pub(crate) fn new(header: &Header<'_>) -> Self {
        Self {
            tx: header.id,
            prev_alh: header.prev_alh,
            ts: header.ts,
            version: header.version.number(),
            nentries: header.nentries,
            eh: header.eh,
            bl_tx_id: header.bl_tx_id,
            bl_root: header.bl_root,
            truncated: header.metadata.truncated_tx_id.map(TxId::new),
        }
    }

    pub(crate) fn to_header(self) -> Result<Header<'static>, Verdict> {
        let version = match self.version {
            0 => HeaderVersion::V0,
            1 => HeaderVersion::V1,
            _ => return Err(Verdict::BadProof { reason: "unknown header version".into() }),
        };
        Ok(Header {
            id: self.tx,
            prev_alh: self.prev_alh,
            ts: self.ts,
            version,
            metadata: TxMetadata { truncated_tx_id: self.truncated.map(TxId::get), extra: None },
            nentries: self.nentries,
            eh: self.eh,
            bl_tx_id: self.bl_tx_id,
            bl_root: self.bl_root,
        })
    }
}

/// Proof that an event is in the ledger: the row, its path to the entries'
/// root, the header, its path to the tree of the writer's state.
///
/// It names no state as trusted. [`EventStore::verify_event`](crate::EventStore::verify_event)
/// measures it against the verifier's own log and pin.
///
/// Serialises with serde; as JSON it is some 2 KB beside the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventProof {
    /// The ledger's id: Alh(1).
    pub ledger: Alh,
    /// The table's id in its database.
    pub table_id: u32,
    /// The stored body; all other columns follow from it.
    pub body: Bytes,
    /// The row's place in the transaction, from 0.
    pub entry: u32,
    /// From the row to `header.eh`, sibling first.
    #[serde(with = "hashes")]
    pub entry_path: Vec<[u8; 32]>,
    /// The transaction's header.
    pub header: ProvenHeader,
    /// From the header's Alh to `state_header.bl_root`, sibling first; empty
    /// if the two headers are one.
    #[serde(with = "hashes")]
    pub tx_path: Vec<[u8; 32]>,
    /// The header whose Alh is the writer's state.
    pub state_header: ProvenHeader,
}

impl EventProof {
    /// The transaction that holds the event.
    pub fn tx(&self) -> TxId {
        self.header.tx
    }

    /// What the store gave the event: its place in the stream.
    pub fn sequence(&self) -> Result<u64, Verdict> {
        Ok(self.decode_body()?.event_number)
    }

    pub(crate) fn decode_body(&self) -> Result<EventBody, Verdict> {
        EventBody::decode(self.body.as_slice())
            .map_err(|error| Verdict::BadProof { reason: error.to_string() })
    }
}

/// Proof that a transaction belongs to a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TxProof {
    /// The ledger's id: Alh(1). A label: the proof binds it only where it is
    /// about transaction 1; the state that it is verified under says which
    /// ledger it is.
    pub ledger: Alh,
    /// The transaction's header.
    pub header: ProvenHeader,
    /// From the header's Alh to `state_header.bl_root`, sibling first; empty
    /// if the two headers are one.
    #[serde(with = "hashes")]
    pub tx_path: Vec<[u8; 32]>,
    /// The header whose Alh is the state.
    pub state_header: ProvenHeader,
}

impl TxProof {
    pub(crate) fn new(ledger: Alh, checked: &CheckedTx) -> Self {
        Self {
            ledger,
            header: ProvenHeader::new(&checked.header),
            tx_path: checked.path.clone(),
            state_header: ProvenHeader::new(&checked.state_header),
        }
    }

    /// Verifies the proof under a state that the caller trusts. A proof made
    /// for another state than this one is refused: it says nothing about it.
    pub fn verify(&self, state: &TrustedState) -> Result<VerifiedTx, Verdict> {
        let verified = state.verify_tx(
            &self.state_header.to_header()?,
            &self.header.to_header()?,
            &self.tx_path,
        )?;
        if verified.id() == TxId::new(1) && verified.alh() != self.ledger {
            let reason = "the ledger's id is not its first transaction's Alh";
            return Err(Verdict::BadProof { reason: reason.into() });
        }
        Ok(verified)
    }
}

/// The row whose columns belong to this body.
pub(crate) fn row_of(body: &EventBody, encoded: Vec<u8>) -> StoredRow {
    StoredRow {
        domain: body.domain.as_bytes().to_vec(),
        edition: body.edition.as_bytes().to_vec(),
        root: body.root.as_slice().to_vec(),
        // Decoding has refused numbers that do not fit.
        event_number: crate::sqlite::to_i64(body.event_number),
        ext: body.ext().to_vec(),
        seen_tx: crate::sqlite::to_i64(body.seen_tx),
        body: encoded,
    }
}

/// Hashes as a list of hex strings for people, as bytes for machines.
mod hashes {
    use counterfoil_core::Root;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        hashes: &[[u8; 32]],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(hashes.iter().map(|hash| Root::new(*hash)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<[u8; 32]>, D::Error> {
        let hashes = Vec::<Root>::deserialize(deserializer)?;
        Ok(hashes.into_iter().map(Root::to_bytes).collect())
    }
}
