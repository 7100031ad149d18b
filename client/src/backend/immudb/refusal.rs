//! What the server's words mean.
//!
//! immudb's wire sends most errors without a code, so the text must serve.
//! The texts were read from immudb 1.11; an unknown one is
//! [`Refusal::Other`], from which nothing may be concluded.

/// What a refusal says about the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A primary key or a unique index has this value already; which of the
    /// two, the server does not tell.
    KeyExists,
    /// Another transaction got in between: not committed.
    Conflict,
    /// Too much at once: not executed.
    Busy,
    /// The table is not there, or is another one.
    NoTable,
    /// The table, its indexes or the database are there already.
    Exists,
    /// The database is not there.
    NoDatabase,
    /// Wrong user or password.
    Login,
    /// Refused before anything was executed, for a reason that is not
    /// distinguished further.
    NotExecuted,
    /// Anything else.
    Other,
}

impl Refusal {
    /// Reads the server's message and its SQLSTATE, if it sent one.
    pub(super) fn of(message: &str, code: &str) -> Self {
        let starts = |texts: &[&str]| texts.iter().any(|text| message.starts_with(text));
        if starts(&["key already exists"]) {
            Self::KeyExists
        } else if starts(&["tx read conflict"]) {
            Self::Conflict
        } else if message.contains("max concurrency limit exceeded") {
            Self::Busy
        } else if starts(&["table does not exist", "column does not exist"]) {
            Self::NoTable
        } else if starts(&[
            "index already exists",
            "table already exists",
            "database already exists",
            // What CREATE UNIQUE INDEX says where the table has rows.
            "unique index creation is only supported on empty tables",
        ]) {
            Self::Exists
        } else if starts(&["selected db doesn't exist"]) {
            Self::NoDatabase
        // A plain PostgreSQL gives codes: 28000 and 28P01 for a login refused.
        } else if starts(&["invalid user name or password", "password not provided"])
            || matches!(code, "28000" | "28P01")
        {
            Self::Login
        } else if starts(&[
            "syntax error",
            "access denied",
            "max length exceeded",
            "max number of entries per tx exceeded",
        ]) {
            Self::NotExecuted
        } else {
            Self::Other
        }
    }

    /// Whether a connection can be used further after it. After any other
    /// refusal it is closed.
    pub(super) fn leaves_usable(self) -> bool {
        matches!(self, Self::KeyExists | Self::Conflict | Self::Busy | Self::NoTable)
    }
}

/// The server's words as they may stand in an error: on one line, nothing
/// that steers a terminal, and not endless.
pub(super) fn quoted(message: &str) -> String {
    const LONGEST: usize = 300;
    let mut out: String = message
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() || is_bidirectional(c) { '\u{fffd}' } else { c })
        .collect();
    if message.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}

/// Characters that reorder what stands around them.
fn is_bidirectional(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_immudb_1_11_are_understood() {
        for (message, refusal) in [
            ("key already exists", Refusal::KeyExists),
            (
                "tx read conflict: prefix \"\\x02CTL.TABLE.\\x00\\x00\\x00\\x01\" range fingerprint changed",
                Refusal::Conflict,
            ),
            ("max concurrency limit exceeded", Refusal::Busy),
            ("table does not exist (events)", Refusal::NoTable),
            ("column does not exist (domain)", Refusal::NoTable),
            ("index already exists", Refusal::Exists),
            ("unique index creation is only supported on empty tables", Refusal::Exists),
            ("database already exists", Refusal::Exists),
            ("selected db doesn't exists", Refusal::NoDatabase),
            ("invalid user name or password", Refusal::Login),
            ("password not provided", Refusal::Login),
            ("max length exceeded: table: events, column: ext", Refusal::NotExecuted),
            ("max number of entries per tx exceeded", Refusal::NotExecuted),
            ("access denied: statement requires READWRITE permission", Refusal::NotExecuted),
            ("syntax error: unexpected IDENTIFIER at position 7", Refusal::NotExecuted),
            ("no ongoing transaction", Refusal::Other),
            ("it may be that the key already exists", Refusal::Other),
            ("", Refusal::Other),
        ] {
            assert_eq!(Refusal::of(message, ""), refusal, "{message}");
        }
    }

    #[test]
    fn a_hostile_message_stays_on_its_line() {
        assert_eq!(quoted("a\n\u{1b}[2Jb\u{202e}c"), "a\u{fffd}\u{fffd}[2Jb\u{fffd}c");
        let long = quoted(&"ä".repeat(1000));
        assert_eq!(long.chars().count(), 301);
        assert!(long.ends_with('…'));
    }
}
