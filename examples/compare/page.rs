//! What was measured, as a page with a table and charts.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::plot::{Chart, svg};

/// The page, as far as it is.
pub(crate) struct Page {
    folder: Option<PathBuf>,
    note: String,
    compared: Vec<(String, f64)>,
    /// Figures of each ledger.
    grown: Vec<Value>,
}

enum Goal {
    AtLeast(f64),
    AtMost(f64),
    None,
}

impl Goal {
    /// The goal, and whether it is met.
    fn against(&self, value: f64) -> String {
        let (sign, goal, met) = match *self {
            Self::AtLeast(goal) => ("≥", goal, value >= goal),
            Self::AtMost(goal) => ("≤", goal, value <= goal),
            Self::None => return String::new(),
        };
        format!("{sign} {goal}, {}", if met { "met" } else { "**missed**" })
    }
}

/// Name, its meaning, and the goal.
const GOALS: [(&str, &str, Goal); 9] = [
    (
        "append_ratio",
        "events appended by all writers together, per `VerifiedSet`",
        Goal::AtLeast(20.0),
    ),
    (
        "append_ratio_ceiling",
        "the same rows in bare INSERTs that nobody verifies, per `VerifiedSet`",
        Goal::None,
    ),
    (
        "ceiling_events_per_s",
        "a second, in bare INSERTs one after the other: what the server takes",
        Goal::None,
    ),
    (
        "ceiling_in_two_lanes",
        "a second, in bare INSERTs of half as many rows, two at a time",
        Goal::None,
    ),
    ("verified_read_ratio", "events read and verified, per `VerifyRow`", Goal::AtLeast(40.0)),
    (
        "read_overhead",
        "time of a verified read over a plain sqlx read of the same rows' bodies",
        Goal::AtMost(1.3),
    ),
    (
        "audit_events_per_s",
        "events of an embedded ledger derived again from disk, a second",
        Goal::None,
    ),
    (
        "audit_events_per_cpu_s",
        "the same for a second of processor time, all threads together",
        Goal::AtLeast(1e6),
    ),
    (
        "thin_read_statements",
        "statements of a first thin read, opening and one for each header included",
        Goal::None,
    ),
];

/// Between these marks the page is written anew each time.
const BEGIN: &str = "<!-- figures: scripts/compare writes from here -->";
const END: &str = "<!-- to here -->";

/// Title of a chart, and where `figures` has its value.
const CHARTS: [(&str, &str); 6] = [
    ("log and index, bytes a transaction", "/log_bytes_per_transaction"),
    ("verified appends one by one, events/s", "/appends_alone_per_second"),
    ("verified reads, events/s", "/reads_alone/verified_per_second"),
    ("first synchronisation, transactions/s", "/sync_transactions_per_second"),
    ("audit, events/s", "/audit_events_per_second"),
    ("first thin read, ms", "/thin/milliseconds"),
];

impl Page {
    pub(crate) fn new(folder: Option<&Path>, note: &str) -> Self {
        let folder = folder.map(Path::to_owned);
        Self { folder, note: note.to_owned(), compared: Vec::new(), grown: Vec::new() }
    }

    pub(crate) fn compared(&mut self, lines: Vec<(String, f64)>) {
        self.compared = lines;
    }

    pub(crate) fn grown(&mut self, figures: Value) {
        self.grown.push(figures);
    }

    /// Writes it, if anybody wants it: between the two marks of a page that
    /// is there, so that what people wrote around them stays.
    pub(crate) fn write(&self) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).with_context(|| path.display().to_string())
        };
        let there = std::fs::read_to_string(folder.join("performance.md")).unwrap_or_default();
        let parts = there
            .split_once(BEGIN)
            .and_then(|(before, rest)| rest.split_once(END).map(|(_, after)| (before, after)));
        let (before, after) = parts.unwrap_or(("# Performance\n\n", "\n"));
        write("performance.md", [before, BEGIN, &self.text(), END, after].concat())?;
        write("performance.svg", svg(&self.charts()))
    }

    fn charts(&self) -> Vec<Chart> {
        let line = |backend: &'static str, pointer: &str| {
            let of = self.grown.iter().filter(|figures| figures["backend"] == backend);
            let mut points: Vec<(f64, f64)> = of
                .filter_map(|figures| {
                    Some((figures["transactions"].as_f64()?, figures.pointer(pointer)?.as_f64()?))
                })
                .collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            (backend, points)
        };
        let lines = |pointer| {
            let lines = ["immudb", "embedded"].map(|backend| line(backend, pointer));
            lines.into_iter().filter(|(_, points)| !points.is_empty()).collect()
        };
        CHARTS.map(|(title, pointer)| Chart { title, lines: lines(pointer) }).into()
    }

    fn text(&self) -> String {
        let command: Vec<String> = std::env::args().skip(1).collect();
        let command: Vec<&str> =
            command.iter().map(String::as_str).filter(|word| !word.contains(' ')).collect();
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let mut out = format!(
            "\n\nWritten by `scripts/compare {}` on {cores} cores, everything on one \
             machine. {}\nMachines are noisy: believe the ratios, not the rates.\n\n\
             ## Beside the official client\n\nIn turns, on one immudb 1.11.1; of each figure the \
             median. The official client is immudb's own for Go over gRPC.\n\n\
             | figure | value | goal | |\n|---|---:|---:|---|\n",
            command.join(" "),
            self.note
        );
        for (name, value) in &self.compared {
            let known = GOALS.iter().find(|(found, ..)| found == name);
            let (meaning, goal) =
                known.map_or(("a second", &Goal::None), |(_, m, goal)| (*m, goal));
            let goal = goal.against(*value);
            let _ = writeln!(out, "| {name} | {value:.1} | {goal} | {meaning} |");
        }
        out.push_str(
            "\n## As the ledger grows\n\n![charts](performance.svg)\n\n\
             | | transactions of one event | appends/s | in 1,000s | verified reads/s | plain | \
             sync, transactions/s | log and index, bytes a transaction | audit, events/s (of) | \
             thin read: ms | statements | of these headers | bytes |\n\
             |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
        );
        for figures in &self.grown {
            let _ = write!(out, "| {} ", figures["backend"].as_str().unwrap_or("?"));
            for pointer in [
                "/transactions",
                "/appends_alone_per_second",
                "/appends_together_per_second",
                "/reads_alone/verified_per_second",
                "/reads_alone/plain_per_second",
                "/sync_transactions_per_second",
                "/log_bytes_per_transaction",
                "/audit_events_per_second",
                "/thin/milliseconds",
                "/thin/statements",
                "/thin/headers",
                "/thin/bytes",
            ] {
                let value = figures.pointer(pointer).and_then(Value::as_f64);
                let of = match (pointer, figures["audited_events"].as_u64()) {
                    ("/audit_events_per_second", Some(events)) => format!(" ({events})"),
                    _ => String::new(),
                };
                let value = value.map_or_else(|| "–".to_owned(), |value| format!("{value:.0}"));
                let _ = write!(out, "| {value}{of} ");
            }
            out.push_str("|\n");
        }
        out
    }
}
