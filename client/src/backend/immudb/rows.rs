//! Fetching the rows of events whose places the log knows.

use std::collections::{BTreeMap, HashMap};

use counterfoil_core::TxId;

use super::Immudb;
use crate::error::Result;
use crate::index::{EventAt, StreamKey};
use crate::row::StoredRow;

/// The rows under one key, each of its revisions.
type Revisions = HashMap<(StreamKey, i64), Vec<StoredRow>>;

/// From so many streams on, one scan over a range of transactions is cheaper
/// than a question for each stream.
const MANY: usize = 8;

impl Immudb {
    /// For each place the rows that its key has or had: one of them must have
    /// the digest that the log holds.
    pub(crate) async fn rows(&self, wanted: &[EventAt]) -> Result<Vec<Vec<StoredRow>>> {
        let mut streams: BTreeMap<&StreamKey, (u64, u64)> = BTreeMap::new();
        for event in wanted {
            let range = streams.entry(&event.key).or_insert((event.number, event.number));
            *range = (range.0.min(event.number), range.1.max(event.number));
        }
        let mut found = Revisions::new();
        if streams.len() >= MANY {
            found = self.scan(wanted).await?;
        }
        for (key, (first, last)) in streams {
            let have = |event: &EventAt| {
                i64::try_from(event.number)
                    .is_ok_and(|number| found.contains_key(&(key.clone(), number)))
            };
            if wanted.iter().filter(|event| event.key == *key).all(have) {
                continue;
            }
            let rows =
                self.wire.history_of(&key.domain, &key.edition, &key.root, first, last).await?;
            for row in rows {
                found.entry((StreamKey::of_row(&row), row.event_number)).or_default().push(row);
            }
        }
        Ok(wanted
            .iter()
            .map(|event| {
                let number = i64::try_from(event.number).unwrap_or(i64::MAX);
                found.get(&(event.key.clone(), number)).cloned().unwrap_or_default()
            })
            .collect())
    }

    /// The rows as they are now whose writers had seen what came shortly
    /// before the transactions in question.
    async fn scan(&self, wanted: &[EventAt]) -> Result<Revisions> {
        let txs = wanted.iter().map(|event| event.pos.tx());
        let first = txs.clone().min().map_or(0, TxId::get);
        let last = txs.max().map_or(0, TxId::get);
        let keys: std::collections::HashSet<(&StreamKey, u64)> =
            wanted.iter().map(|event| (&event.key, event.number)).collect();
        let mut found = Revisions::new();
        self.wire
            .rows_seen(first.saturating_sub(1), last, &mut |row| {
                let key = StreamKey::of_row(&row);
                let number = u64::try_from(row.event_number).unwrap_or(u64::MAX);
                if keys.contains(&(&key, number)) {
                    found.entry((key, row.event_number)).or_default().push(row);
                }
            })
            .await?;
        Ok(found)
    }
}
