//! A model: callers, streams, and a ledger that commits, refuses as a whole,
//! or leaves everybody in doubt, while rivals write to the same streams.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
struct Model {
    name: usize,
    stream: StreamKey,
    expected: ExpectedVersion,
    id: String,
    rows: usize,
    bytes: usize,
    company: usize,
}

impl Append for Model {
    fn stream(&self) -> &StreamKey {
        &self.stream
    }

    fn expected(&self) -> ExpectedVersion {
        self.expected
    }

    fn external_id(&self) -> &str {
        &self.id
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn company(&self) -> usize {
        self.company
    }
}

fn stream(n: u8) -> StreamKey {
    StreamKey { domain: b"d".to_vec(), edition: Vec::new(), root: vec![n] }
}

prop_compose! {
    fn append()(
        root in 0..3_u8,
        expected in prop_oneof![
            4 => Just(ExpectedVersion::Any),
            1 => Just(ExpectedVersion::NoStream),
            1 => Just(ExpectedVersion::StreamExists),
            2 => (0..6_u64).prop_map(ExpectedVersion::Exact),
        ],
        id in prop_oneof![3 => Just(String::new()), 1 => "[ab]"],
        rows in prop_oneof![9 => 1..4_usize, 1 => 900..=MAX_EVENTS],
        bytes in prop_oneof![9 => 1..9_usize, 1 => MAX_BYTES / 2..MAX_BYTES + 400],
        company in prop_oneof![8 => Just(usize::MAX), 1 => Just(1), 1 => 2..4_usize],
    ) -> Model {
        Model { name: 0, stream: stream(root), expected, id, rows, bytes, company }
    }
}

/// What the ledger does with a commit.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Commits,
    /// A rival takes the next place in this stream first.
    Loses(u8),
    /// The answer is lost: nobody learns whether it was committed.
    Doubt(bool),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Commits),
        2 => (0..3_u8).prop_map(Fate::Loses),
        1 => any::<bool>().prop_map(Fate::Doubt),
    ]
}

#[derive(Debug, Clone, PartialEq)]
enum Answer {
    Done(u64),
    Repeats(usize),
    Refused(StreamVersion),
    Doubt,
}

#[derive(Default)]
struct Ledger {
    /// Of each stream who wrote its events; nobody for a rival's.
    streams: HashMap<StreamKey, Vec<Option<usize>>>,
    ids: HashMap<(Vec<u8>, Vec<u8>, String), usize>,
}

impl Ledger {
    fn next(&self, stream: &StreamKey) -> u64 {
        self.streams.get(stream).map_or(0, Vec::len) as u64
    }

    /// All of it, or nothing if one place is taken.
    fn commit(&mut self, planned: &[(Model, u64)]) -> bool {
        let mut next: HashMap<&StreamKey, u64> = HashMap::new();
        for (append, first) in planned {
            let next = next.entry(&append.stream).or_insert(self.next(&append.stream));
            if *next != *first {
                return false;
            }
            *next += append.rows as u64;
        }
        for (append, _) in planned {
            let names = std::iter::repeat_n(Some(append.name), append.rows);
            self.streams.entry(append.stream.clone()).or_default().extend(names);
            if !append.id.is_empty() {
                assert!(self.ids.insert(id(append), append.name).is_none(), "one id twice");
            }
        }
        true
    }
}

fn run(appends: Vec<Model>, mut fates: Vec<Fate>) {
    let appends: Vec<_> =
        (0..).zip(appends).map(|(name, append)| Model { name, ..append }).collect();
    let mut queue: VecDeque<Model> = appends.iter().cloned().collect();
    let mut ledger = Ledger::default();
    let mut answers: HashMap<usize, Answer> = HashMap::new();
    let mut answer = |name: usize, answer: Answer| {
        assert_eq!(answers.insert(name, answer), None, "answered twice");
    };
    let mut rounds = 0;
    while let Some(front) = queue.front().map(|front| front.name) {
        rounds += 1;
        assert!(rounds < 1_000, "it does not end");
        let taken = take(&mut queue);
        let (rows, bytes) = taken.iter().fold((0, 0), |(r, b), a| (r + a.rows, b + a.bytes));
        assert_eq!(taken[0].name, front, "the first was overtaken");
        assert!(taken.len() == 1 || (rows <= MAX_EVENTS && bytes <= MAX_BYTES));
        assert!(taken.iter().all(|append| taken.len() <= append.company));

        let (mut plan, mut planned, mut later) = (Plan::default(), Vec::new(), Vec::new());
        for append in taken {
            // As the store does: first whether it is a repetition.
            let first_use = ledger.ids.get(&id(&append)).filter(|_| !append.id.is_empty());
            if let Some(first_use) = first_use.filter(|_| !plan.has_id(&append)) {
                answer(append.name, Answer::Repeats(*first_use));
                continue;
            }
            let next = ledger.next(&append.stream);
            match plan.decide(&append, next) {
                Decision::Goes(first) => {
                    plan.add(&append, first);
                    planned.push((append, first));
                }
                Decision::Waits => later.push(append),
                Decision::WrongVersion(actual) => answer(append.name, Answer::Refused(actual)),
            }
        }
        assert!(later.iter().all(|append| append.name != front), "the first waits for nobody");
        match fates.pop().unwrap_or(Fate::Commits) {
            Fate::Commits => {
                assert!(ledger.commit(&planned), "a plan without rivals fits");
                for (append, first) in planned {
                    answer(append.name, Answer::Done(first));
                }
            }
            Fate::Loses(root) => {
                ledger.streams.entry(stream(root)).or_default().push(None);
                if ledger.commit(&planned) {
                    planned.into_iter().for_each(|(a, first)| answer(a.name, Answer::Done(first)));
                } else {
                    later.extend(planned.into_iter().map(|(append, _)| append));
                }
            }
            Fate::Doubt(committed) => {
                if committed {
                    assert!(ledger.commit(&planned));
                }
                planned.into_iter().for_each(|(append, _)| answer(append.name, Answer::Doubt));
            }
        }
        later.sort_by_key(|append| append.name);
        later.into_iter().rev().for_each(|append| queue.push_front(append));
    }

    assert_eq!(answers.len(), appends.len(), "everybody is answered");
    for append in &appends {
        let events = ledger.streams.get(&append.stream).map_or(&[][..], Vec::as_slice);
        let mine = |from: usize| {
            let end = from + append.rows;
            events.get(from..end).is_some_and(|e| e.iter().all(|e| *e == Some(append.name)))
        };
        let count = events.iter().filter(|event| **event == Some(append.name)).count();
        match answers[&append.name] {
            // There, whole, where it was said to be, and nowhere else.
            Answer::Done(first) => assert!(mine(first as usize) && count == append.rows),
            Answer::Refused(_) => assert_eq!(count, 0),
            Answer::Repeats(first_use) => {
                assert_eq!(count, 0);
                assert_eq!(appends[first_use].id, append.id);
            }
            Answer::Doubt => assert!(count == 0 || count == append.rows),
        }
    }
}

proptest! {
    /// Whatever the ledger does, everybody is answered once, and what is
    /// acknowledged is there exactly once, whole, and in its place.
    #[test]
    fn nothing_acknowledged_is_missing_or_there_twice(
        appends in prop::collection::vec(append(), 1..24),
        fates in prop::collection::vec(fate(), 0..12),
    ) {
        run(appends, fates);
    }
}

fn plain(root: u8, expected: ExpectedVersion) -> Model {
    let (stream, id) = (stream(root), String::new());
    Model { name: 0, stream, expected, id, rows: 1, bytes: 1, company: usize::MAX }
}

#[test]
fn an_oversize_append_is_not_overtaken() {
    let small = plain(0, ExpectedVersion::Any);
    let large = Model { rows: MAX_EVENTS, name: 1, ..small.clone() };
    let mut queue = VecDeque::from([small.clone(), large, small]);
    let sizes: Vec<_> = std::iter::from_fn(|| Some(take(&mut queue)).filter(|t| !t.is_empty()))
        .map(|taken| taken.iter().map(Append::rows).sum::<usize>())
        .collect();
    assert_eq!(sizes, [1, MAX_EVENTS, 1]);
}

#[test]
fn a_version_is_judged_against_the_commit_but_refused_only_by_the_ledger() {
    let (empty, first) = (ExpectedVersion::NoStream, ExpectedVersion::Exact(0));
    let mut plan = Plan::default();
    assert_eq!(plan.decide(&plain(0, empty), 0), Decision::Goes(0));
    plan.add(&plain(0, empty), 0);
    assert_eq!(plan.decide(&plain(0, first), 0), Decision::Goes(1));
    assert_eq!(plan.decide(&plain(0, empty), 0), Decision::Waits);
    let actual = StreamVersion::At(0);
    assert_eq!(Plan::default().decide(&plain(0, empty), 1), Decision::WrongVersion(actual));
}

/// What names the digest of something that does not go cannot go, nor what is behind it in a
/// pipeline; and so on from there.
#[test]
fn behind_what_is_not_drafted_nothing_goes() {
    let (line, other) = (Line::default(), Line::default());
    let streams = [stream(0), stream(1), stream(2)];
    let draft = |root: usize, place, line, is_drafted| {
        let drafting = Drafting { place, stream: &streams[root], line, is_drafted };
        std::iter::once(drafting)
    };
    let drafts = |first: bool| {
        draft(0, 0, Some(&line), true)
            .chain(draft(0, 2, Some(&line), first))
            .chain(draft(0, 4, None, true))
            .chain(draft(1, 1, Some(&line), true))
            .chain(draft(1, 3, Some(&line), true))
            // It is in another pipeline, and in this one's stream.
            .chain(draft(1, 5, Some(&other), true))
            .chain(draft(2, 4, Some(&other), true))
            .chain(draft(2, 6, None, true))
            .chain(draft(2, 7, Some(&other), true))
    };
    assert_eq!(goes(drafts(true)), [true; 9]);
    let wanted = [true, false, false, true, false, false, true, true, false];
    assert_eq!(goes(drafts(false)), wanted);
}
