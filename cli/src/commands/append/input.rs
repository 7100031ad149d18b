//! The events of a file, one after the other: what is not needed yet is not
//! in memory.

use counterfoil::Event;
use serde_json::value::RawValue;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

use crate::epcis::{Events, MAX_DOCUMENT};
use crate::exit::{Failure, Place, Result};

/// The longest line of our own form that is read: an event's largest body, in
/// hex, and the JSON around it.
const LONGEST_LINE: u64 = 4 << 20;

pub(super) struct Input<R> {
    reader: R,
    form: Form,
    /// Lines that were read.
    lines: u64,
    /// Events that were given out.
    events: u64,
    /// The document that is being read.
    document: Option<Events>,
    ended: bool,
}

/// What a file holds.
pub(super) enum Form {
    /// An event a line, as `read --json` prints it.
    Lines,
    /// EPCIS: one document, or a document or event a line.
    Epcis { domain: String, edition: Option<String> },
}

impl<R: AsyncBufRead + Unpin> Input<R> {
    pub(super) fn new(reader: R, form: Form) -> Self {
        Self { reader, form, lines: 0, events: 0, document: None, ended: false }
    }

    pub(super) fn is_epcis(&self) -> bool {
        matches!(self.form, Form::Epcis { .. })
    }

    /// The next event and its place; behind one that cannot be read there is
    /// none.
    pub(super) async fn next(&mut self) -> Option<(Place, Result<Event>)> {
        loop {
            if let Some(event) = self.document.as_mut().and_then(Events::next) {
                self.events += 1;
                return Some((Place::Event(self.events), event.map_err(Failure::Usage)));
            }
            if self.ended {
                return None;
            }
            let line = self.line().await;
            self.ended |= line.is_err();
            if let Some(event) = line.transpose() {
                return Some((Place::Line(self.lines), event));
            }
        }
    }

    /// Reads a line: an event, or what goes into `document`, or nothing, or the end.
    async fn line(&mut self) -> Result<Option<Event>> {
        self.lines += 1;
        let limit = if let Form::Lines = self.form { LONGEST_LINE } else { MAX_DOCUMENT };
        let mut text = Vec::new();
        let most = limit + 1;
        let line = (&mut self.reader).take(most).read_until(b'\n', &mut text).await;
        line.map_err(unreadable)?;
        if text.is_empty() {
            self.ended = true;
            return Ok(None);
        }
        within(&text, limit)?;
        if text.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let Form::Epcis { domain, edition } = &self.form else {
            let event = serde_json::from_str(utf8(&text)?);
            return event.map(Some).map_err(|error| no_event(&error));
        };
        // A first line that is no JSON by itself begins a document.
        let first = self.events == 0;
        if first && serde_json::from_str::<&RawValue>(utf8(&text)?).is_err() {
            let left = most - text.len() as u64;
            (&mut self.reader).take(left).read_to_end(&mut text).await.map_err(unreadable)?;
            within(&text, limit)?;
            self.ended = true;
        }
        utf8(&text)?;
        let mut text = String::from_utf8(text).unwrap_or_default();
        if text.starts_with(MARK) {
            text.drain(..MARK.len_utf8());
        }
        let events = Events::of(text, domain, edition.as_deref());
        let events = events.map_err(|why| Failure::Usage(format!("{why}; {EPCIS}")))?;
        self.document = Some(events);
        Ok(None)
    }
}

/// What a line of our own form holds.
const EXAMPLE: &str = r#"{"cover": {"domain": "shipment", "root": "SSCC-1"}, "event_type": "Departed", "payload": {"inline": "…"}}"#;

/// What a file of the other form holds.
const EPCIS: &str = r#"an event is {"type": "ObjectEvent", …}, a document {"epcisBody": {"eventList": [an event, …]}}"#;

/// It says where in the line: to its reader the line is all that there is.
fn no_event(error: &serde_json::Error) -> Failure {
    let why = error.to_string();
    let end = format!(" at line {} column {}", error.line(), error.column());
    let why = why.strip_suffix(&end).unwrap_or(&why);
    let column = error.column();
    Failure::Usage(format!(
        "column {column}: {why}; a line is an event, as `read --json` prints it under \"event\": {EXAMPLE}"
    ))
}

/// Some put it before a text to tell how it is encoded.
const MARK: char = '\u{feff}';

fn within(text: &[u8], limit: u64) -> Result<()> {
    if text.len() as u64 <= limit {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "it is longer than {limit} bytes; a file with an event a line may be of any length"
    )))
}

fn utf8(text: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(text).map_err(|_| Failure::Usage("it is not UTF-8".into()))?;
    Ok(text.strip_prefix(MARK).unwrap_or(text))
}

fn unreadable(error: std::io::Error) -> Failure {
    Failure::Usage(format!("it cannot be read: {error}"))
}
