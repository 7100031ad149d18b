//! Without P-256 there are no state keys.

use std::path::Path;

use counterfoil_core::StateKeyId;

use super::document::StateKeyTable;
use super::error::{PolicyError, PolicyProblem};

/// There is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DatabaseKey {}

impl DatabaseKey {
    /// Left out, its signatures would be told as those of a key that the policy has not.
    pub(super) fn of(_: StateKeyTable, place: &str, _: Option<&Path>) -> Result<Self, PolicyError> {
        let what =
            "this program was built without P-256, and cannot check what a server's key signed";
        Err(PolicyProblem::new(place, what, "use one that can, or a policy without state keys")
            .into())
    }

    pub(super) fn to_table(&self) -> StateKeyTable {
        match *self {}
    }

    pub(super) fn id(&self) -> StateKeyId {
        match *self {}
    }
}
