//! An index in memory: what an audit asks of one, and no more. Kept of an id
//! and of a stream's name are 16 bytes that nobody outside can predict.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use counterfoil_core::{Alh, EntryDigest, TxId};

use super::names::{Names, Said, StreamName, Sum};
use super::rules::{self, Before, Claim, Ruling, StreamEnd};
use super::{Position, StreamKey};
use crate::verdict::{Finding, FindingKind};

/// A row on its way into the index.
pub(crate) struct PlacedRow<'a> {
    pub(crate) pos: Position,
    /// The stream, as [`put_stream`] writes it.
    pub(crate) stream: &'a [u8],
    pub(crate) event_number: i64,
    pub(crate) digest: EntryDigest,
    pub(crate) claim: Claim<'a>,
    /// The short hash of its correlation id.
    pub(crate) correlation: Option<i64>,
}

/// Writes a stream's [key](StreamKey::parts) as it begins a stored value, so that a value need not
/// be taken apart to name its stream.
pub(crate) fn put_stream(key: [&[u8]; 3], out: &mut Vec<u8>) {
    out.clear();
    for (column, part) in (1_u32..).zip(key) {
        out.extend(column.to_be_bytes());
        // A part that is longer is in no row.
        out.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(part);
    }
}

#[derive(Default)]
pub(crate) struct MemoryIndex {
    names: Names,
    streams: Map<StreamEnd>,
    exts: HashSet<u128, BuildHasherDefault<Taken>>,
    /// Keys that are held, by stream and number.
    held: HashSet<(u128, i64)>,
    events: u64,
    begun: u64,
    /// What is said about transactions up to this one, if somebody wants to
    /// hold it against another index.
    summed: Option<(TxId, Sum)>,
}

type Map<V> = HashMap<u128, V, BuildHasherDefault<Taken>>;

impl MemoryIndex {
    /// How many events there are.
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// How many streams have events.
    pub(crate) fn streams(&self) -> u64 {
        self.begun
    }

    /// Judges the next row, behind transactions with these Alhs, and adds it.
    /// What is noteworthy about it goes into `found`.
    pub(crate) fn add(
        &mut self,
        row: &PlacedRow<'_>,
        alhs: &[Alh],
        found: &mut Vec<(FindingKind, String)>,
    ) -> Ruling {
        let StreamName(name) = self.names.stream(row.stream);
        let ext = match row.claim {
            Claim::Event { ext, .. } => Some(self.names.name(ext)),
            _ => None,
        };
        let is_new = ext.is_some_and(|ext| self.exts.insert(ext));
        let stream = self.streams.get(&name).copied();
        let mut known = Known { stream, has_ext: !is_new, name, held: &self.held, alhs, found };
        let ruling = rules::judge(row.claim, row.event_number, &mut known);
        let stream = stream.unwrap_or(StreamEnd::NEW);
        match &ruling {
            Ruling::Event { .. } => {
                let next = stream.next + 1;
                self.events += 1;
                self.begun += u64::from(next == 1);
                let head = row.digest.to_bytes();
                self.streams.insert(name, StreamEnd { next, head, ..stream });
                self.sum_event(row, StreamName(name));
                return ruling;
            }
            Ruling::Holds(_) => {
                self.streams.insert(name, StreamEnd { any_held: true, ..stream });
                let (pos, number) = (row.pos, row.event_number);
                // The first row on a key holds it.
                if self.held.insert((name, number)) {
                    self.say(pos.tx(), &Said::Held { pos, stream: StreamName(name), number });
                }
            }
            Ruling::Genesis => {
                self.streams.insert(name, stream);
            }
            Ruling::Nothing => {}
        }
        if let Some(ext) = ext.filter(|_| is_new) {
            self.exts.remove(&ext);
        }
        ruling
    }

    /// Takes note of something that was found.
    pub(crate) fn found(&mut self, finding: &Finding) {
        let Finding { tx, entry, kind, .. } = *finding;
        self.say(tx, &Said::Found { tx: tx.get(), entry, kind });
    }

    /// From now on sums up what is said about transactions up to this one.
    pub(crate) fn sum_through(&mut self, last: TxId) {
        self.summed = Some((last, Sum::default()));
    }

    /// The sum, and what another index is summed up with.
    pub(crate) fn sum(&self) -> Option<(Sum, Names)> {
        self.summed.map(|(_, sum)| (sum, self.names.clone()))
    }

    fn sum_event(&mut self, row: &PlacedRow<'_>, stream: StreamName) {
        let Claim::Event { ext, .. } = row.claim else { return };
        let (pos, number) = (row.pos, row.event_number.cast_unsigned());
        self.say(pos.tx(), &Said::Numbered { pos, stream, number });
        self.say(pos.tx(), &Said::Identified { pos, ext });
        if let Some(id) = row.correlation {
            self.say(pos.tx(), &Said::Correlated { pos, id });
        }
    }

    fn say(&mut self, tx: TxId, what: &Said<'_>) {
        if let Some((last, sum)) = &mut self.summed
            && tx <= *last
        {
            self.names.add(sum, what);
        }
    }

    /// The name of a stream, to remember its events under.
    pub(crate) fn name_stream(&self, key: &StreamKey) -> StreamName {
        let mut stream = Vec::new();
        put_stream(key.parts(), &mut stream);
        StreamName(self.names.name(&stream))
    }

    /// Takes an event as somebody else's index has it. False if it is not the
    /// next one of its stream, or its id is not new.
    pub(crate) fn remember(
        &mut self,
        StreamName(name): StreamName,
        number: u64,
        ext: &[u8; 32],
        digest: EntryDigest,
    ) -> bool {
        let stream = self.streams.entry(name).or_insert(StreamEnd::NEW);
        if number != stream.next || !self.exts.insert(self.names.name(ext)) {
            return false;
        }
        (stream.next, stream.head) = (number + 1, digest.to_bytes());
        self.events += 1;
        self.begun += u64::from(number == 0);
        true
    }

    /// Takes a key as held.
    pub(crate) fn hold(&mut self, StreamName(name): StreamName, number: i64) {
        self.streams.entry(name).or_insert(StreamEnd::NEW).any_held = true;
        self.held.insert((name, number));
    }

    /// Takes a stream's key as taken, though it may have no event.
    pub(crate) fn hold_stream(&mut self, StreamName(name): StreamName) {
        self.streams.entry(name).or_insert(StreamEnd::NEW);
    }
}

struct Known<'a> {
    stream: Option<StreamEnd>,
    has_ext: bool,
    name: u128,
    held: &'a HashSet<(u128, i64)>,
    alhs: &'a [Alh],
    found: &'a mut Vec<(FindingKind, String)>,
}

impl Before for Known<'_> {
    fn stream(&self) -> Option<StreamEnd> {
        self.stream
    }

    fn has_ext(&self, _: &[u8; 32]) -> bool {
        self.has_ext
    }

    fn is_held(&self, number: u64) -> bool {
        i64::try_from(number).is_ok_and(|number| self.held.contains(&(self.name, number)))
    }

    fn saw(&self, tx: u64, alh: &[u8; 32]) -> bool {
        let at = tx.checked_sub(1).and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.alhs.get(at)).is_some_and(|found| found.as_bytes() == alh)
    }

    fn ledger(&self) -> Alh {
        self.alhs.first().copied().unwrap_or(Alh::BEFORE_FIRST)
    }

    fn find(&mut self, kind: FindingKind, detail: String) {
        self.found.push((kind, detail));
    }
}

/// A name is as good as a hash already.
#[derive(Default)]
struct Taken(u64);

impl Hasher for Taken {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, name: u128) {
        self.0 = name as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use counterfoil_core::{HeaderVersion, Root, TxId};
    use sqlx::SqliteConnection;

    use super::super::{InAppend, Index, NewRow, Position, RowContent};
    use super::*;
    use crate::log::{Log, TxRecord};
    use crate::sqlite;
    use crate::verdict::Finding;

    /// Numbers that follow each other in no order.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, n: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.0 >> 33) % n
        }
    }

    async fn log(conn: &mut SqliteConnection, txs: u64) -> Vec<Alh> {
        Log::create(conn).await.unwrap();
        Index::create(conn).await.unwrap();
        let (mut log, mut alhs) = (Log::new(), Vec::new());
        for id in 1..=txs {
            let alh = Alh::new([id as u8; 32]);
            let record = TxRecord {
                id: TxId::new(id),
                ts: 0,
                version: HeaderVersion::V1,
                nentries: 1,
                eh: Root::ZERO,
                bl_tx_id: TxId::new(id - 1),
                alh,
                digests: None,
                truncated: None,
                opaque: false,
            };
            log.append(conn, &[&record]).await.unwrap();
            alhs.push(alh);
        }
        alhs
    }

    fn wide(n: u64) -> [u8; 32] {
        std::array::from_fn(|at| n.to_be_bytes()[at % 8])
    }

    /// A row that follows every rule or breaks any of them, each often.
    fn row(
        dice: &mut Dice,
        pos: Position,
        ends: &HashMap<StreamKey, (u64, [u8; 32])>,
        alhs: &[Alh],
    ) -> NewRow {
        let part = |n: u64| if n == 0 { Vec::new() } else { vec![b'a'; n as usize] };
        let key = StreamKey {
            domain: part(1 + dice.below(2)),
            edition: part(dice.below(2)),
            root: part(dice.below(2)),
        };
        let (next, head) = ends.get(&key).copied().unwrap_or_default();
        let number = match dice.below(8) {
            0 => dice.below(6),
            1 => next + 1,
            2 => next.saturating_sub(1),
            _ => next,
        };
        let ext = match dice.below(5) {
            0 => dice.below(8),
            _ => pos.raw() as u64,
        };
        let seen_tx = dice.below(pos.tx().get());
        let seen = alhs.get((seen_tx as usize).wrapping_sub(1)).map(|alh| alh.to_bytes());
        let content = match dice.below(24) {
            0 => RowContent::Not("it is none".into()),
            1 => RowContent::Deleted,
            2 => RowContent::Genesis,
            _ => RowContent::Event {
                ext: wide(ext),
                prev_event: if dice.below(9) == 0 { [9; 32] } else { head },
                seen_tx,
                seen_alh: if dice.below(9) == 0 { [77; 32] } else { seen.unwrap_or_default() },
                correlation: (dice.below(3) == 0).then(|| dice.below(4) as i64 - 2),
                outside: None,
                append: InAppend { id: [0; 16], index: 0, count: 1 },
                signed: None,
            },
        };
        let digest = EntryDigest::new(wide(pos.raw() as u64));
        let event_number = number as i64;
        NewRow { pos, digest, key, event_number, content }
    }

    #[tokio::test]
    async fn what_counts_in_memory_counts_in_the_tables() {
        let mut kinds = HashSet::new();
        for case in 0..60 {
            let (mut dice, mut memory) = (Dice(case), MemoryIndex::default());
            memory.sum_through(TxId::new(30));
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("log");
            let conn = &mut sqlite::open(&path, sqlite::FileKind::Log, true).await.unwrap();
            // Written at once, or it takes minutes.
            sqlite::begin(conn).await.unwrap();
            let alhs = log(conn, 40).await;
            let (mut ends, mut findings, mut rows) = (HashMap::new(), Vec::new(), Vec::new());
            for tx in (1..=40).map(TxId::new) {
                for entry in 0..dice.below(5) as u32 {
                    let row = row(&mut dice, Position::new(tx, entry), &ends, &alhs);
                    let mut stream = Vec::new();
                    put_stream(row.key.parts(), &mut stream);
                    let (digest, event_number) = (row.digest, row.event_number);
                    let (pos, stream, claim) = (row.pos, &stream[..], row.claim());
                    let correlation = match row.content {
                        RowContent::Event { correlation, .. } => correlation,
                        _ => None,
                    };
                    let placed =
                        PlacedRow { pos, stream, event_number, digest, claim, correlation };
                    let mut about = Vec::new();
                    if let Ruling::Event { .. } = memory.add(&placed, &alhs, &mut about) {
                        let end = (row.event_number as u64 + 1, digest.to_bytes());
                        ends.insert(row.key.clone(), end);
                    }
                    for (kind, detail) in about {
                        kinds.insert(kind);
                        let finding = Finding { tx, entry: Some(entry), kind, detail };
                        memory.found(&finding);
                        findings.push(finding);
                    }
                    rows.push(row);
                }
            }
            let mut index = Index::default();
            let mut rest = &rows[..];
            while !rest.is_empty() {
                let (batch, others) = rest.split_at(rest.len().min(1 + dice.below(9) as usize));
                index.add(conn, batch).await.unwrap();
                rest = others;
            }
            assert_eq!(Index::findings(conn).await.unwrap(), findings, "{case}");
            let streams = Index::streams(conn, &crate::store::Streams::all()).await.unwrap();
            let next: HashMap<_, _> =
                ends.iter().map(|(key, (next, _))| (key.clone(), *next)).collect();
            assert_eq!(streams.iter().cloned().collect::<HashMap<_, _>>(), next, "{case}");
            assert_eq!(memory.streams(), streams.len() as u64);
            assert_eq!(memory.events(), next.values().sum::<u64>());
            assert!(sqlite::finish(conn, Ok(())).await.is_ok());
            let (sum, mut names) = memory.sum().unwrap();
            let plain = rusqlite::Connection::open(&path).unwrap();
            let mut sum_of = |from, to| {
                crate::index::sum(&plain, &mut names, TxId::new(from), TxId::new(to)).unwrap()
            };
            assert_eq!(sum_of(0, 30), Some(sum), "{case}");
            assert!(sum_of(0, 40) != Some(sum) && sum_of(9, 30) != Some(sum), "{case}");
        }
        // Every kind of thing that rows can do was there.
        assert_eq!(kinds.len(), 6, "{kinds:?}");
    }
}
