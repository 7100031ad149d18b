//! Holding what else this client keeps beside its log's records against what
//! was derived: the index and the tree's tiles. Nothing in an answer is
//! believed for their sake; but what an index does not name is not read, and
//! with wrong tiles nothing can be proved.

use counterfoil_core::TxId;
use sqlx::SqliteConnection;
use tokio::task;

use super::super::fresh::Fresh;
use super::super::own::OwnLog;
use super::super::report::{Inconsistency, InconsistencyKind as Kind};
use super::{BATCH, Derivation};
use crate::backend::embedded::audit::{AuditedFile, Checked, FileAt, Why};
use crate::config::BackendKind;
use crate::error::{Error, Result};
use crate::index::{self, Compared, Difference, Index, Names, Position, Sum};
use crate::local::check_format;
use crate::log::TileCheck;
use crate::log::tiles::TileId;
use crate::sqlite::is_damage;

impl Derivation<'_> {
    /// Compares them where the ledger and the log agree throughout. Where they
    /// do not, that was told, and what hangs on it differs with them.
    pub(super) async fn compare_rest(&mut self) -> Result<()> {
        let (_, noted) = self.fresh.noted().await?;
        let agree = noted == 0
            && self.noted.total() == 0
            && self.found.iter().all(|one| one.kind == Kind::UnconfirmedEnd);
        let (Some(last), true) = (self.own_end, agree) else { return Ok(()) };
        if self.own.is_none() || self.fresh.size() < last.get() {
            return Ok(());
        }
        match self.compare_all(last).await {
            Err(error) if is_damage(&error) => {
                self.note_now(None, Kind::OwnLog, error.to_string());
                Ok(())
            }
            compared => compared,
        }
    }

    async fn compare_all(&mut self, last: TxId) -> Result<()> {
        let Some(own) = &mut self.own else { return Ok(()) };
        own.hold().await?;
        let backend = self.config.storage.backend;
        let compared = inside(own, &mut self.fresh, last, backend).await;
        own.let_go().await?;
        self.found.extend(compared?);
        match self.is_summed_up_alike(last).await {
            Some(true) => Ok(()),
            other => self.compare_index(last, other.is_some()).await,
        }
    }

    /// Whether the own index says what was derived in memory: no more and no
    /// less. `None` if nothing was, or if the own one could not be read.
    async fn is_summed_up_alike(&mut self, last: TxId) -> Option<bool> {
        let Fresh::Memory(memory) = &mut self.fresh else { return None };
        let ((sum, names), own) = memory.index().sum().zip(self.own.as_ref())?;
        let (file, after) = (own.file(), self.from.map_or(TxId::new(0), |from| from.tx));
        let read = move || own_sum(&file, names, after, last);
        match task::spawn_blocking(read).await.ok()? {
            Ok(own) => Some(own == Some(sum)),
            Err(error) => {
                tracing::info!(error, "the own index is compared row by row");
                None
            }
        }
    }

    /// Holds the index against one in tables, and names each difference. That
    /// there is one may be known before.
    async fn compare_index(&mut self, last: TxId, differs: bool) -> Result<()> {
        if let Some(own) = &mut self.own {
            for detail in own.integrity_of_events().await? {
                self.note_now(None, Kind::OwnLog, detail);
            }
        }
        let memory = match self.fresh {
            Fresh::Kept(_) => None,
            Fresh::Memory(_) => {
                let kept = Fresh::kept(None).await?;
                Some(std::mem::replace(&mut self.fresh, kept))
            }
        };
        let compared = async {
            if let Some(Fresh::Memory(memory)) = &memory {
                let alh = memory.alh(last);
                self.derive_in_tables(last).await?;
                // It is not there any more, or not the same.
                if self.fresh.alh(last).await? != alh {
                    return Ok(None);
                }
            }
            let after = self.from.map_or(TxId::new(0), |from| from.tx);
            let Some(own) = &self.own else { return Ok(None) };
            let fresh = self.fresh.tables()?.get_mut();
            own.compare_index(fresh.conn(), after, last).await.map(Some)
        };
        let compared = compared.await;
        if let Some(memory) = memory {
            std::mem::replace(&mut self.fresh, memory).close().await?;
        }
        match compared? {
            Some(Compared::Differs(differences, total)) => {
                let told = |one: &Inconsistency| one.kind != Kind::UnconfirmedEnd;
                if total == 0 && differs && !self.found.iter().any(told) {
                    let detail = "this client's index has rows that no index has";
                    self.note_now(None, Kind::OwnIndex, detail);
                }
                self.noted.add_unlisted(total.saturating_sub(differences.len() as u64));
                for Difference { tx, entry, detail } in differences {
                    self.noted.add(Inconsistency {
                        tx: Some(tx),
                        entry,
                        kind: Kind::OwnIndex,
                        detail,
                    });
                }
            }
            // What a server shows comes and goes, and with it what can be told.
            Some(Compared::OtherEntries(tx)) => {
                tracing::info!(%tx, "the own index knows other entries, and is not compared");
            }
            None if differs => {
                let detail = "this client's index is not the one that the ledger makes";
                self.note_now(None, Kind::OwnIndex, detail);
            }
            None => {}
        }
        Ok(())
    }

    async fn derive_in_tables(&mut self, last: TxId) -> Result<()> {
        let Some(mut file) = AuditedFile::open(self.config).await? else { return Ok(()) };
        self.progress.start(last.get());
        let derived = self.in_tables(&mut file, last).await;
        self.progress.finish();
        file.close().await;
        derived
    }
}

/// What follows from the rest of the own log, as of one moment: the pages of its
/// file, the ends of streams, the tiles.
async fn inside(
    own: &mut OwnLog,
    fresh: &mut Fresh,
    last: TxId,
    backend: BackendKind,
) -> Result<Vec<Inconsistency>> {
    let mut found = Vec::new();
    let mut log = Vec::new();
    match check_format(own.conn()).await {
        Err(error @ (Error::Config(_) | Error::Ledger(_))) => log.push(error.to_string()),
        checked => checked?,
    }
    log.extend(own.integrity().await?);
    log.extend(own.mistrust().await?.into_iter().map(String::from));
    let programs = own.programs().await?;
    if programs > 0 {
        log.push(format!("this client's log has {programs} triggers or views"));
    }
    // It may have been created behind what both have.
    let by_then = |table: Option<(u32, u64)>| table.filter(|(_, tx)| *tx <= last.get());
    let table = by_then(own.table().await?);
    if table != by_then(fresh.table().await?) {
        log.push("this client's log names another table or another creation of it".into());
    }
    let there = own.size_up_to(last).await?;
    if there != last.get() {
        log.push(format!("this client's log has only {there} of the transactions up to {last}"));
    }
    let end = own.pinned().await?.0.map_or(last, |pin| pin.tx);
    let (records, said) = own.strays(end).await?;
    if records > 0 {
        log.push(format!("this client's log has {records} transactions that are not up to {end}"));
    }
    let mut index = Vec::new();
    if said > 0 {
        index.push(format!("this client's index has {said} rows of no transaction up to {end}"));
    }
    index.extend(stray_streams(own.conn(), table.is_some(), backend).await?);
    for (pos, root) in own.wrong_ends().await? {
        let root = String::from_utf8_lossy(&root);
        let detail =
            format!("stream {root:?} ends elsewhere in this client's index than its events");
        let (tx, entry) = (pos.map(Position::tx), pos.map(Position::entry));
        found.push(Inconsistency { tx, entry, kind: Kind::OwnIndex, detail });
    }
    let mut check = TileCheck::default();
    let mut first = 1;
    while first <= last.get() {
        let to = last.get().min(first.saturating_add(BATCH - 1));
        check.take(own.conn(), &fresh.alhs(first, to).await?).await?;
        first = to + 1;
    }
    let (wrong, surplus) = check.end(own.conn(), end > last).await?;
    for TileId { level, index } in wrong {
        log.push(format!("tile {level}/{index} of this client's log is not the tree's"));
    }
    if surplus > 0 {
        log.push(format!("this client's log has {surplus} tiles that the tree has not"));
    }
    for (kind, details) in [(Kind::OwnLog, log), (Kind::OwnIndex, index)] {
        let whole = |detail| Inconsistency { tx: None, entry: None, kind, detail };
        found.extend(details.into_iter().map(whole));
    }
    Ok(found)
}

/// Streams of which there is nothing else, and those that are not there.
async fn stray_streams(
    conn: &mut SqliteConnection,
    has_table: bool,
    backend: BackendKind,
) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    match Index::streams_are_there(conn).await {
        Err(Error::Ledger(verdict)) => wrong.push(verdict.to_string()),
        there => there?,
    }
    let (lone, genesis) = Index::lone_streams(conn).await?;
    // A gap that was closed may have taken what was in a stream elsewhere.
    if lone > 0 && backend == BackendKind::Embedded {
        wrong.push(format!("this client's index has {lone} streams that nothing is in"));
    }
    if has_table && !genesis {
        wrong.push("this client's index lacks the stream of the genesis row".into());
    }
    Ok(wrong)
}

/// What the own index says, summed up.
fn own_sum(file: &FileAt, mut names: Names, after: TxId, last: TxId) -> Result<Option<Sum>, Why> {
    Checked::open(file)?.as_of_one_moment(|conn| index::sum(conn, &mut names, after, last))
}
