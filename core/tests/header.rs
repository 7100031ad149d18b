//! Headers and their metadata: canonical bytes, and what no header can state.

use counterfoil_core::{Alh, Header, HeaderError, HeaderVersion, Root, TxId, TxMetadata};
use proptest::prelude::*;

fn header() -> Header<'static> {
    Header {
        id: TxId::new(2),
        prev_alh: Alh::new([1; 32]),
        ts: 1_700_000_000,
        version: HeaderVersion::V1,
        metadata: TxMetadata::default(),
        nentries: 1,
        eh: Root::new([2; 32]),
        bl_tx_id: TxId::new(1),
        bl_root: Root::new([3; 32]),
    }
}

#[test]
fn metadata_has_one_encoding() {
    let long_extra = [7; 256];
    let cases: [(TxMetadata<'_>, &[u8]); 6] = [
        (TxMetadata::default(), b""),
        (
            TxMetadata { truncated_tx_id: Some(0), extra: None },
            b"\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        ),
        (
            TxMetadata { truncated_tx_id: Some(u64::MAX), extra: None },
            b"\x00\xff\xff\xff\xff\xff\xff\xff\xff",
        ),
        (TxMetadata { truncated_tx_id: None, extra: Some(b"") }, b"\x01\x00\x00"),
        (TxMetadata { truncated_tx_id: None, extra: Some(b"ab") }, b"\x01\x00\x02ab"),
        (
            TxMetadata { truncated_tx_id: Some(1), extra: Some(b"a") },
            b"\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x00\x01a",
        ),
    ];
    for (metadata, bytes) in cases {
        assert_eq!(metadata.encode(&mut [0; 268]).unwrap(), bytes);
        assert_eq!(TxMetadata::parse(bytes), Ok(metadata));
    }
    let longest = TxMetadata { truncated_tx_id: Some(1), extra: Some(&long_extra) };
    let buffer = &mut [0; TxMetadata::MAX_LEN];
    let bytes = longest.encode(buffer).unwrap();
    assert_eq!(bytes.len(), TxMetadata::MAX_LEN);
    assert_eq!(TxMetadata::parse(bytes), Ok(longest));
}

#[test]
fn other_metadata_bytes_are_refused() {
    let truncated = b"\x00\x00\x00\x00\x00\x00\x00\x00\x01";
    let extra = b"\x01\x00\x01a";
    let too_long = [&[1, 1, 1][..], &[0; 257]].concat();
    let cases: [(&str, Vec<u8>, HeaderError); 12] = [
        ("unknown part", vec![2], HeaderError::Metadata),
        ("unknown part", vec![255], HeaderError::Metadata),
        ("cut number", truncated[..8].to_vec(), HeaderError::Metadata),
        ("no number", vec![0], HeaderError::Metadata),
        ("number twice", [&truncated[..], truncated].concat(), HeaderError::Metadata),
        ("extra twice", [&extra[..], extra].concat(), HeaderError::Metadata),
        ("number after extra", [&extra[..], truncated].concat(), HeaderError::Metadata),
        ("cut extra", extra[..3].to_vec(), HeaderError::Metadata),
        ("half a length", vec![1, 0], HeaderError::Metadata),
        ("no length", vec![1], HeaderError::Metadata),
        ("trailing byte", [&extra[..], &[0]].concat(), HeaderError::Metadata),
        ("257 bytes", too_long, HeaderError::ExtraTooLong),
    ];
    for (what, bytes, error) in cases {
        assert_eq!(TxMetadata::parse(&bytes), Err(error), "{what}");
    }
}

#[test]
fn extra_metadata_has_at_most_256_bytes() {
    for len in [257, 65_535, 65_536, 65_539] {
        let extra = vec![0; len];
        let metadata = TxMetadata { truncated_tx_id: None, extra: Some(&extra) };
        assert_eq!(metadata.encode(&mut [0; 268]), Err(HeaderError::ExtraTooLong));
        let header = Header { metadata, ..header() };
        assert_eq!(header.alh(), Err(HeaderError::ExtraTooLong));
        assert_eq!(header.check(), Err(HeaderError::ExtraTooLong));
    }
}

#[test]
fn what_no_header_can_state_is_refused() {
    let h = header();
    let tree = |id, bl_tx_id| HeaderError::TreeNotBehind {
        id: TxId::new(id),
        bl_tx_id: TxId::new(bl_tx_id),
    };
    let count = |nentries| HeaderError::EntryCount { nentries };
    let extra = TxMetadata { truncated_tx_id: None, extra: Some(b"") };
    let truncated = TxMetadata { truncated_tx_id: Some(0), extra: None };
    let v0 = Header { version: HeaderVersion::V0, ..h };
    let cases = [
        (Header { id: TxId::new(0), ..h }, HeaderError::IdZero),
        (Header { id: TxId::new(0), bl_tx_id: TxId::new(0), ..h }, HeaderError::IdZero),
        (Header { bl_tx_id: TxId::new(2), ..h }, tree(2, 2)),
        (Header { bl_tx_id: TxId::new(u64::MAX), ..h }, tree(2, u64::MAX)),
        (
            Header { id: TxId::new(u64::MAX), bl_tx_id: TxId::new(u64::MAX), ..h },
            tree(u64::MAX, u64::MAX),
        ),
        (Header { nentries: 0, ..h }, count(0)),
        (Header { nentries: 1 << 31, ..h }, count(1 << 31)),
        (Header { nentries: u32::MAX, ..h }, count(u32::MAX)),
        (Header { nentries: 0, ..v0 }, count(0)),
        (Header { nentries: 65_536, ..v0 }, count(65_536)),
        (Header { metadata: extra, ..v0 }, HeaderError::MetadataInV0),
        (Header { metadata: truncated, ..v0 }, HeaderError::MetadataInV0),
    ];
    for (header, error) in cases {
        assert_eq!(header.inner_hash(), Err(error), "{header:?}");
        assert_eq!(header.alh(), Err(error), "{header:?}");
        assert_eq!(header.check(), Err(error), "{header:?}");
    }
}

#[test]
fn the_greatest_headers_are_hashed() {
    let h = header();
    for header in [
        Header { id: TxId::new(u64::MAX), bl_tx_id: TxId::new(u64::MAX - 1), ..h },
        Header { id: TxId::new(1 << 63), bl_tx_id: TxId::new(0), ..h },
        Header { nentries: (1 << 31) - 1, ..h },
        Header { nentries: 65_535, version: HeaderVersion::V0, ..h },
        Header { ts: i64::MIN, ..h },
        Header { ts: i64::MAX, ..h },
    ] {
        assert!(header.alh().is_ok(), "{header:?}");
    }
}

#[test]
fn how_a_ledger_begins_is_checked_apart() {
    let first = Header {
        id: TxId::new(1),
        prev_alh: Alh::BEFORE_FIRST,
        bl_tx_id: TxId::new(0),
        bl_root: Root::ZERO,
        ..header()
    };
    assert_eq!(first.check(), Ok(()));
    let with_predecessor = Header { prev_alh: Alh::new([0; 32]), ..first };
    assert_eq!(with_predecessor.check(), Err(HeaderError::FirstPredecessor));
    assert!(with_predecessor.alh().is_ok());
    let with_tree = Header { bl_root: Root::EMPTY, ..first };
    assert_eq!(with_tree.check(), Err(HeaderError::EmptyTreeRoot));
    assert!(with_tree.alh().is_ok());
    // A later transaction of a lagging ledger has a predecessor but no tree either.
    let lagging = Header { id: TxId::new(3), prev_alh: Alh::new([9; 32]), ..first };
    assert_eq!(lagging.check(), Ok(()));
    assert_eq!(Header { bl_root: Root::EMPTY, ..lagging }.check(), Err(HeaderError::EmptyTreeRoot));
}

#[test]
fn there_are_two_versions() {
    assert_eq!(HeaderVersion::try_from(0), Ok(HeaderVersion::V0));
    assert_eq!(HeaderVersion::try_from(1), Ok(HeaderVersion::V1));
    for version in [2, 255, 256, u16::MAX] {
        assert_eq!(HeaderVersion::try_from(version), Err(HeaderError::UnknownVersion { version }));
    }
    assert_eq!((HeaderVersion::V0.number(), HeaderVersion::V1.number()), (0, 1));
}

proptest! {
    #[test]
    fn metadata_round_trips(
        truncated_tx_id: Option<u64>,
        extra in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..=256)),
    ) {
        let metadata = TxMetadata { truncated_tx_id, extra: extra.as_deref() };
        let buffer = &mut [0; TxMetadata::MAX_LEN];
        let bytes = metadata.encode(buffer).unwrap();
        prop_assert_eq!(TxMetadata::parse(bytes), Ok(metadata));
    }

    #[test]
    fn metadata_bytes_that_are_read_are_written_again(
        bytes in proptest::collection::vec(0..4_u8, 0..20),
    ) {
        if let Ok(metadata) = TxMetadata::parse(&bytes) {
            let buffer = &mut [0; TxMetadata::MAX_LEN];
            prop_assert_eq!(metadata.encode(buffer).unwrap(), &bytes);
        }
    }

    /// Headers that differ in anything have different hashes.
    #[test]
    fn a_header_is_bound_by_its_alh(
        (id, covered, ts, nentries) in (2..9_u64, 0..2_u64, any::<i64>(), 1..9_u32),
        (id2, covered2, ts2, nentries2) in (2..9_u64, 0..2_u64, any::<i64>(), 1..9_u32),
        same_ts: bool,
        (v1, v1_2) in any::<(bool, bool)>(),
    ) {
        let header = |id, covered, ts, nentries, v1| Header {
            id: TxId::new(id),
            bl_tx_id: TxId::new(covered),
            ts,
            nentries,
            version: if v1 { HeaderVersion::V1 } else { HeaderVersion::V0 },
            ..header()
        };
        let one = header(id, covered, ts, nentries, v1);
        let two = header(id2, covered2, if same_ts { ts } else { ts2 }, nentries2, v1_2);
        prop_assert_eq!(one == two, one.alh() == two.alh());
    }
}
