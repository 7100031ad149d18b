//! `checkpoint make`.

use std::path::Path;
use std::sync::Arc;

use counterfoil::checkpoint::{CheckpointRefusal, LogSigner, SignedCheckpoint};
use counterfoil::core::TreeSize;
use counterfoil::{Error, EventStore, Root, SigningKeyFile};
use serde::Serialize;

use super::Session;
use super::args::MakeArgs;
use super::file::{check_place, write_checkpoint};
use crate::exit::{Exit, Result};
use crate::output::Name;

pub(super) async fn run(session: &Session, store: &EventStore, args: &MakeArgs) -> Result<Exit> {
    let key = SigningKeyFile::load(&args.key)?;
    let last = args.last.clone().unwrap_or_else(|| args.key.with_added_extension("last"));
    let origin = key.name().to_owned();
    // What is signed and written down cannot be taken back for want of a place.
    if let Some(file) = &args.output {
        check_place(file, &origin)?;
    }
    if args.size == Some(0) {
        return Err(Error::from(CheckpointRefusal::Empty).into());
    }
    if args.first {
        LogSigner::begin(&last, &origin)?;
    }
    let signer = LogSigner::new(origin, Arc::new(key), last)?;
    let signed = store.sign_checkpoint(&signer, args.size.map(TreeSize::new)).await?;
    let made = |signed| Made::of(signed, args.output.as_deref(), signer.verifier_key());
    match (&args.output, session.output.is_json()) {
        (None, false) => drop(write_checkpoint(None, &signed, None)?),
        (None, true) => session.output.print(&made(&signed), "")?,
        (Some(file), _) => {
            let written = write_checkpoint(Some(file), &signed, None)?;
            let made = made(&written);
            let Made { origin, size, root, .. } = &made;
            let text = format!("{}: {origin}, size {size}, root {root}", Name(file));
            session.output.print(&made, text)?;
        }
    }
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Made<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<Name<'a>>,
    origin: &'a str,
    size: TreeSize,
    root: Root,
    key: String,
    checkpoint: &'a str,
}

impl<'a> Made<'a> {
    fn of(signed: &'a SignedCheckpoint, file: Option<&'a Path>, key: String) -> Self {
        let checkpoint = signed.checkpoint();
        let (origin, size, root) =
            (checkpoint.origin().as_str(), checkpoint.size(), checkpoint.root());
        Self { file: file.map(Name), origin, size, root, key, checkpoint: signed.as_str() }
    }
}
