//! The two statements that write, and what is known after them. Neither is
//! ever sent again once the server may have executed it: that is decided by
//! whoever can look into the ledger.

use super::backoff::Backoff;
use super::exchange::{Failure, command, insert, settled};
use super::refusal::Refusal;
use super::sql::{self, INSERT, MAX_MESSAGE, MAX_ROWS, Statement};
use super::wire::Wire;
use crate::error::Unavailable;
use crate::row::StoredRow;

/// What is known after a write was sent.
#[derive(Debug)]
#[allow(clippy::enum_variant_names)]
pub(crate) enum Sent {
    /// The server says it is done, which proves nothing.
    Answered,
    /// A key is there already: the primary key or an `ext`, the server does
    /// not tell which. For [`Wire::genesis`]: the table is there already.
    KeyExists,
    /// Another transaction got in between. Not committed; it may be sent
    /// again.
    Conflict,
    /// Certainly not executed: it never reached the server.
    NotSent(Unavailable),
    /// Not executed, the server says.
    Refused {
        why: Unavailable,
        /// Whether it would refuse any other rows as well.
        all: bool,
    },
    /// It may have been executed or not, and may yet be.
    Unknown {
        why: Unavailable,
        /// Whether no answer came, rather than one that says nothing.
        lost: bool,
    },
}

impl Wire {
    /// One INSERT: all rows or none, in the order given.
    pub(crate) async fn insert(&self, rows: &[StoredRow]) -> Sent {
        let bytes: usize = rows.iter().map(StoredRow::len).sum();
        if rows.is_empty() || rows.len() > MAX_ROWS || bytes > MAX_MESSAGE {
            return Sent::NotSent(Unavailable::Server {
                what: INSERT,
                message: format!(
                    "{} rows of {bytes} bytes cannot be sent in one statement",
                    rows.len()
                ),
            });
        }
        let wait = self.pool.wait();
        let mut backoff = Backoff::new(wait);
        let mut lease = match self.pool.lease_alive().await {
            Ok(lease) => lease,
            Err(unavailable) => return Sent::NotSent(unavailable),
        };
        loop {
            let failure = match insert(lease.connection(), rows, wait).await {
                Ok(()) => {
                    lease.keep();
                    return Sent::Answered;
                }
                Err(failure) => failure,
            };
            let Failure::Refused { refusal, .. } = &failure else { return sent(failure, INSERT) };
            let usable = refusal.leaves_usable() && settled(lease.connection(), wait).await;
            if usable && *refusal == Refusal::Busy && backoff.pause().await {
                continue;
            }
            if usable {
                lease.keep();
            }
            return sent(failure, INSERT);
        }
    }

    /// Creates the table with its indexes and inserts the genesis row, in one
    /// transaction.
    pub(crate) async fn genesis(&self, row: &StoredRow) -> Sent {
        let mut backoff = Backoff::new(self.pool.wait());
        loop {
            match self.try_genesis(row).await {
                Ok(()) => return Sent::Answered,
                Err(Aborted { failure, statement, committing }) => match failure {
                    Failure::Refused { refusal: Refusal::Busy, .. } if backoff.pause().await => {}
                    Failure::Refused { refusal: Refusal::Exists, .. } => return Sent::KeyExists,
                    failure if committing => return sent(failure, statement.what()),
                    // Without its COMMIT the transaction ends with the
                    // connection.
                    failure => match sent(failure, statement.what()) {
                        Sent::Unknown { why, .. } => return Sent::NotSent(why),
                        known => return known,
                    },
                },
            }
        }
    }

    /// An error ends the transaction, but the wire goes on as if it were open
    /// and would commit what follows statement by statement. So the first
    /// error is the connection's end; even after success it is not worth
    /// keeping.
    async fn try_genesis(&self, row: &StoredRow) -> Result<(), Aborted> {
        const WHAT: &str = "creating the table";
        let fixed = |text| Statement::fixed(WHAT, text);
        let (begin, commit) = (fixed("BEGIN;"), fixed("COMMIT;"));
        let insert = sql::insert_genesis(row);
        let statements = [&[begin][..], &sql::CREATE.map(fixed), &[insert], &[commit]].concat();
        let aborted = |failure, statement: &Statement, committing| Aborted {
            failure,
            statement: statement.clone(),
            committing,
        };
        let mut lease = match self.pool.lease_alive().await {
            Ok(lease) => lease,
            Err(unavailable) => {
                return Err(aborted(Failure::Broken(unavailable), &statements[0], false));
            }
        };
        for (index, statement) in statements.iter().enumerate() {
            command(lease.connection(), statement, self.pool.wait())
                .await
                .map_err(|failure| aborted(failure, statement, index + 1 == statements.len()))?;
        }
        lease.keep();
        Ok(())
    }
}

/// How far the genesis transaction came.
struct Aborted {
    failure: Failure,
    statement: Statement,
    committing: bool,
}

/// What is known after a failed statement that commits by itself.
fn sent(failure: Failure, what: &'static str) -> Sent {
    let refusal = match &failure {
        Failure::Refused { refusal, .. } => Some(*refusal),
        Failure::Broken(_) => None,
    };
    let why = failure.unavailable(what);
    match refusal {
        Some(Refusal::KeyExists) => Sent::KeyExists,
        Some(Refusal::Conflict) => Sent::Conflict,
        Some(Refusal::Busy | Refusal::NoTable) => Sent::Refused { why, all: true },
        Some(Refusal::NotExecuted) => Sent::Refused { why, all: false },
        _ => Sent::Unknown { why, lost: refusal.is_none() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(message: &str) -> Sent {
        let refusal = Refusal::of(message, "");
        let failure = Failure::Refused { refusal, message: message.into() };
        sent(failure, INSERT)
    }

    #[test]
    fn only_understood_refusals_say_what_happened() {
        assert!(matches!(after("key already exists"), Sent::KeyExists));
        assert!(matches!(after("tx read conflict"), Sent::Conflict));
        assert!(matches!(after("max concurrency limit exceeded"), Sent::Refused { all: true, .. }));
        let too_long = after("max length exceeded: table: events");
        assert!(matches!(too_long, Sent::Refused { all: false, .. }));
        assert!(matches!(after("something new"), Sent::Unknown { lost: false, .. }));
    }

    #[test]
    fn a_lost_connection_says_nothing() {
        let lost = Unavailable::Connection { what: INSERT, cause: "reset".into() };
        let sent = sent(Failure::Broken(lost), INSERT);
        assert!(matches!(sent, Sent::Unknown { lost: true, .. }));
    }
}
