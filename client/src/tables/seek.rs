//! Seeking the transaction of a row, and the entries of a transaction.

use std::collections::HashMap;

use counterfoil_core::{TxId, Value};

use super::Shared;
use super::accounts::{Accounts, Shape};
use super::order::{self, Block, Item};
use super::prove::{Definition, Proven, Sought};
use super::schema::{Encoder, Entry, Row, Schema, values};
use super::value::SqlValue;
use crate::backend::immudb::{Identifier, KeyClause, Literal, TableView, View};
use crate::error::{Error, Result};
use crate::revision::Revision;

/// Rows of one transaction whose histories are asked for, each with a
/// statement of its own.
const MOST_HISTORIES: usize = 128;
/// Ways in which one row may have been changed that are tried.
const MOST_WAYS: usize = 4;
/// Tables that are sought beside the one asked for.
const MOST_SOUGHT: usize = 256;
/// Tables that may have rows in one transaction.
const MOST_TABLES: usize = 64;

/// What a reader of tables has found out so far.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) accounts: Accounts,
    /// By name, the tables that were sought.
    pub(crate) tables: HashMap<String, Sought>,
    /// Every definition of a table that is accounted for.
    pub(crate) definitions: Vec<Definition>,
}

/// A row by its key: encoded, and as a clause where it can be one.
pub(crate) struct RowKey {
    pub(crate) encoded: Vec<u8>,
    pub(crate) clause: Option<KeyClause>,
    /// There is text in the clause, which the server may take for something
    /// else.
    has_text: bool,
}

impl RowKey {
    /// The key of the row that has these values in the key's columns.
    pub(crate) fn of(encoder: &Encoder<'_>, schema: &Schema, row: &Row) -> Option<Self> {
        let encoded = encoder.key(&values(row)).ok()?;
        let part = |id: &u32| {
            let place = *id as usize - 1;
            let name = Identifier::new(&schema.columns.get(place)?.name)?;
            Some((name, Literal::of(row.get(place)?.as_ref()?)?))
        };
        let clause: Option<Vec<_>> = schema.key.iter().map(part).collect();
        let text = |id: &u32| matches!(row.get(*id as usize - 1), Some(Some(SqlValue::Varchar(_))));
        let has_text = schema.key.iter().any(text);
        Some(Self { encoded, clause: clause.map(KeyClause), has_text })
    }

    /// Does without the clause, if that may find what it did not.
    pub(crate) fn without_text(&mut self) -> bool {
        self.has_text && self.clause.take().is_some()
    }

    /// The key with these values, in the order of the key's columns.
    pub(crate) fn new(encoder: &Encoder<'_>, schema: &Schema, key: &[SqlValue]) -> Result<Self> {
        let names: Vec<&str> = schema
            .key
            .iter()
            .map(|id| schema.columns.get(*id as usize - 1).map_or("", |column| &*column.name))
            .collect();
        let invalid = |reason: &dyn std::fmt::Display| {
            Error::Invalid(format!(
                "the key of table {} is ({}): {reason}",
                schema.name,
                names.join(", ")
            ))
        };
        if key.len() != schema.key.len() {
            return Err(invalid(&format_args!("{} values were given", key.len())));
        }
        let mut row: Row = vec![None; schema.columns.len()];
        for (id, value) in schema.key.iter().zip(key) {
            row[*id as usize - 1] = Some(value.clone());
        }
        let core: Vec<Option<Value<'_>>> = values(&row);
        encoder.key(&core).map_err(|error| invalid(&error))?;
        Self::of(encoder, schema, &row).ok_or_else(|| invalid(&"it cannot be encoded"))
    }
}

impl Shared {
    /// A transaction as SQL's integer.
    pub(crate) fn number(tx: TxId) -> i64 {
        i64::try_from(tx.get()).unwrap_or(i64::MAX)
    }

    /// The rows of a table, of all or of one key. What a key's clause finds is
    /// not believed to have the key.
    pub(crate) async fn rows(
        &self,
        name: &Identifier,
        schema: &Schema,
        view: View,
        key: Option<&RowKey>,
        sink: &mut (dyn FnMut(Row) + Send),
    ) -> Result<()> {
        let key = key.and_then(|key| key.clause.as_ref());
        let columns = &schema.columns;
        let asked = TableView { name, columns, view, key, first_only: false };
        self.immudb.table_rows(&asked, sink).await?;
        Ok(())
    }

    /// One row of a table, if it has any.
    pub(crate) async fn first_row(
        &self,
        name: &Identifier,
        schema: &Schema,
        view: View,
        sink: &mut (dyn FnMut(Row) + Send),
    ) -> Result<()> {
        let columns = &schema.columns;
        let asked = TableView { name, columns, view, key: None, first_only: true };
        self.immudb.table_rows(&asked, sink).await?;
        Ok(())
    }

    /// Whether a view shows a row of this key.
    pub(crate) async fn shows(
        &self,
        table: &Proven,
        encoder: &Encoder<'_>,
        view: View,
        key: &RowKey,
    ) -> Result<bool> {
        let mut any = false;
        let take = &mut |row: Row| any |= has_key(encoder, &row, key);
        self.rows(&table.name, &table.schema, view, Some(key), take).await?;
        Ok(any)
    }

    /// The last transaction that wrote the row, if the server shows one: the
    /// last that it shows the row written in or after.
    pub(crate) async fn last_write(
        &self,
        table: &Proven,
        encoder: &Encoder<'_>,
        key: &RowKey,
        through: TxId,
    ) -> Result<Option<TxId>> {
        let last = Self::number(through);
        let (mut low, mut high) = (table.created.get(), through.get() + 1);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let view = View::Within(Self::number(TxId::new(middle)), last);
            match self.shows(table, encoder, view, key).await? {
                true => low = middle,
                false => high = middle,
            }
        }
        let found = TxId::new(low);
        let view = View::Within(Self::number(found), Self::number(found));
        Ok(self.shows(table, encoder, view, key).await?.then_some(found))
    }

    /// A transaction that deleted the row, which is not there any more. It is
    /// the last one unless the row was deleted several times.
    pub(crate) async fn last_deletion(
        &self,
        table: &Proven,
        encoder: &Encoder<'_>,
        key: &RowKey,
        through: TxId,
    ) -> Result<Option<TxId>> {
        // Ever further back, until it is there.
        let (mut low, mut high, mut step) = (0, through.get(), 1);
        while high > 0 {
            let before = high.saturating_sub(step).max(table.created.get());
            let view = View::AsOf(Self::number(TxId::new(before)));
            if self.shows(table, encoder, view, key).await? {
                low = before;
                break;
            }
            if before == table.created.get() {
                return Ok(None);
            }
            high = before;
            step = step.saturating_mul(2);
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let view = View::AsOf(Self::number(TxId::new(middle)));
            match self.shows(table, encoder, view, key).await? {
                true => low = middle,
                false => high = middle,
            }
        }
        Ok(Some(TxId::new(high)))
    }

    /// Accounts for a transaction with the rows of these tables; if that does
    /// not do, tells why.
    pub(crate) async fn account(
        &self,
        accounts: &mut Accounts,
        tx: TxId,
        tables: &[Proven],
    ) -> Result<Result<(), String>> {
        let shape = match accounts.gap(tx) {
            None if accounts.digests(tx).is_some() => return Ok(Ok(())),
            None => return Ok(Err(format!("transaction {tx} holds other entries"))),
            Some(None) => {
                let why = "its header carries metadata that the wire does not show, or is of \
                           immudb's first format";
                return Ok(Err(why.into()));
            }
            Some(Some(shape)) => shape,
        };
        let written = self.written_in(tx, shape, tables).await?;
        let mut found = order::find(shape, &[], &written);
        if found.is_none() && tx > TxId::new(1) {
            let changed = self.changed_in(tx, shape, tables).await?;
            found = order::find(shape, &[], &changed);
        }
        let Some(entries) = found else {
            let rows: usize = written.iter().map(Vec::len).sum();
            let reason = match rows {
                0 => "no row of a proven table is shown in it: key-value data, a change of the \
                      catalog, a table that is not proved, or rows that are withheld"
                    .into(),
                _ => format!(
                    "its {} entries are not made of the {rows} rows that are shown in it, in any \
                     order that is tried",
                    shape.1
                ),
            };
            return Ok(Err(reason));
        };
        accounts.settle(&entries);
        Ok(Ok(()))
    }

    /// The rows that a transaction wrote, as if there had been none before.
    async fn written_in(&self, tx: TxId, shape: Shape, tables: &[Proven]) -> Result<Vec<Block>> {
        let (mut blocks, mut left) = (Vec::new(), shape.1 as usize);
        let number = Self::number(tx);
        for table in tables.iter().filter(|table| table.created <= tx).take(MOST_TABLES) {
            let columns = table.schema.encoded_columns();
            let Ok(encoder) = Encoder::new(&table.schema, table.id, &columns) else { continue };
            let mut block = Block::new();
            let take = &mut |row: Row| {
                if let Some(next) = left.checked_sub(1)
                    && let Ok(revision) = encoder.revision(&row)
                {
                    left = next;
                    block.push(Item {
                        row,
                        ways: vec![vec![Entry::written(&revision, table.owner())]],
                    });
                }
            };
            self.rows(&table.name, &table.schema, View::Within(number, number), None, take).await?;
            blocks.push(block);
            if left == 0 {
                break;
            }
        }
        Ok(blocks)
    }

    /// The rows that a transaction changed, each in the ways in which it may
    /// have been.
    async fn changed_in(&self, tx: TxId, shape: Shape, tables: &[Proven]) -> Result<Vec<Block>> {
        let (mut blocks, mut left, mut histories) = (Vec::new(), shape.1 as usize, MOST_HISTORIES);
        let number = Self::number(tx);
        for table in tables.iter().filter(|table| table.created <= tx).take(MOST_TABLES) {
            let columns = table.schema.encoded_columns();
            let Ok(encoder) = Encoder::new(&table.schema, table.id, &columns) else { continue };
            let mut changed: Vec<(Row, Revision)> = Vec::new();
            let take = &mut |row: Row| {
                if let Some(next) = left.checked_sub(1)
                    && let Ok(revision) = encoder.revision(&row)
                {
                    left = next;
                    changed.push((row, revision));
                }
            };
            self.rows(&table.name, &table.schema, View::Changed(number, number), None, take)
                .await?;
            let mut block = Block::new();
            for (row, revision) in changed {
                let mut ways = vec![
                    vec![Entry::written(&revision, table.owner())],
                    vec![Entry::deleted(&revision, table.owner())],
                ];
                if !table.schema.indexes.is_empty() && histories > 0 {
                    histories -= 1;
                    self.ways_over(table, &encoder, &row, &revision, &mut ways).await?;
                }
                block.push(Item { row, ways });
            }
            blocks.push(block);
        }
        Ok(blocks)
    }

    /// Adds the ways in which the row may have been written over another.
    async fn ways_over(
        &self,
        table: &Proven,
        encoder: &Encoder<'_>,
        row: &Row,
        revision: &Revision,
        ways: &mut Vec<Vec<Entry>>,
    ) -> Result<()> {
        let Some(key) = RowKey::of(encoder, &table.schema, row) else { return Ok(()) };
        let mut before: Option<Revision> = None;
        let take = &mut |row: Row| {
            let Ok(now) = encoder.revision(&row) else { return };
            if now.key() != revision.key() {
                return;
            }
            if let Some(before) = &before
                && now == *revision
            {
                let over = Entry::over(&now, before, table.owner());
                if ways.len() < MOST_WAYS && !ways.contains(&over) {
                    ways.push(over);
                }
            }
            before = Some(now);
        };
        self.rows(&table.name, &table.schema, View::History, Some(&key), take).await
    }

    /// All tables that the server names and that can be proved, `first`
    /// leading.
    pub(crate) async fn all_tables(
        &self,
        known: &mut Known,
        first: &Proven,
    ) -> Result<Vec<Proven>> {
        let mut tables = vec![first.clone()];
        for name in self.immudb.table_names().await?.into_iter().take(MOST_SOUGHT) {
            if name == first.schema.name || tables.len() >= MOST_TABLES {
                continue;
            }
            match self.prove(known, &name).await {
                Ok(table) => tables.push(table),
                // What is not proved accounts for nothing.
                Err(Error::CannotDecide(_) | Error::Invalid(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(tables)
    }
}

/// Whether a row has this key.
pub(crate) fn has_key(encoder: &Encoder<'_>, row: &Row, key: &RowKey) -> bool {
    encoder.key(&values(row)).is_ok_and(|encoded| encoded == key.encoded)
}
