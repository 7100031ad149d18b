//! What an audit derives of a ledger file, kept in memory: where the log ends,
//! what the index says, and beside them what was counted.
//!
//! A transaction takes 32 bytes, an event 20 to 40 and a stream 75 to 150
//! (tables that grow are half empty at first), a commitment 40. Of what is
//! noteworthy as much is kept as a report lists.

use std::collections::HashSet;

use counterfoil_core::receipt::Authorship;
use counterfoil_core::{Alh, TrustedState, TxId};

use super::report::{AuditCounts, AuditReport, AuditedAuthors};
use crate::author::{TrustedAuthor, told};
use crate::backend::embedded::audit::{Linked, LinkedRow};
use crate::error::Result;
use crate::event::PayloadCommitment;
use crate::index::rules::{self, Claim, Placed, Ruling};
use crate::index::{MemoryIndex, PlacedRow, Position, RowContent, put_stream};
use crate::local::NewTx;
use crate::log::{LogEnd, TxRecord};
use crate::payloads::erasure::Outside;
use crate::verdict::{Finding, FindingKind};

#[derive(Default)]
pub(super) struct Memory {
    end: LogEnd,
    /// Of all transactions.
    alhs: Vec<Alh>,
    index: MemoryIndex,
    counts: AuditCounts,
    trusted: Vec<TrustedAuthor>,
    authors: AuditedAuthors,
    findings: Vec<Finding>,
    findings_total: u64,
    /// The events that commit to contents outside the ledger, in its order.
    committed: Vec<(Position, PayloadCommitment)>,
    erased: HashSet<PayloadCommitment>,
    /// What is committed to, once somebody asks for that.
    looked_up: Option<HashSet<PayloadCommitment>>,
    /// What is found about one row.
    about: Vec<(FindingKind, String)>,
    /// The rows of one transaction that say that they are events.
    placed: Vec<Placed>,
}

impl Memory {
    /// Empty, to tell the events of these authors from those of others.
    pub(super) fn new(trusted: &[TrustedAuthor]) -> Self {
        Self { trusted: trusted.to_vec(), ..Self::default() }
    }

    pub(super) fn end(&self) -> &LogEnd {
        &self.end
    }

    /// The Alh that was derived for a transaction.
    pub(super) fn alh(&self, tx: TxId) -> Option<Alh> {
        let at = usize::try_from(tx.get().checked_sub(1)?).ok()?;
        self.alhs.get(at).copied()
    }

    /// Those of transactions `first` to `last`, which are there.
    pub(super) fn alhs(&self, first: u64, last: u64) -> &[Alh] {
        let at = |tx: u64| usize::try_from(tx).ok();
        let range = at(first.saturating_sub(1)).zip(at(last)).map(|(first, last)| first..last);
        range.and_then(|range| self.alhs.get(range)).unwrap_or_default()
    }

    /// What the ledger consists of.
    pub(super) fn counts(&self) -> AuditCounts {
        let erased = self.committed.iter().filter(|(_, one)| self.erased.contains(one)).count();
        AuditCounts {
            events: self.index.events(),
            streams: self.index.streams(),
            commitments: self.committed.len() as u64,
            erased: erased as u64,
            ..self.counts
        }
    }

    /// Who signed the events that were read.
    pub(super) fn authors(&self) -> AuditedAuthors {
        self.authors
    }

    /// The first findings, and how many there are.
    pub(super) fn findings(&self) -> (&[Finding], u64) {
        (&self.findings, self.findings_total)
    }

    /// Events behind `after` that commit to contents outside the ledger, and
    /// whether the ledger says that these are erased.
    pub(super) fn commitments(
        &self,
        after: Position,
    ) -> impl Iterator<Item = (Position, PayloadCommitment, bool)> {
        let first = self.committed.partition_point(|(pos, _)| *pos <= after);
        self.committed[first..].iter().map(|(pos, one)| (*pos, *one, self.erased.contains(one)))
    }

    /// Whether an event carries this commitment.
    pub(super) fn is_committed(&mut self, commitment: PayloadCommitment) -> bool {
        let all = || self.committed.iter().map(|(_, one)| *one).collect();
        self.looked_up.get_or_insert_with(all).contains(&commitment)
    }

    /// The index, to remember another one in.
    pub(super) fn index(&mut self) -> &mut MemoryIndex {
        &mut self.index
    }

    /// Takes a transaction that was derived.
    pub(super) fn take(&mut self, tx: &NewTx) -> Result<()> {
        let NewTx { record, rows, findings, table } = tx;
        self.push(record, table.is_some())?;
        for (kind, detail) in findings {
            let (tx, kind, detail) = (record.id, *kind, detail.clone());
            self.find(Finding { tx, entry: None, kind, detail });
        }
        let mut stream = Vec::new();
        for row in rows {
            put_stream(row.key.parts(), &mut stream);
            let (digest, event_number) = (row.digest, row.event_number);
            let (outside, correlation) = match &row.content {
                RowContent::Event { outside, correlation, .. } => (*outside, *correlation),
                _ => (None, None),
            };
            let (pos, stream, claim) = (row.pos, &stream[..], row.claim());
            let placed = PlacedRow { pos, stream, event_number, digest, claim, correlation };
            self.add(&placed, &row.key.domain, outside);
        }
        self.ends(record.digests.is_some());
        Ok(())
    }

    /// The same of one that was linked where it lies.
    pub(super) fn take_linked(&mut self, tx: &Linked, rows: &[LinkedRow<'_>]) -> Result<()> {
        if let Some(head) = self.end.head().filter(|head| tx.ts < head.ts) {
            let detail = format!("{} after {}", tx.ts, head.ts);
            let kind = FindingKind::TimeWentBack;
            self.find(Finding { tx: tx.id, entry: None, kind, detail });
        }
        self.end.push_state(TrustedState { tx: tx.id, alh: tx.alh }, tx.ts)?;
        self.alhs.push(tx.alh);
        self.counts.transactions += 1;
        self.counts.accounted += 1;
        self.counts.ours += 1;
        self.counts.entries_accounted += rows.len() as u64;
        for LinkedRow { row, domain, outside } in rows {
            self.add(row, domain, *outside);
        }
        self.ends(true);
        Ok(())
    }

    /// All rows of a transaction were added: which of its appends it has not
    /// whole. Where its entries are not known, nobody knows.
    fn ends(&mut self, is_accounted_for: bool) {
        let split = match is_accounted_for {
            true => rules::split(&self.placed),
            false => Vec::new(),
        };
        self.placed.clear();
        let Some((first, _)) = split.first() else { return };
        let tx = first.tx();
        for (pos, detail) in split {
            let (entry, kind) = (Some(pos.entry()), FindingKind::AppendSplit);
            self.find(Finding { tx, entry, kind, detail });
        }
        // As they stand in a report.
        let begin = self.findings.partition_point(|finding| finding.tx < tx);
        self.findings[begin..].sort_by_key(|finding| finding.entry);
    }

    /// Takes a transaction, but not its rows.
    pub(super) fn push(&mut self, record: &TxRecord, creates_table: bool) -> Result<()> {
        self.end.push(record)?;
        self.alhs.push(record.alh);
        let counts = &mut self.counts;
        counts.transactions += 1;
        let nentries = u64::from(record.nentries);
        if record.opaque {
            counts.opaque += 1;
        }
        if record.digests.is_none() {
            counts.unaccounted += u64::from(!record.opaque);
            counts.entries_unaccounted += nentries;
            return Ok(());
        }
        counts.accounted += 1;
        counts.entries_accounted += nentries;
        match creates_table {
            true => counts.catalog += 1,
            false => counts.ours += 1,
        }
        Ok(())
    }

    fn add(&mut self, row: &PlacedRow<'_>, domain: &[u8], outside: Option<Outside>) {
        let pos = row.pos;
        let ruling = self.index.add(row, &self.alhs, &mut self.about);
        let mut broken = false;
        for (kind, detail) in std::mem::take(&mut self.about) {
            broken |= kind == FindingKind::AuthorSignatureBroken;
            self.find(Finding { tx: pos.tx(), entry: Some(pos.entry()), kind, detail });
        }
        if let Claim::Event { append, .. } = row.claim {
            let is_event = matches!(ruling, Ruling::Event { .. });
            self.placed.push(Placed { pos, append, is_event });
        }
        let Ruling::Event { signed_by } = ruling else { return };
        let authors = &mut self.authors;
        let signed = match signed_by {
            None if broken => &mut authors.author_signature_broken,
            None => &mut authors.unsigned,
            Some(key) => match told(key, &String::from_utf8_lossy(domain), &self.trusted) {
                Authorship::Allowed { .. } => &mut authors.signed_by_author,
                Authorship::NotAllowed { .. } => &mut authors.author_not_allowed,
                _ => &mut authors.unknown_author,
            },
        };
        *signed += 1;
        match outside {
            None => {}
            Some(Outside::Committed(commitment)) => self.committed.push((pos, commitment)),
            Some(Outside::Erases(commitment)) => drop(self.erased.insert(commitment)),
        }
    }

    pub(super) fn find(&mut self, finding: Finding) {
        self.index.found(&finding);
        self.findings_total += 1;
        if self.findings.len() < AuditReport::MOST_LISTED {
            self.findings.push(finding);
        }
    }
}
