//! Without the feature `ed25519` no log's signature is looked at.

use super::flaw::Flaw;
use super::known::Known;
use super::parse::Receipt;
use super::path::Path;
use super::policy::Policy;
use super::verdict::Verdict;
use crate::number::TxId;
use crate::state::TrustedState;

/// What a checkpoint says: there is none that says anything.
#[derive(Clone, Copy, Debug)]
pub(super) enum Logged {}

impl Logged {
    pub(super) const fn up_to(&self) -> TxId {
        match *self {}
    }

    pub(super) const fn verdict(&self) -> Verdict {
        match *self {}
    }

    pub(super) const fn newest(&self) -> Option<TrustedState> {
        match *self {}
    }

    pub(super) const fn meet(&mut self, _: &Known<'_>, _: TxId, _: Path<'_>, _: [Option<TxId>; 2]) {
        match *self {}
    }
}

impl Receipt<'_> {
    pub(super) const fn logged(&self, _: &Policy<'_>) -> Result<Option<Logged>, Flaw> {
        Ok(None)
    }
}
