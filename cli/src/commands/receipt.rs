//! `receipt`: an event to hand on.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use counterfoil::{EventStore, IssuedReceipt};
use serde::Serialize;

use super::Session;
use crate::args::ReceiptArgs;
use crate::exit::{Exit, Failure, Result};

pub(super) async fn run(session: &Session, store: &EventStore, args: &ReceiptArgs) -> Result<Exit> {
    let cover = args.stream.cover();
    let issued = store.issue_receipt(&cover, args.sequence, args.since).await?;
    let file = args.output.as_path();
    // Never over a file that is there: it could be the ledger.
    let written = File::create_new(file).and_then(|mut file| {
        file.write_all(&issued.bytes)?;
        file.sync_all()
    });
    written.map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
    let made = Made { file, size: issued.bytes.len(), issued: &issued };
    let text = format!("{}: {} bytes, under state {}", file.display(), made.size, issued.state);
    session.output.print(&made, text)?;
    if !issued.shows_table {
        session.output.note(format_args!(
            "it does not show its table: who verifies it gives --table {}",
            issued.table_id
        ));
    }
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Made<'a> {
    file: &'a Path,
    size: usize,
    #[serde(flatten)]
    issued: &'a IssuedReceipt,
}
