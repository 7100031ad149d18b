//! Numbers as types of their own: a position in a tree is not a transaction, nor a size.

use core::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(u64);

        impl $name {
            /// Every number is legal here; what it is used for decides whether it makes sense.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The number.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl From<u64> for $name {
            fn from(number: u64) -> Self {
                Self(number)
            }
        }

        impl From<$name> for u64 {
            fn from(number: $name) -> Self {
                number.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u64(self.0)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                u64::deserialize(deserializer).map(Self)
            }
        }
    };
}

number! {
    /// The number of a transaction, counted from 1. 0 stands for "none", as in
    /// [`bl_tx_id`](crate::Header::bl_tx_id) before there is a tree.
    TxId
}

number! {
    /// How many leaves a tree has.
    TreeSize
}

number! {
    /// The position of a leaf, counted from 0.
    LeafIndex
}

impl TxId {
    /// Where this transaction stands in the ledger's tree: transaction k is leaf k − 1. `None` for
    /// 0, which is no transaction.
    pub const fn leaf_index(self) -> Option<LeafIndex> {
        match self.0.checked_sub(1) {
            Some(index) => Some(LeafIndex(index)),
            None => None,
        }
    }

    /// The transaction after this one. `None` after 2^64 − 1.
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(next) => Some(Self(next)),
            None => None,
        }
    }

    /// The size of the ledger's tree with this transaction as its last leaf.
    pub const fn tree_size(self) -> TreeSize {
        TreeSize(self.0)
    }
}
