//! One commit for all appends that wait for one.

use std::collections::VecDeque;
use std::sync::{MutexGuard, PoisonError};

use counterfoil_core::TxId;

use super::append::{Appended, Proofs, Waiting, out_of_line};
use super::draft::{Later, Planned, in_order};
use super::encode::Encoded;
use super::pipeline::Line;
use super::queue::{self, Decision, Plan};
use super::tried::{Tried, unproved};
use super::{Backend, Shared};
#[cfg(feature = "immudb")]
use crate::backend::immudb;
use crate::error::{Error, Result};
use crate::index::{Index, StreamInfo};
use crate::verdict::Verdict;

/// How an attempt to commit ended.
pub(crate) enum Outcome {
    /// The rows are in the ledger, in this transaction, and are events but for
    /// those whose key or id was written before.
    Done { tx: TxId, superseded: Vec<usize> },
    /// As one they are not, and cannot become it. Something else verified has
    /// the keys of these rows; or some have an id that an event has: another
    /// one, or a row of theirs that was stored without the rest. Decide anew.
    #[cfg_attr(not(feature = "immudb"), allow(dead_code, reason = "a file has no rivals"))]
    Lost { taken: Vec<usize> },
    /// The ledger was asked and would not, be it for one of the rows only.
    /// They are not in it, as far as it shows.
    #[cfg_attr(not(feature = "immudb"), allow(dead_code, reason = "a file refuses nothing"))]
    Refused(Error),
}

/// Attempts to find a free place while others write to the same stream.
const ATTEMPTS: u32 = 16;

/// An append whose place was taken so often goes alone, lest it costs the
/// others their commits as well.
const TOGETHER: u32 = 4;

/// When a commit is refused, its appends go on in companies of so many times
/// fewer: the one for which it was refused is soon alone.
const APART: usize = 8;

impl Shared {
    pub(super) fn queue(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        // Nothing that could panic happens while it is locked.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits the first of the appends that wait, as many as fit, and answers
    /// those of which something is known. The caller holds `writing`.
    pub(super) async fn commit_waiting(&self) {
        let synced = self.sync().await;
        let taken = queue::take(&mut self.queue());
        let unconfirmed = match synced {
            Ok(unconfirmed) => unconfirmed,
            Err(error) => return self.refuse(taken, &error).await,
        };
        if let Err(stops) = self.may_write(unconfirmed).await {
            return self.stop(taken, &stops).await;
        }
        let mut later = Later::new();
        let planned = self.plan(taken, &mut later).await;
        let (mut planned, encoded) = match self.draft(planned, &mut later).await {
            Ok(encoded) => encoded,
            Err((planned, error)) => {
                self.refuse(waiting(planned), &error).await;
                return self.put_back(later);
            }
        };
        if !planned.is_empty() {
            match self.commit(&encoded, planned.len() > 1).await {
                Ok(Outcome::Done { tx, superseded }) => {
                    self.acknowledge(tx, &superseded, planned, &encoded).await;
                }
                Ok(Outcome::Lost { taken }) => again(planned, &taken, &mut later),
                Ok(Outcome::Refused(error)) if planned.len() == 1 => {
                    for tried in planned.iter_mut().filter_map(|p| p.waiting.request.tried.as_mut())
                    {
                        tried.by_word = false;
                    }
                    self.refuse(waiting(planned), &error).await;
                }
                Ok(Outcome::Refused(error)) => apart(planned, &error, &mut later),
                // Nobody's rows are proved to be there, or not to be.
                Err(error) => self.refuse(waiting(planned), &error).await,
            }
        }
        self.put_back(later);
    }

    /// In front of all that came after them.
    fn put_back(&self, mut later: Later) {
        later.sort_by_key(|(place, _)| *place);
        let mut queue = self.queue();
        for (_, waiting) in later.into_iter().rev() {
            queue.push_front(waiting);
        }
    }

    /// Which appends go along, in the order of their keys. The others are
    /// answered, or wait.
    async fn plan(&self, taken: Vec<Waiting>, later: &mut Later) -> Vec<Planned> {
        let mut plan = Plan::default();
        let mut planned = Vec::new();
        let mut held_up: Vec<Line> = Vec::new();
        for (place, waiting) in taken.into_iter().enumerate() {
            if waiting.is_behind_failure() {
                self.refuse([waiting], &Error::PipelineAborted).await;
                continue;
            }
            if waiting.line().is_some_and(|line| held_up.contains(line)) {
                later.push((place, waiting));
                continue;
            }
            match self.decide(&plan, &waiting).await {
                Ok(Some(Decided::Goes { first, head })) => {
                    plan.add(&waiting, first);
                    let seen = TxId::new(0);
                    planned.push(Planned { place, waiting, first, head, rows: 0..0, seen });
                }
                Ok(Some(Decided::Repeats(appended))) => waiting.answer(Ok(appended)),
                Ok(None) => {
                    held_up.extend(waiting.line().cloned());
                    later.push((place, waiting));
                }
                Err(error) => self.refuse([waiting], &error).await,
            }
        }
        planned.sort_by(in_order);
        planned
    }

    /// What becomes of an append; nothing yet if that depends on the plan.
    async fn decide(&self, plan: &Plan, waiting: &Waiting) -> Result<Option<Decided>> {
        let request = &waiting.request;
        if plan.has_id(waiting) {
            return Ok(None);
        }
        if let Some(repeated) = self.found_again(request).await? {
            return Ok(Some(Decided::Repeats(repeated)));
        }
        if request.lost >= ATTEMPTS {
            return Err(Error::Contended { attempts: ATTEMPTS });
        }
        let mut local = self.local.lock().await;
        let stream = local.stream(&request.key).await?;
        let first = plan.first(waiting, stream.next);
        let count = request.events.len() as u64;
        if let Some((number, held)) =
            Index::held_within(local.conn(), &stream, first, count).await?
        {
            if plan.writes_to(&request.key) {
                return Ok(None);
            }
            return Err(out_of_line(&request.cover, number, &held).into());
        }
        match plan.decide(waiting, stream.next) {
            Decision::Goes(first) => {
                let StreamInfo { head, .. } = stream;
                Ok(Some(Decided::Goes { first, head }))
            }
            Decision::Waits => Ok(None),
            Decision::WrongVersion(actual) => {
                Err(Error::WrongExpectedVersion { expected: request.expected, actual })
            }
        }
    }

    async fn commit(&self, encoded: &Encoded, company: bool) -> Result<Outcome> {
        match &self.backend {
            Backend::Embedded(embedded) => {
                let mut local = self.local.lock().await;
                let _ = company;
                let tx = embedded.lock().await.commit(&mut local, &encoded.rows).await?;
                Ok(Outcome::Done { tx, superseded: Vec::new() })
            }
            #[cfg(feature = "immudb")]
            Backend::Immudb(immudb) => {
                let Encoded { rows, digests } = encoded;
                immudb::commit(&**immudb, &self.local, rows, digests, company).await
            }
            #[cfg(all(test, feature = "immudb"))]
            Backend::Unruly(unruly) => {
                let Encoded { rows, digests } = encoded;
                immudb::commit(unruly, &self.local, rows, digests, company).await
            }
        }
    }

    /// Gives everybody the proofs of rows that were found in transaction `tx`.
    async fn acknowledge(
        &self,
        tx: TxId,
        superseded: &[usize],
        planned: Vec<Planned>,
        encoded: &Encoded,
    ) {
        let mut local = self.local.lock().await;
        let mut proofs = match Proofs::of(&mut local, tx).await {
            Ok(proofs) => proofs,
            Err(error) => {
                let error = unproved(error);
                drop(local);
                return self.refuse(waiting(planned), &error).await;
            }
        };
        drop(local);
        for Planned { waiting, first, rows, .. } in planned {
            if superseded.iter().any(|row| rows.contains(row)) {
                // Whoever deletes a row at the right moment can have it so.
                let counted = rows.zip(first..).filter(|(row, _)| !superseded.contains(row));
                let counted = counted.map(|(_, sequence)| sequence).collect();
                waiting.answer(Err(Verdict::Superseded { tx, counted }.into()));
                continue;
            }
            let entry = rows.start as u32;
            let bodies = encoded.rows[rows].iter().map(|row| row.body.clone());
            let events = proofs.events(first, entry, bodies).map_err(unproved);
            waiting.answer(events.map(|events| proofs.appended(events, false)));
        }
    }
}

/// What is decided of an append.
enum Decided {
    Goes { first: u64, head: [u8; 32] },
    Repeats(Appended),
}

/// Those who wait for a commit.
fn waiting(planned: Vec<Planned>) -> impl Iterator<Item = Waiting> {
    planned.into_iter().map(|planned| planned.waiting)
}

/// These were not done as they were sent: what lost its place is counted. A
/// server that takes apart what was sent as one may have stored some, or store
/// them yet: each append is found by the id that it keeps.
fn again(planned: Vec<Planned>, taken: &[usize], later: &mut Later) {
    for Planned { place, mut waiting, rows, seen, .. } in planned {
        let request = &mut waiting.request;
        let tried = request.tried.get_or_insert(Tried { after: seen, open: false, by_word: false });
        // Each row names the one before it, and whatever was sent before had
        // this first key or one before it: without it none can count.
        match taken.contains(&rows.start) {
            true => (tried.open, tried.by_word) = (false, false),
            false => tried.by_word = true,
        }
        if taken.iter().any(|row| rows.contains(row)) {
            request.lost += 1;
            if request.lost >= TOGETHER {
                request.company = 1;
            }
        }
        later.push((place, waiting));
    }
}

/// None of these was done, as far as anybody can see. Should that commit come
/// after all, each append is found by the id that it keeps.
fn apart(planned: Vec<Planned>, why: &Error, later: &mut Later) {
    let company = planned.len().div_ceil(APART);
    for Planned { place, mut waiting, seen, .. } in planned {
        let tried =
            waiting.request.tried.get_or_insert(Tried { after: seen, open: false, by_word: false });
        tried.open |= matches!(why, Error::OutcomeUnknown { .. });
        tried.by_word = true;
        waiting.request.company = company;
        later.push((place, waiting));
    }
}

#[cfg(all(test, feature = "immudb"))]
mod tests;
