//! Other people's tools for transparency logs, as processes: see `tests/transparency`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::go::transparency_binary;

/// Runs one of the tools with this standard input: what it prints, or what it complains of.
///
/// # Panics
/// When it cannot be built or run; the message says what is missing.
pub fn go_tool(arguments: &[&str], input: &[u8]) -> Result<String, String> {
    let mut child = start(arguments);
    let mut stdin = child.stdin.take().expect("it is piped");
    // A tool that refuses its arguments reads nothing.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
    match output.status.success() {
        true => Ok(text(output.stdout)),
        false => Err(text(output.stderr)),
    }
}

/// A witness of one log, by transparency-dev, on a port of its own. It ends with this.
#[derive(Debug)]
pub struct GoWitness {
    child: Child,
    /// Ends it when it is closed.
    _stdin: ChildStdin,
    /// Its address, `http://host:port`, or `https`.
    pub url: String,
    /// Its verifier key as a cosigner.
    pub key: String,
}

impl GoWitness {
    /// A new witness of this name, which knows the log of this verifier key.
    ///
    /// # Panics
    /// When it cannot be built or started.
    pub fn start(name: &str, log: &str) -> Self {
        Self::start_at("http", name, log)
    }

    /// The same behind TLS, with a certificate of its own, for which nobody vouches.
    ///
    /// # Panics
    /// When it cannot be built or started.
    pub fn start_with_tls(name: &str, log: &str) -> Self {
        Self::start_at("https", name, log)
    }

    fn start_at(scheme: &str, name: &str, log: &str) -> Self {
        let keys = go_tool(&["keygen", name], b"").expect("a key");
        let mut keys = keys.lines();
        let (secret, key) = (keys.next().expect("a secret key"), keys.next().expect("a key"));
        let mut child = start(&["witness", scheme, secret, log]);
        let stdin = child.stdin.take().expect("it is piped");
        let mut address = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut address).expect("its address");
        assert!(!address.is_empty(), "the witness did not start: see its error above");
        let url = format!("{scheme}://{}", address.trim_end());
        Self { child, _stdin: stdin, url, key: key.to_owned() }
    }
}

impl Drop for GoWitness {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(arguments: &[&str]) -> Child {
    let binary = transparency_binary().unwrap_or_else(|why| panic!("{why}"));
    let mut command = Command::new(binary);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if arguments.first() == Some(&"witness") {
        command.stderr(Stdio::inherit());
    }
    command.spawn().expect("the tool starts")
}
