//! Seeking the transaction that created a table: one that does nothing else,
//! one that creates others too, or one that inserts the first rows as well.

use counterfoil_core::{CatalogError, TxId, ValueHash};

use super::Shared;
use super::accounts::{Accounts, Shape};
use super::order::{self, Item};
use super::schema::{Encoder, Entry, Owner, Row, Schema, plain_digest};
use super::seek::Known;
use crate::backend::immudb::{Identifier, View};
use crate::error::{Error, Result};
use crate::log::entries_root;

/// Table ids that are tried.
const TABLE_IDS: u32 = 1024;
/// Tables that may have been dropped before one whose id must be guessed.
const MOST_DROPPED: u32 = 16;
/// Tables created in one transaction.
const MOST_TOGETHER: usize = 16;

/// An entry of a transaction: its key, and its value's hash.
pub(crate) type Stored = (Vec<u8>, ValueHash);

/// A transaction that creates a table, and perhaps others.
pub(crate) struct Creation {
    pub(crate) id: u32,
    pub(crate) tx: TxId,
    pub(crate) entries: Vec<Stored>,
    pub(crate) accounted: Vec<Entry>,
    /// All tables that it creates: their ids and names.
    pub(crate) defines: Vec<(u32, String)>,
}

impl Creation {
    fn of_catalog(id: u32, tx: TxId, entries: Vec<Stored>, defines: Vec<(u32, String)>) -> Self {
        let accounted = entries.iter().map(|entry| Entry::other(plain_digest(entry))).collect();
        Self { id, tx, entries, accounted, defines }
    }
}

impl Shared {
    /// The tables around it may have been created in the same transaction, in
    /// the order of their ids.
    pub(crate) async fn created_together(
        &self,
        known: &Known,
        schema: &Schema,
    ) -> Result<Option<Creation>> {
        let names = self.immudb.table_names().await?;
        let Some(place) = names.iter().position(|name| *name == schema.name) else {
            return Ok(None);
        };
        let (first, last) = (
            place.saturating_sub(MOST_TOGETHER - 1),
            names.len().min(place.saturating_add(MOST_TOGETHER)),
        );
        let mut around = Vec::new();
        for name in names.get(first..last).unwrap_or_default() {
            let Some(word) = Identifier::new(name) else { return Ok(None) };
            match self.immudb.describe(&word).await? {
                Some(schema) => around.push(schema),
                None => return Ok(None),
            }
        }
        for dropped in 0..=MOST_DROPPED {
            for indexed in [true, false] {
                let id_of = |i: usize| (first + i) as u32 + 1 + dropped;
                let creations: Option<Vec<Vec<Stored>>> = around
                    .iter()
                    .enumerate()
                    .map(|(i, schema)| created(schema, id_of(i), indexed).ok())
                    .collect();
                let Some(creations) = creations else { return Ok(None) };
                let own = place - first;
                for begin in 0..=own {
                    for end in own + 1..=creations.len().min(begin + MOST_TOGETHER) {
                        let entries = creations[begin..end].concat();
                        if let Some(tx) = last_of(&known.accounts, &entries) {
                            let defines = (begin..end).map(|i| (id_of(i), around[i].name.clone()));
                            let (id, defines) = (id_of(own), defines.collect());
                            return Ok(Some(Creation::of_catalog(id, tx, entries, defines)));
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    /// Its first rows may have been inserted in the transaction that created
    /// it.
    pub(crate) async fn created_with_rows(
        &self,
        known: &Known,
        name: &Identifier,
        schema: &Schema,
    ) -> Result<Option<Creation>> {
        let Some(tx) = self.first_rows(known.accounts.through(), name, schema).await? else {
            return Ok(None);
        };
        let Some(Some(shape)) = known.accounts.gap(tx) else { return Ok(None) };
        let mut rows: Vec<Row> = Vec::new();
        let mut take = |row| {
            if rows.len() < shape.1 as usize {
                rows.push(row);
            }
        };
        let number = Self::number(tx);
        self.rows(name, schema, View::Within(number, number), None, &mut take).await?;
        let names = self.immudb.table_names().await?;
        let Some(place) = names.iter().position(|name| *name == schema.name) else {
            return Ok(None);
        };
        let columns = schema.encoded_columns();
        for id in (place as u32 + 1..).take(MOST_DROPPED as usize + 1) {
            for indexed in [true, false] {
                let Ok(catalog) = created(schema, id, indexed) else { return Ok(None) };
                let Ok(encoder) = Encoder::new(schema, id, &columns) else { return Ok(None) };
                if let Some(found) = with_rows(&encoder, tx, shape, catalog, &rows) {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// The first transaction after which the table has rows.
    async fn first_rows(
        &self,
        through: TxId,
        name: &Identifier,
        schema: &Schema,
    ) -> Result<Option<TxId>> {
        let has_rows = async |tx: u64| {
            let mut any = false;
            let view = View::AsOf(Self::number(TxId::new(tx)));
            self.first_row(name, schema, view, &mut |_| any = true).await?;
            Ok::<_, Error>(any)
        };
        let (mut low, mut high) = (0, through.get());
        if !has_rows(high).await? {
            return Ok(None);
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match has_rows(middle).await? {
                true => high = middle,
                false => low = middle,
            }
        }
        Ok(Some(TxId::new(high)))
    }
}

/// What creating the table writes, with all its indexes or none.
fn created(schema: &Schema, id: u32, indexed: bool) -> Result<Vec<Stored>, CatalogError> {
    let columns = schema.columns();
    let indexes = if indexed { schema.indexes.len() } else { 0 };
    schema.created(&schema.table(id, &columns)?, indexes)
}

/// The last transaction that has exactly these entries.
fn last_of(accounts: &Accounts, entries: &[Stored]) -> Option<TxId> {
    // Before anything is hashed: there may be many to try.
    let count = u32::try_from(entries.len()).ok()?;
    if !accounts.has_count(count..=count) {
        return None;
    }
    let digests: Vec<_> = entries.iter().map(plain_digest).collect();
    accounts.of_shape(&(entries_root(&digests), count)).last().copied()
}

/// The last transaction that does nothing but create the table and its first
/// indexes: a table of this name and definition may have been dropped before.
pub(crate) fn created_alone(
    accounts: &Accounts,
    schema: &Schema,
) -> Result<Option<Creation>, CatalogError> {
    let columns = schema.columns();
    let (least, most) = (columns.len() + 2, columns.len() + 2 + schema.indexes.len());
    let counts = u32::try_from(least).unwrap_or(u32::MAX)..=u32::try_from(most).unwrap_or(u32::MAX);
    let mut found: Option<Creation> = None;
    if !accounts.has_count(counts) {
        // What would be an error of the definition is one all the same.
        schema.table(1, &columns)?;
        return Ok(None);
    }
    let table = schema.table(1, &columns)?;
    for id in 1..=TABLE_IDS {
        let mut entries = schema.created(&table.with_id(id)?, schema.indexes.len())?;
        while entries.len() >= least {
            let later = |found: &Creation, tx| found.tx < tx;
            if let Some(tx) = last_of(accounts, &entries)
                && found.as_ref().is_none_or(|found| later(found, tx))
            {
                let defines = vec![(id, schema.name.clone())];
                found = Some(Creation::of_catalog(id, tx, entries.clone(), defines));
            }
            entries.pop();
        }
    }
    Ok(found)
}

/// The creation, if these rows behind the catalog's entries make the
/// transaction.
fn with_rows(
    encoder: &Encoder<'_>,
    tx: TxId,
    shape: Shape,
    catalog: Vec<Stored>,
    rows: &[Row],
) -> Option<Creation> {
    let id = encoder.table().id();
    let owner = Owner { table: id, since: tx };
    let before: Vec<Entry> =
        catalog.iter().map(|entry| Entry::other(plain_digest(entry))).collect();
    let mut stored = Vec::new();
    let mut block = Vec::new();
    for row in rows {
        let revision = encoder.revision(row).ok()?;
        let written = Entry::written(&revision, owner);
        stored.push((written.digest, (revision.key().to_vec(), revision.value())));
        block.push(Item { row: row.clone(), ways: vec![vec![written]] });
    }
    let accounted = order::find(shape, &before, &[block])?;
    let mut entries = catalog;
    for entry in accounted.iter().skip(before.len()) {
        let (_, pair) = stored.iter().find(|(digest, _)| *digest == entry.digest)?;
        entries.push(pair.clone());
    }
    let defines = vec![(id, encoder.table().name().to_owned())];
    Some(Creation { id, tx, entries, accounted, defines })
}
