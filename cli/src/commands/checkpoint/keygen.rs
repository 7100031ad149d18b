//! `checkpoint keygen`.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use counterfoil::checkpoint::{Cosigner, LogSigner, default_origin};
use counterfoil::core::Ed25519Key;
use counterfoil::{Ed25519Signer as _, SigningKeyFile};
use serde::Serialize;

use super::Session;
use super::args::KeygenArgs;
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
            let public_key = hex(&key.public_key());
            let witness = Cosigner::new(name, key, file.with_added_extension("logs"))?;
            Made {
                file: Name(file),
                kind: "witness",
                name,
                key: witness.verifier_key(),
                public_key,
            }
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
    let public_key = hex(&key.public_key());
    let key = LogSigner::new(origin, key, file.with_added_extension("last"))?.verifier_key();
    Ok(Made { file: Name(file), kind: "log", name: origin, key, public_key })
}

fn hex(key: &Ed25519Key) -> String {
    key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Serialize)]
struct Made<'a> {
    file: Name<'a>,
    kind: &'static str,
    name: &'a str,
    /// For a log or a witness: the verifier key.
    key: String,
    /// For an author of events, as `[[trust.author]]` and policies name him: 64 hex digits.
    public_key: String,
}

impl fmt::Display for Made<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}, its secret key in {}", self.kind, bold(Plain(self.name)), self.file)?;
        writeln!(f, "as an author's key: {}", self.public_key)?;
        write!(f, "{}", self.key)
    }
}
