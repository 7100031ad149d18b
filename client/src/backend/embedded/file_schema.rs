//! What SQLite keeps as the schema of a ledger file: our two statements and
//! nothing else, or no question is asked of the file.
//!
//! Whoever can write the file can put a trigger into it that takes away what
//! was just inserted, or a view in a table's place that answers what it likes
//! and never ends. All of that is text in the file's schema.

use sqlx::{Row, SqliteConnection};

use crate::error::Result;
use crate::sqlite;
use crate::verdict::Verdict;

/// The tables and their statements as SQLite keeps them, byte for byte: what
/// another version writes otherwise is another file. `alh` is there to be
/// compared; the rows decide. `value` is the row's value exactly as immudb
/// encodes it; `pos` is transaction ‖ entry (16 bits).
const TABLES: [(&str, &str); 2] = [
    (
        "ledger_tx",
        "CREATE TABLE ledger_tx (\n        \
             id INTEGER PRIMARY KEY,\n        \
             ts INTEGER NOT NULL,\n        \
             nentries INTEGER NOT NULL,\n        \
             alh BLOB NOT NULL\n    )",
    ),
    (
        "ledger_row",
        "CREATE TABLE ledger_row (\n        \
             pos INTEGER PRIMARY KEY,\n        \
             value BLOB NOT NULL\n    )",
    ),
];

/// The number that SQLite raises with each change of the schema.
pub(super) const VERSION: &str = "PRAGMA schema_version";

/// Lets SQLite forget what it knew of the schema.
pub(super) const FORGET: &str = "PRAGMA writable_schema = RESET";

/// What is looked at. One more than there may be is enough, and so is one
/// letter too many.
pub(super) const KEPT: &str = "SELECT substr(name, 1, 100) AS name, \
    iif(type = 'table' AND tbl_name = name AND typeof(sql) = 'text', substr(sql, 1, 1000), '') \
    AS sql FROM sqlite_schema ORDER BY rowid LIMIT 3";

/// The schema as it was found to be ours: the number that SQLite raises with
/// each change of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema {
    version: i64,
}

impl Schema {
    /// Demands it of a file that was just opened, before anything else is
    /// asked of it. In one that holds nothing yet it is made if `make` says so,
    /// whole or not at all.
    pub(super) async fn of(conn: &mut SqliteConnection, make: bool) -> Result<Self> {
        sqlite::bound_steps(conn).await?;
        let met = Self::meet(conn, make).await;
        sqlite::unbound_steps(conn).await?;
        met
    }

    async fn meet(conn: &mut SqliteConnection, make: bool) -> Result<Self> {
        match make {
            true => sqlite::begin(conn).await?,
            false => sqlite::run(conn, "BEGIN").await?,
        }
        let met = async {
            // All of it as of one moment.
            version(conn).await?;
            if make && sqlite::is_empty(conn).await? {
                for (_, statement) in TABLES {
                    sqlite::run(conn, statement).await?;
                }
            }
            demand(conn).await?;
            Ok(Self { version: version(conn).await? })
        };
        let met = met.await;
        Ok(sqlite::finish(conn, met).await?)
    }

    /// Demands it again if anything changed it since. Within a transaction: what
    /// follows there goes by the schema that was looked at.
    pub(super) async fn still(&mut self, conn: &mut SqliteConnection) -> Result<()> {
        let version = version(conn).await?;
        if version != self.version {
            sqlite::bound_steps(conn).await?;
            let met = demand(conn).await;
            sqlite::unbound_steps(conn).await?;
            met?;
            self.version = version;
        }
        Ok(())
    }

    /// The same without a transaction.
    pub(super) async fn look(&mut self, conn: &mut SqliteConnection) -> Result<()> {
        if version(conn).await? != self.version {
            *self = Self::of(conn, false).await?;
        }
        Ok(())
    }
}

async fn version(conn: &mut SqliteConnection) -> Result<i64> {
    Ok(sqlx::query_scalar(VERSION).fetch_one(conn).await?)
}

/// Looks at the schema, and lets SQLite forget what it knew of it: what it goes
/// by afterwards was read in the same transaction.
async fn demand(conn: &mut SqliteConnection) -> Result<()> {
    sqlite::run(conn, FORGET).await?;
    let found = sqlx::query(KEPT).fetch_all(conn).await?;
    let found = found
        .iter()
        .map(|row| -> Result<Kept> { Ok(Kept::of(row.try_get("name")?, row.try_get("sql")?)) });
    match altered(&found.collect::<Result<Vec<_>>>()?) {
        Some(what) => Err(Verdict::FileSchemaAltered { what }.into()),
        None => Ok(()),
    }
}

/// What SQLite keeps of a table, or of something else that is in the file.
pub(super) struct Kept {
    name: String,
    sql: String,
}

impl Kept {
    /// The columns of [`KEPT`], which may hold anything.
    pub(super) fn of(name: Option<&[u8]>, sql: Option<&[u8]>) -> Self {
        let text =
            |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        Self { name: text(name), sql: text(sql) }
    }
}

/// In what a file's schema is not ours, if it is not.
pub(super) fn altered(found: &[Kept]) -> Option<String> {
    let mut tables = TABLES.iter();
    for Kept { name, sql } in found {
        match tables.next() {
            None => return Some(format!("it also has {name:?}")),
            Some((table, statement)) if name == table && sql == statement => {}
            Some((table, _)) if name == table => {
                return Some(format!("{name} is not the table that it should be"));
            }
            Some((table, _)) => return Some(format!("it has {name:?} where {table} should be")),
        }
    }
    tables.next().map(|(table, _)| format!("{table} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It is compared byte by byte with what earlier versions have written.
    #[tokio::test]
    async fn sqlite_keeps_the_statements_as_they_are_written_here() {
        let mut conn = sqlite::memory().await.unwrap();
        Schema::of(&mut conn, true).await.unwrap();
        let kept: Vec<String> = sqlx::query_scalar("SELECT sql FROM sqlite_schema ORDER BY rowid")
            .fetch_all(&mut conn)
            .await
            .unwrap();
        assert_eq!(
            kept,
            [
                "CREATE TABLE ledger_tx (\n        id INTEGER PRIMARY KEY,\n        \
                 ts INTEGER NOT NULL,\n        nentries INTEGER NOT NULL,\n        \
                 alh BLOB NOT NULL\n    )",
                "CREATE TABLE ledger_row (\n        pos INTEGER PRIMARY KEY,\n        \
                 value BLOB NOT NULL\n    )",
            ]
        );
    }

    #[tokio::test]
    async fn a_schema_that_changed_is_looked_at_again() {
        let mut conn = sqlite::memory().await.unwrap();
        let mut schema = Schema::of(&mut conn, true).await.unwrap();
        for (sql, ours) in [
            ("CREATE TABLE more (id INTEGER)", false),
            ("DROP TABLE more", true),
            ("VACUUM", true),
            ("ALTER TABLE ledger_row ADD COLUMN more INTEGER", false),
            ("ALTER TABLE ledger_row DROP COLUMN more", true),
        ] {
            sqlite::run(&mut conn, sql).await.unwrap();
            let mut looked = schema;
            assert_eq!(schema.still(&mut conn).await.is_ok(), ours, "{sql}");
            assert_eq!(looked.look(&mut conn).await.is_ok(), ours, "{sql}");
        }
    }
}
