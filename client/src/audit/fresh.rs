//! What an audit derives: in memory, or where the audit goes on from a file or
//! follows a server, in the tables of a log of its own.

use std::path::Path;

use counterfoil_core::{Alh, TrustedState, TxId};
use tokio::sync::Mutex;

use super::memory::Memory;
use super::report::{AuditCounts, AuditReport, AuditedAuthors, Inconsistency};
use super::scratch;
use crate::author::TrustedAuthor;
use crate::backend::embedded::TABLE_ID;
use crate::error::Result;
use crate::event::PayloadCommitment;
use crate::index::{Index, Position};
use crate::local::Local;
use crate::sqlite::damaged;
use crate::verdict::Finding;

pub(super) enum Fresh {
    Memory(Box<Memory>),
    Kept(Box<Mutex<Local>>),
}

impl Fresh {
    /// In tables: in this file, or in one that is gone with the audit.
    pub(super) async fn kept(file: Option<&Path>) -> Result<Self> {
        let mut local = Local::for_audit(file).await?;
        if let Err(error) = scratch::create(local.conn()).await {
            local.close().await?;
            return Err(error);
        }
        Ok(Self::Kept(Box::new(Mutex::new(local))))
    }

    /// Leaves the audit's file whole by itself.
    pub(super) async fn close(self) -> Result<()> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Kept(local) => local.into_inner().close().await,
        }
    }

    /// What is in tables; only what follows a server or goes on from a file is.
    pub(super) fn tables(&mut self) -> Result<&mut Mutex<Local>> {
        match self {
            Self::Kept(local) => Ok(local),
            Self::Memory(_) => Err(damaged("the audit is in memory")),
        }
    }

    /// What was noted in the tables, as much of it as a report lists, and how
    /// much that is.
    pub(super) async fn noted(&mut self) -> Result<(Vec<Inconsistency>, u64)> {
        match self {
            Self::Memory(_) => Ok((Vec::new(), 0)),
            Self::Kept(local) => scratch::noted(local.get_mut().conn()).await,
        }
    }

    /// The last transaction that was derived.
    pub(super) fn head(&mut self) -> Option<TrustedState> {
        let head = match self {
            Self::Memory(memory) => memory.end().head(),
            Self::Kept(local) => local.get_mut().log().head(),
        };
        head.map(|head| head.state)
    }

    /// How many were.
    pub(super) fn size(&mut self) -> u64 {
        self.head().map_or(0, |head| head.tx.get())
    }

    /// The Alh that was derived for a transaction.
    pub(super) async fn alh(&mut self, tx: TxId) -> Result<Option<Alh>> {
        match self {
            Self::Memory(memory) => Ok(memory.alh(tx)),
            Self::Kept(local) => scratch::alh(local.get_mut().conn(), tx).await,
        }
    }

    /// Those of transactions `first` to `last`.
    pub(super) async fn alhs(&mut self, first: u64, last: u64) -> Result<Vec<Alh>> {
        match self {
            Self::Memory(memory) => Ok(memory.alhs(first, last).to_vec()),
            Self::Kept(local) => scratch::alhs(local.get_mut().conn(), first, last).await,
        }
    }

    /// The id of the table of events and the transaction that created it.
    pub(super) async fn table(&mut self) -> Result<Option<(u32, u64)>> {
        match self {
            Self::Memory(_) => Ok(Some((TABLE_ID, 1))),
            Self::Kept(local) => scratch::table(local.get_mut().conn()).await,
        }
    }

    /// What the ledger consists of.
    pub(super) async fn counts(&mut self) -> Result<AuditCounts> {
        match self {
            Self::Memory(memory) => Ok(memory.counts()),
            Self::Kept(local) => scratch::counts(local.get_mut().conn()).await,
        }
    }

    /// The first findings, and how many there are.
    pub(super) async fn findings(&mut self) -> Result<(Vec<Finding>, u64)> {
        match self {
            Self::Memory(memory) => {
                let (first, total) = memory.findings();
                Ok((first.to_vec(), total))
            }
            Self::Kept(local) => {
                let conn = local.get_mut().conn();
                let most = i64::try_from(AuditReport::MOST_LISTED).unwrap_or(i64::MAX);
                let first = Index::first_findings(conn, most).await?;
                Ok((first, scratch::findings(conn).await?))
            }
        }
    }

    /// Who signed the events behind `from`, to whoever trusts these.
    pub(super) async fn authors(
        &mut self,
        from: Option<TrustedState>,
        trusted: &[TrustedAuthor],
    ) -> Result<AuditedAuthors> {
        match self {
            Self::Memory(memory) => Ok(memory.authors()),
            Self::Kept(local) => scratch::authors(local.get_mut().conn(), from, trusted).await,
        }
    }

    /// Events behind `after` that commit to contents outside the ledger, in
    /// its order, and whether the ledger says that these are erased.
    pub(super) async fn commitments(
        &mut self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<(Position, PayloadCommitment, bool)>> {
        match self {
            Self::Memory(memory) => Ok(memory.commitments(after).take(limit).collect()),
            Self::Kept(local) => scratch::commitments(local.get_mut().conn(), after, limit).await,
        }
    }

    /// Whether an event carries this commitment.
    pub(super) async fn is_committed(&mut self, commitment: PayloadCommitment) -> Result<bool> {
        match self {
            Self::Memory(memory) => Ok(memory.is_committed(commitment)),
            Self::Kept(local) => scratch::is_committed(local.get_mut().conn(), commitment).await,
        }
    }
}
