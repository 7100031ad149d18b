//! Verifying one row.

use counterfoil_core::{EntryDigest, HeaderVersion, TxId};

use super::Shared;
use super::accounts::{Accounts, LastEntry, Shape};
use super::answer::VerifiedRow;
use super::prove::Proven;
use super::schema::{Encoder, Entry, Owner, Row, key_hash, values};
use super::seek::{Known, RowKey, has_key};
use super::value::SqlValue;
use crate::backend::immudb::View;
use crate::error::{Error, Result, Unavailable};
use crate::log::entries_root;
use crate::prover::EntryTree;
use crate::revision::Revision;
use crate::undecided::Undecided;
use crate::verdict::Verdict;

/// What the server shows of a row.
struct Shown {
    /// The last revision, and the one before.
    last: (Row, Revision),
    before: Option<Revision>,
    /// The row is not there any more.
    deleted: bool,
}

impl Shown {
    /// The entries that the last change may have written, each of them all
    /// that a transaction holds.
    fn alone(&self, owner: Owner) -> Vec<Vec<Entry>> {
        let (_, last) = &self.last;
        if self.deleted {
            return vec![vec![Entry::deleted(last, owner)]];
        }
        let over = self.before.as_ref().map(|before| Entry::over(last, before, owner));
        over.into_iter().chain([vec![Entry::written(last, owner)]]).collect()
    }

    /// The entry of the row itself.
    fn digest(&self) -> EntryDigest {
        let (_, last) = &self.last;
        if self.deleted { last.deleted() } else { last.written() }
    }
}

impl Shared {
    /// See [`Tables::verify_row`](super::Tables::verify_row).
    pub(crate) async fn verify_row(
        &self,
        known: &mut Known,
        name: &str,
        key: &[SqlValue],
    ) -> Result<VerifiedRow> {
        let table = self.prove(known, name).await?;
        let columns = table.schema.encoded_columns();
        let unproven = |reason: String| Undecided::RowUnproven { table: name.into(), reason };
        let encoder = Encoder::new(&table.schema, table.id, &columns)
            .map_err(|error| unproven(error.to_string()))?;
        let mut key = RowKey::new(&encoder, &table.schema, key)?;
        let through = known.accounts.through();
        let mut shown = self.shown(&table, &encoder, &key, through).await;
        if matches!(shown, Ok(None) | Err(Error::Unavailable(Unavailable::Garbled { .. })))
            && key.without_text()
        {
            shown = self.shown(&table, &encoder, &key, through).await;
        }
        let last = known.accounts.last(&key_hash(&key.encoded)).copied();
        let Some(shown) = shown? else {
            return Err(match last {
                Some(last) => Verdict::RowMissing { tx: last.tx, entry: last.entry }.into(),
                None => Undecided::NoTableRow { table: name.into() }.into(),
            });
        };
        let digest = shown.digest();
        let alone = settle_alone(&mut known.accounts, &shown, table.owner());
        let last = known.accounts.last(&key_hash(&key.encoded)).copied();
        // The same content may have been written more than once: an entry with
        // another one after it is not the last change.
        let is_last = |tx: &TxId| last.is_none_or(|l| l.tx <= *tx || l.digest == digest);
        let place = match alone.filter(is_last) {
            Some(tx) => Ok(tx),
            None => self.place(known, &table, &encoder, &key, &shown).await?,
        };
        let last = known.accounts.last(&key_hash(&key.encoded)).copied();
        let tx = match (place, last) {
            (Ok(tx), Some(last)) if last.digest == digest => tx.max(last.tx),
            (Ok(tx), last) if last.is_none_or(|last| last.tx < tx) => tx,
            // Nothing can have come after it.
            (_, Some(last)) if known.accounts.completeness(last.tx).is_complete() => {
                return Err(self.contradiction(known, &shown, &last).into());
            }
            (Ok(tx), _) => {
                let reason = format!("it is that of transaction {tx}, which a later one changed");
                return Err(unproven(reason).into());
            }
            (Err(reason), _) => return Err(unproven(self.why(&table, reason)).into()),
        };
        self.verified(known, &table, &encoder, shown, tx).await
    }

    /// The last entry that is accounted for is not the row shown: either an
    /// older one is, or one that never was.
    fn contradiction(&self, known: &Known, shown: &Shown, last: &LastEntry) -> Verdict {
        let written = shown.last.1.written();
        let (tx, entry) = (last.tx, last.entry);
        match known.accounts.holds_before(&written, tx) {
            true => Verdict::RowMissing { tx, entry },
            false => Verdict::RowAltered { tx, entry },
        }
    }

    /// What the server shows of the row; `None` if nothing.
    async fn shown(
        &self,
        table: &Proven,
        encoder: &Encoder<'_>,
        key: &RowKey,
        through: TxId,
    ) -> Result<Option<Shown>> {
        let mut last: Option<(Row, Revision)> = None;
        let mut before = None;
        let take = &mut |row: Row| {
            if has_key(encoder, &row, key)
                && let Ok(revision) = encoder.revision(&row)
            {
                before = last.replace((row, revision)).map(|(_, revision)| revision);
            }
        };
        self.rows(&table.name, &table.schema, View::History, Some(key), take).await?;
        let Some(last) = last else { return Ok(None) };
        let now = View::AsOf(Self::number(through));
        let deleted = !self.shows(table, encoder, now, key).await?;
        Ok(Some(Shown { last, before, deleted }))
    }

    /// The transaction that holds the row's last change, accounted for; or
    /// why none is found.
    async fn place(
        &self,
        known: &mut Known,
        table: &Proven,
        encoder: &Encoder<'_>,
        key: &RowKey,
        shown: &Shown,
    ) -> Result<Result<TxId, String>> {
        let through = known.accounts.through();
        let found = match shown.deleted {
            false => self.last_write(table, encoder, key, through).await?,
            true => self.last_deletion(table, encoder, key, through).await?,
        };
        let Some(tx) = found else {
            return Ok(Err("the server does not show when it was changed".into()));
        };
        let digest = shown.digest();
        let holds = |accounts: &Accounts| {
            accounts.digests(tx).is_some_and(|digests| digests.contains(&digest))
        };
        let alone = std::slice::from_ref(table);
        let mut done = self.account(&mut known.accounts, tx, alone).await?;
        if done.is_err() && known.accounts.gap(tx).is_some() {
            let tables = self.all_tables(known, table).await?;
            if tables.len() > 1 {
                done = self.account(&mut known.accounts, tx, &tables).await?;
            }
        }
        Ok(match done {
            Ok(()) if holds(&known.accounts) => Ok(tx),
            Ok(()) => Err(format!("transaction {tx} holds other rows")),
            Err(reason) => Err(format!("transaction {tx}: {reason}")),
        })
    }

    /// The reason, and what may be behind it.
    fn why(&self, table: &Proven, reason: String) -> String {
        match table.schema.has_json() {
            false => reason,
            true => format!(
                "{reason}; the wire shows JSON anew, not the text that is stored, so a row whose \
                 JSON was written otherwise cannot be made again"
            ),
        }
    }

    /// Puts the row through core's check, under the pinned state.
    async fn verified(
        &self,
        known: &Known,
        table: &Proven,
        encoder: &Encoder<'_>,
        shown: Shown,
        tx: TxId,
    ) -> Result<VerifiedRow> {
        let digest = shown.digest();
        let altered = || Verdict::EntriesAltered { tx };
        let digests = known.accounts.digests(tx).ok_or_else(altered)?;
        // The last of several: a row may be changed twice in a transaction.
        let entry = digests.iter().rposition(|found| *found == digest).ok_or_else(altered)? as u32;
        let checked = self.local.lock().await.checked(tx).await?;
        // Only transactions of this version are accounted for.
        let version = HeaderVersion::V1;
        checked.tx.verify_all_entries(version, digests.iter().copied()).map_err(|_| altered())?;
        let path = EntryTree::new(digests).path(entry);
        let (row, _) = shown.last;
        match shown.deleted {
            true => checked.tx.verify_entry(version, &digest, entry, &path),
            false => checked.tx.verify_row(encoder.table(), &values(&row), entry, &path),
        }
        .map_err(Verdict::from)?;
        Ok(VerifiedRow {
            table: table.answer(&known.accounts),
            values: row,
            deleted: shown.deleted,
            tx,
            entry,
            ts: checked.tx.ts(),
            state: checked.tx.state(),
            latest: known.accounts.completeness(tx),
        })
    }
}

/// The last transaction that does nothing but the row's last change.
fn settle_alone(accounts: &mut Accounts, shown: &Shown, owner: Owner) -> Option<TxId> {
    let mut last = None;
    for entries in shown.alone(owner) {
        let digests: Vec<EntryDigest> = entries.iter().map(|entry| entry.digest).collect();
        let shape: Shape = (entries_root(&digests), digests.len() as u32);
        accounts.settle(&entries);
        last = last.max(accounts.of_shape(&shape).last().copied());
    }
    last.filter(|tx| *tx >= owner.since)
}
