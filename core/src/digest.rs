//! Hashes as types of their own, so that two of different meaning cannot be swapped, and the two
//! hash functions of an RFC 6962 tree.

use core::fmt;

use crate::number::TxId;
use crate::sha256::{Sha256, hash_both_in_two_blocks, hash_in_one_block, hash_in_two_blocks};
use crate::wire::lay;

/// `H("")`: the root of the empty tree and what stands before the first transaction.
const EMPTY_HASH: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Written as 64 lower-case hex digits.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Gives 32 bytes this meaning. Proves nothing about them.
            pub const fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The 32 bytes.
            pub const fn to_bytes(self) -> [u8; 32] {
                self.0
            }
        }

        impl fmt::LowerHex for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::LowerHex::fmt(self, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:x})"), self)
            }
        }

        /// Exactly 64 hex digits, lower case only.
        #[cfg(feature = "hex")]
        impl core::str::FromStr for $name {
            type Err = crate::error::ParseError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                hash_from_hex(text).map(Self)
            }
        }

        /// The hex digits in human-readable formats, else the 32 bytes as a fixed array (no length
        /// in front).
        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let expecting = "64 lower-case hex digits";
                    deserializer.deserialize_str(crate::error::FromStrVisitor::new(expecting))
                } else {
                    <[u8; 32]>::deserialize(deserializer).map(Self)
                }
            }
        }
    };
}

digest! {
    /// The accumulative hash of a transaction: `H(id u64 ‖ prev_alh ‖ inner)`.
    ///
    /// It commits to its header and, through `prev_alh`, to every transaction before it.
    Alh
}

digest! {
    /// The root of an RFC 6962 tree: of the ledger's tree over all [`Alh`]s (`bl_root`) or of one
    /// transaction's tree over its [`EntryDigest`]s (`eh`).
    ///
    /// A root does not commit to the size of its tree.
    Root
}

digest! {
    /// The digest of one entry of a transaction: key, metadata and the hash of the value.
    EntryDigest
}

digest! {
    /// The hash of a leaf, `H(00 ‖ data)` (RFC 9162 §2.1.1).
    LeafHash
}

digest! {
    /// The hash over the fields of a header that [`Alh`] binds to id and predecessor.
    InnerHash
}

digest! {
    /// `H(value)`, the hash of an entry's value.
    ValueHash
}

digest! {
    /// Names a server's key: the SHA-256 of its SubjectPublicKeyInfo in DER (RFC 5280 §4.1), what
    /// `openssl pkey -pubin -in key.pem -outform DER | sha256sum` prints of its PEM file.
    ///
    /// Whole, so that nobody can make a key with another one's name.
    StateKeyId
}

impl Alh {
    /// What stands as `prev_alh` in transaction 1: `H("")`.
    pub const BEFORE_FIRST: Self = Self(EMPTY_HASH);

    /// 32 zero bytes: what stands in a dual proof for the last leaf of a tree that is empty.
    pub const ZERO: Self = Self([0; 32]);

    /// The leaf of this transaction in the ledger's tree: `H(00 ‖ alh)`.
    pub fn leaf_hash(&self) -> LeafHash {
        leaf_hash(&self.0)
    }
}

impl Root {
    /// 32 zero bytes: the `bl_root` of a header whose tree is still empty (`bl_tx_id` is 0).
    pub const ZERO: Self = Self([0; 32]);

    /// `H("")`: the root of the empty tree (RFC 9162 §2.1.1).
    pub const EMPTY: Self = Self(EMPTY_HASH);
}

impl LeafHash {
    /// The root of the tree that has this leaf alone (RFC 9162 §2.1.1).
    pub(crate) const fn to_root(self) -> Root {
        Root(self.0)
    }
}

impl EntryDigest {
    /// The leaf of this entry in its transaction's tree: `H(00 ‖ digest)`.
    pub fn leaf_hash(&self) -> LeafHash {
        leaf_hash(&self.0)
    }
}

impl ValueHash {
    /// Hashes a value.
    pub fn of(value: &[u8]) -> Self {
        Self(Sha256::digest(value))
    }
}

/// The hash of a leaf, `H(00 ‖ data)` (RFC 9162 §2.1.1).
pub(crate) fn leaf_hash(data: &[u8; 32]) -> LeafHash {
    let mut block = [0; 64];
    lay(lay(&mut block, &[0]), data);
    LeafHash(hash_in_one_block::<33>(block))
}

/// The hash of an inner node, `H(01 ‖ left ‖ right)` (RFC 9162 §2.1.1).
pub fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    hash_in_two_blocks::<65>(&mut node(left, right))
}

/// The hashes of two nodes, left and right child of each, cheaper than one after the other.
#[inline]
pub(crate) fn node_hashes(
    a: (&[u8; 32], &[u8; 32]),
    b: (&[u8; 32], &[u8; 32]),
) -> ([u8; 32], [u8; 32]) {
    hash_both_in_two_blocks::<65>(&mut node(a.0, a.1), &mut node(b.0, b.1))
}

#[inline(always)]
fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 128] {
    let mut blocks = [0; 128];
    lay(lay(lay(&mut blocks, &[1]), left), right);
    blocks
}

/// One step of the chain, `H(id u64 ‖ prev_alh ‖ inner)`: the [`Alh`] of transaction `id`.
pub(crate) fn chain_hash(id: TxId, prev_alh: &[u8; 32], inner: &[u8; 32]) -> [u8; 32] {
    let mut blocks = [0; 128];
    lay(lay(lay(&mut blocks, &id.get().to_be_bytes()), prev_alh), inner);
    hash_in_two_blocks::<72>(&mut blocks)
}

#[cfg(feature = "hex")]
fn hash_from_hex(text: &str) -> Result<[u8; 32], crate::error::ParseError> {
    use crate::error::ParseError;

    let mut hash = [0; 32];
    if text.len() != 64 {
        return Err(ParseError::Length);
    }
    if text.bytes().any(|digit| digit.is_ascii_uppercase()) {
        return Err(ParseError::Digit);
    }
    hex::decode_to_slice(text, &mut hash).map_err(|_| ParseError::Digit)?;
    Ok(hash)
}
