//! Key-value entries: an entry has one encoding, and one digest that no other entry has.
#![no_main]

use arbitrary::Arbitrary;
use counterfoil_core::{
    EntryError, EntryMetadata, HeaderVersion, KvEntry, TxId, ValueHash, entry_digest,
};
use counterfoil_fuzz::Change;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

#[derive(Arbitrary, Debug)]
enum Entry<'a> {
    Set(&'a [u8], &'a [u8]),
    Delete(&'a [u8]),
    Reference(&'a [u8], &'a [u8], u64),
    SortedSet(&'a [u8], u64, &'a [u8], u64),
    /// Its length does not fit the digest's field.
    LongKey(u16, u8),
}

/// Key and value by the format's words.
fn encode(entry: &KvEntry<'_>) -> (Vec<u8>, Vec<u8>) {
    let len = |bytes: usize| (bytes as u64).to_be_bytes();
    match *entry {
        KvEntry::Set { key, value } => ([&[0], key].concat(), [&[0], value].concat()),
        KvEntry::Delete { key } => ([&[0], key].concat(), Vec::new()),
        KvEntry::Reference { key, referenced, at_tx } => {
            let value = [&[1], &at_tx.get().to_be_bytes()[..], &[0], referenced].concat();
            ([&[0], key].concat(), value)
        }
        KvEntry::SortedSet { set, score_bits, key, at_tx } => {
            let (score, at_tx) = (score_bits.to_be_bytes(), at_tx.get().to_be_bytes());
            let key = [&len(key.len() + 1)[..], &[0], key].concat();
            ([&[1], &len(set.len())[..], set, &score, &key, &at_tx].concat(), Vec::new())
        }
    }
}

/// The digest by the format's words, for what has one.
fn hash(version: HeaderVersion, metadata: &EntryMetadata, key: &[u8], value: &[u8]) -> [u8; 32] {
    let mut bytes = Vec::new();
    if version == HeaderVersion::V1 {
        let mut encoded = vec![0; usize::from(metadata.deleted)];
        encoded.extend(
            metadata.expires_at.iter().flat_map(|at| [&[1], &at.to_be_bytes()[..]].concat()),
        );
        encoded.extend(metadata.non_indexable.then_some(2));
        bytes.extend((encoded.len() as u16).to_be_bytes());
        bytes.extend(encoded);
        bytes.extend((key.len() as u16).to_be_bytes());
    }
    bytes.extend(key);
    bytes.extend(Sha256::digest(value));
    Sha256::digest(bytes).into()
}

fn whole(entry: &KvEntry<'_>) -> bool {
    match entry {
        KvEntry::Set { key, .. } | KvEntry::Delete { key } => !key.is_empty(),
        KvEntry::Reference { key, referenced, .. } => !key.is_empty() && !referenced.is_empty(),
        KvEntry::SortedSet { set, key, .. } => !set.is_empty() && !key.is_empty(),
    }
}

fuzz_target!(|input: ([Entry<'_>; 2], [(Option<i64>, bool); 2], bool, [Vec<Change>; 2])| {
    let ([a, b], metadata, v0, changes) = input;
    let long = vec![b'k'; 0x1_0000 + 0xffff];
    let entry = |entry| match entry {
        Entry::Set(key, value) => KvEntry::Set { key, value },
        Entry::Delete(key) => KvEntry::Delete { key },
        Entry::Reference(key, referenced, at_tx) => {
            KvEntry::Reference { key, referenced, at_tx: TxId::new(at_tx) }
        }
        Entry::SortedSet(set, score_bits, key, at_tx) => {
            KvEntry::SortedSet { set, score_bits, key, at_tx: TxId::new(at_tx) }
        }
        Entry::LongKey(len, value) => KvEntry::Set {
            key: &long[..0xff00 + usize::from(len)],
            value: if value % 2 == 0 { b"" } else { b"v" },
        },
    };
    let version = if v0 { HeaderVersion::V0 } else { HeaderVersion::V1 };
    let mut digests = Vec::new();
    for (entry, (expires_at, non_indexable)) in [entry(a), entry(b)].into_iter().zip(metadata) {
        let deleted = matches!(entry, KvEntry::Delete { .. });
        let metadata = EntryMetadata { deleted, expires_at, non_indexable };
        let (key, value) = encode(&entry);
        assert_eq!(entry.is_encoded_as(&key, &value), whole(&entry));
        let read = KvEntry::parse(&key, &value, deleted);
        assert_eq!(read.ok(), whole(&entry).then_some(entry));
        assert!(KvEntry::parse(&key, &value, !deleted).is_err());

        let digest = entry.digest(version, &metadata);
        let by_bytes = entry_digest(version, &metadata, &key, &ValueHash::of(&value));
        if !whole(&entry) {
            assert_eq!(digest, Err(EntryError::EmptyKey));
            return;
        }
        assert_eq!(digest, by_bytes);
        let by_words = digest.map(|_| hash(version, &metadata, &key, &value));
        assert_eq!(digest.map(|digest| digest.to_bytes()), by_words);
        let states_it = version == HeaderVersion::V1 || metadata == EntryMetadata::default();
        assert_eq!(digest.is_ok(), states_it && key.len() <= 0xffff);
        digests.push((entry, metadata, digest.ok()));

        let (mut changed_key, mut changed_value) = (key, value);
        changes[0].iter().for_each(|change| change.apply(&mut changed_key));
        changes[1].iter().for_each(|change| change.apply(&mut changed_value));
        for deleted in [false, true] {
            let read = KvEntry::parse(&changed_key, &changed_value, deleted);
            if let Ok(read) = read {
                assert!(whole(&read) && read.is_encoded_as(&changed_key, &changed_value));
                assert_eq!(encode(&read), (changed_key.clone(), changed_value.clone()));
                assert_eq!(deleted, matches!(read, KvEntry::Delete { .. }));
            }
        }
    }
    let [(a, a_metadata, a_digest), (b, b_metadata, b_digest)] = &digests[..] else { return };
    if a_digest.is_some() && a_digest == b_digest {
        assert_eq!((a, a_metadata), (b, b_metadata), "one digest");
    }
});
