//! One step after the other: as text for people, or as one JSON object a line.

use std::fmt::Display;
use std::io::{self, Write as _};

use anstyle::Style;
use counterfoil::Cover;
use serde::Serialize;

pub(crate) struct Report {
    json: bool,
    steps: u32,
}

#[derive(Serialize)]
struct Line<'a, T> {
    step: &'a str,
    #[serde(flatten)]
    content: &'a T,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, steps: 0 }
    }

    /// Shows a step: its heading and its lines, or its fields.
    pub(crate) fn step<T>(&mut self, name: &str, heading: &str, content: &T) -> io::Result<()>
    where
        T: Display + Serialize,
    {
        self.steps += 1;
        // Drops the style where it is no terminal.
        let mut out = anstream::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut out, &Line { step: name, content })?;
            return writeln!(out);
        }
        let (bold, n) = (Style::new().bold(), self.steps);
        writeln!(out, "{bold}{n}  {heading}{bold:#}")?;
        for line in content.to_string().lines() {
            writeln!(out, "{}", wrapped(line).trim_end())?;
        }
        writeln!(out)
    }
}

/// Columns of a line, and where it goes on if it needs another one: after
/// the labels.
const COLUMNS: usize = 100;
const MARGIN: &str = "   ";
const GOES_ON: &str = "             ";

fn wrapped(line: &str) -> String {
    let mut text = format!("{MARGIN}{line}");
    let mut start = 0;
    while text[start..].chars().count() > COLUMNS {
        let limit =
            text[start..].char_indices().nth(COLUMNS + 1).map_or(text.len(), |(at, _)| start + at);
        let Some(space) = text[start + GOES_ON.len()..limit].rfind(' ') else { break };
        let at = start + GOES_ON.len() + space;
        text.replace_range(at..=at, &format!("\n{GOES_ON}"));
        start = at + 1;
    }
    text
}

/// The first 8 hex digits of a hash.
pub(crate) fn hex8(hash: &[u8; 32]) -> String {
    hex::encode(&hash[..4])
}

/// A stream's name in short: of links without scheme and host, of URNs
/// without `urn:epc:id:`.
pub(crate) fn stream(cover: &Cover, width: usize) -> String {
    let root = cover.root.to_string();
    let link = || root.split_once("://")?.1.split_once('/');
    let urn = || root.strip_prefix("urn:epc:")?.split_once(':');
    let short = match (link(), urn()) {
        (Some((_, path)), _) => format!("…/{path}"),
        (_, Some((_, key))) => format!("…{key}"),
        _ => root.clone(),
    };
    fit(format!("{} {short}", cover.domain), width)
}

/// Cut in the middle to `width` characters.
pub(crate) fn fit(text: impl Display, width: usize) -> String {
    let text = text.to_string();
    let count = text.chars().count();
    if count <= width {
        return text;
    }
    let tail = (width - 1) * 2 / 3;
    let head: String = text.chars().take(width - 1 - tail).collect();
    let tail: String = text.chars().skip(count - tail).collect();
    format!("{head}…{tail}")
}

/// `1 event`, `2 events`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
