//! Fetching the rows of events whose places the log knows.

use std::collections::{BTreeMap, HashMap};

use counterfoil_core::{EntryDigest, Table, TxId};

use super::Immudb;
use crate::error::Result;
use crate::index::{EventAt, StreamKey};
use crate::row::StoredRow;
use crate::schema::row_digest;

/// From so many streams on, one scan over a range of transactions is cheaper
/// than a question for each stream.
const MANY: usize = 8;

/// The rows that are looked for. Of each there is one in memory at most,
/// whatever revisions others have put under its key.
struct Search<'a> {
    table: &'a Table<'a>,
    digests: &'a [EntryDigest],
    places: HashMap<(&'a StreamKey, u64), usize>,
    found: Vec<Option<StoredRow>>,
}

impl Search<'_> {
    /// Takes the row if it is one that is looked for.
    fn take(&mut self, row: StoredRow) {
        if let Some(place) = self.place(&row)
            && row_digest(self.table, &row).as_ref() == Ok(&self.digests[place])
        {
            self.found[place] = Some(row);
        }
    }

    /// The same, but another row under the key is better than none: it tells
    /// an altered row from a missing one.
    fn take_any(&mut self, row: StoredRow) {
        match self.place(&row) {
            Some(place) if self.found[place].is_none() => self.found[place] = Some(row),
            _ => self.take(row),
        }
    }

    fn place(&self, row: &StoredRow) -> Option<usize> {
        let number = u64::try_from(row.event_number).ok()?;
        self.places.get(&(&StreamKey::of_row(row), number)).copied()
    }
}

impl Immudb {
    /// For each place the row that has its digest; if the server shows none,
    /// any other that its key has or had.
    pub(crate) async fn rows(
        &self,
        table: &Table<'_>,
        wanted: &[EventAt],
        digests: &[EntryDigest],
    ) -> Result<Vec<Option<StoredRow>>> {
        let places = wanted.iter().enumerate().map(|(i, event)| ((&event.key, event.number), i));
        let found = vec![None; wanted.len()];
        let mut search = Search { table, digests, places: places.collect(), found };
        let mut streams: BTreeMap<&StreamKey, Vec<usize>> = BTreeMap::new();
        for (place, event) in wanted.iter().enumerate() {
            streams.entry(&event.key).or_default().push(place);
        }
        if streams.len() >= MANY {
            self.scan(wanted, &mut search).await?;
        }
        for (key, places) in streams {
            if places.iter().all(|place| search.found[*place].is_some()) {
                continue;
            }
            let numbers = places.iter().map(|place| wanted[*place].number);
            let (first, last) = (numbers.clone().min(), numbers.max());
            let (first, last) = (first.unwrap_or(0), last.unwrap_or(0));
            let take = &mut |row| search.take_any(row);
            self.wire.history_of(&key.domain, &key.edition, &key.root, first, last, take).await?;
            if self.wire.is_lossy() && first < last {
                // The first row that is gone hides all behind it.
                for place in places {
                    if search.found[place].is_none() {
                        let number = wanted[place].number;
                        let take = &mut |row| search.take_any(row);
                        let (domain, edition, root) = (&key.domain, &key.edition, &key.root);
                        self.wire.history_of(domain, edition, root, number, number, take).await?;
                    }
                }
            }
        }
        Ok(search.found)
    }

    /// The rows as they are now whose writers had seen what came shortly
    /// before the transactions in question.
    async fn scan(&self, wanted: &[EventAt], search: &mut Search<'_>) -> Result<()> {
        let txs = wanted.iter().map(|event| event.pos.tx());
        let first = txs.clone().min().map_or(0, TxId::get);
        let last = txs.max().map_or(0, TxId::get);
        let take = &mut |row| search.take(row);
        self.wire.rows_seen(first.saturating_sub(1), last, take).await?;
        Ok(())
    }
}
