//! Keys that sign: of authors, logs and witnesses. In a file, or wherever a trait's owner keeps them.

use std::fmt;
use std::fs::File;
use std::path::Path;

use base64ct::{Base64, Encoding as _};
use counterfoil_core::Ed25519Key;
use counterfoil_core::checkpoint::{KeyId, KeyName, LogKey};
use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use crate::error::{Error, Result, Unavailable};
use crate::whole_file;

/// A key that signs by Ed25519 (RFC 8032 §5.1.6), wherever its secret is: in a file
/// ([`SigningKeyFile`]), a hardware module, another process.
///
/// What is signed is checked under [`public_key`](Self::public_key) before it is used, so that a
/// faulty signer gives nothing out but an error.
pub trait Ed25519Signer: Send + Sync {
    /// The public key.
    fn public_key(&self) -> Ed25519Key;

    /// Signs these bytes, as they are. Called on a thread that may block.
    ///
    /// # Errors
    ///
    /// [`SigningFailed`], in the words of whatever keeps the key.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SigningFailed>;
}

/// A key did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key did not sign: {cause}")]
pub struct SigningFailed {
    /// What the key's keeper said.
    pub cause: String,
}

impl SigningFailed {
    /// With what the key's keeper said.
    pub fn new(cause: impl fmt::Display) -> Self {
        Self { cause: cause.to_string() }
    }
}

/// A signature that is the key's: checked, so that a fault of the signer stays here.
pub(crate) fn sign(key: &dyn Ed25519Signer, message: &[u8]) -> Result<[u8; 64], SigningFailed> {
    let signature = key.sign(message)?;
    match key.public_key().verify(&[message], &signature) {
        Ok(()) => Ok(signature),
        Err(_) => Err(SigningFailed::new("it gave a signature that does not verify")),
    }
}

/// A key with a name, from a file in the form of Go's `sumdb/note`:
/// `PRIVATE+KEY+<name>+<key id, 8 hex digits>+<base64 of 01 ‖ 32-byte seed>` and a line feed.
///
/// The file has mode 0600; on Unix one that anybody but its owner may read is refused. Whoever has the
/// file can sign: back it up as what it is, or have another key at hand.
///
/// One key for one purpose: a log's, a witness's or an author's.
pub struct SigningKeyFile {
    name: String,
    id: KeyId,
    key: SigningKey,
    public: Ed25519Key,
}

/// The longest file.
const MOST: u64 = 1024;

/// Type byte of an Ed25519 key.
const ED25519: u8 = 0x01;

impl SigningKeyFile {
    /// Makes a key from the operating system's random bytes, and its file, which must not be there yet.
    /// It is on disk when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a name that no key can have: it is empty, longer than 255 bytes, or holds
    /// a space, a control character or a `+`. [`Error::Unavailable`] if the file is there or cannot be
    /// written; [`Error::Signing`] if there are no random bytes.
    pub fn generate(path: &Path, name: &str) -> Result<Self> {
        KeyName::new(name).map_err(|_| Error::Invalid(NO_NAME.into()))?;
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut seed[..]).map_err(SigningFailed::new)?;
        let made = Self::new(name, &seed).map_err(SigningFailed::new)?;
        whole_file::create(path, made.text().as_bytes())?;
        Ok(made)
    }

    /// Reads a key's file.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if it cannot be read; [`Error::Config`] if others may read it, or it is
    /// no such file.
    pub fn load(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|cause| Unavailable::file(path, cause))?;
        let bad = |why: &str| Error::Config(format!("{}: {why}", path.display()));
        // Of the file that is open: the name could be another's a moment later.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let found = file.metadata().map_err(|cause| Unavailable::file(path, cause))?;
            if found.permissions().mode() & 0o077 != 0 {
                return Err(bad(
                    "others than its owner may use this key; chmod 600, or make a new one if they could have",
                ));
            }
        }
        let content = Zeroizing::new(whole_file::read_open(path, file, MOST)?);
        let text = std::str::from_utf8(&content).map_err(|_| bad(NO_KEY))?;
        Self::parse(text).map_err(bad)
    }

    /// Reads what such a file holds, wherever it is kept. The text is the caller's to keep secret, and to
    /// wipe.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if it is no such text; it repeats nothing of it.
    pub fn from_text(text: &str) -> Result<Self> {
        Self::parse(text).map_err(|why| Error::Config(why.into()))
    }

    /// The key's name: for a log its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let named = line.strip_prefix("PRIVATE+KEY+").ok_or(NO_KEY)?;
        // The key itself may hold a `+`, name and id cannot.
        let mut parts = named.splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NO_KEY);
        };
        let mut bytes = Zeroizing::new([0; 33]);
        let [ED25519, seed @ ..] = decode(key, &mut bytes)? else {
            return Err("it is not an Ed25519 key");
        };
        let read = Self::new(name, seed)?;
        // Also every spelling of the text but one.
        match *line == *read.text().trim_end_matches('\n') {
            true => Ok(read),
            false => Err("its key id is not that of the key: the file is damaged"),
        }
    }

    fn new(name: &str, seed: &[u8; 32]) -> Result<Self, &'static str> {
        let checked = KeyName::new(name).map_err(|_| NO_NAME)?;
        let key = SigningKey::from_bytes(seed);
        let public = Ed25519Key::from_bytes(key.verifying_key().as_bytes());
        let public = public.map_err(|_| "the secret is one that no key can have")?;
        let id = LogKey::new(checked, public).id();
        Ok(Self { name: name.to_owned(), id, key, public })
    }

    /// What the file holds.
    fn text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([ED25519; 33]);
        bytes[1..].copy_from_slice(self.key.as_bytes());
        let key = Zeroizing::new(Base64::encode_string(&bytes[..]));
        Zeroizing::new(format!("PRIVATE+KEY+{}+{}+{}\n", self.name, self.id, key.as_str()))
    }
}

const NO_NAME: &str =
    "the name of a key has 1 to 255 bytes, and no space, control character or `+`";
const NO_KEY: &str = "it is not a signing key (PRIVATE+KEY+<name>+<id>+<key>)";

fn decode<'a>(key: &str, bytes: &'a mut [u8; 33]) -> Result<&'a [u8; 33], &'static str> {
    match Base64::decode(key, &mut bytes[..]) {
        Ok(decoded) => decoded.try_into().map_err(|_| NO_KEY),
        Err(_) => Err(NO_KEY),
    }
}

impl Ed25519Signer for SigningKeyFile {
    fn public_key(&self) -> Ed25519Key {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SigningFailed> {
        Ok(self.key.sign(message).to_bytes())
    }
}

impl fmt::Debug for SigningKeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeyFile").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by Go's `note.GenerateKey`.
    const GO: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n";

    fn file(content: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    #[test]
    fn a_key_of_gos_notes_signs_as_there() {
        let key = SigningKeyFile::load(file(GO).path()).unwrap();
        assert_eq!(key.name(), "PeterNeumann");
        // PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW
        let public = "1a5cd907143c384c41e830c5bce12aa8817ec5649aaabf2c31388b35b2d744d6";
        assert_eq!(hex::encode(key.public_key().as_bytes()), public);
        assert_eq!(key.text().as_str(), GO);
        assert_eq!(SigningKeyFile::load(file(GO.trim_end()).path()).unwrap().name(), key.name());
        let signature = sign(&key, b"message").unwrap();
        key.public_key().verify(&[b"message"], &signature).unwrap();
    }

    #[test]
    fn what_was_generated_is_what_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let made = SigningKeyFile::generate(&path, "example.com/log").unwrap();
        let read = SigningKeyFile::load(&path).unwrap();
        assert_eq!((read.name(), read.public_key()), (made.name(), made.public_key()));
        let other =
            SigningKeyFile::generate(&folder.path().join("other"), "example.com/log").unwrap();
        assert_ne!(other.public_key(), made.public_key());
        let shown = format!("{made:?}");
        assert_eq!(shown, r#"SigningKeyFile { name: "example.com/log", .. }"#);

        let before = std::fs::read(&path).unwrap();
        let again = SigningKeyFile::generate(&path, "example.com/log").unwrap_err();
        assert!(matches!(again, Error::Unavailable(_)), "{again}");
        assert_eq!(std::fs::read(&path).unwrap(), before, "a key is never written over");
        let long = "x".repeat(256);
        for name in ["", "a b", "a+b", "a\nb", "a\u{2003}b", "a\0", long.as_str()] {
            let path = folder.path().join("none");
            let refused = SigningKeyFile::generate(&path, name).unwrap_err();
            assert!(matches!(refused, Error::Invalid(_)), "{name:?}: {refused}");
            assert!(!path.exists());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::fs::Permissions;
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        SigningKeyFile::generate(&path, "log").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for bit in [0o040, 0o020, 0o010, 0o004, 0o002, 0o001] {
            std::fs::set_permissions(&path, Permissions::from_mode(0o600 | bit)).unwrap();
            let refused = SigningKeyFile::load(&path).unwrap_err();
            assert!(refused.to_string().contains("chmod 600"), "{bit:o}: {refused}");
        }
        std::fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        SigningKeyFile::load(&path).unwrap();
    }

    /// Every flipped bit of the file, every shorter and a longer one.
    #[test]
    fn a_damaged_file_is_no_key() {
        for at in 0..GO.len() - 1 {
            for bit in 0..8 {
                let mut bytes = GO.as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                if let Ok(text) = std::str::from_utf8(&bytes) {
                    assert!(SigningKeyFile::parse(text).is_err(), "{at} {bit}: {text}");
                }
            }
            assert!(SigningKeyFile::parse(&GO[..at]).is_err(), "{at}");
        }
        for more in ["\n", "\r\n", "A", "=", " "] {
            assert!(SigningKeyFile::parse(&format!("{GO}{more}")).is_err());
        }
        let public = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        assert_eq!(SigningKeyFile::parse(public).unwrap_err(), NO_KEY);
        let long = file(&"x".repeat(2000));
        let refused = SigningKeyFile::load(long.path()).unwrap_err();
        assert!(refused.to_string().contains("too large"), "{refused}");
    }

    #[test]
    fn a_faulty_signer_gives_nothing_out() {
        struct Faulty(SigningKeyFile);
        impl Ed25519Signer for Faulty {
            fn public_key(&self) -> Ed25519Key {
                self.0.public_key()
            }
            fn sign(&self, message: &[u8]) -> Result<[u8; 64], SigningFailed> {
                let mut signature = self.0.sign(message)?;
                signature[40] ^= 1;
                Ok(signature)
            }
        }
        let faulty = Faulty(SigningKeyFile::parse(GO).unwrap());
        assert!(sign(&faulty, b"message").is_err());
    }
}
