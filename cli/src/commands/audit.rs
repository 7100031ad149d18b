//! `audit`: the whole ledger again.

use std::fmt;

use counterfoil::{Audit, AuditReport, AuditedAuthors, Inconsistency, InconsistencyKind as Kind};

use super::Session;
use crate::args::AuditArgs;
use crate::exit::{Exit, Result};
use crate::output::{Counted, Plain, bold, red};
use crate::progress::Progress;

pub(super) async fn run(session: &Session, args: AuditArgs) -> Result<Exit> {
    let mut audit = Audit::of(&session.config);
    for state in args.containing {
        audit = audit.containing(state);
    }
    if let Some(file) = args.resume {
        audit = audit.resume(file);
    }
    let progress = Progress::new(session.quiet, "transactions");
    let report = audit.progress(move |pace| progress.show(pace.done, pace.total)).run().await?;
    session.output.judged(report.verdict.into(), &report, ReportText(&report))
}

pub(super) struct ReportText<'a>(pub(super) &'a AuditReport);

impl fmt::Display for ReportText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AuditReport { inconsistencies, findings, counts, .. } = self.0;
        for inconsistency in inconsistencies {
            writeln!(f, "{} {}", red("wrong"), Plain(inconsistency))?;
        }
        let own = |one: &Inconsistency| matches!(one.kind, Kind::OwnLog | Kind::OwnIndex);
        let all_listed = inconsistencies.len() as u64 == self.0.inconsistencies_total;
        if !inconsistencies.is_empty() && all_listed && inconsistencies.iter().all(own) {
            writeln!(
                f,
                "{} nothing is wrong with the ledger itself: put this client's own log away, but not \
                 the file beside it that ends in .pin, and the next command makes it anew",
                bold("note")
            )?;
        }
        for finding in findings {
            writeln!(f, "{} {}", bold("finding"), Plain(finding))?;
        }
        writeln!(
            f,
            "{}: {} accounted for whole, {} not, {} of them opaque; {} in {}",
            Counted(counts.transactions, "transaction"),
            counts.accounted,
            counts.unaccounted,
            counts.opaque,
            Counted(counts.events, "event"),
            Counted(counts.streams, "stream")
        )?;
        if let Some(authors) = &self.0.authors {
            let AuditedAuthors {
                signed_by_author,
                author_not_allowed,
                unknown_author,
                unsigned,
                author_signature_broken,
                ..
            } = authors;
            writeln!(
                f,
                "events by author: {signed_by_author} signed_by_author, {author_not_allowed} \
                 author_not_allowed, {unknown_author} unknown_author, {unsigned} unsigned, \
                 {author_signature_broken} author_signature_broken"
            )?;
        }
        if let Some(through) = &self.0.through {
            writeln!(f, "derived through {through}")?;
        }
        write!(f, "{} {}", bold("verdict"), self.0.verdict.as_str())
    }
}
