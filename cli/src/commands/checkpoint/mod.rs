//! `checkpoint`: the ledger as a transparency log.

mod args;
mod cosign;
mod file;
mod keygen;
mod make;
mod prove;
mod verify;
mod witness;

pub(crate) use self::args::CheckpointArgs;
use self::args::CheckpointCommand;
pub(super) use self::file::checkpoint;
use super::Session;
use crate::args::OutputArgs;
use crate::exit::{Exit, Result};
use crate::output::Output;

pub(super) async fn run(
    session: impl Fn() -> Result<Session>,
    args: CheckpointArgs,
    output: &OutputArgs,
) -> Result<Exit> {
    let output = Output::new(output.json);
    match args.command {
        CheckpointCommand::Keygen(args) => keygen::run(session, &args, output).await,
        CheckpointCommand::Make(args) => {
            let session = session()?;
            session.reading(async |store| make::run(&session, store, &args).await).await
        }
        CheckpointCommand::Verify(args) => verify::run(session, &args, output).await,
        CheckpointCommand::Cosign(args) => cosign::run(session, &args, output).await,
        CheckpointCommand::Witness(args) => {
            let session = session()?;
            session.reading(async |store| witness::run(&session, store, &args).await).await
        }
        CheckpointCommand::Prove(args) => {
            let session = session()?;
            session.reading(async |store| prove::run(&session, store, &args).await).await
        }
    }
}
