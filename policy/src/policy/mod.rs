//! What somebody who verifies receipts trusts, as a file: in TOML or in JSON, with the same keys
//! (`docs/policy.md`).

mod core;
mod document;
mod error;
#[cfg(feature = "toml")]
mod files;
mod log_policy;
mod moving;
#[cfg(feature = "p256")]
mod state_key;
#[cfg(not(feature = "p256"))]
#[path = "no_state_key.rs"]
mod state_key;
mod summary;
#[cfg(all(test, feature = "toml", feature = "p256"))]
mod tests;
mod tlog_policy;
mod witnessing;

use std::path::{Path, PathBuf};

use counterfoil_core::{Alh, Ed25519Key, StateKeyId, TrustedState};

use self::document::{AuthorTable, Document, PinForm, Table};
pub use self::error::{FileError, PolicyError, PolicyProblem};
#[cfg(feature = "toml")]
pub use self::files::PolicyFile;
#[cfg(all(feature = "toml", feature = "p256"))]
pub use self::files::load_state_key;
pub use self::log_policy::TlogPolicy;
pub use self::moving::{MovedPin, PinMove};
use self::state_key::DatabaseKey;
pub use self::summary::PolicySummary;
use self::witnessing::{Witnessing, WitnessingBuilder};
use crate::event::MAX_DOMAIN;

/// What is trusted, about one ledger: the owned form of core's
/// [`Policy`](counterfoil_core::receipt::Policy), to which [`with_core`](Self::with_core) leads.
///
/// There is no policy that contradicts itself: reading refuses it. What is in other files (a server's
/// key, logs and witnesses) is read with it, and written out as part of it.
///
/// # What a policy is worth
///
/// As much as where it comes from. That ledger, table, pins and keys belong together is its own claim,
/// and nothing can check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustPolicy {
    ledger: Alh,
    table: Option<u32>,
    pins: Vec<TrustedState>,
    moved: Option<MovedPin>,
    state_keys: Vec<DatabaseKey>,
    witnessing: Witnessing,
    authors: Vec<Author>,
    require_author: bool,
}

/// Somebody who may sign events.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Author {
    name: String,
    key: Ed25519Key,
    /// `None` for all.
    domains: Option<Vec<String>>,
}

impl TrustPolicy {
    /// About the ledger with this id. Nothing is trusted yet.
    pub const fn new(ledger: Alh) -> Self {
        Self {
            ledger,
            table: None,
            pins: Vec::new(),
            moved: None,
            state_keys: Vec::new(),
            witnessing: Witnessing::NONE,
            authors: Vec::new(),
            require_author: false,
        }
    }

    /// With the number of the table of events.
    ///
    /// # Errors
    ///
    /// [`PolicyProblem`] for 0, which no table has.
    pub fn with_table(self, table: u32) -> Result<Self, PolicyProblem> {
        check_table(table)?;
        Ok(Self { table: Some(table), ..self })
    }

    /// With one more pinned state.
    ///
    /// # Errors
    ///
    /// [`PolicyProblem`] if it contradicts the ledger's id or another pin.
    pub fn with_pin(mut self, pin: TrustedState) -> Result<Self, PolicyProblem> {
        check_pin(&self, "pins", pin)?;
        self.pins.push(pin);
        Ok(self)
    }

    /// With one more author, as a configuration names one (`[[trust.author]]`). A key that is listed
    /// already counts in these domains too; one without a name is called by its digits.
    ///
    /// # Errors
    ///
    /// [`PolicyProblem`] if the name is another key's, the domains are none, or the key is one of a log or a
    /// witness.
    pub fn with_author(
        mut self,
        name: Option<String>,
        key: &Ed25519Key,
        domains: Option<Vec<String>>,
    ) -> Result<Self, PolicyProblem> {
        let known = self.authors.iter().position(|known| known.key == *key);
        let known = known.map(|at| self.authors.remove(at));
        let key = hex::encode(key.as_bytes());
        let name = name.or_else(|| known.as_ref().map(|known| known.name.clone()));
        let name = name.unwrap_or_else(|| key.clone());
        let table = AuthorTable { name, key, domains };
        let mut author = author(table, "trust.author", &self.authors)?;
        if let Some(Author { domains, .. }) = known {
            author.domains = author.domains.zip(domains).map(|(one, other)| [other, one].concat());
        }
        self.authors.push(author);
        check_purposes(&self, false)?;
        Ok(self)
    }

    /// With logs, witnesses and a quorum as a tlog-policy names them, in place of those that it has.
    ///
    /// # Errors
    ///
    /// [`PolicyProblem`] if it names no log, or that of another ledger, or an author's key.
    pub fn with_tlog_policy(self, policy: TlogPolicy) -> Result<Self, PolicyProblem> {
        let witnessing = with_logs(policy.0, "tlog_policy")?;
        for log in &witnessing.logs {
            log.may_be_of(&self.ledger, "tlog_policy")?;
        }
        let policy = Self { witnessing, ..self };
        check_purposes(&policy, true)?;
        Ok(policy)
    }

    /// Reads TOML.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Problem`]; also where it names another file: whose folder that would be in is
    /// not known. For such policies there is [`load`](Self::load).
    #[cfg(feature = "toml")]
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        Self::of(toml_document(text)?, None)
    }

    /// Reads JSON.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Problem`]; also where it names another file: whose folder that would be in is
    /// not known.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        Self::of(json_document(text)?, None)
    }

    /// JSON begins with a brace, and no TOML does. The files that it names are in this folder.
    #[cfg(feature = "toml")]
    fn from_text(text: &str, base: &Path) -> Result<Self, PolicyError> {
        let document = match text.trim_start().starts_with('{') {
            true => json_document(text)?,
            false => toml_document(text)?,
        };
        Self::of(document, Some(base))
    }

    fn of(document: Document, base: Option<&Path>) -> Result<Self, PolicyError> {
        let witnessing = witnessing_of(&document, base)?;
        let from_file = document.tlog_policy.is_some();
        let Document { ledger, table, pins, require_author, state_keys, authors, .. } = document;
        for (log, at) in witnessing.logs.iter().zip(0_usize..) {
            let place = match from_file {
                true => "tlog_policy".to_owned(),
                false => format!("logs[{at}]"),
            };
            log.may_be_of(&ledger, &place)?;
        }
        let mut policy = Self { witnessing, require_author, ..Self::new(ledger) };
        if let Some(table) = table {
            policy = policy.with_table(table)?;
        }
        for (PinForm(pin), at) in pins.into_iter().zip(0_usize..) {
            let key = format!("pins[{at}]");
            check_pin(&policy, &key, pin)?;
            if policy.pins.contains(&pin) {
                let what = format!("transaction {} is pinned twice", pin.tx);
                return Err(PolicyProblem::new(key, what, "name each pin once").into());
            }
            policy.pins.push(pin);
        }
        for (table, at) in state_keys.into_iter().zip(0_usize..) {
            let place = format!("state_keys[{at}]");
            let key = DatabaseKey::of(table, &place, base)?;
            if policy.state_keys.contains(&key) {
                return Err(PolicyProblem::new(place, "the same key a second time", ONCE).into());
            }
            policy.state_keys.push(key);
        }
        for (table, at) in authors.into_iter().zip(0_usize..) {
            let author = author(table, &format!("authors[{at}]"), &policy.authors)?;
            policy.authors.push(author);
        }
        check_purposes(&policy, from_file)?;
        if policy.require_author && policy.authors.is_empty() {
            return Err(PolicyProblem::new(
                "require_author",
                "an author is required, and there is none",
                "list the authors, or leave this out",
            )
            .into());
        }
        Ok(policy)
    }

    /// The policy in TOML, what it had read from other files in it. A pin that moved is one of its
    /// pins.
    #[cfg(feature = "toml")]
    pub fn to_toml(&self) -> String {
        // Every value has a form in TOML: there is nothing but texts, small numbers and lists of them.
        toml::to_string(&self.to_document()).unwrap_or_default()
    }

    /// The policy in JSON, what it had read from other files in it. A pin that moved is one of its pins.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.to_document()).unwrap_or_default()
    }

    fn to_document(&self) -> Document {
        let author = |author: &Author| AuthorTable {
            name: author.name.clone(),
            key: hex::encode(author.key.as_bytes()),
            domains: author.domains.clone(),
        };
        Document {
            ledger: self.ledger,
            table: self.table,
            pins: self.pins().map(PinForm).collect(),
            require_author: self.require_author,
            tlog_policy: None,
            quorum: self.witnessing.quorum_name().map(Into::into),
            logs: self.witnessing.log_tables(),
            witnesses: self.witnessing.witness_tables(),
            groups: self.witnessing.group_tables(),
            state_keys: self.state_keys.iter().map(DatabaseKey::to_table).collect(),
            authors: self.authors.iter().map(author).collect(),
        }
    }

    /// The ledger that it is about: its id.
    pub const fn ledger(&self) -> Alh {
        self.ledger
    }

    /// The number of the table of events, if it names one.
    pub const fn table(&self) -> Option<u32> {
        self.table
    }

    /// The pinned states: those that were written down, and the one to which the pin moved.
    pub fn pins(&self) -> impl Iterator<Item = TrustedState> + '_ {
        let moved = self.moved.as_ref().map(|moved| moved.pin);
        let moved = moved.filter(|pin| !self.pins.contains(pin));
        self.pins.iter().copied().chain(moved)
    }

    /// The name that it has for an author's key.
    pub fn author_name(&self, key: &[u8; 32]) -> Option<&str> {
        let author = self.authors.iter().find(|author| author.key.as_bytes() == key);
        author.map(|author| author.name.as_str())
    }

    /// Whether it has a server's key of this name, for whatever database.
    pub fn has_state_key(&self, id: StateKeyId) -> bool {
        self.state_keys.iter().any(|known| known.id() == id)
    }

    /// The pin that moved since the policy was written, and by whose word.
    pub const fn moved(&self) -> Option<&MovedPin> {
        self.moved.as_ref()
    }

    /// With a pin that moved, as somebody kept it: it counts beside those that were written down.
    ///
    /// # Errors
    ///
    /// [`PolicyProblem`] if it is about another ledger or contradicts a pin.
    pub fn with_moved(self, moved: MovedPin) -> Result<Self, PolicyProblem> {
        if moved.ledger != self.ledger {
            return Err(PolicyProblem::new(
                "ledger",
                format!(
                    "the pin moved in ledger {}, the policy is about {}",
                    moved.ledger, self.ledger
                ),
                "remove the file if it belongs to another policy: the policy's own pins then count",
            ));
        }
        check_pin(&self, "pin", moved.pin)?;
        Ok(Self { moved: Some(moved), ..self })
    }
}

const ONCE: &str = "name each key once";

fn check_table(table: u32) -> Result<(), PolicyProblem> {
    if table > 0 {
        return Ok(());
    }
    Err(PolicyProblem::new("table", "no table has the number 0", "leave it out if it is not known"))
}

/// It contradicts neither the ledger's id nor another pin.
fn check_pin(policy: &TrustPolicy, key: &str, pin: TrustedState) -> Result<(), PolicyProblem> {
    const REMEDY: &str = "keep the one that you have from whom you believe";
    let known = match pin.tx.get() {
        0 => {
            let what = "transactions count from 1, there is no transaction 0";
            return Err(PolicyProblem::new(
                key,
                what,
                "pin a state as `counterfoil state pin` prints it",
            ));
        }
        1 if pin.alh != policy.ledger => {
            let what =
                "a pin of transaction 1 is not the ledger's id, which is that transaction's hash";
            return Err(PolicyProblem::new(key, what, REMEDY));
        }
        _ => policy.pins().find(|known| known.tx == pin.tx),
    };
    match known {
        Some(known) if known.alh != pin.alh => Err(PolicyProblem::new(
            key,
            format!("two pins of transaction {} have two hashes", pin.tx),
            REMEDY,
        )),
        _ => Ok(()),
    }
}

/// No author signs as a log or a witness. What they sign cannot pass for each other (`docs/policy.md`), but
/// who has one key for two purposes loses both at once, and is counted as two.
fn check_purposes(policy: &TrustPolicy, from_file: bool) -> Result<(), PolicyProblem> {
    for (author, at) in policy.authors.iter().zip(0_usize..) {
        if let Some(other) = policy.witnessing.place_of(&author.key) {
            let inside = if from_file { "tlog_policy: " } else { "" };
            let what = format!("the same key as {inside}{other}, which has another purpose");
            let remedy = "one key is for one purpose: have one of the two made anew";
            return Err(PolicyProblem::new(format!("authors[{at}].key"), what, remedy));
        }
    }
    Ok(())
}

fn author(table: AuthorTable, place: &str, there: &[Author]) -> Result<Author, PolicyProblem> {
    let AuthorTable { name, key, domains } = table;
    let bytes = lower_hex(&key).ok_or_else(|| {
        PolicyProblem::new(
            format!("{place}.key"),
            "not 64 lower-case hex digits",
            "give the author's public Ed25519 key",
        )
    })?;
    let key = Ed25519Key::from_bytes(&bytes).map_err(|error| {
        PolicyProblem::new(
            format!("{place}.key"),
            error.to_string(),
            "give the author's public Ed25519 key",
        )
    })?;
    if there.iter().any(|author| author.key == key) {
        return Err(PolicyProblem::new(
            format!("{place}.key"),
            "the same key a second time",
            "list an author once, with all the domains",
        ));
    }
    if name.is_empty() || there.iter().any(|author| author.name == name) {
        return Err(PolicyProblem::new(
            format!("{place}.name"),
            format!("{name:?} does not name one author"),
            "give each author a name of their own",
        ));
    }
    let one = |domain: &String| !domain.is_empty() && domain.len() <= MAX_DOMAIN;
    if let Some(domains) = &domains
        && (domains.is_empty() || !domains.iter().all(one))
    {
        return Err(PolicyProblem::new(
            format!("{place}.domains"),
            "not a list of domains, each of 1 to 64 bytes",
            "name the domains, or leave the key out for an author of all",
        ));
    }
    Ok(Author { name, key, domains })
}

fn lower_hex(text: &str) -> Option<[u8; 32]> {
    if text.bytes().any(|digit| digit.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

fn witnessing_of(document: &Document, base: Option<&Path>) -> Result<Witnessing, PolicyError> {
    let Document { tlog_policy, quorum, logs, witnesses, groups, .. } = document;
    let inline =
        quorum.is_some() || !logs.is_empty() || !witnesses.is_empty() || !groups.is_empty();
    match (tlog_policy, inline) {
        (None, false) => Ok(Witnessing::NONE),
        (Some(_), true) => Err(PolicyProblem::new(
            "tlog_policy",
            "logs and witnesses are named in two places",
            "leave out either this file, or logs, witnesses, groups and quorum",
        )
        .into()),
        (Some(file), false) => {
            let (path, text) = named(base, file, "tlog_policy")?;
            let read = tlog_policy::read(&text).map_err(|problem| problem.in_file(&path))?;
            Ok(with_logs(read, "tlog_policy")?)
        }
        (None, true) => {
            let mut builder = WitnessingBuilder::default();
            for (log, at) in logs.iter().zip(0_usize..) {
                builder.log(&format!("logs[{at}]"), &log.key, log.url.as_deref())?;
            }
            for (witness, at) in witnesses.iter().zip(0_usize..) {
                let place = format!("witnesses[{at}]");
                builder.witness(&place, &witness.name, &witness.key, witness.url.as_deref())?;
            }
            for (group, at) in groups.iter().zip(0_usize..) {
                let place = format!("groups[{at}]");
                builder.group(&place, &group.name, group.needs, &group.members)?;
            }
            if let Some(quorum) = quorum {
                builder.quorum("quorum", quorum)?;
            }
            Ok(with_logs(builder.finish("quorum")?, "logs")?)
        }
    }
}

/// Witnesses sign what a log has signed: without a log's key they would be of no use.
fn with_logs(witnessing: Witnessing, place: &str) -> Result<Witnessing, PolicyProblem> {
    if !witnessing.logs.is_empty() {
        return Ok(witnessing);
    }
    let what = "there are witnesses or a quorum, and no log whose checkpoints they sign";
    Err(PolicyProblem::new(place, what, "name the log's key"))
}

/// A file that a policy names, beside the policy: where it is, and its text.
fn named(base: Option<&Path>, file: &Path, key: &str) -> Result<(PathBuf, String), PolicyError> {
    #[cfg(feature = "toml")]
    if let Some(base) = base {
        let path = base.join(file);
        let text = files::read(&path)?;
        return Ok((path, text));
    }
    // Nobody has given a folder.
    let _ = base;
    let what = format!("it names the file {}, and the policy itself is in none", file.display());
    Err(PolicyProblem::new(key, what, "put in its place what the file holds").into())
}

const KEYS: &str = "the keys of a policy are in docs/policy.md";

#[cfg(feature = "toml")]
fn toml_document(text: &str) -> Result<Document, PolicyProblem> {
    let read = toml::from_str::<Table<Document>>(text).map(|Table(document)| document);
    read.map_err(|error| PolicyProblem::new("", error.to_string().trim_end(), KEYS))
}

fn json_document(text: &str) -> Result<Document, PolicyProblem> {
    let read = serde_json::from_str::<Table<Document>>(text).map(|Table(document)| document);
    read.map_err(|error| PolicyProblem::new("", error.to_string(), KEYS))
}
