//! Deriving a whole ledger again, from nothing but what it shows, and telling
//! everything in it that does not hold.

mod derive;
mod fresh;
mod from;
#[cfg(feature = "immudb")]
mod lost;
mod memory;
mod noted;
mod own;
mod pace;
mod payloads;
mod report;
mod scratch;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use counterfoil_core::TrustedState;

pub use self::pace::Pace;
pub use self::payloads::{AuditedPayloads, PayloadProblem, PayloadProblemKind};
pub use self::report::{
    AuditCounts, AuditReport, AuditVerdict, AuditedAuthors, Inconsistency, InconsistencyKind,
};
use crate::config::Config;
use crate::error::Result;
use crate::payloads::PayloadStore;
use crate::store::Progress;

/// An audit of the ledger that a configuration names.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let mut config = counterfoil::Config::embedded(folder.path().join("ledger"));
/// # config.trust.file = Some(folder.path().join("trust"));
/// # counterfoil::EventStore::open(&config).await?;
/// use counterfoil::{Audit, AuditVerdict};
///
/// let report = Audit::of(&config).run().await?;
/// for inconsistency in &report.inconsistencies {
///     println!("{inconsistency}");
/// }
/// assert_eq!(report.verdict, AuditVerdict::Intact);
/// # Ok(()) }
/// ```
///
/// Every header is recomputed and linked by chain and by tree, every row is
/// fetched, encoded again and held against its transaction, and the rules of
/// streams are applied anew: neither this client's log nor its index is
/// believed. They are compared with the result afterwards, and the pinned
/// state must be in it. Where something does not hold the audit goes on as
/// far as anything can be linked: an embedded ledger's file shows each
/// transaction's Alh; a server's ledger ends at the first header that does
/// not continue it, unless this client's log holds what was there and the
/// ledger goes on behind it as it did.
///
/// What success proves: that the ledger, up to
/// [`AuditReport::through`], is whole and unchanged since the pinned state was
/// pinned, and follows the format's rules. It does not prove that the ledger
/// was honest before it was first seen, nor that its time stamps are true.
///
/// It reads only: nothing is created in the ledger, and an embedded ledger
/// may be audited while another process writes to it.
///
/// An embedded ledger is derived in memory: some 20 to 40 bytes for an event,
/// 32 for a transaction, 75 to 150 for a stream. Where there is less, give it
/// a file ([`resume`](Self::resume)): then it is derived in there, at a
/// fraction of the rate, with a cache of fixed size.
pub struct Audit<'a> {
    config: &'a Config,
    contains: Vec<TrustedState>,
    from: Option<TrustedState>,
    payloads: Option<&'a dyn PayloadStore>,
    resume: Option<PathBuf>,
    show: Option<Show>,
}

type Show = Arc<dyn Fn(Pace) + Send + Sync>;

impl<'a> Audit<'a> {
    /// An audit of this ledger.
    pub fn of(config: &'a Config) -> Self {
        Self { config, contains: Vec::new(), from: None, payloads: None, resume: None, show: None }
    }

    /// The ledger must contain this state too: one that the auditor brings,
    /// from an earlier audit or from somebody whom he trusts.
    pub fn containing(mut self, state: TrustedState) -> Self {
        self.contains.push(state);
        self
    }

    /// Reads only the rows behind this state, which the auditor brings from an
    /// earlier audit ([`AuditReport::through`]); the ledger must contain it.
    ///
    /// What lies before it comes from this client's own log, and the state
    /// vouches for nearly all of that: every header is linked again up to it,
    /// every transaction's digests must make its root. Believed is the log's
    /// index: which digest is which event's, and what was found beside. Rows that were altered or taken
    /// away before the state are not noticed, and
    /// [`AuditCounts::commitments`] and [`erased`](AuditCounts::erased) count
    /// only what was read.
    ///
    /// Where the log does not reach so far, does not hold the state, or does
    /// not link, everything is read as ever: [`AuditReport::from`] says which
    /// it was.
    pub fn from(mut self, state: TrustedState) -> Self {
        self.from = Some(state);
        self
    }

    /// Also asks this payload store for every content that the ledger commits
    /// to, and tells what is erased from what is lost
    /// ([`AuditReport::payloads`]).
    pub fn payloads(mut self, payloads: &'a dyn PayloadStore) -> Self {
        self.payloads = Some(payloads);
        self
    }

    /// Keeps in this file how far the audit is. Interrupted, it goes on from
    /// its last batch when it is run again with the same file; finished, the
    /// file makes the next audit an incremental one: only what came after is
    /// read, and must continue what the file holds. What was read before is
    /// not read again, so rows that were altered since then are not noticed;
    /// without the file everything is read. The file is believed: keep it
    /// where the pin is kept.
    pub fn resume(mut self, file: impl Into<PathBuf>) -> Self {
        self.resume = Some(file.into());
        self
    }

    /// Calls `show` as the audit goes on, if it is a long one.
    pub fn progress(mut self, show: impl Fn(Pace) + Send + Sync + 'static) -> Self {
        self.show = Some(Arc::new(show));
        self
    }

    /// Runs it. A ledger in which something does not hold is a report, not an
    /// error.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the ledger cannot
    /// be asked or there is none and none was known,
    /// [`Error::Config`](crate::Error::Config), and what is wrong with the
    /// audit's own file.
    pub async fn run(self) -> Result<AuditReport> {
        // Boxed: what callers hold while they wait should be small.
        Box::pin(async { derive::Derivation::begin(&self).await?.run().await }).await
    }

    fn progress_shown(&self) -> Progress {
        let Some(show) = self.show.clone() else { return Progress::default() };
        let start = Instant::now();
        Progress::to(move |done, total| show(Pace::new(done, total, start.elapsed())))
    }
}

impl fmt::Debug for Audit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").field("contains", &self.contains).finish_non_exhaustive()
    }
}

impl fmt::Display for Inconsistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tx) = self.tx {
            write!(f, "transaction {tx}")?;
            if let Some(entry) = self.entry {
                write!(f, ", entry {entry}")?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{} ({})", self.detail, self.kind.as_str())
    }
}
