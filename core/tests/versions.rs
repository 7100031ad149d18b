//! The two versions of a header hash an entry differently, so that one digest can stand for two
//! keys. What is verified as an entry is hashed in the version of its own transaction.

mod ledger;
mod reference;

use counterfoil_core::*;
use ledger::Ledger;

const V0: HeaderVersion = HeaderVersion::V0;
const V1: HeaderVersion = HeaderVersion::V1;
const PLAIN: EntryMetadata =
    EntryMetadata { deleted: false, expires_at: None, non_indexable: false };

fn with_entry(version: HeaderVersion, digest: EntryDigest) -> VerifiedTx {
    let mut ledger = Ledger::with_trees(&[]);
    ledger.append_entries(version, &[digest]);
    ledger.verified(1, 1)
}

/// The key that has in version 0 the digest which `key` has in version 1.
fn disguised(key: &[u8]) -> Vec<u8> {
    [&[0, 0][..], &(key.len() as u16).to_be_bytes(), key].concat()
}

#[test]
fn one_digest_can_stand_for_two_keys() {
    let (key, value) = (b"\x02R.key", ValueHash::of(b"value"));
    let digest = entry_digest(V1, &PLAIN, key, &value).unwrap();
    assert_eq!(entry_digest(V0, &PLAIN, &disguised(key), &value).unwrap(), digest);
    assert_ne!(entry_digest(V0, &PLAIN, key, &value).unwrap(), digest);
}

#[test]
fn a_row_is_hashed_in_the_version_of_its_transaction() {
    let column = |id, name, ty, max_length| Column {
        id,
        name,
        ty,
        max_length,
        not_null: true,
        auto_increment: false,
    };
    let columns = [column(1, "k", ColumnType::Integer, 8), column(2, "v", ColumnType::Varchar, 0)];
    let table = Table::new(3, "t", &columns, &[1]).unwrap();
    let row = [Some(Value::Integer(7)), Some(Value::Varchar("seven"))];
    let (mut key, mut value) = ([0; 64], [0; 64]);
    let key = table.encode_key(&row, &mut key).unwrap();
    let value = ValueHash::of(table.encode_value(&row, &mut value).unwrap());
    let digests = [V0, V1].map(|version| entry_digest(version, &PLAIN, key, &value).unwrap());
    assert_eq!(table.entry_digest(&row), Ok(digests[1]));

    for (version, digest) in [V0, V1].into_iter().zip(digests) {
        let entry = with_entry(version, digest).verify_row(&table, &row, 0, &[]).unwrap();
        assert_eq!((entry.index(), entry.digest()), (0, digest));
        // The row's digest in the other version is some other entry's.
        let other = if version == V0 { digests[1] } else { digests[0] };
        let tx = with_entry(version, other);
        let elsewhere = ProofError::EntryInclusion(TreeError::RootMismatch);
        assert_eq!(tx.verify_row(&table, &row, 0, &[]), Err(elsewhere));
        // A digest alone does not show it, so it is said.
        let computed_in = if version == V0 { V1 } else { V0 };
        let error = Err(ProofError::DigestVersion { expected: version, found: computed_in });
        assert_eq!(tx.verify_entry(computed_in, &other, 0, &[]), error);
        assert_eq!(tx.verify_all_entries(computed_in, [other]), error.map(|_| ()));
        assert!(tx.verify_entry(version, &other, 0, &[]).is_ok(), "some other entry's");
        assert!(tx.verify_all_entries(version, [other]).is_ok());
    }

    let tx = with_entry(V1, digests[1]);
    let missing = RowError::Null { column: 1 };
    assert_eq!(tx.verify_row(&table, &[None, row[1]], 0, &[]), Err(ProofError::Row(missing)));
    let length = TreeError::PathLength { expected: 0, found: 1 };
    let long = ProofError::EntryInclusion(length);
    assert_eq!(tx.verify_row(&table, &row, 0, &[[0; 32]]), Err(long));
}

#[test]
fn a_key_value_entry_is_hashed_in_the_version_of_its_transaction() {
    let entry = KvEntry::Set { key: b"k", value: b"v" };
    for (version, other) in [(V0, V1), (V1, V0)] {
        let digest = entry.digest(version, &PLAIN).unwrap();
        let tx = with_entry(version, digest);
        assert_eq!(tx.verify_kv(&entry, &PLAIN, 0, &[]).unwrap().entry().digest(), digest);
        let tx = with_entry(other, digest);
        let elsewhere = ProofError::EntryInclusion(TreeError::RootMismatch);
        assert_eq!(tx.verify_kv(&entry, &PLAIN, 0, &[]), Err(elsewhere));
    }
}

#[test]
fn a_catalog_entry_is_hashed_in_the_version_of_its_transaction() {
    let columns = [Column {
        id: 1,
        name: "k",
        ty: ColumnType::Integer,
        max_length: 8,
        not_null: true,
        auto_increment: false,
    }];
    let table = Table::new(3, "t", &columns, &[1]).unwrap();
    for (entry, created) in table.create_entries().zip(table.create_digests()) {
        let (mut key, mut value) = ([0; CatalogKey::MAX_LEN], [0; 64]);
        let key = entry.key().encode(&mut key).unwrap();
        let value = ValueHash::of(entry.encode_value(&mut value).unwrap());
        let [v0, v1] = [V0, V1].map(|version| entry_digest(version, &PLAIN, key, &value).unwrap());
        assert_eq!(created, Ok(v1));
        for (version, digest, other) in [(V0, v0, v1), (V1, v1, v0)] {
            let shown = with_entry(version, digest).verify_catalog(&entry, 0, &[]).unwrap();
            assert_eq!((shown.index(), shown.digest()), (0, digest));
            // In version 0 anybody's key can have the digest that defines a table in version 1.
            let elsewhere = ProofError::EntryInclusion(TreeError::RootMismatch);
            let tx = with_entry(version, other);
            assert_eq!(tx.verify_catalog(&entry, 0, &[]), Err(elsewhere));
        }
    }
    let tx = with_entry(V1, EntryDigest::new([0; 32]));
    let nameless = CatalogEntry::Table { table_id: 3, name: "" };
    let refused = Err(ProofError::Catalog(CatalogError::Name));
    assert_eq!(tx.verify_catalog(&nameless, 0, &[]), refused);
    let length = TreeError::PathLength { expected: 0, found: 1 };
    let long = Err(ProofError::EntryInclusion(length));
    assert_eq!(tx.verify_catalog(&nameless, 0, &[[0; 32]]), long);
}

#[test]
fn one_transaction_can_hold_two_definitions_until_all_entries_are_counted() {
    // Entry by entry is not enough: `verify_table` takes them all.
    let [integer, blob] = [ColumnType::Integer, ColumnType::Blob].map(|ty| {
        [Column { id: 1, name: "k", ty, max_length: 8, not_null: true, auto_increment: false }]
    });
    let tables = [&integer, &blob].map(|columns| Table::new(3, "t", columns, &[1]).unwrap());
    let created =
        tables.map(|table| table.create_digests().map(Result::unwrap).collect::<Vec<_>>());
    let all = [&created[0][..], &created[1][1..2]].concat();
    let leaves: Vec<_> = all.iter().map(|digest| digest.leaf_hash().to_bytes()).collect();
    let mut ledger = Ledger::with_trees(&[]);
    ledger.append_entries(V1, &all);
    let tx = ledger.verified(1, 1);
    for (table, created) in tables.iter().zip(&created) {
        for (entry, digest) in table.create_entries().zip(created) {
            let index = all.iter().position(|other| other == digest).unwrap();
            let path = reference::path(index, &leaves);
            assert!(tx.verify_catalog(&entry, index as u32, &path).is_ok());
        }
        let count = Err(ProofError::EntryCount { expected: 4, found: 3 });
        assert_eq!(tx.verify_all_entries(V1, created.iter().copied()), count);
    }
}
