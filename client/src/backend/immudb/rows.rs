//! Fetching the rows of events whose places the log knows.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

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
    found: Vec<Option<StoredRow>>,
}

impl Search<'_> {
    /// Takes the row if it is the one that is looked for.
    fn take(&mut self, place: usize, row: StoredRow) {
        if row_digest(self.table, &row).as_ref() == Ok(&self.digests[place]) {
            self.found[place] = Some(row);
        }
    }

    /// The same, but another row under the key is better than none: it tells
    /// an altered row from a missing one.
    fn take_any(&mut self, place: usize, row: StoredRow) {
        match &mut self.found[place] {
            none @ None => *none = Some(row),
            Some(_) => self.take(place, row),
        }
    }
}

/// Of one stream, the places of the numbers that are looked for.
type Numbers = HashMap<u64, usize>;

fn place_of(row: &StoredRow, numbers: &Numbers) -> Option<usize> {
    numbers.get(&u64::try_from(row.event_number).ok()?).copied()
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
        let mut streams: BTreeMap<&StreamKey, Numbers> = BTreeMap::new();
        for (place, event) in wanted.iter().enumerate() {
            streams.entry(&event.key).or_default().insert(event.number, place);
        }
        let mut search = Search { table, digests, found: vec![None; wanted.len()] };
        if streams.len() >= MANY {
            self.scan(wanted, &streams, &mut search).await?;
        }
        for (key, numbers) in &streams {
            if numbers.values().all(|place| search.found[*place].is_some()) {
                continue;
            }
            let (first, last) = (numbers.keys().min(), numbers.keys().max());
            let (Some(first), Some(last)) = (first, last) else { continue };
            self.history(key, *first..=*last, numbers, &mut search).await?;
            if self.wire.is_lossy() && first < last {
                // The first row that is gone hides all behind it.
                for (number, place) in numbers {
                    if search.found[*place].is_none() {
                        self.history(key, *number..=*number, numbers, &mut search).await?;
                    }
                }
            }
        }
        Ok(search.found)
    }

    /// The row of a transaction that has this digest, whatever its key is. One scan
    /// of the whole table.
    pub(crate) async fn row_with(
        &self,
        table: &Table<'_>,
        tx: TxId,
        digest: &EntryDigest,
    ) -> Result<Option<StoredRow>> {
        let mut found = None;
        let take = &mut |row: StoredRow| {
            if row_digest(table, &row).as_ref() == Ok(digest) {
                found = Some(row);
            }
        };
        self.wire.rows_of_tx(tx, take).await?;
        Ok(found)
    }

    /// The revisions of a stream's numbers in a range.
    async fn history(
        &self,
        key: &StreamKey,
        range: RangeInclusive<u64>,
        numbers: &Numbers,
        search: &mut Search<'_>,
    ) -> Result<()> {
        let take = &mut |row: StoredRow| {
            if let Some(place) = place_of(&row, numbers)
                && key.is_of(&row)
            {
                search.take_any(place, row);
            }
        };
        let (first, last) = range.into_inner();
        self.wire.history_of(&key.domain, &key.edition, &key.root, first, last, take).await?;
        Ok(())
    }

    /// The rows as they are now whose writers had seen what came shortly
    /// before the transactions in question.
    async fn scan(
        &self,
        wanted: &[EventAt],
        streams: &BTreeMap<&StreamKey, Numbers>,
        search: &mut Search<'_>,
    ) -> Result<()> {
        let txs = wanted.iter().map(|event| event.pos.tx());
        let first = txs.clone().min().map_or(0, TxId::get);
        let last = txs.max().map_or(0, TxId::get);
        let take = &mut |row| {
            let numbers = streams.get(&StreamKey::of_row(&row));
            if let Some(place) = numbers.and_then(|numbers| place_of(&row, numbers)) {
                search.take(place, row);
            }
        };
        self.wire.rows_seen(first.saturating_sub(1), last, take).await?;
        Ok(())
    }
}
