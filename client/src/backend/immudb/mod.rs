//! A real immudb, over its PostgreSQL wire. Whatever it says is a claim until
//! a header that continues the log holds it.

mod alter;
mod answer;
#[cfg(test)]
mod attacked;
mod audit;
mod backoff;
mod commit;
mod connect;
mod exchange;
mod groups;
mod harm;
mod headers;
mod known;
mod open;
mod pool;
mod reexamine;
mod refusal;
mod rows;
mod sql;
mod sync;
mod tables;
mod thin;
mod tiles;
#[cfg(test)]
mod unruly;
mod wire;
mod write;

use tokio::sync::Mutex;

pub(crate) use self::commit::commit;
pub(crate) use self::headers::of_truncation;
pub(crate) use self::sql::{Identifier, KeyClause, Literal, View};
use self::sync::Hints;
pub(crate) use self::tables::TableView;
pub(crate) use self::thin::WireSource;
#[cfg(test)]
pub(crate) use self::unruly::{Fate, POISON, Unruly, World, is_refusal};
use self::wire::Wire;
use crate::config::Scope;
use crate::error::Result;
use crate::local::Local;
use crate::store::Progress;
use crate::verdict::Verdict;

pub(crate) struct Immudb {
    wire: Wire,
    scope: Scope,
    progress: Progress,
    /// One synchronisation at a time: each continues where the last ended.
    syncing: Mutex<()>,
    /// How many transactions have all their full tiles published, as far as
    /// this process knows.
    published: Mutex<u64>,
}

impl Immudb {
    /// Brings the log to the server's end.
    ///
    /// `Ok(Some(verdict))` if the last transactions cannot be confirmed yet.
    pub(crate) async fn sync(&self, local: &Mutex<Local>) -> Result<Option<Verdict>> {
        self.sync_with(local, &Hints::default()).await
    }
}
