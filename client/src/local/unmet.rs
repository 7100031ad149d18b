//! What a ledger must contain, and the way there: until the log has reached
//! all of it, nothing that was shown is believed, and of a history that turns
//! out to be another one nothing stays.

use counterfoil_core::{TrustedState, TxId};

use super::{Local, NewTx, Next};
use crate::error::Result;
use crate::sqlite;
use crate::trust::Trust;
use crate::verdict::Verdict;

/// All that an extension writes but for the pin. What was found out about the
/// ledger and this log stays.
const CLEAR: &str = "
    DELETE FROM tx; DELETE FROM tile;
    DELETE FROM stream; DELETE FROM event; DELETE FROM correlation; DELETE FROM held;
    DELETE FROM finding;
    DELETE FROM meta WHERE name IN ('table_id', 'genesis_tx');
";

impl Local {
    /// States that the ledger must contain, known from elsewhere: nothing
    /// that contradicts them enters the log, so that a refused history does
    /// not become the pinned one.
    pub(crate) fn must_hold(&mut self, states: impl IntoIterator<Item = TrustedState>) {
        self.known.extend(states);
    }

    pub(super) fn against_known(&self, txs: &[NewTx]) -> Result<(), Verdict> {
        let states = txs.iter().map(|tx| TrustedState { tx: tx.record.id, alh: tx.record.alh });
        for found in states {
            let contradicts = |known: &&TrustedState| known.tx == found.tx && **known != found;
            if let Some(pinned) = self.known.iter().find(contradicts) {
                return Err(Verdict::Fork { pinned: *pinned, found });
            }
        }
        Ok(())
    }

    /// The newest known state behind a transaction, if any.
    pub(crate) fn known_behind(&self, tx: TxId) -> Option<TrustedState> {
        self.known.iter().copied().filter(|known| known.tx > tx).max_by_key(|known| known.tx)
    }

    /// The newest known state that the log does not reach yet.
    pub(crate) fn unmet(&self) -> Option<TrustedState> {
        self.known_behind(TxId::new(self.log.size()))
    }

    /// Writes an extension, with the pin. A pinned log goes over to what is
    /// known in one SQLite transaction, however many extensions that takes:
    /// a pin on the way there would be a pin on what nobody vouches for.
    pub(super) async fn write(&mut self, next: &mut Next, txs: Vec<NewTx>) -> Result<()> {
        if !self.open_ended {
            sqlite::begin(&mut self.conn).await?;
        }
        let mut written = next.write(&mut self.conn, txs).await;
        let pinned = next.trust.is_some_and(|trust| trust.pin.is_some());
        let size = TxId::new(next.log.size());
        self.open_ended = pinned && written.is_ok() && self.known_behind(size).is_some();
        if self.open_ended {
            return Ok(());
        }
        if pinned && written.is_ok() {
            written = self.keep_repair().await;
        }
        sqlite::finish(&mut self.conn, written).await?;
        if pinned {
            self.repair = None;
        }
        Ok(())
    }

    /// Writes down that the log was made anew, when it is. What is not
    /// committed with it has to be written down again.
    pub(super) async fn keep_repair(&mut self) -> Result<()> {
        match &self.repair {
            Some((cause, held_to)) => Trust::note_repair(&mut self.conn, cause, *held_to).await,
            None => Ok(()),
        }
    }

    /// Undoes what was taken in on the way to what is known: to the pin, or
    /// where nothing is pinned, to nothing.
    pub(crate) async fn give_up(&mut self) -> Result<()> {
        if std::mem::take(&mut self.open_ended) {
            sqlite::undo(&mut self.conn).await;
        } else if self.pin().is_err() && self.unmet().is_some() && self.log.size() > 0 {
            sqlite::begin(&mut self.conn).await?;
            let cleared = sqlite::run(&mut self.conn, CLEAR).await;
            sqlite::finish(&mut self.conn, cleared).await?;
        } else {
            return Ok(());
        }
        let end = Next::read(&mut self.conn).await?;
        self.take(end);
        Ok(())
    }
}
