//! Transactions of which header and hash are known, and what two of them have to say of each other.

use super::flaw::Flaw;
use super::policy::Policy;
use crate::chain::TxAlh;
use crate::digest::Alh;
use crate::header::RawHeader;
use crate::number::TxId;
use crate::state::TrustedState;

/// A transaction of which header and hash are known, wherever they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'k> {
    pub(super) header: RawHeader<'k>,
    pub(super) alh: &'k [u8; 32],
}

impl Known<'_> {
    pub(super) const fn state(&self) -> TxAlh {
        TxAlh { tx: self.header.id, alh: Alh::new(*self.alh) }
    }

    /// Where two are neighbours, the chain leads from one to the other.
    pub(super) fn agrees(&self, other: &Self) -> Result<(), Flaw> {
        follows(other.header.id, other.alh, self)?;
        follows(self.header.id, self.alh, other)
    }

    /// What the policy knows of the transaction or of its predecessor is what the header says. If a
    /// state is pinned for the transaction, this is it.
    pub(super) fn meets<'p>(&self, policy: &Policy<'p>) -> Result<Option<&'p TrustedState>, Flaw> {
        // Before transaction 1 there is none: what its header names was compared when it was read.
        let id = self.header.id;
        let before = TxId::new(id.get().saturating_sub(1));
        for (tx, found) in [(before, self.header.prev_alh), (id, self.alh)] {
            if policy.known(tx).is_some_and(|known| known.as_bytes() != found) {
                return Err(Flaw::Contradicts { tx });
            }
        }
        Ok(policy.pin(id))
    }
}

/// If the newer is the transaction after the older, it names it; if it is the same, it is the same.
pub(super) fn follows(older: TxId, alh: &[u8; 32], newer: &Known<'_>) -> Result<(), Flaw> {
    let tx = newer.header.id;
    let parted = older.next() == Some(tx) && newer.header.prev_alh != alh
        || older == tx && newer.alh != alh;
    if parted { Err(Flaw::Chain { tx }) } else { Ok(()) }
}
