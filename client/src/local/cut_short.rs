//! An extension that did not come to its end: it failed, it panicked, or the
//! runtime that ran it is gone while the log is still in use.
//!
//! SQLite's transaction may be open then, or committed unknown to this side;
//! what is read next is in the one case what a later rollback takes away, and
//! in the other the next extension would be written twice. So nothing goes on
//! from there: what is not committed is undone, and what is there is read anew.

use counterfoil_core::TxId;

use super::{Local, Next};
use crate::error::Result;
use crate::sqlite;

impl Local {
    /// Goes back to what is on disk, if an extension was cut short. Asked
    /// before the log is brought to the ledger's end.
    pub(crate) async fn recover(&mut self) -> Result<()> {
        if !self.cut_short {
            return Ok(());
        }
        sqlite::undo(&mut self.conn).await;
        let end = Next::found(&mut self.conn).await?;
        self.take(end);
        (self.open_ended, self.cut_short) = (false, false);
        self.keep_copy();
        self.grown.send_replace(TxId::new(self.log.size()));
        Ok(())
    }
}
