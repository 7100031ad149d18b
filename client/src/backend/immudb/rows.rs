//! Fetching the rows of events whose places the log knows.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use counterfoil_core::{EntryDigest, Table, TxId};

use super::Immudb;
use crate::body::EventBody;
use crate::error::Result;
use crate::found::{FittingEvent, Found};
use crate::index::{EventAt, StreamKey};
use crate::proof::row_of;
use crate::row::StoredRow;
use crate::schema::row_digest;

/// From so many streams on, one scan over a range of transactions is cheaper
/// than a question for each stream.
const MANY: usize = 8;

/// The events that are looked for. Of each there is one row in memory at most,
/// whatever revisions others have put under its key.
struct Search<'a> {
    table: &'a Table<'a>,
    wanted: &'a [EventAt],
    digests: &'a [EntryDigest],
    found: Vec<Option<Found>>,
}

impl Search<'_> {
    /// Takes the event if it is one that is looked for. What is none is dropped:
    /// another row under its key may be.
    fn take_body(&mut self, stored: Vec<u8>, place: impl Fn(&StoredRow) -> Option<usize>) {
        let Ok(body) = EventBody::decode(&stored) else { return };
        let row = row_of(&body, stored);
        let Some(place) = place(&row) else { return };
        let (event, digest) = (&self.wanted[place], self.digests[place]);
        if let Some(event) = FittingEvent::new(self.table, event, digest, row, body) {
            self.found[place] = Some(Found::Event(Box::new(event)));
        }
    }

    /// Takes the row if it is the one that is looked for; if there is none yet also
    /// another one, for it tells an altered row from a missing one.
    fn take_row(&mut self, place: usize, row: StoredRow) {
        if self.found[place].is_none()
            || row_digest(self.table, &row).as_ref() == Ok(&self.digests[place])
        {
            self.found[place] = Some(Found::Row(row));
        }
    }

    /// The first and the last of these numbers that are missing.
    fn missing(&self, numbers: &Numbers) -> Option<(u64, u64)> {
        let missing =
            numbers.iter().filter(|(_, place)| self.found[**place].is_none()).map(|(n, _)| *n);
        Some((missing.clone().min()?, missing.max()?))
    }
}

/// Of one stream, the places of the numbers that are looked for.
type Numbers = HashMap<u64, usize>;

fn place_of(row: &StoredRow, numbers: &Numbers) -> Option<usize> {
    numbers.get(&u64::try_from(row.event_number).ok()?).copied()
}

impl Immudb {
    /// For each place the event that has its digest; if the server shows none,
    /// any other row that its key has or had.
    ///
    /// The events as they are now are asked for first, and of them the bodies
    /// alone. Only what is not found so is looked for among all revisions.
    pub(crate) async fn events(
        &self,
        table: &Table<'_>,
        wanted: &[EventAt],
        digests: &[EntryDigest],
    ) -> Result<Vec<Option<Found>>> {
        let mut streams: BTreeMap<&StreamKey, Numbers> = BTreeMap::new();
        for (place, event) in wanted.iter().enumerate() {
            streams.entry(&event.key).or_default().insert(event.number, place);
        }
        let found = wanted.iter().map(|_| None).collect();
        let mut search = Search { table, wanted, digests, found };
        if streams.len() >= MANY {
            self.scan(&streams, &mut search).await?;
        }
        for (key, numbers) in &streams {
            // Of a truncated database the first row that is gone hides all behind it.
            if !self.wire.is_lossy()
                && let Some((first, last)) = search.missing(numbers)
            {
                let take = &mut |stored| search.take_body(stored, |row| place_of(row, numbers));
                self.wire.bodies_of(key, first, last, take).await?;
            }
            let Some((first, last)) = search.missing(numbers) else { continue };
            self.history(key, first..=last, numbers, &mut search).await?;
            if self.wire.is_lossy() && first < last {
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
                search.take_row(place, row);
            }
        };
        let (first, last) = range.into_inner();
        self.wire.history_of(&key.domain, &key.edition, &key.root, first, last, take).await?;
        Ok(())
    }

    /// The events as they are now whose writers had seen what came shortly
    /// before the transactions in question.
    async fn scan(
        &self,
        streams: &BTreeMap<&StreamKey, Numbers>,
        search: &mut Search<'_>,
    ) -> Result<()> {
        let txs = search.wanted.iter().map(|event| event.pos.tx());
        let first = txs.clone().min().map_or(0, TxId::get);
        let last = txs.max().map_or(0, TxId::get);
        let take = &mut |stored| {
            search.take_body(stored, |row| place_of(row, streams.get(&StreamKey::of_row(row))?));
        };
        self.wire.bodies_seen(first.saturating_sub(1), last, take).await?;
        Ok(())
    }
}
