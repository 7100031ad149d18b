//! A configuration as it is written down: which keys there are, and where in the text one stands.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Config;
use crate::error::{Error, Result};

/// Every key, as it is called in errors.
const KEYS: &[&str] = &[
    "storage.backend",
    "storage.embedded.path",
    "storage.immudb.host",
    "storage.immudb.port",
    "storage.immudb.database",
    "storage.immudb.username",
    "storage.immudb.password",
    "storage.immudb.tls",
    "storage.immudb.ca",
    "storage.immudb.connections",
    "storage.immudb.timeout_seconds",
    "storage.immudb.scope",
    "trust.pin",
    "trust.ledger",
    "trust.first_contact",
    "trust.file",
    "trust.strict",
    "trust.acknowledged.tx",
    "trust.acknowledged.alh",
    "trust.acknowledged.reason",
    "trust.acknowledged.table_changed",
    "trust.author.name",
    "trust.author.key",
    "trust.author.domains",
    "log.path",
    "signing.key",
];

/// What is wrong with a value, by its key.
pub(super) struct Problem {
    pub(super) key: String,
    pub(super) what: String,
}

impl Problem {
    pub(super) fn new(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self { key: key.into(), what: what.into() }
    }
}

impl From<Problem> for Error {
    fn from(Problem { key, what }: Problem) -> Self {
        Self::Config(format!("{key}: {what}"))
    }
}

/// Reads a text, which stands in this file.
pub(super) fn read(text: &str, file: Option<&Path>) -> Result<Config> {
    let text = Text { text, file };
    let table = DeTable::parse(text.text)
        .map_err(|error| text.unreadable(error.span(), "", error.message()))?;
    let mut keys = Vec::new();
    collect(table.get_ref(), "", "", &mut keys);
    if let Some(unknown) = keys.iter().find(|key| !key.is_known()) {
        return Err(text.error(Some(unknown.span.clone()), &unknown.path, &unknown.hint()));
    }
    let config: Config = toml::from_str(text.text).map_err(|error| {
        let at = error.span().unwrap_or_default().start;
        let holds = |key: &&Key| key.value.contains(&at);
        let key = keys.iter().filter(holds).min_by_key(|key| key.value.len());
        text.unreadable(error.span(), key.map_or("", |key| &key.path), error.message())
    })?;
    config.check().map_err(|Problem { key, what }| {
        let span = keys.iter().find(|found| found.path == key).map(|found| found.span.clone());
        text.error(span, &key, &what)
    })?;
    Ok(config)
}

struct Text<'a> {
    text: &'a str,
    file: Option<&'a Path>,
}

impl Text<'_> {
    /// Where something is wrong, and what.
    fn error(&self, span: Option<Range<usize>>, key: &str, what: &str) -> Error {
        let mut place = self.file.map(|file| file.display().to_string()).unwrap_or_default();
        if let Some(span) = span {
            let number = self.before(&span).matches('\n').count() + 1;
            let separator = if place.is_empty() { "" } else { ", " };
            let _ = write!(place, "{separator}line {number}");
        }
        let said = [&*place, key, what].into_iter().filter(|part| !part.is_empty());
        Error::Config(said.collect::<Vec<_>>().join(": "))
    }

    /// The same in a parser's words, which repeat a value of the wrong type: not where that may be
    /// the password.
    fn unreadable(&self, span: Option<Range<usize>>, key: &str, what: &str) -> Error {
        let begin = span
            .as_ref()
            .map_or(0, |span| self.before(span).rfind('\n').map_or(0, |newline| newline + 1));
        let line = self.text.get(begin..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        match key.ends_with(".password") || line.contains("password") {
            true => self.error(span, key, "it is not as it should be, and holds a password"),
            false => self.error(span, key, what),
        }
    }

    fn before(&self, span: &Range<usize>) -> &str {
        self.text.get(..span.start).unwrap_or_default()
    }
}

/// A key that is there.
struct Key {
    /// `trust.author[1].key`
    path: String,
    /// The same without places in lists.
    name: String,
    span: Range<usize>,
    value: Range<usize>,
}

fn collect(table: &DeTable<'_>, path: &str, name: &str, keys: &mut Vec<Key>) {
    let below = |name: &str, key: &str| match name {
        "" => key.to_owned(),
        name => format!("{name}.{key}"),
    };
    for (key, value) in table {
        let (path, name) = (below(path, key.get_ref()), below(name, key.get_ref()));
        let (span, range) = (key.span(), value.span());
        keys.push(Key { path: path.clone(), name: name.clone(), span, value: range });
        // What is below an unknown key is unknown as well.
        if !is_table(&name) {
            continue;
        }
        let mut inside = |path: &str, value: &Spanned<DeValue<'_>>| {
            if let DeValue::Table(table) = value.get_ref() {
                collect(table, path, &name, keys);
            }
        };
        match value.get_ref() {
            DeValue::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    inside(&format!("{path}[{at}]"), item);
                }
            }
            _ => inside(&path, value),
        }
    }
}

/// Whether keys begin with this name.
fn is_table(name: &str) -> bool {
    tables().any(|table| table == name)
}

/// `storage`, `storage.embedded` and so on, some of them more than once.
fn tables() -> impl Iterator<Item = &'static str> {
    KEYS.iter().flat_map(|key| key.match_indices('.').map(|(at, _)| key.split_at(at).0))
}

impl Key {
    fn is_known(&self) -> bool {
        KEYS.contains(&&*self.name) || is_table(&self.name)
    }

    /// What its writer may have meant.
    fn hint(&self) -> String {
        match nearest(&self.name) {
            Some(near) => format!("there is no such key; did you mean {near}?"),
            None => "there is no such key".to_owned(),
        }
    }
}

/// The known key that is most like this one: the same in another table, or one that is written much
/// alike.
fn nearest(unknown: &str) -> Option<&'static str> {
    let split = |key: &'static str| key.rsplit_once('.').unwrap_or(("", key));
    let (table, last) = unknown.rsplit_once('.').unwrap_or(("", unknown));
    let apart = |key: &str| strsim::damerau_levenshtein(unknown, key);
    let elsewhere = KEYS.iter().copied().filter(|key| split(key).1 == last);
    let elsewhere = elsewhere.min_by_key(|key| (!key.starts_with(table), apart(key)));
    let alike = KEYS.iter().copied().chain(tables()).min_by_key(|key| apart(key));
    let most = (last.chars().count() / 3).max(1);
    alike.filter(|key| apart(key) <= most).or(elsewhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        read(text, Some(Path::new("a.toml"))).unwrap_err().to_string()
    }

    #[test]
    fn an_error_names_file_line_and_key() {
        let said = error("[storage]\nbackend = \"immudb\"\n\n[storage.immudb]\nport = \"x\"\n");
        let words = "configuration: a.toml, line 5: storage.immudb.port: invalid type: string \"x\", \
            expected u16";
        assert_eq!(said, words);
        let said = error("[[trust.author]]\nkey = \"00\"\n");
        assert!(said.contains("a.toml, line 2: trust.author[0].key: "), "{said}");
        let said = error("[storage.immudb]\n\nconnections = 99\n");
        assert!(said.contains("a.toml, line 3: storage.immudb.connections: "), "{said}");
        let said = error("[storage]\nbackend\n");
        assert!(said.contains("a.toml, line 2: "), "{said}");
        let said = read("[storage]\nbackend = 1", None).unwrap_err().to_string();
        assert!(said.contains("configuration: line 2: storage.backend: "), "{said}");
        let said = error("[[trust.acknowledged]]\ntx = 3\nreason = \"x\"\n");
        assert!(said.contains("line 1: trust.acknowledged") && said.contains("`alh`"), "{said}");
    }

    #[test]
    fn what_was_meant_is_said() {
        for (text, meant) in [
            ("[storage]\nbackends = 1", "storage.backend?"),
            ("[storage.immudb]\npasword = 1", "storage.immudb.password?"),
            ("[storage]\nhost = 1", "storage.immudb.host?"),
            ("[storage]\npath = 1", "storage.embedded.path?"),
            ("[strage]\nbackend = 1", "storage?"),
            ("[trust]\nauthors = 1", "trust.author?"),
            ("[[trust.author]]\nkey = 1\ndomain = 1", "trust.author.domains?"),
            ("password = 1", "storage.immudb.password?"),
        ] {
            let said = error(text);
            assert!(said.ends_with(&format!("did you mean {meant}")), "{text}: {said}");
        }
        assert!(error("[storage]\ncolour = 1").ends_with("storage.colour: there is no such key"));
    }

    /// A key of the types that is not listed would be refused, one that is listed and not theirs
    /// accepted.
    #[test]
    fn the_keys_are_those_of_the_types() {
        let below = |table: &str| {
            KEYS.iter()
                .copied()
                .chain(tables())
                .filter_map(|key| key.rsplit_once('.'))
                .filter(|(of, _)| *of == table)
                .map(|(_, key)| key)
                .collect::<std::collections::BTreeSet<_>>()
        };
        for table in tables() {
            let list = ["trust.acknowledged", "trust.author"].contains(&table);
            let head = if list { format!("[[{table}]]") } else { format!("[{table}]") };
            let wrong = toml::from_str::<Config>(&format!("{head}\nno_such_key = 1")).unwrap_err();
            let words: Vec<&str> = wrong.message().split('`').collect();
            let expected = words.iter().copied().skip(3).step_by(2).collect();
            assert_eq!(below(table), expected, "{table}: {wrong}");
        }
    }
}
