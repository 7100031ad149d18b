//! The pinned state of one ledger: what this client holds the ledger to.
//!
//! It lives in the file of the log and moves in the very transaction that
//! extends the log. Before an embedded ledger writes a transaction, the state
//! it will have is announced here: a crash at any instruction leaves the
//! ledger at the pin or at the announced state, and nowhere else.

use counterfoil_core::{Alh, TrustedState, TxId};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::error::Result;
use crate::sqlite::{self, damaged, to_i64, to_u64};
use crate::verdict::Verdict;

/// Why a ledger is believed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Anchor {
    /// This client created it and pinned it from its birth.
    Created,
    /// The configuration gave a state that the ledger contains.
    Configured,
    /// First contact was accepted: nothing but the ledger's own word.
    FirstContact,
}

impl Anchor {
    const ALL: [Self; 3] = [Self::Created, Self::Configured, Self::FirstContact];

    /// The one with this name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|anchor| anchor.as_str() == name)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::FirstContact => "first_contact",
        }
    }
}

impl std::fmt::Display for Anchor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Created => "created by this client",
            Self::Configured => "anchored by the configuration",
            Self::FirstContact => "accepted at first contact",
        })
    }
}

/// A pinned state and how it came to be.
///
/// It moves only forward, over headers that this client recomputed and
/// matched to chain and tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pin {
    /// The ledger's id: Alh(1).
    pub ledger: Alh,
    /// The newest verified state.
    pub state: TrustedState,
    /// Why the ledger is believed.
    pub anchor: Anchor,
    /// The state at which it was first believed.
    pub anchored_at: TrustedState,
}

/// What a trust table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trust {
    pub(crate) ledger: Alh,
    /// `None` between the announcement of a new ledger and its birth.
    pub(crate) pin: Option<Pin>,
    /// Announced and perhaps written.
    pub(crate) pending: Option<TrustedState>,
}

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS trust (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        ledger BLOB NOT NULL,
        tx INTEGER, alh BLOB,
        anchor TEXT, anchor_tx INTEGER, anchor_alh BLOB,
        pending_tx INTEGER, pending_alh BLOB
    );
    CREATE TABLE IF NOT EXISTS evidence (
        at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
        verdict TEXT NOT NULL,
        details TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS repair (
        at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
        cause TEXT NOT NULL,
        tx INTEGER, alh BLOB
    );
";

/// A time at which this client's own log was not as it was left: lost,
/// damaged, or older than its pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LogRepair {
    /// When it was noticed: UTC, as `2026-01-31 23:59:59`.
    pub at: String,
    /// What was found, and where it is kept.
    pub cause: String,
    /// The pin that was left, which the ledger was held to. `None`: none was
    /// left, and what then vouched for the ledger is the pin's anchor.
    pub held_to: Option<TrustedState>,
}

impl Trust {
    pub(crate) async fn create(conn: &mut SqliteConnection) -> Result<()> {
        sqlite::run(conn, TABLES).await
    }

    pub(crate) async fn load(conn: &mut SqliteConnection) -> Result<Option<Self>> {
        // By name: of a damaged schema SQLite then says so.
        let row = sqlx::query(
            "SELECT ledger, tx, alh, anchor, anchor_tx, anchor_alh, pending_tx, pending_alh \
             FROM trust",
        );
        let Some(row) = row.fetch_optional(conn).await? else { return Ok(None) };
        let ledger = Alh::new(sqlite::hash(&row, "ledger")?);
        let pin = match state(&row, "tx", "alh")? {
            None => None,
            Some(pinned) => {
                let name: String = row.try_get("anchor")?;
                Some(Pin {
                    ledger,
                    state: pinned,
                    anchor: Anchor::of_name(&name)
                        .ok_or_else(|| damaged("unknown anchor in the trust table"))?,
                    anchored_at: state(&row, "anchor_tx", "anchor_alh")?
                        .ok_or_else(|| damaged("the trust table has no anchor"))?,
                })
            }
        };
        Ok(Some(Self { ledger, pin, pending: state(&row, "pending_tx", "pending_alh")? }))
    }

    /// Announces a ledger that is about to be created with this state. Only
    /// an announcement that came to nothing may be replaced.
    pub(crate) async fn announce_ledger(
        conn: &mut SqliteConnection,
        ledger: Alh,
        pending: TrustedState,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO trust (one, ledger, pending_tx, pending_alh) VALUES (1, ?, ?, ?) \
             ON CONFLICT (one) DO UPDATE SET ledger = excluded.ledger, \
             pending_tx = excluded.pending_tx, pending_alh = excluded.pending_alh \
             WHERE tx IS NULL",
        )
        .bind(&ledger.as_bytes()[..])
        .bind(to_i64(pending.tx.get()))
        .bind(&pending.alh.as_bytes()[..])
        .execute(conn)
        .await?;
        Ok(())
    }

    /// Pins a ledger for the first time.
    pub(crate) async fn anchor(conn: &mut SqliteConnection, pin: &Pin) -> Result<()> {
        let done = sqlx::query(
            "INSERT INTO trust (one, ledger, tx, alh, anchor, anchor_tx, anchor_alh) \
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT (one) DO UPDATE SET ledger = ?1, tx = ?2, alh = ?3, anchor = ?4, \
             anchor_tx = ?5, anchor_alh = ?6, pending_tx = NULL, pending_alh = NULL \
             WHERE tx IS NULL",
        )
        .bind(&pin.ledger.as_bytes()[..])
        .bind(to_i64(pin.state.tx.get()))
        .bind(&pin.state.alh.as_bytes()[..])
        .bind(pin.anchor.as_str())
        .bind(to_i64(pin.anchored_at.tx.get()))
        .bind(&pin.anchored_at.alh.as_bytes()[..])
        .execute(conn)
        .await?;
        if done.rows_affected() != 1 {
            return Err(damaged("a pinned ledger cannot be anchored again"));
        }
        Ok(())
    }

    /// Writes down that the log was not as it was left.
    pub(crate) async fn note_repair(
        conn: &mut SqliteConnection,
        cause: &str,
        held_to: Option<TrustedState>,
    ) -> Result<()> {
        sqlx::query("INSERT INTO repair (cause, tx, alh) VALUES (?, ?, ?)")
            .bind(cause)
            .bind(held_to.map(|state| to_i64(state.tx.get())))
            .bind(held_to.map(|state| state.alh.as_bytes().to_vec()))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// What was written down so.
    pub(crate) async fn repairs(conn: &mut SqliteConnection) -> Result<Vec<LogRepair>> {
        sqlx::query("SELECT at, cause, tx, alh FROM repair ORDER BY rowid")
            .fetch_all(conn)
            .await?
            .iter()
            .map(|row| {
                Ok(LogRepair {
                    at: row.try_get("at")?,
                    cause: row.try_get("cause")?,
                    held_to: state(row, "tx", "alh")?,
                })
            })
            .collect()
    }

    /// Announces the state that the ledger is about to have.
    pub(crate) async fn announce(conn: &mut SqliteConnection, next: TrustedState) -> Result<()> {
        sqlx::query("UPDATE trust SET pending_tx = ?, pending_alh = ?")
            .bind(to_i64(next.tx.get()))
            .bind(&next.alh.as_bytes()[..])
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Moves the pin forward. It never goes back.
    pub(crate) async fn advance(conn: &mut SqliteConnection, to: TrustedState) -> Result<()> {
        let done = sqlx::query(
            "UPDATE trust SET tx = ?1, alh = ?2, pending_tx = NULL, pending_alh = NULL \
             WHERE tx < ?1 OR (tx = ?1 AND alh = ?2)",
        )
        .bind(to_i64(to.tx.get()))
        .bind(&to.alh.as_bytes()[..])
        .execute(conn)
        .await?;
        if done.rows_affected() != 1 {
            return Err(damaged(format!("the pin cannot move to {to}: it is already beyond")));
        }
        Ok(())
    }

    /// Keeps a verdict, both states in it, where it cannot get lost.
    pub(crate) async fn keep_evidence(
        conn: &mut SqliteConnection,
        verdict: &Verdict,
    ) -> Result<()> {
        sqlx::query("INSERT INTO evidence (verdict, details) VALUES (?, ?)")
            .bind(verdict.to_string())
            .bind(format!("{verdict:?}"))
            .execute(conn)
            .await?;
        Ok(())
    }
}

fn state(row: &SqliteRow, tx: &str, alh: &str) -> Result<Option<TrustedState>> {
    let Some(id) = row.try_get::<Option<i64>, _>(tx)? else { return Ok(None) };
    Ok(Some(TrustedState {
        tx: TxId::new(to_u64(id, "trust.tx")?),
        alh: Alh::new(sqlite::hash(row, alh)?),
    }))
}

/// Compares a ledger with what is pinned about it; `found_at_pin` is the Alh
/// that the ledger has at the pinned transaction.
pub(crate) fn compare(
    pinned: TrustedState,
    found_at_pin: Option<Alh>,
    end: Option<TrustedState>,
) -> Result<(), Verdict> {
    match found_at_pin {
        Some(alh) if alh == pinned.alh => Ok(()),
        Some(alh) => Err(Verdict::Fork { pinned, found: TrustedState { tx: pinned.tx, alh } }),
        None => Err(Verdict::Rollback { pinned, found: end }),
    }
}
