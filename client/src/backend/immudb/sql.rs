//! The statements, as text.
//!
//! immudb searches the text of a statement, literals included, for phrases that
//! it answers itself without executing anything. So no text from outside may
//! ever stand in a statement. [`Statement`] has no way to put it there: it is
//! made of string constants, integers and bytes in hex; in [`tables`] also of
//! names that are one word and of texts made of harmless characters.

mod tables;

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

pub(crate) use self::tables::{Identifier, KeyClause, Literal, View};
pub(super) use self::tables::{columns, indexes, rows as table_rows};
use crate::row::StoredRow;
use crate::thin::ClaimedTile;

/// A message must stay below this: the connection hangs without an answer a
/// little above 32 MiB.
pub(super) const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// What an INSERT may bind, as the protocol counts it: rows of seven values.
pub(super) const MAX_ROWS: usize = u16::MAX as usize / 7;

/// What INSERTs are called in errors.
pub(super) const INSERT: &str = "INSERT";

const COLUMNS: &str = "domain, edition, root, event_number, ext, seen_tx, body";

/// What makes the table, in this order and in one transaction. `CREATE TABLE`
/// of a table that exists answers success and does nothing.
pub(super) const CREATE: [&str; 3] = [
    "CREATE TABLE events (domain BLOB[64] NOT NULL, edition BLOB[64] NOT NULL, \
     root BLOB[128] NOT NULL, event_number INTEGER NOT NULL, ext BLOB[32] NOT NULL, \
     seen_tx INTEGER NOT NULL, body BLOB NOT NULL, \
     PRIMARY KEY (domain, edition, root, event_number));",
    "CREATE UNIQUE INDEX ON events(ext);",
    "CREATE INDEX ON events(seen_tx);",
];

/// What makes the table of the published tiles, in a database of their own.
pub(super) const CREATE_TILES: &str = "CREATE TABLE tiles (level INTEGER NOT NULL, \
     idx INTEGER NOT NULL, width INTEGER NOT NULL, digest BLOB[32] NOT NULL, \
     hashes BLOB NOT NULL, PRIMARY KEY (level, idx, width, digest));";

/// One statement and what it is called in errors. Clones share the text.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    text: Arc<String>,
    what: &'static str,
}

impl Statement {
    /// A statement that is constant.
    pub(super) fn fixed(what: &'static str, text: &'static str) -> Self {
        Builder::new(what, text.len()).text(text).done()
    }

    pub(super) fn what(&self) -> &'static str {
        self.what
    }

    /// The text for sqlx, whose name for "look closely" is `AssertSqlSafe`:
    /// [`Builder`] is why it is safe.
    pub(super) fn sql(&self) -> SqlStr {
        AssertSqlSafe(Arc::clone(&self.text)).into_sql_str()
    }
}

/// Only constants, integers and hex go in.
struct Builder {
    text: Vec<u8>,
    what: &'static str,
}

impl Builder {
    fn new(what: &'static str, capacity: usize) -> Self {
        Self { text: Vec::with_capacity(capacity), what }
    }

    fn text(mut self, constant: &'static str) -> Self {
        self.text.extend_from_slice(constant.as_bytes());
        self
    }

    fn integer(mut self, number: i64) -> Self {
        self.text.extend_from_slice(number.to_string().as_bytes());
        self
    }

    fn blob(mut self, bytes: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.text.extend_from_slice(b"x'");
        self.text.extend(
            bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]),
        );
        self.text.push(b'\'');
        self
    }

    fn done(self) -> Statement {
        let text = String::from_utf8(self.text).expect("constants, digits and hex are UTF-8");
        Statement { text: Arc::new(text), what: self.what }
    }
}

/// `None` for a name that immudb would not take: then nothing is sent.
pub(super) fn create_database(name: &str) -> Option<Statement> {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if name.is_empty() || !name.bytes().all(legal) {
        return None;
    }
    // The one exception to constants, integers and hex. Not quoted: a keyword
    // in quotes would make a database of another name, without them it is
    // refused as a syntax error.
    let mut builder = Builder::new("CREATE DATABASE", 64).text("CREATE DATABASE ");
    builder.text.extend_from_slice(name.as_bytes());
    Some(builder.text(";").done())
}

pub(super) fn state() -> Statement {
    Statement::fixed("immudb_state()", "SELECT immudb_state();")
}

pub(super) fn header(tx: i64) -> Statement {
    Builder::new("immudb_tx()", 48).text("SELECT immudb_tx(").integer(tx).text(");").done()
}

pub(super) fn tables() -> Statement {
    Statement::fixed("the list of tables", "SELECT name FROM TABLES();")
}

pub(super) fn own_columns() -> Statement {
    Statement::fixed(
        "the columns of the table",
        "SELECT name, type, max_length FROM COLUMNS('events');",
    )
}

/// Without text of its own for each key: prepared once for a connection.
pub(super) fn bodies_of() -> Statement {
    Statement::fixed(
        "the events of a stream",
        "SELECT body FROM events WHERE domain = ? AND edition = ? AND root = ? \
         AND event_number >= ? AND event_number <= ?",
    )
}

/// As [`bodies_of`].
pub(super) fn bodies_seen() -> Statement {
    Statement::fixed(
        "the events written since a transaction",
        "SELECT body FROM events USE INDEX ON (seen_tx) WHERE seen_tx >= ? AND seen_tx < ?",
    )
}

pub(super) fn rows_seen(from: i64, before: i64) -> Statement {
    select("the rows written since a transaction")
        .text(" FROM events USE INDEX ON (seen_tx) WHERE seen_tx >= ")
        .integer(from)
        .text(" AND seen_tx < ")
        .integer(before)
        .text(";")
        .done()
}

/// As they were then, in key order. Rows that the transaction deleted do not
/// show.
pub(super) fn rows_of_tx(tx: i64) -> Statement {
    select("the rows of a transaction")
        .text(" FROM events SINCE TX ")
        .integer(tx)
        .text(" UNTIL TX ")
        .integer(tx)
        .text(";")
        .done()
}

/// In key order: as they were after the transaction, those that it deleted as
/// they were before.
pub(super) fn changed_in_tx(tx: i64) -> Statement {
    select("the changes of a transaction")
        .text(" FROM (DIFF OF events) SINCE TX ")
        .integer(tx)
        .text(" UNTIL TX ")
        .integer(tx)
        .text(";")
        .done()
}

pub(super) fn history_all() -> Statement {
    select("the history of all events").text(" FROM (HISTORY OF events);").done()
}

pub(super) fn history_of(
    domain: &[u8],
    edition: &[u8],
    root: &[u8],
    first: i64,
    last: i64,
) -> Statement {
    select("the history of a stream")
        .text(" FROM (HISTORY OF events) WHERE domain = ")
        .blob(domain)
        .text(" AND edition = ")
        .blob(edition)
        .text(" AND root = ")
        .blob(root)
        .text(" AND event_number >= ")
        .integer(first)
        .text(" AND event_number <= ")
        .integer(last)
        .text(";")
        .done()
}

/// The first revision of one row.
pub(super) fn first_revision(domain: &[u8], edition: &[u8], root: &[u8], number: i64) -> Statement {
    select("the first revision of an event")
        .text(" FROM (HISTORY OF events) WHERE domain = ")
        .blob(domain)
        .text(" AND edition = ")
        .blob(edition)
        .text(" AND root = ")
        .blob(root)
        .text(" AND event_number = ")
        .integer(number)
        .text(" LIMIT 1;")
        .done()
}

/// At most `most` tiles of a place that are at least so wide, the narrowest
/// first.
pub(super) fn tiles_of(level: i64, index: i64, width: i64, most: i64) -> Statement {
    Builder::new("the tiles of a place", 160)
        .text("SELECT level, idx, width, digest, hashes FROM tiles WHERE level = ")
        .integer(level)
        .text(" AND idx = ")
        .integer(index)
        .text(" AND width >= ")
        .integer(width)
        .text(" LIMIT ")
        .integer(most)
        .text(";")
        .done()
}

/// Which tiles of a level are there, in `from..before` and of one width.
pub(super) fn tile_digests(level: i64, from: i64, before: i64, width: i64) -> Statement {
    let what = Builder::new("the list of tiles", 160).text("SELECT idx, digest");
    tiles_between(what, level, from, before, width)
}

/// The same with their hashes.
pub(super) fn tiles_back(level: i64, from: i64, before: i64, width: i64) -> Statement {
    let what = Builder::new("the tiles just published", 160)
        .text("SELECT level, idx, width, digest, hashes");
    tiles_between(what, level, from, before, width)
}

fn tiles_between(select: Builder, level: i64, from: i64, before: i64, width: i64) -> Statement {
    select
        .text(" FROM tiles WHERE level = ")
        .integer(level)
        .text(" AND idx >= ")
        .integer(from)
        .text(" AND idx < ")
        .integer(before)
        .text(" AND width = ")
        .integer(width)
        .text(";")
        .done()
}

/// Writes tiles, over what has their keys: the key holds the digest of the
/// content, so that the same key means the same tile.
pub(super) fn upsert_tiles(tiles: &[ClaimedTile]) -> Statement {
    let capacity = 128 + tiles.iter().map(|tile| 2 * tile.hashes.len() + 160).sum::<usize>();
    let mut builder = Builder::new("UPSERT of tiles", capacity)
        .text("UPSERT INTO tiles (level, idx, width, digest, hashes) VALUES ");
    for (number, tile) in tiles.iter().enumerate() {
        builder = builder
            .text(if number == 0 { "(" } else { ", (" })
            .integer(tile.level)
            .text(",")
            .integer(tile.index)
            .text(",")
            .integer(tile.width)
            .text(",")
            .blob(&tile.digest)
            .text(",")
            .blob(&tile.hashes)
            .text(")");
    }
    builder.text(";").done()
}

fn select(what: &'static str) -> Builder {
    Builder::new(what, 512).text("SELECT ").text(COLUMNS)
}

/// One INSERT of so many rows, whose values are bound in the order of
/// [`COLUMNS`]. The server parses text at about a microsecond a byte, so it is
/// short.
pub(super) fn insert(rows: usize) -> Statement {
    let mut builder = Builder::new(INSERT, 96 + 16 * rows)
        .text("INSERT INTO events (")
        .text(COLUMNS)
        .text(") VALUES ");
    for row in 0..rows {
        builder = builder.text(if row == 0 { "(?,?,?,?,?,?,?)" } else { ",(?,?,?,?,?,?,?)" });
    }
    builder.done()
}

/// The INSERT of the genesis row, whose keys and `seen_tx` are empty: part of a
/// transaction of several statements, and so without values to bind.
pub(super) fn insert_genesis(row: &StoredRow) -> Statement {
    Builder::new(INSERT, 512)
        .text("INSERT INTO events (")
        .text(COLUMNS)
        .text(") VALUES (")
        .blob(&row.domain)
        .text(",")
        .blob(&row.edition)
        .text(",")
        .blob(&row.root)
        .text(",")
        .integer(row.event_number)
        .text(",")
        .blob(&row.ext)
        .text(",")
        .integer(row.seen_tx)
        .text(",")
        .blob(&row.body)
        .text(");")
        .done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insert_holds_no_value() {
        assert_eq!(
            *insert(2).text,
            "INSERT INTO events (domain, edition, root, event_number, ext, seen_tx, body) \
             VALUES (?,?,?,?,?,?,?),(?,?,?,?,?,?,?)"
        );
    }

    #[test]
    fn the_genesis_is_hex_and_integers() {
        let ext = "07".repeat(32);
        assert_eq!(
            *insert_genesis(&crate::schema::genesis_row([7; 32], 0)).text,
            format!(
                "INSERT INTO events (domain, edition, root, event_number, ext, seen_tx, body) \
                 VALUES (x'',x'',x'',0,x'{ext}',0,x'000b636f756e746572666f696c0100');"
            )
        );
    }

    #[test]
    fn every_byte_has_its_two_digits() {
        let all: Vec<u8> = (0..=255).collect();
        let statement = Builder::new("test", 0).blob(&all).done();
        let digits = statement.text.strip_prefix("x'").and_then(|t| t.strip_suffix('\'')).unwrap();
        assert_eq!(hex::decode(digits).unwrap(), all);
        assert_eq!(digits, hex::encode(&all));
    }

    #[test]
    fn keys_go_into_the_history_in_hex() {
        assert_eq!(
            *history_of(b"ab", b"", b"\x01", 0, i64::MAX).text,
            "SELECT domain, edition, root, event_number, ext, seen_tx, body \
             FROM (HISTORY OF events) WHERE domain = x'6162' AND edition = x'' AND root = x'01' \
             AND event_number >= 0 AND event_number <= 9223372036854775807;"
        );
        assert_eq!(
            *rows_seen(3, 9).text,
            "SELECT domain, edition, root, event_number, ext, seen_tx, body \
             FROM events USE INDEX ON (seen_tx) WHERE seen_tx >= 3 AND seen_tx < 9;"
        );
    }

    #[test]
    fn tiles_go_in_as_integers_and_hex() {
        let tile = ClaimedTile {
            level: 1,
            index: 2,
            width: 1,
            digest: vec![0xab; 2],
            hashes: vec![0x27, 0x00],
        };
        assert_eq!(
            *upsert_tiles(&[tile.clone(), tile]).text,
            "UPSERT INTO tiles (level, idx, width, digest, hashes) VALUES \
             (1,2,1,x'abab',x'2700'), (1,2,1,x'abab',x'2700');"
        );
        assert_eq!(
            *tiles_of(1, 2, 3, 8).text,
            "SELECT level, idx, width, digest, hashes FROM tiles \
             WHERE level = 1 AND idx = 2 AND width >= 3 LIMIT 8;"
        );
    }

    #[test]
    fn a_database_name_is_one_word() {
        assert_eq!(*create_database("table_2").unwrap().text, "CREATE DATABASE table_2;");
        for name in ["", "a\"b", "a;b", "a\n", "A", "ä", "a b", "a'"] {
            assert!(create_database(name).is_none(), "{name:?}");
        }
    }
}
