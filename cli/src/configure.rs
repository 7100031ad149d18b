//! Flags over the environment over the configuration file.

use std::path::Path;

use counterfoil::{BackendKind, Config, Error, FirstContact, Unavailable};

use crate::args::LedgerArgs;
use crate::exit::{Failure, Result};

/// Read where it lies, like other tools' project files.
pub(crate) const DEFAULT: &str = "counterfoil.toml";

/// Reads a configuration. One that is not there is the caller's mistake, and
/// says nothing of any ledger.
pub(crate) fn load(file: &Path) -> Result<Config> {
    Config::load(file).map_err(|error| match error {
        Error::Unavailable(Unavailable::File { path, cause }) => Failure::Usage(format!(
            "configuration: {}: {cause}; correct --config or COUNTERFOIL_CONFIG",
            path.display()
        )),
        other => other.into(),
    })
}

pub(crate) fn configure(args: &LedgerArgs) -> Result<Config> {
    let mut config = match &args.config {
        Some(file) => load(file)?,
        None if Path::new(DEFAULT).exists() => load(Path::new(DEFAULT))?,
        None => Config::from_env()?,
    };
    if let Some(ledger) = &args.ledger {
        config.storage.backend = BackendKind::Embedded;
        config.storage.embedded.path.clone_from(ledger);
    }
    if args.host.is_some() || args.database.is_some() {
        config.storage.backend = BackendKind::Immudb;
    }
    let immudb = &mut config.storage.immudb;
    if let Some(port) = args.port {
        immudb.port = port;
    }
    for (flag, field) in [
        (&args.host, &mut immudb.host),
        (&args.database, &mut immudb.database),
        (&args.username, &mut immudb.username),
    ] {
        if let Some(value) = flag {
            field.clone_from(value);
        }
    }
    if args.trust.is_some() {
        config.trust.file.clone_from(&args.trust);
    }
    match args.pin[..] {
        [] => {}
        [pin] => config.trust.pin = Some(pin),
        _ => return Err(Failure::Usage("only `verify` takes more than one --pin".into())),
    }
    if args.accept_first_contact {
        config.trust.first_contact = FirstContact::Accept;
    }
    Ok(config)
}
