//! Judges rows, in ledger order, and keeps what comes of it in the tables.

use std::collections::{HashMap, HashSet};

use counterfoil_core::{Alh, TxId};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::rules::{self, Before, Placed, Ruling, StreamEnd};
use super::{InAppend, Index, NewRow, Position, RowContent, StreamKey, StreamState, correlation};
use crate::author::Signed;
use crate::body::{EventBody, GENESIS_FORMAT, GenesisBody};
use crate::error::Result;
use crate::payloads::erasure::{self, Outside};
use crate::row::StoredRow;
use crate::schema;
use crate::sqlite::{self, to_i64, to_u64};
use crate::verdict::FindingKind;

/// What a row says, if its columns and its body agree and every rule holds.
pub(super) fn content(row: &StoredRow) -> RowContent {
    if schema::is_genesis_key(row) && row.body.first() == Some(&GENESIS_FORMAT) {
        return match GenesisBody::decode(&row.body) {
            Ok(_) => RowContent::Genesis,
            Err(error) => RowContent::Not(error.to_string()),
        };
    }
    match columns_and_body(row) {
        Ok(body) => RowContent::Event {
            ext: body.ext(),
            prev_event: body.prev_event,
            seen_tx: body.seen_tx,
            seen_alh: body.seen_alh,
            correlation: correlation(&body.correlation_id),
            outside: erasure::outside(&body),
            append: InAppend {
                id: body.append_id,
                index: body.append_index,
                count: body.append_count,
            },
            signed: match body.author {
                Some(_) => Signed::of(&row.body).map(Box::new),
                None => None,
            },
        },
        Err(reason) => RowContent::Not(reason),
    }
}

/// The event that a row in transaction `tx` holds.
pub(crate) fn event(row: &StoredRow, tx: TxId) -> Result<EventBody, String> {
    let body = columns_and_body(row)?;
    seen_before(body.seen_tx, tx)?;
    Ok(body)
}

/// A writer can only have seen what came before.
pub(crate) fn seen_before(seen_tx: u64, tx: TxId) -> Result<(), String> {
    if seen_tx < tx.get() {
        Ok(())
    } else {
        Err(format!("its writer claims to have seen transaction {seen_tx}"))
    }
}

/// The columns must be those that the body demands.
fn columns_and_body(row: &StoredRow) -> Result<EventBody, String> {
    let body = EventBody::decode(&row.body).map_err(|error| error.to_string())?;
    let same = |holds: bool, column: &str| {
        if holds { Ok(()) } else { Err(format!("its {column} column and its body differ")) }
    };
    same(row.domain == body.domain.as_bytes(), "domain")?;
    same(row.edition == body.edition.as_bytes(), "edition")?;
    same(row.root == body.root.as_slice(), "root")?;
    same(u64::try_from(row.event_number) == Ok(body.event_number), "event_number")?;
    same(u64::try_from(row.seen_tx) == Ok(body.seen_tx), "seen_tx")?;
    same(row.ext == body.ext(), "ext")?;
    Ok(body)
}

/// SQLite's default limit on parameters is far above this.
const CHUNK: usize = 500;

impl Index {
    /// Adds the rows of one or more transactions, which stand in ledger
    /// order. The caller holds an open SQLite transaction in which the log
    /// already has these transactions.
    pub(crate) async fn add(&mut self, conn: &mut SqliteConnection, rows: &[NewRow]) -> Result<()> {
        self.load_streams(conn, rows).await?;
        let mut known = Known {
            stream: None,
            exts: known_exts(conn, rows).await?,
            held: self.held(conn, rows).await?,
            seen: seen_alhs(conn, rows).await?,
            ledger: match rows.iter().any(NewRow::is_signed) {
                true => self.ledger(conn).await?,
                false => Alh::BEFORE_FIRST,
            },
            found: Vec::new(),
        };
        let mut events: Vec<(&NewRow, i64, [u8; 32])> = Vec::new();
        let mut signed: Vec<(Position, [u8; 32])> = Vec::new();
        for row in rows {
            known.stream = self.streams.get(&row.key).copied();
            let ruling = rules::judge(row.claim(), row.event_number, &mut known);
            for (kind, detail) in known.found.drain(..) {
                finding(conn, row.pos, kind, &detail).await?;
            }
            match ruling {
                Ruling::Nothing => {}
                Ruling::Genesis => {
                    self.stream(conn, &row.key).await?;
                }
                Ruling::Holds(reason) => {
                    let stream = self.hold(conn, row, &reason).await?;
                    known.held.insert((stream, row.event_number));
                }
                Ruling::Event { signed_by } => {
                    let RowContent::Event { ext, .. } = &row.content else { continue };
                    let stream = self.stream(conn, &row.key).await?;
                    known.exts.insert(*ext);
                    events.push((row, stream.id, *ext));
                    signed.extend(signed_by.map(|key| (row.pos, key)));
                    let head = row.digest.to_bytes();
                    let next = StreamState { next: stream.next + 1, head, ..stream };
                    self.streams.insert(row.key.clone(), next);
                }
            }
        }
        let is_event: HashSet<Position> = events.iter().map(|(row, ..)| row.pos).collect();
        let placed = rows.iter().filter_map(|row| match &row.content {
            RowContent::Event { append, .. } => Some(Placed {
                pos: row.pos,
                append: *append,
                is_event: is_event.contains(&row.pos),
            }),
            _ => None,
        });
        for (pos, detail) in rules::split(&placed.collect::<Vec<_>>()) {
            // Where an audit found rows altered, nobody knows the others.
            if is_accounted_for(conn, pos.tx()).await? {
                finding(conn, pos, FindingKind::AppendSplit, &detail).await?;
            }
        }
        insert_events(conn, &events).await?;
        if self.outside {
            insert_outside(conn, &events).await?;
            insert_signed(conn, &signed).await?;
        }
        self.store_streams(conn, events.iter().map(|(row, ..)| &row.key)).await
    }

    /// Which of the rows' keys are held, of those streams of which any is.
    async fn held(
        &self,
        conn: &mut SqliteConnection,
        rows: &[NewRow],
    ) -> Result<HashSet<(i64, i64)>> {
        let mut held = HashSet::new();
        for row in rows {
            let Some(stream) = self.streams.get(&row.key).filter(|stream| stream.any_held) else {
                continue;
            };
            let found = sqlx::query("SELECT 1 FROM held WHERE stream = ? AND number = ?")
                .bind(stream.id)
                .bind(row.event_number)
                .fetch_optional(&mut *conn)
                .await?;
            held.extend(found.map(|_| (stream.id, row.event_number)));
        }
        Ok(held)
    }

    /// The ledger's id: the hash of its first transaction.
    async fn ledger(&mut self, conn: &mut SqliteConnection) -> Result<Alh> {
        if let Some(ledger) = self.ledger {
            return Ok(ledger);
        }
        let first = sqlx::query("SELECT alh FROM tx WHERE id = 1").fetch_one(conn).await?;
        let ledger = Alh::new(sqlite::hash(&first, "alh")?);
        self.ledger = Some(ledger);
        Ok(ledger)
    }

    /// Notes that a row stands on a key without being its event. Gives the
    /// stream's id.
    async fn hold(
        &mut self,
        conn: &mut SqliteConnection,
        row: &NewRow,
        reason: &str,
    ) -> Result<i64> {
        let stream = self.stream(conn, &row.key).await?;
        self.streams.insert(row.key.clone(), StreamState { any_held: true, ..stream });
        sqlx::query("INSERT OR IGNORE INTO held (stream, number, pos, reason) VALUES (?, ?, ?, ?)")
            .bind(stream.id)
            .bind(row.event_number)
            .bind(row.pos.raw())
            .bind(reason)
            .execute(conn)
            .await?;
        Ok(stream.id)
    }

    async fn stream(
        &mut self,
        conn: &mut SqliteConnection,
        key: &StreamKey,
    ) -> Result<StreamState> {
        if let Some(stream) = self.streams.get(key) {
            return Ok(*stream);
        }
        let id = sqlx::query(
            "INSERT INTO stream (domain, edition, root, next, head) VALUES (?, ?, ?, 0, ?)",
        )
        .bind(&key.domain)
        .bind(&key.edition)
        .bind(&key.root)
        .bind(&[0_u8; 32][..])
        .execute(conn)
        .await?
        .last_insert_rowid();
        let stream = StreamState { id, next: 0, head: [0; 32], any_held: false };
        self.streams.insert(key.clone(), stream);
        Ok(stream)
    }

    /// Brings every stream that the rows touch into memory.
    async fn load_streams(&mut self, conn: &mut SqliteConnection, rows: &[NewRow]) -> Result<()> {
        if self.streams.len() > Self::MOST {
            self.streams.clear();
        }
        for row in rows {
            if self.streams.contains_key(&row.key) {
                continue;
            }
            let found = sqlx::query(
                "SELECT id, next, head, EXISTS (SELECT 1 FROM held WHERE stream = stream.id) AS held \
                 FROM stream WHERE edition = ? AND domain = ? AND root = ?",
            )
            .bind(&row.key.edition)
            .bind(&row.key.domain)
            .bind(&row.key.root)
            .fetch_optional(&mut *conn)
            .await?;
            if let Some(found) = found {
                let stream = StreamState {
                    id: found.try_get("id")?,
                    next: to_u64(found.try_get("next")?, "stream.next")?,
                    head: sqlite::hash(&found, "head")?,
                    any_held: found.try_get::<i64, _>("held")? != 0,
                };
                self.streams.insert(row.key.clone(), stream);
            }
        }
        Ok(())
    }

    async fn store_streams<'a>(
        &self,
        conn: &mut SqliteConnection,
        keys: impl Iterator<Item = &'a StreamKey>,
    ) -> Result<()> {
        let changed: HashMap<i64, &StreamState> = keys
            .filter_map(|key| self.streams.get(key))
            .map(|stream| (stream.id, stream))
            .collect();
        let changed: Vec<&StreamState> = changed.into_values().collect();
        for chunk in changed.chunks(CHUNK) {
            let mut query = QueryBuilder::<Sqlite>::new("WITH changed (id, next, head) AS (");
            query.push_values(chunk, |mut values, stream| {
                values
                    .push_bind(stream.id)
                    .push_bind(to_i64(stream.next))
                    .push_bind(&stream.head[..]);
            });
            query.push(
                ") UPDATE stream SET next = changed.next, head = changed.head \
                 FROM changed WHERE stream.id = changed.id",
            );
            query.build().execute(&mut *conn).await?;
        }
        Ok(())
    }
}

/// What the tables and the rows before say of a row.
struct Known {
    stream: Option<StreamState>,
    exts: HashSet<[u8; 32]>,
    held: HashSet<(i64, i64)>,
    seen: HashMap<u64, [u8; 32]>,
    ledger: Alh,
    found: Vec<(FindingKind, String)>,
}

impl Before for Known {
    fn stream(&self) -> Option<StreamEnd> {
        self.stream.map(|StreamState { next, head, any_held, .. }| StreamEnd {
            next,
            head,
            any_held,
        })
    }

    fn has_ext(&self, ext: &[u8; 32]) -> bool {
        self.exts.contains(ext)
    }

    fn is_held(&self, number: u64) -> bool {
        self.stream.is_some_and(|stream| self.held.contains(&(stream.id, to_i64(number))))
    }

    fn saw(&self, tx: u64, alh: &[u8; 32]) -> bool {
        self.seen.get(&tx) == Some(alh)
    }

    fn ledger(&self) -> Alh {
        self.ledger
    }

    fn find(&mut self, kind: FindingKind, detail: String) {
        self.found.push((kind, detail));
    }
}

/// Whether all entries of a transaction are known.
async fn is_accounted_for(conn: &mut SqliteConnection, tx: TxId) -> Result<bool> {
    let sql = "SELECT 1 FROM tx WHERE id = ? AND digests IS NOT NULL";
    Ok(sqlx::query(sql).bind(to_i64(tx.get())).fetch_optional(conn).await?.is_some())
}

/// Which of the rows' ids were used by earlier events.
async fn known_exts(conn: &mut SqliteConnection, rows: &[NewRow]) -> Result<HashSet<[u8; 32]>> {
    let exts: Vec<[u8; 32]> = rows
        .iter()
        .filter_map(|row| match &row.content {
            RowContent::Event { ext, .. } => Some(*ext),
            _ => None,
        })
        .collect();
    let mut known = HashSet::new();
    for chunk in exts.chunks(CHUNK) {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT ext FROM event WHERE ext IN (");
        let mut list = query.separated(", ");
        for ext in chunk {
            list.push_bind(&ext[..]);
        }
        query.push(")");
        for row in query.build().fetch_all(&mut *conn).await? {
            known.insert(sqlite::hash(&row, "ext")?);
        }
    }
    Ok(known)
}

/// This log's Alhs of the transactions that the rows' writers had seen.
async fn seen_alhs(conn: &mut SqliteConnection, rows: &[NewRow]) -> Result<HashMap<u64, [u8; 32]>> {
    let seen: HashSet<u64> = rows
        .iter()
        .filter_map(|row| match &row.content {
            RowContent::Event { seen_tx, .. } => Some(*seen_tx),
            _ => None,
        })
        .collect();
    let seen: Vec<u64> = seen.into_iter().collect();
    let mut alhs = HashMap::new();
    for chunk in seen.chunks(CHUNK) {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT id, alh FROM tx WHERE id IN (");
        let mut list = query.separated(", ");
        for tx in chunk {
            list.push_bind(to_i64(*tx));
        }
        query.push(")");
        for row in query.build().fetch_all(&mut *conn).await? {
            let tx = to_u64(row.try_get("id")?, "tx.id")?;
            alhs.insert(tx, sqlite::hash(&row, "alh")?);
        }
    }
    Ok(alhs)
}

async fn insert_events(
    conn: &mut SqliteConnection,
    events: &[(&NewRow, i64, [u8; 32])],
) -> Result<()> {
    for chunk in events.chunks(CHUNK) {
        let mut query =
            QueryBuilder::<Sqlite>::new("INSERT INTO event (pos, stream, number, ext) ");
        query.push_values(chunk, |mut values, (row, stream, ext)| {
            values
                .push_bind(row.pos.raw())
                .push_bind(*stream)
                .push_bind(row.event_number)
                .push_bind(&ext[..]);
        });
        query.build().execute(&mut *conn).await?;
    }
    let correlated: Vec<(i64, Position)> = events
        .iter()
        .filter_map(|(row, ..)| match &row.content {
            RowContent::Event { correlation, .. } => Some(((*correlation)?, row.pos)),
            _ => None,
        })
        .collect();
    for chunk in correlated.chunks(CHUNK) {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO correlation (id, pos) ");
        query.push_values(chunk, |mut values, (id, pos)| {
            values.push_bind(*id).push_bind(pos.raw());
        });
        query.build().execute(&mut *conn).await?;
    }
    Ok(())
}

async fn insert_outside(
    conn: &mut SqliteConnection,
    events: &[(&NewRow, i64, [u8; 32])],
) -> Result<()> {
    for (row, ..) in events {
        let RowContent::Event { outside: Some(outside), .. } = &row.content else { continue };
        let (commitment, erases) = match outside {
            Outside::Committed(commitment) => (commitment, false),
            Outside::Erases(commitment) => (commitment, true),
        };
        sqlx::query("INSERT INTO outside (pos, commitment, erases) VALUES (?, ?, ?)")
            .bind(row.pos.raw())
            .bind(&commitment.as_bytes()[..])
            .bind(erases)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

async fn insert_signed(conn: &mut SqliteConnection, signed: &[(Position, [u8; 32])]) -> Result<()> {
    for chunk in signed.chunks(CHUNK) {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO signed (pos, key) ");
        query.push_values(chunk, |mut values, (pos, key)| {
            values.push_bind(pos.raw()).push_bind(&key[..]);
        });
        query.build().execute(&mut *conn).await?;
    }
    Ok(())
}

/// Records a finding about one row.
async fn finding(
    conn: &mut SqliteConnection,
    pos: Position,
    kind: FindingKind,
    detail: &str,
) -> Result<()> {
    record_finding(conn, pos.tx(), Some(pos.entry()), kind, detail).await
}

/// Records a finding.
pub(crate) async fn record_finding(
    conn: &mut SqliteConnection,
    tx: TxId,
    entry: Option<u32>,
    kind: FindingKind,
    detail: &str,
) -> Result<()> {
    sqlx::query("INSERT INTO finding (tx, entry, kind, detail) VALUES (?, ?, ?, ?)")
        .bind(to_i64(tx.get()))
        .bind(entry.map(i64::from))
        .bind(kind.as_str())
        .bind(detail)
        .execute(conn)
        .await?;
    Ok(())
}
