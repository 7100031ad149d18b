//! One statement and its answer over one connection, under a time limit.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow};
use sqlx::query::Query;
use sqlx::{Connection, Either, Executor, PgConnection, Postgres};
use tokio::time::timeout;

use super::answer::Problem;
use super::refusal::{Refusal, quoted};
use super::sql::{self, Statement};
use crate::error::Unavailable;
use crate::row::StoredRow;

/// Why there is no good answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server refused, in an orderly way.
    Refused {
        /// What its words mean.
        refusal: Refusal,
        /// Its words.
        message: String,
    },
    /// No answer, or one that cannot be understood. What the server did is
    /// unknown, and the connection must not be used again.
    Broken(Unavailable),
}

impl Failure {
    /// For who cares only that it failed.
    pub(super) fn unavailable(self, what: &'static str) -> Unavailable {
        match self {
            Self::Refused { message, .. } => Unavailable::Server { what, message },
            Self::Broken(unavailable) => unavailable,
        }
    }
}

/// Runs the statement, decodes each row and hands it to `take`, and reads the
/// answer to its end. `wait` limits the time until the first message and
/// between any two, so that a long answer is no slow one.
///
/// Whoever drops this future, and whoever gets [`Failure::Broken`], must drop
/// the connection: the rest of the answer is still under way on it.
pub(super) async fn exchange<T>(
    connection: &mut PgConnection,
    statement: &Statement,
    wait: Duration,
    decode: impl Fn(&PgRow) -> Result<T, Problem>,
    take: impl FnMut(T) -> Result<(), Problem>,
) -> Result<(), Failure> {
    let answer = sqlx::raw_sql(statement.sql()).fetch_many(connection);
    read(answer, statement.what(), wait, decode, take).await
}

type Answer<'c> = BoxStream<'c, sqlx::Result<Either<PgQueryResult, PgRow>>>;

async fn read<T>(
    mut answer: Answer<'_>,
    what: &'static str,
    wait: Duration,
    decode: impl Fn(&PgRow) -> Result<T, Problem>,
    mut take: impl FnMut(T) -> Result<(), Problem>,
) -> Result<(), Failure> {
    let garbled = |problem| Failure::Broken(Unavailable::Garbled { what, problem });
    let mut complete = false;
    loop {
        // sqlx trusts the lengths inside a message and panics on a false one.
        let next = AssertUnwindSafe(answer.next()).catch_unwind();
        let message = match timeout(wait, next).await {
            Err(_) => {
                let seconds = wait.as_secs();
                return Err(Failure::Broken(Unavailable::Timeout { what, seconds }));
            }
            Ok(Err(panic)) => return Err(garbled(panicked(&*panic))),
            Ok(Ok(None)) => return Ok(()),
            Ok(Ok(Some(Err(error)))) if complete && is_portal_kept(&error) => return Ok(()),
            Ok(Ok(Some(Err(error)))) => return Err(failure(error, what)),
            Ok(Ok(Some(Ok(message)))) => message,
        };
        // One statement has one result: rows, then its end.
        if complete {
            return Err(garbled("it goes on after its end".into()));
        }
        match message.right() {
            None => complete = true,
            Some(row) => {
                let decoded = std::panic::catch_unwind(AssertUnwindSafe(|| decode(&row)))
                    .map_err(|panic| garbled(panicked(&*panic)))?
                    .map_err(garbled)?;
                take(decoded).map_err(garbled)?;
            }
        }
    }
}

/// Runs a statement that has no rows in its answer. Rows mean that the server
/// answered something else than what was asked, and did not do it.
pub(super) async fn command(
    connection: &mut PgConnection,
    statement: &Statement,
    wait: Duration,
) -> Result<(), Failure> {
    exchange(connection, statement, wait, no_row, |(): ()| Ok(())).await
}

fn no_row(_: &PgRow) -> Result<(), Problem> {
    Err("it has rows".into())
}

/// INSERTs of up to so many rows are prepared once for a connection.
const KEPT_INSERTS: usize = 64;

/// What is prepared once for a connection: INSERTs, and what reads events
/// ([`select`]). The server cannot close one to make room.
pub(super) const KEPT: usize = KEPT_INSERTS + 2;

/// Inserts rows, their values bound. After a refusal the connection needs to
/// be [`settled`] before it is used again.
pub(super) async fn insert(
    connection: &mut PgConnection,
    rows: &[StoredRow],
    wait: Duration,
) -> Result<(), Failure> {
    let statement = sql::insert(rows.len());
    let mut query = sqlx::query(statement.sql()).persistent(rows.len() <= KEPT_INSERTS);
    for row in rows {
        query = query
            .bind(&row.domain)
            .bind(&row.edition)
            .bind(&row.root)
            .bind(row.event_number)
            .bind(&row.ext)
            .bind(row.seen_tx)
            .bind(&row.body);
    }
    read(connection.fetch_many(query), statement.what(), wait, no_row, |(): ()| Ok(())).await
}

/// What a statement selects whose values are bound, in binary. After a refusal
/// the connection needs to be [`settled`] before it is used again.
pub(super) async fn select<'q, T>(
    connection: &mut PgConnection,
    what: &'static str,
    query: Query<'q, Postgres, PgArguments>,
    wait: Duration,
    decode: impl Fn(&PgRow) -> Result<T, Problem>,
    take: impl FnMut(T) -> Result<(), Problem>,
) -> Result<(), Failure> {
    read(connection.fetch_many(query), what, wait, decode, take).await
}

/// sqlx closes the portal of a statement with bound values. immudb does not
/// know that message and says so, after the statement's own answer.
fn is_portal_kept(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|refused| refused.code().as_deref() == Some("08P01"))
}

/// Reads what the server still says to the end of a refused INSERT: the
/// portal's refusal. Whether the connection is good afterwards.
pub(super) async fn settled(connection: &mut PgConnection, wait: Duration) -> bool {
    for _ in 0..2 {
        let ping = AssertUnwindSafe(connection.ping()).catch_unwind();
        match timeout(wait, ping).await {
            Ok(Ok(Ok(()))) => return true,
            Ok(Ok(Err(error))) if is_portal_kept(&error) => {}
            _ => return false,
        }
    }
    false
}

/// What sqlx's error means, once a connection stands.
pub(super) fn failure(error: sqlx::Error, what: &'static str) -> Failure {
    Failure::Broken(match error {
        sqlx::Error::Database(refused) => {
            let code = refused.code().unwrap_or_default();
            return Failure::Refused {
                refusal: Refusal::of(refused.message(), &code),
                message: quoted(refused.message()),
            };
        }
        sqlx::Error::Io(cause) => Unavailable::Connection { what, cause: cause.to_string() },
        sqlx::Error::Tls(cause) => Unavailable::Connection { what, cause: cause.to_string() },
        sqlx::Error::Protocol(problem) => Unavailable::Garbled { what, problem: quoted(&problem) },
        other => Unavailable::Garbled { what, problem: quoted(&other.to_string()) },
    })
}

/// The words of a panic over the server's bytes.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> Problem {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
    format!("a message with false lengths ({})", quoted(words))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_lost_connection_and_a_malformed_message_differ() {
        let lost = sqlx::Error::Io(io::Error::from(io::ErrorKind::UnexpectedEof));
        assert!(matches!(
            failure(lost, "x"),
            Failure::Broken(Unavailable::Connection { what: "x", .. })
        ));
        let malformed = sqlx::Error::Protocol("unknown message type: '\\0'".into());
        assert!(matches!(
            failure(malformed, "x"),
            Failure::Broken(Unavailable::Garbled { what: "x", .. })
        ));
    }
}
