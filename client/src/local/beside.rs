//! Reading a log beside whoever extends it: no lock is taken, nothing is
//! written, and what is read is as of one moment until it is looked at again.
//!
//! SQLite's write-ahead log gives a reader the file as one commit left it.
//! Log, index and pin move in one commit, so they fit together however fast
//! the writer is, and whatever is read was pinned by a process that held the
//! lock. What has to be written (a first contact, a repair, a commit that was
//! interrupted) is not done here.

use std::path::Path;
use std::time::{Duration, Instant};

use counterfoil_core::TrustedState;

use super::{Local, Next};
use crate::error::{Result, Unavailable};
use crate::index::Index;
use crate::pin_copy::{PinCopy, PinCopyState};
use crate::place;
use crate::sqlite::{self, FileKind, damaged};
use crate::verdict::Verdict;

const BEGIN: &str = "BEGIN";
const END: &str = "COMMIT";

impl Local {
    /// Opens a log to read it beside whoever extends it. `None` if something
    /// has to be written before it can be relied on.
    pub(crate) async fn beside(path: &Path) -> Result<Option<Self>> {
        if !path.try_exists().map_err(|cause| Unavailable::file(path, cause))? {
            return Ok(None);
        }
        // Before the log, which is never behind it.
        let left = PinCopy::beside(path).read()?;
        let (mut conn, unchanging) = match sqlite::open_to_read(path, FileKind::Log).await {
            Err(error) if sqlite::is_damage(&error) => return Ok(None),
            opened => opened?,
        };
        let end = match found(&mut conn, path).await {
            Ok(end) => end,
            Err(error) => {
                sqlite::close(conn).await;
                return if sqlite::is_damage(&error) { Ok(None) } else { Err(error) };
            }
        };
        let mut local = Self::of(conn, None, end);
        local.is_beside = true;
        local.looked = Some(Instant::now());
        local.unchanging = unchanging;
        local.place = place::of(path).ok();
        let held = match left {
            _ if local.pin().is_err() => false,
            None => {
                PinCopyState::beside(path).warn(path);
                true
            }
            Some(left) => local.holds(left.state).await?,
        };
        if held {
            return Ok(Some(local));
        }
        local.close().await?;
        Ok(None)
    }

    /// Whether another process may extend it.
    pub(crate) fn is_beside(&self) -> bool {
        self.is_beside
    }

    /// Lets go of the moment that is read, if it was looked at so long ago: the next look takes another
    /// one.
    pub(crate) async fn rest(&mut self, since: Duration) {
        if self.looked.is_some_and(|looked| looked.elapsed() >= since) {
            self.looked = None;
            let _ = sqlite::run(&mut self.conn, END).await;
        }
    }

    /// Whether the ledger went through this state, as far as the log goes.
    pub(crate) async fn holds(&mut self, state: TrustedState) -> Result<bool> {
        Ok(self.log.alh(&mut self.conn, state.tx.get()).await? == Some(state.alh))
    }

    /// Goes on to what is pinned now. The pin never goes back.
    pub(super) async fn look_again(&mut self) -> Result<()> {
        self.renew().await?;
        let looked = self.look().await;
        // What was read while it changed says nothing.
        match self.unchanging.as_ref().filter(|seen| !seen.is_still()) {
            Some(changed) => Err(changed.changed()),
            None => looked,
        }
    }

    /// Opens the file anew if it was taken for one that does not change, and changed.
    async fn renew(&mut self) -> Result<()> {
        let path = self.place.as_deref();
        let changed = self.unchanging.as_ref().is_some_and(|seen| !seen.is_still());
        let Some(path) = path.filter(|_| changed) else { return Ok(()) };
        let (mut conn, unchanging) = sqlite::open_to_read(path, FileKind::Log).await?;
        Index::create_own(&mut conn).await?;
        sqlite::run(&mut conn, "PRAGMA query_only = ON").await?;
        sqlite::close(std::mem::replace(&mut self.conn, conn)).await;
        self.unchanging = unchanging;
        let acknowledged = std::mem::take(&mut self.acknowledged);
        self.acknowledge(&acknowledged).await
    }

    async fn look(&mut self) -> Result<()> {
        let old = self.pin()?.state;
        // There may be no snapshot to end.
        let _ = sqlite::run(&mut self.conn, END).await;
        sqlite::run(&mut self.conn, BEGIN).await?;
        self.looked = Some(Instant::now());
        let end = Next::found(&mut self.conn).await?;
        if end.log.alh(&mut self.conn, old.tx.get()).await? != Some(old.alh)
            || end.trust.and_then(|trust| trust.pin).is_none()
        {
            return Err(damaged(format!("it held {old} while it was open, and does no more")));
        }
        self.take(end);
        if self.pin()?.state != old {
            self.grown.send_replace(old.tx.max(self.pin()?.state.tx));
        }
        Ok(())
    }

    /// Goes on to what is pinned now, and says whether the ledger's `end`,
    /// seen in between, is accounted for: it is in the log, or was announced
    /// by whoever writes it.
    pub(crate) async fn covers(&mut self, end: TrustedState) -> Result<Option<Verdict>> {
        let before = self.trust.and_then(|trust| trust.pending);
        self.look_again().await?;
        let after = self.trust.and_then(|trust| trust.pending);
        if self.holds(end).await? || before == Some(end) || after == Some(end) {
            return Ok(None);
        }
        let pinned = self.state()?;
        Ok(Some(Verdict::ExtendsPin { pinned, found: end }))
    }
}

/// What is in the file, as of the moment at which this is called.
async fn found(conn: &mut sqlx::SqliteConnection, path: &Path) -> Result<Next> {
    sqlite::check(conn, path).await?;
    Index::create_own(conn).await?;
    sqlite::run(conn, "PRAGMA query_only = ON").await?;
    sqlite::run(conn, BEGIN).await?;
    Next::found(conn).await
}
