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
    /// No other endpoint's.
    endpoint: String,
    /// How an earlier version called it, if that is another name: perhaps one
    /// that it shared with others. What is found under it counts until this
    /// endpoint has files of its own.
    shared: Option<String>,
}

impl Known {
    pub(super) fn new(folder: PathBuf, config: &ImmudbConfig) -> Result<Self> {
        let (host, port, database) = (&config.host, config.port, &config.database);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
        let name = |host: String| format!("{host}-{port}-{database}");
        let endpoint = name(host.chars().fold(String::new(), |mut name, c| {
            match is_plain(c) {
                true => name.push(c),
                false => {
                    let bytes = c.to_string();
                    name.extend(bytes.bytes().map(|byte| format!("%{byte:02x}")));
                }
            }
            name
        }));
        let shared = name(host.chars().map(|c| if is_plain(c) { c } else { '_' }).collect());
        let shared = Some(shared).filter(|shared| *shared != endpoint);
        std::fs::create_dir_all(&folder)
            .map_err(|cause| Unavailable::file(folder.clone(), cause))?;
        Ok(Self { folder, endpoint, shared })
    }

    /// The log of a ledger.
    pub(super) fn log(&self, ledger: Alh) -> PathBuf {
        self.folder.join(format!("{ledger}.log"))
    }

    /// The ledger that lay at this endpoint the last time.
    pub(super) fn ledger(&self) -> Result<Option<Alh>> {
        let Some((path, text)) = self.read("ledger")? else { return Ok(None) };
        let alh = text.trim().parse();
        alh.map(Some).map_err(|_| damaged(format!("{} holds no ledger id", path.display())))
    }

    /// Remembers the ledger at this endpoint. What was under the shared name
    /// was this endpoint's, and is no other's from now on.
    pub(super) fn set_ledger(&self, ledger: Alh) -> Result<()> {
        let text = format!("{ledger}\n");
        let Some(shared) = self.shared.as_ref().filter(|_| !self.path("ledger").exists()) else {
            return self.replace("ledger", &text);
        };
        let shared = |what: &str| self.folder.join(format!("{shared}.{what}"));
        let (old, own) = (shared("genesis"), self.path("genesis"));
        match std::fs::rename(&old, own) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => {
                return Err(Unavailable::file(old, cause).into());
            }
            _ => {}
        }
        self.replace("ledger", &text)?;
        remove(shared("ledger"))
    }

    /// The genesis row that this client sent, if it cannot tell yet what
    /// became of it.
    pub(super) fn genesis(&self) -> Result<Option<StoredRow>> {
        let Some((path, text)) = self.read("genesis")? else { return Ok(None) };
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
        match self.read("genesis")? {
            Some((path, _)) => remove(path),
            None => Ok(()),
        }
    }

    /// What is kept of this endpoint, and where.
    fn read(&self, what: &str) -> Result<Option<(PathBuf, String)>> {
        let own = self.path(what);
        if let Some(text) = read(&own)? {
            return Ok(Some((own, text)));
        }
        // Whoever has a ledger of its own has left the shared name.
        let Some(shared) = self.shared.as_ref().filter(|_| !self.path("ledger").exists()) else {
            return Ok(None);
        };
        let shared = self.folder.join(format!("{shared}.{what}"));
        Ok(read(&shared)?.map(|text| (shared, text)))
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

fn remove(path: PathBuf) -> Result<()> {
    match std::fs::remove_file(&path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => {
            Err(Unavailable::file(path, cause).into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use counterfoil_test_support::{TempDir, temp_dir};

    use super::*;

    fn known(folder: &TempDir, host: &str) -> Known {
        let config = ImmudbConfig { host: host.into(), ..ImmudbConfig::default() };
        Known::new(folder.path().to_path_buf(), &config).unwrap()
    }

    #[test]
    fn no_two_endpoints_share_a_name() {
        let folder = temp_dir("known");
        let hosts = ["a-b", "a_b", "a:b", "a.b", "ab", "a%2db", "ä", "::1", "a", "a-5432-angzarr"];
        for (n, host) in (0..).zip(hosts) {
            assert_eq!(known(&folder, host).ledger().unwrap(), None, "{host}");
            known(&folder, host).set_ledger(Alh::new([n; 32])).unwrap();
        }
        for (n, host) in (0..).zip(hosts) {
            assert_eq!(known(&folder, host).ledger().unwrap(), Some(Alh::new([n; 32])), "{host}");
        }
        // This is what the files of most have always been called.
        assert!(folder.join("a.b-5432-angzarr.ledger").exists());
    }

    /// What an earlier version noted under a name that several hosts had is
    /// believed until one of them has taken it.
    #[test]
    fn what_an_earlier_version_noted_is_not_lost() {
        for (first, second) in [("a-b", "a_b"), ("a_b", "a-b")] {
            let folder = temp_dir("known");
            let (old, new) = (Alh::new([1; 32]), Alh::new([2; 32]));
            std::fs::write(folder.join("a_b-5432-angzarr.ledger"), format!("{old}\n")).unwrap();
            let genesis = format!("{} 7\n", hex::encode([3; 32]));
            std::fs::write(folder.join("a_b-5432-angzarr.genesis"), genesis).unwrap();
            assert_eq!(known(&folder, second).ledger().unwrap(), Some(old));
            let one = known(&folder, first);
            assert_eq!(one.ledger().unwrap(), Some(old));
            assert_eq!(one.genesis().unwrap(), Some(schema::genesis_row([3; 32], 7)));
            one.set_ledger(old).unwrap();
            assert_eq!(one.genesis().unwrap(), Some(schema::genesis_row([3; 32], 7)));
            one.forget_genesis().unwrap();
            assert_eq!(one.genesis().unwrap(), None);
            let other = known(&folder, second);
            assert_eq!((other.ledger().unwrap(), other.genesis().unwrap()), (None, None));
            other.set_ledger(new).unwrap();
            assert_eq!(known(&folder, first).ledger().unwrap(), Some(old));
            assert_eq!(known(&folder, second).ledger().unwrap(), Some(new));
        }
    }
}
