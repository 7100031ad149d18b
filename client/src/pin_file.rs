//! Where a pin moves: written by one process at a time, whole or not at all, and never back.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use counterfoil_policy::{FileError, MovedPin, PinMove, PolicyError, PolicyFile, TrustPolicy};
use serde::Serialize;

use crate::whole_file;

/// The file beside a policy in which a pin moves. It never goes back. Who may read the policy may read
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinFile(PolicyFile);

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
        Self(PolicyFile::new(policy))
    }

    /// Where it is, whether it is there or not.
    pub fn path(&self) -> &Path {
        self.0.pin_path()
    }

    /// What it says; `None` if no pin has moved.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if it cannot be read or is no such file. That is not taken for a pin that has
    /// not moved.
    pub fn read(&self) -> Result<Option<MovedPin>, PolicyError> {
        self.0.moved()
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
        self.advance_to(|policy| {
            let (next, result) = judge(policy);
            (next.map(|next| next.to().clone()), result)
        })
    }

    fn advance_to<R>(
        &self,
        judge: impl FnOnce(&TrustPolicy) -> (Option<MovedPin>, R),
    ) -> Result<(Option<Moved>, R), PolicyError> {
        let lock = self.lock()?;
        let policy = self.0.load()?;
        let (next, result) = judge(&policy);
        let moved = next.map(|next| self.write(policy, &next)).transpose()?;
        drop(lock);
        Ok((moved, result))
    }

    fn write(&self, policy: TrustPolicy, pin: &MovedPin) -> Result<Moved, PolicyError> {
        let known = policy.pins().map(|pin| pin.tx).max();
        // Also where it stays: a contradiction is told.
        policy.with_moved(pin.clone()).map_err(|problem| problem.in_file(self.path()))?;
        if known.is_some_and(|known| known >= pin.pin.tx) {
            return Ok(Moved::NotNewer);
        }
        let content = PolicyFile::text_of(pin);
        whole_file::replace_as(self.path(), content.as_bytes(), self.0.path())?;
        Ok(Moved::Forward)
    }

    /// Held by one at a time, until it is dropped or its process ends. In a file that stays: the other
    /// one is replaced.
    fn lock(&self) -> Result<File, PolicyError> {
        let mut path = self.path().as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let locked = file.and_then(|file| file.lock().map(|()| file));
        locked.map_err(|cause| FileError::new(path, cause).into())
    }
}

#[cfg(test)]
mod tests {
    use counterfoil_core::{TrustedState, TxId};

    use super::*;

    const LEDGER: &str = "12dc849900379fe3dd4b4d00e99cdba2cc5050d0ea9b3309493a201fce96c406";
    const ALH: &str = "8b62ffcfd649be15aefc2c6ef7be57affd8300949d138d027ff018d5e9cf55b5";
    const OTHER: &str = "70988fbac6115eef1fa021b9fc89f79925ab25ee5d2ce003d526801ea97c7f41";

    fn state(tx: u64, alh: &str) -> TrustedState {
        TrustedState { tx: TxId::new(tx), alh: alh.parse().unwrap() }
    }

    /// A step that was decided once.
    fn step(policy: &TrustPolicy, pin: TrustedState) -> MovedPin {
        let (from, ledger) = (policy.pins().next().unwrap(), policy.ledger());
        let text =
            format!("ledger = \"{ledger}\"\npin = \"{pin}\"\nfrom = \"{from}\"\nby = \"a test\"");
        toml::from_str(&text).unwrap()
    }

    fn pinned_file() -> (tempfile::TempDir, PinFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy");
        std::fs::write(&path, format!("ledger = \"{LEDGER}\"\npins = [\"2:{ALH}\"]")).unwrap();
        let pins = PinFile::beside(&path);
        (folder, pins)
    }

    /// Whatever step it is given: a step may have been taken long ago, under an older pin.
    #[test]
    fn a_pin_is_never_written_back() {
        let (_folder, pins) = pinned_file();
        let advance = |to| pins.advance_to(|policy| (Some(step(policy, to)), ()));
        let at = || pins.read().unwrap().map(|moved| moved.pin);
        assert_eq!(advance(state(2, ALH)).unwrap().0, Some(Moved::NotNewer));
        assert_eq!(at(), None);
        assert_eq!(advance(state(9, ALH)).unwrap().0, Some(Moved::Forward));
        assert_eq!(at(), Some(state(9, ALH)));
        for back in [state(9, ALH), state(8, OTHER), state(3, OTHER)] {
            assert_eq!(advance(back).unwrap().0, Some(Moved::NotNewer));
        }
        for other in [state(9, OTHER), state(2, OTHER), state(1, OTHER)] {
            assert!(matches!(advance(other), Err(PolicyError::Problem(_))), "{other}");
        }
        assert_eq!(at(), Some(state(9, ALH)));
        assert_eq!(pins.advance(|_| (None, ())).unwrap().0, None);
        assert_eq!(advance(state(10, OTHER)).unwrap().0, Some(Moved::Forward));
        assert_eq!(at(), Some(state(10, OTHER)));
    }

    /// Who comes second judges by what the first has written.
    #[test]
    fn one_at_a_time_moves_a_pin() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let (_folder, pins) = pinned_file();
        let (begun, decided) = (std::sync::Barrier::new(2), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                pins.advance_to(|policy| {
                    begun.wait();
                    std::thread::sleep(std::time::Duration::from_millis(300));
                    decided.store(true, Ordering::SeqCst);
                    (Some(step(policy, state(5, OTHER))), ())
                })
                .unwrap();
            });
            begun.wait();
            pins.advance(|policy| {
                assert!(decided.load(Ordering::SeqCst), "it did not wait");
                assert_eq!(policy.moved().unwrap().pin, state(5, OTHER));
                (None, ())
            })
            .unwrap();
        });
    }

    /// However the policy is spelled, its pin is one.
    #[cfg(unix)]
    #[test]
    fn a_pin_moves_under_every_name_of_its_policy() {
        let (folder, pins) = pinned_file();
        let names = ["link", "folder/policy", "./policy"].map(|name| folder.path().join(name));
        std::os::unix::fs::symlink("policy", &names[0]).unwrap();
        std::os::unix::fs::symlink(".", folder.path().join("folder")).unwrap();
        for (name, tx) in names.iter().zip(3..) {
            let moved = PinFile::beside(name);
            assert_eq!(moved, pins);
            moved.advance_to(|policy| (Some(step(policy, state(tx, OTHER))), ())).unwrap();
            for name in &names {
                let policy = TrustPolicy::load(name).unwrap();
                assert_eq!(
                    policy.moved().map(|moved| moved.pin),
                    Some(state(tx, OTHER)),
                    "{name:?}"
                );
            }
        }
    }

    /// Else the pin of one user would lock out all others who verify by the policy.
    #[cfg(unix)]
    #[test]
    fn who_may_read_the_policy_may_read_where_its_pin_moved() {
        use std::os::unix::fs::PermissionsExt as _;
        let (folder, pins) = pinned_file();
        for (mode, wanted, tx) in [(0o644, 0o644, 3), (0o600, 0o600, 4), (0o464, 0o644, 5)] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(folder.path().join("policy"), permissions).unwrap();
            pins.advance_to(|policy| (Some(step(policy, state(tx, OTHER))), ())).unwrap();
            let found = std::fs::metadata(pins.path()).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, wanted, "{mode:o}");
        }
    }
}
