//! `policy`: what somebody who verifies receipts trusts.

use std::fmt;
use std::path::Path;

use counterfoil::{EventStore, TrustPolicy};
use serde::Serialize;

use super::Session;
use crate::exit::{Exit, Result};
use crate::new_file;
use crate::output::{Name, Output, Plain};

pub(super) async fn init(
    session: &Session,
    store: &EventStore,
    file: Option<&Path>,
) -> Result<Exit> {
    let policy = store.trust_policy().await?;
    let Some(file) = file.filter(|file| *file != Path::new("-")) else {
        print(&policy, session.output)?;
        return Ok(Exit::Done);
    };
    let text = if session.output.is_json() { policy.to_json() } else { policy.to_toml() };
    let text = format!("{}\n", text.trim_end());
    new_file::create(file, text.as_bytes())?;
    let summary = Summary::of(file, &policy);
    session.output.print(&summary, &summary)?;
    Ok(Exit::Done)
}

pub(super) fn show(file: &Path, output: Output) -> Result<Exit> {
    let policy = TrustPolicy::load(file)?;
    if let Some(moved) = policy.moved() {
        output.note(format_args!(
            "the pin moved from {} to {}: {}",
            moved.from.tx,
            moved.pin.tx,
            Plain(&moved.by)
        ));
    }
    print(&policy, output)?;
    Ok(Exit::Done)
}

/// In JSON on one line, as everything that is printed; only a file is laid out for people.
fn print(policy: &TrustPolicy, output: Output) -> Result<()> {
    if !output.is_json() {
        return output.raw(&policy.to_toml());
    }
    let json: serde_json::Value =
        serde_json::from_str(&policy.to_json()).map_err(std::io::Error::from)?;
    output.raw(&json.to_string())
}

pub(super) fn check(file: &Path, output: Output) -> Result<Exit> {
    let summary = Summary::of(file, &TrustPolicy::load(file)?);
    output.print(&summary, &summary)?;
    Ok(Exit::Done)
}

/// What a policy amounts to.
#[derive(Serialize)]
struct Summary<'a> {
    file: Name<'a>,
    #[serde(flatten)]
    summary: counterfoil::PolicySummary,
}

impl<'a> Summary<'a> {
    fn of(file: &'a Path, policy: &TrustPolicy) -> Self {
        Self { file: Name(file), summary: policy.summary() }
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, Plain(&self.summary))
    }
}
