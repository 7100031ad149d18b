//! `checkpoint prove`.

use counterfoil::EventStore;
use counterfoil::checkpoint::{AddCheckpoint, IssuedTlogProof};
use counterfoil::core::TreeSize;
use serde::Serialize;

use super::Session;
use super::args::ProveArgs;
use super::file::{self, create};
use crate::exit::{Exit, Failure, Result};
use crate::output::Name;

pub(super) async fn run(session: &Session, store: &EventStore, args: &ProveArgs) -> Result<Exit> {
    let signed = file::checkpoint(&args.checkpoint)?;
    let (text, proof, since) = match (args.tx, args.since) {
        (Some(tx), _) => {
            let proof = store.tlog_proof(tx, &signed).await?;
            (proof.text.clone(), Some(proof), None)
        }
        (None, Some(since)) => {
            let old = TreeSize::new(since);
            store.check_checkpoint(&signed.checkpoint()).await?;
            let proof = store.log_consistency(old, signed.checkpoint().size()).await?;
            let request = AddCheckpoint { old, proof, checkpoint: signed.clone() };
            (request.to_string(), None, Some(since))
        }
        (None, None) => return Err(Failure::Usage("--tx or --since is needed".into())),
    };
    let file = args.output.as_deref();
    if file.is_some() || !session.output.is_json() {
        create(file, &text)?;
    }
    let size = signed.checkpoint().size();
    let told = Told {
        file: file.map(Name),
        size: since.map(|_| size),
        since,
        proof: proof.as_ref(),
        text: &text,
    };
    let what = match &proof {
        Some(IssuedTlogProof { tx, alh, .. }) => {
            format!("transaction {tx}, whose hash is {alh}, is in the log of size {size}")
        }
        None => format!("the log of size {size} continues that of size {}", since.unwrap_or(0)),
    };
    match (file, session.output.is_json()) {
        (Some(file), false) => session.output.print(&told, format!("{}: {what}", Name(file)))?,
        (None, false) => session.output.note(what),
        (_, true) => session.output.print(&told, "")?,
    }
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<Name<'a>>,
    /// Of a request: a proof has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<TreeSize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<u64>,
    #[serde(flatten)]
    proof: Option<&'a IssuedTlogProof>,
    text: &'a str,
}
