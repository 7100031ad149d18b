//! The bytes in `docs/format.md` are the bytes that this crate writes.

use std::collections::BTreeMap;

use counterfoil_core::{Alh, EntryDigest, Frontier, Root, TrustedState, TxId, ValueHash};
use ed25519_dalek::Signer as _;
use sha2::Digest as _;

use crate::body::{EventBody, GenesisBody, StoredPayload, external_ext};
use crate::bookmark::{Bookmark, GapsBefore};
use crate::event::PayloadCommitment;
use crate::log::{Log, entries_root};
use crate::position::LedgerPosition;
use crate::trust::{Anchor, Pin};
use crate::{pin_copy, proof, schema};

const DOC: &str = include_str!("../../docs/format.md");

/// Lines `name = hex` inside the document's `golden` blocks.
pub(crate) fn documented() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut inside = false;
    let mut last = None;
    for line in DOC.lines() {
        if line.starts_with("```") {
            inside = line == "```golden";
            continue;
        }
        if !inside {
            continue;
        }
        if let Some((name, hex)) = line.split_once(" = ") {
            last = Some(name.to_owned());
            assert!(found.insert(name.to_owned(), hex.to_owned()).is_none(), "{name} twice");
        } else if let Some(name) = &last {
            // A long value goes on in the next line.
            found.entry(name.clone()).or_default().push_str(line.trim());
        }
    }
    found
}

pub(crate) fn example_body() -> EventBody {
    EventBody {
        domain: "shipment".into(),
        edition: String::new(),
        root: "SSCC-1".into(),
        event_number: 0,
        event_type: "Departed".into(),
        recorded_at: 1_700_000_000_000_000,
        correlation_id: "c-1".into(),
        causation_id: String::new(),
        external_id: "ext-1".into(),
        metadata: vec![("unit".into(), "°C".into())],
        payload: StoredPayload::Inline("{\"from\":\"Basel\"}".into()),
        prev_event: [0; 32],
        seen_tx: 1,
        seen_alh: [0x11; 32],
        append_id: [0x22; 16],
        append_index: 0,
        append_count: 1,
        commit_id: [0x33; 16],
        commit_index: 0,
        author: None,
    }
}

fn computed() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut put = |name: &str, bytes: &[u8]| {
        all.insert(name.to_owned(), hex::encode(bytes));
    };
    let table = schema::table(1).unwrap();

    let genesis_row = schema::genesis_row([0xaa; 32], 1_700_000_000_000_000);
    put("genesis body", &GenesisBody::new(1_700_000_000_000_000).encode());
    put("genesis row value", &schema::encode_value(&table, &genesis_row).unwrap());
    let digests = schema::genesis_digests(&table, &genesis_row).unwrap();
    for (i, digest) in digests.iter().enumerate() {
        put(&format!("genesis entry {i}"), digest.as_bytes());
    }
    let eh = entries_root(&digests);
    put("genesis eh", eh.as_bytes());
    let header = Log::new().next_header(1_700_000_000, 12, eh);
    let first = header.alh().unwrap();
    put("genesis inner hash", header.inner_hash().unwrap().as_bytes());
    put("genesis alh", first.as_bytes());

    let mut body = example_body();
    body.seen_alh = first.to_bytes();
    let encoded = body.encode();
    let row = proof::row_of(&body, encoded.clone());
    put("event body", &encoded);
    put("event ext", &body.ext());
    put("event row value", &schema::encode_value(&table, &row).unwrap());
    let digest = schema::row_digest(&table, &row).unwrap();
    put("event entry digest", digest.as_bytes());
    let mut tree = Frontier::new();
    tree.push(first.leaf_hash()).unwrap();
    put("tile 0/0 after tx 1", first.leaf_hash().as_bytes());
    let leaf = ValueHash::of(first.leaf_hash().as_bytes());
    put("digest of tile 0/0 of width 1 after tx 1", leaf.as_bytes());
    let second = next_alh(&tree, first, digest);
    put("event alh", second.as_bytes());
    tree.push(second.leaf_hash()).unwrap();
    put("root of size 2", tree.root().as_bytes());
    let state = |tx, alh| TrustedState { tx: TxId::new(tx), alh };
    let (anchor, anchored_at) = (Anchor::Created, state(1, first));
    let pin = Pin { ledger: first, state: state(2, second), anchor, anchored_at };
    put("pin copy, a line", pin_copy::line(&pin).as_bytes());

    let gaps = [5, 8].map(TxId::new).into_iter().fold(GapsBefore::NONE, GapsBefore::and);
    let bookmark = Bookmark::new(LedgerPosition::new(TxId::new(9), 0), gaps);
    put("bookmark", bookmark.to_string().as_bytes());

    sign(&mut put, &mut body, first, "author message", "event body, signed");
    body.external_id = String::new();
    put("ext without external id", &body.ext());
    put("ext of external id, index 1", &external_ext("shipment", "", "ext-1", 1));
    put("payload commitment", PayloadCommitment::new(&[0x44; 32], b"content").as_bytes());
    body.payload = StoredPayload::Commitment([0x55; 32]);
    body.author = Some(crate::body::Author {
        key: [0x66; 32],
        signature_r: [0x77; 32],
        signature_s: [0x88; 32],
    });
    put("event body with commitment and author", &body.encode());
    let (message, signed) =
        ("author message of the commitment", "event body with commitment, signed");
    sign(&mut put, &mut body, first, message, signed);

    let committed = PayloadCommitment::new(&[0x44; 32], b"content");
    let erasure = crate::payloads::erasure::event(committed, "request 77");
    let body = EventBody {
        domain: erasure.cover.domain.clone(),
        root: erasure.cover.root.clone(),
        event_type: erasure.event_type.clone(),
        correlation_id: String::new(),
        metadata: Vec::new(),
        payload: StoredPayload::Inline(erasure.payload.inline().unwrap().into()),
        external_id: String::new(),
        author: None,
        ..body
    };
    put("erasure body", &body.encode());
    all
}

/// By the document: from the encoding's end are taken an author, a commit index of one byte and the
/// commit id.
fn sign(
    put: &mut impl FnMut(&str, &[u8]),
    body: &mut EventBody,
    ledger: Alh,
    message_name: &str,
    body_name: &str,
) {
    let key = ed25519_dalek::SigningKey::from_bytes(&[0x99; 32]);
    body.author = None;
    let encoded = body.encode();
    let covered = &encoded[..encoded.len() - 1 - 1 - 16];
    let digest = sha2::Sha256::digest(covered);
    let prefix: &[u8] = b"counterfoil author 1\0";
    let message = [prefix, ledger.as_bytes(), &digest].concat();
    let signature = key.sign(&message);
    body.author = Some(crate::body::Author {
        key: key.verifying_key().to_bytes(),
        signature_r: *signature.r_bytes(),
        signature_s: *signature.s_bytes(),
    });
    put("author key", key.verifying_key().as_bytes());
    put(message_name, &message);
    put(body_name, &body.encode());
}

fn next_alh(tree: &Frontier, prev_alh: Alh, digest: EntryDigest) -> Alh {
    counterfoil_core::Header {
        id: TxId::new(2),
        prev_alh,
        ts: 1_700_000_001,
        version: counterfoil_core::HeaderVersion::V1,
        metadata: counterfoil_core::TxMetadata::default(),
        nentries: 1,
        eh: Root::new(digest.leaf_hash().to_bytes()),
        bl_tx_id: TxId::new(1),
        bl_root: tree.root(),
    }
    .alh()
    .unwrap()
}

/// As it stands in the document.
fn block(name: &str, hex: &str) -> String {
    let (first, rest) = hex.split_at(hex.len().min(92 - name.len()));
    let rest = rest.as_bytes().chunks(88).map(|line| String::from_utf8_lossy(line));
    rest.fold(format!("{name} = {first}"), |text, line| format!("{text}\n    {line}"))
}

#[test]
fn the_documented_bytes_are_the_written_ones() {
    let (documented, computed) = (documented(), computed());
    let other = computed.iter().filter(|(name, hex)| documented.get(*name) != Some(hex));
    let other: Vec<_> = other.map(|(name, hex)| block(name, hex)).collect();
    assert!(other.is_empty(), "the document should have\n{}", other.join("\n"));
    let names = |map: &BTreeMap<String, String>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&documented), names(&computed), "the document has others");
}

/// Every byte that a body can lack, gain or change: never read as the same
/// event, and whatever is read encodes to exactly what was read.
#[test]
fn bodies_are_canonical() {
    let honest = example_body();
    let bytes = honest.encode();
    assert_eq!(EventBody::decode(&bytes).as_ref(), Ok(&honest));
    for i in 0..bytes.len() {
        assert_ne!(EventBody::decode(&bytes[..i]).as_ref(), Ok(&honest));
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[i] ^= 1 << bit;
            if let Ok(body) = EventBody::decode(&altered) {
                assert_ne!(body, honest);
                assert_eq!(body.encode(), altered);
            }
        }
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(EventBody::decode(&longer).is_err());
}
