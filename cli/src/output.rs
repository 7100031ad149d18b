//! What a command prints: text for people, or the library's own JSON.

use std::fmt::{self, Display, Write as _};
use std::io::Write as _;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use counterfoil::core::receipt::Authorship;
use counterfoil::{
    AuthorReport, Bytes, Completeness, Event, EventReport, Payload, RecordedEvent, TrustedAuthor,
    TxId,
};
use serde::Serialize;

use crate::exit::{Exit, Failure, Result};

/// Prints to standard output; colours go where a terminal wants them.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// One thing: a line of JSON, or its text.
    pub(crate) fn print<T: Serialize>(self, value: &T, text: impl Display) -> Result<()> {
        if self.json {
            let line = serde_json::to_string(value).map_err(std::io::Error::from)?;
            return self.raw(&line);
        }
        let mut out = anstream::stdout().lock();
        writeln!(out, "{text}")?;
        Ok(out.flush()?)
    }

    /// A text that is already what is to be printed, to the byte: nothing in it is taken for a
    /// colour and left out.
    pub(crate) fn raw(self, text: &str) -> Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", text.trim_end())?;
        Ok(out.flush()?)
    }

    /// Prints what a command has judged. How it ends is decided before: also where nobody reads it.
    pub(crate) fn judged<T: Serialize>(
        self,
        exit: Exit,
        value: &T,
        text: impl Display,
    ) -> Result<Exit> {
        self.ended(exit, self.print(value, text))
    }

    /// How a command ends that was judged so, and printed so.
    pub(crate) fn ended(self, exit: Exit, printed: Result<()>) -> Result<Exit> {
        match printed {
            Err(failure) if exit == Exit::Done && !failure.is_broken_pipe() => Err(failure),
            Err(failure) if !failure.is_broken_pipe() => {
                self.fail(&failure);
                Ok(exit)
            }
            _ => Ok(exit),
        }
    }

    /// A failure that does not end the command.
    pub(crate) fn fail(self, failure: &Failure) {
        self.say(failure.to_json(), format_args!("{}: {}", red("error"), Said(failure)));
    }

    /// Something that should be known beside the result: on stderr, with
    /// `--json` as `{"note": {"message": …}}`.
    pub(crate) fn note(self, what: impl Display) {
        let note = serde_json::json!({ "note": { "message": what.to_string() } });
        self.say(note, format_args!("{}: {}", paint(AnsiColor::Yellow, "note"), Said(what)));
    }

    /// To stderr. Where nobody reads it there is nobody to tell.
    fn say(self, json: serde_json::Value, text: fmt::Arguments<'_>) {
        let _ = match self.json {
            true => writeln!(std::io::stderr(), "{json}"),
            false => writeln!(anstream::stderr(), "{text}"),
        };
    }

    /// Says that something could have been missed, if so.
    pub(crate) fn completeness(self, completeness: &Completeness) {
        if let Completeness::Incomplete { gaps, first, .. } = completeness {
            self.note(format_args!(
                "{} not accounted for whole, the first is {first}: there may be more than is shown",
                Counted(*gaps, "transaction")
            ));
        }
    }
}

pub(crate) fn red(text: &str) -> String {
    paint(AnsiColor::Red, text)
}

pub(crate) fn bold(text: impl Display) -> String {
    let style = Style::new().bold();
    format!("{style}{text}{style:#}")
}

fn paint(colour: AnsiColor, text: &str) -> String {
    let style = Style::new().bold().fg_color(Some(colour.into()));
    format!("{style}{text}{style:#}")
}

/// An event for people, and where it is.
pub(crate) struct EventText<'a> {
    event: &'a Event,
    sequence: u64,
    tx: TxId,
    entry: u32,
    committed_at: i64,
    /// Who signed it, where that is told with it.
    author: Option<Author<'a>>,
    /// The content that was shown for its commitment.
    shown: Option<&'a Bytes>,
}

impl<'a> EventText<'a> {
    /// As a ledger has it, to whom these are the authors. Where there are none, and nobody signed it,
    /// nothing is said of that.
    pub(crate) fn of(recorded: &'a RecordedEvent, authors: &'a [TrustedAuthor]) -> Self {
        let RecordedEvent { event, sequence, tx, entry, committed_at, authorship, .. } = recorded;
        let tells = !authors.is_empty() || *authorship != Authorship::Unsigned;
        Self {
            event,
            sequence: *sequence,
            tx: *tx,
            entry: *entry,
            committed_at: *committed_at,
            author: tells.then(|| Author::of(authorship, authors)),
            shown: None,
        }
    }

    /// As a receipt has it.
    pub(crate) fn of_report(report: &'a EventReport) -> Self {
        let EventReport { event, sequence, tx, entry, committed_at, shown, .. } = report;
        Self {
            event,
            sequence: *sequence,
            tx: *tx,
            entry: *entry,
            committed_at: *committed_at,
            author: None,
            shown: shown.as_ref(),
        }
    }
}

/// What is to be said of an event's author, for people: the word of `docs/receipt.md` §6, the name that
/// the key has here, and the key.
pub(crate) struct Author<'a> {
    word: &'static str,
    name: Option<&'a str>,
    key: Option<String>,
}

impl<'a> Author<'a> {
    fn of(authorship: &Authorship, authors: &'a [TrustedAuthor]) -> Self {
        let key = authorship.signed_by();
        let named = |key| {
            authors.iter().find(|author| author.key.as_bytes() == key && author.name.is_some())
        };
        let name = key.and_then(named).and_then(|author| author.name.as_deref());
        Self { word: authorship.word(), name, key: key.map(|key| Hex(key).to_string()) }
    }

    /// As a receipt's verdict tells it.
    pub(crate) fn of_report(report: &'a AuthorReport) -> Self {
        let AuthorReport { authorship, key, name, .. } = report;
        // Who has no name is called by the key.
        let name = name.as_deref().filter(|name| Some(*name) != key.as_deref());
        Self { word: authorship, name, key: key.clone() }
    }
}

impl Display for Author<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)?;
        if let Some(name) = self.name {
            write!(f, "  {}", Plain(name))?;
        }
        match &self.key {
            Some(key) => write!(f, "  {key}"),
            None => Ok(()),
        }
    }
}

/// Every line but the first begins so: what an event says cannot pass for what is said of it.
const QUOTED: &str = "\n    | ";

impl Display for EventText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event, sequence, tx, entry, committed_at, author, shown } = self;
        write!(
            f,
            "{}  {}  {}  (transaction {tx}, entry {entry})",
            bold(format_args!("{} {sequence}", Plain(&event.cover))),
            Plain(&event.event_type),
            Time(*committed_at),
        )?;
        if let Some(author) = author {
            write!(f, "\n    author: {author}")?;
        }
        match &event.payload {
            Payload::Inline(content) => write!(f, "{QUOTED}{}", Plain(content))?,
            Payload::Commitment(hash) => {
                if let Some(content) = shown {
                    write!(f, "{QUOTED}{}", Plain(content))?;
                }
                write!(f, "{QUOTED}(kept elsewhere: commitment {})", Hex(hash.as_bytes()))?;
            }
        }
        for (name, value) in &event.metadata {
            write!(f, "{QUOTED}{}: {}", Plain(name), Plain(value))?;
        }
        for (name, id) in [
            ("correlation", &event.correlation_id),
            ("causation", &event.causation_id),
            ("external id", &event.external_id),
        ] {
            if !id.is_empty() {
                write!(f, "{QUOTED}{name}: {}", Plain(id))?;
            }
        }
        Ok(())
    }
}

/// A file's name: for people as [`Plain`]; in JSON without what is not UTF-8, which U+FFFD stands for.
pub(crate) struct Name<'a>(pub(crate) &'a Path);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Plain(self.0.display()).fmt(f)
    }
}

impl Serialize for Name<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.display())
    }
}

/// What others may have written, in as many lines as it has. All but the first are set apart, and
/// none can pass for a line of ours.
pub(crate) struct Said<T>(pub(crate) T);

impl<T: Display> Display for Said<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let mut lines = text.trim_end().lines();
        Plain(lines.next().unwrap_or_default()).fmt(f)?;
        lines.try_for_each(|line| write!(f, "\n  | {}", Plain(line)))
    }
}

/// What others have written, in one line that can pass for nothing else: what moves a terminal's
/// cursor or turns its text around is shown as `\u{…}`.
pub(crate) struct Plain<T>(pub(crate) T);

impl<T: Display> Display for Plain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let turns = |c| {
            matches!(
                c,
                '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            )
        };
        text.chars().try_for_each(|c| match c.is_control() || turns(c) {
            true if matches!(c, '\n' | '\r' | '\t') => write!(self.0, "{}", c.escape_default()),
            true => write!(self.0, "{}", c.escape_unicode()),
            false => self.0.write_char(c),
        })
    }
}

/// So many of a kind.
pub(crate) struct Counted(pub(crate) u64, pub(crate) &'static str);

impl Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, one) = self;
        write!(f, "{count} {one}{}", if *count == 1 { "" } else { "s" })
    }
}

struct Hex<'a>(&'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Seconds since 1970, as the ledger's clock says.
pub(crate) struct Time(pub(crate) i64);

impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(time) => time.fmt(f),
            // Beyond every calendar: the number is what the ledger claims.
            Err(_) => write!(f, "{} s since 1970", self.0),
        }
    }
}
