//! Deriving the index anew: all of it is kept, or nothing, whatever ends it.

use std::ops::{Deref, DerefMut};

use counterfoil_core::TxId;
use sqlx::SqliteConnection;

use super::Local;
use crate::error::Result;
use crate::index::{Gaps, Index};
use crate::sqlite::{self, FileKind, damaged};

/// A log whose index is being derived anew, over a connection of its own.
///
/// Should the work panic, or its runtime end, that connection closes, and with
/// it what it had open: the log's own never saw the index without what was
/// forgotten in between.
pub(crate) struct Anew<'a> {
    local: &'a mut Local,
    /// The log's own connection; gone when it was put back.
    own: Option<SqliteConnection>,
}

impl<'a> Anew<'a> {
    pub(super) async fn begin(local: &'a mut Local) -> Result<Self> {
        let Some(path) = local.path() else {
            return Err(damaged("only a log that lies in a file is derived anew"));
        };
        let mut conn = sqlite::open(path, FileKind::Log, true).await?;
        sqlite::begin(&mut conn).await?;
        let own = Some(std::mem::replace(&mut local.conn, conn));
        Ok(Self { local, own })
    }

    /// Keeps what was derived from transaction `first` on.
    pub(crate) async fn keep(mut self, first: TxId) -> Result<()> {
        sqlite::finish(&mut self.local.conn, Ok(())).await?;
        self.put_back();
        self.local.anew.send_modify(|anew| anew.push(first));
        // Wakes whoever follows.
        self.local.grown.send_replace(TxId::new(self.local.log.size()));
        Ok(())
    }

    fn put_back(&mut self) {
        let Some(own) = self.own.take() else { return };
        self.local.conn = own;
        // What is remembered may not be what is kept.
        self.local.index = Index::default();
        self.local.checked.clear();
        self.local.gaps = Gaps::UNCOUNTED;
        self.local.before = Local::NONE_BEFORE;
        self.local.streams_are_whole = false;
    }
}

impl Drop for Anew<'_> {
    fn drop(&mut self) {
        self.put_back();
    }
}

impl Deref for Anew<'_> {
    type Target = Local;

    fn deref(&self) -> &Local {
        self.local
    }
}

impl DerefMut for Anew<'_> {
    fn deref_mut(&mut self) -> &mut Local {
        self.local
    }
}
