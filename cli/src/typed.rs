//! Commands that are shown, as a shell takes them.

use std::fmt::{self, Display};
use std::path::Path;

use shlex::Quoter;

use crate::args::{LedgerArgs, OutputArgs};

/// The program, with the options that it was given for all commands. What the environment says is
/// there when it is typed again.
pub(crate) fn program(ledger: &LedgerArgs, output: &OutputArgs) -> String {
    let LedgerArgs {
        config,
        config_by_flag,
        ledger,
        trust,
        host,
        port,
        database,
        username,
        pin,
        accept_first_contact,
    } = ledger;
    let OutputArgs { json, quiet, verbose } = output;
    let mut typed = "counterfoil".to_owned();
    let mut add = |option: &str, value: String| typed.extend([" ", option, " ", &value]);
    let config = config.as_ref().filter(|_| *config_by_flag);
    for (option, file) in
        [("--config", config), ("--ledger", ledger.as_ref()), ("--trust", trust.as_ref())]
    {
        if let Some(file) = file {
            add(option, Quoted(file).to_string());
        }
    }
    let port = port.map(|port| port.to_string());
    let named =
        [("--host", host), ("--port", &port), ("--database", database), ("--username", username)];
    for (option, value) in named {
        if let Some(value) = value {
            add(option, word(value));
        }
    }
    for pin in pin {
        add("--pin", pin.to_string());
    }
    for (given, flag) in [
        (*accept_first_contact, " --accept-first-contact"),
        (*json, " --json"),
        (*quiet, " --quiet"),
    ] {
        typed.push_str(if given { flag } else { "" });
    }
    (0..*verbose).for_each(|_| typed.push_str(" -v"));
    typed
}

/// A file's name as an argument: never taken for an option, nor for several.
pub(crate) struct Quoted<'a>(pub(crate) &'a Path);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.display().to_string();
        if name.starts_with('-') {
            f.write_str("./")?;
        }
        word(&name).fmt(f)
    }
}

/// A word as an argument.
pub(crate) fn word(text: &str) -> String {
    // Only a zero byte cannot be quoted, and no argument has one.
    Quoter::new().allow_nul(true).quote(text).map_or_else(|_| text.to_owned(), Into::into)
}
