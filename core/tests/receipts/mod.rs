//! Ledgers of events as Counterfoil writes them, and receipts made from them. Bodies, rows and ids
//! are made by `docs/format.md` word by word, sharing nothing with the code under test but the
//! encoding of a row.
#![allow(dead_code)] // each test uses its part

pub(crate) mod author;

use counterfoil_core::receipt::*;
use counterfoil_core::*;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::ledger::Ledger;
use crate::reference::{self, Hash};

pub(crate) const NONCE: [u8; 32] = [0xaa; 32];
pub(crate) const CREATED_AT: i64 = 1_700_000_000_000_000;
pub(crate) const DATABASE: &[u8] = b"defaultdb";

/// Bytes with their length in front.
#[derive(Clone)]
pub(crate) struct Blob(pub(crate) Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

#[derive(Clone, Serialize)]
pub(crate) enum Content {
    Inline(Blob),
    Commitment(Hash),
}

#[derive(Clone, Serialize)]
pub(crate) struct Body {
    pub(crate) domain: String,
    pub(crate) edition: String,
    pub(crate) root: Blob,
    pub(crate) event_number: u64,
    pub(crate) event_type: String,
    pub(crate) recorded_at: i64,
    pub(crate) correlation_id: String,
    pub(crate) causation_id: String,
    pub(crate) external_id: String,
    pub(crate) metadata: Vec<(String, Blob)>,
    pub(crate) payload: Content,
    pub(crate) prev_event: Hash,
    pub(crate) seen_tx: u64,
    pub(crate) seen_alh: Hash,
    pub(crate) append_id: [u8; 16],
    pub(crate) append_index: u32,
    pub(crate) append_count: u32,
    pub(crate) commit_id: [u8; 16],
    pub(crate) commit_index: u32,
    pub(crate) author: Option<(Hash, Hash, Hash)>,
}

impl Body {
    /// The event of `docs/format.md`.
    pub(crate) fn golden(seen_alh: Alh) -> Self {
        Self {
            domain: "shipment".into(),
            edition: String::new(),
            root: Blob(b"SSCC-1".to_vec()),
            event_number: 0,
            event_type: "Departed".into(),
            recorded_at: CREATED_AT,
            correlation_id: "c-1".into(),
            causation_id: String::new(),
            external_id: "ext-1".into(),
            metadata: vec![("unit".into(), Blob("°C".into()))],
            payload: Content::Inline(Blob(br#"{"from":"Basel"}"#.to_vec())),
            prev_event: [0; 32],
            seen_tx: 1,
            seen_alh: seen_alh.to_bytes(),
            append_id: [0x22; 16],
            append_index: 0,
            append_count: 1,
            commit_id: [0x33; 16],
            commit_index: 0,
            author: None,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![1]).unwrap()
    }

    pub(crate) fn ext(&self) -> Hash {
        let (tag, id) = match self.external_id.as_str() {
            "" => ("counterfoil ext append 1", &self.append_id[..]),
            id => ("counterfoil ext external 1", id.as_bytes()),
        };
        let mut hash = Sha256::new();
        for part in [tag.as_bytes(), self.domain.as_bytes(), self.edition.as_bytes(), id] {
            hash.update((part.len() as u32).to_be_bytes());
            hash.update(part);
        }
        hash.update(self.append_index.to_be_bytes());
        hash.finalize().into()
    }

    /// Signed by a key as its author.
    pub(crate) fn sign(&mut self, key: &ed25519_dalek::SigningKey, ledger: Alh) {
        self.author = Some(author::sign(key, &author::message(self, ledger)));
    }

    pub(crate) fn digest(&self, table_id: u32) -> EntryDigest {
        let (ext, encoded) = (self.ext(), self.encode());
        let row = [
            Some(Value::Blob(self.domain.as_bytes())),
            Some(Value::Blob(self.edition.as_bytes())),
            Some(Value::Blob(&self.root.0)),
            Some(Value::Integer(self.event_number as i64)),
            Some(Value::Blob(&ext)),
            Some(Value::Integer(self.seen_tx as i64)),
            Some(Value::Blob(&encoded)),
        ];
        events_table(table_id).unwrap().entry_digest(&row).unwrap()
    }
}

/// The twelve entries of the first transaction.
pub(crate) fn genesis_digests() -> Vec<EntryDigest> {
    let body = postcard::to_extend(&("counterfoil", 1_u32, CREATED_AT), vec![0]).unwrap();
    let row = [
        Some(Value::Blob(&[])),
        Some(Value::Blob(&[])),
        Some(Value::Blob(&[])),
        Some(Value::Integer(0)),
        Some(Value::Blob(&NONCE)),
        Some(Value::Integer(0)),
        Some(Value::Blob(&body)),
    ];
    let table = events_table(1).unwrap();
    let mut digests: Vec<_> = table.create_digests().map(Result::unwrap).collect();
    digests.push(index_digest(1, 1, true, &[5]).unwrap());
    digests.push(index_digest(1, 2, false, &[6]).unwrap());
    digests.push(table.entry_digest(&row).unwrap());
    digests
}

/// A ledger of events, and the contents of its transactions after the first.
pub(crate) struct Books {
    pub(crate) ledger: Ledger,
    pub(crate) bodies: Vec<Vec<Body>>,
}

/// What a receipt is to hold.
#[derive(Clone, Default)]
pub(crate) struct Order {
    /// Transactions and entries, rising.
    pub(crate) events: Vec<(u64, u32)>,
    pub(crate) state: u64,
    pub(crate) genesis: bool,
    pub(crate) earlier: Option<u64>,
    pub(crate) later: Option<u64>,
    /// The key that is named, and the DER.
    pub(crate) signature: Option<(StateKeyId, Vec<u8>)>,
    /// A note of the state's tree.
    pub(crate) checkpoint: Option<String>,
}

impl Order {
    pub(crate) fn new(events: &[(u64, u32)], state: u64) -> Self {
        Self { events: events.to_vec(), state, ..Self::default() }
    }
}

impl Books {
    /// The beginning in `docs/format.md`.
    pub(crate) fn new() -> Self {
        let mut books = Self { ledger: Ledger::with_trees(&[]), bodies: vec![vec![]] };
        books.append_digests(&genesis_digests());
        books
    }

    /// As far as `docs/format.md` has it, and a few more: in 3 three events, in 4 one with a
    /// commitment, and single ones up to 9.
    pub(crate) fn golden() -> Self {
        let mut books = Self::new();
        let first = Body::golden(books.ledger.alh(1));
        books.append(std::slice::from_ref(&first));
        let mut digest = first.digest(1);
        for (tx, count) in [(3_u8, 3_u32), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1), (9, 1)] {
            let mut bodies = Vec::new();
            for index in 0..count {
                let mut body = first.clone();
                body.event_number = books.bodies.iter().flatten().count() as u64 + u64::from(index);
                body.event_type = format!("Moved {tx}.{index}");
                body.external_id = String::new();
                body.prev_event = digest.to_bytes();
                body.seen_tx = u64::from(tx) - 1;
                body.seen_alh = books.ledger.alh(body.seen_tx).to_bytes();
                (body.append_id, body.commit_id) = ([tx; 16], [tx | 0x80; 16]);
                (body.append_index, body.append_count) = (index, count);
                body.commit_index = index;
                if tx == 4 {
                    body.payload = Content::Commitment(commitment(b"content"));
                }
                digest = body.digest(1);
                bodies.push(body);
            }
            books.append(&bodies);
        }
        books
    }

    /// The first event, signed.
    pub(crate) fn signed() -> Self {
        let mut books = Self::new();
        let mut body = Body::golden(books.id());
        body.sign(&author_key(), books.id());
        books.append(&[body]);
        books
    }

    /// The same, but that this transaction names another predecessor than the tree has. Later headers
    /// and trees hold it as it is.
    pub(crate) fn parted_at(tx: u64) -> Self {
        let mut books = Self::golden();
        books.ledger.headers[tx as usize - 1].prev_alh = Alh::ZERO;
        books.rehash(tx);
        books
    }

    /// Makes trees and predecessors from this transaction on what the ones before them are.
    fn rehash(&mut self, from: u64) {
        for tx in from..=self.ledger.len() {
            let root = self.ledger.root(tx - 1);
            let prev_alh = self.ledger.alh(tx - 1);
            let header = &mut self.ledger.headers[tx as usize - 1];
            header.bl_root = root;
            if tx > from {
                header.prev_alh = prev_alh;
            }
            let leaf = reference::leaf(self.ledger.alh(tx).as_bytes());
            self.ledger.leaves[tx as usize - 1] = leaf;
        }
    }

    /// The same after this transaction's header was changed: it stays as it is.
    pub(crate) fn rehash_after(&mut self, tx: u64) {
        let leaf = reference::leaf(self.ledger.alh(tx).as_bytes());
        self.ledger.leaves[tx as usize - 1] = leaf;
        self.rehash(tx + 1);
        // Only what comes before it is what it was: the next one names it.
        self.ledger.headers[tx as usize].prev_alh = self.ledger.alh(tx);
        self.rehash(tx + 1);
    }

    pub(crate) fn append(&mut self, bodies: &[Body]) {
        let digests: Vec<_> = bodies.iter().map(|body| body.digest(1)).collect();
        self.bodies.push(bodies.to_vec());
        self.append_digests(&digests);
    }

    fn append_digests(&mut self, digests: &[EntryDigest]) {
        self.ledger.append_entries(HeaderVersion::V1, digests);
        // The document's clock.
        let header = self.ledger.headers.last_mut().unwrap();
        header.ts -= 1;
        let leaf = reference::leaf(header.alh().unwrap().as_bytes());
        *self.ledger.leaves.last_mut().unwrap() = leaf;
    }

    pub(crate) fn id(&self) -> Alh {
        self.ledger.alh(1)
    }

    pub(crate) fn state(&self, tx: u64) -> TrustedState {
        self.ledger.state(tx)
    }

    pub(crate) fn genesis(&self) -> Genesis<'static> {
        Genesis { ts: 1_700_000_000, nonce: &NONCE, created_at: CREATED_AT }
    }

    fn leaves(&self, tx: u64) -> Vec<Hash> {
        let bodies = &self.bodies[tx as usize - 1];
        bodies.iter().map(|body| reference::leaf(body.digest(1).as_bytes())).collect()
    }

    pub(crate) fn receipt(&self, order: &Order) -> Vec<u8> {
        self.with_parts(order, |parts| {
            let mut buffer = vec![0; parts.encoded_len().unwrap()];
            let len = parts.encode(&mut buffer).unwrap().len();
            assert_eq!(len, buffer.len());
            buffer
        })
    }

    pub(crate) fn with_parts<T>(
        &self,
        order: &Order,
        make: impl FnOnce(&ReceiptParts<'_>) -> T,
    ) -> T {
        struct Owned {
            tx: u64,
            path: Vec<Hash>,
            events: Vec<(u32, Vec<Hash>, Vec<u8>)>,
        }
        let mut owned: Vec<Owned> = Vec::new();
        for &(tx, entry) in &order.events {
            if owned.last().is_none_or(|last| last.tx != tx) {
                let path = match tx == order.state {
                    true => Vec::new(),
                    false => self.ledger.inclusion(tx, order.state - 1),
                };
                owned.push(Owned { tx, path, events: Vec::new() });
            }
            let path = reference::path(entry as usize, &self.leaves(tx));
            let body = self.bodies[tx as usize - 1][entry as usize].encode();
            owned.last_mut().unwrap().events.push((entry, path, body));
        }
        let events: Vec<Vec<ReceiptEntry<'_>>> = owned
            .iter()
            .map(|tx| {
                let events = tx.events.iter();
                events
                    .map(|(entry, path, body)| ReceiptEntry { entry: *entry, path, body })
                    .collect()
            })
            .collect();
        let transactions: Vec<ReceiptTx<'_>> = owned
            .iter()
            .zip(&events)
            .map(|(tx, events)| ReceiptTx {
                header: self.ledger.header(tx.tx),
                path: &tx.path,
                events,
            })
            .collect();
        let earlier = order.earlier.map(|tx| self.ledger.dual_v2(tx, order.state));
        let later = order.later.map(|tx| self.ledger.dual_v2(order.state, tx));
        let mut buffer = [0; 2000];
        let checkpoint = order.checkpoint.as_ref().map(|note| {
            let note = checkpoint::Note::parse(note.as_bytes()).unwrap();
            let header = self.ledger.header(order.state);
            ReceiptCheckpoint::from_note(&note, &header, &mut buffer).unwrap()
        });
        make(&ReceiptParts {
            ledger: self.id(),
            table_id: 1,
            genesis: order.genesis.then(|| self.genesis()),
            state_header: self.ledger.header(order.state),
            transactions: &transactions,
            attached: Attached {
                earlier: earlier.as_ref().map(|dual| Link {
                    header: dual.source_header,
                    inclusion: &dual.inclusion,
                    consistency: &dual.consistency,
                }),
                later: later.as_ref().map(|dual| Link {
                    header: dual.target_header,
                    inclusion: &dual.inclusion,
                    consistency: &dual.consistency,
                }),
                signature: order
                    .signature
                    .as_ref()
                    .map(|(key, der)| StateSignature { key: *key, der }),
                checkpoint,
            },
        })
    }

    /// The server's signature over a state, always the same one.
    pub(crate) fn sign(&self, tx: u64) -> (StateKeyId, Vec<u8>) {
        sign(&self.state(tx))
    }
}

pub(crate) fn sign(state: &TrustedState) -> (StateKeyId, Vec<u8>) {
    sign_with(&signer(), state)
}

pub(crate) fn sign_with(signer: &SigningKey, state: &TrustedState) -> (StateKeyId, Vec<u8>) {
    let length = (DATABASE.len() as u32).to_be_bytes();
    let tx = state.tx.get().to_be_bytes();
    let message = [&length[..], DATABASE, &tx, state.alh.as_bytes()].concat();
    let signature: Signature = signer.sign(&message);
    (key_of(signer).id(), signature.to_der().as_bytes().to_vec())
}

fn signer() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

pub(crate) fn state_key_sec1() -> Vec<u8> {
    signer().verifying_key().to_sec1_point(false).as_bytes().to_vec()
}

fn key_of(signer: &SigningKey) -> StateKey {
    StateKey::from_sec1(signer.verifying_key().to_sec1_point(false).as_bytes()).unwrap()
}

pub(crate) fn server_keys() -> [ServerKey<'static>; 1] {
    [ServerKey { key: key_of(&signer()), database: DATABASE }]
}

/// A key that is not the document's, and what it is in a policy.
pub(crate) fn other_key() -> (SigningKey, ServerKey<'static>) {
    let signer = SigningKey::from_slice(&[8; 32]).unwrap();
    let key = key_of(&signer);
    (signer, ServerKey { key, database: DATABASE })
}

/// The author of `docs/format.md`.
pub(crate) fn author_key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[0x99; 32])
}

pub(crate) const SALT: [u8; 32] = [0x44; 32];

pub(crate) fn commitment(content: &[u8]) -> Hash {
    Sha256::digest([b"counterfoil payload commitment 1", &SALT[..], content].concat()).into()
}

/// The same bytes with the check at their end made to fit.
pub(crate) fn with_check(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 8;
    let check = Sha256::digest(&bytes[..end]);
    bytes[end..].copy_from_slice(&check[..8]);
    bytes
}

/// The verdict on bytes that may be no receipt.
pub(crate) fn judge(bytes: &[u8], policy: &Policy<'_>) -> Verdict {
    Receipt::parse(bytes).map_or_else(Verdict::from, |receipt| receipt.verify(policy).verdict())
}
