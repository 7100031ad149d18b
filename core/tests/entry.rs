//! Entry metadata and digests.

use counterfoil_core::{
    EntryError, EntryMetadata, HeaderVersion, KeyBeginning, ValueHash, entry_digest,
};
use sha2::{Digest, Sha256};

fn all_metadata() -> impl Iterator<Item = EntryMetadata> {
    [None, Some(0), Some(-1), Some(1), Some(i64::MIN), Some(i64::MAX)].into_iter().flat_map(
        |expires_at| {
            [(false, false), (false, true), (true, false), (true, true)].map(
                |(deleted, non_indexable)| EntryMetadata { deleted, expires_at, non_indexable },
            )
        },
    )
}

fn bytes(metadata: &EntryMetadata) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(metadata.deleted.then_some(0));
    if let Some(expires_at) = metadata.expires_at {
        bytes.push(1);
        bytes.extend(expires_at.to_be_bytes());
    }
    bytes.extend(metadata.non_indexable.then_some(2));
    bytes
}

#[test]
fn metadata_has_one_encoding() {
    for metadata in all_metadata() {
        let bytes = bytes(&metadata);
        assert_eq!(metadata.encode(&mut [0; EntryMetadata::MAX_LEN]), bytes);
        assert_eq!(EntryMetadata::parse(&bytes), Ok(metadata));
    }
}

#[test]
fn other_metadata_bytes_are_refused() {
    let expires = [1, 0, 0, 0, 0, 0, 0, 0, 9];
    for bytes in [
        vec![3],
        vec![255],
        vec![0, 0],
        vec![2, 2],
        vec![2, 0],
        vec![0, 2, 0],
        vec![1],
        expires[..8].to_vec(),
        [&expires[..], &expires].concat(),
        [&expires[..], &[0]].concat(),
        [&[2], &expires[..]].concat(),
        [&expires[..], &[2, 3]].concat(),
        [&expires[..], &[3]].concat(),
    ] {
        assert_eq!(EntryMetadata::parse(&bytes), Err(EntryError::Metadata), "{bytes:?}");
    }
}

/// All byte strings of up to three bytes, and every cut of the longest metadata.
#[test]
fn metadata_that_is_read_is_written_again() {
    let mut read = 0;
    let mut check = |bytes: &[u8]| {
        if let Ok(metadata) = EntryMetadata::parse(bytes) {
            assert_eq!(metadata.encode(&mut [0; EntryMetadata::MAX_LEN]), bytes);
            read += 1;
        }
    };
    check(&[]);
    for a in 0..=255 {
        check(&[a]);
        for b in 0..=255 {
            check(&[a, b]);
            (0..=255).for_each(|c| check(&[a, b, c]));
        }
    }
    let longest = [0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 2];
    (0..longest.len()).for_each(|len| check(&longest[..len]));
    // "", 00, 02 and 00 02; of the cuts: "", 00, and all but the last byte.
    assert_eq!(read, 4 + 3);
}

#[test]
fn a_digest_follows_its_formula() {
    let value = ValueHash::of(b"value");
    assert_eq!(value.to_bytes(), <[u8; 32]>::from(Sha256::digest(b"value")));
    for key in [&b""[..], b"key", &[0xab; 65_535]] {
        for metadata in all_metadata() {
            let bytes = bytes(&metadata);
            let formula = Sha256::new()
                .chain_update((bytes.len() as u16).to_be_bytes())
                .chain_update(&bytes)
                .chain_update((key.len() as u16).to_be_bytes())
                .chain_update(key)
                .chain_update(value.as_bytes())
                .finalize();
            let digest = entry_digest(HeaderVersion::V1, &metadata, key, &value).unwrap();
            assert_eq!(digest.to_bytes(), <[u8; 32]>::from(formula));

            let v0 = entry_digest(HeaderVersion::V0, &metadata, key, &value);
            if metadata == EntryMetadata::default() {
                let formula = Sha256::new().chain_update(key).chain_update(value.as_bytes());
                assert_eq!(v0.unwrap().to_bytes(), <[u8; 32]>::from(formula.finalize()));
            } else {
                assert_eq!(v0, Err(EntryError::MetadataInV0));
            }
        }
    }
}

#[test]
fn a_key_has_at_most_65535_bytes() {
    for version in [HeaderVersion::V0, HeaderVersion::V1] {
        for len in [65_536, 131_071] {
            let refused = entry_digest(
                version,
                &EntryMetadata::default(),
                &vec![0; len],
                &ValueHash::of(b""),
            );
            assert_eq!(refused, Err(EntryError::KeyTooLong));
        }
    }
}

/// However a key is cut, what is hashed once and what is hashed all at once are the same.
#[test]
fn a_digest_from_a_beginning_is_the_digest() {
    let key: Vec<u8> = (0..=255).chain(0..99).collect();
    for version in [HeaderVersion::V0, HeaderVersion::V1] {
        for metadata in
            [EntryMetadata::default(), EntryMetadata { deleted: true, ..EntryMetadata::default() }]
        {
            for cut in (0..=key.len()).step_by(7).chain([key.len()]) {
                let (beginning, rest) = key.split_at(cut);
                let begun = KeyBeginning::new(version, &metadata, key.len(), beginning);
                for value in [&b""[..], b"a", b"b"].map(ValueHash::of) {
                    let expected = entry_digest(version, &metadata, &key, &value);
                    match &begun {
                        Ok(begun) => {
                            assert_eq!(begun.entry_digest(rest, &value), expected.ok());
                            assert_eq!(begun.entry_digest(&[rest, &[0]].concat(), &value), None);
                            assert_eq!(rest.is_empty(), begun.entry_digest(b"", &value).is_some());
                        }
                        Err(error) => assert_eq!(Err(*error), expected),
                    }
                }
            }
        }
    }
    let long = KeyBeginning::new(HeaderVersion::V1, &EntryMetadata::default(), 3, b"four");
    assert_eq!(long.err(), Some(EntryError::KeyTooLong));
}
