//! Where the pin of a ledger file is kept, unless the configuration says so.
//!
//! The trust file's name follows from the ledger's. Whoever can write to the
//! ledger's folder can put a link in the ledger's place, so what the links
//! lead to now does not decide alone: a ledger is held to what is known under
//! any of its names, and is unknown only where none of them is.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::open::file_error;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::pin_copy::pin_copy;
use crate::{paths, place, whole_file};

/// The longest note: the name of a file.
const LONGEST: u64 = 4096;

/// The trust file of a ledger.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TrustFile {
    /// By its name without links.
    pub(super) path: PathBuf,
    /// What keeps, for another name of the ledger, which trust file is its own.
    notes: Vec<PathBuf>,
}

impl TrustFile {
    pub(super) fn of(config: &Config) -> Result<Self> {
        let ledger = &config.storage.embedded.path;
        let Some(file) = &config.trust.file else {
            return Self::find(ledger, &paths::data_folder()?.join("embedded"));
        };
        let at = place::of(ledger).map_err(|cause| file_error(ledger, cause))?;
        let path = place::of(file).map_err(|cause| file_error(file, cause))?;
        if path == at {
            return Err(Error::Config(format!(
                "ledger and trust file are both {}: whoever can write the ledger could change \
                 what it is held to",
                at.display()
            )));
        }
        Ok(Self { path, notes: Vec::new() })
    }

    /// The one trust file that is known under a name of the ledger. Where none is, that of the name
    /// without links.
    fn find(ledger: &Path, folder: &Path) -> Result<Self> {
        let names = place::names(ledger).map_err(|cause| file_error(ledger, cause))?;
        let files: Vec<PathBuf> = names.iter().map(|name| folder.join(file_name(name))).collect();
        let mut known = Vec::new();
        for file in &files {
            let file = if is_there(file)? { Some(file.clone()) } else { noted(file)? };
            known.extend(file);
        }
        known.sort();
        known.dedup();
        let path = match (&known[..], files.last()) {
            ([], Some(last)) => last.clone(),
            ([one], _) => one.clone(),
            _ => return Err(ambiguous(ledger, &names, &known)),
        };
        let notes = files.iter().filter(|file| **file != path).map(|file| note(file)).collect();
        Ok(Self { path, notes })
    }

    /// Keeps, for all names that the ledger has now, that this file is its trust file: wherever they
    /// lead later, they name a ledger that is known.
    pub(super) fn keep_names(&self) -> Result<()> {
        let name = self.path.file_name().unwrap_or_default().as_encoded_bytes();
        for note in &self.notes {
            if whole_file::read(note, LONGEST)?.as_deref() != Some(name) {
                whole_file::replace(note, name)?;
            }
        }
        Ok(())
    }
}

/// By the ledger's name, and a hash of its path.
fn file_name(ledger: &Path) -> String {
    let hash = Sha256::digest(ledger.as_os_str().as_encoded_bytes());
    let name = ledger.file_stem().unwrap_or_default().to_string_lossy();
    format!("{name}-{}.trust", hex::encode(&hash[..8]))
}

/// Whether anything is left by which the ledger could be known.
fn is_there(trust: &Path) -> Result<bool> {
    let copy = pin_copy(trust);
    for path in [trust, &copy] {
        if path.try_exists().map_err(|cause| file_error(path, cause))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn note(trust: &Path) -> PathBuf {
    trust.with_added_extension("see")
}

/// The trust file that a note names in this one's stead, if it is there.
fn noted(trust: &Path) -> Result<Option<PathBuf>> {
    let note = note(trust);
    let Some(bytes) = whole_file::read(&note, LONGEST)? else { return Ok(None) };
    let name = String::from_utf8(bytes).ok();
    let Some(name) = name.filter(|name| Path::new(name).file_name() == Some(name.as_ref())) else {
        return Err(Error::Config(format!(
            "{} does not name a trust file beside it: remove it, and name the ledger's trust file \
             as `file` in [trust]",
            note.display()
        )));
    };
    let file = trust.with_file_name(name);
    Ok(if is_there(&file)? { Some(file) } else { None })
}

fn ambiguous(ledger: &Path, names: &[PathBuf], known: &[PathBuf]) -> Error {
    let list = |paths: &[PathBuf]| {
        let shown: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        shown.join(" and ")
    };
    Error::Config(format!(
        "{} is a link, and its names ({}) are those of ledgers that are known each by a trust file \
         of its own ({}): if the link is yours, name the ledger itself as `path`, or the right one \
         of these as `file` in [trust]",
        ledger.display(),
        list(names),
        list(known)
    ))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::config::FirstContact;
    use crate::error::Unavailable;
    use crate::store::EventStore;
    use crate::verdict::Verdict;

    struct Folders {
        root: tempfile::TempDir,
    }

    impl Folders {
        fn new() -> Self {
            let folders = Self { root: tempfile::tempdir().unwrap() };
            std::fs::create_dir(folders.trust()).unwrap();
            folders
        }

        fn path(&self, name: &str) -> PathBuf {
            self.root.path().canonicalize().unwrap().join(name)
        }

        fn trust(&self) -> PathBuf {
            self.path("trust")
        }

        fn find(&self, name: &str) -> Result<TrustFile> {
            TrustFile::find(&self.path(name), &self.trust())
        }

        /// Opened under this name, as if all went well.
        fn know(&self, name: &str) -> PathBuf {
            let found = self.find(name).unwrap();
            std::fs::write(&found.path, "").unwrap();
            found.keep_names().unwrap();
            found.path
        }
    }

    #[test]
    fn a_link_in_a_ledgers_place_leads_to_what_is_known_of_the_ledger() {
        let folders = Folders::new();
        std::fs::write(folders.path("ledger"), "").unwrap();
        let trust = folders.know("ledger");
        std::fs::rename(folders.path("ledger"), folders.path("away")).unwrap();
        for target in ["nothing", "other", "away"] {
            if target == "other" {
                std::fs::write(folders.path(target), "").unwrap();
            }
            symlink(target, folders.path("ledger")).unwrap();
            assert_eq!(folders.find("ledger").unwrap().path, trust, "{target}");
            std::fs::remove_file(folders.path("ledger")).unwrap();
        }
        // The copy of its pin is as good.
        std::fs::rename(&trust, pin_copy(&trust)).unwrap();
        symlink("other", folders.path("ledger")).unwrap();
        assert_eq!(folders.find("ledger").unwrap().path, trust);
    }

    #[test]
    fn a_ledger_that_was_met_through_a_link_is_known_by_both_names() {
        let folders = Folders::new();
        std::fs::create_dir(folders.path("disk")).unwrap();
        symlink("disk", folders.path("folder")).unwrap();
        symlink("folder/ledger", folders.path("link")).unwrap();
        let trust = folders.know("link");
        for name in ["link", "folder/ledger", "disk/ledger"] {
            assert_eq!(folders.know(name), trust, "{name}");
        }
        // Led elsewhere, and the folder too: they are still names of a ledger that is known.
        for (name, target) in [("link", "elsewhere"), ("folder", "other")] {
            std::fs::remove_file(folders.path(name)).unwrap();
            symlink(target, folders.path(name)).unwrap();
        }
        for name in ["link", "folder/ledger"] {
            assert_eq!(folders.find(name).unwrap().path, trust, "{name}");
        }
        std::fs::remove_file(folders.path("link")).unwrap();
        std::fs::write(folders.path("link"), "").unwrap();
        assert_eq!(folders.find("link").unwrap().path, trust, "no link any more");
    }

    #[test]
    fn a_link_between_two_known_ledgers_is_refused() {
        let folders = Folders::new();
        let (one, other) = (folders.know("one"), folders.know("other"));
        assert_ne!(one, other);
        symlink("other", folders.path("one")).unwrap();
        let text = folders.find("one").unwrap_err().to_string();
        for trust in [&one, &other] {
            assert!(text.contains(&trust.display().to_string()), "{text}");
        }
        // What is forgotten decides nothing.
        std::fs::remove_file(one).unwrap();
        assert_eq!(folders.find("one").unwrap().path, other);
    }

    #[test]
    fn a_note_names_a_file_beside_it() {
        let folders = Folders::new();
        symlink("target", folders.path("link")).unwrap();
        folders.know("link");
        let wrong: Vec<PathBuf> = std::fs::read_dir(folders.trust())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "see"))
            .collect();
        let [note] = &wrong[..] else { panic!("{wrong:?}") };
        for text in ["", "..", "../x", "/x", "a/b"] {
            std::fs::write(note, text).unwrap();
            assert!(matches!(folders.find("link"), Err(Error::Config(_))), "{text:?}");
        }
    }

    /// Whatever the link leads to: it is in the place of a ledger that is known.
    #[tokio::test]
    async fn a_ledger_that_became_a_link_is_missed_or_another_one() {
        let folders = Folders::new();
        let config = |name: &str| {
            let mut config = Config::embedded(folders.path(name));
            config.trust.file = Some(folders.find(name).unwrap().path);
            config.trust.first_contact = FirstContact::Accept;
            config
        };
        let store = EventStore::open(&config("ledger")).await.unwrap();
        let (expected, pinned) = (store.ledger_id().await.unwrap(), store.state().await.unwrap());
        store.close().await.unwrap();
        let mut elsewhere = Config::embedded(folders.path("other"));
        elsewhere.trust.file = Some(folders.path("trust of another"));
        let other = EventStore::open(&elsewhere).await.unwrap();
        let found = other.ledger_id().await.unwrap();
        other.close().await.unwrap();
        std::fs::write(folders.path("empty"), "").unwrap();
        std::fs::rename(folders.path("ledger"), folders.path("away")).unwrap();
        for (target, wanted) in [
            ("nothing", Verdict::Missing { pinned }),
            ("empty", Verdict::Missing { pinned }),
            ("other", Verdict::Recreated { expected, found, pinned }),
        ] {
            symlink(target, folders.path("ledger")).unwrap();
            for opened in [
                EventStore::open(&config("ledger")).await,
                EventStore::open_read_only(&config("ledger")).await,
            ] {
                let error = opened.unwrap_err();
                assert_eq!(error.verdict(), Some(&wanted), "{target}: {error}");
            }
            std::fs::remove_file(folders.path("ledger")).unwrap();
        }
        assert!(!folders.path("nothing").exists(), "a ledger was made");
        symlink("away", folders.path("ledger")).unwrap();
        let store = EventStore::open(&config("ledger")).await.unwrap();
        assert_eq!(store.state().await.unwrap(), pinned);
    }

    /// Of the ledger and of the trust file, whatever the names say.
    #[tokio::test]
    async fn two_names_of_one_file_have_one_writer() {
        let folders = Folders::new();
        let config = |ledger: &str, trust: &str| {
            let mut config = Config::embedded(folders.path(ledger));
            config.trust.file = Some(folders.path(trust));
            config.trust.first_contact = FirstContact::Accept;
            config
        };
        symlink("ledger", folders.path("link")).unwrap();
        symlink("pin", folders.path("trust link")).unwrap();
        let _writer = EventStore::open(&config("ledger", "pin")).await.unwrap();
        for (ledger, trust, held) in
            [("link", "other pin", "ledger"), ("other", "trust link", "pin")]
        {
            let error = EventStore::open(&config(ledger, trust)).await.unwrap_err();
            let Error::Unavailable(Unavailable::InUse { path, .. }) = &error else {
                panic!("{ledger} {trust}: {error}")
            };
            assert_eq!(path, &folders.path(held));
        }
    }
}
