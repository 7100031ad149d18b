//! `counterfoil`: an event store on the command line.
//!
//! Everything it says was verified by the library; it adds nothing to it but
//! words, colours and exit codes.

mod args;
mod commands;
mod configure;
mod epcis;
mod exit;
mod new_file;
mod output;
mod progress;
mod typed;

use std::io::Write;
use std::process::ExitCode;

use crate::exit::{Exit, Failure};

/// One thread: what is appended at the same time goes in the order in which it
/// came, and the work lies in SQLite's and the network's hands.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = match args::parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let json = cli.output.json;
    let only_shows = cli.command.only_shows();
    log_to_stderr(cli.output.verbose, json);
    match commands::run(cli).await {
        Ok(exit) => exit.into(),
        // Whoever reads has seen enough. Elsewhere it would hide how the command ended.
        Err(failure) if only_shows && failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => tell(&failure, json),
    }
}

fn tell(failure: &Failure, json: bool) -> ExitCode {
    output::Output::new(json).fail(failure);
    failure.exit().into()
}

/// Arguments that cannot be understood; or help, which is no error.
fn misused(error: &clap::Error) -> ExitCode {
    let mut before = std::env::args_os().take_while(|argument| argument != "--");
    if error.use_stderr() && before.any(|argument| argument == "--json") {
        // Its first word is "error".
        let text = error.render().to_string();
        let message = text.trim().trim_start_matches("error: ").to_owned();
        return tell(&Failure::Usage(message), true);
    }
    // Where nobody reads it there is nobody to tell.
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Done.into();
    }
    // It repeats the arguments, and a file may have been given any name.
    let text = error.render().to_string();
    for line in text.trim_end().lines() {
        let _ = writeln!(std::io::stderr(), "{}", output::Plain(line));
    }
    Exit::Usage.into()
}

fn log_to_stderr(verbose: u8, json: bool) {
    use tracing_subscriber::filter::LevelFilter;
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let log = tracing_subscriber::fmt().with_max_level(level);
    match json {
        true => log.with_writer(std::io::stderr).json().flatten_event(true).init(),
        false => log.with_writer(|| LogLine).with_ansi(false).init(),
    }
}

/// A server's words may be in it: they are no colours and no further lines.
struct LogLine;

impl Write for LogLine {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        writeln!(std::io::stderr(), "{}", output::Plain(text.trim_end()))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
