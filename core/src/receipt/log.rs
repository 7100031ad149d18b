//! What a policy's logs and witnesses make of a receipt's checkpoint.

use super::flaw::Flaw;
use super::judgement::Judgement;
use super::known::Known;
use super::parse::Receipt;
use super::path::Path;
use super::policy::{Policy, PolicyError};
use super::verdict::{Anchor, Missing, Verdict};
use crate::checkpoint::{LogPolicy, Witnesses};
use crate::digest::Alh;
use crate::header::RawHeader;
use crate::number::TxId;
use crate::state::TrustedState;
use crate::tree::{Terms, root_before};

/// What a checkpoint says of the transactions in its tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Logged {
    up_to: TxId,
    verdict: Verdict,
    newest: Option<TrustedState>,
    witnesses: Option<Witnesses>,
}

impl Logged {
    /// The last of them.
    pub(super) const fn up_to(&self) -> TxId {
        self.up_to
    }

    /// Verified, or that witnesses are missing.
    pub(super) const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The newest one in the receipt that may be pinned.
    pub(super) const fn newest(&self) -> Option<TrustedState> {
        self.newest
    }

    /// Takes note of a transaction whose path leads to a tree of `size` transactions. Where one of
    /// `compared` is its predecessor, the two were compared.
    pub(super) fn meet(
        &mut self,
        known: &Known<'_>,
        size: TxId,
        path: Path<'_>,
        compared: [Option<TxId>; 2],
    ) {
        let id = known.header.id;
        if id <= self.up_to
            && path.is_ok_and(|path| agrees_with_tree(&known.header, size, path))
            && shows_before(id, compared)
        {
            self.newest = Some(TrustedState { tx: id, alh: Alh::new(*known.alh) });
        }
    }
}

impl<'a> Policy<'a> {
    /// The ledger's logs, and where the log policy has one, a quorum of witnesses: without the log's
    /// own signature a quorum is nothing.
    ///
    /// A checkpoint binds the log's name and not the ledger's id: that the log is this ledger's is the
    /// policy's claim. A log whose name holds another ledger's id (`counterfoil/` and 64 hex digits)
    /// vouches for nothing here, as one that the policy does not know.
    ///
    /// # Errors
    ///
    /// [`PolicyError::SharedKey`] if one of the policy's authors has the key of a log or a witness, at
    /// the cost that [`with_authors`](Self::with_authors) names.
    pub fn with_log_policy(self, log: LogPolicy<'a>) -> Result<Self, PolicyError> {
        Self { log: Some(log), ..self }.with_keys_apart()
    }
}

impl Receipt<'_> {
    /// What the checkpoint makes of the transactions that it covers, if the policy knows one of its
    /// logs.
    pub(super) fn logged(&self, policy: &Policy<'_>) -> Result<Option<Logged>, Flaw> {
        let (Some(log), Some(signed)) = (policy.log, self.checkpoint()) else { return Ok(None) };
        let checkpoint = signed.checkpoint();
        if checkpoint.origin().names_other_ledger(&policy.ledger) {
            return Ok(None);
        }
        let standing = log.judge(&checkpoint, signed.signatures()).map_err(Flaw::Checkpoint)?;
        if !standing.log {
            return Ok(None);
        }
        let verdict = match standing.witnesses {
            None => Verdict::Verified(Anchor::Logged { size: checkpoint.size() }),
            Some(Witnesses { signed, of, .. }) if standing.met => {
                Verdict::Verified(Anchor::Witnessed { signed, of })
            }
            Some(Witnesses { signed, of, .. }) => {
                Verdict::CannotDecide(Missing::Witnesses { signed, of })
            }
        };
        let (up_to, witnesses) = (self.state.header.bl_tx_id, standing.witnesses);
        Ok(Some(Logged { up_to, verdict, newest: None, witnesses }))
    }
}

impl Judgement<'_, '_> {
    /// Who has cosigned the receipt's checkpoint, where the policy asks for a quorum and its log has
    /// signed; also where they are too few. The times say how fresh the receipt's tree was.
    pub fn witnesses(&self) -> Option<Witnesses> {
        self.reach().logged.as_ref()?.witnesses
    }
}

/// Whether the predecessor that a leaf of the tree names is seen to be the leaf before it. An even
/// number's is, by its path ([`agrees_with_tree`]), and the first has none. Beside an odd number's there is
/// no leaf: it must be one of these, with whose hash it is compared.
fn shows_before(id: TxId, compared: [Option<TxId>; 2]) -> bool {
    let tx = id.get();
    let follows = |other: TxId| other.next() == Some(id);
    tx == 1 || tx & 1 == 0 || compared.into_iter().flatten().any(follows)
}

/// Whether a leaf's header commits to exactly the leaves before it, by the leaf's own path in a tree of
/// `size` transactions: the terms on the left are what those leaves make, and the first of them, if it is
/// a leaf, is the predecessor.
fn agrees_with_tree(header: &RawHeader<'_>, size: TxId, path: Terms<'_>) -> bool {
    let Some(index) = header.id.leaf_index() else { return false };
    if header.bl_tx_id.get() != index.get() {
        return false;
    }
    let follows = match path.clone().next() {
        Some(before) if index.get() & 1 == 1 => {
            *before == Alh::new(*header.prev_alh).leaf_hash().to_bytes()
        }
        _ => true,
    };
    let before = root_before(index, size.tree_size(), path);
    // Before the first there is no tree.
    follows && before.map_or(index.get() == 0, |root| root.as_bytes() == header.bl_root)
}
