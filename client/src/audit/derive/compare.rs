//! Holding what was known beforehand against what was derived.

use std::collections::{BTreeMap, HashSet};

use counterfoil_core::{TrustedState, TxId};

use super::super::fresh::Fresh;
use super::super::report::{Inconsistency, InconsistencyKind as Kind};
use super::super::scratch;
use super::Derivation;
use crate::config::BackendKind;
use crate::error::Result;
use crate::log::TxRecord;
use crate::sqlite::is_damage;

/// Records by transaction, and which of them are damaged.
type Records = (BTreeMap<u64, TxRecord>, Vec<Inconsistency>);

impl Derivation<'_> {
    /// Holds this client's own log against what the ledger made.
    pub(super) async fn compare_own(&mut self) -> Result<()> {
        // In memory every transaction was compared as it came.
        if let Fresh::Memory(_) = self.fresh {
            return Ok(());
        }
        let size = self.fresh.size();
        let mut first = self.from.map_or(1, |from| from.tx.get() + 1);
        while first <= size {
            let last = self.batch_of_both(first, size).await?;
            let (records, damaged) = self.own_records(first, last).await?;
            let altered = self.altered_in_own(first, last).await?;
            if self.own.is_none() {
                return Ok(());
            }
            let fresh = self.fresh.tables()?.get_mut();
            let gone = fresh.truncation();
            self.found.extend(damaged);
            let derived = crate::log::Log::records(fresh.conn(), first, last).await?;
            for (id, derived) in derived {
                let derived = derived?;
                let Some(own) = records.get(&id) else { continue };
                let found = match compare(own, &derived, self.config.storage.backend) {
                    Compared::Same => continue,
                    Compared::Fork(found) => {
                        self.found.push(found);
                        // So it is with everything behind.
                        return Ok(());
                    }
                    Compared::Differs(found) => found,
                };
                // A name that is not in use any more is not shown any more.
                let is_explained = found.kind == Kind::LostEntries
                    && (altered.contains(&id) || gone.is_some_and(|gone| own.id <= gone.until));
                if !is_explained && !scratch::is_noted(fresh.conn(), own.id).await? {
                    self.found.push(found);
                }
            }
            first = last + 1;
        }
        Ok(())
    }

    /// The own log's records. Where it is damaged as a whole that is told, and
    /// it is asked no more.
    pub(super) async fn own_records(&mut self, first: u64, last: u64) -> Result<Records> {
        let Some(own) = &mut self.own else { return Ok(Records::default()) };
        let records = own.records(first, last).await;
        self.unless_damaged(records)
    }

    /// Which of these transactions changed the table, as the own log derived when
    /// the names in them were still shown; likewise.
    pub(super) async fn altered_in_own(&mut self, first: u64, last: u64) -> Result<HashSet<u64>> {
        let Some(own) = &mut self.own else { return Ok(HashSet::new()) };
        let altered = own.altered(first, last).await;
        self.unless_damaged(altered)
    }

    fn unless_damaged<T: Default>(&mut self, answer: Result<T>) -> Result<T> {
        match answer {
            Err(error) if is_damage(&error) => {
                self.note_now(None, Kind::OwnLog, error.to_string());
                self.own = None;
                Ok(T::default())
            }
            answer => answer,
        }
    }

    /// Holds what was known beforehand against what the ledger made; tells
    /// whether that vouches for its end.
    pub(super) async fn compare_known(&mut self) -> Result<bool> {
        // A writer may have moved it meanwhile.
        let (pin, pending) = match &mut self.own {
            Some(own) => own.pinned().await?,
            None => (None, None),
        };
        let through = self.fresh.head();
        let mut held = Vec::new();
        let mut found = Vec::new();
        for known in &self.known {
            match self.fresh.alh(known.tx).await? {
                Some(alh) if alh == known.alh => held.push(*known),
                Some(alh) => {
                    let detail = format!("{known} was known, but now that transaction is {alh}");
                    found.push(Inconsistency::of_tx(known.tx, Kind::Fork, detail));
                }
                None => {
                    if let Some(claimed) = self.claimed.filter(|claimed| claimed.tx < known.tx) {
                        let detail = format!("{known} was known, but the ledger ends at {claimed}");
                        found.push(Inconsistency::of_tx(known.tx, Kind::Rollback, detail));
                    }
                }
            }
        }
        if let Some(expected) = self.config.trust.ledger
            && let Some(first) = self.fresh.alh(TxId::new(1)).await?
            && first != expected
        {
            let detail = format!("this is ledger {first}, the configuration names {expected}");
            found.push(Inconsistency::of_tx(TxId::new(1), Kind::WrongLedger, detail));
        }
        self.found.extend(found);
        let Some(through) = through else { return Ok(false) };
        Ok(match self.config.storage.backend {
            // A file may be continued by whoever can write to it.
            BackendKind::Embedded => {
                held.contains(&through)
                    || pending == Some(through)
                    || match pin.filter(|pin| pin.tx >= through.tx) {
                        // One that its log does not hold vouches for nothing in it.
                        Some(pin) => self.own_has(pin).await? && self.own_has(through).await?,
                        None => false,
                    }
            }
            // A server's ledger moves on, and the pin with it.
            BackendKind::Immudb => !held.is_empty(),
        })
    }

    async fn own_has(&mut self, state: TrustedState) -> Result<bool> {
        let Some(own) = &mut self.own else { return Ok(false) };
        let (records, _) = own.records(state.tx.get(), state.tx.get()).await?;
        Ok(records.get(&state.tx.get()).is_some_and(|record| record.alh == state.alh))
    }
}

/// What this client's record of a transaction is beside the one that the
/// ledger made.
pub(super) enum Compared {
    Same,
    /// Another one under the same Alh.
    Differs(Inconsistency),
    /// Another transaction.
    Fork(Inconsistency),
}

pub(super) fn compare(own: &TxRecord, derived: &TxRecord, backend: BackendKind) -> Compared {
    if own.alh != derived.alh {
        let detail = format!(
            "this client's log holds {}:{} in its place, the ledger {}",
            own.id, own.alh, derived.alh
        );
        return Compared::Fork(Inconsistency::of_tx(own.id, Kind::Fork, detail));
    }
    differs(own, derived, backend).map_or(Compared::Same, Compared::Differs)
}

/// In what this client's record of a transaction differs from the one that
/// the ledger made, both with the same Alh.
fn differs(own: &TxRecord, derived: &TxRecord, backend: BackendKind) -> Option<Inconsistency> {
    if !own.opaque && derived.opaque {
        let detail = "its header was verified before, and now it does not recompute";
        return Some(Inconsistency::of_tx(own.id, Kind::BrokenHeader, detail));
    }
    if own.opaque && !derived.opaque {
        let detail = "its header recomputes, and this client's log says that it does not";
        return Some(Inconsistency::of_tx(own.id, Kind::OwnLog, detail));
    }
    // Of a file's transaction that is not what it was nothing but the Alh is
    // known; a server's header recomputes, or is opaque.
    let known = derived.digests.is_some() || backend == BackendKind::Immudb;
    let header = |record: &TxRecord| {
        let TxRecord { ts, nentries, eh, version, bl_tx_id, truncated, .. } = *record;
        (ts, nentries, eh, version, bl_tx_id, truncated)
    };
    if !own.opaque && !derived.opaque && known && header(own) != header(derived) {
        let detail = "this client's log has another header under the same Alh";
        return Some(Inconsistency::of_tx(own.id, Kind::OwnLog, detail));
    }
    match (&own.digests, &derived.digests) {
        (Some(own_digests), Some(digests)) if own_digests != digests => {
            let detail = "this client's log has other entries under the same Alh";
            Some(Inconsistency::of_tx(own.id, Kind::OwnLog, detail))
        }
        (Some(_), None) => {
            let detail = "its entries were verified before, and are not shown any more";
            Some(Inconsistency::of_tx(own.id, Kind::LostEntries, detail))
        }
        // What a server showed otherwise for a while, the log looks for again.
        (None, Some(_)) if backend == BackendKind::Embedded => {
            let detail = "this client's log does not have its entries, which are all there";
            Some(Inconsistency::of_tx(own.id, Kind::OwnLog, detail))
        }
        _ => None,
    }
}
