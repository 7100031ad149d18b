//! What an audit derives: a log and an index of its own, made from nothing
//! but the ledger, and beside them what did not hold on the way.

use counterfoil_core::receipt::Authorship;
use counterfoil_core::{Alh, TrustedState, TxId};
use sqlx::{Row, SqliteConnection};

use super::report::{AuditCounts, AuditReport, AuditedAuthors, Inconsistency, InconsistencyKind};
use crate::author::{TrustedAuthor, told};
use crate::error::Result;
use crate::event::PayloadCommitment;
use crate::index::Position;
use crate::sqlite::{self, damaged, to_i64, to_u64};

/// `entry` is −1 where none can be named.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS inconsistency (
        tx INTEGER NOT NULL,
        entry INTEGER NOT NULL,
        kind TEXT NOT NULL,
        detail TEXT NOT NULL,
        PRIMARY KEY (tx, entry, kind, detail)
    ) WITHOUT ROWID;
";

/// Makes the table beside the audit's log.
pub(super) async fn create(conn: &mut SqliteConnection) -> Result<()> {
    sqlite::run(conn, TABLES).await
}

/// Notes what does not hold in a transaction. Said again after an
/// interruption, it is there once.
pub(super) async fn note(conn: &mut SqliteConnection, found: &[Inconsistency]) -> Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    sqlite::begin(conn).await?;
    let written = insert(conn, found).await;
    Ok(sqlite::finish(conn, written).await?)
}

async fn insert(conn: &mut SqliteConnection, found: &[Inconsistency]) -> Result<()> {
    for one in found {
        sqlx::query(
            "INSERT OR IGNORE INTO inconsistency (tx, entry, kind, detail) VALUES (?, ?, ?, ?)",
        )
        .bind(to_i64(one.tx.map_or(0, TxId::get)))
        .bind(one.entry.map_or(-1, i64::from))
        .bind(one.kind.as_str())
        .bind(&one.detail)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// What was noted, in ledger order, as much as a report lists; and how much
/// there is.
pub(super) async fn noted(conn: &mut SqliteConnection) -> Result<(Vec<Inconsistency>, u64)> {
    let total: i64 =
        sqlx::query_scalar("SELECT count(*) FROM inconsistency").fetch_one(&mut *conn).await?;
    let listed = sqlx::query(
        "SELECT tx, entry, kind, detail FROM inconsistency ORDER BY tx, entry, kind LIMIT ?",
    )
    .bind(i64::try_from(AuditReport::MOST_LISTED).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?
    .iter()
    .map(|row| {
        let kind = InconsistencyKind::from_name(row.try_get("kind")?);
        let tx = to_u64(row.try_get("tx")?, "inconsistency.tx")?;
        Ok(Inconsistency {
            tx: (tx > 0).then(|| TxId::new(tx)),
            entry: u32::try_from(row.try_get::<i64, _>("entry")?).ok(),
            kind: kind.ok_or_else(|| damaged("unknown kind of inconsistency"))?,
            detail: row.try_get("detail")?,
        })
    })
    .collect::<Result<Vec<_>>>()?;
    Ok((listed, to_u64(total, "count")?))
}

/// Whether anything was noted about a transaction.
pub(super) async fn is_noted(conn: &mut SqliteConnection, tx: TxId) -> Result<bool> {
    let found = sqlx::query("SELECT 1 FROM inconsistency WHERE tx = ? LIMIT 1")
        .bind(to_i64(tx.get()))
        .fetch_optional(conn)
        .await?;
    Ok(found.is_some())
}

/// The Alh that was derived for a transaction.
pub(super) async fn alh(conn: &mut SqliteConnection, tx: TxId) -> Result<Option<Alh>> {
    let row = sqlx::query("SELECT alh FROM tx WHERE id = ?")
        .bind(to_i64(tx.get()))
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok(Alh::new(sqlite::hash(&row, "alh")?))).transpose()
}

/// Those of transactions `first` to `last`.
pub(super) async fn alhs(conn: &mut SqliteConnection, first: u64, last: u64) -> Result<Vec<Alh>> {
    sqlx::query("SELECT alh FROM tx WHERE id BETWEEN ? AND ? ORDER BY id")
        .bind(to_i64(first))
        .bind(to_i64(last))
        .fetch_all(conn)
        .await?
        .iter()
        .map(|row| Ok(Alh::new(sqlite::hash(row, "alh")?)))
        .collect()
}

/// The id of the table of events and the transaction that created it.
pub(super) async fn table(conn: &mut SqliteConnection) -> Result<Option<(u32, u64)>> {
    let row = sqlx::query(
        "SELECT (SELECT value FROM meta WHERE name = 'table_id') AS id, \
         (SELECT value FROM meta WHERE name = 'genesis_tx') AS tx",
    )
    .fetch_one(conn)
    .await?;
    let number = |name: &str| row.try_get::<Option<i64>, _>(name);
    let (Some(id), Some(tx)) = (number("id")?, number("tx")?) else { return Ok(None) };
    Ok(u32::try_from(id).ok().zip(u64::try_from(tx).ok()))
}

/// What the ledger consists of.
pub(super) async fn counts(conn: &mut SqliteConnection) -> Result<AuditCounts> {
    let row = sqlx::query(
        "SELECT count(*) AS transactions, \
         coalesce(sum(digests IS NOT NULL), 0) AS accounted, \
         coalesce(sum(digests IS NULL AND NOT opaque), 0) AS unaccounted, \
         coalesce(sum(opaque), 0) AS opaque, \
         coalesce(sum(iif(digests IS NOT NULL, nentries, 0)), 0) AS entries_accounted, \
         coalesce(sum(iif(digests IS NULL, nentries, 0)), 0) AS entries_unaccounted, \
         coalesce(sum(digests IS NOT NULL AND id = \
           (SELECT value FROM meta WHERE name = 'genesis_tx')), 0) AS catalog, \
         (SELECT count(*) FROM outside WHERE NOT erases) AS commitments, \
         (SELECT count(*) FROM outside o WHERE NOT erases AND EXISTS (SELECT 1 FROM outside e \
           WHERE e.commitment = o.commitment AND e.erases)) AS erased, \
         (SELECT count(*) FROM event) AS events, \
         (SELECT count(*) FROM stream WHERE next > 0) AS streams FROM tx",
    )
    .fetch_one(conn)
    .await?;
    let number = |name: &str| to_u64(row.try_get(name)?, name);
    let (accounted, catalog) = (number("accounted")?, number("catalog")?);
    Ok(AuditCounts {
        transactions: number("transactions")?,
        accounted,
        ours: accounted.saturating_sub(catalog),
        catalog,
        unaccounted: number("unaccounted")?,
        opaque: number("opaque")?,
        entries_accounted: number("entries_accounted")?,
        entries_unaccounted: number("entries_unaccounted")?,
        events: number("events")?,
        streams: number("streams")?,
        commitments: number("commitments")?,
        erased: number("erased")?,
    })
}

/// Events behind `after` that commit to contents outside the ledger, in its
/// order, and whether the ledger says that these are erased.
pub(super) async fn commitments(
    conn: &mut SqliteConnection,
    after: Position,
    limit: usize,
) -> Result<Vec<(Position, PayloadCommitment, bool)>> {
    sqlx::query(
        "SELECT pos, commitment, EXISTS (SELECT 1 FROM outside e \
           WHERE e.commitment = o.commitment AND e.erases) AS erased \
         FROM outside o WHERE NOT erases AND pos > ? ORDER BY pos LIMIT ?",
    )
    .bind(after.raw())
    .bind(to_i64(limit as u64))
    .fetch_all(conn)
    .await?
    .iter()
    .map(|row| {
        let commitment = PayloadCommitment::from_bytes(sqlite::hash(row, "commitment")?);
        Ok((Position::from_raw(row.try_get("pos")?), commitment, row.try_get("erased")?))
    })
    .collect()
}

/// Whether an event carries this commitment.
pub(super) async fn is_committed(
    conn: &mut SqliteConnection,
    commitment: PayloadCommitment,
) -> Result<bool> {
    let found = sqlx::query("SELECT 1 FROM outside WHERE commitment = ? AND NOT erases LIMIT 1")
        .bind(&commitment.as_bytes()[..])
        .fetch_optional(conn)
        .await?;
    Ok(found.is_some())
}

/// How many findings there are.
pub(super) async fn findings(conn: &mut SqliteConnection) -> Result<u64> {
    let total: i64 = sqlx::query_scalar("SELECT count(*) FROM finding").fetch_one(conn).await?;
    to_u64(total, "count")
}

/// Who signed the events behind `from`, to whoever trusts these.
pub(super) async fn authors(
    conn: &mut SqliteConnection,
    from: Option<TrustedState>,
    trusted: &[TrustedAuthor],
) -> Result<AuditedAuthors> {
    let after = from.map_or(0, |state| Position::end_of(state.tx).raw());
    let mut found = AuditedAuthors::default();
    let mut signed = 0;
    for row in sqlx::query(
        "SELECT s.key, t.domain, count(*) AS events FROM signed s JOIN event e ON e.pos = s.pos \
         JOIN stream t ON t.id = e.stream GROUP BY s.key, t.domain",
    )
    .fetch_all(&mut *conn)
    .await?
    {
        let (key, domain) = (sqlite::hash(&row, "key")?, row.try_get::<Vec<u8>, _>("domain")?);
        let events = to_u64(row.try_get("events")?, "count")?;
        signed += events;
        match told(key, &String::from_utf8_lossy(&domain), trusted) {
            Authorship::Allowed { .. } => found.signed_by_author += events,
            Authorship::NotAllowed { .. } => found.author_not_allowed += events,
            _ => found.unknown_author += events,
        }
    }
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM event WHERE pos > ?) AS events, \
         (SELECT count(*) FROM finding f JOIN event e ON e.pos = (f.tx << 16) + f.entry \
           WHERE f.kind = 'author_signature_broken' AND e.pos > ?) AS broken",
    )
    .bind(after)
    .bind(after)
    .fetch_one(conn)
    .await?;
    let number = |name: &str| to_u64(row.try_get(name)?, name);
    found.author_signature_broken = number("broken")?;
    found.unsigned =
        number("events")?.saturating_sub(signed).saturating_sub(found.author_signature_broken);
    Ok(found)
}
