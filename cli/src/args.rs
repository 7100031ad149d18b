//! The arguments.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{
    Args, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum,
};
use counterfoil::{Alh, Bookmark, Bytes, Cover, ExpectedVersion, LedgerPosition, TrustedState};

use crate::commands::checkpoint::CheckpointArgs;
use crate::exit::EXIT_CODES;

/// Write, read, follow and audit a ledger that nobody can change unnoticed.
#[derive(Parser)]
#[command(
    name = "counterfoil", version, propagate_version = true,
    after_help = format!("{WHICH_LEDGER}\n\n{EXIT_CODES}")
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(subcommand)]
    pub(crate) command: Task,
}

const WHICH_LEDGER: &str = "\
Which ledger: options go over the environment (STORAGE_BACKEND, IMMUDB_HOST, IMMUDB_PORT,
IMMUDB_DATABASE, IMMUDB_USERNAME, IMMUDB_PASSWORD), that over the configuration, and that over
the defaults. --ledger says that it is embedded, --host or --database that it is in an immudb;
where nothing says which, it is embedded.";

/// What the user asks for.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    let found = command().try_get_matches()?;
    let mut cli = Cli::from_arg_matches(&found)?;
    cli.ledger.config_by_flag = found.value_source("config") == Some(ValueSource::CommandLine);
    Ok(cli)
}

/// All commands and their options.
pub(crate) fn command() -> Command {
    let mut command = Cli::command();
    // From here on each command has the options that all have.
    command.build();
    let of_ledger = LedgerArgs::augment_args(Command::new(""));
    let of_ledger: Vec<&str> = of_ledger.get_arguments().map(|arg| arg.get_id().as_str()).collect();
    // What asks no ledger does not offer them. They are taken all the same: a shell's alias may
    // bring them.
    let without = |command: Command, but: &[&str]| {
        command.mut_args(|arg| {
            let id = arg.get_id().as_str();
            let hides = of_ledger.contains(&id) && !but.contains(&id);
            if hides { arg.hide(true) } else { arg }
        })
    };
    command = command.mut_subcommand("verify", |verify| {
        // There these two say what is trusted.
        without(verify, &["config", "pin"]).mut_args(|arg| match arg.get_id().as_str() {
            "config" => arg
                .help("What you trust, without --policy: [trust] of a configuration in TOML")
                .help_heading(None),
            "pin" => arg
                .help("A state of the ledger that you trust, without --policy; may be repeated")
                .help_heading(None),
            _ => arg,
        })
    });
    for name in ["inspect", "man", "completions"] {
        command = command.mut_subcommand(name, |one| without(one, &[]));
    }
    command.mut_subcommand("policy", |policy| {
        ["show", "check"]
            .into_iter()
            .fold(policy, |policy, name| policy.mut_subcommand(name, |one| without(one, &[])))
    })
}

/// Which ledger. These go over the environment (STORAGE_BACKEND, IMMUDB_HOST, …),
/// and that over the configuration file.
#[derive(Args)]
#[command(next_help_heading = "Ledger")]
pub(crate) struct LedgerArgs {
    /// Configuration in TOML [default: counterfoil.toml in the working directory, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "COUNTERFOIL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Whether it was named on the command line, and not by the environment.
    #[arg(skip)]
    pub(crate) config_by_flag: bool,
    /// The file of an embedded ledger [default: counterfoil.ledger]
    #[arg(long, global = true, value_name = "FILE", conflicts_with_all = ["host", "database"])]
    pub(crate) ledger: Option<PathBuf>,
    /// The file of an embedded ledger's log and pinned state; whoever can write the ledger should not
    /// be able to write this [default: one in the platform's data folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// The host of an immudb [default: localhost]
    #[arg(long, global = true)]
    pub(crate) host: Option<String>,
    /// The port of immudb's PostgreSQL wire [default: 5432]
    #[arg(long, global = true)]
    pub(crate) port: Option<u16>,
    /// The database in immudb [default: angzarr]
    #[arg(long, global = true)]
    pub(crate) database: Option<String>,
    /// The user of immudb; the password comes from IMMUDB_PASSWORD or the configuration
    /// [default: immudb]
    #[arg(long, global = true)]
    pub(crate) username: Option<String>,
    /// A state that the ledger must contain; with it a ledger that is not known here is believed
    #[arg(long, global = true, value_name = "TX:ALH")]
    pub(crate) pin: Vec<TrustedState>,
    /// Believe an unknown ledger this once, and hold it to what it shows from then on
    #[arg(long, global = true)]
    pub(crate) accept_first_contact: bool,
}

#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Print JSON, one object a line, in the library's schema; errors and notes too, on stderr
    /// (docs/command-line.md)
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show no progress
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Tell what is done, on stderr; -vv and -vvv for more
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Create a ledger, or open one for writing, and print its id and state
    #[command(after_help = "Examples:
  counterfoil --ledger shipments.ledger init
  counterfoil --host db.example --database shipments init")]
    Init,
    /// Append an event, or those of a file in its order
    Append(AppendArgs),
    /// Read a stream, each event verified
    Read(ReadArgs),
    /// Read all events in the ledger's order, each verified
    Log(LogArgs),
    /// List the streams
    Streams(StreamsArgs),
    /// Show the pinned state, and compare or hand it on
    State(StateArgs),
    /// Show events as they come, each verified
    Follow(FollowArgs),
    /// Derive the whole ledger again and tell everything that does not hold
    Audit(AuditArgs),
    /// Make a receipt of one or more events: a file that anybody can verify, without the ledger
    Receipt(ReceiptArgs),
    /// Verify receipts: no ledger is opened and nobody is asked
    Verify(VerifyArgs),
    /// Look into a receipt: everything on the way from its events to its state
    Inspect(InspectArgs),
    /// Make and check policies: what somebody who verifies receipts trusts
    #[command(
        subcommand,
        after_help = "A first run:
  counterfoil policy init -o goods.policy
  counterfoil policy check goods.policy
  counterfoil verify departed.receipt --policy goods.policy

What a policy says, and what each line of it is worth: docs/policy.md"
    )]
    Policy(PolicyCommand),
    /// Make checkpoints of the ledger as a transparency log, and have them witnessed
    Checkpoint(CheckpointArgs),
    /// Copy an embedded ledger and its trust file, as a pair of one moment, and audit the copy
    Backup(BackupArgs),
    /// Publish the tree's tiles for thin readers (immudb)
    #[cfg(feature = "immudb")]
    #[command(after_help = "Example:
  counterfoil --host db.example --database shipments publish")]
    Publish,
    /// Write the manual's pages into a folder
    #[command(after_help = "Example:
  counterfoil man ~/.local/share/man/man1")]
    Man {
        /// The folder, which is made if it is not there
        folder: PathBuf,
    },
    /// Print a shell's completions
    #[command(after_help = "Example:
  counterfoil completions bash > ~/.local/share/bash-completion/completions/counterfoil")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Task {
    /// Whether it does nothing but show something, as much as somebody reads.
    pub(crate) fn only_shows(&self) -> bool {
        matches!(
            self,
            Self::Read(_)
                | Self::Log(_)
                | Self::Streams(_)
                | Self::Follow(_)
                | Self::Completions { .. }
        )
    }
}

/// A stream.
#[derive(Args)]
pub(crate) struct StreamArgs {
    /// The domain
    #[arg(value_parser = domain)]
    pub(crate) domain: String,
    /// The root within the domain: text, or hex:… for any bytes
    #[arg(value_parser = root)]
    pub(crate) root: Bytes,
    /// The stream's edition: a timeline beside the main one [default: the main one]
    #[arg(long)]
    pub(crate) edition: Option<String>,
}

impl StreamArgs {
    pub(crate) fn cover(&self) -> Cover {
        let cover = Cover::new(self.domain.as_str(), self.root.clone());
        match &self.edition {
            Some(edition) => cover.in_edition(edition.as_str()),
            None => cover,
        }
    }
}

#[derive(Args)]
#[command(after_help = "Examples:
  counterfoil append shipment SSCC-1 Departed '{\"from\": \"Basel\"}'
  counterfoil append shipment SSCC-1 Scanned @scan.jpg --external-id scan-17
  counterfoil append --lines events.jsonl
  counterfoil append --epcis delivery.jsonld

--lines: a line holds an event as `read --json` prints it under \"event\":
  {\"cover\": {\"domain\": \"shipment\", \"root\": \"SSCC-1\"}, \"event_type\": \"Departed\",
   \"payload\": {\"inline\": \"…\"}, \"external_id\": \"…\"}
Give each an external_id: then the file can be sent again after an interruption, and what is
there already is not written twice. Behind a line that fails none is appended.

--epcis: an EPCIS 2.0 document of at most 64 MiB, or one document or event a line, as many as
there are. Each event of its eventList becomes an event, in the document's order, its bytes
as they stand there:
  type         the event's `type`
  root         the first that it names of parentID, epcList, quantityList, outputEPCList,
               outputQuantityList, inputEPCList, inputQuantityList, childEPCs,
               childQuantityList, readPoint, eventID; sha256:… of one longer than 128 bytes
  external id  its eventID, with #declarationTime if it declares an error; else sha256:… of
               its bytes. Sent again, nothing is written twice
  metadata     document: the document's id; context: its @context, as it stands there; of the
               document in which the event came first")]
pub(crate) struct AppendArgs {
    /// The domain
    #[arg(required_unless_present_any = ["lines", "epcis"], value_parser = domain)]
    pub(crate) domain: Option<String>,
    /// The root within the domain: text, or hex:… for any bytes
    #[arg(required_unless_present_any = ["lines", "epcis"], value_parser = root)]
    pub(crate) root: Option<Bytes>,
    /// The event's type
    #[arg(required_unless_present_any = ["lines", "epcis"], value_parser = event_type)]
    pub(crate) event_type: Option<String>,
    /// Its content: text, hex:… for any bytes, @FILE, or @- for standard input
    #[arg(required_unless_present_any = ["lines", "epcis"])]
    pub(crate) payload: Option<String>,
    /// The stream's edition: a timeline beside the main one [default: the main one]
    #[arg(long, conflicts_with = "lines")]
    pub(crate) edition: Option<String>,
    /// Something beside the content, by name; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = metadata, conflicts_with_all = ["lines", "epcis"])]
    pub(crate) metadata: Vec<(String, Bytes)>,
    /// Makes the append idempotent: repeated, it gives the first result back
    #[arg(long, value_name = "ID", conflicts_with_all = ["lines", "epcis"])]
    pub(crate) external_id: Option<String>,
    /// Ties together everything that one request set off
    #[arg(long, value_name = "ID", conflicts_with_all = ["lines", "epcis"])]
    pub(crate) correlation_id: Option<String>,
    /// What directly caused the event
    #[arg(long, value_name = "ID", conflicts_with_all = ["lines", "epcis"])]
    pub(crate) causation_id: Option<String>,
    /// Where the stream must be: any, none (it is new), exists, or its last event's sequence
    /// [default: any]
    #[arg(long, value_name = "VERSION", value_parser = expected, conflicts_with_all = ["lines", "epcis"])]
    pub(crate) expect: Option<ExpectedVersion>,
    /// Appends the events of a file of JSON Lines, - for standard input, in its order
    #[arg(long, value_name = "FILE", conflicts_with_all = ["domain", "epcis"])]
    pub(crate) lines: Option<PathBuf>,
    /// Appends the events of an EPCIS document, - for standard input, in its order
    #[arg(long, value_name = "FILE", conflicts_with = "domain")]
    pub(crate) epcis: Option<PathBuf>,
    /// The domain in which the streams of --epcis are [default: epcis]
    #[arg(long, value_name = "DOMAIN", requires = "epcis", conflicts_with_all = ["domain", "lines"])]
    pub(crate) in_domain: Option<String>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  counterfoil read shipment SSCC-1
  counterfoil read shipment SSCC-1 --backward --limit 1
  counterfoil read shipment SSCC-1 --until 2026-01-31T12:00:00Z --json")]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    pub(crate) stream: StreamArgs,
    /// The first event to show, by its sequence [default: the stream's first, or its last with
    /// --backward]
    #[arg(long, value_name = "SEQUENCE")]
    pub(crate) from: Option<u64>,
    /// Shows at most so many [default: all]
    #[arg(long, value_name = "COUNT")]
    pub(crate) limit: Option<u64>,
    /// Backward, from the last event to the first
    #[arg(long)]
    pub(crate) backward: bool,
    /// As it was before the ledger's clock passed this time (RFC 3339)
    #[arg(long, value_name = "TIME", conflicts_with_all = ["from", "limit", "backward"])]
    pub(crate) until: Option<jiff::Timestamp>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  counterfoil log --limit 20
  counterfoil log --after 17/3 --json
  counterfoil log --correlation-id order-4711")]
pub(crate) struct LogArgs {
    /// Only what comes after this transaction, this entry of it, or a bookmark [default: all]
    #[arg(long, value_name = "TX[/ENTRY]", value_parser = bookmark)]
    pub(crate) after: Option<Bookmark>,
    /// Shows at most so many [default: all]
    #[arg(long, value_name = "COUNT")]
    pub(crate) limit: Option<u64>,
    /// Only events that carry this correlation id
    #[arg(long, value_name = "ID", conflicts_with_all = ["after", "limit"])]
    pub(crate) correlation_id: Option<String>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  counterfoil streams
  counterfoil streams --domain shipment --json")]
pub(crate) struct StreamsArgs {
    /// Only those of this domain
    #[arg(long)]
    pub(crate) domain: Option<String>,
    /// Only those of this edition
    #[arg(long)]
    pub(crate) edition: Option<String>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  counterfoil state
  counterfoil state pin >> elsewhere.toml
  counterfoil state compare 2:8b62…55b5")]
pub(crate) struct StateArgs {
    /// What to do
    #[arg(value_enum, default_value_t)]
    pub(crate) action: StateAction,
    /// The state to look for, with `compare`
    #[arg(value_name = "TX:ALH", required_if_eq("action", "compare"))]
    pub(crate) other: Option<TrustedState>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum StateAction {
    /// Ledger, state, why it is believed, and what is noteworthy
    #[default]
    Show,
    /// The lines that make another client hold the ledger to this state
    Pin,
    /// Whether the ledger contains a state that somebody else has seen
    Compare,
}

#[derive(Args)]
#[command(after_help = "Examples:
  counterfoil follow
  counterfoil follow --after 17/3 --domain shipment --json | consumer

Ends with 0 after --limit events, when whoever reads its output has gone, and on Ctrl-C or
SIGTERM; else it waits for more. A place beyond the ledger's end ends it with 3: whoever was
there has seen another ledger, or a newer state. An embedded ledger may be followed by any number
of processes while one writes to it; of a ledger on immudb each process needs a [log] path of its
own. `log` shows what is there and ends.")]
pub(crate) struct FollowArgs {
    /// Goes on after this transaction, this entry of it, or a bookmark [default: from now on]
    #[arg(long, value_name = "TX[/ENTRY]", value_parser = bookmark)]
    pub(crate) after: Option<Bookmark>,
    /// Only the streams of this domain
    #[arg(long)]
    pub(crate) domain: Option<String>,
    /// Ends after so many [default: never]
    #[arg(long, value_name = "COUNT")]
    pub(crate) limit: Option<u64>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  counterfoil audit
  counterfoil audit --containing 2:8b62…55b5
  counterfoil audit --resume /var/lib/counterfoil/audit")]
pub(crate) struct AuditArgs {
    /// Keeps in this file how far the audit is: interrupted, it goes on; finished, the next one
    /// reads only what is new
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,
    /// Another state that the ledger must contain, which somebody else has seen; may be repeated
    #[arg(long, value_name = "TX:ALH")]
    pub(crate) containing: Vec<TrustedState>,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("own_state")
    .args(["under", "checkpoint", "state_signature"]).multiple(true))]
#[command(after_help = "Examples:
  counterfoil receipt shipment SSCC-1 0 -o departed.receipt
  counterfoil receipt shipment SSCC-1 0 2 5-9 -o some.receipt
  counterfoil receipt shipment SSCC-1 --all -o whole.receipt
  counterfoil receipt shipment SSCC-1 0 --since 2:8b62…55b5 -o departed.receipt
  counterfoil receipt shipment SSCC-1 0 --under 9:41f0…7ac2 -o departed.receipt
  counterfoil receipt shipment SSCC-1 0 --state-signature state.json --state-key immudb.pem \\
    -o departed.receipt
  counterfoil receipt shipment SSCC-1 0 -o - | ssh clinic counterfoil verify - --policy goods.policy

Whoever verifies it needs the ledger's id from elsewhere, and something that he trusts: as a pin
the state that is printed, or the one that --since or --link-to named; or whoever signed.
`counterfoil state pin` prints an id and a state to hand on.

A receipt is under one state. With --checkpoint and --state-signature in one receipt either is
enough for a verifier who trusts it: where the server signed the state of transaction N, the
checkpoint has size N - 1 (`counterfoil checkpoint make --size`).

The events' content is in the file, unless it is kept outside the ledger. Several events in one
receipt take less than a receipt of each: how much is printed. --all means the events that are
there now; that a receipt shows all of a stream is not proved by it.")]
pub(crate) struct ReceiptArgs {
    #[command(flatten)]
    pub(crate) stream: StreamArgs,
    /// The events, by their sequences: numbers, or ranges with both ends in them
    #[arg(
        required_unless_present = "all", conflicts_with = "all", value_name = "SEQUENCE",
        value_parser = sequences
    )]
    pub(crate) sequences: Vec<RangeInclusive<u64>>,
    /// All events of the stream
    #[arg(long)]
    pub(crate) all: bool,
    /// Ties the receipt to an older state, which its verifier has pinned
    #[arg(long, value_name = "TX:ALH", visible_alias = "link-from")]
    pub(crate) since: Option<TrustedState>,
    /// Makes the receipt under this state: one that somebody has pinned, signed or witnessed
    /// [default: the newest]
    #[arg(long, value_name = "TX:ALH")]
    pub(crate) under: Option<TrustedState>,
    /// Puts this checkpoint with its signatures in, for verifiers who trust a log and witnesses. The
    /// receipt is then under the state of the first transaction behind the checkpoint's
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Puts the server's signature of a state in, for verifiers who trust the server's key: what immudb
    /// answers as JSON at /api/db/state, or its Go client as CurrentState. The receipt is then under
    /// that state
    #[arg(long, value_name = "FILE", requires = "state_key")]
    pub(crate) state_signature: Option<PathBuf>,
    /// The server's public key, in PEM: the state must be signed by it
    #[arg(long, value_name = "FILE", requires = "state_signature")]
    pub(crate) state_key: Option<PathBuf>,
    /// Ties the receipt to a later state than its own, which its verifier has pinned; with --under,
    /// --checkpoint or --state-signature
    #[arg(long, value_name = "TX:ALH", requires = "own_state")]
    pub(crate) link_to: Option<TrustedState>,
    /// Where the receipt goes, whole or not at all; - for standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Writes over a receipt that is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  counterfoil verify departed.receipt --policy goods.policy
  counterfoil verify *.receipt --policy goods.policy --move-pin --json
  counterfoil verify departed.receipt --ledger-id 12dc…c406 --pin 2:8b62…55b5

What you trust comes from somebody you believe, not from whoever gives you the receipt: the
policy (docs/policy.md), or the ledger's id and pins. With --config instead they come from
`ledger`, `pin` and the authors of its [trust]; --ledger-id and --pin go over that. --policy is
all that is trusted: --config, --ledger-id, --table or --pin beside it is an error, and
COUNTERFOIL_CONFIG is not looked at then. A counterfoil.toml in the working directory is never
read. Times are the ledger's claim.

Exit codes of this command; of several files the worst, in the order 1, 4, 5, 3, 0:
  0  every event is verified
  1  broken
  2  usage: the policy or the arguments cannot be used; nothing was verified
  3  it extends a pinned state, or it fits together and nothing that is trusted vouches for it
  4  a file could not be read; the others were verified all the same
  5  something is missing: a policy for its ledger, the table, a link to the pinned state,
     witnesses, an author, the content of an event")]
pub(crate) struct VerifyArgs {
    /// The receipts, - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// What you trust: a policy in TOML or JSON
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ledger_id", "table"])]
    pub(crate) policy: Option<PathBuf>,
    /// Moves the policy's pin to what is signed in a receipt and continues the pin; kept in a file
    /// beside the policy
    #[arg(long, requires = "policy")]
    pub(crate) move_pin: bool,
    /// The ledger that they must be about: its id
    #[arg(long, value_name = "ALH")]
    pub(crate) ledger_id: Option<Alh>,
    /// The number of the table of events: needed where a receipt does not show it
    #[arg(long, value_name = "NUMBER")]
    pub(crate) table: Option<u32>,
    /// Content that is kept outside the ledger, with its --salt; may be repeated
    #[arg(long, value_name = "FILE", requires = "salt")]
    pub(crate) payload: Vec<PathBuf>,
    /// The salt of the content, 64 hex digits: one for each --payload
    #[arg(long, value_name = "HEX", requires = "payload", value_parser = salt)]
    pub(crate) salt: Vec<[u8; 32]>,
    /// Shows everything in the receipts too, and every hash on the way to their states
    #[arg(long)]
    pub(crate) full: bool,
}

#[derive(Args)]
#[command(after_help = "Example:
  counterfoil inspect departed.receipt --policy goods.policy

Draws the way from each event to the state: every hash computed, the side of each sibling, and
where it stops holding. It trusts nothing and verifies nothing: for a verdict under what you
trust there is --policy, or `counterfoil verify`. Exit codes as of `verify`, without --policy 0
for a receipt that holds in itself.")]
pub(crate) struct InspectArgs {
    /// The receipt, - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Tells too what it shows under this policy, in TOML or JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Shows hashes whole, not only how they begin
    #[arg(long)]
    pub(crate) full: bool,
}

#[derive(Subcommand)]
pub(crate) enum PolicyCommand {
    /// Write a policy for the ledger as it is now: its id, its table, its state as the pin
    #[command(after_help = "Examples:
  counterfoil policy init -o goods.policy
  counterfoil policy init --json")]
    Init {
        /// Where it goes, - for standard output, as without it; a file that is there is not written
        /// over
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Print a policy with everything in it that it has from other files, and where its pin moved
    #[command(after_help = "Example:
  counterfoil policy show goods.policy")]
    Show {
        /// The policy
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Say whether a file is a policy, and what it amounts to
    #[command(after_help = "Example:
  counterfoil policy check goods.policy")]
    Check {
        /// The policy
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Args)]
#[command(after_help = "Example:
  counterfoil --ledger shipments.ledger backup backups/monday

Writers may go on meanwhile. What is printed as state belongs in another place than the copies: it
tells later whether they are the newest. How to restore them: docs/backup.md.")]
pub(crate) struct BackupArgs {
    /// The folder to make
    pub(crate) folder: PathBuf,
}

/// `3` or `3-7`.
fn sequences(text: &str) -> Result<RangeInclusive<u64>, String> {
    let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is no sequence"));
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(format!("{first} comes after {last}"));
    }
    Ok(first..=last)
}

/// An empty one is most likely a shell's variable that is not set; so are the next two.
fn domain(text: &str) -> Result<String, String> {
    match text {
        "" => Err("it is empty; a domain has a name".into()),
        text => Ok(text.into()),
    }
}

fn event_type(text: &str) -> Result<String, String> {
    match text {
        "" => Err("it is empty; an event needs a type, which says what happened".into()),
        text => Ok(text.into()),
    }
}

fn root(text: &str) -> Result<Bytes, String> {
    match text {
        "" => Err("it is empty; for the empty root say hex:".into()),
        text => bytes(text),
    }
}

/// Text, or `hex:…`.
fn bytes(text: &str) -> Result<Bytes, String> {
    use serde::Deserialize as _;
    use serde::de::IntoDeserializer as _;
    use serde::de::value::{Error, StrDeserializer};
    let text: StrDeserializer<'_, Error> = text.into_deserializer();
    Bytes::deserialize(text).map_err(|error| error.to_string())
}

/// The content that an argument names.
pub(crate) fn content(argument: &str) -> Result<Bytes, String> {
    match argument.strip_prefix('@') {
        None => bytes(argument),
        Some("-") => {
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin(), &mut content)
                .map_err(|error| format!("standard input: {error}"))?;
            Ok(content.into())
        }
        Some(file) => match std::fs::read(file) {
            Ok(content) => Ok(content.into()),
            Err(error) => Err(format!("{file}: {error}")),
        },
    }
}

/// 64 hex digits.
fn salt(text: &str) -> Result<[u8; 32], String> {
    let root: counterfoil::Root =
        text.parse().map_err(|_| "it must be 64 lower-case hex digits")?;
    Ok(root.to_bytes())
}

fn metadata(text: &str) -> Result<(String, Bytes), String> {
    let (name, value) = text.split_once('=').ok_or("it must be NAME=VALUE")?;
    Ok((name.to_owned(), bytes(value)?))
}

fn expected(text: &str) -> Result<ExpectedVersion, String> {
    match text {
        "any" => Ok(ExpectedVersion::Any),
        "none" => Ok(ExpectedVersion::NoStream),
        "exists" => Ok(ExpectedVersion::StreamExists),
        number => match number.parse() {
            Ok(sequence) => Ok(ExpectedVersion::Exact(sequence)),
            Err(_) => Err("it must be any, none, exists or a sequence".into()),
        },
    }
}

/// As it is printed; a transaction alone is all of it.
fn bookmark(text: &str) -> Result<Bookmark, String> {
    if let Ok(tx) = text.parse() {
        return Ok(LedgerPosition::end_of(counterfoil::TxId::new(tx)).into());
    }
    text.parse().map_err(|error: counterfoil::Error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_is_shown_and_has_an_example() {
        fn look(command: &Command, path: &str) {
            for one in command.get_subcommands().filter(|one| one.get_name() != "help") {
                let path = format!("{path} {}", one.get_name());
                assert!(!one.is_hide_set(), "{path}");
                let help = one.get_after_help().map(ToString::to_string).unwrap_or_default();
                let example =
                    |line: &str| line.contains("counterfoil ") && line.contains(&path[12..]);
                assert!(help.lines().any(example), "{path}: {help}");
                look(one, &path);
            }
        }
        look(&command(), "counterfoil");
    }

    /// Whatever was changed in the arguments after they were built, they are found by their names.
    #[test]
    fn every_command_shows_its_help() {
        let all = command();
        let names = all.get_subcommands().map(Command::get_name);
        for name in names.filter(|name| *name != "help") {
            let asked = command().try_get_matches_from(["counterfoil", name, "--help"]);
            let told = asked.unwrap_err();
            assert_eq!(told.kind(), clap::error::ErrorKind::DisplayHelp, "{name}: {told}");
        }
    }

    /// Options that mean nothing to a command are not in its help.
    #[test]
    fn what_asks_no_ledger_offers_none() {
        let help = |path: &[&str]| {
            let mut at = command();
            for name in path {
                at = at.find_subcommand(name).unwrap().clone();
            }
            at.render_help().to_string()
        };
        for path in [&["inspect"][..], &["policy", "show"], &["policy", "check"], &["man"]] {
            let help = help(path);
            assert!(!help.contains("Ledger") && !help.contains("--host"), "{path:?}: {help}");
        }
        let verify = help(&["verify"]);
        assert!(verify.contains("--config") && verify.contains("--pin"), "{verify}");
        assert!(!verify.contains("--host") && !verify.contains("--accept"), "{verify}");
        assert!(!verify.contains("default: counterfoil.toml"), "it is never read: {verify}");
        assert!(help(&["read"]).contains("--accept-first-contact"));
    }

    #[test]
    fn places_read_as_they_are_written() {
        let tx = counterfoil::TxId::new(7);
        for place in [LedgerPosition::new(tx, 3), LedgerPosition::end_of(tx)] {
            assert_eq!(bookmark(&place.to_string()), Ok(place.into()));
        }
        assert_eq!(bookmark("7"), Ok(LedgerPosition::end_of(tx).into()));
        assert_eq!(bookmark("7/3+0").unwrap().to_string(), "7/3+0");
        for wrong in ["", "x", "7/", "7/x", "/3", "-1", "7/3+1", "7+0"] {
            assert!(bookmark(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bytes_are_text_or_hex() {
        assert_eq!(bytes("SSCC-1"), Ok(Bytes::from("SSCC-1")));
        assert_eq!(bytes("hex:00ff"), Ok(Bytes::from([0, 0xff])));
        assert!(bytes("hex:0").is_err());
    }
}
