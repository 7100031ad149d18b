//! `checkpoint cosign`.

use std::sync::Arc;

use counterfoil::checkpoint::{AddCheckpoint, Cosignature, Cosigner, SignedCheckpoint};
use counterfoil::core::checkpoint::LogKey;
use counterfoil::{Error, SigningKeyFile};
use serde::Serialize;

use super::Session;
use super::args::CosignArgs;
use super::file::{self, check_place, write_checkpoint};
use crate::exit::{Exit, Failure, Result};
use crate::output::{Name, Output};

pub(super) async fn run(
    session: impl Fn() -> Result<Session>,
    args: &CosignArgs,
    output: Output,
) -> Result<Exit> {
    let log = LogKey::parse(&args.log)
        .map_err(|error| Failure::Usage(format!("the key {}: {error}", args.log)))?;
    let key = SigningKeyFile::load(&args.key)?;
    let folder = args.last.clone().unwrap_or_else(|| args.key.with_added_extension("logs"));
    let cosigner = Cosigner::new(key.name().to_owned(), Arc::new(key), folder)?;
    let bytes = file::read(&args.checkpoint)?;
    let request = match bytes.starts_with(b"old ") {
        true => Some(AddCheckpoint::parse(&bytes).map_err(Error::from)?),
        false => None,
    };
    if let Some(file) = &args.output {
        check_place(file, log.name().as_str())?;
    }
    if args.first {
        cosigner.begin(log.name().as_str())?;
    }
    let tell = |from: &SignedCheckpoint, cosigned: &Cosignature| {
        tell(args, &cosigner, from, cosigned, output)
    };
    match request {
        Some(request) => tell(&request.checkpoint, &cosigner.cosign(&log, &request)?),
        None => {
            let signed = SignedCheckpoint::parse(bytes).map_err(|error| {
                Error::from(counterfoil::checkpoint::CheckpointRefusal::Form(error))
            })?;
            let session = session()?;
            let cosign = session.reading(async |store| {
                tell(&signed, &store.cosign_checkpoint(&cosigner, &log, &signed).await?)
            });
            cosign.await
        }
    }
}

fn tell(
    args: &CosignArgs,
    cosigner: &Cosigner,
    from: &SignedCheckpoint,
    cosigned: &Cosignature,
    output: Output,
) -> Result<Exit> {
    let Cosignature { checkpoint, time, line, .. } = cosigned;
    let told = Told {
        file: args.output.as_deref().map(Name),
        key: cosigner.verifier_key(),
        time: *time,
        line: line.trim_end(),
        checkpoint: checkpoint.as_str(),
    };
    match (&args.output, output.is_json()) {
        (None, false) => drop(write_checkpoint(None, checkpoint, None)?),
        (None, true) => output.print(&told, "")?,
        (Some(file), _) => {
            write_checkpoint(Some(file), checkpoint, Some(from))?;
            let size = checkpoint.checkpoint().size();
            output.print(&told, format!("{}: cosigned at size {size}", Name(file)))?;
        }
    }
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<Name<'a>>,
    key: String,
    time: u64,
    line: &'a str,
    checkpoint: &'a str,
}
