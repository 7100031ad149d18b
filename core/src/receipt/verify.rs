//! Verifying a receipt under a policy: which of core's checks, on what, and what follows.

use super::body::EventBody;
use super::cursor::Cursor;
use super::encode::leaf;
use super::flaw::Flaw;
use super::judgement::{Judgement, Otherwise, Reach};
use super::known::Known;
use super::layout::{RawLink, Tx, next_entry};
use super::parse::Receipt;
use super::path::{Path, Paths};
use super::policy::Policy;
use super::verdict::{Missing, Verdict};
use crate::dual::{Ends, ProofV2};
use crate::error::{DualError, Part};
use crate::number::{LeafIndex, TreeSize, TxId};
use crate::policy::ProofPolicy;

impl<'r> Receipt<'r> {
    /// Says what the receipt shows under a policy. Everything in it is checked, whether the policy
    /// needs it or not, but for signatures by keys that the policy has not.
    ///
    /// # What it checks
    ///
    /// 1. The policy is about the receipt's ledger, and the events are in the policy's table, or the
    ///    receipt shows that the ledger began with theirs.
    /// 2. The state's header is the state's ([`TrustedState::first_contact`](crate::TrustedState::first_contact)).
    /// 3. Links to other states hold ([`TrustedState::verify_extension_v2`](crate::TrustedState::verify_extension_v2)).
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
    /// two links, each as [`TrustedState::verify_extension_v2`](crate::TrustedState::verify_extension_v2), the twelve entries of a genesis, and
    /// one signature; of a checkpoint, a verification of Ed25519 for each signature of a known key, and
    /// for each transaction up to 63 nodes more; and one for each signed event, if the policy demands
    /// authors. Reading hashes every byte once, and each walk over the events reads them again.
    pub fn verify<'p>(&'r self, policy: &Policy<'p>) -> Judgement<'r, 'p> {
        let (pins, authors, otherwise) = (policy.pins, policy.authors, Otherwise::Unanchored);
        let mut reach = Reach { pins, pinned: None, otherwise, logged: None, authors };
        let whole = self.check(policy, &mut reach).unwrap_or_else(Verdict::Broken);
        Judgement::new(self, reach, whole)
    }

    fn check<'p>(&self, policy: &Policy<'p>, reach: &mut Reach<'p>) -> Result<Verdict, Flaw> {
        if policy.ledger.as_bytes() != self.ledger {
            let (expected, found) = (policy.ledger, self.ledger());
            return Ok(Verdict::CannotDecide(Missing::Policy { expected, found }));
        }
        self.check_table(policy)?;
        // Unconfirmed, and of it nothing is handed out but what something else vouches for.
        let state = &self.state;
        state.check()?;
        self.check_links()?;

        let up_to = state.header.id;
        let mut meet = |known: &Known<'_>, up_to| -> Result<(), Flaw> {
            let pin = known.meets(policy)?;
            reach.pinned = reach.pinned.or(pin.map(|pin| (pin, up_to)));
            Ok(())
        };
        meet(state, up_to)?;
        if let Some(link) = self.later_link() {
            meet(&link.other, up_to)?;
        }
        let earlier = self.earlier_link().map(|link| link.other);
        if let Some(other) = &earlier {
            meet(other, other.header.id)?;
        }
        reach.logged = self.logged(policy)?;
        reach.otherwise = self.otherwise(policy, reach)?;

        let mut walk = Walk { policy, receipt: self, reach, earlier, whole: None };
        walk.transactions()?;
        // All of it holds, and perhaps of a table that somebody made for the purpose.
        if policy.table.is_none() && self.genesis.is_none() {
            return Ok(Verdict::CannotDecide(Missing::Table));
        }
        Ok(walk.whole.unwrap_or(Verdict::Unanchored))
    }

    // These are apart so that their stack is not there while the events are read.

    #[inline(never)]
    fn check_links(&self) -> Result<(), Flaw> {
        if let Some(link) = self.earlier_link() {
            link.check(&link.other, &self.state, Part::SourceHeader).map_err(Flaw::Earlier)?;
        }
        if let Some(link) = self.later_link() {
            link.check(&self.state, &link.other, Part::TargetHeader).map_err(Flaw::Later)?;
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

    /// What is to be said of events for which neither pin nor checkpoint vouches.
    fn otherwise<'p>(&self, policy: &Policy<'p>, reach: &Reach<'p>) -> Result<Otherwise<'p>, Flaw> {
        #[cfg(feature = "p256")]
        if let Some(verdict) = self.signed(policy)? {
            return Ok(Otherwise::Signed(verdict));
        }
        if let Some((pin, _)) = reach.pinned {
            return Ok(Otherwise::Extends(pin));
        }
        // The pin that is easiest to link to: the next one after the state, or else the last.
        let after = policy.pins.iter().filter(|pin| pin.tx > self.state.header.id);
        let pin = after.min_by_key(|pin| pin.tx);
        let pin = pin.or_else(|| policy.pins.iter().max_by_key(|pin| pin.tx));
        Ok(pin.map_or(Otherwise::Unanchored, Otherwise::Apart))
    }
}

impl RawLink<'_> {
    /// Shows that the two are of one ledger. Either is the link's own, the other one's header is known to
    /// be its.
    fn check(&self, older: &Known<'_>, newer: &Known<'_>, own: Part) -> Result<(), DualError> {
        let Self { inclusion, consistency, ref other } = *self;
        let (source_header, target_header) = (&older.header.to_header(), &newer.header.to_header());
        let proof = ProofV2 { source_header, target_header, inclusion, consistency };
        proof.check_counts(older.header.id, newer.header.id)?;
        if other.header.alh() != *other.alh {
            return Err(DualError::HeaderAlh { part: own, tx: other.header.id });
        }
        let ends = Ends { source: older.state(), target: newer.state() };
        proof.check(&ends, ProofPolicy::STRICT)
    }
}

/// Goes through the transactions and their events.
struct Walk<'w, 'p> {
    policy: &'w Policy<'p>,
    receipt: &'w Receipt<'w>,
    reach: &'w mut Reach<'p>,
    earlier: Option<Known<'w>>,
    whole: Option<Verdict>,
}

impl<'w> Walk<'w, '_> {
    #[inline(never)]
    fn transactions(&mut self) -> Result<(), Flaw> {
        let mut cursor = self.receipt.walk();
        let mut paths = Paths::new(self.receipt.state.header.bl_tx_id.tree_size());
        let mut previous: Option<(TxId, [u8; 32])> = None;
        let mut left = self.receipt.tx_count.into();
        while cursor.next(&mut left) {
            let tx = self.receipt.next_tx(&mut cursor);
            let path = paths.next(leaf(tx.header.id), tx.path);
            previous = Some((tx.header.id, self.tx(&tx, path, previous.as_ref())?));
            self.events(&tx, &mut cursor)?;
        }
        Ok(cursor.finish()?)
    }

    /// The hash of a transaction that is in the state's ledger.
    #[inline(never)]
    fn tx(
        &mut self,
        tx: &Tx<'_>,
        path: Path<'_>,
        previous: Option<&(TxId, [u8; 32])>,
    ) -> Result<[u8; 32], Flaw> {
        let state = &self.receipt.state;
        let alh = state.hash_of(&tx.header, path.clone())?;
        let known = Known { header: tx.header, alh: &alh };
        known.agrees(state)?;
        if let Some(earlier) = &self.earlier {
            known.agrees(earlier)?;
        }
        if let Some((before, hash)) = previous {
            known.follows(*before, hash)?;
        }
        known.meets(self.policy)?;
        if let Some(logged) = &mut self.reach.logged {
            let before = previous.map(|(before, _)| *before);
            let earlier = self.earlier.as_ref().map(|earlier| earlier.header.id);
            logged.meet(&known, state.header.bl_tx_id, path, [before, earlier]);
        }
        Ok(alh)
    }

    #[inline(never)]
    fn events(&mut self, tx: &Tx<'w>, cursor: &mut Cursor<'w>) -> Result<(), Flaw> {
        let mut paths = Paths::new(TreeSize::new(tx.header.nentries.into()));
        let mut left = tx.events.into();
        while cursor.next(&mut left) {
            let event = next_entry(cursor);
            let path = paths.next(LeafIndex::new(event.index.into()), event.path);
            event.check(&tx.header, self.receipt.table_id, path)?;
            self.judge(tx.header.id, &event.body);
        }
        Ok(())
    }

    #[inline(never)]
    fn judge(&mut self, tx: TxId, body: &EventBody<'_>) {
        let verdict = self.reach.verdict(self.receipt, tx, body);
        if self.whole.is_none_or(|whole| verdict.rank() > whole.rank()) {
            self.whole = Some(verdict);
        }
    }
}
