//! From the rows of an answer to values. A hostile server made them: every
//! column is taken by name, with the type that immudb 1.11 gives it, and
//! anything else is a problem to be reported, told in a few words.

use counterfoil_core::{Alh, Header, HeaderVersion, Root, TrustedState, TxId, TxMetadata};
use sqlx::postgres::PgRow;
use sqlx::{Column, Postgres, Row, Type};

use super::refusal::quoted;
use crate::row::StoredRow;
use crate::thin::ClaimedTile;

/// What is wrong with an answer.
pub(super) type Problem = String;

/// `SELECT immudb_state()`; `None` if the database holds no transaction.
pub(super) fn state(row: &PgRow) -> Result<Option<TrustedState>, Problem> {
    let tx = unsigned(row, "tx_id")?;
    let alh = Alh::new(hash(row, "tx_hash")?);
    Ok((tx != 0).then_some(TrustedState { tx: TxId::new(tx), alh }))
}

/// What `SELECT immudb_tx(…)` may answer.
pub(super) enum HeaderAnswer {
    /// The header.
    Header(Box<Header<'static>>),
    /// There is no such transaction.
    NotFound,
    /// The function gave an error, as a row.
    Failed(String),
}

/// `SELECT immudb_tx(asked)`.
pub(super) fn header(row: &PgRow, asked: TxId) -> Result<HeaderAnswer, Problem> {
    // Errors of this function come as a row of two other columns.
    if row.columns().iter().any(|column| column.name() == "error") {
        let error = row.get_text("error")?;
        return Ok(if error == "tx not found" {
            HeaderAnswer::NotFound
        } else {
            HeaderAnswer::Failed(quoted(&error))
        });
    }
    let id = unsigned(row, "tx_id")?;
    if id != asked.get() {
        return Err(format!("it is about transaction {id}, not {asked}"));
    }
    let version = match integer(row, "version")? {
        0 => HeaderVersion::V0,
        1 => HeaderVersion::V1,
        other => return Err(format!("header version {other} is unknown")),
    };
    let nentries = integer(row, "nentries")?;
    Ok(HeaderAnswer::Header(Box::new(Header {
        id: asked,
        prev_alh: Alh::new(hash(row, "prev_alh")?),
        ts: integer(row, "timestamp")?,
        version,
        // The wire does not show it. Where there is some, the header does not
        // recompute, and whoever checks it finds out.
        metadata: TxMetadata::default(),
        nentries: u32::try_from(nentries).map_err(|_| format!("nentries is {nentries}"))?,
        eh: Root::new(hash(row, "eh")?),
        bl_tx_id: TxId::new(unsigned(row, "bl_tx_id")?),
        bl_root: Root::new(hash(row, "bl_root")?),
    })))
}

/// A row of the table.
pub(super) fn stored_row(row: &PgRow) -> Result<StoredRow, Problem> {
    let blob = |name| column::<Vec<u8>>(row, name, "BYTEA");
    Ok(StoredRow {
        domain: blob("domain")?,
        edition: blob("edition")?,
        root: blob("root")?,
        event_number: integer(row, "event_number")?,
        ext: blob("ext")?,
        seen_tx: integer(row, "seen_tx")?,
        body: blob("body")?,
    })
}

/// The body of a row of the table.
pub(super) fn body(row: &PgRow) -> Result<Vec<u8>, Problem> {
    column(row, "body", "BYTEA")
}

/// A row of the published tiles.
pub(super) fn tile(row: &PgRow) -> Result<ClaimedTile, Problem> {
    Ok(ClaimedTile {
        level: integer(row, "level")?,
        index: integer(row, "idx")?,
        width: integer(row, "width")?,
        digest: column(row, "digest", "BYTEA")?,
        hashes: column(row, "hashes", "BYTEA")?,
    })
}

/// Index and digest of a published tile.
pub(super) fn tile_digest(row: &PgRow) -> Result<(i64, Vec<u8>), Problem> {
    Ok((integer(row, "idx")?, column(row, "digest", "BYTEA")?))
}

/// A table's name.
pub(super) fn table_name(row: &PgRow) -> Result<String, Problem> {
    row.get_text("name")
}

/// A column of the table, as the server shows it: none of it is believed.
pub(super) struct ShownColumn {
    pub(super) name: String,
    pub(super) ty: String,
    pub(super) max_length: i64,
}

/// A column of the table.
pub(super) fn shown_column(row: &PgRow) -> Result<ShownColumn, Problem> {
    Ok(ShownColumn {
        name: row.get_text("name")?,
        ty: row.get_text("type")?,
        max_length: integer(row, "max_length")?,
    })
}

trait Text {
    fn get_text(&self, name: &str) -> Result<String, Problem>;
}

impl Text for PgRow {
    fn get_text(&self, name: &str) -> Result<String, Problem> {
        column(self, name, "TEXT")
    }
}

fn integer(row: &PgRow, name: &str) -> Result<i64, Problem> {
    column(row, name, "INT8")
}

fn unsigned(row: &PgRow, name: &str) -> Result<u64, Problem> {
    let number = integer(row, name)?;
    u64::try_from(number).map_err(|_| format!("{name} is {number}"))
}

fn hash(row: &PgRow, name: &str) -> Result<[u8; 32], Problem> {
    let text = row.get_text(name)?;
    let mut hash = [0; 32];
    hex::decode_to_slice(&text, &mut hash)
        .map_err(|_| format!("{name} is not a hash of 64 hex digits"))?;
    Ok(hash)
}

/// The column of this name and type, which is not NULL. sqlx alone would
/// accept kindred types.
fn column<'r, T>(row: &'r PgRow, name: &str, ty: &str) -> Result<T, Problem>
where
    T: sqlx::Decode<'r, Postgres> + Type<Postgres>,
{
    use sqlx::{TypeInfo, ValueRef};
    let value = row.try_get_raw(name).map_err(|_| format!("column {name} is missing"))?;
    if value.is_null() {
        return Err(format!("column {name} is NULL"));
    }
    let found = value.type_info();
    if found.name() != ty {
        return Err(format!("column {name} has type {}, not {ty}", quoted(found.name())));
    }
    drop(found);
    T::decode(value).map_err(|error| format!("column {name}: {}", quoted(&error.to_string())))
}
