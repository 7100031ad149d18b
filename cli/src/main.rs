//! `counterfoil`: an event store on the command line.
//!
//! Everything it says was verified by the library; it adds nothing to it but
//! words, colours and exit codes.

mod args;
mod commands;
mod configure;
mod exit;
mod output;
mod progress;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Cli;

/// One thread: what is appended at the same time goes in the order in which it
/// came, and the work lies in SQLite's and the network's hands.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(cli.output.verbose);
    let json = cli.output.json;
    match commands::run(cli).await {
        Ok(exit) => exit.into(),
        // Whoever reads has seen enough.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            output::Output::new(json).fail(&failure);
            failure.exit().into()
        }
    }
}

fn log_to_stderr(verbose: u8) {
    use tracing_subscriber::filter::LevelFilter;
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let stderr = std::io::stderr;
    let colours = stderr().is_terminal();
    tracing_subscriber::fmt().with_max_level(level).with_ansi(colours).with_writer(stderr).init();
}
