//! `checkpoint keygen`.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use counterfoil::SigningKeyFile;
use counterfoil::checkpoint::{Cosigner, LogSigner, default_origin};
use serde::Serialize;

use super::Session;
use super::args::KeygenArgs;
use super::file::with_suffix;
use crate::exit::{Exit, Result};
use crate::output::{Name, Output, Plain, bold};

pub(super) async fn run(
    session: impl Fn() -> Result<Session>,
    args: &KeygenArgs,
    output: Output,
) -> Result<Exit> {
    let file = args.key.as_path();
    let made = match (&args.witness, &args.origin) {
        (Some(name), _) => {
            let key = Arc::new(SigningKeyFile::generate(file, name)?);
            let witness = Cosigner::new(name, key, with_suffix(file, ".logs"))?;
            Made { file: Name(file), kind: "witness", name, key: witness.verifier_key() }
        }
        (None, Some(origin)) => of_log(file, origin)?,
        (None, None) => {
            let session = session()?;
            let exit = session.reading(async |store| {
                let origin = default_origin(store.ledger_id().await?);
                let made = of_log(file, &origin)?;
                output.print(&made, &made)?;
                Ok(Exit::Done)
            });
            return exit.await;
        }
    };
    output.print(&made, &made)?;
    Ok(Exit::Done)
}

/// What was signed last is not begun here: another key may have signed for this log before.
fn of_log<'a>(file: &'a Path, origin: &'a str) -> Result<Made<'a>> {
    let key = Arc::new(SigningKeyFile::generate(file, origin)?);
    let key = LogSigner::new(origin, key, with_suffix(file, ".last"))?.verifier_key();
    Ok(Made { file: Name(file), kind: "log", name: origin, key })
}

#[derive(Serialize)]
struct Made<'a> {
    file: Name<'a>,
    kind: &'static str,
    name: &'a str,
    key: String,
}

impl fmt::Display for Made<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}, its secret key in {}", self.kind, bold(Plain(self.name)), self.file)?;
        write!(f, "{}", self.key)
    }
}
