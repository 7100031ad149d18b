//! Puts rows together that were committed together, until they make the
//! entries' root of a transaction. Commit ids are hints; the root decides.

use std::collections::{HashMap, HashSet};

use counterfoil_core::{EntryDigest, Frontier, Root, Table};

use crate::body::EventBody;
use crate::index::{NewRow, Position};
use crate::log::entries_root;
use crate::row::StoredRow;
use crate::schema;

/// All entries of a transaction; its rows are the last of them.
#[derive(Clone)]
pub(super) struct Group {
    pub(super) digests: Vec<EntryDigest>,
    pub(super) rows: Vec<NewRow>,
}

impl Group {
    pub(super) fn empty() -> Self {
        Self { digests: Vec::new(), rows: Vec::new() }
    }

    /// Adds the next row. What no transaction of ours can hold is left out:
    /// then the root is another one.
    pub(super) fn push(&mut self, table: &Table<'_>, row: &StoredRow) {
        if self.rows.len() < Position::MAX_ENTRIES as usize
            && let Ok(digest) = schema::row_digest(table, row)
        {
            self.digests.push(digest);
            self.rows.push(NewRow::new(digest, row));
        }
    }

    /// A transaction of nothing but these rows, in this order.
    pub(super) fn of_rows(table: &Table<'_>, rows: &[StoredRow]) -> Self {
        let mut group = Self::empty();
        rows.iter().for_each(|row| group.push(table, row));
        group
    }

    /// The transaction that created the table and inserted this row.
    pub(super) fn of_genesis(table: &Table<'_>, row: &StoredRow) -> Option<Self> {
        let digests = schema::genesis_digests(table, row).ok()?;
        let rows = vec![NewRow::new(*digests.last()?, row)];
        Some(Self { digests, rows })
    }

    pub(super) fn root(&self) -> Root {
        entries_root(&self.digests)
    }

    /// The rows in their places in transaction `tx`.
    pub(super) fn placed(self, tx: counterfoil_core::TxId) -> (Vec<EntryDigest>, Vec<NewRow>) {
        let first = self.digests.len() - self.rows.len();
        let rows = self
            .rows
            .into_iter()
            .zip(first..)
            // Transactions are bounded by Position::MAX_ENTRIES before.
            .map(|(row, entry)| row.at(Position::new(tx, entry as u32)))
            .collect();
        (self.digests, rows)
    }
}

/// Rows on their way into groups.
pub(super) struct Collector<'a> {
    table: Table<'static>,
    /// The roots that are looked for.
    wanted: &'a HashSet<Root>,
    found: HashMap<Root, Group>,
    building: HashMap<[u8; 16], Vec<Candidate>>,
    /// How many rows `building` holds, and may hold.
    held: usize,
    most_held: usize,
}

/// A row and what it says about its place in a commit.
struct Candidate {
    index: u32,
    prev_event: [u8; 32],
    row: NewRow,
}

/// Rows held at most, whatever a server sends: some 60 MB.
const MOST_HELD: usize = 128 * 1024;

/// Rows in a chain at most: as many entries as a transaction of immudb's has.
const MOST_CHAINED: usize = 1024;

impl<'a> Collector<'a> {
    pub(super) fn new(table: Table<'static>, wanted: &'a HashSet<Root>) -> Self {
        let (found, building) = (HashMap::new(), HashMap::new());
        Self { table, wanted, found, building, held: 0, most_held: MOST_HELD }
    }

    pub(super) fn add(&mut self, row: &StoredRow) {
        let Ok(digest) = schema::row_digest(&self.table, row) else { return };
        let new = NewRow::new(digest, row);
        let root = entries_root(&[digest]);
        if self.wanted.contains(&root) {
            // It is a transaction by itself, whatever its commit id says.
            self.found.insert(root, Group { digests: vec![digest], rows: vec![new.clone()] });
        }
        let Ok(body) = EventBody::decode(&row.body) else { return };
        let (index, prev_event) = (body.commit_index, body.prev_event);
        let commit = self.building.entry(body.commit_id).or_default();
        commit.push(Candidate { index, prev_event, row: new });
        self.held += 1;
        if self.held >= self.most_held {
            self.make_room(body.commit_id);
        }
    }

    /// Judges what is held and forgets it, but for the commit whose rows are
    /// just coming in: in the order of the keys an append's rows are
    /// neighbours.
    fn make_room(&mut self, current: [u8; 16]) {
        let current = self.building.remove_entry(&current);
        self.judge();
        if let Some((id, rows)) = current {
            if rows.len() < self.most_held / 2 {
                self.held = rows.len();
                self.building.insert(id, rows);
            } else {
                self.judge_commit(rows);
            }
        }
    }

    /// The groups whose root is wanted.
    pub(super) fn finish(mut self) -> HashMap<Root, Group> {
        self.judge();
        self.found
    }

    fn judge(&mut self) {
        self.held = 0;
        for rows in std::mem::take(&mut self.building).into_values() {
            self.judge_commit(rows);
        }
    }

    fn judge_commit(&mut self, mut rows: Vec<Candidate>) {
        rows.sort_by_key(|candidate| (candidate.index, candidate.row.digest));
        // HISTORY shows a deleted row once more with the same content.
        rows.dedup_by_key(|candidate| candidate.row.digest);
        if rows.len() > 1 && !self.keep(rows.iter()) {
            self.judge_chains(&rows);
        }
    }

    /// Takes these rows as a group if they are one.
    fn keep<'r>(&mut self, rows: impl Iterator<Item = &'r Candidate> + Clone) -> bool {
        let digests: Vec<EntryDigest> = rows.clone().map(|c| c.row.digest).collect();
        let root = entries_root(&digests);
        let wanted = self.wanted.contains(&root);
        if wanted {
            let rows = rows.map(|c| c.row.clone()).collect();
            self.found.insert(root, Group { digests, rows });
        }
        wanted
    }

    /// Others may have used the commit's id as well. But the rows of an append
    /// hang together by themselves: each names the digest of the one before
    /// it. A digest has one predecessor, so every row is looked at once.
    fn judge_chains(&mut self, rows: &[Candidate]) {
        let mut next: HashMap<([u8; 32], u32), Vec<usize>> = HashMap::new();
        for (i, row) in rows.iter().enumerate() {
            next.entry((row.prev_event, row.index)).or_default().push(i);
        }
        // Rows still to be looked at, each with the number of rows before it.
        let mut open: Vec<(usize, usize)> =
            (0..rows.len()).filter(|i| rows[*i].index == 0).map(|i| (i, 0)).collect();
        let mut chain: Vec<(usize, Frontier)> = Vec::new();
        while let Some((i, depth)) = open.pop() {
            chain.truncate(depth);
            let mut tree = chain.last().map_or_else(Frontier::new, |(_, tree)| tree.clone());
            // A chain is far shorter than 2^64.
            let _ = tree.push(rows[i].row.digest.leaf_hash());
            let found = self.wanted.contains(&tree.root());
            chain.push((i, tree));
            if found {
                self.keep(chain.iter().map(|(i, _)| &rows[*i]));
            }
            if chain.len() < MOST_CHAINED {
                let after = (rows[i].row.digest.to_bytes(), rows[i].index + 1);
                let after = next.get(&after).into_iter().flatten();
                open.extend(after.map(|i| (*i, depth + 1)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::StoredPayload;

    fn body(root: &str, commit_id: u128, index: u32, prev_event: [u8; 32]) -> EventBody {
        EventBody {
            domain: "d".into(),
            edition: String::new(),
            root: root.into(),
            event_number: index.into(),
            event_type: String::new(),
            recorded_at: 0,
            correlation_id: String::new(),
            causation_id: String::new(),
            external_id: String::new(),
            metadata: Vec::new(),
            payload: StoredPayload::Inline("x".into()),
            prev_event,
            seen_tx: 1,
            seen_alh: [0; 32],
            append_id: commit_id.to_be_bytes(),
            append_index: index,
            append_count: u32::MAX,
            commit_id: commit_id.to_be_bytes(),
            commit_index: index,
            author: None,
        }
    }

    fn row(body: &EventBody) -> StoredRow {
        crate::proof::row_of(body, &body.encode())
    }

    /// An append of three rows.
    fn append(table: &Table<'_>, root: &str, commit_id: u128) -> Vec<StoredRow> {
        let mut prev = [0; 32];
        (0..3)
            .map(|index| {
                let row = row(&body(root, commit_id, index, prev));
                prev = schema::row_digest(table, &row).unwrap().to_bytes();
                row
            })
            .collect()
    }

    /// Two appends and a row that hangs on the first, all with one commit id.
    #[test]
    fn rows_with_one_commit_id_are_told_apart_by_what_they_follow() {
        let table = schema::table(1).unwrap();
        let (first, second) = (append(&table, "a", 7), append(&table, "b", 7));
        let digest = |row| schema::row_digest(&table, row).unwrap().to_bytes();
        let branch = row(&body("c", 7, 2, digest(&first[1])));
        let groups = [&first, &second].map(|rows| Group::of_rows(&table, rows));
        let wanted = groups.iter().map(Group::root).collect();
        let mut collector = Collector::new(table, &wanted);
        for row in first.iter().chain([&branch]).chain(&second).rev() {
            collector.add(row);
        }
        let found = collector.finish();
        assert_eq!(found.len(), 2);
        for group in groups {
            assert_eq!(found[&group.root()].digests, group.digests);
        }
    }

    /// However many rows come, few are held, and an append whose rows come
    /// one after the other is found among them.
    #[test]
    fn the_rows_held_are_bounded() {
        let table = schema::table(1).unwrap();
        let rows = append(&table, "a", u128::MAX);
        let wanted = HashSet::from([Group::of_rows(&table, &rows).root()]);
        const MOST: usize = 100;
        let mut collector = Collector { most_held: MOST, ..Collector::new(table, &wanted) };
        let mut template = body("z", 0, 0, [0; 32]);
        let mut fill = |collector: &mut Collector<'_>, ids: std::ops::Range<usize>| {
            for id in ids {
                template.commit_id = (id as u128).to_be_bytes();
                collector.add(&row(&template));
                assert!(collector.held < MOST);
            }
        };
        // The append straddles the moment at which room is made.
        fill(&mut collector, 0..MOST - 2);
        rows.iter().for_each(|row| collector.add(row));
        fill(&mut collector, MOST..10 * MOST);
        assert_eq!(collector.finish().len(), 1);
    }
}
