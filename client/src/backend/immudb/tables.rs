//! What a server says about other people's tables: hints, all of it.

use counterfoil_core::ColumnType;
use sqlx::postgres::PgRow;
use sqlx::{Column as _, Row as _};

use super::Immudb;
use super::answer::{self, Problem};
use super::exchange::Failure;
use super::refusal::{Refusal, quoted};
use super::sql::{self, Identifier, KeyClause, Statement, View};
use crate::error::Result;
use crate::tables::{ColumnHint, IndexHint, Row, Schema, SqlValue};

/// Names that are listed at most.
const MOST_TABLES: usize = 4096;
/// Columns of a table, and indexes, at most: more than immudb allows.
const MOST_COLUMNS: usize = 1024;

/// What is asked of a table.
pub(crate) struct TableView<'a> {
    pub(crate) name: &'a Identifier,
    pub(crate) columns: &'a [ColumnHint],
    pub(crate) view: View,
    pub(crate) key: Option<&'a KeyClause>,
    /// One row is enough.
    pub(crate) first_only: bool,
}

impl Immudb {
    /// The names of the database's tables, probably in the order of their ids.
    pub(crate) async fn table_names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let statement = sql::tables();
        let take = |name| bounded(&mut names, name, MOST_TABLES);
        let answer = self.wire.ask(&statement, answer::table_name, take).await;
        answer.map_err(|failure| failure.unavailable(statement.what()))?;
        Ok(names)
    }

    /// What the server says of a table; `None` if it shows none of this name.
    pub(crate) async fn describe(&self, name: &Identifier) -> Result<Option<Schema>> {
        let (mut columns, mut said) = (Vec::new(), Vec::new());
        let take = |column| bounded(&mut columns, column, MOST_COLUMNS);
        if !self.about_table(&sql::columns(name), column_hint, take).await? {
            return Ok(None);
        }
        let take = |index| bounded(&mut said, index, MOST_COLUMNS);
        self.about_table(&sql::indexes(name), index_said, take).await?;
        let id_of = |name: &str| {
            let place = columns.iter().position(|column: &ColumnHint| column.name == name);
            place.map(|place| place as u32 + 1)
        };
        let (mut key, mut indexes) = (Vec::new(), Vec::new());
        for (text, unique, primary) in &said {
            // `table(column,column)`: names hold neither parentheses nor commas.
            let listed = text.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
            let ids: Option<Vec<u32>> =
                listed.and_then(|list| list.split(',').map(id_of).collect());
            match (ids, primary) {
                (Some(ids), true) => key = ids,
                (Some(columns), false) => indexes.push(IndexHint { unique: *unique, columns }),
                // Then nothing will be found that writes this index.
                (None, _) => indexes.push(IndexHint { unique: *unique, columns: Vec::new() }),
            }
        }
        Ok(Some(Schema { name: name.as_str().to_owned(), columns, key, indexes }))
    }

    /// The rows of a table. `false` if there is no such table.
    pub(crate) async fn table_rows(
        &self,
        asked: &TableView<'_>,
        sink: &mut (dyn FnMut(Row) + Send),
    ) -> Result<bool> {
        let before = asked.view.columns_before();
        let decode = |row: &PgRow| table_row(row, before, asked.columns);
        let take = |row| {
            sink(row);
            Ok(())
        };
        let statement = sql::table_rows(asked.name, asked.view, asked.key, asked.first_only);
        self.about_table(&statement, decode, take).await
    }

    async fn about_table<T>(
        &self,
        statement: &Statement,
        decode: impl Fn(&PgRow) -> Result<T, Problem>,
        take: impl FnMut(T) -> Result<(), Problem>,
    ) -> Result<bool> {
        match self.wire.ask(statement, decode, take).await {
            Ok(()) => Ok(true),
            Err(Failure::Refused { refusal: Refusal::NoTable, .. }) => Ok(false),
            Err(failure) => Err(failure.unavailable(statement.what()).into()),
        }
    }
}

fn bounded<T>(list: &mut Vec<T>, item: T, most: usize) -> Result<(), Problem> {
    if list.len() >= most {
        return Err(format!("it has more than {most} rows"));
    }
    list.push(item);
    Ok(())
}

fn column_hint(row: &PgRow) -> Result<ColumnHint, Problem> {
    let ty = text(row, "type")?;
    let max_length = text(row, "max_length")?;
    Ok(ColumnHint {
        name: text(row, "name")?.to_owned(),
        ty: ColumnType::from_name(ty.as_bytes())
            .ok_or_else(|| format!("column type {} is unknown", quoted(ty)))?,
        max_length: max_length
            .parse()
            .map_err(|_| format!("max_length is {}", quoted(max_length)))?,
        not_null: !boolean(row, "nullable")?,
        auto_increment: boolean(row, "auto_increment")?,
    })
}

/// Name, unique, primary.
fn index_said(row: &PgRow) -> Result<(String, bool, bool), Problem> {
    Ok((text(row, "name")?.to_owned(), boolean(row, "unique")?, boolean(row, "primary")?))
}

/// A row of a table with these columns, `before` others standing before them.
fn table_row(row: &PgRow, before: usize, columns: &[ColumnHint]) -> Result<Row, Problem> {
    let names = row.columns().iter().skip(before).map(|column| column.name());
    if !names.eq(columns.iter().map(|column| column.name.as_str())) {
        return Err("its columns are not those of the table".into());
    }
    let value = |(place, column): (usize, &ColumnHint)| {
        let Some(text) = raw(row, place)? else { return Ok(None) };
        let value = SqlValue::from_wire(column.ty, text);
        value.map(Some).ok_or_else(|| {
            format!("column {} holds no {}: {}", column.name, column.ty.name(), quoted(text))
        })
    };
    (before..).zip(columns).map(value).collect()
}

fn boolean(row: &PgRow, name: &str) -> Result<bool, Problem> {
    match text(row, name)? {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(format!("column {name} is {}", quoted(other))),
    }
}

fn text<'r>(row: &'r PgRow, name: &str) -> Result<&'r str, Problem> {
    let place = row.columns().iter().position(|column| column.name() == name);
    let place = place.ok_or_else(|| format!("column {name} is missing"))?;
    raw(row, place)?.ok_or_else(|| format!("column {name} is NULL"))
}

/// A value's text, whatever type the server says that it has.
fn raw(row: &PgRow, place: usize) -> Result<Option<&str>, Problem> {
    use sqlx::ValueRef;
    let value = row.try_get_raw(place).map_err(|_| format!("column {place} is missing"))?;
    if value.is_null() {
        return Ok(None);
    }
    value.as_str().map(Some).map_err(|_| format!("column {place} is not UTF-8"))
}
