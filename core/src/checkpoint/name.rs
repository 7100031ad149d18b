//! What names a key.

use core::fmt;

use super::error::NoteError;
use crate::digest::Alh;

/// The name of a key, of which a log's is the log's origin: not empty, no Unicode space, no control
/// character, no `+`, at most [`MAX_LEN`](Self::MAX_LEN) bytes. A URL without its scheme is
/// recommended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyName<'a>(&'a str);

impl<'a> KeyName<'a> {
    /// The most bytes of a name: as many as the length in an ML-DSA cosignature's message can say.
    pub const MAX_LEN: usize = 255;

    /// Takes a name that is one.
    ///
    /// # Errors
    ///
    /// [`NoteError::Name`].
    pub fn new(name: &'a str) -> Result<Self, NoteError> {
        let unfit = |c: char| c == '+' || c.is_whitespace() || c.is_control();
        if name.is_empty() || name.len() > Self::MAX_LEN || name.chars().any(unfit) {
            return Err(NoteError::Name);
        }
        Ok(Self(name))
    }

    /// The name.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// Whether it names another ledger than this one: it is `counterfoil/` and 64 hex digits, and those
    /// are not this ledger's id as it is written, in lower case. Any other name says nothing about
    /// ledgers.
    pub fn names_other_ledger(&self, ledger: &Alh) -> bool {
        let Some(id) = self.0.strip_prefix("counterfoil/") else { return false };
        let (pairs, []) = id.as_bytes().as_chunks::<2>() else { return false };
        let digit = |nibble: u8| match nibble {
            0..=9 => nibble.wrapping_add(b'0'),
            _ => nibble.wrapping_add(b'a' - 10),
        };
        let is_byte = |([high, low], byte): (&[u8; 2], &u8)| {
            *high == digit(*byte >> 4) && *low == digit(*byte & 0xf)
        };
        pairs.len() == 32
            && id.bytes().all(|digit| digit.is_ascii_hexdigit())
            && !pairs.iter().zip(ledger.as_bytes()).all(is_byte)
    }
}

impl fmt::Display for KeyName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The four bytes that, with its name, say which key signed. Not a commitment to the key: others with
/// the same four bytes are easily made, and what they sign does not verify.
///
/// Written as 8 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

impl KeyId {
    /// From its bytes, the most significant first.
    pub const fn new(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The first four bytes of `H(name ‖ 0A ‖ type ‖ key)`.
    #[cfg(feature = "ed25519")]
    pub(super) fn of(name: KeyName<'_>, kind: u8, key: &[u8; 32]) -> Self {
        let hash = crate::sha256::Sha256::new()
            .chain(name.0.as_bytes())
            .chain(&[b'\n', kind])
            .chain(key)
            .finish();
        let [a, b, c, d, ..] = hash;
        Self([a, b, c, d])
    }

    /// Its bytes.
    pub const fn to_bytes(self) -> [u8; 4] {
        self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}
