//! Entries: places in a transaction, times, and the transactions that references name.

use counterfoil_core::*;

use super::reference::root_from_path;
use super::{CORNERS, header, terms};

const PLACES: [u32; 8] = [0, 1, 0xffff, 0x1_0000, 0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, u32::MAX];

/// In transactions of any count that a header can state.
#[test]
fn an_entry_stands_where_the_count_of_entries_allows() {
    let digest = EntryDigest::new([9; 32]);
    for nentries in [1, 2, 0xffff, 0x7fff_fffe, 0x7fff_ffff] {
        for place in PLACES {
            let (index, size) = (LeafIndex::new(place.into()), TreeSize::new(nentries.into()));
            let path = terms(inclusion_path_len(index, size).unwrap_or(0));
            let leaf = digest.leaf_hash().to_bytes();
            let root = root_from_path(&leaf, place.into(), nentries.into(), &path);
            let eh = Root::new(root.unwrap_or_default());
            let header = Header { nentries, eh, ..header(7, 6) };
            let state = TrustedState { tx: header.id, alh: header.alh().unwrap() };
            let tx = state.verify_tx(&header, &header, &[]).unwrap();
            let answer = tx.verify_entry(tx.version(), &digest, place, &path);
            if place < nentries {
                assert_eq!(answer.unwrap().index(), place);
            } else {
                let error = TreeError::IndexOutOfRange { index, size };
                assert_eq!(answer, Err(ProofError::EntryInclusion(error)));
            }
            let short = ProofError::EntryCount { expected: nentries, found: 0 };
            assert_eq!(tx.verify_all_entries(tx.version(), []), Err(short));
        }
    }
}

#[test]
fn any_time_and_any_truncation_is_metadata() {
    for number in CORNERS {
        let metadata = TxMetadata { truncated_tx_id: Some(number), extra: None };
        let mut buffer = [0; TxMetadata::MAX_LEN];
        assert_eq!(TxMetadata::parse(metadata.encode(&mut buffer).unwrap()), Ok(metadata));
        let expires_at = Some(number.cast_signed());
        let metadata = EntryMetadata { deleted: false, expires_at, non_indexable: true };
        let mut buffer = [0; EntryMetadata::MAX_LEN];
        assert_eq!(EntryMetadata::parse(metadata.encode(&mut buffer)), Ok(metadata));
    }
}

#[test]
fn any_number_is_a_transaction_to_refer_to_and_a_score() {
    for number in CORNERS {
        let at_tx = TxId::new(number);
        let reference = [&[1][..], &number.to_be_bytes(), b"\0k"].concat();
        let parsed = KvEntry::parse(b"\0r", &reference, false).unwrap();
        assert_eq!(parsed, KvEntry::Reference { key: b"r", referenced: b"k", at_tx });

        let (one, number) = (1_u64.to_be_bytes(), number.to_be_bytes());
        let two = 2_u64.to_be_bytes();
        let key = [&[1][..], &one, b"s", &number, &two, b"\0k", &number].concat();
        let parsed = KvEntry::parse(&key, b"", false).unwrap();
        let (set, score_bits) = (&b"s"[..], at_tx.get());
        assert_eq!(parsed, KvEntry::SortedSet { set, score_bits, key: b"k", at_tx });
        // And as the lengths they are wrong but where they are right.
        let key = [&[1][..], &number, b"s", &one, &two, b"\0k", &one].concat();
        assert_eq!(KvEntry::parse(&key, b"", false).is_ok(), at_tx.get() == 1);
        let key = [&[1][..], &one, b"s", &one, &number, b"\0k", &one].concat();
        assert_eq!(KvEntry::parse(&key, b"", false).is_ok(), at_tx.get() == 2);
    }
}
