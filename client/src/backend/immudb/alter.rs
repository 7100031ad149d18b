//! Changes of our table's definition: which entries they write, derived from
//! the table that was proved and from the names that the server shows now.
//! Names are hints; the entries' root decides.
//!
//! As seen on the server: RENAME writes the entry of the table or column again
//! with the other name, ADD COLUMN and CREATE INDEX write an entry under the
//! next id. What is dropped is written again, empty and marked deleted: a
//! column or an index by itself; a table as its own entry, those of its
//! columns, and those of its indexes. TRUNCATE drops the table and creates it
//! under another id, all in one transaction. The columns then come in their
//! order, but it may begin with any of them; and the new table numbers them as
//! they come.
//!
//! A truncation of the *database* changes no table, but writes the catalog once
//! more.

use std::collections::HashMap;

use counterfoil_core::{
    CatalogEntry, CatalogKey, Column, ColumnType, EntryDigest, EntryMetadata, HeaderVersion, Root,
    Table, ValueHash, entry_digest,
};
use tokio::sync::Mutex;

use super::Immudb;
use super::answer::ShownColumn;
use crate::error::{Error, Result, Unavailable};
use crate::index::Index;
use crate::local::Local;
use crate::log::entries_root;
use crate::row::StoredRow;
use crate::schema::{INDEXES, TABLE, catalog_copies};
use crate::verdict::{SchemaState, Verdict};

/// Names of tables, and columns of ours, that are tried.
const MOST_NAMES: usize = 256;
/// Numbers that a column or an index may have got that was added.
const MOST_ADDED: u32 = 32;
/// Numbers that the new table of a TRUNCATE may have got.
const MOST_TABLES: u32 = 64;

/// All entries of a transaction that changed our table.
#[derive(Clone)]
pub(super) struct Alteration {
    pub(super) digests: Vec<EntryDigest>,
    /// What it did to the table, for people; nothing if it only wrote the
    /// catalog again, as a truncation of the database does.
    pub(super) what: Option<String>,
}

/// The names that the server shows now.
#[derive(Default)]
pub(super) struct Shown {
    tables: Vec<String>,
    columns: Vec<ShownColumn>,
}

impl Immudb {
    /// Derives those of the transactions with these roots that changed the
    /// table and nothing else. Names are asked for only where one could matter.
    pub(super) async fn alterations(
        &self,
        table: &Table<'static>,
        wanted: &HashMap<Root, u32>,
    ) -> Result<HashMap<Root, Alteration>> {
        let mut search = Search { table, wanted, found: HashMap::new() };
        search.nameless();
        let single =
            |(root, entries): (&Root, &u32)| *entries == 1 && !search.found.contains_key(root);
        if wanted.iter().any(single) {
            let tables = hint(self.wire.tables(MOST_NAMES).await)?;
            let columns = hint(self.wire.columns(MOST_NAMES).await)?;
            search.named(&Shown { tables, columns });
        }
        Ok(search.found)
    }

    /// Whether the server does not show the table as it was proved, where a
    /// transaction could have changed it that is not accounted for.
    pub(super) async fn table_not_shown(
        &self,
        local: &Mutex<Local>,
        table: &Table<'static>,
    ) -> Result<Option<Error>> {
        let state = {
            let mut local = local.lock().await;
            let genesis = local.genesis();
            Index::schema_state(local.conn(), genesis).await?
        };
        let SchemaState::Presumed { since } = state else { return Ok(None) };
        let shown = hint(self.wire.columns(MOST_NAMES).await)?;
        let names = || shown.iter().map(|column| &*column.name);
        let what = match table.columns().iter().find(|own| !names().any(|name| name == own.name)) {
            _ if shown.is_empty() => "no table of that name".to_owned(),
            Some(own) => format!("a table without the column {:?}", own.name),
            None => return Ok(None),
        };
        Ok(Some(Verdict::TableNotShown { since, what }.into()))
    }
}

/// What a server does not want to tell, nobody needs.
fn hint<T: Default>(answer: Result<T, Unavailable>) -> Result<T, Unavailable> {
    match answer {
        Err(Unavailable::Server { .. } | Unavailable::Garbled { .. }) => Ok(T::default()),
        other => other,
    }
}

struct Search<'a> {
    table: &'a Table<'static>,
    wanted: &'a HashMap<Root, u32>,
    found: HashMap<Root, Alteration>,
}

impl Search<'_> {
    /// Takes these entries if they are a transaction.
    fn take(&mut self, digests: Vec<EntryDigest>, what: impl FnOnce() -> String) {
        if let Some(root) = self.root_if_wanted(&digests) {
            self.found.insert(root, Alteration { digests, what: Some(what()) });
        }
    }

    fn root_if_wanted(&self, digests: &[EntryDigest]) -> Option<Root> {
        let root = entries_root(digests);
        let wanted = self.wanted.get(&root)?;
        (*wanted as usize == digests.len()).then_some(root)
    }

    fn is_wanted(&self, entries: usize) -> bool {
        self.wanted.values().any(|wanted| *wanted as usize == entries)
    }

    /// Changes that bring no name.
    fn nameless(&mut self) {
        if self.is_wanted(1) {
            self.single();
        }
        let id = self.table.id();
        let dropped = rotations(self.table.columns()).filter_map(|columns| drops(id, &columns));
        let dropped: Vec<Vec<EntryDigest>> = dropped.collect();
        let entries = dropped.first().map_or(0, Vec::len);
        if self.is_wanted(entries) {
            for digests in &dropped {
                self.take(digests.clone(), || "dropped".into());
            }
            if let Some(digests) = catalog_copies(self.table)
                && let Some(root) = self.root_if_wanted(&digests)
            {
                self.found.insert(root, Alteration { digests, what: None });
            }
        }
        if self.is_wanted(2 * entries) {
            for new in (id.saturating_add(1)..).take(MOST_TABLES as usize) {
                for columns in rotations(self.table.columns()) {
                    let Some(created) = creates(self.table, new, &columns) else { continue };
                    for dropped in &dropped {
                        let digests = [&dropped[..], &created].concat();
                        self.take(digests, || {
                            format!("truncated: it is table {new} now, and empty")
                        });
                    }
                }
            }
        }
    }

    /// Those of one entry.
    fn single(&mut self) {
        let table_id = self.table.id();
        let own: Vec<Column<'static>> = self.table.columns().to_vec();
        let last = own.len() as u32;
        for Column { id: column_id, ty, name, .. } in &own {
            let key = CatalogKey::Column { table_id, column_id: *column_id, ty: *ty };
            self.take_dropped(key, || format!("column {name:?} dropped"));
        }
        for column_id in last + 1..=last + MOST_ADDED {
            for ty in ColumnType::ALL {
                let key = CatalogKey::Column { table_id, column_id, ty };
                self.take_dropped(key, || format!("column {column_id} dropped"));
            }
        }
        let first = INDEXES.len() as u32 + 1;
        for index_id in 0..first + MOST_ADDED {
            let key = CatalogKey::Index { table_id, index_id };
            self.take_dropped(key, || format!("index {index_id} dropped"));
        }
        let mut choices: Vec<Vec<u32>> = own.iter().map(|column| vec![column.id]).collect();
        for a in &own {
            let others = own.iter().filter(|b| b.id != a.id);
            choices.extend(others.map(|b| vec![a.id, b.id]));
        }
        for index_id in first..first + MOST_ADDED {
            for columns in &choices {
                let columns = (&columns[..]).into();
                let entry = CatalogEntry::Index { table_id, index_id, unique: false, columns };
                self.take_entry(&entry, || format!("index {index_id} created"));
            }
        }
    }

    /// Those of one entry that holds a name.
    fn named(&mut self, shown: &Shown) {
        let table_id = self.table.id();
        let own: Vec<Column<'static>> = self.table.columns().to_vec();
        for name in shown.tables.iter().map(String::as_str).chain([TABLE]) {
            self.take_entry(&CatalogEntry::Table { table_id, name }, || {
                format!("renamed to {name:?}")
            });
        }
        let names = shown.columns.iter().map(|column| column.name.as_str());
        for name in names.chain(own.iter().map(|column| column.name)) {
            for old in &own {
                let column = Column { name, ..*old };
                let entry = CatalogEntry::Column { table_id, column, default: None };
                let what = || format!("column {:?} renamed to {name:?}", old.name);
                self.take_entry(&entry, what);
            }
        }
        for added in &shown.columns {
            let Some(ty) = ColumnType::from_name(added.ty.as_bytes()) else { continue };
            let Ok(max_length) = u32::try_from(added.max_length) else { continue };
            let name = added.name.as_str();
            for id in (own.len() as u32 + 1..).take(MOST_ADDED as usize) {
                for not_null in [false, true] {
                    let column =
                        Column { id, name, ty, max_length, not_null, auto_increment: false };
                    let entry = CatalogEntry::Column { table_id, column, default: None };
                    self.take_entry(&entry, || format!("column {name:?} added"));
                }
            }
        }
    }

    fn take_entry(&mut self, entry: &CatalogEntry<'_>, what: impl FnOnce() -> String) {
        if let Ok(digest) = entry.digest() {
            self.take(vec![digest], what);
        }
    }

    fn take_dropped(&mut self, key: CatalogKey, what: impl FnOnce() -> String) {
        if let Some(digest) = dropped(key) {
            self.take(vec![digest], what);
        }
    }
}

/// Rows that were sent to our table and lie in another one: then its name
/// stands for that one. Only whoever they were sent to knows rows with these
/// ids.
pub(super) fn elsewhere(
    table: &Table<'static>,
    rows: &[StoredRow],
    wanted: &HashMap<Root, u32>,
) -> HashMap<Root, Alteration> {
    let mut search = Search { table, wanted, found: HashMap::new() };
    if search.is_wanted(rows.len()) {
        for id in (table.id().saturating_add(1)..).take(MOST_TABLES as usize) {
            let Ok(other) = crate::schema::table(id) else { break };
            let digests = rows.iter().map(|row| crate::schema::row_digest(&other, row));
            if let Ok(digests) = digests.collect() {
                search.take(digests, || format!("its name stands for table {id} now"));
            }
        }
    }
    search.found
}

/// The columns in their order, beginning with each of them.
fn rotations<'c>(
    columns: &'c [Column<'static>],
) -> impl Iterator<Item = Vec<Column<'static>>> + 'c {
    (0..columns.len()).map(|first| [&columns[first..], &columns[..first]].concat())
}

/// The entry that drops what has this key.
fn dropped(key: CatalogKey) -> Option<EntryDigest> {
    let mut buffer = [0; CatalogKey::MAX_LEN];
    let key = key.encode(&mut buffer).ok()?;
    let metadata = EntryMetadata { deleted: true, ..EntryMetadata::default() };
    entry_digest(HeaderVersion::V1, &metadata, key, &ValueHash::of(&[])).ok()
}

/// The entries that drop the table, its columns coming in this order.
fn drops(table_id: u32, columns: &[Column<'_>]) -> Option<Vec<EntryDigest>> {
    let column =
        |column: &Column<'_>| CatalogKey::Column { table_id, column_id: column.id, ty: column.ty };
    let index = |index_id| CatalogKey::Index { table_id, index_id };
    [CatalogKey::Table { table_id }]
        .into_iter()
        .chain(columns.iter().map(column))
        .chain((0..=INDEXES.len() as u32).map(index))
        .map(dropped)
        .collect()
}

/// The entries that create the table with its indexes under another id, its
/// columns coming, and being numbered, in this order.
fn creates(
    own: &Table<'_>,
    table_id: u32,
    columns: &[Column<'static>],
) -> Option<Vec<EntryDigest>> {
    let renumbered: Vec<Column<'static>> =
        columns.iter().zip(1..).map(|(column, id)| Column { id, ..*column }).collect();
    let now =
        |id: u32| columns.iter().zip(1..).find(|(column, _)| column.id == id).map(|(_, now)| now);
    let key: Vec<u32> = own.primary_key().iter().filter_map(|id| now(*id)).collect();
    let table = Table::new(table_id, own.name(), &renumbered, &key).ok()?;
    let mut digests = table.create_digests().collect::<Result<Vec<_>, _>>().ok()?;
    for (index_id, column, unique) in INDEXES {
        let digest = counterfoil_core::index_digest(table_id, index_id, unique, &[now(column)?]);
        digests.push(digest.ok()?);
    }
    Some(digests)
}
