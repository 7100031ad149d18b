//! A few connections, each used by one statement at a time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgConnection;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::answer;
use super::connect::Target;
use super::exchange::exchange;
use super::sql;
use crate::error::Unavailable;

/// A connection unused for longer is asked for a sign of life before
/// something is sent on it that must not be sent twice: a server that went
/// away in the meantime would otherwise make a harmless failure look like an
/// unknown outcome.
const IDLE: Duration = Duration::from_secs(2);

/// How long to wait for that sign at most.
const ALIVE: Duration = Duration::from_secs(5);

/// At most `config.connections` connections, opened when needed.
#[derive(Debug)]
pub(super) struct Pool {
    target: Target,
    permits: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: PgConnection,
    since: Instant,
}

/// A connection in use. It is closed when dropped, be it by an error or
/// because its user was cancelled in the middle of an answer; only
/// [`Lease::keep`] gives it back.
#[derive(Debug)]
pub(super) struct Lease<'p> {
    pool: &'p Pool,
    connection: PgConnection,
    _permit: SemaphorePermit<'p>,
}

impl Pool {
    /// Starts with one open connection.
    pub(super) fn new(target: Target, connections: u32, first: PgConnection) -> Self {
        let idle = vec![Idle { connection: first, since: Instant::now() }];
        let permits = Semaphore::new(connections as usize);
        Self { target, permits, idle: Mutex::new(idle) }
    }

    pub(super) fn wait(&self) -> Duration {
        self.target.wait()
    }

    /// Where its connections lead.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// A connection for a statement that may be sent again: it may turn out
    /// to be dead.
    pub(super) async fn lease(&self) -> Result<Lease<'_>, Unavailable> {
        let permit = self.permit().await;
        let connection = match self.pop() {
            Some(idle) => idle.connection,
            None => self.target.open().await?,
        };
        Ok(Lease { pool: self, connection, _permit: permit })
    }

    /// A connection opened for this.
    pub(super) async fn lease_new(&self) -> Result<Lease<'_>, Unavailable> {
        let permit = self.permit().await;
        // The new one takes the place of an idle one, if there is any.
        drop(self.pop());
        let connection = self.target.open().await?;
        Ok(Lease { pool: self, connection, _permit: permit })
    }

    /// A connection for a statement that must not be sent twice: it was alive
    /// a moment ago.
    pub(super) async fn lease_alive(&self) -> Result<Lease<'_>, Unavailable> {
        let permit = self.permit().await;
        let wait = self.wait().min(ALIVE);
        while let Some(Idle { mut connection, since }) = self.pop() {
            if since.elapsed() < IDLE
                || exchange(&mut connection, &sql::state(), wait, answer::state, |_| Ok(()))
                    .await
                    .is_ok()
            {
                return Ok(Lease { pool: self, connection, _permit: permit });
            }
        }
        let connection = self.target.open().await?;
        Ok(Lease { pool: self, connection, _permit: permit })
    }

    /// Waits as long as the statements before this one take: they have their
    /// own limits.
    async fn permit(&self) -> SemaphorePermit<'_> {
        self.permits.acquire().await.expect("the semaphore is never closed")
    }

    fn pop(&self) -> Option<Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Closes all idle connections: one of them was found dead, so the others
    /// probably are.
    pub(super) fn close_idle(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        drop(idle);
    }
}

impl Lease<'_> {
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Gives the connection back after a clean end.
    pub(super) fn keep(self) {
        let idle = Idle { connection: self.connection, since: Instant::now() };
        self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
        // The permit goes last, so that whoever waits for it finds the
        // connection.
    }
}
