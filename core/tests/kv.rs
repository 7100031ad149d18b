//! Key-value entries: their one encoding, their digests, and what a reference points at.

mod ledger;
mod reference;

use counterfoil_core::*;
use ledger::Ledger;
use reference::Hash;
use sha2::{Digest, Sha256};

const V0: HeaderVersion = HeaderVersion::V0;
const V1: HeaderVersion = HeaderVersion::V1;
const PLAIN: EntryMetadata =
    EntryMetadata { deleted: false, expires_at: None, non_indexable: false };
const DELETED: EntryMetadata = EntryMetadata { deleted: true, ..PLAIN };

/// Entries with the bytes that they must have, put together here by hand.
fn entries() -> Vec<(KvEntry<'static>, Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    for key in [&b"k"[..], b"\0", b"\x01\x02", "schl\u{fc}ssel".as_bytes()] {
        let plain = [b"\0", key].concat();
        for value in [&b""[..], b"v", b"\0", b"\x01\0\0\0\0\0\0\0\0\0k"] {
            all.push((KvEntry::Set { key, value }, plain.clone(), [b"\0", value].concat()));
        }
        all.push((KvEntry::Delete { key }, plain.clone(), Vec::new()));
        for at_tx in [0, 1, u64::MAX] {
            let referenced = &b"there"[..];
            let value = [&[1][..], &at_tx.to_be_bytes(), b"\0", referenced].concat();
            let at_tx = TxId::new(at_tx);
            all.push((KvEntry::Reference { key, referenced, at_tx }, plain.clone(), value));
        }
        for (set, score, at_tx) in [(&b"s"[..], 0.0, 0), (b"\0\0", -1.5, 7), (b"set", f64::NAN, 1)]
        {
            let score_bits = score.to_bits();
            let stored = [
                &[1][..],
                &(set.len() as u64).to_be_bytes(),
                set,
                &score_bits.to_be_bytes(),
                &(key.len() as u64 + 1).to_be_bytes(),
                b"\0",
                key,
                &u64::to_be_bytes(at_tx),
            ]
            .concat();
            let at_tx = TxId::new(at_tx);
            all.push((KvEntry::SortedSet { set, score_bits, key, at_tx }, stored, Vec::new()));
        }
    }
    all
}

fn metadata(entry: &KvEntry<'_>) -> EntryMetadata {
    if matches!(entry, KvEntry::Delete { .. }) { DELETED } else { PLAIN }
}

#[test]
fn an_entry_has_one_encoding() {
    let all = entries();
    for (entry, key, value) in &all {
        let deleted = metadata(entry).deleted;
        assert_eq!(KvEntry::parse(key, value, deleted), Ok(*entry));
        assert_eq!(KvEntry::parse(key, value, !deleted), Err(KvError::Deleted), "{entry:?}");
        for (other, key, value) in &all {
            assert_eq!(entry.is_encoded_as(key, value), entry == other, "{entry:?} {other:?}");
        }
        // A byte more or less is another entry or none.
        for (key, value) in [
            ([&key[..], b"x"].concat(), value.clone()),
            (key.clone(), [&value[..], b"x"].concat()),
            (key[..key.len() - 1].to_vec(), value.clone()),
        ] {
            assert!(!entry.is_encoded_as(&key, &value));
            assert_ne!(KvEntry::parse(&key, &value, deleted), Ok(*entry));
        }
    }
}

/// Whatever is read from any bytes has these bytes.
#[test]
fn what_is_read_is_what_was_written() {
    let mut read = 0;
    for (_, key, value) in entries() {
        for place in 0..key.len() + value.len() {
            for byte in 0..=u8::MAX {
                let (mut key, mut value) = (key.clone(), value.clone());
                match place.checked_sub(key.len()) {
                    Some(place) => value[place] = byte,
                    None => key[place] = byte,
                }
                for deleted in [false, true] {
                    if let Ok(entry) = KvEntry::parse(&key, &value, deleted) {
                        assert!(entry.is_encoded_as(&key, &value), "{entry:?}");
                        read += 1;
                    }
                }
            }
        }
    }
    assert!(read > 10_000, "{read}");
}

#[test]
fn other_keys_and_values_are_refused() {
    let parse = |key: &[u8], value: &[u8]| KvEntry::parse(key, value, false).map(|_| ());
    for key in [&b""[..], b"\0", b"\x02R.", b"\x03k", b"\x01", b"\x01\0\0\0\0\0\0\0\x01s"] {
        assert_eq!(parse(key, b"\0v"), Err(KvError::Key), "{key:?}");
    }
    for value in [&b"\x02v"[..], b"\x01", b"\x01\0\0\0\0\0\0\0", b"\x01\0\0\0\0\0\0\0\0"] {
        assert_eq!(parse(b"\0k", value), Err(KvError::Value), "{value:?}");
    }
    let reference = |rest: &[u8]| [&[1; 9][..], rest].concat();
    for rest in [&b"\0"[..], b"k", b"\x01k", b"\x02k"] {
        assert_eq!(parse(b"\0k", &reference(rest)), Err(KvError::Value), "{rest:?}");
    }

    let set = |set_len: u64, key_len: u64, key: &[u8], rest: &[u8]| {
        let (set_len, key_len) = (set_len.to_be_bytes(), key_len.to_be_bytes());
        [&[1][..], &set_len, b"set", &[9; 8], &key_len, key, &[0; 8], rest].concat()
    };
    assert_eq!(parse(&set(3, 2, b"\0k", b""), b""), Ok(()));
    assert_eq!(parse(&set(3, 2, b"\0k", b""), b"\0"), Err(KvError::Value));
    for key in [
        set(3, 2, b"\0k", b"x"),
        set(3, 2, b"\x01k", b""),
        set(3, 1, b"\0", b""),
        set(3, 3, b"\0k", b""),
        set(2, 2, b"\0k", b""),
        set(4, 2, b"\0k", b""),
        set(u64::MAX, 2, b"\0k", b""),
        set(3, u64::MAX, b"\0k", b""),
        set(3, 0, b"", b""),
        [&[1][..], &[0; 8], &[9; 8], &2_u64.to_be_bytes(), b"\0k", &[0; 8]].concat(),
    ] {
        assert_eq!(parse(&key, b""), Err(KvError::Key), "{key:?}");
    }
}

#[test]
fn a_digest_is_over_the_bytes_in_the_version_of_the_header() {
    for (entry, key, value) in entries() {
        let value_hash = Sha256::digest(&value);
        let metadata = metadata(&entry);
        let mut buffer = [0; EntryMetadata::MAX_LEN];
        let md = metadata.encode(&mut buffer);
        let lengths = [md.len() as u16, key.len() as u16].map(u16::to_be_bytes);
        let bytes = [&lengths[0], md, &lengths[1], &key, &value_hash].concat();
        let digest = EntryDigest::new(Sha256::digest(bytes).into());
        assert_eq!(entry.digest(V1, &metadata), Ok(digest));

        let bytes = [&key[..], &value_hash].concat();
        let digest = EntryDigest::new(Sha256::digest(bytes).into());
        assert_eq!(entry.digest(V0, &PLAIN), Ok(digest));
        assert_eq!(entry.digest(V0, &DELETED), Err(EntryError::MetadataInV0));
    }
}

/// immudb refuses to write them, and an entry with the key `00` would be a key of no bytes.
#[test]
fn an_empty_key_or_name_is_refused_when_read_and_when_verified() {
    let at_tx = TxId::new(1);
    let score = [0; 8];
    let (one, two, none) = (1_u64.to_be_bytes(), 2_u64.to_be_bytes(), [0; 8]);
    let at = at_tx.get().to_be_bytes();
    let no_key = [&[1][..], &one, b"s", &score, &one, b"\0", &at].concat();
    let no_set = [&[1][..], &none, &score, &two, b"\0k", &at].concat();
    let to_k = [&[1][..], &at, b"\0k"].concat();
    let nowhere = [&[1][..], &at, b"\0"].concat();
    let score_bits = 0;
    let cases: [(KvEntry<'_>, &[u8], &[u8]); 6] = [
        (KvEntry::Set { key: b"", value: b"v" }, b"\0", b"\0v"),
        (KvEntry::Delete { key: b"" }, b"\0", b""),
        (KvEntry::Reference { key: b"", referenced: b"k", at_tx }, b"\0", &to_k),
        (KvEntry::Reference { key: b"k", referenced: b"", at_tx }, b"\0k", &nowhere),
        (KvEntry::SortedSet { set: b"s", score_bits, key: b"", at_tx }, &no_key, b""),
        (KvEntry::SortedSet { set: b"", score_bits, key: b"k", at_tx }, &no_set, b""),
    ];
    for (entry, key, value) in cases {
        let metadata = metadata(&entry);
        assert!(KvEntry::parse(key, value, metadata.deleted).is_err(), "{entry:?}");
        assert!(!entry.is_encoded_as(key, value), "{entry:?}");
        // A transaction that has the entry all the same.
        let digest = entry_digest(V1, &metadata, key, &ValueHash::of(value)).unwrap();
        let mut ledger = Ledger::with_trees(&[]);
        ledger.append_entries(V1, &[digest]);
        let tx = ledger.verified(1, 1);
        assert!(tx.verify_entry(tx.version(), &digest, 0, &[]).is_ok());
        let empty = ProofError::Entry(EntryError::EmptyKey);
        assert_eq!(tx.verify_kv(&entry, &metadata, 0, &[]), Err(empty), "{entry:?}");
    }
}

#[test]
fn a_key_has_at_most_65_535_bytes_with_what_immudb_puts_before_it() {
    let long = vec![b'k'; 65_535];
    let plain = |key| KvEntry::Set { key, value: b"" }.digest(V1, &PLAIN);
    assert!(plain(&long[1..]).is_ok());
    assert_eq!(plain(&long), Err(EntryError::KeyTooLong));
    let sorted = |key| {
        let at_tx = TxId::new(0);
        KvEntry::SortedSet { set: b"set", score_bits: 0, key, at_tx }.digest(V0, &PLAIN)
    };
    // 1 + 8 + 3 + 8 + 8 + 1 + 8
    assert!(sorted(&long[37..]).is_ok());
    assert_eq!(sorted(&long[36..]), Err(EntryError::KeyTooLong));
}

const SET: KvEntry<'_> = KvEntry::Set { key: b"k", value: b"v" };
const DELETE: KvEntry<'_> = KvEntry::Delete { key: b"k" };

const fn reference(key: &'static [u8], at_tx: u64) -> KvEntry<'static> {
    KvEntry::Reference { key: b"r", referenced: key, at_tx: TxId::new(at_tx) }
}

const fn member(key: &'static [u8], at_tx: u64) -> KvEntry<'static> {
    KvEntry::SortedSet { set: b"set", score_bits: 5, key, at_tx: TxId::new(at_tx) }
}

/// A ledger with one transaction for each list of entries.
fn ledger(txs: &[&[KvEntry<'_>]]) -> Ledger {
    let mut ledger = Ledger::with_trees(&[]);
    for entries in txs {
        let digests: Vec<_> = entries.iter().map(|e| e.digest(V1, &metadata(e)).unwrap()).collect();
        ledger.append_entries(V1, &digests);
    }
    ledger
}

fn path(entries: &[KvEntry<'_>], index: usize) -> Vec<Hash> {
    let digest = |e: &KvEntry<'_>| e.digest(V1, &metadata(e)).unwrap();
    let leaves: Vec<Hash> = entries.iter().map(|e| digest(e).leaf_hash().to_bytes()).collect();
    reference::path(index, &leaves)
}

/// Entry `index` of transaction `id`, under the state after transaction `state`.
fn verified<'a>(txs: &[&[KvEntry<'a>]], id: usize, index: usize, state: u64) -> VerifiedKv<'a> {
    let tx = ledger(txs).verified(id as u64, state);
    let (entries, entry) = (txs[id - 1], &txs[id - 1][index]);
    tx.verify_kv(entry, &metadata(entry), index as u32, &path(entries, index)).unwrap()
}

#[test]
fn an_entry_is_verified_at_its_place_with_its_metadata() {
    let entries = [SET, DELETE, reference(b"k", 0), member(b"k", 1), SET];
    let tx = ledger(&[&entries]).verified(1, 1);
    for (index, entry) in entries.iter().enumerate() {
        let place = index as u32;
        let (metadata, path) = (metadata(entry), path(&entries, index));
        let kv = tx.verify_kv(entry, &metadata, place, &path).unwrap();
        assert_eq!((kv.kv(), kv.metadata()), (*entry, metadata));
        assert_eq!((kv.entry().tx(), kv.entry().index()), (tx, place));
        assert_eq!(kv.entry().digest(), entry.digest(V1, &metadata).unwrap());

        // An entry says itself whether it deletes: metadata that says otherwise is refused.
        let other = EntryMetadata { deleted: !metadata.deleted, ..metadata };
        let contradiction = ProofError::Entry(EntryError::Deleted);
        assert_eq!(tx.verify_kv(entry, &other, place, &path), Err(contradiction));
        let elsewhere = ProofError::EntryInclusion(TreeError::RootMismatch);
        for other in [
            EntryMetadata { expires_at: Some(0), ..metadata },
            EntryMetadata { non_indexable: true, ..metadata },
        ] {
            assert_eq!(tx.verify_kv(entry, &other, place, &path), Err(elsewhere));
        }
        for (other_index, other) in entries.iter().enumerate() {
            let metadata = self::metadata(other);
            let answer = tx.verify_kv(other, &metadata, place, &path);
            assert_eq!(answer.is_ok(), entry == other, "{other_index} at {place}");
        }
        for other in (0..7).filter(|other| *other != place) {
            assert!(tx.verify_kv(entry, &metadata, other, &path).is_err());
        }
    }
}

#[test]
fn an_entry_that_cannot_be_is_refused_as_such() {
    let mut ledger = Ledger::with_trees(&[]);
    ledger.append_entries(V0, &[SET.digest(V0, &PLAIN).unwrap()]);
    let tx = ledger.verified(1, 1);
    assert!(tx.verify_kv(&SET, &PLAIN, 0, &[]).is_ok());
    let in_v0 = ProofError::Entry(EntryError::MetadataInV0);
    assert_eq!(tx.verify_kv(&DELETE, &DELETED, 0, &[]), Err(in_v0));
    let expires = EntryMetadata { expires_at: Some(0), ..PLAIN };
    assert_eq!(tx.verify_kv(&SET, &expires, 0, &[]), Err(in_v0));
    let long = KvEntry::Set { key: &[0; 65_535], value: b"" };
    let too_long = ProofError::Entry(EntryError::KeyTooLong);
    assert_eq!(tx.verify_kv(&long, &PLAIN, 0, &[]), Err(too_long));
}

#[test]
fn a_reference_is_bound_to_the_transaction_that_it_names() {
    for make in [reference, member] {
        let txs: [&[KvEntry<'_>]; 3] =
            [&[SET], &[SET, make(b"k", 1)], &[make(b"k", 2), make(b"k", 3), SET, make(b"k", 0)]];
        let first = verified(&txs, 1, 0, 3);
        let second = verified(&txs, 2, 0, 3);
        let third = verified(&txs, 3, 2, 3);
        let other_tx = Err(KvError::OtherTx);
        let to_first = verified(&txs, 2, 1, 3);
        assert_eq!(to_first.points_at(&first), Ok(Binding::Fixed));
        assert_eq!(to_first.points_at(&second), other_tx);
        let to_second = verified(&txs, 3, 0, 3);
        assert_eq!(to_second.points_at(&second), Ok(Binding::Fixed));
        assert_eq!(to_second.points_at(&first), other_tx);
        // In the transaction of the reference itself.
        let to_third = verified(&txs, 3, 1, 3);
        assert_eq!(to_third.points_at(&third), Ok(Binding::Fixed));
        assert_eq!(to_third.points_at(&second), other_tx);
        // One that follows its key points at each of its values.
        let to_any = verified(&txs, 3, 3, 3);
        for value in [first, second, third] {
            assert_eq!(to_any.points_at(&value), Ok(Binding::Latest));
        }
    }
}

#[test]
fn a_reference_points_at_a_value_of_its_key_under_the_same_state() {
    let other = KvEntry::Set { key: b"kk", value: b"v" };
    for make in [reference, member] {
        let txs: [&[KvEntry<'_>]; 2] =
            [&[SET, DELETE, other], &[make(b"k", 1), make(b"k", 0), make(b"r", 2), make(b"k", 2)]];
        let at = |id, index| verified(&txs, id, index, 2);
        let (value, deleted, other) = (at(1, 0), at(1, 1), at(1, 2));
        for reference in [at(2, 0), at(2, 1)] {
            assert!(reference.points_at(&value).is_ok());
            assert_eq!(reference.points_at(&other), Err(KvError::OtherKey));
            for none in [deleted, at(2, 2), reference] {
                assert_eq!(reference.points_at(&none), Err(KvError::NoValue));
            }
            // The same transaction, under the state that it was when it was new.
            let earlier = verified(&txs, 1, 0, 1);
            assert_eq!(earlier.kv(), value.kv());
            assert_eq!(reference.points_at(&earlier), Err(KvError::OtherState));
            // A state is more than its number: this is another ledger's.
            let [first, second] = txs;
            let forked = verified(&[first, &second[..3]], 1, 0, 2);
            assert_eq!(forked.kv(), value.kv());
            assert_eq!(reference.points_at(&forked), Err(KvError::OtherState));
        }
        for none in [value, deleted] {
            assert_eq!(none.points_at(&value), Err(KvError::NoReference));
        }
    }
}

#[test]
fn a_transaction_that_sets_a_key_twice_has_two_values_to_point_at() {
    // What `points_at` says that it does not show.
    let again = KvEntry::Set { key: b"k", value: b"another" };
    let txs: [&[KvEntry<'_>]; 2] = [&[SET, again], &[reference(b"k", 1)]];
    let to_first = verified(&txs, 2, 0, 2);
    let values = [verified(&txs, 1, 0, 2), verified(&txs, 1, 1, 2)];
    assert_ne!(values[0].kv(), values[1].kv());
    assert_eq!(values.map(|value| to_first.points_at(&value)), [Ok(Binding::Fixed); 2]);
}
