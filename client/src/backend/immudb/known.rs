//! What is known about endpoints: which ledger lies where, and which is
//! about to be created there.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use counterfoil_core::Alh;

use crate::config::ImmudbConfig;
use crate::error::{Result, Unavailable};
use crate::row::StoredRow;
use crate::schema;
use crate::sqlite::damaged;
use crate::whole_file;

/// The folder of all immudb logs, seen from one endpoint.
pub(super) struct Known {
    folder: PathBuf,
    endpoint: String,
}

impl Known {
    pub(super) fn new(folder: PathBuf, config: &ImmudbConfig) -> Result<Self> {
        let safe = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' };
        let host: String = config.host.chars().map(safe).collect();
        let endpoint = format!("{host}-{}-{}", config.port, config.database);
        std::fs::create_dir_all(&folder)
            .map_err(|cause| Unavailable::file(folder.clone(), cause))?;
        Ok(Self { folder, endpoint })
    }

    /// The log of a ledger.
    pub(super) fn log(&self, ledger: Alh) -> PathBuf {
        self.folder.join(format!("{ledger}.log"))
    }

    /// The ledger that lay at this endpoint the last time.
    pub(super) fn ledger(&self) -> Result<Option<Alh>> {
        let path = self.path("ledger");
        let Some(text) = read(&path)? else { return Ok(None) };
        let alh = text.trim().parse();
        alh.map(Some).map_err(|_| damaged(format!("{} holds no ledger id", path.display())))
    }

    /// Remembers the ledger at this endpoint.
    pub(super) fn set_ledger(&self, ledger: Alh) -> Result<()> {
        self.replace("ledger", &format!("{ledger}\n"))
    }

    /// The genesis row that this client sent, if it cannot tell yet what
    /// became of it.
    pub(super) fn genesis(&self) -> Result<Option<StoredRow>> {
        let path = self.path("genesis");
        let Some(text) = read(&path)? else { return Ok(None) };
        let malformed = || damaged(format!("{} is malformed", path.display()));
        let (nonce, created_at) = text.trim().split_once(' ').ok_or_else(malformed)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(nonce, &mut bytes).map_err(|_| malformed())?;
        Ok(Some(schema::genesis_row(bytes, created_at.parse().map_err(|_| malformed())?)))
    }

    /// Keeps the genesis row before it is sent.
    pub(super) fn keep_genesis(&self, nonce: &[u8; 32], created_at: i64) -> Result<()> {
        self.replace("genesis", &format!("{} {created_at}\n", hex::encode(nonce)))
    }

    /// The genesis is settled.
    pub(super) fn forget_genesis(&self) -> Result<()> {
        let path = self.path("genesis");
        match std::fs::remove_file(&path) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => {
                Err(Unavailable::file(path, cause).into())
            }
            _ => Ok(()),
        }
    }

    fn path(&self, what: &str) -> PathBuf {
        self.folder.join(format!("{}.{what}", self.endpoint))
    }

    fn replace(&self, what: &str, text: &str) -> Result<()> {
        Ok(whole_file::replace(&self.path(what), text.as_bytes())?)
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Unavailable::file(path, cause).into()),
    }
}
