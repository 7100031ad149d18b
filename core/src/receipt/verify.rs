//! Verifying a receipt under a policy: which of core's checks, on what, and what follows.

use super::cursor::Cursor;
use super::encode::{Link, leaf};
use super::flaw::Flaw;
use super::judgement::{Judgement, Reach};
use super::layout::{Entry, Tx, next_entry};
use super::parse::Receipt;
use super::path::{PathBuffer, shared_terms};
use super::policy::Policy;
use super::verdict::{Missing, Verdict};
use crate::chain::TxAlh;
use crate::digest::Alh;
use crate::dual::ProofV2;
use crate::error::{ProofError, TreeError};
use crate::extension::check_extension_v2;
use crate::header::Header;
use crate::number::{LeafIndex, TreeSize, TxId};
use crate::policy::ProofPolicy;
use crate::state::TrustedState;
use crate::tree::{Pending, Terms, inclusion_path_len, root_before};

impl<'r> Receipt<'r> {
    /// Says what the receipt shows under a policy. Everything in it is checked, whether the policy
    /// needs it or not, but for signatures by keys that the policy has not.
    ///
    /// # What it checks
    ///
    /// 1. The policy is about the receipt's ledger, and the events are in the policy's table, or the
    ///    receipt shows that the ledger began with theirs.
    /// 2. The state's header is the state's ([`TrustedState::first_contact`]).
    /// 3. Links to other states hold ([`TrustedState::verify_extension_v2`]).
    /// 4. Every transaction is in the state's ledger, by [`verify_inclusion`](crate::verify_inclusion), and
    ///    where two headers are neighbours the chain says so too.
    /// 5. Every event's row, made from its body, is an entry of its transaction, likewise, and its
    ///    writer had seen only what came before.
    /// 6. The signature of the state, if it names a key of the policy, is that key's, also where a pin
    ///    would do.
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
    /// For a transaction its header, and at most 129 compressions of SHA-256; for an event at most 63 and one for each 64 bytes of key, row and id. A path costs
    /// its whole length, also where most of it is shared and not in the receipt. Beside that at most
    /// two links, each as [`TrustedState::verify_extension_v2`], the twelve entries of a genesis, and
    /// one signature; of a checkpoint, a verification of Ed25519 for each signature of a known key, and
    /// for each transaction up to 63 nodes more; and one for each signed event, if the policy demands
    /// authors. Reading hashes every byte once, and each walk over the events reads them again.
    pub fn verify<'p>(&'r self, policy: &Policy<'p>) -> Judgement<'r, 'p> {
        let otherwise = Verdict::Unanchored;
        let (ledger, authors, pins) = (self.ledger, policy.authors, policy.pins);
        let (pinned, logged, earlier) = (None, None, None);
        let mut reach = Reach { pins, pinned, otherwise, logged, earlier, ledger, authors };
        let whole = self.check(policy, &mut reach).unwrap_or_else(Verdict::Broken);
        Judgement::new(self, reach, whole)
    }

    fn check<'p>(&'r self, policy: &Policy<'p>, reach: &mut Reach<'p>) -> Result<Verdict, Flaw> {
        if policy.ledger != self.ledger {
            let (expected, found) = (policy.ledger, self.ledger);
            return Ok(Verdict::CannotDecide(Missing::Policy { expected, found }));
        }
        self.check_table(policy)?;
        TrustedState::first_contact(&self.state, &self.state_header).map_err(Flaw::State)?;
        // Trusted for the sake of what is proved under it. Nothing of it is handed out.
        let state = Known { header: &self.state_header, alh: &self.state.alh };
        self.check_links()?;

        let mut meet = |known: Known<'_>, up_to| -> Result<(), Flaw> {
            let pin = meet(policy, &known)?;
            reach.pinned = reach.pinned.or(pin.map(|pin| (pin, up_to)));
            Ok(())
        };
        meet(state, self.state.tx)?;
        if let Some((other, link)) = self.later_link() {
            meet(Known { header: &link.header, alh: &other.alh }, self.state.tx)?;
        }
        let earlier = self.earlier_link();
        let mut before = None;
        if let Some((other, link)) = &earlier {
            let known = Known { header: &link.header, alh: &other.alh };
            meet(known, other.tx)?;
            reach.earlier = Some(TrustedState { tx: other.tx, alh: other.alh });
            before = Some(known);
        }
        reach.logged = self.logged(policy)?;
        reach.otherwise = match self.signed(policy)? {
            Some(signed) => signed,
            None => self.unsigned(policy, reach),
        };

        let table_id = self.table_id;
        let mut walk =
            Walk { policy, table_id, reach, state, earlier: before, whole: None, newest: None };
        walk.transactions(self)?;
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

    // These are apart so that their stack is not there while the events are read.

    #[inline(never)]
    fn check_links(&self) -> Result<(), Flaw> {
        if let Some((other, link)) = self.earlier_link() {
            let proof = link.proof(&link.header, &self.state_header);
            check_extension_v2(&other, &self.state, &proof, ProofPolicy::STRICT)
                .map_err(Flaw::Earlier)?;
        }
        if let Some((other, link)) = self.later_link() {
            let proof = link.proof(&self.state_header, &link.header);
            check_extension_v2(&self.state, &other, &proof, ProofPolicy::STRICT)
                .map_err(Flaw::Later)?;
        }
        Ok(())
    }

    #[inline(never)]
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
        if let Some((&pin, _)) = reach.pinned {
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
fn meet<'p>(policy: &Policy<'p>, found: &Known<'_>) -> Result<Option<&'p TrustedState>, Flaw> {
    // Before transaction 1 there is none: what its header names was compared when it was read.
    let id = found.header.id;
    let before = TxId::new(id.get().saturating_sub(1));
    for (tx, found) in [(before, &found.header.prev_alh), (id, found.alh)] {
        if policy.known(tx).is_some_and(|known| known != found) {
            return Err(Flaw::Contradicts { tx });
        }
    }
    Ok(policy.pin(id))
}

/// A transaction of which header and hash are known.
#[derive(Clone, Copy)]
struct Known<'k> {
    header: &'k Header<'k>,
    alh: &'k Alh,
}

impl Known<'_> {
    /// Where two are neighbours, the chain leads from one to the other.
    fn agrees(&self, other: &Self) -> Result<(), Flaw> {
        follows(other.header.id, other.alh, self)?;
        follows(self.header.id, self.alh, other)
    }
}

/// If the newer is the transaction after the older, it names it; if it is the same, it is the same.
fn follows(older: TxId, alh: &Alh, newer: &Known<'_>) -> Result<(), Flaw> {
    let tx = newer.header.id;
    let parted = older.next() == Some(tx) && newer.header.prev_alh != *alh
        || older == tx && newer.alh != alh;
    if parted { Err(Flaw::Chain { tx }) } else { Ok(()) }
}

/// Goes through the transactions and their events.
struct Walk<'w, 'p> {
    policy: &'w Policy<'p>,
    table_id: u32,
    reach: &'w Reach<'p>,
    /// The receipt's state, unconfirmed.
    state: Known<'w>,
    earlier: Option<Known<'w>>,
    whole: Option<Verdict>,
    /// The newest transaction that may be pinned under the checkpoint.
    newest: Option<TrustedState>,
}

impl Walk<'_, '_> {
    /// A path shares terms with the one before it.
    #[inline(never)]
    fn transactions(&mut self, receipt: &Receipt<'_>) -> Result<(), Flaw> {
        let mut cursor = receipt.walk();
        let mut paths = PathBuffer::new();
        let mut previous: Option<TxAlh> = None;
        let mut left = receipt.tx_count.into();
        while cursor.next(&mut left) {
            let tx = receipt.next_tx(&mut cursor);
            let id = tx.header.id;
            let alh = self.tx(&tx, &mut paths, previous.map(|before| before.tx))?;
            if let Some(before) = previous {
                follows(before.tx, &before.alh, &Known { header: &tx.header, alh: &alh })?;
            }
            previous = Some(TxAlh { tx: id, alh });
            self.events(&tx, &mut cursor)?;
        }
        Ok(cursor.finish()?)
    }

    /// The hash of a transaction that is in the state's ledger.
    fn tx<'a>(
        &mut self,
        tx: &Tx<'a>,
        paths: &mut PathBuffer<'a>,
        before: Option<TxId>,
    ) -> Result<Alh, Flaw> {
        let (header, id) = (&tx.header, tx.header.id);
        let state = self.state.header;
        let bad = |error| Flaw::Tx { tx: id, error };
        let size = state.bl_tx_id.tree_size();
        let index = leaf(id);
        let shared = before.map_or(0, |before| shared_terms(leaf(before), index, size));
        let path = paths
            .next(tx.path, shared)
            .ok_or_else(|| bad(ProofError::TxInclusion(wrong_len(index, size, tx.path, shared))))?;
        // The state's own has the header that was read as the state's, and no path.
        let alh = if id == state.id {
            *self.state.alh
        } else {
            if id > state.bl_tx_id {
                return Err(bad(ProofError::NotCovered { tx: id, covered: state.bl_tx_id }));
            }
            let alh = header.alh().map_err(ProofError::TxHeader).map_err(bad)?;
            Pending::inclusion(&alh.leaf_hash(), index, size, path.clone(), &state.bl_root)
                .and_then(Pending::settle)
                .map_err(ProofError::TxInclusion)
                .map_err(bad)?;
            alh
        };
        let known = Known { header, alh: &alh };
        known.agrees(&self.state)?;
        self.earlier.map_or(Ok(()), |earlier| known.agrees(&earlier))?;
        meet(self.policy, &known)?;
        // Without the feature nothing is logged.
        let logged = self.reach.logged.filter(|_| cfg!(feature = "ed25519"));
        let covered = logged.is_some_and(|logged| id <= logged.up_to);
        let earlier = self.earlier.map(|earlier| earlier.header.id);
        if covered
            && agrees_with_tree(header, state.bl_tx_id, path)
            && shows_before(id, [before, earlier])
        {
            self.newest = Some(TrustedState { tx: id, alh });
        }
        Ok(alh)
    }

    fn events<'a>(&mut self, tx: &Tx<'a>, cursor: &mut Cursor<'a>) -> Result<(), Flaw> {
        let size = TreeSize::new(tx.header.nentries.into());
        let mut paths = PathBuffer::new();
        let mut previous = None;
        let mut left = tx.events.into();
        while cursor.next(&mut left) {
            let event = next_entry(cursor);
            let index = LeafIndex::new(event.index.into());
            let shared = previous.map_or(0, |before| shared_terms(before, index, size));
            previous = Some(index);
            let path = paths.next(event.path, shared);
            self.event(&tx.header, &event, path.ok_or(shared))?;
        }
        Ok(())
    }

    #[inline(never)]
    fn event(
        &mut self,
        tx: &Header<'_>,
        event: &Entry<'_>,
        path: Result<Terms<'_>, usize>,
    ) -> Result<(), Flaw> {
        let entry = event.index;
        let (index, size) = (LeafIndex::new(entry.into()), TreeSize::new(tx.nentries.into()));
        let digest = event.body.row(&event.body.ext(), event.bytes).digest(self.table_id);
        path.map_err(|shared| wrong_len(index, size, event.path, shared))
            .and_then(|path| Pending::inclusion(&digest.leaf_hash(), index, size, path, &tx.eh))
            .and_then(Pending::settle)
            .map_err(|error| Flaw::Entry {
                tx: tx.id,
                entry,
                error: ProofError::EntryInclusion(error),
            })?;
        if event.body.seen_tx >= tx.id.get() {
            return Err(Flaw::SeenTx { tx: tx.id, entry });
        }
        let verdict = self.reach.verdict(tx.id, &event.body);
        if self.whole.is_none_or(|whole| verdict.rank() > whole.rank()) {
            self.whole = Some(verdict);
        }
        Ok(())
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
fn agrees_with_tree(header: &Header<'_>, size: TxId, path: Terms<'_>) -> bool {
    let Some(index) = header.id.leaf_index() else { return false };
    if header.bl_tx_id.get() != index.get() {
        return false;
    }
    let follows = match path.clone().next() {
        Some(before) if index.get() & 1 == 1 => *before == header.prev_alh.leaf_hash().to_bytes(),
        _ => true,
    };
    let before = root_before(index, size.tree_size(), path);
    // Before the first there is no tree.
    follows && before.map_or(index.get() == 0, |root| root == header.bl_root)
}

/// A path that is longer than any.
fn wrong_len(index: LeafIndex, size: TreeSize, own: &[[u8; 32]], shared: usize) -> TreeError {
    let expected = inclusion_path_len(index, size).unwrap_or(0);
    TreeError::PathLength { expected, found: own.len().saturating_add(shared) }
}
