//! Makes a receipt and verifies it, as somebody does who has nothing else:
//!
//! ```text
//! cargo run -p counterfoil-core --example receipt
//! ```
//!
//! The ledger is that of `docs/format.md`: transaction 1 creates it, 2 holds an event.
#![allow(clippy::print_stdout)]

use std::error::Error;

use counterfoil_core::receipt::*;
use counterfoil_core::*;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// `docs/format.md`, `genesis alh` and `event body`.
const LEDGER: &str = "12dc849900379fe3dd4b4d00e99cdba2cc5050d0ea9b3309493a201fce96c406";
const BODY: &str = concat!(
    "0108736869706d656e740006535343432d31000844657061727465648080f2818389850603632d3100056578",
    "742d310104756e697403c2b04300107b2266726f6d223a22426173656c227d00000000000000000000000000",
    "000000000000000000000000000000000000000112dc849900379fe3dd4b4d00e99cdba2cc5050d0ea9b3309",
    "493a201fce96c406222222222222222222222222222222220001333333333333333333333333333333330000",
);

fn main() -> Outcome<()> {
    let ledger = Alh::new(hash(LEDGER)?);
    let body = hex::decode(BODY)?;
    let header = event_header(ledger, &body)?;
    let state = TrustedState { tx: header.id, alh: header.alh()? };

    // What the issuer does: the event, where it stands, and the state it is shown under. As state
    // and transaction are one here, and the event is its only entry, there are no paths.
    let events = [ReceiptEntry { entry: 0, path: &[], body: &body }];
    let parts = ReceiptParts {
        ledger,
        table_id: 1,
        genesis: Some(Genesis {
            ts: 1_700_000_000,
            nonce: &[0xaa; 32],
            created_at: 1_700_000_000_000_000,
        }),
        state_header: header,
        transactions: &[ReceiptTx { header, path: &[], events: &events }],
        attached: Attached::default(),
    };
    let mut buffer = vec![0; parts.encoded_len()?];
    let bytes = parts.encode(&mut buffer)?;
    println!("a receipt of {} bytes, {} of them the event", bytes.len(), body.len());

    // What the verifier brings: which ledger, and a state of it that he trusts.
    let pins = [state];
    let policy = Policy::new(ledger).with_pins(&pins)?;
    show("by its pin", bytes, &policy)?;
    // Where nothing is trusted nothing is verified: anybody could have made it.
    show("without a pin", bytes, &Policy::new(ledger))?;

    // Somebody else has pinned the next state. How do the two belong together?
    let next = Header {
        id: TxId::new(3),
        prev_alh: state.alh,
        ts: header.ts + 1,
        bl_tx_id: TxId::new(2),
        bl_root: Root::new(node_hash(
            ledger.leaf_hash().as_bytes(),
            state.alh.leaf_hash().as_bytes(),
        )),
        ..header
    };
    let pins = [TrustedState { tx: next.id, alh: next.alh()? }];
    let policy = Policy::new(ledger).with_pins(&pins)?;
    show("by a later pin", bytes, &policy)?;
    // Whoever has the ledger's log can tell.
    let (first, second) = (ledger.leaf_hash().to_bytes(), state.alh.leaf_hash().to_bytes());
    let later = Link { header: next, inclusion: &[first], consistency: &[first, second] };
    let attached = Attached { later: Some(later), ..Attached::default() };
    let mut buffer = [0; 2000];
    let linked = Receipt::parse(bytes)?.encode_with(&attached, &mut buffer)?;
    show("with a link", linked, &policy)?;

    // Damage is not mistaken for anything else.
    let mut damaged = bytes.to_vec();
    damaged[300] ^= 1;
    println!("damaged         {}", Receipt::parse(&damaged).err().ok_or("it was accepted")?);
    // Another event under the same proof is.
    let forged = hex::decode(BODY.replace(&hex::encode("Basel"), &hex::encode("Paris")))?;
    let events = [ReceiptEntry { entry: 0, path: &[], body: &forged }];
    let transactions = [ReceiptTx { header, path: &[], events: &events }];
    let parts = ReceiptParts { transactions: &transactions, ..parts };
    show("another event", parts.encode(&mut buffer)?, &policy)
}

fn show(what: &str, bytes: &[u8], policy: &Policy<'_>) -> Outcome<()> {
    let receipt = Receipt::parse(bytes)?;
    let judgement = receipt.verify(policy);
    let verdict = judgement.verdict();
    println!("{what:<15} {:02x} {verdict}", verdict.code());
    if verdict.trusted().is_some() {
        for judged in judgement.events() {
            let ReceiptEvent { tx, entry, body, .. } = judged.event();
            println!(
                "                {} {}: transaction {tx}, entry {entry}",
                body.domain, body.event_type
            );
        }
    }
    Ok(())
}

/// The header of transaction 2, whose only entry is the event. A store takes it from its log.
fn event_header(ledger: Alh, bytes: &[u8]) -> Outcome<Header<'static>> {
    let body = EventBody::parse(bytes)?;
    let ext = body.ext();
    let row = [
        Some(Value::Blob(body.domain.as_bytes())),
        Some(Value::Blob(body.edition.as_bytes())),
        Some(Value::Blob(body.root)),
        Some(Value::Integer(body.event_number.try_into()?)),
        Some(Value::Blob(&ext)),
        Some(Value::Integer(body.seen_tx.try_into()?)),
        Some(Value::Blob(bytes)),
    ];
    let digest = events_table(1)?.entry_digest(&row)?;
    Ok(Header {
        id: TxId::new(2),
        prev_alh: ledger,
        ts: 1_700_000_001,
        version: HeaderVersion::V1,
        metadata: TxMetadata::default(),
        nentries: 1,
        eh: Root::new(digest.leaf_hash().to_bytes()),
        bl_tx_id: TxId::new(1),
        bl_root: Root::new(ledger.leaf_hash().to_bytes()),
    })
}

fn hash(text: &str) -> Outcome<[u8; 32]> {
    Ok(hex::decode(text)?.try_into().map_err(|_| "a hash has 32 bytes")?)
}
