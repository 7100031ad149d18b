//! `backup`: a ledger and its trust file as they are now.

use counterfoil::{Audit, AuditVerdict, BackedUp, Config, TrustedState, back_up};
use serde::Serialize;

use super::Session;
use super::audit::ReportText;
use crate::args::BackupArgs;
use crate::exit::{Exit, Result};
use crate::output::Name;
use crate::progress::Progress;

pub(super) async fn run(session: &Session, args: &BackupArgs) -> Result<Exit> {
    let copy = back_up(&session.config, &args.folder).await?;
    let mut copied = Config::embedded(&copy.ledger);
    copied.trust.file = Some(copy.trust.clone());
    let progress = Progress::new(session.quiet, "transactions");
    let report = Audit::of(&copied)
        .containing(copy.state)
        .progress(move |pace| progress.show(pace.done, pace.total))
        .run()
        .await?;
    let verdict = report.verdict;
    let BackedUp { state, ledger, trust, .. } = &copy;
    let made = Made { state: *state, ledger: Name(ledger), trust: Name(trust), verdict };
    if verdict == AuditVerdict::Intact {
        let text = format!("{}: intact, state {}", Name(&args.folder), copy.state);
        session.output.judged(verdict.into(), &made, text)
    } else {
        session.output.judged(verdict.into(), &made, ReportText(&report))
    }
}

#[derive(Serialize)]
struct Made<'a> {
    state: TrustedState,
    ledger: Name<'a>,
    trust: Name<'a>,
    /// Of the audit of the copy.
    verdict: AuditVerdict,
}
