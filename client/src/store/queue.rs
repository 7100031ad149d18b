//! Appends that wait for a commit, and which of them share the next one.
//!
//! Nothing here asks anybody: what is decided follows from the appends, in the
//! order in which they came, and from the streams as they are.

use std::collections::{HashMap, HashSet, VecDeque};

use super::encode::{MAX_BYTES, MAX_EVENTS};
use super::pipeline::Line;
use crate::error::StreamVersion;
use crate::event::ExpectedVersion;
use crate::index::StreamKey;

/// What decides which appends go together.
pub(super) trait Append {
    fn stream(&self) -> &StreamKey;
    fn expected(&self) -> ExpectedVersion;
    /// The external id, empty for none.
    fn external_id(&self) -> &str;
    fn rows(&self) -> usize;
    /// Bytes of its bodies, at most.
    fn bytes(&self) -> usize;
    /// How many may go together at most where it goes along.
    fn company(&self) -> usize;
}

/// The longest start of the queue that one INSERT can hold; at least the first
/// append. Nobody overtakes: an append that does not fit is the next one's first.
pub(super) fn take<A: Append>(queue: &mut VecDeque<A>) -> Vec<A> {
    let (mut rows, mut bytes, mut most) = (0, 0, usize::MAX);
    let mut taken: Vec<A> = Vec::new();
    while let Some(next) = queue.front() {
        rows += next.rows();
        bytes += next.bytes();
        most = most.min(next.company());
        let fits = rows <= MAX_EVENTS && bytes <= MAX_BYTES && taken.len() < most;
        if !taken.is_empty() && !fits {
            break;
        }
        taken.extend(queue.pop_front());
    }
    taken
}

/// What becomes of an append in the commit that is being planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// It goes along, its first event with this number.
    Goes(u64),
    /// What it depends on goes into this very commit and is not done yet: it
    /// is judged when that is known.
    Waits,
    /// The stream, as the ledger has it, is not where the append wants it.
    WrongVersion(StreamVersion),
}

/// The commit that is being planned.
#[derive(Default)]
pub(super) struct Plan {
    /// The next numbers of the streams that are written to.
    next: HashMap<StreamKey, u64>,
    ids: HashSet<(Vec<u8>, Vec<u8>, String)>,
}

impl Plan {
    /// Whether an append with this id already goes along.
    pub(super) fn has_id(&self, append: &impl Append) -> bool {
        !append.external_id().is_empty() && self.ids.contains(&id(append))
    }

    /// Decides on the next append. `next` is the next number of its stream in
    /// the verified ledger. No append is refused because of what is merely
    /// planned: a plan can fail.
    pub(super) fn decide(&self, append: &impl Append, next: u64) -> Decision {
        let first = self.first(append, next);
        let actual = first.checked_sub(1).map_or(StreamVersion::Empty, StreamVersion::At);
        let holds = match append.expected() {
            ExpectedVersion::Any => true,
            ExpectedVersion::NoStream => actual == StreamVersion::Empty,
            ExpectedVersion::StreamExists => actual != StreamVersion::Empty,
            ExpectedVersion::Exact(sequence) => actual == StreamVersion::At(sequence),
        };
        match (holds, self.writes_to(append.stream())) {
            _ if self.has_id(append) => Decision::Waits,
            (true, _) => Decision::Goes(first),
            (false, true) => Decision::Waits,
            (false, false) => Decision::WrongVersion(actual),
        }
    }

    /// The number of the append's first event, if it goes along.
    pub(super) fn first(&self, append: &impl Append, next: u64) -> u64 {
        self.next.get(append.stream()).copied().unwrap_or(next)
    }

    /// Takes the append into the commit, its first event with this number.
    pub(super) fn add(&mut self, append: &impl Append, first: u64) {
        // More than 2^63 events are refused when they are encoded.
        let next = first.saturating_add(append.rows() as u64);
        self.next.insert(append.stream().clone(), next);
        if !append.external_id().is_empty() {
            self.ids.insert(id(append));
        }
    }

    /// Whether the stream is written to by an append before.
    pub(super) fn writes_to(&self, stream: &StreamKey) -> bool {
        self.next.contains_key(stream)
    }
}

/// An append of the commit that is being made, once its rows were to be.
pub(super) struct Drafting<'a> {
    /// Its place in the queue.
    pub(super) place: usize,
    pub(super) stream: &'a StreamKey,
    /// Its pipeline, if it is in one.
    pub(super) line: Option<&'a Line>,
    pub(super) is_drafted: bool,
}

/// Which of these, in the order of their keys, go into the commit. Where one does not, nothing does
/// that comes behind it in its stream, whose digest it names, or in its pipeline.
pub(super) fn goes<'a>(drafts: impl Iterator<Item = Drafting<'a>>) -> Vec<bool> {
    let drafts: Vec<Drafting<'a>> = drafts.collect();
    let mut goes: Vec<bool> = drafts.iter().map(|draft| draft.is_drafted).collect();
    loop {
        let before = goes.clone();
        let mut ends: Option<&StreamKey> = None;
        // Of each pipeline the first that does not go.
        let mut broken: Vec<(&Line, usize)> = Vec::new();
        for (draft, goes) in drafts.iter().zip(&mut goes) {
            *goes &= ends != Some(draft.stream);
            if *goes {
                continue;
            }
            ends = Some(draft.stream);
            let Some(line) = draft.line else { continue };
            match broken.iter_mut().find(|(broken, _)| *broken == line) {
                Some((_, first)) => *first = draft.place.min(*first),
                None => broken.push((line, draft.place)),
            }
        }
        for (draft, goes) in drafts.iter().zip(&mut goes) {
            let first = broken.iter().find(|(line, _)| draft.line == Some(line));
            *goes &= first.is_none_or(|(_, first)| draft.place < *first);
        }
        if goes == before {
            return goes;
        }
    }
}

fn id(append: &impl Append) -> (Vec<u8>, Vec<u8>, String) {
    let StreamKey { domain, edition, .. } = append.stream();
    (domain.clone(), edition.clone(), append.external_id().to_owned())
}

#[cfg(test)]
mod tests;
