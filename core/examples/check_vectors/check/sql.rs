//! Rows, transactions and the catalog.

use counterfoil_core::{
    Alh, CatalogEntry, CatalogError, CatalogKey, Column, ColumnType, EntryDigest, EntryMetadata,
    Frontier, Header, HeaderVersion, IndexEntryKey, Root, Table, Value, ValueHash, entry_digest,
};

use super::Outcome;
use super::case::{Case, equal, equal_bytes, failed};
use super::digests::{metadata, stated_metadata, with_header};

pub(super) fn row(case: Case<'_>) -> Outcome {
    with_row(case, |table, row| encodings(case, table, row))
}

/// Reads the table of a case, which may be none that can be.
pub(super) fn with_table(
    case: Case<'_>,
    check: impl FnOnce(Result<Table<'_>, CatalogError>) -> Outcome,
) -> Outcome {
    let columns: Vec<Column<'_>> =
        case.objects("columns")?.into_iter().map(column).collect::<Result<_, _>>()?;
    let primary_key = case.u32s("primary_key")?;
    let (id, name) = (case.u32("table_id")?, case.str("table")?);
    check(Table::new(id, name, &columns, &primary_key))
}

/// Reads the table and the row of a case.
pub(super) fn with_row(
    case: Case<'_>,
    check: impl FnOnce(&Table<'_>, &[Option<Value<'_>>]) -> Outcome,
) -> Outcome {
    with_table(case, |table| read_row(case, &table.map_err(failed("table"))?, check))
}

fn read_row(
    case: Case<'_>,
    table: &Table<'_>,
    check: impl FnOnce(&Table<'_>, &[Option<Value<'_>>]) -> Outcome,
) -> Outcome {
    let columns = table.columns();
    let cells = case.object("row")?;
    for cell in cells.field_names() {
        if !columns.iter().any(|column| column.id.to_string() == cell) {
            return Err(format!("the row has a column {cell}, the table has not"));
        }
    }
    let blobs: Vec<Option<Vec<u8>>> =
        columns.iter().map(|column| blob(column, cells)).collect::<Result<_, _>>()?;
    let row: Vec<Option<Value<'_>>> = columns
        .iter()
        .zip(&blobs)
        .map(|(column, blob)| value(column, cells, blob.as_deref()))
        .collect::<Result<_, _>>()?;
    check(table, &row)
}

/// Encodes key and value from the row, and the row from the value.
fn encodings(case: Case<'_>, table: &Table<'_>, row: &[Option<Value<'_>>]) -> Outcome {
    let (stated_key, stated_value) = (case.bytes("key_hex")?, case.bytes("value_hex")?);

    let mut buffer = vec![0; table.key_len()];
    let key = table.encode_key(row, &mut buffer).map_err(failed("key"))?;
    equal_bytes("key", key, &stated_key)?;
    table.check_key(&stated_key, row).map_err(failed("key check"))?;

    let mut buffer = vec![0; table.value_len(row).map_err(failed("value length"))?];
    let value = table.encode_value(row, &mut buffer).map_err(failed("value"))?;
    equal_bytes("value", value, &stated_value)?;

    let mut decoded = vec![None; table.columns().len()];
    table.decode_value(&stated_value, &mut decoded).map_err(failed("decoding the value"))?;
    equal("decoded row", &decoded[..], row)?;

    let metadata = stated_metadata(case)?;
    let value_hash = ValueHash::of(value);
    equal("value hash", value_hash, ValueHash::new(case.hash("value_hash")?))?;
    let digest =
        entry_digest(HeaderVersion::V1, &metadata, key, &value_hash).map_err(failed("digest"))?;
    equal("digest", digest, EntryDigest::new(case.hash("digest")?))?;
    if metadata == EntryMetadata::default() {
        let row_digest = table.entry_digest(row).map_err(failed("digest of the row"))?;
        equal("digest of the row", row_digest, digest)?;
    }
    Ok(())
}

fn column(case: Case<'_>) -> Result<Column<'_>, String> {
    let ty = case.str("type")?;
    Ok(Column {
        id: case.u32("id")?,
        name: case.str("name")?,
        ty: ColumnType::from_name(ty.as_bytes()).ok_or_else(|| format!("no type {ty}"))?,
        max_length: case.u32("max_length")?,
        // The vectors do not say, the refusals do.
        not_null: case.field_names().any(|name| name == "not_null") && case.bool("not_null")?,
        auto_increment: false,
    })
}

/// The column's cell, unless it is NULL.
fn cell<'a>(column: &Column<'_>, cells: Case<'a>) -> Result<Option<Case<'a>>, String> {
    let id = column.id.to_string();
    if !cells.field_names().any(|name| name == id) {
        return Ok(None);
    }
    let cell = cells.object(&id)?;
    equal("type of a cell", cell.str("type")?, column.ty.name())?;
    Ok(Some(cell))
}

/// The bytes of a BLOB, which stand in the vectors as hex.
fn blob(column: &Column<'_>, cells: Case<'_>) -> Result<Option<Vec<u8>>, String> {
    match cell(column, cells)? {
        Some(cell) if column.ty == ColumnType::Blob => cell.bytes("value").map(Some),
        _ => Ok(None),
    }
}

fn value<'a>(
    column: &Column<'_>,
    cells: Case<'a>,
    blob: Option<&'a [u8]>,
) -> Result<Option<Value<'a>>, String> {
    let Some(cell) = cell(column, cells)? else { return Ok(None) };
    Ok(Some(match column.ty {
        ColumnType::Integer => Value::Integer(cell.i64("value")?),
        ColumnType::Timestamp => Value::Timestamp(cell.i64("value")?),
        ColumnType::Boolean => Value::Boolean(cell.bool("value")?),
        ColumnType::Varchar => Value::Varchar(cell.str("value")?),
        ColumnType::Json => Value::Json(cell.str("value")?),
        ColumnType::Blob => Value::Blob(blob.unwrap_or_default()),
        ColumnType::Uuid => Value::Uuid(uuid(cell.str("value")?)?),
        ColumnType::Float => {
            let bits = cell.bytes("bits")?.try_into().map_err(|_| "bits are not 16 digits")?;
            Value::Float(u64::from_be_bytes(bits))
        }
    }))
}

fn uuid(text: &str) -> Result<[u8; 16], String> {
    let mut uuid = [0; 16];
    let groups: Vec<&str> = text.split('-').collect();
    if !groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) {
        return Err(format!("{text} is not a UUID"));
    }
    hex::decode_to_slice(groups.concat(), &mut uuid).map_err(failed("UUID"))?;
    Ok(uuid)
}

/// What the transactions before leave to check the next one with.
#[derive(Default)]
struct Chain {
    /// The transaction before, if it passed.
    previous: Option<(u64, Alh)>,
    /// The tree over the transactions from 1 on without a gap, and its root at each size.
    tree: Frontier,
    roots: Vec<Root>,
}

impl Chain {
    /// Ties a transaction to the one before and to the tree over all before.
    fn extend(&mut self, header: &Header<'_>, alh: Alh) -> Outcome {
        let id = header.id.get();
        match self.previous.take() {
            _ if id == 1 => *self = Self { roots: vec![Root::ZERO], ..Self::default() },
            Some((previous, previous_alh)) if previous.checked_add(1) == Some(id) => {
                equal("prev_alh", header.prev_alh, previous_alh)?;
            }
            _ => *self = Self::default(),
        }
        if let Some(covered) = usize::try_from(header.bl_tx_id.get()).ok()
            && let Some(root) = self.roots.get(covered)
        {
            equal("bl_root", header.bl_root, *root)?;
        }
        if self.tree.size().get().checked_add(1) == Some(id) {
            self.tree.push(alh.leaf_hash()).map_err(failed("tree"))?;
            self.roots.push(self.tree.root());
        }
        self.previous = Some((id, alh));
        Ok(())
    }
}

pub(super) fn transactions(cases: &[Case<'_>]) -> Vec<Outcome> {
    let mut chain = Chain::default();
    cases.iter().map(|case| transaction(*case, &mut chain)).collect()
}

fn transaction(case: Case<'_>, chain: &mut Chain) -> Outcome {
    with_header(case.object("header")?, |header| {
        header.check().map_err(failed("header"))?;
        let alh = header.alh().map_err(failed("alh"))?;
        equal("alh", alh, Alh::new(case.hash("alh")?))?;

        let mut entries = Frontier::new();
        let digests = case.hashes("entry_digests")?;
        let stated = case.objects("entries")?;
        equal("number of digests", digests.len(), stated.len())?;
        for (entry, stated) in stated.into_iter().zip(digests) {
            let key = entry.bytes("key_hex")?;
            let value_hash = ValueHash::new(entry.hash("value_hash")?);
            let digest = entry_digest(header.version, &metadata(entry)?, &key, &value_hash)
                .map_err(failed("entry digest"))?;
            equal("entry digest", digest, EntryDigest::new(stated))?;
            entries.push(digest.leaf_hash()).map_err(failed("entries"))?;
        }
        equal("number of entries", entries.size().get(), header.nentries.into())?;
        equal("eh", entries.root(), Root::new(case.hash("eh")?))?;
        equal("eh of the header", header.eh, entries.root())?;

        chain.extend(header, alh)
    })
}

pub(super) fn catalog(case: Case<'_>) -> Outcome {
    let entries = case.objects("entries")?;
    if entries.is_empty() {
        return Err("no entries".to_owned());
    }
    entries.iter().try_for_each(|entry| catalog_entry(*entry))?;
    created_table(&entries)
}

/// If these entries create a table that a [`Table`] can hold, it must predict all their digests.
fn created_table(entries: &[Case<'_>]) -> Outcome {
    let bytes = |entry: &Case<'_>| Ok((entry.bytes("key_hex")?, entry.bytes("value_hex")?));
    let bytes: Vec<_> = entries.iter().map(bytes).collect::<Result<_, String>>()?;
    let parsed: Vec<_> =
        bytes.iter().flat_map(|(key, value)| CatalogEntry::parse(key, value)).collect();
    let [CatalogEntry::Index { columns: key, .. }, definitions @ .., last] = &parsed[..] else {
        return Ok(());
    };
    let CatalogEntry::Table { table_id, name } = *last else { return Ok(()) };
    let mut columns = Vec::new();
    for definition in definitions {
        match *definition {
            CatalogEntry::Column { column, default: None, .. } => columns.push(column),
            // A table does not hold defaults and checks.
            _ => return Ok(()),
        }
    }
    let key: Vec<u32> = key.iter().collect();
    let table = Table::new(table_id, name, &columns, &key).map_err(failed("table"))?;
    let created: Vec<_> =
        table.create_digests().collect::<Result<_, _>>().map_err(failed("creation"))?;
    let stated: Vec<_> = entries
        .iter()
        .map(|entry| entry.hash("digest").map(EntryDigest::new))
        .collect::<Result<_, _>>()?;
    equal("digests of the creation", created, stated)
}

fn catalog_entry(case: Case<'_>) -> Outcome {
    let (stated_key, stated_value) = (case.bytes("key_hex")?, case.bytes("value_hex")?);
    let metadata = stated_metadata(case)?;

    let buffer = &mut [0; CatalogKey::MAX_LEN];
    let parsed_key = CatalogKey::parse(&stated_key).map_err(failed("key"))?;
    let key = parsed_key.encode(buffer).map_err(failed("key"))?;
    equal_bytes("key", key, &stated_key)?;

    let value_hash = ValueHash::of(&stated_value);
    equal("value hash", value_hash, ValueHash::new(case.hash("value_hash")?))?;
    let digest =
        entry_digest(HeaderVersion::V1, &metadata, key, &value_hash).map_err(failed("digest"))?;
    equal("digest", digest, EntryDigest::new(case.hash("digest")?))?;

    if metadata.deleted {
        // What is dropped has no value.
        return equal_bytes("value", &[], &stated_value);
    }
    let entry = CatalogEntry::parse(&stated_key, &stated_value).map_err(failed("entry"))?;
    equal("key of the entry", entry.key(), parsed_key)?;
    let mut buffer = vec![0; stated_value.len()];
    let value = entry.encode_value(&mut buffer).map_err(failed("value"))?;
    equal_bytes("value", value, &stated_value)?;
    equal("digest of the entry", entry.digest().map_err(failed("digest"))?, digest)
}

pub(super) fn index_entry(case: Case<'_>) -> Outcome {
    let entry = case.object("entry")?;
    let (key, value) = (entry.bytes("key_hex")?, entry.bytes("value_hex")?);
    let metadata = stated_metadata(entry)?;
    equal("the entry is marked deleted", metadata.deleted, true)?;
    IndexEntryKey::parse(&key).map_err(failed("key"))?;

    let value_hash = ValueHash::of(&value);
    equal("value hash", value_hash, ValueHash::new(entry.hash("value_hash")?))?;
    let digest =
        entry_digest(HeaderVersion::V1, &metadata, &key, &value_hash).map_err(failed("digest"))?;
    equal("digest", digest, EntryDigest::new(entry.hash("digest")?))
}
