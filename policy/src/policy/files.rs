//! Policies in files, and where a policy's pin moved: in a file of its own beside the policy. The policy is its
//! owner's, who may have written into it what he likes, and no program writes there.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

#[cfg(feature = "p256")]
use counterfoil_core::StateKey;

use super::error::{FileError, PolicyError, PolicyProblem};
#[cfg(feature = "p256")]
use super::state_key;
use super::{MovedPin, TlogPolicy, TrustPolicy, tlog_policy};

/// Nobody writes a policy of more than a few pages.
const LONGEST: u64 = 1 << 20;
/// Nor has a program more to say of a pin.
const LONGEST_PIN: u64 = 4096;

/// What the pin's file begins with, for whoever opens it.
const COMMENT: &str = "\
# Where the pin of the policy beside this file moved, and by whose word. Written by a program.
# Without this file the policy's own pins count.
";

/// A policy's file, and the one beside it in which its pin moves: the same name, and `.pin` behind it.
///
/// The name is the policy's one name without links, however it is spelled: a pin moves for all who use
/// the policy, and the files that the policy names are beside what a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    policy: PathBuf,
    pin: PathBuf,
}

impl PolicyFile {
    /// The policy in this file.
    pub fn new(path: &Path) -> Self {
        // What has no such name cannot be read either, and that is told then.
        let policy = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut pin = policy.clone().into_os_string();
        pin.push(".pin");
        Self { policy, pin: pin.into() }
    }

    /// The policy's file, by its one name.
    pub fn path(&self) -> &Path {
        &self.policy
    }

    /// Where its pin moves, whether that is there or not.
    pub fn pin_path(&self) -> &Path {
        &self.pin
    }

    /// Reads the policy, and the pin that moved, if one did.
    ///
    /// # Errors
    ///
    /// [`PolicyError`]: a file cannot be read, or what it says cannot be a policy.
    pub fn load(&self) -> Result<TrustPolicy, PolicyError> {
        let text = read(&self.policy)?;
        let base = self.policy.parent().unwrap_or(Path::new(""));
        let policy = TrustPolicy::from_text(&text, base);
        let policy = policy.map_err(|error| error.in_file(&self.policy))?;
        match self.moved()? {
            Some(pin) => policy
                .with_moved(pin)
                .map_err(|problem| PolicyError::from(problem).in_file(&self.pin)),
            None => Ok(policy),
        }
    }

    /// Where the pin moved; `None` if it has not.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if the file cannot be read or is no such file. That is not taken for a pin that
    /// has not moved.
    pub fn moved(&self) -> Result<Option<MovedPin>, PolicyError> {
        let Some(bytes) = read_bytes(&self.pin, LONGEST_PIN)? else { return Ok(None) };
        let text = String::from_utf8(bytes).map_err(|error| error.to_string());
        let pin = text.and_then(|text| toml::from_str(&text).map_err(|error| error.to_string()));
        pin.map(Some).map_err(|what| {
            let remedy = "put it away to go back to the policy's own pins";
            PolicyProblem::new("", what.trim_end(), remedy).in_file(&self.pin).into()
        })
    }

    /// What that file is to say.
    pub fn text_of(moved: &MovedPin) -> String {
        // Every value has a form in TOML.
        format!("{COMMENT}{}", toml::to_string(moved).unwrap_or_default())
    }
}

impl TrustPolicy {
    /// Reads a policy from a file, TOML or JSON, and the pin that moved, if one did ([`PolicyFile`]).
    ///
    /// # Errors
    ///
    /// As [`PolicyFile::load`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        PolicyFile::new(path.as_ref()).load()
    }
}

impl TlogPolicy {
    /// Reads such a file.
    ///
    /// # Errors
    ///
    /// [`PolicyError`]: it cannot be read, or is no tlog-policy.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        let path = path.as_ref();
        let read = tlog_policy::read(&read(path)?);
        Ok(Self(read.map_err(|problem| problem.in_file(path))?))
    }
}

/// Reads a server's public key from a PEM file, as a policy's `state_keys` have it: a block PUBLIC KEY,
/// ECDSA on P-256.
///
/// # Errors
///
/// [`PolicyError`]: it cannot be read, or is no such key.
#[cfg(feature = "p256")]
pub fn load_state_key(path: impl AsRef<Path>) -> Result<StateKey, PolicyError> {
    let path = path.as_ref();
    match state_key::read_pem(&read(path)?, "") {
        Ok((key, _)) => Ok(key),
        Err(problem) => Err(problem.in_file(path).into()),
    }
}

/// A small file's text.
pub(super) fn read(path: &Path) -> Result<String, PolicyError> {
    let absent = || FileError::new(path, ErrorKind::NotFound.into());
    let bytes = read_bytes(path, LONGEST)?.ok_or_else(absent)?;
    String::from_utf8(bytes).map_err(|error| {
        PolicyProblem::new("", error.to_string(), "write the file in UTF-8").in_file(path).into()
    })
}

/// A file's content, which may have `most` bytes; `None` if there is no file.
fn read_bytes(path: &Path, most: u64) -> Result<Option<Vec<u8>>, FileError> {
    let failed = |cause| FileError::new(path, cause);
    let file = match File::open(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let mut content = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > most {
        let what = "it is too large to be such a file";
        return Err(failed(Error::new(ErrorKind::FileTooLarge, what)));
    }
    Ok(Some(content))
}
