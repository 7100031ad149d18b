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
    /// Whether an append begins with it, and whether one ends.
    first: bool,
    last: bool,
    row: NewRow,
}

/// Rows held at most, whatever a server sends: some 60 MB, and twice that where
/// all keys are as long as can be and all rows signed. Bodies are not held.
const MOST_HELD: usize = 128 * 1024;

/// Rows in a chain at most: as many entries as a transaction of immudb's has.
const MOST_CHAINED: usize = 1024;

/// Rows looked at to take a commit of several appends apart, for each row that
/// carries its id; at least, and at most for one id.
const STEPS: usize = 16;
const FEWEST_STEPS: usize = 1 << 12;
const MOST_STEPS: usize = 1 << 20;

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
        let commit = self.building.entry(body.commit_id).or_default();
        commit.push(Candidate {
            index: body.commit_index,
            prev_event: body.prev_event,
            first: body.append_index == 0,
            last: body.append_count.checked_sub(1) == Some(body.append_index),
            row: new,
        });
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
            // Others may have used the commit's id as well.
            self.judge_chains(&rows);
            let steps = STEPS.saturating_mul(rows.len()).clamp(FEWEST_STEPS, MOST_STEPS);
            self.judge_appends(&rows, steps);
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

    /// The rows of an append hang together by themselves: each names the
    /// digest of the one before it. A digest has one predecessor, so every row
    /// is looked at once.
    fn judge_chains(&mut self, rows: &[Candidate]) {
        let next = successors(rows);
        // Rows still to be looked at, each with the number of rows before it.
        let mut open: Vec<(usize, usize)> = beginning(rows).map(|i| (i, 0)).collect();
        let mut chain = Chain::default();
        while let Some((i, depth)) = open.pop() {
            let root = chain.set(depth, i, &rows[i]);
            if self.wanted.contains(&root) {
                self.keep(chain.rows(rows));
            }
            if chain.len() < MOST_CHAINED {
                open.extend(after(&next, &rows[i]).map(|i| (i, depth + 1)));
            }
        }
    }

    /// A commit of several appends: behind a whole one there may follow any
    /// other of a later stream. Which one, nothing but the root tells, so it
    /// is tried, for so many steps: rows that are transactions by themselves
    /// last, as others' mostly are.
    fn judge_appends(&mut self, rows: &[Candidate], mut steps: usize) {
        let next = successors(rows);
        let mut used: HashSet<usize> = HashSet::new();
        let alone = |groups: &Self, i: &usize| {
            let root = entries_root(&[rows[*i].row.digest]);
            groups.found.get(&root).is_some_and(|group| group.digests.len() == 1)
        };
        let alone: HashSet<usize> = (0..rows.len()).filter(|i| alone(self, i)).collect();
        'next: loop {
            let begin = beginning(rows).filter(|i| !used.contains(i));
            let mut open: Vec<(usize, usize)> = begin.map(|i| (i, 0)).collect();
            open.sort_by_key(|(i, _)| !alone.contains(i));
            let mut chain = Chain::default();
            while let Some((i, depth)) = open.pop() {
                let root = chain.set(depth, i, &rows[i]);
                if self.wanted.contains(&root) && !self.found.contains_key(&root) {
                    self.keep(chain.rows(rows));
                    used.extend(chain.places());
                    continue 'next;
                }
                let more = open.len();
                if chain.len() < MOST_CHAINED {
                    if rows[i].last {
                        let behind = |j: &usize| rows[*j].row.key > rows[i].row.key;
                        open.extend(firsts(rows, &rows[i]).filter(behind).map(|j| (j, depth + 1)));
                    }
                    open.extend(after(&next, &rows[i]).map(|j| (j, depth + 1)));
                    open[more..].sort_by_key(|(i, _)| !alone.contains(i));
                }
                let Some(left) = steps.checked_sub(1 + open.len() - more) else { return };
                steps = left;
            }
            return;
        }
    }
}

/// By digest and place of the row before them.
type Successors = HashMap<([u8; 32], u32), Vec<usize>>;

fn successors(rows: &[Candidate]) -> Successors {
    let mut next = Successors::new();
    for (i, row) in rows.iter().enumerate() {
        next.entry((row.prev_event, row.index)).or_default().push(i);
    }
    next
}

/// The rows that name this one as the one before them.
fn after(next: &Successors, row: &Candidate) -> impl Iterator<Item = usize> {
    let place = row.index.checked_add(1).map(|index| (row.row.digest.to_bytes(), index));
    place.and_then(|place| next.get(&place)).into_iter().flatten().copied()
}

/// The rows with which a commit may begin.
fn beginning(rows: &[Candidate]) -> impl Iterator<Item = usize> {
    (0..rows.len()).filter(|i| rows[*i].index == 0)
}

/// The rows in the next place with which an append begins. `rows` stand in the
/// order of their places.
fn firsts<'r>(rows: &'r [Candidate], row: &Candidate) -> impl Iterator<Item = usize> + 'r {
    let index = row.index.saturating_add(1);
    let begin = rows.partition_point(|row| row.index < index);
    let end = rows.partition_point(|row| row.index <= index);
    (begin..end).filter(|i| rows[*i].first)
}

/// Rows one behind the other, and their tree up to each.
#[derive(Default)]
struct Chain(Vec<(usize, Frontier)>);

impl Chain {
    /// Puts a row behind the first `depth`; the root of them all.
    fn set(&mut self, depth: usize, i: usize, row: &Candidate) -> Root {
        self.0.truncate(depth);
        let mut tree = self.0.last().map_or_else(Frontier::new, |(_, tree)| tree.clone());
        // A chain is far shorter than 2^64.
        let _ = tree.push(row.row.digest.leaf_hash());
        let root = tree.root();
        self.0.push((i, tree));
        root
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn places(&self) -> impl Iterator<Item = usize> + Clone {
        self.0.iter().map(|(i, _)| *i)
    }

    fn rows<'r>(&self, rows: &'r [Candidate]) -> impl Iterator<Item = &'r Candidate> + Clone {
        self.places().map(|i| &rows[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{Author, StoredPayload};

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
            append_count: 3,
            commit_id: commit_id.to_be_bytes(),
            commit_index: index,
            author: None,
        }
    }

    fn row(body: &EventBody) -> StoredRow {
        crate::proof::row_of(body, body.encode())
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

    /// Whether a body is signed, truly or not, and how long it is, is no matter.
    #[cfg(target_os = "linux")]
    #[test]
    fn of_a_body_is_held_what_it_takes_to_judge_it() {
        let resident = || {
            let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
            pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
        };
        let (table, wanted) = (schema::table(1).unwrap(), HashSet::new());
        let mut collector = Collector::new(table, &wanted);
        let before = resident();
        const ROWS: usize = 100;
        for n in 0..ROWS as u128 {
            let mut body = body("a", n, 0, [0; 32]);
            body.payload = StoredPayload::Inline(vec![n as u8; 1_000_000].into());
            body.author = Some(Author { key: [1; 32], signature_r: [2; 32], signature_s: [3; 32] });
            collector.add(&row(&body));
        }
        assert_eq!(collector.held, ROWS);
        let grown = resident().saturating_sub(before);
        assert!(grown < 50_000_000, "{grown} bytes for {ROWS} rows");
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

    /// A commit of appends of so many rows, each to a stream of its own.
    fn commit(table: &Table<'_>, roots: &[String], length: u32, id: u128) -> Vec<StoredRow> {
        let mut rows: Vec<StoredRow> = Vec::new();
        for root in roots {
            let mut prev_event = [0; 32];
            for append_index in 0..length {
                let mut body = body(root, id, rows.len() as u32, prev_event);
                (body.append_index, body.append_count) = (append_index, length);
                rows.push(row(&body));
                prev_event = digest(table, &rows[rows.len() - 1]);
            }
        }
        rows
    }

    fn digest(table: &Table<'_>, row: &StoredRow) -> [u8; 32] {
        schema::row_digest(table, row).unwrap().to_bytes()
    }

    fn roots(count: u32, end: &str) -> Vec<String> {
        (0..count).map(|n| format!("{n:02}{end}")).collect()
    }

    /// How many of the wanted transactions are found in these rows.
    fn found(wanted: &[&[StoredRow]], rows: &[&[StoredRow]]) -> usize {
        let table = schema::table(1).unwrap();
        let wanted = wanted.iter().map(|rows| Group::of_rows(&table, rows).root()).collect();
        let mut collector = Collector::new(table, &wanted);
        rows.iter().copied().flatten().for_each(|row| collector.add(row));
        collector.finish().len()
    }

    #[test]
    fn a_commit_of_several_appends_is_found_among_others_rows() {
        let table = schema::table(1).unwrap();
        for length in [1, 3] {
            let rows = commit(&table, &roots(40, ""), length, 7);
            let rivals = commit(&table, &roots(40, "+"), length, 7);
            // In a transaction that is not known: in a few places they are.
            let few = 3 * length as usize;
            assert_eq!(found(&[&rows], &[&rivals[..few], &rows]), 1);
            // Two commits with one id.
            let other = commit(&table, &roots(3, "-"), length, 7);
            assert_eq!(found(&[&rows, &other], &[&rows, &other]), 2);
        }
        // In transactions by themselves: in every place.
        let rows = commit(&table, &roots(40, ""), 1, 7);
        let rivals = commit(&table, &roots(40, "+"), 1, 7);
        let wanted: Vec<&[StoredRow]> = rivals.chunks(1).chain([&rows[..]]).collect();
        assert_eq!(found(&wanted, &[&rivals, &rows]), 41);
    }

    /// Whatever others write, taking it apart ends.
    #[test]
    fn taking_a_commit_apart_ends() {
        let table = schema::table(1).unwrap();
        let wanted = commit(&table, &roots(40, ""), 1, 7);
        let crowd: Vec<Vec<StoredRow>> =
            (0..40).map(|n| commit(&table, &roots(40, &format!("{n}")), 1, 7)).collect();
        let crowd: Vec<&[StoredRow]> = crowd.iter().map(Vec::as_slice).collect();
        assert_eq!(found(&[&wanted], &crowd), 0);
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
