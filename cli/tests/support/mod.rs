//! Runs the program as a user does.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use counterfoil_test_support::{TempDir, temp_dir};
use serde_json::Value;

/// A folder to work in, and the arguments that name a ledger.
pub(crate) struct User {
    folder: TempDir,
    ledger: Vec<String>,
    vars: Vec<(String, String)>,
}

/// What a run said.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl User {
    pub(crate) fn new(ledger: &[&str], vars: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            folder: temp_dir("cli"),
            ledger: ledger.iter().map(|&argument| argument.to_owned()).collect(),
            vars: vars.iter().map(owned).collect(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        command.current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path()).env("XDG_DATA_HOME", self.path("data"));
        command.envs(self.vars.iter().map(|(name, value)| (name, value)));
        command.args(arguments).args(&self.ledger);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    }

    /// Runs with `--json` and expects success: the lines it prints.
    pub(crate) fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let ran = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        ran.lines()
    }

    /// The names of all that lies in the folder, sorted.
    #[allow(dead_code)] // Where the files are a server's there is nothing to see.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The state that `state` shows.
    pub(crate) fn state(&self) -> String {
        let shown = self.json(&["state"]);
        shown[0]["pin"]["state"].as_str().unwrap().to_owned()
    }
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What stderr says: every line of it is JSON.
    pub(crate) fn said(&self) -> Vec<Value> {
        self.err.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    /// Its exit code, and words of its error.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, words: &str) {
        assert_eq!(self.code, code, "{}", self.err);
        assert!(self.err.contains(words), "{:?} is not in {:?}", words, self.err);
    }
}
