//! The arguments of `checkpoint`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use counterfoil::TxId;

#[derive(Args)]
#[command(after_help = "A first run:
  counterfoil checkpoint keygen log.key
  counterfoil checkpoint make --key log.key --first -o latest.checkpoint
  counterfoil checkpoint witness latest.checkpoint --witness w.example+…+… https://w.example/
  counterfoil checkpoint prove latest.checkpoint --tx 7 -o 7.tlog-proof

What a checkpoint says, and what it does not prove: docs/checkpoints.md. The files are those of
c2sp.org: signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof.")]
pub(crate) struct CheckpointArgs {
    #[command(subcommand)]
    pub(super) command: CheckpointCommand,
}

#[derive(Subcommand)]
pub(super) enum CheckpointCommand {
    /// Make the key of a log, or of a witness, and print the verifier key to hand out
    Keygen(KeygenArgs),
    /// Sign a checkpoint of the ledger
    Make(MakeArgs),
    /// Verify a checkpoint's signatures; no ledger is opened unless asked for
    Verify(VerifyArgs),
    /// Cosign a log's checkpoint, as a witness of one's own
    Cosign(CosignArgs),
    /// Ask witnesses to cosign a checkpoint, and add what they answer to it
    Witness(WitnessArgs),
    /// Prove that a transaction is in a checkpointed log, or that the log only grew
    Prove(ProveArgs),
}

#[derive(Args)]
#[command(after_help = "Examples:
  counterfoil checkpoint keygen log.key
  counterfoil checkpoint keygen log.key --origin example.com/goods
  counterfoil checkpoint keygen witness.key --witness witness.example.com

Without a name the log is called counterfoil/ and the ledger's id. What a log has signed last
belongs to the log, not to its key: the first `make` with a new key says --first, if nothing was
ever signed for this log by any key, and otherwise --last and the earlier key's file.
One file is one key, for one purpose.")]
pub(super) struct KeygenArgs {
    /// The file to make, which only its owner may read; one that is there is left as it is
    #[arg(value_name = "FILE")]
    pub(super) key: PathBuf,
    /// The log's name, a URL without its scheme, say; no ledger is opened then [default:
    /// counterfoil/ and the ledger's id]
    #[arg(long, value_name = "NAME")]
    pub(super) origin: Option<String>,
    /// Makes a key for a witness of this name, in place of a log's; no ledger is opened then
    #[arg(long, value_name = "NAME", conflicts_with = "origin")]
    pub(super) witness: Option<String>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  counterfoil checkpoint make --key log.key --first -o latest.checkpoint
  counterfoil checkpoint make --key log.key -o latest.checkpoint
  counterfoil checkpoint make --key log.key --size 1000
  counterfoil checkpoint make --key new.key --last log.key.last -o latest.checkpoint

It is signed only if every entry of the ledger is accounted for and it continues the checkpoint
that was signed last. What is signed is written down in KEY.last before: without that file
nothing is signed. A new key of a log goes on with the earlier key's file (--last), each time;
--first with it would let the log sign a second history.")]
pub(super) struct MakeArgs {
    /// The log's key
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// How many transactions it is over [default: all that are verified]
    #[arg(long, value_name = "COUNT")]
    pub(super) size: Option<u64>,
    /// The file that says what was signed last [default: the key's file with .last behind it]
    #[arg(long, value_name = "FILE")]
    pub(super) last: Option<PathBuf>,
    /// Makes that file, for a log for which nothing was ever signed, by any key
    #[arg(long)]
    pub(super) first: bool,
    /// Where the checkpoint goes, in the place of an older one of this log; into the same one, beside
    /// the signatures that it has [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  counterfoil checkpoint verify latest.checkpoint --log counterfoil/12dc…c406+5a1f…+AX…=
  counterfoil checkpoint verify latest.checkpoint --log … --witness … --witness … --quorum 1
  counterfoil checkpoint verify latest.checkpoint --tlog-policy goods.tlog-policy
  counterfoil checkpoint verify latest.checkpoint --log … --in-ledger --config counterfoil.toml

Take the keys from somebody you believe, not from whoever gives you the checkpoint.

Exit codes of this command:
  0  signed by the log, and by enough of the witnesses
  1  broken: it is no checkpoint, a signature is wrong, or the ledger has another tree
  3  not signed by the log, or by too few of the witnesses")]
pub(super) struct VerifyArgs {
    /// The checkpoint
    #[arg(value_name = "FILE")]
    pub(super) checkpoint: PathBuf,
    /// Logs, witnesses and quorum in a file of c2sp.org/tlog-policy
    #[arg(long, value_name = "FILE", conflicts_with_all = ["log", "witness", "quorum"])]
    pub(super) tlog_policy: Option<PathBuf>,
    /// The log's verifier key; several of one log that changes its key
    #[arg(long, value_name = "KEY", required_unless_present = "tlog_policy")]
    pub(super) log: Vec<String>,
    /// A witness's verifier key; may be repeated
    #[arg(long, value_name = "KEY")]
    pub(super) witness: Vec<String>,
    /// How many of the witnesses must have cosigned [default: all]
    #[arg(long, value_name = "COUNT", requires = "witness")]
    pub(super) quorum: Option<usize>,
    /// Opens the ledger too, and holds the checkpoint to it
    #[arg(long)]
    pub(super) in_ledger: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  counterfoil checkpoint cosign latest.checkpoint --log … --key witness.key -o latest.checkpoint
  counterfoil checkpoint cosign request --log … --key witness.key --first

With a checkpoint, the ledger is opened and the checkpoint held to it. With a request (`prove
--since`), no ledger is opened: the proof in it shows that the log only grew. What is cosigned is
written down before in KEY.logs, a file for each log.")]
pub(super) struct CosignArgs {
    /// The checkpoint, or a request to a witness
    #[arg(value_name = "FILE")]
    pub(super) checkpoint: PathBuf,
    /// The log's verifier key
    #[arg(long, value_name = "KEY")]
    pub(super) log: String,
    /// The witness's key
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// The folder that says what was cosigned last [default: the key's file with .logs behind it]
    #[arg(long, value_name = "FOLDER")]
    pub(super) last: Option<PathBuf>,
    /// Takes the log up, of which this witness has never cosigned anything
    #[arg(long)]
    pub(super) first: bool,
    /// Where the cosigned checkpoint goes, in the place of one of this log [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  counterfoil checkpoint witness latest.checkpoint --tlog-policy goods.tlog-policy
  counterfoil checkpoint witness latest.checkpoint \\
    --witness witness.example+2a1f…+BO…= https://witness.example/ --time-limit 20

All are asked at once. Each answer is verified under the key that is given for the witness.

Exit codes of this command:
  0  all of them cosigned, or so many as --quorum or --tlog-policy says
  3  too few did; what they said is told, and the cosignatures that were had are kept
  4  the ledger could not be asked: no witness was")]
pub(super) struct WitnessArgs {
    /// The checkpoint; cosignatures are added to it
    #[arg(value_name = "FILE")]
    pub(super) checkpoint: PathBuf,
    /// A witness's verifier key, and the address of its API; may be repeated
    #[arg(long, num_args = 2, value_names = ["KEY", "URL"], required_unless_present = "tlog_policy")]
    pub(super) witness: Vec<String>,
    /// Asks every witness of this c2sp.org/tlog-policy file that has an address there; enough did
    /// if its quorum is met
    #[arg(long, value_name = "FILE", conflicts_with_all = ["witness", "quorum"])]
    pub(super) tlog_policy: Option<PathBuf>,
    /// How many of them must cosign [default: all]
    #[arg(long, value_name = "COUNT")]
    pub(super) quorum: Option<usize>,
    /// How long they are waited for, 1 to 3600 seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) time_limit: u64,
    /// Where the cosigned checkpoint goes [default: the place of the checkpoint]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true), after_help = "Examples:
  counterfoil checkpoint prove latest.checkpoint --tx 7 -o 7.tlog-proof
  counterfoil checkpoint prove latest.checkpoint --since 1000 -o request

The log's entry is the transaction's hash (Alh), 32 bytes, which the proof does not carry: a
receipt does. A request is what a witness is sent (c2sp.org/tlog-witness): the RFC 6962 proof
from the size that it cosigned last, 0 if none, and the checkpoint.")]
pub(super) struct ProveArgs {
    /// The checkpoint; that its tree is the ledger's is checked, its signatures are not
    #[arg(value_name = "FILE")]
    pub(super) checkpoint: PathBuf,
    /// Proves that this transaction is in the log: a .tlog-proof file
    #[arg(long, value_name = "TX", group = "what", value_parser = tx)]
    pub(super) tx: Option<TxId>,
    /// Proves that the log of the checkpoint continues that of this size: a request to a witness
    #[arg(long, value_name = "SIZE", group = "what")]
    pub(super) since: Option<u64>,
    /// Where it goes; a file that is there is left as it is [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

fn tx(text: &str) -> Result<TxId, std::num::ParseIntError> {
    text.parse().map(TxId::new)
}
