//! Where a pin moved, in a file of its own beside the policy: the policy is its owner's, who may have
//! written into it what he likes, and no program writes there.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use counterfoil_core::{Alh, TrustedState};
use serde::{Deserialize, Serialize};

use super::error::{PolicyError, PolicyProblem};
use super::{PinMove, TrustPolicy};
use crate::error::Unavailable;
use crate::{place, whole_file};

/// What the file begins with, for whoever opens it.
const COMMENT: &str = "\
# Where the pin of the policy beside this file moved, and by whose word. Written by a program.
# Without this file the policy's own pins count.
";

/// The longest file.
const MAX_LEN: u64 = 4096;

/// A pin that moved: where it is now, and by whose word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MovedPin {
    /// The ledger's id.
    pub ledger: Alh,
    /// The state that is pinned now.
    pub pin: TrustedState,
    /// The pinned state of which it was shown to be a continuation, one of the policy's.
    pub from: TrustedState,
    /// By whose word, for people.
    pub by: String,
}

/// The file beside a policy in which a pin moves. It never goes back. Who may read the policy may read
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinFile {
    policy: PathBuf,
    path: PathBuf,
}

/// What became of a pin that was to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Moved {
    /// It moved, and is on disk.
    Forward,
    /// It is there already, or beyond.
    NotNewer,
}

impl PinFile {
    /// That of the policy in this file: the same name, and `.pin` behind it. The name is the policy's
    /// one name without links, however it is spelled: a pin moves for all who use the policy.
    pub fn beside(policy: &Path) -> Self {
        // What has no such name cannot be read either, and that is told then.
        let policy = place::of(policy).unwrap_or_else(|_| policy.to_owned());
        let path = policy.with_added_extension("pin");
        Self { policy, path }
    }

    /// The policy's file, by its one name.
    pub(super) fn policy(&self) -> &Path {
        &self.policy
    }

    /// Where it is, whether it is there or not.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says; `None` if no pin has moved.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if it cannot be read or is no such file. That is not taken for a pin that has
    /// not moved.
    pub fn read(&self) -> Result<Option<MovedPin>, PolicyError> {
        let Some(bytes) = whole_file::read(&self.path, MAX_LEN)? else { return Ok(None) };
        let text = String::from_utf8(bytes).map_err(|error| error.to_string());
        let pin = text.and_then(|text| toml::from_str(&text).map_err(|error| error.to_string()));
        pin.map(Some).map_err(|what| {
            let remedy = "put it away to go back to the policy's own pins";
            PolicyProblem::new("", what.trim_end(), remedy).in_file(&self.path).into()
        })
    }

    /// Lets `judge` decide, under the policy as it is now, where the pin is to move, and moves it
    /// there. Whoever else would move it waits meanwhile, so that what is written was decided under
    /// the pin that it replaces.
    ///
    /// # Errors
    ///
    /// [`PolicyError`]: what [`TrustPolicy::load`] says; the file cannot be written; the new pin
    /// contradicts one that is there. Nothing has moved then, or the file is new and it is not known
    /// whether its name is on disk: after a power cut the pin may be where it was. Both times it is
    /// right to try again.
    pub fn advance<R>(
        &self,
        judge: impl FnOnce(&TrustPolicy) -> (Option<PinMove>, R),
    ) -> Result<(Option<Moved>, R), PolicyError> {
        let lock = self.lock()?;
        let policy = TrustPolicy::load_beside(self)?;
        let (next, result) = judge(&policy);
        let moved = next.map(|next| self.write(policy, &next)).transpose()?;
        drop(lock);
        Ok((moved, result))
    }

    fn write(&self, policy: TrustPolicy, next: &PinMove) -> Result<Moved, PolicyError> {
        let pin = next.to();
        let known = policy.pins().map(|pin| pin.tx).max();
        // Also where it stays: a contradiction is told.
        policy.after(next).map_err(|problem| problem.in_file(&self.path))?;
        if known.is_some_and(|known| known >= pin.pin.tx) {
            return Ok(Moved::NotNewer);
        }
        let content = format!("{COMMENT}{}", toml::to_string(pin).unwrap_or_default());
        whole_file::replace_as(&self.path, content.as_bytes(), &self.policy)?;
        Ok(Moved::Forward)
    }

    /// Held by one at a time, until it is dropped or its process ends. In a file that stays: the other
    /// one is replaced.
    fn lock(&self) -> Result<File, PolicyError> {
        let path = self.path.with_added_extension("lock");
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let locked = file.and_then(|file| file.lock().map(|()| file));
        locked.map_err(|cause| Unavailable::file(path, cause).into())
    }
}
