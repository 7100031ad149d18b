//! Tables and catalog entries of a transaction, honest and changed: a table is proved exactly where
//! the entries that define it are those of its creation, and an entry exactly where it stands.
#![no_main]

use arbitrary::{Result, Unstructured};
use counterfoil_core::{
    CatalogEntry, CatalogError, CatalogKey, Column, ColumnType, EntryMetadata, HeaderVersion, Root,
    Table, TrustedState, TxEntry, ValueHash, VerifiedTx, entry_digest,
};
use counterfoil_fuzz::Change;
use counterfoil_proof_tests::ledger::{Hash, Ledger};
use counterfoil_proof_tests::proof::Path;
use counterfoil_proof_tests::prover;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = check(&mut Unstructured::new(data));
});

const fn column(id: u32, name: &str, ty: ColumnType, max_length: u32) -> Column<'_> {
    Column { id, name, ty, max_length, not_null: false, auto_increment: id == 1 }
}

const COLUMNS: [Column<'_>; 3] = [
    column(1, "id", ColumnType::Integer, 8),
    column(2, "name", ColumnType::Varchar, 6),
    column(4, "flag", ColumnType::Boolean, 1),
];

#[derive(Clone, PartialEq, Debug)]
struct Entry {
    key: Vec<u8>,
    metadata: EntryMetadata,
    value: Vec<u8>,
}

impl Entry {
    fn of(entry: &CatalogEntry<'_>) -> Self {
        let (key, value) = (&mut [0; CatalogKey::MAX_LEN], &mut [0; 64]);
        let key = entry.key().encode(key).expect("long enough").to_vec();
        let value = entry.encode_value(value).expect("long enough").to_vec();
        Self { key, metadata: EntryMetadata::default(), value }
    }

    fn view(&self) -> TxEntry<'_> {
        let value_hash = ValueHash::of(&self.value);
        TxEntry { key: &self.key, metadata: self.metadata, value_hash }
    }

    /// Whether it says what the rows of table 7 are, by its key's bytes. `None` where nobody knows.
    fn defines(&self) -> Option<bool> {
        let id = [&b"\0\0\0\x01\0\0\0\x07"[..], b"\0\0\0\0"].concat();
        let of = |name: &[u8], ids: &[u8]| self.key.starts_with(&[b"\x02CTL.", name, ids].concat());
        match CatalogKey::parse(&self.key) {
            Err(CatalogError::NotCatalog) => Some(false),
            Err(_) => None,
            Ok(_) => {
                Some(of(b"TABLE.", &id[..8]) || of(b"COLUMN.", &id[..8]) || of(b"INDEX.", &id))
            }
        }
    }
}

/// The transaction that holds these entries, if there can be one, and their paths.
fn committed(version: HeaderVersion, entries: &[Entry]) -> Option<(VerifiedTx, Vec<Path>)> {
    let digest = |entry: &Entry| -> Option<Hash> {
        let TxEntry { key, metadata, value_hash } = entry.view();
        Some(entry_digest(version, &metadata, key, &value_hash).ok()?.to_bytes())
    };
    let digests: Vec<Hash> = entries.iter().map(digest).collect::<Option<_>>()?;
    let (eh, paths) = prover::entries(&digests);
    let one = Ledger::current(1);
    let mut header = one.header(1).view();
    (header.version, header.nentries, header.eh) = (version, entries.len() as u32, Root::new(eh));
    let state = TrustedState { tx: header.id, alh: header.alh().ok()? };
    Some((state.verify_tx(&header, &header, &[]).ok()?, paths))
}

fn check(u: &mut Unstructured<'_>) -> Result<()> {
    let table = |id| Table::new(id, "things", &COLUMNS, &[1]).expect("a table");
    let created: Vec<CatalogEntry<'_>> = table(7).create_entries().collect();
    let creation: Vec<Entry> = created.iter().map(Entry::of).collect();
    let version = if u.arbitrary()? { HeaderVersion::V0 } else { HeaderVersion::V1 };

    // What the server committed: the creation, other entries in between, and changes.
    let mut entries = creation.clone();
    for _ in 0..u.int_in_range(0..=3)? {
        let at = u.int_in_range(0..=entries.len())?;
        let other = table(u.int_in_range(7..=8)?).create_entries();
        let other = other.map(|entry| Entry::of(&entry)).nth(u.int_in_range(0..=4)?);
        match u.int_in_range(0..=5)? {
            0 => entries.extend(other),
            1 => entries.splice(at..at, other).for_each(drop),
            2 if at < entries.len() => drop(entries.remove(at)),
            3 if at < entries.len() => u.arbitrary::<Change>()?.apply(&mut entries[at].key),
            4 if at < entries.len() => u.arbitrary::<Change>()?.apply(&mut entries[at].value),
            5 if at < entries.len() => entries[at].metadata.deleted ^= true,
            _ => {}
        }
    }
    let Some((tx, paths)) = committed(version, &entries) else { return Ok(()) };
    let defining = entries.iter().map(|entry| Some((entry.defines()?, entry)));
    let defining = defining.collect::<Option<Vec<_>>>().map(|all| {
        all.into_iter().filter(|(defines, _)| *defines).map(|(_, e)| e.clone()).collect::<Vec<_>>()
    });
    let holds = defining.as_ref() == Some(&creation);
    let answer = tx.verify_table(&table(7), entries.iter().map(Entry::view));
    assert_eq!(answer.is_ok(), holds, "{answer:?}");

    // What it shows: each entry of the creation at some place, and other entries than it has.
    let index = u.choose_index(entries.len().max(1))?;
    for (entry, bytes) in created.iter().zip(&creation) {
        let answer = tx.verify_catalog(entry, index as u32, paths.get(index).map_or(&[], |p| p));
        assert_eq!(answer.is_ok(), entries.get(index) == Some(bytes), "{answer:?}");
    }
    let mut shown = entries.clone();
    match u.int_in_range(0..=3)? {
        0 => u.arbitrary::<Change>()?.apply(&mut shown[index].key),
        1 => u.arbitrary::<Change>()?.apply(&mut shown[index].value),
        2 => drop(shown.remove(index)),
        _ => shown.reverse(),
    }
    let answer = tx.verify_table(&table(7), shown.iter().map(Entry::view));
    assert_eq!(answer.is_ok(), holds && shown == entries, "{answer:?}");
    Ok(())
}
