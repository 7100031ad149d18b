//! A ledger file and its trust file as they were at one moment.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use counterfoil_core::TrustedState;
use serde::Serialize;
use sqlx::Connection as _;

use super::file::LedgerFile;
use super::open::file_error;
use super::trust_file::TrustFile;
use crate::config::{BackendKind, Config};
use crate::error::{Error, Result, Unavailable};
use crate::sqlite::{self, FileKind};
use crate::trust::{Trust, compare};

/// What [`back_up`] made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BackedUp {
    /// The state of the copies: the pin of the one, the end of the other. Keep
    /// it elsewhere, too: it tells later whether a copy is the newest.
    pub state: TrustedState,
    /// The copy of the ledger file.
    pub ledger: PathBuf,
    /// The copy of the trust file.
    pub trust: PathBuf,
}

/// Copies an embedded ledger and its trust file into a new folder, as `ledger`
/// and `trust`: a pair that opens, of one moment, while anybody writes. What
/// was acknowledged before is in it.
///
/// The folder appears when both are on disk. The copies are compared with each
/// other, not with themselves: an [`Audit`](crate::Audit) of the pair does
/// that. How to restore them, and what an older copy of either means, is in
/// `docs/backup.md`.
///
/// # Errors
///
/// [`Error::Ledger`] if the ledger does not hold the pinned state;
/// [`Error::Unavailable`] if a file is missing or cannot be copied, or the
/// folder is there already; [`Error::Config`] for a ledger on a server, whose
/// data are backed up there.
pub async fn back_up(config: &Config, folder: impl AsRef<Path>) -> Result<BackedUp> {
    if config.storage.backend != BackendKind::Embedded {
        return Err(Error::Config(
            "a server's ledger is backed up at the server; of this client keep the newest state \
             (docs/backup.md)"
                .into(),
        ));
    }
    let (folder, trust) = (folder.as_ref(), TrustFile::of(config)?.path);
    let ledger = &config.storage.embedded.path;
    if folder.try_exists().map_err(|cause| file_error(folder, cause))? {
        let cause = "it is there already; a backup makes a new folder";
        return Err(file_error(folder, std::io::Error::new(ErrorKind::AlreadyExists, cause)));
    }
    if !ledger.try_exists().map_err(|cause| file_error(ledger, cause))? {
        return Err(Unavailable::NoLedger { path: ledger.clone() }.into());
    }
    if !trust.try_exists().map_err(|cause| file_error(&trust, cause))? {
        let cause = "the ledger has no trust file here; name it as `file` in [trust], or open the \
            ledger once, which makes one";
        return Err(file_error(&trust, std::io::Error::new(ErrorKind::NotFound, cause)));
    }
    let begun = begin(folder).map_err(|cause| file_error(folder, cause))?;
    let made = Pair { ledger: begun.join(LEDGER), trust: begun.join(TRUST) };
    // The pin first: the ledger is then as far, or further.
    sqlite::copy(&trust, FileKind::Log, &made.trust).await?;
    LedgerFile::copy(ledger, &made.ledger).await?;
    let state = made.cut().await?;
    made.finish(&begun, folder).map_err(|cause| file_error(folder, cause))?;
    Ok(BackedUp { state, ledger: folder.join(LEDGER), trust: folder.join(TRUST) })
}

const LEDGER: &str = "ledger";
const TRUST: &str = "trust";

/// Where the copies are made before they are complete. What an interrupted
/// backup left there is removed.
fn begin(folder: &Path) -> std::io::Result<PathBuf> {
    let begun = folder.with_added_extension("part");
    std::fs::create_dir_all(&begun)?;
    for name in [LEDGER, TRUST] {
        for suffix in ["", "-journal"] {
            match std::fs::remove_file(begun.join(format!("{name}{suffix}"))) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(begun)
}

/// Copies of the two files, the ledger's as new as the other or newer.
struct Pair {
    ledger: PathBuf,
    trust: PathBuf,
}

impl Pair {
    /// Takes out of the ledger what was committed after the pin was copied:
    /// nobody had been told of it when the backup began.
    async fn cut(&self) -> Result<TrustedState> {
        let mut trust = sqlite::open(&self.trust, FileKind::Log, false).await?;
        let pin = Trust::load(&mut trust).await?.and_then(|trust| trust.pin);
        trust.close().await?;
        let Some(pin) = pin else {
            return Err(Error::Invalid("the ledger is not pinned yet; open it once".into()));
        };
        let mut ledger = LedgerFile::of_copy(&self.ledger).await?;
        let (found, end) = (ledger.alh(pin.state.tx).await?, ledger.end().await?);
        compare(pin.state, found, end)?;
        ledger.cut(pin.state.tx).await?;
        Ok(pin.state)
    }

    fn finish(&self, begun: &Path, folder: &Path) -> std::io::Result<()> {
        for path in [&self.ledger, &self.trust] {
            File::open(path)?.sync_all()?;
        }
        // A folder's entries are on disk when it is synchronised itself; not
        // every system can do that.
        #[cfg(unix)]
        File::open(begun)?.sync_all()?;
        std::fs::rename(begun, folder)?;
        #[cfg(unix)]
        if let Some(parent) = folder.parent() {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    }
}
