//! The rows of a commit, made and, where the store has a key, signed.
//!
//! Signing is done before anything is sent, and holds up nobody but the appends
//! of this store, which all need the same key: reads go on, and so does every
//! other writer's store. What an append would wait for longer than
//! [`WHILE`] goes into the next commit.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::{Alh, Table, TrustedState, TxId};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::Shared;
use super::append::Waiting;
use super::encode::{self, Assigned, Encoded};
use super::pen::{Pen, Signed};
use super::queue::{self, Append, Drafting};
use crate::error::{Error, Result};
use crate::signing_thread::PATIENCE;

/// An append in the commit that is being made.
pub(super) struct Planned {
    /// Its place in the queue.
    pub(super) place: usize,
    pub(super) waiting: Waiting,
    /// The number of its first event.
    pub(super) first: u64,
    /// The stream's last event in the ledger.
    pub(super) head: [u8; 32],
    /// Its rows among those of the commit.
    pub(super) rows: Range<usize>,
    /// The end of the log when they were made.
    pub(super) seen: TxId,
}

/// Appends that go back into the queue, each with its place there.
pub(super) type Later = Vec<(usize, Waiting)>;

/// What an append was signed as, for the case that it has to be sent in other
/// company: where nothing changed but that, the signatures hold.
pub(super) struct Drafted {
    first: u64,
    head: [u8; 32],
    recorded_at: i64,
    seen: TrustedState,
    signed: Signed,
}

/// Streams whose appends are signed at the same time: a key behind a network
/// answers many at once.
const AT_ONCE: usize = 16;

/// No append's signing is begun later than this after the first one's, so that
/// what is signed does not wait for all the others.
const WHILE: Duration = Duration::from_secs(1);

/// Signatures over a state that lies further back are not used again: rows are
/// looked for near the state that their writer had seen.
const LAG: u64 = 32;

/// What all rows of the commit have in common.
struct Ground {
    table: Table<'static>,
    ledger: Alh,
    end: TrustedState,
    /// What the rows say that their writer had seen: the end, or a little before.
    seen: TrustedState,
    now: i64,
    commit_id: [u8; 16],
    company: bool,
    began: Instant,
}

/// What became of an append.
enum Row {
    Encoded(Encoded),
    Refused(Error),
    /// It was not its turn any more.
    NotYet,
}

impl Shared {
    /// The rows of the commit. An append that cannot be encoded in company is
    /// tried alone before it is refused, one that the key does not sign is
    /// refused at once, and what builds on it, or comes behind it in its
    /// pipeline, waits.
    #[allow(clippy::type_complexity)]
    pub(super) async fn draft(
        &self,
        planned: Vec<Planned>,
        later: &mut Later,
    ) -> Result<(Vec<Planned>, Encoded), (Vec<Planned>, Error)> {
        let ground = match self.ground(&planned).await {
            Ok(ground) => ground,
            Err(error) => return Err((planned, error)),
        };
        let drafts = stream::iter(by_stream(planned))
            .map(|chain| self.draft_stream(chain, &ground))
            .buffer_unordered(AT_ONCE);
        let mut drafts: Vec<(Planned, Row)> = drafts.flat_map(stream::iter).collect().await;
        drafts.sort_by(|(a, _), (b, _)| in_order(a, b));
        let goes = queue::goes(drafts.iter().map(|(append, row)| Drafting {
            place: append.place,
            stream: append.waiting.stream(),
            line: append.waiting.line(),
            is_drafted: matches!(row, Row::Encoded(_)),
        }));
        let mut all = Encoded { rows: Vec::new(), digests: Vec::new() };
        let mut going: Vec<Planned> = Vec::new();
        for ((mut append, row), goes) in drafts.into_iter().zip(goes) {
            match row {
                Row::Encoded(_) if !goes => later.push((append.place, append.waiting)),
                Row::Encoded(encoded) => {
                    append.seen = ground.end.tx;
                    append.rows = all.rows.len()..all.rows.len() + encoded.rows.len();
                    all.rows.extend(encoded.rows);
                    all.digests.extend(encoded.digests);
                    going.push(append);
                }
                Row::NotYet => later.push((append.place, append.waiting)),
                Row::Refused(error) if ground.company && !matches!(error, Error::Signing(_)) => {
                    append.waiting.request.company = 1;
                    later.push((append.place, append.waiting));
                }
                Row::Refused(error) => self.refuse([append.waiting], &error).await,
            }
        }
        Ok((going, all))
    }

    async fn ground(&self, planned: &[Planned]) -> Result<Ground> {
        let local = self.local.lock().await;
        let (table, ledger, end) = (local.table()?, local.pin()?.ledger, local.state()?);
        drop(local);
        let seen = planned.iter().filter_map(|append| append.drafted(end).map(|draft| draft.seen));
        Ok(Ground {
            table,
            ledger,
            end,
            seen: seen.min_by_key(|seen| seen.tx).unwrap_or(end),
            now: self.environment.clock.now_micros(),
            commit_id: self.environment.random(),
            company: planned.len() > 1,
            began: Instant::now(),
        })
    }

    /// The appends of one stream, each behind the one before it: it names that
    /// one's digest, which comes after its signature.
    async fn draft_stream(
        &self,
        chain: Vec<(u32, Planned)>,
        ground: &Ground,
    ) -> Vec<(Planned, Row)> {
        let mut done: Vec<(Planned, Row)> = Vec::with_capacity(chain.len());
        for (commit_index, mut append) in chain {
            let (prev_event, broken) = match done.last() {
                None => (append.head, false),
                Some((_, Row::Encoded(before))) => {
                    (before.digests.last().map_or(append.head, |digest| digest.to_bytes()), false)
                }
                Some(_) => ([0; 32], true),
            };
            let row = match broken {
                true => Row::NotYet,
                false => self.draft_one(&mut append, prev_event, commit_index, ground).await,
            };
            done.push((append, row));
        }
        done
    }

    async fn draft_one(
        &self,
        append: &mut Planned,
        prev_event: [u8; 32],
        commit_index: u32,
        ground: &Ground,
    ) -> Row {
        let draft = append.drafted(ground.end);
        let recorded_at = draft.map_or(ground.now, |draft| draft.recorded_at);
        let request = &append.waiting.request;
        let assigned = Assigned {
            first_number: append.first,
            prev_event,
            recorded_at,
            seen: ground.seen,
            append_id: request.append_id,
            commit_id: ground.commit_id,
            commit_index,
        };
        let Some(key) = &self.key else {
            let encoded = encode::encode(&ground.table, &request.events, &assigned, None);
            return encoded.map_or_else(Row::Refused, Row::Encoded);
        };
        if ground.began.elapsed() > WHILE {
            return Row::NotYet;
        }
        let known = draft.map(|draft| draft.signed.clone()).unwrap_or_default();
        let mut pen = Pen::new(Arc::clone(key), ground.ledger, known);
        let (table, events) = (ground.table, Arc::clone(&request.events));
        let signing = key.threads().run(PATIENCE, move || {
            let encoded = encode::encode(&table, &events, &assigned, Some(&mut pen));
            (encoded, pen.into_signed())
        });
        match signing.await {
            Ok((Ok(encoded), signed)) => {
                let (first, head, seen) = (append.first, append.head, ground.seen);
                append.waiting.request.drafted =
                    Some(Drafted { first, head, recorded_at, seen, signed });
                Row::Encoded(encoded)
            }
            Ok((Err(error), _)) => Row::Refused(error),
            Err(failed) => Row::Refused(failed.into()),
        }
    }
}

impl Planned {
    /// What it was signed as, if it may stand so again.
    fn drafted(&self, end: TrustedState) -> Option<&Drafted> {
        self.waiting.request.drafted.as_ref().filter(|draft| {
            let lag = end.tx.get().saturating_sub(draft.seen.tx.get());
            (draft.first, draft.head) == (self.first, self.head) && lag <= LAG
        })
    }
}

/// The order of the keys.
pub(super) fn in_order(a: &Planned, b: &Planned) -> std::cmp::Ordering {
    (a.waiting.stream(), a.first).cmp(&(b.waiting.stream(), b.first))
}

/// The appends of each stream, in order, with the number of rows before each in
/// the commit. Whose stream waits longest comes first.
fn by_stream(planned: Vec<Planned>) -> Vec<Vec<(u32, Planned)>> {
    let mut chains: Vec<Vec<(u32, Planned)>> = Vec::new();
    // At most a thousand.
    let mut rows = 0;
    for append in planned {
        let index = rows;
        rows += append.waiting.rows() as u32;
        match chains.last_mut() {
            Some(chain)
                if chain.last().is_some_and(|(_, before)| {
                    before.waiting.stream() == append.waiting.stream()
                }) =>
            {
                chain.push((index, append));
            }
            _ => chains.push(vec![(index, append)]),
        }
    }
    chains.sort_by_key(|chain| chain.iter().map(|(_, append)| append.place).min());
    chains
}
