//! Hashes as lower-case hex.

use counterfoil_core::Root;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ledger::Hash;

/// One hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hex(pub Hash);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Root::new(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Root::deserialize(deserializer).map(|root| Self(root.to_bytes()))
    }
}

/// A list of hashes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hashes(pub Vec<Hash>);

impl Serialize for Hashes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|hash| Hex(*hash)))
    }
}

impl<'de> Deserialize<'de> for Hashes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hashes = Vec::<Hex>::deserialize(deserializer)?;
        Ok(Self(hashes.into_iter().map(|hex| hex.0).collect()))
    }
}
