//! Opening a log: as it was left, or lost, damaged, or put back from a backup.
//! Then the copy of its pin says what the ledger is held to while the log is
//! made anew.

use std::path::Path;

use counterfoil_core::TrustedState;

use super::Local;
use crate::error::{Error, Result, Unavailable};
use crate::pin_copy::{PinCopy, PinCopyState};
use crate::place;
use crate::sqlite::{self, FileKind, FileLock, damaged};
use crate::trust::{LogRepair, Pin, Trust, compare};
use crate::verdict::Verdict;

impl Local {
    /// Opens the file, or makes it where `create` says so. One that cannot be
    /// used is put aside if a copy of its pin is left; else that is an error:
    /// with it the reason to believe the ledger is gone.
    pub(crate) async fn open(path: &Path, create: bool, remedy: &'static str) -> Result<Self> {
        let opened = Self::open_or_put_aside(path, create, remedy).await;
        opened.map_err(|error| error.naming_log(Some(path)))
    }

    async fn open_or_put_aside(path: &Path, create: bool, remedy: &'static str) -> Result<Self> {
        let lock = FileLock::take(path, false, remedy)?;
        let mut copy = PinCopy::beside(path);
        let left = copy.read()?;
        let (mut local, lost) = match (load(path, create).await, left) {
            (Ok(mut local), Some(left)) => {
                let lost = local.lacks(&left).await?;
                (local, lost)
            }
            (Ok(local), None) => (local, None),
            (Err(error), Some(_)) if sqlite::is_damage(&error) => {
                let aside = sqlite::set_aside(path)?;
                let cause = format!("it was damaged ({error}); it is kept as {}", aside.display());
                (load(path, true).await?, Some(cause))
            }
            (Err(error), None) if sqlite::is_damage(&error) => return Err(lost(path, error)),
            (Err(error), _) => return Err(error),
        };
        local.lock = Some(lock);
        local.copy = Some(copy);
        local.place = place::of(path).ok();
        match left.zip(lost) {
            Some((left, cause)) => {
                local.is_made_anew(cause, Some(left.state));
                local.must_hold([left.state]);
                local.left = Some(left);
            }
            None => {
                if local.pin().is_ok() {
                    PinCopyState::beside(path).warn(path);
                }
                local.keep_copy();
            }
        }
        Ok(local)
    }

    /// What the log lacks of what the copy of its pin knows, if anything.
    async fn lacks(&mut self, left: &Pin) -> Result<Option<String>> {
        let (size, pinned) = (self.log.size(), left.state);
        Ok(match self.log.alh(&mut self.conn, pinned.tx.get()).await? {
            Some(found) if found != pinned.alh => {
                return Err(damaged(format!(
                    "transaction {} is {found} in the log, but {} in the copy of its pin, the \
                     file whose name goes on with .pin: one of the two was altered or belongs to \
                     another ledger; put that one away",
                    pinned.tx, pinned.alh
                )));
            }
            Some(_) if self.pin().is_ok() => None,
            Some(_) => Some("its pin was lost".into()),
            None if size == 0 => Some("it was lost".into()),
            None => Some(format!(
                "it ended at transaction {size}, and its pin is at {}: an older one was put in \
                 its place, or its end was lost",
                pinned.tx
            )),
        })
    }

    /// Says that the log is not as it was left. That is written down when it
    /// has been made anew.
    pub(crate) fn is_made_anew(&mut self, cause: String, held_to: Option<TrustedState>) {
        let held = held_to.map(|state| state.to_string());
        tracing::warn!(cause, held_to = held, "this client's own log is made anew from the ledger");
        self.repair = Some((cause, held_to));
    }

    pub(crate) async fn repairs(&mut self) -> Result<Vec<LogRepair>> {
        Trust::repairs(&mut self.conn).await
    }

    /// The pin that is left of a log which does not reach it yet.
    pub(crate) fn left(&self) -> Option<Pin> {
        self.left
    }

    /// The newest state in which this client has seen the ledger.
    pub(crate) fn last_seen(&self) -> Option<TrustedState> {
        let head = self.log.head().map(|head| head.state);
        let left = self.left.map(|left| left.state);
        left.into_iter().chain(head).max_by_key(|state| state.tx)
    }

    /// Whether the log, made anew, holds what the copy of its pin knows.
    pub(crate) async fn found_again(&mut self) -> Result<()> {
        let Some(Pin { state: pinned, .. }) = self.left else { return Ok(()) };
        let end = self.log.head().map(|head| head.state);
        let found = self.log.alh(&mut self.conn, pinned.tx.get()).await?;
        match compare(pinned, found, end) {
            Ok(()) => Ok(()),
            Err(verdict) => Err(self.refuse(verdict).await),
        }
    }

    /// Writes the pin down once more, unless what is written there is newer.
    pub(super) fn keep_copy(&mut self) {
        let Some(pin) = self.trust.and_then(|trust| trust.pin) else { return };
        if self.left.is_some_and(|left| left.state.tx > pin.state.tx) {
            return;
        }
        self.left = None;
        if let Some(copy) = &mut self.copy {
            copy.keep(&pin);
        }
    }
}

async fn load(path: &Path, create: bool) -> Result<Local> {
    let mut conn = sqlite::open(path, FileKind::Log, create).await?;
    if let Err(error) = sqlite::check(&mut conn, path).await {
        sqlite::close(conn).await;
        return Err(error);
    }
    Local::load(conn, None).await
}

/// The error for a log that cannot be used, and of whose pin nothing is left.
fn lost(path: &Path, error: Error) -> Error {
    let remedy = "no copy of its pin is left beside it: put it away, and name a state that you \
        know as `pin` in [trust]; then it is made anew from the ledger";
    match error {
        Error::Ledger(verdict) => match verdict.into_verdict() {
            Verdict::LogAltered { what } => damaged(format!("{what}; {remedy}")),
            other => other.into(),
        },
        other => {
            Unavailable::DamagedLog { path: path.into(), what: other.to_string(), remedy }.into()
        }
    }
}
