//! Statements about other people's tables.
//!
//! Their names, and the values of their keys, come from outside. A name goes
//! in only if it is a plain word ([`Identifier`]), a text only if it is made of
//! harmless characters ([`Literal::of`]): no quote, nothing that could end it.

use std::fmt;

use super::{Builder, Statement};
use crate::tables::{SqlValue, time};

/// A name that is one word: it can be nothing else in a statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identifier(String);

impl Identifier {
    /// More than any name that immudb takes.
    const LONGEST: usize = 128;

    /// `None` for a name with anything but letters, digits and `_`.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let first = name.bytes().next()?;
        let word = name.len() <= Self::LONGEST && !first.is_ascii_digit();
        (word && name.bytes().all(legal)).then(|| Self(name.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value that can stand in a statement.
#[derive(Debug, Clone)]
pub(crate) struct Literal(Vec<u8>);

impl Literal {
    /// `None` for a value that cannot: its row is then sought otherwise.
    pub(crate) fn of(value: &SqlValue) -> Option<Self> {
        let empty = Builder::new("a literal", 64);
        let builder = match value {
            // The parser reads a sign and then a number, which would be too large.
            SqlValue::Integer(i64::MIN) => return None,
            SqlValue::Integer(number) => empty.integer(*number),
            SqlValue::Boolean(true) => empty.text("true"),
            SqlValue::Boolean(false) => empty.text("false"),
            SqlValue::Blob(bytes) => empty.blob(bytes.as_slice()),
            SqlValue::Varchar(text) => empty.text("'").harmless(text)?.text("'"),
            SqlValue::Uuid(uuid) => {
                let digits = hex::encode(uuid);
                let (a, rest) = digits.split_at(8);
                let (b, rest) = rest.split_at(4);
                let (c, rest) = rest.split_at(4);
                let (d, e) = rest.split_at(4);
                empty.text("CAST('").harmless(&[a, b, c, d, e].join("-"))?.text("' AS UUID)")
            }
            SqlValue::Timestamp(micros) => {
                empty.text("CAST('").harmless(&time::format(*micros)?)?.text("' AS TIMESTAMP)")
            }
            SqlValue::Float(float) if float.is_finite() => {
                empty.text("CAST('").harmless(&float.to_string())?.text("' AS FLOAT)")
            }
            SqlValue::Float(_) | SqlValue::Json(_) => return None,
        };
        Some(Self(builder.text))
    }
}

/// Which row: the columns of its key and their values.
#[derive(Debug, Clone)]
pub(crate) struct KeyClause(pub(crate) Vec<(Identifier, Literal)>);

/// Which rows of a table, and as of when.
#[derive(Debug, Clone, Copy)]
pub(crate) enum View {
    /// Every revision, the oldest of a row first.
    History,
    /// As they were after this transaction.
    AsOf(i64),
    /// Those written in these transactions, as they were after the last.
    Within(i64, i64),
    /// The same, deleted ones too, as they were before.
    Changed(i64, i64),
}

impl View {
    /// How many columns stand before the table's own.
    pub(crate) fn columns_before(self) -> usize {
        match self {
            Self::History | Self::Changed(..) => 1,
            Self::AsOf(_) | Self::Within(..) => 0,
        }
    }
}

pub(in crate::backend::immudb) fn columns(table: &Identifier) -> Statement {
    about("the columns of a table", "SELECT * FROM COLUMNS('", table)
}

pub(in crate::backend::immudb) fn indexes(table: &Identifier) -> Statement {
    about("the indexes of a table", "SELECT * FROM INDEXES('", table)
}

fn about(what: &'static str, select: &'static str, table: &Identifier) -> Statement {
    Builder::new(what, 96).text(select).word(table).text("');").done()
}

pub(in crate::backend::immudb) fn rows(
    table: &Identifier,
    view: View,
    key: Option<&KeyClause>,
    first_only: bool,
) -> Statement {
    let builder = Builder::new("the rows of a table", 256).text("SELECT * FROM ");
    let mut builder = match view {
        View::History => builder.text("(HISTORY OF ").word(table).text(")"),
        View::AsOf(tx) => builder.word(table).text(" UNTIL TX ").integer(tx),
        View::Within(first, last) => builder.word(table).between(first, last),
        View::Changed(first, last) => {
            builder.text("(DIFF OF ").word(table).text(")").between(first, last)
        }
    };
    for (i, (column, value)) in key.iter().flat_map(|clause| &clause.0).enumerate() {
        builder = builder
            .text(if i == 0 { " WHERE " } else { " AND " })
            .word(column)
            .text(" = ")
            .literal(value);
    }
    builder.text(if first_only { " LIMIT 1;" } else { ";" }).done()
}

impl Builder {
    fn word(mut self, word: &Identifier) -> Self {
        self.text.extend_from_slice(word.0.as_bytes());
        self
    }

    fn literal(mut self, literal: &Literal) -> Self {
        self.text.extend_from_slice(&literal.0);
        self
    }

    fn between(self, first: i64, last: i64) -> Self {
        self.text(" SINCE TX ").integer(first).text(" UNTIL TX ").integer(last)
    }

    /// A text in which nothing can end the literal, or begin anything else.
    fn harmless(mut self, text: &str) -> Option<Self> {
        let legal = |c: char| c.is_alphanumeric() || " -_.:/@+".contains(c);
        if !text.chars().all(legal) || text.contains("--") {
            return None;
        }
        self.text.extend_from_slice(text.as_bytes());
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(name: &str) -> Identifier {
        Identifier::new(name).unwrap()
    }

    #[test]
    fn a_name_is_one_word() {
        for name in ["a", "_a1", "Recipes", &"x".repeat(128)] {
            assert!(Identifier::new(name).is_some(), "{name}");
        }
        for name in ["", "1a", "a b", "a;", "a'", "a\"", "a-b", "ä", "a\0", &"x".repeat(129)] {
            assert!(Identifier::new(name).is_none(), "{name}");
        }
    }

    #[test]
    fn values_are_written_so_that_nothing_ends_them() {
        let said = |value: SqlValue| {
            Literal::of(&value).map(|literal| String::from_utf8(literal.0).unwrap())
        };
        for (value, text) in [
            (SqlValue::Integer(-7), "-7"),
            (SqlValue::Boolean(true), "true"),
            (SqlValue::from("Zürich 8_a/b:c.d@e+f-1"), "'Zürich 8_a/b:c.d@e+f-1'"),
            (SqlValue::from(vec![0x27]), "x'27'"),
            (SqlValue::Float(-1e-7), "CAST('-0.0000001' AS FLOAT)"),
            (SqlValue::Timestamp(1), "CAST('1970-01-01 00:00:00.000001' AS TIMESTAMP)"),
            (SqlValue::Uuid([0xab; 16]), "CAST('abababab-abab-abab-abab-abababababab' AS UUID)"),
        ] {
            assert_eq!(said(value).as_deref(), Some(text));
        }
        for text in
            ["it's", "a;b", "a\\", "a(", "a\n", "a\"b", "a%", "a,b", "a\0", "x'", "a--b", "a#"]
        {
            assert_eq!(said(SqlValue::from(text)), None, "{text}");
        }
        assert_eq!(said(SqlValue::Float(f64::NAN)), None);
        assert_eq!(said(SqlValue::Integer(i64::MIN)), None);
    }

    #[test]
    fn the_views_are_these_statements() {
        let key = KeyClause(vec![
            (word("a"), Literal::of(&SqlValue::Integer(1)).unwrap()),
            (word("b"), Literal::of(&SqlValue::from("c")).unwrap()),
        ]);
        for (view, key, text) in [
            (View::History, None, "SELECT * FROM (HISTORY OF t);"),
            (View::AsOf(9), Some(&key), "SELECT * FROM t UNTIL TX 9 WHERE a = 1 AND b = 'c';"),
            (View::Within(2, 9), None, "SELECT * FROM t SINCE TX 2 UNTIL TX 9;"),
            (View::Changed(2, 9), None, "SELECT * FROM (DIFF OF t) SINCE TX 2 UNTIL TX 9;"),
        ] {
            assert_eq!(*rows(&word("t"), view, key, false).text, text);
        }
    }
}
