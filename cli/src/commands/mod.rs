//! The commands, one file each.

mod append;
mod audit;
mod backup;
pub(crate) mod checkpoint;
mod follow;
mod init;
mod inspect;
mod policy;
mod read;
mod receipt;
mod state;
mod verify;

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap_complete::Shell;
use counterfoil::{BackendKind, Config, Error, EventStore, StoreOptions, Unavailable};

use crate::args::{self, Cli, PolicyCommand, Task};
use crate::configure::{DEFAULT, configure};
use crate::exit::{Exit, Failure, Result};
use crate::output::Output;
use crate::progress::Progress;
use crate::typed::{self, Quoted};

/// What every command is given.
struct Session {
    config: Config,
    /// Where it was read, if it was named.
    config_file: Option<PathBuf>,
    output: Output,
    quiet: bool,
    /// The program with the options that were given for all commands, to be typed again.
    program: String,
}

pub(crate) async fn run(cli: Cli) -> Result<Exit> {
    let Cli { ledger, output, command } = cli;
    let session = || -> Result<Session> {
        Ok(Session {
            config: configure(&ledger)?,
            config_file: ledger.config.clone(),
            output: Output::new(output.json),
            quiet: output.quiet || output.json,
            program: typed::program(&ledger, &output),
        })
    };
    match command {
        Task::Init => init::run(&session()?).await,
        Task::Append(args) => append::run(&session()?, args).await,
        Task::Read(args) => {
            let session = session()?;
            session.reading(async |store| read::stream(&session, store, &args).await).await
        }
        Task::Log(args) => {
            let session = session()?;
            session.reading(async |store| read::log(&session, store, &args).await).await
        }
        Task::Streams(args) => {
            let session = session()?;
            session.reading(async |store| read::streams(&session, store, &args).await).await
        }
        Task::State(args) => {
            state::check(&args)?;
            let session = session()?;
            session.reading(async |store| state::run(&session, store, &args).await).await
        }
        Task::Follow(args) => {
            let session = session()?;
            session.reading(async |store| follow::run(&session, store, &args).await).await
        }
        Task::Audit(args) => audit::run(&session()?, args).await,
        Task::Receipt(args) => {
            let session = session()?;
            session.reading(async |store| receipt::run(&session, store, &args).await).await
        }
        // These ask no ledger, and need no configuration.
        Task::Verify(args) => verify::run(&args, &ledger, Output::new(output.json)),
        Task::Inspect(args) => inspect::run(&args, Output::new(output.json)),
        Task::Policy(PolicyCommand::Init { output }) => {
            let session = session()?;
            session
                .reading(async |store| policy::init(&session, store, output.as_deref()).await)
                .await
        }
        Task::Policy(PolicyCommand::Show { file }) => policy::show(&file, Output::new(output.json)),
        Task::Policy(PolicyCommand::Check { file }) => {
            policy::check(&file, Output::new(output.json))
        }
        Task::Checkpoint(args) => checkpoint::run(session, args, &output).await,
        Task::Backup(args) => backup::run(&session()?, &args).await,
        #[cfg(feature = "immudb")]
        Task::Publish => init::publish(&session()?).await,
        Task::Man { folder } => man(&folder),
        Task::Completions { shell } => completions(shell),
    }
}

fn completions(shell: Shell) -> Result<Exit> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "counterfoil", &mut out);
    std::io::stdout().write_all(&out)?;
    Ok(Exit::Done)
}

fn man(folder: &Path) -> Result<Exit> {
    let failed = |error| Failure::Usage(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(args::command(), folder).map_err(failed)?;
    Ok(Exit::Done)
}

impl Session {
    fn options(&self) -> StoreOptions {
        let progress = Progress::new(self.quiet, "transactions");
        StoreOptions::new().progress(move |done, total| progress.show(done, total))
    }

    /// Works on the ledger, reading only; nothing is created.
    async fn reading(&self, work: impl AsyncFnOnce(&EventStore) -> Result<Exit>) -> Result<Exit> {
        let store = self.options().open_read_only(&self.config).await?;
        let result = work(&store).await;
        close(store, result).await
    }

    /// Works on a ledger that is there: a mistyped name must not make one.
    async fn writing(&self, work: impl AsyncFnOnce(&EventStore) -> Result<Exit>) -> Result<Exit> {
        let there = match self.config.storage.backend {
            BackendKind::Embedded => self.config.storage.embedded.path.exists(),
            BackendKind::Immudb => false,
        };
        if !there {
            // It says what is missing, and whether it was known.
            self.reading(async |_| Ok(Exit::Done)).await?;
        }
        self.creating(work).await
    }

    /// Works on a ledger that is made where there is none.
    async fn creating(&self, work: impl AsyncFnOnce(&EventStore) -> Result<Exit>) -> Result<Exit> {
        let opened = self.options().open(&self.config).await;
        let store = opened.map_err(|error| self.without_its_key(error))?;
        let result = work(&store).await;
        close(store, result).await
    }

    /// A signing key that is not there is the configuration's mistake, and says nothing of any ledger.
    fn without_its_key(&self, error: Error) -> Failure {
        let Error::Unavailable(Unavailable::File { path, cause }) = &error else {
            return error.into();
        };
        if self.config.signing.key.as_ref() != Some(path) || cause.kind() != ErrorKind::NotFound {
            return error.into();
        }
        let file = self.config_file.as_deref().unwrap_or(Path::new(DEFAULT));
        Failure::Usage(format!(
            "configuration: {}: signing.key: {}: no such file; correct it, or make the key with \
             `counterfoil checkpoint keygen {} --origin NAME`",
            file.display(),
            path.display(),
            Quoted(path)
        ))
    }
}

/// Closes the files however the work ended; its own failure comes first.
async fn close(store: EventStore, result: Result<Exit>) -> Result<Exit> {
    let closed = store.close().await;
    let exit = result?;
    closed?;
    Ok(exit)
}
