//! The bytes of receipts: one form, what is none and why, and that writing and reading are one.

mod ledger;
mod receipts;
mod reference;

use counterfoil_core::receipt::{ReceiptErrorKind as Kind, *};
use counterfoil_core::*;
use receipts::{Body, Books, Content, Order, with_check};

fn parse_error(bytes: &[u8]) -> ReceiptError {
    Receipt::parse(bytes).map(|_| ()).unwrap_err()
}

/// A receipt of event 0 of transaction 2 under state 9, and where its parts begin.
struct Laid {
    bytes: Vec<u8>,
    table: usize,
    state: usize,
    transactions: usize,
    events: usize,
    parts: usize,
}

fn laid(books: &Books, order: &Order) -> Laid {
    let bytes = books.receipt(order);
    let table = 4 + 32;
    let state = table + if order.genesis { 2 + 5 + 32 + 8 } else { 2 };
    let transactions = state + 1 + 32 + HEADER;
    // One transaction, its number, header and three terms.
    let events = transactions + 2 + HEADER + 1 + 3 * 32;
    let body = books.bodies[1][0].encode().len();
    let parts = events + 1 + 1 + 1 + 2 + body;
    Laid { bytes, table, state, transactions, events, parts }
}

/// What is put where, and the error with its place.
type Case = (&'static str, std::ops::Range<usize>, &'static [u8], Kind, usize);

/// Two parts, each a key's name and no signature behind it.
const TWICE: [u8; 1 + 2 * 34] = {
    let mut parts = [0; 1 + 2 * 34];
    (parts[0], parts[1], parts[2], parts[35], parts[36]) = (2, 3, 32, 3, 32);
    parts
};

/// prev_alh, ts, no metadata, nentries, eh, lag, bl_root.
const HEADER: usize = 32 + 5 + 1 + 1 + 32 + 1 + 32;

fn with(bytes: &[u8], range: std::ops::Range<usize>, new: &[u8]) -> Vec<u8> {
    with_check([&bytes[..range.start], new, &bytes[range.end..]].concat())
}

#[test]
fn each_wrong_byte_has_its_reason() {
    let books = Books::golden();
    let order = Order { genesis: true, ..Order::new(&[(2, 0)], 9) };
    let Laid { bytes, table, state, transactions, events, parts } = laid(&books, &order);
    assert_eq!(parts + 1 + 8, bytes.len());
    assert_eq!(bytes[..4], *b"CfR\x01");

    let header = HeaderError::EntryCount { nentries: 0 };
    let lagging = HeaderError::TreeNotBehind { id: TxId::new(9), bl_tx_id: TxId::new(9) };
    let nentries = state + 1 + 32 + 32 + 5 + 1;
    let lag = nentries + 1 + 32;
    let cases: Vec<Case> = vec![
        ("magic", 0..1, b"D", Kind::NotReceipt, 0),
        ("version 0", 3..4, &[0], Kind::UnknownVersion { version: 0 }, 3),
        ("version 2", 3..4, &[2], Kind::UnknownVersion { version: 2 }, 3),
        ("table 0", table..table + 1, &[0], Kind::TableZero, table),
        ("long table", table..table + 1, &[0x81, 0], Kind::NotMinimal, table),
        ("table of 2^32", table..table + 1, &[0x80, 0x80, 0x80, 0x80, 0x10], Kind::TooLarge, table),
        ("form 2", table + 1..table + 2, &[2], Kind::UnknownTableProof { form: 2 }, table + 1),
        ("long ts", table + 6..table + 7, &[0x8c, 0x80, 0], Kind::NotMinimal, table + 2),
        ("state 0", state..state + 1, &[0], Kind::Header(HeaderError::IdZero), state + 33),
        ("no entries", nentries..nentries + 1, &[0], Kind::Header(header), state + 33),
        ("great lag", lag..lag + 1, &[9], Kind::Header(lagging), state + 33),
        ("long lag", lag..lag + 1, &[0x80, 0], Kind::NotMinimal, lag),
        ("long metadata", nentries - 1..nentries, &[0x8d, 2], Kind::TooLarge, nentries - 1),
        (
            "metadata",
            nentries - 1..nentries,
            &[1, 7],
            Kind::Header(HeaderError::Metadata),
            state + 33,
        ),
        ("nothing", transactions..transactions + 1, &[0], Kind::Empty, transactions),
        (
            "many",
            transactions..transactions + 1,
            &[0xff, 0xff, 0xff, 0xff, 0x0f],
            Kind::Truncated,
            bytes.len() + 4 - 8,
        ),
        ("no events", events..events + 1, &[0], Kind::Empty, events),
        ("long path", events - 97..events - 96, &[65], Kind::TooLarge, events - 97),
        ("huge body", events + 3..events + 5, &[0x81, 0x80, 0x40], Kind::TooLarge, events + 3),
        ("shorter body", events + 3..events + 5, &[0xaf, 1], Kind::Truncated, events + 180),
        ("longer body", events + 3..events + 5, &[0xb1, 1], Kind::TrailingBytes, events + 181),
        ("unknown body", events + 5..events + 6, &[2], Kind::UnknownBody, events + 5),
        ("part 0", parts..parts + 1, &[1, 0, 0], Kind::Order, parts + 1),
        ("part 5", parts..parts + 1, &[1, 5, 0], Kind::UnknownPart { kind: 5 }, parts + 1),
        ("part 255", parts..parts + 1, &[1, 255, 0], Kind::UnknownPart { kind: 255 }, parts + 1),
        ("empty link", parts..parts + 1, &[1, 1, 0], Kind::Truncated, parts + 3),
        ("twice", parts..parts + 1, &TWICE, Kind::Order, parts + 1 + 34),
    ];
    for (what, range, new, kind, at) in cases {
        let error = ReceiptError { kind, at };
        assert_eq!(parse_error(&with(&bytes, range, new)), error, "{what}");
        // Newer code may know what this one does not.
        let unknown = ["version 0", "version 2", "form 2", "unknown body", "part 5", "part 255"]
            .contains(&what);
        let verdict = match unknown {
            true => Verdict::CannotDecide(Missing::Version(error)),
            false => Verdict::Broken(Flaw::Format(error)),
        };
        assert_eq!(Verdict::from(error), verdict, "{what}");
    }
    // The key's name has 32 bytes, the signature at most 72.
    let signature = [&[1, 3, 32 + 73][..], &[0; 32 + 73]].concat();
    let error = parse_error(&with(&bytes, parts..parts + 1, &signature));
    assert_eq!(error, ReceiptError { kind: Kind::TooLarge, at: parts + 3 + 32 });
    let signature = [&[1, 3, 31][..], &[0; 31]].concat();
    let error = parse_error(&with(&bytes, parts..parts + 1, &signature));
    assert_eq!(error, ReceiptError { kind: Kind::Truncated, at: parts + 3 + 31 });
    for len in [0, 72] {
        let signature = [&[1, 3, 32 + len][..], &[9; 32], &vec![8; len.into()]].concat();
        let bytes = with_check(with(&bytes, parts..parts + 1, &signature));
        let read = Receipt::parse(&bytes).unwrap().state_signature().unwrap();
        assert_eq!((read.key, read.der), (StateKeyId::new([9; 32]), &vec![8; len.into()][..]));
    }
    let damaged = ReceiptError { kind: Kind::Damaged, at: bytes.len() - 8 };
    for at in bytes.len() - 8..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_eq!(parse_error(&changed), damaged);
    }
    // Damage is told before whatever it may look like.
    for at in 4..bytes.len() - 8 {
        let mut changed = bytes.clone();
        changed[at] ^= 0x80;
        assert_eq!(parse_error(&changed), damaged);
    }
    let longer = with(&bytes, parts + 1..parts + 1, &[0]);
    assert_eq!(parse_error(&longer), ReceiptError { kind: Kind::TrailingBytes, at: parts + 1 });
    assert_eq!(parse_error(&[]).kind, Kind::Truncated);
    let mut huge = bytes.clone();
    huge.resize(Receipt::MAX_LEN + 1, 0);
    assert_eq!(parse_error(&huge), ReceiptError { kind: Kind::TooLarge, at: 4 });
}

/// Every number of a receipt, one byte longer than it need be.
#[test]
fn no_number_has_two_forms() {
    let books = Books::golden();
    let order = Order { genesis: true, earlier: Some(5), ..Order::new(&[(2, 0), (3, 0)], 9) };
    let bytes = books.receipt(&order);
    let pins = [books.state(9)];
    let policy = Policy::new(books.id()).with_pins(&pins).unwrap();
    let mut padded = 0;
    for at in 4..bytes.len() - 8 {
        let changed = with(&bytes, at..at + 1, &[bytes[at] | 0x80, 0]);
        match Receipt::parse(&changed) {
            // Some bytes can be shifted and still make a receipt; not one that holds.
            Ok(receipt) => assert_eq!(receipt.verify(&policy).verdict().word(), "broken", "{at}"),
            Err(error) => padded += u32::from(error.kind == Kind::NotMinimal),
        }
    }
    assert_eq!(receipts::judge(&bytes, &policy).word(), "verified_by_pinned_state");
    // Three headers of four numbers each, and what is around them.
    assert!(padded > 40, "{padded}");
}

#[test]
fn what_is_out_of_order_is_not_written() {
    let books = Books::golden();
    let encode = |parts: &ReceiptParts<'_>| {
        let mut buffer = [0; 8000];
        parts.encode(&mut buffer).map(|_| ()).map_err(|error| error.kind)
    };
    let order = Order { later: Some(9), ..Order::new(&[(2, 0), (3, 0), (3, 2), (5, 0)], 8) };
    books.with_parts(&order, |parts| {
        assert_eq!(encode(parts), Ok(()));
        let [a, b, c] = [parts.transactions[0], parts.transactions[1], parts.transactions[2]];
        let with = |transactions: &[ReceiptTx<'_>]| {
            encode(&ReceiptParts { transactions, attached: Attached::default(), ..*parts })
        };
        assert_eq!(with(&[]), Err(Kind::Empty));
        assert_eq!(with(&[a, a]), Err(Kind::Order));
        assert_eq!(with(&[a, c]), Ok(()));
        assert!(with(&[c, a]).is_err());
        assert_eq!(with(&[ReceiptTx { events: &[], ..a }]), Err(Kind::Empty));
        let [first, second] = [b.events[0], b.events[1]];
        assert!(with(&[ReceiptTx { events: &[second, first], ..b }]).is_err());
        assert_eq!(with(&[ReceiptTx { events: &[first, first], ..b }]), Err(Kind::Order));
        // Paths of one tree agree, or are not.
        let other = [[7; 32]; 3];
        assert_eq!(with(&[a, ReceiptTx { path: &other, ..b }]), Err(Kind::PathsDiffer));
        assert_eq!(with(&[a, ReceiptTx { path: &[], ..b }]), Err(Kind::PathsDiffer));
        // A newer transaction than the state, and another header of the state's own.
        let newer = ReceiptTx { header: books.ledger.header(9), path: &[], ..a };
        assert_eq!(with(&[newer]), Err(Kind::NewerThanState));
        let own = ReceiptTx { header: parts.state_header, path: &[], ..a };
        assert_eq!(with(&[own]), Ok(()));
        assert_eq!(with(&[ReceiptTx { path: &other, ..own }]), Err(Kind::PathsDiffer));
        let header = Header { ts: 0, ..parts.state_header };
        assert_eq!(with(&[ReceiptTx { header, ..own }]), Err(Kind::PathsDiffer));
        // Links to the wrong side, and headers of another version.
        let link = parts.attached.later;
        let attached = Attached { earlier: link, ..Attached::default() };
        assert_eq!(encode(&ReceiptParts { attached, ..*parts }), Err(Kind::LinkOrder));
        let itself = Some(Link { header: parts.state_header, ..link.unwrap() });
        let attached = Attached { later: itself, ..Attached::default() };
        assert_eq!(encode(&ReceiptParts { attached, ..*parts }), Err(Kind::LinkOrder));
        let header = Header { version: HeaderVersion::V0, ..a.header };
        let unknown = Kind::Header(HeaderError::UnknownVersion { version: 0 });
        assert_eq!(with(&[ReceiptTx { header, ..a }]), Err(unknown));
        let len = parts.encoded_len().unwrap();
        for short in [0, 3, 4, len - 9, len - 8, len - 1] {
            let error = parts.encode(&mut vec![0; short]).map(|_| ()).unwrap_err();
            assert_eq!(error.kind, Kind::BufferTooSmall, "{short}");
        }
    });
}

#[test]
fn what_was_written_is_read() {
    let books = Books::golden();
    let order = Order {
        events: vec![(2, 0), (3, 0), (3, 2), (4, 0), (7, 0)],
        state: 7,
        genesis: true,
        earlier: Some(5),
        later: Some(9),
        signature: Some(books.sign(7)),
        checkpoint: None,
    };
    let bytes = books.receipt(&order);
    let receipt = Receipt::parse(&bytes).unwrap();
    assert_eq!(receipt.ledger(), books.id());
    assert_eq!(receipt.table_id(), 1);
    assert_eq!(receipt.genesis(), Some(books.genesis()));
    assert_eq!(receipt.state(), books.state(7).into());
    assert_eq!(receipt.earlier(), Some(books.state(5).into()));
    assert_eq!(receipt.later(), Some(books.state(9).into()));
    books.with_parts(&order, |parts| assert_eq!(receipt.attached(), parts.attached));
    let mut buffer = vec![0; bytes.len()];
    assert_eq!(receipt.encode_with(&receipt.attached(), &mut buffer).unwrap(), bytes);
    assert_eq!(receipt.event_count(), 5);
    let events: Vec<_> = receipt.events().collect();
    let places: Vec<_> = events.iter().map(|event| (event.tx.get(), event.entry)).collect();
    assert_eq!(places, order.events);
    for event in events {
        let body = &books.bodies[event.tx.get() as usize - 1][event.entry as usize];
        assert_eq!(event.body, EventBody::parse(&body.encode()).unwrap());
        assert_eq!(event.ts, books.ledger.header(event.tx.get()).ts);
    }

    // The same events with other parts: for a verifier with another pin.
    let mut buffer = vec![0; 4000];
    let other = Order { earlier: Some(2), later: None, signature: None, ..order };
    let expected = books.receipt(&other);
    let rewritten = books.with_parts(&other, |parts| {
        receipt.encode_with(&parts.attached, &mut buffer).unwrap().to_vec()
    });
    assert_eq!(rewritten, expected);
    assert_eq!(receipt.encode_with(&Attached::default(), &mut [0; 100]).unwrap_err().at, 0);
}

/// Metadata of transactions and trees that lag have their place, too.
#[test]
fn any_header_of_version_1_is_written_and_read() {
    let mut books = Books::golden();
    let extra = [7; 256];
    let metadata = TxMetadata { truncated_tx_id: Some(3), extra: Some(&extra) };
    let root = books.ledger.root(6);
    let header = books.ledger.headers.last_mut().unwrap();
    header.metadata = TxMetadata { extra: None, ..metadata };
    (header.bl_tx_id, header.bl_root, header.ts) = (TxId::new(6), root, i64::MIN);
    let header = Header { metadata, ..*header };
    let alh = header.alh().unwrap();
    let pins = [TrustedState { tx: header.id, alh }];
    let policy = Policy::new(books.id()).with_table(1).with_pins(&pins).unwrap();
    let path = books.ledger.inclusion(5, 6);
    let body = books.bodies[4][0].encode();
    for (tx, holds) in [(5, true), (8, false)] {
        let events = [ReceiptEntry { entry: 0, path: &[], body: &body }];
        let header_of = books.ledger.header(tx);
        let transactions = [ReceiptTx { header: header_of, path: &path, events: &events }];
        let parts = ReceiptParts {
            ledger: books.id(),
            table_id: 1,
            genesis: None,
            state_header: header,
            transactions: &transactions,
            attached: Attached::default(),
        };
        let mut buffer = [0; 3000];
        let bytes = parts.encode(&mut buffer).unwrap();
        let receipt = Receipt::parse(bytes).unwrap();
        let verdict = receipt.verify(&policy).verdict();
        assert_eq!(verdict.trusted().is_some(), holds, "{verdict:?}");
        // A tree that lags does not hold what came after it.
        let covered = TxId::new(6);
        let error = ProofError::NotCovered { tx: TxId::new(tx), covered };
        let broken = Verdict::Broken(Flaw::Tx { tx: TxId::new(tx), error });
        assert_eq!(verdict == broken, !holds);
    }
}

/// Bodies: exactly those that postcard writes and `docs/format.md` allows.
#[test]
fn a_body_is_read_as_it_is_written() {
    let mut body = Body::golden(Alh::ZERO);
    let golden = body.encode();
    let read = EventBody::parse(&golden).unwrap();
    assert_eq!((read.domain, read.edition, read.root), ("shipment", "", &b"SSCC-1"[..]));
    assert_eq!((read.event_number, read.event_type), (0, "Departed"));
    assert_eq!(read.recorded_at, 1_700_000_000_000_000);
    assert_eq!((read.correlation_id, read.causation_id, read.external_id), ("c-1", "", "ext-1"));
    let pairs: Vec<_> = read.metadata.iter().collect();
    assert_eq!(pairs, [("unit", "°C".as_bytes())]);
    assert_eq!(read.payload, Payload::Inline(br#"{"from":"Basel"}"#));
    assert_eq!((read.seen_tx, read.append_count, read.author), (1, 1, None));
    assert_eq!(read.ext(), body.ext());

    let rule = |rule| Err(ReceiptError { kind: Kind::Body(rule), at: 0 });
    let mut broken = |change: &dyn Fn(&mut Body), expected: Result<(), ReceiptError>| {
        let honest = body.clone();
        change(&mut body);
        let bytes = body.encode();
        assert_eq!(EventBody::parse(&bytes).map(|_| ()), expected, "{bytes:02x?}");
        body = honest;
    };
    broken(&|body| body.domain.clear(), rule(BodyRule::Domain));
    broken(&|body| body.domain = "d".repeat(64), Ok(()));
    broken(&|body| body.domain = "d".repeat(65), rule(BodyRule::Domain));
    broken(&|body| body.edition = "angzarr".into(), rule(BodyRule::Edition));
    broken(&|body| body.edition = "e".repeat(64), Ok(()));
    broken(&|body| body.edition = "e".repeat(65), rule(BodyRule::Edition));
    broken(&|body| body.root.0 = vec![0xff; 128], Ok(()));
    let too_large = |at| Err(ReceiptError { kind: Kind::TooLarge, at });
    broken(&|body| body.root.0 = vec![0; 129], too_large(11));
    broken(&|body| body.event_number = u64::MAX >> 1, Ok(()));
    broken(&|body| body.event_number = 1 << 63, rule(BodyRule::EventNumber));
    broken(&|body| body.recorded_at = i64::MIN, Ok(()));
    broken(&|body| body.metadata.push(body.metadata[0].clone()), rule_at(BodyRule::Metadata, 57));
    broken(
        &|body| body.metadata.push(("uni".into(), receipts::Blob(vec![]))),
        rule_at(BodyRule::Metadata, 57),
    );
    broken(&|body| body.metadata.push(("unit2".into(), receipts::Blob(vec![]))), Ok(()));
    broken(&|body| body.metadata.clear(), Ok(()));
    broken(&|body| body.payload = Content::Commitment([5; 32]), Ok(()));
    broken(&|body| body.prev_event = [1; 32], rule(BodyRule::PrevEvent));
    broken(&|body| (body.event_number, body.prev_event) = (1, [0; 32]), Ok(()));
    broken(&|body| body.seen_tx = 1 << 63, rule(BodyRule::SeenTx));
    broken(&|body| body.append_index = 1, rule(BodyRule::AppendIndex));
    broken(&|body| body.author = Some(([6; 32], [7; 32], [8; 32])), Ok(()));
    broken(&|body| body.external_id.clear(), Ok(()));
    broken(&|body| body.payload = Content::Inline(receipts::Blob(vec![0; 1 << 20])), too_large(0));

    for len in 0..golden.len() {
        assert!(EventBody::parse(&golden[..len]).is_err(), "{len}");
    }
    // Not one bit can change and leave the same event.
    for bit in 0..golden.len() * 8 {
        let mut changed = golden.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(EventBody::parse(&changed).ok(), Some(read));
    }
    let longer = [&golden[..], &[0]].concat();
    let trailing = ReceiptError { kind: Kind::TrailingBytes, at: golden.len() };
    assert_eq!(EventBody::parse(&longer), Err(trailing));
    assert_eq!(EventBody::parse(&[]).unwrap_err().kind, Kind::Truncated);
    assert_eq!(EventBody::parse(&[0, 11]).unwrap_err().kind, Kind::UnknownBody);
}

fn rule_at(rule: BodyRule, at: usize) -> Result<(), ReceiptError> {
    Err(ReceiptError { kind: Kind::Body(rule), at })
}
