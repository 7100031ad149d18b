//! `receipt`: events to hand on.

use std::fmt;
use std::fs::File;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use counterfoil::{
    Cover, EventStore, IssuedReceipt, ReceiptOptions, ServerSignedState, load_state_key,
};
use serde::Serialize;

use super::Session;
use super::checkpoint;
use super::verify::read;
use crate::args::ReceiptArgs;
use crate::exit::{Exit, Failure, Result};
use crate::new_file;
use crate::output::{Name, Plain};

/// The most events of one receipt that are asked for: more do not fit.
const MOST: u64 = 100_000;

pub(super) async fn run(session: &Session, store: &EventStore, args: &ReceiptArgs) -> Result<Exit> {
    let file = args.output.as_path();
    let signed = server_state(args)?;
    let checkpoint = args.checkpoint.as_deref().map(checkpoint::checkpoint).transpose()?;
    if file == Path::new(STDOUT) {
        may_go_to_stdout(session)?;
    } else {
        not_one_of_ours(session, store, args, file).await?;
        // Before any work; the writing looks again.
        may_be_written(file, args.force)?;
    }
    let wanted = wanted(store, args).await?;
    let mut options = ReceiptOptions::new();
    for (state, with) in [
        (args.under, ReceiptOptions::under as fn(_, _) -> _),
        (args.since, ReceiptOptions::linked_from),
        (args.link_to, ReceiptOptions::linked_to),
    ] {
        if let Some(state) = state {
            options = with(options, state);
        }
    }
    if let Some(signed) = &signed {
        options = options.with_state_signature(signed);
    }
    if let Some(checkpoint) = &checkpoint {
        options = options.with_checkpoint(checkpoint);
    }
    let issued = store.issue_batch(&wanted, options).await?;
    save(file, &issued.bytes, args.force)?;
    tell(session, &Made { file: Name(file), size: issued.bytes.len(), issued: &issued })?;
    if let Some(signed) = &signed {
        session.output.note(format_args!(
            "signed under key {}: who verifies it has that key for the database {}",
            signed.key(),
            Plain(signed.database())
        ));
    }
    if !issued.shows_table {
        session.output.note(format_args!(
            "it does not show its table: who verifies it gives --table {}",
            issued.table_id
        ));
    }
    Ok(Exit::Done)
}

/// The state that the server signed, if one is given.
fn server_state(args: &ReceiptArgs) -> Result<Option<ServerSignedState>> {
    let (Some(file), Some(key)) = (&args.state_signature, &args.state_key) else {
        return Ok(None);
    };
    let key = load_state_key(key)?;
    ServerSignedState::from_json(&read(file)?, &key)
        .map(Some)
        .map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))
}

/// What a receipt is called that is written to standard output, for whoever reads it there.
const STDOUT: &str = "-";

fn called(file: &Path) -> Name<'_> {
    Name(if file == Path::new(STDOUT) { Path::new("standard output") } else { file })
}

fn may_go_to_stdout(session: &Session) -> Result<()> {
    let why = if session.output.is_json() {
        "-o - and --json both want standard output: name a file"
    } else if std::io::stdout().is_terminal() {
        "a receipt is no text for a terminal: name a file, or send it on with a pipe"
    } else {
        return Ok(());
    };
    Err(Failure::Usage(why.into()))
}

fn may_be_written(file: &Path, force: bool) -> Result<()> {
    let why = match (file.try_exists(), force) {
        (Ok(true), true) if is_receipt(file) => return Ok(()),
        (Ok(true), true) => "it is no receipt: left as it is",
        (Ok(true), false) => "it is there already; --force writes over a receipt",
        _ => return Ok(()),
    };
    Err(Failure::Usage(format!("{}: {why}", file.display())))
}

/// What was made. Where the receipt itself is on standard output, beside it.
fn tell(session: &Session, made: &Made<'_>) -> Result<()> {
    if made.file.0 == Path::new(STDOUT) {
        session.output.note(made);
        return Ok(());
    }
    session.output.print(made, made)
}

/// The events that are asked for.
async fn wanted(store: &EventStore, args: &ReceiptArgs) -> Result<Vec<(Cover, u64)>> {
    let cover = args.stream.cover();
    let ranges = match args.all {
        false => args.sequences.clone(),
        true => match store.next_sequence(&cover).await?.checked_sub(1) {
            Some(last) => vec![0..=last],
            None => return Err(Failure::Usage(format!("{cover} has no events"))),
        },
    };
    let count = ranges.iter().fold(0_u64, |count, range| {
        count.saturating_add(range.end() - range.start()).saturating_add(1)
    });
    if count > MOST {
        return Err(Failure::Usage(format!("one receipt cannot hold {count} events")));
    }
    Ok(ranges.into_iter().flatten().map(|sequence| (cover.clone(), sequence)).collect())
}

/// `--force` is for an older receipt, not for a key, a policy or whatever else a name leads to.
fn is_receipt(file: &Path) -> bool {
    // What is no file is not opened: it might wait for somebody.
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return false;
    }
    let mut magic = [0; 3];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == *b"CfR"
}

/// What lies beside a ledger or its trust file, by what comes behind their names.
const BESIDE: [&str; 6] = ["", "-wal", "-shm", "-journal", ".lock", ".pin"];

/// No receipt takes the place of what it is made of, nor one that is still to come.
async fn not_one_of_ours(
    session: &Session,
    store: &EventStore,
    args: &ReceiptArgs,
    output: &Path,
) -> Result<()> {
    let files = store.files().await;
    let ours = [files.ledger, files.log].into_iter().flatten();
    let beside = |file: PathBuf| {
        BESIDE.map(|behind| {
            let mut name = file.clone().into_os_string();
            name.push(behind);
            PathBuf::from(name)
        })
    };
    let mut ours: Vec<PathBuf> = ours.flat_map(beside).collect();
    ours.extend(session.config_file.clone());
    ours.extend(session.config.signing.key.clone());
    let given = [&args.checkpoint, &args.state_signature, &args.state_key];
    ours.extend(given.into_iter().flatten().cloned());
    let place = place(output);
    match ours.iter().find(|ours| place.is_some() && self::place(ours) == place) {
        None => Ok(()),
        Some(ours) => Err(Failure::Usage(format!(
            "{}: the receipt is made of it; name another file",
            ours.display()
        ))),
    }
}

/// Where a file lies or would lie, by whatever name.
fn place(file: &Path) -> Option<PathBuf> {
    if let Ok(found) = file.canonicalize() {
        return Some(found);
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    Some(folder.unwrap_or(Path::new(".")).canonicalize().ok()?.join(file.file_name()?))
}

/// Writes a file, all of it or nothing, and over another one only if told to.
fn save(file: &Path, bytes: &[u8], force: bool) -> Result<()> {
    if file == Path::new(STDOUT) {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes)?;
        return Ok(out.flush()?);
    }
    match force {
        true => new_file::replace(file, bytes),
        false => new_file::create(file, bytes),
    }
}

#[derive(Serialize)]
struct Made<'a> {
    file: Name<'a>,
    size: usize,
    #[serde(flatten)]
    issued: &'a IssuedReceipt,
}

impl fmt::Display for Made<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, size, issued } = self;
        let IssuedReceipt { state, places, size_of_singles, .. } = issued;
        match (places.len(), called(file.0)) {
            (1, file) => write!(f, "{file}: {size} bytes, under state {state}"),
            (count, file) => {
                let share = 100 * *size as u64 / size_of_singles.max(&1);
                write!(
                    f,
                    "{file}: {count} events in {size} bytes ({share} % of the {size_of_singles} that \
                     a receipt of each takes), under state {state}"
                )
            }
        }
    }
}
