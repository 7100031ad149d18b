//! Verifying a receipt under a policy: which of core's checks, on what, and what follows.

use super::encode::{Link, leaf};
use super::flaw::Flaw;
use super::judgement::{Judgement, Reach};
use super::layout::{Entry, Tx, next_entry};
use super::parse::Receipt;
use super::path::{PathBuffer, shared_terms};
use super::policy::Policy;
use super::verdict::{Missing, Verdict};
use crate::digest::Alh;
use crate::dual::ProofV2;
use crate::error::{ProofError, TreeError};
use crate::extension::check_extension_v2;
use crate::header::{Header, HeaderVersion};
use crate::number::{LeafIndex, TreeSize, TxId};
use crate::policy::ProofPolicy;
use crate::state::TrustedState;
use crate::tree::{inclusion_path_len, root_before};
use crate::verified::VerifiedTx;

impl<'r> Receipt<'r> {
    /// Says what the receipt shows under a policy. Everything in it is checked, whether the policy
    /// needs it or not, but for a signature where the policy has no key.
    ///
    /// # What it checks
    ///
    /// 1. The policy is about the receipt's ledger, and the events are in the policy's table, or the
    ///    receipt shows that the ledger began with theirs.
    /// 2. The state's header is the state's ([`TrustedState::first_contact`]).
    /// 3. Links to other states hold ([`TrustedState::verify_extension_v2`]).
    /// 4. Every transaction is in the state's ledger ([`TrustedState::verify_tx`]), and where two
    ///    headers are neighbours the chain says so too.
    /// 5. Every event's row, made from its body, is an entry of its transaction
    ///    ([`VerifiedTx::verify_entry`]), and its writer had seen only what came before.
    /// 6. The signature, if the policy has a key, is that key's, also where a pin would do.
    /// 7. The signatures of its checkpoint that bear the names and ids of the policy's logs and witnesses
    ///    are theirs, likewise.
    /// 8. No hash in it contradicts a pinned one or the ledger's id, also none that a header has for
    ///    its predecessor.
    ///
    /// # Cost
    ///
    /// Linear in the receipt's length, times the number of pins: every state, every transaction and
    /// its predecessor, and every event are looked up among all of them.
    ///
    /// For a transaction two headers, as in [`TrustedState::verify_tx`], and at most 129 compressions
    /// of SHA-256; for an event at most 63 and one for each 64 bytes of key, row and id. A path costs
    /// its whole length, also where most of it is shared and not in the receipt. Beside that at most
    /// two links, each as [`TrustedState::verify_extension_v2`], the twelve entries of a genesis, and
    /// one signature; of a checkpoint, a verification of Ed25519 for each signature of a known key, and
    /// for each transaction up to 63 nodes more; and one for each signed event, if the policy demands
    /// authors. Reading hashes every byte once, and each walk over the events reads them again.
    ///
    /// Where there are several events, their paths are put together on the stack, in 3 KB; those of a
    /// single one are used where they lie.
    pub fn verify<'p>(&'r self, policy: &Policy<'p>) -> Judgement<'r, 'p> {
        let otherwise = Verdict::Unanchored;
        let (ledger, authors, pins) = (self.ledger, policy.authors, policy.pins);
        let (pinned, logged, earlier) = (None, None, None);
        let mut reach = Reach { pins, pinned, otherwise, logged, earlier, ledger, authors };
        let whole = self.check(policy, &mut reach).unwrap_or_else(Verdict::Broken);
        Judgement::new(self, reach, whole)
    }

    fn check(&'r self, policy: &Policy<'_>, reach: &mut Reach<'_>) -> Result<Verdict, Flaw> {
        if policy.ledger != self.ledger {
            let (expected, found) = (policy.ledger, self.ledger);
            return Ok(Verdict::CannotDecide(Missing::Policy { expected, found }));
        }
        self.check_table(policy)?;
        let first = TrustedState::first_contact(&self.state, &self.state_header);
        let claimed = first.map_err(Flaw::State)?.state();
        // Trusted for the sake of what is proved under it. Nothing of it is handed out.
        let state = TrustedState { tx: claimed.tx, alh: claimed.alh };

        let earlier = self.earlier_link();
        let later = self.later_link();
        if let Some((other, link)) = &earlier {
            let proof = link.proof(&link.header, &self.state_header);
            check_extension_v2(other, &claimed, &proof, ProofPolicy::STRICT)
                .map_err(Flaw::Earlier)?;
        }
        if let Some((other, link)) = &later {
            let proof = link.proof(&self.state_header, &link.header);
            check_extension_v2(&claimed, other, &proof, ProofPolicy::STRICT)
                .map_err(Flaw::Later)?;
        }

        let up_to = |pin: Option<TrustedState>, tx| pin.map(|pin| (pin, tx));
        let by_state = up_to(meet(policy, &self.state_header, claimed.alh)?, claimed.tx);
        let by_later = match &later {
            Some((other, link)) => up_to(meet(policy, &link.header, other.alh)?, claimed.tx),
            None => None,
        };
        let by_earlier = match &earlier {
            Some((other, link)) => up_to(meet(policy, &link.header, other.alh)?, other.tx),
            None => None,
        };
        reach.pinned = by_state.or(by_later).or(by_earlier);
        reach.earlier =
            earlier.as_ref().map(|(other, _)| TrustedState { tx: other.tx, alh: other.alh });
        reach.logged = self.logged(policy)?;
        reach.otherwise = match self.signed(policy)? {
            Some(signed) => signed,
            None => self.unsigned(policy, reach),
        };

        let known = Known::new(&self.state_header, claimed.alh);
        let earlier = earlier.map(|(other, link)| Known::new(&link.header, other.alh));
        let table_id = self.table_id;
        let mut walk =
            Walk { policy, table_id, reach, state, known, earlier, whole: None, newest: None };
        if self.event_count == 1 {
            walk.single(self)?
        } else {
            walk.several(self)?
        }
        let Walk { whole, newest, .. } = walk;
        if let Some(logged) = &mut reach.logged {
            logged.newest = newest;
        }
        // All of it holds, and perhaps of a table that somebody made for the purpose.
        if policy.table.is_none() && self.genesis.is_none() {
            return Ok(Verdict::CannotDecide(Missing::Table));
        }
        Ok(whole.unwrap_or(Verdict::Unanchored))
    }

    fn check_table(&self, policy: &Policy<'_>) -> Result<(), Flaw> {
        let found = self.table_id;
        match policy.table {
            Some(expected) if expected != found => return Err(Flaw::Table { expected, found }),
            _ => {}
        }
        if let Some(genesis) = self.genesis {
            genesis.check(self.ledger, found).map_err(Flaw::Genesis)?;
        }
        Ok(())
    }

    #[cfg(not(feature = "p256"))]
    fn signed(&self, _: &Policy<'_>) -> Result<Option<Verdict>, Flaw> {
        Ok(None)
    }

    #[cfg(not(feature = "ed25519"))]
    fn logged(&self, _: &Policy<'_>) -> Result<Option<super::judgement::Logged>, Flaw> {
        Ok(None)
    }

    /// What is to be said of events for which neither pin nor signature vouches.
    fn unsigned(&self, policy: &Policy<'_>, reach: &Reach<'_>) -> Verdict {
        let state = self.state;
        if let Some((pin, _)) = reach.pinned {
            return Verdict::ExtendsPin { pin, state };
        }
        // The pin that is easiest to link to: the next one after the state, or else the last.
        let after = policy.pins.iter().filter(|pin| pin.tx > state.tx).min_by_key(|pin| pin.tx);
        match after.or_else(|| policy.pins.iter().max_by_key(|pin| pin.tx)) {
            Some(&pin) => Verdict::CannotDecide(Missing::Link { pin, state }),
            None => Verdict::Unanchored,
        }
    }
}

impl<'a> Link<'a> {
    const fn proof(
        &self,
        source_header: &'a Header<'a>,
        target_header: &'a Header<'a>,
    ) -> ProofV2<'a> {
        let Self { inclusion, consistency, .. } = *self;
        ProofV2 { source_header, target_header, inclusion, consistency }
    }
}

/// The pinned state that this is, if one is pinned for its transaction. What the policy knows of the
/// transaction or of its predecessor is what the header says.
fn meet(policy: &Policy<'_>, header: &Header<'_>, alh: Alh) -> Result<Option<TrustedState>, Flaw> {
    // Before transaction 1 there is none: what its header names was compared when it was read.
    let before = TxId::new(header.id.get().saturating_sub(1));
    for (tx, found) in [(before, header.prev_alh), (header.id, alh)] {
        if policy.known(tx).is_some_and(|known| known != found) {
            return Err(Flaw::Contradicts { tx });
        }
    }
    Ok(policy.pin(header.id))
}

/// A transaction of which header and hash are known.
#[derive(Clone, Copy)]
struct Known {
    tx: TxId,
    prev_alh: Alh,
    alh: Alh,
}

impl Known {
    const fn new(header: &Header<'_>, alh: Alh) -> Self {
        Self { tx: header.id, prev_alh: header.prev_alh, alh }
    }

    /// Where two are neighbours, the chain leads from one to the other.
    fn agrees(&self, other: &Self) -> Result<(), Flaw> {
        let (older, newer) = if self.tx < other.tx { (self, other) } else { (other, self) };
        let parted = older.tx.next() == Some(newer.tx) && newer.prev_alh != older.alh
            || older.tx == newer.tx && newer.alh != older.alh;
        if parted { Err(Flaw::Chain { tx: newer.tx }) } else { Ok(()) }
    }
}

/// Goes through the transactions and their events.
struct Walk<'w, 'p> {
    policy: &'w Policy<'w>,
    table_id: u32,
    reach: &'w Reach<'p>,
    /// The receipt's state, unconfirmed.
    state: TrustedState,
    known: Known,
    earlier: Option<Known>,
    whole: Option<Verdict>,
    /// The newest transaction that may be pinned under the checkpoint.
    newest: Option<TrustedState>,
}

impl Walk<'_, '_> {
    /// One event: its paths are used where they lie.
    fn single(&mut self, receipt: &Receipt<'_>) -> Result<(), Flaw> {
        let mut cursor = receipt.walk();
        let tx = receipt.next_tx(&mut cursor);
        let verified = self.tx(receipt, &tx.header, tx.path)?;
        let entry = next_entry(&mut cursor);
        cursor.finish()?;
        self.event(&verified, &entry, entry.path)
    }

    /// Several: a path shares terms with the one before it, and is put together first.
    #[inline(never)]
    fn several(&mut self, receipt: &Receipt<'_>) -> Result<(), Flaw> {
        let mut cursor = receipt.walk();
        let size = receipt.state_header.bl_tx_id.tree_size();
        let mut paths = PathBuffer::<64>::new();
        let mut previous: Option<Known> = None;
        for _ in 0..receipt.tx_count {
            let Tx { header, path: own, events } = receipt.next_tx(&mut cursor);
            let index = leaf(header.id);
            let shared = previous.map_or(0, |before| shared_terms(leaf(before.tx), index, size));
            let path = paths.next(own, shared).ok_or_else(|| {
                let error = ProofError::TxInclusion(wrong_len(index, size, own, shared));
                Flaw::Tx { tx: header.id, error }
            })?;
            let verified = self.tx(receipt, &header, path)?;
            let known = Known::new(&header, verified.alh());
            previous.map_or(Ok(()), |before| known.agrees(&before))?;
            previous = Some(known);
            for_each_event(
                &verified,
                events,
                || next_entry(&mut cursor),
                |entry, path| self.event(&verified, entry, path),
            )?;
        }
        Ok(cursor.finish()?)
    }

    fn tx(
        &mut self,
        receipt: &Receipt<'_>,
        header: &Header<'_>,
        path: &[[u8; 32]],
    ) -> Result<VerifiedTx, Flaw> {
        let verified = self
            .state
            .verify_tx(&receipt.state_header, header, path)
            .map_err(|error| Flaw::Tx { tx: header.id, error })?;
        let known = Known::new(header, verified.alh());
        known.agrees(&self.known)?;
        self.earlier.map_or(Ok(()), |earlier| known.agrees(&earlier))?;
        meet(self.policy, header, verified.alh())?;
        let covered = self.reach.logged.is_some_and(|logged| header.id <= logged.up_to);
        if covered && agrees_with_tree(header, receipt.state_header.bl_tx_id, path) {
            self.newest = Some(TrustedState { tx: header.id, alh: verified.alh() });
        }
        Ok(verified)
    }

    fn event(&mut self, tx: &VerifiedTx, event: &Entry<'_>, path: &[[u8; 32]]) -> Result<(), Flaw> {
        let (id, entry) = (tx.id(), event.index);
        let ext = event.body.ext();
        let digest = event.body.row(&ext, event.bytes).digest(self.table_id);
        tx.verify_entry(HeaderVersion::V1, &digest, entry, path).map_err(|error| Flaw::Entry {
            tx: id,
            entry,
            error,
        })?;
        if event.body.seen_tx >= id.get() {
            return Err(Flaw::SeenTx { tx: id, entry });
        }
        let verdict = self.reach.verdict(id, &event.body);
        self.whole = Some(self.whole.map_or(verdict, |whole| whole.and(verdict)));
        Ok(())
    }
}

/// Whether a leaf's header commits to exactly the leaves before it, by the leaf's own path in a tree of
/// `size` transactions: the terms on the left are what those leaves make, and the first of them, if it is
/// a leaf, is the predecessor.
fn agrees_with_tree(header: &Header<'_>, size: TxId, path: &[[u8; 32]]) -> bool {
    let Some(index) = header.id.leaf_index() else { return false };
    if header.bl_tx_id.get() != index.get() {
        return false;
    }
    let follows = match path.first() {
        Some(before) if index.get() & 1 == 1 => *before == header.prev_alh.leaf_hash().to_bytes(),
        _ => true,
    };
    let before = root_before(index, size.tree_size(), path);
    // Before the first there is no tree.
    follows && before.map_or(index.get() == 0, |root| root == header.bl_root)
}

/// Gives each event of a transaction with its whole path.
#[inline(never)]
fn for_each_event<'a>(
    tx: &VerifiedTx,
    count: u32,
    mut next: impl FnMut() -> Entry<'a>,
    mut check: impl FnMut(&Entry<'a>, &[[u8; 32]]) -> Result<(), Flaw>,
) -> Result<(), Flaw> {
    let size = TreeSize::new(tx.nentries().into());
    let mut paths = PathBuffer::<32>::new();
    let mut previous = None;
    for _ in 0..count {
        let event = next();
        let index = LeafIndex::new(event.index.into());
        let shared = previous.map_or(0, |before| shared_terms(before, index, size));
        previous = Some(index);
        let path = paths.next(event.path, shared).ok_or_else(|| {
            let error = ProofError::EntryInclusion(wrong_len(index, size, event.path, shared));
            Flaw::Entry { tx: tx.id(), entry: event.index, error }
        })?;
        check(&event, path)?;
    }
    Ok(())
}

/// A path that is longer than any.
fn wrong_len(index: LeafIndex, size: TreeSize, own: &[[u8; 32]], shared: usize) -> TreeError {
    let expected = inclusion_path_len(index, size).unwrap_or(0);
    TreeError::PathLength { expected, found: own.len().saturating_add(shared) }
}
