//! A ledger that is reached by a way on which everything happens that can
//! happen on the way to a server, as a test chooses it. The ledger at its end
//! is no model: it is an embedded one, recomputed by whoever reads it, with
//! the two things that immudb adds, unique keys and unique ids.

use std::collections::{HashSet, VecDeque};
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as Quick, PoisonError};
use std::time::Duration;

use counterfoil_core::Table;
use futures_util::future::BoxFuture;
use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;

use super::commit::Ledger;
use super::sync::Hints;
use super::write::Sent;
use crate::backend::embedded::Embedded;
use crate::environment::Environment;
use crate::error::{Error, Result, Unavailable};
use crate::index::{EventAt, Position, StreamKey};
use crate::local::Local;
use crate::row::StoredRow;
use crate::sqlite;

/// A row with one of these in its body makes the ledger refuse the statement:
/// in words that are understood, in others, and in those for a taken key.
pub(crate) const POISON: [&str; 3] = ["poison known", "poison strange", "poison taken"];

/// What becomes of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is executed, and answered.
    Arrives,
    /// It gets lost.
    Lost,
    /// It is executed; the answer gets lost.
    Unanswered,
    /// It is executed when so many others have been; nobody waits for that.
    Late(u8),
    /// It is executed, and when so many others have been, once more.
    Twice(u8),
    /// It is executed; what is answered says that it was not.
    Denied,
    /// It is said not to be executed, and is when so many others have been.
    DeniedLate(u8),
    /// It is executed; what is answered says nothing.
    Strange,
    /// It is executed when so many others have been; what is answered says
    /// nothing.
    StrangeLate(u8),
    /// It is executed; what is answered is that it has to be sent again.
    Conflict,
    /// Only its first row is executed, in a transaction of its own: the liar has
    /// taken it apart, and answers that all is well, or that it refused.
    Split { denied: bool },
    /// It is not sent.
    NotSent,
    /// Somebody else writes to the same stream first.
    Rival,
    /// From here on everything gets lost, or comes when it is over, for longer
    /// than anybody waits; `dark`: and nobody can look.
    Outage { late: bool, dark: bool },
    /// It is executed, or gets lost; then the client's own disk is full while it
    /// looks.
    FullDisk { executed: bool },
    /// Likewise, and the client cannot read in its log what it has just seen.
    Illegible { executed: bool },
    /// The client dies: before it is executed, or after.
    Crash { executed: bool },
}

/// The ledger, what is on the way to it, and what will be done to that.
pub(crate) struct World {
    server: Mutex<Server>,
    fates: Quick<VecDeque<Fate>>,
    outage: Quick<Option<(Instant, Fate)>>,
    full: AtomicBool,
    illegible: AtomicBool,
    crashed: AtomicBool,
    crash: Notify,
}

/// Not before the outage is over.
const HELD: u8 = u8::MAX;

struct Server {
    ledger: Embedded,
    local: Local,
    keys: HashSet<(StreamKey, i64)>,
    exts: HashSet<Vec<u8>>,
    late: Vec<(u8, Vec<StoredRow>)>,
}

impl World {
    pub(crate) async fn new(fates: impl IntoIterator<Item = Fate>) -> Arc<Self> {
        let (ledger, local) = Embedded::memory(Environment::default()).await.unwrap();
        let (keys, exts, late) = Default::default();
        Arc::new(Self {
            server: Mutex::new(Server { ledger, local, keys, exts, late }),
            fates: Quick::new(fates.into_iter().collect()),
            outage: Quick::default(),
            full: AtomicBool::new(false),
            illegible: AtomicBool::new(false),
            crashed: AtomicBool::new(false),
            crash: Notify::new(),
        })
    }

    /// Waits until the client dies.
    pub(crate) async fn crash(&self) {
        self.crash.notified().await;
    }

    /// A new life. Whether the one before ended with a crash.
    pub(crate) fn begins_again(&self) -> bool {
        *lock(&self.outage) = None;
        self.crashed.swap(false, Ordering::SeqCst)
    }

    /// Nothing happens any more; what was late arrives.
    pub(crate) async fn calms(&self) {
        lock(&self.fates).clear();
        *lock(&self.outage) = None;
        let mut server = self.server.lock().await;
        for (_, rows) in std::mem::take(&mut server.late) {
            server.execute(&rows).await;
        }
    }

    /// Somebody who does not use this crate writes these.
    pub(crate) async fn writes(&self, rows: &[StoredRow]) {
        let written = self.server.lock().await.execute(rows).await;
        assert!(matches!(written, Sent::Answered));
    }

    fn fate(&self) -> Fate {
        let mut outage = lock(&self.outage);
        if let Some((until, fate)) = *outage {
            if Instant::now() < until {
                return fate;
            }
            *outage = None;
        }
        let fate = lock(&self.fates).pop_front().unwrap_or(Fate::Arrives);
        if let Fate::Outage { .. } = fate {
            *outage = Some((Instant::now() + Duration::from_secs(40), fate));
        }
        fate
    }

    fn is_over(&self) -> bool {
        lock(&self.outage).is_none_or(|(until, _)| Instant::now() >= until)
    }

    fn is_dark(&self) -> bool {
        let dark = Fate::Outage { late: false, dark: true };
        let late = Fate::Outage { late: true, dark: true };
        !self.is_over() && lock(&self.outage).is_some_and(|(_, fate)| fate == dark || fate == late)
    }
}

fn lock<T>(mutex: &Quick<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// As immudb does it: all of it, or nothing.
    async fn execute(&mut self, rows: &[StoredRow]) -> Sent {
        let has = |row: &StoredRow, text: &str| {
            row.body.windows(text.len()).any(|window| window == text.as_bytes())
        };
        let poison = |text| rows.iter().any(|row| has(row, text));
        if poison(POISON[0]) {
            return Sent::Refused { why: words("too long"), all: false };
        }
        if poison(POISON[1]) {
            return Sent::Unknown { why: words("whatever"), lost: false };
        }
        let key = |row: &StoredRow| (StreamKey::of_row(row), row.event_number);
        if poison(POISON[2])
            || rows.iter().any(|r| self.keys.contains(&key(r)) || self.exts.contains(&r.ext[..]))
        {
            return Sent::KeyExists;
        }
        self.ledger.commit(&mut self.local, rows).await.unwrap();
        self.keys.extend(rows.iter().map(key));
        self.exts.extend(rows.iter().map(|row| row.ext.to_vec()));
        Sent::Answered
    }

    /// One statement more has been executed. What an outage holds back begins
    /// to move when that is over.
    async fn goes_on(&mut self, over: bool) {
        for (after, _) in &mut self.late {
            match *after {
                HELD if over => *after = 3,
                HELD => {}
                _ => *after = after.saturating_sub(1),
            }
        }
        let (due, late) = std::mem::take(&mut self.late).into_iter().partition(|l| l.0 == 0);
        self.late = late;
        let due: Vec<(u8, Vec<StoredRow>)> = due;
        for (_, rows) in due {
            self.execute(&rows).await;
        }
    }
}

type Rival = Box<dyn Fn(StoredRow) -> BoxFuture<'static, ()> + Send + Sync>;

/// One client's way to the ledger; nothing happens on it without a rival.
pub(crate) struct Unruly {
    world: Arc<World>,
    /// Writes to the stream of a row.
    rival: Option<Rival>,
}

impl Unruly {
    pub(crate) fn new(world: &Arc<World>, rival: Option<Rival>) -> Self {
        Self { world: Arc::clone(world), rival }
    }

    /// Brings the log to the ledger's end.
    pub(crate) async fn sync(&self, local: &Mutex<Local>) -> Result<()> {
        if self.rival.is_some() && self.world.is_dark() {
            return Err(timeout().into());
        }
        if self.rival.is_some() && self.world.full.swap(false, Ordering::SeqCst) {
            let full = sqlx::Error::Io(std::io::ErrorKind::StorageFull.into());
            return Err(Unavailable::Storage(full.into()).into());
        }
        let mut server = self.world.server.lock().await;
        server.goes_on(self.world.is_over()).await;
        let mut local = local.lock().await;
        sqlite::run(local.conn(), "DROP TABLE IF EXISTS temp.tx").await?;
        server.ledger.show(&mut local).await
    }

    /// What the ledger has at these places.
    pub(crate) async fn rows(&self, wanted: &[EventAt]) -> Result<Vec<Option<StoredRow>>> {
        let places: Vec<Position> = wanted.iter().map(|event| event.pos).collect();
        self.world.server.lock().await.ledger.rows(&places).await
    }

    async fn meets(&self, fate: Fate, rows: &[StoredRow], rival: &Rival) -> Sent {
        if fate == Fate::Rival {
            rival(rows[0].clone()).await;
        }
        let mut server = self.world.server.lock().await;
        server.goes_on(self.world.is_over()).await;
        let unknown = Sent::Unknown { why: timeout(), lost: true };
        match fate {
            Fate::Arrives | Fate::Rival => server.execute(rows).await,
            Fate::NotSent => Sent::NotSent(timeout()),
            Fate::Lost | Fate::Outage { late: false, .. } => unknown,
            Fate::Late(after) => {
                server.late.push((after, rows.to_vec()));
                unknown
            }
            Fate::Outage { .. } => {
                // Once is as good as every time.
                if server.late.iter().all(|(_, late)| *late != rows) {
                    server.late.push((HELD, rows.to_vec()));
                }
                unknown
            }
            Fate::Unanswered => {
                server.execute(rows).await;
                unknown
            }
            Fate::Twice(after) => {
                server.late.push((after, rows.to_vec()));
                server.execute(rows).await
            }
            Fate::Denied => match server.execute(rows).await {
                Sent::Answered => Sent::Refused { why: words("denied"), all: true },
                refused => refused,
            },
            Fate::DeniedLate(after) => {
                server.late.push((after, rows.to_vec()));
                Sent::Refused { why: words("denied"), all: false }
            }
            Fate::Strange => {
                server.execute(rows).await;
                Sent::Unknown { why: words("strange"), lost: false }
            }
            Fate::StrangeLate(after) => {
                server.late.push((after, rows.to_vec()));
                Sent::Unknown { why: words("strange"), lost: false }
            }
            Fate::Conflict => {
                server.execute(rows).await;
                Sent::Conflict
            }
            Fate::Split { denied } => {
                server.execute(&rows[..1]).await;
                match denied {
                    true => Sent::Refused { why: words("denied"), all: false },
                    false => Sent::Answered,
                }
            }
            Fate::FullDisk { executed } => {
                self.world.full.store(true, Ordering::SeqCst);
                if executed { server.execute(rows).await } else { unknown }
            }
            Fate::Illegible { executed } => {
                self.world.illegible.store(true, Ordering::SeqCst);
                if executed { server.execute(rows).await } else { unknown }
            }
            Fate::Crash { executed } => {
                if executed {
                    server.execute(rows).await;
                }
                drop(server);
                self.world.crashed.store(true, Ordering::SeqCst);
                self.world.crash.notify_one();
                pending().await
            }
        }
    }
}

impl Ledger for Unruly {
    async fn insert(&self, rows: &[StoredRow]) -> Sent {
        match &self.rival {
            Some(rival) => self.meets(self.world.fate(), rows, rival).await,
            None => self.world.server.lock().await.execute(rows).await,
        }
    }

    async fn look(&self, local: &Mutex<Local>, _: &Hints<'_>) -> Result<()> {
        self.sync(local).await?;
        if self.rival.is_some() && self.world.illegible.swap(false, Ordering::SeqCst) {
            // Until the next look, this one is read instead.
            sqlite::run(local.lock().await.conn(), "CREATE TEMP TABLE tx (gone)").await?;
        }
        Ok(())
    }

    /// Nobody alters its table.
    async fn not_shown(&self, _: &Mutex<Local>, _: &Table<'static>) -> Result<Option<Error>> {
        Ok(None)
    }
}

fn timeout() -> Unavailable {
    Unavailable::Timeout { what: "INSERT", seconds: 1 }
}

fn words(message: &str) -> Unavailable {
    Unavailable::Server { what: "INSERT", message: message.into() }
}

/// Whether the ledger itself refused.
pub(crate) fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Unavailable(Unavailable::Server { .. }))
}
