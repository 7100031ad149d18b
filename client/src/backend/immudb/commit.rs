//! Writing rows, and finding out whether they were written.

use std::time::Duration;

use counterfoil_core::{EntryDigest, HeaderVersion, Table, TxId};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Immudb;
use super::groups::Group;
use super::sync::Hints;
use super::write::Sent;
use crate::body::EventBody;
use crate::error::{Error, Result, Unavailable};
use crate::index::{Index, Position, StreamKey};
use crate::local::Local;
use crate::log::Log;
use crate::row::StoredRow;
use crate::store::Outcome;
use crate::verdict::{Completeness, Verdict};

/// How long a write is pursued whose outcome is not clear.
const PURSUIT: Duration = Duration::from_secs(30);
/// Between two attempts to find out.
const PAUSE: Duration = Duration::from_millis(50);

/// What a commit needs of a ledger. A server is one; in tests so is a ledger
/// before which everything happens that can happen on the way to it.
pub(crate) trait Ledger: Sync {
    /// Sends one INSERT.
    fn insert(&self, rows: &[StoredRow]) -> impl Future<Output = Sent> + Send;

    /// Brings the log to the ledger's end.
    fn look(
        &self,
        local: &Mutex<Local>,
        hints: &Hints<'_>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Why it may have refused: the table is not shown any more as it was
    /// proved.
    fn not_shown(
        &self,
        local: &Mutex<Local>,
        table: &Table<'static>,
    ) -> impl Future<Output = Result<Option<Error>>> + Send;
}

impl Ledger for Immudb {
    async fn insert(&self, rows: &[StoredRow]) -> Sent {
        self.wire.insert(rows).await
    }

    async fn look(&self, local: &Mutex<Local>, hints: &Hints<'_>) -> Result<()> {
        self.sync_with(local, hints).await.map(drop)
    }

    async fn not_shown(
        &self,
        local: &Mutex<Local>,
        table: &Table<'static>,
    ) -> Result<Option<Error>> {
        self.table_not_shown(local, table).await
    }
}

/// Commits one INSERT of rows that stand in key order; `company` if they are
/// of several appends.
///
/// The server's answer decides nothing. The rows are written when a verified
/// header holds exactly them; they are not when something verified has one of
/// their keys or ids and no transaction is exactly they. In between the very same bytes may be sent again: their
/// keys are unique, so they are written once at most.
pub(crate) async fn commit(
    ledger: &impl Ledger,
    local: &Mutex<Local>,
    rows: &[StoredRow],
    digests: &[EntryDigest],
    company: bool,
) -> Result<Outcome> {
    let (table, before) = {
        let local = local.lock().await;
        (local.table()?, local.state()?.tx)
    };
    let hints = Hints { sent: Some((Group::of_rows(&table, rows), rows)) };
    let started = Instant::now();
    let mut send = true;
    // Whether it ever reached the server, and whether it may have been
    // executed for all that the server said.
    let (mut reached, mut maybe_written) = (false, false);
    loop {
        let mut refused = None;
        let mut answered = true;
        let sent = match send {
            true => ledger.insert(rows).await,
            false => Sent::Answered,
        };
        let trouble = match sent {
            Sent::NotSent(unavailable) if !reached => return Err(unavailable.into()),
            Sent::NotSent(unavailable) => {
                answered = false;
                Some(unavailable)
            }
            Sent::Refused { why, all } if !maybe_written => {
                // Its word is good when the ledger does not show otherwise.
                reached = true;
                refused = Some((why, all));
                None
            }
            Sent::Refused { why, .. } => Some(why),
            Sent::Conflict => {
                // Not committed, it says, and the same bytes may go again.
                reached = true;
                if started.elapsed() < PURSUIT {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                None
            }
            Sent::Answered | Sent::KeyExists => {
                (reached, maybe_written) = (true, true);
                // Whatever was answered, only looking helps now.
                send = false;
                None
            }
            Sent::Unknown { why, lost } => {
                (reached, maybe_written) = (true, true);
                send = true;
                answered = !lost;
                Some(why)
            }
        };
        match ledger.look(local, &hints).await {
            Ok(()) => {}
            // A full disk of our own stays full while it is looked at.
            Err(Error::Unavailable(unavailable @ Unavailable::Storage(_))) => {
                return Err(unknown(&unavailable));
            }
            Err(Error::Unavailable(unavailable)) if started.elapsed() < PURSUIT => {
                tracing::debug!(%unavailable, "looking for a write");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Err(Error::Unavailable(unavailable)) => return Err(unknown(&unavailable)),
            Err(error) => return Err(doubtful(error)),
        }
        let found = find(&mut *local.lock().await, before, rows, digests).await;
        if let Some(outcome) = found.map_err(doubtful)? {
            return Ok(outcome);
        }
        if let Some((why, all)) = refused {
            if let Some(verdict) = ledger.not_shown(local, &table).await.map_err(doubtful)? {
                return Err(verdict);
            }
            return if all { Err(why.into()) } else { Ok(Outcome::Refused(why.into())) };
        }
        if started.elapsed() >= patience(send && !(answered && company)) {
            let changed = Index::open_schema_change(local.lock().await.conn()).await;
            if let Some((tx, alh, what)) = changed.map_err(doubtful)? {
                return Err(Verdict::SchemaChanged { tx, alh, what }.into());
            }
            let error = match trouble {
                Some(unavailable) => unknown(&unavailable),
                None => {
                    let why = not_found(&mut *local.lock().await).await;
                    unknown(&why.map_err(doubtful)?)
                }
            };
            return if answered { Ok(Outcome::Refused(error)) } else { Err(error) };
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// An answered write is in the ledger at once; if it is not, waiting does not
/// bring it. One whose answer was lost is worth pursuing, and so is one that
/// goes alone and was answered in words that nobody understands: they may be
/// those of a server that is coming up.
fn patience(pursued: bool) -> Duration {
    if pursued { PURSUIT } else { Duration::from_secs(2) }
}

/// Looks for the rows in the verified log.
async fn find(
    local: &mut Local,
    before: TxId,
    rows: &[StoredRow],
    digests: &[EntryDigest],
) -> Result<Option<Outcome>> {
    if let Some(tx) = Log::find(local.conn(), before, digests).await? {
        let checked = local.checked(tx).await?;
        checked
            .tx
            .verify_all_entries(HeaderVersion::V1, digests.iter().copied())
            .map_err(Verdict::from)?;
        // In the ledger. Each is done if it is the first of its key and id:
        // then the index has it as an event.
        let events = Index::events_of(local.conn(), tx).await?;
        let is_event = |entry: usize| events.contains(&Position::new(tx, entry as u32));
        let superseded = (0..digests.len()).filter(|entry| !is_event(*entry)).collect();
        return Ok(Some(Outcome::Done { tx, superseded }));
    }
    let bodies: Vec<EventBody> =
        rows.iter().filter_map(|row| EventBody::decode(&row.body).ok()).collect();
    let (mut taken, mut lost) = (Vec::new(), false);
    for (index, (row, body)) in rows.iter().zip(&bodies).enumerate() {
        let stream = local.stream(&StreamKey::of_row(row)).await?;
        let number = body.event_number;
        // Its own row has the key as well, if it was stored without the others.
        if Index::by_ext(local.conn(), &body.ext()).await?.is_some() {
            lost = true;
        } else if stream.next > number
            || Index::held_within(local.conn(), &stream, number, 1).await?.is_some()
        {
            lost = true;
            taken.push(index);
        }
    }
    Ok(lost.then_some(Outcome::Lost { taken }))
}

/// Where rows may be that immudb answered to have, or to have had before.
async fn not_found(local: &mut Local) -> Result<String> {
    let through = local.state()?.tx;
    Ok(match local.completeness(through).await? {
        Completeness::Complete { .. } => {
            "immudb answered, but no transaction that it shows holds the rows".into()
        }
        Completeness::Incomplete { gaps, first, .. } => format!(
            "immudb answered, but no transaction that is accounted for holds the rows; {gaps} are \
             not, the first is {first}, and may hold rows with the same keys or ids"
        ),
    })
}

/// Once the rows were sent, trouble of our own says nothing about them.
fn doubtful(error: Error) -> Error {
    match error {
        Error::Ledger(_) => error,
        error => unknown(&error),
    }
}

fn unknown(reason: &dyn std::fmt::Display) -> Error {
    Error::OutcomeUnknown {
        reason: reason.to_string(),
        remedy: "append again with the same external id: it gives the first result back, or writes once",
    }
}
